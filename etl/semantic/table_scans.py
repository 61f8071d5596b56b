"""SELECTs of one table: its rows on a day or in a period, under the filters of a plan."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from etl.core import jalali
from etl.semantic.catalog import Measure, tables
from etl.semantic.combine import Select
from etl.semantic.resolve import MOST_COMPARED, Plan, other_members
from etl.warehouse.dimensions import PLACES

_AHEAD = re.compile(r"\{day\} \+ ([0-9]+)")
MONTHS_BEFORE = re.compile(r"\{day - ([0-9]+) months\}")
_DISTINCT = re.compile(
    r"^count\(distinct (person_id|\(person_id, course\))\)(?: filter \(where ((?:(?! filter ).)*)\))?$"
)
_BOUND = re.compile(r"\$p[0-9]+")
# Dimensions of very many members, of which a filter names few.
_LARGE = ("county", "institute")


@dataclass
class Binder:
    """The values of a question, bound by name: equal values share a name."""

    parameters: dict[str, Any] = field(default_factory=dict)
    _names: dict[Any, str] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """The placeholder of a value."""
        key = (type(value), tuple(value) if isinstance(value, list) else value)
        if key not in self._names:
            self._names[key] = f"p{len(self._names) + 1}"
            self.parameters[self._names[key]] = value
        return f"${self._names[key]}"


@dataclass(frozen=True)
class TableScan:
    """The rows that some measures of one table are counted from; measures with an equal scan share a SELECT.

    `source` is the FROM clause with the condition on days; `shared_source` is the same for persons with several spells, if
    the build stores their rows in a separate table. `grouped` holds pairs of dimension and column.
    """

    table: str
    source: str
    filters: tuple[str, ...]
    grouped: tuple[tuple[str, str], ...]
    unit: tuple[str, ...]
    unit_column: str
    is_lookup: bool
    splits_single_spells: bool
    shared_source: str = ""

    @property
    def dimensions(self) -> tuple[str, ...]:
        return (*self.unit, *(name for name, _ in self.grouped))


def inline_days(plan: Plan, binder: Binder, measure: Measure) -> Measure:
    """The measure with `{day} + n` as a bound date: DuckDB evaluates the expression slowly per row."""
    if plan.plain or plan.unit or not (measure.kind == "snapshot" or measure.at_end):
        return measure
    ((_, day),) = plan.days_of(measure)

    def ahead(match: re.Match[str]) -> str:
        return binder.bind(day + min(timedelta(int(match[1])), date.max - day))

    return replace(measure, sql=_AHEAD.sub(ahead, measure.sql), where=_AHEAD.sub(ahead, measure.where))


def table_scan(plan: Plan, binder: Binder, measure: Measure) -> TableScan:
    """The rows that a measure is counted from."""
    table = tables()[measure.table]
    known = table.national_total_dimensions if measure.national_total else table.columns
    grouped = tuple((name, table.columns[name]) for name in plan.dimensions if name in known)
    ignored = PLACES if measure.national_total else table.ignores
    filters = conditions(plan, binder, {name: sql for name, sql in table.columns.items() if name not in ignored})
    source, unit_column = _source(plan, binder, measure)
    where = _months_before(plan, binder, measure, measure.where)
    shared = f"{table.model}_shared"
    return TableScan(
        table=table.model,
        source=source.replace("{table}", table.model),
        filters=(*filters, where) if where else tuple(filters),
        grouped=grouped,
        unit=(plan.unit,) if unit_column else (),
        unit_column=unit_column,
        is_lookup=measure.national_total or table.is_lookup or len(grouped) < len(plan.dimensions),
        splits_single_spells=not (plan.plain or "course" in plan.where),
        shared_source=source.replace("{table}", shared) if shared in tables() else "",
    )


def _source(plan: Plan, binder: Binder, measure: Measure) -> tuple[str, str]:
    """The FROM clause of a measure with its condition on days, and the column of the unit of time."""
    if tables()[measure.table].kind == "static":
        return "from {table}", ""
    if measure.kind == "event" and not measure.at_end:
        first, last = plan.over or (date.min, date.min)
        period = f"{measure.day} between {binder.bind(first)} and {binder.bind(last)}"
        if not plan.unit:
            return f"from {{table}} where {period}", ""
        return (
            f"from {{table}} inner join calendar on calendar.day = {measure.day} where {period}",
            f"calendar.{plan.unit}",
        )
    condition = _months_before(plan, binder, measure, snapshot_condition(measure))
    days = plan.days_of(measure)
    if not plan.unit:
        if "measured.day" in condition:
            condition = condition.replace("measured.day", binder.bind(days[0][1]))
        return f"from {{table}} where {condition}", ""
    months = sorted({int(count) for count in MONTHS_BEFORE.findall(snapshot_condition(measure) + measure.where)})
    dates = [(label, day, *(jalali.add_months(day, -count) for count in months)) for label, day in days]
    measured = measured_days(binder, dates, *map(_column, months))
    return f"from {measured} inner join {{table}} on {condition} where true", "measured.unit"


def _months_before(plan: Plan, binder: Binder, measure: Measure, condition: str) -> str:
    """A condition with a date for each `{day - n months}`: SQL evaluates month arithmetic per row."""
    if plan.unit:
        return MONTHS_BEFORE.sub(lambda match: f"measured.{_column(int(match[1]))}", condition)
    day = plan.days_of(measure)[0][1]
    return MONTHS_BEFORE.sub(lambda match: binder.bind(jalali.add_months(day, -int(match[1]))), condition)


def _column(months: int) -> str:
    return f"months_before_{months}"


def snapshot_condition(measure: Measure) -> str:
    """Which rows of `{table}` a snapshot counts on `measured.day`; `{day - n months}` is a day so many months before it."""
    if measure.window_months:
        start, end = (_day_before(months) for months in measure.window_months)
        return f"{measure.day} > {start} and {measure.day} <= {end}"
    day = _day_before(measure.offset_months)
    if measure.snapshot_condition:
        return measure.snapshot_condition.replace("{day}", day)
    return f"{{table}}.valid_from <= {day} and {{table}}.valid_until > {day}"


def _day_before(months: int) -> str:
    return f"{{day - {months} months}}" if months else "measured.day"


def measured_days(binder: Binder, days: Sequence[tuple[Any, ...]], *more: str) -> str:
    """Units of time with their days (and `more` dates of each) as a table to join with."""
    columns = list(zip(*days, strict=True)) or [()] * (2 + len(more))
    types = ("varchar", *["date"] * (1 + len(more)))
    cells = ", ".join(
        f"unnest({binder.bind(list(column))}::{kind}[]) as {name}"
        for name, column, kind in zip(("unit", "day", *more), columns, types, strict=True)
    )
    return f"(select {cells}) as measured"


def conditions(plan: Plan, binder: Binder, columns: Mapping[str, str]) -> list[str]:
    """The filters of a plan on the dimensions that `columns` names."""
    return [
        _is_one_of(plan, binder, columns[name], name, values) for name, values in plan.where.items() if name in columns
    ]


def _is_one_of(plan: Plan, binder: Binder, column: str, dimension: str, values: Sequence[str]) -> str:
    """A filter on a column: `in` or `not in`, whichever lists fewer members to compare every row with."""
    excluded = other_members(dimension, values)
    if plan.plain or excluded is None or len(excluded) >= len(values):
        members = [binder.bind(value) for value in values]
        if plan.plain or dimension not in _LARGE or len(members) > MOST_COMPARED:
            return f"{column} in ({', '.join(members)})"
        return _is_equal_to_one(column, members)
    return f"{column} not in ({', '.join(map(binder.bind, excluded))})" if excluded else f"{column} is not null"


def _is_equal_to_one(column: str, members: Sequence[str]) -> str:
    """An IN, written so that it is cheap to plan (see MOST_COMPARED).

    By the OR DuckDB skips row groups, by the CASE it drops the other rows of a group before it reads more columns.
    """
    equal = [f"{column} = {member}" for member in members]
    if len(equal) == 1:
        return equal[0]
    return f"({' or '.join(equal)}) and case {' '.join(f'when {one} then true' for one in equal)} else false end"


def scan_select(scan: TableScan, measures: Mapping[str, Measure]) -> Select:
    """The SELECT of a scan.

    Persons with one spell on the day are counted by rows, the others by count(distinct), which is slow.
    """
    columns = (*scan.dimensions, *measures)
    distinct = {name: match for name, measure in measures.items() if (match := _distinct(scan, measure))}
    if len(distinct) < len(measures):
        sql = _rows(scan, scan.table, scan.source, {name: measure.sql for name, measure in measures.items()})
    elif scan.table.endswith(("_shared", "_many")):
        sql = _distinct_rows(scan, scan.table, scan.source, distinct)
    else:
        single = {
            name: f"count(*) filter (where {f'{match[2]} and ' if match[2] else ''}is_single_spell)"
            for name, match in distinct.items()
        }
        if scan.shared_source:
            shared = _distinct_rows(scan, f"{scan.table}_shared", scan.shared_source, distinct)
        else:
            shared = _distinct_rows(scan, scan.table, scan.source, distinct, "not is_single_spell")
        sql = f"{_rows(scan, scan.table, scan.source, single)}\nunion all\n{shared}"
    return Select(sql, columns)


def _distinct(scan: TableScan, measure: Measure) -> "re.Match[str] | None":
    """The count(distinct) of a measure if each row with `is_single_spell` counts one; else None."""
    key = tables()[scan.table].single_spell_key
    match = _DISTINCT.match(measure.sql)
    if not scan.splits_single_spells or not key or not match:
        return None
    # A person has a row for each course: one row stands for one person only where grouped by course.
    return match if match[1] == key or "course" in dict(scan.grouped) else None


def _rows(scan: TableScan, table: str, source: str, columns: Mapping[str, str], *more: str, key: str = "") -> str:
    """A SELECT of `columns` by the dimensions of a scan, and by `key` where given."""
    selected = [f"{scan.unit_column} as {name}" for name in scan.unit]
    selected += [f"{column if '{day}' in column else f'{table}.{column}'} as {name}" for name, column in scan.grouped]
    keys = [str(n + 1) for n in range(len(selected))] + ([key] if key else [])
    bound = _BOUND.search(scan.source)
    day = f"{bound[0]}::date" if bound else "current_date"
    if scan.unit_column == "measured.unit":
        day = "measured.day"
    selected = [
        expression.replace("{day}", day)
        for expression in (*selected, *(f"{sql} as {name}" for name, sql in columns.items()))
    ]
    filters = [condition.replace("{day}", day) for condition in (*scan.filters, *more)]
    glue = " and " if " where " in source else " where "
    where = glue + " and ".join(filters) if filters else ""
    group = f"\ngroup by {', '.join(keys)}" if keys else ""
    return f"select {', '.join(selected)}\n{source}{where}{group}"


def _distinct_rows(
    scan: TableScan, table: str, source: str, distinct: Mapping[str, "re.Match[str]"], *more: str
) -> str:
    """count(distinct) of several measures in one pass: one row per person with a flag for each measure, then the counts."""
    keys = {match[1] for match in distinct.values()}
    if len(keys) > 1:
        return _rows(scan, table, source, {name: match[0] for name, match in distinct.items()}, *more)
    flags = {name: f"bool_or({match[2]})" if match[2] else "true" for name, match in distinct.items()}
    inner = _rows(scan, table, source, flags, *more, key=keys.pop().strip("()"))
    selected = [*scan.dimensions, *(f"count(*) filter (where {name}) as {name}" for name in flags)]
    group = f"\ngroup by {', '.join(scan.dimensions)}" if scan.dimensions else ""
    return f"select {', '.join(selected)}\nfrom (\n{inner}\n){group}"
