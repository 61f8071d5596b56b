"""What the account of the build does with the orders: check submissions, find what publishing would change, publish.

Rights, digests and "nobody approves an own submission" are tested here again: an order is only a file. A killed run leaves
its order, and the next one takes it again. What is old is deleted.
"""

import json
import os
import re
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from etl.build import pipeline, volume
from etl.build.load_report import Report
from etl.core.errors import Busy, Refused
from etl.core.files import locked, replace_text, replacing
from etl.core.settings import Settings
from etl.core.store import naming
from etl.extract.causes import because, words
from etl.extract.source_folder import HANDED_IN, handed_in
from etl.operations import readiness, roles
from etl.operations.commands import note
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import checking, orders, originals, rows_file, scanner
from etl.submissions.desk import Desk, Person, as_json, refuse_jumps, supersede
from etl.submissions.orders import Order
from etl.submissions.records import STORE, Submission
from etl.submissions.refusals import Declined

_DRAFT_SECONDS = 24 * 3600
_LAST, _PREVIEW = "last-publishing.json", "preview.json"
# What replaces a file that is accepted, while it is written.
_WAITING = re.compile(r".+\.[0-9]+\.next")

Say = Callable[[str], None]


class _Stopped(Exception):
    """What is checked was changed or withdrawn while it was checked."""


def desk_of(settings: Settings, awake: Callable[[], None] = lambda: None) -> Desk:
    """The desk of an installation."""
    return Desk(settings.folders, settings.submission, settings.sign_in.database, awake)


def work(settings: Settings, say: Say) -> int:
    """Take orders until there is none; returns how many. Waits for another worker. Raises OSError."""
    desk, done = desk_of(settings), 0
    with alone(desk):
        clean(desk)
        _order_again(desk)
        while found := orders.first(desk.root):
            path, order = found
            if (wait := order.at + orders.SETTLED_SECONDS - time.time()) > 0 and order.submission:
                time.sleep(min(wait, orders.SETTLED_SECONDS))
                continue
            if order.submission:
                _check(desk, settings, order, say)
            elif order.preview:
                _preview(desk, settings, order, say)
            else:
                publish(desk, settings, order, say)
            path.unlink(missing_ok=True)
            done += 1
    return done


@contextmanager
def alone(desk: Desk) -> Iterator[None]:
    """Hold back other workers."""
    with ExitStack() as held:
        with naming(STORE, desk.root):
            desk.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(locked(desk.root / "orders"))
        yield


def _order_again(desk: Desk) -> None:
    """A submission that waits for a check of which the order is lost gets one."""
    ordered = {order.submission for order in orders.waiting(desk.root)}
    for one in desk.records.all("checking"):
        if one.id not in ordered:
            orders.place(desk.root, orders.of_check(one))


# ---------------------------------------------------------------- checks


def _check(desk: Desk, settings: Settings, order: Order, say: Say) -> None:
    say(f"checking {order.submission}")
    try:
        one = desk.records.get(order.submission)
        if one.state != "checking" or one.check != order.check:
            return
        refuse_order(desk, settings, one, order)
        if refusals := scanner.stops(desk.rules.scanner, desk.root, one):
            _finish(desk, one, {"stops": refusals})
            return
        with _folder(desk) as folder:
            outcomes = checking.read_alone(desk, one, folder)
            read, result = checking.first_result(desk, one, outcomes)
            one = _progress(desk, one, lambda now: now.but(files=read.files, result=result))
            refused = {outcome.job.path.parent.name for outcome in outcomes if not outcome.read}
            readable = tuple(file for file in one.files if str(file.number) not in refused)
            if readable:
                stops = result["stops"]
                rest = checking.whole(
                    desk,
                    replace(one, files=readable),
                    desk.records.all("approved"),
                    folder,
                    lambda _: _refuse_stale(desk, one),
                )
                result |= rest | {"stops": [*stops, *rest.get("stops", ())]}
                result["confirm"] = checking.asked_about(one, result)
                result["headings"] = rows_file.add_cells(result.get("rows", []), one, folder / "named")
        _finish(desk, one, result)
    except (_Stopped, Declined):
        say(f"{order.submission}: stopped")
    except Exception as error:
        stops = [text for _, text in _sentences(error, say)]
        with suppress(_Stopped, Declined):
            _finish(desk, one, {"stops": stops})


def _sentences(error: Exception, say: Say) -> list[tuple[str, str]]:
    """Why an order came to nothing, each with its province. Raises the error again if it would stop the others as well."""
    if isinstance(error, Refused):
        return error.sentences
    if isinstance(error, (OSError, Busy)):
        raise error
    # The text of an error may hold a value of the data; where it was raised does not.
    say("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)
    return [("", words("order_failed", kind=type(error).__name__))]


def refuse_order(desk: Desk, settings: Settings, one: Submission, order: Order) -> None:
    """Raises Refused if who left an order may not hand in for this province, or the files are not those it names."""
    if (
        one.province not in _person(settings, order.by, order.groups, by_command=False).provinces
        or order.by not in one.hands
    ):
        raise because("submission_place")
    if order.digests != {str(file.number): file.sha256 for file in one.files}:
        raise because("handed_in_changed", file=one.id)
    originals.verify(desk.root, one)


def _progress(desk: Desk, one: Submission, how: Callable[[Submission], Submission]) -> Submission:
    def only_this(now: Submission) -> Submission:
        if now.check != one.check:
            raise _Stopped
        return how(now)

    try:
        return desk.records.change(one.id, ("checking",), only_this)
    except Declined:
        raise _Stopped from None


def _refuse_stale(desk: Desk, one: Submission) -> None:
    now = desk.records.get(one.id)
    if now.state != "checking" or now.check != one.check:
        raise _Stopped


def _finish(desk: Desk, one: Submission, result: dict[str, Any]) -> None:
    """Write the result, and submit what was asked to be submitted as soon as nothing is in the way."""
    rows = result.pop("rows", [])

    def how(now: Submission) -> Submission:
        # The workbook of rows to correct is made from these.
        kept = originals.folder_of(desk.root, one) / "rows.json"
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_text(kept, as_json(rows))
        os.chmod(kept, 0o600)
        checked = now.but(result=result, state="to_correct" if result.get("stops") else "ready")
        if checked.state != "ready" or not now.wanted or _lacks_reasons(checked):
            return checked
        try:
            note("file_submitted", now.wanted, submission=now.id, province=now.province, files=len(now.files))
        except Refused:
            # What cannot be logged is not submitted.
            return checked
        return checked.but(state="submitted", submitted_by=now.wanted, submitted_at=time.time())

    done = _progress(desk, one, how)
    if done.state == "submitted":
        supersede(desk, done, ("submitted",))


def _lacks_reasons(submission: Submission) -> bool:
    try:
        refuse_jumps(submission, submission.reasons)
    except Declined:
        return True
    return False


# ---------------------------------------------------------------- publishing


def publish(desk: Desk, settings: Settings, order: Order, say: Say, by_command: bool = False) -> Report | None:
    """Build from the accepted files and the approved ones, publish, and keep these as the accepted ones.

    `by_command`: the order is no file. Returns the report, None if it was refused; the outcome is kept for the page.
    """
    before = last_publishing(desk)
    approved = desk.records.all("approved")
    if not approved and (done := desk.records.all("published")):
        # Another order has published it, or this one, which was killed before its end.
        publication = max(done, key=lambda one: one.changed_at).publication
        if before.get("state") == "running":
            _note_publishing(desk, **{**before, "state": "published", "publication": publication})
        return None
    _note_publishing(desk, state="running", by=order.by, at=time.time())
    try:
        refuse_publishing(desk, settings, order, approved, by_command=by_command)
        with _folder(desk) as folder, readiness.outcome_noted(desk.folders.warehouse):
            report = _published(desk, approved, folder, say)
    except BaseException as error:
        if not isinstance(error, Exception) or isinstance(error, (OSError, Busy)):
            _note_publishing(desk, **before)
            raise
        refusals = _sentences(error, say)
        _note_publishing(desk, state="refused", by=order.by, at=time.time(), refusals=refusals)
        say("\n".join(text for _, text in refusals))
        return None
    _note_publishing(desk, state="published", by=order.by, at=time.time(), publication=report.publication)
    return report


def refuse_publishing(
    desk: Desk, settings: Settings, order: Order, approved: list[Submission], by_command: bool
) -> None:
    """Raises Refused if who left an order may not publish, or one of what is approved may not be published."""
    if not _person(settings, order.by, order.groups, by_command=by_command).is_steward:
        raise because("submission_rights")
    if not approved:
        raise because("submission_none")
    for one in approved:
        refuse_approval(desk, settings, one)


def refuse_approval(desk: Desk, settings: Settings, one: Submission) -> None:
    """Raises Refused if a submission was approved by somebody who may not, or its files are not those approved."""
    approver = _person(settings, one.decided_by, one.decided_groups, by_command=True)
    if not approver.is_steward:
        raise because("submission_rights")
    if one.decided_by in (*one.hands, one.submitted_by) and settings.sign_in.mode != "open":
        raise because("submission_own")
    originals.verify(desk.root, one)


def _published(desk: Desk, approved: list[Submission], folder: Path, say: Say) -> Report:
    assembled_at = folder / "all"
    assembled_at.mkdir()
    made = checking.assemble(desk, approved, assembled_at)

    def announce(report: Report) -> None:
        checking.refuse_left_out(report, made)
        for one in approved:
            # Withdrawn or returned since: it is not published.
            if desk.records.get(one.id).state != "approved":
                raise because("handed_in_changed", file=one.id)
            note("load_published", submission=one.id, province=one.province, publication=report.publication)

    pointer = desk.folders.warehouse
    options = pipeline.BuildOptions(
        assembled_at,
        pointer,
        volume.build_day(date.today()),
        skip_refused=True,
        by_clock=True,
        announce=announce,
        accepted=lambda: _accept(desk, approved, made),
        returns=pointer.with_name(f"{pointer.name}.returns"),
    )
    report = pipeline.build(options, say, lambda *_: None)
    for one in approved:
        try:
            done = desk.records.change(
                one.id, ("approved",), lambda now: now.but(state="published", publication=report.publication)
            )
        except Declined:
            say(f"{one.id}: returned while it was published")
            continue
        supersede(desk, done, ("published",))
    return report


def _preview(desk: Desk, settings: Settings, order: Order, say: Say) -> None:
    """Find what publishing would change, of what is approved now; the outcome is kept for the page."""
    approved = desk.records.all("approved")
    if not approved:
        return
    what: dict[str, Any] = {"of": _compared(desk, approved)}

    def refuse_stale(_: str) -> None:
        if desk.publishing_waits() or _compared(desk, desk.records.all("approved")) != what["of"]:
            raise _Stopped

    say("what publishing would change")
    try:
        refuse_publishing(desk, settings, order, approved, by_command=True)
        with _folder(desk) as folder:
            what["changes"] = checking.together(desk, approved, folder, refuse_stale)
    except _Stopped:
        say("what is approved has changed")
        return
    except Exception as error:
        what["refusals"] = _sentences(error, say)
    replace_text(desk.root / _PREVIEW, as_json(what))


def previewed(desk: Desk, approved: Sequence[Submission]) -> dict[str, Any]:
    """What publishing would change, of exactly these: changes or refusals; empty as long as it is not known."""
    with suppress(OSError, ValueError):
        what = dict(json.loads((desk.root / _PREVIEW).read_text(encoding="utf-8")))
        if what["of"] == _compared(desk, approved):
            return what
    return {}


def _compared(desk: Desk, approved: Sequence[Submission]) -> list[str]:
    """What a preview compares: the publication, and the submissions as they were checked."""
    return [os.path.realpath(desk.folders.warehouse), *(f"{one.id} {one.check}" for one in approved)]


def _accept(desk: Desk, approved: list[Submission], made: checking.Assembled) -> None:
    """Put the published files in place of their predecessors among the accepted ones."""
    incoming = desk.folders.incoming
    incoming.mkdir(parents=True, exist_ok=True)
    # First the list: a file without its province would be loaded with rows of others.
    replace_text(incoming / HANDED_IN, as_json(handed_in(incoming) | made.owners))
    new = set()
    for one in approved:
        for file in one.files:
            name = made.names.get((one.id, file.number))
            if name is None:
                # A later submission holds its table.
                continue
            new.add(name)
            with replacing(incoming / name) as waiting:
                waiting.write_bytes(originals.original(desk.root, one, file.sha256).read_bytes())
                os.chmod(waiting, 0o600)
    for name in made.replaced - new:
        (incoming / name).unlink(missing_ok=True)
    replace_text(incoming / HANDED_IN, as_json(made.owners))


def last_publishing(desk: Desk) -> dict[str, Any]:
    """The outcome of the last order to publish: state, who, when, sentences or publication."""
    with suppress(OSError, ValueError):
        return dict(json.loads((desk.root / _LAST).read_text(encoding="utf-8")))
    return {}


def _note_publishing(desk: Desk, **what: Any) -> None:
    replace_text(desk.root / _LAST, as_json(what))


# ---------------------------------------------------------------- who, where, how long


def _person(settings: Settings, sub: str, groups: tuple[str, ...], by_command: bool) -> Person:
    """Who took a step, with the rights that the table of roles gives the groups now.

    `by_command`: it may be the account of a command on the server; the file of an order may say so of anybody.
    """
    if settings.sign_in.mode == "open" or (by_command and sub.startswith(roles.SERVER)):
        return Person(sub, ADMINISTRATOR)
    table = roles.read(settings.sign_in.access) if settings.sign_in.access else roles.Roles()
    return Person(sub, table.scope_of(sub, groups))


@contextmanager
def _folder(desk: Desk) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="work-", dir=desk.root, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def clean(desk: Desk) -> None:
    """Delete drafts that nobody went on with for a day, originals older than the settings say, and what a kill left."""
    now, kept = time.time(), desk.rules.keep_submissions_days * 86_400
    for left in desk.root.glob("work-*"):
        shutil.rmtree(left, ignore_errors=True)
    for path in desk.folders.incoming.glob("*.next"):
        if _WAITING.fullmatch(path.name):
            path.unlink(missing_ok=True)
    every = desk.records.all()
    for one in every:
        originals.remove_unlisted(desk.root, one)
        if one.state == "draft" and now - one.changed_at > _DRAFT_SECONDS:
            try:
                # First the record: somebody may go on with it now.
                one = desk.records.change(one.id, ("draft",), lambda old: replace(old, state="withdrawn"))
            except Declined:
                continue
        is_old = now - one.changed_at > kept
        if one.state == "withdrawn" or (is_old and one.state not in ("submitted", "approved")):
            originals.remove(desk.root, one)
    known = {originals.folder_of(desk.root, one) for one in every}
    for folder in set(desk.root.glob("IR-??/*")) - known:
        with suppress(OSError):
            if now - folder.stat().st_mtime > kept:
                shutil.rmtree(folder)
