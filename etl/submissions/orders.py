"""Orders to the account of the build: one file each in a folder, taken in the order in which they were left."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from etl.core.files import replace_text
from etl.core.store import known, naming
from etl.submissions.records import STORE, Submission

# Files come one after another: a check waits for the next one.
SETTLED_SECONDS = 2.0
_ENDING = ".json"
PREVIEW = "preview"


@dataclass(frozen=True)
class Order:
    """A check of a submission (`submission`, the `check` it is for, digests by number), publishing, or a preview of it.

    `by`, `groups`: who left it, and the groups that the rights come from. `preview`: of what publishing would change.
    """

    by: str
    groups: tuple[str, ...] = ()
    submission: str = ""
    check: str = ""
    digests: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    preview: bool = False

    @property
    def publishes(self) -> bool:
        return not self.submission and not self.preview


def of_check(submission: Submission) -> Order:
    digests = {str(file.number): file.sha256 for file in submission.files}
    return Order(submission.hands[-1], submission.groups, submission.id, submission.check, digests, time.time())


def of_publishing(by: str, groups: tuple[str, ...]) -> Order:
    return Order(by, groups, at=time.time())


def of_preview(by: str, groups: tuple[str, ...]) -> Order:
    return Order(by, groups, at=time.time(), preview=True)


def folder(root: Path) -> Path:
    return root / "orders"


def place(root: Path, order: Order) -> None:
    """Leave an order, durably. Raises StoreFault."""
    what = order.submission or (PREVIEW if order.preview else "publish")
    name = f"{time.time_ns():020}-{what}{_ENDING}"
    with naming(STORE, root):
        folder(root).mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_text(folder(root) / name, json.dumps(asdict(order)))
        os.chmod(folder(root) / name, 0o600)


def cancel(root: Path, submission: str) -> None:
    """Take back the orders of a submission, or those of a PREVIEW."""
    for path in _paths(root):
        if path.name.endswith(f"-{submission}{_ENDING}"):
            path.unlink(missing_ok=True)


def waiting(root: Path) -> list[Order]:
    """The orders, the first one first."""
    return [order for _, order in _read(root)]


def first(root: Path) -> tuple[Path, Order] | None:
    """The next order and its file; what is no order is removed."""
    return next(_read(root, remove=True), None)


def _read(root: Path, remove: bool = False) -> Iterator[tuple[Path, Order]]:
    for path in _paths(root):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            yield path, Order(**known(Order, content) | {"groups": tuple(content["groups"])})
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError):
            if remove:
                with suppress(OSError):
                    path.unlink()


def _paths(root: Path) -> list[Path]:
    return sorted(folder(root).glob(f"*{_ENDING}")) if folder(root).is_dir() else []
