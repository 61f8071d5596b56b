"""Institutes: search, list with measures, and one institute with its licences. People appear only as rows without names."""

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from etl.analysis import detail
from etl.operations import audit
from etl.semantic.answers import Answer
from etl.warehouse.dimensions import expand_groups
from ui.components import blocks, tables
from ui.components.blocks import controlled
from ui.components.footer import context, footer, subtitle
from ui.components.table_state import InAddress
from ui.data import person_rows, warehouse
from ui.data.ask import frozen
from ui.exhibits.figure import overlaps
from ui.i18n import text
from ui.sections.listings import institute_address
from ui.state import page_context, page_parameters, rendering
from ui.state.page_context import PageContext
from ui.state.questions import without_places

PAGE = "register"
_MEASURES = ("active_assistants", "in_service", "training_compliance", "licensed_until", "licensed_institutes")
# Institutes that have one of these are listed.
_LISTED = ("in_service", "licensed_institutes")
# Filters that a count of licences ignores.
_OF_PERSONS = frozenset(expand_groups(["@person"]))


def chosen(view: PageContext) -> detail.Institute | None:
    """The institute of the scope, if it is exactly one."""
    codes = view.where.get("institute", ())
    return warehouse.analyse(detail.institutes).get(codes[0]) if len(codes) == 1 else None


def only(view: PageContext, institute: detail.Institute) -> PageContext:
    """The view of this institute without a place: its staff may serve outside its province of registration."""
    where = {"institute": (institute.code,)} | without_places(view.where)
    return replace(view, scope=view.scope.of(where))


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
        answer, is_search = _listed(view), bool(page_parameters.one(PAGE, "find"))
        if not answer.rows:
            words = "institute.none_found" if is_search else "state.empty"
            blocks.notice(view.lang, "state.empty_title", view.word(words))
            return
        # The register itself holds more institutes.
        counted = "count_found" if is_search else "count" if _counts_licences(view) else "count_staffed"
        title = view.word(f"institute.{counted}", count=text.number(len(answer.rows), view.lang))
        below, columns = subtitle(view, answer), _columns(view, answer)
        blocks.head(title, below)
        store = InAddress(PAGE)
        order = "" if is_search else f"-{answer.metrics[0].name}"
        tables.show(view, "institutes", columns, answer.rows, below, order, store)
        if any(overlaps(answer, metric, warehouse.of_page()) for metric in answer.metrics):
            blocks.note(view.word("figure.overlap"))
        footer(view, answer, "institutes", with_table=False)


def _counts_licences(view: PageContext) -> bool:
    return not _OF_PERSONS & set(view.where)


def _listed(view: PageContext) -> Answer:
    """Measures by institute. Institutes found without anybody in service or a licence are listed without numbers."""
    names = [name for name in _MEASURES if not name.startswith("licensed") or _counts_licences(view)]
    search_text = page_parameters.one(PAGE, "find")
    where = without_places(view.where) if search_text else view.where
    answer = warehouse.ask(*names, by="institute", on=view.as_of, where=where)
    at = [answer.columns.index(name) for name in _LISTED if name in answer.columns]
    known = warehouse.analyse(detail.institutes)
    rows = {row[0]: row for row in answer.rows if row[0] in known and any(row[i] for i in at)}
    if search_text:
        nothing = (None,) * (len(answer.columns) - 1)
        codes = [institute.code for institute in detail.search(known, search_text)]
        size = answer.columns.index(answer.metrics[0].name)
        # Fit comes before size.
        rows = dict(
            sorted(
                ((code, rows.get(code, (code, *nothing))) for code in codes),
                key=lambda item: (detail.fit(known[item[0]], search_text), -(item[1][size] or 0)),
            )
        )
    return replace(answer, rows=list(rows.values()))


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


def head(view: PageContext, institute: detail.Institute) -> None:
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
def licences(view: PageContext, institute: detail.Institute) -> None:
    with st.container(border=True, key="figure-licences"), blocks.error_boundary(view.lang, "licences"):
        answer = warehouse.analyse(detail.licences, institute.code)
        title = view.word("institute.licences", count=text.number(len(answer.rows), view.lang))
        blocks.head(title, institute.name)
        if not answer.rows:
            blocks.notice(view.lang, "state.empty_title", view.word("institute.no_licences"))
            return
        words = {name: lambda value: text.digits(value or "–", view.lang) for name in ("application_no", "licence_no")}
        words["outcome"] = lambda value: view.member("outcome", value) if value else view.word("institute.open")
        tables.show(view, "licences", tables.columns_of(view, answer, context(view), words=words), answer.rows, title)
        footer(view, answer, "licences", with_table=False)


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
