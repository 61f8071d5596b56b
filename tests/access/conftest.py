"""A publication under all rights, and clients of an application behind the gate, in the modes with sign-in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from etl.analysis import data_quality, detail
from etl.core.places import places
from etl.semantic import access, rights
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import publications
from tests.access.gated import application, configured
from ui.i18n import member_names, text
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


@pytest.fixture(scope="module")
def guarded(small_register: Path) -> dict[str, dict[str, bytes]]:
    """By province, what only its own people may see: codes and names of institutes, names of counties and files."""
    texts: dict[str, dict[str, bytes]] = {code: {} for code in places().provinces.values()}
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        for institute in detail.institutes(con).values():
            texts[str(institute.province)] |= {
                institute.code: institute.code.encode(),
                institute.name: institute.name.encode(),
            }
        for code, province in detail.provinces_of_counties(con).items():
            for lang in text.LANGUAGES:
                name = member_names.of("county", code, lang)
                texts[province][name] = name.encode()
        for row in data_quality.files(con).records():
            texts[row["province"]][row["file"]] = str(row["file"]).encode()
    # A name of two provinces, one within another name, a province's or a word of the pages reveals nothing.
    public = "\n".join(member_names.of("province", code, lang) for code in texts for lang in text.LANGUAGES)
    words = (Path(text.__file__).parents[2] / "pages" / "text.toml").read_text(encoding="utf-8")
    every = "\n".join(name for named in texts.values() for name in named)
    return {
        province: {
            name: pattern
            for name, pattern in named.items()
            if len(pattern) > 6 and every.count(name) == 1 and name not in public + words
        }
        for province, named in texts.items()
    }
