"""The commands for operators: diagnosis, settings, audit, backup, replicas."""

import argparse
import getpass
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from etl.core import settings
from etl.core.errors import Refused
from etl.core.text_folding import printable
from etl.operations import audit, backup, doctor, notify, readiness, replicas


def command(commands: Any, name: str, run: Callable[[Any], int | None], words: str) -> argparse.ArgumentParser:
    """Add a command that `run` executes, with the `words` of its help; returns its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, allow_abbrev=False)
    parser.set_defaults(run=run)
    return parser


def add(commands: Any, pointer: Path) -> None:
    """Add the commands to the parser. `pointer`: the default publication."""
    doctor_command = command(commands, "doctor", _doctor, "what is wrong with this installation")
    doctor_command.add_argument(
        "--without-publication", action="store_true", help="as before the first build of a new version"
    )

    command(commands, "settings", _settings, "the settings that hold, with their variables")

    ready_command = command(commands, "ready", _ready, "whether a publication can be served, as /readyz says")
    ready_command.add_argument("--from", dest="source", type=Path, default=pointer, metavar="FILE")

    audit_command = command(commands, "audit", _audit, "whether the audit log is whole")
    audit_command.add_argument("what", choices=("verify",))
    audit_command.add_argument(
        "--from", dest="folder", type=Path, metavar="DIR", help="instead of the folder of the settings"
    )

    notify_command = command(commands, "notify", _notify, "tell somebody of a unit that failed")
    notify_command.add_argument("unit")

    backup_command = command(commands, "backup", _backup, "one archive of all that cannot be made again")
    backup_command.add_argument("--to", type=Path, metavar="FILE.tar", help="instead of the folder of backups")

    restore_command = command(commands, "restore", _restore, "put back what a backup holds")
    restore_command.add_argument("archive", type=Path, metavar="FILE.tar")

    offer_command = command(commands, "offer", _offer, "offer the publication shown to other hosts")
    offer_command.add_argument("folder", type=Path, metavar="DIR")
    offer_command.add_argument("--from", dest="source", type=Path, default=pointer, metavar="FILE")

    accept_command = command(commands, "accept", _accept, "show a publication that was offered")
    accept_command.add_argument("folder", type=Path, metavar="DIR")
    accept_command.add_argument("--to", type=Path, default=pointer, metavar="FILE")

    pull_command = command(commands, "pull", _pull, "fetch what another host offers by rsync, and accept it")
    pull_command.add_argument("offered", nargs="?", help="DIR or HOST:DIR (replicas.source of the settings)")
    pull_command.add_argument("--to", type=Path, default=pointer, metavar="FILE")


def note(event: str, **more: str | int) -> None:
    """Record a command in the audit log if users sign in. A failure is only printed: the command is already done."""
    try:
        current = settings.read()
        if current.sign_in.mode != "open":
            audit.record(current.folders.audit, f"server:{getpass.getuser()}", event, **more)
    except (OSError, settings.Faulty) as error:
        print(f"not noted in the audit log: {error}", file=sys.stderr)


def _audit(options: argparse.Namespace) -> None:
    faults = audit.verify(options.folder or settings.read().folders.audit)
    if faults:
        raise Refused("\n".join(faults))
    print("the audit log is whole")


def _doctor(options: argparse.Namespace) -> int:
    findings = doctor.examine(with_publication=not options.without_publication)
    for what, text, is_well in findings:
        print(f"{'ok   ' if is_well else 'FAULT'}  {what}: {printable(text)}")
    return 0 if all(is_well for *_, is_well in findings) else 1


def _settings(_: argparse.Namespace) -> None:
    for section, values in asdict(settings.read()).items():
        for name, value in values.items():
            print(f"{section}.{name}\t{settings.VARIABLES[section, name]}\t{_plain(value)}")


def _ready(options: argparse.Namespace) -> None:
    served = readiness.served(options.source, settings.read().schedule.oldest_publication_days)
    if served.fault:
        raise Refused(f"{options.source}: {served.fault}")
    print(f"ready\t{served.id}")


def _notify(options: argparse.Namespace) -> None:
    print("told by " + ", ".join(notify.tell(settings.read(), options.unit)))


def _backup(options: argparse.Namespace) -> None:
    print(backup.backup(settings.read().folders, options.to))


def _restore(options: argparse.Namespace) -> None:
    for path in backup.restore(options.archive, settings.read().folders):
        print(path)


def _offer(options: argparse.Namespace) -> None:
    manifest = replicas.offer(options.source, options.folder)
    print(f"{manifest.name}\t{manifest.bytes}\t{manifest.sha256}")


def _accept(options: argparse.Namespace) -> None:
    print(replicas.accept(options.folder, options.to).stem)


def _pull(options: argparse.Namespace) -> None:
    version = replicas.pull(options.offered or settings.read().replicas.source, options.to)
    print(version.stem if version else "nothing new")


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
