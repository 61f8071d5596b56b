"""Files for circulation: counts of people are published to multiples of five, and all else is worked out from these.

Example: 23 people are published as 25 three times in five, else as 20. Which of the two follows from the site's secret and the
question, so that the same people have the same number in every file of the day. Shares, rates, differences, order and ranks are
those of published counts and of open facts (residents, area, targets, institutes, licences): they tell nothing more.

All counts of one group in a year are published up by the same chance: no part is larger than its whole, and people who stay
have one number in every month. A share has the precision that its counts have. What has no formula here is left out.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.answers import Answer, cells_left_out
from etl.semantic.calculations import Calculated, extended, minus
from etl.semantic.catalog import DIMENSIONS, TIME, Metric, catalogue, described, expand, parts_of, size_of
from etl.semantic.combine import formula, in_order, ratio
from etl.semantic.exportable import StoredRows, StreamedRows
from etl.semantic.ranking import worse_side
from etl.semantic.units import Nearest, Rounded, decimals_of, rounded_half_up
from etl.warehouse.dimensions import PLACES

# Times the most that one person adds to a count (`Metric.most_per_person`).
STEP = 5
# The fewest published people behind a rate, the cases behind a median, and the people behind a share in steps of five per cent
# and in whole per cent.
FEWEST, FEWEST_CASES, SOME, MANY = 25, 8, 100, 400
_PEOPLE = frozenset({"persons", "hours"})
# What has no meaning without the people that it is worked out of.
_RELATIVE = frozenset({"share", "ratio", "per_10k", "per_100km2", "per_100k", "rank"})
_PLACES = frozenset(PLACES)

# Answers further metrics by the same dimensions, days and filters.
Ask = Callable[..., Answer]
_Key = tuple[Any, ...]
_Cells = Mapping[str, Any]


class NotForCirculation(ValueError):
    """Rows about single persons never circulate."""


@dataclass(frozen=True, eq=False)
class Circulated(Answer):
    """An Answer that may circulate."""

    def fewest(self, metric: Metric, ranked: int) -> int:
        """The fewest published people behind a share or a rate."""
        if _is_open(metric) or metric.counts in _PEOPLE or metric.sample_size:
            return ranked
        return max(ranked, SOME if size_of(metric) == metric.denominator else FEWEST)

    def share(self, part: float, whole: float, metric: Metric) -> float | None:
        """What a chart or a quick calculation works out of two numbers of a measure, with the precision that they have."""
        if _is_open(metric):
            return super().share(part, whole, metric)
        if metric.counts in _PEOPLE:
            return _share(part / whole, whole / metric.most_per_person)
        is_whole = not isinstance(part, Nearest) and not isinstance(whole, Nearest)
        return Rounded(rounded_half_up(part / whole, 2) + 0, 0) if is_whole else None


def for_circulation(source: Answer | StreamedRows | StoredRows, ask: Ask | None = None) -> Circulated:
    """The Answer with published counts of people and what follows from them; what does not is None.

    `ask` fetches what the Answer lacks: the parts of differences, and the cases behind medians; without it these are None.
    Raises NotForCirculation for rows about persons.
    """
    if isinstance(source, Circulated):
        return source
    if isinstance(source, StoredRows):
        source = source.in_memory()
    if isinstance(source, StreamedRows):
        raise NotForCirculation("rows about single persons are not for circulation")
    if isinstance(source, Calculated):
        plain = for_circulation(source.without(), ask)
        calculation = source.calculation.of(lambda beside: for_circulation(beside, ask))
        return replace(plain, **extended(plain, calculation))
    metrics = {name: described(name, source.metrics) for name in source.columns[len(source.by) :]}
    unknown = [name for name, metric in metrics.items() if metric is None]
    counted = {name: metric for name, metric in metrics.items() if metric and _is_count(metric)}
    worked_out = {
        name: metric for name, metric in metrics.items() if metric and name not in counted and not _is_open(metric)
    }
    further = _further(source, ask)
    rows: list[_Key] = []
    few: set[tuple[_Key, str]] = set()
    for row in source.rows:
        key = tuple(row[: len(source.by)])
        exact = dict(zip(source.columns, row, strict=True))
        cells = exact | published_of(source, counted, key, exact)
        cells |= {name: None for name in unknown if _is_number(exact[name])}
        if "registered_value" in cells and catalogue()[exact["metric"]].counts not in _PEOPLE:
            # How many people a share is of is not known beside what was announced.
            cells["registered_value"] = None
        beside = further.get(key, {})
        shown = dict(cells)
        for name, metric in worked_out.items():
            shown[name] = _worked_out(metric, exact[name], cells, beside)
            if shown[name] is None and _is_of_few(metric, cells, beside):
                few.add((key, name))
        if "sureness" in exact and exact["sureness"] != "register":
            # What officials say stands as they say it.
            shown = exact
        rows.append(tuple(shown[name] for name in source.columns))
    if source.by == ("side",):
        rows = _with_differences(source, metrics, rows)
    hidden = source.hidden | few | cells_left_out(source.by, source.columns, source.rows, rows)
    counts = [source.columns.index(name) for name in counted]
    if set(source.by) & set(DIMENSIONS) - set(TIME):
        rows = [row for row in rows if _is_listed(row, counts, len(source.by))]
        listed = {row[: len(source.by)] for row in rows}
        hidden = frozenset((key, name) for key, name in hidden if key in listed)
    own = {field.name: getattr(source, field.name) for field in fields(source)}
    return Circulated(**own | {"rows": _in_order(source, metrics, rows), "hidden": hidden})


# ---------------------------------------------------------------- counts of people


def published(count: float, step: int, chance: float) -> int:
    """The multiple of `step` below or above a count: above if the chance, from 0 to 1, is less than its remainder says."""
    low = int(count // step) * step
    return low + step * (chance < (count - low) / step)


def published_of(answer: Answer, counted: Mapping[str, Metric], key: _Key, exact: _Cells) -> dict[str, Any]:
    """The counts of people of the group `key` as they are published."""
    chances: dict[tuple[str, bool], float] = {}
    shown = {}
    for name, metric in counted.items():
        if _is_number(value := exact[name]):
            of = (metric.kind, metric.name == "nation_active")
            if of not in chances:
                chances[of] = _chance(answer, *of, key)
            value = published(value, STEP * metric.most_per_person, chances[of])
        shown[name] = value
    return shown


def with_published_counts(answer: Answer) -> Answer:
    """The Answer with published counts of people, and the ratios of its columns worked out of these, as what is decided on them.

    A side that is told in a file for circulation is tested so.
    """
    first, metrics = (
        len(answer.by),
        {name: described(name, answer.metrics) for name in answer.columns[len(answer.by) :]},
    )
    counted = {name: metric for name, metric in metrics.items() if metric and _is_count(metric)}
    ratios = {
        name: metric
        for name, metric in metrics.items()
        if metric and {metric.numerator, metric.denominator} <= {*metrics}
    }
    rows = []
    for row in answer.rows:
        exact = dict(zip(answer.columns, row, strict=True))
        cells = exact | published_of(answer, counted, tuple(row[:first]), exact)
        for name, metric in ratios.items():
            parts = cells[str(metric.numerator)], cells[str(metric.denominator)]
            if exact[name] is not None and None not in parts:
                cells[name] = ratio(metric, *parts)
        rows.append(tuple(cells[name] for name in answer.columns))
    return replace(answer, rows=rows)


def _chance(answer: Answer, kind: str, is_of_nation: bool, key: _Key) -> float:
    """A number from 0 to 1 for the people of a group under the filters: of a state for a year, of events for their days.

    So a province has one chance as a row of all of them and as a filter, and people who stay have one number in every month.
    """
    members = {name: tuple(sorted(map(str, codes))) for name, codes in answer.where.items()}
    members |= {name: (str(member),) for name, member in zip(answer.by, key, strict=True)}
    if is_of_nation:
        members = {name: codes for name, codes in members.items() if name not in _PLACES}
    on = answer.on
    if (side := members.pop("side", ("",))[0]) in answer.sides:
        # A side of a comparison is asked of its own day and place.
        on, places = answer.sides[side]
        members |= {name: tuple(sorted(map(str, codes))) for name, codes in places}
    unit = next(((name, members.pop(name)[0]) for name in TIME if name in members), None)
    when: tuple[Any, ...]
    if kind == "event":
        first, last = answer.over or (answer.on, answer.on)
        when = _within(*unit, first, last) if unit else (first, last)
    else:
        day = on or (answer.over or (None, None))[1]
        when = (unit[1][:4] if unit else day and jalali.unit_of(day, "year").label,)
    digest = hmac.digest(
        answer.publication.circulation_key.encode(), repr((sorted(members.items()), when)).encode(), hashlib.sha256
    )
    return int.from_bytes(digest[:8], "big") / 2**64


def _within(kind: str, label: str, first: date | None, last: date | None) -> tuple[Any, ...]:
    """The first and the last day of a unit of time, as far as they are in a period."""
    year, _, part = label.partition("-")
    month = {"month": part, "quarter": f"{int(part[1:] or 1) * 3:02}", "year": "12"}[kind]
    unit = jalali.unit_of(jalali.month(f"{year}-{month}").first, kind)
    return max(unit.first, first or unit.first), min(unit.last, last or unit.last)


def _is_count(metric: Metric) -> bool:
    return metric.counts in _PEOPLE and not _is_difference(metric)


def _is_difference(metric: Metric) -> bool:
    """Whether a number is a difference of others, which may be negative: it is worked out, not published by itself."""
    return metric.is_difference or (bool(metric.sql) and metric.name not in catalogue())


def _is_open(metric: Metric) -> bool:
    """Whether nothing in a number counts people; of what no catalogue says it, only what is relative to nothing."""
    if metric.name in catalogue():
        return (
            not any(catalogue()[part].counts in _PEOPLE for part in (*expand(metric.name, frozenset()), metric.name))
            and not metric.sample_size
        )
    parts = [described(name) for name in (metric.numerator, metric.denominator) if name]
    if parts:
        return not any(part is None or part.counts in _PEOPLE for part in parts) and None not in (
            metric.numerator,
            metric.denominator,
        )
    return metric.counts not in _PEOPLE | _RELATIVE and metric.unit not in ("date", "month")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_listed(row: Sequence[Any], counts: Sequence[int], first: int) -> bool:
    """Whether a group is listed: a count of its people is not 0; of what counts no people, a value is left."""
    return any(row[at] for at in counts) if counts else any(value is not None for value in row[first:])


# ---------------------------------------------------------------- what follows from them


def _worked_out(metric: Metric, value: Any, cells: _Cells, beside: _Cells) -> Any:
    """A number from the published `cells` of its row, or from the parts `beside` it; None if it does not follow from them."""
    if metric.sample_size:
        decimals = max(decimals_of(metric.unit) - 1, 0)
        is_told = _is_number(value) and not _is_of_few(metric, cells, beside)
        return Rounded(rounded_half_up(value, decimals), decimals) if is_told else None
    if _is_difference(metric):
        parts = expand(metric.name, frozenset()) if metric.name in catalogue() else parts_of(metric.sql)
        known = {name: beside.get(name, cells.get(name)) for name in parts}
        if None in known.values():
            return None
        (difference,) = formula(metric.name)({name: [one] for name, one in known.items()})
        return None if difference is None else int(rounded_half_up(difference, 0))
    if metric.unit in ("date", "month"):
        counts = [
            cells[name] for name in cells if (one := described(name)) and _is_count(one) and cells[name] is not None
        ]
        return value if not counts or max(counts) >= FEWEST else None
    if None in (cells.get(str(metric.numerator)), cells.get(str(metric.denominator))) or _is_of_few(
        metric, cells, beside
    ):
        return None
    whole = cells[str(metric.denominator)]
    result = ratio(metric, cells[str(metric.numerator)], whole)
    if result is None:
        return None
    if size_of(metric) == metric.denominator:
        return _share(result, _people(metric.denominator, whole))
    decimals = max(decimals_of(metric.unit) - 1, 0)
    return Rounded(rounded_half_up(result, decimals + (2 if metric.unit == "share" else 0)), decimals)


def _share(value: float, people: float) -> float | None:
    """A share of so many published people: in whole per cent, to the nearest five, or none."""
    if people >= MANY:
        return Rounded(rounded_half_up(value, 2) + 0, 0)
    return Nearest(rounded_half_up(value * 20, 0) / 20 + 0, 0) if people >= SOME else None


def _is_of_few(metric: Metric, cells: _Cells, beside: _Cells) -> bool:
    """Whether too few people are behind a share or a rate, or cases behind a median, for it to be given."""
    if metric.sample_size:
        return (beside.get(metric.sample_size, cells.get(metric.sample_size)) or 0) < FEWEST_CASES
    if not {metric.numerator, metric.denominator} <= cells.keys():
        return False
    sized = size_of(metric)
    return (_people(sized, cells[sized] or 0)) < (SOME if sized == metric.denominator else FEWEST)


def _people(name: str | None, count: float) -> float:
    """The people that a count is, at least."""
    metric = described(str(name))
    return count / metric.most_per_person if metric else 0


def _further(answer: Answer, ask: Ask | None) -> dict[_Key, dict[str, Any]]:
    """The published parts of differences, and the cases behind medians, by the members of each row."""
    numbers: dict[_Key, dict[str, Any]] = {}
    if not ask or not set(answer.by) <= set(DIMENSIONS):
        return numbers
    timed = bool(set(answer.by) & set(TIME))
    for metric in answer.metrics:
        is_known = metric.name in catalogue()
        names = [*expand(metric.name, frozenset())] if is_known and _is_difference(metric) else []
        names += [metric.sample_size] if metric.sample_size else []
        if not names:
            continue
        is_event = catalogue()[names[0]].kind == "event"
        day, period = None if is_event else answer.on, answer.over if is_event or timed else None
        try:
            answered = ask(*names, by=answer.by, on=day, over=period, where=answer.where)
        except QuestionError:
            continue
        counted = {name: catalogue()[name] for name in names if _is_count(catalogue()[name])}
        for row in answered.rows:
            key, of_row = tuple(row[: len(answer.by)]), dict(zip(answered.columns, row, strict=True))
            published_parts = published_of(answered, counted, key, of_row)
            numbers.setdefault(key, {}).update({name: of_row[name] for name in names} | published_parts)
    return numbers


def _with_differences(answer: Answer, metrics: Mapping[str, Metric | None], rows: Sequence[_Key]) -> list[_Key]:
    """Rows by side, with the difference of what the two others show: of shares in whole per cent only."""
    at_side = {row[0]: list(row) for row in rows}
    first, second, difference = (at_side[side] for side in ("first", "second", "difference"))
    for at, exact in enumerate(next(row for row in answer.rows if row[0] == "difference")):
        if _is_number(exact):
            pair = first[at], second[at]
            difference[at] = None if None in pair else minus(second[at], first[at])
    return [tuple(at_side[row[0]]) for row in rows]


# ---------------------------------------------------------------- order


def _in_order(answer: Answer, metrics: Mapping[str, Metric | None], rows: list[_Key]) -> list[_Key]:
    """Rows in the order of their members or of an open fact; a list in that of a number of people by the published one.

    Which it is follows from what the rows show: places with the same number stand by their codes.
    """
    first = len(answer.by)
    if not set(answer.by) & _PLACES or len(rows) < 2:
        return rows
    position = {key: number for number, key in enumerate(in_order([row[:first] for row in rows]))}
    by_member = sorted(rows, key=lambda row: position[row[:first]])
    opens = [at for at, name in enumerate(answer.columns) if (metric := metrics.get(name)) and _is_open(metric)]
    others = [at for at, name in enumerate(answer.by) if name not in _PLACES]
    numbers = [at for at, name in enumerate(answer.columns) if metrics.get(name) and at not in opens]
    ways = (_by(by_member, at, is_down) for at in (*others, *opens) for is_down in (False, True))
    if not numbers or rows == by_member or rows in ways:
        return rows
    at, side = numbers[0], answer.columns.index("side") if "side" in answer.columns else None
    sides = list(dict.fromkeys(row[side] for row in answer.rows)) if side is not None else []
    metric = metrics[answer.columns[at]]
    is_worse_low = metric is not None and worse_side(metric) == "lower"

    def order(row: _Key) -> _Key:
        """The worst first where groups have a side, and of the better ones the best; else the most first."""
        is_upwards = side is not None and is_worse_low and row[side] not in ("higher", "far_higher")
        value = row[at] if _is_number(row[at]) else 0
        return (sides.index(row[side]) if side is not None else 0, value if is_upwards else -value)

    return sorted(by_member, key=order)


def _by(rows: Sequence[_Key], at: int, is_down: bool) -> list[_Key]:
    """Rows by an open fact, those without it last."""
    known = sorted((row for row in rows if row[at] is not None), key=lambda row: row[at], reverse=is_down)
    return [*known, *(row for row in rows if row[at] is None)]
