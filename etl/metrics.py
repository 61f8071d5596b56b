"""A question becomes one query and one Answer. The door between what is true and what it looks like.

A *state* is measured on a day, a *flow* is counted over a period. What a number means stands in etl/metrics.toml; here is only
how its SQL is put together: one common table expression for each source and condition, united by the question's dimensions.
Values are bound, names come from the catalogue.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import duckdb

from etl import days
from etl.catalogue import (
    CHOICES,
    DIMENSIONS,
    TIME,
    Base,
    Metric,
    QuestionError,
    catalogue,
    derived,
    derived_names,
    expand,
    tables,
)
from etl.normalize import fold, latin_digits
from etl.publication import Publication, describe
from etl.values import places

__all__ = ["Answer", "Metric", "QuestionError", "ask", "catalogue", "derived", "derived_names"]

# A leaver may still turn out to be none for so many days.
_UNSETTLED_DAYS = 89
_DEFAULT_MONTHS = 12
_CELL = ("province", "activity", "gender", "education", "post")
_PLACES = {"province", "county", "institute"}
_DISTINCT = re.compile(
    r"^count\(distinct (person_id|\(person_id, course\))\)(?: filter \(where ((?:(?! filter ).)*)\))?$"
)


@dataclass(frozen=True)
class Answer:
    """The rows that answer a question, the metrics that made them, the query that ran and the load it was read from.

    `columns`: the dimensions asked by, then the metrics asked for, then the parts of ratios. `rows`: tuples of plain values;
    None is an unknown member or a number that does not exist. `provisional`: the units of time that are not over, or whose
    leavers may still return.
    """

    metrics: tuple[Metric, ...]
    by: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    where: dict[str, tuple[str, ...]]
    on: date | None
    over: tuple[date, date] | None
    provisional: frozenset[str]
    query: str
    publication: Publication

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def value(self, metric: str | None = None) -> Any:
        """The number of a one-row answer: of `metric`, or of the first one asked for."""
        name = metric or self.metrics[0].name
        return self.rows[0][self.columns.index(name)] if self.rows else None

    def is_provisional(self, row: Sequence[Any]) -> bool:
        """Whether a row speaks of a unit of time that can still change by itself."""
        return any(name in TIME and row[position] in self.provisional for position, name in enumerate(self.by))


def ask(
    con: duckdb.DuckDBPyConnection,
    *names: str,
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    plain: bool = False,
) -> Answer:
    """Answer a question about the publication that `con` reads.

    `on` is the day of a state (default: the as-of day), `over` the period of a flow, both ends in (default: the last 12
    complete Jalali months); a state takes `over` only by month, quarter or year. `plain` counts every row as the catalogue
    says, without what the build made ready; the answer is the same. Raises QuestionError for a question without meaning.
    """
    publication = describe(con)
    question = _Question(con, publication, names, tuple(by), on, over, dict(where or {}), plain)
    sql, parameters = question.query()
    rows = con.execute(sql, parameters).fetchall()
    return Answer(
        question.metrics,
        question.by,
        (*question.by, *question.shown),
        rows,
        question.where,
        question.on,
        question.over,
        question.provisional(),
        readable(sql, parameters),
        publication,
    )


def rows_on(
    con: duckdb.DuckDBPyConnection, table: str, on: date, where: Mapping[str, Sequence[str]] | None = None
) -> tuple[str, dict[str, Any]]:
    """The rows of a state's table that hold on a day under filters: a SELECT to build on, and its bound values.

    Raises QuestionError for a filter that the table does not know.
    """
    columns = tables()[table].columns
    checked = _members(con, where or {})
    parameters: dict[str, Any] = {"on_day": on}
    conditions = ["valid_from <= $on_day", "valid_until > $on_day"]
    for name, values in checked.items():
        if name not in columns:
            raise QuestionError(f"{table} has no meaning by {name}")
        bound = {f"{name}_{number}": value for number, value in enumerate(values)}
        parameters |= bound
        conditions.append(f"{columns[name]} in ({', '.join('$' + key for key in bound)})")
    return f"select * from {table} where {' and '.join(conditions)}", parameters


class _Question:
    """A question that has a meaning, and its query."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        publication: Publication,
        names: Sequence[str],
        by: tuple[str, ...],
        on: date | None,
        over: tuple[date, date] | None,
        where: dict[str, Sequence[str]],
        plain: bool,
    ) -> None:
        self._con = con
        self._plain = plain
        self.metrics = _known(names)
        self.by = by
        self.where = _members(con, where)
        self._publication = publication
        self._unit = _unit_of_time(by)
        self._places = tuple(name for name in by if name not in TIME)
        self._expressions = {metric.name: metric for metric in self.metrics}
        for metric in self.metrics:
            for part in (metric.numerator, metric.denominator):
                if part:
                    self._expressions.setdefault(part, catalogue()[part])
        self.shown = tuple(self._expressions)
        involved = frozenset(self._places) | self.where.keys()
        self._bases: dict[str, Base] = {}
        for name in self._expressions:
            self._bases |= expand(name, involved)
        for metric in self.metrics:
            _refuse_meaningless(metric, self._places, self.where)
        self._settle_days(on, over)

    def _settle_days(self, on: date | None, over: tuple[date, date] | None) -> None:
        kinds = {metric.kind for metric in self.metrics}
        if kinds == {"flow"} and on:
            raise QuestionError("a flow is counted over a period: --over, not --on")
        if kinds == {"state"} and over and not self._unit:
            raise QuestionError("a state is measured on a day: --on, or --over with --by month, quarter or year")
        if self._unit and on:
            raise QuestionError(f"by {self._unit} a state is measured at the end of each: --over, not --on")
        as_of = self._publication.as_of
        self.on = (on or as_of) if "state" in kinds and not self._unit else None
        needs_period = "flow" in kinds or self._unit
        self.over = (over or days.last_complete_months(as_of, _DEFAULT_MONTHS)) if needs_period else None
        self._units = list(days.units_between(*self.over, self._unit)) if self.over and self._unit else []

    def provisional(self) -> frozenset[str]:
        """The units that can still change by themselves."""
        first_open = self._publication.as_of
        if any(base.unsettled for base in self._bases.values()):
            first_open -= timedelta(days=_UNSETTLED_DAYS)
        return frozenset(unit.label for unit in self._units if unit.last > first_open)

    # ---- the query

    def query(self) -> tuple[str, dict[str, Any]]:
        """The SQL and the values bound in it."""
        self._parameters: dict[str, Any] = {}
        self._bound: dict[Any, str] = {}
        sources: dict[tuple[str, ...], _Source | _Stock] = {}
        for base in self._bases.values():
            source = self._stock(base) if self._is_in_stock(base) else self._source(base)
            known = sources.setdefault(source.signature, source)
            known.columns[base.name] = base
        ctes: list[str] = []
        main: list[tuple[str, _Source | _Stock]] = []
        side: list[tuple[str, _Source | _Stock]] = []
        for number, source in enumerate(sources.values()):
            name = f"{source.table}_{number}"
            text = source.select() if isinstance(source, _Source) else self._select_stock(source)
            ctes.append(f"{name} as (\n{text}\n)")
            (side if source.is_side else main).append((name, source))
        if not main:
            lacking = [name for name in self.by if any(name not in source.dimensions for _, source in side)]
            if lacking:
                raise QuestionError(f"{self.metrics[0].name} has no meaning by {lacking[0]}")
            main, side = side, []
        ctes += self._united(main)
        return self._final(ctes, side), self._parameters

    def _united(self, main: "list[tuple[str, _Source | _Stock]]") -> list[str]:
        united = [f"select * from {name}" for name, _ in main]
        if spine := self._spine():
            united.append(spine)
        names = [base for _, source in main for base in source.columns]
        if not united:
            united = ["select 1 as one"]
        dimensions = [*self.by]
        columns = dimensions + [f"max({name}) as {name}" for name in names]
        if not columns:
            columns = ["max(one) as one"]
        union = "\n    union all by name\n    ".join(united)
        group = f"\n    group by {', '.join(dimensions)}" if dimensions else ""
        return [f"met as (\n    select {', '.join(columns)}\n    from (\n    {union}\n    ){group}\n)"]

    def _final(self, ctes: list[str], side: "list[tuple[str, _Source | _Stock]]") -> str:
        zero = {base.name: base for base in self._bases.values()}
        owner = {base: name for name, source in side for base in source.columns}
        cells = {
            name: (f"coalesce({owner.get(name, 'met')}.{name}, 0)" if base.zero else f"{owner.get(name, 'met')}.{name}")
            for name, base in zero.items()
        }
        columns = [f"met.{name}" for name in self.by]
        columns += [f"{_resolved(name, cells)} as {name}" for name in self.shown]
        joins = "".join(
            f"\nleft join {name} on "
            + (" and ".join(f"{name}.{one} is not distinct from met.{one}" for one in source.dimensions) or "true")
            for name, source in side
        )
        order = f"\norder by {', '.join(f'met.{name}' for name in self.by)}" if self.by else ""
        return f"with {', '.join(ctes)}\nselect {', '.join(columns)}\nfrom met{joins}{order}"

    def _spine(self) -> str:
        """Every province, and every unit of time counted over, has a row; of other dimensions only the members met."""
        if self.by == ("province",):
            return f"select iso_3166_2 as province from provinces{self._filter({'province': 'iso_3166_2'})}"
        if len(self.by) == 1 and self._unit:
            labels = [unit.label for unit in self._units]
            if all(metric.kind == "state" for metric in self.metrics):
                labels = [label for label, _ in self._state_days()]
            if not labels:
                return f"select null::varchar as {self._unit} where false"
            return f"select unnest({self._bind(labels)}::varchar[]) as {self._unit}"
        return ""

    # ---- sources

    def _source(self, base: Base) -> "_Source":
        table = tables()[base.table]
        place = {} if base.whole else table.columns
        dimensions = [name for name in self._places if name in place or (base.whole and name in table.kept_by_whole)]
        columns = {name: table.columns[name] for name in dimensions}
        ignored = {"province", "county", "institute"} if base.whole else frozenset(table.ignores)
        filters = self._conditions({k: v for k, v in table.columns.items() if k not in ignored})
        if base.where:
            filters.append(base.where)
        is_side = base.whole or table.is_side or len(dimensions) < len(self._places)
        clock, time_column = self._clock(base)
        unit = [self._unit] if self._unit and time_column else []
        return _Source(
            base.table,
            clock.replace("{table}", base.table),
            tuple(filters),
            tuple(columns.items()),
            tuple(unit),
            time_column,
            is_side,
            self._plain or "course" in self.where,
            clock.replace("{table}", f"{base.table}_shared") if f"{base.table}_shared" in tables() else "",
        )

    def _clock(self, base: Base) -> tuple[str, str]:
        """The FROM of a base, with the condition that ties its rows to a day or a period, and where its unit is read."""
        kind = tables()[base.table].kind
        if kind == "constant":
            return "from {table}", ""
        if base.kind == "flow" and not base.at_end:
            first, last = self.over or (date.min, date.min)
            period = f"{base.day} between {self._bind(first)} and {self._bind(last)}"
            if not self._unit:
                return f"from {{table}} where {period}", ""
            return (
                f"from {{table}} inner join calendar on calendar.day = {base.day} where {period}",
                f"calendar.{self._unit}",
            )
        days_measured = self._end_days() if base.at_end else self._state_days()
        moment = f"cast(measured.day - to_months({base.lag_months}) as date)" if base.lag_months else "measured.day"
        if base.trailing:
            start, end = base.trailing
            tie = (
                f"{base.day} > cast(measured.day - to_months({start}) as date) "
                f"and {base.day} <= cast(measured.day - to_months({end}) as date)"
            )
        elif base.outstanding:
            tie = base.outstanding.replace("{day}", moment)
        else:
            tie = f"{{table}}.valid_from <= {moment} and {{table}}.valid_until > {moment}"
        if not self._unit:
            day = days_measured[0][1]
            bound = self._bind(day)
            return f"from {{table}} where {tie.replace('measured.day', bound)}", ""
        return (
            f"from {self._measured(days_measured)} inner join {{table}} on {tie} where true",
            "measured.unit",
        )

    def _measured(self, listed: Sequence[tuple[Any, ...]], *more: str) -> str:
        """Units of time with their days, as a table to join with."""
        columns = list(zip(*listed, strict=True)) or [()] * (2 + len(more))
        types = ("varchar", *["date"] * (1 + len(more)))
        cells = ", ".join(
            f"unnest({self._bind(list(column))}::{kind}[]) as {name}"
            for name, column, kind in zip(("unit", "day", *more), columns, types, strict=True)
        )
        return f"(select {cells}) as measured"

    # ---- what the build made ready

    def _is_in_stock(self, base: Base) -> bool:
        """Whether a base can be read from stock_months and stock_changes: they know five dimensions."""
        if self._plain or not base.stock:
            return False
        asked = {*self._places, *self.where} - (_PLACES if base.whole else set()) - set(base.ignores)
        return asked <= set(_CELL) and (base.whole or set(self._places) <= set(_CELL))

    def _stock(self, base: Base) -> "_Stock":
        dimensions = tuple(name for name in self._places if not (base.whole and name in _PLACES))
        days_measured = self._end_days() if base.at_end else self._state_days()
        moved = tuple((label, days.add_months(day, -base.lag_months)) for label, day in days_measured)
        unit = (self._unit,) if self._unit else ()
        return _Stock(moved, unit, dimensions, base.whole, base.whole or len(dimensions) < len(self._places))

    def _select_stock(self, stock: "_Stock") -> str:
        """The running total at the end of the month before, the changes since, and those with several spells one by one."""
        first, last = self._publication.kept_months or (date.max, date.min)
        listed = [(label, day, _checkpoint(day, first, last)) for label, day in stock.measured]
        opened = [one for one in listed if one[2] < one[1]]
        keys = ", ".join((*stock.unit, *stock.grouped))
        keys = f"{keys}, " if keys else ""
        columns = {base.name: base.stock for base in stock.columns.values()}
        if "compliant_assistants" in columns.values():
            # A group without anyone compliant is still met.
            columns["met_active"] = "active_assistants"
        filters = self._conditions({name: name for name in _CELL if not (stock.whole and name in _PLACES)})
        parts = [self._stock_months(listed, stock, columns, filters)]
        if opened:
            parts.append(self._stock_changes(opened, stock, columns, filters))
        parts += self._shared_parts(stock, "met_active" in columns)
        sums = ", ".join(f"sum({name}) as {name}" for name in stock.columns)
        group = f"\n    group by {keys[:-2]}" if keys else ""
        having = " or ".join(f"sum({name}) <> 0" for name in columns)
        union = "\n    union all by name\n".join(parts)
        return f"    select {keys}{sums}\n    from (\n{union}\n    ){group}\n    having {having}"

    def _stock_months(
        self,
        listed: Sequence[tuple[str, date, date]],
        stock: "_Stock",
        columns: Mapping[str, str],
        filters: Sequence[str],
    ) -> str:
        """The running totals at the checkpoints: summed month by month first, for several units may rest on one."""
        if not stock.unit:
            tie = f"day = {self._bind(listed[0][2])}"
            return _sums("stock_months", stock.grouped, columns, [tie, *filters])
        kept = [checkpoint for _, _, checkpoint in listed] or [date.min]
        tie = f"day between {self._bind(min(kept))} and {self._bind(max(kept))}"
        inner = _sums("stock_months", ("day", *stock.grouped), columns, [tie, *filters])
        shown = [f"measured.unit as {stock.unit[0]}", *(f"kept.{name}" for name in (*stock.grouped, *columns))]
        return (
            f"    select {', '.join(shown)} from {self._measured(listed, 'checkpoint')} inner join (\n{inner}\n    ) as kept "
            "on kept.day = measured.checkpoint"
        )

    def _stock_changes(
        self,
        opened: Sequence[tuple[str, date, date]],
        stock: "_Stock",
        columns: Mapping[str, str],
        filters: Sequence[str],
    ) -> str:
        """The changes between a checkpoint and the day measured."""
        if not stock.unit:
            _, day, checkpoint = opened[0]
            tie = f"day > {self._bind(checkpoint)} and day <= {self._bind(day)}"
            return _sums("stock_changes", stock.grouped, columns, [tie, *filters])
        source = (
            f"{self._measured(opened, 'checkpoint')} inner join stock_changes "
            "on stock_changes.day > measured.checkpoint and stock_changes.day <= measured.day"
        )
        return _sums(source, stock.grouped, columns, filters, f"measured.unit as {stock.unit[0]}")

    def _shared_parts(self, stock: "_Stock", met: bool) -> list[str]:
        sources: dict[tuple[str, ...], _Source] = {}
        bases = [replace(base, table=f"{base.table}_shared", stock="") for base in stock.columns.values()]
        if met:
            at_end = any(base.at_end for base in bases)
            bases.append(Base("met_active", "readiness_shared", "count(distinct person_id)", "state", at_end=at_end))
        for base in bases:
            source = self._source(base)
            sources.setdefault(source.signature, source).columns[base.name] = base
        return [source.select() for source in sources.values()]

    def _state_days(self) -> list[tuple[str, date]]:
        """The days on which states are measured: the last of each unit within the period, the unit not over on the as-of day."""
        if not self._unit:
            return [("", self.on or self._publication.as_of)]
        as_of = self._publication.as_of
        last = self.over[1] if self.over else as_of
        found = []
        for unit in self._units:
            if unit.first <= as_of < unit.last:
                found.append((unit.label, as_of))
            elif unit.last <= min(last, as_of):
                found.append((unit.label, unit.last))
        return found

    def _end_days(self) -> list[tuple[str, date]]:
        """The last day of the period, or of each unit of it."""
        as_of = self._publication.as_of
        last = self.over[1] if self.over else as_of
        if not self._unit:
            return [("", min(last, as_of))]
        return [(unit.label, min(unit.last, last, as_of)) for unit in self._units]

    # ---- filters

    def _conditions(self, columns: Mapping[str, str]) -> list[str]:
        return [
            f"{columns[name]} in ({', '.join(self._bind(value) for value in values)})"
            for name, values in self.where.items()
            if name in columns
        ]

    def _filter(self, columns: Mapping[str, str]) -> str:
        conditions = self._conditions(columns)
        return f" where {' and '.join(conditions)}" if conditions else ""

    def _bind(self, value: Any) -> str:
        key = (type(value), tuple(value) if isinstance(value, list) else value)
        if key not in self._bound:
            self._bound[key] = f"p{len(self._bound) + 1}"
            self._parameters[self._bound[key]] = value
        return f"${self._bound[key]}"


@dataclass
class _Stock:
    """Bases read from the running totals: the days they are measured on, and by what they are grouped."""

    measured: tuple[tuple[str, date], ...]
    unit: tuple[str, ...]
    grouped: tuple[str, ...]
    whole: bool
    is_side: bool
    columns: dict[str, Base] = field(default_factory=dict)
    table: str = "stock"

    @property
    def signature(self) -> tuple[str, ...]:
        return ("stock", str(self.measured), str(self.whole), str(self.is_side))

    @property
    def dimensions(self) -> tuple[str, ...]:
        return (*self.unit, *self.grouped)


@dataclass
class _Source:
    """One SELECT: the bases that read the same rows of one table."""

    table: str
    clock: str
    filters: tuple[str, ...]
    grouped: tuple[tuple[str, str], ...]
    unit: tuple[str, ...]
    time_column: str
    is_side: bool
    plain: bool
    # The same rows among those of persons with several spells, where the build laid them aside.
    shared_clock: str = ""
    columns: dict[str, Base] = field(default_factory=dict)

    @property
    def signature(self) -> tuple[str, ...]:
        return (self.clock, *self.filters, *(name for name, _ in self.grouped), str(self.is_side))

    @property
    def dimensions(self) -> tuple[str, ...]:
        return (*self.unit, *(name for name, _ in self.grouped))

    def select(self) -> str:
        """The SELECT. Who has one spell then is counted without looking who it is, the others person by person."""
        counted = {name: self._told_apart(base) for name, base in self.columns.items()}
        if not all(counted.values()):
            return self._rows(self.table, self.clock, {name: base.sql for name, base in self.columns.items()})
        met = {name: found for name, found in counted.items() if found}
        if self.table.endswith("_shared"):
            return self._one_by_one(self.table, self.clock, met)
        sole = {name: f"count(*) filter (where {_and('is_sole', found[2])})" for name, found in met.items()}
        parts = [self._rows(self.table, self.clock, sole)]
        if self.shared_clock:
            parts.append(self._one_by_one(f"{self.table}_shared", self.shared_clock, met))
        else:
            parts.append(self._one_by_one(self.table, self.clock, met, "not is_sole"))
        shown = [*self.dimensions, *(f"sum({name}) as {name}" for name in self.columns)]
        group = f"\n    group by {', '.join(self.dimensions)}" if self.dimensions else ""
        union = "\n    union all by name\n".join(parts)
        return f"    select {', '.join(shown)}\n    from (\n{union}\n    ){group}"

    def _told_apart(self, base: Base) -> "re.Match[str] | None":
        """What a base counts, where those with one spell can be counted without looking who they are."""
        sole = tables()[self.table].sole
        found = _DISTINCT.match(base.sql)
        if self.plain or not sole or not found:
            return None
        # Of several courses a person has several rows: there only person and course together are one.
        return found if found[1] == sole or "course" in dict(self.grouped) else None

    def _rows(self, table: str, clock: str, columns: Mapping[str, str], *more: str, by: str = "") -> str:
        """A SELECT of the rows on the clock that pass the filters, grouped by the dimensions (and by who, where given)."""
        shown = [f"{self.time_column} as {name}" for name in self.unit]
        shown += [f"{table}.{column} as {name}" for name, column in self.grouped]
        keys = [str(n + 1) for n in range(len(shown))]
        day = "measured.day" if self.unit and self.time_column == "measured.unit" else _bound_day(self.clock)
        shown += [f"{sql.replace('{day}', day)} as {name}" for name, sql in columns.items()]
        filters = [one.replace("{day}", day) for one in (*self.filters, *more)]
        glue = " and " if " where " in clock else " where "
        conditions = glue + " and ".join(filters) if filters else ""
        keys += [by] if by else []
        group = f"\n    group by {', '.join(keys)}" if keys else ""
        return f"    select {', '.join(shown)}\n    {clock}{conditions}{group}"

    def _one_by_one(self, table: str, clock: str, counted: Mapping[str, re.Match[str]], *more: str) -> str:
        """Each person (or person and course) met once, with which of the numbers they count in; then how many those are."""
        who = {found[1] for found in counted.values()}
        if len(who) > 1:
            return self._rows(table, clock, {name: found[0] for name, found in counted.items()}, *more)
        met = {name: f"bool_or({found[2]})" if found[2] else "true" for name, found in counted.items()}
        inner = self._rows(table, clock, met, *more, by=who.pop().strip("()"))
        shown = [*self.dimensions, *(f"count(*) filter (where {name}) as {name}" for name in met)]
        group = f"\n    group by {', '.join(self.dimensions)}" if self.dimensions else ""
        return f"    select {', '.join(shown)}\n    from (\n{inner}\n    ){group}"


def _and(one: str, other: str | None) -> str:
    return f"{other} and {one}" if other else one


def _sums(
    source: str, keys: Sequence[str], columns: Mapping[str, str], conditions: Sequence[str], unit: str = ""
) -> str:
    """The sums of running totals or changes by the keys (and by a unit of time, where given)."""
    shown = [unit] if unit else []
    shown += [*keys, *(f"sum({column}) as {name}" for name, column in columns.items())]
    keyed = len(keys) + bool(unit)
    where = f" where {' and '.join(conditions)}" if conditions else ""
    group = f" group by {', '.join(str(n + 1) for n in range(keyed))}" if keyed else ""
    return f"    select {', '.join(shown)} from {source}{where}{group}"


def _checkpoint(day: date, first: date, last: date) -> date:
    """The last day of a month, up to `day`, whose running totals are kept; the beginning of days before the first."""
    unit = days.unit_of(day, "month")
    kept = min(day if unit.last == day else unit.first - days.DAY, last)
    return kept if kept >= first else date(1, 1, 1)


def _bound_day(clock: str) -> str:
    found = re.search(r"\$p[0-9]+", clock)
    return f"{found[0]}::date" if found else "current_date"


def _known(names: Sequence[str]) -> tuple[Metric, ...]:
    metrics = []
    for name in dict.fromkeys(names):
        if name not in catalogue():
            raise QuestionError(f"no metric is called {name}; see python -m etl metrics")
        metrics.append(catalogue()[name])
    if not metrics:
        raise QuestionError("a question names at least one metric")
    return tuple(metrics)


def _unit_of_time(by: Sequence[str]) -> str:
    for name in by:
        if name not in DIMENSIONS:
            raise QuestionError(f"no dimension is called {name}; there are {', '.join(DIMENSIONS)}")
    if len(set(by)) < len(by):
        raise QuestionError("a dimension is named twice")
    units = [name for name in by if name in TIME]
    if len(units) > 1:
        raise QuestionError("one of month, quarter and year at a time")
    return units[0] if units else ""


def _refuse_meaningless(metric: Metric, by: Sequence[str], where: Mapping[str, Any]) -> None:
    for name in (*by, *where):
        if name not in metric.dimensions:
            raise QuestionError(f"{metric.name} has no meaning by {name}")
    together = {name for name in (*by, *where) if name in metric.apart}
    if len(together) > 1:
        raise QuestionError(f"{metric.name} takes one of {', '.join(sorted(together))}, not both")


def _members(con: duckdb.DuckDBPyConnection, where: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    checked = {}
    for name, given in where.items():
        if name not in DIMENSIONS:
            raise QuestionError(f"no dimension is called {name}; there are {', '.join(DIMENSIONS)}")
        if name in TIME:
            raise QuestionError(f"a period is given with --over, not with --where {name}")
        checked[name] = tuple(dict.fromkeys(_member(con, name, value) for value in given))
        if not checked[name]:
            raise QuestionError(f"--where {name} names no value")
    return checked


def _member(con: duckdb.DuckDBPyConnection, dimension: str, value: str) -> str:
    """`value` as the dimension's own member. Raises QuestionError for an unknown one."""
    found: str | None = None
    if dimension in ("province", "origin"):
        found = places().provinces.get(fold(value))
    elif dimension in CHOICES:
        found = CHOICES[dimension].get(fold(value))
    else:
        table, column = {
            "county": ("counties", "sci_code"),
            "institute": ("institutes", "institute_code"),
            "course": ("courses", "course_code"),
        }[dimension]
        row = con.execute(
            f"select {column} from {table} where lower({column}) = lower($value) order by {column} <> $value limit 1",
            {"value": latin_digits(value)},
        ).fetchone()
        found = row[0] if row else None
    if found is None:
        raise QuestionError(f"no {dimension} is called {value!r}")
    return found


@cache
def _formula(name: str) -> str:
    return catalogue()[name].sql


def _resolved(name: str, cells: Mapping[str, str]) -> str:
    """The expression of a metric over the cells of its bases."""
    if name in cells:
        return cells[name]
    return re.sub(r"\{(\w+)\}", lambda found: f"({_resolved(found[1], cells)})", _formula(name))


def readable(sql: str, parameters: Mapping[str, Any]) -> str:
    """The query with its values written in, to be read and pasted, not run from here."""

    def written(found: re.Match[str]) -> str:
        value = parameters[found[1]]
        if isinstance(value, date):
            return f"date '{value}'"
        if isinstance(value, list):
            return "[" + ", ".join("'" + str(one).replace("'", "''") + "'" for one in value) + "]"
        return "'" + str(value).replace("'", "''") + "'"

    return re.sub(r"\$(\w+)\b", written, sql)
