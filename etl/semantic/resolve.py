"""A question becomes a Plan: which measures, of which groups, on which days. A question without meaning is refused."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import duckdb

from etl.core import jalali
from etl.core.errors import QuestionError
from etl.core.places import places
from etl.core.text_folding import fold, latin_digits
from etl.semantic.access import ScopedCursor
from etl.semantic.catalog import (
    TIME,
    Measure,
    Metric,
    catalogue,
    counts_a_year,
    expand,
    provisional_days,
    size_of,
    tables,
)
from etl.warehouse.dimensions import ALL, CHOICES, DIMENSIONS
from etl.warehouse.publications import Publication

# The months of a flow if no period is asked for.
DEFAULT_MONTHS = 12
# To plan an IN, DuckDB converts every member of the column's type: 40 ms for 160,000 institutes. So many values are compared
# one by one instead.
MOST_COMPARED = 8


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

        A unit that ends within the period is measured on its last day, the unit in progress on the period's or the as-of day.
        """
        as_of = self.publication.as_of
        if not self.unit:
            return [("", self.on or as_of)]
        return [
            (unit.label, min(unit.last, self.last_day, as_of))
            for unit in self.units
            if unit.last <= min(self.last_day, as_of) or unit.first <= as_of < unit.last
        ]

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
        """The units of time that are not over, or whose numbers can still change by themselves."""
        if not (self.over and self.unit):
            return frozenset()
        wait = max(measure.provisional_days for measure in self.measures.values())
        return provisional_units(self.over, self.unit, self.publication.as_of, wait)

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


def resolve(
    con: duckdb.DuckDBPyConnection,
    publication: Publication,
    names: Sequence[str],
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    plain: bool = False,
) -> Plan:
    """The plan of a question (see `answers.ask`). Raises QuestionError for one without meaning.

    `con` is read only where a filter names counties, institutes or courses, which differ from publication to publication.
    """
    metrics = metrics_named(names)
    filters = members(con, where or {})
    unit = unit_of_time(by)
    ratio_parts = (part for metric in metrics for part in (metric.numerator, metric.denominator) if part)
    selected = dict.fromkeys([*(metric.name for metric in metrics), *ratio_parts])
    kinds = {metric.kind for metric in metrics}
    dimensions = tuple(name for name in by if name not in TIME)
    involved = frozenset(dimensions) | filters.keys()
    measures: dict[str, Measure] = {}
    for name in selected:
        measures |= expand(name, involved)
    counted = frozenset(measures)
    for name in sorted({size_of(metric) for metric in metrics}.difference(selected) & catalogue().keys()):
        if involved | {*by} <= catalogue()[name].dimensions:
            selected[name] = None
            sizing = expand(name, involved)
            if kinds == {"event"} and catalogue()[name].kind == "snapshot":
                # Where events are counted, the people at the end of their period.
                sizing = {key: replace(measure, at_end=True) for key, measure in sizing.items()}
            measures = sizing | measures
    for metric in metrics:
        refuse_meaningless(metric, dimensions, filters)
    if kinds == {"event"} and on:
        raise QuestionError("a flow is counted over a period: --over, not --on")
    if kinds == {"snapshot"} and over and not unit:
        raise QuestionError("a state is measured on a day: --on, or --over with --by month, quarter or year")
    if unit and on:
        raise QuestionError(f"by {unit} a state is measured at the end of each: --over, not --on")
    as_of = publication.as_of
    refuse_later(as_of, on, over)
    return Plan(
        metrics=metrics,
        selected=tuple(selected),
        measures=measures,
        by=tuple(by),
        where=filters,
        on=(on or as_of) if "snapshot" in kinds and not unit else None,
        over=(over or jalali.last_complete_months(as_of, DEFAULT_MONTHS)) if "event" in kinds or unit else None,
        publication=publication,
        plain=plain,
        sizes=frozenset(measures) - counted,
    )


def refuse_later(as_of: date, on: date | None, over: tuple[date, date] | None = None) -> None:
    """Raise QuestionError for a day after the as-of day: the register tells nothing of it, and zero would be taken for news."""
    for day in (on, over and over[1]):
        if day and day > as_of:
            raise QuestionError(f"{day} is after the last day of the register, {as_of}")


def metrics_named(names: Sequence[str]) -> tuple[Metric, ...]:
    """The metrics of these names, each once. Raises QuestionError for an unknown name and for none."""
    if not names:
        raise QuestionError("a question names at least one metric")
    if unknown := [name for name in names if name not in catalogue()]:
        raise QuestionError(f"no metric is called {unknown[0]}; see python -m etl metrics")
    return tuple(catalogue()[name] for name in dict.fromkeys(names))


def unit_of_time(by: Sequence[str]) -> str:
    """The unit of time among `by`, or empty. Raises QuestionError for an unknown or repeated dimension and for two units."""
    _refuse_unknown(by)
    if len(set(by)) < len(by):
        raise QuestionError("a dimension is named twice")
    units = [name for name in by if name in TIME]
    if len(units) > 1:
        raise QuestionError("one of month, quarter and year at a time")
    return units[0] if units else ""


def _refuse_unknown(dimensions: Iterable[str]) -> None:
    for name in dimensions:
        if name not in DIMENSIONS:
            raise QuestionError(f"no dimension is called {name}; there are {', '.join(DIMENSIONS)}")


def refuse_meaningless(metric: Metric, by: Sequence[str], where: Mapping[str, Any]) -> None:
    """Raise QuestionError if a metric cannot be grouped or filtered by these dimensions."""
    for name in (*by, *where):
        if name not in (metric.groups if name in by else metric.dimensions):
            raise QuestionError(f"{metric.name} has no meaning by {name}")
    together = {name for name in (*by, *where) if name in metric.mutually_exclusive}
    if len(together) > 1:
        raise QuestionError(f"{metric.name} takes one of {', '.join(sorted(together))}, not both")


def members(con: duckdb.DuckDBPyConnection, where: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The codes of the members that filters name. Raises QuestionError for an unknown dimension or member."""
    checked = {}
    for name, values in where.items():
        _refuse_unknown([name])
        if name in TIME:
            raise QuestionError(f"a period is given with --over, not with --where {name}")
        codes = member_codes(con, name, values)
        known_codes = [code for code in codes if code is not None]
        if len(known_codes) < len(codes):
            raise QuestionError(f"no {name} is called {values[codes.index(None)]!r}")
        checked[name] = tuple(dict.fromkeys(known_codes))
        if not checked[name]:
            raise QuestionError(f"--where {name} names no value")
    return checked


def _codes(dimension: str) -> Mapping[str, str] | None:
    """The member of each folded word of a dimension; None where members differ between publications."""
    return places().provinces if "province" in (dimension, ALL[dimension].same_as) else CHOICES.get(dimension)


def other_members(dimension: str, excluded: Collection[str]) -> list[str] | None:
    """The members of a dimension other than `excluded`; None where they differ between publications."""
    codes = _codes(dimension)
    return None if codes is None else sorted(set(codes.values()).difference(excluded))


def newer_counties_in(where: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The names of counties created since the census of 1395 among filters, each with the code of the county it counts in."""
    named = {value: places().county_named(value) for value in where.get("county", ())}
    return {value: county.code for value, county in named.items() if county and county.is_newer}


def member_codes(
    con: "duckdb.DuckDBPyConnection | ScopedCursor", dimension: str, values: Sequence[str]
) -> list[str | None]:
    """The code of the member that each value names, None for an unknown one.

    Places and fixed lists go by code, by name in both languages and by known spellings (a county created since the census
    means the one that it was separated from); institutes and courses by code or by name. Raises QuestionError for a name of
    several.
    """
    known = _codes(dimension)
    if known is not None:
        return [known.get(fold(value)) for value in values]
    lookup = ALL[dimension].lookup
    if dimension == "county":
        counties = map(places().county_named, values)
        return _looked_up(
            con, lookup, [county.code if county else value for county, value in zip(counties, values, strict=True)]
        )
    codes = _looked_up(con, lookup, list(map(latin_digits, values)))
    if None in codes:
        named = _named(con, dimension, frozenset(fold(value) for value in values))
        codes = [code or named.get(fold(value)) for code, value in zip(codes, values, strict=True)]
    return codes


# The columns of names beside the code, where members differ between publications.
_NAMES = {"institute": ("name",), "course": ("title_fa", "title_en")}


def _named(con: "duckdb.DuckDBPyConnection | ScopedCursor", dimension: str, asked: Collection[str]) -> dict[str, str]:
    """The code of the only member with each of the folded names. Raises QuestionError for a name of several."""
    table, column = ALL[dimension].lookup.split(".")
    codes: dict[str, set[str]] = {}
    for code, *names in con.execute(f"select {column}, {', '.join(_NAMES[dimension])} from {table}").fetchall():
        for name in {fold(name) for name in names if name} & {*asked}:
            codes.setdefault(name, set()).add(code)
    for name, found in codes.items():
        if len(found) > 1:
            shown = ", ".join(sorted(found)[:3])
            raise QuestionError(f"{len(found)} {dimension}s are called {name!r}; name one by its code, such as {shown}")
    return {name: code for name, (code,) in codes.items()}


def _looked_up(con: "duckdb.DuckDBPyConnection | ScopedCursor", lookup: str, values: Sequence[str]) -> list[str | None]:
    """Each value as written in the column `lookup` (table.column), ignoring case if there is no exact match; None if missing."""
    table, column = lookup.split(".")
    if 0 < len(values) <= MOST_COMPARED:
        asked = {f"v{number}": value for number, value in enumerate(values)}
        equal = " or ".join(f"{column} = ${name}" for name in asked)
        exact = {code for (code,) in con.execute(f"select {column} from {table} where {equal}", asked).fetchall()}
        if exact.issuperset(values):
            return list(values)
    rows = con.execute(
        f"select {column} from {table} where lower({column}) in (select lower(unnest($values::varchar[]))) order by 1 desc",
        {"values": list(values)},
    ).fetchall()
    exact = {code for (code,) in rows}
    alike = {code.lower(): code for (code,) in rows}
    return [value if value in exact else alike.get(value.lower()) for value in values]


def last_settled_day(on: date, provisional_days: int) -> date:
    """The last day whose events are settled on `on`.

    A leaver is dated the first day out, the day after the last day of service from which the days are counted.
    """
    return on - timedelta(days=max(provisional_days - 1, 0))


def is_provisional(name: str, last: date, as_of: date) -> bool:
    """Whether a metric asked to the day `last` can still change by itself after `as_of`."""
    wait = provisional_days(name)
    return wait > 0 and last > last_settled_day(as_of, wait)


def provisional_units(over: tuple[date, date], kind: str, as_of: date, provisional_days: int) -> frozenset[str]:
    """The units of time that the end of the period or the as-of day cuts, and those with events not settled on that day."""
    last = min(over[1], last_settled_day(as_of, provisional_days))
    return frozenset(unit.label for unit in jalali.units_between(*over, kind) if unit.last > last)


def cut_at_start(over: tuple[date, date], kind: str) -> frozenset[str]:
    """The unit of time in which a period begins, unless with it: events of that unit are counted in part."""
    unit = jalali.unit_of(over[0], kind)
    return frozenset({unit.label} if unit.first < over[0] else ())


def settled_on(con: ScopedCursor, name: str, on: date | None = None) -> date | None:
    """The day to ask a metric on if it is a headline, compared, ranked or used for a pace on `on` (default: the as-of day).

    For a metric that stays provisional for some days this is the end of the last settled Jalali month, for any other `on`
    itself. One that counts 12 months is asked on 29 Esfand rather than on the 30th (`comparable`). None if no month of the
    register is settled yet.
    """
    day = on or con.publication.as_of
    wait = provisional_days(name)
    if not wait:
        return day
    end = jalali.last_month_end(last_settled_day(day, wait))
    if jalali.is_leap_day(end) and counts_a_year(name):
        end -= jalali.DAY
    return end if con.begins_on is not None and end >= con.begins_on else None
