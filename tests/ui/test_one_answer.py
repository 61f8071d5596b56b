"""Who is below the nation is said in the same sentence by pages, profile, needs action, briefing and command line."""

import random
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cachetools import LRUCache, cached
from starlette.applications import Starlette
from starlette.testclient import TestClient

from etl.analysis import analyses, glance
from etl.analysis.different import PUBLISHED
from etl.cli.commands import main
from etl.core import jalali
from etl.semantic import access
from etl.semantic.answers import ask
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import LEAST, named_side
from etl.semantic.resolve import settled_on
from etl.semantic.rights import ADMINISTRATOR
from tests.conftest import BUILD_DAY
from tests.effort import draws
from tests.loading import build
from tests.ui.test_chart_lint import html_of, opened
from ui.briefing import content, writing
from ui.charts import bars, maps
from ui.charts.elements import ChartContext
from ui.components import figures, table_state
from ui.data import warehouse
from ui.data.ask import Kept, On, of_analysis
from ui.exhibits import exhibit
from ui.i18n import member_names, text
from ui.shell import data_address
from ui.state import questions
from ui.state.questions import who_differs
from ui.summary import different

pytestmark = pytest.mark.slow

# The parts that say it of each measure, besides the briefing.
SAID_ON = {
    "coverage_per_10k": ("overview", "coverage"),
    "training_compliance": ("overview", "training"),
    "officer_training_share": ("legal",),
    "smart_service_share": ("licensing",),
    "leaver_rate_12m": ("growth",),
}
SAYING = sorted({part for parts in SAID_ON.values() for part in parts})
SCOPES: list[dict[str, str]] = [
    {}, {"province": "IR-23"}, {"province": "IR-20"}, {"province": "IR-07"}, {"gender": "male"}, {"activity": "guarding"},
    {"on": "2025-09-21"}, {"province": "IR-10", "gender": "male"}, {"province": "IR-10", "on": "2025-03-20"},
]  # fmt: skip
# Half of the training in these provinces is missing.
UNTRAINED = ("IR-03", "IR-06")


def random_scopes(count: int) -> list[dict[str, str]]:
    chance, places = random.Random(38), [*member_names.fixed("province", "en")]
    values = {
        "gender": ["male", "female"], "activity": [*member_names.fixed("activity", "en")],
        "on": ["2026-06-21", "2025-12-21", "2025-09-22", "2024-09-21"],
    }  # fmt: skip
    scopes = []
    for _ in range(count):
        scope = {name: chance.choice(known) for name, known in values.items() if chance.random() < 0.35}
        scopes.append({"province": chance.choice([*UNTRAINED, *places])} | scope if chance.random() < 0.6 else scope)
    return scopes


RANDOM_SCOPES = random_scopes(draws(2, 40))


def opened_parts(number: int) -> set[str]:
    """The first screen and two of the other parts that say it, in turns; all with THOROUGH=1."""
    others = [part for part in SAYING if part != "overview"]
    return {"overview", *(others * 2)[2 * number % len(others) :][: draws(2, len(others))]}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("untrained")
    sample = ["sample", folder / "in", "--scale", 0.1, "--seed", 7, "--day", BUILD_DAY]
    assert main([str(word) for word in sample]) == 0
    for code in UNTRAINED:
        file = next((folder / "in").glob(f"training_{code}_*"))
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join([lines[0], *lines[1::2]]))
    built = build(folder / "in", accept_loss=False)
    assert built.code == 0, built.err
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("WAREHOUSE", str(built.to))
        setting.setattr(warehouse, "results", cached(LRUCache(10_000_000, warehouse._size_of))(warehouse._run_query))
        yield built.to


@pytest.fixture(scope="module")
def press(published: Path) -> Iterator[writing.Press]:
    with writing.press(published, ADMINISTRATOR) as press:
        yield press


@pytest.fixture(scope="module")
def told(published: Path) -> Iterator[Kept]:
    """The analyses as the command line prints them. Each is asked once for all tests."""
    with access.connect(published, ADMINISTRATOR) as con:
        yield Kept(On(con))


def expected(told: Kept, name: str, lang: str, scope: dict[str, str]) -> list[str]:
    """The sentences of a measure under a scope, from the rows that the command line prints."""
    where = {key: [value] for key, value in scope.items() if key != "on"}
    on = date.fromisoformat(scope["on"]) if "on" in scope else None

    def member(dimension: str, code: Any) -> str:
        return member_names.of(dimension, code, lang)

    outside = {key: value for key, value in where.items() if key != "province"}
    provinces = told(of_analysis("different", on, outside, metric=name))
    if "province" not in where:
        return [said.words for said in [different.sentence(provinces, lang, member)] if said]
    counties = told(of_analysis("different", on, where, metric=name, by="county"))
    place = different.of_place(provinces, scope["province"], lang, member)
    return [said.words for said in (place, different.sentence(counties, lang, member)) if said]


@pytest.mark.parametrize(
    ("scope", "lang", "parts"),
    [
        (scope, text.LANGUAGES[(at + more) % 2], opened_parts(at))
        for at, scope in enumerate(SCOPES)
        for more in range(draws(1, 2))
    ]
    + [(scope, text.LANGUAGES[at % 2], opened_parts(at)) for at, scope in enumerate(RANDOM_SCOPES)],
)
def test_pages_profile_and_briefing_say_the_same_sentence(
    scope: dict[str, str], lang: str, parts: set[str], press: writing.Press, told: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pictures and cards say nothing of it, and take most of the time.
    monkeypatch.setattr(figures, "exhibit", lambda *_, **__: None)
    monkeypatch.setattr(figures, "cards", lambda *_, **__: None)
    pages = {part: html_of(opened(part, lang, **scope)) for part in parts}
    # The first screen prints the names that are behind in bold.
    plain = {part: re.sub(r'</?b(?: class="pd-behind")?>', "", html) for part, html in pages.items()}
    said = {part: re.findall(r'<p class="pd-(?:intro|sentence)">(.*?)</p>', html) for part, html in plain.items()}
    for name, said_on in SAID_ON.items():
        known = {key: scope[key] for key in scope if key in {"on", "province"} | catalogue()[name].dimensions}
        sentence = text.escape(" ".join(expected(told, name, lang, known)))
        for part in parts & {*said_on}:
            assert not sentence or sentence in said[part], (name, part)
    if set(scope) <= {"province"}:
        book = content.book(press.writer(scope.get("province", "IR"), lang, exact=True))
        for name, line in zip(("coverage_per_10k", "training_compliance"), book["verdict"][-2:], strict=True):
            assert text.escape(line) in said["overview"], name


def test_somebody_is_named_in_several_scopes_or_the_sentences_would_test_nothing(told: Kept) -> None:
    def named(name: str, scope: dict[str, str]) -> set[str]:
        where = {key: [value] for key, value in scope.items() if key not in ("on", "province")}
        on = date.fromisoformat(scope["on"]) if "on" in scope else None
        if not {*where} <= catalogue()[name].dimensions:
            return set()
        answer = told(of_analysis("different", on, where, metric=name))
        return {row["province"] for row in answer.records() if row["side"] in ("lower", "higher")}

    scopes = [*SCOPES, *RANDOM_SCOPES]
    naming = [scope for scope in scopes if any(named(name, scope) for name in SAID_ON)]
    assert len(naming) >= len(scopes) * 2 / 5
    assert {*UNTRAINED} <= named("training_compliance", {})


def test_the_orange_bars_are_the_names_of_the_sentence(told: Kept) -> None:
    context = ChartContext("en")
    answer = told(of_analysis("different"))
    bar = bars.ranking(answer, context)["data"][0]
    orange = [
        code
        for code, colour in zip(bar["customdata"], bar["marker"]["color"], strict=True)
        if colour == context.colour("problem")
    ]
    below = [row["province"] for row in answer.records() if row["side"] == "lower"]
    assert orange == below == bar["customdata"][: len(below)], "and they stand on top, the worst first"
    sentence = different.sentence(answer, "en", lambda dimension, code: str(code), most=31).words
    assert re.findall("IR-[0-9]{2}", sentence) == below


MAPS = {
    "coverage_per_10k": ("overview", "coverage", "explore"),
    "training_compliance": ("overview", "training", "explore"),
}


def test_a_province_has_the_same_colour_on_every_map_of_a_measure(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a colour of the light look has one in the dark look, which means the same."""
    drawn, shown = exhibit.drawn_chart, []

    def watched(answer: Any, chart: Any, *more: Any) -> Any:
        if chart is maps.provinces:
            shown.append(answer)
        return drawn(answer, chart, *more)

    monkeypatch.setattr(exhibit, "drawn_chart", watched)
    meanings = set()
    for name, parts in MAPS.items():
        found = []
        for part in parts:
            shown.clear()
            html_of(opened(part, "en", **({"m": name, "by": "province"} if part == "explore" else {})))
            (answer,) = {one for one in shown if one.metrics[0].name == name}
            found.append([fills(answer, is_dark) for is_dark in (False, True)])
        assert all(looks == found[0] for looks in found), name
        light, dark = found[0]
        assert light.keys() == dark.keys()
        meanings |= {(light[code], dark[code]) for code in light}
    assert len({*meanings}) == len({light for light, _ in meanings}) == len({dark for _, dark in meanings}) > 1


def fills(answer: Any, is_dark: bool) -> dict[str, str]:
    """The colour of each province on the map of an answer."""
    area = maps.provinces(answer, ChartContext("en", is_dark))["data"][0]
    colours = [colour for _, colour in area["colorscale"][::2]]
    return dict(zip(area["locations"], (colours[step] for step in area["z"]), strict=True))


def test_a_title_over_time_and_its_number_of_cases_are_of_the_unit_it_names(published: Path) -> None:
    with access.connect(published, ADMINISTRATOR) as con:
        for part, name, cases, by in (
            ("licensing", "renewal_rate", "licences_ended", "quarter"),
            ("explore", "renewal_rate", "licences_ended", "quarter"),
            ("explore", "time_to_licence_median", "granted_timed", "month"),
        ):
            asked = {"m": name, "by": by} if part == "explore" else {}
            page = re.sub("[\u2066-\u2069]", "", html_of(opened(part, "en", **asked)))
            metric = catalogue()[name]
            # Of few cases the title gives no number of the measure, but how many they are.
            ((few, later, when, value, count),) = re.findall(
                rf"<h3>{metric.short['en']}(?:: only (\d+) cases in ([^<]*)| in ([^:]*): ([^ ,]*)[^<]*)</h3>"
                r"<p>[^<]* n\xa0=\xa0(\d+) ",
                page,
            )
            when = when or later
            units = ask(con, name, cases, by=(by,), over=jalali.last_complete_months(BUILD_DAY, 24)).records()
            row = next(
                row for row in units if when in (text.unit_in_both(row[by], "en"), text.unit_label(row[by], "en"))
            )
            assert count == (few or count) == str(row[cases])
            assert few or value == text.plain(row[name], metric.unit, "en")


# ---------------------------------------------------------------- the first screen

PANELS = {"coverage": "coverage_per_10k", "growth": "active_assistants", "training": "training_compliance"}


@pytest.fixture(scope="module")
def first_screen(published: Path) -> Callable[..., str]:
    """A function that opens the first screen of the nation or of a province, once for all tests."""

    @cache
    def first_screen(lang: str = "en", province: str = "") -> str:
        return html_of(opened("overview", lang, province))

    return first_screen


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("province", ["", "IR-20", "IR-23"])
def test_three_panels_answer_the_three_questions_in_their_order(
    province: str, lang: str, published: Path, told: Kept, first_screen: Callable[..., str]
) -> None:
    scope = {"province": province} if province else {}
    panels = re.findall(
        r'<div class="pd-panel"><div class="pd-panel-top"><h3><a href="([^"]*)"[^>]*>(.*?)</a></h3>(?:<a [^>]*>[^<]*</a>)?</div>'
        r'.*?<p class="pd-value"><bdi>(.*?)</bdi>.*?<p class="pd-sentence">(.*?)</p>',
        first_screen(lang, province),
        re.DOTALL,
    )
    # A place without a target of its own grows, but not to one.
    heads = [f"panel.{page}" if page != "growth" or not province else "group.growth" for page in PANELS]
    assert [panel[1] for panel in panels] == [
        text.escaped("change.page", lang, page=text.word(head, lang)) for head in heads
    ]
    with access.connect(published, ADMINISTRATOR) as con:
        for (page, name), (address, _, number, sentence) in zip(PANELS.items(), panels, strict=True):
            assert address.partition("?")[0] == page
            assert (f"province={province}" in address) == bool(province)
            value = ask(con, name, where={key: [code] for key, code in scope.items()}).value()
            assert number == text.escape(text.plain(value, catalogue()[name].unit, lang))
            if page == "growth":
                said = sentence.startswith(text.escaped("verdict.no_target", lang))
                assert said == bool(province), "a place without a target of its own reaches none"
                assert "<b>" not in sentence, "who lacks people is a matter of coverage, not of time"
            else:
                assert re.sub("</?b.*?>", "", sentence) == text.escape(" ".join(expected(told, name, lang, scope)))


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("province", ["", "IR-23"])
def test_the_whole_stands_first_at_a_glance_and_coverage_says_of_how_many(
    province: str, lang: str, first_screen: Callable[..., str]
) -> None:
    page = first_screen(lang, province)
    table = re.search(r'data-sort="coverage_per_10k">(.*?)<.*?<tbody>(<tr>.*?</tr>)', page, re.DOTALL)
    assert table
    assert table[1] == text.escaped("glance.per_10k", lang, measure=catalogue()["coverage_per_10k"].short[lang])
    whole = text.escaped(f"glance.whole_{'county' if province else 'province'}", lang)
    assert table[2].startswith(f'<tr><th scope="row" class="pd-total pd-first">{whole}</th>')


def glanced(html: str, by: str) -> dict[str, dict[str, str]]:
    """The rows of the table at a glance in their order, by the name of the place: its cells by their column."""
    title = text.word(f"glance.{by}", "en", count="", place="").strip().rpartition(" of ")[0] or "provinces"
    table = re.search(rf"<caption>\d+ {title}.*?</caption>(.*?)</table>", html, re.DOTALL)
    assert table
    columns = re.findall(r'data-sort="(.*?)"', table[1])
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', table[1], re.DOTALL)
    return {
        re.sub("<[^>]*>", "", name): {
            "place": name,
            **dict(zip(columns[1:], re.findall(r"<td.*?>(.*?)</td>", cells, re.DOTALL), strict=True)),
        }
        for name, cells in rows
    }


@pytest.mark.parametrize("province", ["", "IR-23"])
def test_the_orange_cells_at_a_glance_are_those_that_the_one_test_names(
    province: str, published: Path, first_screen: Callable[..., str]
) -> None:
    by, where = ("county", {"province": [province]}) if province else ("province", {})
    rows = glanced(first_screen("en", province), by)
    named = {}
    with access.connect(published, ADMINISTRATOR) as con:
        for name in glance.TESTED:
            answer = analyses.analyse(con, "different", where=where, metric=name, by=by)
            side = named_side(catalogue()[name])
            named[name] = {member_names.of(by, row[by], "en") for row in answer.records() if row["side"] == side}
    orange = {
        name: {place for place, cells in rows.items() if "pd-behind" in cells[name]}
        for name in next(iter(rows.values()))
    }
    assert {name: places for name, places in orange.items() if places} == {
        name: places for name, places in named.items() if places
    }
    assert any(orange.values())


def test_the_table_of_provinces_is_of_the_chosen_and_that_of_a_province_of_its_counties(
    published: Path, first_screen: Callable[..., str]
) -> None:
    page = html_of(opened("overview", "en", province=["IR-10", "IR-11"], gender="female"))
    assert len(glanced(page, "province")) == 2
    of_one = first_screen("en", "IR-10")
    with access.connect(published, ADMINISTRATOR) as con:
        counties = ask(con, "residents", by=("county",), where={"province": ["IR-10"]})
        active = ask(con, "active_assistants", by=("county",), where={"province": ["IR-10"]})
    assert len(glanced(of_one, "county")) == len(counties.rows) > len(active.rows), "those without anybody too"


def test_nobody_is_no_table_at_a_glance_and_no_part_of_nobody(published: Path) -> None:
    with access.connect(published, ADMINISTRATOR) as con:
        women = ask(con, "in_service", by=("province", "post"), where={"gender": ["female"]})
        nobody = {"gender": "female", "post": "manager", "province": "IR-20"}
        assert ("IR-20", "manager") not in {row[:2] for row in women.rows}
    page = html_of(opened("overview", "en", **nobody))
    assert "at a glance" not in page
    assert "0 of 0" not in page


def test_a_row_at_a_glance_leads_to_its_profile_and_any_column_sorts(published: Path) -> None:
    app = opened("overview", "en")
    rows = glanced(html_of(app), "province")
    assert len(rows) == 31
    for name, cells in rows.items():
        code = re.search(r'href="\./\?province=(IR-\d\d)&amp;lang=en"', cells["place"])
        assert code
        assert member_names.of("province", code[1], "en") == name

    def values(column: str) -> list[float]:
        cells = [
            cells[column] for cells in glanced(html_of(app), "province").values() if "<small>" not in cells[column]
        ]
        return [float(cell) for cell in (re.sub("<[^>]*>|[^0-9.]", "", cell) for cell in cells) if cell]

    settled = questions.settled_on(warehouse.of_page(), "leaver_rate_12m", BUILD_DAY)
    assert settled
    assert f"12-month leaver rate: to {text.day(settled, 'en')}." in html_of(app)
    assert values("training_compliance") == sorted(values("training_compliance")), "the worst first"
    app.session_state["table glance"] = table_state.TableState("-coverage_per_10k")
    app.run()
    assert values("coverage_per_10k") == sorted(values("coverage_per_10k"), reverse=True)


def test_shares_of_few_people_at_a_glance_are_a_dash_with_their_number(
    published: Path, first_screen: Callable[..., str]
) -> None:
    """Few are those that the share is of: the rate of leavers is of a year's mean, and not of those active on the day."""
    judged_alike = []
    for province in ("IR-23", "IR-07", "IR-10"):
        rows = glanced(first_screen("en", province), "county")
        for name in ("training_compliance", "leaver_rate_12m"):
            with access.connect(published, ADMINISTRATOR) as con:
                day = settled_on(con, name, BUILD_DAY)
                counties = ask(con, name, by=("county",), on=day, where={"province": [province]}).records()
            size = str(catalogue()[name].denominator)
            few = {
                member_names.of("county", row["county"], "en"): f"<small>– ({text.number(row[size], 'en')})</small>"
                for row in counties
                if row[name] is not None and row[size] < LEAST
            }
            for place, cells in rows.items():
                if "pd-behind" not in cells[name]:
                    assert cells[name] == few.get(place, cells[name]), cells
                    assert place in few or "<small>" not in cells[name], cells
                    judged_alike.append((place in few) == (int(cells["active_assistants"].replace(",", "")) < LEAST))
            if name == "training_compliance":
                assert {"<small>" in cells[name] for cells in rows.values()} == {True, False}
    assert not all(judged_alike)


# ---------------------------------------------------------------- the same places in every form

KINDS: dict[str, dict[str, str]] = {
    "nation": {}, "all": {}, "men": {"gender": "male"}, "guarding": {"activity": "guarding"}, "day": {"on": "2025-03-20"},
}  # fmt: skip
BEGINS = {"all": "IR-10", "men": "IR-23", "guarding": "IR-05", "day": "IR-00"}
IN_EVERY_FORM = ("coverage_per_10k", "training_compliance")


@pytest.fixture(scope="module")
def address(published: Path) -> TestClient:
    return TestClient(Starlette(routes=data_address.routes()), "http://localhost", client=("127.0.0.1", 5000))


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_names_the_same_places_in_the_same_order(
    kind: str, address: TestClient, press: writing.Press, told: Kept
) -> None:
    """The sentence, bars, map, table, both briefings, the command line, the file of the page's ranking, and who is low by
    the numbers of the data address."""
    scope, met = KINDS[kind], 0
    filters = {name: value for name, value in scope.items() if name != "on"}
    on = date.fromisoformat(scope["on"]) if "on" in scope else None
    # Each kind begins with a province in which somebody is named, and goes on until somebody is.
    every = sorted(member_names.fixed("province", "en"))
    at = every.index(BEGINS[kind]) if kind in BEGINS else 0
    provinces = [""] if kind == "nation" else every[at:] + every[:at]
    for tried, province in enumerate(provinces):
        if met and tried >= draws(2, len(provinces)):
            break
        by, place = ("county", {"province": province}) if province else ("province", {})
        where = {name: [value] for name, value in (filters | place).items()}
        cells = told(of_analysis("glance", on, where, by=by)).records()
        for name in IN_EVERY_FORM:
            answer = told(of_analysis("different", on, where, metric=name, by=by))
            rows = [row for row in answer.records() if row["side"] == named_side(catalogue()[name])]
            named = [row[by] for row in rows]
            met += len(named)
            sentence = different.sentence(answer, "en", lambda _, code: f"<{code}>", most=99).words
            said = re.findall("<(.*?)>", sentence.partition(". <")[0])
            # Of counties it names those of most residents first, and the forms below go by value.
            is_alike = said == named or (by == "county" and sorted(said) == sorted(named))
            assert is_alike or (not named and re.match("Lowest|Least|$", sentence)), (province, name)
            bar = bars.ranking(answer, ChartContext("en"))["data"][0]
            problem = ChartContext("en").colour("problem")
            assert [
                code
                for code, colour in zip(bar["customdata"], bar["marker"]["color"], strict=True)
                if colour == problem
            ] == named
            if by == "province":
                area = maps.provinces(answer, ChartContext("en"))["data"][0]
                steps = {maps.AREAS.index("far_behind")} | (
                    {maps.AREAS.index("behind")} if name != IN_EVERY_FORM[0] else set()
                )
                assert {code for code, step in zip(area["locations"], area["z"], strict=True) if step in steps} == {
                    *named
                }
            assert {row[by] for row in cells if name in row["behind"].split("|")} == {*named}
            # Questions give no group of nobody: those are on the map, in the sentence and in the table.
            with_anybody = [row[by] for row in rows if row[name]]
            assert low_by_exhibit(address, name, by, scope | place) == with_anybody, (province, name)
            for exact in (True, False) if not filters else ():
                write = press.writer(province or "IR", "en", on, exact)
                seen = who_differs(write.scope, write.ask, name, by)
                if exact:
                    listed = named
                else:
                    # For circulation a side follows from the published counts, of those places that have any.
                    rounded = told(of_analysis("different", on, where, metric=name, by=by, counts=PUBLISHED))
                    listed = [row[by] for row in different.named(rounded) if row[by] in seen.column(by)]
                assert {row[by] for row in different.named(seen)} == {*listed}, (province, name, exact)
        answer = told(of_analysis("different", on, where, metric=IN_EVERY_FORM[0], by=by))
        low = [row[by] for row in answer.records() if row["side"] == "far_lower" and row[answer.metrics[0].name]]
        assert low == low_by_address(address, by, scope | place), province
    assert met, "else nothing is tried"


def low_by_exhibit(client: TestClient, name: str, by: str, scope: dict[str, str]) -> list[str]:
    """The places that the file of the page's ranking calls clearly low, lowest first."""
    page = {"coverage_per_10k": "coverage", "training_compliance": "training"}[name]
    answer = client.get(f"/data/{page}/by_place.json", params={"lang": "en", **scope})
    if answer.status_code != HTTPStatus.OK:
        # A place without two groups has a trend or nothing.
        return []
    low = [(row[name], row[by]) for row in answer.json() if row.get("side") == named_side(catalogue()[name])]
    return [code for _, code in sorted(low)]


def low_by_address(client: TestClient, by: str, scope: dict[str, str]) -> list[str]:
    """The places of less than half of the whole's coverage, lowest first, from the numbers of the data address alone."""

    def rows(*axes: str) -> list[dict[str, Any]]:
        sent = {"m": ["coverage_per_10k", "active_assistants", "residents"], "by": axes, "lang": "en", **scope}
        answer = client.get("/data/answer.json", params=sent)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    (whole,) = rows()
    rate = whole["active_assistants"] / whole["residents"] if whole["active_assistants"] else 0
    places = rows(by)
    unknown = sum(row["active_assistants"] for row in places if row[by] is None)
    if unknown > (whole["active_assistants"] or 0) / 10:
        return []
    low = [
        (row["coverage_per_10k"], row[by])
        for row in places
        if row[by] is not None and row["coverage_per_10k"] is not None and row["residents"] * rate >= LEAST
        and row["coverage_per_10k"] < rate * 10_000 / 2
    ]  # fmt: skip
    return [code for _, code in sorted(low)]
