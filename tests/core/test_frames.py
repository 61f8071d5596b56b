"""The border between rows and DataFrames: unknown values, types and order survive it both ways."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.core.frames import frame_of, rows_of
from tests.made import by_province

ROWS = [("IR-11", 1, 0.5, date(2026, 1, 2), True, None), (None, 2, None, None, False, None)]
COLUMNS = ("province", "people", "share", "day", "is_first", "empty")


def test_unknown_is_none_in_text_and_days_and_nan_in_numbers() -> None:
    frame = frame_of(COLUMNS, ROWS)
    assert frame["province"].tolist() == ["IR-11", None]
    assert frame["day"].tolist() == [date(2026, 1, 2), None]
    assert frame["people"].dtype == "int64"
    assert frame["share"].dtype == "float64"
    assert pd.isna(frame["share"][1])
    assert frame["is_first"].dtype == "bool"


def test_rows_come_back_as_they_were() -> None:
    back = rows_of(frame_of(COLUMNS, ROWS))
    assert back == ROWS
    assert [type(value) for value in back[0]] == [type(value) for value in ROWS[0]]


def test_no_rows_and_repeated_columns() -> None:
    assert list(frame_of(("province", "people"), []).columns) == ["province", "people"]
    assert rows_of(frame_of(("province", "people"), [])) == []
    assert rows_of(frame_of(("people", "people"), [(1, 2)])) == [(1, 2)]


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(), st.none() | st.integers(-(2**53), 2**53), st.none() | st.floats(allow_nan=False)
        )
    )
)
def test_any_rows_come_back(rows: list[tuple[str | None, int | None, float | None]]) -> None:
    assert rows_of(frame_of(("name", "count", "rate"), rows)) == rows


def test_decimals_become_numbers() -> None:
    assert rows_of(frame_of(("share",), [(Decimal("0.5"),), (None,)])) == [(0.5,), (None,)]


def test_an_answer_keeps_its_frame() -> None:
    answer = by_province()
    assert answer.frame is answer.frame
    assert answer.frame["training_compliance"].isna().tolist() == [False, False, False, True]
