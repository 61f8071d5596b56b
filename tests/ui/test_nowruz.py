"""The leaver rate of 12 months is not shown where those months hold no Nowruz."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from etl.core.jalali import last_complete_months, year_before
from etl.semantic import access, answers, rights
from etl.semantic.ranking import comparable
from etl.semantic.resolve import settled_on
from tests.loading import build, national_id, put, put_good, row
from ui.charts import lines, time_titles
from ui.charts.elements import ChartContext

pytestmark = pytest.mark.slow

# The last of Esfand 1404, a common year; 1403 was a leap year.
DAY = date(2026, 3, 20)
CONTEXT = ChartContext("en", False, {})


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory):
    """Ten contracts end with 1402, ten with 1403, ten with 1404; ten people stay."""
    folder = put_good(tmp_path_factory.mktemp("nowruz") / "incoming")
    leaving = [
        row("personnel", national_id=national_id(100 + 10 * i + at), hired_on="1400/02/01", left_on=left)
        for i, left in enumerate(("1402/12/29", "1403/12/30", "1404/12/29", ""))
        for at in range(10)
    ]
    # Somebody hired long after it: nothing about Esfand 1404 is provisional.
    put(folder, "personnel_2.csv", [*leaving, row("personnel", national_id=national_id(200), hired_on="1405/05/01")])
    with access.connect(_built(folder), rights.ADMINISTRATOR) as connection:
        yield connection


def _built(folder: Path) -> Path:
    return build(folder, to=folder.parent / "w.duckdb", day=date(2026, 8, 1)).to


@pytest.mark.parametrize(("by", "left_out"), [("month", "1403-12"), ("quarter", "1403-Q4"), ("year", "1403")])
def test_a_rate_over_a_year_without_nowruz_is_left_out(con, by: str, left_out: str) -> None:
    answer = answers.ask(con, "leaver_rate_12m", "leavers", by=(by,), over=last_complete_months(DAY, 36))
    shown = comparable(answer)
    rates = dict(zip(answer.column(by), answer.column("leaver_rate_12m"), strict=True))
    empty = [row[0] for row in shown.rows if row[shown.columns.index("leaver_rate_12m")] is None]
    assert empty == [left_out]
    assert rates[left_out] == 0, "no contract ends in the 12 months to 30 Esfand"
    assert shown.column("leavers") == answer.column("leavers")


def test_other_numbers_of_that_month_are_shown(con) -> None:
    for name in ("active_assistants", "leavers", "training_compliance"):
        answer = answers.ask(con, name, by=("month",), over=last_complete_months(DAY, 24))
        assert comparable(answer) is answer


def test_neither_line_nor_title_compare_with_that_month(con) -> None:
    answer = answers.ask(con, "leaver_rate_12m", by=("month",), over=last_complete_months(DAY, 24))
    line = lines.trend(answer, CONTEXT)["data"][0]
    at = answer.column("month").index("1403-12")
    assert [value is None for value in line["y"][at - 1 : at + 2]] == [False, True, False]
    assert "Esfand\u00a01403" not in time_titles.latest(answer, CONTEXT).sentence


def test_the_settled_rate_is_asked_on_no_30_esfand(con) -> None:
    in_khordad, later = date(2025, 6, 20), date(2025, 7, 25)
    assert settled_on(con, "leaver_rate_12m", in_khordad) == date(2025, 3, 19), "29 Esfand 1403"
    assert settled_on(con, "leavers", in_khordad) == date(2025, 3, 20)
    assert settled_on(con, "leaver_rate_12m", later) == date(2025, 4, 20), "31 Farvardin 1404"


def test_a_year_earlier_is_the_same_jalali_day() -> None:
    assert year_before(DAY) == date(2025, 3, 19), "29 Esfand 1403, not the 30th"
    assert year_before(date(2025, 3, 20)) == date(2024, 3, 19), "30 Esfand has no day of its own a year earlier"
    assert year_before(date(2025, 10, 2)) == date(2024, 10, 1), "10 Mehr 1404 and 1403"
