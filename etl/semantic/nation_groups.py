"""When a group of the nation is given to people of some provinces: at one time, and never where few other provinces have any.

The nation's group less that of the own provinces is that of the others together, and totals of provinces are open: of two
days between which a single other province changed, the difference would be that province's group.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache

from etl.core.jalali import last_complete_months
from etl.semantic.access import ScopedCursor
from etl.semantic.catalog import TIME, catalogue, expand, size_of
from etl.semantic.resolve import DEFAULT_MONTHS
from etl.warehouse import publications


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
