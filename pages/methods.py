"""What does each number mean, and how is it calculated?"""

from ui.sections import definitions


def page() -> None:
    definitions.methods()
    definitions.all_of_them()
