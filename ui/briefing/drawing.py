"""Answers as SVG for paper, in points: the trend with its projection, and the map.

Typst sets the text of an SVG in the fonts of the document. Text anchors are physical sides (start is left) in both languages.
"""

import html
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from etl.semantic.answers import Answer
from ui import palette
from ui.charts import axes, boundaries, county_maps, elements, forecast, lines, maps
from ui.charts.elements import ChartContext
from ui.charts.marks import Mark
from ui.i18n import member_names, text

_FONT = "Vazirmatn"
_SMALL, _NORMAL = 7.6, 8.4
WIDTH = 510.0
_LEFT, _RIGHT, _BOTTOM = 44.0, 12.0, 20.0
# The name of a month beside its point.
_ROOM = 70.0
MAP_WIDTH, MAP_HEIGHT = 384.0, 336.0
# Two pictures of a province stand side by side.
HALF = 246.0


def trend(
    answer: Answer, context: ChartContext, target: float | None, path: Answer, marks: Sequence[Mark], height: float
) -> str:
    """The known months solid, the projection dashed within its range, target and target path, numbered events.

    `answer` is that of the analysis `projection`: month, active, low, high, projected. The axis is that of the screen.
    """
    months = [row[0] for row in answer.rows]
    planned = dict(zip(path.column("month"), path.column("planned"), strict=True))
    held = [*(row[at] for row in answer.rows for at in (1, 4)), target, *(planned.get(month) for month in months)]
    ticks = forecast.ticks_ahead(held, [value for row in answer.rows for value in row[2:4]], "persons")
    floor, ceiling = ticks[0], ticks[-1]
    # Room for words above a range that reaches the uppermost tick, or for the numbers of events.
    top, base = 20.0 if marks else 16.0, height - _BOTTOM
    across = (WIDTH - _LEFT - _RIGHT) / max(len(months) - 1, 1)

    def x(month: int) -> float:
        return _LEFT + across * month

    def y(value: float) -> float:
        # What lies beyond the axis is cut off at its end.
        return top + (height - top - _BOTTOM) * (ceiling - min(max(value, floor), ceiling)) / ((ceiling - floor) or 1)

    parts: list[str] = []
    for value in ticks:
        label = text.plain(value, "persons", context.lang)
        parts.append(_rule(_LEFT, y(value), WIDTH - _RIGHT, y(value), context.colour("grid"), 0.7))
        parts.append(_text(_LEFT - 5, y(value) + 2.6, label, _SMALL, "end", "quiet", context))
    parts += _months(months, x, base, context)
    band = [(x(i), y(row[2]), y(row[3])) for i, row in enumerate(answer.rows) if row[2] is not None]
    if len(band) > 1:
        points = [(at, low) for at, low, _ in band] + [(at, high) for at, _, high in reversed(band)]
        parts.append(f'<path d="{_path(points)}Z" fill="{context.colour("projection")}" fill-opacity="0.16"/>')
    if planned:
        points = [(x(i), y(planned[month])) for i, month in enumerate(months) if month in planned]
        parts.append(_line(points, context.colour("total"), 1.2, "1.5 2.5"))
    if target is not None:
        parts += _target(answer, planned, target, y(target), context)
    parts += _projection(answer, target, x, y, context)
    actual = [(x(i), y(row[1])) for i, row in enumerate(answer.rows) if row[1] is not None]
    parts.append(_line(actual, context.colour("actual"), 2.1))
    parts += _marks(marks, months, x, top, base, context)
    last_x, last_y = actual[-1]
    value = [row[1] for row in answer.rows if row[1] is not None][-1]
    parts.append(
        f'<circle cx="{last_x:.1f}" cy="{last_y:.1f}" r="3" fill="{context.colour("surface")}" '
        f'stroke="{context.colour("actual")}" stroke-width="1.8"/>'
    )
    label = text.plain(value, "persons", context.lang)
    parts.append(
        _text(last_x, last_y + 14, label, 9.5, "middle", "actual", context, 700, halo=context.colour("surface"))
    )
    return _svg(WIDTH, height, parts)


def shares(answer: Answer, nation: Answer, context: ChartContext, height: float) -> str:
    """A share of a province by month, solid, and the nation's, lighter; each with its latest value."""
    metric = answer.metrics[0]
    months = [row[0] for row in answer.rows]
    whole = dict(zip(nation.column("month"), nation.column(metric.name), strict=True))
    lines_of = [
        ("pending", context.word("figure.nation_line"), [whole.get(month) for month in months]),
        ("actual", "", answer.column(metric.name)),
    ]
    known = [value for _, _, values in lines_of for value in values if value is not None]
    ticks = lines.around(known, None, metric.unit)
    width, top = HALF, 14.0
    across = (width - _LEFT - _RIGHT) / max(len(months) - 1, 1)

    def x(month: int) -> float:
        return _LEFT + across * month

    def y(value: float) -> float:
        return top + (height - top - _BOTTOM) * (ticks[-1] - value) / ((ticks[-1] - ticks[0]) or 1)

    parts: list[str] = []
    for tick in ticks:
        parts.append(_rule(_LEFT, y(tick), width - _RIGHT, y(tick), context.colour("grid"), 0.7))
        label = axes.tick(tick, metric.unit, ticks, context.lang)
        parts.append(_text(_LEFT - 5, y(tick) + 2.6, label, _SMALL, "end", "quiet", context))
    parts += _months(months, x, height - _BOTTOM, context, width)
    last = {}
    for colour, name, values in lines_of:
        points = [(x(i), y(value)) for i, value in enumerate(values) if value is not None]
        parts.append(_line(points, context.colour(colour), 2.1 if not name else 1.4))
        if points:
            value = [value for value in values if value is not None][-1]
            last[colour] = (points[-1], f"{name} {text.plain(value, metric.unit, context.lang)}".strip())
    for colour, ((end, at), words) in last.items():
        other = next((place[1] for meaning, (place, _) in last.items() if meaning != colour), at)
        is_above = at < other or (at == other and colour == "actual")
        ink, halo = "actual" if colour == "actual" else "quiet", context.colour("surface")
        parts.append(_text(end, at - 6 if is_above else at + 12, words, _NORMAL, "end", ink, context, 700, halo=halo))
    return _svg(width, height, parts)


def _target(
    answer: Answer, planned: Mapping[str, float], target: float, y: float, context: ChartContext
) -> Iterable[str]:
    """The line of the target, labelled at the end with more free space."""
    yield _rule(_LEFT, y, WIDTH - _RIGHT, y, context.colour("target"), 1, "5 3")
    first, last = (
        min((abs(value - target) for value in (*row[1:5], planned.get(row[0])) if value is not None), default=0)
        for row in (answer.rows[0], answer.rows[-1])
    )
    at, anchor = (_LEFT + 4, "start") if first >= last else (WIDTH - _RIGHT, "end")
    label = f"{context.word('figure.target')}: {text.plain(target, 'persons', context.lang)}"
    yield _text(at, y - 3.5, label, _NORMAL, anchor, "target", context, 700, halo=context.colour("surface"))


def _projection(
    answer: Answer,
    target: float | None,
    x: Callable[[int], float],
    y: Callable[[float], float],
    context: ChartContext,
) -> Iterable[str]:
    """The projected line, and a point at the month in which it reaches the target; without one its last range in words, on the
    side away from the line.
    """
    ahead = [(x(i), y(row[4])) for i, row in enumerate(answer.rows) if row[4] is not None]
    if len(ahead) < 2:
        return
    yield _line(ahead, context.colour("projection"), 1.4, "4 3")
    met = forecast.month_met([row[1] for row in answer.rows], [row[4] for row in answer.rows], target)
    low, high = answer.rows[-1][2:4]
    if target and met is not None:
        colour, surface = context.colour("text"), context.colour("surface")
        at, below = x(met), y(target) + 13
        yield f'<circle cx="{at:.1f}" cy="{y(target):.1f}" r="3" fill="{colour}"/>'
        label = text.unit_label(answer.rows[met][0], context.lang)
        place, anchor = (at + 5, "start") if at < WIDTH - _ROOM else (at - 5, "end")
        yield _text(place, below, label, _NORMAL, anchor, "text", context, 700, halo=surface)
    elif high is not None and target is None:
        first, last = (text.plain(value, "persons", context.lang) for value in (low, high))
        label = context.word("figure.period", first=first, last=last)
        at = y(high) - 6 if ahead[-1][1] <= ahead[0][1] else y(low) + 13
        yield _text(WIDTH - _RIGHT, at, label, _NORMAL, "end", "actual", context, halo=context.colour("surface"))


def _months(
    months: Sequence[str], x: Callable[[int], float], base: float, context: ChartContext, width: float = WIDTH
) -> Iterable[str]:
    """A labelled tick at the first month of each Jalali year, and at its seventh if there is room."""
    yearly = sum(month.endswith("-01") for month in months) > 5
    for i, month in enumerate(months):
        if month.endswith("-01") or (month.endswith("-07") and not yearly):
            yield _rule(x(i), base, x(i), base + 3, context.colour("quiet"), 0.7)
            at, anchor = (x(i), "middle") if x(i) < width - 36 else (width, "end")
            yield _text(at, base + 12, text.unit_label(month, context.lang), _SMALL, anchor, "quiet", context)


def _marks(
    marks: Sequence[Mark],
    months: Sequence[str],
    x: Callable[[int], float],
    top: float,
    base: float,
    context: ChartContext,
) -> Iterable[str]:
    """Numbers above thin lines; those of neighbouring months are moved apart."""
    last = -math.inf
    for mark in (mark for mark in marks if mark.label in months):
        at = x(months.index(mark.label))
        centre = max(at, last + 12)
        last = centre
        yield _rule(at, top - 5, at, base, context.colour("text"), 0.7, "2 2")
        yield f'<circle cx="{centre:.1f}" cy="{top - 11:.1f}" r="5.4" fill="{context.colour("text")}"/>'
        number = text.digits(mark.number, context.lang)
        yield _text(centre, top - 8.3, number, _SMALL, "middle", "surface", context, 700)


# ---------------------------------------------------------------- the map


def province_map(answer: Answer, context: ChartContext, areas: Mapping[str, tuple[float, float]]) -> str:
    """The provinces coloured by their side of the nation, each with name and value; one without a value is hatched.

    `areas` gives the longitude and latitude of each label.
    """
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    values = dict.fromkeys(areas) | {row[0]: row[at] for row in answer.rows if row[0]}
    known = [row for row in answer.rows if row[at] is not None]
    classed = maps.areas_of(answer, known, context)
    colour_of = {row[0]: classed.colours[step] for row, step in zip(known, classed.steps, strict=True)}
    numbers = {
        row[0]: elements.marked(answer, row, text.plain(row[at], metric.unit, context.lang), context) for row in known
    }
    project = _projection_onto((ring for code in values for ring in boundaries.rings_of(code)), MAP_WIDTH, MAP_HEIGHT)
    land = {code: [[project(*point) for point in ring] for ring in boundaries.rings_of(code)] for code in values}
    centres = {code: project(*areas[code]) for code in values}
    parts, labels = [_hatch(context, _GROUND)], []
    for code in sorted(values):
        value = values[code]
        fill = "url(#hatch)" if value is None else colour_of[code]
        rings = "".join(f"{_path(ring)}Z" for ring in land[code])
        parts.append(f'<path d="{rings}" fill="{fill}" stroke="{_BORDER}" stroke-width="0.6" fill-rule="evenodd"/>')
        written = numbers.get(code, text.plain(None, metric.unit, context.lang))
        ground = _GROUND if value is None else fill
        labels.append(_Label(code, member_names.short(code, context.lang), written, centres[code], ground))
    outlines = [ring for rings in land.values() for ring in rings]
    for label, (x, y) in _placed(labels, outlines):
        halo = label.ground
        if _is_away(label, x, y):
            centre_x, centre_y = label.centre
            halo = context.colour("surface")
            parts.append(_rule(centre_x, centre_y, x, y + (8 if y < centre_y else -8), context.colour("text"), 0.6))
            parts.append(f'<circle cx="{centre_x:.1f}" cy="{centre_y:.1f}" r="1.3" fill="{context.colour("text")}"/>')
        parts.append(_text(x, y - 0.8, label.name, _MAP_SIZE, "middle", "text", context, 700, halo=halo))
        parts.append(_text(x, y + 6.9, label.value, _MAP_SIZE, "middle", "text", context, halo=halo))
    return _svg(MAP_WIDTH, MAP_HEIGHT, parts)


def county_map(paint: county_maps.Painted, context: ChartContext, height: float) -> str:
    """The counties of a province as on screen: pale, hatched or coloured, with their values where these fit."""
    rings = {code: boundaries.rings_of(code, "county") for code in sorted(paint.colours)}
    project = _projection_onto((ring for parts in rings.values() for ring in parts), HALF, height)
    parts = [_hatch(context)]
    for code, outlines in rings.items():
        path = "".join(f"{_path([project(*point) for point in ring])}Z" for ring in outlines)
        fills = [paint.colours[code].replace(maps.CLEAR, "none")] + ["url(#hatch)"] * (code in paint.found.nobody)
        parts += [f'<path d="{path}" fill="{fill}" stroke="{_BORDER}" stroke-width="0.5"/>' for fill in fills]
    for code, words in county_maps.fitting(paint, context, project.across, _MAP_SIZE):
        x, y = project(*boundaries.label_points("county")[code])
        for line, (written, weight) in enumerate(zip(words, (700, 400)[-len(words) :], strict=True)):
            at = y + 2.4 + 7.7 * (line - (len(words) - 1) / 2)
            parts.append(_text(x, at, written, _MAP_SIZE, "middle", "text", context, weight, paint.colours[code]))
    return _svg(HALF, height, parts)


_BORDER, _GROUND = palette.colour("outline"), palette.colour("soft")


def _hatch(context: ChartContext, ground: str = "") -> str:
    """The pattern `hatch`, on a ground or on what is below it."""
    filled = f'<rect width="4" height="4" fill="{ground}"/>' if ground else ""
    return (
        '<defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'{filled}<line x1="0" y1="0" x2="0" y2="4" stroke="{context.colour("missing")}" stroke-width="1"/>'
        "</pattern></defs>"
    )


_MAP_SIZE = 6.6
# A label further from its place than this is joined to it by a line.
_AWAY = 13.0


# Left, top, right and bottom.
_Box = tuple[float, float, float, float]
_Point = tuple[float, float]


@dataclass(frozen=True)
class _Label:
    """The name and the value of a province, its centre, and the colour around it."""

    code: str
    name: str
    value: str
    centre: _Point
    ground: str

    def box(self, x: float, y: float) -> _Box:
        half = max(len(self.name), len(self.value)) * _MAP_SIZE * 0.27 + 1.5
        return x - half, y - 8.0, x + half, y + 8.6


def _placed(labels: Sequence[_Label], outlines: Sequence[Sequence[_Point]]) -> Iterable[tuple[_Label, _Point]]:
    """The position of each label without overlaps: the nearest free spot near its centre, else one outside the land."""
    occupied: list[_Box] = []

    def room(label: _Label) -> float:
        distances = (math.dist(label.centre, other.centre) for other in labels if other.centre != label.centre)
        return min(distances, default=0.0)

    # Crowded provinces are placed last, so that provinces without close neighbours keep their centre.
    for label in sorted(labels, key=lambda label: (-room(label), label.code)):
        spot = label.centre
        for x, y in _around(*label.centre):
            box = label.box(x, y)
            is_inside = box[0] >= 0 and box[1] >= 0 and box[2] <= MAP_WIDTH and box[3] <= MAP_HEIGHT
            if not is_inside or any(_overlap(box, other) for other in occupied):
                continue
            if not _is_away(label, x, y) or not any(_is_on(box, ring) for ring in outlines):
                spot = (x, y)
                break
        occupied.append(label.box(*spot))
        yield label, spot


def _is_away(label: _Label, x: float, y: float) -> bool:
    return math.dist(label.centre, (x, y)) > _AWAY


def _is_on(box: _Box, ring: Sequence[_Point]) -> bool:
    """Whether a vertex of a ring is in the box, or the box's centre is within the ring."""
    left, top, right, bottom = box
    has_vertex = any(left < x < right and top < y < bottom for x, y in ring)
    return has_vertex or boundaries.is_within((left + right) / 2, (top + bottom) / 2, ring)


def _around(x: float, y: float) -> Iterable[_Point]:
    """The point itself, then points on growing circles around it."""
    yield x, y
    for radius in range(2, 110, 2):
        for part in range(24):
            turn = math.tau * part / 24
            yield x + radius * math.cos(turn), y - radius * math.sin(turn)


def _overlap(box: _Box, other: _Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _projection_onto(rings: Iterable[Iterable[_Point]], width: float, height: float) -> "_Projection":
    """The places within these rings onto a picture, in its middle."""
    points = [point for ring in rings for point in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    shrink = math.cos(math.radians((south + north) / 2))
    scale = min(width / ((east - west) * shrink), height / (north - south))
    left, top = (width - (east - west) * shrink * scale) / 2, (height - (north - south) * scale) / 2
    return _Projection(west, north, shrink * scale, scale, left, top)


@dataclass(frozen=True)
class _Projection:
    """Longitude and latitude to points of a picture; `across` and `up` are the points of a degree."""

    west: float
    north: float
    across: float
    up: float
    left: float
    top: float

    def __call__(self, x: float, y: float) -> _Point:
        return self.left + (x - self.west) * self.across, self.top + (self.north - y) * self.up


# ---------------------------------------------------------------- SVG


def _svg(width: float, height: float, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}pt" '
        f'height="{height:g}pt">{"".join(parts)}</svg>'
    )


def _text(
    x: float,
    y: float,
    written: str,
    size: float,
    anchor: str,
    meaning: str,
    context: ChartContext,
    weight: int = 400,
    halo: str = "",
) -> str:
    outline = f' paint-order="stroke" stroke="{halo}" stroke-width="2.2" stroke-linejoin="round"' if halo else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="{_FONT}" font-size="{size:g}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{context.colour(meaning)}"{outline}>{html.escape(context.line(written))}</text>'
    )


def _path(points: Iterable[_Point]) -> str:
    """A path through points, without repeated ones."""
    vertices: list[str] = []
    for x, y in points:
        written = f"{x:.1f} {y:.1f}"
        if not vertices or vertices[-1] != written:
            vertices.append(written)
    return "M" + "L".join(vertices)


def _line(points: Sequence[_Point], colour: str, width: float, dash: str = "") -> str:
    shape = f'd="{_path(points)}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"'
    return f"<path {shape}{_dashed(dash)}/>" if points else ""


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, dash: str = "") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{_dashed(dash)}/>'


def _dashed(dash: str) -> str:
    return f' stroke-dasharray="{dash}"' if dash else ""
