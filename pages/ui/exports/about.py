"""What a file is: its name, what it says of itself, and how far its making is."""

import re
from collections.abc import Callable, Iterable

from etl.semantic import exportable
from pages.ui.charts.elements import ChartContext
from pages.ui.exports.file_content import Exportable
from pages.ui.i18n import text

_NO_FILE_NAME = re.compile(r'[\\/:*?"<>|\s\x00-\x1f\u061c\u200e\u200f\u2066-\u2069]+')
_MOST_NAMED, _NAME_BYTES = 4, 240

# Hears the share of the rows that is written.
Tell = Callable[[float], None]


def shares(source: Exportable, tell: Tell | None) -> Callable[[int], None]:
    """Tells what share of the rows so many are. They are counted only for someone who listens."""
    if tell is None:
        return lambda done: None
    count = max(exportable.of(source).count(), 1)
    return lambda done: tell(min(done / count, 1.0))


def cover(source: Exportable, context: ChartContext, scope: str, circulation: bool) -> Iterable[tuple[str, str]]:
    """What a file is: scope, days, load, whether it is rounded, and the definition of each measure."""
    answer = exportable.of(source).answer
    published = answer.publication
    yield context.word("file.scope"), scope
    if answer.on:
        yield (
            context.word("file.on"),
            f"{answer.on.isoformat()} · {text.day_in_both(answer.on, context.lang)}",
        )
    if answer.over:
        yield context.word("file.over"), " – ".join(d.isoformat() for d in answer.over)
    yield context.word("file.load"), str(published.id)
    yield context.word("file.circulation" if circulation else "file.exact"), ""
    if published.is_sample:
        yield context.word("file.made_up"), ""
    for metric in answer.metrics:
        # shares and days are seen to be such
        unit = (
            ""
            if metric.unit in ("share", "ratio", "date", "month")
            else f" ({text.unit_word(metric.unit, context.lang)})"
        )
        yield metric.name, f"{metric.label[context.lang]}{unit}"
        yield "", metric.description[context.lang]


def file_name(source: Exportable, context: ChartContext, scope: str, ending: str, circulation: bool = False) -> str:
    """Measure, by what, scope, day and whether it is rounded, in the reader's language; days in ISO form, digits Latin.

    Rows by many dimensions are named by none of them; a scope that is too long for a name is cut.
    """
    answer = exportable.of(source).answer
    measure = answer.metrics[0].label[context.lang]
    last = answer.on or (answer.over[1] if answer.over else answer.publication.as_of)
    by = [context.word(f"dimension.{axis}") for axis in answer.by] if len(answer.by) <= _MOST_NAMED else []
    rounded = context.word("file.rounded") if circulation else ""
    first, end = (
        [_in_a_name(part) for part in (measure, *by)],
        [_in_a_name(part) for part in (last.isoformat(), rounded)],
    )
    # A disk takes names of 255 bytes: what is left for the scope.
    room = max(_NAME_BYTES - sum(len(part.encode()) + 1 for part in (*first, *end)), 0)
    place = _in_a_name(scope).encode()[:room].decode(errors="ignore").strip("-")
    return f"{'_'.join(part for part in (*first, place, *end) if part)}.{ending}"


def _in_a_name(part: str) -> str:
    return _NO_FILE_NAME.sub("-", part).strip("-")
