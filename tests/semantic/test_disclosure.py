"""The law of circulation, and what it withstands.

Read back: from the published counts of a file and open facts alone every other number of it is worked out here, a second time,
and its rows are sorted: it is the same file. Beside it stand attacks that know the rules: from a row, from a table with its
margins, from the windows of months, from two files one person apart.
"""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from etl.analysis.comparison import Side, compare
from etl.core.errors import QuestionError
from etl.core.jalali import year_before
from etl.semantic import access, disclosure, ranking
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import DIMENSIONS, Metric, catalogue, derived, expand
from etl.semantic.disclosure import STEP, Circulated, for_circulation, published
from etl.semantic.exportable import StreamedRows
from etl.semantic.rights import ADMINISTRATOR
from tests.effort import draws, thorough
from tests.made import PUBLICATION, answer

PARTS = ("compliant_assistants", "trainable_assistants")
PROVINCES = [f"IR-{number:02}" for number in range(31)]
POSTS = ["guard", "team_leader", "operator", "manager"]
PLACES = ("province", "county", "institute")
# A count that is published as `shown` is less than a step away from it.
NEAR = STEP - 1


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    with access.connect(small_register, ADMINISTRATOR) as connection:
        yield connection


def circulated(con: ScopedCursor, source: Answer) -> Circulated:
    return for_circulation(source, lambda *names, **more: ask(con, *names, **more))


def under(secret: str, source: Answer) -> Answer:
    return replace(source, publication=replace(source.publication, circulation_key=secret))


# ---------------------------------------------------------------- a count


@given(st.integers(-10_000, 100_000), st.sampled_from([5, 20, 500]), st.floats(0, 1, exclude_max=True))
def test_a_count_is_the_multiple_below_or_above_it(count: int, step: int, chance: float) -> None:
    shown = published(count, step, chance)
    assert shown % step == 0
    assert abs(shown - count) < step


@given(st.integers(0, 10_000), st.sampled_from([5, 20, 500]))
def test_it_is_above_as_often_as_its_remainder_says(count: int, step: int) -> None:
    """The mean over all chances is the count: sums of many are not shifted."""
    shown = [published(count, step, number / step) for number in range(step)]
    assert Fraction(sum(shown), step) == count


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_part_is_never_more_than_its_whole(one: int, other: int, chance: float) -> None:
    part, whole = sorted((one, other))
    assert published(part, 5, chance) <= published(whole, 5, chance)


def test_the_secret_decides_and_nobody_reads_it() -> None:
    data = answer("active_assistants", by=("institute",), rows=[(f"{number:04}", 52) for number in range(200)])
    one, again, other = (for_circulation(under(secret, data)) for secret in ("one", "one", "other"))
    assert one.rows == again.rows != other.rows
    ups = sum(row[1] == 55 for row in one.rows)
    assert 50 < ups < 110, "52 is 55 two times in five"
    assert "a secret" not in repr(replace(PUBLICATION, circulation_key="a secret"))


def test_the_same_people_have_the_same_number_in_every_file(con: ScopedCursor) -> None:
    """As a row of all provinces, under a filter, at the end of a month, beside another measure."""
    day = con.publication.as_of
    every = circulated(con, ask(con, "active_assistants", "judicial_officers", by=("province",), on=day))
    last = date(2024, 6, 20)
    months = circulated(con, ask(con, "active_assistants", by=("month",), over=(date(2024, 3, 20), last)))
    (of_day,) = circulated(con, ask(con, "active_assistants", on=last)).rows
    assert months.rows[-1][1] == of_day[0]
    for province, active, officers in every.rows:
        where = {"province": (province,)} if province else None
        if where:
            (row,) = circulated(con, ask(con, "active_assistants", where=where)).rows
            assert row[0] == active
            (row,) = circulated(con, ask(con, "judicial_officer_share", where=where)).rows
            assert row[1:] == (officers, active)


# ---------------------------------------------------------------- read back


def is_of_people(metric: Metric) -> bool:
    return metric.counts in ("persons", "hours")


def rounded_half_up(value: float, digits: int) -> float:
    scaled = Fraction(str(value)) * 10**digits
    return float(Fraction(math.floor(abs(scaled) + Fraction(1, 2)), 10**digits)) * (-1 if scaled < 0 else 1)


def precise(metric: Metric, value: float, part: float, whole: float) -> float | None:
    """A number with the precision of the law, from its published parts."""
    numerator, denominator = (catalogue()[str(name)] for name in (metric.numerator, metric.denominator))
    if metric.unit == "share" and denominator.counts != "targets":
        people = whole / denominator.most_per_person
        if people < 100:
            return None
        return rounded_half_up(value, 2) if people >= 400 else rounded_half_up(value * 20, 0) / 20
    decimals = {"per_10k": 1, "per_100km2": 1, "ratio": 1, "share": 2}.get(metric.unit, 0)
    return None if part / numerator.most_per_person < 25 else rounded_half_up(value, decimals)


def of_formula(metric: Metric, part: float, whole: float) -> float:
    factor = {"coverage_per_10k": 10_000, "coverage_per_100km2": 100, "per_100k": 100_000}.get(metric.name, 1)
    return part / whole * factor


def is_left_out(metric: Metric, record: dict[str, Any]) -> bool:
    """Whether the published parts of a ratio are missing, or too few for it to be given."""
    part, whole = (record.get(str(name)) for name in (metric.numerator, metric.denominator))
    if not whole or part is None or not is_of_people(catalogue()[str(metric.numerator)]):
        return True
    return precise(metric, of_formula(metric, part, whole), part, whole) is None


def read_back(shown: Circulated) -> int:
    """Assert that nothing in a file tells more than its published counts and open facts; how many numbers were worked out."""
    found = 0
    for record in shown.records():
        for metric in shown.metrics:
            value = record[metric.name]
            if value is None:
                assert is_left_out(metric, record), (metric.name, record)
            parts = [catalogue()[name] for name in expand(metric.name, frozenset())]
            if (
                value is None
                or metric.sample_size
                or metric.is_difference
                or not any(map(is_of_people, [*parts, metric]))
            ):
                continue
            found += 1
            if is_of_people(metric):
                assert value % (STEP * metric.most_per_person) == 0, (metric.name, record)
                continue
            part, whole = record[str(metric.numerator)], record[str(metric.denominator)]
            wanted = precise(metric, of_formula(metric, part, whole), part, whole)
            assert value == pytest.approx(wanted, abs=1e-9), (metric.name, record)
    if set(shown.by) & set(PLACES):
        keys = [row[: len(shown.by)] for row in shown.rows]
        assert keys == sorted(keys, key=lambda key: [(member is None, member or "") for member in key])
    return found


NAMES = [name for name, metric in catalogue().items() if not metric.hidden]
BY = [name for name in DIMENSIONS if name not in ("day", "week")]


def test_every_file_is_what_its_published_counts_say(con: ScopedCursor) -> None:
    """Every measure by every dimension, and by pairs of them that chance chooses."""
    chance, seen = random.Random(70), 0
    pairs = chance.sample([*itertools.permutations(BY, 2)], draws(25, 200))
    for by in [(), *((name,) for name in BY), *pairs]:
        alike = [name for name in NAMES if set(by) <= catalogue()[name].groups]
        for name in alike if len(by) < 2 else chance.sample(alike, min(len(alike), 6)):
            try:
                source = ask(con, name, by=by)
            except QuestionError:
                continue
            shown = circulated(con, source)
            seen += read_back(shown)
            exact = {row[: len(by)] for row in source.rows}
            assert {row[: len(by)] for row in shown.rows} <= exact
    assert seen > 4_000


def test_what_counts_nobody_stands_as_it_is(con: ScopedCursor) -> None:
    for name in ("licensed_institutes", "granted", "covered_counties", "residents", "smart_service_share"):
        source = ask(con, name, by=("province",))
        assert circulated(con, source).rows == source.rows, name


def test_a_difference_is_that_of_published_counts(con: ScopedCursor) -> None:
    shown = circulated(con, ask(con, "net_change", by=("month",)))
    plus, minus = (dict(circulated(con, ask(con, name, by=("month",))).rows) for name in ("joiners", "leavers"))
    assert [row[1] for row in shown.rows] == [plus[row[0]] - minus[row[0]] for row in shown.rows]
    assert min(row[1] for row in shown.rows) < 0, "a difference may be negative"
    gaps = circulated(con, ask(con, "coverage_gap", by=("province",)))
    active = dict(circulated(con, ask(con, "active_assistants", by=("province",))).rows)
    (nation,), (people,) = circulated(con, ask(con, "active_assistants")).rows, ask(con, "residents").rows
    residents = dict(row[:2] for row in ask(con, "residents", by=("province",)).rows)
    for row in gaps.rows:
        if row[0] is not None and row[1] is not None:
            gap = active.get(row[0], 0) - residents[row[0]] * nation[0] / people[0]
            assert row[1] == rounded_half_up(gap, 0)


def test_a_median_has_eight_cases_and_one_digit_fewer(con: ScopedCursor) -> None:
    told = 0
    for name in ("age_median", "tenure_median", "time_to_licence_median", "institute_age_median"):
        source = ask(con, name, by=("province",))
        cases = circulated(con, ask(con, str(catalogue()[name].sample_size), by=("province",)))
        enough = {row[0] for row in cases.rows if (row[1] or 0) >= 8}
        for (key, exact, *_), (same, shown, *_) in zip(source.rows, circulated(con, source).rows, strict=False):
            if key != same:
                break
            assert (shown is not None) == (exact is not None and key in enough), (name, key)
            if shown is not None:
                assert shown == rounded_half_up(exact, 0)
                told += 1
    assert told


def test_every_median_and_percentile_names_its_cases() -> None:
    for name, metric in catalogue().items():
        assert bool(metric.sample_size) == ("median" in metric.sql or "quantile" in metric.sql), name


def test_person_courses_and_hours_are_published_in_larger_steps() -> None:
    """Ten courses due are perhaps two guards; and one guard may have a hundred hours."""
    steps = {
        name: STEP * catalogue()[name].most_per_person for name in ("requirements_due", "training_hours_total", "women")
    }
    assert steps == {"requirements_due": 20, "training_hours_total": 500, "women": 5}
    for metric in catalogue().values():
        if metric.unit in ("person_courses", "completions", "hours"):
            assert metric.most_per_person > 1, metric.name
    for name in ("seats_planned", "training_seats_needed", "plan_seats"):
        assert is_of_people(derived(name)), "seats that are needed or planned are people"
    assert not is_of_people(derived("seats_available"))


# ---------------------------------------------------------------- who is listed


def of_counts(*counts: int | None, by: str = "institute") -> Circulated:
    rows = [(f"{number:04}", count) for number, count in enumerate(counts)]
    return for_circulation(answer("active_assistants", by=(by,), rows=rows))


def test_a_group_whose_people_are_published_as_nobody_is_not_listed() -> None:
    shown = of_counts(*range(1, 5), *[0] * 20, *range(1, 5))
    assert all(row[1] == 5 for row in shown.rows)
    assert 0 < len(shown.rows) < 8
    assert of_counts(*[0] * 10).rows == []


def test_a_unit_of_time_and_a_place_without_a_count_of_people_are_listed() -> None:
    months = answer("joiners", by=("month",), rows=[("1405-01", 0), ("1405-02", 40)])
    assert for_circulation(months).rows == [("1405-01", 0), ("1405-02", 40)]
    institutes = answer("licensed_institutes", by=("province",), rows=[("IR-23", 0), ("IR-24", 1)])
    assert for_circulation(institutes).rows == institutes.rows


def test_a_province_with_one_institute_says_so_beside_its_people() -> None:
    """An institute is no person: its number is open, and says nothing of people that their published count does not."""
    data = answer("licensed_institutes", "active_assistants", by=("province",), rows=[("IR-23", 1, 25)])
    assert for_circulation(data).rows == data.rows


def test_a_list_is_in_the_order_of_published_counts() -> None:
    rows = [(f"{number:04}", 50 + number) for number in (9, 8, 7, 5, 4, 3, 2, 1, 0)]
    shown = for_circulation(answer("active_assistants", by=("institute",), rows=rows))
    assert shown.rows == sorted(shown.rows, key=lambda row: (-row[1], row[0])) != [(key, 0) for key, _ in rows]
    # Whatever the order was: those that are published alike stand by their codes.
    other = for_circulation(answer("active_assistants", by=("institute",), rows=[*rows[3:], *rows[:3]]))
    assert other.rows == shown.rows


def test_a_list_by_an_open_fact_keeps_its_order() -> None:
    rows = [("0003", date(2026, 1, 1), 12), ("0001", date(2026, 2, 1), 60), ("0002", date(2026, 3, 1), 31)]
    data = answer("licensed_until", "in_service", by=("institute",), rows=rows)
    assert [row[0] for row in for_circulation(data).rows] == ["0003", "0001", "0002"]


def test_ranks_are_those_of_published_numbers() -> None:
    rows = [("IR-01", 0.843, 843, 1000), ("IR-02", 0.844, 844, 1000), ("IR-03", 0.5, 60, 120)]
    data = for_circulation(answer("training_compliance", by=("province",), more=PARTS, rows=rows))
    found = ranking.rank(data).ranked
    assert [group.value for group in found] == sorted((row[1] for row in data.rows), reverse=True)


# ---------------------------------------------------------------- what is no question


def test_rows_about_persons_are_not_for_circulation() -> None:
    rows = answer("active_assistants", by=("institute",), rows=[])
    with pytest.raises(disclosure.NotForCirculation):
        for_circulation(StreamedRows(rows, "", "", {}, lambda: pytest.fail("nothing is read")))  # type: ignore[arg-type, return-value]


def test_what_is_published_is_not_published_again() -> None:
    data = for_circulation(answer("active_assistants", by=("province",), rows=[("IR-23", 3), ("IR-24", 60)]))
    assert for_circulation(data) is data


def test_a_comparison_is_that_of_what_its_sides_show() -> None:
    names = ("active_assistants", "women_share")
    rows = [("first", 1000, 0.4, 400), ("second", 1500, 0.2, 300), ("difference", 500, -0.2, None)]
    data = for_circulation(answer(*names, by=("side",), more=("women",), rows=rows))
    assert data.rows == rows
    few = [("first", 100, 0.4, 40), ("second", 1500, 0.2, 300), ("difference", 1400, -0.2, None)]
    assert for_circulation(answer(*names, by=("side",), more=("women",), rows=few)).rows[2][2] is None, (
        "to the nearest five"
    )


def reported_by(names: tuple[str, ...], by: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What circulates of numbers that stand beside others' own."""
    data = replace(answer("active_assistants", rows=rows), metrics=tuple(map(derived, names)), by=by)
    return for_circulation(replace(data, columns=(*by, *names))).rows


def test_what_was_announced_is_quoted_and_the_difference_is_to_the_published_count() -> None:
    names, day = ("announced_value", "registered_value", "announced_difference"), date(2021, 10, 10)
    rows = [
        ("active_assistants", day, 1234.0, 1235, 1.0),
        ("in_service", day, 60000.0, None, None),
        # How many people a share is of is not known here.
        ("training_compliance", day, 0.93, 0.914, -0.016),
    ]
    assert reported_by(names, ("metric", "announced_on"), rows) == [
        *rows[:2],
        ("training_compliance", day, 0.93, None, None),
    ]


def test_what_other_countries_count_is_quoted_beside_the_published_count_of_the_register() -> None:
    rows = [
        ("assistants", "IRN", "police_assistants", "2026", "register", 1237, None),
        ("guards", "GBR", "licences", "2024", "official", 4_412_311, 412_311),
    ]
    by = ("force", "country", "counted", "counted_year", "sureness")
    register, other = reported_by(("persons_counted", "above_claim"), by, rows)
    assert register[5] in (1235, 1240)
    assert other == rows[1]


def test_what_has_no_formula_is_left_out() -> None:
    names = ("survival", "assistants_share", "gini", "coverage_rank", "p_value")
    data = replace(answer("active_assistants", rows=[(0.9, 0.3, 0.4, 2, 0.01)]), metrics=tuple(map(derived, names)))
    assert for_circulation(replace(data, columns=names)).rows == [(None,) * 5]


def test_a_day_beside_few_people_is_theirs() -> None:
    names, day = ("training_seats_needed", "training_seats_by"), date(2026, 5, 1)
    rows = [("base", 400, day), ("lead", 1, day)]
    shown = reported_by(names, ("course",), rows)
    assert shown[0] == rows[0]
    assert [row[2] for row in shown[1:]] == [None] * (len(shown) - 1)


# ---------------------------------------------------------------- attacks


def possible(count: int) -> range:
    """The counts that are published like this one."""
    return range(max(count - NEAR, 0), count + NEAR + 1)


def chances() -> list[float]:
    """One chance for each way in which remainders of five can be published."""
    return [number / 5 for number in range(5)]


def test_no_row_tells_a_count() -> None:
    """Part and whole of one group have one chance, which nobody knows: five pairs or more are published like each."""
    alike: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for whole in range(130):
        for part, chance in itertools.product(range(whole + 1), chances()):
            alike.setdefault((published(part, 5, chance), published(whole, 5, chance)), set()).add((part, whole))
    inner = [found for (_, whole), found in alike.items() if whole < 120]
    for found in inner:
        parts, wholes, rests = ({one for one, _ in found}, {two for _, two in found}, {two - one for one, two in found})
        assert min(map(len, (parts, wholes, rests))) >= 5


def test_two_files_one_person_apart_do_not_tell_it() -> None:
    """Everybody, and everybody but one: whatever two files show, both may also hold the same people."""

    def shown(apart: int) -> set[tuple[int, int]]:
        return {
            (published(count, 5, one), published(count - apart, 5, other))
            for count in range(1, 60)
            for one, other in itertools.product(chances(), repeat=2)
        }

    same, others = shown(0), shown(1)
    inside = {pair for pair in others if pair[0] < 55}
    assert inside <= same


def certain(rows: np.ndarray, shown: Sequence[int], size: int, step: int = STEP) -> list[int]:
    """The unknowns for which linear programming leaves one whole number; each sum is less than a step from what is shown."""
    above = np.vstack([rows, -rows])
    limits = [*(count + step - 1 for count in shown), *(-max(count - step + 1, 0) for count in shown)]
    found = []
    for at in range(size):
        ends = []
        for sign in (1, -1):
            goal = np.zeros(size)
            goal[at] = sign
            result = linprog(goal, above, limits, bounds=(0, None), method="highs")
            assert result.status == 0, result.message
            ends.append(sign * result.fun)
        if math.floor(ends[1] + 1e-6) - math.ceil(ends[0] - 1e-6) < 1:
            found.append(at)
    return found


BEGINS = [date(2025, 3, 21) + timedelta(days=31 * month) for month in range(13)]
SPANS = [(first, last) for first in range(12) for last in range(first, 12)]
WINDOWS = np.array([[float(first <= month <= last) for month in range(12)] for first, last in SPANS])


@pytest.mark.slow
@pytest.mark.parametrize("most", [5, 12, 40])
def test_78_windows_of_the_months_of_a_year_tell_hardly_a_month(most: int) -> None:
    """A few of a thousand months, where chance fell alike in many windows; rounded to the nearest, two thirds of them."""
    assert len(SPANS) == 78
    seeds, found = draws(6, 40), 0
    for seed in range(seeds):
        months, shown = np.random.default_rng(seed).integers(0, most, 12), []
        for (first, last), count in zip(SPANS, WINDOWS @ months, strict=True):
            over = (BEGINS[first], BEGINS[last + 1] - timedelta(days=1))
            file = under(f"secret {seed}", answer("joiners", rows=[(int(count),)], over=over))
            shown.append(for_circulation(file).value())
        found += len(certain(WINDOWS, shown, 12))
    assert found <= seeds * 12 / 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provinces", "posts", "most"), [pytest.param(31, 4, 60, marks=thorough), (14, 2, 60), (6, 3, 200), (4, 4, 20)]
)
def test_a_table_with_its_margins_and_nested_files_tells_no_cell(provinces: int, posts: int, most: int) -> None:
    cells = np.random.default_rng(1022).integers(0, most + 1, (provinces, posts))
    chosen: list[np.ndarray] = []
    shown: list[int] = []

    def file(by: tuple[str, ...], within: int) -> None:
        """A file of the first provinces: a row for each cell, place, post, or one of all."""
        grid = np.arange(cells.size).reshape(cells.shape)[:within]
        members = {"province": PROVINCES[:within], "post": POSTS[:posts]}
        groups = [*itertools.product(*(members[name] for name in by))]
        counts = []
        for group in groups:
            at = [members[name].index(member) for name, member in zip(by, group, strict=True)]
            axes = [at[by.index(name)] if name in by else slice(None) for name in ("province", "post")]
            chosen.append(np.isin(np.arange(cells.size), grid[tuple(axes)]).astype(float))
            counts.append(int(chosen[-1] @ cells.ravel()))
        where = {"province": tuple(PROVINCES[:within])} if within < provinces else {}
        rows = [(*group, count) for group, count in zip(groups, counts, strict=True)]
        listed = {
            row[:-1]: row[-1]
            for row in for_circulation(answer("active_assistants", by=by, rows=rows, where=where)).rows
        }
        shown.extend(listed.get(group, 0) for group in groups)

    for by in ((), ("province",), ("post",), ("province", "post")):
        file(by, provinces)
    for within in range(2, provinces):
        file((), within)
        file(("post",), within)
    assert certain(np.array(chosen), shown, cells.size) == []


def test_the_attack_recovers_what_is_rounded_to_the_nearest() -> None:
    """The windows of months, with each sum rounded to the nearest five: the attack can succeed."""
    months = np.random.default_rng(5).integers(0, 30, 12)
    sums = WINDOWS @ months
    shown = [5 * int((count + 2) // 5) for count in sums]
    assert certain(WINDOWS, shown, 12, step=3) == [*range(12)]


@settings(max_examples=draws(25, 100))
@given(
    st.lists(st.integers(0, 3000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))), max_size=12)
)
def test_no_share_is_more_than_all(counts: list[tuple[int, int]]) -> None:
    rows = [(f"{at:04}", part / whole if whole else None, part, whole) for at, (part, whole) in enumerate(counts)]
    for _, share, part, whole in for_circulation(
        answer("training_compliance", by=("institute",), more=PARTS, rows=rows)
    ).rows:
        assert part <= whole
        assert share is None or (0 <= share <= 1 and whole >= 100)


def test_a_register_of_four_people_tells_neither_how_many_nor_a_share() -> None:
    shown = for_circulation(answer("training_compliance", more=PARTS, rows=[(0.75, 3, 4)])).rows[0]
    assert shown[0] is None
    assert set(shown[1:]) <= {0, 5}
    assert len(possible(shown[2])) >= 5


def test_nobody_of_many_is_a_share_of_0() -> None:
    assert for_circulation(answer("training_compliance", more=PARTS, rows=[(0.0, 0, 500)])).value() == 0


def test_a_side_of_a_comparison_has_the_number_of_its_own_question(con: ScopedCursor) -> None:
    """Two provinces, two days: each side shows what a file of that place and day shows."""
    names, day = ("active_assistants", "in_service", "training_compliance"), con.publication.as_of
    for first, second in itertools.pairwise(["IR-23", "IR-10", "IR-07", "IR-11", "IR-23"]):
        sides = [Side(day, (("province", (first,)),)), Side(year_before(day), (("province", (second,)),))]
        compared = circulated(con, compare(con, names, *sides)).records()
        for side, shown in zip(sides, compared, strict=False):
            (alone,) = circulated(con, ask(con, *names, on=side.on, where=dict(side.where))).records()
            assert {name: shown[name] for name in names} == {name: alone[name] for name in names}
