"""How a number is worked out, to be read: the SQL of the catalogue with its table and days; what changed when."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from etl.semantic.catalog import Measure, catalogue, expand, tables

_CHANGES = Path(__file__).parent / "changes.toml"


@dataclass(frozen=True)
class Change:
    """A change of definitions: its day, the metrics it is about ("*": all), and the words in both languages."""

    on: date
    metrics: tuple[str, ...]
    words: dict[str, str]


@cache
def changes() -> tuple[Change, ...]:
    """The change log of definitions, newest first."""
    entries = tomllib.loads(_CHANGES.read_text(encoding="utf-8"))["change"]
    found = [Change(one["on"], tuple(one["metrics"]), {"fa": one["fa"], "en": one["en"]}) for one in entries]
    return tuple(sorted(found, key=lambda change: change.on, reverse=True))


def formula(name: str) -> str:
    """The SQL of a metric: `:day` is the day it is measured on, `:first` and `:last` the period it is counted over.

    A metric made of others is written with their names; theirs stand at their own entries.
    """
    parts = expand(name, frozenset())
    if name not in parts:
        return catalogue()[name].sql.replace("{", "").replace("}", "")
    base = parts[name]
    conditions = [_clock(base), base.where] if tables()[base.table].kind != "static" else [base.where]
    where = "\n  and ".join(one for one in conditions if one)
    return f"select {base.sql}\nfrom {tables()[base.table].model}{f'{chr(10)}where {where}' if where else ''}".replace(
        "{day}", ":day"
    )


def _clock(base: Measure) -> str:
    """What ties the rows of a base to the day or the period."""
    day = f":day - interval {base.offset_months} months" if base.offset_months else ":day"
    if base.kind == "event" and not base.at_end:
        return f"{base.day} between :first and :last"
    if base.at_end:
        day = ":last"
    if base.window_months:
        start, end = base.window_months
        last = f":day - interval {end} months" if end else ":day"
        return f"{base.day} > :day - interval {start} months and {base.day} <= {last}"
    if base.snapshot_condition:
        return base.snapshot_condition.replace("{day}", day)
    return f"valid_from <= {day} and valid_until > {day}"
