"""The audit log says who did what and nothing more; a changed, removed, inserted or cut line is detected."""

import csv
import getpass
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.core.paths import ROOT
from etl.operations import audit
from etl.semantic.access import ADMINISTRATOR
from etl.warehouse import publications
from tests.access.scopes import NATIONAL, NONE, OF_TEHRAN, TEHRAN
from tests.parts import SCRIPT, opening
from ui.data import user
from ui.i18n import text
from ui.sections import audit_log
from ui.shell import logs
from ui.state.page_context import PageContext


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for number in range(6):
        audit.record(tmp_path, f"person{number % 2}", "export", metric="leavers", form="csv", rows=number)
    assert audit.verify(tmp_path) == []
    return tmp_path


def with_one_row_less(line: str) -> str:
    return line.replace('"rows": 2', '"rows": 1')


TAMPERINGS: dict[str, Callable[[list[str]], list[str]]] = {
    "a line changed": lambda lines: [with_one_row_less(line) for line in lines],
    "a line removed": lambda lines: lines[:2] + lines[3:],
    "the first line removed": lambda lines: lines[1:],
    "the last line removed": lambda lines: lines[:-1],
    "all but the first removed": lambda lines: lines[:1],
    "all removed": lambda lines: [],
    "two lines exchanged": lambda lines: [lines[1], lines[0], *lines[2:]],
    "a line put in": lambda lines: [*lines[:3], lines[1], *lines[3:]],
    "the last line changed": lambda lines: [*lines[:-1], lines[-1].replace('"rows": 5', '"rows": 9')],
    "no JSON": lambda lines: [*lines[:2], "oops", *lines[2:]],
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_chain_detects(name: str, log: Path) -> None:
    file = log / "audit.jsonl"
    before = file.read_text(encoding="utf-8").splitlines()
    after = TAMPERINGS[name](before)
    assert after != before
    file.write_text("".join(line + "\n" for line in after), encoding="utf-8")
    assert audit.verify(log)
    audit.record(log, "person0", "sign_out")
    assert audit.verify(log), "writing on hides nothing"


def test_the_command_says_whether_it_is_whole(log: Path) -> None:
    def verify() -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "etl", "audit", "verify", "--from", str(log)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert verify().returncode == 0
    lines = (log / "audit.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (log / "audit.jsonl").write_text("".join(lines[:3] + lines[4:]), encoding="utf-8")
    broken = verify()
    assert broken.returncode == 1
    assert "line 4" in broken.stderr


WRITING = """
import sys
from pathlib import Path
from etl.operations import audit

print("ready", flush=True)
sys.stdin.readline()
for _ in range(25):
    audit.record(Path(sys.argv[1]), "someone", "sign_in")
"""


@pytest.mark.slow
def test_processes_side_by_side_write_one_chain(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITING, str(tmp_path)]
    piped: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen(words, cwd=ROOT, **piped) for _ in range(4)]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    assert audit.verify(tmp_path) == []
    assert len(audit.events(tmp_path)) == 100


def test_the_log_accepts_no_value_name_or_address(tmp_path: Path) -> None:
    for event, more in (
        ("export", {"value": 12}),
        ("export", {"metric": "https://host/?institute=1"}),
        ("export", {"metric": "علی احمدی"} | {"address": "x"}),
        ("export", {"metric": "a\nb"}),
        ("gossip", {}),
    ):
        with pytest.raises(ValueError, match="audit"):
            audit.record(tmp_path, "x", event, **more)  # type: ignore[arg-type]
    assert audit.events(tmp_path) == []


def test_the_log_is_read_from_its_end_and_only_its_owner_can_read_it(log: Path) -> None:
    audit.record(log, "person1", "sign_out")
    events = audit.events(log)
    assert [event.event for event in events] == ["sign_out", *["export"] * 6]
    assert [event.more["rows"] for event in events[1:]] == [5, 4, 3, 2, 1, 0]
    assert (log / "audit.jsonl").stat().st_mode & 0o077 == 0
    entry = json.loads((log / "audit.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert entry.keys() == {"number", "at", "sub", "event", "metric", "form", "rows", "before"}


def test_syslog_gets_each_line_and_its_failure_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a web process.
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())
    logs.keep_users_out()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(60)
        monkeypatch.setenv("AUDIT_SYSLOG", f"127.0.0.1:{listening.getsockname()[1]}")
        audit.record(tmp_path, "someone", "sign_in", role="province")
        line = (tmp_path / "audit.jsonl").read_text(encoding="utf-8").rstrip("\n")
        assert listening.recv(8192).decode().strip("\x00") == f"<86>policeyar: {line}"
    for dead in ("/dev/no-such-log", "127.0.0.1:1", "nonsense:port"):
        monkeypatch.setenv("AUDIT_SYSLOG", dead)
        audit.record(tmp_path, "someone", "sign_out")
    assert len(audit.events(tmp_path)) == 4
    assert audit.verify(tmp_path) == []


@pytest.mark.slow
def test_commands_are_logged_when_sign_in_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = str(tmp_path / "warehouse" / "warehouse.duckdb")

    def run(*words: str, mode: str = "proxy") -> int:
        signing = {"MODE": mode, "ACCESS": str(tmp_path / "any"), "SECRETS": str(tmp_path / "any")}
        more = {f"POLICEYAR_SIGN_IN_{name}": value for name, value in signing.items()}
        command = [sys.executable, "-m", "etl", *words]
        environment = os.environ | more | {"AUDIT": str(tmp_path / "audit"), "WAREHOUSE": pointer}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).returncode

    (tmp_path / "any").touch()
    (tmp_path / "empty").mkdir()
    copied_files = tmp_path / "again"
    shutil.copytree(ROOT / "tests" / "sample", copied_files)
    with (copied_files / "training.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert run("build", "tests/sample", "--to", pointer, mode="open") == 0
    assert run("check", str(copied_files)) == 0
    assert not (tmp_path / "audit").exists()
    assert run("build", str(copied_files), "--to", pointer) == 0
    assert run("build", str(copied_files), "--to", pointer) == 0
    assert run("build", str(tmp_path / "empty"), "--to", pointer) == 1
    assert run("rollback", "--from", pointer) == 0
    events = [(event.event, event.more) for event in audit.events(tmp_path / "audit")][::-1]
    with (copied_files / "training.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = len(list(csv.DictReader(file)))
    assert events == [
        ("file_submitted", {"publication": "000002", "files": 1, "rows": rows}),
        ("load_approved", {"publication": "000002"}),
        ("load_approved", {"publication": "000003"}),
        ("load_refused", {}),
        ("rollback", {"publication": "000002"}),
    ]
    assert {event.sub for event in audit.events(tmp_path / "audit")} == {f"server:{getpass.getuser()}"}


def test_the_page_shows_it_to_stewards_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in = user.SignIn(lambda: ADMINISTRATOR, lambda *_: "", lambda *_, **__: None, lambda: ([], ["broken"]))
    with pytest.raises(user.AccessDenied):
        user.events()
    monkeypatch.setattr(user, "_sign_in", sign_in)
    for scope in (OF_TEHRAN, NATIONAL, NONE):
        with user.acting_as(scope), pytest.raises(user.AccessDenied):
            user.events()
    assert user.events() == ([], ["broken"])


@pytest.mark.slow
def test_displayed_rows_of_people_are_logged_once_per_view(
    small_register: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((code,),) = con.execute(
        "select any_value(institute_code) from spells where province = $1 and left_on is null", [TEHRAN]
    ).fetchall()
    events: list[tuple[str, str, dict[str, str]]] = []
    record = lambda sub, event, **more: events.append((sub, event, more))  # noqa: E731
    monkeypatch.setattr(user, "_sign_in", user.SignIn(lambda: OF_TEHRAN, lambda *_: "", record, lambda: ([], [])))
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setenv("DETAIL_ROWS", "1")
    app = AppTest.from_string(SCRIPT, default_timeout=120)
    app._page_hash, tab = opening("register")
    for name, value in {**tab, "institute": code}.items():
        app.query_params[name] = value
    app.run().run()
    assert not app.exception
    publication = publications.describe(con).id
    details = {"publication": publication, "role": "province", "provinces": TEHRAN}
    assert events == [("tehran.officer", "detail", details)]


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_every_event_and_detail_has_a_word(lang: str) -> None:
    assert all(text.word(f"audit.is_{event}", lang) for event in audit.EVENTS)
    assert all(text.word(f"audit.of_{name}", lang) for name in audit.FIELDS)


@pytest.mark.parametrize(
    ("lang", "event", "details"),
    [
        ("en", "File submitted", "files: 2, rows: 40, publication: 000001"),
        ("fa", "ارسال فایل", "فایل: ۲، سطر: ۴۰، انتشار: 000001"),
    ],
)
def test_the_page_says_how_many_files_were_submitted(lang: str, event: str, details: str, tmp_path: Path) -> None:
    audit.record(tmp_path, "server:operator", "file_submitted", files=2, rows=40, publication="000001")
    (submitted,) = audit.events(tmp_path)
    view = cast(PageContext, SimpleNamespace(lang=lang, word=partial(text.word, lang=lang)))
    cells = {column.name: column.cell(submitted) for column in audit_log._columns(view)}
    assert cells["event"] == f"<bdi>{event}</bdi>"
    assert cells["more"] == f"<bdi>{details}</bdi>"
