"""The charts below the question of Explore, each of the measures that it suits; its rows are those of `questions.free`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from etl.analysis import signals as tests
from etl.semantic.answers import Answer
from etl.semantic.calculations import CALCULATIONS
from etl.semantic.catalog import DIMENSIONS, TIME, catalogue
from etl.semantic.exportable import StoredRows
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import bars, county_maps, lines, maps, matrix, signals, time_titles, titles
from ui.charts.chart import Chart
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, Table
from ui.exhibits.figure import figure, finding, nothing, of_answer
from ui.exhibits.named import Input, Make
from ui.exhibits.page import Page, Section
from ui.i18n import text
from ui.state import questions
from ui.state.given import MOST_DIMENSIONS, MOST_MEASURES, NOTHING, Given, Wrong, members, one, wrong_value
from ui.state.questions import analyse_under, without_places
from ui.state.scope import Scope

# With more bars or lines a chart is unreadable; a longer ranking shows its first bars.
_MOST_BARS, _FIRST_BARS, _MOST_LINES, MOST_CHARTS = 45, 30, 5, 3
_MAPS = {"province": maps.provinces, "county": county_maps.counties}
# The heights in pixels of a map beside the bars of all provinces, and of a trend below it.
_MAP, _BELOW = 620, 200


@dataclass(frozen=True)
class Charted:
    """A chart of measures by dimensions, with the name of its form in addresses."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("m", "by", "chart")
    names: tuple[str, ...]
    by: tuple[str, ...]
    form: str

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Charted":
        """The chart that an address names, by default the first that suits its question. Raises Wrong."""
        names, by = measures_by(with_defaults(given), scope.lang)
        if problems := problems_of(names, by, scope.where):
            raise Wrong(problems[0].sentence(scope.lang))
        suiting = forms(names, by, scope.where)
        if not suiting:
            raise Wrong(text.word("data.no_picture", scope.lang))
        form = one(given, "chart", scope.lang) or suiting[0]
        if form not in suiting:
            raise wrong_value("chart", form, suiting, scope.lang)
        return cls(names, by, form)

    def query(self) -> dict[str, list[str]]:
        return {"m": [*self.names], "by": [*self.by], "chart": [self.form]}

    @property
    def name(self) -> str:
        """What tells it from the other charts of the same question."""
        return "-".join([self.form, *self.names[:1], *self.by])

    @property
    def is_timed(self) -> bool:
        return bool({*TIME} & {*self.by})


# The question of Explore until a reader asks another.
DEFAULT = Charted(("coverage_per_10k",), ("province",), "map")


# ---------------------------------------------------------------- which questions have a meaning


class Remedy(NamedTuple):
    """One remedy: remove a measure (`m`), a dimension (`by`) or a filter (`where`)."""

    kind: str
    name: str


@dataclass(frozen=True)
class Problem:
    """A reason why a question has no meaning: its key in text.toml under `refused`, what it concerns, and the remedies."""

    reason: str
    measure: str = ""
    dimensions: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()

    def sentence(self, lang: str) -> str:
        measure = catalogue()[self.measure].label[lang] if self.measure else ""
        dimensions = text.listed([text.word(f"dimension.{name}", lang) for name in self.dimensions], lang)
        return text.word(f"refused.{self.reason}", lang, measure=measure, dimensions=dimensions)


def problems_of(names: Sequence[str], by: Sequence[str], where: Iterable[str]) -> list[Problem]:
    """All reasons why a question has no meaning; empty if it has one."""
    problems = [] if names else [Problem("no_measure")]
    units = [name for name in by if name in TIME]
    if len(units) > 1:
        problems.append(
            Problem("two_times", dimensions=tuple(units), remedies=tuple(Remedy("by", name) for name in units))
        )
    kinds = dict.fromkeys(by, "by") | {name: "where" for name in where if name not in by}
    for name in names:
        metric, measure = catalogue()[name], Remedy("m", name)
        for dimension, kind in kinds.items():
            if dimension not in (metric.groups if kind == "by" else metric.dimensions):
                problems.append(Problem(f"not_{kind}", name, (dimension,), (Remedy(kind, dimension), measure)))
        together = tuple(dimension for dimension in kinds if dimension in metric.mutually_exclusive)
        if len(together) > 1:
            remedies = (Remedy(kinds[dimension], dimension) for dimension in together)
            problems.append(Problem("apart", name, together, (*remedies, measure)))
    return problems


def measures_by(given: Given, lang: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The measures and dimensions that an address names. Raises Wrong."""
    visible = {measure: metric.label[lang] for measure, metric in catalogue().items() if not metric.hidden}
    names = members("m", given.get("m", ()), visible, lang)
    by = members("by", given.get("by", ()), {name: text.word(f"dimension.{name}", lang) for name in DIMENSIONS}, lang)
    for parameter, chosen, most in (("m", names, MOST_MEASURES), ("by", by, MOST_DIMENSIONS)):
        if len(chosen) > most:
            raise Wrong(text.word("data.many", lang, name=parameter, count=text.number(most, lang)))
    return names, by


# ---------------------------------------------------------------- which charts suit a question


def charts_of(names: Sequence[str], by: tuple[str, ...], where: Iterable[str]) -> list[Charted]:
    """The charts that suit a question under some filters; a day has no length that a chart could show."""
    shown = tuple(name for name in names if catalogue()[name].unit != "date")
    each = [(name,) for name in shown[:MOST_CHARTS]]
    charts: list[tuple[tuple[str, ...], str]] = []
    if len(by) == 1 and by[0] in TIME:
        charts = _over_time(shown)
    elif len(by) == 1 and by[0] in matrix.ORDERED:
        charts = [(name, "columns") for name in each]
    elif len(by) == 1:
        # A map is of the whole country, so beside one county or institute it would be of others.
        has_map = by[0] in _MAPS and not BELOW_PROVINCE & {*where}
        charts = [*[(name, "map") for name in each[:1] if has_map], *[(name, "ranking") for name in each]]
    elif len(by) == 2 and {*TIME} & {*by}:
        charts = [(name, "trend") for name in each[:1]]
    elif len(by) == 2:
        charts = [(name, "matrix") for name in each]
    return [Charted(of, by, form) for of, form in charts]


def _over_time(names: Sequence[str]) -> list[tuple[tuple[str, ...], str]]:
    """Lines for snapshots, one chart per unit; bars for flows, joiners and leavers paired."""
    known = catalogue()
    by_unit: dict[str, list[str]] = {}
    for name in names:
        if known[name].kind == "snapshot":
            by_unit.setdefault(known[name].unit, []).append(name)
    charts = [(tuple(group[:_MOST_LINES]), "trend") for group in by_unit.values()]
    flows = [name for name in names if known[name].kind == "event"]
    if {*flows} == {"joiners", "leavers"}:
        charts.append((("joiners", "leavers"), "paired"))
    else:
        charts += [((name,), "columns") for name in flows]
    return charts[:MOST_CHARTS]


def for_analysts(names: Sequence[str], by: tuple[str, ...]) -> str:
    """The form of chart that a question allows besides the usual ones; empty if there is none."""
    known = [catalogue()[name] for name in names]
    if len(known) > MOST_CHARTS:
        return ""
    if by == ("province",) and all(map(tests.has_levels, known)):
        return "funnel"
    return "control" if by == ("month",) and all(map(tests.has_changes, known)) else ""


def forms(names: tuple[str, ...], by: tuple[str, ...], where: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The forms of a single chart that shows all of a question under these filters."""
    found = [charted.form for charted in charts_of(names, by, where) if charted.names == names]
    more = for_analysts(names, by) if len(names) == 1 else ""
    # Control limits are those of one province.
    is_drawn = more == "funnel" or (more and len(where.get("province", ())) == 1)
    return [*found, more] if is_drawn else found


def chart(scope: Scope, ask: Ask, charted: Charted) -> Exhibit:
    """What does the question give?"""
    if charted.form == "funnel":
        return _levels(scope, ask, charted.names[0])
    if charted.form == "control":
        return _changes(scope, ask, charted.names[0])
    found = questions.free(scope, ask.exactly, charted.names, charted.by)
    if isinstance(found, StoredRows):
        return nothing(scope, "state.empty_title", "more.too_many_for_chart")
    drawn, options = _drawn(charted, found)
    return figure(scope, ask, drawn, *charted.names, by=charted.by, **options)


def _drawn(charted: Charted, answer: Answer) -> tuple[Chart, dict[str, Any]]:
    """What draws a chart of an answer, and its options."""
    by, form = charted.by, charted.form
    if form == "map":
        return _MAPS[by[0]], {"says": titles.highest, "height": _MAP}
    if form == "ranking":
        is_short = len(answer.rows) <= _MOST_BARS
        return bars.ranking, {} if is_short else {"says": titles.highest, "most": _FIRST_BARS}
    if form == "columns":
        return bars.columns, {"says": time_titles.latest} if charted.is_timed else {}
    if form == "paired":
        return bars.paired, {}
    if form == "trend" and len(by) == 1:
        return lines.trend, {"zero": catalogue()[charted.names[0]].unit != "share"}
    other = 1 if by[0] in TIME else 0
    if form == "trend" and len({row[other] for row in answer.rows}) <= _MOST_LINES:
        return lines.trend, {}
    return lines.heat if form == "trend" and by[other] == "province" else matrix.matrix, {}


def trend(scope: Scope, ask: Ask, charted: Charted) -> Exhibit:
    """How has the measure of the map changed?"""
    name = charted.names[0]
    zero = catalogue()[name].unit != "share"
    return figure(scope, ask, lines.trend, name, by="month", zero=zero, height=_BELOW)


def has_trend(names: Sequence[str], charted: Charted) -> bool:
    """Whether there is room below a map, beside the bars of all provinces, and something to show there."""
    metric = catalogue()[charted.names[0]]
    has_months = metric.has_history and "month" in metric.dimensions
    return charted.form == "map" and charted.by == ("province",) and len(names) == 1 and has_months


def _levels(scope: Scope, ask: Ask, name: str) -> Exhibit:
    """Which provinces differ from the nation by more than chance, whichever place is chosen?"""
    everywhere = scope.of(without_places(scope.where))
    exact, _ = analyse_under(everywhere, ask.exactly, "level_signals", name=name)
    if not exact.rows:
        return nothing(scope, "state.empty_title", "state.empty")
    return of_answer(scope, ask, signals.funnel, exact)


def _changes(scope: Scope, ask: Ask, name: str) -> Exhibit:
    """In which months was the share of the one chosen province in the nation's events out of the ordinary?"""
    exact, _ = analyse_under(scope, ask.exactly, "change_signals", name=name)
    if not exact.rows:
        return nothing(scope, "state.empty_title", "state.empty")
    return of_answer(scope, ask, signals.process, questions.without_first(exact))


@dataclass(frozen=True)
class Asked:
    """The question of Explore: measures, dimensions, and the quick calculation beside each measure."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("m", "by", "calc")
    names: tuple[str, ...]
    by: tuple[str, ...]
    calc: str = ""

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Asked":
        names, by = measures_by(with_defaults(given), scope.lang)
        calc = one(given, "calc", scope.lang)
        if calc not in ("", *CALCULATIONS):
            raise wrong_value("calc", calc, CALCULATIONS, scope.lang)
        if problems := problems_of(names, by, scope.where):
            raise Wrong(problems[0].sentence(scope.lang))
        return cls(names, by, calc)

    def query(self) -> dict[str, list[str]]:
        calc = {"calc": [self.calc]} if self.calc else {}
        return {"m": [*self.names], "by": [*self.by] or [NOTHING], **calc}


def with_defaults(given: Given) -> dict[str, list[str]]:
    """The measures and dimensions of an address: the first question where it names none, and none where it says so."""
    said = {name: given.get(name) or values for name, values in DEFAULT.query().items() if name in ("m", "by")}
    return {name: [value for value in values if value != NOTHING] for name, values in said.items()}


def rows(scope: Scope, ask: Ask, asked: Asked) -> Exhibit:
    """All rows of the question. Those that are too many for the memory of this process are at the address of their question."""
    found = questions.free(scope, ask.exactly, asked.names, asked.by, calc=asked.calc)
    if isinstance(found, StoredRows):
        return nothing(scope, "state.empty_title", "more.too_many_for_chart")
    return replace(finding(scope, ask, found, ""), form=Table())


def charts_held(scope: Scope, ask: Ask, given: Given) -> Iterator[tuple[Make, tuple[Input, ...]]]:
    """The charts of the question of an address, the trend below a map, and the rows. Raises Wrong."""
    asked = Asked.read(given, scope)
    form = for_analysts(asked.names, asked.by)
    if form and one(given, "chart", scope.lang) == form:
        every = [Charted((name,), asked.by, form) for name in asked.names]
        charts = [charted for charted in every if form in forms(charted.names, charted.by, scope.where)]
    else:
        charts = charts_of(asked.names, asked.by, scope.where)
    for charted in charts:
        yield chart, (charted,)
        if has_trend(asked.names, charted):
            yield trend, (charted,)
    yield rows, (asked,)


PAGE = Page(
    "explore",
    filters=("@place", "@person", "@course"),
    has_period=True,
    layout=(Section("breadcrumb"), Section("explore", (chart, trend, rows), charts_held)),
)
