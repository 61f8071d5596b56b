"""The spellings of provinces and counties, from the reference tables.

Counties have the boundaries of the census of 1395: one created since counts in the county it was separated from.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from etl.core.paths import REFERENCE
from etl.core.text_folding import fold

_OWN_NAMES = ("sci_code", "county_en", "county_en_osm", "county_fa", "name_in_1402_list")


@dataclass(frozen=True)
class County:
    """The SCI code of a county of 1395; `written` is the name that a spelling stands for, if the county has another one.

    `is_newer`: that name is of a county created since.
    """

    code: str
    written: str | None = None
    is_newer: bool = False


@dataclass(frozen=True)
class Places:
    """ISO codes of provinces by folded spelling; counties by (ISO code of the province, `county_key` of the spelling)."""

    provinces: Mapping[str, str]
    counties: Mapping[tuple[str, str], County]

    def county(self, province: str, folded: str) -> County | None:
        """The county of a province that a folded spelling names."""
        return self.counties.get((province, folded.replace(" ", "")))

    def is_county(self, folded: str) -> bool:
        """Whether a folded spelling names a county of some province."""
        return folded.replace(" ", "") in self._spellings

    @cached_property
    def _spellings(self) -> frozenset[str]:
        return frozenset(spelling for _, spelling in self.counties)

    def county_named(self, name: str) -> County | None:
        """The county that a name or code means in any province: no two provinces share one."""
        key = county_key(name)
        return next((county for (_, spelling), county in self.counties.items() if spelling == key), None)


def county_key(name: str) -> str:
    """The form in which names of counties are compared: folded, without spaces."""
    return fold(name).replace(" ", "")


@cache
def places() -> Places:
    """The places of the reference tables."""
    provinces: dict[str, str] = {}
    counties: dict[tuple[str, str], County] = {}
    for row in reference_rows(REFERENCE / "provinces.csv"):
        for name in (row["iso_3166_2"], row["sci_code"], row["name_fa"], row["name_en"]):
            provinces[fold(name)] = row["iso_3166_2"]
    for row in reference_rows(REFERENCE / "province_aliases.csv"):
        provinces[fold(row["alias"])] = row["iso_3166_2"]
    # A spelling that a county of 1395 has keeps its meaning: «سرباز» is 1108, which the newer one was separated from.
    for province, spelling, county in _counties():
        counties.setdefault((province, county_key(spelling)), county)
    return Places(provinces, counties)


# The table of places of a kind, the columns of its code and, by language, of its name.
_NAMED = {"province": ("provinces.csv", "iso_3166_2", "name"), "county": ("counties.csv", "sci_code", "county")}


@cache
def place_names(kind: str, lang: str) -> Mapping[str, str]:
    """The codes and names of all provinces or, as of the census of 1395, counties."""
    file, key, name = _NAMED[kind]
    return {row[key]: row[f"{name}_{lang}"] for row in reference_rows(REFERENCE / file)}


def _counties() -> Iterator[tuple[str, str, County]]:
    """Provinces, spellings and counties: those of 1395, the newer ones, other names."""
    for row in reference_rows(REFERENCE / "counties.csv"):
        for name in filter(None, map(row.get, _OWN_NAMES)):
            is_other = name == row["name_in_1402_list"] and county_key(name) != county_key(row["county_fa"])
            yield row["province_iso"], name, County(row["sci_code"], name if is_other else None)
    for row in newer_counties():
        for name in filter(None, (row["name"], row["name_en"], row["sci_code"], *row["aliases"].split(";"))):
            yield row["province"], name, County(row["parent_code"], row["name"], is_newer=True)
    for row in reference_rows(REFERENCE / "county_aliases.csv"):
        yield row["province"], row["alias"], County(row["code"], row["alias"])
    for row in reference_rows(REFERENCE / "counties_1404.csv"):
        yield row["province"], row["name"], County(row["code_1395"], row["name"])


@cache
def newer_counties() -> tuple[dict[str, str], ...]:
    """The counties created since the census of 1395, with the codes of their parents."""
    return tuple(reference_rows(REFERENCE / "counties_since.csv"))


def reference_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a shipped reference table by its titles."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
