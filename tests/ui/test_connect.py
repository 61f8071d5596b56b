"""Connect shows an address only where it gives the answer of the figure; a pinned publication is shown and named."""

import re
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from etl.core import settings
from etl.semantic import exportable
from etl.semantic.answers import Answer
from tests import serving
from tests.conftest import Sample
from tests.parts import html, opened
from ui.components import connect, data_links
from ui.data import owed, page_run, warehouse
from ui.exhibits.explore import Asked
from ui.i18n import text
from ui.shell import data_address, data_question
from ui.state import personal_tokens, questions
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = pytest.mark.slow

ON = date(2024, 5, 20)


@pytest.fixture
def view(publish_sample: Callable[..., Sample], monkeypatch: pytest.MonkeyPatch) -> PageContext:
    monkeypatch.setenv("WAREHOUSE", str(publish_sample().pointer))
    latest = page_run.publication().as_of
    return PageContext(Scope(latest, lang="en"), has_period=True)


def question_of(view: PageContext, answer: Answer, calc: str = "") -> str:
    """The parameters of the address of a table of Explore."""
    asked = Asked(tuple(answer.measures), answer.by, calc)
    return data_links.address_of(answer, None, view.scope, asked).partition("?")[2]


@pytest.mark.parametrize(
    ("names", "by", "scope"),
    [
        (["training_compliance"], ["province"], Scope(ON, lang="en")),
        (["active_assistants", "joiners"], ["gender"], Scope(ON, (("province", ("IR-23",)),), ON, "24", "en")),
        (["leavers"], ["month"], Scope(ON, period="year", lang="en")),
    ],
)
def test_the_address_of_a_figure_asks_for_its_answer(
    view: PageContext, names: list[str], by: list[str], scope: Scope
) -> None:
    view = replace(view, scope=replace(scope, latest=view.latest))
    answer = exportable.of(questions.free(view.asked, warehouse.of_page(), names, by)).answer
    query = question_of(view, answer)
    assert query
    question = data_question.read(parse_qs(query))
    again = exportable.of(
        questions.free(question.view.asked, warehouse.of_page(), question.names, question.by, is_settled=False)
    ).answer
    assert (again.rows, again.on, again.over) == (answer.rows, answer.on, answer.over)


@pytest.mark.parametrize("by", [[], ["province"], ["province", "gender"]])
def test_all_measures_of_a_question_have_one_day_whichever_stands_first(view: PageContext, by: list[str]) -> None:
    settled = questions.settled_on(warehouse.of_page(), "leaver_rate_12m", view.as_of)
    assert settled is not None
    assert settled < view.as_of
    names = ["active_assistants", "leaver_rate_12m", "joiners"]
    for asked in (names, names[::-1], names[1:], names[:2]):
        answer = exportable.of(questions.free(view.asked, warehouse.of_page(), asked, by)).answer
        assert answer.on == settled
        for name in {*asked} - {"joiners"}:
            alone = warehouse.ask(name, by=tuple(by), on=settled)
            numbers = {row[: len(by)]: row[len(by)] for row in alone.rows}
            at = answer.columns.index(name)
            assert {row[: len(by)]: row[at] for row in answer.rows if row[: len(by)] in numbers} == numbers
    for asked in (["leavers", "active_assistants"], ["active_assistants", "leavers"]):
        answer = exportable.of(questions.free(view.asked, warehouse.of_page(), asked, by)).answer
        assert answer.on == view.as_of, "a flow has a period and no day"


def test_the_address_of_a_calculated_table_asks_for_the_calculation(view: PageContext) -> None:
    answer = questions.free(view.asked, warehouse.of_page(), ["women"], ["province"])
    query = parse_qs(question_of(view, exportable.of(answer).answer, "share"))
    assert (query["m"], query["calc"]) == (["women"], ["share"])


@pytest.mark.parametrize("names", [["leaver_rate_12m"], ["active_assistants", "leaver_rate_12m", "joiners"]])
def test_the_address_of_a_figure_of_a_settled_day_names_that_day(view: PageContext, names: list[str]) -> None:
    answer = exportable.of(questions.free(view.asked, warehouse.of_page(), names, ["province"])).answer
    assert answer.on
    assert answer.on < view.as_of
    query = question_of(view, answer)
    assert query
    assert parse_qs(query)["on"] == [answer.on.isoformat()]
    question = data_question.read(parse_qs(query))
    again = exportable.of(
        questions.free(question.view.asked, warehouse.of_page(), question.names, question.by, is_settled=False)
    ).answer
    assert (again.rows, again.on, again.over) == (answer.rows, answer.on, answer.over)


def draw() -> None:
    """The popover; AppTest takes the lines of this function alone."""
    from ui.components import connect
    from ui.data import page_run, warehouse
    from ui.state.page_context import PageContext
    from ui.state.scope import Scope

    latest = page_run.publication().as_of
    shown = PageContext(Scope(latest, lang="en"))
    connect._inside(shown, warehouse.ask("active_assistants", on=latest), "x", "answer.{form}?m=active_assistants")


def test_the_popover_names_each_program_and_no_token_where_nobody_signs_in(view: PageContext) -> None:
    app = AppTest.from_function(draw, default_timeout=300).run()
    assert not app.exception
    codes = [code.value for code in app.code]
    assert len(codes) == len(connect._PROGRAMS)
    assert all("/data/answer." in code and "m=active_assistants" in code for code in codes)
    assert "xlsx" in codes[0]
    assert not app.text_input
    assert not [code for code in codes if "TOKEN" in code or "--user" in code], "nobody signs in"


def test_where_people_sign_in_a_token_is_made_above_the_texts_that_send_it(
    view: PageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_run, "signs_in", lambda: True)
    monkeypatch.setattr(personal_tokens, "own", list)
    app = AppTest.from_function(draw, default_timeout=300).run()
    assert not app.exception
    order = [element.type for element in app.main]
    codes = [code.value for code in app.code]
    assert app.text_input
    assert order.index("form") < order.index("code")
    assert len([code for code in codes if "POLICEYAR_TOKEN" in code or "--user" in code]) == len(connect._WITH_TOKEN)


@pytest.mark.slow
def test_the_texts_work_as_they_are_where_nobody_signs_in(
    view: PageContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("POLICEYAR_TOKEN", raising=False)
    port = serving.free_ports()
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=data_address.routes()), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        serving.until(lambda: server.started, "the data address answers")
        answer = exportable.of(
            questions.free(view.asked, warehouse.of_page(), ["active_assistants"], ["province"])
        ).answer
        query = question_of(view, answer)
        addresses = {form: f"http://127.0.0.1:{port}/data/answer.{form}?{query}" for form in ("csv", "xlsx", "parquet")}
        texts = {name: written.format(user="x", **addresses) for name, written in connect._PROGRAMS.items()}
        found: dict[str, Any] = {}
        exec(texts["pandas"], found)
        assert found["frame"]["active_assistants"].tolist() == answer.column("active_assistants")
        subprocess.run(texts["curl"], shell=True, check=True, cwd=tmp_path, capture_output=True)
        assert len((tmp_path / "answer.csv").read_text(encoding="utf-8").splitlines()) == len(answer.rows) + 1
    finally:
        server.should_exit = True
        thread.join(20)


def test_only_what_is_set_is_told(monkeypatch: pytest.MonkeyPatch, view: PageContext) -> None:
    published = page_run.publication()
    assert owed.lines("en", published) == []
    told = {"CONTACT": "دفتر آمار پلیس‌یار", "NEXT_UPDATE": "1300/01/01", "CITATION": "Register"}
    for name, words in told.items():
        monkeypatch.setenv(f"POLICEYAR_PUBLICATION_{name}", words)
    owed._about.cache_clear()
    lines = dict(owed.lines("en", published))
    owed._about.cache_clear()
    cited = f"Register, data to {text.day(published.as_of, 'en')}, publication {published.id}"
    # A next update that is past is not shown.
    assert lines == {"Contact": "دفتر آمار پلیس‌یار", "Cite as": cited}


def test_a_next_update_that_has_passed_gives_way_to_the_calendar_or_is_missed(
    monkeypatch: pytest.MonkeyPatch, view: PageContext
) -> None:
    past, to_come = "1921-03-21", date.today() + timedelta(days=30)

    def told(*calendar: str) -> tuple[str, bool]:
        about = settings.About(next_update=(past, past), calendar=calendar)
        monkeypatch.setattr(owed, "_about", lambda: about)
        return dict(owed.lines("en", page_run.publication())).get("Next update", ""), owed.has_next_update()

    assert told() == ("", False), "Approve names what is forgotten"
    assert told(past, to_come.isoformat()) == (text.day_in_both(to_come, "en"), True)


@pytest.mark.parametrize(("pinned", "key"), [("000001", "owed.pinned"), ("000099", "owed.not_kept")])
def test_a_pinned_publication_is_shown_while_it_is_kept_and_named_on_top(
    view: PageContext, tmp_path: Path, pinned: str, key: str
) -> None:
    app = opened(publication=pinned, lang="en")
    day = text.day(page_run.publication().as_of, "en")
    drawn = html(app)
    assert text.escaped(key, "en", id=pinned, day=day) in drawn
    assert app.query_params["publication"] == pinned
    # A link begins a session of its own: it has the pin, or undoes it.
    links = [
        parse_qs(urlsplit(unescape(link)).query, True) for link in re.findall(r'href="([^"]*)" target="_self"', drawn)
    ]
    assert [link["publication"] for link in links if link["publication"] != [pinned]] == [[""]]
    assert {"province", "tab", "open"} <= {name for link in links for name in link}


def test_the_calendar_of_twelve_months_gives_the_next_update(
    monkeypatch: pytest.MonkeyPatch, view: PageContext
) -> None:
    today = date.today()
    days = [today + timedelta(days=days) for days in (-30, 20, 50, 400)]
    monkeypatch.setenv("POLICEYAR_PUBLICATION_CALENDAR", ",".join(day.isoformat() for day in days))
    owed._about.cache_clear()
    lines = dict(owed.lines("en", page_run.publication()))
    owed._about.cache_clear()
    assert lines == {
        "Next update": text.day_in_both(days[1], "en"),
        "Release calendar": text.listed([text.day(day, "en") for day in days[1:3]], "en"),
    }


def test_a_day_of_the_calendar_that_is_none_is_refused() -> None:
    with pytest.raises(settings.Faulty, match=r"CALENDAR: “?'?1405/13/01'?”?.* is no day"):
        settings.read({"POLICEYAR_PUBLICATION_CALENDAR": "1405/13/01", settings.FILE_VARIABLE: "/dev/null"})
