"""Debian's PostgreSQL, started for a test in a separate folder, with TLS and a read-only role."""

# ruff: noqa: E501
from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "a password of the tests"


def programs() -> Path | None:
    """The folder of the newest server installed by Debian."""
    paths = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return paths[-1].parent if paths else None


def free_port(first: int = 8740, last: int = 8759) -> int:
    """An unused port."""
    for port in range(first, last + 1):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no free port")


@dataclass
class Server:
    """A running server; `folder` holds its certificate (root.crt), another one (other.crt) and the file of passwords."""

    folder: Path
    port: int

    @property
    def psql(self) -> list[str]:
        """The command that runs SQL as its owner."""
        at = programs()
        assert at
        return [
            *_as_owner(), str(at / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port),
            "-d", "register",
        ]  # fmt: skip

    def run(self, sql: str) -> str:
        """The result of SQL run by its owner, as text."""
        return subprocess.run(self.psql, input=sql, check=True, capture_output=True, text=True).stdout

    def copy_in(self, table: str, path: Path) -> None:
        """Rows of a CSV file into a table; empty cells are null."""
        content = path.read_text(encoding="utf-8")
        head = content.partition("\n")[0]
        self.run(f"copy {table} ({head}) from stdin (format csv, header, null '');\n{content.rstrip()}\n\\.\n")

    def copy_file(self, table: str, path: Path) -> None:
        """`copy_in` of a large file, which psql reads by itself."""
        with path.open(encoding="utf-8") as file:
            head = file.readline().strip()
        copy = f"copy {table} ({head}) from stdin (format csv, header, null '')"
        with path.open("rb") as content:
            subprocess.run([*self.psql, "-c", copy], stdin=content, check=True, capture_output=True)

    def sources(self, **changes: object) -> str:
        """Its entry in sources.toml."""
        entries = {
            "host": "127.0.0.1", "port": self.port, "dbname": "register", "user": "reader",
            "sslrootcert": str(self.folder / "root.crt"), "passfile": str(self.folder / "pgpass"), **changes,
        }  # fmt: skip
        lines = [
            f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"' for name, value in entries.items()
        ]
        return "[[postgresql]]\n" + "\n".join(lines) + "\n"


@contextmanager
def server() -> Iterator[Server]:
    """Start one, and stop it in the end."""
    at = programs()
    assert at, "PostgreSQL is missing: make test installs it"
    # A folder that the owner of the server may enter under any account that runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        for name in ("root", "other"):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                 "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")],
                check=True, capture_output=True,
            )  # fmt: skip
            (folder / f"{name}.key").chmod(0o600)
        _give_away(folder)
        data = folder / "data"
        _run(at / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "--no-sync")
        (data / "pg_hba.conf").write_text(
            "local all all trust\nhostssl register reader 127.0.0.1/32 scram-sha-256\nhost all all 0.0.0.0/0 reject\n"
        )
        database = Server(folder, free_port())
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {database.port}\nunix_socket_directories = '{folder}'\nssl = on\n"
                f"ssl_cert_file = '{folder}/root.crt'\nssl_key_file = '{folder}/root.key'\nfsync = off\n"
            )
        process = subprocess.Popen(
            [*_as_owner(), str(at / "postgres"), "-D", str(data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(at, database)
            yield database
        finally:
            _run(at / "pg_ctl", "stop", "-D", data, "-m", "immediate")
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(at: Path, database: Server) -> None:
    for _ in range(300):
        ready = subprocess.run(
            [str(at / "pg_isready"), "-h", str(database.folder), "-p", str(database.port)],
            capture_output=True,
            check=False,
        )
        if not ready.returncode:
            break
        time.sleep(0.1)
    subprocess.run(
        [*_as_owner(), str(at / "createdb"), "-h", str(database.folder), "-p", str(database.port), "register"],
        check=True,
    )
    database.run(f"create role reader login password '{PASSWORD}'")
    passwords = database.folder / "pgpass"
    passwords.write_text(f"127.0.0.1:*:*:reader:{PASSWORD}\n")
    passwords.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(passwords, 0, 0)


def _as_owner() -> list[str]:
    """A server refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o755)


def _run(*command: object) -> None:
    subprocess.run([*_as_owner(), *map(str, command)], check=True, capture_output=True)
