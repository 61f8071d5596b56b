"""About another province only totals by time are given, and nothing smaller can be computed from all that is given."""

import inspect
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from itertools import chain, combinations, pairwise, product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array
from streamlit.testing.v1 import AppTest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.analysis import registry
from etl.analysis.comparison import Side, compare
from etl.analysis.planning import Scenario
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import last_complete_months, units_between, year_before
from etl.semantic import answers, rights
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.combine import in_order
from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant, every_province
from etl.warehouse import publications
from etl.warehouse.dimensions import CHOICES, FILTERS
from tests.access.scopes import FARS, ISFAHAN, NONE, TEHRAN, sign_in
from tests.access.test_scopes import arguments, province_of_county, random_places, registered
from tests.effort import draws
from tests.parts import PARTS, SCRIPT, opening
from ui.data import page_run, warehouse
from ui.i18n import member_names, text

pytestmark = pytest.mark.slow

QUESTIONS, ANALYSES, ADDRESSES = draws(120, 2000), draws(50, 500), draws(6, 500)
GROUPS, DAYS = draws(15, 40), draws(25, 60)


def person(sub: str, *grants: Grant) -> AccessScope:
    return AccessScope(sub, frozenset(grants))


OF_FARS = person("fars", Grant("province", frozenset({FARS})))
OF_ISFAHAN = person("isfahan", Grant("province", frozenset({ISFAHAN}), may_see_detail=True, may_export=True))
OF_BOTH = person("both", Grant("province", frozenset({FARS})), Grant("national", WHOLE_COUNTRY))
PEOPLE = (OF_FARS, OF_ISFAHAN, OF_BOTH, NONE)
# What an analysis gives by these is a total in time, a step of one, or a number of no province.
_TIMELIKE = {
    *TIME, "day", "step", "ahead", "event_date", "metric", "kind", "rule", "rank", "side", "force", "country", "counted",
    "counted_year", "sureness", "publication",
}  # fmt: skip


def foreign_rows(answer: Answer, scope: AccessScope, place_of: dict[str, str]) -> list[tuple[Any, ...]]:
    """The rows about a province outside of the scope by anything but time: read from the answer alone."""
    involved = {*answer.by, *answer.where} - _TIMELIKE
    if scope.sees_whole_country or involved <= {"province"} or involved <= {"origin"}:
        return []

    def places(row: tuple[Any, ...], name: str) -> set[Any]:
        if name in answer.by:
            return {row[answer.by.index(name)]}
        return set(answer.where.get(name, ()))

    def is_foreign(row: tuple[Any, ...]) -> bool:
        if {"province", "origin"} <= involved:
            return not any(places(row, name) <= scope.codes for name in ("province", "origin"))
        if named := places(row, "province") - {None}:
            return not named <= scope.codes
        below = {place_of.get(code) for name in ("county", "institute") for code in places(row, name)} - {None}
        return not below <= scope.codes

    return [row for row in answer.rows if is_foreign(row)]


def random_question(chance: random.Random, con: duckdb.DuckDBPyConnection) -> tuple[str, dict[str, Any]]:
    """A metric by up to three dimensions and time, under up to two filters; half of the places are foreign."""
    metric = chance.choice([metric for metric in catalogue().values() if not metric.hidden])
    dimensions = sorted(metric.dimensions - set(TIME))
    groups = sorted(metric.groups - set(TIME))
    by = chance.sample(groups, min(len(groups), chance.choice((0, 1, 1, 2, 2, 3))))
    if chance.random() < 0.2 and set(TIME) <= metric.dimensions:
        by.append(chance.choice(TIME))
    where: dict[str, tuple[str, ...]] = {}
    for name in chance.sample(dimensions, min(len(dimensions), chance.choice((0, 1, 1, 2)))):
        if name in ("province", "origin"):
            where[name] = tuple(chance.sample(sorted(every_province()), chance.choice((1, 2, 30))))
        elif name in ("county", "institute"):
            where[name] = random_places(chance, province_of_county() if name == "county" else registered(con), OF_FARS)
        elif name in CHOICES:
            where[name] = (chance.choice(sorted(set(CHOICES[name].values()))),)
    return metric.name, {"by": tuple(by), "where": where}


@pytest.mark.parametrize("scope", PEOPLE, ids=lambda scope: scope.sub)
def test_random_questions_give_nothing_about_another_province_but_totals_by_time(
    scope: AccessScope, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    if scope is NONE:
        with pytest.raises(AccessDenied):
            cursor_for(con, scope)
        return
    chance, place_of = random.Random(36), province_of_county() | registered(con)
    counts = {"cut": 0, "denied": 0, "open": 0}
    with cursor_for(con, scope) as cursor:
        for _ in range(QUESTIONS):
            name, question = random_question(chance, con)
            try:
                answer = ask(cursor, name, **question)
            except QuestionError as refused:
                counts["denied"] += isinstance(refused, AccessDenied)
                continue
            assert foreign_rows(answer, scope, place_of) == [], (name, question)
            assert answer.restricted <= scope.codes
            counts["cut"] += bool(answer.left_out)
            full_answer = ask(all_seeing, name, **question)
            if not answer.left_out and answer.where == full_answer.where:
                assert answer.rows == full_answer.rows
                counts["open"] += 1
            if answer.left_out and "province" in answer.by and "origin" not in {*answer.by, *answer.where}:
                at = answer.by.index("province")
                assert answer.rows == [row for row in full_answer.rows if row[at] in scope.codes]
    assert counts["open"] > QUESTIONS / 10
    assert scope is OF_BOTH or min(counts["cut"], counts["denied"]) > QUESTIONS / 20, counts


# ---------------------------------------------------------------- pages


@pytest.fixture
def answered(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answer]]:
    """Every Answer that a page takes from the warehouse, cached or not."""
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setenv("DETAIL_ROWS", "1")
    page_run.end()
    taken: list[Answer] = []
    results = warehouse.results

    def recorded(*args: Any) -> Any:
        result = results(*args)
        found = result.values() if isinstance(result, dict) else (getattr(result, "answer", result),)
        taken.extend(item for item in found if isinstance(item, Answer))
        return result

    monkeypatch.setattr(warehouse, "results", recorded)
    yield taken
    page_run.end()


def random_address(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """A part of a page with random filters, half of them of places, and parameters of its own."""
    provinces = sorted(every_province())
    names = [name for name in FILTERS if name in CHOICES and name != "province"]
    view: dict[str, Any] = {
        name: chance.choice(sorted(set(CHOICES[name].values())))
        for name in chance.sample(names, chance.choice((0, 0, 1, 2)))
    }
    if chance.random() < 0.6:
        view["province"] = chance.sample(provinces, chance.choice((1, 1, 2)))
    part = chance.choice(PARTS)
    if part == "explore":
        metric = chance.choice([metric for metric in catalogue().values() if not metric.hidden])
        view |= {"m": metric.name, "by": chance.sample(sorted(metric.dimensions), min(2, len(metric.dimensions)))}
    if part == "compare":
        view |= {"p": chance.choice(provinces), "q": chance.choice(provinces)}
    return part, view | ({"lang": "en"} if chance.random() < 0.5 else {})


def opened(part: str, view: dict[str, Any]) -> str:
    app = AppTest.from_string(SCRIPT, default_timeout=300)
    app._page_hash, tab = opening(part)
    for key, value in {**tab, **view}.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return "\n".join(element.proto.body for element in app.get("html"))


@pytest.mark.parametrize("scope", PEOPLE, ids=lambda scope: scope.sub)
def test_random_addresses_show_nothing_about_another_province_but_totals_by_time(
    scope: AccessScope, con: duckdb.DuckDBPyConnection, answered: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve() -> AccessScope:
        if not scope.grants:
            raise AccessDenied
        return scope

    monkeypatch.setattr(
        page_run, "_sign_in", page_run.SignIn(resolve, lambda *_: "", lambda *_, **__: None, lambda: ([], []))
    )
    chance, place_of = random.Random(36), province_of_county() | registered(con)
    for _ in range(ADDRESSES):
        part, view = random_address(chance)
        page = opened(part, view)
        assert "pd-error" not in page, (part, view)
        if scope is NONE:
            assert not answered
            assert text.word("sign_in.lost_title", view.get("lang", "fa")) in page
            continue
        assert "pd-trust" in page
        for answer in answered:
            assert answer.scope == scope.rights()
            assert foreign_rows(answer, scope, place_of) == [], (part, view, answer.by, answer.where)
        answered.clear()


def test_an_address_with_another_province_shows_its_totals(
    answered: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, OF_FARS)
    page = opened("overview", {"province": ISFAHAN, "lang": "en"})
    assert page.count('class="pd-panel"') == 3
    assert page.count('class="pd-card"') == 2
    assert "pd-error" not in page
    assert any(answer.where == {"province": (ISFAHAN,)} and answer.value() for answer in answered)


@pytest.mark.parametrize(
    ("scope", "view", "title"),
    [
        (OF_FARS, {"post": "manager", "province": FARS}, "sign_in.not_yours_title"),
        (OF_BOTH, {"education": "doctorate", "activity": "events"}, "state.empty_title"),
    ],
)
def test_a_group_in_which_nobody_is_counted_or_that_is_compared_with_the_nation_is_no_error(
    scope: AccessScope, view: dict[str, Any], title: str, answered: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, scope)
    page = opened("signals", view | {"lang": "en"})
    assert "pd-error" not in page
    assert text.word(title, "en") in page


def test_the_page_and_the_file_say_which_provinces_were_left_out(
    answered: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, OF_FARS)
    for lang in ("fa", "en"):
        page = opened("explore", {"m": "in_service", "by": ["province", "gender"], "lang": lang})
        assert text.escape(member_names.left_out(OF_FARS.others, lang)) in page
    whole = next(answer for answer in answered if answer.by == ("province", "gender"))
    assert {row[0] for row in whole.rows} == {FARS}
    assert whole.left_out == every_province() - {FARS}


# ---------------------------------------------------------------- computing what is not given


def groups_given(
    cursor: ScopedCursor, metric: str, dimensions: Sequence[str], **when: Any
) -> Iterator[tuple[dict[str, tuple[Any, ...]], float]]:
    """Every number of the metric by and under at most two of the dimensions: the members that it counts, and the count."""
    filters = [name for name in dimensions if name not in TIME]
    members = {name: ask(cursor.of_everybody, metric, by=(name,), **when).column(name) for name in filters}
    one = [{name: (code,)} for name in filters for code in members[name] if code is not None]
    for by, where in chain(
        ((by, {}) for size in range(3) for by in combinations(dimensions, size)),
        ((by, only) for only in one for by in [(), *((name,) for name in dimensions if name not in only)]),
        (((), first | second) for first, second in combinations(one, 2) if not first.keys() & second.keys()),
    ):
        try:
            answer = ask(cursor, metric, by=by, where=where, **when)
        except AccessDenied:
            continue
        for row in answer.rows:
            if row[len(by)] is not None:
                yield answer.where | {name: (row[at],) for at, name in enumerate(by)}, row[len(by)]


def computed_cells(
    cursor: ScopedCursor, metric: str, dimensions: tuple[str, str, str], most: int, **when: Any
) -> tuple[int, list[Any]]:
    """How many groups of other provinces were tried, and those that linear programming determines below their total."""
    full = ask(cursor.of_everybody, metric, by=dimensions, **when)
    table = {row[:3]: row[3] for row in full.rows}
    axes = [[code for (code,) in in_order({key[at : at + 1] for key in table})] for at in range(3)]
    cells = list(product(*axes))
    number = {cell: at for at, cell in enumerate(cells)}
    truth = np.array([table.get(cell, 0) for cell in cells], float)
    equations: dict[tuple[int, ...], float] = {}
    for chosen, count in groups_given(cursor, metric, dimensions, **when):
        within = [chosen.get(name, axes[at]) for at, name in enumerate(dimensions)]
        equations[tuple(sorted(number[cell] for cell in product(*within) if cell in number))] = count
    matrix = np.zeros((len(equations), len(cells)))
    for line, group in enumerate(equations):
        matrix[line, list(group)] = 1
    right = np.array([*equations.values()], float)
    assert np.allclose(matrix @ truth, right), "the numbers given add up"
    others = sorted(cursor.scope.others & set(axes[0]))
    # A group of a province, in each unit of time if that is asked for.
    parts = [(at, code, None) for at in (1, 2) if dimensions[at] not in TIME for code in axes[at]]
    parts += [(1, code, unit) for code in axes[1] for unit in axes[2] if dimensions[2] in TIME]
    groups = [(place, *part) for place in others for part in parts]
    telling = []
    for place, at, code, unit in groups:
        total = np.array([float(cell[0] == place and unit in (None, cell[2])) for cell in cells])
        aim = total * [cell[at] == code for cell in cells]
        # Nobody, and everybody of an open total, is no secret.
        if 0 < aim @ truth < total @ truth:
            telling.append((place, code, unit, aim))
    found = []
    for place, code, unit, aim in random.Random(1).sample(telling, min(most, len(telling))):
        bounds = [
            sign * linprog(sign * aim, A_eq=csr_array(matrix), b_eq=right, bounds=(0, None), method="highs").fun
            for sign in (1, -1)
        ]
        if bounds[1] - bounds[0] < 1e-6:
            found.append((place, code, unit, aim @ truth))
    return len(groups), found


# A metric, what it is split by, and the times between two of which few provinces change.
CHANGES = [
    ("in_service", ("gender", "education", "post"), "day"),
    ("judicial_officers", ("gender", "activity"), "month"),
    ("registered_institutes", ("activity", "status"), "month"),
    ("joiners", ("gender", "education"), "period"),
    ("training_compliance", ("gender", "post"), "day"),
]


def times(kind: str, as_of: date) -> list[dict[str, Any]]:
    """Neighbouring times of a question, the latest first."""
    days = [as_of - timedelta(days=at) for at in range(DAYS)]
    if kind == "month":
        days = [as_of, *(unit.last for unit in units_between(as_of - timedelta(days=1500), as_of, "month"))]
        days = sorted((day for day in days if day <= as_of), reverse=True)
    if kind == "period":
        first, last = last_complete_months(as_of, 12)
        return [{}, *({"over": (first, last - timedelta(days=at))} for at in range(DAYS))]
    return [{"on": day} for day in days]


def told(cursor: ScopedCursor, metric: str, name: str, code: str, when: dict[str, Any]) -> dict[str, float] | None:
    """The numbers of a group of all others together: the nation's less the own ones; None if the nation's are not given."""

    def numbers(by: tuple[str, ...], where: dict[str, tuple[str, ...]]) -> dict[str, float] | None:
        with suppress(AccessDenied):
            answer = ask(cursor, metric, by=by, where=where, **when)
            if answer.where == where:
                rows = [row for row in answer.records() if not by or row[name] == code]
                return {column: rows[0][column] if rows else 0 for column in answer.columns[len(by) :]}
        return None

    own = numbers((), {name: (code,), "province": tuple(cursor.scope.codes)})
    nation = numbers((name,), {}) or numbers((), {name: (code,)})
    if nation is None or own is None:
        return None
    return {
        column: nation[column] - (own[column] or 0)
        for column in nation
        if nation[column] is not None and catalogue()[column].unit != "share"
    }


@pytest.mark.parametrize(("metric", "names", "kind"), CHANGES, ids=[f"{one}-{kind}" for one, _, kind in CHANGES])
def test_between_two_times_no_change_of_another_province_is_told(
    metric: str, names: tuple[str, ...], kind: str, con: duckdb.DuckDBPyConnection
) -> None:
    """Totals are open: where those of a single other province changed, the others' group changed by that of this province."""
    found, compared = [], 0
    with cursor_for(con, OF_FARS) as cursor:
        asked = times(kind, cursor.publication.as_of)
        totals = [{row[0]: row[1:] for row in ask(cursor, metric, by=("province",), **when).rows} for when in asked]
        for (when, after), (earlier, before) in pairwise(zip(asked, totals, strict=True)):
            changed = {place for place in OF_FARS.others if after.get(place) != before.get(place)}
            if len(changed) != 1:
                continue
            compared += 1
            for name, code in ((dim, code) for dim in names for code in sorted({*CHOICES[dim].values()})):
                pair = [told(cursor, metric, name, code, time) for time in (when, earlier)]
                if None not in pair and pair[0] != pair[1]:
                    found.append((*changed, name, code, *pair))
    assert compared, "a single other province changes between some of these times"
    assert found == []


def of_nation(answer: Answer) -> bool:
    """Whether it holds a group of the nation; any other one says that it is of the own province, and what is left out."""
    if "province" not in answer.where:
        return True
    assert (answer.where["province"], answer.left_out) == ((FARS,), OF_FARS.others)
    return False


def test_a_group_of_the_nation_has_one_time(con: duckdb.DuckDBPyConnection) -> None:
    """Of every metric: neither by time, nor at another one, nor with a number beside it that is of another one."""
    with cursor_for(con, OF_FARS) as cursor:
        as_of = cursor.publication.as_of
        first, last = last_complete_months(as_of, 12)
        assert last < as_of, "the end of the period is another day"
        given = set()
        for metric in catalogue().values():
            name = next((one for one in sorted(metric.dimensions) if one in CHOICES and one != "province"), "")
            if not name:
                continue
            of = {name: (sorted({*CHOICES[name].values()})[0],)}
            is_event = metric.kind == "event"
            others: list[dict[str, Any]] = [{"over": (first, as_of)}] if is_event else [{"on": last}]
            others += [{"over": (first, last), "by": ("month",)}] if {*TIME} <= metric.dimensions else []
            for when, by, where in product(others, ((), (name,)), ({}, of)):
                if by or where:
                    asked = {**when, "by": (*by, *when.get("by", ()))}
                    with suppress(QuestionError):
                        assert not of_nation(ask(cursor, metric.name, where=where, **asked)), (metric.name, asked)
            for by, where in (((name,), {}), ((), of)):
                with suppress(QuestionError):
                    answer = ask(cursor, metric.name, by=by, where=where)
                    if of_nation(answer):
                        given.add(metric.name)
        # Of two days, or of the end of the period.
        assert not given & {"leaver_rate_12m", "in_service_mean_12m", "in_service_12m_ago"}
        assert not given & {"net_change", "training_hours", "active_at_end"}
        assert {"in_service", "registered_institutes", "training_compliance", "joiners"} <= given


def test_groups_of_the_nation_are_those_of_the_newest_publication(revised_register: Path) -> None:
    older, newer = publications.versions(revised_register)
    for file, is_given in ((older, False), (newer, True)):
        with publications.connect(file) as con, cursor_for(con, OF_FARS) as cursor:
            assert of_nation(ask(cursor, "in_service", by=("gender",))) == is_given
            assert ask(cursor, "in_service", by=("province",)).left_out == frozenset()


@pytest.mark.parametrize("name", sorted(name for name, one in registry.analyses().items() if not one.open_by_province))
def test_an_analysis_of_another_day_gives_no_group_of_the_nation(name: str, con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_FARS) as cursor:
        day = cursor.publication.as_of - timedelta(days=40)
        for more in ({"on": day}, {"on": day, "where": {"activity": ("escort",)}}):
            with suppress(QuestionError):
                answer = registry.analyse(cursor, name, **more)
                if "province" in answer.by:
                    assert {*answer.column("province")} <= {FARS, None}
                assert {*answer.where.get("province", ())} == {FARS}, more


def test_what_is_compared_is_of_the_same_people(con: duckdb.DuckDBPyConnection) -> None:
    """The nation today beside the own province a year before would be no change of anything."""
    women = (("gender", ("female",)),)
    with cursor_for(con, OF_FARS) as cursor:
        now, before = Side(cursor.publication.as_of), Side(year_before(cursor.publication.as_of))
        own = Side(now.on, (("province", (FARS,)),))
        assert not of_nation(compare(cursor, ["in_service"], before, now, women))
        assert of_nation(compare(cursor, ["in_service"], before, now))
        assert of_nation(compare(cursor, ["in_service"], own, now, women))
        for sides in ((own, before), (before, own)):
            with pytest.raises(AccessDenied):
                compare(cursor, ["in_service"], *sides, women)
        why = registry.analyse(cursor, "why", metric="in_service", before=before.on, by="gender")
        assert not of_nation(why)
        there = {"gender": ("female",), "province": (FARS,)}
        with pytest.raises(AccessDenied):
            registry.analyse(cursor, "differs", before.on, there, than=Side(before.on, women))


def test_a_card_of_a_group_of_the_nation_shows_no_change(
    answered: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {}
    for scope in (OF_FARS, OF_BOTH):
        sign_in(monkeypatch, scope)
        for view in ({}, {"gender": "female"}):
            page = opened("overview", {**view, "lang": "en"})
            assert "pd-error" not in page
            shown[scope, *view] = page.count("pd-spark"), len(re.findall("(?:on|from) a year earlier", page))
    assert shown[OF_FARS,] == shown[OF_BOTH,]
    # Institutes have no gender, and the settled leaver rate is of the own province with its months.
    assert shown[OF_BOTH, "gender"] > shown[OF_FARS, "gender"] == (2, 2), shown


SPLITS = [
    ("registered_institutes", ("province", "activity", "status")),
    ("registered_institutes", ("province", "activity", "smart")),
    ("joiners", ("province", "gender", "education")),
    ("leavers", ("province", "post", "gender")),
    ("joiners", ("province", "gender", "month")),
    ("leavers", ("province", "activity", "month")),
]


@pytest.mark.parametrize(
    ("metric", "dimensions"), SPLITS, ids=lambda value: "-".join(value) if isinstance(value, tuple) else value
)
def test_no_group_of_another_province_can_be_computed(
    metric: str, dimensions: tuple[str, str, str], con: duckdb.DuckDBPyConnection
) -> None:
    almost_all = person("almost", Grant("province", every_province() - {FARS, ISFAHAN}))
    for scope in (OF_FARS, almost_all):
        with cursor_for(con, scope) as cursor:
            _, found = computed_cells(cursor, metric, dimensions, GROUPS)
            assert found == [], scope.sub


def computed_changes(cursor: ScopedCursor, metric: str, name: str, days: Sequence[date], most: int) -> list[Any]:
    """The changes of groups of other provinces that linear programming determines from the answers of several days.

    Who sees that the total of a province has not changed takes its groups for unchanged.
    """
    places, codes = sorted(every_province()), sorted({*CHOICES[name].values()})
    number = {cell: at for at, cell in enumerate(product(places, codes, days))}
    equations: list[tuple[dict[int, float], float]] = []

    def given(chosen: Sequence[tuple[str, str, date]], value: float) -> None:
        equations.append(({number[cell]: 1.0 for cell in chosen}, value))

    totals: dict[date, dict[str, float]] = {}
    for day in days:
        totals[day] = dict(ask(cursor, metric, by=("province",), on=day).rows)
        for place in places:
            given([(place, code, day) for code in codes], totals[day].get(place, 0))
        for where in ({}, {"province": tuple(cursor.scope.codes)}):
            answer = ask(cursor, metric, by=(name,), on=day, where=where)
            counts = dict(answer.rows)
            for code in codes:
                within = answer.where.get("province", places)
                given([(place, code, day) for place in within], counts.get(code, 0) or 0)
    changes = []
    for day, before in pairwise(days):
        for place in sorted(cursor.scope.others):
            if totals[day].get(place) != totals[before].get(place):
                changes += [(place, code, day, before) for code in codes]
                continue
            for code in codes:
                equations.append(({number[place, code, day]: 1.0, number[place, code, before]: -1.0}, 0.0))
    matrix = np.zeros((len(equations), len(number)))
    for line, (cells, _) in enumerate(equations):
        matrix[line, list(cells)] = list(cells.values())
    right, found = np.array([value for _, value in equations], float), []
    for place, code, day, before in random.Random(1).sample(changes, min(most, len(changes))):
        aim = np.zeros(len(number))
        aim[[number[place, code, day], number[place, code, before]]] = 1, -1
        low, high = (
            sign * linprog(sign * aim, A_eq=csr_array(matrix), b_eq=right, bounds=(0, None), method="highs").fun
            for sign in (1, -1)
        )
        if high - low < 1e-6 and abs(low) > 1e-6:
            found.append((place, code, day, low))
    return found


@pytest.mark.parametrize(
    ("metric", "name"), [("registered_institutes", "activity"), ("licensed_institutes", "activity")]
)
def test_no_change_of_another_province_can_be_computed_from_answers_of_several_days(
    metric: str, name: str, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cursor_for(con, OF_FARS) as cursor:
        as_of = cursor.publication.as_of
        days = [as_of - timedelta(days=at) for at in range(0, 90, 15)]
        totals = {day: dict(ask(cursor, metric, by=("province",), on=day).rows) for day in days}
        # Those before which something changes.
        days = [as_of, *(day for later, day in pairwise(days) if totals[day] != totals[later])][:4]
        assert computed_changes(cursor, metric, name, days, 24) == []
        monkeypatch.setattr(answers, "is_of_one_time", lambda *_: True)
        assert computed_changes(cursor, metric, name, days, 24)


def test_the_search_finds_a_group_where_one_other_province_is_left(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "FEWEST_OTHERS", 0)
    monkeypatch.setattr(answers, "FEWEST_OTHERS", 0)
    with cursor_for(con, person("all but one", Grant("province", every_province() - {TEHRAN}))) as cursor:
        _, found = computed_cells(cursor, "joiners", ("province", "gender", "education"), GROUPS)
    assert found


def test_seats_in_another_province_tell_nothing(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_FARS) as cursor:
        course = registry.analyse(cursor, "seats_now").column("course")[0]
        assert registry.analyse(cursor, "compliance", scenario=Scenario(seats={(FARS, course): 5.0})).rows
        with pytest.raises(AccessDenied):
            registry.analyse(cursor, "compliance", scenario=Scenario(seats={(ISFAHAN, course): 5.0}))


def random_arguments(chance: random.Random, name: str, con: ScopedCursor) -> dict[str, Any]:
    """Further arguments of an analysis, each given or not."""
    metrics = [metric for metric in catalogue().values() if not metric.hidden]
    as_of = con.publication.as_of

    def day() -> date:
        return as_of - timedelta(days=chance.randrange(700))

    def places(least: int) -> tuple[str, ...]:
        return tuple(chance.sample(sorted(every_province()), chance.choice((least, 1, 2))))

    made: dict[str, Callable[[], Any]] = {
        "metric": lambda: chance.choice(metrics).name,
        "name": lambda: chance.choice(metrics).name,
        "by": lambda: chance.choice(["province", "nation", "course", "", *CHOICES]),
        "over": lambda: (start := day(), min(as_of, start + timedelta(days=chance.choice((0, 6, 30, 365))))),
        "goal": lambda: chance.choice((0.5, 0.95, 20_000)),
        "least": lambda: chance.choice((0, 1, 20)),
        "smallest": lambda: chance.choice((0, 23)),
        "recruits": lambda: chance.choice((0, 5, 3000)),
        "until": lambda: as_of + timedelta(days=chance.randrange(900)),
        "than": lambda: Side(day(), (("province", places(1)),) if chance.random() < 0.5 else ()),
        "before": day,
        "against": lambda: chance.choice(
            ("nation", f"province={chance.choice(sorted(every_province()))}", "gender=male")
        ),
        "scenario": lambda: Scenario(
            recruits=chance.randrange(500), seats={(chance.choice((FARS, ISFAHAN, "")), "x"): 9}
        ),
    }
    known = inspect.signature(registry.named(name).run).parameters
    more = {key: make() for key, make in made.items() if key in known and chance.random() < 0.6}
    return arguments(name, con) | more | ({"on": day()} if chance.random() < 0.3 else {})


@pytest.mark.parametrize("scope", PEOPLE[:-1], ids=lambda scope: scope.sub)
def test_random_analyses_give_nothing_about_another_province_but_totals_by_time(
    scope: AccessScope, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    chance, place_of = random.Random(37), province_of_county() | registered(con)
    counts = {"answered": 0, "own": 0, "denied": 0}
    with cursor_for(con, scope) as cursor:
        for name in random.Random(3).choices(sorted(registry.analyses()), k=ANALYSES):
            more = random_arguments(chance, name, all_seeing)
            filters = sorted(registry.filters(name) & CHOICES.keys())
            where = {
                filter_: tuple(chance.sample(sorted(set(CHOICES[filter_].values())), 1))
                for filter_ in chance.sample(filters, min(len(filters), chance.choice((0, 1, 1, 2))))
            }
            try:
                answer = registry.analyse(cursor, name, where=where, **more)
            except QuestionError as refused:
                counts["denied"] += isinstance(refused, AccessDenied)
                continue
            asked = (name, where, more)
            assert foreign_rows(answer, scope, place_of) == [], asked
            assert answer.restricted <= scope.codes
            if answer.where.get("province") and {*answer.where["province"]} <= scope.codes:
                # What the answer says it is of: counted a second time under all rights.
                full = registry.analyse(all_seeing, name, where=answer.where, **more)
                assert answer.rows == full.rows, asked
            counts["answered"] += 1
            counts["own"] += answer.where.get("province") == tuple(sorted(scope.codes)) != where.get("province")
    assert counts["answered"] > ANALYSES / 4, counts
    assert scope is OF_BOTH or (counts["own"] > 3 and counts["denied"]), counts


# Analyses that count rows: the further arguments, the number, and what it is told for each of.
COUNTED = [
    ("endings", {"by": "nation"}, "endings", ("activity",)),
    ("run_off", {}, "lapsing", ("gender", "education", "post", "activity")),
    ("queue", {}, "queue_files", ("activity",)),
    ("licensing_times", {}, "files_complete", ("activity",)),
]


@pytest.mark.parametrize(("name", "more", "number", "groups"), COUNTED, ids=[name for name, *_ in COUNTED])
def test_rows_that_an_analysis_counts_tell_no_group_of_another_province(
    name: str, more: dict[str, Any], number: str, groups: Sequence[str], con: duckdb.DuckDBPyConnection
) -> None:
    """A group of the nation less that of the own province, where a single other province has any in total."""

    def counted(cursor: ScopedCursor, where: dict[str, tuple[str, ...]]) -> tuple[Answer, dict[Any, float]]:
        answer = registry.analyse(cursor, name, None, where, **more)
        records = answer.records()
        if name == "run_off":
            for earlier, row in pairwise(records):
                row[number] = earlier["compliant_assistants"] - row["compliant_assistants"]
            records = records[1:]
        return answer, {tuple(row[by] for by in answer.by): row[number] or 0 for row in records}

    found = []
    with cursor_for(con, OF_FARS) as cursor:
        totals = {place: counted(cursor, {"province": (place,)})[1] for place in sorted(OF_FARS.others)}
        for group, code in [(name, code) for name in groups for code in sorted({*CHOICES[name].values()})]:
            answer, nation = counted(cursor, {group: (code,)})
            if "province" in answer.where:
                assert (answer.where["province"], answer.left_out) == ((FARS,), OF_FARS.others)
                continue
            _, own = counted(cursor, {group: (code,), "province": (FARS,)})
            for at, count in nation.items():
                having = [place for place, total in totals.items() if total.get(at)]
                if len(having) == 1 and count - own.get(at, 0):
                    found.append((having[0], group, code, at, count - own.get(at, 0)))
    assert found == []


def test_where_two_other_provinces_submitted_no_analysis_shows_them_together(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "FEWEST_OTHERS", 31)
    with cursor_for(con, OF_FARS) as cursor:
        for name in ("survival", "survival_by_post", "seats", "institute_survival", "licensing_cohort", "compliance"):
            for where in ({}, {"gender": ("female",)}):
                with suppress(QuestionError):
                    answer = registry.analyse(cursor, name, None, where)
                    assert (answer.where["province"], answer.left_out) == ((FARS,), OF_FARS.others), name


@pytest.mark.parametrize("name", sorted(registry.analyses()))
def test_an_analysis_gives_another_province_totals_or_nothing(
    name: str, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    place_of = province_of_county() | registered(con)
    more = arguments(name, all_seeing)
    with cursor_for(con, OF_FARS) as cursor:
        for where in (
            {},
            {"province": (ISFAHAN,)},
            {"gender": ("female",)},
            {"province": (ISFAHAN,), "gender": ("female",)},
        ):
            try:
                answer = registry.analyse(cursor, name, None, where, **more)
            except QuestionError:
                continue
            assert foreign_rows(answer, OF_FARS, place_of) == [], where
            if ISFAHAN in answer.where.get("province", ()):
                assert registry.analyses()[name].open_by_province
                full = registry.analyse(all_seeing, name, None, where, **more)
                assert answer.rows == full.rows
