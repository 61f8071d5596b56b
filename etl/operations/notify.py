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
    channels: dict[str, tuple[list[str], bytes]] = {}
    if config.notify.recipients:
        mail = EmailMessage()
        mail["Subject"] = f"policeyar: {unit} failed"
        mail["To"] = ", ".join(config.notify.recipients)
        mail.set_content(text)
        sendmail = shutil.which("sendmail", path="/usr/sbin:/usr/lib:/usr/bin") or "sendmail"
        channels["mail"] = [sendmail, "-t", "-i"], mail.as_bytes()
    if config.notify.command:
        channels["command"] = shlex.split(config.notify.command), text.encode()
    failed = [name for name, (command, sent) in channels.items() if not _ran(command, sent)]
    if failed or not channels:
        raise Refused(f"{unit}: nobody was told ({', '.join(failed) or 'notify names nobody'})")
    return list(channels)


def _ran(command: list[str], text: bytes) -> bool:
    try:
        ended = subprocess.run(command, input=text, capture_output=True, timeout=_PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
