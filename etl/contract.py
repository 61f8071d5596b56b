"""The contract of the source files, read from etl/contracts/*.toml: columns, headers, types, rules.

Types: `code` and `text` (folded), `choice` (a fixed list), `province`, `county`, `course` (members of a reference
table), `date`, `number`, `yes_no`, `national_id` (leaves the reader only as a keyed hash), `never_read`.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from etl.normalize import fold

_FOLDER = Path(__file__).parent / "contracts"

# In the order in which one can refer to another.
TABLES = ("institutes", "licences", "personnel", "training")


class Refused(Exception):
    """A file or a build that cannot be taken; its text is one line that names the file, the place and the reason."""


@dataclass(frozen=True)
class Column:
    """One column of a source table."""

    name: str
    type: str
    headers: tuple[str, ...] = ()
    required: bool = False
    future: bool = False
    shown: bool = False
    values: dict[str, str] = field(default_factory=dict)
    least: float | None = None
    most: float | None = None
    references: str = ""
    orphan: str = ""

    @property
    def stored(self) -> str:
        """Its name once typed: a national id is no longer one, it is the key of a person."""
        return "person_key" if self.type == "national_id" else self.name

    @property
    def enters(self) -> bool:
        """Whether the column enters the warehouse, and so takes part when rows are compared."""
        return self.type != "never_read"


@dataclass(frozen=True)
class Rule:
    """A row is kept back for `reason` where the SQL condition `broken` over its typed columns holds."""

    reason: str
    column: str
    broken: str


@dataclass(frozen=True)
class Contract:
    """What one source table must look like; `absent` says what follows where a file lacks an optional column."""

    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def entering(self) -> tuple[Column, ...]:
        """The columns that enter the warehouse."""
        return tuple(column for column in self.columns if column.enters)

    @property
    def stored_key(self) -> tuple[str, ...]:
        """The key by the names that its columns have once typed."""
        return tuple(column.stored for column in self.columns if column.name in self.key)

    @cached_property
    def _names(self) -> dict[str, str]:
        """The column by each of its titles, folded."""
        return {fold(name): column.name for column in self.columns for name in (column.name, *column.headers)}

    def choices(self, name: str) -> dict[str, str]:
        """The values that a column of a fixed list can have, as they are stored, each with its Persian word."""
        return next(column.values for column in self.columns if column.name == name)

    def match(self, header: Iterable[str]) -> "Match":
        """Which position of `header` holds which column."""
        names = self._names
        positions: dict[str, int] = {}
        extra, twice = [], []
        for position, title in enumerate(header):
            name = names.get(fold(title))
            if name is None:
                if title.strip():
                    extra.append(title)
            elif name in positions:
                twice.append(name)
            else:
                positions[name] = position
        missing = [column.name for column in self.columns if column.required and column.name not in positions]
        return Match(positions, missing, twice, extra)


@dataclass(frozen=True)
class Match:
    """How a header answers to a contract: positions found, columns missing, columns met twice, extra titles."""

    positions: dict[str, int]
    missing: list[str]
    twice: list[str]
    extra: list[str]

    @property
    def complete(self) -> bool:
        """Whether the file can be read by this header."""
        return not self.missing and not self.twice

    def complaint(self) -> str:
        """Why the header cannot be used, in words."""
        if self.missing:
            return f"missing required column {', '.join(self.missing)}"
        return f"column {', '.join(self.twice)} stands twice"


@cache
def contract(table: str) -> Contract:
    """The contract of one of TABLES."""
    entry = tomllib.loads((_FOLDER / f"{table}.toml").read_text(encoding="utf-8"))
    columns = tuple(Column(**{**column, "headers": tuple(column.get("headers", ()))}) for column in entry["column"])
    rules = tuple(Rule(**rule) for rule in entry.get("rule", ()))
    return Contract(table, tuple(entry["key"]), columns, rules, entry.get("absent", {}))


def table_of(file_name: str) -> str | None:
    """The table a file hands in, by the beginning of its name; None for a file that is no source."""
    name = file_name.lower()
    if not name.endswith((".csv", ".tsv", ".xlsx", ".parquet")):
        return None
    return next((table for table in TABLES if name.startswith(table)), None)
