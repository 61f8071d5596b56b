"""Whose training is in date, whose is about to lapse, and which seats does that take? Each function is one exhibit."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from etl.analysis.planning import NOW, Scenario
from etl.analysis.training import MOST_MISSED
from etl.semantic.answers import Answer
from etl.semantic.units import rounded_half_up
from ui.charts import ahead as charts
from ui.charts import bars, forecast, lines, maps
from ui.charts.elements import ChartContext
from ui.data import ask as asking
from ui.data.ask import Ask
from ui.exhibits import ahead
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit, said, sentence
from ui.exhibits.figure import figure, finding, nothing, of_answer, of_result
from ui.exhibits.findings import of_rate
from ui.exhibits.lists import listed
from ui.exhibits.page import Cards, Columns, Findings, Folded, Listed, Page, Section, When, has_map, is_above_counties
from ui.exhibits.scenario import Planned, pace_now, seats_now, without_present
from ui.i18n import text
from ui.state import wording
from ui.state.questions import analyse_under, ask_under, without_first
from ui.state.scope import Scope
from ui.summary.claims import Said, of_analysis, value

RATE = "training_compliance"
BANDS = {f"status_{band}": band for band in ("in_date", "pending", "expired", "overdue")}
# Seats are kept by these; of any other group only what is certain is known.
_OF_SEATS = {"province", "course"}
# A change of the lapses that is worth a note.
_MANY_MORE = 0.05
# With more bars the chart of rooms is unreadable.
_MOST_ROOMS = 15


def findings(scope: Scope, ask: Ask) -> Exhibit:
    """Who is clearly behind?"""
    return of_rate(scope, ask, RATE)


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many are in date?"""
    return cards(scope, ask, RATE, "requirement_rate", "training_hours", beside={RATE: "trained_share"})


def by_province(scope: Scope, ask: Ask) -> Exhibit:
    """Which provinces are clearly below the nation?"""
    return figure(scope, ask, maps.provinces, RATE, by="province")


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """Has it risen in two years?"""
    height = 200 if scope.has_map else 320
    return figure(scope, ask, lines.trend, RATE, by="month", over=scope.months(24), zero=False, height=height)


def by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Which province or county is furthest behind?"""
    return figure(scope, ask, bars.ranking, RATE, by="place", nation=True)


def by_status(scope: Scope, ask: Ask) -> Exhibit:
    """How many are pending, expired, or overdue in each place?"""
    return figure(scope, ask, bars.stacked, RATE, *BANDS, by="place", parts=tuple(BANDS.items()))


def lapsing(scope: Scope, ask: Ask) -> Exhibit:
    """Whose training lapses within 30, 60 and 90 days?"""
    exact, _ = ask_under(scope, ask.exactly, [f"expiring_{days}" for days in (30, 60, 90)])
    context = ChartContext(scope.lang, names=asking.names(ask, scope.lang))
    when = wording.where_and_when(context, exact, ask.rights, scope.day)
    subtitle = f"{context.word('futures.lapsing')} · {when}"
    return of_answer(scope, ask, bars.spans, exact, subtitle=subtitle)


def seats(scope: Scope, ask: Ask) -> Exhibit:
    """How many seats does each course need in six months?"""
    return figure(scope, ask, bars.ranking, analysis="seats")


def futures(scope: Scope, ask: Ask, planned: Planned) -> Exhibit:
    """Where does it go: without training, with the seats of now, with a plan? Of a group without seats, if nobody trains."""
    if not scope.where.keys() <= _OF_SEATS:
        return figure(scope, ask, lines.run_off, analysis="run_off")
    scenario = without_present(scope, ask, planned.scenario)
    exact, _ = analyse_under(scope, ask.exactly, "futures", scenario=scenario)
    if all(value is None for value in exact.column("run_off")):
        return nothing(scope, "state.empty_title", "state.empty")
    # The numbers of the trial and of the lapses are said in words.
    drawn, is_changed = replace(exact, metrics=exact.metrics[:7]), scenario != NOW
    says, options = partial(forecast.with_seats, is_changed=is_changed), {"is_changed": is_changed}
    notes = _why_they_differ(ask.shown(exact), scenario, scope.lang, ask is ask.exactly)
    made = of_answer(scope, ask, forecast.futures, drawn, says, notes, options)
    return of_result(made, scope, "futures", scenario=scenario if is_changed else None)


def _why_they_differ(answer: Answer, scenario: Scenario, lang: str, is_exact: bool) -> list[str]:
    """Why the lines differ, or why there is no scenario; what the coming year asks for; what recruits do to seats.

    For circulation, which has no lines, the second alone.
    """
    last = answer.records()[-1]
    miss, coming, before = (last[name] for name in ("plan_miss", "lapses_ahead", "lapses_before"))
    most, balance = text.number(MOST_MISSED * 100, lang), _balance(last, lang)
    if not is_exact:
        return [balance, *_many_more(coming, before, lang)]
    if miss is None:
        return [balance, text.word("futures.untried", lang)]
    if abs(miss) > MOST_MISSED:
        missed = text.amount(abs(miss), "share_points", lang)
        return [balance, text.word("futures.missed", lang, miss=missed, most=most)]
    if last["plan_compliance"] is None:
        return [balance, text.word("futures.contradicted", lang)]
    notes = [balance, text.word("futures.why", lang), *_many_more(coming, before, lang)]
    if scenario.recruits is not None:
        notes.append(text.word("futures.recruits", lang))
    return notes


def _many_more(coming: float, before: float, lang: str) -> list[str]:
    """That many more fall due than in the year before."""
    if not before or coming / before - 1 < _MANY_MORE:
        return []
    more = text.percent(coming / before - 1, lang, 0)
    return [text.word("futures.lapses", lang, count=text.number(coming, lang), more=more)]


def _balance(row: Mapping[str, Any], lang: str) -> str:
    """What ends and what recruits need in a month of the coming year, against what the seats give."""
    ends, joined, passed = (row[name] / 12 for name in ("lapses_ahead", "joiner_courses", "passes_ahead"))
    left_over = rounded_half_up(passed, 0) - rounded_half_up(ends, 0) - rounded_half_up(joined, 0)
    key = "over" if left_over > 0 else "short" if left_over < 0 else "even"
    said = text.word(f"futures.balance_{key}", lang, count=text.number(abs(left_over), lang))
    values = {"ends": ends, "joined": joined, "passed": passed}
    return text.word("futures.balance", lang, said=said, **{name: text.number(of, lang) for name, of in values.items()})


def endings(scope: Scope, ask: Ask) -> Exhibit:
    """How much training ends in the coming 24 months, beside what answers it?"""
    return ahead.endings(scope, ask, "training")


def fell(scope: Scope, ask: Ask) -> Exhibit:
    """How many of the institutes that were listed before as falling below the goal did fall?"""
    exact, _ = analyse_under(scope, ask.exactly, "endings_backtest")
    asked = asking.of_analysis("endings_backtest", scope.day, exact.where, scope.over)
    answer = ask.shown(exact)
    listed, share = answer.rows[0]
    words = {"count": text.number(listed, scope.lang), "share": text.percent(share, scope.lang, 0)}
    said = text.word("ahead.tried" if listed else "ahead.untried", scope.lang, **words)
    counted = of_analysis([value(answer, name) for name in answer.measures], asked) if listed else ()
    return sentence(scope, [Said(said, counted)], answer)


def seat_plan(scope: Scope, ask: Ask, planned: Planned) -> Exhibit:
    """What do the seats to order reach?"""
    exact, _ = analyse_under(scope, ask.exactly, "seat_plan_months", entered=_entered(scope, ask, planned))
    notes = [text.word(f"ahead.{key}", scope.lang) for key in ("order_note", "plan_note")]
    made = of_answer(scope, ask, charts.plan, replace(exact, metrics=exact.metrics[:2]), None, notes)
    return of_result(made, scope, "seat_plan_months")


def seat_rooms(scope: Scope, ask: Ask, planned: Planned) -> Exhibit:
    """Where does one more room gain most?"""
    exact, _ = analyse_under(scope, ask.exactly, "seat_plan_rooms", entered=_entered(scope, ask, planned))
    if not exact.rows:
        return said(scope, text.word("ahead.room_none", scope.lang))
    most = {"most": _MOST_ROOMS}
    made = of_answer(scope, ask, bars.ranking, _of_one(exact), charts.gained, options=most)
    return of_result(made, scope, "seat_plan_rooms")


def seat_order(scope: Scope, ask: Ask, planned: Planned) -> Exhibit:
    """Which seats are to be ordered, by course and month? Of several provinces the list alone."""
    exact, _ = analyse_under(scope, ask.exactly, "seat_plan", entered=_entered(scope, ask, planned))
    if len({row[0] for row in exact.rows}) == 1:
        made = of_answer(scope, ask, lines.heat, _of_one(exact), charts.ordered)
        return of_result(made, scope, "seat_plan")
    help_key = "ahead.order_help" if exact.rows else "ahead.order_none"
    title = text.word("ahead.order", scope.lang)
    return replace(finding(scope, ask, exact, title), intro=text.word(help_key, scope.lang))


def _entered(scope: Scope, ask: Ask, planned: Planned) -> tuple[tuple[str, str, float], ...]:
    scenario = without_present(scope, ask, planned.scenario)
    return tuple((*place, count) for place, count in sorted(scenario.seats.items()))


def _of_one(answer: Answer) -> Answer:
    """The rows without their province where all are of one."""
    return without_first(answer) if len({row[0] for row in answer.rows}) == 1 else answer


def institutes_falling(scope: Scope, ask: Ask) -> Exhibit:
    """Which institutes fall below the goal if nobody trains, and when?"""
    return listed(scope, ask, "institutes_falling")


PAGE = Page(
    "training",
    filters=("@place", "@person", "@course"),
    has_period=True,
    layout=(
        Findings(findings),
        Columns((When(has_map, by_province), over_time), (by_place,)),
        futures,
        Cards(numbers),
        Listed(institutes_falling),
        Findings(fell, quiet=True),
        Folded("fold.lapses", Columns((lapsing, by_status), (seats,)), endings),
        When(
            is_above_counties,
            Folded(
                "ahead.seats",
                Section("scenario", (pace_now, seats_now)),
                Columns((seat_plan, Section("order", (seat_order,))), (seat_rooms,)),
            ),
        ),
    ),
)
