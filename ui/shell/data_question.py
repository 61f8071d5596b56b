"""The question in a request of the data address: the parameters of Explore's address, or a saved view of the person.

A wrong parameter or value is refused with one sentence, which names the nearest right one.
"""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial

from etl.analysis import detail
from etl.core.text_folding import fold
from etl.semantic import resolve
from etl.semantic.calculations import CALCULATIONS
from etl.semantic.catalog import DIMENSIONS, catalogue
from etl.warehouse.dimensions import FILTERS
from ui.data import page_run, warehouse
from ui.exhibits import explore as charts
from ui.exhibits import register
from ui.exhibits.exhibit import Make
from ui.exhibits.explore import Charted
from ui.exhibits.lists import Within
from ui.i18n import text
from ui.sections import explore, explore_rows
from ui.state import periods, saved_views
from ui.state.address import DAYS_LEFT, MOST_DIMENSIONS, MOST_MEASURES, NOTHING
from ui.state.page_context import PageContext
from ui.state.page_parameters import TAB
from ui.state.scope import Days, Scope, in_order

_SEVERAL = ("m", "by", *FILTERS)
_ONE = ("on", "as_of", "period", "over", "view", "lang", "publication", "circulation", "calc")
_OF_AN_EXHIBIT = ("on", "as_of", "period", "over", "lang", "publication", "circulation")
# What an address says of an input, by the name of that.
_OF_AN_INPUT = {"charted": ("m", "by", "chart"), "within": ("days",)}
# Of Explore's address, and without effect here.
_OF_THE_PAGE = ("chart", "show", "sort", "page", TAB)
_TOKEN_NAMES = re.compile(r"(?i)(access_?)?token|password|secret|(api_?)?key|bearer|authorization|auth")
# As secrets.token_urlsafe(32) writes it.
_TOKEN = re.compile(r"[\w-]{43}")
# Of more members the nearest is not looked for.
_MOST_COMPARED = 1000

Given = Mapping[str, Sequence[str]]


class Wrong(ValueError):
    """A question that is refused; its text is a sentence in the language of the request."""


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
    """A checked question for an exhibit of a page: its address, the function that makes it, the view, and if it is rounded.

    `beside`: what, besides publication and scope, decides what it shows.
    """

    address: str
    make: Make = field(repr=False)
    view: PageContext
    circulation: bool
    beside: Hashable = None


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
    pinned = _one(given, "publication", language(given))
    if pinned and not re.fullmatch(r"[0-9]{1,9}", pinned):
        raise _wrong_value("publication", pinned, (), language(given))
    return pinned


def read(given: Given) -> DataQuestion:
    """The question of a request, about the publication that this thread reads, for the user of this thread. Raises Wrong."""
    lang = language(given)
    given = {name: values for name, values in given.items() if name not in _OF_THE_PAGE}
    _check_names(given, lang)
    if name := _one(given, "view", lang):
        given = _saved(name, lang) | {other: values for other, values in given.items() if other != "view"}
    given = {name: [value for value in values if value != NOTHING] for name, values in given.items()}
    names, by = _measures_by(given, lang)
    where, circulation = _filters(given, lang), _is_rounded(given, lang)
    calc = _one(given, "calc", lang)
    if calc not in ("", *CALCULATIONS):
        raise _wrong_value("calc", calc, CALCULATIONS, lang)
    if problems := explore.problems_of(names, by, where):
        raise Wrong(problems[0].sentence(lang))
    view = _view(given, where, lang)
    is_calculated, refused = explore_rows.calculation(view, names, by, calc, view.as_of)
    if calc and not is_calculated:
        raise Wrong(refused[0])
    newer = tuple(resolve.newer_counties_in({"county": given.get("county", ())}).values())
    return DataQuestion(view, names, by, circulation, calc, newer)


def read_exhibit(given: Given, address: str) -> ExhibitQuestion | None:
    """The question for an exhibit, None for an address that names none. Raises Wrong."""
    lang, make, chosen = language(given), register.named(address), register.chosen(address)
    if make is None:
        return None
    _check_names(given, lang, (*FILTERS, *_OF_AN_EXHIBIT, *_OF_AN_INPUT.get(chosen, ())))
    where, beside = _filters(given, lang), register.beside(address)
    if chosen:
        beside = _charted(given, where, lang) if chosen == "charted" else _within(given, lang)
        make = partial(make, **{chosen: beside})
    view = _view(given, where, lang)
    view = replace(view, scope=register.scope_of(address, view.scope))
    return ExhibitQuestion(address, make, view, _is_rounded(given, lang), beside)


def read_page(given: Given, page: str) -> tuple[ExhibitQuestion, ...]:
    """The questions for what a page shows, each with its input as the page begins; none for what is no page. Raises Wrong."""
    asked = (read_exhibit(given, address) for address in register.of_page(page))
    return tuple(filter(None, asked))


def _charted(given: Given, where: dict[str, tuple[str, ...]], lang: str) -> Charted:
    """The chart that an address of Explore names: a question, and the form, by default the first that suits it."""
    names, by = _measures_by(
        {name: list(values) for name, values in (charts.DEFAULT.query() | {**given}).items()}, lang
    )
    if problems := explore.problems_of(names, by, where):
        raise Wrong(problems[0].sentence(lang))
    forms = charts.forms(names, by, where)
    if not forms:
        raise Wrong(text.word("data.no_picture", lang))
    form = _one(given, "chart", lang) or forms[0]
    if form not in forms:
        raise _wrong_value("chart", form, forms, lang)
    return Charted(names, by, form)


def _within(given: Given, lang: str) -> Within:
    """The days within which a list ends that an address names, by default all of it."""
    days = _one(given, "days", lang) or DAYS_LEFT[-1]
    if days not in DAYS_LEFT:
        raise _wrong_value("days", days, DAYS_LEFT, lang)
    return Within(int(days))


def _measures_by(given: Given, lang: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The measures and dimensions of a request. Raises Wrong."""
    known = catalogue()
    visible = {measure: metric.label[lang] for measure, metric in known.items() if not metric.hidden}
    names = _members("m", given.get("m", ()), visible, lang)
    by = _members("by", given.get("by", ()), {name: text.word(f"dimension.{name}", lang) for name in DIMENSIONS}, lang)
    for parameter, chosen, most in (("m", names, MOST_MEASURES), ("by", by, MOST_DIMENSIONS)):
        if len(chosen) > most:
            raise Wrong(text.word("data.many", lang, name=parameter, count=text.number(most, lang)))
    return names, by


def _filters(given: Given, lang: str) -> dict[str, tuple[str, ...]]:
    where = {name: _filtered(name, given[name], lang) for name in FILTERS if given.get(name)}
    _check_counties(where, lang)
    return where


def _is_rounded(given: Given, lang: str) -> bool:
    circulation = _one(given, "circulation", lang) or "0"
    if circulation not in ("0", "1"):
        raise _wrong_value("circulation", circulation, ("0", "1"), lang)
    return circulation == "1"


def _view(given: Given, where: Mapping[str, tuple[str, ...]], lang: str) -> PageContext:
    latest = page_run.publication().as_of
    days = Days.until(latest)
    name = "as_of" if given.get("as_of") else "on"
    written = _one(given, name, lang)
    on = days.read(written) if written else None
    if written and on is None:
        first, last = (day.isoformat() for day in (days.first, days.last))
        raise Wrong(text.word("data.day", lang, name=name, value=_short(written), first=first, last=last))
    name = "over" if given.get("over") else "period"
    written = _one(given, name, lang)
    period = periods.canonical(written)
    # The sum of a part of the period would be taken for that of all of it.
    if written and not (period and periods.within(period, days.first, days.last) == period):
        raise _wrong_value(name, written, periods.PRESETS, lang, f"{days.first}..{days.last}")
    scope = Scope(latest, in_order(where), on if on and on < latest else None, period, lang)
    return PageContext(scope, has_period=True)


def _check_names(given: Given, lang: str, known: Sequence[str] = (*_SEVERAL, *_ONE)) -> None:
    """Raise Wrong for an unknown parameter, and for two that mean the same."""
    for name in given:
        if name not in known:
            near = _near(name, known, lang)
            raise Wrong(text.word("data.parameter", lang, name=_short(name), near=near))
    for one, other in (("on", "as_of"), ("period", "over")):
        if given.get(one) and given.get(other):
            raise Wrong(text.word("data.both", lang, name=one, other=other))


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
        raise Wrong(text.word("data.other_page", lang, name=_short(name)))
    own = {known: saved for known, saved in views.items() if saved.page == explore.PAGE}
    (found,) = _members("view", [name], {known: known for known in own}, lang)
    return explore.DEFAULT | {key: values for key, values in own[found].parameters.items() if key not in _OF_THE_PAGE}


def _one(given: Given, name: str, lang: str) -> str:
    values = given.get(name, ())
    if len(values) > 1:
        raise Wrong(text.word("data.many", lang, name=name, count=text.number(1, lang)))
    return values[0].strip() if values else ""


def _filtered(dimension: str, values: Sequence[str], lang: str) -> tuple[str, ...]:
    """The codes that a filter names: what `ask` takes, and the names on screen. Raises Wrong for the first unknown one."""
    codes = warehouse.analyse(resolve.member_codes, dimension, tuple(values))
    written = [code or value for code, value in zip(codes, values, strict=True)]
    # Members of other provinces are unknown to people of some.
    return _members(dimension, written, warehouse.names(dimension, lang), lang)


def _members(parameter: str, values: Iterable[str], names: Mapping[str, str], lang: str) -> tuple[str, ...]:
    """The codes that values name, by code or by name. Raises Wrong for the first unknown one."""
    codes: dict[str, None] = {}
    by_name: dict[str, str] = {}
    for value in values:
        if value not in names:
            by_name = by_name or {fold(label): code for code, label in names.items()}
            if fold(value) not in by_name:
                raise _wrong_value(parameter, value, names if len(names) <= _MOST_COMPARED else (), lang, named=by_name)
            value = by_name[fold(value)]
        codes[value] = None
    return tuple(codes)


def _wrong_value(
    parameter: str, value: str, known: Iterable[str], lang: str, other: str = "", named: Mapping[str, str] | None = None
) -> Wrong:
    known = list(known)
    near = _near(value, known, lang)
    if not near and known and named:
        close = get_close_matches(fold(value[:60]), list(named), 1)
        near = text.word("data.near", lang, near=named[close[0]]) if close else ""
    if not near and known and len(known) <= 10:
        near = text.word("data.near", lang, near=text.listed([*known, *filter(None, [other])], lang))
    key = "data.value" if value.strip() else "data.empty"
    return Wrong(text.word(key, lang, name=parameter, value=_short(value), near=near))


def _near(word: str, known: Iterable[str], lang: str) -> str:
    close = get_close_matches(word[:60], list(known), 1)
    return text.word("data.near", lang, near=close[0]) if close else ""


def _short(value: str) -> str:
    return " ".join(value.split())[:60]
