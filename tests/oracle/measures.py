"""The oracle's measures: every number of the contract, counted in plain Python from loaded rows.

Written from the words of the measures, one function a measure, looping over people, spells and
days. Slow and obvious on purpose: the pipeline is compared with it. It never imports etl.

Each function takes the data, a day (states) or a first and last day (flows), and `where`: the
filters, {dimension: {values}}, a value None being unknown. A group of a breakdown is just one more
filter, so nothing is ever summed from parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

from persiantools.jdatetime import JalaliDate

from tests.oracle.read import MORE, Course, Load, Reference, add_months

Where = dict[str, set[Any]]
DAY = timedelta(days=1)
GAP = timedelta(days=90)  # a break of service is longer than this
SPELL_DIMENSIONS = ("province", "county", "institute", "activity", "gender", "education", "post", *MORE)
INSTITUTE_DIMENSIONS = ("province", "county", "institute", "activity")


@dataclass(frozen=True)
class Spell:
    """One row of personnel, with its institute's activity."""

    person: str
    institute: str
    province: str
    county: str | None
    activity: str
    post: str
    hired_on: date
    left_on: date | None
    judicial_from: date | None
    judicial_until: date | None
    veteran: bool | None
    # The groups that the spell is in, by SPELL_DIMENSIONS.
    members: dict[str, str | None] = field(hash=False)

    def in_service(self, day: date) -> bool:
        return self.hired_on <= day and (self.left_on is None or self.left_on >= day)

    def reaches(self, day: date) -> bool:
        """Does this spell, or the 90 days after it, reach the day?"""
        return self.left_on is None or day <= self.left_on + GAP


@dataclass(frozen=True)
class Event:
    """A joiner or a leaver: the day, and the spell that carries it."""

    day: date
    spell: Spell


class Data:
    """The loaded rows, with lookups."""

    def __init__(self, load: Load):
        self.reference = load.reference
        self.as_of = load.as_of
        self.institutes = {row["institute_code"]: row for row in load.rows["institutes"]}
        self.licences = load.rows["licences"]
        self.spells = []
        for row in load.rows["personnel"]:
            members = {name: row[name] for name in ("province", "county", "gender", "education", "post", *MORE)}
            members["institute"] = row["institute_code"]
            members["activity"] = self.institutes[row["institute_code"]]["activity"]
            spell = Spell(
                person=row["national_id"],
                institute=row["institute_code"],
                province=row["province"],
                county=row["county"],
                activity=members["activity"],
                post=row["post"],
                hired_on=row["hired_on"],
                left_on=row["left_on"],
                judicial_from=row["judicial_officer_from"],
                judicial_until=row["judicial_officer_until"],
                veteran=row["veteran"],
                members=members,
            )
            self.spells.append(spell)
        self.births = {row["national_id"]: row["birth_date"] for row in load.rows["personnel"]}
        self.spells_of: dict[str, list[Spell]] = defaultdict(list)
        for spell in self.spells:
            self.spells_of[spell.person].append(spell)
        self.results = load.rows["training"]
        self.completions = [row for row in load.rows["training"] if row["result"] == "passed"]
        self.completions_of: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in self.completions:
            self.completions_of[row["national_id"], row["course_code"]].append(row)


# ------------------------------------------------------------------ filters
def spell_fits(spell: Spell, where: Where) -> bool:
    for dimension, values in where.items():
        if dimension in SPELL_DIMENSIONS and spell.members[dimension] not in values:
            return False
    return True


def institute_fits(institute: dict[str, Any], where: Where) -> bool:
    column = {"institute": "institute_code"}
    return all(
        institute[column.get(dimension, dimension)] in values
        for dimension, values in where.items()
        if dimension in INSTITUTE_DIMENSIONS
    )


def licence_fits(data: Data, licence: dict[str, Any], where: Where) -> bool:
    outcomes = where.get("outcome")
    return institute_fits(data.institutes[licence["institute_code"]], where) and (
        outcomes is None or licence["outcome"] in outcomes
    )


def share(part: float | Fraction, whole: float | Fraction) -> float | None:
    """A fraction; None if the denominator is 0."""
    return float(Fraction(part) / Fraction(whole)) if whole else None


# ------------------------------------------------------------------ stock
@cache
def licences_by_institute(data: Data) -> dict[str, list[dict[str, Any]]]:
    grouped = defaultdict(list)
    for licence in data.licences:
        grouped[licence["institute_code"]].append(licence)
    return grouped


@cache
def licensed(data: Data, day: date) -> frozenset[str]:
    codes = set()
    for code, institute in data.institutes.items():
        is_stopped = institute["status"] in ("suspended", "revoked", "closed") and institute["status_since"] <= day
        holds = any(
            licence["outcome"] == "granted" and licence["valid_from"] <= day <= licence["valid_until"]
            for licence in licences_by_institute(data)[code]
        )
        if holds and not is_stopped:
            codes.add(code)
    return frozenset(codes)


@cache
def serving(data: Data, day: date) -> list[Spell]:
    return [spell for spell in data.spells if spell.in_service(day)]


@cache
def active_spells(data: Data, day: date) -> list[Spell]:
    return [spell for spell in serving(data, day) if spell.institute in licensed(data, day)]


def persons(spells: Iterable[Spell], where: Where) -> set[str]:
    for dimension, values in where.items():
        if dimension in SPELL_DIMENSIONS:
            spells = [spell for spell in spells if spell.members[dimension] in values]
    return {spell.person for spell in spells}


def in_service(data: Data, day: date, where: Where) -> int:
    return len(persons(serving(data, day), where))


def active(data: Data, day: date, where: Where) -> int:
    return len(persons(active_spells(data, day), where))


def licensed_institutes(data: Data, day: date, where: Where) -> int:
    return sum(institute_fits(data.institutes[code], where) for code in licensed(data, day))


def officers(data: Data, day: date, where: Where) -> set[str]:
    return persons(
        [
            spell
            for spell in active_spells(data, day)
            if spell.judicial_from is not None
            and spell.judicial_from <= day
            and (spell.judicial_until is None or day <= spell.judicial_until)
        ],
        where,
    )


def judicial_officers(data: Data, day: date, where: Where) -> int:
    return len(officers(data, day, where))


def veterans(data: Data, day: date, where: Where) -> int:
    return len(persons([s for s in active_spells(data, day) if s.veteran is True], where))


def judicial_officer_share(data: Data, day: date, where: Where) -> float | None:
    return share(judicial_officers(data, day, where), active(data, day, where))


def veteran_share(data: Data, day: date, where: Where) -> float | None:
    return share(veterans(data, day, where), active(data, day, where))


def smart_service_share(data: Data, day: date, where: Where) -> float | None:
    smart = [c for c in licensed(data, day) if data.institutes[c]["smart_services"] is True]
    part = sum(institute_fits(data.institutes[code], where) for code in smart)
    return share(part, licensed_institutes(data, day, where))


def veteran_led_institutes(data: Data, day: date, where: Where) -> int:
    codes = [code for code in licensed(data, day) if data.institutes[code]["veteran_led"] is True]
    return sum(institute_fits(data.institutes[code], where) for code in codes)


def veteran_led_institute_share(data: Data, day: date, where: Where) -> float | None:
    return share(veteran_led_institutes(data, day, where), licensed_institutes(data, day, where))


def institutes_founded(data: Data, first: date, last: date, where: Where) -> int:
    return sum(
        institute["founded_on"] is not None
        and first <= institute["founded_on"] <= last
        and institute_fits(institute, where)
        for institute in data.institutes.values()
    )


def completed_years(since: date, day: date) -> int:
    years = 0
    while add_months(since, 12 * (years + 1)) <= day:
        years += 1
    return years


def institute_age_median(data: Data, day: date, where: Where) -> float | None:
    institutes = [data.institutes[code] for code in licensed(data, day)]
    ages = [
        completed_years(institute["founded_on"], day)
        for institute in institutes
        if institute_fits(institute, where) and institute["founded_on"] is not None and institute["founded_on"] <= day
    ]
    return quantile(sorted(ages), Fraction(1, 2))


# ------------------------------------------------------------------ growth
def latest_target(data: Data, province: str | None, day: date) -> float | None:
    targets = [t for t in data.reference.targets if t.province == province and t.on <= day]
    return max(targets, key=lambda target: target.on).value if targets else None


def target_of(data: Data, province: str, day: date) -> float | None:
    """A province's own target, else its census share of the nation's."""
    own = latest_target(data, province, day)
    nation = latest_target(data, None, day)
    if own is not None or nation is None:
        return own
    return nation * census(data, {"province": {province}}) / census(data, {})


def target_progress(data: Data, day: date, where: Where) -> float | None:
    if "province" not in where:
        target = latest_target(data, None, day)
    else:
        targets = [target_of(data, province, day) for province in provinces_of(data, where)]
        target = None if None in targets else sum(t for t in targets if t is not None)
    return None if target is None else share(active(data, day, where), target)


def first_institute(spell: Spell) -> tuple[str, date]:
    """Of several spells the one with the first institute_code; in one institute the earlier."""
    return spell.institute, spell.hired_on


def one_a_day(events: list[Event]) -> list[Event]:
    """At most one event a person and day: of several spells, that with the first institute."""
    events_by_day: dict[tuple[str, date], Event] = {}
    for event in sorted(events, key=lambda event: first_institute(event.spell)):
        events_by_day.setdefault((event.spell.person, event.day), event)
    return list(events_by_day.values())


@cache
def all_joiners(data: Data) -> list[Event]:
    events = []
    for spell in data.spells:
        earlier = [
            other
            for other in data.spells_of[spell.person]
            if other.hired_on < spell.hired_on and other.reaches(spell.hired_on)
        ]
        if not earlier:
            events.append(Event(spell.hired_on, spell))
    return one_a_day(events)


@cache
def all_leavers(data: Data) -> list[Event]:
    events = []
    for spell in data.spells:
        if spell.left_on is None:
            continue
        later_or_running = [
            other
            for other in data.spells_of[spell.person]
            if other.hired_on <= spell.left_on + GAP and (other.left_on is None or other.left_on > spell.left_on)
        ]
        if not later_or_running:
            events.append(Event(spell.left_on + DAY, spell))
    return one_a_day(events)


@cache
def joined_in(data: Data, first: date, last: date) -> list[Event]:
    return [event for event in all_joiners(data) if first <= event.day <= last]


@cache
def left_in(data: Data, first: date, last: date) -> list[Event]:
    return [event for event in all_leavers(data) if first <= event.day <= last]


def joiners(data: Data, first: date, last: date, where: Where) -> int:
    return sum(spell_fits(event.spell, where) for event in joined_in(data, first, last))


def leavers(data: Data, first: date, last: date, where: Where) -> int:
    return sum(spell_fits(event.spell, where) for event in left_in(data, first, last))


def net_change(data: Data, first: date, last: date, where: Where) -> int:
    return joiners(data, first, last, where) - leavers(data, first, last, where)


def leaver_rate_12m(data: Data, day: date, where: Where) -> float | None:
    year_ago = add_months(day, -12)
    count = leavers(data, year_ago + DAY, day, where)
    mean = Fraction(in_service(data, year_ago, where) + in_service(data, day, where), 2)
    return float(count / mean) if mean else None


def early_attrition(data: Data, day: date, where: Where) -> float | None:
    first, last = add_months(day, -24) + DAY, add_months(day, -12)
    events = [event for event in joined_in(data, first, last) if spell_fits(event.spell, where)]
    lost = 0
    for event in events:
        days_left = leaving_days(data)[event.spell.person]
        lost += any(event.day < day <= add_months(event.day, 12) for day in days_left)
    return share(lost, len(events))


@cache
def leaving_days(data: Data) -> dict[str, list[date]]:
    days = defaultdict(list)
    for leaver in all_leavers(data):
        days[leaver.spell.person].append(leaver.day)
    return days


# ------------------------------------------------------------------ transfers
@dataclass(frozen=True)
class Move:
    """A person enters or leaves a place, as neither joiner nor leaver."""

    day: date
    person: str
    place: str


def islands(spells: list[Spell]) -> list[tuple[date, date | None]]:
    """First and last days of unbroken presence; a spell that begins the next day continues it."""
    spans: list[tuple[date, date | None]] = []
    for spell in sorted(spells, key=lambda spell: spell.hired_on):
        if spans:
            first, last = spans[-1]
            if last is None or spell.hired_on <= last + DAY:
                ends = None if last is None or spell.left_on is None else max(last, spell.left_on)
                spans[-1] = (first, ends)
                continue
        spans.append((spell.hired_on, spell.left_on))
    return spans


def places(spells: Iterable[Spell], kind: str, day: date) -> set[str]:
    return {getattr(spell, kind) for spell in spells if spell.in_service(day)}


def last_served(spells: list[Spell], before: date) -> date | None:
    """The last day of service before a day."""
    days = [
        before - DAY if spell.left_on is None else min(spell.left_on, before - DAY)
        for spell in spells
        if spell.hired_on < before
    ]
    return max(days, default=None)


def next_served(spells: list[Spell], from_day: date) -> date | None:
    """The first day of service from a day on."""
    days = [max(spell.hired_on, from_day) for spell in spells if spell.left_on is None or spell.left_on >= from_day]
    return min(days, default=None)


@cache
def all_moves(data: Data, kind: str) -> tuple[list[Move], list[Move]]:
    """Transfers into and out of places of a kind: province or institute."""
    joined = {(e.spell.person, e.day, getattr(e.spell, kind)) for e in all_joiners(data)}
    left = {(e.spell.person, e.day, getattr(e.spell, kind)) for e in all_leavers(data)}
    moves_in, moves_out = [], []
    for person, spells in data.spells_of.items():
        for place in {getattr(spell, kind) for spell in spells}:
            for first, last in islands([s for s in spells if getattr(s, kind) == place]):
                if (person, first, place) not in joined:
                    before = last_served(spells, first)
                    served_last = set() if before is None else places(spells, kind, before)
                    # Who served here last, too, has returned.
                    if places(spells, kind, first) - {place} or (served_last and place not in served_last):
                        moves_in.append(Move(first, person, place))
                if last is None or (person, last + DAY, place) in left:
                    continue
                after = next_served(spells, last + DAY)
                if after is not None and after <= last + GAP and (places(spells, kind, after) - {place}):
                    moves_out.append(Move(last + DAY, person, place))
    return moves_in, moves_out


def transfers(data: Data, which: int, first: date, last: date, where: Where) -> int:
    total = 0
    for kind in ("province", "institute"):
        if kind in where:
            total += sum(
                first <= move.day <= last and move.place in where[kind] for move in all_moves(data, kind)[which]
            )
    return total


def transfers_in(data: Data, first: date, last: date, where: Where) -> int:
    return transfers(data, 0, first, last, where)


def transfers_out(data: Data, first: date, last: date, where: Where) -> int:
    return transfers(data, 1, first, last, where)


# ------------------------------------------------------------------ coverage
def provinces_of(data: Data, where: Where) -> set[str]:
    """The whole place: the provinces filtered by, else the nation."""
    provinces = set(data.reference.provinces)
    return provinces & where["province"] if "province" in where else provinces


def census(data: Data, where: Where) -> int:
    """Residents of the whole place in the census of 1395, province or county, whatever else is filtered; 0 if unknown."""
    of = provinces_of(data, where)
    return sum(
        int(county["population_2016"])
        for county in data.reference.counties
        if county["province_iso"] in of and ("county" not in where or county["sci_code"] in where["county"])
    )


def residents_of_province(data: Data, province: str, day: date) -> Fraction:
    """Linear between dates; before the first date its value, after the last date that of the last."""
    dated = sorted(data.reference.population[province].items())
    if day <= dated[0][0]:
        return Fraction(dated[0][1])
    for (first, before), (last, after) in pairwise(dated):
        if first <= day <= last:
            gone, whole = (day - first).days, (last - first).days
            return Fraction(before * (whole - gone) + after * gone, whole)
    return Fraction(dated[-1][1])


@cache
def residents_of_counties(data: Data, day: date) -> dict[tuple[str, str], Fraction]:
    """By (province, county): the province's residents times the county's share of its census."""
    residents = {}
    for county in data.reference.counties:
        province, code = county["province_iso"], county["sci_code"]
        part = Fraction(int(county["population_2016"]), census(data, {"province": {province}}))
        residents[province, code] = residents_of_province(data, province, day) * part
    return residents


def residents(data: Data, day: date, where: Where) -> Fraction:
    """Residents of the whole place on a day, province or county, whatever else is filtered; 0 if unknown."""
    of = provinces_of(data, where)
    if "county" not in where:
        return sum((residents_of_province(data, province, day) for province in of), Fraction(0))
    return sum(
        (
            count
            for (province, county), count in residents_of_counties(data, day).items()
            if province in of and county in where["county"]
        ),
        Fraction(0),
    )


def residents_number(data: Data, day: date, where: Where) -> float | None:
    return float(residents(data, day, where)) or None


def coverage_per_10k(data: Data, day: date, where: Where) -> float | None:
    return share(active(data, day, where) * 10_000, residents(data, day, where))


def per_100k(data: Data, day: date, where: Where) -> float | None:
    return share(active(data, day, where) * 100_000, residents(data, day, where))


def coverage_per_100km2(data: Data, day: date, where: Where) -> float | None:
    area = sum(Fraction(data.reference.area_km2(p)) for p in provinces_of(data, where))
    return share(active(data, day, where) * 100, area)


def coverage_gap(data: Data, day: date, where: Where) -> float | None:
    nation = {d: values for d, values in where.items() if d not in ("province", "county")}
    per_resident = active(data, day, nation) / residents(data, day, {})
    here = residents(data, day, where)
    return float(active(data, day, where) - here * per_resident) if here else None


def counties_covered(data: Data, day: date, where: Where) -> float | None:
    covered = {
        spell.county for spell in active_spells(data, day) if spell.county is not None and spell_fits(spell, where)
    }
    of = provinces_of(data, where)
    whole = sum(county["province_iso"] in of for county in data.reference.counties)
    here = [spell for spell in active_spells(data, day) if spell_fits(spell, where)]
    unknown = {spell.person for spell in here if spell.county is None}
    if len(unknown) > len({spell.person for spell in here}) / 10:
        return None
    return share(len(covered), whole)


# ------------------------------------------------------------------ training
@dataclass(frozen=True)
class Requirement:
    """A course required of a person on a day."""

    status: str  # in_date, expired, overdue, pending
    is_due: bool
    first_bad_day: date | None  # first later day of being expired or overdue, if nobody trains


def chain_start(spells: list[Spell], day: date) -> date:
    """First day of the unbroken chain that holds the day: walk back while a spell reaches."""
    start = min(spell.hired_on for spell in spells if spell.in_service(day))
    while True:
        before = [s.hired_on for s in spells if s.hired_on < start and s.reaches(start)]
        if not before:
            return start
        start = min(before)


def requirement(data: Data, person: str, course: Course, code: str, day: date) -> Requirement:
    spells = [s for s in data.spells_of[person] if course.required_of(s.post)]
    due_day = chain_start(spells, day) + timedelta(days=course.due_days)
    held_until = []  # first days on which a completion no longer counts
    for row in data.completions_of[person, code]:
        if row["completed_on"] <= day:
            held_until.append(
                date.max if course.valid_months is None else add_months(row["completed_on"], course.valid_months)
            )
    in_date = any(day < until for until in held_until)
    if in_date:
        bad = max(max(held_until), due_day)
        return Requirement("in_date", day >= due_day, bad)
    if day < due_day:
        return Requirement("pending", False, due_day)
    return Requirement("expired" if held_until else "overdue", True, None)


@cache
def requirements(data: Data, day: date, person: str) -> dict[str, Requirement]:
    """By course: what is required of a person by any spell in service, whatever its licence."""
    posts = {spell.post for spell in data.spells_of[person] if spell.in_service(day)}
    return {
        code: requirement(data, person, course, code, day)
        for code, course in data.reference.courses.items()
        if any(course.required_of(post) for post in posts)
    }


def asked_courses(data: Data, day: date, person: str, where: Where) -> list[Requirement]:
    return [
        requirement
        for code, requirement in requirements(data, day, person).items()
        if "course" not in where or code in where["course"]
    ]


def asked_of(data: Data, day: date, where: Where) -> set[str]:
    """Active persons; with a course asked for, those of whom it is required."""
    people = persons(active_spells(data, day), where)
    if "course" in where:
        people = {person for person in people if asked_courses(data, day, person, where)}
    return people


def is_compliant(data: Data, day: date, person: str, where: Where) -> bool:
    return all(
        requirement.status not in ("expired", "overdue") for requirement in asked_courses(data, day, person, where)
    )


def training_compliance(data: Data, day: date, where: Where) -> float | None:
    people = asked_of(data, day, where)
    return share(sum(is_compliant(data, day, person, where) for person in people), len(people))


def trained(data: Data, day: date, person: str, where: Where) -> bool:
    return all(requirement.status == "in_date" for requirement in asked_courses(data, day, person, where))


def trained_assistants(data: Data, day: date, where: Where) -> int:
    return sum(trained(data, day, person, where) for person in asked_of(data, day, where))


def trained_share(data: Data, day: date, where: Where) -> float | None:
    return share(trained_assistants(data, day, where), len(asked_of(data, day, where)))


def requirement_rate(data: Data, day: date, where: Where) -> float | None:
    due = [
        requirement
        for person in persons(active_spells(data, day), where)
        for requirement in asked_courses(data, day, person, where)
        if requirement.is_due
    ]
    return share(sum(requirement.status == "in_date" for requirement in due), len(due))


def expiring(data: Data, day: date, where: Where, after: int, until: int) -> int:
    count = 0
    for person in asked_of(data, day, where):
        if is_compliant(data, day, person, where):
            bad_days = [
                requirement.first_bad_day
                for requirement in asked_courses(data, day, person, where)
                if requirement.first_bad_day is not None
            ]
            first = min(bad_days, default=date.max)
            count += day + timedelta(after) < first <= day + timedelta(until)
    return count


def expiring_30(data: Data, day: date, where: Where) -> int:
    return expiring(data, day, where, 0, 30)


def expiring_60(data: Data, day: date, where: Where) -> int:
    return expiring(data, day, where, 30, 60)


def expiring_90(data: Data, day: date, where: Where) -> int:
    return expiring(data, day, where, 60, 90)


@cache
def completions_in(data: Data, first: date, last: date) -> list[tuple[dict[str, Any], Spell | None]]:
    """The completions of these days with the spell in service on completed_on, the first institute's of several."""
    found = []
    for row in data.completions:
        if first <= row["completed_on"] <= last:
            spells = [spell for spell in data.spells_of[row["national_id"]] if spell.in_service(row["completed_on"])]
            found.append((row, min(spells, key=first_institute, default=None)))
    return found


def is_of_group(spell: Spell | None, row: dict[str, Any], where: Where) -> bool:
    """A completion without a spell belongs to the nation and to the group without a name."""
    if "course" in where and row["course_code"] not in where["course"]:
        return False
    if spell is None:
        return all(None in values for dimension, values in where.items() if dimension in SPELL_DIMENSIONS)
    return spell_fits(spell, where)


def training_hours(data: Data, first: date, last: date, where: Where) -> float | None:
    hours = 0.0
    for row, spell in completions_in(data, first, last):
        if is_of_group(spell, row, where):
            own = row["hours"]
            of_course = data.reference.courses[row["course_code"]].hours
            hours += own if own is not None else of_course or 0.0
    return share(hours, active(data, last, where))


# ------------------------------------------------------------------ licensing
def applications(data: Data, first: date, last: date, where: Where) -> int:
    return sum(
        first <= licence["applied_on"] <= last and licence_fits(data, licence, where) for licence in data.licences
    )


def is_decided(licence: dict[str, Any], first: date, last: date) -> bool:
    return licence["outcome"] is not None and first <= licence["decided_on"] <= last


def decided_as(data: Data, first: date, last: date, where: Where, outcomes: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        licence
        for licence in data.licences
        if is_decided(licence, first, last) and licence["outcome"] in outcomes and licence_fits(data, licence, where)
    ]


def decided(data: Data, first: date, last: date, where: Where) -> int:
    return len(decided_as(data, first, last, where, ("granted", "refused", "withdrawn")))


def granted(data: Data, first: date, last: date, where: Where) -> int:
    return len(decided_as(data, first, last, where, ("granted",)))


def refused(data: Data, first: date, last: date, where: Where) -> int:
    return len(decided_as(data, first, last, where, ("refused",)))


def outstanding(data: Data, day: date, where: Where) -> int:
    return sum(
        licence["applied_on"] <= day and not is_decided(licence, date.min, day) and licence_fits(data, licence, where)
        for licence in data.licences
    )


def working_days(data: Data, licence: dict[str, Any], until: date) -> int:
    """Working days of the institute's province in (day of the complete file, until]."""
    return count_working_days(
        data.reference, licence["file_complete_on"], until, data.institutes[licence["institute_code"]]["province"]
    )


@cache
def count_working_days(reference: Reference, after: date, until: date, province: str) -> int:
    return sum(reference.is_working_day(after + DAY * n, province) for n in range(1, (until - after).days + 1))


def overdue_files(data: Data, day: date, where: Where) -> int:
    return sum(
        licence["file_complete_on"] is not None
        and not is_decided(licence, date.min, day)
        and licence_fits(data, licence, where)
        and working_days(data, licence, day) > 25
        for licence in data.licences
    )


def times_to_licence(data: Data, first: date, last: date, where: Where) -> list[int]:
    return sorted(
        working_days(data, licence, licence["decided_on"])
        for licence in decided_as(data, first, last, where, ("granted",))
        if licence["file_complete_on"] is not None
    )


def quantile(values: list[int], part: Fraction) -> float | None:
    """Interpolated linearly between the two nearest of the sorted values."""
    if not values:
        return None
    position = part * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return float(values[below] + (position - below) * (values[above] - values[below]))


def time_to_licence_median(data: Data, first: date, last: date, where: Where) -> float | None:
    return quantile(times_to_licence(data, first, last, where), Fraction(1, 2))


def time_to_licence_p90(data: Data, first: date, last: date, where: Where) -> float | None:
    return quantile(times_to_licence(data, first, last, where), Fraction(9, 10))


def renewal_rate(data: Data, first: date, last: date, where: Where) -> float | None:
    ending = renewed = 0
    for licence in data.licences:
        if licence["outcome"] != "granted" or not licence_fits(data, licence, where):
            continue
        if first <= licence["valid_until"] <= last:
            ending += 1
            renewed += any(
                other is not licence
                and other["outcome"] == "granted"
                and other["institute_code"] == licence["institute_code"]
                and other["valid_from"] <= licence["valid_until"] + DAY
                and other["valid_until"] > licence["valid_until"]
                for other in data.licences
            )
    return share(renewed, ending)


# ------------------------------------------------------------------ the catalogue and the question
State = Callable[[Data, date, Where], float | None]
Flow = Callable[[Data, date, date, Where], float | None]

STATES: dict[str, State] = {
    "active_assistants": active,
    "in_service": in_service,
    "licensed_institutes": licensed_institutes,
    "judicial_officers": judicial_officers,
    "judicial_officer_share": judicial_officer_share,
    "veterans": veterans,
    "veteran_share": veteran_share,
    "smart_service_share": smart_service_share,
    "target_progress": target_progress,
    "leaver_rate_12m": leaver_rate_12m,
    "early_attrition": early_attrition,
    "residents": residents_number,
    "per_100k": per_100k,
    "coverage_per_10k": coverage_per_10k,
    "coverage_per_100km2": coverage_per_100km2,
    "coverage_gap": coverage_gap,
    "counties_covered": counties_covered,
    "training_compliance": training_compliance,
    "trained_assistants": trained_assistants,
    "trained_share": trained_share,
    "veteran_led_institutes": veteran_led_institutes,
    "veteran_led_institute_share": veteran_led_institute_share,
    "institute_age_median": institute_age_median,
    "requirement_rate": requirement_rate,
    "expiring_30": expiring_30,
    "expiring_60": expiring_60,
    "expiring_90": expiring_90,
    "outstanding": outstanding,
    "overdue_files": overdue_files,
}
FLOWS: dict[str, Flow] = {
    "joiners": joiners,
    "leavers": leavers,
    "transfers_in": transfers_in,
    "transfers_out": transfers_out,
    "net_change": net_change,
    "training_hours": training_hours,
    "applications": applications,
    "decided": decided,
    "granted": granted,
    "refused": refused,
    "institutes_founded": institutes_founded,
    "time_to_licence_median": time_to_licence_median,
    "time_to_licence_p90": time_to_licence_p90,
    "renewal_rate": renewal_rate,
}
TIMES = ("month", "quarter", "year")


@cache
def unit_of(day: date, time: str) -> str:
    jalali = JalaliDate(day)
    return {
        "month": f"{jalali.year:04}-{jalali.month:02}",
        "quarter": f"{jalali.year:04}-Q{(jalali.month + 2) // 3}",
        "year": f"{jalali.year:04}",
    }[time]


def units(first: date, last: date, time: str) -> dict[str, tuple[date, date]]:
    """The units that the days touch: name, and which of the days belong to it."""
    spans: dict[str, tuple[date, date]] = {}
    day = first
    while day <= last:
        name = unit_of(day, time)
        spans[name] = (spans[name][0] if name in spans else day, day)
        day += DAY
    return spans


@cache
def last_twelve_months(as_of: date) -> tuple[date, date]:
    """The twelve complete Jalali months before, or ending on, the as-of day."""
    last = as_of
    while unit_of(last, "month") == unit_of(last + DAY, "month"):
        last -= DAY
    first = last
    while len(units(first, last, "month")) <= 12:
        first -= DAY
    return first + DAY, last


def members(data: Data, dimension: str) -> list[Any]:
    """Every value a dimension could take, the unknown last."""
    if dimension == "province":
        return [*sorted(data.reference.provinces), None]
    if dimension == "course":
        return sorted(data.reference.courses)
    if dimension == "outcome":
        return ["granted", "refused", "withdrawn", None]
    values = {spell.members[dimension] for spell in data.spells}
    if dimension in INSTITUTE_DIMENSIONS:
        column = {"institute": "institute_code"}.get(dimension, dimension)
        values |= {institute[column] for institute in data.institutes.values()}
    return [*sorted(value for value in values if value is not None), None]


Answers = dict[tuple[Any, ...], dict[str, float | None]]


def ask(
    data: Data,
    names: Iterable[str],
    by: tuple[str, ...] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Where | None = None,
) -> Answers:
    """The numbers by group: {(group, …): {metric: value}}, for every member a group could have."""
    names, where = list(names), where or {}
    on = on or data.as_of
    first, last = over or last_twelve_months(data.as_of)
    time = next((dimension for dimension in by if dimension in TIMES), None)
    answers: Answers = {}
    for group in groups(data, tuple(d for d in by if d not in TIMES)):
        narrowed = narrow(where, group)
        if narrowed is None:
            continue
        if time is None:
            key = tuple(group[dimension] for dimension in by)
            answers[key] = {
                name: STATES[name](data, on, narrowed) if name in STATES else FLOWS[name](data, first, last, narrowed)
                for name in names
            }
            continue
        for unit, (begins, ends) in units(first, last, time).items():
            key = tuple(unit if dimension == time else group[dimension] for dimension in by)
            values = answers[key] = {}
            measured = measuring_day(data, unit, ends, time)
            for name in names:
                if name in FLOWS:
                    values[name] = FLOWS[name](data, begins, ends, narrowed)
                else:
                    values[name] = None if measured is None else STATES[name](data, measured, narrowed)
            if measured is None and not any(name in FLOWS for name in names):
                del answers[key]
    return answers


def measuring_day(data: Data, unit: str, ends: date, time: str) -> date | None:
    """The day on which a state is measured in a unit: its last day; in the current unit the as-of day or the end of
    the period; none in a past unit that the period cuts."""
    is_over = unit != unit_of(data.as_of + DAY, time)
    if not is_over and unit == unit_of(data.as_of, time):
        return min(ends, data.as_of)
    return ends if unit != unit_of(ends + DAY, time) and ends <= data.as_of else None


def groups(data: Data, by: tuple[str, ...]) -> list[dict[str, Any]]:
    combinations: list[dict[str, Any]] = [{}]
    for dimension in by:
        combinations = [{**group, dimension: m} for group in combinations for m in members(data, dimension)]
    return combinations


def narrow(where: Where, group: dict[str, Any]) -> Where | None:
    """The filters with the group as one more; None if they exclude it."""
    narrowed = dict(where)
    for dimension, member in group.items():
        if dimension in where and member not in where[dimension]:
            return None
        narrowed[dimension] = {member}
    return narrowed
