"""The oracle's projection of the stock, in plain Python from the loaded rows, each past run as known on its day."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

from tests.oracle.measures import DAY, Data, active, unit_of

AHEAD = 14


@cache
def as_known_on(data: Data, vintage: date) -> Data:
    """The data as known on a day: without later rows, ends and decisions."""
    known_data = copy(data)
    known_data.spells = [
        replace(spell, left_on=spell.left_on if spell.left_on and spell.left_on <= vintage else None)
        for spell in data.spells
        if spell.hired_on <= vintage
    ]
    known_data.licences = [
        licence
        for licence in data.licences
        if licence["applied_on"] <= vintage and (licence["decided_on"] is None or licence["decided_on"] <= vintage)
    ]
    known_data.institutes = {
        code: {**institute, "status": "active"}
        if institute["status_since"] and institute["status_since"] > vintage
        else institute
        for code, institute in data.institutes.items()
    }
    return known_data


@cache
def month_ends(data: Data, until: date) -> list[date]:
    """The last days of the Jalali months up to a day, from the first on which anybody is active."""
    day, ends = min(spell.hired_on for spell in data.spells), []
    while day <= until:
        if unit_of(day, "month") != unit_of(day + DAY, "month"):
            ends.append(day)
        day += DAY
    while ends and not active(data, ends[0], {}):
        ends.pop(0)
    return ends


@cache
def stock(data: Data, vintage: date, day: date) -> int:
    return active(as_known_on(data, vintage), day, {})


@cache
def changes_ahead(data: Data, vintage: date, ends: tuple[date, ...]) -> list[float] | None:
    """Net change in the months after the last of `ends`, as known on the vintage; None without three years."""
    if len(ends) < 37:
        return None
    stocks = [stock(data, vintage, end) for end in ends[-37:]]
    if not stocks[0]:
        return None
    pace = (stocks[36] - stocks[24]) / 12
    mean = (stocks[36] - stocks[0]) / 36
    changes = []
    for ahead in range(AHEAD + 1):
        name = ahead % 12
        same = [stocks[year * 12 + name + 1] - stocks[year * 12 + name] for year in range(3)]
        changes.append(pace + sum(same) / 3 - mean)
    return changes


@cache
def past_misses(data: Data, until: date, ahead: int) -> list[float]:
    """Signed relative misses of the runs that had ended by a month's end."""
    ends = month_ends(data, until)
    misses = []
    first = max(0, len(month_ends(data, data.as_of)) - 120)
    for at in range(first, len(ends) - ahead):
        steps = changes_ahead(data, ends[at], tuple(ends[: at + 1]))
        if steps is not None:
            projected = stock(data, ends[at], ends[at])
            for step in steps[:ahead]:
                projected = max(0.0, projected + step)
            actual = stock(data, ends[-1], ends[at + ahead])
            misses.append((actual - projected) / max(projected, 1.0))
    return misses


def percentile(values: list[float], tenths: int) -> float:
    """The value at position tenths × (n + 1) / 10 of the sorted values, interpolated."""
    ordered = sorted(values)
    position = min(max(tenths * (len(ordered) + 1) / 10, 1), len(ordered))
    whole = int(position)
    if whole == len(ordered):
        return ordered[-1]
    return ordered[whole - 1] * (1 - (position - whole)) + ordered[whole] * (position - whole)


@cache
def bounds(data: Data, until: date, ahead: int) -> tuple[float, float] | None:
    """The relative range so many months ahead; it never narrows."""
    if ahead == 0:
        return 0.0, 0.0
    before, misses = bounds(data, until, ahead - 1), past_misses(data, until, ahead)
    if before is None or len(misses) < 24:
        return None
    return min(before[0], percentile(misses, 1)), max(before[1], percentile(misses, 9))


def outlook(data: Data, day: date, count: int) -> list[tuple[str, float, float | None, float | None]]:
    """From a day on, for the next `count` months that end after it: (month, stock, low, high)."""
    ends = month_ends(data, day)
    steps = changes_ahead(data, ends[-1], tuple(ends))
    if steps is None:
        return []
    projected, distance, months = float(active(data, day, {})), 0.0, []
    begin = ends[-1] + DAY
    for step in steps[:count]:
        end = begin
        while unit_of(end, "month") == unit_of(end + DAY, "month"):
            end += DAY
        length = (end - begin).days + 1
        part = min((end - day) / timedelta(length), 1.0)
        projected, distance = max(0.0, projected + step * part), distance + part
        whole = int(distance)
        near = bounds(data, ends[-1], whole)
        far = near if distance == whole else bounds(data, ends[-1], whole + 1)
        if near is None or far is None:
            months.append((unit_of(end, "month"), projected, None, None))
        else:
            low, high = (near[side] + (far[side] - near[side]) * (distance - whole) for side in (0, 1))
            months.append((unit_of(end, "month"), projected, projected * (1 + low), projected * (1 + high)))
        begin = end + DAY
    return months
