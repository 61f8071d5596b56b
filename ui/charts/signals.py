"""Control charts of the signals: the funnel plot of provinces, and the p′ chart of one province's months."""

from collections.abc import Mapping
from typing import Any

from etl.analysis.signals import Funnel
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue
from ui.charts import axes, elements
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title, first_that_fits
from ui.i18n import text

_MOST_NAMED = 2
_STEPS = 60


def beyond(answer: Answer, context: ChartContext) -> Title:
    """The provinces beyond the limits, named if they are few."""
    metric = answer.metrics[0]
    signals = [row for row in answer.records() if row["is_signal"]]
    placeholders = {"measure": metric.short[context.lang], "count": text.number(len(signals), context.lang)}
    if not signals:
        return Title(context.word("signal.none", **placeholders))
    named = text.listed([context.named("province", row["province"]) for row in signals], context.lang)
    sides = {_side(metric, row) for row in signals}
    beyond_what = context.word(f"signal.{sides.pop() if len(sides) == 1 else 'beyond'}")
    placeholders["beyond"] = text.inside(beyond_what, context.lang)
    keys = ("some", "many") if len(signals) <= _MOST_NAMED else ("many",)
    return Title(first_that_fits(context.word(f"signal.{key}", places=named, **placeholders) for key in keys))


def _side(metric: Metric, row: Mapping[str, Any]) -> str:
    """Whether the row is "better" or "worse" than the common rate, by the metric's direction."""
    return "better" if (row[metric.name] > row["common"]) is (metric.direction == "up") else "worse"


def months_beyond(answer: Answer, context: ChartContext) -> Title:
    """The months beyond the limits, named if they are few."""
    metric, rows = answer.metrics[0], answer.records()
    signal_months = [row["month"] for row in rows if row["is_signal"]]
    placeholders = {
        "measure": metric.short[context.lang],
        "count": text.number(len(signal_months), context.lang),
        "months": text.listed([context.member("month", month) for month in signal_months], context.lang),
    }
    if not signal_months:
        return Title(context.word("signal.xmr_in", **placeholders))
    keys = ("xmr_out", "xmr_many") if len(signal_months) <= _MOST_NAMED else ("xmr_many",)
    return Title(first_that_fits(context.word(f"signal.{key}", **placeholders) for key in keys))


@chart(beyond)
def funnel(answer: Answer, context: ChartContext) -> Figure:
    """Each province's share over its count, with the nation's share and limits that narrow as counts grow."""
    metric, rows = answer.metrics[0], answer.records()
    counted = catalogue()[str(metric.denominator)]
    counts, shares = answer.column(counted.name), answer.column(metric.name)
    curve = _limits(rows[0], max(counts))
    limit_style = {"color": context.colour("quiet"), "width": 1.5, "dash": "dash"}
    data: list[Figure] = [
        elements.silent_line([count for count, *_ in curve], [limits[side] for _, *limits in curve], limit_style)
        for side in (0, 1)
    ]
    data.append(_points(answer, context, [row for row in rows if not row["is_signal"]], "actual"))
    keys = [elements.key(context, context.word("signal.province"), "actual", "dot")]
    # Orange is only for problems, so not for provinces beyond the limits on the good side.
    for side, meaning in (("better", "actual"), ("worse", "problem")):
        if group := [row for row in rows if row["is_signal"] and _side(metric, row) == side]:
            data.append(_points(answer, context, group, meaning, are_signals=True))
            keys.append(elements.key(context, context.word(f"signal.{side}"), meaning, "diamond"))
    keys.append(elements.key(context, context.word("signal.limits"), "quiet", "dash"))
    keys.append(elements.key(context, context.word("figure.nation_line"), "nation", "dash"))
    bounds = [limit for count, *limits in curve for limit in limits if count >= min(counts)]
    ticks = axes.between(max(0.0, min([*shares, *bounds])), max([*shares, *bounds]))
    across = axes.nice(max(counts))
    return elements.figure(
        context,
        data,
        360,
        keys,
        clicks="province",
        credit=context.word("signal.funnel_help", phi=text.number(rows[0]["funnel_phi"], context.lang, 1)),
        xaxis=axes.axis(context, across, counted.unit, range=[0, across[-1] * 1.05], title=counted.short[context.lang]),
        yaxis=axes.upright(context, ticks, metric.unit, range=[ticks[0], ticks[-1]]),
        shapes=[elements.level(context, rows[0]["common"])],
        margin=axes.margins(context, top=16),
    )


def _points(
    answer: Answer, context: ChartContext, rows: list[dict[str, Any]], meaning: str, are_signals: bool = False
) -> Figure:
    """Provinces as points; signals are larger, have another shape and are named."""
    metric = answer.metrics[0]
    half = max(answer.column(str(metric.denominator))) / 2
    return {
        "type": "scatter",
        "mode": "markers+text" if are_signals else "markers",
        "x": [row[str(metric.denominator)] for row in rows],
        "y": [row[metric.name] for row in rows],
        "customdata": [row["province"] for row in rows],
        "text": [context.line(text.escape(context.member("province", row["province"]))) for row in rows],
        # Towards the middle: most provinces are small and crowd the start, and the end has no room for a name.
        "textposition": [f"middle {'right' if row[str(metric.denominator)] <= half else 'left'}" for row in rows],
        "cliponaxis": False,
        "marker": {
            "size": 11 if are_signals else 9,
            "symbol": "diamond" if are_signals else "circle",
            "color": context.colour(meaning),
            "line": {"color": context.colour("surface"), "width": 1},
        },
        "hovertext": [_hover(answer, row, context) for row in rows],
        "hovertemplate": elements.HOVER,
    }


@chart(months_beyond)
def process(answer: Answer, context: ChartContext) -> Figure:
    """The province's share of the nation by month, with its common share and the limits of each month (p′ chart)."""
    metric, rows = answer.metrics[0], answer.records()
    shares, is_signal, at = answer.column(metric.name), answer.column("is_signal"), list(range(len(rows)))
    colour = context.colour("actual")
    marker = {
        "size": [12 if signal else 5 for signal in is_signal],
        "symbol": ["diamond" if signal else "circle" for signal in is_signal],
        # Not orange: an unusual month need not be a problem.
        "color": colour,
    }
    hovers = [elements.hover(answer, metric, values, context) for values in answer.rows]
    line = elements.line(at, shares, hovers, colour, mode="lines+markers", marker=marker)
    step = {"color": context.colour("quiet"), "width": 1.5, "dash": "dash", "shape": "hvh"}
    limits = [elements.silent_line(at, answer.column(name), step) for name in ("flow_low", "flow_high")]
    ticks = axes.nice(max([*shares, *answer.column("flow_high")]))
    keys = [
        elements.key(context, metric.short[context.lang], "actual", "line"),
        elements.key(context, context.word("signal.mean"), "nation", "dash"),
        elements.key(context, context.word("signal.limits"), "quiet", "dash"),
    ]
    if any(is_signal):
        keys.insert(1, elements.key(context, context.word("signal.beyond"), "actual", "diamond"))
    return elements.figure(
        context,
        [*limits, line],
        300,
        keys,
        credit=context.word("signal.xmr_help"),
        **axes.over_time(context, answer.column("month"), axes.upright(context, ticks, metric.unit)),
        shapes=[elements.level(context, rows[0]["flow_middle"])],
    )


def _limits(row: dict[str, Any], most: float) -> list[tuple[float, float, float]]:
    """(count, low, high) by ascending count, evenly spaced on a log scale."""
    funnel = Funnel(row["common"], row["funnel_phi"], ())
    least = max(most / 400, 1.0)
    counts = [least * (most * 1.05 / least) ** (step / _STEPS) for step in range(_STEPS + 1)]
    return [(count, *funnel.limits(count)) for count in counts]


def _hover(answer: Answer, row: dict[str, Any], context: ChartContext) -> str:
    metric = answer.metrics[0]
    values = tuple(row[name] for name in answer.columns)
    lines = [elements.hover(answer, metric, values, context, context.member("province", row["province"]))]
    for name in ("beyond_common", "funnel_low", "funnel_high"):
        more = elements.metric_of(answer, name)
        lines.append(context.line(f"{more.label[context.lang]}: {text.plain(row[name], more.unit, context.lang)}"))
    return "<br>".join(lines)
