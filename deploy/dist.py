"""One archive that installs without internet: python -m deploy.dist --to DIR.

It holds the code as committed, the wheels of requirements.lock for the Python of the target, the Debian packages of what a
bare Debian lacks, install.sh and rollback.sh, a bill of materials (CycloneDX), the licences, and the digest of every file, signed
with --sign.
"""

import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

from plotly.offline import get_plotlyjs_version

from etl.core.files import sha256
from etl.core.paths import ROOT

# The Python of Debian 13.
_PYTHON = "3.13"
# Platforms of the wheels: every Debian from 12 on has glibc 2.36 or newer.
_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)] + [
    "manylinux2014_x86_64",
    "manylinux1_x86_64",
]
_PIP = "pip==26.1.2"
# Packages that a bare Debian lacks; each is installed only if it is missing.
_DEBIAN = ("python3", "nginx-light", "rsync", "logrotate")
# The namespace of the signature, as in install.sh.
_SIGNED_AS = "policeyar"
# Files that an installation does not need.
_LEFT_OUT = (
    "tests",
    "bench",
    ".ci",
    ".gitignore",
    "docs/overview.png",
    "requirements-dev.txt",
    "requirements-dev.lock",
)


class Failed(Exception):
    """The archive cannot be made; the text says why."""


def make(to: Path, python: str = _PYTHON, with_debian: bool = True, sign: Path | None = None) -> Path:
    """Make the archive in `to`, signed with the key `sign` of ssh-keygen; returns its path."""
    name = f"policeyar-{version()}"
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to) as aside:
        tree = Path(aside) / name
        _code(tree / "code")
        _wheels(tree / "wheels", python)
        if with_debian:
            _debian(tree / "debian")
        _materials(tree)
        for script in ("install.sh", "rollback.sh"):
            (tree / script).write_bytes((ROOT / "deploy" / script).read_bytes())
            (tree / script).chmod(0o755)
        (tree / "VERSION").write_text(version() + "\n")
        (tree / "PYTHON").write_text(python + "\n")
        files = sorted(path for path in tree.rglob("*") if path.is_file())
        sums = [f"{sha256(path)}  {path.relative_to(tree)}\n" for path in files]
        (tree / "SHA256SUMS").write_text("".join(sums))
        if sign:
            _run("ssh-keygen", "-Y", "sign", "-q", "-n", _SIGNED_AS, "-f", str(sign), str(tree / "SHA256SUMS"))
        archive = to / f"{name}.tar.gz"
        waiting = archive.with_suffix(".next")
        with tarfile.open(waiting, "w:gz", compresslevel=1) as packed:
            packed.add(tree, name, filter=_plain)
        os.replace(waiting, archive)
    return archive


def warnings(root: Path = ROOT) -> list[str]:
    """What an archive of these files lacks, and only the owner can give."""
    names = ("LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING")
    if any((root / name).is_file() for name in names):
        return []
    return [
        "LICENSE is missing: the owner of the program chooses it; without one nobody else may use or pass on this archive"
    ]


def version() -> str:
    """The version of the project, and the commit that is packed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    commit = _run("git", "rev-parse", "--short=10", "HEAD").strip()
    return f"{project['version']}+{commit}"


def _code(to: Path) -> None:
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = [member for member in archive if not member.name.startswith(_LEFT_OUT)]
        archive.extractall(to, members, filter="data")


def _wheels(to: Path, python: str) -> None:
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    common = (
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--dest",
        str(to),
    )
    target = ("--python-version", python, "--implementation", "cp", *platforms)
    _run(sys.executable, *common, *target, "--require-hashes", "-r", "requirements.lock")
    # pip, which a bare Debian lacks.
    _run(sys.executable, *common, "--no-deps", _PIP)


def _debian(to: Path) -> None:
    """All dependencies of these packages, for a bare machine; install.sh installs only the missing ones."""
    (to / "partial").mkdir(parents=True)
    (to / "status").touch()
    options = [
        *("-o", f"Dir::State::status={to}/status", "-o", f"Dir::Cache::archives={to}", "-o", "APT::Sandbox::User=root"),
        *("-o", f"Dir::Cache::pkgcache={to}/pkg.bin", "-o", f"Dir::Cache::srcpkgcache={to}/src.bin"),
    ]
    _run("apt-get", *options, "-qq", "--yes", "--no-install-recommends", "--download-only", "install", *_DEBIAN)
    for path in to.iterdir():
        if path.suffix != ".deb":
            path.rmdir() if path.is_dir() else path.unlink()


def _materials(tree: Path) -> None:
    """sbom.cdx.json and licences.csv of the installed packages."""
    tools = Path(sys.executable).parent
    bill = tree / "sbom.cdx.json"
    _run(
        *(str(tools / "cyclonedx-py"), "requirements", "requirements.lock", "--pyproject", "pyproject.toml"),
        *("--output-reproducible", "--of", "JSON", "-o", str(bill)),
    )
    # An installation takes each package from this archive, checked by these hashes.
    document = json.loads(bill.read_text(encoding="utf-8"))
    for component in document["components"]:
        for reference in component.get("externalReferences", ()):
            reference["url"] = "wheels/"
    document["components"] += _beside_python(tree / "debian")
    bill.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    names = re.findall(r"(?m)^([A-Za-z0-9_.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    licences = json.loads(_run(str(tools / "pip-licenses"), "--format=json", "--from=mixed", "--packages", *names))
    with (tree / "licences.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("package", "version", "licence"))
        writer.writerows((licence["Name"], licence["Version"], licence["License"]) for licence in licences)
        writer.writerow(("Vazirmatn", "", "OFL-1.1"))


def _beside_python(debian: Path) -> list[dict[str, str]]:
    """What requirements.lock does not name: what runs in the browser, the fonts, and the packages of Debian."""
    versions = {"plotly.js": get_plotlyjs_version(), "@streamlit/app": metadata.version("streamlit")}
    found = [
        {"type": "library", "name": name, "version": number, "purl": f"pkg:npm/{name.replace('@', '%40')}@{number}"}
        for name, number in versions.items()
    ]
    for font in sorted((ROOT / "static" / "fonts").glob("*.woff2")):
        # The fonts carry no version of their own outside of their compressed tables: the digest names them.
        number = sha256(font)[:12]
        found.append(
            {"type": "file", "name": font.stem, "version": number, "purl": f"pkg:generic/{font.stem}@{number}"}
        )
    for package in sorted(debian.glob("*.deb")):
        name, number, machine = _run(
            "dpkg-deb", "-W", "--showformat", "${Package} ${Version} ${Architecture}", str(package)
        ).split()
        purl = f"pkg:deb/debian/{name}@{number.replace('+', '%2B')}?arch={machine}"
        found.append({"type": "library", "name": name, "version": number, "purl": purl})
    return found


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _run(*command: str) -> str:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        raise Failed(f"{command[0]}: exit {result.returncode}\n{result.stderr.strip()}")
    return result.stdout


def main() -> int:
    """Make the archive and print its path."""
    parser = argparse.ArgumentParser(prog="python -m deploy.dist", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--to", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument("--python", default=_PYTHON, help="the version of the target's Python (that of Debian 13)")
    parser.add_argument("--without-debian", action="store_true", help="where the target has Python and nginx")
    parser.add_argument("--sign", type=Path, metavar="KEY", help="a private key of ssh-keygen")
    options = parser.parse_args()
    try:
        print(make(options.to.resolve(), options.python, not options.without_debian, options.sign))
        for warning in warnings():
            print(f"warning: {warning}", file=sys.stderr)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
