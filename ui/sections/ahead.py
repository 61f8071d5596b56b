"""What comes next, of each topic: endings, institutes that fall below the goal, the queue, the seat plan, places of recruits."""

from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

import streamlit as st

from etl.analysis.coverage import RULES
from ui.components import downloads, tables
from ui.components import figures as ui
from ui.components.blocks import controlled
from ui.components.footer import context
from ui.data import warehouse
from ui.exhibits import growth, training
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.named import as_chosen
from ui.exports import about, workbook
from ui.exports.job import FORMS, noted
from ui.i18n import text
from ui.state import given, page_context, page_parameters
from ui.state.page_context import PageContext
from ui.state.questions import without_places

_PAGE = "growth"


def order(view: PageContext) -> None:
    """The seats to order, and the order of each province as a workbook."""
    ui.exhibit(view, training.seat_order, more=partial(_order_form, view))


def _order_form(view: PageContext, exhibit: Exhibit) -> None:
    """The order of seats of each province as a workbook."""
    if (answer := exhibit.answer) is None or not answer.rows:
        return
    named, place, label = context(view), page_context.place(view, answer.where), view.word("ahead.order_form")
    write = partial(workbook.write_order_form, answer=answer, context=named, place=place)
    name = f"{view.word('ahead.order')}_{about.file_name(answer, named, place, 'xlsx')}"
    with st.container(key="footer-order-form"):
        if downloads.may_export(view, answer):
            details = noted(answer, "xlsx", len(answer.rows))
            downloads.offered(view, "form-seat-order", label, name, FORMS["xlsx"], write, details)


def recruits(view: PageContext) -> None:
    """Where a number of recruits would go by three rules: as many as joined, unless a number is typed."""
    entered = as_chosen(growth.Recruits, page_parameters.of(_PAGE), view.asked)
    # They are shared out among all provinces.
    everywhere = replace(view, scope=view.scope.of(without_places(view.where)))
    ui.table(view, growth.recruits, partial(_recruits, everywhere, page_parameters.one(_PAGE, "n"), entered.count))


def _recruits(view: PageContext, written: str, count: int | None, exhibit: Exhibit) -> None:
    shown = growth.joined(view.asked, warehouse.of_page()) if count is None else count
    _enter_recruits(view, text.number(shown, view.lang) if count != 0 else text.digits(written, view.lang))
    if (answer := exhibit.answer) is None:
        return
    named = exhibit.context()
    provinces: dict[str, dict[str, Any]] = {}
    for row in answer.records():
        provinces.setdefault(row["province"], {"province": row["province"]})[row["rule"]] = row["recruits"]

    def column(rule: str, gini: float | None) -> tables.Column:
        unequal = text.plain(gini, "ratio", view.lang)
        return tables.Column(
            rule,
            view.word("ahead.rule", rule=named.member("rule", rule), gini=unequal),
            lambda row: text.escape(text.number(row[rule], view.lang)),
            lambda row: row[rule],
            is_number=True,
            has_bar=True,
        )

    def name(row: dict[str, Any]) -> str:
        return named.member("province", row["province"])

    place = tables.member_column(view, "province", itemgetter("province"), name)
    after = growth.gini_after(answer)
    columns, rows = [place, *(column(rule, after[rule]) for rule in RULES)], list(provinces.values())
    tables.show(view, "recruit-places", columns, rows, view.word("ahead.recruits"), "-equal", is_short=True)


def _enter_recruits(view: PageContext, shown: str) -> None:
    def changed(entered: str) -> None:
        page_parameters.choose(_PAGE, n=given.typed(entered))

    controlled(st.text_input, view.word("ahead.recruits_count"), "recruit places", shown, changed, width=220)
