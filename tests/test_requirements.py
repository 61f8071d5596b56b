"""The lock files against the requirements: every package pinned, with hashes, and no package that nothing requires."""

import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LISTS = ("requirements", "requirements-dev")


def direct(name: str) -> dict[str, Requirement]:
    """The pins of a requirements file and of the files that it includes, by canonical name."""
    requirements = {}
    for line in (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            requirements |= direct(line.removeprefix("-r ").removesuffix(".txt"))
        elif line and not line.startswith("#"):
            requirement = Requirement(line)
            requirements[canonicalize_name(requirement.name)] = requirement
    return requirements


def locked(name: str) -> dict[str, list[tuple[Version, Marker | None, int]]]:
    """Each package of a lock file: version, marker and number of hashes; several if they differ by Python version."""
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    versions: dict[str, list[tuple[Version, Marker | None, int]]] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pin, *hashes = re.split(r"\s+--hash=sha256:", line.strip())
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in hashes), pin
        requirement = Requirement(pin)
        (version,) = requirement.specifier
        assert version.operator == "=="
        entry = (Version(version.version), requirement.marker, len(hashes))
        versions.setdefault(canonicalize_name(requirement.name), []).append(entry)
    return versions


def here(name: str) -> dict[str, Version]:
    """The packages of a lock file that this Python installs."""
    return {
        package: version
        for package, entries in locked(name).items()
        for version, marker, _ in entries
        if marker is None or marker.evaluate()
    }


@pytest.mark.parametrize("name", LISTS)
def test_every_locked_package_has_a_hash(name):
    packages = locked(name)
    assert packages
    assert not [package for package, entries in packages.items() if not all(count for *_, count in entries)]


@pytest.mark.parametrize("name", LISTS)
def test_every_pin_is_locked_at_its_version(name):
    lock = here(name)
    for package, requirement in direct(name).items():
        assert [(pin.operator) for pin in requirement.specifier] == ["=="], f"{package} is not pinned"
        assert package in lock, f"{package} is missing from {name}.lock: run make lock"
        assert lock[package] in requirement.specifier, f"{package}: run make lock"


@pytest.mark.parametrize("name", LISTS)
def test_the_lock_holds_what_the_pins_bring_and_nothing_else(name):
    lock = here(name)
    waiting = [(package, requirement.extras) for package, requirement in direct(name).items()]
    reached = set()
    while waiting:
        package, extras = waiting.pop()
        if (package, frozenset(extras)) in reached:
            continue
        reached.add((package, frozenset(extras)))
        try:
            needs = requires(package) or []
        except PackageNotFoundError:
            pytest.fail(f"{package} is not installed: run make test anew")
        for need in map(Requirement, needs):
            is_needed = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            if is_needed:
                other = canonicalize_name(need.name)
                assert other in lock, f"{package} needs {other}: run make lock"
                assert need.specifier.contains(lock[other], prereleases=True), f"{package} needs {need}: run make lock"
                waiting.append((other, need.extras))
    assert set(lock) == {package for package, _ in reached}, "run make lock"


def test_tests_run_on_the_versions_that_readers_get():
    run, dev = here("requirements"), here("requirements-dev")
    assert not {package for package in run if dev.get(package) != run[package]}


@pytest.mark.parametrize("name", LISTS)
def test_a_lock_names_no_index(name):
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--find-links|@ file", text)
