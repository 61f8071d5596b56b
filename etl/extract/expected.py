"""What was expected in place of a value that was rejected or loads as unknown: words and forms, never the value itself."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from etl.core import declarations
from etl.extract.causes import BETWEEN, persian_digits
from etl.extract.contract import Column, Contract, contract

_FILE = Path(__file__).parent / "expected.toml"
# The texts of these reasons depend on the column.
_BY_COLUMN = ("missing_value", "unknown_value", "bad_date", "bad_number", "spoilt_number")


@cache
def expected(table: str, column: str, reason: str, differing: str = "") -> str:
    """The expected form in English and then in Persian; empty for an unknown reason.

    `differing`: the columns in which two rows of one key differ. `{line_en}`, `{line_fa}` and `{file}` then stand for the other
    row.
    """
    words = declarations.read(_FILE)
    of = contract(table)
    if reason in _BY_COLUMN and column in of.by_name:
        texts = _form(of.by_name[column], words["type"])
    else:
        forms = words["reason"].get("conflicting_row" if differing else reason, {})
        names = _titles(of, of.key), _titles(of, [name for name in differing.split(",") if name])
        texts = {
            lang: text.format(key=names[0][lang], columns=names[1][lang], line=f"{{line_{lang}}}", file="{file}")
            for lang, text in forms.items()
        }
    if texts and reason == "missing_value":
        texts = {lang: words["reason"]["missing_value"][lang].format(form=text) for lang, text in texts.items()}
    return f"{texts['en']}{BETWEEN}{persian_digits(texts['fa'])}" if texts else ""


def remedy(column: str, reason: str, lang: str = "fa") -> str:
    """What is wrong and what to do; empty for an unknown reason."""
    texts = declarations.read(_FILE)["remedy"]
    reason = "unknown_county" if (column, reason) == ("county", "unknown_value") else reason
    return str(texts.get(reason, {}).get(lang, ""))


def place(sheet: str | None, line: int, lang: str = "fa") -> str:
    """The place of a row in words."""
    words = returned(lang)["row" if sheet else "line"].format(sheet=sheet, line=line)
    return persian_digits(words) if lang == "fa" else words


def returned(lang: str = "fa") -> dict[str, str]:
    """The words of a file of rows to correct."""
    return {name: words[lang] for name, words in declarations.read(_FILE)["returned"].items()}


def template() -> dict[str, str]:
    """The words of a template."""
    words: dict[str, str] = declarations.read(_FILE)["template"]
    return words


def example(column: str) -> str:
    """The cell of a column in the example line of a template; empty if it needs none."""
    return str(declarations.read(_FILE)["example"].get(column, ""))


def form(column: Column) -> str:
    """What a column must hold, in Persian."""
    return persian_digits(_form(column, declarations.read(_FILE)["type"])["fa"])


def _titles(of: Contract, names: Iterable[str]) -> dict[str, str]:
    """Columns by name, and by their Persian headers."""
    names = list(names)
    return {"en": ", ".join(names), "fa": "، ".join(of.by_name[name].headers[0] for name in names)}


def _form(column: Column, forms: dict[str, dict[str, str]]) -> dict[str, str]:
    """The form of a column's values."""
    kind = "future" if column.future else column.type
    values = {"en": ", ".join(column.values), "fa": "، ".join(column.values.values())}
    return {
        lang: text.format(values=values[lang], least=column.least, most=column.most, first=column.first)
        for lang, text in forms[kind].items()
    }
