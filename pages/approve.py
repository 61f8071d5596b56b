"""Which provinces have submitted, what would change, and what is published?"""

from ui.components import filter_bar
from ui.sections import approval, audit_log, briefings, data_quality, notes
from ui.state import page_context


def page() -> None:
    view = page_context.view()
    filter_bar.whole(view)
    approval.approve(view)
    notes.desk(view)
    data_quality.publications(view)
    briefings.listed(view)
    audit_log.show(view)
