"""Two sides, each a place and a day: side by side, as a difference, and what made the difference."""

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from etl.core.jalali import DAY, last_complete_months
from etl.semantic.answers import Answer, Metric
from pages.ui.charts import bars, elements
from pages.ui.components import day_field, downloads, notices, tables
from pages.ui.components import figures as ui
from pages.ui.components.footer import context, question
from pages.ui.data import registers, warehouse
from pages.ui.data.registers import Side
from pages.ui.i18n import text
from pages.ui.state import page_context, page_parameters
from pages.ui.state.address import NATION
from pages.ui.state.page_context import PLACES, PageContext

PAGE = "compare"


@dataclass(frozen=True)
class Sides:
    """What is compared: a place and a day twice."""

    places: tuple[str, str]
    days: tuple[date, date]

    def side(self, i: int) -> Side:
        place = self.places[i]
        return Side(self.days[i], () if place == NATION else (("province", (place,)),))

    @property
    def swapped(self) -> "Sides":
        return Sides((self.places[1], self.places[0]), (self.days[1], self.days[0]))


def sides(view: PageContext) -> Sides:
    """The two sides the reader chose; unless chosen, the place of the scope a year before and on the as-of day."""
    here = view.where.get("province", ())
    first = page_parameters.one(PAGE, "p", here[0] if len(here) == 1 else NATION)
    second = page_parameters.one(PAGE, "q", first)
    return Sides((first, second), (_day(view, "a", view.a_year_before()), _day(view, "b", view.as_of)))


def _day(view: PageContext, name: str, default: date) -> date:
    return view.days.read(page_parameters.one(PAGE, name)) or default


def choices(view: PageContext, chosen: Sides) -> None:
    """A place and a day for each side, and a button that exchanges them."""
    provinces = warehouse.names("province", view.lang)
    options = [NATION, *sorted(provinces, key=lambda code: tables.collated(provinces[code]))]
    with st.container(horizontal=True, key="compare-bar", gap="small", vertical_alignment="bottom"):
        for i, (place, day) in enumerate((("p", "a"), ("q", "b"))):
            which = view.word(f"compare.side_{i + 1}")
            key = f"compare {place}"
            st.session_state[key] = chosen.places[i]
            st.selectbox(
                view.word("compare.place", side=which),
                options,
                key=key,
                format_func=lambda code: provinces.get(code, view.word("scope.nation")),
                on_change=_set_place,
                args=(chosen, i, key),
                width=220,
            )
            label = view.word("compare.day", side=which)
            day_field.field(view, f"compare-{day}", label, chosen.days[i], partial(_set_day, chosen, i))
        st.button(view.word("compare.swap"), key="compare-swap", on_click=_keep, args=(chosen.swapped,))
    day_field.trouble("compare-a", "compare-b")


def _set_place(chosen: Sides, i: int, key: str) -> None:
    places = [*chosen.places]
    places[i] = st.session_state[key]
    _keep(replace(chosen, places=(places[0], places[1])))


def _set_day(chosen: Sides, i: int, day: date) -> None:
    days = [*chosen.days]
    days[i] = day
    _keep(replace(chosen, days=(days[0], days[1])))


def _keep(chosen: Sides) -> None:
    """Every part of it: two sides of which one is a default would change under the reader when the scope does."""
    page_parameters.choose(
        PAGE, p=chosen.places[0], q=chosen.places[1], a=chosen.days[0].isoformat(), b=chosen.days[1].isoformat()
    )


def table(view: PageContext, chosen: Sides, *names: str) -> None:
    """Measures down; the two sides and their difference across."""
    with st.container(border=True, key="figure-compare"), notices.error_boundary(view.lang, PAGE):
        where = {name: codes for name, codes in view.where.items() if name not in PLACES}
        known = warehouse.catalogue()
        shown = [name for name in names if set(where) <= known[name].dimensions]
        answer = registers.compare(shown, chosen.side(0), chosen.side(1), where)
        seen = replace(context(view), names={**context(view).names, "side": _titles(view, chosen)})
        metric = answer.metrics[0]
        rows = {row[0]: row for row in answer.rows}
        st.html(
            f'<div class="pd-head"><h3>{text.escape(_finding(view, answer, metric, rows))}</h3>'
            f"<p>{text.escape(page_context.place(view, where) if where else view.word('compare.difference_is'))}</p></div>"
        )
        titles = [seen.member("side", side) for side in ("first", "second", "difference")]
        head = [tables.Column(view.word("compare.measure")), *(tables.Column(title, True) for title in titles)]
        tables.show(head, [_row(view, answer, one, rows) for one in answer.metrics], view.word("compare.caption"))
        left = [known[name].label[view.lang] for name in names if name not in shown]
        if left:
            note = view.word("compare.left_out", measures=text.listed(left, view.lang))
            st.html(f'<p class="pd-note">{text.escape(note)}</p>')
        with st.container(horizontal=True, gap="small", key="footer-compare", vertical_alignment="center"):
            question(view, answer, "compare")
            downloads.downloads(view, answer, seen, "compare")


def _titles(view: PageContext, chosen: Sides) -> dict[str, str]:
    provinces = warehouse.names("province", view.lang)
    named = [provinces.get(place, view.word("scope.nation")) for place in chosen.places]
    days = [text.day(day, view.lang) for day in chosen.days]
    return {
        "first": text.listed([named[0], days[0]], view.lang),
        "second": text.listed([named[1], days[1]], view.lang),
        "difference": view.word("compare.difference"),
    }


def _finding(view: PageContext, answer: Answer, metric: Metric, rows: dict[str, tuple]) -> str:
    at = answer.columns.index(metric.name)
    first, second, change = (rows[side][at] for side in ("first", "second", "difference"))
    if change is None:
        return metric.label[view.lang]
    return view.word(
        "compare.finding",
        measure=metric.short[view.lang],
        first=text.plain(first, metric.unit, view.lang),
        second=text.plain(second, metric.unit, view.lang),
        change=signed(change, metric.unit, view.lang),
    )


def _row(view: PageContext, answer: Answer, metric: Metric, rows: dict[str, tuple]) -> list[str]:
    at = answer.columns.index(metric.name)
    cells = [text.escape(metric.label[view.lang])]
    for side in ("first", "second"):
        cells.append(
            f"{text.escape(text.amount(rows[side][at], metric.unit, view.lang))}{_parts(view, answer, metric, rows[side])}"
        )
    change = rows["difference"][at]
    return [*cells, f"<bdi>{text.escape(signed(change, metric.unit, view.lang))}</bdi>{_good(view, metric, change)}"]


def _parts(view: PageContext, answer: Answer, metric: Metric, row: tuple) -> str:
    said = elements.parts_of(answer, metric, row, context(view))
    return f"<br><small>{text.escape(said)}</small>" if said else ""


def signed(change: Any, unit: str, lang: str) -> str:
    """A difference with its sign; of shares in percentage points."""
    if change is None:
        return "–"
    if unit == "share":
        return text.points(change, lang, signed=True)
    return text.amount(change, unit, lang, signed=True)


def _good(view: PageContext, metric: Metric, change: Any) -> str:
    """Better or worse, in words beside the colour, where the measure has a good direction."""
    shown = text.rounded(change, metric.unit) if change else 0
    if not shown or metric.direction not in ("up", "down"):
        return ""
    better = (change > 0) == (metric.direction == "up")
    word, kind = ("compare.better", "better") if better else ("compare.worse", "worse")
    return f'<br><small class="pd-{kind}">{text.escape(view.word(word))}</small>'


def bridges(view: PageContext, chosen: Sides) -> None:
    """What moved the stock of each side: between the two days, or over the year up to the day where both are one."""
    if any(name not in PLACES for name in view.where):
        notices.notice(view.lang, "compare.no_bridge_title", view.word("compare.no_bridge"), "refused")
        return
    first, last = sorted(chosen.days)
    over = (first + DAY, last) if first < last else last_complete_months(last, 12)
    places = list(dict.fromkeys(chosen.places))
    for place, column in zip(places, st.columns(len(places)), strict=True):
        ident = f"bridge-{place}"
        with (
            column,
            st.container(border=True, key=f"figure-{ident}", height="stretch"),
            notices.error_boundary(view.lang, ident),
        ):
            where = {} if place == NATION else {"province": (place,)}
            answer = registers.bridge(over, where)
            ui.draw(view, bars.bridge, answer, ident)
