"""How evenly assistants are spread over the counties: the Lorenz curve and the Gini coefficient."""

from datetime import date
from itertools import pairwise

from etl.analysis.registry import analysis
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered


@analysis(asks=("active_assistants",))
def lorenz(con: ScopedCursor, on: date | None = None, where: Where = None) -> Answer:
    """Cumulative shares of residents and of assistants by county, lowest coverage first, and the Gini.

    Rows: (county, residents_share, assistants_share, gini), the first at the origin without a county. Persons without a
    known county are left out.
    """
    by = "county"
    places = {name: where[name] for name in ("province", "county") if where and name in where}
    residents = ask(con, "residents", by=(by,), on=on, where=places)
    assistants = ask(con, "active_assistants", by=(by,), on=on, where=where)
    active_in = dict(zip(assistants.column(by), assistants.column("active_assistants"), strict=True))
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
    rows = [(*point, gini) for point in points]
    return answered(assistants, (by,), names, rows, also=(residents,))
