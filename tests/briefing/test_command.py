"""python -m pages brief: files, refusals in one sentence, books of all provinces, and what newly needs action to recipients."""

import email
import email.policy
import errno
import json
import os
import re
import resource
import shutil
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from etl.core.errors import Refused
from etl.semantic.rights import ADMINISTRATOR
from tests.conftest import ROOT
from tests.effort import thorough
from tests.loading import build, copy_publication
from ui.briefing import command, content, recipients, writing
from ui.exhibits import needs_action
from ui.i18n import member_names, text

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "tests" / "sample"


@pytest.fixture(scope="module")
def sparse(publish_sample) -> Path:
    """The hand-made sample: three provinces only."""
    return publish_sample().pointer


def brief(*words: object) -> int:
    return command.main(["brief", *map(str, words)])


def test_a_book_of_a_day_and_place_is_written_and_listed(pointer, tmp_path, capsys):
    assert brief("--from", pointer, "--province", "IR-11", "--on", "1404/12/29", "--lang", "en", "--to", tmp_path) == 0
    to = tmp_path / "briefing-IR-11-2026-03-20-en.pdf"
    assert to.read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().out == f"{to}\n"
    (book,) = writing.written()
    assert (book.file, book.place, book.day, book.lang, book.is_exact) == (str(to), "IR-11", "2026-03-20", "en", False)


def test_a_book_written_again_is_listed_once(pointer, tmp_path):
    for _ in range(2):
        assert brief("--from", pointer, "--to", tmp_path / "x.pdf", "--exact") == 0
    assert [book.is_exact for book in writing.written()] == [True]


@thorough
def test_every_province_has_its_book(pointer, tmp_path):
    assert brief("--from", pointer, "--all", "--to", tmp_path) == 0
    books = sorted(path.name.split("-2026")[0] for path in tmp_path.glob("*.pdf"))
    assert books == [f"briefing-{code}" for code in sorted(member_names.fixed("province", "fa"))]
    assert len(books) == 31


def test_provinces_without_data_do_not_stop_the_others(sparse, tmp_path, capsys):
    assert brief("--from", sparse, "--all", "--to", tmp_path) == 1
    places_written = {path.name[9:14] for path in tmp_path.glob("*.pdf")}
    errors = capsys.readouterr().err.splitlines()
    assert 0 < len(places_written) < 31
    assert {line[:5] for line in errors} == set(member_names.fixed("province", "fa")) - places_written
    assert all(
        line.endswith(("holds nothing on 2026-06-30", "nobody is in service on 2026-06-30")) or "on " in line
        for line in errors
    )


def test_a_nation_of_few_people_has_its_book(sparse, tmp_path, capsys):
    """For circulation no province has a coverage that may be told: the book is without a map."""
    for number, word in enumerate([(), ("--exact",)]):
        assert brief("--from", sparse, *word, "--to", tmp_path / f"{number}.pdf") == 0, capsys.readouterr().err


def test_a_book_that_fails_is_named_and_the_others_are_written(pointer, tmp_path, capsys, monkeypatch):
    made = content.book

    def book(write):
        if write.scope.province == "IR-17":
            raise IndexError("a row of somebody")
        return made(write)

    monkeypatch.setattr(content, "book", book)
    monkeypatch.setattr(member_names, "fixed", lambda *_: {"IR-16": "", "IR-17": "", "IR-18": ""})
    assert brief("--from", pointer, "--all", "--to", tmp_path) == 1
    assert sorted(path.name[9:14] for path in tmp_path.glob("*.pdf")) == ["IR-16", "IR-18"]
    error = capsys.readouterr().err
    assert re.fullmatch(r"IR-17: no book could be made \(IndexError in test_command.py, line \d+\)\n", error)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--on", "1380/01/01"), "the nation: nobody is in service on 2001-03-21"),
        (("--on", "1300/01/01", "--province", "IR-11"), "IR-11: the data holds nothing on 1921-03-21"),
        (("--on", "1410/01/01"), "the nation: 2031-03-21 lies after the latest day of the data, "),
    ],
)
def test_a_day_without_data_is_refused_in_one_sentence(pointer, tmp_path, capsys, words, message):
    assert brief("--from", pointer, *words, "--to", tmp_path / "x.pdf") == 1
    errors = capsys.readouterr().err
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert list(tmp_path.glob("*.pdf")) == []


@pytest.mark.parametrize(
    "words",
    [
        ("--province", "IR-99", "--to", "x"),
        ("--on", "1404/13/01", "--to", "x"),
        ("--all", "--province", "IR-11", "--to", "x"),
        ("--all", "--to", "x.pdf"),
        ("--changed",),
        ("--all", "--changed", "--to", "x"),
        (),
    ],
)
def test_invalid_arguments_are_a_usage_error(words, capsys):
    with pytest.raises(SystemExit) as raised:
        brief(*words)
    assert raised.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_unwritable_folder_gets_a_clear_error_and_leaves_nothing(pointer, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert brief("--from", pointer, "--province", "IR-17", "--to", tmp_path / "file" / "x.pdf") == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"{tmp_path}/file/x.pdf: cannot be written (")
    assert errors.count("\n") == 1
    assert writing.written() == []


def test_a_full_disk_leaves_the_old_book_and_no_part_of_the_new(pointer, tmp_path, capsys, monkeypatch):
    to = tmp_path / "x.pdf"
    to.write_bytes(b"old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing.os, "fsync", full)
    assert brief("--from", pointer, "--province", "IR-17", "--to", to) == 1
    assert capsys.readouterr().err == f"{to}: cannot be written (No space left on device)\n"
    assert to.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["x.pdf"]


def test_a_file_that_may_not_grow_is_not_left_in_part(tmp_path):
    """A real error of the file system in the middle of writing."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(Refused, match="cannot be written"):
            writing.save(tmp_path / "x.pdf", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- recipients


def recipients_file(folder: Path, *names: str, places: str = '["IR", "IR-23"]') -> Path:
    path = folder / "recipients.toml"
    recipient = '[[recipient]]\nname = "{0}"\nfolder = "{1}"\nplaces = {2}\n'
    path.write_text("".join(recipient.format(name, folder / name, places) for name in names), encoding="utf-8")
    return path


def brief_changed(pointer: Path, path: Path) -> int:
    return brief("--from", pointer, "--all", "--changed", "--recipients", path)


def more_to_do(publication: str = "000000") -> None:
    """The last run recorded an earlier publication in which less needed action."""
    state = writing.folder() / "recipients.json"
    records = json.loads(state.read_text(encoding="utf-8"))
    for briefing in records.values():
        briefing["publication"] = publication
        briefing["places"]["IR-23"] = dict.fromkeys(briefing["places"]["IR-23"], 0)
    state.write_text(json.dumps(records), encoding="utf-8")


def test_the_first_run_is_silent_and_the_same_publication_writes_nothing(pointer, tmp_path, capsys):
    path = recipients_file(tmp_path, "office")
    for _ in range(2):
        assert brief_changed(pointer, path) == 0
        assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "office").exists()


def test_the_same_publication_writes_nothing_whatever_was_noted_of_it(pointer, tmp_path, capsys):
    path = recipients_file(tmp_path, "office")
    brief_changed(pointer, path)
    more_to_do("000001")
    assert brief_changed(pointer, path) == 0
    assert capsys.readouterr() == ("", "")


def test_a_publication_with_nothing_new_writes_nothing(sparse, tmp_path, capsys):
    path = recipients_file(tmp_path, "office")
    pointer = copy_publication(sparse, tmp_path / "copied")
    noted = []
    for is_published_again in (False, True):
        if is_published_again:
            assert build(shutil.copytree(SAMPLE, tmp_path / "files"), to=pointer).code == 0
        assert brief_changed(pointer, path) == 0
        noted += json.loads((writing.folder() / "recipients.json").read_text(encoding="utf-8")).values()
    assert [one["publication"] for one in noted] == ["000001", "000002"]
    assert noted[0]["places"] == noted[1]["places"]
    assert noted[0]["places"]["IR"] != {}, "the province has too few people for anything to be told of it"
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "office").exists()


def test_books_are_sent_where_something_newly_needs_action(pointer, tmp_path, capsys):
    path = recipients_file(tmp_path, "office")
    brief_changed(pointer, path)
    more_to_do()
    assert brief_changed(pointer, path) == 0
    names = sorted(file.name for file in (tmp_path / "office").iterdir())
    assert names == [f"briefing-IR-23-{_as_of(pointer)}-fa.pdf", "new-000001-fa.txt"]
    lines = (tmp_path / "office" / "new-000001-fa.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "تهران"
    assert len(lines) > 1
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["office", "office"]
    # and once only
    assert brief_changed(pointer, path) == 0
    assert capsys.readouterr().out == ""


def test_an_item_that_moves_up_among_the_first_is_not_new(pointer, tmp_path, monkeypatch):
    path, noted = recipients_file(tmp_path, "office"), writing.folder() / "recipients.json"
    monkeypatch.setattr(needs_action, "MOST", 1)
    brief_changed(pointer, path)
    (briefing,) = records = [*json.loads(noted.read_text(encoding="utf-8")).values()]
    assert len(briefing["places"]["IR"]) > 1, "those that are not among the first are known too"
    more_to_do()
    earlier = json.loads(noted.read_text(encoding="utf-8"))
    for (key, of_recipient), record in zip(earlier.items(), records, strict=True):
        earlier[key] = of_recipient | {"places": record["places"]}
    noted.write_text(json.dumps(earlier), encoding="utf-8")
    monkeypatch.setattr(needs_action, "MOST", 7)
    assert brief_changed(pointer, path) == 0
    assert not (tmp_path / "office").exists()


def test_a_failing_recipient_does_not_stop_the_others_and_is_retried(pointer, tmp_path, capsys):
    path = recipients_file(tmp_path, "second", "third", places='["IR-23"]')
    brief_changed(pointer, path)
    more_to_do()
    (tmp_path / "second").write_text("in the way")
    assert brief_changed(pointer, path) == 1
    output = capsys.readouterr()
    assert output.err.startswith("second: ")
    assert output.err.count("\n") == 1
    assert {line.split("\t")[0] for line in output.out.splitlines()} == {"third"}
    (tmp_path / "second").unlink()
    assert brief_changed(pointer, path) == 0
    assert {line.split("\t")[0] for line in capsys.readouterr().out.splitlines()} == {"second"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "names no [[recipient]]"),
        ("x =", "is not TOML"),
        ("a = 1", "a is unknown"),
        ('[[recipient]]\nfolder = "x"', "recipient 1: name is missing"),
        ('[[recipient]]\nname = "a"', "recipient 1: folder is missing"),
        (
            '[[recipient]]\nname = "a"\nfolder = "x"\nplaces = ["IR-99"]',
            "recipient 1: 'IR-99' is no province and not IR",
        ),
        ('[[recipient]]\nname = "a"\nfolder = "x"\nlang = "de"', "recipient 1: lang is fa or en"),
        ('[[recipient]]\nname = "a"\nfolder = "x"\nto = "y"', "recipient 1: to is unknown"),
        ('[[recipient]]\nname = "a"\nfolder = "x"\nmail = "a@b\\nBcc: c@d"', "recipient 1: mail is no address"),
        ('[[recipient]]\nname = "a\\nb"\nfolder = "x"', "recipient 1: name holds a line break"),
        ('[[recipient]]\nname = "a"\nfolder = "x"\n' * 2, "two recipients have the same name"),
        ('[[recipient]]\nname = "a"\nfolder = "x"\n[smtp]\nhost = "h"', "[smtp] holds host, port and sender"),
    ],
)
def test_recipients_that_cannot_be_read_are_refused(tmp_path, content, fault):
    path = tmp_path / "recipients.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Refused) as raised:
        recipients.read(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert fault in str(raised.value)


class MailServer:
    """A mail server that accepts every message, except for the address `refuses`."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.messages: list[Any] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream: Any) -> None:
        def say(line: str) -> None:
            stream.write(f"{line}\r\n".encode())
            stream.flush()

        say("220 here")
        for raw in stream:
            line = raw.decode().strip()
            if line.upper().startswith("RCPT") and self.refuses and self.refuses in line:
                say("550 unknown")
            elif line.upper() == "DATA":
                say("354 go on")
                content = b"".join(iter(stream.readline, b".\r\n"))
                self.messages.append(email.message_from_bytes(content, policy=email.policy.default))
                say("250 taken")
            else:
                say("221 bye" if line.upper() == "QUIT" else "250 fine")

    def close(self) -> None:
        # Ends a waiting accept, too; closing twice is allowed.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def mail_server():
    server = MailServer(refuses="second@example")
    yield server
    server.close()


def mail_recipients_file(folder: Path, port: int, *names: str) -> Path:
    path = recipients_file(folder, *names, places='["IR-23"]')
    lines = path.read_text(encoding="utf-8").replace("places =", 'mail = "NAME@example"\nplaces =')
    for name in names:
        lines = lines.replace("NAME@", f"{name}@", 1)
    path.write_text(
        f'{lines}[smtp]\nhost = "127.0.0.1"\nport = {port}\nsender = "dashboard@example"\n', encoding="utf-8"
    )
    return path


def test_books_are_mailed_if_a_mail_server_is_set(pointer, tmp_path, capsys, mail_server):
    path = mail_recipients_file(tmp_path, mail_server.port, "office")
    brief_changed(pointer, path)
    assert mail_server.messages == []
    more_to_do()
    assert brief_changed(pointer, path) == 0
    (message,) = mail_server.messages
    assert (message["To"], message["From"]) == ("office@example", "dashboard@example")
    assert message["Subject"] == text.word("briefing.title", "fa")
    (book,) = (tmp_path / "office").glob("*.pdf")
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == (book.name, book.read_bytes())
    (list_file,) = (tmp_path / "office").glob("*.txt")
    assert message.get_body().get_content().splitlines() == list_file.read_text(encoding="utf-8").splitlines()


def test_rejected_mail_is_reported_and_does_not_stop_the_others(pointer, tmp_path, capsys, mail_server):
    path = mail_recipients_file(tmp_path, mail_server.port, "second", "third")
    brief_changed(pointer, path)
    more_to_do()
    assert brief_changed(pointer, path) == 1
    assert capsys.readouterr().err == "second: mail to second was not taken (SMTPRecipientsRefused)\n"
    assert [message["To"] for message in mail_server.messages] == ["third@example"]
    mail_server.close()
    more_to_do()
    assert brief_changed(pointer, path) == 1
    assert capsys.readouterr().err.count("was not taken (ConnectionRefusedError)\n") == 2


def test_mail_is_off_by_default(tmp_path):
    assert recipients.read(recipients_file(tmp_path, "office"))[1] is None


def _as_of(pointer: Path) -> str:
    with writing.press(pointer, ADMINISTRATOR) as press:
        return press.writer("IR", "fa").scope.day.isoformat()
