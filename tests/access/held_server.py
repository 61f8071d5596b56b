"""The dashboard as it is served, but that its answers at the data address wait until a file is there, or never end.

The folder HELD has a file for each answer that is being made; they go on when it has a file `release`. Questions about a measure
of ENDLESS never end by themselves. If PATIENT is set, checks of sessions wait for as long as their store is locked.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from etl.core import store
from etl.semantic.access import ScopedCursor
from ui.access import sessions
from ui.data import large_questions, warehouse
from ui.shell import data_address

_LONG = 1e6
# By measure: whether a worker process answers.
ENDLESS = {"leavers": False, "joiners": True}


def endless(cursor: ScopedCursor) -> None:
    # Days, in almost no memory: a join would run out of it, and so come to an end.
    cursor.execute("select max(hash(range)) from range(1000000000000000)")


def main() -> None:
    """Does not return."""
    folder = Path(os.environ["HELD"])
    if os.environ.get("PATIENT"):
        sessions.SHORT_PATIENCE_SECONDS = store._PATIENCE_SECONDS = int(_LONG)
    made, free = data_address._made, data_address.questions.free
    warehouse.SECONDS_OF_PROGRAM, large_questions.WORKER_SECONDS = _LONG, _LONG

    def held(*given: Any) -> Any:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="making-"):
            while not (folder / "release").exists():
                time.sleep(0.02)
        return made(*given)

    def asked(scope: Any, ask: Any, names: Any, *given: Any, **more: Any) -> Any:
        for in_worker in (ENDLESS[name] for name in names if name in ENDLESS):
            warehouse.SECONDS_OF_PROGRAM = 0.0 if in_worker else _LONG
            try:
                with tempfile.NamedTemporaryFile(dir=folder, prefix="endless-"):
                    warehouse.analyse(endless)
            finally:
                warehouse.SECONDS_OF_PROGRAM = _LONG
        return free(scope, ask, names, *given, **more)

    data_address._made, data_address.questions.free = held, asked  # type: ignore[assignment]
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", "dashboard.py", "--server.port", os.environ["PORT"]]
    sys.exit(cli.main())


if __name__ == "__main__":
    # By name, so that a worker finds what it is to do.
    from tests.access import held_server

    held_server.main()
