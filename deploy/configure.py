"""Writes nginx.conf and the drop-ins of the units in deploy/systemd from the settings: python -m deploy.configure --to DIR.

Run it again after the settings or the code change: the scripts that a page may run are named by their digests.
"""

import argparse
import os
import pwd
import shutil
import sys
from pathlib import Path

from deploy import proxy
from etl.core import settings
from etl.extract import postgresql

# The user that install.sh creates, and that runs the web processes.
_USER = "policeyar"


def drop_ins(known: settings.Settings) -> dict[str, str]:
    """The settings of the units: content by file name, below /etc/systemd/system."""
    folders = known.folders
    readers = (folders.views, folders.audit, folders.submissions)
    builds = (folders.warehouse.parent, folders.identity_key.parent, folders.submissions, folders.audit)
    # Units reach a network only where they need it: submissions and signed notes are in the shared database.
    database = bool(known.sign_in.database)
    elsewhere = known.sign_in.syslog[:1] not in ("", "/") or (folders.incoming / postgresql.FILE).exists()
    memory = f"{settings.web_memory(known) >> 20}M"
    return {
        "policeyar-web@.service.d/settings.conf": f"[Service]\nMemoryMax={memory}\n{_writable(readers)}",
        "policeyar-build.service.d/settings.conf": f"[Service]\n{_network(elsewhere)}{_writable(builds)}",
        "policeyar-work.service.d/settings.conf": f"[Service]\n{_network(elsewhere or database)}"
        f"{_writable((*builds, folders.incoming))}",
        "policeyar-work.path.d/settings.conf": f"[Path]\nPathExistsGlob=\nPathExistsGlob={folders.submissions}/orders/*.json\n",
        "policeyar-pull.service.d/settings.conf": f"[Service]\n{_writable(builds)}",
        "policeyar-ready.service.d/settings.conf": f"[Service]\n{_network(database)}"
        f"{_writable((folders.audit, folders.submissions, folders.run / 'web'))}",
        "policeyar-tell.service.d/settings.conf": f"[Service]\n{_network(database or bool(known.mail.server))}"
        f"{_writable((folders.views, known.mail.outbox, folders.submissions))}",
        "policeyar-build.timer.d/settings.conf": f"[Timer]\nOnCalendar=\nOnCalendar=*-*-* {known.schedule.build_at}:00\n",
    }


def _network(is_needed: bool) -> str:
    return "PrivateNetwork=no\nIPAddressDeny=\n" if is_needed else ""


def _writable(folders: tuple[Path, ...]) -> str:
    # The hyphen: a missing one is no fault.
    return "ReadWritePaths=" + " ".join(dict.fromkeys(f"-{folder}" for folder in folders)) + "\n"


def write(known: settings.Settings, to: Path) -> None:
    """Write all files below `to`; none of them if nginx refuses its own."""
    config = to / "nginx.conf"
    _make_run_folder(known.folders.run)
    files = {f"systemd/{name}": content for name, content in drop_ins(known).items()}
    to.mkdir(parents=True, exist_ok=True)
    checked = config.with_suffix(".next")
    checked.write_text(proxy.render(known), encoding="utf-8")
    try:
        proxy.check(checked)
        checked.replace(config)
    finally:
        checked.unlink(missing_ok=True)
    for name, content in files.items():
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    # Of another version.
    for path in (to / "systemd").rglob("*"):
        if path.is_file() and str(path.relative_to(to)) not in files:
            path.unlink()


def _make_run_folder(run: Path) -> None:
    """The folder of nginx, and in it that of the web processes: root writes into none of another user."""
    web = run / "web"
    web.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and _exists(_USER):
        shutil.chown(run, "root", "root")
        shutil.chown(web, _USER, _USER)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def main() -> int:
    """Write the files; returns 1 and prints the faults if there are any."""
    parser = argparse.ArgumentParser(prog="python -m deploy.configure", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--to", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    try:
        write(settings.apply(), options.to.resolve())
    except (settings.Faulty, proxy.Unable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
