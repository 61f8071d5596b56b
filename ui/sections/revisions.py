"""What changed between publications: the numbers, the causes of each change, and the files that differ."""

from collections.abc import Callable, Mapping
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias

import streamlit as st

from etl.analysis import data_quality as load
from etl.core.paths import warehouse_pointer
from etl.revisions.diff import Diff
from etl.semantic.catalog import catalogue, label_of
from ui.components import blocks, tables
from ui.components.parts import part
from ui.data import warehouse
from ui.exhibits.compare import signed
from ui.i18n import text
from ui.sections import data_quality
from ui.state import page_context, page_parameters, rendering
from ui.state.page_context import PageContext

# A number or a file that differs between two publications.
_Row: TypeAlias = Mapping[str, Any]


def why(view: PageContext) -> None:
    """Why numbers changed since the previous publication: by measure, province and cause, and in which files."""
    make = partial(warehouse.analyse, load.last_revision, warehouse_pointer())
    part(view, "why", make, partial(_why, view), st.container(key="changes"))


@rendering.fragment
def _why(view: PageContext, revision: Diff | None) -> None:
    with blocks.error_boundary(view.lang, "why"):
        if revision is not None:
            _changes(view, revision)


def _changes(view: PageContext, revision: Diff) -> None:
    with st.container(border=True, key="figure-why"):
        ids = {name: text.digits(getattr(revision, name), view.lang) for name in ("old", "new")}
        chosen_metric, places = page_parameters.one("quality", "of"), view.where.get("province", ())
        names = ("metric", "province", "causes", "before", "after", "change", "settled")
        moved = [
            {name: getattr(change, name) for name in names}
            for change in revision.moved
            if (not chosen_metric or change.metric == chosen_metric) and (not places or change.province in places)
        ]
        changed = warehouse.analyse(load.changed_files, warehouse_pointer())
        files = [file for file in changed if not places or file["province"] in (None, *places)]
        count = {"numbers": text.number(len(moved), view.lang), "files": text.number(len(files), view.lang)}
        has_changed = bool(revision.moved or changed)
        blocks.head(view.word("why.title"), view.word("why.between" if has_changed else "why.same", **ids, **count))
        if chosen_metric:
            sentence = view.word("why.only", measure=catalogue()[chosen_metric].label[view.lang])
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.html(f'<p class="pd-note">{text.escape(sentence)}</p>', width="content")
                st.button(view.word("why.all"), key="why-all", type="tertiary", on_click=_every_measure)
        if moved:
            columns = [_measure(view), _province(view), *_moved(view), _causes(view)]
            tables.show(view, "why", columns, moved, view.word("why.title"))
        elif has_changed:
            blocks.note(view.word("why.nothing"))
        if files:
            st.html(f'<div class="pd-head"><h4>{view.escaped("why.files")}</h4></div>')
            tables.show(view, "why-files", _changed(view), files, view.word("why.files"))


def _every_measure() -> None:
    page_parameters.choose("quality", of=None)
    page_context.write()


@rendering.fragment
def log(view: PageContext) -> None:
    """The log of changes in the nation's numbers between all publications kept; nothing where there is only one."""
    if warehouse.analyse(load.last_revision, warehouse_pointer()) is None:
        return
    with (
        st.container(border=True, key="figure-revisions", height="stretch"),
        blocks.error_boundary(view.lang, "revisions"),
    ):
        log = warehouse.analyse(load.revisions, warehouse_pointer())
        key = "revision.numbers" if log else "load.no_revisions"
        blocks.head(view.word("load.revisions"), view.word(key, count=text.number(len(log), view.lang)))
        if not log:
            return

        def ids(row: _Row) -> str:
            return view.word("revision.from_to", **{name: text.digits(row[name], view.lang) for name in ("old", "new")})

        pair = _column(view, "publications", "revision.publications", ids, lambda row: (row["old"], row["new"]))
        columns = [_measure(view), pair, *_moved(view), _causes(view)]
        tables.show(view, "revisions", columns, log, view.word("load.revisions"))


def _column(
    view: PageContext,
    name: str,
    title: str,
    words: Callable[[_Row], str],
    value: Callable[[_Row], Any] | None = None,
    is_number: bool = False,
) -> tables.Column:
    """A column of escaped words under the words of `title`, sorted by `value`."""
    return tables.Column(name, view.word(title), lambda row: text.escape(words(row)), value, is_number)


def _measure(view: PageContext) -> tables.Column:
    def named(row: _Row) -> str:
        label, day = label_of(row["metric"], view.lang), row.get("settled")
        return view.word("change.settled", label=label, day=text.day(day, view.lang)) if day else label

    return _column(view, "measure", "dimension.measure", named, lambda row: tables.collated(named(row)))


def _province(view: PageContext) -> tables.Column:
    def named(row: _Row) -> str:
        code = row["province"]
        return view.member("province", code) if code else view.word("scope.nation")

    return tables.member_column(view, "province", itemgetter("province"), named)


def _moved(view: PageContext) -> list[tables.Column]:
    """A number before and after, and its change."""

    def unit(row: _Row) -> str:
        metric = catalogue().get(row["metric"])
        return metric.unit if metric else "rows"

    def number(name: str) -> tables.Column:
        def words(row: _Row) -> str:
            return text.plain(row[name], unit(row), view.lang)

        return _column(view, name, f"revision.{name}", words, is_number=True)

    def change(row: _Row) -> str:
        return signed(row["after"], row["before"], unit(row), view.lang)

    return [number("before"), number("after"), _column(view, "change", "revision.change", change, is_number=True)]


def _causes(view: PageContext) -> tables.Column:
    def words(row: _Row) -> str:
        return text.listed([data_quality.name_of(view, "revision", cause) for cause in row["causes"]], view.lang) or "–"

    return _column(view, "causes", "revision.causes", words, words)


def _changed(view: PageContext) -> list[tables.Column]:
    """A file with its province and source, and its rows in the two publications."""

    def rows(name: str, title: str, value: Callable[[_Row], int | None], signed: bool = False) -> tables.Column:
        return _column(view, name, title, lambda row: text.number(value(row), view.lang, signed=signed), value, True)

    def source(row: _Row) -> str:
        return data_quality.name_of(view, "source", row["source"])

    return [
        tables.Column(
            "file",
            view.word("dimension.file"),
            lambda row: blocks.latin(row["file"]),
            lambda row: row["file"],
        ),
        _province(view),
        _column(view, "source", "dimension.source", source, lambda row: row["source"]),
        rows("before", "why.rows_before", lambda row: row["before"]),
        rows("after", "why.rows_after", lambda row: row["after"]),
        rows("change", "revision.change", lambda row: (row["after"] or 0) - (row["before"] or 0), signed=True),
    ]
