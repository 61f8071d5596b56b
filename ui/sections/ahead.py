"""What comes next, of each topic: endings, institutes that fall below the goal, the queue, the seat plan, places of recruits."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

import streamlit as st

from etl.analysis.coverage import MOST, RULES
from etl.analysis.planning import Scenario
from etl.core.text_folding import latin_digits
from etl.semantic.answers import Answer
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import ahead as charts
from ui.charts import bars, lines
from ui.charts.elements import unit_of
from ui.components import blocks, downloads, tables
from ui.components import figures as ui
from ui.components.blocks import controlled, error_boundary
from ui.components.footer import context, footer, where_and_when
from ui.exports import about, workbook
from ui.exports.job import FORMS, noted
from ui.i18n import text
from ui.sections import listings
from ui.state import page_context, page_parameters, rendering, scoped_query, wording
from ui.state.page_context import PageContext
from ui.state.questions import without_places

_PAGE = "growth"
# What ends, and the unit in which it is counted.
_KINDS = {"licences": "institutes", "accreditations": "persons", "training": "person_courses"}
# With more bars the chart of rooms is unreadable.
_MOST_ROOMS = 15


def endings(view: PageContext, kind: str) -> None:
    """What ends of a kind in the next 24 months, beside what answers it."""
    ui.part(view, f"endings-{kind}", "endings", partial(_endings, view, kind), by="nation")


def falling(view: PageContext) -> None:
    """The institutes that fall below the goal, and how many of those listed before did."""
    list_of = "institutes_falling"
    ready = partial(listings.ready, view, list_of)
    rendering.defer(listings.listings, view, list_of, place=st.container(), ready=ready)
    ui.part(view, "falling-tried", "endings_backtest", partial(_tried, view), border=False)


def _endings(view: PageContext, kind: str, answer: Answer, ignored: Sequence[str]) -> None:
    words = {lang: text.word(f"ahead.{kind}", lang) for lang in text.LANGUAGES}
    metric, *answered = answer.metrics
    of_kind = replace(metric, unit=_KINDS[kind], label=words, short=words)
    if kind == "licences":
        # Neither licences nor the applications that answer them are people.
        of_kind, *answered = (replace(one, counts=kind) for one in (of_kind, *answered))
    rows = [row for row in answer.rows if row[0] == kind]
    answer = scoped_query.without_first(replace(answer, rows=rows, metrics=(of_kind, *answered)))
    if any(answer.column("endings")):
        notes = [view.word("ahead.handled")]
        ui.draw(view, charts.endings, answer, f"endings-{kind}", ignored=ignored, notes=notes)
    else:
        blocks.head(words[view.lang], view.word("ahead.nothing"))


def _tried(view: PageContext, answer: Answer, _: Sequence[str]) -> None:
    """How many of the institutes listed before did fall."""
    listed, fell = answer.rows[0]
    words = {"count": text.number(listed, view.lang), "share": text.percent(fell, view.lang, 0)}
    blocks.note(view.word("ahead.tried" if listed else "ahead.untried", **words))


def queue(view: PageContext) -> None:
    """The files that wait for a decision, and how many decisions a month they take."""
    ui.part(view, "queue", "queue", partial(_queue, view))


def _queue(view: PageContext, answer: Answer, ignored: Sequence[str]) -> None:
    row = answer.records()[0]
    if row["queue_needed"] is None:
        blocks.head(charts.waiting(answer, context(view)).sentence, where_and_when(view, answer))
        footer(view, answer, "queue")
        return
    paces = {
        name: text.plain(row[f"queue_{name}"], unit_of(answer, f"queue_{name}"), view.lang)
        for name in ("arrivals", "decisions", "needed")
    }
    said = f'<p class="pd-intro">{text.escape(view.word("queue.paces", **paces))}</p>'
    ui.draw(view, charts.paces, answer, "queue", ignored=ignored, card=said, notes=[view.word("queue.note")])


def has_seats(view: PageContext) -> bool:
    """Whether seats are planned for the place: for provinces, not for a county or an institute."""
    return not BELOW_PROVINCE & {*view.where}


def seats(view: PageContext, scenario: Scenario) -> None:
    """The seat plan with the seats of a scenario: what it reaches, where one more room gains most, and the seats to order."""
    entered = tuple((*place, count) for place, count in sorted(scenario.seats.items()))
    left, right = st.columns(2)
    with left:
        ui.part(view, "seat-plan", "seat_plan_months", partial(_plan, view), entered=entered)
        ui.part(view, "seat-order", "seat_plan", partial(_order, view), entered=entered)
    with right:
        ui.part(view, "seat-rooms", "seat_plan_rooms", partial(_rooms, view), entered=entered)


def _plan(view: PageContext, answer: Answer, ignored: Sequence[str]) -> None:
    shown = replace(answer, metrics=answer.metrics[:2])
    notes = [view.word("ahead.order_note"), view.word("ahead.plan_note")]
    ui.draw(view, charts.plan, shown, "seat-plan", ignored=ignored, notes=notes)


def _rooms(view: PageContext, answer: Answer, ignored: Sequence[str]) -> None:
    if answer.rows:
        most = {"most": _MOST_ROOMS}
        ui.draw(view, bars.ranking, _of_one(answer), "seat-rooms", charts.gained, ignored, options=most)
    else:
        blocks.head(view.word("ahead.room_none"))


def _of_one(answer: Answer) -> Answer:
    """The rows without their province where all are of one."""
    return scoped_query.without_first(answer) if len({row[0] for row in answer.rows}) == 1 else answer


def _order(view: PageContext, answer: Answer, ignored: Sequence[str]) -> None:
    """The seats to order, of one province by course and month, and the form of each province as a workbook."""
    if len({row[0] for row in answer.rows}) == 1:
        ui.draw(view, lines.heat, _of_one(answer), "seat-order", charts.ordered, ignored)
    else:
        blocks.head(view.word("ahead.order"), where_and_when(view, answer))
        blocks.note(view.word("ahead.order_help" if answer.rows else "ahead.order_none"))
        footer(view, answer, "seat-order", with_table=False)
    if answer.rows:
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
