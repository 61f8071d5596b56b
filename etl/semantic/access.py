"""Access: a cursor that is bound to the rights of a person, the only thing that questions and analyses can be asked with.

It reads rows through temporary views that hold those of the own provinces. `ask` narrows each question to them unless it is
one for open totals (`etl.semantic.open_totals`); an analysis that gives nothing but these is run under all rights
(`etl.analysis.analyses.analyse`).
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

import duckdb

from etl.core.errors import AccessDenied
from etl.semantic import scoped_views
from etl.semantic.rights import AccessScope
from etl.warehouse import publications

_answered: WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[Hashable, Any]] = WeakKeyDictionary()
_MOST_ANSWERED = 1000
_MISSING: Any = object()
_T = TypeVar("_T")


class ScopedCursor:
    """A cursor bound to a scope. `execute` reads the rows that the scope may see, `whole` the tables, for `ask` and for open
    counts. More groups than `most_rows` raise TooLarge.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        scope: AccessScope,
        publication: publications.Publication | None = None,
        most_rows: int | None = None,
        root: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        if not isinstance(scope, AccessScope):
            raise TypeError("a cursor needs the scope of the person who asks")
        if not scope.grants:
            raise AccessDenied
        self.whole = con
        self.scope = scope
        self.most_rows = most_rows
        self._publication = publication
        # The connection that outlives the cursors of one question, and holds idle cursors with views.
        self._root = root or con
        self._is_streamed = False

    def once(self, question: Hashable, answer: Callable[[], _T]) -> _T:
        """What a published file answers for these provinces, kept as long as it is open."""
        known = _answered.setdefault(self._root, {})
        key = self.scope.codes, question
        # Another thread may clear them in between.
        found = known.get(key, _MISSING)
        if found is _MISSING:
            found = answer()
            if len(known) >= _MOST_ANSWERED:
                known.clear()
            known[key] = found
        return found

    @cached_property
    def begins_on(self) -> date | None:
        """The first day of the register."""
        ((first,),) = self.whole.execute("select min(hired_on) from spells").fetchall()
        return first

    @cached_property
    def publication(self) -> publications.Publication:
        """The publication that it reads."""
        return self._publication or publications.describe(self.whole)

    @cached_property
    def rows(self) -> duckdb.DuckDBPyConnection:
        """A connection to the rows that the scope may see."""
        if self.scope.sees_whole_country:
            return self.whole
        return scoped_views.take(self._root, self.scope.codes)

    def of_people(self, where: Mapping[str, Sequence[str]]) -> duckdb.DuckDBPyConnection:
        """What to count people from under filters: of own provinces the tables, which hold where else they joined or by which
        licence they serve; of any other places the rows that the scope may see.
        """
        provinces = where.get("province", ())
        return self.whole if provinces and self.scope.codes.issuperset(provinces) else self.rows

    def execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run a query over what the scope may see."""
        return self.rows.execute(sql, parameters)

    def sql(self, sql: str, **options: Any) -> duckdb.DuckDBPyRelation:
        """A relation over what the scope may see."""
        # Whether it is read to its end cannot be seen from here.
        self._is_streamed = True
        return self.rows.sql(sql, **options)

    def cursor(self) -> "ScopedCursor":
        """Another cursor of the same scope."""
        return ScopedCursor(self._root.cursor(), self.scope, self._publication, root=self._root)

    def with_detail(self) -> "ScopedCursor":
        """Another cursor, for rows of persons. Raises AccessDenied without that right."""
        return ScopedCursor(self._root.cursor(), self.scope.with_detail, self._publication, root=self._root)

    def under(self, scope: AccessScope) -> "ScopedCursor":
        """The same cursor under other rights."""
        return ScopedCursor(self.whole, scope, self.publication, self.most_rows, self._root)

    def interrupt(self) -> None:
        """End the query that runs, from another thread."""
        self.whole.interrupt()
        vars(self).get("rows", self.whole).interrupt()

    def close(self) -> None:
        rows = vars(self).pop("rows", self.whole)
        if self._is_streamed and rows is not self.whole:
            rows.close()
        elif rows is not self.whole:
            scoped_views.give_back(self._root, self.scope.codes, rows)
        self.whole.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cursor_for(
    con: duckdb.DuckDBPyConnection,
    scope: AccessScope,
    publication: publications.Publication | None = None,
    most_rows: int | None = None,
) -> ScopedCursor:
    """A new cursor on a publication (`publication`, where the caller knows it), bound to a scope.

    Raises AccessDenied for a scope without rights.
    """
    return ScopedCursor(con.cursor(), scope, publication, most_rows, con)


@contextmanager
def connect(pointer: Path, scope: AccessScope) -> Iterator[ScopedCursor]:
    """The publication that `pointer` shows, under a scope. Raises as publications.connect."""
    with publications.connect(pointer) as con:
        yield ScopedCursor(con, scope)
