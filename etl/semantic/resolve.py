"""A question becomes a Plan: which measures, of which groups, on which days. A question without meaning is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import duckdb

from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic.catalog import TIME, Measure, Metric, catalogue, expand, size_of, tables
from etl.semantic.members import members, metrics_named, refuse_meaningless, unit_of_time
from etl.semantic.provisional import last_settled_day
from etl.warehouse.publications import Publication

# The months of a flow if no period is asked for.
DEFAULT_MONTHS = 12


@dataclass(frozen=True)
class Question:
    """The arguments of `ask`. `plain` counts every row, without pre-aggregates."""

    names: Sequence[str]
    by: Sequence[str] = ()
    on: date | None = None
    over: tuple[date, date] | None = None
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    plain: bool = False


@dataclass(frozen=True)
class Plan:
    """A question with its names, members and days checked.

    `selected`: the metrics asked for, the parts of ratios, and the sizes of groups that no part gives. `measures`: what these
    are computed from. `where`: member codes.
    `on` is the day of a snapshot, None where it is measured by time; `over` the period of events and of units of time.
    """

    metrics: tuple[Metric, ...]
    selected: tuple[str, ...]
    measures: Mapping[str, Measure]
    by: tuple[str, ...]
    where: dict[str, tuple[str, ...]]
    on: date | None
    over: tuple[date, date] | None
    publication: Publication
    plain: bool = False
    # Measures that only size the groups: they add none of their own.
    sizes: frozenset[str] = frozenset()

    @property
    def unit(self) -> str:
        """The unit of time asked by: month, quarter, year or empty."""
        return next((name for name in self.by if name in TIME), "")

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions asked by, without time."""
        return tuple(name for name in self.by if name not in TIME)

    @property
    def units(self) -> list[jalali.Unit]:
        """The units of time that the period touches."""
        return list(jalali.units_between(*self.over, self.unit)) if self.over and self.unit else []

    @property
    def last_day(self) -> date:
        """The end of the period, the as-of day where there is none."""
        return self.over[1] if self.over else self.publication.as_of

    def snapshot_days(self) -> list[tuple[str, date]]:
        """Units of time, each with the day on which it is measured; without a unit one day with an empty label.

        A unit that ends within the period is measured on its last day, the unit in progress on the as-of day.
        """
        as_of = self.publication.as_of
        if not self.unit:
            return [("", self.on or as_of)]
        days = []
        for unit in self.units:
            if unit.first <= as_of < unit.last:
                days.append((unit.label, as_of))
            elif unit.last <= min(self.last_day, as_of):
                days.append((unit.label, unit.last))
        return days

    def end_days(self) -> list[tuple[str, date]]:
        """The last day of the period, or of each unit of it; never after the as-of day."""
        last = min(self.last_day, self.publication.as_of)
        if not self.unit:
            return [("", last)]
        return [(unit.label, min(unit.last, last)) for unit in self.units]

    def days_of(self, measure: Measure) -> list[tuple[str, date]]:
        """The days on which a measure is taken."""
        return self.end_days() if measure.at_end else self.snapshot_days()

    def provisional(self) -> frozenset[str]:
        """The units of time whose numbers can still change by themselves."""
        wait = max(measure.provisional_days for measure in self.measures.values())
        last_settled = last_settled_day(self.publication.as_of, wait)
        return frozenset(unit.label for unit in self.units if unit.last > last_settled)

    def static_columns(self) -> dict[str, str]:
        """The measures that are read from the facts of provinces in memory, each with its key there.

        Only for questions by province alone: other filters than the province do not apply to residents and areas.
        """
        if self.plain or self.by != ("province",):
            return {}
        return {
            name: measure.static_column
            for name, measure in self.measures.items()
            if measure.static_column
            and (measure.national_total or self.where.keys() - set(tables()[measure.table].ignores) <= {"province"})
        }

    @property
    def static_day(self) -> date:
        """The day of those facts: a question by province alone has one day."""
        return self.on or self.publication.as_of


def resolve(con: duckdb.DuckDBPyConnection, publication: Publication, question: Question) -> Plan:
    """The plan of a question. Raises QuestionError for one without meaning.

    `con` is read only where a filter names counties, institutes or courses, which differ from publication to publication.
    """
    metrics = metrics_named(question.names)
    by = tuple(question.by)
    where = members(con, question.where)
    unit = unit_of_time(by)
    selected = dict.fromkeys(metric.name for metric in metrics)
    for metric in metrics:
        selected |= dict.fromkeys(part for part in (metric.numerator, metric.denominator) if part)
    kinds = {metric.kind for metric in metrics}
    dimensions = tuple(name for name in by if name not in TIME)
    involved = frozenset(dimensions) | where.keys()
    measures: dict[str, Measure] = {}
    for name in selected:
        measures |= expand(name, involved)
    parts, sizes = frozenset(measures), {size_of(metric) for metric in metrics} - {*selected}
    for name in sorted(sizes & catalogue().keys()):
        if involved | {*by} <= catalogue()[name].dimensions:
            selected[name] = None
            # Where events are counted, the people at the end of their period.
            at_end = kinds == {"event"} and catalogue()[name].kind == "snapshot"
            counted = {
                key: replace(measure, at_end=at_end or measure.at_end)
                for key, measure in expand(name, involved).items()
            }
            measures = counted | measures
    for metric in metrics:
        refuse_meaningless(metric, dimensions, where)
    if kinds == {"event"} and question.on:
        raise QuestionError("a flow is counted over a period: --over, not --on")
    if kinds == {"snapshot"} and question.over and not unit:
        raise QuestionError("a state is measured on a day: --on, or --over with --by month, quarter or year")
    if unit and question.on:
        raise QuestionError(f"by {unit} a state is measured at the end of each: --over, not --on")
    as_of = publication.as_of
    on = (question.on or as_of) if "snapshot" in kinds and not unit else None
    needs_period = "event" in kinds or unit
    over = (question.over or jalali.last_complete_months(as_of, DEFAULT_MONTHS)) if needs_period else None
    sized = frozenset(measures) - parts
    return Plan(metrics, tuple(selected), measures, by, where, on, over, publication, question.plain, sized)
