"""Every number of the catalogue has a second computation; here those that are not in the contract are compared."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.semantic import access, answers, rights
from etl.semantic.catalog import catalogue
from etl.warehouse import publications
from etl.warehouse.dimensions import CHOICES, SPELL
from tests.effort import draws
from tests.oracle import oracle, others

BUILD_DAY = date(2026, 6, 30)
FILTERS: dict[str, list[str]] = {
    "province": ["IR-23", "IR-10", "IR-11", "IR-30"],
} | {name: sorted(set(CHOICES[name].values())) for name in SPELL if name in CHOICES}


@pytest.fixture(scope="module")
def con(small_register: Path):
    with access.connect(small_register, rights.ADMINISTRATOR) as connection:
        yield connection


@pytest.fixture(scope="module")
def data(small_register: Path) -> oracle.Data:
    return oracle.read(small_register.parent / "in", BUILD_DAY)[1]


@pytest.mark.parametrize("name", [name for name, metric in catalogue().items() if not metric.hidden])
def test_every_metric_has_a_second_computation(name: str) -> None:
    computed = {*oracle.STATES, *oracle.FLOWS, *others.STATES, *others.FLOWS}
    assert name in computed, f"{name}: write it a second time in tests/oracle/others.py, from the source files alone"


def wheres(name: str) -> list[dict[str, tuple[str, ...]]]:
    """No filter, each province of some, and filters at random of the dimensions that the metric knows."""
    dimensions, chance = catalogue()[name].dimensions, random.Random(name)
    filters: list[dict[str, tuple[str, ...]]] = [{}, *({"province": (place,)} for place in FILTERS["province"][:2])]
    for _ in range(3):
        chosen = [dimension for dimension in FILTERS if dimension in dimensions and chance.random() < 0.6]
        filters.append(
            {dimension_: tuple(chance.sample(FILTERS[dimension_], chance.randint(1, 2))) for dimension_ in chosen}
        )
    return [where for where in filters if set(where) <= dimensions]


def same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, date):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("name", others.STATES)
def test_what_is_measured_on_a_day(name: str, con, data) -> None:
    as_of = publications.describe(con).as_of
    for day in (as_of, as_of - timedelta(137), date(2024, 2, 29), date(2025, 3, 20)):
        # On the latest day under every filter, on the others without one and under some.
        for where in wheres(name)[:: 1 if day == as_of else draws(3, 1)]:
            expected = others.STATES[name](data, day, {key: set(values) for key, values in where.items()})
            value = answers.ask(con, name, on=day, where=where).value()
            assert same(value, expected), (day, where, value, expected)


@pytest.mark.parametrize("name", others.FLOWS)
def test_what_is_counted_over_a_period(name: str, con, data) -> None:
    as_of = publications.describe(con).as_of
    for over in (oracle.last_twelve_months(as_of), (as_of - timedelta(800), as_of - timedelta(411))):
        for where in wheres(name):
            expected = others.FLOWS[name](data, *over, {key: set(values) for key, values in where.items()})
            value = answers.ask(con, name, over=over, where=where).value()
            assert same(value or 0, expected or 0) if name.endswith("_total") else same(value, expected), (
                where,
                value,
            )
