"""The split of a difference: a published table, its second computation, and parts that add up whatever is asked."""

import math
import random
from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest

from etl.analysis import analyses
from etl.analysis import why as why_of
from etl.analysis.why import OVERLAP, SMALL, TOTAL, decomposed
from etl.core.errors import QuestionError
from etl.semantic.answers import ask
from etl.semantic.catalog import TIME, catalogue
from etl.warehouse.dimensions import PLACES
from tests.effort import draws
from tests.oracle import oracle, why

DAY, BEFORE = date(2026, 5, 1), date(2025, 5, 1)

# P. Das Gupta (1993), Standardization and Decomposition of Rates, table 5.1: household heads per 100 persons of an age, and
# each age's percentage of the persons, United States 1970 and 1985.
SIZES_1970 = (12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9)
SIZES_1985 = (10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5)
RATES_1970 = (1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8)
RATES_1985 = (2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2)


def test_a_published_example_is_split_as_published() -> None:
    counts = pd.DataFrame({"n0": SIZES_1970, "n1": SIZES_1985})
    counts["k0"], counts["k1"] = counts["n0"] * [*RATES_1970] / 100, counts["n1"] * [*RATES_1985] / 100
    wholes = [(counts[f"k{side}"].sum(), counts[f"n{side}"].sum()) for side in (0, 1)]
    total = decomposed(counts, wholes, 100).loc[TOTAL]
    assert (round(total["rate_before"], 4), round(total["rate_after"], 4)) == (44.7268, 47.6940)
    assert (round(total["composition_effect"], 4), round(total["rate_effect"], 4)) == (1.2269, 1.7403)


def test_the_effect_of_a_group_on_one_side_only_is_all_composition() -> None:
    counts = pd.DataFrame({"k0": [30, 0], "n0": [100, 0], "k1": [20, 45], "n1": [50, 50]}, index=["old", "new"])
    parts = decomposed(counts, [(30, 100), (65, 100)])
    assert parts.loc["new", "rate_effect"] == 0
    assert parts.loc["new", "composition_effect"] == pytest.approx((0.9 - (0.3 + 0.65) / 2) * 0.5)
    assert parts["effect"].drop(TOTAL).sum() == pytest.approx(0.35)


# ---------------------------------------------------------------- whatever is asked

# Refused: a count of one kind, or residents by groups that have none.
NOT_SPLIT = {"coverage_per_100km2", "target_progress"}
RATES = [name for name, metric in catalogue().items() if metric.denominator and not metric.hidden]


def sides(chance: random.Random, days: list[date]) -> dict:
    """Two of the days of a place, or two places on a day."""
    days = chance.sample(days, 2)
    places = chance.sample(["IR-23", "IR-30", "IR-07", "IR-10", "IR-09"], 2)
    where = {"province": (places[0],)}
    if chance.random() < 0.5:
        return {"on": days[0], "before": days[1], "where": chance.choice([{}, where])}
    return {"on": days[0], "where": where, "against": chance.choice(["nation", f"province={places[1]}"])}


def adds_up(con, name: str, by: str, question: dict) -> bool:
    """Whether the parts are the change to 1e-12; False where a side has no rate or the metric is not split so."""
    question = {"before": None, "against": "", **question}
    try:
        entry = why_of._checked(name)
        parts, _ = why_of._parts(con, entry, by, why_of._sides(con, **question), why_of.SMALLEST)
    except QuestionError:
        return False
    rows = parts.set_index(by)
    total, rows = rows.loc[TOTAL], rows.drop(TOTAL)
    near = {"rtol": 0, "atol": 1e-12 * max(1.0, abs(total["rate_before"]), abs(total["rate_after"]))}
    assert total["effect"] == total["rate_after"] - total["rate_before"]
    assert np.allclose(parts["rate_effect"] + parts["composition_effect"], parts["effect"], **near)
    for column in ("share_before", "share_after", "rate_effect", "composition_effect", "effect"):
        assert np.isclose(math.fsum(rows[column]), total[column], **near), (by, question)
    return True


PAIRS = draws(2, 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", RATES)
def test_parts_are_the_change_by_every_dimension(name: str, con, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random pairs of days or places by each dimension; the sides of a dimension are asked once."""
    asked: dict[tuple, object] = {}
    real = why_of._asked

    def once(con, metric, by, on, where):
        key = (by, on, tuple(sorted(where.items())))
        if key not in asked:
            asked[key] = real(con, metric, by, on, where)
        return asked[key]

    monkeypatch.setattr(why_of, "_asked", once)
    chance = random.Random(name)
    days = [date.fromordinal(chance.randrange(date(2021, 1, 1).toordinal(), DAY.toordinal())) for _ in range(6)]
    split = Counter()
    for by in sorted(catalogue()[name].dimensions - {*TIME}):
        for _ in range(PAIRS):
            split[adds_up(con, name, by, sides(chance, days))] += 1
    # Some measures have no counts of two kinds, or none by a dimension: they are refused everywhere.
    assert split[True] > PAIRS / 4 or name in NOT_SPLIT


@pytest.mark.parametrize("by", ["province", "gender", "post", "education", "course", "county"])
def test_parts_are_those_of_a_second_computation(by: str, con, data: oracle.Data) -> None:
    for before, on, where in ((BEFORE, DAY, {}), (date(2023, 3, 1), date(2024, 9, 9), {"province": ("IR-23",)})):
        answer = analyses.analyse(con, "why", on, where, metric="training_compliance", by=by, before=before)
        expected = why.split(data, by, (before, where), (on, where))
        # The oracle folds the codes of courses.
        rows = {row[0] and (row[0].lower() if by == "course" else row[0]): row[1:] for row in answer.rows}
        assert set(rows) == set(expected)
        for group, numbers in rows.items():
            for value, other in zip(numbers, expected[group], strict=True):
                assert value == (None if other is None else pytest.approx(float(other), abs=1e-12)), group


def test_the_total_is_what_ask_says(con) -> None:
    answer = analyses.analyse(con, "why", DAY, metric="training_compliance", by="activity", before=BEFORE)
    total = answer.records()[-1]
    asked = [ask(con, "training_compliance", on=day).value() for day in (BEFORE, DAY)]
    assert [total["rate_before"], total["rate_after"]] == asked


def test_a_count_is_split_into_differences(con) -> None:
    for name in ("active_assistants", "licensed_institutes", "net_change", "outstanding"):
        answer = analyses.analyse(con, "why", DAY, metric=name, by="province", before=BEFORE)
        assert answer.columns == ("province", "before", "after", "effect")
        *parts, total = answer.rows
        for at in (1, 2, 3):
            assert sum(row[at] for row in parts) == total[at]
        assert all(isinstance(value, int) for row in answer.rows for value in row[1:])
        assert (SMALL in answer.column("province")) == (catalogue()[name].counts == "persons"), name


def test_people_counted_in_two_groups_are_a_row_of_their_own(by_hand) -> None:
    on, before = date(2024, 9, 21), date(2023, 9, 22)
    answer = analyses.analyse(by_hand, "why", on, metric="active_assistants", by="province", before=before, smallest=1)
    # Hossein serves in Tehran and in Alborz.
    assert [row for row in answer.rows if row[0] == OVERLAP] == [(OVERLAP, 0, -1, -1)]
    # Under 23 people are not told apart.
    small = analyses.analyse(by_hand, "why", on, metric="training_compliance", by="gender", before=before)
    assert small.column("gender") == [SMALL, TOTAL]


def test_a_group_of_one_side_is_small_only_if_it_is_small_there(con) -> None:
    where = {"province": ("IR-23",)}
    rows = analyses.analyse(con, "why", DAY, where, metric="women_share", by="province", against="province=IR-30").rows
    assert [row[0] for row in rows] == ["IR-23", "IR-30", TOTAL]
    assert [row[5] for row in rows] == [0, 0, 0], "all of it is composition"


def test_members_come_in_the_order_of_their_dimension(con) -> None:
    answer = analyses.analyse(con, "why", DAY, metric="active_assistants", by="education", before=BEFORE, smallest=1)
    members = ["below_diploma", "diploma", "associate", "bachelor", "master", "doctorate"]
    assert [row for row in answer.column("education") if row in members] == members
    assert answer.column("education")[-1] == TOTAL


@pytest.mark.slow
def test_without_a_dimension_it_is_the_one_that_explains_most_beyond_its_size(con) -> None:
    for name in ("active_assistants", "training_compliance", "veteran_share"):
        answer = analyses.analyse(con, "why", DAY, metric=name, before=BEFORE)
        explained = {}
        for by in ("province", "post", "gender", "education", "activity"):
            *rows, total = analyses.analyse(con, "why", DAY, metric=name, by=by, before=BEFORE).records()
            named = sorted(
                (row for row in rows if row[by] not in (SMALL, OVERLAP)), key=lambda row: -abs(row["effect"])
            )
            sides = [column for column in ("share_before", "share_after", "before", "after") if column in total]
            size = sum(row[side] / total[side] for row in named[:2] for side in sides) / 2
            change = total["effect"]
            beyond = abs(change) - abs(change - sum(row["effect"] for row in named[:2])) - size * abs(change)
            explained[by] = (len(named) > 2, beyond)
        assert answer.by == (max(explained, key=explained.__getitem__),) != ("gender",)


def test_two_groups_explain_everything_and_are_not_the_first(con) -> None:
    """Of two groups the two largest parts are all of any difference, which says nothing."""
    even = pd.DataFrame({"before": [100.0, 100, 200], "after": [110.0, 110, 220], "effect": [10.0, 10, 20]})
    uneven = pd.DataFrame({"before": [50.0, 50, 100, 200], "after": [66.0, 52, 102, 220], "effect": [16.0, 2, 2, 20]})
    parts = {"gender": even.assign(gender=["m", "f", TOTAL]), "post": uneven.assign(post=["a", "b", "c", TOTAL])}
    assert why_of.best_dimension(parts) == "post"


def test_a_rate_that_splits_by_places_alone_is_split_by_the_counties_of_a_province(con) -> None:
    answer = analyses.analyse(con, "why", DAY, {"province": ("IR-23",)}, metric="coverage_per_10k", before=BEFORE)
    assert answer.by == ("county",)


def test_two_places_are_split_by_no_place_inside(con) -> None:
    """A county of one is no county of the other: whatever its numbers are, it explains no difference."""
    for against in ("province=IR-30", "nation"):
        sides = {"where": {"province": ("IR-23",)}, "against": against}
        answer = analyses.analyse(con, "why", DAY, metric="training_compliance", **sides)
        assert not {*answer.by} & {*PLACES}
        with pytest.raises(QuestionError, match="coverage_per_10k is split by nothing but county"):
            analyses.analyse(con, "why", DAY, metric="coverage_per_10k", **sides)


def test_of_one_province_the_first_dimension_is_another_than_the_province(con) -> None:
    for question in ({"before": BEFORE}, {"against": "nation"}):
        answer = analyses.analyse(con, "why", DAY, {"province": ("IR-23",)}, metric="training_compliance", **question)
        assert answer.by != ("province",), "one member explains everything"


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"metric": "nothing", "by": "gender", "before": BEFORE}, "no metric is called nothing"),
        ({"metric": "tenure_median", "by": "gender", "before": BEFORE}, "neither a count nor a rate of two counts"),
        ({"metric": "coverage_per_100km2", "by": "province", "before": BEFORE}, "neither a count nor a rate"),
        ({"metric": "coverage_gap", "by": "province", "before": BEFORE}, "neither a count nor a rate"),
        ({"metric": "target_progress", "by": "province", "before": BEFORE}, "neither a count nor a rate"),
        ({"metric": "coverage_per_10k", "by": "gender", "before": BEFORE}, "residents is not counted by gender"),
        ({"metric": "training_compliance", "by": "colour", "before": BEFORE}, "no dimension is called colour"),
        ({"metric": "training_compliance", "by": "outcome", "before": BEFORE}, "has no meaning by outcome"),
        ({"metric": "training_compliance", "by": "month", "before": BEFORE}, "a month is none"),
        ({"metric": "training_compliance", "by": "gender", "before": DAY}, "compared with itself"),
        ({"metric": "training_compliance", "by": "gender", "before": date(1990, 1, 1)}, "nobody is counted on 1990-01-01"),
        ({"metric": "training_compliance", "by": "gender"}, "a difference has two sides"),
        ({"metric": "training_compliance", "by": "gender", "against": "nation"}, "a place is compared with itself"),
        ({"metric": "training_compliance", "by": "gender", "against": "province=IR-23"}, "give that one with where"),
        ({"metric": "training_compliance", "by": "gender", "against": "Tehran"}, "against is DIM=VALUE"),
    ],
)  # fmt: skip
def test_a_question_without_meaning_is_refused(question: dict, sentence: str, con) -> None:
    with pytest.raises(QuestionError, match=sentence):
        analyses.analyse(con, "why", DAY, **question)
