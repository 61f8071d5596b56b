"""Residents by province and date, the denominator of every rate: read from population.csv and looked up by day.

A population.csv in the submitted folder replaces the shipped file as a whole.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from persiantools.jdatetime import JalaliDate

from etl.core.paths import REFERENCE
from etl.core.places import places
from etl.extract import reference_files as files
from etl.extract.causes import because
from etl.warehouse.build_database import create_from

KINDS = {"census": "سرشماری", "estimate": "برآورد", "projection": "پیش‌بینی"}
_FILE = "population.csv"
_COLUMNS = ("province", "date", "residents", "kind", "source")
# The residents that a publication holds, earliest first.
ROWS = f"select {', '.join(_COLUMNS)} from population order by all"

# Facts of every province that no other filter narrows: its residents, those of the nation, its area.
PROVINCES = """select
    areas.province,
    fsum(residents.residents + residents.change_a_day * ({day} - residents.valid_from)) as residents,
    fsum(fsum(residents.residents + residents.change_a_day * ({day} - residents.valid_from))) over () as nation_residents,
    any_value(area_km2) as area_km2
from areas
left join residents
    on residents.province = areas.province
    and residents.valid_from <= {day}
    and residents.valid_until > {day}
group by areas.province
order by areas.province"""


@dataclass(frozen=True)
class Residents:
    """The residents of a province (ISO code) on a date; `kind` is a key of KINDS."""

    province: str
    date: date
    residents: int
    kind: str
    source: str


@dataclass(frozen=True)
class Basis:
    """The basis of the residents on a day: the Jalali year, a key of KINDS, the sources."""

    year: int
    kind: str
    sources: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Provinces:
    """The provinces of a publication: their areas in km², and their residents by date, earliest first."""

    areas: Mapping[str, int] = field(default_factory=dict)
    population: Mapping[str, Sequence[Residents]] = field(default_factory=dict)

    def facts(self, day: date) -> Mapping[str, Mapping[str, float | None]]:
        """`residents`, `nation_residents` and `area_km2` of each province on a day."""
        return _facts(self, day)

    def residents(self, province: str, day: date) -> float | None:
        """Residents on a day: interpolated by days between the two dates around it; beyond the dates, those of the nearest."""
        dated = self.population.get(province, ())
        if not dated:
            return None
        after = bisect_right(dated, day, key=lambda row: row.date)
        if after in (0, len(dated)):
            return float(dated[max(after - 1, 0)].residents)
        start, end = dated[after - 1], dated[after]
        a_day = (end.residents - start.residents) / (end.date - start.date).days
        return start.residents + a_day * (day - start.date).days

    def basis(self, day: date) -> Basis | None:
        """The basis of the residents on a day; None if there are none.

        It is a census only on the date of a census, or beyond the dates if the nearest is one; in between it is an estimate.
        """
        used: list[Residents] = []
        is_between = False
        for dated in self.population.values():
            after = bisect_right(dated, day, key=lambda row: row.date)
            nearest = dated[max(after - 1, 0)]
            if after in (0, len(dated)) or nearest.date == day:
                used.append(nearest)
            else:
                is_between = True
                used += dated[after - 1 : after + 1]
        if not used:
            return None
        kinds = {row.kind for row in used}
        year = JalaliDate(min(max(day, min(row.date for row in used)), max(row.date for row in used))).year
        kind = next((kind for kind in reversed(KINDS) if kind in kinds), "estimate")
        return Basis(
            year, "estimate" if kind == "census" and is_between else kind, tuple(sorted({row.source for row in used}))
        )


@lru_cache(maxsize=1 << 8)
def _facts(provinces: Provinces, day: date) -> dict[str, dict[str, float | None]]:
    residents = {province: provinces.residents(province, day) for province in provinces.areas}
    counts = [count for count in residents.values() if count is not None]
    nation = sum(counts) if counts else None
    return {
        province: {"residents": residents[province], "nation_residents": nation, "area_km2": area}
        for province, area in provinces.areas.items()
    }


def read(folder: Path) -> list[Residents]:
    """The rows of population.csv. Raises Refused for an unreadable cell, a repeated day, a missing province."""
    residents = _rows(folder) if files.is_in(folder, _FILE) else _shipped()
    lacking = sorted(set(places().provinces.values()) - {row.province for row in residents})
    if lacking:
        raise because("reference_province_missing", file=_FILE, provinces=", ".join(lacking))
    return residents


def _rows(folder: Path) -> list[Residents]:
    return files.read(folder, _FILE, _COLUMNS, _residents, "date", lambda row: (row.province, row.date))


@cache
def _shipped() -> list[Residents]:
    return _rows(REFERENCE)


def load(con: duckdb.DuckDBPyConnection, rows: Sequence[Residents]) -> None:
    """Create `population`: one row per province and date."""
    create_from(con, "create table population as from arriving", pa.Table.from_pylist(list(map(vars, rows))))


def published(con: duckdb.DuckDBPyConnection) -> Provinces:
    """The provinces of the publication that `con` reads."""
    areas = dict(con.execute("select province, area_km2 from areas order by 1").fetchall())
    return Provinces(areas, by_province(con.execute(ROWS).fetchall()))


def by_province(rows: Iterable[Sequence[Any]]) -> dict[str, list[Residents]]:
    """The rows of ROWS by province."""
    population: dict[str, list[Residents]] = {}
    for row in rows:
        population.setdefault(row[0], []).append(Residents(*row))
    return population


def _residents(path: Path, line: int, row: dict[str, str]) -> Residents:
    province = files.province(path, line, row)
    if province is None:
        raise files.bad_cell(path, line, "province", "missing_value")
    day = files.day(path, line, row)
    count = files.required_number(path, line, row, "residents", whole=True, above_zero=True)
    kind = files.choice(path, line, row, "kind", KINDS)
    return Residents(province, day, int(count), kind, files.text(path, line, row, "source"))
