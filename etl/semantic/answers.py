"""A question becomes one Answer. The door between what is true and what it looks like.

A *state* is measured on a day, a *flow* is counted over a period. What a number means stands in etl/semantic/metrics; what is
read for it, in etl/semantic/question.py. Values are bound, names come from the catalogue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from etl.core.errors import QuestionError
from etl.semantic.catalog import TIME, Metric, catalogue, derived, derived_names, tables
from etl.semantic.lineage import sources_of
from etl.semantic.members import known, members
from etl.semantic.question import Question, readable
from etl.warehouse.publications import Publication, describe

__all__ = [
    "Answer",
    "Metric",
    "QuestionError",
    "ask",
    "ask_each",
    "catalogue",
    "derived",
    "derived_names",
    "readable",
    "rows_on",
]


@dataclass(frozen=True)
class Answer:
    """The rows that answer a question, the metrics that made them, the queries that ran and the load it was read from.

    `columns`: the dimensions asked by, then the metrics asked for, then the parts of ratios. `rows`: tuples of plain values;
    None is an unknown member or a number that does not exist. `provisional`: the units of time that are not over, or whose
    leavers may still return.
    """

    metrics: tuple[Metric, ...]
    by: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    where: dict[str, tuple[str, ...]]
    on: date | None
    over: tuple[date, date] | None
    provisional: frozenset[str]
    query: str
    publication: Publication
    # The source and reference tables it is counted from: a row rejected in one of them could change it.
    sources: frozenset[str] = frozenset()

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def value(self, metric: str | None = None) -> Any:
        """The number of a one-row answer: of `metric`, or of the first one asked for."""
        name = metric or self.metrics[0].name
        return self.rows[0][self.columns.index(name)] if self.rows else None

    def is_provisional(self, row: Sequence[Any]) -> bool:
        """Whether a row speaks of a unit of time that can still change by itself."""
        return any(name in TIME and row[position] in self.provisional for position, name in enumerate(self.by))


def ask(
    con: duckdb.DuckDBPyConnection,
    *names: str,
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    plain: bool = False,
    publication: Publication | None = None,
) -> Answer:
    """Answer a question about the publication that `con` reads.

    `on` is the day of a state (default: the as-of day), `over` the period of a flow, both ends in (default: the last 12
    complete Jalali months); a state takes `over` only by month, quarter or year. `plain` counts every row as the catalogue
    says, without what the build made ready; the answer is the same. `publication` is what `con` reads, where that is known.
    Raises QuestionError for a question without meaning.
    """
    read = publication or describe(con)
    question = Question(con, read, names, tuple(by), on, over, dict(where or {}), plain)
    return Answer(
        question.metrics,
        question.by,
        (*question.by, *question.shown),
        question.rows(),
        question.where,
        question.on,
        question.over,
        question.provisional(),
        question.written(),
        read,
        question.sources(),
    )


def ask_each(
    con: duckdb.DuckDBPyConnection,
    *names: str,
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    publication: Publication | None = None,
) -> dict[str, Answer]:
    """Several measures at once: an Answer for each, by its name, as `ask` gives it, but of one common query.

    States are measured on the day, flows counted over the period. `by` is nothing or the province: of other dimensions each
    measure has rows of its own. Raises QuestionError where one of them has no meaning.
    """
    if tuple(by) not in ((), ("province",)):
        raise QuestionError("measures are asked together for one place, or by province")
    kinds = {metric.kind for metric in known(names)}
    at_once = ask(
        con,
        *names,
        by=by,
        on=on if "state" in kinds else None,
        over=over if "flow" in kinds else None,
        where=where,
        publication=publication,
    )
    return {metric.name: _only(at_once, metric) for metric in at_once.metrics}


def _only(answer: Answer, metric: Metric) -> Answer:
    """What an answer says of one of its measures."""
    columns = (*answer.by, *dict.fromkeys(filter(None, (metric.name, metric.numerator, metric.denominator))))
    at = [answer.columns.index(name) for name in columns]
    rows = [tuple(row[place] for place in at) for row in answer.rows]
    return replace(
        answer,
        metrics=(metric,),
        columns=columns,
        # What another measure found in no known province is not met by this one.
        rows=[row for row in rows if not answer.by or row[0] is not None or any(row[1:])],
        on=answer.on if metric.kind == "state" else None,
        over=answer.over if metric.kind == "flow" else None,
        sources=sources_of(metric.name, (*answer.by, *answer.where)),
    )


def rows_on(
    con: duckdb.DuckDBPyConnection, table: str, on: date, where: Mapping[str, Sequence[str]] | None = None
) -> tuple[str, dict[str, Any]]:
    """The rows of a state's table that hold on a day under filters: a SELECT to build on, and its bound values.

    Raises QuestionError for a filter that the table does not know.
    """
    columns = tables()[table].columns
    checked = members(con, where or {})
    parameters: dict[str, Any] = {"on_day": on}
    conditions = ["valid_from <= $on_day", "valid_until > $on_day"]
    for name, values in checked.items():
        if name not in columns:
            raise QuestionError(f"{table} has no meaning by {name}")
        bound = {f"{name}_{number}": value for number, value in enumerate(values)}
        parameters |= bound
        conditions.append(f"{columns[name]} in ({', '.join('$' + key for key in bound)})")
    return f"select * from {table} where {' and '.join(conditions)}", parameters
