"""What a question means: its metrics, measures, members, days and defaults."""

from datetime import date, timedelta

import pytest

from etl.core.errors import QuestionError
from etl.semantic.resolve import cut_at_start
from tests.semantic.plans import AS_OF, plan

DAY = date(2024, 9, 21)
YEAR = (date(2024, 3, 20), date(2025, 3, 20))


def test_a_ratio_is_planned_with_its_parts():
    query_plan = plan("coverage_per_10k", by=("province",), on=DAY)
    assert query_plan.selected == ("coverage_per_10k", "active_assistants", "residents")
    assert set(query_plan.measures) == {"active_assistants", "residents"}
    assert (query_plan.on, query_plan.over, query_plan.unit, query_plan.dimensions) == (DAY, None, "", ("province",))


def test_a_measure_is_counted_from_the_table_that_has_the_dimension():
    assert plan("training_compliance").measures["compliant_assistants"].table == "compliance_intervals"
    by_course = plan("training_compliance", by=("course",)).measures
    assert {measure.table for measure in by_course.values()} == {"course_compliance_intervals"}
    assert not any(measure.rollup_column for measure in by_course.values())


def test_days_have_their_defaults():
    assert plan("active_assistants").on == AS_OF
    assert plan("active_assistants").over is None
    # Khordad 1405 ended on 21 June; the twelve complete months before.
    assert plan("joiners").over == (date(2025, 6, 22), date(2026, 6, 21))
    assert plan("joiners").on is None
    both = plan("joiners", "active_assistants", on=DAY, over=YEAR)
    assert (both.on, both.over) == (DAY, YEAR)


def test_members_are_codes_whatever_they_were_written_as():
    assert plan("active_assistants", where={"province": ["تهران", "IR-23"], "gender": ["زن"]}).where == {
        "province": ("IR-23",),
        "gender": ("female",),
    }


def test_snapshots_by_time_are_measured_at_the_end_of_each_unit_that_ends_in_the_period():
    query_plan = plan("active_assistants", by=("month",), over=(date(2026, 3, 25), AS_OF))
    assert query_plan.snapshot_days() == [
        ("1405-01", date(2026, 4, 20)),
        ("1405-02", date(2026, 5, 21)),
        ("1405-03", date(2026, 6, 21)),
        ("1405-04", AS_OF),
    ]
    assert plan("active_assistants", by=("month",), over=(date(2026, 3, 25), date(2026, 5, 1))).snapshot_days() == [
        ("1405-01", date(2026, 4, 20))
    ]
    assert query_plan.provisional() == {"1405-04"}
    # A day of the month in progress: what came after it is no part of the answer.
    day = AS_OF - timedelta(days=3)
    until = plan("active_assistants", by=("month",), over=(date(2026, 5, 22), day))
    assert until.snapshot_days() == [("1405-03", date(2026, 6, 21)), ("1405-04", day)]
    assert until.provisional() == {"1405-04"}


def test_a_unit_that_a_period_begins_within_is_cut():
    assert cut_at_start((date(2026, 3, 25), AS_OF), "month") == {"1405-01"}
    assert cut_at_start((date(2026, 4, 21), AS_OF), "month") == set()
    assert cut_at_start((date(2026, 4, 21), AS_OF), "year") == {"1405"}


def test_the_ends_of_units_are_cut_by_the_period():
    query_plan = plan("leaver_rate_12m", by=("month",), over=(date(2026, 3, 25), date(2026, 5, 1)))
    assert query_plan.end_days() == [("1405-01", date(2026, 4, 20)), ("1405-02", date(2026, 5, 1))]


def test_static_columns_are_those_that_only_a_province_narrows():
    assert plan("coverage_per_10k", by=("province",)).static_columns() == {"residents": "residents"}
    narrowed = plan("coverage_per_10k", by=("province",), where={"gender": ["female"], "province": ["IR-23"]})
    assert narrowed.static_columns() == {"residents": "residents"}
    assert plan("coverage_per_10k", by=("gender",)).static_columns() == {}
    assert plan("coverage_per_10k", by=("province",), plain=True).static_columns() == {}


@pytest.mark.parametrize(
    ("names", "question", "words"),
    [
        ((), {}, "at least one metric"),
        (("active_assistants",), {"where": {"gender": ["?"]}}, "no gender is called '\\?'"),
        (("in_service",), {"where": {"gender": []}}, "names no value"),
    ],
)
def test_a_question_without_meaning_is_refused(names, question, words):
    with pytest.raises(QuestionError, match=words):
        plan(*names, **question)
