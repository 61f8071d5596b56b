"""What a question reads of the running totals that a build makes ready: the table stock."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from etl.core import jalali
from etl.semantic.catalog import Measure
from etl.semantic.combine import Reading, Select
from etl.semantic.counting import Counting
from etl.semantic.selects import CELL, PLACES, Stock, TableScan, checkpoint, met_twice, sums


class Totals(Counting):
    """A question with what it reads of the running totals."""

    def _is_in_stock(self, base: Measure) -> bool:
        """Whether a base can be read from the running totals: they know five dimensions."""
        if self._plain or not base.stock:
            return False
        asked = {*self._places, *self.where} - (PLACES if base.whole else set()) - set(base.ignores)
        return asked <= set(CELL) and (base.whole or set(self._places) <= set(CELL))

    def _stock(self, base: Measure) -> "Stock":
        dimensions = tuple(name for name in self._places if not (base.whole and name in PLACES))
        days_measured = self._end_days() if base.at_end else self._state_days()
        lag = base.lag_months
        moved = tuple((label, jalali.add_months(day, -lag) if lag else day) for label, day in days_measured)
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

    def _read_both(self, sources: "Mapping[tuple[str, ...], TableScan | Stock]") -> dict[tuple[str, ...], Reading]:
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
        sources: dict[tuple[str, ...], TableScan] = {}
        bases = [replace(base, table=f"{base.table}_many", stock="") for base in stock.columns.values()]
        if met:
            at_end = any(base.at_end for base in bases)
            bases.append(Measure("met_active", "readiness_many", "count(distinct person_id)", "state", at_end=at_end))
        for base in bases:
            source = self._source(base)
            sources.setdefault(source.signature, source).columns[base.name] = base
        return [source.select() for source in sources.values()]


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
