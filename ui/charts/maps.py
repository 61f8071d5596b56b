"""The map of the 31 provinces, each with its value, and the classes of its colours, which heatmaps share.

Charts link to the boundaries, so that a browser downloads them once. Where a rate can be better or worse, the side by
etl/analysis/different.py decides the hue (orange behind, blue ahead, neutral for all others), and the distance from the nation
the depth. Counts have one hue, from few to many.
"""

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from etl.core import declarations
from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import is_full_count, worse_side
from ui import palette
from ui.charts import bars, boundaries, elements, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.labels import Label, bare, placed
from ui.i18n import member_names, text

CLEAR = "rgba(0,0,0,0)"
# What a map of the country shows: from west to east, from south to north.
COUNTRY = (43.5, 63.6), (24.9, 40.3)
_LABELS = declarations.read(Path(__file__).with_name("map_labels.toml"))
# English names are longer.
LABEL_SIZE = {"fa": 12, "en": 11}
# The areas of a compared rate, from far behind to far ahead.
AREAS = ("far_behind", "behind", "alike", "ahead", "far_ahead")
_ALIKE = AREAS.index("alike")
# The least distance of a share from the nation's that is far, in points; of a rate per residents far is a side.
_FAR_POINTS = 0.05


@dataclass(frozen=True)
class Areas:
    """The class of each area, the colour of each class, the legend keys, the value of the nation, and what marks mean.

    A key without a label has that of the next one.
    """

    steps: list[int]
    colours: Sequence[str]
    keys: list[Figure]
    note: str = ""
    about: Sequence[str] = ()

    @property
    def is_tested(self) -> bool:
        """Whether the colours are those of a tested rate, which a note explains."""
        return bool(self.note)


@chart(titles.extreme, whole_country=True, is_map=True, compares=True, order=bars.in_order)
def provinces(answer: Answer, context: ChartContext, chosen: Iterable[str] = (), height: int = 430) -> Figure:
    """The 31 provinces coloured by the first metric, with their values; unknown ones are hatched, `chosen` ones outlined.

    The others are then empty: title, file and table are of the chosen ones too.
    """
    metric = answer.metrics[0]
    at = answer.columns.index(metric.name)
    # Who is of no known province is on no map.
    rows = [row for row in answer.rows if row[0] is not None]
    with_value = [row for row in rows if row[at] is not None]
    without_value = [row for row in rows if row[at] is None]
    areas = areas_of(answer, with_value, context)
    # Too small a group to be compared is not one that does not differ.
    untested = [row[0] for row in with_value if areas.is_tested and row[answer.columns.index("side")] == "untested"]
    border = context.colour("outline")

    hover_of = _hovers(answer, context)

    def hovers(rows: Iterable[tuple[Any, ...]]) -> Figure:
        return {"hovertext": [hover_of[row[0]] for row in rows], "hovertemplate": elements.HOVER}

    codes = [row[0] for row in with_value]
    data = [filled(codes, areas.steps, border, **stepped(areas.colours), **hovers(with_value))]
    keys = list(areas.keys)
    if without_value:
        missing = [row[0] for row in without_value]
        data.append(alike(missing, context.colour("grid"), border, **hovers(without_value)))
        data.append(hatching(context, missing))
        keys.append(elements.key(context, context.word("figure.missing"), "missing", "hatch"))
    if untested:
        data.append(hatching(context, untested))
        keys.append(elements.key(context, context.word("figure.small"), "missing", "hatch"))
    if rest := sorted(_LABELS.keys() - {row[0] for row in rows}) if chosen else []:
        # The provinces outside of the scope have no value here; a click chooses one instead.
        named: Figure = {
            "hovertext": [context.member("province", code) for code in rest],
            "hovertemplate": elements.HOVER,
        }
        data.append(alike(rest, CLEAR, border, **named))
    if outlined := list(chosen):
        data.append(alike(outlined, CLEAR, context.colour("chosen"), width=3, hoverinfo="skip"))
    labelled = {row[0]: written(answer, row, context) for row in with_value}
    unclear = [row[0] for row in with_value if elements.is_unclear(answer, [row])]
    data += _labels(labelled, areas, context, unclear, height)
    return elements.figure(
        context, data, height, keys, clicks=answer.by[0],
        credit=" · ".join(filter(None, (areas.note, *areas.about))), boundaries=context.word("figure.osm"),
        geo=plane(*COUNTRY),
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )  # fmt: skip


def plane(longitudes: Sequence[float], latitudes: Sequence[float]) -> Figure:
    """Plotly's layout of a map between these longitudes and latitudes."""
    return {
        "projection": {"type": "mercator"},
        "lonaxis": {"range": [*longitudes]}, "lataxis": {"range": [*latitudes]},
        "visible": False, "bgcolor": CLEAR, "showframe": False,
    }  # fmt: skip


def written(answer: Answer, row: Sequence[Any], context: ChartContext) -> str:
    """The number of an area; a map's title and key say that it is a share."""
    number = text.plain(row[answer.columns.index(answer.metrics[0].name)], answer.metrics[0].unit, context.lang)
    return behind(elements.marked(answer, row, bare(number), context), context)


def behind(number: str, context: ChartContext) -> str:
    """A number whose question mark, if it has one, stands behind it in both languages."""
    return context.line(number) if number.endswith(context.word("different.mark")) else number


@lru_cache(maxsize=100)
def _hovers(answer: Answer, context: ChartContext) -> dict[Any, str]:
    """The hover text of each province: they stay while the reader outlines one province after the other."""
    return {row[0]: elements.hover(answer, answer.metrics[0], row, context) for row in answer.rows}


def areas_of(answer: Answer, rows: Sequence[tuple[Any, ...]], context: ChartContext) -> Areas:
    """The classes of the rows with a value: by their side of the nation, else from few to many.

    Of a compared rate a row may be without its value, where that does not circulate.
    """
    metric, worse = answer.metrics[0], worse_side(answer.metrics[0])
    at = answer.columns.index(metric.name)
    # A gap in people has the sides of the rate, and no value of the whole.
    if not {"side", "whole_value"} <= {*answer.columns} or not worse:
        by_value = classes([row[at] for row in rows], metric, context)
        return Areas([by_value.of(row[at]) for row in rows], by_value.colours, by_value.keys(context))
    side, nation = answer.columns.index("side"), answer.columns.index("whole_value")
    whole = next((row[nation] for row in rows if row[nation] is not None), 0)
    better = "higher" if worse == "lower" else "lower"
    sign = {worse: -1, better: 1, f"far_{worse}": -2, f"far_{better}": 2}
    is_far_by_side = is_full_count(metric.name)
    steps = [
        _ALIKE
        + sign.get(row[side], 0)
        * (1 if is_far_by_side or row[at] is None or abs(row[at] - whole) <= _FAR_POINTS else 2)
        for row in rows
    ]
    colours = [context.colour(area) for area in AREAS]
    shown = sorted({*steps})
    if is_far_by_side:
        sides = (f"far_{worse}", worse, "others", better, f"far_{better}")
        # The note below says of what.
        labels = [context.word(f"different.key_{side}") for side in sides]
    else:
        below, others, above = (bars.side_words(answer, side, context) for side in (worse, "others", better))
        # Two classes on one side have one label, at the second of them.
        labels = ["" if 1 in shown else below, below, others, "" if 4 in shown else above, above]
    # Classes without a province have no key, nor has the only one.
    keyed = shown if shown != [_ALIKE] else []
    keys = [{"label": labels[step], "colour": colours[step], "kind": "fill"} for step in keyed]
    note = context.word("figure.nation", nation=text.plain(whole, metric.unit, context.lang))
    about = []
    if not is_far_by_side and {0, 4} & {*shown}:
        about.append(context.word("figure.far", count=text.number(100 * _FAR_POINTS, context.lang)))
    if elements.is_unclear(answer, rows):
        about.append(context.word("different.short_unclear"))
    return Areas(steps, colours, keys, note, about)


def _labels(
    values: Mapping[str, str], areas: Areas, context: ChartContext, unclear: Collection[str], height: int
) -> list[Figure]:
    """The value of each province, its name where it fits, first where it is behind or `unclear`, and lines to labels outside.

    A narrow chart shows the values alone (static/plot.js).
    """
    words, inks, halos = [], [], []
    lines: dict[str, list[Sequence[Any]]] = {"wide": [], "narrow": []}
    step_of = dict(zip(values, areas.steps, strict=True))
    area_of = {code: areas.colours[step] for code, step in step_of.items()}
    called = {*unclear, *(code for code, step in step_of.items() if areas.is_tested and step < _ALIKE)}
    labels = [_label(code, value, code in called, context) for code, value in values.items()]
    places = placed(labels, height, COUNTRY[1], LABEL_SIZE[context.lang])
    for code, label, (_, is_named, foot) in zip(values, labels, places, strict=True):
        about = _LABELS[code]
        is_outside = "over" not in about and ("line" in about or about.get("outside", False))
        words.append(label.words(is_named))
        # Words in the colours of the page are legible across the edges of areas that have the same ink.
        page = context.colour("surface")
        area = area_of.get(about.get("over", code), page)
        is_alike = areas.is_tested and context.on(area) == context.on(page)
        ground = page if is_outside or is_alike else area
        inks.append(context.on(ground))
        # Where words stick out of an area with the other ink, its colour goes with them.
        is_wide = is_outside or context.on(ground) != context.on(page)
        halos.append(halo(ground, 2 if is_wide else 1))
        if "line" in about:
            start, end = about["line"]
            across, up = end[0] - label.at[0], end[1] - label.at[1]
            has_line = {"wide": is_named or label.alone == label.at, "narrow": label.alone == label.at}
            # A line from below ends at the label, wherever it gave way to.
            ends = {"wide": (foot[0] + across, foot[1]) if abs(up) > abs(across) else end, "narrow": end}
            for kind in lines:
                lines[kind] += [start, ends[kind], boundaries.GAP] * has_line[kind]
    font = {"size": LABEL_SIZE[context.lang], "color": inks, "shadow": halos}
    alone = [label.alone for label in labels]
    return [
        *(trace for kind, ends in lines.items() if ends for trace in _leaders(ends, context, kind)),
        drawn("text", [point for point, *_ in places], textfont=font, text=words, meta="wide"),
        drawn("text", alone, textfont=font, text=[label.value for label in labels], meta="narrow", visible=False),
    ]


def _label(code: str, value: str, is_called: bool, context: ChartContext) -> Label:
    """The label of a province."""
    about = _LABELS[code]
    # With the sign that its whole name has where its last month has not arrived.
    sign = context.member("province", code).removeprefix(member_names.of("province", code, context.lang))
    name = f"{member_names.short(code, context.lang)}{sign}"
    (x, y), (alone_x, alone_y) = about["at"], about.get("alone", about["at"])
    return Label(
        value,
        name.rsplit(" ", about.get("broken", False)) if is_called or about.get("named") else (),
        (x, y),
        (alone_x, alone_y),
        about.get("inline", False),
        is_called,
    )


def halo(colour: str, reach: int) -> str:
    """The shadow of a label, so many pixels around its letters; without blur, which would darken its colour layer by layer."""
    around = (*range(-reach, 0), *range(1, reach + 1))
    shifts = [
        *((x, 0) for x in around),
        *((0, y) for y in around),
        *((x, y) for x in around for y in around if abs(x) == abs(y)),
    ]
    return ", ".join(f"{x}px {y}px 0 {colour}" for x, y in shifts)


def _leaders(ends: Sequence[Sequence[Any]], context: ChartContext, kind: str) -> list[Figure]:
    """Lines from provinces to labels outside of them, with a dot in the province, cased to be seen on any area."""
    traces, more = [], {"meta": kind, "visible": kind == "wide"}
    for meaning, width in (("surface", 3), ("text", 1)):
        colour = context.colour(meaning)
        dots = {"size": [3 + width, 0, 0] * (len(ends) // 3), "color": colour, "opacity": 1}
        traces.append(drawn("lines+markers", ends, line={"color": colour, "width": width}, marker=dots, **more))
    return traces


def drawn(mode: str, points: Sequence[Sequence[Any]], **more: Any) -> Figure:
    """Words or lines at points (longitude, latitude)."""
    place = {"lon": [longitude for longitude, _ in points], "lat": [latitude for _, latitude in points]}
    return {"type": "scattergeo", "mode": mode, "hoverinfo": "skip", **place, **more}


def filled(
    codes: Sequence[str], z: Sequence[float], border: str, width: float = 1, of: str = "province", **more: Any
) -> Figure:
    """Places filled by a colour scale, within borders."""
    return {
        "type": "choropleth",
        "geojson": boundaries.address(of),
        "locations": codes,
        "z": z,
        "showscale": False,
        "marker": {"line": {"color": border, "width": width}},
        **more,
    }


def alike(codes: Sequence[str], colour: str, border: str, **more: Any) -> Figure:
    """Places of one colour, within borders."""
    return filled(codes, [0] * len(codes), border, colorscale=[[0, colour], [1, colour]], **more)


def hatching(context: ChartContext, codes: Iterable[str], **of: Any) -> Figure:
    """The hatch of several places as one trace."""
    points = [point for code in codes for point in boundaries.hatch(code, **of)]
    return drawn("lines", points, line={"color": context.colour("missing"), "width": 1})


# ---------------------------------------------------------------- classes of counts


@dataclass(frozen=True)
class Classes:
    """Bounds between classes, ascending, and a colour for each class, from the lowest, which has only an upper bound."""

    bounds: Sequence[float]
    colours: Sequence[str]
    unit: str

    def of(self, value: float) -> int:
        """The class of a value, from 0; a class includes its lower bound."""
        return bisect_right(self.bounds, value)

    def keys(self, context: ChartContext) -> list[Figure]:
        """The legend keys, from the lowest class; none for a single class."""
        if not self.bounds:
            return []
        write = text.percent if self.unit == "share" else text.number
        decimals = elements.decimals([bound * (100 if self.unit == "share" else 1) for bound in self.bounds])
        # A class of counts ends one below the next bound.
        last = 1 if self.unit in titles.COUNTS and all(bound == int(bound) for bound in self.bounds) else 0
        labels = [context.word("figure.below", value=write(self.bounds[0], context.lang, decimals))]
        for bound, above in pairwise(self.bounds):
            low, high = (write(end, context.lang, decimals) for end in (bound, above - last))
            labels.append(low if low == high else context.word("figure.from_up_to", low=low, high=high))
        labels.append(context.word("figure.and_over", value=write(self.bounds[-1], context.lang, decimals)))
        return [
            {"label": label, "colour": colour, "kind": "fill"}
            for label, colour in zip(labels, self.colours, strict=True)
        ]


def classes(values: Sequence[float], metric: Metric, context: ChartContext, ramp: str = "counts") -> Classes:
    """Up to five classes of about equal size, in the colours of a ramp of the palette, evenly spaced.

    Their bounds are whole numbers if these can separate the values.
    """
    steps = palette.RAMPS[ramp][context.dark]
    bounds = _bounds(values, len(steps), metric.unit)
    if not bounds:
        return Classes((), (steps[len(steps) // 2],), metric.unit)
    colours = palette.ramp(ramp, len(bounds) + 1, context.dark)
    return Classes(bounds, colours, metric.unit)


def stepped(colours: Sequence[str]) -> Figure:
    """Colours of classes, which count from 0, as a Plotly colour scale in steps."""
    count = len(colours)
    scale = [[edge / count, colour] for i, colour in enumerate(colours) for edge in (i, i + 1)]
    return {"colorscale": scale, "zmin": -0.5, "zmax": count - 0.5}


def _bounds(values: Sequence[float], count: int, unit: str) -> list[float]:
    """Bounds of up to `count` classes of about equal size, with as few digits as possible."""
    ordered = sorted(values)
    bound_count = min(count, len(set(ordered))) - 1
    if bound_count < 1:
        return []
    scale = 100 if unit == "share" else 1
    cuts = [ordered[min(math.ceil(len(ordered) * i / count), len(ordered) - 1)] for i in range(1, count)]
    exact = [Decimal(str(cut)) * scale for cut in cuts]
    digits = len(str(int(abs(ordered[-1]) * scale)))
    # More digits than separate the values say nothing.
    best: list[float] = []
    for decimals in range(min(0, 2 - digits), 4):
        rounded = {float(text.rounded_half_up(cut, decimals) / scale) for cut in exact}
        bounds = sorted(bound for bound in rounded if ordered[0] < bound <= ordered[-1])
        if len(bounds) >= (bound_count if decimals < 0 else min(bound_count, 2)):
            return bounds
        if len(bounds) > len(best):
            best = bounds
    return best
