"""What the load tells of itself: what arrived, what is missing, what was kept back and why, which rules held, what moved."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import streamlit as st

from etl.extract.causes import spoken
from etl.semantic.answers import Answer
from pages.ui.charts.elements import ChartContext
from pages.ui.components import downloads, notices, tables
from pages.ui.components.footer import question
from pages.ui.data import registers, warehouse
from pages.ui.i18n import text
from pages.ui.sections import compare
from pages.ui.state import page_context, page_parameters
from pages.ui.state.page_context import PageContext

# A line of a revision: a number or a file that differs between two publications.
_Row: TypeAlias = Mapping[str, Any]
_IGNORED_NAMED = 20
_COUNTS = ("rows_read", "rows_loaded", "rows_quarantined", "exact_duplicates")


def view() -> PageContext:
    """The reader's view; the load is that of the whole country, whatever the scope."""
    return page_context.view()


def totals(view: PageContext) -> None:
    """That what arrived adds up, in one sentence."""
    answer = registers.load_totals()
    read, loaded, rejected, duplicates = (text.number(answer.value(name), view.lang) for name in _COUNTS)
    sentence = view.word("quality.adds_up", read=read, loaded=loaded, kept=rejected, duplicates=duplicates)
    share = view.word("load.share", share=text.percent(answer.value("kept_back_share"), view.lang))
    st.html(f'<p class="pd-intro">{text.escape(sentence)} {text.escape(share)}</p>')


def provinces(view: PageContext) -> None:
    """What arrived from each province, and since when one is silent."""
    answer = registers.load_provinces()
    lacking = registers.missing_sources()
    if lacking:
        named = [
            view.word(
                "load.lacks",
                province=text.member("province", code, view.lang),
                sources=text.listed([_named(view, "source", source) for source in sources], view.lang),
            )
            for code, sources in lacking.items()
        ]
        title = view.word("load.not_reported", count=text.number(len(lacking), view.lang))
    else:
        named, title = [], view.word("load.all_reported")
    _part(view, answer, "provinces", title, view.word("load.provinces_are"), answer.rows, notes=named)


def reasons(view: PageContext) -> None:
    """Why rows were kept back: source, reason, column, rows. No field of a person."""
    count = text.number(warehouse.published().rows_quarantined, view.lang)
    _by_reason(view, registers.load_reasons(), "reasons", view.word("load.reasons", rows=count))


def warned(view: PageContext) -> None:
    """Which bad values were loaded as unknown: source, reason, column, rows."""
    _by_reason(view, registers.load_warned(), "warned", view.word("load.warned"))


def _by_reason(view: PageContext, answer: Answer, ident: str, title: str) -> None:
    known = registers.headers()
    words: dict[str, Callable[[Any], str]] = {
        "source": lambda name: _named(view, "source", name),
        "reason": lambda name: _named(view, "reason", name),
        "column": lambda name: (known.get(name, name) if view.lang == "fa" else name) or "–",
    }
    _part(view, answer, ident, title, view.word(f"load.{ident}_are"), answer.rows, words)


def files(view: PageContext) -> None:
    """Each file: from which province, how many rows, refused or with a note."""
    answer = registers.load_files()
    read = text.number(warehouse.published().files, view.lang)
    words: dict[str, Callable[[Any], str]] = {
        "file": str,
        "source": lambda name: _named(view, "source", name),
        "refusal": lambda refusal: text.digits(spoken(refusal, view.lang), view.lang) if refusal else "–",
        "notes": lambda notes: (
            text.listed([_note(view, note) for note in notes.split("; ")], view.lang) if notes else "–"
        ),
    }
    rows = sorted(answer.rows, key=lambda row: (not row[3], -row[answer.columns.index("rows_quarantined")]))
    ignored = registers.ignored_files()
    more = [view.word("load.more", count=text.number(len(ignored) - _IGNORED_NAMED, view.lang))]
    named = text.listed(ignored[:_IGNORED_NAMED] + (more if len(ignored) > _IGNORED_NAMED else []), view.lang)
    notes = [view.word("load.ignored", files=named)] if ignored else []
    title = view.word("load.files", count=read)
    _part(view, answer, "files", title, view.word("load.files_are"), rows, words, notes)


def rules(view: PageContext) -> None:
    """The rules that every publication keeps."""
    known = registers.rules()
    title = view.word("load.rules", count=text.number(len(known), view.lang))
    listed = "".join(
        f'<li>{text.escape(_rule(view, rule.name, rule.words))} <code dir="ltr">{text.escape(rule.name)}</code></li>'
        for rule in known
    )
    with st.container(border=True, key="figure-rules", height="stretch"):
        st.html(
            f'<div class="pd-head"><h3>{text.escape(title)}</h3><p>{text.escape(view.word("load.rules_are"))}</p></div>'
            f'<ul class="pd-rules">{listed}</ul>'
        )


def publications(view: PageContext) -> None:
    """The publications kept, and what moved from one to the next."""
    answer = registers.publications()
    title = view.word("load.publications", count=text.number(len(answer.rows), view.lang))
    words = {"publication": lambda number: text.digits(number, view.lang)}
    _part(view, answer, "publications", title, view.word("load.publications_are"), answer.rows, words)


def why(view: PageContext) -> None:
    """Why numbers changed since the publication before: by measure, province and reason, and in which files."""
    place = st.container(border=True, key="figure-why")
    page_context.defer(_why, view, place=place, ready=registers.last_revision)


@page_context.fragment
def _why(view: PageContext) -> None:
    with notices.error_boundary(view.lang, "why"):
        revision = registers.last_revision()
        if revision is None:
            _head(view.word("why.title"), view.word("load.no_revisions"))
            return
        ids = {name: text.digits(getattr(revision, name), view.lang) for name in ("old", "new")}
        chosen_metric, places = page_parameters.one("quality", "of"), view.where.get("province", ())
        moved = [
            {
                "metric": change.metric,
                "province": change.province,
                "causes": change.causes,
                "before": change.before,
                "after": change.after,
            }
            | {"change": change.change}
            for change in revision.moved
            if (not chosen_metric or change.metric == chosen_metric) and (not places or change.province in places)
        ]
        changed = registers.changed_files()
        files = [file for file in changed if not places or file["province"] in places]
        count = {"numbers": text.number(len(moved), view.lang), "files": text.number(len(files), view.lang)}
        _head(view.word("why.title"), view.word("why.between", **ids, **count))
        if chosen_metric:
            sentence = view.word("why.only", measure=warehouse.catalogue()[chosen_metric].label[view.lang])
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.html(f'<p class="pd-note">{text.escape(sentence)}</p>', width="content")
                st.button(view.word("why.all"), key="why-all", type="tertiary", on_click=_every_measure)
        if moved:
            columns = [_measure(view), _province(view), *_moved(view), _causes(view)]
            tables.show(view, "why", columns, moved, view.word("why.title"))
        else:
            st.html(f'<p class="pd-note">{text.escape(view.word("why.nothing"))}</p>')
        if files:
            st.html(f'<div class="pd-head"><h4>{text.escape(view.word("why.files"))}</h4></div>')
            tables.show(view, "why-files", _changed(view), files, view.word("why.files"))


def _every_measure() -> None:
    page_parameters.choose("quality", of=None)
    page_context.write()


def revisions(view: PageContext) -> None:
    """The log: which numbers of the nation moved between all publications kept, where that was worked out."""
    with st.container(border=True, key="figure-revisions", height="stretch"):
        _revisions(view)


@page_context.fragment
def _revisions(view: PageContext) -> None:
    with notices.error_boundary(view.lang, "revisions"):
        log = registers.revisions()
        key = "load.no_revisions" if not log else "revision.numbers"
        _head(view.word("load.revisions"), view.word(key, count=text.number(len(log or ()), view.lang)))
        if not log:
            return

        def ids(row: _Row) -> str:
            return text.escape(
                view.word("revision.from_to", **{n: text.digits(row[n], view.lang) for n in ("old", "new")})
            )

        pair = tables.Column(
            "publications", view.word("revision.publications"), ids, lambda row: (row["old"], row["new"])
        )
        tables.show(
            view,
            "revisions",
            [_measure(view), pair, *_moved(view), _causes(view)],
            log,
            view.word("load.revisions"),
        )


def _head(title: str, below: str) -> None:
    st.html(f'<div class="pd-head"><h3>{text.escape(title)}</h3><p>{text.escape(below)}</p></div>')


def _measure(view: PageContext) -> tables.Column:
    def named(row: _Row) -> str:
        metric = warehouse.catalogue().get(row["metric"])
        return metric.label[view.lang] if metric else row["metric"]

    return tables.Column(
        "measure",
        view.word("dimension.measure"),
        lambda row: text.escape(named(row)),
        lambda row: tables.collated(named(row)),
    )


def _province(view: PageContext) -> tables.Column:
    def named(row: _Row) -> str:
        code = row["province"]
        return text.member("province", code, view.lang) if code else view.word("scope.nation")

    return tables.Column(
        "province",
        view.word("dimension.province"),
        lambda row: tables.province(view, row["province"] or None, named(row)),
        lambda row: tables.collated(named(row)),
    )


def _moved(view: PageContext) -> Iterator[tables.Column]:
    """A number before and after, and its change."""

    def unit(row: _Row) -> str:
        metric = warehouse.catalogue().get(row.get("metric", ""))
        return metric.unit if metric else "rows"

    for name in ("before", "after"):
        yield tables.Column(
            name,
            view.word(f"revision.{name}"),
            lambda row, name=name: text.escape(text.plain(row[name], unit(row), view.lang)),  # type: ignore[misc]
            is_number=True,
        )
    yield tables.Column(
        "change",
        view.word("revision.change"),
        lambda row: text.escape(compare.signed(row["change"], unit(row), view.lang)),
        is_number=True,
    )


def _causes(view: PageContext) -> tables.Column:
    def words(row: _Row) -> str:
        return text.listed([_named(view, "revision", cause) for cause in row["causes"]], view.lang) or "–"

    return tables.Column("causes", view.word("revision.causes"), lambda row: text.escape(words(row)), words)


def _changed(view: PageContext) -> list[tables.Column]:
    """A file with its province and source, and its rows in the two publications."""

    def rows(name: str) -> tables.Column:
        def value(row: _Row) -> int | None:
            return row[name]

        return tables.Column(
            name,
            view.word(f"why.rows_{name}"),
            lambda row: text.escape(text.number(value(row), view.lang)),
            value,
            is_number=True,
        )

    def change(row: _Row) -> int:
        return (row["after"] or 0) - (row["before"] or 0)

    return [
        tables.Column(
            "file",
            view.word("dimension.file"),
            lambda row: f"<bdi>{text.escape(row['file'])}</bdi>",
            lambda row: row["file"],
        ),
        _province(view),
        tables.Column(
            "source",
            view.word("dimension.source"),
            lambda row: text.escape(_named(view, "source", row["source"])),
            lambda row: row["source"],
        ),
        rows("before"),
        rows("after"),
        tables.Column(
            "change",
            view.word("revision.change"),
            lambda row: text.escape(text.number(change(row), view.lang, signed=True)),
            change,
            is_number=True,
        ),
    ]


@page_context.fragment
def _part(
    view: PageContext,
    answer: Answer,
    ident: str,
    title: str,
    below: str,
    rows: Iterable[tuple],
    words: dict[str, Callable[[Any], str]] | None = None,
    notes: Iterable[str] = (),
) -> None:
    """A table under its title, with what its numbers mean and its file."""
    listed = list(rows)
    chart_context = ChartContext(
        view.lang, view.dark, {"file": {row[0]: row[0] for row in listed}} if ident == "files" else {}
    )
    with st.container(border=True, key=f"figure-{ident}", height="stretch"), notices.error_boundary(view.lang, ident):
        st.html(f'<div class="pd-head"><h3>{text.escape(title)}</h3><p>{text.escape(below)}</p></div>')
        for note in notes:
            st.html(f'<p class="pd-note">{text.escape(note)}</p>')
        if not listed:
            st.html(f'<p class="pd-note">{text.escape(view.word("load.nothing"))}</p>')
            return
        empty = [
            name
            for i, name in enumerate(answer.columns)
            if name in ("refusal", "notes") and not any(r[i] for r in listed)
        ]
        tables.answer(view, ident, answer, chart_context, title, listed, without=empty, words=words)
        with st.container(horizontal=True, gap="small", key=f"footer-{ident}", vertical_alignment="center"):
            question(view, answer, ident)
            downloads.downloads(view, answer, chart_context, ident)


def _note(view: PageContext, written: str) -> str:
    """A note of the load in the reader's language, where it is one we know."""
    note, colon, what = written.partition(": ")
    try:
        return view.word(f"note.{note.replace(' ', '_')}", what=text.digits(what, view.lang)) if colon else written
    except KeyError:
        return written


def _rule(view: PageContext, name: str, words: str) -> str:
    """The words of a rule: ours in the reader's language, else the comment of its file."""
    translated = _named(view, "rule", name)
    return words if translated == name else translated


def _named(view: PageContext, section: str, name: str) -> str:
    try:
        return view.word(f"{section}.{name}")
    except KeyError:
        return name
