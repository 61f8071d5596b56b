"""What does each number mean, and how is it calculated?"""

from pages.ui.sections import definitions, how_it_works


def page() -> None:
    how_it_works.explained()
    definitions.all_of_them()
