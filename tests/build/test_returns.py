"""What a clerk reads: the files that go back to a province, two versions of one file, the sentences of refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path

import openpyxl
import pytest

from etl.build import pipeline, returns
from etl.cli.commands import main
from etl.core import declarations
from etl.extract import causes, expected
from etl.operations import readiness
from tests.extract.test_clerks import xlsx
from tests.loading import DAY, HEADERS, WarmPool, load, national_id, put, put_good, row

OTHERS = [row("personnel", national_id=national_id(at)) for at in range(200, 215)]
PEOPLE = [row("personnel", national_id=national_id(at)) for at in range(100, 120)]


@pytest.fixture(autouse=True)
def warm_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "WorkerPool", WarmPool)


def cells(path: Path) -> list[tuple[str | None, ...]]:
    """The texts of a returned file, whose sheet runs from right to left under a header that stays."""
    sheet = openpyxl.load_workbook(path).active
    assert (sheet.sheet_view.rightToLeft, sheet.freeze_panes) == (True, "A2")
    assert {cell.data_type for line in sheet for cell in line} <= {"s", "n"}
    return list(sheet.iter_rows(values_only=True))


def returned(folder: Path, to: Path) -> dict[str, list[tuple[str | None, ...]]]:
    """The returned files of a folder by name."""
    assert main(["returns", str(folder), "--to", str(to), "--day", DAY.isoformat()]) == 0
    return {path.name: cells(path) for path in sorted(to.iterdir())}


@pytest.mark.parametrize("rows_in_memory", [1, 10_000])
def test_each_file_with_rejected_or_warned_rows_goes_back_with_what_to_do(
    folder, tmp_path, monkeypatch, rows_in_memory
):
    monkeypatch.setattr(returns, "_ROWS_IN_MEMORY", rows_in_memory)
    put(folder, "training_2.csv", [
        row("training", completed_on="1404/13/01"),
        row("training", completed_on="1402/05/01", score="85%"),
        row("training", completed_on="1402/05/02"),
    ])  # fmt: skip
    head = HEADERS["personnel"].split()
    people = [
        row("personnel", national_id="1111111111"),
        row("personnel", national_id=national_id(7), county="کجاآباد"),
    ]
    xlsx(folder / "personnel_2.xlsx", {"=1+1": [head, *[[one.get(name, "") for name in head] for one in people]]})
    put(folder, "licences.zip", b"PK")
    files = returned(folder, tmp_path / "back")
    assert list(files) == ["برگشت licences.zip.xlsx", "برگشت personnel_2.xlsx.xlsx", "برگشت training_2.csv.xlsx"]
    assert files["برگشت training_2.csv.xlsx"] == [
        ("محل", "ستون", "نتیجه", "آنچه باید باشد", "چه باید کرد"),
        ("سطر ۲", "تاریخ دوره", "ردیف رد شد", "تاریخ درست، از ۱۳۵۷/۰۱/۰۱ به بعد، مانند ۱۴۰۳/۰۶/۳۱؛ نخست سال، نه ماه/روز/سال",
         "تاریخ درست نیست. آن را از روی پرونده بنویسید."),
        ("سطر ۳", "نمره", "ردیف بارگذاری شد، این مقدار نامعلوم ماند", "عددی از ۰ تا ۱۰۰؛ ممیز را با نقطه بنویسید",
         "عدد درست نیست یا بیرون از بازهٔ مجاز است. فقط رقم بنویسید، بدون علامت درصد."),
    ]  # fmt: skip
    _, first, second = files["برگشت personnel_2.xlsx.xlsx"]
    assert first[:3] == ("برگهٔ \u2068=1+1\u2069، ردیف ۲", "کد ملی", "ردیف رد شد")
    assert second[1] == "شهرستان"
    assert "کاری لازم نیست" in second[4]
    assert files["برگشت licences.zip.xlsx"][1] == (
        "همهٔ فایل", "", "فایل پذیرفته نشد", "",
        "فایل فشرده (\u2068.zip\u2069) است؛ آن را باز کنید و فایل درونش را ارسال کنید",
    )  # fmt: skip
    assert not any("1111111111" in (cell or "") for lines in files.values() for line in lines for cell in line)
    # The next run leaves nothing of this one.
    (tmp_path / "back" / "کار خودم.xlsx").touch()
    main(["returns", str(put_good(tmp_path / "good")), "--to", str(tmp_path / "back"), "--day", DAY.isoformat()])
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["کار خودم.xlsx"]


def test_a_build_writes_what_goes_back_beside_the_publication(folder):
    put(folder, "training_2.csv", [row("training", completed_on="?")])
    built = load(folder)
    back = built.to.with_name("warehouse.duckdb.returns")
    assert [path.name for path in back.iterdir()] == ["برگشت training_2.csv.xlsx"]
    assert f"returns: 1 files in {back}\n" in built.out
    assert (built.report["returned"], built.report["returns"]) == (1, str(back))


def test_files_go_back_where_the_key_is_another_and_a_load_that_is_not_read_says_why(
    folder, tmp_path, monkeypatch, capsys
):
    put(folder, "training_2.csv", [row("training", completed_on="?")])
    monkeypatch.setattr(pipeline.identity, "fault", lambda *_: "another key")
    assert [*returned(folder, tmp_path / "back")] == ["برگشت training_2.csv.xlsx"]
    capsys.readouterr()
    assert main(["returns", str(folder), "--to", str(tmp_path / "none"), "--day", "2000-01-01"]) == 1
    assert "the day of the build" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_stops_returns_but_no_build(folder, tmp_path, capsys):
    put(folder, "training_2.csv", [row("training", completed_on="?")])
    (tmp_path / "warehouse.duckdb.returns").touch()
    built = load(folder)
    assert (built.code, built.report["returned"]) == (0, None)
    assert f"returns: could not be written to {tmp_path}/warehouse.duckdb.returns\n" in built.out
    assert main(["returns", str(folder), "--to", str(tmp_path / "warehouse.duckdb.returns")]) == 1
    assert ": cannot be written; " in capsys.readouterr().err


def test_every_reason_has_what_was_expected_and_what_to_do():
    words = declarations.read(expected._FILE)
    reasons = {*words["reason"], *expected._BY_COLUMN} - {"conflicting_row"}
    assert reasons | {"unknown_county"} == set(words["remedy"])
    assert all(expected.remedy("", reason, lang) for reason in words["remedy"] for lang in ("fa", "en"))


# ------------------------------------------------------------------ two versions of one file


def test_a_conflict_names_the_other_row_and_the_columns_that_differ(folder):
    put(folder, "personnel_2.csv", PEOPLE)
    xlsx(folder / "personnel_3.xlsx", {"برگه": [
        HEADERS["personnel"].split(),
        [{**PEOPLE[3], "post": "operator", "left_on": "1404/01/01"}.get(name, "") for name in HEADERS["personnel"].split()],
    ]})  # fmt: skip
    built = load(folder)
    key = "national_id, institute_code, hired_on"
    rows = built.sql("select file, line, expected from quarantine order by all")
    assert [(file, line, text.partition(" · ")[0]) for file, line, text in rows] == [
        ("personnel_2.csv", 5, f"one content for each {key}; line برگه!2 of personnel_3.xlsx differs in: post, left_on"),
        ("personnel_3.xlsx", 2, f"one content for each {key}; line 5 of personnel_2.csv differs in: post, left_on"),
    ]  # fmt: skip
    of_csv, of_sheet = (text.partition(" · ")[2] for _, _, text in rows)
    assert (
        "با برگهٔ \u2068برگه\u2069، ردیف ۲ از \u2068personnel_3.xlsx\u2069 در این ستون‌ها تفاوت دارد: سمت، تاریخ پایان"
        in of_csv
    )
    assert "با سطر ۵ از \u2068personnel_2.csv\u2069 در این ستون‌ها تفاوت دارد: سمت، تاریخ پایان" in of_sheet


def test_last_years_sheet_beside_this_years_refuses_the_workbook(folder):
    titles = HEADERS["personnel"].split()
    sheets = {
        "۱۴۰۳": PEOPLE,
        "۱۴۰۴": [{**person, "left_on": "1404/01/01"} if at < 3 else person for at, person in enumerate(PEOPLE)],
    }
    path = folder / "personnel_2.xlsx"
    xlsx(
        path,
        {
            title: [titles, *([one.get(name, "") for name in titles] for one in people)]
            for title, people in sheets.items()
        },
    )
    assert load(folder).refusal.startswith("personnel_2.xlsx: its sheets ۱۴۰۳ + ۱۴۰۴ are versions of one table: ")
    xlsx(path, {title: [titles, *([one.get(name, "") for name in titles] for one in PEOPLE)] for title in sheets})
    assert load(folder).counts("personnel_2.xlsx") == (2 * len(PEOPLE), len(PEOPLE), 0, len(PEOPLE))


def test_last_years_file_beside_this_years_is_refused_with_it(folder):
    """Everyone who left since would be in conflict in both files."""
    now = [{**person, "left_on": "1404/01/01"} if at < 3 else person for at, person in enumerate(PEOPLE)]
    put(folder, "personnel_1403.csv", PEOPLE)
    put(folder, "personnel_1404.csv", [*now, *OTHERS])
    built = load(folder)
    first, second = built.refusals
    assert first.startswith("personnel_1403.csv: it and personnel_1404.csv are two versions of one file: ")
    assert second.startswith("personnel_1404.csv: it and personnel_1403.csv are two versions of one file: ")
    assert "؛ کدام معتبر است؟ " in built.err
    others = load(folder, "--skip-refused")
    assert [entry["file"] for entry in others.report["refused"]] == ["personnel_1403.csv", "personnel_1404.csv"]
    assert others.counts("personnel.csv") == (1, 1, 0, 0)
    (folder / "personnel_1403.csv").unlink()
    assert load(folder).counts("personnel_1404.csv") == (35, 35, 0, 0)


@pytest.mark.parametrize("change", ["copy", "few shared", "another province"])
def test_files_that_are_no_two_versions_are_both_read(folder, change):
    put(folder, "personnel_2.csv", PEOPLE)
    other = {
        "copy": PEOPLE,
        "few shared": [{**PEOPLE[0], "post": "operator"}, *OTHERS],
        "another province": [{**person, "province": "فارس"} for person in PEOPLE],
    }[change]  # fmt: skip
    put(folder, "personnel_3.csv", other)
    built = load(folder)
    assert built.code == 0
    for file in built.report["files"]:
        assert file["rows_read"] == file["rows_loaded"] + file["rows_quarantined"] + file["exact_duplicates"]


# ------------------------------------------------------------------ sentences, and the refused load


def test_a_refused_load_is_noted_with_its_sentences_until_the_next_is_published(folder):
    to = load(folder).to
    put(folder, "personnel_IR-14.csv", "a;b\n")
    refused = load(folder, to=to, accept_loss=False)
    note = readiness.last_build(to)
    assert note
    ((province, sentence),) = note.refusals
    assert (note.outcome, province, sentence.replace("\u2068personnel_IR-14.csv\u2069: ", "")) == (
        "refused", "IR-14", refused.err.strip(),
    )  # fmt: skip
    assert "--skip-refused" not in refused.err
    assert refused.out.count("--skip-refused publishes the other files") == 1
    (folder / "personnel_IR-14.csv").unlink()
    load(folder, to=to)
    assert json.loads(to.with_name("warehouse.duckdb.last-build.json").read_text())["refusals"] == []


@pytest.mark.parametrize("cause", declarations.read(causes._FILE))
def test_a_persian_sentence_isolates_what_runs_from_left_to_right(cause):
    """No dot is moved by hand, no sentence holds an option, and no Latin comma stands between Persian words."""
    texts = declarations.read(causes._FILE)[cause]
    values = dict.fromkeys(re.findall("{(\\w+)}", texts["en"] + texts["fa"]), "7")
    english, persian = causes.words(cause, **values).split(causes.BETWEEN)
    outside = re.sub("\u2068[^\u2069]*\u2069", "", persian)
    assert not re.search("[A-Za-z]|[ا-ی],", outside), persian
    assert not re.search("--|SOURCE_|READER_|BUILD_", english + persian)


def test_what_the_operating_system_says_is_persian_in_a_persian_sentence():
    english, persian = causes.words("not_written", path="x", error="No space left on device").split(causes.BETWEEN)
    assert "No space left on device" in english
    assert "(دیسک پر است)" in persian
    assert causes.printable_line("\u2068.xlsx\u2069 \u202e") == "\u2068.xlsx\u2069 \\u202e"


def test_damaged_headers_are_told_for_what_they_are(folder):
    contents = {
        b",".join([b"a"] * 2_000_000) + b"\n": "more than 10,000 columns; keep only those of the table",
        b"x" * (1 << 20): "no row of headers is longer than 64 KiB; ",
        b"0499370899,0001\n": "missing required column national_id, course_code, completed_on, result: no header of ",
    }
    for number, content in enumerate(contents):
        put(folder, f"training_{number}.csv", content)
    built = load(folder)
    for number, (refusal, message) in enumerate(zip(built.refusals, contents.values(), strict=True)):
        assert refusal.startswith(f"training_{number}.csv: line 1: {message}")
    assert "0499370899" not in built.err
