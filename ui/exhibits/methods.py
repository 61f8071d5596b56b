"""How projections did in the past, and which provinces are alike. Each function is one exhibit."""

from dataclasses import replace

from ui.charts import forecast
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, Table
from ui.exhibits.figure import figure, finding
from ui.exhibits.page import Page, Section
from ui.i18n import text
from ui.state.questions import analyse_under
from ui.state.scope import Scope


def held(scope: Scope, ask: Ask) -> Exhibit:
    """How far were projections from what came?"""
    return figure(scope, ask, forecast.held, analysis="backtest")


def history(scope: Scope, ask: Ask) -> Exhibit:
    """What would the projections of earlier months have said?"""
    return figure(scope, ask, forecast.history, analysis="backtest_months")


def similar(scope: Scope, ask: Ask) -> Exhibit:
    """Which provinces are similar to each, and how far are they apart?"""
    exact, _ = analyse_under(scope, ask.exactly, "similar_provinces")
    exhibit = finding(scope, ask, exact, text.word("how.similar_title", scope.lang))
    day = text.day(text.read_day(exact.records()[0]["made_on"]), scope.lang)
    return replace(exhibit, form=Table(), intro=text.word("how.similar", scope.lang, day=day))


PAGE = Page(
    "methods",
    filters=(),
    asked_of=Scope.of_everybody,
    layout=(
        Section("methods"),
        Section("similar", (similar,)),
        Section("projections", (held, history)),
        Section("all"),
    ),
)
