"""What comes next, of each topic: what ends, the queue, and the seats of training."""

from dataclasses import replace

from etl.analysis.planning import Scenario
from etl.semantic.answers import Answer
from ui.charts import ahead as charts
from ui.charts import bars, lines
from ui.charts.elements import ChartContext, unit_of
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, said
from ui.exhibits.figure import finding, of_answer
from ui.i18n import text
from ui.state.questions import analyse_under, without_first
from ui.state.scope import Scope

# What ends, and the unit in which it is counted.
_KINDS = {"licences": "institutes", "accreditations": "persons", "training": "person_courses"}
# With more bars the chart of rooms is unreadable.
_MOST_ROOMS = 15


def endings(scope: Scope, ask: Ask, kind: str) -> Exhibit:
    """What ends of a kind in the next 24 months, beside what answers it."""
    exact, ignored = analyse_under(scope, ask.exactly, "endings", by="nation")
    words = {lang: text.word(f"ahead.{kind}", lang) for lang in text.LANGUAGES}
    metric, *answered = exact.metrics
    of_kind = replace(metric, unit=_KINDS[kind], label=words, short=words)
    if kind == "licences":
        # Neither licences nor the applications that answer them are people.
        of_kind, *answered = (replace(one, counts=kind) for one in (of_kind, *answered))
    rows = [row for row in exact.rows if row[0] == kind]
    exact = without_first(replace(exact, rows=rows, metrics=(of_kind, *answered)))
    if not any(exact.column("endings")):
        return said(scope, words[scope.lang], text.word("ahead.nothing", scope.lang))
    return of_answer(scope, ask, charts.endings, exact, None, ignored, [text.word("ahead.handled", scope.lang)])


def queue(scope: Scope, ask: Ask) -> Exhibit:
    """The files that wait for a decision, and how many decisions a month they take."""
    exact, ignored = analyse_under(scope, ask.exactly, "queue")
    row, lang = exact.records()[0], scope.lang
    if row["queue_needed"] is None:
        return finding(scope, ask, exact, charts.waiting(exact, ChartContext(lang)).sentence, ignored)
    paces = {
        name: text.plain(row[f"queue_{name}"], unit_of(exact, f"queue_{name}"), lang)
        for name in ("arrivals", "decisions", "needed")
    }
    exhibit = of_answer(scope, ask, charts.paces, exact, None, ignored, [text.word("queue.note", lang)])
    return replace(exhibit, intro=text.word("queue.paces", lang, **paces))


def _entered(scenario: Scenario) -> tuple[tuple[str, str, float], ...]:
    return tuple((*place, count) for place, count in sorted(scenario.seats.items()))


def seat_plan(scope: Scope, ask: Ask, scenario: Scenario) -> Exhibit:
    """What the seat plan with the seats of a scenario reaches."""
    exact, ignored = analyse_under(scope, ask.exactly, "seat_plan_months", entered=_entered(scenario))
    notes = [text.word(f"ahead.{key}", scope.lang) for key in ("order_note", "plan_note")]
    return of_answer(scope, ask, charts.plan, replace(exact, metrics=exact.metrics[:2]), None, ignored, notes)


def seat_rooms(scope: Scope, ask: Ask, scenario: Scenario) -> Exhibit:
    """Where one more room gains most."""
    exact, ignored = analyse_under(scope, ask.exactly, "seat_plan_rooms", entered=_entered(scenario))
    if not exact.rows:
        return said(scope, text.word("ahead.room_none", scope.lang))
    most = {"most": _MOST_ROOMS}
    return of_answer(scope, ask, bars.ranking, _of_one(exact), charts.gained, ignored, options=most)


def seat_order(scope: Scope, ask: Ask, scenario: Scenario) -> Exhibit:
    """The seats to order: of one province by course and month, of several the list alone."""
    exact, ignored = analyse_under(scope, ask.exactly, "seat_plan", entered=_entered(scenario))
    if len({row[0] for row in exact.rows}) == 1:
        return of_answer(scope, ask, lines.heat, _of_one(exact), charts.ordered, ignored)
    help_key = "ahead.order_help" if exact.rows else "ahead.order_none"
    title = text.word("ahead.order", scope.lang)
    return replace(finding(scope, ask, exact, title, ignored), intro=text.word(help_key, scope.lang))


def _of_one(answer: Answer) -> Answer:
    """The rows without their province where all are of one."""
    return without_first(answer) if len({row[0] for row in answer.rows}) == 1 else answer
