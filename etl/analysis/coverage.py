"""Coverage by the residents of the day and of the census of 1395, and how evenly assistants are spread over the counties."""

from datetime import date

import numpy as np
import pandas as pd

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
    rows = answer.frame.dropna(subset=["province", "coverage_per_10k"])
    rows = rows.assign(coverage_on_census=rows["active_assistants"] / rows["province"].map(census) * 10_000)
    rates = ["coverage_per_10k", "coverage_on_census"]
    ranks = ["coverage_rank", "coverage_rank_on_census"]
    rows[ranks] = rows[rates].rank(method="min", ascending=False).astype(int)
    rows["is_moved"] = (rows[ranks[0]] - rows[ranks[1]]).abs() >= MOVED
    rows = rows.sort_values(["coverage_per_10k", "province"], ascending=[False, True])
    return answered(answer, ("province",), [*rates, *ranks], rows, more=("is_moved", "active_assistants"))


@analysis(asks=("active_assistants",))
def lorenz(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Cumulative shares of residents and of assistants by county, lowest coverage first, and the Gini.

    Rows: (county, residents_share, assistants_share, gini), the first at the origin without a county. Persons without a
    known county are left out.
    """
    places = {name: where[name] for name in ("province", "county") if name in where}
    residents = ask(con, "residents", by=("county",), on=on, where=places)
    assistants = ask(con, "active_assistants", by=("county",), on=on, where=where)
    counts = residents.frame.dropna(subset=["county"]).set_index("county")["residents"]
    counts = counts[counts > 0].sort_index()
    active = assistants.frame.set_index("county")["active_assistants"].reindex(counts.index, fill_value=0).astype(float)
    curve = lorenz_curve(active / counts, counts).rename_axis("county").reset_index()
    curve["assistants_share"] = curve["assistants_share"].fillna(0)
    names = ("residents_share", "assistants_share", "gini")
    return answered(assistants, ("county",), names, curve, also=(residents,))


def lorenz_curve(coverage: pd.Series, residents: pd.Series) -> pd.DataFrame:
    """The cumulative shares of residents and of assistants by place, lowest coverage first, from the origin, and the Gini.

    The Gini is 0 where coverage is the same everywhere. Without assistants it is NaN, and so are their shares.
    """
    coverage = coverage.sort_values(kind="stable")
    people = residents[coverage.index].astype(float)
    so_far = pd.DataFrame({"residents_share": people, "assistants_share": people * coverage}).cumsum()
    curve = pd.concat([pd.DataFrame(0.0, index=[None], columns=so_far.columns), so_far / so_far.max()])
    return curve.assign(gini=1 - 2 * np.trapezoid(curve["assistants_share"], curve["residents_share"]))
