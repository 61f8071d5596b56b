"""The catalogue: words in both languages, true examples, meaningless questions refused.

The tests read the catalogue, so a metric added to etl/semantic/metrics is tested at once.
"""

import math
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.analysis import analyses
from etl.cli import arguments
from etl.cli.commands import _parser, main
from etl.core.errors import QuestionError
from etl.semantic import access, answers, rights
from etl.semantic.catalog import DIMENSIONS, TIME, catalogue, derived, derived_names, expand, tables
from etl.semantic.formulas import changes, formula
from etl.warehouse.dimensions import CHOICES
from tests.conftest import Sample

ROOT = Path(__file__).parents[2]
LANGUAGES = ("fa", "en")
SHOWN = [name for name, metric in catalogue().items() if not metric.hidden]
DERIVED = list(derived_names())
# The length of a label in a chart's legend or next to a bar.
LONGEST_SHORT = 24


@pytest.fixture(scope="session")
def warehouse(publish_sample: Callable[..., Sample]) -> Path:
    """The hand-made sample."""
    return publish_sample().pointer


@pytest.fixture(scope="session")
def con(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with access.connect(warehouse, rights.ADMINISTRATOR) as connection:
        yield connection


def entry(name: str) -> Any:
    return catalogue()[name] if name in catalogue() else derived(name)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    "name",
    ["officers_lapsed", "officer_training_share", "veteran_leader_share", "status_pending"],
)
def test_a_measure_on_cards_and_charts_has_one_name(name: str) -> None:
    assert catalogue()[name].short == catalogue()[name].label


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", SHOWN + DERIVED)
def test_every_number_has_its_words(name: str, lang: str) -> None:
    metric = entry(name)
    for words in (metric.label, metric.short, metric.description, metric.example):
        assert words.get(lang, "").strip(), f"{name} lacks words in {lang}"
    assert len(metric.short[lang]) <= LONGEST_SHORT, (
        f"{name}: give it `short` in {lang}, of at most {LONGEST_SHORT} letters, for legends and axes"
    )
    assert metric.description[lang] != metric.label[lang], "the name again explains nothing"
    assert metric.direction in ("up", "down", "none")


@pytest.mark.parametrize("name", SHOWN + DERIVED)
def test_persian_words_are_written_in_persian(name: str) -> None:
    metric = entry(name)
    for words in (metric.label["fa"], metric.short["fa"], metric.description["fa"], metric.example["fa"]):
        assert not re.search("[يكة٠-٩]", words), f"{name}: an Arabic letter or digit"
        assert not re.search("[0-9]", words), f"{name}: a Latin digit"
        assert re.search("[آ-ی]", words) or re.fullmatch("[^A-Za-z]*", words)


@pytest.mark.parametrize("name", SHOWN + DERIVED)
def test_english_words_hold_no_persian(name: str) -> None:
    metric = entry(name)
    for words in (metric.label["en"], metric.short["en"], metric.description["en"], metric.example["en"]):
        assert not re.search("[\u0600-\u06ff]", words)


@pytest.mark.parametrize(
    ("name", "fa", "en"),
    [
        # A course passed once and expired, but not due yet, is pending.
        ("status_pending", "هیچ دورهٔ الزامی معتبری ندارد", "no required course in date"),
        # The due day itself counts.
        ("status_overdue", "سررسید آن رسیده است", "from its due day on"),
        # «شاغلان» are all in service, licensed or not.
        ("persons_per_institute", "پلیس‌یاران فعال آن استان", "the active who serve there"),
        # A folder may bring a target of its own.
        ("target_progress", "تقسیم بر هدف این روز", "divided by the target of the day"),
        ("net_change", "در استان و مؤسسه، انتقال‌ها", "By province or institute transfers"),
        *((f"expiring_{days}", "در این روز آموزش معتبر دارند", "on the day") for days in (30, 60, 90)),
    ],
)
def test_a_description_says_what_the_number_counts(name: str, fa: str, en: str) -> None:
    assert fa in catalogue()[name].description["fa"]
    assert en in catalogue()[name].description["en"]


def test_labels_are_distinct() -> None:
    for lang in LANGUAGES:
        labels = [catalogue()[name].label[lang] for name in SHOWN]
        assert len(set(labels)) == len(labels)


# ---------------------------------------------------------------- examples


@pytest.mark.parametrize("name", SHOWN + DERIVED)
def test_the_worked_example_is_what_the_sample_says(name: str, con: duckdb.DuckDBPyConnection) -> None:
    example = entry(name).example
    assert "ask" in example, f"{name}: no question to check the example by"
    options = _parser().parse_args(["ask", *shlex.split(example["ask"])])
    (metric_name,) = options.names
    where = arguments.filters(options.where)
    if metric_name in catalogue():
        answer = answers.ask(con, metric_name, on=options.on, over=options.over, where=where)
    else:
        answer = analyses.by_name()[metric_name].run(con, on=options.on, where=where, **example.get("with", {}))
    row_values = example.get("row", {}).items()
    row = next(row for row in answer.records() if all(str(row[key]) == str(value) for key, value in row_values))
    actual = row[name].isoformat() if isinstance(row[name], date) else row[name]
    expected = example.get("value")
    if isinstance(expected, float):
        assert math.isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-9)
    else:
        assert actual == expected


@pytest.mark.parametrize("name", [name for name in SHOWN if "value" in catalogue()[name].example])
def test_the_words_of_an_example_hold_its_number(name: str) -> None:
    """The words of an example change with its number: whole numbers and round percentages must be in both languages."""
    metric = catalogue()[name]
    value = metric.example["value"]
    if not isinstance(value, int | float) or abs(value) < 0.1:
        return
    if metric.unit == "share":
        numbers = {f"{value * 100:.1f}%", f"{value * 100:.0f}%"}
    else:
        numbers = {f"{value:,.0f}", f"{value:,.1f}", f"{value:,.2f}"}
    example = metric.example["en"]
    persian = metric.example["fa"].translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹٬٫٪", "0123456789,.%"))
    assert any(number in example for number in numbers), example
    assert any(number in persian for number in numbers), persian


# ---------------------------------------------------------------- questions


@pytest.mark.parametrize("name", SHOWN)
def test_a_metric_answers_by_every_dimension_it_names_and_refuses_the_others(
    name: str, con: duckdb.DuckDBPyConnection
) -> None:
    metric = catalogue()[name]
    read = [tables()[base.table] for base in expand(name, frozenset()).values()]
    # A dimension that a lookup ignores does not split it. A constant has no days.
    rides = (
        {ignored for table in read for ignored in table.ignores} if all(table.is_lookup for table in read) else set()
    )
    rides |= {*TIME} if {table.kind for table in read} == {"static"} else set()
    for dimension in set(DIMENSIONS) - rides:
        if dimension in metric.groups:
            answer = answers.ask(con, name, by=(dimension,))
            assert answer.columns[:2] == (dimension, name)
            groups = answer.column(dimension)
            assert len(set(groups)) == len(groups), f"{name} by {dimension}: a group twice"
        else:
            with pytest.raises(QuestionError):
                answers.ask(con, name, by=(dimension,))


@pytest.mark.parametrize("name", list(catalogue()))
def test_a_ratio_is_its_parts(name: str, con: duckdb.DuckDBPyConnection) -> None:
    metric = catalogue()[name]
    if not (metric.numerator and metric.denominator):
        return
    scale = {"per_10k": 10_000, "per_100k": 100_000, "per_100km2": 100}.get(metric.unit, 1)
    by = ("province",) if "province" in metric.dimensions else ()
    for row in answers.ask(con, name, by=by).records():
        part, whole, ratio = row[metric.numerator], row[metric.denominator], row[name]
        if whole:
            assert math.isclose(ratio, part / whole * scale, rel_tol=1e-9)
        else:
            assert ratio is None, "nothing to divide by is no number"


def test_age_and_tenure_bands_add_up_to_the_whole_month_by_month(con: duckdb.DuckDBPyConnection) -> None:
    over = (date(2022, 3, 21), date(2024, 9, 21))
    whole = dict(answers.ask(con, "in_service", by=("month",), over=over).rows)
    for band in ("age_band", "tenure_band"):
        parts: dict[str, int] = {}
        for member, month, count in answers.ask(con, "in_service", by=(band, "month"), over=over).rows:
            assert member in CHOICES[band]
            parts[month] = parts.get(month, 0) + count
        assert parts == whole


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no_such_metric"], "no metric is called no_such_metric"),
        (["active_assistants", "--by", "colour"], "no dimension is called colour"),
        (["target_progress", "--by", "gender"], "target_progress has no meaning by gender"),
        (["coverage_per_10k", "--by", "age_band"], "coverage_per_10k has no meaning by age_band"),
        (["coverage_gap", "--by", "activity"], "coverage_gap has no meaning by activity"),
        (["coverage_gap", "--by", "province,gender"], "coverage_gap has no meaning by gender"),
        (["trained_share", "--by", "course"], "trained_share has no meaning by course"),
        (["trained_share", "--where", "course=base"], "trained_share has no meaning by course"),
        (["women_share", "--by", "gender"], "women_share has no meaning by gender"),
        (["leavers", "--by", "tenure_band"], "leavers has no meaning by tenure_band"),
        (["active_assistants", "--by", "origin"], "active_assistants has no meaning by origin"),
        (["active_assistants", "--where", "province=Atlantis"], "no province is called"),
        (["active_assistants", "--where", "age_band=20-21"], "no age_band is called"),
        (["active_assistants", "--where", "month=1403-06"], "a period is given with --over"),
        (["joiners", "--on", "1403/06/31"], "a flow is counted over a period"),
        (["active_assistants", "--over", "1403/01/01..1403/06/31"], "a state is measured on a day"),
        (["active_assistants", "--by", "month", "--on", "1403/06/31"], "--over, not --on"),
        (["active_assistants", "--by", "month,year"], "one of month, quarter and year at a time"),
        (["active_assistants", "--by", "province,province"], "a dimension is named twice"),
        (["net_change", "--by", "province,gender", "--on", "1403/06/31"], "a flow is counted over a period"),
    ],
)
def test_a_question_without_meaning_is_refused_with_a_reason(
    words: list[str], message: str, warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", *words, "--from", str(warehouse)]) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""
    assert len(output.err.strip().splitlines()) == 1, "one line, no trace"


# ---------------------------------------------------------------- what is written about them


@pytest.mark.parametrize("name", SHOWN)
def test_every_number_shows_how_it_is_worked_out(name: str) -> None:
    sql = formula(name)
    assert "{" not in sql
    assert sql.startswith("select ") or any(part in sql for part in catalogue())


def test_the_formula_of_a_state_counts_what_the_question_counts(con: duckdb.DuckDBPyConnection) -> None:
    """The SQL on the page Methods can be pasted: with a day put in, it gives the number."""
    day = date(2024, 9, 21)
    for name in SHOWN:
        sql = formula(name)
        metric = catalogue()[name]
        if metric.kind != "snapshot" or not sql.startswith("select "):
            continue
        days = {":day_12_months_before": date(2023, 9, 21), ":day_24_months_before": date(2022, 9, 21), ":day": day}
        for parameter, value in days.items():
            sql = sql.replace(parameter, f"date '{value}'")
        row = con.execute(sql).fetchone()
        assert row is not None
        assert row[0] == answers.ask(con, name, on=day).value(), name


def test_changes_of_definitions_name_known_metrics_and_speak_both_languages() -> None:
    assert changes()
    for change in changes():
        assert change.metrics
        assert set(change.metrics) <= {*catalogue(), *DERIVED, "*"}
        assert set(change.before) <= set(change.metrics)
        assert {*change.before, *change.before.values()} <= catalogue().keys()
        assert all(change.words[lang].strip() for lang in LANGUAGES)
    days = [change.on for change in changes()]
    assert days == sorted(days, reverse=True)


def test_time_comes_last_among_the_dimensions() -> None:
    """Tables on screen and in files rely on the order place, person, time."""
    assert DIMENSIONS[-len(TIME) :] == TIME


# ---------------------------------------------------------------- members


def test_members_of_a_publication_are_found_in_their_order_whatever_their_case_and_digits(con) -> None:
    courses = [code for (code,) in con.execute("select course_code from courses order by 1").fetchall()]
    assert any(code.upper() != code for code in courses)
    first, last = courses[0], courses[-1]
    where = {"course": (last.upper(), first, last)}
    assert answers.ask(con, "trainable_assistants", where=where).where == {"course": (last, first)}
    codes = [code for (code,) in con.execute("select institute_code from institutes order by 1").fetchall()]
    persian = codes[0].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert answers.ask(con, "active_assistants", where={"institute": (persian,)}).where == {"institute": (codes[0],)}


def test_the_first_unknown_member_is_named(con) -> None:
    code = con.execute("select min(institute_code) from institutes").fetchone()[0]
    with pytest.raises(QuestionError, match="no institute is called 'nowhere'"):
        answers.ask(con, "active_assistants", where={"institute": (code, "nowhere", "neither")})
