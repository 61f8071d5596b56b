"""The errors of refused files: one sentence on what is wrong and what to do, in English and then in Persian."""

import tomllib
from functools import cache
from pathlib import Path

from etl.core.errors import Refused

_FILE = Path(__file__).parent / "causes.toml"
# Separates the English from the Persian words of a refusal.
BETWEEN = " · "


def because(cause: str, /, **values: object) -> Refused:
    """The refusal for a cause of causes.toml. The arguments must contain no value of a person."""
    return Refused(words(cause, **values))


def named(place: str, refusal: Refused) -> Refused:
    """A refusal with its place, named once, at the beginning."""
    return Refused(f"{place}: {refusal}")


def words(cause: str, /, **values: object) -> str:
    """The text of `because`."""
    texts = {name: str(value).replace(BETWEEN, " ") for name, value in values.items()}
    return BETWEEN.join(_causes()[cause][lang].format_map(texts) for lang in ("en", "fa"))


def line(place: str, *parts: str) -> str:
    """One line of a place and of texts in both languages. A place in one language is named once, at the beginning."""
    english, persian = ([spoken(part, lang) for part in parts] for lang in ("en", "fa"))
    place_fa = f"{spoken(place, 'fa')}: " if BETWEEN in place else ""
    return f"{spoken(place, 'en')}: {'; '.join(english)}{BETWEEN}{place_fa}{'؛ '.join(persian)}"


def spoken(text: str, lang: str) -> str:
    """The words of a refusal in one language; the whole text if it has one language only."""
    english, _, persian = text.partition(BETWEEN)
    return persian if persian and lang == "fa" else english


@cache
def _causes() -> dict[str, dict[str, str]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
