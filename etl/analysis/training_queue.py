"""When the lapses of a plan are trained: those of a queue, a course and the provinces that share its seats, wait in line.

Seats go first to people in date who are about to lapse, then to those who lack the fewest courses.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from etl.analysis.seat_scheduling import Ints, Numbers, order_by, out_by_month


@dataclass(frozen=True)
class Lapses:
    """Courses that lapse, sorted by person, course and day.

    `queue` (-1 for one without seats) and `due`, the month by whose end that is, from 0; `lacking`: how many courses the person
    lacks at the beginning.
    """

    queue: Ints
    person: Ints
    course: Ints
    day: Ints
    due: Ints
    lacking: Ints

    @cached_property
    def starts(self) -> Ints:
        """Where each lapse of a person begins, which several queues may have."""
        is_other = [np.diff(column, prepend=-1) != 0 for column in (self.person, self.course, self.day)]
        return np.flatnonzero(np.logical_or.reduce(is_other))


def lapsed(lapses: Lapses, passed: Numbers, is_waiting: bool) -> list[int]:
    """The persons out of date at the end of each month, with passes `passed` by queue and month, summed up from the first.

    `is_waiting`: seats go to those who have waited longest, whatever else they lack.
    """
    months = passed.shape[1]
    if not len(lapses.queue):
        return [0] * months
    # The first row is the queue of those without seats, -1.
    passed, queue = np.concatenate([np.zeros((1, months)), passed]), lapses.queue + 1
    is_first = (lapses.lacking == 0) & (not is_waiting)
    is_there = is_first & (queue > 0)
    needed = np.bincount(queue[is_there] * months + lapses.due[is_there], minlength=passed.size)
    needed = needed.reshape(passed.shape)
    # No seat waits for a lapse to come: the others have it.
    passed_first = passed + np.minimum(np.minimum.accumulate(needed.cumsum(axis=1) - passed, axis=1), 0)
    # Whole places: fractions differ in their last digit from month to month.
    reached = np.floor(np.stack([passed - passed_first, passed_first], axis=1) + 1e-6).reshape(-1, months)
    # A line is a queue's first or its others; those trained in one month follow each other in it.
    line = 2 * queue + is_first
    length = np.bincount(line, minlength=len(reached))[:, None]
    reached = np.minimum(np.maximum.accumulate(reached, axis=1), length).astype(np.int64)
    order = order_by(line, lapses.lacking * (not is_waiting), lapses.day, lapses.person)
    trained = np.empty_like(order)
    many = np.diff(reached, prepend=0, append=length)
    trained[order] = np.repeat(np.tile(np.arange(months + 1), len(reached)), many.ravel())
    # A person who serves in two provinces is trained in one of them.
    trained = np.minimum.reduceat(trained, lapses.starts)
    due, person = (column[lapses.starts] for column in (lapses.due, lapses.person))
    first = np.flatnonzero(np.diff(person, prepend=-1))
    return out_by_month(due, trained, first, np.zeros_like(first), 1, months)[:, 0].tolist()
