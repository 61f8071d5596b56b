"""The made-up register: the same for a seed, marked, complete, and with the faults that it names.

The tests read it with the oracle's plain reader, never with the pipeline.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from etl import synthetic
from etl.core.errors import Refused
from etl.core.paths import SAMPLE_MARK
from etl.extract.contract import contract
from etl.synthetic import service
from etl.synthetic.habits import COLUMNS, WORDS
from tests.oracle.read import READERS, Load, Record, read_folder

pytestmark = pytest.mark.slow

DAY = date(2026, 6, 30)
TABLES = ("institutes", "licences", "personnel", "training")
REASONS = {
    "missing_value", "bad_date", "future_date", "unknown_value", "unknown_province",
    "unknown_course", "bad_national_id", "spoilt_number", "age_out_of_range", "left_before_hired",
    "decided_before_complete", "ends_before_starts", "missing_status_since", "orphan_institute",
    "orphan_person", "conflicting_key", "ragged_row", "bad_encoding",
}  # fmt: skip
NOROOZ = {1395: date(2016, 3, 20), 1398: date(2019, 3, 21), 1399: date(2020, 3, 20),
          1400: date(2021, 3, 21), 1401: date(2022, 3, 21), 1404: date(2025, 3, 21)}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made_up")
    synthetic.make(path, scale=0.01, seed=7, day=DAY)
    return path


@pytest.fixture(scope="module")
def load(folder: Path) -> Load:
    return read_folder(folder, DAY)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != SAMPLE_MARK)


def marker(folder: Path) -> str:
    return (folder / SAMPLE_MARK).read_text(encoding="utf-8")


def planted(folder: Path) -> dict[str, int]:
    """The number of planted rows by reason, from SAMPLE.txt."""
    counts = re.findall(r"^([a-z_]+): (\d+)$", marker(folder), re.MULTILINE)
    return {reason: int(n) for reason, n in counts if reason not in ("seed", "scale")}


def raw(folder: Path, table: str) -> Iterator[Record]:
    for path in files(folder):
        if path.name.startswith(table):
            yield from READERS[path.suffix](table, path)


def cells(path: Path) -> list[object]:
    book = CalamineWorkbook.from_path(str(path))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def serving(load: Load, on: date) -> set[str]:
    return {
        row["national_id"]
        for row in load.rows["personnel"]
        if row["hired_on"] <= on and (row["left_on"] is None or row["left_on"] >= on)
    }


def licensed(load: Load, on: date) -> set[str]:
    lapsed = {
        row["institute_code"]
        for row in load.rows["institutes"]
        if row["status"] in ("suspended", "revoked", "closed") and row["status_since"] <= on
    }
    return {
        row["institute_code"]
        for row in load.rows["licences"]
        if row["outcome"] == "granted" and row["valid_from"] <= on <= row["valid_until"]
    } - lapsed


def spells(load: Load) -> dict[str, list[dict]]:
    """The spells of each person who has more than one, in order."""
    by_person: dict[str, list[dict]] = {}
    for row in load.rows["personnel"]:
        by_person.setdefault(row["national_id"], []).append(row)
    return {
        person: sorted(rows, key=lambda row: row["hired_on"]) for person, rows in by_person.items() if len(rows) > 1
    }


# ------------------------------------------------------------------------ the same, and marked
def test_same_seed_same_files_other_seed_other_files(folder: Path, tmp_path: Path) -> None:
    repeated, other = tmp_path / "again", tmp_path / "other"
    synthetic.make(repeated, scale=0.01, seed=7, day=DAY)
    synthetic.make(other, scale=0.01, seed=8, day=DAY)
    assert sorted(p.name for p in repeated.iterdir()) == sorted(p.name for p in folder.iterdir())
    for path in folder.iterdir():
        twin = repeated / path.name
        if path.suffix == ".xlsx":
            assert cells(path) == cells(twin), path.name
        else:
            assert path.read_bytes() == twin.read_bytes(), path.name
    name = "personnel_IR-23_tehran.csv"
    assert (folder / name).read_bytes() != (other / name).read_bytes()


def test_thirty_one_provinces_hand_in_one_file_of_each_table(folder: Path) -> None:
    counts = Counter((path.name.split("_")[0], re.findall(r"IR-\d\d", path.name)[0]) for path in files(folder))
    assert counts == {(table, f"IR-{n:02d}"): 1 for table in TABLES for n in range(31)}


@pytest.mark.parametrize("table", TABLES)
def test_offices_use_the_columns_headers_and_words_of_the_contract(table: str) -> None:
    """Both are written by hand, so that a word that changes its meaning in one of them is noticed."""
    declared = {column.name: column for column in contract(table).columns}
    assert list(COLUMNS[table]) == list(declared)
    for name, (kind, headers) in COLUMNS[table].items():
        assert set(headers) <= set(declared[name].headers), name
        assert dict(WORDS.get(kind, ())) == declared[name].values, name


def test_the_marker_says_made_up_in_both_languages_and_is_no_source_file(folder: Path) -> None:
    assert "ساختگی" in marker(folder)
    assert "made up" in marker(folder)
    assert f"last day: {DAY}" in marker(folder)
    assert SAMPLE_MARK == "SAMPLE.txt"


def test_every_institute_is_named_a_sample(load: Load) -> None:
    assert all(row["name"].endswith("(نمونه)") for row in load.rows["institutes"])


def test_without_a_day_history_ends_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "_write_all", lambda frame, folder: {})
    synthetic.make(tmp_path, scale=0.01)
    assert f"last day: {date.today()}" in marker(tmp_path)


def test_an_earlier_sample_is_replaced_and_anything_else_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthetic, "_write_all", lambda frame, folder: {})
    synthetic.make(tmp_path / "new", scale=0.01)
    (tmp_path / "new" / "training_IR-00_markazi.csv").write_text("old")
    synthetic.make(tmp_path / "new", scale=0.01)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [SAMPLE_MARK]
    real = tmp_path / "real" / "personnel.csv"
    real.parent.mkdir()
    real.write_text("submitted")
    with pytest.raises(Refused, match="no sample"):
        synthetic.make(real.parent, scale=0.01)
    assert real.read_text() == "submitted"


# --------------------------------------------------------------------------------- the faults
def test_every_reason_is_planted_and_found_as_often_as_the_marker_says(folder: Path, load: Load) -> None:
    expected = planted(folder)
    assert expected.pop("exact_duplicate") == sum(f.duplicates for f in load.files.values()) > 0
    # Counties are misspelt by habit, not planted.
    assert expected.pop("warned") == sum(column != "county" for _, _, column, _ in load.warned) > 0
    assert set(expected) == REASONS
    assert expected == dict(load.reasons)


def test_the_quarantine_is_small(load: Load) -> None:
    read = sum(count.read for count in load.files.values())
    assert 0.005 < sum(count.quarantined for count in load.files.values()) / read < 0.03


def test_ids_pass_the_check_digit_and_lie_in_series_of_no_known_office(load: Load) -> None:
    people = {row["national_id"] for row in load.rows["personnel"]}
    for text in people:
        total = sum(int(digit) * (10 - place) for place, digit in enumerate(text[:9])) % 11
        assert int(text[9]) == (total if total < 2 else 11 - total), "check digit"
        assert text[:3] in ("009", "099") or "800" <= text[:3] <= "999", "series"
    assert len(people) > 900


def test_spreadsheets_dropped_zeros_of_some_ids(folder: Path, load: Load) -> None:
    records = [*raw(folder, "personnel"), *raw(folder, "training")]
    cells = [str(record.cells.get("national_id") or "") for record in records]
    short = {text for text in cells if re.fullmatch(r"\d{8,9}", text)}
    assert {8, 9} == {len(text) for text in short}
    ids = {row["national_id"] for row in load.rows["personnel"]}
    assert any(text.zfill(10) in ids for text in short)


# --------------------------------------------------------------------------------- the habits
def test_offices_keep_their_files_in_many_ways(folder: Path) -> None:
    kinds = Counter(path.suffix for path in files(folder))
    assert min(kinds[kind] for kind in (".csv", ".tsv", ".xlsx", ".parquet")) >= 3
    texts = {p.name: p.read_bytes() for p in files(folder) if p.suffix in (".csv", ".tsv")}
    starts = Counter(text[:3] for text in texts.values())
    assert starts[b"\xef\xbb\xbf"] >= 10, "UTF-8 with its mark"
    assert any(text.startswith(b"\xff\xfe") for text in texts.values()), "UTF-16"
    persian = "کد ملی".replace("ک", "ك").replace("ی", "ي")
    assert any(text.startswith(persian.encode("cp1256") + b";") for text in texts.values())
    heads = b"\n".join(text.split(b"\n", 1)[0] for text in texts.values())
    assert all(mark in heads for mark in (b",", b";", b"|", b"\t"))
    assert b"national_id" in heads
    assert "کد ملی".encode() in heads


def test_days_come_in_both_calendars_all_digits_and_all_forms(folder: Path) -> None:
    days = {str(record.cells.get("completed_on") or "") for record in raw(folder, "training")}
    # \d matches the digits of every script
    for form in (r"1[34]\d\d/\d\d/\d\d", r"1[34]\d\d/\d/\d", r"20\d\d-\d\d-\d\d", r"20\d{6}"):
        assert any(re.fullmatch(form, day) for day in days), form
    for start in ("۱۴", "١٤"):
        assert any(day.startswith(start) for day in days), start


def test_clerks_write_a_province_by_name_code_and_variant(folder: Path) -> None:
    cells = {str(record.cells.get("province") or "") for record in raw(folder, "personnel")}
    for spelling in ("IR-16", "اصفهان", "Bushehr", "09"):
        assert spelling in cells
    assert any("\u200c" in text for text in cells), "ZWNJ"
    assert any("ي" in text for text in cells), "Arabic ye"


# ------------------------------------------------------------------------------- the register
def test_scale_holds(load: Load) -> None:
    assert len(serving(load, DAY)) == pytest.approx(600, rel=0.12)
    passes = sum(row["result"] == "passed" for row in load.rows["training"])
    assert passes == pytest.approx(6_000, rel=0.12)


def test_twice_the_scale_is_twice_the_people() -> None:
    small, large = (synthetic.frame(scale, 7, DAY).people.sum() for scale in (1, 2))
    assert small == pytest.approx(59_400, rel=0.001)
    assert large == pytest.approx(2 * small)


def test_stock_grows_and_the_pandemic_year_is_slow(load: Load) -> None:
    stock = {year: len(serving(load, day - timedelta(1))) for year, day in NOROOZ.items()}
    assert sorted(stock.values()) == list(stock.values())
    before, during, after = (stock[y + 1] - stock[y] for y in (1398, 1399, 1400))
    assert during < before / 2
    assert during < after / 2
    assert stock[1404] > 2 * stock[1395]


def test_tehran_is_dense_and_sistan_and_baluchestan_sparse(load: Load) -> None:
    here = Counter(row["province"] for row in load.rows["personnel"] if row["left_on"] is None or row["left_on"] >= DAY)
    with (Path(__file__).parents[2] / "data/reference/provinces.csv").open(encoding="utf-8") as file:
        residents = {row["iso_3166_2"]: int(row["population_2016"]) for row in csv.DictReader(file)}
    dense, sparse = (here[p] / residents[p] for p in ("IR-23", "IR-11"))
    # Of eight people in two institutes, chance takes or leaves some together.
    assert dense > 3 * sparse > 0
    assert len(here) == 31


def test_some_serve_without_a_licence_in_force(load: Load) -> None:
    valid = licensed(load, DAY)
    now = [r for r in load.rows["personnel"] if r["left_on"] is None or r["left_on"] >= DAY]
    without = sum(row["institute_code"] not in valid for row in now)
    assert 0 < without / len(now) < 0.25


def test_people_transfer_pause_serve_twice_and_move(load: Load) -> None:
    events = Counter()
    for rows in spells(load).values():
        for before, after in pairwise(rows):
            end = before["left_on"] or date.max
            events["overlap"] += after["hired_on"] <= end
            events["gap"] += end < date.max and (after["hired_on"] - end).days > 91
            events["moved"] += before["province"] != after["province"]
            events["transfer"] += before["institute_code"] != after["institute_code"]
            events["promotion"] += before["post"] == "guard" and after["post"] == "team_leader"
    assert min(events[k] for k in ("overlap", "gap", "moved", "transfer", "promotion")) >= 3, events


def test_licensing_has_every_outcome_and_status(load: Load) -> None:
    outcomes = Counter(row["outcome"] for row in load.rows["licences"])
    assert set(outcomes) == {"granted", "refused", "withdrawn", None}
    assert {row["kind"] for row in load.rows["licences"]} == {"new", "renewal"}
    assert {row["status"] for row in load.rows["institutes"]} == {
        "applicant", "active", "suspended", "revoked", "closed"}  # fmt: skip


def test_renewals_come_in_time_and_late(load: Load) -> None:
    granted: dict[str, list[dict]] = {}
    for row in load.rows["licences"]:
        if row["outcome"] == "granted":
            granted.setdefault(row["institute_code"], []).append(row)
    gaps = []
    for rows in granted.values():
        rows.sort(key=lambda row: row["valid_from"])
        gaps += [(b["valid_from"] - a["valid_until"]).days
                 for a, b in pairwise(rows)]  # fmt: skip
    assert min(gaps) == 1
    assert 0.05 < sum(gap > 1 for gap in gaps) / len(gaps) < 0.4


def test_as_many_are_in_an_open_gap_on_the_last_day_as_on_any_other() -> None:
    """Contracts end before the next is signed until the very end, so leavers of the last 90 days are provisional."""
    fr = synthetic.frame(1, 7, DAY)
    n = 40_000
    spells = {name: np.zeros(n, int) for name in ("inst", "reason", "post")}
    spells |= {"who": np.arange(n), "hired": np.full(n, fr.day - 1500), "left": np.full(n, service.NEVER)}
    breaks = service._breaks(fr, spells, np.random.default_rng(3))

    def away(day: int) -> int:
        return n - len(set(breaks["who"][(breaks["hired"] <= day) & (breaks["left"] >= day)]))

    open_gaps, before = away(fr.day), [away(fr.day - ago) for ago in (200, 400, 600)]
    assert min(before) > 100
    assert open_gaps == pytest.approx(sum(before) / 3, rel=0.2)
    assert breaks["left"][breaks["left"] < service.NEVER].max() == fr.day - 1
    assert breaks["hired"].max() <= fr.day
    is_rehired = breaks["hired"] > fr.day - 1500
    ends = dict(zip(breaks["who"][~is_rehired], breaks["left"][~is_rehired], strict=True))
    waits = [
        start - ends[who] for who, start in zip(breaks["who"][is_rehired], breaks["hired"][is_rehired], strict=True)
    ]
    assert len(waits) > 1000
    assert 0 < min(waits) <= max(waits) < 90
