"""The candidate: what is approved, built once and shown before it is published; publishing moves the pointer to that file.

A candidate is of what it was built from: the publication shown, the approved submissions, the accepted and the reference files,
the day and the code. Where one of these is another now it is stale, is not published, and is built and shown again.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from etl.build import pipeline
from etl.core.files import replace_text, replacing, sha256
from etl.extract.causes import because, words
from etl.extract.source_folder import CONFIGURATION, HANDED_IN, handed_in
from etl.operations.commands import note
from etl.submissions import checking, originals
from etl.submissions.desk import Desk, as_json, supersede
from etl.submissions.ledger import is_superseded
from etl.submissions.records import Submission
from etl.submissions.refusals import Declined
from etl.warehouse import publications, version_files
from etl.warehouse.code_version import code_version

_RECORD, _FILE, _LAST = "candidate.json", "candidate.duckdb", "last-publishing.json"
_REPLACED = "replaced.json"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Candidate:
    """A publication that is not shown yet.

    `of`: what it was built from; `digest`: of the file. `names`: the submission and the digest of each new accepted file by
    its name; `replaced`: the accepted files whose place they take, with the submission that does; `owners`: the list of the
    accepted files afterwards. `changes`: the headlines that move; `refusals`: why there is none.
    """

    of: Sequence[str]
    digest: str = ""
    submissions: Sequence[str] = ()
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    changes: Sequence[Mapping[str, Any]] = ()
    refusals: Sequence[Sequence[str]] = ()


def file_of(desk: Desk) -> Path:
    """The file of the candidate, beside the publications."""
    return version_files.versions_folder(desk.folders.warehouse) / _FILE


def candidate(desk: Desk) -> Candidate | None:
    """The candidate of what is approved now, or why there can be none; None while it is still to be built."""
    with suppress(OSError, ValueError, TypeError):
        found = Candidate(**json.loads((desk.root / _RECORD).read_text(encoding="utf-8")))
        is_there = bool(found.refusals) or file_of(desk).is_file()
        if is_there and list(found.of) == built_from(desk, desk.records.all("approved")):
            return found
    return None


def built_from(desk: Desk, approved: Sequence[Submission]) -> list[str]:
    """What a candidate of these submissions is built from."""
    incoming = desk.folders.incoming
    accepted = []
    for path in sorted(incoming.iterdir()) if incoming.is_dir() else ():
        status = path.stat()
        content = sha256(path) if path.name in CONFIGURATION else f"{status.st_size} {status.st_mtime_ns}"
        accepted.append(f"{path.name} {content}")
    return [
        os.path.realpath(desk.folders.warehouse),
        code_version(),
        date.today().isoformat(),
        *(f"{one.id} {one.check}" for one in approved),
        *accepted,
    ]


def build(desk: Desk, approved: Sequence[Submission], folder: Path, say: Say) -> None:
    """Build the candidate of these submissions. Raises Refused where it would not be published, and what `say` raises."""
    of = built_from(desk, approved)
    assembled_at = folder / "all"
    assembled_at.mkdir()
    made = checking.assemble(desk, approved, assembled_at)
    pointer = desk.folders.warehouse
    options = checking.options(desk, assembled_at, returns=pointer.with_name(f"{pointer.name}.returns"))
    forget(desk)
    report = pipeline.prepare(options, file_of(desk), say, lambda *_: say("reading"))
    checking.refuse_left_out(report, made)
    digests = {(one.id, file.number): file.sha256 for one in approved for file in one.files}
    done = Candidate(
        of=of,
        digest=sha256(file_of(desk)),
        submissions=[one.id for one in approved],
        names={name: (key[0], digests[key]) for key, name in made.names.items()},
        replaced=made.replaced,
        owners=made.owners,
        changes=checking.moved(file_of(desk), publications.comparable(pointer)),
    )
    _write(desk, done)


def refused(desk: Desk, approved: Sequence[Submission], refusals: Sequence[tuple[str, str]]) -> None:
    """Keep why there is no candidate of these submissions, until something of it is another."""
    forget(desk)
    _write(desk, Candidate(of=built_from(desk, approved), refusals=refusals))


def forget(desk: Desk) -> None:
    """Delete the candidate: first what says that there is one."""
    (desk.root / _RECORD).unlink(missing_ok=True)
    file_of(desk).unlink(missing_ok=True)


def _write(desk: Desk, made: Candidate) -> None:
    replace_text(desk.root / _RECORD, as_json(asdict(made)))


# ---------------------------------------------------------------- publishing


def publish(desk: Desk, found: Candidate, by: str, say: Say) -> str:
    """Show the candidate and keep its files as the accepted ones; returns the publication. Raises Refused, Busy."""
    pointer = desk.folders.warehouse
    approved = [desk.records.get(ident) for ident in found.submissions]

    def announce(publication: str) -> None:
        # Under the lock of builds: nothing changes any more.
        if candidate(desk) != found or sha256(file_of(desk)) != found.digest:
            raise because("submission_stale")
        for one in approved:
            note("load_published", submission=one.id, province=one.province, publication=publication)
        note_last(desk, state="running", by=by, publication=publication, candidate=asdict(found))

    shown = pipeline.show(file_of(desk), pointer, announce, lambda publication: _accept(desk, found, publication, say))
    return shown


def finish(desk: Desk, say: Say) -> str:
    """Finish a publication whose run was killed after it was shown; returns it, empty where there is none."""
    last = last_publishing(desk)
    shown = Path(os.path.realpath(desk.folders.warehouse)).stem
    if last.get("state") != "running" or last.get("publication") != shown or "candidate" not in last:
        return ""
    with version_files.locked(desk.folders.warehouse):
        _accept(desk, Candidate(**last["candidate"]), shown, say)
    return shown


def _accept(desk: Desk, found: Candidate, publication: str, say: Say) -> None:
    """Put the published files in place of their predecessors among the accepted ones, and say so in the ledger."""
    incoming = desk.folders.incoming
    incoming.mkdir(parents=True, exist_ok=True)
    owners = handed_in(incoming)
    # First the list: a file without its province would be loaded with rows of others.
    replace_text(incoming / HANDED_IN, as_json({**owners, **found.owners}))
    for name, ident in found.replaced.items():
        _keep_replaced(desk, name, ident, owners.get(name, ""))
    for name, (ident, digest) in found.names.items():
        with replacing(incoming / name) as waiting:
            waiting.write_bytes(originals.original(desk.root, desk.records.get(ident), digest).read_bytes())
            os.chmod(waiting, 0o600)
    for name in found.replaced:
        if name not in found.names:
            (incoming / name).unlink(missing_ok=True)
    replace_text(incoming / HANDED_IN, as_json(found.owners))
    for ident in found.submissions:
        try:
            done = desk.records.change(
                ident, ("approved",), lambda one: one.but(state="published", publication=publication)
            )
        except Declined:
            if desk.records.get(ident).publication != publication:
                say(f"{ident}: returned while it was published")
            continue
        supersede(desk, done, ("published",))
    forget(desk)


def last_publishing(desk: Desk) -> dict[str, Any]:
    """The outcome of the last order to publish: state, who, when, sentences or publication."""
    with suppress(OSError, ValueError):
        return dict(json.loads((desk.root / _LAST).read_text(encoding="utf-8")))
    return {}


def note_last(desk: Desk, **what: Any) -> None:
    replace_text(desk.root / _LAST, as_json(what))


# ---------------------------------------------------------------- undoing


def _keep_replaced(desk: Desk, name: str, ident: str, owner: str) -> None:
    """Keep an accepted file with the submission that takes its place, for the day on which that is undone."""
    one, path = desk.records.get(ident), desk.folders.incoming / name
    if not path.exists() or sha256(path) in {file.sha256 for file in one.files}:
        return
    folder = originals.folder_of(desk.root, one)
    kept = _kept(folder)
    at = f"replaced-{len(kept) + 1}"
    with replacing(folder / at) as waiting:
        shutil.copyfile(path, waiting)
        os.chmod(waiting, 0o600)
    replace_text(folder / _REPLACED, as_json(kept | {name: (at, owner)}))


def _kept(folder: Path) -> dict[str, Sequence[str]]:
    with suppress(OSError, ValueError):
        return dict(json.loads((folder / _REPLACED).read_text(encoding="utf-8")))
    return {}


def undo(desk: Desk, to: str, by: str, why: str, say: Say) -> str:
    """Show an earlier publication (without `to`, the one before), take the submissions of later ones out of the ledger, and
    put the files back that they replaced; returns it. Raises Refused, Busy.
    """

    def announce(shown: str) -> None:
        note("rollback", publication=shown)
        try:
            take_out(shown)
        except OSError as error:
            # A site whose store is away is shown something sound first.
            say(
                f"submissions cannot be reached ({error}): once they can, python -m etl rollback {shown} takes the later ones out"
            )

    def take_out(shown: str) -> None:
        forget(desk)
        every = desk.records.all("published", "superseded")
        later = [one for one in every if _number(one.publication) > _number(shown)]
        for one in sorted(later, key=lambda one: (_number(one.publication), one.decided_at), reverse=True):
            _take_out(desk, one, by, why or words("submission_undone", publication=one.publication), say)

    return publications.roll_back(desk.folders.warehouse, to, announce).stem


def _number(publication: str) -> int:
    return int(publication) if publication.isdecimal() else 0


def _take_out(desk: Desk, one: Submission, by: str, why: str, say: Say) -> None:
    """Return a published submission, and put back what its files replaced."""
    incoming, folder = desk.folders.incoming, originals.folder_of(desk.root, one)
    owners = handed_in(incoming)
    digests = {file.sha256 for file in one.files}
    taken = [
        name
        for name, province in owners.items()
        if province == one.province and (incoming / name).is_file() and sha256(incoming / name) in digests
    ]
    kept = _kept(folder)
    for name, (at, _) in kept.items():
        if (folder / at).is_file() and (name in taken or not (incoming / name).exists()):
            with replacing(incoming / name) as waiting:
                shutil.copyfile(folder / at, waiting)
                os.chmod(waiting, 0o600)
    for name in taken:
        if name not in kept:
            (incoming / name).unlink(missing_ok=True)
    if taken and not kept:
        say(f"{one.id}: no file was in its place before, or it is not kept; put the right one into {incoming}")
    before = {name: owner for name, (_, owner) in kept.items() if owner and (incoming / name).is_file()}
    left = {name: province for name, province in owners.items() if name not in taken and (incoming / name).is_file()}
    replace_text(incoming / HANDED_IN, as_json(left | before))
    done = desk.records.change(
        one.id,
        ("published", "superseded"),
        lambda now: now.but(
            state="returned",
            why=why,
            returned_with=now.came_back,
            decided_by=by,
            decided_at=time.time(),
            publication="",
        ),
    )
    same = [other for other in desk.records.all("published", "superseded") if other.province == done.province]
    for other in same:
        if other.state == "superseded" and other.publication and not is_superseded(other, same, desk.rules):
            desk.records.change(other.id, ("superseded",), lambda now: replace(now, state="published"))
