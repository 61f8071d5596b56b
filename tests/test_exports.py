"""A file says what the screen says, a machine can read it, and no spreadsheet runs what stands in it."""

import csv
import io
from datetime import date
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl.catalogue import catalogue, derived
from pages.parts import exports
from pages.parts.charts import Look
from tests.made import answer, by_month, by_province

FA, EN = Look("fa"), Look("en")
UNITS = {name: metric.unit for name, metric in catalogue().items()}
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\x00=1", "＝1+1", "＋1", "－1", "＠x"]


def read_csv(written: bytes) -> list[list[str]]:
    assert written.startswith(b"\xef\xbb\xbf"), "Excel takes UTF-8 for something else without the mark"
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))


def book(written: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(written))


def test_a_csv_holds_codes_names_and_the_numbers_as_they_are() -> None:
    rows = read_csv(exports.to_csv(by_province(), FA, UNITS))
    whole = catalogue()["training_compliance"].denominator
    assert rows[0] == ["province", "province_name", "training_compliance", "compliant_assistants", whole]
    assert rows[3] == ["IR-23", "تهران", "0.9", "900", "1000"]
    assert rows[4] == ["IR-30", "البرز", "", "0", "0"], "an unknown value is an empty cell"


def test_both_languages_write_the_same_numbers_and_codes() -> None:
    fa, en = (read_csv(exports.to_csv(by_province(), look, UNITS)) for look in (FA, EN))
    assert [row[:1] + row[2:] for row in fa] == [row[:1] + row[2:] for row in en]


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_begins_like_a_formula_is_made_safe_in_csv_and_xlsx(name: str) -> None:
    made = answer("active_assistants", by=("institute",), rows=[("001", 5)])
    look = Look("en", names={"institute": {"001": name}})
    cell = read_csv(exports.to_csv(made, look, UNITS))[1][1]
    assert cell.startswith("'")
    sheet = book(exports.to_xlsx(made, look, UNITS)).worksheets[0]
    assert sheet["B2"].data_type == "s"
    assert str(sheet["B2"].value).startswith("'")


@given(st.text(min_size=1))
@example("\x08@")
def test_no_text_at_all_begins_like_a_formula(written: str) -> None:
    shown = exports.safe(written)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\x00", "＝", "＋", "－", "＠"))
    assert "\x00" not in shown


@pytest.mark.parametrize("value", [-5, -0.25, 0, 12, 1e12, None, date(2026, 1, 1)])
def test_what_is_no_text_is_untouched(value: Any) -> None:
    assert exports.safe(value) is value


def test_negative_numbers_stay_numbers() -> None:
    made = answer("coverage_gap", by=("province",), rows=[("IR-11", -30.5)])
    assert read_csv(exports.to_csv(made, EN, UNITS))[1][2] == "-30.5"
    sheet = book(exports.to_xlsx(made, EN, UNITS)).worksheets[0]
    assert (sheet["C2"].value, sheet["C2"].data_type) == (-30.5, "n")


def test_an_xlsx_has_codes_as_text_and_reads_from_the_right_in_persian() -> None:
    made = answer("active_assistants", by=("county",), rows=[("0001", 7), (None, 2)])
    fa, en = (book(exports.to_xlsx(made, look, UNITS)) for look in (FA, EN))
    assert fa.worksheets[0]["A2"].value == "0001", "leading zeros are kept"
    assert fa.worksheets[0]["B2"].value == "اراک"
    assert [sheet.sheet_view.rightToLeft for sheet in fa.worksheets] == [True, True]
    assert not any(sheet.sheet_view.rightToLeft for sheet in en.worksheets)


def test_a_day_is_a_real_day_with_its_jalali_form_beside_it() -> None:
    made = answer("active_assistants", rows=[(date(2026, 5, 1),)])
    made = type(made)(**{**made.__dict__, "metrics": (derived("projected_first"),), "columns": ("projected_first",)})
    sheet = book(exports.to_xlsx(made, FA, UNITS)).worksheets[0]
    assert sheet["A2"].is_date
    assert sheet["A2"].value.date() == date(2026, 5, 1)
    assert sheet["B1"].value == "projected_first_jalali"
    assert sheet["B2"].value == "1405-02-11"
    assert read_csv(exports.to_csv(made, FA, UNITS))[1] == ["2026-05-01", "1405-02-11"]


def test_pandas_reads_back_exactly_what_was_answered() -> None:
    made = by_month()
    from_csv = pd.read_csv(io.BytesIO(exports.to_csv(made, EN, UNITS)), dtype={"month": str})
    from_xlsx = pd.read_excel(io.BytesIO(exports.to_xlsx(made, EN, UNITS)), dtype={"month": str}, engine="openpyxl")
    for table in (from_csv, from_xlsx):
        assert table["month"].tolist() == made.column("month")
        numbers = [None if pd.isna(value) else value for value in table["active_assistants"]]
        assert numbers == made.column("active_assistants")


def test_the_cover_says_scope_day_load_and_what_is_measured() -> None:
    sheet = book(exports.to_xlsx(by_province(), EN, UNITS, scope="Tehran")).worksheets[1]
    said = {row[0].value: row[1].value for row in sheet.iter_rows()}
    assert said["Scope"] == "Tehran"
    assert said["As-of day"].startswith("2026-10-22")
    assert said["Load"] == "000007"
    assert "These data are made up." in said
    assert said["training_compliance"].startswith("Training compliance")


def test_a_file_for_circulation_rounds_people_hides_small_shares_and_says_so() -> None:
    names = ("compliant_assistants", "trainable_assistants")
    rows = [("IR-00", 0.5, 11, 22), ("IR-11", 0.5, 12, 24), ("IR-23", 0.9, 902, 1003), ("IR-30", 0.0, 0, 2)]
    made = answer("training_compliance", by=("province",), more=names, rows=rows)
    kept = exports.for_circulation(made, UNITS)
    assert kept == [
        ("IR-00", None, 10, 20),
        ("IR-11", 0.5, 10, 25),
        ("IR-23", 0.9, 900, 1005),
        ("IR-30", None, 0, 0),
    ]
    cover = book(exports.to_xlsx(made, EN, UNITS, circulation=True)).worksheets[1]
    assert any("rounded to 5" in str(row[0].value) for row in cover.iter_rows())
    assert read_csv(exports.to_csv(made, EN, UNITS, circulation=True))[1] == ["IR-00", "Markazi", "", "10", "20"]
    assert exports.file_name(made, FA, "تهران", "csv", circulation=True).endswith("_گردشده.csv")


@pytest.mark.parametrize(("people", "shown"), [(0, 0), (2, 0), (2.5, 5), (3, 5), (7, 5), (8, 10), (-7, -5), (-8, -10)])
def test_people_are_rounded_to_five_and_less_than_two_and_a_half_to_none(people: float, shown: int) -> None:
    made = answer("active_assistants", by=("province",), rows=[("IR-23", people)])
    assert exports.for_circulation(made, UNITS) == [("IR-23", shown)]


def test_institutes_are_not_rounded() -> None:
    made = answer("licensed_institutes", by=("province",), rows=[("IR-23", 3)])
    assert exports.for_circulation(made, UNITS) == made.rows


def test_a_file_is_named_by_measure_scope_and_day() -> None:
    assert exports.file_name(by_province(), EN, "Tehran, Guarding", "csv") == (
        "Training-compliance_Province_Tehran,-Guarding_2026-10-22.csv"
    )
    name = exports.file_name(by_province(), FA, "تهران", "xlsx")
    assert name.endswith("_استان_تهران_2026-10-22.xlsx")
    assert not set(name) & set('\\/:*?"<>| ')
