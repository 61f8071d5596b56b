"""Compiles a plan into the queries that DuckDB runs: on the table `preaggregate` if it holds a measure, otherwise on its own.

`preaggregate` holds running totals at the end of each Jalali month, and the changes of each day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.catalog import Measure
from etl.semantic.combine import MeasureQuery, Select
from etl.semantic.resolve import Plan
from etl.semantic.table_scans import (
    Binder,
    TableScan,
    conditions,
    inline_days,
    measured_days,
    scan_select,
    table_scan,
)
from etl.warehouse.dimensions import CELL, PLACES


@dataclass(frozen=True)
class Compiled:
    """The queries of a plan and the values bound in them."""

    queries: tuple[MeasureQuery, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class StockScan:
    """The running totals that some measures are read from; measures with an equal scan share their SELECTs.

    `days`: units of time with the days they are measured on.
    """

    days: tuple[tuple[str, date], ...]
    unit: tuple[str, ...]
    grouped: tuple[str, ...]
    national_total: bool
    is_lookup: bool

    @property
    def dimensions(self) -> tuple[str, ...]:
        return (*self.unit, *self.grouped)


def compile(plan: Plan) -> Compiled:
    """The queries of a plan, in the order of its measures; those that read the same rows share one.

    Raises QuestionError if none of the measures has rows by the dimensions of the plan.
    """
    binder = Binder()
    static = plan.static_columns()
    scans: dict[TableScan | StockScan, dict[str, Measure]] = {}
    for name, measure in plan.measures.items():
        if name not in static:
            measure = inline_days(plan, binder, measure)
            is_stored = is_preaggregated(plan, measure)
            scan = stock_scan(plan, measure) if is_stored else table_scan(plan, binder, measure)
            scans.setdefault(scan, {})[name] = measure
    stocks = {scan: measures for scan, measures in scans.items() if isinstance(scan, StockScan)}
    shared = shared_queries(plan, binder, stocks)
    queries = []
    for scan, measures in scans.items():
        if isinstance(scan, StockScan):
            queries.append(shared.get(scan) or stock_query(plan, binder, scan, measures))
        else:
            selects = (scan_select(scan, measures),)
            queries.append(MeasureQuery(selects, scan.dimensions, tuple(measures), scan.is_lookup))
    if queries and all(query.is_lookup for query in queries):
        missing = [name for name in plan.by if any(name not in query.dimensions for query in queries)]
        if missing:
            raise QuestionError(f"{plan.metrics[0].name} has no meaning by {missing[0]}")
    return Compiled(tuple(queries), binder.parameters)


def is_preaggregated(plan: Plan, measure: Measure) -> bool:
    """Whether `preaggregate` holds a measure by all dimensions that the plan involves."""
    if plan.plain or not measure.rollup_column:
        return False
    involved = {*plan.dimensions, *plan.where} - set(PLACES if measure.national_total else ()) - set(measure.ignores)
    return involved <= set(CELL) and (measure.national_total or set(plan.dimensions) <= set(CELL))


def stock_scan(plan: Plan, measure: Measure) -> StockScan:
    """The running totals that a measure is read from."""
    total = measure.national_total
    grouped = tuple(name for name in plan.dimensions if not (total and name in PLACES))
    offset = measure.offset_months
    days = tuple((label, jalali.add_months(day, -offset) if offset else day) for label, day in plan.days_of(measure))
    unit = (plan.unit,) if plan.unit else ()
    return StockScan(days, unit, grouped, total, total or len(grouped) < len(plan.dimensions))


def stock_query(plan: Plan, binder: Binder, scan: StockScan, measures: Mapping[str, Measure]) -> MeasureQuery:
    """The total at the last checkpoint and the changes since; persons with three or more spells are counted separately."""
    columns = _columns(measures)
    filters = _cell_filters(plan, binder, scan)
    pairs = _pair_condition(scan.grouped, filters)
    if scan.unit:
        selects = _select_units(plan, binder, scan, columns, filters, pairs)
    else:
        ((_, *days),) = _with_checkpoints(plan, scan)
        where = [_since(binder, *days), *filters, *_for_any_row(pairs)]
        selects = [Select(_sums("preaggregate", scan.grouped, columns, where), (*scan.grouped, *columns))]
    if plan.publication.has_many:
        selects += _select_many(plan, binder, measures, "present" in columns)
    return MeasureQuery(tuple(selects), scan.dimensions, tuple(measures), scan.is_lookup, presence=tuple(columns))


def shared_queries(
    plan: Plan, binder: Binder, scans: Mapping[StockScan, Mapping[str, Measure]]
) -> dict[StockScan, MeasureQuery]:
    """Province and nation on the same day, both from one SELECT by province; empty unless exactly these two are asked."""
    ordered = sorted(scans, key=lambda scan: scan.national_total)
    if [scan.national_total for scan in ordered] != [False, True] or plan.unit or plan.publication.has_many:
        return {}
    provincial, national = ordered
    if "province" not in provincial.grouped or provincial.days != national.days:
        return {}
    sums: dict[str, str] = {}
    for scan in ordered:
        pairs = _pair_condition(scan.grouped, _cell_filters(plan, binder, scan))
        where = f" filter (where {_for_any_row(pairs)[0]})" if pairs else ""
        sums |= {name: f"sum({column}){where}" for name, column in _columns(scans[scan]).items()}
    ((_, *days),) = _with_checkpoints(plan, provincial)
    where = " and ".join([_since(binder, *days), *_cell_filters(plan, binder, national)])
    selected = [*provincial.grouped, *(f"{number} as {name}" for name, number in sums.items())]
    sql = f"select {', '.join(selected)}\nfrom preaggregate\nwhere {where}\ngroup by {', '.join(provincial.grouped)}"
    select = (Select(sql, (*provincial.grouped, *sums)),)
    chosen = frozenset(plan.where["province"]) if "province" in plan.where else None
    return {
        scan: MeasureQuery(
            select,
            scan.dimensions,
            tuple(scans[scan]),
            scan.is_lookup,
            None if scan.national_total else chosen,
            tuple(_columns(scans[scan])),
        )
        for scan in ordered
    }


def _select_units(
    plan: Plan, binder: Binder, scan: StockScan, columns: Mapping[str, str], filters: Sequence[str], pairs: str
) -> list[Select]:
    """The totals of each unit's checkpoint, and the changes since for units that do not end with one."""
    days = _with_checkpoints(plan, scan)
    units: dict[date, list[str]] = {}
    for label, _, since in days:
        units.setdefault(since, []).append(label)
    checkpoints = [*units] or [date.min]
    span = f"day between {binder.bind(min(checkpoints))} and {binder.bind(max(checkpoints))}"
    totals = ["is_total", span, *filters]
    # Pairs are read separately, so that the scan of totals reads no `other_` columns.
    kinds = [["not is_pair"], ["is_pair", pairs]] if pairs else [[]]
    summed = [_sums("preaggregate", ("day", *scan.grouped), columns, [*totals, *kind]) for kind in kinds]
    names = (*scan.unit, *scan.grouped, *columns)
    selects = [Select("\nunion all\n".join(summed), names, units)]
    opened = [(label, day, since) for label, day, since in days if since < day]
    changes = ["not is_total", *filters, *_for_any_row(pairs)]
    if len(opened) == 1:
        # A plain condition on days lets the scan skip row groups; a join does not.
        ((label, day, since),) = opened
        unit = f"{binder.bind(label)}::varchar as {scan.unit[0]}"
        where = f"day > {binder.bind(since)} and day <= {binder.bind(day)}"
        selects.append(Select(_sums("preaggregate", scan.grouped, columns, [where, *changes], unit), names))
    elif opened:
        on = "preaggregate.day > measured.checkpoint and preaggregate.day <= measured.day"
        source = f"{measured_days(binder, opened, 'checkpoint')} inner join preaggregate on {on}"
        unit = f"measured.unit as {scan.unit[0]}"
        selects.append(Select(_sums(source, scan.grouped, columns, changes, unit), names))
    return selects


def _select_many(plan: Plan, binder: Binder, measures: Mapping[str, Measure], with_presence: bool) -> list[Select]:
    """The same measures for the persons that `preaggregate` leaves out."""
    of_many = {name: replace(measure, table=f"{measure.table}_many") for name, measure in measures.items()}
    if with_presence:
        at_end = any(measure.at_end for measure in of_many.values())
        of_many["present"] = Measure(
            "present", "compliance_intervals_many", "count(distinct person_id)", "snapshot", at_end=at_end
        )
    scans: dict = {}
    for name, measure in of_many.items():
        scans.setdefault(table_scan(plan, binder, measure), {})[name] = measure
    return [scan_select(scan, some) for scan, some in scans.items()]


def _columns(measures: Mapping[str, Measure]) -> dict[str, str]:
    """The columns of `preaggregate` to sum, by the names of their measures."""
    columns = {name: measure.rollup_column for name, measure in measures.items()}
    if "compliant_assistants" in columns.values() and "active_assistants" not in columns.values():
        # A group of active assistants, none of them compliant, has a row with 0.
        columns["present"] = "active_assistants"
    return columns


def _cell_filters(plan: Plan, binder: Binder, scan: StockScan) -> list[str]:
    return conditions(plan, binder, {name: name for name in CELL if not (scan.national_total and name in PLACES)})


def _with_checkpoints(plan: Plan, scan: StockScan) -> list[tuple[str, date, date]]:
    """Each unit of time with its day and the last checkpoint up to it: a month end with totals; date.min before the first."""
    first, last = plan.publication.months_with_totals or (date.max, date.min)
    ends = [min(jalali.last_month_end(day), last) for _, day in scan.days]
    return [(*unit, end if end >= first else date.min) for unit, end in zip(scan.days, ends, strict=True)]


def _since(binder: Binder, day: date, checkpoint: date) -> str:
    """The total at a checkpoint and the changes from there up to a day."""
    start = binder.bind(checkpoint)
    return f"day between {start} and {binder.bind(day)} and is_total = (day = {start})"


def _sums(source: str, keys: Sequence[str], columns: Mapping[str, str], where: Sequence[str], unit: str = "") -> str:
    """The sums of `columns` by `keys`, and by `unit`, an expression for the unit of time, if given."""
    selected = [*([unit] if unit else []), *keys, *(f"sum({column}) as {name}" for name, column in columns.items())]
    count = len(keys) + bool(unit)
    group = f"\ngroup by {', '.join(str(n + 1) for n in range(count))}" if count else ""
    return f"select {', '.join(selected)}\nfrom {source}\nwhere {' and '.join(where)}{group}"


def _pair_condition(grouped: Sequence[str], filters: Sequence[str]) -> str:
    """Which pairs subtract: those with both cells within the filters and in one group; empty for all."""
    return " and ".join(
        [f"other_{condition}" for condition in filters]
        + [f"other_{column} is not distinct from {column}" for column in grouped]
    )


def _for_any_row(pairs: str) -> list[str]:
    """The condition on pairs, which all other rows pass."""
    return [f"(not is_pair or ({pairs}))"] if pairs else []
