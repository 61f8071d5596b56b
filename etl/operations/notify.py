"""Notification of a failed systemd unit, by mail through the local sendmail or by a command of the settings."""

import shlex
import shutil
import socket
import subprocess
from email.message import EmailMessage

from etl.core.errors import Refused
from etl.core.settings import Settings
from etl.operations import readiness

_PATIENCE_SECONDS = 60
_MAIL = "mail"


def message(config: Settings, unit: str) -> str:
    """The message: unit, host, outcome of the last build, state of the publication. It contains no data."""
    served = readiness.served(config.folders.warehouse, config.schedule.oldest_publication_days)
    build = readiness.last_build(config.folders.warehouse)
    lines = [
        f"{unit} failed on {socket.gethostname()}.",
        f"Last build: {build.outcome} at {build.ended_at} after {build.seconds:.0f} s."
        if build
        else "No build was noted.",
        f"Publication {served.id or 'none'}: {served.fault or 'ready'}.",
        f"journalctl -u {unit} tells more.",
    ]
    return "\n".join(lines) + "\n"


def tell(config: Settings, unit: str) -> list[str]:
    """Send by every configured channel; returns those that succeeded. Raises Refused if one failed or none is configured."""
    text = message(config, unit)
    mail = EmailMessage()
    mail["Subject"] = f"policeyar: {unit} failed"
    mail["To"] = ", ".join(config.notify.recipients)
    mail.set_content(text)
    known = channels(config)
    failed = []
    for name, command in known.items():
        fault = missing(command) or _failure(command, mail.as_bytes() if name == _MAIL else text.encode())
        failed += [f"{name}: {fault}"] if fault else []
    if failed or not known:
        raise Refused(f"{unit}: no notification was sent ({'; '.join(failed) or 'notify names no recipient'})")
    return [*known]


def channels(config: Settings) -> dict[str, list[str]]:
    """The configured ways to tell somebody: the command of each, which reads the message on standard input."""
    known = {}
    if config.notify.recipients:
        sendmail = shutil.which("sendmail", path="/usr/sbin:/usr/lib:/usr/bin") or "sendmail"
        known[_MAIL] = [sendmail, "-t", "-i"]
    if config.notify.command:
        known["command"] = shlex.split(config.notify.command)
    return known


def missing(command: list[str]) -> str:
    """Why the program of a command cannot be run; empty if it can."""
    return "" if shutil.which(command[0]) else f"{command[0]} is not installed, or may not be run"


def _failure(command: list[str], text: bytes) -> str:
    try:
        ended = subprocess.run(command, input=text, capture_output=True, timeout=_PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return f"it ended with {ended.returncode}" if ended.returncode else ""
