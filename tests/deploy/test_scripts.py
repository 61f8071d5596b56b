"""install.sh and rollback.sh under systemd: what is linked and started, in which order, and that a fault leaves all as it was.

They run as root of a namespace with folders of their own. Each program that would change the machine (systemctl, useradd,
apt-get, pip, …) is replaced by one that notes the call with the version in use, and fails where the test wants it.
"""

import hashlib
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        subprocess.run("unshare -rm mount -t tmpfs none /run", shell=True, capture_output=True).returncode != 0,
        reason="no namespace can be made here",
    ),
]
_PATHS = {"opt": "/opt", "etc": "/etc", "lib": "/var/lib", "run": "/run", "sbin": "/usr/sbin"}
_NAMESPACE = "\n".join(
    ["set -eu", *(f"mount --bind {name} {path}" for name, path in _PATHS.items()), 'cd "$1"; exec "$2"']
)
_NOTE = """#!/bin/sh
name=${0##*/} version=$(readlink /opt/policeyar/current) version=${version##*/}
echo "$version: $name $*" >> "$MACHINE/calls"
case "$version: $name $*" in $FAULT) echo "$name fails on purpose" >&2; exit 1 ;; esac
"""
_PROGRAMS = {
    "systemctl": """
verb=$1 now='' units=''
for word; do case $word in --now) now=yes ;; *.service | *.timer | *.path) units="$units $word" ;; esac; done
for unit in $units; do
    case $verb in
        enable)
            echo > "$MACHINE/enabled/$unit"
            [ -z "$now" ] || [ -e "$MACHINE/running/$unit" ] || echo "$version" > "$MACHINE/running/$unit" ;;
        disable) rm -f "$MACHINE/enabled/"$(echo "$unit" | sed 's/@[.]/@*./'); [ -z "$now" ] || rm -f "$MACHINE/running/$unit" ;;
        stop)
            # As systemd answers for a unit that it does not know.
            [ -e "/etc/systemd/system/$(echo "$unit" | sed 's/@[*]/@/')" ] || exit 5
            rm -f "$MACHINE/running/"$unit ;;
        restart) echo "$version" > "$MACHINE/running/$unit" ;;
        is-enabled) [ -e "$MACHINE/enabled/$unit" ] || exit 1 ;;
    esac
done""",
    "id": "echo 0",
    "groupadd": "echo policeyar:x:0: >> /etc/group",
    "useradd": "echo policeyar:x:0:0::/:/bin/sh >> /etc/passwd",
    "runuser": 'shift 3; exec "$@"',
    "dpkg-deb": "echo nginx-light",
    "dpkg-query": "echo not-installed",
    "apt-get": "cp /usr/sbin/id /usr/sbin/nginx",
    # The settings are read by the real one.
    "python3.99": """
version=${PWD##*/}
case "$version: $*" in $FAULT) echo "python fails on purpose" >&2; exit 1 ;; esac
case "$*" in
    "-B -m etl doctor --without-publication")
        echo "ok     fonts: 4 files"
        [ ! -e "$MACHINE/faulty-$version" ] || { echo "FAULT  disk: full"; exit 1; } ;;
    "-m venv"*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
    "-m pip"*) ;;
    "-m deploy.configure"*)
        rm -rf "$4/systemd"
        mkdir -p "$4/systemd/policeyar-build.timer.d"
        echo "$version" | tee "$4/nginx.conf" > "$4/systemd/policeyar-build.timer.d/settings.conf" ;;
    *) exec "$REAL" "$@" ;;
esac""",
}


class Machine:
    """A Debian with systemd and without nginx, as far as the scripts see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "etc/policeyar/settings.toml"

    def make(self) -> None:
        """Make its folders and programs."""
        folder = self.folder
        for name in (*_PATHS, "run/systemd/system", "etc/systemd/system", "enabled", "running"):
            (folder / name).mkdir(parents=True)
        (folder / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
        (folder / "etc/group").write_text("root:x:0:\n")
        for name, does in _PROGRAMS.items():
            program = folder / "sbin" / name
            program.write_text(_NOTE + does)
            program.chmod(0o755)

    def archive(self, version: str) -> Path:
        """An unpacked archive, whose units tell its version."""
        tree = self.folder / "archives" / version
        shutil.copytree(ROOT / "deploy", tree / "code/deploy", ignore=shutil.ignore_patterns("__pycache__"))
        # What reads the settings.
        shutil.copytree(ROOT / "etl/core", tree / "code/etl/core", ignore=shutil.ignore_patterns("__pycache__"))
        for path in (tree / "code/deploy/logrotate", *(tree / "code/deploy/systemd").iterdir()):
            path.write_text(f"# {version}\n{path.read_text()}")
        settings = tree / "code/deploy/settings.toml"
        settings.write_text(settings.read_text().replace("# processes = 0", "processes = 2"))
        for script in ("install.sh", "rollback.sh"):
            shutil.copy(ROOT / "deploy" / script, tree)
        for name, content in (
            ("VERSION", version),
            ("PYTHON", "3.99"),
            ("debian/nginx.deb", ""),
            ("wheels/pip-1.whl", ""),
        ):
            (tree / name).parent.mkdir(exist_ok=True)
            (tree / name).write_text(content)
        self.list_files(tree)
        return tree

    def list_files(self, tree: Path) -> None:
        """Write the list of files of an unpacked archive."""
        files = [path for path in sorted(tree.rglob("*")) if path.is_file() and path.name != "SHA256SUMS"]
        sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files)
        (tree / "SHA256SUMS").write_text("".join(sums))

    def install(self, version: str, fault: str = "") -> subprocess.CompletedProcess[str]:
        tree = self.folder / "archives" / version
        return self._run(tree if tree.exists() else self.archive(version), "./install.sh", fault)

    def roll_back(self, fault: str = "") -> subprocess.CompletedProcess[str]:
        return self._run(self.folder, "/opt/policeyar/rollback.sh", fault)

    def _run(self, cwd: Path, script: str, fault: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "calls").write_text("")
        return subprocess.run(
            ["unshare", "-rm", "sh", "-c", _NAMESPACE, "sh", str(cwd), script],
            cwd=self.folder,
            env={
                "PATH": "/usr/sbin:/usr/bin:/bin",
                "MACHINE": str(self.folder),
                "FAULT": fault,
                "REAL": sys.executable,
            },
            capture_output=True,
            text=True,
        )

    def calls(self, program: str) -> list[str]:
        """The calls of a program in their order, each after the version in use."""
        lines = (self.folder / "calls").read_text().replace(" --quiet", "").splitlines()
        return [line.replace(f"{program} ", "", 1) for line in lines if line.split()[1] == program]

    def link(self, name: str) -> str:
        return (self.folder / "opt/policeyar" / name).readlink().name

    def names(self, folder: str) -> set[str]:
        return {path.name for path in (self.folder / folder).iterdir()}

    def state(self, without: str = "nothing") -> dict[str, str]:
        """Mode and content of every file, and the version of each unit that runs."""
        files = {}
        for top in ("opt", "etc", "lib", "enabled", "running"):
            for path in sorted((self.folder / top).rglob("*")):
                name = str(path.relative_to(self.folder))
                if without not in name:
                    content = (
                        path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else "folder"
                    )
                    files[name] = f"{stat.filemode(path.lstat().st_mode)} {content!r}"
        return files


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    new_machine = Machine(tmp_path)
    new_machine.make()
    return new_machine


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.make()
    for version in ("1", "2"):
        assert machine.install(version).returncode == 0
    return machine.folder


@pytest.fixture
def installed(two_versions: Path, tmp_path: Path) -> Machine:
    """A machine where version 2 is in use, and 1 was before."""
    shutil.copytree(two_versions, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Machine(tmp_path)


WEB = {"policeyar-web@0.service", "policeyar-web@1.service"}
NGINX = {"policeyar-nginx.service"}
BUILDS = {"policeyar-build.timer", "policeyar-work.path", "policeyar-work.timer", "policeyar-ready.timer"}


def test_a_bare_machine_gets_its_user_nginx_and_units_and_a_second_run_changes_nothing(machine: Machine) -> None:
    result = machine.install("1")
    assert (result.returncode, result.stdout) == (0, "installed 1\n")
    assert result.stderr.startswith("install.sh: no /etc/policeyar/release.pub, so nothing says who made this archive")
    assert machine.link("current") == "1"
    assert "previous" not in machine.names("opt/policeyar")
    assert machine.names("enabled") == machine.names("running") == WEB | NGINX | BUILDS
    units = machine.names("etc/systemd/system")
    assert units == {path.name for path in (ROOT / "deploy/systemd").iterdir()} | {"policeyar-build.timer.d"}
    assert (machine.folder / "etc/logrotate.d/policeyar").is_file()
    # Root's own folder, where the archive may lie, is closed to apt's user.
    assert "-o APT::Sandbox::User=root" in machine.calls("apt-get")[0]
    assert len(machine.calls("groupadd")) == len(machine.calls("useradd")) == len(machine.calls("apt-get")) == 1
    # Units are known before any is started, the version is switched before, and nginx comes last.
    assert machine.calls("systemctl") == [
        ": disable --now nginx.service",
        "1: daemon-reload",
        "1: reset-failed policeyar-*",
        "1: enable policeyar-web@0.service",
        "1: restart policeyar-web@0.service",
        "1: enable policeyar-web@1.service",
        "1: restart policeyar-web@1.service",
        "1: is-enabled policeyar-web@2.service",
        "1: disable --now policeyar-pull.timer",
        "1: enable --now policeyar-build.timer policeyar-work.path policeyar-work.timer policeyar-ready.timer",
        "1: enable policeyar-nginx.service",
        "1: restart policeyar-nginx.service",
    ]
    state = machine.state()
    assert machine.install("1").returncode == 0
    assert machine.state() == state
    assert not machine.calls("useradd")
    assert "1: disable --now nginx.service" not in machine.calls("systemctl"), "somebody may have started it since"


def test_an_upgrade_keeps_data_and_settings_and_the_way_back_and_forth(machine: Machine) -> None:
    machine.install("1")
    machine.settings.write_text(machine.settings.read_text() + "# ours\n")
    (machine.folder / "lib/policeyar/identity.key").write_text("key")
    first = machine.state(without="releases")
    assert machine.install("2").stdout == "installed 2\n"
    second = machine.state()
    assert (machine.link("current"), machine.link("previous")) == ("2", "1")
    changes = {name for name, content in machine.state(without="releases").items() if first.get(name) != content}
    assert changes == {"opt/policeyar/current", "opt/policeyar/previous", "etc/policeyar/nginx.conf"} | {
        "etc/policeyar/systemd/policeyar-build.timer.d/settings.conf",
        "etc/systemd/system/policeyar-build.timer.d/settings.conf",
        "etc/logrotate.d/policeyar",
        *(f"etc/systemd/system/{path.name}" for path in (ROOT / "deploy/systemd").iterdir()),
        *(f"running/{unit}" for unit in WEB | NGINX),
    }
    assert machine.roll_back().returncode == 0
    assert (machine.link("current"), machine.link("previous")) == ("1", "2")
    first["opt/policeyar/previous"] = machine.state()["opt/policeyar/previous"]
    assert machine.state(without="releases") == first
    assert machine.roll_back().returncode == 0
    assert machine.state() == second


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("*: id -u", "run as root"),
        ("3: -m venv *", "nothing was changed"),
        ("3: -m pip *", "nothing was changed"),
        ("3: -m deploy.configure *", "correct the errors above"),
        ("3: systemctl daemon-reload", "version 2 is in use, as before"),
        ("3: systemctl restart policeyar-web@0.service", "version 2 is in use, as before"),
        ("3: systemctl restart policeyar-web@1.service", "version 2 is in use, as before"),
        ("3: systemctl restart policeyar-nginx.service", "version 2 is in use, as before"),
        ("3: systemctl enable * policeyar-build.timer *", "version 2 is in use, as before"),
    ],
)
def test_a_fault_of_an_upgrade_leaves_all_as_it_was(installed: Machine, fault: str, message: str) -> None:
    before = installed.state()
    result = installed.install("3", fault)
    assert result.returncode == 1
    assert message in result.stderr
    assert "installed" not in result.stdout
    assert installed.state(without="releases/3") == before


@pytest.mark.parametrize("fault", ["2: -m venv *", "2: -m pip *"])
def test_a_fault_of_a_second_run_leaves_the_version_in_use(installed: Machine, fault: str) -> None:
    before = installed.state()
    assert installed.install("2", fault).returncode == 1
    assert installed.state() == before


@pytest.mark.parametrize("fault", ["1: -m deploy.configure *", "1: systemctl restart policeyar-web@1.service"])
def test_a_fault_on_the_way_back_leaves_all_as_it_was(installed: Machine, fault: str) -> None:
    before = installed.state()
    result = installed.roll_back(fault)
    assert result.returncode == 1
    assert "fails on purpose" in result.stderr
    assert "version 1 cannot be used" in result.stderr
    assert installed.state() == before


@pytest.mark.parametrize("version", ["3", "2", "1"])
def test_a_version_with_a_fault_of_the_installation_does_not_come_into_use(installed: Machine, version: str) -> None:
    before = installed.state()
    (installed.folder / f"faulty-{version}").touch()
    result = installed.roll_back() if version == "1" else installed.install(version)
    assert result.returncode == 1
    assert f"FAULT  disk: full\nactivate.sh: version {version} is not put into use" in result.stderr
    assert "ok " not in result.stderr
    assert installed.state(without="releases/3") == before
    assert not installed.calls("systemctl")
    (user,) = {call.partition(" --")[0] for call in installed.calls("runuser")}
    assert user == "2: -u policeyar", "to root all is permitted"


def test_a_fault_of_the_installation_does_not_stop_the_way_back_to_what_ran(installed: Machine) -> None:
    before = installed.state()
    (installed.folder / "faulty-2").touch()
    result = installed.install("3", "3: systemctl restart policeyar-web@0.service")
    assert "version 2 is in use, as before" in result.stderr
    assert installed.state(without="releases/3") == before


def extended(machine: Machine, version: str) -> None:
    """A version with units and a drop-in of its own, which its activate.sh and configure bring."""
    deploy = machine.archive(version) / "code/deploy"
    for unit in ("policeyar-sweep.timer", "policeyar-sweep.service", "policeyar-mail@.service"):
        (deploy / "systemd" / unit).write_text(f"# {version}\n")
    script = deploy / "activate.sh"
    words = script.read_text()
    units = "policeyar-sweep.timer policeyar-mail@a.service"
    words = words.replace(" policeyar-ready.timer", f" policeyar-ready.timer {units}")
    drop_in = '"$CONFIG/systemd/policeyar-ready.timer.d"'
    script.write_text(words.replace("trap go_back", f"mkdir {drop_in}; echo > {drop_in}/settings.conf\ntrap go_back"))
    machine.list_files(deploy.parents[1])


def test_units_that_only_a_newer_version_has_go_with_it(installed: Machine) -> None:
    ours = installed.folder / "etc/systemd/system/policeyar-build.service.d/offer.conf"
    ours.parent.mkdir()
    ours.write_text("[Service]\n")
    (ours.parents[1] / "policeyar-ours.timer").write_text("[Timer]\n")
    before = installed.state(without="previous")
    extended(installed, "3")
    assert installed.install("3").returncode == 0
    assert {"policeyar-sweep.timer", "policeyar-mail@a.service"} < installed.names("running") & installed.names(
        "enabled"
    )
    assert "policeyar-ready.timer.d" in installed.names("etc/systemd/system")
    (installed.folder / "etc/systemd/system/policeyar-sweep.service").unlink()
    assert installed.roll_back().returncode == 0
    after = installed.state(without="previous")
    assert {name: text for name, text in after.items() if "releases/3" not in name} == before
    # They are stopped while systemd knows them, and forgotten before anything is started.
    calls = installed.calls("systemctl")
    assert calls.index("2: stop policeyar-sweep.timer") < calls.index("2: daemon-reload")


def test_units_of_a_newer_version_that_does_not_start_go_with_it(installed: Machine) -> None:
    before = installed.state()
    extended(installed, "3")
    result = installed.install("3", "3: systemctl restart policeyar-nginx.service")
    assert "version 2 is in use, as before" in result.stderr
    assert installed.state(without="releases/3") == before


def test_the_version_in_use_can_be_named_by_its_link(installed: Machine) -> None:
    before = installed.state()
    script = installed.folder / "again"
    script.write_text("#!/bin/sh\nexec sh /opt/policeyar/current/deploy/activate.sh /opt/policeyar/current\n")
    script.chmod(0o755)
    assert installed._run(installed.folder, "./again", "").returncode == 0
    assert installed.state() == before


def test_a_previous_version_that_does_not_start_either_is_reported(installed: Machine) -> None:
    result = installed.install("3", "*systemctl restart policeyar-web@0.service")
    assert result.returncode == 1
    assert re.findall(r"version (\d) does not start", result.stderr) == ["3", "2"]
    assert "as before" not in result.stderr
    assert installed.link("current") == "2"


def test_a_first_version_that_does_not_start_is_reported(machine: Machine) -> None:
    result = machine.install("1", "1: systemctl restart policeyar-web@0.service")
    assert result.returncode == 1
    assert "version 1 does not start; see above and journalctl" in result.stderr
    # What was mended starts.
    assert machine.install("1").returncode == 0


def test_without_a_version_before_there_is_no_way_back(installed: Machine) -> None:
    shutil.rmtree(installed.folder / "opt/policeyar/releases/1")
    before = installed.state()
    result = installed.roll_back()
    assert (result.returncode, result.stderr) == (1, "rollback.sh: no version before this one is kept\n")
    assert installed.state() == before


def test_a_damaged_archive_and_faulty_settings_install_nothing(installed: Machine) -> None:
    before = installed.state()
    tree = installed.archive("3")
    (tree / "VERSION").write_text("4")
    assert "archive is damaged" in installed.install("3").stderr
    assert installed.state() == before
    installed.settings.write_text(installed.settings.read_text().replace("processes = 2", 'processes = "two"'))
    before = installed.state()
    result = installed.install("5")
    assert result.returncode == 1
    assert "web.processes" in result.stderr
    assert installed.state() == before


@pytest.mark.parametrize(
    "name", ["code/deploy/more.sh", "wheels/more 1.whl", "code/etl/core/.hidden", "debian/link.deb"]
)
def test_a_file_that_the_list_does_not_name_refuses_the_installation(installed: Machine, name: str) -> None:
    before = installed.state()
    more = installed.archive("3") / name
    more.symlink_to("nginx.deb") if "link" in name else more.write_text("more")
    result = installed.install("3")
    assert result.returncode == 1
    assert f"the archive holds what its list does not name: {name}" in result.stderr
    assert installed.state() == before


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="openssh-client is not installed")
def test_with_the_makers_key_only_what_is_signed_with_it_is_installed(installed: Machine) -> None:
    keys = installed.folder / "keys"
    keys.mkdir()
    for name in ("maker", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(keys / name)], check=True)
    shutil.copy(keys / "maker.pub", installed.folder / "etc/policeyar/release.pub")
    before, tree = installed.state(), installed.archive("3")

    def sign(name: str) -> None:
        (tree / "SHA256SUMS.sig").unlink(missing_ok=True)
        words = ["ssh-keygen", "-Y", "sign", "-q", "-n", "policeyar", "-f", str(keys / name), str(tree / "SHA256SUMS")]
        subprocess.run(words, check=True)

    sums = (tree / "SHA256SUMS").read_text()
    for spoil in (
        lambda: None,
        lambda: sign("other"),
        lambda: (sign("maker"), (tree / "SHA256SUMS").write_text(sums + "\n")),
    ):
        spoil()
        result = installed.install("3")
        assert "is not signed with the key" in result.stderr
        assert (result.returncode, installed.state()) == (1, before)
    (tree / "SHA256SUMS").write_text(sums)
    assert installed.install("3").returncode == 0


def test_changed_settings_change_what_runs(machine: Machine) -> None:
    machine.install("1")
    words = machine.settings.read_text().replace("processes = 2", "processes = 1")
    machine.settings.write_text(words.replace('# source = ""', 'source = "builder:"'))
    assert machine.install("1").returncode == 0
    pulls = {"policeyar-pull.timer", "policeyar-ready.timer"}
    assert machine.names("enabled") == machine.names("running") == {"policeyar-web@0.service"} | NGINX | pulls


def test_an_existing_nginx_keeps_running(machine: Machine) -> None:
    shutil.copy(machine.folder / "sbin/id", machine.folder / "sbin/nginx")
    assert machine.install("1").returncode == 0
    assert not [call for call in machine.calls("systemctl") if "nginx.service" in call.replace("policeyar-nginx", "")]


def test_without_systemd_the_start_command_is_printed(machine: Machine) -> None:
    (machine.folder / "run/systemd/system").rmdir()
    result = machine.install("1")
    assert result.returncode == 0
    assert "/opt/policeyar/current/deploy/start.sh" in result.stdout
    assert machine.link("current") == "1"
    assert not machine.calls("systemctl")


def test_a_container_takes_orders_until_one_of_its_processes_ends(tmp_path: Path) -> None:
    programs = {
        "python": """
case "$*" in
    "-c"*) echo "2 $MACHINE $MACHINE" ;;
    "-m deploy.web"*) exec sleep infinity ;;
    "-m etl work") rm "$MACHINE"/orders/*.json ;;
esac""",
        "setpriv": 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
        "nginx": "for try in $(seq 500); do [ -e orders/*.json ] && sleep 0.02; done",
        "sleep": 'case $1 in 10) set -- 0.02 ;; esac; exec /bin/sleep "$1"',
    }
    for folder in (".venv/bin", "bin", "deploy", "orders"):
        (tmp_path / folder).mkdir(parents=True)
    for name, does in programs.items():
        program = tmp_path / (".venv/bin" if name == "python" else "bin") / name
        program.write_text(f"{_NOTE}{does}\n")
        program.chmod(0o755)
    script = (ROOT / "deploy/start.sh").read_text().replace("/usr/sbin/nginx", "nginx")
    (tmp_path / "deploy/start.sh").write_text(script)
    (tmp_path / "orders/1-publish.json").touch()
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "MACHINE": str(tmp_path), "FAULT": "none"}
    ended = subprocess.run(["bash", "deploy/start.sh"], cwd=tmp_path, env=environment)
    assert ended.returncode == 1, "it ends with nginx"
    calls = (tmp_path / "calls").read_text()
    assert "setpriv --reuid policeyar --regid policeyar --init-groups -- .venv/bin/python -m etl work\n" in calls
