"""The field that finds a page: by keyboard, on a phone, for screen readers, and when nothing answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser import app as front
from ui.i18n import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (Path(__file__).parents[1] / "axe.min.js").read_text(encoding="utf-8")
FINDER = "dialog.pd-finder[open]"


@pytest.fixture
def reader(address: str, chromium: Browser) -> Iterator[front.Visit]:
    with front.visit(chromium, address) as visit:
        if front.BETWEEN not in visit.query:
            visit.go(front.BETWEEN)
        yield visit
        visit.page.evaluate("document.querySelector('dialog.pd-finder')?.close()")


def options(reader: front.Visit) -> Locator:
    return reader.page.locator(f"{FINDER} [role=option]")


def ask(reader: front.Visit, words: str) -> Locator:
    """Open the field, and type; the options, once they are those of the words."""
    reader.page.keyboard.press("Control+k")
    reader.page.keyboard.type(words)
    expect(reader.page.locator(f"{FINDER} input")).not_to_have_attribute("aria-busy", "true")
    return options(reader)


def field(reader: front.Visit) -> Locator:
    return reader.page.locator(f"{FINDER} input")


def kind(name: str, lang: str = "fa") -> str:
    return text.word(f"find_kind.{name}", lang)


def test_ctrl_k_slash_and_the_button_open_the_field_and_escape_gives_the_focus_back(reader: front.Visit) -> None:
    button = reader.page.locator("a.pd-find")
    assert button.inner_text() == text.word("find.open", "fa")
    for opening in (
        lambda: reader.page.keyboard.press("Control+k"),
        lambda: reader.page.keyboard.press("/"),
        button.click,
    ):
        button.focus()
        opening()
        expect(field(reader)).to_be_focused()
        assert field(reader).input_value() == "", "the key is not typed"
        reader.page.keyboard.press("Escape")
        expect(reader.page.locator(FINDER)).to_have_count(0)
        expect(button).to_be_focused()


def test_a_slash_in_another_field_is_typed(reader: front.Visit) -> None:
    reader.go("register")
    other = reader.page.locator(".st-key-institute-find input")
    other.click()
    reader.page.keyboard.press("/")
    assert other.input_value() == "/"
    assert reader.page.locator(FINDER).count() == 0


def test_empty_it_shows_examples_then_what_was_asked_in_this_session(reader: front.Visit) -> None:
    reader.page.keyboard.press("Control+k")
    examples = text.words("find.examples", "fa")
    assert len(examples) == 6
    assert options(reader).locator("b").all_inner_texts() == examples
    options(reader).first.click()
    expect(field(reader)).to_have_value(examples[0])
    expect(options(reader).first).to_contain_text(kind("answer"))
    with reader.page.expect_navigation():
        reader.page.keyboard.press("Enter")
    reader.settle()
    reader.page.keyboard.press("Control+k")
    assert options(reader).locator("b").all_inner_texts() == [examples[0], *examples]
    assert options(reader).first.locator("i").inner_text() == kind("recent")
    kept = reader.page.evaluate("JSON.stringify([{...localStorage}, document.cookie])")
    assert examples[0] not in kept, "in this session alone"


def test_the_arrows_choose_and_enter_opens_the_page(reader: front.Visit) -> None:
    found = ask(reader, "آموزش فارس")
    expect(found.first).to_have_attribute("aria-selected", "true")
    assert "٪" in found.first.inner_text()
    ids = [found.nth(at).get_attribute("id") for at in range(found.count())]
    for key, at in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowUp", 0), ("ArrowUp", len(ids) - 1)):
        reader.page.keyboard.press(key)
        assert field(reader).get_attribute("aria-activedescendant") == ids[at]
        assert found.and_(reader.page.locator("[aria-selected=true]")).count() == 1
    reader.page.keyboard.press("ArrowDown")
    with reader.stays() as sent:
        reader.page.keyboard.press("Enter")
    assert [address.removeprefix(reader.address) for address in sent] == ["/training?province=IR-07"]


@pytest.mark.parametrize("words", ["ترک خدمت فارس", "پوشش فارس", "پایبندی آموزشی"])
def test_enter_scrolls_to_the_number_and_marks_it_until_the_next_key(words: str, reader: front.Visit) -> None:
    line = ask(reader, words).first
    expect(line).to_contain_text(kind("answer"))
    number = line.locator("b").inner_text().rpartition(" · ")[2].split()[0]
    with reader.page.expect_navigation():
        reader.page.keyboard.press("Enter")
    marked = reader.page.locator(".pd-found")
    expect(marked).to_have_count(1, timeout=60_000)
    expect(marked).to_be_in_viewport()
    # Something above it is drawn later, in a browser that does not hold what is in sight by itself.
    reader.page.locator("[data-testid=stMainBlockContainer]").evaluate(
        """page => {
          page.closest("[data-testid=stMain]").style.overflowAnchor = "none";
          page.prepend(Object.assign(document.createElement("div"), { style: "min-height: 3000px" }));
        }"""
    )
    expect(marked).to_be_in_viewport()
    assert number in marked.inner_text()
    assert "#" not in reader.page.url, "the address is that of the page"
    reader.page.keyboard.press("Tab")
    expect(marked).to_have_count(0)


def test_ctrl_and_enter_open_a_new_tab(reader: front.Visit) -> None:
    before = reader.page.url
    ask(reader, "فارس")
    with reader.page.context.expect_page() as opened:
        reader.page.keyboard.press("Control+Enter")
    opened.value.wait_for_url(re.compile("province=IR-07"))
    opened.value.close()
    assert reader.page.url == before


def test_enter_before_the_answer_opens_the_first_line_when_it_is_there(reader: front.Visit) -> None:
    reader.page.keyboard.press("Control+k")
    reader.page.keyboard.type("یزد")
    with reader.stays() as sent:
        reader.page.keyboard.press("Enter")
    assert "province=IR-21" in sent[0]


def test_what_is_not_understood_is_said(reader: front.Visit) -> None:
    ask(reader, "حقوق نگهبان")
    said = reader.page.locator(f"{FINDER} [role=status]")
    expect(said).to_have_text("شناخته شد: نگهبان. شناخته نشد: حقوق.")
    field(reader).fill("xqzzt")
    expect(said).to_have_text("چیزی یافت نشد. شناخته نشد: xqzzt.")
    assert options(reader).locator("i").all_inner_texts() == [kind("page")] * 2
    for written in ("   ", ""):
        field(reader).fill(written)
        expect(options(reader).first).to_contain_text(kind("example"))


def test_one_question_is_asked_after_the_last_key(reader: front.Visit) -> None:
    asked = []
    reader.page.on("request", lambda request: asked.append(request.url) if "/find?" in request.url else None)
    ask(reader, "آموزش فارس")
    assert [unquote(url).split("q=")[1].split("&")[0] for url in asked] == ["آموزش+فارس"]
    assert asked[0].endswith("&publication=")
    reader.page.evaluate("history.replaceState({}, '', '?publication=000001')")
    field(reader).fill("یزد")
    expect(options(reader).first).to_contain_text("یزد")
    assert asked[1].endswith("&publication=000001")


def test_without_an_answer_it_says_so_and_a_slow_one_shows_a_line(reader: front.Visit) -> None:
    held: list[Route] = []
    reader.page.route("**/find?**", lambda route: held.append(route))
    reader.page.keyboard.press("Control+k")
    reader.page.keyboard.type("فارس")
    expect(reader.page.locator(f"{FINDER}[data-waiting]")).to_have_count(1)
    held[0].abort()
    expect(reader.page.locator(f"{FINDER} [role=status]")).to_have_text(text.word("find_field.fault", "fa"))
    assert options(reader).count() == 0
    expect(reader.page.locator(f"{FINDER}[data-waiting]")).to_have_count(0)
    reader.page.keyboard.press("Escape")
    reader.page.unroute("**/find?**")
    assert reader.page.get_by_test_id("stSidebarNavLink").first.is_visible()


def test_a_screen_reader_hears_combobox_options_and_their_kinds(reader: front.Visit) -> None:
    hears(reader, "fa")


def hears(reader: front.Visit, lang: str) -> None:
    found = ask(reader, "Fars")
    combobox = reader.page.get_by_role("combobox", name=text.word("find_field.label", lang))
    expect(combobox).to_have_attribute("aria-expanded", "true")
    assert combobox.get_attribute("aria-controls") == reader.page.get_by_role("listbox").get_attribute("id")
    assert combobox.get_attribute("dir") == "auto"
    expect(found.first).to_contain_text(kind("place", lang))
    fields = reader.page.locator(f"{FINDER} :is(input, button, [role=option])")
    assert min(min(box["width"], box["height"]) for one in fields.all() if (box := one.bounding_box())) >= 24
    reader.page.evaluate(AXE)
    result = reader.page.evaluate("axe.run('dialog.pd-finder', {resultTypes: ['violations']})")
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in result["violations"]] == []


def test_commands_act_on_the_page(reader: front.Visit) -> None:
    reader.go("legal")
    reader.page.evaluate("window.printed = 0; window.print = () => { window.printed += 1; }; 0")
    ask(reader, "چاپ")
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_function("window.printed == 1")
    ask(reader, "اکسل")
    reader.page.keyboard.press("Enter")
    expect(reader.page.get_by_test_id("stPopoverBody")).to_be_visible()
    reader.page.keyboard.press("Escape")
    ask(reader, "English")
    with reader.stays() as sent:
        reader.page.keyboard.press("Enter")
    assert "lang=en" in sent[0]
    assert "tab=legal" in sent[0]


def test_on_a_phone_it_has_the_whole_width_in_english_too(address: str, chromium: Browser) -> None:
    with front.visit(chromium, address, width=390, lang="en") as reader:
        reader.go(front.BETWEEN, lang="en")
        reader.page.locator("a.pd-find").click()
        reader.page.keyboard.type("Fars")
        expect(options(reader).first).to_contain_text(kind("place", "en"))
        box = reader.page.locator(FINDER).bounding_box()
        assert box
        assert (box["x"], box["width"]) == (0, 390)
        reader.page.keyboard.press("Escape")
        hears(reader, "en")
        reader.page.keyboard.press("Escape")
