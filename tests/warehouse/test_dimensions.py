"""The dimensions are declared once; models, questions and pages derive from them."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from etl.semantic.catalog import TIME, tables
from etl.warehouse import code_version, dimensions, run_models
from etl.warehouse.dimensions import ALL, CELL, CHOICES, FILTERS, PLACES, SPELL, Dimension, expand_groups, render
from ui.i18n import member_names, text

MODELS = Path(run_models.__file__).parent / "models"


def test_column_lists_are_written_into_models(monkeypatch):
    monkeypatch.setattr(dimensions, "CELL", ("province", "shift"))
    monkeypatch.setattr(dimensions, "SPELL", ("county", "activity", "gender"))
    assert (
        render("select {{ cell }}, {{ cell(one) }} from x") == "select province, shift, one.province, one.shift from x"
    )
    assert render("{{ cell(one, other_) }}") == "one.province as other_province, one.shift as other_shift"
    assert render("{{ cell(, other_) }}") == "other_province, other_shift"
    assert render("{{ spell(a) }}") == "a.county, a.activity, a.gender"
    assert render("{{ spell_columns }}") == (
        "cast(loaded_personnel.county as county) as county, institutes.activity, "
        "cast(loaded_personnel.gender as gender) as gender"
    )


def test_the_condition_of_a_rollup_names_columns_of_each_table(monkeypatch):
    monkeypatch.setattr(dimensions, "ROLLUPS", {"chiefs": "is_licensed and post = 'post'"})
    assert render("{{ rollup_counts(a, b) }}") == (
        "cast(a.is_licensed and a.post = 'post' and b.is_licensed and b.post = 'post' as integer) as chiefs"
    )


def test_no_model_is_left_with_a_placeholder():
    assert not [name for name, sql in run_models.models().items() if "{{" in sql]


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.sql")), ids=lambda path: path.stem)
def test_no_model_lists_the_dimensions_by_hand(path):
    """Two of them next to each other are the beginning of such a list."""
    sql = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    names = re.findall(r"(?:\w+\.)?(\w+)", sql)
    personal = [name for name in SPELL if name not in ("province", "county", "activity")]
    assert not [pair for pair in pairwise(names) if set(pair) <= set(personal) and len(set(pair)) > 1]


def test_groups_of_dimensions_stand_for_their_names():
    assert expand_groups(["@place", "post"]) == ["county", "institute", "post"]
    assert expand_groups(["@spell"]) == list(SPELL)
    assert set(FILTERS) == {*expand_groups(["@main", "@place", "@person", "@course"])}
    assert set(PLACES) == {"province", "county", "institute"}
    assert not set(CELL) - set(SPELL)


def test_every_dimension_says_where_its_members_are():
    for dimension in ALL.values():
        ways = [
            dimension.time,
            bool(dimension.words),
            bool(dimension.lookup),
            dimension.same_as == "province" or dimension.name == "province",
        ]
        assert sum(ways) == 1, dimension.name


def test_members_are_known_by_every_word_for_them():
    assert CHOICES["gender"] == {"male": "male", "مرد": "male", "female": "female", "زن": "female"}
    assert CHOICES["smart"]["بلی"] == "yes"
    assert CHOICES["age_band"]["60+"] == "60+"
    assert "province" not in CHOICES


def test_readers_have_words_for_every_dimension_and_member():
    for lang in text.LANGUAGES:
        for name, words in CHOICES.items():
            assert set(words.values()) <= set(member_names.fixed(name, lang)), (name, lang)
        for name in (*ALL, *(f"scope.{filter_}" for filter_ in FILTERS)):
            assert text.word(name if "." in name else f"dimension.{name}", lang)


def test_models_of_persons_have_every_dimension_of_spells():
    for name in (
        "service",
        "compliance_intervals",
        "course_compliance_intervals",
        "lapses",
        "joiners",
        "leavers",
        "completions",
        "workforce",
    ):
        assert set(SPELL) < set(tables()[name].columns), name
    assert TIME == ("month", "quarter", "year")


@pytest.mark.slow
def test_a_new_dimension_asks_for_a_new_build(monkeypatch):
    before = code_version.code_version.__wrapped__()
    dimensions = ALL | {"shift": Dimension("shift", values={"day": "روز"}, spell=True)}
    monkeypatch.setattr(code_version, "ALL", dimensions)
    assert code_version.code_version.__wrapped__() != before
