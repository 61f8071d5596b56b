"""Every page of the menu, in both languages, over the hand-made sample: it shows its answers, and nothing breaks."""

import ast
import json
import math
import re
import threading
from datetime import date
from functools import partialmethod
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from etl.core.errors import QuestionError
from etl.semantic import access, rights
from etl.semantic.answers import ask
from etl.warehouse import publications
from tests.conftest import ROOT
from tests.loading import copy_publication
from tests.parts import PARTS, files_open, html, opened
from ui.components import blocks
from ui.components.plot import plot
from ui.data import page_run, warehouse
from ui.data.ask import Question
from ui.i18n import navigation, text

pytestmark = pytest.mark.slow

PAGES = PARTS
LATEST = date(2024, 9, 21)


@pytest.mark.parametrize("lang", ["fa", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_in_both_languages_with_charts_that_plotly_accepts(
    name: str, lang: str, published: Path
) -> None:
    app = opened(name, **({"lang": "en"} if lang == "en" else {}))
    assert not app.exception
    page = html(app)
    title = next(entry[lang] for entry in navigation.menu() if name in navigation.parts(entry))
    assert f"<h1>{text.escape(title)}</h1>" in page
    assert "pd-error" not in page
    assert text.day_in_both(LATEST, lang) in page, "the as-of day, in both calendars"
    assert "pd-trust" in page
    charts = [one.proto.bytes for one in app.get("bidi_component") if one.proto.component_name == "dashboard.plot"]
    assert charts or name in ("methods", "quality", "register", "compare", "handin", "approve")
    for chart in charts:
        payload = json.loads(chart)
        # Plotly refuses what it does not know.
        go.Figure(payload["figure"])
        assert payload["spoken"]
        assert payload["figure"]["layout"]["height"]


def number_of(panel: str, page: str) -> str:
    """The number that a panel of the first screen shows in Persian."""
    # Growth is "to the target" only where there is one.
    titles = "|".join(text.escaped(f"{kind}.{panel}", "fa") for kind in ("panel", "group"))
    found = re.search(
        rf'<h3>(?:<a [^>]*>)?[^<]*(?:{titles})[^<]*(?:</a>)?</h3>.*?<p class="pd-value"><bdi>(.+?)</bdi>',
        page,
        re.DOTALL,
    )
    assert found
    return found[1]


def test_a_panel_shows_what_the_question_answers(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        active = ask(con, "active_assistants").value()
    assert active == 9
    assert number_of("growth", html(opened())) == text.number(active, "fa")


def test_a_scope_in_the_address_narrows_every_question(published: Path) -> None:
    page = html(opened(province="IR-30"))
    assert "البرز" in page
    assert number_of("growth", page) == "۵"


def test_a_filter_that_does_not_apply_to_a_number_is_reported(published: Path) -> None:
    page = html(opened("training", course="lead"))
    assert text.word("scope.no_effect", "fa", filters="دوره") in page


def test_a_choice_in_the_scope_bar_is_written_into_the_address_and_reset_takes_it_away(published: Path) -> None:
    app = opened("coverage")
    app.multiselect(key="filter activity").set_value(["patrol"]).run()
    assert app.query_params == {"activity": "patrol"}
    app.button(key="scope-reset").click().run()
    assert app.query_params == {}
    assert app.multiselect(key="filter activity").value == []


def test_the_button_below_a_chart_opens_its_table_and_closes_it(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "popover", files_open)
    app = opened("growth", lang="en")
    button = next(button.key for button in app.button if button.label == "Table")
    tables = [html(app).count("<table")]
    for label in ("Close table", "Table"):
        app.button(key=button).click().run()
        assert app.button(key=button).label == label
        tables.append(html(app).count("<table"))
    assert tables == [tables[0], tables[0] + 1, tables[0]]


def test_without_a_publication_no_page_runs_a_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(tmp_path / "none.duckdb"))
    app = opened(lang="en")
    assert not app.exception
    assert text.word("state.unpublished_title", "en") in html(app)


def test_the_serving_connection_writes_nothing_and_reaches_nothing_else(published: Path) -> None:
    import duckdb

    connection = page_run.connection(str(publications.current(published)))
    with connection.cursor() as cursor:
        for attempt, why in (
            ("create table stolen as select 1", "read-only"),
            ("select * from read_csv('/etc/passwd')", "disabled"),
            (f"copy publication to '{published.parent}/copy.csv'", "disabled"),
            ("set enable_external_access = true", "locked|while database is running"),
        ):
            with pytest.raises(duckdb.Error, match=why):
                cursor.execute(attempt).fetchall()
    assert not (published.parent / "copy.csv").exists()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_chooses_and_arranges_and_computes_nothing(name: str) -> None:
    source = (ROOT / "pages" / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert len(source.splitlines()) <= 90
    assert ast.get_docstring(tree)
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert "page" in functions
    assert not any(isinstance(node, (ast.Expr, ast.If, ast.For)) for node in tree.body[1:]), (
        "run alone it shows nothing"
    )
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not imported & {"pandas", "duckdb", "plotly", "etl"}
    assert not re.search(r"\bselect\b.*\bfrom\b|session_state|#[0-9a-f]{6}", source, re.IGNORECASE)


@pytest.mark.parametrize("name", ["overview", "coverage", "growth", "training"])
def test_what_a_part_needs_is_asked_beside_the_others_before_it_is_drawn(
    name: str, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside: list[object] = []
    drawing: list[object] = []
    for way in ("__call__", "each"):

        def recorded(ask: warehouse.Cached, usual: Any, question: Question) -> object:
            is_beside = threading.current_thread().name.startswith("asker")
            # Analyses of what stands below the figures may be asked later.
            if not question.analysis:
                (beside if is_beside else drawing).append(question)
            return usual(ask, question)

        monkeypatch.setattr(warehouse.Cached, way, partialmethod(recorded, getattr(warehouse.Cached, way)))
    assert ("pd-panel" if name == "overview" else "pd-card") in html(opened(name))
    assert beside
    assert [question for question in drawing if question not in beside] == []


def test_a_card_that_fails_leaves_the_others_in_place(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spark = 'class="pd-spark"'
    usual = html(opened("overview"))
    assert number_of("coverage", usual)
    each = warehouse.Cached.each

    def refusing(ask: warehouse.Cached, question: Question) -> object:
        if "coverage_per_10k" in question.names:
            raise QuestionError("it has no meaning here")
        return each(ask, question)

    monkeypatch.setattr(warehouse.Cached, "each", refusing)
    page = html(opened("overview"))
    assert number_of("growth", page) == "۹"
    assert page.count(spark) == usual.count(spark) - 1, "the other cards have their months"
    assert text.word("change.line", "fa", change="").strip() in page


def test_a_number_that_no_browser_can_read_is_refused_where_it_is_drawn() -> None:
    with pytest.raises(ValueError, match="JSON"):
        plot({"data": [{"y": [math.nan]}], "layout": {}}, "chart", "spoken")


def test_data_quality_names_no_province_for_a_file_of_several(published: Path) -> None:
    page = html(opened("quality", lang="en"))
    rows = re.findall(r"<tr(?:(?!<tr).)*?(?:institutes|personnel)\.csv.*?</tr>", page, re.DOTALL)
    (of_several,), (of_tehran,) = (
        [row for row in rows if f"{table}.csv" in row] for table in ("institutes", "personnel")
    )
    assert "Unknown" not in of_several
    assert "province=IR-23" in of_tehran


def test_the_notes_on_a_file_are_parted_otherwise_than_what_they_list(
    small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    skipped = {
        "fa": "داده؛ در ۲۰ ردیف نخست این برگه‌ها سرستون نبود و خوانده نشد: راهنما",
        "en": "داده; sheets without the headers in their first 20 rows skipped: راهنما",
    }
    for lang, notes in skipped.items():
        page = html(opened("quality", lang=lang))
        assert notes in page
        assert not re.search(r"[آ-ی] \(.\), ", page) or lang == "en", "a Persian list has Persian commas"


def test_data_quality_shows_why_the_last_load_was_refused_to_those_of_its_province(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the next one is published, with the digits of file names as they are."""
    sentences = [
        ("IR-14", "a_1403.csv: line 7: bad; x · \u2068a_1403.csv\u2069: سطر ۷: بد؛ x"),
        ("IR-23", "tehran.csv: b; y · \u2068tehran.csv\u2069: ب؛ y"),
    ]
    # The sample is of all tests.
    own = copy_publication(published, tmp_path)
    monkeypatch.setenv("WAREHOUSE", str(own))
    note = own.with_name(f"{own.name}.last-build.json")
    note.write_text(json.dumps({"outcome": "refused", "ended_at": "", "seconds": 1, "refusals": sentences}))
    page = html(opened("quality"))
    assert text.word("load.refused_load", "fa") in page
    assert "<bdi>\u2068a_1403.csv\u2069: سطر ۷: بد؛ x</bdi>" in page
    officer = rights.AccessScope("x", frozenset({rights.Grant("province", frozenset({"IR-23"}))}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_run, "access_scope", lambda: officer)
        page = html(opened("quality", lang="en"))
    assert "tehran.csv: b; y" in page
    assert "a_1403.csv" not in page
    note.unlink()
    assert text.word("load.refused_load", "fa") not in html(opened("quality"))


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_data_quality_lists_values_loaded_as_unknown_and_files_not_read(lang: str, published: Path) -> None:
    page = html(opened("quality", **({"lang": "en"} if lang == "en" else {})))
    assert text.escape(text.word("load.warned", lang)) in page
    column = {"fa": "شهرستان", "en": "County"}[lang]
    assert re.search(rf"{column}</td>\s*<td[^>]*>[1۱]</td>", page), "the one unknown county of the sample"
    assert text.escape(text.word("load.ignored", lang).format(files="README.md")) in page
    for name in ("courses.csv", "events.csv", "targets.csv"):
        assert f"data/reference/{name}" in page, "what stands in the place of a shipped table is said"


@pytest.mark.parametrize("part", ["quality", "methods"])
def test_a_page_that_no_filter_changes_says_that_it_shows_the_whole_country(part: str, published: Path) -> None:
    page = html(opened(part, lang="en", province="IR-23"))
    said = re.search(r'<p class="pd-said">(.*?)</p>', page)
    assert said
    assert said[1].startswith("Showing: The whole country · As of ")
    assert '<p class="pd-said">As of ' in html(opened(part, lang="en")), "without a filter there is nothing to say"


def test_the_line_of_two_measures_is_no_list_of_titles(published: Path) -> None:
    page = html(opened("growth", lang="en"))
    assert "<p>Joiners, leavers ·" in page
    assert "<p>Joiners, Leavers" not in page
