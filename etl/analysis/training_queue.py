"""When the lapses of a plan are trained: those of a queue, a course and the provinces that share its seats, wait in line.

Seats go first to people in date who are about to lapse, then to those who lack the fewest courses.
"""

from dataclasses import dataclass

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
    needed = np.zeros(passed.shape)
    is_there = is_first & (lapses.queue >= 0)
    np.add.at(needed, (lapses.queue[is_there], lapses.due[is_there]), 1)
    # No seat waits for a lapse to come: the others have it.
    passed_first = passed + np.minimum(np.minimum.accumulate(needed.cumsum(axis=1) - passed, axis=1), 0)
    # Whole places: fractions differ in their last digit from month to month.
    reached = np.floor(np.stack([passed - passed_first, passed_first], axis=1) + 1e-6)
    place = _places(lapses, is_first, is_waiting)
    trained = (reached[lapses.queue, is_first.astype(int)] < place[:, None]).sum(axis=1)
    # A person who serves in two provinces is trained in one of them.
    order = order_by(lapses.person, lapses.course, lapses.day)
    person, course, day = (column[order] for column in (lapses.person, lapses.course, lapses.day))
    is_other = np.diff(person, prepend=-1) != 0
    starts = np.flatnonzero(is_other | (np.diff(course, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0))
    trained, due = np.minimum.reduceat(trained[order], starts), lapses.due[order][starts]
    first = np.flatnonzero(is_other[starts])
    return out_by_month(due, trained, first, np.zeros_like(first), 1, months)[:, 0].tolist()


def _places(lapses: Lapses, is_first: np.ndarray, is_waiting: bool) -> Ints:
    """The place of each lapse in its queue, from 1 on; the first have one of their own."""
    line = lapses.queue * 2 + is_first + 2
    lacking = np.zeros_like(lapses.lacking) if is_waiting else lapses.lacking
    order = order_by(line, lacking, lapses.day, lapses.person)
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - np.searchsorted(line[order], np.arange(line.max() + 1))[line[order]] + 1
    return place
