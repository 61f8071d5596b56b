"""Validation of address parameters: only values that a user could have chosen are accepted."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from etl.analysis import licensing
from etl.analysis.coverage import MOST
from etl.analysis.projection import MOST_MONTHS_AHEAD
from etl.core import jalali
from etl.semantic.calculations import CALCULATIONS, measure_of
from etl.semantic.catalog import DIMENSIONS, catalogue
from ui.data import warehouse
from ui.state.given import MOST_DIMENSIONS, MOST_MEASURES, NOTHING, Given, number, seat
from ui.state.scope import NATION, SIMILAR, Days

SHOWN = ("table", "pivot")
# The forms of chart for analysts, besides the one that suits the question.
FORMS = ("funnel", "control")
# The value of `page` that shows all rows of a table.
ALL = "all"
# The days to which a list of endings can be narrowed.
DAYS_LEFT = tuple(map(str, licensing.DAYS_LEFT))
# The lists of institutes by name that a page can open with.
LICENCE_LISTS = ("licences_ending", "lapsed", "files_overdue", "stopped", "register")
OFFICER_LISTS = ("accreditations_ending", "officers_untrained")
_MOST_SEATS, MOST_LETTERS, _MOST_LISTS = 40, 200, 10
_SORT = re.compile(r"-?[a-z_0-9]{1,60}")
_LIST = re.compile(r"[a-z_]{1,40}:(-?[a-z_0-9]{1,60})?:([1-9][0-9]{0,5}|all)")


def valid_parameters(page: str, parameters: Given, days: Days) -> dict[str, list[str]]:
    """The valid values of the parameters that `page` has besides the scope."""
    checks = _CHECKS.get(page, {}).items()
    return {name: accepted for name, check in checks if (accepted := check(parameters.get(name, ()), days))}


def left_out(parameters: Given, accepted: Given) -> list[str]:
    """The parameters of an address that were not accepted, as `name=value`."""
    return [
        f"{name}={value}"
        for name, values in parameters.items()
        for value in (Counter(values) - Counter(accepted.get(name, ()))).elements()
    ]


_Check = Callable[[Sequence[str], Days], list[str]]


def _one(accepts: Callable[[str, Days], bool]) -> _Check:
    """A parameter with one value; of several, the last counts."""
    return lambda values, days: [value for value in values[-1:] if accepts(value, days)]


def _members(values: Iterable[str], members: Iterable[str], most: int) -> list[str]:
    """The values that are `members`, without repetition; or NOTHING."""
    chosen = list(values)
    return chosen if chosen == [NOTHING] else [value for value in dict.fromkeys(chosen) if value in members][:most]


def _many(accepts: Callable[[str], object], most: int) -> _Check:
    """A parameter with at most `most` values, without repetition."""
    return lambda values, days: [value for value in dict.fromkeys(values) if accepts(value)][:most]


def _measures(values: Sequence[str], _days: Days) -> list[str]:
    visible_measures = [name for name, metric in catalogue().items() if not metric.hidden]
    return _members(values, visible_measures, MOST_MEASURES)


def _sorts(value: str, _days: Days) -> bool:
    """By a dimension, a metric, what is calculated beside one, or one member across a pivot (`gender:female`)."""
    name = value.removeprefix("-").partition(":")[0]
    return not {name, measure_of(name)}.isdisjoint({*DIMENSIONS, *catalogue()})


def _is_whole(value: str, most: int) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= len(str(most)) and 1 <= int(value) <= most


def _is_province(value: str, _days: Days) -> bool:
    return value in warehouse.names("province", "fa")


def _is_seat(written: str) -> bool:
    """Whether seats are of a province, or of all, and of a course."""
    if (found := seat(written)) is None or found[1] not in warehouse.names("course", "fa"):
        return False
    return not found[0] or found[0] in warehouse.names("province", "fa")


_FIND = _one(lambda value, _: bool(value.strip()) and len(value) <= MOST_LETTERS)
_TURNED = _one(lambda value, _: _is_whole(value, 999_999) or value == ALL)
_PLACE = _one(lambda value, days: value in (NATION, SIMILAR) or _is_province(value, days))
# The sort order and open page of each list on a page: `register:-active_assistants:2`.
_LISTS = _many(_LIST.fullmatch, _MOST_LISTS)
_DAY = _one(lambda value, days: days.read(value) is not None)
_AHEAD = _one(
    lambda value, days: Days(days.first, jalali.add_months(days.last, MOST_MONTHS_AHEAD)).read_end(value) is not None
)

_MONTH = _one(lambda value, _: re.fullmatch(r"1[34][0-9]{2}-(0[1-9]|1[0-2])", value) is not None)
_RECEIPT = _one(lambda value, _: re.fullmatch(r"IR-[0-9]{2}-1[34][0-9]{2}-[01][0-9]-[0-9]{1,4}", value) is not None)

# The flows of a scenario.
_FLOWS: Mapping[str, _Check] = {
    "recruits": _one(lambda value, _: number(value) is not None),
    "leave": _one(lambda value, _: number(value, 100) is not None),
}

# The parameters of each page that has some, in the order of its address.
_CHECKS: Mapping[str, Mapping[str, _Check]] = {
    "quality": {"of": _one(lambda value, _: value in catalogue())},
    "handin": {"of": _one(_is_province), "month": _MONTH, "receipt": _RECEIPT},
    "approve": {
        "month": _MONTH,
        "note": _one(lambda value, days: _measures([value], days) == [value]),
        "of": _one(lambda value, days: value == NATION or _is_province(value, days)),
        "at": _MONTH,
        "to": _MONTH,
    },
    "growth": {
        "goal": _one(lambda value, _: bool(number(value))),
        "until": _AHEAD,
        **_FLOWS,
        "n": _one(lambda value, _: _is_whole(value, MOST)),
    },
    "coverage": {
        "map": _one(lambda value, _: value == "county"),
        "census": _one(lambda value, _: value == "1395"),
    },
    "training": {**_FLOWS, "of": _one(_is_province), "seats": _many(_is_seat, _MOST_SEATS)},
    "explore": {
        "m": _measures,
        "by": lambda values, _: _members(values, DIMENSIONS, MOST_DIMENSIONS),
        "chart": _one(lambda value, _: value in FORMS),
        "show": _one(lambda value, _: value in SHOWN),
        "calc": _one(lambda value, _: value in CALCULATIONS),
        "sort": _one(_sorts),
        "page": _TURNED,
    },
    "compare": {
        "p": _PLACE,
        "a": _DAY,
        "q": _PLACE,
        "b": _DAY,
        "m": _one(lambda value, _: _measures([value], _) == [value]),
        "by": _one(lambda value, _: value in DIMENSIONS),
    },
    "licensing": {
        "open": _one(lambda value, _: value in LICENCE_LISTS),
        "days": _one(lambda value, _: value in DAYS_LEFT),
        "list": _LISTS,
    },
    "legal": {"open": _one(lambda value, _: value in OFFICER_LISTS), "list": _LISTS},
    "register": {
        "find": _FIND,
        "sort": _one(lambda value, _: _SORT.fullmatch(value) is not None),
        "page": _TURNED,
    },
}
NAMES: Mapping[str, tuple[str, ...]] = {page: tuple(checks) for page, checks in _CHECKS.items()}
