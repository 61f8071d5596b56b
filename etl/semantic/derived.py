"""Answers of etl/analysis, computed from other Answers; their labels are in [derived.X] of analyses.toml."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import Metric, catalogue, derived

Where = Mapping[str, Sequence[str]]


def answered(
    like: Answer,
    by: tuple[str, ...],
    names: Sequence[str],
    rows: list[tuple[Any, ...]],
    on: date | None = None,
    over: tuple[date, date] | None = None,
    also: Sequence[Answer] = (),
    more: tuple[str, ...] = (),
    query: str = "",
    sources: frozenset[str] = frozenset(),
) -> Answer:
    """An Answer of `rows`: the dimensions `by`, the metrics `names`, then the columns `more`.

    Filters and publication are those of `like`, and so are day and period unless one is given. Its sources are `sources`
    and those of `like` and `also`; without `query`, its queries are those of `like` and `also`.
    """
    timed = (on, over) if on or over else (like.on, None if like.on else like.over)
    metrics = [catalogue()[name] if name in catalogue() else derived(name) for name in names]
    return replace(
        reshaped(like, by, metrics, rows, more),
        on=timed[0],
        over=timed[1],
        provisional=frozenset(),
        query=query or joined_queries(like, *also),
        sources=sources | joined_sources(like, *also),
    )


def reshaped(
    like: Answer, by: tuple[str, ...], metrics: Iterable[Metric], rows: list[tuple[Any, ...]], more: Sequence[str] = ()
) -> Answer:
    """`like` with other rows: the dimensions `by`, the `metrics`, then the columns `more`."""
    metrics = tuple(metrics)
    return replace(like, by=by, metrics=metrics, columns=(*by, *(metric.name for metric in metrics), *more), rows=rows)


def joined_queries(*answers: Answer) -> str:
    """The queries of several answers, each once."""
    return ";\n\n".join(dict.fromkeys(answer.query for answer in answers))


def joined_sources(*answers: Answer) -> frozenset[str]:
    """The source and reference tables behind several answers."""
    return frozenset().union(*(answer.sources for answer in answers))
