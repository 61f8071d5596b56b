"""What differs between two days, or two places, and what made the difference?"""

from ui.components import figures as ui
from ui.sections import compare


def page() -> None:
    view = ui.scope_bar("@person")
    compare.compare(
        view,
        "active_assistants",
        "in_service",
        "target_progress",
        "coverage_per_10k",
        "licensed_institutes",
        "persons_per_institute",
        "training_compliance",
        "requirement_rate",
        "expiring_30",
        "judicial_officer_share",
        "leaver_rate_12m",
        "early_attrition",
    )
