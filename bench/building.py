"""From files to the publication, compared with DuckDB's bare read_csv of the same files into tables.

The files are first rewritten as plain UTF-8 CSV, the only format that the bare read_csv accepts, so both read the same bytes.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa

from bench.register import Register, build
from bench.timing import timed
from etl.extract import limits
from etl.extract import source_folder as incoming
from etl.extract.contract import TABLES, contract
from etl.extract.read_file import open_source
from etl.extract.source_file import Batch

_MB = 1 << 20
_AS_TEXT = ", all_varchar=true, header=true, delim=',', quote='\"'"
# Repetitions at scale 1; fewer at larger scales.
_REPETITIONS = 11
# Above this scale there is one build, which is the publication of other parts too.
_LARGEST_REPEATED = 10


def run(register: Register) -> dict[str, Any]:
    """The median seconds, the ratios, rows and MB of the files, and the peak memory (MB).

    `ratio` is to read_csv with its defaults, which guess the column types; `ratio_text` to read_csv with the dialect given
    and all columns as text, its fastest configuration.
    """
    plain = register.folder.parent / "plain"
    rows = plain_copies(register.folder, plain)
    repeated = register.scale <= _LARGEST_REPEATED
    bares: list[float] = []
    texts: list[float] = []
    built: list[tuple[float, int]] = []
    # In turns, so that the load of the machine affects all alike.
    for _ in range(max(3, round(_REPETITIONS / register.scale)) if repeated else 1):
        bares.append(timed(lambda: _bare(plain))[1] / 1000)
        texts.append(timed(lambda: _bare(plain, _AS_TEXT))[1] / 1000)
        built.append(_build(plain) if repeated else register.publish(plain))
    bare, text, seconds = median(bares), median(texts), median(took for took, _ in built)
    result = {
        "rows": rows,
        "mb": round(sum(path.stat().st_size for path in plain.iterdir()) / _MB, 1),
        "bare_s": round(bare, 2),
        "build_s": round(seconds, 2),
        "ratio": round(seconds / bare, 2),
        "text_s": round(text, 2),
        "ratio_text": round(seconds / text, 2),
        "peak_memory_mb": max(peak for _, peak in built),
        "warehouse_mb": round(os.stat(os.path.realpath(register.warehouse)).st_size / _MB, 1),
    }
    print(
        f"build: {seconds:.2f} s, bare read_csv {bare:.2f} s: x{result['ratio']}, of text x{result['ratio_text']}",
        file=sys.stderr,
    )
    return result


def plain_copies(folder: Path, to: Path) -> int:
    """Write the source files of `folder` as UTF-8 CSV with the contract's headers, once; returns the number of rows."""
    count = to / "rows"
    if count.exists():
        return int(count.read_text(encoding="utf-8"))
    to.mkdir(exist_ok=True)
    rows = 0
    for path, table in incoming.source_files(folder):
        declared = contract(table)
        source = open_source(path, declared, limits.from_environment())
        rows += _write_csv(to / f"{path.stem}.csv", source.batches, [column.name for column in declared.columns])
    count.write_text(str(rows), encoding="utf-8")
    return rows


def _write_csv(path: Path, batches: Iterator[Batch], names: list[str]) -> int:
    """Write rows as CSV, quoted only where needed; returns their number."""
    schema = pa.schema([(name, pa.string()) for name in names])

    def texts() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            empty = pa.nulls(len(batch.lines), pa.string())
            yield pa.record_batch([batch.columns.get(name, empty).cast(pa.string()) for name in names], schema)

    with duckdb.connect() as con:
        con.register("rows", pa.RecordBatchReader.from_batches(schema, texts()))
        ((count,),) = con.execute(
            f"copy (select nullif(columns(*), '') from rows) to '{path}' (header, delimiter ',')"
        ).fetchall()
    return int(count)


def _bare(folder: Path, options: str = "") -> None:
    """The alternative: read_csv of the files into tables, unchecked."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as home, duckdb.connect(f"{home}/bare.duckdb") as con:
        for table in TABLES:
            con.execute(
                f"create table {table} as select * from read_csv(?{options})",
                [f"{folder}/{table}*.csv"],
            )
        con.execute("checkpoint")


def _build(folder: Path) -> tuple[float, int]:
    """The seconds and the peak memory of a build whose publication is deleted."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as home:
        return build(folder, Path(home) / "w.duckdb")
