"""The archive: its content, and an installation, an upgrade and a rollback without any network."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from deploy import dist, known_faults
from tests.effort import draws, thorough
from tests.serving import ROOT

SCRIPTS = ("install.sh", "rollback.sh", "activate.sh", "start.sh")
# A throwaway copy of this machine without network: writes go to memory and end with the process.
_NAMESPACE = """
set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
mount --rbind /dev "$1/root/dev"
mkdir "$1/root/root/in"
tar -xzf "$2" -C "$1/root/root/in"
ip link set lo up
exec chroot "$1/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -eu -c "$3"
"""
_STORY = """
cd /root/in/policeyar*
as() { setpriv --reuid policeyar --regid policeyar --clear-groups "$@"; }
say() { echo "STEP $*"; }

cp VERSION kept; echo spoilt > VERSION
./install.sh 2>/dev/null && exit 1
[ ! -e /opt/policeyar ] && say damaged archive refused
cp kept VERSION; rm kept
touch code/deploy/more.sh
./install.sh 2>/dev/null && exit 1
[ ! -e /opt/policeyar ] && say a file more refused
rm code/deploy/more.sh

./install.sh >/dev/null; say installed "$(basename "$(readlink /opt/policeyar/current)")"
as cp code/tests-sample/*.csv /var/lib/policeyar/incoming/
cd /opt/policeyar/current
as .venv/bin/python -m etl build >/dev/null; say built
as .venv/bin/python -m etl doctor >/dev/null && say well
echo '# ours' >> /etc/policeyar/settings.toml

cd /root/in/policeyar*
echo 9.9.9 > VERSION
sed -i '/ VERSION$/d' SHA256SUMS; sha256sum VERSION >> SHA256SUMS
./install.sh >/dev/null; say upgraded "$(basename "$(readlink /opt/policeyar/current)")"
tail -n 1 /etc/policeyar/settings.toml | grep -q ours && say settings kept
cd /opt/policeyar/current
as .venv/bin/python -m etl doctor >/dev/null && say data kept

# After a start of the machine, from a shell in the folder of the version before.
cd /opt/policeyar/previous/
rm -rf /run/policeyar
/opt/policeyar/current/deploy/start.sh >/dev/null & all=$!
/opt/policeyar/current/.venv/bin/python -c "$WATCH" && say all processes are of the version in use
kill "$(cat /run/policeyar/nginx.pid)"
wait $all || say all end when one of them ends

/opt/policeyar/rollback.sh >/dev/null; say back at "$(basename "$(readlink /opt/policeyar/current)")"
cd /opt/policeyar/current
as .venv/bin/python -m etl doctor >/dev/null && say well

truncate -s 9 /opt/policeyar/previous/static/fonts/Vazirmatn-Bold.woff2
/opt/policeyar/rollback.sh 2>&1 >/dev/null | grep -q 'FAULT  fonts: .*Bold.* damaged'
say a damaged font leaves "$(basename "$(readlink /opt/policeyar/current)")"

sed -i 's/^host = .*/host = 7/' /etc/policeyar/settings.toml
cd /root/in/policeyar*
echo 9.9.10 > VERSION
sed -i '/ VERSION$/d' SHA256SUMS; sha256sum VERSION >> SHA256SUMS
./install.sh >/dev/null 2>&1 && exit 1
say faulty settings leave "$(basename "$(readlink /opt/policeyar/current)")"
"""


# Waits until each web process answers, and says whether they run in the folder of the version in use.
_WATCH = """
import glob, os, time, urllib.request
for port in (8501, 8502):
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f'http://127.0.0.1:{port}/healthz', timeout=180)
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.2)
folders = set()
for process in glob.glob('/proc/[0-9]*'):
    try:
        with open(process + '/cmdline', 'rb') as file:
            command = file.read()
        # Not this process, which has the word in its own command line, nor one outside of the namespace.
        if command.startswith(b'/opt/policeyar/') and b'dash' b'board.py' in command:
            folders.add(os.readlink(process + '/cwd'))
    except OSError:
        # It has ended since.
        continue
assert folders == {os.path.realpath('/opt/policeyar/current')}, folders
"""


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_are_sh(name):
    subprocess.run(["bash" if name == "start.sh" else "sh", "-n", str(ROOT / "deploy" / name)], check=True)


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    key = tmp_path_factory.mktemp("key") / "maker"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with pytest.MonkeyPatch.context() as patch:
        if not draws(0, 1):
            # They are fetched from the index.
            patch.setattr(dist, "_wheels", lambda to, _: to.mkdir())
        return dist.make(tmp_path_factory.mktemp("dist"), with_debian=False, sign=key)


@pytest.fixture(scope="module")
def tree(archive, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return unpacked


@pytest.mark.slow
def test_every_file_has_its_digest_and_every_package_its_licence(tree):
    sums = dict(reversed(line.split("  ", 1)) for line in (tree / "SHA256SUMS").read_text().splitlines())
    files = {
        str(path.relative_to(tree)): path
        for path in tree.rglob("*")
        if path.is_file() and not path.name.startswith("SHA256SUMS")
    }
    assert set(sums) == set(files)
    assert not [name for name, path in files.items() if hashlib.sha256(path.read_bytes()).hexdigest() != sums[name]]
    assert (tree / "SHA256SUMS.sig").read_text().startswith("-----BEGIN SSH SIGNATURE-----")
    named = _packages(tree)
    with (tree / "licences.csv").open(encoding="utf-8", newline="") as file:
        licences = {_plain(row["package"]): row["licence"] for row in csv.DictReader(file)}
    assert named <= set(licences)
    assert all(licences.values())
    bill = json.loads((tree / "sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    listed = {_plain(component["name"]): component for component in bill["components"]}
    assert named | {"plotly-js", "@streamlit/app", "vazirmatn-regular", "vazirmatn-fd-bold"} <= set(listed)
    assert all(component["version"] and component["purl"] for component in listed.values())


@thorough
@pytest.mark.slow
def test_every_package_has_its_wheel(tree):
    wheels = {_plain(path.name.split("-")[0]) for path in (tree / "wheels").iterdir()}
    assert wheels == _packages(tree) | {"pip"}


def _packages(tree: Path) -> set[str]:
    lock = (tree / "code" / "requirements.lock").read_text()
    return {_plain(name) for name in re.findall(r"(?m)^([A-Za-z0-9_.-]+)==", lock)} - {"colorama"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.slow
def test_the_archive_names_no_index_and_holds_no_data(tree):
    for name in ("tests", "bench"):
        assert not (tree / "code" / name).exists()
    assert not list((tree / "code" / "data" / "incoming").glob("[!.]*"))
    bill = json.loads((tree / "sbom.cdx.json").read_text())
    sources = {
        reference["url"] for component in bill["components"] for reference in component.get("externalReferences", ())
    }
    assert sources == {"wheels/"}
    assert "://" not in (tree / "code" / "requirements.lock").read_text()


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg is not installed")
def test_the_bill_of_materials_names_the_packages_of_debian(tmp_path):
    control = tmp_path / "package" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    words = {"Package": "nginx-light", "Version": "1.26.3-3+deb13u1", "Architecture": "all", "Maintainer": "x"}
    control.write_text("".join(f"{name}: {word}\n" for name, word in words.items()) + "Description: x\n")
    subprocess.run(
        ["dpkg-deb", "-b", str(control.parents[1]), str(tmp_path / "a.deb")], check=True, capture_output=True
    )
    assert {
        "type": "library",
        "name": "nginx-light",
        "version": "1.26.3-3+deb13u1",
        "purl": "pkg:deb/debian/nginx-light@1.26.3-3%2Bdeb13u1?arch=all",
    } in dist._beside_python(tmp_path)


def audited(*packages: dict[str, object]) -> tuple[list[str], int]:
    known = [{"name": f"p{number}", "version": "1", "vulns": []} for number in range(30)]
    return known_faults.judge({"dependencies": [*known, *packages]})


def test_a_licence_that_the_owner_has_not_chosen_is_said(tmp_path):
    assert [line.partition(":")[0] for line in dist.warnings(tmp_path)] == ["LICENSE is missing"]
    (tmp_path / "LICENSE").write_text("…")
    assert dist.warnings(tmp_path) == []


def test_the_archive_says_that_its_licence_is_missing(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(dist, "make", lambda *_: tmp_path / "made.tar.gz")
    monkeypatch.setattr(dist, "warnings", lambda: ["LICENSE is missing"])
    monkeypatch.setattr(sys, "argv", ["dist"])
    assert dist.main() == 0
    assert capsys.readouterr() == (f"{tmp_path}/made.tar.gz\n", "warning: LICENSE is missing\n")


def test_a_package_that_the_index_lacks_is_named_and_a_known_fault_fails():
    lacking: dict[str, object] = {"name": "lacking", "skip_reason": "not found"}
    fault: dict[str, object] = {"name": "old", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
    assert audited(lacking) == (["not looked up: lacking", "30 of 31 packages looked up, 0 known faults"], 0)
    lines, code = audited(lacking, fault)
    assert (lines[1], code) == ("FAULT  old 2: CVE-1, mended in 3", 1)
    lines, code = audited(*[lacking] * 9)
    assert (lines[-1].partition(":")[0], code) == ("NOT AUDITED", 1), "an index without advisories is no audit"


def _can_be_tried() -> bool:
    if os.geteuid() or not shutil.which("unshare") or not Path("/usr/bin/python3.13").exists():
        return False
    trial = (
        "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/r && "
        "mount -t overlay o -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r"
    )
    return subprocess.run(["unshare", "-n", "-m", "sh", "-c", trial], capture_output=True).returncode == 0


@thorough
@pytest.mark.slow
@pytest.mark.skipif(not _can_be_tried(), reason="no namespace with Debian's own Python can be made here")
def test_installed_upgraded_and_gone_back_without_network(archive, tmp_path):
    version = dist.version()
    (tmp_path / "space").mkdir()
    story = _STORY.replace("code/tests-sample", str(ROOT / "tests" / "sample")).replace("$WATCH", _WATCH)
    ended = subprocess.run(
        ["unshare", "-n", "-m", "sh", "-c", _NAMESPACE, "sh", str(tmp_path / "space"), str(archive), story],
        capture_output=True,
        text=True,
    )
    steps = [line.removeprefix("STEP ") for line in ended.stdout.splitlines() if line.startswith("STEP ")]
    assert (ended.returncode, steps) == (
        0,
        [
            "damaged archive refused",
            "a file more refused",
            f"installed {version}",
            "built",
            "well",
            "upgraded 9.9.9",
            "settings kept",
            "data kept",
            "all processes are of the version in use",
            "all end when one of them ends",
            f"back at {version}",
            "well",
            f"a damaged font leaves {version}",
            f"faulty settings leave {version}",
        ],
    ), ended.stderr
