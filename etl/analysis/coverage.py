"""Coverage by the residents of the day and by those of the census of 1395: which provinces change their rank."""

from datetime import date
from typing import Any

from etl.analysis.registry import analysis
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered

# A province whose rank differs by at least this is marked.
MOVED = 2


@analysis(asks=("coverage_per_10k",))
def coverage_on_census(con: ScopedCursor, on: date | None = None, where: Where = None) -> Answer:
    """Active assistants of the day per 10,000 residents, of the day and of the census of 1395, by province.

    Rows: (province, coverage_per_10k, coverage_on_census, coverage_rank, coverage_rank_on_census, then is_moved and
    active_assistants), highest coverage of the day first. Rank 1 is the highest of all provinces; equals share a rank.
    """
    answer = ask(con, "coverage_per_10k", "active_assistants", by=("province",), on=on, where=where)
    census = dict(con.numbers.execute("select iso_3166_2, population_2016 from provinces").fetchall())
    counted = [row for row in answer.records() if row["province"] in census and row["coverage_per_10k"] is not None]
    on_day = {row["province"]: row["coverage_per_10k"] for row in counted}
    on_census = {row["province"]: row["active_assistants"] / census[row["province"]] * 10_000 for row in counted}
    active = {row["province"]: row["active_assistants"] for row in counted}
    rows: list[tuple[Any, ...]] = []
    for place in sorted(on_day, key=lambda place: (-on_day[place], place)):
        ranks = [1 + sum(other > rates[place] for other in rates.values()) for rates in (on_day, on_census)]
        rows.append((place, on_day[place], on_census[place], *ranks, abs(ranks[0] - ranks[1]) >= MOVED, active[place]))
    names = ("coverage_per_10k", "coverage_on_census", "coverage_rank", "coverage_rank_on_census")
    return answered(answer, ("province",), names, rows, more=("is_moved", "active_assistants"))
