"""What can be a link is a link: the address of a file gives the rows of the page, and what has no address is listed here."""

import json
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyarrow import parquet

from etl.analysis.licensing import DAYS_LEFT
from etl.semantic import exportable
from etl.semantic.answers import Answer
from tests.effort import thorough
from tests.parts import PARTS, opened
from ui.components import data_links, downloads, page_files
from ui.data import page_run, warehouse
from ui.data.ask import Rounded
from ui.exhibits import coverage, explore, licensing, register, training
from ui.exhibits.exhibit import Made
from ui.exhibits.lists import Within
from ui.i18n import text
from ui.shell import data_address, data_question
from ui.state import page_context, questions
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("published")]

SCOPES: dict[str, dict[str, Any]] = {
    "nation": {"lang": "en"},
    "province": {"province": "IR-10", "on": "1404/09/30", "period": "24"},
    "women": {"gender": "female", "province": ["IR-10", "IR-23"], "lang": "en"},
}
# What has no address, by page: what says a sentence alone or also what is owed, exhibits of what a reader typed.
WITHOUT: dict[str, set[str]] = {
    "overview": {"glance", "needs-action"},
    "coverage": {"claimed"},
    "growth": {"announced", "goal-seek", "plan-plan_leaver_rate", "plan-plan_recruits"},
    "training": {"plan-plan_leaver_rate", "plan-plan_recruits", "plan-seats"},
    "compare": {"bridge-IR", "bridge-IR-10", "numbers", "over_time", "parts"},
}
PAGES = [part for part in PARTS if part not in ("methods", "quality", "handin", "approve")]


def answer_at(address: str) -> tuple[Answer, bool]:
    """The answer that the data address writes for a link, and whether it is rounded."""
    path, query = urlsplit(address).path, parse_qs(urlsplit(address).query)
    assert path.startswith("/data/")
    name = path.removeprefix("/data/").rpartition(".")[0]
    question = data_question.read(query) if name == "answer" else data_question.read_exhibit(query, name)
    assert question
    assert data_question.publication(query) == page_run.publication().id
    found = data_address._asked_of(question).source
    return Rounded(warehouse.of_page()).shown(found) if question.circulation else exportable.of(
        found
    ).answer, question.circulation


# Women of two provinces are shown the figures of the nation, too.
@pytest.mark.parametrize("scope", [pytest.param("nation", marks=thorough), "province", "women"])
@pytest.mark.parametrize("page", PAGES)
def test_the_link_of_a_figure_gives_the_rows_of_the_page(
    page: str, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = opened(page, **SCOPES[scope]).session_state["page parts"]
    monkeypatch.setattr(page_context, "part", lambda: page)
    without, given = set(), set()
    for ident, part in parts.items():
        if not isinstance(part, page_files.Shown) or ident.startswith("card-"):
            continue
        view = PageContext(part.made.scope, has_period=True)
        for circulation in (False, True):
            address = data_links.of_file(view, part.source, part.made, circulation)
            if not address:
                assert not register.address_of(page, part.made.make), ident
                without.add(ident)
                continue
            found, is_rounded = answer_at(address.format(form="csv"))
            assert is_rounded is circulation
            shown = part.part(circulation).answer
            assert shown
            assert (found.columns, found.rows) == (shown.columns, shown.rows), ident
            given.add(ident)
    assert given or page == "compare", "the sides of Compare are what a reader chose"
    assert without <= WITHOUT.get(page, set()), without


# ---------------------------------------------------------------- the charts of Explore


QUESTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "map and rankings": (("coverage_per_10k", "training_compliance"), ("province",)),
    "counties": (("active_assistants",), ("county",)),
    "columns": (("training_compliance",), ("education",)),
    "lines by unit, and bars": (
        ("training_compliance", "active_assistants", "licensed_institutes", "joiners"),
        ("month",),
    ),
    "paired": (("joiners", "leavers"), ("month",)),
    "heat": (("active_assistants",), ("province", "month")),
    "few lines": (("active_assistants", "training_compliance"), ("gender", "quarter")),
    "matrix": (("active_assistants", "joiners"), ("post", "gender")),
    "funnel": (("training_compliance",), ("province",)),
    "control": (("joiners",), ("month",)),
}


@pytest.mark.parametrize("place", [(), ("IR-10",)], ids=["nation", "province"])
@pytest.mark.parametrize("of", QUESTIONS)
def test_the_link_of_a_chart_of_explore_gives_its_rows_and_its_chart(
    of: str, place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an address says of a chart is read as that chart."""
    monkeypatch.setattr(page_context, "part", lambda: "explore")
    names, by = QUESTIONS[of]
    scope = Scope(page_run.publication().as_of, (("province", place),) if place else (), lang="en")
    charts = explore.charts_of(names, by, scope.where)
    charts += [explore.Charted(names, by, form) for form in explore.forms(names, by, scope.where)[-1:]]
    assert charts
    for charted in charts:
        made = Made(partial(explore.chart, charted=charted), scope, warehouse.of_page())
        answer = made.exhibit.answer
        assert answer, charted
        for circulation in (False, True):
            address = data_links.of_file(PageContext(scope, has_period=True), answer, made, circulation)
            parts = urlsplit(address.format(form="csv"))
            assert parts.path == "/data/explore/chart.csv"
            question = data_question.read_exhibit(parse_qs(parts.query), "explore/chart")
            assert question
            assert (question.beside, question.view.scope) == (charted, scope)
            found, _ = answer_at(address.format(form="csv"))
            shown = made.for_circulation().answer if circulation else answer
            assert shown
            assert (found.columns, found.rows) == (shown.columns, shown.rows), charted
            assert exhibit_title(question) == (made.for_circulation() if circulation else made.exhibit).title.sentence


def exhibit_title(question: data_question.ExhibitQuestion) -> str:
    ask = warehouse.of_page()
    return question.make(question.view.scope, Rounded(ask) if question.circulation else ask).title.sentence


def test_two_charts_of_explore_are_two_files() -> None:
    asked = [{"m": [name], "by": ["province"]} for name in ("active_assistants", "in_service")]
    read = [data_question.read_exhibit(given, "explore/chart") for given in asked]
    assert len({data_address._tag("csv", question) for question in read}) == 2


def test_rows_of_explore_that_are_not_in_memory_have_the_address_of_their_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warehouse, "ROWS", 5)
    warehouse.results.cache_clear()
    scope, names, by = Scope(page_run.publication().as_of, lang="en"), ["active_assistants"], ["institute", "month"]
    source = questions.free(scope, warehouse.of_page(), names, by)
    assert isinstance(source, exportable.StoredRows)
    for circulation in (False, True):
        address = data_links.of_file(PageContext(scope, has_period=True), source, None, circulation)
        found, is_rounded = answer_at(address.format(form="csv"))
        assert is_rounded is circulation
        whole = Rounded(warehouse.of_page()).shown(source) if circulation else source.answer
        assert (found.columns, found.rows) == (whole.columns, whole.rows)
    assert data_links.of_program(PageContext(scope, has_period=True), source, None)


# ---------------------------------------------------------------- what the popover offers


@pytest.fixture
def ticked() -> bool:
    """Whether the reader asks for numbers for circulation."""
    return False


@pytest.fixture
def offered(ticked: bool, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the popover of a figure offers: links, files that are made at once, and files that are made first."""
    found: dict[str, list[str]] = {"links": [], "made": [], "made first": []}
    monkeypatch.setattr(downloads.st, "checkbox", lambda *_, **__: ticked)
    monkeypatch.setattr(downloads.st, "button", lambda *_, **__: False)
    monkeypatch.setattr(downloads.st, "link_button", lambda label, url, **_: found["links"].append(url))
    monkeypatch.setattr(downloads, "offered", lambda _view, key, *_: found["made"].append(key))
    monkeypatch.setattr(downloads, "made_first", lambda _view, _ident, name, *_: found["made first"].append(name))
    monkeypatch.setattr(page_context, "part", lambda: "training")
    return found


def offer(scope: Scope) -> None:
    made = Made(training.by_place, scope, warehouse.of_page())
    exhibit, view = made.exhibit, PageContext(scope)
    assert exhibit.answer
    downloads.buttons(view, exhibit.answer, exhibit.context(), "x", None, made)


@pytest.mark.parametrize("ticked", [False, True])
def test_each_format_is_a_link_with_the_scope_the_publication_and_the_language(
    ticked: bool, offered: dict[str, list[str]]
) -> None:
    published = page_run.publication()
    offer(Scope(published.as_of, (("province", ("IR-23",)),), published.as_of - timedelta(days=20), lang="en"))
    assert (offered["made"], offered["made first"]) == ([], [])
    assert [urlsplit(link).path for link in offered["links"]] == [
        f"/data/training/by_place.{form}" for form in ("csv", "xlsx", "parquet")
    ]
    queries = [parse_qs(urlsplit(link).query) for link in offered["links"]]
    on = (published.as_of - timedelta(days=20)).isoformat()
    scope = {"province": ["IR-23"], "on": [on], "lang": ["en"], "publication": [published.id]}
    assert queries == [scope | ({"circulation": ["1"]} if ticked else {})] * 3


def test_a_large_file_is_made_first_also_where_it_has_an_address(
    offered: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MANY_CELLS", downloads.MANY_CELLS | {"xlsx": 0})
    offer(Scope(page_run.publication().as_of))
    assert [urlsplit(link).path.rpartition(".")[2] for link in offered["links"]] == ["csv", "parquet"]
    assert [name.rpartition(".")[2] for name in offered["made first"]] == ["xlsx"]


def test_a_scope_that_no_address_can_hold_is_made_at_once(
    offered: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_links, "LONGEST", len("/data/training/by_place.{form}?province=IR-23"))
    offer(Scope(page_run.publication().as_of, (("province", ("IR-10", "IR-23")),)))
    assert offered == {"links": [], "made": ["csv-x", "xlsx-x", "parquet-x"], "made first": []}


@pytest.mark.parametrize("days", DAYS_LEFT)
def test_a_list_with_an_end_is_at_its_address_with_its_days_and_says_them(
    days: int, offered: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_context, "part", lambda: "licensing")
    scope, within = Scope(page_run.publication().as_of, lang="en"), Within(days)
    made = Made(partial(licensing.licences_ending, within=within), scope, warehouse.of_page())
    answer = made.exhibit.answer
    assert answer
    downloads.buttons(PageContext(scope), answer, made.exhibit.context(), "x", None, made)
    assert (offered["made"], len(offered["links"])) == ([], 3)
    assert answer_at(offered["links"][0])[0].rows == answer.rows
    query = parse_qs(urlsplit(offered["links"][0]).query)
    question = data_question.read_exhibit(query, "licensing/licences_ending")
    assert question
    assert (query["days"], question.beside) == ([str(days)], within)
    file = data_address._made("parquet", data_address._asked_of(question), question, {})
    words = text.word("why.days", "en", count=days)
    assert words.replace(" ", "-") in file.name
    assert ["Limit of the list", words] in [
        entry[:2] for entry in json.loads(parquet.read_metadata(file.path).metadata[b"about"])
    ]


def test_a_list_that_is_on_two_pages_has_one_address() -> None:
    assert register.address_of("overview", licensing.register) == "licensing/register"
    assert register.address_of("overview", coverage.over_time) == "", "its own page has no period"
    assert register.address_of("coverage", coverage.over_time) == "coverage/over_time"


def test_the_link_of_a_question_has_the_filters_of_its_answer_and_not_those_of_the_page() -> None:
    """A filter without a meaning for a measure would be refused at its address."""
    view = PageContext(
        Scope(page_run.publication().as_of, (("gender", ("female",)), ("province", ("IR-23",))), lang="en")
    )
    answer = warehouse.ask("licensed_institutes", by="province", on=view.as_of, where={"province": ("IR-23",)})
    address = data_links.of_file(view, answer, None, False).format(form="csv")
    assert parse_qs(urlsplit(address).query)["province"] == ["IR-23"]
    assert answer_at(address)[0].rows == answer.rows
