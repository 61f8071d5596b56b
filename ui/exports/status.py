"""The column `status` of files: what a reader must know of a row's numbers before using them.

p provisional, e estimated, r revised since the last publication, x not calculable, c left out for confidentiality. Several
are separated by spaces. A letter alone concerns the measures of the row, `x:coverage_per_10k` one of several.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.resolve import is_provisional
from etl.submissions.notes import Note

SYMBOLS = ("p", "e", "r", "x", "c")
# Cells of an answer: the members of the row, and the column.
Cells = frozenset[tuple[tuple[Any, ...], str]]


@dataclass(frozen=True)
class Facts:
    """What an answer does not know of itself: its estimated measures, its cells revised since the last publication, and the
    signed notes about it.
    """

    estimated: frozenset[str] = frozenset()
    revised: Cells = frozenset()
    notes: tuple[Note, ...] = ()


NONE = Facts()


def has(answer: Answer) -> bool:
    """Whether the rows of an answer have a status: those of measures do, lists and results of analyses alone do not."""
    return any(metric.name in catalogue() for metric in answer.metrics)


def of(answer: Answer, facts: Facts, named: Callable[[str], str]) -> Callable[[pa.RecordBatch], pa.Array]:
    """A function that gives the status of each row of a batch; `named` writes a column that a letter concerns."""
    measures = [metric.name for metric in answer.metrics if metric.name in catalogue()]
    keys = len(answer.by)

    def letter(symbol: str, name: str) -> str:
        return symbol if len(answer.measures) == 1 else f"{symbol}:{named(name)}"

    estimated = [name for name in measures if name in facts.estimated]
    everywhere = ["e"] if estimated and len(estimated) == len(answer.measures) else [letter("e", n) for n in estimated]
    at_unit = next((at for at, name in enumerate(answer.by) if name in TIME), None)
    ends = {metric.name: answer.last_day(metric) for metric in answer.metrics if metric.name in measures}
    open_ones = [name for name, last in ends.items() if last and is_provisional(name, last, answer.publication.as_of)]
    provisional = ["p"] if open_ones and len(open_ones) == len(answer.measures) else [letter("p", n) for n in open_ones]

    def status(batch: pa.RecordBatch) -> pa.Array:
        parts: list[Any] = []
        if at_unit is not None:
            units = batch.column(at_unit).cast(pa.string())
            parts.append(_where(pc.is_in(units, pa.array(answer.provisional, pa.string())), "p"))
        else:
            parts += [pa.repeat(f" {words}", len(batch)) for words in provisional]
        parts += [pa.repeat(f" {words}", len(batch)) for words in everywhere]
        # Members are read only where single cells are named.
        is_by_cell = bool(keys and (facts.revised or answer.hidden))
        members = list(zip(*(batch.column(at).to_pylist() for at in range(keys)), strict=True)) if is_by_cell else [()]
        for name in measures:
            if facts.revised:
                parts.append(
                    _where(pa.array([(of_row, name) in facts.revised for of_row in members]), letter("r", name))
                )
            empty = batch[name].is_null()
            if answer.hidden and pc.any(empty).as_py():
                hidden = pa.array([(of_row, name) in answer.hidden for of_row in members])
                parts.append(_where(hidden, letter("c", name)))
                empty = pc.and_not(empty, hidden)
            if pc.any(empty).as_py():
                parts.append(_where(empty, letter("x", name)))
        if not parts:
            return pa.nulls(len(batch), pa.string())
        joined = pc.utf8_trim(pc.binary_join_element_wise(*parts, ""), " ")
        return pc.if_else(pc.equal(joined, ""), None, joined)

    return status


def _where(mask: Any, words: str) -> Any:
    return pc.if_else(mask, f" {words}", "")
