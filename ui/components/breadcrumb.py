"""The breadcrumb: nation › province › county › institute. Upper levels are buttons; one goes down by a click, or by Find."""

import streamlit as st

from etl.analysis import detail
from etl.warehouse.dimensions import PLACES
from ui.data import warehouse
from ui.i18n import text
from ui.state import page_context
from ui.state.page_context import PageContext


def path(view: PageContext) -> dict[str, str]:
    """The selected places from the widest down; a level counts only if exactly one of its places is selected."""
    where = view.where
    single = {name: where[name][0] for name in PLACES if len(where.get(name, ())) == 1}
    places = {"province": single.get("province")}
    if institute := warehouse.analyse(detail.institutes).get(single.get("institute", "")):
        places = {"province": institute.province, "county": institute.county, "institute": institute.code}
    elif "county" in single:
        places = {
            "province": warehouse.analyse(detail.provinces_of_counties).get(single["county"]),
            "county": single["county"],
        }
    return {name: code for name, code in places.items() if code}


def show(view: PageContext) -> None:
    """Render the path as buttons, and its last place as text."""
    places = path(view)
    if not places:
        return
    with st.container(horizontal=True, key="breadcrumb", gap="small", vertical_alignment="center"):
        steps = [("", ""), *places.items()]
        for place, (dimension, code) in enumerate(steps):
            name = view.word("scope.nation") if not dimension else view.member(dimension, code)
            if place == len(steps) - 1:
                st.html(f'<p class="pd-here" aria-current="location">{text.escape(name)}</p>', width="content")
            else:
                st.button(
                    name, key=f"crumb-{dimension or 'nation'}", type="tertiary", on_click=go, args=(dimension, code)
                )
                st.html('<p class="pd-step" aria-hidden="true">›</p>', width="content")


def go(dimension: str, code: str) -> None:
    """Select one place, or the nation; the province of a county is selected too."""
    province = warehouse.analyse(detail.provinces_of_counties).get(code) if dimension == "county" else None
    page_context.narrow("province", (province,) if province else ())
    if dimension:
        page_context.narrow(dimension, (code,))
