"""Which groups may be ranked and named: Wilson's interval, at least 23 persons and 10 institutes, intervals that differ."""

from __future__ import annotations

import math
import random

import pytest
from statsmodels.stats.proportion import proportion_confint

from etl.semantic import ranking
from tests.made import answer


def test_wilsons_interval_is_that_of_a_published_example():
    """Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29."""
    for successes, count, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        interval = ranking.wilson(successes, count)
        assert interval is not None
        assert [round(bound, 4) for bound in interval] == [low, high]


def test_wilsons_interval_is_that_of_statsmodels():
    chance = random.Random(2)
    for _ in range(300):
        count = chance.randrange(1, 5000)
        successes = chance.choice((0, count, chance.randrange(count + 1)))
        interval = ranking.wilson(successes, count)
        assert interval is not None
        expected = proportion_confint(successes, count, method="wilson")
        assert all(math.isclose(a, b, abs_tol=1e-12) for a, b in zip(interval, expected, strict=True))


def test_a_share_of_nothing_has_no_interval_and_one_of_too_much_is_an_error():
    assert ranking.wilson(0, 0) is None
    for successes, count in ((3, 2), (-1, 4)):
        with pytest.raises(ValueError, match="made of"):
            ranking.wilson(successes, count)


def _shares(*counts: tuple[str, int, int]):
    rows = [(place, part / whole if whole else None, part, whole) for place, part, whole in counts]
    return answer(
        "judicial_officer_share", by=("province",), rows=rows, more=("judicial_officers", "active_assistants")
    )


def test_a_group_of_fewer_than_23_is_not_ranked():
    result = ranking.rank(_shares(("IR-23", 300, 1000), ("IR-10", 22, 22), ("IR-11", 23, 23), ("IR-12", 0, 0)))
    assert [group.key for group in result.ranked] == [("IR-11",), ("IR-23",)]
    assert [group.key for group in result.small] == [("IR-10",)]
    assert result.is_first_apart


def test_first_and_second_whose_intervals_overlap_are_not_named():
    close = ranking.rank(_shares(("IR-23", 500, 1000), ("IR-10", 20, 38), ("IR-11", 100, 1000)))
    assert [group.key for group in close.ranked] == [("IR-10",), ("IR-23",), ("IR-11",)]
    assert not close.is_first_apart
    assert close.is_last_apart
    apart = ranking.rank(_shares(("IR-23", 500, 1000), ("IR-10", 700, 1000), ("IR-11", 495, 1000)))
    assert apart.is_first_apart
    assert not apart.is_last_apart


def test_one_group_alone_is_neither_first_nor_last():
    result = ranking.rank(_shares(("IR-23", 500, 1000)))
    assert (result.is_first_apart, result.is_last_apart) == (False, False)


def test_institutes_are_ranked_from_ten_on_and_who_has_no_name_is_not():
    rows = [("IR-23", 10), ("IR-10", 9), (None, 50), ("IR-11", 10)]
    result = ranking.rank(answer("licensed_institutes", by=("province",), rows=rows))
    assert [group.key for group in result.ranked] == [("IR-11",), ("IR-23",)]
    assert [group.key for group in result.small] == [("IR-10",)]
    assert not result.is_first_apart


def test_a_rate_per_residents_is_ranked_by_its_persons():
    rows = [("IR-23", 9.0, 9000, 1e7), ("IR-10", 20.0, 20, 10_000.0), ("IR-11", 4.0, 400, 1e6)]
    more = ("active_assistants", "residents")
    result = ranking.rank(answer("coverage_per_10k", by=("province",), rows=rows, more=more))
    assert [group.key for group in result.ranked] == [("IR-23",), ("IR-11",)]
    assert [group.key for group in result.small] == [("IR-10",)]
    assert result.is_first_apart


def test_a_median_is_ranked_by_its_cases_and_a_difference_by_those_it_is_of():
    rows = [("IR-23", 12.0, 100), ("IR-10", 40.0, 22), ("IR-11", 20.0, 23)]
    result = ranking.rank(answer("time_to_licence_median", by=("province",), rows=rows, more=("granted_timed",)))
    assert [group.key for group in result.ranked] == [("IR-11",), ("IR-23",)]
    assert [group.key for group in result.small] == [("IR-10",)]
    gaps = [("IR-23", -3.0, 1e7), ("IR-10", 5.0, 1e6)]
    result = ranking.rank(answer("coverage_gap", by=("province",), rows=gaps, more=("residents",)))
    assert [group.value for group in result.ranked] == [5.0, -3.0]


def test_a_share_of_a_target_is_ranked_by_its_persons_and_has_no_interval():
    rows = [("IR-23", 0.5, 100, 200), ("IR-10", 0.9, 22, 24)]
    more = ("active_assistants", "target")
    result = ranking.rank(answer("target_progress", by=("province",), rows=rows, more=more))
    assert [(group.key, group.interval) for group in result.ranked] == [(("IR-23",), None)]


def test_counties_of_a_census_are_no_sample():
    rows = [("IR-23", 0.5, 8, 16), ("IR-10", 0.25, 1, 4)]
    more = ("covered_counties", "census_counties")
    result = ranking.rank(answer("counties_covered", by=("province",), rows=rows, more=more))
    assert [group.key for group in result.ranked] == [("IR-23",), ("IR-10",)]
    assert result.is_last_apart
