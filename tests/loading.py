"""Shared by the tests of builds: small hand-written files, their build, and its result."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest

from etl.build import pipeline, reference_data
from etl.build.load_report import Report
from etl.cli.commands import main
from etl.extract import parse_values, read_file, read_folder
from etl.extract.causes import BETWEEN
from etl.extract.contract import TABLES, contract
from etl.warehouse import publications
from tests import processes

# Processes started by tests cache compiled modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).parents[1]
DAY = date(2026, 6, 30)

StreamedRows = list[dict[str, str]]
HEADERS = {table: " ".join(column.name for column in contract(table).columns) for table in TABLES}
GOOD = {
    "institutes": {"institute_code": "0001", "name": "نگهبان شرق", "province": "تهران", "activity": "patrol", "status": "active"},
    "licences": {
        "application_no": "L1", "institute_code": "0001", "kind": "new", "applied_on": "1402/01/05",
        "file_complete_on": "1402/01/20", "decided_on": "1402/02/10", "outcome": "granted", "licence_no": "77",
        "valid_from": "1402/02/10", "valid_until": "1405/02/09",
    },
    "personnel": {
        "national_id": "0000000027", "first_name": "نام", "last_name": "خانوادگی", "institute_code": "0001", "province": "IR-23",
        "gender": "female", "birth_date": "1370/05/05", "post": "guard", "hired_on": "1402/03/01",
    },
    "training": {
        "national_id": "0000000027", "course_code": "PY-101", "completed_on": "1402/04/01", "hours": "72", "score": "88.5",
        "result": "passed",
    },
}  # fmt: skip


def national_id(number: int) -> str:
    """Ten digits that begin with the nine of `number` and pass the check, by the rule as the register prints it."""
    nine = f"{number:09}"
    rest = sum(int(nine[at]) * (10 - at) for at in range(9)) % 11
    return nine + str(rest if rest < 2 else 11 - rest)


def row(table: str, **changes: str) -> dict[str, str]:
    """A valid row with some cells changed."""
    return {**GOOD[table], **changes}


def csv_text(table: str, rows: StreamedRows, separator: str = ",") -> str:
    """Rows as a CSV file with the English header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADERS[table].split(), delimiter=separator, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def put(folder: Path, name: str, content: str | bytes | StreamedRows) -> Path:
    """Write a file of a submitted folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if isinstance(content, list):
        table = next(table for table in HEADERS if name.startswith(table))
        content = csv_text(table, content, "\t" if name.endswith("tsv") else ",")
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put_good(folder: Path) -> Path:
    """Write the smallest folder with every table."""
    for table in HEADERS:
        put(folder, f"{table}.csv", [row(table)])
    return folder


def english(refusals: str) -> list[str]:
    """The English words of each refusal. Each says the same in Persian, and what to do in both languages."""
    words = []
    for line in refusals.splitlines():
        first, between, second = line.partition(BETWEEN)
        assert between, line
        assert "; " in first, line
        assert re.search("[ا-ی]{3}.*؛ ", second), line
        words.append(first)
    return words


@dataclass
class Built:
    """The output of a command, and the publication after it."""

    code: int
    out: str
    err: str
    to: Path
    report: dict[str, Any]

    @property
    def refusal(self) -> str:
        """The English words of a refusal of one line."""
        assert self.code in (1, 3), f"exit {self.code}: {self.out}{self.err}"
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        (words,) = english(self.err) if self.code == 1 else [self.err.strip()]
        return words

    @property
    def refusals(self) -> list[str]:
        """The English words of the lines of a refusal, which are those of the report."""
        assert self.code == 1, f"exit {self.code}: {self.out}{self.err}"
        assert self.report["published"] is False
        assert self.err.splitlines() == self.report["refusals"]
        return english(self.err)

    def sql(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the publication."""
        assert self.code == 0, self.err
        with publications.connect(self.to) as con:
            return con.execute(sql).fetchall()

    def rejected_rows(self) -> list[tuple[Any, ...]]:
        """The rejected rows: (file, line, column, reason)."""
        return self.sql("select file, line, column_name, reason from quarantine order by all")

    def file(self, name: str) -> dict[str, Any]:
        """The entry of a file in the report."""
        return next(entry for entry in self.report["files"] if entry["file"] == name)

    def counts(self, name: str) -> tuple[int, int, int, int]:
        """Rows read, loaded, rejected and exact duplicates of a file."""
        entry = self.file(name)
        return entry["rows_read"], entry["rows_loaded"], entry["rows_quarantined"], entry["exact_duplicates"]


class WarmPool(read_folder.WorkerPool):
    """Workers that are reused by later builds: starting one takes longer than reading a test's files."""

    _kept: ClassVar[dict[str, list[read_folder._Worker]]] = {}

    def __init__(self, setting: parse_values.Setting, jobs: list[read_file.Job], seconds: int = 0) -> None:
        start = read_folder._Worker

        def reused_or_new(greeting: tuple[Any, ...]) -> read_folder._Worker:
            warm = self._kept.get(self._kind(greeting), [])
            return warm.pop() if warm else start(greeting)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(read_folder, "_Worker", reused_or_new)
            super().__init__(setting, jobs, seconds)

    def close(self) -> None:
        """Keep the idle workers; end the others."""
        self._kept.setdefault(self._kind(self._greeting), []).extend(worker for worker in self._idle if worker.is_alive)
        self._idle = []
        super().close()

    @staticmethod
    def _kind(greeting: tuple[Any, ...]) -> str:
        return repr([greeting, os.environ.get("READER_MEMORY")])


def build(
    folder: Path,
    *options: str,
    to: Path | None = None,
    day: date = DAY,
    accept_loss: bool = True,
    command: str = "build",
) -> Built:
    """Build a folder by the command line, in this process.

    Losses are accepted by default: most tests load a handful of rows, most of them bad.
    """
    to = to or folder.parent / "warehouse.duckdb"
    report = folder.parent / "report.json"
    report.unlink(missing_ok=True)
    out, err = io.StringIO(), io.StringIO()
    pointer = "--to" if command == "build" else "--from"
    arguments = [command, str(folder), pointer, str(to), "--report", str(report), "--day", day.isoformat(), *options]
    if accept_loss:
        arguments.append("--accept-loss")
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        patch.setattr(pipeline, "WorkerPool", WarmPool)
        code = main(arguments)
    contents = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    return Built(code, out.getvalue(), err.getvalue(), to, contents)


def load(folder: Path, *options: str, **arguments: Any) -> Built:
    """`build` without the models: the report of files, their counts, notes, refusals and rejected rows.

    Rows pass every step before the models, and `build` reports the same of them (tests/build/test_rows.py). The models take
    most of the time of a small build.
    """
    with without_models():
        return build(folder, *options, **arguments)


def read(folder: Path, *options: str, **arguments: Any) -> Built:
    """`build` that ends when its files are read, some of which are refused: any build of them is then refused with these
    lines, and the last publication stays (tests/build/test_pipeline.py). To stage the others takes most of the time of `load`.
    """

    def refuse(
        _con: object, _options: object, _last: object, outcomes: list[read_folder.Outcome], report: Report, _of: object
    ) -> None:
        refused = pipeline._unread(outcomes)
        assert refused, "every file was read"
        raise pipeline.BuildRefused(refused, report)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "_stage", refuse)
        patch.setattr(reference_data, "load", lambda *_: None)
        return build(folder, *options, **arguments)


def build_tables(folder: Path, *options: str, **arguments: Any) -> Built:
    """`build` without checks and published numbers: the tables that the models make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "_check_and_keep_numbers", lambda *_: None)
        return build(folder, *options, **arguments)


@contextlib.contextmanager
def without_models() -> Iterator[None]:
    """Builds and checks make no models and no published numbers, and count off 30 years of days instead of 171."""
    months = reference_data._months().slice(100 * 12, 30 * 12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference_data, "_months", lambda: months)
        patch.setattr(pipeline, "_verify_file", lambda *_: None)
        patch.setattr(pipeline.run_models, "build", lambda *_: None)
        patch.setattr(pipeline.adoption_history, "carry", lambda *_: None)
        patch.setattr(pipeline, "_check_and_keep_numbers", lambda *_: None)
        yield


def with_rows(folder: Path, table: str, *rows: dict[str, str], how: Callable[[Path], Built] = load) -> Built:
    """Load or build a folder with further rows in a second file of `table`."""
    put(folder, f"{table}_2.csv", list(rows))
    return how(folder)


def called(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, with variables of the environment."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


# Takes away root's right to read and write any file. A function run between fork and exec could crash the child.
WITHOUT_MIGHT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def run(*arguments: str | Path, before: Sequence[str] = (), **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line in a separate process; `before` is a command that runs it."""
    if not before:
        return processes.run("etl", *map(str, arguments), **options)
    return subprocess.run(
        [*before, sys.executable, "-m", "etl", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        **options,
    )


def copy_publication(at: Path, to: Path) -> Path:
    """Copy a publication, pointer and versions; returns the new pointer."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    shutil.copytree(at.with_name(at.name + ".publications"), to / (at.name + ".publications"))
    (to / at.name).symlink_to(os.readlink(at))
    return to / at.name


def publish(published: Path, pointer: Path, times: int = 1) -> None:
    """Publish what another pointer leads to, so many times."""
    for _ in range(times):
        with publications.building(pointer) as folder:
            shutil.copyfile(publications.current(published), folder / "built.duckdb")
            publications.publish(folder / "built.duckdb", pointer)


def digest(con: duckdb.DuckDBPyConnection, but: tuple[str, ...] = ()) -> str:
    """A digest of every table's sorted rows."""
    names = [name for (name,) in con.execute("select table_name from duckdb_tables() order by 1").fetchall()]
    checksum = hashlib.sha256()
    for name in names:
        if name not in but:
            rows = con.execute(
                f"select md5(string_agg(md5(t::varchar), '' order by md5(t::varchar))) from {name} as t"
            ).fetchall()
            checksum.update(f"{name}{rows}".encode())
    return checksum.hexdigest()


def quick_digest(con: duckdb.DuckDBPyConnection) -> str:
    """A fast digest of every row of every table, independent of order.

    The calendar is left out: it is large and constant.
    """
    sql = "select table_name from duckdb_tables() where table_name <> 'calendar' order by 1"
    names = [name for (name,) in con.execute(sql).fetchall()]
    sql = " union all ".join(
        f"select '{name}', count(*), bit_xor(hash(t)), sum(hash(t)) from {name} as t" for name in names
    )
    return hashlib.sha256(str(con.execute(sql).fetchall()).encode()).hexdigest()
