"""Which numbers changed, what was submitted, and what was rejected?"""

from ui.components import filter_bar
from ui.exhibits.quality import PAGE
from ui.sections import approval, data_quality, notes, revisions
from ui.sections.page import draw
from ui.state import page_context


def page() -> None:
    # The load is that of the whole country, whatever the scope.
    view = page_context.view()
    filter_bar.whole(view)
    draw(
        view,
        PAGE,
        refused=data_quality.refused_load,
        why=revisions.why,
        totals=data_quality.totals,
        provinces=data_quality.provinces,
        calendar=approval.calendar,
        notes=notes.listed,
        reasons=data_quality.reasons,
        warned=data_quality.warned,
        files=data_quality.files,
        rules=data_quality.rules,
        log=revisions.log,
    )
