"""Why a rate or a count differs between two days or two places: the exact split of the difference by the groups of a dimension.

E. M. Kitagawa (1955), JASA 50, symmetric; composition effects are centred on the mean of both rates. It is arithmetic: it
proves no cause.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.core import jalali
from etl.core.errors import AccessDenied, QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import DIMENSIONS, TIME, Metric, catalogue, expand, tables
from etl.semantic.combine import ratio
from etl.semantic.composed_answers import Where, compose
from etl.semantic.open_totals import members_in_scope
from etl.semantic.resolve import metrics_named
from etl.warehouse.dimensions import ALL, PLACES, SPELL

SMALLEST = 23
NATION = "nation"
SMALL, OVERLAP, TOTAL = "small", "overlap", "total"
# The dimensions among which the first one shown is chosen.
CHOICE = tuple(name for name in SPELL if name != "county")
_COUNTS = frozenset(
    ["persons", "residents", "institutes", "counties", "applications", "licences", "completions", "hours"]
)
_OF_RATES = ("share_before", "share_after", "rate_before", "rate_after", "rate_effect", "composition_effect", "effect")
_OF_COUNTS = ("before", "after", "effect")
_Side = tuple[date, Where]
# What is counted of each group: before, then after.
_Counts = dict[str | None, list[float]]


@analysis(asks=(), open_by=("province",))
def why(
    con: ScopedCursor,
    on: date,
    where: Where,
    metric: str,
    by: str = "",
    before: date | None = None,
    against: str = "",
    smallest: int = SMALLEST,
) -> Answer:
    """The parts of the difference between two days (`before` and `on`) or two places (`against` and `where`), then the total.

    Rows of a rate: (by, share_before … effect), where effect = rate_effect + composition_effect; of a count: (by, before, after,
    effect). Groups under `smallest` persons on a side where they exist are one row `small`; `overlap` is what persons counted
    in two groups add. `against` is DIM=VALUE[,VALUE] or nation; without `by` it is the `best_dimension`. A flow is counted over
    the 12 complete months up to the day. Raises QuestionError where nobody is counted on a side.
    """
    entry = _checked(metric)
    sides = _sides(con, on, where, before, against)
    by, parts, answers = (by, *_parts(con, entry, by, sides, smallest)) if by else _best(con, entry, sides, smallest)
    names = _OF_RATES if entry.denominator else _OF_COUNTS
    answer = compose(answers[1], (by,), names, parts, on=on, also=answers)
    # Rates, counts and effects have the unit of the metric, shares their own.
    units = [
        column if column.name.startswith("share") else replace(column, unit=entry.unit) for column in answer.metrics
    ]
    return replace(answer, metrics=tuple(units))


def dimensions(name: str) -> tuple[str, ...]:
    """The dimensions by which the difference of a metric splits. Raises QuestionError for a metric that has no parts."""
    metric = _checked(name)
    return tuple(by for by in DIMENSIONS if by in metric.dimensions and by not in TIME and _splits(metric, by))


def between_places(before: Where, after: Where) -> bool:
    """Whether two sides are of different places, which have no place inside in common: a split by those explains nothing."""
    return any(before.get(place) != after.get(place) for place in PLACES)


def best_dimension(parts: Mapping[str, pd.DataFrame]) -> str:
    """The dimension whose two largest parts explain most beyond what is theirs by size, of the parts by dimension.

    Of two groups the two parts are always all of the difference, and two groups that hold most people explain most of any
    difference: a dimension of more than two groups comes first, and what people of a group would explain if all groups had
    changed alike is taken off.
    """

    def beyond_size(by: str) -> tuple[bool, float]:
        rows = {row[by]: row for row in parts[by].to_dict("records")}
        total = rows[TOTAL]
        named = [row for member, row in rows.items() if member not in (SMALL, OVERLAP, TOTAL)]
        largest = sorted(named, key=lambda row: -abs(row["effect"]))[:2]
        sizes = ["share_before", "share_after"] if "share_before" in total else ["before", "after"]
        known = [sum(row[size] for row in largest) / total[size] for size in sizes if total[size]]
        change = abs(total["effect"])
        explained = change - abs(total["effect"] - sum(row["effect"] for row in largest))
        return len(named) > 2, explained - (sum(known) / len(known) if known else 0) * change

    return max(parts, key=beyond_size)


def decomposed(counts: pd.DataFrame, wholes: Sequence[Sequence[float]], scale: float = 1) -> pd.DataFrame:
    """The parts of the difference of a rate, with the columns `_OF_RATES`, and the rows `overlap` and `total` below.

    `counts`: a row for each group, with what its rate counts (k0 before, k1 after) and of how many (n0, n1). `wholes`: the
    same of all groups together on both sides, from which the sum of the groups differs where they overlap. A group on one
    side only has the rate of that side on both.
    """
    (k0, n0), (k1, n1) = wholes
    rates = scale * k0 / n0, scale * k1 / n1
    counted = counts[["k0", "n0", "k1", "n1"]].to_numpy(float)
    above, below = counted[:, ::2], counted[:, 1::2]
    shares = below / (n0, n1)
    # A rate of nobody is unknown.
    known = scale * above / np.where(below != 0, below, np.nan)
    by_rate = np.nan_to_num(shares.mean(axis=1) * (known[:, 1] - known[:, 0]))
    # The mean rate times the change of the share, and all of a group whose rate is unknown on a side.
    effect = scale * (above[:, 1] / n1 - above[:, 0] / n0) - sum(rates) / 2 * (shares[:, 1] - shares[:, 0])
    change = rates[1] - rates[0]
    rows, members = np.column_stack([shares, known, by_rate, effect - by_rate, effect]), [*counts.index]
    if not np.allclose(counted.sum(axis=0), (k0, n0, k1, n1), rtol=1e-9, atol=1e-9):
        rest = change - effect.sum()
        rows = np.vstack([rows, (*(1 - shares.sum(axis=0)), np.nan, np.nan, 0.0, rest, rest)])
        members.append(OVERLAP)
    rows = np.vstack([rows, (1.0, 1.0, *rates, *rows[:, 4:6].sum(axis=0), change)])
    return pd.DataFrame(rows, index=pd.Index([*members, TOTAL], dtype=object), columns=[*_OF_RATES])


def _checked(name: str) -> Metric:
    """The metric, if it is a count or a rate of two counts. Raises QuestionError for any other."""
    (metric,) = metrics_named((name,))
    parts = [catalogue()[part] for part in (metric.numerator, metric.denominator) if part] or [metric]
    # `coverage_gap` counts persons, but is no count.
    counted = [part for measured in parts for part in expand(measured.name, frozenset()).values()]
    is_sum = metric.denominator or not any(part.national_total for part in counted)
    if not is_sum or not {part.counts for part in parts} <= _COUNTS:
        raise QuestionError(
            f"{name} is neither a count nor a rate of two counts: its difference does not split into parts"
        )
    return metric


def _splits(metric: Metric, by: str) -> bool:
    """Whether the denominator is counted by a dimension: residents are not, by gender."""
    measures = expand(metric.denominator or metric.name, frozenset({by})).values()
    return all(by in tables()[measure.table].columns for measure in measures)


def _sides(con: ScopedCursor, on: date, where: Where, before: date | None, against: str) -> tuple[_Side, _Side]:
    """Both sides, first the one that is compared with. Raises QuestionError for the same side twice."""
    if (before is None) == (not against):
        raise QuestionError(
            "a difference has two sides: give another day (before) or another place (against), not both"
        )
    where = members_in_scope(con, where)
    if before is not None:
        if before == on:
            raise QuestionError(f"{on} is compared with itself: give two days")
        return (before, where), (on, where)
    name, _, values = against.partition("=")
    if against == NATION:
        other: Where = {dimension: codes for dimension, codes in where.items() if dimension not in PLACES}
    elif not values:
        raise QuestionError(f"against is DIM=VALUE[,VALUE] or {NATION}")
    else:
        replaced = PLACES if name in PLACES else (name,)
        other = {dimension: codes for dimension, codes in where.items() if dimension not in replaced}
        other = {**other, **members_in_scope(con, {name: [value.strip() for value in values.split(",")]})}
        if not where.keys() & set(replaced):
            raise QuestionError(f"{against} is compared with another {name}: give that one with where")
    if other == where:
        raise QuestionError("a place is compared with itself: give two places")
    return (on, other), (on, where)


def _parts(
    con: ScopedCursor,
    metric: Metric,
    by: str,
    sides: Sequence[_Side],
    smallest: int,
    known: dict[Hashable, Answer] | None = None,
) -> tuple[pd.DataFrame, list[Answer]]:
    """The rows of `why`, and the answers behind them. `known` keeps those of all groups together, by side."""
    known = {} if known is None else known
    if by in TIME:
        raise QuestionError(f"a difference is split by groups, and a {by} is none")
    groups = [_asked(con, metric, (by,), on, where) for on, where in sides]
    if not _splits(metric, by):
        raise QuestionError(f"{metric.denominator or metric.name} is not counted by {by}")
    if any(answer.left_out for answer in groups):
        # A place beside the nation's groups, which are not open.
        raise AccessDenied
    wholes = []
    for answer, (on, _) in zip(groups, sides, strict=True):
        whole = on, tuple(answer.where.items())
        if whole not in known:
            known[whole] = _asked(con, metric, (), on, answer.where)
        wholes.append(known[whole])
    names = [metric.numerator, metric.denominator] if metric.denominator else [metric.name]
    columns = ["k0", "n0", "k1", "n1"] if metric.denominator else ["n0", "n1"]
    counted: _Counts = {}
    for side, answer in enumerate(groups):
        at = [answer.columns.index(name) for name in names]
        for row in answer.rows:
            of_group = counted.setdefault(row[0], [0.0] * 2 * len(names))
            of_group[side * len(names) : (side + 1) * len(names)] = [float(row[i] or 0) for i in at]
    totals = [tuple(float(answer.value(name) or 0) for name in names) for answer in wholes]
    if metric.denominator:
        for (on, _), (_, size) in zip(sides, totals, strict=True):
            if not size:
                raise QuestionError(f"nobody is counted on {on} on one side: {metric.name} has no value there")
    counted = _gathered(_in_order(counted, by), metric, smallest)
    counts = pd.DataFrame([*counted.values()], index=pd.Index([*counted], dtype=object), columns=columns)
    if metric.denominator:
        parts = decomposed(counts, totals, ratio(metric, 1.0, 1.0))
    else:
        parts = _differences(counts, *(total for (total,) in totals))
    return parts.rename_axis(by).reset_index(), [*groups, *wholes]


def _asked(con: ScopedCursor, metric: Metric, by: tuple[str, ...], on: date, where: Where) -> Answer:
    if metric.kind == "event":
        return ask(con, metric.name, by=by, over=jalali.last_complete_months(on, 12), where=where)
    return ask(con, metric.name, by=by, on=on, where=where)


def _best(
    con: ScopedCursor, metric: Metric, sides: Sequence[_Side], smallest: int
) -> tuple[str, pd.DataFrame, list[Answer]]:
    """The parts by the `best_dimension` of CHOICE, or of all where CHOICE has none. Raises QuestionError without any."""
    # One member alone explains everything and says nothing.
    without = {name for _, where in sides for name, members in where.items() if len(members) == 1}
    if between_places(*(where for _, where in sides)):
        without |= {*PLACES}
    offered = [by for by in dimensions(metric.name) if by not in without]
    known = [by for by in CHOICE if by in offered] or [by for by in offered if by != "institute"]
    if not known:
        raise QuestionError(f"{metric.name} is split by nothing but {', '.join(sorted(without))}")
    wholes: dict[Hashable, Answer] = {}
    split = {by: _parts(con, metric, by, sides, smallest, wholes) for by in known}
    by = best_dimension({by: parts for by, (parts, _) in split.items()})
    return by, *split[by]


def _in_order(counts: _Counts, by: str) -> _Counts:
    """The groups in which somebody is counted, in the order of the dimension, the unknown last."""
    order = {member: at for at, member in enumerate(ALL[by].words)}
    members = sorted(counts, key=lambda member: (member is None, order.get(str(member), 0), str(member)))
    return {member: counts[member] for member in members if any(counts[member])}


def _gathered(counts: _Counts, metric: Metric, smallest: int) -> _Counts:
    """The groups, those of few persons on a side gathered into `small`; other things than persons are never few."""
    if catalogue()[metric.denominator or metric.name].counts != "persons":
        return counts
    gathered, small = {}, []
    for member, numbers in counts.items():
        sizes = [abs(size) for size in (numbers[len(numbers) // 2 - 1], numbers[-1]) if size]
        if min(sizes, default=0) < smallest:
            small.append(numbers)
        else:
            gathered[member] = numbers
    return gathered | ({SMALL: [*map(sum, zip(*small, strict=True))]} if small else {})


def _differences(counts: pd.DataFrame, before: float, after: float) -> pd.DataFrame:
    """The rows of a count; whole numbers stay whole."""
    parts = counts.set_axis(["before", "after"], axis=1)
    if not np.allclose(parts.sum(), (before, after)):
        parts.loc[OVERLAP] = np.array((before, after)) - parts.sum()
    parts.loc[TOTAL] = [before, after]
    parts["effect"] = parts["after"] - parts["before"]
    return parts if (parts % 1).any(axis=None) else parts.astype(int)
