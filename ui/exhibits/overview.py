"""The first screen: its verdict, and a picture for each of its three questions. Each function is one exhibit."""

from ui.charts import county_maps, forecast, lines, maps
from ui.data.ask import Ask
from ui.exhibits import goal
from ui.exhibits import verdict as verdict_of
from ui.exhibits.breaks import with_reasons
from ui.exhibits.cards import number
from ui.exhibits.coverage import counties_without
from ui.exhibits.exhibit import Exhibit, sentence
from ui.exhibits.figure import figure, nothing
from ui.exhibits.findings import beside_nation, of_rate
from ui.exhibits.glance import glance
from ui.exhibits.licensing import register
from ui.exhibits.needs_action import needs_action
from ui.exhibits.page import Page, Section, When
from ui.exhibits.verdict import summed_up
from ui.state.scope import Scope

COVERAGE, ACTIVE, TRAINING = "coverage_per_10k", "active_assistants", "training_compliance"
# The height of the pictures in pixels: that of a map as wide as a panel.
_HEIGHT = 253
# Of a province more is said above the map of its counties than above the trends beside it.
_BESIDE_COUNTIES = 320
_MONTHS = 24
# Why nothing of nobody is shown.
_NOBODY = ("state.nobody_title", "state.nobody")


def verdict(scope: Scope, ask: Ask) -> Exhibit:
    """How many are active, and how far is the target?"""
    return summed_up(scope, ask, reached=False)


def coverage(scope: Scope, ask: Ask) -> Exhibit:
    """Which provinces, or counties of one, have fewest? An institute has no residents."""
    if "institute" in scope.where:
        return nothing(scope, "state.not_narrowed_title", "state.no_coverage")
    if verdict_of.nobody(scope, ask):
        return nothing(scope, *_NOBODY)
    if scope.province:
        return figure(scope, ask, county_maps.counties, COVERAGE, by="county", height=_HEIGHT)
    if scope.has_map:
        return figure(scope, ask, maps.provinces, COVERAGE, by="province", height=_HEIGHT)
    over = scope.months(_MONTHS)
    return figure(scope, ask, lines.trend, COVERAGE, by="month", over=over, zero=False, height=_HEIGHT)


def growth(scope: Scope, ask: Ask) -> Exhibit:
    """When is the target reached?"""
    if verdict_of.nobody(scope, ask):
        return nothing(scope, *_NOBODY)
    # Of the country a sentence more stands above it.
    height = _BESIDE_COUNTIES if scope.province else _HEIGHT - 86
    made = figure(scope, ask, forecast.projection, analysis="projection", target=True, height=height)
    return with_reasons(scope, ask, made) if scope.province else made


def training(scope: Scope, ask: Ask) -> Exhibit:
    """Which provinces are clearly below the nation, or how did the one place go beside it?"""
    if verdict_of.nobody(scope, ask):
        return nothing(scope, *_NOBODY)
    if scope.has_map:
        return figure(scope, ask, maps.provinces, TRAINING, by="province", height=_HEIGHT)
    over, height = scope.months(_MONTHS), _BESIDE_COUNTIES if scope.province else _HEIGHT
    return figure(scope, ask, lines.trend, TRAINING, by="month", over=over, zero=False, nation=True, height=height)


def coverage_now(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many assistants are there for the people?"""
    return number(scope, ask, COVERAGE)


def active_now(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many are active?"""
    return number(scope, ask, ACTIVE)


def training_now(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many are in date?"""
    return number(scope, ask, TRAINING)


def coverage_said(scope: Scope, ask: Ask) -> Exhibit:
    """Who has far fewer? Nothing is said of nobody, here and in the other panels, nor of an institute, which has no residents."""
    has_none = "institute" in scope.where or verdict_of.nobody(scope, ask)
    return sentence(scope, ()) if has_none else of_rate(scope, ask, COVERAGE)


def training_said(scope: Scope, ask: Ask) -> Exhibit:
    """Who is clearly behind?"""
    return sentence(scope, ()) if verdict_of.nobody(scope, ask) else of_rate(scope, ask, TRAINING)


def to_target(scope: Scope, ask: Ask) -> Exhibit:
    """When is the target reached, and which provinces are furthest below?"""
    return sentence(scope, ()) if verdict_of.nobody(scope, ask) else verdict_of.to_target(scope, ask)


def pace(scope: Scope, ask: Ask) -> Exhibit:
    """Are the recruits of now enough for the target?"""
    return sentence(scope, ()) if verdict_of.nobody(scope, ask) else goal.pace(scope, ask)


def is_of_province(scope: Scope, ask: Ask) -> bool:
    """Whether it is the profile of one province, with somebody in it."""
    return bool(scope.province) and not verdict_of.nobody(scope, ask)


def is_of_country(scope: Scope, ask: Ask) -> bool:
    """Whether it is no profile, and of somebody."""
    return not scope.province and not verdict_of.nobody(scope, ask)


PAGE = Page(
    "overview",
    filters=("@place", "@person"),
    has_period=True,
    layout=(
        Section("verdict", (verdict,)),
        Section(
            "panels",
            (
                coverage_now,
                coverage_said,
                coverage,
                active_now,
                to_target,
                pace,
                growth,
                training_now,
                training_said,
                training,
            ),
        ),
        Section("needs_action", (needs_action,)),
        When(is_of_country, Section("glance", (glance,))),
        When(
            is_of_province,
            Section("counties", (glance, counties_without)),
            Section("beside_nation", (beside_nation,)),
            Section("institutes", (register,)),
        ),
    ),
)
