"""The walls of the house: who may import whom, and what a page may not hold."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ETL = sorted((ROOT / "etl").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
PARTS = sorted((ROOT / "pages" / "parts").glob("*.py"))
# What draws and writes files knows an Answer, and nothing of the screen it is shown on.
DRAWING = {"charts", "bars", "lines", "maps", "findings", "cells", "exports", "text"}
SQL = re.compile(r"\bselect\b.+\bfrom\b", re.IGNORECASE | re.DOTALL)


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, with the names taken from packages."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def named(paths: list[Path]):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


@named(ETL)
def test_what_is_true_knows_nothing_of_what_it_looks_like(path):
    assert not {name for name in imports(path) if name.split(".")[0] in ("pages", "streamlit", "plotly", "dashboard")}


@named(PAGES)
def test_a_page_is_made_of_parts_only(path):
    allowed = ("streamlit", "pages", "collections", "datetime", "functools", "typing")
    foreign = {name for name in imports(path) if name.split(".")[0] not in allowed}
    assert not foreign
    assert not {name for name in imports(path) if name.startswith("pages.") and not name.startswith("pages.parts")}


@named(PAGES)
def test_a_page_holds_no_sql_and_opens_with_its_question(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not tree.body:
        return
    assert ast.get_docstring(tree), "a page opens with its question"
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in texts if SQL.search(text)]
    assert any(isinstance(node, ast.FunctionDef) and node.name == "page" for node in tree.body)


@named([path for path in PARTS if path.stem in DRAWING])
def test_what_draws_knows_no_streamlit(path):
    assert not {name for name in imports(path) if name.split(".")[0] == "streamlit"}


@named(PARTS)
def test_only_the_door_reads_the_warehouse(path):
    opens = {name for name in imports(path) if name == "duckdb" or name.startswith("etl.publication.")}
    assert path.stem == "warehouse" or not {name for name in opens if name != "etl.publication.Publication"}


def test_every_model_says_what_one_row_is():
    for path in (ROOT / "etl" / "models").glob("*.sql"):
        assert path.read_text(encoding="utf-8").startswith("-- One row per "), path.name


def test_every_path_in_the_readme_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:etl|pages|data|tests|bench|deploy|static)/[\w./-]+)`", text))
    made = {"data/identity.key", "data/warehouse/warehouse.duckdb", "data/views"}
    assert named - made
    assert not {name for name in named - made if not (ROOT / name.rstrip("/")).exists()}
