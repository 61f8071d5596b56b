"""Every number on a screen is rounded half up, by one function, and a rate can be recomputed from the parts next to it."""

import ast
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl.semantic.answers import Answer
from tests.made import answer
from ui.charts import bars, elements, titles
from ui.charts.elements import ChartContext
from ui.exhibits import scenario
from ui.i18n import text
from ui.sections import compare
from ui.state import given as addresses

ROOT = Path(__file__).parents[2]
EN = ChartContext("en")
FLOATS = st.floats(-1e9, 1e9, allow_nan=False)
# Ties: numbers that end in a five one place after the last digit shown.
TIES = st.builds(lambda whole, decimals: float(Decimal(10 * whole + 5).scaleb(-decimals - 1)), st.integers(-9999, 9999),
                 st.integers(0, 4))  # fmt: skip


def by_hand(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def read(number: str) -> Decimal:
    """The number that a screen in English shows."""
    return Decimal(re.sub("[^0-9.-]", "", number.replace("−", "-")))


@given(FLOATS | TIES, st.integers(0, 4))
@example(106.5, 0)
@example(0.145, 2)
@example(-0.5, 0)
def test_a_number_is_rounded_half_up_from_its_decimal(value: float, decimals: int) -> None:
    assert read(text.number(value, "en", decimals)) == by_hand(Decimal(str(value)), decimals)


@given(st.floats(-1, 1, allow_nan=False) | TIES.map(lambda tie: float(Decimal(str(tie)) / 100)))
@example(13 / 16)
@example(0.145)
def test_a_share_reads_the_same_on_chart_and_in_table_and_as_points(share: float) -> None:
    expected = by_hand(Decimal(str(share)) * 100, 1)
    assert read(text.percent(share, "en")) == expected
    assert Decimal(str(text.rounded(share, "share"))) * 100 == expected
    assert read(text.amount(share, "share_points", "en", signed=True)) == expected


@given(FLOATS | TIES, st.sampled_from(["persons", "per_10k", "months", "ratio", "persons_per_month", "mean_persons"]))
def test_a_table_holds_the_number_that_a_chart_shows(value: float, unit: str) -> None:
    assert Decimal(str(text.rounded(value, unit))) == read(text.plain(value, unit, "en"))


def test_bars_their_hover_and_the_finding_say_what_the_table_says() -> None:
    names = ("compliant_assistants", "trainable_assistants")
    data = answer("training_compliance", by=("province",), more=names, rows=[("IR-23", 0.1625, 13, 80)])
    figure = bars.ranking(data, EN)
    texts = str(figure) + titles.extreme(data, EN).sentence
    assert "16.3%" in texts
    assert "16.2%" not in texts
    assert text.rounded(0.1625, "share") == 0.163


def parts(data: Answer) -> list[Decimal]:
    sentence = elements.parts_of(data, data.metrics[0], data.rows[0], EN)
    return [read(part) for part in re.findall(r"[\d.,]+", sentence)]


def are_whole_or_said_to_be_about(data: Answer, people: Decimal, decimals: int = 0) -> bool:
    """Whether people have so many decimals in the denominator, and it is called rounded only where the rate does not follow."""
    part, whole = parts(data)
    is_recomputed = by_hand(part / whole * 100, 1) == read(text.percent(data.rows[0][0], "en")) if whole else False
    is_about = "about" in elements.parts_of(data, data.metrics[0], data.rows[0], EN)
    return whole == by_hand(people, decimals) and is_recomputed != is_about


SUMS = [
    (
        "coverage_per_10k",
        ("active_assistants", "residents"),
        (6.1902, 54241, 87623616),
        "54,241 ÷ 87,623,616 × 10,000 = 6.19",
    ),
    ("training_compliance", ("compliant_assistants", "trainable_assistants"), (0.1625, 13, 80), "13 ÷ 80 = 16.3%"),
    ("training_compliance", ("compliant_assistants", "trainable_assistants"), (None, 0, 0), ""),
    ("active_assistants", (), (12,), ""),
]


@pytest.mark.parametrize(("name", "more", "row", "said"), SUMS)
def test_the_sum_of_a_rate_gives_the_number_that_is_shown(
    name: str, more: tuple[str, ...], row: tuple, said: str
) -> None:
    data = answer(name, more=more, rows=[row])
    assert elements.sum_of(data, data.metrics[0], data.rows[0], EN) == said


@given(st.integers(0, 5000), st.integers(1, 10000))
@example(3, 15)
@example(1, 3)
def test_people_are_whole_in_the_parts_of_a_rate_but_for_a_mean_of_few(leavers: int, twice: int) -> None:
    data = answer(
        "leaver_rate_12m",
        more=("leavers_12m", "in_service_mean_12m"),
        rows=[(leavers / (twice / 2), leavers, twice / 2)],
    )
    assert are_whole_or_said_to_be_about(data, Decimal(twice) / 2, decimals=int(twice < 200))


def test_a_rate_over_a_mean_of_few_follows_from_its_parts() -> None:
    names, rows = ("leavers_12m", "in_service_mean_12m"), [(2 / 3, 1, 1.5)]
    assert parts(answer("leaver_rate_12m", more=names, rows=rows)) == [Decimal(1), Decimal("1.5")]


def test_the_parts_of_one_institute_are_said_in_the_singular() -> None:
    names = ("active_assistants", "licensed_institutes")
    one, two = (answer("persons_per_institute", more=names, rows=[(6 / n, 6, n)]) for n in (1, 2))
    said = [elements.parts_of(data, data.metrics[0], data.rows[0], EN) for data in (one, two)]
    assert said == ["6 in 1 institute", "6 in 2 institutes"]


def test_a_rate_of_nobody_has_no_parts() -> None:
    nobody = answer("training_compliance", more=("compliant_assistants", "trainable_assistants"), rows=[(None, 0, 0)])
    assert elements.parts_of(nobody, nobody.metrics[0], nobody.rows[0], EN) == ""


@given(st.integers(0, 3000), st.floats(1, 60000))
@example(57, 123.47)
def test_people_are_whole_in_the_progress_to_a_target_that_is_no_whole_number(active: int, target: float) -> None:
    data = answer("target_progress", more=("active_assistants", "target"), rows=[(active / target, active, target)])
    assert are_whole_or_said_to_be_about(data, Decimal(str(target)))


@given(st.integers(0, 3000), st.integers(1, 10**7))
def test_a_rate_of_residents_can_be_worked_out_too(active: int, residents: int) -> None:
    value = active / residents * 10000
    data = answer("coverage_per_10k", more=("active_assistants", "residents"), rows=[(value, active, residents)])
    part, whole = parts(data)
    assert abs(part / whole * 10000 - read(text.plain(value, "per_10k", "en"))) <= Decimal("0.00501")


def test_a_comparison_shows_the_same_parts_as_a_card() -> None:
    data = answer("leaver_rate_12m", more=("leavers_12m", "in_service_mean_12m"), rows=[(0.4, 3, 7.5)])
    assert "3 of 7.5 in service on average have left" in compare._parts(EN, data, data.metrics[0], data.rows[0])


def test_a_slider_begins_at_the_number_written_beside_it() -> None:
    data = answer("joiners", rows=[(106.5,)])
    assert scenario.as_shown(data, "joiners") == read(text.plain(106.5, "persons", "en")) == 107


@given(st.floats(0, 1_000_000) | st.integers(0, 1_000_000))
@example(1_000_000.0)
@example(123456.75)
def test_a_number_is_not_rounded_in_an_address(value: float) -> None:
    assert addresses.number(addresses.in_address(value)) == value


# ---------------------------------------------------------------- one function, no twins


def number_formats(source: str) -> list[str]:
    """Format specifications that round, and calls of round() whose result could be shown."""
    formats = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FormattedValue) and node.format_spec:
            spec = ast.unparse(node.format_spec)
            if re.search(r"\.\d|\.\{|[f%e]['\"]$", spec) and "%H" not in spec:
                formats.append(ast.unparse(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "round":
            formats.append(ast.unparse(node))
    return formats


# Rounding of positions and sizes, not of numbers to read: decimals of a step, clean ticks, a colour, a height.
NOT_READ = {
    "ui/charts/axes.py": {"round(tick, 10)", "round(value)"},
    "ui/charts/elements.py": {"round(n)"},
    "ui/charts/county_maps.py": {
        "round(high / 2 / pixels, 3)",
        "round(_HATCH / _pixels(*frame, height), 3)",
        "round(width / 2 / pixels, 3)",
    },
    "ui/palette.py": {"round(i * (len(steps) - 1) / (count - 1))"},
    "ui/components/blocks.py": {"{x:.1f}", "{y:.1f}", "{_height(values[-1], low, high):.1f}"},
    "ui/components/table_html.py": {"{100 * float(value) / longest:.1f}"},
    "ui/briefing/drawing.py": {
        *("{x:.1f}", "{y:.1f}", "{x1:.1f}", "{y1:.1f}", "{x2:.1f}", "{y2:.1f}", "{last_x:.1f}", "{last_y:.1f}"),
        *(
            "{centre_x:.1f}",
            "{centre_y:.1f}",
            "{centre:.1f}",
            "{top - 11:.1f}",
            "{at:.1f}",
            "{y(target):.1f}",
        ),
    },
    "ui/sections/overview.py": {"{min(max(progress.share, 0.0), 1.0) * 100:.1f}"},
    "ui/charts/grouped.py": {"round((bottom + 1) * elements.BAR)"},
}


@pytest.mark.slow
def test_no_page_rounds_by_itself_and_neither_plotly_nor_a_script_does() -> None:
    assert number_formats("f'{x:.1f}' + f'{x:.{n}%}' + str(round(x, 1))"), "the search finds what it is for"
    for path in [*(ROOT / "pages").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]:
        source = path.read_text(encoding="utf-8")
        if path.name != "text.py":
            assert set(number_formats(source)) == NOT_READ.get(str(path.relative_to(ROOT)), set()), path.name
        assert not re.search(r"tickformat|hoverformat|texttemplate|valueformat|%\{(x|y|z|value|text)", source), (
            path.name
        )
    for path in (ROOT / "static").glob("*.js"):
        assert not re.search(r"toFixed|toPrecision|toLocaleString|NumberFormat|Math\.round", path.read_text("utf-8"))
