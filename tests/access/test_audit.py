"""The audit log says who did what and nothing more; a changed, removed, inserted or cut line is detected."""

import csv
import json
import logging
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.cli import commands
from etl.core import settings
from etl.core.errors import AccessDenied, Refused
from etl.core.paths import ROOT
from etl.operations import audit, hash_chain, replicas, stores
from etl.operations import commands as operations
from etl.operations.audit import Event, Verified
from etl.semantic.catalog import catalogue
from etl.semantic.rights import ADMINISTRATOR, ROLES, WHOLE_COUNTRY, AccessScope, Grant
from etl.warehouse import publications
from tests.access.scopes import NATIONAL, NONE, OF_TEHRAN, TEHRAN, sign_in
from tests.effort import draws
from tests.loading import called, load
from tests.parts import SCRIPT, opening
from ui.briefing import command
from ui.data import page_run
from ui.exports.job import noted
from ui.follow.command import parser
from ui.i18n import text
from ui.sections import audit_log
from ui.shell import gate, logs
from ui.state.page_context import PageContext
from ui.state.scope import Scope


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for number in range(6):
        audit.record(tmp_path, f"person{number % 2}", "export", metric="leavers", form="csv", rows=number)
    assert audit.verify(tmp_path) == ""
    return tmp_path


def file_of(folder: Path) -> Path:
    (file,) = folder.glob("audit-*.jsonl")
    return file


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
    file = file_of(log)
    before = file.read_text(encoding="utf-8").splitlines()
    after = TAMPERINGS[name](before)
    assert after != before
    file.write_text("".join(line + "\n" for line in after), encoding="utf-8")
    assert audit.verify(log)
    audit.record(log, "person0", "sign_out")
    assert audit.verify(log), "writing on hides nothing"


def test_the_command_says_whether_it_is_whole(log: Path) -> None:
    def verify() -> subprocess.CompletedProcess[str]:
        return called("audit", "verify", "--from", str(log))

    assert verify().returncode == 0
    lines = (file_of(log)).read_text(encoding="utf-8").splitlines(keepends=True)
    (file_of(log)).write_text("".join(lines[:3] + lines[4:]), encoding="utf-8")
    broken = verify()
    assert broken.returncode == 1
    assert "line 4" in broken.stderr


# ------------------------------------------------------------------ against the host itself


@pytest.fixture
def first_key(log: Path) -> str:
    return audit.take_first_key(log)


def rewritten(lines: list[str], key: str, chain: str) -> list[str]:
    """The lines with one less, and hashes, numbers and codes computed anew under the only key that the host still has."""
    before, written = "0" * 64, []
    for number, line in enumerate(lines[1:], 1):
        entry = json.loads(line) | {"number": number, "chain": chain, "before": before}
        entry.pop("code")
        written.append(hash_chain.sealed(key, json.dumps(entry, ensure_ascii=False)[:-1]))
        before, key = hash_chain.digest(written[-1]), hash_chain.next_key(key)
    return written


def by_the_host(log: Path, way: str) -> None:
    """What an intruder with the account of the dashboard does, who knows the program and every file of the host."""
    file, head = file_of(log), log / "head.json"
    lines, noted = file.read_text(encoding="utf-8").splitlines(), json.loads(head.read_text(encoding="utf-8"))
    if way == "emptied":
        file.unlink()
        head.unlink()
        return
    kept = {
        "changed": [with_one_row_less(line) for line in lines],
        "removed": lines[:2] + lines[3:],
        "shortened": lines[:4],
        "rewritten": rewritten(lines, noted["key"], noted["chain"]),
        "more in the last line": [*lines[:-1], lines[-1][:-1] + ', "rows": 9}'],
    }[way]
    file.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
    noted |= {"number": len(kept), "hash": hash_chain.digest(kept[-1]), "size": file.stat().st_size}
    head.write_text(json.dumps(noted), encoding="utf-8")


@pytest.mark.parametrize("way", ["changed", "removed", "emptied", "shortened", "rewritten", "more in the last line"])
def test_who_has_the_first_key_notices_what_the_host_did_to_its_log(way: str, log: Path, first_key: str) -> None:
    assert audit.verify(log, first_key) == ""
    by_the_host(log, way)
    assert audit.verify(log, first_key)
    audit.record(log, "person0", "sign_out")
    assert audit.verify(log, first_key), "writing on hides nothing"


def test_lines_of_another_host_are_noticed(log: Path, first_key: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    audit.record(other, "person0", "sign_out")
    assert "no log of this key" in audit.verify(other, first_key)
    # Under the name of ours.
    file_of(log).write_text(file_of(other).read_text(encoding="utf-8"), encoding="utf-8")
    assert "of another host" in audit.verify(log, first_key)


def test_the_command_finds_it_on_another_host_with_key_and_journal(
    log: Path, first_key: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = tmp_path_factory.mktemp("verifier")
    (away / "key").write_text(first_key + "\n")
    backup = (log / "head.json").read_bytes()
    lines = file_of(log).read_bytes()
    audit.record(log, "person1", "sign_out")
    noted = ["Nov 28 host policeyar-audit: " + line for line in file_of(log).read_text(encoding="utf-8").splitlines()]
    (away / "journal").write_text("other lines\n" + "\n".join(noted), encoding="utf-8")

    def verify(*words: str) -> subprocess.CompletedProcess[str]:
        where = ("--from", str(away / "log"), "--key", str(away / "key"))
        return called("audit", "verify", *where, *words)

    shutil.copytree(log, away / "log")
    assert verify("--noted", str(away / "journal")).stdout == "the audit log is whole\n"
    # As an intruder who read an older key in a copy of the whole folder: only the journal shows it.
    file_of(away / "log").write_bytes(lines)
    (away / "log" / "head.json").write_bytes(backup)
    assert verify().returncode == 0
    shortened = verify("--noted", str(away / "journal"))
    assert (shortened.returncode, shortened.stderr) == (
        1, "the end of the log is missing: it ends with line 6, and later lines were noted outside of this host\n",
    )  # fmt: skip
    # Written on, it has as many lines as were noted.
    audit.record(away / "log", "person1", "sign_in")
    assert verify().returncode == 0
    with (away / "journal").open("a", encoding="utf-8") as journal:
        journal.write("\n" + file_of(away / "log").read_text(encoding="utf-8").splitlines()[-1])
    set_back = verify("--noted", str(away / "journal"))
    assert (set_back.returncode, set_back.stderr) == (
        1, "line 7 was noted outside of this host with two codes: the log was set back and written on\n",
    )  # fmt: skip


def test_a_head_that_is_gone_is_a_restore_or_a_cut_by_what_was_noted(log: Path, first_key: str) -> None:
    lines = file_of(log).read_text(encoding="utf-8").splitlines()
    noted = audit.codes_noted(lines, first_key)
    (log / "head.json").unlink()
    # What is logged after a restore begins a chain of its own.
    audit.record(log, "person0", "sign_in")
    (restored,) = log.glob(f"audit-*{hash_chain.chain_of(first_key)}.jsonl")
    assert audit.verify(log, first_key).startswith("the note of the end is missing")
    assert audit.verify(log, first_key, noted) == ""
    restored.write_text("".join(f"{line}\n" for line in lines[:4]), encoding="utf-8")
    assert audit.verify(log, first_key, noted).startswith("the end of the log is missing: it ends with line 4")


def test_the_first_key_is_given_once_and_no_old_key_is_kept(log: Path, first_key: str) -> None:
    with pytest.raises(FileNotFoundError):
        audit.take_first_key(log)
    kept = "".join(path.read_text(encoding="utf-8") for path in log.iterdir())
    key = first_key
    for _ in range(6):
        assert key not in kept
        key = hash_chain.next_key(key)
    assert key in (log / "head.json").read_text(encoding="utf-8")
    assert (log / "head.json").stat().st_mode & 0o077 == 0


def test_a_new_month_has_a_file_of_its_own_and_carries_the_chain_on(
    log: Path, first_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(audit.datetime):  # type: ignore[name-defined, misc]
        @classmethod
        def now(cls, zone: Any = None) -> Any:
            return audit.datetime.fromisoformat("2099-01-31T10:00:00+00:00")

    (before,) = log.glob("audit-*")
    with monkeypatch.context() as patch:
        patch.setattr(audit, "datetime", Later)
        audit.record(log, "person0", "sign_in")
    # A clock that is right again names no later file after the wrong month.
    for event in ("sign_out", "sign_in"):
        audit.record(log, "person0", event)
    with monkeypatch.context() as patch:
        patch.setattr(audit, "datetime", Later)
        audit.record(log, "person0", "sign_out")
    assert audit.verify(log, first_key) == ""
    month, chain = before.name[len("audit-") :][:7], hash_chain.chain_of(first_key)
    lines = {path.name: len(path.read_text().splitlines()) for path in log.glob("audit-*")}
    assert lines == {
        f"audit-{month}-{chain}.jsonl": 6, f"audit-2099-01-{chain}.jsonl": 1,
        f"audit-{month}.8-{chain}.jsonl": 2, f"audit-2099-01.10-{chain}.jsonl": 1,
    }  # fmt: skip
    assert [event.event for event in audit.events(log)] == ["sign_out", "sign_in", "sign_out", "sign_in"] + 6 * [
        "export"
    ]
    # A crash before the head was written.
    head = (log / "head.json").read_bytes()
    audit.record(log, "person1", "sign_in")
    (log / "head.json").write_bytes(head)
    audit.record(log, "person1", "sign_out")
    assert audit.verify(log, first_key) == ""
    before.unlink()
    assert audit.verify(log, first_key)


def test_a_full_disk_is_a_fault_before_anybody_signs_in(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        config = replace(settings.Settings(), folders=settings.Folders(audit=disk / "audit"))
        (log,) = (one for one in stores.STORES if one.name == audit.STORE)
        audit.record(disk / "audit", "x", "sign_in")
        audit.take_first_key(disk / "audit")
        assert audit.faults(disk / "audit") == []
        with (disk / "full").open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        assert str(log.fault(config)).startswith("[Errno 28] No space left")
        with pytest.raises(OSError, match="No space left"):
            audit.record(disk / "audit", "x" * 9000, "sign_in")
        (disk / "full").unlink()
        assert log.fault(config) is None
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_line_that_a_crash_cut_is_taken_back_and_those_without_their_head_are_kept(log: Path, first_key: str) -> None:
    head = (log / "head.json").read_bytes()
    for _ in range(2):
        audit.record(log, "person0", "sign_in")
    whole = file_of(log).read_bytes()
    (log / "head.json").write_bytes(head)
    assert audit.verify(log, first_key) == "", "its head is to follow"
    audit.record(log, "person0", "sign_out")
    assert audit.verify(log, first_key) == ""
    assert [event.event for event in audit.events(log)[:3]] == ["sign_out", "sign_in", "sign_in"]
    with file_of(log).open("ab") as file:
        file.write(whole[-40:-20])
    audit.record(log, "person0", "sign_in")
    assert audit.verify(log, first_key) == ""
    assert len(audit.events(log)) == 10


@pytest.mark.parametrize("fails", ["write", "fsync", "replace"])
def test_a_line_that_cannot_be_written_leaves_the_log_as_it_was(
    fails: str, log: Path, first_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file_of(log).read_bytes()

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, fails, full)
        with pytest.raises(OSError, match="space"):
            audit.record(log, "person0", "sign_in")
    assert file_of(log).read_bytes() == before
    audit.record(log, "person0", "sign_in")
    assert audit.verify(log, first_key) == ""


def test_a_log_of_many_lines_is_verified_and_shown_without_being_held(tmp_path: Path) -> None:
    """The chain of 20,000 lines, written as `record` does but at once."""
    audit.record(tmp_path, "x", "sign_in")
    head = json.loads((tmp_path / "head.json").read_text(encoding="utf-8"))
    first_key, entry = audit.take_first_key(tmp_path), json.loads(file_of(tmp_path).read_text(encoding="utf-8"))
    entry.pop("code")
    with file_of(tmp_path).open("a", encoding="utf-8") as file:
        for number in range(2, 20_001):
            entry |= {"number": number, "before": head["hash"]}
            line = hash_chain.sealed(head["key"], json.dumps(entry)[:-1])
            file.write(line + "\n")
            head |= {"number": number, "hash": hash_chain.digest(line), "key": hash_chain.next_key(head["key"])}
    head["size"] = file_of(tmp_path).stat().st_size
    (tmp_path / "head.json").write_text(json.dumps(head), encoding="utf-8")
    tracemalloc.start()
    assert audit.verify(tmp_path, first_key) == ""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < file_of(tmp_path).stat().st_size / 20
    assert len(audit.events(tmp_path)) == 500


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for another account")
def test_what_root_logs_belongs_to_the_account_which_has_to_write_on(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    audit.record(tmp_path, "server:root", "rollback", publication="000001")
    owners = {path.name: path.stat().st_uid for path in tmp_path.iterdir()}
    assert "lock" in owners
    assert set(owners.values()) == {65534}, owners


def test_settings_are_logged_by_their_names(tmp_path: Path) -> None:
    for digests in ({"a": "1", "b": "1"}, {"a": "1", "b": "1"}, {"a": "2", "c": "1"}):
        audit.record_settings(tmp_path, digests)
    assert [event.more for event in audit.events(tmp_path)][::-1] == [{"setting": name} for name in ("a", "b", "c")]


# ------------------------------------------------------------------ killed at any moment

KILLED = """
import itertools, os, random, signal, sys, time
from pathlib import Path
from etl.operations import audit
from ui.access.sessions import Offer, Session, Sessions
from etl.warehouse import publications

folder, pointer, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
log, ids, first_key = folder / "audit", [path.stem for path in publications.versions(pointer)], ""

def act(run):
    sessions = Sessions(folder / "sessions.sqlite")
    for number in itertools.count():
        name, note = f"{run}.{number}", lambda event, **more: audit.record(log, name, event, **more)
        sessions.admit(Session(name, name, 0.0, 9e9), 100.0, lambda: note("sign_in"))
        token = sessions.offer(Offer(name, folder / "none", name, "{}"), 100.0)
        if sessions.take(token, name, 100.0, lambda _: note("export")):
            (folder / f"export.{name}").touch()
        publications.roll_back(pointer, random.choice(ids), lambda shown: note("rollback", publication=shown))
        (folder / f"rollback.{name}").touch()

for run in range(kills):
    child = os.fork()
    if not child:
        act(run)
    # Every kind of act is done once.
    while not run and not list(folder.glob("rollback.*")):
        time.sleep(0.1)
    time.sleep(random.uniform(0.0, 0.5))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    first_key = first_key or audit.take_first_key(log)
    fault = audit.verify(log, first_key)
    assert not fault, fault
"""


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_the_log_whole_and_nothing_unlogged(
    tmp_path: Path, small_register: Path
) -> None:
    pointer = tmp_path / "warehouse.duckdb"
    for number in range(1, 5):
        with publications.building(pointer) as folder:
            shutil.copyfile(publications.current(small_register), folder / "built")
            publications.adopt(folder / "built", f"{number:06}.duckdb", pointer)
    words = [sys.executable, "-c", KILLED, str(tmp_path), str(pointer), str(draws(6, 200))]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    entries = [json.loads(line) for path in (tmp_path / "audit").glob("audit-*") for line in path.open()]
    logged = {(entry["event"], entry["sub"]) for entry in entries}
    done = {tuple(path.name.split(".", 1)) for name in ("export", "rollback") for path in tmp_path.glob(f"{name}.*")}
    with sqlite3.connect(tmp_path / "sessions.sqlite") as stored:
        done |= {("sign_in", sub) for (sub,) in stored.execute("select sub from sessions")}
    assert {event for event, _ in done} == {"sign_in", "export", "rollback"}
    assert done <= logged
    shown = [entry["publication"] for entry in entries if entry["event"] == "rollback"]
    assert publications.current(pointer).stem in shown[-2:]


# ------------------------------------------------------------------ processes


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
        writer.communicate(timeout=180)
    assert audit.verify(tmp_path) == ""
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


def test_a_code_with_any_signs_is_a_field(tmp_path: Path) -> None:
    for code in ("12/345", 'a|b"c', "line\nbreak", "\u2028", "=1+1", "الف-۱۲"):
        audit.record(tmp_path, code, "detail", institute=audit.plain(code))
    events = audit.events(tmp_path)[::-1]
    assert [event.more["institute"] for event in events[:3]] == ["12U+002F345", "aU+007CbU+0022c", "lineU+000Abreak"]
    assert events[1].sub == 'a|b"c'
    assert len(events) == 6
    assert audit.verify(tmp_path) == ""


def test_the_log_is_read_from_its_end_and_only_its_owner_can_read_it(log: Path) -> None:
    audit.record(log, "person1", "sign_out")
    events = audit.events(log)
    assert [event.event for event in events] == ["sign_out", *["export"] * 6]
    assert [event.more["rows"] for event in events[1:]] == [5, 4, 3, 2, 1, 0]
    assert (file_of(log)).stat().st_mode & 0o077 == 0
    entry = json.loads((file_of(log)).read_text(encoding="utf-8").splitlines()[0])
    assert entry.keys() == {"chain", "number", "at", "sub", "event", "metric", "form", "rows", "before", "code"}


def test_the_journal_gets_number_and_code_of_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDIT_SYSLOG", raising=False)
    monkeypatch.setattr(audit, "JOURNAL", tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.settimeout(180)
        audit.record(tmp_path / "audit", "someone", "sign_in")
        line = json.loads(file_of(tmp_path / "audit").read_text(encoding="utf-8"))
        said = listening.recv(8192).decode()
    assert json.loads(said.removeprefix("<86>policeyar-audit: ")) == {
        name: line[name] for name in ("chain", "number", "code")
    }
    first_key = audit.take_first_key(tmp_path / "audit")
    assert audit.codes_noted([said], first_key) == {1: line["code"]}


def test_syslog_by_tcp_frames_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(180)
        monkeypatch.setenv("AUDIT_SYSLOG", f"tcp://127.0.0.1:{listening.getsockname()[1]}")
        audit.record(tmp_path, "someone", "sign_in")
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as read:
            length, _, message = read.read().partition(b" ")
    assert int(length) == len(message)
    assert message.endswith(file_of(tmp_path).read_bytes().rstrip())


def test_syslog_gets_each_line_and_its_failure_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a web process.
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())
    logs.keep_users_out()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(180)
        port = listening.getsockname()[1]
        monkeypatch.setenv("AUDIT_SYSLOG", f"127.0.0.1:{listening.getsockname()[1]}")
        audit.record(tmp_path, "someone", "sign_in", role="province")
        line = file_of(tmp_path).read_text(encoding="utf-8").rstrip("\n")
        assert listening.recv(8192).decode().strip("\x00") == f"<86>policeyar-audit: {line}"
    assert audit.unsent(tmp_path) == ""
    for dead in ("/dev/no-such-log", "tcp://127.0.0.1:1", "tls://127.0.0.1:1", "nonsense:port"):
        monkeypatch.setenv("AUDIT_SYSLOG", dead)
        audit.record(tmp_path, "someone", "sign_out")
        assert "sent outside" in audit.unsent(tmp_path)
        monkeypatch.setenv("AUDIT_SYSLOG", f"127.0.0.1:{port}")
        audit.faults(tmp_path)
        assert audit.unsent(tmp_path) == ""
    assert len(audit.events(tmp_path)) == 5
    assert audit.verify(tmp_path) == ""


@pytest.mark.slow
def test_commands_are_logged_when_sign_in_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pointer = tmp_path / "warehouse" / "warehouse.duckdb"
    signing = {"MODE": "open", "ACCESS": tmp_path / "any", "SECRETS": tmp_path / "any"}
    places = {f"POLICEYAR_SIGN_IN_{name}": value for name, value in signing.items()}
    for name, value in (places | {"AUDIT": tmp_path / "audit", "WAREHOUSE": pointer}).items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "any").touch()
    (tmp_path / "empty").mkdir()
    files, copied_files = tmp_path / "files", tmp_path / "again"
    for folder in (files, copied_files):
        shutil.copytree(ROOT / "tests" / "sample", folder)
    with (copied_files / "training.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert load(files, to=pointer).code == 0
    monkeypatch.setenv("POLICEYAR_SIGN_IN_MODE", "proxy")
    assert load(copied_files, to=pointer, command="check").code == 0
    assert not (tmp_path / "audit").exists()
    assert [load(folder, to=pointer).code for folder in (copied_files, copied_files, tmp_path / "empty")] == [0, 0, 1]
    assert commands.main(["rollback", "--from", str(pointer)]) == 0
    assert commands.main(["rollback", "000009", "--from", str(pointer)]) == 1
    rejected = tmp_path / "rejected.csv"
    assert commands.main(["quarantine", "--from", str(pointer), "--to", str(rejected)]) == 0
    assert commands.main(["returns", str(files), "--to", str(tmp_path / "returns")]) == 0
    events = [(event.event, event.more) for event in audit.events(tmp_path / "audit")][::-1]
    with (copied_files / "training.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = len(list(csv.DictReader(file)))
    assert events == [
        ("file_submitted", {"publication": "000002", "files": 1, "rows": rows}),
        ("load_approved", {"publication": "000002"}),
        ("load_approved", {"publication": "000003"}),
        ("load_refused", {}),
        ("rollback", {"publication": "000002"}),
        ("rollback_refused", {}),
        ("quarantine", {"rows": len(rejected.read_text(encoding="utf-8-sig").splitlines()) - 1}),
        ("quarantine", {}),
    ]
    assert {event.sub for event in audit.events(tmp_path / "audit")} == {f"server:{pwd.getpwuid(os.geteuid()).pw_name}"}


def test_what_moves_whole_publications_is_logged_with_the_account_or_not_done(
    small_register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    somebody = next(one for one in pwd.getpwall() if one.pw_uid != os.geteuid())
    (tmp_path / "loginuid").write_text(str(somebody.pw_uid))
    monkeypatch.setattr(operations, "_LOGIN_UID", tmp_path / "loginuid")
    ended: list[str] = []
    run = lambda words, **_: ended.append(words[-1]) or SimpleNamespace(returncode=0)  # type: ignore[func-returns-value] # noqa: E731
    monkeypatch.setattr(operations, "subprocess", SimpleNamespace(run=run))
    offer, pointer, pulled, archive = (tmp_path / name for name in ("offer", "shown.duckdb", "pulled.duckdb", "a.tar"))
    (tmp_path / "any").touch()
    (tmp_path / "incoming").mkdir()
    signing = {"MODE": "proxy", "ACCESS": tmp_path / "any", "SECRETS": tmp_path / "any"}
    places = {f"POLICEYAR_SIGN_IN_{name}": value for name, value in signing.items()}
    places |= {name: tmp_path / name.lower() for name in ("AUDIT", "VIEWS", "SUBMISSIONS", "INCOMING", "BACKUPS")}
    for name, value in (places | {"WAREHOUSE": pointer, "IDENTITY_KEY_FILE": tmp_path / "key"}).items():
        monkeypatch.setenv(name, str(value))
    replicas.offer(small_register, offer)
    # Each command, and what shows that it was done.
    acts: list[tuple[list[str], Callable[[], object]]] = [
        (["accept", str(offer), "--to", str(pointer)], pointer.exists),
        (["backup", "--to", str(archive)], archive.exists),
        (["restore", str(archive)], pointer.exists),
        (["sessions", "end", "isfahan.officer"], lambda: ended),
    ]
    if shutil.which("rsync"):
        acts.append((["pull", str(offer), "--to", str(pulled)], pulled.exists))
    shown, by = publications.current(small_register).stem, f"server:{pwd.getpwuid(os.geteuid()).pw_name}"
    for words, is_done in acts:
        if words[0] == "restore":
            # On a host without anything.
            pointer.unlink()
            shutil.rmtree(f"{pointer}.publications")
            shutil.rmtree(tmp_path / "audit")
        with monkeypatch.context() as patch:
            patch.setattr(audit, "_replace", _full)
            assert commands.main(words) == 1, words
        assert "the audit log cannot be written (No space left on device): nothing was done" in capsys.readouterr().err
        assert not is_done(), words
        assert commands.main(words) == 0, (words, capsys.readouterr().err)
        assert is_done(), words
        expected: dict[str, Any] = {"account": somebody.pw_name}
        expected |= {"publication": shown} if words[0] in ("accept", "pull") else {}
        about = (by, words[0]) if words[0] != "sessions" else ("isfahan.officer", "sessions_ended")
        # A restored log is beside the new one.
        logged = [(event.sub, event.event, event.more) for event in audit.events(tmp_path / "audit")]
        assert (*about, expected) in logged, words


def _full(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def test_the_page_shows_it_to_stewards_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in = page_run.SignIn(
        lambda: ADMINISTRATOR, lambda *_: "", lambda *_, **__: None, lambda: ([], Verified("2026-11-28T10:00", False))
    )
    with pytest.raises(AccessDenied):
        page_run.audit_events()
    monkeypatch.setattr(page_run, "_sign_in", sign_in)
    for scope in (OF_TEHRAN, NATIONAL, NONE):
        with page_run.acting_as(scope), pytest.raises(AccessDenied):
            page_run.audit_events()
    assert page_run.audit_events() == ([], Verified("2026-11-28T10:00", False))


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_more_than_12_files_for_circulation_of_a_measure_in_a_day_are_said(
    lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(day: str, metric: str, times: int, event: str = "export", **more: str | int) -> list[Event]:
        return [Event(f"{day}T10:{at:02}", "isfahan.officer", event, {"metric": metric} | more) for at in range(times)]

    shown = [
        *taken("2026-11-28", "active_assistants,in_service", 12, circulation=1),
        *taken("2026-11-28", "active_assistants", 1, circulation=1),
        # Of another day, not for circulation, and no files.
        *taken("2026-11-29", "in_service", 1, circulation=1),
        *taken("2026-11-28", "in_service", 9),
        *taken("2026-11-28", "in_service", 9, "refused", circulation=1),
    ]
    notes: list[str] = []
    monkeypatch.setattr(audit_log.blocks, "note", lambda words, **_: notes.append(words))
    view = cast(PageContext, SimpleNamespace(lang=lang, word=partial(text.word, lang=lang)))
    audit_log.overlapping(view, shown)
    values = {"day": text.day(date(2026, 11, 28), lang), "count": text.number(13, lang)}
    measure = catalogue()["active_assistants"].label[lang]
    who = text.isolated("isfahan.officer", lang)
    assert notes == [text.word("audit.overlapping", lang, who=who, measure=measure, **values)]


def test_a_file_of_many_measures_counts_for_each(tmp_path: Path) -> None:
    answer: Any = SimpleNamespace(measures=[*catalogue()], publication=SimpleNamespace(id="000001"))
    details = noted(answer, "xlsx", 5, circulation=True)
    shown = [Event("2026-11-28T10:00", "isfahan.officer", "export", details)] * (audit.MOST_CIRCULATED + 1)
    assert {often.metric for often in audit.circulated_often(shown)} == catalogue().keys()
    audit.record(tmp_path, "isfahan.officer", "export", **details)


@pytest.mark.slow
def test_displayed_rows_of_people_are_logged_once_per_view(
    small_register: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((code,),) = con.execute(
        "select any_value(institute_code) from spells where province = $1 and left_on is null", [TEHRAN]
    ).fetchall()
    events: list[tuple[str, str, dict[str, Any]]] = []
    record = lambda sub, event, **more: events.append((sub, event, more))  # noqa: E731
    sign_in(monkeypatch, OF_TEHRAN, record)
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    monkeypatch.setenv("DETAIL_ROWS", "1")
    app = AppTest.from_string(SCRIPT, default_timeout=300)
    app._page_hash, tab = opening("register")
    for name, value in {**tab, "institute": code}.items():
        app.query_params[name] = value
    app.run().run()
    assert not app.exception
    publication = publications.describe(con).id
    ((_, _, details),) = events
    assert 0 < details.pop("rows") < 200
    rights = {"role": "province", "provinces": TEHRAN}
    assert events == [("tehran.officer", "detail", {"publication": publication, "institute": code} | rights)]


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_every_event_and_detail_has_a_word(lang: str) -> None:
    assert all(text.word(f"audit.is_{event}", lang) for event in audit.EVENTS)
    assert all(text.word(f"audit.of_{name}", lang) for name in audit.FIELDS)


@pytest.mark.parametrize(
    ("lang", "event", "details"),
    [
        ("en", "File submitted", 'files: 2, rows: 40, publication: <bdi class="pd-latin">000001</bdi>'),
        ("fa", "ارسال فایل", 'فایل: ۲، رکورد: ۴۰، انتشار: <bdi class="pd-latin">000001</bdi>'),
    ],
)
def test_the_page_says_how_many_files_were_submitted(lang: str, event: str, details: str, tmp_path: Path) -> None:
    audit.record(tmp_path, "server:operator", "file_submitted", files=2, rows=40, publication="000001")
    (submitted,) = audit.events(tmp_path)
    view = cast(PageContext, SimpleNamespace(lang=lang, word=partial(text.word, lang=lang)))
    cells = {column.name: column.cell(submitted) for column in audit_log._columns(view)}
    assert cells["event"] == event
    assert cells["more"] == details


OF_TWO = Grant("submitter", frozenset({"IR-07", "IR-10"}))


@pytest.mark.parametrize(
    ("lang", "grant", "details"),
    [
        ("en", Grant("steward", WHOLE_COUNTRY), "role: steward, provinces: The whole country"),
        ("en", OF_TWO, "role: submitter, provinces: Fars, Isfahan"),
        ("fa", Grant("steward", WHOLE_COUNTRY), "نقش: مسئول داده، استان‌ها: کل کشور"),
        ("fa", OF_TWO, "نقش: ارسال‌کنندهٔ داده، استان‌ها: فارس، اصفهان"),
    ],
)
def test_the_page_says_roles_and_provinces_in_words(lang: str, grant: Grant, details: str) -> None:
    event = Event("2026-11-28T10:00", "ir-07", "sign_in", audit.rights(AccessScope("ir-07", frozenset({grant}))))
    view = cast(PageContext, SimpleNamespace(lang=lang, word=partial(text.word, lang=lang)))
    cells = {column.name: column.cell(event) for column in audit_log._columns(view)}
    assert cells["more"] == details
    assert cells["sub"] == '<bdi class="pd-latin">ir-07</bdi>'


def test_every_role_and_reason_of_a_refusal_has_its_word() -> None:
    whys = ("outside of the rights", "data address", "wrong token", "exact", *gate._WHY.values())
    for lang in text.LANGUAGES:
        view = cast(PageContext, SimpleNamespace(lang=lang, word=partial(text.word, lang=lang)))
        assert all(audit_log._in_words(view, "role", role) for role in ROLES)
        assert all(audit_log._in_words(view, "why", why) for why in whys)


OUTSIDE = """
from etl.core.errors import AccessDenied
from ui.components import blocks

with blocks.error_boundary("en", "institutes"):
    raise AccessDenied
"""


def test_an_attempt_in_a_page_at_what_is_outside_is_logged_once_for_a_view(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[tuple[str, str, dict[str, Any]]] = []
    record = lambda sub, event, **more: events.append((sub, event, more))  # noqa: E731
    sign_in(monkeypatch, OF_TEHRAN, record)
    app = AppTest.from_string(OUTSIDE)
    app.query_params["province"] = "IR-10"
    app.run().run()
    assert not app.exception
    why = {"why": "outside of the rights", "page": "institutes"}
    assert events == [("tehran.officer", "refused", why | audit.rights(OF_TEHRAN))]


def test_an_exact_briefing_is_logged_with_its_place_or_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, noted = [], []
    scope = Scope(date(2026, 6, 30), (("province", ("IR-11",)),))
    writer = SimpleNamespace(scope=scope, ask=SimpleNamespace(publication=SimpleNamespace(id="000007")))
    write = lambda _, to: written.append(to) or SimpleNamespace(file=to)  # type: ignore[func-returns-value] # noqa: E731
    press = cast(Any, SimpleNamespace(writer=lambda *_: writer, write=write))
    words = ["brief", "--province", "IR-11", "--to", str(tmp_path / "x.pdf")]

    def full(*_: str, **__: str) -> None:
        raise Refused("the audit log cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(command, "note", full)
        assert command._books(press, parser().parse_args([*words, "--exact"])) == 1
        assert written == []
    monkeypatch.setattr(command, "note", lambda event, **more: noted.append((event, more)))
    for exact in ([], ["--exact"]):
        assert command._books(press, parser().parse_args([*words, *exact])) == 0
    assert noted == [("export", {"form": "briefing", "why": "exact", "province": "IR-11", "publication": "000007"})]
