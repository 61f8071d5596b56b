"""Coverage by the census next to coverage by the residents of the day: rates and ranks computed a second time."""

from __future__ import annotations

from datetime import date

import pytest

from etl.analysis.analyses import analyse
from etl.analysis.coverage import coverage_on_census
from etl.analysis.glance import glance
from etl.semantic import access, rights
from etl.semantic.answers import ask
from etl.semantic.rights import AccessScope, Grant
from tests.oracle.measures import active, census, residents

pytestmark = pytest.mark.slow

BUILD_DAY = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("day", "where"), [(BUILD_DAY, {}), (date(2017, 3, 1), {}), (BUILD_DAY, {"gender": ("female",)})]
)
def test_ranks_move_where_residents_have_grown_unevenly(small_register, data, day, where) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        answer = coverage_on_census(con, on=day, where=where)
    filters = {name: set(values) for name, values in where.items()}
    counts = {place: active(data, day, {**filters, "province": {place}}) for place in data.reference.provinces}
    now = {
        place: float(count * 10_000 / residents(data, day, {"province": {place}})) for place, count in counts.items()
    }
    then = {place: count * 10_000 / census(data, {"province": {place}}) for place, count in counts.items()}
    assert len(answer.rows) == 31
    moves = 0
    for row in answer.records():
        place = row["province"]
        assert row["coverage_per_10k"] == pytest.approx(now[place])
        assert row["coverage_on_census"] == pytest.approx(then[place])
        ranks = [sorted(rates.values(), reverse=True).index(rates[place]) + 1 for rates in (now, then)]
        assert [row["coverage_rank"], row["coverage_rank_on_census"]] == ranks
        assert row["is_moved"] == (abs(ranks[0] - ranks[1]) >= 2)
        moves += row["is_moved"]
    if day == BUILD_DAY and not where:
        assert moves
    assert answer.column("coverage_per_10k") == sorted(answer.column("coverage_per_10k"), reverse=True)


def test_some_counties_are_counted_on_their_own_census_and_have_no_rank(small_register, data) -> None:
    isfahan = sorted(county["sci_code"] for county in data.reference.counties if county["province_iso"] == "IR-10")
    two = {*isfahan[:2]}
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        (row,) = coverage_on_census(con, on=BUILD_DAY, where={"county": (*two,)}).records()
    count = active(data, BUILD_DAY, {"county": two})
    assert count
    assert row["province"] == "IR-10"
    assert row["coverage_on_census"] == pytest.approx(count * 10_000 / census(data, {"county": two}))
    assert (row["coverage_rank"], row["coverage_rank_on_census"], row["is_moved"]) == (None, None, None)


@pytest.mark.parametrize("where", [{}, {"gender": ("female",)}])
def test_a_rank_is_among_all_provinces_and_unknown_to_who_does_not_see_them(small_register, where) -> None:
    few = {"province": ("IR-11", "IR-14")}
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        every = coverage_on_census(con, where=where)
        asked = coverage_on_census(con, where=where | few)
        assert asked.rows == [row for row in every.rows if row[0] in few["province"]]
        assert max(asked.column("coverage_rank")) > 2
        own = con.under(AccessScope("", frozenset({Grant("province", frozenset(few["province"]))})))
        answer = analyse(own, "coverage_on_census", where=where | few)
        assert answer.column("coverage_per_10k") == asked.column("coverage_per_10k")
        assert answer.column("coverage_rank") == ([None, None] if where else asked.column("coverage_rank"))
        assert answer.column("is_moved") == ([None, None] if where else asked.column("is_moved"))


def test_growth_is_that_of_24_whole_months(small_register) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        places = {row["province"]: row["active_growth"] for row in glance(con, on=date(2026, 5, 1)).records()}
        # The ends of Farvardin 1403 and 1405.
        before, after = (
            dict(ask(con, "active_assistants", by=("province",), on=day).rows)
            for day in (date(2024, 4, 19), date(2026, 4, 20))
        )
    known = {place: growth for place, growth in places.items() if growth is not None}
    assert known == {place: after[place] / before[place] - 1 for place in known}
    assert len({*known.values()}) > 2


def test_places_that_never_had_anybody_have_no_growth(by_hand) -> None:
    places = glance(by_hand, on=date(1990, 1, 1), where={"gender": ("female",)})
    assert set(places.column("active_growth")) <= {None}
