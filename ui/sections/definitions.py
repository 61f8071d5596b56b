"""The definition of every number, from the catalogue: with anchors, and printable."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from etl.semantic.answers import Metric
from etl.semantic.catalog import catalogue, derived, derived_names, label_of
from etl.semantic.formulas import changes, formula
from etl.warehouse.dimensions import FILTERS
from ui.components import figures, parts, table_html
from ui.components.table_html import Column
from ui.data import warehouse
from ui.exhibits import methods as exhibits
from ui.exhibits.exhibit import Exhibit
from ui.i18n import member_names, text
from ui.state import page_context
from ui.state.page_context import PageContext

_DERIVED = "derived"
# Compared, settled, projected, signalled and suppressed numbers, and the paragraphs on how well a method performs.
_METHODS = ("different", "settled", "projection", "signals", "disclosure")
_TRIED = {"different": ("how.different_tried",), "signals": ("how.signals_tried",)}
_STYLE = Path(__file__).with_suffix(".css")


def methods(view: PageContext) -> None:
    """A statement that the product counts inputs, and one paragraph on each shared method."""
    lang = page_context.language()
    paragraphs = ""
    for part in _METHODS:
        words = "".join(f"<p>{text.escaped(key, lang)}</p>" for key in (f"how.{part}", *_TRIED.get(part, ())))
        paragraphs += f'<h3 id="how-{part}">{text.escaped(f"how.{part}_title", lang)}</h3>{words}'
    inputs = text.escaped("how.inputs", lang)
    st.html(f'<p class="pd-intro"><b>{inputs}</b></p><div class="pd-entry">{paragraphs}</div>')


def similar(view: PageContext) -> None:
    """The similar provinces of each, with their distances."""
    made = figures.named(replace(view, scope=view.scope.emptied()), exhibits.similar)
    parts.part(view, "similar", lambda: made.exhibit, partial(_similar, view.lang))


def projections(view: PageContext) -> None:
    """How projections are made and how they did in the past, for the whole country."""
    view = replace(view, scope=view.scope.of({}))
    with st.expander(view.word("planning.method_title")):
        parts = "".join(f"<p>{text.escape(line)}</p>" for line in view.word("planning.method").split("\n"))
        st.html(f'<div class="pd-method">{parts}</div>')
        left, right = st.columns(2)
        with left:
            figures.exhibit(view, exhibits.held)
        with right:
            figures.exhibit(view, exhibits.history)


def _similar(lang: str, exhibit: Exhibit) -> None:
    assert exhibit.answer is not None
    answer = exhibit.answer
    nearest: dict[str, list[str]] = {}
    for row in answer.records():
        distance = text.number(row["distance"], lang, 1)
        name = row["similar"] and f"{member_names.of('province', row['similar'], lang)} ({distance})"
        nearest.setdefault(row["province"], []).append(name or text.word("how.similar_none", lang, distance=distance))
    heads = (text.word("dimension.province", lang), exhibit.title.sentence)
    cells = (
        lambda item: text.escape(member_names.of("province", item[0], lang)),
        lambda item: text.escape(text.listed(item[1], lang)),
    )
    columns = [Column("", head, cell) for head, cell in zip(heads, cells, strict=True)]
    rows = list(nearest.items())
    table = table_html.html(columns, rows, rows, text.word("how.distances", lang), sort="", total=())
    st.html(
        f'<div class="pd-entry"><h3 id="how-similar">{text.escape(heads[1])}</h3>'
        f"<p>{text.escape(exhibit.intro)}</p>"
        f"<details><summary>{text.escaped('how.distances', lang)}</summary>{table}</details></div>"
    )


def all_of_them(view: PageContext) -> None:
    """The measures by group, the derived numbers, and the log of changes."""
    lang = page_context.language()
    st.html(_STYLE)
    for key in ("methods.intro", "methods.chance"):
        st.html(f'<p class="pd-intro">{text.escaped(key, lang)}</p>')
    with st.container(key="definitions"):
        for group, group_metrics in _groups().items():
            title = text.word_or(group, f"group.{group}", lang)
            with st.expander(f"{title} ({text.number(len(group_metrics), lang)})"):
                for metric in group_metrics:
                    st.subheader(metric.label[lang], anchor=metric.name)
                    st.html(_entry(metric, lang, group == _DERIVED))
    _changes(lang)


def _groups() -> dict[str, list[Metric]]:
    groups: dict[str, list[Metric]] = {}
    for metric in catalogue().values():
        if not metric.hidden:
            groups.setdefault(metric.group or "other", []).append(metric)
    groups[_DERIVED] = [derived(name) for name in derived_names()]
    return groups


def _entry(metric: Metric, lang: str, is_derived: bool) -> str:
    facts = [("methods.name", f'<code dir="ltr">{text.escape(metric.name)}</code>')]
    unit = text.word("methods.share", lang) if metric.unit == "share" else text.unit_word(metric.unit, lang)
    facts.append(("methods.unit", text.escape(unit)))
    if not is_derived:
        facts.append(("methods.kind", text.escaped(f"methods.{metric.kind}", lang)))
    facts.append(("methods.direction", text.escaped(f"methods.{metric.direction}", lang)))
    if metric.numerator and metric.denominator:
        above, below = (label_of(name, lang) for name in (metric.numerator, metric.denominator))
        facts.append(("methods.ratio", text.escaped("figure.ratio", lang, numerator=above, denominator=below)))
    if by := [text.word(f"dimension.{name}", lang) for name in FILTERS if name in metric.groups]:
        facts.append(("methods.by", text.escape(text.listed(by, lang))))
    if metric.example.get(lang):
        facts.append(("figure.example", text.escape(metric.example[lang])))
    if not is_derived:
        sql = f"<pre>{text.escape(formula(metric.name))}</pre>"
        facts.append(
            ("figure.formula", f"<details><summary>{text.escaped('figure.query', lang)}</summary>{sql}</details>")
        )
    listed = "".join(
        f"<dt{kind}>{text.escaped(key, lang)}</dt><dd{kind}>{fact}</dd>"
        for key, fact in facts
        for kind in [' class="pd-ratio"' if key == "methods.ratio" else ""]
    )
    return f'<div class="pd-entry pd-metric"><p>{text.escape(metric.description[lang])}</p><dl>{listed}</dl></div>'


def _both_values(name: str, before: str, lang: str) -> str:
    """The nation's number by today's rule and by the former one."""
    now, then = (warehouse.ask(metric) for metric in (name, before))
    unit = now.metrics[0].unit
    values = {"now": text.amount(now.value(), unit, lang), "before": text.amount(then.value(), unit, lang)}
    return text.word("methods.both_values", lang, measure=label_of(name, lang), **values)


def _changes(lang: str) -> None:
    st.header(text.word("methods.changes", lang), anchor="changes")
    rows = []
    for change in changes():
        measures = [] if "*" in change.metrics else [label_of(name, lang) for name in change.metrics]
        words = text.escape((f"{text.listed(measures, lang)}: " if measures else "") + change.words[lang])
        words += "".join(
            f"<br>{text.escape(_both_values(name, before, lang))}" for name, before in change.before.items()
        )
        rows.append(f"<dt>{text.escape(text.day(change.on, lang))}</dt><dd>{words}</dd>")
    st.html(f'<div class="pd-entry"><dl>{"".join(rows)}</dl></div>')
