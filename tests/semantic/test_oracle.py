"""The oracle against numbers worked out by hand; sample/README.md explains each of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import oracle
from tests.oracle.measures import count_working_days
from tests.oracle.read import Fault, add_months, check_digit_ok, decode, fold, read_day, read_folder

SAMPLE = Path(__file__).parents[1] / "sample"
TODAY = date(2026, 6, 1)
D = date(2024, 9, 21)  # 1403/06/31
YEAR = (date(2023, 9, 23), D)  # 1402/07/01..1403/06/31
TEHRAN, ALBORZ, ISFAHAN = "IR-23", "IR-30", "IR-10"


@pytest.fixture(scope="module")
def load() -> oracle.Load:
    return oracle.read(SAMPLE, TODAY)[0]


@pytest.fixture(scope="module")
def data() -> oracle.Data:
    return oracle.read(SAMPLE, TODAY)[1]


def nation(data: oracle.Data, name: str, **question: Any) -> float | None:
    return oracle.ask(data, [name], **question)[()][name]


def by(data: oracle.Data, dimension: str, name: str, **question: Any) -> dict[Any, Any]:
    """The groups with a value."""
    answer = oracle.ask(data, [name], by=(dimension,), **question)
    return {key[0]: values[name] for key, values in answer.items() if values[name]}


# ------------------------------------------------------------------ reading
def test_every_file_adds_up(load):
    counts = {name: (file.read, file.loaded, file.quarantined, file.duplicates) for name, file in load.files.items()}
    assert counts == {
        "institutes.csv": (5, 4, 1, 0),
        "licences.csv": (12, 10, 2, 0),
        "personnel.csv": (22, 18, 3, 1),
        "training.csv": (29, 18, 10, 1),
    }


def test_reasons(load):
    assert dict(load.reasons) == {
        "unknown_province": 1,
        "decided_before_complete": 1,
        "orphan_institute": 2,
        "bad_national_id": 1,
        "age_out_of_range": 1,
        "left_before_hired": 1,
        "conflicting_key": 2,
        "orphan_person": 1,
        "unknown_course": 1,
        "bad_date": 1,
        "future_date": 1,
        "unknown_value": 1,
        "spoilt_number": 1,
        "missing_value": 2,
        "ragged_row": 1,
    }


def test_as_of_day_and_default_period(load, data):
    assert load.as_of == D
    assert oracle.last_twelve_months(load.as_of) == YEAR
    assert oracle.last_twelve_months(date(2024, 9, 20)) == (date(2023, 8, 23), date(2024, 8, 21))


def test_values_are_typed(load):
    nasrin = next(row for row in load.rows["personnel"] if row["institute_code"] == "003")
    assert nasrin["national_id"] == "0099901129"
    assert nasrin["hired_on"] == date(2023, 4, 21)
    assert nasrin["veteran"] is None
    institutes = {row["institute_code"]: row for row in load.rows["institutes"]}
    assert institutes["003"]["province"] == ISFAHAN
    assert institutes["002"]["county"] == "3002"
    assert institutes["004"]["founded_on"] == date(2021, 5, 22)
    refusal = next(row for row in load.rows["licences"] if row["application_no"] == "1008")
    assert (refusal["kind"], refusal["outcome"]) == ("renewal", "refused")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1403/06/31", date(2024, 9, 21)),
        ("۱۴۰۳/۶/۳۱", date(2024, 9, 21)),
        ("1403-12-30", date(2025, 3, 20)),  # a leap year
        ("14040101", date(2025, 3, 21)),
        ("2024-02-29", date(2024, 2, 29)),
        ("20240229", date(2024, 2, 29)),
    ],
)
def test_days(text, day):
    assert read_day(text) == day


@pytest.mark.parametrize(
    "text", ["1404/12/30", "1403/07/31", "03/06/31", "45556", "2023-02-29", "1403/06", "1403/6-31"]
)
def test_invalid_days(text):
    with pytest.raises(Fault, match="bad_date"):
        read_day(text)


def test_folding():
    assert fold("  كد‌ملي ") == "کد ملی"
    assert fold("مـوسسه") == "موسسه"
    assert fold("IR-۲٣") == "ir-23"


def test_check_digits():
    assert check_digit_ok("0099901129")
    assert not check_digit_ok("0099901128")


def test_months_are_added_in_the_gregorian_calendar():
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 2, 29), 24) == date(2026, 2, 28)
    assert add_months(date(2024, 3, 31), -1) == date(2024, 2, 29)
    assert add_months(date(2024, 9, 21), -12) == date(2023, 9, 21)


def test_encodings():
    text = "national_id;course_code;completed_on;result\n1;نمونه;2;3\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        assert decode("training", text.encode(encoding)) == text
    arabic_ye = text.replace("ی", "ي")
    assert decode("training", arabic_ye.encode("cp1256")) == arabic_ye
    a_broken_line = text.encode() + text.encode() + b"\xe3\n"
    assert decode("training", a_broken_line) == text + text + "\ufffd\n"


def test_a_key_with_differing_content_is_quarantined_in_all_files(tmp_path):
    head = "institute_code,name,province,activity,status,smart_services\n"
    (tmp_path / "institutes_1.csv").write_text(
        head + "A1,x,IR-23,guarding,active,yes\nB1,x,IR-23,patrol,active,no\n", encoding="utf-8"
    )
    (tmp_path / "institutes_2.csv").write_text(
        head + "a1,x,تهران,گشت,active,yes\nb1,X,23,گشت,فعال,0\n,x,IR-23,گشت,فعال,0\n",
        encoding="utf-8",
    )
    load = read_folder(tmp_path, TODAY)
    assert dict(load.reasons) == {"conflicting_key": 2, "missing_value": 1}
    first, second = load.files["institutes_1.csv"], load.files["institutes_2.csv"]
    assert (first.read, first.loaded, first.quarantined, first.duplicates) == (2, 1, 1, 0)
    assert (second.read, second.loaded, second.quarantined, second.duplicates) == (3, 0, 2, 1)


def test_a_value_that_cannot_be_loaded_is_not_missing_besides(tmp_path):
    (tmp_path / "institutes.csv").write_text(
        "institute_code,name,province,activity,status,status_since\n"
        "1,x,IR-23,patrol,closed,1404/12/30\n"
        "2,x,IR-23,patrol,closed,\n"
        "3,x,IR-23,patrol,active,\n",
        encoding="utf-8",
    )
    (tmp_path / "licences.csv").write_text(
        "application_no,institute_code,kind,applied_on,decided_on,outcome,valid_from,valid_until\n"
        "1,3,new,2024-01-01,2124-01-01,granted,2024-02-30,2025-01-01\n"
        "2,3,new,2024-01-01,,granted,2025-01-02,2025-01-01\n"
        "3,2,new,2024-01-01,2023-12-31,refused,,\n",
        encoding="utf-8",
    )
    assert read_folder(tmp_path, TODAY).faults == [
        ("institutes.csv", 2, "status_since", "bad_date"),
        ("institutes.csv", 3, "status_since", "missing_status_since"),
        ("licences.csv", 2, "decided_on", "future_date"),
        ("licences.csv", 2, "valid_from", "bad_date"),
        ("licences.csv", 3, "decided_on", "missing_value"),
        ("licences.csv", 3, "valid_until", "ends_before_starts"),
        ("licences.csv", 4, "decided_on", "decided_before_complete"),
        ("licences.csv", 4, "institute_code", "orphan_institute"),
    ]


# ------------------------------------------------------------------ stock
def test_in_service(data):
    assert nation(data, "in_service") == 11
    assert by(data, "province", "in_service") == {TEHRAN: 4, ALBORZ: 6, ISFAHAN: 2}


def test_active_assistants(data):
    assert nation(data, "active_assistants") == 9
    assert by(data, "province", "active_assistants") == {TEHRAN: 4, ALBORZ: 5, ISFAHAN: 1}
    assert by(data, "gender", "active_assistants") == {"female": 4, "male": 5}
    assert by(data, "post", "active_assistants") == {
        "guard": 5,
        "team_leader": 1,
        "operator": 2,
        "manager": 1,
    }
    assert by(data, "institute", "active_assistants") == {"001": 5, "004": 5}
    assert by(data, "activity", "active_assistants") == {"guarding": 5, "cash_transit": 5}
    assert by(data, "county", "active_assistants") == {
        "2301": 3,
        "2303": 1,
        "3001": 4,
        "1010": 1,
        None: 1,
    }
    women_in_alborz = {"gender": {"female"}, "province": {ALBORZ}}
    assert nation(data, "active_assistants", where=women_in_alborz) == 2


def test_every_province_has_a_row(data):
    answer = oracle.ask(data, ["active_assistants", "coverage_per_10k"], by=("province",))
    assert sum(province is not None for (province,) in answer) == 31
    assert answer[("IR-00",)] == {"active_assistants": 0, "coverage_per_10k": 0}


def test_institutes(data):
    assert nation(data, "licensed_institutes") == 2
    assert by(data, "province", "licensed_institutes") == {TEHRAN: 1, ALBORZ: 1}
    assert nation(data, "smart_service_share") == 1 / 2
    # the day a suspension begins, a licence no longer counts; on its last day it does
    assert nation(data, "licensed_institutes", on=date(2024, 7, 22)) == 2
    assert nation(data, "licensed_institutes", on=date(2024, 7, 21)) == 3
    assert nation(data, "licensed_institutes", on=date(2024, 6, 20)) == 4


def test_flags(data):
    assert nation(data, "judicial_officers") == 2
    assert nation(data, "judicial_officer_share") == pytest.approx(2 / 9)
    assert by(data, "province", "judicial_officers") == {ALBORZ: 2}
    assert nation(data, "veterans") == 2
    assert nation(data, "veteran_share") == pytest.approx(2 / 9)
    assert by(data, "province", "veteran_share") == {TEHRAN: 1 / 4, ALBORZ: 1 / 5}


def test_target(data):
    assert nation(data, "target_progress") == 0.75
    progress = by(data, "province", "target_progress")
    assert progress[TEHRAN] == 4 / 5
    assert progress[ALBORZ] == pytest.approx(12.278, abs=0.001)
    assert nation(data, "target_progress", on=date(2024, 3, 19)) == 9 / 8
    assert nation(data, "target_progress", on=date(2023, 3, 20)) is None


# ------------------------------------------------------------------ growth
def test_joiners_and_leavers(data):
    assert nation(data, "joiners") == 3
    assert by(data, "province", "joiners") == {ALBORZ: 2, ISFAHAN: 1}
    assert by(data, "month", "joiners") == {"1403-03": 1, "1403-06": 2}
    assert nation(data, "leavers") == 2
    assert by(data, "province", "leavers") == {ALBORZ: 1, TEHRAN: 1}
    assert by(data, "month", "leavers") == {"1402-09": 1, "1403-02": 1}
    assert by(data, "institute", "leavers") == {"001": 1, "004": 1}
    assert nation(data, "net_change") == 1
    assert by(data, "province", "net_change") == {TEHRAN: -1, ALBORZ: 1, ISFAHAN: 1}
    assert by(data, "quarter", "net_change") == {"1402-Q3": -1, "1403-Q2": 2}
    assert by(data, "year", "joiners") == {"1403": 3}


def test_transfers(data):
    assert nation(data, "transfers_in") == 0
    assert by(data, "province", "transfers_in") == {ALBORZ: 2}
    assert by(data, "province", "transfers_out") == {TEHRAN: 1}
    assert by(data, "institute", "transfers_in") == {"004": 2, "002": 1}
    assert by(data, "institute", "transfers_out") == {"001": 1, "004": 1}
    day = date(2024, 4, 20)  # Zahra's first day in Alborz is her first day out of Tehran
    assert by(data, "province", "transfers_in", over=(day, day)) == {ALBORZ: 1}
    assert by(data, "province", "transfers_out", over=(day, day)) == {TEHRAN: 1}


def test_rates(data):
    assert nation(data, "leaver_rate_12m") == pytest.approx(2 / 10.5)
    assert nation(data, "early_attrition") == 0.2
    # Ali and Reza joined in 2021; Reza left, but after 27 months
    assert nation(data, "early_attrition", on=date(2023, 1, 1)) == 0


# ------------------------------------------------------------------ coverage
def test_coverage(data):
    assert nation(data, "coverage_per_10k") == pytest.approx(9 / 85_958_373.693 * 10_000)
    per_10k = by(data, "province", "coverage_per_10k")
    assert per_10k[TEHRAN] == pytest.approx(4 / (14_208_705 + 103_236 * 364 / 365) * 10_000)
    assert by(data, "province", "coverage_gap")[TEHRAN] == pytest.approx(2.5015, abs=0.0001)
    assert nation(data, "coverage_gap") == 0
    assert nation(data, "counties_covered") is None, "the county of one of nine is unknown"
    assert {code: share for code, share in by(data, "province", "counties_covered").items() if share is not None} == {
        TEHRAN: 2 / 16,
        ISFAHAN: 1 / 24,
    }
    assert by(data, "province", "coverage_per_100km2")[ALBORZ] == pytest.approx(5 / 51.19, rel=0.01)


# ------------------------------------------------------------------ training
def test_training_compliance(data):
    assert nation(data, "training_compliance") == pytest.approx(6 / 9)
    assert by(data, "province", "training_compliance") == {
        TEHRAN: 3 / 4,
        ALBORZ: 2 / 5,
        ISFAHAN: 1,
    }
    assert by(data, "course", "training_compliance") == {"base": 6 / 9, "aid": 1, "lead": 1}
    assert nation(data, "requirement_rate") == pytest.approx(11 / 14)
    assert nation(data, "trained_share") == pytest.approx(4 / 9)
    assert by(data, "province", "trained_assistants") == {TEHRAN: 2, ALBORZ: 2}


def test_a_course_is_overdue_on_its_due_day_and_expired_on_its_first_day_out(data):
    mina = {"institute": {"004"}, "post": {"operator"}, "county": {None}}
    assert nation(data, "training_compliance", where=mina, on=date(2024, 9, 20)) == 1
    assert nation(data, "training_compliance", where=mina, on=D) == 0
    guards_of_alborz = {"province": {ALBORZ}, "post": {"guard"}}  # Hossein, and Reza, who is not
    assert nation(data, "training_compliance", where=guards_of_alborz, on=date(2024, 7, 31)) == 0.5
    assert nation(data, "training_compliance", where=guards_of_alborz, on=date(2024, 8, 1)) == 0


def test_run_off(data):
    assert [nation(data, f"expiring_{days}") for days in (30, 60, 90)] == [1, 1, 1]
    assert by(data, "province", "expiring_30") == {TEHRAN: 1}
    assert by(data, "province", "expiring_90") == {ISFAHAN: 1}
    assert nation(data, "expiring_30", on=date(2024, 9, 20)) == 1  # Mina; Sara is on day 31
    assert nation(data, "expiring_60", on=date(2024, 9, 20)) == 2  # Sara, Ali


def test_training_hours(data):
    assert nation(data, "training_hours") == pytest.approx(156 / 9)
    assert by(data, "province", "training_hours") == {
        TEHRAN: pytest.approx(110 / 4),
        ALBORZ: pytest.approx(36 / 5),
    }
    assert by(data, "month", "training_hours")["1403-02"] == pytest.approx((40 + 10) / 8)


# ------------------------------------------------------------------ licensing
def test_licensing(data):
    assert nation(data, "applications") == 6
    assert by(data, "province", "applications") == {TEHRAN: 3, ALBORZ: 2, ISFAHAN: 1}
    assert by(data, "outcome", "applications") == {
        "granted": 2,
        "refused": 1,
        "withdrawn": 1,
        None: 2,
    }
    assert [nation(data, name) for name in ("decided", "granted", "refused")] == [4, 2, 1]
    assert nation(data, "outstanding") == 2
    assert nation(data, "outstanding", on=date(2024, 7, 30)) == 2  # 1004, 1007
    assert nation(data, "outstanding", on=date(2024, 7, 31)) == 2  # 1004, 1008
    assert nation(data, "renewal_rate") == pytest.approx(2 / 3)
    assert by(data, "province", "renewal_rate") == {TEHRAN: 1, ALBORZ: 0.5}
    end_of_1405 = (
        date(2027, 3, 20),
        date(2027, 3, 20),
    )  # 1002 ends: what came before is no renewal
    assert nation(data, "renewal_rate", over=end_of_1405) == 0


def test_institutes_by_leader_and_age(data):
    assert nation(data, "veteran_led_institute_share") == 0.5
    assert nation(data, "institute_age_median") == 3.5
    assert nation(data, "institutes_founded", over=(date(2021, 3, 21), date(2022, 3, 20))) == 2


def test_working_days(data):
    def count(first, last):
        return count_working_days(data.reference, date(2024, 9, first), date(2024, 9, last), TEHRAN)

    # 20 September 2024 was a Friday, 21 September the birthday of the Prophet.
    assert (count(18, 19), count(19, 20), count(19, 19), count(19, 22)) == (1, 0, 0, 1)


def test_time_to_licence(data):
    assert nation(data, "time_to_licence_median") == 17
    assert nation(data, "time_to_licence_p90") == pytest.approx(18.6)
    assert by(data, "province", "time_to_licence_median") == {TEHRAN: 19, ALBORZ: 15}
    granted_without_a_complete_file = (date(2023, 3, 21), date(2023, 4, 20))
    assert nation(data, "granted", over=granted_without_a_complete_file) == 1
    assert nation(data, "time_to_licence_median", over=granted_without_a_complete_file) is None


# ------------------------------------------------------------------ past days, and days in a row
def test_a_past_day(data):
    past = date(2024, 3, 19)  # 1402/12/29
    assert nation(data, "active_assistants", on=past) == 9
    assert nation(data, "in_service", on=past) == 9
    assert nation(data, "training_compliance", on=past) == pytest.approx(5 / 9)
    assert nation(data, "veterans", on=past) == 3  # Ali, Hamid, Javad; Nasrin's flag is unknown
    assert by(data, "province", "active_assistants", on=past) == {TEHRAN: 6, ALBORZ: 2, ISFAHAN: 1}


def test_states_by_month_are_measured_on_last_days(data):
    over = (date(2024, 7, 10), date(2024, 9, 10))
    # Tir and Mordad are over within the days; Shahrivar is over on the as-of day, and cut
    answer = oracle.ask(data, ["in_service"], by=("month",), over=over)
    assert answer == {("1403-04",): {"in_service": 9}, ("1403-05",): {"in_service": 9}}
    year = oracle.ask(data, ["in_service"], by=("month",), over=YEAR)
    assert len(year) == 12
    assert year[("1403-06",)] == {"in_service": 11}
    cut = oracle.ask(data, ["in_service"], by=("month",), over=(YEAR[0], date(2024, 5, 1)))
    assert list(cut)[-1] == ("1403-01",)  # Ordibehesht is cut and has no row


def test_the_unit_not_yet_over_is_measured_on_the_as_of_day(data):
    over = (date(2022, 5, 1), D)
    assert oracle.ask(data, ["in_service"], by=("year",), over=over) == {
        ("1401",): {"in_service": 7},
        ("1402",): {"in_service": 9},
        ("1403",): {"in_service": 11},
    }
