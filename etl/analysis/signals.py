"""Signals: provinces that stand out, by one method for levels and one for changes.

Level: a province's share against the nation's on a funnel plot whose limits allow for the differences between all provinces
(D. J. Spiegelhalter, 2005, Statistics in Medicine 24, and Quality and Safety in Health Care 14: multiplicative
over-dispersion, z-scores winsorised), at least for those that institutes as clusters make by chance. Change: a province's share
of the nation's monthly events against the limits of its last months (XmR chart; D. J. Wheeler, 1993, Understanding Variation),
so changes of the whole country are no signal; the limits are wider in months with few events (p′ chart; D. B. Laney, 2002,
Quality Engineering 14).

Breaks of a series: months whose net change lies outside the limits of the 24 months before it (XmR chart), and as far from the
same month in these two years. The limits leave out what the season explains, so that a step below the dip of one month a year is
found. A change back from the level since a break, its end, is one too. Months within the limits may run to one side of the level.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from etl.analysis.analyses import analysis
from etl.analysis.different import design_effect, spread_of
from etl.core import jalali
from etl.core.errors import AccessDenied, QuestionError, TooEarly
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, Metric, ask
from etl.semantic.catalog import catalogue, provisional_days
from etl.semantic.composed_answers import Where, compose
from etl.semantic.ranking import is_sampled, least
from etl.semantic.resolve import last_settled_day, settled_on

STANDARD_ERRORS = 3
WINSORISED = 0.1
MONTHS = 24
# Three standard deviations as a multiple of the mean moving range of two neighbours: 3 / 1.128.
_OF_MOVING_RANGE = 3 / 1.128
# The standard deviation of the difference between one month and the mean of two others, as a multiple of that of one.
_OF_TWO_YEARS = math.sqrt(3 / 2)
# The months after a break before which its level is not known.
FEWEST_AFTER_BREAK = 3
# Runs to one side: so many of so many neighbours beyond such a part of the limit (Western Electric, 1956, rules 2 and 3).
_RUNS = ((2, 3, 2 / 3), (4, 5, 1 / 3))


@dataclass(frozen=True)
class Funnel:
    """The common share, the over-dispersion φ, and the points: part, count, share, z, beyond, is_signal of each group.

    `beyond`: how many more (negative: fewer) a group has than at the common share.
    """

    common: float
    phi: float
    points: pd.DataFrame

    def limits(self, count: Any) -> tuple[Any, Any]:
        """The lower and upper limit of a share of `count`."""
        wide = STANDARD_ERRORS * np.sqrt(self.phi * self.common * (1 - self.common) / count)
        return np.maximum(0.0, self.common - wide), np.minimum(1.0, self.common + wide)


def winsorised(values: Sequence[float]) -> np.ndarray:
    """The values in order, with the lowest and the highest tenth set to the nearest of the others."""
    ordered = np.sort(values)
    cut = int(WINSORISED * len(ordered) + 1e-9)
    return ordered.clip(ordered[cut], ordered[len(ordered) - 1 - cut])


def funnel(groups: pd.DataFrame, smallest: int = 0, common: float | None = None, chance: float = 1.0) -> Funnel | None:
    """A funnel of groups (index) with a part and a count (columns), the farthest beyond the common share first.

    None if nothing was counted. `common` is the share that all are compared with, by default the share of all together.
    φ = mean of the squared winsorised z-scores, at least `chance`: the limits common ± 3 √(φ common (1 - common) / count) are
    never narrower than by chance. Groups of fewer than `smallest` get a point but are never a signal.
    """
    points = groups.set_axis(["part", "count"], axis=1)[groups.iloc[:, 1] > 0].astype(float)
    if points.empty:
        return None
    part, count = points["part"], points["count"]
    common = float(part.sum() / count.sum()) if common is None else common
    points["share"] = part / count
    errors = np.sqrt(common * (1 - common) / count)
    points["z"] = ((points["share"] - common) / errors.where(errors > 0)).fillna(0)
    points["beyond"] = part - common * count
    phi = max(chance, float((winsorised(points["z"]) ** 2).mean()))
    points["is_signal"] = (points["z"].abs() > STANDARD_ERRORS * math.sqrt(phi)) & (count >= smallest)
    order = np.lexsort([points.index.astype(str), -points["beyond"].abs()])
    return Funnel(common, phi, points.iloc[order])


def process_limits(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lower process limit of the last axis, its mean, and the upper limit, by its mean moving range."""
    middle = values.mean(-1)
    wide = _OF_MOVING_RANGE * np.abs(np.diff(values)).mean(-1)
    return middle - wide, middle, middle + wide


def share_limits(counts: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lower limit of each share of the last axis, their common share, and the upper limit: a p′ chart.

    The z-scores of the shares have the process limits of an XmR chart; a month's limits are as wide as its total makes them.
    """
    common = counts.sum(-1, keepdims=True) / totals.sum(-1, keepdims=True)
    errors = np.sqrt(common * (1 - common) / totals)
    scores = np.divide(counts / totals - common, errors, out=np.zeros_like(errors), where=errors > 0)
    # The range of a single month is unknown.
    moving_range = np.abs(np.diff(scores)).sum(-1, keepdims=True) / (scores.shape[-1] - 1 or np.nan)
    wide = errors * _OF_MOVING_RANGE * moving_range
    return common - wide, np.broadcast_to(common, wide.shape), common + wide


def has_levels(metric: Metric) -> bool:
    """Whether provinces are compared by the level of a measure: a share, measured on a day, whose differences may be chance."""
    return metric.kind == "snapshot" and metric.unit == "share" and is_sampled(metric)


def has_changes(metric: Metric) -> bool:
    """Whether a province's months of a measure are compared: a count over a period, of which a province has a share."""
    return metric.kind == "event" and not (metric.denominator or metric.sample_size or metric.is_difference)


@analysis(asks=("training_compliance",), open_by=("",))
def level_signals(con: ScopedCursor, on: date, where: Where, name: str = "training_compliance") -> Answer:
    """Each province's share on the nation's funnel, the farthest from the nation's share first.

    Rows: (province, the share, beyond_common, funnel_z, funnel_low, funnel_high, funnel_phi, then the share's two parts,
    is_signal and the common share). A share that may still change by itself is asked on the last settled month's end.
    Fewer than 23 persons (10 institutes) are no signal. Raises QuestionError for a metric that is no share measured on a
    day, TooEarly where no month is settled yet.
    """
    metric = catalogue().get(name)
    if not (metric and has_levels(metric) and metric.numerator and metric.denominator):
        raise QuestionError(f"{name} is no share measured on a day; levels are compared by one")
    day = settled_on(con, name, on)
    if day is None:
        raise TooEarly(f"{name}: no month is settled yet")
    places = ask(con, name, by=("province",), on=day, where=where)
    nation = _of_nation(ask(con, name, on=day, where=_without_province(where)))
    part, count = metric.numerator, metric.denominator
    institutes = ask(con, name, by=("province", "institute"), on=day, where=_without_province(where))
    groups = places.frame.dropna(subset=["province"]).set_index("province")[[part, count]].fillna(0)
    plot = funnel(groups, least(catalogue()[count].unit), nation.value(), chance(institutes.frame, part, count))
    names = (name, "beyond_common", "funnel_z", "funnel_low", "funnel_high", "funnel_phi")
    more = (part, count, "is_signal", "common")
    rows = pd.DataFrame(columns=["province", *names, *more])
    if plot:
        low, high = plot.limits(plot.points["count"])
        rows = plot.points.assign(
            funnel_low=low, funnel_high=high, funnel_phi=plot.phi, common=plot.common
        ).reset_index()
        renamed = {"share": name, "beyond": "beyond_common", "z": "funnel_z", "part": part, "count": count}
        rows = rows.rename(columns=renamed)
    return compose(places, ("province",), names, rows, on=day, also=(nation, institutes), more=more)


def chance(institutes: pd.DataFrame, part: str, count: str) -> float:
    """How many times more than independent people the institutes of a province vary around its share."""
    frame = institutes[institutes["province"].notna() & (institutes[count] > 0)]
    at, _ = pd.factorize(frame["province"])
    parts, counts = (frame[name].fillna(0).to_numpy(float) for name in (part, count))
    people = np.bincount(at, counts)
    share = np.bincount(at, parts) / people
    return design_effect(parts - share[at] * counts, spread_of(share) * people, np.bincount(at))


@analysis(asks=("joiners",), open_by=("",))
def change_signals(con: ScopedCursor, on: date, where: Where, name: str = "joiners") -> Answer:
    """Each province's share of the nation's events in the last 24 months, with its natural process limits.

    Rows: (province, month, flow_share, flow_low, flow_middle, flow_high, then the province's flow, the nation's and
    is_signal). The months are the latest complete ones that are settled; one in which the nation has none is left out.
    Raises QuestionError for a metric that is no count over a period, TooEarly where there are fewer such months.
    """
    metric = catalogue().get(name)
    if metric is None or not has_changes(metric):
        raise QuestionError(f"{name} is no count over a period; changes are looked for in one")
    day = last_settled_day(on, provisional_days(name))
    over = jalali.last_complete_months(day, MONTHS)
    if con.begins_on is None or con.begins_on > over[0]:
        raise TooEarly(f"{name}: changes are looked for in {MONTHS} settled months, and the register has fewer")
    by_place = ask(con, name, by=("province", "month"), over=over, where=where)
    nation = _of_nation(ask(con, name, by=("month",), over=over, where=_without_province(where)))
    national = nation.frame.set_index("month")[name]
    national = national[national > 0]
    flows = by_place.frame.dropna(subset=["province"]).pivot(index="province", columns="month", values=name)
    flows = flows.reindex(columns=national.index).fillna(0).rename_axis(columns="month")
    low, middle, high = share_limits(flows.to_numpy(float), national.to_numpy(float)[None, :])
    rows = flows.stack().rename("flow_here").reset_index()
    rows["flow_nation"] = rows["month"].map(national)
    rows["flow_share"] = rows["flow_here"] / rows["flow_nation"]
    low, middle, high = (limit.ravel() for limit in (low, middle, high))
    rows["is_signal"] = (rows["flow_share"] < low - 1e-12) | (rows["flow_share"] > high + 1e-12)
    rows = rows.assign(flow_low=low.clip(0), flow_middle=middle, flow_high=high.clip(max=1))
    rows[["flow_here", "flow_nation"]] = rows[["flow_here", "flow_nation"]].astype(int)
    names = ("flow_share", "flow_low", "flow_middle", "flow_high")
    more = ("flow_here", "flow_nation", "is_signal")
    found = compose(by_place, ("province", "month"), names, rows, over=over, also=(nation,), more=more)
    share, *limits = found.metrics
    label, short = (
        {lang: f"{words} ({of[lang]})" for lang, words in share.label.items()} for of in (metric.label, metric.short)
    )
    return replace(found, metrics=(replace(share, label=label, short=short), *limits))


def _of_nation(answer: Answer) -> Answer:
    """The answer, if it is the nation's. Raises AccessDenied for that of the own provinces."""
    if answer.left_out:
        raise AccessDenied
    return answer


def _without_province(where: Where) -> dict[str, Sequence[str]]:
    return {name: values for name, values in where.items() if name != "province"}


def break_sizes(active: np.ndarray, most: int) -> np.ndarray:
    """Each of the last `most` net changes (or as many as there are): how far it is from its level if a break, else 0.

    The months are the last axis. A size rests on the months up to it alone.
    """
    return breaks_and_runs(active)[0][..., -most:]


def breaks_and_runs(active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each net change: its size as a break, and the mean distance from the level of the run to one side that it ends; else 0."""
    changes = np.diff(active).astype(float)
    sizes, runs = np.zeros(changes.shape), np.zeros(changes.shape)
    if changes.shape[-1] > MONTHS:
        sizes[..., MONTHS:], apart, wide = _breaks(changes)
        # Where nothing varies, less than a person would be one.
        sizes[np.abs(sizes) < 1] = 0
        runs[..., MONTHS:] = _runs(apart, wide)
    return sizes, runs


def _runs(apart: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """The mean distance of the months of the run that each month ends, the farther of two; 0 of a month that ends none."""
    runs = np.zeros_like(apart)
    for fewest, months, part in _RUNS:
        before = ((0, 0),) * (apart.ndim - 1) + ((months - 1, 0),)
        of = sliding_window_view(np.pad(apart, before), months, axis=-1)
        limit = part * sliding_window_view(np.pad(wide, before), months, axis=-1)
        is_run = np.maximum((of > limit).sum(-1), (of < -limit).sum(-1)) >= fewest
        runs = np.where(is_run & (np.abs(of.mean(-1)) > np.abs(runs)), of.mean(-1), runs)
    return runs


def _breaks(changes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sizes of the breaks among the changes after the first 24, 0 of a month that is none; how far all others are from level
    and season, and how far they may be.

    The level is the mean of the 24 months before; for 24 months after a break that of the months since it, of three at least:

        net change   400  410  395   −900  −890  −910  −905    400
        level        400  401  402    402   402   402  −900   −901
        size           0    0    0  −1302     0     0     0   1301

    The fourth month is a break; the two after it are on its side, while the new level is not known; the last one is its end.
    """
    before, last = sliding_window_view(changes, MONTHS + 1, axis=-1)[..., :-1], changes[..., MONTHS:]
    _, middle, high = process_limits(before)
    wide = np.minimum(high - middle, _limit_without_season(changes))
    # The same month of the two years before.
    apart, same = last - middle, np.stack([before[..., 0], before[..., 12]]) - middle
    total = np.concatenate([np.zeros_like(last[..., :1]), np.cumsum(last, axis=-1)], axis=-1)
    sizes, side = np.zeros(last.shape), np.zeros(last.shape[:-1])
    # No break before the first of these months.
    since = np.full(last.shape[:-1], -MONTHS - 1)
    for at in range(last.shape[-1]):
        months = at - 1 - since
        is_after = (months >= FEWEST_AFTER_BREAK) & (months < MONTHS)
        first = np.maximum(since + 1, 0)[..., None]
        level = (total[..., at] - np.take_along_axis(total, first, axis=-1)[..., 0]) / np.maximum(months, 1)
        apart[..., at] = np.where(is_after, last[..., at] - level, apart[..., at])
        if at >= MONTHS:
            same[..., at] = apart[..., at - MONTHS], apart[..., at - 12]
        from_season = apart[..., at] - same[..., at].mean(0)
        beyond = from_season / _OF_TWO_YEARS
        # A month that is outside every year, but not this year, is measured from its season: Farvardin without its dip.
        is_missed = (-np.sign(beyond) * same[..., at] > wide[..., at]).all(0)
        far = np.where(is_missed, from_season, apart[..., at])
        is_fall = np.maximum(far, beyond) < -wide[..., at]
        is_rise = np.minimum(far, beyond) > wide[..., at]
        now = is_rise.astype(int) - is_fall
        sizes[..., at] = np.where(now != 0, far, 0)
        # The months right after a break on its side are the same one: the level since it is not known yet.
        is_new = (now != 0) & ((months >= FEWEST_AFTER_BREAK) | (now != side))
        since, side = np.where(is_new, at, since), np.where(is_new, now, side)
    beyond = (apart - same.mean(0)) / _OF_TWO_YEARS
    nearer = np.sign(apart) * np.minimum(np.abs(apart), np.abs(beyond))
    return sizes, np.where((sizes == 0) & (apart * beyond > 0), nearer, 0), wide


def _limit_without_season(changes: np.ndarray) -> np.ndarray:
    """How far each change after the first 24 may be from its level, by the moving range of what the season does not explain.

    The season is the mean of each calendar month in the three years before, of two while there are no more; what is left of 24
    months is as much smaller as these means follow the months. The limit is that of the difference between one month and two, and
    no narrower than chance makes counts differ.
    """
    limits = np.empty((*changes.shape[:-1], changes.shape[-1] - MONTHS))
    for years in (2, 3):
        if changes.shape[-1] <= 12 * years:
            break
        before = sliding_window_view(changes, 12 * years + 1, axis=-1)[..., :-1]
        by_year = before.reshape(*before.shape[:-1], years, 12)
        left = (by_year - by_year.mean(-2, keepdims=True)).reshape(before.shape)[..., -MONTHS:]
        spread = _OF_MOVING_RANGE * np.abs(np.diff(left)).mean(-1) * math.sqrt(years / (years - 1))
        chance = STANDARD_ERRORS * np.sqrt(np.abs(before[..., -MONTHS:]).mean(-1))
        limits[..., 12 * years - MONTHS :] = _OF_TWO_YEARS * np.maximum(spread, chance)
    return limits


def monthly_profiles(changes: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The mean deviation of each calendar month from the level of its time, where breaks separate levels; one row each."""
    number = np.cumsum(~kept, axis=1)
    levels = number[..., None] == np.arange(number.max(initial=0) + 1)
    months = np.broadcast_to(np.resize(np.eye(12), (changes.shape[1], 12)), (*changes.shape, 12))
    design = np.concatenate([levels, months], axis=2) * kept[..., None]
    # Least squares by the normal equations, which NumPy solves for all rows at once; their numbers are counts.
    inverse = np.linalg.pinv(design.mT @ design, rcond=1e-9, hermitian=True)
    found = (inverse @ (design.mT @ changes[..., None]))[:, -12:, 0]
    return found - found.mean(axis=1, keepdims=True)
