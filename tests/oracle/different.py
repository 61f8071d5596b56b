"""Who is clearly below or above the whole, a second time: plain Python from the words of measures, an institute at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt

from scipy import stats

# The two parts of a rate of one institute.
Parts = tuple[float, float]


def shares(
    groups: Mapping[str, Parts], institutes: Mapping[str, list[Parts]], whole: Parts, fewest: int
) -> dict[str, str]:
    """The side of each group of a share; `institutes` holds those of each group."""
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
    return _sides(groups, p, common, lambda difference: abs(difference) >= 0.01)


def rates(groups: Mapping[str, Parts], institutes: Mapping[str, list[Parts]], whole: Parts) -> dict[str, str]:
    """The side of each group of a rate per residents; `institutes` holds those of each group, of none as well."""
    common = whole[0] / whole[1]
    sizes = [part for members in institutes.values() for part, _ in members if part > 0]
    together = sum(size**2 for size in sizes) / sum(sizes)
    p = {
        group: 2 * float(stats.t.sf(abs(2 * (sqrt(part) - sqrt(size * common)) / sqrt(together)), len(sizes) - 1))
        for group, (part, size) in groups.items()
        if size * common >= 23
    }
    return _sides(groups, p, common, lambda difference: abs(difference) >= 0.1 * common)


def _sides(
    groups: Mapping[str, Parts], p: Mapping[str, float], common: float, is_wide: Callable[[float], bool]
) -> dict[str, str]:
    """Benjamini and Hochberg step up from the largest p-value."""
    ordered = sorted(p.values())
    limit = max((value for rank, value in enumerate(ordered, 1) if value <= 0.05 * rank / len(ordered)), default=-1.0)
    sides = dict.fromkeys(groups, "untested")
    for group, value in p.items():
        difference = groups[group][0] / groups[group][1] - common
        is_clear = value <= limit and is_wide(difference)
        sides[group] = ("lower" if difference < 0 else "higher") if is_clear else "none"
    return sides
