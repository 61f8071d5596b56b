"""Everything on a page as one workbook: the cells of the screen, in a workbook that readers with any program can use."""

import base64
import html as markup
import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from etl.core.errors import AccessDenied, QuestionError, Refused
from etl.semantic import disclosure, exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, described
from etl.semantic.rights import AccessScope
from tests.effort import thorough
from tests.made import by_province
from tests.parts import PARTS, html, opened
from ui.charts import elements
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.components import page_files, tables
from ui.data import page_run, warehouse
from ui.data.ask import Ask
from ui.exhibits import register
from ui.exhibits.exhibit import Exhibit, Nothing, Table
from ui.exhibits.named import Make
from ui.exhibits.page import Page
from ui.exports.page_workbook import Card, PageJob, Part, _Writer, contents_of, safe
from ui.i18n import text
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("published")]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
# The pages of submissions have no answer to take away.
WITHOUT = ("handin", "approve")
NOTHING = {"[x]": "–", "[c]": "–"}


def job_of(page: str, lang: str, circulation: bool = False, province: tuple[str, ...] = ()) -> PageJob:
    """The workbook of a page, made without drawing it."""
    filters = (("province", province),) if province else ()
    view = PageContext(Scope(page_run.publication().as_of, filters, lang=lang))
    contents = contents_of(register.pages()[page], view.scope, warehouse.of_page(), {}, circulation)
    return page_files.job_of(view, page, contents, circulation, {})


def written(job: PageJob) -> openpyxl.Workbook:
    out = io.BytesIO()
    job.write(out)
    return openpyxl.load_workbook(out)


def cells(sheet: Worksheet) -> list[list[Any]]:
    """The rows of the only table of a sheet, its header first."""
    (table,) = sheet.tables.values()
    return [[cell.value for cell in row] for row in sheet[table.ref]]


def in_words(value: Any, unit: str, lang: str) -> str:
    if lang == "en" and isinstance(value, str) and value.endswith(")"):
        return safe(value)
    return NOTHING.get(value) or safe(text.plain(value.date() if hasattr(value, "date") else value, unit, lang))


def test_the_words_of_a_page_for_circulation_state_no_exact_number_of_people() -> None:
    pages: list[tuple[str, tuple[str, ...]]] = [(name, ("IR-17",)) for name in ("legal", "workforce", "training")]
    pages.append(("training", ()))
    for circulation in (False, True):
        jobs = [job_of(name, "en", circulation, province) for name, province in pages]
        words = " ".join(f"{part.title} {part.below}" for job in jobs for part in job.parts)
        counts = re.findall(r"\b([0-9,]+)(?= people| to [0-9,]+ people)", words)
        assert ("n\u00a0=" in words) != circulation
        assert all(int(count.replace(",", "")) % 5 == 0 for count in counts) == circulation, (counts, words)


# Every page, in one of both languages in turns.
LANGUAGE_OF = {
    name: text.LANGUAGES[(at + 1) % 2] for at, name in enumerate(part for part in PARTS if part not in WITHOUT)
}


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        pytest.param(name, lang, marks=() if lang == LANGUAGE_OF[name] else thorough)
        for name in LANGUAGE_OF
        for lang in text.LANGUAGES
    ],
)
def test_the_workbook_of_a_page_holds_the_cells_of_its_screen(name: str, lang: str) -> None:
    screen = html(opened(name, lang=lang))
    job = job_of(name, lang)
    assert job.parts
    # A file that is made while the page runs again is that of the page.
    assert job_of(name, lang).made_of() == job.made_of()
    book = written(job)
    sheets = book.worksheets[2:]
    have_names_of_their_own(book)
    view = PageContext(Scope(page_run.publication().as_of, lang=lang))
    if job.cards:
        shown = {text.escape(card.label): card for card in job.cards}
        for (label, value, *_), card in zip(cells(sheets.pop(0))[1:], job.cards, strict=True):
            metric = described(card.measure, card.answer.metrics) or card.answer.metrics[0]
            assert f"<bdi>{text.escape(in_words(value, metric.unit, lang))}</bdi>" in safe(screen), (label, value)
        assert all(label in screen for label in shown)
    assert len(sheets) == len(job.parts)
    for part, sheet in zip(job.parts, sheets, strict=True):
        assert sheet["A1"].value == safe(part.title)
        answer = exportable.of(part.source).answer
        named = replace(job.context, names={**job.context.names, **part.names})
        columns = tables.columns_of(view, answer, named)
        heads, *rows = cells(sheet)
        assert len(rows) == max(exportable.of(part.source).count(), 1)
        for row, made in zip(answer.rows, rows, strict=False):
            for column in columns:
                found = made[_place(column, answer, heads, named)]
                unit = "text" if column.name in answer.by else elements.unit_of(answer, column.name)
                on_screen = markup.unescape(re.sub("<[^>]+>", "", column.cell(row)))
                on_screen = on_screen.removesuffix(f" ({text.word('figure.provisional', lang)})")
                assert in_words(found, unit, lang) == safe(on_screen), (part.title, column.name)


def _place(column: Any, answer: Any, heads: list[str], chart_context: ChartContext) -> int:
    """The column of a sheet that a column of the screen is: that of the name where there are codes."""
    label = text.word_or(column.name, f"dimension.{column.name}", chart_context.lang)
    if column.name in answer.by:
        return heads.index(label)
    metric = described(column.name, answer.metrics)
    title = column.title if metric is None else text.with_unit(column.title, metric.unit, chart_context.lang)
    return heads.index(title)


def made(lang: str = "fa", **more: Any) -> openpyxl.Workbook:
    data = by_province()
    parts = (Part("پایبندی: تهران", "کشور · ۱۴۰۵", data, "90 days", PNG), Part("=1+1", "a: b [c] / d?", data))
    card = Card(
        "Compliance", "Iran", replace(data, by=(), columns=data.columns[1:], rows=[(None, 0, 0)]), data.metrics[0].name
    )
    return written(PageJob("Training", "Iran", "somebody, today", (card,), parts, ChartContext(lang), False, **more))


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_the_workbook_follows_the_accessibility_checklist(lang: str) -> None:
    book = made(lang)
    # A title and a language in the document; the cover first, then the contents.
    assert book.properties.title.endswith("Training")
    assert book.properties.language == {"fa": "fa-IR", "en": "en-GB"}[lang]
    names = book.sheetnames
    assert names[:2] == [text.word("book.cover", lang), text.word("book.contents", lang)]
    assert book.active.title == names[0]
    assert len({name.casefold() for name in names}) == len(names)
    for sheet in book.worksheets:
        # One marked-up table a sheet, with one header row of different words, no merged and no hidden cells.
        assert len(sheet.tables) == 1
        (table,) = sheet.tables.values()
        header, *rows = sheet[table.ref]
        heads = [cell.value for cell in header]
        assert table.headerRowCount == 1
        assert all(heads)
        assert len({head.casefold() for head in heads}) == len(heads)
        assert not sheet.merged_cells.ranges
        assert all(cell.value is not None for row in rows for cell in row), sheet.title
        hidden = [d for d in (*sheet.row_dimensions.values(), *sheet.column_dimensions.values()) if d.hidden]
        assert not hidden
        assert sheet.sheet_state == "visible"
        # The heading is the first cell; the reading direction is that of the language; no colour carries meaning.
        assert sheet["A1"].value
        assert sheet["A1"].font.b
        assert bool(sheet.sheet_view.rightToLeft) is (lang == "fa")
        assert all(cell.fill.fill_type is None for row in rows for cell in row)
        assert not any(str(cell.value).startswith(("=", "+")) for row in sheet.iter_rows() for cell in row)
        # Figures are right for programs: text is text, numbers are numbers, and no empty row parts a table.
        assert table.totalsRowCount in (None, 0)
    links = [cell.hyperlink.location for row in book.worksheets[1].iter_rows() for cell in row if cell.hyperlink]
    assert [link.partition("!")[0].strip("'") for link in links] == names[2:]
    assert all(
        any(cell.hyperlink and names[1] in cell.hyperlink.location for row in sheet.iter_rows() for cell in row)
        for sheet in book.worksheets[2:]
    )
    symbols = [row[0] for row in cells(book.worksheets[0])]
    assert {text.word("book.symbol", lang, symbol=letter) for letter in "perxc"} <= {*symbols}
    (picture,) = book.worksheets[3]._images
    assert b"\x89PNG" in picture._data()[:8]


def test_a_picture_has_its_words_for_those_who_do_not_see_it() -> None:
    out = io.BytesIO()
    data = by_province()
    part = Part("Compliance: Tehran", "Iran", data, picture=PNG)
    PageJob("Training", "Iran", "somebody", (), (part,), ChartContext("en"), False).write(out)
    with zipfile.ZipFile(out) as parts:
        drawing = parts.read("xl/drawings/drawing1.xml").decode()
    assert 'descr="Compliance: Tehran. Iran"' in drawing


def test_a_picture_that_the_browser_could_not_draw_is_left_out_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: dict[int, Any] = {0: {"data": []}, 3: {"data": [1]}, 4: {"data": [2]}}
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(page_files, "component", lambda _: lambda **given: asked.append(given))
    monkeypatch.setattr(page_files.st, "session_state", {})
    assert page_files._pictures(drawn, "pictures") is None, "none is there yet"
    page_files.st.session_state["pictures"] = {"made": [base64.b64encode(PNG).decode(), "", "PHN2Zz4="]}
    asked[0]["on_made_change"]()
    pictures = page_files._pictures(drawn, "pictures")
    assert pictures == {0: PNG, 3: b"", 4: b""}
    parts = tuple(Part("Compliance", "Iran", by_province(), picture=picture) for picture in pictures.values())
    book = written(PageJob("Training", "Iran", "somebody", (), parts, ChartContext("en"), False))
    assert [len(sheet._images) for sheet in book.worksheets[2:]] == [1, 0, 0]


def test_a_cell_without_a_number_says_why_and_its_row_has_the_status() -> None:
    book = made("en")
    heads, *rows = cells(book.worksheets[3])
    assert heads[-1] == "Status"
    assert rows[3][2:] == ["[x]", 0, 0, "x"]
    assert cells(book.worksheets[2])[1][1] == "[x]"


def test_the_cover_tells_what_readers_are_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.data import owed

    monkeypatch.setenv("POLICEYAR_PUBLICATION_CONTACT", "Office of statistics")
    owed._about.cache_clear()
    cover = dict(cells(made("en", left_out=("Persons",)).worksheets[0]))
    owed._about.cache_clear()
    assert cover["Contact"] == "Office of statistics"
    assert cover["Publication"] == page_run.publication().id
    assert cover["Data to"].startswith(page_run.publication().as_of.isoformat())
    assert cover["Not in this file"] == "Persons"
    assert "not for circulation" in cover["Use"]


def test_the_cover_names_who_made_it_only_where_people_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    view = PageContext(Scope(page_run.publication().as_of, lang="en"))
    assert page_files._made(view, datetime(2026, 12, 1, 9, 30)).endswith("2026), 09:30")
    assert "sign" not in page_files._made(view, datetime(2026, 12, 1, 9, 30))
    monkeypatch.setattr(page_run, "signs_in", lambda: True)
    monkeypatch.setattr(page_run, "access_scope", lambda: AccessScope("m.karimi", frozenset()))
    assert page_files._made(view, datetime(2026, 12, 1, 9, 30)).startswith("m.karimi, ")


def have_names_of_their_own(book: openpyxl.Workbook) -> None:
    """No two sheets differ by their number alone."""
    names = [sheet.partition(" ")[2] for sheet in book.sheetnames[2:]]
    assert len({*names}) == len(names), names


@pytest.mark.parametrize("name", ["overview", "training", "growth"])
def test_the_sheets_of_a_page_of_many_figures_have_names_of_their_own_in_its_other_language_too(name: str) -> None:
    (lang,) = {*text.LANGUAGES} - {LANGUAGE_OF[name]}
    have_names_of_their_own(written(job_of(name, lang)))


def page_of(*makes: Make) -> Page:
    return Page("training", filters=(), layout=makes)


def by_province_made(scope: Scope, ask: Ask) -> Exhibit:
    return Exhibit("en", Table(), ask.shown(by_province()), Title("Compliance"))


def refused(scope: Scope, ask: Ask) -> Exhibit:
    raise QuestionError("no such question")


def denied(scope: Scope, ask: Ask) -> Exhibit:
    raise AccessDenied


def of_persons(scope: Scope, ask: Ask) -> Exhibit:
    raise disclosure.NotForCirculation("rows about persons")


def empty(scope: Scope, ask: Ask) -> Exhibit:
    return Exhibit("en", Nothing("state.empty_title"))


def test_a_page_for_circulation_holds_rounded_numbers() -> None:
    scope = Scope(page_run.publication().as_of, lang="en")
    contents = contents_of(page_of(by_province_made), scope, warehouse.of_page(), {}, True)
    job = page_files.job_of(PageContext(scope), "training", contents, True, {})
    rows = cells(written(job).worksheets[2])[1:]
    assert all(value % 5 == 0 for row in rows for value in row[3:5])
    assert [row[0] for row in rows] == ["IR-00", "IR-11", "IR-23"], "a province with nobody is not listed"


def test_what_is_refused_is_named_and_the_rest_of_the_page_is_written() -> None:
    scope = Scope(page_run.publication().as_of, lang="en")
    page = page_of(refused, by_province_made, denied, of_persons, empty)
    contents = contents_of(page, scope, warehouse.of_page(), {}, True)
    assert [named.name for named in contents.figures] == ["training/by_province_made"]
    assert contents.left_out == ("training/refused", "training/denied", "training/of_persons")
    cover = dict(cells(written(page_files.job_of(PageContext(scope), "training", contents, True, {})).worksheets[0]))
    assert cover["Not in this file"] == "training/refused, training/denied, training/of_persons"


def test_a_page_for_circulation_is_logged_with_each_of_its_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    scope = Scope(page_run.publication().as_of, lang="en")
    monkeypatch.setattr(Answer, "measures", [*catalogue()])
    contents = contents_of(page_of(by_province_made), scope, warehouse.of_page(), {}, True)
    job = page_files.job_of(PageContext(scope), "training", contents, True, {})
    assert str(page_files.details(job, contents)["metric"]).split(",") == sorted(catalogue())


def test_more_rows_than_a_workbook_holds_are_refused_with_the_reason_and_the_limit() -> None:
    data = by_province()
    many = replace(data, rows=data.rows[:1] * 1_000_000)
    job = PageJob("Training", "Iran", "somebody", (), (Part("A", "", many),), ChartContext("en"), False)
    with pytest.raises(Refused, match=r"1,000,000 rows.*at most 100,000"):
        job.write(io.BytesIO())


def test_libreoffice_opens_it_and_reads_the_same_cells(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if not office:
        pytest.skip("LibreOffice is not installed (Debian: libreoffice-calc-nogui)")
    data = by_province()
    path = tmp_path / "page.xlsx"
    with path.open("wb") as out:
        parts = (Part("پایبندی: تهران", "کشور", data, "", PNG),)
        PageJob("Training", "Iran", "somebody", (), parts, ChartContext("fa"), False).write(out)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [
        office,
        profile,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        tmp_path / "again",
    ]
    subprocess.run([*command, path], check=True, capture_output=True, timeout=300)
    before, after = openpyxl.load_workbook(path), openpyxl.load_workbook(tmp_path / "again" / "page.xlsx")
    assert after.sheetnames == before.sheetnames
    for sheet in before.worksheets:
        again = after[sheet.title]
        assert [[cell.value for cell in row] for row in again.iter_rows()] == [
            [cell.value for cell in row] for row in sheet.iter_rows()
        ]
        assert len(again.tables) == 1
        assert again.sheet_view.rightToLeft


def test_an_empty_list_is_a_table_with_its_header() -> None:
    data = replace(by_province(), rows=[])
    sheet = written(PageJob("P", "I", "s", (), (Part("A", "", data),), ChartContext("en"), False)).worksheets[2]
    assert cells(sheet)[1:] == [["–"] * 5], "of no row there is no status"


def test_equal_headings_of_a_table_are_numbered() -> None:
    sheet = mock.Mock(index=0)
    _Writer._table(mock.Mock(), sheet, 0, ["A", "a", "B", "A"], [])
    (*_, options) = sheet.add_table.call_args.args
    assert [column["header"] for column in options["columns"]] == ["A", "a (2)", "B", "A (3)"]
