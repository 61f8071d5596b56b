"""What everybody with rights may ask: the nation and each province by time, unfiltered."""

from datetime import date

import pytest

from etl.analysis import analyses
from etl.analysis.comparison import Side
from etl.semantic.open_totals import is_open
from etl.warehouse.dimensions import DIMENSIONS

OPEN = {"province", "month", "quarter", "year"}


@pytest.mark.parametrize(
    ("by", "where"),
    [
        ((), ()),
        (("month",), ()),
        (("province",), ()),
        (("province", "year"), ()),
        (("quarter",), ("province",)),
        (("province",), ("province",)),
    ],
)
def test_totals_of_the_nation_and_of_provinces_by_time_are_open(by: tuple[str, ...], where: tuple[str, ...]) -> None:
    assert is_open(by, where)


@pytest.mark.parametrize("name", sorted({*DIMENSIONS} - OPEN))
def test_anything_else_closes_a_question(name: str) -> None:
    for by, where in (((name,), ()), (("province", name), ()), ((), (name,)), (("province",), ("province", name))):
        assert not is_open(by, where)


@pytest.mark.parametrize(
    ("name", "where", "more", "expected"),
    [
        ("different", {}, {}, True),
        ("different", {}, {"by": "county"}, False),
        ("different", {"gender": ("female",)}, {}, False),
        ("why", {}, {"by": "province"}, True),
        ("why", {}, {}, False),
        ("why", {"province": ("IR-14",)}, {"by": "province", "against": "gender=male"}, False),
        ("endings", {}, {"by": "course"}, False),
        ("seat_plan_months", {}, {}, True),
        ("seat_plan_months", {}, {"entered": (("", "x", 5.0),)}, False),
        ("survival_by_post", {}, {}, False),
        ("register", {"province": ("IR-14",)}, {}, False),
    ],
)
def test_an_analysis_is_open_if_it_gives_nothing_but_totals(
    name: str, where: dict[str, tuple[str, ...]], more: dict[str, object], expected: bool
) -> None:
    assert analyses.by_name()[name].is_open(where, more) == expected


def test_the_other_side_of_a_comparison_closes_it_too() -> None:
    differs = analyses.by_name()["differs"]
    for where, expected in ((("province", ("IR-14",)), True), (("gender", ("female",)), False)):
        assert differs.is_open({}, {"than": Side(date(2026, 1, 1), (where,))}) == expected
