"""Events on a trend: numbered lines on the chart, and a numbered list of their texts below it."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from etl.core.jalali import unit_of
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME
from etl.submissions.notes import Note
from ui.charts import elements
from ui.charts.elements import ChartContext, Figure
from ui.i18n import text

# The letters of a line of a hover text.
_HOVER_LETTERS = 60


@dataclass(frozen=True)
class Event:
    """An event: its day, and a text that names day, title, kind and place."""

    date: date
    words: str


@dataclass(frozen=True)
class Mark:
    """An event in the range of a chart: its number from 1, its unit of time on the chart, and its text."""

    number: int
    label: str
    words: str


def events(answer: Answer, context: ChartContext) -> tuple[Event, ...]:
    """The rows of the analysis `events`, oldest first."""
    return tuple(
        Event(
            row["event_date"],
            context.word(
                "briefing.event" if row["event_province"] else "briefing.event_nation",
                date=text.day(row["event_date"], context.lang),
                title=text.isolated(row[f"event_{context.lang}"], context.lang),
                kind=context.member("event_kind", row["event_kind"]),
                place=context.member("province", row["event_province"]) if row["event_province"] else "",
            ),
        )
        for row in answer.records()
    )


def with_notes(
    events: Iterable[Event], notes: Sequence[Note], words: Sequence[str], answer: Answer
) -> tuple[Event, ...]:
    """Events and signed notes on a trend, oldest first: a note stands at its first month, or where the trend begins after it."""
    begins = answer.over[0] if answer.over else date.min
    signed = [Event(max(note.days[0], begins), line) for note, line in zip(notes, words, strict=True)]
    return tuple(sorted((*events, *signed), key=lambda event: event.date))


def of(events: Iterable[Event], labels: Sequence[str]) -> list[Mark]:
    """Marks of the events that fall into the months, quarters or years of a chart."""
    chart_marks: list[Mark] = []
    for event in events:
        units = (unit_of(event.date, kind).label for kind in TIME)
        if label := next((unit for unit in units if unit in labels), None):
            chart_marks.append(Mark(len(chart_marks) + 1, label, event.words))
    return chart_marks


def drawn(figure: Figure, events: Iterable[Event], context: ChartContext, labels: Sequence[str]) -> Figure:
    """The chart with its events: numbered lines, and their texts in `layout.meta`."""
    chart_marks, layout = of(events, labels), figure["layout"]
    if not chart_marks:
        return figure
    line = {"color": context.colour("text"), "width": 1, "dash": "dot"}
    shapes, notes = (layout.setdefault(name, []) for name in ("shapes", "annotations"))
    for mark in chart_marks:
        at = list(labels).index(mark.label)
        shapes.append({"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line})
        number = text.digits(mark.number, context.lang)
        note = elements.note(context, number, x=at, y=1, yref="paper", xanchor="center", yanchor="bottom")
        words = "<br>".join(map(text.escape, textwrap.wrap(mark.words, _HOVER_LETTERS)))
        notes.append(note | {"hovertext": context.line(words)})
    layout["margin"] = layout.get("margin", {}) | {"t": max(layout.get("margin", {}).get("t", 0), 24)}
    layout["meta"]["events"] = [mark.words for mark in chart_marks]
    layout["meta"]["event_units"] = [mark.label for mark in chart_marks]
    return figure


def listed(words: Sequence[str], context: ChartContext) -> str:
    """The events as an HTML list below the chart, for screen readers and keyboards."""
    items = "".join(f"<li>{text.escape(sentence)}</li>" for sentence in words)
    label = text.escape(context.word("briefing.events"))
    return f'<ol class="pd-note" tabindex="0" aria-label="{label}">{items}</ol>' if items else ""
