"""The catalogue: the meaning of each metric of etl/semantic/metrics/*.toml, and the dimensions it can be asked by."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from etl.core import declarations
from etl.warehouse.dimensions import BANDS, DIMENSIONS, ROLLUPS, TIME, expand_groups
from etl.warehouse.run_models import sources_behind

_FOLDER = Path(__file__).parent
# Units that count persons, or events of which each person has one.
_OF_PERSONS = frozenset(
    {"persons", "mean_persons", "persons_gained", "persons_per_month", "person_courses", "completions"}
)
# A difference can be near zero or negative in a large group, so its group is sized by another metric. A coverage gap is sized
# by residents: it can be large where nobody serves.
_OF_DIFFERENCE = {"coverage_gap": "residents", "net_change": "in_service"}


@dataclass(frozen=True)
class Table:
    """A model as questions see it: its kind, the column of each dimension, the dimensions that do not filter it.

    A column may be an expression of the day asked about, written `{day}`.
    """

    name: str
    kind: str
    columns: dict[str, str]
    model: str
    ignores: tuple[str, ...] = ()
    # A lookup adds its numbers to the groups that other tables have; it adds no groups of its own.
    is_lookup: bool = False
    # The dimensions that still split a national total.
    national_total_dimensions: tuple[str, ...] = ()
    # The key that is unique among rows with `is_single_spell`: they are counted without count(distinct).
    single_spell_key: str = ""


@dataclass(frozen=True)
class Measure:
    """A number counted straight from one table; tables.toml explains the fields."""

    name: str
    table: str
    sql: str
    kind: str
    where: str = ""
    day: str = ""
    offset_months: int = 0
    window_months: tuple[int, int] | None = None
    snapshot_condition: str = ""
    at_end: bool = False
    national_total: bool = False
    fill_nulls_with: float | None = 0
    provisional_days: int = 0
    ignores: tuple[str, ...] = ()
    rollup_column: str = ""
    static_column: str = ""


@dataclass(frozen=True)
class Metric:
    """One entry of the catalogue.

    `unit` is a word of pages/text.toml; `direction` says which way is good: up, down or none. `numerator` and `denominator`
    name the metrics that a ratio is made of. `hidden` ones are parts, never shown by themselves. `find`: what officials call it
    in both languages, which a search knows. tables.toml explains the others.
    """

    name: str
    kind: str
    unit: str
    label: dict[str, str]
    short: dict[str, str]
    description: dict[str, str]
    sql: str
    dimensions: frozenset[str] = frozenset()
    only_filters: frozenset[str] = frozenset()
    mutually_exclusive: frozenset[str] = frozenset()
    example: dict[str, str] = field(default_factory=lambda: {"fa": "", "en": ""})
    direction: str = "none"
    numerator: str | None = None
    denominator: str | None = None
    group: str = ""
    hidden: bool = False
    has_history: bool = True
    counts: str = ""
    most_per_person: int = 1
    sample_size: str | None = None
    by_calendar: bool = False
    find: tuple[str, ...] = ()

    @property
    def groups(self) -> frozenset[str]:
        """The dimensions by which it can be split."""
        return self.dimensions - self.only_filters

    @property
    def is_difference(self) -> bool:
        """Whether it is a difference of two counts, which can be negative."""
        return self.name in _OF_DIFFERENCE


def _names(*kinds: type) -> frozenset[str]:
    return frozenset(item.name for kind in kinds for item in fields(kind)) - {"name"}


# The keys of each kind of entry, those that it needs, and those of the tables in it.
_WORDS = frozenset({"unit", "label", "description"})
_KEYS = {
    "metric": _names(Metric, Measure) | {"alternate_sources", "excluded_dimensions"},
    "derived": _names(Metric) - {"kind", "dimensions"},
    "reported": _names(Metric) - {"kind", "sql", "dimensions"},
    "table": _names(Table) - {"is_lookup", "single_spell_key"}
    | {"dimensions", "bands", "shared", "lookup", "is_single_spell"},
}
_NEEDED = {"metric": _WORDS | {"kind", "sql"}, "derived": _WORDS, "reported": _WORDS, "table": frozenset({"kind"})}
_KEYS_WITHIN = dict.fromkeys(("label", "short", "description"), declarations.LANGUAGES) | {
    "example": declarations.LANGUAGES | {"ask", "value", "row", "with"}
}
_OF_DIMENSIONS = {
    "dimensions", "excluded_dimensions", "only_filters", "mutually_exclusive", "ignores", "national_total_dimensions",
    "alternate_sources", "columns", "bands",
}  # fmt: skip
_VALUES: dict[str, Collection[str]] = {
    "kind": ("snapshot", "event"),
    "direction": ("up", "down", "none"),
    "group": {path.stem for path in (_FOLDER / "metrics").glob("*.toml")},
    "rollup_column": ROLLUPS,
}


@cache
def entries() -> dict[str, dict[str, dict[str, Any]]]:
    """The raw entries of each kind (table, metric, derived, reported) by name; metrics in the order of their files."""
    others = (_FOLDER / f"{name}.toml" for name in ("tables", "analyses", "reports"))
    by_kind: dict[str, dict[str, dict[str, Any]]] = {}
    for path in (*sorted((_FOLDER / "metrics").glob("*.toml")), *others):
        content = declarations.read(path)
        declarations.check_keys(path, "", content, _KEYS)
        for kind, by_name in content.items():
            for name, entry in by_name.items():
                _check(path, f"{kind}.{name}", entry, _KEYS[kind], _NEEDED[kind])
                if name in by_kind.setdefault(kind, {}):
                    raise declarations.fault(path, f"[{kind}.{name}] is declared twice")
                by_kind[kind][name] = entry
    return by_kind


def _check(path: Path, title: str, entry: Mapping[str, Any], known: frozenset[str], needed: frozenset[str]) -> None:
    """Raise Refused for a key that no entry of this kind has, in the entry or in a table of it."""
    declarations.check_keys(path, title, entry, known, needed)
    for key, value in entry.items():
        if key in _KEYS_WITHIN:
            declarations.check_keys(path, f"{title}.{key}", value, _KEYS_WITHIN[key], declarations.LANGUAGES)
        elif key in _OF_DIMENSIONS:
            declarations.check_names(path, title, key, expand_groups(value), DIMENSIONS, "dimension")
        elif key in _VALUES:
            kinds = (*_VALUES[key], "static") if key == "kind" and title.startswith("table.") else _VALUES[key]
            declarations.check_names(path, title, key, [value], kinds, key.replace("_", " "))
    for dimension, change in entry.get("alternate_sources", {}).items():
        declarations.check_keys(path, f"{title}.alternate_sources.{dimension}", change, known)


@cache
def tables() -> dict[str, Table]:
    """The tables that metrics count from."""
    by_name = {}
    for name, entry in entries()["table"].items():
        columns = {column: column for column in expand_groups(entry.get("dimensions", ()))} | entry.get("columns", {})
        columns |= {band: _banded(band, value) for band, value in entry.get("bands", {}).items()}
        for table in (name, f"{name}_shared", f"{name}_many") if entry.get("shared") else (name,):
            by_name[table] = Table(
                table,
                entry["kind"],
                columns,
                entry.get("model", table),
                tuple(expand_groups(entry.get("ignores", ()))),
                entry.get("lookup", False),
                tuple(expand_groups(entry.get("national_total_dimensions", ()))),
                entry.get("is_single_spell", ""),
            )
    return by_name


def _banded(dimension: str, value: str) -> str:
    """A CASE expression for the band of a value."""
    steps = "".join(f" when {value} < {end} then '{band}'" for band, end in BANDS[dimension].items() if end)
    last = next(band for band, end in BANDS[dimension].items() if not end)
    return f"case{steps} else '{last}' end"


@cache
def catalogue() -> dict[str, Metric]:
    """Every metric by its name, in the order of the files."""
    return {
        name: _metric(
            name,
            entry,
            dimensions=_dimensions(name),
            only_filters=frozenset(expand_groups(entry.get("only_filters", ()))),
            mutually_exclusive=_mutually_exclusive(name),
        )
        for name, entry in entries()["metric"].items()
    }


@cache
def derived(name: str) -> Metric:
    """The labels and the unit of a number that etl/analysis computes; it is no metric and cannot be asked for."""
    return _metric(name, {"kind": "snapshot", "sql": "", **entries()["derived"][name]})


@cache
def reported(name: str) -> Metric:
    """The labels and the unit of a number of the load, a comparison or the rows of an institute."""
    return _metric(name, {"kind": "snapshot", "sql": "", "group": "load", **entries()["reported"][name]})


def derived_names() -> tuple[str, ...]:
    """The names of the numbers that etl/analysis computes."""
    return tuple(entries()["derived"])


def described(name: str, metrics: Iterable[Metric] = ()) -> Metric | None:
    """The metric of a column: that of its answer, else of the catalogue or of a derived number; None for a dimension."""
    of_answer = next((metric for metric in metrics if metric.name == name), None)
    return of_answer or catalogue().get(name) or (derived(name) if name in derived_names() else None)


def label_of(name: str, lang: str, metrics: Iterable[Metric] = ()) -> str:
    """The label of a number; its name if nothing describes it."""
    metric = described(name, metrics)
    return metric.label[lang] if metric else name


def expand(name: str, involved: frozenset[str]) -> dict[str, Measure]:
    """The measures behind a metric when the dimensions `involved` are grouped by or filtered on."""
    entry = entries()["metric"][name]
    if "table" in entry:
        return {name: _measure(name, _source(entry, involved))}
    measures: dict[str, Measure] = {}
    for part in parts_of(entry["sql"]):
        measures |= expand(part, involved)
    return measures


def sources_of(name: str, involved: Iterable[str] = ()) -> frozenset[str]:
    """The source and reference tables a metric is counted from when the dimensions `involved` are grouped by or filtered on."""
    return sources_behind({tables()[measure.table].model for measure in expand(name, frozenset(involved)).values()})


def provisional_days(name: str) -> int:
    """For how many days after an event a metric may still change by itself; 0 if it cannot."""
    return max(measure.provisional_days for measure in expand(name, frozenset()).values())


def counts_a_year(name: str) -> bool:
    """Whether a metric counts the events of the 12 months before its day."""
    return any(measure.window_months == (12, 0) for measure in expand(name, frozenset()).values())


def _source(entry: Mapping[str, Any], involved: frozenset[str]) -> Mapping[str, Any]:
    """The entry, or its alternate source if a dimension is involved that its own table lacks."""
    for dimension, change in entry.get("alternate_sources", {}).items():
        if dimension in involved:
            return {**entry, "rollup_column": "", **change}
    return entry


def _measure(name: str, entry: Mapping[str, Any]) -> Measure:
    window, fill = entry.get("window_months"), entry.get("fill_nulls_with", 0)
    changed = {
        "name": name,
        "day": f"{entry['table']}.{entry.get('day', 'day')}",
        "window_months": tuple(window) if window else None,
        "fill_nulls_with": None if fill is False else fill,
        "ignores": tuple(entry.get("ignores", ())),
    }
    return Measure(**_fields_in(entry, Measure) | changed)


def _fields_in(entry: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """The keys of an entry that are fields of a dataclass."""
    return {item.name: entry[item.name] for item in fields(kind) if item.name in entry}


def parts_of(sql: str) -> list[str]:
    """The names of the metrics that a formula is written with."""
    return re.findall(r"\{(\w+)\}", sql)


@cache
def _dimensions(name: str) -> frozenset[str]:
    entry = entries()["metric"][name]
    if "dimensions" in entry:
        return frozenset(entry["dimensions"])
    if "table" in entry:
        table = tables()[entry["table"]]
        further = (*entry.get("alternate_sources", {}), *entry.get("ignores", ()))
        dimensions = frozenset((*table.columns, *table.ignores, *TIME, *further))
    else:
        dimensions = frozenset(DIMENSIONS).intersection(*map(_dimensions, parts_of(entry["sql"])))
    return dimensions - frozenset(entry.get("excluded_dimensions", ()))


@cache
def _mutually_exclusive(name: str) -> frozenset[str]:
    entry = entries()["metric"][name]
    dimensions = frozenset(entry.get("mutually_exclusive", ()))
    if "table" not in entry:
        for part in parts_of(entry["sql"]):
            dimensions |= _mutually_exclusive(part)
    return dimensions


def _metric(name: str, entry: Mapping[str, Any], **known: frozenset[str]) -> Metric:
    counts = "persons" if entry["unit"] in _OF_PERSONS else entry["unit"]
    return Metric(**{"name": name, "short": entry["label"], "counts": counts} | _fields_in(entry, Metric) | known)


def size_of(metric: Metric) -> str:
    """The metric that sizes a group.

    For a share its denominator, for another ratio its numerator (persons, not residents, area or a target), for a median the
    number of cases, for a difference see _OF_DIFFERENCE, for a count the count itself.
    """
    whole = catalogue().get(metric.denominator or "")
    if metric.unit == "share" and metric.denominator and not (whole and whole.counts == "targets"):
        return metric.denominator
    return metric.numerator or metric.sample_size or _OF_DIFFERENCE.get(metric.name) or metric.name
