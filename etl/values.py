"""Text becomes a typed value or a reason why not. Each distinct text of a file is judged once.

National ids never leave this module: what leaves is the first 8 bytes of HMAC-SHA256 under the house's key.
"""

import csv
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from etl import normalize
from etl.contract import Column
from etl.days import parse_day

REFERENCE = Path(__file__).parent.parent / "data" / "reference"

_SPOILT = re.compile(r"[0-9]+([.,/٫][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_SPOILT_CODE = re.compile(r"[0-9]+([.,/٫][0-9]+)?e\+[0-9]+", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,15}([.٫][0-9]{1,10})?")
_NATIONAL_ID = re.compile(r"[0-9]{8,10}")
_YES_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
_YES_NO |= {"بلی": True, "خیر": False, "دارد": True, "ندارد": False}


class Fault(Exception):
    """Why a value cannot be loaded; its text is the quarantine's reason."""


@dataclass(frozen=True)
class Places:
    """Provinces and counties by what people write for them, folded."""

    provinces: Mapping[str, str]
    counties: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Setting:
    """What judging a value needs from outside: the day of the build, the courses, the key for national ids."""

    build_day: date
    courses: Mapping[str, str]
    key: bytes
    places: Places


@cache
def places(folder: Path = REFERENCE) -> Places:
    """The places of the reference tables."""
    provinces: dict[str, str] = {}
    counties: dict[tuple[str, str], str] = {}
    for row in _rows(folder / "provinces.csv"):
        for name in (row["iso_3166_2"], row["sci_code"], row["name_fa"], row["name_en"]):
            provinces[normalize.fold(name)] = row["iso_3166_2"]
    for row in _rows(folder / "province_aliases.csv"):
        provinces[normalize.fold(row["alias"])] = row["iso_3166_2"]
    for row in _rows(folder / "counties.csv"):
        for name in (row["sci_code"], row["county_fa"], row["county_en"], row["name_in_1402_list"]):
            if name:
                counties.setdefault((row["province_iso"], normalize.fold(name)), row["sci_code"])
    return Places(provinces, counties)


def converter(column: Column, setting: Setting) -> Callable[[str], Any]:
    """A function from the text of a cell that is not empty to its typed value; it raises Fault with a reason.

    `county` is left as folded text here: which county it names depends on the row's province.
    """
    if column.type == "date":
        return lambda text: _day(text, column.future, setting.build_day)
    if column.type == "number":
        return lambda text: _number(text, column.least, column.most)
    if column.type == "choice":
        words = {normalize.fold(word): value for value, fa in column.values.items() for word in (value, fa)}
        return lambda text: _member(text, words, "unknown_value")
    if column.type == "yes_no":
        return lambda text: _member(text, _YES_NO, "unknown_value")
    if column.type == "province":
        return lambda text: _member(text, setting.places.provinces, "unknown_province")
    if column.type == "course":
        return lambda text: _member(text, setting.courses, "unknown_course")
    if column.type == "national_id":
        return lambda text: _person(text, setting.key)
    if column.type == "code":
        return _code
    return normalize.fold


def is_national_id(text: str) -> bool:
    """Whether ten Latin digits carry a valid check digit and are not one digit repeated."""
    if len(text) != 10 or text == text[0] * 10:
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False)) % 11
    return int(text[9]) == (rest if rest < 2 else 11 - rest)


def padded(text: str) -> bool:
    """Whether a national id lost leading zeros on its way: 8 or 9 digits."""
    return len(normalize.fold(text)) in (8, 9)


def _day(text: str, future: bool, build_day: date) -> date:
    try:
        day = parse_day(normalize.fold(text))
    except ValueError:
        raise Fault("bad_date") from None
    if day > build_day and not future:
        raise Fault("future_date")
    return day


def _number(text: str, least: float | None, most: float | None) -> float:
    text = normalize.fold(text)
    if not _NUMBER.fullmatch(text):
        raise Fault("bad_number")
    value = float(text.replace("٫", "."))
    if (least is not None and value < least) or (most is not None and value > most):
        raise Fault("bad_number")
    return value


def _member(text: str, members: Mapping[str, Any], reason: str) -> Any:
    try:
        return members[normalize.fold(text)]
    except KeyError:
        raise Fault(reason) from None


def _person(text: str, key: bytes) -> int:
    text = normalize.fold(text)
    if _SPOILT.fullmatch(text):
        raise Fault("spoilt_number")
    if not text.isascii() or not _NATIONAL_ID.fullmatch(text) or not is_national_id(text.zfill(10)):
        raise Fault("bad_national_id")
    return int.from_bytes(hmac.digest(key, text.zfill(10).encode(), hashlib.sha256)[:8], "big")


def _code(text: str) -> str:
    text = normalize.fold(text)
    if _SPOILT_CODE.fullmatch(text):
        raise Fault("spoilt_number")
    return text


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
