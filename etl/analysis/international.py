"""Active police assistants next to guards, volunteers and auxiliaries abroad, by kind of force, each with its source."""

from dataclasses import replace
from datetime import date

from etl.analysis.analyses import analysis
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.composed_answers import Where, compose
from etl.warehouse.run_models import sources_of_query

# The claim in the founding statement of 1400: "more than four million" in another country.
CLAIM = 4_000_000
_BY = ("force", "country", "counted", "counted_year", "sureness")
_IN_ORDER = "list_position(['guards', 'volunteers', 'auxiliaries', 'others'], force)"


@analysis(asks=("per_100k",), open_by=("",))
def countries(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Persons per 100,000 residents: active assistants here, then the latest figure of each country by kind of force.

    Rows: (force, country, counted, year, sureness, rate, persons, population, source, address). Under any filter the
    first row is of the selected scope. A rate is None if the population of the source's year or area is unknown.
    """
    register = ask(con, "per_100k", on=on, where=where)
    here = "HERE" if register.where else "IRN"
    # The rate, active assistants and residents; neither source nor address.
    iran = ("assistants", here, "police_assistants", str(on.year), "register", *register.rows[0], None, None)
    sql = f"""
        select
            force, country, counted, year::varchar, sureness, persons_per_100k, persons, population, source, address
        from abroad
        where is_latest
        order by {_IN_ORDER}, persons_per_100k desc nulls last, figure
    """
    names = ("persons_per_100k", "persons_counted", "population_then", "source", "address")
    rows = [iran, *con.execute(sql).fetchall()]
    query = f"{register.query};\n\n{sql}"
    return compose(register, _BY, names, rows, query=query, sources=sources_of_query(sql))


@analysis(asks=(), open_by=("",))
def claim(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Every figure of a country by kind of force, and by how many it exceeds the four million of the claim.

    Rows: (force, country, counted, year, sureness, persons, excess or None, source, address). The world total is left out.
    Filters have no effect: the figures are of other countries.
    """
    like = ask(con, "active_assistants", on=on)
    sql = f"""
        select
            force, country, counted, year::varchar, sureness, persons,
            case when persons > {CLAIM} then persons - {CLAIM} end, source, address
        from abroad
        where country <> 'WLD'
        order by {_IN_ORDER}, persons desc, figure
    """
    names = ("persons_counted", "above_claim", "source", "address")
    answer = compose(like, _BY, names, con.execute(sql).fetchall(), query=sql)
    return replace(answer, sources=sources_of_query(sql))
