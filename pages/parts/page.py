"""What every page starts with: the reader, the language, the scope, and what the numbers rest on.

The address is where a view is kept: what the reader chose and nothing else. The session holds the same while pages change;
an address that differs from what was last written came from outside (a link, the back button) and wins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import streamlit as st

from etl.days import DAY, add_months, last_complete_months
from pages.parts import text, warehouse

# The filters a view may hold, in the order in which they are said and offered.
FILTERS = ("province", "county", "institute", "activity", "gender", "education", "post", "course")
__all__ = ["DAY", "FILTERS", "Scope", "View", "add_months", "last_complete_months"]
# How far back a day can be chosen.
_YEARS = 25
_SCOPE, _WRITTEN, _PAGE = "scope", "scope written", "scope page"


@dataclass(frozen=True)
class Scope:
    """What the reader chose: members by dimension, and the as-of day (None: the latest)."""

    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on: date | None = None

    def with_filter(self, dimension: str, codes: Iterable[str]) -> "Scope":
        where = {**self.where, dimension: tuple(codes)}
        return replace(self, where={name: where[name] for name in FILTERS if where.get(name)})

    def address(self) -> dict[str, list[str]]:
        """The parameters of the address; defaults leave it empty."""
        pairs = {name: list(codes) for name, codes in self.where.items() if codes}
        if self.on:
            pairs["on"] = [self.on.isoformat()]
        return pairs


@dataclass(frozen=True)
class View:
    """All a component needs to know of the reader and of what is looked at."""

    lang: str
    dark: bool
    scope: Scope
    as_of: date
    latest: date
    first_of_data: date
    reader: frozenset[str] | None = None

    @property
    def where(self) -> Mapping[str, tuple[str, ...]]:
        return self.scope.where

    def months(self, count: int) -> tuple[date, date]:
        """The `count` latest complete Jalali months before the as-of day, and the days since."""
        first, _ = last_complete_months(self.as_of, count)
        return first, self.as_of

    def complete_months(self, count: int) -> tuple[date, date]:
        """The `count` latest Jalali months that are over on the as-of day."""
        return last_complete_months(self.as_of, count)

    def day_ago(self, months: int) -> date:
        return add_months(self.as_of, -months)

    def word(self, key: str, **values: object) -> str:
        return text.word(key, self.lang, **values)


def language() -> str:
    """The language of the reader: what the address says, else what was said before in this session."""
    if "lang" in st.query_params:
        st.session_state["lang"] = text.language(st.query_params["lang"])
    return st.session_state.setdefault("lang", "fa")


def view() -> View:
    """The reader's view now. Raises warehouse.Unpublished."""
    published = warehouse.published()
    scope = _scope()
    latest = published.as_of
    on = scope.on if scope.on and scope.on <= published.built_on else None
    return View(
        lang=language(),
        dark=getattr(st.context.theme, "type", None) == "dark",
        scope=scope if on == scope.on else replace(scope, on=on),
        as_of=on or latest,
        latest=latest,
        first_of_data=add_months(latest, -12 * _YEARS),
    )


def choose(scope: Scope) -> None:
    """Make `scope` the reader's, in the session and in the address."""
    st.session_state[_SCOPE] = scope
    _write(scope)


def narrow(dimension: str, codes: Iterable[str]) -> None:
    """Set one filter. Members of a place that is no longer in the scope fall with it."""
    scope = _scope().with_filter(dimension, codes)
    if dimension == "province":
        scope = scope.with_filter("county", ()).with_filter("institute", ())
    if dimension == "county":
        scope = scope.with_filter("institute", ())
    choose(scope)


def turn(dimension: str, code: str | None) -> None:
    """Narrow to one member, or widen again where it is the one chosen."""
    now = _scope().where.get(dimension, ())
    narrow(dimension, () if code is None or now == (code,) else (code,))


def set_day(on: date | None) -> None:
    choose(replace(_scope(), on=on))


def reset() -> None:
    choose(Scope())


def entered(page: str) -> None:
    """Say which page is open. On the way from another page the session's scope is kept and written into the address."""
    kept = st.session_state.get(_SCOPE)
    came_from = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    asked = _read()
    if kept is None or (came_from == page and _now() != st.session_state.get(_WRITTEN)):
        st.session_state[_SCOPE] = asked
    elif came_from != page and asked != Scope():
        st.session_state[_SCOPE] = asked
    _write(st.session_state[_SCOPE])


def said(view: View) -> str:
    """What is on, in words."""
    return place(view, view.where)


def _scope() -> Scope:
    return st.session_state.get(_SCOPE) or Scope()


def _now() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _read() -> Scope:
    """The scope that the address asks for. What no one could have chosen is left out."""
    where: dict[str, tuple[str, ...]] = {}
    for name in FILTERS:
        known = warehouse.names(name, "fa")
        asked = dict.fromkeys(st.query_params.get_all(name))
        codes = tuple(code for code in asked if code in known)
        if codes:
            where[name] = codes
    on = None
    if "on" in st.query_params:
        try:
            on = text.read_day(st.query_params["on"])
        except ValueError:
            on = None
    return Scope(where, on)


def _write(scope: Scope) -> None:
    pairs: dict[str, Any] = scope.address()
    if st.session_state.get("lang") == "en":
        pairs["lang"] = ["en"]
    if _now() != pairs:
        st.query_params.from_dict(pairs)
    st.session_state[_WRITTEN] = pairs


def place(view: View, where: Mapping[str, tuple[str, ...]]) -> str:
    """The place an answer speaks of, in words, with the filters that narrow it."""
    parts = []
    for name, codes in where.items():
        names = warehouse.names(name, view.lang)
        parts.append(
            text.shortened([text.member(name, code, view.lang, names) for code in codes], view.lang)
        )
    if not {"province", "county", "institute"} & set(where):
        parts.insert(0, view.word("scope.nation"))
    return text.listed(parts, view.lang)


def count(files: Any) -> int:
    """How many files a publication rests on, whether it counts or names them."""
    return files if isinstance(files, int) else len(files)
