"""The parts of the first screen of the country or a province: verdict, needs action, ranks."""

from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cache, partial
from typing import Any

import streamlit as st

from etl.analysis import analyses, data_quality
from etl.core.errors import QuestionError, TooEarly
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.rights import BELOW_PROVINCE, every_province
from etl.warehouse.dimensions import PLACES
from ui.components import blocks, table_html
from ui.components.blocks import error_boundary
from ui.components.footer import question
from ui.components.table_html import Column
from ui.data import submissions, warehouse
from ui.data.ask import Where
from ui.i18n import text
from ui.state import page_context, page_parameters, periods, rendering, scoped_query, wording
from ui.state.page_context import PageContext
from ui.summary import different, needs_action, verdict
from ui.summary.needs_action import Action
from ui.summary.sources import Sources

# Around a place that is behind, until its sentence is HTML.
_BEGIN, _END = "\ue000", "\ue001"


def sources(view: PageContext) -> Sources:
    """The sources of a summary under the user's scope; filters without meaning for a question are left out of it."""
    provinces = view.where.get("province", ())
    is_one = len(provinces) == 1

    def ask(
        *names: str,
        by: tuple[str, ...] = (),
        on: date | None = None,
        over: tuple[date, date] | None = None,
        where: Where | None = None,
    ) -> Answer:
        if where is None:
            where, _ = view.under(frozenset.intersection(*(catalogue()[name].dimensions for name in names)))
        return warehouse.ask(*names, by=by, on=on, over=over, where=where)

    def everywhere(name: str) -> Answer:
        known = analyses.filters(name) - {*PLACES}
        return warehouse.analyse(name, on=view.as_of, where=view.under(known)[0])

    def compared(name: str, by: str) -> Answer:
        if BELOW_PROVINCE & {*view.where}:
            raise QuestionError("who is behind is not said on the page of one county or institute")
        return scoped_query.different(view, name, by, view.under(catalogue()[name].dimensions)[0])

    return Sources(
        lang=view.lang,
        on=view.as_of,
        province=provinces[0] if is_one else "",
        ask=ask,
        analyse=lambda name, **more: scoped_query.computed(view, name, **more)[0],
        everywhere=everywhere,
        different=compared,
        provinces=partial(warehouse.analyse, data_quality.provinces),
        settled_on=lambda name: scoped_query.settled_on(name, view.as_of),
        member=view.member,
        filters=catalogue()["active_assistants"].dimensions & view.where.keys() - ({"province"} if is_one else set()),
        chosen=provinces,
        owed=partial(submissions.owed, provinces or every_province()),
    )


def has_target(view: PageContext) -> bool:
    """Whether a target is set for the place."""
    return bool(verdict.own_target(sources(view)))


def summed_up(view: PageContext, reached: bool = True) -> None:
    """The verdict with the progress to the target below it; with `reached`, the month of the target too."""
    asked = sources(view)

    def show() -> None:
        with st.container(key="verdict"), error_boundary(view.lang, "verdict"):
            facts = verdict.facts(asked)
            sentences = verdict.sentences(facts, asked)
            if not reached:
                sentences = [sentences[0], *verdict.licences_lapsed(facts, asked)]
            paragraphs = "".join(f"<p>{text.escape(sentence)}</p>" for sentence in sentences)
            st.html(f'<div class="pd-verdict">{paragraphs}{_progress(view, facts)}</div>')
            if ignored := view.under(catalogue()["active_assistants"].dimensions)[1]:
                blocks.note(wording.no_effect(view, ignored))
            blocks.left_out(view, facts.latest)
            question(view, facts.latest, "verdict")

    rendering.defer(show, ready=partial(verdict.facts, asked))


def _progress(view: PageContext, facts: verdict.Facts) -> str:
    """A bar from 0 to the target or the census share of it, with the number and its share where it ends."""
    share, of = facts.progress, facts.target or facts.census_share
    if share is None:
        return ""
    written = text.percent(share, view.lang)
    here = f"{text.number(facts.active, view.lang)} · {written}"
    key = "scale" if facts.target else "scale_share"
    target = view.escaped(f"verdict.{key}", target=text.number(of, view.lang))
    label, percent = f"{target}: {text.escape(written)}", f"{min(max(share, 0.0), 1.0) * 100:.1f}"
    # Its end stays beside the target, its start on the bar.
    room = 6 if facts.target else 10
    end = f"clamp({room}rem, 100% - {percent}%, 100% - 8rem)"
    return (
        f'<div class="pd-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}" '
        f'aria-label="{label}"><i style="width:{percent}%"></i></div>'
        f'<p class="pd-scale" aria-hidden="true"><span>{text.digits(0, view.lang)}</span>'
        f'<b style="inset-inline-end:{end}"><bdi>{text.escape(here)}</bdi></b><span>{target}</span></p>'
    )


def findings(view: PageContext, name: str) -> Callable[[], str]:
    """Who is below or above the whole, in words, those behind in orange; returns what is said, so that it is said once."""
    found = cache(partial(finding, name, view))

    def show() -> None:
        with st.container(key="findings"), error_boundary(view.lang, "findings"):
            if sentence := found():
                st.html(f'<p class="pd-intro">{marked(sentence)}</p>')

    rendering.defer(show, ready=found)
    return found


def finding(name: str, view: PageContext) -> str:
    """The sentence of a rate, with marks around the places that are named as worse than the whole."""
    asked = sources(view)
    by = "county" if asked.province else "province"
    with suppress(QuestionError):
        behind = {row[by] for row in different.named(asked.different(name, by))}
        return " ".join(different.findings(marking(asked, by, behind), name))
    return ""


def marking(asked: Sources, by: str, places: Container[Any] | None = None) -> Sources:
    """The sources of a sentence, with marks around `places` (None: all)."""

    def member(dimension: str, code: Any) -> str:
        found = asked.member(dimension, code)
        is_marked = dimension == by and (places is None or code in places)
        return f"{_BEGIN}{found}{_END}" if is_marked else found

    return replace(asked, member=member)


def marked(sentence: str, is_behind: bool = True) -> str:
    """A sentence as HTML, the marked places in bold: those that are behind in orange, those that lack most people in black."""
    begin = '<b class="pd-behind">' if is_behind else "<b>"
    return text.escape(sentence).replace(_BEGIN, begin).replace(_END, "</b>")


def needing_action(view: PageContext) -> None:
    """The first items, each with who, how many, by when, and a link to the list; the others behind how many more they are."""
    ask = partial(needs_action.actions, sources(view))

    def show() -> None:
        with error_boundary(view.lang, "needs-action"):
            body = f'<p class="pd-note">{view.escaped("action.none")}</p>'
            if items := [_action(view, action) for action in ask()]:
                body = _items(items[: needs_action.MOST])
                if others := items[needs_action.MOST :]:
                    more = view.escaped("listing.more", count=text.number(len(others), view.lang))
                    body += f'<details class="pd-note"><summary>{more}</summary>{_items(others)}</details>'
            st.html(blocks.heading(view.word("action.title")) + body)
            if partly := [view.word(f"scope.{name}") for name in view.where if name not in ("province", "activity")]:
                blocks.note(view.word("action.whole", filters=text.listed(partly, view.lang)))

    with st.container(border=True, key="needs-action"):
        rendering.defer(show, ready=ask)


def _items(items: list[str]) -> str:
    return f'<ol class="pd-actions">{"".join(items)}</ol>'


def _action(view: PageContext, action: Action) -> str:
    """What is to be done, who and by when, on one line; why is in its title, on a phone and on paper behind it."""
    address = page_parameters.address(action.part, view.lang, view.scope.address() | dict(action.parameters))
    title = f' title="{text.escape(action.why)}"' if action.why else ""
    about = "".join(
        f' <span class="pd-{name}">{text.escape(words)}</span>'
        for name, words in (("who", action.whom), ("when", action.when), ("why", action.why))
        if words
    )
    link = f'<a href="{text.escape(address)}" target="_self"{title}>{text.escape(action.sentence)}</a>'
    return f'<li class="pd-action-{action.kind}">{link}{about}</li>'


def ranked(view: PageContext) -> None:
    """The province beside the nation by each measure."""
    with st.container(border=True, key="figure-ranks", height="stretch"):
        rendering.defer(_ranked, view, ready=partial(_everywhere, view))


def _everywhere(view: PageContext) -> dict[str, Answer]:
    """Each measure by province against the nation, on its latest settled day or over the period of the page."""
    answers = {}
    for name in different.COMPARED:
        where, _ = view.under(catalogue()[name].dimensions - {*PLACES})
        over = view.complete_months(periods.DEFAULT_MONTHS) if catalogue()[name].kind == "event" else None
        with suppress(TooEarly):
            answers[name] = scoped_query.different(view, name, "province", where, over)
    return answers


def _ranked(view: PageContext) -> None:
    if not page_context.sees_nation(view.where):
        return
    with error_boundary(view.lang, "ranks"):

        def column(at: int, head: str) -> Column:
            return Column(head, view.word(head), lambda row: text.escape(row[at]), is_number=at in (1, 2, 4))

        similar = scoped_query.similar_to(view.where["province"][0])
        heads = ("dimension.measure", *different.HEADS, *(["compare.similar"] if similar else []))
        columns = [column(at, head) for at, head in enumerate(heads)]
        rows, title = different.ranks(sources(view), _everywhere(view), similar), view.word("profile.ranks")
        table = table_html.html(columns, rows, rows, title, sort="", total=())
        st.html(blocks.heading(title, view.word("profile.ranks_are")) + table)
        names = text.listed([view.member("province", code) for code in similar], view.lang)
        blocks.note(view.word("profile.similar" if similar else "profile.none_similar", places=names))
