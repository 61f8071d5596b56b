"""Which groups may be ranked: those of 23 persons (10 institutes) or more; and whether the first differs from the second.

A superlative about a handful of people, or about two groups whose intervals overlap, is noise (E. B. Wilson, 1927, Journal
of the American Statistical Association 22).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import Metric, catalogue

LEAST = 23
LEAST_INSTITUTES = 10
# A difference can be near zero, or below it, in a large group. A shortfall is one of the residents, whoever serves there.
_OF_DIFFERENCE = {"coverage_gap": "residents", "net_change": "in_service"}
# A census is no sample: each of its counties is counted. Seats are no group of people.
_CENSUS, _SEATS = "counties", "seats"
# The quantile of the normal distribution for 95 %.
_Z = 1.959963984540054


@dataclass(frozen=True)
class Group:
    """A group of an answer: its key, its value, what the value is a share of, the 95 % interval where it is a share."""

    key: tuple[Any, ...]
    value: float
    count: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Ranking:
    """The groups that may be ranked, highest first, and those too small for it (largest first).

    `is_first_apart`, `is_last_apart`: whether the highest (lowest) may be named, because it differs from its neighbour.
    """

    ranked: tuple[Group, ...]
    small: tuple[Group, ...]
    is_first_apart: bool
    is_last_apart: bool


def wilson(successes: float, count: float, z: float = _Z) -> tuple[float, float] | None:
    """Wilson's score interval of a share, both bounds in 0 to 1. None where nothing was counted.

    Raises ValueError for more successes than were counted, or fewer than none.
    """
    if not 0 <= successes <= count:
        raise ValueError("a share is made of 0 to all")
    if not count:
        return None
    share = successes / count
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    middle, scale = share + z * z / (2 * count), 1 + z * z / count
    low = 0.0 if successes == 0 else (middle - spread) / scale
    return low, 1.0 if successes == count else (middle + spread) / scale


def least(unit: str) -> int:
    """How many of a unit a group needs to be ranked."""
    return {"institutes": LEAST_INSTITUTES, _CENSUS: 1, _SEATS: 1}.get(unit, LEAST)


def size_of(metric: Metric) -> str:
    """The metric that says how many a group's value is made of.

    The denominator of a share, the numerator of another ratio (persons, not residents, area or a target), the cases of a
    median, those a difference is of, and of a count the count itself.
    """
    whole = catalogue().get(metric.denominator or "")
    if metric.unit == "share" and metric.denominator and not (whole and whole.counts == "targets"):
        return metric.denominator
    return metric.numerator or metric.sample_size or _OF_DIFFERENCE.get(metric.name) or metric.name


def rank(answer: Answer, name: str | None = None) -> Ranking:
    """The groups of an answer by one of its metrics, the first unless named.

    Groups without a member, a value or a size (see `size_of`) are left out. Shares differ where their intervals
    do not overlap, counts and rates where they are not equal.
    """
    metric = next(one for one in answer.metrics if name in (None, one.name))
    counted = size_of(metric)
    unit = catalogue()[counted].unit if counted in catalogue() else metric.unit
    is_share = metric.unit == "share" and counted == metric.denominator and unit != _CENSUS
    groups = []
    for row in answer.records():
        key = tuple(row[dimension] for dimension in answer.by)
        value, count = row[metric.name], row.get(counted)
        if value is None or count is None or None in key:
            continue
        # Persons counted over time can exceed those they are a share of; such a share has no interval.
        has_interval = is_share and 0 <= row[str(metric.numerator)] <= count
        groups.append(Group(key, value, count, wilson(row[str(metric.numerator)], count) if has_interval else None))
    ranked = sorted((one for one in groups if one.count >= least(unit)), key=lambda one: (-one.value, one.key))
    small = sorted((one for one in groups if one.count < least(unit)), key=lambda one: (-one.count, one.key))
    return Ranking(tuple(ranked), tuple(small), _is_apart(ranked[:2]), _is_apart(ranked[:-3:-1]))


def _is_apart(two: Sequence[Group]) -> bool:
    """Whether two neighbours of a ranking differ."""
    if len(two) < 2:
        return False
    one, other = two
    if one.interval is None or other.interval is None:
        return one.value != other.value
    return one.interval[0] > other.interval[1] or one.interval[1] < other.interval[0]
