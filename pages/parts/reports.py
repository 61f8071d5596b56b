"""Pages about the numbers themselves: what each means, from the catalogue; what was loaded, from the load report."""

from typing import Any

import pyarrow as pa
import streamlit as st

from etl.metrics import Metric
from pages.parts import page, text, warehouse


def definitions() -> None:
    """Every measure of the catalogue, by group: meaning, formula, unit, dimensions, worked example. It prints well."""
    lang = page.language()
    st.html(f'<p class="pd-intro">{_word("methods.intro", lang)}</p>')
    groups: dict[str, list[Metric]] = {}
    for metric in warehouse.catalogue().values():
        if not metric.hidden:
            groups.setdefault(metric.group or "other", []).append(metric)
    for group, metrics in groups.items():
        entries = "".join(_definition(metric, lang) for metric in metrics)
        st.html(f'<section class="pd-methods"><h2>{_group(group, lang)}</h2>{entries}</section>')


def _definition(metric: Metric, lang: str) -> str:
    catalogue = warehouse.catalogue()
    facts = {
        "methods.kind": text.word(f"methods.{metric.kind}", lang),
        "methods.unit": text.word("methods.share", lang)
        if metric.unit == "share"
        else text.unit_word(metric.unit, lang),
        "methods.direction": text.word(f"methods.{metric.direction}", lang),
    }
    if metric.numerator and metric.denominator:
        above, below = (catalogue[name].label[lang] for name in (metric.numerator, metric.denominator))
        facts["figure.formula"] = text.word("figure.ratio", lang, numerator=above, denominator=below)
    dimensions = [text.word(f"dimension.{name}", lang) for name in page.FILTERS if name in metric.dimensions]
    if dimensions:
        facts["methods.by"] = text.listed(dimensions, lang)
    if metric.example.get(lang):
        facts["figure.example"] = metric.example[lang]
    listed = "".join(f"<dt>{_word(key, lang)}</dt><dd>{text.escape(fact)}</dd>" for key, fact in facts.items())
    return (
        f'<article id="{text.escape(metric.name)}"><h3>{text.escape(metric.label[lang])} '
        f'<code dir="ltr">{text.escape(metric.name)}</code></h3>'
        f"<p>{text.escape(metric.description[lang])}</p><dl>{listed}</dl></article>"
    )


def load_report() -> None:
    """What adds up, why rows were kept back, and each file. Raises warehouse.Unpublished."""
    lang = page.language()
    files, reasons = warehouse.load_report()
    totals = [sum(row[i] or 0 for row in files) for i in (3, 4, 5, 6)]
    said = dict(zip(("read", "loaded", "kept", "duplicates"), (text.number(n, lang) for n in totals), strict=True))
    st.html(f'<p class="pd-intro">{_word("quality.adds_up", lang, **said)}</p>')
    left, right = st.columns([2, 3])
    with left:
        st.html(f"<h2>{_word('quality.reasons', lang)}</h2>")
        _table(
            lang,
            {
                "reason": [_named("reason", row[2], lang) for row in reasons],
                "table": [_named("source", row[0], lang) for row in reasons],
                "column": [row[1] or "" for row in reasons],
                "rows": [row[3] for row in reasons],
            },
        )
    with right:
        st.html(f"<h2>{_word('quality.files', lang)}</h2>")
        _table(
            lang,
            {
                "file": [row[0] for row in files],
                "province": [text.member("province", row[2], lang) for row in files],
                "read": [row[3] for row in files],
                "loaded": [row[4] for row in files],
                "kept": [row[5] for row in files],
                "duplicates": [row[6] for row in files],
                "refusal": [row[7] or "" for row in files],
                "notes": [row[8] or "" for row in files],
            },
        )


def _table(lang: str, columns: dict[str, list[Any]]) -> None:
    """A table in the reading direction; empty columns are left out."""
    data = {text.word(f"quality.{name}", lang): values for name, values in columns.items() if any(values)}
    settings = {
        label: st.column_config.NumberColumn(format="localized")
        if isinstance(values[0], int)
        else st.column_config.TextColumn(alignment="right" if lang == "fa" else "left")
        for label, values in data.items()
    }
    st.dataframe(
        pa.table(data),
        hide_index=True,
        column_order=list(data)[::-1] if lang == "fa" else list(data),
        column_config=settings,
        height=560,
    )


def _named(section: str, name: str, lang: str) -> str:
    try:
        return text.word(f"{section}.{name}", lang)
    except KeyError:
        return name


def _group(name: str, lang: str) -> str:
    return text.escape(_named("group", name, lang))


def _word(key: str, lang: str, **values: object) -> str:
    return text.escape(text.word(key, lang, **values))
