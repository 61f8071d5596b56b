"""What differs between two days, or two places, and what made the difference?"""

from pages.parts import comparing, grid
from pages.parts import components as ui


def page() -> None:
    grid.style()
    view = ui.scope_bar("gender", "education", "post")
    chosen = comparing.sides(view)
    comparing.choices(view, chosen)
    comparing.table(
        view,
        chosen,
        "active_assistants",
        "in_service",
        "target_progress",
        "coverage_per_10k",
        "licensed_institutes",
        "persons_per_institute",
        "training_compliance",
        "requirement_rate",
        "expiring_90",
        "judicial_officer_share",
        "leaver_rate_12m",
        "early_attrition",
    )
    comparing.bridges(view, chosen)
