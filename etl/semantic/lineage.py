"""Which source tables a number depends on, derived from the SQL of the models.

A rejected row of a source table can change every number that is counted from it, directly or through other models.
"""

from collections.abc import Iterable
from functools import cache

from etl.extract.contract import TABLES, contract
from etl.semantic import catalog
from etl.warehouse import adoption_history, run_models
from etl.warehouse.sql_tables import tables_in

# Reference tables, which no source file fills.
REFERENCES = (
    "announcements", "counties", "course_posts", "courses", "events", "international", "population", "provinces", "targets",
)  # fmt: skip
_LOADED = "loaded_"


def sources_of(metric: str, involved: Iterable[str] = ()) -> frozenset[str]:
    """The source and reference tables a metric is counted from when the dimensions `involved` are grouped by or filtered on."""
    return sources_of_measures(catalog.expand(metric, frozenset(involved)).values())


def sources_of_measures(measures: Iterable[catalog.Measure]) -> frozenset[str]:
    """The source and reference tables behind some measures."""
    return _through({catalog.tables()[measure.table].model for measure in measures})


def sources_of_query(sql: str) -> frozenset[str]:
    """The source and reference tables behind the tables of the publication that a SELECT reads."""
    return _through(tables_in(sql))


@cache
def sources_of_model(model: str) -> frozenset[str]:
    """The source and reference tables behind a model, directly or through other models.

    Rows that refer to a rejected row are rejected too, so the tables that a source table references count as well.
    """
    return _through(read_by(model))


@cache
def read_by(model: str) -> frozenset[str]:
    """The tables that a model reads; none for a table that is no model."""
    sql = sql_of(model)
    return tables_in(sql) - {model} if sql else frozenset()


def sql_of(model: str) -> str:
    """The SQL of a model; empty for a table that is no model."""
    return adoption_history.ADOPTION if model == "adoption" else run_models.models().get(model, "")


def _through(tables: Iterable[str]) -> frozenset[str]:
    sources: set[str] = set()
    for name in tables:
        if name.startswith(_LOADED):
            sources |= _with_referenced(name.removeprefix(_LOADED))
        elif name in REFERENCES:
            sources.add(name)
        else:
            sources |= sources_of_model(name)
    return frozenset(sources)


def _with_referenced(table: str) -> frozenset[str]:
    referenced = {column.references for column in contract(table).entering if column.references in TABLES}
    return frozenset({table}).union(*map(_with_referenced, referenced))
