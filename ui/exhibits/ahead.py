"""What ends in the coming months, of each topic."""

from dataclasses import replace

from ui.charts import ahead as charts
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, said
from ui.exhibits.figure import of_answer
from ui.i18n import text
from ui.state.questions import analyse_under, without_first
from ui.state.scope import Scope

# What ends, and the unit in which it is counted.
_KINDS = {"licences": "institutes", "accreditations": "persons", "training": "person_courses"}


def endings(scope: Scope, ask: Ask, kind: str) -> Exhibit:
    """What ends of a kind in the next 24 months, beside what answers it."""
    exact, _ = analyse_under(scope, ask.exactly, "endings", by="nation")
    words = {lang: text.word(f"ahead.{kind}", lang) for lang in text.LANGUAGES}
    metric, *answered = exact.metrics
    of_kind = replace(metric, unit=_KINDS[kind], label=words, short=words)
    if kind == "licences":
        # Neither licences nor the applications that answer them are people.
        of_kind, *answered = (replace(one, counts=kind) for one in (of_kind, *answered))
    rows = [row for row in exact.rows if row[0] == kind]
    exact = without_first(replace(exact, rows=rows, metrics=(of_kind, *answered)))
    if not any(ask.shown(exact).column("endings")):
        return said(scope, words[scope.lang], text.word("ahead.nothing", scope.lang))
    return of_answer(scope, ask, charts.endings, exact, None, [text.word("ahead.handled", scope.lang)])
