"""Through nginx under a path: find, menu, links, presenting, copying, files; every part: charts, one language, axe, a phone.

tests/axe.min.js is axe-core as Deque Systems publishes it (MPL-2.0). The dark theme changes colours only, so only contrast is
checked again.
"""

import base64
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import openpyxl
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import app as front
from tests.effort import draws, thorough
from tests.parts import PARTS
from tests.serving import Served
from ui.i18n import member_names, navigation, text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CITATION = "دفتر آمار"
SCOPE = {"province": ["IR-23", "IR-07"], "on": ["2024-09-21"]}
WIDE, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 1000}
AXE = (Path(__file__).parents[1] / "axe.min.js").read_text(encoding="utf-8")
# What is chosen on parts that then show more: they open with it in Persian, and without it in English.
CHOSEN: dict[str, dict[str, str | list[str]]] = {
    "compare": {"p": "IR-23", "a": "2026-03-20", "q": "IR", "b": "2026-06-01"},
    "coverage": {"province": ["IR-23"], "gender": "male", "on": "2026-06-01", "period": "year"},
    "explore": {"by": ["province", "gender"], "show": "pivot"},
    "licensing": {"open": "licences_ending"},
    "growth": {"recruits": "70", "leave": "20"},
    "training": {"recruits": "70", "leave": "20", "of": "IR-23", "seats": ["PY-101:3"]},
    "register": {"find": "كرمانشاه"},
}
# Together they hold every kind of element and chart of all parts: they are seen in the dark, each in one view.
VARIED = ("overview", "coverage", "training", "register", "explore", "compare", "quality", "approve", "methods")
# Those whose words in English are longest: cards, the axes of charts, sliders.
IN_ENGLISH = ("overview", "growth", "training")
OPENED = [
    *((part, CHOSEN.get(part, {}), "fa") for part in PARTS),
    # The whole country has other charts than a province.
    ("coverage", {}, "fa"),
    ("explore", {}, "fa"),
    ("explore", {"m": ["training_compliance"], "by": ["province"], "chart": "funnel"}, "fa"),
    ("overview", {"province": "IR-23"}, "fa"),
    # A change of language loads a page anew.
    ("overview", {"province": "IR-23"}, "en"),
    ("explore", {"m": ["joiners"], "by": ["month"], "province": ["IR-23"], "chart": "control"}, "en"),
    # Both languages have the same elements.
    *((part, {}, "en") for part in PARTS if part in IN_ENGLISH or draws(0, 1)),
]
Opened = tuple[front.Visit, str, dict[str, str | list[str]], str]
# Pages of lists.
WITHOUT_FIGURES = ("quality",)
# A screen, and the height of what the page scrolls. Lists are as long as they are.
SCREEN, HEIGHT = 900, "() => document.querySelector('[data-testid=stMain]').scrollHeight"
OF_ANY_LENGTH = ("methods", "register")
# Words in Latin letters that a Persian page may show: the other language, a licence line, file formats, metric names.
LATIN = re.compile(r"[A-Za-z0-9]+")
STAYS_LATIN = {"English", "OpenStreetMap", "contributors", "CSV", "PDF"}
WITH_LATIN = ("methods", "quality", "handin")


# The lower edge of the first digit of a page from its top, in its titles, cards, tables and sentences; 0 without one.
FIRST_NUMBER = """() => {
    const edges = [];
    for (const part of document.querySelectorAll('.pd-head h3, .pd-value bdi, .pd-grid td, .pd-verdict p, .pd-intro')) {
        const words = document.createTreeWalker(part, NodeFilter.SHOW_TEXT), range = document.createRange();
        while (words.nextNode()) {
            const at = words.currentNode.nodeValue.search(/[0-9۰-۹]/);
            if (at < 0) continue;
            range.setStart(words.currentNode, at);
            range.setEnd(words.currentNode, at + 1);
            if (range.getBoundingClientRect().width) edges.push(range.getBoundingClientRect().bottom);
        }
    }
    return edges.length ? Math.min(...edges) + document.querySelector('[data-testid=stMain]').scrollTop : 0;
}"""
# From each label of a horizontal axis to the next.
GAPS = """() => [...document.querySelectorAll('.pd-plot')].flatMap((plot) => {
    const labels = [...plot.querySelectorAll('.xtick text')].map((label) => label.getBoundingClientRect());
    labels.sort((one, other) => one.left - other.left);
    return labels.slice(1).map((label, at) => label.left - labels[at].right);
})"""
WITHOUT_NUMBERS = ("methods", "handin", "approve")


@pytest.fixture(scope="module")
def reader(small_register: Path, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[front.Visit]:
    environment = {
        "WAREHOUSE": str(small_register),
        "VIEWS": str(tmp_path_factory.mktemp("views")),
        "POLICEYAR_WEB_BASE_PATH": "/statistics/assistants",
        "POLICEYAR_PUBLICATION_CITATION": CITATION,
    }
    with (
        Served(tmp_path_factory.mktemp("nginx"), **environment) as served,
        front.visit(chromium, served.origin + served.base) as visit,
    ):
        yield visit.watch_console()


def test_under_a_path_menu_links_and_find_work_and_figures_are_drawn_presented_copied_and_leave_as_files_and_pictures(
    reader: front.Visit, tmp_path: Path
) -> None:
    """One walk in both languages."""
    page = reader.forget().page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # Without a slash at the end.
    page.goto(f"{reader.address}?{urlencode(SCOPE, doseq=True)}&lang=en")
    reader.settle()
    assert page.url.startswith(reader.address + "/?")
    assert "31 Shahrivar 1403 (21 September 2024)" in reader.said
    assert "Tehran" in reader.said
    page.locator('[data-testid="stSidebarNavLink"]', has_text="Explore").first.click()
    page.wait_for_url("**/explore?**")
    assert reader.settle().drawn_charts()
    assert parse_qs(reader.query) == SCOPE | {"lang": ["en"]}
    assert reader.go("explore", m="active_assistants", lang="en", **SCOPE).drawn_charts()
    present(reader, "ArrowRight", "ArrowLeft")
    copy_picture_link_and_citation(reader)
    page_leaves_with_its_pictures(reader, tmp_path / "page.xlsx")

    page.locator(".pd-switch a[hreflang=fa]").click()
    page.wait_for_selector("html[lang=fa]", state="attached")
    assert reader.settle().drawn_charts()
    assert page.url.startswith(reader.address + "/explore?")
    assert parse_qs(reader.query) == SCOPE | {"m": ["active_assistants"]}
    assert "۳۱ شهریور ۱۴۰۳" in reader.said
    present(reader, "ArrowLeft", "ArrowRight")
    figure_leaves_as_file_and_picture(reader)
    find_opens_by_its_key_and_leads_to_a_page_under_the_same_path(reader)
    assert page.locator(".pd-error, [data-testid=stException]").count() == 0
    assert reader.strangers() == []
    assert reader.failures == []


def find_opens_by_its_key_and_leads_to_a_page_under_the_same_path(reader: front.Visit) -> None:
    page, finder = reader.page, reader.page.locator("dialog.pd-finder[open]")
    page.keyboard.press("Control+k")
    expect(finder.locator("input")).to_be_focused()
    page.keyboard.type("آموزش تهران")
    expect(finder.locator("input")).not_to_have_attribute("aria-busy", "true")
    expect(finder.locator("[role=option]").first).to_contain_text("تهران")
    with reader.stays() as sent:
        page.keyboard.press("Enter")
    assert sent == [reader.address + "/training?province=IR-23"]
    page.keyboard.press("Escape")


def figure_leaves_as_file_and_picture(reader: front.Visit) -> None:
    ident = "chart-ranking-active_assistants-province"
    reader.page.locator(f".st-key-files-{ident} button").click()
    reader.settle()
    with reader.page.expect_download() as waiting:
        reader.page.get_by_role("link", name="CSV").first.click()
    written = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(written)))) == len(SCOPE["province"])
    reader.page.locator(f".st-key-picture-button-{ident} button").click()
    dialog = reader.page.locator("[role=dialog]")
    pictures = {}
    for form in ("PNG", "SVG"):
        dialog.get_by_text(form, exact=True).click()
        shown = dialog.locator(f".st-key-picture-{ident}-{form.lower()}")
        shown.locator(".main-svg").first.wait_for()
        save = shown.get_by_role("button", name=re.compile("^دریافت تصویر نمودار"))
        with reader.page.expect_download(timeout=180_000) as waiting:
            save.focus()
            reader.page.keyboard.press("Enter")
        assert waiting.value.suggested_filename.endswith(f".{form.lower()}")
        pictures[form] = Path(waiting.value.path()).read_bytes()
    assert pictures["PNG"].startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(pictures["PNG"][16:20]) == 2000, "twice the width of the page, for print"
    assert pictures["SVG"].startswith(b"<svg")
    assert "تهران" in pictures["SVG"].decode("utf-8")
    reader.page.keyboard.press("Escape")
    reader.page.locator("[role=dialog]").wait_for(state="detached")
    reader.settle()


def present(reader: front.Visit, ahead: str, back: str) -> None:
    """Present the figures of the open page one by one, with these keys for the next and the one before."""
    shown = reader.page.locator("[data-presented]")
    reader.open_tools().page.locator(".pd-switch .pd-present").click()
    first = shown.get_attribute("class")
    assert shown.locator(".pd-plot .main-svg").first.is_visible()
    for key, is_first in ((ahead, False), (back, True), (back, True)):
        reader.page.keyboard.press(key)
        assert shown.count() == 1
        assert (shown.get_attribute("class") == first) == is_first, key
    reader.page.keyboard.press("Escape")
    reader.page.wait_for_selector("[data-presented]", state="detached")
    assert reader.page.locator(".pd-presented-note").count() == 0


def page_leaves_with_its_pictures(reader: front.Visit, to: Path) -> None:
    reader.open_tools("page-files")
    reader.page.get_by_text(text.word("book.pictures", "en"), exact=True).click()
    # The button stands there until the pictures are asked for.
    reader.settle()
    make = reader.page.locator(".st-key-make-xlsx-book button")
    make.wait_for(timeout=180_000)
    make.click()
    button = reader.page.locator(".st-key-xlsx-book button")
    button.wait_for(timeout=front.FILE_PATIENCE)
    reader.settle()
    with reader.page.expect_download(timeout=180_000) as waiting:
        button.click()
    waiting.value.save_as(to)
    assert any(sheet._images for sheet in openpyxl.load_workbook(to).worksheets)
    reader.page.keyboard.press("Escape")


def copy_picture_link_and_citation(reader: front.Visit) -> None:
    """Copy each by its button, in English, and read the clipboard."""
    reader.page.locator("[class*=st-key-files-] button").first.click()
    reader.settle()
    copy = reader.page.locator(".pd-copy-picture").first
    copy.click()
    copy.locator("xpath=following-sibling::*[1]").filter(has_text=text.word("more.copied_picture", "en")).wait_for()
    picture = reader.page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read(), blob = await item.getType("image/png");
            return btoa(String.fromCharCode(...new Uint8Array(await blob.slice(0, 24).arrayBuffer())));
        }"""
    )
    head = base64.b64decode(picture)
    assert head.startswith(b"\x89PNG")
    assert int.from_bytes(head[16:20]) >= 1000
    reader.page.keyboard.press("Escape")
    reader.open_tools().page.locator(".st-key-copy-link .pd-copy").click()
    reader.page.locator(".st-key-copy-link .pd-copy + *").filter(has_text=re.compile(r"\S")).wait_for()
    assert reader.page.evaluate("navigator.clipboard.readText()") == reader.page.url
    reader.page.keyboard.press("Escape")
    reader.page.locator(".pd-trust .pd-copy").click()
    reader.page.locator(".pd-trust .pd-copy + *").filter(has_text=re.compile(r"\S")).wait_for()
    told = reader.page.evaluate("navigator.clipboard.readText()")
    assert CITATION in told
    assert told in reader.page.locator(".pd-trust").inner_text()


@pytest.fixture(scope="module", params=OPENED, ids=["-".join((name, *chosen, lang)) for name, chosen, lang in OPENED])
def opened(request: pytest.FixtureRequest, reader: front.Visit) -> Opened:
    """The page, opened once for all tests of it; the name of its part; what is chosen on it; its language.

    A Persian page is opened wide and then made narrow, an English one is opened on a phone.
    """
    name, chosen, lang = request.param
    reader.forget().page.set_viewport_size(WIDE if lang == text.LANGUAGES[0] else PHONE)
    reader.go(name, **chosen, **({"lang": lang} if lang != text.LANGUAGES[0] else {}))
    return reader, name, chosen, lang


def test_a_part_is_complete_in_one_language_at_most_six_screens_long_and_requests_no_other_host(
    opened: Opened,
) -> None:
    reader, name, _, lang = opened
    html = reader.page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == (lang, text.direction(lang))
    assert reader.page.title() == text.word("app.title", lang)
    heading = reader.page.locator("h1").inner_text()
    if name == "overview" and "province=" in reader.query:
        assert member_names.of("province", "IR-23", lang) in heading
    else:
        assert heading == next(e[lang] for e in navigation.menu() if name in navigation.parts(e))
    assert reader.page.locator(".pd-trust").count() == 1
    assert reader.page.get_by_test_id("stSidebarNavLink").count() == len(navigation.menu())
    assert reader.page.locator(".pd-error, .pd-refused, [data-testid=stException]").count() == 0
    assert reader.page.locator(".pd-sample").count() == 2, "made-up data is marked above and below"
    assert reader.page.locator("h3").count() >= 1 or name in WITHOUT_FIGURES
    charts = reader.drawn_charts()
    assert name != "coverage" or "province=" in reader.query or max(charts) >= 31, "the map has every province"
    assert lang != "fa" or name in WITH_LATIN or in_latin_letters(reader) == set()
    assert reader.strangers() == []
    assert reader.failures == []
    if lang == text.LANGUAGES[0] and name not in OF_ANY_LENGTH:
        assert reader.page.evaluate(HEIGHT) <= (3 if name == "overview" else 6) * SCREEN


def in_latin_letters(reader: front.Visit) -> set[str]:
    """The words of the page, its labels too, that are in Latin letters, and the Latin digits that are to be seen."""
    read, seen = reader.page.evaluate(
        """() => {
            const read = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walk.nextNode()) {
                const not_read = "script, style, noscript, code, [data-testid=stIconMaterial], table[role=grid], cite";
                if (!walk.currentNode.parentElement.closest(not_read)) read.push(walk.currentNode.textContent);
            }
            for (const at of document.querySelectorAll("[aria-label], [placeholder]"))
                if (!at.closest("table[role=grid]"))
                    read.push(at.getAttribute("aria-label") || "", at.getAttribute("placeholder") || "");
            // A source is quoted as it is written; a slider's own number is shown in Persian digits by the font.
            const hidden = document.head.appendChild(document.createElement("style"));
            hidden.textContent = "cite, [data-testid=stSlider] { display: none }";
            const seen = document.querySelector("main").innerText;
            hidden.remove();
            return [read.join(" "), seen];
        }"""
    )
    # Streamlit announces the Gregorian day of its field to screen readers and hides the field itself.
    words = {word for word in LATIN.findall(read) if not word.isdigit()} - STAYS_LATIN
    return words | set(re.findall("[0-9]+", seen))


def test_axe_finds_nothing_serious(opened: Opened) -> None:
    reader, name, chosen, lang = opened
    # Both languages have the same elements and colours.
    if lang == text.LANGUAGES[0] or draws(0, 1):
        assert serious(reader) == []
        is_first_view = not chosen or (name, {}, lang) not in OPENED
        if (name in VARIED and is_first_view) or draws(0, 1):
            assert serious(reader.darken(), "color-contrast") == []


KINDS = """() => [
    ...[...document.querySelectorAll("main [data-testid], main [class*=pd-]")].flatMap((at) =>
        [at.dataset.testid, ...[...at.classList].filter((name) => name.startsWith("pd-"))]),
    ...[...document.querySelectorAll(".pd-plot")].flatMap((chart) =>
        (chart.data || []).map(({type, mode, orientation}) => `${type} ${mode || ""} ${orientation || ""}`)),
].filter(Boolean)"""


@thorough
def test_the_varied_parts_hold_every_kind_of_element(reader: front.Visit) -> None:
    """Otherwise a kind is never seen in the dark; test_axe_finds_nothing_serious sees it in the light."""
    reader.forget().page.set_viewport_size(PHONE)
    kinds: dict[str, set[str]] = {}
    for part in PARTS:
        reader.go(part, lang="en").drawn_charts()
        kinds[part] = set(reader.page.evaluate(KINDS))
    assert set().union(*kinds.values()) == set().union(*(kinds[part] for part in VARIED))


def serious(reader: front.Visit, *rules: str) -> list[list[str]]:
    """The serious faults that axe finds on the open page, by these rules or by all."""
    if not reader.page.evaluate("'axe' in window"):
        reader.page.evaluate(AXE)
    violations = reader.page.evaluate(
        """async (rules) => {
            const lesser = axe._audit.rules.filter(({impact}) => !["serious", "critical"].includes(impact));
            const less = {resultTypes: ["violations"], preload: false, selectors: false};
            less.rules = Object.fromEntries(lesser.map(({id}) => [id, {enabled: false}]));
            const run = await axe.run(document, {...less, ...(rules.length ? {runOnly: rules} : {})});
            return run.violations.map((one) => [one.impact, one.id, one.nodes[0].html.slice(0, 200)]);
        }""",
        list(rules),
    )
    return [violation for violation in violations if violation[0] in ("serious", "critical")]


def test_axe_reports_a_button_without_a_name(reader: front.Visit) -> None:
    reader.go(front.BETWEEN, lang="en")
    reader.page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    assert "button-name" in [violation[1] for violation in serious(reader)]


def test_a_phone_shows_a_number_first_and_nothing_is_cut_off(opened: Opened) -> None:
    reader, name, _, lang = opened
    reader.page.set_viewport_size(PHONE)
    reader.settle()
    # A chart of Explore stands below its question.
    is_empty = name in WITHOUT_NUMBERS or "chart=" in reader.query
    assert is_empty or 0 < reader.page.evaluate(FIRST_NUMBER) <= 400
    assert too_wide(reader) == []
    if lang == "en" and name in ("overview", "growth"):
        reader.drawn_charts()
        gaps = reader.page.evaluate(GAPS)
        assert gaps
        assert min(gaps) > 0, "labels of an axis do not touch"
    frames = reader.page.locator(".pd-plot:has(.choroplethlayer)")
    assert frames.evaluate_all("(maps) => maps.every((at) => at.clientHeight <= at.clientWidth)"), "an empty frame"


def too_wide(reader: front.Visit) -> list[str]:
    """What is cut off, a tick label that Plotly leaves out for want of room, or what makes the page scroll sideways."""
    return reader.page.evaluate(
        """() => {
            const main = document.querySelector("[data-testid=stMain]");
            const cut = [...document.querySelectorAll(
                ".pd-card *, .pd-head *, .pd-said, .pd-title *, .pd-grid tbody th *")].filter(
                (at) => at.scrollWidth > at.clientWidth + 1 && at.clientWidth > 0
                    && getComputedStyle(at).display !== "inline");
            const ticks = [...document.querySelectorAll(".pd-plot :is(.xtick, .ytick) text")].filter((at) => {
                // What a closed list holds is not drawn.
                if (!at.closest(".pd-plot").checkVisibility()) return false;
                const label = at.getBoundingClientRect(), chart = at.closest(".pd-plot").getBoundingClientRect();
                return getComputedStyle(at).opacity === "0" || !label.width
                    || label.left < chart.left - 1 || label.right > chart.right + 1;
            });
            const texts = [...cut, ...ticks].map((at) => at.textContent);
            return [...(main.scrollWidth > main.clientWidth ? ["the page"] : []), ...texts];
        }"""
    )
