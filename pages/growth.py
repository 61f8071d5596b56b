"""At this pace, when is the target reached, and what would it take to reach it in time?"""

import streamlit as st

from ui.charts import bars, forecast, lines
from ui.components import figures as ui
from ui.sections import ahead, comparisons, goal, overview, scenario


def page() -> None:
    view = ui.scope_bar("@place", "@person", period=True)
    overview.summed_up(view)
    ui.figure(view, forecast.projection, analysis="projection", target=True)
    goal.seek(view)
    scenario.of_headcount(view)
    goal.announced(view)
    progress = ["target_progress"] if overview.has_target(view) else []
    ui.cards(view, "active_assistants", *progress, "joiners", "leaver_rate_12m", "early_attrition")
    overview.findings(view, "leaver_rate_12m")
    left, right = st.columns(2)
    with left:
        ui.figure(view, bars.paired, "joiners", "leavers", by="month", over=view.months(24))
        comparisons.bridge(view)
    with right:
        ui.figure(view, bars.ranking, "leaver_rate_12m", by="place", nation=True)
    ahead.recruits(view)
    ui.figure(view, lines.trend, "active_assistants", by="month", over=view.months(144), target=True)
