"""python -m etl: runs a command (cli/commands.py) in this process."""

import gc
import os
import sys
import warnings

from etl.core import child_process, frames
from etl.core.errors import Refused
from etl.extract import WORKER


def main() -> None:
    """Run the command, and exit with its code."""
    frames.leave_out_pandas()
    if sys.argv[1:2] != ["doctor"]:
        _apply_settings()
    if sys.argv[1:2] in (["build"], ["check"]):
        # Workers import their libraries while this process imports its own; more than two would slow it down.
        child_process.start_ahead(min(2, os.cpu_count() or 1), WORKER)
    # What is imported stays: looking for garbage in it takes a tenth of the time.
    gc.disable()
    try:
        from etl.cli import commands
        from etl.semantic import catalog

        catalog.entries()
    except Refused as fault:
        sys.exit(str(fault))
    gc.freeze()
    gc.enable()

    if not os.environ.get("ETL_TRACE"):
        # Standard error is reserved for the one line of a refusal.
        warnings.simplefilter("ignore")
    code = commands.main()
    sys.stderr.flush()
    # Everything is written and closed; a normal exit would spend another fifth of a second on unloading libraries.
    os._exit(code)


def _apply_settings() -> None:
    """Set the environment variables that modules read; exits if the settings are invalid. The doctor reports errors itself."""
    from etl.core import settings

    try:
        settings.apply()
    except settings.Faulty as error:
        sys.exit("\n".join(error.lines))


if __name__ == "__main__":
    main()
