"""Signals: provinces that stand out, by one method for levels and one for changes.

Level: a province's share against the nation's on a funnel plot whose limits allow for the differences between all provinces
(D. J. Spiegelhalter, 2005, Statistics in Medicine 24, and Quality and Safety in Health Care 14: multiplicative
over-dispersion, z-scores winsorised). Change: a province's share of the nation's monthly events against the limits of its
last months (XmR chart; D. J. Wheeler, 1993, Understanding Variation), so changes of the whole country are no signal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from etl.analysis.registry import analysis
from etl.core import jalali
from etl.core.errors import QuestionError, TooEarly
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue, provisional_days
from etl.semantic.derived import Where, answered
from etl.semantic.provisional import last_settled_day, settled_on
from etl.semantic.ranking import least

STANDARD_ERRORS = 3
WINSORISED = 0.1
MONTHS = 24
# Three standard deviations as a multiple of the mean moving range of two neighbours: 3 / 1.128.
_OF_MOVING_RANGE = 3 / 1.128


@dataclass(frozen=True)
class Point:
    """A group on a funnel plot: `part` of `count`, its share, its z-score, and whether it lies beyond the limits.

    `beyond`: how many more (negative: fewer) it has than at the common share.
    """

    group: Any
    part: float
    count: float
    share: float
    z: float
    beyond: float
    is_signal: bool


@dataclass(frozen=True)
class Funnel:
    """The common share, the over-dispersion φ (at least 1: the limits are never narrower than chance), the points."""

    common: float
    phi: float
    points: tuple[Point, ...]

    def limits(self, count: float) -> tuple[float, float]:
        """The lower and upper limit of a share of `count`."""
        wide = STANDARD_ERRORS * math.sqrt(self.phi * self.common * (1 - self.common) / count)
        return max(0.0, self.common - wide), min(1.0, self.common + wide)


def winsorised(values: Sequence[float]) -> list[float]:
    """The values in order, with the lowest and the highest tenth set to the nearest of the others."""
    ordered = sorted(values)
    cut = int(WINSORISED * len(ordered) + 1e-9)
    low, high = ordered[cut], ordered[len(ordered) - 1 - cut]
    return [min(max(value, low), high) for value in values]


def funnel(groups: Sequence[tuple[Any, float, float]], smallest: int = 0, common: float | None = None) -> Funnel | None:
    """A funnel of (group, part, count), the farthest beyond the common share first. None if nothing was counted.

    `common` is the share that all are compared with, by default the share of all together.
    φ = mean of the squared winsorised z-scores, the limits common ± 3 √(φ common (1 - common) / count). Groups of fewer than
    `smallest` get a point but are never a signal.
    """
    counted = [(group, part, count) for group, part, count in groups if count > 0]
    everyone = sum(count for _, _, count in counted)
    if not everyone:
        return None
    common = sum(part for _, part, _ in counted) / everyone if common is None else common
    errors = [math.sqrt(common * (1 - common) / count) for _, _, count in counted]
    scores = [
        (part / count - common) / error if error else 0.0
        for (_, part, count), error in zip(counted, errors, strict=True)
    ]
    phi = max(1.0, sum(score * score for score in winsorised(scores)) / len(scores))
    limit = STANDARD_ERRORS * math.sqrt(phi)
    points = [
        Point(group, part, count, part / count, z, part - common * count, abs(z) > limit and count >= smallest)
        for (group, part, count), z in zip(counted, scores, strict=True)
    ]
    return Funnel(common, phi, tuple(sorted(points, key=lambda point: (-abs(point.beyond), str(point.group)))))


def process_limits(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lower process limit of the last axis, its mean, and the upper limit, by its mean moving range."""
    middle = values.mean(-1)
    wide = _OF_MOVING_RANGE * np.abs(np.diff(values)).mean(-1)
    return middle - wide, middle, middle + wide


@analysis(asks=("training_compliance",))
def level_signals(con: ScopedCursor, on: date, where: Where, name: str = "training_compliance") -> Answer:
    """Each province's share on the nation's funnel, the farthest from the nation's share first.

    Rows: (province, the share, beyond_common, funnel_z, funnel_low, funnel_high, funnel_phi, then the share's two parts,
    is_signal and the common share). A share that may still change by itself is asked on the last settled month's end.
    Fewer than 23 persons (10 institutes) are no signal. Raises QuestionError for a metric that is no share measured on a
    day, TooEarly where no month is settled yet.
    """
    metric = catalogue().get(name)
    if not (
        metric and metric.kind == "snapshot" and metric.unit == "share" and metric.numerator and metric.denominator
    ):
        raise QuestionError(f"{name} is no share measured on a day; levels are compared by one")
    day = settled_on(con, name, on)
    if day is None:
        raise TooEarly(f"{name}: no month is settled yet")
    places = ask(con, name, by=("province",), on=day, where=where)
    nation = ask(con, name, on=day, where=_without_province(where))
    groups = [
        (row["province"], row[metric.numerator], row[metric.denominator])
        for row in places.records()
        if row["province"] is not None and row[metric.denominator]
    ]
    rows: list[tuple[Any, ...]] = []
    if plot := funnel(groups, least(catalogue()[metric.denominator].unit), nation.value()):
        for point in plot.points:
            numbers = (point.share, point.beyond, point.z, *plot.limits(point.count), plot.phi)
            rows.append((point.group, *numbers, point.part, point.count, point.is_signal, plot.common))
    names = (name, "beyond_common", "funnel_z", "funnel_low", "funnel_high", "funnel_phi")
    more = (metric.numerator, metric.denominator, "is_signal", "common")
    return answered(places, ("province",), names, rows, on=day, also=(nation,), more=more)


@analysis(asks=("joiners",))
def change_signals(con: ScopedCursor, on: date, where: Where, name: str = "joiners") -> Answer:
    """Each province's share of the nation's events in the last 24 months, with its natural process limits.

    Rows: (province, month, flow_share, flow_low, flow_middle, flow_high, then the province's flow, the nation's and
    is_signal). The months are the latest complete ones that are settled; one in which the nation has none is left out.
    Raises QuestionError for a metric that is no count over a period, TooEarly where there are fewer such months.
    """
    metric = catalogue().get(name)
    if metric is None or metric.kind != "event" or metric.denominator:
        raise QuestionError(f"{name} is no count over a period; changes are looked for in one")
    day = last_settled_day(on, provisional_days(name))
    over = jalali.last_complete_months(day, MONTHS)
    ((begin,),) = con.numbers.execute("select min(hired_on) from spells").fetchall()
    if begin is None or begin > over[0]:
        raise TooEarly(f"{name}: changes are looked for in {MONTHS} settled months, and the register has fewer")
    by_place = ask(con, name, by=("province", "month"), over=over, where=where)
    nation = ask(con, name, by=("month",), over=over, where=_without_province(where))
    national = {month: count for month, count in nation.rows if count}
    flows = {(place, month): count for place, month, count in by_place.rows if place is not None}
    rows: list[tuple[Any, ...]] = []
    for place in sorted({place for place, _ in flows}):
        shares = {month: flows.get((place, month), 0) / count for month, count in national.items()}
        if process := limits(list(shares.values())):
            low, middle, high = process
            for month, share in shares.items():
                numbers = (share, max(0.0, low), middle, min(1.0, high), flows.get((place, month), 0), national[month])
                rows.append((place, month, *numbers, not low <= share <= high))
    names = ("flow_share", "flow_low", "flow_middle", "flow_high")
    more = ("flow_here", "flow_nation", "is_signal")
    return answered(by_place, ("province", "month"), names, rows, over=over, also=(nation,), more=more)


def _without_province(where: Where) -> dict[str, Sequence[str]]:
    return {name: values for name, values in where.items() if name != "province"}
