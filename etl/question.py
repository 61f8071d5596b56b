"""What a question means, and its query: one common table expression for each source and condition, united by its dimensions.

Values are bound, names come from the catalogue.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import duckdb

from etl import days
from etl.catalogue import TIME, Base, QuestionError, catalogue, expand, tables
from etl.members import known, members, others, refuse_meaningless, unit_of_time
from etl.publication import Publication
from etl.selects import CELL, PLACES, Source, Stock, checkpoint, met_twice, rows_of, sums

# A leaver may still turn out to be none for so many days.
_UNSETTLED_DAYS = 89
_DEFAULT_MONTHS = 12
_AHEAD = re.compile(r"\{day\} \+ ([0-9]+)")


class Question:
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
        sources: dict[tuple[str, ...], Source | Stock] = {}
        for base in map(self._dated, self._bases.values()):
            if self._is_constant(base):
                continue
            source = self._stock(base) if self._is_in_stock(base) else self._source(base)
            known = sources.setdefault(source.signature, source)
            known.columns[base.name] = base
        ctes: list[str] = []
        main: list[tuple[str, Source | Stock]] = []
        side: list[tuple[str, Source | Stock]] = []
        texts: dict[tuple[str, ...], str] = {}
        if both := self._place_and_nation(sources.values()):
            everywhere, texts = self._select_both(*both)
            ctes.append(f"stock_everywhere as materialized (\n{everywhere}\n)")
        for number, source in enumerate(sources.values()):
            name = f"{source.table}_{number}"
            text = texts.get(source.signature) or (
                self._select_stock(source) if isinstance(source, Stock) else source.select()
            )
            ctes.append(f"{name} as (\n{text}\n)")
            (side if source.is_side else main).append((name, source))
        if not main:
            lacking = [name for name in self.by if any(name not in source.dimensions for _, source in side)]
            if lacking:
                raise QuestionError(f"{self.metrics[0].name} has no meaning by {lacking[0]}")
            main, side = side, []
        return self._final(ctes, self._met(main), side), self._parameters

    def _met(self, main: "list[tuple[str, Source | Stock]]") -> str:
        """The rows that are met: what the sources found by the dimensions asked by, and the members that are always told."""
        spine = self._spine()
        if (
            len(main) == 1
            and set(main[0][1].dimensions) == set(self.by)
            and (self.by or isinstance(main[0][1], Source))
        ):
            # One source is not united with anything: that takes longer than most sources do.
            if not spine:
                return f"{main[0][0]} as met"
            return f"(select * from ({spine}) full join {main[0][0]} using ({', '.join(self.by)})) as met"
        united = [f"select * from {name}" for name, _ in main]
        if spine:
            united.append(spine)
        names = [base for _, source in main for base in source.columns] + self._constants()
        if not united:
            united = ["select 1 as one"]
        dimensions = [*self.by]
        columns = dimensions + [f"max({name}) as {name}" for name in names]
        if not columns:
            columns = ["max(one) as one"]
        union = "\n    union all by name\n    ".join(united)
        group = f"\n    group by {', '.join(dimensions)}" if dimensions else ""
        return f"(\n    select {', '.join(columns)}\n    from (\n    {union}\n    ){group}\n) as met"

    def _final(self, ctes: list[str], met: str, side: "list[tuple[str, Source | Stock]]") -> str:
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
        ready = f"with {', '.join(ctes)}\n" if ctes else ""
        return f"{ready}select {', '.join(columns)}\nfrom {met}{joins}{order}"

    def _spine(self) -> str:
        """Every province, and every unit of time counted over, has a row; of other dimensions only the members met."""
        if self.by == ("province",):
            columns = ["province", *(f"{self._bases[name].constant} as {name}" for name in self._constants())]
            return f"select {', '.join(columns)} from province_constants{self._filter({'province': 'province'})}"
        if len(self.by) == 1 and self._unit:
            labels = [unit.label for unit in self._units]
            if all(metric.kind == "state" for metric in self.metrics):
                labels = [label for label, _ in self._state_days()]
            if not labels:
                return f"select null::varchar as {self._unit} where false"
            return f"select unnest({self._bind(labels)}::varchar[]) as {self._unit}"
        return ""

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

    def _constants(self) -> list[str]:
        return [name for name, base in self._bases.items() if self._is_constant(base)]

    def _is_in_stock(self, base: Base) -> bool:
        """Whether a base can be read from the running totals: they know five dimensions."""
        if self._plain or not base.stock:
            return False
        asked = {*self._places, *self.where} - (PLACES if base.whole else set()) - set(base.ignores)
        return asked <= set(CELL) and (base.whole or set(self._places) <= set(CELL))

    def _stock(self, base: Base) -> "Stock":
        dimensions = tuple(name for name in self._places if not (base.whole and name in PLACES))
        days_measured = self._end_days() if base.at_end else self._state_days()
        moved = tuple((label, days.add_months(day, -base.lag_months)) for label, day in days_measured)
        unit = (self._unit,) if self._unit else ()
        return Stock(moved, unit, dimensions, base.whole, base.whole or len(dimensions) < len(self._places))

    def _select_stock(self, stock: "Stock") -> str:
        """The running total at the end of the month before and the changes since; those with many spells one by one."""
        columns = _columns(stock)
        filters = self._cells(stock)
        pairs = met_twice(stock.grouped, filters)
        listed = self._listed(stock)
        many = self._many_parts(stock, "met_active" in columns) if self._publication.has_many else []
        if stock.unit:
            parts = [*self._stock_of_units(listed, stock, columns, filters, pairs), *many]
        else:
            filters = [self._since(*listed[0][1:]), *filters, *_of_all(pairs)]
            parts = [rows_of("stock", stock.grouped, columns, filters), *many] if many else []
        if parts:
            columns = {name: name for name in columns}
            source = "    from (\n" + "\n    union all by name\n".join(parts) + "\n    )"
        else:
            # Summed where it is read: a sum of it as a table of its own takes longer.
            source = f"    from stock where {' and '.join(filters)}"
        keys = [*stock.unit, *stock.grouped]
        shown = [*keys, *(f"sum({columns[name]}) as {name}" for name in stock.columns)]
        group = f"\n    group by {', '.join(keys)}" if keys else ""
        having = " or ".join(f"sum({column}) <> 0" for column in columns.values())
        return f"    select {', '.join(shown)}\n{source}{group}\n    having {having}"

    def _cells(self, stock: "Stock") -> list[str]:
        """The conditions on cells of the running totals."""
        return self._conditions({name: name for name in CELL if not (stock.whole and name in PLACES)})

    def _listed(self, stock: "Stock") -> list[tuple[str, date, date]]:
        """Each unit of time with its day and the last checkpoint before."""
        first, last = self._publication.kept_months or (date.max, date.min)
        return [(label, day, checkpoint(day, first, last)) for label, day in stock.measured]

    def _place_and_nation(self, sources: "Iterable[Source | Stock]") -> "tuple[Stock, Stock] | None":
        """The two readings of the running totals that one can serve: by province, and of the nation on the same day."""
        place, nation = None, None
        for source in sources:
            if isinstance(source, Stock):
                place, nation = (place, source) if source.whole else (source, nation)
        if not place or not nation or self._unit or self._publication.has_many or "province" not in place.grouped:
            return None
        return (place, nation) if place.measured == nation.measured else None

    def _select_both(self, place: "Stock", nation: "Stock") -> tuple[str, dict[tuple[str, ...], str]]:
        """Every cell by province, each number under the conditions of its source; then what each source takes of that."""
        sums_of = []
        for stock in (place, nation):
            pairs = met_twice(stock.grouped, self._cells(stock))
            where = f" filter (where {_of_all(pairs)[0]})" if pairs else ""
            sums_of += [f"sum({column}){where} as {name}" for name, column in _columns(stock).items()]
        kept = self._listed(place)[0][1:]
        conditions = [self._since(*kept), *self._cells(nation)]
        everywhere = (
            f"    select {', '.join((*place.grouped, *sums_of))}\n    from stock where {' and '.join(conditions)}\n"
            f"    group by {', '.join(place.grouped)}"
        )
        met = " or ".join(f"{name} <> 0" for name in _columns(place))
        here = [f"({met})", *self._conditions({"province": "province"})]
        of_nation = {name: name for name in nation.columns}
        return everywhere, {
            place.signature: rows_of("stock_everywhere", place.grouped, {name: name for name in place.columns}, here),
            nation.signature: sums("stock_everywhere", nation.grouped, of_nation, []),
        }

    def _since(self, day: date, checkpoint: date) -> str:
        """The total at a checkpoint and the changes from there up to a day."""
        kept = self._bind(checkpoint)
        return f"day between {kept} and {self._bind(day)} and is_total = (day = {kept})"

    def _stock_of_units(
        self,
        listed: Sequence[tuple[str, date, date]],
        stock: "Stock",
        columns: Mapping[str, str],
        filters: Sequence[str],
        pairs: str,
    ) -> list[str]:
        """The same for every unit of time: totals are summed month by month first, for several units may rest on one."""
        kept = [checkpoint for _, _, checkpoint in listed] or [date.min]
        totals = ["is_total", f"day between {self._bind(min(kept))} and {self._bind(max(kept))}", *filters]
        # Pairs are read by themselves: their other cells are columns that no total has.
        kinds = [["not is_pair"], ["is_pair", pairs]] if pairs else [[]]
        summed = [sums("stock", ("day", *stock.grouped), columns, [*totals, *kind]) for kind in kinds]
        shown = [f"measured.unit as {stock.unit[0]}", *(f"kept.{name}" for name in (*stock.grouped, *columns))]
        inner = "\n    union all\n".join(summed)
        parts = [
            f"    select {', '.join(shown)} from {self._measured(listed, 'checkpoint')} inner join (\n{inner}\n    ) as kept "
            "on kept.day = measured.checkpoint"
        ]
        opened = [one for one in listed if one[2] < one[1]]
        changes = ["not is_total", *filters, *_of_all(pairs)]
        if len(opened) == 1:
            # Told to the scan itself, it skips all other days.
            ((label, day, since),) = opened
            unit = f"{self._bind(label)}::varchar as {stock.unit[0]}"
            since_then = f"day > {self._bind(since)} and day <= {self._bind(day)}"
            parts.append(sums("stock", stock.grouped, columns, [since_then, *changes], unit))
        elif opened:
            tie = "stock.day > measured.checkpoint and stock.day <= measured.day"
            source = f"{self._measured(opened, 'checkpoint')} inner join stock on {tie}"
            parts.append(sums(source, stock.grouped, columns, changes, f"measured.unit as {stock.unit[0]}"))
        return parts

    def _many_parts(self, stock: "Stock", met: bool) -> list[str]:
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

    def _filter(self, columns: Mapping[str, str]) -> str:
        conditions = self._conditions(columns)
        return f" where {' and '.join(conditions)}" if conditions else ""

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
