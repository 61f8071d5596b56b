"""Which numbers changed, what was submitted, and what was rejected?"""

from ui.components import filter_bar
from ui.sections import approval, data_quality, notes, revisions
from ui.state import page_context


def page() -> None:
    # The load is that of the whole country, whatever the scope.
    view = page_context.view()
    filter_bar.whole(view)
    data_quality.refused_load(view)
    revisions.why(view)
    data_quality.totals(view)
    data_quality.provinces(view)
    approval.calendar(view)
    notes.listed(view)
    data_quality.reasons(view)
    data_quality.warned(view)
    data_quality.files(view)
    data_quality.rules(view)
    revisions.log(view)
