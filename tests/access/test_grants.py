"""Several groups of one person never combine to more than any of them, and rows of persons leave with that right only."""

import io
import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from etl.analysis import detail
from etl.core.errors import AccessDenied
from etl.operations.roles import Roles
from etl.semantic import answers, rights, scoped_views
from etl.semantic.access import cursor_for
from etl.semantic.answers import ask
from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant
from tests.access.gated import SECRET, configured
from tests.access.scopes import FARS, ISFAHAN, TEHRAN
from ui.charts.elements import ChartContext
from ui.components import downloads
from ui.data import page_run, person_rows, warehouse
from ui.exports.job import FORMS, ExportJob
from ui.shell import people

pytestmark = pytest.mark.slow
ALBORZ = "IR-30"
GROUPS = {
    "nation": Grant("national", WHOLE_COUNTRY),
    "fars": Grant("province", frozenset({FARS}), may_see_detail=True),
    "isfahan": Grant("province", frozenset({ISFAHAN}), may_export=True),
    "tehran": Grant("province", frozenset({TEHRAN}), may_see_detail=True, may_export=True),
    "alborz": Grant("submitter", frozenset({ALBORZ}), may_export=True),
}


def scope_of(*groups: str) -> AccessScope:
    return Roles(GROUPS).scope_of("x", list(groups))


@pytest.fixture
def published(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setenv("DETAIL_ROWS", "1")
    page_run.end()
    yield small_register
    page_run.end()


def test_a_person_of_five_groups_may_do_what_one_of_them_allows_and_nothing_else(
    con: duckdb.DuckDBPyConnection,
) -> None:
    scope = scope_of(*GROUPS, "unknown")
    assert (scope.role, scope.sees_whole_country) == ("national", True)
    with cursor_for(con, scope) as cursor:
        counties = {
            place: ask(cursor, "in_service", by=("county",), where={"province": (place,)})
            for place in (FARS, ISFAHAN, TEHRAN, ALBORZ)
        }
        everywhere, both = ask(cursor, "in_service", by=("county",)), [ISFAHAN, TEHRAN]
        assert all(answer.rows for answer in counties.values()), "numbers need the province only"
        taken = {place for place, answer in counties.items() if answers.may_leave(scope, answer)}
        assert taken == {ISFAHAN, TEHRAN, ALBORZ}
        assert not answers.may_leave(scope, everywhere), "no group with the whole country takes files away"
        together = ask(cursor, "in_service", by=("county",), where={"province": both})
        assert not answers.may_leave(scope, together), "no group allows all of it"
        assert answers.may_leave(scope, ask(cursor, "in_service", by=("province",)))
        on = cursor.publication.as_of
        rows = detail.people(cursor, on)
        assert set(rows.first(100_000).column("province")) == {FARS, TEHRAN}
        assert not answers.may_leave(scope, rows.answer, is_detail=True)
        for place in (FARS, TEHRAN):
            of_place = detail.people(cursor, on, {"province": (place,)}).answer
            assert answers.may_leave(scope, of_place, is_detail=True) == (place == TEHRAN)
        with pytest.raises(AccessDenied):
            detail.people(cursor, on, {"province": (ISFAHAN,)})


def test_what_leaves_is_what_leaves_with_one_of_the_groups(con: duckdb.DuckDBPyConnection) -> None:
    questions: list[dict[str, Any]] = [
        {"by": by, "where": {"province": places}}
        for by in ((), ("county",), ("gender",))
        for size in (1, 2)
        for places in combinations((FARS, ISFAHAN, TEHRAN, ALBORZ), size)
    ]
    questions += [{"by": by} for by in ((), ("province",), ("gender",))]
    alone = [{group: leaves_alone(con, group, question) for group in GROUPS} for question in questions]
    leaves = 0
    for groups in combinations(GROUPS, 3):
        scope = scope_of(*groups)
        with cursor_for(con, scope) as cursor:
            for question, taken in zip(questions, alone, strict=True):
                try:
                    answer = ask(cursor, "in_service", **question)
                except AccessDenied:
                    continue
                if answers.may_leave(scope, answer):
                    leaves += 1
                    assert answer.rows in [taken[one] for one in groups], question
    assert leaves > len(questions)


def leaves_alone(con: duckdb.DuckDBPyConnection, group: str, question: dict[str, Any]) -> Any:
    """The rows that the members of one group may take away; None if none."""
    scope = scope_of(group)
    try:
        with cursor_for(con, scope) as cursor:
            answer = ask(cursor, "in_service", **question)
    except AccessDenied:
        return None
    return answer.rows if answers.may_leave(scope, answer) else None


def test_a_group_that_vanishes_takes_its_rights_along(published: Path) -> None:
    before, after = scope_of("fars", "tehran"), Roles({"fars": GROUPS["fars"]}).scope_of("x", ["fars", "tehran"])
    with page_run.acting_as(before):
        answer = warehouse.ask("in_service", by="county")
        on = page_run.publication().as_of
        assert set(person_rows.people(on).first(10_000).column("province")) == {FARS, TEHRAN}
    with page_run.acting_as(after):
        with pytest.raises(AccessDenied):
            answers.check(page_run.access_scope().rights(), answer)
        assert warehouse.ask("in_service", by="county").where == {"province": (FARS,)}
        assert set(person_rows.people(on).first(10_000).column("province")) == {FARS}
    with page_run.acting_as(Roles({}).scope_of("x", ["fars", "tehran"])), pytest.raises(AccessDenied):
        warehouse.ask("in_service")


def test_the_session_key_tells_names_from_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(tmp_path, monkeypatch, "proxy", f'[proxy]\nsecret = "{SECRET}"\n')

    def key(name: str, groups: str) -> str:
        headers = Headers({people.USER_HEADER: name, people.GROUPS_HEADER: groups, people.SECRET_HEADER: SECRET})
        person = people.who(HTTPConnection({"type": "http", "headers": headers.raw}))
        assert person
        return person.key

    keys = [
        key("boss|steward", ""),
        key("boss", "steward"),
        key('boss", ["steward', ""),
        key("boss|steward|", ""),
        key("boss\nsteward", ""),
        key("boss", ""),
    ]
    assert len(set(keys)) == len(keys)
    assert key("boss", "steward") == key("boss", "steward")


# ---------------------------------------------------------------- rows of persons


def grant_of(role: str) -> Grant:
    own = role in ("province", "submitter")
    return Grant(role, frozenset({TEHRAN}) if own else WHOLE_COUNTRY, may_see_detail=True, may_export=True)


@pytest.mark.parametrize("role", rights.ROLES[1:])
def test_rows_of_persons_are_counted_shown_and_written_in_every_form(role: str, published: Path) -> None:
    scope = AccessScope(role, frozenset({grant_of(role)}))
    with page_run.acting_as(scope):
        on = page_run.publication().as_of
        where = {"province": (TEHRAN,)}
        rows = person_rows.people(on, where)
        answers.check(scope.rights(), rows.answer)
        assert answers.may_leave(scope, rows.answer, is_detail=True)
        count = rows.count()
        assert len(rows.first(10**6).rows) == count > 0
        for form in FORMS:
            out = io.BytesIO()
            assert rows.count() == count
            ExportJob(form, rows, ChartContext("en"), False, "Tehran").write(out)
            assert len(out.getvalue()) > count


def test_a_cursor_given_back_with_rows_left_is_closed(con: duckdb.DuckDBPyConnection) -> None:
    scope = AccessScope("x", frozenset({grant_of("province")}))
    for leave in (
        lambda cursor: cursor.execute("from spells").fetchmany(2),
        lambda cursor: cursor.execute("from spells"),
        lambda cursor: cursor.sql("from spells").to_arrow_reader(2).read_next_batch(),
    ):
        scoped_views._idle.clear()
        with cursor_for(con, scope) as cursor:
            leave(cursor)
        assert not scoped_views._idle.get(con, {}).get(scope.codes)
        with cursor_for(con, scope) as cursor:
            assert cursor.sql("select count(*) from spells").fetchall()
    with cursor_for(con, scope) as cursor:
        assert cursor.execute("select count(*) from spells").fetchone()
    assert len(scoped_views._idle[con][scope.codes]) == 1


def test_a_file_that_cannot_be_written_leaves_none_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(out: Any) -> None:
        out.write(b"half a file")
        raise RuntimeError("a value of the register")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(downloads.page_run, "signs_in", lambda: True)
    monkeypatch.setattr(downloads.st, "button", lambda *_, **__: True)
    with pytest.raises(RuntimeError):
        downloads.offered(None, "key", "label", "name.csv", "text/csv", fails, {})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
