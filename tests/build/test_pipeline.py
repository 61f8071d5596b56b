"""From files to a publication: the report of files, what is refused and what is left out, builds that repeat exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.build import pipeline
from etl.extract.contract import contract
from etl.semantic import access, answers, rights
from etl.warehouse import build_database, code_version, publications
from tests.conftest import Sample
from tests.loading import (
    DAY,
    GOOD,
    HEADERS,
    ROOT,
    Built,
    build,
    csv_text,
    digest,
    load,
    national_id,
    put,
    put_good,
    row,
    with_rows,
)
from ui.i18n import text

pytestmark = pytest.mark.slow

# ------------------------------------------------------------------ what is good loads


@pytest.fixture(scope="module")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The smallest register, built; its folder lies next to it."""
    return build(put_good(tmp_path_factory.mktemp("smallest") / "incoming"))


def test_the_smallest_register_loads_whole(smallest):
    built = smallest
    assert built.code == 0
    assert [built.counts(f"{table}.csv") for table in HEADERS] == [(1, 1, 0, 0)] * 4
    assert built.report["published"] is True
    assert built.report["reasons"] == {}
    assert built.rejected_rows() == []
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        assert answers.ask(con, "active_assistants").value() == 1


def test_the_report_is_the_json_of_the_contract_and_the_printed_one_tells_every_file_and_reason(folder):
    put(folder, "training_bad.csv", [row("training", result="?", national_id="0000000043")])
    built = load(folder)
    load_report = built.report
    assert set(load_report) >= {"published", "as_of", "files", "reasons"}
    assert load_report["as_of"] == "2023-06-22"
    for entry in load_report["files"]:
        assert set(entry) == {
            "file",
            "table",
            "rows_read",
            "rows_loaded",
            "rows_quarantined",
            "exact_duplicates",
            "rows_warned",
            "notes",
        }
        assert entry["rows_read"] == entry["rows_loaded"] + entry["rows_quarantined"] + entry["exact_duplicates"]
    assert [(entry["file"], entry["table"]) for entry in load_report["files"]] == [
        ("institutes.csv", "institutes"),
        ("licences.csv", "licences"),
        ("personnel.csv", "personnel"),
        ("training.csv", "training"),
        ("training_bad.csv", "training"),
    ]
    assert load_report["reasons"] == {"unknown_value": 1, "orphan_person": 1}
    for words in ("institutes.csv", "training_bad.csv", "unknown_value: 1", "orphan_person: 1", "as of 2023-06-22"):
        assert words in built.out


def test_the_same_rows_in_any_format_are_the_same_register(smallest, tmp_path):
    other = tmp_path / "other" / "incoming"
    put(other, "institutes.csv", csv_text("institutes", [row("institutes")], ";").replace("ی", "ي").encode("cp1256"))
    put(other, "licences.tsv", csv_text("licences", [row("licences")], "|").encode("utf-16"))
    book = openpyxl.Workbook()
    book.active.append(list(GOOD["personnel"]))
    book.active.append(list(GOOD["personnel"].values()))
    book.save(other / "personnel.xlsx")
    pq.write_table(pa.Table.from_pylist([row("training")]), other / "training.parquet")
    mixed = build(other)
    assert mixed.code == 0
    with (
        access.connect(smallest.to, rights.ADMINISTRATOR) as first,
        access.connect(mixed.to, rights.ADMINISTRATOR) as second,
    ):
        but = ("load_files", "publication", "row_fingerprints", "institutes")
        assert digest(first, but) == digest(second, but)
        assert first.execute("select name from institutes").fetchall() == [("نگهبان شرق",)]
        assert second.execute("select name from institutes").fetchall() == [("نگهبان شرق",)]


def test_names_and_national_ids_never_enter(smallest):
    with access.connect(smallest.to, rights.ADMINISTRATOR) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            text = str(con.execute(f"select * from {table}").fetchall())
            assert "0000000027" not in text, table
            assert "خانوادگی" not in text, table
    raw = smallest.to.resolve().read_bytes()
    assert b"0000000027" not in raw
    assert "خانوادگی".encode() not in raw


def test_padded_ids_unknown_counties_and_extra_columns_are_noted(folder):
    short = national_id(1234567).lstrip("0")
    text = csv_text("personnel", [row("personnel", national_id=short, county="ناکجا")]).splitlines()
    put(folder, "personnel_2.csv", f"{text[0]},ردیف,رنگ\n{text[1]},1,سبز\n")
    built = load(folder)
    assert built.file("personnel_2.csv")["notes"] == [
        "extra columns ignored: ردیف, رنگ",
        "national ids padded with leading zeros: 1",
        "counties not of their province loaded as unknown: 1",
    ]
    assert built.counts("personnel_2.csv") == (1, 1, 0, 0)


def test_a_missing_optional_column_is_named_with_what_follows(folder):
    missing = [(table, column.name) for table in HEADERS for column in contract(table).entering if not column.required]
    assert {table for table, _ in missing} == {*HEADERS}
    for table, name in missing:
        titles = [title for title in HEADERS[table].split() if title != name]
        cells = [row(table).get(title, "") for title in titles]
        put(folder, f"{table}_{name}.csv", "\n".join(map(",".join, (titles, cells))))
    built = load(folder)
    for table, name in missing:
        (note,) = built.file(f"{table}_{name}.csv")["notes"]
        assert note.startswith(f"{name} is missing: ")
        key = note.partition(":")[0].replace(" ", "_")
        assert text.word(f"note.{key}", "en") == note
        assert contract_header(table, name) in text.word(f"note.{key}", "fa")
    assert [built.file(f"{table}.csv")["notes"] for table in HEADERS] == [[]] * len(HEADERS)
    assert contract("personnel").absent["left_on"] == "everyone counts as in service"


def contract_header(table: str, name: str) -> str:
    """The first Persian header of a column."""
    return next(column.headers[0] for column in contract(table).columns if column.name == name)


def test_names_are_kept_as_written_and_a_county_is_one_of_its_own_province(folder):
    put(folder, "institutes_2.csv", [row("institutes", institute_code="۰۰۰٢", name="شركت\u200cهاي \u202eشرق")])
    name, code, province = "اراک", "0001", "IR-00"
    built = with_rows(
        folder,
        "personnel",
        row("personnel", national_id=national_id(11), province=province, county=name.replace("ک", "ك")),
        row("personnel", national_id=national_id(12), province=province, county=code),
        row("personnel", national_id=national_id(13), province="IR-23", county=name),
        how=build,
    )
    assert built.sql("select name from institutes where institute_code = '0002'") == [("شركت\u200cهاي شرق",)]
    assert built.file("institutes_2.csv")["notes"] == ["invisible characters stripped: 1"]
    assert (
        built.sql(f"select province, county from spells where province = '{province}' or county is not null")
        == [(province, code)] * 2
    )
    assert "counties not of their province loaded as unknown: 1" in built.file("personnel_2.csv")["notes"]


# ------------------------------------------------------------------ refusals, and what is let through


def test_a_refused_file_refuses_the_build_and_leaves_the_last_publication(folder):
    before = load(folder)
    publication = before.to.resolve()
    content = publication.read_bytes()
    put(folder, "training_گیلان.csv", "a,b\n1,2\n")
    after = load(folder)
    assert after.refusal.startswith(
        "training_گیلان.csv: line 1: missing required column national_id, course_code, completed_on, result: no header "
        "of the table was found in the first 21 rows; "
    )
    assert after.report["published"] is False
    assert after.report["refused"][0]["province"] == "IR-01"
    assert (before.to.resolve(), publication.read_bytes()) == (publication, content)
    assert sorted(path.name for path in publication.parent.iterdir()) == ["000001.duckdb", "lock"]


def test_with_skip_refused_the_others_are_published_and_the_missing_is_named(folder):
    put(folder, "training_IR-01_gilan.csv", "a,b\n1,2\n")
    put(folder, "personnel_x.xlsx", b"no workbook")
    built = load(folder, "--skip-refused")
    assert built.code == 0
    assert built.report["published"] is True
    assert [(entry["file"], entry["table"], entry["province"]) for entry in built.report["refused"]] == [
        ("personnel_x.xlsx", "personnel", ""),
        ("training_IR-01_gilan.csv", "training", "IR-01"),
    ]
    assert "training_IR-01_gilan.csv (IR-01): line 1: missing required column" in built.out
    assert built.sql("select missing from publication") == [(["personnel_x.xlsx", "training_IR-01_gilan.csv"],)]
    assert built.sql("select file, province, refusal is not null from load_files where source_table = 'training'") == [
        ("training.csv", "IR-23", False),
        ("training_IR-01_gilan.csv", "IR-01", True),
    ]


def test_a_folder_of_which_every_file_is_refused_is_refused_even_so(tmp_path):
    put(tmp_path / "incoming", "training.csv", "a,b\n")
    assert load(tmp_path / "incoming", "--skip-refused").refusal.startswith("training.csv: line 1: missing")


def test_every_other_file_is_reported_also_in_sub_folders(folder):
    others = [
        "notes.txt",
        "~$personnel.xlsx",
        ".hidden.csv",
        "old/personnel.csv",
        "old/older/a.csv",
        "training_old/x.pdf",
    ]
    for name in others:
        put((folder / name).parent, (folder / name).name, b"x")
    (folder / "nothing").mkdir()
    built = load(folder)
    assert sorted(built.report["ignored"]) == sorted([*others, "nothing/"])
    assert "ignored: old/older/a.csv" in built.out
    assert built.sql("select file from ignored_files order by file") == [
        (name,) for name in sorted([*others, "nothing/"])
    ]


# ------------------------------------------------------------------ the same again


def test_a_database_that_was_not_written_to_its_end_is_not_published(tmp_path):
    """Closing a database reports no error: it is opened again and its rows are counted."""
    built = tmp_path / "built.duckdb"
    with duckdb.connect(str(built)) as con:
        con.execute("create table numbers as from range(1000)")
    pipeline._verify_file(built, {"numbers": 1000})
    for sizes in ({"numbers": 1001}, {"numbers": 1000, "more": 1}, {}):
        with pytest.raises(duckdb.IOException, match="not what was written"):
            pipeline._verify_file(built, sizes)
    built.with_name("built.duckdb.wal").write_bytes(b"left")
    with pytest.raises(duckdb.IOException, match="could not be written to its end"):
        pipeline._verify_file(built, {"numbers": 1000})


@pytest.fixture(scope="module")
def sample(publish_sample) -> Sample:
    """A sample of some 1,000 persons, built with the threads and slices of this machine."""
    return publish_sample(0.02, 5)


def test_slices_of_persons_and_rows_that_fill_the_memory_give_the_same_content(sample, tmp_path, monkeypatch):
    """Both bound the memory of a build; the rows are in a file that is removed. With one thread, too."""
    attach, attached = build_database._attach, []

    def noted(con, path, as_what):
        attached.append(Path(path).name)
        attach(con, path, as_what)

    monkeypatch.setattr(build_database, "_attach", noted)
    monkeypatch.setattr(build_database, "_ROWS_IN_MEMORY", 1 << 60)
    monkeypatch.setenv("BUILD_SLICE", "397")
    monkeypatch.setenv("BUILD_THREADS", "1")
    built = build(sample.folder, to=tmp_path / "w.duckdb")
    assert attached == ["built.duckdb", "scratch.duckdb"]
    assert built.sql("select count(distinct person_id) > 397 from spells") == [(True,)]
    with (
        access.connect(built.to, rights.ADMINISTRATOR) as ours,
        access.connect(sample.pointer, rights.ADMINISTRATOR) as theirs,
    ):
        assert digest(ours) == digest(theirs)
    assert not [path for path in tmp_path.rglob("*") if "scratch" in path.name]


@pytest.mark.parametrize(("memory", "threads"), [("256MB", 1), ("512MB", 1), ("1GB", 2), ("2GB", 4), ("64GB", 4)])
def test_a_build_takes_no_more_threads_than_its_memory_feeds(memory, threads, monkeypatch):
    """With two threads in 512 MB, the sums by cell and day at ten times the country's size did not fit."""
    monkeypatch.setattr(build_database.os, "cpu_count", lambda: 4)
    monkeypatch.delenv("BUILD_THREADS", raising=False)
    with duckdb.connect(config={"memory_limit": memory}) as con:
        assert build_database.threads(con) == threads
        monkeypatch.setenv("BUILD_THREADS", "3")
        assert build_database.threads(con) == 3


READ = """
import re, sys
from datetime import date
from pathlib import Path
from etl.extract import parse_values as values, read_file, validate
from etl.extract.contract import contract
setting = values.Setting(date(2026, 6, 30), {"py-101": "PY-101"}, b"k")
for path in map(Path, sys.argv[1:]):
    validator = validate.Validator(contract("training"), setting)
    read = read_file.read(read_file.Job(path, "training", 0, path.parent), validator, lambda *_: None)
    print(read.rows_read, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


# Records that are split singly take most of the time, and least of the memory.
@pytest.mark.parametrize(("kind", "times", "most_more"), [("csv", 10, 64), ("quoted", 3, 24), ("parquet", 10, 64)])
def test_what_a_reader_needs_of_memory_does_not_grow_with_the_file(tmp_path, kind, times, most_more):
    rows = 60_000
    columns = {
        "national_id": [national_id(at % 50_000) for at in range(rows)],
        "course_code": ["PY-101"] * rows,
        "completed_on": [f"14{at % 5:02}/{1 + at % 12:02}/{1 + at % 29:02}" for at in range(rows)],
        "result": ["passed" if at % 9 else '"a, ""b""\nc"' if kind == "quoted" else "failed" for at in range(rows)],
    }
    paths = []
    for copies in (1, times):
        path = tmp_path / f"training_{copies}.{'parquet' if kind == 'parquet' else 'csv'}"
        if kind == "parquet":
            pq.write_table(pa.concat_tables([pa.table(columns)] * copies), path, row_group_size=rows * copies)
        else:
            lines = "".join(f"{','.join(line)}\n" for line in zip(*columns.values(), strict=True))
            path.write_text(f"{','.join(columns)}\n" + lines * copies, encoding="utf-8")
        paths.append(str(path))
    result = subprocess.run([sys.executable, "-c", READ, *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    first, first_peak, second, second_peak = map(int, result.stdout.split())
    assert (first, second) == (rows, rows * times)
    assert second_peak < first_peak + most_more, result.stdout
    assert second_peak < 400, result.stdout


def test_a_publication_tells_its_id_its_inputs_and_its_code(smallest):
    import hashlib

    built, folder = smallest, smallest.to.with_name("incoming")
    for name, sha256, size in built.sql("select file, sha256, bytes from load_files"):
        content = (folder / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        publication = publications.describe(con)
    assert (
        publication.id,
        publication.files,
        publication.rows_read,
        publication.rows_loaded,
        publication.rows_quarantined,
    ) == ("000001", 4, 4, 4, 0)
    assert (publication.is_sample, publication.built_on, publication.missing) == (False, DAY, ())
    assert built.sql("select code_version from publication") == [(code_version.code_version(),)]
    assert json.loads((folder.parent / "report.json").read_text())["publication"] == "000001"
