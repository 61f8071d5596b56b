"""The history of smart services, carried from publication to publication.

The flag of an institute has no history in the register, so each publication stores its count and all earlier counts.
"""

from pathlib import Path

import duckdb

from etl.warehouse import publications
from etl.warehouse.build_database import create_from


def carry(con: duckdb.DuckDBPyConnection, last: Path | None) -> None:
    """Add the rows of earlier publications to `adoption`, each valid from its as-of day (`valid_from`).

    They come from the version `last`, if both are samples or neither is. A day that is published again is counted again,
    and later days are dropped: the same files give the same table, regardless of builds in between.
    """
    if last is None:
        return
    with publications.connect(last, any_code=True) as before:
        try:
            earlier = before.cursor().sql("select adoption.*, is_sample from adoption, publication").to_arrow_table()
        except (duckdb.CatalogException, duckdb.BinderException):
            # The code that built it had no such table.
            return
    create_from(
        con,
        "insert into adoption by name select arriving.* exclude (is_sample) from arriving inner join publication "
        "on arriving.is_sample = publication.is_sample and arriving.valid_from < publication.as_of",
        earlier,
    )
    con.execute("create or replace table adoption as select * from adoption order by valid_from, province, activity")
