"""Answers are cached under the rights of the user: users in turn, at once, and in prefetching threads."""

import ast
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from etl.analysis import data_quality, detail
from etl.core.errors import AccessDenied
from etl.core.paths import ROOT
from etl.semantic.rights import AccessScope, Grant
from tests.access.scopes import ISFAHAN, NATIONAL, NONE, OF_ISFAHAN, OF_TEHRAN, TEHRAN
from tests.access.test_scopes import province_of_county
from tests.effort import draws
from tests.test_architecture import imports
from ui.data import page_run, person_rows, warehouse

pytestmark = pytest.mark.slow


@pytest.fixture
def published(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    # A page that another test drew in this thread may still hold its publication.
    page_run.end()
    yield small_register
    page_run.end()


def seen_by(scope: AccessScope, work: int) -> set[str]:
    """The provinces of what one of several reads shows."""
    place_of = province_of_county()
    with page_run.acting_as(scope):
        match work:
            case 0:
                return {place_of[row[0]] for row in warehouse.ask("active_assistants", by="county").rows if row[0]}
            case 1:
                return {str(institute.province) for institute in warehouse.analyse(detail.institutes).values()}
            case 2:
                return {place_of[code] for code in warehouse.names("county", "fa")}
            case 3:
                return {place_of[code] for code, *_ in warehouse.analyse("lorenz").rows if code}
            case 4:
                return {
                    str(institute.province) for institute in detail.search(warehouse.analyse(detail.institutes), "")
                }
            case 5:
                return set(warehouse.analyse(data_quality.files).column("province"))
            case _:
                institutes = warehouse.analyse(detail.institutes)
                return {str(institutes[code].province) for code in warehouse.names("institute", "en")}


READS = range(7)
EXPECTED = {OF_TEHRAN.sub: {TEHRAN}, OF_ISFAHAN.sub: {ISFAHAN}}


def test_two_people_who_alternate_on_one_process_never_get_each_others_data(published: Path) -> None:
    chance = random.Random(5)
    for _ in range(draws(60, 200)):
        scope, work = chance.choice([OF_TEHRAN, OF_ISFAHAN, NATIONAL]), chance.choice(READS)
        provinces = seen_by(scope, work)
        assert provinces == EXPECTED[scope.sub] if scope.sub in EXPECTED else {TEHRAN, ISFAHAN} <= provinces


def test_threads_of_the_pool_use_the_rights_of_the_person_whose_page_started_them(published: Path) -> None:
    work = {}
    for scope in (OF_TEHRAN, OF_ISFAHAN) * 5:
        with page_run.acting_as(scope):
            work[scope.sub] = page_run.in_pool(lambda: warehouse.ask("in_service", by="county").column("county"))
        place_of = province_of_county()
        assert {place_of[code] for code in work[scope.sub].result() if code} == EXPECTED[scope.sub]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(4) as pool:
        plan = [(scope, read) for scope in (OF_TEHRAN, OF_ISFAHAN) for read in READS] * 3
        for (scope, _), provinces in zip(plan, pool.map(lambda task: seen_by(*task), plan), strict=True):
            assert provinces == EXPECTED[scope.sub]


@pytest.mark.parametrize("work", READS)
def test_a_person_without_rights_gets_nothing_even_after_others_asked(work: int, published: Path) -> None:
    seen_by(NATIONAL, work)
    with pytest.raises(AccessDenied):
        seen_by(NONE, work)


def test_people_with_equal_rights_share_a_cached_answer_that_names_nobody(published: Path) -> None:
    answers = []
    for sub in ("a", "b"):
        with page_run.acting_as(AccessScope(sub, frozenset({Grant("province", frozenset({TEHRAN}), True, False)}))):
            answers.append(warehouse.ask("leavers", by="county"))
    assert answers[0] is answers[1]
    assert answers[0].scope.sub == ""


def test_rows_of_people_need_the_right_and_the_setting(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETAIL_ROWS", "1")
    with page_run.acting_as(NATIONAL):
        on = page_run.publication().as_of
    without = AccessScope("x", frozenset({Grant("province", frozenset({TEHRAN}), False, True)}))
    with page_run.acting_as(without), pytest.raises(PermissionError):
        person_rows.people(on)
    with page_run.acting_as(OF_TEHRAN):
        rows = person_rows.people(on)
        assert set(rows.first(10_000).column("province")) == {TEHRAN}
    monkeypatch.setenv("DETAIL_ROWS", "0")
    with page_run.acting_as(OF_TEHRAN), pytest.raises(PermissionError):
        person_rows.people(on)


# ------------------------------------------------------------------ ways round


@cache
def opening(path: Path) -> set[str]:
    """What a file imports, without the description of a publication, which opens nothing."""
    names, module = imports(path), "etl.warehouse.publications"
    only_describes = {name for name in names if name.startswith(f"{module}.")} == {f"{module}.Publication"}
    return names - {module} if only_describes else names


def pages_that(modules: set[str]) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in [ROOT / "dashboard.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]
        if opening(path) & modules
    }


def test_pages_reach_the_database_through_scoped_cursors_only() -> None:
    opens = {
        "duckdb",
        "etl.warehouse.publications",
        "etl.warehouse.publications.connect",
        "etl.semantic.access.connect",
    }
    modules = ("page_run", "person_rows", "cursors", "query")
    # These two know DuckDB's errors, of time and of memory, and open nothing.
    assert pages_that(opens) == {f"ui/data/{name}.py" for name in (*modules, "warehouse", "worker_process")}
    assert pages_that({"etl.semantic.access.cursor_for", "etl.semantic.access.ScopedCursor"}) <= {
        "ui/data/warehouse.py",
        "ui/data/ask.py",
        "ui/data/person_rows.py",
        "ui/data/cursors.py",
        "ui/data/query.py",
    }
    # Every cursor on a publication is bound to a scope, except the one that reads its description.
    for name in ("page_run", "warehouse", "person_rows", "cursors", "query"):
        tree = ast.parse((ROOT / "ui" / "data" / f"{name}.py").read_text(encoding="utf-8"))
        unscoped = [
            function.name
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for call in ast.walk(function)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "cursor"
        ]
        assert unscoped == (["publication_in"] if name == "page_run" else [])


def readers_of_cursors() -> dict[str, set[str]]:
    """The modules that take an attribute of a cursor, by attribute."""
    readers: dict[str, set[str]] = {}
    for path in [*(ROOT / "etl").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("con", "cursor")
            ):
                readers.setdefault(node.attr, set()).add(path.relative_to(ROOT).as_posix())
    return readers


def test_only_ask_and_open_counts_read_whole_tables() -> None:
    """Whatever an analysis reads of persons and institutes it reads through the views of the scope."""
    # A briefing counts the rows that changed since the last publication; the queue reads the official calendar.
    known = {"etl/semantic/answers.py", "etl/analysis/data_quality.py", "etl/analysis/queue.py", "ui/data/cursors.py"}
    readers = readers_of_cursors()
    assert readers["whole"] == known
    # Counts of people under filters that leave own provinces alone.
    assert readers["of_people"] == {"etl/analysis/projection.py", "etl/analysis/training.py"}
    assert readers["under"] == {"etl/analysis/analyses.py"}


def test_nothing_names_a_table_by_its_database() -> None:
    for path in [*(ROOT / "etl" / "semantic").glob("*.py"), *(ROOT / "etl" / "analysis").glob("*.py")]:
        if path.name != "scoped_views.py":
            assert ".main." not in path.read_text(encoding="utf-8"), path.name
