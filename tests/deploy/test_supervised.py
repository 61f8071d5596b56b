"""Process supervision: systemd units, and supervisor where there is no systemd."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import pytest
from supervisor.xmlrpc import SupervisorTransport

from deploy import configure, proxy
from etl.core import settings
from tests.serving import ROOT, ask, free_ports, is_running, publish, run, start_nginx, until
from ui.briefing import command

needs_nginx = pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin"), reason="nginx is not installed")
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
INSTALLED = "/opt/policeyar/current/.venv/bin/python"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_no_fault_in_the_units(tmp_path):
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace(INSTALLED, sys.executable)
        (tmp_path / unit.name).write_text(text.replace("/usr/sbin/nginx", sys.executable), encoding="utf-8")
    for name, content in configure.drop_ins(settings.Settings()).items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content, encoding="utf-8")
    ended = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            "--recursive-errors=yes",
            *(str(tmp_path / unit.name) for unit in UNITS),
        ],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_every_unit_runs_unprivileged_and_reports_its_failure(unit):
    text = unit.read_text(encoding="utf-8")
    if "notify" in unit.name:
        return
    assert "OnFailure=policeyar-notify@%n.service" in text
    for line in ("ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes"):
        assert line in text
    if "User=policeyar" not in text:
        assert "nginx.service" in unit.name or "CapabilityBoundingSet=CAP_KILL" in text


def test_no_two_users_share_a_runtime_directory():
    owners: dict[str, set[str]] = {}
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        user = "".join(re.findall(r"^User=(.+)", text, re.MULTILINE))
        for folders in re.findall(r"^RuntimeDirectory=(.+)", text, re.MULTILINE):
            for folder in folders.split():
                owners.setdefault(folder, set()).add(user)
    assert owners == {"policeyar": {""}, "policeyar-nginx": {""}, "policeyar/web": {"policeyar"}}


@pytest.mark.parametrize("unit", ["policeyar-web@.service", "policeyar-nginx-watch.service"])
def test_a_frozen_process_is_ended_by_systemd(unit):
    text = (ROOT / "deploy" / "systemd" / unit).read_text(encoding="utf-8")
    for line in ("Type=notify", "WatchdogSec=30", "WatchdogSignal=SIGKILL", "Restart=always"):
        assert line in text
    assert "MemoryMax=" in text or "watch" in unit


def test_a_worker_process_that_the_kernel_kills_does_not_end_its_web_process():
    text = (ROOT / "deploy" / "systemd" / "policeyar-web@.service").read_text(encoding="utf-8")
    assert "\nOOMPolicy=continue\n" in text
    # Debian's /tmp is memory, which counts towards MemoryMax.
    assert "TMPDIR=/var/tmp" in text


def test_every_command_of_a_unit_exists():
    from etl.cli.commands import _parser

    for unit in UNITS:
        for words in re.findall(r"python -m etl (.+)", unit.read_text(encoding="utf-8")):
            _parser().parse_args(words.replace("%i", "some.service").split())
        for words in re.findall(r"python -m pages (.+)", unit.read_text(encoding="utf-8")):
            options = command._parser().parse_args(words.split())
            assert not command._contradiction(options)


def test_each_build_that_succeeds_is_followed_by_the_briefings():
    build, brief = (
        (ROOT / "deploy" / "systemd" / f"policeyar-{name}.service").read_text(encoding="utf-8")
        for name in ("build", "brief")
    )
    assert "OnSuccess=policeyar-brief.service" in build
    assert "python -m pages brief --all --changed\n" in brief


def test_the_settings_reach_the_units(tmp_path):
    known = replace(
        settings.Settings(),
        memory=settings.Memory(web="3 GB"),
        schedule=settings.Schedule(build_at="04:15"),
        folders=replace(settings.Folders(), views=tmp_path / "v", briefings=tmp_path / "b"),
    )
    made = configure.drop_ins(known)
    assert "MemoryMax=3072M\n" in made["policeyar-web@.service.d/settings.conf"]
    assert f"-{tmp_path}/v" in made["policeyar-web@.service.d/settings.conf"]
    brief = made["policeyar-brief.service.d/settings.conf"]
    assert f"ConditionPathExists={tmp_path}/b/recipients.toml\n" in brief
    assert f"ReadWritePaths=-{tmp_path}/b\n" in brief
    assert "OnCalendar=*-*-* 04:15:00" in made["policeyar-build.timer.d/settings.conf"]


def test_configure_reports_all_errors_and_writes_nothing(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.configure", "--to", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "POLICEYAR_WEB_PORT": "0", "POLICEYAR_WEB_PROCESSES": "-1"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 2
    assert not (tmp_path / "out").exists()


@needs_nginx
def test_a_configuration_that_nginx_rejects_is_reported_and_changes_no_file(tmp_path):
    spoilt = tmp_path / "certificate.pem"
    spoilt.write_text("spoilt")
    known = replace(settings.Settings(), folders=settings.Folders(run=tmp_path / "run"))
    configure.write(known, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert len(before) >= 3
    web = replace(known.web, certificate=spoilt, certificate_key=spoilt, processes=7, port=9001)
    with pytest.raises(proxy.Unable, match=f"cannot load certificate.*{spoilt}"):
        configure.write(replace(known, web=web), tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


@needs_nginx
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1"])
def test_a_program_that_holds_the_port_of_nginx_is_named_and_no_file_is_changed(tmp_path, address):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as held:
        held.bind((address, 0))
        held.listen()
        port = held.getsockname()[1]
        web = settings.Web(processes=1, port=1, listen_port=port)
        known = replace(settings.Settings(), folders=settings.Folders(run=tmp_path / "run"), web=web)
        name = Path("/proc/self/comm").read_text().strip()
        with pytest.raises(proxy.Unable, match=rf"{port} is held by {name} \(process {os.getpid()}\)"):
            configure.write(known, tmp_path / "out")
        assert not list(tmp_path.iterdir())
    configure.write(known, tmp_path / "out")


@needs_nginx
def test_a_port_that_only_nginx_itself_or_another_address_holds_is_free(tmp_path):
    port = free_ports()
    web = settings.Web(processes=1, port=1, listen_port=port)
    known = replace(settings.Settings(), folders=settings.Folders(run=tmp_path / "run"), web=web)
    configure.write(known, tmp_path)
    signed_in = replace(known, sign_in=settings.SignIn("proxy", tmp_path, tmp_path))
    nginx = start_nginx(tmp_path, port)
    try:
        configure.write(replace(known, folders=settings.Folders(run=tmp_path / "run2")), tmp_path)
        with socket.create_server(("127.0.0.2", port)), pytest.raises(proxy.Unable, match="is held by"):
            configure.write(signed_in, tmp_path)
    finally:
        nginx.terminate()
        nginx.wait()
    with socket.create_server(("127.0.0.2", port)), socket.create_server(("::1", port), family=socket.AF_INET6):
        configure.write(known, tmp_path)


def test_files_of_another_version_are_removed_from_the_configuration(tmp_path):
    known = replace(settings.Settings(), folders=settings.Folders(run=tmp_path / "run"))
    configure.write(known, tmp_path / "out")
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (tmp_path / "out/systemd/policeyar-new.timer.d").mkdir()
    (tmp_path / "out/systemd/policeyar-new.timer.d/settings.conf").touch()
    configure.write(known, tmp_path / "out")
    assert {path for path in (tmp_path / "out").rglob("*") if path.is_file()} == written


# ------------------------------------------------------------------ supervisor


class Supervised:
    """An installation under supervisor: two web processes behind nginx."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "run"
        first = free_ports(3)
        self.web, self.proxy = (first, first + 1), first + 2
        self.environment = {
            **os.environ,
            "WAREHOUSE": str(publish(folder)),
            "POLICEYAR_RUN": str(self.run),
            "POLICEYAR_WEB_HOST": "127.0.0.1",
            "POLICEYAR_WEB_PROCESSES": "2",
            "POLICEYAR_WEB_PORT": str(first),
            "POLICEYAR_WEB_LISTEN_PORT": str(self.proxy),
        }
        subprocess.run(
            [sys.executable, "-m", "deploy.configure", "--to", str(folder)],
            cwd=ROOT, env=self.environment, check=True,
        )  # fmt: skip
        self.config = folder / "supervisord.conf"
        # Longer than a service may take to start.
        text = self.config.read_text().replace(f"-t {configure.ANSWER_SECONDS}", "-t 30")
        text = text.replace(f"startsecs={configure.START_SECONDS}", "startsecs=15")
        self.config.write_text(text.replace(f"stopwaitsecs={configure.STOP_SECONDS}", "stopwaitsecs=3"))
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [str(Path(sys.executable).with_name("supervisord")), "-c", str(self.config)]
        # From another folder than that of the code.
        return subprocess.Popen(command, cwd="/", env=self.environment, stdout=subprocess.DEVNULL)

    def pids(self, *states: str) -> dict[str, int]:
        """The processes by name, or those in these states."""
        transport = SupervisorTransport(serverurl=f"unix://{self.run}/supervisor.sock")
        known: Any = ServerProxy("http://127.0.0.1", transport)
        try:
            processes = known.supervisor.getAllProcessInfo()
        except OSError:
            return {}
        return {
            process["name"]: process["pid"]
            for process in processes
            if process["pid"] and (not states or process["statename"] in states)
        }

    def answers(self) -> bool:
        return all(ask(port, "/healthz")[0] == 200 for port in self.web) and ask(self.proxy, "/")[0] == 200


def all_of(pid: int) -> list[int]:
    """A process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(descendant for child in children for descendant in all_of(int(child)))]


def _are_replaced(served: Supervised, before: dict[str, int]) -> bool:
    now = served.pids()
    if not all(now.get(name, pid) != pid for name, pid in before.items()) or not served.answers():
        return False
    # An nginx that cannot have its port has no workers.
    return "nginx" not in before or len(all_of(now["nginx"])) > 1


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("nginx", path="/usr/sbin") and shutil.which("setpriv")), reason="nginx, setpriv")
def test_supervisor_restarts_what_ends_or_freezes_and_leaves_nothing_behind(tmp_path):
    served = Supervised(tmp_path)
    try:
        # Of a process that has run for `startsecs`, the exit code decides whether it is started again.
        until(lambda: len(served.pids("RUNNING")) == 7 and served.answers(), "all run")
        # Health and counters are for this machine only.
        for path in ("/healthz", "/readyz", "/metrics"):
            assert ask(served.proxy, path)[0] == 404

        # Each kind of process, killed and asked to end.
        for ended in (
            {
                **{"web-0": signal.SIGKILL, "web-1": signal.SIGTERM, "nginx": signal.SIGKILL},
                **{"health-0": signal.SIGKILL, "health-1": signal.SIGTERM},
                **{"nginx-watch-0": signal.SIGKILL, "nginx-watch-1": signal.SIGTERM},
            },
            {"nginx": signal.SIGTERM},
        ):
            before = served.pids()
            for name, ended_by in ended.items():
                os.kill(before[name], ended_by)
            until(partial(_are_replaced, served, {name: before[name] for name in ended}), f"{ended} are replaced")

        # What watches is itself watched, as are the listeners that ask for health.
        for names in (("web-1", "nginx-watch-0"), ("nginx", "health-1"), ("nginx-watch-1",)):
            before = {name: pid for name, pid in served.pids().items() if name in names}
            assert len(before) == len(names)
            for pid in before.values():
                os.kill(pid, signal.SIGSTOP)
            until(partial(_are_replaced, served, before), f"frozen {names} are replaced")

        # A worker is replaced by its master, the master with its workers by supervisor.
        master = served.pids()["nginx"]
        workers = all_of(master)[1:]
        for sign in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM):
            worker = all_of(master)[1]
            os.kill(worker, sign)
            until(
                lambda worker=worker: not is_running(worker) and len(all_of(master)) > len(workers),
                f"a worker of nginx is replaced after {sign}",
            )
        assert served.answers()
        assert served.pids()["nginx"] == master

        family = all_of(served.process.pid)
        assert len(family) >= 8
        served.process.kill()
        served.process.wait()
        until(lambda: not [pid for pid in family if is_running(pid)], "nothing outlives supervisor")

        served.process = served._start()
        until(lambda: len(served.pids()) == 7 and served.answers(), "all run again")
        family = all_of(served.process.pid)
        served.process.terminate()
        served.process.wait(60)
        assert not [pid for pid in family if is_running(pid)]
    finally:
        served.process.kill()
        served.process.wait()


_HANGS_ON_DEMAND = """
import http.server
import os
import sys
import time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        while os.path.exists(sys.argv[2]):
            time.sleep(0.1)
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_supervisor_restarts_a_process_that_runs_and_does_not_answer(tmp_path):
    """A small server in the place of the dashboard; the watches, which see only what is stopped, do not run."""
    port, hangs = free_ports(), tmp_path / "hangs"
    known = replace(
        settings.Settings(), web=settings.Web(port=port, processes=1), folders=settings.Folders(run=tmp_path)
    )
    (tmp_path / "server.py").write_text(_HANGS_ON_DEMAND)
    text = configure.supervisord(known, tmp_path / "nginx.conf")
    text = re.sub(r"(?ms)^\[program:nginx.*?(?=^\[program:web-0)", "", text)
    text = text.replace("-m deploy.web 0", f"{tmp_path}/server.py {port} {hangs}")
    text = text.replace(f"-t {configure.ANSWER_SECONDS}", "-t 30").replace(f"={configure.START_SECONDS}\n", "=1\n")
    config = tmp_path / "supervisord.conf"
    config.write_text(text)
    command = [str(Path(sys.executable).with_name("supervisord")), "-c", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until(lambda: ask(port, "/healthz")[0] == 200, "it answers")
        (first,) = (pid for pid in all_of(process.pid) if f"{hangs}" in Path(f"/proc/{pid}/cmdline").read_text())
        hangs.touch()
        until(lambda: not is_running(first), "it is ended")
        hangs.unlink()
        until(lambda: ask(port, "/healthz")[0] == 200, "it is started again")
    finally:
        process.terminate()
        process.wait()


# ------------------------------------------------------------------ telling somebody


@pytest.mark.slow
def test_a_failed_unit_is_reported(tmp_path):
    heard = tmp_path / "heard"
    script = tmp_path / "hear"
    script.write_text(f"#!/bin/sh\ncat > {heard}\n")
    script.chmod(0o755)
    pointer = publish(tmp_path)
    environment = {"WAREHOUSE": str(pointer), "POLICEYAR_NOTIFY_COMMAND": str(script)}
    assert run("notify", "policeyar-build.service", **environment).returncode == 0
    text = heard.read_text()
    assert text.startswith("policeyar-build.service failed on ")
    assert "Last build: published at" in text
    script.write_text("#!/bin/sh\nexit 1\n")
    assert "nobody was told (command: it ended with 1)" in run("notify", "x.service", **environment).stderr
    script.chmod(0o644)
    assert "is not installed, or may not be run" in run("notify", "x.service", **environment).stderr
    environment["POLICEYAR_NOTIFY_COMMAND"] = ""
    assert "notify names nobody" in run("notify", "x.service", **environment).stderr


@pytest.mark.slow
def test_a_late_build_is_a_failure(tmp_path):
    pointer = publish(tmp_path)
    assert run("ready", "--from", str(pointer)).returncode == 0
    os.utime(os.path.realpath(pointer), (0, 0))
    late = run("ready", "--from", str(pointer))
    assert late.returncode == 1
    assert "days old" in late.stderr
