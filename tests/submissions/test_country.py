"""Provinces of a sample hand in over HTTP: what comes back is as `etl check` says, what is published as `etl build` makes it."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from etl.core import settings
from etl.core.files import sha256
from etl.extract.source_folder import HANDED_IN
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import publishing, sample
from etl.submissions.desk import Person
from etl.warehouse import publications
from tests.effort import draws
from tests.loading import build, load
from tests.oracle.read import READERS
from tests.submissions.conftest import LAST, Office
from tests.submissions.machine import Machine

pytestmark = pytest.mark.slow
COUNTED = ("rows_read", "rows_loaded", "rows_quarantined", "exact_duplicates", "rows_warned")
# What tells when and from which place a publication was built.
OF_ITS_BUILD = {"publication", "load_files"}


@pytest.fixture
def country(small_register: Path, tmp_path: Path) -> tuple[Office, dict[str, list[Path]]]:
    """An installation where nothing is accepted yet, and the files of a made-up country by province."""
    folders = settings.Folders(
        warehouse=tmp_path / "warehouse" / "warehouse.duckdb",
        incoming=tmp_path / "incoming",
        submissions=tmp_path / "submissions",
        audit=tmp_path / "audit",
    )
    folders.warehouse.parent.mkdir()
    folders.incoming.mkdir()
    files = sample._files(small_register.parent / "in")
    provinces = sorted(files)[:: max(1, len(files) // draws(2, 31))][: draws(2, 31)]
    return Office(replace(settings.Settings(), folders=folders)), {code: files[code] for code in provinces}


def test_what_provinces_hand_in_comes_back_and_is_published_as_check_and_build_say(country, tmp_path):
    office, files = country
    machine = Machine(office)
    machine.start_web()
    try:
        with machine.client as client:
            client.timeout = httpx.Timeout(120)
            ids = {province: handed_in(client, province, given) for province, given in files.items()}
            machine.start_worker()
            shown = {province: until_checked(machine, client, ident) for province, ident in ids.items()}
            for province, found in shown.items():
                assert found["state"] == "submitted", found["stops"]
                assert counts(found["files"]) == checked_alone(office, tmp_path / province, province, files[province])
                refuse_values(files[province], json.dumps(found, ensure_ascii=False))
            alone = Person("server:root", ADMINISTRATOR, is_alone=True)
            for ident in ids.values():
                assert office.desk.approve(alone, ident).state == "approved"
            machine.worker = machine.worker and (machine.worker.wait(600), None)[1]
            machine.start_worker()
            machine.worker = machine.worker and (machine.worker.wait(600), None)[1]
            shown_before = publishing.candidate(office.desk)
            assert shown_before
            assert shown_before.digest, shown_before.refusals
            office.desk.publish(alone, shown_before.digest)
            machine.start_worker()
            for ident in ids.values():
                assert until_checked(machine, client, ident, "approved")["state"] == "published"
            assert sha256(publications.current(office.settings.folders.warehouse)) == shown_before.digest
    finally:
        machine.kill("web")
        machine.kill("worker")
    again = build(office.settings.folders.incoming, "--skip-refused", day=date.today(), to=tmp_path / "again.duckdb")
    assert again.code == 0, again.err
    there, here = (
        content(publications.comparable(pointer))
        for pointer in (tmp_path / "again.duckdb", office.settings.folders.warehouse)
    )
    assert there.keys() == here.keys()
    assert {name: [*(here[name] - there[name])][:2] for name in here if here[name] != there[name]} == {}
    assert sum(here["load_files"].values()) == 4 * len(files)


def handed_in(client: httpx.Client, province: str, given: list[Path]) -> str:
    ident = str(client.post("/hand-in", json={"province": province, "month": LAST}).json()["draft"])
    for number, path in enumerate(given, 1):
        answer = client.put(f"/hand-in/{ident}/{number}", params={"name": path.name}, content=path.read_bytes())
        assert answer.status_code == 204, answer.text
    assert client.post(f"/hand-in/{ident}/submit").status_code == 202
    return ident


def until_checked(machine: Machine, client: httpx.Client, ident: str, state: str = "checking") -> dict[str, Any]:
    end = time.monotonic() + 900
    while time.monotonic() < end:
        machine.start_worker()
        shown: dict[str, Any] = client.get(f"/hand-in/{ident}").json()
        if shown["state"] != state:
            return shown
        time.sleep(0.5)
    raise AssertionError(f"{ident} stays {state}")


def counts(entries: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {entry["file"]: tuple(entry[name] for name in COUNTED) for entry in entries}


def checked_alone(office: Office, folder: Path, province: str, given: list[Path]) -> dict[str, tuple[int, ...]]:
    """The counts of `etl check` over a folder that holds the files of one province alone."""
    folder.mkdir()
    for path in given:
        (folder / path.name).symlink_to(path)
    owners = {path.name: province for path in given}
    (folder / HANDED_IN).write_text(json.dumps(owners), encoding="utf-8")
    ended = load(folder, "--skip-refused", to=office.settings.folders.warehouse, day=date.today(), command="check")
    assert ended.code == 0, ended.err
    return counts(ended.report["files"])


def refuse_values(given: list[Path], told: str) -> None:
    """No national id, name or surname of the files is in an answer."""
    for path in given:
        if path.name.startswith("personnel"):
            for record in READERS[path.suffix]("personnel", path):
                values = [str(record.cells.get(name) or "") for name in ("national_id", "first_name", "last_name")]
                assert not [value for value in values if len(value) > 4 and value in told]


def content(path: Path | None) -> dict[str, Counter[Any]]:
    """The rows of every table of a publication."""
    assert path
    with duckdb.connect(str(path), read_only=True) as con:
        names = [
            name for (name,) in con.execute("select table_name from duckdb_tables() where not internal").fetchall()
        ]
        found = {
            name: Counter(map(repr, con.execute(f'select * from "{name}"').fetchall()))
            for name in names
            if name not in OF_ITS_BUILD
        }
        found["load_files"] = Counter(
            map(
                repr,
                con.execute("select file, source_table, province, rows_read, rows_loaded from load_files").fetchall(),
            )
        )
    return found
