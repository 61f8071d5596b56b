"""A province whose people have no known county, a register without any, a province with one institute: every part, analysis,
book and address works."""

import csv
import io
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from etl.analysis import analyses
from etl.semantic import access
from etl.semantic.answers import ask
from etl.semantic.rights import ADMINISTRATOR
from tests import parts
from tests.conftest import Sample
from tests.loading import build
from ui.briefing import content, writing
from ui.data import warehouse
from ui.exhibits import coverage as of_coverage
from ui.exhibits import needs_action
from ui.shell import data_address

pytestmark = pytest.mark.slow

# Without counties, and with one institute: their files are of UTF-8 and have English names of columns.
PROVINCE, SCOPE, SMALL = "IR-18", {"province": ["IR-18"]}, "IR-22"
BY_COUNTY = ("different", "glance")


def rows_of(file: Path) -> list[dict[str, str]]:
    written = file.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(written), delimiter="|" if "|" in written else ","))


def write(file: Path, rows: list[dict[str, str]]) -> None:
    written = io.StringIO()
    writer = csv.DictWriter(written, [*rows[0]])
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(written.getvalue(), encoding="utf-8")


def without_counties(folder: Path) -> None:
    """The personnel of the province, each without a county."""
    for file in folder.glob(f"personnel_{PROVINCE}_*"):
        write(file, [row | {"county": ""} for row in rows_of(file)])


def with_one_institute(folder: Path) -> None:
    """The rows of one institute of the province alone, the largest, and of its people."""
    files = {
        table: next(folder.glob(f"{table}_{SMALL}_*")) for table in ("institutes", "licences", "personnel", "training")
    }
    rows = {table: rows_of(file) for table, file in files.items()}
    ((code, _),) = Counter(row["institute_code"] for row in rows["personnel"]).most_common(1)
    people = {row["national_id"] for row in rows["personnel"] if row["institute_code"] == code}
    for table, file in files.items():
        is_kept = (
            (lambda row: row["national_id"] in people)
            if table == "training"
            else lambda row: row["institute_code"] == code
        )
        write(file, [row for row in rows[table] if is_kept(row)])


@pytest.fixture(scope="module")
def made(publish_sample: Callable[..., Sample]) -> Path:
    return publish_sample(0.02, 5).folder


@contextmanager
def registers(made: Path, base: Path, of: Callable[[Path], bool], *changes: Callable[[Path], None]) -> Iterator[Path]:
    """The publication of a sample of some of the provinces, whose files are changed."""
    shutil.copytree(made, base / "in")
    for file in (base / "in").glob("*"):
        if "_IR-" in file.name and not of(file):
            file.unlink()
    for change in changes:
        change(base / "in")
    built = build(base / "in", accept_loss=False)
    assert built.code == 0, built.err
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("WAREHOUSE", str(built.to))
        warehouse.results.cache_clear()
        yield built.to
    warehouse.results.cache_clear()


@pytest.fixture(scope="module")
def published(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("one")
    with registers(made, folder, lambda file: True, without_counties, with_one_institute) as pointer:
        yield pointer


@pytest.mark.parametrize("province", [PROVINCE, SMALL])
@pytest.mark.parametrize("part", parts.PARTS)
def test_every_part_is_shown_for_the_province(part: str, province: str, published: Path) -> None:
    assert "pd-error" not in parts.html(parts.opened(part, lang="fa", province=province))


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
            write = press.writer(PROVINCE, "en", exact=exact)
            shown = people if exact else round(people / 5) * 5
            said = of_coverage.findings(write.scope, write.ask).sentences
            assert said[-1] == f"{shown} active police assistants are in no known county."
            assert not any(
                "counties" in said
                for item in needs_action.actions(write.scope, write.ask)
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


def test_a_register_without_any_county_is_a_register(made: Path, tmp_path: Path) -> None:
    def is_of_province(file: Path) -> bool:
        return PROVINCE in file.name

    with (
        registers(made, tmp_path, is_of_province, without_counties) as pointer,
        writing.press(pointer, ADMINISTRATOR) as press,
    ):
        for place in ("IR", PROVINCE):
            assert content.book(press.writer(place, "fa", exact=True))["verdict"]
        for part in ("overview", "coverage", "training"):
            for scope in ({}, {"province": PROVINCE}):
                assert "pd-error" not in parts.html(parts.opened(part, lang="fa", **scope))
        with access.connect(pointer, ADMINISTRATOR) as con:
            for analysis in BY_COUNTY:
                assert analyses.analyse(con, analysis, by="county").rows == []


def test_a_province_with_one_institute_tells_no_number_of_few_people(published: Path) -> None:
    scope = {"province": [SMALL]}
    with access.connect(published, ADMINISTRATOR) as con:
        assert ask(con, "licensed_institutes", where=scope).value() == 1
        for analysis in BY_COUNTY:
            assert analyses.analyse(con, analysis, where=scope, by="county").columns
        (row,) = [row for row in analyses.analyse(con, "different").records() if row["province"] == SMALL]
        assert (row["side"], row["institutes_compared"]) == ("untested", 1)
    with writing.press(published, ADMINISTRATOR) as press:
        for exact in (True, False):
            questions = press.writer(SMALL, "fa", exact=exact)
            assert content.book(questions)["verdict"]
            rounded = [row for answer in questions.recorded() for row in answer.records()]
            people = [row["active_assistants"] for row in rounded if row.get("active_assistants")]
            assert people
            assert exact or all(count % 5 == 0 for count in people)
