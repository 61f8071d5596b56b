"""Open totals, and what everything else is narrowed to.

    the nation's women by month                         of the own provinces
    training compliance of each province                open
    Isfahan's training compliance by month              open
    Isfahan's women, asked by a person of Fars          refused

Everybody with rights sees the open totals: every measure of the nation and of each province by time, unfiltered. Anything else
is asked of the rows of the own provinces alone, and an Answer says which provinces were left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from etl.core.errors import AccessDenied
from etl.semantic.access import ScopedCursor
from etl.semantic.catalog import TIME, catalogue, expand
from etl.semantic.resolve import members
from etl.semantic.rights import BELOW_PROVINCE, AccessScope, every_province
from etl.warehouse.dimensions import PLACES


def is_open(by: Iterable[str], where: Iterable[str]) -> bool:
    """Whether a question by these dimensions and under filters by these is one for open totals."""
    return {*by} <= {"province", *TIME} and {*where} <= {"province"}


def sees_nation(scope: AccessScope, where: Iterable[str]) -> bool:
    """Whether somebody may see the nation under filters by these, places aside."""
    return scope.sees_whole_country or is_open((), {*where}.difference(PLACES))


def members_in_scope(con: ScopedCursor, where: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The codes of filters. A county or institute of another province is refused like one that does not exist."""
    named = tuple((name, tuple(values)) for name, values in where.items())
    return dict(con.once(("members", named), lambda: members(con.rows, where))) if named else {}


def narrow(
    con: ScopedCursor, names: Iterable[str], by: Iterable[str], where: Mapping[str, Sequence[str]]
) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """The filters of a question, limited to the own provinces unless it is open, and the provinces that were left out.

    `where` holds codes of `members_in_scope`. Raises AccessDenied if nothing is left, for a group of the nation, and for measures
    of which some cannot be limited to a province.
    """
    by, narrowed = tuple(by), {name: tuple(codes) for name, codes in where.items()}
    if con.scope.sees_whole_country or is_open(by, narrowed):
        return narrowed, frozenset()
    return narrowed_to_own(con, names, by, narrowed)


def narrowed_to_own(
    con: ScopedCursor, names: Iterable[str], by: Iterable[str], where: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """As `narrow`, of a question that is not open to people of some provinces."""
    narrowed, involved = dict(where), {*by, *where}
    if {"province", "origin"} <= involved:
        # A move belongs to both of its provinces: `visible_rows` cuts those between two others.
        return narrowed, frozenset()
    known, names = catalogue(), tuple(names)
    measures = [one for name in names if name in known for one in expand(name, frozenset(involved)).values()]
    is_of_group = not is_open({*by}.difference(PLACES), {*where}.difference(PLACES))
    if is_of_group and any(one.national_total for one in measures):
        # It counts the whole nation under all filters but places.
        raise AccessDenied
    without_province = [name in known and {"province", "institute"} <= known[name].mutually_exclusive for name in names]
    if "institute" in involved and any(without_province):
        if not all(without_province):
            # Of the people of an institute the others are to count those in the own provinces alone.
            raise AccessDenied
        # `members_in_scope` has checked filters by institute.
        left_out = frozenset() if "institute" in narrowed else con.scope.others
        if "institute" not in narrowed:
            sql = "select institute_code from institutes order by 1"
            narrowed["institute"] = con.once(sql, lambda: tuple(code for (code,) in con.execute(sql).fetchall()))
        if not narrowed["institute"]:
            raise AccessDenied
        return narrowed, left_out
    place = "origin" if "origin" in involved else "province"
    asked = narrowed.get(place) or tuple(sorted(every_province()))
    narrowed[place] = tuple(code for code in asked if code in con.scope.codes)
    if not narrowed[place]:
        raise AccessDenied
    # A filter by county or institute names places of the own provinces.
    left_out = frozenset() if BELOW_PROVINCE & {*where} else con.scope.others.intersection(asked)
    return narrowed, left_out


def visible_rows(
    scope: AccessScope, by: Sequence[str], where: Mapping[str, Sequence[str]], rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """The rows of an answer without those of moves between two provinces outside of the scope."""
    if scope.sees_whole_country or not {"province", "origin"} <= {*by, *where}:
        return rows

    def is_visible(row: tuple[Any, ...], dimension: str) -> bool:
        at = by.index(dimension) if dimension in by else None
        return {row[at]} <= scope.codes if at is not None else set(where[dimension]) <= scope.codes

    visible = [row for row in rows if is_visible(row, "province") or is_visible(row, "origin")]
    if rows and not visible and not {"province", "origin"} & {*by}:
        raise AccessDenied
    return visible


def restricted(scope: AccessScope, by: Iterable[str], where: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The provinces of which an answer holds more than open totals: all of the scope where its filters do not say."""
    involved = {*by, *where}
    if is_open(by, where):
        return frozenset()
    has_pairs = {"province", "origin"} <= involved
    return frozenset(() if has_pairs else where.get("province", ())) or scope.codes
