"""A part of a page, as all of them are shown: made in the pool, and sent in order."""

from collections.abc import Callable
from typing import TypeVar

from ui.components.blocks import error_boundary
from ui.state import rendering
from ui.state.page_context import PageContext
from ui.streamlit_internals import DeltaGenerator

_T = TypeVar("_T")


def part(
    view: PageContext,
    ident: str,
    make: Callable[[], _T],
    show: Callable[[_T], rendering.Send | None],
    place: DeltaGenerator | None = None,
    first: bool = False,
) -> None:
    """Show what `make` makes, or a notice why it could not, here or in `place`; the parameters are those of `rendering.defer`."""

    def shown(made: Callable[[], _T]) -> rendering.Send | None:
        with error_boundary(view.lang, ident):
            return show(made())
        return None

    rendering.defer(make, shown, place, first)
