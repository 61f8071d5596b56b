"""What was handed in, what was loaded, and what was kept back?"""

from pages.parts import reports


def page() -> None:
    reports.load_report()
