"""Institutes: search, list with measures, and one institute with its licences. People appear only as rows without names."""

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from etl.analysis import detail
from etl.operations import audit
from etl.semantic.answers import Answer
from ui.components import blocks, tables
from ui.components.blocks import controlled
from ui.components.figures import named
from ui.components.footer import context, footer
from ui.components.table_state import InAddress
from ui.data import person_rows, warehouse
from ui.data.ask import frozen
from ui.exhibits import institute as exhibits
from ui.exhibits.exhibit import Nothing
from ui.i18n import text
from ui.sections.listings import institute_address
from ui.state import page_context, page_parameters, rendering
from ui.state.page_context import PageContext

PAGE = "register"


def chosen(view: PageContext) -> detail.Institute | None:
    """The institute of the scope, if it is exactly one."""
    codes = view.where.get("institute", ())
    return warehouse.analyse(detail.institutes).get(codes[0]) if len(codes) == 1 else None


def only(view: PageContext) -> PageContext:
    """The view of the one institute without a place."""
    return replace(view, scope=exhibits.alone(view.scope))


def find(view: PageContext) -> None:

    def changed(written: str) -> None:
        page_parameters.choose(PAGE, find=written, page=None, sort=None)
        page_context.narrow("institute", ())

    controlled(
        st.text_input,
        view.word("institute.find"),
        "institute find",
        page_parameters.one(PAGE, "find"),
        changed,
        placeholder=view.word("institute.find_hint"),
        max_chars=80,
        width=420,
    )


@rendering.fragment
def listing(view: PageContext) -> None:
    """The institutes of the scope or of the search, with their measures; each name links to its page."""
    with st.container(border=True, key="figure-institutes"), blocks.error_boundary(view.lang, "institutes"):
        made = named(view, exhibits.institutes)
        exhibit = made.exhibit
        if isinstance(exhibit.form, Nothing):
            blocks.notice(view.lang, exhibit.form.title, exhibit.form.words)
            return
        answer = exhibit.answer
        assert answer is not None
        blocks.head(exhibit.title.sentence, exhibit.below)
        order = "" if page_parameters.one(PAGE, "find") else f"-{answer.metrics[0].name}"
        columns, store = _columns(view, answer), InAddress(PAGE)
        tables.show(view, "institutes", columns, answer.rows, exhibit.below, order, store)
        for note in exhibit.notes:
            blocks.note(note)
        footer(view, answer, "institutes", with_table=False, made=made)


def _columns(view: PageContext, answer: Answer) -> list[tables.Column]:
    """The register's facts on an institute, its name as a link, then its measures."""
    institutes = warehouse.analyse(detail.institutes)

    def licensed_until(row: tuple) -> str:
        until, count = (row[answer.columns.index(name)] for name in ("licensed_until", "licensed_institutes"))
        if until is None:
            return "–"
        day = tables.day(until, view.lang)
        return day if count else f"{day} <small>({view.escaped('institute.ended')})</small>"

    def code(row: tuple) -> str:
        return f"<bdi>{text.escape(text.digits(row[0], view.lang))}</bdi>"

    def fact(name: str) -> tables.Column:
        def member(row: tuple) -> str:
            shown = "county_shown" if name == "county" else name
            return view.member(name, getattr(institutes[row[0]], shown))

        return tables.member_column(view, name, lambda row: getattr(institutes[row[0]], name), member)

    own: dict[str, dict[str, Any]] = {
        "in_service": {"title": view.word("institute.in_service")},
        "licensed_until": {"cell": licensed_until},
    }
    # Without a course, all active assistants are to be trained.
    without = ("licensed_institutes", "trainable_assistants")
    columns = tables.columns_of(view, answer, context(view), partial(institute_address, view), without)
    name, *measures = (replace(column, **own.get(column.name, {})) for column in tables.paled(columns, answer))
    facts = [
        name,
        fact("province"),
        fact("county"),
        tables.Column("code", view.word("dimension.code"), code, lambda row: row[0]),
        fact("activity"),
    ]
    # The licence stands with the facts.
    return tables.led_by(
        [*facts, *measures], answer.metrics[0].name, *(column.name for column in facts), "licensed_until"
    )


def head(view: PageContext) -> None:
    institute = chosen(view)
    assert institute
    status = view.member("status", institute.status)
    if institute.status_since:
        status = view.word("institute.since", status=status, day=text.day(institute.status_since, view.lang))
    facts = {
        "dimension.code": text.digits(institute.code, view.lang),
        "dimension.province": view.member("province", institute.province),
        "dimension.county": view.member("county", institute.county_shown),
        "dimension.activity": view.member("activity", institute.activity),
        "institute.founded": text.day(institute.founded_on, view.lang) if institute.founded_on else "–",
        "institute.status": status,
        "institute.smart": _yes(view, institute.smart_services),
        "institute.veteran_led": _yes(view, institute.veteran_led),
    }
    listed = "".join(
        f"<dt>{view.escaped(key)}</dt><dd><bdi>{text.escape(fact)}</bdi></dd>" for key, fact in facts.items()
    )
    st.html(f'<div class="pd-head"><h2>{text.escape(institute.name)}</h2></div><dl class="pd-facts">{listed}</dl>')


def _yes(view: PageContext, value: bool | None) -> str:
    return view.word("dimension.unknown" if value is None else "institute.yes" if value else "institute.no")


@rendering.fragment
def licences(view: PageContext) -> None:
    institute = chosen(view)
    assert institute
    with st.container(border=True, key="figure-licences"), blocks.error_boundary(view.lang, "licences"):
        made = named(view, exhibits.licences)
        exhibit, title = made.exhibit, made.exhibit.title.sentence
        if isinstance(exhibit.form, Nothing):
            blocks.head(view.word("institute.licences", count=text.number(0, view.lang)), institute.name)
            blocks.notice(view.lang, exhibit.form.title, exhibit.form.words)
            return
        answer = exhibit.answer
        assert answer is not None
        blocks.head(title, exhibit.below)
        words = {name: lambda value: text.digits(value or "–", view.lang) for name in ("application_no", "licence_no")}
        words["outcome"] = lambda value: view.member("outcome", value) if value else view.word("institute.open")
        tables.show(view, "licences", tables.columns_of(view, answer, context(view), words=words), answer.rows, title)
        footer(view, answer, "licences", with_table=False, made=made)


@rendering.fragment
def people(view: PageContext) -> None:
    """Pseudonymous rows of people for users with that right; for others a note that they are not available."""
    if not person_rows.may_see_rows():
        blocks.note(view.word("institute.people_off"), on_screen=True)
        return
    with st.container(border=True, key="figure-people"), blocks.error_boundary(view.lang, "people"):
        blocks.head(view.word("institute.people"))
        blocks.note(view.word("institute.people_are"))
        spells = person_rows.people(view.as_of, view.where)
        answer = spells.first(tables.PAGE_ROWS)
        publication = spells.answer.publication.id
        event = (publication, view.as_of, frozen(view.where))
        institutes = ",".join(map(audit.plain, view.where.get("institute", ()))) or "all"
        seen: dict[str, str | int] = {"publication": publication, "institute": institutes, "rows": len(answer.rows)}
        blocks.record_once("detail", event, **seen)
        if not answer.rows:
            blocks.notice(view.lang, "state.empty_title", view.word("state.empty"))
            return
        words = {"row": lambda number: text.number(number, view.lang)}
        columns = tables.columns_of(view, answer, context(view), words=words)
        tables.show(view, "people", columns, answer.rows, view.word("institute.people"))
        footer(view, spells, "people", with_table=False)
