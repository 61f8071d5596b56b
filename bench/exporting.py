"""Part 1, files: every matching row as CSV by the house, against DuckDB's own COPY of the same rows."""

import os
import sys
import tempfile
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from bench.register import Register
from bench.timing import Times, quantile, timed
from etl import detail, publication
from etl.metrics import Answer, catalogue
from pages.parts import exports
from pages.parts.charts import Look

_GOES = 5
_NAMES = "select institute_code, name from institutes"
UNITS = {name: metric.unit for name, metric in catalogue().items()}


def run(register: Register) -> dict[str, Any]:
    """Milliseconds to write all rows of active service on a day, with names beside codes, and the ratio to COPY."""
    house, copy = [], []
    with (
        publication.connect(register.warehouse) as con,
        tempfile.TemporaryDirectory(dir=register.folder.parent) as folder,
        _free(register, Path(folder)) as free,
    ):
        as_of = publication.describe(con).as_of
        look = Look("fa", names={"institute": dict(con.execute(_NAMES).fetchall())})
        for number in range(_GOES):
            day = as_of - timedelta(days=number)
            ours, theirs = Path(folder) / "house.csv", Path(folder) / "copy.csv"
            answer, took = timed(partial(_by_the_house, con, day, ours, look))
            house.append(took)
            _, took = timed(partial(free.execute, f"copy ({answer.query}) to '{theirs}' (header)"))
            copy.append(took)
            if not _lines(ours) == _lines(theirs) == len(answer.rows) + 1:
                raise RuntimeError("the two files do not hold the same number of rows")
    ratio = round(quantile(house, 0.5) / quantile(copy, 0.5), 2)
    print(f"export of {len(answer.rows)} rows: x{ratio} of COPY", file=sys.stderr)
    return {
        "rows": len(answer.rows),
        "house": asdict(Times.of(house)),
        "copy": asdict(Times.of(copy)),
        "ratio": ratio,
    }


def _by_the_house(con: duckdb.DuckDBPyConnection, day: date, path: Path, look: Look) -> Answer:
    answer = detail.people(con, day)
    with path.open("wb") as file:
        exports.write_csv(file, answer, look, UNITS)
    return answer


def _free(register: Register, folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that may write files; under a name of its own, for one process opens a file in one way only."""
    other = folder / "same.duckdb"
    os.link(publication.current(register.warehouse), other)
    return duckdb.connect(str(other), read_only=True)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
