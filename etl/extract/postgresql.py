"""PostgreSQL as a source: `sources.toml` in the folder names the tables, never a password (libpq finds that itself).

All tables of a build are read in one snapshot, which the build holds while its workers import it. The server converts every
value to text and counts the rows: a stream that ends early is refused. The line of a row is its number in key order.
"""

import hashlib
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.core.errors import Refused
from etl.core.text_folding import printable
from etl.extract.causes import because
from etl.extract.contract import TABLES, Contract
from etl.extract.source_file import Batch, SourceFile

FILE = "sources.toml"
_KEYS = ("service", "host", "port", "dbname", "user", "sslmode", "sslrootcert", "passfile", "connect_timeout")
_OPTIONS = ("schema", "tables", "statement_timeout", "lock_timeout")
_BATCH_BYTES = 4 << 20
_TIMESTAMPS = (1114, 1184)
_STATES = ("57014", "57P01", "55P03", "42501", "40001", "53100")


@dataclass(frozen=True)
class Origin:
    """The location of a table, as it is sent to a worker: connection, relation, snapshot."""

    label: str
    table: str
    connection: str
    schema: str
    relation: str
    statement_timeout: str
    lock_timeout: str
    snapshot: str = ""
    bytes: int = 0
    refusal: str = ""

    @property
    def quoted(self) -> str:
        """The relation as SQL names it."""
        return f"{_quoted(self.schema)}.{_quoted(self.relation)}"


def origins(folder: Path) -> list[Origin]:
    """The tables that `sources.toml` of a folder names; none without the file. Raises Refused for an invalid entry."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("postgresql", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise because("sources_not_readable", error=type(error).__name__) from None
    if not isinstance(entries, list) or not entries:
        raise because("sources_empty")
    origins: list[Origin] = []
    for number, entry in enumerate(entries, 1):
        if "password" in entry:
            raise because("sources_password")
        if unknown := sorted(entry.keys() - {*_KEYS, *_OPTIONS}):
            raise because("sources_key", unknown=", ".join(unknown), known=", ".join((*_KEYS, *_OPTIONS)))
        tables = entry.get("tables", {table: table for table in TABLES})
        if not isinstance(tables, dict) or not tables.keys() <= set(TABLES):
            raise because("sources_tables", tables=", ".join(TABLES))
        schema = str(entry.get("schema", "public"))
        parameters = {"sslmode": "verify-full", "connect_timeout": 10} | {
            key: entry[key] for key in _KEYS if key in entry
        }
        connection = " ".join(f"{key}={_literal(value)}" for key, value in parameters.items())
        timeouts = str(entry.get("statement_timeout", "30min")), str(entry.get("lock_timeout", "30s"))
        name = str(entry.get("service") or entry.get("dbname") or entry.get("host") or "postgresql")
        for table, relation in tables.items():
            label = printable(f"{name}:{schema}.{relation}")
            if any((origin.label, origin.table) == (label, table) for origin in origins):
                # Databases of two servers may have the same name.
                label = printable(f"{name} {number}:{schema}.{relation}")
            origins.append(Origin(label, table, connection, schema, str(relation), *timeouts))
    return origins


class Snapshots(ExitStack):
    """The tables of a folder's databases, each with its snapshot, held until it is closed.

    If a database cannot be connected, its tables are refused, not the build.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._exported: dict[str, tuple[Any, str]] = {}
        self.origins = [self._with_snapshot(origin) for origin in origins(folder)]

    def _with_snapshot(self, origin: Origin) -> Origin:
        try:
            if origin.connection not in self._exported:
                cursor = self.enter_context(_connected(origin))
                self._exported[origin.connection] = cursor, _value(cursor, "select pg_export_snapshot()")
            cursor, snapshot = self._exported[origin.connection]
            size = _value(cursor, "select coalesce(pg_relation_size(to_regclass($1)), 0)", origin.quoted)
            return replace(origin, snapshot=snapshot, bytes=int(size))
        except Refused as error:
            return replace(origin, refusal=str(error))


@contextmanager
def opened(origin: Origin, contract: Contract) -> Iterator[SourceFile]:
    """The rows of a table, while the connection is open. Raises Refused if it cannot be read as the table."""
    if origin.refusal:
        raise Refused(origin.refusal)
    with _connected(origin) as cursor:
        yield _source(cursor, origin, contract)


def _source(cursor: Any, origin: Origin, contract: Contract) -> SourceFile:
    columns_found = _all(
        cursor,
        "select attname, atttypid::bigint from pg_attribute where attrelid = to_regclass($1) and attnum > 0 "
        "and not attisdropped order by attnum",
        origin.quoted,
    )
    if not columns_found:
        raise because("no_relation")
    match = contract.match(name for name, _ in columns_found)
    if not match.complete:
        raise match.refusal(f"table {origin.schema}.{origin.relation}", f"جدول {origin.schema}.{origin.relation}")
    source = SourceFile(match)
    columns = {name: columns_found[position] for name, position in match.positions.items()}
    # The time of a timestamp is dropped, as for cells of a workbook.
    texts = ", ".join(
        f"source.{_quoted(title)}{'::date' if kind in _TIMESTAMPS else ''}::text" for title, kind in columns.values()
    )
    order = ", ".join(f"source.{_quoted(columns[name][0])}" for name in contract.key)
    source.notes.append(f"rows are numbered in the order of: {', '.join(contract.key)}")
    if _value(cursor, "select has_table_privilege(to_regclass($1), 'insert, update, delete, truncate')", origin.quoted):
        source.notes.append("the role may write, which a source does not need")
    source.batches = _batches(cursor, f"select {texts} from {origin.quoted} as source order by {order}", origin, source)
    return source


def _batches(cursor: Any, sql: str, origin: Origin, source: SourceFile) -> Iterator[Batch]:
    from etl.extract.parquet import batch_of

    total = int(_value(cursor, f"select count(*) from {origin.quoted}"))
    try:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
        cursor.execute(sql)
        for block in cursor.fetch_record_batch():
            yield batch_of(source, block, block.columns, total)
    except (Refused, MemoryError):
        raise
    except Exception as error:
        raise _failed(error, source.rows_read + source.empty_rows + 1) from None
    if (arrived := source.rows_read + source.empty_rows) != total:
        raise because("rows_missing", arrived=f"{arrived:,}", total=f"{total:,}")


def digest_of(batch: Batch, digest: "hashlib._Hash") -> int:
    """Update a digest with the texts of a batch; returns their size in bytes."""
    size = 0
    for texts in batch.columns.values():
        for buffer in pa.concat_arrays([texts]).buffers():
            if buffer is not None:
                digest.update(buffer)
                size += buffer.size
    return size


@contextmanager
def _connected(origin: Origin) -> Iterator[Any]:
    """A cursor in a read-only transaction, in the snapshot if there is one."""
    try:
        import adbc_driver_postgresql.dbapi as driver
    except ImportError:
        raise because("no_driver") from None
    try:
        connection = driver.connect(origin.connection)
    except Exception as error:
        # The message of libpq about a connection holds hosts and roles, no rows and no password.
        raise because("not_connected", error=printable(" ".join(str(error).split()))[:300]) from None
    cursor = connection.cursor()
    settings = {
        "datestyle": "ISO",
        "timezone": "Asia/Tehran",
        "client_encoding": "UTF8",
        "statement_timeout": origin.statement_timeout,
        "lock_timeout": origin.lock_timeout,
        "idle_in_transaction_session_timeout": "2h",
    }
    try:
        try:
            cursor.execute("set transaction isolation level repeatable read, read only")
            if origin.snapshot:
                cursor.execute(f"set transaction snapshot {_literal(origin.snapshot)}")
            for name, value in settings.items():
                cursor.execute(f"set {name} to {_literal(value)}")
        except Exception as error:
            raise _failed(error) from None
        yield cursor
    finally:
        for resource in (cursor, connection):
            # The server may be gone.
            with suppress(Exception):
                resource.close()


def _all(cursor: Any, sql: str, *parameters: Any) -> list[Any]:
    try:
        cursor.execute(sql, parameters or None)
        rows: list[Any] = cursor.fetchall()
        return rows
    except Exception as error:
        raise _failed(error) from None


def _value(cursor: Any, sql: str, *parameters: Any) -> Any:
    return _all(cursor, sql, *parameters)[0][0]


def _failed(error: Exception, row: int = 0) -> Refused:
    """The refusal of a statement by the server's code: its message may hold a value of a row."""
    place = {"place": f"row {row}: ", "place_fa": f"ردیف {row}: "} if row else {"place": "", "place_fa": ""}
    state = getattr(error, "sqlstate", None) or ""
    if not state:
        return because("server_silent", error=type(error).__name__, **place)
    return because(f"sqlstate_{state if state in _STATES else 'other'}", state=state, **place)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
