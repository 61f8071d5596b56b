"""What several questions are worked out to is an Answer too: it says of which, and its words are those of [derived.X]."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, derived

Where = Mapping[str, Sequence[str]] | None


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
    """An Answer of `rows`: the dimensions `by`, the measures `names`, then columns that are `more`.

    Its sources are those of `like` and of `also`, and `sources` beside them. Place and publication are those of `like`,
    and day and period too where neither is given; the query is its own and those
    of the answers it was `also` worked out of.
    """
    timed = (on, over) if on or over else (like.on, None if like.on else like.over)
    return Answer(
        tuple(catalogue()[name] if name in catalogue() else derived(name) for name in names),
        by,
        (*by, *names, *more),
        rows,
        like.where,
        *timed,
        frozenset(),
        query or ";\n\n".join(dict.fromkeys([like.query, *(one.query for one in also)])),
        like.publication,
        like.scope,
        sources.union(like.sources, *(one.sources for one in also)),
    )
