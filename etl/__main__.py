"""python -m etl: a command (commands.py) as a process of its own."""

import os
import sys
import warnings

from etl.extract import worker_pool


def main() -> None:
    """Run the command of this process, and end it with its exit code."""
    if sys.argv[1:2] != ["doctor"]:
        _apply_settings()
    if sys.argv[1:2] in (["build"], ["check"]):
        # They load their libraries while this process loads its own; more of them than two would only hold it up.
        worker_pool.ahead(min(2, os.cpu_count() or 1))
    from etl.cli import commands

    if not os.environ.get("ETL_TRACE"):
        # Standard error is for the one line of a refusal.
        warnings.simplefilter("ignore")
    code = commands.main()
    sys.stderr.flush()
    # Everything is written and closed: what is left is to take libraries apart piece by piece, a fifth of a second.
    os._exit(code)


def _apply_settings() -> None:
    """Set the variables that modules read; with a faulty file nothing starts. The doctor tells the faults by itself."""
    from etl.core import settings

    try:
        settings.apply()
    except settings.Faulty as error:
        sys.exit("\n".join(error.lines))


if __name__ == "__main__":
    main()
