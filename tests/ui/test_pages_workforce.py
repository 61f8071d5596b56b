"""Workforce, Planning and Methods, in both languages over the hand-made sample: their content, and their addresses."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from etl.analysis import backtesting, planning, survival, training
from etl.analysis.planning import NOW, Scenario
from etl.semantic import access, rights
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue, derived, derived_names
from etl.semantic.resolve import settled_on
from tests.made import answer
from tests.parts import html, opened
from ui.charts import forecast, workforce
from ui.charts.elements import ChartContext
from ui.data.ask import Ask
from ui.exhibits import training as exhibits
from ui.i18n import navigation, text
from ui.sections import scenario
from ui.state.scope import Scope

pytestmark = pytest.mark.slow

FIRST = navigation.menu()[0]["page"]
LANGUAGES = ("fa", "en")


def in_address(app: AppTest, name: str) -> list[str]:
    values = app.query_params[name]
    return [values] if isinstance(values, str) else list(values)


def in_language(lang: str) -> dict[str, str]:
    return {"lang": "en"} if lang == "en" else {}


def plain(page: str) -> str:
    """Without the marks of direction."""
    return re.sub("[\u2066-\u2069]", "", page)


# ---------------------------------------------------------------- workforce


@pytest.mark.parametrize("lang", LANGUAGES)
def test_people_begin_with_who_they_are_unless_they_are_few(
    lang: str, published: Path, small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'class="pd-intro"' not in html(opened("workforce", **in_language(lang))), "nine people have no shares"
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        count, women = (ask(con, name).value() for name in ("active_assistants", "women_share"))
    page = plain(html(opened("workforce", **in_language(lang))))
    sentence = page[page.index('<p class="pd-intro">') :].split("</p>")[0]
    assert text.number(count, lang) in sentence
    assert plain(text.escape(text.percent(women, lang))) in sentence
    assert page.index('<p class="pd-intro">') < page.index('class="pd-card"')


@pytest.mark.parametrize("lang", LANGUAGES)
def test_workforce_says_who_serves(lang: str, published: Path) -> None:
    app = opened("workforce", **in_language(lang))
    assert not app.exception
    page = html(app)
    assert "pd-error" not in page
    with access.connect(published, rights.ADMINISTRATOR) as con:
        day = settled_on(con, "leaver_rate_12m")
        rate = ask(con, "leaver_rate_12m", on=day).value()
    assert day
    for name, value in (("women_share", 4 / 9), ("age_median", 33), ("leaver_rate_12m", rate)):
        metric = catalogue()[name]
        label = text.escape(metric.label[lang])
        if name == "leaver_rate_12m":
            label = text.escape(text.word("change.settled", lang, label=metric.label[lang], day=text.day(day, lang)))
        card = re.search(re.escape(label) + r'</p><div><p class="pd-value">\s*<bdi>(.+?)</bdi>', page)
        assert card
        assert plain(card[1]) == plain(text.plain(value, metric.unit, lang))


def test_workforce_narrows_with_the_address(published: Path) -> None:
    page = html(opened("workforce", lang="en", province="IR-30"))
    # Zahra and Mina of Zahra, Hossein, Reza, Mina and Javad
    card = re.search(r'Share of women</p><div><p class="pd-value">\s*<bdi>(.+?)</bdi>', page)
    assert card
    assert card[1] == "40.0%"


# ---------------------------------------------------------------- the scenario


@pytest.mark.parametrize("part", ["growth", "training"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_scenario_starts_at_the_present_pace(lang: str, part: str, published: Path) -> None:
    app = opened(part, **in_language(lang))
    assert not app.exception
    page = html(app)
    assert "pd-error" not in page
    assert app.slider(key="plan plan_leaver_rate").value == 0.222
    assert "recruits" not in app.query_params, "defaults leave the address clean"
    assert not [button for button in app.button if button.key == "plan as now"]


def test_the_address_holds_the_scenario(published: Path) -> None:
    app = opened("training", lang="en", recruits="7", leave="5.5", seats=["base:9", "IR-23.aid:2"])
    assert not app.exception
    assert app.slider(key="plan plan_recruits").value == 7
    assert app.slider(key="plan plan_leaver_rate").value == 0.055
    assert app.slider(key="plan seats .base").value == 9
    # seats of one province are shown where it is chosen
    app.selectbox(key="plan pool").set_value("IR-23").run()
    assert app.slider(key="plan seats IR-23.aid").value == 2


def test_a_slider_writes_the_address_and_the_button_back_clears_it(published: Path) -> None:
    app = opened("training", lang="en")
    app.slider(key="plan plan_recruits").set_value(40).run()
    app.slider(key="plan seats .base").set_value(3).run()
    assert in_address(app, "recruits") == ["40"]
    assert in_address(app, "seats") == ["base:3"]
    app.button(key="plan as now").click().run()
    assert not {"recruits", "leave", "seats"} & set(app.query_params)
    assert app.slider(key="plan plan_recruits").value == 0


def test_a_number_that_a_slider_shows_untouched_changes_nothing(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sliders begin at rounded numbers."""
    taken: list[Scenario] = []
    without_present = exhibits.without_present

    def taking(scope: Scope, ask: Ask, scenario: Scenario) -> Scenario:
        taken.append(without_present(scope, ask, scenario))
        return taken[-1]

    monkeypatch.setattr(exhibits, "without_present", taking)
    app = opened("training")
    shown = app.slider(key="plan plan_recruits").value, app.slider(key="plan plan_leaver_rate").value
    seats = app.slider(key="plan seats .aid").value
    opened("training", recruits=f"{shown[0]}", leave=f"{shown[1] * 100:g}", seats=[f"aid:{seats}"])
    opened("training", recruits=f"{shown[0] + 1}", leave=f"{shown[1] * 100:g}", seats=[f"aid:{seats + 1}"])
    assert [*dict.fromkeys(taken)] == [NOW, Scenario(recruits=shown[0] + 1, seats={("", "aid"): seats + 1})]


def test_an_invalid_scenario_is_ignored(published: Path) -> None:
    app = opened(
        "training", recruits="many", leave="-4", seats=["base", "base:x", "IR-99.base:4", "swim:3", ":", "base:-1"]
    )
    assert not app.exception
    assert app.slider(key="plan plan_leaver_rate").value == 0.222
    assert not [button for button in app.button if button.key == "plan as now"]


def test_the_page_shows_the_result_of_the_scenario(published: Path) -> None:
    app = opened("growth", lang="en", recruits="3")
    with access.connect(published, rights.ADMINISTRATOR) as con:
        sentence = forecast.reached(planning.headcount(con, scenario=Scenario(recruits=3)), ChartContext("en")).sentence
    assert text.escape(sentence) in html(app)


# ---------------------------------------------------------------- methods


@pytest.mark.parametrize("lang", LANGUAGES)
def test_methods_defines_every_number(lang: str, published: Path) -> None:
    app = opened("methods", **in_language(lang))
    assert not app.exception
    page = html(app)
    headings = {heading.anchor: heading.value for heading in app.subheader}
    shown_metrics = [metric for metric in catalogue().values() if not metric.hidden]
    for metric in [*shown_metrics, *(derived(name) for name in derived_names())]:
        assert headings[metric.name] == metric.label[lang], "an anchor to link to"
        assert text.escape(metric.description[lang]) in page
        assert text.escape(metric.example[lang]) in page
    assert "count(distinct person_id)" in page
    assert "changes" in {heading.anchor for heading in app.header}
    assert text.word("planning.method_title", lang) in [expander.label for expander in app.expander]


# ---------------------------------------------------------------- charts and what they say


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_every_chart_draws_the_sample(lang: str, dark: bool, published: Path) -> None:
    context = ChartContext(lang, dark)
    with access.connect(published, rights.ADMINISTRATOR) as con:
        charts = [
            (workforce.survival, survival.survival(con, least=1), workforce.still_serving),
            (forecast.path, planning.headcount(con), forecast.reached),
            (forecast.futures, training.futures(con), forecast.with_seats),
            (forecast.held, backtesting.backtest(con), forecast.how_often),
            (forecast.history, backtesting.backtest_months(con), forecast.last_trial),
        ]
    for chart, data, says in charts:
        figure = chart(data, context)
        assert figure["data"]
        sentence = says(data, context).sentence
        assert len(sentence.split()) <= 12
        assert "{" not in sentence
        if lang == "fa":
            assert not re.search("[0-9]", sentence)


def test_the_curve_of_service_is_that_of_the_answer(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        everyone = survival.survival(con, least=1)
    low, high, curve = workforce.survival(everyone, ChartContext("en"))["data"]
    assert [list(zip(line["x"], line["y"], strict=True)) for line in (curve, low, high)] == [
        [(row[0], row[column]) for row in everyone.rows] for column in (1, 3, 4)
    ]


def moved() -> Answer:
    return answer(
        "transfers_between",
        by=("origin", "province"),
        rows=[("IR-23", "IR-30", 7), ("IR-30", "IR-23", 2), ("IR-10", "IR-23", 4)],
    )


def test_transfers_are_ranked_by_route_and_a_note_counts_those_not_shown() -> None:
    figure = workforce.moves(moved(), ChartContext("en"))
    names = [plain(name) for name in figure["layout"]["yaxis"]["ticktext"]]
    assert names == ["Tehran to Alborz", "Isfahan to Tehran", "Alborz to Tehran"]
    assert figure["data"][0]["x"] == [7, 4, 2]
    assert not figure["layout"]["meta"].get("credit")
    routes = replace(moved(), rows=[("IR-23", f"IR-{number:02}", number) for number in range(1, 20)])
    shown = workforce.moves(routes, ChartContext("en"))
    assert len(shown["data"][0]["x"]) == 15
    assert shown["layout"]["meta"]["credit"] == "The first 15 of 19 routes"
    assert workforce.largest_move(moved(), ChartContext("en")).sentence == "Transfers: every group is under 23 people"
    many = replace(moved(), rows=[(*row[:2], row[2] * 10) for row in moved().rows])
    assert (
        workforce.largest_move(many, ChartContext("en")).sentence
        == "Highest number of transfers: Tehran to Alborz, 70 people"
    )


def test_a_pyramid_has_its_youngest_at_the_foot() -> None:
    rows = [("18-24", "male", 25), ("18-24", "female", 1), ("25-29", "male", 39), ("25-29", "female", 3)]
    data = answer("active_assistants", by=("age_band", "gender"), rows=rows)
    figure = workforce.pyramid(data, ChartContext("en"))
    assert [plain(name) for name in figure["layout"]["yaxis"]["ticktext"]] == ["25 to 29 years", "18 to 24 years"]
    sentence = workforce.largest_band(data, ChartContext("en")).sentence
    assert sentence == "Largest group, active police assistants: men aged 25 to 29, 39 people"


def test_a_goal_is_given_with_its_central_month() -> None:
    names = ("active_assistants", "plan_active", "plan_low", "plan_high", "target")
    metrics = tuple(catalogue()[name] if name in catalogue() else derived(name) for name in names)
    like = moved()

    def path(*rows: tuple[object, ...]) -> Answer:
        return Answer(
            metrics,
            ("month",),
            ("month", *names),
            list(rows),
            {},
            like.on,
            None,
            frozenset(),
            "",
            like.publication,
            like.scope,
        )

    context = ChartContext("en")
    now = ("1405-01", 50, 50.0, 50.0, 50.0, 60.0)
    both = path(now, ("1405-02", None, 58.0, 55.0, 61.0, 60.0), ("1405-03", None, 66.0, 61.0, 70.0, 60.0))
    assert forecast.reached(both, context).sentence == (
        "Active police assistants: 60 projected for Khordad\u00a01405 (May–Jun\u00a02026)"
    )
    answer = path(now, ("1405-02", None, 58.0, 55.0, 61.0, 60.0))
    assert (
        forecast.reached(answer, context).sentence
        == "Active police assistants: 60 not projected before Ordibehesht\u00a01405 (Apr–May\u00a02026)"
    )
    none = path(now, ("1405-02", None, 52.0, 51.0, 53.0, 60.0))
    assert forecast.reached(none, context).sentence == (
        "Active police assistants: below target through Ordibehesht\u00a01405, 52 (51 to 53)"
    )
    uncertain = path(now, ("1405-02", None, 52.0, None, None, 60.0))
    assert (
        forecast.reached(uncertain, context).sentence
        == "Active police assistants by Ordibehesht\u00a01405 (Apr–May\u00a02026): 52 people"
    )
    rows = [now[:5], ("1405-02", None, 52.0, 51.0, 53.0)]
    aimless = replace(like, metrics=metrics[:4], by=("month",), columns=("month", *names[:4]), rows=rows)
    assert forecast.reached(aimless, context).sentence == (
        "Active police assistants, projected by Ordibehesht\u00a01405: 52 (51 to 53)"
    ), "as the projection on Growth"
    passed = path(("1405-01", 62, 62.0, 62.0, 62.0, 60.0), ("1405-02", None, 58.0, 55.0, 61.0, 60.0))
    assert forecast.reached(passed, context).sentence == (
        "Active police assistants, projected by Ordibehesht\u00a01405: 58 (55 to 61)"
    ), "a target of today is not projected, and the fall below it is said"
    drawn = forecast.path(replace(passed, rows=[passed.rows[0], ("1405-02", None, 66.0, 62.0, 70.0, 60.0)]), context)
    assert not [note for note in drawn["layout"].get("annotations", ()) if "1405" in note["text"]], "nor a month of it"


@pytest.mark.parametrize(("value", "least", "top"), [(0, 20, 20), (81, 20, 90), (1360, 100, 2000), (99, 100, 100)])
def test_a_slider_ends_at_a_round_number(value: float, least: int, top: int) -> None:
    assert scenario._round_top(value, least) == top
