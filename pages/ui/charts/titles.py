"""Answer in, one sentence out: what a chart shows, in ten words or fewer, made from its data. Knows no Streamlit.

Every number in a sentence is a number of the answer; nothing is computed here but which row is the first and the last.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etl.semantic.answers import Answer
from pages.ui.charts import bars, elements, lines, maps
from pages.ui.charts.elements import ChartContext
from pages.ui.i18n import text

_MOST_WORDS = 10


@dataclass(frozen=True)
class Title:
    """The sentence, and the codes of the groups it names (a chart sets them apart)."""

    sentence: str
    focus: tuple[Any, ...] = ()


TitleRule = Callable[[Answer, ChartContext], Title]


def _known(answer: Answer, name: str | None) -> tuple[int, str, list[tuple]]:
    metric = next((m for m in answer.metrics if m.name == name), answer.metrics[0])
    at = answer.columns.index(metric.name)
    return (
        at,
        metric.unit,
        [row for row in answer.rows if row[at] is not None and row[0] is not None],
    )


def extreme(answer: Answer, context: ChartContext, name: str | None = None, end: str | None = None) -> Title:
    """The group that most needs to be known: the worst by the metric's direction, the highest where it has none."""
    at, unit, rows = _known(answer, name)
    if not rows:
        return Title(context.word("finding.none"))
    metric = next((m for m in answer.metrics if m.name == name), answer.metrics[0])
    end = end or ("lowest" if metric.direction == "up" else "highest")
    value = (min if end == "lowest" else max)(row[at] for row in rows)
    first = [row for row in rows if row[at] == value]
    place, count = context.named(answer.by[0], first[0][0]), text.number(len(first), context.lang)
    key = "finding.single" if len(rows) == 1 else f"finding.many_{end}" if len(first) > 1 else f"finding.{end}"
    sentence = _in_ten_words(
        context.word(key, place=place, count=count, value=written) for written in _amounts(value, unit, context)
    )
    return Title(sentence, tuple(row[0] for row in first) if len(rows) > 1 else ())


def highest(answer: Answer, context: ChartContext) -> Title:
    """The group with the highest value, whichever way is good."""
    return extreme(answer, context, end="highest")


def lowest(answer: Answer, context: ChartContext) -> Title:
    """The group with the lowest value, whichever way is good."""
    return extreme(answer, context, end="lowest")


def gap(answer: Answer, context: ChartContext) -> Title:
    """The group furthest below the average."""
    at, unit, rows = _known(answer, None)
    if not rows:
        return Title(context.word("finding.none"))
    worst = min(rows, key=lambda row: row[at])
    place, value = context.named(answer.by[0], worst[0]), text.amount(worst[at], unit, context.lang)
    if worst[at] >= 0:
        return Title(context.word("finding.single", place=place, value=value))
    return Title(context.word("finding.gap", place=place, value=value), (worst[0],))


def latest(answer: Answer, context: ChartContext) -> Title:
    """The value at the end of the chart, and the one a year before it; that there is none, where nobody is left to measure."""
    at, unit, rows = _known(answer, None)
    if not rows:
        return Title(context.word("finding.none"))
    if len(answer.by) > 1:
        return _latest_of_groups(answer, context)
    first, now = answer.rows[0], answer.rows[-1]
    places = {"measure": answer.metrics[0].short[context.lang]}
    if now[at] is None:
        when = context.member(answer.by[0], now[0])
        return Title(
            _in_ten_words(context.word(f"finding.{key}", when=when, **places) for key in ("ended", "ended_bare"))
        )
    before = {row[0]: row for row in rows}.get(_year_before(str(now[0])))
    if before is not None and now[0] not in answer.provisional:
        key, places["before"] = "since", text.plain(before[at], unit, context.lang)
    elif len(rows) > 1 and first[at] is not None:
        key, places["first"] = "grown", text.plain(first[at], unit, context.lang)
    else:
        key = "now"
    amounts = _amounts(now[at], unit, context)
    # a long name of a measure may stay away: the subtitle says it
    return Title(
        _in_ten_words(
            context.word(f"finding.{name}", value=value, **places) for name in (key, f"{key}_bare") for value in amounts
        )
    )


def _amounts(value: Any, unit: str, context: ChartContext) -> tuple[str, str]:
    """A number with its unit, and without: the subtitle says it."""
    return text.amount(value, unit, context.lang), text.plain(value, unit, context.lang)


def _in_ten_words(sentences: Iterable[str]) -> str:
    """The first sentence of ten words or fewer, or the last."""
    said = ""
    for said in sentences:
        if len(said.split()) <= _MOST_WORDS:
            break
    return said


def _latest_of_groups(answer: Answer, context: ChartContext) -> Title:
    time = next(i for i, axis in enumerate(answer.by) if axis in ("month", "quarter", "year"))
    last = max(row[time] for row in answer.rows)
    other = 1 - time
    rows = [(row[other], *row[2:]) for row in answer.rows if row[time] == last]
    by = answer.by[other]
    part = replace(answer, by=(by,), columns=(by, *answer.columns[2:]), rows=rows, provisional=frozenset())
    return extreme(part, context)


def _year_before(label: str) -> str:
    year, dash, rest = label.partition("-")
    return f"{int(year) - 1}{dash}{rest}" if year.isdigit() else ""


def pair(answer: Answer, context: ChartContext) -> Title:
    """Both measures of the last unit that is over."""
    rows = [row for row in answer.rows if row[0] not in answer.provisional]
    if not rows:
        return Title(context.word("finding.none"))
    row = rows[-1]
    said = [
        f"{m.short[context.lang]} {text.plain(row[answer.columns.index(m.name)], m.unit, context.lang)}"
        for m in answer.metrics[:2]
    ]
    when = context.member(answer.by[0], row[0])
    return Title(context.word("finding.pair", when=when, first=said[0], second=said[1]))


def ends(answer: Answer, context: ChartContext) -> Title:
    """From the first row to the last: a bridge, a run-off."""
    at, unit, rows = _known(answer, None)
    if not rows:
        return Title(context.word("finding.none"))
    last = answer.rows[-1]
    if answer.by[0] == "step":
        stock = dict(row[:2] for row in rows)
        first, last = (("start", stock["start"]), ("end", stock["end"]))
        return Title(
            context.word(
                "finding.from_to",
                first=text.plain(first[at], unit, context.lang),
                last=text.amount(last[at], unit, context.lang),
            )
        )
    if last[at] is None:
        return latest(answer, context)
    return Title(
        context.word(
            "finding.to_value",
            measure=answer.metrics[0].short[context.lang],
            when=context.member(answer.by[0], last[0]),
            value=text.amount(last[at], unit, context.lang),
        )
    )


def ahead(answer: Answer, context: ChartContext) -> Title:
    """The range that a projection ends in. Metrics in order: actual, low, high."""
    last = answer.rows[-1]
    low, high = (last[answer.columns.index(metric.name)] for metric in answer.metrics[1:3])
    if low is None or high is None:
        # Without a projection the months ahead have no value of any kind: the title is of the known ones.
        known = [row for row in answer.rows if row[1] is not None]
        return latest(replace(answer, rows=known), context)
    unit = answer.metrics[0].unit
    return Title(
        context.word(
            "finding.ahead",
            low=text.plain(low, unit, context.lang),
            high=text.amount(high, unit, context.lang),
            when=context.member(answer.by[0], last[0]),
        )
    )


def middle(answer: Answer, context: ChartContext) -> Title:
    """What the half of residents with the lowest coverage have: the Lorenz curve at its middle row."""
    across, up = (answer.columns.index(metric.name) for metric in answer.metrics[:2])
    rows = [row for row in answer.rows if row[across] is not None and row[0] is not None]
    if not rows:
        return Title(context.word("finding.none"))
    near = min(rows, key=lambda row: abs(row[across] - 0.5))
    return Title(
        context.word(
            "finding.share_of_residents",
            residents=text.percent(near[across], context.lang, 0),
            value=text.percent(near[up], context.lang, 0),
        )
    )


def stages(answer: Answer, context: ChartContext) -> Title:
    """The first and the last stage of a funnel."""
    row = answer.rows[0]
    said = [
        f"{m.short[context.lang]} {text.plain(row[answer.columns.index(m.name)], m.unit, context.lang)}"
        for m in (answer.metrics[0], answer.metrics[-1])
    ]
    return Title(text.listed(said, context.lang))


# What a chart says unless the page knows better.
OF_CHART: dict[Callable[..., elements.Figure], TitleRule] = {
    bars.ranking: extreme,
    bars.stacked: extreme,
    bars.columns: extreme,
    bars.paired: pair,
    bars.bridge: ends,
    bars.funnel: stages,
    lines.trend: latest,
    lines.projection: ahead,
    lines.run_off: ends,
    lines.heat: latest,
    lines.lorenz: middle,
    maps.provinces: extreme,
}


def of(
    chart: Callable[..., elements.Figure], answer: Answer, context: ChartContext, says: TitleRule | None = None
) -> Title:
    """The finding of `answer` drawn as `chart`."""
    return (says or OF_CHART[chart])(answer, context)


def spoken(answer: Answer, context: ChartContext, finding: Title, subtitle: str, most: int = 6) -> str:
    """The text alternative of a chart: its finding, what it measures, and its first and last rows in words."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    shown: Sequence[tuple] = answer.rows
    if len(shown) > most:
        shown = [*answer.rows[: most // 2], *answer.rows[-most // 2 :]]
    said = [
        f"{elements.name_of(answer, row, context)}: {text.plain(row[at], metric.unit, context.lang)}" for row in shown
    ]
    return f"{finding.sentence}. {subtitle}. " + ("؛ " if context.rtl else "; ").join(said)
