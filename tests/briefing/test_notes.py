"""Signed notes in a briefing: those about its place and the year before its day."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pikepdf
import pytest

from etl.core import jalali
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions.notes import written
from tests.access.scopes import OF_ISFAHAN
from tests.submissions.test_notes import EN, FA, person
from ui.briefing import content, writing
from ui.briefing.writing import Press
from ui.data import signed_notes
from ui.i18n import text

pytestmark = pytest.mark.slow
MARKUP = "#panic() <b>دورهٔ خرداد</b> $x$ *دیر* برگزار شد"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VIEWS", str(tmp_path / "views"))
    signed_notes.forget()
    yield
    signed_notes.forget()


def sign(press: Press, place: str, months_before: int = 1, fa: str = FA, en: str = EN) -> str:
    """A note on a month before the last day of the data."""
    day = press.writer(place, "fa").scope.day
    month = jalali.unit_of(jalali.add_months(day, -months_before), "month").label
    note = written("training_compliance", place, month, fa, en, date.today())
    signed_notes.store().sign(person("steward"), replace(note, until="2099-01-01"))
    signed_notes.forget()
    return text.unit_label(month, "en")


@pytest.mark.parametrize("exact", [False, True])
def test_a_briefing_has_the_notes_of_its_place_and_year(press: Press, exact: bool) -> None:
    month = sign(press, "IR-11")
    sign(press, "IR-10")
    sign(press, "IR")
    sign(press, "IR-11", 30)
    for place, name in (("IR-11", "Sistan and Baluchestan"), ("IR", text.word("scope.nation", "en"))):
        notes = content.book(press.writer(place, "en", exact=exact))["notes"]
        assert notes["title"] == text.word("signed.title", "en")
        (line,) = notes["lines"]
        assert EN in line
        assert f"{name}, {month}: " in line
        assert ("a.steward" in line) is exact, "what circulates names no account"
    assert content.book(press.writer("IR-23", "en"))["notes"]["lines"] == []


def test_a_note_is_text_in_a_pdf_and_without_one_there_is_no_heading(press: Press) -> None:
    def headings() -> list[str]:
        with pikepdf.open(io.BytesIO(press.pdf(press.writer("IR-11", "fa")))) as pdf:
            found = []

            def walk(node: object) -> None:
                if isinstance(node, pikepdf.Array):
                    for part in node:  # type: ignore[attr-defined]
                        walk(part)
                elif isinstance(node, pikepdf.Dictionary):
                    if str(node.get("/S", "")) == "/H2":
                        found.append(str(node.get("/T", "")))
                    if "/K" in node:
                        walk(node.K)

            walk(pdf.Root.StructTreeRoot.K)
            return found

    before = len(headings())
    sign(press, "IR-11", fa=MARKUP, en="")
    assert len(headings()) == before + 1


def test_a_briefing_holds_only_notes_that_its_writer_sees(pointer: Path, press: Press) -> None:
    sign(press, "IR-11")
    for scope, count in ((ADMINISTRATOR, 1), (OF_ISFAHAN, 0)):
        with writing.press(pointer, scope) as of_person:
            write = of_person.writer("IR-11", "fa")
            assert len(content._notes(write)["lines"]) == count
