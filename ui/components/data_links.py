"""The address at which a file of an answer is: that of an exhibit by its name, else that of its question.

`/data/training/by_place.csv?province=IR-23` is the ranking of Training. A file without an address is made when it is asked for
(`ui.components.downloads`).
"""

from collections import Counter
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st
from streamlit import config

from etl.core.errors import QuestionError
from etl.semantic import exportable
from etl.semantic.answers import Answer
from etl.semantic.calculations import Calculated
from etl.semantic.catalog import catalogue
from etl.semantic.exportable import StoredRows, StreamedRows
from etl.warehouse.dimensions import FILTERS
from ui.data import page_run, warehouse
from ui.exhibits import register
from ui.exhibits.exhibit import Made
from ui.exports.file_content import Exportable
from ui.state import page_context, periods, questions
from ui.state.address import MOST_DIMENSIONS, MOST_MEASURES
from ui.state.page_context import PageContext

# The longest address, in letters: nginx takes a line of 8 KiB.
LONGEST = 7000


def folder() -> str:
    """The path of the data address."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"{f'/{base}' if base else ''}/data/"


def of_file(view: PageContext, source: Exportable, made: Made | None, circulation: bool) -> str:
    """The address of the file of what the page shows, pinned to its publication, for any `form`; empty if it has none."""
    if isinstance(source, StreamedRows):
        return ""
    pinned = {page_run.PINNED: exportable.of(source).answer.publication.id} | (
        {"circulation": "1"} if circulation else {}
    )
    address = of_exhibit(made, pinned) or of_question(view, source, pinned, is_whole=True)
    return folder() + address if 0 < len(address) <= LONGEST else ""


def of_program(view: PageContext, source: Answer | StoredRows, made: Made | None) -> str:
    """The path below the folder, for any `form`, that goes on to give the latest numbers; empty without one."""
    pinned = st.session_state.get(page_run.PINNED)
    more = {page_run.PINNED: pinned} if pinned else {}
    return of_exhibit(made, more) or of_question(view, source, more)


def of_exhibit(made: Made | None, more: dict[str, str]) -> str:
    """The address of an exhibit with a public name, for any `form`; empty if it has none."""
    if not (made and (name := register.address_of(page_context.part(), made.make))):
        return ""
    said = register.parameters(name, made.make) | made.scope.query()
    pairs = [(key, value) for key, values in said.items() for value in values]
    return _written(name, [*pairs, *more.items()])


def of_question(view: PageContext, source: Answer | StoredRows, more: dict[str, str], *, is_whole: bool = False) -> str:
    """The address of the measures of an answer, for any `form`; empty if it has none.

    What an analysis adds to measures, as who is behind, is not at it: `is_whole` asks for one at which all of the answer is.
    Without a chosen day or period it names none, so that it goes on to give the latest numbers, unless the answer is of an
    earlier day, on which its measures are settled.
    """
    known, answer = catalogue(), exportable.of(source).answer
    names = [name for name in answer.measures if name in known and not known[name].hidden]
    is_asked = 0 < len(names) <= MOST_MEASURES and len(answer.by) <= MOST_DIMENSIONS and {*answer.where} <= {*FILTERS}
    if not is_asked or names[0] != answer.metrics[0].name:
        return ""
    where = {name: answer.where[name] for name in FILTERS if name in answer.where}
    tried = [view.scope.of(where)]
    over = periods.written(*answer.over) if answer.over else ""
    tried += [replace(tried[0], period=over)] if over else []
    tried += [replace(tried[0], on=answer.on, period=over)] if answer.on else []
    calc = answer.calculation.kind if isinstance(answer, Calculated) else ""
    for scope in tried:
        if answer.on and scope.day != answer.on:
            # Its rows would be of another day; those of a large question take long.
            continue
        try:
            asked = replace(view, scope=scope, has_period=True)
            found = questions.free(asked.asked, warehouse.of_page(), names, answer.by, is_settled=False, calc=calc)
        except QuestionError:
            return ""
        again = exportable.of(found).answer
        is_same = (again.on, again.over) == (answer.on, answer.over)
        is_same &= exportable.of(found).count() == exportable.of(source).count() or not is_whole
        if is_same and (_equal(again, answer) if is_whole else _holds(answer, again)):
            pairs = [("m", name) for name in names] + [("by", name) for name in answer.by]
            pairs += [("calc", calc)] if calc else []
            pairs += [(name, value) for name, values in scope.address().items() for value in values]
            return _written("answer", [*pairs, *more.items(), ("lang", view.lang)])
    return ""


def _written(name: str, pairs: list[tuple[str, str]]) -> str:
    return f"{name}.{{form}}?{urlencode(pairs)}" if pairs else f"{name}.{{form}}"


def _equal(again: Answer, answer: Answer) -> bool:
    return (again.columns, again.rows, again.metrics) == (answer.columns, answer.rows, answer.metrics)


def _holds(answer: Answer, again: Answer) -> bool:
    """Whether an answer holds the rows of `again`, in any order."""
    if not set(again.columns) <= set(answer.columns):
        return False
    at = [answer.columns.index(name) for name in again.columns]
    return Counter(again.rows) == Counter(tuple(row[place] for place in at) for row in answer.rows)
