"""Classification of values for maps and heatmaps, and the colours of the classes.

A class includes its lower bound and excludes its upper one. A natural break of a measure (100 % of a target, the goal of
compliance) is always a bound, and classes below it are warm. Otherwise there are up to five classes of about equal size, with
whole-number bounds if these can separate the values.

The class that needs attention is the darkest in light mode and the only warm one in dark mode. Orange means a problem.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from etl.analysis.training import GOAL
from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import size_of, worse_side
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import COUNTS
from ui.i18n import text
from ui.summary import different

# From weak to strong, for light and dark mode. Each has a contrast of at least 3:1 with its background.
STEPS: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("#6592b8", "#4a81ab", "#2f6791", "#1b4c71", "#0b2f4d"),
    ("#3f6f96", "#5288b3", "#6ea5d1", "#9ac5e8", "#d3e8fa"),
)
# The same with a warm last step, for measures whose highest class is a problem.
_TO_PROBLEM: tuple[tuple[str, ...], tuple[str, ...]] = (STEPS[0], (*STEPS[1][:4], "#ffd9a3"))
# Below and above a natural break, each from weak to strong.
BELOW: tuple[tuple[str, ...], tuple[str, ...]] = (("#d0762a", "#a4500c", "#6b3003"), ("#b5762f", "#e09a4c", "#ffc98a"))
ABOVE: tuple[tuple[str, ...], tuple[str, ...]] = (("#6592b8", "#4a81ab"), ("#3f6f96", "#5288b3"))
# Of groups tested against the whole, from far worse to far better; orange is the worse side in both looks.
SIDES: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("#d46f22", "#f5c08e", "#edf1f4", "#b3d1e8", "#5896c9"),
    ("#f0a35c", "#a65d20", "#2c3945", "#326f9d", "#8fc6ee"),
)
BREAKS = {"target_progress": 1.0, "training_compliance": GOAL}
_MOST_DECIMALS = 3


@dataclass(frozen=True)
class Classes:
    """Bounds between classes, ascending, and a colour for each class, from the lowest."""

    bounds: tuple[float, ...]
    colours: tuple[str, ...]
    unit: str
    # The words of each class, where it is no range of values.
    words: tuple[str, ...] = ()

    def of(self, value: float) -> int:
        """The class that `value` falls into, from 0."""
        return bisect_right(self.bounds, value)

    @property
    def scale(self) -> list[list[Any]]:
        """The colours as a Plotly colour scale for values from -0.5 to `top`."""
        count = len(self.colours)
        return [[edge / count, colour] for i, colour in enumerate(self.colours) for edge in (i, i + 1)]

    @property
    def top(self) -> float:
        return len(self.colours) - 0.5

    def keys(self, context: ChartContext) -> list[Figure]:
        """The legend keys, from the lowest class."""
        if self.words:
            named = zip(self.words, self.colours, strict=True)
            return [{"label": label, "colour": colour, "kind": "fill"} for label, colour in named if label]
        if not self.bounds:
            return []
        decimals = _decimals(self.bounds, self.unit)
        # A class of counts ends one below the next bound.
        last = 1 if self.unit in COUNTS and all(bound == int(bound) for bound in self.bounds) else 0

        def written(bound: float) -> str:
            return (text.percent if self.unit == "share" else text.number)(bound, context.lang, decimals)

        labels = [
            context.word("figure.below", value=written(self.bounds[0])),
            *(
                written(low)
                if low == high - last
                else context.word("figure.from_up_to", low=written(low), high=written(high - last))
                for low, high in pairwise(self.bounds)
            ),
            context.word("figure.and_over", value=written(self.bounds[-1])),
        ]
        return [
            {"label": label, "colour": colour, "kind": "fill"}
            for label, colour in zip(labels, self.colours, strict=True)
        ]


def is_by_side(answer: Answer) -> bool:
    """Whether the groups of an answer are coloured by the test against the whole: a rate with a better and a worse side."""
    return "side" in answer.columns and bool(worse_side(answer.metrics[0]))


def by_side(answer: Answer, context: ChartContext) -> tuple[Classes, dict[Any, int]]:
    """Five classes, from far worse than the whole to far better, and that of each group: the hue is the test's, the depth the
    distance's. A class without a group has no words.
    """
    metric = answer.metrics[0]
    sides = {"worse": worse_side(metric), "better": {"lower": "higher", "higher": "lower"}[worse_side(metric)]}
    of_group = {}
    for row in answer.records():
        step = 2 if row["is_far"] else 1
        of_group[row[answer.by[0]]] = 2 + step * {sides["worse"]: -1, sides["better"]: 1}.get(row["side"], 0)
    beyond = {key: different.words(answer, metric, side, context.lang)["beyond"] for key, side in sides.items()}
    near, far = (list(beyond.values()), [context.word("different.far", beyond=words) for words in beyond.values()])
    words = (far[0], near[0], context.word("different.none"), near[1], far[1])
    used = tuple(str(label) if at in of_group.values() else "" for at, label in enumerate(words))
    return Classes((), SIDES[context.dark], metric.unit, used), of_group


def classes(values: Sequence[float], metric: Metric, context: ChartContext) -> Classes:
    """The classes of a measure's values."""
    natural = BREAKS.get(metric.name)
    if natural is not None:
        below = _bounds([value for value in values if value < natural], len(BELOW[0]), metric.unit)
        # Above a goal just below 100 % there is too little range for further classes.
        over = [value for value in values if value >= natural] if natural >= 1 else []
        above = [bound for bound in _bounds(over, len(ABOVE[0]), metric.unit) if bound > natural]
        below = [bound for bound in below if bound < natural]
        warm = BELOW[context.dark][: len(below) + 1][::-1]
        return Classes((*below, natural, *above), (*warm, *ABOVE[context.dark][: len(above) + 1]), metric.unit)
    bounds = _bounds(values, len(STEPS[0]), metric.unit)
    # The smallest of counts that should rise is a small group, not a problem.
    direction = "none" if metric.direction == "up" and size_of(metric) == metric.name else metric.direction
    steps = _spread((STEPS if direction == "none" else _TO_PROBLEM)[context.dark], len(bounds) + 1)
    return Classes(tuple(bounds), steps[::-1] if direction == "up" else steps, metric.unit)


def _spread(steps: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` colours, evenly spaced from the first to the last step."""
    if count == 1:
        return (steps[len(steps) // 2],)
    return tuple(steps[round(i * (len(steps) - 1) / (count - 1))] for i in range(count))


def _bounds(values: Sequence[float], count: int, unit: str) -> list[float]:
    """Bounds of up to `count` classes of about equal size, with as few digits as possible."""
    ordered = sorted(values)
    bound_count = min(count, len(set(ordered))) - 1
    if bound_count < 1:
        return []
    cuts = [ordered[min(math.ceil(len(ordered) * i / count), len(ordered) - 1)] for i in range(1, count)]
    scale = 100 if unit == "share" else 1
    digits = len(str(int(abs(ordered[-1]) * scale)))
    # More digits than separate the values say nothing.
    best: list[float] = []
    for decimals in range(min(0, 2 - digits), _MOST_DECIMALS + 1):
        exact = (Decimal(str(cut)) * scale for cut in cuts)
        bounds = sorted({float(text.rounded_half_up(cut, decimals) / scale) for cut in exact})
        bounds = [bound for bound in bounds if ordered[0] < bound <= ordered[-1]]
        if len(bounds) >= (bound_count if decimals < 0 else min(bound_count, 2)):
            return bounds
        if len(bounds) > len(best):
            best = bounds
    return best


def _decimals(bounds: Sequence[float], unit: str) -> int:
    """The fewest decimals that write all bounds exactly, as percentages if they are shares."""
    scale = 100 if unit == "share" else 1
    for decimals in range(_MOST_DECIMALS):
        if all(abs(bound * scale * 10**decimals - round(bound * scale * 10**decimals)) < 1e-6 for bound in bounds):
            return decimals
    return _MOST_DECIMALS
