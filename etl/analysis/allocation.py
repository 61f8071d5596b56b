"""Where the next recruits go: three rules side by side, with coverage and its inequality before and after."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from etl.analysis.planning import last_year
from etl.analysis.registry import analysis
from etl.core.errors import QuestionError
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.derived import Where, answered
from etl.semantic.resolve import settled_on

MOST = 100_000
RULES = ("equal", "shortfall", "proportional")
TODAY = "today"
_SHARES = ("residents_share", "assistants_share")


@analysis(asks=("target", "leaver_rate_12m", "coverage_per_10k"), open_by_province=True)
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
        ginis = [gini(coverage, provinces["residents"]) for coverage in (before, after)]
        numbers = {"recruits": replaced + more, "coverage_before": before, "coverage_after": after}
        facts = {"active_assistants": active, "leavers": leavers, "residents": provinces["residents"]}
        rows.append(provinces[[]].assign(rule=rule, **numbers, gini_before=ginis[0], gini_after=ginis[1], **facts))
    names = ("recruits", "coverage_before", "coverage_after", "gini_before", "gini_after")
    more_columns = ("active_assistants", "leavers", "residents")
    frame = pd.concat(rows).reset_index()
    return answered(like, ("rule", "province"), names, frame, on=on, also=(rates,), more=more_columns)


@analysis(asks=("target", "leaver_rate_12m", "coverage_per_10k"), open_by_province=True)
def recruit_lorenz(con: ScopedCursor, on: date, where: Where, recruits: int) -> Answer:
    """The Lorenz curves of `recruit_places`: (rule, province, residents_share, assistants_share, then gini).

    The rule `today` is the coverage of the day. Provinces with the lowest coverage come first; a curve starts at the origin,
    without a province.
    """
    placed = recruit_places(con, on, where, recruits=recruits)
    curves: dict[str, pd.DataFrame] = {}
    for rule, rows in placed.frame.set_index("province").groupby("rule", sort=False):
        for name, coverage in ((TODAY, rows["coverage_before"]), (str(rule), rows["coverage_after"])):
            if name not in curves and coverage.notna().all():
                curve = lorenz_curve(coverage, rows["residents"])
                curves[name] = curve.assign(rule=name, gini=gini(coverage, rows["residents"]))
    frame = pd.concat(curves.values()) if curves else pd.DataFrame(columns=["rule", "province", *_SHARES, "gini"])
    return answered(placed, ("rule", "province"), _SHARES, frame, on=on, more=("gini",))


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


def gini(coverage: pd.Series, residents: pd.Series) -> float | None:
    """The Gini of a coverage over residents: 0 where it is the same everywhere."""
    people, served = _cumulative_shares(coverage, residents)
    return None if np.isnan(served[-1]) else float(1 - (np.diff(people) * (served[1:] + served[:-1])).sum())


def lorenz_curve(coverage: pd.Series, residents: pd.Series) -> pd.DataFrame:
    """The cumulative shares of residents and of assistants by place, lowest coverage first, from the origin."""
    places = coverage.index[coverage.argsort()]
    shares = dict(zip(_SHARES, _cumulative_shares(coverage, residents), strict=True))
    return pd.DataFrame({"province": [None, *places]} | shares)


def _cumulative_shares(coverage: pd.Series, residents: pd.Series) -> "np.ndarray[Any, np.dtype[Any]]":
    """Of residents and of assistants, a row each, from 0; NaN where there are none."""
    people = residents.to_numpy(float)[coverage.argsort()]
    so_far = np.cumsum([people, people * np.sort(coverage.to_numpy(float))], axis=1)
    with np.errstate(invalid="ignore"):
        return np.pad(so_far / so_far[:, -1:], ((0, 0), (1, 0)))
