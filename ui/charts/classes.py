"""Classification of values for maps of counts and for heatmaps, and the colours of the classes.

A class includes its lower bound and excludes its upper one. There are up to five classes of about equal size, with whole-number
bounds if these can separate the values. One hue runs from few to many in both looks: whether a group is behind is said by the
test of etl/analysis/different.py, in colours of their own (maps.py).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from etl.semantic.answers import Metric
from ui import palette
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import COUNTS
from ui.i18n import text

_MOST_DECIMALS = 3


@dataclass(frozen=True)
class Classes:
    """Bounds between classes, ascending, and a colour for each class, from the lowest."""

    bounds: tuple[float, ...]
    colours: tuple[str, ...]
    unit: str

    def of(self, value: float) -> int:
        """The class that `value` falls into, from 0."""
        return bisect_right(self.bounds, value)

    @property
    def scale(self) -> list[list[Any]]:
        """The colours as a Plotly colour scale for values from -0.5 to `top`."""
        return stepped(self.colours)

    @property
    def top(self) -> float:
        return len(self.colours) - 0.5

    def keys(self, context: ChartContext) -> list[Figure]:
        """The legend keys, from the lowest class."""
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


def classes(values: Sequence[float], metric: Metric, context: ChartContext, ramp: str = "counts") -> Classes:
    """The classes of a measure's values, in the colours of a ramp of the palette."""
    steps = palette.RAMPS[ramp][context.dark]
    bounds = _bounds(values, len(steps), metric.unit)
    return Classes(tuple(bounds), _spread(steps, len(bounds) + 1), metric.unit)


def stepped(colours: Sequence[str]) -> list[list[Any]]:
    """Colours of classes as a Plotly colour scale in steps."""
    count = len(colours)
    return [[edge / count, colour] for i, colour in enumerate(colours) for edge in (i, i + 1)]


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
