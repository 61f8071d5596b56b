"""Charts of the workforce: pyramids, survival curves and transfers, with their title rules."""

from typing import Any

from etl.semantic.answers import Answer
from ui.charts import axes, elements, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.i18n import member_names, text
from ui.summary import claims

_YEAR = 12
# The minimum height of a pyramid: neighbours with few and many bands look alike.
_PYRAMID = 285
# The most routes of transfers that have a bar.
_MOST_ROUTES = 15


def largest_band(answer: Answer, context: ChartContext) -> Title:
    """The band with the most people of one gender."""
    band = next(axis for axis in answer.by if axis != "gender")

    def name_group(key: tuple[Any, ...]) -> str:
        codes = dict(zip(answer.by, key, strict=True))
        band_name = context.named(band, codes[band])
        if codes["gender"] not in ("male", "female"):
            return band_name
        aged = member_names.band(codes[band], context.lang, is_aged=True) if codes[band] else band_name
        return context.word(f"finding.{codes['gender']}_{band}", band=band_name, aged=aged)

    return titles.extreme(answer, context, end="highest", name_group=name_group)


@chart(largest_band)
def pyramid(answer: Answer, context: ChartContext) -> Figure:
    """A population pyramid of men and women by band of years, the youngest at the bottom."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    split, other = answer.by.index("gender"), 1 - answer.by.index("gender")
    bands = list(dict.fromkeys(row[other] for row in reversed(answer.rows)))
    cell = {(row[other], row[split]): row for row in answer.rows}
    top = max([1, *(row[at] or 0 for row in answer.rows)])
    data, keys = [], []
    for code, side, meaning in (("male", -1, "men"), ("female", 1, "women")):
        rows = [cell.get((band, code)) for band in bands]
        hovers = [elements.hover(answer, metric, row, context) if row else "" for row in rows]
        lengths = [side * (row[at] or 0) if row else 0 for row in rows]
        marker = {"color": context.colour(meaning)}
        data.append(elements.bar(lengths, hovers, marker=marker, customdata=[code] * len(bands)))
        keys.append(elements.key(context, context.member("gender", code), meaning, member=code))
    ticks = axes.nice(top)
    both = [-v for v in reversed(ticks) if v] + ticks
    # On a phone there is only room for every other tick, and the outermost labels need a margin.
    tick_values = both[len(both) // 2 % 2 :: 2]
    end = ticks[-1] * 1.12
    x_axis = axes.axis(context, tick_values, metric.unit, range=[-end, end])
    x_axis["ticktext"] = [axes.tick(abs(v), metric.unit, ticks, context.lang) for v in tick_values]
    return elements.figure(
        context,
        data,
        max(len(bands) * elements.BAR + 60, _PYRAMID),
        keys,
        clicks="gender",
        barmode="overlay",
        xaxis=x_axis,
        yaxis=axes.categories(context, [context.member(answer.by[other], b) for b in bands]),
    )


def still_serving(answer: Answer, context: ChartContext) -> Title:
    """The share still serving after a year, or after the longest observed time."""
    row = answer.rows[min(_YEAR, len(answer.rows) - 1)]
    value, count = text.percent(row[1], context.lang, 0), text.number(row[0], context.lang)
    said = claims.claim("value", answer, **claims.rows(answer, [row]))
    return Title(context.word("finding.still_serving", value=value, count=count), claims=(said,))


@chart(still_serving)
def survival(answer: Answer, context: ChartContext) -> Figure:
    """The share still serving by months since joining: a step curve with its 95 % confidence band."""
    months, _, _, low, high = (answer.column(name) for name in answer.columns)
    bound = {"width": 0, "shape": "hv"}
    area = {"fill": "tonexty", "fillcolor": elements.faded(context.colour("actual"), 0.22)}
    data = [
        elements.silent_line(months, low, bound),
        elements.silent_line(months, high, bound, **area),
        _steps(answer, context),
    ]
    keys = [
        elements.key(context, answer.metrics[0].short[context.lang], "actual", "line"),
        elements.key(context, context.word("figure.bounds"), "actual", "light"),
    ]
    last = max(months, default=_YEAR)
    step = _YEAR if last <= 5 * _YEAR else 2 * _YEAR
    ticks = [float(month) for month in range(0, last + 1, step)]
    return elements.figure(
        context,
        data,
        330,
        keys,
        xaxis=axes.axis(context, ticks, "months", range=[0, last * 1.01 or 1], title=context.word("dimension.served")),
        yaxis=axes.upright(context, axes.SHARES, "share"),
    )


def _steps(answer: Answer, context: ChartContext) -> Figure:
    at, served, followed = (answer.columns.index(name) for name in (answer.metrics[0].name, "served", "at_risk"))
    share = [row[at] for row in answer.rows]
    hovers = []
    for row, value in zip(answer.rows, share, strict=True):
        after = context.word("figure.months_after", count=text.number(row[served], context.lang))
        still = f"{text.escape(answer.metrics[1].label[context.lang])}: {text.number(row[followed], context.lang)}"
        hovers.append(elements.hover_lines(context, after, text.percent(value, context.lang), still))
    at_months = [row[served] for row in answer.rows]
    return elements.line(at_months, share, hovers, context.colour("actual"), shape="hv")


def largest_move(answer: Answer, context: ChartContext) -> Title:
    """The transfer route with the most people."""
    return titles.extreme(answer, context, end="highest", name_group=lambda key: _way(answer, key, context))


def _most_first(answer: Answer) -> list[tuple[Any, ...]]:
    at = answer.columns.index(answer.metrics[0].name)
    return sorted((row for row in answer.rows if row[at]), key=lambda row: (-row[at], row[:2]))


@chart(largest_move, order=_most_first)
def moves(answer: Answer, context: ChartContext) -> Figure:
    """The routes with the most transfers, longest first; a note says how many routes there are."""
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    shown, count = _most_first(answer)[:_MOST_ROUTES], len(answer.rows)
    values = [row[at] for row in shown]
    names = [_way(answer, row, context) for row in shown]
    amounts, value_texts = (
        [write(value, metric.unit, context.lang) for value in values] for write in (text.amount, text.plain)
    )
    hovers = [elements.hover_lines(context, *pair) for pair in zip(names, amounts, strict=True)]
    top = max([1, *values])
    counts = {"shown": text.number(len(shown), context.lang), "count": text.number(count, context.lang)}
    return elements.figure(
        context,
        [elements.bar(values, hovers, marker={"color": context.colour("actual")})],
        len(shown) * elements.BAR + 44,
        credit=context.word("figure.first_routes", **counts) if len(shown) < count else "",
        xaxis=axes.across(context, axes.nice(top), metric.unit, top * 1.01, showticklabels=False),
        **axes.named_bars(context, names, value_texts),
    )


def _way(answer: Answer, row: tuple[Any, ...], context: ChartContext) -> str:
    origin, place = (context.member("province", row[answer.columns.index(name)]) for name in ("origin", "province"))
    return context.word("figure.from_to", origin=origin, place=place)
