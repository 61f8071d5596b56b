"""Connect: text to copy by which a program fetches an answer from the data address, and the user's personal tokens."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit import config

from etl.core.errors import QuestionError
from etl.semantic import exportable
from etl.semantic.answers import Answer
from etl.semantic.calculations import Calculated
from etl.semantic.catalog import catalogue
from etl.warehouse.dimensions import FILTERS
from ui.components import blocks, downloads
from ui.data import page_run
from ui.exhibits import register
from ui.exhibits.exhibit import Made
from ui.exports.file_content import Exportable
from ui.i18n import text
from ui.state import page_context, periods, personal_tokens, saved_views, scoped_query
from ui.state.address import MOST_DIMENSIONS, MOST_MEASURES
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


def connect(view: PageContext, source: Exportable, ident: str, made: Made | None = None) -> None:
    inside = partial(_inside, view, source, ident, made)
    blocks.folded(view.lang, view.word("data.connect"), f"connect-{ident}", inside)


def _inside(view: PageContext, source: Exportable, ident: str, made: Made | None) -> None:
    answer = exportable.of(source).answer
    is_detail = isinstance(source, exportable.StreamedRows)
    if not downloads.may_export(view, answer, is_detail):
        return
    address = None if is_detail else _address_of(view, answer, made)
    blocks.note(view.word("data.no_address" if address is None else "data.intro"))
    if page_run.signs_in():
        # No text works without a token, so it is made here first.
        blocks.note(view.word("data.needs_token", sub=text.isolated(page_run.access_scope().sub, view.lang)))
        _tokens(view, ident)
    if address is not None:
        programs = _PROGRAMS | _WITH_TOKEN if page_run.signs_in() else _PROGRAMS
        addresses = {form: f"{_base()}{address.format(form=form)}" for form in ("csv", "xlsx", "parquet")}
        for program, written in programs.items():
            blocks.note(view.word(f"data.{program}"))
            st.code(written.format(user=page_run.access_scope().sub, **addresses), language=None, wrap_lines=True)
    base = text.escape(_base())
    link = f'<a class="pd-latin" dir="ltr" href="{base}" target="_blank">{base}</a>'
    st.html(f'<p class="pd-note">{view.escaped("data.dictionary")}: {link}</p>')


def _address_of(view: PageContext, answer: Answer, made: Made | None) -> str | None:
    """The path with its parameters, for any `form`: of an exhibit by its name, else of the question; None without one."""
    if made and (name := register.address_of(page_context.part(), made.make)):
        pairs = [(key, value) for key, values in made.scope.query().items() for value in values]
        pinned = st.session_state.get(page_run.PINNED)
        pairs += [(page_run.PINNED, pinned)] if pinned else []
        path = f"{name}.{{form}}"
        query = urlencode(pairs)
    else:
        path, query = "answer.{form}", question_of(view, answer) or ""
        if not query:
            return None
    return f"{path}?{query.replace('{', '%7B').replace('}', '%7D')}" if query else path


def question_of(view: PageContext, answer: Answer) -> str | None:
    """The parameters by which the data address gives the measures of this answer; None if it does not.

    What an analysis adds to measures, as who is behind, is in the file alone.
    Without a chosen day or period they name none, so that the address goes on to give the latest numbers, unless the answer
    is of an earlier day, on which its measures are settled.
    """
    known = catalogue()
    names = [name for name in answer.measures if name in known and not known[name].hidden]
    is_asked = 0 < len(names) <= MOST_MEASURES and len(answer.by) <= MOST_DIMENSIONS and {*answer.where} <= {*FILTERS}
    if not is_asked or names[0] != answer.metrics[0].name:
        return None
    where = {name: answer.where[name] for name in FILTERS if name in answer.where}
    tried = [view.scope.of(where)]
    over = periods.written(*answer.over) if answer.over else ""
    tried += [replace(tried[0], period=over)] if over else []
    tried += [replace(tried[0], on=answer.on, period=over)] if answer.on else []
    calc = answer.calculation.kind if isinstance(answer, Calculated) else ""
    for scope in tried:
        try:
            asked = replace(view, scope=scope, has_period=True)
            found = scoped_query.free(asked, names, answer.by, is_settled=False, calc=calc)
        except QuestionError:
            return None
        again = exportable.of(found).answer
        if (again.on, again.over) == (answer.on, answer.over) and _same(again, answer):
            pairs = [("m", name) for name in names] + [("by", name) for name in answer.by]
            pairs += [("calc", calc)] if calc else []
            pairs += [(name, value) for name, values in scope.address().items() for value in values]
            pinned = st.session_state.get(page_run.PINNED)
            pairs += [(page_run.PINNED, pinned)] if pinned else []
            return urlencode([*pairs, ("lang", view.lang)])
    return None


def _same(again: Answer, answer: Answer) -> bool:
    """Whether an answer holds the rows of `again`, in any order."""
    if not set(again.columns) <= set(answer.columns):
        return False
    at = [answer.columns.index(name) for name in again.columns]
    return Counter(again.rows) == Counter(tuple(row[place] for place in at) for row in answer.rows)


def _base() -> str:
    """The data address of this dashboard, as the user's browser reaches it."""
    open_page = urlsplit(st.context.url or "")
    origin = f"{open_page.scheme}://{open_page.netloc}" if open_page.netloc else ""
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"{origin}{f'/{path}' if path else ''}/data/"


def _tokens(view: PageContext, ident: str) -> None:
    """A form that makes a token, and the user's tokens with a button that revokes each."""
    st.html(f"<h4>{view.escaped('data.tokens')}</h4>")
    with st.form(f"token form {ident}", border=False):
        name = st.text_input(
            view.word("data.token_name"),
            key=f"token-name-{ident}",
            max_chars=saved_views.LONGEST_NAME,
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
            key = f"token-revoke-{token.digest[:12]}-{ident}"
            st.button(
                view.word("data.revoke"),
                key=key,
                type="tertiary",
                on_click=personal_tokens.revoke,
                args=(token.digest,),
            )


def _make(view: PageContext, name: str) -> None:
    try:
        made = personal_tokens.make(name)
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
