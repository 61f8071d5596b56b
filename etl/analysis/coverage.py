"""Coverage by the residents of the day and of the census of 1395, and how evenly assistants are spread over the counties."""

from datetime import date
from itertools import pairwise
from typing import Any

from etl.analysis.registry import analysis
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered

# A province whose rank differs by at least this is marked.
MOVED = 2


@analysis(asks=("coverage_per_10k",), open_by_province=True)
def coverage_on_census(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Active assistants of the day per 10,000 residents, of the day and of the census of 1395, by province.

    Rows: (province, coverage_per_10k, coverage_on_census, coverage_rank, coverage_rank_on_census, then is_moved and
    active_assistants), highest coverage of the day first. Rank 1 is the highest of all provinces; equals share a rank.
    """
    answer = ask(con, "coverage_per_10k", "active_assistants", by=("province",), on=on, where=where)
    census = dict(con.numbers.execute("select iso_3166_2, population_2016 from provinces").fetchall())
    counted = {row["province"]: row for row in answer.records() if row["coverage_per_10k"] is not None}
    active = {place: row["active_assistants"] for place, row in counted.items() if place in census}
    on_day = {place: counted[place]["coverage_per_10k"] for place in active}
    on_census = {place: count / census[place] * 10_000 for place, count in active.items()}
    rows: list[tuple[Any, ...]] = []
    for place in sorted(on_day, key=lambda place: (-on_day[place], place)):
        ranks = [1 + sum(other > rates[place] for other in rates.values()) for rates in (on_day, on_census)]
        rows.append((place, on_day[place], on_census[place], *ranks, abs(ranks[0] - ranks[1]) >= MOVED, active[place]))
    names = ("coverage_per_10k", "coverage_on_census", "coverage_rank", "coverage_rank_on_census")
    return answered(answer, ("province",), names, rows, more=("is_moved", "active_assistants"))


@analysis(asks=("active_assistants",))
def lorenz(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Cumulative shares of residents and of assistants by county, lowest coverage first, and the Gini.

    Rows: (county, residents_share, assistants_share, gini), the first at the origin without a county. Persons without a
    known county are left out.
    """
    places = {name: where[name] for name in ("province", "county") if name in where}
    residents = ask(con, "residents", by=("county",), on=on, where=places)
    assistants = ask(con, "active_assistants", by=("county",), on=on, where=where)
    active_in = dict(assistants.rows)
    pairs = [(place, count, active_in.get(place, 0)) for place, count in residents.rows if place is not None and count]
    pairs.sort(key=lambda pair: (pair[2] / pair[1], pair[0]))
    total, everyone = sum(pair[1] for pair in pairs), sum(pair[2] for pair in pairs)
    points: list[tuple[str | None, float, float]] = [(None, 0.0, 0.0)]
    people = served = 0
    for place, count, active in pairs:
        people, served = people + count, served + active
        points.append((place, people / total, served / everyone if everyone else 0.0))
    gini = 1 - sum((b[1] - a[1]) * (a[2] + b[2]) for a, b in pairwise(points)) if everyone else None
    names = ("residents_share", "assistants_share", "gini")
    return answered(assistants, ("county",), names, [(*point, gini) for point in points], also=(residents,))
