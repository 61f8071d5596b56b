"""About another province nothing is given but open totals, and nothing smaller can be computed from all that is given."""

import inspect
import random
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import date, timedelta
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array
from streamlit.testing.v1 import AppTest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.analysis import analyses
from etl.analysis.comparison import Side, compare, over_time
from etl.analysis.planning import Scenario
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import last_complete_months, year_before
from etl.semantic import answers
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.combine import in_order
from etl.semantic.open_totals import is_open
from etl.semantic.rights import ADMINISTRATOR, AccessScope, Grant, every_province
from etl.warehouse import publications
from etl.warehouse.dimensions import CHOICES, FILTERS
from tests import parts
from tests.access.scopes import FARS, ISFAHAN, NATIONAL, NONE, OF_TEHRAN, OF_TWO, TEHRAN, names_of, sign_in
from tests.access.test_scopes import arguments, province_of_county, random_places, registered
from tests.effort import draws, thorough
from tests.parts import PARTS, SCRIPT, opening
from ui.components import blocks
from ui.data import page_run, warehouse
from ui.i18n import member_names, text

pytestmark = pytest.mark.slow

QUESTIONS, ANALYSES, ADDRESSES, CELLS = draws(100, 2000), draws(25, 500), draws(6, 500), draws(6, 60)
# Pairs of filters under which a measure is asked.
PAIRS = draws(30, 10_000)
# What a test of other provinces is not given with: their sides are.
OF_A_TEST = ("p_value", "institutes_compared")
RANKS = ("coverage_rank", "coverage_rank_on_census", "is_moved")
OF_FARS = AccessScope("fars", frozenset({Grant("province", frozenset({FARS}))}))
PEOPLE = (NATIONAL, OF_TWO, OF_FARS, NONE)
# What an analysis gives by these is a total in time, a step of one, or a number of no province.
_TIMELIKE = {
    *TIME, "day", "step", "ahead", "event_date", "announced_on",
    "metric", "kind", "rule", "rank", "side", "force", "country", "counted",
    "counted_year", "sureness", "publication",
}  # fmt: skip


# By these a report counts rejected rows, read through the views of the scope (tests/access/test_scopes.py).
_OF_REPORTS = {"source", "reason", "column", "file"}


def foreign_rows(answer: Answer, scope: AccessScope, place_of: dict[str, str]) -> list[tuple[Any, ...]]:
    """The rows that hold more than open totals and are not of the own provinces: read from the answer alone."""
    by, where = {*answer.by} - _TIMELIKE, {*answer.where}
    if scope.sees_whole_country or (by <= {"province"} and where <= {"province"}):
        return []
    if by and by <= _OF_REPORTS and answer.restricted == scope.codes:
        return []

    def places(row: tuple[Any, ...], name: str) -> set[Any]:
        if name in answer.by:
            return {row[answer.by.index(name)]}
        return set(answer.where.get(name, ()))

    def is_foreign(row: tuple[Any, ...]) -> bool:
        if {"province", "origin"} <= by | where:
            return not any(places(row, name) <= scope.codes for name in ("province", "origin"))
        if named := (places(row, "province") | places(row, "origin")) - {None}:
            return not named <= scope.codes
        below = {place_of.get(code) for name in ("county", "institute") for code in places(row, name)} - {None}
        return not below or not below <= scope.codes

    # Of places that nobody knows only those of the own filters are shown.
    is_own = bool(answer.where.get("province")) and {*answer.where["province"]} <= scope.codes
    return [] if is_own else [row for row in answer.rows if is_foreign(row)]


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
def test_random_questions_give_nothing_about_others_but_open_totals(
    scope: AccessScope, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    if scope is NONE:
        with pytest.raises(AccessDenied):
            cursor_for(con, scope)
        return
    chance, place_of = random.Random(36), province_of_county() | registered(con)
    counts = {"cut": 0, "denied": 0, "whole": 0}
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
            # What it says that it is of, counted a second time under all rights.
            full = ask(all_seeing, name, by=question["by"], where=answer.where)
            is_pairs = {"province", "origin"} <= {*question["by"], *answer.where}
            assert answer.rows == full.rows or (is_pairs and {*answer.rows} < {*full.rows})
            counts["cut"] += bool(answer.left_out)
            whole = full if answer.where == question["where"] else ask(all_seeing, name, **question)
            counts["whole"] += answer.where == whole.where
    assert counts["whole"] > QUESTIONS / 10
    assert scope is NATIONAL or min(counts["cut"], counts["denied"]) > QUESTIONS / 20, counts


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
    known = inspect.signature(analyses.find(name).run).parameters
    more = {key: make() for key, make in made.items() if key in known and chance.random() < 0.6}
    return arguments(name, con) | more | ({"on": day()} if chance.random() < 0.3 else {})


@pytest.mark.parametrize("scope", PEOPLE[:-1], ids=lambda scope: scope.sub)
def test_random_analyses_give_nothing_about_others_but_open_totals(
    scope: AccessScope, con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    chance, place_of = random.Random(37), province_of_county() | registered(con)
    counts = {"open": 0, "own": 0, "denied": 0}
    with cursor_for(con, scope) as cursor:
        for name in random.Random(3).choices(sorted(analyses.by_name()), k=ANALYSES):
            more = random_arguments(chance, name, all_seeing)
            filters = sorted(analyses.filters(name) & {*CHOICES})
            where = {
                filter_: tuple(chance.sample(sorted(set(CHOICES[filter_].values())), 1))
                for filter_ in chance.sample(filters, min(len(filters), chance.choice((0, 0, 1, 2))))
            }
            try:
                answer = analyses.analyse(cursor, name, where=where, **more)
            except QuestionError as refused:
                counts["denied"] += isinstance(refused, AccessDenied)
                continue
            asked = (name, where, more)
            assert foreign_rows(answer, scope, place_of) == [], asked
            assert answer.restricted <= scope.codes
            full = analyses.analyse(all_seeing, name, where=answer.where if answer.left_out else where, **more)
            known = [column for column in answer.columns if column not in OF_A_TEST or answer.restricted]
            if answer.restricted and scope is not NATIONAL and not is_open((), {*where}):
                # A rank among all provinces tells of the others.
                assert {row.get(column) for row in answer.records() for column in RANKS} <= {None}, asked
                known = [column for column in known if column not in RANKS]
            assert [[row[one] for one in known] for row in answer.records()] == [
                [row[one] for one in known] for row in full.records()
            ], asked
            counts["own" if answer.restricted else "open"] += 1
    assert counts["own"] > ANALYSES / 5, counts
    assert counts["open"] > ANALYSES / 10, counts


def test_who_is_behind_the_nation_is_open_without_p_values(
    con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    with cursor_for(con, OF_FARS) as cursor:
        mine, full = (analyses.analyse(one, "different").records() for one in (cursor, all_seeing))
        assert len(mine) == 31
        assert mine == [row | dict.fromkeys(OF_A_TEST) for row in full]
        change, all_change = (analyses.analyse(one, "differs").value("p_value") for one in (cursor, all_seeing))
        assert change is None
        assert all_change is not None
        counties = analyses.analyse(cursor, "different", by="county")
        assert counties.where == {"province": (FARS,)}
        assert counties.rows == analyses.analyse(all_seeing, "different", None, counties.where, by="county").rows
        for name, more in (("different", {}), ("level_signals", {}), ("change_signals", {})):
            for where in ({"gender": ("female",)}, {"gender": ("female",), "province": (FARS,)}):
                with pytest.raises(AccessDenied):
                    analyses.analyse(cursor, name, None, where, **more)


def test_two_days_of_a_group_are_of_the_own_and_a_place_is_not_compared_with_the_nation(
    con: duckdb.DuckDBPyConnection, all_seeing: ScopedCursor
) -> None:
    women = (("gender", ("female",)),)
    with cursor_for(con, OF_FARS) as cursor:
        now, before = Side(cursor.publication.as_of), Side(year_before(cursor.publication.as_of))
        own, median = (replace_side(now, where) for where in ((("province", (FARS,)),), None))
        assert (
            compare(cursor, ["in_service"], before, now).rows == compare(all_seeing, ["in_service"], before, now).rows
        )
        of_own = compare(cursor, ["in_service"], before, now, women)
        assert (of_own.where["province"], of_own.left_out) == ((FARS,), OF_FARS.others)
        assert compare(cursor, ["in_service"], own, median).rows
        over = last_complete_months(now.on, 12)
        for sides in ((own, now), (now, own), (own, median)):
            assert compare(cursor, ["in_service"], *sides).rows
            with pytest.raises(AccessDenied):
                compare(cursor, ["in_service"], *sides, women)
            with pytest.raises(AccessDenied):
                over_time(cursor, "in_service", [("a", sides[0]), ("b", sides[1])], over, women)
        of_fars = {"gender": ("female",), "province": (FARS,)}
        with pytest.raises(AccessDenied):
            analyses.analyse(cursor, "differs", None, of_fars, than=Side(before.on, women))
        with pytest.raises(AccessDenied):
            analyses.analyse(cursor, "why", None, of_fars, metric="in_service", against="nation", by="post")
        why = analyses.analyse(cursor, "why", metric="in_service", before=before.on, by="gender")
        assert why.where == {"province": (FARS,)}


def replace_side(side: Side, where: Any) -> Side:
    """The side of a place; without one that of the median of all provinces."""
    return Side(side.on, where or (), is_median=where is None)


def test_seats_in_another_province_or_of_all_tell_nothing(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_FARS) as cursor:
        course = analyses.analyse(cursor, "seats_now").column("course")[0]
        for place in (FARS, ""):
            planned = analyses.analyse(cursor, "compliance", scenario=Scenario(seats={(place, course): 5.0}))
            assert planned.where == {"province": (FARS,)}
            entered = analyses.analyse(cursor, "seat_plan_months", entered=((place, course, 5.0),))
            assert entered.where == {"province": (FARS,)}
        assert analyses.analyse(cursor, "seat_plan_months").where == {}
        with pytest.raises(AccessDenied):
            analyses.analyse(cursor, "compliance", scenario=Scenario(seats={(ISFAHAN, course): 5.0}))
        with pytest.raises(AccessDenied):
            analyses.analyse(cursor, "seat_plan_months", entered=((ISFAHAN, course, 5.0),))


# ---------------------------------------------------------------- pages


@pytest.fixture
def answered(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answer]]:
    """Every Answer that a page takes from the warehouse, cached or not."""
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setenv("DETAIL_ROWS", "1")
    page_run.end()
    # What an earlier page still prefetches is for its own reader: wait until no thread asks.
    threads = page_run._askers._max_workers
    free = threading.Barrier(threads)
    for waiting in [page_run._askers.submit(free.wait) for _ in range(threads)]:
        waiting.result()
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


def test_the_query_and_the_rows_of_people_match_the_rights_of_the_viewer(
    answered: list[Answer], guarded: dict[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened_one(_lang: str, _label: str, key: str, inside: Callable[[], object]) -> None:
        if key == "what-institutes":
            inside()

    monkeypatch.setattr(blocks, "popover", opened_one)
    own, other = (member_names.of("province", code, "en") for code in (TEHRAN, ISFAHAN))
    for scope in (OF_TEHRAN, NATIONAL):
        sign_in(monkeypatch, scope)
        app = parts.opened("register", lang="en")
        (query,) = (code.value for code in app.code)
        (table,) = (
            body
            for body in (element.proto.body for element in app.get("html"))
            if "Staff records" in body and "<tbody" in body
        )
        people = re.findall("<tr.*?</tr>", table.partition("<tbody")[2], re.DOTALL)
        assert "select" in query
        assert len(people) > 10
        if scope is OF_TEHRAN:
            assert set(re.findall(r"IR-\d\d", query)) == {TEHRAN}
            assert all(own in row for row in people)
            shown = (parts.html(app) + query).encode()
            assert not [name for place in guarded if place != TEHRAN for name in names_of(place, guarded, shown)]
        else:
            assert "IR-" not in query
            assert not any(name in row for name in (own, other) for row in people[:10]), (
                "the first are of another province"
            )


@pytest.mark.parametrize("scope", PEOPLE, ids=lambda scope: scope.sub)
def test_random_addresses_show_nothing_about_others_but_open_totals(
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
    seen = 0
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
        seen += len(answered)
        answered.clear()
    assert scope is NONE or seen > ADDRESSES


def test_an_address_with_another_province_shows_its_totals(
    answered: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, OF_FARS)
    page = opened("overview", {"province": ISFAHAN, "lang": "en"})
    assert page.count('class="pd-panel"') == 3
    assert "pd-error" not in page
    assert any(answer.where == {"province": (ISFAHAN,)} and answer.value() for answer in answered)


@pytest.mark.parametrize("part", ["overview", "training", "workforce", "coverage"])
def test_under_a_filter_the_page_says_that_the_nation_is_not_open_and_shows_the_own(
    part: str, answered: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = {lang: text.word("sign_in.nation_closed", lang) for lang in ("fa", "en")}
    open_to = ((OF_FARS, {}), (OF_FARS, {"province": FARS}), (NATIONAL, {"gender": "female"}))
    for (lang, words), (scope, filters) in list(product(closed.items(), open_to))[:: draws(2, 1)]:
        sign_in(monkeypatch, scope)
        assert words not in opened(part, filters | {"lang": lang})
    sign_in(monkeypatch, OF_FARS)
    closed_to = ({"gender": "female"}, {"gender": "female", "province": FARS})
    for (lang, words), filters in list(product(closed.items(), closed_to))[:: draws(3, 1)]:
        answered.clear()
        page = opened(part, filters | {"lang": lang})
        assert words in page
        (said,) = re.findall('class="pd-said"[^>]*>(.*?)</p>', page)
        assert member_names.of("province", FARS, lang) in said
        assert text.word("scope.nation", lang) not in said
        assert text.word("sign_in.not_yours_title", lang) not in page
        of_women = [answer for answer in answered if "gender" in answer.where]
        assert of_women
        assert {answer.where.get("province") for answer in of_women} == {(FARS,)}


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
    members = {name: ask(cursor.under(ADMINISTRATOR), metric, by=(name,), **when).column(name) for name in filters}
    # The groups of an own province are also given by province: only a few are asked for under it.
    left = {None, *sorted(cursor.scope.codes)[draws(3, 31) :]}
    one = [{name: (code,)} for name in filters for code in members[name] if code not in left]
    pairs = [first | second for first, second in combinations(one, 2) if not first.keys() & second.keys()]
    for by, where in chain(
        ((by, {}) for size in range(3) for by in combinations(dimensions, size)),
        ((by, only) for only in one for by in [(), *((name,) for name in dimensions if name not in only)]),
        (((), pair) for pair in random.Random(metric).sample(pairs, min(PAIRS, len(pairs)))),
    ):
        try:
            answer = ask(cursor, metric, by=by, where=where, **when)
        except AccessDenied:
            continue
        for row in answer.rows:
            if row[len(by)] is not None:
                yield answer.where | {name: (row[at],) for at, name in enumerate(by)}, row[len(by)]


def determined(
    asked: Sequence[tuple[ScopedCursor, dict[str, Any]]],
    metrics: Sequence[str],
    dimensions: tuple[str, str, str],
    most: int,
) -> list[Any]:
    """The groups of other provinces that linear programming determines below their total.

    It knows the numbers given of each measure, each time it is `asked`, that each measure counts no more than the one before,
    and takes the groups of a province for unchanged where its total is.
    """
    truth: list[dict[tuple[Any, ...], float]] = []
    given: list[dict[tuple[Any, ...], float]] = []
    for cursor, when in asked:
        for metric in metrics:
            full = ask(cursor.under(ADMINISTRATOR), metric, by=dimensions, **when)
            truth.append({row[:3]: row[3] for row in full.rows})
    axes = [[code for (code,) in in_order({key[at : at + 1] for one in truth for key in one})] for at in range(3)]
    cells = list(product(*axes))
    others = sorted(asked[0][0].scope.others & {*axes[0]})
    equations: list[tuple[dict[int, float], float]] = []
    number = {key: at for at, key in enumerate(product(range(len(truth)), cells))}
    pairs = [(cursor, when, metric) for cursor, when in asked for metric in metrics]
    for at, (cursor, when, metric) in enumerate(pairs):
        given.append({})
        for chosen, count in groups_given(cursor, metric, dimensions, **when):
            within = [chosen.get(name, axes[axis]) for axis, name in enumerate(dimensions)]
            of_group = tuple(cell for cell in product(*within) if (at, cell) in number)
            given[at][of_group] = count
            equations.append(({number[at, cell]: 1.0 for cell in of_group}, count))
    totals = [{place: sum(n for cell, n in one.items() if cell[0] == place) for place in others} for one in truth]
    for at in range(len(metrics), len(truth)):
        before = at - len(metrics)
        same = {place for place in others if totals[at][place] == totals[before][place]}
        # Where it is wrong about that it computes nothing.
        same -= {cell[0] for cell in cells if truth[at].get(cell, 0) != truth[before].get(cell, 0)}
        equations += [({number[at, cell]: 1.0, number[before, cell]: -1.0}, 0.0) for cell in cells if cell[0] in same]
    known = np.array([truth[at].get(cell, 0) for at, cell in number], float)
    lines = [line for line, (terms, _) in enumerate(equations) for _ in terms]
    matrix = csr_array(
        ([n for terms, _ in equations for n in terms.values()], (lines, [c for terms, _ in equations for c in terms])),
        shape=(len(equations), len(number)),
    )
    right = matrix @ known
    if catalogue()[metrics[0]].unit != "persons":
        # Who serves in two groups or places is one person: the answer says how many would be counted twice.
        assert np.allclose(right, [count for _, count in equations]), "the numbers given add up"
    nested = [(at, cell) for at, cell in number if at % len(metrics)]
    below = csr_array(
        (
            np.tile([1.0, -1.0], len(nested)),
            (
                np.repeat(np.arange(len(nested)), 2),
                [one for at, cell in nested for one in (number[at, cell], number[at - 1, cell])],
            ),
        ),
        shape=(len(nested), len(number)),
    )
    telling = []
    for at, place, axis in product(range(len(truth)), others, (1, 2)):
        for code in axes[axis]:
            aim = np.zeros(len(number))
            aim[[number[at, cell] for cell in cells if cell[0] == place and cell[axis] == code]] = 1
            # Nobody, and everybody of an open total, is no secret.
            if 0 < aim @ known < totals[at][place]:
                telling.append((at, place, code, aim))
    assert telling
    found = []
    for at, place, code, aim in random.Random(1).sample(telling, min(most, len(telling))):
        limits = {"A_ub": below, "b_ub": np.zeros(len(nested))} if nested else {}
        # The number itself is within the bounds: where one of them is away from it, the other tells no more.
        if all(
            abs(
                linprog(sign * aim, A_eq=matrix, b_eq=right, bounds=(0, None), method="highs", **limits).fun
                - sign * (aim @ known)
            )
            < 1e-6
            for sign in (1, -1)
        ):
            found.append((pairs[at][2], place, code, aim @ known))
    return found


SPLITS = [
    (("in_service", "active_assistants"), ("province", "gender", "education")),
    (("in_service", "active_assistants"), ("province", "post", "activity")),
    (("registered_institutes", "licensed_institutes"), ("province", "activity", "smart")),
    (("granted", "granted_timed"), ("province", "activity", "kind")),
    (("joiners",), ("province", "gender", "education")),
]


OF_28 = AccessScope("28", frozenset({Grant("province", every_province() - {FARS, ISFAHAN, TEHRAN})}))


@pytest.mark.parametrize(
    ("metrics", "dimensions", "scope"),
    [
        pytest.param(*split, scope, id="-".join((scope.sub, *chain(*split))), marks=[thorough] * ((at + number) % 2))
        for at, split in enumerate(SPLITS)
        for number, scope in enumerate((OF_28, OF_FARS))
    ],
)
def test_no_group_of_another_province_can_be_computed(
    metrics: tuple[str, ...], dimensions: tuple[str, str, str], scope: AccessScope, revised_register: Path
) -> None:
    with ExitStack() as kept:
        files = [kept.enter_context(publications.connect(one)) for one in publications.versions(revised_register)]
        cursors = [kept.enter_context(cursor_for(file, scope)) for file in files]
        asked = [(cursor, when) for cursor in cursors for when in times(metrics[0], cursor.publication.as_of)]
        assert determined(asked, metrics, dimensions, CELLS) == []


def times(metric: str, as_of: date) -> list[dict[str, Any]]:
    """Two neighbouring times of a question."""
    first, last = last_complete_months(as_of, 12)
    if catalogue()[metric].kind == "event":
        return [{"over": (first, last)}, {"over": (first, as_of)}]
    return [{"on": last}, {"on": as_of}]


def test_the_search_finds_a_group_where_groups_of_the_nation_are_given(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "narrow", lambda _con, _names, _by, where: (dict(where), frozenset()))
    monkeypatch.setattr(answers, "restricted", lambda *_: frozenset())
    all_but_one = AccessScope("30", frozenset({Grant("province", every_province() - {TEHRAN})}))
    with cursor_for(con, all_but_one) as cursor:
        assert determined([(cursor, {})], ("joiners",), ("province", "gender", "education"), CELLS)


def nation(cursor: ScopedCursor, metric: str, name: str) -> dict[Any, float] | None:
    """The nation's groups; None where they are not given."""
    with suppress(QuestionError):
        answer = ask(cursor, metric, by=(name,))
        if "province" not in answer.where:
            return {row[0]: row[1] for row in answer.rows}
    return None


def others(cursor: ScopedCursor, metric: str, name: str) -> dict[Any, float] | None:
    """The groups of all others together: the nation's less those of the own provinces; None where they are not given."""
    whole = nation(cursor, metric, name)
    if whole is None:
        return None
    own = dict(row[:2] for row in ask(cursor, metric, by=(name,), where={"province": tuple(cursor.scope.codes)}).rows)
    return {code: (count or 0) - (own.get(code) or 0) for code, count in whole.items()}


def totals(cursor: ScopedCursor, metric: str) -> dict[str, float]:
    return {row[0]: row[1] or 0 for row in ask(cursor, metric, by=("province",)).rows if row[0] in cursor.scope.others}


NESTED = [("in_service", "active_assistants"), ("granted", "granted_timed")]


def test_two_nested_measures_tell_no_group_of_another_province(con: duckdb.DuckDBPyConnection) -> None:
    """Where a single other province has any that only one of them counts, their difference is that province's."""
    found, tried = [], 0
    for outer, inner in NESTED:
        with cursor_for(con, OF_FARS) as cursor:
            whole, part = totals(cursor, outer), totals(cursor, inner)
        between = {place: count - part.get(place, 0) for place, count in whole.items()}
        nobody = [place for place, count in between.items() if not count and whole[place]][:2]
        for place in [place for place, count in between.items() if count] if len(nobody) == 2 else []:
            of_28 = AccessScope("28", frozenset({Grant("province", every_province() - {place, *nobody})}))
            tried += 1
            with cursor_for(con, of_28) as cursor:
                for name in sorted(
                    catalogue()[outer].groups & catalogue()[inner].groups & CHOICES.keys() - {"province"}
                ):
                    groups, fewer = (others(cursor, metric, name) for metric in (outer, inner))
                    if groups and fewer:
                        found += [(place, name, code) for code in groups if groups[code] != fewer.get(code, 0)]
    assert tried
    assert found == []


def test_a_warm_cache_gives_no_group_of_an_older_publication(
    small_register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointer = tmp_path / "warehouse.duckdb"

    def publish() -> None:
        with publications.building(pointer) as folder:
            shutil.copyfile(publications.current(small_register), folder / "built.duckdb")
            publications.publish(folder / "built.duckdb", pointer)

    monkeypatch.setenv("WAREHOUSE", str(pointer))
    page_run.end()
    answers = []
    for _ in range(2):
        publish()
        for path in publications.versions(pointer):
            with page_run.reading(str(path)), page_run.acting_as(OF_FARS):
                answers.append(warehouse.ask("in_service", by="gender"))
    page_run.end()
    assert len(answers) == 3
    assert [
        (answer.publication.id, answer.where.get("province"))
        for answer in answers
        if answer.where.get("province") != (FARS,)
    ] == []


def test_a_group_that_holds_everybody_tells_no_group_of_another_province(con: duckdb.DuckDBPyConnection) -> None:
    """Where all others are of one group, each of them is, and its total is that of the group."""
    found = []
    counted = ("persons", "institutes", "applications", "licences")
    metrics = [
        one for one in catalogue().values() if "province" in one.groups and one.unit in counted and not one.hidden
    ]
    with cursor_for(con, OF_FARS) as cursor:
        for metric in metrics:
            count = sum(totals(cursor, metric.name).values())
            for name in sorted(metric.groups & CHOICES.keys() - {"province"}):
                told = others(cursor, metric.name, name) or {}
                found += [(metric.name, name, code) for code, group in told.items() if group == count > 0]
    assert found == []


# ---------------------------------------------------------------- rights that were wider


def test_what_was_asked_under_wider_rights_is_not_given_after_them(
    revised_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question of a saved view, of a pinned address or of a token, asked again by who has fewer rights now."""
    monkeypatch.setenv("WAREHOUSE", str(revised_register))
    page_run.end()
    for path in publications.versions(revised_register):
        for by, where in (("gender", {}), ("county", {}), ("post", {"gender": ("female",)})):
            with page_run.reading(str(path)):
                with page_run.acting_as(NATIONAL):
                    assert warehouse.ask("in_service", by=by, where=where).where == where
                with page_run.acting_as(OF_FARS):
                    assert warehouse.ask("in_service", by=by, where=where).where == where | {"province": (FARS,)}
                with page_run.acting_as(NONE), pytest.raises(AccessDenied):
                    warehouse.ask("in_service", by=by, where=where)
    page_run.end()


def test_who_the_others_are_changes_no_answer_but_open_totals(
    con: duckdb.DuckDBPyConnection, small_register: Path, tmp_path: Path
) -> None:
    """Everybody elsewhere becomes a woman; a part of a measure is asked too."""
    other = tmp_path / "other.duckdb"
    shutil.copyfile(publications.current(small_register), other)
    questions = [({"by": ("gender",)}, "groups"), ({"where": {"gender": ("female",)}}, "dimensions")]
    with duckdb.connect(str(other)) as changed:
        tables = changed.execute(
            "select table_name from duckdb_columns() where column_name in ('gender', 'province') and not internal "
            "group by 1 having count(*) = 2"
        ).fetchall()
        for (table,) in tables:
            changed.execute(f"update {table} set gender = 'female' where province <> '{FARS}'")

        def changes(scope: AccessScope) -> set[str]:
            """The measures whose answers under a scope are others than before."""
            found = set()
            with cursor_for(con, scope) as before, cursor_for(changed, scope) as after:
                for metric in catalogue().values():
                    for question, kind in questions:
                        if "gender" in getattr(metric, kind):
                            with suppress(QuestionError):
                                one, two = (ask(cursor, metric.name, **question).rows for cursor in (before, after))
                                found |= {metric.name} if one != two else set()
            return found

        assert changes(OF_FARS) == set()
        assert len(changes(NATIONAL)) > 20, "a reader who may see the others sees the change"


def test_a_measure_without_provinces_lifts_the_limits_of_no_other(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_FARS) as cursor:
        assert ask(cursor, "transfers_in", by=("institute",)).left_out
        for names in (("joiners", "transfers_in"), ("transfers_in", "returned", "in_service")):
            with pytest.raises(AccessDenied):
                ask(cursor, *names, by=("institute",))
        (own, *_) = ask(cursor, "in_service", by=("institute",)).column("institute")
        with pytest.raises(AccessDenied):
            analyses.analyse(cursor, "bridge", where={"institute": (own,)})
