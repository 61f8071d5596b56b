"""Made-up people: who they are, when they join and leave."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from etl.synthetic.calendar import YEAR_STARTS
from etl.synthetic.habits import FIRST_MEN, FIRST_WOMEN, LAST
from etl.synthetic.world import MONTH, MONTHS, NEVER, Frame, Institutes, Ints, growth

# How much of what makes people leave and keep courses in time is common to their institute, of a normal variable's variance.
COMMON_IN_LEAVING, COMMON_IN_TRAINING = 0.11, 0.16


@dataclass
class People:
    """One entry a person."""

    id: Ints
    first: Ints  # the first institute
    hired: Ints
    gone: Ints  # last day of service (NEVER while serving)
    post: Ints
    promoted: Ints  # day of becoming team leader (NEVER)
    careful: np.ndarray  # keeps courses in time
    first_name: Ints
    last_name: Ints
    gender: Ints
    birth: Ints
    education: Ints
    accredited: Ints  # judicial officer from (0: not) ...
    accredited_until: Ints  # ... until (0: open)
    veteran: Ints

    def __len__(self) -> int:
        return len(self.id)


def national_ids(start: int, n: int) -> Ints:
    """Made-up ids with a valid check digit for the counters `start` to `start + n - 1`."""
    k = np.arange(start, start + n, dtype=np.int64)
    blocks = np.array([b for b in range(800, 990) if b != 888])
    prefix, serial = blocks[k % len(blocks)], k // len(blocks)
    zeros = k % 33 == 5
    prefix = np.where(zeros, np.where(k // 33 % 2 == 0, 9, 99), prefix)
    serial = np.where(zeros, k // 66, serial)
    return with_check_digit(prefix * 1_000_000 + (serial * 736_879 + 410_233) % 1_000_000)


def with_check_digit(nine: Ints) -> Ints:
    """Ids of ten digits from their first nine."""
    total, digits = np.zeros_like(nine), nine.copy()
    for weight in range(2, 11):
        total += digits % 10 * weight
        digits = digits // 10
    left = total % 11
    return nine * 10 + np.where(left < 2, left, 11 - left)


def joining_days(frame: Frame, province: int, rng: np.random.Generator) -> Ints:
    """Hiring days that make the province's stock follow its growth curve, in order."""
    stock = frame.people[province] * growth(frame) ** frame.pace[province]
    first, later = monthly_leaving(frame, province)
    age = np.arange(MONTHS + 1) + 0.5
    stays = np.exp(-first * np.minimum(age, 12) - later * np.maximum(age - 12, 0))
    joined = np.zeros(MONTHS)
    for month in range(MONTHS):
        left_over = joined[:month] @ stays[month:0:-1] if month else 0.0
        joined[month] = max(stock[month + 1] - left_over, 0) / stays[0]
    total = joined.cumsum()
    n = max(round(float(total[-1])), 4)
    rank = (np.arange(n) + rng.random(n)) / n * total[-1]
    days = frame.start + 1 + np.interp(rank, np.r_[0, total], np.arange(MONTHS + 1)) * MONTH
    days = np.minimum(days.astype(int), frame.day - 1)
    return np.sort(days + (days % 7 == 5) * -1)


def monthly_leaving(frame: Frame, province: int) -> tuple[float, float]:
    """Rates of leaving a month in the first year and after it."""
    return 0.017 * frame.churn[province], 0.009 * frame.churn[province]


def alike(chance: np.ndarray, character: np.ndarray, common: float) -> np.ndarray:
    """Uniform numbers that people of one institute have partly in common, by its character (standard normal)."""
    return ndtr(np.sqrt(common) * character + np.sqrt(1 - common) * ndtri(chance))


def last_days(
    frame: Frame, province: int, hired: Ints, rng: np.random.Generator, character: np.ndarray | None = None
) -> Ints:
    """Last day of service of each person; NEVER if it is after the last day."""
    first, later = monthly_leaving(frame, province)
    chance = rng.random(len(hired))
    wear = -np.log(chance if character is None else alike(chance, character, COMMON_IN_LEAVING))
    months = np.where(wear < 12 * first, wear / first, 12 + (wear - 12 * first) / later)
    gone = hired + np.minimum(months * MONTH, 20_000).astype(int) + 1
    # some contracts run to the last day of the Jalali year
    end = YEAR_STARTS[np.minimum(np.searchsorted(YEAR_STARTS, gone, "right"), len(YEAR_STARTS) - 1)]
    gone = np.where(rng.random(len(hired)) < 0.2, end - 1, gone)
    return np.where(gone > frame.day, NEVER, gone)


def people(
    frame: Frame, province: int, hired: Ints, start: int, rng: np.random.Generator, inst: Institutes, first: Ints
) -> People:
    """Persons for hiring days and first institutes; `start` is the counter their ids begin at."""
    n = len(hired)
    staying, care = inst.character[:, first]
    gone = last_days(frame, province, hired, rng, staying)
    veteran = (rng.random(n) < 0.09) * 1
    veteran = np.where(rng.random(n) < 0.02, -1, veteran)
    post = np.where(rng.random(n) < 0.045, 3, rng.choice(3, n, p=[0.79, 0.075, 0.135]))
    women = 0.07 + 0.08 * (hired - frame.start) / (frame.day - frame.start)
    women = women * np.where(post == 2, 2.2, 1.0) * frame.women[province]
    gender = (rng.random(n) < women) * 1
    age = 19.5 + 27 * rng.beta(1.4, 2.6, n)
    age = np.where(veteran == 1, rng.uniform(44, 60, n), age)
    age = np.where(post == 3, np.maximum(age, 28 + 20 * rng.random(n)), age)
    level = rng.normal(np.select([post == 3, post == 2], [2.6, 1.7], 1.0), 0.8)
    men, women_ = len(FIRST_MEN), len(FIRST_WOMEN)
    names = np.where(gender == 1, men + rng.integers(0, women_, n), rng.integers(0, men, n))
    # those hired in the first years keep their training less
    quality = frame.quality[province] - 0.1 * (hired - frame.start < 1800)
    promoted = hired + rng.integers(450, 2600, n)
    rises = (post == 0) & (rng.random(n) < 0.16) & (promoted < np.minimum(gone, frame.day) - 60)
    accredited = np.where(rng.random(n) < 0.36, hired + rng.integers(60, 420, n), 0)
    accredited[accredited >= np.minimum(gone, frame.day)] = 0
    ends = accredited + rng.choice([730, 1095, 1826, 3652], n, p=[0.12, 0.23, 0.35, 0.3])
    return People(
        national_ids(start, n), first, hired, gone, post, np.where(rises, promoted, NEVER),
        alike(rng.random(n), care, COMMON_IN_TRAINING) < quality, names, rng.integers(0, len(LAST), n), gender,
        (hired - age * 365.25).astype(int), np.clip(level.round(), 0, 5).astype(int), accredited,
        np.where((accredited > 0) & (rng.random(n) < 0.7), ends, 0), veteran,
    )  # fmt: skip
