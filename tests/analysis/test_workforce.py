"""Who serves, how long they stay and where they move, compared with plain Python counts of the source files.

Survival is compared with three others: a published data set with its published curve, the numbers of the hand-made sample
in its README, and a product limit in exact fractions over the oracle's own joiners and leavers.
"""

import math
import random
import statistics
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from etl.analysis.survival import survival, survival_by_post
from etl.core.jalali import DAYS_A_MONTH
from etl.semantic import access, answers, rights
from etl.semantic.catalog import tables
from etl.warehouse import run_models, survival_curves
from etl.warehouse.dimensions import CELL
from etl.warehouse.survival_curves import LEAST, product_limit
from tests import loading
from tests.conftest import Sample
from tests.loading import build_tables, national_id, put, put_good
from tests.oracle import oracle
from tests.oracle.measures import Event, Spell, Where, active_spells, all_joiners, all_leavers, all_moves, spell_fits
from tests.oracle.read import add_months

pytestmark = pytest.mark.slow

BUILD_DAY = date(2026, 6, 30)
DAY = timedelta(days=1)

AGES = ((0, "18-24"), (25, "25-29"), (30, "30-34"), (35, "35-39"), (40, "40-44"), (45, "45-49"), (50, "50-54"))
AGES = (*AGES, (55, "55-59"), (60, "60+"))
TENURES = ((0, "00-01"), (12, "01-03"), (36, "03-05"), (60, "05-10"), (120, "10+"))


def grouped(events: list[Event]) -> dict[str, list[date]]:
    """The days of the events of each person."""
    days: dict[str, list[date]] = {}
    for event in events:
        days.setdefault(event.spell.person, []).append(event.day)
    return days


@dataclass
class Built:
    con: duckdb.DuckDBPyConnection
    load: oracle.Load
    data: oracle.Data

    @cached_property
    def births(self) -> dict[str, date]:
        return {row["national_id"]: row["birth_date"] for row in self.load.rows["personnel"]}

    @cached_property
    def joined(self) -> dict[str, list[date]]:
        """The days on which each person joined."""
        return grouped(all_joiners(self.data))

    @cached_property
    def left(self) -> dict[str, list[date]]:
        """The days on which each person left."""
        return grouped(all_leavers(self.data))

    def age(self, person: str, day: date) -> int:
        """Completed years, counted month by month from the month of birth."""
        born = self.births[person]
        return sum(1 for year in range(born.year + 1, day.year + 1) if (year, born.month) <= (day.year, day.month))


@pytest.fixture(scope="module", params=["by hand", "made up"])
def built(request: pytest.FixtureRequest, publish_sample: Callable[..., Sample]) -> Built:
    if request.param == "made up":
        return Built(request.getfixturevalue("con"), *request.getfixturevalue("source"))
    return Built(request.getfixturevalue("by_hand"), *oracle.read(publish_sample().folder, BUILD_DAY))


def sample_days(built: Built) -> list[date]:
    """The as-of day, and days of the years before it, the first of January among them."""
    as_of = built.data.as_of
    rng = random.Random(as_of.toordinal())
    return [as_of, date(as_of.year, 1, 1), *(as_of - timedelta(days=rng.randrange(1500)) for _ in range(4))]


FILTERS: list[dict[str, Any]] = [
    {},
    {"province": ["IR-30", "IR-23"]},
    {"post": ["guard", "operator"]},
    # Nobody on some days of the sample made by hand.
    {"gender": ["female"], "province": ["IR-30"]},
]


def as_filters(where: dict[str, Any]) -> Where:
    return {name: set(values) for name, values in where.items()}


def active(built: Built, day: date, where: dict[str, Any]) -> list[Spell]:
    return [spell for spell in active_spells(built.data, day) if spell_fits(spell, as_filters(where))]


def joined_on(built: Built, person: str, day: date) -> date:
    """The latest joining of a person up to a day."""
    return max(joined for joined in built.joined[person] if joined <= day)


def band(bands: tuple[tuple[int, str], ...], value: int) -> str:
    return next(name for least, name in reversed(bands) if value >= least)


# ---------------------------------------------------------------- who they are


@pytest.mark.parametrize("where", FILTERS)
def test_women_and_leaders_are_counted_as_in_the_files(built: Built, where: dict[str, Any]) -> None:
    for day in sample_days(built):
        spells = active(built, day, where)
        leading = {spell.person for spell in spells if spell.post in ("team_leader", "manager")}
        veterans = {s.person for s in spells if s.post in ("team_leader", "manager") and s.veteran}
        everyone, women = {s.person for s in spells}, {s.person for s in spells if s.members["gender"] == "female"}
        asked_for = ["leaders", "veteran_leaders", "veteran_leader_share"]
        answer = answers.ask(built.con, *asked_for, on=day, where=where)
        share = len(veterans) / len(leading) if leading else None
        assert answer.rows[0][:3] == (len(leading), len(veterans), share)
        if "gender" not in where:
            answer = answers.ask(built.con, "women", "women_share", on=day, where=where)
            assert answer.rows[0][:2] == (len(women), len(women) / len(everyone) if everyone else None)


@pytest.mark.parametrize("where", FILTERS)
def test_the_middle_age_and_tenure_count_each_person_once(built: Built, where: dict[str, Any]) -> None:
    for day in sample_days(built):
        people = {spell.person for spell in active(built, day, where)}
        age, tenure = answers.ask(built.con, "age_median", "tenure_median", on=day, where=where).rows[0][:2]
        if not people:
            assert (age, tenure) == (None, None)
            continue
        assert age == statistics.median(built.age(person, day) for person in people)
        days = statistics.median((day - joined_on(built, person, day)).days for person in people)
        assert math.isclose(tenure, days / DAYS_A_MONTH)


def test_age_bands_hold_the_right_people(built: Built) -> None:
    for day in sample_days(built):
        counts = dict(answers.ask(built.con, "active_assistants", by=("age_band",), on=day).rows)
        people = {spell.person for spell in active(built, day, {})}
        assert counts == Counter(band(AGES, built.age(person, day)) for person in people)


def test_on_the_first_of_january_only_those_born_in_january_grow_older(tmp_path: Path) -> None:
    folder = put_good(tmp_path / "incoming")
    people = [
        loading.row("personnel", national_id=national_id(at), birth_date=f"1990-{at:02}-17", hired_on="1391/01/01")
        for at in range(1, 13)
    ]
    put(folder, "personnel.csv", people)
    put(folder, "training.csv", [loading.row("training", national_id=national_id(1))])
    with access.connect(build_tables(folder).to, rights.ADMINISTRATOR) as con:
        for day, older in (
            (date(2014, 12, 31), 0),
            (date(2015, 1, 1), 1),
            (date(2015, 7, 1), 7),
            (date(2015, 12, 1), 12),
        ):
            counts = dict(answers.ask(con, "in_service", by=("age_band",), on=day).rows)
            assert (counts.get("18-24", 0), counts.get("25-29", 0)) == (12 - older, older)


def test_the_warehouse_knows_the_month_of_birth_and_not_the_day(built: Built) -> None:
    columns = built.con.execute(
        "select table_name, column_name from duckdb_columns() where column_name like '%birth%' and not internal"
    ).fetchall()
    assert {"service", "spells"} <= {table for table, _ in columns}
    assert {column for _, column in columns} == {"birth_month"}
    for table, column in columns:
        assert built.con.execute(f"from {table} where day({column}) <> 1").fetchall() == []


def test_tenure_bands_hold_the_right_people(built: Built) -> None:
    for day in sample_days(built):
        rows = answers.ask(built.con, "active_assistants", by=("tenure_band", "gender"), on=day).rows
        people = {(spell.person, spell.members["gender"]) for spell in active(built, day, {})}

        def served(person: str, day: date = day) -> int:
            """Whole months since joining."""
            start, months = joined_on(built, person, day), 0
            while add_months(start, months + 1) <= day:
                months += 1
            return months

        expected = Counter((band(TENURES, served(person)), gender) for person, gender in people)
        assert {(row[0], row[1]): row[2] for row in rows} == expected


# ---------------------------------------------------------------- transfers


def test_every_transfer_in_has_one_origin(built: Built) -> None:
    over = (date(2010, 1, 1), built.data.as_of)
    into = dict(answers.ask(built.con, "transfers_in", by=("province",), over=over).rows)
    transfers: Counter[str] = Counter()
    for origin, province, count in answers.ask(
        built.con, "transfers_between", by=("origin", "province"), over=over
    ).rows:
        assert origin != province
        transfers[province] += count
    assert {province: count for province, count in into.items() if count} == transfers


def test_the_origin_is_where_the_person_served_last(built: Built) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    unclear = 0
    for move in all_moves(built.data, "province")[0]:
        elsewhere = [
            spell
            for spell in built.data.spells_of[move.person]
            if spell.province != move.place and spell.hired_on <= move.day
        ]
        earlier = [spell for spell in elsewhere if spell.hired_on < move.day and spell.reaches(move.day)]
        last = {spell: min(spell.left_on or move.day, move.day - DAY) for spell in earlier or elsewhere}
        origins = {spell.province for spell in last if last[spell] == max(last.values())}
        unclear += len(origins) > 1
        expected[min(origins), move.place] += 1
    assert expected
    over = (date(2000, 1, 1), built.data.as_of)
    rows = answers.ask(built.con, "transfers_between", by=("origin", "province"), over=over).rows
    differing = sum((expected - Counter({(a, b): n for a, b, n in rows})).values())
    assert differing <= unclear


@pytest.mark.parametrize(
    ("spells", "origin"),
    [
        # the one served in last
        ([("A", "2020-01-01", "2021-01-01"), ("B", "2021-02-01", "2021-05-01")], "B"),
        ([("B", "2020-01-01", "2021-01-01"), ("A", "2021-02-01", "2021-05-01")], "A"),
        # a running spell precedes an ended one, however late that began
        ([("A", "2020-01-01", "9999-12-31"), ("B", "2021-02-01", "2021-05-01")], "A"),
        # of two running spells, the one begun later
        ([("A", "2021-02-01", "9999-12-31"), ("B", "2020-01-01", "2022-01-01")], "A"),
        # a province entered on the same day is none, unless nobody served in the 90 days before
        ([("A", "2020-01-01", "2021-06-01"), ("B", "2021-06-01", "9999-12-31")], "A"),
        ([("A", "2020-01-01", "2021-03-04"), ("B", "2021-06-01", "9999-12-31")], "A"),
        ([("A", "2020-01-01", "2021-03-03"), ("B", "2021-06-01", "9999-12-31")], "B"),
        # it begins after the transfer: no origin
        ([("A", "2020-01-01", "2021-01-01"), ("B", "2021-07-01", "9999-12-31")], "A"),
    ],
)
def test_the_origin_is_the_last_of_several_provinces(spells: list[tuple[str, str, str]], origin: str) -> None:
    con = duckdb.connect()
    con.execute("create table spells (person_id integer, province varchar, hired_on date, end_day date)")
    con.executemany("insert into spells values (1, ?, ?, ?)", [*spells, ("Z", "2021-06-01", "9999-12-31")])
    con.execute(
        "create table province_moves as select 1 as person_id, 'Z' as province, date '2021-06-01' as day, "
        "'transferred_in' as move"
    )
    rows = con.execute(run_models.models()["transfers"]).fetchall()
    assert rows == [(1, date(2021, 6, 1), "Z", origin)]


# ---------------------------------------------------------------- courses


def test_results_and_pass_rate_are_those_of_the_files(built: Built) -> None:
    first, last = add_months(built.data.as_of, -18), built.data.as_of
    rows = [row for row in built.load.rows["training"] if first <= row["completed_on"] <= last]
    for course in {row["course_code"] for row in rows}:
        here = [row["result"] == "passed" for row in rows if row["course_code"] == course]
        answer = answers.ask(built.con, "course_results", "pass_rate", over=(first, last), where={"course": [course]})
        assert answer.rows[0][:2] == (len(here), sum(here) / len(here))
    passes = answers.ask(built.con, "results_passed", over=(first, last)).value()
    assert passes == answers.ask(built.con, "completions", over=(first, last)).value()


# ---------------------------------------------------------------- survival

# Weeks in remission of 21 children treated with 6-MP, + censored (Freireich and others, 1963), and the curve as textbooks
# print it (Kleinbaum and Klein, Survival Analysis).
SIX_MP = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
SIX_MP_CURVE = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def test_the_curve_of_a_published_data_set_is_the_published_curve() -> None:
    values = ", ".join(f"('all', {time.rstrip('+')}, {not time.endswith('+')})" for time in SIX_MP.split())
    careers = f"select * from (values {values}) as careers (member, days, has_left)"
    steps = duckdb.sql(product_limit(careers)).fetchall()
    assert {days: round(value, 3) for _, days, _, _, value, _ in steps} == SIX_MP_CURVE
    # Greenwood's standard error at 23 weeks is printed as 0.135
    last = steps[-1]
    assert round(last[4] * math.sqrt(last[5]), 3) == 0.135


def careers(built: Built, day: date, where: dict[str, Any]) -> list[tuple[Spell, int, bool]]:
    """Each joining up to the day: its spell, the days followed, whether it ended by the day."""
    followed = []
    for event in all_joiners(built.data):
        if event.day > day or not spell_fits(event.spell, as_filters(where)):
            continue
        later = (leaving for leaving in built.left.get(event.spell.person, []) if leaving > event.day)
        end = min(later, default=date.max)
        followed.append((event.spell, (min(end, day) - event.day).days, end <= day))
    return followed


def kaplan_meier(times: list[tuple[int, bool]], until: int) -> Fraction:
    """The product limit in exact fractions: at each day of leaving, the share of those at risk who stay."""
    survival = Fraction(1)
    followed = sorted(days for days, _ in times)
    for day, leaving in sorted(Counter(days for days, has_left in times if has_left and days <= until).items()):
        at_risk = len(followed) - bisect_left(followed, day)
        survival *= 1 - Fraction(leaving, at_risk)
    return survival


def greenwood(times: list[tuple[int, bool]], until: int, share: float) -> tuple[float, float]:
    """The 95 % limits of `share` on the log-log scale, by the standard error that statsmodels computes."""
    if share in (0, 1):
        return share, share
    curve = SurvfuncRight(*zip(*times, strict=True))
    error = curve.surv_prob_se[np.searchsorted(curve.surv_times, until, side="right") - 1]
    spread = 1.96 * error / (share * abs(math.log(share)))
    return share ** math.exp(spread), share ** math.exp(-spread)


@pytest.mark.parametrize("where", FILTERS)
def test_survival_is_the_product_limit_of_the_files(built: Built, where: dict[str, Any]) -> None:
    a_leaving = max(event.day for event in all_leavers(built.data) if event.day <= built.data.as_of)
    for day in (built.data.as_of, a_leaving, add_months(built.data.as_of, -20)):
        times = [(days, has_left) for _, days, has_left in careers(built, day, where)]
        answer = survival(built.con, on=day, where=where, least=1)
        assert answer.on == day
        for served, share, at_risk, low, high in answer.rows[:: max(1, len(answer.rows) // 12)]:
            until = math.floor(served * DAYS_A_MONTH)
            assert math.isclose(share, kaplan_meier(times, until), rel_tol=1e-9, abs_tol=1e-12)
            assert at_risk == sum(days >= until for days, _ in times)
            assert (low, high) == pytest.approx(greenwood(times, until, share), rel=1e-9)


def test_the_bounds_of_a_curve_at_1_or_0_are_the_curve() -> None:
    con = duckdb.connect()
    others = ", ".join(f"'' as {column}" for column in tables()["joiners"].columns.values() if column != "gender")
    con.execute(
        "create table joiners as select date '2026-01-01' as day, gender, "
        f"case gender when 'leaves' then date '2026-01-31' end as next_leaving, {others} "
        f"from unnest(['leaves', 'stays']) as genders (gender), range({LEAST})"
    )
    survival_curves.build(con, date(2026, 2, 1))
    curves = con.execute(
        "select member, served, survival, survival_low, survival_high from survival_curves where dimension = 'gender'"
    ).fetchall()
    assert curves == [("leaves", 0, 1, 1, 1), ("leaves", 1, 0, 0, 0), ("stays", 0, 1, 1, 1), ("stays", 1, 1, 1, 1)]


def test_survival_by_group_is_that_of_the_group(built: Built) -> None:
    day = built.data.as_of
    for member, served, share, at_risk in survival_by_post(built.con, on=day, least=1).rows[::7]:
        times = [(d, has_left) for spell, d, has_left in careers(built, day, {}) if spell.members["post"] == member]
        until = math.floor(served * DAYS_A_MONTH)
        assert math.isclose(share, kaplan_meier(times, until), rel_tol=1e-9, abs_tol=1e-12)
        assert at_risk == sum(days >= until for days, _ in times)


def test_a_curve_never_rises_and_ends_where_few_are_followed(built: Built) -> None:
    answer = survival(built.con, least=5)
    shares = answer.column("survival")
    assert shares == sorted(shares, reverse=True)
    assert min(answer.column("at_risk")) >= 5
    assert answer.rows[0][:2] == (0, 1.0)


def test_survival_after_a_year_and_early_attrition_agree_where_everybody_was_followed() -> None:
    """Without censoring, the product limit is the plain share."""
    careers = "select 'all', days, true from (values (10), (20), (20), (40)) as t (days)"
    steps = duckdb.sql(product_limit(f"select * from ({careers}) as careers (member, days, has_left)")).fetchall()
    assert [(step[1], step[4]) for step in steps] == [(10, 0.75), (20, 0.25), (40, 0.0)]


# ---------------------------------------------------------------- survival made ready at build


def is_prebuilt(answer: answers.Answer) -> bool:
    """Whether the rows come from the build; otherwise they are computed from the joiners."""
    return "from survival_curves" in answer.query and "joiners" not in answer.query


def computed(built: Built, ask_for: Any, where: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The same curves computed when asked for: with one person fewer they are not in the prebuilt table."""
    answer = ask_for(built.con, where=where, least=LEAST - 1)
    assert not is_prebuilt(answer)
    return [row for row in answer.rows if row[answer.columns.index("at_risk")] >= LEAST]


def agree(prebuilt: list[tuple[Any, ...]], computed: list[tuple[Any, ...]]) -> None:
    assert len(prebuilt) == len(computed)
    for row, expected in zip(prebuilt, computed, strict=True):
        for value, other in zip(row, expected, strict=True):
            assert value == (other if isinstance(other, str) else pytest.approx(other, rel=0, abs=1e-9))


def test_the_curves_of_a_build_are_those_computed_when_asked(built: Built) -> None:
    prebuilt = built.con.execute("select distinct dimension, member from survival_curves order by all").fetchall()
    dimensions = set()
    for dimension, member in prebuilt:
        where = {} if dimension == "all" else {dimension: [member]}
        answer = survival(built.con, where=where)
        assert is_prebuilt(answer), where
        assert answer.rows
        agree(answer.rows, computed(built, survival, where))
        dimensions.add(dimension)
    for where in ({}, {"post": ["guard"]}):
        answer = survival_by_post(built.con, where=where)
        assert is_prebuilt(answer) or not prebuilt
        agree(answer.rows, computed(built, survival_by_post, where))
    # the sample made by hand has too few people for any curve
    assert dimensions == ({"all", *CELL} if built.load.rows["personnel"][LEAST:] else set())


def test_every_member_with_enough_people_has_its_curve(built: Built) -> None:
    for dimension in CELL:
        members = {spell.members[dimension] for spell, _, _ in careers(built, built.data.as_of, {})} - {None}
        for member in members:
            rows = computed(built, survival, {dimension: [member]})
            answer = survival(built.con, where={dimension: [member]})
            assert is_prebuilt(answer), member
            assert bool(answer.rows) == bool(rows), member


def test_other_questions_are_computed_when_asked(built: Built) -> None:
    before = built.data.as_of - DAY
    assert not is_prebuilt(survival(built.con, on=before))
    for where in ({"gender": ["female", "male"]}, {"gender": ["male"], "post": ["guard"]}, {"county": ["2301"]}):
        assert not is_prebuilt(survival(built.con, where=where)), where
    assert not is_prebuilt(survival_by_post(built.con, where={"gender": ["male"]}))
