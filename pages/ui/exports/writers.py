"""Answer in, bytes out: CSV and XLSX that a spreadsheet cannot be tricked by, Parquet for machines. Always every row.

Files keep codes, Latin digits, ISO days and a decimal point in both languages; names stand beside codes. One made for
circulation holds what `etl.disclosure` lets it tell, and says so. What stands in them is told by `cells`; here it is
written, batch by batch, so that memory does not grow with the rows.
"""

import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from typing import IO, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xlsxwriter

from etl.semantic import exportable
from etl.semantic.answers import Answer
from pages.ui.charts.elements import ChartContext
from pages.ui.exports import sheets
from pages.ui.exports.file_content import Coded, Column, Exportable, Sheet, Units, all_safe, changed, safe, sheet
from pages.ui.i18n import text

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"
_NO_FILE_NAME = re.compile(r'[\\/:*?"<>|\s\x00-\x1f\u061c\u200e\u200f\u2066-\u2069]+')
_MOST_NAMED, _NAME_BYTES = 4, 240
# What a file says of itself: the metadata of Parquet, a column of a CSV for circulation.
_ABOUT = "about"
# What a sheet of XLSX holds below its header.
SHEET_ROWS = 1_048_575
_TOLD_EVERY = 5000
_AT_ONCE = 1000
# So many rows for each pair of members are enough to write the pairs down first.
_FEW = 4

_In = TypeVar("_In")
_Out = TypeVar("_Out")
# Hears the share of the rows that is written.
Tell = Callable[[float], None]


def headers(source: Exportable, context: ChartContext, units: Units) -> tuple[str, ...]:
    """Codes with names beside them, then the numbers; a day has its Jalali form beside it."""
    with sheet(source, context) as found:
        return found.headers


# ---------------------------------------------------------------- CSV


def write_csv(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    units: Units,
    circulation: bool = False,
    tell: Tell | None = None,
) -> None:
    """UTF-8 with a byte order mark, for Excel; an unknown value is an empty cell.

    One for circulation says what was done in a column of its own, in the first row.
    """
    out.write(b"\xef\xbb\xbf")
    with sheet(source, context, circulation) as found:
        titles = pa.array((*found.headers, *([_ABOUT] if circulation else [])), pa.string())
        out.write((",".join(_written(titles).to_pylist()) + "\r\n").encode())
        share, done = _share(source, tell), 0
        batches = _saying(found.batches, context.word("file.circulation")) if circulation else found.batches
        for lines in _ahead(_lines, batches):
            # The text of all lines, as it stands in memory.
            out.write(memoryview(lines.buffers()[2] or b"")[: pc.sum(pc.binary_length(lines)).as_py() or 0])
            done += len(lines)
            share(done)


def _saying(batches: Iterable[list[Column]], said: str) -> Iterator[list[Column]]:
    """The batches with one column more, which holds `said` once."""
    for number, batch in enumerate(batches):
        told = pa.array(([None] if number else [said]) + [None] * (len(batch[0]) - 1), pa.string())
        yield [*batch, told]


def _ahead(work: Callable[[_In], _Out], batches: Iterable[_In]) -> Iterator[_Out]:
    """`work` of each, in their order, done by a second thread while the next ones are read; two wait at most."""
    waiting: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(1) as other:
        for batch in batches:
            waiting.append(other.submit(work, batch))
            if len(waiting) > 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _lines(columns: list[Column]) -> pa.Array:
    cells = [part.columns()[0] if isinstance(part, Coded) else part for part in _texts(columns)]
    if sum(len(column.members) if isinstance(column, Coded) else 1 for column in columns) == 1:
        # A line with nothing in it is no row to those who read it.
        cells = [pc.if_else(pc.equal(pc.binary_length(_joined(cells, "")), 0), '""', cells[0])]
    cells[-1] = _joined([cells[-1], "\r\n"], "")
    return _joined(cells, ",")


def _texts(columns: list[Column]) -> list[Column]:
    """The columns as text. Those side by side whose members make few pairs are one: a pair is put together once."""
    texts: list[Column] = []
    for column in columns:
        if not isinstance(column, Coded):
            texts.append(_written(column))
            continue
        one = Coded(column.places, (_joined([_written(members) for members in column.members], ","),))
        last = texts[-1] if texts else None
        if isinstance(last, Coded) and len(last.members[0]) * len(one.members[0]) * _FEW <= len(one):
            texts[-1] = _paired(last, one)
        else:
            texts.append(one)
    return texts


def _paired(left: Coded, right: Coded) -> Coded:
    first, second = left.members[0], right.members[0]
    pairs = np.arange(len(first) * len(second))
    members = [first.take(pa.array(pairs // len(second))), second.take(pa.array(pairs % len(second)))]
    places = pc.add(pc.multiply(left.places, pa.scalar(len(second), pa.int32())), right.places)
    return Coded(places, (_joined(members, ","),))


def _written(values: pa.Array) -> pa.Array:
    if not pa.types.is_string(values.type):
        return values.cast(pa.string())
    return changed(all_safe(values), '[",\r\n]', lambda cell: '"' + cell.replace('"', '""') + '"')


def _joined(columns: list[Any], separator: str) -> pa.Array:
    return pc.binary_join_element_wise(*columns, separator, null_handling="replace", null_replacement="")


# ---------------------------------------------------------------- XLSX


def write_xlsx(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    units: Units,
    circulation: bool = False,
    scope: str = "",
    tell: Tell | None = None,
    nation: Answer | None = None,
) -> None:
    """Sheets of names and numbers under the reader's headings, one of the codes, and one that says what they are.

    Rows are written through to disk; what a sheet cannot hold goes on in the next. The row of the `nation` stands below
    them, out of the filter's reach. Text longer than a cell may be is cut by XlsxWriter where the cell ends.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(out, options) as book, sheet(source, context, circulation) as found:
        layout = sheets.layout(exportable.of(source).answer, found.schema, context)
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        ways = [_way(book, found.schema.field(place), units) for place in layout.places]
        codes: sheets.Codes = {}
        left = _told(_rows(found, layout, codes), source, tell)
        row, number = next(left, None), 0
        while row is not None or number == 0:
            number += 1
            name = context.word("file.data")
            data = _add(book, context, name if number == 1 else f"{name} {number}", (1, 1))
            data.set_column(0, len(layout.places) - 1, 18)
            for column, title in enumerate(layout.titles):
                data.write_string(0, column, safe(title), head)
            some = chain(() if row is None else (row,), islice(left, SHEET_ROWS - 1))
            last = _fill(data, some, ways)
            data.autofilter(0, 0, last, len(layout.places) - 1)
            row = next(left, None)
        if nation and last < SHEET_ROWS:
            bold = [
                (method, book.add_format({"bold": True, "top": 1, "num_format": form}))
                for method, form in (_form(found.schema.field(place), units) for place in layout.places)
            ]
            _fill(data, [sheets.national(nation, layout, found.schema, context)], bold, last + 1)
        if codes:
            _write_codes(book, context, codes, head)
        _write_cover(book, context, cover(source, context, scope, circulation), head)


# The method of a sheet that writes the cells of a column, and their format.
_Way = tuple[str, Any]


def _add(book: Any, context: ChartContext, name: str, frozen: tuple[int, int] = (1, 0)) -> Any:
    added = book.add_worksheet(name)
    if context.rtl:
        added.right_to_left()
    added.freeze_panes(*frozen)
    return added


def _fill(data: Any, some: Iterable[tuple[Any, ...]], ways: list[_Way], first: int = 1) -> int:
    """Write rows from one on; the last that was written, the heading being 0."""
    writers = [(getattr(data, method), style) for method, style in ways]
    r = first - 1
    for r, row in enumerate(some, start=first):
        for column, value in enumerate(row):
            if value is not None:
                write, style = writers[column]
                write(r, column, value, style)
    return r


def _way(book: Any, field: pa.Field, units: Units) -> _Way:
    method, form = _form(field, units)
    return method, book.add_format({"num_format": form}) if form != "General" else None


def _form(field: pa.Field, units: Units) -> tuple[str, str]:
    """How the cells of a column are written: text as text, days as days, numbers as numbers."""
    if pa.types.is_string(field.type):
        return "write_string", "@"
    if pa.types.is_date32(field.type):
        return "write_datetime", "yyyy-mm-dd"
    if pa.types.is_boolean(field.type):
        return "write_boolean", "General"
    return "write_number", "0.0%" if units.get(field.name) == "share" else "General"


def _rows(found: Sheet, layout: sheets.Layout, codes: sheets.Codes) -> Iterator[tuple[Any, ...]]:
    """Row after row of what the layout keeps, text made safe; as Python's values only so many at a time.

    The codes that it leaves out are gathered in `codes` with their names.
    """
    for batch in found.batches:
        made = [column.changed(all_safe) if isinstance(column, Coded) else column for column in batch]
        layout.gather(made, codes)
        for start in range(0, len(made[0]), _AT_ONCE):
            columns = [one for column in made for one in _written_out(column.slice(start, _AT_ONCE))]
            yield from zip(*(columns[place].to_pylist() for place in layout.places), strict=True)


def _write_codes(book: Any, context: ChartContext, codes: sheets.Codes, head: Any) -> None:
    """Each member with its code, as the other files name it."""
    listed = _add(book, context, context.word("file.codes"))
    listed.set_column(0, 2, 24)
    for column, key in enumerate(("file.dimension", "dimension.code", "file.name")):
        listed.write_string(0, column, context.word(key), head)
    rows = [(sheets.title(name, context), code, said) for name, known in codes.items() for code, said in known.items()]
    last = _fill(listed, rows, [("write_string", None)] * 3)
    listed.autofilter(0, 0, last, 2)


def _write_cover(book: Any, context: ChartContext, said: Iterable[tuple[str, str]], head: Any) -> None:
    about = _add(book, context, context.word("file.cover"), (0, 0))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    about.set_column(0, 0, 24)
    about.set_column(1, 1, 90)
    for r, (name, value) in enumerate(said):
        about.write_string(r, 0, safe(name), head)
        about.write_string(r, 1, safe(value), wrapped)


# ---------------------------------------------------------------- Parquet


def write_parquet(
    out: IO[bytes],
    source: Exportable,
    context: ChartContext,
    units: Units,
    circulation: bool = False,
    scope: str = "",
    tell: Tell | None = None,
) -> None:
    """The same columns, typed: text, whole numbers, fractions, days. What the file is stands in its metadata (`about`)."""
    about = json.dumps(list(cover(source, context, scope, circulation)), ensure_ascii=False)
    share, done = _share(source, tell), 0
    with sheet(source, context, circulation) as found:
        schema = found.schema.with_metadata({_ABOUT: about})
        with pq.ParquetWriter(out, schema, compression="zstd") as writer:
            for batch in found.batches:
                columns = [one for column in batch for one in _written_out(column)]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
                done += len(columns[0])
                share(done)


def _written_out(column: Column) -> list[pa.Array]:
    return column.columns() if isinstance(column, Coded) else [column]


# ---------------------------------------------------------------- as bytes


def to_csv(source: Exportable, context: ChartContext, units: Units, circulation: bool = False) -> bytes:
    """What `write_csv` writes."""
    return _bytes(partial(write_csv, source=source, context=context, units=units, circulation=circulation))


def to_xlsx(
    source: Exportable,
    context: ChartContext,
    units: Units,
    circulation: bool = False,
    scope: str = "",
    nation: Answer | None = None,
) -> bytes:
    """What `write_xlsx` writes."""
    return _bytes(
        partial(
            write_xlsx,
            source=source,
            context=context,
            units=units,
            circulation=circulation,
            scope=scope,
            nation=nation,
        )
    )


def to_parquet(
    source: Exportable, context: ChartContext, units: Units, circulation: bool = False, scope: str = ""
) -> bytes:
    """What `write_parquet` writes."""
    return _bytes(
        partial(write_parquet, source=source, context=context, units=units, circulation=circulation, scope=scope)
    )


def _bytes(write: Callable[[IO[bytes]], None]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


# ---------------------------------------------------------------- how far it is


def _share(source: Exportable, tell: Tell | None) -> Callable[[int], None]:
    """Tells what share of the rows so many are. They are counted only for someone who listens."""
    if tell is None:
        return lambda done: None
    count = max(exportable.of(source).count(), 1)
    return lambda done: tell(min(done / count, 1.0))


def _told(written: Iterable[tuple[Any, ...]], source: Exportable, tell: Tell | None) -> Iterator[tuple[Any, ...]]:
    """The same rows; `tell` hears the share that went by."""
    share = _share(source, tell)
    for done, row in enumerate(written):
        if done % _TOLD_EVERY == 0:
            share(done)
        yield row


# ---------------------------------------------------------------- what a file is


def cover(source: Exportable, context: ChartContext, scope: str, circulation: bool) -> Iterable[tuple[str, str]]:
    """What a file is: scope, days, load, whether it is rounded, and the definition of each measure."""
    answer = exportable.of(source).answer
    published = answer.publication
    yield context.word("file.scope"), scope
    if answer.on:
        yield (
            context.word("file.on"),
            f"{answer.on.isoformat()} · {text.day_in_both(answer.on, context.lang)}",
        )
    if answer.over:
        yield context.word("file.over"), " – ".join(d.isoformat() for d in answer.over)
    yield context.word("file.load"), str(published.id)
    yield context.word("file.circulation" if circulation else "file.exact"), ""
    if published.is_sample:
        yield context.word("file.made_up"), ""
    for metric in answer.metrics:
        # shares and days are seen to be such
        unit = (
            ""
            if metric.unit in ("share", "ratio", "date", "month")
            else f" ({text.unit_word(metric.unit, context.lang)})"
        )
        yield metric.name, f"{metric.label[context.lang]}{unit}"
        yield "", metric.description[context.lang]


def file_name(source: Exportable, context: ChartContext, scope: str, ending: str, circulation: bool = False) -> str:
    """Measure, by what, scope, day and whether it is rounded, in the reader's language; days in ISO form, digits Latin.

    Rows by many dimensions are named by none of them; a scope that is too long for a name is cut.
    """
    answer = exportable.of(source).answer
    measure = answer.metrics[0].label[context.lang]
    last = answer.on or (answer.over[1] if answer.over else answer.publication.as_of)
    by = [context.word(f"dimension.{axis}") for axis in answer.by] if len(answer.by) <= _MOST_NAMED else []
    rounded = context.word("file.rounded") if circulation else ""
    first, end = (
        [_in_a_name(part) for part in (measure, *by)],
        [_in_a_name(part) for part in (last.isoformat(), rounded)],
    )
    # A disk takes names of 255 bytes: what is left for the scope.
    room = max(_NAME_BYTES - sum(len(part.encode()) + 1 for part in (*first, *end)), 0)
    place = _in_a_name(scope).encode()[:room].decode(errors="ignore").strip("-")
    return f"{'_'.join(part for part in (*first, place, *end) if part)}.{ending}"


def _in_a_name(part: str) -> str:
    return _NO_FILE_NAME.sub("-", part).strip("-")
