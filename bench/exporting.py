"""Part 1, files: every matching row as CSV by the house, against DuckDB's own COPY of the same rows."""

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

from bench.register import Register
from bench.timing import Times, quantile, timed
from etl.analysis import detail
from etl.semantic import access
from etl.semantic.answers import catalogue
from etl.semantic.exportable import StreamedRows
from etl.warehouse import publications
from pages.ui.charts.elements import ChartContext
from pages.ui.exports import writers

_GOES = 30
_NAMES = "select institute_code, name from institutes"
UNITS = {name: metric.unit for name, metric in catalogue().items()}


def run(register: Register) -> dict[str, Any]:
    """Milliseconds to write all rows of active service on a day, with names beside codes, and the ratio to COPY.

    `ratio` is to COPY of the bare rows, `ratio_named` to COPY of the columns of our file, names joined to their codes.
    `cpu_ratio` is the first of them by processor time, which a busy machine changes less. The three write in turn.
    """
    wall: dict[str, list[float]] = {"house": [], "copy": [], "copy_named": []}
    cpu: dict[str, list[float]] = {name: [] for name in wall}
    with (
        access.connect(register.warehouse, access.ADMINISTRATOR) as con,
        tempfile.TemporaryDirectory(dir=register.folder.parent) as folder,
        register.apart(Path(folder)) as free,
    ):
        as_of = publications.describe(con).as_of
        look = ChartContext("fa", names={"institute": dict(con.execute(_NAMES).fetchall())})
        _keep_names(free, detail.people(con, as_of), look)
        for number in range(_GOES):
            day = as_of - timedelta(days=number)
            found = detail.people(con, day)
            count = found.count()
            works: dict[str, Callable[[Path], Any]] = {
                "house": partial(_by_the_house, con, day, look),
                "copy": partial(_copy, free, found.told.query),
                "copy_named": partial(_copy, free, _named(found)),
            }
            # Each is first, second and last as often: what runs before leaves the machine in a state.
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
    ratio = _ratio(wall, "copy")
    print(f"export of {count} rows: x{ratio} of COPY", file=sys.stderr)
    return {
        "rows": count,
        **{name: asdict(Times.of(times)) for name, times in wall.items()},
        "ratio": ratio,
        "ratio_named": _ratio(wall, "copy_named"),
        "cpu_ratio": _ratio(cpu, "copy"),
    }


def _ratio(took: dict[str, list[float]], other: str) -> float:
    return round(quantile(took["house"], 0.5) / quantile(took[other], 0.5), 2)


def _processor() -> float:
    """Milliseconds of the processor this process has used, all threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


def _by_the_house(con: duckdb.DuckDBPyConnection, day: date, look: ChartContext, path: Path) -> None:
    with path.open("wb") as file:
        writers.write_csv(file, detail.people(con, day), look, UNITS)


def _copy(free: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    free.execute(f"copy ({query}) to '{path}' (header)")


def _keep_names(free: duckdb.DuckDBPyConnection, found: StreamedRows, look: ChartContext) -> None:
    """The names of members, as the house writes them, in tables that COPY can join: `names_of_` and the axis."""
    with found.read() as reader:
        table = reader.read_all()
    for axis in _coded(found):
        codes = table[axis].unique().to_pylist()
        names = [look.member(axis, code) for code in codes]
        free.execute(
            f"create temp table names_of_{axis} as select unnest($codes) as code, unnest($names) as name",
            {"codes": codes, "names": names},
        )


def _coded(found: StreamedRows) -> tuple[str, ...]:
    """The axes that have names: all but the number of the row."""
    return found.told.by[1:]


def _named(found: StreamedRows) -> str:
    """The query of the rows, with a name beside each code."""
    columns = ", ".join(
        f"bare.{name}, names_of_{name}.name as {name}_name" if name in _coded(found) else f"bare.{name}"
        for name in found.told.columns
    )
    joins = " ".join(
        f"left join names_of_{axis} on names_of_{axis}.code is not distinct from bare.{axis}" for axis in _coded(found)
    )
    return f"select {columns} from ({found.told.query}) as bare({', '.join(found.told.columns)}) {joins}"


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
