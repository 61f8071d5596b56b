"""Charts of what comes next: endings, the queue of licence files, the seat plan, and the rules of their titles."""

from etl.core.jalali import unit_of
from etl.semantic.answers import Answer
from ui.charts import axes, elements, lines, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.i18n import text
from ui.summary import claims

# A title names as many months.
_MOST_MONTHS = 2
_PACES = (("queue_arrivals", "arrivals"), ("queue_decisions", "decisions"), ("queue_needed", None))


def above(answer: Answer, context: ChartContext) -> Title:
    """The months in which more ends than was answered in the highest month."""
    months = [context.member("month", row["month"]) for row in answer.records() if row["is_above"]]
    words = {"measure": answer.metrics[0].short[context.lang], "months": text.listed(months, context.lang)}
    key = "none" if not months else "some" if len(months) <= _MOST_MONTHS else "many"
    return Title(context.word(f"ahead.above_{key}", count=text.number(len(months), context.lang), **words))


@chart(above)
def endings(answer: Answer, context: ChartContext) -> Figure:
    """Bars of what ends in each month, orange above the highest month of what answers it, with lines for that and the mean.

    The first is lighter where a part of its month is over.
    """
    metric, rows = answer.metrics[0], answer.records()
    most, mean = (max(row[name] or 0 for row in rows) for name in ("answered_most", "answered_mean"))
    values = answer.column("endings")
    upright = axes.upright(context, axes.nice(max([most, *values])), metric.unit)
    hovers = [elements.hover(answer, metric, row, context) for row in answer.rows]
    months = answer.column("month")
    now = unit_of(answer.on, "month") if answer.on else None
    is_part = [now is not None and now.first != answer.on and month == now.label for month in months]
    colours = [context.colour("problem" if row["is_above"] else "actual") for row in rows]
    label = text.with_unit(metric.short[context.lang], metric.unit, context.lang)
    keys = [elements.key(context, label, "actual")]
    keys += [elements.key(context, context.word("ahead.unfinished"), "actual", "light")] if any(is_part) else []
    keys += [
        elements.key(
            context, f"{context.word(f'ahead.{name}')}: {text.plain(value, metric.unit, context.lang)}", meaning, "dash"
        )
        for name, value, meaning in (("most", most, "target"), ("mean", mean, "second"))
    ]
    return elements.figure(
        context,
        [elements.bar(values, hovers, vertical=True, marker=elements.columns_marker(is_part, colours))],
        280,
        keys,
        **axes.over_time(context, months, upright),
        shapes=[elements.level(context, most, meaning="target"), elements.level(context, mean, meaning="second")],
    )


def waiting(answer: Answer, context: ChartContext) -> Title:
    """The files that wait."""
    count = answer.value("queue_files")
    return Title(
        context.word("queue.title", count=text.number(count, context.lang)),
        claims=(claims.value(answer, "queue_files"),),
    )


@chart(waiting)
def paces(answer: Answer, context: ChartContext) -> Figure:
    """Files a month that arrive, are decided, and would have to be decided, with the intervals of what was counted."""
    row = answer.records()[0]
    metrics = [elements.metric_of(answer, name) for name, _ in _PACES]
    values = [row[name] for name, _ in _PACES]
    value_texts = [text.plain(row[metric.name], metric.unit, context.lang) for metric in metrics]
    hovers = [
        elements.hover_lines(context, metric.label[context.lang], value)
        for metric, value in zip(metrics, value_texts, strict=True)
    ]
    # What is needed is worked out, so no interval is drawn at its bar.
    up, down = (
        [abs(row[f"{part}_{end}"] - value) if part else None for (_, part), value in zip(_PACES, values, strict=True)]
        for end in ("high", "low")
    )
    error = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5}
    colours = [context.colour(meaning) for meaning in ("pending", "actual", "target")]
    # What is needed is a goal: an outline.
    marker = {"color": [*colours[:2], context.colour("surface")], "line": {"color": colours, "width": [0, 0, 2]}}
    top = max(value + (reach or 0) for value, reach in zip(values, up, strict=True))
    return elements.figure(
        context,
        [elements.bar(values, hovers, marker=marker, error_x=error | {"color": context.colour("text")})],
        len(values) * 40 + 24,
        xaxis=axes.across(context, axes.nice(top), metrics[0].unit, top * 1.04, showticklabels=False),
        **axes.named_bars(context, [metric.short[context.lang] for metric in metrics], value_texts),
    )


def reached(answer: Answer, context: ChartContext) -> Title:
    """The share in date at the last month of the plan."""
    row, unit = answer.records()[-1], answer.metrics[0].unit
    value, when = text.plain(row["plan_in_date"], unit, context.lang), context.member("month", row["month"])
    said = claims.claim("value", answer, "plan_in_date", members=(row["month"],), values=(row["plan_in_date"],))
    return Title(context.word("ahead.plan", value=value, when=when), claims=(said,))


@chart(reached)
def plan(answer: Answer, context: ChartContext) -> Figure:
    """The share in date under the plan, and the bound of any plan, by month: dashed, as nothing of it has happened."""
    figure = lines.trend(answer, context, zero=False)
    for trace in figure["data"]:
        trace |= {"mode": "lines", "line": trace["line"] | {"dash": "dash"}}
    for key in figure["layout"]["meta"]["keys"]:
        key["kind"] = "dash"
    return figure


def gained(answer: Answer, context: ChartContext) -> Title:
    """The province and course in which one more room gains most."""
    first, metric = answer.rows[0], answer.metrics[0]
    words = {
        "measure": metric.short[context.lang],
        "place": elements.name_of(answer, first, context),
        "value": text.plain(first[len(answer.by)], metric.unit, context.lang),
    }
    said = claims.claim("most", answer, **claims.rows(answer, [first]))
    return Title(
        titles.first_that_fits(context.word(key, **words) for key in ("ahead.room", "ahead.room_short")), claims=(said,)
    )


def ordered(answer: Answer, context: ChartContext) -> Title:
    """The seats that a province orders, and until when."""
    seats = sum(answer.column("seats_planned"))
    until = context.member("month", max(answer.column("month")))
    said = claims.claim("sum", answer, "seats_planned", number=seats)
    return Title(context.word("ahead.ordered", count=text.number(seats, context.lang), month=until), claims=(said,))
