"""Questions under the user's scope, and which of its filters have no meaning for them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows
from ui.data import warehouse
from ui.state import questions
from ui.state.page_context import PageContext


def ask(
    view: PageContext,
    names: Sequence[str],
    by: tuple[str, ...] = (),
    over: tuple[date, date] | None = None,
    without: Iterable[str] = (),
) -> tuple[Answer, list[str]]:
    """The answer under the user's scope, and the filters that have no meaning for these measures.

    Flows and units of time are asked over the user's period, else over `over`, else over the twelve complete months before
    the as-of day. With a measure that stays provisional for a while, the day is the latest on which it is settled.
    """
    return questions.ask_under(view.asked, warehouse.of_page(), names, by, over, tuple(without))


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


def settled_on(name: str, on: date) -> date | None:
    """The latest settled day of a metric up to `on`, for headlines and comparisons; None if no month is settled."""
    return questions.settled_on(warehouse.of_page(), name, on)


def computed(view: PageContext, analysis: str, /, **options: Any) -> tuple[Answer, list[str]]:
    """The result of an analysis under the user's scope, and the filters that have no meaning for it.

    `options` are parameters of the analysis besides the scope: a date, a goal, a metric.
    """
    return questions.analyse_under(view.asked, warehouse.of_page(), analysis, **options)
