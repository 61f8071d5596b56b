"""The data pipeline and the semantic layer: from the submitted files to the answer to a question.

For analysts `open_publication` is the entry that stays: it imports the rest when it is called.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.analysis.publication import OpenPublication

__all__ = ["open_publication"]

# Nothing here multiplies matrices; the threads that OpenBLAS starts for it would spin while idle.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def open_publication(path: str | os.PathLike[str] = "") -> "OpenPublication":
    """The publication at `path`, a pointer or a version of it (default: that of the settings), opened read-only.

        with open_publication() as register:
            register.ask("coverage_per_10k", by="province", on="1405/06/31").frame
            register.analyse("seats", goal=0.9).frame

    `ask` and `analyse` return Answers (etl.semantic.answers). Raises Refused if there is none, or other code built it.
    """
    from etl.analysis.publication import OpenPublication

    return OpenPublication(path)
