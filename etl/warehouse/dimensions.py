"""The dimensions of etl/semantic/dimensions.toml, and the lists that models, questions and pages derive from them.

The file belongs to the semantic layer. It is read here because models, which come first, take their column lists from it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from etl.core import declarations
from etl.core.paths import ROOT
from etl.core.text_folding import fold
from etl.extract.contract import TABLES, contract

_FILE = ROOT / "etl" / "semantic" / "dimensions.toml"
_ROLLUPS = ROOT / "etl" / "semantic" / "rollups.toml"
_SERVICE = Path(__file__).parent / "models" / "marts" / "service.sql"
_SQL_WORDS = {"and", "or", "not", "in", "is", "null", "true", "false", "between"}
_PLACEHOLDER = re.compile(r"\{\{ (\w+)(?:\((\w*)(?:, (\w+))?\))? \}\}")


@dataclass(frozen=True)
class Dimension:
    """One dimension; the fields are explained in the file."""

    name: str
    source: str = ""
    members: str = ""
    lookup: str = ""
    same_as: str = ""
    values: dict[str, str] = field(default_factory=dict)
    bands: dict[str, int] = field(default_factory=dict)
    spell: bool = False
    place: bool = False
    filter: str = ""
    preaggregated: bool = False
    time: bool = False
    ordered: bool = False

    @property
    def words(self) -> dict[str, str]:
        """The Persian word of each member, for a fixed list; empty where a table holds the members."""
        if self.bands:
            return {band: band for band in self.bands}
        if self.values or self.members or not self.source:
            return self.values
        table, column = self.source.split(".")
        return contract(table).by_name[column].values

    @property
    def enum_members(self) -> str:
        """A SELECT of the members, for the type in which models store them; empty where models hold plain text."""
        if self.members or not self.spell:
            return self.members
        return f"select unnest({list(self.words)})"

    @property
    def column_of_spell(self) -> str:
        """The expression for the model `spells`."""
        table, column = self.source.split(".")
        # Models have the types of dimensions already, loaded tables plain text.
        return f"cast(loaded_personnel.{column} as {self.name}) as {self.name}" if table == "personnel" else self.source


def _declared() -> dict[str, Dimension]:
    """Every dimension by its name. Raises Refused for an unknown key, and for a source that no contract has."""
    known = {item.name for item in fields(Dimension)} - {"name"}
    dimensions = {}
    for name, entry in declarations.read(_FILE).items():
        declarations.check_keys(_FILE, name, entry, known)
        dimensions[name] = Dimension(name, **entry)
        if source := dimensions[name].source:
            table, _, column = source.partition(".")
            declarations.check_names(_FILE, name, "source", [table], TABLES, "contract")
            columns = contract(table).by_name
            declarations.check_names(_FILE, name, "source", [column], columns, f"column of the contract `{table}`")
    return dimensions


ALL = _declared()


def _names(dimensions: Iterable[Dimension]) -> tuple[str, ...]:
    return tuple(dimension.name for dimension in dimensions)


DIMENSIONS = _names(ALL.values())
TIME = _names(dimension for dimension in ALL.values() if dimension.time)
ORDERED = _names(dimension for dimension in ALL.values() if dimension.ordered)
PLACES = _names(dimension for dimension in ALL.values() if dimension.place)
FILTERS = _names(dimension for dimension in ALL.values() if dimension.filter)
# The dimensions of spells of service, and those of the table `preaggregate`.
SPELL = _names(dimension for dimension in ALL.values() if dimension.spell)
CELL = _names(dimension for dimension in ALL.values() if dimension.preaggregated)
BANDS = {dimension.name: dimension.bands for dimension in ALL.values() if dimension.bands}
# For each dimension with a fixed list: its members by every folded word for them.
CHOICES = {
    dimension.name: {fold(word): member for member, fa in dimension.words.items() for word in (member, fa)}
    for dimension in ALL.values()
    if dimension.words
}
_GROUPS = {"@spell": SPELL} | {
    f"@{group}": _names(dimension for dimension in ALL.values() if dimension.filter == group)
    for group in sorted({dimension.filter for dimension in ALL.values()} - {""})
}


def _conditions() -> dict[str, str]:
    """The condition of each number. Raises Refused for one that asks for more than the columns that `_qualified` knows."""
    flags = re.findall(r"\bis_\w+", _SERVICE.read_text(encoding="utf-8"))
    for name, condition in declarations.read(_ROLLUPS).items():
        words = re.findall(r"[a-z_]\w*", re.sub("'[^']*'", "", condition.lower()))
        asked = [word for word in words if word not in _SQL_WORDS]
        kind = "`is_` column of the model `service` and no dimension with `spell = true`"
        declarations.check_names(_ROLLUPS, "", name, asked, {*flags, *SPELL}, kind)
    return declarations.read(_ROLLUPS)


# The numbers of `preaggregate`, and the condition of each; empty where a model writes it out.
ROLLUPS = _conditions()


def expand_groups(names: Collection[str]) -> list[str]:
    """The names, with `@spell` as the dimensions of spells and `@person`, `@place`… as those of that filter."""
    return [member for name in names for member in _GROUPS.get(name, (name,))]


def render(sql: str) -> str:
    """The SQL of a model with its column lists written in.

    `{{ cell }}` and `{{ spell }}` are the columns of CELL and SPELL, `{{ cell(t) }}` those of the table `t`,
    `{{ cell(t, other_) }}` those renamed with the prefix `other_`, `{{ cell(, other_) }}` the renamed columns;
    `{{ spell_columns }}` are the expressions of SPELL in the model `spells`. `{{ rollup }}` are the numbers of ROLLUPS,
    `{{ rollup_counts }}` their conditions as 0 or 1, `{{ rollup_counts(t, u) }}` those that hold in the tables `t` and `u`,
    `{{ rollup_zeros }}` zeros for them, `{{ rollup_pattern }}` a pattern of all names, `{{ rollup_any }}` whether any is not 0.
    """

    def columns(match: re.Match[str]) -> str:
        kind, table, prefix = match[1], match[2] or "", match[3] or ""
        if kind == "spell_columns":
            return ", ".join(ALL[name].column_of_spell for name in SPELL)
        if kind.startswith("rollup"):
            return _rollups(kind, [part for part in (table, prefix) if part])
        names = {"cell": CELL, "spell": SPELL}[kind]
        if not table:
            return ", ".join(prefix + name for name in names)
        return ", ".join(f"{table}.{name}{f' as {prefix}{name}' if prefix else ''}" for name in names)

    return _PLACEHOLDER.sub(columns, sql)


def _rollups(kind: str, tables: Sequence[str]) -> str:
    conditions = {name: condition for name, condition in ROLLUPS.items() if condition}
    if kind == "rollup_counts":
        both = {name: [_qualified(condition, table) for table in tables] for name, condition in conditions.items()}
        return ", ".join(
            f"cast({' and '.join(both[name] or [conditions[name]])} as integer) as {name}" for name in both
        )
    return {
        "rollup": ", ".join(ROLLUPS),
        "rollup_zeros": ", ".join(f"0 as {name}" for name in conditions),
        "rollup_pattern": "|".join(ROLLUPS),
        "rollup_any": f"({' or '.join(f'{name} <> 0' for name in ROLLUPS)})",
    }[kind]


def _qualified(condition: str, table: str) -> str:
    """A condition of which each column is that of `table`."""
    columns = rf"'[^']*'|\b(is_\w+|{'|'.join(SPELL)})\b"
    return re.sub(columns, lambda found: f"{table}.{found[0]}" if found[1] else found[0], condition)
