"""Exhibits by address: /data/training/by_place.csv is what the page shows, under the rights of who asks."""

# ruff: noqa: F811 - `site` is a fixture
import csv
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.testclient import TestClient

from etl.core.errors import AccessDenied, QuestionError, TooEarly
from etl.semantic import disclosure
from etl.warehouse.version_files import versions
from tests.access.gated import configured, cookie
from tests.access.scopes import OF_ISFAHAN
from tests.access.test_data_address import Site, app, asked, of_workers, site  # noqa: F401 - fixtures
from tests.made import named
from ui.data import page_run, warehouse
from ui.data.ask import Ask, On, Question, Rounded
from ui.data.worker_process import OutOfTime
from ui.exhibits import overview, quality, register
from ui.exhibits.exhibit import Actions, Exhibit
from ui.exhibits.figure import finding, nothing
from ui.exhibits.named import Make
from ui.i18n import text
from ui.shell import data_address, people, threads
from ui.state.scope import Scope

NAMES = sorted(register.exhibits())


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def made(ask: Ask, address: str, **filters: tuple[str, ...]) -> Any:
    return named(address, Scope(ask.publication.as_of, tuple(filters.items()), lang="en")).exhibit(ask).answer


@pytest.mark.parametrize("address", NAMES)
def test_an_exhibit_at_its_address_is_that_of_its_function(address: str, site: Site, small_register: Path) -> None:
    response = site.get(f"/data/{address}.csv", site.isfahan, params={"lang": "en", "province": "IR-10"})
    answer, refusal = None, 400
    with asked(small_register, OF_ISFAHAN) as con:
        try:
            answer = made(On(con), address, province=("IR-10",))
        except AccessDenied:
            refusal = 403
    if answer is None:
        assert response.status_code == refusal
        assert response.text.strip()
        return
    assert response.status_code == 200, response.text
    rows = rows_of(response.content)
    assert len(rows) == len(answer.rows)
    for row, record in zip(rows, answer.records(), strict=True):
        for name, value in record.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert float(row[name]) == value


def test_a_circulated_exhibit_is_the_same_function_in_rounded_numbers(site: Site, small_register: Path) -> None:
    address, params = "training/by_place", {"lang": "en", "province": "IR-10", "circulation": "1"}
    response = site.get(f"/data/{address}.csv", site.isfahan, params=params)
    with asked(small_register, OF_ISFAHAN) as con:
        answer = made(Rounded(On(con)), address, province=("IR-10",))
    assert isinstance(answer, disclosure.Circulated)
    rows = rows_of(response.content)
    assert [row["county"] for row in rows] == answer.column("county")
    assert {float(row["whole_value"]) for row in rows if row["whole_value"]} == {answer.rows[0][-1]}
    assert {int(row["trainable_assistants"]) % 5 for row in rows if row["trainable_assistants"]} == {0}


def test_an_exhibit_is_refused_as_a_question_is(site: Site) -> None:
    get = site.get
    assert get("/data/training/by_place.csv").status_code == 401
    unknown = get("/data/training/by_plaec.csv", site.isfahan)
    assert unknown.status_code == 404
    assert "/data/training/by_place.csv" in unknown.text, "it names what there is"
    assert get("/data/training/by_place.gif", site.isfahan).status_code == 404
    assert get("/data/training/by_place.csv", site.isfahan, params={"provinc": "IR-10"}).status_code == 400
    assert get("/data/training/by_place.csv", site.isfahan, params={"county": "2301"}).status_code in (400, 403)
    assert get("/data/training/by_place.csv", site.isfahan, params={"on": "1500/01/01"}).status_code == 400
    other = get("/data/workforce/by_post.csv", site.isfahan, params={"province": "IR-23"})
    assert other.status_code in (400, 403), "people of another province by post"
    assert get("/data/training/by_province.csv", site.isfahan).status_code == 200, "open totals"


def test_a_filter_without_a_meaning_for_a_figure_is_said_in_its_file(site: Site) -> None:
    address, women = "/data/growth/bridge.json", {"lang": "en", "gender": "female"}
    (first, *others) = site.get(address, site.national, params=women).json()
    assert first.pop("about") == "The filter “Gender” has no effect on this number."
    assert {row.pop("about") for row in others} == {None}
    assert [first, *others] == site.get(address, site.national, params={"lang": "en"}).json()


def test_an_exhibit_leaves_one_line_in_the_audit_log_and_is_304_when_unchanged(site: Site) -> None:
    first = site.get("/data/growth/projection.csv", site.national)
    again = site.get("/data/growth/projection.csv", site.national, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    (event,) = [event for event in site.events() if event.event == "export"]
    assert event.more["form"] == "csv"


# ---------------------------------------------------------------- what a link of a page meets


LINK, HERE = "/data/training/by_place.csv", {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def exhibit(monkeypatch: pytest.MonkeyPatch) -> Callable[[Make], str]:
    """A function that gives an exhibit an address."""

    known = register.exhibits()

    def at(make: Make) -> str:
        monkeypatch.setattr(register, "exhibits", lambda: {**known, "training/made_here": make})
        return "/data/training/made_here.csv"

    return at


def test_a_link_works_by_the_session_with_the_rights_of_who_opens_it(site: Site, small_register: Path) -> None:
    params = {"publication": "000001", "province": "IR-10", "lang": "en"}
    for more, ask in (({}, On), ({"circulation": "1"}, lambda con: Rounded(On(con)))):
        response = site.client.get(LINK, params=params | more, headers=cookie() | HERE)
        with asked(small_register, OF_ISFAHAN) as con:
            answer = made(ask(con), "training/by_place", province=("IR-10",))
        assert response.status_code == 200
        assert "attachment" in response.headers["content-disposition"]
        assert [row["county"] or None for row in rows_of(response.content)] == answer.column("county")
    exported = [event for event in site.events() if event.event == "export"]
    assert [(event.sub, event.more["form"], event.more.get("circulation", 0)) for event in exported] == [
        ("isfahan.officer", "csv", 1),
        ("isfahan.officer", "csv", 0),
    ]
    assert {event.more["provinces"] for event in exported} == {"IR-10"}
    national = site.client.get(LINK, params={"lang": "en"}, headers=cookie(sub="national.analyst", groups=["national"]))
    own = site.client.get(LINK, params={"lang": "en"}, headers=cookie())
    assert national.headers["etag"] != own.headers["etag"]


def test_a_link_of_a_session_that_ended_says_so_and_asks_for_no_password(site: Site) -> None:
    for headers in (HERE, HERE | {"Cookie": "_streamlit_user=forged"}):
        refused = site.client.get(LINK, params={"lang": "en"}, headers=headers)
        assert (refused.status_code, "www-authenticate" in refused.headers) == (401, False)
        assert refused.text == "Your session has ended. Reload the page and sign in.\n"
    typed = site.client.get(LINK, headers={"Sec-Fetch-Site": "none"})
    assert (typed.status_code, "www-authenticate" in typed.headers) == (401, True)
    assert not [event for event in site.events() if event.event == "export"]


def test_two_readers_of_different_rights_get_their_own_rows_of_one_scope(site: Site) -> None:
    path, params = "/data/workforce/by_post.csv", {"lang": "en", "province": "IR-10"}
    assert site.get(path, site.isfahan, params=params).status_code == 200
    elsewhere = params | {"province": "IR-23"}
    assert site.get(path, site.national, params=elsewhere).status_code == 200
    denied = site.get(path, site.isfahan, params=elsewhere)
    assert denied.status_code in (400, 403)
    nation = [site.get(path, token, params={"lang": "en"}) for token in (site.national, site.isfahan)]
    assert nation[0].status_code == 200
    assert nation[1].status_code in (400, 403) or nation[1].content != nation[0].content


def test_an_exhibit_that_raises_says_so_in_one_sentence_without_its_message(
    site: Site, exhibit: Callable[[Make], str], caplog: pytest.LogCaptureFixture
) -> None:
    def raises(_scope: Scope, _ask: Ask) -> Exhibit:
        raise RuntimeError("a name of the register")

    response = site.get(exhibit(raises), site.isfahan, params={"lang": "en"})
    assert response.status_code == 500
    assert response.text.startswith("This file could not be made")
    assert "register" not in response.text + caplog.text
    assert "data address: RuntimeError" in caplog.text
    assert not [event for event in site.events() if event.event == "export"]
    # The turn of the person is given back.
    assert site.get(LINK, site.isfahan).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (AccessDenied(), 403, "Outside of your access"),
        (TooEarly("of 1403"), 400, "cannot be calculated for this day"),
        (QuestionError("The measure has no meaning here."), 400, "The measure has no meaning here."),
        (OutOfTime(), 413, "more time or memory than is allowed"),
    ],
)
def test_an_exhibit_that_is_refused_says_why(
    site: Site, exhibit: Callable[[Make], str], error: Exception, status: int, words: str
) -> None:
    def refuses(_scope: Scope, _ask: Ask) -> Exhibit:
        raise error

    response = site.get(exhibit(refuses), site.isfahan, params={"lang": "en"})
    assert (response.status_code, response.text.count("\n")) == (status, 1)
    assert words in response.text
    events = [event.event for event in site.events()]
    assert events.count("refused") == (status == 403)
    assert "export" not in events


def test_an_exhibit_without_a_row_says_why_and_one_of_one_row_is_a_file(
    site: Site, exhibit: Callable[[Make], str]
) -> None:
    none = site.get(exhibit(lambda scope, _: nothing(scope, "state.empty_title", "state.empty")), site.isfahan)
    assert none.status_code == 400
    assert none.text.strip() == text.word("state.empty", "fa")
    one = exhibit(lambda scope, ask: finding(scope, ask, ask(Question(("active_assistants",), on=scope.day)), "One"))
    response = site.get(one, site.national)
    assert response.status_code == 200
    assert [int(row["active_assistants"]) > 0 for row in rows_of(response.content)] == [True]


def test_a_large_exhibit_is_written_by_a_worker(
    site: Site, of_workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = site.get(LINK, site.national)
    assert of_workers == []
    data_address._kept.clear()
    monkeypatch.setattr(data_address, "MANY_CELLS", dict.fromkeys(data_address.MANY_CELLS, 0))
    large = site.get(LINK, site.national)
    assert (large.status_code, large.content) == (200, small.content)
    assert of_workers == ["csv"]


CHART = "/data/explore/chart.csv"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"m": "training_compliance", "by": "province", "chart": "lines"}, "perhaps map, ranking, funnel"),
        ({"m": "joiners", "by": "month", "chart": "control"}, "chart has no value control; perhaps columns."),
        ({"m": "active_assistants", "by": ["province", "gender", "post"]}, "There is no chart under this scope"),
        ({"m": "active_assistants", "by": ["month", "year"]}, "Month, Year"),
        ({"m": "target", "by": "gender"}, "Gender"),
        ({"m": "actve_assistants"}, "perhaps active_assistants"),
        ({"calc": "rank"}, "There is no parameter calc"),
    ],
)
def test_a_chart_that_no_page_would_draw_is_refused(site: Site, params: dict[str, Any], words: str) -> None:
    response = site.get(CHART, site.national, params=params | {"lang": "en"})
    assert (response.status_code, response.text.count("\n")) == (400, 1)
    assert words in response.text, response.text


def test_a_chart_of_too_many_rows_is_refused_and_its_rows_are_an_answer(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "ROWS", 50)
    warehouse.results.cache_clear()
    params = {"m": "active_assistants", "by": ["institute", "month"], "lang": "en"}
    drawn, rows = (site.get(path, site.national, params=params) for path in (CHART, "/data/answer.csv"))
    assert (drawn.status_code, drawn.text) == (400, "Too many rows for a chart.\n")
    assert rows.status_code == 200
    assert len(rows_of(rows.content)) > 50


def test_what_needs_action_is_a_row_an_action_with_its_sentence(site: Site, small_register: Path) -> None:
    rows = rows_of(site.get("/data/overview/needs_action.csv", site.isfahan, params={"lang": "fa"}).content)
    with asked(small_register, OF_ISFAHAN) as con:
        form = overview.needs_action(Scope(con.publication.as_of), On(con)).form
    assert isinstance(form, Actions)
    items = [*form.items, *form.others]
    assert len({item.code for item in items}) == len(items) > 2
    told = [(row["action"], row["action_name"], float(row["concerned"]), row["whom"]) for row in rows]
    assert told == [(item.code, text.in_cell(item.sentence), item.count, text.in_cell(item.whom)) for item in items]


def test_a_list_that_ends_is_asked_by_the_days_of_its_page(site: Site) -> None:
    address = "/data/licensing/licences_ending.csv"
    fewer, every = (
        rows_of(site.get(address, site.national, params=params | {"lang": "en"}).content)
        for params in ({"days": "30"}, {})
    )
    assert fewer == [row for row in every if row["span"] == "1-30"]
    assert len(fewer) < len(every)
    wrong = site.get(address, site.national, params={"days": "31", "lang": "en"})
    assert (wrong.status_code, wrong.text) == (400, "days has no value 31; perhaps 30, 60, 90.\n")
    assert site.get("/data/licensing/lapsed.csv", site.national, params={"days": "30"}).status_code == 400


def test_the_list_of_publications_is_that_of_the_moment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "/data/approve/publications.csv"
    first = site.get(address, site.national)
    again = site.get(address, site.national, headers={"If-None-Match": first.headers["ETag"]})
    (row,) = rows_of(first.content)
    assert (row["publication"], again.status_code) == (page_run.publication().id, 304)
    monkeypatch.setattr(quality, "versions", lambda pointer: versions(pointer) * 2)
    more = site.get(address, site.national, headers={"If-None-Match": first.headers["ETag"]})
    assert (more.status_code, rows_of(more.content)) == (200, [row, row])


def test_what_is_made_for_a_client_that_hung_up_sees_it_and_ends() -> None:
    began, seen = threading.Event(), list[bool]()

    async def receive() -> dict[str, Any]:
        await anyio.to_thread.run_sync(began.wait, 60)
        return {"type": "http.disconnect"}

    def work(gone: threading.Event) -> None:
        began.set()
        seen.append(gone.wait(10))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        anyio.run(threads.while_wanted, receive, threads.ANSWERS, work)
    assert seen == [True]


def test_an_earlier_name_of_an_exhibit_still_works_and_one_that_is_gone_names_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(register._RENAMED, "training/by_region", "training/by_place")
    renamed = site.get("/data/training/by_region.csv", site.national)
    assert (renamed.status_code, renamed.content) == (200, site.get(LINK, site.national).content)
    gone = site.get("/data/training/by_quarter.csv", site.national, params={"lang": "en"})
    assert gone.status_code == 404
    assert "/data/training/by_place.csv" in gone.text
    assert "/data/growth/" not in gone.text


def test_behind_the_proxy_of_a_site_a_link_works_by_its_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_register: Path
) -> None:
    secret = "between-the-proxy-and-us-8Kq2Zr5TnW1"
    configured(tmp_path, monkeypatch, "proxy", f'[proxy]\nsecret = "{secret}"\n')
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    client = TestClient(app(), client=("10.0.0.7", 5000))
    person = {"X-Remote-User": "isfahan.officer", "X-Remote-Groups": "isfahan", "X-Proxy-Secret": secret}
    assert client.get(LINK, headers=HERE | person).status_code == 200
    assert client.get(LINK, headers=HERE | person | {"X-Proxy-Secret": "guessed"}).status_code == 401
    people.secrets.cache_clear()
