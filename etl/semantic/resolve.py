"""What a question means: which numbers, of whom, on which days; a question without meaning is refused."""

from collections.abc import Sequence
from datetime import date

import duckdb

from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.catalog import TIME, Measure, catalogue, expand
from etl.semantic.members import known, members, refuse_meaningless, unit_of_time
from etl.semantic.provisional import last_settled_day
from etl.warehouse.publications import Publication

_DEFAULT_MONTHS = 12


class Meaning:
    """The meaning of a question. Raises QuestionError where it has none."""

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
        self._bases: dict[str, Measure] = {}
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
        self.over = (over or jalali.last_complete_months(as_of, _DEFAULT_MONTHS)) if needs_period else None
        self._units = list(jalali.units_between(*self.over, self._unit)) if self.over and self._unit else []

    def provisional(self) -> frozenset[str]:
        """The units that can still change by themselves."""
        wait = max(base.provisional_days for base in self._bases.values())
        last_settled = last_settled_day(self._publication.as_of, wait)
        return frozenset(unit.label for unit in self._units if unit.last > last_settled)

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
