"""The address of submissions: the routes and states of a file's way over HTTP, and what they refuse to whom."""

from __future__ import annotations

import io
import random
import time
from typing import Any

import openpyxl
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from etl.extract.causes import FSI, PDI
from etl.operations import audit
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import originals
from etl.submissions.desk import Person
from etl.submissions.refusals import Declined
from tests.access.gated import cookie
from tests.effort import draws
from tests.submissions.conftest import ACCESS, FARS, ISFAHAN, LAST, PEOPLE, SITE, person, province_files, with_rows
from tests.submissions.test_way import PERSONNEL, more_people, rows_published
from ui.data import submissions
from ui.shell import hand_in_address, people

pytestmark = pytest.mark.slow


def test_a_file_goes_its_way_over_http(site):
    ident = site.draft()
    assert site.sent("fars.clerk", "GET", f"/{ident}").json()["state"] == "draft"
    (content,) = more_people().values()
    assert site.put(ident, 1, PERSONNEL, content).status_code == 204
    shown = site.sent("fars.clerk", "GET", f"/{ident}").json()
    assert (shown["state"], shown["queue"]) == ("checking", 1)
    site.office.work()
    shown = site.sent("fars.clerk", "GET", f"/{ident}").json()
    assert shown["state"] == "ready"
    assert shown["tables"]["training"] == "missing"
    assert shown["tables"]["personnel"] in ("in", "late")
    assert [file["rows_loaded"] for file in shown["files"]] == [32]
    assert {"metric": "in_service", "before": 30, "after": 32} in shown["changes"]
    assert site.sent("fars.clerk", "POST", f"/{ident}/submit").json() == {"state": "submitted"}
    for step in ("approve", "publish", "return", "withdraw", "unchanged"):
        assert site.sent("data.steward", "POST", f"/{ident}/{step}").status_code == 404, "the page takes its own way"
    site.office.desk.approve(site.office.steward, ident)
    site.office.only_rows = True
    site.office.order()
    site.office.work()
    assert site.sent("data.steward", "GET", f"/{ident}").json()["state"] == "published"
    assert rows_published(site.office, PERSONNEL) == 32
    events = [(event.sub, event.event) for event in audit.events(people.audit_folder())]
    assert [pair for pair in events if pair[1] != "sign_in"] == [
        ("fars.clerk", "file_submitted"),
        ("fars.clerk", "draft_changed"),
        ("fars.clerk", "draft_changed"),
    ]


def test_a_returned_submission_is_corrected_and_submitted_again(site):
    ident = site.office.hand_in(site.office.clerk, "IR-07", more_people()).id
    site.sent("fars.clerk", "POST", f"/{ident}/submit")
    with pytest.raises(Declined):
        site.office.desk.give_back(site.office.steward, ident, "")
    site.office.desk.give_back(site.office.steward, ident, "the hours of Mehr are missing")
    assert site.sent("fars.clerk", "GET", f"/{ident}").json()["reason"] == "the hours of Mehr are missing"
    (more,) = more_people(3).values()
    assert site.put(ident, 1, PERSONNEL, more).status_code == 204
    site.office.only_rows = True
    site.office.work()
    assert site.sent("fars.clerk", "POST", f"/{ident}/submit").json() == {"state": "submitted"}


def test_what_is_of_another_province_looks_like_nothing(site):
    """Reading, replacing, submitting and approving, in any order: each answer is that for an id that never was."""
    ident = site.draft()
    (content,) = more_people().values()
    site.put(ident, 1, PERSONNEL, content)
    before = site.office.desk.records.get(ident)
    rng, tries = random.Random(7), draws(60, 1000)
    for _ in range(tries):
        method, path, more = rng.choice(
            [
                ("GET", "", {}),
                ("GET", "/rows.xlsx", {}),
                ("PUT", f"/{rng.randint(1, 100)}", {"params": {"name": "personnel.csv"}, "content": b"a"}),
                *(("POST", f"/{step}", {"json": {"reasons": {}}}) for step in ("submit", "check", "stop")),
            ]
        )
        real, none = (
            site.sent("isfahan.clerk", method, f"/{name}{path}", **more) for name in (ident, "IR-07-1401-01-9")
        )
        assert (real.status_code, real.text) == (404, none.text), (method, path)
    assert site.sent("isfahan.clerk", "POST", "", json={"province": "IR-07", "month": LAST}).status_code == 400
    assert site.office.desk.records.get(ident) == before
    (line,) = [event for event in audit.events(people.audit_folder()) if event.event == "refused"]
    assert (line.sub, line.more["why"], line.more["page"]) == (
        "isfahan.clerk",
        "outside of the rights",
        "hand-in address",
    ), "so many tries of a minute are a line"


def test_bad_input_is_one_sentence_in_the_language_asked(site):
    ident = site.draft()
    for given in ({}, {"province": "IR-07"}, {"province": "IR-07", "month": "1499-01"}, {"province": 7, "month": LAST}):
        assert site.sent("fars.clerk", "POST", "", json=given).status_code == 400
    assert site.sent("fars.clerk", "POST", "", content=b"[1]").status_code == 400
    assert site.sent("fars.clerk", "POST", "", content=b"[" * 100_000).status_code == 413
    english = site.sent("fars.clerk", "PUT", f"/{ident}/1", params={"name": "a.docx", "lang": "en"}, content=b"x")
    persian = site.sent("fars.clerk", "PUT", f"/{ident}/1", params={"name": "a.docx"}, content=b"x")
    assert (english.status_code, persian.status_code) == (415, 415)
    assert english.text.startswith("a.docx: no table has this ending")
    assert "پذیرفته نمی‌شود" in persian.text
    assert site.put(ident, 101, "personnel.csv", "x").status_code == 413
    assert site.put(ident, 1, "personnel.csv", "").status_code == 422
    assert site.sent("fars.clerk", "POST", f"/{ident}/submit").status_code == 422, "nothing is in it"
    assert site.sent("fars.clerk", "POST", f"/{ident}/nothing").status_code == 404
    assert site.put(ident, "x", "personnel.csv", "x").status_code == 404


def test_rows_to_correct_are_a_workbook_that_holds_the_row_for_who_handed_it_in_alone(site):
    site.office.only_rows = True
    ident = site.draft()
    bad = person(170_000, "IR-07", "100", birth_date="1499/01/01", last_name="ناپیدا")
    content = with_rows(province_files(FARS)[PERSONNEL], "personnel", bad)
    site.put(ident, 1, PERSONNEL, content)
    site.office.work()
    shown = site.sent("fars.clerk", "GET", f"/{ident}").text

    def rows_for(who: str, lang: str = "fa") -> list[dict[str, str]]:
        answer = site.sent(who, "GET", f"/{ident}/rows.xlsx", params={"lang": lang})
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        head, *rows = sheet.iter_rows(values_only=True)
        return [dict(zip(head, row, strict=True)) for row in rows]

    (own,) = rows_for("fars.clerk")
    assert [*own][:5] == ["فایل", "محل", "چه باید کرد", "ستون", "آنچه باید باشد"]
    column = own["ستون"].translate(dict.fromkeys(map(ord, FSI + PDI)))
    assert (own["فایل"], column) == (PERSONNEL, "تاریخ تولد (در فایل: birth_date)"), "it is found by its heading there"
    assert (own["کد ملی"], own["تاریخ تولد"], own["کد موسسه"]) == (bad["national_id"], "1499/01/01", "100")
    (english,) = rows_for("fars.clerk", "en")
    assert [*english][:5] == ["File", "Place", "What to do", "Column", "Expected"]
    assert (english["Place"], english["Column"], english["national_id"]) == (
        "line 32",
        "birth_date",
        bad["national_id"],
    )
    assert english["What to do"] == "The date has not come yet. Check its year and month."
    (others,) = rows_for("data.steward")
    assert others["محل"] == own["محل"]
    told = shown + str(others)
    assert not [secret for secret in (bad["national_id"], "ناپیدا", "1499") if secret in told]


def test_the_template_of_the_own_province_is_given(site):
    answer = site.sent("fars.clerk", "GET", "/template/personnel.xlsx", params={"province": "IR-07"})
    assert answer.status_code == 200
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames
    assert site.sent("fars.clerk", "GET", "/template/personnel.xlsx", params={"province": "IR-10"}).status_code == 404
    assert site.sent("fars.clerk", "GET", "/template/people.xlsx", params={"province": "IR-07"}).status_code == 404


def test_without_sign_in_it_serves_this_machine_alone(office, monkeypatch, tmp_path):
    from dataclasses import replace

    from etl.core import settings

    open_settings = replace(office.settings, sign_in=settings.SignIn())
    monkeypatch.setattr(submissions, "_settings", lambda: open_settings)
    monkeypatch.setattr(submissions, "_work", lambda *_: None)
    monkeypatch.setattr(people, "settings_at_start", lambda: open_settings)
    office.settings = open_settings
    app = Starlette(routes=hand_in_address.routes())
    given = {"province": "IR-10", "month": LAST}
    with TestClient(app, client=("127.0.0.1", 5)) as client:
        assert client.post("/hand-in", json=given).status_code == 403, "without an origin"
        headers = {"Origin": SITE}
        ident = client.post("/hand-in", json=given, headers=headers).json()["draft"]
        files = province_files(ISFAHAN, people=31)
        for number, (name, content) in enumerate(files.items(), 1):
            put = client.put(f"/hand-in/{ident}/{number}", params={"name": name}, content=content, headers=headers)
            assert put.status_code == 204, put.text
        office.only_rows = True
        office.work()
        shown = client.get(f"/hand-in/{ident}").json()
        assert (shown["state"], len(shown["files"])) == ("ready", 4)
        assert client.post(f"/hand-in/{ident}/submit", headers=headers).json() == {"state": "submitted"}
        alone = Person("administrator", ADMINISTRATOR, is_alone=True)
        assert office.desk.approve(alone, ident).state == "approved", "the one person may"
        office.order()
        office.work()
        assert client.get(f"/hand-in/{ident}").json()["state"] == "published"
    assert rows_published(office, "personnel_IR-10.csv") == 31


def test_who_submits_data_lands_where_that_is_done_once_a_session(site):
    def first_page(who: str) -> Any:
        headers = cookie(sub=who, groups=[PEOPLE[who]])
        return site.client.get("/", headers=headers, follow_redirects=False), headers

    answer, headers = first_page("fars.clerk")
    assert (answer.status_code, answer.headers["location"]) == (307, "/quality?tab=handin")
    # Here the first page itself is not served.
    assert site.client.get("/", headers=headers, follow_redirects=False).status_code == 404
    assert first_page("data.steward")[0].status_code == 404


@pytest.mark.parametrize("lost", ["session", "rights"])
def test_an_upload_whose_person_is_gone_at_its_last_byte_is_not_kept(site, tmp_path, monkeypatch, lost):
    ident = site.draft()

    def lose(received: originals.Receiving, piece: bytes) -> None:
        if lost == "session":
            people.sessions().end_all("fars.clerk", time.time())
        else:
            (tmp_path / "access.toml").write_text(ACCESS.replace("IR-07", "IR-08"), encoding="utf-8")
        write(received, piece)

    write = originals.Receiving.write
    monkeypatch.setattr(originals.Receiving, "write", lose)
    answer = site.sent("fars.clerk", "PUT", f"/{ident}/1", params={"name": PERSONNEL, "lang": "en"}, content=b"ab")
    assert answer.status_code == (401 if lost == "session" else 404), answer.text
    assert not site.office.desk.records.get(ident).files
    assert not [*originals.folder_of(site.office.desk.root, site.office.desk.records.get(ident)).iterdir()]
