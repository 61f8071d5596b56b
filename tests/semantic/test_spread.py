"""Groups that differ no more than by chance are recognised."""

import pytest

from etl.semantic.ranking import is_noise
from tests.made import answer


def shares(*counts: tuple[int, int]):
    places = ("IR-23", "IR-10", "IR-11", "IR-00", "IR-30")
    rows = [(place, part / whole, part, whole) for place, (part, whole) in zip(places, counts, strict=False)]
    return answer(
        "judicial_officer_share", by=("province",), rows=rows, more=("judicial_officers", "active_assistants")
    )


def test_shares_as_near_as_chance_leaves_them_are_noise() -> None:
    assert is_noise(shares((50, 100), (52, 100), (47, 100), (51, 100)))
    assert not is_noise(shares((50, 100), (80, 100), (20, 100), (51, 100)))


@pytest.mark.parametrize(("far", "noise"), [(64, True), (66, False)])
def test_the_limit_is_that_of_the_chi_squared_test(far: int, noise: bool) -> None:
    # Of three groups of 100, chi-squared with 2 degrees of freedom is 5.27 and 6.91 here; its 95th percentile is 5.99.
    assert is_noise(shares((50, 100), (50, 100), (far, 100))) is noise


def test_the_same_share_everywhere_and_a_share_of_all_are_noise() -> None:
    assert is_noise(shares((10, 100), (10, 100), (10, 100)))
    assert is_noise(shares((10, 10), (20, 20), (30, 30)))


def test_only_rates_with_enough_groups_are_tested() -> None:
    assert not is_noise(answer("active_assistants", by=("province",), rows=[("IR-23", 5), ("IR-10", 5), ("IR-11", 5)]))
    assert not is_noise(shares((50, 100), (50, 100)))


def test_a_rate_per_residents_is_of_cases_as_they_come() -> None:
    def rates(*counted: int):
        rows = [(f"IR-{n:02}", count / 1000 * 10, count, 1000.0) for n, count in enumerate(counted)]
        return answer("coverage_per_10k", by=("province",), rows=rows, more=("active_assistants", "residents"))

    assert is_noise(rates(30, 34, 27, 31))
    assert not is_noise(rates(30, 60, 10, 31))
