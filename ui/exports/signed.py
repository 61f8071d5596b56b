"""The signed notes of a file: a column with those of each row, and a sheet with all of them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue
from etl.submissions.notes import NATION, PLACE_AXES, Note, is_of_row
from ui.charts.elements import ChartContext
from ui.i18n import text
from ui.state import wording

# The name of the column.
NOTES = "notes"
# What a sheet says of a note, in its order.
_COLUMNS = ("measure", "place", "months", "text", "by", "signed_on", "publication", "until")


def of(
    answer: Answer, signed: Sequence[Note], context: ChartContext, is_exact: bool
) -> Callable[[pa.RecordBatch], pa.Array]:
    """A function that gives the notes of each row of a batch in words; none of a row that no note is about.

    A note on the nation that is about all rows alike stands once, in the first one: by institute it would be on five thousand.
    """
    axes = [(at, name) for at, name in enumerate(answer.by) if name in (*PLACE_AXES, *TIME)]
    words = [wording.note(context, note, is_exact) for note in signed]

    def said(members: dict[str, Any]) -> str | None:
        found = [line for note, line in zip(signed, words, strict=True) if is_of_row(note, members)]
        return text.clauses(found, context.lang) or None

    once = iter([said({})])
    below_nation = [(note, line) for note, line in zip(signed, words, strict=True) if note.place != NATION]
    others = text.clauses([line for note, line in below_nation if is_of_row(note, {})], context.lang) or None

    def notes(batch: pa.RecordBatch) -> pa.Array:
        if not axes:
            return pa.array([next(once, others) for _ in range(len(batch))], pa.string())
        # Once for each province and unit of time of a batch.
        columns = [batch.column(at).cast(pa.string()) for at, _ in axes]
        keys = pc.binary_join_element_wise(*columns, "\x00", null_handling="replace").dictionary_encode()
        names = [name for _, name in axes]
        of_key = [
            said({name: code or None for name, code in zip(names, key.split("\x00"), strict=True)})
            for key in keys.dictionary.to_pylist()
        ]
        return pa.array(of_key, pa.string()).take(keys.indices)

    return notes


def heads(context: ChartContext) -> list[str]:
    """The headings of the sheet of notes."""
    return [context.word(f"signed.{name}") for name in _COLUMNS]


def rows(signed: Iterable[Note], context: ChartContext, is_exact: bool) -> list[tuple[str, ...]]:
    """The rows of that sheet."""
    return [
        (
            catalogue()[note.measure].label[context.lang],
            wording.place_of(context, note),
            wording.months_of(context, note),
            note.text(context.lang),
            wording.author_of(context, note, is_exact),
            text.spaced(text.day(date.fromisoformat(note.signed_on), context.lang)),
            text.digits(note.publication, context.lang),
            text.spaced(text.day(date.fromisoformat(note.until), context.lang)),
        )
        for note in signed
    ]
