"""A figure: its question under the scope, who clearly differs, its title, its notes, and the options of its chart.

    figure(scope, ask, bars.ranking, "training_compliance", by="place", nation=True)

What is asked follows the scope; what is said, and which chart it is, follows the answer. What is shown at all is decided on exact
numbers, so that the exhibit for circulation is the same one in rounded numbers.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from etl.semantic import disclosure
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, described, size_of
from etl.semantic.open_totals import sees_nation
from etl.semantic.ranking import COMPARED_AS, comparable, is_tested
from etl.semantic.rights import BELOW_PROVINCE
from etl.submissions import notes as signed_notes
from etl.warehouse.dimensions import PLACES
from ui.charts import bars, lines, marks, titles
from ui.charts.chart import Chart
from ui.charts.elements import ChartContext
from ui.charts.forecast import STATED_MONTHS
from ui.charts.lines import TIME_AXES
from ui.charts.time_titles import of_complete_units
from ui.data import ask as asking
from ui.data.ask import Ask, Question, frozen, of_analysis
from ui.exhibits.exhibit import Drawing, Exhibit, Nothing, Table, Value
from ui.i18n import text
from ui.state import questions, wording
from ui.state.questions import Over, analyse_under, ask_under, different, is_empty, of_nation, of_whole
from ui.state.scope import Scope
from ui.summary import claims

# The months of the trend of a single group, and its height in pixels.
_MONTHS, _TREND = 24, 240
# The people or files that a curve follows.
_FOLLOWED = ("at_risk", "files_followed")


def figure(
    scope: Scope,
    ask: Ask,
    chart: Chart,
    *names: str,
    by: str | Iterable[str] = (),
    over: Over | None = None,
    says: titles.TitleRule | None = None,
    analysis: str = "",
    nation: bool = False,
    target: bool = False,
    **options: Any,
) -> Exhibit:
    """A chart of measures by dimensions, or of an analysis.

    `by="place"` means provinces, or the counties of a few selected ones. `analysis` names a result of etl.analysis. `nation`
    and `target` add lines for the nation's value and the target. `says` replaces the chart's title rule.
    """
    exactly, axes = ask.exactly, axes_of(scope, names, by)
    if analysis:
        exact, ignored = analyse_under(scope, exactly, analysis)
    else:
        exact, ignored = _compared(scope, ask, chart, names, axes, over)
    if wider := [name for name in PLACES if name in ignored]:
        # It would be of places that the scope line does not name.
        return _not_narrowed(scope, ask, exact.metrics[0], wider)
    if is_empty(exact):
        return nothing(scope, "state.empty_title", "state.empty")
    if chart.compares and not analysis and len(groups := _groups(exact)) == 1:
        months = _trend(scope, exactly, exact, groups.pop(), axes)
        return single(scope, ask, chart, exact, months)
    options |= _options(scope, ask, chart, exact, is_measure=not analysis)
    if nation:
        of_all = of_nation(exact, ask)
        options["nation"] = None if of_all.left_out else line_of(of_all)
    if target:
        options |= _target(scope, ask, exact)
    read_from = _sides(scope, ask, exact) if chart.compares and not analysis else None
    made = of_answer(scope, ask, chart, exact, says, options=options, read_from=read_from)
    return of_result(made, scope, analysis) if analysis else made


def of_result(made: Exhibit, scope: Scope, analysis: str, **options: Hashable) -> Exhibit:
    """An exhibit of the result of an analysis, which says so where its sentences are worked out again."""
    if made.answer is None:
        return made
    chosen = {name: value for name, value in options.items() if value is not None}
    asked = of_analysis(analysis, scope.day, made.answer.where, scope.over, **chosen)
    title = replace(made.title, claims=claims.of_analysis(made.title.claims, asked))
    return replace(made, title=title, intro_claims=claims.of_analysis(made.intro_claims, asked))


def _sides(scope: Scope, ask: Ask, exact: Answer) -> Answer | None:
    """The answer of who differs, with the groups that have nobody too; None for what is not compared by its own value."""
    if "whole_value" not in exact.columns:
        return None
    return different(scope, ask, exact.metrics[0].name, exact.by[0], exact.where, exact.over)


def axes_of(scope: Scope, names: Sequence[str], by: str | Iterable[str]) -> tuple[str, ...]:
    """Dimensions with "place" read under the scope."""
    has_counties = all("county" in catalogue()[name].dimensions for name in names)
    return tuple(
        scope.place(has_counties) if axis == "place" else axis for axis in ((by,) if isinstance(by, str) else by)
    )


def of_answer(
    scope: Scope,
    ask: Ask,
    chart: Chart,
    exact: Answer,
    says: titles.TitleRule | None = None,
    notes: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    value: str = "",
    subtitle: str = "",
    cases: str | None = None,
    names: Mapping[str, Mapping[str, str]] | None = None,
    read_from: Answer | None = None,
) -> Exhibit:
    """The exhibit of an answer that was asked exactly already.

    `notes` are those of the page, `subtitle` and `cases` replace the line below the title, `names` are of members that only
    this answer has, `value` stands above the chart. The title is `read_from` the answer of who differs, if there is one.
    """
    answer, named = shown(exact, ask), asking.names(ask, scope.lang) | dict(names or {})
    words, chosen = ChartContext(scope.lang, names=named), dict(options or {})
    signed = signed_notes.about(ask.notes, exact)
    said = wording.notes_below(words, signed, exact.by, ask is ask.exactly)
    if signed and chart.has_events:
        # They are numbered on the chart, and listed below it.
        lines_of = [wording.note(words, note, ask is ask.exactly) for note in signed]
        chosen["events"], said = marks.with_notes(chosen.get("events", ()), signed, lines_of, exact), []
    form: Drawing | Nothing = Drawing(chart, tuple(chosen.items()), value)
    if any(_is_known(exact, metric.name) and not _is_known(answer, metric.name) for metric in answer.metrics):
        # Without one of its measures the chart would be misleading.
        form = Nothing("figure.no_picture")
    title = (says or chart.title)(read_from or answer, words) if isinstance(form, Drawing) else titles.Title("")
    # A number of another country has five words about itself.
    is_said = not chart.is_map and exact.by and "country" not in exact.by
    compared = words.word("finding.by", axes=titles.axes(exact.by, words)) if is_said else ""
    below = wording.subtitle(words, exact, ask.rights, scope.day, "", "parts" in chosen, compared)
    counted = _cases(scope, ask.exactly, exact, words) if cases is None else cases
    return Exhibit(
        scope.lang,
        form,
        answer,
        title,
        subtitle or below,
        counted if ask is ask.exactly else "",
        tuple(notes),
        (*said, *_notes(exact, answer, ask, words)),
        named,
    )


def table(scope: Scope, ask: Ask, name: str, by: str, notes: Sequence[str] = ()) -> Exhibit:
    """A measure of every member of a dimension as a table, with its range as title.

    Who has no known place is no member; a sentence of the page says how many they are.
    """
    exact, _ = ask_under(scope, ask.exactly, [name], (by,))
    if is_empty(exact):
        return nothing(scope, "state.empty_title", "state.empty")
    exhibit = of_answer(scope, ask, bars.ranking, exact, titles.whole_range, notes)
    assert exhibit.answer is not None
    known = replace(exhibit.answer, rows=[row for row in exhibit.answer.rows if row[0] is not None])
    return replace(exhibit, form=Table(), answer=known)


def finding(scope: Scope, ask: Ask, exact: Answer, title: str) -> Exhibit:
    """An answer under a heading, without a chart."""
    words = ChartContext(scope.lang, names=asking.names(ask, scope.lang))
    below = wording.where_and_when(words, exact, ask.rights, scope.day)
    return Exhibit(scope.lang, Value(), shown(exact, ask), titles.Title(title), below, names=words.names)


def nothing(scope: Scope, title: str, words: str, **values: object) -> Exhibit:
    """An exhibit that says why there is none."""
    return Exhibit(scope.lang, Nothing(title, text.word(words, scope.lang, **values)))


def shown(exact: Answer, ask: Ask) -> Answer:
    """An exact answer as the Ask shows it; the value of the whole is worked out of the whole's own counts."""
    answer = ask.shown(exact)
    if answer is exact or "whole_value" not in answer.columns:
        return answer
    at, whole = answer.columns.index("whole_value"), of_whole(exact, ask).value()
    return replace(answer, rows=[(*row[:at], whole, *row[at + 1 :]) for row in answer.rows])


def draws_the_same(*exhibits: Exhibit) -> bool:
    """Whether two trends are one: of one measure, with the same number in every month that both have."""
    months = [
        exhibit.answer
        for exhibit in exhibits
        if isinstance(exhibit.form, Drawing) and exhibit.form.chart is lines.trend and exhibit.answer
    ]
    if len(months) < 2 or any(answer.by != ("month",) or answer.measures != months[0].measures for answer in months):
        return False
    first, second = ({row[0]: row[1] for row in answer.rows} for answer in months)
    return all(first[month] == second[month] for month in first.keys() & second.keys())


def line_of(nation: Answer) -> float | tuple[tuple[Any, ...], ...] | None:
    """The value of the nation, or the pairs of its trend."""
    return tuple(row[:2] for row in nation.rows) if nation.by else nation.value()


def _is_known(answer: Answer, name: str) -> bool:
    return name in answer.columns and any(value is not None for value in answer.column(name))


# ---------------------------------------------------------------- the answer


def _compared(
    scope: Scope, ask: Ask, chart: Chart, names: Sequence[str], axes: tuple[str, ...], over: Over | None
) -> tuple[Answer, list[str]]:
    answer, ignored = ask_under(scope, ask.exactly, names, axes, over)
    if "province" in answer.by and BELOW_PROVINCE & {*answer.where}:
        answer = questions.of_own_provinces(answer, ask)
    return (_with_sides(scope, ask, answer) if chart.compares else answer), ignored


def _with_sides(scope: Scope, ask: Ask, answer: Answer) -> Answer:
    """The answer with the side of each group and the whole's value, for rates that can be tested."""
    name = answer.metrics[0].name
    tested = COMPARED_AS.get(name, name)
    if len(answer.by) != 1 or not is_tested(tested, answer.by[0]):
        return answer
    if answer.by == ("province",) and not sees_nation(ask.rights, answer.where):
        # Provinces are compared with the nation.
        return answer
    # A gap is to the nation's rate, and so is the side of its group.
    whole = "nation" if tested != name and answer.by != ("province",) else ""
    compared = different(scope, ask, tested, answer.by[0], answer.where, answer.over, whole)
    return _joined(answer, compared, ("side", "whole_value") if tested == name else ("side",))


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


# ---------------------------------------------------------------- options of the chart


def _options(scope: Scope, ask: Ask, chart: Chart, answer: Answer, is_measure: bool) -> dict[str, Any]:
    """What a chart needs besides the answer: the selected provinces, the events of its months."""
    options: dict[str, Any] = {}
    if chart.whole_country and is_measure:
        options["chosen"] = scope.where.get("province", ())
    if chart.has_events:
        options["events"] = marks.events(analyse_under(scope, ask.exactly, "events")[0], ChartContext(scope.lang))
    return options


def _target(scope: Scope, ask: Ask, answer: Answer) -> dict[str, Any]:
    """The target of the place on the as-of day and its word: a census share is none of its own; none under other filters."""
    if not set(answer.where) <= catalogue()["target"].dimensions or len(answer.where.get("province", ())) > 1:
        return {"target": None}
    target, own = (
        ask.exactly(Question((name,), on=scope.day, filters=frozen(answer.where))).value()
        for name in ("target", "own_target")
    )
    return {"target": target, "target_word": "figure.census_share" if own is None else "figure.target"}


# ---------------------------------------------------------------- one group, or a place of its own


def _groups(answer: Answer) -> set[tuple[tuple[str, Any], ...]]:
    at = [(i, name) for i, name in enumerate(answer.by) if name not in TIME_AXES]
    return {tuple((name, row[i]) for i, name in at) for row in answer.rows}


def single(scope: Scope, ask: Ask, chart: Chart, exact: Answer, months: Answer | None = None) -> Exhibit:
    """A single group, with nothing to compare: its value, and its trend."""
    if months is not None and not is_empty(months):
        return _of_months(scope, ask, months, _last(shown(exact, ask), scope.lang))
    exhibit = of_answer(scope, ask, chart, exact)
    value = Value(_last(exhibit.answer or exact, scope.lang))
    return replace(exhibit, form=value) if isinstance(exhibit.form, Drawing) else exhibit


def _last(answer: Answer, lang: str) -> str:
    """The last value of the first measure, with its unit."""
    metric = answer.metrics[0]
    return text.amount(answer.column(metric.name)[-1] if answer.rows else None, metric.unit, lang)


def _of_months(scope: Scope, ask: Ask, months: Answer, value: str = "") -> Exhibit:
    options = {"zero": months.metrics[0].unit != "share", "height": _TREND}
    exhibit = of_answer(scope, ask, lines.trend, months, options=options, value=value)
    return replace(exhibit, stands_in=True)


def _trend(
    scope: Scope, ask: Ask, answer: Answer, group: tuple[tuple[str, Any], ...], axes: tuple[str, ...]
) -> Answer | None:
    """The values over time of a single group; None without a history."""
    metric = answer.metrics[0]
    where = answer.where | {name: (code,) for name, code in group if code is not None}
    if not metric.has_history or not {"month", *where} <= metric.dimensions:
        return None
    over = answer.over if set(axes) & set(TIME_AXES) else scope.over or scope.months(_MONTHS)
    months = ask(Question((metric.name,), ("month",), None, over, frozen(where)))
    return None if months.left_out else months


def _not_narrowed(scope: Scope, ask: Ask, metric: Metric, wider: Sequence[str]) -> Exhibit:
    """The trend of the measure in the scope, where the figure itself cannot be narrowed to it; without any a notice."""
    where, ignored = scope.under(metric.dimensions)
    has_months = metric.name in catalogue() and metric.has_history and "month" in metric.dimensions
    if has_months and not set(PLACES) & {*ignored}:
        over = scope.over or scope.months(_MONTHS)
        months = ask.exactly(Question((metric.name,), ("month",), None, over, frozen(where)))
        if not is_empty(months):
            return _of_months(scope, ask, months)
    named = text.listed([text.word(f"dimension.{name}", scope.lang) for name in wider], scope.lang)
    measure = metric.label[scope.lang]
    return nothing(scope, "state.not_narrowed_title", "refused.not_where", measure=measure, dimensions=named)


# ---------------------------------------------------------------- what stands around it


def _notes(exact: Answer, answer: Answer, ask: Ask, words: ChartContext) -> tuple[str, ...]:
    places = exact.column("province") if "province" in exact.by else exact.where.get("province", ())
    notes = [*filter(None, [wording.not_arrived(ask, places, words.lang)])]
    if comparable(exact) is not exact:
        notes.append(words.word("figure.no_nowruz"))
    if "course" in exact.by and exact.metrics[0].unit == "share":
        notes.append(words.word("figure.of_course"))
    if overlaps(answer, answer.metrics[0], ask):
        notes.append(words.word("figure.overlap"))
    return tuple(notes)


def overlaps(answer: Answer, metric: Metric, ask: Ask) -> bool:
    """Whether groups of people add up to more than all: who serves in two groups counts in each.

    Of published counts, if by more than these can be off.
    """
    is_count = metric.unit == "persons" and metric.kind == "snapshot" and size_of(metric) == metric.name
    if not is_count or metric.name not in catalogue() or not answer.by or set(answer.by) & set(TIME_AXES):
        return False
    whole = ask(Question((metric.name,), on=answer.on, filters=frozen(answer.where))).value()
    off = 0 if ask is ask.exactly else disclosure.STEP * metric.most_per_person * (len(answer.rows) + 1)
    return sum(value or 0 for value in answer.column(metric.name)) > (whole or 0) + off


def _cases(scope: Scope, ask: Ask, answer: Answer, words: ChartContext) -> str:
    """The number of cases behind a ratio or a median, in words: over time the latest, for groups all of them."""
    metric = answer.metrics[0]
    counted = next((name for name in _FOLLOWED if name in answer.columns), size_of(metric))
    known = described(counted)
    # A person is counted for each course that they must hold: those of all courses are no base.
    if counted == metric.name or known is None or metric.name == "coverage_gap" or "course" in answer.by:
        return ""
    count = _size(scope, ask, answer, metric, counted)
    if count is None:
        return ""
    written = text.number(count, words.lang)
    return words.word("figure.cases", count=f"{written} {text.unit_word(known.unit, words.lang, written)}")


def _size(scope: Scope, ask: Ask, answer: Answer, metric: Metric, counted: str) -> Any:
    if counted in _FOLLOWED:
        # At time zero everyone is followed.
        return sum(row[counted] or 0 for row in answer.records() if row[answer.by[-1]] == 0)
    is_known = {counted, metric.name} <= set(catalogue())
    if len(answer.by) == 1 and answer.by[0] in (*TIME_AXES, "ahead") and (is_known or counted in answer.columns):
        at, rows = answer.columns.index(metric.name), of_complete_units(answer).rows
        sizes = answer if counted in answer.columns else _ask_size(scope, ask, answer, counted, answer.by)
        size_of_unit = dict(zip(sizes.column(answer.by[0]), sizes.column(counted), strict=True))
        if answer.by == ("ahead",):
            return size_of_unit[STATED_MONTHS]
        return next((size_of_unit.get(row[0]) for row in reversed(rows) if row[at] is not None), None)
    return _ask_size(scope, ask, answer, counted, ()).value() if is_known else None


def _ask_size(scope: Scope, ask: Ask, answer: Answer, counted: str, by: tuple[str, ...]) -> Answer:
    is_timed = catalogue()[counted].kind == "event" or bool({*by} & {*TIME_AXES})
    over = answer.over if is_timed else None
    on = None if over else answer.on or (answer.over[1] if answer.over else scope.day)
    return ask(Question((counted,), by, on, over, frozen(answer.where)))
