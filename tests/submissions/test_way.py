"""The way of a file: submitted, checked with the files of all provinces, approved by another person, published."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from etl.build import pipeline, volume
from etl.build.load_report import Report
from etl.core import settings
from etl.core.errors import Busy, Refused
from etl.core.files import sha256
from etl.core.paths import REFERENCE
from etl.extract.causes import words
from etl.extract.contract import TABLES
from etl.extract.source_folder import HANDED_IN, named_tables
from etl.semantic.ranking import LEAST
from etl.submissions import checking, deadline, orders, originals, publishing, work
from etl.submissions import desk as steps
from etl.submissions.desk import Person, ident
from etl.submissions.records import Submission
from etl.submissions.refusals import Declined
from etl.warehouse import publications
from tests.loading import load, national_id, put, row
from tests.submissions.conftest import FARS, ISFAHAN, LAST, THIS, Office, person, province_files, with_rows

pytestmark = pytest.mark.slow
PERSONNEL, TRAINING = "personnel_IR-07.csv", "training_IR-07.csv"


def more_people(count: int = 2) -> dict[str, str]:
    files = province_files(FARS)
    further = [person(150_000 + at, "IR-07", "100") for at in range(count)]
    return {PERSONNEL: with_rows(files[PERSONNEL], "personnel", *further)}


def in_service(office: Office, province: str) -> float:
    sql = f"select value from published_numbers where metric = 'in_service' and province = '{province}'"
    ((value,),) = publications.rows_of(publications.comparable(office.settings.folders.warehouse), sql)
    return float(value)


def rows_published(office: Office, name: str) -> int:
    """The rows of a file in the last publication, which needs no models."""
    last = publications.comparable(office.settings.folders.warehouse)
    ((rows,),) = publications.rows_of(last, f"select rows_loaded from load_files where file = '{name}'")
    return int(rows)


def test_a_file_goes_from_a_clerk_to_a_published_number(office):
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    assert (checked.state, checked.result["stops"]) == ("ready", [])
    assert checked.result["files"] == [
        {
            "file": PERSONNEL, "table": "personnel", "rows_read": 32, "rows_loaded": 32, "rows_quarantined": 0,
            "exact_duplicates": 0, "rows_warned": 0, "notes": [],
        }
    ]  # fmt: skip
    moved = {change["metric"]: (change["before"], change["after"]) for change in checked.result["changes"]}
    assert moved["in_service"] == (30.0, 32.0)
    assert checked.result["gone"] == 0
    assert office.desk.submit(office.clerk, checked.id).state == "submitted"
    assert in_service(office, "IR-07") == 30, "nothing is published before somebody approves"
    assert office.desk.approve(office.steward, checked.id).state == "approved"
    assert [one.id for one in office.order()] == [checked.id]
    office.work()
    done = office.desk.look(office.clerk, checked.id)
    assert (done.state, in_service(office, "IR-07"), in_service(office, "IR-10")) == ("published", 32, 30)
    noted = [note[:2] for note in office.notes if note[1] != "draft_changed"]
    assert noted == [("fars.clerk", "file_submitted"), ("data.steward", "load_approved")]
    again = load(office.settings.folders.incoming, to=Path(f"{office.settings.folders.warehouse}.again"))
    assert sum(file["rows_loaded"] for file in again.report["files"]) == 124 + 2, (
        "the accepted files are what a build reads"
    )


def test_rows_of_another_province_come_back(office):
    office.only_rows = True
    files = more_people(0)
    stranger = person(160_000, "IR-10", "200")
    abroad = person(160_001, "IR-10", "100")
    checked = office.hand_in(
        office.clerk, "IR-07", {PERSONNEL: with_rows(files[PERSONNEL], "personnel", stranger, abroad)}
    )
    assert (checked.state, checked.result["stops"]) == ("ready", [])
    (only,) = checked.result["returned"]
    assert {name: only[name] for name in ("table", "column", "reason", "rows")} == {
        "table": "personnel", "column": "province", "reason": "not_yours", "rows": 1,
    }  # fmt: skip
    office.desk.submit(office.clerk, checked.id)
    office.desk.approve(office.steward, checked.id)
    office.order()
    office.work()
    assert office.desk.look(office.clerk, checked.id).state == "published"
    nightly = load(office.settings.folders.incoming, to=office.settings.folders.warehouse)
    assert nightly.report["reasons"] == {"not_yours": 1}, "the build of the night rejects it too"


# What Fars writes of Isfahan, which registered it: the row goes back, and nothing more is said of it.
OF_ISFAHAN = {
    "institutes": row("institutes", institute_code="200", province="فارس", status="closed", status_since="1403/01/01"),
    "licences": row("licences", application_no="L200", institute_code="100", outcome="refused"),
    "personnel": person(200_000, "IR-07", "200", post="operator", birth_date="?"),
    "training": row("training", national_id=national_id(200_000), score="1"),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_key_that_another_province_registered_goes_back_and_its_row_stays(office, table):
    office.only_rows = True
    files = province_files(FARS)
    name = f"{table}_IR-07.csv"
    files[name] = with_rows(files[name], table, OF_ISFAHAN[table])
    if table == "training":
        # Whose place of service would make the course the own one.
        files[PERSONNEL] = with_rows(
            files[PERSONNEL], "personnel", person(200_000, "IR-07", "200", hired_on="1403/05/05")
        )
    checked = office.hand_in(office.clerk, "IR-07", files)
    (only,) = checked.result["returned"]
    assert (only["table"], only["reason"], only["rows"]) == (table, "not_yours", 1)
    assert checked.result["warned"] == []
    kept = (originals.folder_of(office.desk.root, checked) / "rows.json").read_text(encoding="utf-8")
    assert "IR-10" not in kept + str(checked.result)
    office.desk.submit(office.clerk, checked.id)
    office.desk.approve(office.steward, checked.id)
    office.order()
    office.work()
    for place in ("IR-07", "IR-10"):
        assert rows_published(office, f"{table}_{place}.csv") == len(files[name].splitlines()) - 2, place
    nightly = load(office.settings.folders.incoming, to=office.settings.folders.warehouse)
    assert nightly.report["reasons"] == {"not_yours": 1}, "the build of the night gives it back too"


def test_an_institute_taken_by_its_code_leaves_no_trace_in_the_other_province(office):
    """The attack: before, both rows were rejected, and the institute's licences and people with them."""
    name, files = "institutes_IR-07.csv", province_files(FARS)
    taken = row("institutes", institute_code="200", province="فارس")
    checked = office.hand_in(office.clerk, "IR-07", {name: with_rows(files[name], "institutes", taken)})
    assert (checked.state, checked.result["others"], checked.result["gone"]) == ("ready", [], 0)
    assert [(back["reason"], back["rows"]) for back in checked.result["returned"]] == [("not_yours", 1)]


def test_of_a_key_that_nobody_published_the_file_that_was_accepted_first_counts(office):
    office.only_rows = True
    name, new = "institutes_{}.csv", "777"
    first = {name.format("IR-10"): with_rows(
        province_files(ISFAHAN)[name.format("IR-10")], "institutes", row("institutes", institute_code=new, province="اصفهان")
    )}  # fmt: skip
    unchecked(office, first, LAST, "IR-10")
    mine = row("institutes", institute_code=new, province="فارس")
    content = with_rows(province_files(FARS)[name.format("IR-07")], "institutes", mine)
    checked = office.hand_in(office.clerk, "IR-07", {name.format("IR-07"): content})
    assert [back["reason"] for back in checked.result["returned"]] == ["not_yours"]
    office.desk.submit(office.clerk, checked.id)
    office.desk.approve(office.steward, checked.id)
    office.order()
    office.work()
    assert [rows_published(office, name.format(code)) for code in ("IR-07", "IR-10")] == [1, 2]


def test_a_file_that_moves_numbers_of_another_province_is_not_ready_until_a_steward_lets_it_pass(office):
    """People who serve in Fars are written as serving in Isfahan."""
    files = province_files(FARS)
    abroad = [person(190_000 + at, "IR-10", "100") for at in range(3)]
    checked = office.hand_in(office.clerk, "IR-07", {PERSONNEL: with_rows(files[PERSONNEL], "personnel", *abroad)})
    (stop,) = checked.result["stops"]
    assert checked.state == "to_correct"
    assert "Isfahan" in stop
    assert "اصفهان" in stop
    assert not re.search("[0-9۰-۹]", stop), "who submits reads no number of another province"
    assert "others" not in steps.content(office.desk, checked, "fa")
    moves = {(one["province"], one["metric"]): (one["before"], one["after"]) for one in checked.result["others"]}
    assert moves["IR-10", "in_service"] == (30, 33)
    with pytest.raises(Declined, match="this is for stewards"):
        office.desk.let_pass(office.clerk, checked.id)
    passed = office.desk.let_pass(office.steward, checked.id)
    assert (passed.state, passed.let_pass) == ("ready", "data.steward")
    assert ("data.steward", "submission_let_pass") in [note[:2] for note in office.notes]
    office.give(office.clerk, checked.id, 1, PERSONNEL, with_rows(files[PERSONNEL], "personnel", *abroad, *abroad))
    office.work()
    assert office.desk.look(office.clerk, checked.id).state == "to_correct", "another file is looked at anew"


def test_what_another_province_lost_is_not_counted_as_gone(office):
    incoming = office.settings.folders.incoming
    few = province_files(ISFAHAN, 25)
    for name in ("personnel_IR-10.csv", "training_IR-10.csv"):
        put(incoming, name, few[name])
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    assert checked.result["gone"] == 0


def test_what_stops_a_file_is_one_sentence_of_it(office):
    office.only_rows = True
    bad = {
        PERSONNEL: "نام\nعلی\n",
        "licences_IR-07.csv": b"\x1f\x8b\x08\x00packed",
        TRAINING: province_files(FARS)[TRAINING],
    }
    checked = office.hand_in(office.clerk, "IR-07", bad)
    assert checked.state == "to_correct"
    stops = checked.result["stops"]
    assert len(stops) == 2, stops
    assert [stop.partition(":")[0] for stop in stops] == [PERSONNEL, "licences_IR-07.csv"]
    assert all(" · " in stop for stop in stops), "in both languages"
    with pytest.raises(Declined, match="to correct"):
        office.desk.submit(office.clerk, checked.id)
    office.give(office.clerk, checked.id, 1, PERSONNEL, more_people()[PERSONNEL])
    office.give(office.clerk, checked.id, 2, "licences_IR-07.csv", province_files(FARS)["licences_IR-07.csv"])
    office.work()
    assert office.desk.look(office.clerk, checked.id).state == "ready"


def test_what_other_provinces_lost_is_told_to_no_clerk(office, monkeypatch):
    office.only_rows = True
    # Provinces share a line, as more than three do.
    monkeypatch.setattr(volume, "_MOST_LINES", 0)
    for table in ("personnel", "training"):
        (office.settings.folders.incoming / f"{table}_IR-10.csv").unlink()
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    assert checked.result["stops"] == [words("submission_elsewhere")]


def test_of_a_line_of_several_provinces_a_clerk_reads_the_own_part(office, tmp_path, monkeypatch):
    own, other = (volume.Refusal("", f"{code} has lost", provinces=frozenset([code])) for code in ("IR-07", "IR-10"))
    line = volume.Refusal("", "both have lost", provinces=own.provinces | other.provinces, parts=(own, other))

    def refuse(*_: object) -> None:
        raise pipeline.BuildRefused([line], Report())

    monkeypatch.setattr(pipeline, "check", refuse)
    one = unchecked(office, more_people())
    stops = checking.whole(office.desk, one, [], tmp_path, lambda _: None)["stops"]
    assert stops == ["IR-07 has lost", words("submission_elsewhere")]


def test_a_refused_file_of_another_province_excuses_no_fault(office):
    office.only_rows = True
    incoming = office.settings.folders.incoming
    put(incoming, "personnel.csv", "")
    put(incoming, HANDED_IN, '{"personnel.csv": "IR-10"}')
    (incoming / "personnel_IR-10.csv").unlink()
    strangers = [row("training", national_id=national_id(170_000 + at)) for at in range(40)]
    checked = office.hand_in(
        office.clerk, "IR-07", {TRAINING: with_rows(province_files(FARS)[TRAINING], "training", *strangers)}
    )
    stop, *_ = checked.result["stops"]
    assert stop.startswith(f"{TRAINING}: 40 of 70 rows rejected (orphan_person 40)")
    assert "personnel.csv" not in str(checked.result["stops"])


def test_a_jump_needs_a_reason_of_twenty_letters(office):
    few = province_files(FARS, people=20)
    checked = office.hand_in(office.clerk, "IR-07", {name: few[name] for name in (PERSONNEL, TRAINING)})
    assert checked.state == "ready"
    assert "in_service" in checked.result["jumps"]
    assert checked.result["gone"] == 10
    with pytest.raises(Declined, match="at least 20 characters"):
        office.desk.submit(office.clerk, checked.id, {"in_service": "they left"})
    why = dict.fromkeys(checked.result["jumps"], "a contract of ten people ended in Aban")
    assert office.desk.submit(office.clerk, checked.id, why).state == "submitted"


@pytest.mark.parametrize(("was", "is_far"), [(LEAST - 1, False), (LEAST, True)])
def test_a_headline_of_few_that_falls_by_a_tenth_is_no_jump(office, was, is_far):
    """What it falls to is within its own 24 months: 0 and 1."""
    pointer = office.settings.folders.warehouse
    assert checking._is_far("licensed_institutes", was, 1, pointer, "IR-07") == is_far


@pytest.mark.parametrize(("now", "is_far"), [(0.8299, False), (0.82, True)])
def test_a_share_that_moves_by_less_than_a_hundredth_is_no_jump(office, monkeypatch, now, is_far):
    """Its own months stood still: any step would be the largest."""
    still = SimpleNamespace(column=lambda _: [0.8314] * 24)
    monkeypatch.setattr(checking, "ask", lambda *_, **__: still)
    pointer = office.settings.folders.warehouse
    assert checking._is_far("training_compliance", 0.8314, now, pointer, "IR-07") == is_far


def test_what_is_submitted_while_it_is_checked_is_submitted_once_nothing_is_in_the_way(office):
    office.only_rows = True
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    assert office.desk.submit(office.clerk, draft.id).state == "checking"
    office.work()
    assert office.desk.look(office.clerk, draft.id).state == "submitted"


def test_what_was_asked_to_be_submitted_and_cannot_be_logged_keeps_the_result_of_its_check(office, monkeypatch):
    office.only_rows = True

    def full(*_: object, **__: object) -> None:
        raise Refused("the audit log cannot be written")

    monkeypatch.setattr(work, "note", full)
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    office.desk.submit(office.clerk, draft.id)
    office.work()
    checked = office.desk.look(office.clerk, draft.id)
    assert (checked.state, checked.result["stops"], len(checked.result["files"])) == ("ready", [], 1)


def test_a_check_that_nobody_waits_for_any_more_leaves_no_rows(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    one = office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    # Another draft takes its place.
    office.desk.open(office.clerk, "IR-07", LAST)
    with pytest.raises(work._Stopped):
        work._finish(office.desk, one, {"rows": [{"cells": {}}]})
    assert not originals.folder_of(office.desk.root, one).exists()


def test_nobody_approves_an_own_submission(office):
    office.only_rows = True
    both = office.somebody("data.steward", "steward")
    checked = office.hand_in(both, "IR-07", more_people())
    assert checked.for_province, "a steward submitted for the province"
    office.desk.submit(both, checked.id)
    with pytest.raises(Declined, match="you cannot approve your own submission"):
        office.desk.approve(both, checked.id)
    # An order file that was written past the page is tested again.
    office.desk.records.change(
        checked.id,
        ("submitted",),
        lambda one: one.but(state="approved", decided_by=both.sub, decided_groups=both.groups),
    )
    office.order()
    office.work()
    assert office.desk.look(both, checked.id).state == "approved"
    found = publishing.candidate(office.desk)
    for told in (found and found.refusals, publishing.last_publishing(office.desk)["refusals"]):
        assert "you cannot approve your own submission" in str(told)
    assert in_service(office, "IR-07") == 30


def faulty(*_: object) -> Any:
    """A fault of the program, whose text holds what is nobody's business."""
    raise KeyError("0000000027")


OF_THE_PROGRAM = words("order_failed", kind="KeyError")


def test_a_check_that_fails_for_a_fault_of_the_program_holds_back_no_other(office, monkeypatch):
    office.only_rows = True
    read = checking.read_alone
    monkeypatch.setattr(
        checking,
        "read_alone",
        lambda desk, one, folder: (faulty if one.province == "IR-07" else read)(desk, one, folder),
    )
    first = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, first.id, 1, PERSONNEL, more_people()[PERSONNEL])
    clerk = office.somebody("isfahan.clerk", "submitter", "IR-10")
    second = office.hand_in(clerk, "IR-10", {"training_IR-10.csv": province_files(ISFAHAN)["training_IR-10.csv"]})
    assert second.state == "ready"
    stopped = office.desk.look(office.clerk, first.id)
    assert (stopped.state, stopped.result["stops"]) == ("to_correct", [OF_THE_PROGRAM])


def test_publishing_that_fails_for_a_fault_of_the_program_is_said_and_not_tried_again(office, monkeypatch):
    one = unchecked(office, more_people())
    monkeypatch.setattr(checking, "assemble", faulty)
    assert office.work() == 1
    assert office.work() == 0, "it is not tried again"
    found = publishing.candidate(office.desk)
    assert found
    assert found.refusals == [["", OF_THE_PROGRAM]]
    office.order()
    office.work()
    assert publishing.last_publishing(office.desk)["refusals"] == [["", words("submission_stale")]]
    assert office.desk.records.get(one.id).state == "approved"


def test_the_file_of_an_order_makes_nobody_the_account_of_the_server(office):
    draft = office.desk.open(office.somebody("server:root", "submitter", "IR-07"), "IR-07", LAST)
    office.give(office.somebody("server:root", "steward"), draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    office.desk.records.change(draft.id, ("checking",), lambda one: replace(one, groups=()))
    approved = unchecked(office, more_people(), THIS)
    orders.place(office.desk.root, orders.Order("server:root"))
    office.work()
    assert office.desk.records.get(draft.id).result["stops"] == [words("submission_place")]
    assert office.desk.records.get(approved.id).state == "approved"
    assert "this is for stewards" in str(publishing.last_publishing(office.desk)["refusals"])


def test_a_file_changed_on_the_disk_is_neither_approved_nor_published(office):
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    office.desk.submit(office.clerk, checked.id)
    (file,) = checked.files
    path = originals.original(office.desk.root, checked, file.sha256)
    kept = path.read_bytes()
    path.write_bytes(kept + b"\n")
    with pytest.raises(Exception, match="is not the file that was submitted"):
        office.desk.approve(office.steward, checked.id)
    path.write_bytes(kept)
    office.desk.approve(office.steward, checked.id)
    path.write_bytes(kept + b"\n")
    office.order()
    office.work()
    assert in_service(office, "IR-07") == 30


def test_an_order_of_somebody_without_rights_checks_nothing(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    office.desk.records.change(draft.id, ("checking",), lambda one: one.but(groups=("isfahan",)))
    office.work()
    assert office.desk.look(office.clerk, draft.id).state == "to_correct"


def test_what_approved_submissions_change_together_is_known_before_they_are_published(office):
    def approved(clerk: Person, province: str, files: dict[str, str]) -> Submission:
        checked = office.hand_in(clerk, province, files)
        office.desk.submit(clerk, checked.id)
        return office.desk.approve(office.steward, checked.id)

    def changes() -> Any:
        found = publishing.candidate(office.desk)
        return found and found.changes

    approved(office.clerk, "IR-07", more_people())
    assert changes() is None
    office.work()
    known = changes()
    assert {"province": "", "metric": "in_service", "before": 60.0, "after": 62.0} in known
    name, more = "personnel_IR-10.csv", [person(250_000 + at, "IR-10", "200") for at in range(3)]
    content = with_rows(province_files(ISFAHAN)[name], "personnel", *more)
    second = approved(office.somebody("isfahan.clerk", "submitter", "IR-10"), "IR-10", {name: content})
    assert changes() is None, "it is of others"
    office.work()
    moved = {(one["province"], one["metric"]): (one["before"], one["after"]) for one in changes()}
    assert [moved[place, "in_service"] for place in ("", "IR-07", "IR-10")] == [(60, 65), (30, 32), (30, 33)]
    assert in_service(office, "IR-07") == 30, "nothing is published for that"
    of_second = {change["metric"]: (change["before"], change["after"]) for change in second.result["changes"]}
    assert of_second["in_service"] == (30, 33)
    assert (second.result["others"], second.result["gone"]) == ([], 0), "what is approved before is no move of this one"
    office.desk.give_back(office.steward, second.id, "please look again")
    office.work()
    assert changes() == known, "what went back is not in it"


def unchecked(office: Office, files: dict[str, str], month: str = LAST, province: str = "IR-07") -> Submission:
    """A submission as it is once it is approved."""
    clerk = office.somebody("a.clerk", "submitter", province)
    draft = office.desk.open(clerk, province, month)
    for number, (name, content) in enumerate(files.items(), 1):
        office.give(clerk, draft.id, number, name, content)
    decided = {"state": "approved", "decided_by": "data.steward", "decided_groups": ("stewards",)}
    return office.desk.records.change(draft.id, ("checking",), lambda one: one.but(**decided))


def test_of_two_approved_submissions_of_a_province_the_later_one_counts_where_both_have_a_table(office):
    office.only_rows = True
    files = province_files(FARS)
    both = person(150_000, "IR-07", "100")
    course = row("training", national_id=both["national_id"])
    earlier = {
        PERSONNEL: with_rows(files[PERSONNEL], "personnel", both),
        TRAINING: with_rows(files[TRAINING], "training", course),
    }
    # Other posts: both files together would be two versions of one.
    later = {PERSONNEL: earlier[PERSONNEL].replace("guard", "operator")}
    first = unchecked(office, earlier)
    second = office.hand_in(office.clerk, "IR-07", later)
    assert (second.state, second.result["stops"], second.result["returned"]) == ("ready", [], [])
    office.desk.submit(office.clerk, second.id, confirmed={ident(line): "" for line in second.result["unusual"]})
    office.desk.approve(office.steward, second.id)
    office.order()
    office.work()
    assert [office.desk.records.get(one.id).state for one in (first, second)] == ["published", "published"]
    assert (rows_published(office, PERSONNEL), rows_published(office, TRAINING)) == (31, 31)
    incoming = office.settings.folders.incoming
    accepted = {path.name: path.read_text(encoding="utf-8") for path in incoming.glob("*_IR-07*")}
    assert accepted == files | earlier | later


def test_an_approved_submission_gives_way_to_a_later_one_with_all_its_tables_alone(office, tmp_path, monkeypatch):
    def states(*submissions: Submission) -> list[str]:
        for one in submissions:
            office.desk.records.change(one.id, ("approved",), lambda now: now.but(state="submitted"))
        for one in submissions:
            office.desk.approve(office.steward, one.id)
        return [office.desk.records.get(one.id).state for one in submissions]

    both = unchecked(office, {PERSONNEL: more_people()[PERSONNEL], TRAINING: province_files(FARS)[TRAINING]})
    part = unchecked(office, {TRAINING: province_files(FARS, 31)[TRAINING]})
    office.desk.records.change(part.id, ("approved",), lambda now: now.but(unchanged={"personnel": ("fars.clerk", 0)}))
    assert states(both, part) == ["approved", "approved"], "what is said to be unchanged takes no file away"
    assert states(part, both) == ["approved", "approved"], "the earlier one may be approved later"
    whole = unchecked(office, province_files(FARS, 32))
    assert states(both, part, whole) == ["superseded", "superseded", "approved"]

    def assembled(_: object, submissions: list[Submission], __: Path) -> None:
        raise Refused(" ".join(one.id for one in submissions))

    monkeypatch.setattr(checking, "assemble", assembled)
    for at, (one, counted) in enumerate(((part, f"{both.id} {part.id}"), (whole, whole.id))):
        (tmp_path / str(at)).mkdir()
        assert checking.whole(office.desk, one, [both], tmp_path / str(at), lambda _: None)["stops"] == [counted]


@pytest.mark.parametrize("state", ["approved", "published"])
def test_a_table_of_which_a_later_month_is_accepted_stops_and_replaces_nothing(office, tmp_path, state):
    later = unchecked(office, {PERSONNEL: more_people()[PERSONNEL]}, THIS)
    one = unchecked(office, {PERSONNEL: more_people(3)[PERSONNEL], TRAINING: province_files(FARS, 31)[TRAINING]})
    office.desk.records.change(later.id, ("approved",), lambda now: now.but(state=state))
    stops = checking.whole(office.desk, one, office.desk.records.all("approved"), tmp_path, lambda _: None)["stops"]
    assert stops == [words("handed_in_outdated", **named_tables(["personnel"]))]
    # Checked before the later one was accepted.
    (tmp_path / "publish").mkdir()
    made = checking.assemble(office.desk, office.desk.records.all("approved"), tmp_path / "publish")
    assert made.names.get((one.id, 1)) is None
    assert made.names[one.id, 2] == TRAINING
    assert {*made.replaced} == {TRAINING} | ({PERSONNEL} if state == "approved" else set())


def test_an_accepted_workbook_is_not_replaced_without_a_table_that_is_declared_unchanged(office, tmp_path, monkeypatch):
    loaded = [(PERSONNEL, table, "IR-07") for table in ("personnel", "training")]
    monkeypatch.setattr(publications, "rows_of", lambda *_: loaded)
    one = unchecked(office, {PERSONNEL: more_people()[PERSONNEL]})
    with pytest.raises(Refused, match=f"^{PERSONNEL}: the accepted file also holds training"):
        checking.assemble(office.desk, [replace(one, unchanged={"training": ("fars.clerk", 0.0)})], tmp_path)


def test_a_file_of_which_a_later_month_has_a_table_does_not_count_for_the_others_either(office, tmp_path):
    first = unchecked(office, {PERSONNEL: more_people()[PERSONNEL]})
    book = replace(first.files[0], table="personnel training")
    second = unchecked(office, {PERSONNEL: more_people(3)[PERSONNEL]}, THIS)
    with pytest.raises(Refused, match=f"^{PERSONNEL}: the accepted file also holds training"):
        checking.assemble(office.desk, [replace(first, files=(book,)), second], tmp_path)
    (tmp_path / "check").mkdir()
    isfahan = replace(second, id="IR-10-1", province="IR-10")
    others = [replace(first, files=(book,)), second]
    (stop,) = checking.whole(office.desk, isfahan, others, tmp_path / "check", lambda _: None)["stops"]
    assert PERSONNEL not in stop, "no other province reads its name"


def test_what_would_be_refused_is_known_before_it_is_published(office):
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    office.desk.submit(office.clerk, checked.id)
    approved = office.desk.approve(office.steward, checked.id)
    (file,) = approved.files
    originals.original(office.desk.root, approved, file.sha256).write_text("another file", encoding="utf-8")
    office.work()
    found = publishing.candidate(office.desk)
    assert found
    ((_, refusal),) = found.refusals
    assert PERSONNEL in refusal


def test_what_was_shown_is_what_is_published_byte_for_byte_and_nothing_is_built_for_that(office, monkeypatch):
    office.only_rows = True
    builds: list[bool] = []
    built = pipeline._built
    monkeypatch.setattr(
        pipeline, "_built", lambda *given, **more: (builds.append(more["publishes"]), built(*given, **more))[1]
    )
    one = office.hand_in(office.clerk, "IR-07", more_people())
    office.desk.submit(office.clerk, one.id)
    office.desk.approve(office.steward, one.id)
    before = len(builds)
    office.work()
    found = publishing.candidate(office.desk)
    assert found
    shown = sha256(publishing.file_of(office.desk))
    office.desk.publish(office.steward, found.digest)
    office.work()
    assert sha256(publications.current(office.settings.folders.warehouse)) == shown == found.digest
    assert builds[before:] == [True], "one build after it was approved"
    assert not publishing.file_of(office.desk).exists()


@pytest.mark.parametrize("what", ["ledger", "reference", "day", "file"])
def test_a_stale_candidate_is_not_published_and_built_again(office, monkeypatch, what):
    office.only_rows = True
    one = unchecked(office, more_people())
    office.order()
    if what == "ledger":
        unchecked(office, {"personnel_IR-10.csv": province_files(ISFAHAN, 31)["personnel_IR-10.csv"]}, LAST, "IR-10")
    elif what == "reference":
        put(office.settings.folders.incoming, "events.csv", (REFERENCE / "events.csv").read_bytes())
    elif what == "day":
        tomorrow = date.today() + timedelta(days=1)
        day = type("Tomorrow", (date,), {"today": classmethod(lambda _: tomorrow)})
        monkeypatch.setattr(publishing, "date", day)
    else:
        file = publishing.file_of(office.desk)
        file.write_bytes(file.read_bytes() + b" ")
    office.work()
    told = publishing.last_publishing(office.desk)
    assert (told["state"], told["refusals"]) == ("refused", [["", words("submission_stale")]])
    assert office.desk.records.get(one.id).state == "approved"
    if what != "file":
        found = publishing.candidate(office.desk)
        assert found, "it is built anew"
        assert found.digest


def test_an_order_to_publish_what_is_published_already_is_no_refusal(office):
    office.only_rows = True
    unchecked(office, more_people())
    office.order()
    found = publishing.candidate(office.desk)
    assert found
    office.desk.publish(office.steward, found.digest)
    office.work()
    told = publishing.last_publishing(office.desk)
    assert (told["state"], told["publication"]) == ("published", "000002")


@pytest.mark.parametrize("at", range(1, 9))
def test_what_was_killed_after_it_was_shown_is_finished_by_the_next_worker(office, monkeypatch, at):
    """Before each of the writes that accept the files."""
    office.only_rows = True
    one = unchecked(office, province_files(FARS, 31))
    office.order()
    writes = iter(range(1, 100))
    for name in ("replace_text", "replacing", "_keep_replaced"):
        kept = getattr(publishing, name)

        def dying(*given: Any, kept: Any = kept, **more: Any) -> Any:
            if len(accepting) and next(writes) == at:
                raise KeyboardInterrupt
            return kept(*given, **more)

        monkeypatch.setattr(publishing, name, dying)
    accepting: list[int] = []
    accept = publishing._accept
    monkeypatch.setattr(publishing, "_accept", lambda *given: (accepting.append(1), accept(*given))[1])
    with pytest.raises(KeyboardInterrupt):
        office.work()
    monkeypatch.setattr(publishing, "_accept", accept)
    accepting.clear()
    office.work()
    told = publishing.last_publishing(office.desk)
    assert (told["state"], told["publication"]) == ("published", "000002")
    done = office.desk.records.get(one.id)
    assert (done.state, done.publication) == ("published", "000002")
    assert len(publications.versions(office.settings.folders.warehouse)) == 2, "it is not published twice"
    incoming = office.settings.folders.incoming
    accepted = {path.name: path.read_text(encoding="utf-8") for path in incoming.glob("*_IR-07*")}
    assert accepted == province_files(FARS, 31)


# ---------------------------------------------------------------- undoing


def given(office: Office) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in office.settings.folders.incoming.glob("*.csv")}


def published(office: Office, files: dict[str, str], month: str = LAST) -> Submission:
    one = unchecked(office, files, month)
    office.order()
    office.work()
    return office.desk.records.get(one.id)


@pytest.mark.parametrize("how", ["command", "page"])
def test_after_an_undo_the_next_build_does_not_bring_the_file_back(office, how):
    """As the operator did: a publication is undone, and the build of the night runs."""
    office.only_rows = True
    before = given(office)
    bad = published(office, {PERSONNEL: province_files(FARS, 20)[PERSONNEL]})
    assert (bad.state, bad.publication) == ("published", "000002")
    if how == "page":
        with pytest.raises(Declined, match="this is for stewards"):
            office.desk.undo(office.clerk, "000001", "the file was last year's")
        office.desk.undo(office.steward, "000001", "the file was last year's")
        office.work()
        assert publishing.last_publishing(office.desk)["state"] == "undone"
    else:
        publishing.undo(office.desk, "", "server:root", "the file was last year's", lambda _: None)
    assert publications.current(office.settings.folders.warehouse).stem == "000001"
    gone = office.desk.records.get(bad.id)
    assert (gone.state, gone.why, gone.publication) == ("returned", "the file was last year's", "")
    assert given(office) == before
    nightly = load(office.settings.folders.incoming, to=office.settings.folders.warehouse)
    assert nightly.code == 0
    assert rows_published(office, PERSONNEL) == 30


def test_undoing_two_publications_brings_back_the_files_before_both(office):
    office.only_rows = True
    before = given(office)
    first = published(office, {PERSONNEL: province_files(FARS, 31)[PERSONNEL]})
    second = published(
        office, {PERSONNEL: province_files(FARS, 32)[PERSONNEL], TRAINING: province_files(FARS, 32)[TRAINING]}
    )
    assert [office.desk.records.get(one.id).state for one in (first, second)] == ["superseded", "published"]
    publishing.undo(office.desk, "000002", "server:root", "no", lambda _: None)
    assert [office.desk.records.get(one.id).state for one in (first, second)] == ["published", "returned"]
    assert given(office) == before | {PERSONNEL: province_files(FARS, 31)[PERSONNEL]}
    publishing.undo(office.desk, "000001", "server:root", "", lambda _: None)
    assert [office.desk.records.get(one.id).state for one in (first, second)] == ["returned", "returned"]
    assert "publication 000002 was undone" in office.desk.records.get(first.id).why
    assert given(office) == before


def test_an_undo_while_a_build_runs_is_refused_and_changes_nothing(office):
    office.only_rows = True
    one = published(office, more_people())
    before = given(office)
    with publications.building(office.settings.folders.warehouse), pytest.raises(Busy):
        publishing.undo(office.desk, "", "server:root", "no", lambda _: None)
    assert (office.desk.records.get(one.id).state, given(office)) == ("published", before)


def test_what_is_being_published_goes_back_to_nobody(office):
    office.only_rows = True
    one = unchecked(office, more_people())
    office.order()
    with pytest.raises(Declined, match="is being published"):
        office.desk.give_back(office.steward, one.id, "please look again")
    assert (office.desk.records.get(one.id).state, {event for _, event, _ in office.notes}) == (
        "approved",
        {"draft_changed"},
    )


def test_what_goes_back_once_it_is_shown_keeps_no_other_from_being_published(office, monkeypatch):
    office.only_rows = True
    first = unchecked(office, more_people())
    second = unchecked(
        office, {"personnel_IR-10.csv": province_files(ISFAHAN, 31)["personnel_IR-10.csv"]}, LAST, "IR-10"
    )
    accept = publishing._accept

    def accepting(*arguments: Any) -> None:
        # By the command, which no order tells of.
        office.desk.records.change(first.id, ("approved",), lambda one: one.but(state="returned"))
        with pytest.raises(Busy), publications.building(office.settings.folders.warehouse):
            pytest.fail("another build reads files of which some are accepted")
        accept(*arguments)

    office.order()
    monkeypatch.setattr(publishing, "_accept", accepting)
    office.work()
    assert [office.desk.records.get(one.id).state for one in (first, second)] == ["returned", "published"]
    told = publishing.last_publishing(office.desk)
    assert (told["state"], told["publication"]) == ("published", "000002")


def test_what_a_kill_left_beside_accepted_files_is_removed(office):
    left = office.settings.folders.incoming / f".{PERSONNEL}.4711.next"
    left.write_text("half a file", encoding="utf-8")
    office.work()
    assert not left.exists()


def test_another_province_is_not_there(office):
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    stranger = office.somebody("isfahan.clerk", "submitter", "IR-10")
    for step in (
        lambda: office.desk.look(stranger, checked.id),
        lambda: office.desk.receive(stranger, checked.id, 1, "personnel.csv", 10),
        lambda: office.desk.submit(stranger, checked.id),
        lambda: office.desk.withdraw(stranger, checked.id),
        lambda: office.desk.approve(stranger, checked.id),
        lambda: office.desk.look(stranger, "IR-07-1405-01-99"),
    ):
        with pytest.raises(Declined) as refused:
            step()
        assert (refused.value.status, str(refused.value)[:22]) == (404, "there is no such submi")
    assert office.desk.visible(stranger) == []


def test_of_withdrawing_and_approving_one_wins(office):
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    office.desk.submit(office.clerk, checked.id)
    office.desk.withdraw(office.clerk, checked.id)
    with pytest.raises(Declined, match="withdrawn"):
        office.desk.approve(office.steward, checked.id)
    noted = [event for _, event, _ in office.notes if event != "draft_changed"]
    assert noted == ["file_submitted", "submission_withdrawn"]


def test_a_step_that_cannot_be_logged_is_not_taken(office):
    def full(*_: object, **__: object) -> None:
        raise OSError("the audit log is full")

    checked = office.hand_in(office.clerk, "IR-07", more_people())
    unlogged = type(office.clerk)(office.clerk.sub, office.clerk.scope, full, office.clerk.groups)
    with pytest.raises(OSError, match="full"):
        office.desk.submit(unlogged, checked.id)
    assert office.desk.look(office.clerk, checked.id).state == "ready"


def test_tables_without_change_are_declared(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    done = office.desk.declare_unchanged(office.clerk, draft.id, ["training", "licences"])
    assert done.state == "ready"
    assert office.desk.tables(done) == {
        "institutes": "missing", "licences": "no_change", "personnel": "missing", "training": "no_change",
    }  # fmt: skip
    assert done.unchanged["training"][0] == "fars.clerk"


def test_originals_are_for_their_owner_alone(office):
    checked = office.hand_in(office.clerk, "IR-07", more_people())
    folder = originals.folder_of(office.desk.root, checked)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    for each in (office.desk.root, folder.parent, folder):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700
    (file,) = checked.files
    assert hashlib.sha256((folder / file.sha256).read_bytes()).hexdigest() == file.sha256


@pytest.mark.parametrize(
    ("name", "length", "status"),
    [
        ("../../etc/passwd.csv", 10, 400),
        (".hidden.csv", 10, 400),
        ("a\u202eb.csv", 10, 400),
        ("x" * 130 + ".csv", 10, 400),
        ("sources.toml", 10, 415),
        ("Calendar.CSV", 10, 415),
        ("SAMPLE.txt", 10, 415),
        ("handed-in.json", 10, 415),
        ("letter.docx", 10, 415),
        ("personnel.csv", 0, 422),
        ("personnel.csv", None, 411),
        ("personnel.csv", 300 << 20, 413),
    ],
)
def test_what_cannot_be_taken_is_refused_before_the_first_byte(office, name, length, status):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    with pytest.raises(Declined) as refused:
        office.desk.receive(office.clerk, draft.id, 1, name, length)
    assert refused.value.status == status
    assert " · " in str(refused.value)
    assert not originals.folder_of(office.desk.root, draft).exists()


def test_a_file_that_breaks_off_is_not_listed(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    received = office.desk.receive(office.clerk, draft.id, 1, "personnel.csv", 100)
    received.write(b"x" * 90)
    with pytest.raises(Declined, match="did not arrive whole"):
        office.desk.keep(office.clerk, draft.id, 1, received)
    received.close()
    assert office.desk.look(office.clerk, draft.id).files == ()
    assert list(originals.folder_of(office.desk.root, draft).iterdir()) == []


def test_a_full_disk_refuses_before_the_first_byte(office, monkeypatch):
    usage = type("Usage", (), {"free": 150})
    monkeypatch.setattr(originals.shutil, "disk_usage", lambda _: usage)
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    with pytest.raises(Declined) as refused:
        office.desk.receive(office.clerk, draft.id, 1, "personnel.csv", 100)
    assert refused.value.status == 507


def test_one_file_twice_is_refused(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, "a")
    with pytest.raises(Declined, match="in the submission already"):
        office.give(office.clerk, draft.id, 2, "copy.csv", "a")
    assert office.give(office.clerk, draft.id, 1, PERSONNEL, "a").files[0].number == 1, "sent again, it replaces itself"


def test_two_clerks_at_once_are_told_of_each_other(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, "a")
    other = office.somebody("fars.other", "submitter", "IR-07")
    with pytest.raises(Declined, match=r"fars\.clerk is working on this"):
        office.desk.open(other, "IR-07", LAST)


def test_a_later_draft_replaces_the_earlier_one_whole(office):
    first = office.hand_in(office.clerk, "IR-07", more_people())
    second = office.desk.open(office.clerk, "IR-07", LAST)
    assert second.files == ()
    assert office.desk.look(office.clerk, first.id).state == "withdrawn"
    assert not originals.folder_of(office.desk.root, first).exists()


def test_the_file_that_was_accepted_is_recognised(office):
    office.only_rows = True
    checked = office.hand_in(office.clerk, "IR-07", {PERSONNEL: province_files(FARS)[PERSONNEL]})
    (sentence,) = checked.result["confirm"]
    assert "this is the file that was accepted on" in sentence


def test_a_file_of_any_name_is_recognised_by_its_headers(office):
    office.only_rows = True
    checked = office.hand_in(office.clerk, "IR-07", {"staff.csv": more_people()[PERSONNEL]})
    assert checked.state == "ready"
    assert office.desk.tables(checked)["personnel"] in ("in", "late")


def test_a_file_in_which_nothing_is_new_is_asked_about(office):
    new = office.hand_in(office.clerk, "IR-07", more_people())
    assert new.result["confirm"] == [], "new rows are enough"
    # The same rows in another order: the bytes are others, the data are not.
    head, *lines = province_files(FARS)[PERSONNEL].splitlines()
    checked = office.hand_in(office.clerk, "IR-07", {PERSONNEL: "\n".join([head, *reversed(lines)]) + "\n"})
    (sentence,) = checked.result["confirm"]
    assert "check that it is not last month's file" in sentence
    assert "مطمئن شوید که فایل ماه پیش نیست" in sentence


def test_a_check_is_stopped_and_taken_up_again(office):
    office.only_rows = True
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    stopped = office.desk.stop(office.clerk, draft.id)
    assert (stopped.state, len(stopped.files)) == ("draft", 1)
    assert office.work() == 0, "no order is left"
    assert office.desk.submit(office.clerk, draft.id).state == "checking", "nothing is submitted unchecked"
    office.desk.stop(office.clerk, draft.id)
    office.desk.check(office.clerk, draft.id)
    office.work()
    assert office.desk.look(office.clerk, draft.id).state == "ready", "who stopped it did not ask to submit it"


def test_a_check_that_runs_stops_at_its_next_step(office, monkeypatch):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    whole, steps = work.checking.whole, []

    def stopping(desk, one, others, folder, say, candidate):
        def stop_at_second(step: str) -> None:
            steps.append(step)
            if len(steps) == 2:
                office.desk.stop(office.clerk, draft.id)
            say(step)

        return whole(desk, one, others, folder, stop_at_second, candidate)

    monkeypatch.setattr(work.checking, "whole", stopping)
    office.work()
    assert len(steps) == 2
    assert office.desk.look(office.clerk, draft.id).state == "draft"


def test_a_check_does_not_replace_a_lost_key(office, tmp_path, monkeypatch):
    monkeypatch.delenv("IDENTITY_KEY", raising=False)
    monkeypatch.setenv("IDENTITY_KEY_FILE", str(tmp_path / "identity.key"))
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    office.work()
    assert office.desk.look(office.clerk, draft.id).state == "to_correct"
    assert not (tmp_path / "identity.key").exists()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exit 0", ""),
        ('grep -q EVIL "$1" && exit 1; exit 0', f"{PERSONNEL}: the virus scanner refuses it"),
        ("echo password of the scanner; exit 2", f"{PERSONNEL}: the virus scanner did not answer (exit 2)"),
        (None, f"{PERSONNEL}: the virus scanner did not answer (No such file or directory)"),
    ],
)
def test_each_file_goes_through_the_scanner_before_it_is_read(office, tmp_path, monkeypatch, script, sentence):
    office.only_rows = True
    program = tmp_path / "scanner"
    if script:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    office.settings = replace(office.settings, submission=settings.Submission(scanner=str(program)))
    if sentence:
        monkeypatch.setattr(work.checking, "read_alone", lambda *_: pytest.fail("it was read"))
    content = more_people()[PERSONNEL] + ("# EVIL\n" if sentence else "")
    checked = office.hand_in(office.clerk, "IR-07", {PERSONNEL: content})
    if not sentence:
        assert checked.state == "ready"
        return
    (stop,) = checked.result["stops"]
    assert stop.startswith(sentence)
    assert "ویروس‌یاب" in stop
    assert "password" not in stop
    assert checked.state == "to_correct"
    monkeypatch.undo()
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    assert office.desk.check(office.clerk, checked.id).state == "checking", "once it answers, it is checked again"


@pytest.mark.parametrize(
    ("state", "days", "stays"),
    [("published", 399, True), ("published", 401, False), ("returned", 401, False), ("submitted", 401, True)],
)
def test_files_are_deleted_after_the_days_of_the_settings_and_their_record_stays(office, state, days, stays):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    at = time.time() - days * 86_400
    office.desk.records.change(draft.id, ("checking",), lambda one: replace(one, state=state, changed_at=at))
    office.work()
    kept = office.desk.records.get(draft.id)
    assert originals.folder_of(office.desk.root, kept).exists() == stays
    assert (kept.state, [file.name for file in kept.files]) == (state, [PERSONNEL])


def test_a_draft_that_somebody_goes_on_with_while_old_ones_are_deleted_keeps_its_files(office, monkeypatch):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    office.desk.stop(office.clerk, draft.id)
    now, uploads = time.time() + 25 * 3600, iter([more_people(3)[PERSONNEL]])
    monkeypatch.setattr(work.time, "time", lambda: now)

    def upload(*_: object) -> None:
        office.give(office.clerk, draft.id, 1, PERSONNEL, next(uploads))

    monkeypatch.setattr(originals, "remove_unlisted", upload)
    work.clean(office.desk)
    kept = office.desk.records.get(draft.id)
    assert kept.state == "checking"
    originals.verify(office.desk.root, kept)


def test_files_that_no_record_names_are_deleted_after_the_days_of_the_settings(office):
    one = unchecked(office, more_people())
    folders = {days: originals.folder_of(office.desk.root, replace(one, id=f"IR-07-{days}")) for days in (399, 401)}
    for days, folder in folders.items():
        folder.mkdir()
        (folder / "rows.json").touch()
        at = time.time() - days * 86_400
        os.utime(folder, (at, at))
    os.utime(originals.folder_of(office.desk.root, one), (0, 0))
    work.clean(office.desk)
    assert sorted(path.name for path in folders[399].parent.iterdir()) == sorted([one.id, "IR-07-399"])


def test_an_empty_draft_of_the_own_is_opened_again_and_old_months_are_refused(office):
    first = office.desk.open(office.clerk, "IR-07", LAST)
    assert office.desk.open(office.clerk, "IR-07", LAST).id == first.id
    other = office.somebody("fars.other", "submitter", "IR-07")
    assert office.desk.open(other, "IR-07", LAST).id != first.id, "another's is replaced"
    second = office.desk.open(office.clerk, "IR-07", LAST)
    office.desk.declare_unchanged(office.clerk, second.id, ["training"])
    assert office.desk.open(office.clerk, "IR-07", LAST).id != second.id, "one with something in it is replaced"
    months = deadline.months_ended(date.today(), steps.MOST_MONTHS + 1)
    assert office.desk.open(office.clerk, "IR-07", months[1]).month == months[1]
    for old in (months[0], "1390-01"):
        with pytest.raises(Declined, match="one of the last 24 months"):
            office.desk.open(office.clerk, "IR-07", old)


def test_of_words_for_a_submission_those_about_it_alone_are_kept(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.desk.declare_unchanged(office.clerk, draft.id, ["training"])
    words = {"in_service": "a" * 5000, **{f"x{at}": "y" for at in range(500)}}
    kept = office.desk.submit(office.clerk, draft.id, words, words)
    assert {name: len(why) for name, why in kept.reasons.items()} == {"in_service": 1000}
    assert kept.confirmed == {}


def test_words_for_what_is_still_checked_do_not_grow(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    for turn in range(3):
        said = {f"{turn} {at}": "y" for at in range(50)} | {"z" * 2000: "y"}
        kept = office.desk.submit(office.clerk, draft.id, said, said)
    assert (kept.state, kept.reasons, len(kept.confirmed)) == ("checking", {}, 8)


@pytest.mark.parametrize(("limit", "sentence"), [("MOST_OF_DRAFT", "a submission"), ("MOST_OF_PROVINCE", "a province")])
def test_files_under_way_count_for_the_limits(office, monkeypatch, limit, sentence):
    monkeypatch.setattr(originals, limit, 250)
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    under_way = [office.desk.receive(office.clerk, draft.id, number, "personnel.csv", 100) for number in (1, 2)]
    with pytest.raises(Declined, match=sentence):
        office.desk.receive(office.clerk, draft.id, 3, "personnel.csv", 100)
    under_way.pop().close()
    under_way.append(office.desk.receive(office.clerk, draft.id, 3, "personnel.csv", 100))
    for received in under_way:
        received.close()
    assert not [*originals.folder_of(office.desk.root, draft).iterdir()]
