"""What does each number mean, and how is it worked out?"""

from pages.ui.sections import definitions


def page() -> None:
    definitions.all_of_them()
