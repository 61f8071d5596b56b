"""What an address says, and why a value of it is refused: in one sentence, which names the nearest right one."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from etl.core.text_folding import fold, latin_digits
from ui.i18n import text

Given = Mapping[str, Sequence[str]]
# A choice emptied on purpose, as opposed to the default.
NOTHING = "-"
# The most dimensions and measures of one question.
MOST_DIMENSIONS, MOST_MEASURES = 3, 8
# Of more members the nearest is not looked for.
_MOST_COMPARED = 1000
_TYPED = str.maketrans({"٬": "", ",": "", "٫": ".", "−": "-"})


class Wrong(ValueError):
    """A question that is refused; its text is a sentence in the language of the request."""


def one(given: Given, name: str, lang: str) -> str:
    """The one value of a parameter; empty without any. Raises Wrong for several."""
    values = given.get(name, ())
    if len(values) > 1:
        raise Wrong(text.word("data.many", lang, name=name, count=text.number(1, lang)))
    return values[0].strip() if values else ""


def members(parameter: str, values: Iterable[str], names: Mapping[str, str], lang: str) -> tuple[str, ...]:
    """The codes that values name, by code or by name. Raises Wrong for the first unknown one."""
    codes: dict[str, None] = {}
    by_name: dict[str, str] = {}
    for value in values:
        if value not in names:
            by_name = by_name or {fold(label): code for code, label in names.items()}
            if fold(value) not in by_name:
                raise wrong_value(parameter, value, names if len(names) <= _MOST_COMPARED else (), lang, named=by_name)
            value = by_name[fold(value)]
        codes[value] = None
    return tuple(codes)


def wrong_value(
    parameter: str, value: str, known: Iterable[str], lang: str, other: str = "", named: Mapping[str, str] | None = None
) -> Wrong:
    known = list(known)
    nearest = near(value, known, lang)
    if not nearest and known and named:
        close = get_close_matches(fold(value[:60]), list(named), 1)
        nearest = text.word("data.near", lang, near=named[close[0]]) if close else ""
    if not nearest and known and len(known) <= 10:
        nearest = text.word("data.near", lang, near=text.listed([*known, *filter(None, [other])], lang))
    key = "data.value" if value.strip() else "data.empty"
    return Wrong(text.word(key, lang, name=parameter, value=short(value), near=nearest))


def near(word: str, known: Iterable[str], lang: str) -> str:
    close = get_close_matches(word[:60], list(known), 1)
    return text.word("data.near", lang, near=close[0]) if close else ""


def short(value: str) -> str:
    return " ".join(value.split())[:60]


def typed(written: str) -> str:
    """A number that was typed, in any digits and with separators, as an address has it."""
    return latin_digits(written).translate(_TYPED).strip()


def number(written: str, most: float = 1_000_000) -> float | None:
    """A number from 0 to `most`; None for anything else."""
    try:
        value = float(written)
    except ValueError:
        return None
    return value if 0 <= value <= most else None


def in_address(value: float) -> str:
    """A number as an address has it: 14 for 14.0, and never rounded: `number(in_address(x)) == x`."""
    return str(int(value)) if float(value).is_integer() else str(value)


def seat(written: str) -> tuple[str, str, float] | None:
    """Province (empty: all), course and monthly seats of `IR-23.lead:3`; None for anything else."""
    place, _, count = written.rpartition(":")
    province, _, course = place.rpartition(".")
    seats = number(count)
    return None if seats is None or not course else (province, course, seats)
