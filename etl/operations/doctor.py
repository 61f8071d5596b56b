"""Diagnosis of an installation, one line per check."""

import os
import re
import shlex
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb

from etl.build import identity
from etl.core import setting_types as kinds
from etl.core import settings
from etl.core.errors import Refused
from etl.core.paths import ROOT
from etl.extract import postgresql, source_folder
from etl.extract.causes import in_language
from etl.extract.contract import TABLES
from etl.operations import audit, sign_in
from etl.warehouse import official_calendar, publications, version_files
from etl.warehouse.code_version import code_version

_FONTS = ("Vazirmatn-Regular", "Vazirmatn-Bold", "Vazirmatn-FD-Regular", "Vazirmatn-FD-Bold")
# A build needs room for the new publication, its working files and the previous publications.
_LEAST_FREE = 1 << 30
_FREE_PUBLICATIONS = 4
_OLDEST_PYTHON = (3, 11)

# The subject of a check, its result in words, and whether it passed.
Finding = tuple[str, str, bool]


def examine(with_publication: bool = True) -> list[Finding]:
    """Run all checks; an error in one does not stop the others."""
    try:
        config = settings.apply()
    except settings.Faulty as error:
        return [("settings", line, False) for line in error.lines]
    where = settings.file_in_use()
    findings: list[Finding] = [("settings", str(where) if where else "no file; the defaults apply", True)]
    checks = [_versions, _permissions, _sign_in, _audit, _owed, _clock, _memory, _disk, _fonts, _scanner]
    of_data = [_publication, _calendar, _identity_key, _incoming]
    for check in [*checks, *of_data] if with_publication else checks:
        try:
            findings += check(config)
        except (OSError, duckdb.Error) as error:
            what = getattr(error, "strerror", None) or type(error).__name__
            findings.append((check.__name__.strip("_"), f"cannot be checked ({what})", False))
    return findings


def _found(what: str, faults: list[str], well: str) -> list[Finding]:
    """A finding for each fault; that all is well without any."""
    return [(what, fault, False) for fault in faults] or [(what, well, True)]


def _versions(_: settings.Settings) -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield "python", python, sys.version_info >= _OLDEST_PYTHON
    wrong = []
    pins = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if "==" in line]
    for name, required in (line.split("==") for line in pins):
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "not installed"
        if installed != required.strip():
            wrong.append(f"{name} is {installed}, {required.strip()} is required")
    yield from _found("packages", wrong, f"{len(pins)} pinned packages, all at their versions")


def _permissions(config: settings.Settings) -> Iterator[Finding]:
    folders = config.folders
    written = (folders.warehouse.parent, folders.views, folders.submissions, folders.audit, folders.backups)
    # /run is empty after a start of the machine; what starts the processes makes the folder.
    at_run = (folders.run / "web",) if folders.run.exists() else ()
    for folder in dict.fromkeys((*written, *at_run)):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        if not os.access(existing, os.W_OK | os.X_OK):
            yield "permissions", f"{folder} cannot be written by this user", False
    if not os.access(folders.incoming, os.R_OK | os.X_OK):
        yield "permissions", f"{folders.incoming} cannot be read by this user", False
    key = folders.identity_key
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield "permissions", f"{key} can be read by others: chmod 600", False
    else:
        yield "permissions", "folders and key checked", True


def _sign_in(config: settings.Settings) -> list[Finding]:
    faults: list[str] = []
    try:
        if config.sign_in.mode != "open":
            sign_in.check(config)
    except settings.Faulty as error:
        faults = error.lines
    return _found("sign-in", faults, config.sign_in.mode)


def _scanner(config: settings.Settings) -> list[Finding]:
    if not (command := config.submission.scanner):
        return []
    program = shlex.split(command)[0]
    faults = [] if os.access(program, os.X_OK) else [f"{program} is no program that this user can run"]
    return _found("scanner", faults, program)


def _audit(config: settings.Settings) -> list[Finding]:
    faults = audit.faults(config.folders.audit) if config.sign_in.mode != "open" else []
    return _found("audit log", faults, str(config.folders.audit))


def _owed(config: settings.Settings) -> Iterator[Finding]:
    """What [publication] does not tell readers: it is shown nowhere then."""
    missing = [name for name, words in asdict(config.publication).items() if not words]
    yield "publication settings", f"not set: {', '.join(missing)}" if missing else "all set", True
    days = filter(re.compile(r"\d{4}-\d\d-\d\d").fullmatch, config.publication.next_update)
    if past := [day for day in days if day < date.today().isoformat()]:
        yield "publication settings", f"next_update is past: {past[0]}", False
    if (calendar := config.publication.calendar) and max(calendar) < date.today().isoformat():
        yield "publication settings", f"every day of calendar is past; the last is {max(calendar)}", False


def _clock(config: settings.Settings) -> Iterator[Finding]:
    """Whether the clock is past the time of the newest file; there is no other clock to compare with."""
    now = time.time()
    pointer = config.folders.warehouse
    made = [path.stat().st_mtime for path in (ROOT / "requirements.txt", pointer) if path.exists()]
    if now < max(made):
        newest = datetime.fromtimestamp(max(made)).isoformat(" ", "minutes")
        yield "clock", f"is before {newest}, the time of the newest file here", False
    else:
        yield "clock", datetime.fromtimestamp(now).astimezone().isoformat(" ", "minutes"), True


def _memory(config: settings.Settings) -> Iterator[Finding]:
    """Whether a build and all web processes fit into the memory together."""
    whole = settings.machine_memory()
    build = kinds.bytes_of(config.memory.build) if config.memory.build else settings.usual_build_memory()
    count, each = settings.web_processes(config), settings.web_memory(config)
    summary = f"{count} web processes of {_gib(each)} and a build of {_gib(build)} on a machine of {_gib(whole)} GiB"
    yield "memory", summary, count * each + build <= whole


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f}"


def _disk(config: settings.Settings) -> Iterator[Finding]:
    folder = next(path for path in config.folders.warehouse.parents if path.exists())
    free = shutil.disk_usage(folder).free
    pointer = config.folders.warehouse
    needed = max(_LEAST_FREE, _FREE_PUBLICATIONS * pointer.stat().st_size if pointer.exists() else 0)
    summary = f"{_gib(free)} GiB free at {folder}"
    yield "disk", summary if free >= needed else f"{summary}, a build needs {_gib(needed)}", free >= needed


def _fonts(_: settings.Settings) -> list[Finding]:
    files = [f"static/fonts/{name}.woff2" for name in _FONTS]
    faults = [f"{file} is missing or damaged" for file in files if not _is_font(ROOT / file)]
    return _found("fonts", faults, f"{len(files)} files")


def _is_font(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    # The third word of a WOFF2 file is its own length.
    return head[:4] == b"wOF2" and int.from_bytes(head[8:], "big") == path.stat().st_size


def _publication(config: settings.Settings) -> Iterator[Finding]:
    pointer = config.folders.warehouse
    try:
        with publications.connect(pointer) as con:
            published = publications.describe(con)
            publications.read_through(con, pointer)
    except Refused as error:
        yield "publication", str(error), False
    else:
        yield "publication", f"{published.id} as of {published.as_of}, of this code ({code_version()})", True
    shown = Path(os.path.realpath(pointer))
    for path in publications.versions(pointer):
        if path != shown and publications.is_damaged(path):
            advice = "remove it, and python -m etl restore takes it from a backup"
            yield "publication", f"{path} is kept and damaged; {advice}", False
    for folder in version_files.left_over(pointer):
        yield "publication", f"{folder} is left over from a build that was killed; the next build removes it", False


def _identity_key(config: settings.Settings) -> Iterator[Finding]:
    """Whether the key is that of the publications; a host that takes them from another has none."""
    pointer = config.folders.warehouse
    if not config.replicas.source:
        fault = identity.fault(pointer, publications.comparable(pointer))
        remedy = "python -m etl restore takes it from a backup, python -m etl build --new-identity begins anew"
        yield "identity key", f"{in_language(fault, 'en')}; {remedy}" if fault else "checked", not fault


def _incoming(config: settings.Settings) -> Iterator[Finding]:
    """Whether the folder of a build holds a file of every table, as far as names tell: a workbook may hold several tables."""
    folder = config.folders.incoming
    if config.replicas.source:
        return
    try:
        files = source_folder.source_files(folder)
        tables = {table for _, table in files} | {origin.table for origin in postgresql.origins(folder)}
    except Refused as error:
        yield "incoming", in_language(str(error), "en"), False
        return
    is_told = "" not in tables and not any(path.suffix.lower() in source_folder.WORKBOOKS for path, _ in files)
    missing = [table for table in TABLES if table not in tables] if is_told else []
    submit = f"{folder} holds no file of {', '.join(missing)}; submit it"
    yield "incoming", submit if missing else str(folder), not missing


def _calendar(config: settings.Settings) -> Iterator[Finding]:
    """Whether the official calendar of the publication reaches far enough ahead, and is confirmed where days are counted."""
    try:
        with publications.connect(config.folders.warehouse) as con:
            needed = publications.describe(con).as_of + timedelta(official_calendar.DAYS_AHEAD)
            last = official_calendar.last_day(con)
            estimated = official_calendar.estimated_days(con, needed)
    except Refused:
        # Said by the check of the publication.
        return
    if last < needed:
        yield "calendar", f"ends on {last}, and {needed} is needed: add the days off to a calendar.csv and build", False
    elif estimated:
        days = f"{len(estimated)} from {estimated[0]} to {estimated[-1]}"
        yield "calendar", f"warning: estimated holidays are counted ({days}); confirm them in a calendar.csv", True
    else:
        yield "calendar", f"official days off known to {last}", True
