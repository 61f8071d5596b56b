"""Questions of many rows: answered in a separate process, stored in a file, its first rows shown, within limits and rights."""

import io
import threading
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from cachetools import cached
from streamlit.testing.v1 import AppTest

from etl.analysis import detail
from etl.semantic import access, rights, scoped_views
from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows
from etl.warehouse import publications
from tests import made
from tests.effort import thorough
from tests.parts import html, opened
from tests.serving import until
from ui.charts.elements import ChartContext
from ui.components import downloads, tables
from ui.data import large_questions, page_run, person_rows, warehouse
from ui.data.ask import Question
from ui.data.worker_process import OutOfTime, Stopped
from ui.exports import job as jobs
from ui.exports.job import ExportJob, Making
from ui.i18n import text

BY = ("institute", "county", "month")
OVER = (date(2024, 3, 20), date(2026, 6, 30))
ROWS = 50
OWN = rights.AccessScope("somebody", frozenset({rights.Grant("province", frozenset({"IR-23"}), True, True)}))
CONTEXT = ChartContext("en")


@pytest.fixture(scope="module")
def both_answers(small_register: Path) -> Iterator[tuple[StoredRows, Answer]]:
    """The same answer, stored and in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE", str(small_register))
        patch.setattr(warehouse, "ROWS", ROWS)
        warehouse.results.cache_clear()
        stored = warehouse.of_page().stored(Question(("training_compliance",), BY, over=OVER))
        patch.setattr(warehouse, "ROWS", 1_000_000)
        warehouse.results.cache_clear()
        in_memory = warehouse.ask("training_compliance", by=BY, over=OVER)
        assert isinstance(stored, StoredRows)
        assert len(in_memory.rows) > 10 * ROWS
        yield stored, in_memory


@pytest.fixture
def small_limit(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setattr(warehouse, "ROWS", ROWS)
    warehouse.results.cache_clear()


@pytest.mark.slow
def test_stored_rows_are_the_rows_of_the_answer(both_answers: tuple[StoredRows, Answer]) -> None:
    stored, in_memory = both_answers
    assert asdict(stored.in_memory()) == asdict(in_memory)
    assert stored.answer.rows == []
    assert stored.count() == len(in_memory.rows)


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["month", "-month", "training_compliance", "-training_compliance"])
def test_the_first_of_stored_rows_are_those_of_the_same_rows_in_memory(
    sort: str, both_answers: tuple[StoredRows, Answer]
) -> None:
    stored, in_memory = both_answers
    at = in_memory.columns.index(sort.removeprefix("-"))
    known = sorted((row[at] for row in in_memory.rows if row[at] is not None), reverse=sort.startswith("-"))
    first = stored.first(200, sort)
    assert [row[at] for row in first.rows] == known[:200]
    assert {*first.rows} <= {*in_memory.rows}
    assert (
        stored.first(len(in_memory.rows), sort).rows[-1][at]
        == (known + [None] * (len(known) < len(in_memory.rows)))[-1]
    )


@pytest.mark.slow
def test_a_question_in_its_own_process_keeps_the_rights_of_the_reader_and_its_file_is_deleted_with_it(
    both_answers: tuple[StoredRows, Answer], small_limit: None
) -> None:
    national, _ = both_answers
    with page_run.acting_as(OWN):
        own = warehouse.of_page().stored(Question(("training_compliance",), BY, over=OVER))
        provinces = warehouse.analyse(detail.provinces_of_counties).get
        assert isinstance(own, StoredRows)
        counties = {row[BY.index("county")] for row in own.in_memory().rows} - {None}
        assert counties
        assert {provinces(county) for county in counties} == {"IR-23"}
    assert national.count() > own.count()
    path = own.path
    assert path.exists()
    warehouse.results.cache_clear()
    del own
    assert not path.exists()


def slow(con: access.ScopedCursor) -> Any:
    return con.execute("select sum(a.range * b.range) from range(10000000) as a, range(10000000) as b").fetchall()


@pytest.mark.slow
def test_a_slow_question_is_interrupted_and_its_process_is_ended(
    small_limit: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "SECONDS", 0.2)
    monkeypatch.setattr(large_questions, "WORKER_SECONDS", 2.0)
    with pytest.raises(OutOfTime):
        warehouse.analyse(slow)
    assert not warehouse._running


@pytest.mark.slow
def test_a_slow_question_of_a_program_soon_leaves_the_process_of_the_pages(
    small_limit: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "SECONDS", 1e6)
    monkeypatch.setattr(warehouse, "SECONDS_OF_PROGRAM", 0.1)
    monkeypatch.setattr(large_questions, "WORKER_SECONDS", 0.0)
    with page_run.while_wanted(None, is_of_program=True), pytest.raises(OutOfTime):
        warehouse.analyse(slow)
    assert not warehouse._running


class Watched:
    """A cursor that a user who does not wait gives back before its slow interruption arrives."""

    def __init__(self, cursor: Any, happened: list[str]) -> None:
        self.cursor, self.happened = cursor, happened
        self.is_interrupting, self.is_given_back = threading.Event(), threading.Event()

    def interrupt(self) -> None:
        self.is_interrupting.set()
        self.is_given_back.wait(0.5)
        self.cursor.interrupt()
        self.happened.append("interrupted")


def test_a_cursor_is_returned_only_after_its_interruption(
    small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    with publications.connect(small_register) as con:
        with warehouse._bounded(con, OWN, None) as cursor:
            assert cursor.execute("select count(*) from institutes").fetchall() != [(0,)]
            watched = Watched(cursor.rows, happened)
            cursor.__dict__["rows"] = watched
            give_back = scoped_views.give_back

            def given_back(root: Any, provinces: frozenset[str], _: Any) -> None:
                happened.append("given back")
                watched.is_given_back.set()
                give_back(root, provinces, watched.cursor)

            monkeypatch.setattr(scoped_views, "give_back", given_back)
            warehouse._running[id(cursor)] = (0.0, None, cursor)
            assert watched.is_interrupting.wait(180)
        assert happened[0] == "interrupted"
        assert happened[-1] == "given back"
        monkeypatch.undo()
        with warehouse._bounded(con, OWN, None) as cursor:
            assert cursor.execute("select count(*) from institutes").fetchall() != [(0,)]
            assert cursor.rows is watched.cursor, "the next question gets that cursor, and its answer"


def explored(**more: Any) -> tuple[AppTest, str]:
    period = "..".join(day.isoformat() for day in OVER)
    app = opened("explore", lang="en", period=period, m="active_assistants", by=list(BY), **more)
    return app, html(app)


@pytest.mark.slow
def test_explore_shows_the_first_rows_of_those_that_are_not_in_memory(small_limit: None) -> None:
    app, page = explored(sort="-month", page="2", show="pivot")
    assert not app.exception
    assert "pd-error" not in page
    for word in ("more.too_many_for_chart", "more.pivot_too_large"):
        assert text.word(word, "en") in page
    stored = warehouse.of_page().stored(Question(("active_assistants",), BY, over=OVER))
    assert isinstance(stored, StoredRows)
    assert text.word("more.groups", "en", count=text.number(stored.count(), "en")) in page
    assert page.count('<th scope="row"') == tables.PAGE_ROWS
    assert "aria-sort" not in page, "the first rows cannot be sorted by another column"
    counts = {"first": str(tables.PAGE_ROWS), "count": text.number(stored.count(), "en")}
    assert text.word("more.first_shown", "en", **counts) in page


@pytest.mark.slow
@pytest.mark.parametrize("calc", ["share", pytest.param("previous", marks=thorough)])
def test_explore_calculates_beside_rows_that_are_not_in_memory(calc: str, small_limit: None) -> None:
    app, page = explored(calc=calc)
    assert not app.exception
    assert "pd-error" not in page
    stored = warehouse.of_page().stored(Question(("active_assistants",), BY, over=OVER, calc=calc))
    assert isinstance(stored, StoredRows)
    assert [metric.name for metric in stored.answer.metrics][1] == f"active_assistants_{calc}"
    assert text.escape(stored.answer.metrics[1].label["en"]) in page
    assert page.count('<th scope="row"') == tables.PAGE_ROWS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "value", "word"),
    [("WORKER_SECONDS", 0.0, "out_of_time"), ("worker_memory", lambda: 1 << 20, "out_of_memory")],
)
def test_a_question_that_exceeds_a_limit_gets_a_clear_message(
    small_limit: None, monkeypatch: pytest.MonkeyPatch, limit: str, value: Any, word: str
) -> None:
    monkeypatch.setattr(large_questions, limit, value)
    app, page = explored()
    assert not app.exception
    assert text.word(f"state.{word}", "en") in page


@pytest.mark.slow
def test_a_stopped_question_is_not_repeated(small_limit: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_questions, "_wait", lambda _process, query: large_questions._stopped(query) or st.rerun())
    processes: list[Any] = []
    process = large_questions.WorkerProcess
    monkeypatch.setattr(
        large_questions, "WorkerProcess", lambda *a, **b: processes.append(process(*a, **b)) or processes[-1]
    )
    app, page = explored()
    assert not app.exception
    assert text.word("state.stopped", "en") in page
    (worker,) = processes
    with pytest.raises(Stopped):
        worker.result()


@pytest.mark.slow
def test_a_file_from_a_separate_process_equals_the_one_made_in_this_process(
    both_answers: tuple[StoredRows, Answer], small_limit: None
) -> None:
    stored, in_memory = both_answers

    def file_of(form: str, answer: StoredRows | Answer) -> bytes:
        here = io.BytesIO()
        ExportJob(form, answer, CONTEXT, False, "Iran").write(here)
        return here.getvalue()

    for form in jobs.FORMS:
        there, here = file_of(form, stored), file_of(form, in_memory)
        assert abs(len(there) - len(here)) < 100 if form == "xlsx" else there == here, "but for the time in a workbook"
    making = Making(ExportJob("csv", stored, CONTEXT, False, "Iran"))
    making.process.result()
    assert making.path.read_bytes() == file_of("csv", in_memory)
    making.stop()
    assert not making.path.exists()


@pytest.mark.slow
def test_rows_of_people_keep_the_rights_of_the_reader(small_limit: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETAIL_ROWS", "1")
    with page_run.acting_as(OWN):
        making = Making(ExportJob("csv", person_rows.people(date(2026, 6, 1)), CONTEXT, False, "Tehran"))
        making.process.result()
    lines = making.path.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) > 1
    assert all(",IR-23," in line for line in lines[1:])


@pytest.mark.slow
def test_a_cancelled_file_leaves_nothing_behind(small_limit: None) -> None:
    making = Making(ExportJob("xlsx", LARGE, CONTEXT, False, ""))
    until(lambda: making.process.share > 0, "it is being made")
    path = making.path
    assert not making.process.is_done
    making.stop()
    with pytest.raises(Stopped):
        making.process.result()
    assert not path.exists()


LARGE = made.answer(
    "active_assistants", by=("institute",), rows=[(f"{number:07}", number) for number in range(200_000)]
)


def made_first() -> None:
    from dataclasses import replace
    from types import SimpleNamespace

    from tests.ui.test_large_questions import LARGE
    from ui.charts.elements import ChartContext
    from ui.components import downloads
    from ui.exports.job import ExportJob
    from ui.i18n import text

    view = SimpleNamespace(lang="en", word=lambda key, **values: text.word(key, "en", **values))
    # A page may make the same answer anew in each run.
    job = ExportJob("xlsx", replace(LARGE), ChartContext("en"), False, "")
    downloads.made_first(view, "x", "file.xlsx", job, {})


@pytest.mark.slow
def test_a_file_can_be_started_watched_and_cancelled_on_the_page(
    small_limit: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_AT_ONCE_SECONDS", 0.0)
    app = AppTest.from_function(made_first, default_timeout=300).run()
    app.button(key="make-xlsx-x").click().run()
    making = app.session_state["file made"].making
    path = making.path
    assert path.exists()
    app.button(key="stop-x").click().run()
    with pytest.raises(Stopped):
        making.process.result()
    assert not path.exists()
    assert [button.key for button in app.button] == ["make-xlsx-x"]


def test_a_cache_holds_no_more_bytes_than_it_may() -> None:
    counts: list[int] = []

    def answer(count: int) -> Answer:
        counts.append(count)
        return made.answer("active_assistants", by=("institute",), rows=[(str(n), n) for n in range(count)])

    size = warehouse._size_of(answer(100))
    kept = type(warehouse.results.cache)(3 * size, warehouse._size_of)
    ask = cached(kept, info=True)(answer)
    counts.clear()
    for count in (100, 99, 98, 100, 97, 99):
        ask(count)
    assert counts == [100, 99, 98, 97, 99], "99 was used least lately when 97 came"
    assert kept.currsize <= kept.maxsize
    ask(1000)
    assert ask(1000) is not ask(1000), "what is larger than the cache pushes nothing out"
    assert kept.currsize > 0
    assert warehouse.results.cache.getsizeof is warehouse._size_of
