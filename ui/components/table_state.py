"""The sort column and the page of a table, and where they are stored.

The main table of a page stores them in the address, so that Back and copied links show the same rows; the table below a
chart stores them in the session.
"""

from dataclasses import dataclass

import streamlit as st

from ui.state import page_context, page_parameters
from ui.state.address import ALL


@dataclass(frozen=True)
class TableState:
    """The sort column (`-name` for descending, empty for the given order) and the page from 1; page 0 shows all rows."""

    sort: str = ""
    page: int = 1


def _number(written: str) -> int:
    return 0 if written == ALL else int(written)


def _written(page: int) -> str:
    return str(page) if page else ALL


@dataclass(frozen=True)
class InSession:
    """Kept until the session ends."""

    ident: str

    def read(self) -> TableState:
        return st.session_state.get(f"table {self.ident}", TableState())

    def write(self, state: TableState) -> None:
        st.session_state[f"table {self.ident}"] = state


@dataclass(frozen=True)
class InAddress:
    """Kept in the address parameters `sort` and `page`, for a page with one table."""

    page: str

    def read(self) -> TableState:
        return TableState(page_parameters.one(self.page, "sort"), _number(page_parameters.one(self.page, "page", "1")))

    def write(self, state: TableState) -> None:
        number = _written(state.page) if state.page != 1 else None
        page_parameters.choose(self.page, sort=state.sort or None, page=number)
        page_context.write()


@dataclass(frozen=True)
class AmongLists:
    """Kept in the address parameter `list` as `ident:sort:page`, for a page with several lists."""

    page: str
    ident: str

    def read(self) -> TableState:
        for value in page_parameters.of(self.page).get("list", ()):
            ident, _, state = value.partition(":")
            if ident == self.ident:
                sort, _, number = state.rpartition(":")
                return TableState(sort, _number(number))
        return TableState()

    def write(self, state: TableState) -> None:
        lists = page_parameters.of(self.page).get("list", ())
        other_lists = [value for value in lists if not value.startswith(f"{self.ident}:")]
        this_list = [f"{self.ident}:{state.sort}:{_written(state.page)}"] if state != TableState() else []
        page_parameters.choose(self.page, list=[*other_lists, *this_list])
        page_context.write()


Store = InSession | InAddress | AmongLists
