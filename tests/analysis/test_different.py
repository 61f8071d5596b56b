"""Who is below or above the whole: equal groups are not named, unequal ones are, and a second computation agrees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from etl.analysis import analyses
from etl.analysis.comparison import Side
from etl.analysis.different import (
    _sides,
    compared,
    different,
    differs,
    discovered,
    is_tested_over_time,
    p_values,
    with_unclear,
)
from etl.core.errors import QuestionError, TooEarly
from etl.semantic import access
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.semantic.disclosure import for_circulation, with_published_counts
from etl.semantic.ranking import is_tested, least, worse_side
from etl.semantic.rights import AccessScope, Grant
from tests.effort import draws
from tests.oracle import different as oracle

RUNS, PROVINCES = draws(250, 1000), 31
TRAINING, COVERAGE = catalogue()["training_compliance"], catalogue()["coverage_per_10k"]
SHARES = ("training_compliance", "leaver_rate_12m", "smart_service_share", "judicial_officer_share", "early_attrition")


def provinces(chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Institutes as the sample has them, 6 to 80 a province and mostly small: the province and the people of each."""
    place = np.repeat(np.arange(PROVINCES), chance.integers(6, 80, PROVINCES))
    return place, np.ceil(chance.lognormal(3, 1, len(place)))


def sides(hits: np.ndarray, people: np.ndarray, place: np.ndarray) -> np.ndarray:
    """-1 or 1 for each province with a discovery of at least a point."""
    clusters = pd.DataFrame({"group": place, "compliant_assistants": hits, "trainable_assistants": people})
    groups = pd.DataFrame({name: np.bincount(place, clusters[name]) for name in clusters.columns[1:]})
    whole = groups.sum()
    p, _ = p_values(TRAINING, groups, clusters, whole)
    difference = groups.compliant_assistants / groups.trainable_assistants - whole.iloc[0] / whole.iloc[1]
    return np.where(discovered(p) & (difference.abs() >= 0.01), np.sign(difference), 0)


def may_be_at_most(share: float, named: int, runs: int) -> bool:
    """Whether so many of the runs are what a probability of at most `share` can give."""
    return bool(binomtest(named, runs, share, alternative="greater").pvalue > 0.01)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.84, 0.155])
@pytest.mark.parametrize("correlation", [0.0, 0.03, 0.1])
def test_equal_provinces_are_named_in_at_most_one_run_of_twenty(share: float, correlation: float) -> None:
    chance = np.random.default_rng(38)
    place, people = provinces(chance)
    odds = 1 / correlation - 1 if correlation else 0
    probability = chance.beta(share * odds, (1 - share) * odds, (RUNS, len(place))) if odds else share
    hits = chance.binomial(people.astype(int), probability, (RUNS, len(place)))
    named = sum(sides(run, people, place).any() for run in hits)
    assert named <= 0.05 * RUNS


def planted(chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A province, hits and people of each institute, and 8 large provinces: 4 at 0.72, 4 above 0.84, the nation at 0.84."""
    place, people = provinces(chance)
    largest = np.argsort(-np.bincount(place, people))[:8]
    is_low, is_high = np.isin(place, largest[:4]), np.isin(place, largest[4:])
    above = 0.84 + 0.12 * people[is_low].sum() / people[is_high].sum()
    share = np.where(is_low, 0.72, np.where(is_high, min(above, 0.99), 0.84))
    odds = 1 / 0.03 - 1
    return place, chance.binomial(people.astype(int), chance.beta(share * odds, (1 - share) * odds)), people, largest


@pytest.mark.slow
def test_planted_differences_are_found_and_few_others() -> None:
    chance = np.random.default_rng(38)
    found = others = 0
    for _ in range(100):
        place, hits, people, largest = planted(chance)
        side = sides(hits, people, place)
        found += (side[largest[:4]] == -1).sum() + (side[largest[4:]] == 1).sum()
        others += np.count_nonzero(np.delete(side, largest))
    assert found >= 0.9 * 800
    assert may_be_at_most(0.05, others, found + others), others


def test_a_second_computation_names_the_same_made_up_provinces() -> None:
    chance = np.random.default_rng(38)
    for _ in range(20):
        place, hits, people, _ = planted(chance)
        institutes = {
            str(at): list(zip(hits[place == at], people[place == at], strict=True)) for at in range(PROVINCES)
        }
        groups = {
            name: (sum(part for part, _ in some), sum(size for _, size in some)) for name, some in institutes.items()
        }
        side = oracle.shares(groups, institutes, (hits.sum(), people.sum()), 23)
        words = {-1: ("lower",), 1: ("higher",), 0: ("none", "untested")}
        assert all(side[str(at)] in words[int(one)] for at, one in enumerate(sides(hits, people, place)))


def test_a_side_is_the_direction_of_its_difference() -> None:
    values = pd.Series([0.5, 0.84, 0.97, 0.5])
    found = _sides(TRAINING, values, 0.84, np.array([True, True, True, False]))
    assert [*found] == ["lower", "none", "higher", "none"]


def test_everything_is_named_only_where_the_test_may_speak() -> None:
    """Four institutes, or 22 people, are no group; a difference of less than a point is none, however certain."""
    clusters = pd.DataFrame(
        [(0, 0, 100)] * 4 + [(1, 0, 3)] * 7 + [(2, 83_500, 100_000)] * 40 + [(3, 84_100, 100_000)] * 40,
        columns=["group", "compliant_assistants", "trainable_assistants"],
    )
    groups = clusters.groupby("group").sum()
    p, institutes = p_values(TRAINING, groups, clusters, groups.sum())
    assert list(np.isnan(p)) == [True, True, False, False]
    assert list(institutes) == [4, 7, 40, 40]
    assert not sides(clusters.iloc[:, 1].to_numpy(), clusters.iloc[:, 2].to_numpy(), clusters.group.to_numpy())[
        2:
    ].any()


def test_institutes_of_no_known_group_are_no_fault() -> None:
    """A register without any county has institutes, and no group to put them in."""
    clusters = pd.DataFrame({"group": [-1, -1], "compliant_assistants": [3, 4], "trainable_assistants": [5, 5]})
    p, institutes = p_values(TRAINING, clusters.iloc[:0, 1:], clusters, clusters.sum())
    assert list(p) == list(institutes) == []


# ---------------------------------------------------------------- as answers


@pytest.mark.parametrize("name", [*SHARES, "coverage_per_10k", "coverage_per_100km2"])
@pytest.mark.parametrize(("by", "where"), [("province", {}), ("county", {"province": ["IR-23"]}), ("post", {})])
def test_a_second_computation_names_the_same_groups(con: ScopedCursor, name: str, by: str, where: dict) -> None:
    metric = catalogue()[name]
    if by not in metric.dimensions or (by == "post" and name != SHARES[0]):
        pytest.skip("the measure has no such groups")
    answer = different(con, metric=name, by=by, where=where)
    parts = (str(metric.numerator), str(metric.denominator))
    institutes: dict[str, list[tuple[float, float]]] = {}
    for row in ask(con, name, by=(by, "institute"), on=answer.on, where=where).records():
        key = row[by] if row[by] is not None else "unknown"
        institutes.setdefault(key, []).append((row[parts[0]] or 0, row[parts[1]] or 0))
    groups = {row[by]: (row[parts[0]] or 0, row[parts[1]] or 0) for row in answer.records()}
    nation = ask(con, name, on=answer.on, where=where).records()[0]
    whole = (nation[parts[0]], nation[parts[1]])
    if name in SHARES:
        known = {group: members for group, members in institutes.items() if group in groups}
        expected = oracle.shares(groups, known, whole, least(catalogue()[parts[1]].unit), worse_side(metric))
    else:
        expected = oracle.rates(groups, whole)
    assert dict(zip(answer.column(by), answer.column("side"), strict=True)) == expected
    assert {row["whole_value"] for row in answer.records()} == {nation[name]}


def test_counties_without_anybody_are_groups_and_count_with_the_lowest(con: ScopedCursor) -> None:
    """A place without anybody has a coverage of 0, of the same residents; against the nation its province is no yardstick."""
    where = {"province": ["IR-23"]}
    rows = different(con, metric="coverage_per_10k", by="county", where=where).records()
    residents = ask(con, "residents", by=("county",), where=where).records()
    assert {row["county"]: row["residents"] for row in rows} == {row["county"]: row["residents"] for row in residents}
    met = {row["county"] for row in ask(con, "coverage_per_10k", by=("county",), where=where).records()}
    nobody = [row for row in rows if row["county"] not in met]
    assert nobody
    assert all((row["coverage_per_10k"], row["active_assistants"]) == (0, 0) for row in nobody)
    nation = different(con, metric="coverage_per_10k", by="county", where=where, whole="nation")
    assert {*nation.column("whole_value")} == {ask(con, "coverage_per_10k").value()} != {rows[0]["whole_value"]}


def test_the_worse_come_first_then_the_better_then_the_others_from_the_worst(con: ScopedCursor) -> None:
    for name, worse in (("training_compliance", "lower"), ("leaver_rate_12m", "higher")):
        rows = different(con, metric=name).records()
        better = {"lower": "higher", "higher": "lower"}[worse]
        place = {worse: 0, better: 1, "none": 2, "unclear": 2, "untested": 3}
        order = [place[row["side"]] for row in rows]
        assert order == sorted(order)
        for side in range(4):
            at_side = [row[name] for row, at in zip(rows, order, strict=True) if at == side and row[name] is not None]
            assert at_side == sorted(at_side, reverse=(worse == "higher") != (side == 1))


def test_a_full_count_is_on_a_side_by_its_number_and_the_lowest_comes_first(con: ScopedCursor) -> None:
    """A province at a third of the nation's coverage is named, of however few institutes; no test is asked."""
    bounds = {"far_lower": (0, 1 / 2), "lower": (1 / 2, 3 / 4), "none": (3 / 4, 4 / 3), "higher": (4 / 3, 2)}
    bounds["far_higher"] = (2, float("inf"))
    met = set()
    for by, where in (
        ("province", {}),
        ("county", {"province": ["IR-23"]}),
        ("county", {"province": ["IR-07"]}),
        ("county", {}),
    ):
        rows = different(con, metric="coverage_per_10k", by=by, where=where).records()
        known = [row for row in rows if row["side"] != "untested"]
        assert rows[: len(known)] == known
        assert [row["coverage_per_10k"] for row in known] == sorted(row["coverage_per_10k"] for row in known)
        # People there or expected, whichever are more.
        sizes = [max(row["active_assistants"], row["residents"] * row["whole_value"] / 10_000) for row in rows]
        for row, size in zip(known, sizes, strict=False):
            low, high = bounds[row["side"]]
            assert low <= row["coverage_per_10k"] / row["whole_value"] <= high
            assert size >= 23
            assert row["p_value"] is None
        assert all(size < 23 for size in sizes[len(known) :])
        met |= {row["side"] for row in known}
    assert met == bounds.keys()


def test_the_worst_that_is_worse_than_one_named_and_not_told_from_chance_is_unclear() -> None:
    """Ilam: 75 % beside a province that is named at 80 %; of 22 people nothing is said."""
    columns = ["province", "compliant_assistants", "trainable_assistants", "side"]
    rows = [
        ("named", 800, 1000, "lower"), ("ilam", 75, 100, "none"), ("few institutes", 31, 40, "untested"),
        ("few", 1, 22, "untested"), ("above", 810, 1000, "none"), ("better", 950, 1000, "higher"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame["training_compliance"] = frame.compliant_assistants / frame.trainable_assistants

    def unclear(of: pd.DataFrame) -> list[str]:
        return [*of.province[with_unclear(TRAINING, of) == "unclear"]]

    assert unclear(frame) == ["ilam"]
    assert unclear(frame[frame.province != "ilam"]) == ["few institutes"]
    assert unclear(frame[frame.province != "named"]) == []


def test_a_province_has_the_side_that_it_has_among_all(con: ScopedCursor) -> None:
    everywhere = {row["province"]: row for row in different(con).records()}
    alone = different(con, where={"province": ["IR-23", "IR-10"]})
    assert alone.where == {"province": ("IR-23", "IR-10")}
    assert {row["province"]: row for row in alone.records()} == {code: everywhere[code] for code in ("IR-23", "IR-10")}


def test_a_rate_that_may_still_change_is_asked_on_the_settled_month(con: ScopedCursor) -> None:
    answer = different(con, metric="leaver_rate_12m")
    assert answer.on is not None
    assert (answer.publication.as_of - answer.on).days >= 89
    with pytest.raises(TooEarly, match="no month is settled"):
        different(con, on=date(1990, 1, 1), metric="leaver_rate_12m")


def test_what_is_no_rate_of_institutes_is_refused_with_a_sentence(con: ScopedCursor) -> None:
    for name in ("active_assistants", "counties_covered", "target_progress", "training_hours", "no_such"):
        with pytest.raises(QuestionError, match=f"{name} is no rate that can be asked by institute"):
            different(con, metric=name)
        with pytest.raises(QuestionError, match=name):
            differs(con, than=Side(date(2026, 1, 1)), metric=name)
    for by in ("institute", "month", "no_such"):
        with pytest.raises(QuestionError, match="between groups of several institutes"):
            different(con, by=by)


@pytest.fixture
def of_tehran(small_register: Path) -> Iterator[ScopedCursor]:
    scope = AccessScope("reader", frozenset({Grant("province", frozenset({"IR-23"}), True, True)}))
    with access.connect(small_register, scope) as cursor:
        yield cursor


def test_a_reader_of_one_province_is_told_the_same_about_provinces_and_nothing_below_others(
    con: ScopedCursor, of_tehran: ScopedCursor
) -> None:
    for name in ("training_compliance", "coverage_per_10k", "leaver_rate_12m"):
        full, own = (analyses.analyse(cursor, "different", metric=name) for cursor in (con, of_tehran))
        shown = [name for name in full.columns if name not in ("p_value", "institutes_compared")]
        assert own.frame[shown].equals(full.frame[shown]), "all but the numbers of the test"
        assert own.scope == of_tehran.scope.rights()
        assert own.columns == ("province", name, *own.columns[2:])
    counties = analyses.analyse(of_tehran, "different", where={"province": ["IR-23"]}, by="county")
    assert counties.rows == different(con, where={"province": ["IR-23"]}, by="county").rows
    assert analyses.analyse(of_tehran, "different", by="county").rows == counties.rows
    with pytest.raises(Exception, match=r"."):
        analyses.analyse(of_tehran, "different", where={"province": ["IR-10"]}, by="county")


def test_a_group_without_institutes_and_a_scope_without_anybody_are_untested(con: ScopedCursor) -> None:
    nobody = different(con, on=date(1990, 1, 1), where={"province": ["IR-23"]}, by="county")
    assert set(nobody.column("side")) <= {"untested"}
    assert set(different(con, on=date(1990, 1, 1)).column("side")) == {"untested"}


def test_a_file_for_circulation_has_no_test_of_exact_counts(con: ScopedCursor) -> None:
    answer = for_circulation(different(con))
    assert set(answer.column("p_value")) == set(answer.column("whole_value")) == {None}
    assert answer.column("side") == different(con).column("side")


# ---------------------------------------------------------------- two sides


@pytest.mark.parametrize("by", ["county", "post", "province"])
@pytest.mark.parametrize("name", ["training_compliance", "coverage_per_10k"])
def test_a_side_that_circulates_is_tested_on_published_counts_alone(
    con: ScopedCursor, monkeypatch: pytest.MonkeyPatch, by: str, name: str
) -> None:
    """Where the analysis can ask for published counts alone it says the same; of provinces it says what is open."""
    if not is_tested(name, by):
        pytest.skip(f"{name} has no sides by {by}")
    wheres: list[dict[str, tuple[str, ...]]] = [{}, {"gender": ("female",)}]
    exact = [different(con, metric=name, by=by, where=where) for where in wheres]
    circulated = [different(con, metric=name, by=by, where=where, counts="published") for where in wheres]

    def published(*args: Any, **asked: Any) -> Answer:
        return with_published_counts(ask(*args, **asked))

    monkeypatch.setattr("etl.analysis.different.ask", published)
    again = [different(con, metric=name, by=by, where=where) for where in wheres]
    is_open = [by == "province" and not where for where in wheres]
    for told, expected in zip(circulated, [exact[0] if is_open[0] else again[0], again[1]], strict=True):
        pd.testing.assert_frame_equal(told.frame, expected.frame)
    assert circulated[1].rows != exact[1].rows, "the test can fail"


def test_two_sides_circulate_on_published_counts_alone(con: ScopedCursor, monkeypatch: pytest.MonkeyPatch) -> None:
    where = {"province": ("IR-23",), "gender": ("female",)}
    exact, told = (differs(con, where=where, **counts) for counts in ({}, {"counts": "published"}))
    monkeypatch.setattr("etl.analysis.different.ask", lambda *args, **asked: with_published_counts(ask(*args, **asked)))
    assert differs(con, where=where).rows == told.rows != exact.rows
    with pytest.raises(QuestionError, match="counts are exact or published"):
        differs(con, where=where, counts="some")


def test_two_sides_differ_by_the_same_test(con: ScopedCursor) -> None:
    day = con.publication.as_of
    same = differs(con, than=Side(day)).records()[0]
    assert (same["p_value"], same["side"]) == (1.0, "none")
    assert same["training_compliance"] == same["whole_value"] == ask(con, "training_compliance").value()
    there, here = (("gender", ("female",)),), (("gender", ("male",)),)
    one = differs(con, where=dict(here), than=Side(day, there)).records()[0]
    other = differs(con, where=dict(there), than=Side(day, here)).records()[0]
    assert one["p_value"] == pytest.approx(other["p_value"])
    assert {one["side"], other["side"]} in ({"none"}, {"lower", "higher"})
    before = differs(con, than=Side(day - timedelta(days=365)), metric="coverage_per_10k").records()[0]
    assert before["side"] in ("none", "higher", "lower")
    assert differs(con, than=Side(date(1990, 1, 1))).records()[0]["side"] == "untested"


def test_a_change_of_a_rate_per_residents_is_neither_better_nor_worse() -> None:
    """A province that rises by 10.6 % would be better, the nation that rises by 8.4 % would not."""
    names = ("training_compliance", "leaver_rate_12m", "coverage_per_10k", "coverage_per_100km2", "active_assistants")
    assert [name for name in names if is_tested_over_time(name)] == ["training_compliance", "leaver_rate_12m"]


@pytest.mark.parametrize("correlation", [0.0, 0.1])
@pytest.mark.parametrize("is_same_place", [True, False])
def test_equal_sides_differ_in_at_most_one_run_of_twenty(correlation: float, is_same_place: bool) -> None:
    chance = np.random.default_rng(38)
    people = np.ceil(chance.lognormal(3, 1, 60))
    odds = 1 / correlation - 1 if correlation else 0
    named = 0
    for _ in range(RUNS):
        columns = []
        for at in (0, 1):
            here = people if is_same_place else np.where((np.arange(60) < 40) == (at == 0), people, 0)
            probability = chance.beta(0.84 * odds, 0.16 * odds, 60) if odds else 0.84
            columns.append(np.column_stack([chance.binomial(here.astype(int), probability), here]))
        rows = [
            dict(zip(("compliant_assistants", "trainable_assistants"), side.sum(axis=0), strict=True))
            for side in columns
        ]
        p, _ = compared(TRAINING, rows, columns)
        named += p <= 0.05
    assert may_be_at_most(0.05, named, RUNS), named


def test_a_fall_of_six_points_in_one_place_is_found() -> None:
    chance = np.random.default_rng(38)
    people = np.ceil(chance.lognormal(3, 1, 60))
    columns = [np.column_stack([chance.binomial(people.astype(int), share), people]) for share in (0.78, 0.84)]
    rows = [
        dict(zip(("compliant_assistants", "trainable_assistants"), side.sum(axis=0), strict=True)) for side in columns
    ]
    assert compared(TRAINING, rows, columns)[0] < 0.01
