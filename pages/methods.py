"""What does each number mean, and how is it calculated?"""

from pages.ui.sections import definitions


def page() -> None:
    definitions.methods()
    definitions.all_of_them()
