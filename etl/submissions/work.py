"""What the account of the build does: publish and undo, build the candidate of what is approved, check submissions.

Rights, digests and "nobody approves an own submission" are tested here again: a record and an order are written by the web
account. A killed run leaves both, and the next one takes them again. What is old is deleted.
"""

import os
import re
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from etl.core.errors import Busy, Refused
from etl.core.files import locked, replace_text
from etl.core.settings import Settings
from etl.core.store import naming
from etl.extract.causes import because, words
from etl.operations import readiness, roles
from etl.operations.commands import note
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import checking, orders, originals, publishing, rows_file, scanner
from etl.submissions.desk import Desk, Person, as_json, passable, refuse_jumps, refuse_unconfirmed, supersede
from etl.submissions.orders import Order
from etl.submissions.records import STORE, Submission
from etl.submissions.refusals import Declined

_DRAFT_SECONDS = 24 * 3600
SETTLED_SECONDS = 2.0
# What replaces a file that is accepted, while it is written.
_WAITING = re.compile(r".+\.[0-9]+\.next")

Say = Callable[[str], None]


class _Stopped(Exception):
    """What is checked was changed or withdrawn while it was checked."""


def desk_of(settings: Settings, awake: Callable[[], None] = lambda: None) -> Desk:
    """The desk of an installation."""
    return Desk(settings.folders, settings.submission, settings.sign_in.database, awake)


def work(settings: Settings, say: Say) -> int:
    """Do what is to be done until there is nothing; returns how many steps. Waits for another worker. Raises OSError.

    What publishes comes first, then the candidate of what is approved, then checks in the order in which they were asked for.
    """
    desk, done = desk_of(settings), 0
    with alone(desk):
        clean(desk)
        _finish_publishing(desk, say)
        while step := _next(desk, settings, say):
            step()
            done += 1
        orders.sleep(desk.root)
        # What was left meanwhile, by who saw this worker at work.
        while step := _next(desk, settings, say):
            step()
            done += 1
    return done


def _next(desk: Desk, settings: Settings, say: Say) -> Callable[[], object] | None:
    """The next step; None where nothing is to be done."""
    if found := orders.first(desk.root):
        return partial(_take, desk, settings, *found, say)
    if desk.records.all("approved") and publishing.candidate(desk) is None:
        return partial(prepare, desk, settings, say)
    if waiting := desk.records.all("checking"):
        return partial(_settled, desk, settings, min(waiting, key=lambda one: one.asked_at), say)
    return None


def _take(desk: Desk, settings: Settings, path: Path, order: Order, say: Say) -> None:
    (undo if order.undo_to else publish)(desk, settings, order, say)
    path.unlink(missing_ok=True)


def _settled(desk: Desk, settings: Settings, one: Submission, say: Say) -> None:
    """Check a submission once no further file follows: files come one after another."""
    if (wait := one.asked_at + SETTLED_SECONDS - time.time()) > 0:
        time.sleep(min(wait, SETTLED_SECONDS))
    else:
        _check(desk, settings, one, say)


@contextmanager
def alone(desk: Desk) -> Iterator[None]:
    """Hold back other workers."""
    with ExitStack() as held:
        with naming(STORE, desk.root):
            desk.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(locked(desk.root / "orders"))
        yield


# ---------------------------------------------------------------- checks


def _check(desk: Desk, settings: Settings, one: Submission, say: Say) -> None:
    say(f"checking {one.id}")
    try:
        refuse_check(desk, settings, one)
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
                result |= checking.compared(desk, replace(one, files=readable), outcomes, folder)
                stops = result["stops"]
                found = publishing.candidate(desk)
                rest = checking.whole(
                    desk,
                    replace(one, files=readable),
                    desk.records.all("approved"),
                    folder,
                    lambda _: _refuse_stale(desk, one),
                    publishing.file_of(desk) if found and found.digest else None,
                )
                result |= rest
                result["stops"] = [*stops, *rest.get("stops", ()), *passable(result)]
                result["confirm"] = checking.asked_about(one, result)
                result["headings"] = rows_file.add_cells(result.get("rows", []), one, folder / "named")
        _finish(desk, one, result)
    except (_Stopped, Declined):
        say(f"{one.id}: stopped")
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


def refuse_check(desk: Desk, settings: Settings, one: Submission) -> None:
    """Raises Refused if who asks for a check may not hand in for this province, or the files are not those that came."""
    if one.province not in _person(settings, one.hands[-1], one.groups, by_command=False).provinces:
        raise because("submission_place")
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
        if checked.state != "ready" or not now.wanted or _lacks_answers(checked):
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


def _lacks_answers(submission: Submission) -> bool:
    try:
        refuse_jumps(submission, submission.reasons)
        refuse_unconfirmed(submission, submission.confirmed)
    except Declined:
        return True
    return False


# ---------------------------------------------------------------- publishing


def publish(desk: Desk, settings: Settings, order: Order, say: Say, by_command: bool = False) -> str:
    """Publish the candidate that was shown; returns the publication, empty if it was refused. The outcome is kept for the page.

    `by_command`: the order is no file.
    """
    if shown := _finish_publishing(desk, say):
        return shown
    before = publishing.last_publishing(desk)
    approved = desk.records.all("approved")
    if not approved and (done := desk.records.all("published")):
        # Another order has published it.
        return max(done, key=lambda one: one.changed_at).publication
    publishing.note_last(desk, state="running", by=order.by, at=time.time())
    try:
        refuse_publishing(desk, settings, order, approved, by_command=by_command)
        found = publishing.candidate(desk)
        if found is None or found.digest != order.candidate or found.refusals:
            raise because("submission_stale")
        with readiness.outcome_noted(desk.folders.warehouse):
            shown = publishing.publish(desk, found, order.by, say)
    except BaseException as error:
        if not isinstance(error, Exception) or isinstance(error, (OSError, Busy)):
            if publishing.last_publishing(desk).get("publication") is None:
                publishing.note_last(desk, **before)
            raise
        refusals = _sentences(error, say)
        publishing.note_last(desk, state="refused", by=order.by, at=time.time(), refusals=refusals)
        say("\n".join(text for _, text in refusals))
        return ""
    publishing.note_last(desk, state="published", by=order.by, at=time.time(), publication=shown)
    return shown


def _finish_publishing(desk: Desk, say: Say) -> str:
    """Finish what a killed run has shown already; returns the publication, empty where there is none."""
    last = publishing.last_publishing(desk)
    if shown := publishing.finish(desk, say):
        publishing.note_last(desk, state="published", by=last["by"], at=time.time(), publication=shown)
    return shown


def undo(desk: Desk, settings: Settings, order: Order, say: Say) -> None:
    """Show an earlier publication again for a steward; the outcome is kept for the page."""
    try:
        if not _person(settings, order.by, order.groups, by_command=False).is_steward:
            raise because("submission_rights")
        shown = publishing.undo(desk, order.undo_to, order.by, order.why, say)
    except Exception as error:
        refusals = _sentences(error, say)
        publishing.note_last(desk, state="refused", by=order.by, at=time.time(), refusals=refusals)
        return
    publishing.note_last(desk, state="undone", by=order.by, at=time.time(), publication=shown)


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


def prepare(desk: Desk, settings: Settings, say: Say) -> None:
    """Build the candidate of what is approved now, or keep why there can be none."""
    approved = desk.records.all("approved")
    of = publishing.built_from(desk, approved)

    def refuse_stale(_: str) -> None:
        if desk.publishing_waits() or publishing.built_from(desk, desk.records.all("approved")) != of:
            raise _Stopped

    say("what publishing would change")
    try:
        for one in approved:
            refuse_approval(desk, settings, one)
        with _folder(desk) as folder:
            publishing.build(desk, approved, folder, refuse_stale)
    except _Stopped:
        say("what is approved has changed")
    except Exception as error:
        publishing.refused(desk, approved, _sentences(error, say))


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
