"""What stands around every page: the title of the browser's tab, the menu, the two switches, the heading and the trust strip."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

import streamlit as st

from pages.parts import page, text, warehouse


def run(menu: Callable[[str], list[st.Page]]) -> None:
    """Set the page up, choose it, and run it between its heading and what its numbers rest on."""
    lang = page.language()
    title = text.word("app.title", lang)
    st.set_page_config(page_title=title, page_icon="🛡️", layout="wide")
    chosen = st.navigation(menu(lang))
    name = chosen.url_path or text.menu()[0]["page"]
    page.entered(name)
    entry = next(entry for entry in text.menu() if entry["page"] == name)
    with st.sidebar:
        st.html(
            f'<div class="pd-brand"><strong>{text.escape(title)}</strong>'
            f"<span>{text.escape(text.word('app.owner', lang))}</span></div>"
        )
    st.html(
        f'<header class="pd-title"><h1>{text.escape(entry[lang])}</h1>{_sample(lang)}'
        f"<p>{text.escape(entry['question'][lang])}</p>{_switches(lang)}</header>"
    )
    try:
        chosen.run()
        _trust(lang)
    except warehouse.Unpublished:
        st.html(
            f'<div class="pd-notice pd-empty" role="note"><strong>{text.escape(text.word("state.unpublished_title", lang))}'
            f"</strong><p>{text.escape(text.word('state.unpublished', lang))}</p></div>"
        )
        st.code("python -m etl build", language="bash")


def _switches(lang: str) -> str:
    """The other language at the same view, and dark or light. A link, so that the shell comes in the new language too."""
    other = "en" if lang == "fa" else "fa"
    pairs = [
        (name, value)
        for name in st.query_params
        for value in st.query_params.get_all(name)
        if name != "lang"
    ]
    if other == "en":
        pairs.append(("lang", "en"))
    return (
        f'<nav class="pd-switch"><a class="pd-look" href="#" role="button">{text.escape(text.word("app.look", lang))}</a>'
        f'<a href="?{text.escape(urlencode(pairs))}" lang="{other}" hreflang="{other}" '
        f'title="{text.escape(text.word("app.language_help", lang))}">{text.escape(text.word("app.language", lang))}</a></nav>'
    )


def _sample(lang: str) -> str:
    """The mark of made-up data, where there are such."""
    try:
        made_up = warehouse.published().is_sample
    except warehouse.Unpublished:
        made_up = False
    if not made_up:
        return ""
    return (
        f'<b class="pd-sample" title="{text.escape(text.word("trust.sample_help", lang))}">'
        f"{text.escape(text.word('trust.sample', lang))}</b>"
    )


def _trust(lang: str) -> None:
    """Source, as-of day, last load, what is made up or provisional, and where the method and the quality are told."""
    published = warehouse.published()
    said = [
        text.word(
            "trust.source",
            lang,
            files=text.number(page.count(published.files), lang),
            rows=text.number(published.rows_loaded, lang),
        ),
        text.word("trust.as_of_latest", lang, day=text.day_in_both(published.as_of, lang)),
        text.word("trust.loaded", lang, day=_moment(published.published_at, lang)),
        text.word("trust.kept_back", lang, rows=text.number(published.rows_quarantined, lang)),
        text.word("trust.provisional", lang),
    ]
    spans = "".join(f"<span>{text.escape(part)}</span>" for part in said)
    st.html(f'<footer class="pd-trust">{_sample(lang)}{spans}</footer>')


def _moment(moment: datetime | str, lang: str) -> str:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return f"{text.day_in_both(moment.date(), lang)} {text.digits(f'{moment:%H:%M}', lang)}"
