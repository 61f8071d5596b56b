"""A condition is told once for each publication in which it begins to hold."""

import numpy as np
import pandas as pd
import pytest

from etl.analysis.transitions import Evaluated, State, Told, Transition, transition

STATES = list(State)
HOLDS, NOT, UNKNOWN, PAUSED = STATES


def told(evaluated: list[Evaluated], *, tells_end: bool = False) -> list[Told]:
    """What each tells, one after the other; a publication is kept once."""
    kept: list[Evaluated] = []
    said = []
    for one in evaluated:
        said.append(transition(kept, one, tells_end=tells_end).told)
        if one.publication not in {earlier.publication for earlier in kept}:
            kept.append(one)
    return said


def history(*states: State, definition: str = "1") -> list[Evaluated]:
    return [Evaluated(f"p{number}", state, definition) for number, state in enumerate(states)]


@pytest.mark.parametrize("seed", range(24))
def test_what_is_told_is_the_changes_that_pandas_finds(seed: int) -> None:
    states = [STATES[pick] for pick in np.random.default_rng(seed).integers(0, len(STATES), 24)]
    known = pd.Series(states).map({HOLDS: 1.0, NOT: 0.0})
    change = known - known.ffill().shift()
    expected = [Told.BEGAN if step == 1 else Told.ENDED if step == -1 else Told.NOTHING for step in change]
    assert told(history(*states), tells_end=True) == expected
    assert told(history(*states)) == [Told.NOTHING if one is Told.ENDED else one for one in expected]


def test_the_same_publication_twice_a_rollback_and_the_way_forward_tell_nothing() -> None:
    first, second = history(NOT, HOLDS)
    expected = [Told.NOTHING, Told.BEGAN, *[Told.NOTHING] * 3]
    assert told([first, second, second, first, second], tells_end=True) == expected


def test_what_already_holds_is_told_after_its_end_and_a_new_start() -> None:
    assert told(history(HOLDS, HOLDS, NOT, HOLDS)) == [*[Told.NOTHING] * 3, Told.BEGAN]


def test_a_changed_definition_starts_anew_and_says_so() -> None:
    changed = [Evaluated("p8", HOLDS, "2"), Evaluated("p9", NOT, "2")]
    assert told(history(NOT) + changed, tells_end=True) == [Told.NOTHING, Told.DEFINITION_CHANGED, Told.ENDED]


@pytest.mark.parametrize(("old_day", "by_revision"), [(HOLDS, True), (NOT, False), (UNKNOWN, False), (PAUSED, False)])
def test_a_revision_and_a_change_are_told_apart(old_day: State, by_revision: bool) -> None:
    before, now = history(NOT, HOLDS)
    assert transition([before], now, old_day) == Transition(Told.BEGAN, by_revision)


def test_an_end_by_revision_is_told_as_one() -> None:
    before, now = history(HOLDS, NOT)
    assert transition([before], now, NOT, tells_end=True) == Transition(Told.ENDED, by_revision=True)
    assert transition([before], now, HOLDS, tells_end=True) == Transition(Told.ENDED)
