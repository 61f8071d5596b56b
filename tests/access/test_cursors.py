"""A cursor of a province reads the rows of that province only, and shares its views with no other scope."""

import duckdb
import pytest

from etl.semantic import access, scoped_views
from etl.semantic.access import cursor_for
from tests.access.scopes import ISFAHAN, NATIONAL, OF_ISFAHAN, OF_TEHRAN, TEHRAN

pytestmark = pytest.mark.slow


def test_every_table_contains_only_rows_of_the_own_province(con: duckdb.DuckDBPyConnection) -> None:
    tables: dict[str, set[str]] = {}
    for table, column in con.execute(
        "select table_name, column_name from duckdb_columns() where not internal"
    ).fetchall():
        tables.setdefault(table, set()).add(column)
    open_tables = scoped_views.OPEN_TABLES
    assert open_tables <= tables.keys()
    below = {"person_id", "institute_code", "county", "file", "licence_no", "line"}
    assert not {table for table in open_tables if tables[table] & below}, "an open table holds nothing below a province"
    with cursor_for(con, OF_TEHRAN) as cursor:
        for table, columns in tables.items():
            if table in open_tables:
                continue
            column = next((name for name in ("province", "province_iso", "iso_3166_2") if name in columns), None)
            if column:
                provinces = {place for (place,) in cursor.execute(f"select distinct {column} from {table}").fetchall()}
                assert provinces <= {TEHRAN}, table
            else:
                assert cursor.execute(f"select count(*) from {table}").fetchall() == [(0,)], table
        assert cursor.execute("select count(*) from institutes").fetchall() != [(0,)]
    with cursor_for(con, NATIONAL) as cursor:
        assert len(cursor.execute("select distinct province from institutes").fetchall()) > 20


def test_two_cursors_do_not_share_temporary_views(con: duckdb.DuckDBPyConnection) -> None:
    with cursor_for(con, OF_TEHRAN) as first, cursor_for(con, OF_ISFAHAN) as second, first.cursor() as child:
        places = [
            cursor.execute("select distinct province from institutes").fetchall() for cursor in (first, second, child)
        ]
    assert places == [[(TEHRAN,)], [(ISFAHAN,)], [(TEHRAN,)]]


def test_views_are_created_once_and_serve_only_the_same_provinces(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    created: list[frozenset[str]] = []
    create_views = scoped_views._create_views
    monkeypatch.setattr(
        scoped_views,
        "_create_views",
        lambda cursor, provinces: (created.append(provinces), create_views(cursor, provinces)),
    )
    scoped_views._idle.clear()
    for _ in range(3):
        for scope, place in ((OF_TEHRAN, TEHRAN), (OF_ISFAHAN, ISFAHAN)):
            with cursor_for(con, scope) as cursor:
                assert cursor.execute("select distinct province from institutes").fetchall() == [(place,)]
    assert created == [OF_TEHRAN.codes, OF_ISFAHAN.codes]
    with cursor_for(con, OF_TEHRAN) as first, cursor_for(con, OF_TEHRAN) as second:
        first.execute("select 1")
        second.execute("select 1")
        assert first.rows is not second.rows


def test_what_is_asked_once_is_given_even_where_another_thread_clears_the_answers(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cleared(dict[object, object]):
        """Cleared as soon as anything was looked up or kept."""

        def __contains__(self, key: object) -> bool:
            found = super().__contains__(key)
            self.clear()
            return found

        def __setitem__(self, key: object, value: object) -> None:
            self.clear()

    for known in (Cleared({(NATIONAL.codes, "day"): 1}), Cleared()):
        monkeypatch.setitem(access._answered, con, known)
        with cursor_for(con, NATIONAL) as cursor:
            assert cursor.once("day", lambda: 1) == 1
