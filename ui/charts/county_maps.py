"""The map of the counties of 1395: of the country with the borders of the provinces, or of the chosen provinces.

Colours mean what they mean on the map of provinces (ui/charts/maps.py). Groups too small to be compared are pale, counties
with nobody are hatched, those of which nothing is known are only outlined. Each county that has room for it shows its value.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import size_of
from etl.semantic.disclosure import Circulated
from etl.semantic.ranking import worse_side
from ui.charts import bars, boundaries, elements, labels, maps, titles
from ui.charts.chart import chart
from ui.charts.elements import ChartContext, Figure
from ui.i18n import text
from ui.summary import different

_COUNTY = "county"
# Pixels between the lines of a hatch, and what is left free around a province, as a part of its extent.
_HATCH, _MARGIN = 5.0, 0.03
# The width of a letter and the height of a line of a label, as parts of its size; the width below which a map is narrow.
_LETTER, _LINE = 0.52, 1.2
_NARROW = 340


@dataclass(frozen=True)
class Counties:
    """The counties that a map shows, by what is known of each: rows with a value, and the codes of the others."""

    rows: Sequence[tuple[Any, ...]]
    nobody: Sequence[str]
    unknown: Sequence[str]
    # People of no known county, and counties that have no shape.
    unplaced: Any
    without_shape: Sequence[str]

    @property
    def codes(self) -> list[str]:
        """Every county that is drawn."""
        return [*dict.fromkeys([*(row[0] for row in self.rows), *self.nobody, *self.unknown])]


def shown(answer: Answer) -> Counties:
    """The counties of the provinces asked about, or the ones asked about, whether or not they have a row."""
    at, counted = answer.columns.index(answer.metrics[0].name), answer.columns.index(_people(answer))
    rows = {row[0]: row for row in answer.rows}
    unplaced = rows.pop(None, None)
    asked: Iterable[str] = answer.where.get(_COUNTY) or chain(*map(boundaries.counties_of, _provinces(answer)))
    codes = [*dict.fromkeys([*asked, *rows])]
    shapes = {*boundaries.codes(_COUNTY)}
    nobody = [code for code in codes if code not in rows or not rows[code][counted]]
    nobody = [code for code in nobody if code not in rows or rows[code][counted] is not None]
    # A group is named without its number where that does not circulate.
    sides = {row["county"]: row.get("side") for row in answer.records() if worse_side(answer.metrics[0])}
    named = {code for code, side in sides.items() if side not in ("none", "untested", None)}
    with_value = [row for row in rows.values() if (row[at] is not None or row[0] in named) and row[0] in shapes]
    known = {row[0] for row in with_value} | {*nobody}
    return Counties(
        with_value,
        [code for code in nobody if code in shapes],
        [code for code in codes if code in shapes and code not in known],
        unplaced[counted] if unplaced else None,
        [code for code in codes if code not in shapes],
    )


def _provinces(answer: Answer) -> list[str]:
    """The provinces whose counties are asked about."""
    chosen = answer.where.get("province") or boundaries.codes("province") - answer.left_out
    return sorted(chosen)


def _people(answer: Answer) -> str:
    """The column that counts who is in a county: assistants of a rate per residents, the group of a share, else the count."""
    metric = answer.metrics[0]
    if metric.denominator and metric.unit != "share":
        return str(metric.numerator)
    counted = size_of(metric)
    return counted if counted in answer.columns else metric.name


@dataclass(frozen=True)
class Painted:
    """What a map of counties shows, on screen and on paper: the colour of each county, and the words around it.

    `written` are the values of the counties that are large enough to be compared; the sentence beside the map names those that
    are `called`.
    """

    found: Counties
    colours: Mapping[str, str]
    written: Mapping[str, str]
    called: Sequence[str]
    keys: Sequence[Figure]
    note: str


def painted(answer: Answer, context: ChartContext) -> Painted:
    """The colours of counties by the first metric."""
    metric, found = answer.metrics[0], shown(answer)
    at, areas = answer.columns.index(metric.name), maps.areas_of(answer, found.rows, context)
    small = {row[0] for row in found.rows if _is_small(answer, row, areas)}
    colours = dict.fromkeys(found.nobody, context.colour("surface")) | dict.fromkeys(found.unknown, maps.CLEAR)
    for row, step in zip(found.rows, areas.steps, strict=True):
        colours[row[0]] = context.colour("surface") if row[0] in small else areas.colours[step]
    written = {
        row[0]: elements.marked(answer, row, text.plain(row[at], metric.unit, context.lang), context)
        for row in found.rows
        if row[0] not in small and row[at] is not None
    }
    used = {colours[row[0]] for row in found.rows if row[0] not in small}
    keys = [key for key in areas.keys if key["colour"] in used]
    if small - {*found.nobody}:
        keys.append(elements.key(context, context.word("figure.small"), "surface", "fill"))
    if found.unknown:
        keys.append(elements.key(context, context.word("figure.missing"), "outline", "outline"))
    if found.nobody:
        keys.append(elements.key(context, context.word(_nobody(answer)), "missing", "hatch"))
    named = [row[_COUNTY] for row in different.named(answer)] if areas.is_tested else []
    called = [code for code in named[: different.MOST_NAMED] if code in written]
    return Painted(found, colours, written, called, keys, _note(answer, found, areas, context))


@chart(titles.extreme, is_map=True, compares=True, order=bars.in_order)
def counties(answer: Answer, context: ChartContext, height: int = 430) -> Figure:
    """Counties coloured by the first metric; of the whole country with the borders of provinces."""
    paint, provinces = painted(answer, context), _provinces(answer)
    codes = sorted(paint.colours)
    frame = _frame(codes, provinces)
    ground = [*dict.fromkeys(paint.colours[code] for code in codes)]
    steps = [ground.index(paint.colours[code]) for code in codes]
    width = 0.4 if frame == maps.COUNTRY else 0.8
    more = _hovers(answer, context, tuple(codes)) | maps.stepped(ground)
    data = [maps.filled(codes, steps, context.colour("outline"), width, _COUNTY, **more)]
    if paint.found.nobody:
        gap = round(_HATCH / _pixels(*frame, height), 3)
        data.append(maps.hatching(context, paint.found.nobody, dimension=_COUNTY, gap=gap))
    if len(provinces) > 1 and _COUNTY not in answer.where:
        data.append(maps.alike(provinces, maps.CLEAR, context.colour("quiet"), width=1.1, hoverinfo="skip"))
    for is_narrow in (False, True):
        pixels = _pixels(*frame, min(height, _NARROW * 0.9) if is_narrow else height)
        data.append(_labels(paint, context, pixels, frame[1], is_narrow))
    return elements.figure(
        context, data, height, paint.keys, clicks=_COUNTY, credit=paint.note,
        geo=maps.plane(*frame), margin={"l": 0, "r": 0, "t": 0, "b": 0}, narrow=height,
    )  # fmt: skip


def _nobody(answer: Answer) -> str:
    """The word for a county without people; where these are published, up to four may be there."""
    return "figure.nobody_published" if isinstance(answer, Circulated) else "figure.nobody"


def _is_small(answer: Answer, row: Sequence[Any], areas: maps.Areas) -> bool:
    """Whether a group is too small to be compared. A few people are a count like any other."""
    if areas.is_tested:
        return bool(row[answer.columns.index("side")] == "untested")
    return bool(answer.metrics[0].denominator) and elements.size_below(answer, answer.metrics[0], row) is not None


@lru_cache(maxsize=100)
def _hovers(answer: Answer, context: ChartContext, codes: tuple[str, ...]) -> Figure:
    """The hover texts of counties; a share of few people is left out, their number is not."""
    rows = {row[0]: row for row in answer.rows}
    return {
        "hovertext": [_hover(answer, rows.get(code), code, context) for code in codes],
        "hovertemplate": elements.HOVER,
    }


def _hover(answer: Answer, row: Sequence[Any] | None, code: str, context: ChartContext) -> str:
    metric, name = answer.metrics[0], context.member(_COUNTY, code)
    if row is None:
        return elements.hover_lines(context, name, context.word(_nobody(answer)))
    if metric.unit == "share" and elements.size_below(answer, metric, row) is not None:
        count = text.number(elements.size_below(answer, metric, row), context.lang)
        told = f"{text.escape(metric.label[context.lang])}: –"
        return elements.hover_lines(context, name, told, context.word("figure.few", count=count))
    return elements.hover(answer, metric, row, context, name)


def _note(answer: Answer, found: Counties, areas: maps.Areas, context: ChartContext) -> str:
    """What the colours compare with, who is on no map, and whose boundaries these are."""
    whole = areas.note
    if areas.is_tested and different.whole_of(answer) == "province":
        value = next(filter(None, answer.column("whole_value")), None)
        unit = answer.metrics[0].unit
        whole = f"{context.word('dimension.province')}: {text.plain(value, unit, context.lang)}"
    on_no_map = []
    if found.unplaced:
        on_no_map.append(context.word("figure.no_county", count=text.number(found.unplaced, context.lang)))
    if found.without_shape:
        names = [context.named(_COUNTY, code) for code in found.without_shape]
        on_no_map.append(context.word("figure.no_shape", names=text.shortened(names, context.lang)))
    return " · ".join(filter(None, (whole, *areas.about, *on_no_map, context.word("figure.osm"))))


# ---------------------------------------------------------------- where labels fit

# The lines of a label with a name.
_NAMED = 2


def _pixels(longitudes: tuple[float, float], latitudes: tuple[float, float], height: float) -> float:
    """The pixels of a degree of longitude on a map that is as high as wide."""
    up = labels.height_of(latitudes[1]) - labels.height_of(latitudes[0])
    return height / max(longitudes[1] - longitudes[0], up)


def _frame(codes: Sequence[str], provinces: Sequence[str]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The longitudes and latitudes that hold the counties; those of the country are the same on each map."""
    if len(provinces) == len(boundaries.codes("province")):
        return maps.COUNTRY
    points = [point for code in codes for ring in boundaries.rings_of(code, _COUNTY) for point in ring]
    sides = [(min(side), max(side)) for side in zip(*points, strict=True)]
    longitudes, latitudes = ((low - _MARGIN * (high - low), high + _MARGIN * (high - low)) for low, high in sides)
    return longitudes, latitudes


def _labels(
    paint: Painted, context: ChartContext, pixels: float, latitudes: tuple[float, float], is_narrow: bool
) -> Figure:
    """The value of each county in which it fits, with the name where both do; a narrow map has values alone.

    What the sentence names has its name, also across its border.
    """
    size = maps.LABEL_SIZE[context.lang]
    points, words, inks, halos = [], [], [], []
    for code, lines, point in placed(paint, context, pixels, latitudes, size, has_names=not is_narrow):
        ground = paint.colours[code]
        points.append(point)
        value = maps.behind(lines[-1], context)
        words.append("<br>".join([*(f"<b>{text.escape(name)}</b>" for name in lines[:-1]), value]))
        inks.append(context.on(ground))
        halos.append(maps.halo(ground, 1))
    font = {"size": size, "color": inks, "shadow": halos}
    meta = {"meta": "narrow", "visible": False} if is_narrow else {"meta": "wide"}
    return maps.drawn("text", points, textfont=font, text=words, **meta)


def placed(
    paint: Painted,
    context: ChartContext,
    pixels: float,
    latitudes: tuple[float, float],
    size: float,
    has_names: bool = True,
) -> Iterator[tuple[str, Sequence[str], boundaries.Point]]:
    """The labels of `fitting` with their points, and those of the called counties, which come first."""
    at = boundaries.label_points(_COUNTY)
    fits = dict(fitting(paint, context, pixels, size, has_names))
    called = [code for code in paint.called if has_names and len(fits.get(code, ())) < _NAMED]
    if not called:
        yield from ((code, lines, at[code]) for code, lines in fits.items())
        return
    codes = [*called, *(code for code in fits if code not in called)]
    wanted = [
        labels.Label(
            labels.bare(paint.written[code]),
            [context.member(_COUNTY, code)] if code in called or len(fits[code]) == _NAMED else [],
            at[code],
            at[code],
            is_called=code in called,
        )
        for code in codes
    ]
    up = labels.height_of(latitudes[1]) - labels.height_of(latitudes[0])
    places = labels.placed(wanted, up * pixels, latitudes, size, 3 * labels.FARTHEST)
    for code, label, (point, is_named, _) in zip(codes, wanted, places, strict=True):
        # A value alone stands only within its county.
        if is_named or code in fits:
            yield code, [*(label.names if is_named else ()), label.value], point


def fitting(
    paint: Painted, context: ChartContext, pixels: float, size: float, has_names: bool = True
) -> Iterator[tuple[str, Sequence[str]]]:
    """The counties with room for a label of this size, each with its lines: name and value, or the value alone.

    `pixels` are those of a degree of longitude.
    """
    for code, value in paint.written.items():
        value = labels.bare(value)
        both = [(context.member(_COUNTY, code), value)] if has_names else []
        for lines in (*both, (value,)):
            width, high = max(map(len, lines)) * size * _LETTER + 2, len(lines) * size * _LINE
            if _fits(code, round(width / 2 / pixels, 3), round(high / 2 / pixels, 3)):
                yield code, lines
                break


@lru_cache(maxsize=20_000)
def _fits(code: str, half_width: float, half_height: float) -> bool:
    """Whether a box around the label's point, in degrees of longitude, lies within the county."""
    x, y = boundaries.label_points(_COUNTY)[code]
    half_height *= math.cos(math.radians(y))
    around = [(x + i * half_width, y + j * half_height) for i in (-1, -0.5, 0, 0.5, 1) for j in (-1, 0, 1)]
    return any(
        all(boundaries.is_within(*point, ring) for point in around) for ring in boundaries.rings_of(code, _COUNTY)
    )
