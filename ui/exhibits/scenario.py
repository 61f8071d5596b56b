"""A scenario as a reader chooses it with sliders: recruits a month, leavers a year, seats a month by province and course."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from etl.analysis.planning import NOW, Scenario
from etl.core.errors import QuestionError
from etl.semantic.answers import Answer
from ui.charts.elements import unit_of
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.figure import finding
from ui.i18n import member_names, text
from ui.state.given import Given, Wrong, in_address, number, one, seat, short
from ui.state.questions import analyse_under
from ui.state.scope import Scope


@dataclass(frozen=True)
class Planned:
    """The scenario that an address holds; without any the last 12 months go on."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("recruits", "leave", "seats")
    scenario: Scenario = NOW

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Planned":
        recruits, leave = (
            _number(given, name, most, scope.lang) for name, most in (("recruits", 1_000_000), ("leave", 100))
        )
        seats, provinces = {}, member_names.fixed("province", scope.lang)
        for written in given.get("seats", ()):
            found = seat(written)
            if found is None or (found[0] and found[0] not in provinces):
                raise Wrong(text.word("data.value", scope.lang, name="seats", value=short(written), near=""))
            seats[found[:2]] = found[2]
        return cls(Scenario(recruits, None if leave is None else leave / 100, seats))

    def query(self) -> dict[str, list[str]]:
        said = {}
        if self.scenario.recruits is not None:
            said["recruits"] = [in_address(self.scenario.recruits)]
        if self.scenario.leaver_rate is not None:
            said["leave"] = [in_address(float(text.percentage(self.scenario.leaver_rate)))]
        if self.scenario.seats:
            said["seats"] = seats_in_address(self.scenario)
        return said


def _number(given: Given, name: str, most: float, lang: str) -> float | None:
    written = one(given, name, lang)
    if written and number(written, most) is None:
        raise Wrong(text.word("data.value", lang, name=name, value=short(written), near=""))
    return number(written, most)


def seats_in_address(scenario: Scenario) -> list[str]:
    """The seats of a scenario as an address has them: `IR-23.lead:3`."""
    return [f"{'.'.join(filter(None, pool))}:{in_address(count)}" for pool, count in sorted(scenario.seats.items())]


def without_present(scope: Scope, ask: Ask, scenario: Scenario) -> Scenario:
    """The scenario without what its sliders show untouched: their numbers are rounded, and choosing them changes nothing."""
    exactly = ask.exactly
    with suppress(QuestionError):
        if scenario.recruits is not None or scenario.leaver_rate is not None:
            pace = analyse_under(scope, exactly, "pace_now")[0]
            if scenario.recruits == as_shown(pace, "plan_recruits"):
                scenario = replace(scenario, recruits=None)
            if text.rounded(scenario.leaver_rate, "share") == as_shown(pace, "plan_leaver_rate"):
                scenario = replace(scenario, leaver_rate=None)
    with suppress(QuestionError):
        for (pool, course), count in scenario.seats.items():
            answer = analyse_under(scope, exactly, "seats_now")[0]
            if count == whole(present_seats(answer, scenario, pool).get(course, 0.0)):
                seats = {place: number for place, number in scenario.seats.items() if place != (pool, course)}
                scenario = replace(scenario, seats=seats)
    return scenario


def as_shown(answer: Answer, name: str) -> Any:
    """A number of the answer, rounded as beside its slider; 0 if there is none."""
    return text.rounded(answer.value(name), unit_of(answer, name)) or 0


def present_seats(answer: Answer, scenario: Scenario, pool: str) -> dict[str, float]:
    """The seats a month of each course in a province, or those shared by all that the scenario does not set apart."""
    current: dict[str, float] = {}
    for province, course, count in answer.rows:
        if province == pool or (not pool and (province, course) not in scenario.seats):
            current[course] = current.get(course, 0.0) + count
    return current


def whole(seats: float) -> int:
    """Seats as their slider shows them."""
    return int(text.rounded_half_up(seats, 0))


def pace_now(scope: Scope, ask: Ask) -> Exhibit:
    """How many come and leave now?"""
    return _now(scope, ask, "pace_now")


def seats_now(scope: Scope, ask: Ask) -> Exhibit:
    """How many seats a month does each course have now?"""
    return _now(scope, ask, "seats_now")


def _now(scope: Scope, ask: Ask, analysis: str) -> Exhibit:
    exact, _ = analyse_under(scope, ask.exactly, analysis)
    return finding(scope, ask, exact, exact.metrics[0].label[scope.lang])
