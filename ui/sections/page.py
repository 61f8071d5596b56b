"""What stands on a page, drawn from top to bottom."""

from collections.abc import Callable, Iterable, Mapping

import streamlit as st

from ui.components import blocks, figures
from ui.components.blocks import error_boundary
from ui.data import warehouse
from ui.exhibits.named import Make, chosen
from ui.exhibits.page import (
    Cards,
    Columns,
    Figure,
    Findings,
    Folded,
    Heading,
    Listed,
    Page,
    Part,
    Section,
    Tabled,
    When,
    Words,
)
from ui.sections import listings
from ui.state import page_parameters
from ui.state.page_context import PageContext

_Sections = Mapping[str, Callable[[PageContext], object]]


def draw(view: PageContext, page: Page, **sections: Callable[[PageContext], object]) -> None:
    """Show the parts of a page under this view; the part of each name is drawn by one of the `sections`."""
    _parts(view, page, page.layout, sections, {})


def _parts(
    view: PageContext, page: Page, parts: Iterable[Part], sections: _Sections, said: dict[Make, Callable[[], bool]]
) -> None:
    for part in parts:
        match part:
            case Columns():
                columns = st.columns(part.widths or len(part.columns))
                for column, inside in zip(columns, part.columns, strict=True):
                    with column:
                        _parts(view, page, inside, sections, said)
            case Folded():
                with st.expander(view.word(part.key), key=f"fold-{part.key.replace('.', '-')}"):
                    _parts(view, page, part.parts, sections, said)
            case When():
                with error_boundary(view.lang, part.holds.__name__):
                    inputs = chosen(part.holds, page_parameters.of(page.name), view.asked)
                    if part.holds(view.asked, warehouse.of_page(), *inputs):
                        _parts(view, page, part.parts, sections, said)
            case Heading():
                st.html(f'<h2 class="pd-part">{view.escaped(part.key)}</h2>')
            case Words():
                blocks.intro(view.word(part.key))
            case Section():
                sections[part.name](view)
            case Cards():
                figures.cards(view, part.make)
            case Findings():
                said[part.make] = figures.sentence(view, part.make, asks=part.asks, quiet=part.quiet)
            case Tabled():
                figures.table(view, part.make)
            case Listed():
                listings.lists(view, part.make, without=listings.opened(page.name))
            case Figure():
                figures.exhibit(view, part.make, said=said.get(part.said) if part.said else None)
            case _:
                figures.exhibit(view, part)
