"""What a question counts of a table: its rows on a day or in a period, under the filters. Values are bound."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from etl.semantic.catalog import Measure, tables
from etl.semantic.members import others
from etl.semantic.resolve import Meaning
from etl.semantic.selects import TableScan

_AHEAD = re.compile(r"\{day\} \+ ([0-9]+)")


class Counting(Meaning):
    """A question with what it counts."""

    @cached_property
    def _parameters(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _bound(self) -> dict[Any, str]:
        """The names under which values are bound."""
        return {}

    def _dated(self, base: Measure) -> Measure:
        """The base with the days ahead of the one that it is measured on reckoned: DuckDB takes long to find its sum for each."""
        if self._plain or self._unit or not (base.kind == "state" or base.at_end):
            return base
        ((_, day),) = self._end_days() if base.at_end else self._state_days()

        def ahead(found: re.Match[str]) -> str:
            return self._bind(day + min(timedelta(int(found[1])), date.max - day))

        return replace(base, sql=_AHEAD.sub(ahead, base.sql), where=_AHEAD.sub(ahead, base.where))

    def _source(self, base: Measure) -> "TableScan":
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
        return TableScan(
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

    def _clock(self, base: Measure) -> tuple[str, str]:
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
