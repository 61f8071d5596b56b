"""The context of a page run: language, scope and days, and their synchronisation with the address.

The address holds the user's choices and nothing else, and says what a page shows, but in two cases: after a click in the menu,
which clears it, the session keeps the scope; and what a widget or a chart has chosen wins until the address is written. That is
after the page is drawn: the browser redraws its menu for each new address, and charts should not wait for that.

Every widget gets its value at each run, also if the session already holds it: Streamlit looks a key up under the page drawn
last, so after a change of page the session's value belongs to the widget of the old page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import streamlit as st

from etl.semantic.rights import BELOW_PROVINCE
from ui import streamlit_internals
from ui.data import page_run, warehouse
from ui.data.ask import OF_PUBLICATION
from ui.i18n import member_names, navigation, text
from ui.state import address as parameters
from ui.state import page_parameters, periods, rendering, wording
from ui.state.scope import Days, Scope
from ui.streamlit_internals import DeltaGenerator

_SCOPE, _PAGE, _LANG, _LEFT = "scope", "scope page", "lang", "left out"
# Opens the news, as mail links to them.
NEWS = "news"
_NOTES = "page notes"
_LINE = "scope line"


@dataclass(frozen=True)
class PageContext:
    """What a component needs to know about the user and the page."""

    scope: Scope
    dark: bool = False
    # Whether the page shows flows or trends, to which a period applies.
    has_period: bool = False

    @property
    def lang(self) -> str:
        return self.scope.lang

    @property
    def as_of(self) -> date:
        return self.scope.day

    @property
    def latest(self) -> date:
        return self.scope.latest

    @property
    def asked(self) -> Scope:
        """The scope of the questions of the page: without a period where none applies."""
        return self.scope if self.has_period else self.scope.without_period()

    @property
    def over(self) -> tuple[date, date] | None:
        """The period of flows and trends; None if each figure uses its default."""
        return self.asked.over

    @property
    def where(self) -> Mapping[str, tuple[str, ...]]:
        return self.scope.where

    @property
    def days(self) -> Days:
        """The days that can be chosen."""
        return Days.until(self.latest)

    def complete_months(self, count: int) -> tuple[date, date]:
        return self.scope.complete_months(count)

    def member(self, dimension: str, code: object) -> str:
        # Other names do not depend on the data.
        names = warehouse.names(dimension, self.lang) if dimension in OF_PUBLICATION else None
        return member_names.of(dimension, code, self.lang, names)

    def word(self, key: str, **values: object) -> str:
        return text.word(key, self.lang, **values)

    def escaped(self, key: str, **values: object) -> str:
        """The words of `key`, escaped for HTML."""
        return text.escaped(key, self.lang, **values)


def language() -> str:
    """The user's language: that of the address, else the one used earlier in this session."""
    if _LANG in st.query_params:
        st.session_state[_LANG] = text.language(st.query_params[_LANG])
    return st.session_state.setdefault(_LANG, "fa")


def pinned() -> str:
    """The publication that the address pins for this session; an empty parameter unpins it."""
    if page_run.PINNED in st.query_params:
        st.session_state[page_run.PINNED] = st.query_params[page_run.PINNED]
    return str(st.session_state.get(page_run.PINNED, ""))


def view() -> PageContext:
    """The context of the current run. Raises page_run.Unpublished."""
    return PageContext(_scope(), getattr(st.context.theme, "type", None) == "dark")


def narrow(dimension: str, codes: Iterable[str]) -> None:
    _choose(_scope().with_filter(dimension, codes))


def narrow_to_county(county: str, province: str) -> None:
    """Filter by a county, and by its province if it was chosen; other provinces are dropped."""
    kept = [code for code in _scope().where.get("province", ()) if code == province]
    _choose(_scope().with_filter("province", kept).with_filter("county", (county,)))


def toggle(dimension: str, code: str | None) -> None:
    """Filter by one member, or remove the filter if it is that member already."""
    _choose(_scope().toggled(dimension, code))


def set_day(on: date) -> None:
    _choose(_scope().on_day(on))


def set_period(period: str) -> None:
    _choose(replace(_scope(), period=periods.canonical(period)))


def reset() -> None:
    page_parameters.forget(st.session_state.get(_PAGE, ""))
    _choose(_scope().emptied())


def address() -> dict[str, list[str]]:
    """The address parameters of the open page."""
    part = st.session_state.get(_PAGE) or navigation.menu()[0]["page"]
    _, tab = navigation.part_address(part)
    pairs = ({page_parameters.TAB: [tab]} if tab else {}) | _chosen_address() | page_parameters.of(part)
    pairs |= {page_run.PINNED: [pin]} if (pin := st.session_state.get(page_run.PINNED)) else {}
    return pairs | ({_LANG: ["en"]} if st.session_state.get(_LANG) == "en" else {})


def write() -> None:
    """Write the address, after a page or a fragment that changed its parameters is drawn."""
    if page_parameters.now() != (pairs := address()):
        st.query_params.from_dict(pairs)
    page_parameters.note_written()
    st.session_state.pop(_LEFT, None)


def left_out() -> list[str]:
    """The invalid parameters of the address, as `name=value`, until the address is written again."""
    return list(st.session_state.get(_LEFT, ()))


def leave_page() -> None:
    """End the page run, also after an error: parts not drawn yet are dropped."""
    rendering.discard()
    page_run.end()


def part_of(entry: Mapping[str, Any]) -> str:
    """The part of a page that the address names, else the default one."""
    parts = navigation.parts(entry)
    tab = st.query_params.get(page_parameters.TAB, "")
    return tab if tab in parts else parts[0]


def part() -> str:
    return st.session_state.get(_PAGE, "")


def open_part(part: str) -> None:
    """Open another tab: the address names it, and restores its earlier parameters, before the run begins."""
    st.session_state[_PAGE] = part
    st.query_params.from_dict(address())
    page_parameters.note_written()


def enter_page(page: str) -> None:
    """Begin a page run: the address says the scope, but after a click in the menu and until a choice is written to it."""
    rendering.begin()
    st.session_state[_NOTES] = {}
    came_from = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    address_scope, of_page, rejected = _read(page)
    went_back = streamlit_internals.went_back()
    is_menu = came_from not in (None, page) and not went_back and address_scope.is_empty
    is_chosen = page_parameters.is_chosen() and not went_back
    page_parameters.read(page, of_page, not is_chosen and (not is_menu or bool(of_page)))
    if rejected and not is_chosen:
        st.session_state[_LEFT] = rejected
    if not (is_menu or is_chosen):
        st.session_state[_SCOPE] = address_scope


def is_noted_at(note: str, ident: str) -> bool:
    """Whether a note appears at this part of the page: where several parts have it, at the first."""
    return bool(st.session_state.setdefault(_NOTES, {}).setdefault(note, ident) == ident)


def keep_scope_line(place: DeltaGenerator) -> None:
    """Keep the place below the heading where the scope bar of the page says its scope."""
    st.session_state[_LINE] = place


def scope_line() -> DeltaGenerator:
    return st.session_state[_LINE]


def place(view: PageContext, where: Mapping[str, tuple[str, ...]]) -> str:
    """A place with its other filters, in words."""
    return wording.place(view, where, page_run.access_scope())


def scope_in_words(view: PageContext, page: str = "") -> str:
    """The place and filters of a page, by default the open one. Either side of a comparison is a province or the country."""
    below = BELOW_PROVINCE if (page or part()) == "compare" else ()
    return place(view, {name: codes for name, codes in view.where.items() if name not in below})


def _choose(scope: Scope) -> None:
    st.session_state[_SCOPE] = scope
    page_parameters.note_choice()


def _scope() -> Scope:
    """What is chosen, of the publication of this run and in its language. Raises page_run.Unpublished."""
    latest, kept = page_run.publication().as_of, st.session_state.get(_SCOPE)
    scope = replace(kept, latest=latest, lang=language()) if kept else Scope(latest, lang=language())
    return replace(scope, on=None) if scope.on and scope.on >= latest else scope


def _chosen_address() -> dict[str, list[str]]:
    kept: Scope | None = st.session_state.get(_SCOPE)
    return kept.address() if kept else {}


def _read(page: str) -> tuple[Scope, dict[str, list[str]], list[str]]:
    """The scope of the address, the parameters of the page, and the invalid parameters."""
    from_address, latest = page_parameters.now(), page_run.publication().as_of
    days = Days.until(latest)
    scope = Scope.from_query(from_address, latest, lambda name: warehouse.names(name, "fa"), language())
    written_day, written_period = (from_address.get(name, [""])[-1] for name in ("on", "period"))
    of_page = parameters.valid_parameters(page, from_address, days)
    accepted = {
        **scope.where,
        **of_page,
        "on": [written_day] if days.read(written_day) else [],
        "period": [written_period] if scope.period and scope.period == periods.canonical(written_period) else [],
        _LANG: list(text.LANGUAGES),
        page_run.PINNED: from_address.get(page_run.PINNED, []),
        NEWS: from_address.get(NEWS, []),
        # The name of the open part, although the address of a default tab goes without it.
        page_parameters.TAB: [page],
    }
    return scope, of_page, parameters.left_out(from_address, accepted)
