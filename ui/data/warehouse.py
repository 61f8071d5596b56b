"""Questions of the pages to the published warehouse, which is opened read-only.

Each publication is an immutable file; a pointer names the latest. DuckDB keeps serving the old file under a renamed path, so
each page run resolves the pointer and opens the file by its own name: everything in one run comes from one publication.
Answers are cached by publication, access scope and question, so no publication or scope sees the answers of another.
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
from typing import Any, TypedDict, Unpack

import duckdb
import streamlit as st

from etl.analysis import data_quality, detail, registry
from etl.core.errors import OtherVersion, QuestionError, Refused, TooEarly, TooLarge
from etl.core.paths import warehouse_pointer
from etl.semantic import answers, provisional
from etl.semantic.access import AccessScope, ScopedCursor
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, derived, derived_names
from etl.semantic.exportable import StoredRows
from etl.warehouse import publications, version_files
from ui import streamlit_internals
from ui.data import limits, user
from ui.data.caches import ResultCache
from ui.i18n import text

# What pages take from here: the errors that they catch, and every metric by its name.
__all__ = ["OtherVersion", "QuestionError", "TooEarly", "catalogue"]

Where = Mapping[str, Iterable[str]]
Frozen = tuple[tuple[str, tuple[str, ...]], ...]

# The parameter of the address, and the key of the session, that pins a publication.
PINNED = "publication"
_CACHE_BYTES = 256 << 20
_run = threading.local()
# Prefetches questions; more threads than cores would not answer sooner.
_askers = ThreadPoolExecutor(os.cpu_count(), "asker")


class Unpublished(Exception):
    """Nothing has been published yet."""


def turn() -> None:
    """Begin a page run: it shows the publication that the session has pinned, else the latest one now."""
    _run.path = _current()


def leave() -> None:
    """End a page run: a fragment that later runs in this thread resolves the latest publication again."""
    _run.path = ""


def stay(file: str) -> bool:
    """Rerun a fragment drawn from `file`: use that publication if it is still current; returns whether it is."""
    if path() != file:
        return False
    _run.path = file
    return True


def kept(ident: str) -> str:
    """The file of a publication that was published and is kept; empty if there is none."""
    pointer = warehouse_pointer()
    newest = version_files.newest_published(pointer)
    found = (path for path in version_files.versions(pointer) if path.stem == ident)
    return next((str(path) for path in found if version_files.number_of(path) <= newest), "")


def before() -> str:
    """The file of the kept publication before the one this page shows; empty if there is none."""
    number = version_files.number_of(Path(path()))
    earlier = [one for one in version_files.versions(warehouse_pointer()) if version_files.number_of(one) < number]
    return str(earlier[-1]) if earlier else ""


def _current() -> str:
    """The file that the session has pinned by `publication=` as long as it is kept, else that of the latest one."""
    pinned = st.session_state.get(PINNED) if streamlit_internals.is_script_run() else ""
    return (kept(pinned) if pinned else "") or _latest()


def _latest() -> str:
    """The file of the latest publication; empty if there is none."""
    try:
        return str(publications.current(warehouse_pointer()))
    except Refused:
        return ""


def path() -> str:
    """The file of the publication this page shows. Raises Unpublished."""
    file = getattr(_run, "path", "") or _current()
    if not file:
        raise Unpublished
    return file


def soon(ask: Callable[[], object]) -> Future[object]:
    """Run `ask` in another thread while the page is drawn, so that its answers are cached when the page needs them."""
    file, scope = path(), user.scope()

    def task() -> object:
        with reading(file), user.acting_as(scope):
            return ask()

    return _askers.submit(task)


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Within the context, questions of this thread go to the publication `file`."""
    before, _run.path = getattr(_run, "path", ""), file
    try:
        yield
    finally:
        _run.path = before


@st.cache_resource(max_entries=3, show_spinner=False)
def connection(file: str) -> duckdb.DuckDBPyConnection:
    """The shared read-only connection to a publication; use cursors of it. Raises OtherVersion if other code built it."""
    return publications.connect(Path(file))


@dataclass(frozen=True)
class Query:
    """A function of etl over a publication, with hashable arguments. A large query is pickled and sent to another process."""

    work: Callable[..., Any]
    args: tuple[Hashable, ...] = ()
    kwargs: tuple[tuple[str, Hashable], ...] = ()


def run(query: Query) -> Any:
    """The result of a query on the publication of this page, within the user's rights. It is cached: do not modify it.

    Raises Unpublished, QuestionError for a question without meaning, AccessDenied outside the rights, and for large
    queries the errors of limits.ask_in_worker.
    """
    stored = _run_stored(query)
    return stored.in_memory() if isinstance(stored, StoredRows) else stored


def result(work: Callable[..., Any], *args: Hashable) -> Any:
    """The result of a function of etl over the publication of this page. Raises as `run`."""
    return run(Query(work, args))


def _run_stored(query: Query) -> Any:
    return _results(path(), user.scope().rights(), query)


def _run_query(file: str, scope: AccessScope, query: Query) -> Any:
    try:
        with limits.bounded(connection(file), scope, _published(file)) as cursor:
            return query.work(cursor, *query.args, **dict(query.kwargs))
    except TooLarge:
        return limits.ask_in_worker(file, scope, query)


# Streamlit's cache copies and hashes at each call, which costs more than most answers.
_results = ResultCache(_run_query, _CACHE_BYTES)


class Question(TypedDict, total=False):
    """The dimensions of a question, its day or period, and its filters (see `answers.ask`)."""

    by: str | Iterable[str]
    on: date | None
    over: tuple[date, date] | None
    where: Where | None


def ask(*names: str, **question: Unpack[Question]) -> Answer:
    """The Answer to a question on the publication of this page. Raises as `run`."""
    return run(_question(answers.ask, names, question))


def ask_stored(*names: str, **question: Unpack[Question]) -> Answer | StoredRows:
    """As `ask`, but an Answer with too many rows for this process is returned as StoredRows."""
    return _run_stored(_question(answers.ask, names, question))


def ask_each(*names: str, **question: Unpack[Question]) -> Mapping[str, Answer]:
    """The Answer of each measure by name, of one place or by province: one query for all is faster than one for each.

    Snapshots are measured on the day, events counted over the period. Raises as `run`.
    """
    return run(_question(answers.ask_each, names, question))


def _question(ask: Callable[..., Any], names: tuple[str, ...], question: Question) -> Query:
    by = question.get("by", ())
    axes = (by,) if isinstance(by, str) else tuple(by)
    options = ("on", question.get("on")), ("over", question.get("over")), ("where", frozen(question.get("where")))
    return Query(_ask, (ask, *names), (("by", axes), *options))


def _ask(con: ScopedCursor, ask: Callable[..., Any], *names: str, where: Frozen, **options: Any) -> Any:
    return ask(con, *names, where=dict(where), **options)


def analyse(
    name: str,
    /,
    on: date | None = None,
    where: Where | None = None,
    over: tuple[date, date] | None = None,
    **more: Hashable,
) -> Answer:
    """The result of the analysis `name`, which combines several questions: a bridge, a projection, a curve.

    `over` is ignored by analyses without a period; `more` holds their other parameters. Raises as `run`, and QuestionError
    if the filters leave the analysis no meaning.
    """
    if over and registry.analyses()[name].over_period:
        more["over"] = over
    return run(Query(_analyse, (name, on, frozen(where)), tuple(sorted(more.items()))))


def _analyse(con: ScopedCursor, name: str, on: date | None, where: Frozen, /, **more: Any) -> Answer:
    return registry.analyse(con, name, on, dict(where), **more)


def counted() -> tuple[int, int]:
    """Questions since this process began: answered from the cache, and asked of the database."""
    return _results.hits, _results.misses


def frozen(where: Where | None) -> Frozen:
    """Filters as a hashable cache key."""
    return tuple(sorted((name, tuple(values)) for name, values in (where or {}).items()))


def metric(name: str, answer: Answer | None = None) -> Metric | None:
    """The metric of a column: that of its answer, else of the catalogue or of a derived number; None for a dimension."""
    of_answer = next((metric for metric in answer.metrics if metric.name == name), None) if answer else None
    return of_answer or catalogue().get(name) or (derived(name) if name in derived_names() else None)


def label(name: str, lang: str, answer: Answer | None = None) -> str:
    """The label of a number; its name if nothing describes it."""
    described = metric(name, answer)
    return described.label[lang] if described else name


def settled_on(name: str, on: date) -> date | None:
    """The latest settled day of a metric up to `on`, for headlines and comparisons; None if no month is settled."""
    return result(provisional.settled_on, name, on)


def published() -> publications.Publication:
    """The publication this page shows. Raises Unpublished."""
    return _published(path())


@lru_cache(maxsize=8)
def _published(file: str) -> publications.Publication:
    with connection(file).cursor() as cursor:
        return publications.describe(cursor)


def names(dimension: str, lang: str) -> Mapping[str, str]:
    """Codes and names of every member of a dimension that the user may choose. Raises Unpublished."""
    if dimension in ("institute", "course"):
        return result(detail.member_names, dimension)[lang]
    members = text.reference_members(dimension, lang)
    if dimension == "county" and not user.scope().sees_whole_country:
        visible_counties = result(detail.provinces_of_counties)
        return {code: name for code, name in members.items() if code in visible_counties}
    return members


def rejected_rows(answer: Answer) -> int:
    """Rejected rows that could change an answer: those of its source tables in files of its provinces."""
    return result(data_quality.rejected_rows, tuple(sorted(answer.sources)), answer.where.get("province", ()))
