"""Rows of people without names, read from the publication while they are shown or written."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial

import duckdb

from etl.analysis import detail
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.exportable import StreamedRows
from etl.semantic.rights import AccessScope
from ui.data import page_run
from ui.data.ask import Filters, Where, frozen


def may_see_rows() -> bool:
    """Whether the user may get rows of people: the server's setting DETAIL_ROWS is 1, and the user has the right."""
    return os.environ.get("DETAIL_ROWS") == "1" and bool(page_run.access_scope().with_detail.grants)


def people(on: date, where: Where | None = None) -> StreamedRows:
    """Pseudonymous rows of people in active service. Raises PermissionError if they are not allowed."""
    if not may_see_rows():
        raise PermissionError("rows of people are switched off")
    return _people(page_run.current_file(), page_run.access_scope().rights(), on, frozen(where))


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
def _people(file: str, scope: AccessScope, on: date, where: Filters) -> StreamedRows:
    with _cursor(file, scope) as cursor:
        people_rows = detail.people(cursor, on, dict(where))
    return replace(people_rows, connect=_CursorMaker(file, scope.with_detail, page_run.connection(file)))


def _cursor(file: str, scope: AccessScope) -> ScopedCursor:
    return cursor_for(page_run.connection(file), scope)
