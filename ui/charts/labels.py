"""Where the labels of a map stand: a value for each place, its name where it fits, and none across another one."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from ui.charts.boundaries import Point

# The width of a letter, the height of a line and that of its letters, as parts of its size.
_LETTER, _LINE, _INK = 0.5, 1.3, 0.9
# Pixels between labels beside each other, whose digits would join else; those below each other may share one.
_APART = (1, -1)
# Pixels between a label and the end of a line to it.
_GAP = 4
# The steps by which a label gives way to another one, in pixels, and how far it may.
_STEP, FARTHEST = 3, 12


@cache
def _shifts(farthest: int) -> list[tuple[int, int]]:
    """The places around a label's own, the nearest first."""
    way = range(-farthest, farthest + 1, _STEP)
    return sorted(((x, y) for x in way for y in way), key=lambda shift: (math.hypot(*shift), shift))


_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """A value and the name that may stand with it, in lines.

    `at` is the point of both, `alone` that of the value without a name. `is_called` names come before all others.
    """

    value: str
    names: Sequence[str]
    at: Point
    alone: Point
    is_inline: bool = False
    is_called: bool = False

    def words(self, is_named: bool) -> str:
        """Its text on the map."""
        if not is_named:
            return self.value
        return f"<b>{'<br>'.join(self.names)}</b>{' ' if self.is_inline else '<br>'}{self.value}"


def placed(
    labels: Sequence[Label], height: float, latitudes: tuple[float, float], size: float, farthest: int = FARTHEST
) -> list[tuple[Point, bool, Point]]:
    """For each label: its point, whether its name is shown, and where a line from below ends.

    `height` is in pixels, from the first latitude to the second; `farthest` is how far a label may give way. Called names only
    avoid each other; values avoid called names; other names stand only where nothing else is.
    """
    south, north = map(height_of, latitudes)
    pixels = height / (north - south)
    # Where each value would stand if there were no names.
    around = _shifts(farthest)
    values = [next(_places(label, False, around, pixels, size))[1] for label in labels]
    found: dict[int, tuple[Point, bool]] = {}
    taken: dict[int, _Box] = {}

    def put(at: int, is_named: bool, shifts: Sequence[tuple[int, int]] = around) -> bool:
        """Put a label at the nearest free place, if need be across places of values; returns whether there is one."""
        others = [box for other, box in taken.items() if other != at]
        waiting = [box for other, box in enumerate(values) if other != at and other not in taken]
        best = len(values)
        for point, box in _places(labels[at], is_named, shifts, pixels, size):
            across = sum(_touch(box, value) for value in waiting)
            is_cut = box[1] < south * pixels or box[3] > north * pixels
            if across < best and not is_cut and not any(_touch(box, other) for other in others):
                best, taken[at], found[at] = across, box, (point, is_named)
            if not best:
                break
        return best < len(values)

    called = [at for at, label in enumerate(labels) if label.is_called]
    others = [at for at, label in enumerate(labels) if not label.is_called]
    unnamed = [at for at in called if not put(at, True)]
    for at in [*unnamed, *others]:
        if not put(at, False):
            found[at], taken[at] = (labels[at].alone, False), values[at]
            # A value comes before a name.
            for other in called:
                if other in taken and _touch(taken[other], values[at]):
                    put(other, False)
    for at in others:
        if labels[at].names:
            put(at, True, around[:1])
    ends = [_latitude((taken[at][1] - _GAP) / pixels) for at in range(len(labels))]
    return [(*found[at], (found[at][0][0], ends[at])) for at in range(len(labels))]


def _places(
    label: Label, is_named: bool, shifts: Sequence[tuple[int, int]], pixels: float, size: float
) -> Iterator[tuple[Point, _Box]]:
    """The points where a label may stand, the nearest to its own first, with the room that it takes there in pixels."""
    lines = [label.value]
    if is_named:
        lines = [f"{label.names[0]} {label.value}"] if label.is_inline else [*label.names, label.value]
    width, high = max(map(_letters, lines)) * size * _LETTER, ((len(lines) - 1) * _LINE + _INK) * size
    longitude, latitude = label.at if is_named else label.alone
    for right, up in shifts:
        x, y = longitude * pixels + right, height_of(latitude) * pixels + up
        point = (longitude, latitude) if (right, up) == (0, 0) else (x / pixels, _latitude(y / pixels))
        yield point, (x - width / 2, y - high / 2, x + width / 2, y + high / 2)


def bare(number: str) -> str:
    """A number without the sign of a share."""
    return number.replace("٪", "").replace("%", "")


def _letters(line: str) -> int:
    """The letters that are seen: marks of direction are not."""
    return sum(unicodedata.category(letter) != "Cf" for letter in line)


def _touch(one: _Box, other: _Box) -> bool:
    return all(one[i] < other[i + 2] + apart and other[i] < one[i + 2] + apart for i, apart in enumerate(_APART))


def height_of(latitude: float) -> float:
    """The height of a latitude on Mercator's map, in degrees of longitude."""
    return math.degrees(math.asinh(math.tan(math.radians(latitude))))


def _latitude(up: float) -> float:
    return math.degrees(math.atan(math.sinh(math.radians(up))))
