"""The pages of analysts: valid and meaningless questions, saved views, long tables, comparison, the report of the load."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from etl.analysis import comparison, data_quality, detail, quick_calculations
from etl.analysis.comparison import Side
from etl.core.errors import QuestionError
from etl.core.text_folding import fold
from etl.extract.contract import TABLES
from etl.semantic import access, answers, rights
from etl.semantic.calculations import CALCULATIONS
from etl.semantic.catalog import DIMENSIONS, catalogue
from etl.semantic.resolve import settled_on
from etl.warehouse import publications
from tests import made
from tests.access.scopes import OF_ISFAHAN, sign_in
from tests.conftest import Sample
from tests.parts import html, opened
from ui.access import saved_views as operations_saved_views
from ui.charts import matrix
from ui.charts.elements import ChartContext
from ui.components import downloads, tables
from ui.data import person_rows
from ui.i18n import text
from ui.sections import explore
from ui.state import saved_views

AS_OF = date(2024, 9, 21)


@pytest.fixture(scope="module")
def warehouse(publish_sample: Callable[..., Sample]) -> Path:
    return publish_sample().pointer


@pytest.fixture
def con(warehouse: Path) -> duckdb.DuckDBPyConnection:
    with access.connect(warehouse, rights.ADMINISTRATOR) as connection:
        yield connection


# ---------------------------------------------------------------- meaning


@pytest.mark.parametrize("name", [name for name, metric in catalogue().items() if not metric.hidden])
def test_every_question_is_either_answered_or_refused_with_a_remedy(name: str, con: duckdb.DuckDBPyConnection) -> None:
    for dimension in (candidate for candidate in DIMENSIONS if candidate != "lapses_on"):
        problems = explore.problems_of([name], [dimension], [])
        if problems:
            assert problems[0].remedies
            with pytest.raises(QuestionError):
                answers.ask(con, name, by=(dimension,))
            for remedy in problems[0].remedies:
                question = (
                    [metric_name for metric_name in [name] if remedy.kind != "m"],
                    [dimension_ for dimension_ in [dimension] if remedy.kind != "by"],
                )
                assert all(problem.reason == "no_measure" for problem in explore.problems_of(*question, []))


def test_every_problem_is_reported_with_its_remedies() -> None:
    def reasons(names: list[str], by: list[str], where: list[str]) -> list[str]:
        return [problem.reason for problem in explore.problems_of(names, by, where)]

    assert reasons([], ["province"], []) == ["no_measure"]
    assert reasons(["joiners"], ["month", "year"], []) == ["two_times"]
    assert reasons(["target"], ["gender"], []) == ["not_by"]
    assert reasons(["target"], ["province"], ["gender"]) == ["not_where"]
    assert reasons(["transfers_in"], ["province"], ["institute"]) == ["apart"]
    assert reasons(["active_assistants", "training_compliance"], ["province", "gender", "post"], ["activity"]) == []
    for reason in ("no_measure", "two_times", "not_by", "not_where", "apart"):
        for lang in text.LANGUAGES:
            assert text.word(f"refused.{reason}", lang, measure="x", dimensions="y")


# ---------------------------------------------------------------- saved views


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIEWS", str(tmp_path / "views"))
    return tmp_path / "views"


def test_a_view_is_saved_under_its_name_and_deleted(shelf: Path) -> None:
    assert saved_views.shelf().views == []
    view = saved_views.save("کرمان، دوره‌ها", "explore", {"m": ["joiners"], "by": ["month"]}, AS_OF)
    assert saved_views.shelf().views == [view]
    assert view.parameters == {"m": ["joiners"], "by": ["month"]}
    saved_views.delete(view.name)
    assert saved_views.shelf().views == []
    saved_views.delete("never there")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("  \u200f ", "empty"),
        ("—", "empty"),
        ("ا" * 61, "long"),
        ("كرمان", "taken"),
        ("کرمان\u202e", "taken"),
    ],
)
def test_an_invalid_name_of_a_view_is_refused(name: str, reason: str, shelf: Path) -> None:
    saved_views.save("کرمان", "explore", {}, AS_OF)
    with pytest.raises(saved_views.Unnamed, match=reason):
        saved_views.save(name, "explore", {}, AS_OF)
    assert [view.name for view in saved_views.shelf().views] == ["کرمان"]


def test_the_number_of_saved_views_is_limited(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations_saved_views, "MOST_VIEWS", 2)
    for name in ("a", "b"):
        saved_views.save(name, "explore", {}, AS_OF)
    with pytest.raises(saved_views.Unnamed, match="full"):
        saved_views.save("c", "explore", {}, AS_OF)
    with pytest.raises(saved_views.Unnamed, match="large"):
        saved_views.save("d", "explore", {"m": ["x" * 5000]}, AS_OF)


_GOOD = {"name": "کرمان", "page": "explore", "parameters": {"m": ["joiners"]}, "saved_on": "2024-09-21"}
_SPOILT = {
    "cut off": b'[{"name": 1}',
    "empty": b"",
    "not UTF-8": b"\xff\xfe[",
    "no list": b"{}",
    "a word": b'"views"',
    "nothing": b"null",
    "a list of numbers": b"[1, 2]",
    "a number as a name": json.dumps([_GOOD | {"name": 1}]).encode(),
    "no page": json.dumps([{"name": "x"}]).encode(),
    "parameters that are a word": json.dumps([_GOOD | {"parameters": "mm"}]).encode(),
    "parameters of numbers": json.dumps([_GOOD | {"parameters": {"m": [1]}}]).encode(),
    "half a letter": json.dumps([_GOOD | {"name": "\ud800"}]).encode(),
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "nesting in a value": json.dumps([_GOOD]).encode().replace(b'["joiners"]', b"[" * 900 + b"]" * 900),
    "too large": b"[" + b" " * 20_000_000 + b"]",
}


@pytest.mark.parametrize("content", _SPOILT.values(), ids=_SPOILT.keys())
def test_a_broken_file_of_an_earlier_version_is_set_aside_and_reported(content: bytes, shelf: Path) -> None:
    shelf.mkdir()
    (shelf / "views.json").write_bytes(content)
    assert saved_views.shelf() == saved_views.Shelf([], False)
    view = saved_views.save("تهران", "explore", {}, AS_OF)
    assert (shelf / "views.json.broken-1").read_bytes() == content
    assert saved_views.shelf() == saved_views.Shelf([view], False)
    (shelf / "views.json").write_bytes(b"broken again")
    saved_views.delete("تهران")
    assert (shelf / "views.json.broken-1").read_bytes() == content
    assert (shelf / "views.json.broken-2").read_bytes() == b"broken again"
    for path in shelf.glob("*.broken-*"):
        path.unlink()
    assert saved_views.shelf() == saved_views.Shelf([], True)


def test_views_of_an_earlier_version_are_imported_once(shelf: Path) -> None:
    shelf.mkdir()
    content = json.dumps([_GOOD, _GOOD | {"name": "تهران", "page": "growth"}]).encode()
    (shelf / "views.json").write_bytes(content)
    assert saved_views.shelf().is_whole
    assert [(view.name, view.page) for view in saved_views.shelf().views] == [("تهران", "growth"), ("کرمان", "explore")]
    assert saved_views.shelf().views[1].parameters == {"m": ["joiners"]}
    assert (shelf / "views.json.taken-over").read_bytes() == content
    saved_views.delete("تهران")
    assert [view.name for view in saved_views.shelf().views] == ["کرمان"]


def test_readable_views_of_a_broken_file_are_kept(shelf: Path) -> None:
    shelf.mkdir()
    content = json.dumps([_GOOD, _GOOD | {"name": 1}]).encode()
    (shelf / "views.json").write_bytes(content)
    assert ([view.name for view in saved_views.shelf().views], saved_views.shelf().is_whole) == (["کرمان"], False)
    saved_views.save("تهران", "explore", {}, AS_OF)
    assert [view.name for view in saved_views.shelf().views] == ["تهران", "کرمان"]
    assert (shelf / "views.json.broken-1").read_bytes() == content


@pytest.mark.parametrize("name", ["views.json", "views.sqlite"])
def test_a_folder_in_place_of_the_file_is_set_aside(name: str, shelf: Path) -> None:
    (shelf / name / "within").mkdir(parents=True)
    assert saved_views.shelf() == saved_views.Shelf([], False)
    view = saved_views.save("تهران", "explore", {}, AS_OF)
    assert (shelf / f"{name}.broken-1" / "within").is_dir()
    assert saved_views.shelf().views == [view]


@pytest.mark.parametrize("content", [b"no database" * 900, b"SQLite format 3\x00" + b"\xff" * 9000])
def test_a_broken_database_is_set_aside_and_reported(content: bytes, shelf: Path) -> None:
    saved_views.save("کرمان", "explore", {}, AS_OF)
    for beside in shelf.glob("views.sqlite-*"):
        beside.unlink()
    (shelf / "views.sqlite").write_bytes(content)
    assert saved_views.shelf() == saved_views.Shelf([], False)
    view = saved_views.save("تهران", "explore", {}, AS_OF)
    assert saved_views.shelf() == saved_views.Shelf([view], False)
    assert (shelf / "views.sqlite.broken-1").read_bytes() == content


@pytest.mark.parametrize("parameters", ["{", "[]", '{"m": [1]}', "[" * 100_000])
def test_a_damaged_row_is_skipped_and_reported(parameters: str, shelf: Path) -> None:
    view = saved_views.save("کرمان", "explore", {}, AS_OF)
    saved_views.save("تهران", "explore", {}, AS_OF)
    with closing(sqlite3.connect(shelf / "views.sqlite")) as database, database:
        database.execute("update saved_views set parameters = ? where name = 'تهران'", (parameters,))
    assert saved_views.shelf() == saved_views.Shelf([view], False)


def test_without_a_usable_folder_nothing_is_listed_or_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIEWS", str(tmp_path / "file" / "views"))
    assert saved_views.shelf() == saved_views.Shelf([], False)
    with pytest.raises(OSError, match="file"):
        saved_views.save("تهران", "explore", {}, AS_OF)


def test_a_refused_name_moves_no_file(shelf: Path) -> None:
    shelf.mkdir()
    (shelf / "views.json").write_bytes(b"broken")
    with pytest.raises(saved_views.Unnamed):
        saved_views.save("", "explore", {}, AS_OF)
    assert [path.name for path in shelf.iterdir()] == ["views.json"]


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_page_reports_a_broken_file(
    lang: str, shelf: Path, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(lang: str) -> None:
        import streamlit as st

        from ui.sections import saved_views as saved
        from ui.state import page_context

        st.session_state["lang"] = lang
        saved._inside(page_context.view(), "explore")

    monkeypatch.setenv("WAREHOUSE", str(warehouse))
    app = AppTest.from_function(draw, args=(lang,), default_timeout=300).run()
    message = text.word("views.unreadable", lang)
    assert message not in "".join(element.proto.body for element in app.get("html"))
    shelf.mkdir(exist_ok=True)
    (shelf / "views.json").write_bytes(b'[{"name": 1}]')
    app.run()
    assert not app.exception
    assert message in "".join(element.proto.body for element in app.get("html"))


# ---------------------------------------------------------------- long tables


@pytest.mark.slow
def test_sorting_a_hundred_thousand_groups_collates_each_name_once(monkeypatch: pytest.MonkeyPatch) -> None:
    collated: list[str] = []
    usual = tables.collated
    monkeypatch.setattr(tables, "collated", lambda name: collated.append(name) or usual(name))
    rows = [(f"{i % 2000:07}", f"14{i % 50:02}-01", i * 7 % 1009) for i in range(100_000)]
    answer = made.answer("active_assistants", by=("institute", "month"), rows=rows)
    context = ChartContext("fa", names={"institute": {f"{i:07}": f"مؤسسهٔ {i}" for i in range(2000)}})
    ordered = made.in_order(answer, context, "-institute")
    page = tables.page_of(ordered, 1000)
    assert len(collated) == 2000
    assert tables.pages(len(rows)) == 500
    assert len(page) == tables.PAGE_ROWS
    assert sorted(ordered) == sorted(rows), "a sorted table holds the same rows"
    assert tables.page_of(ordered, 9999) == tables.page_of(ordered, 500)


def test_names_stand_as_the_persian_alphabet_has_them_and_the_unknown_last() -> None:
    names = {"1": "پایش", "2": "بارو", "3": "گشت", "4": "کوه", "5": "یار", "6": "هما"}
    rows = [(code, 1) for code in "654321"] + [(None, 5)]
    answer = made.answer("active_assistants", by=("institute",), rows=rows)
    ordered = made.in_order(answer, ChartContext("fa", names={"institute": names}), "institute")
    assert [row[0] for row in ordered] == ["2", "1", "4", "3", "6", "5", None]


def test_a_matrix_shows_every_cell_it_has_room_for_and_says_where_it_has_not() -> None:
    rows = [(f"IR-{p:02}", post, p) for p in range(5) for post in ("guard", "manager")]
    figure = matrix.matrix(made.answer("active_assistants", by=("province", "post"), rows=rows), ChartContext("fa"))
    assert sum(value is not None for line in figure["data"][0]["z"] for value in line) == 10
    assert "credit" not in figure["layout"]["meta"]
    many = [(f"{i:04}", post, i) for i in range(60) for post in ("guard", "manager")]
    cut = matrix.matrix(made.answer("active_assistants", by=("county", "post"), rows=many), ChartContext("fa"))
    assert len(cut["data"][0]["y"]) == matrix.MOST_ROWS
    assert cut["layout"]["meta"]["credit"]


def test_a_picture_carries_title_keys_and_source_and_leaves_the_chart_as_it_was() -> None:
    figure = matrix.matrix(
        made.answer("active_assistants", by=("province", "post"), rows=[("IR-00", "guard", 4), ("IR-01", "guard", 9)]),
        ChartContext("fa"),
    )
    before = repr(figure)
    made_up = downloads.on_paper(downloads.Picture(figure, "یافته <b>", "زیر", "منبع"), ChartContext("fa"))
    title = made_up["layout"]["title"]["text"]
    assert all(part in title for part in ("یافته &lt;b&gt;", "زیر", "■"))
    assert any("منبع" in note["text"] for note in made_up["layout"]["annotations"])
    assert repr(figure) == before


# ---------------------------------------------------------------- comparison, rows, load


def test_a_difference_is_what_two_questions_differ_by(con: duckdb.DuckDBPyConnection) -> None:
    names = ("active_assistants", "training_compliance", "licensed_institutes")
    first, second = Side(date(2023, 9, 21)), Side(AS_OF, (("province", ("IR-23",)),))
    answer = comparison.compare(con, names, first, second)
    sides = {row[0]: dict(zip(answer.columns, row, strict=True)) for row in answer.rows}
    for name in names:
        before = answers.ask(con, name, on=first.on).value()
        after = answers.ask(con, name, on=second.on, where={"province": ["IR-23"]}).value()
        assert (sides["first"][name], sides["second"][name]) == (before, after)
        assert sides["difference"][name] == (None if before is None or after is None else after - before)
    assert sides["difference"]["trainable_assistants"] is None, "the parts of two rates make no rate"
    with pytest.raises(QuestionError, match="period"):
        comparison.compare(con, ["joiners"], first, second)


def test_a_side_of_several_provinces_can_be_their_median(con: duckdb.DuckDBPyConnection) -> None:
    similar, names = ("IR-23", "IR-30"), ("active_assistants", "training_compliance")
    sides = Side(AS_OF), Side(AS_OF, (("province", similar),), is_median=True)
    row = comparison.compare(con, names, *sides).rows[1]
    asked = [answers.ask(con, *names, on=AS_OF, where={"province": (code,)}).records()[0] for code in similar]
    assert row[1:3] == tuple(sum(one[name] for one in asked) / 2 for name in names), "not their sum"
    assert row[3:] == (None, None), "the parts of a median rate are unknown"
    over = (date(2024, 3, 20), AS_OF)
    months = comparison.over_time(con, names[0], (("similar", sides[1]),), over)
    each = answers.ask(con, names[0], by=("month", "province"), over=over, where={"province": similar}).rows
    for month, side, value in months.rows:
        known = [row[2] for row in each if row[0] == month and row[2] is not None]
        assert (side, value) == ("similar", sum(known) / len(known))


def test_a_leaver_rate_is_compared_on_the_days_that_were_settled(con: duckdb.DuckDBPyConnection) -> None:
    first, second = date(2023, 9, 21), AS_OF
    answer = comparison.compare(con, ["leaver_rate_12m", "active_assistants"], Side(first), Side(second))
    assert answer.columns == ("side", "leaver_rate_12m", "active_assistants", "leavers_12m", "in_service_mean_12m")
    for row, day in zip(answer.rows, (first, second), strict=False):
        settled = settled_on(con, "leaver_rate_12m", day)
        assert settled is not None
        assert settled < day
        rate, active = (
            answers.ask(con, name, on=on).value()
            for name, on in (("leaver_rate_12m", settled), ("active_assistants", day))
        )
        assert row[1:3] == (rate, active)
    rates = [answers.ask(con, "leaver_rate_12m", on=day).value() for day in (first, second)]
    assert [row[1] for row in answer.rows[:2]] != rates, "the sample has departures that are not settled"


def test_rows_of_people_hold_no_name_no_id_and_add_up_to_the_measure(con: duckdb.DuckDBPyConnection) -> None:
    people = detail.people(con, AS_OF)
    answer = people.first(10**6)
    assert people.count() == len(answer.rows)
    with people.read() as batches:
        assert [tuple(row.values()) for row in batches.read_all().to_pylist()] == answer.rows
    assert answer.rows
    assert [row[0] for row in answer.rows] == list(range(1, len(answer.rows) + 1))
    assert not {"person_id", "person_key", "national_id", "full_name", "name", "birth_date", "birth_month"} & set(
        answer.columns
    )
    persons = answers.ask(con, "active_assistants", on=AS_OF).value()
    assert persons <= len(answer.rows) <= persons * 2, "a person has a row for each spell"
    assert [row[1:] for row in answer.rows] == sorted(
        (row[1:] for row in answer.rows), key=lambda row: tuple((value is None, value) for value in order(row))
    ), "the order of rows is that of what they show"


def order(row: tuple) -> tuple:
    province, county, institute, _, gender, education, post, training, months = row
    return (province, county, institute, post, gender, education, training, months)


def test_people_stay_closed_unless_the_setting_opens_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DETAIL_ROWS", raising=False)
    with pytest.raises(PermissionError):
        person_rows.people(AS_OF)
    monkeypatch.setenv("DETAIL_ROWS", "yes")
    assert not person_rows.may_see_rows()
    monkeypatch.setenv("DETAIL_ROWS", "1")
    assert person_rows.may_see_rows()


def test_an_institute_is_found_in_any_spelling(con: duckdb.DuckDBPyConnection) -> None:
    institutes = detail.institutes(con)
    institute = next(iter(institutes.values()))
    assert institute in detail.search(institutes, institute.code)
    folded = institute.name.replace("ی", "ي").replace("ک", "ك").replace("\u200c", " ")
    assert institute in detail.search(institutes, folded)
    assert detail.search(institutes, "ناکجاآباد") == []
    assert detail.search(institutes, "") == list(institutes.values())


def test_a_name_is_shown_with_persian_letters(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        stored = dict(con.execute("select institute_code, name from institutes").fetchall())
        shown = {code: institute.name for code, institute in detail.institutes(con).items()}
        names = detail.member_names(con, "institute")
    assert any({*"يك"} & {*name} for name in stored.values())
    expected = {code: name.replace("ي", "ی").replace("ك", "ک") for code, name in stored.items()}
    assert shown == names["fa"] == names["en"] == expected


def test_the_load_report_adds_up_to_the_publication(con: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    publication, total = publications.describe(con), data_quality.totals(con)
    assert (total.value("files_read"), total.value("rows_loaded"), total.value("rows_quarantined")) == (
        publication.files, publication.rows_loaded, publication.rows_quarantined,
    )  # fmt: skip
    assert total.value("rows_read") == sum(
        total.value(name) for name in ("rows_loaded", "rows_quarantined", "exact_duplicates")
    )
    assert sum(data_quality.files(con).column("rows_read")) == total.value("rows_read")
    kept = publications.versions(warehouse)
    assert data_quality.publications(con, kept).rows[0][0] == publication.id
    assert {row[0] for row in data_quality.reasons(con).rows} <= set(TABLES)


def test_a_province_without_files_is_listed_with_what_is_missing(con: duckdb.DuckDBPyConnection) -> None:
    lacking = data_quality.missing_sources(con)
    answer = data_quality.provinces(con)
    assert len(answer.rows) == 31
    silent = {row[0]: row for row in answer.rows if row[answer.columns.index("sources_missing")]}
    assert set(silent) == set(lacking), "the hand-made sample is not of 31 provinces"
    as_of = publications.describe(con).as_of
    for row in answer.records():
        if row["latest_day"]:
            assert as_of - timedelta(days=row["days_silent"]) == row["latest_day"]


def test_the_quality_report_reads_no_field_of_a_person(con: duckdb.DuckDBPyConnection) -> None:
    for answer in (
        data_quality.totals(con),
        data_quality.files(con),
        data_quality.reasons(con),
        data_quality.provinces(con),
    ):
        assert not {"person_id", "national_id", "full_name"} & set(answer.columns)


@pytest.mark.parametrize("by", ["month", "province", "institute"])
def test_a_measure_that_is_a_day_has_a_table_and_no_chart(by: str, published: Path) -> None:
    app = opened("explore", m="licensed_until", by=by, lang="en")
    page = html(app)
    assert "pd-error" not in page
    assert "pd-grid" in page
    assert not charts_of(app)


def charts_of(app: AppTest) -> list[str]:
    return [one.proto.id for one in app.get("bidi_component") if one.proto.component_name == "dashboard.plot"]


@pytest.mark.parametrize("names", [("active_assistants", "leaver_rate_12m"), ("leaver_rate_12m", "active_assistants")])
def test_the_charts_and_the_table_of_a_question_are_of_one_day_that_is_named(
    names: tuple[str, ...], published: Path
) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        on, as_of = settled_on(con, "leaver_rate_12m"), con.publication.as_of
        whole = answers.ask(con, "active_assistants", on=on).value()
    page = html(opened("explore", lang="en", m=list(names), by="province"))
    below = re.findall(r'<div class="pd-head"><h3>.*?</h3><p>(.*?)</p>', page)
    day = text.day(on, "en")
    assert len(below) > 2
    assert all(day in line for line in below), below
    assert text.word("more.settled", "en", day=day) in page
    both = html(opened("explore", lang="en", m=list(names), by=["province", "gender"], show="pivot"))
    if names[0] == "active_assistants":
        assert table_of(both)[1][-1][-1] == text.number(whole, "en")
    heads = re.findall(r'<div class="pd-head"><h3>.*?</h3><p>(.*?)</p>', both)
    assert heads
    assert text.day(as_of, "en") not in "".join(heads)


@pytest.mark.parametrize(
    ("name", "by", "chart", "place"),
    # Control limits are those of one province.
    [("training_compliance", "province", "funnel", {}), ("joiners", "month", "control", {"province": "IR-23"})],
)
def test_a_form_of_chart_is_drawn(
    name: str, by: str, chart: str, place: dict[str, str], small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    app = opened("explore", m=name, by=by, chart=chart, lang="en", **place)
    page = html(app)
    assert "pd-error" not in page
    assert text.word("signal.other_question", "en") in page
    assert [one for one in charts_of(app) if chart in one]


def table_of(page: str) -> tuple[list[str], list[list[str]]]:
    """The headings and the cells of the table of Explore, without marks and menus."""
    (table,) = re.findall(r'<table class="pd-grid">.*?</table>', page, re.DOTALL)
    table = re.sub(r"<button[^>]*pd-menu-button.*?</div>|<i .*?</i>", "", table)
    heads, *rows = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table))
    return [re.sub("<[^>]*>", "", head) for head in heads], [
        [re.sub("<[^>]*>|[\u200e-\u200f\u061c\u2066-\u2069]", "", cell) for cell in row] for row in rows
    ]


@pytest.mark.parametrize(
    ("names", "by", "calc", "lang"),
    [
        (["active_assistants"], "province", "share", "fa"),
        (["joiners", "active_assistants"], "month", "previous", "en"),
        (["training_compliance"], "province", "year", "en"),
        (["training_compliance"], "province", "rank", "fa"),
        (["coverage_per_10k"], "quarter", "index", "en"),
        (["leavers"], "month", "running", "fa"),
    ],
)
def test_a_calculation_of_the_address_stands_beside_its_measure_with_a_menu_in_its_heading(
    names: list[str], by: str, calc: str, lang: str, published: Path
) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = quick_calculations.ask(con, *names, by=(by,), calc=calc)
    page = html(opened("explore", m=names, by=by, calc=calc, lang=lang))
    heads, rows = table_of(page)
    labels = [metric.label[lang] for metric in answer.metrics]
    at = heads.index(labels[0])
    assert heads[at + 1] == labels[1]
    column = answer.metrics[1]
    unit = "share_points" if names == ["training_compliance"] and calc == "year" else column.unit
    is_signed = calc in ("previous", "year")
    values = [text.plain(value, unit, lang, signed=is_signed) for value in answer.column(column.name)]
    assert sorted(row[at + 1] for row in rows) == sorted(
        re.sub("[\u200e-\u200f\u061c\u2066-\u2069]", "", value) for value in values
    )
    assert page.count('data-choice="none"') == len(names)
    pressed = re.findall(r'data-choice="(\w+)" aria-pressed="true"', page)
    assert pressed == [calc] * len(names)


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_calculation_without_meaning_is_refused_in_words_above_the_table(lang: str, published: Path) -> None:
    label = catalogue()["training_compliance"].label[lang]
    refused = text.escape(text.word("refused.calc_share_of_rate", lang, measure=label))
    alone = html(opened("explore", m="training_compliance", by="province", calc="share", lang=lang))
    assert refused in alone
    assert not [head for head in table_of(alone)[0] if head.startswith(f"{label}:")]
    beside = html(
        opened("explore", m=["training_compliance", "active_assistants"], by="province", calc="share", lang=lang)
    )
    assert refused in beside
    assert [head for head in table_of(beside)[0] if head.startswith(catalogue()["active_assistants"].label[lang] + ":")]
    assert refused not in html(opened("explore", m="training_compliance", by="province", lang=lang))


def test_what_is_shown_on_its_settled_day_is_ranked_on_it(published: Path) -> None:
    page = html(opened("explore", m="leaver_rate_12m", by="province", calc="rank", lang="en"))
    assert [head for head in table_of(page)[0] if head.startswith(catalogue()["leaver_rate_12m"].label["en"] + ":")]
    assert "pd-refused" not in page


def test_where_a_calculation_takes_more_than_the_rights_the_table_stays(
    small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    sign_in(monkeypatch, OF_ISFAHAN)
    question = {"m": "training_compliance", "by": "province", "gender": "female", "lang": "en"}
    heads, rows = table_of(html(opened("explore", **question)))
    page = html(opened("explore", **question, calc="rank"))
    assert text.escape(text.word("refused.calc_denied", "en")) in page
    assert table_of(page) == (heads, rows)


def test_every_calculation_has_its_words_and_every_reason_a_sentence() -> None:
    for lang in text.LANGUAGES:
        for calc in ("none", *CALCULATIONS):
            assert text.word(f"calc.{calc}", lang)
        for reason in quick_calculations.REASONS:
            assert text.word(f"refused.calc_{reason}", lang, measure="x")


def test_the_pivot_says_where_a_calculation_stands(published: Path) -> None:
    question = {"m": "joiners", "by": ["month", "gender"], "calc": "share", "lang": "en"}
    assert text.word("calc.in_table", "en") in html(opened("explore", **question, show="pivot"))
    assert text.word("calc.in_table", "en") not in html(opened("explore", **question))


def test_the_register_lists_the_best_fit_first_and_then_the_larger(con: duckdb.DuckDBPyConnection) -> None:
    like = next(iter(detail.institutes(con).values()))

    def made(code: str, name: str, place: str) -> detail.Institute:
        return replace(like, code=code, name=name, search_text=fold(f"{code} {name} {place}"))

    rows = [
        made("001", "هوشیار پاس", "بوشهر"),
        made("002", "پاس هوشیار شهرک", "تهران"),
        made("003", "دیدبان هوشیار شهر", "تهران"),
        made("004", "هوشیار شهر", "تهران"),
        made("005", "هوشیار شهر کوشا", "تهران"),
        made("006", "شهر هوشیار", "تهران"),
        made("4", "دژ", "هوشیار شهر"),
    ]
    known = {one.code: one for one in rows}
    found = [one.code for one in detail.search(known, "هوشيار شهر")]
    assert found == ["004", "005", "002", "003", "006", "001", "4"]
    assert [detail.fit(known[code], "هوشيار شهر") for code in found] == [0, 1, 2, 2, 4, 5, 5]
    assert detail.search(known, "4")[0].code == "4", "a code is as good as a name"
