"""What can be compared: groups that are large enough, in their order, and 12 months with a Nowruz.

On which side of the whole a group is, is what etl.analysis.different answers; an answer that carries its word for each group
has the column `side`.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from persiantools.jdatetime import JalaliDate

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, Metric, catalogue, counts_a_year, entries, size_of, tables

# The gap of a place is its distance from the nation's coverage in people, so the sides of the one are those of the other.
COMPARED_AS = {"coverage_gap": "coverage_per_10k"}
LEAST = 23
LEAST_INSTITUTES = LEAST_COUNTIES = 10
# A census of counties is no sample, but the share of a few is no finding; seats are no group of people.
_CENSUS, _SEATS = "counties", "seats"
# What chance can give one group more of than another.
_SAMPLED = ("persons", "mean_persons", "person_courses", "institutes", "applications", "licences", "completions")
# Dimensions whose groups are bands of numbers, some of them wider than others.
_BANDS = ("age_band", "tenure_band", "size")


@dataclass(frozen=True)
class Group:
    """A group of an answer: its key, its value, its size (see `size_of`), and its `side` of the whole, where it is known."""

    key: tuple[Any, ...]
    value: float
    count: float
    side: str


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


def is_tested(name: str, by: str = "province") -> bool:
    """Whether etl.analysis.different has an answer: a rate of what institutes have, and groups of several institutes.

    Residents are those of places alone. The rate of a course is of that course alone, and that of the whole of all courses.
    """
    rate = catalogue().get(name)
    return (
        rate is not None
        and is_sampled(rate)
        and {by, "institute"} <= rate.dimensions - {*TIME}
        and by not in ("institute", "course")
    )


def worse_side(metric: Metric) -> str:
    """The side on which groups are worse; empty without a direction."""
    return {"up": "lower", "down": "higher"}.get(metric.direction, "")


def is_full_count(name: str) -> bool:
    """Whether a rate is one of people per resident or area: everybody is counted and nothing sampled, so no test decides."""
    rate = catalogue().get(COMPARED_AS.get(name, name))
    measure = entries()["metric"].get((rate and rate.denominator) or "", {})
    return measure.get("table") is not None and tables()[measure["table"]].is_lookup


def named_sides(metric: Metric) -> tuple[str, str]:
    """The two sides of the whole, low and high, whose groups are named: of a full count those that are far from it."""
    return ("far_lower", "far_higher") if is_full_count(metric.name) else ("lower", "higher")


def named_side(metric: Metric) -> str:
    """The side on which groups are worse and named; empty without a direction."""
    worse = worse_side(metric)
    return worse and named_sides(metric)[worse == "higher"]


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
    is_large = {group: group.count >= fewest or group.side not in ("", "untested") for group in groups}
    ranked = sorted((group for group in groups if is_large[group]), key=lambda group: (-group.value, group.key))
    small = sorted((group for group in groups if not is_large[group]), key=lambda group: (-group.count, group.key))
    return Ranking(tuple(ranked), tuple(small))


def is_narrowest(answer: Answer, key: tuple[Any, ...]) -> bool:
    """Whether no band is narrower than that of the group: a wider one would hold more for its width alone."""

    def width(band: str) -> float:
        low, _, high = band.partition("-")
        return math.inf if "+" in band else int(high or low) - int(low)

    banded = [at for at, axis in enumerate(answer.by) if axis in _BANDS]
    return all(width(key[at]) <= min(width(row[at]) for row in answer.rows if row[at]) for at in banded)


def comparable(answer: Answer) -> Answer:
    """The answer, without the numbers that count 12 months without a Nowruz: they are None. The same one if it has none.

    Months are added in the Gregorian calendar, and a leap year ends a day later. Most contracts end at Nowruz, so the events
    of the 12 months to 30 Esfand are too few to be compared with other months.
    """
    of_years = {metric.name for metric in answer.metrics if metric.name in catalogue() and counts_a_year(metric.name)}
    unit = next((name for name in TIME if name in answer.by), None)
    if not of_years or not unit:
        return answer
    at = answer.by.index(unit)

    def kept(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(None if name in of_years else value for name, value in zip(answer.columns, row, strict=True))

    rows = [kept(row) if _ends_a_leap_year(answer, str(row[at])) else row for row in answer.rows]
    return replace(answer, rows=rows) if rows != answer.rows else answer


def _ends_a_leap_year(answer: Answer, label: str) -> bool:
    """Whether a Jalali unit of time is measured on 30 Esfand."""
    year, _, unit = label.partition("-")
    if unit not in ("", "12", "Q4") or not JalaliDate.is_leap(int(year)):
        return False
    return JalaliDate(int(year), 12, 30).to_gregorian() <= answer.publication.as_of
