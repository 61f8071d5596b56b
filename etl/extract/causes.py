"""Why a file is refused, in one sentence that says what it is and what to do, in English and then in Persian."""

import tomllib
from functools import cache
from pathlib import Path

from etl.core.errors import Refused

_FILE = Path(__file__).parent / "causes.toml"
# Between the English and the Persian words of a refusal.
BETWEEN = " · "


def because(cause: str, **given: object) -> Refused:
    """The refusal for a cause of causes.toml. What is given must hold no value of a person."""
    return Refused(words(cause, **given))


def words(cause: str, **given: object) -> str:
    """The same as text."""
    texts = {name: str(value).replace(BETWEEN, " ") for name, value in given.items()}
    return BETWEEN.join(_causes()[cause][lang].format_map(texts) for lang in ("en", "fa"))


def spoken(text: str, lang: str) -> str:
    """The words of a refusal in one language; all of it where it is told in one only."""
    english, _, persian = text.partition(BETWEEN)
    return persian if persian and lang == "fa" else english


@cache
def _causes() -> dict[str, dict[str, str]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
