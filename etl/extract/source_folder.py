"""The files of a submitted folder: those of each source table, those that configure the build, those that are ignored."""

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from etl.core.paths import SAMPLE_MARK
from etl.core.text_folding import fold
from etl.extract.causes import BETWEEN, because, line, named, words
from etl.extract.contract import TABLES

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
ENDINGS = (".csv", ".tsv", ".parquet", *WORKBOOKS)
# Says which files a province submitted, so that only rows of its own are loaded from them.
HANDED_IN = "handed-in.json"
# Files that configure the build, and the marker of a folder whose rows are synthetic.
CONFIGURATION = (
    "courses.csv", "targets.csv", "population.csv", "announcements.csv", "events.csv", "calendar.csv", "sources.toml",
    HANDED_IN, SAMPLE_MARK,
)  # fmt: skip
PERSIAN_NAMES = dict(zip(TABLES, ("مؤسسات", "مجوزها", "کارکنان", "آموزش"), strict=True))
_NAMES = {fold(name): table for table, persian in PERSIAN_NAMES.items() for name in (persian, table)}
# At most this many ignored files are listed; further ones are counted.
_MOST_IGNORED = 1000


def table_of(file_name: str) -> str | None:
    """The table named by the beginning of a file name, in English or Persian; None if it names none."""
    if _is_temporary(file_name):
        return None
    # The half-space of مجوز‌ها is written or not by habit.
    name = fold(file_name).replace(" ", "")
    return next((table for beginning, table in _NAMES.items() if name.startswith(beginning)), None)


def named_tables(tables: Collection[str]) -> dict[str, str]:
    """The names of tables in both languages, for a refusal."""
    chosen = [table for table in TABLES if table in tables]
    return {"tables": ", ".join(chosen), "tables_fa": "، ".join(f"«{PERSIAN_NAMES[table]}»" for table in chosen)}


def ending_of(file_name: str) -> str:
    """The extension of a name, in lower case, with its dot."""
    return os.path.splitext(file_name)[1].lower()


def source_files(folder: Path) -> list[tuple[Path, str]]:
    """The source files of `folder` by name, each with the table in its name; empty if only the headers can determine it.

    Raises Refused if there are none.
    """
    sources = [(folder / name, table_of(name) or "") for name in _names(folder) if _is_source(folder, name)]
    if not sources and not (folder / "sources.toml").exists():
        raise because("no_files", folder=folder, endings=", ".join(ENDINGS), endings_fa="، ".join(ENDINGS))
    return sources


def unread_files(folder: Path) -> list[str]:
    """Every other file in `folder` and below, by its relative path; with the reason if it is named like one that counts."""
    unread = [name for name in _names(folder) if not _is_source(folder, name) and name not in CONFIGURATION]
    listed: list[str] = []
    for name in unread:
        listed += _below(folder, name) if (folder / name).is_dir() and not (folder / name).is_symlink() else [name]
    listed = [
        line(f"{name}{BETWEEN}{name}", words("below")) if Path(name).name in CONFIGURATION else name for name in listed
    ]
    more = len(listed) - _MOST_IGNORED
    return [*listed[:_MOST_IGNORED], f"(and {more} more files)"] if more > 0 else listed


def handed_in(folder: Path) -> dict[str, str]:
    """The province of each file that a province submitted, by the name of the file, in the order in which they were accepted; of
    others the rows are not compared.

    Raises Refused if the list is damaged.
    """
    path = folder / HANDED_IN
    if not path.exists():
        return {}
    try:
        return {str(name): str(province) for name, province in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        raise because("handed_in_damaged", path=path) from None


def _is_source(folder: Path, name: str) -> bool:
    """Whether a name names a table, or is that of a data file whose headers may determine it."""
    if name in CONFIGURATION or _is_temporary(name):
        return False
    if (folder / name).is_dir():
        return bool(table_of(name)) and ending_of(name) in ENDINGS
    return bool(table_of(name)) or ending_of(name) in ENDINGS


def _is_temporary(name: str) -> bool:
    """Whether a name is that of a hidden file, or of the lock file of an open Office document."""
    return name.startswith((".", "~$"))


def _below(folder: Path, name: str) -> Iterator[str]:
    """The files of a sub-folder, and its empty sub-folders, in order."""
    for path, folders, files in os.walk(folder / name):
        folders.sort()
        relative = Path(path).relative_to(folder)
        yield from (str(relative / file) for file in sorted(files))
        if not files and not folders:
            yield f"{relative}{os.sep}"


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise because("no_folder", folder=folder)
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise named(str(folder), because("not_opened", error=error.strerror)) from None
