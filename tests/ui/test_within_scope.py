"""No figure, title or file of a page is of a place that the scope line does not name."""

from pathlib import Path
from typing import Any

import pytest

from etl.semantic import access, rights
from etl.semantic.answers import Answer, ask
from etl.warehouse.dimensions import PLACES
from tests.parts import html, opened
from ui.charts import maps
from ui.charts.elements import ChartContext
from ui.exhibits import exhibit
from ui.i18n import member_names

pytestmark = pytest.mark.slow

PAGES = ("overview", "coverage", "training", "growth", "licensing", "legal", "workforce", "explore")
FEW = ("IR-10", "IR-23", "IR-07")


@pytest.fixture
def shown(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Answer, str]]:
    """The chart, the answer and the title of each figure that is drawn."""
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    captured: list[tuple[Any, Answer, str]] = []
    draw = exhibit.drawn_chart

    def drawn(answer: Answer, chart: Any, context: Any, title: Any, *more: Any) -> Any:
        captured.append((chart, answer, title.sentence))
        return draw(answer, chart, context, title, *more)

    monkeypatch.setattr(exhibit, "drawn_chart", drawn)
    return captured


@pytest.fixture(scope="module")
def county(small_register: Path) -> tuple[str, str]:
    """The county with most people that is not a capital of its province's name, and its province."""
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        people = dict(ask(con, "active_assistants", by=("county",)).rows)
        places = dict(con.execute("select sci_code, province_iso from counties").fetchall())
    named = member_names.fixed("county", "fa")
    provinces = set(member_names.fixed("province", "fa").values())
    code = max((code for code in people if code and named[code] not in provinces), key=lambda code: people[code])
    return code, places[code]


def outside(answer: Answer, provinces: set[str], counties: set[str]) -> set[str]:
    """The places of an answer's rows that are not of the scope."""
    found: set[str] = set()
    for name, allowed in (("province", provinces), ("county", counties)):
        if name in answer.by and allowed:
            at = answer.by.index(name)
            found |= {row[at] for row in answer.rows if row[at] is not None} - allowed
    return found


@pytest.mark.parametrize("page", PAGES)
def test_under_a_county_every_figure_is_of_it(
    page: str, county: tuple[str, str], shown: list[tuple[Any, Answer, str]]
) -> None:
    code, province = county
    drawn = html(opened(page, county=code))
    assert "pd-error" not in drawn
    others = {name for other, name in member_names.fixed("province", "fa").items() if other != province}
    for chart, answer, title in shown:
        assert answer.where.get("county") == (code,), (chart.draw.__name__, title)
        assert not outside(answer, {province}, {code}), title
        assert chart is not maps.provinces
        assert not [name for name in others if len(name) > 3 and f" {name}" in f" {title}"], title
    if page in ("overview", "coverage", "training"):
        assert [answer for _, answer, _ in shown if answer.by == ("month",)], "the trend of the place"


@pytest.mark.parametrize("page", PAGES)
def test_under_a_few_provinces_maps_titles_and_files_are_of_them(
    page: str, shown: list[tuple[Any, Answer, str]]
) -> None:
    assert "pd-error" not in html(opened(page, province=list(FEW)))
    others = {name for other, name in member_names.fixed("province", "fa").items() if other not in FEW}
    for chart, answer, title in shown:
        if {*PLACES} & {*answer.where}:
            assert not outside(answer, {*FEW}, set()), (chart.draw.__name__, title)
        assert not [name for name in others if len(name) > 3 and f" {name}" in f" {title}"], title
    for chart, answer, _ in shown:
        if chart is maps.provinces:
            assert {row[0] for row in answer.rows} == {*FEW}, "the file of the map holds what the scope says"


def test_a_map_of_a_few_provinces_leaves_the_others_empty_to_be_chosen(shown: list[tuple[Any, Answer, str]]) -> None:
    html(opened("training", province=list(FEW)))
    chart, answer, _ = next(one for one in shown if one[0] is maps.provinces)
    figure = chart(answer, ChartContext("fa"), chosen=FEW)
    areas = [trace for trace in figure["data"] if trace["type"] == "choropleth"]
    assert {*areas[0]["locations"]} == {*FEW}
    (empty,) = [trace for trace in areas[1:] if len(trace["locations"]) == 28]
    assert "rgba(0,0,0,0)" in str(empty["colorscale"])
    assert not {*empty["locations"]} & {*FEW}
