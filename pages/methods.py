"""What does each number mean, and how is it worked out?"""

from pages.parts import reports


def page() -> None:
    reports.definitions()
