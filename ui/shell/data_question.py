"""The question in a request of the data address: the parameters of Explore's address, or a saved view of the person.

A wrong parameter or value is refused with one sentence, which names the nearest right one.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from etl.analysis import detail
from etl.semantic import resolve
from etl.semantic.calculations import CALCULATIONS
from etl.warehouse.dimensions import FILTERS
from ui.data import page_run, warehouse
from ui.exhibits import register
from ui.exhibits.explore import measures_by, problems_of
from ui.exhibits.named import Named, inputs_of
from ui.i18n import text
from ui.sections import explore, explore_rows
from ui.state import periods, saved_views
from ui.state.given import NOTHING, Given, Wrong, members, near, one, short, wrong_value
from ui.state.page_context import PageContext
from ui.state.page_parameters import TAB
from ui.state.scope import Days, Scope, in_order

_SEVERAL = ("m", "by", *FILTERS)
_ONE = ("on", "as_of", "period", "over", "view", "lang", "publication", "circulation", "calc")
_OF_AN_EXHIBIT = (*FILTERS, "on", "as_of", "period", "over", "lang", "publication", "circulation")
# Of Explore's address, and without effect here.
_OF_THE_PAGE = ("chart", "show", "sort", "page", TAB)
_TOKEN_NAMES = re.compile(r"(?i)(access_?)?token|password|secret|(api_?)?key|bearer|authorization|auth")
# As secrets.token_urlsafe(32) writes it.
_TOKEN = re.compile(r"[\w-]{43}")


@dataclass(frozen=True)
class DataQuestion:
    """A checked question: the view of it, its measures and dimensions, and whether its numbers are rounded.

    `calc`: the calculation beside its measures. `counted_in`: the counties of 1395 in which newer ones that it names are counted.
    """

    view: PageContext
    names: tuple[str, ...]
    by: tuple[str, ...]
    circulation: bool
    calc: str = ""
    counted_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExhibitQuestion:
    """A checked question for an exhibit of a page: its name, the view, and if it is rounded.

    `beside`: what, besides publication, scope and inputs, decides what it shows.
    """

    named: Named
    view: PageContext
    circulation: bool
    beside: Hashable = None


@dataclass(frozen=True)
class PageQuestion:
    """A checked question for the workbook of a page: its name, the view, if it is rounded, and what is said of its inputs."""

    page: str
    view: PageContext
    circulation: bool
    said: tuple[tuple[str, tuple[str, ...]], ...] = ()


def holds_token(given: Given) -> bool:
    """Whether an address holds a token, or something that is to be one."""
    return any(
        _TOKEN_NAMES.fullmatch(name) or any(_TOKEN.fullmatch(value) for value in (name, *values))
        for name, values in given.items()
    )


def language(given: Given) -> str:
    return text.language(next(iter(given.get("lang", ())), ""))


def publication(given: Given) -> str:
    """The publication that a request pins; empty for the latest. Raises Wrong."""
    pinned = one(given, "publication", language(given))
    if pinned and not re.fullmatch(r"[0-9]{1,9}", pinned):
        raise wrong_value("publication", pinned, (), language(given))
    return pinned


def read(given: Given) -> DataQuestion:
    """The question of a request, about the publication that this thread reads, for the user of this thread. Raises Wrong."""
    lang = language(given)
    given = {name: values for name, values in given.items() if name not in _OF_THE_PAGE}
    _check_names(given, lang)
    if name := one(given, "view", lang):
        given = _saved(name, lang) | {other: values for other, values in given.items() if other != "view"}
    given = {name: [value for value in values if value != NOTHING] for name, values in given.items()}
    names, by = measures_by(given, lang)
    where, circulation = _filters(given, lang), _is_rounded(given, lang)
    calc = one(given, "calc", lang)
    if calc not in ("", *CALCULATIONS):
        raise wrong_value("calc", calc, CALCULATIONS, lang)
    if problems := problems_of(names, by, where):
        raise Wrong(problems[0].sentence(lang))
    view = _view(given, where, lang)
    is_calculated, refused = explore_rows.calculation(view, names, by, calc, view.as_of)
    if calc and not is_calculated:
        raise Wrong(refused[0])
    newer = tuple(resolve.newer_counties_in({"county": given.get("county", ())}).values())
    return DataQuestion(view, names, by, circulation, calc, newer)


def read_exhibit(given: Given, address: str) -> ExhibitQuestion | None:
    """The question for an exhibit, None for an address that names none. Raises Wrong."""
    if (found := register.named(address)) is None:
        return None
    page, make = found
    lang = language(given)
    _check_names(given, lang, (*_OF_AN_EXHIBIT, *(name for kind in inputs_of(make) for name in kind.PARAMETERS)))
    view = _view(given, _filters(given, lang), lang)
    named = page.named(make, given, view.scope)
    view = replace(view, scope=named.scope)
    return ExhibitQuestion(named, view, _is_rounded(given, lang), register.beside(named.name))


def read_page(given: Given, name: str) -> PageQuestion | None:
    """The question for the workbook of a page, None for a page without exhibits. Raises Wrong."""
    if (page := register.pages().get(name)) is None:
        return None
    lang = language(given)
    _check_names(given, lang, (*_OF_AN_EXHIBIT, *page.parameters()))
    view = replace(_view(given, _filters(given, lang), lang), has_period=page.has_period)
    of_inputs = {name: tuple(values) for name, values in given.items() if name not in _OF_AN_EXHIBIT}
    page.check(of_inputs, view.asked)
    return PageQuestion(name, view, _is_rounded(given, lang), tuple(sorted(of_inputs.items())))


def _filters(given: Given, lang: str) -> dict[str, tuple[str, ...]]:
    where = {name: _filtered(name, given[name], lang) for name in FILTERS if given.get(name)}
    _check_counties(where, lang)
    return where


def _is_rounded(given: Given, lang: str) -> bool:
    circulation = one(given, "circulation", lang) or "0"
    if circulation not in ("0", "1"):
        raise wrong_value("circulation", circulation, ("0", "1"), lang)
    return circulation == "1"


def _view(given: Given, where: Mapping[str, tuple[str, ...]], lang: str) -> PageContext:
    latest = page_run.publication().as_of
    days = Days.until(latest)
    name = "as_of" if given.get("as_of") else "on"
    written = one(given, name, lang)
    on = days.read(written) if written else None
    if written and on is None:
        first, last = (day.isoformat() for day in (days.first, days.last))
        raise Wrong(text.word("data.day", lang, name=name, value=short(written), first=first, last=last))
    name = "over" if given.get("over") else "period"
    written = one(given, name, lang)
    period = periods.canonical(written)
    # The sum of a part of the period would be taken for that of all of it.
    if written and not (period and periods.within(period, days.first, days.last) == period):
        raise wrong_value(name, written, periods.PRESETS, lang, f"{days.first}..{days.last}")
    scope = Scope(latest, in_order(where), on if on and on < latest else None, period, lang)
    return PageContext(scope, has_period=True)


def _check_names(given: Given, lang: str, known: Sequence[str] = (*_SEVERAL, *_ONE)) -> None:
    """Raise Wrong for an unknown parameter, and for two that mean the same."""
    for name in given:
        if name not in known:
            raise Wrong(text.word("data.parameter", lang, name=short(name), near=near(name, known, lang)))
    for name, other in (("on", "as_of"), ("period", "over")):
        if given.get(name) and given.get(other):
            raise Wrong(text.word("data.both", lang, name=name, other=other))


def _check_counties(where: Mapping[str, tuple[str, ...]], lang: str) -> None:
    """Raise Wrong for a county outside of the provinces that are named with it: nobody can be in both."""
    provinces, counties = where.get("province"), where.get("county", ())
    if provinces and counties:
        places = warehouse.analyse(detail.provinces_of_counties)
        if outside := next((county for county in counties if places.get(county) not in provinces), ""):
            raise Wrong(text.word("data.outside", lang, county=outside, provinces=text.listed([*provinces], lang)))


def _saved(name: str, lang: str) -> dict[str, Sequence[str]]:
    """The parameters of a saved view of the person; one of somebody else is unknown."""
    views = {saved.name: saved for saved in saved_views.shelf().views}
    if name in views and views[name].page != explore.PAGE:
        raise Wrong(text.word("data.other_page", lang, name=short(name)))
    own = {known: saved for known, saved in views.items() if saved.page == explore.PAGE}
    (found,) = members("view", [name], {known: known for known in own}, lang)
    return explore.DEFAULT | {key: values for key, values in own[found].parameters.items() if key not in _OF_THE_PAGE}


def _filtered(dimension: str, values: Sequence[str], lang: str) -> tuple[str, ...]:
    """The codes that a filter names: what `ask` takes, and the names on screen. Raises Wrong for the first unknown one."""
    codes = warehouse.analyse(resolve.member_codes, dimension, tuple(values))
    written = [code or value for code, value in zip(codes, values, strict=True)]
    # Members of other provinces are unknown to people of some.
    return members(dimension, written, warehouse.names(dimension, lang), lang)
