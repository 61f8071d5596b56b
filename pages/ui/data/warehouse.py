"""The door: the published warehouse, opened read-only, and always its latest publication.

A publication is a file of its own that is never written again; the warehouse's name points to the latest. DuckDB goes
on serving the old file under a name that was moved, so the pointer is followed at each run of a page, the file is
opened by its own name, and all that one run shows comes from one publication. Answers are kept by publication, reader
and question: a new publication or another reader never meets them.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from functools import lru_cache
from pathlib import Path

import duckdb
import streamlit as st

from etl.analysis import data_quality, detail, registry
from etl.core.errors import OtherVersion, QuestionError, Refused
from etl.semantic import answers
from etl.semantic.answers import Answer, Metric
from etl.warehouse import publications
from etl.warehouse.publications import Publication
from pages.ui.i18n import text

__all__ = [
    "Answer",
    "OtherVersion",
    "QuestionError",
    "Unpublished",
    "allowed",
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
    "soon",
    "stay",
    "turn",
    "units",
]

Where = Mapping[str, Iterable[str]]
# The provinces a reader may see; None is every one.
Reader = frozenset[str] | None
Frozen = tuple[tuple[str, tuple[str, ...]], ...]

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
    found = getattr(_run, "path", "") or _latest()
    if not found:
        raise Unpublished
    return found


def soon(ask: Callable[[], object]) -> Future[object]:
    """Begin with `ask` beside what is drawn; the answers it gets are kept for who asks the same of this publication."""
    file = path()

    def asked() -> object:
        _run.path = file
        return ask()

    return _askers.submit(asked)


@st.cache_resource(max_entries=3, show_spinner=False)
def connection(file: str) -> duckdb.DuckDBPyConnection:
    """The one connection to a publication's file: read-only, and out of reach of anything else; take cursors of it.

    Raises OtherVersion where other code built it.
    """
    return publications.connect(Path(file))


def ask(
    *names: str,
    reader: Reader = None,
    by: str | Iterable[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Where | None = None,
) -> Answer:
    """The Answer to a question, from the publication this page shows. It is shared: nobody changes it.

    Raises Unpublished, and QuestionError for a question without meaning.
    """
    axes = (by,) if isinstance(by, str) else tuple(by)
    return _ask(path(), reader, names, axes, on, over, frozen(where))


# Not Streamlit's cache: that copies and hashes at each call, which costs more than the answer.
@lru_cache(maxsize=3000)
def _ask(
    file: str,
    reader: Reader,
    names: tuple[str, ...],
    by: tuple[str, ...],
    on: date | None,
    over: tuple[date, date] | None,
    where: Frozen,
) -> Answer:
    with connection(file).cursor() as cursor:
        return answers.ask(
            cursor, *names, by=by, on=on, over=over, where=allowed(reader, where), publication=_published(file)
        )


def ask_each(
    *names: str,
    reader: Reader = None,
    by: tuple[str, ...] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Where | None = None,
) -> Mapping[str, Answer]:
    """The Answer of each of several measures of one place or by province, by its name: asked at once, which takes less time.

    States are measured on the day, flows counted over the period. Raises as `ask`.
    """
    return _ask_each(path(), reader, names, by, on, over, frozen(where))


@lru_cache(maxsize=500)
def _ask_each(
    file: str,
    reader: Reader,
    names: tuple[str, ...],
    by: tuple[str, ...],
    on: date | None,
    over: tuple[date, date] | None,
    where: Frozen,
) -> Mapping[str, Answer]:
    with connection(file).cursor() as cursor:
        return answers.ask_each(
            cursor, *names, by=by, on=on, over=over, where=allowed(reader, where), publication=_published(file)
        )


def analyse(
    name: str,
    reader: Reader = None,
    on: date | None = None,
    where: Where | None = None,
    over: tuple[date, date] | None = None,
) -> Answer:
    """What etl.analysis works out under `name` from several questions: a bridge, a projection, a curve.

    `over` is the period of one that has a period; no other hears of it. Raises Unpublished, and QuestionError where the
    filters leave it no meaning.
    """
    period = over if registry.analyses()[name].over_period else None
    return _analyse(path(), reader, name, on, frozen(where), period)


@lru_cache(maxsize=500)
def _analyse(
    file: str, reader: Reader, name: str, on: date | None, where: Frozen, over: tuple[date, date] | None
) -> Answer:
    period = {"over": over} if over else {}
    with connection(file).cursor() as cursor:
        return registry.analyses()[name].run(cursor, on=on, where=allowed(reader, where), **period)


def counted() -> tuple[int, int]:
    """Questions since this process began: answered from what is kept, and asked of the database."""
    kept = [cache.cache_info() for cache in (_ask, _ask_each, _analyse)]
    return sum(one.hits for one in kept), sum(one.misses for one in kept)


def filters_of(name: str) -> frozenset[str]:
    """The filters that have a meaning for what etl.analysis works out under `name`."""
    return registry.filters(name)


def frozen(where: Where | None) -> Frozen:
    """Filters as a key that answers can be kept under."""
    return tuple(sorted((name, tuple(values)) for name, values in (where or {}).items()))


def allowed(reader: Reader, where: Frozen) -> dict[str, tuple[str, ...]]:
    """The filters, narrowed to what the reader may see. Raises QuestionError where nothing is left."""
    asked = dict(where)
    if reader is not None:
        asked["province"] = tuple(code for code in asked.get("province", sorted(reader)) if code in reader)
        if not asked["province"]:
            raise QuestionError("this reader may see none of these provinces")
    return asked


def catalogue() -> Mapping[str, Metric]:
    """Every metric by its name."""
    return answers.catalogue()


def worked_out(name: str) -> Metric | None:
    """The words of what etl.analysis works out under `name`; None where it works out no such thing."""
    return answers.derived(name) if name in answers.derived_names() else None


def published() -> Publication:
    """The publication this page shows. Raises Unpublished."""
    return _published(path())


@lru_cache(maxsize=8)
def _published(file: str) -> Publication:
    with connection(file).cursor() as cursor:
        return publications.describe(cursor)


def names(dimension: str, lang: str) -> Mapping[str, str]:
    """Codes and names of every member of a dimension: what a reader may choose from. Raises Unpublished."""
    if dimension in ("institute", "course"):
        return _names(path(), dimension)[lang]
    return text.reference_members(dimension, lang)


@lru_cache(maxsize=8)
def _names(file: str, dimension: str) -> dict[str, dict[str, str]]:
    with connection(file).cursor() as cursor:
        return detail.member_names(cursor, dimension)


def rejected_rows(answer: Answer) -> int:
    """Rejected rows that could change an answer: of the source tables it is counted from, in files of its provinces."""
    return _rejected_rows(path(), tuple(sorted(answer.sources)), answer.where.get("province", ()))


@lru_cache(maxsize=500)
def _rejected_rows(file: str, tables: tuple[str, ...], provinces: tuple[str, ...]) -> int:
    with connection(file).cursor() as cursor:
        return data_quality.rejected_rows(cursor, tables, provinces)


def units() -> dict[str, str]:
    """The unit of every metric by its name."""
    return {name: metric.unit for name, metric in catalogue().items()}
