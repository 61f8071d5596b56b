"""Formulas of metrics as users read them, and the change log of definitions."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from etl.core import declarations
from etl.semantic.catalog import Measure, catalogue, expand, tables
from etl.semantic.table_scans import MONTHS_BEFORE, snapshot_condition


@dataclass(frozen=True)
class Change:
    """A change of definitions: its day, the metrics changed ("*": all), its text in both languages.

    `before` holds the metric of the former rule of those whose two values are stated side by side.
    """

    on: date
    metrics: tuple[str, ...]
    words: dict[str, str]
    before: dict[str, str]


@cache
def changes() -> tuple[Change, ...]:
    """The change log of definitions, newest first."""
    entries = declarations.read(Path(__file__).with_name("changes.toml"))["change"]
    log = [
        Change(entry["on"], tuple(entry["metrics"]), {"fa": entry["fa"], "en": entry["en"]}, entry.get("before", {}))
        for entry in entries
    ]
    return tuple(sorted(log, key=lambda change: change.on, reverse=True))


def formula(name: str) -> str:
    """The SQL of a metric, with `:day` for the day of a snapshot, `:first` and `:last` for the period of events.

    `:day_12_months_before` is the day twelve months before. A metric derived from others is written with their names.
    """
    parts = expand(name, frozenset())
    if name not in parts:
        return catalogue()[name].sql.replace("{", "").replace("}", "")
    measure = parts[name]
    where = "\n  and ".join(filter(None, (_date_condition(measure), measure.where)))
    written = f"select {measure.sql}\nfrom {tables()[measure.table].model}{f'{chr(10)}where {where}' if where else ''}"
    return MONTHS_BEFORE.sub(r":day_\1_months_before", written).replace("{day}", ":day")


def _date_condition(measure: Measure) -> str:
    """The condition on days of a measure; none of a table without days."""
    if tables()[measure.table].kind == "static":
        return ""
    if measure.kind == "event" and not measure.at_end:
        return f"{measure.day} between :first and :last"
    day = ":last" if measure.at_end else ":day"
    return snapshot_condition(measure).replace("{table}.", "").replace("measured.day", day)
