"""What was handed in, what was loaded, and what was kept back?"""

from pages.parts import components as ui


def page() -> None:
    ui.load_report()
