"""What one page asks besides the scope: its measures, its days, how its rows are sorted. In the address, as the scope is.

What each page understands is in `parameters`, so that nothing else stays in an address. The session holds what was chosen
last, page by page: who comes back from another page finds it again.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import streamlit as st

from pages.ui.i18n import text
from pages.ui.state.address import NAMES

# The parameter that names the open tab of a page.
TAB = "tab"
_KEPT, _NOTED = "own parameters", "address noted"
_MOST_LETTERS = 200


def of(page: str) -> dict[str, list[str]]:
    """What the reader chose on `page`; a default is not there."""
    return dict(st.session_state.setdefault(_KEPT, {}).get(page, {}))


def one(page: str, name: str, default: str = "") -> str:
    """A parameter that has one value."""
    return next(iter(of(page).get(name, ())), default)


def choose(page: str, /, **values: str | Iterable[str] | None) -> None:
    """Set parameters of `page`; None or nothing takes one away. The address follows at the next run of the page."""
    chosen = of(page)
    for name, chosen_value in values.items():
        listed = [chosen_value] if isinstance(chosen_value, str) else list(chosen_value or ())
        chosen[name] = [value for value in listed if value]
    _keep(page, chosen)
    noted()


def forget(page: str) -> None:
    """Everything on `page` is as if it were met for the first time."""
    _keep(page, {})


def read(page: str, from_address: Mapping[str, Iterable[str]], wins: bool) -> None:
    """Take what the address says of `page`, where it `wins` over what the session holds or the session holds nothing."""
    by_page = st.session_state.setdefault(_KEPT, {})
    if wins or page not in by_page:
        _keep(page, from_address)


def now() -> dict[str, list[str]]:
    """What the address says now."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def noted() -> None:
    """What the address says now is taken note of: what a reader chose since counts for more, until it says another."""
    st.session_state[_NOTED] = now()


def is_new() -> bool:
    """Whether the address says what nobody took note of."""
    return now() != st.session_state.get(_NOTED)


def _keep(page: str, values: Mapping[str, Iterable[str]]) -> None:
    known = {name: [value[:_MOST_LETTERS] for value in values.get(name, ())] for name in NAMES.get(page, ())}
    st.session_state.setdefault(_KEPT, {})[page] = {name: listed for name, listed in known.items() if listed}


def profile(province: str, lang: str, scope: Mapping[str, Iterable[str]]) -> str:
    """The address of the profile of a province, on the day and over the period of `scope`."""
    day_and_period = {name: values for name, values in scope.items() if name in ("on", "period")}
    return address("province", lang, {"province": [province]} | day_and_period)


def address(part: str, lang: str, parameters: Mapping[str, Iterable[str]]) -> str:
    """The address of a page, or of a part of one, with these parameters; relative to what is open, not yet safe for HTML."""
    page, tab = text.part_address(part)
    pairs = [(TAB, tab)] if tab else []
    pairs += [(name, value) for name, values in parameters.items() for value in values]
    if lang == "en":
        pairs.append(("lang", "en"))
    # The first page has no name of its own in an address.
    path = "./" if page == text.menu()[0]["page"] else page
    return f"{path}?{urlencode(pairs)}" if pairs else path
