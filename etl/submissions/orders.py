"""Orders to the account of the build that no record holds: to publish what was shown, or to undo a publication.

A submission in the state `checking` is its own order, and what is approved is one for a candidate. One empty file wakes the
worker. The other files hold an order each and are taken in the order in which they were left.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from etl.core.files import replace_text
from etl.core.store import known, naming
from etl.submissions.records import STORE

_ENDING = ".json"
_WAKE = "wake.json"


@dataclass(frozen=True)
class Order:
    """To publish the candidate with the digest `candidate`, or to show the publication `undo_to` again, with a reason.

    `by`, `groups`: who left it, and the groups that the rights come from.
    """

    by: str
    groups: tuple[str, ...] = ()
    at: float = 0.0
    candidate: str = ""
    undo_to: str = ""
    why: str = ""


def folder(root: Path) -> Path:
    return root / "orders"


def wake(root: Path) -> None:
    """Leave the file for which the worker is started. Raises OSError."""
    with naming(STORE, root):
        folder(root).mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder(root) / _WAKE).touch(mode=0o600)


def sleep(root: Path) -> None:
    """Take that file away: what is left from now on wakes another worker."""
    (folder(root) / _WAKE).unlink(missing_ok=True)


def place(root: Path, order: Order) -> None:
    """Leave an order, durably. Raises OSError."""
    with naming(STORE, root):
        folder(root).mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder(root) / f"{time.time_ns():020}-{'undo' if order.undo_to else 'publish'}{_ENDING}"
        replace_text(path, json.dumps(asdict(order)))
        os.chmod(path, 0o600)


def waiting(root: Path) -> list[Order]:
    """The orders, the first one first."""
    return [order for _, order in _read(root)]


def first(root: Path) -> tuple[Path, Order] | None:
    """The next order and its file; what is no order is removed."""
    return next(_read(root, remove=True), None)


def _read(root: Path, remove: bool = False) -> Iterator[tuple[Path, Order]]:
    for path in sorted(folder(root).glob(f"[0-9]*{_ENDING}")):
        try:
            if not path.stem.endswith(("-publish", "-undo")):
                # A check of an earlier version, which had a file for it.
                raise ValueError
            content = json.loads(path.read_text(encoding="utf-8"))
            yield path, Order(**known(Order, content) | {"groups": tuple(content["groups"])})
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError):
            if remove:
                with suppress(OSError):
                    path.unlink()
