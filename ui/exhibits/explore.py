"""What stands below the question of Explore: its charts, each of the measures that it suits. Each function is one exhibit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import bars, county_maps, lines, maps, matrix, signals, time_titles, titles
from ui.charts.chart import Chart
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.figure import figure, nothing, of_answer
from ui.state import questions
from ui.state.questions import Over, analyse_under, without_places
from ui.state.scope import Scope

# With more bars or lines a chart is unreadable; a longer ranking shows its first bars.
_MOST_BARS, _FIRST_BARS, _MOST_LINES, MOST_CHARTS = 45, 30, 5, 3
_MAPS = {"province": maps.provinces, "county": county_maps.counties}
# The heights in pixels of a map beside the bars of all provinces, and of a trend below it.
_MAP, _BELOW = 620, 200


@dataclass(frozen=True)
class Selection:
    """The chosen question: measures, dimensions, and the period of flows and units of time (inclusive)."""

    names: tuple[str, ...]
    by: tuple[str, ...]
    over: Over

    @property
    def is_timed(self) -> bool:
        return any(name in TIME for name in self.by)


@dataclass(frozen=True)
class Charted:
    """A chart of some measures of a selection, with its options."""

    chart: Chart
    names: tuple[str, ...]
    by: tuple[str, ...]
    over: Over
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """What tells it from the other charts of the same selection."""
        return "-".join([self.chart.draw.__name__, *self.names[:1], *self.by])

    @property
    def is_map(self) -> bool:
        return self.chart in _MAPS.values()


def charts_of(selection: Selection, answer: Answer) -> list[Charted]:
    """The charts that suit the shape of an answer; a day has no length that a chart could show."""
    names = tuple(name for name in selection.names if catalogue()[name].unit != "date")
    drawn = _suited(selection, names, answer) if names else []
    return [
        Charted(chart, shown, selection.by, selection.over, tuple(options.items())) for chart, shown, options in drawn
    ]


def chart_of(scope: Scope, ask: Ask, charted: Charted) -> Exhibit:
    """What does the question give?"""
    options = dict(charted.options)
    return figure(scope, ask, charted.chart, *charted.names, by=charted.by, over=charted.over, **options)


def trend(scope: Scope, ask: Ask, name: str) -> Exhibit:
    """How has the measure of the map changed?"""
    zero = catalogue()[name].unit != "share"
    return figure(scope, ask, lines.trend, name, by="month", zero=zero, height=_BELOW)


def has_trend(selection: Selection, charted: Charted) -> bool:
    """Whether there is room below a map, beside the bars of all provinces, and something to show there."""
    metric = catalogue()[charted.names[0]]
    has_months = metric.has_history and "month" in metric.dimensions
    return charted.chart is maps.provinces and len(selection.names) == 1 and has_months


def levels(scope: Scope, ask: Ask, name: str) -> Exhibit:
    """Which provinces differ from the nation by more than chance, whichever place is chosen?"""
    everywhere = scope.of(without_places(scope.where))
    exact, ignored = analyse_under(everywhere, ask.exactly, "level_signals", name=name)
    if not exact.rows:
        return nothing(scope, "state.empty_title", "state.empty")
    return of_answer(scope, ask, signals.funnel, exact, ignored=ignored)


def changes(scope: Scope, ask: Ask, name: str) -> Exhibit:
    """In which months was the share of the one chosen province in the nation's events out of the ordinary?"""
    exact, ignored = analyse_under(scope, ask.exactly, "change_signals", name=name)
    if not exact.rows:
        return nothing(scope, "state.empty_title", "state.empty")
    return of_answer(scope, ask, signals.process, questions.without_first(exact), ignored=ignored)


# A chart, the measures it shows, its options.
_Drawn = tuple[Chart, tuple[str, ...], dict[str, Any]]


def _suited(selection: Selection, names: tuple[str, ...], answer: Answer) -> list[_Drawn]:
    by, first = selection.by, names[:1]
    if len(by) == 1:
        if selection.is_timed:
            return _over_time(names)
        if by[0] in matrix.ORDERED:
            return [(bars.columns, (name,), {}) for name in names[:MOST_CHARTS]]
        options = {} if len(answer.rows) <= _MOST_BARS else {"says": titles.highest, "most": _FIRST_BARS}
        ranked: list[_Drawn] = [(bars.ranking, (name,), options) for name in names[:MOST_CHARTS]]
        # A map is of the whole country, so beside one county or institute it would be of others.
        drawn = None if BELOW_PROVINCE & {*answer.where} else _MAPS.get(by[0])
        return [(drawn, first, {"says": titles.highest, "height": _MAP}), *ranked] if drawn else ranked
    if len(by) == 2 and selection.is_timed:
        other = 1 if by[0] in TIME else 0
        few = len({row[other] for row in answer.rows}) <= _MOST_LINES
        drawn = lines.trend if few else lines.heat if by[other] == "province" else matrix.matrix
        return [(drawn, first, {})]
    if len(by) == 2:
        return [(matrix.matrix, (name,), {}) for name in names[:MOST_CHARTS]]
    return []


def _over_time(names: Sequence[str]) -> list[_Drawn]:
    """Lines for snapshots, one chart per unit; bars for flows, joiners and leavers paired."""
    known = catalogue()
    by_unit: dict[str, list[str]] = {}
    for name in names:
        if known[name].kind == "snapshot":
            by_unit.setdefault(known[name].unit, []).append(name)
    charts: list[_Drawn] = [
        (lines.trend, tuple(group[:_MOST_LINES]), {"zero": unit != "share"}) for unit, group in by_unit.items()
    ]
    flows = [name for name in names if known[name].kind == "event"]
    if set(flows) == {"joiners", "leavers"}:
        charts.append((bars.paired, ("joiners", "leavers"), {}))
    else:
        charts += [(bars.columns, (name,), {"says": time_titles.latest}) for name in flows]
    return charts[:MOST_CHARTS]
