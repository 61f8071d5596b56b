"""Growth: the recruits needed to reach the target in time, and announced numbers."""

from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import islice

import streamlit as st

from etl.analysis.projection import MOST_MONTHS_AHEAD, end_of_next_year
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.core.text_folding import latin_digits
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from ui.components import blocks, day_field
from ui.components.blocks import controlled, error_boundary
from ui.components.footer import question
from ui.exhibits import verdict
from ui.i18n import text
from ui.state import address, page_parameters, rendering, scoped_query, wording
from ui.state.page_context import PageContext
from ui.state.scope import Days

_PAGE = "growth"


def seek(view: PageContext) -> None:
    """The monthly recruits needed to reach a target by a day, beside those of now."""
    # The last days of the Jalali months within the projection.
    last = jalali.add_months(view.as_of, MOST_MONTHS_AHEAD)
    months = islice(jalali.units_between(view.as_of, last, "month"), MOST_MONTHS_AHEAD)
    month_ends = [month.last for month in months if month.last > view.as_of]
    ahead = Days(view.as_of + jalali.DAY, month_ends[-1])
    until = ahead.read_end(page_parameters.one(_PAGE, "until")) or end_of_next_year(view.as_of)
    ask = partial(_recruits, view, until, address.number(page_parameters.one(_PAGE, "goal")))
    rendering.defer(_seek, view, month_ends, until, ask, ready=ask)


# An answer, and the filters that have no meaning for it.
_Computed = tuple[Answer, list[str]]


def _recruits(view: PageContext, until: date, goal: float | None) -> _Computed:
    return scoped_query.computed(view, "recruits_needed", until=until, goal=goal)


def _seek(view: PageContext, month_ends: list[date], until: date, ask: Callable[[], _Computed]) -> None:
    with st.container(border=True, key="goal-seek"), error_boundary(view.lang, "goal-seek"):
        answer, ignored = ask()
        row = answer.records()[0]
        if ignored:
            blocks.note(wording.no_effect(view, ignored))
        st.html(
            f"{blocks.heading(view.word('goal.title'))}"
            f'<p class="pd-sentence" role="status">{text.escape(_words(view, row, until) + _before(view, row, until))}</p>'
            f'<p class="pd-note">{view.escaped("goal.help")}</p>'
        )
        blocks.left_out(view, answer)
        question(view, answer, "goal-seek")
        left, right = st.columns([1, 2])
        with left:
            _target(view, row["goal"])
            day_field.field(
                view, "until", view.word("goal.day"), until, _choose, (view.as_of + jalali.DAY, month_ends[-1])
            )
            day_field.trouble("until")
        with right:
            _year(view, month_ends, until)
            label, named = view.word("goal.month"), partial(text.day, lang=view.lang)
            options = sorted({*month_ends, until})
            controlled(st.select_slider, label, "goal month", until, _choose, options=options, format_func=named)
        if link := _scenario(view, row["exact_recruits"], until):
            st.html(f'<a class="pd-go" href="{text.escape(link)}" target="_self">{view.escaped("goal.scenario")}</a>')


def _scenario(view: PageContext, exact: float | None, until: date) -> str:
    """The address of the scenario with the exact recruits needed, to the goal of this page; empty beyond what it takes."""
    recruits = str(exact or 0)
    if exact is None or address.number(recruits) is None:
        return ""
    goal = page_parameters.of(_PAGE).get("goal", [])
    chosen = {"recruits": [recruits], "goal": goal, "until": [until.isoformat()]}
    return page_parameters.address(_PAGE, view.lang, view.scope.address() | chosen)


def in_a_sentence(view: PageContext) -> str:
    """Whether the recruits of now are enough for the target of the place by the end of next year; empty without a target."""
    until = end_of_next_year(view.as_of)
    try:
        row = _recruits(view, until, None)[0].records()[0]
    except QuestionError:
        return ""
    return "" if row["recruits_needed"] is None else _words(view, row, until)


def announced(view: PageContext) -> None:
    """Announced numbers next to those of the register on the same day, with known reasons for the difference."""
    with st.container(border=True, key="announced", height="stretch"), error_boundary(view.lang, "announced"):
        answer, ignored = scoped_query.computed(view, "announced")
        lines = []
        for row in answer.records():
            metric = catalogue()[row["metric"]]
            values = {
                "announced": text.plain(row["announced_value"], metric.unit, view.lang),
                "registered": text.plain(row["registered_value"], metric.unit, view.lang),
                "difference": _apart(view, row["announced_difference"]),
            }
            day = text.day(row["announced_on"], view.lang)
            sentence = view.word(
                "goal.announced", day=day, measure=text.inside(metric.short[view.lang], view.lang), **values
            )
            quoted = {
                "words": text.isolated(row["announced_words"], view.lang),
                "source": text.isolated(row["source"], view.lang),
            }
            source = view.word("goal.announced_source", **quoted)
            lines.append(f"<p><b>{text.escape(sentence)}</b></p><p class='pd-note'>{text.escape(source)}</p>")
        note = view.escaped("goal.announced_why" if lines else "goal.announced_none")
        st.html(blocks.heading(view.word("goal.announced_title")) + "".join([*lines, f'<p class="pd-note">{note}</p>']))
        if lines and ignored:
            blocks.note(wording.no_effect(view, ignored))
        question(view, answer, "announced")


def _apart(view: PageContext, difference: int | None) -> str:
    """By how many people the register differs from what was announced."""
    if difference is None:
        return view.word("figure.not_known")
    key = "goal.fewer" if difference < 0 else "goal.more" if difference else "goal.as_announced"
    return view.word(key, count=text.number(abs(difference), view.lang))


def _words(view: PageContext, row: dict, until: date) -> str:
    values = {
        "target": text.plain(row["goal"], "persons", view.lang),
        "day": text.day(until, view.lang),
        "recruits": text.plain(row["recruits_needed"], "persons", view.lang),
        "now": text.plain(row["plan_recruits"], "persons", view.lang),
    }
    needed = row["recruits_needed"]
    if row["goal"] is None:
        return verdict.without_target(view.asked)
    if not needed:
        return view.word("goal.unknown" if needed is None else "goal.none_needed", **values)
    return view.word(f"sufficiency.{row['sufficiency']}", **values)


def _before(view: PageContext, row: dict, until: date) -> str:
    """That the path of the recruits needed reaches the goal in an earlier month than that of the day, and falls again by it."""
    if not row["recruits_needed"] or not row["reached"] or row["reached"] >= jalali.unit_of(until, "month").label:
        return ""
    return " " + view.word("goal.before", month=text.unit_in_both(row["reached"], view.lang))


def _target(view: PageContext, goal: float | None) -> None:
    def changed(written: str) -> None:
        target = address.number(latin_digits(written).replace("٬", "").replace(",", "").strip())
        page_parameters.choose(_PAGE, goal=f"{target:g}" if target else None)

    shown = text.plain(goal, "persons", view.lang) if goal is not None else ""
    controlled(st.text_input, view.word("goal.target"), "goal target", shown, changed)


def _choose(day: date) -> None:
    page_parameters.choose(_PAGE, until=day.isoformat())


def _year(view: PageContext, month_ends: list[date], until: date) -> None:
    """The ends of years, each one click."""
    ends = {unit.last: unit.label for unit in (jalali.unit_of(day, "year") for day in month_ends)}

    def changed(day: date | None) -> None:
        # A second click on the chosen year takes it back and changes nothing.
        if day:
            _choose(day)

    controlled(
        st.segmented_control,
        view.word("goal.until"),
        "goal year",
        until if until in ends else None,
        changed,
        options=[day for day in month_ends if day in ends],
        format_func=lambda day: text.unit_in_both(ends[day], view.lang),
    )
