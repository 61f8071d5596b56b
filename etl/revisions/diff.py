"""The differences between two publications: which numbers changed, by how much, and which changes caused them.

Each publication stores fingerprints of its rows and definitions, and its numbers. Two publications are compared on the same
day, so differences are revisions, not growth.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from etl.core.errors import Refused
from etl.extract.contract import TABLES
from etl.revisions import fingerprints
from etl.semantic import access, answers, catalog, rights
from etl.semantic.resolve import settled_on
from etl.warehouse import publications, version_files

_FINGERPRINTS = "select source_table, key_fingerprint, content_fingerprint from row_fingerprints"
KINDS = ("new_rows", "corrected_rows", "removed_rows")


@dataclass(frozen=True)
class RowChanges:
    """Changes in the loaded rows of one source table: keys only in the new, keys with other content, keys only in the old."""

    source_table: str
    new_rows: int
    corrected_rows: int
    removed_rows: int


@dataclass(frozen=True)
class Moved:
    """A number that differs; `province` is None for the nation. `causes` names the possible causes.

    `settled`: the day on which a metric that stays provisional is measured; None for the day of the comparison.
    """

    metric: str
    province: str | None
    before: Any
    after: Any
    causes: tuple[str, ...]
    settled: date | None = None

    @property
    def change(self) -> float | None:
        """After minus before; None if one of them is missing."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Changes:
    """What differs in rows, definitions (of metrics) and reference tables; `day` is the earlier of the two as-of days."""

    day: date
    rows: tuple[RowChanges, ...]
    definitions: tuple[str, ...]
    references: tuple[str, ...]


@dataclass(frozen=True)
class Diff(Changes):
    """Two publications compared on `day`; `moved` lists the nation first."""

    old: str
    new: str
    as_of: tuple[date, date]
    moved: tuple[Moved, ...]


def changes(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> Changes:
    """What changed from `old` to `new` besides numbers, which take longer to compare. Raises Refused like `compare`."""
    day = min(publications.describe(con).as_of for con in (old, new))
    rows = tuple(_row_changes(old, new))
    return Changes(day, rows, _changed(old, new, "definitions"), _changed(old, new, "reference_fingerprints"))


def compare(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, by_province: bool = True) -> Diff:
    """The differences from `old` to `new`, for the nation and by province. Raises Refused if rows cannot be compared.

    Both are measured on the earlier of their as-of days; a metric that stays provisional on the day that was settled then.
    If the definition of a number changed, the published value is used for the publication whose as-of day it is.
    """
    before, after = publications.describe(old), publications.describe(new)
    changed = changes(old, new)
    settled = _settled(new, changed)
    moved: list[Moved] = []
    for by in ((), ("province",)) if by_province else ((),):
        old_numbers, new_numbers = (_numbers(con, changed.day, by, settled) for con in (old, new))
        for con, publication, numbers in ((old, before, old_numbers), (new, after, new_numbers)):
            if publication.as_of == changed.day:
                numbers |= _published(con, changed.definitions, bool(by))
        for metric, province in new_numbers.keys() | old_numbers.keys():
            values = old_numbers.get((metric, province)), new_numbers.get((metric, province))
            if not is_same(*values):
                moved.append(Moved(metric, province, *values, _causes(metric, changed), settled.get(metric)))
    order = {name: number for number, name in enumerate(catalog.catalogue())}
    moved.sort(key=lambda number: (number.province or "", order[number.metric]))
    days = (before.as_of, after.as_of)
    return Diff(**vars(changed), old=before.id, new=after.id, as_of=days, moved=tuple(moved))


def _numbers(
    con: duckdb.DuckDBPyConnection, day: date, by: tuple[str, ...], settled: Mapping[str, date]
) -> fingerprints.Numbers:
    """Every number on `day`, those of the metrics in `settled` on theirs."""
    numbers, asker = fingerprints.numbers_of(con, day, by), access.ScopedCursor(con, rights.ADMINISTRATOR)
    for name, on in settled.items():
        rows = answers.ask(asker, name, by=by, on=on).rows
        numbers |= {(name, row[0] if by else None): row[len(by)] for row in rows if not by or row[0] is not None}
    return numbers


def _settled(con: duckdb.DuckDBPyConnection, changed: Changes) -> dict[str, date]:
    """The metrics compared on a settled day, each with it; not those redefined: their published values are of the as-of day."""
    asker = access.ScopedCursor(con, rights.ADMINISTRATOR)
    waiting = (
        name
        for name, metric in catalog.catalogue().items()
        if metric.kind == "snapshot" and not metric.hidden and catalog.provisional_days(name)
    )
    compared = (name for name in waiting if not _is_redefined(name, changed.definitions))
    return {name: day for name in compared if (day := settled_on(asker, name, changed.day))}


def between(pointer: Path, old: str = "", new: str = "") -> Diff:
    """Compare two kept publications by their ids; by default the current one with the one before it."""
    kept = {path.stem: path for path in publications.versions(pointer)}
    for name in filter(None, (new, old)):
        if name not in kept:
            raise Refused(f"publication {name} is not kept; see python -m etl publications")
    latest = kept[new] if new else publications.current(pointer)
    earlier = [kept[old]] if old else version_files.before(pointer, version_files.number_of(latest))
    if not earlier:
        raise Refused(f"{pointer}: no earlier publication is kept to compare with")
    # An older version of the program is accepted as long as its tables can be queried.
    with publications.connect(earlier[-1], any_code=True) as before, publications.connect(latest) as after:
        try:
            return compare(before, after)
        except (duckdb.BinderException, duckdb.CatalogException):
            raise publications.OtherVersion(
                f"{earlier[-1]}: this publication was built by another version of the program, whose tables cannot be compared"
            ) from None


def history(pointer: Path) -> list[dict[str, Any]]:
    """The revision log: the national numbers that changed from each kept publication to the next; latest first."""
    log: list[dict[str, Any]] = []
    for old, new in reversed(list(pairwise(publications.versions(pointer)))):
        try:
            with publications.connect(old, any_code=True) as before, publications.connect(new, any_code=True) as after:
                diff = compare(before, after, by_province=False)
        except (Refused, duckdb.Error):
            continue
        log += [{"old": diff.old, "new": diff.new, **vars(moved), "change": moved.change} for moved in diff.moved]
    return log


def _row_changes(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> Iterator[RowChanges]:
    if fingerprints.kind_of(old) != fingerprints.kind_of(new):
        raise Refused(
            "the rows of the two publications have fingerprints under different keys, so rows cannot be compared"
        )
    with duckdb.connect() as memory:
        for name, con in (("before", old), ("after", new)):
            table = con.cursor().sql(_FINGERPRINTS).to_arrow_table()
            memory.register(f"{name}_fingerprints", table)
        rows = memory.execute(
            """
            select
                source_table,
                count(*) filter (where before.key_fingerprint is null) as new_rows,
                count(*) filter (where before.content_fingerprint <> after.content_fingerprint) as corrected_rows,
                count(*) filter (where after.key_fingerprint is null) as removed_rows,
            from before_fingerprints as before
            full join after_fingerprints as after using (source_table, key_fingerprint)
            group by all
            """
        ).fetchall()
    changes = {row[0]: RowChanges(*row) for row in rows}
    return (changes.get(table, RowChanges(table, 0, 0, 0)) for table in TABLES)


def _changed(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, table: str) -> tuple[str, ...]:
    """The names with different digests in `table` (name, digest) of two publications."""
    before, after = (dict(con.execute(f"from {table}").fetchall()) for con in (old, new))
    return tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name]))


def _published(con: duckdb.DuckDBPyConnection, definitions: tuple[str, ...], by_province: bool) -> fingerprints.Numbers:
    """The published values of the numbers whose definitions changed."""
    rows = con.execute(
        "select metric, province, value from published_numbers "
        "where (province is not null) = $by_province and list_contains($names, metric)",
        {
            "by_province": by_province,
            "names": [name for name in catalog.catalogue() if _is_redefined(name, definitions)],
        },
    ).fetchall()
    return {(name, province): value for name, province, value in rows}


def _is_redefined(name: str, definitions: tuple[str, ...]) -> bool:
    return not {name, *catalog.expand(name, frozenset())}.isdisjoint(definitions)


def is_same(before: Any, after: Any) -> bool:
    """Whether two publications give the same number."""
    if isinstance(before, (int, float)) and isinstance(after, (int, float)):
        # The last digits of a sum depend on its order; a difference of sums near 0 keeps the noise of its parts.
        return math.isclose(before, after, rel_tol=1e-9, abs_tol=1e-9)
    return before == after


def _causes(name: str, changed: Changes) -> tuple[str, ...]:
    """The possible causes: changed definitions of the metric or its parts, changed reference tables, changed rows."""
    sources = catalog.sources_of(name)
    causes = ["changed_definition"] if _is_redefined(name, changed.definitions) else []
    causes += ["changed_reference"] if sources.intersection(changed.references) else []
    for change in changed.rows:
        if change.source_table in sources:
            causes += [kind for kind in KINDS if getattr(change, kind) and kind not in causes]
    return tuple(causes)
