"""Who is below or above the whole, a second time: plain Python from the words of measures, an institute at a time."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from scipy import stats

# The two parts of a rate of one institute.
Parts = tuple[float, float]


def shares(
    groups: Mapping[str, Parts], institutes: Mapping[str, list[Parts]], whole: Parts, fewest: int, worse: str = ""
) -> dict[str, str]:
    """The side of each group of a share; `institutes` holds those of each group, `worse` is the worse side."""
    common = whole[0] / whole[1]
    squares, chance, count, used = 0.0, 0.0, 0, 0
    variances = {}
    for group, members in institutes.items():
        members = [one for one in members if one[1] > 0]
        if not members:
            continue
        hits, people = (sum(one[at] for one in members) for at in (0, 1))
        share = hits / people
        own = sum((part - share * size) ** 2 for part, size in members)
        squares, chance = squares + own, chance + share * (1 - share) * people
        count, used = count + len(members), used + 1
        if len(members) > 1:
            variances[group] = own / people**2 * len(members) / (len(members) - 1), len(members)
    effect = max(1.0, squares / chance * count / (count - used)) if chance and count > used else 1.0
    p = {}
    for group, (hits, people) in groups.items():
        own, members_count = variances.get(group, (0.0, 0))
        if people >= fewest and members_count >= 5:
            error = sqrt((own + effect * common * (1 - common) / people) / 2)
            p[group] = 2 * float(stats.t.sf(abs(hits / people - common) / error, members_count - 1))
    sides = _sides(groups, p, common)
    return sides | _unclear(groups, sides, fewest, worse)


def _unclear(groups: Mapping[str, Parts], sides: Mapping[str, str], fewest: int, worse: str) -> dict[str, str]:
    """The worst group that is worse than one on the worse side and not on it."""
    sign = -1 if worse == "higher" else 1
    value = {group: sign * hits / people for group, (hits, people) in groups.items() if people}
    named = [value[group] for group, side in sides.items() if worse and side == worse]
    others = [
        (value[group], at, group)
        for at, (group, side) in enumerate(sides.items())
        if side in ("none", "untested") and groups[group][1] >= fewest and named and value[group] < max(named)
    ]
    return {min(others)[2]: "unclear"} if others else {}


def rates(groups: Mapping[str, Parts], whole: Parts) -> dict[str, str]:
    """The side of each group of a rate per residents: a count of everybody, which no test decides."""
    common = whole[0] / whole[1]

    def side(part: float, size: float) -> str:
        if size * common < 23 and part < 23:
            return "untested"
        times = part / size / common
        if times < 3 / 4:
            return "far_lower" if times < 1 / 2 else "lower"
        if times > 4 / 3:
            return "far_higher" if times > 2 else "higher"
        return "none"

    return {group: side(*parts) for group, parts in groups.items()}


def _sides(groups: Mapping[str, Parts], p: Mapping[str, float], common: float) -> dict[str, str]:
    """Benjamini and Hochberg step up from the largest p-value."""
    ordered = sorted(p.values())
    limit = max((value for rank, value in enumerate(ordered, 1) if value <= 0.05 * rank / len(ordered)), default=-1.0)
    sides = dict.fromkeys(groups, "untested")
    for group, value in p.items():
        difference = groups[group][0] / groups[group][1] - common
        is_clear = value <= limit and abs(difference) >= 0.01
        sides[group] = ("lower" if difference < 0 else "higher") if is_clear else "none"
    return sides
