"""The analyses: answers computed from several questions, each registered under the name of its function.

What a person sees of one is decided in `analyse`: open totals are computed from everybody, all else from the own rows alone
(see etl.semantic.open_totals).

An analysis takes a connection, a day (default: the as-of day) and filters (default: none), and returns an Answer as `ask`
does. Its labels and descriptions are in etl/semantic/analyses.toml. Every module of this package is imported before names
are looked up, so a new module needs no entry anywhere else.
"""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, wraps
from importlib import import_module
from types import MappingProxyType
from typing import Any

import etl.analysis
from etl.core import frames
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, check
from etl.semantic.catalog import TIME, catalogue, tables
from etl.semantic.composed_answers import Where
from etl.semantic.open_totals import is_open, members_in_scope, narrowed_to_own
from etl.semantic.resolve import refuse_later
from etl.semantic.rights import ADMINISTRATOR

_Run = Callable[..., Answer]


@dataclass(frozen=True)
class Analysis:
    """A registered function, what it asks for under the user's filters, and whether it takes a period (`over`).

    `asks` holds names of metrics, and of tables that are read row by row. `open_by`: the values of its argument `by` (empty:
    it has none) with which it gives nothing but totals of the nation and of provinces by time.
    """

    run: _Run
    asks: tuple[str, ...]
    over_period: bool
    open_by: tuple[str, ...]

    def is_open(self, where: Where, more: Mapping[str, Any]) -> bool:
        """Whether this question, with its further arguments, is one for open totals."""
        default = inspect.signature(self.run).parameters.get("by")
        by = more.get("by", default.default if default else "")
        than, against = more.get("than"), str(more.get("against", "")).partition("=")[0]
        involved = {*where, *(dict(than.where) if than else ()), *({against} - {"", "nation"})}
        # What seats change in a place tells how many lack their course.
        return by in self.open_by and is_open((), involved) and not more.get("entered")


_registered: dict[str, Analysis] = {}
# Columns of a test of a province against the whole.
_OF_A_TEST = ("p_value", "institutes_compared")


def analysis(
    *, asks: tuple[str, ...], over_period: bool = False, open_by: tuple[str, ...] = ()
) -> Callable[[_Run], _Run]:
    """Register the decorated function, with the defaults of its day and filters. Raises ValueError if its name is taken."""

    def register(run: _Run) -> _Run:
        if run.__name__ in _registered:
            raise ValueError(f"two analyses are called {run.__name__}")

        @wraps(run)
        def with_defaults(con: ScopedCursor, on: date | None = None, where: Where | None = None, **more: Any) -> Answer:
            refuse_later(con.publication.as_of, on, more.get("over"))
            return run(con, on or con.publication.as_of, where or {}, **more)

        _registered[run.__name__] = Analysis(with_defaults, asks, over_period, open_by)
        return with_defaults

    return register


@cache
def by_name() -> Mapping[str, Analysis]:
    """Every analysis by its name, in alphabetical order."""
    frames.allow_pandas()
    for module in pkgutil.iter_modules(etl.analysis.__path__):
        import_module(f"{etl.analysis.__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_registered.items())))


def find(name: str) -> Analysis:
    """The analysis of this name. Raises QuestionError for an unknown one."""
    if name not in by_name():
        raise QuestionError(f"no analysis is called {name}; see python -m etl analyse")
    return by_name()[name]


def analyse(con: ScopedCursor, name: str, /, on: date | None = None, where: Where | None = None, **more: Any) -> Answer:
    """Run an analysis within the scope of `con`; `more` holds its further arguments. Raises QuestionError.

    What is open is computed from everybody, all else for people of some provinces from the rows of these alone.
    """
    registered, scope = find(name), con.scope
    where = members_in_scope(con, where or {})
    is_public, left_out = registered.is_open(where, more), frozenset[str]()
    if scope.sees_whole_country:
        answer = registered.run(con, on=on, where=where, **more)
    elif is_public:
        everybody = registered.run(con.under(ADMINISTRATOR), on=on, where=where, **more)
        answer = replace(_without_test(everybody), scope=scope.rights())
    else:
        where, left_out = narrowed_to_own(con, registered.asks, (), where)
        answer = registered.run(con, on=on, where=where, **more)
    own = frozenset() if is_public else frozenset(answer.where.get("province", ())) or scope.codes
    answer = replace(answer, restricted=own, left_out=answer.left_out | left_out)
    check(scope, answer)
    return answer


def _without_test(answer: Answer) -> Answer:
    """An answer without p-values and institutes compared, which tell more of other provinces than on which side they are."""
    at = [answer.columns.index(name) for name in _OF_A_TEST if name in answer.columns]
    rows = [tuple(None if i in at else value for i, value in enumerate(row)) for row in answer.rows]
    return replace(answer, rows=rows) if at else answer


@cache
def filters(name: str) -> frozenset[str]:
    """The dimensions by which an analysis can be filtered: those known to everything it asks for; none if it asks for nothing."""
    dimensions = [
        catalogue()[source].dimensions if source in catalogue() else tables()[source].columns
        for source in by_name()[name].asks
    ]
    return frozenset.intersection(*map(frozenset, dimensions)).difference(TIME) if dimensions else frozenset()
