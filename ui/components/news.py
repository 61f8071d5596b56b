"""The news of what somebody follows, and the follows: the dialog of the button beside the title."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

import streamlit as st

from etl.semantic import answers
from etl.semantic.catalog import catalogue
from etl.submissions.desk import Person
from ui.access.follows import News
from ui.components import blocks, downloads, following
from ui.data import owed, page_run, submissions, warehouse
from ui.follow import dates, own, words
from ui.follow.follow import (
    HAND_IN,
    NEEDS_ACTION,
    PUBLICATION,
    TARGET_MONTH,
    Condition,
    Follow,
    checked,
)
from ui.i18n import text
from ui.state import acts, page_parameters, rendering, wording
from ui.state.page_context import PageContext
from ui.state.scope import NATION, Scope

_EDITED = "follow edited"
# The roles of who hands in, and is told of it.
_SUBMITTING = ("submitter", "steward")
# Where what happens is shown.
_PAGES: Mapping[str, str] = {
    TARGET_MONTH: "growth",
    NEEDS_ACTION: "overview",
    PUBLICATION: "overview",
    HAND_IN: "handin",
}


@rendering.fragment
def bell(view: PageContext, is_asked: bool) -> None:
    """The button of the news, with how many are unread; `is_asked`: the address opens them."""
    unread = own.unread()
    label = view.word("follow.news")
    label += f" `{text.number(unread, view.lang)}`" if unread else ""
    if st.button(label, key="news", type="tertiary") or is_asked:
        # The count is drawn anew once they were read.
        st.dialog(view.word("follow.news"), width="medium", on_dismiss="rerun")(_news)(view)


def _news(view: PageContext) -> None:
    with blocks.error_boundary(view.lang, "news"):
        acts.said("news")
        _told(view)
        _own(view)
        _occasions(view)
        _dates(view)


def _told(view: PageContext) -> None:
    """What the last publications told, as it may be seen now."""
    told = own.news()
    if not told:
        blocks.note(view.word("follow.no_news"))
        return
    st.html(f'<ul class="pd-news">{"".join(_item(view, *one) for one in told)}</ul>')
    if any(not news.was_read for news, _ in told):
        acts.at_once(lambda _: own.note_read())


def _item(view: PageContext, news: News, follow: Follow) -> str:
    line = text.escape(words.line(news, follow, view.lang))
    line = (
        line
        if news.was_read
        else f'<strong>{line}</strong> <span class="pd-sample">{view.escaped("follow.new")}</span>'
    )
    id_ = text.digits(news.publication, view.lang)
    told = view.word("follow.told_at", day=_day(view, news.at), id=id_) if follow.condition.kind != HAND_IN else ""
    shown = view.escaped("follow.page" if follow.condition.kind in _PAGES else "follow.figure")
    link = f'<a href="{text.escape(_address(view, news, follow))}" target="_self">{shown}</a>'
    return f'<li>{line}<br><span class="pd-note">{text.escape(told or _day(view, news.at))} · {link}</span></li>'


def _address(view: PageContext, news: News, follow: Follow) -> str:
    """Where the number of some news is shown, on its day."""
    kind = follow.condition.kind
    if kind in _PAGES:
        place = {"province": [follow.province]} if follow.province and kind != HAND_IN else {}
        return page_parameters.address(_PAGES[kind], view.lang, place)
    scope = follow.scope(view.latest, date.fromisoformat(news.now_day) if news.now_day else None)
    where = scope.address() | ({"province": [news.member]} if follow.by == ("province",) else {})
    if scope.day >= view.latest:
        where.pop("on", None)
    return page_parameters.address("explore", view.lang, {"m": [follow.measure], "by": list(follow.by)} | where)


def _own(view: PageContext) -> None:
    """The reader's follows, each with how it stands, and buttons to stop and remove it."""
    st.html(f"<h3>{view.escaped('follow.own')}</h3>")
    follows = own.shown()
    if not follows:
        blocks.note(view.word("follow.nothing"))
    for one in follows:
        is_edited = st.session_state.get(_EDITED) == one.ident
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"follow-{one.ident}"):
            st.html(
                f'<p class="pd-followed">{text.escape(words.about(one.follow, view.lang))}'
                f'<br><span class="pd-note">{text.escape(_state(view, one))}</span></p>'
            )
            if not one.may_change:
                continue
            if one.follow.measure:
                st.button(
                    view.word("follow.edit"),
                    key=f"follow-edit-{one.ident}",
                    type="tertiary",
                    on_click=st.session_state.update,
                    args=({_EDITED: "" if is_edited else one.ident},),
                )
            stopped = "stop" if one.is_on else "resume"
            _step(view, stopped, one.ident, partial(_turn, one.ident, not one.is_on))
            _step(view, "remove", one.ident, partial(_remove, one.ident))
        if is_edited and one.may_change:
            following.form(view, catalogue()[one.follow.measure], one.follow.where, one)


def _step(view: PageContext, word: str, ident: str, step: Callable[[Person], None]) -> None:
    st.button(
        view.word(f"follow.{word}"),
        key=f"follow-{word}-{ident}",
        type="tertiary",
        on_click=acts.take,
        args=(view, step, "", "news"),
    )


def _state(view: PageContext, one: own.Own) -> str:
    """How a follow stands: of a team, stopped, for how many members it holds, when it was evaluated and told."""
    parts = [view.word("follow.of_team", team=text.isolated(one.team, view.lang))] if one.team else []
    if not one.is_on:
        parts.append(view.word("follow.is_stopped"))
    elif not one.evaluated:
        parts.append(view.word("follow.not_evaluated"))
    elif one.follow.is_state:
        count, of = text.number(one.holds, view.lang), text.number(one.members, view.lang)
        if one.follow.by:
            parts.append(view.word("follow.holds_for", count=count, of=of))
        else:
            parts.append(view.word("follow.holds" if one.holds else "follow.does_not_hold"))
    last = view.word("follow.last_told", day=_day(view, one.told)) if one.told else view.word("follow.not_told")
    return " · ".join([*parts, last])


def _day(view: PageContext, at: float) -> str:
    return text.day(datetime.fromtimestamp(at).date(), view.lang)


def _turn(ident: str, is_on: bool, _: Person) -> None:
    own.turn(ident, is_on)


def _remove(ident: str, _: Person) -> None:
    own.remove(ident)


def _occasions(view: PageContext) -> None:
    """What happens, not a number: a new publication, the month of the target, what needs action, an own submission."""
    st.html(f"<h3>{view.escaped('follow.more_to_follow')}</h3>")
    scope = page_run.access_scope()
    kinds = [PUBLICATION, NEEDS_ACTION, TARGET_MONTH, *([HAND_IN] if scope.role in _SUBMITTING else [])]
    kind = st.selectbox(
        view.word("follow.occasion"),
        kinds,
        format_func=lambda one: words.of_kind(one, view.lang),
        key="follow-occasion",
    )
    place = NATION
    if kind in (NEEDS_ACTION, TARGET_MONTH):
        places = list(dict.fromkeys([*following.widest(), *sorted(scope.codes)]))
        place = st.selectbox(
            view.word("follow.place"),
            places,
            format_func=partial(following.place_word, view),
            key="follow-occasion-place",
        )
    by_mail = own.has_mail() and st.checkbox(view.word("follow.by_mail"), key="follow-occasion-mail")
    follow = checked(Follow(Condition(kind), place=place, by_mail=bool(by_mail)))
    team = following.for_whom(view, "follow-occasion")
    if own.is_followed(follow, team=team):
        blocks.note(view.word("follow.taken"))
        return
    st.button(
        view.word("follow.follow"),
        key="follow-occasion-start",
        on_click=acts.take,
        args=(view, partial(following.start, view.lang, follow, "", team), view.word("follow.started"), "news"),
    )


def _dates(view: PageContext) -> None:
    """A calendar file of what is dated and to come in the place of the page; none where nothing is."""
    access, where = page_run.access_scope(), view.asked.filters
    rules = submissions.desk().rules if access.role in _SUBMITTING else None
    ending, answer = dates.licences(Scope(view.latest, where, lang=view.lang), warehouse.of_page())
    if answer and not answers.may_leave(access, answer, False):
        ending = []
    due = dates.deadlines(view.lang, date.today(), rules) if rules else ()
    if not (dated := [*dates.releases(view.lang), *due, *ending]):
        return
    name = view.word("follow.dates_of", place=wording.place(view, view.where, access))
    about = owed.source(view.lang, warehouse.of_page().publication)
    write = partial(dates.write, dated=dated, name=name, about=about, lang=view.lang)
    details: dict[str, str | int] = {"form": "ics", "rows": len(dated)}
    downloads.offered(view, "dates-ics", view.word("follow.dates"), f"{name}.ics", "text/calendar", write, details)
