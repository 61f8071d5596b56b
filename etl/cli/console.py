"""The terminal of the command line: progress, the load report, the rows of an answer, Ctrl-C."""

import csv
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from etl.analysis import detail
from etl.build.load_report import Report, writing
from etl.core.places import place_names
from etl.core.spreadsheet import safe
from etl.revisions.diff import Diff
from etl.semantic import units
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, described
from etl.semantic.resolve import is_provisional, settled_on

# What the operator may do about a refusal; the sentences of the files are for those who made them.
_OPTIONS = (
    "options: --skip-refused publishes the other files, --accept-loss what is left of lost rows, --new-identity goes on "
    "without the lost key; docs/loading.md lists the limits of files, python -m etl restore takes from a backup"
)
# Set from Ctrl-C on.
interrupted = threading.Event()
_TERMINAL_SECONDS, _LINE_SECONDS = 0.2, 5.0


class Progress:
    """Progress of a build: one updated line if standard error is a terminal, else plain lines on standard output.

    So standard error of a script holds nothing but the one line of a refusal.
    """

    def __init__(self, terminal: TextIO | None = None, plain: TextIO | None = None) -> None:
        terminal = terminal or sys.stderr
        self._live = terminal.isatty()
        self._out = terminal if self._live else plain or sys.stdout
        self._began = self._last = time.monotonic()
        self._open = False

    def files(self, done: int, of: int, rows: int, share: float) -> None:
        """Report files done, rows read, and the share of bytes read (0 to 1)."""
        now = time.monotonic()
        if now - self._last < (_TERMINAL_SECONDS if self._live else _LINE_SECONDS) and done < of:
            return
        self._last = now
        left = f", about {(now - self._began) * (1 - share) / share:.0f} s left" if 0.02 < share < 1 else ""
        self.say(f"reading: {done} of {of} files, {rows:,} rows, {share:.0%} of the bytes{left}")

    def say(self, step: str) -> None:
        """Report the step that begins."""
        if self._live:
            print(f"\r\x1b[2K{step}", end="", file=self._out, flush=True)
            self._open = True
        else:
            # A closed pipe does not stop the build.
            with suppress(OSError):
                print(step, file=self._out, flush=True)

    def close(self) -> None:
        """End the updated line."""
        if self._open:
            print(file=self._out)
            self._open = False


def print_report(report: Report) -> None:
    """Print the load file by file, then the reasons and the refused files."""
    width = max((len(file.file) for file in report.files), default=4)
    counts = ("rows_read", "rows_loaded", "rows_quarantined", "exact_duplicates", "rows_warned")
    if report.files:
        print(f"{'file':<{width}}  {'  '.join(counts)}")
    for file in report.files:
        numbers = "  ".join(f"{getattr(file, name):>{len(name)}}" for name in counts)
        print(f"{file.file:<{width}}  {numbers}")
        for note in file.notes:
            print(f"  {note}")
    for reason, count in report.reasons.items():
        print(f"{reason}: {count}")
    for missing in report.refused:
        province = f" ({missing.province})" if missing.province else ""
        print(f"refused: {missing.file}{province}: {missing.reason}")
    for reference in report.reference:
        instead = f"in place of {reference.replaces}" if reference.replaces else "added to that of data/reference"
        # A file without rows still replaces the shipped one.
        has_rows = reference.rows or reference.replaces
        print(
            f"reference: {reference.file}: {f'{reference.rows} rows, {instead}' if has_rows else 'sets up the build'}"
        )
    for name in report.ignored:
        print(f"ignored: {name}")
    for loss in report.accepted:
        print(f"accepted: {loss}")
    print_returns(report)
    if report.published:
        print(f"published {report.publication} as of {report.as_of}")
    elif report.refusals:
        print(_OPTIONS)
        print("not published")
    else:
        outcome = "the refused files were left out" if report.refused else "nothing was refused"
        print(f"{outcome}; as of {report.as_of}; nothing was published")


def print_returns(report: Report) -> None:
    """Print how many files go back to the provinces, and where they are."""
    if report.returned is None:
        print(f"returns: could not be written to {report.returns}")
    elif report.returns:
        print(f"returns: {report.returned} files in {report.returns}")


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], to: Path | None) -> None:
    """Write rows as CSV to standard output, or to a file, which begins with a byte order mark for Excel."""
    with writing(to) if to else nullcontext(sys.stdout) as file:
        file.write("\ufeff" if to else "")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([safe(_plain(value)) for value in row] for row in rows)


def print_answer(con: ScopedCursor, answer: Answer, form: str, width: int | None = None) -> None:
    """Print the rows of an answer: all columns, or the first `width`.

    CSV and JSON are for programs and have full precision and codes; a table has the decimals of the screen, and beside the
    codes of places, institutes and courses a column of their names.
    """
    columns, rows = answer.columns[:width], [row[:width] for row in answer.rows]
    if form == "table":
        columns, rows = _for_readers(con, answer, columns, rows)
    _print_rows(columns, rows, [answer.is_provisional(row) for row in answer.rows], form)


def _for_readers(
    con: ScopedCursor, answer: Answer, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Columns and rows with names beside codes, and rounded numbers."""
    names: list[str] = []
    cells: list[Sequence[Any]] = []
    for at, name in enumerate(columns):
        values = [row[at] for row in rows]
        metric = described(name, answer.metrics)
        names.append(name)
        cells.append([_rounded(value, metric.unit if metric else None) for value in values])
        if known := _names_of(con, name, values):
            names.append(f"{name}_name")
            cells.append([known.get(value) for value in values])
    return tuple(names), list(zip(*cells, strict=True))


def _names_of(con: ScopedCursor, column: str, values: Sequence[Any]) -> Mapping[str, str]:
    """The English names of the members in a column (of an institute its own); empty where it holds no codes to name."""
    if column in ("institute", "course"):
        return detail.member_names(con, column)["en"]
    if column == "county":
        return place_names("county", "en")
    provinces = place_names("province", "en")
    return provinces if any(values) and {*filter(None, values)} <= provinces.keys() else {}


def _rounded(value: Any, unit: str | None) -> Any:
    """A number as the screen rounds its unit; of an unknown unit with four digits, or none of its fraction."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    if unit is not None:
        decimals = units.decimals_of(unit, is_fraction=True)
    else:
        decimals = max(3 - math.floor(math.log10(abs(value))), 0) if value else 0
    return units.rounded_half_up(value, decimals)


def note_provisional(con: ScopedCursor, answer: Answer, names: Iterable[str]) -> None:
    """Say on standard error which metrics can still change by themselves on the last day of an answer, and what is settled."""
    for name in names:
        last = answer.last_day(catalogue()[name])
        if last and is_provisional(name, last, con.publication.as_of):
            settled = settled_on(con, name)
            until = f"settled to {settled.isoformat()}" if settled else "no month is settled yet"
            print(f"{name}: provisional; {until}", file=sys.stderr)


def print_diff(diff: Diff, form: str) -> None:
    """Print the changed numbers, nation first, then provinces; the table form begins with the changes of rows and definitions."""
    columns = ("metric", "province", "before", "after", "change", "causes")
    rows = [
        (moved.metric, moved.province or "", moved.before, moved.after, moved.change, "|".join(moved.causes))
        for moved in diff.moved
    ]
    if form == "table":
        days = " and ".join(day.isoformat() for day in dict.fromkeys(diff.as_of))
        print(f"{diff.old} to {diff.new}, as of {days}, both measured on {diff.day.isoformat()}")
        for change in diff.rows:
            print(
                f"{change.source_table}: {change.new_rows} new rows, {change.corrected_rows} corrected rows, "
                f"{change.removed_rows} removed rows"
            )
        for name in diff.definitions:
            print(f"changed definition: {name}")
        for name in diff.references:
            print(f"changed reference table: {name}")
        for name, day in {moved.metric: moved.settled for moved in diff.moved if moved.settled}.items():
            print(f"{name}: measured on {day.isoformat()}, when it was settled")
    if form == "table" and not rows:
        print("no number changed")
    else:
        _print_rows(columns, rows, [False] * len(rows), form)


def _print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], provisional: Sequence[bool], form: str) -> None:
    if form == "csv":
        write_csv(columns, rows, None)
    elif form == "json":
        marks = [{"provisional": True} if is_provisional else {} for is_provisional in provisional]
        records = [dict(zip(columns, row, strict=True)) | mark for row, mark in zip(rows, marks, strict=True)]
        print(json.dumps(records, ensure_ascii=False, indent=1, default=_plain))
    else:
        texts = [["" if value is None else str(_plain(value)) for value in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
        for text, is_provisional in [(columns, False), *zip(texts, provisional, strict=True)]:
            line = "  ".join(cell.ljust(width) for cell, width in zip(text, widths, strict=True))
            print(line.rstrip() + ("  provisional" if is_provisional else ""))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def note_interrupts() -> None:
    """Remember Ctrl-C from now on: DuckDB turns it into another error, or drops it."""
    interrupted.clear()
    # The parent process may ignore the signal, and only the main thread may set a handler.
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_default and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(*_: object) -> None:
    interrupted.set()
    raise KeyboardInterrupt


def discard_output() -> None:
    """Redirect standard output to nowhere: what is left in its buffer cannot be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
