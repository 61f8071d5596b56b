"""Announced and registered numbers: what officials announced for a day, and what the register counts for that day.

An announcement is no target. An announcements.csv in the submitted folder replaces the shipped file as a whole.
"""

from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.analysis.registry import analysis
from etl.core.text_folding import display_text, fold
from etl.extract import reference_files as files
from etl.extract.causes import because
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.semantic.derived import Where, answered
from etl.warehouse.build_database import create_from

_NUMBERS = [("date", pa.date32()), ("metric", pa.string()), ("value", pa.float64())]
_SCHEMA = pa.schema([*_NUMBERS, ("words", pa.string()), ("source", pa.string())])


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows of announcements.csv. Raises Refused for an unreadable cell and for two values of a metric on one day."""
    key = itemgetter("metric", "date")
    return files.read(folder, "announcements.csv", _SCHEMA.names, _announcement, "date", key)


def load(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Create `announcements`: one row per day and metric."""
    arriving = pa.Table.from_pylist(rows, _SCHEMA)
    create_from(con, "create table announcements as from arriving order by date, metric", arriving)


@analysis(asks=(), open_by_province=True)
def announced(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Every announcement up to the day, with the registered number.

    Rows: (metric, announced_on, announced_value, registered_value, announced_difference, announced_words, source).
    The registered number is counted from today's rows, so it includes rows submitted after the announcement. Announcements
    concern the nation: filters have no effect.
    """
    like = ask(con, "active_assistants", on=on)
    announcements = con.execute(
        "select date, metric, value, words, source from announcements where date <= $on_day order by date, metric",
        {"on_day": on},
    ).fetchall()
    rows: list[tuple[Any, ...]] = []
    answers = []
    for announced_on, metric, value, words, source in announcements:
        answers.append(ask(con, metric, on=announced_on))
        counted = answers[-1].value()
        rows.append((metric, announced_on, value, counted, None if counted is None else counted - value, words, source))
    names = ("announced_value", "registered_value", "announced_difference", "announced_words", "source")
    return answered(like, ("metric", "announced_on"), names, rows, also=answers)


def _announcement(path: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    day = files.day(path, line, row)
    # A province's number must not be shown as the nation's.
    if files.province(path, line, row):
        raise because("announcement_of_a_province", file=path.name, line=line)
    metric = fold(files.text(path, line, row, "metric"))
    if metric not in catalogue() or catalogue()[metric].kind != "snapshot" or catalogue()[metric].unit == "date":
        states = ", ".join(name for name, entry in catalogue().items() if entry.kind == "snapshot" and not entry.hidden)
        raise files.bad_cell(path, line, "metric", "unknown_value", values=states, values_fa=states)
    value = files.required_number(path, line, row, "value")
    texts = {name: display_text(files.text(path, line, row, name)) for name in ("words", "source")}
    return {"date": day, "metric": metric, "value": value, **texts}
