"""A file holds what the screen shows, programs can read it, and no spreadsheet runs its cells as formulas."""

import csv
import io
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any
from unittest import mock

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl.core import spreadsheet
from etl.semantic import disclosure, exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, derived, reported
from tests.files import to_csv, to_parquet, to_xlsx
from tests.made import answer, by_month, by_province
from ui.charts import bars
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.components import data_links, downloads
from ui.data import page_run
from ui.data.ask import Ask
from ui.exhibits.exhibit import Drawing, Exhibit
from ui.exhibits.named import Made, Named
from ui.exports import about, file_content
from ui.i18n import text
from ui.state.page_context import PageContext
from ui.state.scope import Scope

FA, EN = ChartContext("fa"), ChartContext("en")
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\x00=1", "＝1+1", "＋1", "－1", "＠x"]


# Beginnings of formulas, characters that CSV quotes, those that no file can store, and any other letters.
WORDS = st.text(
    st.sampled_from("=+-@\t\r\n\x00\x08\x1f\ufffe\uffff＝＋－＠\",' ab۱") | st.characters(codec="utf-8"), max_size=6
)


def read_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf"), "Excel misreads UTF-8 without the mark"
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_parquet(content: bytes, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    table = pq.read_table(io.BytesIO(content))
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_a_csv_holds_codes_names_and_the_numbers_as_they_are() -> None:
    rows = read_csv(to_csv(by_province(), FA))
    denominator = catalogue()["training_compliance"].denominator
    parts = ["compliant_assistants", denominator]
    assert rows[0] == ["province", "province_name", "training_compliance", *parts, "status"]
    assert rows[3] == ["IR-23", "تهران", "0.9", "900", "1000", ""]
    assert rows[4] == ["IR-30", "البرز", "", "0", "0", "x"], (
        "an unknown value is an empty cell that cannot be calculated"
    )


def test_the_months_of_a_file_are_found_by_a_search_with_plain_spaces() -> None:
    assert read_csv(to_csv(by_month(), EN))[1][:2] == ["1404-01", "Farvardin 1404 (Mar–Apr 2025)"]


def test_both_languages_write_the_same_numbers_and_codes() -> None:
    fa, en = (read_csv(to_csv(by_province(), context)) for context in (FA, EN))
    assert [row[:1] + row[2:] for row in fa] == [row[:1] + row[2:] for row in en]


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_begins_like_a_formula_is_made_safe_in_csv_and_xlsx(name: str) -> None:
    data = answer("active_assistants", by=("institute",), rows=[("001", 5)])
    context = ChartContext("en", names={"institute": {"001": name}})
    cell = read_csv(to_csv(data, context))[1][1]
    assert cell.startswith("'")
    sheet = book(to_xlsx(data, context)).worksheets[0]
    assert sheet["B2"].data_type == "s"
    assert str(sheet["B2"].value).startswith("'")


@pytest.mark.slow
@given(st.text(min_size=1))
@example("\x08@")
def test_no_exported_text_begins_like_a_formula(value: str) -> None:
    safe = spreadsheet.safe(value)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\x00", "＝", "＋", "－", "＠"))
    assert "\x00" not in safe


@pytest.mark.parametrize("sign", [";", "؛", "|", "\t", "; "])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@x", "＝1"])
def test_a_formula_behind_another_separator_is_made_safe(sign: str, formula: str) -> None:
    assert spreadsheet.safe(f"a{sign}{formula}") == f"a{sign}'{formula}"
    assert spreadsheet.safe(f"a{sign}b") == f"a{sign}b"
    assert file_content.all_safe(pa.array([f"a{sign}{formula}"])).to_pylist() == [f"a{sign}'{formula}"]


@pytest.mark.slow
@given(st.lists(st.none() | WORDS))
def test_a_column_is_made_safe_as_its_cells_are(values: list[str | None]) -> None:
    assert file_content.all_safe(pa.array(values, pa.string())).to_pylist() == [
        spreadsheet.safe(cell) for cell in values
    ]


@pytest.mark.parametrize("value", [-5, -0.25, 0, 12, 1e12, None, date(2026, 1, 1)])
def test_values_other_than_text_are_unchanged(value: Any) -> None:
    assert spreadsheet.safe(value) is value


def test_negative_numbers_stay_numbers() -> None:
    data = answer("coverage_gap", by=("province",), rows=[("IR-11", -30.5)])
    assert read_csv(to_csv(data, EN))[1][2] == "-30.5"
    sheet = book(to_xlsx(data, EN)).worksheets[0]
    assert (sheet["C2"].value, sheet["C2"].data_type) == (-30.5, "n")


def test_a_workbook_has_codes_beside_names_under_persian_headings_filters_and_reads_from_the_right() -> None:
    made = answer("active_assistants", by=("county",), rows=[("0001", 7), (None, 2)])
    fa, en = (book(to_xlsx(made, context)) for context in (FA, EN))
    data, _ = fa.worksheets
    label, county = catalogue()["active_assistants"].label, FA.word("dimension.county")
    heads = [f"{county} (کد)", county, f"{label['fa']} (نفر)", FA.word("file.status")]
    assert [cell.value for cell in data[1]] == heads
    rows = [[cell.value for cell in row] for row in data.iter_rows(min_row=2)]
    assert rows == [["0001", "اراک", 7, None], [None, "نامعلوم", 2, None]], "leading zeros are kept"
    assert (data["A2"].data_type, data["A2"].number_format) == ("s", "@")
    assert data.auto_filter.ref == "A1:D3"
    assert [cell.value for cell in en.worksheets[0][1]] == [
        "County (Code)",
        "County",
        f"{label['en']} (people)",
        "Status",
    ]
    assert [sheet.sheet_view.rightToLeft for sheet in fa.worksheets] == [True] * 2
    assert not any(sheet.sheet_view.rightToLeft for sheet in en.worksheets)


def test_the_row_of_the_nation_stands_below_the_rows_and_out_of_the_filter() -> None:
    data, nation = by_province(), answer("training_compliance", rows=[(0.75,)])
    sheet = book(to_xlsx(data, FA, nation=nation)).worksheets[0]
    last = len(data.rows) + 2
    assert sheet.max_row == last
    assert [sheet.cell(last, at).value for at in (1, 2, 3)] == [None, FA.word("scope.nation"), 0.75]
    assert sheet.cell(last, 3).number_format == "0.0%"
    assert sheet.auto_filter.ref.endswith(str(last - 1))
    assert book(to_xlsx(data, FA)).worksheets[0].max_row == last - 1


def test_a_day_is_a_real_day_with_its_jalali_form_beside_it() -> None:
    data = answer("active_assistants", rows=[(date(2026, 5, 1),)])
    data = type(data)(
        **{**data.__dict__, "metrics": (derived("training_seats_by"),), "columns": ("training_seats_by",)}
    )
    sheet = book(to_xlsx(data, FA)).worksheets[0]
    assert sheet["A2"].is_date
    assert sheet["A2"].value.date() == date(2026, 5, 1)
    assert sheet["B1"].value == f"{derived('training_seats_by').label['fa']} (شمسی)"
    assert sheet["B2"].value == "1405-02-11"
    assert read_csv(to_csv(data, FA))[1] == ["2026-05-01", "1405-02-11"]


def test_pandas_reads_back_exactly_what_was_answered() -> None:
    data = by_month()
    from_csv = pd.read_csv(io.BytesIO(to_csv(data, EN)), dtype={"month": str})
    from_xlsx = pd.read_excel(io.BytesIO(to_xlsx(data, EN)), dtype={"Month (Code)": str}, engine="openpyxl")
    label = f"{catalogue()['active_assistants'].label['en']} (people)"
    from_xlsx = from_xlsx.rename(columns={"Month (Code)": "month", label: "active_assistants"})
    for table in (from_csv, from_xlsx):
        assert table["month"].tolist() == data.column("month")
        numbers = [None if pd.isna(value) else value for value in table["active_assistants"]]
        assert numbers == data.column("active_assistants")


def test_the_cover_says_scope_day_load_and_what_is_measured() -> None:
    sheet = book(to_xlsx(by_province(), EN, scope="Tehran", limit="60 days")).worksheets[-1]
    cells = {row[0].value: row[1].value for row in sheet.iter_rows()}
    assert cells["Scope"] == "Tehran"
    assert cells["As-of day"].startswith("2026-10-22")
    assert (cells["Data to"][:10], cells["Publication"]) == ("2026-10-22", "000007")
    assert cells["Limit of the list"] == "60 days"
    assert cells["x"] == "not calculable"
    assert "These data are made up." in cells
    assert cells["training_compliance"].startswith("Training compliance")


def test_a_file_for_circulation_rounds_people_hides_small_shares_and_says_so() -> None:
    names = ("compliant_assistants", "trainable_assistants")
    rows = [("IR-00", 0.5, 10, 20), ("IR-11", 0.5, 60, 120), ("IR-23", 0.9, 900, 1005), ("IR-30", 0.0, 0, 5)]
    data = answer("training_compliance", by=("province",), more=names, rows=rows)
    rounded_rows = read_parquet(to_parquet(data, FA, circulation=True), data.columns)
    assert rounded_rows == [
        ("IR-00", None, 10, 20),
        ("IR-11", 0.5, 60, 120),
        ("IR-23", 0.9, 900, 1005),
        ("IR-30", None, 0, 5),
    ]
    cover = book(to_xlsx(data, EN, circulation=True)).worksheets[-1]
    assert any("are rounded" in str(row[0].value) for row in cover.iter_rows())
    lines = read_csv(to_csv(data, EN, circulation=True))
    assert lines[1][:-1] == ["IR-00", "Markazi", "", "10", "20", "c"], "left out, not incalculable"
    assert lines[4][5] == "c"
    assert [line[-1] for line in lines] == ["about", EN.word("file.circulation"), "", "", ""], "said once"
    assert about.file_name(data, FA, "تهران", "csv", circulation=True).endswith("_گردشده.csv")


def test_institutes_are_not_rounded() -> None:
    data = answer("licensed_institutes", "active_assistants", by=("province",), rows=[("IR-23", 3, 25)])
    assert read_parquet(to_parquet(data, EN, circulation=True), data.columns) == data.rows


def test_a_file_is_named_by_measure_scope_and_day() -> None:
    assert about.file_name(by_province(), EN, "Tehran, Guarding", "csv") == (
        "Training-compliance_Province_Tehran,-Guarding_2026-10-22_000007.csv"
    )
    limited = about.file_name(by_province(), EN, "Tehran", "csv", limit="60 days")
    assert limited == "Training-compliance_60-days_Tehran_2026-10-22_000007.csv"
    assert "_60-روز_" in about.file_name(by_province(), FA, "تهران", "csv", limit="۶۰ روز")
    name = about.file_name(by_province(), FA, "تهران", "xlsx")
    assert name.endswith("_استان_تهران_2026-10-22_000007.xlsx")
    assert not set(name) & set('\\/:*?"<>| ')


def test_files_of_two_periods_with_one_end_have_two_names() -> None:
    last = date(2026, 10, 22)
    flows = [answer("joiners", rows=[(1,)], over=(date(year, 3, 21), last)) for year in (2025, 2026)]
    assert [about.file_name(data, EN, "Tehran", "csv") for data in flows] == [
        "Joiners_Tehran_2025-03-21_2026-10-22_000007.csv",
        "Joiners_Tehran_2026-03-21_2026-10-22_000007.csv",
    ]


@pytest.mark.parametrize("context", [FA, EN], ids=["fa", "en"])
def test_a_name_fits_on_a_disk_and_keeps_its_day(context: ChartContext) -> None:
    axes = ("province", "county", "activity", "education", "post")
    for count in range(len(axes) + 1):
        data = answer("training_compliance", by=axes[:count], rows=[])
        name = about.file_name(data, context, "استان سیستان و بلوچستان، " * 9, "parquet", circulation=True)
        assert len(name.encode()) <= 255
        assert f"_2026-10-22_000007_{context.word('file.rounded')}.parquet" in name
        assert (
            context.word("dimension.province") in name
            if 0 < count < 5
            else context.word("dimension.county") not in name
        )
        assert "سیستان" in name


# ---------------------------------------------------------------- the same by columns as cell by cell

NASTY = ["a\rb", "a\nb", 'a"b', '"', "a,b", " ", "", "\n=1", "\x01=1", "a\x00", "-5", "م-6"]
DAYS = st.dates(date(1900, 3, 1), date(2100, 1, 1))
NUMBERS = st.integers(-(2**60), 2**60)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Answers by institute with a count, days, and words that no office would submit."""
    return with_days(draw(st.lists(st.tuples(st.none() | WORDS, st.none() | NUMBERS, st.none() | DAYS), max_size=12)))


def with_days(rows: list[tuple[Any, ...]]) -> Answer:
    """Institute, count and day."""
    data = answer("active_assistants", by=("institute",), rows=rows)
    metrics = (*data.metrics, reported("latest_day"))
    return type(data)(**{**data.__dict__, "metrics": metrics, "columns": (*data.columns, "latest_day")})


@pytest.mark.slow
@given(answers(), st.dictionaries(WORDS, WORDS, max_size=5))
@example(with_days([(word, -1, date(2026, 5, 1)) for word in NASTY]), dict(zip(NASTY, reversed(NASTY), strict=True)))
def test_a_csv_is_what_a_writer_of_single_cells_writes(data: Answer, names: dict[str, str]) -> None:
    context = ChartContext("fa", names={"institute": names})
    expected = io.StringIO()
    writer = csv.writer(expected, lineterminator="\r\n")
    writer.writerow(["institute", "institute_name", "active_assistants", "latest_day", "latest_day_jalali", "status"])
    for code, number, day in data.rows:
        jalali = "" if day is None else text.iso_jalali(day)
        status = "x:active_assistants" if number is None else None
        row = (code, context.member("institute", code), number, day, jalali, status)
        writer.writerow(["" if cell is None else spreadsheet.safe(cell) for cell in row])
    assert to_csv(data, context).decode("utf-8") == "\ufeff" + expected.getvalue()


@pytest.mark.slow
@settings(max_examples=25)
@given(answers())
def test_every_form_of_file_holds_the_same_cells(data: Answer) -> None:
    schema = pq.read_schema(io.BytesIO(to_parquet(data, EN)))
    assert [str(kind) for kind in schema.types][:2] == ["string", "string"]
    rows = read_parquet(to_parquet(data, EN), data.columns)
    assert rows == data.rows
    sheet = book(to_xlsx(data, EN)).worksheets[0]
    for r, (_, number, day) in enumerate(data.rows, start=2):
        count, latest = sheet.cell(r, 3), sheet.cell(r, 4)
        assert (count.value is None, latest.value is None) == (number is None, day is None)
        # a cell holds sixteen digits
        assert number is None or math.isclose(count.value, number, rel_tol=1e-15)
        assert day is None or latest.value.date() == day


@pytest.mark.slow
@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_fractions_come_back_from_a_csv_as_they_were_and_no_row_is_lost(values: list[float | None]) -> None:
    data = answer("coverage_gap", rows=[(value,) for value in values])
    rows = read_csv(to_csv(data, EN))[1:]
    assert [float(row[0]) if row[0] else None for row in rows] == values


def test_a_file_of_no_rows_has_its_headers() -> None:
    data = answer("active_assistants", by=("province",), rows=[])
    assert read_csv(to_csv(data, EN)) == [["province", "province_name", "active_assistants", "status"]]
    label = catalogue()["active_assistants"].label["en"]
    assert book(to_xlsx(data, EN)).worksheets[0]["C1"].value == f"{label} (people)"
    assert pq.read_table(io.BytesIO(to_parquet(data, EN))).num_rows == 0


def test_counts_of_which_none_is_known_stay_whole_numbers() -> None:
    data = answer("joiners", "leaver_rate_12m", by=("province",), rows=[("IR-23", None, None)])
    schema = pq.read_schema(io.BytesIO(to_parquet(data, EN)))
    assert (str(schema.field("joiners").type), str(schema.field("leaver_rate_12m").type)) == ("int64", "double")


def test_days_of_which_none_is_known_keep_their_columns() -> None:
    data = answer("active_assistants", rows=[(None,), (None,)])
    data = type(data)(
        **{**data.__dict__, "metrics": (derived("training_seats_by"),), "columns": ("training_seats_by",)}
    )
    with file_content.sheet(data, FA) as contents:
        assert tuple(contents.schema.names) == ("training_seats_by", "training_seats_by_jalali")
    assert to_csv(data, FA).endswith(b"jalali\r\n,\r\n,\r\n")


@pytest.mark.parametrize("values", [(Decimal("1.5"), None), (1, "a"), (True, 1)])
def test_other_values_than_the_exported_ones_become_texts(values: tuple[Any, ...]) -> None:
    data = answer("active_assistants", rows=[(value,) for value in values])
    with exportable.of(data).read() as batches:
        assert batches.read_all().column(0).to_pylist() == [None if value is None else str(value) for value in values]


def test_text_longer_than_a_cell_fills_the_cell_and_stands_whole_in_the_other_files() -> None:
    long = "ن" * 40_000
    data = answer("active_assistants", by=("institute",), rows=[(long, 1)])
    assert book(to_xlsx(data, EN)).worksheets[0]["A2"].value == long[:32_767]
    assert read_csv(to_csv(data, EN))[1][0] == long


# ---------------------------------------------------------------- the offer


@pytest.mark.parametrize("ticked", [False, True])
def test_what_is_offered_for_circulation_bears_it_in_its_name_and_its_picture_is_drawn_of_rounded_counts(
    monkeypatch: pytest.MonkeyPatch, ticked: bool
) -> None:
    names: dict[str, str] = {}
    drawn_of: list[Any] = []
    pictures: list[downloads.Picture] = []
    monkeypatch.setattr(downloads.st, "checkbox", lambda *_, **__: ticked)
    monkeypatch.setattr(downloads.st, "button", lambda *_, **__: True)
    monkeypatch.setattr(downloads, "offered", lambda _view, key, _label, name, *_: names.update({key[:-2]: name}))
    monkeypatch.setattr(
        downloads, "_show_picture", lambda _view, picture, _look, name, _: pictures.append(picture) or name_of(name)
    )

    def name_of(name: str) -> None:
        names["picture"] = name

    def make(_scope: Scope, ask: Ask) -> Exhibit:
        drawn_of.append(ask.shown(by_province()))
        return Exhibit("en", Drawing(bars.ranking), drawn_of[-1], Title("rounded"))

    view = PageContext(Scope(by_province().publication.as_of, lang="en"))
    made = Made(Named("training", make, view.scope), mock.Mock(spec=Ask))
    picture = downloads.Picture({}, "title", "below", "source")
    # An exhibit of what a reader has typed.
    monkeypatch.setattr(data_links, "of_file", lambda *_: "")
    downloads.buttons(view, by_province(), EN, "x", picture, made)
    assert set(names) == {"csv", "xlsx", "parquet", "picture"}
    assert all(("_rounded" in name) is ticked for name in names.values())
    assert [picture.title for picture in pictures] == ["rounded" if ticked else "title"]
    assert any(isinstance(data, disclosure.Circulated) for data in drawn_of) is ticked


@pytest.mark.parametrize("signs_in", [False, True])
def test_a_file_has_its_help_whether_or_not_people_sign_in(signs_in: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(page_run, "signs_in", lambda: signs_in)
    monkeypatch.setattr(page_run, "current_file", lambda: "")
    for button in ("button", "download_button"):
        monkeypatch.setattr(downloads.st, button, lambda *_, **more: given.update(more))
    downloads.offered(PageContext(Scope(date(2026, 6, 1))), "", "", "", "", lambda out: None, {}, "what it is")
    assert given["help"] == "what it is"


def test_a_file_written_on_a_click_is_of_the_publication_that_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    offered: dict[str, Any] = {}
    monkeypatch.setattr(downloads.st, "download_button", lambda _label, make, *_, **__: offered.update(make=make))
    monkeypatch.setattr(downloads.st, "button", lambda *_, **more: offered.update(begin=more))
    monkeypatch.setattr(page_run, "_current", lambda: "the latest")
    monkeypatch.setattr(downloads, "Making", lambda _job: page_run.current_file())
    view, job = PageContext(Scope(date(2026, 6, 1))), mock.Mock(form="csv")
    with page_run.reading("the one shown"):
        downloads.offered(view, "", "", "", "", lambda out: out.write(page_run.current_file().encode()), {})
        downloads.made_first(view, "", "", job, {})
    # Streamlit calls it in a thread of its own, long after the page run.
    with ThreadPoolExecutor() as other:
        assert other.submit(lambda: offered["make"]().getvalue()).result() == b"the one shown"
    offered["begin"]["on_click"](*offered["begin"]["args"])
    assert downloads.st.session_state.pop(downloads._MADE).making == "the one shown"
