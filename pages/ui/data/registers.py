"""What the warehouse tells besides measures: large answers, comparisons, institutes and people row by row, the load itself.

Kept by publication, reader and question, as the answers of `warehouse` are, but few at a time: these may be large.
"""

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from etl.analysis import comparison, data_quality, detail, growth
from etl.analysis.comparison import Side
from etl.analysis.data_quality import Rule
from etl.analysis.detail import Institute
from etl.semantic import answers
from etl.semantic.answers import Answer
from etl.semantic.exportable import StreamedRows
from etl.warehouse import publications as publication
from pages.ui.data import warehouse
from pages.ui.data.warehouse import Reader, Where

__all__ = ["Institute", "Rule", "Side"]


def large(
    *names: str,
    reader: Reader = None,
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Where | None = None,
) -> Answer:
    """`warehouse.ask` for an answer of many rows: the last ones asked for are kept. Raises QuestionError."""
    allowed = _allowed(reader, where)
    return _told(warehouse.path(), "large", (names, tuple(by), on, over, allowed))


def compare(
    names: Sequence[str], first: Side, second: Side, reader: Reader = None, where: Where | None = None
) -> Answer:
    """Two sides and their difference, within what the reader may see. Raises QuestionError."""
    sides = [Side(side.on, _allowed(reader, dict(side.where))) for side in (first, second)]
    return _told(warehouse.path(), "compare", (tuple(names), *sides, warehouse.frozen(where)))


def bridge(over: tuple[date, date], reader: Reader = None, where: Where | None = None) -> Answer:
    """What moved the stock within a period, step by step. Raises QuestionError where it does not add up."""
    return _told(warehouse.path(), "bridge", (over, _allowed(reader, where)))


def institutes() -> Mapping[str, Institute]:
    """Every institute of the register by its code."""
    return _told(warehouse.path(), "institutes", ())


def search(wanted: str) -> list[Institute]:
    """Institutes found by code, name, province or county, however the letters were typed."""
    return detail.search(institutes(), wanted)


def licences(code: str) -> Answer:
    """The licences of one institute."""
    return _told(warehouse.path(), "licences", (code,))


def may_see_rows(view_reader: Reader = None) -> bool:
    """Whether rows of people may leave at all: off unless the setting DETAIL_ROWS is 1.

    Until readers sign in nobody can be told from another, so the keeper of the server decides for all.
    """
    return os.environ.get("DETAIL_ROWS") == "1"


def people(on: date, reader: Reader = None, where: Where | None = None) -> StreamedRows:
    """Pseudonymous rows of people in active service. Raises PermissionError where the setting does not allow them."""
    if not may_see_rows(reader):
        raise PermissionError("rows of people are switched off")
    return _people(warehouse.path(), on, _allowed(reader, where))


@lru_cache(maxsize=40)
def _people(file: str, on: date, where: warehouse.Frozen) -> StreamedRows:
    connection = warehouse.connection(file)
    with connection.cursor() as cursor:
        found = detail.people(cursor, on, dict(where))
    # They are read after this cursor is closed, and maybe after the file was removed: an open connection still reads it.
    return replace(found, connect=connection.cursor)


def load_totals() -> Answer:
    return _told(warehouse.path(), "totals", ())


def load_files() -> Answer:
    return _told(warehouse.path(), "files", ())


def load_reasons() -> Answer:
    return _told(warehouse.path(), "reasons", ())


def load_warned() -> Answer:
    return _told(warehouse.path(), "warned", ())


def ignored_files() -> list[str]:
    """The files handed in that are no source."""
    return _told(warehouse.path(), "ignored", ())


def load_provinces() -> Answer:
    return _told(warehouse.path(), "provinces", ())


def missing_sources() -> Mapping[str, tuple[str, ...]]:
    """The sources that provinces have not handed in."""
    return _told(warehouse.path(), "missing", ())


def headers() -> Mapping[str, str]:
    """The Persian header of each source column."""
    return data_quality.headers()


def rules() -> list[Rule]:
    return data_quality.rules()


def publications() -> Answer:
    """The publications kept."""
    return _told(warehouse.path(), "publications", (_pointer(),))


def revisions() -> Any | None:
    """The revision log, where etl.diff writes one."""
    return _told(warehouse.path(), "revisions", (_pointer(),))


def province_of(county: str) -> str | None:
    """The province of a county."""
    return _told(warehouse.path(), "counties", ()).get(county)


def _pointer() -> Path:
    return Path(os.environ.get("WAREHOUSE") or publication.DEFAULT)


def _allowed(reader: Reader, where: Where | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return warehouse.frozen(warehouse.allowed(reader, warehouse.frozen(where)))


_WORK: dict[str, Callable[..., Any]] = {
    "large": lambda con, names, by, on, over, where: answers.ask(
        con, *names, by=by, on=on, over=over, where=dict(where)
    ),
    "compare": lambda con, names, first, second, where: comparison.compare(con, names, first, second, dict(where)),
    "bridge": lambda con, over, where: growth.bridge(con, over[1], dict(where), over),
    "institutes": detail.institutes,
    "licences": detail.licences,
    "totals": data_quality.totals,
    "files": data_quality.files,
    "reasons": data_quality.reasons,
    "warned": data_quality.warned,
    "ignored": data_quality.ignored,
    "provinces": data_quality.provinces,
    "missing": data_quality.missing_sources,
    "publications": data_quality.publications,
    "revisions": lambda _con, pointer: data_quality.revisions(pointer),
    "counties": detail.provinces_of_counties,
}


@lru_cache(maxsize=40)
def _told(path: str, work: str, given: tuple[Hashable, ...]) -> Any:
    with warehouse.connection(path).cursor() as cursor:
        return _WORK[work](cursor, *given)
