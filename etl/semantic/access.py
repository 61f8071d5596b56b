"""Access: the scope of a user, and a cursor that is bound to it.

Numbers of the nation and of the provinces are open to every role but `none`. Below the province (county, institute,
single rows) only the provinces of the scope are visible: questions are filtered, tables hidden by temporary views.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import duckdb

from etl.core.errors import AccessDenied
from etl.core.places import places
from etl.semantic import scoped_views
from etl.semantic.catalog import catalogue
from etl.semantic.members import members
from etl.warehouse import publications


class WholeCountry(Enum):
    """Every province, as an explicit value: a missing one never means all."""

    WHOLE_COUNTRY = "whole country"


WHOLE_COUNTRY = WholeCountry.WHOLE_COUNTRY
ROLES = ("national", "province", "submitter", "steward", "none")
_OF_PROVINCES = ("province", "submitter")


@dataclass(frozen=True)
class AccessScope:
    """What one person may see. `sub` names the person and takes no part in comparison: equal rights share cached answers.

    Raises ValueError if role and provinces do not fit.
    """

    sub: str = field(compare=False)
    role: str
    provinces: frozenset[str] | WholeCountry
    may_see_detail: bool
    may_export: bool

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"no role is called {self.role}")
        if self.provinces is WHOLE_COUNTRY:
            fits = self.role in ("national", "steward")
        else:
            fits = isinstance(self.provinces, frozenset) and self.provinces <= set(places().provinces.values())
            fits = fits and bool(self.provinces) == (self.role in _OF_PROVINCES)
        if not fits:
            raise ValueError(f"the role {self.role} does not go with these provinces")

    @property
    def sees_whole_country(self) -> bool:
        return self.provinces is WHOLE_COUNTRY

    @property
    def codes(self) -> frozenset[str]:
        """The provinces whose details are visible; empty for the whole country, which has no limit."""
        return frozenset() if isinstance(self.provinces, WholeCountry) else self.provinces

    def rights(self) -> "AccessScope":
        """The same rights without the person: answers are cached and checked by them."""
        return replace(self, sub="")


# The scope of commands on the server, and of every user in the mode `open`.
ADMINISTRATOR = AccessScope("administrator", "steward", WHOLE_COUNTRY, may_see_detail=True, may_export=True)


def nobody(sub: str) -> AccessScope:
    """The scope of a person without rights."""
    return AccessScope(sub, "none", frozenset(), may_see_detail=False, may_export=False)


class ScopedCursor:
    """A cursor bound to a scope; the only thing that questions and analyses can be asked with.

    It reads rows through temporary views that hold what the scope may see. `numbers` reads whole tables: for sums by
    province and nation only, never for rows that are shown. More groups than `most_rows` raise TooLarge.
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
        if scope.role == "none":
            raise AccessDenied
        self.numbers = con
        self.scope = scope
        self.most_rows = most_rows
        self._publication = publication
        # The connection that outlives the cursors of one question, and holds idle cursors with views.
        self._root = root or con

    @cached_property
    def publication(self) -> publications.Publication:
        """The publication that it reads."""
        return self._publication or publications.describe(self.numbers)

    @cached_property
    def _rows(self) -> duckdb.DuckDBPyConnection:
        if self.scope.sees_whole_country:
            return self.numbers
        return scoped_views.take(self._root, self.scope.codes)

    def execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run a query over what the scope may see."""
        return self._rows.execute(sql, parameters)

    def sql(self, sql: str, **options: Any) -> duckdb.DuckDBPyRelation:
        """A relation over what the scope may see."""
        return self._rows.sql(sql, **options)

    def cursor(self) -> "ScopedCursor":
        """Another cursor of the same scope."""
        return ScopedCursor(self._root.cursor(), self.scope, self._publication, root=self._root)

    def interrupt(self) -> None:
        """End the query that runs, from another thread."""
        self.numbers.interrupt()
        vars(self).get("_rows", self.numbers).interrupt()

    def close(self) -> None:
        rows = vars(self).pop("_rows", self.numbers)
        if rows is not self.numbers:
            scoped_views.give_back(self._root, self.scope.codes, rows)
        self.numbers.close()

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


BELOW_PROVINCE = frozenset({"county", "institute"})


def members_in_scope(con: ScopedCursor, where: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The codes of filters. A county or institute of another province is refused like one that does not exist."""
    return members(con._rows, where)


def narrow(
    con: ScopedCursor, names: Iterable[str], by: Iterable[str], where: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The filters of a question, limited to the provinces of the scope if it goes below the province.

    `where` holds codes of `members_in_scope`. Raises AccessDenied if nothing is left.
    """
    narrowed = {name: tuple(codes) for name, codes in where.items()}
    involved = {*by, *narrowed}
    if con.scope.sees_whole_country or not involved & BELOW_PROVINCE:
        return narrowed
    exclusive = [catalogue()[name].mutually_exclusive for name in names if name in catalogue()]
    if any({"province", "institute"} <= dimensions for dimensions in exclusive):
        # `members_in_scope` has checked filters by institute.
        if "institute" not in narrowed:
            rows = con.execute("select institute_code from institutes order by 1").fetchall()
            narrowed["institute"] = tuple(code for (code,) in rows)
        if not narrowed["institute"]:
            raise AccessDenied
        return narrowed
    codes = narrowed.get("province", tuple(sorted(con.scope.codes)))
    narrowed["province"] = tuple(code for code in codes if code in con.scope.codes)
    if not narrowed["province"]:
        raise AccessDenied
    return narrowed


def visible_rows(
    scope: AccessScope, by: Sequence[str], where: Mapping[str, Sequence[str]], rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """The rows of an answer without those of moves between two provinces outside of the scope."""
    if scope.sees_whole_country or not {"province", "origin"} <= {*by, *where}:
        return rows

    def is_visible(row: tuple[Any, ...], dimension: str) -> bool:
        at = by.index(dimension) if dimension in by else None
        return {row[at]} <= scope.codes if at is not None else set(where[dimension]) <= scope.codes

    visible = [row for row in rows if is_visible(row, "province") or is_visible(row, "origin")]
    if rows and not visible and not {"province", "origin"} & {*by}:
        raise AccessDenied
    return visible


def check(scope: AccessScope, by: Iterable[str], where: Mapping[str, Sequence[str]], stamp: AccessScope) -> None:
    """Raise AccessDenied for an answer computed for other rights, or about places below a province outside of the scope."""
    if scope.role == "none" or stamp != scope:
        raise AccessDenied
    if scope.sees_whole_country or not {*by, *where} & BELOW_PROVINCE:
        return
    provinces = where.get("province", ())
    if not (provinces and set(provinces) <= scope.codes) and "institute" not in where:
        raise AccessDenied


def may_leave(scope: AccessScope, where: Mapping[str, Sequence[str]]) -> bool:
    """Whether an answer under these filters may be exported: a submitter exports the provinces of the scope only."""
    provinces = where.get("province", ())
    return scope.may_export and (scope.role != "submitter" or (bool(provinces) and set(provinces) <= scope.codes))
