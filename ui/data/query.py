"""A question to a publication as a value, and its answer: nothing here needs Streamlit, which a separate process would import."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows
from etl.semantic.rights import AccessScope
from etl.warehouse import publications
from ui.data.ask import On, Question


@dataclass(frozen=True)
class Query:
    """A function of etl over a publication, with hashable arguments. A large query is pickled and sent to another process."""

    work: Callable[..., Any]
    args: tuple[Hashable, ...] = ()
    kwargs: tuple[tuple[str, Hashable], ...] = ()


def answer(con: ScopedCursor, question: Question) -> Answer:
    return On(con)(question)


def answer_each(con: ScopedCursor, question: Question) -> Mapping[str, Answer]:
    return On(con).each(question)


def answer_in_worker(_tell: Any, file: str, scope: AccessScope, query: Query, out: Path, most: int) -> Any:
    """The result of a query; an Answer with more rows than `most` is written to `out`, and returned as StoredRows."""
    with publications.connect(Path(file)) as con, cursor_for(con, scope) as cursor:
        result = query.work(cursor, *query.args, **dict(query.kwargs))
    return StoredRows.write(result, out) if isinstance(result, Answer) and len(result.rows) > most else result
