"""The map of counties shows each county at its place, in the colours of the map of provinces, and says who is on no map."""

import math
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.disclosure import Circulated
from tests.conftest import ROOT
from tests.made import answer
from ui.charts import boundaries, county_maps, elements, maps
from ui.charts.elements import ChartContext, Figure
from ui.components import downloads
from ui.i18n import member_names, text
from ui.state import address
from ui.state.scope import Days
from ui.summary import different

FA, EN = ChartContext("fa"), ChartContext("en")
LOOKS = [ChartContext(lang, dark) for lang in ("fa", "en") for dark in (False, True)]
SEMNAN = boundaries.counties_of("IR-20")


def coverage(rows: Sequence[tuple[Any, ...]], **where: Any) -> Answer:
    """Coverage of counties against 6 for 10,000 residents: code, rate, assistants, residents, side."""
    metric = catalogue()["coverage_per_10k"]
    made = answer(
        metric.name,
        by=("county",),
        more=(str(metric.numerator), str(metric.denominator), "side", "whole_value"),
        rows=[(*row, 6.0) for row in rows],
        where=where or {"province": ("IR-20",)},
    )
    return made


def semnan() -> Answer:
    behind, ahead, alike, small, none, *_ = SEMNAN
    return coverage(
        [
            (behind, 1.5, 30, 200_000, "far_lower"),
            (ahead, 13.0, 260, 200_000, "far_higher"),
            (alike, 6.1, 122, 200_000, "none"),
            (small, 8.0, 4, 5_000, "untested"),
            (none, 0.0, 0, 200_000, "far_lower"),
            (None, None, 7, None, "untested"),
        ]
    )


def circulated(made: Answer) -> Circulated:
    return Circulated(**{field.name: getattr(made, field.name) for field in fields(Answer)})


def areas(figure: Figure, of: str = "county") -> list[Figure]:
    return [trace for trace in figure["data"] if trace.get("geojson") == boundaries.address(of)]


def colour_of(figure: Figure) -> dict[str, str]:
    """The colour of each county."""
    colours: dict[str, str] = {}
    for trace in areas(figure):
        scale = [colour for _, colour in trace["colorscale"]][::2]
        colours |= {code: scale[int(step)] for code, step in zip(trace["locations"], trace["z"], strict=True)}
    return colours


def labels_of(figure: Figure) -> list[str]:
    return [key["label"] for key in figure["layout"]["meta"]["keys"]]


def test_each_of_the_429_counties_is_drawn_once_and_at_its_code() -> None:
    rows = [(code, 6.0, 60, 100_000, "none") for code in sorted(boundaries.codes("county"))]
    for shown in (rows, rows[:1]):
        figure = county_maps.counties(coverage(shown, people=("armed",)), EN)
        drawn = [code for trace in areas(figure) for code in trace["locations"]]
        assert sorted(drawn) == sorted(boundaries.codes("county"))
        assert len(drawn) == 429
        for trace in areas(figure):
            names = [text.escape(member_names.of("county", code, "en")) for code in trace["locations"]]
            assert all(name in hover for name, hover in zip(names, trace["hovertext"], strict=True))


def test_only_the_country_has_the_borders_of_provinces() -> None:
    country, province = county_maps.counties(coverage([], people=("armed",)), EN), county_maps.counties(semnan(), EN)
    (borders,) = areas(country, "province")
    assert len(borders["locations"]) == 31
    assert borders["hoverinfo"] == "skip", "the county below it has the hover text, and takes the click"
    assert areas(province, "province") == []
    assert country["layout"]["geo"]["lonaxis"]["range"] == [*maps.COUNTRY[0]]


def test_one_province_fills_the_map() -> None:
    geo = county_maps.counties(semnan(), EN)["layout"]["geo"]
    points = [point for code in SEMNAN for ring in boundaries.rings_of(code, "county") for point in ring]
    for axis, values in zip(("lonaxis", "lataxis"), zip(*points, strict=True), strict=True):
        low, high = geo[axis]["range"]
        assert low < min(values)
        assert max(values) < high
        assert high - low < 1.1 * (max(values) - min(values))


@pytest.mark.parametrize("context", LOOKS)
def test_colours_mean_what_they_mean_on_the_map_of_provinces(context: ChartContext) -> None:
    behind, ahead, alike, small, none, *rest = SEMNAN
    figure = county_maps.counties(semnan(), context)
    colours = colour_of(figure)
    assert colours[behind] == colours[none] == context.colour("far_behind")
    assert colours[ahead] == context.colour("far_ahead")
    assert colours[alike] == context.colour("alike")
    assert {colours[code] for code in (small, *rest)} == {context.colour("surface")}, "few or no people are pale"
    provinces = replace(semnan(), by=("province",), rows=[("IR-00", *row[1:]) for row in semnan().rows[:1]])
    same = maps.provinces(replace(provinces, columns=("province", *provinces.columns[1:])), context)
    assert same["layout"]["meta"]["keys"][0]["colour"] in {key["colour"] for key in figure["layout"]["meta"]["keys"]}


def test_counties_with_nobody_are_hatched_and_no_other() -> None:
    behind, ahead, alike, _, none, *rest = SEMNAN
    figure = county_maps.counties(semnan(), EN)
    (hatch,) = [trace for trace in figure["data"] if trace.get("mode") == "lines"]
    middles = [
        ((x1 + x2) / 2, (y1 + y2) / 2)
        for x1, x2, y1, y2 in zip(
            hatch["lon"][::3], hatch["lon"][1::3], hatch["lat"][::3], hatch["lat"][1::3], strict=True
        )
    ]
    inside = {
        code
        for code in SEMNAN
        for point in middles
        if any(boundaries.is_within(*point, ring) for ring in boundaries.rings_of(code, "county"))
    }
    assert inside == {none, *rest}
    assert labels_of(figure)[-2:] == [EN.word("figure.small"), EN.word("figure.nobody")]
    somebody = county_maps.counties(
        replace(semnan(), rows=semnan().rows[:3], where={"county": (behind, ahead, alike)}), EN
    )
    assert not {EN.word("figure.small"), EN.word("figure.nobody")} & {*labels_of(somebody)}


def test_who_is_published_as_0_is_hatched_and_not_called_nobody() -> None:
    behind, *others = SEMNAN
    rows = [row for row in semnan().rows if row[0] == behind]
    figure = county_maps.counties(circulated(replace(semnan(), rows=rows)), EN)
    assert {colour_of(figure)[code] for code in others} == {EN.colour("surface")}
    assert any(trace.get("mode") == "lines" for trace in figure["data"])
    assert EN.word("figure.nobody") not in labels_of(figure)
    assert EN.word("figure.nobody_published") in labels_of(figure)


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_below_the_map_stand_the_whole_who_is_on_no_map_and_whose_the_boundaries_are(lang: str) -> None:
    context = ChartContext(lang)
    odd = ("9999", 2.0, 20, 100_000, "none", 6.0)
    made = replace(semnan(), rows=[*semnan().rows, odd])
    note = county_maps.counties(made, context)["layout"]["meta"]["credit"]
    assert text.plain(6.0, "per_10k", lang) in note
    assert context.word("dimension.province") in note, "counties of one province are compared with it"
    assert context.word("figure.no_county", count=text.number(7, lang)) in note
    assert context.word("figure.no_shape", names=context.named("county", "9999")) in note
    assert note.endswith(context.word("figure.osm"))
    assert "OpenStreetMap contributors" in note
    known = county_maps.counties(replace(semnan(), rows=semnan().rows[:3]), context)["layout"]["meta"]["credit"]
    assert context.word("figure.no_county", count=text.number(0, lang)) not in known


def test_a_province_of_one_county_is_its_shape() -> None:
    (qom,) = boundaries.counties_of("IR-25")
    figure = county_maps.counties(coverage([(qom, 6.0, 700, 1_200_000, "none")], province=("IR-25",)), FA)
    assert [code for trace in areas(figure) for code in trace["locations"]] == [qom]
    assert figure["data"][-2]["text"] == [f"<b>قم</b><br>{text.plain(6.0, 'per_10k', 'fa')}"]


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_value_stands_only_where_it_fits_into_its_county(lang: str) -> None:
    rows = [(code, 6.1, 610, 1_000_000, "none") for code in sorted(boundaries.codes("county"))]
    wide, narrow = county_maps.counties(coverage(rows, people=("armed",)), ChartContext(lang))["data"][-2:]
    across = (maps.COUNTRY[0][1] - maps.COUNTRY[0][0]) / 430
    assert (wide["meta"], narrow["meta"], narrow["visible"]) == ("wide", "narrow", False)
    assert 0 < len(wide["text"]) < 200
    assert len(narrow["text"]) <= len(wide["text"])
    places = {point: code for code, point in boundaries.label_points("county").items()}
    for x, y, words in zip(wide["lon"], wide["lat"], wide["text"], strict=True):
        rings = boundaries.rings_of(places[x, y], "county")
        longest = max(map(len, words.replace("<b>", "").replace("</b>", "").split("<br>")))
        half = longest * 12 * 0.5 / 2 * across
        assert any(all(boundaries.is_within(x + side * half, y, ring) for side in (-1, 1)) for ring in rings), words
        assert words.count("<br>") <= 1


def test_a_share_of_few_people_is_not_told() -> None:
    metric = catalogue()["training_compliance"]
    parts = (str(metric.numerator), str(metric.denominator))
    few, many = SEMNAN[:2]
    rows = [(few, 2 / 3, 2, 3, "untested", 0.8), (many, 0.81, 81, 100, "none", 0.8)]
    made = answer(metric.name, by=("county",), more=(*parts, "side", "whole_value"), rows=rows)
    hovers: dict[str, str] = {}
    for trace in areas(county_maps.counties(replace(made, where={"province": ("IR-20",)}), EN)):
        hovers |= dict(zip(trace["locations"], trace["hovertext"], strict=True))
    assert "66.7" not in hovers[few]
    assert "3 cases" in hovers[few]
    assert "81.0%" in hovers[many]
    assert EN.word("figure.nobody") in hovers[SEMNAN[2]]


def test_a_click_narrows_to_the_county_and_the_figure_is_light() -> None:
    rows = [(code, 6.1, 610, 1_000_000, "none") for code in sorted(boundaries.codes("county"))]
    figure = county_maps.counties(coverage(rows, people=("armed",)), FA)
    assert figure["layout"]["meta"]["clicks"] == "county"
    assert len(str(figure)) < 200_000
    assert math.isclose(figure["layout"]["height"], 430)


def test_the_address_of_coverage_says_which_map_is_open() -> None:
    days = Days(date(2020, 1, 1), date(2030, 1, 1))
    assert address.valid_parameters("coverage", {"map": ["county"]}, days) == {"map": ["county"]}
    assert address.valid_parameters("coverage", {"map": ["institute"]}, days) == {}


@pytest.mark.parametrize("words", LOOKS)
def test_a_picture_has_keys_that_look_as_the_areas_of_the_map(words: ChartContext) -> None:
    """White areas of small groups have a white key with a border, hatched ones a hatched key; no colour alone tells them."""
    picture = downloads.Picture(county_maps.counties(semnan(), words), "t", "s", "x")
    title = downloads.on_paper(picture, words)["layout"]["title"]["text"]
    marks = {key["label"]: downloads._mark(key, words) for key in picture.figure["layout"]["meta"]["keys"]}
    assert ">□<" in marks[words.word("figure.small")]
    assert words.colour("surface") not in marks[words.word("figure.small")]
    assert ">▨<" in marks[words.word("figure.nobody")]
    assert all(mark in title for mark in marks.values())


def test_each_kind_of_key_has_a_mark_of_its_own_in_a_picture() -> None:
    """Those of static/shell.css; a chart of a projection has two lines of one colour."""
    kinds = {*re.findall(r"\.pd-swatch\.pd-(\w+)", (ROOT / "static" / "shell.css").read_text("utf-8"))} - {
        "fill",
        "light",
    }
    assert kinds == downloads._MARKS.keys()
    assert len({*downloads._MARKS.values(), "■", "□"}) == len(kinds) + 2
    light, full = (downloads._mark(elements.key(EN, "x", "actual", kind), EN) for kind in ("light", "fill"))
    assert light != full


@pytest.mark.parametrize("province", sorted(boundaries.codes("province")))
def test_what_the_sentence_names_has_its_name_on_the_map(province: str) -> None:
    counties = boundaries.counties_of(province)
    rows = [(code, 0.3 + at / 10, 30, 100_000, "far_lower") for at, code in enumerate(counties)]
    asked = coverage(rows, province=(province,))
    named = [row["county"] for row in different.named(asked)][: different.MOST_NAMED]
    for context in (FA, EN):
        wide = county_maps.counties(asked, context, height=253)["data"][-2]
        written = " ".join(wide["text"])
        missing = [code for code in named if f"<b>{text.escape(context.member('county', code))}</b>" not in written]
        assert missing == []
