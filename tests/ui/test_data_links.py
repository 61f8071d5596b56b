"""What can be a link is a link: the address of a file gives the rows of the page, and what has no address is listed here."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyarrow import parquet

from etl.analysis.licensing import DAYS_LEFT
from etl.core.errors import AccessDenied, QuestionError
from etl.semantic import exportable
from etl.semantic.answers import Answer
from tests.effort import thorough
from ui.components import data_links, downloads
from ui.data import page_run, warehouse
from ui.data.ask import Rounded
from ui.exhibits import explore, licensing, register, training
from ui.exhibits.lists import Within
from ui.exhibits.named import Made, Named, chosen, inputs_of
from ui.i18n import text
from ui.shell import data_address, data_question
from ui.state import page_context, questions
from ui.state.given import Wrong
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("published")]

SCOPES: dict[str, dict[str, Any]] = {
    "nation": {"lang": ["en"]},
    "province": {"province": ["IR-10"], "on": ["1404/09/30"], "period": ["24"]},
    "women": {"gender": ["female"], "province": ["IR-10", "IR-23"], "lang": ["en"]},
}


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
@pytest.mark.parametrize("page", register.pages())
def test_every_box_with_a_number_says_its_address_and_finding_it_asks_nothing(
    page: str, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is at the address is what the box holds, exact and for circulation."""
    published, ask, query = page_run.publication(), warehouse.of_page(), SCOPES[scope]
    read = Scope.from_query(query, published.as_of, lambda name: warehouse.names(name, "fa"))
    asked: list[object] = []
    results = warehouse.results
    for named in register.pages()[page].shown(read, ask, {}):
        made = Made(named, ask)
        try:
            exhibits = {False: made.exhibit, True: made.for_circulation()}
        except (AccessDenied, QuestionError):
            # The box says why.
            continue
        for circulation, exhibit in exhibits.items():
            with monkeypatch.context() as patch:
                patch.setattr(warehouse, "results", lambda *given: asked.append(given) or results(*given))
                address = data_links.of_file(data_links.address_of(exhibit.answer, made, read), circulation)
            assert asked == [], named.name
            if exhibit.answer is None:
                continue
            found, is_rounded = answer_at(address.format(form="csv"))
            assert is_rounded is circulation
            assert (found.columns, found.rows) == (exhibit.answer.columns, exhibit.answer.rows), named.name


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
        made = Made(Named("explore", explore.chart, scope, (charted,)), warehouse.of_page())
        answer = made.exhibit.answer
        assert answer, charted
        for circulation in (False, True):
            address = data_links.of_file(data_links.address_of(answer, made, scope), circulation)
            parts = urlsplit(address.format(form="csv"))
            assert parts.path == "/data/explore/chart.csv"
            question = data_question.read_exhibit(parse_qs(parts.query), "explore/chart")
            assert question
            assert question.named == made.named
            found, _ = answer_at(address.format(form="csv"))
            shown = made.for_circulation().answer if circulation else answer
            assert shown
            assert (found.columns, found.rows) == (shown.columns, shown.rows), charted
            assert exhibit_title(question) == (made.for_circulation() if circulation else made.exhibit).title.sentence


def exhibit_title(question: data_question.ExhibitQuestion) -> str:
    ask = warehouse.of_page()
    return question.named.exhibit(Rounded(ask) if question.circulation else ask).title.sentence


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
    of_question = data_links.address_of(source, None, scope, explore.Asked(tuple(names), tuple(by)))
    for circulation in (False, True):
        address = data_links.of_file(of_question, circulation)
        found, is_rounded = answer_at(address.format(form="csv"))
        assert is_rounded is circulation
        whole = Rounded(warehouse.of_page()).shown(source) if circulation else source.answer
        assert (found.columns, found.rows) == (whole.columns, whole.rows)
    assert data_links.of_program(of_question)


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
    made = Made(Named("training", training.by_place, scope), warehouse.of_page())
    exhibit, view = made.exhibit, PageContext(scope)
    assert exhibit.answer
    downloads.buttons(view, exhibit.answer, exhibit.context(), "x", None, made, made.named.address("{form}"))


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
    made = Made(Named("licensing", licensing.licences_ending, scope, (within,)), warehouse.of_page())
    answer = made.exhibit.answer
    assert answer
    address = made.named.address("{form}")
    downloads.buttons(PageContext(scope), answer, made.exhibit.context(), "x", None, made, address)
    assert (offered["made"], len(offered["links"])) == ([], 3)
    assert answer_at(offered["links"][0])[0].rows == answer.rows
    query = parse_qs(urlsplit(offered["links"][0]).query)
    question = data_question.read_exhibit(query, "licensing/licences_ending")
    assert question
    assert (query["days"], question.named.inputs) == ([str(days)], (within,))
    file = data_address._made("parquet", data_address._asked_of(question), question, {})
    words = text.word("why.days", "en", count=days)
    assert words.replace(" ", "-") in file.name
    assert ["Limit of the list", words] in [
        entry[:2] for entry in json.loads(parquet.read_metadata(file.path).metadata[b"about"])
    ]


# ---------------------------------------------------------------- inputs and names

INPUTS: dict[str, list[dict[str, list[str]]]] = {
    "training/futures": [{}, {"recruits": ["700"], "leave": ["9.3"], "seats": ["IR-23.PY-103:20", "PY-201:90"]}],
    "growth/headcount": [{}, {"goal": ["150000"]}, {"recruits": ["0"], "goal": ["12.5"]}],
    "growth/recruits_needed": [{}, {"goal": ["14"], "until": ["2027-03-20"]}],
    "growth/recruits": [{}, {"n": ["300"]}, {"n": ["0"]}],
    "licensing/licences_ending": [{}, *({"days": [str(days)]} for days in DAYS_LEFT)],
    "explore/chart": [{}, {"m": ["joiners"], "by": ["month"]}, {"by": ["province"], "chart": ["ranking"]}],
    "explore/trend": [{}],
    "explore/rows": [{}, {"m": ["women"], "by": ["province"], "calc": ["share"]}, {"by": ["-"]}],
    "compare/parts": [{}, {"p": ["IR-23"], "q": ["IR-10"], "m": ["training_compliance"], "by": ["gender"]}],
    "compare/over_time": [{"p": ["similar"], "q": ["IR-10"]}, {"a": ["2024-03-19"], "b": ["2024-06-20"]}],
    "compare/numbers": [{}],
    "compare/bridge": [{"of": ["IR-23"], "p": ["IR-23"]}],
    "register/institutes": [{}, {"find": ["حفاظت"]}],
}
WRONG: dict[str, list[dict[str, list[str]]]] = {
    "training/futures": [{"recruits": ["-1"]}, {"leave": ["101"]}, {"seats": ["IR-99.PY-103:1"]}, {"seats": ["3"]}],
    "growth/recruits_needed": [{"goal": ["0"]}, {"until": ["2020-01-01"]}, {"until": ["soon"]}],
    "licensing/licences_ending": [{"days": ["7"]}, {"days": ["30", "60"]}],
    "explore/chart": [{"m": ["no_measure"]}, {"chart": ["pie"]}, {"by": ["month", "year"]}],
    "compare/parts": [{"p": ["IR-99"]}, {"a": ["1500/01/01"]}, {"m": ["nothing"]}, {"by": ["shoe"]}],
    "compare/bridge": [{"of": ["similar"]}],
}


def latest() -> Scope:
    return Scope(page_run.publication().as_of, lang="en")


def test_every_exhibit_with_an_input_is_tried() -> None:
    assert {name for name, make in register.exhibits().items() if inputs_of(make)} == {
        *INPUTS,
        *(f"training/{name}" for name in ("seat_plan", "seat_rooms", "seat_order")),
    }


@pytest.mark.parametrize("name", INPUTS)
def test_what_an_address_says_of_an_input_is_read_as_that_input(name: str) -> None:
    """`read(x.query(), scope) == x`, and so of the whole name; each parameter is one that the input names."""
    scopes = [latest(), replace(latest(), filters=(("province", ("IR-10", "IR-23")),), lang="fa")]
    for scope in scopes:
        for given in INPUTS[name]:
            named = register.read(name, given, scope)
            assert named
            assert {*given} <= {key for one in named.inputs for key in one.PARAMETERS}
            for one in named.inputs:
                assert type(one).read(one.query(), scope) == one
                assert {*one.query()} <= {*one.PARAMETERS}
            query = parse_qs(urlsplit(named.address("csv")).query)
            assert register.read(named.name, query, named.scope) == named


@pytest.mark.parametrize("name", WRONG)
def test_an_input_that_nobody_could_have_chosen_is_refused_at_an_address_and_left_out_on_a_page(name: str) -> None:
    for given in WRONG[name]:
        with pytest.raises(Wrong):
            register.read(name, given, latest())
        page, make = register.named(name) or pytest.fail(name)
        assert chosen(make, given, latest()) == page.named(make, {}, latest()).inputs, given


def test_half_of_an_input_has_the_default_for_the_other_half_and_that_of_another_page_is_refused() -> None:
    found = register.read("compare/numbers", {"p": ["IR-23"]}, latest())
    assert found
    assert found.inputs[0].query()["q"] == ["IR"]
    for strange in ({"days": ["30"]}, {"seats": ["PY-103:1"]}):
        with pytest.raises(Wrong, match=next(iter(strange))):
            data_question.read_exhibit(strange, "compare/numbers")
    with pytest.raises(Wrong, match="days"):
        data_question.read_page({"days": ["30"]}, "training")


def test_a_page_without_a_period_has_none_in_the_names_of_its_exhibits() -> None:
    scope = replace(latest(), period="12")
    for name, period in (("coverage/over_time", ""), ("training/over_time", "12")):
        found = register.read(name, {}, scope)
        assert found
        assert found.scope.period == period
