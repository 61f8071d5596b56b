"""The types of settings: each converts a TOML value, or the text of an environment variable, to a checked value.

Each raises ValueError with one clear line that says what is wrong.
"""

import ipaddress
import os
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from etl.core.jalali import parse_day
from etl.core.text_folding import latin_digits

LAST_PORT = 65535
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def text(value: Any) -> str:
    """One line of text."""
    if not isinstance(value, str):
        raise ValueError(f"{_quoted(value)} is no text")
    # Persian words hold half spaces.
    if not value.replace("\u200c", "").isprintable():
        raise ValueError("holds signs that cannot be printed")
    return value.strip()


def flag(value: Any) -> bool:
    """true or false; 1 or 0 in the environment."""
    if isinstance(value, bool):
        return value
    if value in ("1", "true"):
        return True
    if value in ("0", "false"):
        return False
    raise ValueError(f"{_quoted(value)} is neither true nor false")


def number(least: int, most: int) -> Callable[[Any], int]:
    """A whole number from `least` to `most`, both included."""

    def kind(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{_quoted(value)} is no whole number")
        if not least <= value <= most:
            raise ValueError(f"{value} does not lie between {least} and {most}")
        return value

    return kind


port = number(1, LAST_PORT)


def one_of(*words: str) -> Callable[[Any], str]:
    """One of the given words."""

    def kind(value: Any) -> str:
        if value not in words:
            raise ValueError(f"{_quoted(value)} is none of {', '.join(words)}")
        return str(value)

    return kind


def matching(pattern: str, what: str, may_be_empty: bool = False) -> Callable[[Any], str]:
    """A text that a pattern matches as a whole; `what` names it in the error."""

    def kind(value: Any) -> str:
        if not (may_be_empty and value == "") and not re.fullmatch(pattern, text(value)):
            raise ValueError(f"{_quoted(value)} is no {what}")
        return text(value)

    return kind


_host_name = matching(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*", "name of a host")
# The path under which the dashboard is served; empty for the root.
base_path = matching("(/[A-Za-z0-9_-]+)+", "path like /dashboard", may_be_empty=True)
# An amount of memory as DuckDB writes it; empty for the default of the machine.
memory = matching(r"(?i)[1-9][0-9]*(\.[0-9]+)? ?[KMGT]i?B", "amount of memory like 512MB or 4GB", may_be_empty=True)
# Without a password: that is kept in .pgpass, for settings can be read by more users.
database = matching(
    r"postgres(ql)?://([^\s:@/]+@)?[^\s@/]*/\S*", "address like postgresql://dashboard@db/policeyar", may_be_empty=True
)
syslog = matching(
    r"/\S+|((tcp|tls)://)?[^\s/]+:[0-9]{1,5}", "socket like /dev/log, HOST:514, or tls://HOST:6514", may_be_empty=True
)
# rsync would take a word that begins with a hyphen as an option.
replica_source = matching(r"[^-\s].*", "source of rsync like builder:/var/lib/policeyar/offer", may_be_empty=True)
clock = matching("([01][0-9]|2[0-3]):[0-5][0-9]", "time of day like 02:30")


def weekend(value: Any) -> str:
    """A day and the weekdays without work from it on, as "1404/03/01 thursday friday"; the day becomes an ISO date."""
    first, *names = text(value).lower().split() or [""]
    try:
        if set(names) <= set(WEEKDAYS):
            return " ".join((parse_day(first).isoformat(), *names))
    except ValueError:
        pass
    raise ValueError(f"{_quoted(value)} is no weekend like 1404/03/01 thursday friday")


def in_both(value: Any) -> tuple[str, ...]:
    """Words as { fa = "…", en = "…" }, or one text for both; empty for none. A day becomes an ISO date."""
    if isinstance(value, dict) and value.keys() == {"fa", "en"}:
        return tuple(_day_or(text(value[lang])) for lang in ("fa", "en"))
    if isinstance(value, dict):
        raise ValueError('takes one text, or { fa = "…", en = "…" }')
    return (_day_or(text(value)),) * 2 if value and text(value) else ()


def _day_or(written: str) -> str:
    try:
        return parse_day(latin_digits(written)).isoformat()
    except ValueError:
        return written


def release_day(value: Any) -> str:
    """A day of a calendar of releases, as an ISO date."""
    try:
        return parse_day(latin_digits(str(value))).isoformat()
    except ValueError:
        raise ValueError(f"{_quoted(value)} is no day; write it like 1405/10/05") from None


def program(value: Any) -> str:
    """A program by its whole path, and its arguments in the quotes of a shell; empty for none."""
    written = text(value)
    try:
        words = shlex.split(written)
    except ValueError:
        words = [""]
    if written and not words[0].startswith("/"):
        raise ValueError(f"{_quoted(value)} is no program like /usr/bin/clamdscan --fdpass")
    return written


def host(value: Any) -> str:
    """The name of a host."""
    return _host_name(value).lower()


def address(value: Any) -> str:
    """A numeric IP address of this machine to listen on."""
    try:
        return str(ipaddress.ip_address(text(value)))
    except ValueError:
        raise ValueError(f"{_quoted(value)} is no IP address") from None


def several(kind: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    """Several values of a kind; separated by commas in the environment."""

    def kinds(value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            value = [item for item in value.split(",") if item.strip()]
        if not isinstance(value, list):
            raise ValueError(f"{_quoted(value)} is no list")
        return tuple(kind(item) for item in value)

    return kinds


def bytes_of(memory: str) -> int:
    """An amount of memory that `memory` took, in bytes; in units of 1024, as systemd counts."""
    number, unit = re.fullmatch(r"([0-9.]+) ?([KMGT])I?B", memory.upper()).groups()  # type: ignore[union-attr]
    return int(float(number) * 1024 ** (1 + "KMGT".index(unit)))


def file(value: Any) -> Path | None:
    """A file that this user can read; empty for none."""
    if value == "":
        return None
    path = Path(text(value))
    if not path.is_file():
        raise ValueError(f"{path} is no file")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} cannot be read")
    return path.resolve()


def file_of_root(value: Any) -> Path | None:
    """A file that only root needs to read, like the key of the certificate: other users may have no access to its folder."""
    if value == "":
        return None
    path = Path(text(value))
    with suppress(PermissionError):
        if not path.is_file():
            raise ValueError(f"{path} is no file")
    # Links are not resolved: a renewed certificate is another file.
    return path.absolute()


def folder(value: Any) -> Path:
    """An existing folder."""
    path = Path(text(value))
    if not text(value) or not path.is_dir():
        raise ValueError(f"{path} is not a folder")
    return path.resolve()


def folder_to_make(value: Any) -> Path:
    """A folder that exists, or whose parent exists."""
    path = Path(text(value))
    if not path.is_dir():
        if path.exists():
            raise ValueError(f"{path} is a file where a folder is meant")
        if not path.parent.is_dir():
            raise ValueError(f"{path.parent} is not a folder")
    return path.absolute()


def file_to_write(value: Any) -> Path:
    """A file that may not exist yet, in a folder that exists or whose parent exists."""
    path = Path(text(value))
    if path.is_dir():
        raise ValueError(f"{path} is a folder where a file is meant")
    folder_to_make(str(path.parent))
    return path.absolute()


def _quoted(value: Any) -> str:
    return ascii(value)[:60]
