"""The contract of the source files, read from etl/extract/contracts/*.toml: columns, headers, types, rules.

Types: `code` and `text` (folded), `choice` (a fixed list), `province`, `county`, `course` (members of a reference
table), `date`, `number`, `yes_no`, `national_id` (leaves the worker only as a keyed hash), `never_read`.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from pathlib import Path

from etl.core import declarations
from etl.core.errors import Refused
from etl.core.text_folding import HAMZA, display_text, fold
from etl.extract.causes import because

_FOLDER = Path(__file__).parent / "contracts"

# A table refers only to tables before it.
TABLES = ("institutes", "licences", "personnel", "training")

# In the first column of the key: the line of a template that shows how to fill it in, and is never loaded.
EXAMPLE = "نمونه"

# What clerks append to a header: an asterisk, a colon, a remark in brackets.
_DECORATION = re.compile(r"(\s*([*:：]|\([^()]*\)|\[[^\[\]]*\]))+$")
# The column that a suggestion names.
_ENGLISH_NAME = re.compile(r"~ \w+ \((.*)\)$")
# The least similarity (difflib ratio) of a title to a known header for the header to be suggested.
_NEAR = 0.75
_LONGEST_TITLE, _MOST_TITLES = 30, 20
# How a program misread a text, and the encoding in which the text was written.
_MISREADINGS = tuple(product(("cp1252", "cp1256"), ("utf-8", "cp1256")))
# A title whose letters were lost.
_LOST = re.compile(r"[\W_]*[?\ufffd][\W_]*")
_LEAST_LOST = 3
_IN_ARABIC = str.maketrans("یک", "يك")


@dataclass(frozen=True)
class Column:
    """One column of a source table."""

    name: str
    type: str
    # What a bad value does: `reject` its row, or load as `unknown`.
    bad: str = "reject"
    headers: tuple[str, ...] = ()
    required: bool = False
    # The first day of a date column (Jalali), and whether days after the build are accepted.
    first: str = "1357/01/01"
    future: bool = False
    shown: bool = False
    values: dict[str, str] = field(default_factory=dict)
    # Synonyms of the values, as clerks write them.
    also: dict[str, list[str]] = field(default_factory=dict)
    # Words that clerks write where the cell should be empty.
    empty: tuple[str, ...] = ()
    # The bounds of a number.
    least: float = 0
    most: float = 0
    references: str = ""
    orphan: str = ""

    @property
    def stored(self) -> str:
        """The name of the typed column: a national id becomes the key of a person."""
        return "person_key" if self.type == "national_id" else self.name

    @property
    def title(self) -> str:
        """The name with the Persian header, for error messages."""
        return f"{self.name} ({self.headers[0]})" if self.headers else self.name


@dataclass(frozen=True)
class Rule:
    """A row is rejected for `reason` if the SQL condition `broken` over its typed columns is true."""

    reason: str
    column: str
    broken: str


@dataclass(frozen=True)
class Contract:
    """The schema of one source table; `absent` describes what follows if a file lacks an optional column."""

    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def entering(self) -> tuple[Column, ...]:
        """The columns that enter the warehouse, and so count when rows are compared."""
        return tuple(column for column in self.columns if column.type != "never_read")

    @property
    def stored_key(self) -> tuple[str, ...]:
        """The names of the typed key columns."""
        return tuple(column.stored for column in self.columns if column.name in self.key)

    @cached_property
    def _names(self) -> dict[str, str]:
        """The column name of each known title, folded."""
        return {fold(name): column.name for column in self.columns for name in (column.name, *column.headers)}

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}

    def match(self, header: Iterable[str]) -> "Match":
        """The positions of the columns in `header`. An exact title takes precedence over a decorated one."""
        titles = list(header)
        folded = [fold(title) for title in titles]
        exact = {at: self._names[title] for at, title in enumerate(folded) if title in self._names}
        others = [at for at, title in enumerate(folded) if title and at not in exact]
        plain = {at: self._names.get(_DECORATION.sub("", folded[at])) for at in others}
        decorated = {at: name for at, name in plain.items() if name and name not in exact.values()}
        positions: dict[str, int] = {}
        repeated = []
        for at, name in (exact | decorated).items():
            if positions.setdefault(name, at) != at:
                repeated.append(name)
        with_hamza = [at for at in exact if set(map(ord, titles[at])) & HAMZA.keys()]
        noted = [titles[at] for at in (*decorated, *with_hamza) if at in positions.values()]
        return Match(self, positions, repeated, [titles[at] for at in others if at not in decorated], noted, titles)


@dataclass(frozen=True)
class Match:
    """How a header matches a contract: positions of columns, repeated columns, extra titles, titles recognised despite
    decoration or hamza, all titles."""

    of: Contract
    positions: dict[str, int]
    repeated: list[str]
    extra: list[str]
    decorated: list[str]
    titles: list[str]

    @property
    def missing(self) -> list[str]:
        """The required columns that the header lacks."""
        return [column.name for column in self.of.columns if column.required and column.name not in self.positions]

    @property
    def complete(self) -> bool:
        """Whether the file can be read with this header."""
        return not self.missing and not self.repeated

    @property
    def resembles(self) -> bool:
        """Whether most required columns are present: a header of this table, complete or not."""
        required = [column.name for column in self.of.columns if column.required]
        return 2 * (len(required) - len(self.missing)) > len(required)

    @property
    def is_misread(self) -> bool:
        """Whether this is a header of the table in letters of another encoding, as of UTF-8 read as Windows-1252."""
        return not all(map(str.isascii, self.titles)) and any(
            self.of.match([_reread(title, *misreading) for title in self.titles]).resembles
            for misreading in _MISREADINGS
        )

    @property
    def is_lost(self) -> bool:
        """Whether most titles are question marks: a program that had no such letters wrote them."""
        lost = sum(bool(_LOST.fullmatch(title)) for title in self.titles)
        return lost >= _LEAST_LOST and 2 * lost > sum(bool(title.strip()) for title in self.titles)

    def near(self) -> list[str]:
        """Extra titles that resemble a missing column, each with that column."""
        sought = {title: name for title, name in self.of._names.items() if name not in self.positions}
        suggestions = []
        for title in self.extra if len(self.positions) > 1 else ():
            if close := difflib.get_close_matches(fold(title)[:_LONGEST_TITLE], sought, 1, _NEAR):
                suggestions.append(
                    f"«{display_text(title)[:_LONGEST_TITLE]}» ~ {self.of.by_name[sought[close[0]]].title}"
                )
        return suggestions

    def refusal(self, place: str, place_fa: str, looked: int = 0) -> Refused:
        """The error for a header that cannot be used: the headers present, those expected, and what to do.

        `looked` is the number of rows among which headers are looked for, where there are several.
        """
        if len(self.positions) <= 1 and (self.is_misread or self.is_lost):
            return unreadable(place, place_fa, resembles=self.is_misread)
        if not self.missing:
            return because(
                "column_twice",
                place=place,
                place_fa=place_fa,
                columns=", ".join(self.repeated),
                columns_fa="، ".join(f"«{self.of.by_name[name].headers[0]}»" for name in self.repeated),
            )
        # A row of data in place of a header has no cause that shows it: it may hold values of a person.
        shown = [display_text(title)[:_LONGEST_TITLE] for title in self.titles[:_MOST_TITLES]]
        near = self.near()
        near_fa = [_ENGLISH_NAME.sub(r"~ «\1»", title) for title in near]
        refusal = because(
            "missing_column" if len(self.positions) > 1 else "no_header",
            place=place,
            place_fa=place_fa,
            columns=", ".join(self.missing),
            columns_fa="، ".join(f"«{self.of.by_name[name].headers[0]}»" for name in self.missing),
            found=", ".join(filter(None, shown)) or "–",
            found_fa="، ".join(filter(None, shown)) or "–",
            near=f"; near: {', '.join(near)}" if near else "",
            looked=f" in the first {looked} rows" if looked else "",
            looked_fa=f" در {looked} ردیف نخست" if looked else "",
            near_fa=f"؛ شاید منظور این باشد: {'، '.join(near_fa)}" if near else "",
        )
        refusal.resembles = self.resembles
        return refusal


def unreadable(place: str, place_fa: str, resembles: bool = False) -> Refused:
    """The error for a file in letters of another encoding."""
    refusal = because("unreadable_text", place=place, place_fa=place_fa)
    refusal.resembles = resembles
    return refusal


def _reread(title: str, misread_as: str, written_in: str) -> str:
    """The text that a program misread; it kept bytes without a letter as control characters."""
    try:
        content = b"".join(
            char.encode("latin-1") if "\x80" <= char <= "\x9f" else char.encode(misread_as) for char in title
        )
        return content.decode(written_in)
    except UnicodeError:
        return ""


@cache
def known_titles() -> frozenset[str]:
    """The headers of all tables as they are mostly written."""
    titles = {
        title for table in TABLES for column in contract(table).columns for title in (column.name, *column.headers)
    }
    return frozenset(titles | {title.translate(_IN_ARABIC) for title in titles})


def tables_like(titles: Iterable[str]) -> list[str]:
    """The tables of which this could be a header, complete or not."""
    titles = list(titles)
    return [table for table in TABLES if contract(table).match(titles).resembles]


@cache
def contract(table: str) -> Contract:
    """The contract of one of TABLES."""
    entry = declarations.read(_FOLDER / f"{table}.toml")
    columns = tuple(Column(**{**column, "headers": tuple(column.get("headers", ()))}) for column in entry["column"])
    rules = tuple(Rule(**rule) for rule in entry.get("rule", ()))
    return Contract(table, tuple(entry["key"]), columns, rules, entry.get("absent", {}))
