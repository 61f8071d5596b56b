"""Shared by the tests of hostile files and workbooks, which all submit a second file of training."""

from etl.extract.causes import in_language, words
from tests.loading import GOOD, HEADERS, Built

HEADER = HEADERS["training"].split()
CELLS = list(GOOD["training"].values())
STOPPED = in_language(words("reader_stopped"), "en")
MEGABYTE = 1 << 20


def rejected_rows(built: Built, name: str) -> list[tuple[int, str, str]]:
    """The rejected rows of a file: (line, column, reason)."""
    return [fault[1:] for fault in built.rejected_rows() if fault[0] == name]
