"""The dialog of the PDF and the list on Quality: books are listed to the users who may see them, and can be downloaded."""

import io
import re
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.semantic.rights import ADMINISTRATOR, AccessScope, Grant
from tests.loading import publish
from tests.parts import SCRIPT, opening
from ui.briefing import writing
from ui.briefing.writing import Written
from ui.components import blocks, downloads
from ui.data import page_run
from ui.i18n import member_names, text
from ui.sections import briefings
from ui.state.page_context import PageContext
from ui.state.scope import Scope, in_order

pytestmark = pytest.mark.slow


@pytest.fixture
def use_pointer(pointer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(pointer))


def book(place: str, file: Path, is_exact: bool = False) -> Written:
    return Written(str(file), place, "2026-06-30", "fa", "000001", is_exact)


def page_html(lang: str) -> str:
    app = AppTest.from_string(SCRIPT, default_timeout=300)
    app._page_hash, tab = opening("approve")
    app.query_params["tab"] = tab["tab"]
    app.query_params["lang"] = lang
    assert not app.run().exception
    return "".join(element.proto.body for element in app.get("html"))


@pytest.mark.parametrize(
    ("lang", "nothing"), [("fa", "هنوز گزارشی تهیه نشده است"), ("en", "No briefing has been written yet")]
)
def test_the_page_opens_in_both_languages_with_nothing_written(use_pointer, lang, nothing):
    assert nothing in page_html(lang)


def test_written_books_are_listed_latest_first_and_deleted_ones_are_marked(use_pointer, tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    writing.note(book("IR-11", tmp_path / "a.pdf"))
    writing.note(book("IR", tmp_path / "gone.pdf"))
    writing.note(book("IR-30", tmp_path / "exact.pdf", is_exact=True))
    page = page_html("en")
    assert (
        0
        < page.index("The whole country · 9\u00a0Tir\u00a01405")
        < page.index("Sistan and Baluchestan · 9\u00a0Tir\u00a01405")
    )
    assert page.count("This file is no longer available") == 1
    assert "Alborz · 9\u00a0Tir" not in page


@pytest.mark.parametrize("lang", ["fa", "en"])
@pytest.mark.parametrize("exact", [False, True])
def test_the_dialog_says_which_book_it_gives(use_pointer, monkeypatch, lang, exact):
    # AppTest opens no popover.
    monkeypatch.setattr(blocks, "popover", lambda lang, label, key, inside: inside() if key == "briefing" else None)
    app = AppTest.from_string(SCRIPT, default_timeout=300)
    app.query_params["lang"], app.query_params["province"] = lang, "IR-11"
    app.run()
    if exact:
        app.checkbox(key="briefing-exact").check().run()
    page = "".join(element.proto.body for element in app.get("html"))
    place = member_names.of("province", "IR-11", lang)
    assert re.search(f"{place}.*{text.digits('000001', lang)}", page)
    said = {key: text.escaped(f"briefing.{key}", lang) in page for key in ("exact_short", "make_help")}
    assert said == {"exact_short": exact, "make_help": not exact}


def test_the_exact_book_has_exact_numbers(use_pointer, pointer):
    book = briefings.made("IR-17", "fa", None, exact=True)
    with writing.press(pointer, ADMINISTRATOR) as press:
        assert book == press.pdf(press.writer("IR-17", "fa", exact=True))
        assert book != press.pdf(press.writer("IR-17", "fa"))


def test_an_unreadable_line_of_the_list_does_not_hide_the_others(tmp_path, briefings):
    writing.note(book("IR", tmp_path / "a.pdf"))
    with (briefings / "written.jsonl").open("a") as file:
        file.write('not json\n{"file": 1}\n[]\n')
    assert [briefing.place for briefing in writing.written()] == ["IR"]


def test_a_listed_book_is_read_when_it_is_taken(tmp_path, monkeypatch):
    file, offered = tmp_path / "a.pdf", []
    file.write_bytes(b"%PDF first")
    writing.note(book("IR-11", file))
    monkeypatch.setattr(downloads, "offered", lambda *given: offered.append(given))
    briefings.listed(PageContext(Scope(date(2026, 6, 30))))
    ((*_, write, _details, _help),) = offered
    file.write_bytes(b"%PDF second")
    write(out := io.BytesIO())
    assert out.getvalue() == b"%PDF second"


def test_the_button_makes_the_book_of_the_scope(use_pointer, pointer):
    book = briefings.made("IR-17", "fa", None)
    with writing.press(pointer, ADMINISTRATOR) as press:
        assert book == press.pdf(press.writer("IR-17", "fa"))


@pytest.mark.parametrize(
    ("where", "reader", "place"),
    [
        ({}, None, "IR"),
        ({"province": ("IR-11",)}, None, "IR-11"),
        ({"province": ("IR-11", "IR-12")}, None, None),
        ({"gender": ("female",)}, None, None),
        ({}, "IR-11", None),
        ({"province": ("IR-11",)}, "IR-11", "IR-11"),
        ({"province": ("IR-12",)}, "IR-11", None),
    ],
)
def test_books_are_offered_only_for_places_that_the_reader_may_see(monkeypatch, where, reader, place):
    scope = ADMINISTRATOR
    if reader:
        scope = AccessScope("r", frozenset({Grant("province", frozenset({reader}), False, True)}))
    monkeypatch.setattr(page_run, "access_scope", lambda: scope)
    view = PageContext(Scope(date(2026, 6, 30), in_order(where)))
    assert briefings.place_of(view) == place


def test_a_pinned_page_gives_the_book_of_its_publication(tmp_path, pointer, monkeypatch):
    kept, offered = tmp_path / "warehouse.duckdb", []
    publish(pointer, kept, 2)
    monkeypatch.setenv("WAREHOUSE", str(kept))
    monkeypatch.setattr(downloads, "offered", lambda *given: offered.append(given))
    monkeypatch.setattr(writing.Press, "pdf", lambda _, write: f"{write.pointer} {write.ask.publication.id}".encode())
    with page_run.reading(page_run.kept_file("000001")):
        briefings._dialog(PageContext(Scope(date(2026, 6, 30))), "IR-11")
        ((*_, write, details, _help),) = offered
        write(out := io.BytesIO())
    assert (details["publication"], out.getvalue()) == ("000001", f"{kept} 000001".encode())
