"""Which groups may be compared, at least 23 persons or 10 institutes, and which differences may be chance."""

from __future__ import annotations

from etl.semantic import ranking
from etl.semantic.catalog import catalogue
from tests.made import answer


def _shares(*counts: tuple[str, int, int]):
    rows = [(place, part / whole if whole else None, part, whole) for place, part, whole in counts]
    return answer(
        "judicial_officer_share", by=("province",), rows=rows, more=("judicial_officers", "active_assistants")
    )


def test_a_group_of_fewer_than_23_is_not_ranked():
    result = ranking.rank(_shares(("IR-23", 300, 1000), ("IR-10", 22, 22), ("IR-11", 23, 23), ("IR-12", 0, 0)))
    assert [group.key for group in result.ranked] == [("IR-11",), ("IR-23",)]
    assert [group.key for group in result.small] == [("IR-10",)]


def test_a_place_with_few_people_that_was_tested_is_ranked():
    rows = [("IR-23", 9.0, 9000, 1e7, "none"), ("IR-10", 1.0, 6, 60_000.0, "lower"), ("IR-11", 3.0, 6, 2e4, "untested")]
    more = ("active_assistants", "residents", "side")
    result = ranking.rank(answer("coverage_per_10k", by=("province",), rows=rows, more=more))
    assert [(group.key, group.side) for group in result.ranked] == [(("IR-23",), "none"), (("IR-10",), "lower")]
    assert [group.key for group in result.small] == [("IR-11",)]


def test_a_rate_of_people_or_institutes_is_sampled_and_a_census_or_a_target_is_not():
    sampled = {name for name, metric in catalogue().items() if ranking.is_sampled(metric)}
    assert {"training_compliance", "coverage_per_10k", "leaver_rate_12m", "smart_service_share", "pass_rate"} <= sampled
    assert not {"counties_covered", "target_progress", "active_assistants", "age_median", "training_hours"} & sampled
    assert ranking.worse_side(catalogue()["training_compliance"]) == "lower"
    assert ranking.worse_side(catalogue()["leaver_rate_12m"]) == "higher"
    assert ranking.worse_side(catalogue()["women_share"]) == ""


def test_institutes_are_ranked_from_ten_on_and_who_has_no_name_is_not():
    rows = [("IR-23", 10), ("IR-10", 9), (None, 50), ("IR-11", 10)]
    result = ranking.rank(answer("licensed_institutes", by=("province",), rows=rows))
    assert [group.key for group in result.ranked] == [("IR-11",), ("IR-23",)]
    assert [group.key for group in result.small] == [("IR-10",)]


def test_a_rate_per_residents_is_ranked_by_its_persons():
    rows = [("IR-23", 9.0, 9000, 1e7), ("IR-10", 20.0, 20, 10_000.0), ("IR-11", 4.0, 400, 1e6)]
    more = ("active_assistants", "residents")
    result = ranking.rank(answer("coverage_per_10k", by=("province",), rows=rows, more=more))
    assert [group.key for group in result.ranked] == [("IR-23",), ("IR-11",)]
    assert [group.key for group in result.small] == [("IR-10",)]


def test_a_median_is_ranked_by_its_cases_and_a_difference_by_those_it_is_of():
    rows = [("IR-23", 12.0, 100), ("IR-10", 40.0, 22), ("IR-11", 20.0, 23)]
    result = ranking.rank(answer("time_to_licence_median", by=("province",), rows=rows, more=("granted_timed",)))
    assert [group.key for group in result.ranked] == [("IR-11",), ("IR-23",)]
    assert [group.key for group in result.small] == [("IR-10",)]
    gaps = [("IR-23", -3.0, 1e7), ("IR-10", 5.0, 1e6)]
    result = ranking.rank(answer("coverage_gap", by=("province",), rows=gaps, more=("residents",)))
    assert [group.value for group in result.ranked] == [5.0, -3.0]


def test_a_share_of_a_target_is_ranked_by_its_persons():
    rows = [("IR-23", 0.5, 100, 200), ("IR-10", 0.9, 22, 24)]
    more = ("active_assistants", "target")
    result = ranking.rank(answer("target_progress", by=("province",), rows=rows, more=more))
    assert [group.key for group in result.ranked] == [("IR-23",)]


def test_the_share_of_few_counties_is_not_ranked():
    rows = [("IR-23", 0.5, 8, 16), ("IR-10", 0.25, 1, 4)]
    more = ("covered_counties", "compared_counties")
    result = ranking.rank(answer("counties_covered", by=("province",), rows=rows, more=more))
    assert [[group.key for group in groups] for groups in (result.ranked, result.small)] == [[("IR-23",)], [("IR-10",)]]
