"""Compiles a plan into the queries that DuckDB runs: on the pre-aggregates if they hold a measure, otherwise on its table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etl.core.errors import QuestionError
from etl.semantic.catalog import Measure
from etl.semantic.combine import MeasureQuery
from etl.semantic.preaggregates import StockScan, is_preaggregated, shared_queries, stock_query, stock_scan
from etl.semantic.resolve import Plan
from etl.semantic.table_scans import Binder, TableScan, inline_days, scan_select, table_scan


@dataclass(frozen=True)
class Compiled:
    """The queries of a plan and the values bound in them."""

    queries: tuple[MeasureQuery, ...]
    parameters: Mapping[str, Any]


def compile(plan: Plan) -> Compiled:
    """The queries of a plan, in the order of its measures; those that read the same rows share one.

    Raises QuestionError if none of the measures has rows by the dimensions of the plan.
    """
    binder = Binder()
    static = plan.static_columns()
    scans: dict[TableScan | StockScan, dict[str, Measure]] = {}
    for name, measure in plan.measures.items():
        if name not in static:
            measure = inline_days(plan, binder, measure)
            is_stored = is_preaggregated(plan, measure)
            scan = stock_scan(plan, measure) if is_stored else table_scan(plan, binder, measure)
            scans.setdefault(scan, {})[name] = measure
    stocks = {scan: measures for scan, measures in scans.items() if isinstance(scan, StockScan)}
    shared = shared_queries(plan, binder, stocks)
    queries = []
    for scan, measures in scans.items():
        if isinstance(scan, StockScan):
            queries.append(shared.get(scan) or stock_query(plan, binder, scan, measures))
        else:
            selects = (scan_select(scan, measures),)
            queries.append(MeasureQuery(selects, scan.dimensions, tuple(measures), scan.is_lookup))
    if queries and all(query.is_lookup for query in queries):
        missing = [name for name in plan.by if any(name not in query.dimensions for query in queries)]
        if missing:
            raise QuestionError(f"{plan.metrics[0].name} has no meaning by {missing[0]}")
    return Compiled(tuple(queries), binder.parameters)
