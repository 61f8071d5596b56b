"""Provinces, counties and courses of the reference tables, as lists to index."""

import numpy as np

from etl.core.paths import REFERENCE
from etl.core.places import reference_rows


class Places:
    def __init__(self) -> None:
        rows = sorted(reference_rows(REFERENCE / "provinces.csv"), key=lambda r: r["sci_code"])
        self.rows = rows
        self.provinces = {
            "name": [r["name_fa"] for r in rows], "english": [r["name_en"] for r in rows],
            "iso": [r["iso_3166_2"] for r in rows], "sci": [r["sci_code"] for r in rows],
        }  # fmt: skip
        index = {iso: i for i, iso in enumerate(self.provinces["iso"])}
        self.aliases: list[list[str]] = [[] for _ in rows]
        for row in reference_rows(REFERENCE / "province_aliases.csv"):
            # «کرج» is also a city: clerks do not mean the province by it
            if row["lang"] == "fa" and row["alias"] != "کرج" and "," not in row["alias"]:
                self.aliases[index[row["iso_3166_2"]]].append(row["alias"])
        counties = reference_rows(REFERENCE / "counties.csv")
        self.county_province = np.array([index[c["province_iso"]] for c in counties])
        self.county_urban = np.array([int(c["urban_2016"]) + 500 for c in counties], dtype=float)
        self.county_names = [c["county_fa"] for c in counties]
        self.county_codes = [c["sci_code"] for c in counties]
        later = [c for c in reference_rows(REFERENCE / "counties_1402.csv") if c["in_2016_census"] == "0"]
        self.new_counties = [c["county_fa"] for c in later]
        self.new_county_province = np.array([index[c["province_iso"]] for c in later])
        self.course_rows = reference_rows(REFERENCE / "courses.csv")
        self.courses = [c["course_code"] for c in self.course_rows]
