"""Licences, officers, smart services and other countries: numbers added up by hand, and counted again row by row."""

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from etl.analysis import international, licensing
from etl.core.errors import QuestionError
from etl.semantic import access, rights
from etl.semantic.answers import ask
from tests.conftest import Sample
from tests.loading import build_tables
from tests.oracle import oracle
from tests.oracle.measures import (
    active_spells,
    in_service,
    is_compliant,
    licensed,
    outstanding,
    serving,
    times_to_licence,
)

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "sample"
BUILD_DAY = date(2024, 9, 25)
D, SPRING, JUNE = date(2024, 9, 21), date(2024, 3, 19), date(2024, 6, 10)
YEAR = (date(2023, 9, 23), D)


def publish(folder: Path, day: date = BUILD_DAY, accept_loss: bool = False) -> Path:
    built = build_tables(folder, day=day, accept_loss=accept_loss)
    assert built.code == 0, built.err
    return built.to


@pytest.fixture(scope="module")
def con(publish_sample: Callable[..., Sample]) -> Iterator[duckdb.DuckDBPyConnection]:
    with access.connect(publish_sample(day=BUILD_DAY).pointer, rights.ADMINISTRATOR) as connection:
        yield connection


# ------------------------------------------------------------------ by hand: the register
def test_institutes_on_the_register_and_stopped(con):
    names = ("registered_institutes", "licensed_institutes", "suspended_institutes", "revoked_institutes")
    assert ask(con, *names).rows == [(4, 2, 1, 0)]
    assert ask(con, "suspended_institutes", on=SPRING).value() == 0, "suspended since 1403/05/01"
    assert ask(con, "suspended_institutes", where={"province": ["IR-30"]}).value() == 0


def test_an_institute_not_founded_yet_is_not_counted(con):
    assert ask(con, "registered_institutes", on=date(2022, 6, 1)).value() == 3, "003 was founded on 1401/09/01"


def test_status_and_smart_services_split_institutes(con):
    assert dict(ask(con, "registered_institutes", by=("status",)).rows) == {"active": 3, "suspended": 1}
    assert dict(ask(con, "registered_institutes", by=("smart",)).rows) == {"yes": 2, "no": 1, None: 1}
    assert ask(con, "smart_unknown").value() == 1
    assert ask(con, "licensed_institutes", where={"smart": ["بلی"]}).value() == 1


@pytest.mark.parametrize("name", ["active_assistants", "smart_service_share", "persons_per_institute", "per_100k"])
def test_smart_services_are_no_dimension_of_persons_or_of_themselves(con, name):
    with pytest.raises(QuestionError):
        ask(con, name, by=("smart",))


def test_the_last_licensed_day_of_each_institute(con):
    assert dict(ask(con, "licensed_until", by=("institute",)).rows) == {
        "001": date(2027, 3, 20),
        "002": date(2024, 6, 20),
        "003": date(2024, 7, 21),
        "004": date(2027, 8, 10),
    }


def test_the_funnel_narrows(con):
    names = ("applications", "cohort_complete", "cohort_decided", "cohort_granted")
    assert ask(con, *names, over=YEAR).rows == [(6, 4, 3, 2)]
    assert ask(con, *names, over=YEAR, where={"province": ["IR-23"]}).rows == [(3, 1, 1, 1)]


def test_a_decision_without_a_day_of_the_file_still_had_a_complete_one(con):
    over = (date(2023, 2, 1), date(2023, 2, 28))
    assert ask(con, "applications", "cohort_complete", over=over).rows == [(1, 1)], "1005 has no file_complete_on"


# ------------------------------------------------------------------ by hand: lists by name
def test_licences_that_end_soon_stand_by_name(con):
    assert licensing.licences_ending(con, D).rows == []
    answer = licensing.licences_ending(con, JUNE)
    assert answer.columns == (
        "institute",
        "province",
        "activity",
        "span",
        "licensed_until",
        "outstanding",
        "active_assistants",
    )
    assert answer.rows == [
        ("002", "IR-30", "patrol", "1-30", date(2024, 6, 20), 1, 1),
        ("003", "IR-10", "events", "31-60", date(2024, 7, 21), 0, 1),
    ]
    assert [row[0] for row in licensing.licences_ending(con, JUNE, {"province": ["IR-10"]}).rows] == ["003"]


def test_who_serves_under_a_lapsed_licence_stands_by_name(con):
    answer = licensing.lapsed(con, D)
    assert answer.rows == [
        ("002", "IR-30", "patrol", "active", 1, date(2024, 6, 20), None, 1),
        ("003", "IR-10", "events", "suspended", 1, date(2024, 7, 21), date(2024, 7, 22), 0),
    ]
    assert sum(answer.column("lapsed_licence_service")) == ask(con, "lapsed_licence_service", on=D).value() == 2
    assert licensing.lapsed(con, SPRING).rows == []


@pytest.mark.slow
def test_a_lapsed_institute_is_listed_where_its_persons_serve(con, tmp_path):
    folder = tmp_path / "incoming"
    shutil.copytree(SAMPLE, folder)
    people = folder / "personnel.csv"
    rows = people.read_text(encoding="utf-8").splitlines()
    hamid = next(i for i, row in enumerate(rows) if "۱۴۰۲/۱۱/۰۱" in row)
    rows[hamid] = rows[hamid].replace("البرز,ساوجبلاغ", "تهران,تهران")
    people.write_text("\n".join(rows) + "\n", encoding="utf-8")
    with access.connect(publish(folder), rights.ADMINISTRATOR) as connection:
        tehran = {"province": ["IR-23"]}
        lapsed_row = ("002", "IR-30", "patrol", "active", 1, date(2024, 6, 20), None, 0)
        assert licensing.lapsed(connection, D, tehran).rows == [lapsed_row], (
            "registered in Alborz, where its applications stay"
        )
        assert [row[0] for row in licensing.register(connection, D, tehran).rows] == ["001"]


def test_the_suspended_stand_by_name(con):
    assert licensing.stopped(con, D).rows == [("003", "IR-10", "events", "suspended", date(2024, 7, 22), 1)]
    assert licensing.stopped(con, SPRING).rows == []


def test_the_register_of_a_province(con):
    answer = licensing.register(con, D, {"province": ["IR-30"]})
    assert answer.rows == [
        ("004", "IR-30", "cash_transit", "active", date(2027, 8, 10), 5, 5, 0.4, 2, 1, 2, 5),
        ("002", "IR-30", "patrol", "active", date(2024, 6, 20), 1, 0, None, 0, 0, 0, 0),
    ]


@pytest.mark.parametrize(
    "list_function", [licensing.register, licensing.licences_ending, licensing.lapsed, licensing.stopped]
)
def test_a_list_refuses_a_filter_of_persons(con, list_function):
    with pytest.raises(QuestionError):
        list_function(con, D, {"gender": ["female"], "outcome": ["granted"]})


# ------------------------------------------------------------------ by hand: officers
def test_accreditations_end_within_their_span(con):
    spans = ("accreditation_ending_30", "accreditation_ending_60", "accreditation_ending_90")
    ends = date(2024, 6, 20)
    for before, row in {
        0: (1, 0, 0),
        30: (1, 0, 0),
        31: (0, 1, 0),
        61: (0, 0, 1),
        90: (0, 0, 1),
        91: (0, 0, 0),
    }.items():
        assert ask(con, *spans, on=ends - timedelta(before)).rows == [row], f"{before} days before Hossein's ends"
    assert ask(con, *spans, on=ends + timedelta(1)).rows == [(0, 0, 0)]
    assert licensing.accreditations_ending(con, JUNE).rows == [("001", "IR-23", "guarding", "active", 1, 0, 0, 1)]


def test_officers_whose_training_lapsed(con):
    assert ask(con, "officers_lapsed", "officer_training_share", on=D).rows == [(0, 1.0, 2, 2)]
    assert ask(con, "officers_lapsed", "officer_training_share", on=SPRING).rows == [(1, 0.5, 1, 2)]
    by_course = ask(con, "officer_training_share", by=("course",), on=SPRING)
    assert {row[0]: row[1:] for row in by_course.rows} == {
        "base": (1.0, 2, 2),
        "aid": (0.0, 0, 1),
        "lead": (1.0, 1, 1),
    }
    assert licensing.officers_untrained(con, SPRING).rows == [("001", "IR-23", "guarding", "active", 1, 0.0, 0, 1)]
    assert licensing.officers_untrained(con, SPRING, {"gender": ["female"]}).rows == []


# ------------------------------------------------------------------ by hand: sizes and smart services
def test_institutes_by_size(con):
    assert licensing.sizes(con, D).rows == [("0", 0), ("1-9", 2), ("10-24", 0), ("25-49", 0), ("50-99", 0), ("100+", 0)]
    assert licensing.smart_sizes(con, D).rows[:3] == [("0", None, 0, 0), ("1-9", 0.5, 1, 2), ("10-24", None, 0, 0)]
    assert licensing.sizes(con, D, {"province": ["IR-10"]}).column("licensed_institutes") == [0] * 6


def test_process_times_of_adopters_and_of_the_others(con):
    answer = ask(con, "time_to_licence_median", by=("kind", "smart"), over=YEAR)
    assert set(answer.rows) == {("renewal", "yes", 19.0, 1), ("renewal", None, 15.0, 1)}


# ------------------------------------------------------------------ adoption, from publication to publication
def adoption(pointer: Path, **question) -> list[tuple]:
    with access.connect(pointer, rights.ADMINISTRATOR) as connection:
        return licensing.adoption(connection, **question).rows


@pytest.mark.slow
def test_each_publication_keeps_what_it_found(tmp_path):
    folder = tmp_path / "incoming"
    shutil.copytree(SAMPLE, folder)
    first = date(2024, 6, 20)
    pointer = publish(folder, first, accept_loss=True)
    [(first_day, share, smart, all_licensed)] = adoption(pointer)
    assert first_day <= first
    assert (smart, all_licensed) == (2, 3), "003 was rejected: its suspension was in the future"
    institutes = folder / "institutes.csv"
    institutes.write_text(
        institutes.read_text(encoding="utf-8").replace(
            "guarding,1399/06/01,active,,yes", "guarding,1399/06/01,active,,no"
        )
    )
    publish(folder)
    both = [(first_day, share, 2, 3), (D, 0.0, 0, 2)]
    assert adoption(pointer) == both, "the first stays as it was found, though the flag changed"
    assert adoption(pointer, on=first_day) == both[:1]
    assert adoption(pointer, where={"province": ["IR-23"]}) == [(first_day, 1.0, 1, 1), (D, 0.0, 0, 1)]
    publish(folder)
    assert adoption(pointer) == both, "a day that is published again is counted once"
    with access.connect(pointer, rights.ADMINISTRATOR) as connection, pytest.raises(QuestionError):
        licensing.adoption(connection, where={"institute": ["001"]})
    (folder / "SAMPLE.txt").write_text("made up", encoding="utf-8")
    assert adoption(publish(folder)) == both[1:], "made up and real histories are not mixed"


# ------------------------------------------------------------------ other countries
def reference() -> list[dict[str, str]]:
    with (ROOT / "data" / "reference" / "international.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_this_country_stands_first_and_apart(con):
    answer = international.countries(con, D)
    iran = answer.records()[0]
    assert (iran["force"], iran["country"], iran["persons_counted"]) == ("assistants", "IRN", 9)
    assert iran["persons_per_100k"] == pytest.approx(9 / 85_958_373.69315068 * 100_000)
    assert iran["persons_per_100k"] == pytest.approx(ask(con, "coverage_per_10k", on=D).value() * 10)
    here = international.countries(con, D, {"province": ["IR-23"]}).records()[0]
    assert (here["country"], here["persons_counted"]) == ("HERE", 4)
    assert here["population_then"] == pytest.approx(14_208_705 + 103_236 * 364 / 365)
    guards = international.countries(con, D, {"post": ["guard"]}).records()[0]
    assert guards["country"] == "HERE", "guards alone are not the assistants of the country"
    assert guards["persons_counted"] < iran["persons_counted"]


def test_each_country_stands_once_a_force_with_its_latest_figure(con):
    rows = international.countries(con, D).records()[1:]
    assert len({(row["force"], row["country"]) for row in rows}) == len(rows)
    figures = {(row["country"], row["force"]): row for row in rows}
    china, wales = figures["CHN", "guards"], figures["GBR-EAW", "volunteers"]
    assert (china["counted_year"], china["persons_counted"]) == ("2023", 6_760_000)
    assert china["persons_per_100k"] == pytest.approx(6_760_000 / 1_410_710_000 * 100_000)
    assert wales["persons_per_100k"] is None, "no population of England and Wales alone"
    assert figures["IND", "auxiliaries"]["counted_year"] is None
    assert {row["force"] for row in rows} == {"guards", "volunteers", "auxiliaries"}


def test_forces_follow_each_other_and_are_ranked_apart(con):
    rows = international.countries(con, D).records()[1:]
    forces = [row["force"] for row in rows]
    assert list(dict.fromkeys(forces)) == ["guards", "volunteers", "auxiliaries"]
    assert sorted(forces, key=["guards", "volunteers", "auxiliaries"].index) == forces
    guards = [row["persons_per_100k"] for row in rows if row["force"] == "guards"]
    assert guards == sorted(guards, reverse=True)


def test_the_rates_are_those_of_the_reference_file(con):
    rates = {(int(row["persons"]), row["url"]): row["persons_per_100k"] for row in reference()}
    for row in international.countries(con, D).records()[1:]:
        rate = rates[row["persons_counted"], row["address"]]
        assert (row["persons_per_100k"] is None) == (rate == "")
        if rate:
            assert row["persons_per_100k"] == pytest.approx(float(rate), abs=0.06)


def test_the_claim_of_four_million_marks_the_countries_that_exceed_it(con):
    answer = international.claim(con, D)
    theirs = {(row["persons_counted"], row["address"]): row["above_claim"] for row in answer.records()}
    ours = {
        (int(row["persons"]), row["url"]): int(row["persons"]) - 4_000_000 if int(row["persons"]) > 4_000_000 else None
        for row in reference()
        if row["iso3"] != "WLD"
    }
    assert theirs == ours
    above = {row["country"] for row in answer.records() if row["above_claim"] is not None}
    assert above == {"CHN", "IND"}
    assert all(row["source"] and row["address"].startswith("http") for row in answer.records())


# ------------------------------------------------------------------ a made-up register, counted again row by row
@dataclass
class Counted:
    con: duckdb.DuckDBPyConnection
    data: oracle.Data


@pytest.fixture(scope="module")
def made_up(small_register: Path, data: oracle.Data) -> Iterator[Counted]:
    with access.connect(small_register, rights.ADMINISTRATOR) as connection:
        yield Counted(connection, data)


def days(data: oracle.Data) -> list[date]:
    return [data.as_of, data.as_of - timedelta(200), data.as_of - timedelta(900)]


def officers(data: oracle.Data, day: date) -> list:
    return [
        spell
        for spell in active_spells(data, day)
        if spell.judicial_from and spell.judicial_from <= day and (spell.judicial_until or day) >= day
    ]


@pytest.mark.slow
def test_officers_are_counted_alike(made_up):
    data = made_up.data
    for day in days(data):
        spells = officers(data, day)
        lapsed = {s.person for s in spells if not is_compliant(data, day, s.person, {})}
        everyone = {s.person for s in spells}
        assert len(lapsed) > 3, "the register exercises it"
        answer = ask(made_up.con, "officers_lapsed", "officer_training_share", on=day)
        assert answer.rows[0][0] == len(lapsed)
        assert answer.rows[0][1] == pytest.approx(float(Fraction(len(everyone - lapsed), len(everyone))))
        by_institute: dict[str, set[str]] = {}
        for spell in spells:
            if spell.person in lapsed:
                by_institute.setdefault(spell.institute, set()).add(spell.person)
        rows = licensing.officers_untrained(made_up.con, day).records()
        assert {row["institute"]: row["officers_lapsed"] for row in rows} == {
            code: len(people) for code, people in by_institute.items()
        }
        for number, (after, until) in {30: (-1, 30), 60: (30, 60), 90: (60, 90)}.items():
            ending = {s.person for s in spells if s.judicial_until and after < (s.judicial_until - day).days <= until}
            assert ask(made_up.con, f"accreditation_ending_{number}", on=day).value() == len(ending)


@pytest.mark.slow
def test_institutes_are_counted_alike(made_up):
    data = made_up.data
    for day in days(data):
        stopped = {
            code: row["status"]
            for code, row in data.institutes.items()
            if row["status"] in ("suspended", "revoked") and row["status_since"] <= day
        }
        counts = ask(made_up.con, "suspended_institutes", "revoked_institutes", on=day).rows[0]
        assert counts == tuple(list(stopped.values()).count(status) for status in ("suspended", "revoked"))
        assert {row[0] for row in licensing.stopped(made_up.con, day).rows} == set(stopped)
        lapsed: dict[str, set[str]] = {}
        for spell in serving(data, day):
            if spell.institute not in licensed(data, day):
                lapsed.setdefault(spell.institute, set()).add(spell.person)
        rows = licensing.lapsed(made_up.con, day).records()
        assert {row["institute"]: row["lapsed_licence_service"] for row in rows} == {
            c: len(p) for c, p in lapsed.items()
        }
        register = {row["institute"]: row for row in licensing.register(made_up.con, day).records()}
        assert register.keys() == {*licensed(data, day), *(spell.institute for spell in serving(data, day))}
        for code, row in register.items():
            assert row["in_service"] == in_service(data, day, {"institute": {code}})


@pytest.mark.slow
def test_sizes_and_adoption_are_counted_alike(made_up):
    data = made_up.data
    for day in days(data):
        cells = {size: [0, 0] for size in licensing.SIZES}
        for code in licensed(data, day):
            active = len({s.person for s in active_spells(data, day) if s.institute == code})
            size = [name for name, least in licensing.SIZES.items() if active >= least][-1]
            cells[size][0] += 1
            cells[size][1] += data.institutes[code]["smart_services"] is True
        assert dict(licensing.sizes(made_up.con, day).rows) == {size: cell[0] for size, cell in cells.items()}
        assert {r[0]: [r[3], r[2]] for r in licensing.smart_sizes(made_up.con, day).rows} == cells


@pytest.mark.slow
def test_licences_ending_are_counted_alike(made_up):
    data = made_up.data
    for day in days(data):
        expected = {}
        for code in licensed(data, day):
            last = day
            while code in licensed(data, last + timedelta(1)) and (last - day).days <= 90:
                last += timedelta(1)
            ahead = (last - day).days
            if ahead <= 90:
                span = "1-30" if ahead <= 30 else "31-60" if ahead <= 60 else "61-90"
                expected[code] = (span, last, outstanding(data, day, {"institute": {code}}))
        rows = licensing.licences_ending(made_up.con, day).records()
        assert {r["institute"]: (r["span"], r["licensed_until"], r["outstanding"]) for r in rows} == expected
        assert [r["licensed_until"] for r in rows] == sorted(r["licensed_until"] for r in rows)


@pytest.mark.slow
def test_the_funnel_and_the_times_of_adopters_are_counted_alike(made_up):
    data, last = made_up.data, made_up.data.as_of
    over = (last - timedelta(700), last)
    cohort = [row for row in data.licences if over[0] <= row["applied_on"] <= over[1]]
    decided = [row for row in cohort if row["outcome"] in ("granted", "refused")]
    complete = [row for row in cohort if row["file_complete_on"] or row in decided]
    granted = [row for row in decided if row["outcome"] == "granted"]
    names = ("applications", "cohort_complete", "cohort_decided", "cohort_granted")
    assert ask(made_up.con, *names, over=over).rows == [tuple(map(len, (cohort, complete, decided, granted)))]
    flag = {"yes": True, "no": False, None: None}
    for smart, _, timed in _times(made_up, over):
        codes = {code for code, row in data.institutes.items() if row["smart_services"] is flag[smart]}
        assert timed == len(times_to_licence(data, *over, {"institute": codes}))


def _times(made_up: Counted, over: tuple[date, date]) -> list[tuple]:
    answer = ask(made_up.con, "time_to_licence_median", "granted_timed", by=("smart",), over=over)
    assert len(answer.rows) >= 2, "the register exercises it"
    return answer.rows
