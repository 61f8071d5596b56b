"""How a table stands: by which column it is sorted and which of its pages is shown, and where that is kept.

A table that a page is about keeps it in the address, so that Back and a copied link show the same rows; the table behind a
chart keeps it in the session.
"""

from dataclasses import dataclass
from typing import Protocol

import streamlit as st

from pages.ui.state import page_context, page_parameters
from pages.ui.state.address import ALL


@dataclass(frozen=True)
class Standing:
    """The column (`-name` downwards, empty: the order in which the rows came) and the page, the first being 1, 0 all of them."""

    sort: str = ""
    page: int = 1


def _number(written: str) -> int:
    return 0 if written == ALL else int(written)


def _written(page: int) -> str:
    return str(page) if page else ALL


class Store(Protocol):
    """Where the standing of one table is kept."""

    def read(self) -> Standing: ...

    def write(self, standing: Standing) -> None: ...


@dataclass(frozen=True)
class InSession:
    """Kept until the session ends."""

    ident: str

    def read(self) -> Standing:
        return st.session_state.get(f"table {self.ident}", Standing())

    def write(self, standing: Standing) -> None:
        st.session_state[f"table {self.ident}"] = standing


@dataclass(frozen=True)
class InAddress:
    """Kept in `sort` and `page` of the page's address, for a page with one table."""

    page: str

    def read(self) -> Standing:
        return Standing(page_parameters.one(self.page, "sort"), _number(page_parameters.one(self.page, "page", "1")))

    def write(self, standing: Standing) -> None:
        number = _written(standing.page) if standing.page != 1 else None
        page_parameters.choose(self.page, sort=standing.sort or None, page=number)
        page_context.write()


@dataclass(frozen=True)
class AmongLists:
    """Kept in the address of a page with several lists, in a value `ident:sort:page` of its parameter `list`."""

    page: str
    ident: str

    def read(self) -> Standing:
        for value in page_parameters.of(self.page).get("list", ()):
            ident, _, state = value.partition(":")
            if ident == self.ident:
                sort, _, number = state.rpartition(":")
                return Standing(sort, _number(number))
        return Standing()

    def write(self, standing: Standing) -> None:
        other_lists = [
            value for value in page_parameters.of(self.page).get("list", ()) if not value.startswith(f"{self.ident}:")
        ]
        this_list = [f"{self.ident}:{standing.sort}:{_written(standing.page)}"] if standing != Standing() else []
        page_parameters.choose(self.page, list=[*other_lists, *this_list])
        page_context.write()
