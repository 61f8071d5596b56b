"""The submissions of a sample: two provinces late, one with its data back, and the rest as they were published."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date

import pytest

from etl.core import settings
from etl.submissions import arrivals, deadline, originals, sample, work
from tests.loading import load
from tests.submissions.conftest import Office

pytestmark = pytest.mark.slow


def test_a_sample_holds_two_late_provinces_and_one_with_its_data_back(small_register, tmp_path, monkeypatch):
    monkeypatch.setattr("etl.submissions.work.note", lambda *_, **__: None)
    monkeypatch.setattr("etl.submissions.work.SETTLED_SECONDS", 0.0)
    folders = settings.Folders(
        warehouse=tmp_path / "warehouse" / "warehouse.duckdb",
        incoming=tmp_path / "incoming",
        submissions=tmp_path / "submissions",
    )
    folders.warehouse.parent.mkdir()
    current = settings.Settings(folders=folders)
    shutil.copytree(small_register.parent / "in", folders.incoming)
    desk = work.desk_of(current)
    assert sample.make(desk, folders.incoming)
    assert not sample.make(desk, folders.incoming), "what is there stays"
    assert load(folders.incoming, to=folders.warehouse, day=date.today()).code == 0
    assert Office(current, only_rows=True).work() == 1
    months = deadline.months_due(date.today(), desk.rules, sample.MONTHS)
    last = [one for one in desk.records.all() if one.month == months[-1]]
    by_state = {state: [one for one in last if one.state == state] for state in ("published", "returned", "submitted")}
    assert [len(found) for found in by_state.values()] == [28, 1, 1], [one.state for one in last]
    (late,), (returned,) = by_state["submitted"], by_state["returned"]
    assert sorted(desk.tables(late).values()) == ["late", "missing", "missing", "missing"]
    assert late.result["files"][0]["rows_loaded"] > 0, "the whole check went over it"
    assert returned.why
    originals.verify(desk.root, late)
    assert {state for one in by_state["published"] for state in desk.tables(one).values()} <= {"in", "no_change"}
    earlier = {state for one in desk.records.all() if one.month != months[-1] for state in desk.tables(one).values()}
    assert earlier == {"in", "no_change", "late"}
    superseded = replace(by_state["published"][0], state="superseded")
    assert arrivals.counts(superseded), "a correction of one table makes no other table missing"
    given = {file.sha256 for one in by_state["published"] for file in one.files}
    assert all((folders.incoming / file.name).exists() for one in by_state["published"] for file in one.files)
    assert len(given) == 28 * 4
