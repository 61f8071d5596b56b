"""Writes the configuration of nginx, supervisor and systemd from the settings: python -m deploy.configure --to DIR.

Writes nginx.conf, supervisord.conf (for a host without systemd) and drop-ins of the units in deploy/systemd. Run it
again after the settings or the code change: the scripts that a page may run are named by their digests.
"""

import argparse
import os
import pwd
import shutil
import sys
from pathlib import Path

from deploy import listeners, proxy
from etl.core import settings

ROOT = Path(__file__).resolve().parents[1]
# How long a process may take to start, to answer, and to end when asked; then it is started again.
START_SECONDS, ANSWER_SECONDS, STOP_SECONDS = 20, 20, 10
# The user that install.sh creates; supervisor, as root, runs the processes as this user.
_USER = "policeyar"


def supervisord(known: settings.Settings, config: Path) -> str:
    """The configuration of supervisor, which starts nginx with the file `config`.

    The kernel kills every process when supervisor is killed; a process that does not answer is started again. Each program
    names its folder: supervisor itself keeps the folder that it was started from, perhaps that of an earlier version.
    """
    run = known.folders.run
    python = sys.executable
    dies_with_us = f"{_tool('setpriv')} --pdeathsig"
    user = ""
    if os.geteuid() == 0 and _exists(_USER):
        # Supervisor does not change HOME, and Streamlit reads files there.
        user = f'user={_USER}\nenvironment=HOME="{pwd.getpwnam(_USER).pw_dir}"\n'
    parts = [
        f"""
[supervisord]
nodaemon=true
logfile={run}/supervisord.log
logfile_maxbytes=10MB
logfile_backups=3
pidfile={run}/supervisord.pid
childlogdir={run}

[unix_http_server]
file={run}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{run}/supervisor.sock

[program:nginx]
command={dies_with_us} TERM -- {proxy.nginx()} -e {run}/error.log -c {config}
directory={ROOT}
autorestart=true
startsecs=1
startretries=10
stopwaitsecs={STOP_SECONDS}

[program:nginx-watch]
numprocs=2
process_name=%(program_name)s-%(process_num)d
command={dies_with_us} KILL -- {python} -m deploy.watch
directory={ROOT}
autorestart=true
startsecs=1
startretries=10
"""
    ]
    for number in range(proxy.processes(known)):
        address = (
            f"http://{settings.own_address(known.web.address)}:{known.web.port + number}{known.web.base_path}/healthz"
        )
        parts.append(
            f"""
[program:web-{number}]
command={dies_with_us} KILL -- {python} -m deploy.web {number}
{user}directory={ROOT}
autorestart=unexpected
exitcodes=78
startsecs={START_SECONDS}
startretries=10
stopwaitsecs={STOP_SECONDS}
redirect_stderr=true
stdout_logfile={run}/web-{number}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=5

[eventlistener:health-{number}]
command={dies_with_us} KILL -- {Path(python).with_name("httpok")} -E -p web-{number} -t {ANSWER_SECONDS} {address}
events=TICK_5
buffer_size=100
directory={ROOT}
autorestart=true
"""
        )
    return "".join(parts).lstrip()


def drop_ins(known: settings.Settings) -> dict[str, str]:
    """The settings of the units: content by file name, below /etc/systemd/system."""
    folders = known.folders
    readers = (folders.views, folders.audit, folders.submissions)
    builds = (folders.warehouse.parent, folders.identity_key.parent, folders.submissions)
    recipients = folders.briefings / "recipients.toml"
    memory = f"{settings.web_memory(known) >> 20}M"
    return {
        "policeyar-web@.service.d/settings.conf": f"[Service]\nMemoryMax={memory}\n{_writable(readers)}",
        "policeyar-build.service.d/settings.conf": f"[Service]\n{_writable(builds)}",
        "policeyar-brief.service.d/settings.conf": f"[Unit]\nConditionPathExists={recipients}\n"
        f"[Service]\n{_writable((folders.briefings,))}",
        "policeyar-build.timer.d/settings.conf": f"[Timer]\nOnCalendar=\nOnCalendar=*-*-* {known.schedule.build_at}:00\n",
    }


def _writable(folders: tuple[Path, ...]) -> str:
    # The hyphen: a missing one is no fault.
    return "ReadWritePaths=" + " ".join(dict.fromkeys(f"-{folder}" for folder in folders)) + "\n"


def write(known: settings.Settings, to: Path) -> None:
    """Write all files below `to`; none of them if nginx refuses its own, or cannot have its port."""
    config = to / "nginx.conf"
    if stranger := listeners.stranger(known.web.listen_port, known.sign_in.mode != "open", config):
        raise proxy.Unable(
            f"web.listen_port: {known.web.listen_port} is held by {stranger}; stop it or set another port"
        )
    _make_run_folder(known.folders.run)
    files = {"supervisord.conf": supervisord(known, config)}
    files |= {f"systemd/{name}": content for name, content in drop_ins(known).items()}
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
    """The folder of nginx and supervisor, and in it that of the web processes: root writes into none of another user."""
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


def _tool(name: str) -> str:
    path = shutil.which(name)
    if not path:
        raise proxy.Unable(f"{name} is not installed")
    return path


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
