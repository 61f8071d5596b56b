"""The tables that a publication stores for the revision log: fingerprints of rows, digests of definitions, its numbers.

Fingerprints are hashes under the installation's key. Values that the publication itself does not hold (a day of birth, a
score) enter as cryptographic hashes, so no fingerprint leads back to them.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Collection
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from etl.core import jalali
from etl.extract.contract import TABLES, contract
from etl.semantic import catalog
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import ask
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import run_models
from etl.warehouse.build_database import SCRATCH, create_from

_HIDDEN = ("birth_date", "score")
# Labels, and settings that only make answers faster, change no number.
_NOT_COUNTED = {"label", "short", "description", "example", "direction", "group", "rollup_column"}
_NUMBERS = pa.schema([("metric", pa.string()), ("province", pa.string()), ("value", pa.float64())])

Numbers = dict[tuple[str, str | None], Any]


def create(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Create `row_fingerprints`, `fingerprint_kind`, `circulation_key`, `definitions`, `reference_fingerprints` in a build.

    row_fingerprints (source_table, key_fingerprint, content_fingerprint, province): the province of a row is the one that
    registers its institute, or for people and their courses the one whose file it is in; fingerprint_kind (engine, key);
    circulation_key (key): the secret of `etl.semantic.disclosure`, which follows from the installation's;
    definitions (metric, digest); reference_fingerprints (name, digest).
    """
    _create_row_fingerprints(con, key)
    con.execute(
        "create table fingerprint_kind as select version() as engine, $check::ubigint as key",
        {"check": check_of(key)},
    )
    secret = hmac.digest(key, b"circulation", hashlib.sha256).hex()
    con.execute("create table circulation_key as select $secret as key", {"secret": secret})
    definitions = pa.table(list(zip(*_digests().items(), strict=True)), ["metric", "digest"])
    create_from(con, "create table definitions as from arriving", definitions)
    digests = (
        f"select '{name}' as name, coalesce(md5(string_agg(t::varchar, '|' order by t::varchar)), '') as digest from {name} as t"
        for name in run_models.REFERENCES
    )
    con.execute(f"create table reference_fingerprints as {' union all '.join(digests)}")


def keep(con: duckdb.DuckDBPyConnection, numbers: Numbers) -> None:
    """Create `published_numbers` (metric, province, value) in a build; the province is null for the nation."""
    rows = [
        {"metric": name, "province": province, "value": float(value)}
        for (name, province), value in numbers.items()
        if isinstance(value, (int, float))
    ]
    create_from(con, "create table published_numbers as from arriving", pa.Table.from_pylist(rows, _NUMBERS))


def check_of(key: bytes) -> int:
    """The number by which a publication says under which key its rows have fingerprints."""
    return _salt(key, b"check")


def kind_of(con: duckdb.DuckDBPyConnection) -> tuple[Any, ...] | None:
    """The engine and the key check of the fingerprints: two publications can be compared if they are equal."""
    return con.execute("select engine, key from fingerprint_kind").fetchone()


def numbers_of(
    con: duckdb.DuckDBPyConnection | ScopedCursor, day: date, by: tuple[str, ...], only: Collection[str] = ()
) -> Numbers:
    """Every number of the catalogue, or `only` some, by (metric, province or None for the nation): snapshots on `day`, events
    over 12 months.
    """
    metrics = catalog.catalogue().values()
    names = [
        metric.name
        for metric in metrics
        if not metric.hidden and metric.dimensions.issuperset(by) and (not only or metric.name in only)
    ]
    scoped = con if isinstance(con, ScopedCursor) else ScopedCursor(con, ADMINISTRATOR)
    answer = ask(scoped, *names, by=by, on=day, over=jalali.last_complete_months(day, 12))
    return {
        (name, row[0] if by else None): row[at]
        for row in answer.rows
        # Persons without a province count in the nation only.
        if not by or row[0] is not None
        for at, name in enumerate(names, start=len(by))
    }


def _create_row_fingerprints(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    values = {"key": salt_of_keys(key), "content": _salt(key, b"content"), "secret": hashlib.sha256(key).hexdigest()}
    con.execute(
        f"""
        create table {SCRATCH}.score_fingerprints as
        select score, ('0x' || sha256(concat_ws('|', $secret, score))[1:16])::ubigint as fingerprint
        from (select distinct score from loaded_training where score is not null)
        """,
        {"secret": values["secret"]},
    )
    hidden = {
        "personnel": (
            "('0x' || sha256(concat_ws('|', $secret, loaded.person_key, loaded.birth_date))[1:16])::ubigint",
            "",
        ),
        "training": ("score_fingerprints.fingerprint", "left join score_fingerprints using (score)"),
    }
    of_file = "left join file_provinces on file_provinces.file_number = loaded.file_number"
    of_institute = "left join loaded_institutes on loaded_institutes.institute_code = loaded.institute_code"
    provinces = {
        "institutes": ("loaded.province", ""),
        "licences": ("loaded_institutes.province", of_institute),
        "personnel": ("coalesce(file_provinces.province, loaded_institutes.province)", f"{of_file} {of_institute}"),
        "training": ("file_provinces.province", of_file),
    }
    selects = []
    for table in TABLES:
        declared = contract(table)
        keys = [f"loaded.{name}" for name in declared.stored_key]
        content = [f"loaded.{column.stored}" for column in declared.entering if column.name not in _HIDDEN]
        secret, joined = hidden.get(table, ("0", ""))
        province, placed = provinces[table]
        selects.append(
            f"select '{table}' as source_table, hash($key, {', '.join(keys)}) as key_fingerprint, "
            f"hash($content, {secret}, {', '.join(content)}) as content_fingerprint, {province} as province "
            f"from loaded_{table} as loaded {joined} {placed}"
        )
    con.execute(f"create table row_fingerprints as {' union all '.join(selects)}", values)
    con.execute("drop table score_fingerprints")


def salt_of_keys(key: bytes) -> int:
    """What the fingerprint of the key of a row begins with."""
    return _salt(key, b"key")


def _salt(key: bytes, purpose: bytes) -> int:
    salted = hashlib.blake2b(key=hashlib.sha256(key).digest(), person=purpose, digest_size=8)
    return int.from_bytes(salted.digest(), "big")


@cache
def _sql_behind(model: str) -> str:
    """The SQL of a model and of the models it reads, without comments."""
    sql = re.sub(r"--[^\n]*", "", run_models.models().get(model, ""))
    parts = [sql, *(_sql_behind(name) for name in sorted(run_models.read_by(model)))]
    return " ".join(" ".join(parts).split())


def _digests() -> dict[str, str]:
    """A digest of the definition of each metric: its entry, its tables, the models behind them."""
    digests = {}
    for name, entry in catalog.entries()["metric"].items():
        sources = (entry, *entry.get("alternate_sources", {}).values())
        tables = {source["table"] for source in sources if "table" in source}
        counted = {key: value for key, value in entry.items() if key not in _NOT_COUNTED}
        used = [catalog.tables()[table] for table in sorted(tables)]
        models = [[_sql_behind(table.model), table.columns] for table in used]
        definition = json.dumps([counted, models], sort_keys=True, default=str)
        digests[name] = hashlib.sha256(definition.encode()).hexdigest()[:16]
    return digests


def definition(con: ScopedCursor, name: str) -> str:
    """The digests of the definitions of a metric and of its parts, as a publication holds them."""
    names = sorted({name, *catalog.expand(name, frozenset())})
    sql = "select digest from definitions where list_contains($names::varchar[], metric) order by metric"
    return " ".join(digest for (digest,) in con.execute(sql, {"names": names}).fetchall())
