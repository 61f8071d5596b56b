"""How the results of queries become the rows of an answer."""

import ast
from datetime import date

import pytest

from etl.semantic.catalog import catalogue
from etl.semantic.combine import MeasureQuery, Select, combine, formula, in_order, merge
from tests.semantic.plans import plan

MAY, JUNE = date(2026, 5, 21), date(2026, 6, 21)


def _groups(query, rows):
    return query.groups(rows)


def test_a_query_is_the_sum_of_its_selects():
    first = Select("one", ("province", "active", "left"))
    second = Select("other", ("province", "left", "active"))
    query = MeasureQuery((first, second), ("province",), ("active", "left"), False)
    groups = _groups(
        query, {"one": [("A", 2, None), ("B", 1, None), ("B", 4, 7)], "other": [("A", 5, 1), (None, None, 3)]}
    )
    assert groups == {("A",): (3, 5), ("B",): (5, 7), (None,): (3, None)}


@pytest.mark.parametrize("names", [("left",), ("left", "active"), ("active", "left"), ("left", "gone"), ()])
def test_a_select_may_have_more_columns_than_the_query(names):
    selects = (Select("one", ("active",)), Select("other", ("left", "gone")))
    sums = {"active": 5, "left": 2, "gone": 4}
    groups = _groups(MeasureQuery(selects, (), names, False), {"one": [(5,), (0,)], "other": [(2, 3), (0, 1)]})
    assert groups == {(): tuple(sums[name] for name in names)}


def test_a_query_sums_over_dimensions_it_does_not_have():
    select = Select("one", ("province", "post", "active", "nation"))
    rows = {"one": [("A", "guard", 2, 20), ("A", "manager", 1, 10), ("B", "guard", 5, 50)]}
    assert _groups(MeasureQuery((select,), ("post",), ("nation",), True), rows) == {
        ("guard",): (70,),
        ("manager",): (10,),
    }
    assert _groups(MeasureQuery((select,), (), ("active",), False), rows) == {(): (8,)}
    of_a = MeasureQuery((select,), ("province", "post"), ("active",), False, frozenset({"A"}))
    assert _groups(of_a, rows) == {("A", "guard"): (2,), ("A", "manager"): (1,)}


def test_a_day_stands_for_each_of_its_units_and_no_other():
    select = Select("one", ("month", "gender", "active"), {MAY: ["1405-02", "1405-03"]})
    query = MeasureQuery((select,), ("month", "gender"), ("active",), False)
    groups = _groups(query, {"one": [(MAY, "male", 4), (JUNE, "male", 9)]})
    assert groups == {("1405-02", "male"): (4,), ("1405-03", "male"): (4,)}


def test_a_state_beside_a_flow_is_unknown_in_a_past_unit_that_the_period_cuts():
    """1402 has begun before the period, which ends in the middle of 1403."""
    asked = plan("joiners", "active_assistants", by=("year",), over=(date(2023, 6, 1), date(2024, 9, 22)))
    joiners = MeasureQuery((Select("flow", ("year", "joiners")),), ("year",), ("joiners",), False)
    active = MeasureQuery((Select("state", ("year", "active_assistants")),), ("year",), ("active_assistants",), False)
    rows = {"flow": [("1402", 3), ("1403", 2)], "state": [("1402", 7)]}
    assert combine(asked, (joiners, active), rows) == [("1402", 3, 7), ("1403", 2, None)]


def test_a_group_exists_where_any_presence_column_is_not_zero():
    select = Select("one", ("province", "compliant", "active"))
    query = MeasureQuery((select, select), ("province",), ("compliant",), False, presence=("compliant", "active"))
    groups = _groups(query, {"one": [("A", 0, 0), ("B", 0, 3), ("C", None, None), ("D", 1, 0)]})
    assert groups == {("B",): (0, 6), ("D",): (2, 0)}


def test_lookups_add_numbers_to_the_groups_of_other_queries():
    second = MeasureQuery((Select("met", ("province", "post", "active")),), ("province", "post"), ("active",), False)
    first = MeasureQuery((Select("beside", ("province", "people")),), ("province",), ("people",), True)
    rows = {"met": [("A", "guard", 1), (None, "guard", 2)], "beside": [("A", 10), ("B", 20), (None, 5)]}
    zeros = {"active": 0, "people": None, "hours": 0.0}
    keys, columns = merge([first, second], rows, ("province", "post"), {}, zeros)
    assert keys == [("A", "guard"), (None, "guard")]
    assert columns == {"active": [1, 2], "people": [10, 5], "hours": [0.0, 0.0]}
    alone = merge([first], rows, ("province",), {}, {"people": None})
    assert alone == ([("A",), ("B",), (None,)], {"people": [10, 20, 5]})


def test_fixed_groups_have_rows_where_nothing_is_counted():
    query = MeasureQuery((Select("one", ("province", "active")),), ("province",), ("active",), False)
    always = {("A",): {"people": 7}, ("B",): {"people": 8}}
    merged = merge([query], {"one": [("B", 3), ("C", 4)]}, ("province",), always, {"people": None, "active": 0})
    assert merged == ([("A",), ("B",), ("C",)], {"people": [7, 8, None], "active": [0, 3, 4]})


def test_members_are_in_order_and_the_unknown_last():
    assert in_order([("B", "x"), ("A", None), (None, "x"), ("A", "y"), (None, None)]) == [
        ("A", "y"),
        ("A", None),
        ("B", "x"),
        (None, "x"),
        (None, None),
    ]
    assert in_order([()]) == [()]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"active_assistants": 3, "residents": 15000}, 2.0),
        ({"active_assistants": 0, "residents": 15000}, 0.0),
        ({"active_assistants": 3, "residents": 0}, None),
        ({"active_assistants": 3, "residents": None}, None),
        ({"active_assistants": None, "residents": 15000}, None),
    ],
)
def test_a_ratio_is_computed_as_in_sql(cells, expected):
    assert formula("coverage_per_10k")({name: [cell] for name, cell in cells.items()}) == [expected]


def test_every_derived_metric_compiles():
    for name, metric in catalogue().items():
        if "{" in metric.sql and "{day}" not in metric.sql:
            assert callable(formula(name))


def test_more_than_sums_and_quotients_is_refused():
    from etl.semantic.combine import _compiled

    for text in ("active ** 2", "sum(active)", "'active'", "active if residents else 0", "nullif(active)", "-active"):
        with pytest.raises(ValueError, match="not to be computed here"):
            _compiled(ast.parse(text, mode="eval").body)
