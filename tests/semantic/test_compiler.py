"""Which queries a plan becomes: what they read, what they share, what is bound."""

from dataclasses import replace
from datetime import date

import duckdb
import pytest

from etl.core.errors import QuestionError
from etl.semantic.compiler import compile
from etl.semantic.resolve import MOST_COMPARED, resolve
from tests.semantic.plans import plan, publication

DAY = date(2024, 9, 21)
YEAR = (date(2024, 3, 20), date(2025, 3, 20))


def sql_of(query_plan):
    return "\n".join(select.sql for query in compile(query_plan).queries for select in query.selects)


def test_measures_of_the_same_rows_share_a_query():
    (query,) = compile(plan("veteran_share", "in_service", by=("gender",), on=DAY)).queries
    assert query.measures == ("veterans", "active_assistants", "in_service")
    assert query.dimensions == ("gender",)
    (select,) = query.selects
    assert select.columns == ("gender", "veterans", "active_assistants", "in_service")


def test_values_are_bound_and_equal_ones_once():
    query_plan = plan(
        "active_assistants", "joiners", where={"gender": ["زن"], "province": ["IR-23"]}, on=DAY, over=YEAR
    )
    compiled = compile(query_plan)
    assert list(compiled.parameters.values()).count("IR-23") == 1
    assert {DAY, *YEAR, "IR-23"} <= set(compiled.parameters.values())
    assert "IR-23" not in sql_of(query_plan)


@pytest.mark.parametrize(
    ("question", "is_preaggregated"),
    [
        ({"by": ("province", "post")}, True),
        ({"by": ("month",), "where": {"gender": ["male"]}}, True),
        ({"by": ("county",)}, False),
        ({"by": ("age_band",)}, False),
        ({"by": ("province",), "plain": True}, False),
    ],
)
def test_the_preaggregate_answers_what_it_holds(question, is_preaggregated):
    assert ("from preaggregate" in sql_of(plan("active_assistants", **question))) == is_preaggregated


def test_a_total_starts_at_the_last_month_end():
    # 1403/06/31 is a month end; the next day starts from it.
    for day in (DAY, date(2024, 9, 22)):
        compiled = compile(plan("active_assistants", on=day))
        assert set(compiled.parameters.values()) == {DAY, day}
    assert date.min in compile(plan("active_assistants", on=date(2001, 1, 1))).parameters.values()


def test_province_and_nation_share_one_select_unless_someone_is_counted_apart():
    question = {"by": ("province",), "where": {"province": ["IR-23"]}, "on": DAY}
    place, nation = compile(plan("coverage_gap", **question)).queries
    assert place.selects == nation.selects
    assert (place.provinces, nation.provinces) == ({"IR-23"}, None)
    assert nation.is_lookup
    queries = compile(plan("coverage_gap", has_many=True, **question)).queries
    assert [len(query.selects) for query in queries] == [2, 2]
    assert queries[0].selects != queries[1].selects


def test_a_group_without_compliant_persons_is_kept_by_the_active_ones():
    (query,) = compile(plan("compliant_assistants", by=("post",))).queries
    assert query.presence == ("compliant_assistants", "present")
    (select,) = query.selects
    assert "sum(active_assistants) as present" in select.sql


def test_the_fewer_members_are_compared():
    levels = ("below_diploma", "diploma", "associate", "bachelor", "master")
    assert "education not in ($" in sql_of(plan("active_assistants", where={"education": levels}))
    assert "education in ($" in sql_of(plan("active_assistants", where={"education": levels[:1]}))


def test_few_of_very_many_members_are_compared_without_an_in():
    """To plan an IN, DuckDB converts every member of the column's type."""
    for count in (1, 3, MOST_COMPARED + 1):
        # A plan without a database: the names of institutes are taken as they are.
        query_plan = replace(plan("active_assistants", on=DAY), where={"institute": tuple(map(str, range(count)))})
        assert ("institute_code in (" in sql_of(query_plan)) == (count > MOST_COMPARED)
        assert ("else false end" in sql_of(query_plan)) == (1 < count <= MOST_COMPARED)


def test_days_ahead_are_bound_as_dates_and_end_with_the_calendar():
    compiled = compile(plan("expiring_30", on=DAY))
    assert date(2024, 10, 21) in compiled.parameters.values()
    last = replace(publication(), as_of=date(9999, 12, 20))
    assert date.max in compile(resolve(duckdb.connect(), last, ["expiring_30"])).parameters.values()


def test_only_lookups_by_a_dimension_none_of_them_has_is_refused():
    with pytest.raises(QuestionError, match="area_km2 has no meaning by month"):
        compile(plan("area_km2", by=("month",)))
