"""What was expected in place of a value that was rejected or loads as unknown: words and forms, never the value itself."""

import tomllib
from functools import cache
from pathlib import Path

from etl.extract.causes import BETWEEN
from etl.extract.contract import Column, contract

_FILE = Path(__file__).parent / "expected.toml"
# The texts of these reasons depend on the column.
_BY_COLUMN = ("missing_value", "unknown_value", "bad_date", "bad_number", "spoilt_number")


@cache
def expected(table: str, column: str, reason: str) -> str:
    """The expected form in English and then in Persian; empty for an unknown reason."""
    words = _words()
    of = contract(table)
    if reason in _BY_COLUMN and column in of.by_name:
        texts = _form(of.by_name[column], words["type"])
    else:
        key = {"en": ", ".join(of.key), "fa": "، ".join(of.by_name[name].headers[0] for name in of.key)}
        texts = {lang: text.format(key=key[lang]) for lang, text in words["reason"].get(reason, {}).items()}
    if texts and reason == "missing_value":
        texts = {lang: words["reason"]["missing_value"][lang].format(form=text) for lang, text in texts.items()}
    return BETWEEN.join(texts[lang] for lang in ("en", "fa")) if texts else ""


def _form(column: Column, forms: dict[str, dict[str, str]]) -> dict[str, str]:
    """The form of a column's values."""
    kind = "between" if column.type == "number" and column.most is not None else column.type
    values = {"en": ", ".join(column.values), "fa": "، ".join(column.values.values())}
    return {
        lang: text.format(values=values[lang], least=column.least, most=column.most)
        for lang, text in forms[kind].items()
    }


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
