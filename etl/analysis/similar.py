"""Similar provinces: the nearest by what a province is, never by how it does. A reference file fixes them for a year."""

from dataclasses import astuple
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.core import paths
from etl.core.errors import Refused
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.composed_answers import Where, compose
from etl.warehouse.population import Provinces, by_province, read

FILE = "similar_provinces.csv"
NEAREST = 4
_FARTHEST = 0.9
# Makes the median absolute deviation of normal values their standard deviation.
_MAD = 1.4826
_CENSUS_OF_1390 = date(2011, 10, 24)


@analysis(asks=("target",), open_by=("",))
def similar_provinces(con: ScopedCursor, on: date, where: Where) -> Answer:
    """The similar provinces of the reference file: (province, rank, similar, distance, then made_on).

    A province that is far from all others has one row, without `similar`, that says how far the nearest is.
    """
    like = ask(con, "target", by=("province",), on=on, where=where)
    try:
        known = pd.read_csv(paths.REFERENCE / FILE, dtype={"province": str, "similar": str})
    except FileNotFoundError:
        raise Refused(f"{FILE}: it is not in the reference data; run python -m etl similar") from None
    rows = known[known["province"].isin(like.frame["province"])]
    return compose(like, ("province", "rank"), ("similar", "distance"), rows, on=on, more=("made_on",))


def make(on: date, to: Path) -> None:
    """Write the reference file for a year: the rows of `nearest`, and the day they are of."""
    columns = ["made_on", "province", "rank", "similar", "distance"]
    rows = nearest(described(on)).assign(made_on=on.isoformat())[columns]
    # With a byte order mark, as Excel reads it.
    rows.to_csv(to, index=False, lineterminator="\n", encoding="utf-8-sig")


def described(on: date) -> pd.DataFrame:
    """Official facts of each province: residents of the day, their density, growth and urban share, and the area.

    They come from the reference data and no register, so that nothing a province hands in makes it similar to another.
    """
    known = pd.read_csv(paths.REFERENCE / "provinces.csv", dtype={"iso_3166_2": str}).set_index("iso_3166_2")
    dated = Provinces(population=by_province(map(astuple, read(paths.REFERENCE))))
    residents = pd.Series({province: dated.residents(province, on) for province in known.index})
    years = (on - _CENSUS_OF_1390).days / 365.25
    return pd.DataFrame(
        {
            "residents": residents,
            "density": residents / known["area_km2"],
            "growth_a_year": (residents / known["population_2011"]) ** (1 / years) - 1,
            "urban_share": known["urban_2016"] / known["population_2016"],
            "area": known["area_km2"],
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
