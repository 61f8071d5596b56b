"""What the register does not remember is kept from publication to publication: the adoption of smart services.

The flag of an institute has no history, so each publication holds its own count and those of the ones before it.
"""

from pathlib import Path

import duckdb

from etl.core.errors import Refused
from etl.warehouse import publications

ADOPTION = """
    select
        province,
        activity,
        count(distinct institute_code) as licensed_institutes,
        count(distinct institute_code) filter (where smart_services) as smart_institutes,
        as_of as valid_from,
        date '9999-12-31' as valid_until,
    from licensed_days
    inner join publication on licensed_days.valid_from <= as_of and licensed_days.valid_until > as_of
    group by province, activity, as_of
"""


def carry(con: duckdb.DuckDBPyConnection, pointer: Path) -> None:
    """Make `adoption` in `con`: one row per publication, province and activity, from its as-of day (`valid_from`) on.

    Earlier rows are those of the publication that `pointer` shows, if both are made up or both are not. A day published
    anew is counted anew, and later days are left out: the same files give the same table whatever was built in between.
    """
    con.execute(f"create table adoption as {ADOPTION}")
    try:
        with publications.connect(pointer, any_code=True) as last:
            kept = last.cursor().sql("select adoption.*, is_sample from adoption, publication").to_arrow_table()
    except (Refused, duckdb.Error):
        # Nothing that can be read is published yet.
        return
    con.register("kept", kept)
    con.execute(
        "insert into adoption by name select kept.* exclude (is_sample) from kept inner join publication "
        "on kept.is_sample = publication.is_sample and kept.valid_from < publication.as_of"
    )
    con.unregister("kept")
    con.execute("create or replace table adoption as select * from adoption order by valid_from, province, activity")
