"""Follow a number: the dialog that "What is this number?" of each figure opens."""

from collections.abc import Mapping
from datetime import date
from functools import partial

import streamlit as st

from etl.analysis.different import is_tested_over_time
from etl.core.errors import AccessDenied, QuestionError, Refused
from etl.core.jalali import add_months, unit_of
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import is_tested
from etl.submissions.desk import Person
from ui.components import blocks
from ui.data import page_run, warehouse
from ui.data.ask import Where
from ui.follow import own, words
from ui.follow.follow import (
    ABOVE,
    BELOW,
    CHANGED,
    COUNTIES_OF,
    EVERY_PROVINCE,
    HIGHER,
    LOWER,
    PUBLICATION,
    Condition,
    Follow,
    NotAShare,
    checked,
)
from ui.follow.telling import Replay, number_of, replay
from ui.i18n import text
from ui.state import acts
from ui.state.page_context import PageContext
from ui.state.scope import NATION, in_order

# The replay goes back so many months; who would have been told more often than this is warned.
_MONTHS, _OFTEN = 24, 12
# So many members are named.
_NAMED = 5


def offer(view: PageContext, answer: Answer, ident: str) -> None:
    """A button that opens the dialog in which the first measure of an answer is followed; none of a day or another's measure."""
    metric = answer.metrics[0]
    if metric.name not in catalogue() or metric.name not in answer.measures or metric.unit == "date":
        return
    if st.button(view.word("follow.offer"), key=f"follow-{ident}", type="tertiary"):
        opened = st.dialog(view.word("follow.title"), width="medium")(_inside)
        opened(view, metric.name, dict(answer.where))


def _inside(view: PageContext, name: str, where: Where) -> None:
    with blocks.error_boundary(view.lang, "follow"):
        form(view, catalogue()[name], where)


def form(view: PageContext, metric: Metric, where: Where, edited: own.Own | None = None) -> None:
    """What is to be told, at once what it would have told, and the button; `edited`: instead of this follow."""
    begun = edited.follow if edited else None
    key = f"follow-{edited.ident}" if edited else "follow"
    places = _places(metric, where)
    place = st.selectbox(
        view.word("follow.place"),
        places,
        places.index(begun.place) if begun and begun.place in places else 0,
        format_func=partial(place_word, view),
        key=f"{key}-place",
    )
    kinds = _kinds(metric, place)
    kind = st.selectbox(
        view.word("follow.when", measure=metric.label[view.lang]),
        kinds,
        kinds.index(begun.condition.kind) if begun and begun.condition.kind in kinds else 0,
        format_func=lambda one: words.of_kind(one, view.lang),
        key=f"{key}-kind",
    )
    team = edited.team if edited else for_whom(view, key)
    written = ""
    if kind in (BELOW, ABOVE):
        example = text.plain(0.8 if metric.unit == "share" else 100, metric.unit, view.lang)
        number = begun.condition.number if begun else None
        value = "" if number is None else text.plain(number, metric.unit, view.lang)
        written = st.text_input(view.word("follow.number"), value, key=f"{key}-number", placeholder=example)
    ends = st.checkbox(view.word("follow.end"), bool(begun and begun.tells_end), key=f"{key}-end")
    by_mail = own.has_mail() and st.checkbox(
        view.word("follow.by_mail"), bool(begun and begun.by_mail), key=f"{key}-mail"
    )
    attaches = (
        by_mail
        and own.attaches()
        and st.checkbox(view.word("follow.attach"), bool(begun and begun.attaches), key=f"{key}-attach")
    )
    is_said = acts.said(key)
    if kind in (BELOW, ABOVE) and not written.strip():
        return
    try:
        number = number_of(written, metric.unit) if written else None
        condition, filters = Condition(kind, number), in_order(_besides(metric, where))
        follow = checked(Follow(condition, metric.name, place, filters, ends, bool(by_mail), bool(attaches)))
    except NotAShare:
        percent = text.percent(float(number or 0) / 100, view.lang)
        blocks.note(view.word("follow.percent", number=percent), is_status=True)
    except ValueError:
        blocks.note(view.word("follow.no_number"), is_status=True)
    else:
        _what(view, follow, edited, team, is_said)


def for_whom(view: PageContext, key: str) -> str:
    """The team for which a steward follows; empty: who reads."""
    if not (teams := own.teams()):
        return ""
    return st.selectbox(
        view.word("follow.for"),
        ["", *teams],
        format_func=lambda team: team or view.word("follow.for_me"),
        key=f"{key}-for",
    )


def _what(view: PageContext, follow: Follow, edited: own.Own | None, team: str, is_said: bool) -> None:
    """The follow in words, its replay and its button; only the words where it can never be told, or `is_said` what came of it."""
    st.html(f'<p class="pd-said"><strong>{text.escape(words.about(follow, view.lang))}</strong></p>')
    try:
        found = replay(follow, warehouse.of_page(), _ends(view))
    except (AccessDenied, QuestionError):
        found = Replay([], {}, (follow.place,))
    for sentence in _sentences(view, follow, found):
        blocks.note(sentence)
    if found.never and not found.can_be_told:
        return
    if own.is_followed(follow, edited.ident if edited else "", team):
        if not is_said:
            blocks.note(view.word("follow.taken"))
        return
    if edited and edited.follow == follow:
        return
    step = partial(start, view.lang, follow, edited.ident if edited else "", team)
    done, at = ("", "news") if edited else (view.word("follow.started"), "follow")
    st.button(
        view.word("follow.save" if edited else "follow.follow"),
        key=f"follow-{'save' if edited else 'start'}",
        type="primary",
        on_click=acts.take,
        args=(view, step, done, at),
    )


def place_word(view: PageContext, code: str) -> str:
    return words.place(Follow(Condition(PUBLICATION), place=code), view.lang)


def widest() -> list[str]:
    """The nation, or for who sees a part of it the provinces of that part."""
    scope = page_run.access_scope()
    return [NATION] if scope.sees_whole_country else sorted(scope.codes)


def _places(metric: Metric, where: Where) -> list[str]:
    """The places whose number can be followed, that of the figure first."""
    if "province" not in metric.dimensions:
        return [NATION]
    chosen = tuple(where.get("province", ()))
    mine = chosen if len(chosen) == 1 else ()
    found = list(dict.fromkeys([*mine, *widest()]))
    if len(page_run.access_scope().codes) > 1:
        found.insert(1, EVERY_PROVINCE)
    if mine and "county" in metric.dimensions and "county" not in where:
        found.append(f"{COUNTIES_OF}{mine[0]}")
    return found


def _besides(metric: Metric, where: Where) -> dict[str, tuple[str, ...]]:
    """The filters of a figure besides its provinces."""
    return {name: tuple(codes) for name, codes in where.items() if name != "province" and name in metric.dimensions}


def _kinds(metric: Metric, place: str) -> list[str]:
    kinds = [BELOW, ABOVE]
    if place != NATION and is_tested(metric.name):
        kinds = [LOWER, HIGHER, *kinds]
    return kinds + ([CHANGED] if is_tested_over_time(metric.name) else [])


def _ends(view: PageContext) -> list[date]:
    """The ends of the last months, and the latest day."""
    latest = view.latest
    ends = [unit_of(add_months(latest, -back), "month").last for back in range(_MONTHS, 0, -1)]
    return [*(end for end in ends if end < latest), latest]


def _sentences(view: PageContext, follow: Follow, found: Replay) -> list[str]:
    """How often it would have been told, where it holds already, and of whom it can never be told."""
    months = [text.unit_label(unit_of(date.fromisoformat(on), "month").label, view.lang) for on, _ in found.times]
    count = text.number(len(months), view.lang)
    said = []
    if found.can_be_told:
        key = "never_yet" if not months else "often" if len(months) > _OFTEN else "replayed"
        said.append(view.word(f"follow.{key}", count=count, months=text.listed(months, view.lang)))
    if found.holds_now:
        names = _names(view, follow, found.holds_now)
        number = found.holds_now.get(follow.place if follow.by else follow.province or NATION)
        value = text.plain(number, catalogue()[follow.measure].unit, view.lang) if number is not None else names
        said.append(view.word("follow.holds_now", what=value))
    if found.never:
        said.append(view.word("follow.never", who=_names(view, follow, found.never)))
    return said


def _names(view: PageContext, follow: Follow, codes: Mapping[str, object] | tuple[str, ...]) -> str:
    """The names of the first members, and how many more there are."""
    named = [words.member(follow, code, view.lang) for code in [*codes][:_NAMED]]
    if more := len(codes) - len(named):
        named.append(view.word("follow.others", count=text.number(more, view.lang)))
    return text.listed(named, view.lang)


def start(lang: str, follow: Follow, instead_of: str, team: str, _: Person) -> None:
    try:
        own.start(follow, lang, instead_of, team)
    except AccessDenied:
        raise
    except QuestionError:
        raise Refused(text.word("follow.never", lang, who=words.place(follow, lang))) from None
