"""Any address opens its page: meaningless parameters are left out, and a notice says so."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from etl.semantic.catalog import catalogue
from etl.warehouse.dimensions import FILTERS
from tests.effort import draws, thorough
from tests.parts import html, opened, opening
from ui.access.saved_views import Saved, SavedViews
from ui.components import blocks
from ui.exhibits import legal, licensing
from ui.i18n import navigation, text
from ui.shell import middleware
from ui.state.address import LICENCE_LISTS, NAMES, NATION, OFFICER_LISTS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("published")]

# Values that are valid for some parameter, and some that only look valid.
SAID = (
    f"|-|--|{NATION}|IR-23|IR-99|guarding|female|lead|table|pivot|1|0|2|²|۲|nan|inf|1e9|lead:3|IR-23.lead:x|lead:1e400|"
    "day|0001-01-01|9999-12-31|1403/07/01|2024-09-21|year|12|0001-01-01..9999-12-31|2024-01-01..2024-02-01"
).split("|")


def shown(name: str, view: dict[str, Any]) -> tuple[AppTest, str, str]:
    """A page with these parameters, everything it shows, and its notice of parameters left out."""
    app = opened(name, **view)
    page, title = html(app), re.escape(text.word("state.left_out_title", "fa"))
    notice = re.search(rf"<strong>{title}</strong><p>(.*?)</p>", page)
    return app, page, notice[1] if notice else ""


@pytest.mark.parametrize(
    ("name", "view", "left", "expected"),
    [
        ("explore", {"m": ["joiners", "joiners"]}, ["m=joiners"], {"m": "joiners"}),
        ("explore", {"m": ["evil", "joiners"], "by": "evil"}, ["m=evil", "by=evil"], {"m": "joiners"}),
        ("explore", {"page": "²"}, ["page=²"], {}),
        ("explore", {"page": "0", "show": "cube", "sort": "-evil"}, ["page=0", "show=cube", "sort=-evil"], {}),
        ("explore", {"by": "-"}, [], {"by": "-"}),
        ("explore", {"by": ["-", "province"]}, ["by=-"], {"by": "province"}),
        ("register", {"page": "²"}, ["page=²"], {}),
        ("overview", {"on": "0001-01-01"}, ["on=0001-01-01"], {}),
        ("overview", {"on": "2099-01-01"}, ["on=2099-01-01"], {}),
        ("overview", {"on": "1403/02/15"}, [], {"on": "2024-05-04"}),
        ("overview", {"on": ["evil", "2024-05-04"]}, ["on=evil"], {"on": "2024-05-04"}),
        ("overview", {"province": ["IR-99", "IR-23"]}, ["province=IR-99"], {"province": "IR-23"}),
        ("overview", {"evil": "<b>"}, ["evil=&lt;b&gt;"], {}),
        ("overview", {"lang": "xx"}, ["lang=xx"], {}),
        ("growth", {"period": "13"}, ["period=13"], {}),
        ("compare", {"p": "IR-99", "a": "0001-01-01", "q": "IR-23"}, ["p=IR-99", "a=0001-01-01"], {"q": "IR-23"}),
        ("training", {"recruits": "nan", "leave": "101", "of": "x"}, ["recruits=nan", "leave=101", "of=x"], {}),
        ("training", {"seats": ["lead:3", "evil:3", "IR-99.lead:1"]}, ["evil:3", "IR-99.lead:1"], {"seats": "lead:3"}),
    ],
)  # fmt: skip
def test_invalid_parts_of_an_address_are_removed_and_reported(
    name: str, view: dict[str, Any], left: list[str], expected: dict[str, str]
) -> None:
    app, page, notice = shown(name, view)
    assert "pd-error" not in page
    for part in left:
        assert part in notice
    assert bool(notice) == bool(left)
    expected = opening(name)[1] | expected
    assert {
        key: values if isinstance(values, str) else values[-1] for key, values in app.query_params.items()
    } == expected


@pytest.mark.parametrize("name", ["overview", "explore"])
def test_what_is_left_out_of_an_address_is_said_once(name: str) -> None:
    app, _, notice = shown(name, {"evil": "x"})
    assert notice
    assert text.word("state.left_out_title", "fa") not in html(app.run())


def test_the_name_of_a_default_tab_is_valid(published: Path) -> None:
    _, page, notice = shown("licensing", {"tab": "licensing"})
    assert not notice
    assert text.word("state.left_out_title", "fa") not in page


def test_only_the_first_parts_of_a_long_address_are_repeated() -> None:
    _, _, notice = shown("overview", {"evil": [f"{place}" + "x" * 500 for place in range(30)]})
    assert "+۲۶" in notice
    assert len(notice) < 400


def test_explore_without_a_dimension_has_a_table_of_one_row() -> None:
    _, page, _ = shown("explore", {"by": "-", "m": ["active_assistants", "joiners"]})
    assert "pd-error" not in page
    assert text.word("more.groups", "fa", count=text.number(1, "fa")) in page


def test_a_pivot_says_how_many_rows_it_has() -> None:
    _, page, _ = shown("explore", {"by": ["province", "gender"], "show": "pivot"})
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr")
    total = 1
    assert text.word("more.groups", "fa", count=text.number(rows - total, "fa")) in page


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("overview", "./"),
        ("planning", "./growth"),
        ("province", "./"),
        ("international", "./coverage"),
        ("licensing", "./institutes"),
        ("institute", "./institutes?tab=register"),
        ("register", "./institutes?tab=register"),
        ("legal", "./workforce?tab=legal"),
        ("smart", "./institutes"),
        ("compare", "./explore?tab=compare"),
    ],
)
def test_an_address_that_moved_leads_to_its_new_place_with_its_query(old: str, new: str) -> None:
    query = "province=IR-11&find=%D9%86&lang=en"
    assert redirected(old, "") == new
    assert redirected(old, query) == f"{new}{'&' if '?' in new else '?'}{query}"


# What a part that moved had in its address, and where it leads: filters, pinned publication and language go along.
MOVED = [
    ("institutes", "smart", "province=IR-11&activity=events", "./institutes?province=IR-11&activity=events"),
    ("institutes", "legal", "gender=female&open=officers_untrained",
     "./workforce?tab=legal&gender=female&open=officers_untrained"),
    ("explore", "signals", "post=guard",
     "./explore?m=training_compliance&m=leaver_rate_12m&by=province&chart=funnel&post=guard"),
    ("overview", "province", "province=IR-11&gender=female", "./?province=IR-11&gender=female"),
    ("quality", "briefings", "province=IR-11", "./quality?tab=approve&province=IR-11"),
    ("growth", "planning", "province=IR-11&recruits=7&leave=20&goal=900&n=50",
     "./growth?province=IR-11&recruits=7&leave=20&goal=900&n=50"),
    ("growth", "planning", "recruits=7&of=IR-23&seats=lead%3A3&seats=IR-23.aid%3A2",
     "./training?recruits=7&of=IR-23&seats=lead%3A3&seats=IR-23.aid%3A2"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "tab", "query", "new"), MOVED)
@pytest.mark.parametrize("more", ["", "&publication=20240921-1", "&on=2024-05-04&lang=en"])
def test_the_address_of_a_tab_that_moved_leads_to_its_new_place(
    page: str, tab: str, query: str, new: str, more: str
) -> None:
    assert redirected(page, f"tab={tab}&{query}{more}") == new + more
    assert redirected(tab, f"{query}{more}") == new + more
    opens = new.removeprefix("./").partition("?")[0]
    assert opens in {"", *(entry["page"] for entry in navigation.menu())}


@pytest.mark.parametrize("page", ["institutes", "explore", "workforce", "growth"])
def test_the_address_of_a_page_and_of_its_own_tabs_leads_nowhere_else(page: str) -> None:
    entry = next(entry for entry in navigation.menu() if entry["page"] == page)
    for tab in ("", "evil", *navigation.parts(entry)):
        assert redirected(page, f"tab={tab}", status=200) == ""


def _only(opens: str, _lang: str, _label: str, key: str, inside: Callable[[], object]) -> None:
    """Draw what one button opens, and nothing of the others."""
    if key == opens:
        inside()


# Whatever the part, its address names the language in the same way.
@pytest.mark.parametrize(
    ("_page", "tab", "query", "new", "lang"),
    [
        *((*moved, "fa") for moved in MOVED),
        *(pytest.param(*moved, "en", marks=thorough if at else ()) for at, moved in enumerate(MOVED)),
    ],
)
def test_a_saved_view_of_a_part_that_moved_stands_on_its_new_page(
    _page: str, tab: str, query: str, new: str, lang: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VIEWS", str(tmp_path))
    chosen = parse_qs(query)
    SavedViews(tmp_path).add(Saved("Mine", tab, chosen, "2024-05-04"), lambda: None)
    part = navigation.current(tab, chosen)[0]
    # AppTest opens no popover.
    for way, opens in (("popover", "tools"), ("folded", "views")):
        monkeypatch.setattr(blocks, way, partial(_only, opens))
    page = html(opened(part, **({"lang": "en"} if lang == "en" else {})))
    address = f"{new.removeprefix('./') if new[2] != '?' else new}{'&lang=en' if lang == 'en' else ''}"
    assert f'href="{text.escape(address)}"' in page


def redirected(name: str, query: str, status: int = 307) -> str:
    """The page that an address opens."""
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": f"/{name}", "query_string": query.encode()}

    async def page(_request: Request) -> Response:
        return Response("")

    routes = [*middleware.routes(), Route("/{name}", page)]
    app = middleware.Shell(Starlette(routes=routes))
    asyncio.run(app({**scope, "headers": []}, receive, send))
    assert messages[0]["status"] == status
    return dict(messages[0]["headers"]).get(b"location", b"").decode()


def addresses(name: str) -> st.SearchStrategy[dict[str, list[str]]]:
    """Addresses of known and unknown parameters, with valid values and with any text."""
    own = NAMES.get(name, ())
    known = catalogue()
    values = st.one_of(
        st.text(max_size=12),
        st.sampled_from(SAID),
        st.sampled_from(sorted(known)),
        st.sampled_from(sorted({dimension for metric in known.values() for dimension in metric.dimensions})),
        st.sampled_from(sorted(known)).map("-{}".format),
    )
    names = st.sampled_from([*FILTERS, "on", "period", "lang", "evil", *own, *own, *own])
    return st.dictionaries(names, st.lists(values, min_size=1, max_size=3), max_size=5)


@pytest.mark.parametrize("name", ["overview", *NAMES])
def test_no_address_leads_to_a_part_that_fails(name: str) -> None:
    @settings(max_examples=draws(6, 15), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(addresses(name))
    @example({})
    def check(view: dict[str, list[str]]) -> None:
        _, page, _ = shown(name, view)
        assert "pd-error" not in page, view

    check()


def test_the_lists_that_an_address_opens_are_those_of_its_page() -> None:
    assert [make.__name__ for make in licensing.LISTS] == [*LICENCE_LISTS]
    assert [make.__name__ for make in legal.LISTS] == [*OFFICER_LISTS]
