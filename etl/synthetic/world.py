"""The fixed points of a made-up register and its institutes: how many, where, since when.

The docstring of the package says how the numbers are chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from etl.core.paths import REFERENCE
from etl.core.places import reference_rows
from etl.synthetic.calendar import jalali_year

PEOPLE = 59_400  # in service on the last day at scale 1
INSTITUTES = 1_870  # ever licensed at scale 1; applicants come on top
MONTH = 30.4375  # mean days of a month
MONTHS = 144
NEVER = 10_000_000  # a day that does not come

Ints = np.ndarray  # day ordinals, indices and codes
Columns = dict[str, np.ndarray]


def taken(columns: Columns, rows: np.ndarray | slice) -> Columns:
    """Some rows of columns, by a mask, by indices or as a slice."""
    return {name: values[rows] for name, values in columns.items()}


def stacked(parts: Sequence[Columns]) -> Columns:
    """The rows of several parts under the columns of the first."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class Places:
    """Provinces, counties and courses of the reference tables, as lists to index."""

    def __init__(self) -> None:
        rows = sorted(reference_rows(REFERENCE / "provinces.csv"), key=lambda r: r["sci_code"])
        self.rows = rows
        self.provinces = {
            "name": [r["name_fa"] for r in rows], "english": [r["name_en"] for r in rows],
            "iso": [r["iso_3166_2"] for r in rows], "sci": [r["sci_code"] for r in rows],
        }  # fmt: skip
        index = {iso: i for i, iso in enumerate(self.provinces["iso"])}
        self.aliases: list[list[str]] = [[] for _ in rows]
        for row in reference_rows(REFERENCE / "province_aliases.csv"):
            # «کرج» is also a city: clerks do not mean the province by it
            if row["lang"] == "fa" and row["alias"] != "کرج" and "," not in row["alias"]:
                self.aliases[index[row["iso_3166_2"]]].append(row["alias"])
        counties = reference_rows(REFERENCE / "counties.csv")
        self.county_province = np.array([index[c["province_iso"]] for c in counties])
        self.county_urban = np.array([int(c["urban_2016"]) + 500 for c in counties], dtype=float)
        self.county_names = [c["county_fa"] for c in counties]
        self.county_codes = [c["sci_code"] for c in counties]
        later = [c for c in reference_rows(REFERENCE / "counties_1402.csv") if c["in_2016_census"] == "0"]
        self.new_counties = [c["county_fa"] for c in later]
        self.new_county_province = np.array([index[c["province_iso"]] for c in later])
        self.course_rows = reference_rows(REFERENCE / "courses.csv")
        self.courses = [c["course_code"] for c in self.course_rows]


@dataclass(frozen=True)
class Frame:
    """The fixed points of a sample: its days, its size and its provinces."""

    day: int  # ordinal of the last day of history
    scale: float
    seed: int
    places: Places
    people: np.ndarray  # in service on the last day, by province
    quality: np.ndarray  # share of people who keep their training, by province
    churn: np.ndarray  # factor on the rate of leaving, by province
    pace: np.ndarray  # exponent on the growth curve, by province (above 1: late)
    women: np.ndarray  # factor on the share of women, by province
    slowness: np.ndarray  # factor on licensing times, by province

    @property
    def start(self) -> int:
        return self.day - round(MONTHS * MONTH)

    def rng(self, *stage: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stage])


def frame(scale: float, seed: int, day: date) -> Frame:
    """Size and character of every province."""
    places = Places()
    rng = np.random.default_rng([seed, 1])
    residents = np.array([float(r["population_2016"]) for r in places.rows])
    urban = np.array([float(r["urban_2016"]) for r in places.rows]) / residents
    share = np.clip((urban - 0.485) / 0.47, 0, 1)
    per_10k = (2 + 9.5 * share**1.15) * rng.normal(1, 0.08, 31).clip(0.85, 1.15)
    english = places.provinces["english"]
    per_10k[[english.index("Qom"), english.index("Alborz")]] *= 0.75
    per_10k[english.index("Sistan and Baluchestan")] = per_10k.min() * 0.9
    people = per_10k * residents
    quality = 0.64 + 0.31 * rng.permutation(np.linspace(0, 1, 31) ** 0.75)
    return Frame(
        day.toordinal(), scale, seed, places,
        people=np.maximum(PEOPLE * scale * people / people.sum(), 3),
        quality=quality, churn=rng.uniform(0.75, 1.3, 31), pace=rng.uniform(0.8, 1.5, 31),
        women=rng.uniform(0.7, 1.3, 31), slowness=rng.uniform(0.8, 1.3, 31),
    )  # fmt: skip


def growth(frame: Frame) -> np.ndarray:
    """Share of the last day's stock reached by the end of each month, the start included (145)."""
    ends = frame.start + np.arange(1, MONTHS + 1) * MONTH
    year = jalali_year(ends.astype(int))
    step = np.select([year == 1399, year == 1400, year > 1403], [0.12, 0.75, 0.8], 1.0)
    step[:8] = 2.6  # the register opens and enters those already at work
    return np.concatenate([[0.0], np.cumsum(step) / step.sum()])


@dataclass
class Institutes:
    """One entry an institute, all provinces; licences are added by `licensing`."""

    province: Ints
    code: Ints
    county: Ints
    activity: Ints
    applied: Ints  # first application
    first: Ints  # first day licensed (NEVER for applicants)
    ended: Ints  # closed, revoked or suspended since (NEVER)
    status: Ints
    smart: Ints  # 1, 0, -1 unknown
    veteran: Ints
    weight: np.ndarray  # of being chosen by somebody looking for a post
    founded: Ints
    settled: np.ndarray  # weight of each county of the country; 0 where nobody serves
    character: np.ndarray  # of staying and of keeping courses, standard normal, a row each

    def of(self, province: int) -> slice:
        """The entries of a province, which are contiguous."""
        low, high = np.searchsorted(self.province, [province, province + 1])
        return slice(int(low), int(high))


def covered_counties(frame: Frame, rng: np.random.Generator) -> np.ndarray:
    """Weight of each county for an institute to settle there; 0 for counties that have none."""
    places = frame.places
    weight = places.county_urban**1.15
    for province in range(31):
        mine = np.flatnonzero(places.county_province == province)
        row = places.rows[province]
        rural = 1 - float(row["urban_2016"]) / float(row["population_2016"])
        count = int(len(mine) * rural * 0.45)
        chance = 1 / places.county_urban[mine] ** 1.5
        left_out = rng.choice(mine, count, replace=False, p=chance / chance.sum())
        weight[left_out] = 0
        weight[mine[np.argmax(places.county_urban[mine])]] = places.county_urban[mine].max() ** 1.15
    return weight


def _spread(frame: Frame, total: int, least: int) -> tuple[Ints, Ints, Ints]:
    """Institutes over the provinces: their number by province, and the province and serial number of each."""
    count = np.maximum(np.round(total * frame.scale * frame.people / frame.people.sum()), least).astype(int)
    return count, np.repeat(np.arange(31), count), np.concatenate([np.arange(c) for c in count])


def institutes(frame: Frame, counties: np.ndarray) -> Institutes:
    """All institutes, when they want to begin, how they end; sorted by province and beginning."""
    rng, curve = frame.rng(2), growth(frame)
    count, province, serial = _spread(frame, INSTITUTES, 2)
    n = len(province)
    reached = (serial / count[province]) ** (1 / (0.75 * frame.pace[province]))
    applied = frame.start + np.interp(reached, curve, np.arange(MONTHS + 1)) * MONTH
    applied = (applied - 110 + rng.integers(-40, 40, n)).astype(int)
    anchor = serial == 0
    applied[anchor] = frame.start - 200
    county = np.empty(n, dtype=int)
    for p in range(31):
        mine, here = province == p, np.flatnonzero(frame.places.county_province == p)
        chance = counties[here] / counties[here].sum()
        county[mine] = rng.choice(here, int(mine.sum()), p=chance)
        county[mine & anchor] = here[np.argmax(counties[here])]
    fate = rng.random(n)
    status = np.select([fate < 0.06, fate < 0.08, fate < 0.1], [4, 3, 2], 1)
    status[anchor] = 1
    for state, place in ((2, 10), (3, 7), (4, 9)):  # however small the sample, one of each
        if not (status == state).any():
            status[np.flatnonzero((province == place) & (serial == 1))] = state
    life = np.maximum(frame.day - applied - 700, 1)
    ended = applied + 500 + (rng.random(n) ** 0.6 * life).astype(int)
    ended = np.where(status == 2, frame.day - rng.integers(5, 420, n), ended)
    ended[(status == 1)] = NEVER
    early = ended - applied < 400  # too young to have ended: still active
    ended[early | (ended > frame.day)], status[early | (ended > frame.day)] = NEVER, 1
    weight = rng.lognormal(0, 0.9, n)
    weight[anchor] = np.maximum(weight[anchor], 2.0)
    weight[status == 2] = np.minimum(weight[status == 2], 1.0)
    smart = (rng.random(n) < 0.12 + 0.25 * (applied - frame.start) / (frame.day - frame.start)) * 1
    smart[rng.random(n) < 0.03] = -1
    return Institutes(
        province, province * 100_000 + serial + 1, county,
        rng.choice(6, n, p=[0.42, 0.12, 0.14, 0.07, 0.17, 0.08]), applied, np.full(n, NEVER), ended,
        status, smart, (rng.random(n) < 0.22) * 1, weight,
        applied - rng.integers(20, 1500, n), counties, frame.rng(11).standard_normal((2, n)),
    )  # fmt: skip


def applicants(frame: Frame, counties: np.ndarray) -> Institutes:
    """Institutes that asked for a licence in the last two years and have none (yet)."""
    rng = frame.rng(3)
    _, province, serial = _spread(frame, 110, 1)
    n = len(province)
    at_home = [np.flatnonzero((frame.places.county_province == p) & (counties > 0)) for p in range(31)]
    county = np.array([rng.choice(at_home[p]) for p in province])
    applied = frame.day - (rng.random(n) ** 2 * 600).astype(int) - 3
    never = np.full(n, NEVER)
    return Institutes(
        province, province * 100_000 + 80_001 + serial, county, rng.choice(6, n), applied, never,
        never.copy(), np.zeros(n, dtype=int), (rng.random(n) < 0.4) * 1, (rng.random(n) < 0.2) * 1,
        np.zeros(n), applied - rng.integers(5, 300, n), counties, np.zeros((2, n)),
    )  # fmt: skip


def institute_columns(inst: Institutes, rows: slice, rng: np.random.Generator) -> Columns:
    """The institutes table of chosen entries."""
    ended = inst.ended[rows]
    return {
        "institute_code": inst.code[rows], "name": institute_names(len(ended), rng),
        "province": inst.province[rows], "county": inst.county[rows],
        "activity": inst.activity[rows], "founded_on": inst.founded[rows],
        "status": inst.status[rows], "status_since": np.where(ended < NEVER, ended, 0),
        "smart_services": inst.smart[rows], "veteran_led": inst.veteran[rows],
    }  # fmt: skip


_WHAT = ["نگهبان", "پاسبان", "دیدبان", "حافظان", "پاسداران", "همیاران", "مهر", "طلایه", "سپر", "برج", "دژ", "باروی"]
_HOW = ["آرام", "امین", "استوار", "بیدار", "پایدار", "توانا", "روشن", "سپید", "فرزانه", "کوشا", "نیک",
    "هوشیار", "آریا", "بردبار"]  # fmt: skip
_OF = ["کویر", "دریا", "البرز", "زاگرس", "دشت", "باران", "خورشید", "سپیده", "مهتاب", "کوهستان", "ساحل",
    "جنگل", "افق", "شهر", "فردا", "ایمن", "پارس", "صدف", "نسیم"]  # fmt: skip


def institute_names(n: int, rng: np.random.Generator) -> np.ndarray:
    """Invented names, each marked as a sample."""
    parts = (rng.integers(0, len(choice), n) for choice in (_WHAT, _HOW, _OF))
    names = [f"{_WHAT[a]} {_HOW[b]} {_OF[c]} (نمونه)" for a, b, c in zip(*parts, strict=True)]
    return np.array(names, dtype=object)
