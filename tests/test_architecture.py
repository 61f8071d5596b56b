"""Rules that the import contracts of pyproject.toml cannot express: no SQL in pages, no Streamlit in charts."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from etl.core.paths import ROOT

PAGES = sorted(path for path in (ROOT / "pages").glob("*.py") if path.stem not in ("__init__", "__main__"))
PAGES_AND_UI = sorted(path for folder in ("pages", "ui") for path in (ROOT / folder).rglob("*.py"))
DRAWING = sorted(
    path
    for package in ("briefing", "charts", "exports", "i18n", "summary")
    for path in (ROOT / "ui" / package).glob("*.py")
)
SQL = re.compile(r"\bselect\b.+\bfrom\b", re.IGNORECASE | re.DOTALL)


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, with the names taken from packages."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def by_path(paths: list[Path]):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


@by_path(PAGES)
def test_a_page_imports_only_streamlit_and_the_ui(path):
    allowed = ("streamlit", "ui", "collections", "datetime", "functools", "typing")
    assert not {name for name in imports(path) if name.split(".")[0] not in allowed}


@by_path(PAGES)
def test_a_page_opens_with_its_question(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert any(isinstance(node, ast.FunctionDef) and node.name == "page" for node in tree.body)


def test_every_package_says_what_it_holds():
    packages = [path for name in ("etl", "pages", "ui") for path in (ROOT / name).rglob("__init__.py")]
    assert not [path for path in packages if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]


# `ui/access` has tables of its own, in SQLite or PostgreSQL.
@by_path([path for path in PAGES_AND_UI if path.parent.name != "access"])
def test_pages_and_ui_hold_no_sql(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)]
    prose = {ast.get_docstring(node, clean=False) for node in documented}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not [text for text in texts - prose if SQL.search(text)]


@by_path(DRAWING)
def test_drawing_modules_do_not_import_streamlit(path):
    assert not {name for name in imports(path) if name.split(".")[0] == "streamlit"}


def test_pages_ask_through_three_functions():
    tree = ast.parse((ROOT / "ui" / "data" / "warehouse.py").read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    # `of_page` asks nothing: it is the Ask that the three ask.
    assert {name for name in functions if not name.startswith("_")} == {
        "ask",
        "analyse",
        "names",
        "of_page",
    }


# `ui/briefing` asks through `ui/data/cursors.py`: without a page there is no run and no session.
@by_path([path for path in PAGES_AND_UI if path.parent.name != "data"])
def test_only_the_data_package_asks(path):
    assert not re.search(
        r"\b(answers\.ask(_each)?|analyses\.analyse|access\.connect|ScopedCursor|cursor_for)\(",
        path.read_text(encoding="utf-8"),
    )


@by_path(PAGES_AND_UI)
def test_only_the_data_package_opens_the_warehouse(path):
    opens = {name for name in imports(path) if name == "duckdb" or name.startswith("etl.warehouse.publications.")}
    assert path.parent.name == "data" or not {name for name in opens if not name.endswith(".Publication")}


def test_what_threads_keep_for_each_other_has_a_lock():
    """The caches of cachetools have none of their own."""
    paths = [path for package in ("etl", "ui") for path in (ROOT / package).rglob("*.py")]
    for path in (path for path in paths if "cachetools.cached" in imports(path)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cached":
                assert "lock" in {keyword.arg for keyword in node.keywords}, path.name


def test_files_round_by_the_ask_of_what_circulates_alone():
    """What circulates is made with `Rounded`; a second way to round could leave a number exact."""
    files = (ROOT / "ui" / "exports").glob("*.py")
    assert [path.name for path in files if "disclosure.for_circulation" in path.read_text(encoding="utf-8")] == []


def test_every_model_says_what_one_row_is():
    for path in (ROOT / "etl" / "warehouse" / "models").rglob("*.sql"):
        assert path.read_text(encoding="utf-8").startswith("-- One row per "), path.name


def test_every_path_in_the_documents_exists():
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    paths = set(re.findall(r"`((?:etl|pages|ui|data|tests|bench|deploy|static)/[\w./-]+)`", text))
    generated = {"data/identity.key", "data/warehouse/warehouse.duckdb", "data/views"}
    assert paths - generated
    assert not {name for name in paths - generated if not (ROOT / name.rstrip("/")).exists()}


def test_every_folder_of_tests_is_collected(pytestconfig):
    """The default of pytest leaves out every folder named "build"."""
    left_out = pytestconfig.getini("norecursedirs")
    tests = ROOT / "tests"
    folders = {folder for path in tests.rglob("test_*.py") for folder in path.relative_to(tests).parts[:-1]}
    assert "build" in folders
    assert not {folder for folder in folders if any(fnmatch(folder, pattern) for pattern in left_out)}
