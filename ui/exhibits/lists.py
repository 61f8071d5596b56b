"""Lists of institutes by name: whose licence or accreditation ends, who waits. Lists of persons are no exhibits."""

from dataclasses import dataclass, replace
from typing import ClassVar

from etl.analysis.endings import MONTHS
from etl.analysis.licensing import DAYS_LEFT
from etl.core.jalali import add_months
from etl.semantic.answers import Answer
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask, of_analysis
from ui.exhibits.exhibit import Exhibit, Table
from ui.exhibits.figure import overlaps
from ui.i18n import text
from ui.state import wording
from ui.state.given import Given, one, wrong_value
from ui.state.questions import analyse_under
from ui.state.scope import Scope
from ui.summary import claims
from ui.summary.claims import Claim, claim


@dataclass(frozen=True)
class Within:
    """The days within which what is listed ends."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("days",)
    days: int

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Within":
        """The days that an address names, by default all of the list. Raises Wrong."""
        days = one(given, "days", scope.lang) or str(DAYS_LEFT[-1])
        if days not in map(str, DAYS_LEFT):
            raise wrong_value("days", days, map(str, DAYS_LEFT), scope.lang)
        return cls(int(days))

    def query(self) -> dict[str, list[str]]:
        return {"days": [str(self.days)]}


# All of a list of what ends.
WHOLE = Within(DAYS_LEFT[-1])


@dataclass(frozen=True)
class Opened:
    """The list that an address opens at the top of its page; empty for none."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("open",)
    name: str = ""

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Opened":
        return cls(one(given, "open", scope.lang))

    def query(self) -> dict[str, list[str]]:
        return {"open": [self.name]} if self.name else {}


def listed(scope: Scope, ask: Ask, analysis: str, within: Within = WHOLE) -> Exhibit:
    """The institutes of an analysis as a table; of what ends, those that end `within` some days.

    Its title says their number.
    """
    exact, _ = analyse_under(scope, ask.exactly, analysis)
    has_end = "span" in exact.by
    exact = ending_within(exact, within.days) if has_end else exact
    answer, lang = ask.shown(exact), scope.lang
    words = ChartContext(lang, names=asking.names(ask, lang))
    falls_on = [*filter(None, answer.column("falls_on"))] if "falls_on" in answer.columns else ()
    last = text.day(max(falls_on, default=add_months(scope.day, MONTHS)), lang)
    days = text.number(within.days, lang)
    key = f"listing.{analysis}" if within == WHOLE else "why.ending"
    title = text.word(key, lang, count=text.number(len(answer.rows), lang), last=last, days=days)
    counted = _counted(answer, analysis, scope) if within == WHOLE else ()
    when = wording.where_and_when(words, answer, ask.rights, scope.day)
    are_counted_twice = any(overlaps(answer, metric, ask) for metric in answer.metrics)
    notes = [text.word("figure.overlap", lang)] if are_counted_twice else []
    return Exhibit(
        lang,
        Table(),
        answer,
        Title(title, is_whole=True, claims=counted),
        f"{text.word(f'listing.{analysis}_help', lang)} · {when}",
        own_notes=() if exact.rows else (text.word("listing.none", lang),),
        notes=tuple(notes),
        names=words.names,
        limit=text.word("why.days", lang, count=days) if has_end else "",
    )


def _counted(answer: Answer, analysis: str, scope: Scope) -> tuple[Claim, ...]:
    """The claim of how many institutes a list has."""
    asked = of_analysis(analysis, scope.day, answer.where, scope.over)
    return claims.of_analysis([claim("count", answer, by=("institute",), number=len(answer.rows))], asked)


def ending_within(answer: Answer, days: int) -> Answer:
    """The rows that end within so many days."""
    at = answer.by.index("span")
    return replace(answer, rows=[row for row in answer.rows if int(row[at].rpartition("-")[2]) <= days])
