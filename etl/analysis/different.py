"""Who is below or above the whole, and whether two sides differ: one rule behind every such sentence and colour.

Of a share chance is ruled out. People of one institute are alike, so institutes are the sampled units: the variance of a share
is linearised over them (W. G. Cochran, 1977, Sampling Techniques, 6.2). A group's own variance is small where chance has made
its share extreme, so it is averaged with that of the whole's share at the whole's design effect, which is at least 1: in 1,000
simulated countries of equal provinces somebody is then named in 2 to 4 %, by a group's own variance alone in 9 to 33 %. False
discoveries are held at 5 % (Y. Benjamini and Y. Hochberg, 1995, Journal of the Royal Statistical Society B 57).

People per resident are a full count of both: nothing is sampled, and a side is a matter of how far the rate is from the whole's.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import stdtr

from etl.analysis.analyses import analysis
from etl.analysis.comparison import Side
from etl.core.errors import AccessDenied, QuestionError, TooEarly
from etl.core.jalali import year_before
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import Metric, catalogue
from etl.semantic.composed_answers import Where, compose
from etl.semantic.disclosure import FEWEST, with_published_counts
from etl.semantic.open_totals import is_open, members_in_scope
from etl.semantic.ranking import LEAST, is_full_count, is_tested, least, worse_side
from etl.semantic.resolve import settled_on
from etl.semantic.rights import BELOW_PROVINCE
from etl.warehouse.dimensions import PLACES

EXACT, PUBLISHED = "exact", "published"
LEVEL = 0.05
FEWEST_INSTITUTES = 5
# The least difference that is explained, and of a share named: of a share in points, of a rate per residents as a part of it.
POINTS, RELATIVE = 0.01, 0.1
_SIDES = np.array(["lower", "none", "higher"])
# Of a rate per residents: the parts of the whole's value below and above which a group is on a side, and far from the whole.
FAR_BELOW, BELOW, ABOVE, FAR_ABOVE = 1 / 2, 3 / 4, 4 / 3, 2
# Where more of the people than this are in no known county, no county is far from the whole: they could be in it.
MOST_UNKNOWN = 0.1
_COUNTY = "county"
_Numbers = np.ndarray[Any, np.dtype[Any]]


@analysis(asks=("training_compliance",), over_period=True, open_by=("province",))
def different(
    con: ScopedCursor,
    on: date,
    where: Where,
    metric: str = "training_compliance",
    by: str = "province",
    over: tuple[date, date] | None = None,
    whole: str = "",
    counts: str = EXACT,
) -> Answer:
    """Each group's rate against the whole's: provinces against the nation, other groups against all within the filters.

    With `whole="nation"` places of a province are compared with the nation too. Of people per resident, counties without
    anybody are among the groups. With `counts="published"` the test knows the counts of a file for circulation and no others.

    Rows: (the group, the rate, whole_value, p_value, institutes_compared, then the two parts of the rate and `side`).
    Of a share the side is lower, higher, none, untested (fewer than 23 people, 10 institutes, or 5 institutes) or unclear: the
    worst of those that are worse than one on the worse side, though chance is not ruled out. The worse side comes first, then
    the better, the widest difference first; then the others, the worst first.
    Of a rate per residents it is far_lower (below half of the whole's), lower (three quarters), higher (four thirds),
    far_higher (twice), none, or untested (fewer than 23 people, and no more at the whole's rate; counties of a province in which
    more than a tenth of the people are in no known county), without p_value; the worst comes first.
    A rate that may still change by itself is asked on the last settled month's end, one of events over `over`. Raises
    QuestionError for what is no rate of institutes, TooEarly where no month is settled yet.
    """
    rate = _rate(metric, by)
    asked = _Asked.of(con, (metric,), by, where, _when(con, rate, on, over), whole, counts)
    groups, frame = asked.groups, asked.compared(rate)
    part, count = _parts(rate)
    frame = _in_order(rate, frame)
    if asked.is_national and "province" in asked.chosen:
        groups = replace(groups, where=dict(asked.chosen))
        frame = frame[frame.province.isin(asked.chosen["province"])]
    names = (metric, "whole_value", "p_value", "institutes_compared")
    also = [one for one in (asked.whole, asked.institutes, asked.everywhere) if one]
    answer = compose(groups, (by,), names, frame, also=also, more=(part, count, "side"))
    return _in_unit(answer, rate)


def sides(
    con: ScopedCursor, on: date, where: Where, by: str, metrics: Sequence[str], counts: str = EXACT
) -> dict[str, "pd.Series[Any]"]:
    """For each metric that has an answer, the side of every group by `different`; metrics of one day are asked together."""
    days: dict[date, list[str]] = {}
    for name in metrics:
        with suppress(QuestionError):
            days.setdefault(_when(con, _rate(name, by), on, None)["on"], []).append(name)
    found: dict[str, pd.Series[Any]] = {}
    for day, names in days.items():
        try:
            asked = dict.fromkeys(names, _Asked.of(con, names, by, where, {"on": day}, counts=counts))
        except QuestionError:
            asked = {}
            for name in names:
                with suppress(QuestionError):
                    asked[name] = _Asked.of(con, (name,), by, where, {"on": day}, counts=counts)
        found |= {name: one.compared(catalogue()[name]).set_index(by)["side"] for name, one in asked.items()}
    return found


def _in_order(rate: Metric, frame: pd.DataFrame) -> pd.DataFrame:
    """The groups of a share named as worse, as better, the others, the untested; of a full count the worst first."""
    worse = worse_side(rate) or "lower"
    from_whole = (frame[rate.name] - frame.whole_value) * (1 if worse == "lower" else -1)
    place = frame.side.map({"untested": 3}).fillna(0 if is_full_count(rate.name) else 2)
    if not is_full_count(rate.name):
        place = place.mask(frame.side.isin(["lower", "higher"]), 1).mask(frame.side == worse, 0)
    is_widest_first = (place == 1) | (not worse_side(rate))
    keys = pd.DataFrame({"place": place, "from_whole": from_whole.where(~is_widest_first, -from_whole.abs())})
    return frame.loc[keys.assign(group=frame.iloc[:, 0]).sort_values(["place", "from_whole", "group"]).index]


@dataclass(frozen=True)
class _Asked:
    """Rates of groups and of the whole, the parts of shares by institute, and the filters as codes.

    `everywhere` are the residents of every county, also of those without anybody; `unplaced` the counties of provinces in which
    too many people are in no known county; `fewest` the people of a group that is on a side of a rate per residents.
    """

    groups: Answer
    whole: Answer
    institutes: Answer | None
    everywhere: Answer | None
    by: str
    is_national: bool
    chosen: Mapping[str, tuple[str, ...]]
    unplaced: Collection[str]
    fewest: int = LEAST

    @classmethod
    def of(
        cls,
        con: ScopedCursor,
        metrics: Sequence[str],
        by: str,
        where: Where,
        when: Mapping[str, Any],
        than: str = "",
        counts: str = EXACT,
    ) -> Self:
        """Provinces are compared with the nation, other groups with all within the filters, or with the nation too."""
        chosen = members_in_scope(con, where)
        is_national = by == "province" and not BELOW_PROVINCE & {*chosen}
        within = {name: codes for name, codes in chosen.items() if not (is_national and name == "province")}
        groups = ask(con, *metrics, by=(by,), where=within, **when)
        if is_national and groups.left_out:
            # The nation's groups are not open.
            raise AccessDenied
        of_whole = without_places(groups.where) if than == "nation" else groups.where
        whole = ask(con, *metrics, where=of_whole, **when)
        if whole.left_out and not groups.left_out:
            # The nation is not open.
            raise AccessDenied
        rates = [catalogue()[name] for name in metrics]
        parts = [*chain(*(_parts(rate) for rate in rates if not is_full_count(rate.name)))]
        asked = {"by": (by, "institute"), "where": groups.where, **when}
        institutes = ask(con, *parts, **asked) if parts else None
        counted = next((_parts(rate) for rate in rates if by == _COUNTY and is_full_count(rate.name)), None)
        everywhere, unplaced = None, frozenset[str]()
        known = known_counts(counts, (by,), groups.where)
        if counted:
            everywhere = ask(con, counted[1], by=(by,), where=groups.where, **when)
            if groups.frame[by].isna().any():
                unplaced = _unplaced(con, counted[0], groups.where, when, known)
        institutes = institutes and known(institutes)
        fewest = LEAST if known is as_asked else FEWEST
        return cls(known(groups), known(whole), institutes, everywhere, by, is_national, chosen, unplaced, fewest)

    def compared(self, rate: Metric) -> pd.DataFrame:
        """A row for each known group: the rate, its two parts, whole_value, p_value, institutes_compared and side."""
        part, count = _parts(rate)
        frame = self.groups.frame
        frame = frame.loc[frame[self.by].notna(), [self.by, rate.name, part, count]]
        if self.everywhere and is_full_count(rate.name):
            frame = _with_nobody(frame, self.everywhere.frame, self.by, count)
        whole = self.whole.value(rate.name)
        frame = frame.assign(whole_value=whole, p_value=np.nan, institutes_compared=None)
        if self.institutes is None or is_full_count(rate.name):
            side = sides_of_full_count(frame[rate.name], whole)
            expected = frame[count].fillna(0) * _divided(self.whole.value(part), self.whole.value(count))
            is_few = (np.maximum(expected, frame[part].fillna(0)) < self.fewest) | frame[self.by].isin(self.unplaced)
            return frame.assign(side=np.where(is_few, "untested", side))
        clusters = self.institutes.frame.reindex(columns=[self.by, part, count])
        clusters = clusters.assign(group=pd.Index(frame[self.by]).get_indexer(clusters[self.by]))
        p, institutes = p_values(rate, frame[[part, count]], clusters, self.whole.records()[0])
        frame = frame.assign(p_value=p, institutes_compared=institutes)
        side = np.where(np.isnan(p), "untested", _sides(rate, frame[rate.name], whole, discovered(p)))
        return frame.assign(side=with_unclear(rate, frame.assign(side=side)))


def _with_nobody(frame: pd.DataFrame, everywhere: pd.DataFrame, by: str, count: str) -> pd.DataFrame:
    """The groups, and those without anybody, of whom nobody is a count."""
    nobody = everywhere.loc[everywhere[by].notna() & ~everywhere[by].isin(frame[by]), [by, count]]
    if nobody.empty:
        return frame
    zeros = {name: 0 for name in frame.columns if name not in (by, count)}
    return pd.concat([frame, nobody.assign(**zeros)[[*frame.columns]]], ignore_index=True)


def as_asked(answer: Answer) -> Answer:
    """The counts as they are."""
    return answer


def known_counts(counts: str, by: Sequence[str], *filters: Collection[str]) -> Callable[[Answer], Answer]:
    """What a test knows of its counts: the published ones, unless these are open totals. Raises QuestionError."""
    if counts not in (EXACT, PUBLISHED):
        raise QuestionError(f"counts are {EXACT} or {PUBLISHED}, not {counts}")
    is_exact = counts == EXACT or all(is_open(by, where) for where in filters)
    return as_asked if is_exact else with_published_counts


def without_places(where: Where) -> dict[str, tuple[str, ...]]:
    """Filters without those of places."""
    return {name: tuple(codes) for name, codes in where.items() if name not in PLACES}


def _unplaced(
    con: ScopedCursor, count: str, where: Where, when: Mapping[str, Any], known: Callable[[Answer], Answer]
) -> frozenset[str]:
    """The counties of provinces in which more than a tenth of those counted are in no known county."""
    axes = (("province",), ("province", _COUNTY))
    people, here = (known(ask(con, count, by=by, where=where, **when)).frame for by in axes)
    unknown = here[here[_COUNTY].isna()].set_index("province")[count]
    most = people.set_index("province")[count] * MOST_UNKNOWN
    provinces = unknown.index[unknown > most.reindex(unknown.index)]
    return frozenset(here[_COUNTY][here["province"].isin(provinces)].dropna())


def with_unclear(rate: Metric, frame: pd.DataFrame) -> "pd.Series[Any]":
    """The sides of a share, with `unclear` for the worst group that is worse than one on the worse side and not on it."""
    worse, value = worse_side(rate), frame[rate.name].astype(float)
    named = value[frame.side == worse]
    if not worse or named.empty:
        return frame.side
    size = frame[str(rate.denominator)].fillna(0)
    others = value[frame.side.isin(["none", "untested"]) & (size >= least(catalogue()[str(rate.denominator)].unit))]
    others = others[others < named.max()] if worse == "lower" else others[others > named.min()]
    if others.empty:
        return frame.side
    at = others.idxmin() if worse == "lower" else others.idxmax()
    return frame.side.mask(frame.index == at, "unclear")


@analysis(asks=("training_compliance",), open_by=("",))
def differs(
    con: ScopedCursor,
    on: date,
    where: Where,
    than: Side | None = None,
    metric: str = "training_compliance",
    counts: str = EXACT,
) -> Answer:
    """The rate on a day in a place against that of another day or place, by the same rule; one row.

    Both days are asked as given; without `than` the other is that of a year before.

    Columns: the rate, whole_value (that of `than`), p_value, institutes_compared (of the side with fewer), the two parts, and
    `side`: that of `different`. Institutes of both sides count by their change. Raises QuestionError
    as `different`, and for rates of events.
    """
    rate = _rate(metric)
    part, count = _parts(rate)
    than = than or Side(year_before(on), tuple((name, tuple(codes)) for name, codes in where.items()))
    asked = []
    if rate.kind == "event":
        raise QuestionError(f"{metric} is counted over a period; two days are compared by what is measured on a day")
    for day, filters in ((on, where), (than.on, dict(than.where))):
        asked.append(ask(con, metric, on=day, where=members_in_scope(con, filters)))
    if asked[1].left_out:
        # A place beside a group of the nation, which is not open.
        raise AccessDenied
    known = known_counts(counts, (), asked[0].where, asked[1].where)
    here, there = asked = [known(one) for one in asked]
    value, other = here.value(), there.value()
    rows, also, p, institutes = [answer.records()[0] for answer in asked], [there], np.nan, None
    if is_full_count(metric):
        expected = (rows[0][count] or 0) * _divided(rows[1][part], rows[1][count])
        side = (
            "untested"
            if max(expected, rows[0][part] or 0) < LEAST
            else str(sides_of_full_count(pd.Series([value]), other)[0])
        )
    else:
        of_institutes = [known(ask(con, metric, by=("institute",), on=one.on, where=one.where)) for one in asked]
        frames = [one.frame for one in of_institutes]
        both = frames[0].merge(frames[1], on="institute", how="outer", suffixes=("_1", "_2"))
        sizes = [both[[f"{part}_{n}", f"{count}_{n}"]].fillna(0).to_numpy(float) for n in (1, 2)]
        p, institutes = compared(rate, rows, sizes)
        side = "untested" if np.isnan(p) else str(_sides(rate, pd.Series([value]), other, np.array([p <= LEVEL]))[0])
        also += of_institutes
    names = (metric, "whole_value", "p_value", "institutes_compared")
    row = (value, other, None if np.isnan(p) else float(p), institutes, rows[0][part], rows[0][count], side)
    return _in_unit(compose(here, (), names, [row], also=also, more=(part, count, "side")), rate)


def is_tested_over_time(name: str) -> bool:
    """Whether a change between two days is better or worse beyond chance: of shares of people alone.

    A rate per residents rises in every place as the nation grows: a place would be called better beside a nation that rose as
    much.
    """
    return is_tested(name) and not is_full_count(name)


def is_sizeable(rate: Metric, difference: Any, other: Any) -> Any:
    """Whether a difference from another value of a rate is large enough to be explained, of a share to be named."""
    least_difference = RELATIVE * np.abs(other) if is_full_count(rate.name) else POINTS
    # A difference of exactly one point is not lost to the last digit of binary fractions.
    return np.abs(difference) >= np.asarray(least_difference) - 1e-12


def sides_of_full_count(values: "pd.Series[Any]", whole: float | None) -> _Numbers:
    """The side of each rate of the whole's by how many times it is."""
    times = values.to_numpy(float) / (whole or np.nan)
    bounds = {
        "far_lower": times < FAR_BELOW,
        "lower": times < BELOW,
        "far_higher": times > FAR_ABOVE,
        "higher": times > ABOVE,
    }
    return np.select([*bounds.values()], [*bounds], np.where(np.isnan(times), "untested", "none"))


def p_values(
    rate: Metric, groups: pd.DataFrame, clusters: pd.DataFrame, whole: Mapping[str, Any]
) -> tuple[_Numbers, _Numbers]:
    """The p-value of each group of a share (NaN: untested) and its number of institutes.

    `groups` holds the two parts of the share, `clusters` those of each institute after the position of its group (-1: none).
    """
    part, count = _parts(rate)
    hits, sizes = (groups[name].fillna(0).to_numpy(float) for name in (part, count))
    parts, counts = (clusters[name].fillna(0).to_numpy(float) for name in (part, count))
    at, many = clusters["group"].to_numpy(), len(groups)
    known = (at >= 0) & (counts > 0)

    def summed(values: _Numbers) -> _Numbers:
        return np.bincount(at[known], values[known], many)

    institutes = np.bincount(at[known], minlength=many)
    if not whole[part] or not whole[count]:
        return np.full(many, np.nan), institutes
    common = whole[part] / whole[count]
    with np.errstate(divide="ignore", invalid="ignore"):
        own, people = summed(parts) / summed(counts), summed(counts)
        residual = np.zeros(len(at))
        residual[known] = parts[known] - own[at[known]] * counts[known]
        effect = design_effect(residual, spread_of(own) * people, institutes)
        variance = summed(residual**2) / people**2 * institutes / (institutes - 1)
        t = (hits / sizes - common) / np.sqrt((variance + effect * spread_of(common) / sizes) / 2)
        is_testable = (sizes >= least(catalogue()[count].unit)) & (institutes >= FEWEST_INSTITUTES)
        return np.where(is_testable, 2 * stdtr(np.maximum(institutes - 1, 1), -np.abs(t)), np.nan), institutes


def compared(rate: Metric, rows: Sequence[Mapping[str, Any]], sides: Sequence[_Numbers]) -> tuple[float, int]:
    """The p-value of two sides of a share (NaN: untested) and the institutes of the side with fewer.

    `rows` holds the parts of the share of both sides, `sides` those of the same institutes, in two columns.
    """
    hits, sizes = (np.array([row[name] or 0 for row in rows], float) for name in _parts(rate))
    parts, counts = np.moveaxis(np.stack(sides), 2, 0)
    institutes = (counts > 0).sum(axis=1)
    fewest = int(institutes.min())
    if not sizes.all() or not hits.any():
        return np.nan, fewest
    if fewest < FEWEST_INSTITUTES or (sizes < least(catalogue()[_parts(rate)[1]].unit)).any():
        return np.nan, fewest
    common = hits.sum() / sizes.sum()
    difference = np.subtract(*hits / sizes)
    freedom = fewest - 1
    people = counts.sum(axis=1)
    own = parts.sum(axis=1) / people
    residuals = parts - own[:, None] * counts
    changes = np.subtract(*residuals / people[:, None])
    variance = (changes**2).sum() * (freedom + 1) / freedom
    chance = (spread_of(common) / sizes).sum()
    if counts.all(axis=0).any():
        chance = max(chance, variance)
    else:
        chance *= design_effect(residuals, spread_of(own) * people, institutes)
    deviation = np.sqrt((variance + chance) / 2)
    return (float(2 * stdtr(freedom, -abs(difference) / deviation)) if difference else 1.0), fewest


def spread_of(share: Any) -> Any:
    """The variance of one person's outcome."""
    return np.clip(share * (1 - share), 0, None)


def design_effect(residual: _Numbers, spread: _Numbers, institutes: _Numbers) -> float:
    """How many times more than independent people the institutes of all groups vary; at least 1."""
    known = np.isfinite(spread) & (institutes > 0)
    freedom = institutes[known].sum() - known.sum()
    if freedom <= 0 or not spread[known].sum():
        return 1.0
    return max(1.0, float((residual**2).sum() / spread[known].sum() * institutes[known].sum() / freedom))


def discovered(p: _Numbers) -> _Numbers:
    """Which p-values (NaN: untested) are discoveries at LEVEL over all that were tested."""
    known = np.sort(p[~np.isnan(p)])
    passed = known[known <= LEVEL * np.arange(1, len(known) + 1) / max(len(known), 1)]
    return p <= (passed[-1] if len(passed) else -1.0)


def _sides(rate: Metric, values: "pd.Series[Any]", other: Any, is_beyond_chance: _Numbers) -> _Numbers:
    difference = values.to_numpy(float) - (np.nan if other is None else other)
    is_clear = is_beyond_chance & is_sizeable(rate, difference, other)
    return _SIDES[np.where(is_clear, np.sign(np.nan_to_num(difference)), 0).astype(int) + 1].astype(object)


def _rate(name: str, by: str = "province") -> Metric:
    """A metric that is a share, or a rate per residents, of what institutes have, by groups of several institutes."""
    rate = catalogue().get(name)
    if rate is None or not is_tested(name):
        raise QuestionError(
            f"{name} is no rate that can be asked by institute; clear differences are found for such rates"
        )
    if not is_tested(name, by):
        raise QuestionError(f"{name} by {by}: it can be tested between groups of several institutes only")
    return rate


def _parts(rate: Metric) -> tuple[str, str]:
    return str(rate.numerator), str(rate.denominator)


def _divided(part: Any, count: Any) -> float:
    return part / count if part and count else 0.0


def _when(con: ScopedCursor, rate: Metric, on: date, over: tuple[date, date] | None) -> dict[str, Any]:
    if rate.kind == "event":
        return {"over": over}
    day = settled_on(con, rate.name, on)
    if day is None:
        raise TooEarly(f"{rate.name}: no month is settled yet")
    return {"on": day}


def _in_unit(answer: Answer, rate: Metric) -> Answer:
    """The answer with the rate's unit and direction for the value that it is compared with."""
    metrics = (
        replace(one, unit=rate.unit, counts=rate.unit) if one.name == "whole_value" else one for one in answer.metrics
    )
    return replace(answer, metrics=tuple(metrics))
