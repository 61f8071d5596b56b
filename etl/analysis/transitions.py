"""What a followed condition tells: each publication in which it begins to hold, once.

The states of one condition and one person are kept by publication, in the order in which publications were first evaluated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a condition stands in a publication."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does_not_hold"
    NOT_EVALUATED = "not_evaluated"
    PAUSED = "paused"

    @property
    def is_known(self) -> bool:
        return self in (State.HOLDS, State.DOES_NOT_HOLD)


class Told(StrEnum):
    """What a publication tells of a condition."""

    NOTHING = "nothing"
    BEGAN = "began"
    ENDED = "ended"
    DEFINITION_CHANGED = "definition_changed"


@dataclass(frozen=True)
class Evaluated:
    """A condition in one publication; `definition` is the version of its measure's definition."""

    publication: str
    state: State
    definition: str


@dataclass(frozen=True)
class Transition:
    """What is told; by revision if the old day already differs in the new publication."""

    told: Told
    by_revision: bool = False


def transition(
    kept: Sequence[Evaluated], now: Evaluated, old_day: State = State.NOT_EVALUATED, *, tells_end: bool = False
) -> Transition:
    """What is told now, after all that is kept; `old_day` is the state of the last evaluated day in this publication.

    A publication that was evaluated before tells nothing, so neither a rollback nor the way forward does. The first state that
    is known is only noted, also after a change of the definition. A gap without a known state changes nothing.
    """
    nothing = Transition(Told.NOTHING)
    if not now.state.is_known or any(one.publication == now.publication for one in kept):
        return nothing
    before = next((one for one in reversed(kept) if one.state.is_known), None)
    if before is None:
        return nothing
    if before.definition != now.definition:
        return Transition(Told.DEFINITION_CHANGED)
    if before.state == now.state or (now.state is State.DOES_NOT_HOLD and not tells_end):
        return nothing
    told = Told.BEGAN if now.state is State.HOLDS else Told.ENDED
    return Transition(told, by_revision=old_day.is_known and old_day != before.state)
