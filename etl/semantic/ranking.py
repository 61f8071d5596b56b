"""How large a group must be to be compared, and the order of the groups of an answer.

Whether rates differ beyond chance is what etl.analysis.different answers; an answer that carries its word for each group has
the column `side`.
"""

from dataclasses import dataclass
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import Metric, catalogue, size_of

LEAST = 23
LEAST_INSTITUTES = LEAST_COUNTIES = 10
# A census of counties is no sample, but the share of a few is no finding; seats are no group of people.
_CENSUS, _SEATS = "counties", "seats"
# What chance can give one group more of than another.
_SAMPLED = ("persons", "mean_persons", "person_courses", "institutes", "applications", "licences", "completions")


@dataclass(frozen=True)
class Group:
    """A group of an answer: its key, its value, its size (see `size_of`), and its `side` of the whole, where it is known."""

    key: tuple[Any, ...]
    value: float
    count: float
    side: str = ""


@dataclass(frozen=True)
class Ranking:
    """The groups that are large enough to be compared, highest first, and the others (largest first)."""

    ranked: tuple[Group, ...]
    small: tuple[Group, ...]


def is_sampled(metric: Metric) -> bool:
    """Whether a metric is a rate whose differences may be chance: of people or institutes, not of a census or a target."""
    parts = [catalogue().get(name or "") for name in (metric.numerator, metric.denominator)]
    if None in parts or not (metric.unit == "share" or metric.unit.startswith("per_1")):
        return False
    part, whole = (one for one in parts if one)
    return part.unit in _SAMPLED and whole.unit != _CENSUS and whole.counts != "targets"


def worse_side(metric: Metric) -> str:
    """The side on which groups are worse; empty without a direction."""
    return {"up": "lower", "down": "higher"}.get(metric.direction, "")


def least(unit: str) -> int:
    """The minimum size of a group to be ranked, in a unit."""
    return {"institutes": LEAST_INSTITUTES, _CENSUS: LEAST_COUNTIES, _SEATS: 1}.get(unit, LEAST)


def has_small_groups(metric: Metric) -> bool:
    """Whether groups may be too small to be compared; few cases of a problem are good, not too few."""
    return size_of(metric) != metric.name or worse_side(metric) != "higher"


def rank(answer: Answer, name: str | None = None) -> Ranking:
    """The groups of an answer by one of its metrics, the first unless named.

    Groups without a member, a value or a size are left out.
    """
    metric = next(metric for metric in answer.metrics if name in (None, metric.name))
    counted = size_of(metric)
    unit = catalogue()[counted].unit if counted in catalogue() else metric.unit
    groups = []
    for row in answer.records():
        key = tuple(row[dimension] for dimension in answer.by)
        value, count = row[metric.name], row.get(counted)
        if value is not None and count is not None and None not in key:
            groups.append(Group(key, value, count, row.get("side", "")))
    fewest = least(unit) if has_small_groups(metric) else 0
    # A place with few people is large enough where more would be expected.
    is_large = {group: group.count >= fewest or group.side in ("lower", "higher", "none") for group in groups}
    ranked = sorted((group for group in groups if is_large[group]), key=lambda group: (-group.value, group.key))
    small = sorted((group for group in groups if not is_large[group]), key=lambda group: (-group.count, group.key))
    return Ranking(tuple(ranked), tuple(small))
