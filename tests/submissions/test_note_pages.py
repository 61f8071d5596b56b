"""Where notes are signed, withdrawn and listed: what a steward does, what others see, and the reason of a jump as a note."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.extract.causes import in_language, words
from etl.submissions.notes import Note, written
from tests.access.scopes import NATIONAL, OF_ISFAHAN, sign_in
from tests.parts import html, opened
from tests.submissions.conftest import FARS, LAST, Office, province_files
from tests.submissions.test_notes import EN, FA, person
from tests.submissions.test_pages import alone, button  # noqa: F401 - a fixture
from tests.submissions.test_way import PERSONNEL
from ui.data import signed_notes, submissions
from ui.i18n import text

pytestmark = pytest.mark.slow
WHY = "a contract of ten people ended in Aban"
# The data reach to 1402-04-01.
MONTH = "1402-03"
ABOUT = {"note": "training_compliance", "of": "IR-07", "at": MONTH}


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VIEWS", str(tmp_path / "views"))
    signed_notes.forget()
    yield
    signed_notes.forget()


def area(app: Any, key: str) -> Any:
    return next(one for one in app.text_area if one.key == key)


def see_what_moves(alone: Office) -> None:  # noqa: F811
    """What approved submissions change is worked out before they can be published."""
    opened("approve")
    alone.work()


def publishes(page: Any, alone: Office) -> bool:  # noqa: F811
    """Whether the button has what is approved published."""
    button(page, "hand-in-publish").click().run()
    assert not page.exception
    return alone.desk.publishing_waits()


def sign(place: str, **more: Any) -> Note:
    note = written("training_compliance", place, LAST, more.pop("fa", FA), more.pop("en", EN), date.today(), **more)
    made = signed_notes.store().sign(person("steward"), note)
    signed_notes.forget()
    return made


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_steward_signs_from_a_number_and_withdraws(alone: Office, lang: str) -> None:  # noqa: F811
    page = opened("approve", lang=lang, **ABOUT)
    button(page, "note-sign").click().run()
    assert text.escape(in_language(words("note_length", least=20, most=300), lang)) in html(page), "a note needs a text"
    area(page, "note-fa").set_value(FA)
    area(page, "note-en").set_value(EN).run()
    button(page, "note-sign").click().run()
    assert not page.exception
    (made,) = signed_notes.store().all()
    assert (made.measure, made.place, made.first, made.last) == ("training_compliance", "IR-07", MONTH, MONTH)
    assert (made.fa, made.en, made.author, made.role, made.publication) == (
        FA,
        EN,
        "administrator",
        "steward",
        "000001",
    )
    assert area(page, "note-fa").value == area(page, "note-en").value == ""
    assert made.text(lang) in html(page), "it is listed"
    table = opened("explore", m="training_compliance", by="province", lang=lang)
    assert made.text(lang) in html(table), "and stands with its number"
    button(page, "note-withdraw").click().run()
    assert signed_notes.store().all()[0].withdrawn_by == "administrator"
    day = text.day(date.today(), lang)
    assert text.escape(text.word("signed.withdrawn", lang, day=day)) in html(page)
    quality = html(opened("quality", lang=lang))
    assert made.text(lang) in quality, "a withdrawn note stays listed"
    assert text.escape(text.word("signed.withdrawn", lang, day=day)) in quality


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_bad_input_is_said_on_the_page(alone: Office, lang: str) -> None:  # noqa: F811
    page = opened("approve", lang=lang, **ABOUT)
    for written_there, cause, more in (
        ("کوتاه", "note_length", {"least": 20, "most": 300}),
        (f"{FA} 0012345678", "note_person", {}),
    ):
        area(page, "note-fa").set_value(written_there).run()
        button(page, "note-sign").click().run()
        assert text.escape(in_language(words(cause, **more), lang)) in html(page)
        assert area(page, "note-fa").value == written_there, "nothing that was written is lost"
    assert signed_notes.store().all() == ()


def test_the_reason_of_a_jump_becomes_a_note_before_publishing(alone: Office) -> None:  # noqa: F811
    few = province_files(FARS, people=20)
    files = {name: few[name] for name in (PERSONNEL, "training_IR-07.csv")}
    checked = alone.hand_in(submissions.person(), "IR-07", dict(files))
    jumps = list(checked.result["jumps"])
    assert jumps
    alone.desk.submit(submissions.person(), checked.id, dict.fromkeys(jumps, WHY))
    alone.desk.approve(submissions.person(), checked.id)
    see_what_moves(alone)
    page = opened("approve", lang="en")
    next(box for box in page.checkbox if box.key == "publish-without").check().run()
    assert not publishes(page, alone), "a note is owed"
    for at, measure in enumerate(jumps):
        button(page, f"note-take-{checked.id}-{measure}").click().run()
        assert area(page, "note-fa").value == WHY
        area(page, "note-fa").set_value(f"{FA} ({at})").run()
        button(page, "note-sign").click().run()
    made = signed_notes.store().all()
    assert {(one.measure, one.place, one.first, one.submission) for one in made} == {
        (measure, "IR-07", LAST, checked.id) for measure in jumps
    }
    assert not [one for one in page.button if str(one.key).startswith("note-take")]
    page = opened("approve", lang="en")
    next(box for box in page.checkbox if box.key == "publish-without").check().run()
    assert text.word("signed.no_english", "en", count=text.number(len(made), "en")) in html(page), "perhaps forgotten"
    assert publishes(page, alone)


def test_what_is_approved_may_be_published_without_a_note_on_purpose(alone: Office) -> None:  # noqa: F811
    few = province_files(FARS, people=20)
    checked = alone.hand_in(
        submissions.person(), "IR-07", {name: few[name] for name in (PERSONNEL, "training_IR-07.csv")}
    )
    alone.desk.submit(submissions.person(), checked.id, dict.fromkeys(checked.result["jumps"], WHY))
    alone.desk.approve(submissions.person(), checked.id)
    see_what_moves(alone)
    page = opened("approve")
    for key in ("publish-without", "publish-notes"):
        assert not publishes(page, alone)
        next(box for box in page.checkbox if box.key == key).check().run()
    assert publishes(page, alone)


def test_a_submitters_reason_is_signed_by_a_steward_under_both_names(office: Office) -> None:
    reason = replace(office.desk.open(office.clerk, "IR-07", LAST), submitted_by="fars.clerk", for_province=False)
    for one, author, role in (
        (reason, "fars.clerk", "submitter"),
        (replace(reason, for_province=True), "fars.clerk", "steward"),
    ):
        note = written("in_service", "IR-07", LAST, f"{FA} {role}", "", date.today(), of=one)
        made = signed_notes.store().sign(office.steward, note)
        assert (made.author, made.role, made.signed_by, made.submission) == (author, role, "data.steward", reason.id)


def test_nobody_else_finds_where_notes_are_signed(alone: Office, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    mine, nation, other = ("دورهٔ اصفهان دیر برگزار شد", "دوره‌ها در کشور دیر برگزار شد", "دورهٔ فارس دیر برگزار شد")
    sign("IR-10", fa=mine, en="")
    sign("nation", fa=nation, en="")
    ended = sign("IR-07", fa=other, en="")
    signed_notes.store().withdraw(person("steward"), ended.number, date.today())
    signed_notes.forget()
    for who, seen in ((OF_ISFAHAN, {mine, nation}), (NATIONAL, {mine, nation, other})):
        sign_in(monkeypatch, who)
        page = opened("approve", **ABOUT)
        assert not [one for one in page.button if str(one.key).startswith("note-")]
        shown = html(opened("quality"))
        assert {one for one in (mine, nation, other) if one in shown} == seen


def test_without_notes_quality_says_nothing_of_them(alone: Office) -> None:  # noqa: F811
    assert text.word("signed.listed_is", "fa") not in html(opened("quality"))
    sign("IR-07")
    assert text.word("signed.listed_is", "fa") in html(opened("quality"))


@pytest.mark.parametrize("part", ["approve", "quality"])
def test_a_note_is_text_and_no_markup_in_the_list(alone: Office, part: str) -> None:  # noqa: F811
    sign("IR-07", fa="<img src=x onerror=alert(1)> دورهٔ خرداد دیر برگزار شد", en="")
    shown = html(opened(part))
    assert "<img src=x" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
