"""Every chart of every page, in both languages, for the whole country and for one province, keeps the rules of charts.

A title names its measure in at most twelve words, and no two figures of a page have one title and one line below it; a ratio
states its n; no group too small to be ranked is named, and its bar is paler where its value puts it; classes of a map contrast
with the background; a chart's numbers have the decimals of its table.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from etl.analysis import analyses
from etl.semantic import access, rights
from etl.semantic.answers import Answer, ask
from etl.semantic.ranking import is_sampled, rank
from tests import parts
from tests.effort import thorough
from tests.parts import PARTS
from tests.ui.test_charts import contrast, keep_labels_level_on_one_axis
from ui.charts import bars, elements, forecast, lines, maps, steps, titles
from ui.charts.chart import Chart
from ui.charts.elements import ChartContext
from ui.components import blocks, figures
from ui.exhibits.exhibit import Drawing, Value
from ui.exhibits.named import Made
from ui.i18n import text
from ui.i18n.text import escape
from ui.palette import COLOURS
from ui.state.page_context import PageContext

pytestmark = pytest.mark.slow

WITH_PANELS = ("overview",)
# Parts without a chart: a list of institutes has one only if an institute is chosen.
CHARTLESS = ("quality", "handin", "approve", "register")
PAGES = [part for part in PARTS if part not in CHARTLESS]
# A large province, and one with few assistants.
PROVINCES = {"the country": "", "a large province": "IR-23", "a small province": "IR-20"}
# Those whose tables are opened too.
WITH_TABLES = [(page, "the country") for page in PAGES] + [(page, "a large province") for page in PAGES[::2]]
EVERY = [
    (page, lang, of)
    for page in PAGES
    for lang in text.LANGUAGES
    for of in PROVINCES
    if lang != "fa" or (page, of) not in WITH_TABLES
]
# Titles that name their measure by other words than its short name: funnel, run-off, back-test, Lorenz curve, bridge.
OTHER_WORDS = {
    "applications": {"fa": "درخواست", "en": "applications"},
    "run_off": {"fa": "پایبندی", "en": "compliance"},
    "room_gain": {"fa": "کلاس", "en": "class of 20"},
    "expiring_30": {"fa": "اتمام اعتبار آموزش", "en": "lapsing"},
    "backtest_inside": {"fa": "برآورد", "en": "projection"},
    "plan_in_date": {"fa": "پایبندی", "en": "compliance"},
    "residents_share": {"fa": "جمعیت|پوشش", "en": "residents|coverage"},
    "seats_planned": {"fa": "ظرفیت آموزش", "en": "seats to order"},
    "bridge": {"fa": "شاغلان", "en": "in service"},
    "files_decided_by": {"fa": "تعیین تکلیف", "en": "decided"},
    "effect": {"fa": "پایبندی", "en": "compliance"},
    "coverage_gap": {"fa": "کمبود", "en": "shortfall"},
    "counties_covered": {"fa": "شهرستان", "en": "counties"},
    "queue_files": {"fa": "پرونده", "en": "files"},
    "persons_counted": {"fa": "بیش از چهار میلیون", "en": "four million"},
}
# Shares of two populations, and rates of other countries, have no single n.
WITHOUT_N = {"residents_share", "persons_per_100k", "persons_counted"}
# Each founding year and each month has its own n, in the hover text and the table.
WITHOUT_N |= {"institute_survival", "flow_share"}
# Its people are those of the coverage beside it, which says them.
WITHOUT_N |= {"coverage_on_census"}
# The people of a plan are those of the day, whatever it does; the parts of a difference have people on two sides.
WITHOUT_N |= {"plan_in_date", "effect"}
RATIOS = ("share", "per_10k", "per_100k", "per_100km2", "persons_per_institute", "hours_per_person", "working_days")

MADE_UP = (0.02, 5)


@dataclass
class Shown:
    """A figure as a page shows it."""

    answer: Answer
    title: titles.Title
    # None if the page shows a note or a card in its place.
    chart: Chart | None = None
    below: str = ""
    # Figures of panels are said by the panel; their titles are those of pictures and files alone.
    is_headed: bool = False
    # Of what the first sentence of the page has said, the title is not said again.
    is_said: bool = False
    ready: dict[str, Any] = field(default_factory=dict)
    drawn: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def figures_shown(published: Path, monkeypatch: pytest.MonkeyPatch) -> list[Shown]:
    """The figures of the page that is opened next, in their order."""
    captured: list[Shown] = []
    show, head, plot = figures.show, blocks.heading, figures.plot

    def showing(view: PageContext, made: Made, *arguments: Any, **more: Any) -> Any:
        exhibit = made.exhibit
        if isinstance(exhibit.form, Value) and exhibit.form.value and exhibit.answer is not None:
            captured.append(Shown(exhibit.answer, exhibit.title))
        send = show(view, made, *arguments, **more)
        # Nothing is sent of a trend that another figure draws.
        if send and isinstance(exhibit.form, Drawing) and exhibit.answer is not None:
            figure, _ = exhibit.drawn(view.dark)
            captured.append(Shown(exhibit.answer, exhibit.title, exhibit.form.chart, exhibit.below, ready=figure))
        return send

    def heading(title: str, below: str | None = None, more: str = "") -> str:
        for figure in captured:
            if title in ("", figure.title.sentence) and figure.below in ("", below) and not figure.is_headed:
                figure.below, figure.is_headed, figure.is_said = below or "", True, not title
                break
        return head(title, below, more)

    def plotting(figure: elements.Figure, *arguments: Any, **more: Any) -> None:
        next(one for one in captured if one.ready is figure).drawn = figure
        plot(figure, *arguments, **more)

    monkeypatch.setattr(figures, "show", showing)
    monkeypatch.setattr(blocks, "heading", heading)
    monkeypatch.setattr(figures, "plot", plotting)
    return captured


def opened(name: str, lang: str, province: str = "", **more: str) -> AppTest:
    return parts.opened(name, lang=lang, **({"province": province} if province else {}), **more)


def open_page(name: str, lang: str, province: str = "", **more: str) -> str:
    """Open a part of a page; returns its HTML."""
    return html_of(opened(name, lang, province, **more))


def html_of(app: AppTest) -> str:
    html = parts.html(app)
    assert "pd-error" not in html
    return html


# The tables of both languages have the same columns; a raw name is seen among Persian words.
@pytest.mark.parametrize(
    ("page", "of"),
    [*WITH_TABLES, *(pytest.param(page, "a large province", marks=thorough) for page in PAGES[1::2])],
)
def test_the_charts_of_a_page_keep_the_rules_and_the_table_below_each_opens_and_names_its_columns(
    page: str, of: str, figures_shown: list[Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "popover", parts.files_open)
    app = opened(page, "fa", PROVINCES[of])
    assert figures_shown, "a page without a chart tests nothing"
    keep_the_rules(figures_shown, html_of(app), "fa", panels=page in WITH_PANELS)
    buttons = [str(button.key).removeprefix("table-") for button in app.button if str(button.key).startswith("table-")]
    assert buttons
    for ident in buttons:
        app.session_state[f"table shown {ident}"] = True
    html = html_of(app.run())
    assert html.count("<table") >= len(buttons)
    headings = [re.sub("<[^>]*>", "", heading) for heading in re.findall(r"<thead.*?</thead>", html, re.S)]
    assert not [heading for heading in headings if re.search("[A-Za-z]", heading)]


@pytest.mark.parametrize(
    ("page", "lang", "of"),
    [
        pytest.param(*one, marks=thorough if one[1:] == ("en", "a small province") else (), id="-".join(one))
        for one in EVERY
    ],
)
def test_the_charts_of_a_page_keep_the_rules(page: str, lang: str, of: str, figures_shown: list[Shown]) -> None:
    html = open_page(page, lang, PROVINCES[of])
    assert figures_shown, "a page without a chart tests nothing"
    keep_the_rules(figures_shown, html, lang, panels=page in WITH_PANELS)


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_charts_of_an_institute_keep_the_rules(lang: str, figures_shown: list[Shown], published: Path) -> None:
    html = open_page("register", lang, **one_place(published, "institute"))
    assert figures_shown, "a page without a chart tests nothing"
    keep_the_rules(figures_shown, html, lang)


def one_place(published: Path, dimension: str) -> dict[str, str]:
    """The filter by the place of a dimension where most people serve."""
    with access.connect(published, rights.ADMINISTRATOR) as con:
        served = ask(con, "in_service", by=(dimension,)).rows
    return {dimension: max((row for row in served if row[0]), key=lambda row: row[1])[0]}


@pytest.mark.parametrize("of", ["county", "institute"])
@pytest.mark.parametrize("page", PAGES)
def test_of_one_place_no_figure_is_drawn_twice(page: str, of: str, figures_shown: list[Shown], published: Path) -> None:
    html = open_page(page, "en", **one_place(published, of))
    assert repeated(figures_shown, html) == []
    trends = [figure for figure in figures_shown if figure.chart is lines.trend and figure.answer.by == ("month",)]
    months = Counter((figure.answer.measures[0], figure.answer.rows[-2:][0][:2]) for figure in trends)
    assert [measure for measure, count in months.items() if count > 1] == []


def test_of_one_county_its_trend_stands_in_place_of_the_map_and_the_ranking(
    figures_shown: list[Shown], published: Path
) -> None:
    open_page("training", "en", **one_place(published, "county"))
    (drawn,) = (
        figure
        for figure in figures_shown
        if figure.chart is lines.trend and figure.answer.measures == ["training_compliance"]
    )
    assert "County" in drawn.below


def test_a_map_and_a_ranking_of_one_measure_differ_by_the_line_below(figures_shown: list[Shown]) -> None:
    open_page("coverage", "en")
    below = {
        figure.chart.draw.__name__: figure.below.split(" · ")[:2]
        for figure in figures_shown
        if figure.chart and figure.answer.measures == ["coverage_per_10k"]
    }
    assert below["provinces"] == ["Coverage per 10,000 residents", "The whole country"]
    assert below["ranking"] == ["Coverage per 10,000 residents", "by province"]
    assert below["trend"] == ["Coverage per 10,000 residents", "by month"]


@pytest.mark.parametrize("chosen", ["recruits", "leave", "goal"])
def test_the_path_of_a_scenario_is_drawn_where_it_is_not_the_projection(
    chosen: str, figures_shown: list[Shown]
) -> None:
    open_page("growth", "en")
    drawn = [figure.chart for figure in figures_shown]
    assert forecast.projection in drawn
    assert forecast.path not in drawn
    figures_shown.clear()
    open_page("growth", "en", **{chosen: "3"})
    assert forecast.path in [figure.chart for figure in figures_shown]


def repeated(figures_shown: list[Shown], html: str) -> list[tuple[str, str]]:
    """The titles with their line that the page, or its figures for pictures and files, has twice."""
    # Those of tables and lists, too.
    heads = Counter(re.findall(r"<h3>(.*?)</h3>(?:<p>(.*?)</p>)?", html))
    figures = Counter((figure.title.sentence, figure.below) for figure in figures_shown)
    return [head for counted in (heads, figures) for head, count in counted.items() if count > 1]


def keep_the_rules(figures_shown: list[Shown], html: str, lang: str, panels: bool = False) -> None:
    context = ChartContext(lang)
    assert repeated(figures_shown, html) == []
    headless = [figure for figure in figures_shown if not figure.is_headed]
    assert len(headless) <= 3 * panels
    titled = [figure for figure in figures_shown if figure.is_headed and not figure.is_said]
    assert {escape(figure.title.sentence) for figure in titled} <= {*re.findall(r"<h3>(.*?)</h3>", html)}
    assert ('class="pd-intro"' in html) or not any(figure.is_said for figure in figures_shown)
    for figure in figures_shown:
        sentence = figure.title.sentence
        assert len(sentence.split()) <= titles.MOST_WORDS, sentence
        assert names_its_measure(figure, lang), sentence
        assert says_its_n(figure, context), (sentence, figure.below)
        assert names_no_small_group(figure, context), sentence
        shows_small_groups_paler(figure)
        are_in_the_order_of_their_value(figure)
        has_the_decimals_of_its_table(figure, context)
        if figure.drawn:
            keep_labels_level_on_one_axis(figure.drawn)


def names_its_measure(figure: Shown, lang: str) -> bool:
    sentence = figure.title.sentence.lower()
    metrics = figure.answer.metrics
    other = OTHER_WORDS.get(metrics[0].name, {}).get(lang)
    return any(metric.short[lang].lower() in sentence for metric in metrics) or bool(
        other and re.search(other, sentence)
    )


def says_its_n(figure: Shown, context: ChartContext) -> bool:
    metric = figure.answer.metrics[0]
    # Each course has a base of its own.
    if metric.unit not in RATIOS or metric.name in WITHOUT_N or "course" in figure.answer.by:
        return True
    return bool(re.search(context.word("figure.cases", count="") + "[0-9۰-۹]", figure.below))


def names_no_small_group(figure: Shown, context: ChartContext) -> bool:
    """The group of a superlative, or of a title that singles out a group, may be ranked; those of few are only counted."""
    answer = figure.answer
    if not figure.title.focus or (figure.chart and figure.chart.draw is steps.bridge.draw):
        return True
    name = next(
        (m.name for m in answer.metrics if m.short[context.lang].lower() in figure.title.sentence.lower()), None
    )
    if name == "coverage_gap":
        return True
    if figure.title.claims and not any(claim.members for claim in figure.title.claims):
        return are_on_one_side(answer, figure.title.focus)
    ranking = rank(answer, name)
    if is_sampled(next(metric for metric in answer.metrics if name in (None, metric.name))):
        groups = [group for group in (*ranking.ranked, *ranking.small) if group.key[0] in figure.title.focus]
        # Of whom more would be expected a group of few people is far lower; one that is too small is on no side.
        sides = {group.side for group in groups}
        return len(groups) == len(figure.title.focus) and any(
            sides <= {side, f"far_{side}"} for side in ("lower", "higher")
        )
    named = [group for group in ranking.ranked if group.key[0] in figure.title.focus]
    return {group.key[0] for group in named} == set(figure.title.focus)


def are_on_one_side(answer: Answer, members: tuple[Any, ...]) -> bool:
    """Whether so many groups, of whom none is named, all have less than the whole, or all more."""
    rows = [row for row in answer.records() if row[answer.by[0]] in members]
    sides = {row[answer.measures[0]] < row["whole_value"] for row in rows}
    return len(rows) == len(members) and len(sides) == 1


def shows_small_groups_paler(figure: Shown) -> None:
    # What a room gains is a number of people that has no least size.
    if figure.chart is not bars.ranking or figure.answer.metrics[0].name == "room_gain" or not figure.drawn:
        return
    small = {group.key[0] for group in rank(figure.answer).small}
    bar = figure.drawn["data"][0]
    bars_drawn = [
        (code in small, colour.startswith("rgba"))
        for code, colour in zip(bar["customdata"], bar["marker"]["color"], strict=True)
    ]
    # Groups with an unknown member are not ranked, and as pale as others of their size.
    named = [pair for pair, code in zip(bars_drawn, bar["customdata"], strict=True) if code is not None]
    assert all(is_small == is_pale for is_small, is_pale in named), "pale where small, and nowhere else"


def are_in_the_order_of_their_value(figure: Shown) -> None:
    """Bars go up or down throughout: neither who is named nor who is of few stands apart."""
    if figure.chart is bars.ranking and figure.drawn:
        values = [value for value in figure.drawn["data"][0]["x"] if value is not None]
        assert values in (sorted(values), sorted(values, reverse=True)), figure.title.sentence


def has_the_decimals_of_its_table(figure: Shown, context: ChartContext) -> None:
    """The numbers next to bars are those of the table, which formats each with `text.plain`."""
    if figure.chart is not bars.ranking or not figure.drawn:
        return
    metric = figure.answer.metrics[0]
    at = figure.answer.columns.index(metric.name)
    signed = any((row[at] or 0) < 0 for row in figure.answer.rows)
    table = [
        text.plain(row[at], metric.unit, context.lang, signed)
        for row in bars.in_order(figure.answer)
        if row[at] is not None
    ]
    notes = [note["text"] for note in figure.drawn["layout"]["annotations"] if note.get("xref") == "paper"]
    assert len(notes) >= min(len(table), len(figure.drawn["data"][0]["customdata"]))
    for number, note in zip(table, notes, strict=False):
        assert re.search(rf"(^|\W){re.escape(number)}($|\W)", re.sub("</?b>", "", note)), (number, note)


def test_the_classes_of_a_map_are_of_whole_people_and_an_outline_parts_them_from_their_ground(
    figures_shown: list[Shown],
) -> None:
    """The maps of the other pages have the sides of a test, and no classes."""
    open_page("explore", "en", m="active_assistants", by="province")
    (answer,) = (one.answer for one in figures_shown if one.chart is maps.provinces)
    for is_dark in (False, True):
        keys = maps.provinces(answer, ChartContext("en", is_dark))["layout"]["meta"]["keys"]
        labels = [key["label"] for key in keys if key["kind"] == "fill"]
        assert len(labels) > 2
        assert all(re.search("[0-9]", label) and "." not in label for label in labels), labels
        assert contrast(COLOURS["outline"][is_dark], COLOURS["surface"][is_dark]) >= 3


def test_a_ranking_of_one_province_becomes_its_value_and_trend(figures_shown: list[Shown]) -> None:
    open_page("coverage", "en", "IR-20")
    one = next(one for one in figures_shown if one.answer.metrics[0].name == "counties_covered")
    assert one.answer.by == ("month",)
    assert one.drawn["data"][0]["type"] == "scatter"
    assert "Semnan" in one.below


def test_where_nobody_differs_the_map_is_neutral_and_the_title_names_nobody(figures_shown: list[Shown]) -> None:
    open_page("overview", "en", "")
    drawn = next(one for one in figures_shown if one.chart is maps.provinces and one.drawn)
    alike = tuple("none" if name == "side" else None for name in drawn.answer.columns)
    rows = [tuple(new or old for new, old in zip(alike, row, strict=True)) for row in drawn.answer.rows]
    same, context = replace(drawn.answer, rows=rows), ChartContext("en")
    assert set(maps.provinces(same, context)["data"][0]["z"]) == {maps.AREAS.index("alike")}
    assert "below" not in titles.extreme(same, context).sentence


def test_the_bars_of_the_coverage_gap_have_the_colours_of_those_of_coverage(figures_shown: list[Shown]) -> None:
    open_page("coverage", "en")
    colours = {
        figure.answer.metrics[0].name: dict(zip(bar["customdata"], bar["marker"]["line"]["color"], strict=True))
        for figure in figures_shown
        if figure.chart is bars.ranking and figure.drawn and (bar := figure.drawn["data"][0])
    }
    assert colours["coverage_gap"] == colours["coverage_per_10k"]


def test_the_subtitle_of_stacked_bars_names_the_part_of_the_title_and_what_it_is_a_share_of(
    figures_shown: list[Shown],
) -> None:
    open_page("training", "en")
    (stack,) = (figure for figure in figures_shown if figure.chart is bars.stacked)
    assert stack.title.sentence.startswith("Overdue by province")
    assert stack.below.startswith("Overdue, share of all · ")


def test_training_shows_the_futures_of_compliance(published: Path, figures_shown: list[Shown]) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        asked = analyses.analyse(con, "futures")
    is_drawn = asked.rows[-1][asked.columns.index("plan_compliance")] is not None
    html = open_page("training", "en")
    (future,) = (figure for figure in figures_shown if figure.chart is forecast.futures)
    assert future.answer.rows == asked.rows
    labels = {key["label"] for key in future.drawn["layout"]["meta"]["keys"]}
    assert {"Actual", "Without new training", "Under the seat plan (hypothetical)"} <= labels
    assert {"With present seats", "Worst to best case"} & labels == (
        {"With present seats", "Worst to best case"} if is_drawn else set()
    )
    # What is not drawn is said, with its reason; what is drawn, why the lines differ.
    assert ("Why they differ" in html, "is not drawn" in html) == (is_drawn, not is_drawn)
