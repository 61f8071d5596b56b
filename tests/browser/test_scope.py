"""In a browser: the filters show the address, however a page was reached, and Back goes back one page at a time."""

import re
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import Browser

from tests.browser import app as front
from tests.effort import draws
from ui.i18n import member_names, navigation, text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MENU = [entry["page"] for entry in navigation.menu()]
WITHOUT_BAR = ("methods", "quality")
PROVINCE, DAY = "IR-11", "2024-09-21"
TYPED = {"fa": "۱۴۰۳/۰۶/۳۱", "en": DAY}
# Changes of page: clicks in the menu, on tabs and links, Back, Forward, reload.
WAY = ("workforce", "tab legal", "reload", "back", "back", "forward", "link quality", "explore", "tab compare", "back")
# The other language does so once, with THOROUGH=1, and comes back from a page without filters.
WAYS = {"fa": WAY, "en": ("growth", "link quality", "back")}
VISITED = {
    "fa": [
        "overview", "workforce", "legal", "legal", "workforce", "overview", "workforce", "quality", "explore", "compare",
        "explore",
    ],
    "en": ["overview", "growth", "quality", "growth"],
}  # fmt: skip


def go_on(reader: front.Visit, step: str) -> None:
    """Change the page as `step` says; a name alone is an entry of the menu."""
    kind, _, name = step.rpartition(" ")
    if kind == "link":
        reader.page.locator(f".pd-trust a[href^='{name}?']").click()
    elif kind == "tab":
        lang = reader.page.locator("html").get_attribute("lang") or "fa"
        reader.page.get_by_role("tab", name=navigation.part_words(name)[lang], exact=True).click()
    elif name in MENU:
        reader.page.locator('[data-testid="stSidebarNavLink"]').nth(MENU.index(name)).click()
    else:
        {"back": reader.page.go_back, "forward": reader.page.go_forward, "reload": reader.page.reload}[name]()
    reader.settle()


def opened(reader: front.Visit) -> str:
    """The part of a page that the address names."""
    page = reader.page.url.partition("?")[0].rsplit("/", 1)[-1] or MENU[0]
    entry = next(entry for entry in navigation.menu() if entry["page"] == page)
    return parse_qs(reader.query).get("tab", navigation.parts(entry))[0]


def boxes(reader: front.Visit) -> tuple[str, list[str]]:
    """The values of the province filter and of the day fields."""
    tags = reader.page.locator(".st-key-filter-province").inner_text().split("\n")[-1]
    fields = reader.page.locator(".st-key-day-on input")
    return tags.rpartition(" (")[0], [fields.nth(place).input_value() for place in range(fields.count())]


@pytest.mark.parametrize("lang", text.LANGUAGES[: draws(1, 2)])
def test_boxes_day_and_breadcrumb_equal_the_address_after_every_change_of_page(
    lang: str, address: str, chromium: Browser
) -> None:
    name = member_names.of("province", PROVINCE, lang)
    english = {"lang": "en"} if lang == "en" else {}
    with front.visit(chromium, address) as reader:
        # The first page by its own name.
        view = {"province": PROVINCE, "on": DAY} | english
        reader.page.goto(f"{address}/{MENU[0]}?{urlencode(view)}")
        query, visited, faults = reader.settle().query, [MENU[0]], []
        assert reader.page.url == f"{address}/?{query}"
        assert reader.page.locator("[data-testid=stDialog]").count() == 0
        assert query == f"province={PROVINCE}&on={DAY}" + ("&lang=en" if english else "")
        for step in WAYS[lang]:
            go_on(reader, step)
            visited.append(opened(reader))
            shown: list[object] = [re.sub("^tab=[a-z]+&", "", reader.query), reader.page.locator(".pd-error").count()]
            wanted: list[object] = [query, 0]
            if visited[-1] not in WITHOUT_BAR:
                place, days = boxes(reader)
                shown += [place, days[0], name in reader.said]
                wanted += [name, TYPED[lang], True]
            if visited[-1] == "explore":
                shown.append(reader.page.locator(".pd-here").first.inner_text())
                wanted.append(name)
            if shown != wanted:
                faults.append((step, visited[-1], shown))
        assert faults == []
        assert visited == VISITED[lang], "Back is one step a page"
        assert reader.failures == []


def test_the_day_box_of_the_next_page_takes_a_day_and_says_nothing_of_an_empty_one(
    address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("explore", province=PROVINCE)
        go_on(reader, "workforce")
        reader.page.locator(".st-key-typed-on input").fill("۱۴۰۳/۰۲/۱۵")
        reader.page.keyboard.press("Enter")
        reader.settle()
        reader.page.locator(".st-key-filter-activity input").click()
        reader.page.keyboard.press("ArrowDown")
        reader.page.keyboard.press("Enter")
        reader.settle()
        assert reader.page.locator(".pd-wrong").count() == 0
        assert reader.query.startswith(f"province={PROVINCE}&activity=")
        assert reader.query.endswith("&on=2024-05-04")
        assert boxes(reader)[0] == member_names.of("province", PROVINCE, "fa")


def test_the_address_holds_what_is_possible_and_was_chosen_and_back_takes_it_away_before_it_leaves_the_page(
    address: str, chromium: Browser
) -> None:
    with front.visit(chromium, address) as reader:
        reader.go("workforce", province=["x' or '1'='1", "IR-99"], on="<script>", activity="guarding", evil="1")
        assert reader.query == "activity=guarding"
        assert reader.page.locator(".pd-error").count() == 0
        reader.go("explore")
        go_on(reader, "workforce")
        assert reader.query == "", "defaults leave the address clean"
        reader.page.locator(".st-key-filter-province input").click()
        reader.page.keyboard.type("تهران")
        reader.page.keyboard.press("Enter")
        reader.settle()
        reader.page.keyboard.press("Escape")
        assert reader.query == "province=IR-23"
        assert "تهران" in reader.said
        go_on(reader, "explore")
        assert reader.query == "province=IR-23", "the scope goes along from page to page"
        reader.page.get_by_role("button", name=text.word("scope.reset", "fa")).click()
        reader.settle()
        assert reader.query == ""
        assert text.word("scope.nation", "fa") in reader.said
        visited = []
        for _ in range(4):
            go_on(reader, "back")
            visited.append((opened(reader), reader.query, boxes(reader)[0]))
        assert visited == [
            ("explore", "province=IR-23", "تهران"),
            ("workforce", "province=IR-23", "تهران"),
            ("workforce", "", ""),
            ("explore", "", ""),
        ]


def test_a_click_after_a_run_that_no_frame_showed_is_a_step_of_its_own(address: str, chromium: Browser) -> None:
    """A page puts two addresses into the history while it opens, and the click after it a third."""
    script = """() => {
        const before = history.length;
        history.pushState(null, "", "growth");
        history.pushState(null, "", "growth?province=IR-23");
        document.body.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
        history.pushState(null, "", "growth?province=IR-23&tab=planning");
        return history.length - before;
    }"""
    with front.visit(chromium, address) as reader:
        reader.go(front.BETWEEN)
        assert reader.page.evaluate(script) == 2
