"""The pre-aggregates and the plain count of every row give the same answers to random questions."""

import math
import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from etl.core.errors import QuestionError
from etl.core.jalali import add_months, units_between
from etl.core.places import places
from etl.semantic import access, answers, catalog, rights
from etl.semantic.catalog import TIME
from etl.warehouse import publications
from etl.warehouse.dimensions import CELL, CHOICES, PLACES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def con(small_register: Path):
    with access.connect(small_register, rights.ADMINISTRATOR) as connection:
        yield connection


def _question(rng: random.Random, names: list[str]) -> dict:
    by = rng.sample([*CELL, *TIME, "county"], 2)
    by = by[: rng.randint(0, 2)]
    if len({*TIME} & set(by)) > 1:
        by = by[:1]
    where = {}
    for dimension in CELL:
        if rng.random() < 0.3:
            members = sorted(set(CHOICES[dimension].values())) if dimension in CHOICES else ["IR-23", "IR-30", "IR-11"]
            where[dimension] = tuple(rng.sample(members, rng.randint(1, len(members))))
    day = date(2013, 1, 1) + timedelta(days=rng.randrange(5200))
    question = {"by": tuple(by), "where": where}
    if {*TIME} & set(by):
        question["over"] = (day, add_months(day, rng.randint(0, 40)))
    else:
        question["on"] = day
    return question


STATES = [
    "active_assistants",
    "in_service",
    "judicial_officer_share",
    "veteran_share",
    "training_compliance",
    "coverage_per_10k",
    "coverage_gap",
    "leaver_rate_12m",
    "target_progress",
    "expiring_30",
    "requirement_rate",
    "status_overdue",
]


def _same(one, other) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return one == other or (None not in (one, other) and math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9))
    return one == other


@pytest.mark.parametrize("seed", range(150))
def test_fast_and_plain_answers_are_the_same(con, seed):
    rng = random.Random(seed)
    names = rng.sample(STATES, rng.randint(1, 3))
    question = _question(rng, names)
    _asked_both_ways(con, names, question)


def _asked_both_ways(con, names, question):
    try:
        plain = answers.ask(con, *names, plain=True, **question)
    except QuestionError:
        with pytest.raises(QuestionError):
            answers.ask(con, *names, **question)
        return
    _agree(answers.ask(con, *names, **question), plain)


def _agree(fast, plain):
    assert fast.columns == plain.columns
    assert len(fast.rows) == len(plain.rows)
    for one, other in zip(fast.rows, plain.rows, strict=True):
        assert all(map(_same, one, other)), (plain.query, one, other)


_COVERAGE = ["coverage_gap", "coverage_per_10k", "coverage_per_100km2", "residents", "area_km2", "training_compliance"]


@pytest.mark.parametrize("seed", range(120))
def test_a_province_beside_its_nation_is_counted_as_plainly(con, seed):
    rng = random.Random(2000 + seed)
    names = ["coverage_gap", *rng.sample(_COVERAGE[1:], rng.randint(0, 2))] if seed % 4 else rng.sample(_COVERAGE, 2)
    by = ("province", *rng.sample([name for name in CELL if name not in PLACES], 0 if seed % 4 else rng.randint(0, 2)))
    question = _question(rng, names) | {"by": by, "on": date(2015, 1, 1) + timedelta(days=rng.randrange(4500))}
    question.pop("over", None)
    if seed % 5 == 0:
        # The nation is counted for provinces without anybody, too.
        question["where"] = {"province": ("IR-11",), "education": ("doctorate",), "post": ("manager",)}
    if seed % 3 == 0:
        question["where"] |= {"county": ("2301",)} if len(by) == 1 and len(names) == 1 else {}
    _asked_both_ways(con, names, question)


def test_a_province_a_year_ago_is_not_counted_with_the_nation_today(con):
    _asked_both_ways(con, ["nation_active", "in_service_12m_ago"], {"by": ("province",), "on": DAY})


@pytest.mark.parametrize("unit", ["month", "quarter", "year"])
@pytest.mark.parametrize("name", ["training_compliance", "in_service", "veteran_share"])
def test_a_unit_that_is_not_over_is_counted_up_to_the_last_day(con, name, unit):
    for more in ({}, {"gender": ("male",)}, {"province": ("IR-23", "IR-30"), "post": ("guard", "operator")}):
        question = {"by": (unit,), "over": (date(2024, 2, 3), DAY), "where": more}
        _asked_both_ways(con, [name], question)
        assert answers.ask(con, name, **question).is_provisional(answers.ask(con, name, **question).rows[-1])


def test_a_group_without_anyone_compliant_is_met(con):
    question = {"by": ("province", "activity", "education", "post"), "on": date(2016, 5, 1)}
    _asked_both_ways(con, ["compliant_assistants"], question)
    counts = answers.ask(con, "compliant_assistants", **question).column("compliant_assistants")
    assert 0 in counts


def test_residents_are_those_of_the_day_they_are_asked_on(con):
    """They are looked up by province and counted otherwise: each month's end, a past day and a day after the last date."""
    over = (date(2015, 1, 1), DAY)
    for day in (date(2010, 1, 1), date(2016, 10, 22), date(2020, 2, 29), date(2036, 9, 22), date(2050, 1, 1)):
        _asked_both_ways(
            con, ["active_assistants", "residents", "nation_residents", "area_km2"], {"by": ("province",), "on": day}
        )
    provinces = publications.describe(con).provinces
    answer = answers.ask(con, "residents", by=("province", "month"), over=over)
    lasts = {unit.label: min(unit.last, DAY) for unit in units_between(*over, "month")}
    assert len(answer.rows) > 31 * 130
    for province, month, residents in answer.rows:
        assert math.isclose(residents, provinces.residents(province, lasts[month]), rel_tol=1e-12)
    query = answers.ask(con, "coverage_gap", by=("province",), on=date(2020, 2, 29)).query
    result = con.execute("select\n    areas.province" + query.split("select\n    areas.province")[1].split(";")[0])
    facts = provinces.facts(date(2020, 2, 29))
    for province, *values in result.fetchall():
        assert all(map(_same, values, facts[province].values()))


@pytest.mark.parametrize("on", [date.min, date(9999, 11, 30), date.max, DAY])
@pytest.mark.parametrize(
    "name", ["expiring_30", "expiring_60", "expiring_90", "licences_ending_30", "licences_ending_90"]
)
def test_the_days_ahead_end_with_the_last_day_there_is(con, name, on):
    _asked_both_ways(con, [name], {"by": ("province",), "on": on})


@pytest.mark.parametrize("count", range(1, 32))
def test_any_number_of_provinces_can_be_asked_for(con, count):
    provinces = tuple(random.Random(count).sample(sorted(set(places().provinces.values())), count))
    _asked_both_ways(con, ["active_assistants"], {"by": ("gender",), "where": {"province": provinces}})


def test_the_fast_path_is_taken(con):
    answer = answers.ask(con, "training_compliance", by=("province",), where={"gender": ("male",)})
    assert "from preaggregate" in answer.query
    assert "from preaggregate" not in answers.ask(con, "training_compliance", by=("county",)).query
    assert answers.ask(con, "coverage_gap", by=("province",)).query.count("from preaggregate") == 1


_MEASURES = [name for name, metric in catalog.catalogue().items() if not metric.hidden]


@pytest.mark.parametrize("by", [(), ("province",)])
@pytest.mark.parametrize("seed", range(60))
def test_measures_asked_at_once_are_those_asked_one_by_one(con, seed, by):
    rng = random.Random(1000 + seed)
    names = rng.sample(_MEASURES, rng.randint(1, 9))
    where = _question(rng, names)["where"] if seed % 3 else {}
    suitable = [name for name in names if catalog.catalogue()[name].dimensions.issuperset({*where, *by})]
    if not suitable:
        return
    day = date(2016, 1, 1) + timedelta(days=rng.randrange(3800))
    over = (add_months(day, -rng.randint(1, 30)), day)
    at_once = answers.ask_each(con, *suitable, by=by, on=day, over=over, where=where)
    assert list(at_once) == suitable
    for name in suitable:
        period = {"over": over} if catalog.catalogue()[name].kind == "event" else {"on": day}
        alone = answers.ask(con, name, by=by, where=where, **period)
        together = at_once[name]
        for part in ("metrics", "by", "where", "on", "over", "provisional", "publication"):
            assert getattr(together, part) == getattr(alone, part), (name, part)
        # Asked alone, a measure without a denominator has the size of its groups as one more column.
        width = len(together.columns)
        assert together.columns == alone.columns[:width]
        assert len(alone.columns) - width <= 1
        assert len(together.rows) == len(alone.rows) >= 1
        for one, other in zip(together.rows, alone.rows, strict=True):
            assert all(map(_same, one, other[:width])), (name, one, other)


def test_of_measures_asked_at_once_one_without_meaning_is_an_error(con):
    with pytest.raises(QuestionError):
        answers.ask_each(con, "active_assistants", "licensed_institutes", where={"course": ("C01",)})


def test_measures_are_not_asked_at_once_by_what_gives_each_rows_of_its_own(con):
    with pytest.raises(QuestionError):
        answers.ask_each(con, "active_assistants", "training_compliance", by=("county",))
