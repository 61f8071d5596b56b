"""The description of a file: its name, its cover sheet, and the progress of writing it."""

import re
from collections.abc import Callable, Iterable

from etl.semantic import exportable
from ui.charts.elements import ChartContext
from ui.data import owed
from ui.data.worker_process import Report
from ui.exports.file_content import Exportable
from ui.i18n import text

_NO_FILE_NAME = re.compile(r'[\\/:*?"<>|\s\x00-\x1f\u061c\u200e\u200f\u2066-\u2069]+')
_MOST_NAMED, _NAME_BYTES = 4, 240


def progress(source: Exportable, tell: Report | None) -> Callable[[int], None]:
    """A function that takes the rows just written and tells the share of all; counts the rows only if there is a `tell`."""
    if tell is None:
        return lambda rows: None
    count, written = max(exportable.of(source).count(), 1), 0

    def advance(rows: int) -> None:
        nonlocal written
        written += rows
        tell(min(written / count, 1.0))

    return advance


def cover(source: Exportable, context: ChartContext, scope: str, circulation: bool) -> Iterable[tuple[str, str]]:
    """The cover of a file: scope, days, load, whether it is rounded, and the definition of each measure."""
    answer = exportable.of(source).answer
    published = answer.publication
    yield context.word("file.scope"), scope
    if answer.left_out:
        yield text.others(answer.left_out, context.lang), ""
    if answer.on:
        yield context.word("file.on"), f"{answer.on.isoformat()} · {text.day_in_both(answer.on, context.lang)}"
    if answer.over:
        yield context.word("file.over"), " – ".join(d.isoformat() for d in answer.over)
    yield context.word("file.load"), str(published.id)
    yield context.word("file.circulation" if circulation else "file.exact"), ""
    if published.is_sample:
        yield context.word("file.made_up"), ""
    yield from owed.lines(context.lang, published)
    for metric in answer.metrics:
        # Shares and days are recognisable without a unit.
        has_word = metric.unit not in ("share", "ratio", "date", "month")
        unit = f" ({text.unit_word(metric.unit, context.lang)})" if has_word else ""
        yield metric.name, f"{metric.label[context.lang]}{unit}"
        yield "", metric.description[context.lang]


def file_name(source: Exportable, context: ChartContext, scope: str, ending: str, circulation: bool = False) -> str:
    """Measure, dimensions, scope, day and whether it is rounded, in the user's language; ISO days, Latin digits.

    With many dimensions none is named; a scope that is too long is cut.
    """
    answer = exportable.of(source).answer
    measure = answer.metrics[0].label[context.lang]
    last = answer.on or (answer.over[1] if answer.over else answer.publication.as_of)
    by = [context.word(f"dimension.{axis}") for axis in answer.by] if len(answer.by) <= _MOST_NAMED else []
    rounded = context.word("file.rounded") if circulation else ""
    first = [_allowed(part) for part in (measure, *by)]
    end = [last.isoformat(), _allowed(rounded)]
    # File systems limit names to 255 bytes, so the scope gets the remaining ones.
    room = max(_NAME_BYTES - sum(len(part.encode()) + 1 for part in (*first, *end)), 0)
    place = _allowed(scope).encode()[:room].decode(errors="ignore").strip("-")
    return f"{'_'.join(part for part in (*first, place, *end) if part)}.{ending}"


def _allowed(part: str) -> str:
    return _NO_FILE_NAME.sub("-", part).strip("-")
