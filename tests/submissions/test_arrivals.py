"""What has come in and what is owed, by province and month."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.core import settings
from etl.core.settings import Submission as Rules
from etl.extract.contract import TABLES
from etl.semantic.rights import ADMINISTRATOR, WHOLE_COUNTRY, AccessScope, Grant
from etl.submissions import arrivals, commands, deadline, ledger
from etl.submissions.desk import Desk, Reader
from etl.submissions.records import File, Submission

# Azar 10th 1405: the data of Aban were due on the 5th.
TODAY, MONTH, DUE = date(2026, 12, 1), "1405-08", date(2026, 11, 26)
ALL = ("IR-07", "IR-10", "IR-13", "IR-23")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(settings.Folders(submissions=tmp_path / "submissions"), Rules())


def of(province: str, state: str, *tables: str, on: date = DUE, month: str = MONTH, **more: Any) -> Submission:
    at = datetime.combine(on, time(12)).timestamp()
    files = tuple(File(number, f"{table}.csv", table * 8, 1, at, table) for number, table in enumerate(tables, 1))
    made = Submission(f"{province}-{month}-1", province, month, state, at, at, ("a",), files=files, submitted_at=at)
    return replace(made, **more)


def test_the_calendar_tells_in_time_late_unchanged_owed_and_not_due_yet(desk):
    unchanged = dict.fromkeys(TABLES, ("a", 0.0))
    every = [
        of("IR-07", "published", *TABLES),
        of("IR-10", "submitted", *TABLES, on=DUE + timedelta(days=1)),
        of("IR-13", "approved", unchanged=unchanged),
        of("IR-23", "submitted", "personnel"),
        of("IR-07", "ready", *TABLES, month="1405-07", on=date(2026, 10, 24)),
    ]
    found = arrivals.calendar(desk, every, ALL, TODAY)
    assert found.months == ["1405-07", "1405-08"]
    cells = [found.cells[code, MONTH] for code in ALL]
    assert cells == [("on_time", 0), ("late", 0), ("no_change", 0), ("missing", 3)]
    assert found.cells["IR-07", "1405-07"] == ("missing", 4), "a draft is not submitted"
    assert arrivals.calendar(desk, every, ALL, DUE).cells["IR-23", MONTH] == ("open", 3), "the day itself is in time"


def test_a_file_that_lay_in_a_draft_until_the_deadline_had_passed_is_late(desk):
    later = datetime.combine(DUE + timedelta(days=2), time(9)).timestamp()
    (state,) = {*desk.tables(of("IR-07", "submitted", *TABLES, submitted_at=later)).values()}
    assert state == "late"


def test_what_was_published_counts_below_a_correction_of_one_table(desk):
    every = [
        of("IR-07", "superseded", *TABLES, publication="000002"),
        of("IR-07", "submitted", "training", on=TODAY),
        of("IR-10", "superseded", *TABLES),
    ]
    entries = arrivals.arrived(desk, MONTH, every[:2])
    assert ledger.states(entries, "IR-07") == dict.fromkeys(TABLES, "in"), "a correction makes nothing late"
    assert not arrivals.counts(every[2]), "superseded before it was published"


def test_who_owes_a_table_or_has_the_data_back_is_reminded(desk):
    every = [of("IR-07", "published", *TABLES), of("IR-10", "returned", *TABLES), of("IR-13", "submitted", "training")]
    found = arrivals.owed(desk, every, ALL, TODAY)
    assert found == arrivals.Owed(MONTH, DUE, ["IR-10", "IR-13", "IR-23"], ["IR-10"])
    assert arrivals.owed(desk, every, ["IR-07"], TODAY) is None
    assert arrivals.owed(desk, [], ALL, TODAY) is None, "where nobody hands in here, nobody is reminded"


_OTHER_KEYS = {"of_others": ["personnel"], "before": {"personnel": {"rows": 30, "keys_gone": 30}}}


@pytest.mark.parametrize(
    ("made", "of_steward", "of_clerk"),
    [
        ([("submitted", {})], 1, 0),
        ([("submitted", {}), ("superseded", {})], 1, 0),
        ([("to_correct", {})], 0, 1),
        ([("to_correct", {"result": _OTHER_KEYS})], 1, 1),
        ([("to_correct", {"result": _OTHER_KEYS, "let_pass": "s"})], 0, 1),
        ([("ready", {})], 0, 1),
        ([("returned", {})], 0, 1),
        ([("returned", {}), ("submitted", {})], 1, 0),
        ([("returned", {}), ("withdrawn", {})], 0, 1),
        ([("draft", {})], 0, 0),
        ([("checking", {})], 0, 0),
        ([("approved", {})], 0, 0),
        ([("published", {})], 0, 0),
    ],
)
def test_what_waits_is_counted_for_who_can_do_something_about_it(desk, made, of_steward, of_clerk):
    for state, more in made:
        desk.records.add("IR-07", MONTH, lambda ident, _: of("IR-07", state, "personnel", id=ident, **more))  # noqa: B023

    def waiting(role: str, *provinces: str) -> int:
        grant = Grant(role, frozenset(provinces) or WHOLE_COUNTRY)
        return arrivals.waiting(desk, Reader("x", AccessScope("x", frozenset({grant}))), TODAY)

    assert (waiting("steward"), waiting("submitter", "IR-07")) == (of_steward, of_clerk)
    assert (waiting("submitter", "IR-10"), waiting("province", "IR-07")) == (0, 0)
    assert arrivals.waiting(desk, Reader("x", ADMINISTRATOR, is_alone=True), TODAY) == max(of_steward, of_clerk)


def test_reminders_begin_five_working_days_before_the_deadline(desk):
    before = [day for day in (DUE - timedelta(days=n) for n in range(1, 20)) if deadline.working_days_to(DUE, day) == 5]
    first = min(before)
    every = [of("IR-07", "published", *TABLES, month="1405-07")]
    assert arrivals.owed(desk, every, ["IR-07"], first - timedelta(days=1)) is None
    found = arrivals.owed(desk, every, ["IR-07"], first)
    assert found is not None
    assert (found.month, found.due) == (MONTH, DUE)


def test_a_file_after_a_declaration_in_time_is_in(desk):
    every = [
        of("IR-07", "published", unchanged=dict.fromkeys(TABLES, ("a", 0.0))),
        of("IR-07", "submitted", "training", on=TODAY),
    ]
    assert ledger.states(ledger.ledger(every, desk.rules), "IR-07") == dict.fromkeys(TABLES, "no_change") | {
        "training": "in"
    }


def test_a_province_that_stopped_sending_is_said_with_its_tables_and_months(desk):
    """Its earlier files go on counting, and no build would say so."""
    before = "1405-02"
    every = [
        of("IR-07", "published", *TABLES),
        of("IR-10", "published", "institutes", "licences"),
        of("IR-10", "published", *TABLES, month=before),
        of("IR-13", "published", "personnel", "training"),
        of("IR-13", "published", *TABLES, month=before),
        of("IR-13", "published", month=MONTH, unchanged={"institutes": ("a", 0.0)}, id=f"IR-13-{MONTH}-2"),
        of("IR-23", "published", *TABLES),
    ]
    for one in every:
        desk.records.add(one.province, one.month, lambda ident, _, one=one: replace(one, id=ident))
    config = replace(settings.Settings(), folders=desk.folders)
    assert commands.behind(config) == [
        f"IR-10: personnel, training of {before}, where most provinces have sent {MONTH}",
        f"IR-13: licences of {before}, where most provinces have sent {MONTH}",
    ]
    assert [is_well for _, is_well in commands.NEED.examine(config)] == [True, True], "a warning: no fault of this host"
    assert ledger.not_arrived(ledger.ledger(every, desk.rules)) == {"IR-10": MONTH, "IR-13": MONTH}


def test_without_submissions_no_province_is_behind(desk):
    config = replace(settings.Settings(), folders=desk.folders)
    assert commands.behind(config) == []
    assert not desk.root.exists(), "who only looks creates nothing"
