"""Which seat trains whom in which month, and how many are out of date at its end, whatever the seats are given to.

A month's seats go first to people who lack one course, then to those whom all their courses have a seat for, then to the
others by how many they lack, and last ahead of the deadline.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

_AT_ONCE = 100
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Demand:
    """Tasks, each a course that a person needs: sorted by group, then by deadline.

    `group`: province and course; `due`: the number of the month at whose end the person is out of date without the course
    (0: before the first month of the plan). `province_of_person` and `province_of_group` are positions in `provinces`.
    """

    person: Ints
    group: Ints
    due: Ints
    province_of_person: Ints
    province_of_group: Ints


def planned(demand: Demand, seats: Ints) -> Ints:
    """The month in which each task is trained, 0 for never. `seats`: by group and month, of which month 0 has none."""
    trained = np.zeros(len(demand.person), dtype=np.int64)
    people, groups, months = len(demand.province_of_person), len(seats), seats.shape[1]
    # The tasks of a group stand together, by deadline: those due by a month's end are its first ones.
    due_by = np.searchsorted(
        demand.group * months + demand.due, np.arange(groups)[:, None] * months + np.arange(months), side="right"
    )
    last = np.searchsorted(demand.group, np.arange(groups), side="right")
    # Ahead of their deadline tasks are trained in their order, so of each group one place says which.
    ahead = np.searchsorted(demand.group, np.arange(groups))
    waiting = np.empty(0, dtype=np.int64)
    for month in range(1, months):
        left = seats[:, month].copy()
        reached = np.maximum(ahead, due_by[:, month])
        # Sorted: the first tasks of a group come first.
        waiting = np.sort(np.concatenate([waiting, _between(ahead, reached)]), kind="stable")
        ahead = reached
        lacking = np.bincount(demand.person[waiting], minlength=people)[demand.person[waiting]]
        _fill(demand, waiting[lacking == 1], left, trained, month)
        is_open = (lacking > 1) & (left[demand.group[waiting]] > 0)
        several, courses = waiting[is_open], lacking[is_open]
        _complete(demand, several, courses, left, trained, month)
        is_left = trained[several] == 0
        several, courses = several[is_left], courses[is_left]
        _fill(demand, several[np.lexsort((courses, demand.group[several]))], left, trained, month)
        waiting = waiting[trained[waiting] == 0]
        reached = np.minimum(ahead + left, last)
        trained[_between(ahead, reached)] = month
        ahead = reached
    return trained


def _between(first: Ints, end: Ints) -> Ints:
    """The numbers from each first to before its end, one range behind the other."""
    counts = end - first
    before = np.cumsum(counts) - counts
    numbers: Ints = np.repeat(first - before, counts) + np.arange(counts.sum())
    return numbers


def _fill(demand: Demand, tasks: Ints, left: Ints, trained: Ints, month: int) -> None:
    """Give the seats left of each group to the first of its tasks, which stand together."""
    group = demand.group[tasks]
    place = np.arange(len(group)) - np.searchsorted(group, group)
    served = place < left[group]
    trained[tasks[served]] = month
    left -= np.bincount(group[served], minlength=len(left))


def _complete(demand: Demand, tasks: Ints, lacking: Ints, left: Ints, trained: Ints, month: int) -> None:
    """Train people in all that they lack where every course has a seat left: fewest first, then the earliest deadline.

    `tasks` are those whose course has a seat left, `lacking` how many their person lacks.
    """
    people = len(demand.province_of_person)
    is_possible = np.bincount(demand.person[tasks], minlength=people)[demand.person[tasks]] == lacking
    tasks, lacking = tasks[is_possible], lacking[is_possible]
    person = demand.person[tasks]
    first = np.full(people, demand.due.max(initial=0) + 1)
    np.minimum.at(first, person, demand.due[tasks])
    order = np.lexsort((person, first[person], lacking))
    tasks, lacking = tasks[order], lacking[order]
    for courses in np.unique(lacking):
        of_person = tasks[lacking == courses].reshape(-1, courses)
        while len(of_person):
            # Whose course has lost its last seat is left out from time to time: most people wait in vain.
            of_person = of_person[(left[demand.group[of_person]] > 0).all(axis=1)]
            seats, served = left.tolist(), []
            for at, groups in enumerate(demand.group[of_person[:_AT_ONCE]].tolist()):
                if all(seats[group] for group in groups):
                    served.append(at)
                    for group in groups:
                        seats[group] -= 1
            trained[of_person[served]] = month
            left[:], of_person = seats, of_person[_AT_ONCE:]


def out_of_date(demand: Demand, trained: Ints, months: int) -> Ints:
    """The persons out of date at the end of each month from 0, by province."""
    provinces = int(demand.province_of_group.max(initial=-1)) + 1
    until = np.where(trained == 0, months + 1, trained)
    is_late = demand.due < until
    due, until = demand.due[is_late], until[is_late]
    late = np.zeros(len(demand.province_of_person), dtype=bool)
    late[demand.person[is_late]] = True
    people, person = np.flatnonzero(late), (np.cumsum(late) - 1)[demand.person[is_late]]
    province = demand.province_of_person[people]
    counts = np.zeros((months + 1, provinces), dtype=np.int64)
    for month in range(months + 1):
        is_out = np.zeros(len(people), dtype=bool)
        is_out[person[(due <= month) & (month < until)]] = True
        counts[month] = np.bincount(province[is_out], minlength=provinces)
    return counts


def least_out_of_date(demand: Demand, seats: Ints) -> Ints:
    """By month and province, the fewest persons out of date that any plan with these seats can leave.

    Of each course alone, at least those beyond all its seats so far; and at least those beyond the seats of all courses
    together if they went to the people who need the fewest.
    """
    provinces = int(demand.province_of_group.max(initial=-1)) + 1
    least = np.zeros((seats.shape[1], provinces), dtype=np.int64)
    for month in range(seats.shape[1]):
        due = demand.due <= month
        wanted = np.bincount(demand.group[due], minlength=len(seats))
        so_far = seats[:, : month + 1].sum(axis=1)
        np.maximum.at(least[month], demand.province_of_group, np.maximum(wanted - so_far, 0))
        budget = np.zeros(provinces, dtype=np.int64)
        np.add.at(budget, demand.province_of_group, np.minimum(wanted, so_far))
        courses = np.bincount(demand.person[due], minlength=len(demand.province_of_person))
        unserved = np.bincount(demand.province_of_person[courses > 0], minlength=provinces)
        for count in range(1, int(courses.max(initial=0)) + 1):
            here = np.bincount(demand.province_of_person[courses == count], minlength=provinces)
            served = np.minimum(here, budget // count)
            budget, unserved = budget - served * count, unserved - served
        least[month] = np.maximum(least[month], unserved)
    return least
