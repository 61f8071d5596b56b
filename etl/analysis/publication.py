"""A publication opened for an analyst: questions and analyses under all rights, as on the command line."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any

from etl.analysis import analyses
from etl.core.jalali import parse_day
from etl.core.paths import warehouse_pointer
from etl.semantic import answers
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import publications

# A day as itself, or in ISO or Jalali writing: "2026-09-22", "1405/06/31".
Day = date | str
Where = Mapping[str, str | Sequence[str]]


class OpenPublication(AbstractContextManager["OpenPublication"]):
    """See `etl.open_publication`. One thread at a time."""

    def __init__(self, path: str | PathLike[str] = "") -> None:
        self._con = publications.connect(Path(path) if str(path) else warehouse_pointer())
        self._cursor = ScopedCursor(self._con, ADMINISTRATOR)

    @property
    def publication(self) -> publications.Publication:
        """Its id, its as-of day, its rows."""
        return self._cursor.publication

    def ask(
        self,
        *names: str,
        by: str | Iterable[str] = (),
        on: Day | None = None,
        over: tuple[Day, Day] | None = None,
        where: Where | None = None,
    ) -> Answer:
        """As `etl.semantic.answers.ask`. Raises QuestionError for a question without meaning."""
        axes = (by,) if isinstance(by, str) else tuple(by)
        return answers.ask(
            self._cursor, *names, by=axes, on=_day(on) if on else None, over=_days(over), where=_lists(where)
        )

    def analyse(self, name: str, /, on: Day | None = None, where: Where | None = None, **more: Any) -> Answer:
        """The analysis `name` (python -m etl analyse lists them), with its further parameters. Raises QuestionError."""
        if "over" in more:
            more["over"] = _days(more["over"])
        return analyses.analyse(self._cursor, name, on=_day(on) if on else None, where=_lists(where), **more)

    def close(self) -> None:
        """Close the file."""
        self._con.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def _day(written: Day) -> date:
    return parse_day(written) if isinstance(written, str) else written


def _days(over: tuple[Day, Day] | None) -> tuple[date, date] | None:
    return (_day(over[0]), _day(over[1])) if over else None


def _lists(where: Where | None) -> dict[str, list[str]]:
    return {name: [codes] if isinstance(codes, str) else list(codes) for name, codes in (where or {}).items()}
