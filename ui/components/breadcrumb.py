"""The breadcrumb: nation › province › county › institute, with navigation one level up or down.

Upper levels are buttons, the level below is a list with counts; everything works by keyboard.
"""

from collections.abc import Mapping

import streamlit as st

from etl.analysis import detail
from ui.components import tables
from ui.data import page_run, warehouse
from ui.i18n import text
from ui.state import page_context
from ui.state.page_context import PLACES, PageContext


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
    """Render the path as buttons, its last place as text, and the list of places below; the filter bar chooses a province."""
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
        _below(view, places)


def go(dimension: str, code: str) -> None:
    """Select one place, or the nation; the province of a county is selected too."""
    province = warehouse.analyse(detail.provinces_of_counties).get(code) if dimension == "county" else None
    page_context.narrow("province", (province,) if province else ())
    if dimension:
        page_context.narrow(dimension, (code,))


def _below(view: PageContext, places: Mapping[str, str]) -> None:
    if "institute" in places:
        return
    child = PLACES[len(places)]
    counts = _counts(view, child, places)
    if not counts:
        return
    names = {code: view.member(child, code) for code in counts}
    options = sorted(counts, key=lambda code: tables.collated(names[code]))
    key = f"crumb below {child}"

    def down() -> None:
        if chosen := st.session_state.get(key):
            st.session_state[key] = None
            go(child, chosen)

    st.selectbox(
        view.word(f"scope.{child}"),
        options,
        index=None,
        key=key,
        format_func=lambda code: view.word(
            "scope.counted", name=text.isolated(names[code], view.lang), count=text.number(counts[code], view.lang)
        ),
        placeholder=view.word(f"more.down_{child}"),
        label_visibility="collapsed",
        on_change=down,
        width=280,
    )


def _counts(view: PageContext, child: str, places: Mapping[str, str]) -> dict[str, int]:
    """People in service by place below; institutes come from the register, so they may have none."""
    if child == "institute":
        below = [
            institute.code
            for institute in warehouse.analyse(detail.institutes).values()
            if institute.county == places.get("county") and institute.province == places.get("province")
        ]
        if not below:
            return {}
        answer = warehouse.ask("in_service", by="institute", on=view.as_of, where={"institute": below})
        return dict.fromkeys(below, 0) | dict(answer.rows)
    where = {"province": (places["province"],)} if "province" in places else {}
    if not page_run.access_scope().codes.issuperset(where.get("province", ())):
        return {}
    answer = warehouse.ask("in_service", by=child, on=view.as_of, where=where)
    return {code: count for code, count in answer.rows if code and count}
