"""The address of submissions behind nginx, and its records in the PostgreSQL that several hosts share."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import httpx
import pytest

from etl.semantic.rights import every_province
from etl.submissions import originals
from etl.submissions.records import Records
from etl.submissions.refusals import Declined
from tests import postgres
from tests.serving import Served
from tests.submissions.conftest import LAST, Office
from tests.submissions.test_way import PERSONNEL, more_people, rows_published

pytestmark = pytest.mark.slow
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    run = tmp_path_factory.mktemp("nginx")
    folders = {name: str(run / name.lower()) for name in ("SUBMISSIONS", "INCOMING", "AUDIT", "VIEWS")}
    (run / "incoming").mkdir()
    with Served(run, WAREHOUSE=str(run / "nothing.duckdb"), **folders) as running:
        yield running, run / "submissions"


def zeros(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(MEBIBYTE)


def announced(running: Served, path: str, size: int) -> HTTPResponse:
    """The answer to a file of which only the size was said."""
    connection = HTTPConnection("localhost", running.port, timeout=60)
    connection.putrequest("PUT", path)
    connection.putheader("Origin", running.origin)
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    return connection.getresponse()


def memory(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def test_a_large_file_goes_through_nginx_by_this_address_alone_and_takes_no_memory(served):
    running, folder = served
    with httpx.Client(base_url=running.origin, headers={"Origin": running.origin}, timeout=300) as client:
        ident = client.post("/hand-in", json={"province": "IR-07", "month": LAST}).json()["draft"]

        def put(path: str, size: int) -> httpx.Response:
            headers = {"Content-Length": str(size * MEBIBYTE)}
            return client.put(path, params={"name": "personnel.csv"}, content=zeros(size), headers=headers)

        assert put(f"/hand-in/{ident}/1", 2).status_code == 204
        web = running.dashboards[0].pid
        # The peak of its memory begins anew.
        Path(f"/proc/{web}/clear_refs").write_text("5", encoding="ascii")
        before = memory(web, "VmRSS")
        assert put(f"/hand-in/{ident}/1", 200).status_code == 204
        grown = memory(web, "VmHWM") - before
        assert grown < 20 * MEBIBYTE, grown / MEBIBYTE
        (kept,) = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size == 200 * MEBIBYTE]
        assert kept.stat().st_mode & 0o777 == 0o600
        refused = announced(running, f"/hand-in/{ident}/2?name=personnel.csv", 201 * MEBIBYTE)
        assert (refused.status, refused.headers["content-type"]) == (413, "text/plain; charset=utf-8")
        told = refused.read().decode()
        assert "at most 200 MiB; split it" in told
        assert "حداکثر ۲۰۰ مگابایت" in told
        assert client.post("/find", content=bytes(3 * MEBIBYTE)).status_code == 413, "other addresses stay small"


def test_every_province_may_send_a_file_at_once(served):
    running, folder = served

    def hand_in(number_and_province: tuple[int, str]) -> tuple[str, str]:
        number, province = number_and_province
        content = bytes([number]) * MEBIBYTE + province.encode()
        with httpx.Client(base_url=running.origin, headers={"Origin": running.origin}, timeout=300) as client:
            ident = client.post("/hand-in", json={"province": province, "month": LAST}).json()["draft"]
            put = client.put(f"/hand-in/{ident}/1", params={"name": "personnel.csv"}, content=content)
            assert put.status_code == 204, put.text
            assert client.get(f"/hand-in/{ident}").json()["state"] == "checking"
        return ident, hashlib.sha256(content).hexdigest()

    with ThreadPoolExecutor(31) as pool:
        sent = dict(pool.map(hand_in, enumerate(sorted(every_province()))))
    assert len(sent) == 31
    kept = {one.id: [file.sha256 for file in one.files] for one in Records(folder).all() if one.id in sent}
    assert kept == {ident: [digest] for ident, digest in sent.items()}


def test_a_submission_goes_its_way_with_its_records_in_postgresql(office: Office):
    with postgres.server() as server:
        server.run("create database shared")
        address = f"postgresql:///shared?host={server.folder}&port={server.port}&user=postgres"
        office.settings = replace(office.settings, sign_in=replace(office.settings.sign_in, database=address))
        office.only_rows = True
        checked = office.hand_in(office.clerk, "IR-07", more_people())
        assert checked.state == "ready"
        assert not (office.desk.root / "submissions.sqlite").exists()
        office.desk.submit(office.clerk, checked.id)
        office.desk.approve(office.steward, checked.id)
        with pytest.raises(Declined, match="approved"):
            office.desk.withdraw(office.clerk, checked.id)
        office.order()
        office.work()
        done = office.desk.look(office.clerk, checked.id)
        originals.verify(office.desk.root, done)
        assert (done.state, rows_published(office, PERSONNEL)) == ("published", 32)
        assert os.listdir(office.desk.root / "orders") == ["lock"]
