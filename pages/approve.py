"""Which provinces have submitted, what would change, and what is published?"""

from ui.components import filter_bar
from ui.exhibits.quality import APPROVE as PAGE
from ui.sections import approval, audit_log, briefings, data_quality, notes
from ui.sections.page import draw
from ui.state import page_context


def page() -> None:
    view = page_context.view()
    filter_bar.whole(view)
    draw(
        view,
        PAGE,
        approve=approval.approve,
        notes=notes.desk,
        publications=data_quality.publications,
        briefings=briefings.listed,
        audit=audit_log.show,
    )
