"""A follow: a measure, a place, its filters, and a condition, as a value.

    Follow(Condition("below", 0.8), "training_compliance", "counties of IR-07")

is told of each county of Fars whose training compliance falls below 80 %.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from etl.analysis.different import is_tested_over_time
from etl.core.errors import QuestionError
from etl.core.store import known
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import is_tested
from ui.data.ask import Filters
from ui.i18n import member_names, text
from ui.state.scope import NATION, Scope, in_order

EVERY_PROVINCE, COUNTIES_OF = "every province", "counties of "
BELOW, ABOVE, LOWER, HIGHER, CHANGED = "below", "above", "clearly lower", "clearly higher", "changed"
TARGET_MONTH, NEEDS_ACTION, PUBLICATION, HAND_IN = "target month moved", "needs action", "publication", "hand-in"
# What holds or does not, and what happens.
STATES, OCCASIONS = (BELOW, ABOVE, LOWER, HIGHER, CHANGED), (TARGET_MONTH, NEEDS_ACTION, PUBLICATION, HAND_IN)
_WITH_NUMBER = re.compile(rf"({BELOW}|{ABOVE}) (-?[0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True)
class Condition:
    """What is to hold: `below 0.8`, `clearly lower`, `publication`. A share is a fraction."""

    kind: str
    number: float | None = None

    @classmethod
    def read(cls, written: str) -> "Condition":
        """The condition of its words. Raises QuestionError."""
        words = " ".join(written.split())
        if found := _WITH_NUMBER.fullmatch(words):
            return cls(found[1], float(found[2]))
        if words in (BELOW, ABOVE) or words not in (*STATES, *OCCASIONS):
            known_words = ", ".join((f"{BELOW} NUMBER", f"{ABOVE} NUMBER", *STATES[2:], *OCCASIONS))
            raise QuestionError(f"{words!r} is no condition; one is {known_words}")
        return cls(words)

    @property
    def written(self) -> str:
        return self.kind if self.number is None else f"{self.kind} {self.number!r}"


@dataclass(frozen=True)
class Follow:
    """`place`: IR, a province, `every province`, or `counties of IR-07`; `filters` are those besides places.

    `tells_end`: also told when it ends. `by_mail`: told by mail too, with the page as a PDF if it `attaches`. `shown`: the page
    where it was stated, and its part of the address.
    """

    condition: Condition
    measure: str = ""
    place: str = NATION
    filters: Filters = ()
    tells_end: bool = False
    by_mail: bool = False
    attaches: bool = False
    until: str = ""
    shown: str = ""

    @property
    def province(self) -> str:
        """The province of its place; empty for the nation and for every province."""
        code = self.place.removeprefix(COUNTIES_OF)
        return "" if code in (NATION, EVERY_PROVINCE) else code

    @property
    def by(self) -> tuple[str, ...]:
        """The dimension of its members; none for one place."""
        if self.place == EVERY_PROVINCE:
            return ("province",)
        return ("county",) if self.place.startswith(COUNTIES_OF) else ()

    @property
    def where(self) -> dict[str, tuple[str, ...]]:
        return dict(self.filters) | ({"province": (self.province,)} if self.province else {})

    @property
    def is_state(self) -> bool:
        return self.condition.kind in STATES

    def scope(self, latest: date, on: date | None = None, lang: str = "fa") -> Scope:
        return Scope(latest, in_order(self.where), on, lang=lang)

    def record(self) -> dict[str, Any]:
        """What a store keeps: `of_record` gives it back."""
        return asdict(self) | {"condition": self.condition.written}


def of_record(record: Mapping[str, Any]) -> Follow:
    """A follow as it was kept, also by a later version. Raises QuestionError."""
    content = known(Follow, record)
    filters = tuple((name, tuple(codes)) for name, codes in content.get("filters", ()))
    return Follow(**content | {"condition": Condition.read(content["condition"]), "filters": filters})


def checked(follow: Follow) -> Follow:
    """The follow, if it can ever be told. Raises QuestionError with what stands against it."""
    kind, place = follow.condition.kind, follow.place
    if follow.province and follow.province not in member_names.fixed("province", "en"):
        raise QuestionError(f"{place!r} is no place: write IR-07, {EVERY_PROVINCE}, {COUNTIES_OF}IR-07 or {NATION}")
    if follow.until:
        text.read_day(follow.until)
    if kind in (PUBLICATION, HAND_IN):
        return replace(follow, measure="", place=NATION, filters=())
    if kind in (TARGET_MONTH, NEEDS_ACTION):
        if follow.by:
            raise QuestionError(f"{kind!r} is followed of the nation or of one province")
        return replace(follow, measure="", filters=())
    if follow.measure not in catalogue():
        raise QuestionError(f"{follow.measure!r} is no measure")
    measure = catalogue()[follow.measure]
    if without := {*follow.by, *follow.where} - measure.dimensions:
        raise QuestionError(f"{measure.name} has no meaning by {min(without)}")
    number = follow.condition.number
    if measure.unit == "date" and number is not None:
        raise QuestionError(f"{measure.name} is a day, not a number")
    if measure.unit == "share" and number is not None and not 0 <= number <= 1:
        raise NotAShare(f"{measure.name} is a share: {number:g} % is written {number / 100:g}")
    if kind in (LOWER, HIGHER) and (place == NATION or not is_tested(measure.name)):
        what = "the nation is what places are compared with" if place == NATION else f"{measure.name} has no test"
        raise QuestionError(f"{kind!r}: {what}")
    if kind == CHANGED and not is_tested_over_time(measure.name):
        raise QuestionError(f"{kind!r}: {measure.name} has no test between two days")
    return follow


class NotAShare(QuestionError):
    """A percentage where a fraction is meant."""
