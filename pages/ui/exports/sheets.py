"""The columns of a workbook: names instead of codes, with headings in the user's language."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME
from pages.ui.charts.elements import ChartContext
from pages.ui.data import warehouse
from pages.ui.exports.file_content import Coded, Column, safe
from pages.ui.i18n import text

# Names by code, by dimension.
Codes = dict[str, dict[str, str]]
_NAME, _JALALI = "_name", "_jalali"
# Codes that stay visible: rows are sorted by the codes of time, and institutes may share a name.
_CODED = (*TIME, "institute")


@dataclass(frozen=True)
class Layout:
    """The columns of a file that are shown, in order, their headings, and the dimensions whose codes are left out."""

    shown: tuple[int, ...]
    titles: tuple[str, ...]
    left_out: tuple[str | None, ...]

    def gather(self, columns: Sequence[Column], codes: Codes) -> None:
        """Add the hidden codes of a batch, with their names, to `codes`."""
        for name, column in zip(self.left_out, columns, strict=True):
            if name and isinstance(column, Coded):
                pairs = zip(*(members.to_pylist() for members in column.members), strict=True)
                codes.setdefault(name, {}).update((code, label) for code, label in pairs if code is not None)


def layout(answer: Answer, schema: pa.Schema, context: ChartContext) -> Layout:
    """Leave out codes that have a name next to them, except those of time and institutes."""
    names = schema.names
    hidden = {
        name
        for name, following, kind in zip(names, names[1:], schema.types, strict=False)
        if name in answer.by and name not in _CODED and following == name + _NAME and pa.types.is_string(kind)
    }
    shown = tuple(i for i, name in enumerate(names) if name not in hidden)
    # A batch holds a code and its name, or a day and its Jalali form, as one encoded column.
    paired = {before + suffix for before in names for suffix in (_NAME, _JALALI)}
    left_out = tuple(name if name in hidden else None for name in names if name not in paired)
    return Layout(shown, tuple(title(names[i], context, answer) for i in shown), left_out)


def title(name: str, context: ChartContext, answer: Answer | None = None) -> str:
    """The heading of a column in the user's language."""
    if name.endswith(_JALALI):
        return f"{title(name.removesuffix(_JALALI), context, answer)} ({context.word('dimension.jalali')})"
    if metric := warehouse.metric(name, answer):
        return metric.label[context.lang]
    bare = name.removesuffix(_NAME)
    label = text.word_or(bare, f"dimension.{bare}", context.lang)
    return f"{label} ({context.word('dimension.code')})" if bare == name and bare in _CODED else label


def national(nation: Answer, columns: Layout, schema: pa.Schema, context: ChartContext) -> tuple[object, ...]:
    """The row of the nation: its name in the first column, then its numbers."""
    numbers = dict(zip(nation.columns, nation.rows[0], strict=True)) if nation.rows else {}
    row = [numbers.get(schema.names[i]) for i in columns.shown]
    return (safe(context.word("scope.nation")), *row[1:])
