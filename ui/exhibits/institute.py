"""One institute: its people, and their training. Each function is one exhibit."""

from ui.charts import bars, lines
from ui.data.ask import Ask
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.figure import figure
from ui.state.scope import Scope


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many serve, and how many are trained?"""
    names = ("active_assistants", "in_service", "training_compliance", "judicial_officer_share", "expiring_30")
    return cards(scope, ask, *names)


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """How has the number of its people changed?"""
    over = scope.months(60)
    return figure(scope, ask, lines.trend, "in_service", "active_assistants", by="month", over=over)


def by_course(scope: Scope, ask: Ask) -> Exhibit:
    """In which course are most out of date?"""
    return figure(scope, ask, bars.ranking, "training_compliance", by="course")


EXHIBITS = (over_time, by_course)
