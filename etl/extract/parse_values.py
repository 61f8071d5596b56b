"""Parsing cells: a text becomes a typed value, or the reason why it is rejected.

National ids never leave this module: they become a keyed BLAKE2b hash of 8 bytes, under the installation's key.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from etl.core import text_folding
from etl.core.jalali import add_months, parse_day, read_day
from etl.core.places import places
from etl.extract.contract import Column

_SPOILT = re.compile(r"[0-9]+([.,/٫][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_SPOILT_CODE = re.compile(r"[0-9]+([.,/٫][0-9]+)?e\+[0-9]+", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,15}([.٫][0-9]{1,20})?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(٬[0-9]{3})+([.٫][0-9]{1,20})?")
_NATIONAL_ID = re.compile(r"[0-9]{8,10}")
_BETWEEN_DIGITS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
# What clerks write in empty cells; folding removes a tatweel.
_EMPTY = ("-", "–", ".")
_YES_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
_YES_NO |= {"بلی": True, "خیر": False, "دارد": True, "ندارد": False}
_YES_NO_WORDS = _YES_NO | {"بله": True, "آری": True, "y": True, "نه": False, "n": False}


FIRST_DAY = parse_day(Column("", "date").first)
MOST_YEARS_AHEAD = 20


class Fault(Exception):
    """Why a value cannot be loaded; its text is the quarantine's reason."""


@dataclass(frozen=True)
class Setting:
    """The context of validation: the day of the build, the courses by folded code, the key for national ids."""

    build_day: date
    courses: Mapping[str, str]
    key: bytes


def converter(column: Column, setting: Setting) -> Callable[[str], Any]:
    """A function from the folded text of a filled cell to its typed value; it raises Fault with a reason.

    Days and national ids have their own functions. `county` stays text: what it names depends on the row's province.
    """
    if column.type == "number":
        return lambda text: _number(text, column.least, column.most)
    if column.type == "choice":
        words = _listed(column) | {
            text_folding.fold(word): value for value, also in column.also.items() for word in also
        }
        return lambda text: _member(text, words, "unknown_value")
    if column.type == "yes_no":
        return lambda text: _member(text, _YES_NO_WORDS, "unknown_value")
    if column.type == "province":
        return lambda text: _member(text, places().provinces, "unknown_province")
    if column.type == "course":
        return lambda text: _member(text, setting.courses, "unknown_course")
    return _code if column.type in ("code", "text") else lambda text: text


@dataclass
class ValidationResult:
    """The typed value of each text or null, and the faults by index.

    `habits` maps the name of a habit to the indices of texts that deviate from the contract but have one meaning.
    """

    typed: pa.Array
    faults: dict[int, str] = field(default_factory=dict)
    habits: dict[str, list[int]] = field(default_factory=dict)

    def note(self, habits: Iterable[str], index: int) -> None:
        """Record the habits of the text at an index."""
        for habit in habits:
            self.habits.setdefault(habit, []).append(index)


def parse(text: str, convert: Callable[[str], Any], required: bool) -> tuple[Any, str | None]:
    """The typed value of a cell and None, or None and the reason for rejection; (None, None) for a permitted empty cell."""
    if "\ufffd" in text or "\x00" in text:
        return None, "bad_encoding"
    folded = text_folding.fold(text)
    if not folded or folded in _EMPTY:
        return None, "missing_value" if required else None
    try:
        return convert(folded), None
    except Fault as fault:
        return None, str(fault)


def habits(column: Column) -> Callable[[str], tuple[str, ...]]:
    """A function from a text that `converter` accepts to the habits in it."""
    listed = set(_listed(column) if column.type == "choice" else _YES_NO if column.type == "yes_no" else ())

    def habits_in(text: str) -> tuple[str, ...]:
        if text.isascii() and text.isalnum() and not listed:
            return ()
        folded = text_folding.fold(text)
        if _means_empty(text, folded):
            return ("empty_mark",)
        if listed and any(ord(letter) in text_folding.HAMZA for letter in unicodedata.normalize("NFC", text)):
            return ("hamza",) if folded in listed else ("hamza", "synonym")
        if listed and folded and folded not in listed:
            return ("synonym",)
        return ("grouped_number",) if column.type == "number" and "٬" in folded else ()

    return habits_in


def _means_empty(text: str, folded: str) -> bool:
    return folded in _EMPTY or (not folded and "ـ" in text)


def _listed(column: Column) -> dict[str, str]:
    return {text_folding.fold(word): value for value, fa in column.values.items() for word in (value, fa)}


def parse_national_ids(texts: Sequence[str], required: bool, key: bytes) -> ValidationResult:
    """`parse` for a column of national ids: ten digits in bulk, the rest one by one. Typed values are uint64 hashes."""
    typed = np.ma.masked_all(len(texts), np.uint64)
    result = ValidationResult(pa.nulls(0))
    in_latin_digits = list(map(text_folding.latin_digits, texts))
    ten = np.array([at for at, text in enumerate(in_latin_digits) if len(text) == 10 and text.isascii()], np.int64)
    signs = np.frombuffer("".join(in_latin_digits[at] for at in ten).encode(), np.uint8).reshape(-1, 10)
    are_valid = _are_national_ids(signs)
    valid = ten[are_valid]
    typed[valid] = _keyed_all(signs[are_valid], key)
    for at in np.delete(np.arange(len(texts)), valid).tolist():
        text = texts[at]
        person, reason = parse(text, lambda text: _person(text, key), required)
        if reason:
            result.faults[at] = reason
        elif person is not None:
            typed[at] = person
            result.note(_id_habits(text), at)
        elif text and _means_empty(text, text_folding.fold(text)):
            result.note(("empty_mark",), at)
    result.typed = pa.array(typed, pa.uint64())
    return result


def parse_days(
    texts: Sequence[str], required: bool, future: bool, build_day: date, first: date = FIRST_DAY
) -> ValidationResult:
    """`parse` for a column of dates from `first` on; with `future` up to MOST_YEARS_AHEAD after the build day."""
    days = []
    last = add_months(build_day, 12 * MOST_YEARS_AHEAD)
    result = ValidationResult(pa.nulls(0))
    for at, text in enumerate(texts):
        day, reason, day_habits = _parse_day(text)
        if day and day > build_day and not future:
            day, reason = None, "future_date"
        elif day and not first <= day <= last:
            day, reason = None, "bad_date"
        days.append(day)
        if day_habits:
            result.note(day_habits, at)
        if reason := reason or ("missing_value" if required and not day else None):
            result.faults[at] = reason
    result.typed = pa.array(days, pa.date32())
    return result


def _id_habits(text: str) -> Iterator[str]:
    """The habits in a valid national id: missing leading zeros (8 or 9 digits), marks between digits."""
    folded = text_folding.fold(text)
    digits = _BETWEEN_DIGITS.sub("", folded)
    if digits != folded:
        yield "id_with_marks"
    if len(digits) in (8, 9):
        yield "padded"


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


@lru_cache(maxsize=1 << 18)
def _parse_day(text: str) -> tuple[date | None, str | None, tuple[str, ...]]:
    """The day or None, the reason for rejection or None, the habits."""
    parsed, reason = parse(text, _day, False)
    if parsed:
        day, day_habits = parsed
        return day, None, day_habits
    return None, reason, ("empty_mark",) if _means_empty(text, text_folding.fold(text)) else ()


def _day(text: str) -> tuple[date, tuple[str, ...]]:
    try:
        return read_day(text)
    except ValueError:
        raise Fault("bad_date") from None


def _number(text: str, least: float | None, most: float | None) -> float:
    if "٬" in text and _GROUPED.fullmatch(text):
        text = text.replace("٬", "")
    if not _NUMBER.fullmatch(text):
        raise Fault("bad_number")
    value = float(text.replace("٫", "."))
    if (least is not None and value < least) or (most is not None and value > most):
        raise Fault("bad_number")
    return value


def _member(text: str, members: Mapping[str, Any], reason: str) -> Any:
    try:
        return members[text]
    except KeyError:
        raise Fault(reason) from None


def _person(text: str, key: bytes) -> int:
    if _SPOILT.fullmatch(text):
        raise Fault("spoilt_number")
    text = _BETWEEN_DIGITS.sub("", text)
    if not _NATIONAL_ID.fullmatch(text):
        raise Fault("bad_national_id")
    signs = np.frombuffer(text.zfill(10).encode(), np.uint8).reshape(1, 10)
    if not _are_national_ids(signs).all():
        raise Fault("bad_national_id")
    return int(_keyed_all(signs, key)[0])


def _code(text: str) -> str:
    if _SPOILT_CODE.fullmatch(text):
        raise Fault("spoilt_number")
    return text
