"""Downloads of an answer: CSV, Excel, Parquet, and a picture of its chart. Files always contain every row.

A file that has an address (ui.components.data_links) is a link to it; rows of persons have none, and are written when they are
downloaded. A large file is first written by a worker process, with a progress bar.
"""

import io
import math
import re
import tempfile
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from etl.operations import audit
from etl.semantic import answers, disclosure, exportable
from etl.semantic.answers import Answer
from ui.charts import elements
from ui.charts.elements import ChartContext, Figure
from ui.components import blocks, data_links
from ui.components.plot import plot
from ui.data import owed, page_run, worker_process
from ui.exhibits.exhibit import Drawing, Exhibit
from ui.exhibits.named import Made
from ui.exports import about
from ui.exports.file_content import Exportable
from ui.exports.job import FORMS, MANY_CELLS, ExportJob, Job, Making, noted
from ui.i18n import text
from ui.state import page_context
from ui.state.page_context import PageContext

_MADE = "file made"
# How long to wait for a file before showing a progress bar.
_AT_ONCE_SECONDS = 3.0


# ---------------------------------------------------------------- pictures


@dataclass(frozen=True)
class Picture:
    """A chart as a standalone picture: figure, title, subtitle and source."""

    figure: Figure
    title: str
    subtitle: str
    source: str


def picture_of(view: PageContext, exhibit: Exhibit) -> Picture:
    """The picture of an exhibit that is a drawing."""
    assert exhibit.answer is not None
    _, notes = exhibit.all_notes(view.dark)
    if isinstance(exhibit.answer, disclosure.Circulated):
        notes.append(view.word("file.circulation_short"))
    source = source_of(view, exhibit.answer, notes)
    return Picture(exhibit.drawn(view.dark)[0], exhibit.title.sentence, exhibit.below, source)


def picture_within(exhibit: Exhibit) -> Picture:
    """The picture of a drawing for a page that has its title and notes beside it: keys, events and whose boundaries it draws."""
    figure = exhibit.drawn(dark=False)[0]
    meta = figure["layout"]["meta"]
    return Picture(figure, "", "", " · ".join(meta[key] for key in ("credit", "boundaries") if key in meta))


def for_circulation(view: PageContext, source: Exportable, made: Made | None) -> tuple[Exportable, Picture | None]:
    """What is behind a figure, and its picture, for circulation; no picture where too little of it may circulate."""
    if made is None:
        return source, None
    exhibit = made.for_circulation()
    assert exhibit.answer is not None
    return exhibit.answer, picture_of(view, exhibit) if isinstance(exhibit.form, Drawing) else None


def source_of(view: PageContext, answer: Answer, notes: Iterable[str] = ()) -> str:
    """The source line of a picture."""
    return " · ".join([owed.source(view.lang, answer.publication), *notes])


# In px: a picture, and the height of a line below it, which holds so many letters.
_WIDTH, _LINE, _LETTERS = 1000, 15, 150
# By the kinds of keys in static/shell.css; all others are filled.
_MARKS = {
    "line": "━", "dash": "╍", "dotted": "┈", "outline": "○", "dot": "●", "diamond": "◆", "sign": "", "hatch": "▨", "dots": "▦",
}  # fmt: skip


def on_paper(picture: Picture, context: ChartContext) -> Figure:
    """The figure with title, keys, events and source drawn into it, on an opaque background."""
    return {"data": picture.figure["data"], "layout": picture.figure["layout"] | paper(picture, context)}


def paper(picture: Picture, context: ChartContext) -> Figure:
    """What the layout of a figure becomes with title, keys, events and source drawn into it."""
    layout, made = picture.figure["layout"], Figure()
    keys, events = (layout.get("meta", {}).get(name, []) for name in ("keys", "events"))
    numbered = [f"{text.digits(number, context.lang)}. {words}" for number, words in enumerate(events, 1)]
    lines_below = [
        line for words in (*numbered, picture.source) for line in textwrap.wrap(words, _LETTERS, break_on_hyphens=False)
    ]
    more = _LINE * (len(lines_below) - 1)
    above = (92 if picture.title else 8) + (28 if keys else 0)
    below = 34 + more if lines_below else 8
    margin = layout.get("margin", {})
    bottom = max(margin.get("b", 8), _labels_below(layout.get("xaxis") or {}))
    top, foot = margin.get("t", 8) + above, bottom + below
    made.update(
        height=layout.get("height", 400) + above + below,
        width=_WIDTH,
        autosize=False,
        paper_bgcolor=context.colour("surface"),
        plot_bgcolor=context.colour("surface"),
        margin=margin | {"t": top, "b": foot, "l": margin.get("l", 8) + 16, "r": margin.get("r", 8) + 16},
    )
    side, quiet = "right" if context.rtl else "left", context.colour("quiet")
    lines = []
    if picture.title:
        lines += [
            f"<b>{text.escape(picture.title)}</b>",
            f'<span style="font-size:13px;color:{quiet}">{text.escape(picture.subtitle)}</span>',
        ]
    if keys:
        marked = "   ".join(f"{_mark(key, context)} {text.escape(key['label'])}".strip() for key in keys)
        lines.append(f'<span style="font-size:13px">{marked}</span>')
    # The title leaves room for the download button above it.
    made["title"] = {
        "text": context.line("<br>".join(lines)),
        "font": {"size": 20, "color": context.colour("text")},
        "xref": "container",
        "yref": "container",
        "y": 1,
        "yanchor": "top",
        "pad": {"t": 34 if picture.title else 4},
        "x": 0.985 if context.rtl else 0.015,
        "xanchor": side,
    }
    source = elements.note(
        context,
        "<br>".join(map(text.escape, lines_below)),
        xref="paper",
        yref="paper",
        x=1 if context.rtl else 0,
        y=0,
        xanchor=side,
        yanchor="top",
        yshift=-(bottom + 8),
        align=side,
    )
    source["font"] = source["font"] | {"size": 11, "color": quiet}
    made["annotations"] = [*layout.get("annotations", []), source]
    return made


def _mark(key: Figure, context: ChartContext) -> str:
    """The letter before a key that looks as the page draws it: a hatched area is ▨, a dashed line ╍, a white area □."""
    letter, colour = _MARKS.get(key["kind"], "■"), key["colour"]
    if letter == "■" and colour == context.colour("surface"):
        letter, colour = "□", context.colour("quiet")
    if key["kind"] == "light":
        colour = elements.faded(colour, 0.45)
    return f'<span style="color:{colour}">{letter}</span>' if letter else ""


def _labels_below(axis: Figure) -> int:
    """The height of the labels below a plot, as static/plot.js makes room for them."""
    labels = axis.get("ticktext") or ()
    if not labels or axis.get("showticklabels") is False or axis.get("side", "bottom") != "bottom":
        return 0
    lines = (0.28 + 1.3 * max(label.count("<br>") + 1 for label in labels)) * axis["tickfont"]["size"]
    ticks = axis["ticklen"] + 2 if axis.get("ticks") else 0
    return math.ceil(8 + axis.get("ticklabelstandoff", 0) + lines + ticks + (16 if axis.get("title") else 0))


def copy_and_present(view: PageContext, answer: Answer, ident: str) -> None:
    """Buttons that copy the picture of the chart `ident` and show it on the full screen (static/shell.js)."""
    copy = ""
    if answers.may_leave(page_run.access_scope(), answer):
        copied = view.escaped("more.copied_picture")
        label = view.escaped("more.copy_picture")
        copy = f'<button type="button" class="pd-copy-picture" data-copied="{copied}">{label}</button>'
        copy += '<span role="status" class="pd-note"></span>'
    present = f'<button type="button" class="pd-present">{view.escaped("more.present")}</button>'
    chart = re.sub(r"[^\w-]", "-", f"chart-{ident}", flags=re.ASCII)
    st.html(f'<div class="pd-tools" data-chart="{chart}">{copy}{present}</div>', width="content")


def note_copy(answer: Answer) -> None:
    page_run.record("export", **noted(answer, "picture", len(answer.rows)), **audit.rights(page_run.access_scope()))


@st.dialog(" ", width="large")
def _show_picture(view: PageContext, picture: Picture, context: ChartContext, name: str, ident: str) -> None:
    """A preview of the picture, with a button that downloads it in the selected format."""
    form = st.segmented_control(
        view.word("more.form"), ("png", "svg"), default="png", required=True, format_func=str.upper, key=f"form-{ident}"
    )
    blocks.note(view.word("more.picture_help"))
    config = elements.CONFIG | {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": form, "filename": name, "scale": 1 if form == "svg" else 2},
    }
    plot(on_paper(picture, context), f"picture-{ident}-{form}", picture.title, config)


# ---------------------------------------------------------------- offers


def buttons(
    view: PageContext,
    source: Exportable,
    context: ChartContext,
    ident: str,
    picture: Picture | None,
    made: Made | None = None,
    address: str = "",
) -> None:
    """A link to each file where it has an address, else a button that makes it; none if the user may not export.

    A large file is made first, with a progress bar, also where it has an address.
    """
    answer = exportable.of(source).answer
    is_detail = isinstance(source, exportable.StreamedRows)
    if not may_export(view, answer, is_detail):
        return
    if is_detail:
        circulation = False
        blocks.note(view.word("figure.not_for_circulation"))
    else:
        circulation = st.checkbox(
            view.word("figure.circulation"), key=f"circulation-{ident}", help=view.word("figure.circulation_help")
        )
    count = exportable.of(source).count()
    place = page_context.place(view, answer.where)
    blocks.note(view.word("more.rows", rows=text.number(count, view.lang)))
    large = [kind for kind in FORMS if count * len(answer.columns) > MANY_CELLS[kind]]
    link = data_links.of_file(address, circulation)
    limit, no_effect = (made.exhibit.limit, made.exhibit.no_effect) if made else ("", "")

    @cache
    def exported() -> tuple[Exportable, Picture | None]:
        return for_circulation(view, source, made) if circulation else (source, picture)

    for kind in FORMS:
        label = view.word(f"more.{kind}")
        if link and kind not in large:
            st.link_button(label, link.format(form=kind), key=f"{kind}-{ident}")
            continue
        job = ExportJob(kind, exported()[0], context, circulation, place, limit, no_effect)
        name = about.file_name(source, context, place, kind, circulation, limit)
        details = noted(answer, kind, count, circulation)
        if kind in large:
            made_first(view, ident, name, job, details)
        else:
            offered(view, f"{kind}-{ident}", label, name, FORMS[kind], job.write, details)
    if picture and st.button(view.word("more.picture"), key=f"picture-button-{ident}"):
        if drawn := exported()[1]:
            name = about.file_name(source, context, place, "", circulation).rstrip(".")
            # The browser writes the file itself, so the audit log records that the picture was shown.
            details = noted(answer, "picture", count, circulation)
            page_run.record("export", **details, **audit.rights(page_run.access_scope()))
            _show_picture(view, drawn, context, name, ident)
        else:
            blocks.note(view.word("figure.no_picture"), is_status=True)


def may_export(view: PageContext, answer: Answer, is_detail: bool = False) -> bool:
    """Whether the user may export an answer; a note says if not. Raises AccessDenied outside the rights."""
    answers.check(page_run.access_scope().rights(), answer)
    allowed = answers.may_leave(page_run.access_scope(), answer, is_detail)
    if not allowed:
        blocks.note(view.word("sign_in.no_export"))
    return allowed


def offered(
    view: PageContext,
    key: str,
    label: str,
    name: str,
    mime: str,
    write: Callable[[Any], object],
    details: dict[str, str | int],
    help: str | None = None,
) -> None:
    """A button for a file, which `write` writes when it is pressed.

    Where users sign in, the file is offered to this user at a one-time address, with `details` for the audit log.
    """
    if not page_run.signs_in():
        make = partial(_made, write, page_run.current_file())
        st.download_button(label, make, name, mime, key=key, on_click="ignore", help=help)
    elif st.button(label, key=key, help=help):
        with tempfile.NamedTemporaryFile(prefix="offer-", delete=False) as out:
            try:
                write(out)
            except BaseException:
                Path(out.name).unlink()
                raise
        _offer(view, Path(out.name), name, details)


def _made(write: Callable[[Any], object], shown: str) -> io.BytesIO:
    """The file, of the publication `shown`: Streamlit asks for it outside the page run."""
    out = io.BytesIO()
    with page_run.reading(shown):
        write(out)
    return out


def _offer(view: PageContext, path: Path, name: str, details: dict[str, str | int]) -> None:
    address = text.escape(page_run.offer(path, name, details))
    st.html(f'<p class="pd-note"><a href="{address}" download>{view.escaped("sign_in.fetch")}</a></p>')


@dataclass(frozen=True)
class _MadeFile:
    ident: str
    name: str
    making: Making


def made_first(view: PageContext, ident: str, name: str, job: Job, details: dict[str, str | int]) -> None:
    """A large file: written by a worker process, then downloaded.

    The session keeps one such file on disk until the next one or its end; it is read into memory only for the download.
    """
    made: _MadeFile | None = st.session_state.get(_MADE)
    # The name covers language, day and rounding.
    if made is None or (made.ident, made.name) != (ident, name) or made.making.job.made_of() != job.made_of():
        label = view.word("more.make", form=view.word(f"more.{job.form}"))
        begin = (ident, name, job, page_run.current_file())
        st.button(label, key=f"make-{job.form}-{ident}", on_click=_begin, args=begin)
    elif not made.making.process.wait(_AT_ONCE_SECONDS):
        _followed(view, ident, made.making)
    else:
        _finished(view, ident, name, made.making, details)


def _begin(ident: str, name: str, job: Job, shown: str) -> None:
    _forget()
    with page_run.reading(shown):
        st.session_state[_MADE] = _MadeFile(ident, name, Making(job))


def _forget() -> None:
    """Stop the job, or remove its file."""
    if made_file := st.session_state.pop(_MADE, None):
        made_file.making.stop()


@st.fragment(run_every=1.0)
def _followed(view: PageContext, ident: str, making: Making) -> None:
    if making.process.is_done:
        st.rerun()
    st.progress(min(making.process.share, 1.0), view.word("more.making"))
    # A click inside a fragment reruns only the fragment, so rerun the page.
    if st.button(view.word("more.stop_making"), key=f"stop-{ident}", on_click=_forget):
        st.rerun()


def _finished(view: PageContext, ident: str, name: str, making: Making, details: dict[str, str | int]) -> None:
    kind = making.job.form
    try:
        making.process.result()
    except Exception as failed:
        _forget()
        if not isinstance(failed, worker_process.Ended):
            raise
        st.html(f'<p class="pd-note" role="alert">{view.escaped("more.not_made")}</p>')
    else:
        if page_run.signs_in():
            _offer(view, making.take(), name, details)
            _forget()
        else:
            label, mime, key = view.word(f"more.{kind}"), FORMS[kind], f"{kind}-{ident}"
            st.download_button(label, making.path.read_bytes, name, mime, key=key, on_click="ignore")
