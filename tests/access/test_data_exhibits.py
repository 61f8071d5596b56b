"""Exhibits by address: /data/training/by_place.csv is what the page shows, under the rights of who asks."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from etl.semantic import disclosure
from tests.access.scopes import OF_ISFAHAN
from tests.access.test_data_address import Site, asked, site  # noqa: F401 - a fixture
from ui.data.ask import Ask, On, Rounded
from ui.exhibits import register
from ui.state.scope import Scope

NAMES = sorted(register.exhibits())


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def made(ask: Ask, address: str, **filters: tuple[str, ...]) -> Any:
    make = register.named(address)
    assert make
    scope = Scope(ask.publication.as_of, tuple(filters.items()), lang="en")
    return make(register.scope_of(address, scope), ask).answer


@pytest.mark.parametrize("address", NAMES)
def test_an_exhibit_at_its_address_is_that_of_its_function(address: str, site: Site, small_register: Path) -> None:  # noqa: F811
    response = site.get(f"/data/{address}.csv", site.isfahan, params={"lang": "en", "province": "IR-10"})
    with asked(small_register, OF_ISFAHAN) as con:
        answer = made(On(con), address, province=("IR-10",))
    if answer is None:
        assert response.status_code == 400
        assert response.text.strip()
        return
    assert response.status_code == 200, response.text
    rows = rows_of(response.content)
    assert len(rows) == len(answer.rows)
    for row, record in zip(rows, answer.records(), strict=True):
        for name, value in record.items():
            if isinstance(value, float):
                assert float(row[name]) == value


def test_a_circulated_exhibit_is_the_same_function_in_rounded_numbers(site: Site, small_register: Path) -> None:  # noqa: F811
    address, params = "training/by_place", {"lang": "en", "province": "IR-10", "circulation": "1"}
    response = site.get(f"/data/{address}.csv", site.isfahan, params=params)
    with asked(small_register, OF_ISFAHAN) as con:
        answer = made(Rounded(On(con)), address, province=("IR-10",))
    assert isinstance(answer, disclosure.Circulated)
    rows = rows_of(response.content)
    assert [row["county"] for row in rows] == answer.column("county")
    assert {float(row["whole_value"]) for row in rows if row["whole_value"]} == {answer.rows[0][-1]}
    assert all(int(row["trainable_assistants"]) % 5 == 0 for row in rows if row["trainable_assistants"])


def test_an_exhibit_is_refused_as_a_question_is(site: Site) -> None:  # noqa: F811
    get = site.get
    assert get("/data/training/by_place.csv").status_code == 401
    unknown = get("/data/training/by_plaec.csv", site.isfahan)
    assert unknown.status_code == 404
    assert "/data/training/by_place.csv" in unknown.text, "it names what there is"
    assert get("/data/training/by_place.png", site.isfahan).status_code == 404
    assert get("/data/training/by_place.csv", site.isfahan, params={"provinc": "IR-10"}).status_code == 400
    assert get("/data/training/by_place.csv", site.isfahan, params={"county": "2301"}).status_code in (400, 403)
    assert get("/data/training/by_place.csv", site.isfahan, params={"on": "1500/01/01"}).status_code == 400
    other = get("/data/workforce/by_post.csv", site.isfahan, params={"province": "IR-23"})
    assert other.status_code in (400, 403), "people of another province by post"
    assert get("/data/training/by_province.csv", site.isfahan).status_code == 200, "open totals"


def test_an_exhibit_leaves_one_line_in_the_audit_log_and_is_304_when_unchanged(site: Site) -> None:  # noqa: F811
    first = site.get("/data/growth/projection.csv", site.national)
    again = site.get("/data/growth/projection.csv", site.national, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    (event,) = [event for event in site.events() if event.event == "export"]
    assert event.more["form"] == "csv"
