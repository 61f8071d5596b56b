"""The options of each filter: the members that exist under the other filters on the as-of day, with counts."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from pages.ui.components import tables
from pages.ui.data import registers, user, warehouse
from pages.ui.data.user import AccessScope
from pages.ui.data.warehouse import Frozen
from pages.ui.i18n import text
from pages.ui.state.page_context import PLACES, PageContext

# The count next to a name: active assistants or, if a course is involved, those who must take it.
_COUNTED, _OF_COURSES = "active_assistants", "trainable_assistants"
# Dimensions sorted by name; the others have a natural order.
_BY_NAME = (*PLACES, "course")
# Filters known to the register of institutes: institutes without assistants are offered too.
_REGISTERED = ("province", "county", "activity")


def offered(view: PageContext, name: str, known: tuple[str, ...]) -> Mapping[str, str]:
    """Codes and labels of the options of filter `name`, including selected ones; `known` are the filters of this page.

    Smaller places do not narrow a larger one: they are cleared when it changes (see Scope.with_filter).
    """
    below = PLACES[PLACES.index(name) :] if name in PLACES else (name,)
    other_filters = {
        dimension: codes for dimension, codes in view.where.items() if dimension in known and dimension not in below
    }
    frozen, chosen = warehouse.frozen(other_filters), frozenset(view.where.get(name, ()))
    return _offered(warehouse.path(), user.scope().rights(), view.lang, name, view.as_of, frozen, chosen)


@lru_cache(maxsize=500)
def _offered(
    _file: str, _scope: AccessScope, lang: str, name: str, on: date, frozen: Frozen, chosen: frozenset[str]
) -> Mapping[str, str]:
    other_filters = dict(frozen)
    counts = _counts(name, on, other_filters)
    names = warehouse.names(name, lang)
    offered_codes = {code for code, count in counts.items() if count} | chosen
    if name == "institute":
        offered_codes |= _registered(other_filters)
    codes = [code for code in names if code in offered_codes]
    labels = _unambiguous({code: text.findable(names[code]) for code in codes}, lang)
    if name in _BY_NAME:
        codes.sort(key=lambda code: tables.collated(labels[code]))
    return {
        code: text.word(
            "scope.counted", lang, name=text.isolated(labels[code], lang), count=text.number(counts.get(code, 0), lang)
        )
        for code in codes
    }


def _counts(name: str, on: date, other_filters: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    metric = _OF_COURSES if "course" in (name, *other_filters) else _COUNTED
    answer = warehouse.ask(metric, by=name, on=on, where=other_filters)
    return {row[0]: row[1] for row in answer.rows if row[0] is not None}


def _registered(other_filters: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Institutes in the register under the filters it knows."""
    register_filters = {name: other_filters[name] for name in _REGISTERED if name in other_filters}
    return {
        institute.code
        for institute in registers.institutes().values()
        if all(getattr(institute, name) in codes for name, codes in register_filters.items())
    }


def _unambiguous(names: Mapping[str, str], lang: str) -> dict[str, str]:
    """Names made unique: those shared by several institutes get their code."""
    often = Counter(names.values())
    return {
        code: name if often[name] == 1 else text.listed([name, text.digits(code, lang)], lang)
        for code, name in names.items()
    }
