"""Plans without a database: a publication of some provinces, and questions about it."""

from datetime import date, datetime
from typing import Any

import duckdb

from etl.semantic.resolve import Plan, resolve
from etl.warehouse.population import Provinces, Residents
from etl.warehouse.publications import Publication

AS_OF = date(2026, 6, 30)
PROVINCES = Provinces(
    {"IR-23": 13_755, "IR-30": 5_122},
    {
        code: [Residents(code, date(2020, 1, 1), people, "census", "x")]
        for code, people in (("IR-23", 100), ("IR-30", 50))
    },
)


def publication(has_many: bool = False) -> Publication:
    """The description of a build of this day."""
    months = (date(2010, 4, 20), date(2026, 7, 22))
    return Publication("1", AS_OF, AS_OF, datetime.min, False, 1, 1, 1, 0, (), months, has_many, PROVINCES)


def plan(*names: str, has_many: bool = False, **question: Any) -> Plan:
    """The plan of a question whose filters name no county, institute or course: an empty database is enough."""
    return resolve(duckdb.connect(), publication(has_many), names, **question)
