"""Free questions under the user's scope."""

from collections.abc import Sequence

from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows
from ui.data import warehouse
from ui.state import questions
from ui.state.page_context import PageContext


def free(
    view: PageContext, names: Sequence[str], by: Sequence[str], *, is_settled: bool = True, calc: str = ""
) -> Answer | StoredRows:
    """The answer to a free question under the user's scope: that of Explore and, without `is_settled`, of the data address.
    With `calc` it has a quick calculation beside each measure.

    Explore ranks, so it shows the day on which every measure is settled. A program gets the day it asked for, and the status
    says what can still change.
    """
    on, over = questions.when(view.asked, warehouse.of_page(), names, by, is_settled=is_settled)
    answer = warehouse.ask(*names, may_be_stored=True, by=by, on=on, over=over, where=view.where, calc=calc)
    return questions.with_cut_unit(answer) if isinstance(answer, Answer) else answer
