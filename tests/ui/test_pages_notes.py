"""Signed notes on pages: once each, escaped, below figures and tables, in the popover of a number, on cards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.submissions.notes import Note, written
from tests.access.scopes import OF_ISFAHAN, sign_in
from tests.parts import html, opened
from tests.submissions.test_notes import EN, FA, person
from ui.components import blocks
from ui.data import signed_notes
from ui.i18n import text

pytestmark = pytest.mark.slow
TEHRAN = "IR-23"
SHARP = "<script>alert(1)</script> دورهٔ خرداد دیر برگزار شد"


@pytest.fixture(autouse=True)
def published(small_register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setenv("VIEWS", str(tmp_path / "views"))
    signed_notes.forget()
    yield
    signed_notes.forget()


def signed(place: str = TEHRAN, over: str = "1405-03", fa: str = FA, en: str = EN) -> Note:
    note = written("training_compliance", place, over, fa, en, date(2026, 7, 1), date(2099, 1, 1))
    kept = signed_notes.store().sign(person("steward"), note)
    signed_notes.forget()
    return kept


@pytest.mark.parametrize(("lang", "words"), [("fa", FA), ("en", EN)])
def test_a_note_stands_once_below_figures_and_numbered_on_the_trend(lang: str, words: str) -> None:
    before = html(opened("training", province=TEHRAN, lang=lang))
    signed()
    after = html(opened("training", province=TEHRAN, lang=lang))
    assert words not in before
    notes = [line for line in re.findall(r'<p class="pd-note">(.*?)</p>', after) if words in line]
    assert len(notes) == 1, "several figures are of this measure and place"
    assert len([line for line in re.findall(r'<ol class="pd-note".*?</ol>', after) if words in line]) == 1
    assert text.word("signed.on_card", lang, count=text.number(1, lang)) in after
    assert words not in html(opened("training", province="IR-10", lang=lang))


def test_a_note_is_text_and_no_markup() -> None:
    signed(fa=SHARP, en="")
    shown = html(opened("training", province=TEHRAN))
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize("by", [["province"], ["province", "month"], ["province", "gender", "post"]])
def test_a_note_stands_with_the_table_of_explore(by: list[str]) -> None:
    signed()
    shown = html(opened("explore", m="training_compliance", by=by))
    assert shown.count(FA) >= 1
    assert FA not in html(opened("explore", m="joiners", by=by))


def test_the_popover_of_a_number_has_its_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_what(_lang: str, _label: str, key: str, inside: Callable[[], object]) -> None:
        if key == "what-card-training_compliance":
            inside()

    signed()
    monkeypatch.setattr(blocks, "popover", open_what)
    shown = html(opened("training", province=TEHRAN))
    assert f"<b>{text.word('figure.note', 'fa')}:</b>" in shown


def test_a_person_of_a_province_sees_own_notes_and_those_about_the_nation(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, nation, other = "دورهٔ اصفهان دیر برگزار شد", "دوره‌ها در سراسر کشور دیر برگزار شد", "دورهٔ تهران دیر برگزار شد"
    signed("IR-10", fa=mine, en="")
    signed("nation", fa=nation, en="")
    signed(TEHRAN, fa=other, en="")
    sign_in(monkeypatch, OF_ISFAHAN)
    shown = html(opened("training"))
    isfahan, tehran = ("یادداشت دربارهٔ " + name for name in ("اصفهان", "تهران"))
    assert isfahan in shown
    assert nation in shown
    assert tehran not in shown
    assert other not in shown
    assert other not in html(opened("training", province=TEHRAN))
    assert mine in html(opened("training", province="IR-10"))


def test_a_note_that_ended_or_was_withdrawn_is_on_no_figure() -> None:
    kept = signed()
    signed_notes.store().withdraw(person("steward"), kept.number, date(2026, 7, 2))
    signed_notes.store().sign(person("steward"), replace(kept, until="2026-07-03"))
    signed_notes.forget()
    assert FA not in html(opened("training", province=TEHRAN))


def test_compare_has_the_notes_of_both_sides_and_their_months() -> None:
    signed()
    signed("nation", fa="دوره‌های کشور دیر برگزار شد", en="")
    signed("IR-10", fa="دورهٔ اصفهان دیر برگزار شد", en="")

    def shown(**sides: str) -> set[str]:
        page = html(opened("compare", m="training_compliance", a="2026-06-30", b="2026-06-30", **sides))
        return {
            name for name, words in (("own", FA), ("nation", "دوره‌های کشور"), ("other", "دورهٔ اصفهان")) if words in page
        }

    assert shown(p=TEHRAN, q="IR") == {"own", "nation"}
    assert shown(p=TEHRAN, q="IR-10") == {"own", "other"}, "the nation is no side of it"
