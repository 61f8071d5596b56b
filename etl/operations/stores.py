"""The stores of a site: where each is, who needs it, and what is said where one cannot be used.

Doctor, /readyz, `etl ready`, the sentences of pages and commands and docs/operations.md take them from STORES.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.core import store
from etl.core.paths import FOLLOWS, TOKENS
from etl.core.settings import Folders, Settings
from etl.core.store import StoreFault
from etl.extract.causes import both, of_machine, words
from etl.operations import audit

_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Store:
    """A store: its folder in the settings, and its database there; several hosts share that in a PostgreSQL.

    `room`: the free bytes below which the doctor reports its disk. `serves`: without it a host is not ready.
    """

    name: str
    folder: str
    database: str = ""
    room: int = 16 * _MEBIBYTE
    serves: bool = False
    # Its tables, and whether a backup holds them: no revoked token and no ended session comes back.
    tables: tuple[str, ...] = ()
    is_kept: bool = True
    # Not where everybody is the one person of this machine.
    of_people: bool = False

    def path(self, folders: Folders) -> Path:
        """Its folder, or its file in it."""
        root: Path = getattr(folders, self.folder)
        return root / self.database if self.database else root

    def is_needed(self, config: Settings) -> bool:
        """Whether this host has it: only the one that builds takes submissions and makes backups."""
        if self.of_people and config.sign_in.mode == "open":
            return False
        # /run is empty after a start of the machine; what starts the processes makes the folder.
        if self.folder == "run" and not config.folders.run.exists():
            return False
        return not config.replicas.source or self.of_people or self.name in ("views", "notes")

    def room_for(self, config: Settings) -> int:
        """The bytes that the doctor wants free: of backups those of the last one."""
        archives = self.path(config.folders).glob("*.tar") if self.name == "backups" else ()
        return max((path.stat().st_size for path in archives), default=self.room)

    def fault(self, config: Settings, room: int = store.LEAST_FREE) -> StoreFault | None:
        """Why it cannot be used, found without writing to it; None if it can."""
        shared = config.sign_in.database if self.database else ""
        path = self.path(config.folders)
        if not self.database and path.exists() and not path.is_dir():
            return StoreFault(self.name, errno.ENOTDIR, str(path))
        # Beside a shared database only the folder of originals is of this host.
        of_host = (
            ()
            if shared and self.name != "submissions"
            else audit.written(path)
            if self.name == audit.STORE
            else (path,)
        )
        for one in of_host:
            if code := store.cause(one, room):
                return StoreFault(self.name, code, str(one))
        try:
            if shared or (self.database and path.exists()):
                store.try_out(self.name, shared, path)
        except StoreFault as fault:
            return fault
        return None


STORES = (
    # A file of a submission has 200 MiB at most, and is written twice.
    Store("submissions", "submissions", "submissions.sqlite", 400 * _MEBIBYTE, serves=True, tables=("submissions",)),
    Store("views", "views", "views.sqlite", tables=("saved_views", "shared_views")),
    Store("notes", "views", "notes.sqlite", tables=("signed_notes",)),
    Store(
        "follows",
        "views",
        FOLLOWS,
        tables=("follow_people", "follows", "follow_states", "follow_told", "follow_mail"),
    ),
    Store("tokens", "views", TOKENS, of_people=True, tables=("tokens",), is_kept=False),
    Store(
        "sessions",
        "run",
        "web/sessions.sqlite",
        serves=True,
        of_people=True,
        tables=("sessions", "turns"),
        is_kept=False,
    ),
    Store("audit", "audit", serves=True, of_people=True),
    Store("backups", "backups"),
)


def unusable(config: Settings) -> Iterator[StoreFault]:
    """The faults of the stores without which this host is not ready."""
    for one in STORES:
        if one.serves and one.is_needed(config) and (fault := one.fault(config)):
            yield fault


def line(error: OSError) -> str:
    """The one line of the log: which store, where, and the cause with its name."""
    name = error.store if isinstance(error, StoreFault) else "this machine"
    place = f" ({error.filename})" if error.filename else ""
    return f"store {name}{place}: {cause(error)}"


def cause(error: OSError) -> str:
    """The cause as the operating system names it."""
    return (
        f"{error.strerror} ({errno.errorcode.get(error.errno, error.errno)})" if error.errno else type(error).__name__
    )


def sentence(error: OSError) -> str:
    """What a person reads, in both languages: which store, why, and that nothing was done."""
    name = error.store if isinstance(error, StoreFault) else "machine"
    named, named_fa = both(f"store_{name}") or (name, name)
    why, why_fa = of_machine(error.errno)
    return words("store", store=named, store_fa=named_fa, why=why, why_fa=why_fa)
