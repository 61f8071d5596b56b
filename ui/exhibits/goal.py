"""The recruits that a target needs by a day, and what was announced, in words. Each function is one exhibit."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import ClassVar

from etl.analysis.projection import MOST_MONTHS_AHEAD, end_of_next_year
from etl.core.errors import QuestionError
from etl.core.jalali import DAY, add_months, unit_of, units_between
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from ui.charts.titles import Title
from ui.data.ask import Ask
from ui.exhibits import verdict
from ui.exhibits.exhibit import Exhibit, Line, Sentence, Span, sentence
from ui.i18n import text
from ui.state.given import Given, Wrong, in_address, number, one, short
from ui.state.questions import analyse_under
from ui.state.scope import Days, Scope
from ui.summary.claims import Claim, Said, claim, together


@dataclass(frozen=True)
class Goal:
    """A target that a reader sets (None: that of the place), to be reached by a day (None: the end of next year)."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("goal", "until")
    count: float | None = None
    until: date | None = None

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Goal":
        count, until = (one(given, name, scope.lang) for name in cls.PARAMETERS)
        if count and not number(count):
            raise Wrong(text.word("data.value", scope.lang, name="goal", value=short(count), near=""))
        ahead = Days(scope.day + DAY, month_ends(scope.day)[-1])
        day = ahead.read_end(until)
        if until and day is None:
            first, last = ahead.first.isoformat(), ahead.last.isoformat()
            raise Wrong(text.word("data.day", scope.lang, name="until", value=short(until), first=first, last=last))
        return cls(number(count), day)

    def query(self) -> dict[str, list[str]]:
        said = {} if self.count is None else {"goal": [in_address(self.count)]}
        return said | ({"until": [self.until.isoformat()]} if self.until else {})


def month_ends(day: date) -> list[date]:
    """The last days of the Jalali months after a day, as far as a projection goes."""
    months = islice(units_between(day, add_months(day, MOST_MONTHS_AHEAD), "month"), MOST_MONTHS_AHEAD)
    return [month.last for month in months if month.last > day]


def recruits_needed(scope: Scope, ask: Ask, goal: Goal) -> Exhibit:
    """How many recruits a month reach the target by a day, and are those of now enough?"""
    by = goal.until or end_of_next_year(scope.day)
    answer, _ = _needed(scope, ask, by, goal.count)
    return sentence(scope, [together((_enough(scope, answer, by), _falls_again(answer, by, scope.lang)))], answer)


def pace(scope: Scope, ask: Ask) -> Exhibit:
    """Are the recruits of now enough for the target of the place by the end of next year? Nothing without a target."""
    until = end_of_next_year(scope.day)
    with suppress(QuestionError):
        answer, _ = _needed(scope, ask, until, None)
        row = answer.records()[0]
        return sentence(scope, () if row["recruits_needed"] is None else [_enough(scope, answer, until)], answer)
    return sentence(scope, ())


def _needed(scope: Scope, ask: Ask, until: date, goal: float | None) -> tuple[Answer, list[str]]:
    return analyse_under(scope, ask, "recruits_needed", until=until, goal=goal)


def _enough(scope: Scope, answer: Answer, until: date) -> Said:
    row, lang = answer.records()[0], scope.lang
    needed = row["recruits_needed"]
    if row["goal"] is None:
        return Said(verdict.without_target(scope))
    values = {
        "target": text.plain(row["goal"], "persons", lang),
        "day": text.day(until, lang),
        "recruits": text.plain(needed, "persons", lang),
        "now": text.plain(row["plan_recruits"], "persons", lang),
    }
    said = tuple(_claimed(answer, name, until) for name in ("recruits_needed", "plan_recruits", "goal"))
    if not needed or row["plan_recruits"] is None:
        return Said(text.word("goal.unknown" if needed is None else "goal.none_needed", lang, **values), said)
    apart = _apart(row["plan_recruits"] - needed, lang)
    return Said(text.word(f"sufficiency.{row['sufficiency']}", lang, apart=apart, **values), said)


def _claimed(answer: Answer, name: str, until: date) -> Claim:
    """The claim of a number of the analysis of recruits; a goal that was typed is its own."""
    options = (("until", until.isoformat()), ("goal", str(answer.value("goal"))))
    return claim("value", answer, name, number=answer.value(name), analysis="recruits_needed", options=options)


def _falls_again(answer: Answer, until: date, lang: str) -> Said:
    """A sentence if the path with the recruits needed reaches the goal before the day and has fallen below it by then."""
    row = answer.records()[0]
    if not row["recruits_needed"] or not row["reached"] or row["reached"] >= unit_of(until, "month").label:
        return Said()
    month = replace(_claimed(answer, "reached", until), kind="month", members=(row["reached"],), number=None)
    return Said(text.word("goal.before", lang, month=text.unit_in_both(row["reached"], lang)), (month,))


def announced(scope: Scope, ask: Ask) -> Exhibit:
    """How do announced numbers stand beside those of the register on the same day? A line each, with its source."""
    answer, _ = analyse_under(scope, ask, "announced")
    lang, lines, claims = scope.lang, list[Line](), list[tuple[Claim, ...]]()
    for row in answer.records():
        metric = catalogue()[row["metric"]]
        values = {
            "announced": text.plain(row["announced_value"], metric.unit, lang),
            "registered": text.plain(row["registered_value"], metric.unit, lang),
            "difference": _apart(row["announced_difference"], lang),
        }
        day, measure = text.day(row["announced_on"], lang), text.inside(metric.short[lang], lang)
        said = text.word("goal.announced", lang, day=day, measure=measure, **values)
        quoted = {"words": text.isolated(row["announced_words"], lang), "source": text.isolated(row["source"], lang)}
        lines.append((Span(said, "strong"), Span(text.word("goal.announced_source", lang, **quoted))))
        names = ("announced_value", "registered_value", "announced_difference")
        claims.append(tuple(claim("value", answer, name, number=row[name], analysis="announced") for name in names))
    notes = [text.word("goal.announced_why" if lines else "goal.announced_none", lang)]
    title = Title(text.word("goal.announced_title", lang))
    return Exhibit(lang, Sentence(tuple(lines), claims=tuple(claims)), answer, title, own_notes=tuple(notes))


def _apart(difference: int | None, lang: str) -> str:
    """By how many people the register differs from what was announced."""
    if difference is None:
        return text.word("figure.not_known", lang)
    key = "goal.fewer" if difference < 0 else "goal.more" if difference else "goal.as_announced"
    return text.word(key, lang, count=text.number(abs(difference), lang))
