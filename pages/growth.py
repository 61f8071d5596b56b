"""At this pace, when is the target reached, and what would it take to reach it in time?"""

from ui.components.figures import scope_bar
from ui.exhibits.growth import PAGE, verdict
from ui.sections import ahead, goal, overview, scenario
from ui.sections.page import draw


def page() -> None:
    draw(
        scope_bar(PAGE),
        PAGE,
        verdict=lambda view: overview.summed_up(view, verdict),
        goal=goal.seek,
        scenario=scenario.of_headcount,
        announced=goal.announced,
        recruits=ahead.recruits,
    )
