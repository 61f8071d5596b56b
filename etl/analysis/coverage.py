"""Coverage by the residents of the day and of the census of 1395, how evenly assistants are spread over the counties, and where
the next recruits go: three rules side by side, with coverage and its inequality before and after.
"""

from datetime import date

import numpy as np
import pandas as pd

from etl.analysis.analyses import analysis
from etl.analysis.planning import last_year
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.composed_answers import Where, compose
from etl.semantic.open_totals import is_open
from etl.semantic.resolve import settled_on

# A province whose rank differs by at least this is marked.
MOVED = 2
MOST = 100_000
RULES = ("equal", "shortfall", "proportional")
TODAY = "today"


@analysis(asks=("coverage_per_10k",), open_by=("",))
def coverage_on_census(con: ScopedCursor, on: date, where: Where) -> Answer:
    """Active assistants of the day per 10,000 residents, of the day and of the census of 1395, by province.

    Rows: (province, coverage_per_10k, coverage_on_census, coverage_rank, coverage_rank_on_census, then is_moved and
    active_assistants), highest coverage of the day first. Rank 1 is the highest of all provinces; equals share a rank. It is
    unknown of some counties of a province, and where the others are not open.
    """
    names = ("coverage_per_10k", "active_assistants")
    anywhere = {name: values for name, values in where.items() if name != "province"}
    answer = ask(con, *names, by=("province",), on=on, where=where)
    every = ask(con, *names, by=("province",), on=on, where=anywhere) if anywhere != where else answer
    counties = con.execute("select sci_code, province_iso, population_2016 from counties").df()
    if "county" in where:
        counties = counties[counties["sci_code"].isin(where["county"])]
    census = counties.groupby("province_iso")["population_2016"].sum()
    rows = every.frame.dropna(subset=["province", "coverage_per_10k"])
    rows = rows.assign(coverage_on_census=rows["active_assistants"] / rows["province"].map(census) * 10_000)
    rates = ["coverage_per_10k", "coverage_on_census"]
    ranks = ["coverage_rank", "coverage_rank_on_census"]
    rows[ranks] = rows[rates].rank(method="min", ascending=False).astype(int)
    rows["is_moved"] = (rows[ranks[0]] - rows[ranks[1]]).abs() >= MOVED
    if "county" in where or not (con.scope.sees_whole_country or is_open((), anywhere)):
        rows[[*ranks, "is_moved"]] = None
    rows = rows[rows["province"].isin(answer.column("province"))]
    rows = rows.sort_values(["coverage_per_10k", "province"], ascending=[False, True])
    more = ("is_moved", "active_assistants")
    return compose(answer, ("province",), [*rates, *ranks], rows, also=(every,), more=more)


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
    return compose(assistants, ("county",), names, curve, also=(residents,))


@analysis(asks=("target", "leaver_rate_12m", "coverage_per_10k"), open_by=("",))
def recruit_places(con: ScopedCursor, on: date, where: Where, recruits: int) -> Answer:
    """Where `recruits` go by three rules: (rule, province, recruits, coverage and Gini before and after, then more facts).

    The expected leavers of 12 months are replaced first. Each further recruit goes to the province with the lowest coverage
    (equal), in proportion to what is lacking to the target (shortfall), or to today's strength (proportional); `after` is a
    year later, leavers gone. The Gini is that of the provinces. None for a rule without anything to go by.
    """
    if not 1 <= recruits <= MOST:
        raise QuestionError(f"recruits are a whole number from 1 to {MOST}")
    last_year(con, on)
    like = ask(con, "coverage_per_10k", "target", by=("province",), on=on, where=where)
    settled = settled_on(con, "leaver_rate_12m", on) or on
    rates = ask(con, "leaver_rate_12m", by=("province",), on=settled, where=where)
    provinces = like.frame.dropna(subset=["province", "residents"]).set_index("province")
    active = provinces["active_assistants"].astype(int)
    rate = rates.frame.dropna(subset=["province"]).set_index("province")["leaver_rate_12m"].reindex(active.index)
    leavers = (active * rate.fillna(0)).round().astype(int)
    replaced = highest_averages(leavers, min(recruits, leavers.sum()))
    weights = {
        "equal": provinces["residents"],
        "shortfall": (provinces["target"].astype(float) - active).clip(lower=0).fillna(0),
        "proportional": active,
    }
    rows = []
    for rule in RULES:
        held = active if rule == "equal" else active * 0
        more = highest_averages(weights[rule], recruits - replaced.sum(), held) if weights[rule].any() else np.nan
        after = (active - leavers + replaced + more) / provinces["residents"] * 10_000
        before = provinces["coverage_per_10k"]
        ginis = [lorenz_curve(coverage, provinces["residents"])["gini"].iloc[0] for coverage in (before, after)]
        numbers = {"recruits": replaced + more, "coverage_before": before, "coverage_after": after}
        facts = {"active_assistants": active, "leavers": leavers, "residents": provinces["residents"]}
        rows.append(provinces[[]].assign(rule=rule, **numbers, gini_before=ginis[0], gini_after=ginis[1], **facts))
    names = ("recruits", "coverage_before", "coverage_after", "gini_before", "gini_after")
    more_columns = ("active_assistants", "leavers", "residents")
    frame = pd.concat(rows).reset_index()
    return compose(like, ("rule", "province"), names, frame, on=on, also=(rates,), more=more_columns)


@analysis(asks=("target", "leaver_rate_12m", "coverage_per_10k"), open_by=("",))
def recruit_lorenz(con: ScopedCursor, on: date, where: Where, recruits: int) -> Answer:
    """The Lorenz curves of `recruit_places`: (rule, province, residents_share, assistants_share, then gini_provinces).

    The rule `today` is the coverage of the day. Provinces with the lowest coverage come first; a curve starts at the origin,
    without a province.
    """
    placed = recruit_places(con, on, where, recruits=recruits)
    curves: dict[str, pd.DataFrame] = {}
    for rule, rows in placed.frame.set_index("province").groupby("rule", sort=False):
        for name, coverage in ((TODAY, rows["coverage_before"]), (str(rule), rows["coverage_after"])):
            if name not in curves and coverage.notna().all():
                curves[name] = lorenz_curve(coverage, rows["residents"])
    frame = pd.concat(curves, names=["rule", "province"]).reset_index().rename(columns={"gini": "gini_provinces"})
    names = ("residents_share", "assistants_share")
    return compose(placed, ("rule", "province"), names, frame, on=on, more=("gini_provinces",))


def highest_averages(weights: pd.Series, seats: int, held: pd.Series | None = None) -> pd.Series:
    """The seats by Sainte-Laguë: each next one goes where weight / (2 × seats + 1) is largest, those `held` included.

    Equal quotients are decided by the order of the rows. One seat more never takes one from a row.
    """
    share = weights.to_numpy(float) / max(weights.sum(), 1)
    start = np.zeros(len(weights)) if held is None else held.to_numpy(float)
    # No row gets more than its share of all seats, but for rounding.
    most = np.clip(np.ceil((start.sum() + seats) * share) - start + len(weights) + 1, 0, seats).astype(int)
    rows = np.repeat(np.arange(len(weights)), most)
    step = np.arange(len(rows)) - np.repeat(np.cumsum(most) - most, most)
    quotients = weights.to_numpy(float)[rows] / (2 * (start[rows] + step) + 1)
    chosen = rows[np.argsort(-quotients, kind="stable")[:seats]]
    return pd.Series(np.bincount(chosen, minlength=len(weights)), index=weights.index)


def lorenz_curve(coverage: pd.Series, residents: pd.Series) -> pd.DataFrame:
    """The cumulative shares of residents and of assistants by place, lowest coverage first, from the origin, and the Gini.

    The Gini is 0 where coverage is the same everywhere. Without assistants it is NaN, and so are their shares.
    """
    coverage = coverage.sort_values(kind="stable")
    people = residents[coverage.index].astype(float)
    so_far = pd.DataFrame({"residents_share": people, "assistants_share": people * coverage}).cumsum()
    curve = pd.concat([pd.DataFrame(0.0, index=[None], columns=so_far.columns), so_far / so_far.max()])
    return curve.assign(gini=1 - 2 * np.trapezoid(curve["assistants_share"], curve["residents_share"]))
