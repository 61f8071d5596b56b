"""Horizontal bars from zero, in separate groups with headings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etl.semantic.answers import Answer
from pages.ui.charts import axes, elements, traces
from pages.ui.charts.chart import chart
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.charts.titles import Title
from pages.ui.i18n import text

# The bar style for the reliability of its source: solid, hatched, pale.
_SURENESS = {"register": "fill", "high": "fill", "medium": "hatch", "low": "light"}


@dataclass(frozen=True)
class Bar:
    """One bar: the heading above it, its name, value (None: unknown), colour, style and hover text."""

    heading: str
    name: str
    value: float | None
    meaning: str
    style: str
    hover: str


def beside(answer: Answer, context: ChartContext) -> Title:
    """This country's rate and the highest rate of the first kind of force abroad."""
    at, unit = answer.columns.index(answer.metrics[0].name), answer.metrics[0].unit
    home, *foreign = answer.rows
    measure = answer.metrics[0].short[context.lang]
    own, *other = (
        f"{context.member('country', row[1])} {text.plain(row[at], unit, context.lang)}" for row in (home, *foreign[:1])
    )
    if not foreign or foreign[0][at] is None:
        return Title(f"{measure}: {own}")
    force = text.inside(context.member("force", foreign[0][0]), context.lang)
    return Title(context.word("abroad.beside", measure=measure, own=own, other=other[0], force=force))


def above(answer: Answer, context: ChartContext) -> Title:
    """The countries with a figure above the claim."""
    at = answer.columns.index("above_claim")
    country_names = dict.fromkeys(context.member("country", row[1]) for row in answer.rows if row[at] is not None)
    if not country_names:
        return Title(context.word("abroad.none_above"))
    return Title(context.word("abroad.some_above", places=text.listed(list(country_names), context.lang)))


@chart(beside)
def countries(answer: Answer, context: ChartContext) -> Figure:
    """Rates of this and other countries by kind of force, with the year and the reliability of each source."""
    bars = _bars(answer, context, lambda row: row[0] == "assistants")
    return _figure(context, bars, answer.metrics[0].unit, _sureness_keys(context, answer))


@chart(above)
def claimed(answer: Answer, context: ChartContext) -> Figure:
    """Persons by country and year against the four million of the founding statement; larger figures are highlighted."""
    above_at = answer.columns.index("above_claim")
    bars = _bars(answer, context, lambda row: row[above_at] is not None)
    # The answer gives the claim only as a figure minus its excess.
    claims = (row["persons_counted"] - row["above_claim"] for row in answer.records() if row["above_claim"] is not None)
    keys = [elements.key(context, context.word("abroad.above"), "actual"), *_sureness_keys(context, answer)]
    return _figure(context, bars, answer.metrics[0].unit, keys, next(claims, None), context.word("abroad.claim"))


def _bars(answer: Answer, context: ChartContext, is_highlighted: Callable[[tuple], bool]) -> list[Bar]:
    at = answer.columns.index(answer.metrics[0].name)
    return [
        Bar(
            context.member("force", row[0]),
            _country(context, row),
            row[at],
            "actual" if is_highlighted(row) else "total",
            _SURENESS[row[4]],
            _hover(answer, row, context),
        )
        for row in answer.rows
    ]


def _figure(
    context: ChartContext,
    bars: Sequence[Bar],
    unit: str,
    keys: Sequence[Figure],
    level: float | None = None,
    label: str = "",
) -> Figure:
    positions, headings, bottom = _positions(bars)
    value_texts = [
        context.word("figure.missing") if bar.value is None else text.plain(bar.value, unit, context.lang)
        for bar in bars
    ]
    top = max([level or 0, *(bar.value or 0 for bar in bars)]) or 1
    colours = [context.colour(bar.meaning) for bar in bars]
    marker = {
        "color": colours,
        "opacity": [0.55 if bar.style == "light" else 1 for bar in bars],
        "line": {"color": colours, "width": 1},
        "pattern": elements.pattern(context, "loss") | {"shape": ["/" if bar.style == "hatch" else "" for bar in bars]},
    }
    lengths, hovers = [bar.value or 0 for bar in bars], [bar.hover for bar in bars]
    start = {"x": 1 if context.rtl else 0, "xref": "paper", "xanchor": "right" if context.rtl else "left"}
    notes = traces.value_notes(context, value_texts, positions)
    # On the surface, so that the line of the level does not cross the words.
    start["bgcolor"] = context.colour("surface")
    notes += [elements.note(context, f"<b>{text.escape(name)}</b>", y=y, **start) for name, y in headings]
    shapes = []
    if level is not None:
        shapes.append(elements.level(context, level, vertical=True))
        notes.append(elements.note(context, label, x=level, y=1, yref="paper", yanchor="bottom"))
    names = axes.categories(context, [bar.name for bar in bars])
    return elements.figure(
        context,
        [traces.bar(lengths, hovers, y=positions, width=0.72, marker=marker)],
        round((bottom + 1) * elements.BAR) + 40,
        keys,
        xaxis=axes.across(context, axes.nice(top), unit, top * 1.01, showticklabels=False),
        yaxis=names | {"tickvals": positions, "range": [bottom + 0.6, -0.7]},
        shapes=shapes,
        annotations=notes,
        margin=traces.beside_values(context, value_texts, 28 if level is not None else 8),
    )


def _positions(bars: Sequence[Bar]) -> tuple[list[float], list[tuple[str, float]], float]:
    """Positions of bars and headings from 0 down, and the last position; a heading takes a row."""
    positions: list[float] = []
    headings: list[tuple[str, float]] = []
    y, under = -1.0, None
    for bar in bars:
        if bar.heading and bar.heading != under:
            y += 1
            headings.append((bar.heading, y))
            under = bar.heading
        y += 1
        positions.append(y)
    return positions, headings, y


def _country(context: ChartContext, row: Sequence[object]) -> str:
    year = context.member("counted_year", row[3]) if row[3] else context.word("abroad.undated")
    return f"{context.member('country', row[1])} {year}"


def _hover(answer: Answer, row: Sequence[object], context: ChartContext) -> str:
    lines = [f"<b>{text.escape(_country(context, row))}</b>", text.escape(context.member("counted", row[2]))]
    for metric in answer.metrics:
        value = row[answer.columns.index(metric.name)]
        if value is not None and metric.unit != "text":
            written = text.amount(value, metric.unit, context.lang)
            lines.append(f"{text.escape(metric.label[context.lang])}: {written}")
    lines.append(text.escape(f"{context.word('dimension.sureness')}: {context.member('sureness', row[4])}"))
    return context.line("<br>".join(lines))


def _sureness_keys(context: ChartContext, answer: Answer) -> list[Figure]:
    grades = dict.fromkeys(row[4] for row in answer.rows if row[4] != "register")
    return [
        elements.key(
            context, context.word("abroad.sureness", how=context.member("sureness", name)), "total", _SURENESS[name]
        )
        for name in ("high", "medium", "low")
        if name in grades
    ]
