"""Queries other than measures: rows of institutes and people, the load itself.

They are cached like the answers of `warehouse`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import duckdb

from etl.analysis import data_quality, detail
from etl.core.paths import warehouse_pointer
from etl.revisions import diff
from etl.semantic.access import AccessScope, ScopedCursor, cursor_for
from etl.semantic.exportable import StreamedRows
from ui.data import user, warehouse
from ui.data.warehouse import Frozen, Where, frozen, result


def institutes() -> Mapping[str, detail.Institute]:
    """Every institute that the user may see, by code."""
    return result(detail.institutes)


def may_see_rows() -> bool:
    """Whether the user may get rows of people: the server's setting DETAIL_ROWS is 1, and the user has the right."""
    return os.environ.get("DETAIL_ROWS") == "1" and bool(user.scope().with_detail.grants)


def people(on: date, where: Where | None = None) -> StreamedRows:
    """Pseudonymous rows of people in active service. Raises PermissionError if they are not allowed."""
    if not may_see_rows():
        raise PermissionError("rows of people are switched off")
    return _people(warehouse.path(), user.scope().rights(), on, frozen(where))


@dataclass(frozen=True)
class _CursorMaker:
    """Makes cursors of a publication after its query is over.

    The open connection reads the file even after it was removed; another process, to which this is sent, opens it by name.
    """

    file: str
    scope: AccessScope
    con: duckdb.DuckDBPyConnection

    def __call__(self) -> ScopedCursor:
        return cursor_for(self.con, self.scope)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return partial, (_cursor, self.file, self.scope)


@lru_cache(maxsize=40)
def _people(file: str, scope: AccessScope, on: date, where: Frozen) -> StreamedRows:
    with _cursor(file, scope) as cursor:
        people_rows = detail.people(cursor, on, dict(where))
    return replace(people_rows, connect=_CursorMaker(file, scope.with_detail, warehouse.connection(file)))


def _cursor(file: str, scope: AccessScope) -> ScopedCursor:
    return cursor_for(warehouse.connection(file), scope)


def revisions() -> list[dict[str, Any]]:
    """The revision log of the nation's numbers."""
    return result(_revisions, warehouse_pointer())


def _revisions(_: ScopedCursor, pointer: Path) -> list[dict[str, Any]]:
    return diff.history(pointer)


def last_revision() -> Any | None:
    """The changes since the previous publication, also by province (etl.revisions.diff.Diff)."""
    return result(data_quality.last_revision, warehouse_pointer())


def province_of(county: str) -> str | None:
    """The province of a county."""
    return result(detail.provinces_of_counties).get(county)
