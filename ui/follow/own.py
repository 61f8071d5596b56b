"""The follows of who reads a page, and the news of them; with the rights of this moment."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

from etl.analysis.transitions import State
from etl.core import settings
from etl.core.errors import AccessDenied, QuestionError, Refused
from etl.semantic.rights import AccessScope
from ui.access.follows import Follows, Kept, News, Subscriber, in_order
from ui.data import page_run, stores, submissions, warehouse
from ui.follow import mail, store, team_file
from ui.follow.follow import HAND_IN, Follow, checked, of_record
from ui.follow.telling import OUTSIDE_NOW, HandedIn, Receiver, follows_of, handed_in, ident_of, told_to
from ui.i18n import text

# News of so many publications are shown.
_PUBLICATIONS = 5


@dataclass(frozen=True)
class Own:
    """A follow of the reader, or of a team of the reader: for how many of its members it holds, and when it was told last.

    `may_change`: it is the reader's own, or of a team for which the reader may follow.

    `evaluated` and `told` are seconds since 1970; 0: never.
    """

    ident: str
    follow: Follow
    team: str
    may_change: bool
    is_on: bool
    holds: int
    members: int
    evaluated: float
    told: float


def teams() -> tuple[str, ...]:
    """The teams for which the reader may follow: a steward's own."""
    return page_run.teams() if page_run.access_scope().role == "steward" else ()


def start(follow: Follow, lang: str, instead_of: str = "", team: str = "") -> None:
    """Follow from now on, instead of another follow: where it holds already, the first news is of the next beginning.

    Of a `team` each member is told, with the own rights. Raises AccessDenied for a team that is not the reader's to follow for,
    Refused where it is followed already or there is no room, QuestionError where it can never be told, and OSError.
    """
    person, follows = _person(), store.opened()
    if team and team not in teams():
        raise AccessDenied
    if instead_of and (earlier := _changeable(instead_of)):
        person_of, team = earlier.owner, earlier.team
    else:
        person_of = person.sub
    kept = Kept(ident_of(person_of, follow, team), person_of, team, checked(follow).record(), time.time())
    telling = told_to(_receiver(person), [kept], {}, kept.made, _submissions(follow, person.sub))
    if telling.faults:
        raise QuestionError(telling.faults[0])
    about = {"metric": follow.measure} if follow.measure else {}
    noted = {"condition": follow.condition.written, "place": follow.place}
    if refusal := follows.add(kept, lambda: page_run.record("follow_made", **about, **noted), instead_of):
        raise Refused(text.word(f"follow.{refusal}", lang))
    follows.tell(telling.states, [], None, "")
    follows.speak(person.sub, lang)


def turn(ident: str, is_on: bool) -> None:
    """Stop a follow of the reader, or let it go on. Raises OSError."""
    event = "follow_resumed" if is_on else "follow_stopped"
    if kept := _changeable(ident):
        store.opened().turn(kept.owner, ident, is_on, lambda: page_run.record(event))


def remove(ident: str) -> None:
    """Remove a follow of the reader with its news. Raises OSError."""
    if kept := _changeable(ident):
        store.opened().remove(kept.owner, ident, lambda: page_run.record("follow_removed"))


def note_read() -> None:
    """Note that the reader has seen the news. Raises OSError."""
    store.opened().note_read(_person().sub, time.time())


def unread() -> int | None:
    """How many news the reader has not seen; None for who follows nothing."""
    try:
        follows = store.opened()
        person = _person()
        if not _of(person, follows.all()):
            return None
        if not page_run.signs_in():
            _tell_alone(person, follows)
        return follows.unread(person.sub)
    except OSError as error:
        stores.note(error)
        return None


def news() -> list[tuple[News, Follow]]:
    """What the last publications told the reader, each with its follow. Raises OSError."""
    person, follows = _person(), store.opened()
    known = {kept.ident: follow for kept, follow in _of(person, follows.all())}
    told = [one for one in follows.news(person.sub) if one.follow in known]
    latest = list(dict.fromkeys(one.publication for one in sorted(told, key=lambda one: one.at, reverse=True)))
    scope = page_run.access_scope()
    shown = in_order(_as_seen(one, scope) for one in told if one.publication in latest[:_PUBLICATIONS])
    return [(one, known[one.follow]) for one in shown]


def shown() -> list[Own]:
    """The follows of the reader and of the reader's teams, the latest first. Raises OSError."""
    person, follows = _person(), store.opened()
    states, told = follows.states(person.sub), follows.news(person.sub)
    found = []
    for kept, follow in sorted(_of(person, follows.all()), key=lambda one: one[0].made, reverse=True):
        last = [of_member[-1] for (ident, _), of_member in states.items() if ident == kept.ident]
        found.append(
            Own(
                kept.ident,
                follow,
                kept.team,
                _may_change(kept, person.sub),
                kept.is_on,
                sum(one.state == State.HOLDS for one in last),
                len(last),
                max((one.at for one in last), default=0.0),
                max((one.at for one in told if one.follow == kept.ident), default=0.0),
            )
        )
    return found


def is_followed(follow: Follow, besides: str = "", team: str = "") -> bool:
    """Whether the reader, or a team, follows this already, however it is told; not by a follow of this ident. Raises OSError."""
    person = _person()
    mine = [one for kept, one in _of(person, store.opened().all()) if kept.team == team and kept.ident != besides]
    return _silent(follow) in map(_silent, mine)


def has_mail() -> bool:
    """Whether the provider gave an address of the reader to which the installation sends."""
    rules, sub = settings.read().mail, _person().sub
    mine = [one for one in store.opened().people() if one.sub == sub] if rules.domains else []
    return any(mail.is_allowed(one.mail, rules.domains) for one in mine)


def attaches() -> bool:
    """Whether mail of this installation may have a paper."""
    return settings.read().mail.says != mail.LINK


def _silent(follow: Follow) -> Follow:
    return replace(follow, tells_end=False, by_mail=False, attaches=False)


def _person() -> Subscriber:
    """The reader. The one of the mode `open` is of every team."""
    scope = page_run.access_scope()
    if page_run.signs_in():
        return Subscriber(scope.sub, page_run.groups(), signed_in=time.time())
    teams = {one.team for one in store.opened().all() if one.team}
    return Subscriber(scope.sub, tuple(sorted(teams)), signed_in=time.time())


def _may_change(kept: Kept, sub: str) -> bool:
    """Whether a follow is of this person, or of a team for which the reader may follow; those of the settings are nobody's."""
    return kept.owner == sub if not kept.team else kept.team in teams() and kept.owner != team_file.owner(kept.team)


def _changeable(ident: str) -> Kept | None:
    """The follow of this ident, if the reader may change it. Raises OSError."""
    sub = _person().sub
    return next((one for one in store.opened().all() if one.ident == ident and _may_change(one, sub)), None)


def _receiver(person: Subscriber) -> Receiver:
    return Receiver(person, page_run.access_scope(), warehouse.of_page())


def _submissions(follow: Follow, sub: str) -> HandedIn:
    if follow.condition.kind != HAND_IN:
        return HandedIn()
    return handed_in(submissions.desk(), sub, page_run.access_scope(), date.today())


def _of(person: Subscriber, kept: Iterable[Kept]) -> list[tuple[Kept, Follow]]:
    """The follows of a person and of the person's teams, also those that are stopped or over."""
    found = []
    for one in kept:
        if one.team in person.groups if one.team else one.owner == person.sub:
            # As `follows_of`.
            with suppress(QuestionError, TypeError, KeyError, ValueError):
                found.append((one, of_record(one.content)))
    return found


def _as_seen(news: News, scope: AccessScope) -> News:
    """News as it may be seen now: without its numbers where it told of a province that lies outside of the rights since."""
    if {*news.provinces.split()} <= scope.codes:
        return news
    return replace(news, told=OUTSIDE_NOW, before_value=None, now_value=None)


def _tell_alone(person: Subscriber, follows: Follows) -> None:
    """In the mode `open`, where `python -m pages tell` may never run: evaluate what this publication was not evaluated for."""
    if page_run.pinned():
        return
    receiver = _receiver(person)
    known = follows.evaluated_in(person.sub, receiver.ask.publication.id)
    missing = [one for one in follows.all() if one.ident not in known and one.content.get("condition") != HAND_IN]
    if any(follows_of(person, missing)):
        telling = told_to(receiver, missing, follows.states(person.sub), time.time())
        follows.tell(telling.states, telling.news, None, "")
