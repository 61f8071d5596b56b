"""How many random cases a test draws: few in every run, and as many as the project promises with THOROUGH=1."""

import os


def draws(few: int, promised: int) -> int:
    """The number of random cases of a test."""
    return promised if os.environ.get("THOROUGH") else few
