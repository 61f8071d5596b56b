"""The version of the code that built a publication: a digest of everything that decides its tables and columns.

These are the SQL of the models, the columns of the contracts, and the modules that create a table or a type. Comments,
docstrings, layout and the words of headers do not count, so changing them requires no new build. Metric definitions do not
count either: they read the same tables, and the revision log records their changes.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from etl.core.paths import ROOT
from etl.extract.contract import TABLES, contract
from etl.warehouse import run_models
from etl.warehouse.dimensions import ALL

_HERE = ROOT / "etl"
_COMMENT = re.compile(r"--[^\n]*")
_CREATES = re.compile(r"\bcreate (or replace )?(temp )?(table|type|view)\b", re.IGNORECASE)

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def code_version() -> str:
    """The digest, of 12 hexadecimal digits."""
    parts = [f"{dimension.name}: {dimension.enum_members}" for dimension in ALL.values()]
    for name, sql in run_models.models().items():
        parts += [name, " ".join(_COMMENT.sub("", sql).split())]
    for of in map(contract, TABLES):
        columns = [
            (column.name, column.stored, column.type, sorted(column.values), column.references)
            for column in of.entering
        ]
        parts.append(json.dumps([of.table, of.stored_key, columns]))
    return hashlib.sha256("\0".join((*parts, *_modules(_HERE))).encode()).hexdigest()[:12]


def _modules(folder: Path) -> Iterator[str]:
    """The syntax tree of each module that creates tables, without docstrings."""
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if _CREATES.search(source):
            tree = ast.parse(source)
            for node in ast.walk(tree):
                if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
                    node.body = node.body[1:]
            yield path.stem
            yield ast.dump(tree)
