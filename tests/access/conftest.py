"""A publication under all rights, and clients of an application behind the gate, in the modes with sign-in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import publications
from tests.access.gated import application, configured
from ui.shell import people


@pytest.fixture
def oidc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    configured(tmp_path, monkeypatch, "oidc")
    yield TestClient(application(), follow_redirects=False)
    people.secrets.cache_clear()
    people.sessions.cache_clear()
    people.turns.cache_clear()


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    configured(tmp_path, monkeypatch, "proxy", '[proxy]\nsecret = "the secret of the proxy, 7f3Qz9wLxT2vBm"\n')
    return TestClient(application())


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with publications.connect(small_register) as connection:
        yield connection


@pytest.fixture(scope="session")
def revised_register(small_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pointer of two publications; in the second each file has a row more, and one number another definition."""
    pointer = tmp_path_factory.mktemp("revised") / "warehouse.duckdb"
    for is_second in (False, True):
        with publications.building(pointer) as folder:
            built = folder / "built.duckdb"
            shutil.copyfile(publications.current(small_register), built)
            if is_second:
                with duckdb.connect(str(built)) as con:
                    con.execute("update load_files set rows_loaded = rows_loaded + 1")
                    con.execute("update published_numbers set value = value + 1")
                    con.execute("update definitions set digest = 'another' where metric = 'in_service'")
            publications.publish(built, pointer)
    return pointer


@pytest.fixture(scope="module")
def all_seeing(con: duckdb.DuckDBPyConnection) -> Iterator[ScopedCursor]:
    with cursor_for(con, ADMINISTRATOR) as cursor:
        yield cursor
