"""The parameters of one page besides the scope (measures, days, sort order), kept in the address.

`address` lists the valid parameters of each page. The session remembers the last ones of each page, for users who come back.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import streamlit as st

from etl.semantic.rights import BELOW_PROVINCE
from ui.data import page_run
from ui.i18n import navigation
from ui.state.address import MOST_LETTERS, NAMES

# The parameter that names the open tab of a page.
TAB = "tab"
_KEPT, _CHOSEN = "own parameters", "chosen"


def of(page: str) -> dict[str, list[str]]:
    """The user's choices on `page`, without defaults."""
    return dict(st.session_state.setdefault(_KEPT, {}).get(page, {}))


def one(page: str, name: str, default: str = "") -> str:
    return next(iter(of(page).get(name, ())), default)


def choose(page: str, /, **values: str | Iterable[str] | None) -> None:
    """Set parameters of `page`; None or empty removes one. The address is written at the end of the next run."""
    chosen = of(page)
    for name, chosen_value in values.items():
        listed = [chosen_value] if isinstance(chosen_value, str) else list(chosen_value or ())
        chosen[name] = [value for value in listed if value]
    _keep(page, chosen)
    note_choice()


def forget(page: str) -> None:
    _keep(page, {})


def read(page: str, from_address: Mapping[str, Iterable[str]], wins: bool) -> None:
    """Take the parameters of `page` from the address if it `wins` over the session, or the session has none."""
    if wins or page not in st.session_state.setdefault(_KEPT, {}):
        _keep(page, from_address)


def now() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def note_choice() -> None:
    """Something was chosen: it wins over the address until that is written."""
    st.session_state[_CHOSEN] = True


def is_chosen() -> bool:
    return _CHOSEN in st.session_state


def note_written() -> None:
    st.session_state.pop(_CHOSEN, None)


def _keep(page: str, values: Mapping[str, Iterable[str]]) -> None:
    chosen = {name: [value[:MOST_LETTERS] for value in values.get(name, ())] for name in NAMES.get(page, ())}
    st.session_state.setdefault(_KEPT, {})[page] = {name: values_of for name, values_of in chosen.items() if values_of}


def profile(province: str, lang: str, scope: Mapping[str, Iterable[str]]) -> str:
    """The address of the first screen of a province, under the filters of `scope` that are no places."""
    others = {name: values for name, values in scope.items() if name not in BELOW_PROVINCE | {"province"}}
    return address(navigation.menu()[0]["page"], lang, {"province": [province]} | others)


def address(part: str, lang: str, parameters: Mapping[str, Iterable[str]]) -> str:
    """The address of a page or part with these parameters, relative to the open page and not escaped for HTML.

    It pins the publication that is pinned now, unless they say otherwise.
    """
    part, current = navigation.current(part, parameters)
    page, tab = navigation.part_address(part)
    pairs = [(TAB, tab)] if tab else []
    pairs += [(name, value) for name, values in current.items() for value in values]
    if (pin := page_run.pinned()) and page_run.PINNED not in current:
        pairs.append((page_run.PINNED, pin))
    if lang == "en":
        pairs.append(("lang", "en"))
    # The first page is served at the root.
    path = "./" if page == navigation.menu()[0]["page"] else page
    return f"{path}?{urlencode(pairs)}" if pairs else path
