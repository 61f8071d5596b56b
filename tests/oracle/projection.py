"""The oracle's projection of the stock, in plain Python from the loaded rows, each past run as known on its day."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise

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
    changes = [after - before for before, after in pairwise(stocks)]
    broken = breaks(data, vintage, ends)
    left_out = [end in broken for end in ends[-36:]]
    season = seasonal(changes, left_out)
    since = max((at + 1 for at in range(24, 36) if left_out[at]), default=24)
    chosen = range(since, 36) if 36 - since >= 3 else [at for at in range(24, 36) if not left_out[at]] or range(24, 36)
    pace = sum(changes[at] - season[at % 12] for at in chosen) / len(chosen)
    return [pace + season[ahead % 12] for ahead in range(AHEAD + 1)]


def seasonal(changes: list[float], left_out: list[bool]) -> list[float]:
    """The deviation of each of twelve months, the first that of the first change, from the level between two breaks.

    Levels and deviations are fitted in turns until they stand still.
    """
    level_of = [sum(left_out[: at + 1]) for at in range(36)]
    known = [at for at in range(36) if not left_out[at]]
    season, levels = [0.0] * 12, dict.fromkeys(level_of, 0.0)
    for _ in range(2000 if any(left_out) else 1):
        before = list(season)
        for level in {level_of[at] for at in known}:
            here = [changes[at] - season[at % 12] for at in known if level_of[at] == level]
            levels[level] = sum(here) / len(here)
        for month in range(12):
            here = [changes[at] - levels[level_of[at]] for at in known if at % 12 == month]
            season[month] = sum(here) / len(here) if here else season[month]
        if max(abs(one - other) for one, other in zip(season, before, strict=True)) < 1e-12:
            break
    mean = sum(season) / 12
    return [value - mean for value in season]


def breaks(data: Data, vintage: date, ends: tuple[date, ...]) -> dict[date, float]:
    return breaks_and_runs(data, vintage, ends)[0]


@cache
def breaks_and_runs(data: Data, vintage: date, ends: tuple[date, ...]) -> tuple[dict[date, float], dict[date, float]]:
    """The months that are breaks and those that end a run, with their sizes."""
    stocks = [stock(data, vintage, end) for end in ends]
    found, runs = breaks_and_runs_of([after - before for before, after in pairwise(stocks)])
    return {ends[at + 1]: size for at, size in found.items()}, {ends[at + 1]: mean for at, mean in runs.items()}


def breaks_and_runs_of(changes: list[float]) -> tuple[dict[int, float], dict[int, float]]:
    """The changes that lie outside the limits around their level, or are not where they are every year, and outside those around
    the same month's of the two years before; and the others that end a run to one side, with its mean: two of three beyond
    two thirds of the limits, or four of five beyond a third."""
    apart: dict[int, float] = {}
    # How far a month is from both, and what part of the limits that is.
    nearer: dict[int, tuple[float, float]] = {}
    found: dict[int, float] = {}
    # The first month of the last break and its direction.
    begun, direction = None, 0
    for at in range(24, len(changes)):
        before = changes[at - 24 : at]
        middle = sum(before) / 24
        since = at - 1 - begun if begun is not None else -1
        level = sum(changes[begun + 1 : at]) / since if begun is not None and 3 <= since < 24 else middle
        apart[at] = changes[at] - level
        years = [apart[at - back] if at >= 48 else changes[at - back] - middle for back in (12, 24)]
        same = sum(years) / 2
        raw = sum(abs(b - a) for a, b in pairwise(before)) / 23
        chance = 3 * (sum(map(abs, before)) / 24) ** 0.5
        wide = min(3 / 1.128 * raw, 1.5**0.5 * max(3 / 1.128 * unseasonal(changes, at), chance))
        # Its own season is the level of a month that is outside every year, and moves against that.
        is_missed = any(
            all(sign * year > wide for year in years) and sign * apart[at] < sign * same for sign in (1, -1)
        )
        far = apart[at] - same if is_missed else apart[at]
        side = next((sign for sign in (1, -1) if sign * far > wide), 0)
        if side and side * (apart[at] - same) > wide * 1.5**0.5:
            found[at] = far
            if begun is None or since >= 3 or side != direction:
                begun, direction = at, side
        both = sorted((apart[at], (apart[at] - same) / 1.5**0.5), key=abs)
        distance = both[0] if at not in found and both[0] * both[1] > 0 else 0.0
        nearer[at] = distance, distance / wide if wide else 0.0
    runs: dict[int, float] = {}
    for months, fewest, part in ((3, 2, 2 / 3), (5, 4, 1 / 3)):
        for at in range(24, len(changes)):
            window = [nearer.get(month, (0.0, 0.0)) for month in range(at - months + 1, at + 1)]
            mean = sum(distance for distance, _ in window) / months
            if any(sum(sign * of > part for _, of in window) >= fewest for sign in (1, -1)):
                runs[at] = max(mean, runs.get(at, 0.0), key=abs)
    return found, runs


def unseasonal(changes: list[float], at: int) -> float:
    """The mean moving range of the 24 changes before `at`, each less the mean of its calendar month in three years or two."""
    years = 3 if at >= 36 else 2
    left = []
    for month in range(at - 24, at):
        alike = [changes[other] for other in range(at - 12 * years, at) if (month - other) % 12 == 0]
        left.append(changes[month] - sum(alike) / years)
    return sum(abs(b - a) for a, b in pairwise(left)) / 23 * (years / (years - 1)) ** 0.5


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
    """The relative range so many months ahead: it never narrows, is wider with each month ahead in the year after a break,
    and not there in its first three months, beyond nine months or where it is wider than half of the projection. It is wider to
    one side in the year after a run to it."""
    if ahead == 0:
        return 0.0, 0.0
    ends = tuple(month_ends(data, until))
    lately = {end: size for end, size in breaks(data, ends[-1], ends).items() if end in ends[-12:]}
    misses = [past_misses(data, until, distance) for distance in range(1, ahead + 1)]
    if len(misses[-1]) < 24 or any(end in ends[-3:] for end in lately):
        return None
    runs = [mean for end, mean in breaks_and_runs(data, ends[-1], ends)[1].items() if end in ends[-12:]]
    people, largest = max(stock(data, ends[-1], ends[-1]), 1), max(map(abs, lately.values()), default=0)
    lower, higher = (max(largest, *(sign * mean for mean in runs), 0) / people for sign in (-1, 1))
    low = min(0.0, *(percentile(each, 1) - lower * months for months, each in enumerate(misses, 1)))
    high = max(0.0, *(percentile(each, 9) + higher * months for months, each in enumerate(misses, 1)))
    return None if lately and (ahead > 9 or high - low >= 0.5) else (low, high)


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
