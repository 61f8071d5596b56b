"""Exports: every matching row as CSV, compared with DuckDB's COPY; an answer by address, compared with one by hand."""

import io
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bench.register import Register
from bench.timing import Times, quantile, timed
from etl.analysis import detail
from etl.core.jalali import add_months
from etl.semantic import access, exportable, rights
from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows, StreamedRows
from ui.charts.elements import ChartContext
from ui.data import page_run, warehouse
from ui.data.ask import Question
from ui.exports import workbook, writers
from ui.exports.job import MANY_CELLS, ExportJob, Making
from ui.shell import data_address

_REPETITIONS = 30
# Rows of the answer that is fetched from the data address.
_LARGE = 55_000
_NAMES = "select institute_code, name from institutes"


def run(register: Register) -> dict[str, Any]:
    """Milliseconds to write all rows of active service on a day, with names next to codes, and the ratio to COPY.

    `ratio` is to COPY of the bare rows, `ratio_named` to COPY of the same columns as ours, with names joined to codes.
    `cpu_ratio` is `ratio` in processor time, which depends less on the load of the machine. The three run in turns.
    """
    wall: dict[str, list[float]] = {"dashboard": [], "copy": [], "copy_named": []}
    cpu: dict[str, list[float]] = {name: [] for name in wall}
    with (
        access.connect(register.warehouse, rights.ADMINISTRATOR) as con,
        tempfile.TemporaryDirectory(dir=register.folder.parent) as folder,
        register.separate_instance(Path(folder)) as raw,
    ):
        as_of = con.publication.as_of
        context = ChartContext("fa", names={"institute": dict(con.execute(_NAMES).fetchall())})
        _create_names(raw, detail.people(con, as_of), context)
        for number in range(_REPETITIONS):
            day = as_of - timedelta(days=number)
            people = detail.people(con, day)
            count = people.count()
            works: dict[str, Callable[[Path], Any]] = {
                "dashboard": partial(_dashboard, con, day, context),
                "copy": partial(_copy, raw, people.answer.query),
                "copy_named": partial(_copy, raw, _named(people)),
            }
            # Each runs first, second and last equally often: the previous one affects the caches.
            turn = number % len(works)
            for name, work in [*works.items()][turn:] + [*works.items()][:turn]:
                path = Path(folder) / f"{name}.csv"
                before = _processor()
                _, took = timed(partial(work, path))
                wall[name].append(took)
                cpu[name].append(_processor() - before)
                if _lines(path) != count + 1:
                    raise RuntimeError(f"{name} did not write every row")
                path.unlink()
        book = Path(folder) / "file.xlsx"
        _, took = timed(partial(_workbook, con, as_of, context, book))
        per_second = round(detail.people(con, as_of).count() / took * 1000)
    ratio = _ratio(wall, "copy")
    print(f"export of {count} rows: x{ratio} of COPY", file=sys.stderr)
    return {
        "rows": count,
        **{name: asdict(Times.of(times)) for name, times in wall.items()},
        "ratio": ratio,
        "ratio_named": _ratio(wall, "copy_named"),
        "cpu_ratio": _ratio(cpu, "copy"),
        "xlsx_per_second": per_second,
    }


def _ratio(took: dict[str, list[float]], other: str) -> float:
    return round(quantile(took["dashboard"], 0.5) / quantile(took[other], 0.5), 2)


def _processor() -> float:
    """Processor time of this process in milliseconds, over all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


def _dashboard(con: access.ScopedCursor, day: date, context: ChartContext, path: Path) -> None:
    with path.open("wb") as file:
        writers.write_csv(file, detail.people(con, day), context)


def _workbook(con: access.ScopedCursor, day: date, context: ChartContext, path: Path) -> None:
    with path.open("wb") as file:
        workbook.write_xlsx(file, detail.people(con, day), context)


def _copy(raw: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    raw.execute(f"copy ({query}) to '{path}' (header)")


def _create_names(raw: duckdb.DuckDBPyConnection, rows: StreamedRows, context: ChartContext) -> None:
    """Create tables `names_of_<axis>` with the names of members, as the dashboard writes them, for COPY to join."""
    with rows.read() as reader:
        table = reader.read_all()
    for axis in _coded(rows):
        codes = table[axis].unique().to_pylist()
        names = [context.member(axis, code) for code in codes]
        raw.execute(
            f"create temp table names_of_{axis} as select unnest($codes) as code, unnest($names) as name",
            {"codes": codes, "names": names},
        )


def _coded(rows: StreamedRows) -> tuple[str, ...]:
    """The axes with names: all but the row number."""
    return rows.answer.by[1:]


def _named(rows: StreamedRows) -> str:
    """The query of the rows, with a name next to each code."""
    columns = ", ".join(
        f"bare.{name}, names_of_{name}.name as {name}_name" if name in _coded(rows) else f"bare.{name}"
        for name in rows.answer.columns
    )
    joins = " ".join(
        f"left join names_of_{axis} on names_of_{axis}.code is not distinct from bare.{axis}" for axis in _coded(rows)
    )
    return f"select {columns} from ({rows.answer.query}) as bare({', '.join(rows.answer.columns)}) {joins}"


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def by_address(register: Register) -> dict[str, Any]:
    """Milliseconds of an answer of at least 55,000 rows as CSV: fetched from the data address, and written as by hand.

    `ratio` is of the two, each asking for days of its own, so that neither finds the other's answer. The file by hand is
    written in this process, without the browser.
    """
    os.environ["WAREHOUSE"] = str(register.warehouse)
    client = TestClient(Starlette(routes=data_address.routes()), client=("127.0.0.1", 5000))
    took: dict[str, list[float]] = {"address": [], "hand": []}
    by = ("institute", "education", "month")
    rows = 0
    last = page_run.publication().as_of
    months = next(count for count in (12, 24, 60, 120) if _rows_of(by, count, last) >= _LARGE)
    for number in range(_REPETITIONS):
        for at, name in enumerate(("address", "hand") if number % 2 else ("hand", "address")):
            end = last - timedelta(days=2 * number + at)
            query = {"m": "active_assistants", "by": by, "period": f"{add_months(end, -months)}..{end}", "lang": "fa"}
            if name == "address":
                response, milliseconds = timed(partial(client.get, "/data/answer.csv", params=query))
                rows = response.content.count(b"\n") - 1
                if response.status_code != 200 or rows < _LARGE * 0.9:
                    raise RuntimeError(f"{response.status_code}: {rows} rows, {response.text[:200]}")
            else:
                _, milliseconds = timed(partial(_by_hand, by, months, end))
            took[name].append(milliseconds)
    ratio = round(quantile(took["address"], 0.5) / quantile(took["hand"], 0.5), 2)
    print(f"answer of {rows} rows by address: x{ratio} of the same by hand", file=sys.stderr)
    return {"rows": rows, **{name: asdict(Times.of(times)) for name, times in took.items()}, "ratio": ratio}


def _rows_of(by: tuple[str, ...], months: int, end: date) -> int:
    return exportable.of(_stored(by, months, end)).count()


def _stored(by: tuple[str, ...], months: int, end: date) -> Answer | StoredRows:
    return warehouse.of_page().stored(Question(("active_assistants",), by, over=(add_months(end, -months), end)))


def _by_hand(by: tuple[str, ...], months: int, end: date) -> bytes:
    source = _stored(by, months, end)
    names = {name: warehouse.names(name, "fa") for name in ("course", "institute")}
    job = ExportJob("csv", source, ChartContext("fa", names=names), False, "")
    if exportable.of(source).count() * (len(by) + 1) > MANY_CELLS["csv"]:
        making = Making(job)
        try:
            making.process.result()
            return making.path.read_bytes()
        finally:
            making.stop()
    out = io.BytesIO()
    job.write(out)
    return out.getvalue()
