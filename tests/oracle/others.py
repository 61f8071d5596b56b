"""The oracle's other measures, which are not in the contract: plain Python, from the words of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from functools import cache

from tests.oracle.measures import (
    DAY,
    SPELL_DIMENSIONS,
    Data,
    Flow,
    State,
    Where,
    active,
    active_spells,
    add_months,
    all_moves,
    asked_courses,
    asked_of,
    chain_start,
    completed_years,
    decided_as,
    first_institute,
    in_service,
    institute_fits,
    is_compliant,
    is_decided,
    latest_target,
    licence_fits,
    licensed,
    licensed_institutes,
    officers,
    persons,
    provinces_of,
    quantile,
    requirements,
    share,
    spell_fits,
    target_of,
    working_days,
)

LEADING = ("team_leader", "manager")
DAYS_A_MONTH = 30.436875


# ------------------------------------------------------------------ persons on a day
def lapsed_licence_service(data: Data, day: date, where: Where) -> int:
    return in_service(data, day, where) - active(data, day, where)


def persons_per_institute(data: Data, day: date, where: Where) -> float | None:
    return share(active(data, day, where), licensed_institutes(data, day, where))


def jobs_created(data: Data, day: date, where: Where) -> int:
    since = add_months(day, -12)
    return sum(
        min(spell.hired_on for spell in data.spells_of[person]) > since
        for person in persons(active_spells(data, day), where)
    )


def women(data: Data, day: date, where: Where) -> int:
    return len(persons([spell for spell in active_spells(data, day) if spell.members["gender"] == "female"], where))


def women_share(data: Data, day: date, where: Where) -> float | None:
    return share(women(data, day, where), active(data, day, where))


def leaders(data: Data, day: date, where: Where) -> int:
    return len(persons([spell for spell in active_spells(data, day) if spell.members["post"] in LEADING], where))


def veteran_leaders(data: Data, day: date, where: Where) -> int:
    leaders = [
        spell for spell in active_spells(data, day) if spell.members["post"] in LEADING and spell.veteran is True
    ]
    return len(persons(leaders, where))


def veteran_leader_share(data: Data, day: date, where: Where) -> float | None:
    return share(veteran_leaders(data, day, where), leaders(data, day, where))


def tenure_median(data: Data, day: date, where: Where) -> float | None:
    served = [
        (day - chain_start(data.spells_of[person], day)).days for person in persons(active_spells(data, day), where)
    ]
    median = quantile(sorted(served), Fraction(1, 2))
    return None if median is None else median / DAYS_A_MONTH


def age_median(data: Data, day: date, where: Where) -> float | None:
    people = persons(active_spells(data, day), where)
    # The register keeps year and month of a birth date: every birthday is the first of its month.
    ages = [completed_years(data.births[person].replace(day=1), day) for person in people]
    return quantile(sorted(ages), Fraction(1, 2))


# ------------------------------------------------------------------ places
def target(data: Data, day: date, where: Where) -> float | None:
    if "province" not in where:
        return latest_target(data, None, day)
    targets = [target_of(data, province, day) for province in provinces_of(data, where)]
    return None if None in targets else sum(number for number in targets if number is not None)


def area_km2(data: Data, day: date, where: Where) -> float:
    return sum(data.reference.area_km2(province) for province in provinces_of(data, where))


def covered_counties(data: Data, day: date, where: Where) -> int:
    return len({spell.county for spell in active_spells(data, day) if spell.county and spell_fits(spell, where)})


# ------------------------------------------------------------------ training
def statuses(data: Data, day: date, person: str) -> set[str]:
    return {requirement.status for requirement in requirements(data, day, person).values()}


def compliant_assistants(data: Data, day: date, where: Where) -> int:
    return sum(is_compliant(data, day, person, where) for person in asked_of(data, day, where))


def status_in_date(data: Data, day: date, where: Where) -> int:
    return sum(
        is_compliant(data, day, person, {}) and "in_date" in statuses(data, day, person)
        for person in persons(active_spells(data, day), where)
    )


def status_pending(data: Data, day: date, where: Where) -> int:
    return sum(
        is_compliant(data, day, person, {}) and "in_date" not in statuses(data, day, person)
        for person in persons(active_spells(data, day), where)
    )


def status_overdue(data: Data, day: date, where: Where) -> int:
    return sum("overdue" in statuses(data, day, person) for person in persons(active_spells(data, day), where))


def status_expired(data: Data, day: date, where: Where) -> int:
    return sum(
        "expired" in statuses(data, day, person) and "overdue" not in statuses(data, day, person)
        for person in persons(active_spells(data, day), where)
    )


def officers_lapsed(data: Data, day: date, where: Where) -> int:
    return sum(not is_compliant(data, day, person, where) for person in officers(data, day, where))


def officer_training_share(data: Data, day: date, where: Where) -> float | None:
    people = [
        officer
        for officer in officers(data, day, where)
        if "course" not in where or asked_courses(data, day, officer, where)
    ]
    return share(sum(is_compliant(data, day, person, where) for person in people), len(people))


def accreditations_ending(after: int, until: int) -> State:
    """The days from `after` to `until` days ahead, both included."""

    def count(data: Data, day: date, where: Where) -> int:
        ending = [
            spell
            for spell in active_spells(data, day)
            if spell.judicial_from is not None
            and spell.judicial_from <= day
            and spell.judicial_until is not None
            and day + timedelta(after) <= spell.judicial_until <= day + timedelta(until)
        ]
        return len(persons(ending, where))

    return count


def group_of_result(data: Data, row: dict, where: Where) -> bool:
    dimensions = [dimension for dimension in where if dimension in SPELL_DIMENSIONS]
    if "course" in where and row["course_code"] not in where["course"]:
        return False
    spells = [spell for spell in data.spells_of[row["national_id"]] if spell.in_service(row["completed_on"])]
    if not spells:
        return all(None in where[dimension] for dimension in dimensions)
    return spell_fits(min(spells, key=first_institute), where)


def results(data: Data, first: date, last: date, where: Where) -> list[dict]:
    return [row for row in data.results if first <= row["completed_on"] <= last and group_of_result(data, row, where)]


def completions(data: Data, first: date, last: date, where: Where) -> int:
    return sum(row["result"] == "passed" for row in results(data, first, last, where))


def training_hours_total(data: Data, first: date, last: date, where: Where) -> float:
    return sum(
        row["hours"] if row["hours"] is not None else data.reference.courses[row["course_code"]].hours or 0.0
        for row in results(data, first, last, where)
        if row["result"] == "passed"
    )


def course_results(data: Data, first: date, last: date, where: Where) -> int:
    return len(results(data, first, last, where))


def pass_rate(data: Data, first: date, last: date, where: Where) -> float | None:
    return share(completions(data, first, last, where), course_results(data, first, last, where))


# ------------------------------------------------------------------ institutes
def smart_institutes(data: Data, day: date, where: Where) -> int:
    smart = [code for code in licensed(data, day) if data.institutes[code]["smart_services"] is True]
    return sum(institute_fits(data.institutes[code], where) for code in smart)


def smart_unknown(data: Data, day: date, where: Where) -> int:
    unknown = [code for code in licensed(data, day) if data.institutes[code]["smart_services"] is None]
    return sum(institute_fits(data.institutes[code], where) for code in unknown)


def registered_institutes(data: Data, day: date, where: Where) -> int:
    return sum(
        institute_fits(institute, where) and (institute["founded_on"] is None or institute["founded_on"] <= day)
        for institute in data.institutes.values()
    )


def with_status(status: str) -> State:
    def count(data: Data, day: date, where: Where) -> int:
        return sum(
            institute["status"] == status and institute["status_since"] <= day and institute_fits(institute, where)
            for institute in data.institutes.values()
        )

    return count


def last_licensed_day(data: Data, code: str, day: date, most: int) -> date:
    """The last day of the unbroken licensed days around `day`, searched up to `most` + 1 days ahead."""
    end = day
    while code in licensed(data, end + DAY) and (end - day).days <= most:
        end += DAY
    return end


def licences_ending(after: int, until: int) -> State:
    def count(data: Data, day: date, where: Where) -> int:
        codes = [code for code in licensed(data, day) if institute_fits(data.institutes[code], where)]
        ends = [last_licensed_day(data, code, day, until) for code in codes]
        return sum(day + timedelta(after) <= end <= day + timedelta(until) for end in ends)

    return count


@cache
def licensed_days(data: Data, code: str) -> frozenset[date]:
    """Every day on which an institute holds a licence and is not stopped."""
    institute = data.institutes[code]
    days: set[date] = set()
    for licence in data.licences:
        if licence["institute_code"] == code and licence["outcome"] == "granted":
            span = (licence["valid_until"] - licence["valid_from"]).days + 1
            days.update(licence["valid_from"] + timedelta(later) for later in range(span))
    if institute["status"] in ("suspended", "revoked", "closed"):
        days = {day for day in days if day < institute["status_since"]}
    return frozenset(days)


def licensed_until(data: Data, day: date, where: Where) -> date | None:
    ends = []
    for code, institute in data.institutes.items():
        licensed = licensed_days(data, code)
        if institute_fits(institute, where) and (last := max((end for end in licensed if end <= day), default=None)):
            while last + DAY in licensed:
                last += DAY
            ends.append(last)
    return max(ends, default=None)


# ------------------------------------------------------------------ licensing
def outstanding_aged(youngest: int, oldest: int) -> State:
    """Applications of so many days ago, both ends included."""

    def count(data: Data, day: date, where: Where) -> int:
        return sum(
            youngest <= (day - licence["applied_on"]).days <= oldest
            and not is_decided(licence, date.min, day)
            and licence_fits(data, licence, where)
            for licence in data.licences
        )

    return count


def files_complete(data: Data, first: date, last: date, where: Where) -> int:
    return sum(
        licence["file_complete_on"] is not None
        and first <= licence["file_complete_on"] <= last
        and licence_fits(data, licence, where)
        for licence in data.licences
    )


def withdrawn(data: Data, first: date, last: date, where: Where) -> int:
    return len(decided_as(data, first, last, where, ("withdrawn",)))


def within_25_days_share(data: Data, first: date, last: date, where: Where) -> float | None:
    timed = [
        licence
        for licence in decided_as(data, first, last, where, ("granted",))
        if licence["file_complete_on"] is not None
    ]
    return share(sum(working_days(data, licence, licence["decided_on"]) <= 25 for licence in timed), len(timed))


# ------------------------------------------------------------------ the former rule: Fridays alone are off
def without_fridays(after: date, until: date) -> int:
    return sum((after + timedelta(n)).weekday() != 4 for n in range(1, (until - after).days + 1))


def times_without_fridays(data: Data, first: date, last: date, where: Where) -> list[int]:
    return sorted(
        without_fridays(licence["file_complete_on"], licence["decided_on"])
        for licence in decided_as(data, first, last, where, ("granted",))
        if licence["file_complete_on"] is not None
    )


def quantile_without_fridays(part: Fraction) -> Flow:
    return lambda data, first, last, where: quantile(times_without_fridays(data, first, last, where), part)


def within_25_days_share_fridays(data: Data, first: date, last: date, where: Where) -> float | None:
    times = times_without_fridays(data, first, last, where)
    return share(sum(days <= 25 for days in times), len(times))


def overdue_files_fridays(data: Data, day: date, where: Where) -> int:
    return sum(
        licence["file_complete_on"] is not None
        and not is_decided(licence, date.min, day)
        and licence_fits(data, licence, where)
        and without_fridays(licence["file_complete_on"], day) > 25
        for licence in data.licences
    )


# ------------------------------------------------------------------ licences that end
def ended(data: Data, first: date, last: date, where: Where) -> list[dict]:
    return [
        licence
        for licence in data.licences
        if licence["outcome"] == "granted"
        and first <= licence["valid_until"] <= last
        and licence_fits(data, licence, where)
    ]


def licences_ended(data: Data, first: date, last: date, where: Where) -> int:
    return len(ended(data, first, last, where))


def licences_renewed(data: Data, first: date, last: date, where: Where) -> int:
    return sum(
        any(
            other is not licence
            and other["outcome"] == "granted"
            and other["institute_code"] == licence["institute_code"]
            and other["valid_from"] <= licence["valid_until"] + DAY
            and other["valid_until"] > licence["valid_until"]
            for other in data.licences
        )
        for licence in ended(data, first, last, where)
    )


def applied(data: Data, first: date, last: date, where: Where) -> list[dict]:
    return [
        licence
        for licence in data.licences
        if first <= licence["applied_on"] <= last and licence_fits(data, licence, where)
    ]


def cohort_complete(data: Data, first: date, last: date, where: Where) -> int:
    return sum(
        licence["file_complete_on"] is not None or licence["outcome"] in ("granted", "refused")
        for licence in applied(data, first, last, where)
    )


def cohort_decided(data: Data, first: date, last: date, where: Where) -> int:
    return sum(licence["outcome"] in ("granted", "refused") for licence in applied(data, first, last, where))


def cohort_granted(data: Data, first: date, last: date, where: Where) -> int:
    return sum(licence["outcome"] == "granted" for licence in applied(data, first, last, where))


# ------------------------------------------------------------------ transfers
def transfers_between(data: Data, first: date, last: date, where: Where) -> int:
    moves_in, _ = all_moves(data, "province")
    return sum(first <= move.day <= last and move.place in provinces_of(data, where) for move in moves_in)


STATES: dict[str, State | Callable[[Data, date, Where], date | None]] = {
    "lapsed_licence_service": lapsed_licence_service,
    "persons_per_institute": persons_per_institute,
    "jobs_created": jobs_created,
    "women": women,
    "women_share": women_share,
    "leaders": leaders,
    "veteran_leaders": veteran_leaders,
    "veteran_leader_share": veteran_leader_share,
    "tenure_median": tenure_median,
    "age_median": age_median,
    "target": target,
    "area_km2": area_km2,
    "covered_counties": covered_counties,
    "compliant_assistants": compliant_assistants,
    "status_in_date": status_in_date,
    "status_pending": status_pending,
    "status_overdue": status_overdue,
    "status_expired": status_expired,
    "officers_lapsed": officers_lapsed,
    "officer_training_share": officer_training_share,
    "accreditation_ending_30": accreditations_ending(0, 30),
    "accreditation_ending_60": accreditations_ending(31, 60),
    "accreditation_ending_90": accreditations_ending(61, 90),
    "smart_institutes": smart_institutes,
    "smart_unknown": smart_unknown,
    "registered_institutes": registered_institutes,
    "suspended_institutes": with_status("suspended"),
    "revoked_institutes": with_status("revoked"),
    "licences_ending_30": licences_ending(0, 30),
    "licences_ending_60": licences_ending(31, 60),
    "licences_ending_90": licences_ending(61, 90),
    "licensed_until": licensed_until,
    "overdue_files_fridays": overdue_files_fridays,
    "outstanding_30": outstanding_aged(0, 30),
    "outstanding_90": outstanding_aged(31, 90),
    "outstanding_180": outstanding_aged(91, 180),
    "outstanding_older": outstanding_aged(181, 100_000),
}
FLOWS: dict[str, Flow] = {
    "completions": completions,
    "training_hours_total": training_hours_total,
    "course_results": course_results,
    "pass_rate": pass_rate,
    "files_complete": files_complete,
    "withdrawn": withdrawn,
    "within_25_days_share": within_25_days_share,
    "time_to_licence_median_fridays": quantile_without_fridays(Fraction(1, 2)),
    "time_to_licence_p90_fridays": quantile_without_fridays(Fraction(9, 10)),
    "within_25_days_share_fridays": within_25_days_share_fridays,
    "licences_ended": licences_ended,
    "licences_renewed": licences_renewed,
    "cohort_complete": cohort_complete,
    "cohort_decided": cohort_decided,
    "cohort_granted": cohort_granted,
    "transfers_between": transfers_between,
}
