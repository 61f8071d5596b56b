"""How many serve, how it goes on to the target, and who comes and leaves. Each function is one exhibit."""

from dataclasses import dataclass, replace
from typing import ClassVar

from etl.analysis import analyses, growth
from etl.analysis.coverage import MOST
from etl.analysis.planning import NOW
from etl.core.errors import QuestionError, TooEarly
from etl.semantic.answers import Answer
from ui.charts import bars, forecast, lines, steps
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask
from ui.exhibits.breaks import with_reasons
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit, Table, said
from ui.exhibits.figure import figure, finding, nothing, of_answer, of_result
from ui.exhibits.findings import of_rate
from ui.exhibits.goal import Goal, announced, recruits_needed
from ui.exhibits.page import Cards, Columns, Findings, Folded, Page, Section, When
from ui.exhibits.scenario import Planned, pace_now, without_present
from ui.exhibits.verdict import own_target, summed_up
from ui.i18n import text
from ui.state.given import Given, one
from ui.state.questions import analyse_under, ask_under, settled_on, without_places
from ui.state.scope import Scope
from ui.summary.claims import Claim, claim, of_analysis, rows

LEAVERS = "leaver_rate_12m"


def has_target(scope: Scope, ask: Ask) -> bool:
    """Whether a target is set for the place; a census share of the nation's is none, and a part of the people has none."""
    return bool(own_target(scope, ask.exactly))


def verdict(scope: Scope, ask: Ask) -> Exhibit:
    """How many are active, and when is the target reached?"""
    return summed_up(scope, ask)


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many are active, and how many join and leave?"""
    progress = ["target_progress"] if has_target(scope, ask) else []
    return cards(scope, ask, "active_assistants", *progress, "joiners", LEAVERS, "early_attrition")


def projection(scope: Scope, ask: Ask) -> Exhibit:
    """When is the target reached?"""
    return with_reasons(scope, ask, figure(scope, ask, forecast.projection, analysis="projection", target=True))


def headcount(scope: Scope, ask: Ask, planned: Planned, goal: Goal) -> Exhibit:
    """Where does a scenario lead?"""
    scenario = without_present(scope, ask, planned.scenario)
    exact, _ = analyse_under(scope, ask.exactly, "headcount", scenario=scenario, goal=goal.count)
    if all(value is None for value in exact.column(exact.metrics[1].name)):
        return nothing(scope, "state.empty_title", "state.empty")
    made = of_answer(scope, ask, forecast.path, exact)
    chosen = {"recruits": scenario.recruits, "leaver_rate": scenario.leaver_rate, "goal": goal.count}
    return of_result(made, scope, "headcount", **chosen)


def findings(scope: Scope, ask: Ask) -> Exhibit:
    """Where do clearly more leave?"""
    return of_rate(scope, ask, LEAVERS)


def joiners_and_leavers(scope: Scope, ask: Ask) -> Exhibit:
    """Who joins and who leaves each month?"""
    return figure(scope, ask, bars.paired, "joiners", "leavers", by="month", over=scope.months(24))


def has_bridge(scope: Scope, ask: Ask) -> bool:
    """Whether the steps of the group add up. Some people of an institute may serve in provinces that one does not see."""
    where = scope.under(analyses.filters("bridge"))[0]
    return growth.adds_up(where) and (ask.rights.sees_whole_country or "institute" not in where)


def bridge(scope: Scope, ask: Ask) -> Exhibit:
    """By which steps did the number change? Leavers by the latest settled day unless a period is chosen."""
    day = settled_on(ask, LEAVERS, scope.day)
    settled = scope if scope.over or not day else scope.on_day(day)
    return figure(settled, ask, steps.bridge, analysis="bridge")


def leavers_by_place(scope: Scope, ask: Ask) -> Exhibit:
    """From where do they leave most?"""
    return figure(scope, ask, bars.ranking, LEAVERS, by="place", nation=True)


def joined(scope: Scope, ask: Ask) -> int:
    """All joiners of the period, else of the last 12 complete months, in the whole country."""
    return int(ask_under(scope, ask, ["joiners"], without=scope.where)[0].value() or 0)


@dataclass(frozen=True)
class Recruits:
    """How many recruits a reader shares out; None for as many as joined, 0 for what is no whole number."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("n",)
    count: int | None = None

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Recruits":
        written = one(given, "n", scope.lang)
        return cls((int(written) if written.isdecimal() else 0) if written else None)

    def query(self) -> dict[str, list[str]]:
        return {} if self.count is None else {"n": [str(self.count)]}


def recruits(scope: Scope, ask: Ask, entered: Recruits) -> Exhibit:
    """Where would recruits go by each of three rules? As many as joined unless a number is given, among all provinces."""
    lang, everywhere = scope.lang, scope.of(without_places(scope.where))
    count = joined(scope, ask) if entered.count is None else entered.count
    title = text.word("ahead.recruits", lang)
    if not 1 <= count <= MOST:
        return said(scope, title, text.word("ahead.recruits_bounds", lang, most=text.number(MOST, lang)))
    exact, _ = analyse_under(everywhere, ask.exactly, "recruit_places", recruits=count)
    if not exact.rows:
        return said(scope, title, text.word("state.empty", lang))
    exhibit, notes = finding(everywhere, ask, exact, title), [text.word("ahead.recruits_note", lang)]
    assert exhibit.answer is not None
    ends = exhibit.answer.records()[0]["gini_before"], gini_after(exhibit.answer)["equal"]
    claimed: tuple[Claim, ...] = ()
    if None not in ends:
        claimed = _of_recruits(everywhere, exhibit.answer, count)
        before, after = (text.plain(end, "ratio", lang) for end in ends)
        title = text.word("ahead.recruits_title", lang, count=text.number(count, lang), before=before, after=after)
    return replace(exhibit, form=Table(), title=Title(title, claims=claimed), own_notes=tuple(notes))


def _of_recruits(scope: Scope, answer: Answer, count: int) -> tuple[Claim, ...]:
    """The numbers of a title that compares how unequal coverage is before recruits and after."""
    equal = [row for row in answer.rows if row[0] == "equal"]
    said = [claim("value", answer, name, **rows(answer, equal[:1], name)) for name in ("gini_before", "gini_after")]
    shared = claim("value", answer, "recruits", **rows(answer, equal, "recruits"))
    asked = asking.of_analysis("recruit_places", scope.day, answer.where, scope.over, recruits=count)
    return of_analysis((*said, shared), asked)


def gini_after(answer: Answer) -> dict[str, float | None]:
    """How unequal coverage would be, by rule."""
    return {row["rule"]: row["gini_after"] for row in answer.records()}


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """How has the number grown since the register began?"""
    return figure(scope, ask, lines.trend, "active_assistants", by="month", over=scope.months(144), target=True)


def has_scenario(scope: Scope, ask: Ask, planned: Planned, goal: Goal) -> bool:
    """Whether a path is chosen that is not the projection, and the history is long enough for one."""
    try:
        analyse_under(scope, ask.exactly, "headcount", scenario=planned.scenario, goal=goal.count)
    except TooEarly:
        return False
    except QuestionError:
        pass
    return goal.count is not None or without_present(scope, ask, planned.scenario) != NOW


PAGE = Page(
    "growth",
    filters=("@place", "@person"),
    has_period=True,
    layout=(
        Section("verdict", (verdict,)),
        projection,
        Section("goal", (recruits_needed,)),
        Section("scenario", (pace_now,)),
        When(has_scenario, headcount),
        Cards(numbers),
        Folded("goal.announced_title", Section("announced", (announced,))),
        Folded(
            "fold.flows",
            Findings(findings),
            Columns((joiners_and_leavers, When(has_bridge, bridge)), (leavers_by_place,)),
            over_time,
        ),
        Folded("ahead.recruits", Section("recruits", (recruits,))),
    ),
)
