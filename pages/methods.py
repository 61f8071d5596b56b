"""What does each number mean, and how is it worked out?"""

from pages.parts import components as ui


def page() -> None:
    ui.definitions()
