"""The parts of the first screen of the country or a province: verdict, needs action, the province beside the nation."""

from collections.abc import Iterable
from functools import partial

import streamlit as st

from etl.semantic.rights import every_province
from ui.components import blocks, table_html
from ui.components.figures import named, notes_of
from ui.components.footer import question
from ui.components.parts import part
from ui.components.table_html import Column
from ui.data import submissions, warehouse
from ui.exhibits import findings
from ui.exhibits.exhibit import Action, Actions, Exhibit, Progress, Rows, Sentence
from ui.exhibits.named import Made, Make
from ui.exhibits.needs_action import with_owed
from ui.i18n import text
from ui.state import page_parameters
from ui.state.page_context import PageContext


def summed_up(view: PageContext, make: Make) -> None:
    """The verdict that `make` makes, with the progress to the target below it."""
    made = named(view, make)
    part(view, "verdict", lambda: made.exhibit, partial(_verdict, view, made), st.container(key="verdict"))


def _verdict(view: PageContext, made: Made, exhibit: Exhibit) -> None:
    assert isinstance(exhibit.form, Sentence)
    assert exhibit.answer is not None
    paragraphs = "".join(f"<p>{text.escape(sentence)}</p>" for sentence in exhibit.sentences)
    progress = _progress(exhibit.form.progress, view.lang) if exhibit.form.progress else ""
    st.html(f'<div class="pd-verdict">{paragraphs}{progress}</div>')
    notes_of(exhibit, "verdict")
    blocks.left_out(view, exhibit.answer)
    question(view, exhibit.answer, "verdict", made)


def _progress(progress: Progress, lang: str) -> str:
    """A bar from 0 to the target, with the number and its share where it ends."""
    target, written = text.escape(progress.target), text.escape(text.percent(progress.share, lang))
    percent = f"{min(max(progress.share, 0.0), 1.0) * 100:.1f}"
    # Its end stays beside the target, its start on the bar.
    end = f"clamp(6rem, 100% - {percent}%, 100% - 8rem)"
    return (
        f'<div class="pd-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}" '
        f'aria-label="{target}: {written}"><i style="width:{percent}%"></i></div>'
        f'<p class="pd-scale" aria-hidden="true"><span>{text.digits(0, lang)}</span>'
        f'<b style="inset-inline-end:{end}"><bdi>{text.escape(progress.here)}</bdi></b><span>{target}</span></p>'
    )


def needing_action(view: PageContext) -> None:
    """The first items, each with who, how many, by when, and a link to the list; the others behind how many more they are."""
    owing = partial(submissions.owed, view.where.get("province", ()) or every_province())
    make = partial(with_owed, view.asked, warehouse.of_page(), owing)
    part(view, "needs-action", make, partial(_actions, view), st.container(border=True, key="needs-action"))


def _actions(view: PageContext, exhibit: Exhibit) -> None:
    assert isinstance(exhibit.form, Actions)
    body = f'<p class="pd-note">{text.escape(exhibit.form.none)}</p>'
    if exhibit.form.items:
        body = _items(view, exhibit.form.items)
    if exhibit.form.others:
        more, others = text.escape(exhibit.form.more), _items(view, exhibit.form.others)
        body += f'<details class="pd-note"><summary>{more}</summary>{others}</details>'
    st.html(blocks.heading(exhibit.title.sentence) + body)
    for note in exhibit.own_notes:
        blocks.note(note)


def _items(view: PageContext, items: Iterable[Action]) -> str:
    return f'<ol class="pd-actions">{"".join(_action(view, item) for item in items)}</ol>'


def _action(view: PageContext, action: Action) -> str:
    """What is to be done, who and by when, on one line; why is in its title, on a phone and on paper behind it."""
    of_list = {name: list(values) for name, values in action.link.parameters}
    address = page_parameters.address(action.link.part, view.lang, view.scope.address() | of_list)
    title = f' title="{text.escape(action.why)}"' if action.why else ""
    about = "".join(
        f' <span class="pd-{name}">{text.escape(words)}</span>'
        for name, words in (("who", action.whom), ("when", action.when), ("why", action.why))
        if words
    )
    link = f'<a href="{text.escape(address)}" target="_self"{title}>{text.escape(action.sentence)}</a>'
    return f'<li class="pd-action-{action.kind}">{link}{about}</li>'


def beside_nation(view: PageContext) -> None:
    """The province beside the nation by each measure."""
    made = named(view, findings.beside_nation)
    place = st.container(border=True, key="figure-ranks", height="stretch")
    part(view, "ranks", lambda: made.exhibit, _rows, place)


def _rows(exhibit: Exhibit) -> None:
    """A table in words below its title, with the notes; the third of its cells is the one that is no number."""
    if not isinstance(form := exhibit.form, Rows):
        return

    def column(at: int, head: str) -> Column:
        return Column(head, head, lambda row: text.escape(row[at]), is_number=at in (1, 2, 4))

    title = exhibit.title.sentence
    columns = [column(at, head) for at, head in enumerate(form.heads)]
    table = table_html.html(columns, form.rows, form.rows, title, sort="", total=())
    st.html(blocks.heading(title, exhibit.subtitle) + table)
    for note in exhibit.own_notes:
        blocks.note(note)
