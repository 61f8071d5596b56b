"""A table as HTML: its columns, its cells escaped, and the bars in its cells."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ui.i18n import text

# Fewer rows than this need no bars to be compared.
_LEAST_BARS = 3


@dataclass(frozen=True)
class Menu:
    """What can be chosen in the heading of a column: its name, and each option with its words; the chosen one is pressed."""

    label: str
    options: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True)
class Column:
    """One column of a table with rows of any type.

    `cell` returns HTML; `value` returns the sort key, which is also the length of the cell's bar. Without it the column is not
    sortable.
    """

    name: str
    title: str
    cell: Callable[[Any], str]
    value: Callable[[Any], Any] | None = None
    is_number: bool = False
    has_bar: bool = False
    # The number of a full-length bar; None means the largest of the column.
    longest: float | None = None
    menu: Menu | None = None


def html(
    columns: Sequence[Column],
    rows: Sequence[Any],
    page_rows: Sequence[Any],
    caption: str,
    sort: str,
    total: Sequence[str],
    is_total_first: bool = False,
    is_stacked: bool = False,
) -> str:
    """`total` are the cells of a row for the whole, below the others or `is_total_first`.

    On a phone each row of a stacked table is a block, every cell with its title, so that none is read sideways.
    """
    label = text.escape(caption)
    head = "".join(_heading(column, sort, len(rows) > 1) for column in columns)
    longest = {column.name: column.longest or _longest(column, rows) for column in columns if column.has_bar}

    def cell(column: Column, row: Any) -> tuple[str, str]:
        attributes, content = _cell(column, row, longest.get(column.name))
        return attributes + (f' data-title="{text.escape(column.title)}"' if is_stacked else ""), content

    body = "".join(_line([cell(column, row) for column in columns]) for row in page_rows)
    if total:
        kind = "pd-total pd-first" if is_total_first else "pd-total"
        whole = _line(
            (f' class="{kind}{" pd-number" if c.is_number else ""}"', cell)
            for c, cell in zip(columns, total, strict=True)
        )
        body = whole + body if is_total_first else body + whole
    kinds = "pd-grid pd-stacked" if is_stacked else "pd-grid"
    return (
        f'<div class="pd-scroll" tabindex="0" role="region" aria-label="{label}"><table class="{kinds}">'
        f"<caption>{label}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _heading(column: Column, sort: str, several: bool) -> str:
    kind = ' class="pd-number"' if column.is_number else ""
    title, menu = text.escape(column.title), _menu(column)
    if not (column.value and several):
        return f'<th scope="col"{kind}>{title}{menu}</th>'
    way = {column.name: "ascending", f"-{column.name}": "descending"}.get(sort, "none")
    mark = {"ascending": "▲", "descending": "▼"}.get(way, "")
    return (
        f'<th scope="col"{kind} aria-sort="{way}"><button type="button" data-sort="{text.escape(column.name)}">{title}'
        f'<i aria-hidden="true">{mark}</i></button>{menu}</th>'
    )


def _menu(column: Column) -> str:
    """A button that opens the options of a column above the page, where no edge of the table cuts them off."""
    if not (menu := column.menu):
        return ""
    ident = f"menu-{text.escape(column.name)}"
    label = text.escape(f"{menu.label}: {column.title}")
    options = "".join(
        f'<button type="button" data-choice="{text.escape(option)}" aria-pressed="{str(option == menu.chosen).lower()}">'
        f"{text.escape(words)}</button>"
        for option, words in menu.options
    )
    return (
        f'<button type="button" class="pd-menu-button" popovertarget="{ident}" aria-label="{label}" title="{label}">⋯</button>'
        f'<div class="pd-menu" id="{ident}" popover role="group" aria-label="{label}">{options}</div>'
    )


def _line(cells: Iterable[tuple[str, str]]) -> str:
    (first, name), *others = cells
    values = "".join(f"<td{kind}>{cell}</td>" for kind, cell in others)
    return f'<tr><th scope="row"{first}>{name}</th>{values}</tr>'


def _cell(column: Column, row: Any, longest: float | None) -> tuple[str, str]:
    """The attributes and the content of a cell; its bar is scaled by `longest`."""
    if not column.is_number:
        return "", column.cell(row)
    value = column.value(row) if longest and column.value else None
    bar = f' style="--bar:{100 * float(value) / longest:.1f}%"' if value is not None and longest else ""
    return f' class="pd-number"{bar}', column.cell(row)


def _longest(column: Column, rows: Sequence[Any]) -> float | None:
    """The number of a full-length bar; None if bars would not help: few rows, all equal, or negative."""
    assert column.value
    known = [value for row in rows if (value := column.value(row)) is not None]
    if any(isinstance(item, (str, date)) for item in known):
        return None
    least, largest = min(known, default=0), max(known, default=0)
    if len(known) < _LEAST_BARS or least < 0 or least == largest:
        return None
    return float(largest)
