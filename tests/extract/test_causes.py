"""The words of refusals: every cause in the code has words in both languages with its arguments, and no words are unused."""

from __future__ import annotations

import ast
import string

from etl.core import declarations
from etl.core.paths import ROOT
from etl.extract import causes

WORDS = declarations.read(causes._FILE)
# Named at run time: by the state of a server, by the reason of a cell, by the number of rows.
BY_VARIABLE = ("sqlstate_", "errno_", "store_", "cell_", "fewer_rows", "no_rows", "database", "unforeseen")


def keywords_by_cause() -> dict[str, list[set[str]]]:
    """The arguments of each call of `because` and `words`, by cause."""
    keywords_of: dict[str, list[set[str]]] = {}
    for path in sorted([*(ROOT / "etl").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]):
        # The generator of samples and the pages have a `words` of their own.
        has_own_words = "ui" in path.parts or "synthetic" in path.parts
        names = ("because",) if has_own_words else ("because", "words")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
                keywords = {keyword.arg for keyword in node.keywords if keyword.arg}
                more = (
                    {"place", "place_fa", "tables", "tables_fa"}
                    if any(not keyword.arg for keyword in node.keywords)
                    else set()
                )
                for cause in ast.walk(node.args[0]):
                    if isinstance(cause, ast.Constant) and cause.value in WORDS:
                        keywords_of.setdefault(cause.value, []).append(keywords | more)
                    elif cause is node.args[0] and isinstance(cause, ast.Constant):
                        raise AssertionError(f"no words for {cause.value}")
    return keywords_of


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_cause_has_its_words_in_both_languages_and_is_used():
    calls = keywords_by_cause()
    assert len(calls) > 50
    assert {cause for cause in WORDS.keys() - calls.keys() if not cause.startswith(BY_VARIABLE)} == set()
    for cause, words in WORDS.items():
        assert set(words) == {"en", "fa"}, cause
        for keywords in calls.get(cause, ()):
            assert placeholders(words["en"]) | placeholders(words["fa"]) <= keywords, cause


def test_a_line_has_its_place_once_unless_it_has_a_name_in_each_language():
    between = causes.BETWEEN
    assert causes.line("a.csv", f"b{between}پ", f"c{between}چ") == f"a.csv: b; c{between}پ؛ چ"
    assert causes.line(f"t{between}ج", f"b{between}پ") == f"t: b{between}ج: پ"
    # Messages of the operating system have one language.
    assert causes.line("a.csv", "b") == f"a.csv: b{between}b"
    assert causes.in_language(f"b{between}پ", "fa") == "پ"
