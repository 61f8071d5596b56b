"""Answers that `ask` does not give: computed from other Answers, or the rows of a SELECT.

The labels of their numbers are in [derived.X] of analyses.toml and [reported.X] of reports.toml.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from etl.core.frames import rows_of
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.catalog import Metric, catalogue, derived, reported
from etl.semantic.open_totals import narrow
from etl.warehouse.run_models import sources_of_query

if TYPE_CHECKING:
    import pandas as pd

Where = Mapping[str, Sequence[str]]


def compose(
    like: Answer,
    by: tuple[str, ...],
    names: Sequence[str],
    rows: "list[tuple[Any, ...]] | pd.DataFrame",
    on: date | None = None,
    over: tuple[date, date] | None = None,
    also: Sequence[Answer] = (),
    more: tuple[str, ...] = (),
    query: str = "",
    sources: frozenset[str] = frozenset(),
) -> Answer:
    """An Answer of `rows`, tuples or a DataFrame in this order: the dimensions `by`, the metrics `names`, the columns `more`.

    Filters and publication are those of `like`, and so are day and period unless one is given. Its sources are `sources`
    and those of `like` and `also`; without `query`, its queries are those of `like` and `also`.
    """
    if not isinstance(rows, list):
        rows = rows_of(rows[[*by, *names, *more]])
    if not (on or over):
        on, over = like.on, None if like.on else like.over
    behind = origins(like, *also)
    metrics = [catalogue()[name] if name in catalogue() else derived(name) for name in names]
    return replace(
        with_rows(like, by, metrics, rows, more),
        on=on,
        over=over,
        provisional=frozenset(),
        **behind | {"query": query or behind["query"], "sources": sources | behind["sources"]},
    )


def with_rows(
    like: Answer, by: tuple[str, ...], metrics: Iterable[Metric], rows: list[tuple[Any, ...]], more: Sequence[str] = ()
) -> Answer:
    """`like` with other rows: the dimensions `by`, the `metrics`, then the columns `more`."""
    metrics = tuple(metrics)
    return replace(like, by=by, metrics=metrics, columns=(*by, *(metric.name for metric in metrics), *more), rows=rows)


def origins(*answers: Answer) -> dict[str, Any]:
    """The `query`, the `sources`, and the provinces `restricted` and `left_out`, of an Answer that is made of several."""
    query = ";\n\n".join(dict.fromkeys(answer.query for answer in answers))
    places = {
        name: frozenset().union(*(getattr(answer, name) for answer in answers)) for name in ("restricted", "left_out")
    }
    return {"query": query, "sources": frozenset().union(*(answer.sources for answer in answers)), **places}


def report(
    con: ScopedCursor, by: Sequence[str], numbers: Sequence[str], sql: str, parameters: Any = None, **more: Any
) -> Answer:
    """The rows of `sql` as an Answer; `more` are further arguments of `report_without_rows`."""
    return replace(report_without_rows(con, by, numbers, sql, **more), rows=con.execute(sql, parameters).fetchall())


def list_without_rows(
    con: ScopedCursor, by: Sequence[str], numbers: Sequence[str], on: date, where: Iterable[tuple[str, tuple[str, ...]]]
) -> Answer:
    """The Answer of a list that is put together of the answers to several questions, without its rows.

    Of provinces that `con` does not see these hold open totals alone.
    """
    narrowed, _ = narrow(con, (), (), dict(where))
    listed = report_without_rows(con, by, numbers, "select 1", "—", on, narrowed)
    return replace(listed, restricted=listed.restricted & con.scope.codes)


def report_without_rows(
    con: ScopedCursor,
    by: Sequence[str],
    numbers: Sequence[str],
    sql: str,
    query: str = "",
    on: date | None = None,
    where: dict[str, tuple[str, ...]] | None = None,
) -> Answer:
    """The Answer of `sql` without its rows; its columns are `by`, then `numbers`, each with an entry in reports.toml.

    `query` is the query that users see, with its values written in; by default `sql`.
    """
    return Answer(
        metrics=tuple(map(reported, numbers)),
        by=tuple(by),
        columns=(*by, *numbers),
        rows=[],
        where=where or {},
        on=on,
        over=None,
        provisional=frozenset(),
        query=query or sql,
        publication=con.publication,
        scope=con.scope.rights(),
        # Rows of single files, institutes or persons, read through the views of the scope.
        restricted=frozenset((where or {}).get("province", ())) or con.scope.codes,
        sources=sources_of_query(sql),
    )
