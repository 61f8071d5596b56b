"""What is submitted wrong: a status, and one sentence in the language of who asks."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from etl.extract.causes import in_language
from etl.submissions import originals, work
from etl.submissions.refusals import Declined
from tests.submissions.conftest import LAST, Site
from tests.submissions.test_way import PERSONNEL, more_people

pytestmark = pytest.mark.slow
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512) + "EncryptedPackage".encode("utf-16-le")


def put(site: Site, ident: str, number: int, name: str, content: bytes, lang: str, **headers: str) -> Any:
    return site.sent(
        "fars.clerk", "PUT", f"/{ident}/{number}", params={"name": name, "lang": lang}, content=content, more=headers
    )


def refused(site: Site, kind: str, lang: str) -> Any:
    """The answer to one kind of bad input."""
    ident = site.draft()
    if kind == "empty":
        return put(site, ident, 1, PERSONNEL, b"", lang)
    if kind == "too large":
        return put(site, ident, 1, PERSONNEL, b"", lang, **{"Content-Length": str(300 << 20)})
    if kind == "too many":
        return put(site, ident, 101, PERSONNEL, b"a", lang)
    if kind == "twice":
        put(site, ident, 1, PERSONNEL, b"a", lang)
        return put(site, ident, 2, "copy.csv", b"a", lang)
    if kind == "half":
        return put(site, ident, 1, PERSONNEL, b"x" * 90, lang, **{"Content-Length": "100"})
    if kind == "another's":
        put(site, ident, 1, PERSONNEL, b"a", lang)
        return site.sent("fars.other", "PUT", f"/{ident}/1", params={"name": PERSONNEL, "lang": lang}, content=b"b")
    if kind == "full disk":
        usage = type("Usage", (), {"free": 1})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(originals.shutil, "disk_usage", lambda _: usage)
            return put(site, ident, 1, PERSONNEL, b"abc", lang)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "status", "english", "persian"),
    [
        ("empty", 422, "the file is empty; submit", "فایل خالی است؛"),
        (
            "too large",
            413,
            "personnel_IR-07.csv: a file has at most 200 MiB; split it",
            "حجم هر فایل حداکثر ۲۰۰ مگابایت است؛",
        ),
        ("too many", 413, "a submission has at most 100 files; put", "هر ارسال حداکثر ۱۰۰ فایل دارد؛"),
        ("twice", 409, "copy.csv: this file is in the submission already; leave", "این فایل در همین ارسال هست؛"),
        ("half", 400, "personnel_IR-07.csv: it did not arrive whole; send it again", "فایل کامل نرسید؛ آن را دوباره"),
        ("another's", 409, "fars.clerk is working on this submission; wait", "این ارسال در حال ویرایش توسط"),
        ("full disk", 507, "the disk of the server is full; nothing was taken", "دیسک سرور پر است؛ چیزی دریافت نشد"),
    ],
)
def test_bad_input_has_its_sentence_in_both_languages(site, kind, status, english, persian):
    for lang, sentence in (("en", english), ("fa", persian)):
        answer = refused(site, kind, lang)
        assert answer.status_code == status, answer.text
        told = answer.text.replace("\u2068", "").replace("\u2069", "")
        assert sentence in told
        assert told.count("\n") == 1
        assert " · " not in told, "one language at a time"
        for one in site.office.desk.records.all():
            site.office.desk.records.change(one.id, (one.state,), lambda old: replace(old, state="withdrawn"))


@pytest.mark.parametrize(
    ("first", "second", "english", "persian"),
    [
        ("withdraw", "approve", "the submission is withdrawn; this step is not open now", "این ارسال پس‌گرفته‌شده است؛"),
        ("approve", "withdraw", "the submission is approved; this step is not open now", "این ارسال تأییدشده است؛"),
    ],
)
def test_a_step_that_is_not_open_any_more_has_its_sentence_in_both_languages(site, first, second, english, persian):
    ident = site.office.hand_in(site.office.clerk, "IR-07", more_people()).id
    desk = site.office.desk
    take = {
        "withdraw": lambda: desk.withdraw(site.office.clerk, ident),
        "approve": lambda: desk.approve(site.office.steward, ident),
    }
    site.sent("fars.clerk", "POST", f"/{ident}/submit")
    take[first]()
    with pytest.raises(Declined) as refused:
        take[second]()
    for lang, sentence in (("en", english), ("fa", persian)):
        assert sentence in in_language(str(refused.value), lang).replace("\u2068", "").replace("\u2069", "")


@pytest.mark.parametrize(
    ("name", "content", "english", "persian"),
    [
        ("personnel_IR-07.xlsx", OLE, "the workbook is protected by a password; remove", "کارپوشه رمز دارد؛"),
        (PERSONNEL, b"\x1f\x8b\x08\x00packed", "gzip", "gzip"),
    ],
)
def test_a_file_that_is_not_what_it_is_called_stops_with_its_sentence_in_both_languages(
    site, name, content, english, persian
):
    ident = site.draft()
    assert put(site, ident, 1, name, content, "fa").status_code == 204
    site.office.work()
    for lang, sentence in (("en", english), ("fa", persian)):
        shown = site.sent("fars.clerk", "GET", f"/{ident}", params={"lang": lang}).json()
        assert shown["state"] == "to_correct"
        (stop,) = shown["stops"]
        assert sentence in stop
        assert name in stop


def test_a_store_that_cannot_be_used_is_named_to_the_clerk_and_in_one_line_of_the_log(site, caplog):
    root = site.office.desk.root
    root.touch()
    for lang, sentence in (
        ("en", "The store of submissions cannot be used now: it is not a folder. Nothing was done"),
        ("fa", "پایگاه ارسال‌ها اکنون در دسترس نیست: پوشه نیست. کاری انجام نشد"),
    ):
        caplog.clear()
        answer = site.sent("fars.clerk", "POST", "", params={"lang": lang}, json={"province": "IR-07", "month": LAST})
        assert answer.status_code == 503
        assert sentence in answer.text
        (line,) = [record.getMessage() for record in caplog.records if record.name == "policeyar.stores"]
        assert line.startswith("store submissions (")
        assert line.endswith("): Not a directory (ENOTDIR)")


def test_a_session_that_ends_during_an_upload_leaves_the_draft_to_its_person_for_a_day(site, monkeypatch):
    ident = site.draft()
    (content,) = more_people().values()
    assert put(site, ident, 1, PERSONNEL, content.encode(), "fa").status_code == 204
    for lang, sentence in (("en", "Sign in to see the dashboard."), ("fa", "برای مشاهدهٔ داشبورد وارد شوید.")):
        gone = site.client.put(
            f"/hand-in/{ident}/2",
            params={"name": "x.csv", "lang": lang},
            content=b"a",
            headers={"Origin": "http://testserver"},
        )
        assert (gone.status_code, gone.text) == (401, f"{sentence}\n")
    assert site.sent("fars.clerk", "GET", f"/{ident}").json()["files"]
    site.office.desk.stop(site.office.clerk, ident)
    desk, now = site.office.desk, time.time()
    monkeypatch.setattr(work.time, "time", lambda: now + 23 * 3600)
    work.clean(desk)
    originals.verify(desk.root, desk.records.get(ident))
    monkeypatch.setattr(work.time, "time", lambda: now + 25 * 3600)
    work.clean(desk)
    assert desk.records.get(ident).state == "withdrawn"
    assert not originals.folder_of(desk.root, desk.records.get(ident)).exists()
