"""Events that help to read a trend: a decree, a new register, a strike. They are listed, never counted.

An events.csv in the submitted folder replaces the shipped file as a whole.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.analysis.registry import analysis
from etl.core.jalali import unit_of
from etl.core.text_folding import display_text, fold
from etl.extract import reference_files as files
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered
from etl.warehouse.build_database import create_from

KINDS = {"decree": "مصوبه", "register": "سامانه", "strike": "اعتصاب", "campaign": "طرح", "other": "سایر"}
MOST_LETTERS = 120
_TEXTS = ("province", "title_fa", "title_en", "kind", "source")
_SCHEMA = pa.schema([("date", pa.date32()), *((name, pa.string()) for name in _TEXTS)])


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows of events.csv. Raises Refused for an unreadable cell and for a repeated event."""

    def key(event: dict[str, Any]) -> tuple[Any, ...]:
        return event["date"], event["province"], fold(event["title_fa"])

    return files.read(folder, "events.csv", _SCHEMA.names, _event, "date", key)


def load(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Create `events`: one row per event; the province of an event of the nation is null."""
    arriving = pa.Table.from_pylist(rows, _SCHEMA)
    create_from(con, "create table events as from arriving order by date, province nulls first, title_fa", arriving)


@analysis(asks=("target",), open_by_province=True)
def events(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The events up to the day, oldest first, with their Jalali months.

    Rows: (event_date, event_month, event_province, event_fa, event_en, event_kind, source). A filter of provinces
    leaves the events of the nation and of these provinces; other filters have no effect.
    """
    like = ask(con, "active_assistants", on=on)
    rows = con.execute(
        "select date, province, title_fa, title_en, kind, source from events "
        "where date <= $on_day and (province is null or len($provinces) = 0 or list_contains($provinces, province)) "
        "order by date, province nulls first, title_fa",
        {"on_day": on, "provinces": list(where.get("province", ()))},
    ).fetchall()
    names = ("event_month", "event_province", "event_fa", "event_en", "event_kind")
    dated = [(event_day, unit_of(event_day, "month").label, *texts) for event_day, *texts in rows]
    return answered(like, ("event_date",), names, dated, more=("source",))


def _event(path: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    event = {"date": files.day(path, line, row), "province": files.province(path, line, row)}
    titles = {name: display_text(files.text(path, line, row, name)) for name in ("title_fa", "title_en")}
    for name, title in titles.items():
        if len(title) > MOST_LETTERS:
            raise files.bad_cell(path, line, name, "too_long", most=MOST_LETTERS)
    kind = files.choice(path, line, row, "kind", KINDS)
    return {**event, **titles, "kind": kind, "source": display_text(files.text(path, line, row, "source"))}
