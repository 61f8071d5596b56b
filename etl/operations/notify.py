"""Notification of a failed systemd unit, by mail through the local sendmail or by a command of the settings."""

import shlex
import shutil
import socket
import subprocess
from dataclasses import dataclass
from email.message import EmailMessage

from etl.core.errors import Refused
from etl.core.settings import Settings
from etl.operations import readiness

_PATIENCE_SECONDS = 60
_MAIL = "mail"


@dataclass(frozen=True)
class Channel:
    """A way to tell somebody: its name, and the command that reads the message on standard input."""

    name: str
    command: tuple[str, ...]


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
    sent = {channel.name: mail.as_bytes() if channel.name == _MAIL else text.encode() for channel in known}
    failed = [fault for channel in known if (fault := _failure(channel, sent[channel.name]))]
    if failed or not known:
        raise Refused(f"{unit}: no notification was sent ({'; '.join(failed) or 'notify names no recipient'})")
    return [channel.name for channel in known]


def channels(config: Settings) -> list[Channel]:
    """The configured channels."""
    known = []
    if config.notify.recipients:
        sendmail = shutil.which("sendmail", path="/usr/sbin:/usr/lib:/usr/bin") or "sendmail"
        known.append(Channel(_MAIL, (sendmail, "-t", "-i")))
    if config.notify.command:
        known.append(Channel("command", tuple(shlex.split(config.notify.command))))
    return known


def missing(channel: Channel) -> str:
    """Why the program of a channel cannot be run; empty if it can."""
    program = channel.command[0]
    return "" if shutil.which(program) else f"{channel.name}: {program} is not installed, or may not be run"


def _failure(channel: Channel, text: bytes) -> str:
    if fault := missing(channel):
        return fault
    try:
        ended = subprocess.run(channel.command, input=text, capture_output=True, timeout=_PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{channel.name}: {type(error).__name__}"
    return f"{channel.name}: it ended with {ended.returncode}" if ended.returncode else ""
