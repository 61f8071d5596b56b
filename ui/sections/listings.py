"""Lists of institutes by name, words of caution, and the sources of external figures.

A list is an Answer of etl.analysis as a table with links to the institutes, a title sentence, and the standard footer.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

import streamlit as st

from etl.semantic.answers import Answer
from ui.components import tables
from ui.components.blocks import controlled, error_boundary
from ui.components.figures import named, notes_of
from ui.components.footer import context, footer
from ui.components.parts import part
from ui.components.table_html import Column
from ui.components.table_state import AmongLists, InSession
from ui.data import warehouse
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.named import Make
from ui.i18n import text
from ui.state import page_context, page_parameters, rendering
from ui.state.address import DAYS_LEFT, NAMES
from ui.state.page_context import PageContext

# The columns that a list is about, where its first measure is not.
_ABOUT = (
    ("span", "licensed_until"),
    ("accreditation_ending_30", "accreditation_ending_60", "accreditation_ending_90"),
    ("oldest_overdue_file",),
    ("active_assistants", "training_compliance", "judicial_officers"),
    ("in_service", "status_since"),
)


def opened(part: str) -> str:
    """The list that the address of `part` opens first; empty for none."""
    return page_parameters.one(part, "open")


def requested(view: PageContext, makes: Iterable[Make]) -> None:
    """The list that the address opens, at the top of the page."""
    name = opened(page_context.part())
    lists(view, *(make for make in makes if make.__name__ == name), is_short=False, first=True)


def lists(
    view: PageContext,
    *makes: Make,
    without: str = "",
    is_excerpt: bool = False,
    is_short: bool = True,
    first: bool = False,
) -> None:
    """Lists by the functions that make them, except `without`, which the page shows already; short ones show five rows first."""
    for make in makes:
        if make.__name__ != without:
            made, ident = named(view, make), f"listing-{make.__name__}"
            place = st.container(border=True, key=f"figure-{ident}")
            show = partial(_list, view, make, is_excerpt, is_short)
            part(view, ident, partial(attrgetter("exhibit"), made), show, place, first)


@rendering.fragment
def _list(view: PageContext, make: Make, is_excerpt: bool, is_short: bool, _found: Exhibit) -> None:
    """A paged list, of the days that are chosen in it: the fragment runs again for others."""
    name = make.__name__
    ident = f"listing-{name}"
    # Outside the fragment Streamlit would report the error itself.
    with error_boundary(view.lang, ident):
        page, made = page_context.part(), named(view, make)
        exhibit = made.exhibit
        answer, title = exhibit.answer, exhibit.title.sentence
        assert answer is not None
        below = text.escape(exhibit.below)
        st.html(f'<div class="pd-head" id="{ident}"><h3>{text.escape(title)}</h3><p>{below}</p></div>')
        if exhibit.limit and "days" in NAMES.get(page, ()):
            _days_left(view, page_parameters.one(page, "days"))
        if answer.rows:
            store = AmongLists(page, name) if "list" in NAMES.get(page, ()) else InSession(ident)
            columns = _columns(view, answer)
            start = tables.order_of(columns, answer.rows)
            tables.show(
                view, ident, columns, answer.rows, title, start, store, is_excerpt=is_excerpt, is_short=is_short
            )
        notes_of(exhibit, ident)
        footer(view, answer, ident, with_table=False, made=made)


def _columns(view: PageContext, answer: Answer) -> list[Column]:
    """The columns of a list, what it is about behind the name: the days left and the end of a licence in days; no province or
    status that goes without saying, and no second count of the active.
    """
    at = {name: i for i, name in enumerate(answer.columns)}
    on = answer.on or view.as_of
    alike = {"province": view.where.get("province", ()), "status": ("active",)}
    without = ["licensed_institutes", *["trainable_assistants"] * ("active_assistants" in at)]
    without += [
        name for name, codes in alike.items() if name in at and {row[at[name]] for row in answer.rows} == {*codes}
    ]

    def left(row: tuple) -> str:
        count = (row[at["licensed_until"]] - on).days
        return view.escaped("listing.days_left" if count else "listing.today", count=text.number(count, view.lang))

    columns = tables.columns_of(view, answer, context(view), partial(institute_address, view), without)
    name = next(column.cell for column in columns if column.name == "institute")

    def coded(row: tuple) -> str:
        """The name and, as two institutes may share it and it is never in Latin letters, the code that a reader can cite."""
        return f"{name(row)} <small>{text.escape(text.digits(row[at['institute']], view.lang))}</small>"

    own: dict[str, dict[str, Any]] = {
        "span": {"cell": left, "value": lambda row: row[at["licensed_until"]]},
        "institute": {"cell": coded},
    }
    about = next((names for names in _ABOUT if {*names} <= at.keys()), (answer.metrics[0].name,))
    shown = [replace(column, **own.get(column.name, {})) for column in tables.paled(columns, answer)]
    return tables.led_by(shown, *about)


def _days_left(view: PageContext, days: str) -> None:
    page = page_context.part()

    def changed(chosen: str) -> None:
        page_parameters.choose(page, days=None if chosen == DAYS_LEFT[-1] else chosen)
        page_context.write()

    controlled(
        st.segmented_control,
        view.word("why.days_left"),
        "listing days",
        days or DAYS_LEFT[-1],
        changed,
        options=DAYS_LEFT,
        required=True,
        format_func=lambda option: view.word("why.days", count=text.number(int(option), view.lang)),
    )


def institute_address(view: PageContext, row: tuple) -> str:
    """The address of a row's institute under the user's scope without its places, which may exclude the institute."""
    alone: dict[str, list[str]] = {"institute": [row[0]], "province": [], "county": []}
    return page_parameters.address("register", view.lang, view.scope.address() | alone)


def sources(view: PageContext, *analyses: str) -> None:
    """Each figure of the analyses, once, with its definition, source, certainty and web address."""
    ident = f"sources-{analyses[0]}"
    with st.container(border=True, key=ident), error_boundary(view.lang, ident):
        answers, chart_context = [warehouse.analyse(analysis, on=view.as_of) for analysis in analyses], context(view)
        rows = [row for answer in answers for row in answer.records() if row["source"]]
        entries = []
        for row in {tuple(row[name] for name in answers[0].by): row for row in rows}.values():
            year = row["counted_year"] and chart_context.member("counted_year", row["counted_year"])
            head = f"{chart_context.member('country', row['country'])} {year or view.word('abroad.undated')}"
            counted, sure = (chart_context.member(name, row[name]) for name in ("counted", "sureness"))
            details = f"{counted} · {view.word('dimension.sureness')}: {sure} ·"
            entries.append(
                f"<li><b>{text.escape(head)}</b> {text.escape(details)} "
                f'<cite class="pd-latin"><bdi>{text.escape(row["source"])}</bdi></cite> '
                f'<a href="{text.escape(row["address"])}" rel="noreferrer noopener" target="_blank" '
                f'style="color: var(--pd-accent)">'
                f"{view.escaped('abroad.address')}</a></li>"
            )
        title = view.escaped("abroad.sources", count=text.number(len(entries), view.lang))
        # As long as two screens of a phone: closed, and printed.
        listed = f'<ol class="pd-rules">{"".join(entries)}</ol>'
        st.html(f'<details class="pd-note"><summary>{title}</summary>{listed}</details>')
