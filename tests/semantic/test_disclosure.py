"""The exact counts behind a file for circulation cannot be recovered, neither from one row nor from a table with its margins.

The attacks read the file and know the rules: how a count is rounded, that shares of fewer than 100 people are computed from the
rounded counts, and that others are those of the exact counts in whole per cent. They know all members, and that a group without
people has no row in the data.
"""

import io
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from etl.semantic import disclosure, ranking
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, derived
from etl.semantic.disclosure import for_circulation
from etl.semantic.exportable import StreamedRows
from tests.effort import draws, thorough
from tests.files import to_parquet
from tests.made import answer
from ui.charts.elements import ChartContext
from ui.i18n import text

EN = ChartContext("en")
# With this seed one of the small tables has a line that its sum would reveal.
SEED = 1022
PARTS = ("compliant_assistants", "trainable_assistants")
PROVINCES = [f"IR-{number:02}" for number in range(31)]
POSTS = ["guard", "team_leader", "operator", "manager"]
# The key of a cell; a margin has None for the dimension summed over.
Key = tuple[str | None, str | None]
Counts = dict[Key, tuple[int, int]]
Published = dict[Key, tuple[float | None, int, int]]
Publish = Callable[[Answer], Answer]


def written(source: Answer) -> list[tuple[Any, ...]]:
    """The rows of the file for circulation."""
    table = pq.read_table(io.BytesIO(to_parquet(source, EN, circulation=True)))
    return list(zip(*(table[name].to_pylist() for name in source.columns), strict=True))


def compliance(by: tuple[str, ...], counts: Sequence[tuple[tuple[Any, ...], tuple[int, int]]]) -> Answer:
    rows = [(*key, part / whole if whole else None, part, whole) for key, (part, whole) in counts]
    return answer("training_compliance", by=by, more=PARTS, rows=rows)


def by_group(source: Answer) -> list[tuple[Any, ...]]:
    """The numbers of the file for circulation of every group; those of a group that is not listed read 0."""
    first = len(source.by)
    nothing = dict.fromkeys((row[:first] for row in source.rows), (None, 0, 0))
    return list((nothing | {row[:first]: row[first:] for row in written(source)}).values())


def of_exact_parts(source: Answer) -> list[tuple[Any, ...]]:
    """An earlier design: counts rounded to 5, ratios of the exact parts to 0.1 point, none under 23 persons."""
    rows = []
    for *key, share, part, whole in source.rows:
        rounded_share = round(share, 3) if whole >= 23 else None
        rows.append((*key, rounded_share, disclosure.rounded(part), disclosure.rounded(whole)))
    return rows


def window(count: int, half: int = 2) -> range:
    return range(max(count - half, 0), count + half + 1)


WHOLE_PER_CENT, TENTHS = 0.005, 0.0005


def says_nothing(share: float | None, whole: int, precision: float) -> bool:
    """Whether a share is none, or that of the rounded counts."""
    return share is None or (precision == WHOLE_PER_CENT and whole < disclosure.MANY)


# ---------------------------------------------------------------- from one row


def possible(rows: list[tuple[Any, ...]], precision: float = WHOLE_PER_CENT) -> list[tuple[set[int], set[int]]]:
    """The numerators and the denominators that each row leaves possible."""

    def pairs(share: float | None, part: int, whole: int, half: int) -> list[tuple[int, int]]:
        return [
            (n, d)
            for n, d in itertools.product(window(part, half), window(whole, half))
            if n <= d and (says_nothing(share, whole, precision) or (d and abs(n / d - share) <= precision + 1e-9))
        ]

    # A count may be rounded the other way.
    found = [pairs(*row[-3:], 2) or pairs(*row[-3:], 3) for row in rows]
    return [({n for n, _ in ranges}, {d for _, d in ranges}) for ranges in found]


PAIRS = st.integers(0, 3000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@pytest.mark.slow
@settings(max_examples=draws(40, 100))
@given(st.lists(PAIRS, min_size=1, max_size=12))
@example([(12, 24), (0, 1), (902, 1003), (24, 24)])
@example([(67, 67), (117, 118), (217, 217), (217, 217)])
def test_no_count_can_be_recovered_from_its_row(counts: list[tuple[int, int]]) -> None:
    data = compliance(("institute",), [((f"{number:03}",), pair) for number, pair in enumerate(counts)])
    for numerators, denominators in possible(written(data)):
        assert len(numerators) > 1
        assert len(denominators) > 1


@pytest.mark.slow
def test_no_share_of_many_people_and_no_missing_one_leaves_one_count() -> None:
    """All that a row shows, also that its share is missing, against all rows that show the same."""
    pairs = [(part, whole) for whole in range(98, 223) for part in range(whole + 1)]
    rows = written(compliance(("institute",), [((f"{number:05}",), pair) for number, pair in enumerate(pairs)]))
    shown = {row[0]: row[1:] for row in rows}
    same: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for number, pair in enumerate(pairs):
        same.setdefault(shown[f"{number:05}"], []).append(pair)
    for (share, *_), found in same.items():
        numbers = ({part for part, _ in found}, {whole for _, whole in found}, {whole - part for part, whole in found})
        assert min(map(len, numbers)) >= (3 if share is None else 2), found
    missing = sum(row[0] is None for row in shown.values())
    assert 0 < missing < len(pairs) / 4


@pytest.mark.slow
@given(st.integers(100, 60_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_share_of_a_hundred_people_is_the_exact_one_in_whole_per_cent(pair: tuple[int, int]) -> None:
    ((_, share, *_),) = for_circulation(compliance(("institute",), [(("0001",), pair)])).rows
    if share is not None:
        assert text.plain(share, "share", "en") == text.percent(pair[0] / pair[1], "en", 0)


@pytest.mark.slow
@pytest.mark.parametrize(("whole", "least"), [(150, 0.75), (400, 0.9), (1500, 0.94), (8000, 0.99), (54_292, 0.995)])
def test_few_shares_of_many_people_are_left_out(whole: int, least: float) -> None:
    pairs = [(part, whole) for part in range(0, whole + 1, max(whole // 500, 1))]
    rows = for_circulation(compliance(("institute",), [((f"{part:05}",), (part, whole)) for part, _ in pairs])).rows
    told = [row[1] for row in rows if row[1] is not None]
    assert len(told) > least * len(rows)


@pytest.mark.slow
@settings(max_examples=draws(40, 100))
@given(st.lists(PAIRS, min_size=1, max_size=12))
@example([(67, 67), (117, 118), (217, 217), (217, 217)])
def test_no_part_is_rounded_to_more_than_its_whole(counts: list[tuple[int, int]]) -> None:
    data = compliance(("institute",), [((f"{number:03}",), pair) for number, pair in enumerate(counts)])
    for *_, share, part, whole in written(data):
        assert part <= whole
        assert share is None or share <= 1


@pytest.mark.parametrize("seed", [42, 54, 84, 91, 110, 112, 2888])
def test_no_line_of_a_two_way_table_is_revealed_by_its_sum_and_no_part_exceeds_its_whole(seed: int) -> None:
    """Counts as far from their fives as they can be, for which a change in a row reveals a column, or one too far away."""
    rng = np.random.default_rng(seed)
    wholes = rng.choice([2, 3, 7, 8, 12, 13, 17, 18, 22, 23], (4, 4))
    parts = np.maximum(wholes - rng.integers(0, 2, (4, 4)), 0)
    pairs = zip(parts.ravel().tolist(), wholes.ravel().tolist(), strict=True)
    cells = zip(itertools.product(PROVINCES[:4], POSTS), pairs, strict=True)
    rows = by_group(compliance(("province", "post"), list(cells)))
    for exact, at in ((parts, -2), (wholes, -1)):
        shown = np.array([row[at] for row in rows]).reshape(4, 4)
        for counts, line in (*zip(exact, shown, strict=True), *zip(exact.T, shown.T, strict=True)):
            spans, total = [window(count) for count in line], window(disclosure.rounded(int(sum(counts))))
            assert sum(span[0] for span in spans) < total[-1]
            assert sum(span[-1] for span in spans) > total[0]
        assert abs(exact - shown).max() <= 3
    assert all(row[-2] <= row[-1] for row in rows)


def test_ratios_of_exact_parts_to_a_tenth_of_a_point_would_reveal_counts() -> None:
    """Why ratios are computed from rounded counts: the attack succeeds on the earlier design."""
    counts = [((str(whole),), (whole * 4 // 5, whole)) for whole in range(23, 123)]
    possible_counts = possible(of_exact_parts(compliance(("institute",), counts)), TENTHS)
    recovered = [ranges for ranges in possible_counts if len(ranges[0]) == len(ranges[1]) == 1]
    assert len(recovered) > 30


# ---------------------------------------------------------------- from a two-way table with its margins


def with_margins(cells: dict[tuple[str, str], tuple[int, int]]) -> list[Answer]:
    """The files about a table: its cells, both margins, and the total; groups without people have no row."""
    cells = {key: counts for key, counts in cells.items() if any(counts)}
    keys = list(cells)

    def summed(chosen: list[tuple[str, str]]) -> tuple[int, int]:
        return sum(cells[key][0] for key in chosen), sum(cells[key][1] for key in chosen)

    margins = [
        [((place,), summed([key for key in keys if key[axis] == place])) for place in dict.fromkeys(k[axis] for k in keys)]
        for axis in (0, 1)
    ]  # fmt: skip
    return [
        compliance(("province", "post"), list(cells.items())),
        compliance(("province",), margins[0]),
        compliance(("post",), margins[1]),
        compliance((), [((), summed(keys))]),
    ]


def published(files: list[Answer], publish: Callable[[Answer], list[tuple[Any, ...]]]) -> Published:
    cells: Published = {}
    for file in files:
        for row in publish(file):
            key = dict(zip(file.by, row, strict=False))
            share, part, whole = row[-3:]
            cells[key.get("province"), key.get("post")] = (share, part, whole)
    return cells


def recovered(
    listed: Published, cells: list[tuple[str, str]], precision: float = WHOLE_PER_CENT, half: int = 2
) -> list[tuple[Key, str]]:
    """The counts for which linear programming leaves one value; the true table always satisfies the constraints.

    Each group that is listed has somebody, and each of the others reads 0.
    """
    keys: list[Key] = [*cells, *{(place, None) for place, _ in cells}, *{(None, post) for _, post in cells}]
    cells_shown: Published = dict.fromkeys(keys, (None, 0, 0)) | listed
    place = {key: number for number, key in enumerate(cells)}
    size = len(cells)
    above: list[np.ndarray] = []
    limits: list[float] = []

    def sums(key: Key) -> list[int]:
        return [place[cell] for cell in cells if all(b is None or a == b for a, b in zip(cell, key, strict=True))]

    def at_most(coefficients: np.ndarray, limit: float) -> None:
        above.append(coefficients)
        limits.append(limit)

    rows_of: dict[tuple[Key, int], np.ndarray] = {}
    for key, (share, *counts) in cells_shown.items():
        for kind, count in enumerate(counts):
            row = np.zeros(2 * size)
            row[[kind * size + at for at in sums(key)]] = 1
            rows_of[key, kind] = row
            span = window(count, half)
            at_most(row, span[-1])
            at_most(-row, -max(span[0], PARTS[kind] == "trainable_assistants" and key in listed))
        part, whole = rows_of[key, 0], rows_of[key, 1]
        at_most(part - whole, 0)
        if share is not None and not says_nothing(share, counts[1], precision):
            at_most(part - (share + precision) * whole, 0)
            at_most((share - precision) * whole - part, 0)
    exact = []
    for (key, kind), row in rows_of.items():
        ends = []
        for sign in (1, -1):
            result = linprog(sign * row, np.array(above), limits, bounds=(0, None), method="highs")
            assert result.status == 0 or half == 2, result.message
            if result.status:
                # A count may be rounded the other way, which the constraints have to allow.
                return recovered(listed, cells, precision, 3)
            ends.append(sign * result.fun)
        if math.floor(ends[1] + 1e-6) - math.ceil(ends[0] - 1e-6) < 1:
            exact.append((key, PARTS[kind]))
    return exact


def table(rng: np.random.Generator, provinces: int, posts: int, most: int) -> dict[tuple[str, str], tuple[int, int]]:
    """Persons by province and post, few in most cells, and the compliant ones among them."""
    counts = {}
    for key in itertools.product(PROVINCES[:provinces], POSTS[:posts]):
        whole = int(rng.integers(0, most + 1))
        counts[key] = (int(rng.binomial(whole, 0.8)), whole)
    return counts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provinces", "posts", "most"),
    [
        pytest.param(31, 2, 60, marks=thorough),
        *[(14, 2, 60), (12, 4, 30), (6, 3, 200), (10, 3, 3000), (4, 4, 20)],
    ],
)
def test_no_count_can_be_recovered_from_a_table_with_margins(provinces: int, posts: int, most: int) -> None:
    cells = table(np.random.default_rng(SEED), provinces, posts, most)
    assert recovered(published(with_margins(cells), written), list(cells)) == []


@pytest.mark.parametrize("small", [(1, 1), (2, 0), (1, 0), (0, 2)])
def test_no_count_can_be_recovered_from_which_groups_are_listed(small: tuple[int, int]) -> None:
    """Two that are listed with 0 beside a total of 0 would be 1 each."""
    wholes = [small, (60, 70), (13, 41)]
    cells = {
        (place, post): (whole // 2, whole)
        for place, row in zip(PROVINCES, wholes, strict=False)
        for post, whole in zip(POSTS, row, strict=False)
    }
    assert recovered(published(with_margins(cells), written), list(cells)) == []


@pytest.mark.parametrize("cells", [(3, 3, 3, 3), (2, 2, 2, 2), (13, 8, 3, 28), (3, 3, 3, 3, 0, 0), (7, 2, 2, 7)])
def test_no_row_of_a_table_is_revealed_by_its_sum(cells: tuple[int, ...]) -> None:
    data = compliance(("institute",), [((f"{number:03}",), (0, whole)) for number, whole in enumerate(cells)])
    total = disclosure.rounded(sum(cells))
    plain = [window(disclosure.rounded(cell)) for cell in cells]
    assert sum(span[0] for span in plain) == window(total)[-1] or sum(span[-1] for span in plain) == window(total)[0]
    spans = [window(row[-1]) for row in by_group(data)]
    assert sum(span[0] for span in spans) < window(total)[-1]
    assert sum(span[-1] for span in spans) > window(total)[0]
    assert all(abs(row[-1] - exact) <= 3 for row, exact in zip(by_group(data), cells, strict=True))


# ---------------------------------------------------------------- the rules one by one


def asking(**values: Any) -> disclosure.Ask:
    """A semantic layer with these numbers for every row asked for."""

    def ask(*names: str, by: tuple[str, ...], **_: Any) -> Answer:
        return answer(*names, by=by, rows=[(*["IR-23"] * len(by), *(values[name] for name in names))])

    return ask


def circulated(name: str, value: Any, ask: disclosure.Ask | None = None, **parts: Any) -> Any:
    """One number of a file for circulation, next to its parts; None of a group that is not listed."""
    data = answer(name, by=("province",), more=tuple(parts), rows=[("IR-23", value, *parts.values())])
    return next((row[1] for row in for_circulation(data, ask).rows), None)


@pytest.mark.parametrize(
    ("name", "value", "parts", "expected"),
    [
        ("training_compliance", 0.5, {"compliant_assistants": 11, "trainable_assistants": 22}, None),
        ("training_compliance", 12 / 23, {"compliant_assistants": 12, "trainable_assistants": 23}, 0.4),
        ("training_compliance", None, {"compliant_assistants": 0, "trainable_assistants": 0}, None),
        ("training_compliance", 0.5, {}, None),
        ("coverage_per_10k", 0.22, {"active_assistants": 22, "residents": 1000000}, None),
        ("coverage_per_10k", 0.23, {"active_assistants": 23, "residents": 1000000}, 0.3),
        ("coverage_per_10k", 10.2, {"active_assistants": 102, "residents": 100000}, 10.0),
        ("coverage_per_10k", 5.678, {"active_assistants": 5678, "residents": 10000000}, 5.7),
        ("target_progress", 0.5, {"active_assistants": 26, "target": 52.4}, 0.48),
        ("training_compliance", 843 / 1000, {"compliant_assistants": 843, "trainable_assistants": 1000}, 0.84),
        ("training_compliance", 0.0, {"compliant_assistants": 0, "trainable_assistants": 150}, None),
        ("persons_per_institute", 13.5, {"active_assistants": 27, "licensed_institutes": 2}, 12.5),
        ("smart_service_share", 1 / 3, {"smart_institutes": 1, "licensed_institutes": 3}, None),
        ("smart_service_share", 1 / 3, {"smart_institutes": 1, "licensed_institutes": 3, "in_service": 23}, 0.33),
        ("counties_covered", 1 / 3, {"covered_counties": 1, "compared_counties": 3}, None),
        ("counties_covered", 1 / 3, {"covered_counties": 1, "compared_counties": 3, "active_assistants": 23}, 0.33),
        ("training_hours", 10.0, {"training_hours_total": 1720, "active_at_end": 172}, 8.8),
        ("training_hours_total", 749.0, {}, 500),
        ("in_service_mean_12m", 12.5, {}, 15),
        ("target", 123.4567, {}, 123.5),
        ("licensed_institutes", 3, {}, None),
        ("licensed_institutes", 3, {"active_assistants": 23}, 3),
    ],
)
def test_circulated_values(name: str, value: Any, parts: dict[str, Any], expected: Any) -> None:
    assert circulated(name, value, **parts) == expected


@pytest.mark.parametrize("name", ["age_median", "tenure_median", "time_to_licence_median", "time_to_licence_p90"])
def test_a_median_or_percentile_is_left_out_of_seven_cases_or_where_they_are_not_known(name: str) -> None:
    cases = str(catalogue()[name].sample_size)
    assert circulated(name, 30.26, asking(**{cases: 8})) == 30.3
    assert circulated(name, 30.26, asking(**{cases: 7})) is None
    assert circulated(name, 30.26) is None


def test_every_median_and_percentile_names_its_cases() -> None:
    for name, metric in catalogue().items():
        assert bool(metric.sample_size) == ("median" in metric.sql or "quantile" in metric.sql), name


def test_a_gap_is_worked_out_of_rounded_counts_for_its_other_parts_are_known() -> None:
    known = {"residents": 1000, "nation_residents": 10000}
    gaps = {circulated("coverage_gap", active - 12.3, asking(active_assistants=active, nation_active=123, **known))
            for active in range(13, 18)}  # fmt: skip
    assert gaps == {disclosure.rounded(15 - 1000 * 125 / 10000)}, "five counts that read 15 have one gap"
    assert circulated("coverage_gap", 3.7) is None


def test_a_comparison_uses_the_circulated_values_of_its_sides() -> None:
    names = ("active_assistants", "women_share")
    rows = [("first", 31, 0.40, 12), ("second", 48, 0.25, 12), ("difference", 17, -0.15, None)]
    data = for_circulation(answer(*names, by=("side",), more=("women",), rows=rows))
    assert data.rows == [("first", 30, 0.33, 10), ("second", 50, 0.2, 10), ("difference", 20, -0.13, None)]


@pytest.mark.parametrize(
    "places", ["covered_counties", "uncovered_counties", "licensed_institutes", "counties_covered"]
)
def test_no_cells_exact_count_can_be_had_from_its_row(places: str) -> None:
    """Persons in two counties are at least two: beside fewer than 23 persons, the number of counties is left out."""
    value = 1 / 3 if places == "counties_covered" else 2
    for persons in (0, 2, 13, 22):
        data = answer("active_assistants", places, by=("institute",), rows=[("0001", persons, value)])
        assert for_circulation(data).rows == [("0001", disclosure.rounded(persons), None)] * (persons > 2)
    if places != "counties_covered":
        many = answer("active_assistants", places, by=("institute",), rows=[("0001", 23, value)])
        assert for_circulation(many).rows == [("0001", 25, value)]


@pytest.mark.parametrize("places", ["covered_counties", "uncovered_counties", "counties_covered"])
@pytest.mark.parametrize("by", [(), ("province",), ("month",)])
def test_a_number_of_counties_is_left_out_where_the_few_persons_in_them_are_in_another_file(
    places: str, by: tuple[str, ...]
) -> None:
    parts = ("covered_counties", "compared_counties") if places == "counties_covered" else ()
    data = answer(places, by=by, more=parts, rows=[(*["IR-23"] * len(by), 0.5, *(1, 2)[: len(parts)])])
    for active, expected in ((2, None), (22, None), (23, 0.5)):
        assert for_circulation(data, asking(active_assistants=active)).value() == expected
    assert for_circulation(data).value() is None, "the persons are not known"


def test_a_group_is_listed_only_if_it_has_a_count_of_people_that_is_not_rounded_to_nobody() -> None:
    """Nobody has no row: one with 0 would tell that there are one or two."""
    counts = ("compliant_assistants", "trainable_assistants")
    groups = [("0001", 0.5, 1, 2), ("0002", 0.0, 0, 8), ("0003", 1.0, 1, 1)]
    data = for_circulation(answer("training_compliance", by=("institute",), more=counts, rows=groups))
    assert data.rows == [("0002", None, 0, 10)]
    parts = answer(*counts, by=("month", "gender"), rows=[("1405-01", "female", 1, 2), ("1405-01", "male", 3, 4)])
    assert for_circulation(parts).rows == [("1405-01", "male", 5, 5)]


def test_a_month_without_people_and_a_place_without_a_count_of_them_are_listed() -> None:
    months = answer("joiners", by=("month",), rows=[("1405-01", 0), ("1405-02", 2), ("1405-03", 8)])
    assert for_circulation(months).rows == [("1405-01", 0), ("1405-02", 0), ("1405-03", 10)]
    institutes = answer("licensed_institutes", by=("province",), rows=[("IR-23", 0), ("IR-24", 1)])
    people = answer("active_assistants", by=("province",), rows=[("IR-23", 23), ("IR-24", 60)])
    assert for_circulation(institutes, lambda *_, **__: people).rows == institutes.rows


def test_a_group_without_a_number_that_circulates_is_not_listed() -> None:
    """Which groups have counties would tell who has one or two people."""
    places = answer("covered_counties", by=("institute", "post"), rows=[("0001", "guard", 1), ("0001", "manager", 1)])
    rows = [("0001", "guard", 23), ("0001", "manager", 2)]
    people = answer("active_assistants", by=("institute", "post"), rows=rows)
    assert for_circulation(places, lambda *_, **__: people).rows == [("0001", "guard", 1)]
    assert for_circulation(places).rows == []


@pytest.mark.parametrize(
    ("name", "behind"),
    [
        ("licensed_institutes", "active_assistants"),
        ("registered_institutes", "in_service"),
        ("licences_renewed", "active_assistants"),
    ],
)
def test_a_number_of_institutes_is_exact_or_left_out_beside_few_people_of_another_file(name: str, behind: str) -> None:
    for people, expected in ((0, None), (22, None), (23, 1)):
        assert circulated(name, 1, asking(**{behind: people})) == expected


def test_seats_are_exact_but_beside_few_people() -> None:
    def seats(people: int) -> list[tuple[Any, ...]]:
        made = answer("active_assistants", by=("province",), rows=[("IR-23", 3)])
        plan = replace(made, columns=("province", "seats_planned"), metrics=(derived("seats_planned"),))
        return for_circulation(plan, asking(active_assistants=people)).rows

    assert seats(23) == [("IR-23", 3)]
    assert seats(22) == []


def test_groups_keep_the_order_of_their_exact_numbers() -> None:
    rows = [
        ("IR-01", 0.843, 843, 1000),
        ("IR-02", 0.844, 844, 1000),
        ("IR-03", 12 / 24, 12, 24),
        ("IR-04", 11 / 23, 11, 23),
    ]
    data = for_circulation(answer("training_compliance", by=("province",), more=PARTS, rows=rows))
    assert [row[1] for row in data.rows] == [0.84, 0.84, 0.4, 0.4]
    assert [group.key[0] for group in ranking.rank(data).ranked] == ["IR-02", "IR-01", "IR-03", "IR-04"]


def test_the_number_of_groups_is_exact_or_not_told() -> None:
    few = [(f"{number:04}", 2) for number in range(51)]
    many = for_circulation(answer("active_assistants", by=("institute",), rows=[("9000", 40), *few]))
    assert (len(many.rows), many.groups) == (1, 52)
    assert for_circulation(answer("active_assistants", by=("institute",), rows=few[:11])).groups is None
    assert for_circulation(answer("outstanding", by=("institute",), rows=[("9000", 4)])).groups is None


def test_a_number_of_counties_is_left_out_beside_a_gap_that_rests_on_few_persons() -> None:
    """The residents are known, so that the gap tells the persons."""
    known = {"residents": 1000, "nation_residents": 10000, "nation_active": 100}
    data = answer("coverage_gap", "covered_counties", by=("province",), rows=[("IR-23", -7.0, 2)])
    few, many = (for_circulation(data, asking(active_assistants=active, **known)).rows[0] for active in (3, 23))
    assert (few[2], many[2]) == (None, 2)


def test_parts_of_a_row_are_not_revealed_by_their_sum() -> None:
    bands = ("status_in_date", "status_pending", "status_expired", "status_overdue")
    row = for_circulation(answer(*bands, by=("province",), rows=[("IR-23", 13, 8, 3, 28)])).rows[0][1:]
    assert sum(window(count)[0] for count in row) < window(disclosure.rounded(52))[-1]


def test_rows_about_persons_are_not_for_circulation() -> None:
    rows = answer("active_assistants", by=("institute",), rows=[])
    with pytest.raises(disclosure.NotForCirculation):
        for_circulation(StreamedRows(rows, "", "", {}, lambda: pytest.fail("nothing is read")))  # type: ignore[arg-type, return-value]


@settings(max_examples=30)
@given(st.sampled_from(sorted(catalogue())), st.floats(0, 1e6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_no_number_has_more_digits_than_its_rule_gives(name: str, value: float, part: int, whole: int) -> None:
    metric = catalogue()[name]
    parts = {str(metric.numerator): part, str(metric.denominator): whole} if metric.numerator else {}
    ask = asking(**dict.fromkeys(catalogue(), part))
    number = circulated(name, value, ask, **parts)
    digits = {"share": 2, "per_10k": 1, "per_100km2": 1}.get(metric.unit, 1)
    assert number is None or round(number, digits) == number
    if metric.counts == "persons" and number is not None:
        assert number % 5 == 0


def test_circulated_values_are_not_rounded_twice() -> None:
    data = for_circulation(answer("active_assistants", by=("province",), rows=[("IR-23", 3)]))
    assert for_circulation(data) is data
    assert for_circulation(replace(data, on=date(2026, 1, 1))).rows == [("IR-23", 5)]


@pytest.mark.slow
def test_the_same_attack_recovers_counts_from_ratios_of_exact_parts() -> None:
    cells = table(np.random.default_rng(6), 6, 3, 200)
    assert len(recovered(published(with_margins(cells), of_exact_parts), list(cells), TENTHS)) >= 5


@pytest.mark.slow
def test_counties_and_institutes_beside_the_counts_leave_two_values_for_every_count() -> None:
    """A place that has counties or institutes has at least as many people: beside the rounded counts this is nothing new."""
    rng = np.random.default_rng(SEED)
    cells = table(rng, 12, 4, 60)
    wholes = {key: whole for key, (_, whole) in cells.items() if whole}
    places = {key: min(whole, 1 + int(rng.integers(0, 9))) for key, whole in wholes.items()}
    by = ("province", "post")
    people = answer("active_assistants", by=by, rows=[(*key, whole) for key, whole in wholes.items()])

    def ask(*_: str, **__: Any) -> Answer:
        return people

    beside = answer(
        "covered_counties", "licensed_institutes", by=by, rows=[(*key, count, count) for key, count in places.items()]
    )
    told = {row[:2]: row[2:] for row in for_circulation(beside, ask).rows}
    shown = {row[:2]: row[2] for row in for_circulation(people).rows}
    assert told
    assert told.keys() <= shown.keys(), "nobody is listed for the places alone"
    for key, (counties, institutes) in told.items():
        assert counties == institutes == places[key], "exact, never a part"
        assert len([count for count in window(shown[key]) if count >= max(counties, institutes)]) > 1
    assert all(wholes[key] >= 23 for key in told)


def reported_by(names: tuple[str, ...], by: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What circulates of numbers that stand beside others' own."""
    data = replace(answer("active_assistants", rows=rows), metrics=tuple(map(derived, names)), by=by)
    return for_circulation(replace(data, columns=(*by, *names))).rows


def test_what_was_announced_is_quoted_and_the_difference_is_to_the_rounded_count() -> None:
    names, day = ("announced_value", "registered_value", "announced_difference"), date(2021, 10, 10)
    rows = [
        ("active_assistants", day, 1234.0, 1237, 3.0),
        ("in_service", day, 60000.0, None, None),
        # How many people a share is of is not known here.
        ("training_compliance", day, 0.93, 0.914, -0.016),
    ]
    assert reported_by(names, ("metric", "announced_on"), rows) == [
        ("active_assistants", day, 1234.0, 1235, 1.0),
        ("in_service", day, 60000.0, None, None),
        ("training_compliance", day, 0.93, None, None),
    ]


def test_what_other_countries_count_is_quoted_beside_the_rounded_count_of_the_register() -> None:
    rows = [
        ("assistants", "IRN", "police_assistants", "2026", "register", 1237, None),
        ("guards", "GBR", "licences", "2024", "official", 4_412_311, 412_311),
    ]
    by = ("force", "country", "counted", "counted_year", "sureness")
    shown = reported_by(("persons_counted", "above_claim"), by, rows)
    assert shown == [(*rows[0][:5], 1235, None), rows[1]]
