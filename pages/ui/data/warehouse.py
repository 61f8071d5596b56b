"""The door: the published warehouse, opened read-only, and always its latest publication.

A publication is a file of its own that is never written again; the warehouse's name points to the latest. DuckDB goes
on serving the old file under a name that was moved, so the pointer is followed at each run of a page, the file is
opened by its own name, and all that one run shows comes from one publication. Answers are cached by publication, access scope
and question: a new publication or other rights never meet them.
"""

import os
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import streamlit as st

from etl.analysis import data_quality, detail, registry
from etl.core.errors import OtherVersion, QuestionError, Refused, TooEarly, TooLarge
from etl.semantic import answers, provisional
from etl.semantic.access import AccessScope, ScopedCursor
from etl.semantic.answers import Answer, Metric
from etl.semantic.exportable import StoredRows
from etl.warehouse import publications
from etl.warehouse.publications import Publication
from pages.ui.data import limits, user
from pages.ui.data.caches import ResultCache, size_of
from pages.ui.i18n import text

__all__ = [
    "Answer",
    "OtherVersion",
    "Query",
    "QuestionError",
    "TooEarly",
    "Unpublished",
    "analyse",
    "ask",
    "ask_each",
    "catalogue",
    "connection",
    "filters_of",
    "frozen",
    "leave",
    "names",
    "path",
    "published",
    "question",
    "reading",
    "run",
    "run_stored",
    "settled_on",
    "soon",
    "stay",
    "turn",
    "units",
]

Where = Mapping[str, Iterable[str]]
Frozen = tuple[tuple[str, tuple[str, ...]], ...]

_CACHE_BYTES = 256 << 20
_run = threading.local()
# Who asks meanwhile: of more than there are cores none would be answered sooner.
_askers = ThreadPoolExecutor(os.cpu_count(), "asker")


class Unpublished(Exception):
    """Nothing has been published yet."""


def turn() -> None:
    """A page begins: what it shows comes from the publication that is the latest now."""
    _run.path = _latest()


def leave() -> None:
    """The page is drawn: what runs later in this thread, a fragment alone, looks for the latest publication again."""
    _run.path = ""


def stay(file: str) -> bool:
    """A fragment runs again that was drawn from `file`: whether this still is what the page shows, and go on with it."""
    if path() != file:
        return False
    _run.path = file
    return True


def _latest() -> str:
    """The file of the latest publication, by its own name; empty if there is none."""
    try:
        return str(publications.current(_pointer()))
    except Refused:
        return ""


def _pointer() -> Path:
    return Path(os.environ.get("WAREHOUSE") or publications.DEFAULT)


def path() -> str:
    """The file of the publication this page shows. Raises Unpublished."""
    file = getattr(_run, "path", "") or _latest()
    if not file:
        raise Unpublished
    return file


def soon(ask: Callable[[], object]) -> Future[object]:
    """Begin with `ask` beside what is drawn; the answers it gets are kept for who asks the same of this publication."""
    file, scope = path(), user.scope()

    def task() -> object:
        with reading(file), user.acting_as(scope):
            return ask()

    return _askers.submit(task)


@contextmanager
def reading(file: str) -> Iterator[None]:
    """What is asked in this thread meanwhile comes from the publication `file`."""
    before, _run.path = getattr(_run, "path", ""), file
    try:
        yield
    finally:
        _run.path = before


@st.cache_resource(max_entries=3, show_spinner=False)
def connection(file: str) -> duckdb.DuckDBPyConnection:
    """The one connection to a publication's file: read-only, and out of reach of anything else; take cursors of it.

    Raises OtherVersion where other code built it.
    """
    return publications.connect(Path(file))


@dataclass(frozen=True)
class Query:
    """A function of etl over a publication, with arguments that can be a key. It is sent to another process where it is large."""

    work: Callable[..., Any]
    args: tuple[Hashable, ...] = ()
    kwargs: tuple[tuple[str, Hashable], ...] = ()


def run(query: Query) -> Any:
    """What a query finds in the publication that this page shows, under the rights of whoever looks. Nobody changes it.

    Raises Unpublished, QuestionError for a question without meaning, AccessDenied outside of the rights, and as
    limits.ask_apart where it is large.
    """
    result = run_stored(query)
    return result.in_memory() if isinstance(result, StoredRows) else result


def run_stored(query: Query) -> Any:
    """As `run`; an Answer of too many rows for this process as StoredRows."""
    return _answered(path(), user.scope().rights(), query)


def _run_query(file: str, scope: AccessScope, query: Query) -> Any:
    try:
        with limits.bounded(connection(file), scope, _published(file)) as cursor:
            return query.work(cursor, *query.args, **dict(query.kwargs))
    except TooLarge:
        return limits.ask_apart(file, scope, query)


# Not Streamlit's cache: that copies and hashes at each call, which costs more than the answer.
_results = ResultCache(_CACHE_BYTES, size_of)
_answered = _results.of(_run_query)


def ask(
    *names: str,
    by: str | Iterable[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Where | None = None,
) -> Answer:
    """The Answer to a question, from the publication this page shows. Raises as `run`."""
    return run(question(*names, by=by, on=on, over=over, where=where))


def question(
    *names: str,
    by: str | Iterable[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Where | None = None,
) -> Query:
    """The query of `ask`."""
    axes = (by,) if isinstance(by, str) else tuple(by)
    return Query(_ask, names, (("by", axes), ("on", on), ("over", over), ("where", frozen(where))))


def _ask(con: ScopedCursor, *names: str, where: Frozen, **options: Any) -> Answer:
    return answers.ask(con, *names, where=dict(where), **options)


def ask_each(
    *names: str,
    by: tuple[str, ...] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Where | None = None,
) -> Mapping[str, Answer]:
    """The Answer of each of several measures of one place or by province, by its name: asked at once, which takes less time.

    Snapshots are measured on the day, events counted over the period. Raises as `run`.
    """
    return run(Query(_ask_each, names, (("by", by), ("on", on), ("over", over), ("where", frozen(where)))))


def _ask_each(con: ScopedCursor, *names: str, where: Frozen, **options: Any) -> Mapping[str, Answer]:
    return answers.ask_each(con, *names, where=dict(where), **options)


def analyse(
    name: str,
    /,
    on: date | None = None,
    where: Where | None = None,
    over: tuple[date, date] | None = None,
    **more: Hashable,
) -> Answer:
    """What etl.analysis works out under `name` from several questions: a bridge, a projection, a curve.

    `over` is the period of one that has a period, and ignored by any other; `more` is what it takes besides. Raises as
    `run`, and QuestionError where the filters leave it no meaning.
    """
    if over and registry.analyses()[name].over_period:
        more["over"] = over
    return run(Query(_analyse, (name, on, frozen(where)), tuple(sorted(more.items()))))


def _analyse(con: ScopedCursor, name: str, on: date | None, where: Frozen, /, **more: Any) -> Answer:
    return registry.analyse(con, name, on, dict(where), **more)


def counted() -> tuple[int, int]:
    """Questions since this process began: answered from what is kept, and asked of the database."""
    return _results.hits, _results.misses


def filters_of(name: str) -> frozenset[str]:
    """The filters that have a meaning for what etl.analysis works out under `name`."""
    return registry.filters(name)


def frozen(where: Where | None) -> Frozen:
    """Filters as a key that answers can be kept under."""
    return tuple(sorted((name, tuple(values)) for name, values in (where or {}).items()))


def catalogue() -> Mapping[str, Metric]:
    """Every metric by its name."""
    return answers.catalogue()


def worked_out(name: str) -> Metric | None:
    """The words of what etl.analysis works out under `name`; None where it works out no such thing."""
    return answers.derived(name) if name in answers.derived_names() else None


def settled_on(name: str, on: date) -> date | None:
    """The day to ask a metric on where it is a headline or compared, `on` or earlier; None where no month is settled."""
    return run(Query(provisional.settled_on, (name, on)))


def published() -> Publication:
    """The publication this page shows. Raises Unpublished."""
    return _published(path())


@lru_cache(maxsize=8)
def _published(file: str) -> Publication:
    with connection(file).cursor() as cursor:
        return publications.describe(cursor)


def refused_files() -> tuple[str, ...]:
    """The refused files of the load: their names belong to their provinces."""
    return run(Query(data_quality.refused_files))


def names(dimension: str, lang: str) -> Mapping[str, str]:
    """Codes and names of every member of a dimension: what whoever looks may choose from. Raises Unpublished."""
    if dimension in ("institute", "course"):
        return run(Query(detail.member_names, (dimension,)))[lang]
    members = text.reference_members(dimension, lang)
    if dimension == "county" and not user.scope().sees_whole_country:
        visible_counties = run(Query(detail.provinces_of_counties))
        return {code: name for code, name in members.items() if code in visible_counties}
    return members


def rejected_rows(answer: Answer) -> int:
    """Rejected rows that could change an answer: of the source tables it is counted from, in files of its provinces."""
    return run(Query(data_quality.rejected_rows, (tuple(sorted(answer.sources)), answer.where.get("province", ()))))


def units() -> dict[str, str]:
    """The unit of every metric by its name."""
    return {name: metric.unit for name, metric in catalogue().items()}
