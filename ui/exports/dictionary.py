"""The data dictionary: every measure and dimension, what each may be asked by, exhibits, changed definitions, the publication."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import xlsxwriter

from etl.core.spreadsheet import safe
from etl.semantic.catalog import DIMENSIONS, catalogue
from etl.semantic.formulas import changes, formula
from etl.warehouse.dimensions import FILTERS
from ui.data import owed, page_run
from ui.exhibits import register
from ui.i18n import member_names, text

_COLUMNS = ("type", "name", "label_fa", "label_en", "description_fa", "description_en", "unit", "kind", "by", "changed")


def content() -> dict[str, Any]:
    """The dictionary of the publication that this thread reads."""
    published = page_run.publication()
    return {
        "publication": {
            "id": published.id,
            "as_of": published.as_of.isoformat(),
            "built_on": published.built_on.isoformat(),
            "is_sample": published.is_sample,
            "files": published.files,
            "rows_loaded": published.rows_loaded,
            "rows_rejected": published.rows_quarantined,
            "about": {lang: dict(owed.lines(lang, published)) for lang in text.LANGUAGES},
        },
        "measures": list(_measures()),
        "dimensions": list(_dimensions()),
        "exhibits": sorted(register.exhibits()),
        "changes": [
            {"on": change.on.isoformat(), "measures": list(change.metrics), **change.words} for change in changes()
        ],
    }


def rows() -> list[tuple[str, ...]]:
    """The dictionary as a table, with its header first."""
    lines = [
        tuple(" ".join(value) if isinstance(value, list) else str(value) for value in _flat(entry))
        for entry in (*_measures(), *_dimensions())
    ]
    return [_COLUMNS, *(tuple(safe(value) for value in line) for line in lines)]


def as_csv() -> bytes:
    """The table as CSV, for Excel."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows())
    return out.getvalue().encode("utf-8-sig")


def as_xlsx() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        table, (header, *lines) = book.add_worksheet(), rows()
        table.add_table(0, 0, len(lines), len(header) - 1, {"columns": [{"header": name} for name in header]})
        for place, line in enumerate(lines, 1):
            table.write_row(place, 0, line)
    return out.getvalue()


def _measures() -> Iterable[dict[str, Any]]:
    for name, metric in catalogue().items():
        if metric.hidden:
            continue
        yield {
            "name": name,
            "label": metric.label,
            "description": metric.description,
            "unit": metric.unit,
            "unit_words": {lang: text.unit_word(metric.unit, lang) for lang in text.LANGUAGES},
            "kind": metric.kind,
            "direction": metric.direction,
            "by": [dimension for dimension in DIMENSIONS if dimension in metric.groups],
            "one_of": sorted(metric.mutually_exclusive),
            "numerator": metric.numerator,
            "denominator": metric.denominator,
            "formula": formula(name),
            "changed": [change.on.isoformat() for change in changes() if {"*", name} & {*change.metrics}],
        }


def _dimensions() -> Iterable[dict[str, Any]]:
    for name in DIMENSIONS:
        yield {
            "name": name,
            "label": {lang: text.word(f"dimension.{name}", lang) for lang in text.LANGUAGES},
            "is_filter": name in FILTERS,
            "members": {lang: dict(member_names.fixed(name, lang)) for lang in text.LANGUAGES},
        }


def _flat(entry: dict[str, Any]) -> tuple[Any, ...]:
    nothing = {"fa": "", "en": ""}
    label, words = entry["label"], entry.get("description", nothing)
    kind = "measure" if "unit" in entry else "dimension"
    more = (entry.get(name, "") for name in ("unit", "kind", "by", "changed"))
    return (kind, entry["name"], label["fa"], label["en"], words["fa"], words["en"], *more)
