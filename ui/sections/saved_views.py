"""The saved views of a page: save, open, share and delete."""

from collections.abc import Sequence
from datetime import date
from functools import partial

import streamlit as st

from etl.submissions.desk import Person
from ui.access.saved_views import Saved
from ui.components import blocks
from ui.components.blocks import controlled
from ui.data import page_run, stores
from ui.i18n import navigation, text
from ui.state import acts, page_parameters, saved_views
from ui.state.page_context import PageContext

_NAME, _MESSAGE = "view name", "view message"


def copy_link(view: PageContext) -> None:
    """A button that copies the address of what is shown (static/shell.js)."""
    with st.container(key="copy-link", width="content"):
        st.html(copy_button(view.escaped("why.copy"), view.escaped("why.copied")))


def copy_button(label: str, copied: str, words: str = "") -> str:
    """A button that copies `words`, or the address, as HTML; `label` and `copied`, what it says then, are escaped."""
    data = f' data-words="{text.escape(words)}"' if words else ""
    return (
        f'<button type="button" class="pd-copy" data-copied="{copied}"{data}>{label}</button>'
        '<span role="status" class="pd-note"></span>'
    )


def block(view: PageContext, name: str) -> None:
    blocks.folded(view.lang, view.word("views.title"), "views", partial(_inside, view, name))


def _inside(view: PageContext, name: str) -> None:
    # A form, so that Enter saves. Saving also copies the link (static/shell.js).
    with st.container(key="view-form"), st.form("view form", border=False):
        # A name that is too long is said to be so: cut by the browser it would be lost.
        st.text_input(view.word("views.name"), key=_NAME, placeholder=view.word("views.hint"))
        st.form_submit_button(
            view.word("views.save"), key="view-save", on_click=acts.take, args=(view, partial(_save, view, name))
        )
    if message := st.session_state.pop(_MESSAGE, ""):
        blocks.note(message, is_status=True)
    shelf = saved_views.shelf()
    if not shelf.is_whole:
        blocks.note(view.word("views.unreadable"), is_status=True)
    page_views, teams = [saved for saved in shelf.views if _is_of(saved, name)], page_run.teams()
    note = "views.shared" if teams and page_views else "views.own" if page_views else "views.none"
    blocks.note(f"{view.word(note)} {view.word('views.copies')}")
    for number, saved in enumerate(page_views):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"view-{number}"):
            _link(view, saved)
            if teams:
                _team(view, saved, teams, number)
            st.button(
                view.word("views.delete"),
                key=f"view-delete-{number}",
                type="tertiary",
                on_click=acts.take,
                args=(view, partial(_delete, view, saved.name)),
            )
    if of_others := [saved for saved in shelf.shared if _is_of(saved, name)]:
        blocks.note(view.word("views.of_others"))
        for saved in of_others:
            _link(view, saved, view.word("views.by", who=text.isolated(saved.owner, view.lang)))


def _is_of(saved: Saved, name: str) -> bool:
    """Whether a view is of this part, also if it was saved before its page became a part of it."""
    return navigation.current(saved.page, saved.parameters)[0] == name


def _link(view: PageContext, saved: Saved, about: str = "") -> None:
    address = page_parameters.address(saved.page, view.lang, saved.parameters)
    st.html(
        f'<div class="pd-views"><a href="{text.escape(address)}" target="_self">{text.escape(saved.name)}</a> '
        f"{text.escape(about)}</div>"
    )


def _team(view: PageContext, saved: Saved, teams: Sequence[str], number: int) -> None:
    options = ["", *dict.fromkeys([*teams, *([saved.team] if saved.team else [])])]
    controlled(
        st.selectbox,
        view.word("views.share"),
        f"view team {number}",
        saved.team,
        lambda team: acts.take(view, partial(_share, view, saved.name, team)),
        options=options,
        format_func=lambda team: team or view.word("views.nobody"),
        label_visibility="collapsed",
        width=180,
    )


def _share(view: PageContext, name: str, team: str, _: Person) -> None:
    try:
        saved_views.share(name, team)
    except OSError as error:
        st.session_state[_MESSAGE] = stores.sentence(error, view.lang)


def _save(view: PageContext, name: str, _: Person) -> None:
    parameters = view.scope.address() | page_parameters.of(name)
    try:
        saved = saved_views.save(st.session_state.get(_NAME, ""), name, parameters, date.today())
    except saved_views.Unnamed as reason:
        st.session_state[_MESSAGE] = view.word(f"views.{reason}")
    except OSError as error:
        st.session_state[_MESSAGE] = stores.sentence(error, view.lang)
    else:
        st.session_state[_NAME] = ""
        st.session_state[_MESSAGE] = view.word("views.saved", name=text.isolated(saved.name, view.lang))


def _delete(view: PageContext, name: str, _: Person) -> None:
    try:
        saved_views.delete(name)
    except OSError as error:
        st.session_state[_MESSAGE] = stores.sentence(error, view.lang)
    else:
        st.session_state[_MESSAGE] = view.word("views.deleted", name=text.isolated(name, view.lang))
