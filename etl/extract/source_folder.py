"""What lies in a folder that is handed in: which file is which table, which are for the build itself, which are ignored."""

import os
from collections.abc import Iterator
from pathlib import Path

from etl.core.errors import Refused
from etl.core.text_folding import fold
from etl.extract.contract import TABLES

ENDINGS = (".csv", ".tsv", ".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
# Taken by the build where they are present, and what says of a folder that its rows are made up.
OWN = ("courses.csv", "targets.csv", "population.csv", "announcements.csv", "events.csv", "sources.toml", "SAMPLE.txt")
_NAMES = dict(zip(map(fold, ("مؤسسات", "مجوزها", "کارکنان", "آموزش")), TABLES, strict=True)) | {
    table: table for table in TABLES
}
# A folder of more files than this was not meant to be handed in: they are counted.
_MOST_IGNORED = 1000


def table_of(file_name: str) -> str | None:
    """The table that the beginning of a name says, in English or Persian; None where it says none."""
    if _is_aside(file_name):
        return None
    name = fold(file_name)
    return next((table for beginning, table in _NAMES.items() if name.startswith(beginning)), None)


def ending_of(file_name: str) -> str:
    """The ending of a name, in small letters, with its point."""
    return os.path.splitext(file_name)[1].lower()


def source_files(folder: Path) -> list[tuple[Path, str]]:
    """The files of `folder` to be read, by name, each with the table that its name says; empty where its headers must say it.

    Raises Refused where there are none.
    """
    found = [(folder / name, table_of(name) or "") for name in _names(folder) if _is_source(folder, name)]
    if not found and not (folder / "sources.toml").exists():
        raise Refused(
            f"{folder}: no source files (institutes*, licences*, personnel*, training* as {', '.join(ENDINGS)})"
        )
    return found


def unread_files(folder: Path) -> list[str]:
    """Every other file in `folder` and below, by its path from there."""
    found = [name for name in _names(folder) if not _is_source(folder, name) and name not in OWN]
    listed: list[str] = []
    for name in found:
        listed += _below(folder, name) if (folder / name).is_dir() and not (folder / name).is_symlink() else [name]
    more = len(listed) - _MOST_IGNORED
    return [*listed[:_MOST_IGNORED], f"(and {more} more files)"] if more > 0 else listed


def _is_source(folder: Path, name: str) -> bool:
    """Whether a name says a table, or is that of a data file whose headers may say it."""
    if name in OWN or _is_aside(name):
        return False
    if (folder / name).is_dir():
        return bool(table_of(name)) and ending_of(name) in ENDINGS
    return bool(table_of(name)) or ending_of(name) in ENDINGS


def _is_aside(name: str) -> bool:
    """Whether a name is that of a hidden file, or of the one by which Office says that a workbook is open."""
    return name.startswith((".", "~$"))


def _below(folder: Path, name: str) -> Iterator[str]:
    """The files of a sub-folder, and the sub-folders that hold none, in order."""
    for path, folders, files in os.walk(folder / name):
        folders.sort()
        here = Path(path).relative_to(folder)
        yield from (str(here / file) for file in sorted(files))
        if not files and not folders:
            yield f"{here}{os.sep}"


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder")
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror}") from None
