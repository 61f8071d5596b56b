"""`ask`: a question becomes an Answer. A snapshot metric is measured on a day, an event metric is counted over a period.

    resolve(question) -> Plan; compile(plan) -> queries; DuckDB runs them; combine(plan, queries, results) -> rows

Metrics are defined in etl/semantic/metrics. Values are bound parameters; names come from the catalogue.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from etl.core.errors import AccessDenied, QuestionError, TooLarge
from etl.core.frames import frame_of
from etl.semantic.access import ScopedCursor
from etl.semantic.catalog import TIME, Metric, catalogue, sources_of, tables
from etl.semantic.combine import Results, combine
from etl.semantic.compiler import Compiled, compile
from etl.semantic.open_totals import members_in_scope, narrow, restricted, visible_rows
from etl.semantic.resolve import Plan, metrics_named, resolve
from etl.semantic.rights import AccessScope
from etl.warehouse.population import PROVINCES
from etl.warehouse.publications import Publication

if TYPE_CHECKING:
    import pandas as pd

_PIECE = 10_000


@dataclass(frozen=True, eq=False)
class Answer:
    """The rows that answer a question, with their metrics, the queries that ran and the publication they were read from.

    Two are equal only if they are the same object, so that what is made of an answer can be cached by it.

    `columns`: the dimensions asked by, the metrics asked for, the parts of ratios, and the size of each group (`size_of`) where
    no part gives it. `rows`: tuples of plain values;
    None is an unknown member or an undefined number. `provisional`: the units of time that can still change.
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
    # The rights that it was computed for: `check` refuses it for any others.
    scope: AccessScope
    # The provinces of which it holds more than open totals, and those that were left out for lack of rights.
    restricted: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    # The source and reference tables behind the numbers: a row rejected in one of them could change them.
    sources: frozenset[str] = frozenset()
    # Of a comparison, the day and the filters of each side.
    sides: Mapping[str, tuple[date | None, tuple[tuple[str, tuple[str, ...]], ...]]] = field(default_factory=dict)
    # The cells left out for confidentiality: the members of the row, and the column.
    hidden: frozenset[tuple[tuple[Any, ...], str]] = frozenset()

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """The rows as a DataFrame: None for unknown text, NaN for unknown numbers. Shared: copy it before changing it."""
        return frame_of(self.columns, self.rows)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def value(self, metric: str | None = None) -> Any:
        """The number of a one-row answer: that of `metric`, by default of the first metric."""
        name = metric or self.metrics[0].name
        return self.rows[0][self.columns.index(name)] if self.rows else None

    def last_day(self, metric: Metric) -> date | None:
        """The last day that counts for a metric: the day of a snapshot, else the end of the period."""
        return self.over[1] if self.over and (metric.kind == "event" or not self.on) else self.on

    def fewest(self, metric: Metric, ranked: int) -> int:
        """The fewest people of a group whose number is shown; `ranked` where those that are compared need more."""
        return ranked

    def share(self, part: float, whole: float, metric: Metric) -> float | None:
        """What a chart or a quick calculation works out of two numbers of a measure."""
        return part / whole

    @property
    def measures(self) -> list[str]:
        """The names of what was asked for, without what stands beside it."""
        return [metric.name for metric in self.metrics if not metric.hidden]

    def is_provisional(self, row: Sequence[Any]) -> bool:
        """Whether the unit of time of a row can still change by itself."""
        return any(name in TIME and row[position] in self.provisional for position, name in enumerate(self.by))


def ask(
    con: ScopedCursor,
    *names: str,
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    plain: bool = False,
    publication: Publication | None = None,
) -> Answer:
    """Answer a question about the publication that `con` reads, narrowed to what its scope may see (`etl.semantic.open_totals`).

    `on` is the day of a snapshot (default: the as-of day), `over` the period of events, both ends included (default: the
    last 12 complete Jalali months); a snapshot takes `over` only by month, quarter or year. `plain` counts every row, without
    pre-aggregates; the answer is the same. `publication` saves a query if the caller has described the publication already.
    Raises QuestionError for a question without meaning.
    """
    if not isinstance(con, ScopedCursor):
        raise TypeError("a question needs the scope of the person who asks: access.cursor_for")
    left_out: frozenset[str] = frozenset()
    if not con.scope.sees_whole_country:
        where = members_in_scope(con, where or {})
        where, left_out = narrow(con, names, by, where)
    plan = resolve(con.whole, publication or con.publication, names, by, on, over, where, plain)
    compiled = compile(plan)
    every_row = combine(plan, compiled.queries, run(con, compiled))
    rows = visible_rows(con.scope, plan.by, plan.where, every_row)
    left_out = left_out if len(rows) == len(every_row) else con.scope.others
    return Answer(
        metrics=plan.metrics,
        by=plan.by,
        columns=(*plan.by, *plan.selected),
        rows=rows,
        where=plan.where,
        on=plan.on,
        over=plan.over,
        provisional=plan.provisional(),
        query=query_text(plan, compiled),
        publication=plan.publication,
        scope=con.scope.rights(),
        restricted=restricted(con.scope, plan.by, plan.where),
        left_out=left_out,
        # Those of the metrics asked for, not of the sizes of groups.
        sources=frozenset().union(*(sources_of(metric.name, (*plan.by, *plan.where)) for metric in plan.metrics)),
    )


def cells_left_out(
    by: Sequence[str], columns: Sequence[str], whole: Sequence[Sequence[Any]], rows: Sequence[Sequence[Any]]
) -> frozenset[tuple[tuple[Any, ...], str]]:
    """The cells that `rows` have lost of the `whole`, which has the same rows in the same order."""
    return frozenset(
        (tuple(before[: len(by)]), name)
        for before, row in zip(whole, rows, strict=True)
        for name, was, now in zip(columns, before, row, strict=True)
        if was is not None and now is None
    )


def check(scope: AccessScope, answer: Answer) -> None:
    """Raise AccessDenied for an answer computed for other rights, or that holds more than open totals of other provinces."""
    if not scope.grants or answer.scope != scope or not answer.restricted <= scope.codes:
        raise AccessDenied


def may_leave(scope: AccessScope, answer: Answer, is_detail: bool = False) -> bool:
    """Whether one grant allows a file of an answer: a submitter's only one of its own provinces."""
    provinces = frozenset(answer.where.get("province", ()))
    return any(
        grant.may_take(answer.restricted, is_detail)
        and (grant.role != "submitter" or (bool(provinces) and provinces <= grant.codes))
        for grant in scope.grants
    )


def run(con: ScopedCursor, compiled: Compiled) -> Results:
    """The rows of every SELECT by its SQL; a SELECT that several queries share runs once. Raises TooLarge."""
    results: dict[str, list[tuple[Any, ...]]] = {}
    for query in compiled.queries:
        for select in query.selects:
            if select.sql not in results:
                values = {name: compiled.parameters[name] for name in re.findall(r"\$(p[0-9]+)", select.sql)}
                result = con.whole.execute(select.sql, values)
                rows = results[select.sql] = []
                # While Python's values are made of a piece, no other thread runs.
                while piece := result.fetchmany(_PIECE):
                    rows += piece
                    if con.most_rows is not None and len(rows) > con.most_rows:
                        raise TooLarge
    return results


def query_text(plan: Plan, compiled: Compiled) -> str:
    """The queries with their values written in and the formulas of ratios, for users to read and paste."""
    selects = list(dict.fromkeys(select.sql for query in compiled.queries for select in query.selects))
    if plan.static_columns():
        selects.append(PROVINCES.replace("{day}", f"date '{plan.static_day}'"))
    notes = [
        f"{', '.join(query.measures)}: of {', '.join(sorted(query.provinces))} only"
        for query in compiled.queries
        if query.provinces is not None
    ]
    ratios = [name for name in plan.selected if name not in plan.measures]
    notes += [f"{name} = {re.sub('[{}]', '', catalogue()[name].sql)}" for name in ratios]
    texts = (readable(sql, compiled.parameters) for sql in selects)
    return ";\n\n".join(texts) + "".join(f"\n-- {note}" for note in notes)


def readable(sql: str, parameters: Mapping[str, Any]) -> str:
    """A query with its values written in, for users to read and paste; never run by this program."""

    def literal(match: re.Match[str]) -> str:
        value = parameters[match[1]]
        if isinstance(value, date):
            return f"date '{value}'"
        if isinstance(value, list):
            return "[" + ", ".join("'" + str(item).replace("'", "''") + "'" for item in value) + "]"
        return "'" + str(value).replace("'", "''") + "'"

    return re.sub(r"\$(\w+)\b", literal, sql)


def ask_each(
    con: ScopedCursor,
    *names: str,
    by: Sequence[str] = (),
    on: date | None = None,
    over: tuple[date, date] | None = None,
    where: Mapping[str, Sequence[str]] | None = None,
    publication: Publication | None = None,
) -> dict[str, Answer]:
    """Several metrics at once: an Answer for each by its name, from one common query; that of `ask` without the sizes of groups.

    Snapshots are measured on the day, events counted over the period. `by` is empty or the province: by other
    dimensions each metric has its own rows. Raises QuestionError if one of them has no meaning.
    """
    if tuple(by) not in ((), ("province",)):
        raise QuestionError("measures are asked together for one place, or by province")
    kinds = {metric.kind for metric in metrics_named(names)}
    at_once = ask(
        con,
        *names,
        by=by,
        on=on if "snapshot" in kinds else None,
        over=over if "event" in kinds else None,
        where=where,
        publication=publication,
    )
    return {metric.name: _only(at_once, metric) for metric in at_once.metrics}


def _only(answer: Answer, metric: Metric) -> Answer:
    """The part of an answer about one of its metrics."""
    columns = (*answer.by, *dict.fromkeys(filter(None, (metric.name, metric.numerator, metric.denominator))))
    positions = [answer.columns.index(name) for name in columns]
    rows = [tuple(row[position] for position in positions) for row in answer.rows]
    return replace(
        answer,
        metrics=(metric,),
        columns=columns,
        # A row without a province belongs to another metric if all numbers of this one are 0.
        rows=[row for row in rows if not answer.by or row[0] is not None or any(row[1:])],
        on=answer.on if metric.kind == "snapshot" else None,
        over=answer.over if metric.kind == "event" else None,
        sources=sources_of(metric.name, (*answer.by, *answer.where)),
    )


def rows_on(
    con: ScopedCursor, table: str, on: date, where: Mapping[str, Sequence[str]] | None = None
) -> tuple[str, dict[str, Any]]:
    """The rows of a snapshot table that are valid on a day under filters: a SELECT to build on, and its bound values.

    Raises QuestionError for a filter that the table does not know.
    """
    columns = tables()[table].columns
    checked, _ = narrow(con, (), (), members_in_scope(con, where or {}))
    for name in checked:
        if name not in columns:
            raise QuestionError(f"{table} has no meaning by {name}")
    conditions, parameters = filter_conditions(checked, columns)
    days = ("valid_from <= $on_day", "valid_until > $on_day")
    return f"select * from {table} where {' and '.join((*days, *conditions))}", parameters | {"on_day": on}


def filter_conditions(
    where: Mapping[str, Sequence[str]], columns: Mapping[str, str]
) -> tuple[list[str], dict[str, Any]]:
    """The condition of each filter, of which `columns` holds the column, and the values bound in it. Raises QuestionError."""
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    for name, values in where.items():
        if name not in columns:
            raise QuestionError(f"this question has no meaning by {name}")
        bound = {f"{name}_{number}": value for number, value in enumerate(values)}
        parameters |= bound
        conditions.append(f"{columns[name]} in ({', '.join('$' + key for key in bound)})")
    return conditions, parameters
