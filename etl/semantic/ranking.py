"""Which groups may be ranked: those of 23 persons (10 institutes) or more; and whether they differ by more than chance.

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
# A difference can be near zero or negative in a large group, so its group is sized by another metric. A coverage gap is sized
# by residents: it can be large where nobody serves.
_OF_DIFFERENCE = {"coverage_gap": "residents", "net_change": "in_service"}
# A census of counties is no sample, and seats are no group of people: any number of either can be ranked.
_CENSUS, _SEATS = "counties", "seats"
# The quantile of the normal distribution for 95 %; and its 95 % quantile, which chance alone exceeds in one case of twenty.
_Z, _Z_ONE_SIDED = 1.959963984540054, 1.6448536269514722
_FEWEST_GROUPS = 3
_SAMPLED = ("persons", "institutes", "applications", "licences")


@dataclass(frozen=True)
class Group:
    """A group of an answer: its key, its value, its size (see `size_of`), and the 95 % interval of a share."""

    key: tuple[Any, ...]
    value: float
    count: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Ranking:
    """The groups that may be ranked, highest first, and those too small to be ranked (largest first).

    `is_first_apart`, `is_last_apart`: whether the highest (lowest) may be named, because it differs from its neighbour.
    """

    ranked: tuple[Group, ...]
    small: tuple[Group, ...]
    is_first_apart: bool
    is_last_apart: bool


def wilson(successes: float, count: float) -> tuple[float, float] | None:
    """Wilson's score interval of a share, both bounds in 0 to 1. None if `count` is 0.

    Raises ValueError unless `successes` is between 0 and `count`.
    """
    if not 0 <= successes <= count:
        raise ValueError("a share is made of 0 to all")
    if not count:
        return None
    share, z = successes / count, _Z
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    middle, scale = share + z * z / (2 * count), 1 + z * z / count
    low = 0.0 if successes == 0 else (middle - spread) / scale
    return low, 1.0 if successes == count else (middle + spread) / scale


def least(unit: str) -> int:
    """The minimum size of a group to be ranked, in a unit."""
    return {"institutes": LEAST_INSTITUTES, _CENSUS: 1, _SEATS: 1}.get(unit, LEAST)


def size_of(metric: Metric) -> str:
    """The metric that sizes a group.

    For a share its denominator, for another ratio its numerator (persons, not residents, area or a target), for a median the
    number of cases, for a difference see _OF_DIFFERENCE, for a count the count itself.
    """
    whole = catalogue().get(metric.denominator or "")
    if metric.unit == "share" and metric.denominator and not (whole and whole.counts == "targets"):
        return metric.denominator
    return metric.numerator or metric.sample_size or _OF_DIFFERENCE.get(metric.name) or metric.name


def rank(answer: Answer, name: str | None = None) -> Ranking:
    """The groups of an answer by one of its metrics, the first unless named.

    Groups without a member, a value or a size are left out. Shares differ if their intervals do not overlap, counts and
    rates if they are not equal.
    """
    metric = next(metric for metric in answer.metrics if name in (None, metric.name))
    counted = size_of(metric)
    unit = catalogue()[counted].unit if counted in catalogue() else metric.unit
    is_share = metric.unit == "share" and counted == metric.denominator and unit != _CENSUS
    groups = []
    for row in answer.records():
        key = tuple(row[dimension] for dimension in answer.by)
        value, count = row[metric.name], row.get(counted)
        if value is None or count is None or None in key:
            continue
        # Events counted over a period can exceed the persons they are divided by; such a share has no interval.
        has_interval = is_share and 0 <= row[str(metric.numerator)] <= count
        groups.append(Group(key, value, count, wilson(row[str(metric.numerator)], count) if has_interval else None))
    fewest = least(unit)
    ranked = sorted((group for group in groups if group.count >= fewest), key=lambda group: (-group.value, group.key))
    small = sorted((group for group in groups if group.count < fewest), key=lambda group: (-group.count, group.key))
    return Ranking(tuple(ranked), tuple(small), _is_apart(ranked[:2]), _is_apart(ranked[:-3:-1]))


def _is_apart(pair: Sequence[Group]) -> bool:
    """Whether two neighbours of a ranking differ."""
    if len(pair) < 2:
        return False
    first, second = pair
    if first.interval is None or second.interval is None:
        return first.value != second.value
    return first.interval[0] > second.interval[1] or first.interval[1] < second.interval[0]


def is_noise(answer: Answer) -> bool:
    """Whether the first metric is a rate that may be the same in all groups, their differences being chance.

    Pearson's chi-squared test of homogeneity at 5 %, of a binomial share or a Poisson rate, by the approximation of Wilson
    and Hilferty (1931, Proceedings of the National Academy of Sciences 17). False unless the metric
    is a rate whose parts the answer contains, and for fewer than three groups.
    """
    metric = answer.metrics[0]
    part, whole = metric.numerator, metric.denominator
    if not part or not whole or not {part, whole} <= set(answer.columns):
        return False
    if part not in catalogue() or catalogue()[part].unit not in _SAMPLED:
        return False
    groups = [(row[part], row[whole]) for row in answer.records() if row[whole] and row[part] is not None]
    counted, total = sum(count for count, _ in groups), sum(size for _, size in groups)
    if len(groups) < _FEWEST_GROUPS or not counted:
        return False
    rate = counted / total
    # Cases can exceed the group that they are divided by: then they follow Poisson, not a binomial distribution.
    is_binomial = metric.unit == "share" and all(count <= size for count, size in groups)
    left = 1 - rate if is_binomial else 1.0
    if not left:
        return True
    squares = sum((count - size * rate) ** 2 / (size * rate * left) for count, size in groups)
    freedom = len(groups) - 1
    z = ((squares / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return z < _Z_ONE_SIDED
