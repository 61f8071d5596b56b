"""What a steward decides: which provinces have submitted, what is still owed, what would change, and publishing."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import streamlit as st

from etl.extract.causes import because, in_language
from etl.extract.contract import TABLES
from etl.semantic.rights import every_province
from etl.submissions import arrivals, checklist, deadline, ledger, publishing
from etl.submissions.desk import Desk, Person
from etl.submissions.ledger import Ledger
from etl.submissions.records import Submission
from etl.warehouse import version_files
from ui.components import blocks, tables
from ui.data import owed, submissions
from ui.i18n import text
from ui.i18n.member_names import collated
from ui.sections import hand_in, notes
from ui.sections.data_quality import name_of
from ui.state import acts, rendering
from ui.state.page_context import PageContext

# The words of each code of the checklist but for tables that are missing.
_SAID_BY = {
    "failing": "hand_in.failing",
    "notes": "signed.owed",
    "still_submitted": "hand_in.still_submitted",
    "still_returned": "hand_in.still_returned",
    "no_next_update": "hand_in.no_next_update",
    "no_english": "signed.no_english",
}


def approve(view: PageContext) -> None:
    """The matrix of provinces and tables, what is to be decided, and publishing."""
    with blocks.error_boundary(view.lang, "approve"):
        if hand_in.let_in(view, "hand_in.for_stewards", lambda reader: reader.is_steward):
            _of_month(view, submissions.desk(), hand_in.month_of(view, "approve"))


@rendering.fragment
def _of_month(view: PageContext, desk: Desk, month: str) -> None:
    with blocks.error_boundary(view.lang, "approve"):
        reader = submissions.reader()
        every = desk.visible(reader)
        here = arrivals.of_month(month, (one for one in every if one.state != "withdrawn"))
        entries = arrivals.arrived(desk, month, every)
        submissions.go_on(next((one for one in every if one.state == "checking"), None))
        acts.tell_waiting()
        acts.forget_said()
        waiting, stopped = arrivals.to_decide(every)
        # Above the next decision, so that Tab leads on to it.
        acts.said(below={"publish", "undo", notes.PLACE, *map(hand_in.place_of, [*waiting, *stopped])})
        if count := len(waiting) + len(stopped):
            st.html(f"<h3>{view.escaped('hand_in.waiting', count=text.number(count, view.lang))}</h3>")
        for one in waiting:
            hand_in.decide(view, desk, reader, one)
        for one in stopped:
            hand_in.of_others(view, desk, reader, one)
        _matrix(view, desk, here, month, entries)
        _publish(view, desk, every, entries)
        _undo(view, desk)


def _lacking(entries: Ledger) -> list[str]:
    """The provinces of which a table of the month was not submitted."""
    return [code for code in every_province() if "missing" in ledger.states(entries, code).values()]


def _matrix(view: PageContext, desk: Desk, here: dict[str, list[Submission]], month: str, entries: Ledger) -> None:
    states = {code: ledger.states(entries, code) for code in every_province()}
    newest = {code: found[-1] for code, found in here.items()}
    names = {code: view.member("province", code) for code in states}
    missing = {code: sum(state == "missing" for state in states[code].values()) for code in states}
    # What waits for a decision comes first, and counts as that whatever else is owed.
    waits = {code for code, found in here.items() if any(one.state == "submitted" for one in found)}
    order = sorted(states, key=lambda code: (code not in waits, -missing[code], collated(names[code])))
    lacking = {*_lacking(entries)} - waits
    counts = {"approved": len(states) - len(lacking | waits), "waiting": len(waits), "missing": len(lacking)}
    numbers = {name: text.number(count, view.lang) for name, count in counts.items()}

    def opening(code: str) -> str:
        address = text.escape(hand_in.address(view, code, month))
        return f'<a href="{address}" target="_self">{text.escape(names[code])}</a>'

    def marked(words: str, is_owed: bool) -> str:
        return f'<span class="pd-behind">{words}</span>' if is_owed else words

    def arrival(table: str, code: str) -> str:
        return states[code][table]

    def of_table(table: str, code: str) -> str:
        found = arrival(table, code)
        return marked(view.escaped(f"arrival.{found}"), found == "missing")

    def state(code: str) -> str:
        if code not in newest:
            return view.escaped("arrival.missing")
        found = newest[code].state
        return marked(view.escaped(f"submission.{found}"), found in ("returned", "to_correct"))

    columns = [
        tables.Column(
            "province",
            view.word("hand_in.province"),
            opening,
            lambda code: collated(names[code]),
        ),
        tables.Column("state", view.word("hand_in.state"), state, state),
        *(
            tables.Column(
                table,
                name_of(view, "source", table),
                partial(of_table, table),
                partial(arrival, table),
            )
            for table in TABLES
        ),
    ]
    with st.container(border=True, key="figure-matrix"):
        title = view.word("hand_in.matrix", **numbers)
        due = text.day(deadline.due(month, desk.rules), view.lang)
        blocks.head(title, view.word("hand_in.matrix_is", month=text.unit_label(month, view.lang), day=due))
        tables.show(view, "matrix", columns, order, title, is_stacked=True)


def _publish(view: PageContext, desk: Desk, every: Sequence[Submission], entries: Ledger) -> None:
    approved = [one for one in every if one.state == "approved"]
    last = publishing.last_publishing(desk)
    if desk.publishing_waits():
        last = {"state": "running"}
    found = publishing.candidate(desk) if approved else None
    is_running = last.get("state") == "running"
    with st.container(border=True, key="figure-publish"):
        if approved:
            title = view.word("hand_in.to_publish", count=text.number(len(approved), view.lang))
            blocks.head(title, view.word("hand_in.to_publish_is"))
        else:
            blocks.head(view.word("hand_in.none_approved"))
        if approved and not is_running:
            _moves(view, desk, found)
        ticks = _checklist(view, every, entries)
        acts.said("publish")
        if approved:
            st.button(
                view.word("hand_in.publish"),
                key="hand-in-publish",
                type="primary",
                disabled=found is None or bool(found.refusals) or is_running,
                on_click=acts.take,
                args=(view, partial(_order, desk, found.digest if found else "", ticks), "", "publish"),
            )
        if state := last.get("state"):
            words = {"id": text.digits(last.get("publication", ""), view.lang), "who": last.get("by", "")}
            blocks.note(view.word(f"hand_in.last_{state}", **words), is_status=True)
        for _, refusal in last.get("refusals", ()):
            blocks.note(in_language(refusal, view.lang))
    if is_running or (approved and found is None):
        _until_done(desk, is_running)


def _order(desk: Desk, shown: str, ticks: Mapping[str, Sequence[str]], who: Person) -> None:
    """Have the candidate published that was shown. Raises Refused where one of these boxes is not ticked."""
    if not all(st.session_state.get(key) for key in ticks):
        raise because("submission_unsolved")
    desk.publish(who, shown, {code for codes in ticks.values() for code in codes}, "ticked on the page")


def _moves(view: PageContext, desk: Desk, found: publishing.Candidate | None) -> None:
    """What publishing would change, or why it would be refused."""
    if found is None:
        desk.wake()
        blocks.note(view.word("hand_in.moves_wait"), is_status=True)
    elif found.refusals:
        blocks.note(view.word("hand_in.would_fail"))
        for _, refusal in found.refusals:
            blocks.note(in_language(refusal, view.lang))
    else:
        hand_in.before_after(view, "moved", found.changes, view.word("hand_in.moves"), by_province=True)


@st.fragment(run_every=2.0)
def _until_done(desk: Desk, publishes: bool) -> None:
    """Draw the page anew once what goes on is done."""
    if not desk.publishing_waits() if publishes else publishing.candidate(desk):
        acts.draw_anew()


def _checklist(view: PageContext, every: Sequence[Submission], entries: Ledger) -> dict[str, Sequence[str]]:
    """What must be solved and what is perhaps forgotten; the boxes by which the first is left out on purpose, and of whom."""

    def named(codes: Sequence[str]) -> str:
        return text.listed(sorted((view.member("province", code) for code in codes), key=collated), view.lang)

    def told(item: checklist.Item) -> str:
        count = text.number(item.count or len(item.provinces), view.lang)
        if item.code == "without":
            return _without(view, item)
        return view.word(_SAID_BY[item.code], places=named(item.provinces), count=count)

    jumps = [reason.submission.province for reason in notes.owed([one for one in every if one.state == "approved"])]
    ticks: dict[str, Sequence[str]] = {}
    if any(one.state == "approved" for one in every):
        st.html(f"<h4>{view.escaped('hand_in.must')}</h4>")
        items = checklist.must_be_solved(entries, every, every_province(), jumps)
        for item in items:
            ticks[f"publish-{item.code}"] = item.provinces
            st.checkbox(told(item), key=f"publish-{item.code}")
        if not items:
            blocks.note(view.word("hand_in.all_solved"))
    forgotten = checklist.perhaps_forgotten(every, owed.has_next_update(), notes.without_english())
    st.html(f"<h4>{view.escaped('hand_in.forgotten')}</h4>")
    for words in map(told, forgotten) if forgotten else [view.word("hand_in.none_forgotten")]:
        blocks.note(words)
    return ticks


def _without(view: PageContext, item: checklist.Item) -> str:
    """The tables that are missing by province; those that sent nothing are counted."""
    some = {code: tables for code, tables in item.tables.items() if len(tables) < len(TABLES)}
    named = [
        view.word(
            "hand_in.tables_of",
            place=view.member("province", code),
            tables=text.listed([name_of(view, "source", table) for table in tables], view.lang),
        )
        for code, tables in sorted(some.items(), key=lambda pair: collated(view.member("province", pair[0])))
    ]
    if absent := len(item.tables) - len(some):
        named.append(view.word("hand_in.absent", count=text.number(absent, view.lang)))
    return view.word("hand_in.without", places=text.clauses(named, view.lang))


def _undo(view: PageContext, desk: Desk) -> None:
    """Show an earlier publication again: the submissions of later ones go back, with a reason."""
    shown = Path(os.path.realpath(desk.folders.warehouse)).stem
    earlier = (
        [path.stem for path in version_files.before(desk.folders.warehouse, int(shown or 0))]
        if shown.isdecimal()
        else []
    )
    if not earlier:
        return
    with st.expander(view.word("hand_in.undo"), key="undo"):
        blocks.note(view.word("hand_in.undo_is", id=text.digits(shown, view.lang)))
        st.selectbox(
            view.word("hand_in.undo_to"),
            earlier[::-1],
            key="undo-to",
            format_func=lambda number: text.digits(number, view.lang),
            width=260,
        )
        st.text_input(view.word("hand_in.return_why"), key="undo-why", max_chars=300)
        acts.said("undo")
        st.button(
            view.word("hand_in.undo_do"),
            key="hand-in-undo",
            disabled=desk.publishing_waits(),
            on_click=acts.take,
            args=(view, partial(_bring_back, desk), view.word("hand_in.undoing"), "undo"),
        )


def _bring_back(desk: Desk, who: Person) -> None:
    desk.undo(who, st.session_state["undo-to"], st.session_state.get("undo-why", ""))


# ---------------------------------------------------------------- the calendar


def calendar(view: PageContext) -> None:
    """Which provinces submitted on time, month by month: those whose numbers the reader sees. Nothing before the first one."""
    with blocks.error_boundary(view.lang, "calendar"):
        codes, desk = submissions.reader().scope.codes, submissions.desk()
        every = [one for one in desk.records.all() if one.province in codes]
        if every:
            _calendar(view, arrivals.calendar(desk, every, codes, date.today()), sorted(codes))


@rendering.fragment
def _calendar(view: PageContext, found: arrivals.Calendar, codes: Sequence[str]) -> None:
    names = {code: view.member("province", code) for code in codes}
    last = found.months[-1]

    def cell(month: str, code: str) -> str:
        state, owed_tables = found.cells[code, month]
        words = view.escaped(f"completeness.{state}", count=text.number(owed_tables, view.lang))
        return f'<span class="pd-behind">{words}</span>' if state == "missing" else words

    def place(month: str, code: str) -> int:
        return arrivals.CELLS.index(found.cells[code, month][0])

    def owing(code: str) -> int:
        return -sum(found.cells[code, month][1] for month in found.months)

    columns = [
        tables.Column(
            "province",
            view.word("hand_in.province"),
            lambda code: text.escape(names[code]),
            lambda code: collated(names[code]),
        ),
        *(
            tables.Column(
                month,
                text.unit_label(month, view.lang),
                partial(cell, month),
                partial(place, month),
            )
            for month in reversed(found.months)
        ),
    ]
    states = [found.cells[code, last][0] for code in codes]
    counts = {
        name: text.number(sum(state in states_of for state in states), view.lang)
        for name, states_of in (("done", ("on_time", "no_change")), ("late", ("late",)), ("owed", ("missing", "open")))
    }
    with st.container(border=True, key="figure-calendar"):
        title = view.word("hand_in.calendar", month=text.unit_label(last, view.lang), **counts)
        blocks.head(title, view.word("hand_in.calendar_is"))
        tables.show(
            view, "calendar", columns, sorted(codes, key=lambda code: (owing(code), collated(names[code]))), title
        )
