"""The errors of refused files: one sentence on what is wrong and what to do, in English and then in Persian."""

import errno
import os
import re
import string
from pathlib import Path

from etl.core import declarations
from etl.core.errors import Refused
from etl.core.text_folding import printable

_FILE = Path(__file__).parent / "causes.toml"
# Separates the English from the Persian words of a refusal.
BETWEEN = " · "
# Enclose text of its own direction in a Persian sentence: a name, an ending, a Latin word.
FSI, PDI = "\u2068", "\u2069"
_ISOLATE = re.compile(f"([{FSI}{PDI}])")
_ISOLATED = re.compile(f"({FSI}[^{PDI}]*{PDI})")
_GROUPS = re.compile(r"(?<=\d),(?=\d{3})")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
# Names and codes, which keep their digits.
_NAMES = ("sheet", "others", "state")
_LATIN = re.compile(r"\.?[A-Za-z]\w*(?:[ ./=-]?[A-Za-z0-9_]+)*", re.ASCII)


def because(cause: str, /, **values: object) -> Refused:
    """The refusal for a cause of causes.toml. The arguments must contain no value of a person."""
    return Refused(words(cause, **values))


def named(place: str, refusal: Refused) -> Refused:
    """A refusal with its place, named once, at the beginning."""
    return Refused(f"{place}: {refusal}")


def words(cause: str, /, **values: object) -> str:
    """The text of `because`."""
    texts = {name: str(value).replace(BETWEEN, " ") for name, value in values.items()}
    entry = declarations.read(_FILE)[cause]
    english, persian = entry["en"].format_map(texts), []
    for literal, name, _, _ in string.Formatter().parse(entry["fa"]):
        persian.append(_LATIN.sub(lambda run: f"{FSI}{run[0]}{PDI}", literal))
        if name:
            value = _in_persian(texts[name]) if name == "error" else texts[name]
            is_isolated = (name in _NAMES or _LATIN.search(value)) and FSI not in value
            persian.append(f"{FSI}{value}{PDI}" if is_isolated else value)
    return f"{english}{BETWEEN}{persian_digits(''.join(persian))}"


def persian_digits(text: str) -> str:
    """A Persian text with Persian digits; names, which are isolated, keep theirs."""
    parts = _ISOLATED.split(text)
    return "".join(
        part if _ISOLATED.fullmatch(part) else _GROUPS.sub("٬", part).translate(_PERSIAN_DIGITS) for part in parts
    )


def printable_line(text: str) -> str:
    """`text` for one line of a terminal: `printable`, but for the isolates of `words`."""
    parts = _ISOLATE.split(" ".join(text.split()))
    return "".join(part if _ISOLATE.fullmatch(part) else printable(part) for part in parts)


def of_machine(code: int | None) -> tuple[str, str]:
    """What an error of the operating system means, in English and in Persian."""
    return both(f"errno_{errno.errorcode.get(code or 0, '')}") or ("a fault of the machine", "خطای دستگاه")


def both(cause: str) -> tuple[str, str] | None:
    """The words of a cause without arguments in English and in Persian; None if there is none."""
    entry = declarations.read(_FILE).get(cause)
    return (entry["en"], entry["fa"]) if entry else None


def _in_persian(error: str) -> str:
    """What the operating system says, in Persian."""
    for name, cause in declarations.read(_FILE).items():
        if name.startswith("errno_") and os.strerror(getattr(errno, name.removeprefix("errno_"))) == error:
            return str(cause["fa"])
    return "خطای دستگاه"


def line(place: str, *parts: str) -> str:
    """One line of a place and of texts in both languages. A place in one language is named once, at the beginning."""
    english, persian = ([in_language(part, lang) for part in parts if part] for lang in ("en", "fa"))
    place_fa = f"{in_language(place, 'fa')}: " if BETWEEN in place else ""
    return f"{in_language(place, 'en')}: {'; '.join(english)}{BETWEEN}{place_fa}{'؛ '.join(persian)}"


def in_language(text: str, lang: str) -> str:
    """The words of a refusal in one language; the whole text if it has one language only."""
    english, _, persian = text.partition(BETWEEN)
    return persian if persian and lang == "fa" else english
