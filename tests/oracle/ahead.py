"""What comes next, a second time: endings, the queue, places of recruits, similar provinces and the seat plan in plain Python."""

import math
from collections import defaultdict
from datetime import date
from statistics import median

from tests.oracle.measures import (
    DAY,
    Data,
    Where,
    active_spells,
    institute_fits,
    is_compliant,
    is_decided,
    licence_fits,
    licensed,
    persons,
    requirements,
    unit_of,
)
from tests.oracle.others import licensed_days

# ------------------------------------------------------------------ endings


def lapses(data: Data, day: date, where: Where) -> dict[tuple[str, str], date]:
    """By person and course, the first day out of date if nobody trains; the day itself for those out of date."""
    return {
        (person, code): required.first_bad_day or day
        for person in persons(active_spells(data, day), where)
        for code, required in requirements(data, day, person).items()
        if required.first_bad_day != date.max
    }


def endings(data: Data, day: date, kind: str, where: Where) -> dict[str, int]:
    """What ends from the day on, by Jalali month."""
    counted: dict[str, set[object]] = defaultdict(set)
    if kind == "licences":
        for code in licensed(data, day):
            if institute_fits(data.institutes[code], where):
                last, days = day, licensed_days(data, code)
                while last + DAY in days:
                    last += DAY
                counted[unit_of(last, "month")].add(code)
    elif kind == "accreditations":
        for spell in active_spells(data, day):
            first, last = spell.judicial_from, spell.judicial_until
            if first and first <= day and last and last >= day and persons([spell], where):
                counted[unit_of(last, "month")].add(spell.person)
    else:
        for task, lapse in lapses(data, day, where).items():
            if lapse > day:
                counted[unit_of(lapse, "month")].add(task)
    return {month: len(keys) for month, keys in counted.items()}


def begun(data: Data, first: date, last: date, where: Where) -> dict[str, int]:
    """Persons whose accreditation begins, by month of the period."""
    counted: dict[str, set[str]] = defaultdict(set)
    for spell in data.spells:
        if spell.judicial_from and first <= spell.judicial_from <= last and persons([spell], where):
            counted[unit_of(spell.judicial_from, "month")].add(spell.person)
    return {month: len(people) for month, people in counted.items()}


def falling(data: Data, day: date, goal: float, least: int, until: date) -> dict[str, date]:
    """By institute that holds the goal on the day, the first day on which it does not; walked day by day."""
    people = _members(data, day)
    first_out: dict[str, date] = {}
    for (person, _), lapse in lapses(data, day, {}).items():
        first_out[person] = min(lapse, first_out.get(person, date.max))
    falls = {}
    for code, members in people.items():
        days = sorted({first_out[person] for person in members if person in first_out and first_out[person] <= until})

        def in_date(then: date, members: set[str] = members) -> float:
            return sum(first_out.get(person, date.max) > then for person in members) / len(members)

        if len(members) >= least and in_date(day) >= goal - 1e-9:
            below = [then for then in days if in_date(then) < goal - 1e-9]
            falls |= {code: below[0]} if below else {}
    return falls


def came_true(data: Data, ends: list[date], goal: float, least: int) -> tuple[int, int]:
    """How many institutes the lists at the first 12 ends say to fall within six months, and how many did fall."""
    below = [
        {
            code
            for code, members in _members(data, end).items()
            if sum(is_compliant(data, end, person, {}) for person in members) / len(members) < goal - 1e-9
        }
        for end in ends
    ]
    lists = [falling(data, ends[at], goal, least, ends[at + 6]) for at in range(12)]
    return sum(map(len, lists)), sum(
        any(code in below[later] for later in range(at + 1, at + 7)) for at in range(12) for code in lists[at]
    )


def _members(data: Data, day: date) -> dict[str, set[str]]:
    """The persons in active service by institute."""
    people: dict[str, set[str]] = defaultdict(set)
    for spell in active_spells(data, day):
        people[spell.institute].add(spell.person)
    return people


# ------------------------------------------------------------------ the queue of licence files


def queue(data: Data, day: date, first: date, last: date, where: Where) -> tuple[int, int, int]:
    """Complete files that wait on the day; those that became complete, and those decided, in the period."""
    files = [row for row in data.licences if row["file_complete_on"] and licence_fits(data, row, where)]
    waiting = sum(row["file_complete_on"] <= day and not is_decided(row, date.min, day) for row in files)
    arrived = sum(first <= row["file_complete_on"] <= last for row in files)
    return waiting, arrived, sum(is_decided(row, first, last) for row in files)


# ------------------------------------------------------------------ places of recruits


def next_places(weights: dict[str, float], seats: int, held: dict[str, int]) -> dict[str, int]:
    """Sainte-Laguë seat by seat."""
    given = dict.fromkeys(weights, 0)
    for _ in range(seats):
        place = max(
            weights,
            key=lambda place: (weights[place] / (2 * (held[place] + given[place]) + 1), -list(weights).index(place)),
        )
        given[place] += 1
    return given


# ------------------------------------------------------------------ similar provinces


def nearest(variables: dict[str, list[float]]) -> dict[str, list[tuple[str, float]]]:
    """The four nearest with their squared distances of robust z-scores; none beyond the 90th percentile of all distances."""
    columns = list(zip(*variables.values(), strict=True))
    middles = [median(column) for column in columns]
    spreads = [
        1.4826 * median(abs(value - middle) for value in column) or math.inf
        for column, middle in zip(columns, middles, strict=True)
    ]

    def distance(one: str, other: str) -> float:
        return sum(
            ((a - b) / spread) ** 2 for a, b, spread in zip(variables[one], variables[other], spreads, strict=True)
        )

    names = sorted(variables)
    pairs = sorted(distance(one, other) for at, one in enumerate(names) for other in names[at + 1 :])
    at = 0.9 * (len(pairs) - 1)
    limit = pairs[math.floor(at)] + (at % 1) * (pairs[math.ceil(at)] - pairs[math.floor(at)])
    near = {one: sorted((distance(one, other), other) for other in names if other != one)[:4] for one in names}
    return {
        one: [(other, value) for value, other in close] if close[0][0] <= limit else [] for one, close in near.items()
    }


# ------------------------------------------------------------------ the seat plan

Task = tuple[int, int, int]  # person, group, month at whose end it is out of date


def planned(tasks: list[Task], seats: list[list[int]]) -> dict[tuple[int, int], int]:
    """The month in which each task is trained, month by month and seat by seat, as the description says."""
    trained: dict[tuple[int, int], int] = {}
    for month in range(1, len(seats[0])):
        left = [by_month[month] for by_month in seats]
        needs: dict[int, list[Task]] = defaultdict(list)
        for person, group, due in tasks:
            if due <= month and (person, group) not in trained:
                needs[person].append((person, group, due))
        counts = {person: len(needed) for person, needed in needs.items()}
        # People who can be trained in all that they lack.
        single = [needed[0] for needed in needs.values() if len(needed) == 1]
        order = [[task] for task in sorted(single, key=lambda task: tasks.index(task))]
        order += sorted(
            (needed for needed in needs.values() if len(needed) > 1),
            key=lambda needed: (len(needed), min(due for _, _, due in needed), needed[0][0]),
        )
        for needed in order:
            if all(left[group] for _, group, _ in needed):
                for person, group, _ in needed:
                    trained[person, group] = month
                    left[group] -= 1
        rest = [task for task in tasks if task[:2] not in trained]
        now = sorted((task for task in rest if task[2] <= month), key=lambda task: (counts[task[0]], tasks.index(task)))
        for person, group, _ in [*now, *(task for task in rest if task[2] > month)]:
            if left[group]:
                trained[person, group] = month
                left[group] -= 1
    return trained
