"""The analyses: answers computed from several questions, each registered under the name of its function.

What a person sees of one is decided in `analyse`, by whether it is `open_by_province` (see etl.semantic.access).

An analysis takes a connection, a day (default: the as-of day) and filters (default: none), and returns an Answer as `ask`
does. Its labels and descriptions are in etl/semantic/analyses.toml. Every module of this package is imported before names
are looked up, so a new module needs no entry anywhere else.
"""

import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, wraps
from importlib import import_module
from types import MappingProxyType
from typing import Any

import etl.analysis
from etl.core import frames
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import last_complete_months
from etl.semantic.access import GroupOfNation, ScopedCursor, check, is_of_one_time, members_in_scope, narrow, restricted
from etl.semantic.answers import Answer, few_others
from etl.semantic.catalog import TIME, catalogue, tables
from etl.semantic.derived import Where
from etl.semantic.resolve import refuse_later

_Run = Callable[..., Answer]


@dataclass(frozen=True)
class Analysis:
    """A registered function, what it asks for under the user's filters, and whether it takes a period (`over`).

    `asks` holds names of metrics, and of tables that are read row by row. `open_by_province`: whether it gives nothing but
    totals of the nation and of provinces by time, so that everybody may see it of every province, unfiltered.
    """

    run: _Run
    asks: tuple[str, ...]
    over_period: bool
    open_by_province: bool


_registered: dict[str, Analysis] = {}
# Columns of a test of a province against the whole.
_OF_A_TEST = ("p_value", "institutes_compared")


def analysis(
    *, asks: tuple[str, ...], over_period: bool = False, open_by_province: bool = False
) -> Callable[[_Run], _Run]:
    """Register the decorated function, with the defaults of its day and filters. Raises ValueError if its name is taken."""

    def register(run: _Run) -> _Run:
        if run.__name__ in _registered:
            raise ValueError(f"two analyses are called {run.__name__}")

        @wraps(run)
        def with_defaults(con: ScopedCursor, on: date | None = None, where: Where | None = None, **more: Any) -> Answer:
            refuse_later(con.publication.as_of, on, more.get("over"))
            return run(con, on or con.publication.as_of, where or {}, **more)

        _registered[run.__name__] = Analysis(with_defaults, asks, over_period, open_by_province)
        return with_defaults

    return register


@cache
def analyses() -> Mapping[str, Analysis]:
    """Every analysis by its name, in alphabetical order."""
    frames.allow_pandas()
    for module in pkgutil.iter_modules(etl.analysis.__path__):
        import_module(f"{etl.analysis.__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_registered.items())))


def named(name: str) -> Analysis:
    """The analysis of this name. Raises QuestionError for an unknown one."""
    if name not in analyses():
        raise QuestionError(f"no analysis is called {name}; see python -m etl analyse")
    return analyses()[name]


def analyse(con: ScopedCursor, name: str, /, on: date | None = None, where: Where | None = None, **more: Any) -> Answer:
    """Run an analysis within the scope of `con`; `more` holds its further arguments. Raises QuestionError."""
    registered, scope = named(name), con.scope
    left_out: frozenset[str] = frozenset()
    if where or not scope.sees_whole_country:
        asked = members_in_scope(con, where or {})
        where, left_out = narrow(con, registered.asks, (), asked, registered.open_by_province)
    answer = _cut(_run(con, registered, on, where or {}, more), registered)
    held = restricted(scope, (), answer.where, registered.open_by_province)
    answer = replace(answer, restricted=answer.restricted | held, left_out=answer.left_out | left_out)
    answer = answer if scope.sees_whole_country else _without_tests_of_others(answer, scope.codes)
    check(scope, answer)
    return answer


def _run(con: ScopedCursor, registered: Analysis, on: date | None, where: Where, more: Mapping[str, Any]) -> Answer:
    """The answer for people of some provinces: of these alone where it needs a group of the nation that is not given."""
    try:
        with con.analysis(_hides_rows(con, registered, on, where, more)):
            return registered.run(con, on=on, where=where, **more)
    except GroupOfNation:
        where, left_out = narrow(con, registered.asks, ("province",), where, only_totals=False)
    try:
        with con.analysis(hides_rows=False):
            answer = registered.run(con, on=on, where=where, **more)
    except GroupOfNation:
        # It compares with the nation.
        raise AccessDenied from None
    return replace(answer, left_out=answer.left_out | left_out)


def _without_tests_of_others(answer: Answer, own: Collection[str]) -> Answer:
    """Without the p-values of other provinces, and the institutes compared: they tell of more than open totals do."""
    at = [answer.columns.index(name) for name in _OF_A_TEST if name in answer.columns]
    place = answer.columns.index("province") if "province" in answer.columns else None
    provinces = answer.where.get("province", ())
    if not at:
        return answer
    rows = []
    for row in answer.rows:
        of = provinces if place is None else (row[place],)
        hidden = at if any(province not in own for province in of) else ()
        rows.append(tuple(None if i in hidden else value for i, value in enumerate(row)))
    return replace(answer, rows=rows)


def _hides_rows(
    con: ScopedCursor, registered: Analysis, on: date | None, where: Where, more: Mapping[str, Any]
) -> bool:
    """Whether an analysis may not read rows of the nation: of a group beside open totals, at another time, or that few have."""
    is_open, over = registered.open_by_province, more.get("over")
    return con.scope.may_subtract((more.get("by", ""),), where, is_open) and (
        is_open or not is_of_one_time(con, (), (), on, over) or _has_few(con, registered, on, more)
    )


def _has_few(con: ScopedCursor, registered: Analysis, on: date | None, more: Mapping[str, Any]) -> bool:
    """Whether fewer than three other provinces have any of what an analysis asks for."""
    names = [name for name in registered.asks if name in catalogue() and "province" in catalogue()[name].dimensions]
    kinds = {catalogue()[name].kind for name in names}
    over = more.get("over") or last_complete_months(on or con.publication.as_of, 12)
    day = on if "snapshot" in kinds else None
    return bool(names) and bool(few_others(con, *names, on=day, over=over if "event" in kinds else None))


def _cut(answer: Answer, registered: Analysis) -> Answer:
    """An answer without the rows of provinces outside of its scope, unless they are open.

    Under a filter an analysis that compares all provinces would compare those of the scope alone: AccessDenied.
    """
    if "province" not in answer.by:
        return answer
    if registered.open_by_province:
        if answer.left_out:
            raise AccessDenied
        return answer
    scope, at = answer.scope, answer.by.index("province")
    rows = [row for row in answer.rows if row[at] not in scope.others]
    left_out = answer.left_out if len(rows) == len(answer.rows) else scope.others
    return replace(answer, rows=rows, restricted=answer.restricted | scope.codes, left_out=left_out)


@cache
def filters(name: str) -> frozenset[str]:
    """The dimensions by which an analysis can be filtered: those known to everything it asks for; none if it asks for nothing."""
    dimensions = [
        catalogue()[source].dimensions if source in catalogue() else tables()[source].columns
        for source in analyses()[name].asks
    ]
    return frozenset.intersection(*map(frozenset, dimensions)).difference(TIME) if dimensions else frozenset()
