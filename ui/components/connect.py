"""Connect: text to copy by which a program fetches an answer from the data address, and the user's personal tokens."""

from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import streamlit as st

from etl.semantic import exportable
from etl.submissions.desk import Person
from ui.components import blocks, data_links, downloads
from ui.data import page_run
from ui.exports.file_content import Exportable
from ui.i18n import text
from ui.state import acts, personal_tokens, saved_views
from ui.state.page_context import PageContext

# The text for each program. XLSX for Excel and Power BI: they read the text of a CSV by the culture of Windows.
_PROGRAMS = {
    "excel": "{xlsx}",
    "power_bi": 'let\n    Source = Excel.Workbook(Web.Contents("{xlsx}"), true)\nin\n    Source{{0}}[Data]',
    "r": 'readr::read_csv("{csv}")',
    "pandas": 'import pandas\n\nframe = pandas.read_parquet("{parquet}")',
    "duckdb": "from read_parquet('{parquet}');",
    "curl": 'curl --fail --output answer.csv "{csv}"',
}
# Where people sign in, these send a token too; the others ask for it.
_WITH_TOKEN = {
    "r": (
        'httr::GET("{csv}", httr::authenticate("{user}", Sys.getenv("POLICEYAR_TOKEN"))) |>\n'
        '    httr::content("raw") |> readr::read_csv()'
    ),
    "pandas": (
        "import os, pandas\n\n"
        'token = {{"Authorization": "Bearer " + os.environ["POLICEYAR_TOKEN"]}}\n'
        'frame = pandas.read_parquet("{parquet}", storage_options=token)'
    ),
    "duckdb": (
        "create secret (type http, extra_http_headers map {{'Authorization': 'Bearer POLICEYAR_TOKEN'}});\n"
        "from read_parquet('{parquet}');"
    ),
    "curl": 'curl --fail --user "{user}" --output answer.csv "{csv}"',
}
# Where nobody signs in, these are said without user and token.
_OPEN = ("excel", "power_bi", "curl")


def connect(view: PageContext, source: Exportable, ident: str, address: str) -> None:
    inside = partial(_inside, view, source, ident, address)
    blocks.folded(view.lang, view.word("data.connect"), f"connect-{ident}", inside)


def _inside(view: PageContext, source: Exportable, ident: str, address: str) -> None:
    answer = exportable.of(source).answer
    is_detail = isinstance(source, exportable.StreamedRows)
    if not downloads.may_export(view, answer, is_detail):
        return
    address = data_links.of_program(address)
    blocks.note(view.word("data.intro" if address else "data.no_address"))
    if page_run.signs_in():
        # No text works without a token, so it is made here first.
        blocks.note(view.word("data.needs_token", sub=text.isolated(page_run.access_scope().sub, view.lang)))
        _tokens(view, ident)
    if address:
        programs = _PROGRAMS | _WITH_TOKEN if page_run.signs_in() else _PROGRAMS
        addresses = {form: f"{_base()}{address.format(form=form)}" for form in ("csv", "xlsx", "parquet")}
        for program, written in programs.items():
            is_open = program in _OPEN and not page_run.signs_in()
            blocks.note(view.word(f"data.open_{program}" if is_open else f"data.{program}"))
            st.code(written.format(user=page_run.access_scope().sub, **addresses), language=None, wrap_lines=True)
    base = text.escape(_base())
    link = f'<a class="pd-latin" dir="ltr" href="{base}" target="_blank">{base}</a>'
    st.html(f'<p class="pd-note">{view.escaped("data.dictionary")}: {link}</p>')


def _base() -> str:
    """The data address of this dashboard, as the user's browser reaches it."""
    open_page = urlsplit(st.context.url or "")
    origin = f"{open_page.scheme}://{open_page.netloc}" if open_page.netloc else ""
    return origin + data_links.folder()


def _tokens(view: PageContext, ident: str) -> None:
    """A form that makes a token, and the user's tokens with a button that revokes each."""
    st.html(f"<h4>{view.escaped('data.tokens')}</h4>")
    with st.form(f"token form {ident}", border=False):
        name = st.text_input(
            view.word("data.token_name"),
            key=f"token-name-{ident}",
            placeholder=view.word("data.token_hint"),
        )
        is_asked = st.form_submit_button(view.word("data.make"), key=f"token-make-{ident}")
    if is_asked:
        _make(view, name)
    for token in personal_tokens.own():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            until, used = (_day(view, at) for at in (token.expires, token.used))
            line = view.word("data.token_line", name=text.isolated(token.name, view.lang), until=until, used=used)
            blocks.note(line)
            st.button(
                view.word("data.revoke"),
                key=f"token-revoke-{token.digest[:12]}-{ident}",
                type="tertiary",
                on_click=acts.take,
                args=(view, partial(_revoke, token.digest)),
            )


def _revoke(digest: str, _: Person) -> None:
    personal_tokens.revoke(digest)


def _make(view: PageContext, name: str) -> None:
    try:
        made = acts.at_once(lambda _: personal_tokens.make(name))
    except saved_views.Unnamed as reason:
        blocks.note(view.word(f"views.{reason}"), is_status=True)
        return
    if not made:
        blocks.note(view.word("data.full"), is_status=True)
        return
    blocks.note(view.word("data.made"), is_status=True)
    st.code(made, language=None)


def _day(view: PageContext, at: float) -> str:
    return text.day(datetime.fromtimestamp(at).date(), view.lang) if at else view.word("data.never")
