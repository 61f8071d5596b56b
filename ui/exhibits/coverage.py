"""How many assistants there are for the people of a place. Each function is one exhibit."""

from dataclasses import replace
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import bars, county_maps, grouped, lines, maps, titles
from ui.charts.elements import ChartContext
from ui.data.ask import Ask
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.figure import figure, of_answer
from ui.exhibits.findings import of_rate
from ui.i18n import text
from ui.state.questions import analyse_under
from ui.state.scope import Scope

RATE = "coverage_per_10k"


def has_curve(scope: Scope) -> bool:
    """Whether coverage can be unequal between counties; that of one county is not."""
    return len(scope.where.get("county", ())) != 1


def findings(scope: Scope, ask: Ask) -> Exhibit:
    """Who has far fewer?"""
    return of_rate(scope, ask, RATE)


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How well are places covered, and how unequally?"""
    inequality = ["lorenz.gini"] if has_curve(scope) else []
    return cards(scope, ask, RATE, "coverage_per_100km2", "counties_covered", *inequality)


def by_province(scope: Scope, ask: Ask, **options: Any) -> Exhibit:
    """Which provinces have fewest?"""
    return figure(scope, ask, maps.provinces, RATE, by="province", **options)


def by_county(scope: Scope, ask: Ask, **options: Any) -> Exhibit:
    """Which counties have fewest?"""
    return figure(scope, ask, county_maps.counties, RATE, by="county", **options)


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """Has it grown in three years?"""
    # Without a map above it there is room.
    over, height = scope.complete_months(36), 320 if BELOW_PROVINCE & {*scope.where} else 200
    return figure(scope, ask, lines.trend, RATE, by="month", over=over, zero=False, height=height)


def by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Which province or county has fewest?"""
    return figure(scope, ask, bars.ranking, RATE, by="place", nation=True)


def on_census(scope: Scope, ask: Ask) -> Exhibit:
    """Which rank would a province have by the census of 1395?"""
    exact, ignored = analyse_under(scope, ask.exactly, "coverage_on_census")
    # By the census first: False sorts before True.
    metrics = sorted(exact.metrics, key=lambda metric: metric.name != "coverage_on_census")
    notes = [_moved(exact, ChartContext(scope.lang))]
    return of_answer(scope, ask, bars.ranking, replace(exact, metrics=tuple(metrics)), titles.highest, ignored, notes)


def _moved(answer: Answer, context: ChartContext) -> str:
    """The provinces whose rank changes by two or more, with both ranks."""
    moved = []
    for row in answer.records():
        if row["is_moved"]:
            place = context.member("province", row["province"])
            now, then = (text.number(row[name], context.lang) for name in ("coverage_rank", "coverage_rank_on_census"))
            moved.append(context.word("population.moved_one", place=place, now=now, then=then))
    if not moved:
        return context.word("population.moved_none")
    return context.word("population.moved", places=text.listed(moved, context.lang))


def gap(scope: Scope, ask: Ask) -> Exhibit:
    """How many assistants are missing to the nation's coverage?"""
    return figure(scope, ask, bars.ranking, "coverage_gap", by="place", says=titles.gap)


def covered(scope: Scope, ask: Ask) -> Exhibit:
    """In how many counties of each province does anybody serve?"""
    return figure(scope, ask, bars.ranking, "counties_covered", by="province", nation=True, says=titles.covered)


def lorenz(scope: Scope, ask: Ask) -> Exhibit:
    """Which share of the assistants serves which share of the people?"""
    return figure(scope, ask, lines.lorenz, analysis="lorenz")


def abroad(scope: Scope, ask: Ask) -> Exhibit:
    """How many help the police in other countries?"""
    return figure(scope, ask, grouped.countries, analysis="countries")


def millions(scope: Scope, ask: Ask) -> Exhibit:
    """Where do millions help the police?"""
    return figure(scope, ask, grouped.claimed, analysis="claim")


EXHIBITS = (by_province, by_county, over_time, by_place, on_census, gap, covered, lorenz, abroad, millions)
