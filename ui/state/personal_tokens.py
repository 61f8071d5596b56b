"""The personal tokens of the user for the data address."""

import os
import time
from functools import lru_cache
from pathlib import Path

from etl.core.errors import AccessDenied
from etl.core.paths import VIEWS
from ui.access.tokens import LONGEST_DAYS, Token, Tokens
from ui.data import page_run
from ui.state.saved_views import checked


def store() -> Tokens:
    """The store: in the folder VIEWS, or in the database that several hosts share. Raises OSError."""
    return _opened(os.environ.get("VIEWS") or str(VIEWS), os.environ.get("SHARED_DATABASE", ""))


@lru_cache(maxsize=4)
def _opened(folder: str, address: str) -> Tokens:
    return Tokens(Path(folder), address)


def make(name: str, days: int = LONGEST_DAYS) -> str:
    """A new token; empty if the user has too many. Raises Unnamed, OSError, and AccessDenied without the right to export."""
    scope = page_run.access_scope()
    if not any(grant.may_export for grant in scope.grants):
        raise AccessDenied
    now, name = time.time(), checked(name)
    return store().make(
        scope.sub, page_run.groups(), name, days, now, lambda: page_run.record("token_made", times=days)
    )


def own() -> list[Token]:
    """The user's tokens, the latest first. Raises OSError."""
    return store().of(page_run.access_scope().sub)


def revoke(digest: str) -> None:
    """Revoke one of them. Raises OSError."""
    store().revoke(page_run.access_scope().sub, digest, lambda: page_run.record("token_revoked"))
