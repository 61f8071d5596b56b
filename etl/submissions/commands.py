"""python -m etl submissions | notes | work: the same steps as on the page, for the account on the server."""

import argparse
import json
import sys
import time
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from etl.core import jalali, settings
from etl.core.errors import Busy, Refused
from etl.core.paths import warehouse_pointer
from etl.core.text_folding import latin_digits, printable
from etl.extract.causes import because
from etl.extract.contract import TABLES
from etl.operations.commands import account, command, note, note_refusal
from etl.operations.doctor import Finding, Need
from etl.semantic.rights import ADMINISTRATOR, every_province
from etl.submissions import arrivals, checklist, deadline, ledger, notes, orders, publishing
from etl.submissions import desk as steps
from etl.submissions import work as worker
from etl.submissions.desk import Person
from etl.warehouse import publications


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    submissions = commands.add_parser("submissions", help="what provinces submitted: list, approve, return, publish")
    parts = submissions.add_subparsers(metavar="what")
    submissions.set_defaults(run=_list, command="submissions")
    command(parts, "list", _list, "id, province, month, state, submitted by, on")
    command(parts, "ledger", _ledger, "what counts of each province and table: month, submission, day, files")
    for name, run, words in (
        ("show", _show, "one submission: its files, what stops it, rows that come back, what changes"),
        ("approve", _approve, "accept it for the next publication"),
        ("return", _return, "give it back with a reason"),
    ):
        part = command(parts, name, run, words)
        part.add_argument("id", metavar="ID", help="of the submission; python -m etl submissions list shows them")
        if name == "return":
            part.add_argument("--reason", required=True, metavar="TEXT", help="what the province reads")
    publish = command(parts, "publish", _publish, "publish what is approved, once nothing is in the way")
    publish.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="IR-07[,IR-10]",
        help="leave provinces out on purpose: their accepted data stay; all of them: all",
    )
    publish.add_argument("--because", default="", metavar="TEXT", help="why provinces are left out")
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
    rollback = command(commands, "rollback", _rollback, "show the publication before this one")
    rollback.add_argument("id", nargs="?", default="", help="the publication to show, forward or back")
    rollback.add_argument("--because", default="", metavar="TEXT", help="what the provinces read whose data go back")
    rollback.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="the publication (that of the settings)",
    )
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


def _ledger(_: argparse.Namespace) -> None:
    desk = _desk()
    every = {one.id: one for one in desk.records.all("approved", "published")}
    for (province, table), entry in sorted(ledger.ledger(every.values(), desk.rules).items()):
        files = (
            [file.name for file in every[entry.submission].files if table in file.table.split()]
            if entry.submission
            else []
        )
        day = datetime.fromtimestamp(entry.at).date().isoformat()
        print("\t".join((province, table, entry.month, entry.submission, day, *map(printable, files))))


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


def _publish(options: argparse.Namespace) -> None:
    current = settings.read()
    desk, person = worker.desk_of(current), _person()
    approved = desk.records.all("approved")
    if not approved:
        raise because("submission_none")
    without = {code for given in options.without for code in given.split(",")}
    without = {*(every_province() if "all" in without else map(deadline.province_of, without))}
    if without and not options.because.strip():
        raise because("submission_because")
    every = desk.records.all()
    entries = arrivals.arrived(desk, deadline.latest_month(date.today()), every)
    owed = [reason.submission.province for reason in notes.owed(approved, _shelf().all())]
    items = checklist.must_be_solved(entries, every, every_province(), owed)
    if left := checklist.unsolved(items, without):
        for item in left:
            print(f"{item.code}: {', '.join(map(partial(_named, item), item.provinces))}", file=sys.stderr)
        raise because("submission_unsolved")
    if without:
        note("load_without", provinces=",".join(sorted(without)), why=steps.plain(options.because))
    with worker.alone(desk):
        if (found := publishing.candidate(desk)) is None:
            worker.prepare(desk, current, _say)
            found = publishing.candidate(desk)
        for change in found.changes if found else ():
            _say("\t".join(str(change[name]) for name in ("province", "metric", "before", "after")))
        shown = worker.publish(
            desk, current, orders.Order(person.sub, at=time.time(), candidate=found.digest if found else ""), _say, True
        )
    if not shown:
        told = found.refusals if found and found.refusals else publishing.last_publishing(desk).get("refusals", ())
        raise Refused("\n".join(text for _, text in told)) if told else because("submission_none")
    print(shown)


def _named(item: checklist.Item, province: str) -> str:
    """A province of an item, with the tables that it is about."""
    tables = item.tables.get(province, ())
    return f"{province} ({' '.join(tables)})" if tables and len(tables) < len(TABLES) else province


def _rollback(options: argparse.Namespace) -> None:
    """What was published later leaves the ledger, unless it is another publication than that of the settings."""
    try:
        if options.source in (None, warehouse_pointer()):
            current = settings.read()
            print(publishing.undo(worker.desk_of(current), options.id, account(), options.because, _say))
        else:
            moved = publications.roll_back(options.source, options.id, lambda to: note("rollback", publication=to))
            print(moved.stem)
    except (Refused, Busy):
        note_refusal("rollback_refused")
        raise


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
