"""What a site needs, and the diagnosis of an installation: one line per finding.

NEEDS is the list. `python -m etl doctor` examines all of it; /readyz and `python -m etl ready` ask the part without which readers
and clerks cannot go on (`readiness.fault`); docs/operations.md says what to do.
"""

import http.client
import os
import re
import shlex
import shutil
import ssl
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb

from etl.build import identity
from etl.core import setting_types as kinds
from etl.core import settings
from etl.core.errors import Refused
from etl.core.paths import ROOT
from etl.core.store import cause
from etl.extract import postgresql, source_folder
from etl.extract.causes import in_language
from etl.extract.contract import TABLES
from etl.extract.source_folder import HANDED_IN
from etl.operations import audit, programs, readiness, sign_in, stores
from etl.warehouse import official_calendar, publications, version_files
from etl.warehouse.code_version import code_version

_FONTS = ("Vazirmatn-Regular", "Vazirmatn-Bold", "Vazirmatn-FD-Regular", "Vazirmatn-FD-Bold")
# A build needs room for the new publication, its working files and the previous publications.
_LEAST_FREE = 1 << 30
_FREE_PUBLICATIONS = 4
_OLDEST_PYTHON = (3, 11)
# A site is not left alone for so long: then the clock is ahead.
_MOST_AHEAD_SECONDS = 366 * 86_400
_PORT_SECONDS = 3.0
# An order that waits longer is not taken by anybody. A check with the whole country takes some minutes.
_ORDER_SECONDS = 1800

# What was found, in words, and whether it is well.
Finding = tuple[str, bool]


@dataclass(frozen=True)
class Need:
    """Something that the site needs: its name, which docs/operations.md has too, and what examines it."""

    name: str
    examine: Callable[[settings.Settings], Iterable[Finding]]
    # Whether it is examined only once something is published.
    of_data: bool = False


def examine(with_publication: bool = True, more: Sequence[Need] = ()) -> list[tuple[str, str, bool]]:
    """Examine NEEDS and `more`: the name of each, what was found, and whether it is well. An error in one stops no other."""
    try:
        config = settings.apply()
    except settings.Faulty as error:
        return [("settings", line, False) for line in error.lines]
    findings: list[tuple[str, str, bool]] = []
    for need in (*NEEDS, *more):
        if need.of_data and not with_publication:
            continue
        try:
            findings += [(need.name, *found) for found in need.examine(config)]
        except (OSError, duckdb.Error) as error:
            what = getattr(error, "strerror", None) or type(error).__name__
            findings.append((need.name, f"cannot be checked ({what})", False))
    return findings


def _found(faults: list[str], well: str) -> list[Finding]:
    """A finding for each fault; that all is well without any."""
    return [(fault, False) for fault in faults] or [(well, True)]


def _settings(config: settings.Settings) -> Iterator[Finding]:
    where = settings.file_in_use()
    yield str(where) if where else "no file; the defaults apply", True
    if (earlier := config.folders.briefings / "recipients.toml").exists():
        yield f"{earlier} is read no more: write its places into the file of mail.follows, then delete it", False


def _python(_: settings.Settings) -> Iterator[Finding]:
    yield ".".join(map(str, sys.version_info[:3])), sys.version_info >= _OLDEST_PYTHON


def _packages(_: settings.Settings) -> list[Finding]:
    wrong = []
    pins = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if "==" in line]
    for name, required in (line.split("==") for line in pins):
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "not installed"
        if installed != required.strip():
            wrong.append(f"{name} is {installed}, {required.strip()} is required")
    return _found(wrong, f"{len(pins)} pinned packages, all at their versions")


def _permissions(config: settings.Settings) -> list[Finding]:
    folders = config.folders
    faults = [
        f"{folder} cannot be written by this user"
        for folder in (folders.warehouse.parent, folders.briefings)
        if cause(folder, least_free=0)
    ]
    if not os.access(folders.incoming, os.R_OK | os.X_OK):
        faults.append(f"{folders.incoming} cannot be read by this user")
    key = folders.identity_key
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        faults.append(f"{key} can be read by others: chmod 600")
    if (tls := config.web.certificate_key) and _is_readable_by_all(tls):
        faults.append(f"{tls} can be read by every account of this machine: chmod o-rwx")
    return _found(faults, "folders and keys checked")


def _is_readable_by_all(path: Path) -> bool:
    # In a folder that others may not enter, nobody else sees it.
    with suppress(PermissionError):
        is_entered = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
        return is_entered and bool(path.stat().st_mode & stat.S_IROTH)
    return False


def _stores(config: settings.Settings) -> list[Finding]:
    """Whether each store can be written and has room; those of one database, or one disk, are one finding."""
    needed = [one for one in stores.STORES if one.is_needed(config)]
    names: dict[tuple[str, str], list[str]] = {}
    for one in needed:
        if fault := one.fault(config, one.room_for(config)):
            names.setdefault((str(fault.filename), stores.cause(fault)), []).append(one.name)
    faults = [f"{', '.join(of)} ({place}): {what}" for (place, what), of in names.items()]
    if lost := _lost_record(config):
        faults.append(lost)
    return _found(faults, ", ".join(one.name for one in needed))


def _lost_record(config: settings.Settings) -> str:
    """That the record of submissions is gone while its files are there; it would begin anew without a word."""
    root = config.folders.submissions
    if config.sign_in.database or config.replicas.source or (root / "submissions.sqlite").exists():
        return ""
    left = [*root.glob("IR-??/*"), *config.folders.incoming.glob(HANDED_IN)]
    return (
        f"submissions ({root}): submissions.sqlite is gone; python -m etl restore takes it from a backup"
        if left
        else ""
    )


def _ports(config: settings.Settings) -> list[Finding]:
    """Whether the ports are free, or held by processes of this dashboard."""
    web = config.web
    address = settings.own_address(web.address).strip("[]")
    faults, running = [], 0
    for port in range(web.port, web.port + settings.web_processes(config)):
        status, body = _answer(
            http.client.HTTPConnection(address, port, timeout=_PORT_SECONDS), f"{web.base_path}/healthz"
        )
        running += (status, body) == (200, b"ok\n")
        if status and (status, body) != (200, b"ok\n"):
            faults.append(f"{port} is held by another program, or by a process that hangs: ss -ltnp sport = :{port}")
    # The proxy refuses every name but its own.
    at = ("127.0.0.1", web.listen_port)
    untrusting = ssl._create_unverified_context()
    proxy = (
        http.client.HTTPSConnection(*at, timeout=_PORT_SECONDS, context=untrusting)
        if web.certificate
        else http.client.HTTPConnection(*at, timeout=_PORT_SECONDS)
    )
    status, _ = _answer(proxy, "/", Host="no.name.of.this.site.invalid")
    if status not in (0, http.HTTPStatus.MISDIRECTED_REQUEST):
        faults.append(
            f"{web.listen_port} is held by another program than the proxy: ss -ltnp sport = :{web.listen_port}"
        )
    proxy_says = "answers" if status else "does not run"
    return _found(faults, f"{running} of {settings.web_processes(config)} web processes answer, the proxy {proxy_says}")


def _answer(connection: http.client.HTTPConnection, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and content of what answers at a port; 0 where nothing listens, -1 where what listens gives no answer."""
    try:
        connection.connect()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(64)
    except ConnectionRefusedError:
        return 0, b""
    except (OSError, http.client.HTTPException):
        return -1, b""
    finally:
        connection.close()


def _sign_in(config: settings.Settings) -> list[Finding]:
    faults: list[str] = []
    try:
        if config.sign_in.mode != "open":
            sign_in.check(config)
    except settings.Faulty as error:
        faults = error.lines
    return _found(faults, config.sign_in.mode)


def _scanner(config: settings.Settings) -> list[Finding]:
    if not (command := config.submission.scanner):
        return []
    program = shlex.split(command)[0]
    faults = [] if os.access(program, os.X_OK) else [f"{program} is no program that this user can run"]
    return _found(faults, program)


def _browser(_: settings.Settings) -> Iterator[Finding]:
    """Optional: without one only pictures by address are missing."""
    yield (
        programs.browser() or "warning: no Chromium, so pictures by address are refused: apt-get install chromium",
        True,
    )


def _audit(config: settings.Settings) -> list[Finding]:
    faults = audit.faults(config.folders.audit) if config.sign_in.mode != "open" else []
    return _found(faults, str(config.folders.audit))


def _owed(config: settings.Settings) -> Iterator[Finding]:
    """What [publication] does not tell readers: it is shown nowhere then."""
    missing = [name for name, words in asdict(config.publication).items() if not words]
    yield f"not set: {', '.join(missing)}" if missing else "all set", True
    days = filter(re.compile(r"\d{4}-\d\d-\d\d").fullmatch, config.publication.next_update)
    if past := [day for day in days if day < date.today().isoformat()]:
        yield f"next_update is past: {past[0]}", False
    if (calendar := config.publication.calendar) and max(calendar) < date.today().isoformat():
        yield f"every day of calendar is past; the last is {max(calendar)}", False


def _clock(config: settings.Settings) -> Iterator[Finding]:
    """Whether the clock is past the time of the newest file, and not years past it; there is no other clock to compare with."""
    now = time.time()
    places = (ROOT / "requirements.txt", Path(sys.prefix), config.folders.warehouse, config.folders.audit / audit.HEAD)
    newest = max(path.stat().st_mtime for path in places if path.exists())
    at = datetime.fromtimestamp(newest).isoformat(" ", "minutes")
    if now < newest:
        yield f"is before {at}, the time of the newest file here", False
    elif now - newest > _MOST_AHEAD_SECONDS:
        yield f"is {(now - newest) / 86_400:.0f} days after {at}, the time of the newest file here: is it ahead?", False
    else:
        yield datetime.fromtimestamp(now).astimezone().isoformat(" ", "minutes"), True


def _memory(config: settings.Settings) -> Iterator[Finding]:
    """Whether a build and all web processes fit into the memory together."""
    whole = settings.machine_memory()
    build = kinds.bytes_of(config.memory.build) if config.memory.build else settings.usual_build_memory()
    count, each = settings.web_processes(config), settings.web_memory(config)
    summary = f"{count} web processes of {_gib(each)} and a build of {_gib(build)} on a machine of {_gib(whole)} GiB"
    yield summary, count * each + build <= whole


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f}"


def _disk(config: settings.Settings) -> Iterator[Finding]:
    folder = next(path for path in config.folders.warehouse.parents if path.exists())
    free = shutil.disk_usage(folder).free
    pointer = config.folders.warehouse
    needed = max(_LEAST_FREE, _FREE_PUBLICATIONS * pointer.stat().st_size if pointer.exists() else 0)
    summary = f"{_gib(free)} GiB free at {folder}"
    yield summary if free >= needed else f"{summary}, a build needs {_gib(needed)}", free >= needed


def _fonts(_: settings.Settings) -> list[Finding]:
    files = [f"static/fonts/{name}.woff2" for name in _FONTS]
    faults = [f"{file} is missing or damaged" for file in files if not _is_font(ROOT / file)]
    return _found(faults, f"{len(files)} files")


def _is_font(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    # The third word of a WOFF2 file is its own length.
    return head[:4] == b"wOF2" and int.from_bytes(head[8:], "big") == path.stat().st_size


def _worker(config: settings.Settings) -> Iterator[Finding]:
    """Whether orders of pages are taken; a page leaves them, and the account of the build takes them."""
    left = [path.stat().st_mtime for path in (config.folders.submissions / "orders").glob("*.json")]
    waits = time.time() - min(left, default=time.time())
    if waits > _ORDER_SECONDS:
        yield (
            f"an order waits for {waits / 60:.0f} minutes: systemctl status policeyar-work, or python -m etl work",
            False,
        )
    else:
        yield f"{len(left)} orders wait", True


def _publication(config: settings.Settings) -> Iterator[Finding]:
    pointer = config.folders.warehouse
    try:
        with publications.connect(pointer) as con:
            published = publications.describe(con)
            publications.read_through(con, pointer)
    except Refused as error:
        yield str(error), False
    else:
        yield f"{published.id} as of {published.as_of}, of this code ({code_version()})", True
        if old := readiness.too_old(time.time() - pointer.stat().st_mtime, config.schedule.oldest_publication_days):
            yield (
                f"{old}: systemctl status policeyar-build, and journalctl -u policeyar-build says what was refused",
                False,
            )
    shown = Path(os.path.realpath(pointer))
    for path in publications.versions(pointer):
        if path != shown and publications.is_damaged(path):
            advice = "remove it, and python -m etl restore takes it from a backup"
            yield f"{path} is kept and damaged; {advice}", False
    for folder in version_files.left_over(pointer):
        yield f"{folder} is left over from a build that was killed; the next build removes it", False


def _identity_key(config: settings.Settings) -> Iterator[Finding]:
    """Whether the key is that of the publications; a host that takes them from another has none."""
    pointer = config.folders.warehouse
    if not config.replicas.source:
        fault = identity.fault(pointer, publications.comparable(pointer))
        remedy = "python -m etl restore takes it from a backup, python -m etl build --new-identity begins anew"
        yield f"{in_language(fault, 'en')}; {remedy}" if fault else "checked", not fault


def _incoming(config: settings.Settings) -> Iterator[Finding]:
    """Whether the folder of a build holds a file of every table, as far as names tell: a workbook may hold several tables."""
    folder = config.folders.incoming
    if config.replicas.source:
        return
    try:
        files = source_folder.source_files(folder)
        tables = {table for _, table in files} | {origin.table for origin in postgresql.origins(folder)}
    except Refused as error:
        yield in_language(str(error), "en"), False
        return
    is_told = "" not in tables and not any(path.suffix.lower() in source_folder.WORKBOOKS for path, _ in files)
    missing = [table for table in TABLES if table not in tables] if is_told else []
    submit = f"{folder} holds no file of {', '.join(missing)}; submit it"
    yield submit if missing else str(folder), not missing


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
        yield f"ends on {last}, and {needed} is needed: add the days off to a calendar.csv and build", False
    elif estimated:
        days = f"{len(estimated)} from {estimated[0]} to {estimated[-1]}"
        yield f"warning: estimated holidays are counted ({days}); confirm them in a calendar.csv", True
    else:
        yield f"official days off known to {last}", True


# In this order; docs/operations.md says of each what to do.
NEEDS = (
    Need("settings", _settings),
    Need("python", _python),
    Need("packages", _packages),
    Need("permissions", _permissions),
    Need("stores", _stores),
    Need("ports", _ports),
    Need("sign-in", _sign_in),
    Need("audit log", _audit),
    Need("publication settings", _owed),
    Need("clock", _clock),
    Need("memory", _memory),
    Need("disk", _disk),
    Need("fonts", _fonts),
    Need("browser", _browser),
    Need("scanner", _scanner),
    Need("worker", _worker),
    Need("publication", _publication, of_data=True),
    Need("calendar", _calendar, of_data=True),
    Need("identity key", _identity_key, of_data=True),
    Need("incoming", _incoming, of_data=True),
)
