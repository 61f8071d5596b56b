"""Horizontal bars from zero, in separate groups with headings."""

from collections.abc import Sequence
from dataclasses import dataclass

from etl.semantic.answers import Answer
from pages.ui.charts import axes, elements
from pages.ui.charts.chart import chart
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.charts.titles import Title
from pages.ui.i18n import text

# The bar style for the reliability of its source: solid, hatched, pale.
_SURENESS = {"register": "fill", "high": "fill", "medium": "hatch", "low": "light"}
_ROW, _HEADING = 1.0, 1.0


@dataclass(frozen=True)
class Bar:
    """One bar: the heading above it, its name, value (None: unknown), colour, style and hover text."""

    heading: str
    name: str
    value: float | None
    meaning: str
    drawn: str
    hover: str


# ---------------------------------------------------------------- titles


def beside(answer: Answer, context: ChartContext) -> Title:
    """This country's rate and the highest rate of the first kind of force abroad."""
    at, unit = answer.columns.index(answer.metrics[0].name), answer.metrics[0].unit
    home, *foreign = answer.rows
    home_text = f"{context.member('country', home[1])} {text.plain(home[at], unit, context.lang)}"
    if not foreign or foreign[0][at] is None:
        return Title(f"{answer.metrics[0].short[context.lang]}: {home_text}")
    first = foreign[0]
    other = f"{context.member('country', first[1])} {text.plain(first[at], unit, context.lang)}"
    return Title(
        context.word(
            "abroad.beside",
            measure=answer.metrics[0].short[context.lang],
            own=home_text,
            other=other,
            force=context.member("force", first[0]),
        )
    )


def above(answer: Answer, context: ChartContext) -> Title:
    """The countries with a figure above the claim."""
    at = answer.columns.index("above_claim")
    country_names = dict.fromkeys(context.member("country", row[1]) for row in answer.rows if row[at] is not None)
    if not country_names:
        return Title(context.word("abroad.none_above"))
    return Title(context.word("abroad.some_above", places=text.listed(list(country_names), context.lang)))


# ---------------------------------------------------------------- charts


@chart(beside)
def countries(answer: Answer, context: ChartContext) -> Figure:
    """Rates of this and other countries by kind of force, with the year and the reliability of each source."""
    bars = [
        Bar(
            context.member("force", row[0]),
            _country(context, row),
            row[answer.columns.index(answer.metrics[0].name)],
            "actual" if row[0] == "assistants" else "total",
            _SURENESS[row[4]],
            _hover(answer, row, context),
        )
        for row in answer.rows
    ]
    return _figure(context, bars, answer.metrics[0].unit, _sureness_keys(context, answer))


@chart(above)
def claimed(answer: Answer, context: ChartContext) -> Figure:
    """Persons by country and year against the four million of the founding statement; larger figures are highlighted."""
    at = [answer.columns.index(name) for name in ("persons_counted", "above_claim")]
    bars = [
        Bar(
            context.member("force", row[0]),
            _country(context, row),
            row[at[0]],
            "actual" if row[at[1]] is not None else "total",
            _SURENESS[row[4]],
            _hover(answer, row, context),
        )
        for row in answer.rows
    ]
    # The answer gives the claim only as a figure minus its excess.
    line = next((row[at[0]] - row[at[1]] for row in answer.rows if row[at[1]] is not None), None)
    keys = [elements.key(context, context.word("abroad.above"), "actual"), *_sureness_keys(context, answer)]
    return _figure(context, bars, answer.metrics[0].unit, keys, line, context.word("abroad.claim"))


def _figure(
    context: ChartContext,
    bars: Sequence[Bar],
    unit: str,
    keys: Sequence[Figure],
    level: float | None = None,
    named: str = "",
) -> Figure:
    places, headings, bottom = _places(bars)
    written = [
        context.word("figure.missing") if bar.value is None else text.plain(bar.value, unit, context.lang)
        for bar in bars
    ]
    top = max([level or 0, *(bar.value or 0 for bar in bars)]) or 1
    ticks = axes.nice(top)
    data = {
        "type": "bar",
        "orientation": "h",
        "x": [bar.value or 0 for bar in bars],
        "y": places,
        "width": 0.72,
        "marker": {
            "color": [context.colour(bar.meaning) for bar in bars],
            "opacity": [0.55 if bar.drawn == "light" else 1 for bar in bars],
            "line": {"color": [context.colour(bar.meaning) for bar in bars], "width": 1},
            "pattern": elements.pattern(context, "loss")
            | {"shape": ["/" if bar.drawn == "hatch" else "" for bar in bars]},
        },
        "hovertext": [bar.hover for bar in bars],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    beyond = 18 + 7 * max((len(value) for value in written), default=4)
    edge = {"x": 0 if context.rtl else 1, "xref": "paper", "xanchor": "right" if context.rtl else "left"}
    notes = [elements.note(context, value, y=place, **edge) for value, place in zip(written, places, strict=True)]
    start = {"x": 1 if context.rtl else 0, "xref": "paper", "xanchor": "right" if context.rtl else "left"}
    notes += [elements.note(context, f"<b>{text.escape(name)}</b>", y=place, **start) for name, place in headings]
    if level is not None:
        notes.append(elements.note(context, named, x=level, y=1, yref="paper", yanchor="bottom"))
    x_axis = axes.axis(context, ticks, unit, **axes.across(context, ticks, 0, top * 1.01)) | {"showticklabels": False}
    names = axes.categories(context, [bar.name for bar in bars])
    return elements.figure(
        context,
        [data],
        round((bottom + 1) * elements.BAR) + 40,
        keys,
        xaxis=x_axis,
        yaxis=names | {"tickvals": places, "range": [bottom + 0.6, -0.7]},
        shapes=[] if level is None else [elements.level(context, level, vertical=True)],
        annotations=notes,
        margin={
            "l": beyond if context.rtl else 8,
            "r": 8 if context.rtl else beyond,
            "t": 28 if level is not None else 8,
            "b": 8,
            "pad": 0,
        },
    )


def _places(bars: Sequence[Bar]) -> tuple[list[float], list[tuple[str, float]], float]:
    """Positions of bars and headings from 0 down, and the last position; a heading takes a row."""
    places: list[float] = []
    headings: list[tuple[str, float]] = []
    at, under = -_ROW, None
    for bar in bars:
        if bar.heading and bar.heading != under:
            at += _HEADING
            headings.append((bar.heading, at))
            under = bar.heading
        at += _ROW
        places.append(at)
    return places, headings, at


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
