"""Cursors whose temporary views hide the rows of other provinces.

The views have the names of the tables, so that queries stay the same. They are private to their cursor. Creating them
takes longer than most questions, so idle cursors wait for the next question under the same provinces.
"""

import threading
from weakref import WeakKeyDictionary

import duckdb

# Tables without a person, an institute, a file or a county. A view of any other table shows the rows of the provinces, and
# none if the table has no province.
OPEN_TABLES = {
    "abroad", "announcements", "areas", "calendar", "course_posts", "courses", "definitions", "events", "international",
    "official_days", "population", "publication", "published_numbers", "reference_fingerprints", "survival_curves",
    "target_days", "targets", "weekends",
}  # fmt: skip
_PROVINCE_COLUMNS = ("province", "province_iso")
# The most idle cursors of a set of provinces, and the most such sets; the oldest set is dropped.
_MOST_IDLE, _MOST_SETS = 8, 100


_idle: WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[frozenset[str], list[duckdb.DuckDBPyConnection]]]
_idle = WeakKeyDictionary()
_lock = threading.Lock()


def take(con: duckdb.DuckDBPyConnection, provinces: frozenset[str]) -> duckdb.DuckDBPyConnection:
    """A cursor of `con` that shows rows of `provinces` alone, for one user at a time; `give_back` returns it."""
    with _lock:
        if cursors := _idle.get(con, {}).get(provinces):
            return cursors.pop()
    cursor = con.cursor()
    _create_views(cursor, provinces)
    return cursor


def give_back(con: duckdb.DuckDBPyConnection, provinces: frozenset[str], cursor: duckdb.DuckDBPyConnection) -> None:
    """Keep a cursor for the next question under the same provinces, as long as `con` is open.

    One with rows that were not fetched is closed: the next question of it would be refused.
    """
    if _has_rows(cursor):
        cursor.close()
        return
    with _lock:
        sets = _idle.setdefault(con, {})
        if provinces not in sets and len(sets) >= _MOST_SETS:
            del sets[next(iter(sets))]
        cursors = sets.setdefault(provinces, [])
        if len(cursors) < _MOST_IDLE:
            cursors.append(cursor)
            return
    cursor.close()


def _has_rows(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether rows of its last query were not fetched; True if it cannot tell."""
    try:
        return cursor.fetchone() is not None
    except duckdb.Error:
        return True


def _create_views(cursor: duckdb.DuckDBPyConnection, provinces: frozenset[str]) -> None:
    tables: dict[str, set[str]] = {}
    ((database,),) = cursor.execute("select current_database()").fetchall()
    for table, column in cursor.execute(
        "select table_name, column_name from duckdb_columns() where database_name = $name and not internal",
        {"name": database},
    ).fetchall():
        tables.setdefault(table, set()).add(column)
    codes = ", ".join(f"'{code}'" for code in sorted(provinces))
    views = []
    for table, columns in tables.items():
        if table in OPEN_TABLES:
            continue
        place = "iso_3166_2" if table == "provinces" else next((c for c in _PROVINCE_COLUMNS if c in columns), "")
        condition = f"{place} in ({codes})" if place else "false"
        views.append(f'create temp view "{table}" as select * from "{database}".main."{table}" where {condition}')
    cursor.execute(";\n".join(views))
