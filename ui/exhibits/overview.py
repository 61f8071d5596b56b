"""The first screen: its verdict, and a picture for each of its three questions. Each function is one exhibit."""

from ui.charts import county_maps, forecast, lines, maps
from ui.data.ask import Ask
from ui.exhibits import verdict as verdict_of
from ui.exhibits.breaks import with_reasons
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.figure import figure, nothing
from ui.exhibits.glance import glance
from ui.exhibits.goal import pace
from ui.exhibits.needs_action import needs_action
from ui.exhibits.verdict import summed_up, to_target
from ui.state.scope import Scope

COVERAGE, TRAINING = "coverage_per_10k", "training_compliance"
# The height of the pictures in pixels: that of a map as wide as a panel.
_HEIGHT = 253
# Of a province more is said above the map of its counties than above the trends beside it.
_BESIDE_COUNTIES = 320
_MONTHS = 24
# What the pictures are of nobody: the same words in each.
_NOBODY = ("state.nobody_title", "state.nobody")


def verdict(scope: Scope, ask: Ask) -> Exhibit:
    """How many are active, and how far is the target?"""
    return summed_up(scope, ask, reached=False)


def coverage(scope: Scope, ask: Ask) -> Exhibit:
    """Which provinces, or counties of one, have fewest?"""
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


EXHIBITS = (verdict, to_target, pace, needs_action, coverage, growth, training, glance)
