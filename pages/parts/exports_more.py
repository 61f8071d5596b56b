"""The files of one answer, offered: CSV, Excel, Parquet for machines, and its picture. Always every row of it.

A small file is made at the click that fetches it. One of many rows is made first, under a progress bar, and then fetched.
"""

import io
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import streamlit as st

from etl.metrics import Answer
from pages.parts import charts, exports, grid, page, text, warehouse
from pages.parts.charts import Figure, Look
from pages.parts.page import View

PARQUET = "application/vnd.apache.parquet"
# Above so many cells the making of a file takes seconds and shows how far it is.
MANY_CELLS = 200_000
_BATCH = 50_000
_MADE = "file made"


# ---------------------------------------------------------------- Parquet


def write_parquet(
    out: IO[bytes],
    answer: Answer,
    look: Look,
    units: Mapping[str, str],
    circulation: bool = False,
    scope: str = "",
    tell: exports.Tell | None = None,
) -> None:
    """The same columns as the other files, typed: text, whole numbers, fractions, days; what it is stands in its metadata."""
    titles = exports.headers(answer)
    rows = exports.rows_of(answer, look, units, circulation)
    schema = pa.schema(
        [pa.field(title, kind) for title, kind in zip(titles, _types(answer, look, units, circulation), strict=True)],
        metadata={"about": json.dumps(list(exports.cover(answer, look, scope, circulation)), ensure_ascii=False)},
    )
    done = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            columns = zip(*batch, strict=True)
            arrays = [
                pa.array(_plain(column, field.type), field.type) for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            done += len(batch)
            if tell:
                tell(done / len(answer.rows))


def to_parquet(
    answer: Answer, look: Look, units: Mapping[str, str], circulation: bool = False, scope: str = ""
) -> bytes:
    """What `write_parquet` writes."""
    out = io.BytesIO()
    write_parquet(out, answer, look, units, circulation, scope)
    return out.getvalue()


def _types(answer: Answer, look: Look, units: Mapping[str, str], circulation: bool) -> list[pa.DataType]:
    """The type of each column of the file: that of every value in it."""
    kinds: list[set[type]] = [set() for _ in exports.headers(answer)]
    for row in exports.rows_of(answer, look, units, circulation):
        for kind, value in zip(kinds, row, strict=True):
            if value is not None:
                kind.add(type(value))
    return [_type(kind) for kind in kinds]


def _type(kinds: set[type]) -> pa.DataType:
    if kinds == {date}:
        return pa.date32()
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    if kinds and kinds <= {int, float}:
        return pa.float64()
    return pa.string()


def _plain(values: tuple[Any, ...], kind: pa.DataType) -> list[Any]:
    if pa.types.is_string(kind):
        return [None if value is None else str(value) for value in values]
    return list(values)


# ---------------------------------------------------------------- pictures


@dataclass(frozen=True)
class Picture:
    """A chart as it is put on paper: its figure, its finding, what stands below it, and what its keys say."""

    figure: Figure
    title: str
    subtitle: str
    source: str


def source_of(view: View, answer: Answer, notes: Iterable[str] = ()) -> str:
    """What a picture rests on: the dashboard, its load, and that the data are made up where they are."""
    published = answer.publication
    said = [view.word("app.title"), view.word("more.load", id=text.digits(published.id, view.lang))]
    said.append(view.word("trust.as_of_latest", day=text.day(published.as_of, view.lang)))
    if published.is_sample:
        said.append(view.word("file.made_up"))
    return " · ".join([*said, *notes])


def on_paper(picture: Picture, look: Look, width: int = 1000) -> Figure:
    """The figure with title, keys and source in it, on a ground of its own: what a picture must carry out of the page."""
    made: Figure = deepcopy({"data": picture.figure["data"], "layout": picture.figure["layout"]})
    layout = made["layout"]
    keys = layout.get("meta", {}).get("keys", [])
    above, below = 92 + (28 if keys else 0), 34
    margin = layout.get("margin", {})
    top, foot = margin.get("t", 8) + above, margin.get("b", 8) + below
    layout.update(
        height=layout.get("height", 400) + above + below,
        width=width,
        autosize=False,
        paper_bgcolor=look.colour("surface"),
        plot_bgcolor=look.colour("surface"),
        margin=margin | {"t": top, "b": foot, "l": margin.get("l", 8) + 16, "r": margin.get("r", 8) + 16},
    )
    side: Figure = {"x": 0.985, "xanchor": "right"} if look.rtl else {"x": 0.015, "xanchor": "left"}
    quiet = look.colour("quiet")
    lines = [
        f"<b>{text.escape(picture.title)}</b>",
        f'<span style="font-size:13px;color:{quiet}">{text.escape(picture.subtitle)}</span>',
    ]
    if keys:
        marks = "   ".join(f'<span style="color:{key["colour"]}">■</span> {text.escape(key["label"])}' for key in keys)
        lines.append(f'<span style="font-size:13px">{marks}</span>')
    # below the button that fetches the picture
    layout["title"] = {
        "text": look.line("<br>".join(lines)),
        "font": {"size": 20, "color": look.colour("text")},
        "xref": "container",
        "yref": "container",
        "y": 1,
        "yanchor": "top",
        "pad": {"t": 34},
        **side,
    }
    source = charts.note(
        look,
        text.escape(picture.source),
        xref="paper",
        yref="paper",
        x=1 if look.rtl else 0,
        y=0,
        xanchor="right" if look.rtl else "left",
        yanchor="top",
        yshift=-(foot - 26),
    )
    source["font"] = source["font"] | {"size": 11, "color": quiet}
    notes = [source]
    layout["annotations"] = [*layout.get("annotations", []), *notes]
    return made


@st.dialog(" ", width="large")
def _show_picture(view: View, picture: Picture, look: Look, name: str, ident: str) -> None:
    """The chart as it will leave, with one button on it that fetches it in the form chosen."""
    grid.style()
    form = st.segmented_control(
        view.word("more.form"), ("png", "svg"), default="png", required=True, format_func=str.upper, key=f"form-{ident}"
    )
    st.html(f'<p class="pd-note">{text.escape(view.word("more.picture_help"))}</p>')
    form = form or "png"
    config = charts.CONFIG | {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": form, "filename": name, "scale": 1 if form == "svg" else 2},
    }
    st.plotly_chart(
        on_paper(picture, look),
        key=f"picture-{ident}-{form}",
        theme=None,
        config=config,
        width="content",
        alt=picture.title,
    )


# ---------------------------------------------------------------- offers


def downloads(view: View, answer: Answer, look: Look, ident: str, picture: Picture | None = None) -> None:
    """Everything an answer can leave as, behind one door: its making begins at the click that asks for it."""
    door = st.popover(view.word("figure.files"), key=f"files-{ident}", type="tertiary", on_change="rerun")
    if door.open:
        with door:
            offers(view, answer, look, ident, picture)


def offers(view: View, answer: Answer, look: Look, ident: str, picture: Picture | None = None) -> None:
    """A button for each file."""
    circulation = st.checkbox(
        view.word("figure.circulation"), key=f"circulation-{ident}", help=view.word("figure.circulation_help")
    )
    units = warehouse.units() | {metric.name: metric.unit for metric in answer.metrics}
    place = page.place(view, answer.where)
    makers: dict[str, tuple[str, Callable[..., None]]] = {
        "csv": (
            exports.CSV,
            partial(exports.write_csv, answer=answer, look=look, units=units, circulation=circulation),
        ),
        "xlsx": (
            exports.XLSX,
            partial(exports.write_xlsx, answer=answer, look=look, units=units, circulation=circulation, scope=place),
        ),
        "parquet": (
            PARQUET,
            partial(write_parquet, answer=answer, look=look, units=units, circulation=circulation, scope=place),
        ),
    }
    count = text.number(len(answer.rows), view.lang)
    st.html(f'<p class="pd-note">{text.escape(view.word("more.rows", rows=count))}</p>')
    many = len(answer.rows) * len(answer.columns) > MANY_CELLS
    for kind, (mime, make) in makers.items():
        name = exports.file_name(answer, look, place, kind)
        if many:
            _made_first(view, ident, kind, name, mime, make, (id(answer), circulation))
        else:
            _button(view, ident, kind, name, mime, partial(_made, make))
    if picture:
        name = exports.file_name(answer, look, place, "").rstrip(".")
        if st.button(view.word("more.picture"), key=f"picture-button-{ident}"):
            _show_picture(view, picture, look, name, ident)


def _made(make: Callable[..., None]) -> bytes:
    out = io.BytesIO()
    make(out)
    return out.getvalue()


def _button(view: View, ident: str, kind: str, name: str, mime: str, data: Any) -> None:
    st.download_button(
        view.word(f"more.{kind}"), data=data, file_name=name, mime=mime, key=f"{kind}-{ident}", on_click="ignore"
    )


def _made_first(
    view: View, ident: str, kind: str, name: str, mime: str, make: Callable[..., None], of: tuple[Any, ...]
) -> None:
    """A file of many rows: made under a progress bar, kept until another is made, then fetched. The session keeps one."""
    wanted = (ident, kind, *of)
    kept = st.session_state.get(_MADE)
    if kept is None or kept[0] != wanted:
        if not st.button(view.word("more.make", form=view.word(f"more.{kind}")), key=f"make-{kind}-{ident}"):
            return
        said = view.word("more.making")
        bar = st.progress(0.0, said)
        with tempfile.SpooledTemporaryFile(max_size=8_000_000) as out:
            make(out, tell=lambda share: bar.progress(min(share, 1.0), said))
            out.seek(0)
            kept = st.session_state[_MADE] = (wanted, out.read())
        bar.empty()
    _button(view, ident, kind, name, mime, kept[1])
