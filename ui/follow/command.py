"""python -m pages: briefings, and the news of the newest publication to those who follow it.

`tell` prints a line for each: who, the condition, before, now; with --dry-run nothing is kept and nothing sent. Exit 0: done.
1: a message still waits in the outbox, a follow could not be evaluated, or a file was refused; one line each. 2: wrong usage.
"""

import argparse
import io
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from etl.core import settings
from etl.core.errors import QuestionError, Refused
from etl.core.paths import warehouse_pointer
from etl.core.text_folding import printable
from etl.operations import roles
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from etl.submissions import work
from ui.access.follows import Follows, Subscriber, oldest_kept
from ui.briefing import command as briefing
from ui.briefing import writing
from ui.data import cursors
from ui.data.ask import Kept as KeptAnswers
from ui.follow import mail, store, team_file, words
from ui.follow.follow import HAND_IN
from ui.follow.telling import HandedIn, Receiver, Telling, follows_of, handed_in, is_paused, told_to
from ui.i18n import text


def main(written: Sequence[str] | None = None) -> int:
    """Run a command of `python -m pages`; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = parser().parse_args(written)
    return int(options.run(parser(), options))


def parser() -> argparse.ArgumentParser:
    """The parser of every command of `python -m pages`."""
    found = argparse.ArgumentParser(prog="python -m pages", allow_abbrev=False)
    commands = found.add_subparsers(required=True, metavar="command")
    briefing.add(commands)
    tell = commands.add_parser(
        "tell",
        help="the news of the newest publication",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=team_file.__doc__,
    )
    tell.add_argument("--dry-run", action="store_true", help="only print: nothing is kept, nothing is sent")
    tell.add_argument("--from", dest="source", type=Path, metavar="FILE", help="another warehouse")
    tell.set_defaults(run=_run)
    return found


def _run(_: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    rules = settings.read()
    try:
        return _tell(rules, options.source or warehouse_pointer(), is_tried=options.dry_run)
    except (Refused, QuestionError) as error:
        lines = str(error).splitlines()
    except OSError as error:
        lines = [f"{error.filename or 'the machine'}: {error.strerror or type(error).__name__}"]
    for line in lines:
        print(printable(line), file=sys.stderr)
    return 1


def _tell(rules: settings.Settings, pointer: Path, is_tried: bool) -> int:
    follows = store.opened()
    table = roles.read(rules.sign_in.access) if rules.sign_in.access and rules.sign_in.mode != "open" else None
    if rules.mail.follows and not is_tried:
        follows.of_teams(team_file.read(rules.mail.follows, table.groups if table else None))
    faults: list[str] = []
    with ExitStack() as open_cursors:
        for receiver in _receivers(follows, table, pointer, open_cursors):
            kept, states = follows.all(), follows.states(receiver.person.sub)
            if is_tried and rules.mail.follows:
                kept = [one for one in kept if not one.team]
                kept += team_file.read(rules.mail.follows, table.groups if table else None)
            is_asked = any(one.condition.kind == HAND_IN for _, one in follows_of(receiver.person, kept))
            submissions = _handed_in(rules, receiver) if is_asked else HandedIn()
            telling = told_to(receiver, kept, states, time.time(), submissions)
            _print(receiver, telling)
            faults += telling.faults
            if not is_tried and telling.states:
                message = mail.message_of(receiver, telling, rules.mail, _paper(pointer, receiver.scope))
                follows.tell(telling.states, telling.news, message, oldest_kept(receiver.ask.publication.id))
    faults += [] if is_tried else mail.send(follows, rules.mail)
    for fault in faults:
        print(printable(fault), file=sys.stderr)
    return 1 if faults else 0


def _receivers(
    follows: Follows, table: roles.Roles | None, pointer: Path, open_cursors: ExitStack
) -> Iterator[Receiver]:
    """Everybody who follows anything, with the rights of now; equal rights ask each question once."""
    now, kept = time.time(), follows.all()
    # The one person of this machine is of every team.
    alone = Subscriber(ADMINISTRATOR.sub, tuple({one.team for one in kept if one.team}), signed_in=now)
    people = follows.people() if table else [alone]
    asks: dict[AccessScope, KeptAnswers] = {}
    for person in people:
        if not any(follows_of(person, kept)):
            continue
        scope = table.scope_of(person.sub, person.groups) if table else ADMINISTRATOR
        rights = scope.rights()
        if rights not in asks:
            asks[rights] = KeptAnswers(open_cursors.enter_context(cursors.opened(pointer, rights)))
        yield Receiver(person, scope, asks[rights], is_paused(person, now))


def _handed_in(rules: settings.Settings, receiver: Receiver) -> HandedIn:
    desk = work.desk_of(rules, lambda: None)
    return handed_in(desk, receiver.person.sub, receiver.scope, date.today())


def _paper(pointer: Path, scope: AccessScope) -> mail.Paper:
    def pdf(place: str, lang: str, exact: bool) -> bytes:
        with writing.press(pointer, scope) as press:
            return press.pdf(press.writer(place, lang, exact=exact))

    return pdf


def _print(receiver: Receiver, telling: Telling) -> None:
    for one in telling.news:
        follow: Any = telling.follows[one.follow]
        before, now = (("" if value is None else repr(value)) for value in (one.before_value, one.now_value))
        what = f"{words.about(follow, 'en')} [{one.member or follow.place}] {one.told}"
        what += " (revision)" if one.by_revision else ""
        print("\t".join((printable(receiver.person.sub), text.one_calendar(what), before, now)))
