"""Signed notes at the data address: beside the numbers that they are about, for who sees them, as soon as they are signed."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from etl.submissions.notes import written
from tests.access.test_data_address import Site, site  # noqa: F401 - a fixture
from tests.submissions.test_notes import EN, FA, person
from ui.data import signed_notes

OWN = {"m": "training_compliance", "by": "province", "lang": "en"}


@pytest.fixture(autouse=True)
def read_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As another process would a moment later."""
    monkeypatch.setattr(signed_notes, "_SECONDS", -1.0)
    signed_notes.forget()
    yield
    signed_notes.forget()


def sign(place: str) -> int:
    note = written("training_compliance", place, "1405-03", FA, EN, date(2026, 7, 1), date(2099, 1, 1))
    return signed_notes.store().sign(person("steward"), note).number


def noted(content: bytes) -> set[str]:
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows
    return {row["province"] for row in rows if row.get("notes")}


@pytest.mark.parametrize("address", ["/data/answer.csv", "/data/training/by_province.csv"])
def test_a_program_gets_the_notes_that_its_person_sees(address: str, site: Site, small_register: Path) -> None:  # noqa: F811
    for place in ("IR-10", "IR-23"):
        sign(place)
    asked = OWN if "answer" in address else {"lang": "en"}
    for token, places in ((site.isfahan, {"IR-10"}), (site.national, {"IR-10", "IR-23"})):
        answer = site.get(address, token, params=asked)
        assert answer.status_code == 200, answer.text
        assert noted(answer.content) == places
        assert EN in answer.text


def test_a_note_changes_the_tag_of_an_answer_for_who_sees_it(site: Site, small_register: Path) -> None:  # noqa: F811
    def tags() -> list[str]:
        return [
            str(site.get("/data/answer.csv", token, params=OWN).headers["ETag"])
            for token in (site.isfahan, site.national)
        ]

    before = tags()
    number = sign("IR-23")
    after = tags()
    assert after[0] == before[0], "nothing about another province, not even that there is something"
    assert after[1] != before[1]
    answer = site.get("/data/answer.csv", site.national, params=OWN, headers={"If-None-Match": before[1]})
    assert (answer.status_code, noted(answer.content)) == (200, {"IR-23"})
    signed_notes.store().withdraw(person("steward"), number, date(2026, 7, 2))
    assert tags() == before
    assert noted(site.get("/data/answer.csv", site.national, params=OWN).content) == set()
