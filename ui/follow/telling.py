"""What a publication tells: every condition is evaluated with the rights that its receiver has at this moment.

A publication that was evaluated before tells nothing, nor do a rollback and the way forward.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date

from etl.analysis.transitions import Evaluated, State, Told, transition
from etl.core.errors import QuestionError
from etl.core.text_folding import display_text, latin_digits
from etl.semantic.rights import AccessScope
from etl.submissions import arrivals, deadline
from etl.submissions.desk import Desk
from ui.access.follows import Kept, News, StateKept, Subscriber, in_order
from ui.data.ask import Ask
from ui.follow.evaluate import OUTSIDE, Found, definition_of, evaluated, occurs
from ui.follow.follow import HAND_IN, Follow, of_record
from ui.i18n import text

# Who did not sign in for so long is not told.
IDLE_DAYS = 60
_DAY = 86400.0
# The member of what is owed, of a follow of own submissions.
OWED = "owed"
# Told of a member that lies outside of what its receiver may see now.
OUTSIDE_NOW = "outside"


@dataclass(frozen=True)
class Receiver:
    """A person with the rights of this moment, and the Ask of the publication under them."""

    person: Subscriber
    scope: AccessScope
    ask: Ask
    is_paused: bool = False


@dataclass(frozen=True)
class Telling:
    """The states of a person's follows in a publication, and the news, in order; each follow by its ident.

    `faults`: a line for each follow that could not be evaluated; the others are.
    """

    states: list[StateKept] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    follows: dict[str, Follow] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def ident_of(owner: str, follow: Follow, team: str = "") -> str:
    """The ident of a follow: the same for the same one of the same owner."""
    told = json.dumps([owner, team, follow.record()], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def follows_of(person: Subscriber, kept: Iterable[Kept]) -> Iterator[tuple[str, Follow]]:
    """The follows that a person is told of: own ones, and those of own teams, that are on and not over."""
    for one in kept:
        if not one.is_on or not (one.team in person.groups if one.team else one.owner == person.sub):
            continue
        # One of a later version, from which somebody went back, may say what is unknown here.
        with suppress(QuestionError, TypeError, KeyError, ValueError):
            yield one.ident, of_record(one.content)


def is_paused(person: Subscriber, now: float) -> bool:
    """Whether a person has not signed in for too long."""
    return now - person.signed_in > IDLE_DAYS * _DAY


@dataclass(frozen=True)
class HandedIn:
    """The states of what a person submitted, by its ident, and the month that the person's provinces owe: `soon` or `late`."""

    states: Mapping[str, str] = field(default_factory=dict)
    owed: Mapping[str, str] = field(default_factory=dict)
    due: date | None = None


def handed_in(desk: Desk, sub: str, scope: AccessScope, today: date) -> HandedIn:
    """What a person submitted; a submitter is reminded five working days before the deadline and one after it. Raises OSError."""
    every = desk.records.all()
    states = {one.id: one.state for one in every if one.submitted_by == sub}
    owed = arrivals.owed(desk, every, scope.codes, today) if scope.role == "submitter" else None
    if not owed:
        return HandedIn(states)
    is_late = deadline.working_days_to(today, owed.due) > 0
    return HandedIn(states, {owed.month: "late" if is_late else "soon"}, owed.due)


def told_to(
    receiver: Receiver,
    kept: Iterable[Kept],
    states: Mapping[tuple[str, str], Sequence[StateKept]],
    now: float,
    submissions: HandedIn | None = None,
) -> Telling:
    """What a publication tells a person, after the states that are kept of the earlier ones."""
    telling = Telling()
    # Once in a publication; own submissions are in none.
    evaluated_before = {
        ident for (ident, _), of in states.items() if any(one.publication == receiver.ask.publication.id for one in of)
    }
    for ident, follow in follows_of(receiver.person, kept):
        if follow.until and text.read_day(follow.until) < date.fromtimestamp(now):
            continue
        telling.follows[ident] = follow
        if receiver.is_paused or ident in evaluated_before:
            continue
        one = _Telling(receiver, ident, follow, states, now, Telling())
        try:
            one.of_hand_in(submissions or HandedIn()) if follow.condition.kind == HAND_IN else one.of_publication()
        except Exception as error:
            telling.faults.append(f"follow {ident} cannot be evaluated ({type(error).__name__})")
            continue
        telling.states.extend(one.telling.states)
        telling.news.extend(one.telling.news)
    return replace(telling, news=in_order(telling.news))


@dataclass(frozen=True)
class _Telling:
    """One follow of one person in one publication."""

    receiver: Receiver
    ident: str
    follow: Follow
    kept: Mapping[tuple[str, str], Sequence[StateKept]]
    now: float
    telling: Telling

    def of_publication(self) -> None:
        ask = self.receiver.ask
        publication, definition = ask.publication.id, definition_of(self.follow, ask)
        found = evaluated(self.follow, ask)
        of_old_days: dict[date, dict[str, Found]] = {}
        whole = next((one for one in found.values() if one.why == OUTSIDE), None) if len(found) == 1 else None
        members = [member for ident, member in self.kept if ident == self.ident] if whole else []
        for member in dict.fromkeys((*found, *members)):
            one = found.get(member) or whole or Found(State.NOT_EVALUATED)
            before = self._last(member)
            if (
                self.follow.is_state
                and before
                and before.on
                and one.state.is_known
                and before.publication != publication
            ):
                if before.on not in of_old_days:
                    of_old_days[before.on] = evaluated(self.follow, ask, before.on)
                old = of_old_days[before.on].get(member, Found(State.NOT_EVALUATED)).state
            else:
                old = State.NOT_EVALUATED
            self._keep(member, one, publication, definition, old)

    def of_hand_in(self, found: HandedIn) -> None:
        """An own submission was returned or approved, or is owed: told when it is, whichever publication is shown."""
        decided = {name: state for name, state in found.states.items() if state in ("returned", "approved")}
        for member, marks, due in (("", decided, None), (OWED, found.owed, found.due)):
            mark = json.dumps(dict(marks), sort_keys=True)
            # Its states are known by what they are, not by a publication.
            version = hashlib.sha256(mark.encode()).hexdigest()[:12]
            one = Found(State.HOLDS, mark=mark, on=due)
            self._keep(member, one, f"{HAND_IN} {version}", "", State.NOT_EVALUATED)

    def _last(self, member: str) -> StateKept | None:
        kept = self.kept.get((self.ident, member), ())
        return next((one for one in reversed(kept) if State(one.state).is_known), None)

    def _keep(self, member: str, found: Found, publication: str, definition: str, old: State) -> None:
        kept, before = self.kept.get((self.ident, member), ()), self._last(member)
        state = Evaluated(publication, found.state, definition)
        told = transition([one.evaluated for one in kept], state, old, tells_end=self.follow.tells_end)
        what, by_revision = str(told.told), told.by_revision
        is_new = all(one.publication != publication for one in kept)
        if not self.follow.is_state and is_new and before and found.state.is_known:
            what = Told.BEGAN if occurs(self.follow, before.mark, found.mark) else Told.NOTHING
        if found.why == OUTSIDE and is_new and before and State(kept[-1].state).is_known:
            # A number of what may no longer be seen is not told, that it may not be is.
            what = OUTSIDE_NOW
        day = found.on.isoformat() if found.on else ""
        key = (self.ident, self.receiver.person.sub, member, publication)
        self.telling.states.append(
            StateKept(*key, self.now, str(found.state), definition, found.value, day, found.mark)
        )
        if what != Told.NOTHING:
            is_outside = what == OUTSIDE_NOW
            self.telling.news.append(
                News(
                    self.receiver.person.sub,
                    publication,
                    self.ident,
                    member,
                    self.now,
                    what,
                    int(by_revision),
                    before.value if before and not is_outside else None,
                    before.on_day if before else "",
                    None if is_outside else found.value,
                    day,
                    found.distance,
                    " ".join(sorted(self._seen_of(member))),
                )
            )

    def _seen_of(self, member: str) -> frozenset[str]:
        """The provinces whose rows are behind the number of a member, of those that the receiver may see."""
        province = member if self.follow.by == ("province",) else self.follow.province
        codes = self.receiver.scope.codes
        return codes & {province} if province else codes


@dataclass(frozen=True)
class Replay:
    """What somebody would have been told who followed all the time: how often, and the first of it, by month.

    `holds_now`: the members for which the condition holds already, with their numbers; `never`: those that can never be told;
    `can_be_told`: whether some can.
    """

    times: list[tuple[str, tuple[str, ...]]]
    holds_now: dict[str, float | None]
    never: tuple[str, ...]
    can_be_told: bool = False


def replay(follow: Follow, ask: Ask, ends: Sequence[date]) -> Replay:
    """The ends of months at which a state began to hold, by the data of this publication. Raises QuestionError as `evaluated`."""
    kept: dict[str, list[Evaluated]] = {}
    times, last = [], dict[str, Found]()
    for end in ends:
        last = evaluated(follow, ask, end)
        began = []
        for member, found in last.items():
            now = Evaluated(end.isoformat(), found.state, "")
            if transition(kept.setdefault(member, []), now).told is Told.BEGAN:
                began.append(member)
            kept[member].append(now)
        if began:
            times.append((end.isoformat(), tuple(began)))
    holds = {member: found.value for member, found in last.items() if found.state is State.HOLDS}
    never = tuple(member for member, of in kept.items() if not any(one.state.is_known for one in of))
    return Replay(times, holds, never, len(never) < len(kept))


def number_of(written: str, unit: str) -> float:
    """The number that somebody typed, in any digits; of a share with a percent sign or as a fraction.

    Raises ValueError for what is no number.
    """
    plain = latin_digits(display_text(written)).replace("٫", ".").replace("٬", "").replace(",", "").strip()
    is_percent = plain.endswith(("%", "٪")) or plain.startswith(("%", "٪"))
    value = float(plain.strip("%٪ "))
    return value / 100 if is_percent and unit == "share" else value
