"""The column `status` of files: what a reader must know of a row's numbers before using them.

p provisional, e estimated, r revised since the last publication, x not calculable, c left out for confidentiality. Several
are separated by spaces. A letter alone concerns the measures of the row, `x:coverage_per_10k` one of several.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.core.errors import OtherVersion
from etl.revisions.diff import is_same
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue, provisional_days
from etl.semantic.lineage import sources_of
from etl.semantic.provisional import last_settled_day
from etl.warehouse import official_calendar, population
from ui.data import warehouse

SYMBOLS = ("p", "e", "r", "x", "c")
# Cells of an answer: the members of the row, and the column.
Cells = frozenset[tuple[tuple[Any, ...], str]]


@dataclass(frozen=True)
class Facts:
    """What an answer does not know of itself: its estimated measures, and its cells revised since the last publication."""

    estimated: frozenset[str] = frozenset()
    revised: Cells = frozenset()


NONE = Facts()


def has(answer: Answer) -> bool:
    """Whether the rows of an answer have a status: those of measures do, lists and results of analyses alone do not."""
    return any(metric.name in catalogue() for metric in answer.metrics)


def facts(answer: Answer) -> Facts:
    """The facts of an answer of the publication that this thread reads."""
    if not has(answer):
        return NONE
    last = answer.on or (answer.over or (None, None))[1] or answer.publication.as_of
    names = [metric for metric in answer.metrics if metric.name in catalogue()]
    basis = answer.publication.provinces.basis(last)
    by_residents = basis is not None and basis.kind != next(iter(population.KINDS))
    by_calendar = any(metric.by_calendar for metric in names) and warehouse.result(
        official_calendar.estimated_days, last
    )
    involved = (*answer.by, *answer.where)
    estimated = {
        metric.name
        for metric in names
        if (by_calendar and metric.by_calendar) or (by_residents and "population" in sources_of(metric.name, involved))
    }
    return Facts(frozenset(estimated), frozenset(_revised(answer)))


def _revised(answer: Answer) -> Iterable[tuple[tuple[Any, ...], str]]:
    """The cells that the publication before gave otherwise, on the same days and not as provisional."""
    names = [metric.name for metric in answer.metrics]
    before = warehouse.before()
    if not before or not answer.rows or not set(names) <= catalogue().keys():
        return
    with warehouse.reading(before):
        try:
            until = warehouse.published().as_of
            over = answer.over and (answer.over[0], min(answer.over[1], until))
            is_by_time = bool(set(answer.by) & set(TIME))
            if (answer.on and answer.on > until) or (over != answer.over and not is_by_time):
                return
            if over and over[0] > over[1]:
                return
            earlier = warehouse.ask(*names, by=answer.by, on=answer.on, over=over, where=answer.where)
        except (OtherVersion, warehouse.QuestionError):
            return
    keys = len(answer.by)
    known = {row[:keys]: row for row in earlier.rows if not earlier.is_provisional(row)}
    for row in answer.rows:
        then = known.get(row[:keys])
        for name in names if then else ():
            was, now = then[earlier.columns.index(name)], row[answer.columns.index(name)]  # type: ignore[index]
            if not is_same(was, now):
                yield row[:keys], name


def of(answer: Answer, facts: Facts, named: Callable[[str], str]) -> Callable[[pa.RecordBatch], pa.Array]:
    """A function that gives the status of each row of a batch; `named` writes a column that a letter concerns."""
    measures = [metric.name for metric in answer.metrics if metric.name in catalogue()]
    keys = len(answer.by)

    def letter(symbol: str, name: str) -> str:
        return symbol if len(answer.metrics) == 1 else f"{symbol}:{named(name)}"

    estimated = [name for name in measures if name in facts.estimated]
    everywhere = ["e"] if estimated and len(estimated) == len(answer.metrics) else [letter("e", n) for n in estimated]
    waits = max((provisional_days(name) for name in measures), default=0)
    last = answer.over[1] if answer.over else answer.on
    at_unit = next((at for at, name in enumerate(answer.by) if name in TIME), None)
    is_open = at_unit is None and waits and last and last > last_settled_day(answer.publication.as_of, waits)

    def status(batch: pa.RecordBatch) -> pa.Array:
        parts: list[Any] = []
        if at_unit is not None:
            units = batch.column(at_unit).cast(pa.string())
            parts.append(_where(pc.is_in(units, pa.array(answer.provisional, pa.string())), "p"))
        elif is_open:
            parts.append(pa.repeat(" p", len(batch)))
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
