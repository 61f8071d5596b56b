"""How many clicks the tasks of an analyst take, from the first screen, in Persian on a wide screen.

A click is a press of the mouse; typing, and Enter after it, is none. `MOST` are those that an analyst needed when the tasks
were first tried: with fewer controls on a screen none may take more.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, expect

from etl.analysis import detail
from etl.core.jalali import last_complete_months
from etl.semantic import access, answers, rights
from tests.browser import app as front
from ui.i18n import member_names, text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEHRAN, FARS, ISFAHAN, KHUZESTAN = "IR-23", "IR-07", "IR-10", "IR-06"
LAST_YEAR = "2026-03-20"
MOST = {
    "women who are guards in three provinces at the end of last year": 9,
    "their file": 9 + 2,
    "an institute by a part of its name": 3,
    "an institute by its code": 1,
    "a county": 3,
    "two provinces beside each other": 4,
    "why the compliance of a province changed": 1,
    "a monthly series by province, and its file": 5,
}


@dataclass
class Mouse:
    reader: front.Visit
    clicks: int = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()
        self.reader.settle()

    def find(self, words: str) -> None:
        """Type into the field that finds, and open its first line."""
        page = self.reader.page
        self.click(page.locator("a.pd-find"))
        page.keyboard.type(words)
        expect(page.locator("dialog.pd-finder[open] input")).not_to_have_attribute("aria-busy", "true")
        with self.reader.stays() as sent:
            page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        self.reader.follow(sent[0])

    def file(self, ident: str, to: Path) -> list[dict[str, str]]:
        """The rows of the file of a figure."""
        page = self.reader.page
        self.click(page.locator(f".st-key-files-{ident} button"))
        with page.expect_download(timeout=front.FILE_PATIENCE) as fetched:
            self.click(page.locator(f".st-key-csv-{ident} a"))
        fetched.value.save_as(to)
        return [*csv.DictReader(to.read_text(encoding="utf-8-sig").splitlines())]

    def is_within(self, task: str) -> bool:
        return self.clicks <= MOST[task]


@pytest.fixture
def view() -> dict[str, str]:
    """The parameters with which the first page opens."""
    return {}


@pytest.fixture
def mouse(view: dict[str, str], address: str, chromium: Browser) -> Iterator[Mouse]:
    with front.visit(chromium, address) as reader:
        yield Mouse(reader.go("", **view))
        assert reader.failures == []


def parameters(mouse: Mouse) -> dict[str, list[str]]:
    return parse_qs(urlsplit(mouse.reader.page.url).query)


def where(mouse: Mouse) -> tuple[str, str, list[str]]:
    """The address, the heading and the scope of the open page."""
    page = mouse.reader.page
    return page.url, page.locator("h1").inner_text(), page.locator(".pd-said").all_inner_texts()


def test_six_tasks_by_the_field_that_finds_and_back(mouse: Mouse, small_register: Path, tmp_path: Path) -> None:
    """One walk: each page is found from the one before, and Back returns to it."""
    page, seen = mouse.reader.page, []

    def next_task() -> None:
        seen.append(where(mouse))
        mouse.clicks = 0

    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        for task in (
            women_who_are_guards,
            an_institute_by_its_code,
            a_county,
            two_provinces_beside_each_other,
            a_monthly_series,
            an_institute_by_a_part_of_its_name,
        ):
            next_task()
            task(mouse, con, tmp_path)
    page.go_back()
    mouse.reader.settle()
    assert where(mouse) == seen[-1]


def women_who_are_guards(mouse: Mouse, con: access.ScopedCursor, to: Path) -> None:
    mouse.find("زنان نگهبان تهران فارس اصفهان پارسال")
    assert mouse.is_within("women who are guards in three provinces at the end of last year")
    asked = {"gender": ["female"], "post": ["guard"], "province": [TEHRAN, FARS, ISFAHAN]}
    rows = answers.ask(con, "active_assistants", by=("province",), on=text.read_day(LAST_YEAR), where=asked).rows
    assert len(rows) == 3
    shown = mouse.reader.page.locator(".st-key-table-rows").inner_text()
    assert all(text.number(count, "fa") in shown for _, count in rows)
    written = mouse.file("rows", to / "women.csv")
    assert {row["province"]: int(row["active_assistants"]) for row in written} == dict(rows)
    assert mouse.is_within("their file")


def a_county(mouse: Mouse, con: access.ScopedCursor, _: Path) -> None:
    active = answers.ask(con, "active_assistants", where={"county": ["1010"]}).value()
    mouse.find("کاشان")
    assert parameters(mouse)["county"] == ["1010"]
    assert text.number(active, "fa") in mouse.reader.page.locator(".pd-verdict").inner_text()
    assert mouse.is_within("a county")


def two_provinces_beside_each_other(mouse: Mouse, con: access.ScopedCursor, _: Path) -> None:
    mouse.find("تهران اصفهان پایبندی")
    table = mouse.reader.page.locator(".st-key-figure-numbers table")
    cells = table.locator("tbody tr").first.locator("td").all_inner_texts()
    for code, cell in zip((TEHRAN, ISFAHAN), cells[:2], strict=True):
        share = answers.ask(con, "training_compliance", where={"province": [code]}).value()
        assert text.plain(share, "share", "fa") in cell
    assert mouse.is_within("two provinces beside each other")


def a_monthly_series(mouse: Mouse, con: access.ScopedCursor, to: Path) -> None:
    mouse.find("پایبندی آموزشی ماهانه به تفکیک استان")
    written = mouse.file("rows", to / "series.csv")
    over = last_complete_months(con.publication.as_of, 12)
    rows = answers.ask(con, "training_compliance", by=("month", "province"), over=over).rows
    # Months without anybody have no share.
    wanted = {(month, code): share for month, code, share, *_ in rows if share is not None}
    found = {
        (row["month"], row["province"]): float(row["training_compliance"])
        for row in written
        if row["training_compliance"]
    }
    assert found == pytest.approx(wanted)
    assert mouse.is_within("a monthly series by province, and its file")


def an_institute_by_a_part_of_its_name(mouse: Mouse, con: access.ScopedCursor, _: Path) -> None:
    """Its page is loaded, so that Back leads out of it."""
    page, part = mouse.reader.page, " ".join(next(iter(detail.institutes(con).values())).name.split()[:2])
    mouse.click(page.locator("a.pd-find"))
    page.keyboard.type(part)
    options = page.locator("dialog.pd-finder[open] [role=option][data-kind=institute]")
    expect(options.first).to_be_visible()
    name = options.first.locator("b").inner_text()
    with page.expect_navigation():
        mouse.click(options.first)
    assert part.split()[0] in name
    assert page.locator("h2").first.inner_text() == name
    assert mouse.is_within("an institute by a part of its name")


def an_institute_by_its_code(mouse: Mouse, con: access.ScopedCursor, _: Path) -> None:
    """And by keyboard to all institutes again."""
    counted = answers.ask(con, "active_assistants", by=("institute",)).rows
    code, active = next((code, count) for code, count in counted if count and detail.institutes(con)[code].county)
    page = mouse.reader.page
    mouse.find(text.digits(code, "fa"))
    assert mouse.is_within("an institute by its code")
    assert page.locator("h2").first.inner_text() == detail.institutes(con)[code].name
    assert parameters(mouse) == {"tab": ["register"], "institute": [code]}
    assert text.number(active, "fa") in page.locator(".st-key-card-active_assistants .pd-value").inner_text()
    assert page.locator(".st-key-figure-licences tbody tr").count() >= 1
    page.locator(".st-key-breadcrumb button").first.focus()
    page.keyboard.press("Enter")
    mouse.reader.settle()
    assert parameters(mouse) == {"tab": ["register"]}


@pytest.mark.parametrize("view", [{"province": KHUZESTAN}])
def test_why_the_compliance_of_a_province_changed(mouse: Mouse) -> None:
    mouse.click(
        mouse.reader.page.locator(".st-key-panel-training").get_by_role("link", name=text.word("why.link", "fa"))
    )
    asked = parameters(mouse)
    assert (asked["p"], asked["q"], asked["m"]) == ([KHUZESTAN], [KHUZESTAN], ["training_compliance"])
    told = mouse.reader.page.locator(".st-key-figure-parts")
    assert member_names.of("province", KHUZESTAN, "fa") in mouse.reader.page.locator("main").inner_text()
    box = told.bounding_box()
    assert box
    assert box["y"] < 900, "the answer stands on the first screen"
    assert mouse.is_within("why the compliance of a province changed")
