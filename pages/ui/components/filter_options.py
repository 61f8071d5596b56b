"""What each filter offers: the members that exist under the other filters on the as-of day, each with its count."""

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

# What the number beside a name counts: active assistants; where a course is asked for, those of them who must take it.
_COUNTED, _OF_COURSES = "active_assistants", "trainable_assistants"
# Lists whose own order means something keep it; names stand in the order of the alphabet.
_BY_NAME = (*PLACES, "course")
# A register holds institutes nobody serves in: they are offered too.
_REGISTERED = ("province", "county", "activity")


def offered(view: PageContext, name: str, known: tuple[str, ...]) -> dict[str, str]:
    """Codes and labels of what filter `name` offers; `known` are the filters this page has. What is chosen stays offered.

    A place is not narrowed by places inside of it: they fall when it changes (see Scope.with_filter).
    """
    below = PLACES[PLACES.index(name) :] if name in PLACES else (name,)
    others = {one: codes for one, codes in view.where.items() if one in known and one not in below}
    chosen = view.where.get(name, ())
    return dict(
        _offered(
            warehouse.path(),
            user.scope().rights(),
            view.lang,
            name,
            view.as_of,
            warehouse.frozen(others),
            frozenset(chosen),
        )
    )


@lru_cache(maxsize=500)
def _offered(
    _file: str, _scope: AccessScope, lang: str, name: str, on: date, frozen: Frozen, chosen: frozenset[str]
) -> Mapping[str, str]:
    others = dict(frozen)
    counts = _counts(name, on, others)
    names = warehouse.names(name, lang)
    wanted = {code for code, count in counts.items() if count} | chosen
    if name == "institute":
        wanted |= _registered(others)
    codes = [code for code in names if code in wanted]
    told = _told_apart({code: text.findable(names[code]) for code in codes}, lang)
    if name in _BY_NAME:
        codes.sort(key=lambda code: tables.collated(told[code]))
    return {
        code: text.word(
            "scope.counted",
            lang,
            name=text.isolated(told[code], lang),
            count=text.number(counts.get(code, 0), lang),
        )
        for code in codes
    }


def _counts(name: str, on: date, others: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Persons by member, asked as every number is."""
    metric = _OF_COURSES if "course" in (name, *others) else _COUNTED
    answer = warehouse.ask(metric, by=name, on=on, where=others)
    return {row[0]: row[1] for row in answer.rows if row[0] is not None}


def _registered(others: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Institutes of the register under the filters that it knows."""
    asked = {name: others[name] for name in _REGISTERED if name in others}
    return {
        one.code
        for one in registers.institutes().values()
        if all(getattr(one, name) in codes for name, codes in asked.items())
    }


def _told_apart(names: Mapping[str, str], lang: str) -> dict[str, str]:
    """Names of which no two are alike: with the code, where two institutes have one name."""
    often = Counter(names.values())
    return {
        code: name if often[name] == 1 else text.listed([name, text.digits(code, lang)], lang)
        for code, name in names.items()
    }
