"""The description of a file: its name, its cover sheet, and the progress of writing it."""

import re
from collections.abc import Callable, Iterable

from etl.core.text_folding import latin_digits
from etl.semantic import exportable
from ui.charts.elements import ChartContext
from ui.data import owed
from ui.data.worker_process import Report
from ui.exports import status
from ui.exports.file_content import Exportable, is_for_circulation
from ui.i18n import member_names, text

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


def cover(
    source: Exportable, context: ChartContext, scope: str, limit: str = "", no_effect: str = ""
) -> Iterable[tuple[str, str]]:
    """The cover of a file: scope, `limit` of a list, filters of `no_effect`, days, publication, whether it is rounded,
    definitions of the measures.
    """
    answer = exportable.of(source).answer
    published = answer.publication
    yield context.word("file.scope"), scope
    if limit:
        yield context.word("file.limit"), limit
    if no_effect:
        yield no_effect, ""
    if answer.left_out:
        yield member_names.left_out(answer.left_out, context.lang), ""
    if answer.on:
        yield context.word("file.on"), f"{answer.on.isoformat()} · {text.day_in_both(answer.on, context.lang)}"
    if answer.over:
        yield context.word("file.over"), " – ".join(d.isoformat() for d in answer.over)
    yield (
        context.word("file.data_to"),
        f"{published.as_of.isoformat()} · {text.day_in_both(published.as_of, context.lang)}",
    )
    yield context.word("file.load"), str(published.id)
    yield context.word("file.circulation" if is_for_circulation(source) else "file.exact"), ""
    if published.is_sample:
        yield context.word("file.made_up"), ""
    yield from owed.lines(context.lang, published)
    if status.has(answer):
        yield from symbols(context)
    for metric in answer.metrics:
        yield metric.name, text.with_unit(metric.label[context.lang], metric.unit, context.lang)
        yield "", metric.description[context.lang]


def symbols(context: ChartContext) -> Iterable[tuple[str, str]]:
    """The meaning of each letter of the column `status`."""
    for symbol in status.SYMBOLS:
        yield symbol, context.word(f"file.status_{symbol}")


def file_name(
    source: Exportable, context: ChartContext, scope: str, ending: str, circulation: bool = False, limit: str = ""
) -> str:
    """Measure, dimensions or `limit` of the list, scope, days, publication and whether it is rounded, in the user's language;
    ISO days, Latin digits.

    With many dimensions none is named.
    """
    answer = exportable.of(source).answer
    days = [*(answer.over or ()), *([answer.on] if answer.on else ())] or [answer.publication.as_of]
    by = [context.word(f"dimension.{axis}") for axis in answer.by] if len(answer.by) <= _MOST_NAMED else []
    first = (answer.metrics[0].label[context.lang], *([limit] if limit else by))
    last = (*dict.fromkeys(day.isoformat() for day in days), answer.publication.id)
    return named(context, first, scope, last, ending, circulation)


def named(
    context: ChartContext, first: Iterable[str], scope: str, end: Iterable[str], ending: str, circulation: bool
) -> str:
    """A file name of these parts; a scope that is too long is cut."""
    begin = [_allowed(part) for part in first]
    last = [_allowed(part) for part in (*end, context.word("file.rounded") if circulation else "")]
    # File systems limit names to 255 bytes, so the scope gets the remaining ones.
    room = max(_NAME_BYTES - sum(len(part.encode()) + 1 for part in (*begin, *last)), 0)
    place = _allowed(scope).encode()[:room].decode(errors="ignore").strip("-")
    return f"{'_'.join(part for part in (*begin, place, *last) if part)}.{ending}"


def _allowed(part: str) -> str:
    return _NO_FILE_NAME.sub("-", latin_digits(part)).strip("-")
