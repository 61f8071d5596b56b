"""The questions of a figure: its answer, the sizes of its groups, and the options of its chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from etl.analysis import detail
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, described, size_of
from etl.semantic.ranking import COMPARED_AS, comparable, is_tested
from etl.semantic.rights import BELOW_PROVINCE
from etl.warehouse.dimensions import PLACES
from ui.charts import marks
from ui.charts.chart import Chart
from ui.charts.elements import ChartContext
from ui.charts.forecast import STATED_MONTHS
from ui.charts.lines import TIME
from ui.charts.time_titles import of_complete_units
from ui.components.footer import subtitle
from ui.data import warehouse
from ui.i18n import text
from ui.state import page_context, scoped_query
from ui.state.page_context import PageContext

# The months of the trend of a single group.
_MONTHS = 24
# The people or files that a curve follows.
_FOLLOWED = ("at_risk", "files_followed")


@dataclass(frozen=True)
class FigureQuestion:
    view: PageContext
    chart: Chart
    names: tuple[str, ...]
    axes: tuple[str, ...]
    over: tuple[date, date] | None
    analysis: str
    nation: bool
    target: bool

    def answer(self) -> tuple[Answer, list[str]]:
        """The answer, and the filters that do not apply to it."""
        if self.analysis:
            return scoped_query.computed(self.view, self.analysis)
        answer, ignored = scoped_query.ask(self.view, self.names, self.axes, self.over)
        if "province" in answer.by and BELOW_PROVINCE & {*answer.where}:
            answer = _of_own_provinces(answer)
        return (_with_sides(self.view, answer) if self.chart.compares else answer), ignored

    def options(self, answer: Answer) -> dict[str, Any]:
        """The options that the chart takes besides the answer."""
        options: dict[str, Any] = {}
        if self.chart.whole_country and not self.analysis:
            options["chosen"] = self.view.where.get("province", ())
        if self.chart.has_events:
            options["events"] = marks.events(
                scoped_query.computed(self.view, "events")[0], ChartContext(self.view.lang)
            )
        if self.nation:
            nation = of_nation(answer)
            options["nation"] = None if nation.left_out else line_of(nation)
        if self.target:
            options |= _target(self.view, answer)
        return options

    def ready(self) -> None:
        """Prefetch every answer of the figure into the cache."""
        answer, ignored = self.answer()
        if set(PLACES) & {*ignored}:
            self.trend_of_scope(answer.metrics[0])
            return
        self.options(answer)
        if self.chart.compares and not scoped_query.nothing(answer):
            self.trend(answer)
        asked_around(self.view, answer)

    def trend(self, answer: Answer) -> Answer | None:
        """The values over time of a single group; None with several groups or without a history."""
        metric, groups = answer.metrics[0], self._groups(answer)
        if self.analysis or len(groups) != 1:
            return None
        where = {**answer.where, **{name: (code,) for name, code in groups.pop() if code is not None}}
        if not metric.has_history or not {"month", *where} <= metric.dimensions:
            return None
        over = answer.over if set(self.axes) & set(TIME) else self.view.over or self.view.months(_MONTHS)
        months = warehouse.ask(metric.name, by=("month",), over=over, where=where)
        return None if months.left_out else months

    def trend_of_scope(self, metric: Metric) -> tuple[Answer, list[str]] | None:
        """The values of a measure over time under the filters that apply to it; None if one of place does not."""
        if metric.name not in catalogue() or not metric.has_history or "month" not in metric.dimensions:
            return None
        where, ignored = self.view.under(metric.dimensions)
        if set(PLACES) & {*ignored}:
            return None
        over = self.view.over or self.view.months(_MONTHS)
        return warehouse.ask(metric.name, by=("month",), over=over, where=where), ignored

    def is_single(self, answer: Answer) -> bool:
        """Whether the chart compares groups but the answer has only one."""
        return self.chart.compares and not self.analysis and len(self._groups(answer)) == 1

    @staticmethod
    def _groups(answer: Answer) -> set[tuple[tuple[str, Any], ...]]:
        at = [(i, name) for i, name in enumerate(answer.by) if name not in TIME]
        return {tuple((name, row[i]) for i, name in at) for row in answer.rows}


@dataclass(frozen=True)
class Asked:
    """An answer, and all that its figure says besides the chart: asked before anything is drawn."""

    answer: Answer
    # Measure, place and period; for a ratio its exact number of cases, which is not for circulation.
    subtitle: str
    cases: str
    # The notes of the page, and those that every figure of such an answer has.
    own_notes: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def below(self) -> str:
        """The line below the title."""
        return " · ".join(filter(None, (self.subtitle, self.cases)))


def asked_around(
    view: PageContext,
    answer: Answer,
    ignored: Sequence[str] = (),
    own_notes: Sequence[str] = (),
    with_parts: bool = False,
    is_map: bool = False,
) -> Asked:
    """The answer with what its figure says; `ignored` are the filters that do not apply to it."""
    notes = []
    if comparable(answer) is not answer:
        notes.append(view.word("figure.no_nowruz"))
    if "course" in answer.by and answer.metrics[0].unit == "share":
        notes.append(view.word("figure.of_course"))
    if overlaps(answer, answer.metrics[0]):
        notes.append(view.word("figure.overlap"))
    if ignored:
        notes.append(scoped_query.no_effect(view, ignored))
    named = subtitle(view, answer, with_parts=with_parts, with_axes=not is_map)
    return Asked(answer, named, size(view, answer), tuple(own_notes), tuple(notes))


def overlaps(answer: Answer, metric: Metric) -> bool:
    """Whether groups of people add up to more than all: who serves in two groups counts in each."""
    is_count = metric.unit == "persons" and metric.kind == "snapshot" and size_of(metric) == metric.name
    if not is_count or metric.name not in catalogue() or not answer.by or set(answer.by) & set(TIME):
        return False
    whole = warehouse.ask(metric.name, on=answer.on, where=answer.where).value()
    return sum(value or 0 for value in answer.column(metric.name)) > (whole or 0)


def of_nation(answer: Answer) -> Answer:
    """The measure for the nation; beside a trend its own over the same months."""
    if len(answer.by) == 1 and answer.by[0] in TIME:
        where = page_context.without_places(answer.where)
        return warehouse.ask(answer.metrics[0].name, by=answer.by, over=answer.over, where=where)
    return _as_whole(answer, page_context.without_places(answer.where))


def line_of(nation: Answer) -> float | tuple[tuple[Any, ...], ...] | None:
    """The value of the nation, or the pairs of its trend."""
    return tuple(row[:2] for row in nation.rows) if nation.by else nation.value()


def of_whole(answer: Answer) -> Answer:
    """The measure for what groups are compared with: provinces with the nation, others with all within the filters."""
    is_national = answer.by == ("province",) and not BELOW_PROVINCE & {*answer.where}
    return of_nation(answer) if is_national else _as_whole(answer, answer.where)


def _as_whole(answer: Answer, where: Mapping[str, tuple[str, ...]]) -> Answer:
    on, over = answer.on, answer.over
    if over and answer.metrics[0].kind == "snapshot":
        # A state over time is compared with that of its last day.
        on, over = over[1], None
    return warehouse.ask(answer.metrics[0].name, on=on, over=over, where=where)


def _target(view: PageContext, answer: Answer) -> dict[str, Any]:
    """The target of the place on the as-of day and its word: a census share is none of its own; none under other filters."""
    if not set(answer.where) <= catalogue()["target"].dimensions:
        return {"target": None}
    target, own = (warehouse.ask(name, on=view.as_of, where=answer.where).value() for name in ("target", "own_target"))
    return {"target": target, "target_word": "figure.census_share" if own is None else "figure.target"}


# ---------------------------------------------------------------- sizes


def _with_sides(view: PageContext, answer: Answer) -> Answer:
    """The answer with the side of each group and the whole's value, for rates that can be tested."""
    name = answer.metrics[0].name
    tested = COMPARED_AS.get(name, name)
    if len(answer.by) != 1 or not is_tested(tested, answer.by[0]):
        return answer
    if answer.by == ("province",) and not page_context.sees_nation(answer.where):
        # Provinces are compared with the nation.
        return answer
    compared = scoped_query.different(view, tested, answer.by[0], answer.where, answer.over)
    return _joined(answer, compared, ("side", "whole_value") if tested == name else ("side",))


@lru_cache(maxsize=100)
def _of_own_provinces(answer: Answer) -> Answer:
    """An answer by province under smaller places without the provinces that hold none of them, which have a row too."""
    at, first = answer.by.index("province"), len(answer.by)
    counties, provinces = answer.where.get("county", ()), warehouse.analyse(detail.provinces_of_counties)
    own = {provinces.get(county) for county in counties}
    rows = [row for row in answer.rows if (row[at] in own if counties else any(row[first:]))]
    return replace(answer, rows=rows)


@lru_cache(maxsize=400)
def _joined(answer: Answer, tested: Answer, names: tuple[str, ...]) -> Answer:
    """The same answer for the same two answers: charts are kept by theirs."""
    of_group = {row[answer.by[0]]: tuple(row[name] for name in names) for row in tested.records()}
    return replace(
        answer,
        metrics=(*answer.metrics, *(metric for metric in tested.metrics if metric.name in names)),
        columns=(*answer.columns, *names),
        rows=[(*row, *of_group.get(row[0], ("untested", None)[: len(names)])) for row in answer.rows],
        query=f"{answer.query}\n\n{tested.query}",
        sources=answer.sources | tested.sources,
    )


def _ask_size(view: PageContext, answer: Answer, counted: str, by: tuple[str, ...]) -> Answer:
    metric = catalogue()[counted]
    is_flow, is_timed = metric.kind == "event", bool(set(by) & set(TIME))
    over = answer.over if is_flow or is_timed else None
    on = None if over else answer.on or (answer.over[1] if answer.over else view.as_of)
    return warehouse.ask(counted, by=by, on=on, over=over, where=answer.where)


def size(view: PageContext, answer: Answer) -> str:
    """The number of cases behind a ratio or a median, in words: over time the latest, for groups all of them."""
    metric = answer.metrics[0]
    counted = next((name for name in _FOLLOWED if name in answer.columns), size_of(metric))
    known = described(counted)
    # A person is counted for each course that they must hold: those of all courses are no base.
    if counted == metric.name or known is None or metric.name == "coverage_gap" or "course" in answer.by:
        return ""
    count = _size(view, answer, metric, counted)
    if count is None:
        return ""
    written = text.number(count, view.lang)
    return view.word("figure.cases", count=f"{written} {text.unit_word(known.unit, view.lang, written)}")


def _size(view: PageContext, answer: Answer, metric: Metric, counted: str) -> Any:
    if counted in _FOLLOWED:
        # At time zero everyone is followed.
        return sum(row[counted] or 0 for row in answer.records() if row[answer.by[-1]] == 0)
    is_known = {counted, metric.name} <= set(catalogue())
    if len(answer.by) == 1 and answer.by[0] in (*TIME, "ahead") and (is_known or counted in answer.columns):
        at, rows = answer.columns.index(metric.name), of_complete_units(answer).rows
        sizes = answer if counted in answer.columns else _ask_size(view, answer, counted, answer.by)
        size_of_unit = dict(zip(sizes.column(answer.by[0]), sizes.column(counted), strict=True))
        if answer.by == ("ahead",):
            return size_of_unit[STATED_MONTHS]
        return next((size_of_unit.get(row[0]) for row in reversed(rows) if row[at] is not None), None)
    if not is_known:
        return None
    return _ask_size(view, answer, counted, ()).value()
