"""Courses passed and failed: in time, late, or never."""

import numpy as np

from etl.synthetic.calendar import ordinal
from etl.synthetic.habits import WORDS
from etl.synthetic.people import People
from etl.synthetic.world import MONTH, NEVER, Columns, Frame, Ints, taken


def training(frame: Frame, who: People, rng: np.random.Generator) -> Columns:
    """Completed courses of people, in their order."""
    stop = np.minimum(who.gone, frame.day)
    parts = []
    for course, row in enumerate(frame.places.course_rows):
        posts = row["posts"].split("|")
        required = [i for i, (post, _) in enumerate(WORDS["post"]) if post in posts or posts == ["*"]]
        due, months = int(row["due_days"] or 0), int(row["valid_months"] or 0)
        begin = np.where(np.isin(who.post, required), who.hired, NEVER)
        if 1 in required:
            begin = np.minimum(begin, who.promoted)
        some = np.flatnonzero(begin < stop)
        days = begin[some] + _first_wait(who.careful[some], due, rng)
        while len(some):
            days = _pandemic(days, rng)
            here = days <= stop[some]
            some, days = some[here], days[here]
            parts.append((some, np.full(len(some), course), days))
            if not months:
                break
            days = days + round(months * MONTH) + _renewal_wait(who.careful[some], rng)
    person, courses, day = (np.concatenate(p) for p in zip(*parts, strict=True))
    return _results(frame, who, person, courses, day, rng)


def _first_wait(careful: np.ndarray, due: int, rng: np.random.Generator) -> Ints:
    """Days from the duty's beginning to the first completion (NEVER for some of the careless)."""
    n = len(careful)
    in_time = due * rng.uniform(0.25, 1.0, n) if due else -rng.uniform(1, 25, n)
    late = rng.random(n) < np.where(careful, 0.015, 0.3)
    wait = np.where(late, due + rng.exponential(np.where(careful, 40, 420)), in_time)
    return np.where(~careful & (rng.random(n) < 0.14), NEVER, wait).astype(int)


def _renewal_wait(careful: np.ndarray, rng: np.random.Generator) -> Ints:
    """Days from expiry to the next completion (mostly before it)."""
    n = len(careful)
    late = rng.random(n) < np.where(careful, 0.03, 0.5)
    wait = np.where(late, rng.exponential(np.where(careful, 40, 380)) + 1, -rng.uniform(2, 60, n))
    return np.where(~careful & (rng.random(n) < 0.1), NEVER, wait).astype(int)


def _pandemic(days: Ints, rng: np.random.Generator) -> Ints:
    """Many courses were suspended from Esfand 1398 to Mordad 1399."""
    shut = (days >= ordinal(1398, 12, 1)) & (days <= ordinal(1399, 5, 31)) & (rng.random(len(days)) < 0.55)
    return days + shut * rng.integers(60, 260, len(days))


def _results(frame: Frame, who: People, person: Ints, course: Ints, day: Ints, rng: np.random.Generator) -> Columns:
    """Rows of passed courses, with failed attempts some weeks before some of them."""
    failed = np.flatnonzero(rng.random(len(day)) < 0.065)
    when = np.r_[day, day[failed] - rng.integers(6, 28, len(failed))]
    person, course = np.r_[person, person[failed]], np.r_[course, course[failed]]
    result = np.r_[np.zeros(len(day), int), np.ones(len(failed), int)]
    n = len(when)
    hours = np.array([int(r["hours"]) for r in frame.places.course_rows])[course]
    hours = np.where(rng.random(n) < 0.05, -1, hours)
    score = np.where(result == 0, rng.integers(120, 201, n), rng.integers(40, 119, n)) / 2
    score = np.where(rng.random(n) < 0.7, np.round(score), score)
    score = np.where(rng.random(n) < 0.04, -1, score)
    columns = {"who": person, "national_id": who.id[person], "course_code": course,
               "completed_on": when, "hours": hours, "score": score, "result": result}  # fmt: skip
    return taken(columns, np.argsort(person, kind="stable"))
