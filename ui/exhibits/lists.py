"""Lists of institutes by name: whose licence or accreditation ends, who waits. Lists of persons are no exhibits."""

from dataclasses import replace

from etl.analysis.endings import MONTHS
from etl.core.jalali import add_months
from etl.semantic.answers import Answer
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, Table
from ui.exhibits.figure import overlaps
from ui.i18n import text
from ui.state import wording
from ui.state.questions import analyse_under
from ui.state.scope import Scope


def listed(scope: Scope, ask: Ask, analysis: str) -> Exhibit:
    """The institutes of an analysis as a table, with their number as title."""
    exact, ignored = analyse_under(scope, ask.exactly, analysis)
    answer, lang = ask.shown(exact), scope.lang
    words = ChartContext(lang, names=asking.names(ask, lang))
    falls_on = answer.column("falls_on") if "falls_on" in answer.columns else ()
    last = text.day(max(falls_on, default=add_months(scope.day, MONTHS)), lang)
    title = text.word(f"listing.{analysis}", lang, count=text.number(len(answer.rows), lang), last=last)
    when = wording.where_and_when(words, answer, ask.rights, scope.day)
    are_counted_twice = any(overlaps(exact, metric, ask.exactly) for metric in exact.metrics)
    notes = [text.word("figure.overlap", lang)] if are_counted_twice else []
    notes += [wording.no_effect(words, ignored)] if ignored else []
    return Exhibit(
        lang,
        Table(),
        answer,
        Title(title, is_whole=True),
        f"{text.word(f'listing.{analysis}_help', lang)} · {when}",
        own_notes=() if answer.rows else (text.word("listing.none", lang),),
        notes=tuple(notes),
        names=words.names,
    )


def within(exhibit: Exhibit, days: str) -> Exhibit:
    """A list of what ends, of the rows that end within `days`; all of it if that is empty."""
    if not days or exhibit.answer is None:
        return exhibit
    answer, lang = ending_within(exhibit.answer, days), exhibit.lang
    count = text.number(len(answer.rows), lang)
    title = text.word("why.ending", lang, count=count, days=text.number(int(days), lang))
    none = () if answer.rows else (text.word("listing.none", lang),)
    return replace(exhibit, answer=answer, title=Title(title, is_whole=True), own_notes=none)


def ending_within(answer: Answer, days: str) -> Answer:
    """The rows that end within so many days; all of them if `days` is empty."""
    if not days:
        return answer
    at = answer.by.index("span")
    return replace(answer, rows=[row for row in answer.rows if int(row[at].rpartition("-")[2]) <= int(days)])
