"""/data/<page>/claims.json: what the sentences and titles of a page claim, under the rights of who asks."""

# ruff: noqa: F811 - `site` is a fixture
import pytest

from tests.access.test_data_address import Site, site  # noqa: F401 - a fixture
from ui.exhibits import register

PAGES = sorted({address.partition("/")[0] for address in register.exhibits()})
FIELDS = [
    "kind",
    "metric",
    "by",
    "where",
    "on",
    "before",
    "over",
    "side",
    "least_size",
    "members",
    "values",
    "number",
    "check",
]
KINDS = {"value", "change", "count", "most", "least", "all", "none", "month", "sum"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_lists_its_sentences_with_what_they_claim(page: str, site: Site) -> None:
    for edition in ({}, {"circulation": "1"}):
        response = site.get(
            f"/data/{page}/claims.json", site.isfahan, params={"lang": "en", "province": "IR-10"} | edition
        )
        assert response.status_code == 200, response.text
        found = response.json()
        assert all({*one} == {"exhibit", "sentence", "claims"} and one["sentence"] for one in found)
        assert {one["exhibit"] for one in found} <= {
            name for name in register.exhibits() if name.startswith(f"{page}/")
        }
        for claim in [claim for one in found for claim in one["claims"]]:
            assert [*claim] == FIELDS
            assert claim["kind"] in KINDS
            assert claim["check"].startswith("python -m etl a")
            assert not claim["values"] or len(claim["values"]) == len(claim["members"])


def test_the_first_screen_says_who_is_behind_with_its_claims(site: Site) -> None:
    found = site.get("/data/overview/claims.json", site.isfahan, params={"lang": "fa"}).json()
    claims = {one["exhibit"]: one["claims"] for one in found}
    assert {claim["kind"] for claim in claims["overview/coverage_said"]} >= {"value"}
    assert claims["overview/verdict"][0]["metric"] == "active_assistants"


def test_what_is_no_page_and_what_is_no_filter_is_refused(site: Site) -> None:
    assert site.get("/data/nowhere/claims.json", site.isfahan).status_code == 404
    assert site.get("/data/training/claims.json", site.isfahan, params={"colour": "red"}).status_code == 400
    assert site.get("/data/training/claims.json", site.isfahan, params={"province": "IR-23"}).status_code in (200, 403)
