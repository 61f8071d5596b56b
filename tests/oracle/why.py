"""The split of a difference of training compliance a second time: from the source rows, in exact fractions."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

from tests.oracle.measures import Data, Where, asked_of, is_compliant, members, narrow

SMALLEST = 23
Side = tuple[date, dict[str, tuple[str, ...]]]


def counted(data: Data, day: date, where: Where) -> tuple[int, int]:
    """Persons compliant, and persons."""
    people = asked_of(data, day, where)
    return sum(is_compliant(data, day, person, where) for person in people), len(people)


def split(data: Data, by: str, before: Side, after: Side) -> dict[str | None, tuple[Fraction | None, ...]]:
    """By group: shares, rates, rate effect, composition effect and effect, as the columns of the analysis."""
    counts: dict[str | None, list[tuple[int, int]]] = defaultdict(list)
    wholes = []
    for day, filters in (before, after):
        where = {name: set(values) for name, values in filters.items()}
        wholes.append(counted(data, day, where))
        for member in members(data, by):
            group = narrow(where, {by: member})
            counts[member].append((0, 0) if group is None else counted(data, day, group))
    small = [member for member, sides in counts.items() if min(n or 10**9 for _, n in sides) < SMALLEST]
    nobody = [member for member, sides in counts.items() if not any(n for _, n in sides)]
    gathered = [
        [sum(part) for part in zip(*(counts[member][side] for member in small), strict=True)] for side in (0, 1)
    ]
    kept = {member: sides for member, sides in counts.items() if member not in (*small, *nobody)}
    if small:
        kept["small"] = gathered
    (total_k0, total_n0), (total_k1, total_n1) = wholes
    whole_before, whole_after = Fraction(total_k0, total_n0), Fraction(total_k1, total_n1)
    rows: dict[str | None, tuple[Fraction | None, ...]] = {}
    for member, ((k0, n0), (k1, n1)) in kept.items():
        rates = [Fraction(k, n) if n else None for k, n in ((k0, n0), (k1, n1))]
        first = rates[1] if rates[0] is None else rates[0]
        second = rates[0] if rates[1] is None else rates[1]
        w0, w1 = Fraction(n0, total_n0), Fraction(n1, total_n1)
        by_rate = (w0 + w1) / 2 * (second - first)
        by_share = ((first + second) / 2 - (whole_before + whole_after) / 2) * (w1 - w0)
        rows[member] = (w0, w1, *rates, by_rate, by_share, by_rate + by_share)
    change = whole_after - whole_before
    rest = change - sum(row[-1] for row in rows.values())
    overlaps = [
        total - sum(sides[side][1] for sides in kept.values()) for side, total in ((0, total_n0), (1, total_n1))
    ]
    if any(overlaps) or rest:
        rows["overlap"] = (
            Fraction(overlaps[0], total_n0),
            Fraction(overlaps[1], total_n1),
            None,
            None,
            Fraction(0),
            rest,
            rest,
        )
    by_rate, by_share = (sum(row[at] for row in rows.values()) for at in (4, 5))
    rows["total"] = (Fraction(1), Fraction(1), whole_before, whole_after, by_rate, by_share, change)
    return rows
