"""The spellings of provinces and counties, from the reference tables."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from etl.core.paths import REFERENCE
from etl.core.text_folding import fold

_COUNTY_NAMES = ("sci_code", "county_fa", "county_en", "county_en_osm", "name_in_1402_list")


@dataclass(frozen=True)
class Places:
    """ISO codes of provinces by folded spelling; SCI codes of counties by (ISO code of the province, folded spelling)."""

    provinces: Mapping[str, str]
    counties: Mapping[tuple[str, str], str]


@cache
def places() -> Places:
    """The places of the reference tables."""
    provinces: dict[str, str] = {}
    counties: dict[tuple[str, str], str] = {}
    for row in reference_rows(REFERENCE / "provinces.csv"):
        for name in (row["iso_3166_2"], row["sci_code"], row["name_fa"], row["name_en"]):
            provinces[fold(name)] = row["iso_3166_2"]
    for row in reference_rows(REFERENCE / "province_aliases.csv"):
        provinces[fold(row["alias"])] = row["iso_3166_2"]
    for row in reference_rows(REFERENCE / "counties.csv"):
        for name in filter(None, map(row.get, _COUNTY_NAMES)):
            counties.setdefault((row["province_iso"], fold(name)), row["sci_code"])
    return Places(provinces, counties)


def reference_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a shipped reference table by its titles."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
