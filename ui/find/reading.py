"""What a few words mean: the longest name first; what is unknown is looked for more loosely.

«آموزش فارس» is a measure (or a page) and a province; «حقوق نگهبان» is a post, and «حقوق» is unknown. A word that turns the
sense is never left out: «بدون آموزش» is no name, so that nothing is said of «آموزش».
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from persiantools.jdatetime import JalaliDate

from etl.core import jalali, spelling
from etl.core.text_folding import fold
from etl.warehouse.dimensions import FILTERS
from ui.find.words import PLACES, SEPARATORS, Meaning, Words, compact
from ui.i18n import text

MOST_LETTERS = 80
_MOST_WORDS = 14
# How many names a beginning, or a letter wrong, may stand for.
_MOST_LOOSE = 4
_LEAST_BEGINNING = 2
# What stands between the thousands of a number.
_GROUPED = re.compile(r"(?<=\d)[,،٬](?=\d{3}(?!\d))")
_YEAR = re.compile(r"1[34][0-9]{2}")
# The dimensions that words may ask to split by.
_AXES = ("month", "quarter", "year", "province", "county")
# Keys of the Persian keyboard (ISIRI 9147) in the place of Latin ones.
_LATIN, _PERSIAN = "qwertyuiop[]asdfghjkl;'zxcvbnm,\\", "ضصثقفغعهخحجچشسیبلاتنمکگظطزرذدپو\\"
_TO_PERSIAN, _TO_LATIN = (str.maketrans(*keys) for keys in ((_LATIN, _PERSIAN), (_PERSIAN, _LATIN)))


@dataclass(frozen=True)
class Understood:
    """Words of the text and what they mean; `is_guess`: they were spelt otherwise; `is_beginning`: they begin these names."""

    text: str
    meanings: tuple[Meaning, ...]
    is_guess: bool = False
    is_beginning: bool = False


@dataclass(frozen=True)
class Period:
    """A Jalali month, quarter or year, by its label."""

    text: str
    unit: jalali.Unit


@dataclass(frozen=True)
class Reading:
    understood: tuple[Understood, ...] = ()
    unknown: tuple[str, ...] = ()
    period: Period | None = None
    # The dimensions that a number is to be split by.
    by: tuple[str, ...] = ()
    # Whether a word turns the sense of others, and is part of no name: only places are understood.
    is_turned: bool = False

    def all(self, *kinds: str) -> list[Meaning]:
        """The meanings of these kinds, each once, in the order of the text."""
        found = (one for part in self.understood for one in part.meanings if one.kind in kinds)
        return list(dict.fromkeys(found))

    def exact(self) -> "Reading":
        """What was understood as it is spelt; the other words are unknown."""
        surely = tuple(part for part in self.understood if not part.is_guess and not part.is_beginning)
        return replace(self, understood=surely, unknown=self.loose())

    def loose(self) -> tuple[str, ...]:
        """The words that are unknown, or understood in another spelling only."""
        guessed = (part.text for part in self.understood if part.is_guess or part.is_beginning)
        return tuple(dict.fromkeys(word for said in (*guessed, *self.unknown) for word in said.split()))


def read(written: str, words: Words, latest: date) -> Reading:
    """What a text means. A text of the wrong keyboard layout is read as what the keys would have typed."""
    reading = _read(_split(written), words, latest)
    if not reading.unknown:
        return reading
    for keys in (_TO_PERSIAN, _TO_LATIN):
        other = _read(_split(fold(written).translate(keys)), words, latest)
        if other.understood and not other.unknown:
            return other
    return _with_guesses(reading, words)


def _split(written: str) -> list[str]:
    return [word for word in SEPARATORS.split(_GROUPED.sub("", fold(written))) if word]


def _read(tokens: Sequence[str], words: Words, latest: date) -> Reading:
    understood: list[Understood] = []
    unknown: list[str] = []
    period: Period | None = None
    by: dict[str, None] = {}
    at = 0
    while at < len(tokens):
        for end in range(min(len(tokens), at + _MOST_WORDS), at, -1):
            said = " ".join(tokens[at:end])
            meanings = words.of(compact(said))
            # «مهر» alone is a county, and a month where more is said.
            is_all = end - at == len(tokens)
            if not (meanings and is_all) and (unit := _unit(tokens[at:end], latest)):
                period = Period(said, unit)
                break
            if meanings:
                understood.append(Understood(said, meanings))
                break
            if axis := _axes().get(said):
                by[axis] = None
                break
        else:
            end = at + 1
            if tokens[at] in _little():
                pass
            elif tokens[at] not in _turning() and (
                found := _joined(tokens[at], words) or _beginning(tokens[at], words)
            ):
                understood += found
            else:
                unknown.append(tokens[at])
        at = end
    kept, left = _without_chance(understood, unknown, tokens)
    return _turned(Reading(kept, left, period, tuple(by)))


def _without_chance(
    understood: list[Understood], unknown: list[str], tokens: Sequence[str]
) -> tuple[tuple[Understood, ...], tuple[str, ...]]:
    """Only the last word may be the beginning of a name, for it is still being typed, and only after words that are known."""
    chance = [part for part in understood if part.is_beginning and (part.text != tokens[-1] or unknown)]
    kept = tuple(part for part in understood if part not in chance)
    return kept, tuple(sorted([*unknown, *(part.text for part in chance)], key=tokens.index))


def _turned(reading: Reading) -> Reading:
    """A word that turns the sense belongs to the words beside it: what has it in its name stands alone.

    Where it is in no name, nothing is known of what it turns: only places are.
    """
    turned = [part for part in reading.understood if _turning() & {*part.text.split()}]
    others = [part for part in reading.understood if part not in turned and not _is_filter(part)]
    left_over = _turning() & {*reading.unknown}
    if not (turned or left_over):
        return reading
    # «منقضی» alone is a name; beside «مجوز» it is that of something else.
    if left_over or len(turned) > 1 or (others and any(" " not in part.text for part in turned)):
        kept = tuple(
            part for part in reading.understood if part not in others and part not in turned and _is_place(part)
        )
        dropped = [part.text for part in reading.understood if part not in kept]
        return replace(reading, understood=kept, unknown=(*dropped, *reading.unknown), by=(), is_turned=True)
    return replace(reading, understood=tuple(part for part in reading.understood if part not in others))


def _is_filter(part: Understood) -> bool:
    return any(one.kind in FILTERS for one in part.meanings)


def _is_place(part: Understood) -> bool:
    return any(one.kind in PLACES for one in part.meanings)


def _joined(token: str, words: Words) -> list[Understood]:
    """Two names that were written as one word: «آموزشفارس»."""
    for at in range(len(token) - 2, 1, -1):
        if (first := words.of(compact(token[:at]))) and (second := words.of(compact(token[at:]))):
            return [Understood(token[:at], first), Understood(token[at:], second)]
    return []


def _beginning(token: str, words: Words) -> list[Understood]:
    """The names that begin with a word, the shortest first."""
    if len(token) < _LEAST_BEGINNING or token.isdecimal():
        return []
    key = compact(token)
    names = sorted((name for name in words.names if key and name.startswith(key)), key=lambda name: (len(name), name))
    meanings = tuple(dict.fromkeys(one for name in names[: 3 * _MOST_LOOSE] for one in words.of(name)))
    return [Understood(token, meanings[:_MOST_LOOSE], is_beginning=True)] if meanings else []


def _with_guesses(reading: Reading, words: Words) -> Reading:
    """With the nearest spelling of the unknown words; all of them together first: «سیتان و بلوچستان»."""
    if reading.is_turned:
        return reading
    unknown = list(reading.unknown)
    guessed: list[Understood] = []
    for said in ([" ".join(unknown)] if len(unknown) > 1 else []) + unknown:
        if meanings := _guessed(compact(said), words):
            guessed.append(Understood(said, meanings, is_guess=True))
            unknown = [] if " " in said else [word for word in unknown if word != said]
            if not unknown:
                break
    return replace(reading, understood=(*reading.understood, *guessed), unknown=tuple(unknown))


def _guessed(key: str, words: Words) -> tuple[Meaning, ...]:
    names = spelling.nearly(key, words.names, _MOST_LOOSE)
    return tuple(dict.fromkeys(one for name in names for one in words.of(name)))[:_MOST_LOOSE]


@cache
def _little() -> frozenset[str]:
    """Words that mean nothing by themselves: in, of, the."""
    return frozenset(_spellings("find.little"))


@cache
def _turning() -> frozenset[str]:
    """Words that turn the sense of what stands beside them: without, expired, not."""
    return frozenset(_spellings("find.turning"))


@cache
def _axes() -> Mapping[str, str]:
    """How a number is to be split, in words, and the dimension: «ماهانه», «به تفکیک استان»."""
    return {spelt: axis for axis in _AXES for spelt in _spellings(f"find.by_{axis}")}


# ---------------------------------------------------------------- time


def _unit(tokens: Sequence[str], latest: date) -> jalali.Unit | None:
    """The year, season or month that words name: «۱۴۰۴», «آبان ۱۴۰۴», «آبان» (the last one), «پارسال»."""
    said = " ".join(tokens)
    this_year = JalaliDate(latest).year
    for key, year in (("find.last_year", this_year - 1), ("find.this_year", this_year)):
        if said in _spellings(key):
            return _year(year)
    *named, last = tokens
    written = int(last) if _YEAR.fullmatch(last) else None
    names = " ".join(named if written else tokens)
    if written and names in ("", *_spellings("find.year")):
        return _year(written)
    for kind, length, key in (("month", 1, "calendar.months"), ("quarter", 3, "calendar.quarter")):
        for lang in text.LANGUAGES:
            spelt = _folded(key, lang)
            if names in spelt:
                month = spelt.index(names) * length + 1
                return _last_of(month, kind, written, latest)
    return None


def _year(year: int) -> jalali.Unit:
    return jalali.unit_of(JalaliDate(year, 1, 1).to_gregorian(), "year")


def _last_of(month: int, kind: str, year: int | None, latest: date) -> jalali.Unit | None:
    """The unit of a year that begins with a month; without a year, the last one that has begun."""
    this_year = JalaliDate(latest).year
    years = (this_year, this_year - 1) if year is None else (year,)
    for candidate in years:
        unit = jalali.unit_of(JalaliDate(candidate, month, 1).to_gregorian(), kind)
        if year or unit.first <= latest:
            return unit
    return None


@cache
def _folded(key: str, lang: str) -> tuple[str, ...]:
    return tuple(map(fold, text.words(key, lang)))


@cache
def _spellings(key: str) -> tuple[str, ...]:
    return tuple(fold(word) for lang in text.LANGUAGES for word in text.word(key, lang).split("|"))


def said(parts: Iterable[Understood]) -> Iterator[dict[str, str]]:
    """What was understood, for the address: the words, and kind and code of each meaning."""
    for part in parts:
        for meaning in part.meanings:
            yield {"text": part.text, "kind": meaning.kind, "code": meaning.code}
