"""The systemd units, their drop-ins, and who is told of a failure."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import configure, proxy
from etl.core import settings
from tests.conftest import Sample
from tests.serving import ROOT, run
from ui.briefing import command as briefing
from ui.follow import command

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


SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_every_service_is_exposed_to_little(unit, tmp_path):
    """4 of 10 at most, as systemd counts."""
    named = tmp_path / unit.name.replace("@", "@0")
    shutil.copy(unit, named)
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=40", "--no-pager", str(named)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_every_unit_runs_unprivileged_and_reports_its_failure(unit):
    text = unit.read_text(encoding="utf-8")
    assert "UMask=0077\n" in text or unit.name in (
        "policeyar-build.service",
        "policeyar-work.service",
    )
    assert "User=policeyar" in text or unit.name == "policeyar-nginx.service"
    if "notify" not in unit.name:
        assert "OnFailure=policeyar-notify@%n.service" in text
        assert "NoNewPrivileges=yes" in text


def test_what_holds_sockets_of_readers_may_open_as_many_files_as_they_need():
    connections = int(re.findall(r"worker_connections (\d+);", (ROOT / "deploy" / "nginx.conf").read_text())[0])
    for name in ("policeyar-nginx.service", "policeyar-web@.service"):
        text = (ROOT / "deploy" / "systemd" / name).read_text(encoding="utf-8")
        (limit,) = re.findall(r"(?m)^LimitNOFILE=(\d+)$", text)
        assert int(limit) >= 4 * connections, name


def test_units_call_no_program_that_the_archive_does_not_bring():
    for unit in SERVICES:
        programs = re.findall(r"(?m)^Exec\w+=(\S+)", unit.read_text(encoding="utf-8"))
        of_debian = {program for program in programs if not program.startswith("/opt/policeyar/")}
        assert of_debian <= {"/usr/sbin/nginx", "/bin/sh", "/usr/bin/rsync"}, unit.name


def test_no_two_users_share_a_runtime_directory():
    owners: dict[str, set[str]] = {}
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        user = "".join(re.findall(r"^User=(.+)", text, re.MULTILINE))
        for folders in re.findall(r"^RuntimeDirectory=(.+)", text, re.MULTILINE):
            for folder in folders.split():
                owners.setdefault(folder, set()).add(user)
    assert owners == {"policeyar": {""}, "policeyar-nginx": {""}, "policeyar/web": {"policeyar"}}


def test_a_frozen_process_is_ended_by_systemd():
    text = (ROOT / "deploy" / "systemd" / "policeyar-web@.service").read_text(encoding="utf-8")
    for line in ("Type=notify", "WatchdogSec=30", "WatchdogSignal=SIGKILL", "Restart=always", "MemoryMax="):
        assert line in text


def test_a_worker_process_that_the_kernel_kills_does_not_end_its_web_process():
    text = (ROOT / "deploy" / "systemd" / "policeyar-web@.service").read_text(encoding="utf-8")
    assert "\nOOMPolicy=continue\n" in text
    # Debian's /tmp is memory, which counts towards MemoryMax.
    assert "TMPDIR=/var/tmp" in text


def test_every_command_of_a_unit_exists():
    from etl.cli.commands import _parser

    every = "".join(unit.read_text(encoding="utf-8") for unit in UNITS)
    of_etl, of_pages = (re.findall(rf"python -m {module} (.+)", every) for module in ("etl", "pages"))
    assert of_etl
    assert of_pages
    for words in of_etl:
        _parser().parse_args(words.replace("%i", "some.service").split())
    for words in of_pages:
        options = command.parser().parse_args(words.split())
        assert "all" not in options or not briefing._contradiction(options)


def test_each_build_that_succeeds_is_followed_by_the_news():
    build, work, tell = (
        (ROOT / "deploy" / "systemd" / f"policeyar-{name}.service").read_text(encoding="utf-8")
        for name in ("build", "work", "tell")
    )
    for unit in (build, work):
        assert "OnSuccess=policeyar-tell.service\n" in unit
    assert "python -m pages tell\n" in tell


def test_the_settings_reach_the_units(tmp_path):
    known = replace(
        settings.Settings(),
        memory=settings.Memory(web="3 GB"),
        schedule=settings.Schedule(build_at="04:15"),
        folders=replace(settings.Folders(), views=tmp_path / "v"),
    )
    made = configure.drop_ins(known)
    assert "MemoryMax=3072M\n" in made["policeyar-web@.service.d/settings.conf"]
    assert f"-{tmp_path}/v" in made["policeyar-web@.service.d/settings.conf"]
    for unit in ("web@", "build", "work", "pull", "ready"):
        assert f"-{known.folders.audit}" in made[f"policeyar-{unit}.service.d/settings.conf"], "it writes the audit log"
    orders = f"PathExistsGlob={known.folders.submissions}/orders/*.json\n"
    assert made["policeyar-work.path.d/settings.conf"] == f"[Path]\nPathExistsGlob=\n{orders}"
    for folder in (known.folders.incoming, known.folders.submissions, known.folders.warehouse.parent):
        assert f"-{folder}" in made["policeyar-work.service.d/settings.conf"], "it checks, accepts and publishes"
    tell = made["policeyar-tell.service.d/settings.conf"]
    assert f"ReadWritePaths=-{tmp_path}/v -{known.mail.outbox} -{known.folders.submissions}\n" in tell
    assert "OnCalendar=*-*-* 04:15:00" in made["policeyar-build.timer.d/settings.conf"]


@pytest.mark.parametrize(
    ("sign_in", "with_sources", "reaching"),
    [
        ({"syslog": "/dev/log"}, False, set()),
        ({"syslog": "tls://logs.example:6514"}, False, {"build", "work"}),
        ({"database": "postgresql://store.example/dashboard"}, False, {"work", "tell", "ready"}),
        ({}, True, {"build", "work"}),
    ],
    ids=["nothing elsewhere", "the syslog", "submissions and notes", "a source"],
)
def test_a_unit_has_a_network_where_what_it_needs_is_elsewhere(tmp_path, sign_in, with_sources, reaching):
    if with_sources:
        (tmp_path / "sources.toml").touch()
    folders = replace(settings.Folders(), incoming=tmp_path)
    made = configure.drop_ins(replace(settings.Settings(), folders=folders, sign_in=settings.SignIn(**sign_in)))
    opened = {name for name, text in made.items() if "\nPrivateNetwork=no\nIPAddressDeny=\n" in text}
    assert opened == {f"policeyar-{unit}.service.d/settings.conf" for unit in reaching}


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
    assert len(before) >= 2
    web = replace(known.web, certificate=spoilt, certificate_key=spoilt, processes=7, port=9001)
    with pytest.raises(proxy.Unable, match=f"cannot load certificate.*{spoilt}"):
        configure.write(replace(known, web=web), tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


@pytest.mark.slow
@needs_nginx
def test_a_start_of_nginx_fails_where_another_program_holds_its_port(tmp_path):
    """As systemd starts it: by a command that returns, so that what started it knows."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        web = settings.Web(processes=1, port=1, listen_port=held.getsockname()[1])
        configure.write(replace(settings.Settings(), folders=settings.Folders(run=tmp_path / "run"), web=web), tmp_path)
        (start,) = re.findall(r"(?m)^ExecStart=(.+)", (ROOT / "deploy/systemd/policeyar-nginx.service").read_text())
        command = start.replace("/etc/policeyar", str(tmp_path)).replace("/run/policeyar-nginx", str(tmp_path / "run"))
        assert subprocess.run(command.split(), capture_output=True).returncode == 1
    assert "Address already in use" in (tmp_path / "run/error.log").read_text()


def test_files_of_another_version_are_removed_from_the_configuration(tmp_path, monkeypatch):
    known = replace(settings.Settings(), folders=settings.Folders(run=tmp_path / "run"))
    configure.write(known, tmp_path / "out")
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (tmp_path / "out/systemd/policeyar-new.timer.d").mkdir()
    (tmp_path / "out/systemd/policeyar-new.timer.d/settings.conf").touch()
    monkeypatch.setenv("POLICEYAR_RUN", str(tmp_path / "run"))
    monkeypatch.setattr(sys, "argv", ["configure", "--to", str(tmp_path / "out")])
    assert configure.main() == 0
    assert {path for path in (tmp_path / "out").rglob("*") if path.is_file()} == written


# ------------------------------------------------------------------ telling somebody


@pytest.fixture
def pointer(tmp_path: Path, publish_sample: Callable[..., Sample]) -> Path:
    """A publication for one test, and the note of its build."""
    built = publish_sample().pointer
    shutil.copytree(built.parent, tmp_path / "warehouse", symlinks=True)
    return tmp_path / "warehouse" / built.name


def test_a_failed_unit_is_reported_by_the_mail_program_of_the_machine(tmp_path):
    unit = (ROOT / "deploy" / "systemd" / "policeyar-notify@.service").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=(.+)", unit, re.MULTILINE)
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(f"#!/bin/sh\necho $@ > {tmp_path}/options\ncat > {tmp_path}/message\n")
    sendmail.chmod(0o755)
    # What systemd makes of the line.
    for escaped, plain in {"%i": "policeyar-build.service", "%H": "h", "%%": "%", "$$": "$", r"\\": "\\"}.items():
        line = line.replace(escaped, plain)
    subprocess.run(shlex.split(line.replace("/usr/sbin/sendmail", str(sendmail))), check=True)
    assert (tmp_path / "options").read_text() == "-t -i\n"
    assert (tmp_path / "message").read_text() == (
        "To: root\nSubject: policeyar: policeyar-build.service failed on h\n\njournalctl -u policeyar-build.service tells more.\n"
    )


@pytest.mark.slow
def test_a_late_build_is_a_failure(pointer):
    assert run("ready", "--from", str(pointer)).returncode == 0
    os.utime(os.path.realpath(pointer), (0, 0))
    late = run("ready", "--from", str(pointer))
    assert late.returncode == 1
    assert "days old" in late.stderr
