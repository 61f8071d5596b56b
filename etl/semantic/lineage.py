"""Which source tables a number depends on, derived from the SQL of the models.

A rejected row of a source table can change every number that is counted from it, directly or through other models.
"""

from collections.abc import Iterable
from functools import cache

from etl.extract.contract import TABLES, contract
from etl.semantic import catalog
from etl.warehouse import adoption_history, run_models
from etl.warehouse.run_models import tables_in

# Reference tables, which no source file fills.
REFERENCES = (
    "announcements", "counties", "course_posts", "courses", "events", "international", "official_days",
    "population", "provinces", "targets", "weekends",
)  # fmt: skip
_LOADED = "loaded_"


def sources_of(metric: str, involved: Iterable[str] = ()) -> frozenset[str]:
    """The source and reference tables a metric is counted from when the dimensions `involved` are grouped by or filtered on."""
    return sources_of_measures(catalog.expand(metric, frozenset(involved)).values())


def sources_of_measures(measures: Iterable[catalog.Measure]) -> frozenset[str]:
    """The source and reference tables behind some measures."""
    return _behind_all({catalog.tables()[measure.table].model for measure in measures})


def sources_of_query(sql: str) -> frozenset[str]:
    """The source and reference tables behind the tables of the publication that a SELECT reads."""
    return _behind_all(tables_in(sql))


@cache
def read_by(model: str) -> frozenset[str]:
    """The tables that a model reads; none for a table that is no model."""
    sql = sql_of(model)
    return tables_in(sql) - {model} if sql else frozenset()


def sql_of(model: str) -> str:
    """The SQL of a model; empty for a table that is no model."""
    return adoption_history.ADOPTION if model == "adoption" else run_models.models().get(model, "")


@cache
def _behind(table: str) -> frozenset[str]:
    """The source and reference tables behind a table, directly or through models.

    Rows that refer to a rejected row are rejected too, so the tables that a source table references count as well.
    """
    if table in REFERENCES:
        return frozenset({table})
    if table.startswith(_LOADED):
        source = table.removeprefix(_LOADED)
        referenced = (column.references for column in contract(source).entering if column.references in TABLES)
        return frozenset({source}).union(*(_behind(_LOADED + name) for name in referenced))
    return _behind_all(read_by(table))


def _behind_all(tables: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*map(_behind, tables))
