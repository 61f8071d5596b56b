"""Horizontal bars from zero, in separate groups with headings."""

from collections.abc import Sequence
from itertools import groupby

from etl.analysis.international import CLAIM
from etl.semantic.answers import Answer
from ui.charts import axes, elements
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.i18n import text
from ui.summary import claims, different

# The bar style for the reliability of its source: solid, hatched, pale.
_SURENESS = {"register": "fill", "high": "fill", "medium": "hatch", "low": "light"}


def beside(answer: Answer, context: ChartContext) -> Title:
    """This country's rate, and the range abroad of the first kind of force: kinds are not ranked together."""
    metric = answer.metrics[0]
    at, measure = answer.columns.index(metric.name), metric.short[context.lang]
    home, *foreign = answer.rows
    kind = foreign[0][0]
    of_kind = sorted((row for row in foreign if row[0] == kind and row[at] is not None), key=lambda row: row[at])
    named = {"own": home, "low": of_kind[0], "high": of_kind[-1]}
    words = {name: text.plain(row[at], metric.unit, context.lang) for name, row in named.items()}
    words |= {"force": context.member("force", kind), "measure": text.inside(measure, context.lang)}
    said = claims.claim("value", answer, **claims.rows(answer, [*named.values()]))
    return Title(context.word("abroad.beside", **words), claims=(said,))


def above(answer: Answer, context: ChartContext) -> Title:
    """The countries with a figure above the claim, and the kinds of force that have it."""
    rows = [row for row in answer.records() if row["above_claim"] is not None]
    if not rows:
        return Title(context.word("abroad.none_above"))
    force, places = (
        different.joined([*dict.fromkeys(context.member(name, row[name]) for row in rows)], context.lang)
        for name in ("force", "country")
    )
    count = text.number(len({row["country"] for row in rows}), context.lang)
    return Title(context.word("abroad.some_above", force=force, places=places, count=count))


@chart(beside)
def countries(answer: Answer, context: ChartContext) -> Figure:
    """Rates of this and other countries by kind of force, with the year and the reliability of each source."""
    return _figure(answer, context, [row[0] == "assistants" for row in answer.rows], _sureness_keys(context, answer))


@chart(above)
def claimed(answer: Answer, context: ChartContext) -> Figure:
    """Persons by country and year against the four million of the founding statement; larger figures are highlighted."""
    is_above = [excess is not None for excess in answer.column("above_claim")]
    keys = [elements.key(context, context.word("abroad.above"), "actual"), *_sureness_keys(context, answer)]
    return _figure(answer, context, is_above, keys, (CLAIM, context.word("abroad.claim")))


def _figure(
    answer: Answer,
    context: ChartContext,
    highlighted: Sequence[bool],
    keys: list[Figure],
    line: tuple[float, str] | None = None,
) -> Figure:
    """A bar for each row under the heading of its kind of force, in the style of its source's reliability."""
    metric, rows = answer.metrics[0], answer.rows
    values = answer.column(metric.name)
    value_texts = [
        context.word("figure.missing") if value is None else text.plain(value, metric.unit, context.lang)
        for value in values
    ]
    lengths = [value or 0 for value in values]
    top = max([line[0] if line else 1, *lengths])
    positions, headings, bottom = _positions([context.member("force", row[0]) for row in rows])
    colours = [context.colour("actual" if is_highlighted else "total") for is_highlighted in highlighted]
    styles = [_SURENESS[row[4]] for row in rows]
    marker = {
        "color": colours,
        "opacity": [0.55 if style == "light" else 1 for style in styles],
        "line": {"color": colours, "width": 1},
        "pattern": elements.pattern(context, "loss") | {"shape": ["/" if style == "hatch" else "" for style in styles]},
    }
    hovers = [_hover(answer, row, context) for row in rows]
    layout = axes.named_bars(context, [_country(context, row) for row in rows], value_texts, line, positions)
    layout["yaxis"] |= {"tickvals": positions, "range": [bottom + 0.6, -0.7]}
    # On the surface, so that the line of the claim does not cross the words.
    start = {"x": 1 if context.rtl else 0, "xref": "paper", "xanchor": "right" if context.rtl else "left"}
    layout["annotations"] += [
        elements.note(context, f"<b>{text.escape(name)}</b>", y=y, bgcolor=context.colour("surface"), **start)
        for name, y in headings
    ]
    return elements.figure(
        context,
        [elements.bar(lengths, hovers, y=positions, width=0.72, marker=marker)],
        round((bottom + 1) * elements.BAR) + 40,
        keys,
        xaxis=axes.across(context, axes.nice(top), metric.unit, top * 1.01, showticklabels=False),
        **layout,
    )


def _positions(names: Sequence[str]) -> tuple[list[float], list[tuple[str, float]], float]:
    """Positions of bars and of the headings above each run of a name, from 0 down, and the last position."""
    positions: list[float] = []
    headings: list[tuple[str, float]] = []
    y = -1.0
    for name, bars in groupby(names):
        headings.append((name, y + 1))
        positions += [y + 1 + number for number, _ in enumerate(bars, 1)]
        y = positions[-1]
    return positions, headings, y


def _country(context: ChartContext, row: Sequence[object]) -> str:
    year = context.member("counted_year", row[3]) if row[3] else context.word("abroad.undated")
    return f"{context.member('country', row[1])} {year}"


def _hover(answer: Answer, row: Sequence[object], context: ChartContext) -> str:
    lines = [text.escape(context.member("counted", row[2]))]
    for metric in answer.metrics:
        value = row[answer.columns.index(metric.name)]
        if value is not None and metric.unit != "text":
            lines.append(elements.labelled(metric, value, context))
    lines.append(text.escape(f"{context.word('dimension.sureness')}: {context.member('sureness', row[4])}"))
    return elements.hover_lines(context, _country(context, row), *lines)


def _sureness_keys(context: ChartContext, answer: Answer) -> list[Figure]:
    grades = {row[4] for row in answer.rows} - {"register"}
    return [
        elements.key(context, context.word("abroad.sureness", how=context.member("sureness", grade)), "total", kind)
        for grade, kind in _SURENESS.items()
        if grade in grades
    ]
