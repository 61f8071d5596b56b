"""What pages ask: `Cached`, and `ask`, `analyse` and `names` of the page run's publication and the user's rights.

Answers are cached by publication, access scope and question, so no publication or scope sees the answers of another. They are
shared: do not modify them. Each function raises Unpublished, QuestionError for a question without meaning, AccessDenied
outside the rights, and for large questions the errors of large_questions.ask_in_worker.
"""

import pickle
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Concatenate, ParamSpec, TypedDict, TypeVar, Unpack, overload

import duckdb
from cachetools import LRUCache, cached

from etl.analysis import detail
from etl.core.errors import TooLarge
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import Answer
from etl.semantic.calculations import Calculated
from etl.semantic.exportable import StoredRows
from etl.semantic.rights import AccessScope
from etl.submissions.notes import Note
from etl.warehouse.publications import Publication
from ui.data import large_questions, page_run, signed_notes, submissions
from ui.data.ask import OF_PUBLICATION, Question, Where, frozen, of_analysis
from ui.data.query import Query, answer, answer_each
from ui.data.worker_process import Stopped
from ui.i18n import member_names

# The limits of a question in this process. One of a program soon leaves it to readers: elsewhere it has a low priority.
ROWS, SECONDS, SECONDS_OF_PROGRAM = 30_000, 10.0, 1.0
_BEAT = 0.25
_CACHE_BYTES = 256 << 20
# Estimated bytes of an object, of a row of an Answer, and of a cell.
_OBJECT, _ROW, _CELL = 1000, 64, 40
_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Parts(TypedDict, total=False):
    """The dimensions of a question, its day or period, and its filters (see `answers.ask`)."""

    by: str | Iterable[str]
    on: date | None
    over: tuple[date, date] | None
    where: Where | None


@dataclass(frozen=True)
class Cached:
    """The Ask of pages: the answers of one publication under one person's rights, from the cache."""

    file: str
    rights: AccessScope

    @property
    def publication(self) -> Publication:
        return page_run.publication_in(self.file)

    @property
    def notes(self) -> tuple[Note, ...]:
        return signed_notes.shown_to(self.rights)

    @property
    def behind(self) -> Mapping[str, str]:
        return submissions.behind()

    def __call__(self, question: Question) -> Answer:
        found = self.stored(question)
        return found.in_memory() if isinstance(found, StoredRows) else found

    def stored(self, question: Question) -> Answer | StoredRows:
        """The Answer, as StoredRows if it has too many rows for this process."""
        return self._run(Query(answer, (question,)))

    def each(self, question: Question) -> Mapping[str, Answer]:
        return self._run(Query(answer_each, (question,)))

    def look_up(self, work: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return self._run(Query(work, args, tuple(sorted(options.items()))))

    def shown(self, answer: Answer) -> Answer:
        return answer

    @property
    def exactly(self) -> "Cached":
        return self

    def _run(self, query: Query) -> Any:
        return results(self.file, self.rights, query)


def of_page() -> Cached:
    """The Ask of the page run. Raises Unpublished and AccessDenied."""
    return Cached(page_run.current_file(), page_run.access_scope().rights())


def ask(*names: str, **question: Unpack[_Parts]) -> Answer:
    """The Answer to a question."""
    return of_page()(_question(names, question))


@overload
def analyse(
    work: str,
    /,
    on: date | None = None,
    where: Where | None = None,
    over: tuple[date, date] | None = None,
    **more: Hashable,
) -> Answer: ...
@overload
def analyse(work: Callable[Concatenate[Any, _P], _T], /, *args: _P.args, **more: _P.kwargs) -> _T: ...
def analyse(work: Any, /, *args: Any, **options: Any) -> Any:
    """The result of a registered analysis by its name, or of another function of etl that reads the publication.

    `over` is ignored by an analysis without a period; `more` holds its other parameters.
    """
    if callable(work):
        return of_page().look_up(work, *args, **options)
    return of_page()(of_analysis(work, *args, **options))


def names(dimension: str, lang: str) -> Mapping[str, str]:
    """Codes and names of every member of a dimension that the user may choose."""
    if dimension in OF_PUBLICATION:
        return analyse(detail.member_names, dimension)[lang]
    members = member_names.fixed(dimension, lang)
    if dimension == "county" and not page_run.access_scope().sees_whole_country:
        visible_counties = analyse(detail.provinces_of_counties)
        return {code: name for code, name in members.items() if code in visible_counties}
    return members


def _question(names: tuple[str, ...], parts: _Parts) -> Question:
    by = parts.get("by", ())
    axes = (by,) if isinstance(by, str) else tuple(by)
    return Question(names, axes, parts.get("on"), parts.get("over"), frozen(parts.get("where")))


_running: dict[int, tuple[float, threading.Event | None, ScopedCursor]] = {}
# A cursor is interrupted under this lock and leaves `_running` under it, before it is given back: the next question of the
# same cursor is never the one that is interrupted.
_interrupting = threading.Lock()
_begun = threading.Event()


@contextmanager
def _bounded(
    con: duckdb.DuckDBPyConnection, scope: AccessScope, publication: Publication | None
) -> Iterator[ScopedCursor]:
    """A cursor for one question. Raises TooLarge if it takes more rows or seconds than allowed, Stopped if it is given up."""
    gone = page_run.gone()
    with cursor_for(con, scope, publication, ROWS) as cursor:
        if not _begun.is_set():
            _begun.set()
            threading.Thread(target=_watch, name="time-limits", daemon=True).start()
        with _interrupting:
            _running[id(cursor)] = (
                time.monotonic() + (SECONDS_OF_PROGRAM if page_run.is_of_program() else SECONDS),
                gone,
                cursor,
            )
        try:
            yield cursor
        except duckdb.InterruptException:
            raise (Stopped if gone and gone.is_set() else TooLarge) from None
        finally:
            with _interrupting:
                del _running[id(cursor)]


def _watch() -> None:
    while True:
        time.sleep(_BEAT)
        with _interrupting:
            now = time.monotonic()
            for end, gone, cursor in _running.values():
                if now > end or (gone and gone.is_set()):
                    # A question may have closed its cursor itself; the limits of the others must go on.
                    with suppress(duckdb.Error):
                        cursor.interrupt()


def _run_query(file: str, scope: AccessScope, query: Query) -> Any:
    try:
        with _bounded(page_run.connection(file), scope, page_run.publication_in(file)) as cursor:
            return query.work(cursor, *query.args, **dict(query.kwargs))
    except TooLarge:
        return large_questions.ask_in_worker(file, scope, query, ROWS)


def _size_of(result: Any) -> int:
    """The estimated bytes of a result: measuring every value would take longer than asking again."""
    if isinstance(result, Answer):
        beside = result.calculation.beside if isinstance(result, Calculated) else ()
        return _OBJECT + len(result.rows) * (_ROW + _CELL * len(result.columns)) + sum(map(_size_of, beside))
    if isinstance(result, StoredRows):
        return _size_of(result.answer) + result.path.stat().st_size
    if isinstance(result, dict) and result and all(isinstance(answer, Answer) for answer in result.values()):
        return sum(map(_size_of, result.values()))
    try:
        return _OBJECT + 2 * len(pickle.dumps(result))
    except Exception:
        return _OBJECT


# Bounded by bytes, because a few large results fill a process before many small ones do. Streamlit's cache copies and hashes
# at each call, which costs more than most answers.
results = cached(LRUCache(_CACHE_BYTES, _size_of), lock=threading.Lock(), info=True)(_run_query)
