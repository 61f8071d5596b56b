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

from etl.analysis import comparison, data_quality, detail, registry
from etl.analysis.comparison import Side
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import last_complete_months, year_before
from etl.core.paths import REFERENCE
from etl.semantic import access, disclosure
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant
from etl.warehouse import publications
from etl.warehouse.dimensions import CHOICES
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


def outcome(cursor: ScopedCursor, names: list[str], **question: Any) -> Answer | str:
    try:
        return ask(cursor, *names, **question)
    except QuestionError as error:
        return type(error).__name__


def random_question(
    chance: random.Random, con: duckdb.DuckDBPyConnection, scope: AccessScope
) -> tuple[list[str], dict[str, Any]]:
    """A metric by up to three dimensions and up to two filters, mostly below the province; half of the places are foreign."""
    metrics = [metric for metric in catalogue().values() if not metric.hidden]
    local = [metric for metric in metrics if metric.dimensions & {*BELOW, "origin"}]
    metric = chance.choice(local if chance.random() < 0.85 else metrics)
    dimensions = sorted(metric.dimensions - set(TIME))
    groups = sorted(metric.groups - set(TIME))
    by = chance.sample(groups, min(len(groups), chance.choice((0, 1, 1, 2))))
    if chance.random() < 0.2 and set(TIME) <= metric.dimensions:
        by.append("quarter")
    where = {}
    for name in chance.sample(dimensions, min(len(dimensions), chance.choice((0, 1, 1, 2)))):
        if name in ("province", "origin"):
            where[name] = tuple(chance.sample([TEHRAN, ISFAHAN, FARS, "IR-30"], chance.choice((1, 2))))
        elif name == "county":
            where[name] = random_places(chance, province_of_county(), scope)
        elif name == "institute":
            where[name] = random_places(chance, registered(con), scope)
        elif name in CHOICES:
            where[name] = (chance.choice(sorted(set(CHOICES[name].values()))),)
    return [metric.name], {"by": tuple(by), "where": where}


def random_places(chance: random.Random, places: dict[str, str], scope: AccessScope) -> tuple[str, ...]:
    is_own = chance.random() < 0.5
    return tuple(chance.sample(sorted(code for code, place in places.items() if (place in scope.codes) == is_own), 2))


@pytest.mark.slow
@pytest.mark.parametrize("scope", [OF_TEHRAN, OF_TWO], ids=lambda scope: scope.sub)
def test_random_questions_give_no_cell_of_another_province(
    scope: AccessScope, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    chance = random.Random(20260)
    place_of, place_of_institute = province_of_county(), registered(con)
    counts = {"answered": 0, "below": 0, "cut": 0, "refused": 0}
    with cursor_for(con, scope) as cursor:
        for _ in range(QUESTIONS):
            names, question = random_question(chance, con, scope)
            answer, full_answer = outcome(cursor, names, **question), outcome(all_seeing, names, **question)
            if isinstance(answer, str):
                counts["refused"] += isinstance(full_answer, Answer)
                assert answer != "AccessDenied" or isinstance(full_answer, Answer) or full_answer == "QuestionError"
                continue
            assert isinstance(full_answer, Answer), "a scope never makes a question mean more"
            counts["answered"] += 1
            involved = {*question["by"], *question["where"]}
            if {"province", "origin"} <= involved:
                own = [
                    row
                    for row in full_answer.rows
                    if all_own(row, answer.by, question["where"], "province", scope)
                    or all_own(row, answer.by, question["where"], "origin", scope)
                ]
                assert answer.rows == own
                counts["cut"] += len(own) < len(full_answer.rows)
                continue
            if not involved & {*BELOW, "province"} and "province" in answer.where:
                # a group of the nation at another time, or with numbers of one
                assert answer.left_out == scope.others
                assert answer.rows == ask(all_seeing, *names, by=question["by"], where=answer.where).rows
                counts["cut"] += 1
                continue
            if not involved & {*BELOW, "province"} or involved <= {"province", *TIME}:
                hidden = [row for row in zip(answer.rows, full_answer.rows, strict=True) if row[0] != row[1]]
                assert all(mine in (full, None) for pair in hidden for mine, full in zip(*pair, strict=True))
                assert bool(answer.left_out) >= bool(hidden), "totals of provinces and the nation as a whole are open"
                continue
            counts["below"] += 1
            assert set(answer.where.get("county", ())) <= {c for c, place in place_of.items() if place in scope.codes}
            if "institute" in catalogue()[names[0]].mutually_exclusive and "institute" in involved:
                codes = (
                    {row[answer.by.index("institute")] for row in answer.rows} if "institute" in answer.by else set()
                )
                assert {place_of_institute[code] for code in {*codes, *answer.where["institute"]}} <= scope.codes
                continue
            assert set(answer.where["province"]) <= scope.codes
            # counted a second time under all rights, within the same provinces
            assert answer.rows == ask(all_seeing, *names, by=question["by"], where=answer.where).rows
            if "county" in answer.by:
                codes = {row[answer.by.index("county")] for row in answer.rows} - {None}
                assert {place_of[code] for code in codes} <= scope.codes
            counts["cut"] += len(answer.rows) < len(full_answer.rows)
    assert counts["below"] > QUESTIONS / 5
    assert min(counts["cut"], counts["refused"]) > QUESTIONS / 20, counts


def all_own(row: tuple[Any, ...], by: tuple[str, ...], where: dict[str, Any], name: str, scope: AccessScope) -> bool:
    return ({row[by.index(name)]} if name in by else set(where[name])) <= scope.codes


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
                lambda code=code: registry.analyse(cursor, "seats", None, {dimension: (code,)}),
            ):
                with pytest.raises(QuestionError) as raised:
                    run()
                errors.append((type(raised.value), str(raised.value).replace(code, "CODE")))
    assert errors[:2] == errors[2:]


def test_both_sides_of_a_comparison_are_limited_to_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    foreign = next(code for code, place in province_of_county().items() if place == ISFAHAN)
    own = next(code for code, place in province_of_county().items() if place == TEHRAN)
    with cursor_for(con, OF_TEHRAN) as cursor:
        on = publications.describe(cursor.numbers).as_of
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
    assert all(count is None or count % disclosure.STEP == 0 for count in rounded.column("active_assistants"))
    assert rounded.scope == OF_TEHRAN


def test_a_submitter_exports_only_answers_of_their_own_province(con: duckdb.DuckDBPyConnection) -> None:
    submitter = AccessScope("clerk", frozenset({Grant("submitter", frozenset({TEHRAN}), False, True)}))
    filters = [{"province": (TEHRAN,)}, {"province": (TEHRAN, ISFAHAN)}, {"province": (ISFAHAN,)}, {}]

    def may_leave(scope: AccessScope) -> list[bool]:
        with cursor_for(con, scope) as cursor:
            return [access.may_leave(scope, ask(cursor, "active_assistants", where=where)) for where in filters]

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


@pytest.mark.parametrize("name", sorted(registry.analyses()))
def test_an_analysis_shows_the_nation_to_all_and_places_below_to_their_own_province(
    name: str, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    place_of, place_of_institute = province_of_county(), registered(con)
    more = arguments(name, all_seeing)
    with cursor_for(con, OF_TEHRAN) as cursor:
        answer, full_answer = (registry.analyse(each, name, **more) for each in (cursor, all_seeing))
        below = {*answer.by, *answer.where, *answer.columns} & BELOW
        if name == "seats_now":
            # the others are one row, so that the nation adds up
            assert {row[0] for row in answer.rows} == {TEHRAN, None}
            assert sum(row[2] for row in answer.rows) == pytest.approx(sum(row[2] for row in full_answer.rows))
            return
        if not below and answer.where != full_answer.where:
            # computed from institutes: only those of the own province, which the answer states
            assert answer.where == {"province": (TEHRAN,)}
            assert answer.rows == registry.analyse(all_seeing, name, None, answer.where, **more).rows
            return
        if not below and "province" in answer.by and not registry.analyses()[name].open_by_province:
            # worked out over the nation, with the rows of the own province
            at = answer.by.index("province")
            assert answer.rows == [row for row in full_answer.rows if row[at] not in OF_TEHRAN.others]
            assert answer.left_out or len(answer.rows) == len(full_answer.rows)
            return
        if not below:
            assert answer.rows == full_answer.rows
            assert answer.query == full_answer.query
            return
        assert set(answer.where["province"]) == {TEHRAN}
        assert len(answer.rows) < len(full_answer.rows)
        for column, places in (("county", place_of), ("institute", place_of_institute)):
            if column in answer.columns and column not in ("institute",):
                assert {places[code] for code in answer.column(column) if code in places} <= {TEHRAN}
        if "province" in answer.columns:
            assert set(answer.column("province")) <= {TEHRAN, None}


def test_detail_rows_are_limited_to_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    foreign = next(code for code, place in registered(con).items() if place == ISFAHAN)
    own = next(
        code
        for code, place in registered(con).items()
        if place == TEHRAN and con.execute("select 1 from applications where institute_code = $1", [code]).fetchall()
    )
    with cursor_for(con, OF_TEHRAN) as cursor:
        on = publications.describe(cursor.numbers).as_of
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
        curve = registry.analyse(cursor, "lorenz")
    assert answer.scope == curve.scope == OF_ISFAHAN
    assert answer.scope.sub == ""
    for scope in (OF_TEHRAN, NATIONAL, OF_TWO, NONE):
        with pytest.raises(AccessDenied):
            access.check(scope, answer)
    access.check(OF_ISFAHAN, answer)
    with pytest.raises(AccessDenied):
        access.check(OF_ISFAHAN, replace(answer, restricted=frozenset({TEHRAN})))


def test_pairs_of_provinces_show_only_moves_from_or_to_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_TEHRAN) as cursor, cursor_for(con, NATIONAL) as other:
        period = last_complete_months(publications.describe(cursor.numbers).as_of + timedelta(days=1), 60)
        pairs = ask(cursor, "transfers_between", by=("origin", "province"), over=period)
        every = ask(other, "transfers_between", by=("origin", "province"), over=period)
        assert all(TEHRAN in row[:2] for row in pairs.rows)
        assert 0 < len(pairs.rows) < len(every.rows)
        with pytest.raises(AccessDenied):
            ask(cursor, "transfers_between", over=period, where={"origin": (ISFAHAN,), "province": (FARS,)})
        into = ask(cursor, "transfers_between", by=("origin",), over=period, where={"province": (ISFAHAN,)})
        assert {row[0] for row in into.rows} <= {TEHRAN}


def test_counties_of_another_province_at_a_glance_are_refused(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_TEHRAN) as cursor:
        own = registry.analyse(cursor, "glance", where={"province": (TEHRAN,)}, by="county")
        assert own.rows
        with pytest.raises(AccessDenied):
            registry.analyse(cursor, "glance", where={"province": (ISFAHAN,)}, by="county")
