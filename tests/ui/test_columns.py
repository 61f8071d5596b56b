"""Every column of every answer of the pages has a metric, by which tables, files and rounding take it."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from etl.analysis import analyses
from etl.semantic import access, disclosure
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, described
from etl.semantic.rights import ADMINISTRATOR
from tests.made import named
from tests.parts import PARTS, files_open, html, opened
from ui.charts import ahead
from ui.charts.elements import ChartContext
from ui.components import blocks, downloads
from ui.data import page_run, warehouse
from ui.exhibits import register
from ui.exhibits.exhibit import Drawing
from ui.exhibits.named import Made
from ui.exports.job import ExportJob
from ui.i18n import text
from ui.state.scope import Scope

pytestmark = pytest.mark.slow
MADE_UP = (0.02, 5)
PLACE = "IR-23"
SCOPES: list[dict[str, str]] = [{}, {"province": PLACE}]
# A chart, a sentence or a link alone takes these: no table and no file for circulation shows them.
CHART_ALONE = {"goal", "common", "flow_here", "flow_nation", "exact_recruits"}
# Events of these are no fraction.
WHOLE_NUMBERS = ("applications", "institutes", "licences", "persons")


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass
class Shown:
    """The answers of a page, and those of its figures with their pictures; its HTML, with all tables open if it offers them."""

    answers: list[Answer]
    pictures: list[tuple[Answer, downloads.Picture, Made]]
    html: str


@pytest.fixture(scope="module")
def look(published: Path) -> Callable[..., Shown]:
    """A function that opens a page of the whole country or of a place, once for all tests."""

    @cache
    def look(part: str, **scope: str) -> Shown:
        pictures: list[tuple[Answer, downloads.Picture, Made]] = []

        def take(_view: Any, source: Answer, _context: Any, _ident: str, picture: Any, made: Any, _at: str) -> None:
            if picture:
                pictures.append((source, picture, made))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "popover", files_open)
            patch.setattr(downloads, "buttons", take)
            app = opened(part, lang="en", **scope)
            buttons = [str(button.key) for button in app.button]
            tables = [key.removeprefix("table-") for key in buttons if key.startswith("table-")]
            for ident in tables:
                app.session_state[f"table shown {ident}"] = True
            assert not tables or not app.run().exception
        ask, latest = warehouse.of_page(), page_run.publication().as_of
        of_place = Scope(latest, tuple((key, (code,)) for key, code in scope.items()), lang="en")
        page = register.pages().get(part)
        shown = page.shown(of_place, ask, {}) if page else ()
        answers = [exhibit.answer for named in shown for exhibit in named.exhibits(ask) if exhibit.answer]
        return Shown(answers, pictures, html(app))

    return look


@pytest.mark.parametrize("scope", SCOPES, ids=["nation", "province"])
@pytest.mark.parametrize("part", PARTS)
def test_no_column_of_a_page_is_without_a_metric(part: str, scope: dict[str, str], look: Callable[..., Shown]) -> None:
    page = look(part, **scope)
    assert "pd-error" not in page.html
    for answer in page.answers:
        rounded: Answer | None = None
        for at, name in list(enumerate(answer.columns))[len(answer.by) :]:
            numbers = [row[at] for row in answer.rows if is_number(row[at])]
            metric = described(name, answer.metrics)
            if not numbers:
                continue
            if metric is None:
                assert name in CHART_ALONE, (answer.metrics[0].name, name)
                rounded = rounded or disclosure.for_circulation(answer, warehouse.ask)
                assert set(rounded.column(name)) == {None}, name
            elif metric.unit == "share" and metric.denominator:
                assert catalogue().get(metric.denominator, metric).counts == "targets" or max(numbers) <= 1, name
            elif metric.name in catalogue() and metric.kind == "event" and metric.unit in WHOLE_NUMBERS:
                assert all(float(number).is_integer() for number in numbers), (answer.metrics[0].name, name)


@pytest.mark.parametrize("scope", SCOPES, ids=["nation", "province"])
@pytest.mark.parametrize("part", ["overview", "coverage", "training", "growth", "workforce", "licensing"])
def test_the_whole_beside_the_groups_of_a_rate_is_that_of_its_sentence(
    part: str, scope: dict[str, str], look: Callable[..., Shown]
) -> None:
    page = look(part, **scope)
    shown = {id(one[0]): one for one in page.pictures if "whole_value" in one[0].columns}
    assert shown
    for answer, picture, made in shown.values():
        metric, by = answer.metrics[0], answer.by[0]
        where = {
            key: codes for key, codes in answer.where.items() if by != "province" or key not in ("province", "county")
        }
        whole = warehouse.ask(metric.name, on=answer.on, over=answer.over, where=where)
        said = text.plain(whole.value(), metric.unit, "en")
        # The table: its column is that of the heading.
        (head, body), *_ = [
            found
            for found in re.findall(r"<thead>(.*?)</thead>.*?<tbody>(.*?)</tbody>", page.html, re.DOTALL)
            if all(f'data-sort="{name}"' in found[0] for name in (by, metric.name, "whole_value"))
        ]
        at = re.findall(r'data-sort="(.*?)"', head).index("whole_value")
        cells = [
            re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL)[at] for row in re.findall(r"<tr>(.*?)</tr>", body)
        ]
        assert {re.sub("<[^>]*>", "", cell) for cell in cells} - {"–"} == {said}, metric.name
        for circulation in (False, True):
            out = io.BytesIO()
            ExportJob("xlsx", answer, ChartContext("en"), circulation, "Iran", "").write(out)
            data = openpyxl.load_workbook(io.BytesIO(out.getvalue())).worksheets[0]
            (column,) = [cell.column for cell in data[1] if str(cell.value).startswith("Whole")]
            filled = [cell for (cell,) in data.iter_rows(2, min_col=column, max_col=column) if cell.value is not None]
            if circulation:
                assert not filled, "its counts are not in the file"
                continue
            assert {cell.value for cell in filled} == {whole.value()}
            assert {cell.number_format for cell in filled} == {"0.0%" if metric.unit == "share" else "General"}
        exhibit = made.for_circulation()
        if by not in ("province", "county"):
            continue
        assert said in str(picture.figure["layout"]), "the line of the bars or the key of the map"
        value = disclosure.for_circulation(whole, warehouse.ask).value()
        assert exhibit.answer is not None
        assert {*exhibit.answer.column("whole_value")} == {value}, "a file for circulation has the rounded value"
        if isinstance(exhibit.form, Drawing):
            assert text.plain(value, metric.unit, "en") in str(exhibit.drawn()[0]["layout"]), (metric.name, by)


def test_licences_that_end_circulate_exactly_and_people_rounded(published: Path) -> None:
    scope = Scope(page_run.publication().as_of, lang="en")
    for part, kind in (("licensing", "licences"), ("legal", "accreditations"), ("training", "training")):
        answer = named(f"{part}/endings", scope).exhibit(warehouse.of_page()).answer
        assert answer
        rounded, exact = disclosure.for_circulation(answer, warehouse.ask).column("endings"), answer.column("endings")
        assert any(count % 5 for count in exact)
        assert (rounded == exact) == (kind == "licences")
        assert kind == "licences" or not any(count % 5 for count in rounded)


def test_the_intervals_of_the_queue_circulate_as_they_are_for_files_are_no_people(published: Path) -> None:
    with access.connect(published, ADMINISTRATOR) as con:
        exact = analyses.analyse(con, "queue", least=1)
    drawn = [
        ahead.paces(answer, ChartContext("en"))["data"][0]["error_x"]
        for answer in (exact, disclosure.for_circulation(exact))
    ]
    for side in ("array", "arrayminus"):
        before, after = ([reach for reach in error[side] if reach is not None] for error in drawn)
        assert before == pytest.approx(after, abs=0.1)
        assert any(before)
