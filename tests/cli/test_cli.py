"""The command line for scripts, schedulers and people: exit codes, one line on errors, progress."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import pytest

from etl.analysis import analyses
from etl.cli import commands, console
from etl.cli.commands import main
from etl.semantic import access, answers, catalog, rights
from etl.semantic.resolve import settled_on
from tests.extract.test_clerks import xlsx
from tests.loading import (
    HEADERS,
    ROOT,
    Built,
    build,
    build_tables,
    csv_text,
    load,
    national_id,
    put,
    put_good,
    row,
    without_models,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = put_good(tmp_path_factory.mktemp("cli") / "incoming")
    put(
        folder,
        "training_2.csv",
        [row("training", score="x", completed_on="1402/05/01"), row("training", hours="y", completed_on="?")],
    )
    return build(folder)


# ------------------------------------------------------------------ exit codes, and what is said


def test_a_refusal_exits_1_with_one_line_and_no_traceback(tmp_path):
    folder = put_good(tmp_path / "incoming")
    put(folder, "personnel_2.csv", "a;b\n")
    refused = load(folder)
    assert refused.refusal.startswith("personnel_2.csv: line 1: missing required column national_id, institute_code")
    assert not refused.to.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["bild"], ["build", "--to"], ["build", "a", "b"], ["ask"], ["build", "--day", "1403/13/01"], ["sample"],
        ["sample", "x", "--scale", "0"], ["sample", "x", "--scale", "many"], ["ask", "in_service", "--format", "xml"],
        ["ask", "in_service", "--calc", "sum"],
        ["ask", "in_service", "--over", "1403/01/01"], ["ask", "in_service", "--over", "1403/02/01..1403/01/01"],
        ["ask", "in_service", "--on", "yesterday"], ["build", "--skip"],
    ],
)  # fmt: skip
def test_wrong_usage_exits_2(arguments, capsys):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("usage: python -m etl")


@pytest.mark.parametrize("text", ["1405/01/01", "۱۴۰۵/۰۱/۰۱", "1405/01/01..1405/12/29"])
def test_a_day_in_place_of_a_file_says_which_option_takes_it(text, capsys):
    with pytest.raises(SystemExit):
        main(["ask", "joiners", "--from", text])
    assert f"'{text}' is a day, and no file; --on takes a day, --over DAY..DAY a period" in capsys.readouterr().err


def test_a_file_may_be_called_as_a_day(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "14050101").write_bytes(b"no publication")
    assert main(["ask", "joiners", "--from", "14050101"]) == 1
    assert "is a day" not in capsys.readouterr().err


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for part in action.choices.values():
                yield from parsers(part)


def test_help_explains_every_option():
    unexplained = [
        f"{parser.prog} {action.option_strings or action.dest}"
        for parser in parsers(commands._parser())
        for action in parser._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert unexplained == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "ask: no metric is called nobody"),
        (["in_service", "--by", "colour"], "ask: no dimension is called colour"),
        (["joiners", "--on", "1402/01/01"], "ask: a flow is counted over a period"),
        (["in_service", "--over", "1402/01/01..1402/02/01"], "ask: a state is measured on a day"),
        (["in_service", "--where", "province=مریخ"], "ask: no province is called"),
        (["in_service", "--where", "province"], "ask: --where province: write DIM=VALUE[,VALUE]"),
        (["transfers_in", "--by", "gender"], "ask: transfers_in has no meaning by gender"),
        (["in_service", "--calc", "share"], "ask: in_service: a share of the total is that of a group"),
        (["in_service", "--by", "month", "--calc", "running"], "ask: in_service is a state on a day"),
    ],
)
def test_an_invalid_question_exits_2_with_one_line(built, capsys, arguments, message):
    assert main(["ask", *arguments, "--from", str(built.to)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(message)
    assert output.err.count("\n") == 1


def test_nothing_published_exits_1(tmp_path, capsys):
    for command in (["ask", "in_service"], ["quarantine"], ["publications"], ["rollback"], ["diff"]):
        assert main([*command, "--from", str(tmp_path / "none.duckdb")]) == 1, command
        output = capsys.readouterr()
        assert output.err == f"{tmp_path}/none.duckdb: nothing is published there yet; run python -m etl build\n"


def test_an_unexpected_error_is_one_line_without_values_of_the_data(built, capsys, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("0499370899")

    monkeypatch.setattr(answers, "ask", fail)
    assert main(["ask", "in_service", "--from", str(built.to)]) == 1
    output = capsys.readouterr()
    assert output.err.startswith("an error that was not foreseen (ZeroDivisionError); ETL_TRACE=1 tells more · ")
    monkeypatch.setenv("ETL_TRACE", "1")
    with pytest.raises(ZeroDivisionError):
        main(["ask", "in_service", "--from", str(built.to)])


def test_output_is_utf8_in_every_locale(built):
    for settings in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}):
        result = subprocess.run(
            [sys.executable, "-m", "etl", "metrics"],
            cwd=ROOT,
            capture_output=True,
            check=False,
            env={**os.environ, **settings},
        )
        assert result.returncode == 0, result.stderr
        assert "پلیس‌یاران" in result.stdout.decode("utf-8")
        assert not result.stdout.startswith(b"\xef\xbb\xbf")


# ------------------------------------------------------------------ commands


def test_metrics_lists_the_catalogue_with_the_name_first(capsys):
    assert main(["metrics"]) == 0
    names = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [name for name, metric in catalog.catalogue().items() if not metric.hidden]
    assert {"active_assistants", "training_compliance", "renewal_rate"} <= set(names)


def test_quarantine_tells_file_line_column_and_reason(built, capsys, tmp_path):
    assert main(["quarantine", "--from", str(built.to)]) == 0
    output = capsys.readouterr().out
    assert output.splitlines() == [
        "file,line,column,reason,expected",
        'training_2.csv,3,completed_on,bad_date,"a day that exists, from 1357/01/01 on, year first, such as 1403/06/31 or '
        '2024-09-21 (not month/day/year) · تاریخ درست، از ۱۳۵۷/۰۱/۰۱ به بعد، مانند ۱۴۰۳/۰۶/۳۱؛ نخست سال، نه ماه/روز/سال"',
    ]
    assert main(["quarantine", "--warned", "--from", str(built.to)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "file,line,column,reason,expected",
        'training_2.csv,2,score,bad_number,"a number from 0 to 100, with a decimal point · '
        'عددی از ۰ تا ۱۰۰؛ ممیز را با نقطه بنویسید"',
    ]
    to = tmp_path / "rejected.csv"
    assert main(["quarantine", "--from", str(built.to), "--to", str(to)]) == 0
    assert to.read_bytes() == output.encode("utf-8-sig")
    assert os.listdir(tmp_path) == ["rejected.csv"]


def test_no_name_of_a_file_a_sheet_or_a_code_is_a_live_formula(tmp_path, capsys):
    folder = put_good(tmp_path / "incoming")
    put(folder, "=HYPERLINK(1).csv", csv_text("training", [row("training", completed_on="?")]))
    xlsx(
        folder / "training_2.xlsx",
        {"=1+1": [HEADERS["training"].split(), ["0000000027", "PY-101", "?", 1, 1, "passed"]]},
    )
    code = {"institute_code": "=1+1|' /C calc'!A0"}
    put(folder, "institutes_2.csv", [row("institutes", **code)])
    put(folder, "personnel_2.csv", [row("personnel", national_id=national_id(7), **code)])
    built = build_tables(folder)
    to = tmp_path / "rejected.csv"
    assert main(["quarantine", "--from", str(built.to), "--to", str(to)]) == 0
    rows = list(csv.DictReader(io.StringIO(to.read_text(encoding="utf-8-sig"))))
    assert [(line["file"], line["line"]) for line in rows] == [
        ("'=HYPERLINK(1).csv", "2"), ("training_2.xlsx", "'=1+1!2"),
    ]  # fmt: skip
    capsys.readouterr()
    assert main(["ask", "in_service", "--by", "institute", "--format", "csv", "--from", str(built.to)]) == 0
    assert "\n'=1+1|' /C calc'!A0,1" in capsys.readouterr().out


def test_a_quarantine_that_cannot_be_written_is_refused(built, capsys, tmp_path):
    for to in (tmp_path, tmp_path / "no" / "file.csv"):
        assert main(["quarantine", "--from", str(built.to), "--to", str(to)]) == 1
        assert capsys.readouterr().err.startswith(f"{to}: cannot be written (")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_an_answer_in_every_form_is_the_same(built, capsys, form):
    assert (
        main(
            ["ask", "in_service", "licensed_institutes", "--by", "province", "--format", form, "--from", str(built.to)]
        )
        == 0
    )
    output = capsys.readouterr().out
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(output)))
    elif form == "json":
        rows = json.loads(output)
    else:
        head, *lines = [re.split(" {2,}", line) for line in output.splitlines()]
        rows = [dict(zip(head, line, strict=True)) for line in lines]
        names = {row["province"]: row.pop("province_name") for row in rows}
        assert names["IR-23"] == "Tehran"
    assert len(rows) == 31
    assert list(rows[0]) == ["province", "in_service", "licensed_institutes"]
    counts = {row["province"]: (int(row["in_service"]), int(row["licensed_institutes"])) for row in rows}
    assert counts["IR-23"] == (1, 1)
    assert counts["IR-01"] == (0, 0)


def test_a_calculation_is_printed_beside_its_measure(built, capsys):
    words = ["ask", "in_service", "--by", "province", "--calc", "share", "--format", "csv", "--from", str(built.to)]
    assert main(words) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0]) == ["province", "in_service", "in_service_share"]
    total = sum(int(row["in_service"]) for row in rows)
    assert total
    assert [float(row["in_service_share"]) for row in rows] == [int(row["in_service"]) / total for row in rows]


@pytest.mark.slow
def test_a_table_for_readers_has_names_and_the_decimals_of_the_screen_and_a_file_codes_and_all_digits(
    publish_sample, capsys
):
    """Every number of every analysis and metric: the table's is the file's, rounded as its unit is on screen."""
    source = ["--from", str(publish_sample().pointer)]

    def both(*words):
        forms = {}
        for form in ("json", "table"):
            assert main([*words, "--format", form, *source]) == 0
            forms[form] = capsys.readouterr().out
        head, *lines = forms["table"].splitlines()
        starts = [found.start() for found in re.finditer(r"(?<!\S)\S", head)]
        cells = [
            [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)] for line in lines
        ]
        return json.loads(forms["json"]), [dict(zip(head.split(), row, strict=True)) for row in cells]

    exact, shown = both("ask", "coverage_per_10k", "training_compliance", "--by", "province")
    tehran = next(at for at, line in enumerate(exact) if line["province"] == "IR-23")
    assert shown[tehran]["province_name"] == "Tehran"
    assert shown[tehran]["coverage_per_10k"] == f"{exact[tehran]['coverage_per_10k']:.2f}"
    assert shown[tehran]["training_compliance"] == f"{exact[tehran]['training_compliance']:.3f}", "a fraction"
    for words, column, name in (
        (["ask", "in_service", "--by", "county"], "county", "Karaj"),
        (["ask", "in_service", "--by", "institute"], "institute", None),
        (["analyse", "similar_provinces"], "similar", "Bushehr"),
        (["analyse", "different", "--set", "metric=training_compliance"], "province", "Tehran"),
        (["analyse", "seats"], "course", "First aid"),
    ):
        exact, shown = both(*words)
        assert exact
        assert [line[column] for line in shown] == [line[column] or "" for line in exact]
        assert all(line[f"{column}_name"] for line in shown if line[column])
        assert not name or name in {line[f"{column}_name"] for line in shown}, words
        for line in shown:
            assert not [cell for cell in line.values() if re.search(r"[0-9]\.[0-9]{6}", cell)], line


def test_days_are_jalali_or_gregorian_in_any_script(built, capsys):
    answers = set()
    for day in ("1402/03/01", "1402-3-1", "14020301", "2023-05-22", "۱۴۰۲/۰۳/۰۱", " ٢٠٢٣-٠٥-٢٢"):
        assert main(["ask", "in_service", "--on", day, "--format", "csv", "--from", str(built.to)]) == 0
        answers.add(capsys.readouterr().out)
    assert answers == {"in_service\n1\n"}


@pytest.mark.slow
def test_publications_are_listed_and_gone_back_to(tmp_path, capsys):
    folder = put_good(tmp_path / "incoming")
    to = tmp_path / "w.duckdb"
    for _ in range(3):
        assert load(folder, to=to).code == 0
    assert main(["publications", "--from", str(to)]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], line[-1]) for line in rows] == [("000001", "kept"), ("000002", "kept"), ("000003", "shown")]
    assert main(["rollback", "--from", str(to)]) == 0
    assert capsys.readouterr().out == "000002\n"
    assert to.resolve().stem == "000002"
    assert main(["rollback", "000003", "--from", str(to)]) == 0
    assert to.resolve().stem == "000003"
    capsys.readouterr()
    assert main(["rollback", "000009", "--from", str(to)]) == 1
    assert capsys.readouterr().err == f"{to}: no publication 000009 is kept\n"


# ------------------------------------------------------------------ progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(console, "time", fake)
    return fake


def test_a_terminal_shows_one_updating_line_with_rows_bytes_and_an_estimate(clock):
    terminal, plain = Terminal(), io.StringIO()
    progress = console.Progress(terminal, plain)
    clock.now += 10
    progress.files(1, 4, 12_345, 0.25)
    clock.now += 0.05
    progress.files(1, 4, 12_999, 0.26)  # too soon to be shown
    clock.now += 10
    progress.files(4, 4, 50_000, 1.0)
    progress.say("staging")
    progress.close()
    assert terminal.getvalue() == (
        "\r\x1b[2Kreading: 1 of 4 files, 12,345 rows, 25% of the bytes, about 30 s left"
        "\r\x1b[2Kreading: 4 of 4 files, 50,000 rows, 100% of the bytes"
        "\r\x1b[2Kstaging\n"
    )
    assert plain.getvalue() == ""


def test_without_a_terminal_plain_lines_are_printed_seldom_on_standard_output(clock):
    error, plain = io.StringIO(), io.StringIO()
    progress = console.Progress(error, plain)
    for step in range(1, 21):
        clock.now += 1
        progress.files(step // 5, 4, step * 100, step / 20)
    progress.say("staging")
    progress.close()
    lines = plain.getvalue().splitlines()
    assert error.getvalue() == ""
    assert len(lines) == 5
    assert lines[0] == "reading: 1 of 4 files, 500 rows, 25% of the bytes, about 15 s left"
    assert lines[-2:] == ["reading: 4 of 4 files, 2,000 rows, 100% of the bytes", "staging"]
    assert not re.search("[\r\x1b]", plain.getvalue())


def test_progress_that_nobody_reads_does_not_stop_the_build(clock):
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    progress = console.Progress(io.StringIO(), Closed())
    progress.say("staging")


@pytest.mark.slow
def test_a_build_tells_its_progress_to_a_terminal(tmp_path):
    """A real one: standard error is a pseudo-terminal."""
    folder = put_good(tmp_path / "incoming")
    master, terminal = os.openpty()
    os.set_blocking(master, False)
    printed = io.StringIO()
    with open(terminal, "w", encoding="utf-8") as stream, redirect_stderr(stream), redirect_stdout(printed):
        with without_models():
            assert main(["build", str(folder), "--to", str(tmp_path / "w.duckdb")]) == 0
        stream.flush()
        output = os.read(master, 100_000).decode()
    os.close(master)
    assert "\r\x1b[2Kreading: 4 of 4 files, 4 rows, 100% of the bytes" in output
    assert "reading:" not in printed.getvalue()


# ------------------------------------------------------------------ analyses


def test_analyses_are_listed_with_the_options_they_take(capsys):
    assert main(["analyse"]) == 0
    options = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert list(options) == list(analyses.by_name())
    assert options["run_off"].startswith("[--on DAY] [--where ")
    assert "--over DAY..DAY" in options["bridge"]
    assert "--over DAY..DAY" not in options["run_off"]
    assert "--set metric=WORD [--set by=WORD] [--set before=DAY]" in options["why"]
    assert "[--set recruits=NUMBER] [--set leaver_rate=NUMBER]" in options["headcount"], "the fields of a scenario"


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "active_assistants", "--on", "2030-01-01"],
        ["ask", "joiners", "--over", "1404/01/01..1450/01/01"],
        ["ask", "joiners", "--by", "month", "--over", "1404/01/01..1450/01/01"],
        ["ask", "active_assistants", "--by", "year", "--over", "1404/01/01..1450/01/01"],
        ["analyse", "different", "--set", "metric=training_compliance", "--on", "1450/01/01"],
        ["analyse", "glance", "--on", "1450/01/01"],
        ["analyse", "bridge", "--over", "1404/01/01..1450/01/01"],
        ["why", "training_compliance", "--by", "gender", "--on", "1450/01/01", "--before", "1404/01/01"],
    ],
)
def test_a_day_after_the_as_of_day_is_refused(words, publish_sample, capsys):
    assert main([*words, "--from", str(publish_sample().pointer)]) == 2
    output = capsys.readouterr()
    assert "is after the last day of the register" in output.err
    assert not output.out


def test_a_provisional_number_is_marked_on_standard_error_and_stays_that_of_its_day(publish_sample, capsys):
    source = ["--from", str(publish_sample().pointer), "--format", "csv"]
    with access.connect(publish_sample().pointer, rights.ADMINISTRATOR) as con:
        settled = settled_on(con, "leaver_rate_12m")
        value = answers.ask(con, "leaver_rate_12m").value()
    mark = f"leaver_rate_12m: provisional; settled to {settled.isoformat()}\n"
    why = ["why", "leaver_rate_12m", "--by", "gender", "--before", "1402/06/31"]
    for words, expected in (
        (["ask", "active_assistants", "leaver_rate_12m"], mark),
        (["ask", "leaver_rate_12m", "--on", settled.isoformat()], ""),
        (["ask", "leaver_rate_12m", "--by", "month", "--over", f"1402/01/01..{settled.isoformat()}"], ""),
        (["ask", "joiners", "active_assistants"], ""),
        (why, mark),
        ([*why, "--on", settled.isoformat()], ""),
    ):
        assert main([*words, *source]) == 0
        output = capsys.readouterr()
        assert output.err == expected, words
        if words[1:] == ["active_assistants", "leaver_rate_12m"]:
            assert float(output.out.splitlines()[1].split(",")[1]) == value


@pytest.mark.parametrize("name", analyses.by_name())
def test_every_analysis_prints_its_rows_with_all_columns(name, publish_sample, capsys, monkeypatch):
    given, analyse = [], analyses.analyse
    monkeypatch.setattr(analyses, "analyse", lambda *order, **more: given.append(analyse(*order, **more)) or given[-1])
    required = {"why": ["--set", "metric=in_service", "--set", "by=gender", "--set", "before=1402/01/01"]}
    required |= {f"recruit_{what}": ["--set", "recruits=7"] for what in ("places", "lorenz")}
    required |= {"differs": ["--set", "on=1402/06/31"]}
    chosen = ["analyse", name, *required.get(name, []), "--from", str(publish_sample().pointer)]
    assert main([*chosen, "--format", "csv"]) == 0
    rows = [*csv.reader(io.StringIO(capsys.readouterr().out))]
    assert main([*chosen, "--format", "json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert len(records) == len(rows) - 1
    assert all([*record] == rows[0] for record in records)
    assert rows[0] == [*given[0].columns]


def test_options_filters_and_days_reach_the_analysis(built, capsys):
    chosen = ["--on", "1402/03/31", "--where", "province=تهران", "--format", "json", "--from", str(built.to)]
    assert main(["analyse", "recruits_needed", "--set", "goal=۵", "--set", "until=1402/12/29", *chosen]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert "recruits_needed" in row
    assert main(["analyse", "headcount", "--set", "recruits=3", *chosen[:-1], str(built.to)]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyse", "nothing"], "no analysis is called nothing; see python -m etl analyse"),
        (["analyse", "seats", "--set", "goal"], "--set goal: write OPTION=VALUE"),
        (["analyse", "seats", "--set", "aim=1"], "seats has no option aim; it takes goal"),
        (["analyse", "run_off", "--set", "aim=1"], "run_off has no option aim; it takes none"),
        (["analyse", "seats", "--set", "goal=all"], "--set goal=all: write a number"),
        (["analyse", "seats", "--set", "goal=nan"], "--set goal=nan: write a number"),
        (["analyse", "survival", "--set", "least=1.5"], "--set least=1.5: write a whole number"),
        (["analyse", "pace", "--set", "until=soon"], "--set until=soon: write a day, Jalali or Gregorian"),
        (["analyse", "why"], "why needs --set metric=WORD"),
        (["analyse", "seats", "--over", "1402/01/01..1402/02/01"], "seats is computed on a day and takes no period"),
        (["analyse", "seats_now", "--where", "gender=female"], "seats_now has no meaning by gender"),
        (["analyse", "announced", "--where", "province=IR-23"], "announced has no meaning by province"),
        (["analyse", "seats", "--where", "province=مریخ"], "no province is called"),
        (["why", "in_service", "--by", "gender", "--on", "1402/03/01", "--before", "1402/03/01"], "2023-05-22 is compared"),
        (["why", "in_service", "--by", "course", "--before", "1402/03/01"], "in_service has no meaning by course"),
        (["why", "age_median", "--by", "gender", "--before", "1402/03/01"], "age_median is neither a count nor a rate"),
        (["why", "women_share", "--by", "post", "--before", "1370/03/01"], "nobody is counted on 1991-05-22"),
    ],
)  # fmt: skip
def test_an_analysis_that_cannot_be_run_exits_2_with_one_line(built, capsys, arguments, message):
    assert main([*arguments, "--from", str(built.to)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"{arguments[0]}: {message}")
    assert output.err.count("\n") == 1


def test_why_prints_a_row_a_group_and_the_total(publish_sample, capsys):
    question = ["--by", "gender", "--on", "1403/06/31", "--from", str(publish_sample().pointer), "--format", "csv"]
    assert main(["why", "women_share", *question[:1], "post", *question[2:], "--before", "1402/06/31"]) == 0
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    effects = "share_before share_after rate_before rate_after rate_effect composition_effect effect"
    assert header == ["post", *effects.split()]
    assert rows[-1][0] == "total"
    assert main(["why", "in_service", *question, "--before", "1402/06/31"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "gender,before,after,effect"
    assert main(["why", "in_service", *question, "--where", "province=IR-23", "--against", "nation"]) == 0


@pytest.mark.parametrize("sides", [[], ["--before", "1402/01/01", "--against", "nation"]])
def test_why_takes_one_other_side(sides, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["why", "in_service", "--by", "gender", *sides])
    assert raised.value.code == 2


def test_an_interrupt_while_an_error_is_handled_ends_the_command_as_any_other(tmp_path, monkeypatch, capsys):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_explain", interrupted)
    assert main(["ask", "in_service", "--from", str(tmp_path / "none.duckdb")]) == 130
    assert capsys.readouterr().err == "stopped\n"
