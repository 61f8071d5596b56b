"""Parsing cells: a text becomes a typed value, or the reason why it is rejected.

National ids never leave this module: they become a keyed BLAKE2b hash of 8 bytes, under the installation's key.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from etl.core import text_folding
from etl.core.jalali import AmbiguousDay, add_months, parse_day, read_day
from etl.core.places import places
from etl.extract.contract import Column

_SPOILT = re.compile(r"[0-9]+([.,/٫][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_SPOILT_CODE = re.compile(r"[0-9]+([.,/٫][0-9]+)?e\+[0-9]+", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,15}([.٫][0-9]{1,20})?")
_NATIONAL_ID = re.compile(r"[0-9]{8,10}")
_BETWEEN_DIGITS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
# What clerks write in empty cells; folding removes a tatweel.
_EMPTY = ("", "-", "–", ".")
# Words for no value in every column, but for names, and «ندارد» where it answers a question with no.
_NOTHING = ("null", "ندارد")
_YES_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
_YES_NO |= {"بلی": True, "خیر": False, "دارد": True, "ندارد": False}
_YES_NO_WORDS = _YES_NO | {"بله": True, "آری": True, "y": True, "نه": False, "n": False}

_MOST_YEARS_AHEAD = 20
# How many texts of a column and of all days are cached, and how long they may be: keys cost more to cache than to parse.
_MOST_CACHED, _MOST_DAYS_CACHED, _LONGEST_CACHED = 100_000, 1 << 18, 100

# The typed value of a cell or None, the quarantine's reason or None, and the habits in it: names of deviations from the
# contract that have one meaning.
Parsed = tuple[Any, str | None, tuple[str, ...]]


@dataclass(frozen=True)
class Setting:
    """The context of validation: the day of the build, the courses by folded code, the key for national ids."""

    build_day: date
    courses: Mapping[str, str]
    key: bytes


def parser(column: Column, setting: Setting) -> Callable[[str], Parsed]:
    """A function from the text of a cell to what it means. Value and reason are None for a permitted empty cell."""
    missing = "missing_value" if column.required else None
    if column.type == "date":
        first, last = parse_day(column.first), add_months(setting.build_day, 12 * _MOST_YEARS_AHEAD)
        today = None if column.future else setting.build_day
        empty = frozenset(map(text_folding.fold, column.empty))
        return lambda text: _day_between(_day_or_word(text, empty), first, last, today, missing)
    convert = _converter(column, setting)
    nothing = frozenset(map(text_folding.fold, (*(() if column.type == "text" else _NOTHING), *column.empty)))
    nothing -= _YES_NO.keys() if column.type == "yes_no" else set()
    is_listed = column.type in ("choice", "yes_no")

    def parse(text: str) -> Parsed:
        value, reason, habits = parsed = _parse(text, convert, missing, nothing)
        if is_listed and value is not None and text_folding.HAMZA.keys() & map(ord, unicodedata.normalize("NFC", text)):
            return value, reason, ("hamza", *habits)
        return parsed

    return _cached(parse, _MOST_CACHED)


def _cached(parse: Callable[[str], Parsed], most: int) -> Callable[[str], Parsed]:
    short = lru_cache(most)(parse)
    return lambda text: short(text) if len(text) <= _LONGEST_CACHED else parse(text)


def _parse(
    text: str, convert: Callable[[str], Parsed], missing: str | None, nothing: Collection[str] = _NOTHING
) -> Parsed:
    """What `convert` says of the folded text, if the cell is filled and with no word for `nothing`."""
    if "\ufffd" in text or "\x00" in text:
        return None, "bad_encoding", ()
    folded = text_folding.fold(text)
    if folded in _EMPTY:
        return None, missing, ("empty_mark",) if folded or "ـ" in text else ()
    if folded in nothing:
        return None, missing, ("empty_word",)
    return convert(folded)


def _converter(column: Column, setting: Setting) -> Callable[[str], Parsed]:
    """`parser` for the folded text of a filled cell. `county` stays text: what it names depends on the row's province."""
    if column.type == "number":
        return lambda text: _number(text, column.least, column.most)
    if column.type == "national_id":
        return lambda text: _person(text, setting.key)
    if column.type == "choice":
        listed = {text_folding.fold(word): value for value, fa in column.values.items() for word in (value, fa)}
        words = listed | {text_folding.fold(word): value for value, also in column.also.items() for word in also}
        return lambda text: _member(text, words, "unknown_value", listed)
    if column.type == "yes_no":
        return lambda text: _member(text, _YES_NO_WORDS, "unknown_value", _YES_NO)
    if column.type == "province":
        return lambda text: _member(text, places().provinces, "unknown_province")
    if column.type == "course":
        return lambda text: _member(text, setting.courses, "unknown_course")
    return _code if column.type in ("code", "text") else lambda text: (text, None, ())


class ValidationResult(NamedTuple):
    """The typed value of each text or null, the faults by index, and the habits, each with the index of its text."""

    typed: pa.Array
    faults: dict[int, str]
    habits: list[tuple[str, int]]


def in_columns(parsed: Sequence[Parsed], kind: pa.DataType) -> ValidationResult:
    """The parsed texts of a column; the typed values are of `kind`."""
    values, reasons, habits = zip(*parsed, strict=True) if parsed else ((), (), ())
    return ValidationResult(
        pa.array(values, kind),
        {at: reason for at, reason in enumerate(reasons) if reason},
        [(habit, at) for at, habits_in in enumerate(habits) if habits_in for habit in habits_in],
    )


def parse_national_ids(texts: Sequence[str], parse: Callable[[str], Parsed], key: bytes) -> ValidationResult:
    """A column of national ids: ten digits are parsed in bulk, the rest by `parse`. Typed values are uint64 hashes."""
    typed = np.ma.masked_all(len(texts), np.uint64)
    in_latin_digits = list(map(text_folding.latin_digits, texts))
    ten = np.array([at for at, text in enumerate(in_latin_digits) if len(text) == 10 and text.isascii()], np.int64)
    signs = np.frombuffer("".join(in_latin_digits[at] for at in ten).encode(), np.uint8).reshape(-1, 10)
    are_valid = _are_national_ids(signs)
    valid = ten[are_valid]
    typed[valid] = _keyed_all(signs[are_valid], key)
    rest = {at: parse(texts[at]) for at in np.delete(np.arange(len(texts)), valid).tolist()}
    for at, (person, _, _) in rest.items():
        if person is not None:
            typed[at] = person
    return ValidationResult(
        pa.array(typed, pa.uint64()),
        {at: reason for at, (_, reason, _) in rest.items() if reason},
        [(habit, at) for at, (_, reason, habits) in rest.items() if not reason for habit in habits],
    )


def _are_national_ids(signs: np.ndarray) -> np.ndarray:
    """Whether each row of ten bytes is Latin digits, not one of them repeated, with a valid check digit."""
    digits = signs.astype(np.int64) - ord("0")
    remainder = digits[:, :9] @ np.arange(10, 1, -1) % 11
    return (
        ((digits >= 0) & (digits <= 9)).all(axis=1)
        & (digits != digits[:, :1]).any(axis=1)
        & (digits[:, 9] == np.where(remainder < 2, remainder, 11 - remainder))
    )


def _keyed_all(signs: np.ndarray, key: bytes) -> np.ndarray:
    """The keyed hash (uint64) of each row of bytes."""
    started = hashlib.blake2b(key=hashlib.sha256(key).digest(), digest_size=8)
    digests = []
    for text in signs.view(f"V{signs.shape[1]}").ravel().tolist():
        hashed = started.copy()
        hashed.update(text)
        digests.append(hashed.digest())
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


def _read_day(text: str) -> Parsed:
    try:
        day, habits = read_day(text)
    except AmbiguousDay:
        return None, "bad_date", ("date_year_last",)
    except ValueError:
        return None, "spoilt_number" if _SPOILT_CODE.fullmatch(text) else "bad_date", ()
    return day, None, habits


# The columns of dates have many days in common.
_written_day = _cached(lambda text: _parse(text, _read_day, None), _MOST_DAYS_CACHED)


def _day_or_word(text: str, empty: Collection[str]) -> Parsed:
    """The day of a cell; one of the column's words for no day, such as «تاکنون», is empty."""
    written = _written_day(text)
    if written[1] and empty and len(text) <= _LONGEST_CACHED and text_folding.fold(text) in empty:
        return None, None, ("empty_word",)
    return written


def _day_between(written: Parsed, first: date, last: date, today: date | None, missing: str | None) -> Parsed:
    """A day from `first` to `last`, and not after `today` if that is given."""
    day, reason, habits = written
    if day is None:
        return None, reason or missing, habits
    if today and day > today:
        return None, "future_date", habits
    return written if first <= day <= last else (None, "bad_date", habits)


def _number(text: str, least: float, most: float) -> Parsed:
    if not _NUMBER.fullmatch(text):
        return None, "spoilt_number" if _SPOILT_CODE.fullmatch(text) else "bad_number", ()
    value = float(text.replace("٫", "."))
    return (value, None, ()) if least <= value <= most else (None, "bad_number", ())


def _member(text: str, members: Mapping[str, Any], reason: str, plain: Collection[str] | None = None) -> Parsed:
    """The value of a word; one that is not `plain` is a synonym."""
    if text not in members:
        return None, reason, ()
    return members[text], None, () if plain is None or text in plain else ("synonym",)


def _person(text: str, key: bytes) -> Parsed:
    if _SPOILT.fullmatch(text):
        return None, "spoilt_number", ()
    digits = _BETWEEN_DIGITS.sub("", text)
    if not _NATIONAL_ID.fullmatch(digits):
        return None, "bad_national_id", ()
    signs = np.frombuffer(digits.zfill(10).encode(), np.uint8).reshape(1, 10)
    if not _are_national_ids(signs).all():
        return None, "bad_national_id", ()
    habits = {"id_with_marks": digits != text, "padded": len(digits) < 10}
    return int(_keyed_all(signs, key)[0]), None, tuple(habit for habit, is_met in habits.items() if is_met)


def _code(text: str) -> Parsed:
    return (None, "spoilt_number", ()) if _SPOILT_CODE.fullmatch(text) else (text, None, ())
