"""The commands for operators: diagnosis, settings, publications kept, audit, backup, replicas."""

import argparse
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from etl.core import settings
from etl.core.errors import Refused
from etl.core.text_folding import printable
from etl.operations import audit, backup, doctor, readiness, replicas, roles
from etl.warehouse import publications

_LOGIN_UID = Path("/proc/self/loginuid")
# Of a process that no login started.
_NO_LOGIN = 0xFFFFFFFF


def command(commands: Any, name: str, run: Callable[[Any], int | None], words: str) -> argparse.ArgumentParser:
    """Add a command that `run` executes, with the `words` of its help; returns its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, allow_abbrev=False)
    parser.set_defaults(run=run, command=name)
    return parser


def add(commands: Any, pointer: Path, needs: Sequence[doctor.Need]) -> None:
    """Add the commands to the parser. `pointer`: the default publication; `needs`: what else the doctor examines."""
    doctor_command = command(commands, "doctor", _doctor, "what is wrong with this installation")
    doctor_command.set_defaults(needs=needs)
    doctor_command.add_argument(
        "--without-publication", action="store_true", help="as before the first build of a new version"
    )

    command(commands, "settings", _settings, "the settings that hold, with their variables")

    ready_command = command(commands, "ready", _ready, "whether a publication can be served, as /readyz says")
    publications_command = command(commands, "publications", _publications, "the publications kept, oldest first")
    audit_command = commands.add_parser("audit", help="the audit log: is it whole, and its first key")
    audit_parts = audit_command.add_subparsers(required=True, metavar="what")
    verify_command = command(audit_parts, "verify", _audit_verify, "whether the audit log is whole")
    verify_command.add_argument(
        "--from", dest="folder", type=Path, metavar="DIR", help="a copy, instead of the folder of the settings"
    )
    verify_command.add_argument("--key", type=Path, metavar="FILE", help="the first key, which only the verifier has")
    verify_command.add_argument(
        "--noted", type=Path, metavar="FILE", help="lines of the journal or syslog (with --key)"
    )
    command(audit_parts, "key", _audit_key, "print the first key, once, and erase it here")

    sessions_command = commands.add_parser("sessions", help="the sessions of a person")
    session_parts = sessions_command.add_subparsers(required=True, metavar="what")
    end_command = command(session_parts, "end", _sessions_end, "end all sessions of a person at once")
    end_command.add_argument("name", metavar="NAME", help="the account (sub), as the audit log has it")

    backup_command = command(commands, "backup", _backup, "one archive of all that cannot be made again")
    backup_command.add_argument("--to", type=Path, metavar="FILE.tar", help="instead of the folder of backups")

    restore_command = command(commands, "restore", _restore, "put back what a backup holds")
    restore_command.add_argument("archive", type=Path, metavar="FILE.tar", help="what backup wrote")

    offer_command = command(commands, "offer", _offer, "offer the publication shown to other hosts")
    offer_command.add_argument("folder", type=Path, metavar="DIR", help="where the other hosts fetch it")

    accept_command = command(commands, "accept", _accept, "show a publication that was offered")
    accept_command.add_argument("folder", type=Path, metavar="DIR", help="the one it was offered in")

    pull_command = command(commands, "pull", _pull, "fetch what another host offers by rsync, and accept it")
    pull_command.add_argument("offered", nargs="?", help="DIR or HOST:DIR (replicas.source of the settings)")

    for reading in (ready_command, publications_command, offer_command):
        reading.add_argument(
            "--from",
            dest="source",
            type=Path,
            default=pointer,
            metavar="FILE",
            help="the publication (that of the settings)",
        )
    for writing in (accept_command, pull_command):
        writing.add_argument(
            "--to", type=Path, default=pointer, metavar="FILE", help="shown there (that of the settings)"
        )


def _publications(options: argparse.Namespace) -> None:
    kept = publications.versions(options.source)
    shown = Path(os.path.realpath(options.source))
    for path in kept or [publications.current(options.source)]:
        try:
            publications.verify(path)
            fault = ""
        except publications.OtherVersion:
            fault = "\tof another version of the program"
        except Refused:
            fault = "\tdamaged"
        print(f"{path.stem}{fault}\t{'shown' if path == shown else 'kept'}")
    if options.source.is_symlink() and not shown.exists():
        print(f"{shown.stem}\tmissing\tshown")


def note(event: str, about: str = "", /, **more: str | int) -> None:
    """Record a command, or one about a person, in the audit log if users sign in.

    Raises Refused if that fails: then it is not to be done.
    """
    try:
        current = settings.read()
        if current.sign_in.mode != "open":
            own, who = _account()
            of_person = {"account": own} if about else {}
            audit.record(current.folders.audit, about or own, event, **(of_person | who | more))
    except settings.Faulty as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise Refused(f"the audit log cannot be written ({error.strerror or error}): nothing was done") from None


def note_refusal(event: str, **more: str | int) -> None:
    """As `note`, of what was refused anyway: a failure is printed."""
    try:
        note(event, **more)
    except Refused as error:
        print(error, file=sys.stderr)


def account() -> str:
    """The account of the process, as the audit log has it."""
    return _account()[0]


def _account() -> tuple[str, dict[str, str]]:
    """Who runs this command: the account of the process, and the one that logged in (proc(5), loginuid) if it is another."""
    names = []
    for uid in (os.geteuid(), int(_LOGIN_UID.read_text() or _NO_LOGIN) if _LOGIN_UID.exists() else _NO_LOGIN):
        with suppress(KeyError):
            names.append(pwd.getpwuid(uid).pw_name)
    return f"{roles.SERVER}{names[0] if names else os.geteuid()}", {"account": names[1]} if len(names) > 1 else {}


def _audit_verify(options: argparse.Namespace) -> None:
    folder = options.folder or settings.read().folders.audit
    key = options.key.read_text(encoding="utf-8").strip() if options.key else ""
    if options.noted and not key:
        raise Refused("--noted needs --key")
    noted = {}
    if options.noted:
        with options.noted.open(encoding="utf-8", errors="replace") as lines:
            noted = audit.codes_noted(lines, key)
    fault = audit.verify(folder, key, noted)
    if not options.folder and folder.is_dir():
        audit.note_verified(folder, fault)
    if fault:
        raise Refused(fault)
    print("the audit log is whole" if key else "no damage; only with --key is it certain that nobody wrote it anew")


def _audit_key(_: argparse.Namespace) -> None:
    try:
        print(audit.take_first_key(settings.read().folders.audit))
    except FileNotFoundError:
        raise Refused("the first key of the audit log was taken before; it is kept nowhere here") from None


def _sessions_end(options: argparse.Namespace) -> int:
    note("sessions_ended", options.name)
    # The web side keeps sessions and tokens, and etl does not import it.
    return subprocess.run([sys.executable, "-m", "ui.access", options.name], check=False).returncode


def _doctor(options: argparse.Namespace) -> int:
    findings = doctor.examine(not options.without_publication, options.needs)
    for what, text, is_well in findings:
        print(f"{'ok   ' if is_well else 'FAULT'}  {what}: {printable(text)}")
    return 0 if all(is_well for *_, is_well in findings) else 1


def _settings(_: argparse.Namespace) -> None:
    for section, values in asdict(settings.read()).items():
        for name, value in values.items():
            print(f"{section}.{name}\t{settings.VARIABLES[section, name]}\t{_plain(value)}")


def _ready(options: argparse.Namespace) -> None:
    config = settings.read()
    served = readiness.ready(replace(config, folders=replace(config.folders, warehouse=options.source)))
    if served.fault:
        raise Refused(f"{options.source}: {served.fault}")
    print(f"ready\t{served.id}")


def _backup(options: argparse.Namespace) -> None:
    note("backup")
    config = settings.read()
    folders = config.folders
    print(backup.backup(folders, options.to, config.sign_in.database))
    submitted = sum(path.is_file() for path in folders.submissions.rglob("*"))
    words = (
        f"{submitted} files of submissions, with names and ids of persons" if submitted else "no file of a submission"
    )
    print(f"the archive holds {words}", file=sys.stderr)
    print("it holds no token, no session, no key of the audit log, and nothing of /etc/policeyar", file=sys.stderr)


def _restore(options: argparse.Namespace) -> None:
    note("restore")
    config = settings.read()
    for path in backup.restore(options.archive, config.folders, config.sign_in.database):
        print(path)
    if config.folders.warehouse.exists():
        print(f"shown: {publications.current(config.folders.warehouse).stem}", file=sys.stderr)


def _offer(options: argparse.Namespace) -> None:
    manifest = replicas.offer(options.source, options.folder)
    print(f"{manifest.name}\t{manifest.bytes}\t{manifest.sha256}")


def _accept(options: argparse.Namespace) -> None:
    print(replicas.accept(options.folder, options.to, lambda shown: note("accept", publication=shown)).stem)


def _pull(options: argparse.Namespace) -> None:
    source = options.offered or settings.read().replicas.source
    version = replicas.pull(source, options.to, lambda shown: note("pull", publication=shown))
    print(version.stem if version else "nothing new")


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
