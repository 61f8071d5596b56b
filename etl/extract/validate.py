"""Validating the text of a source table: typed columns, the faults of values, and the habits of clerks."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.core import text_folding
from etl.core.places import places
from etl.extract import parse_values
from etl.extract.contract import Column, Contract
from etl.extract.source_file import Batch

_ARROW = {"date": pa.date32(), "number": pa.float64(), "yes_no": pa.bool_(), "national_id": pa.uint64()}
FAULTS = pa.schema(
    [("file_number", pa.int32()), ("line", pa.int64()), ("column_name", pa.string()), ("reason", pa.string())]
)
Fault = tuple[int, str, str]


def row_schema(of: Contract) -> pa.Schema:
    """The schema of the typed rows of a table."""
    fields = [("file_number", pa.int32()), ("line", pa.int64())]
    for column in of.entering:
        fields.append((column.stored, _ARROW.get(column.type, pa.string())))
        if column.shown:
            fields.append((f"{column.name}_shown", pa.string()))
    return pa.schema(fields)


class Validator:
    """Turns the text of a batch into typed columns and faults; every distinct text of a batch is parsed once."""

    def __init__(self, of: Contract, setting: parse_values.Setting) -> None:
        self._contract = of
        self._schema = row_schema(of)
        self._parsers = {column.name: _column_parser(column, setting) for column in of.entering}
        self.counts: Counter[str] = Counter()
        # Rows of counties created since the census, by name.
        self.newer_counties: Counter[str] = Counter()

    def validate(self, batch: Batch, file_number: int) -> tuple[pa.RecordBatch, list[Fault], list[Fault]]:
        """The typed rows of a batch (null for unknown and faulty values), the faults that reject a row, and the faults
        whose value loads as unknown."""
        size = len(batch.lines)
        arrays: list[Any] = [pa.array(np.full(size, file_number, np.int32)), pa.array(batch.lines)]
        faults: list[Fault] = []
        warned: list[Fault] = []
        provinces: Any = None
        for column in self._contract.entering:
            texts = batch.columns.get(column.name)
            if texts is None:
                arrays += [pa.nulls(size, _ARROW.get(column.type, pa.string()))] * (1 + column.shown)
                continue
            if not pa.types.is_dictionary(texts.type):
                texts = texts.dictionary_encode()
            distinct, codes = texts.dictionary.to_pylist(), texts.indices
            result = self._parsers[column.name](distinct)
            if column.type == "county":
                array, written, reasons = self._county(provinces, result.typed, codes)
                at = np.flatnonzero(pc.is_valid(reasons).to_numpy(zero_copy_only=False))
                found = zip(batch.lines[at].tolist(), reasons.take(pa.array(at)).to_pylist(), strict=True)
                warned += [(line, column.name, reason) for line, reason in found]
                arrays += [array, written]
            else:
                array = result.typed.take(codes)
                arrays.append(array)
                if column.type == "province":
                    provinces = array
                if column.shown:
                    display = text_folding.display_code if column.type == "code" else text_folding.display_text
                    arrays.append(pa.array([display(text) for text in distinct], pa.string()).take(codes))
            self._count_habits(distinct, result, codes)
            # A row with bytes that are no text is rejected even if the column's bad values load as unknown.
            for fault in _faults(column, result, codes, batch.lines):
                (faults if column.bad == "reject" or fault[2] == "bad_encoding" else warned).append(fault)
        return pa.record_batch(arrays, schema=self._schema), faults, warned

    def _count_habits(self, distinct: list[str], result: parse_values.ValidationResult, codes: Any) -> None:
        """Add the habits in a column's texts to `counts`, which the load report shows."""
        habits = [(name, code, 1) for name, code in result.habits]
        habits += [
            ("invisible", code, text_folding.count_invisible(text))
            for code, text in enumerate(distinct)
            if not text.isprintable()
        ]
        if habits:
            rows = np.bincount(codes.to_numpy(), minlength=len(distinct))
            for name, code, number in habits:
                self.counts[name] += int(rows[code]) * number

    def _county(self, provinces: pa.Array, folded: pa.Array, codes: Any) -> tuple[pa.Array, pa.Array, pa.Array]:
        """The county of each row, its name as written, and why it is unknown: what a name means depends on the row's province."""
        names = folded.to_pylist()
        encoded = provinces.dictionary_encode("encode")
        province_codes: list[str | None] = encoded.dictionary.to_pylist()
        pairs = encoded.indices.to_numpy() * len(names) + codes.to_numpy()
        distinct, position, count = np.unique(pairs, return_inverse=True, return_counts=True)
        counties = []
        for pair, times in zip(distinct.tolist(), count.tolist(), strict=True):
            province, name = province_codes[pair // len(names)], names[pair % len(names)]
            county = places().county(province or "", name) if name else None
            self.counts["county"] += times if name and county is None else 0
            if county and county.written and county.is_newer:
                self.newer_counties[county.written] += times
            reason = None if county or not name else _no_county(province, name)
            counties.append((county.code, county.written, reason) if county else (None, None, reason))
        at = pa.array(position)
        code_of, written_of, reason_of = (
            pa.array(values, pa.string()).take(at) for values in zip(*counties, strict=True)
        )
        return code_of, written_of, reason_of


def _no_county(province: str | None, name: str) -> str:
    """Why a name is no county of a province: it is in another one, or in none."""
    return "county_elsewhere" if province and places().is_county(name) else "unknown_value"


def _faults(column: Column, result: parse_values.ValidationResult, codes: Any, lines: np.ndarray) -> list[Fault]:
    """A fault for each row with a faulty text."""
    if not result.faults:
        return []
    code_of_row = codes.to_numpy()
    rows = np.flatnonzero(np.isin(code_of_row, list(result.faults)))
    return [
        (line, column.name, result.faults[code])
        for line, code in zip(lines[rows].tolist(), code_of_row[rows].tolist(), strict=True)
    ]


def _column_parser(
    column: Column, setting: parse_values.Setting
) -> Callable[[list[str]], parse_values.ValidationResult]:
    """A function from the distinct texts of a column to their typed values, faults and habits."""
    parse = parse_values.parser(column, setting)
    if column.type == "national_id":
        return lambda texts: parse_values.parse_national_ids(texts, parse, setting.key)
    kind = _ARROW.get(column.type, pa.string())
    return lambda texts: parse_values.in_columns(list(map(parse, texts)), kind)
