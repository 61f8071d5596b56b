"""What a question means, what it reads of the publication, and the rows that answer it.

Values are bound, names come from the catalogue.
"""

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb

from etl import days
from etl.catalogue import TIME, Base, QuestionError, catalogue, expand, tables
from etl.members import known, members, others, refuse_meaningless, unit_of_time
from etl.publication import Publication
from etl.readings import Key, Reading, Select, formula, in_order, put_together
from etl.selects import CELL, PLACES, Source, Stock, checkpoint, met_twice, sums

# A leaver may still turn out to be none for so many days.
_UNSETTLED_DAYS = 89
_DEFAULT_MONTHS = 12
_AHEAD = re.compile(r"\{day\} \+ ([0-9]+)")


class Question:
    """A question that has a meaning, and its answer."""

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
        self.metrics = known(names)
        self.by = by
        self.where = members(con, where)
        self._publication = publication
        self._unit = unit_of_time(by)
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
            refuse_meaningless(metric, self._places, self.where)
        self._settle_days(on, over)
        self._parameters: dict[str, Any] = {}
        self._bound: dict[Any, str] = {}
        self._readings = self._read()

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

    # ---- the answer

    def rows(self) -> list[tuple[Any, ...]]:
        """The members asked by, then the numbers shown; members in their order, what is not known last."""
        fetched: dict[str, list[tuple[Any, ...]]] = {}

        def fetch(sql: str) -> list[tuple[Any, ...]]:
            if sql not in fetched:
                fetched[sql] = self._con.execute(sql, _named_in(sql, self._parameters)).fetchall()
            return fetched[sql]

        zeros = {base.name: base.zero for base in self._bases.values()}
        met = put_together(self._readings, fetch, self.by, self._always(), zeros)
        if all(name in zeros for name in self.shown):
            places = [[*zeros].index(name) for name in self.shown]
            return [(*key, *map(met[key].__getitem__, places)) for key in in_order(met)]
        works = [operator.itemgetter(name) if name in zeros else formula(name) for name in self.shown]
        rows = []
        for key in in_order(met):
            cells = dict(zip(zeros, met[key], strict=True))
            rows.append((*key, *[work(cells) for work in works]))
        return rows

    def written(self) -> str:
        """The queries and what is worked out of them, to be read and pasted."""
        selects = dict.fromkeys(select.sql for reading in self._readings for select in reading.selects)
        worked_out = [
            f"-- {name} = {re.sub(r'[{}]', '', catalogue()[name].sql)}"
            for name in self.shown
            if name not in self._bases
        ]
        return ";\n\n".join(readable(sql, self._parameters) for sql in selects) + "".join(
            f"\n{one}" for one in worked_out
        )

    def _read(self) -> list[Reading]:
        sources: dict[tuple[str, ...], Source | Stock] = {}
        for base in map(self._dated, self._bases.values()):
            if self._is_constant(base):
                continue
            source = self._stock(base) if self._is_in_stock(base) else self._source(base)
            sources.setdefault(source.signature, source).columns[base.name] = base
        readings = self._read_both(sources)
        for signature, source in sources.items():
            if signature not in readings:
                readings[signature] = self._read_stock(source) if isinstance(source, Stock) else source.reading()
        if readings and all(reading.is_side for reading in readings.values()):
            lacking = [name for name in self.by if any(name not in one.dimensions for one in readings.values())]
            if lacking:
                raise QuestionError(f"{self.metrics[0].name} has no meaning by {lacking[0]}")
        return [readings[signature] for signature in sources]

    def _always(self) -> dict[Key, dict[str, Any]]:
        """Every province, and every unit of time counted over, has a row; of other dimensions only the members met."""
        if not self.by:
            return {(): {}}
        if self.by == ("province",):
            columns = {name: base.constant for name, base in self._bases.items() if self._is_constant(base)}
            chosen = self.where.get("province", self._publication.provinces)
            return {
                (province,): {name: told[column] for name, column in columns.items()}
                for province, told in self._publication.provinces.items()
                if province in chosen
            }
        if len(self.by) == 1 and self._unit:
            if all(metric.kind == "state" for metric in self.metrics):
                return {(label,): {} for label, _ in self._state_days()}
            return {(unit.label,): {} for unit in self._units}
        return {}

    # ---- sources

    def _dated(self, base: Base) -> Base:
        """The base with the days ahead of the one that it is measured on reckoned: DuckDB takes long to find its sum for each."""
        if self._plain or self._unit or not (base.kind == "state" or base.at_end):
            return base
        ((_, day),) = self._end_days() if base.at_end else self._state_days()

        def ahead(found: re.Match[str]) -> str:
            return self._bind(day + min(timedelta(int(found[1])), date.max - day))

        return replace(base, sql=_AHEAD.sub(ahead, base.sql), where=_AHEAD.sub(ahead, base.where))

    def _source(self, base: Base) -> "Source":
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
        shared = f"{table.model}_shared"
        return Source(
            table.model,
            clock.replace("{table}", table.model),
            tuple(filters),
            tuple(columns.items()),
            tuple(unit),
            time_column,
            is_side,
            self._plain or "course" in self.where,
            clock.replace("{table}", shared) if shared in tables() else "",
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

    def _is_constant(self, base: Base) -> bool:
        """Whether a base is told with the provinces: nothing but a province narrows it."""
        if self._plain or not base.constant or self.by != ("province",):
            return False
        return base.whole or self.where.keys() - set(tables()[base.table].ignores) <= {"province"}

    def _is_in_stock(self, base: Base) -> bool:
        """Whether a base can be read from the running totals: they know five dimensions."""
        if self._plain or not base.stock:
            return False
        asked = {*self._places, *self.where} - (PLACES if base.whole else set()) - set(base.ignores)
        return asked <= set(CELL) and (base.whole or set(self._places) <= set(CELL))

    def _stock(self, base: Base) -> "Stock":
        dimensions = tuple(name for name in self._places if not (base.whole and name in PLACES))
        days_measured = self._end_days() if base.at_end else self._state_days()
        lag = base.lag_months
        moved = tuple((label, days.add_months(day, -lag) if lag else day) for label, day in days_measured)
        unit = (self._unit,) if self._unit else ()
        return Stock(moved, unit, dimensions, base.whole, base.whole or len(dimensions) < len(self._places))

    def _read_stock(self, stock: "Stock") -> Reading:
        """The running total at the end of the month before and the changes since; those with many spells one by one."""
        columns = _columns(stock)
        filters = self._cells(stock)
        pairs = met_twice(stock.grouped, filters)
        if stock.unit:
            selects = self._select_units(stock, columns, filters, pairs)
        else:
            conditions = [self._since(*self._listed(stock)[0][1:]), *filters, *_of_all(pairs)]
            selects = [Select(sums("stock", stock.grouped, columns, conditions), (*stock.grouped, *columns))]
        if self._publication.has_many:
            selects += self._select_many(stock, "met_active" in columns)
        return Reading(tuple(selects), stock.dimensions, tuple(stock.columns), stock.is_side, met=tuple(columns))

    def _cells(self, stock: "Stock") -> list[str]:
        """The conditions on cells of the running totals."""
        return self._conditions({name: name for name in CELL if not (stock.whole and name in PLACES)})

    def _listed(self, stock: "Stock") -> list[tuple[str, date, date]]:
        """Each unit of time with its day and the last checkpoint before."""
        first, last = self._publication.kept_months or (date.max, date.min)
        return [(label, day, checkpoint(day, first, last)) for label, day in stock.measured]

    def _read_both(self, sources: "Mapping[tuple[str, ...], Source | Stock]") -> dict[tuple[str, ...], Reading]:
        """What is asked by province and what of the nation on the same day, from one SELECT; nothing where not both are."""
        stocks = sorted((one for one in sources.values() if isinstance(one, Stock)), key=lambda stock: stock.whole)
        if [stock.whole for stock in stocks] != [False, True] or self._unit or self._publication.has_many:
            return {}
        place, nation = stocks
        if "province" not in place.grouped or place.measured != nation.measured:
            return {}
        columns: dict[str, str] = {}
        for stock in stocks:
            pairs = met_twice(stock.grouped, self._cells(stock))
            where = f" filter (where {_of_all(pairs)[0]})" if pairs else ""
            columns |= {name: f"sum({column}){where}" for name, column in _columns(stock).items()}
        conditions = [self._since(*self._listed(place)[0][1:]), *self._cells(nation)]
        shown = [*place.grouped, *(f"{number} as {name}" for name, number in columns.items())]
        sql = (
            f"select {', '.join(shown)}\nfrom stock\nwhere {' and '.join(conditions)}\n"
            f"group by {', '.join(place.grouped)}"
        )
        one = (Select(sql, (*place.grouped, *columns)),)
        chosen = frozenset(self.where["province"]) if "province" in self.where else None
        return {
            stock.signature: Reading(
                one,
                stock.dimensions,
                tuple(stock.columns),
                stock.is_side,
                None if stock.whole else chosen,
                tuple(_columns(stock)),
            )
            for stock in stocks
        }

    def _since(self, day: date, checkpoint: date) -> str:
        """The total at a checkpoint and the changes from there up to a day."""
        kept = self._bind(checkpoint)
        return f"day between {kept} and {self._bind(day)} and is_total = (day = {kept})"

    def _select_units(
        self, stock: "Stock", columns: Mapping[str, str], filters: Sequence[str], pairs: str
    ) -> list[Select]:
        """The totals of each unit's checkpoint, and the changes since of those units that do not end with one."""
        listed = self._listed(stock)
        units: dict[date, list[str]] = {}
        for label, _, since in listed:
            units.setdefault(since, []).append(label)
        kept = [*units] or [date.min]
        totals = ["is_total", f"day between {self._bind(min(kept))} and {self._bind(max(kept))}", *filters]
        # Pairs are read by themselves: their other cells are columns that no total has.
        kinds = [["not is_pair"], ["is_pair", pairs]] if pairs else [[]]
        summed = [sums("stock", ("day", *stock.grouped), columns, [*totals, *kind]) for kind in kinds]
        told = (*stock.grouped, *columns)
        selects = [Select("\nunion all\n".join(summed), (*stock.unit, *told), units)]
        opened = [one for one in listed if one[2] < one[1]]
        changes = ["not is_total", *filters, *_of_all(pairs)]
        if len(opened) == 1:
            # Told to the scan itself, it skips all other days.
            ((label, day, since),) = opened
            unit = f"{self._bind(label)}::varchar as {stock.unit[0]}"
            since_then = f"day > {self._bind(since)} and day <= {self._bind(day)}"
            sql = sums("stock", stock.grouped, columns, [since_then, *changes], unit)
            selects.append(Select(sql, (*stock.unit, *told)))
        elif opened:
            tie = "stock.day > measured.checkpoint and stock.day <= measured.day"
            source = f"{self._measured(opened, 'checkpoint')} inner join stock on {tie}"
            sql = sums(source, stock.grouped, columns, changes, f"measured.unit as {stock.unit[0]}")
            selects.append(Select(sql, (*stock.unit, *told)))
        return selects

    def _select_many(self, stock: "Stock", met: bool) -> list[Select]:
        sources: dict[tuple[str, ...], Source] = {}
        bases = [replace(base, table=f"{base.table}_many", stock="") for base in stock.columns.values()]
        if met:
            at_end = any(base.at_end for base in bases)
            bases.append(Base("met_active", "readiness_many", "count(distinct person_id)", "state", at_end=at_end))
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
        return [self._is_one_of(columns[name], name, values) for name, values in self.where.items() if name in columns]

    def _is_one_of(self, column: str, dimension: str, values: Sequence[str]) -> str:
        """The condition on a column; every member named is compared with every row, so the fewer are named."""
        rest = others(dimension, values)
        if self._plain or rest is None or len(rest) >= len(values):
            return f"{column} in ({', '.join(self._bind(value) for value in values)})"
        return (
            f"{column} not in ({', '.join(self._bind(value) for value in rest)})" if rest else f"{column} is not null"
        )

    def _bind(self, value: Any) -> str:
        key = (type(value), tuple(value) if isinstance(value, list) else value)
        if key not in self._bound:
            self._bound[key] = f"p{len(self._bound) + 1}"
            self._parameters[self._bound[key]] = value
        return f"${self._bound[key]}"


def _columns(stock: Stock) -> dict[str, str]:
    """The columns of the running totals to sum, by the names of their bases."""
    columns = {base.name: base.stock for base in stock.columns.values()}
    if "compliant_assistants" in columns.values() and "active_assistants" not in columns.values():
        # A group without anyone compliant is still met.
        columns["met_active"] = "active_assistants"
    return columns


def _of_all(pairs: str) -> list[str]:
    """The condition on pairs, as one on any row."""
    return [f"(not is_pair or ({pairs}))"] if pairs else []


def _named_in(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in re.findall(r"\$(p[0-9]+)", sql)}


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
