"""A chart shows its answer and nothing else, in the user's language and direction, in colours that everybody can distinguish."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from etl.analysis.projection import REACHED
from etl.analysis.training import GOAL, RUN_OFF_DAYS
from etl.core import declarations, jalali
from etl.semantic.answers import Answer
from etl.semantic.catalog import Metric, catalogue, derived, size_of
from etl.semantic.disclosure import for_circulation
from tests.made import answer, by_month, by_province
from ui.charts import (
    ahead,
    axes,
    bars,
    boundaries,
    county_maps,
    elements,
    forecast,
    licensing,
    lines,
    maps,
    steps,
    time_titles,
    titles,
    workforce,
)
from ui.charts.chart import spoken
from ui.charts.elements import ChartContext
from ui.i18n import member_names, text
from ui.palette import COLOURS, RAMPS

ROOT = Path(__file__).parents[2]
# What a chart says by colour.
MEANINGS = COLOURS.keys() - declarations.read(ROOT / "ui" / "palette.toml")["ground"].keys()
FA, EN = ChartContext("fa"), ChartContext("en")
LOOKS = [ChartContext(lang, dark) for lang in ("fa", "en") for dark in (False, True)]


def bridge() -> Answer:
    data = answer(
        "in_service",
        by=("step",),
        rows=[
            ("start", 900),
            ("joiners", 150),
            ("leavers", -40),
            ("end", 1010),
            ("licences_lapsed", -10),
            ("active", 1000),
        ],
    )
    return replace(data, metrics=(derived("bridge"),), columns=("step", "bridge"))


def projection() -> Answer:
    rows = [
        ("1404-01", 100, None, None, None, None),
        ("1404-02", 110, 110, 110, 110, None),
        ("1404-03", None, 112, 120, 117, None),
        ("1404-04", None, 113, 126, 119, None),
    ]
    names = ("active_assistants", "projected_low", "projected_high", "projected", "break_size")
    data = answer(names[0], by=("month",), rows=rows)
    return replace(data, metrics=(data.metrics[0], *map(derived, names[1:])), columns=("month", *names))


def lorenz() -> Answer:
    rows = [(None, 0.0, 0.0, 0.2), ("IR-11", 0.4, 0.2, 0.2), ("IR-23", 1.0, 1.0, 0.2)]
    names = ("residents_share", "assistants_share", "gini")
    data = answer("residents", by=("province",), rows=rows)
    return replace(data, metrics=tuple(derived(name) for name in names), columns=("province", *names))


def run_off() -> Answer:
    first = date(2026, 10, 22)
    rows = [(first + timedelta(days=n), 0.9 - n / 1000, 900 - n, 1000) for n in range(RUN_OFF_DAYS + 1)]
    data = answer("training_compliance", by=("day",), rows=rows)
    names = ("run_off", "compliant_assistants", "trainable_assistants")
    return replace(data, metrics=(derived("run_off"),), columns=("day", *names))


def statuses() -> Answer:
    names = ("status_in_date", "status_pending", "status_expired", "status_overdue")
    return answer(
        "training_compliance",
        *names,
        by=("province",),
        rows=[("IR-23", 0.8, 70, 10, 15, 5), ("IR-11", 0.5, 4, 1, 3, 2)],
    )


def flows() -> Answer:
    rows = [("1404-01", 30, 10), ("1404-02", 25, 12), ("1404-03", 4, 1)]
    return answer("joiners", "leavers", by=("month",), rows=rows, provisional=frozenset({"1404-03"}))


def months_by_province() -> Answer:
    rows = [("IR-11", "1404-01", 0.5), ("IR-11", "1404-02", None), ("IR-23", "1404-01", 0.8), ("IR-23", "1404-02", 0.9)]
    return answer("training_compliance", by=("province", "month"), rows=rows)


PARTS = {
    "status_in_date": "in_date",
    "status_pending": "pending",
    "status_expired": "expired",
    "status_overdue": "overdue",
}
DRAWN: dict[str, tuple[Any, Answer, dict[str, Any]]] = {
    "ranking": (bars.ranking, by_province(), {"nation": 0.82}),
    "gap": (bars.ranking, answer("coverage_gap", by=("province",), rows=[("IR-11", -30.4), ("IR-23", 30.4)]), {}),
    "stacked": (bars.stacked, statuses(), {"parts": tuple(PARTS.items())}),
    "paired": (bars.paired, flows(), {}),
    "columns": (bars.columns, flows(), {}),
    "bridge": (steps.bridge, bridge(), {}),
    "funnel": (steps.funnel, answer("applications", "decided", "granted", rows=[(90, 60, 45)]), {}),
    "pyramid": (
        workforce.pyramid,
        answer(
            "active_assistants", by=("education", "gender"), rows=[("diploma", "male", 9), ("diploma", "female", 2)]
        ),
        {},
    ),
    "trend": (lines.trend, by_month(), {"target": 1500}),
    "trend from a later start": (lines.trend, by_month(), {"zero": False}),
    "trend by province": (lines.trend, months_by_province(), {"zero": False}),
    "projection": (forecast.projection, projection(), {"target": 130}),
    "run-off": (lines.run_off, run_off(), {}),
    "lorenz": (lines.lorenz, lorenz(), {}),
    "heat": (lines.heat, months_by_province(), {}),
    "map": (maps.provinces, by_province(), {}),
    "map of counties": (
        county_maps.counties,
        answer("active_assistants", by=("county",), rows=[("2001", 90), ("2002", 4)], where={"province": ("IR-20",)}),
        {},
    ),
}
EVERY = [(name, context) for name in DRAWN for context in LOOKS]
IDS = [f"{name}, {context.lang}, {'dark' if context.dark else 'light'}" for name, context in EVERY]


def drawn(name: str, context: ChartContext) -> elements.Figure:
    chart, data, options = DRAWN[name]
    return chart(data, context, **options)


def strings(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a figure, with its place."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from strings(value, (*path, str(key)))
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from strings(value, path)
    elif isinstance(part, str):
        yield path, part


READ = {"text", "ticktext", "hovertext", "label", "credit"}


# ---------------------------------------------------------------- what holds for every chart


@pytest.mark.parametrize(("name", "context"), EVERY, ids=IDS)
def test_plotly_accepts_the_figure_and_it_travels_as_json(name: str, context: ChartContext) -> None:
    figure = drawn(name, context)
    go.Figure(figure)
    json.dumps(figure, allow_nan=False)


@pytest.mark.parametrize("name", DRAWN)
def test_a_persian_chart_has_no_latin_digit_and_no_gregorian_word(name: str) -> None:
    figure = drawn(name, FA)
    for path, label in strings(figure):
        if path[-1] in READ and path[-1] != "credit":
            without_tags = re.sub(r"</?\w+>", "", label)
            assert not re.search("[0-9A-Za-z]", without_tags), (path, label)


@pytest.mark.parametrize(("name", "context"), EVERY, ids=IDS)
def test_labels_lie_level_and_there_is_one_axis_of_values(name: str, context: ChartContext) -> None:
    keep_labels_level_on_one_axis(drawn(name, context))


def keep_labels_level_on_one_axis(figure: elements.Figure) -> None:
    """Plotly turns the labels below a chart where it has no angle for them; those beside it are always level."""
    layout = figure["layout"]
    assert not {"xaxis2", "yaxis2"} & layout.keys()
    below = layout.get("xaxis", {})
    assert below.get("tickangle") == 0 or not below.get("ticktext") or below.get("showticklabels") is False
    assert layout.get("yaxis", {}).get("tickangle", 0) == 0


@pytest.mark.parametrize("rows", [[("IR-11", -30.4), ("IR-23", 30.4)], [("IR-11", -1326), ("IR-23", 6377)]])
def test_gridlines_on_both_sides_of_zero_have_one_distance(rows: list[tuple[str, float]]) -> None:
    ticks = bars.ranking(answer("coverage_gap", by=("province",), rows=rows), FA)["layout"]["xaxis"]["tickvals"]
    assert 0 in ticks
    assert len({round(later - tick, 6) for tick, later in pairwise(ticks)}) == 1
    assert ticks[0] <= rows[0][1]
    assert ticks[-1] >= rows[1][1]


@pytest.mark.parametrize(("name", "context"), EVERY, ids=IDS)
def test_no_chart_has_more_than_nine_ticks_of_time_or_value(name: str, context: ChartContext) -> None:
    layout = drawn(name, context)["layout"]
    for axis in ("xaxis", "yaxis"):
        along = layout.get(axis, {})
        names = [label for label in along.get("ticktext", ()) if re.search("[0-9۰-۹]", label)]
        assert len(names) <= 9, (axis, along["ticktext"])


@pytest.mark.parametrize(("name", "context"), EVERY, ids=IDS)
def test_every_line_of_text_carries_its_direction(name: str, context: ChartContext) -> None:
    isolate = "\u2067" if context.lang == "fa" else "\u2066"
    for path, label in strings(drawn(name, context)["data"]):
        if path[-1] == "hovertext" and label:
            assert all(part.startswith(isolate) for part in label.split("<br>")), label


@pytest.mark.slow
def test_charts_do_not_import_streamlit() -> None:
    modules = "charts.bars, charts.elements, charts.titles, charts.lines, charts.maps, exports.writers, i18n.text"
    imported = ", ".join(f"ui.{module}" for module in modules.split(", "))
    code = f"import sys, {imported}; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# ---------------------------------------------------------------- bars


def test_a_ranking_starts_at_zero_and_is_sorted_with_the_unknown_last() -> None:
    figure = bars.ranking(by_province(), EN)
    bar = figure["data"][0]
    assert bar["customdata"] == ["IR-11", "IR-00", "IR-23", "IR-30"], "the lowest first, for more is better"
    assert bar["x"] == [0.5, 0.75, 0.9, None]
    assert figure["layout"]["xaxis"]["range"][0] == 0
    beyond = [note["text"].strip("\u2066\u2069") for note in figure["layout"]["annotations"]]
    assert beyond == ["50.0%", "75.0%", "90.0%", "No data"]


def test_in_persian_bars_grow_from_the_right_with_their_names_beside_them() -> None:
    figure = bars.ranking(by_province(), FA)
    low, high = figure["layout"]["xaxis"]["range"]
    assert low > high == 0
    assert figure["layout"]["yaxis"]["side"] == "right"
    assert figure["layout"]["yaxis"]["ticktext"][2] == "\u2067تهران\u2069"


def test_a_rate_shows_its_numerator_and_denominator_on_hover() -> None:
    hovers = bars.ranking(by_province(), EN)["data"][0]["hovertext"]
    assert "900 of 1,000" in hovers[2]
    assert "90.0%" in hovers[2]
    assert "۹۰۰ از ۱٬۰۰۰" in bars.ranking(by_province(), FA)["data"][0]["hovertext"][2]


def sided(data: Answer, **sides: str) -> Answer:
    """The answer with the side of each province, by its code without "IR-"; others are not told apart from the nation."""
    rows = [(*row, sides.get(str(row[0]).replace("-", ""), "none"), 0.8) for row in data.rows]
    return replace(data, columns=(*data.columns, "side", "whole_value"), rows=rows)


def test_only_the_worse_are_orange_and_stand_on_top_and_the_named_are_bold() -> None:
    data = sided(by_province(), IR11="lower", IR23="higher")
    figure = bars.ranking(data, EN, focus=("IR-11",))
    assert figure["data"][0]["customdata"][0] == "IR-11"
    colours = figure["data"][0]["marker"]["color"]
    assert colours[0] == EN.colour("problem")
    assert EN.colour("problem") not in colours[1:]
    assert figure["layout"]["annotations"][0]["text"] == "\u2066<b>50.0%</b>\u2069"
    meanings = dict(zip(figure["data"][0]["customdata"], colours, strict=True))
    assert (meanings["IR-23"], meanings["IR-30"]) == (EN.colour("actual"), EN.colour("pending"))
    labels = [(key["label"], key["colour"]) for key in figure["layout"]["meta"]["keys"]]
    assert labels[:3] == [
        ("below the nation", EN.colour("problem")),
        ("others", EN.colour("pending")),
        ("above the nation", EN.colour("actual")),
    ]
    untested = bars.ranking(by_province(), EN, focus=("IR-11",))
    assert EN.colour("problem") not in untested["data"][0]["marker"]["color"]


def test_a_group_too_small_to_be_ranked_is_paler_below_the_others_and_says_its_n() -> None:
    rows = [("IR-00", 1.0, 22, 22), ("IR-11", 0.5, 100, 200), ("IR-23", 0.9, 900, 1000), ("IR-30", None, 0, 0)]
    figure = bars.ranking(replace(by_province(), rows=rows), EN)
    bar = figure["data"][0]
    assert bar["customdata"] == ["IR-11", "IR-23", "IR-00", "IR-30"]
    assert [colour.startswith("rgba") for colour in bar["marker"]["color"]] == [False, False, True, False]
    assert bar["marker"]["line"]["width"] == [0, 0, 1, 0]
    assert "100.0% (n\u00a0=\u00a022)" in figure["layout"]["annotations"][2]["text"]
    assert "22 cases, too few to rank" in bar["hovertext"][2]
    assert "too few" not in bar["hovertext"][0]
    assert "Small groups, not ranked" in [key["label"] for key in figure["layout"]["meta"]["keys"]]


def test_the_nations_line_stands_at_the_nations_value() -> None:
    layout = bars.ranking(by_province(), EN, nation=0.82)["layout"]
    assert (layout["shapes"][0]["x0"], layout["shapes"][0]["x1"]) == (0.82, 0.82)
    assert "Nation 82.0%" in layout["annotations"][0]["text"]


def test_parts_of_a_whole_add_up_to_it_and_differ_by_more_than_colour() -> None:
    figure = bars.stacked(statuses(), EN, tuple(PARTS.items()))
    sums = [sum(part["x"][row] for part in figure["data"]) for row in range(2)]
    assert sums == pytest.approx([1, 1])
    shapes = [part["marker"]["pattern"]["shape"] for part in figure["data"]]
    assert shapes[2] != shapes[3]
    assert all(shapes[2:])


def test_a_bridge_adds_up_and_each_step_begins_where_the_last_ended() -> None:
    bar = steps.bridge(bridge(), EN)["data"][0]
    ends = [base + size for base, size in zip(bar["base"], bar["x"], strict=True)]
    assert bar["base"] == [0, 900, 1050, 0, 1010, 0]
    assert ends == [900, 1050, 1010, 1010, 1000, 1000]


def test_what_may_still_change_is_drawn_lighter() -> None:
    rows = [("1405-04", 30, 10), ("1405-05", 25, 12), ("1405-06", 20, 9), ("1405-07", 21, 8), ("1405-08", 4, 1)]
    # The data end on 30 Mehr 1405.
    over, changing = (date(2026, 6, 22), date(2026, 10, 30)), frozenset({"1405-05", "1405-06", "1405-07", "1405-08"})
    figure = bars.paired(answer("joiners", "leavers", by=("month",), rows=rows, provisional=changing, over=over), EN)
    joiners, leavers = (trace["marker"] for trace in figure["data"])
    assert joiners["color"] == [*[EN.colour("joiners")] * 4, elements.faded(EN.colour("joiners"), 0.45)]
    assert joiners["line"] == {"color": EN.colour("joiners"), "width": [0, 0, 0, 0, 1]}, "legible on the page"
    assert leavers["line"]["width"] == [0, 1, 1, 1, 1]
    assert "Provisional" in [key["label"] for key in figure["layout"]["meta"]["keys"]]


def test_a_month_cut_by_an_older_day_is_drawn_lighter_and_named_in_no_title() -> None:
    rows = [("1404-05", 30, 10), ("1404-06", 31, 12), ("1404-07", 90, 9)]
    cut = answer(
        "joiners",
        "leavers",
        by=("month",),
        rows=rows,
        provisional=frozenset({"1404-07"}),
        over=(date(2025, 7, 23), date(2025, 10, 15)),
    )
    figure = bars.paired(cut, EN)
    assert [trace["marker"]["line"]["width"] for trace in figure["data"]] == [[0, 0, 1]] * 2
    assert "Shahrivar" in time_titles.pair(cut, EN).sentence


# ---------------------------------------------------------------- lines


def test_an_unknown_month_is_a_gap_and_the_last_is_open() -> None:
    firm, end = lines.trend(by_month(), EN)["data"]
    assert firm["y"][5] is None
    assert firm["connectgaps"] is False
    assert firm["y"][-1] is None, "what is not over is no part of the firm line"
    assert end["line"]["dash"] == "dot"
    assert end["marker"]["color"] == EN.colour("surface"), "hollow"
    last = len(firm["y"]) - 1
    drawn = {at: value for at, value in enumerate(end["y"]) if value is not None}
    assert drawn == {last - 1: firm["y"][last - 1], last: 1130}, "from the last firm month to the open one"
    assert end["hovertext"][-1] == firm["hovertext"][last]


def test_the_first_unit_is_open_where_the_period_begins_in_it_and_no_line_joins_it_to_the_last() -> None:
    labels = [f"1404-{month:02}" for month in range(1, 6)]
    rows = [(label, at) for at, label in enumerate(labels)]
    data = answer("joiners", by=("month",), rows=rows, provisional=frozenset({labels[0], labels[-1]}))
    firm, open_ = lines.trend(data, EN)["data"]
    assert firm["y"] == [None, 1, 2, 3, None]
    assert dict(zip(open_["x"], open_["y"], strict=True)) == {0: 0, 1: 1, 2: None, 3: 3, 4: 4}
    assert open_["marker"]["size"] == [8, 0, 0, 0, 8]


def test_actual_is_solid_the_target_outlined_the_projection_dashed() -> None:
    line, _ = lines.trend(by_month(), EN)["data"]
    assert (line["line"]["color"], line["line"]["dash"]) == (EN.colour("actual"), "solid")
    goal = lines.trend(by_month(), EN, target=1500)["layout"]["shapes"][0]
    assert (goal["y0"], goal["y1"]) == (1500, 1500)
    assert goal["line"]["dash"] != "solid"
    low, high, projected, actual, points = forecast.projection(projection(), EN)["data"]
    assert (projected["y"], projected["line"]["dash"]) == ([None, 110, 117, 119], "dash")
    assert low["line"]["dash"] == high["line"]["dash"] == "dot"
    assert high["fill"] == "tonexty", "the range is filled"
    assert lines.run_off(run_off(), EN)["data"][0]["line"]["dash"] == "dash"
    assert actual["line"]["dash"] == "solid"
    assert actual["y"] == [100, 110, None, None]
    assert (points["x"], points["y"], EN.word("figure.now") in points["text"][0]) == ([1], [110], True)


def test_the_axis_of_a_projection_holds_facts_and_projection_not_the_far_end_of_the_range() -> None:
    data = projection()
    wide = replace(data, rows=[*data.rows, ("1404-04", None, 20, 9000, 120, None)])
    assert 120 <= forecast.projection(wide, EN)["layout"]["yaxis"]["range"][1] < 250


def test_a_projection_has_one_axis_on_all_pages_and_says_where_its_range_runs_off() -> None:
    data = projection()
    names = ("planned_actual", "planned", "planned_low", "planned_high", "planned_goal")

    def drawn(low: float, high: float) -> list[dict[str, Any]]:
        rows = [*data.rows[:2], *((f"1404-{month:02}", None, low, high, 117, None) for month in (3, 4))]
        planned = [(month, actual, plan, least, most, 130) for month, actual, least, most, plan, _ in rows]
        path = replace(
            data,
            metrics=tuple(replace(data.metrics[0], name=name) for name in names),
            columns=("month", *names),
            rows=planned,
        )
        ahead = forecast.projection(replace(data, rows=rows), EN, target=130)
        return [figure["layout"] for figure in (ahead, forecast.path(path, EN))]

    for ends, note in (
        ((112, 120), ""),
        ((112, 900), "The range runs off the chart."),
        ((3, 120), "The range runs off the chart."),
    ):
        ahead, planned = drawn(*ends)
        assert ahead["yaxis"]["range"] == planned["yaxis"]["range"]
        assert ahead["yaxis"]["range"][0] >= 80, "a line need not begin at zero"
        assert [layout["meta"].get("credit", "") for layout in (ahead, planned)] == [note, note]


def test_a_census_share_is_a_line_unless_it_would_squeeze_the_facts() -> None:
    def drawn(target: float) -> str:
        figure = forecast.projection(projection(), EN, target=target, target_word="figure.census_share")
        return " ".join(note["text"] for note in figure["layout"].get("annotations", []))

    assert "Census share 200" in drawn(200)
    assert "Census share" not in drawn(400)


def test_the_month_that_reaches_the_target_is_named_above_the_plot() -> None:
    layout = forecast.projection(projection(), EN, target=115)["layout"]
    note = next(note for note in layout["annotations"] if "Khordad\u00a01404" in note["text"])
    assert (note["yref"], note["y"], note["yanchor"], note["x"]) == ("paper", 1, "bottom", 2), (
        "no line runs above the plot"
    )
    assert (layout["shapes"][-1]["x0"], layout["shapes"][-1]["y0"]) == (2, layout["yaxis"]["range"][0])
    points = forecast.projection(projection(), EN, target=115)["data"][-1]
    assert (points["x"][-1], points["y"][-1]) == (2, 115), "its line, from the axis up, has a point at the target"
    assert layout["margin"]["t"] >= note["yshift"] + forecast._ROW


def test_the_words_of_the_target_stand_clear_of_the_line_of_a_break() -> None:
    breaks = {3: -80.0, 15: 70.0}
    rows = [(f"{1404 + at // 12}-{at % 12 + 1:02}", 100, None, None, None, breaks.get(at)) for at in range(20)]
    figure = forecast.projection(replace(projection(), rows=rows), EN, target=130)
    words = figure["layout"]["annotations"][0]
    assert "Target" in words["text"]
    assert (words["xref"], words["x"], words["xanchor"]) == ("x", 3, "left")
    assert words["xshift"] > 0


def test_the_first_bars_are_counted_among_the_groups_that_have_a_value() -> None:
    data = answer("coverage_per_10k", by=("county",), rows=[("a", 3.0), ("b", 2.0), ("c", 1.0), (None, None)])
    credits = [bars.ranking(data, EN, most=most)["layout"]["meta"].get("credit", "") for most in (2, 3)]
    assert credits == [EN.word("more.first_of", shown="2", count="3", groups="counties"), ""]


def test_what_circulates_is_counted_as_it_is_listed() -> None:
    rows = [("IR-23", f"IR-{at:02}", 30 if at < 18 else 1) for at in range(1, 23)]
    data = for_circulation(answer("transfers_in", by=("origin", "province"), rows=rows))
    assert len(data.rows) < len(rows)
    credit = workforce.moves(data, EN)["layout"]["meta"]["credit"]
    assert credit == EN.word("figure.first_routes", shown="15", count=str(len(data.rows)))


def test_a_range_for_circulation_names_the_fewest_people_of_a_share() -> None:
    rows = [(f"10{at:02}", 0.9, *([400 * at, 450 * at] if at < 4 else [1, 1])) for at in range(1, 7)]
    parts = ("compliant_assistants", "trainable_assistants")
    data = for_circulation(answer("training_compliance", by=("county",), rows=rows, more=parts))
    assert "(100 people or more)" in titles.whole_range(data, EN).sentence


def test_the_range_of_trials_has_a_gap_where_there_was_none() -> None:
    ranges = [(90, 120), (95, 125), (None, None), (100, 130), (101, 131)]
    rows = [(f"1404-{at:02}", 100 + at, *ends) for at, ends in enumerate(ranges, 1)]
    names = ("active_assistants", "projected_low", "projected_high")
    data = answer(names[0], by=("month",), rows=rows)
    data = replace(data, metrics=(data.metrics[0], *map(derived, names[1:])), columns=("month", *names))
    *area, actual = forecast.history(data, EN)["data"]
    assert [(line["x"], line["y"]) for line in area[::2]] == [([0, 1], [90, 95]), ([3, 4], [100, 101])]
    assert [line.get("fill") for line in area] == [None, "tonexty"] * 2
    assert actual["y"] == [101, 102, 103, 104, 105]


def test_half_of_the_residents_is_read_off_the_curve_between_two_groups() -> None:
    # A sixth of the way from 20% at 40% of residents to 100% at all.
    assert lines.middle(lorenz(), EN).sentence == "The least covered half of residents has only 33% of assistants"


def test_curves_that_coincide_have_one_key() -> None:
    groups = [(None, 0.0, 0.0, 0.2), ("IR-11", 0.4, 0.2, 0.2), ("IR-23", 1.0, 1.0, 0.2)]
    rules = {"today": 0.0, "proportional": 0.001, "equal": 0.1}
    rows = [
        (rule, code, x, y + more * (code == "IR-11"), gini)
        for rule, more in rules.items()
        for code, x, y, gini in groups
    ]
    data = replace(lorenz(), by=("rule", "province"), columns=("rule", *lorenz().columns), rows=rows)
    figure = lines.lorenz(data, EN)
    today, proportional, equal = (EN.member("rule", rule) for rule in rules)
    assert [key["label"] for key in figure["layout"]["meta"]["keys"]][1:] == [f"{today}, {proportional}", equal]
    assert len(figure["data"]) == 3, "the line of equality and two curves"


def test_a_range_has_a_key_where_one_is_drawn() -> None:
    data = projection()
    without = replace(data, rows=[*data.rows[:2], ("1404-03", None, None, None, 117, None)])
    labels = [
        [key["label"] for key in forecast.projection(one, EN)["layout"]["meta"]["keys"]] for one in (data, without)
    ]
    assert ["Range" in names for names in labels] == [True, False]


def test_consecutive_breaks_are_named_once_at_the_largest_as_in_the_verdict() -> None:
    data = projection()
    rows = [(month, 100, None, None, None, size) for month, size in
            (("1404-05", None), ("1404-06", -80.0), ("1404-07", -90.0), ("1404-08", None), ("1404-09", 70.0))]  # fmt: skip
    for context, words in (
        (EN, ["drop of Mehr\u00a01404", "jump of Azar\u00a01404"]),
        (FA, ["افت مهر\u00a0۱۴۰۴", "جهش آذر\u00a0۱۴۰۴"]),
    ):
        layout = forecast.projection(replace(data, rows=rows), context)["layout"]
        named = {note["x"]: note for note in layout["annotations"]}
        assert {at: re.sub("[\u2066-\u2069]", "", note["text"]) for at, note in named.items()} == {
            2: words[0],
            4: words[1],
        }
        for note in named.values():
            assert (note["yref"], note["y"], note["yanchor"]) == ("paper", 1, "bottom"), "no line runs above the plot"
            assert note["yshift"] + forecast._ROW <= layout["margin"]["t"]
        assert named[2]["yshift"] != named[4]["yshift"], "neighbours do not cover each other"


def test_a_break_whose_words_would_cover_those_of_a_later_one_is_not_named() -> None:
    breaks = {2: -80.0, 4: 70.0, 6: -60.0, 18: 50.0}
    rows = [(f"{1404 + at // 12}-{at % 12 + 1:02}", 100, None, None, None, breaks.get(at)) for at in range(20)]
    layout = forecast.projection(replace(projection(), rows=rows), EN)["layout"]
    assert [note["x"] for note in layout["annotations"]] == [4, 6, 18], (
        "4 and 18 are in one row, more than half the chart apart"
    )
    assert len(layout["shapes"]) == 3, "each has its pointer"


def test_time_axes_have_jalali_months_or_whole_years() -> None:
    short_axis = lines.trend(by_month(), FA)["layout"]["xaxis"]
    assert short_axis["ticktext"][-1] == "\u2067فروردین\u2069<br>\u2067۱۴۰۵\u2069"
    labels = [f"{year}-{month:02}" for year in range(1393, 1405) for month in range(1, 13)]
    many = answer("active_assistants", by=("month",), rows=[(label, 5) for label in labels])
    axis = lines.trend(many, FA)["layout"]["xaxis"]
    shown = [re.sub("[\u2066-\u2069]", "", label) for label in axis["ticktext"]]
    assert shown == ["۱۳۹۳", "۱۳۹۵", "۱۳۹۷", "۱۳۹۹", "۱۴۰۱", "۱۴۰۳"]
    assert [labels[i] for i in axis["tickvals"]] == [f"{year}-01" for year in range(1393, 1405, 2)]


def test_english_axes_and_hovers_have_both_calendars() -> None:
    def lines_of(written: str) -> list[str]:
        return [re.sub("[\u2066-\u2069]", "", part) for part in written.split("<br>")]

    figure = lines.trend(by_month(), EN)
    assert lines_of(figure["layout"]["xaxis"]["ticktext"][-1]) == ["Farvardin", "1405", "Mar–Apr\u00a0’26"]
    assert "Ordibehesht\u00a01405 (Apr–May\u00a02026)" in figure["data"][0]["hovertext"][-1]
    rows = [(f"{year}-{month:02}", 5) for year in range(1393, 1405) for month in range(1, 13)]
    years = lines.trend(answer("active_assistants", by=("month",), rows=rows), EN)["layout"]["xaxis"]["ticktext"]
    assert lines_of(years[0]) == ["1393", "2014–15"]
    days = run_off()
    day = lines.run_off(days, EN)["layout"]["xaxis"]["ticktext"][0]
    assert " ".join(lines_of(day)).split() == re.sub("[()]", "", text.day(days.rows[0][0], "en")).split()


def test_a_title_that_is_too_long_for_two_calendars_has_one() -> None:
    short, long = (
        "{0} in Mordad\u00a01405 (Jul–Aug\u00a02026): 12,345 people",
        "{0} in Mordad\u00a01405 (Jul–Aug\u00a02026): 12,345 people, 9 in 1404",
    )
    assert titles.Title(short.format("Joiners")).sentence == short.format("Joiners")
    assert (
        titles.Title(long.format("All the joiners")).sentence
        == "All the joiners in Mordad\u00a01405: 12,345 people, 9 in 1404"
    )


def test_a_count_starts_at_zero_and_a_share_shows_at_least_ten_points() -> None:
    assert lines.trend(by_month(), EN)["layout"]["yaxis"]["range"][0] == 0
    still = answer("training_compliance", by=("month",), rows=[("1404-01", 0.841), ("1404-02", 0.842)])
    low, high = lines.trend(still, EN, zero=False)["layout"]["yaxis"]["range"]
    assert high - low >= 0.1


# ---------------------------------------------------------------- map


def provinces_tested(*metrics: str, alike: str = "none") -> Answer:
    """As the analysis `different` answers: one province far behind, one ahead, one `alike`, one without a value."""
    rows = [
        ("IR-11", 0.5, 0.8, 0.001, 9, 100, 200, "lower"),
        ("IR-23", 0.84, 0.8, 0.001, 9, 840, 1000, "higher"),
        ("IR-00", 0.75, 0.8, 0.6, 9, 75, 100, alike),
        ("IR-30", None, 0.8, None, 0, 0, 0, "untested"),
    ]
    metric = next(iter(metrics), "training_compliance")
    made = answer(metric, by=("province",), rows=rows)
    parts = [str(made.metrics[0].numerator), str(made.metrics[0].denominator)]
    return replace(made, columns=("province", metric, "whole_value", "p_value", "institutes_compared", *parts, "side"))


def test_a_province_too_small_to_compare_is_hatched_and_none_that_does_not_differ() -> None:
    answer = provinces_tested()
    small = ("IR-10", 0.5, 0.8, None, 1, 4, 8, "untested")
    with_small, without = (
        maps.provinces(replace(answer, rows=[*answer.rows[:3], *more]), EN) for more in ([small], [])
    )
    assert [key["label"] for key in with_small["layout"]["meta"]["keys"]][-1] == EN.word("figure.small")
    assert EN.word("figure.small") not in [key["label"] for key in without["layout"]["meta"]["keys"]]
    assert len(with_small["data"]) == len(without["data"]) + 1


def test_the_map_shows_what_has_a_value_and_hatches_what_has_none() -> None:
    figure = maps.provinces(provinces_tested(), EN)
    coloured, grey, lines_across = figure["data"][:3]
    assert coloured["locations"] == ["IR-11", "IR-23", "IR-00"]
    assert grey["locations"] == ["IR-30"]
    assert lines_across["mode"] == "lines"
    assert None in lines_across["lon"]
    assert figure["layout"]["meta"]["keys"][-1] == elements.key(EN, "No data", "missing", "hatch")


def test_who_is_of_no_known_province_is_on_no_map() -> None:
    data = answer("course_results", by=("province",), rows=[("IR-11", 9), ("IR-23", 5), (None, 7)])
    assert maps.provinces(data, EN)["data"][0]["locations"] == ["IR-11", "IR-23"]


@pytest.mark.parametrize("context", LOOKS)
def test_the_test_decides_the_hue_of_a_province_and_the_distance_its_depth(context: ChartContext) -> None:
    figure = maps.provinces(provinces_tested(), context)
    coloured = figure["data"][0]
    assert [maps.AREAS[step] for step in coloured["z"]] == ["far_behind", "ahead", "alike"]
    assert [colour for _, colour in coloured["colorscale"]][::2] == [context.colour(area) for area in maps.AREAS]
    meta = maps.provinces(provinces_tested(), EN)["layout"]["meta"]
    labels = [key["label"] for key in meta["keys"]]
    assert labels == [
        "below the nation",
        "others",
        "above the nation",
        "No data",
    ], "no class without a province"
    assert meta["credit"] == "Nation 80.0% · strong: over 5 points apart"
    answer = provinces_tested()
    nearer = ("IR-09", 0.77, 0.8, 0.001, 9, 770, 1000, "lower")
    orders = [
        [
            key["label"]
            for key in maps.provinces(replace(answer, rows=[*answer.rows, nearer]), look)["layout"]["meta"]["keys"]
        ]
        for look in (EN, ChartContext("en", True))
    ]
    assert orders[0] == orders[1]
    assert orders[0][:3] == ["", "below the nation", "others"], "two classes of one side have one label"


def covered() -> Answer:
    """Coverage of provinces by 0.3 to 2.2 times the nation's 10 per 10,000."""
    sides = ("far_lower", "lower", "none", "higher", "far_higher")
    codes = ("IR-11", "IR-02", "IR-20", "IR-10", "IR-23")
    rows = [
        (code, 10 * times, int(1000 * times), 1e6, side, 10.0)
        for code, times, side in zip(codes, (0.3, 0.6, 1.0, 1.5, 2.2), sides, strict=True)
    ]
    data = answer(
        "coverage_per_10k", by=("province",), rows=[row[:4] for row in rows], more=("active_assistants", "residents")
    )
    return replace(data, rows=rows, columns=(*data.columns, "side", "whole_value"))


@pytest.mark.parametrize("context", LOOKS)
def test_coverage_has_its_five_sides_on_the_map_and_in_bars_and_is_named_where_it_is_far(context: ChartContext) -> None:
    areas = maps.provinces(covered(), context)
    assert [maps.AREAS[step] for step in areas["data"][0]["z"]] == [*maps.AREAS]
    ranked = bars.ranking(covered(), context)
    assert ranked["data"][0]["customdata"] == ["IR-11", "IR-02", "IR-20", "IR-10", "IR-23"]
    meanings = ("problem", "behind", "pending", "ahead", "actual")
    assert ranked["data"][0]["marker"]["color"] == [context.colour(meaning) for meaning in meanings]
    said = {
        maps.provinces: ["below half", "below 3/4", "others", "above 4/3", "over twice"],
        bars.ranking: [
            "below half of the nation", "below three quarters of the nation", "others",
            "above four thirds of the nation", "more than twice the nation",
        ],
    }  # fmt: skip
    for chart, labels in said.items():
        assert [key["label"] for key in chart(covered(), EN)["layout"]["meta"]["keys"]][:5] == labels
    title = titles.extreme(covered(), EN)
    assert (title.sentence, title.focus) == (
        "Coverage below half of the national average: Sistan and Baluchestan",
        ("IR-11",),
    )


def test_who_is_low_without_being_told_from_chance_has_a_question_mark() -> None:
    data = sided(by_province(), IR11="lower", IR00="unclear")
    ranked = bars.ranking(data, EN)
    words = dict(zip(ranked["data"][0]["customdata"], ranked["layout"]["annotations"], strict=False))
    assert [code for code, note in words.items() if "?" in note["text"]] == ["IR-00"]
    area = maps.provinces(provinces_tested(alike="unclear"), EN)
    labels = [label for trace in area["data"] for label in trace.get("text") or () if "?" in label]
    alone = "\u206675.0?\u2069"
    assert labels == [f"<b>Markazi</b><br>{alone}", alone], "with its name, and alone on a phone"
    assert "? not statistically significant" in [key["label"] for key in ranked["layout"]["meta"]["keys"]]
    assert "? not statistically significant" in area["layout"]["meta"]["credit"]


def test_a_path_names_the_month_in_which_it_reaches_its_target_even_beyond_what_is_shown() -> None:
    names = ("active_assistants", "plan_active", "plan_low", "plan_high", "target")
    data = answer(names[0], by=("month",), rows=[])
    metrics = (data.metrics[0], *map(derived, names[1:4]), catalogue()["target"])
    columns = ("month", *names, *REACHED)

    def title(*months: str | None, lang: str = "en", target: float = 100) -> str:
        rows = [("1405-01", 90, 90, 90, 90, target, *months), ("1405-02", None, 95, 90, 99, target, *months)]
        path = replace(data, metrics=metrics, columns=columns, rows=rows)
        return forecast.reached(path, ChartContext(lang)).sentence.replace("\u00a0", " ")

    assert title("1405-05", "1407-01", "1410-03") == (
        "Active police assistants: 100 projected, Farvardin 1407 (Mordad 1405 to Khordad 1410)"
    )
    assert title("1405-05", "1407-01", "1410-03", lang="fa") == (
        "پلیس‌یاران فعال: برآورد تحقق ۱۰۰، فروردین ۱۴۰۷ (مرداد ۱۴۰۵ تا خرداد ۱۴۱۰)"
    )
    assert title("1407-01", "1407-01", "1407-01") == title(None, "1407-01", None)
    assert title(None, "1407-01", None).startswith("Active police assistants: 100 projected for Farvardin 1407")
    assert title("1407-01", None, None).startswith("Active police assistants: 100 not projected before Farvardin 1407")
    assert title(None, None, None) == "Active police assistants: 100 not projected within five years"
    assert "projected by Ordibehesht 1405: 95" in title("1405-01", "1405-01", "1405-01", target=90), "reached today"


def test_a_path_that_falls_first_says_how_far() -> None:
    names = ("training_compliance", "plan_compliance", "plan_compliance_low", "plan_compliance_high", "plan_goal")

    def title(bottom: float, end: float = 0.865) -> str:
        shares = {"1405-09": 0.843, "1406-02": bottom, "1406-09": end}
        rows = [(month, None, share, share - 0.1, share + 0.01, 0.95) for month, share in shares.items()]
        data = answer(names[0], by=("month",), rows=rows)
        metrics = (data.metrics[0], *map(derived, names[1:]))
        return forecast.reached(replace(data, metrics=metrics, columns=("month", *names)), EN).sentence

    assert title(0.8339).startswith("Training compliance: below target"), "less than a point, as shown"
    falls = title(0.7965)
    assert falls == "Training compliance: lowest 79.7% in Ordibehesht\u00a01406, 86.5% in Azar\u00a01406"
    assert "below target" in title(0.843, 0.8), "the end is the lowest"


def test_a_label_at_the_end_of_a_line_has_the_ground_of_the_page_and_no_depth_is_told_where_none_is() -> None:
    figure = maps.provinces(provinces_tested("leaver_rate_12m"), EN)
    labels = figure["data"][-2]
    tehran = labels["lon"].index(52.8)
    assert EN.colour("surface") in labels["textfont"]["shadow"][tehran]
    answer = provinces_tested()
    at = answer.columns.index("training_compliance")
    near = replace(answer, rows=[(*row[:at], 0.79, *row[at + 1 :]) for row in answer.rows])
    assert "strong" not in maps.provinces(near, EN)["layout"]["meta"]["credit"]


def test_where_less_is_better_the_higher_province_is_behind() -> None:
    figure = maps.provinces(provinces_tested("leaver_rate_12m"), EN)
    assert [maps.AREAS[step] for step in figure["data"][0]["z"]] == ["far_ahead", "behind", "alike"]


def test_a_value_without_a_name_stands_in_its_province() -> None:
    answer = provinces_tested()
    figure = maps.provinces(replace(answer, rows=[*answer.rows, ("IR-25", 0.75, 0.8, 0.6, 9, 75, 100, "none")]), EN)
    wide, narrow = figure["data"][-2:]
    at = wide["text"].index("<b>Qom</b> 75.0")
    west, east = (min(x for ring in boundaries.rings_of("IR-25") for x, _ in ring), 51.97)
    assert not west < wide["lon"][at] < east, "with its name it stands beside its province"
    assert west < narrow["lon"][at] < east
    leaders = [trace for trace in figure["data"] if trace.get("mode") == "lines+markers"]
    assert [trace["meta"] for trace in leaders] == ["wide", "wide", "narrow", "narrow"]
    has_qom = [51.05 in trace["lon"] for trace in leaders]
    assert has_qom == [True, True, False, False], "its line goes with the name"


@pytest.mark.parametrize("context", LOOKS)
def test_the_label_of_qom_is_legible_on_isfahan(context: ChartContext) -> None:
    counts = answer("active_assistants", by=("province",), rows=[("IR-25", 1140), ("IR-10", 4372), ("IR-16", 340)])
    figure = maps.provinces(counts, context)
    wide, coloured = figure["data"][-2], figure["data"][0]
    isfahan = [colour for _, colour in coloured["colorscale"]][::2][coloured["z"][1]]
    assert wide["textfont"]["color"][0] == context.on(isfahan)
    assert isfahan in wide["textfont"]["shadow"][0]
    casing, line = (trace["line"] for trace in figure["data"] if trace.get("mode") == "lines+markers")
    assert (casing["color"], line["color"]) == (context.colour("surface"), context.colour("text"))
    assert casing["width"] > line["width"]


def test_every_province_has_its_value_and_those_behind_their_name() -> None:
    wide, narrow = maps.provinces(provinces_tested(), EN)["data"][-2:]
    assert wide["text"] == ["<b>Sistan and<br>Baluchestan</b><br>50.0", "<b>Tehran</b><br>84.0", "75.0"]
    assert (narrow["text"], narrow["visible"]) == (["50.0", "84.0", "75.0"], False)
    for ink, shadow in zip(wide["textfont"]["color"], wide["textfont"]["shadow"], strict=True):
        assert contrast(ink, shadow.split()[3].rstrip(",")) >= 4.5
    assert set(maps._LABELS) == set(member_names.fixed("province", "en"))


@pytest.mark.parametrize("context", LOOKS)
def test_words_of_the_other_ink_that_stick_out_of_their_province_bring_its_colour(context: ChartContext) -> None:
    labels = maps.provinces(provinces_tested(), context)["data"][-2]["textfont"]
    sticks_out = context.on(context.colour("far_behind")) != context.on(context.colour("surface"))
    assert sticks_out == context.dark
    assert ("2px 2px 0 " in labels["shadow"][0]) == sticks_out
    assert "1px 1px 0 " in labels["shadow"][0]


@pytest.mark.parametrize("context", LOOKS)
def test_words_on_a_province_far_behind_contrast_with_its_colour(context: ChartContext) -> None:
    figure = maps.provinces(provinces_tested(), context)
    assert contrast(figure["data"][-2]["textfont"]["color"][0], context.colour("far_behind")) >= 4.5


def test_few_cases_of_a_problem_are_not_too_few_to_compare() -> None:
    rows = [("IR-23", 90), ("IR-11", 12)]
    untrained = bars.ranking(answer("officers_lapsed", by=("province",), rows=rows), EN)
    assert untrained["data"][0]["marker"]["line"]["width"] == [0, 0]
    few = bars.ranking(answer("active_assistants", by=("province",), rows=rows), EN)
    assert few["data"][0]["marker"]["line"]["width"] == [0, 1]


def test_no_label_of_a_map_covers_another_on_the_narrowest_that_has_names() -> None:
    degree = 340 / 20.1
    boxes = {}
    for code, label in maps._LABELS.items():
        lines = [*maps._label(code, "99.9", True, FA).names, "99.9"]
        if label.get("inline"):
            lines = [" ".join(lines)]
        width, height = max(26.0, *(5.9 * len(line) for line in lines)), 14 * len(lines)
        x, y = label["at"][0] * degree, math.degrees(math.asinh(math.tan(math.radians(label["at"][1])))) * degree
        boxes[code] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        across, up = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        assert min(across, up) <= 2, (one, other)


def test_what_is_chosen_is_outlined_above_all_else_and_not_filled() -> None:
    figure = maps.provinces(by_province(), EN, chosen=("IR-30",))
    (outlined,) = (
        trace for trace in figure["data"] if trace.get("locations") == ["IR-30"] and "hovertext" not in trace
    )
    assert outlined["locations"] == ["IR-30"]
    assert outlined["marker"]["line"]["color"] == EN.colour("chosen")
    assert {colour for _, colour in outlined["colorscale"]} == {"rgba(0,0,0,0)"}
    assert outlined["hoverinfo"] == "skip", "the shape below it has the hover text"


def test_boundaries_travel_by_address_and_are_credited() -> None:
    figure = maps.provinces(by_province(), EN)
    assert figure["data"][0]["geojson"] == boundaries.address("province")
    assert len(json.dumps(figure)) < 60_000
    assert figure["layout"]["meta"]["boundaries"] == "© OpenStreetMap contributors"
    assert elements.CONFIG["topojsonURL"].startswith("./app/static/")


def test_every_province_has_a_hatch_that_lies_within_it() -> None:
    for code in member_names.fixed("province", "en"):
        ring = [point for part in boundaries.rings_of(code) for point in part]
        west, east = min(x for x, _ in ring), max(x for x, _ in ring)
        inside = [point for point in boundaries.hatch(code) if None not in point]
        assert inside, code
        assert all(west - 1e-9 <= x <= east + 1e-9 for x, _ in inside)


def test_classes_hold_every_value_and_have_whole_bounds() -> None:
    values = [float(n // 2) + 0.3 for n in range(31)]
    scale = maps.classes(values, catalogue()["coverage_per_10k"], EN)
    assert len(scale.colours) == 5 == len(set(scale.colours))
    assert all(bound == round(bound) for bound in scale.bounds)
    assert {scale.of(value) for value in values} == set(range(5))
    assert [scale.of(value) for value in values] == sorted(scale.of(value) for value in values)
    assert [key["label"] for key in scale.keys(EN)][::4] == ["below 3", "12 and over"]
    shares = maps.classes([0.1234, 0.2345, 0.3456, 0.4567, 0.5678], catalogue()["women_share"], FA)
    assert shares.keys(FA)[0]["label"] == "کمتر از " + text.percent(0.23, "fa", 0)


def test_classes_of_counts_do_not_share_a_number() -> None:
    counts = maps.classes([1, 1, 2, 3, 4, 7, 9], catalogue()["active_assistants"], EN)
    assert counts.bounds == [2, 3, 7, 9]
    assert [key["label"] for key in counts.keys(EN)] == ["below 2", "2", "3 to 6", "7 to 8", "9 and over"]


def test_values_less_than_a_whole_number_apart_have_bounds_with_the_digits_they_need() -> None:
    scale = maps.classes([0.11, 0.12, 0.13, 0.14, 0.15], catalogue()["coverage_per_10k"], EN)
    assert scale.bounds == [0.12, 0.13, 0.14, 0.15]
    assert scale.keys(EN)[1]["label"] == "0.12 to 0.13"


# ---------------------------------------------------------------- colours


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("meaning", sorted(MEANINGS))
def test_graphics_stand_out_three_to_one_and_words_four_and_a_half(meaning: str, dark: bool) -> None:
    least = 4.5 if meaning in ("text", "quiet", "nation", "target") else 3
    assert contrast(COLOURS[meaning][dark], COLOURS["surface"][dark]) >= least


@pytest.mark.parametrize("dark", [False, True])
def test_no_red_stands_against_green(dark: bool) -> None:
    def is_red_or_green(colour: str) -> str:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        if red > 1.7 * max(green, blue):
            return "red"
        return "green" if green > 1.3 * max(red, blue) else ""

    hues = {name: is_red_or_green(COLOURS[name][dark]) for name in MEANINGS}
    red, green = ([name for name, hue in hues.items() if hue == kind] for kind in ("red", "green"))
    assert not (red and green), f"ui/palette.toml: {red} is red and {green} green; take another hue for the new role"


@pytest.mark.parametrize("dark", [False, True])
def test_classes_stand_out_three_to_one_and_stay_apart_in_grey(dark: bool) -> None:
    colours = RAMPS["counts"][dark]
    levels = [luminance(colour) for colour in colours]
    assert len(levels) > 1
    assert levels == sorted(levels, reverse=True), "light few to dark many"
    assert all(abs(a - b) > 0.02 for a, b in combinations(levels, 2))
    assert all(contrast(colour, COLOURS["surface"][dark]) >= 3 for colour in colours)
    assert all(contrast(EN.on(colour), colour) >= 4.5 for colour in colours), "the value on its province"


def test_orange_means_a_problem() -> None:
    warm = {name for name in MEANINGS if all(int(c[1:3], 16) > 1.5 * int(c[5:7], 16) for c in COLOURS[name])}
    assert warm == {"problem", "problem_ink", "focus"}


# ---------------------------------------------------------------- room


def test_a_long_name_takes_two_lines_and_the_bars_make_room_for_it() -> None:
    assert (
        axes.folded("Legal duties and limits of judicial officers", 26)
        == "Legal duties and limits<br>of judicial officers"
    )
    assert axes.folded("Tehran", 3) == "Tehran"
    names = {"course": {"a": "Legal duties and limits of judicial officers", "b": "First aid"}}
    data = answer("officer_training_share", by=("course",), rows=[("a", 0.5), ("b", 0.6)])
    long, short = (bars.ranking(data, replace(EN, names=names_of))["layout"] for names_of in (names, {"course": {}}))
    assert [name.count("<br>") for name in long["yaxis"]["ticktext"]] == [1, 0]
    assert long["height"] > short["height"]


@pytest.mark.parametrize("context", [FA, EN], ids=["fa", "en"])
def test_numbers_beyond_the_bars_have_their_room_at_the_far_side(context: ChartContext) -> None:
    for figure in (
        steps.bridge(bridge(), context),
        steps.funnel(answer("applications", "decided", rows=[(90, 60)]), context),
    ):
        near, far = ("r", "l") if context.rtl else ("l", "r")
        margin = figure["layout"]["margin"]
        assert margin[far] >= 12 + 7 * len("900") > margin[near]


# ---------------------------------------------------------------- findings


@pytest.mark.parametrize(
    ("by", "group", "en", "fa"),
    [
        ("post", "guard",
         "Most common post of active police assistants: Guard, 900 people",
         "پرشمارترین سمت پلیس‌یاران فعال: نگهبان، ۹۰۰ نفر"),
        ("education", "diploma",
         "Most common education of active police assistants: Diploma, 900 people",
         "پرشمارترین سطح تحصیلات پلیس‌یاران فعال: دیپلم، ۹۰۰ نفر"),
    ],
)  # fmt: skip
def test_the_largest_group_of_a_count_has_words_of_its_own(by: str, group: str, en: str, fa: str) -> None:
    data = answer("active_assistants", by=(by,), rows=[(group, 900), ("operator" if by == "post" else "master", 30)])
    assert titles.highest(data, EN).sentence == en
    assert titles.highest(data, FA).sentence == fa


def test_a_band_is_the_largest_only_where_none_is_narrower() -> None:
    sizes = answer("licensed_institutes", by=("size",), rows=[("1-9", 13), ("10-24", 17), ("100+", None)])
    axes = EN.word("dimension.size").lower()
    assert titles.highest(sizes, EN).sentence == f"Licensed institutes by {axes}: 13 to 17"
    few = replace(sizes, rows=[("0", 3), *sizes.rows])
    assert titles.highest(few, EN).sentence == f"Licensed institutes by {axes}: 3 to 17", "a small band has its bar too"
    years = [("00-01", "male", 9932), ("01-03", "male", 14700), ("10+", "male", 2737)]
    tenure = answer("active_assistants", by=("tenure_band", "gender"), rows=years)
    assert workforce.largest_band(tenure, EN).sentence.endswith(": 2,737 to 14,700")
    first = replace(tenure, rows=[("00-01", "male", 19932), *years[1:]])
    assert "men serving" in workforce.largest_band(first, EN).sentence


def shares(*rows: tuple[str, int, int], name: str = "training_compliance") -> Answer:
    """A share by province: a code, a part, a whole."""
    metric = catalogue()[name]
    return answer(
        name,
        by=("province",),
        rows=[(code, part / whole, part, whole) for code, part, whole in rows],
        more=(str(metric.numerator), str(metric.denominator)),
    )


def test_a_title_names_who_is_worse_by_the_direction_of_its_measure() -> None:
    title = titles.extreme(sided(by_province(), IR11="lower", IR23="higher"), EN)
    assert title.sentence == "Training compliance significantly below the national average: Sistan and Baluchestan"
    assert title.focus == ("IR-11",)
    assert titles.highest(sided(by_province(), IR11="lower", IR23="higher"), EN).focus == ("IR-23",)
    leavers = sided(shares(("IR-23", 100, 1000), ("IR-11", 200, 1000), name="leaver_rate_12m"), IR11="higher")
    assert titles.extreme(leavers, FA).sentence == "نرخ ترک خدمت ۱۲\u200cماهه بیشتر از کشور: سیستان و بلوچستان"
    many = sided(shares(*((f"IR-0{n}", 50 + n, 100) for n in range(4))), IR00="lower", IR01="lower", IR02="lower")
    assert (
        titles.extreme(many, EN).sentence
        == "Training compliance is significantly below the national average in 3 provinces"
    )
    assert titles.extreme(many, FA).sentence == "پایبندی آموزشی در ۳ استان به\u200cطور معنادار کمتر از میانگین کشور"
    assert titles.extreme(many, EN).focus == ("IR-00", "IR-01", "IR-02"), "the widest difference first"


def test_the_smallest_of_counts_that_should_rise_is_no_problem() -> None:
    data = answer("active_assistants", by=("province",), rows=[("IR-23", 900), ("IR-11", 200), ("IR-00", 50)])
    title = titles.extreme(data, EN)
    assert title.focus == ("IR-00",)


def test_a_shortfall_is_named_without_the_sign_that_the_word_says() -> None:
    gap = answer("coverage_gap", by=("province",), rows=[("IR-11", -30.4), ("IR-23", 30.4)])
    assert titles.gap(gap, EN).sentence == "Largest shortfalls: Sistan and Baluchestan 30 people"
    few = answer("coverage_gap", by=("province",), rows=[("IR-11", -22.4), ("IR-23", 22.4)])
    assert titles.gap(few, EN).focus == ()


def test_no_rate_has_a_superlative_and_equal_ones_name_nobody() -> None:
    close = shares(("IR-23", 500, 1000), ("IR-11", 510, 1000), ("IR-00", 520, 1000))
    for data in (sided(close), close):
        sentence = titles.extreme(data, EN).sentence
        assert sentence == "Training compliance by province: 50.0% to 52.0%", "no test that found nobody"
    rates = answer(
        "coverage_per_10k",
        by=("province",),
        rows=[("IR-23", 9.0, 9000, 1e7), ("IR-11", 0.3, 60, 2e6)],
        more=("active_assistants", "residents"),
    )
    assert titles.extreme(rates, EN).focus == (), "no lowest coverage among provinces that were not compared"
    assert titles.extreme(sided(rates, IR11="far_lower"), EN).focus == ("IR-11",)


def test_groups_under_the_least_are_left_out_of_a_range() -> None:
    small = shares(("IR-23", 900, 1000), ("IR-11", 700, 1000), ("IR-00", 0, 22))
    assert titles.extreme(small, EN).sentence == "Training compliance by province (23 people or more): 70.0% to 90.0%"
    none = shares(("IR-23", 20, 22), ("IR-00", 0, 22))
    assert titles.extreme(none, EN).sentence == "Training compliance: every group is under 23 people"
    institutes = answer("licensed_institutes", by=("province",), rows=[("IR-23", 9), ("IR-00", 8)])
    assert titles.extreme(institutes, FA).sentence == "مؤسسات دارای مجوز: همهٔ گروه‌ها کمتر از ۱۰ مؤسسه"


def test_a_range_says_that_it_leaves_small_groups_out() -> None:
    tied = [("IR-23", 500, 1000), ("IR-11", 510, 1000), ("IR-30", 700, 1000), ("IR-25", 690, 1000)]
    assert titles.extreme(shares(*tied), EN).sentence == "Training compliance by province: 50.0% to 70.0%"
    sentence = titles.extreme(shares(*tied, ("IR-00", 0, 22)), EN).sentence
    assert sentence == "Training compliance by province (23 people or more): 50.0% to 70.0%"
    alone = titles.extreme(shares(("IR-23", 500, 1000), ("IR-00", 0, 22)), EN).sentence
    assert alone == "Training compliance: Tehran, 50.0%", "not that all are at 50.0%"


def test_the_only_count_large_enough_to_be_ranked_is_the_highest() -> None:
    counts = answer("active_assistants", by=("province",), rows=[("IR-23", 900), ("IR-11", 7)])
    assert titles.extreme(counts, EN).sentence == "Active police assistants: Tehran, 900 people"
    assert titles.highest(counts, EN).sentence == "Highest number of active police assistants: Tehran, 900 people"


def test_tied_counts_are_reported_as_a_tie_and_tied_rates_name_nobody() -> None:
    tied = answer("active_assistants", by=("province",), rows=[("IR-23", 50), ("IR-11", 50), ("IR-00", 70)])
    title = titles.extreme(tied, EN)
    assert title.sentence == "Fewest active police assistants: 2 groups, 50 people each"
    assert set(title.focus) == {"IR-23", "IR-11"}
    same = shares(("IR-23", 50, 100), ("IR-11", 50, 100), ("IR-00", 70, 100))
    assert titles.extreme(same, EN).sentence == "Training compliance by province: 50.0% to 70.0%"
    assert titles.extreme(same, EN).focus == ()


def test_where_nobody_is_worse_the_title_names_who_is_better() -> None:
    data = sided(by_province(), IR11="higher")
    better = titles.extreme(data, EN)
    assert better.sentence == "Training compliance significantly above the national average: Sistan and Baluchestan"
    assert better.focus == ("IR-11",)


def test_a_title_compares_only_what_is_over() -> None:
    data = by_month()
    assert time_titles.latest(data, EN).sentence.endswith("from 1,000 in Farvardin\u00a01404 to 1,130 people")
    over = replace(data, provisional=frozenset())
    assert time_titles.latest(over, EN).sentence.endswith(
        " in Ordibehesht\u00a01405: 1,130 people, 1,010 in Ordibehesht\u00a01404"
    )


def test_a_title_compares_no_flows_of_years_that_are_counted_in_part() -> None:
    data = answer("joiners", by=("year",), rows=[("1404", 1013), ("1405", 338)])
    parts = replace(data, provisional=frozenset({"1404", "1405"}))
    assert time_titles.latest(parts, EN).sentence == "Joiners by year: 338 to 1,013"


def test_a_title_sets_no_two_quarters_of_their_own_cases_against_each_other() -> None:
    shares = [("1404-Q2", 0.811), ("1404-Q3", 0.729), ("1404-Q4", 0.76), ("1405-Q2", 0.75)]
    data = answer("renewal_rate", by=("quarter",), rows=shares)
    title = time_titles.latest(data, EN).sentence
    assert title == "Renewal rate in Summer\u00a01405 (Jun–Sep\u00a02026): 75.0%, lowest 72.9%, highest 81.1%"
    medians = answer(
        "time_to_licence_median", by=("quarter",), rows=[(quarter, 20 * share) for quarter, share in shares]
    )
    assert "1404" not in time_titles.latest(medians, EN).sentence


def test_a_histogram_has_its_values_and_a_small_group_is_pale_with_its_size() -> None:
    rows = [("0", 0.125, 1, 8), ("1-9", 0.268, 98, 365), ("10-24", 0.25, 125, 500)]
    data = answer("smart_service_share", by=("size",), rows=rows, more=("smart_institutes", "licensed_institutes"))
    figure = bars.columns(data, EN)
    written = [re.sub("[\u2066\u2069]", "", line) for line in figure["data"][0]["text"]]
    assert written == ["12.5%<br>(n\u00a0=\u00a08)", "26.8%", "25.0%"]
    assert [colour.startswith("rgba") for colour in figure["data"][0]["marker"]["color"]] == [True, False, False]
    assert "12.5%" not in titles.extreme(data, EN).sentence


def test_the_range_by_size_is_that_of_institutes_with_staff() -> None:
    rows = [("0", 0.0625, 1, 16), ("1-9", 0.268, 98, 365), ("10-24", 0.25, 125, 500), ("25-49", 0.2, 80, 400)]
    data = answer("smart_service_share", by=("size",), rows=rows, more=("smart_institutes", "licensed_institutes"))
    assert licensing.with_staff(data, EN).sentence.endswith("with staff: 20.0% to 26.8%")
    one_small = replace(data, rows=[*rows[:3], ("25-49", 0.5, 4, 8)])
    assert licensing.with_staff(one_small, EN).sentence.endswith("(10 institutes or more): 25.0% to 26.8%")


def test_what_a_class_gains_has_a_decimal_and_says_who_is_counted() -> None:
    rows = [("IR-12", "PY-103", 19.25), ("IR-06", "PY-301", 18.5)]
    data = answer("active_assistants", by=("province", "course"), rows=rows)
    data = replace(data, metrics=(derived("room_gain"),), columns=("province", "course", "room_gain"))
    title = ahead.gained(data, EN).sentence
    assert title == "Most effective class of 20: Kurdistan, PY-103, 19.3 people"


def test_a_title_does_not_go_from_a_value_to_the_same() -> None:
    rows = [("1405-01", 1.0), ("1405-02", 0.9), ("1405-03", 1.0)]
    still = answer("training_compliance", by=("month",), rows=rows)
    assert time_titles.latest(still, EN).sentence == "Training compliance: 100.0%, as at the start of the period"


def test_a_title_does_not_take_an_old_value_for_that_of_the_last_day() -> None:
    months = [f"1405-{month:02}" for month in range(1, 8)]
    nobody = [(month, value) for month, value in zip(months, [0.667, 0.727, *[None] * 5], strict=True)]
    data = answer("training_compliance", by=("month",), rows=nobody, provisional=frozenset({"1405-07"}))
    for context in (FA, EN):
        sentence = time_titles.latest(data, context).sentence
        assert context.member("month", "1405-07") in sentence
        assert not any(text.plain(value, "share", context.lang) in sentence for value in (0.667, 0.727))
    assert (
        time_titles.latest(data, EN).sentence == "Training compliance: no value in Mehr\u00a01405 (Sep–Oct\u00a02026)"
    )
    run_off = replace(data, by=("day",), rows=[("2026-10-22", 0.5), ("2026-10-23", None)])
    assert "no value" in time_titles.ends(run_off, EN).sentence


def test_a_title_over_time_says_no_share_of_few_people() -> None:
    def title(*rows: tuple[str, float, int, int]) -> str:
        parts = ("compliant_assistants", "trainable_assistants")
        data = answer("training_compliance", by=("month",), rows=[row[:4] for row in rows], more=parts)
        return time_titles.latest(data, EN).sentence

    few, many = ("1405-01", 0.667, 4, 6), ("1405-02", 0.75, 75, 100)
    assert title(few, many) == "Training compliance: 75.0%", "not from 66.7%"
    assert (
        title(many, ("1405-03", *few[1:]))
        == "Training compliance: only 6 cases in Khordad\u00a01405 (May–Jun\u00a02026)"
    )
    licensed = answer("licensed_institutes", by=("month",), rows=[("1405-02", 12), ("1405-03", 0)])
    assert (
        time_titles.latest(licensed, EN).sentence
        == "Licensed institutes: no cases in Khordad\u00a01405 (May–Jun\u00a02026)"
    )


def test_a_title_does_not_take_the_first_value_for_that_of_the_first_day() -> None:
    later = answer("training_compliance", by=("month",), rows=[("1405-01", None), ("1405-02", 0.5), ("1405-03", 0.75)])
    assert time_titles.latest(later, EN).sentence == "Training compliance: 75.0%"


def test_a_flow_that_stands_out_is_named_with_its_unit() -> None:
    rows = [("1404-01", 30, 10), ("1404-02", 25, 12), ("1404-03", 28, 60), ("1404-04", 31, 14)]
    data = replace(flows(), rows=rows, provisional=frozenset({"1404-04"}))
    assert time_titles.pair(data, EN).sentence.startswith("Leavers, most: 60 in Khordad")
    assert "joiners 25, leavers 12" in time_titles.pair(flows(), EN).sentence.lower(), "nothing stands out"


def test_a_title_names_every_unit_in_which_a_flow_stands_out() -> None:
    leavers = [10, 12, 60, 14, 11, 12, 55, 13, 12, 10, 48]
    rows = [(f"14{4 + at // 12:02d}-{at % 12 + 1:02d}", 30, left) for at, left in enumerate(leavers)]
    two = replace(flows(), rows=rows[:8], provisional=frozenset())
    assert "60 in Khordad" in time_titles.pair(two, EN).sentence
    assert "55 in Mehr" in time_titles.pair(two, EN).sentence
    three = replace(flows(), rows=rows, provisional=frozenset())
    assert time_titles.pair(three, EN).sentence.startswith("Leavers, most: 60 in Khordad"), "the largest that fit"
    for data in (two, three):
        for language in (EN, FA):
            assert len(time_titles.pair(data, language).sentence.split()) <= titles.MOST_WORDS


def test_a_title_is_the_first_sentence_that_fits_in_its_language() -> None:
    # The range of the groups has twelve words in English and more in Persian.
    medians = [("IR-00", 20.0, 40), ("IR-11", 23.0, 30), ("IR-23", 25.0, 60), ("IR-01", 9.0, 3)]
    data = answer("time_to_licence_median", by=("province",), rows=medians, more=("granted_timed",))
    ranged = titles.extreme(data, EN).sentence
    assert ranged == "Median time to licence (23 applications or more): 20.0 to 25.0"
    # Its name does not say in what a median is measured.
    assert titles.extreme(data, FA).sentence == "میانهٔ زمان صدور مجوز (دست\u200cکم ۲۳ درخواست): ۲۰٫۰ تا ۲۵٫۰ روز کاری"
    present = titles.whole_range(data, EN).sentence
    assert present == "Median time to licence of 4 provinces with any assistants: 9.0 to 25.0"
    alone = answer("coverage_per_10k", by=("county",), rows=[("1002", 9.18, 2210)], more=("active_assistants",))
    assert titles.whole_range(alone, EN).sentence == "Coverage: Isfahan, 9.18 per 10,000"


def test_the_number_of_some_counties_does_not_stand_under_the_name_of_their_province() -> None:
    whole = answer("coverage_per_10k", by=("province",), rows=[("IR-10", 9.18, 2210)], more=("active_assistants",))
    assert titles.extreme(whole, EN).sentence == "Coverage: Isfahan, 9.18 per 10,000"
    of_counties = replace(whole, where={"county": ("1002",)})
    assert titles.extreme(of_counties, EN).sentence == "Coverage: 9.18 per 10,000"


def test_a_rate_that_is_not_tested_is_neither_better_nor_worse() -> None:
    data = answer("counties_covered", by=("province",), rows=[("IR-11", 0.5), ("IR-23", 0.9)])
    assert {*bars.ranking(data, EN)["data"][0]["marker"]["color"]} == {EN.colour("pending")}
    counted = answer("active_assistants", by=("province",), rows=[("IR-11", 50), ("IR-23", 90)])
    assert {*bars.ranking(counted, EN)["data"][0]["marker"]["color"]} == {EN.colour("actual")}


def test_an_unknown_place_without_residents_is_no_bar() -> None:
    data = answer("coverage_per_10k", by=("county",), rows=[("1101", 5.0), (None, None), ("1102", None)])
    assert bars.ranking(data, EN)["data"][0]["customdata"] == ["1101", "1102"]


def test_a_projection_without_a_range_says_why_it_has_none() -> None:
    ahead = [(f"1404-{n:02}", None, 112 - n, 120 + n, 115 + n, None) for n in range(3, 8)]
    long = replace(projection(), rows=[*projection().rows[:2], *ahead])
    bare = replace(long, rows=[*long.rows[:3], *((*row[:2], None, None, *row[4:]) for row in long.rows[3:])])
    with_range, without = (forecast.projection(one, EN) for one in (long, bare))
    assert [key["label"] for key in with_range["layout"]["meta"]["keys"]][-1] == EN.word("figure.range")
    assert EN.word("figure.no_range") not in with_range["layout"]["meta"].get("credit", "")
    assert len(without["data"]) == len(with_range["data"]) - 2, "one month alone is no area"
    projected, actual, _ = without["data"]
    assert not {*projected["x"]} - {*actual["x"]}, "nor is a line without a range drawn"
    assert without["layout"]["meta"]["credit"] == EN.word("figure.no_projection")


def test_the_title_of_a_projection_is_about_a_year_ahead_and_not_its_end() -> None:
    data = projection()
    ahead = [(f"14{5 + n // 12:02}-{n % 12 + 1:02}", None, 112 - n, 120 + 10 * n, 115 + n, None) for n in range(24)]
    long = replace(data, rows=[*data.rows[:2], *ahead])
    assert (
        time_titles.ahead(long, EN).sentence
        == "Active police assistants, projected by Esfand\u00a01405: 126 (101 to 230)"
    )
    assert (
        time_titles.ahead(data, EN).sentence == "Active police assistants, projected by Tir\u00a01404: 119 (113 to 126)"
    )


def test_the_title_of_parts_of_a_whole_gives_the_drawn_shares() -> None:
    data = replace(statuses(), rows=[("IR-23", 0.8, 70, 10, 15, 5), ("IR-11", 0.5, 40, 10, 30, 20)])
    at = [data.columns.index(metric.name) for metric in data.metrics[1:]]
    shares = [row[at[-1]] / sum(row[i] for i in at) for row in data.rows]
    low, high = (text.percent(share, "en") for share in (min(shares), max(shares)))
    assert titles.worst_part(data, EN).sentence == f"Overdue by province: {low} to {high}"


def test_the_word_of_is_used_only_between_a_part_and_its_whole() -> None:
    share = by_province()
    assert elements.parts_of(share, share.metrics[0], share.rows[0], EN).count(" of ") == 1
    names = ("coverage_per_10k", "active_assistants", "residents")
    data = answer(names[0], rows=[(6.4, 64, 100_000)])
    rate = replace(data, metrics=data.metrics, columns=names)
    assert elements.parts_of(rate, rate.metrics[0], rate.rows[0], EN) == "64 among 100,000 residents"
    assert elements.parts_of(rate, rate.metrics[0], rate.rows[0], FA) == "۶۴ نفر در جمعیت ۱۰۰٬۰۰۰ نفری"


def test_without_a_projection_the_title_is_of_the_months_that_are_known() -> None:
    rows = [("1405-01", 100, *[None] * 3), ("1405-02", 120, *[None] * 3), ("1405-03", *[None] * 4)]
    data = answer("active_assistants", "joiners", "leavers", "jobs_created", by=("month",), rows=rows)
    assert "from 100 in Farvardin\u00a01405 to 120" in time_titles.ahead(data, EN).sentence


def test_an_answer_without_a_value_has_nothing_to_say() -> None:
    empty = answer("training_compliance", by=("province",), rows=[("IR-23", None)])
    assert titles.extreme(empty, EN).sentence == "Training compliance: no value"


def names(metric: Metric, sentence: str, lang: str) -> bool:
    return metric.short[lang].lower() in sentence.lower()


@pytest.mark.parametrize("lang", ["fa", "en"])
@pytest.mark.parametrize("name", sorted(name for name, metric in catalogue().items() if not metric.hidden))
def test_a_title_names_its_measure_in_twelve_words(name: str, lang: str) -> None:
    metric = catalogue()[name]
    if metric.unit == "date":
        return
    context = ChartContext(lang)
    value = 0.123 if metric.unit in ("share", "ratio") else 12345
    sentences = []
    more = tuple(dict.fromkeys([str(metric.numerator), size_of(metric)] if metric.numerator else [size_of(metric)]))
    more = () if more == (name,) else more

    def sized(code: str, share: float) -> tuple[Any, ...]:
        return (code, share, *(share * 10_000 if part == metric.numerator else 10_000 for part in more))

    if "province" in metric.dimensions:
        for code in member_names.fixed("province", lang):
            rows = [sized(code, value), sized("IR-23" if code != "IR-23" else "IR-00", value * 2)]
            low_or_high = "lowest" if metric.direction == "up" else "highest"
            if low_or_high == "highest":
                rows = [sized(code, value * 3), *rows[1:]]
            sentences.append(titles.extreme(answer(name, by=("province",), rows=rows, more=more), context).sentence)
    if "month" in metric.dimensions:
        rows = [(f"{year}-01", value) for year in (1403, 1404)]
        sentences.append(time_titles.latest(answer(name, by=("month",), rows=rows), context).sentence)
    assert [sentence for sentence in sentences if len(sentence.split()) > 12 or not names(metric, sentence, lang)] == []


def test_the_text_alternative_says_what_the_chart_says() -> None:
    data = sided(by_province(), IR11="lower")
    alternative = spoken(data, bars.ranking, EN, titles.extreme(data, EN), "Training compliance · The whole country")
    assert alternative.startswith(
        "Training compliance significantly below the national average: Sistan and Baluchestan. Training compliance"
    )
    assert "Tehran: 90.0%" in alternative
    assert "Alborz: –" in alternative


def test_the_text_alternative_of_many_groups_names_that_of_the_title_and_ranks_no_small_one() -> None:
    metric = catalogue()["training_compliance"]
    rows = [(f"IR-{code:02}", 0.7 + code / 100, 100 * (0.7 + code / 100), 100) for code in range(12)]
    # One person of one is no best province.
    rows[2] = ("IR-02", 1.0, 1, 1)
    data = answer(metric.name, by=("province",), rows=rows, more=(str(metric.numerator), str(metric.denominator)))
    named = titles.Title("Of Kermanshah", ("IR-05",))
    for chart in (bars.ranking, maps.provinces):
        _, _, values = spoken(data, chart, EN, named, "Below").split(". ", 2)
        shown = [pair.split(": ") for pair in values.split("; ")]
        assert [value for _, value in shown] == ["70.0%", "71.0%", "73.0%", "75.0%", "79.0%", "80.0%", "81.0%"]
        assert member_names.of("province", "IR-05", "en") in [name for name, _ in shown]
    few = spoken(replace(data, rows=rows[:3]), bars.ranking, EN, named, "Below")
    assert "100.0% (1 case, too few to rank)" in few


def test_the_text_alternative_names_each_of_several_measures() -> None:
    said = spoken(flows(), bars.paired, EN, titles.Title("Flows"), "Below")
    assert "joiners 30; leavers 10. " in said
    assert said.endswith("joiners 4; leavers 1")


def test_the_text_alternative_of_a_projection_is_of_today_and_the_year_ahead() -> None:
    months = [f"{year}-{month:02}" for year in (1403, 1404, 1405) for month in range(1, 13)]
    rows = [(month, at, None, None, None, None) for at, month in enumerate(months[:12], 101)]
    rows += [(month, None, at - 9, at + 9, at, None) for at, month in enumerate(months[12:], 113)]
    data = replace(projection(), rows=rows)
    said = spoken(data, forecast.projection, EN, titles.Title("Ahead"), "Below")
    assert "active police assistants 112." in said
    assert "projection 124" in said.rpartition("Esfand 1404")[2]
    assert "–" not in text.one_calendar(said)
    assert "1405" not in said


def test_the_run_off_has_a_labelled_line_at_the_goal_of_compliance() -> None:
    figure = lines.run_off(run_off(), EN)
    (line,) = figure["layout"]["shapes"]
    (label,) = figure["layout"]["annotations"]
    assert (line["y0"], line["y1"], label["y"]) == (GOAL, GOAL, GOAL)
    assert text.percent(GOAL, "en") in label["text"]


@pytest.mark.parametrize("context", [FA, EN])
@pytest.mark.parametrize("months", [12, 13, 24, 25, 36])
@pytest.mark.parametrize("last", [date(2026, 5, 21), date(2026, 10, 22), date(2027, 3, 20)])
def test_months_tick_at_farvardin_and_mehr(context: ChartContext, months: int, last: date) -> None:
    labels = [
        unit.label for unit in jalali.units_between(*jalali.last_complete_months(last + jalali.DAY, months), "month")
    ]
    axis = axes.time_axis(context, labels)
    assert len(labels) == months
    at = [labels[i] for i in axis["tickvals"]]
    if sum(label.endswith("-01") for label in labels) >= 4:
        assert at == [label for label in labels if label.endswith("-01")], "whole years"
    else:
        assert at == [label for label in labels if label.endswith(("-01", "-07"))]


def test_few_months_tick_evenly() -> None:
    assert axes.time_axis(EN, [f"1405-0{month}" for month in range(2, 7)])["tickvals"] == [0, 1, 2, 3, 4]
