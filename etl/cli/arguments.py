"""The types and defaults of command line arguments."""

import argparse
import inspect
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_type_hints

from etl.core import jalali, paths
from etl.core.errors import QuestionError
from etl.core.text_folding import latin_digits

# The settings can name another pointer and another folder than the defaults in the project.
POINTER = paths.warehouse_pointer()
INCOMING = Path(os.environ.get("INCOMING") or paths.INCOMING)


_KINDS = {int: "NUMBER", float: "NUMBER", str: "WORD", date: "DAY"}
# Every analysis takes them, by options of their own.
_OWN = ("con", "on", "over", "where")


@dataclass(frozen=True)
class Option:
    """An option of an analysis: the type of its value, and the parameter that it belongs to.

    A parameter of a dataclass (a scenario) has an option for each of its simple fields.
    """

    kind: type
    is_required: bool
    parameter: str
    made: Any = None

    def described(self, name: str) -> str:
        """How a list of options shows it."""
        text = f"--set {name}={_KINDS[self.kind]}"
        return text if self.is_required else f"[{text}]"


def options_of(run: Callable[..., Any]) -> dict[str, Option]:
    """The options of an analysis, from the signature of its function."""
    hints = get_type_hints(inspect.unwrap(run))
    options: dict[str, Option] = {}
    for name, parameter in inspect.signature(run).parameters.items():
        kind: Any = _simple(hints[name])
        if name in _OWN:
            continue
        if is_dataclass(kind):
            of, is_required = get_type_hints(kind), parameter.default is parameter.empty
            options |= {
                field.name: Option(_simple(of[field.name]), is_required and field.default is MISSING, name, kind)
                for field in fields(kind)
                if _simple(of[field.name]) in _KINDS
            }
        elif kind in _KINDS:
            options[name] = Option(kind, parameter.default is parameter.empty, name)
    return options


def settings(analysis: str, run: Callable[..., Any], words: Sequence[str]) -> dict[str, Any]:
    """The arguments that `--set OPTION=VALUE` gives to an analysis. Raises QuestionError for an unknown or missing option."""
    options, values = options_of(run), {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise QuestionError(f"--set {word}: write OPTION=VALUE")
        if name not in options:
            takes = f"it takes {', '.join(options)}" if options else "it takes none"
            raise QuestionError(f"{analysis} has no option {name}; {takes}")
        values[name] = _value(name, text.strip(), options[name].kind)
    if missing := [name for name, option in options.items() if option.is_required and name not in values]:
        raise QuestionError(f"{analysis} needs {', '.join(options[name].described(name) for name in missing)}")
    made = {options[name].parameter: options[name].made for name in values}
    return {
        parameter: make(**{name: value for name, value in values.items() if options[name].parameter == parameter})
        if make
        else values[parameter]
        for parameter, make in made.items()
    }


def _simple(kind: Any) -> Any:
    """The type without None."""
    return next((part for part in get_args(kind) if part is not type(None)), kind) if get_args(kind) else kind


def _value(name: str, text: str, kind: type) -> Any:
    try:
        value = day(text) if kind is date else kind(latin_digits(text))
    except (argparse.ArgumentTypeError, ValueError):
        value = math.nan
    if (isinstance(value, float) and not math.isfinite(value)) or value == "":
        wanted = {int: "a whole number", float: "a number", date: "a day, Jalali or Gregorian", str: "a word"}[kind]
        raise QuestionError(f"--set {name}={text}: write {wanted}")
    return value


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


def publication(text: str) -> Path:
    """A published file. A day is none, unless a file bears its name."""
    path = Path(text)
    if not os.path.lexists(path) and _is_day(text.partition("..")[0]):
        raise argparse.ArgumentTypeError(f"{text!r} is a day, and no file; --on takes a day, --over DAY..DAY a period")
    return path


def _is_day(text: str) -> bool:
    try:
        day(text)
    except argparse.ArgumentTypeError:
        return False
    return True


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
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 < size <= 1000:
        raise argparse.ArgumentTypeError("a scale is above 0 and at most 1000")
    return size
