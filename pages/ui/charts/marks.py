"""Events on a trend: a number above a thin line on the chart, and the same numbers with their words in a list below it."""

from collections.abc import Sequence
from dataclasses import dataclass

from etl.core.jalali import unit_of
from etl.semantic.answers import Answer
from pages.ui.charts import elements
from pages.ui.charts.elements import ChartContext, Figure
from pages.ui.i18n import text


@dataclass(frozen=True)
class Event:
    """An event that falls into a chart: its number, its unit of time on the chart, and its words."""

    number: int
    label: str
    words: str


def of(events: Answer | None, context: ChartContext, labels: Sequence[str]) -> list[Event]:
    """The events of the analysis `events` that fall into the months, quarters or years `labels`, numbered from 1 on."""
    found: list[Event] = []
    for row in events.records() if events else ():
        label = next((label for label in _units(row["event_date"]) if label in labels), None)
        if label:
            place = row["event_province"]
            words = context.word(
                "briefing.event",
                date=text.day(row["event_date"], context.lang),
                title=text.isolated(row[f"event_{context.lang}"], context.lang),
                kind=context.member("event_kind", row["event_kind"]),
                place=context.member("province", place) if place else context.word("scope.nation"),
            )
            found.append(Event(len(found) + 1, label, words))
    return found


def added(layout: Figure, events: Answer | None, context: ChartContext, labels: Sequence[str]) -> Figure:
    """The shapes and annotations of a chart with the marks of its events."""
    shapes, notes = [*layout.get("shapes", [])], [*layout.get("annotations", [])]
    for event in of(events, context, labels):
        at = list(labels).index(event.label)
        line = {"color": context.colour("focus"), "width": 1, "dash": "dot"}
        shapes.append({"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line})
        number = text.digits(event.number, context.lang)
        notes.append(
            elements.note(context, number, x=at, y=1, yref="paper", yanchor="bottom")
            | {"hovertext": context.line(text.escape(event.words)), "bgcolor": context.colour("surface")}
        )
    return {**layout, "shapes": shapes, "annotations": notes} if shapes or notes else layout


def listed(events: Sequence[Event], context: ChartContext) -> str:
    """The list below the chart, in HTML: it is read and reached without the chart."""
    items = "".join(f"<li>{text.escape(event.words)}</li>" for event in events)
    return (
        f'<ol class="pd-events" tabindex="0" aria-label="{context.word("briefing.events")}">{items}</ol>'
        if items
        else ""
    )


def _units(day: object) -> list[str]:
    return [unit_of(day, kind).label for kind in ("month", "quarter", "year")]  # type: ignore[arg-type]
