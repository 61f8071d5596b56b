"""The analyst's hour in a browser, in Persian: click, drill, compare, explore, save, share, export."""

import csv
import io
import re
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, expect

from etl.analysis import detail, growth
from etl.core.jalali import DAY
from etl.semantic import access, answers, rights
from etl.semantic.calculations import CALCULATIONS, Calculation
from etl.semantic.catalog import catalogue
from etl.warehouse import publications
from tests.browser import app as front
from ui.i18n import member_names, text
from ui.state import periods

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (Path(__file__).parents[1] / "axe.min.js").read_text(encoding="utf-8")
TEHRAN = "IR-23"
# What a user may choose on Training besides the scope, as in its link.
CHOSEN: dict[str, str | list[str]] = {"recruits": "70", "leave": "20", "of": TEHRAN, "seats": ["PY-101:3"]}
SCOPE: dict[str, str | list[str]] = {"province": [TEHRAN], "gender": "male", "on": "2026-06-01", "period": "year"}


def headings(reader: front.Visit) -> list[str]:
    return reader.page.locator("h3").all_inner_texts()


def parameters(reader: front.Visit) -> set[str]:
    return set(unquote(reader.query).split("&")) - {""}


def test_measures_and_dimensions_are_chosen_and_a_meaningless_question_is_refused_with_a_way_out(
    address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("explore")
        choose(reader, "explore-m", "هدف")
        choose(reader, "explore-by", "جنسیت")
        refused = reader.page.locator(".pd-refused")
        assert "«هدف» به تفکیک «جنسیت» قابل محاسبه نیست" in refused.inner_text()
        assert parameters(reader) == {"m=coverage_per_10k", "m=target", "by=province", "by=gender"}
        reader.page.get_by_role("button", name="حذف «هدف»").click()
        reader.settle()
        assert refused.count() == 0
        assert parameters(reader) == {"by=province", "by=gender"}
        assert reader.page.locator(".st-key-figure-rows .pd-grid tbody tr").count() > 31


def choose(reader: front.Visit, key: str, word: str) -> None:
    """Choose one more option of a list by typing and Enter."""
    field = reader.page.locator(f".st-key-{key} input").first
    field.click()
    field.type(word)
    reader.page.get_by_role("option", name=word).first.wait_for()
    reader.page.keyboard.press("Enter")
    reader.settle()
    reader.page.keyboard.press("Escape")
    reader.settle()


def test_the_menu_of_a_column_calculates_by_click_and_by_keyboard_and_a_bar_narrows(
    address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("explore", m="active_assistants", by="province")
        table = reader.page.locator(".st-key-table-rows")
        opener = table.locator("thead .pd-menu-button")
        opener.click()
        menu = table.locator(".pd-menu:popover-open")
        assert menu.locator("button").all_inner_texts() == [
            text.word(f"calc.{calc}", "fa") for calc in ("none", *CALCULATIONS)
        ]
        button, box = opener.bounding_box(), menu.bounding_box()
        assert button is not None
        assert box is not None
        assert 0 <= box["y"] - button["y"] - button["height"] < 12, "the menu stands at its button"
        assert min(one.bounding_box()["height"] for one in menu.locator("button").all()) >= 24
        reader.page.evaluate(AXE)
        found = reader.page.evaluate("axe.run('.st-key-table-rows', {resultTypes: ['violations']})")
        assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found["violations"]] == []

        menu.locator("[data-choice=share]").click()
        reader.settle()
        assert parameters(reader) == {"m=active_assistants", "by=province", "calc=share"}
        share = Calculation("share", ("active_assistants",)).columns(catalogue()["active_assistants"])[0].label["fa"]
        assert table.locator("thead th", has_text=share).count() == 1
        assert opener.evaluate("button => button === document.activeElement")

        reader.page.keyboard.press("Enter")
        reader.page.keyboard.press("Tab")
        reader.page.keyboard.press("Enter")
        reader.settle()
        assert parameters(reader) == {"m=active_assistants", "by=province"}, "the first option calculates nothing"
        assert table.locator("thead th", has_text=share).count() == 0
        reader.page.keyboard.press("Enter")
        assert menu.count() == 1
        reader.page.keyboard.press("Escape")
        assert menu.count() == 0
        assert opener.evaluate("button => button === document.activeElement")
        bar_narrows_and_the_breadcrumb_widens_again(reader)


def bar_narrows_and_the_breadcrumb_widens_again(reader: front.Visit) -> None:
    bars = reader.page.locator(".st-key-chart-chart-ranking-active_assistants-province .barlayer .point path")
    bars.first.click(force=True)
    reader.settle()
    narrowed = [name for name in parameters(reader) if name.startswith("province=")]
    assert len(narrowed) == 1
    assert reader.page.locator(".st-key-breadcrumb [aria-current=location]").inner_text() in reader.said
    assert bars.count() == 0, "a ranking of one province is no ranking"
    reader.page.locator(".st-key-breadcrumb button").first.click()
    reader.settle()
    bars.first.wait_for(state="attached")
    assert not [name for name in parameters(reader) if name.startswith("province=")]


def test_a_point_and_a_key_of_a_chart_narrow_and_widen_again(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("coverage")
        reader.page.locator(".st-key-fold-fold-inequality summary").click()
        reader.settle()
        points = reader.page.locator(".st-key-chart-lorenz .scatterlayer .point")
        reader.page.mouse.click(*reader.point_at(".st-key-chart-lorenz", lambda: front.middle(points.nth(3))))
        reader.settle()
        assert {name.split("=")[0] for name in parameters(reader)} == {"county"}
        assert points.count() == 0, "a curve of one county is no curve"

        reader.go("workforce")
        key = reader.page.locator(".st-key-legend-by_age-female button")
        key.focus()
        reader.page.keyboard.press("Enter")
        reader.settle()
        assert "gender=female" in parameters(reader)
        assert member_names.of("gender", "female", "fa") in reader.said
        key.focus()
        reader.page.keyboard.press("Enter")
        reader.settle()
        assert "gender=female" not in parameters(reader)
        bars = reader.page.locator(".st-key-chart-by_age .barlayer .point path")
        bars.first.click(force=True)
        reader.settle()
        assert "gender=male" in parameters(reader)


def test_the_search_finds_words_typed_with_an_arabic_kaf(address: str, small_register: Path, chromium: Browser) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        wanted = {institute.name for institute in detail.search(detail.institutes(con), "کرمانشاه")}
    assert wanted
    with front.visit(chromium, address) as reader:
        reader.go("register")
        field = reader.page.locator(".st-key-institute-find input")
        field.fill("كرمانشاه")
        field.press("Enter")
        reader.settle()
        links = reader.page.locator(".st-key-figure-institutes tbody th a")
        assert set(links.all_inner_texts()) == wanted
        links.first.click()
        reader.settle()
        assert reader.page.locator("h2").first.inner_text() in wanted
        assert len([name for name in parameters(reader) if name.startswith("institute=")]) == 1


def test_a_filter_counts_its_names_and_finds_them_in_any_spelling(
    address: str, small_register: Path, chromium: Browser
) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        names = {code: one.name for code, one in detail.institutes(con).items()}
        served = answers.ask(con, "active_assistants", by=("province", "institute")).rows
        # a name that is written with Arabic letters in the data
        stored = dict(con.execute("select institute_code, name from institutes").fetchall())
        province, code, count = next(row for row in served if row[1] and {*"كي"} & {*stored[row[1]]})
        active = answers.ask(con, "active_assistants", where={"province": [province]}).value()
    place = member_names.of("province", province, "fa")
    with front.visit(chromium, address) as reader:
        reader.go("explore")
        pick(reader, "filter-province", arabic(place), f"{place} ({text.number(active, 'fa')})")
        assert parameters(reader) == {f"province={province}"}
        reader.page.locator(".st-key-scope-more button").first.click()
        reader.settle()
        label = f"{names[code]} ({text.number(count, 'fa')})"
        pick(reader, "filter-institute", arabic(names[code]), label)
        assert parameters(reader) == {f"province={province}", f"institute={code}"}
        assert names[code] in reader.said
        reader.page.locator(".st-key-filter-gender input").first.click()
        with access.connect(small_register, rights.ADMINISTRATOR) as con:
            where = {"province": [province], "institute": [code]}
            counted = answers.ask(con, "active_assistants", by=("gender",), where=where).rows
        offered = reader.page.get_by_role("option").all_inner_texts()
        assert sorted(offered) == sorted(
            f"{member_names.of('gender', gender, 'fa')} ({text.number(count, 'fa')})"
            for gender, count in counted
            if count
        )


def arabic(name: str) -> str:
    """A name as an Arabic keyboard writes it."""
    return name.replace("ک", "ك").replace("ی", "ي")


def pick(reader: front.Visit, key: str, typed: str, label: str) -> None:
    """Type into a list of the scope and choose the first match."""
    field = reader.page.locator(f".st-key-{key} input").first
    field.click()
    field.type(typed)
    reader.page.get_by_role("option", name=label, exact=True).click()
    reader.settle()
    reader.page.keyboard.press("Escape")
    reader.settle()


def test_a_jalali_day_is_typed_or_chosen_with_the_keyboard_and_a_wrong_one_gets_a_clear_message(
    address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("explore")
        field = reader.page.get_by_role("textbox", name=text.word("scope.on", "fa"))
        for typed in ("۱۴۰۵/۰۲/۱۵", "1405-2-16"):
            write(reader, field, typed)
        assert "۱۶ اردیبهشت ۱۴۰۵" in reader.said
        assert parameters(reader) == {"on=2026-05-06"}
        write(reader, field, "۱۴۰۵/۱۳/۱")
        assert "تاریخ معتبری نیست" in reader.page.get_by_role("alert").inner_text()
        assert parameters(reader) == {"on=2026-05-06"}
        assert field.input_value() == "۱۴۰۵/۰۲/۱۶"
        button = reader.page.locator('.st-key-day-on [data-testid="stDateInputCalendarButton"]')
        calendar = reader.page.locator('[data-testid="stDateInputCalendar"]')
        button.click()
        calendar.locator("[role=button]").get_by_text("۱۷", exact=True).first.click()
        reader.settle()
        assert parameters(reader) == {"on=2026-05-07"}
        assert field.input_value() == "۱۴۰۵/۰۲/۱۷"
        assert reader.page.get_by_role("alert").count() == 0
        button.focus()
        reader.page.keyboard.press("Enter")
        reader.page.wait_for_timeout(400)
        calendar.locator('[tabindex="0"][role="button"]').first.focus()
        reader.page.keyboard.press("ArrowUp")
        reader.page.keyboard.press("Enter")
        reader.settle()
        assert "۱۰ اردیبهشت ۱۴۰۵" in reader.said
        assert parameters(reader) == {"on=2026-04-30"}
        button.click()
        table, names = calendar.locator("table").first, text.words("calendar.months", "fa")
        for _ in range(13):
            label = table.get_attribute("aria-label") or ""
            assert any(name in label for name in names), label
            calendar.get_by_role("button", name="ماه پیش").click()
            expect(table).not_to_have_attribute("aria-label", label)


def write(reader: front.Visit, field: Locator, typed: str) -> None:
    field.fill(typed)
    field.press("Enter")
    reader.settle()


def test_a_period_is_chosen_shown_kept_and_reset(address: str, small_register: Path, chromium: Browser) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        as_of = publications.describe(con).as_of
        over = periods.days("year", as_of)
        joined = answers.ask(con, "joiners", over=over).value()
    days = f"{text.day(over[0], 'fa')} تا {text.day(over[1], 'fa')}"
    with front.visit(chromium, address) as reader:
        reader.go("growth")
        field = reader.page.locator(".st-key-filter-period input")
        field.click()
        reader.page.get_by_role("option", name=text.word("period.year", "fa")).click()
        reader.settle()
        assert parameters(reader) == {"period=year"}
        assert days in reader.said
        assert reader.page.locator(".st-key-card-joiners .pd-value bdi").inner_text() == text.number(joined, "fa")
        reader.page.get_by_role("link", name="پوشش").click()
        reader.page.wait_for_selector("h1:text-is('پوشش')")
        reader.settle()
        assert parameters(reader) == {"period=year"}
        assert days not in reader.said, "no flow and no trend there"
        assert reader.page.locator(".st-key-filter-period").count() == 0
        reader.page.get_by_role("link", name="کاوش").click()
        reader.page.wait_for_selector("h1:text-is('کاوش')")
        reader.settle()
        assert days in reader.said
        assert field.input_value() == text.word("period.year", "fa")
        reader.page.get_by_role("button", name=text.word("scope.reset", "fa")).click()
        reader.settle()
        assert parameters(reader) == set()
        assert field.input_value() == text.word("period.none", "fa")
        assert "بازهٔ" not in reader.said


def test_reset_clears_every_control_of_training(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("training")
        fresh = controls(reader)
        reader.go("training", **SCOPE, **CHOSEN)
        assert controls(reader) != fresh
        reset(reader)
        assert parameters(reader) == set()
        assert controls(reader) == fresh


def reset(reader: front.Visit) -> None:
    reader.page.get_by_role("button", name=text.word("scope.reset", "fa")).click()
    reader.settle()


def controls(reader: front.Visit) -> list[str]:
    """The values of fields, lists and sliders."""
    return reader.page.evaluate(
        """() => [...document.querySelectorAll("main input, [data-testid=stMultiSelectTagsContainer]")]
            .map(at => `${at.getAttribute("aria-label")}: ${at.value ?? at.textContent}`)"""
    )


def test_no_name_and_no_row_of_a_person_is_shown_unless_the_setting_allows_it(
    address: str, small_register: Path, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("register", province=TEHRAN)
        assert reader.page.locator(".st-key-figure-people table").count() == 0
        assert reader.page.get_by_text(text.word("institute.people_off", "fa")).is_visible()


def test_two_days_and_two_places_are_compared_the_bridge_adds_up_and_reset_clears_them(
    address: str, small_register: Path, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("compare")
        fresh = controls(reader)
        label = text.word("compare.day", "fa", side=text.word("compare.side_1", "fa"))
        write(reader, reader.page.get_by_role("textbox", name=label), "۱۴۰۴/۱۲/۲۹")
        assert "a=2026-03-20" in parameters(reader)
        reader.go("compare", p=TEHRAN, a="2026-03-20", q="IR", b="2026-06-01")
        first, second = text.read_day("2026-03-20"), text.read_day("2026-06-01")
        with access.connect(small_register, rights.ADMINISTRATOR) as con:
            here = answers.ask(con, "active_assistants", on=first, where={"province": [TEHRAN]}).value()
            there = answers.ask(con, "active_assistants", on=second).value()
            moved = growth.bridge(con, second, {"province": [TEHRAN]}, over=(first + DAY, second))
        named = catalogue()["active_assistants"].label["fa"]
        rows = reader.page.locator(".st-key-figure-numbers tbody tr", has_text=named)
        cells = rows.first.locator("td").all_inner_texts()
        assert [text.number(value, "fa") in cell for value, cell in zip((here, there), cells[:2], strict=True)] == [
            True,
            True,
        ]
        assert text.number(there - here, "fa", signed=True).strip("\u2066\u2069") in cells[2]
        shown = headings(reader)
        table = reader.page.locator(".st-key-figure-numbers")
        assert table.locator("td .pd-better, td .pd-worse").count() == 0, "both place and day differ"
        count = text.number(table.locator("tbody tr").count(), "fa")
        told = [*(text.day(day, "fa") for day in (first, second)), f": {count} "]
        assert any(all(words in heading for words in told) for heading in shown)
        steps = dict(moved.rows)
        ends = [text.number(steps[step], "fa") for step in ("start", "end")]
        assert any(all(end in heading for end in ends) for heading in shown)
        reader.page.get_by_role("button", name=text.word("compare.swap", "fa")).click()
        reader.settle()
        assert parameters(reader) == {"p=IR", f"q={TEHRAN}", "a=2026-06-01", "b=2026-03-20", "tab=compare"}
        assert controls(reader) != fresh
        reset(reader)
        assert parameters(reader) == {"tab=compare"}
        assert controls(reader) == fresh


def test_a_view_is_saved_listed_opened_by_another_reader_and_deleted(address: str, chromium: Browser) -> None:
    name = "پایبندی به تفکیک دوره"
    with front.visit(chromium, address) as reader:
        reader.go("explore", m="training_compliance", by="course", province=TEHRAN)
        seen = headings(reader)
        reader.open_tools("views")
        field = reader.page.get_by_label(text.word("views.name", "fa"))
        for written, message in (("   ", "views.empty"), (name, "views.saved"), (name, "views.taken")):
            field.fill(written)
            reader.page.get_by_role("button", name=text.word("views.save", "fa"), exact=True).click()
            reader.settle()
            assert text.word(message, "fa", name=name) in reader.page.locator("[role=status]").all_inner_texts()
    with front.visit(chromium, address) as other:
        other.go("explore", anew=True)
        other.open_tools("views")
        other.page.get_by_role("link", name=name).click()
        other.settle()
        assert headings(other) == seen
        assert parameters(other) == {"m=training_compliance", "by=course", f"province={TEHRAN}"}
        other.open_tools("views")
        other.page.get_by_role("button", name=text.word("views.delete", "fa")).click()
        other.settle()
        assert other.page.get_by_role("link", name=name).count() == 0


def test_the_files_hold_every_row_of_the_answer(
    address: str, small_register: Path, chromium: Browser, tmp_path: Path
) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        asked = answers.ask(con, "active_assistants", by=("institute", "post"))
    assert len(asked.rows) > 50, "more than a page of the table"
    wanted = sorted((a, b, n) for a, b, n in asked.rows)
    with front.visit(chromium, address) as reader:
        reader.go("explore", m="active_assistants", by=["institute", "post"])
        reader.page.locator(".st-key-files-rows button").click()
        reader.settle()
        files = {}
        for kind in ("csv", "xlsx", "parquet"):
            with reader.page.expect_download(timeout=front.FILE_PATIENCE) as fetched:
                reader.page.locator(f".st-key-{kind}-rows a").click()
            files[kind] = tmp_path / fetched.value.suggested_filename
            fetched.value.save_as(files[kind])
            assert re.fullmatch(rf".*{asked.on}_000001\.{kind}", files[kind].name)
    written = csv.DictReader(io.StringIO(files["csv"].read_text(encoding="utf-8-sig")))
    assert sorted((r["institute"], r["post"], int(r["active_assistants"])) for r in written) == wanted
    sheet = openpyxl.load_workbook(files["xlsx"], read_only=True).worksheets[0]
    heads, *rows = sheet.iter_rows(values_only=True)
    assert heads[-1] == text.word("file.status", "fa")
    assert sorted(row[-2] for row in rows[:-1]) == sorted(row[2] for row in wanted)
    assert text.word("scope.nation", "fa") in rows[-1]
    frame = pd.read_parquet(files["parquet"])
    assert sorted(frame[["institute", "post", "active_assistants"]].itertuples(index=False, name=None)) == wanted
