"""Free choice of measures and dimensions: a suitable chart, the table, a pivot, the files.

The choice is kept in the address. A question without meaning is refused in words, with buttons that remove the cause.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from etl.semantic import exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import DIMENSIONS, catalogue
from etl.semantic.exportable import StoredRows
from ui.components import blocks
from ui.components import figures as ui
from ui.components.blocks import controlled
from ui.data import warehouse
from ui.exhibits import explore as exhibits
from ui.exhibits.explore import Charted, Problem, Remedy, problems_of
from ui.i18n import text
from ui.sections import explore_rows
from ui.sections.explore_rows import PAGE, Selection
from ui.state import page_context, page_parameters, periods, questions
from ui.state.given import MOST_DIMENSIONS, MOST_MEASURES, NOTHING
from ui.state.page_context import PageContext

DEFAULT = {"m": exhibits.DEFAULT.names, "by": exhibits.DEFAULT.by}


def explore(view: PageContext) -> None:
    """The question, and its answer or the reason why there is none."""
    over = view.over or view.complete_months(periods.DEFAULT_MONTHS)
    selection = Selection(tuple(_chosen("m")), tuple(_chosen("by")), over)
    _controls(view, selection)
    if problems := problems_of(selection.names, selection.by, view.where):
        _refused(view, problems)
        return
    with blocks.error_boundary(view.lang, PAGE):
        with st.spinner(view.word("more.counting")):
            answer = questions.free(view.asked, warehouse.of_page(), selection.names, selection.by)
        day = exportable.of(answer).answer.on
        if day and day != view.as_of:
            blocks.note(view.word("more.settled", day=text.day(day, view.lang)))
        if isinstance(answer, StoredRows):
            blocks.note(view.word("more.too_many_for_chart"))
        elif questions.is_empty(answer):
            blocks.notice(view.lang, "state.empty_title", view.word("state.empty"))
            return
        else:
            _figures(view, selection, answer)
        explore_rows.rows(view, selection, answer)


def _chosen(name: str) -> Iterable[str]:
    chosen = page_parameters.of(PAGE).get(name)
    return DEFAULT[name] if chosen is None else [value for value in chosen if value != NOTHING]


def _controls(view: PageContext, selection: Selection) -> None:
    known = catalogue()
    measures = [name for name, metric in known.items() if not metric.hidden]
    with st.container(horizontal=True, key="explore-bar", gap="small", vertical_alignment="bottom"):
        _several(view, "m", measures, selection.names, lambda name: known[name].label[view.lang], MOST_MEASURES)
        _several(view, "by", DIMENSIONS, selection.by, lambda name: view.word(f"dimension.{name}"), MOST_DIMENSIONS)


def _several(
    view: PageContext, name: str, options: Sequence[str], chosen: Sequence[str], label: Callable[[str], str], most: int
) -> None:
    controlled(
        st.multiselect,
        view.word(f"more.{name}"),
        f"explore {name}",
        list(chosen),
        partial(_choose, name),
        options=list(options),
        format_func=label,
        max_selections=most,
        placeholder=view.word(f"more.{name}_hint"),
        filter_mode="contains",
        select_all=False,
        wrap=True,
        width=420 if name == "m" else 300,
    )


def _choose(name: str, values: Sequence[str]) -> None:
    is_default = tuple(values) == DEFAULT[name]
    page_parameters.choose(PAGE, **{name: None if is_default else values or [NOTHING], "page": None, "sort": None})


def _refused(view: PageContext, problems: Sequence[Problem]) -> None:
    """The reasons why there is no answer, and a button for each remedy."""
    sentences = dict.fromkeys(problem.sentence(view.lang) for problem in problems)
    listed = "".join(f"<p>{text.escape(line)}</p>" for line in sentences)
    title = view.escaped("state.refused_title")
    st.html(f'<div class="pd-notice pd-refused" role="alert"><strong>{title}</strong>{listed}</div>')
    with st.container(horizontal=True, gap="small"):
        for remedy in dict.fromkeys(remedy for problem in problems for remedy in problem.remedies):
            label = view.word("refused.take_away", name=_named(view, remedy))
            st.button(label, key=f"way-{remedy.kind}-{remedy.name}", on_click=_take, args=(remedy,))


def _named(view: PageContext, remedy: Remedy) -> str:
    if remedy.kind == "m":
        return catalogue()[remedy.name].label[view.lang]
    named = view.word(f"dimension.{remedy.name}")
    return view.word("refused.filter", name=named) if remedy.kind == "where" else named


def _take(remedy: Remedy) -> None:
    if remedy.kind == "where":
        page_context.narrow(remedy.name, ())
    else:
        _choose(remedy.kind, [name for name in _chosen(remedy.kind) if name != remedy.name])


def _figures(view: PageContext, selection: Selection, answer: Answer) -> None:
    """A chart that suits the shape of the answer, or a note that there is none."""
    charts = exhibits.charts_of(selection.names, selection.by, view.where)
    if form := _form(view, selection):
        for column, name in zip(st.columns(len(selection.names)), selection.names, strict=True):
            with column:
                _signals(view, Charted((name,), selection.by, form))
        blocks.note(view.word("signal.other_question"))
        return
    if not selection.by:
        _values(view, answer)
    elif len(selection.by) > 2:
        blocks.note(view.word("more.no_chart"))
    for pair in [charts[start : start + 2] for start in range(0, len(charts), 2)]:
        # Beside the bars of all provinces a wide map leaves less room empty.
        widths = (3, 2) if pair[0].form == "map" and pair[1:] else len(pair)
        for column, charted in zip(st.columns(widths), pair, strict=True):
            with column:
                name = charted.names[0]
                ui.exhibit(_on_its_day(view, name, answer), exhibits.chart, charted, of=charted.name)
                if exhibits.has_trend(selection.names, charted):
                    ui.exhibit(view, exhibits.trend, charted)


def _signals(view: PageContext, charted: Charted) -> None:
    """The funnel of all provinces, or the months of the chosen one."""
    if charted.form in exhibits.forms(charted.names, charted.by, view.where):
        ui.exhibit(view, exhibits.chart, charted, of=charted.name)
    else:
        blocks.note(view.word("signal.choose"), on_screen=True)


def _form(view: PageContext, selection: Selection) -> str:
    """The form of chart chosen among those that the question allows besides the usual one; empty for that."""
    form = exhibits.for_analysts(selection.names, selection.by)
    if not form:
        return ""
    chosen = form if page_parameters.one(PAGE, "chart") == form else "usual"

    def changed(option: str) -> None:
        page_parameters.choose(PAGE, chart=form if option == form else None)

    controlled(
        st.segmented_control,
        view.word("more.chart"),
        f"explore {form}",
        chosen,
        changed,
        options=["usual", form],
        required=True,
        format_func=lambda option: view.word(f"more.{option}"),
        label_visibility="collapsed",
    )
    return form if chosen == form else ""


def _on_its_day(view: PageContext, name: str, answer: Answer) -> PageContext:
    """The view on the day of the whole question, where another of its measures was settled earlier than this one."""
    day = answer.on
    if (
        not day
        or catalogue()[name].kind == "event"
        or questions.settled_on(warehouse.of_page(), name, view.as_of) == day
    ):
        return view
    return replace(view, scope=view.scope.on_day(day))


def _values(view: PageContext, answer: Answer) -> None:
    """A question without a dimension has one row: its numbers as cards."""
    cards = "".join(
        f'<div class="pd-card"><p class="pd-label">{text.escape(metric.label[view.lang])}</p><p class="pd-value"><bdi>'
        f"{text.escape(text.amount(answer.value(metric.name), metric.unit, view.lang))}</bdi></p></div>"
        for metric in answer.metrics
    )
    st.html(f'<div class="pd-values">{cards}</div>')
