"""What we use of Streamlit beyond its documentation is in one module, and the installed Streamlit has all of it."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest
import streamlit

from etl.core.paths import ROOT
from ui import streamlit_internals

MODULE = Path(streamlit_internals.__file__)
SOURCE = MODULE.read_text(encoding="utf-8")
CODE = [*(path for folder in ("pages", "ui") for path in (ROOT / folder).rglob("*.py")), ROOT / "dashboard.py"]
# Attributes of its objects, which no import names.
ATTRIBUTES = {
    "streamlit.runtime.scriptrunner_utils.script_run_context.ScriptRunContext": ("_enqueue", "is_history_navigation"),
    "streamlit.components.v2.component_manager.BidiComponentManager": (
        "get_component_asset_root",
        "register_from_manifest",
    ),
    "streamlit.web.server.starlette.starlette_auth_routes": ("_get_cookie_value_from_request",),
    "streamlit.web.server.starlette.starlette_websocket": ("is_host_allowed",),
    "streamlit.runtime.Runtime": ("exists", "instance", "stats_mgr"),
}


def imported(path: Path) -> set[str]:
    """The undocumented names of Streamlit that a file imports, as `module.name`."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    froms = [
        node for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamlit.")
    ]
    return {f"{node.module}.{alias.name}" for node in froms for alias in node.names}


def looked_up(name: str) -> object:
    """The module or attribute of this dotted name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        owner, _, attribute = name.rpartition(".")
        return getattr(looked_up(owner), attribute)


@cache
def bundle() -> str:
    """The browser code of the installed Streamlit."""
    files = (Path(streamlit.__file__).parent / "static").rglob("*.js")
    return "".join(path.read_text(encoding="utf-8") for path in files)


def selected() -> list[str]:
    """The test ids that style sheets and scripts of ours select."""
    files = [path for folder in ("static", "ui") for path in (ROOT / folder).rglob("*.*")]
    sources = [path.read_text(encoding="utf-8") for path in files if path.suffix in (".css", ".js", ".py")]
    return sorted(set(re.findall(r'data-testid[~^|]?="?(\w+)', "\n".join(sources))))


def test_no_other_module_imports_what_streamlit_does_not_document():
    assert not {path.name: imported(path) for path in CODE if path != MODULE and imported(path)}


@pytest.mark.parametrize("name", sorted(imported(MODULE)))
def test_the_installed_streamlit_has_each_name(name: str):
    assert looked_up(name)


@pytest.mark.parametrize(("owner", "name"), [(owner, name) for owner, names in ATTRIBUTES.items() for name in names])
def test_the_installed_streamlit_has_each_attribute(owner: str, name: str):
    kind = looked_up(owner)
    assert hasattr(kind, name) or name in getattr(kind, "__annotations__", {})


@pytest.mark.parametrize("name", selected())
def test_the_installed_streamlit_draws_each_element_that_is_selected(name: str):
    assert name in bundle()


def test_the_script_of_streamlit_reads_where_the_site_is():
    named = re.findall(r"window\.(\w+)|(\w+):", streamlit_internals.BASE)
    assert named
    assert all((of_window or key) in bundle() for of_window, key in named)


def test_the_document_lists_each_entry():
    table = (ROOT / "docs" / "streamlit.md").read_text(encoding="utf-8")
    listed = {name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.partition(" | ")[0])}
    defined = set(re.findall(r"^def (\w+)|^([A-Z]+) =", SOURCE, re.MULTILINE))
    assert listed == {a or b for a, b in defined} | set(streamlit_internals.__all__)


def test_the_script_of_boxes_asks_our_function_what_is_offered():
    name, written = streamlit_internals.script_of_boxes("readerOffered")
    original = next(path for path in (Path(streamlit.__file__).parent / "static").rglob(name))
    assert written.count("return readerOffered(") == 1
    before = original.read_text(encoding="utf-8")
    assert len(written) > len(before)
    assert (
        re.sub(
            r"if\(\w+!==\w+\.SelectWidgetFilterMode\.FILTER_MODE_NONE\)return readerOffered\(\w+,\w+\);", "", written
        )
        == before
    )
