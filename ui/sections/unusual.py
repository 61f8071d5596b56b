"""The lines in which a file differs from the one before in an unusual way, in words: who submits confirms them one by one, and
who decides reads the same lines."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from etl.extract.contract import contract
from ui.i18n import text
from ui.sections.data_quality import column_of, name_of
from ui.state.page_context import PageContext


def sentence(view: PageContext, line: Mapping[str, Any]) -> str:
    """A line in words: "Personnel: Birth date: 191 rows are 21 March 1991 (before: 2)"."""
    what, before = line["what"], line["before"]
    if what == "elsewhere" and isinstance(before, str):
        what = "moved"
    elif line["value"] is None and what in ("code", "commonest"):
        what = "formula" if what == "code" else "alike"
    words = {
        "column": column_of(view, line["column"]),
        "rows": text.number(line["rows"], view.lang),
        "value": _value(view, line, line["value"]),
        "before": _value(view, line, before) if isinstance(before, str) else text.number(before or 0, view.lang),
    }
    table = name_of(view, "source", line["table"])
    said = view.word(f"unusual.is_{what}", **words)
    return f"{table}: {said}"


def _value(view: PageContext, line: Mapping[str, Any], value: str | None) -> str:
    column = contract(line["table"]).by_name.get(line["column"])
    if value is None or column is None:
        return ""
    if column.type in ("province", "county"):
        return view.member(column.type, value)
    if column.type == "choice":
        return column.values[value] if view.lang == "fa" else value.replace("_", " ")
    if column.type == "yes_no":
        return view.word(f"unusual.answer_{value}")
    if column.type == "date":
        is_month = len(value) == len("1405-08")
        return text.unit_label(value, view.lang) if is_month else text.day(date.fromisoformat(value), view.lang)
    if column.type == "number":
        return text.digits(value, view.lang)
    return text.isolated(value, view.lang)
