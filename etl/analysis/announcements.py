"""Announced and registered numbers: what officials announced for a day, and what the register counts for that day.

An announcement is no target. An announcements.csv in the submitted folder replaces the shipped file as a whole.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
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


@dataclass(frozen=True)
class Announcement:
    """An announcement about the nation: the day, a snapshot metric, its value, the words and their source."""

    date: date
    metric: str
    value: float
    words: str
    source: str


def read(folder: Path) -> list[Announcement]:
    """The rows of announcements.csv. Raises Refused for an unreadable cell and for two values of a metric on one day."""
    return files.read(
        folder, "announcements.csv", _SCHEMA.names, _announcement, "date", lambda row: (row.metric, row.date)
    )


def load(con: duckdb.DuckDBPyConnection, rows: Sequence[Announcement]) -> None:
    """Create `announcements`: one row per day and metric."""
    arriving = pa.Table.from_pylist(list(map(asdict, rows)), _SCHEMA)
    create_from(con, "create table announcements as from arriving order by date, metric", arriving)


@analysis(asks=())
def announced(con: ScopedCursor, on: date | None = None, where: Where = None) -> Answer:
    """Every announcement up to the day, with the registered number.

    Rows: (metric, announced_on, announced_value, registered_value, announced_difference, announced_words, source).
    The registered number is counted from today's rows, so it includes rows submitted after the announcement. Announcements
    concern the nation: filters have no effect.
    """
    like = ask(con, "active_assistants", on=on)
    day = like.on or like.publication.as_of
    announcements = con.numbers.execute(
        "select date, metric, value, words, source from announcements where date <= $on_day order by date, metric",
        {"on_day": day},
    ).fetchall()
    rows: list[tuple[Any, ...]] = []
    answers = []
    for announced_on, metric, value, words, source in announcements:
        answer = ask(con, metric, on=announced_on)
        answers.append(answer)
        counted = answer.value()
        rows.append((metric, announced_on, value, counted, None if counted is None else counted - value, words, source))
    names = ("announced_value", "registered_value", "announced_difference", "announced_words", "source")
    return answered(like, ("metric", "announced_on"), names, rows, on=day, also=answers)


def _announcement(path: Path, line: int, row: dict[str, str]) -> Announcement:
    day = files.day(path, line, row)
    # A province's number must not be shown as the nation's.
    if files.province(path, line, row):
        raise because("announcement_of_a_province", file=path.name, line=line)
    metric = fold(files.text(path, line, row, "metric"))
    if metric not in catalogue() or catalogue()[metric].kind != "snapshot" or catalogue()[metric].unit == "date":
        states = ", ".join(name for name, entry in catalogue().items() if entry.kind == "snapshot" and not entry.hidden)
        raise files.bad_cell(path, line, "metric", "unknown_value", values=states, values_fa=states)
    value = files.required_number(path, line, row, "value")
    words, source = (display_text(files.text(path, line, row, name)) for name in ("words", "source"))
    return Announcement(day, metric, value, words, source)
