"""Below the province level a user sees only their own provinces, however a number or a row is asked for."""

import csv
import random
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.analysis import analyses, comparison, data_quality, detail
from etl.analysis.comparison import Side
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import last_complete_months, year_before
from etl.core.paths import REFERENCE
from etl.semantic import access, answers, disclosure
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import ask
from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant
from tests.access.scopes import FARS, ISFAHAN, NATIONAL, NONE, OF_ISFAHAN, OF_TEHRAN, OF_TWO, TEHRAN
from tests.effort import draws

pytestmark = pytest.mark.slow

QUESTIONS = draws(120, 2000)
BELOW = {"county", "institute"}


def province_of_county() -> dict[str, str]:
    with (REFERENCE / "counties.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["sci_code"]: row["province_iso"] for row in csv.DictReader(file)}


def registered(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(con.execute("select institute_code, province from institutes").fetchall())


def random_places(chance: random.Random, places: dict[str, str], scope: AccessScope) -> tuple[str, ...]:
    is_own = chance.random() < 0.5
    return tuple(chance.sample(sorted(code for code, place in places.items() if (place in scope.codes) == is_own), 2))


@pytest.mark.parametrize("dimension", ["institute", "county"])
def test_a_code_of_another_province_looks_like_one_that_does_not_exist(
    dimension: str, con: duckdb.DuckDBPyConnection
) -> None:
    places = registered(con) if dimension == "institute" else province_of_county()
    foreign = next(code for code, place in places.items() if place == ISFAHAN)
    errors = []
    with cursor_for(con, OF_TEHRAN) as cursor:
        for code in (foreign, "9999999"):
            for run in (
                lambda code=code: ask(cursor, "active_assistants", where={dimension: (code,)}),
                lambda code=code: analyses.analyse(cursor, "seats", None, {dimension: (code,)}),
            ):
                with pytest.raises(QuestionError) as raised:
                    run()
                errors.append((type(raised.value), str(raised.value).replace(code, "CODE")))
    assert errors[:2] == errors[2:]


def test_both_sides_of_a_comparison_are_limited_to_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    foreign = next(code for code, place in province_of_county().items() if place == ISFAHAN)
    own = next(code for code, place in province_of_county().items() if place == TEHRAN)
    with cursor_for(con, OF_TEHRAN) as cursor:
        on = cursor.publication.as_of
        sides = [Side(on, (("county", (code,)),)) for code in (own, foreign)]
        assert comparison.compare(cursor, ["active_assistants"], sides[0], sides[0]).rows
        for pair in (sides, sides[::-1]):
            with pytest.raises(QuestionError):
                comparison.compare(cursor, ["active_assistants"], *pair)
        provinces = [Side(on, (("province", (code,)),)) for code in (TEHRAN, ISFAHAN)]
        assert comparison.compare(cursor, ["active_assistants"], *provinces).rows, "provinces are open"


def test_counties_of_another_province_cannot_be_computed_by_subtraction(
    con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    place_of = province_of_county()
    with cursor_for(con, OF_TEHRAN) as cursor:
        gaps = ask(cursor, "coverage_gap", by=("county",))
        assert {place_of[row[0]] for row in gaps.rows if row[0]} == {TEHRAN}
        assert gaps.rows == ask(all_seeing, "coverage_gap", by=("county",), where={"province": (TEHRAN,)}).rows
        with pytest.raises(AccessDenied):
            ask(cursor, "coverage_gap", by=("county",), where={"province": (ISFAHAN,)})
        mixed = ask(cursor, "active_assistants", by=("county",), where={"province": (TEHRAN, ISFAHAN)})
        assert mixed.where["province"] == (TEHRAN,)


def test_circulated_numbers_are_rounded_for_everybody_and_have_no_exact_total(
    con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    with cursor_for(con, OF_TEHRAN) as cursor:
        rounded = disclosure.for_circulation(ask(cursor, "active_assistants", by=("county",)), partial(ask, cursor))
    full_answer = ask(all_seeing, "active_assistants", by=("county",), where={"province": (TEHRAN,)})
    assert rounded.rows == disclosure.for_circulation(full_answer, partial(ask, all_seeing)).rows
    assert rounded.rows != full_answer.rows
    counts = [count for count in rounded.column("active_assistants") if count is not None]
    assert {count % disclosure.STEP for count in counts} == {0}
    assert rounded.scope == OF_TEHRAN


def test_a_submitter_exports_only_answers_of_their_own_province(con: duckdb.DuckDBPyConnection) -> None:
    submitter = AccessScope("clerk", frozenset({Grant("submitter", frozenset({TEHRAN}), False, True)}))
    filters = [{"province": (TEHRAN,)}, {"province": (TEHRAN, ISFAHAN)}, {"province": (ISFAHAN,)}, {}]

    def may_leave(scope: AccessScope) -> list[bool]:
        with cursor_for(con, scope) as cursor:
            return [answers.may_leave(scope, ask(cursor, "active_assistants", where=where)) for where in filters]

    assert may_leave(submitter) == [True, False, False, False]
    assert may_leave(OF_TWO) == [True] * 4
    assert may_leave(OF_TEHRAN) == [False] * 4, "without that right"


def arguments(name: str, con: ScopedCursor) -> dict[str, Any]:
    """What an analysis cannot be asked without."""
    needed: dict[str, dict[str, Any]] = {
        "differs": {"than": Side(con.publication.as_of)},
        "why": {"metric": "training_compliance", "before": year_before(con.publication.as_of)},
        "recruit_places": {"recruits": 50},
        "recruit_lorenz": {"recruits": 50},
    }
    return needed.get(name, {})


@pytest.mark.parametrize("name", sorted(analyses.by_name()))
def test_an_analysis_shows_open_totals_to_all_and_anything_else_of_the_own_province(
    name: str, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    place_of = {"county": province_of_county(), "institute": registered(con)}
    more = arguments(name, all_seeing)
    with cursor_for(con, OF_TEHRAN) as cursor:
        answer, full_answer = (analyses.analyse(each, name, **more) for each in (cursor, all_seeing))
        if not answer.restricted:
            shown = [column for column in answer.columns if column not in ("p_value", "institutes_compared")]
            assert answer.frame[shown].equals(full_answer.frame[shown])
            assert answer.query == full_answer.query
            return
        assert (answer.where, answer.left_out) == ({"province": (TEHRAN,)}, OF_TEHRAN.others)
        assert answer.rows == analyses.analyse(all_seeing, name, None, answer.where, **more).rows
        for column in place_of.keys() & {*answer.columns}:
            assert {place_of[column].get(code) for code in answer.column(column)} <= {TEHRAN, None}
        if "province" in answer.columns:
            assert {*answer.column("province")} <= {TEHRAN, None}


def test_detail_rows_are_limited_to_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    foreign = next(code for code, place in registered(con).items() if place == ISFAHAN)
    own = next(
        code
        for code, place in registered(con).items()
        if place == TEHRAN and con.execute("select 1 from applications where institute_code = $1", [code]).fetchall()
    )
    with cursor_for(con, OF_TEHRAN) as cursor:
        on = cursor.publication.as_of
        institutes = detail.institutes(cursor)
        assert {institute.province for institute in institutes.values()} == {TEHRAN}
        assert {institute.province for institute in detail.search(institutes, "")} == {TEHRAN}
        assert detail.licences(cursor, own).rows
        assert detail.licences(cursor, foreign).rows == detail.licences(cursor, "no such code").rows == []
        people = detail.people(cursor, on)
        rows = people.first(100_000)
        assert rows.rows
        assert set(rows.column("province")) == {TEHRAN}
        assert people.count() == len(rows.rows)
        assert set(detail.provinces_of_counties(cursor).values()) == {TEHRAN}
        assert detail.member_names(cursor, "institute")["fa"].keys() == institutes.keys()
        with pytest.raises(AccessDenied):
            detail.people(cursor, on, {"province": (ISFAHAN,)})


def test_file_names_reasons_and_missing_files_are_limited_to_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_TEHRAN) as cursor, cursor_for(con, NATIONAL) as other:
        files, every = data_quality.files(cursor), data_quality.files(other)
        assert set(files.column("province")) == {TEHRAN}
        assert set(every.column("province")) >= {TEHRAN, ISFAHAN}
        assert sum(data_quality.reasons(cursor).column("rows_quarantined")) < sum(
            data_quality.reasons(other).column("rows_quarantined")
        )
        assert data_quality.provinces(cursor).column("province") == [TEHRAN]
        assert data_quality.missing_sources(cursor).keys() <= {TEHRAN}
        assert data_quality.ignored(cursor) == []
        assert data_quality.refused_files(cursor) == ()
        # the number of rejected rows of a province is open
        tables = ("personnel", "licences", "institutes", "training")
        assert data_quality.rejected_rows(cursor, tables, ()) == data_quality.rejected_rows(other, tables, ()) > 0


def test_revisions_are_limited_to_the_nation_and_the_own_province(revised_register: Path) -> None:
    revisions = []
    for scope in (OF_TEHRAN, NATIONAL):
        with access.connect(revised_register, scope) as con:
            revision = data_quality.last_revision(con, revised_register)
            assert revision
            files = data_quality.changed_files(con, revised_register)
            revisions.append(({change.province for change in revision.moved}, {file["province"] for file in files}))
    (moved, files_of), (all_moved, all_files_of) = revisions
    assert moved == {None, TEHRAN}
    assert files_of == {TEHRAN}
    assert all_moved > {None, TEHRAN, ISFAHAN}
    assert all_files_of > {TEHRAN, ISFAHAN}


def test_the_displayed_query_names_no_place_of_another_province(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_TEHRAN) as cursor:
        for metric in ("active_assistants", "transfers_in", "expiring_30"):
            answer = ask(cursor, metric, by=("institute",))
            foreign = [code for code, place in registered(con).items() if place != TEHRAN]
            assert not [code for code in foreign if f"'{code}'" in answer.query]


def test_a_person_without_rights_gets_no_cursor_and_a_bare_connection_no_answer(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(AccessDenied):
        cursor_for(con, NONE)
    with pytest.raises(TypeError):
        ask(con, "active_assistants")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ScopedCursor(con, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        AccessScope("x", "national")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("role", "provinces"),
    [
        ("national", frozenset({TEHRAN})),
        ("province", WHOLE_COUNTRY),
        ("province", frozenset()),
        ("province", frozenset({"IR-99"})),
        ("province", None),
        ("none", WHOLE_COUNTRY),
        ("none", frozenset({TEHRAN})),
        ("minister", WHOLE_COUNTRY),
    ],
)
def test_a_role_with_unsuitable_provinces_gives_no_scope(role: str, provinces: Any) -> None:
    with pytest.raises(ValueError, match="role"):
        Grant(role, provinces, may_see_detail=False, may_export=False)


def test_an_answer_is_stamped_and_refused_for_other_rights(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_ISFAHAN) as cursor:
        answer = ask(cursor, "active_assistants", by=("county",))
        curve = analyses.analyse(cursor, "lorenz")
    assert answer.scope == curve.scope == OF_ISFAHAN
    assert answer.scope.sub == ""
    for scope in (OF_TEHRAN, NATIONAL, OF_TWO, NONE):
        with pytest.raises(AccessDenied):
            answers.check(scope, answer)
    answers.check(OF_ISFAHAN, answer)
    with pytest.raises(AccessDenied):
        answers.check(OF_ISFAHAN, replace(answer, restricted=frozenset({TEHRAN})))


def test_pairs_of_provinces_show_only_moves_from_or_to_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_TEHRAN) as cursor, cursor_for(con, NATIONAL) as other:
        period = last_complete_months(cursor.publication.as_of + timedelta(days=1), 60)
        pairs = ask(cursor, "transfers_between", by=("origin", "province"), over=period)
        every = ask(other, "transfers_between", by=("origin", "province"), over=period)
        assert all(TEHRAN in row[:2] for row in pairs.rows)
        assert 0 < len(pairs.rows) < len(every.rows)
        with pytest.raises(AccessDenied):
            ask(cursor, "transfers_between", over=period, where={"origin": (ISFAHAN,), "province": (FARS,)})
        into = ask(cursor, "transfers_between", by=("origin",), over=period, where={"province": (ISFAHAN,)})
        assert {row[0] for row in into.rows} == {TEHRAN}


def test_counties_of_another_province_at_a_glance_are_refused(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_TEHRAN) as cursor:
        own = analyses.analyse(cursor, "glance", where={"province": (TEHRAN,)}, by="county")
        assert own.rows
        with pytest.raises(AccessDenied):
            analyses.analyse(cursor, "glance", where={"province": (ISFAHAN,)}, by="county")
