"""What was expected where a value was rejected or loads as unknown: words and forms, never the value itself."""

import tomllib
from functools import cache
from pathlib import Path

from etl.extract.causes import BETWEEN
from etl.extract.contract import Column, contract

_FILE = Path(__file__).parent / "expected.toml"
# What these say depends on the column.
_BY_COLUMN = ("missing_value", "unknown_value", "bad_date", "bad_number", "spoilt_number")


@cache
def expected(table: str, column: str, reason: str) -> str:
    """In English and then in Persian; empty for a reason that is not known."""
    words = _words()
    of = contract(table)
    known = {one.name: one for one in of.columns}
    if reason in _BY_COLUMN and column in known:
        said = _form(known[column], words["type"])
    else:
        key = {"en": ", ".join(of.key), "fa": "، ".join(known[name].headers[0] for name in of.key)}
        said = {lang: text.format(key=key[lang]) for lang, text in words["reason"].get(reason, {}).items()}
    if said and reason == "missing_value":
        said = {lang: words["reason"]["missing_value"][lang].format(form=text) for lang, text in said.items()}
    return BETWEEN.join(said[lang] for lang in ("en", "fa")) if said else ""


def _form(column: Column, forms: dict[str, dict[str, str]]) -> dict[str, str]:
    """The form of a column's values."""
    kind = "between" if column.type == "number" and column.most is not None else column.type
    given = {
        "en": {"values": ", ".join(column.values), "least": column.least, "most": column.most},
        "fa": {"values": "، ".join(column.values.values()), "least": column.least, "most": column.most},
    }
    return {lang: text.format_map(given[lang]) for lang, text in forms[kind].items()}


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
