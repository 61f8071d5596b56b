"""What a reader meets twice: the scope bar, cards, figures, maps and tables. Each shows one Answer with the same footer.

A component asks its question under the reader's scope, says in words what it shows, and says something kind when there is
nothing to show. Data goes into HTML only through `text.escape`, and never into Markdown.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException

from etl.metrics import Answer, Metric
from pages.parts import charts, exports, findings, page, text, warehouse
from pages.parts.charts import Look
from pages.parts.page import FILTERS, View

_LOG = logging.getLogger(__name__)
# More rows than this are read in a file, not on a screen.
_MOST_ROWS = 1000
# Of so many provinces the counties can still be read in one chart.
_FEW_PROVINCES = 3
_MAIN_FILTERS = ("province", "activity")

_QUESTION = {"fa": "؟", "en": "?"}


def look(view: View) -> Look:
    """How charts are to be drawn for this reader."""
    return Look(
        view.lang,
        view.dark,
        {
            "course": warehouse.names("course", view.lang),
            "institute": warehouse.names("institute", view.lang),
        },
    )


# ---------------------------------------------------------------- scope


def scope_bar(*more: str) -> View:
    """Province, activity and as-of day, in the same place on every page; `more` are the page's other filters."""
    view = page.view()
    offered = [name for name in FILTERS if name not in _MAIN_FILTERS and (not more or name in more)]
    with st.container(key="scope-bar", horizontal=True, vertical_alignment="bottom", gap="small"):
        for name in _MAIN_FILTERS:
            _filter(view, name)
        _day(view)
        on = [name for name in offered if name in view.where]
        label = (
            view.word("scope.more_on", count=text.number(len(on), view.lang))
            if on
            else view.word("scope.more")
        )
        with st.popover(label, key="scope-more"):
            for name in offered:
                _filter(view, name)
        st.button(view.word("scope.reset"), key="scope-reset", on_click=page.reset, type="tertiary")
    said = view.word("scope.in_words", parts=page.said(view))
    day = view.word("trust.as_of", day=text.day_in_both(view.as_of, view.lang))
    st.html(
        f'<p class="pd-said" role="status">{text.escape(said)} <span>·</span> {text.escape(day)}</p>'
    )
    return view


def _filter(view: View, name: str) -> None:
    """One multiple choice; what the session holds is what it shows."""
    key = f"filter {name}"
    options = _options(view, name)
    chosen = [code for code in view.where.get(name, ()) if code in options]
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    st.multiselect(
        view.word(f"scope.{name}"),
        list(options),
        key=key,
        format_func=lambda code: options.get(code, code),
        placeholder=view.word("scope.all_of"),
        on_change=lambda: page.narrow(name, st.session_state[key]),
        filter_mode="contains",
        select_all=False,
        wrap=True,
    )


def _options(view: View, name: str) -> dict[str, str]:
    """What may be chosen: counties and institutes only of the provinces that are on."""
    names = warehouse.names(name, view.lang)
    provinces = view.where.get("province")
    if name == "county" and provinces:
        within = text.counties_of(frozenset(provinces))
        return {code: label for code, label in names.items() if code in within}
    return names


def _day(view: View) -> None:
    key = "filter on"
    if st.session_state.get(key) != view.as_of:
        st.session_state[key] = view.as_of

    def chosen() -> None:
        on = st.session_state[key]
        page.set_day(None if on is None or on >= view.latest else on)

    first, last = view.first_of_data, view.latest
    if view.lang == "fa":
        first, last = _jalali_bounds(first, last)
    st.date_input(
        view.word("scope.on"),
        key=key,
        min_value=first,
        max_value=last,
        format="YYYY/MM/DD",
        on_change=chosen,
    )
    if view.lang == "fa":
        # Streamlit's field is Gregorian in every language: the Jalali day stands in its place.
        st.html(
            f"<style>.st-key-filter-on [data-testid='stDateInputField']::before"
            f"{{content:'{text.day(view.as_of, view.lang)}';padding-inline:0.75rem}}</style>"
        )


def _jalali_bounds(first: date, last: date) -> tuple[date, date]:
    """Bounds under which the browser's calendar stays Jalali.

    It cuts its months at the bounds' Gregorian months: a last day after the 20th, or a first day
    before it, makes it show a Gregorian month under a Jalali name.
    """
    following = last if last.day <= 15 else page.add_months(last, 1)
    return page.add_months(first, -1).replace(day=25), following.replace(day=15)


# ---------------------------------------------------------------- asking


def _ask(
    view: View,
    names: Sequence[str],
    by: str | Iterable[str] = (),
    over: tuple[date, date] | None = None,
    on: date | None = None,
    without: Iterable[str] = (),
) -> tuple[Answer, list[str]]:
    """The answer under the reader's scope, and the filters that have no meaning for these measures.

    Flows are asked over the twelve months before the as-of day unless `over` says otherwise.
    """
    catalogue = warehouse.catalogue()
    metrics = [catalogue[name] for name in names]
    where, ignored = {}, []
    for name, codes in view.where.items():
        if name in without:
            continue
        if all(name in metric.dimensions for metric in metrics):
            where[name] = codes
        else:
            ignored.append(name)
    kinds = {metric.kind for metric in metrics}
    axes = (by,) if isinstance(by, str) else tuple(by)
    timed = bool({"month", "quarter", "year"} & set(axes))
    if over is None and ("flow" in kinds or timed):
        over = view.complete_months(12)
    day = None if timed or kinds == {"flow"} else on or view.as_of
    if not timed and kinds == {"state"}:
        over = None
    answer = warehouse.ask(*names, reader=view.reader, by=axes, on=day, over=over, where=where)
    return answer, ignored


def _notice(view: View, title: str, words: str, kind: str = "empty") -> None:
    st.html(
        f'<div class="pd-notice pd-{kind}" role="note"><strong>{text.escape(view.word(title))}</strong>'
        f"<p>{text.escape(words)}</p></div>"
    )


def _nothing(answer: Answer) -> bool:
    at = [answer.columns.index(metric.name) for metric in answer.metrics]
    return not any(row[i] is not None for row in answer.rows for i in at)


# ---------------------------------------------------------------- cards


def cards(view: View, *names: str, compare: bool = True) -> None:
    """Up to ten numbers, each with what it was a year before, its parts if it is a rate, and what it means."""
    across = next((n for n in (5, 4, 3) if len(names) % n == 0), 4)
    with st.container(key=f"cards-{across}"):
        for name in names[:10]:
            with st.container(key=f"card-{name}", border=True, height="stretch"):
                _card(view, name, compare)


def _card(view: View, name: str, compare: bool) -> None:
    try:
        answer, ignored = _ask(view, [name])
        before = _year_before(view, answer) if compare else None
    except warehouse.QuestionError as refused:
        _notice(view, "state.refused_title", str(refused))
        return
    metric = answer.metrics[0]
    value = answer.value()
    lines = []
    if parts := _parts(answer, metric, view.lang):
        lines.append(view.word("figure.of_total", part=parts[0], whole=parts[1]))
    if before is not None and before.value() is not None and value is not None:
        lines.append(_then(view, metric, value, before.value()))
    if ignored:
        lines.append(_no_effect(view, ignored))
    written = text.plain(value, metric.unit, view.lang)
    unit = (
        "" if metric.unit in ("share", "ratio", "date") else text.unit_word(metric.unit, view.lang)
    )
    st.html(
        f'<div class="pd-card"><p class="pd-label">{text.escape(metric.label[view.lang])}</p>'
        f'<p class="pd-value"><bdi>{text.escape(written)}</bdi> <small>{text.escape(unit)}</small></p>'
        + "".join(f'<p class="pd-line">{text.escape(line)}</p>' for line in lines)
        + "</div>"
    )
    _footer(view, answer, f"card-{name}", small=True)


def _year_before(view: View, answer: Answer) -> Answer:
    where = answer.where
    name = answer.metrics[0].name
    if answer.over and not answer.on:
        end = page.add_months(answer.over[0], 0) - page.DAY
        over = page.last_complete_months(end, 12)
        return warehouse.ask(name, reader=view.reader, over=over, where=where)
    return warehouse.ask(name, reader=view.reader, on=view.day_ago(12), where=where)


def _then(view: View, metric: Metric, now: Any, then: Any) -> str:
    mark = "▲" if now > then else "▼" if now < then else "●"
    return f"{mark} {view.word('figure.before')}: {text.plain(then, metric.unit, view.lang)}"


def _parts(answer: Answer, metric: Metric, lang: str) -> tuple[str, str] | None:
    names = (metric.numerator, metric.denominator)
    if not all(names) or not set(names) <= set(answer.columns) or len(answer.rows) != 1:
        return None
    part, whole = (answer.value(name) for name in names)
    return text.number(part, lang), text.number(whole, lang)


def _no_effect(view: View, ignored: Iterable[str]) -> str:
    return view.word(
        "scope.no_effect",
        filters=text.listed([view.word(f"scope.{name}") for name in ignored], view.lang),
    )


# ---------------------------------------------------------------- figures


def figure(
    view: View,
    chart: Callable[..., charts.Figure],
    *names: str,
    by: str | Iterable[str] = (),
    over: tuple[date, date] | None = None,
    says: findings.Says | None = None,
    analysis: str = "",
    nation: bool = False,
    target: bool = False,
    **options: Any,
) -> None:
    """One question drawn: its finding as the title, measure, place and period below, the chart, and the footer.

    `analysis` names what etl.analysis works out where no single question does. `nation` and `target` add a line to a chart
    of one measure: its value for the nation, the value to be reached.
    """
    axes = tuple(
        _place(view, names) if axis == "place" else axis
        for axis in ((by,) if isinstance(by, str) else by)
    )
    ident = "-".join([chart.__name__, analysis, *names[:1], *axes])
    # a map keeps the whole country in sight; what is chosen is outlined
    without = ("province", "county") if chart is charts.province_map else ()
    with st.container(border=True, key=f"figure-{ident}", height="stretch"):
        try:
            if analysis:
                answer, ignored = (
                    warehouse.analyse(
                        analysis, reader=view.reader, on=view.as_of, where=view.where
                    ),
                    [],
                )
            else:
                answer, ignored = _ask(view, names, axes, over, without=without)
            if without and view.where.get("province"):
                options["focus"] = view.where["province"]
            if _nothing(answer):
                _notice(view, "state.empty_title", view.word("state.empty"))
                return
            if nation:
                options["nation"] = _nation(view, answer)
            if target:
                options["target"] = _target(view, answer)
            _draw(view, chart, answer, ident, says, ignored, options)
        except warehouse.QuestionError as refused:
            _notice(view, "state.refused_title", str(refused), "refused")
        except (warehouse.Unpublished, RerunException, StopException):
            raise
        except Exception as failed:
            # the message may hold data: the log names the figure and the kind of fault, the reader is told the way out
            _LOG.error("figure %s: %s", ident, type(failed).__name__)
            if _LOG.isEnabledFor(logging.DEBUG):
                _LOG.debug("%s", traceback.format_exc())
            _notice(view, "state.error_title", view.word("state.error"), "error")


def _place(view: View, names: Sequence[str]) -> str:
    """Provinces, or the counties of the few provinces that are chosen, where the measures know counties."""
    few = 0 < len(view.where.get("province", ())) <= _FEW_PROVINCES
    known = all("county" in warehouse.catalogue()[name].dimensions for name in names)
    return "county" if (few or view.where.get("county")) and known else "province"


def _target(view: View, answer: Answer) -> float | None:
    """The target of the place on the as-of day, where filters leave it a meaning."""
    where = answer.where
    if not set(where) <= warehouse.catalogue()["target"].dimensions:
        return None
    return warehouse.ask("target", reader=view.reader, on=view.as_of, where=where).value()


def counties(view: View, *names: str) -> None:
    """The counties of the chosen provinces (of all, where none is) as a table under the same footer."""
    try:
        answer, ignored = _ask(view, names, "county")
    except warehouse.QuestionError as refused:
        _notice(view, "state.refused_title", str(refused), "refused")
        return
    with st.container(border=True, key="figure-counties"):
        seen = look(view)
        found = findings.extreme(answer, seen, names[-1])
        st.html(
            f'<div class="pd-head"><h3>{text.escape(found.sentence)}</h3>'
            f"<p>{text.escape(_subtitle(view, answer))}</p></div>"
        )
        table(view, answer)
        if ignored:
            st.html(f'<p class="pd-note">{text.escape(_no_effect(view, ignored))}</p>')
        _footer(view, answer, "counties", shown=True)


def _nation(view: View, answer: Answer) -> float | None:
    """The value of the same measure for the whole nation, under the filters that are not places."""
    where = {k: v for k, v in answer.where.items() if k not in ("province", "county", "institute")}
    name = answer.metrics[0].name
    return warehouse.ask(
        name, reader=view.reader, on=answer.on, over=answer.over, where=where
    ).value()


def _draw(
    view: View,
    chart: Callable[..., charts.Figure],
    answer: Answer,
    ident: str,
    says: findings.Says | None,
    ignored: Sequence[str],
    options: dict[str, Any],
) -> None:
    seen = look(view)
    found = findings.of(chart, answer, seen, says)
    if "focus" in chart.__code__.co_varnames and "focus" not in options:
        options["focus"] = found.focus
    drawn = chart(answer, seen, **options)
    subtitle = _subtitle(view, answer)
    meta = drawn["layout"]["meta"]
    st.html(
        f'<div class="pd-head"><h3>{text.escape(found.sentence)}</h3><p>{text.escape(subtitle)}</p>'
        f"{_keys(meta.get('keys', ()))}</div>"
    )
    key = f"chart-{ident}"
    axis = answer.by[0] if answer.by else ""
    chosen: Any = "ignore"
    if axis in FILTERS and chart in _CLICKED:
        chosen = partial(_clicked, axis, key)
    st.plotly_chart(
        drawn,
        key=key,
        theme=None,
        config=charts.CONFIG,
        on_select=chosen,
        selection_mode="points",
        alt=findings.spoken(answer, seen, found, subtitle),
    )
    notes = [meta["credit"]] if meta.get("credit") else []
    if ignored:
        notes.append(_no_effect(view, ignored))
    if notes:
        st.html("".join(f'<p class="pd-note"><bdi>{text.escape(note)}</bdi></p>' for note in notes))
    _footer(view, answer, ident)


# Charts whose shapes are members of a dimension: a click narrows the page to one, another click widens it again.
_CLICKED = (charts.ranking, charts.province_map, charts.stacked)


def _clicked(axis: str, key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    found = [point.get("location") or point.get("customdata") for point in points]
    codes = [code[0] if isinstance(code, list) else code for code in found if code]
    page.turn(axis, codes[0] if codes else None)


def _subtitle(view: View, answer: Answer) -> str:
    """Measure, place and period."""
    measures = text.listed([metric.label[view.lang] for metric in answer.metrics[:4]], view.lang)
    return " · ".join([measures, page.place(view, answer.where), _when(view, answer)])


def _when(view: View, answer: Answer) -> str:
    if answer.over:
        first, last = (text.day(day, view.lang) for day in answer.over)
        return view.word("figure.period", first=first, last=last)
    return text.day(answer.on or view.as_of, view.lang)


def _keys(keys: Iterable[charts.Figure]) -> str:
    """The keys of a chart, in the reading direction; a swatch shows line, dash, outline and hatch as the chart does."""
    entries = "".join(
        f'<li><i class="pd-swatch pd-{key["kind"]}" style="--c:{key["colour"]}"></i>{text.escape(key["label"])}</li>'
        for key in keys
    )
    return f'<ul class="pd-keys">{entries}</ul>' if entries else ""


# ---------------------------------------------------------------- footer: meaning, table, files


@st.fragment
def _footer(
    view: View, answer: Answer, ident: str, small: bool = False, shown: bool = False
) -> None:
    """What every shown answer carries. What is behind a closed door is neither made nor sent."""
    switch = f"table shown {ident}"
    with st.container(
        horizontal=True, gap="small", key=f"footer-{ident}", vertical_alignment="center"
    ):
        if small:
            what = st.popover(
                _QUESTION[view.lang],
                key=f"what-{ident}",
                type="tertiary",
                on_change="rerun",
                help=view.word("figure.what"),
            )
        else:
            what = st.popover(
                view.word("figure.what"), key=f"what-{ident}", type="tertiary", on_change="rerun"
            )
        if what.open:
            with what:
                _meaning(view, answer)
        if small:
            return
        files = st.popover(
            view.word("figure.files"), key=f"files-{ident}", type="tertiary", on_change="rerun"
        )
        if files.open:
            with files:
                _files(view, answer, ident)
        if shown:
            return
        is_open = st.session_state.get(switch)
        label = view.word("figure.table_close" if is_open else "figure.table")
        st.button(label, key=f"table-{ident}", type="tertiary", on_click=_turn, args=(switch,))
    if is_open:
        table(view, answer)


def _turn(switch: str) -> None:
    st.session_state[switch] = not st.session_state.get(switch)


def _meaning(view: View, answer: Answer) -> None:
    """Words, inclusions, worked example, query, load, files, and the rows that were kept back."""
    lang = view.lang
    catalogue = warehouse.catalogue()
    parts = []
    for metric in answer.metrics:
        parts.append(f"<h4>{text.escape(metric.label[lang])}</h4>")
        parts.append(f"<p>{text.escape(metric.description[lang])}</p>")
        if metric.numerator and metric.denominator:
            pair = [
                catalogue[name].label[lang] if name in catalogue else name
                for name in (metric.numerator, metric.denominator)
            ]
            formula = view.word("figure.ratio", numerator=pair[0], denominator=pair[1])
            parts.append(
                f"<p><b>{text.escape(view.word('figure.formula'))}:</b> {text.escape(formula)}</p>"
            )
        if metric.example.get(lang):
            parts.append(
                f"<p><b>{text.escape(view.word('figure.example'))}:</b> {text.escape(metric.example[lang])}</p>"
            )
    published = answer.publication
    load = view.word(
        "figure.load_words",
        id=str(published.id),
        files=text.number(page.count(published.files), lang),
        rows=text.number(published.rows_loaded, lang),
    )
    kept = view.word("figure.kept_back", rows=text.number(published.rows_quarantined, lang))
    parts.append(
        f"<p><b>{text.escape(view.word('figure.load'))}:</b> {text.escape(load)}. {text.escape(kept)}</p>"
    )
    parts.append(f"<p><b>{text.escape(view.word('figure.query'))}:</b></p>")
    st.html(f'<div class="pd-meaning">{"".join(parts)}</div>')
    st.code(answer.query, language="sql", wrap_lines=True)


def _files(view: View, answer: Answer, ident: str) -> None:
    circulation = st.checkbox(
        view.word("figure.circulation"),
        key=f"circulation-{ident}",
        help=view.word("figure.circulation_help"),
    )
    seen, units = look(view), warehouse.units()
    place = page.place(view, answer.where)
    for kind, mime in (("csv", exports.CSV), ("xlsx", exports.XLSX)):
        made: Callable[[], bytes]
        if kind == "csv":
            made = lambda: exports.to_csv(answer, seen, units, circulation)  # noqa: E731
        else:
            made = lambda: exports.to_xlsx(answer, seen, units, circulation, page.said(view))  # noqa: E731
        st.download_button(
            view.word(f"figure.{kind}"),
            data=made,
            file_name=exports.file_name(answer, seen, place, kind),
            mime=mime,
            key=f"{kind}-{ident}",
            on_click="ignore",
        )


def table(view: View, answer: Answer) -> None:
    """The answer as a table: names for codes, numbers that sort as numbers, columns in the reading direction."""
    seen = look(view)
    rows = answer.rows[:_MOST_ROWS]
    catalogue = warehouse.catalogue()
    data: dict[str, list[Any]] = {}
    settings: dict[str, Any] = {}
    for i, name in enumerate(answer.columns):
        values = [row[i] for row in rows]
        if i < len(answer.by):
            label = view.word(f"dimension.{name}")
            data[label] = [seen.member(name, value) for value in values]
            settings[label] = st.column_config.TextColumn(alignment="right" if seen.rtl else "left")
            continue
        metric = catalogue.get(name) or next((m for m in answer.metrics if m.name == name), None)
        label = metric.label[view.lang] if metric else name
        unit = metric.unit if metric else "persons"
        if any(isinstance(value, (str, date)) for value in values):
            data[label] = [text.plain(value, unit, view.lang) for value in values]
        else:
            data[label] = [text.rounded(value, unit) for value in values]
            settings[label] = st.column_config.NumberColumn(
                format="percent" if unit == "share" else "localized"
            )
    order = list(data)[::-1] if seen.rtl else list(data)
    st.dataframe(
        pa.table(data),
        hide_index=True,
        column_order=order,
        column_config=settings,
        height=min(len(rows) + 1, 12) * 35 + 3,
        alt=_subtitle(view, answer),
    )


# ---------------------------------------------------------------- what needs attention


def attention(view: View, *names: str) -> None:
    """For each measure the province that most needs attention, by name, beside the nation's value."""
    entries = []
    seen = look(view)
    for name in names:
        try:
            answer, _ = _ask(view, [name], "province")
        except warehouse.QuestionError:
            continue
        if _nothing(answer):
            continue
        found = (
            findings.gap(answer, seen) if name == "coverage_gap" else findings.extreme(answer, seen)
        )
        metric = answer.metrics[0]
        entries.append(
            f"<li><b>{text.escape(found.sentence)}</b><span>{text.escape(metric.label[view.lang])}</span></li>"
        )
    with st.container(border=True, key="attention", height="stretch"):
        st.html(
            f'<div class="pd-head"><h3>{text.escape(view.word("attention.title"))}</h3></div>'
            f'<ol class="pd-attention">{"".join(entries)}</ol>'
        )
