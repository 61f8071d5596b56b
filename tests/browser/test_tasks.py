"""Tasks of users, in Persian, on a wide screen or on a phone, in at most three clicks each.

Each task begins at the first page. Choosing an option of an open list counts as a click; typing, and Enter after it, does
not.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from persiantools.jdatetime import JalaliDate
from playwright.sync_api import Browser, Locator, expect

from etl.analysis import different, planning
from etl.core import jalali
from etl.core.text_folding import latin_digits
from etl.semantic import access, answers, rights
from etl.semantic.ranking import named_side, rank
from etl.semantic.resolve import settled_on
from tests.browser import app as front
from tests.effort import draws
from ui.components import tables
from ui.i18n import member_names, navigation, text
from ui.summary.different import sentence

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEHRAN, KERMAN = "IR-23", "IR-08"
MOST_CLICKS = 3
WIDTHS = {"wide": 1440, "phone": 390}
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
# A day after which licences of the sample end within 30 days.
ENDING_ON = date(2026, 4, 1)


@dataclass
class Hand:
    """Clicks on a page, and counts them."""

    reader: front.Visit
    is_phone: bool
    clicks: int = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.scroll_into_view_if_needed()
        # Parts of a chart are below the layer that receives mouse events.
        is_mark = what.evaluate("at => at instanceof SVGElement")
        what.click(force=is_mark)
        self.reader.settle()

    def menu(self, name: str) -> None:
        """An entry of the menu, which has to be opened on a phone."""
        page = self.reader.page
        if self.is_phone:
            self.click(page.get_by_test_id("stExpandSidebarButton"))
        entry = next(entry for entry in navigation.menu() if name in navigation.parts(entry))
        self.click(page.get_by_test_id("stSidebarNavLink").get_by_text(entry["fa"], exact=True))

    def action(self, kind: str) -> None:
        """What needs action, of a kind, on the first page."""
        self.click(self.reader.page.locator(f".pd-action-{kind} a"))

    def panel(self, page: str) -> None:
        """The link of a panel of the first page."""
        self.click(self.reader.page.locator(f".st-key-panel-{page} .pd-panel-top h3 a"))

    def download(self, what: Locator) -> Path:
        with self.reader.page.expect_download(timeout=front.FILE_PATIENCE) as fetched:
            self.click(what)
        return Path(fetched.value.path())


@pytest.fixture
def view() -> dict[str, Any]:
    """The parameters with which the first page opens, or another one by its name."""
    return {}


def on_a(device: str) -> pytest.MarkDecorator:
    """The device on which a task is done in every run; with THOROUGH=1 it is done on both."""
    return pytest.mark.parametrize("hand", [device, *sorted({*WIDTHS} - {device})[: draws(0, 1)]], indirect=True)


@pytest.fixture
def hand(request: pytest.FixtureRequest, view: dict[str, Any], address: str, chromium: Browser) -> Iterator[Hand]:
    with front.visit(chromium, address, width=WIDTHS[request.param]) as reader:
        hand = Hand(reader.go(**view), request.param == "phone")
        yield hand
        assert reader.failures == []
        assert hand.clicks <= MOST_CLICKS


def ask(pointer: Path, *names: str, **asked: Any) -> answers.Answer:
    with access.connect(pointer, rights.ADMINISTRATOR) as con:
        return answers.ask(con, *names, **asked)


def province(code: str) -> str:
    return member_names.of("province", code, "fa")


def figure(hand: Hand, ident: str) -> Locator:
    return hand.reader.page.locator(f".st-key-figure-{ident}")


def narrow(hand: Hand, ident: str, code: str) -> None:
    """Click on the mark of a province, on a map or among bars."""
    chart = figure(hand, ident).locator(".js-plotly-plot")
    place = chart.evaluate(
        """(chart, code) => {
            const [trace] = chart.data;
            return (trace.locations ?? trace.customdata.map((one) => [one].flat()[0])).indexOf(code);
        }""",
        code,
    )
    assert place >= 0
    hand.click(chart.locator(".choroplethlayer path, .barlayer .point path").nth(place))


def compared(pointer: Path, name: str) -> tuple[answers.Answer, set[str]]:
    """The provinces against the nation, and those that are named as worse."""
    on = ask(pointer, name).on
    with access.connect(pointer, rights.ADMINISTRATOR) as con:
        found = different.different(con, settled_on(con, name, on) or on, {}, metric=name)
    worse = named_side(found.metrics[0])
    return found, {row["province"] for row in found.records() if row["side"] == worse}


@on_a("wide")
def test_the_provinces_below_the_nation_are_told_on_the_first_screen(hand: Hand, small_register: Path) -> None:
    page, marked = hand.reader.page, set()
    for panel, name in (("coverage", "coverage_per_10k"), ("training", "training_compliance"), ("", "leaver_rate_12m")):
        found, worse = compared(small_register, name)
        marked |= {province(code) for code in worse}
        if panel:
            told, said = (
                page.locator(f".st-key-panel-{panel} .pd-sentence"),
                sentence(found, "fa", lambda _, code: province(code)),
            )
            assert told.all_inner_texts() == [said.words] * bool(said), "nothing where all provinces are too small"
            tops = told.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
            assert hand.is_phone or all(top < 500 for top in tops)
    assert hand.clicks == 0
    table = page.locator(".st-key-table-glance")
    assert table.locator("tbody tr:visible").count() == tables.FIRST_ROWS + 1, "the nation and the first"
    hand.click(table.locator(".st-key-all-glance button"))
    rows = table.locator("tbody tr:visible:has(.pd-behind) th")
    assert set(rows.all_inner_texts()) == marked != set()


@on_a("wide")
def test_two_provinces_are_compared_on_one_day(hand: Hand, small_register: Path) -> None:
    narrow(hand, "training", TEHRAN)
    hand.click(hand.reader.page.get_by_text(text.word("compare.with", "fa", place=province(TEHRAN)), exact=True))
    hand.click(hand.reader.page.locator(".pd-with").get_by_role("link", name=province(KERMAN), exact=True))
    table = figure(hand, "numbers").locator("table")
    day = text.day(ask(small_register, "active_assistants").on, "fa")
    heads = table.locator("thead th").all_inner_texts()[1:3]
    assert [
        (place in head, day in head) for place, head in zip(map(province, (TEHRAN, KERMAN)), heads, strict=True)
    ] == [
        (True, True),
        (True, True),
    ]
    cells = table.locator("tbody tr").nth(1).locator("td").all_inner_texts()
    for code, cell in zip((TEHRAN, KERMAN), cells[:2], strict=True):
        count = ask(small_register, "active_assistants", where={"province": [code]}).value()
        assert cell.split()[0] == text.number(count, "fa"), "below the chosen measure"


@pytest.mark.parametrize(
    "view",
    [
        {
            "name": "explore",
            "by": ["province", "gender"],
            "show": "pivot",
            "calc": "share",
            "on": "2026-06-01",
            "activity": "guarding",
        }
    ],
)
@on_a("wide")
def test_a_pivot_is_saved_and_its_link_shared(hand: Hand) -> None:
    page = hand.reader.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    table = figure(hand, "rows").locator("table").inner_text()
    assert all(member_names.of("gender", code, "fa") in table for code in ("female", "male")), "one column each"
    hand.click(page.locator(".st-key-tools button").first)
    hand.click(page.locator(".st-key-views summary").first)
    name = f"پلیس‌یاران به تفکیک جنسیت {hand.is_phone:d}"
    page.get_by_label(text.word("views.name", "fa")).fill(name)
    assert not page.get_by_test_id("InputInstructions").is_visible(), "no hint covers the typed text"
    page.keyboard.press("Enter")
    hand.reader.settle()
    assert (
        text.word("views.saved", "fa", name=text.isolated(name, "fa"))
        in page.locator("[role=status]").all_inner_texts()
    )
    link = page.evaluate("navigator.clipboard.readText()")
    seen = table, hand.reader.said, {*hand.reader.query.split("&")}
    # Another reader has the link alone.
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    page.goto(link)
    hand.reader.settle()
    assert (
        figure(hand, "rows").locator("table").inner_text(),
        hand.reader.said,
        {*hand.reader.query.split("&")},
    ) == seen


@on_a("phone")
def test_the_three_provinces_with_the_least_training_and_their_file(
    hand: Hand, small_register: Path, tmp_path: Path
) -> None:
    hand.panel("training")
    shown = figure(hand, "by_place")
    asked = ask(small_register, "training_compliance", by=("province",))
    ranked = [group.key[0] for group in rank(asked).ranked]
    drawn = shown.locator(".js-plotly-plot").evaluate("chart => chart.data[0].customdata.map((one) => [one].flat()[0])")
    share, (_, worse) = {row[0]: row[1] for row in asked.rows}, compared(small_register, "training_compliance")
    first = sorted(ranked, key=lambda code: (code not in worse, share[code]))[:3]
    assert [code for code in drawn if code in ranked][:3] == first, "the first three of the bars"
    hand.click(shown.get_by_role("button", name=text.word("figure.files", "fa")))
    link = hand.reader.page.get_by_role("link", name=text.word("more.xlsx", "fa"), exact=True)
    file = hand.download(link)
    shutil.copy(file, tmp_path / "file.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "file.xlsx", read_only=True).worksheets[0]
    written = {row[1]: row for row in sheet.iter_rows(min_row=2, values_only=True)}
    for code in ranked[-3:]:
        assert any(value == pytest.approx(share[code]) for value in written[province(code)] if isinstance(value, float))


@on_a("phone")
def test_the_coverage_of_one_province_over_three_years(hand: Hand, small_register: Path) -> None:
    hand.menu("coverage")
    narrow(hand, "by_place", TEHRAN)
    trend = figure(hand, "over_time")
    assert province(TEHRAN) in trend.locator(".pd-head").inner_text()
    hover = trend.locator(".js-plotly-plot").evaluate("chart => chart.data[0].hovertext.filter(Boolean)")
    assert len(hover) >= 36
    told = ask(
        small_register,
        "coverage_per_10k",
        by=("month",),
        over=(date(2025, 3, 21), date(2026, 3, 20)),
        where={"province": [TEHRAN]},
    )
    last = told.rows[-1]
    assert any(
        text.unit_label(last[0], "fa") in line and text.plain(last[1], "per_10k", "fa") in line for line in hover
    )


@pytest.mark.parametrize("view", [{"on": ENDING_ON.isoformat()}])
@on_a("phone")
def test_licences_that_end_in_30_days_and_one_institute(hand: Hand, small_register: Path) -> None:
    hand.action("licences_ending")
    rows = figure(hand, "listing-licences_ending").locator("tbody tr")
    count = ask(small_register, "licences_ending_30", on=ENDING_ON).value()
    assert count
    assert rows.count() == count
    assert {*hand.reader.query.split("&")} == {"open=licences_ending", "days=30", f"on={ENDING_ON}"}
    box = figure(hand, "listing-licences_ending").locator("table").bounding_box()
    assert box
    assert box["y"] < 500, "the list is in sight"
    name = rows.first.locator("th a").inner_text()
    scrolled = hand.reader.page.evaluate(f"{SCROLLED} = 150")
    hand.click(rows.first.locator("th a"))
    assert hand.reader.page.locator("h2").first.inner_text() == name
    assert hand.reader.page.evaluate(SCROLLED) == 0
    hand.reader.page.go_back()
    hand.reader.settle()
    assert abs(hand.reader.page.evaluate(SCROLLED) - scrolled) <= 2, "Back returns to where one was"


@on_a("phone")
def test_how_many_to_recruit_to_reach_the_target_by_a_day(hand: Hand, small_register: Path) -> None:
    page = hand.reader.page
    hand.panel("growth")
    goal = page.locator(".st-key-goal-seek")

    def said(until: date) -> list[str]:
        with access.connect(small_register, rights.ADMINISTRATOR) as con:
            row = planning.recruits_needed(con, until=until).records()[0]
        numbers = [text.plain(row[key], "persons", "fa") for key in ("goal", "recruits_needed", "plan_recruits")]
        return [text.day(until, "fa"), *numbers]

    def says(until: date) -> bool:
        """Whether the sentence holds the day and the numbers of a goal until then."""
        sentence = goal.locator(".pd-sentence").inner_text()
        return all(part in sentence for part in said(until))

    year, slider = goal.get_by_role("radio").last, goal.get_by_role("slider")
    end = jalali.unit_of(JalaliDate(int(latin_digits(year.inner_text())), 6, 1).to_gregorian(), "year").last
    hand.click(year)
    assert says(end)
    assert hand.clicks == 2
    slider.press("ArrowRight")
    earlier = jalali.unit_of(end, "month").first - jalali.DAY
    # A slider tells of its value only when it has stood still.
    expect(goal.locator(".pd-sentence")).to_contain_text(said(earlier)[0])
    assert says(earlier)
    field, until = goal.locator(".st-key-day-until input[type=text]"), ask(small_register, "active_assistants").on
    hand.click(field)
    spellings = ((250, lambda day: text.day(day, "fa")), (300, text.iso_jalali), (350, date.isoformat))
    for days, spelt in spellings[: draws(1, 3)]:
        day = until + timedelta(days)
        field.fill(spelt(day))
        field.press("Enter")
        hand.reader.settle()
        assert says(day)
        assert f"until={day}" in hand.reader.query
