"""What a steward decides: which provinces have submitted, what is still owed, what would change, and publishing."""

from collections.abc import Sequence
from datetime import date
from functools import partial

import streamlit as st

from etl.extract.causes import because, in_language
from etl.extract.contract import TABLES
from etl.semantic.rights import every_province
from etl.submissions import arrivals, deadline, ledger, work
from etl.submissions.desk import Desk, Person
from etl.submissions.ledger import Ledger
from etl.submissions.records import Submission
from ui.components import blocks, tables
from ui.data import owed, submissions
from ui.i18n import text
from ui.i18n.member_names import collated
from ui.sections import hand_in, notes
from ui.sections.data_quality import name_of
from ui.state import acts, rendering
from ui.state.page_context import PageContext


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
        acts.forget_said()
        waiting = [one for one in every if one.state == "submitted"]
        stopped = [one for one in every if one.state == "to_correct" and one.result.get("others") and not one.let_pass]
        _matrix(view, desk, here, month, entries)
        # Above the next decision, so that Tab leads on to it.
        acts.said(below={"publish", notes.PLACE, *map(hand_in.place_of, [*waiting, *stopped])})
        for one in sorted(waiting, key=lambda one: one.submitted_at):
            hand_in.decide(view, desk, reader, one)
        for one in stopped:
            hand_in.of_others(view, desk, reader, one)
        _publish(view, desk, every, _lacking(entries))


def _lacking(entries: Ledger) -> list[str]:
    """The provinces of which a table of the month was not submitted."""
    return [code for code in every_province() if "missing" in ledger.states(entries, code).values()]


def _matrix(view: PageContext, desk: Desk, here: dict[str, list[Submission]], month: str, entries: Ledger) -> None:
    states = {code: ledger.states(entries, code) for code in every_province()}
    newest = {code: found[-1] for code, found in here.items()}
    names = {code: view.member("province", code) for code in states}
    missing = {code: sum(state == "missing" for state in states[code].values()) for code in states}
    waits = {code for code, found in here.items() if any(one.state == "submitted" for one in found)}
    order = sorted(states, key=lambda code: (-missing[code], code not in waits, collated(names[code])))
    lacking = {*_lacking(entries)}
    done = {code for code, one in newest.items() if one.state in ("approved", "published")} - lacking - waits
    counts = {"approved": len(done), "waiting": len(states) - len(done | lacking), "missing": len(lacking)}
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


def _publish(view: PageContext, desk: Desk, every: Sequence[Submission], lacking: Sequence[str]) -> None:
    approved = [one for one in every if one.state == "approved"]
    last = work.last_publishing(desk)
    if desk.publishing_waits():
        last = {"state": "running"}
    with st.container(border=True, key="figure-publish"):
        if approved:
            title = view.word("hand_in.to_publish", count=text.number(len(approved), view.lang))
            blocks.head(title, view.word("hand_in.to_publish_is"))
        else:
            blocks.head(view.word("hand_in.none_approved"))
        is_known = last.get("state") == "running" or not approved or _moves(view, desk, approved)
        ticks = _checklist(view, every, lacking)
        acts.said("publish")
        if approved:
            st.button(
                view.word("hand_in.publish"),
                key="hand-in-publish",
                type="primary",
                disabled=not is_known or last.get("state") == "running",
                on_click=acts.take,
                args=(view, partial(_order, desk, ticks), "", "publish"),
            )
        if state := last.get("state"):
            words = {"id": text.digits(last.get("publication", ""), view.lang), "who": last.get("by", "")}
            blocks.note(view.word(f"hand_in.last_{state}", **words), is_status=True)
        for _, refusal in last.get("refusals", ()):
            blocks.note(in_language(refusal, view.lang))
    if last.get("state") == "running" or not is_known:
        _until_done(desk, is_known)


def _order(desk: Desk, ticks: Sequence[str], who: Person) -> None:
    """Have what is approved published. Raises Refused where one of these boxes is not ticked."""
    if not all(st.session_state.get(key) for key in ticks):
        raise because("submission_unsolved")
    desk.publish(who)


def _moves(view: PageContext, desk: Desk, approved: Sequence[Submission]) -> bool:
    """What publishing would change; whether that is known already."""
    what = work.previewed(desk, approved)
    if not what:
        if not desk.preview_waits():
            acts.at_once(desk.preview)
        blocks.note(view.word("hand_in.moves_wait"), is_status=True)
        return False
    if refusals := what.get("refusals", ()):
        blocks.note(view.word("hand_in.would_fail"))
        for _, refusal in refusals:
            blocks.note(in_language(refusal, view.lang))
    else:
        hand_in.before_after(view, "moved", what["changes"], view.word("hand_in.moves"), by_province=True)
    return True


@st.fragment(run_every=2.0)
def _until_done(desk: Desk, publishes: bool) -> None:
    """Draw the page anew once what goes on is done."""
    if not (desk.publishing_waits() if publishes else desk.preview_waits()):
        acts.draw_anew()


def _checklist(view: PageContext, every: Sequence[Submission], lacking: Sequence[str]) -> list[str]:
    """What must be solved and what is perhaps forgotten; the boxes by which the first is left out on purpose."""

    def named(codes: Sequence[str]) -> str:
        return text.listed(sorted((view.member("province", code) for code in codes), key=collated), view.lang)

    of_state = {
        state: [one.province for one in every if one.state == state]
        for state in ("to_correct", "submitted", "returned")
    }
    ticks: list[str] = []

    def tick(words: str, key: str) -> None:
        ticks.append(key)
        st.checkbox(words, key=key)

    failing = [view.word("hand_in.failing", places=named(of_state["to_correct"]))] if of_state["to_correct"] else []
    if approved := [one for one in every if one.state == "approved"]:
        st.html(f"<h4>{view.escaped('hand_in.must')}</h4>")
        if lacking:
            words = view.word("hand_in.without", places=named(lacking), count=text.number(len(lacking), view.lang))
            tick(words, "publish-without")
        for words in failing:
            blocks.note(words)
        if reasons := notes.owed(approved):
            places = named([*{reason.submission.province for reason in reasons}])
            words = view.word("signed.owed", places=places, count=text.number(len(reasons), view.lang))
            tick(words, "publish-without-notes")
        if not lacking and not failing and not reasons:
            blocks.note(view.word("hand_in.all_solved"))
    forgotten = [
        view.word(f"hand_in.still_{state}", places=named(of_state[state]))
        for state in ("submitted", "returned")
        if of_state[state]
    ]
    forgotten += [] if approved else failing
    forgotten += [] if owed.has_next_update() else [view.word("hand_in.no_next_update")]
    if count := notes.without_english():
        forgotten.append(view.word("signed.no_english", count=text.number(count, view.lang)))
    st.html(f"<h4>{view.escaped('hand_in.forgotten')}</h4>")
    for words in forgotten or [view.word("hand_in.none_forgotten")]:
        blocks.note(words)
    return ticks


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
