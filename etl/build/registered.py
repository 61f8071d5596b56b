"""Whose a key is: an institute, a licence, a period of service or a course belongs to the province that registered it.

Example: Isfahan registered institute 1000001, and a file of Fars names it too, by mistake or on purpose. Isfahan's row stays;
that of Fars goes back as `not_yours`. It holds for files of a known province: the one that submitted the file, or the one of
most of its rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from etl.extract.contract import Contract
from etl.revisions import fingerprints
from etl.warehouse import publications
from etl.warehouse.build_database import SCRATCH


@dataclass(frozen=True)
class Register:
    """What says whose a key is: the last publication, and else the order in which files were accepted.

    `identity`: the key of the fingerprints; `handed_in`: the province of each file that one submitted, by the name of the
    file, in the order in which they were accepted.
    """

    last: Path | None = None
    identity: bytes = b""
    handed_in: Mapping[str, str] = field(default_factory=dict)

    def owners(self, table: str, keys: Sequence[int]) -> list[tuple[int, str]]:
        """The province of these keys in the last publication, as far as it holds them."""
        same = (
            f"select 1 from fingerprint_kind where engine = version() and key = {fingerprints.check_of(self.identity)}"
        )
        if not keys or not publications.rows_of(self.last, same):
            return []
        return publications.rows_of(
            self.last,
            "select key_fingerprint, province from row_fingerprints "
            "where source_table = $table and province is not null and list_contains($keys::ubigint[], key_fingerprint)",
            {"table": table, "keys": list(keys)},
        )


def find_others(con: duckdb.DuckDBPyConnection, of: Contract, register: Register, ranks: Mapping[int, int]) -> None:
    """Reject as `not_yours` the rows of a key that belongs to another province, of which a file holds it with other content.

    `repeated_keys` holds the hashes of the keys of several rows; `ranks`: when each file that was submitted was accepted.
    """
    key = ", ".join(f"rows.{name}" for name in of.stored_key)
    content = ", ".join(f"rows.{column.stored}" for column in of.entering)
    # Rows by institute belong to the province of the institute, which was settled before.
    institutes = (
        "left join loaded_institutes on loaded_institutes.institute_code = rows.institute_code"
        if of.table == "personnel"
        else ""
    )
    con.execute(
        f"""
        create or replace table {SCRATCH}.contested as
        with placed as (
            select
                rows.file_number,
                rows.line,
                hash($salt, {key}) as key_fingerprint,
                hash({content}) as content_hash,
                file_provinces.province,
                {"loaded_institutes.province" if institutes else "null::varchar"} as registered,
            from read_{of.table} as rows
            inner join repeated_keys on key_hash = hash({key})
            inner join file_provinces on file_provinces.file_number = rows.file_number
            {institutes}
        )
        from placed
        where key_fingerprint in (
            select key_fingerprint from placed group by all
            having count(distinct province) > 1 and count(distinct content_hash) > 1
        )
        """,
        {"salt": fingerprints.salt_of_keys(register.identity)},
    )
    keys = [key for (key,) in con.execute("select distinct key_fingerprint from contested").fetchall()]
    if not keys:
        return
    con.execute(f"create or replace table {SCRATCH}.key_owners (key_fingerprint ubigint, province varchar)")
    if known := register.owners(of.table, keys):
        con.executemany("insert into key_owners values (?, ?)", known)
    con.execute(f"create or replace table {SCRATCH}.accepted (file_number integer, rank integer)")
    if ranks:
        con.executemany("insert into accepted values (?, ?)", list(ranks.items()))
    con.execute(
        f"""
        insert into faults
        with earliest as (
            -- Files that lay in the folder before are earlier than any that was submitted; among themselves none is.
            select key_fingerprint, any_value(province) as province
            from (
                from contested
                left join accepted using (file_number)
                qualify coalesce(rank, 0) = min(coalesce(rank, 0)) over (partition by key_fingerprint)
            )
            group by all
            having count(distinct province) = 1
        ),
        owned as (
            select contested.*, coalesce(contested.registered, key_owners.province, earliest.province) as owner
            from contested
            left join key_owners using (key_fingerprint)
            left join earliest using (key_fingerprint)
        )
        select '{of.table}', file_number, line, '{of.key[0]}', 'not_yours'
        from owned
        where province <> owner and key_fingerprint in (select key_fingerprint from owned where province = owner)
        """
    )
