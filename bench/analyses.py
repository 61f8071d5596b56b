"""How long each analysis takes on its own day, cold: no answer of it is kept."""

from functools import partial
from typing import Any

from bench.register import Register
from bench.timing import Times, timed
from etl.analysis import analyses
from etl.core.errors import QuestionError
from etl.core.jalali import year_before
from etl.semantic import access, rights

_TIMES = 7


def run(made: Register) -> dict[str, Any]:
    """Milliseconds of each analysis for the nation, in turns; the first turn, which imports and plans, is left out."""
    measured: dict[str, list[float]] = {}
    with access.connect(made.warehouse, rights.ADMINISTRATOR) as con:
        rate, before = "training_compliance", year_before(con.publication.as_of)
        needed: dict[str, dict[str, Any]] = {
            "why": {"metric": rate, "before": before},
            "different": {"metric": rate, "by": "province"},
            **{f"recruit_{what}": {"recruits": 10_000} for what in ("places", "lorenz")},
        }
        for turn in range(_TIMES + 1):
            for name in analyses.by_name():
                try:
                    _, milliseconds = timed(partial(analyses.analyse, con, name, **needed.get(name, {})))
                except QuestionError:
                    continue
                if turn:
                    measured.setdefault(name, []).append(milliseconds)
    return {name: vars(Times.of(values)) for name, values in measured.items()}
