"""Working days: Fridays, holidays, closures of the nation and of a province, workdays, and a dated weekend."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import pytest

from etl.core.paths import REFERENCE
from etl.operations import doctor
from etl.semantic import access, answers, rights
from etl.warehouse import official_calendar, run_models
from tests.build.test_reference_tables import unusable
from tests.loading import build_tables, load, put, put_good, row
from tests.oracle.read import Reference

HEAD = "date,province,kind,name_fa,name_en,confidence,source\n"
NATION, TEHRAN, FARS = "", "IR-23", "IR-07"


def calendar(*rows: str) -> str:
    """A calendar.csv with rows of `date,province,kind[,confidence]`."""
    lines = []
    for text in rows:
        day, province, kind, *confidence = text.split(",")
        lines.append(f"{day},{province},{kind},روز,day,{confidence[0] if confidence else 'confirmed'},decree\n")
    return HEAD + "".join(lines)


def put_files(folder, files: Iterable[tuple[str, date, date | None]]) -> None:
    """Institutes of Tehran (0001) and Fars (0002), and a granted or outstanding file for each (institute, complete, decided)."""
    put_good(folder)
    put(folder, "institutes.csv", [row("institutes"), row("institutes", institute_code="0002", province="فارس")])
    rows = []
    for number, (institute, complete, decided) in enumerate(files):
        changes = {
            "application_no": f"N{number}",
            "institute_code": institute,
            "applied_on": complete.isoformat(),
            "file_complete_on": complete.isoformat(),
            "valid_from": decided.isoformat() if decided else "",
            "valid_until": (decided + timedelta(900)).isoformat() if decided else "",
            "decided_on": decided.isoformat() if decided else "",
            "outcome": "granted" if decided else "",
        }
        rows.append(row("licences", **changes))
    put(folder, "licences.csv", rows)


def test_two_hundred_files_around_nowruz_are_those_of_a_second_count(folder, monkeypatch):
    monkeypatch.setenv("WEEKEND", "1402/01/01 thursday friday")
    made = random.Random(1404)
    files = []
    for _ in range(200):
        nowruz = date(made.randint(2012, 2026), 3, 21)
        complete = nowruz + timedelta(made.randint(-45, 30))
        files.append((made.choice(("0001", "0002")), complete, complete + timedelta(made.randint(0, 70))))
    put_files(folder, files)
    put(folder, "calendar.csv", calendar("1403/01/14,IR-07,closure", "1403/01/12,IR-23,workday", "1403/01/13,,workday"))
    reference = Reference(folder)

    def is_working(day: date, province: str) -> bool:
        kind = reference.official_days.get((province, day)) or reference.official_days.get((NATION, day))
        weekend = (3, 4) if day >= date(2023, 3, 21) else (4,)
        return kind == "workday" if kind else day.weekday() not in weekend

    expected = []
    for number, (institute, complete, decided) in enumerate(files):
        province = {"0001": TEHRAN, "0002": FARS}[institute]
        days = [complete + timedelta(n) for n in range(1, 120)]
        working = [day for day in days if is_working(day, province)]
        expected.append((f"N{number}", sum(day <= decided for day in working), working[25]))
    built = build_tables(folder)
    found = built.sql("select application_no, working_days, overdue_on from applications")
    assert sorted(found) == sorted(expected)


def test_forty_files_before_nowruz_1398(folder):
    # Complete on 1 to 20 Esfand 1397, two a day, decided 31 and 33 days later. Off besides Fridays: 29 Esfand (of oil and 13
    # Rajab), 1 to 4, 12 and 13 Farvardin, 14 Farvardin (27 Rajab).
    off = {date(2019, 3, day) for day in (20, 21, 22, 23, 24)} | {date(2019, 4, day) for day in (1, 2, 3)}
    files = [
        ("0001", complete := date(2019, 2, 20) + timedelta(n), complete + timedelta(length))
        for n in range(20)
        for length in (31, 33)
    ]
    put_files(folder, files)

    def count(complete: date, decided: date, off: set[date]) -> int:
        days = [complete + timedelta(n) for n in range(1, (decided - complete).days + 1)]
        return sum(day.weekday() != 4 and day not in off for day in days)

    by_hand = sorted(count(complete, decided, off) for _, complete, decided in files)
    fridays = sorted(count(complete, decided, set()) for _, complete, decided in files)
    # By the former rule none is decided within 25 days, by today's each.
    assert (fridays[0], fridays[-1], by_hand[0], by_hand[-1]) == (26, 29, 19, 25)
    names = (
        "time_to_licence_median",
        "within_25_days_share",
        "time_to_licence_median_fridays",
        "within_25_days_share_fridays",
    )
    with access.connect(build_tables(folder).to, rights.ADMINISTRATOR) as con:
        answer = answers.ask(con, *names, over=(date(2019, 3, 1), date(2019, 5, 1)))
    assert answer.rows[0][:4] == (
        (by_hand[19] + by_hand[20]) / 2,
        sum(days <= 25 for days in by_hand) / 40,
        (fridays[19] + fridays[20]) / 2,
        sum(days <= 25 for days in fridays) / 40,
    )


def elapsed(official: Iterable[tuple[date, str | None, str]]) -> dict[tuple[str, date], int]:
    """The working days of two provinces in three months, by the model."""
    with duckdb.connect() as con:
        con.execute(
            "create table calendar as select unnest(generate_series(date '2025-01-01', date '2025-03-31', interval 1 day))"
            "::date as day; create table publication as select date '2025-03-31' as built_on;"
            "create table loaded_licences as select date '2025-01-01' as file_complete_on;"
            "create table institutes as select unnest(['IR-07', 'IR-23']) as province;"
            "create table weekends as select date '0001-01-01' as valid_from, [5] as weekdays;"
            "create table official_days (date date, province varchar, kind varchar)"
        )
        con.executemany("insert into official_days values (?, ?, ?)", [list(day) for day in official])
        rows = con.execute(run_models.models()["working_days"]).fetchall()
    return {(province, day): count for province, day, count in rows}


@pytest.mark.parametrize("seed", range(8))
def test_another_holiday_never_raises_a_count_of_working_days(seed):
    made = random.Random(seed)

    def some_day() -> tuple[date, str | None]:
        return date(2025, 1, 1) + timedelta(made.randrange(90)), made.choice((None, FARS, TEHRAN))

    official = {some_day(): made.choice(("holiday", "closure", "workday")) for _ in range(30)}
    before = elapsed((*day, kind) for day, kind in official.items())
    after = elapsed((*day, kind) for day, kind in (official | {some_day(): "holiday"}).items())
    changes = [after[key] - before[key] for key in sorted(before)]
    # The change can only fall from day to day, so no count between two days rises.
    half = len(changes) // 2
    for of_province in (changes[:half], changes[half:]):
        assert of_province == sorted(of_province, reverse=True)
        assert set(of_province) <= {0, -1}


def test_the_days_of_a_folder_are_added_and_win_for_the_same_day_and_province(folder):
    put(folder, "calendar.csv", calendar("1403/01/01,,workday", "1403/02/02,فارس,تعطیلی"))
    rows = load(put_good(folder)).sql("select date, province, kind from official_days")
    assert len(rows) == len(official_calendar.read(REFERENCE)) + 1
    kinds = {(day, province): kind for day, province, kind in rows}
    assert kinds[date(2024, 3, 20), None] == "workday"
    assert kinds[date(2024, 4, 21), FARS] == "closure"
    assert kinds[date(2024, 3, 21), None] == "holiday"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("1403/13/01,,holiday",), "line 2, date: bad_date"),
        (("1403/01/05,مریخ,holiday",), "line 2, province: unknown_province"),
        (("1403/01/05,,feast",), "line 2, kind: unknown_value"),
        (("1403/01/05,,holiday,perhaps",), "line 2, confidence: unknown_value"),
        (("1403/01/05,,holiday", "2024-03-24,,workday"), "line 3, date: the same as in line 2"),
    ],
)
def test_a_calendar_that_cannot_be_used_refuses_the_build(folder, rows, message):
    put(folder, "calendar.csv", calendar(*rows))
    assert unusable(folder) == f"calendar.csv, {message}"


def in_a_row(first: date, count: int, province: str = "") -> str:
    return calendar(*(f"{first + timedelta(n)},{province},holiday" for n in range(count)))


@pytest.mark.parametrize(("province", "of"), [("", "the nation"), ("IR-07", "IR-07")])
def test_more_than_sixty_days_off_in_a_year_refuse_the_build(folder, province, of):
    # 1403 has 27 holidays besides Fridays; of the days from 1 Mordad on 2 and 7 are holidays and 5 are Fridays.
    put(folder, "calendar.csv", in_a_row(date(2024, 7, 22), 38, province))
    official_calendar.read(folder)
    put(folder, "calendar.csv", in_a_row(date(2024, 7, 22), 4000, province))
    assert unusable(folder).startswith(f"calendar.csv: {of} has 2")
    # Fridays are off without them.
    put(
        folder,
        "calendar.csv",
        in_a_row(date(2024, 7, 26), 1, province)
        + "".join(
            f"{date(2024, 7, 26) + timedelta(7 * n)},{province},closure,روز,day,confirmed,decree\n"
            for n in range(1, 90)
        ),
    )
    official_calendar.read(folder)


@pytest.mark.parametrize(("province", "of"), [("", "the nation"), ("IR-07", "IR-07")])
def test_more_than_twelve_weekends_worked_in_a_year_refuse_the_build(folder, province, of):
    def fridays(count: int) -> str:
        return calendar(*(f"{date(2024, 3, 22) + timedelta(7 * n)},{province},workday" for n in range(count)))

    put(folder, "calendar.csv", fridays(12))
    official_calendar.read(folder)
    put(folder, "calendar.csv", fridays(40))
    assert unusable(folder).startswith(f"calendar.csv: {of} has 40 working days at weekends in 1403")


@pytest.mark.parametrize(("province", "of"), [("", "the nation"), ("IR-07", "IR-07 Fars")])
def test_a_calendar_that_moves_many_working_days_of_the_last_publication_is_a_loss(folder, province, of):
    years = range(2012, 2026)
    put_files(folder, [("0002", date(2012, 4, 10), date(2012, 6, 1)), ("0002", date(2025, 4, 10), date(2025, 6, 1))])
    build_tables(folder)

    def months(days: int) -> str:
        rows = [f"{date(year, 9, 1) + timedelta(n)},{province},closure" for year in years for n in range(days)]
        return calendar(*rows)

    if not province:
        put(folder, "calendar.csv", months(10))
        assert build_tables(folder, accept_loss=False).code == 0
    # Against the last publication: what that had is not counted again.
    put(folder, "calendar.csv", months(20 if province else 30))
    refusal = build_tables(folder, accept_loss=False).refusal
    assert refusal.startswith("calendar.csv: days that were working days in the last publication or are so now")
    assert f"{of} 2" in refusal
    assert refusal.endswith("correct the file or take it out of the folder")
    if province:
        return
    accepted = build_tables(folder)
    assert [line.partition(":")[0] for line in accepted.report["accepted"]] == ["calendar.csv"]
    # To take the file away moves as many.
    (folder / "calendar.csv").unlink()
    assert build_tables(folder, accept_loss=False).refusal.startswith("calendar.csv: days that were")


def test_a_file_is_overdue_from_its_26th_working_day(folder):
    # 4 Azar 1402 is a Saturday; the 26th working day after it is 4 Dey: 3 Fridays and 25 Azar (3 Jumada II) are off.
    put_files(folder, [("0001", date(2023, 11, 25), None)])
    put(folder, "training.csv", [row("training", completed_on="1402/11/15")])
    with access.connect(build_tables(folder).to, rights.ADMINISTRATOR) as con:
        last_in_time = date(2023, 12, 26)
        overdue = [
            answers.ask(con, "overdue_files", on=last_in_time + timedelta(days)).value() for days in (-1, 0, 1, 2)
        ]
    reference = Reference(folder)
    working = [day for n in range(1, 60) if reference.is_working_day(day := date(2023, 11, 25) + timedelta(n), TEHRAN)]
    assert overdue == [int(last_in_time + timedelta(days) >= working[25]) for days in (-1, 0, 1, 2)]
    assert set(overdue) == {0, 1}


def looked_at(built) -> list[tuple[str, bool]]:
    """The findings of the doctor on the calendar of a publication."""
    config = SimpleNamespace(folders=SimpleNamespace(warehouse=built.to))
    return [(words.partition(" ")[0], is_well) for words, is_well in doctor._calendar(config)]


def test_the_doctor_warns_of_estimated_days_and_refuses_a_calendar_that_ends(folder):
    assert looked_at(build_tables(put_good(folder))) == [("official", True)]
    put(folder, "calendar.csv", calendar("1402/02/02,,holiday,estimated"))
    assert looked_at(build_tables(folder)) == [("warning:", True)]
    # Sixty days after 1406/11/15 the calendar of 1406 is over; a single day of 1407 makes no calendar of it.
    put(folder, "calendar.csv", calendar("1407/06/01,,closure"))
    put(folder, "training.csv", [row("training", completed_on="1406/11/15")])
    assert looked_at(build_tables(folder, day=date(2028, 2, 10))) == [("ends", False)]


def test_the_calendar_is_confirmed_to_the_day_before_the_first_estimated_one(folder):
    built = load(put_good(folder))
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        # 25 Shawwal 1448 is estimated for 2027-04-03; after the last estimated day 1406 ends.
        assert official_calendar.confirmed_until(con, date(2026, 11, 26)) == date(2027, 4, 2)
        assert official_calendar.confirmed_until(con, date(2028, 2, 28)) == date(2028, 3, 19)
