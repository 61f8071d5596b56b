"""What comes next, of each topic: endings, institutes that fall below the goal, the queue, the seat plan, places of recruits."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

import streamlit as st

from etl.analysis.coverage import MOST, RULES
from etl.core.text_folding import latin_digits
from etl.semantic.answers import Answer
from etl.semantic.rights import BELOW_PROVINCE
from ui.components import blocks, downloads, tables
from ui.components import figures as ui
from ui.components.blocks import controlled, error_boundary
from ui.components.footer import context, footer, where_and_when
from ui.exhibits.exhibit import Exhibit
from ui.exports import about, workbook
from ui.exports.job import FORMS, noted
from ui.i18n import text
from ui.sections import listings
from ui.state import page_context, page_parameters, rendering, scoped_query, wording
from ui.state.page_context import PageContext
from ui.state.questions import without_places

_PAGE = "growth"


def falling(view: PageContext) -> None:
    """The institutes that fall below the goal, and how many of those listed before did."""
    list_of = "institutes_falling"
    ready = partial(listings.ready, view, list_of)
    rendering.defer(listings.listings, view, list_of, place=st.container(), ready=ready)
    ui.part(view, "falling-tried", "endings_backtest", partial(_tried, view), border=False)


def _tried(view: PageContext, answer: Answer, _: Sequence[str]) -> None:
    """How many of the institutes listed before did fall."""
    listed, fell = answer.rows[0]
    words = {"count": text.number(listed, view.lang), "share": text.percent(fell, view.lang, 0)}
    blocks.note(view.word("ahead.tried" if listed else "ahead.untried", **words))


def has_seats(view: PageContext) -> bool:
    """Whether seats are planned for the place: for provinces, not for a county or an institute."""
    return not BELOW_PROVINCE & {*view.where}


def order_form(view: PageContext, exhibit: Exhibit) -> None:
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
    """Where a number of recruits would go by three rules, and how unequal coverage would be."""
    written = page_parameters.one(_PAGE, "n")
    # Recruits are shared out among all provinces.
    view = replace(view, scope=view.scope.of(without_places(view.where)))

    def asked() -> tuple[int, Answer | None, Sequence[str]]:
        # As many as all joiners of the last 12 complete months, unless a number is typed.
        count = int(written or scoped_query.ask(view, ["joiners"], without=view.where)[0].value() or 0)
        if not 1 <= count <= MOST:
            return count, None, ()
        return count, *scoped_query.computed(view, "recruit_places", recruits=count)

    def show() -> None:
        with error_boundary(view.lang, "recruit-places"):
            count, answer, ignored = asked()
            if answer is None:
                bounds = view.word("ahead.recruits_bounds", most=text.number(MOST, view.lang))
                blocks.head(view.word("ahead.recruits"), bounds)
                _enter_recruits(view, count)
            else:
                _recruits(view, count, answer, ignored)

    rendering.defer(show, place=st.container(border=True, key="figure-recruit-places"), ready=asked)


def _enter_recruits(view: PageContext, count: int) -> None:
    def changed(entered: str) -> None:
        entered = latin_digits(entered).replace("−", "-").strip()
        digits = "".join(filter(str.isdigit, entered))
        page_parameters.choose(_PAGE, n=("-" if entered.startswith("-") else "") + digits if digits else None)

    written = text.number(count, view.lang)
    controlled(st.text_input, view.word("ahead.recruits_count"), "recruit places", written, changed, width=220)


def _recruits(view: PageContext, count: int, answer: Answer, ignored: Sequence[str]) -> None:
    records = answer.records()
    if not records:
        blocks.head(view.word("ahead.recruits"), view.word("state.empty"))
        return
    first = {row["rule"]: row for row in records}
    ginis = {rule: text.plain(first[rule]["gini_after"], "ratio", view.lang) for rule in RULES}
    before = text.plain(records[0]["gini_before"], "ratio", view.lang)
    written = text.number(count, view.lang)
    blocks.head(
        view.word("ahead.recruits_title", count=written, before=before, after=ginis["equal"]),
        where_and_when(view, answer),
    )
    _enter_recruits(view, count)
    provinces: dict[str, dict[str, Any]] = {}
    for row in records:
        provinces.setdefault(row["province"], {"province": row["province"]})[row["rule"]] = row["recruits"]
    named = context(view)

    def column(rule: str) -> tables.Column:
        title = view.word("ahead.rule", rule=named.member("rule", rule), gini=ginis[rule])
        return tables.Column(
            rule,
            title,
            lambda row: text.escape(text.number(row[rule], view.lang)),
            lambda row: row[rule],
            is_number=True,
            has_bar=True,
        )

    def name(row: dict[str, Any]) -> str:
        return named.member("province", row["province"])

    place = tables.member_column(view, "province", itemgetter("province"), name)
    caption = view.word("ahead.recruits")
    rows = list(provinces.values())
    tables.show(view, "recruit-places", [place, *map(column, RULES)], rows, caption, "-equal", is_short=True)
    blocks.note(view.word("ahead.recruits_note"))
    if ignored:
        blocks.note(wording.no_effect(view, ignored))
    footer(view, answer, "recruit-places", with_table=False)
