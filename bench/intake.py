"""Five million rows of training, from CSV and from PostgreSQL: the memory besides BUILD_MEMORY, and rows a second.

The other tables are those of the register. Debian's PostgreSQL is started for the run, on the same machine as the build.
"""

import csv
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.building import plain_copies
from bench.register import Register, build
from etl.extract.contract import TABLES, contract
from tests.postgres import Server, programs, server

ROWS = 5_000_000
# The memory of DuckDB; the other memory of the build is measured.
_BUILD_MEMORY = 512
_LAST_DAY = date(2026, 5, 31)
_COURSE = "PY-101"


def run(register: Register, rows: int = ROWS) -> dict[str, Any]:
    """Seconds, rows a second and MB of memory besides BUILD_MEMORY for each source; PostgreSQL also at a tenth of the size."""
    plain, large = register.folder.parent / "plain", register.folder.parent / f"training-{rows}"
    plain_copies(register.folder, plain)
    total = enlarged(plain, large, rows)
    results = {"build_memory_mb": _BUILD_MEMORY, "csv": _measured(large, total)}
    if not programs():
        print("intake: PostgreSQL is missing: make test installs it", file=sys.stderr)
        return results
    with tempfile.TemporaryDirectory(dir=register.folder.parent) as home, server() as started:
        _load(started, large, rows)
        for name, training in (("postgresql_tenth", "training_tenth"), ("postgresql", "training")):
            folder = Path(home) / name
            folder.mkdir()
            relations = {table: training if table == "training" else table for table in TABLES}
            tables = ", ".join(f'{table} = "{relation}"' for table, relation in relations.items())
            (folder / "sources.toml").write_text(f"{started.sources()}tables = {{ {tables} }}\n", encoding="utf-8")
            counts = [int(started.run(f"select count(*) from {relation}")) for relation in relations.values()]
            results[name] = _measured(folder, sum(counts))
    return results


def enlarged(plain: Path, to: Path, rows: int) -> int:
    """The files of a folder with another training.csv of `rows` rows, written once; returns the number of all rows."""
    count = to / "rows"
    if count.exists():
        return int(count.read_text(encoding="utf-8"))
    to.mkdir(exist_ok=True)
    others = 0
    ids: dict[str, None] = {}
    for path in sorted(plain.glob("*.csv")):
        if path.name.startswith("training"):
            continue
        content = path.read_bytes()
        (to / path.name).write_bytes(content)
        others += content.count(b"\n") - 1
        if path.name.startswith("personnel"):
            with path.open(encoding="utf-8", newline="") as file:
                ids |= dict.fromkeys(row["national_id"] for row in csv.DictReader(file))
    with (to / "training.csv").open("w", encoding="utf-8", newline="") as file:
        file.write("national_id,course_code,completed_on,hours,score,result\n")
        file.writelines(_courses(list(ids), rows))
    count.write_text(str(others + rows), encoding="utf-8")
    return others + rows


def _courses(ids: list[str], rows: int) -> Iterator[str]:
    """Rows with one course per person and day, so that no two have the same key."""
    for at in range(rows):
        day = _LAST_DAY - timedelta(at // len(ids))
        yield f"{ids[at % len(ids)]},{_COURSE},{day},8,{at % 101},passed\n"


def _load(started: Server, folder: Path, rows: int) -> None:
    """Copy the files into tables of their names, and a tenth of the training rows into another."""
    for table in TABLES:
        columns = ", ".join(f"{column.name} text" for column in contract(table).columns)
        started.run(f"create table {table} ({columns})")
        for path in sorted(folder.glob(f"{table}*.csv")):
            started.copy_file(table, path)
    started.run(f"create table training_tenth as select * from training limit {rows // 10}")
    started.run("grant select on all tables in schema public to reader; analyze")


def _measured(folder: Path, rows: int) -> dict[str, Any]:
    os.environ["BUILD_MEMORY"] = f"{_BUILD_MEMORY}MB"
    before = _processor_seconds()
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent) as home:
            seconds, peak = build(folder, Path(home) / "w.duckdb")
    finally:
        del os.environ["BUILD_MEMORY"]
    beside = peak - _BUILD_MEMORY
    result = {
        "rows": rows,
        "seconds": round(seconds, 1),
        # On a busy machine only this can be compared.
        "processor_seconds": round(_processor_seconds() - before, 1),
        "rows_a_second": round(rows / seconds),
        "beside_mb": beside,
    }
    print(f"intake of {folder.name}: {result}", file=sys.stderr)
    return result


def _processor_seconds() -> float:
    """The processor seconds of ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
