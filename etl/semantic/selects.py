"""The SELECTs that a question reads: of one table, or of the running totals that a build makes ready."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from etl.core import jalali
from etl.semantic.catalog import Measure, tables
from etl.semantic.combine import Reading, Select

# The dimensions that the running totals know.
CELL = ("province", "activity", "gender", "education", "post")
PLACES = {"province", "county", "institute"}
_DISTINCT = re.compile(
    r"^count\(distinct (person_id|\(person_id, course\))\)(?: filter \(where ((?:(?! filter ).)*)\))?$"
)


@dataclass
class Stock:
    """Bases read from the running totals: the days they are measured on, and by what they are grouped."""

    measured: tuple[tuple[str, date], ...]
    unit: tuple[str, ...]
    grouped: tuple[str, ...]
    whole: bool
    is_side: bool
    columns: dict[str, Measure] = field(default_factory=dict)
    table: str = "stock"

    @property
    def signature(self) -> tuple[str, ...]:
        return ("stock", str(self.measured), str(self.whole), str(self.is_side))

    @property
    def dimensions(self) -> tuple[str, ...]:
        return (*self.unit, *self.grouped)


@dataclass
class TableScan:
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
    columns: dict[str, Measure] = field(default_factory=dict)

    @property
    def signature(self) -> tuple[str, ...]:
        return (self.clock, *self.filters, *(name for name, _ in self.grouped), str(self.is_side))

    @property
    def dimensions(self) -> tuple[str, ...]:
        return (*self.unit, *(name for name, _ in self.grouped))

    def reading(self) -> Reading:
        """What the SELECT tells."""
        return Reading((self.select(),), self.dimensions, tuple(self.columns), self.is_side)

    def select(self) -> Select:
        """The SELECT with its columns."""
        return Select(self._sql(), (*self.dimensions, *self.columns))

    def _sql(self) -> str:
        """Who has one spell then is counted without looking who it is, the others person by person."""
        counted = {name: self._told_apart(base) for name, base in self.columns.items()}
        if not all(counted.values()):
            return self._rows(self.table, self.clock, {name: base.sql for name, base in self.columns.items()})
        met = {name: found for name, found in counted.items() if found}
        if self.table.endswith(("_shared", "_many")):
            return self._one_by_one(self.table, self.clock, met)
        sole = {name: f"count(*) filter (where {both('is_single_spell', found[2])})" for name, found in met.items()}
        parts = [self._rows(self.table, self.clock, sole)]
        if self.shared_clock:
            parts.append(self._one_by_one(f"{self.table}_shared", self.shared_clock, met))
        else:
            parts.append(self._one_by_one(self.table, self.clock, met, "not is_single_spell"))
        return "\nunion all\n".join(parts)

    def _told_apart(self, base: Measure) -> "re.Match[str] | None":
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
        shown += [f"{column if '{day}' in column else f'{table}.{column}'} as {name}" for name, column in self.grouped]
        keys = [str(n + 1) for n in range(len(shown))]
        day = "measured.day" if self.unit and self.time_column == "measured.unit" else _bound_day(self.clock)
        shown = [one.replace("{day}", day) for one in (*shown, *(f"{sql} as {name}" for name, sql in columns.items()))]
        filters = [one.replace("{day}", day) for one in (*self.filters, *more)]
        glue = " and " if " where " in clock else " where "
        conditions = glue + " and ".join(filters) if filters else ""
        keys += [by] if by else []
        group = f"\ngroup by {', '.join(keys)}" if keys else ""
        return f"select {', '.join(shown)}\n{clock}{conditions}{group}"

    def _one_by_one(self, table: str, clock: str, counted: Mapping[str, re.Match[str]], *more: str) -> str:
        """Each person (or person and course) met once, with which of the numbers they count in; then how many those are."""
        who = {found[1] for found in counted.values()}
        if len(who) > 1:
            return self._rows(table, clock, {name: found[0] for name, found in counted.items()}, *more)
        met = {name: f"bool_or({found[2]})" if found[2] else "true" for name, found in counted.items()}
        inner = self._rows(table, clock, met, *more, by=who.pop().strip("()"))
        shown = [*self.dimensions, *(f"count(*) filter (where {name}) as {name}" for name in met)]
        group = f"\ngroup by {', '.join(self.dimensions)}" if self.dimensions else ""
        return f"select {', '.join(shown)}\nfrom (\n{inner}\n){group}"


def both(one: str, other: str | None) -> str:
    return f"{other} and {one}" if other else one


def sums(
    source: str, keys: Sequence[str], columns: Mapping[str, str], conditions: Sequence[str], unit: str = ""
) -> str:
    """The sums of running totals or changes by the keys (and by a unit of time, where given)."""
    shown = [unit] if unit else []
    shown += [*keys, *(f"sum({column}) as {name}" for name, column in columns.items())]
    keyed = len(keys) + bool(unit)
    where = f"\nwhere {' and '.join(conditions)}" if conditions else ""
    group = f"\ngroup by {', '.join(str(n + 1) for n in range(keyed))}" if keyed else ""
    return f"select {', '.join(shown)}\nfrom {source}{where}{group}"


def met_twice(grouped: Sequence[str], filters: Sequence[str]) -> str:
    """Which pairs go off again: those of which both cells pass the filters and stand in one group; empty for all."""
    return " and ".join(
        [f"other_{one}" for one in filters] + [f"other_{one} is not distinct from {one}" for one in grouped]
    )


def checkpoint(day: date, first: date, last: date) -> date:
    """The last day of a month, up to `day`, whose running totals are kept; the beginning of days before the first."""
    unit = jalali.unit_of(day, "month")
    kept = min(day if unit.last == day else unit.first - jalali.DAY, last)
    return kept if kept >= first else date(1, 1, 1)


def _bound_day(clock: str) -> str:
    found = re.search(r"\$p[0-9]+", clock)
    return f"{found[0]}::date" if found else "current_date"
