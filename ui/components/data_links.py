"""The address at which a file of what the page shows is: that of an exhibit by its name, else that of a question of Explore.

`/data/training/by_place.csv?province=IR-23` is the ranking of Training. Nothing is asked to find it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st
from streamlit import config

from etl.semantic import exportable
from ui.data import page_run
from ui.exhibits.explore import Asked
from ui.exhibits.named import Made
from ui.exports.file_content import Exportable
from ui.state import periods
from ui.state.scope import Scope

# The longest address, in letters: nginx takes a line of 8 KiB.
LONGEST = 7000


def folder() -> str:
    """The path of the data address."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"{f'/{base}' if base else ''}/data/"


def address_of(source: Exportable, made: Made | None, scope: Scope, asked: Asked | None = None) -> str:
    """The address below the folder, for any `form`; empty for rows about persons."""
    if made:
        return made.named.address("{form}")
    if asked is None:
        return ""
    answer = exportable.of(source).answer
    if answer.on and answer.on != scope.day:
        # Explore shows the day on which every measure is settled; the address gives the day and the period that it says.
        over = periods.written(*answer.over) if answer.over else scope.period
        scope = replace(scope.on_day(answer.on), period=over)
    said = asked.query() | scope.query()
    return with_query("answer.{form}", said)


def with_query(address: str, said: Mapping[str, Iterable[str]]) -> str:
    pairs = [(name, value) for name, values in said.items() for value in values]
    return f"{address}?{urlencode(pairs)}" if pairs else address


def of_file(address: str, circulation: bool) -> str:
    """The address of a file, pinned to the publication of the page, for any `form`; empty if it has none."""
    more = {page_run.PINNED: page_run.publication().id} | ({"circulation": "1"} if circulation else {})
    found = folder() + with_more(address, more) if address else ""
    return found if len(found) <= LONGEST else ""


def of_program(address: str) -> str:
    """The path below the folder, for any `form`, that goes on to give the latest numbers; empty without one."""
    pinned = st.session_state.get(page_run.PINNED)
    return with_more(address, {page_run.PINNED: pinned}) if address and pinned else address


def with_more(address: str, more: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(more)}"
