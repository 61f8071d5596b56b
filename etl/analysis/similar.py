"""Similar provinces: the nearest by what a province is, never by how it does. A reference file fixes them for a year."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from etl.analysis.registry import analysis
from etl.core import paths
from etl.core.errors import Refused
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered

FILE = "similar_provinces.csv"
NEAREST = 4
_FARTHEST = 0.9
# Makes the median absolute deviation of normal values their standard deviation.
_MAD = 1.4826


@analysis(asks=("target",), open_by_province=True)
def similar_provinces(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The similar provinces of the reference file: (province, rank, similar, distance, then made_on).

    A province that is far from all others has one row, without `similar`, that says how far the nearest is. The share of the
    largest activity is one of the six variables and the others are open, so a distance would tell it: who does not see the
    whole country gets none.
    """
    like = ask(con, "target", by=("province",), on=on, where=where)
    try:
        known = pd.read_csv(paths.REFERENCE / FILE, dtype={"province": str, "similar": str})
    except FileNotFoundError:
        raise Refused(f"{FILE}: it is not in the reference data; run python -m etl similar") from None
    rows = known[known["province"].isin(like.frame["province"])]
    if not con.scope.sees_whole_country:
        rows = rows.assign(distance=None)
    return answered(like, ("province", "rank"), ("similar", "distance"), rows, on=on, more=("made_on",))


def make(con: ScopedCursor, on: date, to: Path) -> None:
    """Write the reference file from a publication: the rows of `nearest`, and the day they are of."""
    rows = nearest(described(con, on)).assign(made_on=on.isoformat())
    rows[["made_on", "province", "rank", "similar", "distance"]].to_csv(to, index=False, lineterminator="\n")


def described(con: ScopedCursor, on: date) -> pd.DataFrame:
    """The six variables of each province: residents, their density and urban share, area, institutes, the largest activity."""
    measured = ask(con, "residents", "area_km2", "licensed_institutes", by=("province",), on=on).frame
    measured = measured.dropna(subset=["province", "residents"]).set_index("province")
    urban = con.numbers.execute("select iso_3166_2, urban_2016 / population_2016 from provinces").fetchall()
    by_activity = ask(con, "licensed_institutes", by=("province", "activity"), on=on).frame
    largest = by_activity.groupby("province")["licensed_institutes"].max().reindex(measured.index).fillna(0)
    institutes = measured["licensed_institutes"].astype(float)
    return pd.DataFrame(
        {
            "residents": measured["residents"],
            "density": measured["residents"] / measured["area_km2"],
            "urban_share": pd.Series(dict(urban)).reindex(measured.index),
            "area": measured["area_km2"],
            "institutes_per_100k": institutes / measured["residents"] * 100_000,
            "largest_activity_share": (largest / institutes).fillna(0.0),
        }
    )


def nearest(variables: pd.DataFrame) -> pd.DataFrame:
    """The four nearest rows of each by the squared distance of robust z-scores: (province, rank, similar, distance).

    A row whose nearest is farther than the 90th percentile of all distances has none: one line with the distance alone.
    """
    middle = variables.median()
    spread = _MAD * (variables - middle).abs().median()
    scores = ((variables - middle) / spread.where(spread > 0, np.inf)).to_numpy()
    distances = ((scores[:, None] - scores[None]) ** 2).sum(axis=2)
    limit = np.quantile(distances[np.triu_indices(len(distances), 1)], _FARTHEST)
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
    rows = []
    for at, province in enumerate(variables.index):
        near = [(rank, variables.index[other], distances[at, other]) for rank, other in enumerate(order[at], 1)]
        if near[0][2] > limit:
            near = [(1, None, near[0][2])]
        rows += [(province, rank, similar, round(distance, 4)) for rank, similar, distance in near]
    return pd.DataFrame(rows, columns=["province", "rank", "similar", "distance"])
