"""Sparklines: the months of a number as a small line drawn in CSS."""

from collections.abc import Sequence

from etl.semantic.answers import Answer
from etl.semantic.ranking import comparable
from ui.i18n import text
from ui.state.page_context import PageContext


def sparkline(view: PageContext, history: Answer | None) -> str:
    """The months of an answer as a small line drawn in CSS, with its first and last value as its label."""
    if history is None:
        return ""
    unit, values = history.metrics[0].unit, [row[1] for row in comparable(history).rows if row[1] is not None]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    first, last = (text.plain(value, unit, view.lang) for value in (values[0], values[-1]))
    count = text.number(len(values), view.lang)
    label = view.word("change.sparkline", count=count, first=first, last=last)
    months = text.escape(f"{count} {text.unit_word('whole_months', view.lang, count)}")
    return (
        f'<div class="pd-spark" role="img" aria-label="{text.escape(label)}" title="{text.escape(label)}">'
        f'{polygon("pd-stroke", values, low, high)}<i class="pd-dot" style="top:{_height(values[-1], low, high):.1f}%"></i>'
        f"<small>{months}</small></div>"
    )


def polygon(kind: str, values: Sequence[float], low: float, high: float) -> str:
    """Values as a line of class `kind` drawn in CSS, on a scale from `low` to `high`; screen readers pass it by."""
    across = 100 / max(len(values) - 1, 1)
    points = [(i * across, _height(value, low, high)) for i, value in enumerate(values)]
    upper = [f"{x:.1f}% calc({y:.1f}% - 1px)" for x, y in points]
    corners = [*upper, *(f"{x:.1f}% calc({y:.1f}% + 1px)" for x, y in reversed(points))]
    return f'<i class="{kind}" aria-hidden="true" style="clip-path:polygon({",".join(corners)})"></i>'


def _height(value: float, low: float, high: float) -> float:
    """The place of a value in its box, in percent from the top."""
    return 88 - 76 * (value - low) / (high - low or 1)
