"""Access: the scope of a user, and a cursor that is bound to it.

Everybody but the role `none` sees totals of every province by time alone, and the nation as a whole by any dimension. Every
other group is seen of the scope's provinces only: questions are narrowed (`narrow`, `visible_rows`), tables hidden by
temporary views, and an Answer says which provinces were left out.

A group of the nation is given at one time alone (`is_of_one_time`), and never where few other provinces have any. The
nation's group less that of the own provinces is that of the others together, and totals of provinces are open: of two days
between which a single other province changed, the difference would be that province's group.

An analysis gets a narrowed place and a cursor whose questions are narrowed. With `open_by_province` it declares that it gives
nothing but totals of a province by time, and is answered for every province, unfiltered; the rows of any other analysis are
cut to the scope. What it only sums up over the nation it reads with `ScopedCursor.numbers`, and shows by no province. An
analysis that needs a group of the nation that is not given (`GroupOfNation`) is answered for the provinces of the scope
(`etl.analysis.registry.analyse`), because only `ask` can tell a group that few provinces make up. Numbers of everybody that
only weigh what was answered, such as the variation of institutes, are asked with `ScopedCursor.of_everybody`.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakKeyDictionary

import duckdb

from etl.core.errors import AccessDenied
from etl.core.jalali import last_complete_months
from etl.semantic import scoped_views
from etl.semantic.catalog import TIME, catalogue, expand, size_of
from etl.semantic.resolve import DEFAULT_MONTHS, members
from etl.semantic.rights import ADMINISTRATOR, BELOW_PROVINCE, AccessScope, every_province, involved_in
from etl.warehouse import publications

if TYPE_CHECKING:
    from etl.semantic.answers import Answer


_answered: WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[Hashable, Any]] = WeakKeyDictionary()
_MOST_ANSWERED = 1000
_T = TypeVar("_T")


class GroupOfNation(Exception):
    """An analysis needs a group of the nation that the scope is not given."""


class ScopedCursor:
    """A cursor bound to a scope; the only thing that questions and analyses can be asked with.

    It reads rows through temporary views that hold what the scope may see. `numbers` reads whole tables: for sums of the
    nation, and of provinces by time. `whole` is for `ask` alone. More groups than `most_rows` raise TooLarge.
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
        self._is_analysis = False
        self._hides_rows = False

    @property
    def numbers(self) -> duckdb.DuckDBPyConnection:
        """A connection to whole tables. Raises GroupOfNation as `refuse_rows`."""
        self.refuse_rows()
        return self.whole

    @contextmanager
    def analysis(self, hides_rows: bool) -> Iterator[None]:
        """Within the context a question that would be narrowed for its time raises GroupOfNation.

        An analysis would put the own provinces beside the nation. With `hides_rows` it may ask, but not read rows.
        """
        self._is_analysis, self._hides_rows = True, hides_rows
        try:
            yield
        finally:
            self._is_analysis = self._hides_rows = False

    def refuse_rows(self) -> None:
        """Raise GroupOfNation in an analysis that may not read the nation's rows."""
        if self._hides_rows:
            raise GroupOfNation

    def refuse_mixture(self) -> None:
        """Raise GroupOfNation in an analysis."""
        if self._is_analysis:
            raise GroupOfNation

    def once(self, question: Hashable, answer: Callable[[], _T]) -> _T:
        """What a published file answers for these provinces, kept as long as it is open."""
        known = _answered.setdefault(self._root, {})
        key = self.scope.codes, question
        if key not in known:
            if len(known) >= _MOST_ANSWERED:
                known.clear()
            known[key] = answer()
        return known[key]

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
    def _rows(self) -> duckdb.DuckDBPyConnection:
        if self.scope.sees_whole_country:
            return self.whole
        return scoped_views.take(self._root, self.scope.codes)

    def execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run a query over what the scope may see."""
        return self._rows.execute(sql, parameters)

    def sql(self, sql: str, **options: Any) -> duckdb.DuckDBPyRelation:
        """A relation over what the scope may see."""
        # Whether it is read to its end cannot be seen from here.
        self._is_streamed = True
        return self._rows.sql(sql, **options)

    def cursor(self) -> "ScopedCursor":
        """Another cursor of the same scope."""
        return ScopedCursor(self._root.cursor(), self.scope, self._publication, root=self._root)

    def with_detail(self) -> "ScopedCursor":
        """Another cursor, for rows of persons. Raises AccessDenied without that right."""
        return ScopedCursor(self._root.cursor(), self.scope.with_detail, self._publication, root=self._root)

    @property
    def of_everybody(self) -> "ScopedCursor":
        """The same cursor under all rights, for questions whose numbers an analysis sums up over the nation."""
        return ScopedCursor(self.whole, ADMINISTRATOR, self.publication, self.most_rows, self._root)

    def interrupt(self) -> None:
        """End the query that runs, from another thread."""
        self.whole.interrupt()
        vars(self).get("_rows", self.whole).interrupt()

    def close(self) -> None:
        rows = vars(self).pop("_rows", self.whole)
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


def members_in_scope(con: ScopedCursor, where: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The codes of filters. A county or institute of another province is refused like one that does not exist."""
    named = tuple((name, tuple(values)) for name, values in where.items())
    return dict(con.once(("members", named), lambda: members(con._rows, where))) if named else {}


def narrow(
    con: ScopedCursor,
    names: Iterable[str],
    by: Iterable[str],
    where: Mapping[str, Sequence[str]],
    only_totals: bool = True,
    is_given: bool = True,
) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """The filters of a question, limited to the provinces of the scope where its numbers are not open to everybody.

    With them it gives the provinces that were left out. `where` holds codes of `members_in_scope`. Without `only_totals`
    the numbers are split further than `by` says, without `is_given` they are of a group of the nation at another time.
    Raises AccessDenied if nothing is left.
    """
    narrowed = {name: tuple(codes) for name, codes in where.items()}
    involved = involved_in(by, narrowed)
    if con.scope.sees_whole_country or (is_given and con.scope.shows(involved, only_totals)):
        return narrowed, frozenset()
    if involved == {"province", "origin"}:
        # `visible_rows` cuts moves between other provinces.
        return narrowed, frozenset()
    exclusive = [catalogue()[name].mutually_exclusive for name in names if name in catalogue()]
    if "institute" in involved and any({"province", "institute"} <= dimensions for dimensions in exclusive):
        # `members_in_scope` has checked filters by institute.
        left_out = frozenset() if "institute" in narrowed else con.scope.others
        if "institute" not in narrowed:
            sql = "select institute_code from institutes order by 1"
            narrowed["institute"] = con.once(sql, lambda: tuple(code for (code,) in con.execute(sql).fetchall()))
        if not narrowed["institute"]:
            raise AccessDenied
        return narrowed, left_out
    asked = narrowed.get("province") or tuple(sorted(every_province()))
    narrowed["province"] = tuple(code for code in asked if code in con.scope.codes)
    if not narrowed["province"]:
        raise AccessDenied
    # A filter by county or institute names places of the scope.
    left_out = frozenset() if involved & BELOW_PROVINCE & where.keys() else con.scope.others.intersection(asked)
    return narrowed, left_out


def is_of_one_time(
    con: ScopedCursor,
    names: Sequence[str],
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
) -> bool:
    """Whether a question is of the as-of day of the newest publication, or of the 12 complete months before it."""
    as_of = con.publication.as_of
    return (
        not {*TIME} & {*by}
        and on in (None, as_of)
        and (over is None or over == last_complete_months(as_of, DEFAULT_MONTHS))
        and all(map(_has_one_time, names))
        and publications.is_current(con.publication)
    )


@cache
def _has_one_time(name: str) -> bool:
    """Whether all numbers beside a metric are of its own day or period, and none of another one."""
    metric = catalogue().get(name)
    if metric is None:
        # `resolve` refuses it.
        return True
    size = catalogue().get(size_of(metric), metric)
    measures = expand(name, frozenset()).values()
    return size.kind == metric.kind and not any(one.at_end or one.offset_months for one in measures)


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


def restricted(
    scope: AccessScope, by: Iterable[str], where: Mapping[str, Sequence[str]], only_totals: bool = True
) -> frozenset[str]:
    """The provinces of which an answer holds more than totals: all of the scope where its filters do not say."""
    involved = involved_in(by, where)
    # Who sees the whole country is given groups of the nation that others are not (`FEWEST_OTHERS`).
    is_total = only_totals and involved <= {"province", "origin"}
    if scope.shows(involved, only_totals) and (is_total or not scope.sees_whole_country):
        return frozenset()
    has_pairs = {"province", "origin"} <= involved
    return frozenset(() if has_pairs else where.get("province", ())) or scope.codes


def check(scope: AccessScope, answer: "Answer") -> None:
    """Raise AccessDenied for an answer computed for other rights, or that holds more than totals of other provinces."""
    if not scope.grants or answer.scope != scope or not answer.restricted <= scope.codes:
        raise AccessDenied


def may_leave(scope: AccessScope, answer: "Answer", is_detail: bool = False) -> bool:
    """Whether one grant allows a file of an answer: a submitter's only one of its own provinces."""
    provinces = frozenset(answer.where.get("province", ()))
    return any(
        grant.may_take(answer.restricted, is_detail)
        and (grant.role != "submitter" or (bool(provinces) and provinces <= grant.codes))
        for grant in scope.grants
    )
