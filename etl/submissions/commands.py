"""python -m etl submissions | notes | work: the same steps as on the page, for the account on the server."""

import argparse
import json
import sys
import time
from datetime import date, datetime
from typing import Any

from etl.core import jalali, settings
from etl.core.errors import Refused
from etl.core.paths import warehouse_pointer
from etl.core.text_folding import latin_digits, printable
from etl.extract.causes import because
from etl.operations.commands import account, command, note
from etl.operations.doctor import Finding, Need
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import desk as steps
from etl.submissions import ledger, notes, orders
from etl.submissions import work as worker
from etl.submissions.desk import Person
from etl.warehouse import publications


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    submissions = commands.add_parser("submissions", help="what provinces submitted: list, approve, return, publish")
    parts = submissions.add_subparsers(metavar="what")
    submissions.set_defaults(run=_list, command="submissions")
    command(parts, "list", _list, "id, province, month, state, submitted by, on")
    for name, run, words in (
        ("show", _show, "one submission: its files, what stops it, rows that come back, what changes"),
        ("approve", _approve, "accept it for the next publication"),
        ("return", _return, "give it back with a reason"),
    ):
        part = command(parts, name, run, words)
        part.add_argument("id", metavar="ID", help="of the submission; python -m etl submissions list shows them")
        if name == "return":
            part.add_argument("--reason", required=True, metavar="TEXT", help="what the province reads")
    command(parts, "publish", _publish, "build from what is approved, and publish")
    notes_command = commands.add_parser("notes", help="signed notes on numbers: list, sign, withdraw")
    parts = notes_command.add_subparsers(metavar="what")
    notes_command.set_defaults(run=_notes, command="notes")
    command(parts, "list", _notes, "number, place, measure, months, state, author, signed on, until, text")
    sign = command(parts, "sign", _sign, "say why a number moved")
    for name, placeholder, words in (
        ("measure", "NAME", "the measure; python -m etl metrics lists them"),
        ("place", "PLACE", "nation, or a province, as IR-07"),
        ("over", "MONTH[..MONTH]", "the Jalali months, as 1405-07 or 1405-05..1405-07"),
        ("fa", "TEXT", "the text in Persian; it stands also in what circulates: no name, no exact number of people"),
    ):
        sign.add_argument(f"--{name}", required=True, metavar=placeholder, help=words)
    sign.add_argument("--en", default="", metavar="TEXT", help="the text in English")
    sign.add_argument("--submission", metavar="ID", help="the submission whose reason for a jump it is")
    sign.add_argument("--until", type=_day, metavar="DAY", help="the last day on which it is shown (in a year)")
    withdraw = command(parts, "withdraw", _withdraw, "show it no longer; it stays listed")
    withdraw.add_argument("number", type=int, metavar="NUMBER", help="of the note; python -m etl notes list shows them")
    command(commands, "work", _work, "take the orders of the page: check, publish; then end")


def behind(config: settings.Settings) -> list[str]:
    """Which provinces stopped sending a table, by what is published of them. Raises StoreFault."""
    return ledger.behind(ledger.ledger(worker.desk_of(config).records.all("published"), config.submission))


def _provinces(config: settings.Settings) -> list[Finding]:
    lines = behind(config) if not config.replicas.source else []
    return [(f"warning: {line}", True) for line in lines] or [("none is behind the others", True)]


# What the doctor examines of submissions.
NEED = Need("provinces", _provinces, of_data=True)


def _person() -> Person:
    is_open = settings.read().sign_in.mode == "open"
    return Person(account(), ADMINISTRATOR, note, is_alone=is_open)


def _desk() -> steps.Desk:
    return worker.desk_of(settings.read())


def _list(_: argparse.Namespace) -> None:
    for one in _desk().visible(_person()):
        on = datetime.fromtimestamp(one.submitted_at).isoformat(timespec="minutes") if one.submitted_at else ""
        print("\t".join((one.id, one.province, one.month, one.state, one.submitted_by, on)))


def _show(options: argparse.Namespace) -> None:
    desk = _desk()
    found = desk.look(_person(), options.id)
    content = steps.content(desk, found, "en") | {"others": found.result.get("others", [])}
    print(json.dumps(content, ensure_ascii=False, indent=1))


def _approve(options: argparse.Namespace) -> None:
    person = _person()
    done = _desk().approve(person, options.id)
    print(f"{done.id}\t{done.state}")
    if person.is_alone:
        print("approved by the one person of this machine, who also handed it in", file=sys.stderr)


def _return(options: argparse.Namespace) -> None:
    done = _desk().give_back(_person(), options.id, options.reason)
    print(f"{done.id}\t{done.state}")


def _publish(_: argparse.Namespace) -> None:
    current = settings.read()
    desk, person = worker.desk_of(current), _person()
    approved = desk.records.all("approved")
    if not approved:
        raise because("submission_none")
    if reasons := notes.owed(approved, _shelf().all()):
        print(f"without a note on {len(reasons)} jumps; python -m etl notes sign --submission ID", file=sys.stderr)
    with worker.alone(desk):
        report = worker.publish(desk, current, orders.Order(person.sub, at=time.time()), _say, by_command=True)
    if report is None:
        refusals = [text for _, text in worker.last_publishing(desk).get("refusals", ())]
        raise Refused("\n".join(refusals)) if refusals else because("submission_none")
    print(report.publication)


def _shelf() -> notes.Notes:
    current = settings.read()
    return notes.Notes(current.folders.views, current.sign_in.database)


def _notes(_: argparse.Namespace) -> None:
    for one in _shelf().all():
        state = "withdrawn" if one.withdrawn_on else "shown" if one.is_shown(date.today()) else "expired"
        months = one.first if one.first == one.last else f"{one.first}..{one.last}"
        told = (one.place, one.measure, months, state, one.author, one.signed_on, one.until, printable(one.fa))
        print("\t".join((str(one.number), *told)))


def _sign(options: argparse.Namespace) -> None:
    person, pointer = _person(), warehouse_pointer()
    shown = publications.current(pointer).stem if pointer.exists() else ""
    texts = (options.measure, options.place, options.over, options.fa, options.en)
    of = _desk().look(person, options.submission) if options.submission else None
    note = notes.written(*texts, date.today(), options.until, shown, of)
    print(f"{_shelf().sign(person, note).number}\tshown")


def _withdraw(options: argparse.Namespace) -> None:
    print(f"{_shelf().withdraw(_person(), options.number, date.today()).number}\twithdrawn")


def _day(written: str) -> date:
    return jalali.parse_day(latin_digits(written))


def _work(_: argparse.Namespace) -> None:
    worker.work(settings.read(), _say)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
