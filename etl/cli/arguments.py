"""The types and defaults of command line arguments."""

import argparse
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from etl.core import jalali, paths
from etl.core.errors import QuestionError
from etl.core.text_folding import latin_digits

# The settings can name another pointer and another folder than the defaults in the project.
POINTER = paths.warehouse_pointer()
INCOMING = Path(os.environ.get("INCOMING") or paths.INCOMING)


def filters(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The filters of a question by dimension; a repeated dimension adds to its values."""
    where: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, sign, values = word.partition("=")
        if not sign:
            raise QuestionError(f"--where {word}: write DIM=VALUE[,VALUE]")
        where[name.strip()] = where.get(name.strip(), ()) + tuple(value.strip() for value in values.split(","))
    return where


def day(text: str) -> date:
    """A day, Jalali or Gregorian, in any digits."""
    try:
        return jalali.parse_day(latin_digits(text.strip()))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day, Jalali or Gregorian") from None


def period(text: str) -> tuple[date, date]:
    """The first and the last day of DAY..DAY."""
    first, sign, last = text.partition("..")
    if not sign:
        raise argparse.ArgumentTypeError(f"{text!r}: write DAY..DAY")
    start, end = day(first), day(last)
    if start > end:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return start, end


def scale(text: str) -> float:
    """The size of a sample."""
    try:
        size = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 < size <= 1000:
        raise argparse.ArgumentTypeError("a scale lies above 0, at 1000 at most")
    return size
