"""The data address gives what `ask` gives, to whom a personal token names, within the rights of that moment."""

import io
import itertools
import json
import math
import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from etl.analysis import quick_calculations
from etl.core.errors import AccessDenied, QuestionError
from etl.operations import audit
from etl.semantic.access import cursor_for
from etl.semantic.answers import ask
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.resolve import settled_on
from etl.warehouse import publications
from tests.access.gated import ACCESS, configured, cookie
from tests.access.scopes import NATIONAL, OF_ISFAHAN, OF_TEHRAN, TEHRAN
from tests.conftest import ROOT
from tests.effort import draws
from tests.serving import PATIENCE
from ui.access import tokens, turns
from ui.data import large_questions, page_run, warehouse
from ui.data.worker_process import OutOfMemory
from ui.exports import job
from ui.shell import asking, data_address, gate, people
from ui.state import personal_tokens, saved_views

CSV, PARQUET, JSON = "/data/answer.csv", "/data/answer.parquet", "/data/answer.json"
QUESTIONS, GUESSES = draws(30, 375), draws(120, 1000)
BY_PROVINCE = {"m": "active_assistants", "by": "province", "lang": "en"}


@dataclass
class Site:
    """A client, the tokens of two people, and the folder of the configuration."""

    client: TestClient
    isfahan: str
    national: str
    folder: Path

    def get(self, path: str, token: str = "", sub: str = "", **more: Any) -> Any:
        sent = {"auth": (sub or self._sub(token), token)} if token else {}
        return self.client.get(path, **sent, **more)

    def _sub(self, token: str) -> str:
        return "isfahan.officer" if token == self.isfahan else "national.analyst"

    def events(self) -> list[audit.Event]:
        return audit.events(self.folder / "audit")


def app() -> Starlette:
    return Starlette(routes=[*gate.routes(), *data_address.routes()], middleware=[Middleware(gate.Gate)])


def make(sub: str, groups: list[str], now: float = 0.0, days: int = 90) -> str:
    return personal_tokens.store().make(sub, groups, "of the test", days, now or time.time(), lambda: None)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_register: Path) -> Iterator[Site]:
    configured(tmp_path, monkeypatch, "oidc")
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    asking._guesses.clear()
    data_address._kept.clear()
    made = make("isfahan.officer", ["isfahan"]), make("national.analyst", ["national"])
    yield Site(TestClient(app(), client=("10.0.0.7", 5000)), *made, tmp_path)
    people.secrets.cache_clear()
    people.sessions.cache_clear()


@contextmanager
def asked(pointer: Path, scope: Any = OF_ISFAHAN) -> Iterator[Any]:
    with publications.connect(pointer) as con, cursor_for(con, scope) as cursor:
        yield cursor


def test_each_format_equals_ask_to_the_last_digit(site: Site, small_register: Path) -> None:
    names = ("active_assistants", "coverage_per_10k", "training_compliance")
    query = {"m": list(names), "by": "province", "lang": "en"}
    with asked(small_register) as con:
        answer = ask(con, *names, by=("province",))
    found = {
        form: site.get(f"/data/answer.{form}", site.isfahan, params=query).content
        for form in ("csv", "xlsx", "parquet", "json")
    }
    for frame in (
        pd.read_csv(io.BytesIO(found["csv"])),
        pd.read_parquet(io.BytesIO(found["parquet"])),
        pd.DataFrame(json.loads(found["json"])),
    ):
        assert {"province", "province_name"} <= {*frame}
        for name in answer.columns:
            assert frame[name].astype(object).where(frame[name].notna(), None).tolist() == answer.column(name)
    sheet = pd.read_excel(io.BytesIO(found["xlsx"]), sheet_name="Data", engine="openpyxl")
    label = catalogue()["coverage_per_10k"].label["en"]
    assert sheet[label].tolist()[: len(answer.rows)] == answer.column("coverage_per_10k")


@pytest.mark.slow
def test_random_questions_of_two_provinces_are_answered_as_ask_answers_each(
    site: Site, small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_A_MINUTE", 10_000)
    table = site.folder / "access.toml"
    table.write_text(
        ACCESS.replace('provinces = ["تهران"]', 'provinces = ["IR-23"]\nmay_export = true'), encoding="utf-8"
    )
    tehran = make("tehran.officer", ["tehran"])
    people_of = (("isfahan.officer", site.isfahan, OF_ISFAHAN, "IR-10"), ("tehran.officer", tehran, OF_TEHRAN, "IR-23"))
    rng = random.Random(40)
    measures = [name for name, metric in catalogue().items() if not metric.hidden]
    answered = 0
    for sub, token, scope, own in people_of:
        other = ({"IR-10", "IR-23"} - {own}).pop()
        with asked(small_register, replace(scope, sub=sub)) as con:
            for _ in range(QUESTIONS):
                name = rng.choice(measures)
                possible = sorted(catalogue()[name].groups | {"month"})
                by = rng.sample(possible, rng.randint(0, min(2, len(possible))))
                where = (
                    {"gender": ["female"]} if "gender" in catalogue()[name].dimensions and rng.random() < 0.3 else {}
                )
                if "province" in catalogue()[name].dimensions and rng.random() < 0.3:
                    where["province"] = [rng.choice(["IR-10", "IR-23"])]
                response = site.get(JSON, token, sub, params={"m": name, "by": by, "lang": "en", **where})
                try:
                    expected = ask(con, name, by=by, where=where)
                    status = 200
                except QuestionError as error:
                    status = 403 if isinstance(error, AccessDenied) else 400
                assert response.status_code == status, (name, by, where, response.text)
                if status != 200:
                    continue
                answered += 1
                found = [tuple(str(row[column]) for column in expected.columns) for row in response.json()]
                assert found == [tuple(map(str, row)) for row in expected.rows], (name, by, where)
                # About others, totals by time alone are open.
                if "province" in by and {*by, *where} - {"province", *TIME}:
                    assert other not in {row["province"] for row in response.json()}, (name, by, where)
    assert answered > QUESTIONS
    written = "".join(path.read_text(encoding="utf-8") for path in (site.folder / "audit").glob("*.jsonl"))
    lines = [line for line in map(json.loads, written.splitlines()) if line["event"] == "export"]
    assert len(lines) == answered
    assert {line["sub"] for line in lines} == {"isfahan.officer", "tehran.officer"}
    assert audit.verify(site.folder / "audit") == ""


def test_the_parameters_of_the_page_of_explore_have_no_effect(site: Site) -> None:
    of_the_page = {"chart": "funnel", "show": "pivot", "sort": "province", "page": "2", "tab": "explore"}
    answers = [site.get(JSON, site.isfahan, params=BY_PROVINCE | more) for more in ({}, of_the_page)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_two_people_get_their_own_provinces(site: Site) -> None:
    query = {"m": "active_assistants", "by": ["province", "gender"]}
    own = site.get(JSON, site.isfahan, params=query).json()
    whole = site.get(JSON, site.national, params=query).json()
    assert {row["province"] for row in own} == {"IR-10"}
    assert len({row["province"] for row in whole} - {None}) > 20
    assert site.get(JSON, site.isfahan, params={**query, "province": TEHRAN}).status_code == 403


@pytest.mark.parametrize("path", [CSV, JSON, PARQUET])
def test_an_answer_names_its_day_and_the_provinces_left_out(site: Site, path: str) -> None:
    query = {"m": "active_assistants", "gender": "female", "province": ["IR-10", "IR-23"], "on": "1404/03/10"}
    own, whole = (site.get(path, token, params=query).headers for token in (site.isfahan, site.national))
    assert own["answer-left-out"] == "IR-23"
    assert "answer-left-out" not in whole
    assert own["answer-on"] == whole["answer-on"] == "2025-05-31"
    auth = ("isfahan.officer", site.isfahan)
    assert site.client.head(path, params=query, auth=auth).headers["answer-left-out"] == "IR-23"


def test_an_answer_names_the_period_of_its_flows(site: Site) -> None:
    query = {"m": "joiners", "period": "1404/01/01..1404/02/31"}
    headers = site.get(CSV, site.national, params=query).headers
    assert headers["answer-period"] == "2025-03-21..2025-05-21"
    assert "answer-on" not in headers


def test_every_state_of_a_question_is_of_the_day_that_was_asked(site: Site, small_register: Path) -> None:
    """Not of the earlier day on which another of its measures was settled; what can still change is marked."""
    with asked(small_register, OF_ISFAHAN) as con:
        as_of = con.publication.as_of
        settled = settled_on(con, "leaver_rate_12m")
        assert settled
        assert settled < as_of
        expected = {day: ask(con, "active_assistants", on=day).value() for day in (as_of, settled)}
        assert expected[as_of] != expected[settled]
    for day, more in ((as_of, {}), (as_of, {"on": as_of.isoformat()}), (settled, {"on": settled.isoformat()})):
        for names in (["active_assistants"], ["active_assistants", "leaver_rate_12m"]):
            for measures in (names, names[::-1]):
                response = site.get(JSON, site.isfahan, params={"m": measures, **more})
                (row,) = response.json()
                assert response.headers["answer-on"] == day.isoformat()
                assert float(row["active_assistants"]) == expected[day], (measures, more)
                marks = (row["status"] or "").split()
                assert ("p:leaver_rate_12m" in marks) == (day == as_of and len(names) == 2), (measures, more)
                assert not {"p", "p:active_assistants"} & {*marks}
    alone = site.get(JSON, site.isfahan, params={"m": "leaver_rate_12m"}).json()
    assert "p" in alone[0]["status"].split()


@pytest.mark.parametrize("parameter", ["on", "as_of"])
def test_a_day_after_the_as_of_day_is_refused(site: Site, small_register: Path, parameter: str) -> None:
    with asked(small_register, OF_ISFAHAN) as con:
        after = con.publication.as_of + timedelta(1)
    for name in ("active_assistants", "leaver_rate_12m"):
        assert site.get(JSON, site.isfahan, params={"m": name, parameter: after.isoformat()}).status_code == 400
    over = f"{after - timedelta(40)}..{after}"
    assert site.get(JSON, site.isfahan, params={"m": "joiners", "by": "month", "over": over}).status_code == 400


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_filters_take_the_names_that_ask_takes(site: Site, small_register: Path, lang: str) -> None:
    """Of places in both languages, also counties created since the census of 1395; of institutes and courses too."""
    with asked(small_register, NATIONAL) as con:
        code, institute = con.execute(
            "select any_value(institute_code)::varchar, name from institutes where name is not null "
            "group by name having count(*) = 1 order by 2 limit 1"
        ).fetchone()  # type: ignore[misc]
        course, title_fa, title_en = con.execute("select course_code, title_fa, title_en from courses").fetchall()[0]
    for dimension, names, member in (
        ("province", ("اصفهان", "Isfahan", "10"), "IR-10"),
        ("county", ("خمام", "Khomam", "0117", "0105"), "0105"),
        ("gender", ("زن", "female"), "female"),
        ("institute", (institute, code), code),
        ("course", (title_fa, title_en, course), course),
    ):
        metric = "training_compliance" if dimension == "course" else "in_service"
        for name in names:
            found = site.get(JSON, site.national, params={"m": metric, dimension: name, "lang": lang})
            assert found.status_code == 200, (dimension, name, found.text)
            with asked(small_register, NATIONAL) as con:
                by_code, by_name = (ask(con, metric, where={dimension: [named]}).value() for named in (member, name))
            assert by_code == by_name == found.json()[0][metric], (dimension, name)
            is_newer = name in ("خمام", "Khomam", "0117")
            assert found.headers.get("answer-counted-in") == ("0105" if is_newer else None)


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_a_token_is_basic_or_bearer(site: Site, scheme: str) -> None:
    headers = {"Authorization": f"Bearer {site.isfahan}"} if scheme == "bearer" else {}
    auth = None if headers else ("isfahan.officer", site.isfahan)
    response = site.client.get(CSV, params=BY_PROVINCE, headers=headers, auth=auth)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "private, no-store"


def test_a_wrong_token_gets_401_whatever_is_wrong(site: Site) -> None:
    old = make("isfahan.officer", ["isfahan"], time.time() - 91 * 86400)
    unseen = make("isfahan.officer", ["isfahan"], time.time() - 31 * 86400)
    revoked = make("isfahan.officer", ["isfahan"])
    for one in personal_tokens.store().of("isfahan.officer")[:1]:
        personal_tokens.store().revoke("isfahan.officer", one.digest, lambda: None)
    told = set()
    for token, sub in (
        ("", ""),
        (old, "isfahan.officer"),
        (unseen, "isfahan.officer"),
        (revoked, "isfahan.officer"),
        (site.isfahan, "national.analyst"),
        ("x" * 43, "isfahan.officer"),
    ):
        response = site.get(CSV, token, sub, params=BY_PROVINCE)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Basic ")
        told.add(response.text)
    assert len(told) == 1


def test_the_own_browser_and_a_program_with_a_token_are_answered_wherever_they_come_from(site: Site) -> None:
    for own in ("none", "same-origin"):
        answered = site.client.get(CSV, params=BY_PROVINCE, headers=cookie() | {"Sec-Fetch-Site": own})
        assert answered.status_code == 200
    # A program that holds a token is no browser that was led here.
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_condition_on_any_answer_hides_no_refusal(site: Site) -> None:
    outside = {"m": "active_assistants", "by": "gender", "province": TEHRAN}
    refused = site.get(CSV, site.isfahan, params=outside, headers={"If-None-Match": "*"})
    assert refused.status_code == 403
    assert [event.more["why"] for event in site.events() if event.event == "refused"] == ["outside of the rights"]


def test_of_many_guesses_few_are_answered_alike_and_logged_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = tokens.hmac.compare_digest
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda *two: compared.append(two) or compare(*two))
    answers = []
    for number in range(GUESSES):
        # Guessed at random, and that of somebody else: the same steps, the same answer.
        token = site.national if number % 2 else f"{number:043}"
        answers.append(site.get(CSV, token, "isfahan.officer", params=BY_PROVINCE))
    codes = [answer.status_code for answer in answers]
    assert codes.count(401) == asking.MOST_GUESSES
    assert set(codes[asking.MOST_GUESSES :]) == {429}
    assert len(compared) == GUESSES
    assert len({answer.text for answer in answers}) == 2
    assert [event.more["why"] for event in site.events() if event.event == "refused"] == ["wrong token"]
    # From many addresses too; after a minute a line has their number.
    other = [TestClient(app(), client=(f"10.0.1.{number}", 5000)) for number in range(20)]
    wrong = {"auth": ("isfahan.officer", "0" * 43), "params": BY_PROVINCE}
    assert {client.get(CSV, **wrong).status_code for client in other} == {401}
    assert len([event for event in site.events() if event.event == "refused"]) == 1
    later = time.monotonic() + 61
    with monkeypatch.context() as patch:
        patch.setattr("ui.shell.refusals.time.monotonic", lambda: later)
        other[0].get(CSV, **wrong)
    times = [event.more["times"] for event in site.events() if event.event == "refused"]
    assert times == [GUESSES + len(other), 1]
    # Guesses lock nobody out.
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 200


def test_of_100_requests_at_once_each_answer_has_its_whole_audit_line(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [f"1404/0{month}/{day:02}" for month in (3, 4, 5, 6) for day in range(1, 26)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda day: site.get(CSV, site.national, params={**BY_PROVINCE, "on": day}).status_code, days)
        )
    # On a busy machine, who waits too long for the store of turns gets a 503 and may come again.
    assert set(answers) <= {200, 429, 503}
    lines = [event for event in site.events() if event.event == "export"]
    assert len(lines) == answers.count(200) > 0
    assert all(event.more["rows"] and event.more["publication"] for event in lines)
    assert audit.verify(site.folder / "audit") == ""


def test_a_token_in_the_address_is_refused_and_to_be_revoked(site: Site) -> None:
    for query in ({"token": "abc"}, {"m": site.isfahan}, {"api_key": ""}):
        response = site.get(CSV, site.isfahan, params={**BY_PROVINCE, **query})
        assert response.status_code == 400
        assert "revoke" in response.text
        assert site.isfahan not in response.text


def test_rights_are_those_of_the_request(site: Site) -> None:
    query = {"m": "active_assistants", "by": ["province", "gender"], "lang": "en"}
    before = site.get(CSV, site.isfahan, params=query)
    table = site.folder / "access.toml"
    table.write_text(ACCESS.replace('"IR-10"', '"IR-14"'), encoding="utf-8")
    after = site.get(CSV, site.isfahan, params=query, headers={"If-None-Match": before.headers["etag"]})
    assert (before.status_code, after.status_code) == (200, 200)
    assert set(pd.read_csv(io.BytesIO(after.content)).province) == {"IR-14"}
    whole = ACCESS.replace('provinces = ["IR-10"]\nmay_export = true', 'provinces = ["IR-10"] # none')
    table.write_text(whole, encoding="utf-8")
    assert site.get(CSV, site.isfahan, params=query).status_code == 403


def test_groups_follow_the_next_sign_in(site: Site) -> None:
    personal_tokens.store().signed_in("isfahan.officer", ["nobody"], time.time())
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 403


def test_only_the_digest_is_kept(site: Site) -> None:
    kept = b"".join(path.read_bytes() for path in (site.folder / "views").glob("tokens.sqlite*"))
    assert site.isfahan.encode() not in kept


def test_an_unchanged_answer_is_304_and_leaves_no_line(site: Site) -> None:
    first = site.get(CSV, site.isfahan, params=BY_PROVINCE)
    lines = len(site.events())
    again = site.get(CSV, site.isfahan, params=BY_PROVINCE, headers={"If-None-Match": f"W/{first.headers['etag']}"})
    assert (again.status_code, again.content, len(site.events())) == (304, b"", lines)
    other = site.get(CSV, site.national, params=BY_PROVINCE, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_head_has_the_tag_and_no_audit_line(site: Site) -> None:
    auth = ("isfahan.officer", site.isfahan)
    head = site.client.head(CSV, params=BY_PROVINCE, auth=auth)
    assert (head.status_code, head.content) == (200, b"")
    assert not [event for event in site.events() if event.event == "export"]
    assert head.headers["etag"] == site.get(CSV, site.isfahan, params=BY_PROVINCE).headers["etag"]


def test_parts_of_parquet_make_the_whole(site: Site) -> None:
    auth = ("isfahan.officer", site.isfahan)
    length = int(site.client.head(PARQUET, params=BY_PROVINCE, auth=auth).headers["content-length"])
    whole = site.get(PARQUET, site.isfahan, params=BY_PROVINCE).content
    parts = []
    for begin, end in ((0, length // 2), (length // 2 + 1, length - 1)):
        sent = {"Range": f"bytes={begin}-{end}"}
        part = site.get(PARQUET, site.isfahan, params=BY_PROVINCE, headers=sent)
        assert part.status_code == 206
        parts.append(part.content)
    assert b"".join(parts) == whole
    assert len(whole) == length


def test_every_file_has_an_audit_line_like_a_download(site: Site) -> None:
    site.get(CSV, site.isfahan, params=BY_PROVINCE)
    (event,) = [event for event in site.events() if event.event == "export"]
    assert event.sub == "isfahan.officer"
    assert event.more["metric"] == "active_assistants"
    assert event.more["form"] == "csv"
    assert event.more["provinces"] == "IR-10"
    assert audit.verify(site.folder / "audit") == ""


def test_the_steward_reads_who_took_more_than_12_files_for_circulation_of_a_measure_in_a_day(site: Site) -> None:
    rounded = BY_PROVINCE | {"circulation": "1"}
    for _ in range(audit.MOST_CIRCULATED):
        assert site.get(CSV, site.isfahan, params=rounded).status_code == 200
        assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 200
    assert audit.circulated_often(site.events()) == []
    site.get("/data/answer.json", site.isfahan, params=rounded | {"m": ["active_assistants", "in_service"]})
    (often,) = audit.circulated_often(site.events())
    assert (often.sub, often.metric, often.files) == ("isfahan.officer", "active_assistants", 13)
    assert often.day == site.events()[0].at[:10]


def test_an_attempt_at_what_is_outside_is_logged(site: Site) -> None:
    outside = {"m": "in_service", "by": "gender", "province": "IR-23", "lang": "en"}
    assert site.get(CSV, site.isfahan, params=outside).status_code == 403
    (event,) = [event for event in site.events() if event.event == "refused"]
    assert (event.sub, event.more["why"]) == ("isfahan.officer", "outside of the rights")
    assert event.more["provinces"] == "IR-10"


def test_what_cannot_be_logged_is_not_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "record", full)
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 503


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"metric": "x"}, "no parameter metric"),
        ({"bye": "province"}, "perhaps by"),
        ({"m": "active_asistants"}, "perhaps active_assistants"),
        ({"by": "provinse"}, "perhaps province"),
        ({"province": "IR-99"}, "province has no value IR-99"),
        ({"province": "Isfahn"}, "perhaps IR-10"),
        ({"on": "1405/13/01"}, "no day 1405/13/01"),
        ({"period": "13"}, "period has no value 13"),
        ({"m": "joiners", "period": "2026-01-01..2099-12-01"}, "period has no value 2026-01-01..2099-12-01"),
        ({"m": "joiners", "period": "1990-01-01..2024-12-01"}, "period has no value 1990-01-01..2024-12-01"),
        ({"m": ""}, "m is empty."),
        ({"gender": ""}, "gender is empty; perhaps male, female"),
        ({"county": "1001", "province": "IR-23"}, "County 1001 is in none of the provinces asked for (IR-23)"),
        ({"on": "1404/01/01", "as_of": "1404/01/01"}, "one of on and as_of"),
        ({"by": ["province", "gender", "month", "education"]}, "at most 3"),
        ({"by": ["month", "year"]}, "Only one of"),
        ({"circulation": "yes"}, "circulation has no value yes"),
        ({"calc": "sum"}, "calc has no value sum"),
        ({"calc": ["share", "rank"]}, "calc takes one value only"),
        ({"calc": "rank"}, "“Active police assistants” is not ranked by this breakdown"),
        ({"calc": "running", "by": "month"}, "“Active police assistants” is a state on a day"),
        ({"calc": "previous"}, "compares units of time"),
        ({"m": "leaver_rate_12m", "calc": "rank"}, "can still change on this day"),
        ({"m": "training_compliance", "calc": "share", "lang": "fa"}, "«پایبندی آموزشی» شمارشی از یک کل نیست"),
        ({"view": "Nothing"}, "view has no value Nothing"),
        ({"publication": "../x"}, "publication has no value"),
        ({"m": "=cmd|' /C calc'!A0"}, "m has no value"),
    ],
)
def test_a_wrong_parameter_is_named_with_the_nearest(site: Site, query: dict[str, Any], words: str) -> None:
    response = site.get(CSV, site.isfahan, params={**BY_PROVINCE, **query})
    assert response.status_code == 400
    assert words in response.text
    assert response.text.count("\n") == 1


def test_an_unknown_format_names_the_known_ones(site: Site) -> None:
    response = site.get("/data/answer.xls", site.isfahan, params=BY_PROVINCE)
    assert response.status_code == 404
    assert "/data/answer.xlsx" in response.text


def test_a_saved_view_is_asked_by_its_owner_alone(site: Site) -> None:
    with page_run.acting_as(OF_ISFAHAN):
        saved_views.save("Mine", "explore", {"m": ["joiners"], "by": ["month"], "show": ["pivot"]}, date(2026, 6, 30))
    rows = site.get(JSON, site.isfahan, params={"view": "Mine"}).json()
    assert {"month", "month_name", "joiners"} <= rows[0].keys()
    with page_run.acting_as(OF_ISFAHAN):
        saved_views.save("Growing", "growth", {}, date(2026, 6, 30))
    of_a_page = site.get(JSON, site.isfahan, params={"view": "Growing", "lang": "en"})
    assert (of_a_page.status_code, "of another page" in of_a_page.text) == (400, True)
    refused = site.get(JSON, site.national, params={"view": "Mine", "lang": "en"})
    assert refused.status_code == 400
    assert refused.text == site.get(JSON, site.national, params={"view": "Mind", "lang": "en"}).text.replace(
        "Mind", "Mine"
    )


def test_a_view_saved_without_a_breakdown_is_answered_as_the_address_of_its_page(site: Site) -> None:
    emptied = {"m": ["joiners"], "by": ["-"]}
    with page_run.acting_as(OF_ISFAHAN):
        saved_views.save("Total", "explore", emptied, date(2026, 6, 30))
    typed = site.get(JSON, site.isfahan, params=emptied)
    assert (typed.status_code, len(typed.json())) == (200, 1)
    assert site.get(JSON, site.isfahan, params={"view": "Total"}).json() == typed.json()


def test_a_publication_is_pinned_while_it_is_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch, revised_register: Path
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(revised_register))
    for pinned, status in (("000001", 200), ("000002", 200), ("000003", 410)):
        response = site.get("/data/", site.isfahan, params={"publication": pinned})
        assert response.status_code == status
        gone = site.get(CSV, site.isfahan, params={**BY_PROVINCE, "publication": pinned})
        assert gone.status_code == status
        assert status == 200 or "no longer kept" in gone.text
        if status == 200:
            assert response.json()["publication"]["id"] == pinned
    tags = {
        site.get(CSV, site.isfahan, params={**BY_PROVINCE, "publication": pinned}).headers["etag"]
        for pinned in ("000001", "000002", "")
    }
    assert len(tags) == 2


def test_a_view_a_pin_and_a_token_of_wider_rights_give_what_the_rights_of_now_allow(
    site: Site, monkeypatch: pytest.MonkeyPatch, revised_register: Path
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(revised_register))
    wide = {"m": ["in_service"], "by": ["province", "gender"]}
    with page_run.acting_as(NATIONAL):
        saved_views.save("Everybody", "explore", wide, date(2026, 6, 30))
    asked_again = [wide, {"view": "Everybody"}, *({**wide, "publication": pin} for pin in ("000001", "000002"))]
    before = [site.get(CSV, site.national, params=one) for one in asked_again]
    assert all(len(set(pd.read_csv(io.BytesIO(answer.content)).province)) > 1 for answer in before)
    personal_tokens.store().signed_in("national.analyst", ["isfahan"], time.time())
    for one, earlier in zip(asked_again, before, strict=True):
        after = site.get(CSV, site.national, params=one, headers={"If-None-Match": earlier.headers["etag"]})
        assert after.status_code == 200
        assert set(pd.read_csv(io.BytesIO(after.content)).province) == {"IR-10"}
    personal_tokens.store().signed_in("national.analyst", ["nobody"], time.time())
    assert {site.get(CSV, site.national, params=one).status_code for one in asked_again} == {403}


def test_without_a_publication_it_is_503(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAREHOUSE", str(tmp_path / "none.duckdb"))
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 503


def test_a_file_for_circulation_says_so_and_is_rounded(site: Site) -> None:
    rows = site.get(JSON, site.isfahan, params={**BY_PROVINCE, "circulation": "1"}).json()
    assert rows[0]["about"].startswith("For circulation")
    assert {row["active_assistants"] % 5 for row in rows if row["active_assistants"] is not None} == {0}


CALCULATED: list[tuple[dict[str, Any], str]] = [
    ({"m": "active_assistants", "by": "province"}, "share"),
    ({"m": "joiners", "by": ["month", "gender"]}, "previous"),
    ({"m": ["active_assistants", "training_compliance"], "by": "province"}, "year"),
    ({"m": "training_compliance", "by": "province"}, "rank"),
    ({"m": "coverage_per_10k", "by": "quarter"}, "index"),
    ({"m": "leavers", "by": "month"}, "running"),
]


@pytest.mark.parametrize(("query", "calc"), CALCULATED)
def test_a_calculation_stands_beside_its_measure_in_every_format(
    query: dict[str, Any], calc: str, site: Site, small_register: Path
) -> None:
    names, by = ([value] if isinstance(value := query[key], str) else value for key in ("m", "by"))
    with asked(small_register) as con:
        answer = quick_calculations.ask(con, *names, by=by, calc=calc)
    added = [name for name in answer.columns if f"_{calc}" in name]
    assert added
    sent = {**query, "calc": calc, "lang": "en"}
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet), ("json", pd.read_json)):
        frame = read(io.BytesIO(site.get(f"/data/answer.{form}", site.isfahan, params=sent).content))
        assert frame.columns.get_loc(f"{names[0]}_{calc}") == frame.columns.get_loc(names[0]) + 1
        for name in added:
            wanted = pd.Series(answer.column(name), dtype=float)
            pd.testing.assert_series_equal(frame[name].astype(float), wanted, check_names=False, rtol=1e-9)
    workbook = site.get("/data/answer.xlsx", site.isfahan, params=sent).content
    sheet = pd.read_excel(io.BytesIO(workbook), sheet_name="Data", engine="openpyxl")
    labels = [metric.label["en"] for metric in answer.metrics]
    assert set(labels) <= {re.sub(r" \([^(]*\)$", "", title) for title in sheet.columns} | {*sheet.columns}


@pytest.mark.parametrize(("query", "calc"), CALCULATED)
def test_a_calculation_for_circulation_is_that_of_the_rounded_numbers(
    query: dict[str, Any], calc: str, site: Site
) -> None:
    sent = {**query, "circulation": "1", "lang": "en"}
    plain = site.get(JSON, site.national, params=sent).json()
    with_column = site.get(JSON, site.national, params={**sent, "calc": calc}).json()
    assert [{name: row[name] for name in plain[0]} for row in with_column] == plain
    name = query["m"] if isinstance(query["m"], str) else query["m"][0]
    found = [row[f"{name}_{calc}"] for row in with_column]
    if calc == "running":
        assert found == list(itertools.accumulate(row[name] for row in plain))
    if calc == "rank":
        values = pd.Series([row[name] for row in plain], dtype=float)
        tested = pd.Series(found, dtype=float).notna()
        assert found == values.where(tested).rank(method="min", ascending=False).replace(float("nan"), None).tolist()
    if calc == "share":
        total = site.get(JSON, site.national, params={**sent, "by": []}).json()[0][name]
        assert found == [pytest.approx(math.floor(100 * row[name] / total + 0.5) / 100) for row in plain]
    if calc in ("previous", "year"):
        assert {value % 5 for value in found if value is not None} == {0}


def test_a_calculation_of_a_large_answer_comes_from_a_worker(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"m": "joiners", "by": ["month", "province"], "calc": "previous", "lang": "en", "on": "1404/05/07"}
    asked, ask = list[str](), large_questions.ask_in_worker

    def noted(file: str, *question: Any) -> Any:
        asked.append(file)
        return ask(file, *question)

    monkeypatch.setattr(large_questions, "ask_in_worker", noted)
    for more in ({}, {"circulation": "1"}):
        small = site.get(CSV, site.national, params={**query, **more}).content
        warehouse.results.cache.clear()
        data_address._kept.clear()
        with monkeypatch.context() as patch:
            asked.clear()
            patch.setattr(warehouse, "ROWS", 5)
            assert site.get(CSV, site.national, params={**query, **more}).content == small
            assert asked


@pytest.fixture
def of_workers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The forms of the files that worker processes write."""
    forms: list[str] = []
    begin = job.Making.__init__

    def noted(making: job.Making, of: job.Job, *more: float) -> None:
        forms.append(of.form)
        begin(making, of, *more)

    monkeypatch.setattr(job.Making, "__init__", noted)
    return forms


def test_a_large_file_comes_from_a_worker(site: Site, of_workers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    small = site.get(CSV, site.isfahan, params=BY_PROVINCE).content
    assert of_workers == []
    data_address._kept.clear()
    monkeypatch.setitem(job.MANY_CELLS, "csv", 0)
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).content == small
    assert of_workers == ["csv"]


def test_a_question_beyond_the_limits_of_a_worker_is_413(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: Any) -> None:
        raise OutOfMemory

    monkeypatch.setattr(warehouse, "ROWS", 0)
    monkeypatch.setattr(large_questions, "ask_in_worker", out_of_memory)
    query = {"m": "leavers", "by": ["province", "post"], "lang": "en", "on": "1404/05/05"}
    refusal = site.get(CSV, site.isfahan, params=query)
    assert (refusal.status_code, refusal.text.count("\n")) == (413, 1)
    assert "more time or memory than is allowed" in refusal.text


def test_a_token_makes_one_answer_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made, begun, goes_on = data_address._made, threading.Event(), threading.Event()
    begin, has_to_wait = people.turns().begin, threading.Event()

    def held(*given: Any) -> Any:
        if not begun.is_set():
            begun.set()
            goes_on.wait(PATIENCE)
        return made(*given)

    def begins(sub: str, now: float) -> bool:
        is_free = begin(sub, now)
        if not is_free:
            has_to_wait.set()
        return is_free

    monkeypatch.setattr(data_address, "_made", held)
    monkeypatch.setattr(people.turns(), "begin", begins)
    monkeypatch.setattr(data_address, "PATIENT_SECONDS", 0.0)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(site.get, CSV, site.isfahan, params=BY_PROVINCE)
        assert begun.wait(PATIENCE)
        second = site.get(CSV, site.isfahan, params={**BY_PROVINCE, "on": "1404/05/01"})
        of_another = site.get(CSV, site.national, params=BY_PROVINCE)
        assert has_to_wait.is_set()
        has_to_wait.clear()
        monkeypatch.setattr(data_address, "PATIENT_SECONDS", PATIENCE)
        waiting = pool.submit(site.get, CSV, site.isfahan, params={**BY_PROVINCE, "on": "1404/04/01"})
        # Its turn was refused once: it waits, and is answered when the first one is.
        assert has_to_wait.wait(PATIENCE)
        assert not waiting.done()
        goes_on.set()
        assert first.result().status_code == 200
    assert waiting.result().status_code == 200, "a second query of a workbook waits for the first"
    assert (second.status_code, int(second.headers.get("retry-after", 0)) > 0) == (429, True)
    assert of_another.status_code == 200, "others wait for nobody"
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 200


def test_requests_of_a_minute_are_bounded_for_a_person_with_cookie_and_tokens(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_A_MINUTE", 3)
    other = make("isfahan.officer", ["isfahan"])
    ways: list[dict[str, Any]] = [
        {"auth": ("isfahan.officer", site.isfahan)}, {"auth": ("isfahan.officer", other)}, {"headers": cookie()},
    ]  # fmt: skip
    codes = [site.client.get(CSV, params=BY_PROVINCE, **way).status_code for way in (*ways, *ways)]
    assert codes == [200] * 3 + [429] * 3
    assert site.get(CSV, site.national, params=BY_PROVINCE).status_code == 200


def test_the_dictionary_lists_measures_what_they_may_be_asked_by_and_exhibits(site: Site) -> None:
    found = site.get("/data/", site.isfahan).json()
    visible = {name for name, metric in catalogue().items() if not metric.hidden}
    assert {entry["name"] for entry in found["measures"]} == visible
    entry = next(entry for entry in found["measures"] if entry["name"] == "joiners")
    assert set(entry["by"]) - {*TIME} == catalogue()["joiners"].dimensions - {*TIME}
    assert found["exhibits"] == (ROOT / "tests" / "ui" / "exhibits.txt").read_text("utf-8").split()
    table = pd.read_csv(io.BytesIO(site.get("/data/dictionary.csv", site.isfahan).content))
    assert set(table.name[table.type == "measure"]) == visible
    book = openpyxl.load_workbook(io.BytesIO(site.get("/data/dictionary.xlsx", site.isfahan).content))
    assert book.active.max_row == len(table) + 1


def test_what_a_person_makes_and_revokes_is_listed_and_logged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[tuple[str, str]] = []

    def record(sub: str, event: str, **_: object) -> None:
        events.append((sub, event))

    sign_in = page_run.SignIn(lambda: OF_ISFAHAN, lambda *_: "", record, lambda: ([], None), lambda: ("isfahan",))
    monkeypatch.setattr(page_run, "_sign_in", sign_in)
    made = personal_tokens.make("Excel")
    assert re.fullmatch(r"[\w-]{43}", made)
    listed = personal_tokens.own()
    assert [one.name for one in listed] == ["Excel", "of the test"]
    assert listed[0].used == 0
    site.get(CSV, made, "isfahan.officer", params=BY_PROVINCE)
    assert personal_tokens.own()[0].used > 0
    personal_tokens.revoke(listed[0].digest)
    assert site.get(CSV, made, "isfahan.officer", params=BY_PROVINCE).status_code == 401
    assert events == [("isfahan.officer", "token_made"), ("isfahan.officer", "token_revoked")]


def test_nobody_revokes_the_token_of_another(site: Site) -> None:
    (own,) = personal_tokens.store().of("isfahan.officer")
    personal_tokens.store().revoke("national.analyst", own.digest, lambda: None)
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 200


def test_an_operator_who_ends_sessions_revokes_the_tokens(site: Site) -> None:
    assert personal_tokens.store().revoke_all("isfahan.officer") == 1
    assert site.get(CSV, site.isfahan, params=BY_PROVINCE).status_code == 401
