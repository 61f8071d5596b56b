"""A province whose people have no known county, and a register without any: every part, analysis, book and address works."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from etl.analysis import analyses
from etl.cli.commands import main
from etl.semantic import access
from etl.semantic.answers import ask
from etl.semantic.rights import ADMINISTRATOR
from tests import parts
from tests.conftest import BUILD_DAY
from tests.loading import build
from ui.briefing import content, writing
from ui.data import warehouse
from ui.shell import data_address
from ui.summary import different, needs_action

pytestmark = pytest.mark.slow

PROVINCE, SCOPE = "IR-22", {"province": ["IR-22"]}
BY_COUNTY = ("different", "glance")


def without_counties(file: Path) -> None:
    """The rows of a file of personnel, each without its county."""
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    written = io.StringIO()
    writer = csv.DictWriter(written, [*rows[0]])
    writer.writeheader()
    writer.writerows(row | {"county": ""} for row in rows)
    file.write_text(written.getvalue(), encoding="utf-8")


@contextmanager
def registers(base: Path, of: Callable[[Path], bool]) -> Iterator[Path]:
    """The publication of a sample whose files of personnel, of some of the provinces, have no county."""
    assert main(["sample", str(base / "in"), "--scale", "0.05", "--seed", "7", "--day", str(BUILD_DAY)]) == 0
    for file in (base / "in").glob("*"):
        if "_IR-" in file.name and not of(file):
            file.unlink()
    for file in (base / "in").glob(f"personnel_{PROVINCE}_*"):
        without_counties(file)
    built = build(base / "in", accept_loss=False)
    assert built.code == 0, built.err
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("WAREHOUSE", str(built.to))
        warehouse.results.cache_clear()
        yield built.to
    warehouse.results.cache_clear()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with registers(tmp_path_factory.mktemp("one"), lambda file: True) as pointer:
        yield pointer


@pytest.mark.parametrize("part", parts.PARTS)
def test_every_part_is_shown_for_the_province(part: str, published: Path) -> None:
    assert "pd-error" not in parts.html(parts.opened(part, lang="fa", province=PROVINCE))


def test_no_county_is_named_and_the_people_without_one_are_counted(published: Path) -> None:
    with access.connect(published, ADMINISTRATOR) as con:
        people = ask(con, "active_assistants", where=SCOPE).value()
        for analysis in BY_COUNTY:
            assert analyses.analyse(con, analysis, where=SCOPE, by="county").rows == []
        for name in ("uncovered_counties", "counties_covered"):
            assert ask(con, name, where=SCOPE).value() is None
    assert people
    with writing.press(published, ADMINISTRATOR) as press:
        for exact in (True, False):
            write = press.questions(PROVINCE, "en", exact=exact)
            shown = people if exact else round(people / 5) * 5
            said = different.findings(write.sources, "coverage_per_10k")
            assert said[-1] == f"{shown} active police assistants are in no known county."
            assert not any(
                "counties" in said
                for item in needs_action.actions(write.sources)
                for said in (item.sentence, item.about)
            )
            assert content.book(write)["verdict"]
    overview = parts.html(parts.opened("overview", lang="en", province=PROVINCE))
    assert f"{people} active police assistants are in no known county." in overview
    coverage = re.sub("<[^>]*>", " ", parts.html(parts.opened("coverage", lang="en", province=PROVINCE)))
    assert "have no active police assistant" not in coverage
    assert re.search(rf"\b{people} active police assistants are in no known county", coverage)


def test_counties_without_anybody_are_said_with_the_people_of_unknown_county(published: Path) -> None:
    with access.connect(published, ADMINISTRATOR) as con:
        unknown = dict(ask(con, "active_assistants", by=("county",)).rows)[None]
    page = parts.html(parts.opened("coverage", lang="en"))
    (summary,) = re.findall("<summary>([^<]*counties have no active police assistant[^<]*)</summary>", page)
    assert summary.endswith(f"; {unknown} assistants are in no known county")


def test_the_data_address_answers_by_county(published: Path) -> None:
    client = TestClient(Starlette(routes=data_address.routes()), "http://localhost", client=("127.0.0.1", 5000))
    for name in ("active_assistants", "coverage_per_10k", "training_compliance"):
        sent: dict[str, Any] = {"m": name, "by": "county", "province": PROVINCE, "lang": "en"}
        answer = client.get("/data/answer.json", params=sent)
        assert answer.status_code == 200, answer.text
        assert [row["county"] for row in answer.json()] == [None]


def test_a_register_without_any_county_is_a_register(tmp_path: Path) -> None:
    def is_of_province(file: Path) -> bool:
        return PROVINCE in file.name

    with registers(tmp_path, is_of_province) as pointer, writing.press(pointer, ADMINISTRATOR) as press:
        for place in ("IR", PROVINCE):
            assert content.book(press.questions(place, "fa", exact=True))["verdict"]
        for part in ("overview", "coverage", "training"):
            for scope in ({}, {"province": PROVINCE}):
                assert "pd-error" not in parts.html(parts.opened(part, lang="fa", **scope))
        with access.connect(pointer, ADMINISTRATOR) as con:
            for analysis in BY_COUNTY:
                assert analyses.analyse(con, analysis, by="county").rows == []
