"""Answer in, Plotly figure out: horizontal bars from zero, in groups that are not ranked together."""

from collections.abc import Sequence
from dataclasses import dataclass

from etl.metrics import Answer
from pages.parts import charts, text
from pages.parts.charts import Figure, Look
from pages.parts.findings import Finding

# How sure a source is, as its bar is drawn: solid, hatched, pale.
_SURENESS = {"register": "fill", "high": "fill", "medium": "hatch", "low": "light"}
_ROW, _HEADING = 1.0, 1.0


@dataclass(frozen=True)
class Bar:
    """One bar: the heading above it, its name, its value (None: not known), colour and drawing, and its hover."""

    heading: str
    name: str
    value: float | None
    meaning: str
    drawn: str
    hover: str


def countries(answer: Answer, look: Look) -> Figure:
    """Rates of this country and of others, by kind of force; a bar says its year and shows how sure its source is."""
    bars = [
        Bar(
            look.member("force", row[0]),
            _country(look, row),
            row[answer.columns.index(answer.metrics[0].name)],
            "actual" if row[0] == "assistants" else "total",
            _SURENESS[row[4]],
            _told(answer, row, look),
        )
        for row in answer.rows
    ]
    return _figure(look, bars, answer.metrics[0].unit, _sureness_keys(look, answer))


def claimed(answer: Answer, look: Look) -> Figure:
    """Persons by country and year beside the four million of the founding statement; what exceeds it is marked."""
    at = [answer.columns.index(name) for name in ("persons_counted", "above_claim")]
    bars = [
        Bar(
            look.member("force", row[0]),
            _country(look, row),
            row[at[0]],
            "focus" if row[at[1]] is not None else "total",
            _SURENESS[row[4]],
            _told(answer, row, look),
        )
        for row in answer.rows
    ]
    # The line stands where the answer puts it: a figure less its excess.
    line = next((row[at[0]] - row[at[1]] for row in answer.rows if row[at[1]] is not None), None)
    keys = [charts.key(look, look.word("abroad.above"), "focus"), *_sureness_keys(look, answer)]
    return _figure(look, bars, answer.metrics[0].unit, keys, line, look.word("abroad.claim"))


def sides(answer: Answer, look: Look) -> Figure:
    """The first metric of institutes with and without smart services; alike beside alike where asked by kind too."""
    metric = answer.metrics[0]
    at, side = answer.columns.index(metric.name), answer.by.index("smart")
    bars = [
        Bar(
            look.member("kind", row[0]) if side else "",
            look.member("smart", row[side]),
            row[at],
            {"yes": "actual", "no": "total"}.get(row[side], "missing"),
            "fill" if row[side] else "light",
            charts.hover(answer, metric, row, charts.name_of(answer, row, look), look),
        )
        for row in sorted(answer.rows, key=lambda row: (row[:side], -1 if row[side] == "yes" else row[side] is None))
    ]
    return _figure(look, bars, metric.unit, [])


def _figure(
    look: Look, bars: Sequence[Bar], unit: str, keys: Sequence[Figure], level: float | None = None, named: str = ""
) -> Figure:
    places, headings, bottom = _places(bars)
    written = [
        look.word("figure.missing") if bar.value is None else text.plain(bar.value, unit, look.lang) for bar in bars
    ]
    top = max([level or 0, *(bar.value or 0 for bar in bars)]) or 1
    ticks = charts.nice(top)
    data = {
        "type": "bar",
        "orientation": "h",
        "x": [bar.value or 0 for bar in bars],
        "y": places,
        "width": 0.72,
        "marker": {
            "color": [look.colour(bar.meaning) for bar in bars],
            "opacity": [0.55 if bar.drawn == "light" else 1 for bar in bars],
            "line": {"color": [look.colour(bar.meaning) for bar in bars], "width": 1},
            "pattern": charts.pattern(look, "loss") | {"shape": ["/" if bar.drawn == "hatch" else "" for bar in bars]},
        },
        "hovertext": [bar.hover for bar in bars],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    beyond = 18 + 7 * max((len(value) for value in written), default=4)
    edge = {"x": 0 if look.rtl else 1, "xref": "paper", "xanchor": "right" if look.rtl else "left"}
    notes = [charts.note(look, value, y=place, **edge) for value, place in zip(written, places, strict=True)]
    start = {"x": 1 if look.rtl else 0, "xref": "paper", "xanchor": "right" if look.rtl else "left"}
    notes += [charts.note(look, f"<b>{text.escape(name)}</b>", y=place, **start) for name, place in headings]
    if level is not None:
        notes.append(charts.note(look, named, x=level, y=1, yref="paper", yanchor="bottom"))
    x_axis = charts.axis(look, ticks, unit, **charts.across(look, ticks, 0, top * 1.01)) | {"showticklabels": False}
    names = charts.categories(look, [bar.name for bar in bars])
    return charts.figure(
        look,
        [data],
        round((bottom + 1) * charts.BAR) + 40,
        keys,
        xaxis=x_axis,
        yaxis=names | {"tickvals": places, "range": [bottom + 0.6, -0.7]},
        shapes=[] if level is None else [charts.level(look, level, vertical=True)],
        annotations=notes,
        margin={
            "l": beyond if look.rtl else 8,
            "r": 8 if look.rtl else beyond,
            "t": 28 if level is not None else 8,
            "b": 8,
            "pad": 0,
        },
    )


def _places(bars: Sequence[Bar]) -> tuple[list[float], list[tuple[str, float]], float]:
    """Where bars and headings stand, from 0 down, and the last place; a heading has a row of its own."""
    places: list[float] = []
    headings: list[tuple[str, float]] = []
    at, under = -_ROW, None
    for bar in bars:
        if bar.heading and bar.heading != under:
            at += _HEADING
            headings.append((bar.heading, at))
            under = bar.heading
        at += _ROW
        places.append(at)
    return places, headings, at


def _country(look: Look, row: Sequence[object]) -> str:
    year = look.member("counted_year", row[3]) if row[3] else look.word("abroad.undated")
    return f"{look.member('country', row[1])} {year}"


def _told(answer: Answer, row: Sequence[object], look: Look) -> str:
    lines = [f"<b>{text.escape(_country(look, row))}</b>", text.escape(look.member("counted", row[2]))]
    for metric in answer.metrics:
        value = row[answer.columns.index(metric.name)]
        if value is not None and metric.unit != "text":
            written = text.amount(value, metric.unit, look.lang)
            lines.append(f"{text.escape(metric.label[look.lang])}: {written}")
    lines.append(text.escape(f"{look.word('dimension.sureness')}: {look.member('sureness', row[4])}"))
    return look.line("<br>".join(lines))


def _sureness_keys(look: Look, answer: Answer) -> list[Figure]:
    met = dict.fromkeys(row[4] for row in answer.rows if row[4] != "register")
    return [
        charts.key(look, look.word("abroad.sureness", how=look.member("sureness", name)), "total", _SURENESS[name])
        for name in ("high", "medium", "low")
        if name in met
    ]


# ---------------------------------------------------------------- what they say


def beside(answer: Answer, look: Look) -> Finding:
    """This country's rate, and the highest of the first kind of force."""
    at, unit = answer.columns.index(answer.metrics[0].name), answer.metrics[0].unit
    own, *others = answer.rows
    said = f"{look.member('country', own[1])} {text.amount(own[at], unit, look.lang)}"
    if not others or others[0][at] is None:
        return Finding(said)
    first = others[0]
    other = f"{look.member('country', first[1])} {text.plain(first[at], unit, look.lang)}"
    return Finding(look.word("abroad.beside", own=said, other=other, force=look.member("force", first[0])))


def above(answer: Answer, look: Look) -> Finding:
    """The countries of which a figure exceeds the claim."""
    at = answer.columns.index("above_claim")
    found = dict.fromkeys(look.member("country", row[1]) for row in answer.rows if row[at] is not None)
    if not found:
        return Finding(look.word("abroad.none_above"))
    return Finding(look.word("abroad.some_above", places=text.listed(list(found), look.lang)))


def adopters(answer: Answer, look: Look) -> Finding:
    """The first metric of institutes with and without smart services; of several kinds, the last."""
    at, unit, side = answer.columns.index(answer.metrics[0].name), answer.metrics[0].unit, answer.by.index("smart")
    kind = answer.rows[-1][0] if side else None
    found = {row[side]: row[at] for row in answer.rows if not side or row[0] == kind}
    said = [
        f"{look.member('smart', name)} {text.plain(found[name], unit, look.lang)}"
        for name in ("yes", "no")
        if found.get(name) is not None
    ]
    sentence = text.listed(said, look.lang) or look.word("finding.none")
    return Finding(f"{look.member('kind', kind)}: {sentence}" if kind and said else sentence)
