"""Judicial officers: who is trained, who has lapsed, and whose accreditation ends. Each function is one exhibit."""

from ui.charts import bars, lines
from ui.data.ask import Ask
from ui.exhibits import ahead
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.figure import figure
from ui.exhibits.findings import of_rate
from ui.exhibits.lists import listed
from ui.exhibits.page import Cards, Columns, Findings, Folded, Listed, Page, Section
from ui.state.scope import Scope

RATE = "officer_training_share"


def findings(scope: Scope, ask: Ask) -> Exhibit:
    """Who is clearly behind?"""
    return of_rate(scope, ask, RATE)


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many officers are trained, and how many accreditations end soon?"""
    return cards(
        scope,
        ask,
        RATE,
        "officers_lapsed",
        "judicial_officers",
        "judicial_officer_share",
        "accreditation_ending_30",
        "accreditation_ending_60",
        "accreditation_ending_90",
    )


def by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Which province or county is furthest behind?"""
    return figure(scope, ask, bars.ranking, RATE, by="place", nation=True)


def lapsed_by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Where have most officers lapsed?"""
    return figure(scope, ask, bars.ranking, "officers_lapsed", by="place")


def by_course(scope: Scope, ask: Ask) -> Exhibit:
    """In which course are most officers out of date?"""
    return figure(scope, ask, bars.ranking, RATE, by="course")


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """How many officers have there been in five years?"""
    return figure(scope, ask, lines.trend, "judicial_officers", by="month", over=scope.months(60))


def officers_by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Where are most assistants officers?"""
    return figure(scope, ask, bars.ranking, "judicial_officer_share", by="place", nation=True)


def endings(scope: Scope, ask: Ask) -> Exhibit:
    """How many accreditations end in the coming 24 months?"""
    return ahead.endings(scope, ask, "accreditations")


def accreditations_ending(scope: Scope, ask: Ask) -> Exhibit:
    """Where does the accreditation of officers end within 90 days?"""
    return listed(scope, ask, "accreditations_ending")


def officers_untrained(scope: Scope, ask: Ask) -> Exhibit:
    """Where are officers whose training is not in date?"""
    return listed(scope, ask, "officers_untrained")


LISTS = (accreditations_ending, officers_untrained)
PAGE = Page(
    "legal",
    filters=("@place", "@person"),
    has_period=True,
    layout=(
        Section("opened"),
        Findings(findings),
        by_place,
        Cards(numbers),
        Listed(accreditations_ending),
        Listed(officers_untrained),
        Folded(
            "fold.officers",
            Columns((lapsed_by_place,), (officers_by_place,)),
            Columns((by_course,), (over_time,)),
            endings,
        ),
    ),
)
