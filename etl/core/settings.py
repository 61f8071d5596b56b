"""The settings of an installation: one TOML file, each value overridable by an environment variable, all checked at start.

The file is /etc/policeyar/settings.toml, or the one that POLICEYAR_SETTINGS names; without a file the defaults apply. All
errors are reported, one per line, before anything starts. Modules read their own environment variables; `apply` sets them.
"""

# `_setting` returns a dataclass field that carries the default, the check and the variable of a setting on one line.
# ruff: noqa: RUF009

import ipaddress
import os
import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from etl.core import setting_types as kinds
from etl.core.child_process import READER_MEBIBYTES
from etl.core.paths import BRIEFINGS, DATA, IDENTITY_KEY, INCOMING, VIEWS, WAREHOUSE

STANDARD_FILE = Path("/etc/policeyar/settings.toml")
FILE_VARIABLE = "POLICEYAR_SETTINGS"
# The names under which a machine reaches itself.
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class Faulty(Exception):
    """The settings cannot be used; `lines` holds every error, one per line."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def _setting(default: Any, kind: Callable[[Any], Any], variable: str = "") -> Any:
    """A setting: its default, its check, and its environment variable unless that follows from its name."""
    return field(default=default, metadata={"kind": kind, "variable": variable})


@dataclass(frozen=True)
class Web:
    """The addresses of the dashboard, and the number of processes that serve it."""

    host: str = _setting("localhost", kinds.host)
    allowed_hosts: tuple[str, ...] = _setting((), kinds.several(kinds.host))
    base_path: str = _setting("", kinds.base_path)
    listen_port: int = _setting(8443, kinds.port)
    certificate: Path | None = _setting(None, kinds.file_of_root)
    certificate_key: Path | None = _setting(None, kinds.file_of_root)
    address: str = _setting("127.0.0.1", kinds.address)
    # The hosts of web processes for nginx, if there are others than this one; all have the same ports.
    hosts: tuple[str, ...] = _setting((), kinds.several(kinds.address))
    port: int = _setting(8501, kinds.port)
    processes: int = _setting(0, kinds.number(0, 256))
    detail_rows: bool = _setting(False, kinds.flag, "DETAIL_ROWS")


@dataclass(frozen=True)
class SignIn:
    """How users sign in: `open` asks nobody and serves this machine only."""

    mode: str = _setting("open", kinds.one_of("open", "oidc", "proxy"))
    # Roles by group, and the secrets of the provider or the proxy; both needed unless open.
    access: Path | None = _setting(None, kinds.file)
    secrets: Path | None = _setting(None, kinds.file)
    # The PostgreSQL in which several hosts share saved views, notes, sessions, tokens and submissions; empty: SQLite files.
    database: str = _setting("", kinds.database, "SHARED_DATABASE")
    # The syslog that receives a copy of each line of the audit log; empty: the journal, number and code of each line.
    syslog: str = _setting("", kinds.syslog, "AUDIT_SYSLOG")
    # Whether the audit log holds the address of the client.
    log_client: bool = _setting(False, kinds.flag)


@dataclass(frozen=True)
class Folders:
    """Where files are kept. `warehouse` is the pointer to the current publication; its versions are stored next to it."""

    warehouse: Path = _setting(WAREHOUSE, kinds.file_to_write, "WAREHOUSE")
    incoming: Path = _setting(INCOMING, kinds.folder, "INCOMING")
    submissions: Path = _setting(DATA / "submissions", kinds.folder_to_make, "SUBMISSIONS")
    views: Path = _setting(VIEWS, kinds.folder_to_make, "VIEWS")
    audit: Path = _setting(DATA / "audit", kinds.folder_to_make, "AUDIT")
    briefings: Path = _setting(BRIEFINGS, kinds.folder_to_make, "BRIEFINGS")
    identity_key: Path = _setting(IDENTITY_KEY, kinds.file_to_write, "IDENTITY_KEY_FILE")
    backups: Path = _setting(DATA / "backups", kinds.folder_to_make, "BACKUPS")
    run: Path = _setting(Path("/tmp/policeyar"), kinds.folder_to_make, "POLICEYAR_RUN")


@dataclass(frozen=True)
class Memory:
    """Memory limits of processes. Empty: a quarter of the machine for a build, and half of it for all web processes."""

    build: str = _setting("", kinds.memory, "BUILD_MEMORY")
    build_threads: int = _setting(0, kinds.number(0, 1024), "BUILD_THREADS")
    file_worker_mib: int = _setting(READER_MEBIBYTES, kinds.number(64, 1 << 20), "READER_MEMORY")
    web: str = _setting("", kinds.memory)


@dataclass(frozen=True)
class Schedule:
    """When a build runs (local time), and the age at which /readyz reports a publication as too old."""

    build_at: str = _setting("02:30", kinds.clock)
    oldest_publication_days: int = _setting(7, kinds.number(1, 3650))


@dataclass(frozen=True)
class Submission:
    """When the data of a Jalali month are due, how long files submitted are kept, and the command that scans them for viruses.

    `due_day`: the day of the next month; with `due_working_days` so many working days after the month's end instead.
    """

    due_day: int = _setting(5, kinds.number(1, 29))
    due_working_days: int = _setting(0, kinds.number(0, 40))
    keep_submissions_days: int = _setting(400, kinds.number(1, 3650))
    # The path of a file is its last argument. Exit code 0 passes the file, 1 refuses it.
    scanner: str = _setting("", kinds.program)


@dataclass(frozen=True)
class Mail:
    """How news goes by mail: to addresses of `domains`, over a server without a password; without one into the folder `outbox`.

    `says`: `link`, no number and no place; `rounded`, what may circulate; `exact`. `address`: that of the site, for the link.
    `follows`: the file of the follows of teams.
    """

    server: str = _setting("", kinds.matching(r"[A-Za-z0-9.:-]+", "name of a host", may_be_empty=True))
    port: int = _setting(25, kinds.port)
    sender: str = _setting("", kinds.matching(r"[!-?A-~]+@[!-?A-~]+", "address of mail", may_be_empty=True))
    domains: tuple[str, ...] = _setting((), kinds.several(kinds.host))
    says: str = _setting("link", kinds.one_of("link", "rounded", "exact"))
    address: str = _setting("", kinds.matching(r"https?://\S+", "address like https://host", may_be_empty=True))
    follows: Path | None = _setting(None, kinds.file)
    outbox: Path = _setting(DATA / "outbox", kinds.folder_to_make)


@dataclass(frozen=True)
class Replicas:
    """The rsync source from which a host that does not build takes publications."""

    source: str = _setting("", kinds.replica_source)


@dataclass(frozen=True)
class Weekend:
    """The weekdays that are no working days, each set from a day on; Friday before. The file has a [[weekend]] for each."""

    rules: tuple[str, ...] = _setting((), kinds.several(kinds.weekend), "WEEKEND")


@dataclass(frozen=True)
class About:
    """What readers of official statistics are owed, words in Persian and English; empty: nothing is shown.

    `contact`: office, telephone, mail. `next_update`: a day, or a rule in words; without one, or after it, it is the next day of
    the `calendar` of releases. `citation`: what is cited, before day and publication.
    """

    contact: tuple[str, ...] = _setting((), kinds.in_both)
    next_update: tuple[str, ...] = _setting((), kinds.in_both)
    calendar: tuple[str, ...] = _setting((), kinds.several(kinds.release_day))
    revision_policy: tuple[str, ...] = _setting((), kinds.in_both)
    citation: tuple[str, ...] = _setting((), kinds.in_both)


@dataclass(frozen=True)
class Settings:
    """All settings, checked."""

    web: Web = Web()
    sign_in: SignIn = SignIn()
    folders: Folders = Folders()
    memory: Memory = Memory()
    schedule: Schedule = Schedule()
    submission: Submission = Submission()
    mail: Mail = Mail()
    replicas: Replicas = Replicas()
    weekend: Weekend = Weekend()
    publication: About = About()


# Every setting, with the name of its section.
_ALL = [(section.name, setting) for section in fields(Settings) for setting in fields(section.type)]  # type: ignore[arg-type]
# The environment variable that overrides a setting, by section and name.
VARIABLES = {
    (section, setting.name): setting.metadata["variable"] or f"POLICEYAR_{section}_{setting.name}".upper()
    for section, setting in _ALL
}


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of file and environment. Raises Faulty with every error."""
    tables, faults = _file(environment)
    values: dict[str, dict[str, Any]] = {section.name: {} for section in fields(Settings)}
    for section, setting in _ALL:
        where = VARIABLES[section, setting.name]
        raw = environment.get(where)
        if not raw:
            where, raw = f"{section}.{setting.name}", tables.get(section, {}).get(setting.name)
        if raw is None:
            continue
        try:
            values[section][setting.name] = setting.metadata["kind"](raw)
        except ValueError as error:
            faults.append(f"{where}: {error}")
        except PermissionError as error:
            faults.append(f"{where}: {error.filename} may not be looked at by this user")
    settings = Settings(**{section.name: section.type(**values[section.name]) for section in fields(Settings)})  # type: ignore[operator]
    faults += _contradictions(settings) if not faults else []
    if faults:
        raise Faulty(faults)
    return settings


def apply(environment: MutableMapping[str, str] = os.environ) -> Settings:
    """Read the settings, and set the environment variables that modules read. Raises Faulty."""
    settings = read(environment)
    if file_in_use(environment):
        for section, setting in _ALL:
            value = getattr(getattr(settings, section), setting.name)
            variable = setting.metadata["variable"]
            # An empty variable overrides nothing.
            if variable and value not in ("", 0, None, False, ()) and not environment.get(variable):
                written = ",".join(value) if isinstance(value, tuple) else "1" if value is True else str(value)
                environment[variable] = written
    return settings


def file_in_use(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The settings file in use; None if there is none."""
    if named := environment.get(FILE_VARIABLE):
        return Path(named)
    return STANDARD_FILE if STANDARD_FILE.exists() else None


def own_address(listens_on: str) -> str:
    """The address under which this machine reaches its own process that listens on `listens_on`."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listens_on, listens_on)
    return f"[{address}]" if ":" in address else address


def web_processes(settings: Settings) -> int:
    """The number of web processes: as configured, else one per core."""
    return settings.web.processes or os.cpu_count() or 1


def web_memory(settings: Settings) -> int:
    """The memory limit of one web process in bytes: as configured, else half of the machine for all of them."""
    if settings.memory.web:
        return kinds.bytes_of(settings.memory.web)
    return machine_memory() // 2 // web_processes(settings)


def usual_build_memory() -> int:
    """The memory limit of a build in bytes where none is configured: a quarter of the machine, and 1 GiB at least."""
    return max(1 << 30, machine_memory() // 4)


def machine_memory() -> int:
    """The memory of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _file(environment: Mapping[str, str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The raw tables of the file, and the errors in their names."""
    path = file_in_use(environment)
    if not path:
        return {}, []
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        return {}, [f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})"]
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{path}: is not TOML: {error}"]
    if isinstance(weekends := content.get("weekend"), list):
        content["weekend"] = {"rules": list(map(_weekend_rule, weekends))}
    names = {section.name: [setting.name for setting in fields(section.type)] for section in fields(Settings)}  # type: ignore[arg-type]
    faults = []
    for section, table in content.items():
        if section not in names:
            faults.append(f"{path}: [{section}] is unknown{_meant(section, names)}")
        elif not isinstance(table, dict):
            faults.append(f"{path}: {section} is a table: write [{section}]")
        else:
            faults += [
                f"{path}: {section}.{key} is unknown{_meant(key, names[section])}"
                for key in table
                if key not in names[section]
            ]
    return {name: table for name, table in content.items() if isinstance(table, dict)}, faults


def _weekend_rule(entry: Any) -> str:
    """A [[weekend]] of the file, with `from` and `days`, as one line."""
    days = entry.get("days") if isinstance(entry, dict) else None
    return f"{entry['from']} {' '.join(map(str, days))}" if isinstance(days, list) and "from" in entry else str(entry)


def _meant(word: str, choices: Any) -> str:
    near = get_close_matches(word, list(choices), 1)
    return f"; {near[0]} is meant?" if near else ""


def _contradictions(settings: Settings) -> list[str]:
    """Errors in the combination of settings that are valid one by one."""
    web = settings.web
    faults = []
    if bool(web.certificate) != bool(web.certificate_key):
        faults.append("web.certificate and web.certificate_key go together")
    first, last = web.port, web.port + max(web.processes, 1) - 1
    if last > kinds.LAST_PORT:
        faults.append(f"web.port: {web.processes} processes from {first} on need ports above {kinds.LAST_PORT}")
    if first <= web.listen_port <= last:
        faults.append(f"web.listen_port: {web.listen_port} is taken by a process of web.port")
    if settings.sign_in.mode != "open":
        for name in ("access", "secrets"):
            if not getattr(settings.sign_in, name):
                faults.append(f"sign_in.{name}: the mode {settings.sign_in.mode} needs this file")
    is_behind_another = not ipaddress.ip_address(web.address).is_loopback
    if settings.sign_in.mode == "oidc" and not (web.certificate or is_behind_another or web.host in LOCAL_NAMES):
        faults.append(f"web.certificate: people of other machines sign in at {web.host} over TLS alone")
    if settings.mail.domains and not settings.mail.sender:
        faults.append("mail.sender: mail to mail.domains needs the address that it comes from")
    if settings.sign_in.mode == "open" and is_behind_another:
        faults.append(f"sign_in.mode: open serves this machine only, and web.address is {web.address}")
    return faults
