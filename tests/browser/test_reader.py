"""The pages in a browser: both languages, light and dark, wide and narrow, by link and by click."""

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import Browser, expect

from etl.analysis.different import different
from etl.semantic import access, answers, catalog, rights
from etl.semantic.ranking import named_side
from etl.warehouse import publications
from tests.browser import app as front
from tests.conftest import BUILD_DAY, Sample
from tests.effort import draws
from tests.loading import national_id, publish
from ui import palette
from ui.components import tables
from ui.i18n import member_names, navigation, text
from ui.summary.different import sentence

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LANGUAGES = ("fa", "en")
# The lower edge of the text on A4, in points.
_FOOT = 842 - 48


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A dashboard before its first publication: its address, and the pointer to publish to."""
    pointer = tmp_path_factory.mktemp("fresh") / "warehouse.duckdb"
    with front.served(pointer) as url:
        yield url, pointer


def test_a_fresh_server_says_what_to_do_and_then_shows_each_publication(
    fresh: tuple[str, Path], small_register: Path, publish_sample: Callable[..., Sample], chromium: Browser
) -> None:
    """Streamlit by itself takes a file of pages/ for a page. tests/browser/test_every_part.py first opens one that is a page."""
    url, pointer = fresh
    officers = ".st-key-card-judicial_officers .pd-value bdi"
    with front.visit(chromium, url) as reader:
        reader.page.goto(f"{url}/legal?province=IR-23")
        reader.settle()
        assert text.word("state.unpublished_title", "fa") in reader.page.locator(".pd-notice").inner_text()
        assert "python -m etl build" in reader.page.locator('[data-testid="stCode"]').inner_text()
        assert reader.failures == []

        publish(small_register, pointer)
        old_address_opens_a_tab(reader)
        heading = next(entry["fa"] for entry in navigation.menu() if "legal" in navigation.parts(entry))
        assert reader.page.locator("h1").inner_text() == heading
        assert reader.page.locator(".pd-trust").count() == 1
        assert reader.page.locator('[data-testid="stSidebarNavLink"]').count() == len(navigation.menu())

        before = reader.page.locator(officers).inner_text()
        # An open page asks when it is looked at again, and each minute.
        publish(publish_sample().pointer, pointer)
        newer = reader.page.get_by_role("status").get_by_role("button", name=text.word("app.newer", "fa"))
        expect(newer).to_have_count(0)
        reader.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        newer.click()
        reader.settle()
        assert reader.page.locator(officers).inner_text() != before
        reader.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(newer).to_have_count(0)


def old_address_opens_a_tab(reader: front.Visit) -> None:
    """Tabs are in the address, and Back returns to the one before."""
    reader.page.goto(f"{reader.address}/legal?province=IR-23")
    reader.settle()
    assert reader.page.url == f"{reader.address}/workforce?tab=legal&province=IR-23"
    tab = reader.page.get_by_role("tab", selected=True)
    assert tab.inner_text() == navigation.part_words("legal")["fa"]
    assert reader.page.locator(".st-key-card-judicial_officers").is_visible()
    reader.page.get_by_role("tab", name=navigation.part_words("workforce")["fa"]).click()
    reader.settle()
    assert reader.query == "province=IR-23"
    assert reader.page.locator(".st-key-card-women_share").is_visible()
    assert reader.page.locator(".st-key-card-judicial_officers").count() == 0, "a closed tab holds nothing"
    reader.page.go_back()
    reader.settle()
    assert reader.query == "tab=legal&province=IR-23"
    assert reader.page.locator(".st-key-card-judicial_officers").is_visible()


def test_a_page_left_open_while_five_publications_pass_follows_to_the_latest(
    fresh: tuple[str, Path], small_register: Path, chromium: Browser
) -> None:
    url, pointer = fresh
    publish(small_register, pointer)
    with front.visit(chromium, url) as reader:
        reader.go("explore", by="month", m="training_compliance")
        publish(small_register, pointer, publications.KEPT + 1)
        reader.page.locator(".st-key-what-rows [data-testid=stPopoverButton]").click()
        reader.settle()
        message = reader.page.locator(".pd-meaning").inner_text()
        assert text.digits(publications.current(pointer).stem, "fa") in message
        assert reader.page.locator(".pd-error").count() == 0
        reader.page.locator(".st-key-files-chart-trend-training_compliance-month button").first.click()
        reader.settle()
        reader.page.locator(".st-key-table-chart-trend-training_compliance-month button").first.click()
        reader.settle()
        assert reader.page.locator(".pd-error").count() == 0


KERMAN = "IR-08"


@pytest.fixture
def more_of_kerman(small_register: Path, tmp_path: Path) -> Path:
    """The source files of the sample with half as many persons of Kerman again."""
    folder = shutil.copytree(small_register.parent / "in", tmp_path / "in")
    file = next(folder.glob(f"personnel_{KERMAN}_*.csv"))
    lines = file.read_bytes().splitlines(keepends=True)
    more = [
        national_id(999_000_000 + number).encode() + line[line.index(b";") :] for number, line in enumerate(lines[1::2])
    ]
    file.write_bytes(b"".join(lines + more))
    return folder


@pytest.mark.parametrize("width", [1440, 390][: draws(1, 2)])
def test_why_a_number_changed_is_two_clicks_away(
    width: int, fresh: tuple[str, Path], small_register: Path, more_of_kerman: Path, chromium: Browser
) -> None:
    url, pointer = fresh
    publish(small_register, pointer)
    front.build(more_of_kerman, pointer, "--day", str(BUILD_DAY))
    with front.visit(chromium, url, width=width) as reader:
        reader.go("")
        reader.page.locator(".st-key-verdict [data-testid=stPopoverButton]").click()
        reader.settle()
        # A card has a link of this name to Compare.
        reader.page.get_by_test_id("stPopoverBody").get_by_role("link", name=text.word("why.since", "fa")).click()
        reader.settle()
        rows = " ".join(reader.page.locator(".st-key-table-why tbody tr").all_inner_texts())
        assert member_names.of("province", KERMAN, "fa") in rows
        assert text.word("revision.new_rows", "fa") in rows
        assert reader.failures == []


def test_card_chart_table_file_and_question_agree_and_a_click_on_the_map_narrows_the_page(
    address: str, small_register: Path, chromium: Browser
) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        asked = answers.ask(con, "coverage_per_10k", by=("province",))
        nation = answers.ask(con, "coverage_per_10k").value()
        found = different(con, asked.on, {}, metric="coverage_per_10k")  # type: ignore[arg-type]
    side = named_side(found.metrics[0])
    behind = [member_names.of("province", row["province"], "fa") for row in found.records() if row["side"] == side]
    with front.visit(chromium, address) as reader:
        reader.go("coverage")
        card = reader.page.locator(".st-key-card-coverage_per_10k .pd-value bdi").inner_text()
        assert card == text.plain(nation, "per_10k", "fa")
        below = reader.page.locator(".st-key-figure-by_province [class*=st-key-footer-]").get_by_role("button")
        assert [words.partition("\n")[0] for words in below.all_inner_texts()] == [
            text.word("figure.what", "fa"),
            text.word("figure.files", "fa"),
        ]
        figure = reader.page.locator(".st-key-figure-by_place")
        said = sentence(found, "fa", lambda _, code: member_names.of("province", code, "fa"))
        assert behind
        assert said.words in reader.page.locator(".st-key-findings .pd-intro").inner_text()
        figure.get_by_text(text.word("figure.files", "fa"), exact=True).click()
        with reader.page.expect_download() as waiting:
            reader.page.get_by_role("link", name="CSV").click()
        downloaded = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(downloaded)))
        assert [(row["province"], float(row["coverage_per_10k"])) for row in rows] == [row[:2] for row in asked.rows]
        assert waiting.value.suggested_filename.endswith(f"_کل-کشور_{asked.on}_000001.csv")
        reader.page.keyboard.press("Escape")
        map_narrows_and_a_link_leads_to_the_profile(reader)


def map_narrows_and_a_link_leads_to_the_profile(reader: front.Visit) -> None:
    province = reader.page.locator('[data-testid="stPlotlyChart"] .choroplethlayer path, .choroplethlayer path').nth(8)
    province.wait_for(state="attached")
    reader.page.mouse.click(*reader.point_at(".st-key-figure-by_province", lambda: front.middle(province)))
    reader.settle()
    assert reader.query == "province=IR-08"
    assert "کرمان" in reader.said
    label = reader.page.locator(".st-key-figure-by_province .hoverlayer .hovertext")
    assert label.count() == 0, "the tooltip is of the answer before"
    reader.page.get_by_role("link", name=text.word("profile.link", "fa", place="کرمان")).click()
    reader.page.wait_for_selector(f"h1:text-is('{text.word('profile.title', 'fa', place='کرمان')}')")
    reader.settle()
    assert reader.query == "province=IR-08"
    assert reader.page.locator(".pd-error").count() == 0


def test_a_run_that_takes_long_fades_nothing_shows_a_line_at_the_top_and_lets_a_page_be_found(
    address: str, chromium: Browser
) -> None:
    looks = """() => {
        const app = document.querySelector('[data-testid=stApp]'), line = getComputedStyle(app, '::before');
        const parts = [...document.querySelectorAll('[data-testid=stMain] [data-testid=stElementContainer]')];
        return {line: line.content !== 'none' && line.height === '4px' && line.width === `${innerWidth}px`
                    && Number(line.opacity) === 1,
                parts: parts.length, faded: parts.filter(part => getComputedStyle(part).opacity !== '1').length};
    }"""
    with front.visit(chromium, address, held=True) as reader:
        hold = front.hold_answers(reader.page)
        reader.page.emulate_media(reduced_motion="no-preference")
        reader.go("register")
        before = reader.page.evaluate(looks)
        assert not before["line"]
        hold.begin()
        reader.page.get_by_role("combobox").first.click()
        reader.page.keyboard.press("ArrowDown")
        reader.page.keyboard.press("Enter")
        reader.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="running"]')
        reader.page.wait_for_function(f"() => ({looks})().line")
        assert reader.page.evaluate(looks) == {"line": True, "parts": before["parts"], "faded": 0}
        reader.page.keyboard.press("Control+k")
        reader.page.keyboard.type("فارس")
        expect(reader.page.locator("dialog.pd-finder[open] [role=option]").first).to_have_attribute(
            "data-kind", "place"
        )
        reader.page.keyboard.press("Escape")
        hold.end()
        reader.settle()
        assert not reader.page.evaluate(looks)["line"]


def test_what_is_being_typed_is_not_overwritten_by_a_run_under_way(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address, held=True) as reader:
        hold = front.hold_answers(reader.page)
        reader.go("register")
        field = reader.page.locator(".st-key-institute-find input")
        field.click()
        hold.begin()
        reader.page.keyboard.type("آموزش")
        reader.page.keyboard.press("Enter")
        reader.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="running"]')
        reader.page.keyboard.type(" معتبر")
        hold.end()
        reader.settle()
        assert field.input_value() == "آموزش معتبر"


def test_a_chart_stays_and_is_drawn_once_for_each_answer(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        assert reader.go("training").drawn_charts()
        reader.page.evaluate(
            """() => {
                window.drawn = [];
                // A map goes where the provinces differ by chance alone, the futures where seats are not kept.
                window.charts = [...document.querySelectorAll('.js-plotly-plot')]
                    .filter((chart) => !chart.data.some((trace) => trace.type === 'choropleth'))
                    .filter((chart) => !chart.closest('.st-key-figure-futures'));
                window.charts.forEach((chart, place) => chart.on('plotly_afterplot', () => window.drawn.push(place)));
            }"""
        )
        # Where labels need more margin than Plotly was given, it draws everything twice.
        redrawn = reader.page.evaluate(
            """() => window.charts.filter(({layout: {margin}, _fullLayout: {_size: size}}) =>
                ['l', 'r', 't', 'b'].some((side) => Math.abs(size[side] - margin[side]) > 1)).length"""
        )
        assert redrawn == 0
        chart = reader.page.locator(".st-key-figure-seats .js-plotly-plot")
        said, bars = chart.get_attribute("aria-label"), chart.locator(".barlayer").inner_html()
        reader.page.get_by_role("combobox").nth(1).click()
        reader.page.keyboard.press("ArrowDown")
        reader.page.keyboard.press("Enter")
        reader.settle()
        expect(chart).not_to_have_attribute("aria-label", said, timeout=180_000)
        reader.page.wait_for_function(
            "([chart, bars]) => chart.querySelector('.barlayer').innerHTML !== bars", arg=[chart.element_handle(), bars]
        )
        drawn, standing, all_charts = reader.page.evaluate(
            "() => [window.drawn, window.charts.map((chart) => chart.isConnected), window.charts.length]"
        )
        assert standing == [True] * all_charts
        assert drawn
        assert len(drawn) == len(set(drawn))


def test_a_chart_and_its_picture_are_as_wide_as_their_place_after_the_window_was_made_narrow(
    address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("coverage").drawn_charts()
        reader.page.set_viewport_size({"width": 390, "height": 1000})
        reader.settle().drawn_charts()
        widths = reader.page.evaluate(
            """() => [...document.querySelectorAll('.js-plotly-plot')].filter((chart) => chart.checkVisibility()).map((chart) =>
                [chart.clientWidth, chart.querySelector('.main-svg').getBoundingClientRect().width])"""
        )
        assert len(widths) >= 3, "besides those that are folded"
        assert all(0 < place == drawn < 390 for place, drawn in widths)
        figure = reader.page.locator(".st-key-figure-by_province")
        figure.get_by_text(text.word("figure.files", "fa"), exact=True).click()
        reader.settle()
        reader.page.get_by_role("button", name=text.word("more.picture", "fa")).click()
        reader.settle()
        picture = reader.page.locator("[role=dialog] .pd-plot .main-svg").first
        picture.wait_for()
        box = picture.bounding_box()
        assert box
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390


def test_a_chart_that_cannot_be_drawn_says_so_and_is_drawn_when_it_can_be(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.page.route("**/plotly-*.min.js", lambda route: route.abort())
        reader.go("workforce", anew=True)
        chart = reader.page.locator(".st-key-figure-by_age .pd-plot")
        assert chart.inner_text() == text.word("state.no_chart", "fa")
        assert reader.page.locator("[data-testid=stException]").count() == 0
        reader.page.unroute_all()
        reader.page.get_by_role("combobox").nth(1).click()
        reader.page.keyboard.press("ArrowDown")
        reader.page.keyboard.press("Enter")
        reader.settle()
        chart.locator(".barlayer").wait_for()
        assert text.word("state.no_chart", "fa") not in chart.inner_text()


def test_an_unknown_address_gets_our_own_message_and_a_button(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("nowhere", anew=True)
        dialog = reader.page.locator("section[role=dialog]")
        dialog.wait_for()
        assert not re.search("[A-Za-z]", dialog.inner_text())
        title = dialog.locator("h2").evaluate(
            "title => { const words = document.createRange(); words.selectNodeContents(title); "
            "return words.getBoundingClientRect().left }"
        )
        button = dialog.get_by_role("button", name="بستن").bounding_box()
        assert button
        assert button["x"] + button["width"] < title
        if draws(0, 1):
            reader.go("nowhere", lang="en")
            assert dict(text.words("browser.words", "en")).popitem()[1] in dialog.inner_text()


# Labels of an axis that cover each other; the boxes of letters are higher than the letters.
_COVERED = """(charts) => charts.flatMap((chart) => ["xtick", "ytick"].flatMap((tick) => {
    const labels = [...chart.querySelectorAll(`g.${tick} text`)].filter((label) => label.getBoundingClientRect().width);
    const meet = (a, b) =>
        a.left < b.right && b.left < a.right && Math.abs(a.top - b.top) < 0.6 * Math.max(a.height, b.height);
    return labels.filter((label, at) => labels.slice(at + 1).some(
        (other) => meet(label.getBoundingClientRect(), other.getBoundingClientRect()))).map((label) => label.textContent);
}))"""


@pytest.mark.parametrize("lang", LANGUAGES[: draws(1, 2)], scope="module")
def test_the_overview_is_two_sheets_and_the_profile_of_a_province_is_one_sheet_upright(
    lang: str, address: str, chromium: Browser
) -> None:
    def sheets() -> list[tuple[float, float]]:
        paper = reader.page.pdf(format="A4", print_background=True)
        with pikepdf.open(io.BytesIO(paper)) as printed:
            boxes = [[float(edge) for edge in page.mediabox] for page in printed.pages]
        return [(width, height) for *_, width, height in boxes]

    with front.visit(chromium, address, lang=lang) as reader:
        reader.go("", lang=lang).drawn_charts()
        assert len(sheets()) == 2
        with reader.on_paper():
            sizes = reader.page.locator(".st-key-panels .pd-plot .geolayer text").evaluate_all(
                "(labels) => labels.map((label) => 0.75 * parseFloat(getComputedStyle(label).fontSize) * "
                "label.closest('.pd-plot').firstElementChild.style.zoom)"
            )
            assert min(sizes) >= 6.4, "the labels of a map are read on paper, in points"
            # The sheet's own style: what stands above and below each page.
            margins = reader.page.evaluate("document.head.lastElementChild.textContent")
            assert margins.count(f"color: {palette.colour('quiet')};") == 3

        # One with many counties, some of them without anybody.
        reader.go("", province="IR-07", lang=lang).drawn_charts()
        assert reader.page.locator(".st-key-counties_without").count() == 1
        assert len(sheets()) == 1
        reader.go("", province="IR-23", lang=lang).drawn_charts()
        ((width, height),) = sheets()
        assert width < height
        with reader.on_paper():
            panels = reader.page.locator(".st-key-panels .pd-plot")
            assert [panel.is_visible() for panel in panels.all()] == [True] * 3
            coverage, growth, action = (
                reader.page.locator(f".st-key-{key}").evaluate("(one) => one.getBoundingClientRect().toJSON()")
                for key in ("panel-coverage", "panel-growth", "needs-action")
            )
            assert growth["bottom"] <= action["top"] < coverage["bottom"], "the room beside the map is used"
            assert panels.evaluate_all(_COVERED) == []
            assert panels.evaluate_all(
                "(charts) => charts.every((chart) => chart.querySelector('svg').getBoundingClientRect().bottom"
                " <= chart.getBoundingClientRect().bottom + 1)"
            ), "nothing is cut"
            rows = reader.page.locator(".pd-cut tbody tr")
            assert [row.is_visible() for row in rows.all()[: tables.PAPER_ROWS + 1]] == [
                *[True] * tables.PAPER_ROWS,
                False,
            ]
            rest = reader.page.locator(".pd-cut + .pd-on-paper")
            assert rest.is_visible()
            assert text.number(tables.PAPER_ROWS, lang) in rest.inner_text(), "the rest is in the file"
            inks = reader.page.locator(".st-key-table-glance td:has(small)").evaluate_all(
                "(cells) => cells.map((cell) => [cell, cell.firstElementChild].map((one) => getComputedStyle(one).color))"
            )
            assert inks
            assert all(ink != small for ink, small in inks), "shares of few people are pale"


def title_stays_with_its_table_and_what_is_folded_is_printed(reader: front.Visit) -> None:
    folded = reader.page.locator(".st-key-counties_without details")
    assert folded.get_attribute("open") is None
    summary, whole = (at.bounding_box() for at in (folded.locator("summary"), folded))
    assert summary
    assert whole
    assert whole["height"] > summary["height"] + 20, "the counties are named on paper"
    breaks = reader.page.locator(".st-key-figure-every_county").evaluate(
        """(figure) => [...figure.children].map((part) =>
            [part.querySelector('.pd-grid') !== null, getComputedStyle(part).breakAfter])"""
    )
    table = [is_table for is_table, _ in breaks].index(True)
    assert table > 0
    assert {rule for _, rule in breaks[:table]} == {"avoid"}


def test_a_page_is_printed_in_one_column_with_its_tables_whole(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        for part, most in (*(("licensing", 9),)[: draws(0, 1)], ("register", 4), ("coverage", 6), ("training", 7)):
            reader.go(part).drawn_charts()
            folds = reader.page.locator("[class*=st-key-fold-] details")
            with reader.on_paper():
                heights = folds.evaluate_all("(all) => all.map((at) => at.getBoundingClientRect().height)")
                assert all(height < 60 for height in heights), "what is folded is a line on paper, too"
            # A fold inside another is pressed once that one stands open.
            reader.settle()
            for summary in folds.locator("> summary").all():
                summary.click()
                reader.settle()
            reader.drawn_charts()
            with pikepdf.open(io.BytesIO(reader.page.pdf(prefer_css_page_size=True))) as printed:
                assert len(printed.pages) <= most, part
            with reader.on_paper():
                figures = reader.page.locator("[class*=st-key-figure-]:visible")
                across = figures.evaluate_all(
                    "(boxes) => boxes.map((box) => box.getBoundingClientRect()).map((at) => [at.left, at.right].map(Math.round))"
                )
                assert len({tuple(edges) for edges in across}) == 1, part
                rows = reader.page.locator(".pd-grid:not(.pd-cut *) tbody tr")
                if part == "coverage":
                    cut = reader.page.locator(".pd-cut tbody tr")
                    seen = cut.evaluate_all("(rows) => rows.filter((row) => row.getClientRects().length).length")
                    assert seen == tables.PAPER_ROWS < cut.count()
                printed_rows = rows.evaluate_all("(rows) => rows.map((row) => row.getClientRects().length > 0)")
                # The one table of Coverage is cut.
                assert {*printed_rows} == ({True} if part != "coverage" else set()), part
                breaks = figures.filter(has=reader.page.locator(".pd-grid")).evaluate_all(
                    "(boxes) => boxes.map((box) => getComputedStyle(box).boxDecorationBreak)"
                )
                assert {*breaks} == {"clone"}, "the frame of a table is closed on each sheet"
                if part == "coverage":
                    title_stays_with_its_table_and_what_is_folded_is_printed(reader)
                if part == "training":
                    sheet = reader.page.get_by_test_id("stMainBlockContainer").evaluate("(at) => at.clientWidth")
                    widths = reader.page.locator(".pd-plot.js-plotly-plot").evaluate_all(
                        "(charts) => charts.map((chart) => chart._fullLayout.width)"
                    )
                    assert widths
                    assert max(widths) < sheet < 1000, "A4 upright"
                    values_stand_beside_their_names(reader)
                if part == "register":
                    assert not reader.page.get_by_role("tablist").is_visible()
                    assert reader.page.locator(".pd-title strong").inner_text() == navigation.part_words(part)["fa"]


def values_stand_beside_their_names(reader: front.Visit) -> None:
    """The value of a slider on paper."""
    sliders = reader.page.get_by_test_id("stSlider")
    assert sliders.count() > 2
    for slider in sliders.all():
        assert not slider.get_by_test_id("stSliderTickBar").is_visible()
        label, value = (slider.get_by_test_id(part).bounding_box() for part in ("stWidgetLabel", "stSliderThumbValue"))
        assert label
        assert value
        assert abs(label["y"] - value["y"]) < label["height"], "a value stands beside its name"


def test_a_chart_stays_readable_when_the_system_changes_its_look_and_a_small_box_has_its_colours(
    address: str, chromium: Browser
) -> None:
    drawn = """() => {
        const chart = document.querySelector(".pd-plot");
        return [getComputedStyle(chart).filter, chart.dataset.look, getComputedStyle(chart.querySelector("text")).fill];
    }"""
    keys = "[...document.querySelectorAll('.pd-swatch')].map((key) => getComputedStyle(key).filter)"
    with front.visit(chromium, address) as reader:
        reader.go("workforce").drawn_charts()
        light = reader.page.evaluate(drawn)
        assert light[:2] == ["none", "light"]
        reader.darken()
        assert reader.page.evaluate(drawn) == ["invert(1) hue-rotate(180deg)", *light[1:]]
        assert set(reader.page.evaluate(keys)) == {"invert(1) hue-rotate(180deg)"}, "as the chart"
        reader.go("workforce", gender="female")
        reader.page.wait_for_function("() => document.querySelector('.pd-plot')?.dataset.look === 'dark'")
        dark = reader.page.evaluate(drawn)
        assert dark[:2] == ["none", "dark"]
        assert set(reader.page.evaluate(keys)) == {"none"}
        assert dark[2] != light[2]
        reader.open_tools()
        link, of_page = (
            reader.page.locator(selector).first.evaluate("(at) => getComputedStyle(at).color")
            for selector in ('[data-testid="stPopoverBody"] a', ".pd-switch a")
        )
        assert link == of_page


def test_every_number_is_explained_in_one_click(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("workforce")
        value = reader.page.locator(".st-key-card-women_share .pd-value bdi").inner_text()
        reader.page.locator(".st-key-card-women_share [data-testid=stPopoverButton]").click()
        meaning = reader.page.locator(".pd-meaning")
        meaning.wait_for()
        words = meaning.inner_text()
        metric = catalog.catalogue()["women_share"]
        for part in (
            text.word("figure.formula", "fa"),
            text.word("figure.load", "fa"),
            "رد شده است که می‌توانست این عدد را تغییر دهد",
            metric.label["fa"],
            metric.description["fa"],
        ):
            assert part in words
        assert value in words.partition(text.word("figure.example", "fa"))[2], "the sum of the number itself"
        code = reader.page.locator('[data-testid="stCode"]')
        assert not code.is_visible()
        reader.page.locator("summary", has_text=text.word("figure.query", "fa")).click()
        code.wait_for()
        assert "select" in code.inner_text()


def test_methods_is_a_handful_of_sheets_and_a_wide_pivot_no_wider_than_one(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        for lang in LANGUAGES[: draws(1, 2)]:
            reader.go("methods", lang=lang)
            with pikepdf.open(io.BytesIO(reader.page.pdf(format="A4"))) as printed:
                assert len(printed.pages) <= 7
            with reader.on_paper():
                sizes = reader.page.locator(".pd-entry p").evaluate_all(
                    "(all) => all.map((at) => 0.75 * at.currentCSSZoom * parseFloat(getComputedStyle(at).fontSize))"
                )
                assert min(sizes) >= 7.5, "running text is read on paper, in points"
                assert not reader.page.locator(".pd-entry summary").first.is_visible(), "no name of what is not printed"
        reader.go("explore", by=["province", "month"], show="pivot", period="36")
        reader.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        columns, wide, room = reader.page.locator(".st-key-table-pivot table").evaluate(
            "table => [table.rows[0].cells.length, ...[table, table.parentElement].map((at) => at.getBoundingClientRect().width)]"
        )
        assert columns == 26
        assert wide <= room + 1


@pytest.mark.parametrize(
    ("part", "view", "figure", "column"),
    [
        ("compare", {}, "numbers", "Measure"),
        # With a control between the heading and the table.
        ("licensing", {"open": "licences_ending", "province": "IR-23"}, "listing-licences_ending", "Time"),
    ],
)
def test_the_heading_of_a_table_stands_on_the_sheet_of_its_first_row(
    part: str, view: dict[str, str], figure: str, column: str, address: str, chromium: Browser
) -> None:
    def read(*options: str) -> str:
        paper = reader.page.pdf(format="A4")
        return subprocess.run(
            ["pdftotext", *options, "-", "-"], input=paper, capture_output=True, check=True
        ).stdout.decode()

    with front.visit(chromium, address, lang="en") as reader:
        reader.go(part, lang="en", **view)
        # Printed with the others, a sheet would take ten times as long.
        others = reader.page.locator(
            f"[class*=st-key-figure-]:not(.st-key-figure-{figure}, :has(.st-key-figure-{figure}))"
        )
        others.evaluate_all("(others) => others.forEach((one) => one.style.display = 'none')")
        table = reader.page.locator(f".st-key-figure-{figure}")
        title, row = " ".join(table.locator("h3").inner_text().split()), table.locator("tbody td").first.inner_text()
        header = re.search(rf'yMax="([\d.]+)">{column}<', read("-bbox"))
        assert header
        reader.page.evaluate("document.querySelector('[data-testid=stMain]').prepend(document.createElement('hr'))")
        # Room for the header row, and for no row below it.
        for room in (6, 14):
            space = _FOOT - room - float(header[1])
            reader.page.locator("hr").evaluate("(at, space) => at.style.cssText = `margin: 0 0 ${space}pt`", space)
            (sheet,) = (sheet for sheet in read().split("\f") if title in " ".join(sheet.split()))
            # The lines of a cell may be printed apart, and a Persian name beside them without a space.
            assert [word for word in row.split() if word not in sheet] == []
        reader.page.locator("hr").evaluate("(at) => at.remove()")
        others.evaluate_all("(others) => others.forEach((one) => one.style.display = '')")
