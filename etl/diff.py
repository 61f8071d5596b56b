"""What moved between two publications: which numbers, by how much, and by which changes of rows or definitions.

Each publication keeps a mark of every loaded row's key and content (hashes; a person enters them only through the keyed hash)
and a digest of every definition. Two publications are asked the same questions on the same day, so what differs is revision,
not growth.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from etl import catalogue, days, publication
from etl.contract import TABLES, Refused, contract
from etl.metrics import ask

_MODELS = Path(__file__).parent / "models"
KINDS = ("new_rows", "corrected_rows", "removed_rows")


@dataclass(frozen=True)
class RowChanges:
    """How the loaded rows of one source differ: keys only in the new, the same key with other content, keys only in the old."""

    source_table: str
    new_rows: int
    corrected_rows: int
    removed_rows: int


@dataclass(frozen=True)
class Moved:
    """A number that differs; `province` is None for the nation. `causes` names what can have moved it."""

    metric: str
    province: str | None
    before: Any
    after: Any
    causes: tuple[str, ...]

    @property
    def change(self) -> float | None:
        """After minus before; None where one of them is no number."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Diff:
    """Two publications compared on `day`: their ids, changes of rows by source, definitions that changed, numbers that moved."""

    old: str
    new: str
    day: date
    rows: tuple[RowChanges, ...]
    definitions: tuple[str, ...]
    moved: tuple[Moved, ...]


def mark(con: duckdb.DuckDBPyConnection) -> None:
    """Make `row_marks` (source_table, key_mark, content_mark) and `definitions` (metric, digest) in a build."""
    parts = []
    for table in TABLES:
        of = contract(table)
        key = ", ".join(of.stored_key)
        content = ", ".join(column.stored for column in of.entering)
        parts.append(
            f"select '{table}' as source_table, hash({key}) as key_mark, hash({content}) as content_mark from loaded_{table}"
        )
    union = " union all ".join(parts)
    con.execute(f"create table row_marks as from ({union}) order by source_table, key_mark, content_mark")
    con.execute("create table definitions (metric varchar, digest varchar)")
    con.executemany("insert into definitions values (?, ?)", sorted(_digests().items()))


def compare(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, by_province: bool = True) -> Diff:
    """What moved from `old` to `new`, for the nation and by province. Raises Refused where a publication keeps no marks."""
    before, after = publication.describe(old), publication.describe(new)
    day = min(before.as_of, after.as_of)
    rows = tuple(_row_changes(old, new))
    definitions = tuple(sorted(_definitions(old, new)))
    moved = list(_moved(old, new, day, None, rows, definitions))
    if by_province:
        moved += _moved(old, new, day, "province", rows, definitions)
    return Diff(before.id, after.id, day, rows, definitions, tuple(moved))


def between(pointer: Path, old: str = "", new: str = "") -> Diff:
    """Compare two kept publications by their ids; by default the one shown with the one before it."""
    kept = publication.versions(pointer)
    latest = _kept(kept, new) if new else publication.current(pointer)
    if old:
        first = _kept(kept, old)
    else:
        earlier = [path for path in kept if path.stem < latest.stem]
        if not earlier:
            raise Refused(f"{pointer}: no earlier publication is kept to compare with")
        first = earlier[-1]
    with publication.connect(first) as one, publication.connect(latest) as other:
        return compare(one, other)


def history(pointer: Path) -> list[dict[str, Any]]:
    """The revision log: for each publication kept and the one before it, the nation's numbers that moved; latest first."""
    found: list[dict[str, Any]] = []
    for old, new in reversed(list(pairwise(publication.versions(pointer)))):
        try:
            with publication.connect(old) as one, publication.connect(new) as other:
                diff = compare(one, other, by_province=False)
        except (Refused, duckdb.Error):
            continue
        found += [
            {
                "old": diff.old,
                "new": diff.new,
                "metric": moved.metric,
                "before": moved.before,
                "after": moved.after,
                "change": moved.change,
                "causes": moved.causes,
            }
            for moved in diff.moved
        ]
    return found


def _kept(kept: list[Path], name: str) -> Path:
    for path in kept:
        if path.stem == name:
            return path
    raise Refused(f"publication {name} is not kept; see python -m etl publications")


def _row_changes(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> Iterator[RowChanges]:
    with duckdb.connect() as memory:
        for name, con in (("before", old), ("after", new)):
            try:
                marks = con.cursor().sql("select source_table, key_mark, content_mark from row_marks").to_arrow_table()
            except duckdb.CatalogException:
                raise Refused("a publication of before the revision log keeps no marks of its rows") from None
            memory.register(f"{name}_marks", marks)
        found = memory.execute(
            """
            select
                coalesce(before.source_table, after.source_table) as source_table,
                count(*) filter (where before.key_mark is null) as new_rows,
                count(*) filter (where before.content_mark <> after.content_mark) as corrected_rows,
                count(*) filter (where after.key_mark is null) as removed_rows,
            from before_marks as before
            full join after_marks as after
                on after.source_table = before.source_table and after.key_mark = before.key_mark
            group by all
            """
        ).fetchall()
    changes = {row[0]: RowChanges(*row) for row in found}
    return (changes.get(table, RowChanges(table, 0, 0, 0)) for table in TABLES)


def _definitions(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> set[str]:
    before, after = (dict(con.execute("select metric, digest from definitions").fetchall()) for con in (old, new))
    return {name for name in before.keys() & after.keys() if before[name] != after[name]}


def _moved(
    old: duckdb.DuckDBPyConnection,
    new: duckdb.DuckDBPyConnection,
    day: date,
    by: str | None,
    rows: tuple[RowChanges, ...],
    definitions: tuple[str, ...],
) -> Iterator[Moved]:
    axes = (by,) if by else ()
    for kind in ("state", "flow"):
        names = [
            metric.name
            for metric in catalogue.catalogue().values()
            if metric.kind == kind and not metric.hidden and set(axes) <= metric.dimensions
        ]
        moment = {"on": day} if kind == "state" else {"over": days.last_complete_months(day, 12)}
        before, after = (ask(con, *names, by=axes, **moment) for con in (old, new))
        earlier = {row[: len(axes)]: row for row in before.rows}
        for row in after.rows:
            same = earlier.get(row[: len(axes)])
            for position, name in enumerate(names, start=len(axes)):
                was, now = same[position] if same else None, row[position]
                if was != now:
                    yield Moved(name, row[0] if axes else None, was, now, _causes(name, rows, definitions))


def _causes(name: str, rows: tuple[RowChanges, ...], definitions: tuple[str, ...]) -> tuple[str, ...]:
    """Changed definitions of the metric or its parts, and the changes of rows in the sources it is counted from."""
    bases = catalogue.expand(name, frozenset())
    found = ["changed_definition"] if {name, *bases} & set(definitions) else []
    sources = frozenset().union(*(_sources(base.table) for base in bases.values()))
    for change in rows:
        if change.source_table in sources:
            found += [kind for kind in KINDS if getattr(change, kind) and kind not in found]
    return tuple(found)


@cache
def _sources(model: str) -> frozenset[str]:
    """The source tables that a model is made of, through the models between."""
    path = _MODELS / f"{model}.sql"
    if not path.exists():
        return frozenset()
    named = set(re.findall(r"\b(?:from|join)\s+(\w+)", path.read_text(encoding="utf-8"))) - {model}
    own = {name.removeprefix("loaded_") for name in named if name.startswith("loaded_")}
    return frozenset(own).union(*(_sources(name) for name in named))


def _digests() -> dict[str, str]:
    """A digest of what each metric counts; words do not change a number."""
    ignored = {"label", "short", "description", "example", "direction", "group", "stock"}
    found = {}
    for name, entry in catalogue.entries().items():
        counted = {key: value for key, value in entry.items() if key not in ignored}
        found[name] = hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]
    return found
