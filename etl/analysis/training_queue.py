"""When the lapses of a plan are trained: those of a queue, a course and the provinces that share its seats, wait in line.

Seats go first to people in date who are about to lapse, then to those who lack the fewest courses.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from etl.analysis.seat_scheduling import Ints, Numbers, order_by, out_by_month


@dataclass(frozen=True)
class Lapses:
    """Courses that lapse: `queue` (-1 for one without seats), person, course, day and the month by whose end that is, from 0.

    `lacking`: how many courses the person lacks at the beginning.
    """

    queue: Ints
    person: Ints
    course: Ints
    day: Ints
    due: Ints
    lacking: Ints

    @cached_property
    def of_person(self) -> tuple[Ints, Ints]:
        """The order by person, course and day; and where in it each lapse of a person begins, which several queues may have."""
        order = order_by(self.person, self.course, self.day)
        is_other = [np.diff(column[order], prepend=-1) != 0 for column in (self.person, self.course, self.day)]
        return order, np.flatnonzero(np.logical_or.reduce(is_other))


def lapsed(lapses: Lapses, passed: Numbers, is_waiting: bool) -> list[int]:
    """The persons out of date at the end of each month, with passes `passed` by queue and month, summed up from the first.

    `is_waiting`: seats go to those who have waited longest, whatever else they lack.
    """
    months = passed.shape[1]
    if not len(lapses.queue):
        return [0] * months
    # The last row is the queue of those without seats, -1.
    passed = np.concatenate([passed, np.zeros((1, months))])
    is_first = (lapses.lacking == 0) & (not is_waiting)
    is_there = is_first & (lapses.queue >= 0)
    needed = np.bincount(lapses.queue[is_there] * months + lapses.due[is_there], minlength=passed.size)
    needed = needed.reshape(passed.shape)
    # No seat waits for a lapse to come: the others have it.
    passed_first = passed + np.minimum(np.minimum.accumulate(needed.cumsum(axis=1) - passed, axis=1), 0)
    # Whole places: fractions differ in their last digit from month to month.
    reached = np.floor(np.stack([passed - passed_first, passed_first], axis=1) + 1e-6)
    place = _places(lapses, is_first, is_waiting)
    # By line and month the place that is reached, from which on the places of the line follow: one ascending row of numbers.
    line, width = 2 * (lapses.queue % len(passed)) + is_first, len(place) + 1
    steps = np.arange(2 * len(passed))[:, None] * width + np.minimum(reached.reshape(-1, months), width - 1)
    trained = np.searchsorted(steps.ravel(), line * width + place) - line * months
    # A person who serves in two provinces is trained in one of them.
    order, starts = lapses.of_person
    trained = np.minimum.reduceat(trained[order], starts)
    due, person = (column[order[starts]] for column in (lapses.due, lapses.person))
    first = np.flatnonzero(np.diff(person, prepend=-1))
    return out_by_month(due, trained, first, np.zeros_like(first), 1, months)[:, 0].tolist()


def _places(lapses: Lapses, is_first: np.ndarray, is_waiting: bool) -> Ints:
    """The place of each lapse in its queue, from 1 on; the first have one of their own."""
    line = lapses.queue * 2 + is_first + 2
    lacking = np.zeros_like(lapses.lacking) if is_waiting else lapses.lacking
    order = order_by(line, lacking, lapses.day, lapses.person)
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - np.searchsorted(line[order], np.arange(line.max() + 1))[line[order]] + 1
    return place
