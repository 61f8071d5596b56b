"""The steps of a submission, for the page, the command line and programs alike: who may take which, from which state."""

import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from etl.core.places import place_names
from etl.core.settings import Folders
from etl.core.settings import Submission as Rules
from etl.extract.causes import because, in_language, words
from etl.extract.contract import TABLES
from etl.extract.source_folder import named_tables, table_of
from etl.semantic.rights import AccessScope
from etl.submissions import deadline, orders, originals
from etl.submissions.comparison import MOST_LINES
from etl.submissions.ledger import arrivals, is_superseded
from etl.submissions.originals import Receiving
from etl.submissions.records import OPEN, File, Records, Submission, in_state
from etl.submissions.refusals import BAD, CONFLICT, DENIED, NOT_THERE, UNUSABLE, Declined, declined

LEAST_REASON, _LONGEST_REASON = 20, 1000
# After this long without a change nobody counts as working on a draft.
_AT_WORK_SECONDS = 15 * 60
# So many months back something can be submitted.
MOST_MONTHS = 24
_SUBMITTED = ("submitted", "approved")


def _unnoted(_event: str, **_more: str | int) -> None:
    pass


@dataclass(frozen=True)
class Reader:
    """Who looks: the rights by which a page is drawn. No step can be taken with them.

    `is_alone`: in the mode `open` everybody is the one person of this machine, who may approve an own submission.
    """

    sub: str
    scope: AccessScope
    is_alone: bool = field(default=False, kw_only=True)

    @property
    def is_steward(self) -> bool:
        return any(grant.role == "steward" for grant in self.scope.grants)

    @property
    def provinces(self) -> frozenset[str]:
        """The provinces that the person hands in for."""
        kinds = ("steward", "submitter")
        return frozenset().union(*(grant.codes for grant in self.scope.grants if grant.role in kinds))

    def stands_in_for(self, province: str) -> bool:
        """Whether the person hands in for a province as a steward, not as one of its own."""
        return not any(grant.role == "submitter" and province in grant.codes for grant in self.scope.grants)


@dataclass(frozen=True)
class Person(Reader):
    """Who takes a step: also the groups that the rights come from, and what writes a line of the audit log before it."""

    note: Callable[..., None] = _unnoted
    groups: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Desk:
    """The submissions of an installation: where they, the accepted files and the publication are."""

    folders: Folders
    rules: Rules = field(default_factory=Rules)
    address: str = ""
    # Called after an order was left for the account of the build.
    awake: Callable[[], None] = lambda: None

    @property
    def root(self) -> Path:
        return self.folders.submissions

    @property
    def records(self) -> Records:
        return Records(self.root, self.address)

    # ------------------------------------------------------------ looking

    def visible(self, person: Reader) -> list[Submission]:
        """The submissions that a person sees, by month, province and number. Raises OSError."""
        return [one for one in self.records.all() if one.province in person.provinces]

    def look(self, person: Reader, ident: str) -> Submission:
        """A submission of the own provinces. Raises Declined: another's looks like none."""
        found = self.records.get(ident)
        if found.province not in person.provinces:
            raise declined(NOT_THERE, because("submission_unknown"), is_outside=True)
        return found

    def returned_before(self, submission: Submission) -> Submission | None:
        """The submission as which, or in place of which, a steward returned it before; None if that was never so."""
        if submission.why:
            return submission
        earlier = [
            one
            for one in self.records.all("returned", since=submission.month)
            if (one.province, one.month) == (submission.province, submission.month) and one.number < submission.number
        ]
        return earlier[-1] if earlier else None

    def tables(self, submission: Submission) -> dict[str, str]:
        """The state of each table: missing, in, late or no_change."""
        return arrivals(submission, self.rules)

    # ------------------------------------------------------------ handing in

    def open(self, person: Person, province: object, month: object) -> Submission:
        """A new draft, in place of an earlier one; the own one as long as nothing is in it. Raises Declined."""
        code = deadline.province_of(province)
        label = deadline.month_of(str(month), date.today()).label
        if code not in person.provinces:
            raise declined(BAD, because("submission_place"), is_outside=True)
        if label < deadline.months_ended(date.today(), MOST_MONTHS)[0]:
            raise declined(BAD, because("submission_old", most=MOST_MONTHS))
        replaced: list[Submission] = []

        def make(ident: str, others: list[Submission]) -> Submission:
            for other in others:
                if other.state == "draft" and other.hands == (person.sub,) and not (other.files or other.unchanged):
                    return other
                if other.state not in OPEN or other.state == "returned":
                    continue
                is_recent = time.time() - other.changed_at < _AT_WORK_SECONDS
                if is_recent and other.files and person.sub not in other.hands:
                    raise declined(CONFLICT, because("submission_in_hand", who=other.hands[-1]))
                replaced.append(other)
            now = time.time()
            person.note("draft_changed", submission=ident, province=code)
            return Submission(ident, code, label, "draft", now, now, (person.sub,), person.stands_in_for(code))

        made = self.records.add(code, label, make)
        for other in replaced:
            self._end(other.id)
        return made

    def _end(self, ident: str) -> None:
        """Withdraw a draft that another one replaces."""
        try:
            ended = self.records.change(ident, OPEN, lambda one: one.but(state="withdrawn"))
        except Declined:
            return
        originals.remove(self.root, ended)

    def receive(self, person: Person, ident: str, number: int, name: str, length: int | None) -> Receiving:
        """Begin to receive a file. Raises Declined before the first byte for what cannot be taken."""
        submission = self.look(person, ident)
        if submission.state not in OPEN:
            raise in_state(submission.state)
        self._refuse_others_draft(person, submission)
        return Receiving(self.root, submission, number, name, length)

    def keep(self, person: Person, ident: str, number: int, received: Receiving) -> Submission:
        """Take a file that has arrived whole in place of that of the same number, and have the submission checked."""
        self.look(person, ident)
        digest = received.finish()

        def how(one: Submission) -> Submission:
            originals.refuse_twice(one, number, received.name, digest)
            table = table_of(received.name) or ""
            file = File(number, received.name, digest, received.size, time.time(), table)
            files = sorted((file, *(other for other in one.files if other.number != number)), key=lambda f: f.number)
            unchanged = {name: said for name, said in one.unchanged.items() if name != table}
            return self._to_check(person, one, files=tuple(files), unchanged=unchanged)

        return self._ordered(self.records.change(ident, OPEN, how))

    def remove(self, person: Person, ident: str, number: int) -> Submission:
        """Leave a file out again. Raises Declined."""
        self._refuse_others_draft(person, self.look(person, ident))

        def how(one: Submission) -> Submission:
            files = tuple(file for file in one.files if file.number != number)
            return self._to_check(person, one, files=files)

        return self._ordered(self.records.change(ident, OPEN, how))

    def declare_unchanged(self, person: Person, ident: str, tables: Iterable[str]) -> Submission:
        """Say that tables have not changed since the last month: with the name and the time. Raises Declined."""
        self._refuse_others_draft(person, self.look(person, ident))
        named = tuple(tables)
        if not named or not set(named) <= set(TABLES):
            raise declined(BAD, because("submission_tables", **named_tables(TABLES)))

        def how(one: Submission) -> Submission:
            files = tuple(file for file in one.files if not set(file.table.split()) & set(named))
            said = {**one.unchanged} | dict.fromkeys(named, (person.sub, time.time()))
            return self._to_check(person, one, files=files, unchanged=said)

        return self._ordered(self.records.change(ident, OPEN, how))

    def _refuse_others_draft(self, person: Person, submission: Submission) -> None:
        is_recent = time.time() - submission.changed_at < _AT_WORK_SECONDS
        if person.sub not in submission.hands and is_recent and submission.files:
            raise declined(CONFLICT, because("submission_in_hand", who=submission.hands[-1]))

    def _to_check(self, person: Person, one: Submission, **changes: Any) -> Submission:
        hands = tuple(dict.fromkeys((*one.hands, person.sub)))
        before = one.came_back or one.before
        changed = one.but(
            **changes,
            hands=hands,
            groups=person.groups,
            wanted="",
            result={},
            before=before,
            alone=person.is_alone,
            let_pass="",
        )
        person.note("draft_changed", submission=one.id, province=one.province, files=len(changed.files))
        if not changed.files:
            return changed.but(state="ready" if changed.unchanged else "draft", check="")
        return changed.but(state="checking", check=os.urandom(8).hex(), asked_at=time.time())

    def _ordered(self, submission: Submission) -> Submission:
        """Wake the worker for a submission that waits for its check: its record is the order."""
        if submission.state == "checking":
            self.wake()
        return submission

    def wake(self) -> None:
        """Have the account of the build look at what is to be done. Raises OSError."""
        orders.wake(self.root)
        self.awake()

    def stop(self, person: Person, ident: str) -> Submission:
        """Stop the check; the files stay in the draft. Raises Declined."""
        self._refuse_others_draft(person, self.look(person, ident))

        def how(one: Submission) -> Submission:
            person.note("draft_changed", submission=one.id, province=one.province, files=len(one.files))
            return one.but(state="draft", check="", wanted="")

        return self.records.change(ident, ("checking",), how)

    def check(self, person: Person, ident: str) -> Submission:
        """Check a draft again, after its check was stopped or failed for a reason that is gone. Raises Declined."""
        self._refuse_others_draft(person, self.look(person, ident))
        return self._ordered(
            self.records.change(ident, ("draft", "to_correct"), lambda one: self._to_check(person, one))
        )

    def submit(
        self,
        person: Person,
        ident: str,
        reasons: Mapping[str, str] | None = None,
        confirmed: Mapping[str, str] | None = None,
    ) -> Submission:
        """Submit what is ready, or as soon as the check finds nothing in the way.

        `reasons`: why measures moved far; `confirmed`: the unusual lines that are right, each with words or without. Of others
        nothing is kept, for the record would grow without end. Raises Declined.
        """
        from etl.semantic.catalog import catalogue

        self._refuse_others_draft(person, self.look(person, ident))
        given, said = (
            {name: str(why).strip()[:_LONGEST_REASON] for name, why in (words or {}).items() if is_known(name)}
            for words, is_known in (
                (reasons, catalogue().__contains__),
                (confirmed, lambda line: len(line) <= _LONGEST_REASON),
            )
        )

        def how(one: Submission) -> Submission:
            hands = tuple(dict.fromkeys((*one.hands, person.sub)))
            if not one.files and not one.unchanged:
                raise declined(UNUSABLE, because("submission_empty"))
            if one.state == "draft" and one.files:
                # Its check was stopped.
                one = self._to_check(person, one)
            if one.state == "checking":
                return one.but(
                    wanted=person.sub,
                    hands=hands,
                    reasons={**one.reasons, **given},
                    confirmed=dict([*{**one.confirmed, **said}.items()][-MOST_LINES:]),
                )
            refuse_jumps(one, given)
            refuse_unconfirmed(one, said)
            person.note("file_submitted", submission=one.id, province=one.province, files=len(one.files))
            return one.but(
                state="submitted",
                submitted_by=person.sub,
                submitted_at=time.time(),
                hands=hands,
                reasons=given,
                confirmed=_of_its_lines(one, said),
            )

        before = self.look(person, ident).check
        done = self.records.change(ident, ("draft", "checking", "ready"), how)
        if done.state == "submitted":
            supersede(self, done, ("submitted",))
        return self._ordered(done) if done.check != before else done

    def correct(self, person: Person, ident: str) -> Submission:
        """Say that the files of what is ready will be corrected. Raises Declined."""
        self._refuse_others_draft(person, self.look(person, ident))

        def how(one: Submission) -> Submission:
            person.note("draft_changed", submission=one.id, province=one.province)
            return one.but(state="to_correct", wanted="")

        return self.records.change(ident, ("ready",), how)

    def withdraw(self, person: Person, ident: str) -> Submission:
        """Take a submission back before it is approved. Raises Declined."""
        self.look(person, ident)

        def how(one: Submission) -> Submission:
            person.note("submission_withdrawn", submission=one.id, province=one.province)
            return one.but(state="withdrawn")

        return self.records.change(ident, (*OPEN, "submitted"), how)

    # ------------------------------------------------------------ deciding

    def approve(self, person: Person, ident: str) -> Submission:
        """Accept a submission for the next publication. Raises Declined: nobody approves an own one."""
        self._refuse_no_steward(person, ident)

        def how(one: Submission) -> Submission:
            if not person.is_alone and person.sub in (*one.hands, one.submitted_by):
                raise declined(DENIED, because("submission_own"))
            originals.verify(self.root, one)
            person.note("load_approved", submission=one.id, province=one.province)
            decided = {"decided_by": person.sub, "decided_groups": person.groups, "decided_at": time.time()}
            return one.but(state="approved", alone=person.is_alone, **decided)

        done = self.records.change(ident, ("submitted",), how)
        supersede(self, done, ("approved",))
        self.wake()
        return done

    def let_pass(self, person: Person, ident: str) -> Submission:
        """Let pass what a steward may. Raises Declined: nobody decides on an own one."""
        self._refuse_no_steward(person, ident)

        def how(one: Submission) -> Submission:
            if not person.is_alone and person.sub in one.hands:
                raise declined(DENIED, because("submission_own"))
            if not (let := passable(one.result)):
                raise declined(CONFLICT, because("submission_nothing_to_pass"))
            stops = [stop for stop in one.result["stops"] if stop not in let]
            person.note("submission_let_pass", submission=one.id, province=one.province)
            state = "to_correct" if stops else "ready"
            return one.but(state=state, let_pass=person.sub, result={**one.result, "stops": stops})

        return self.records.change(ident, ("to_correct",), how)

    def give_back(self, person: Person, ident: str, why: str) -> Submission:
        """Return a submission with a reason. Raises Declined."""
        self._refuse_no_steward(person, ident)
        reason = " ".join(str(why).split())[:_LONGEST_REASON]
        if not reason:
            raise declined(UNUSABLE, because("submission_why"))

        def how(one: Submission) -> Submission:
            if one.state == "approved" and self.publishing_waits():
                raise declined(CONFLICT, because("submission_publishing"))
            person.note("load_returned", submission=one.id, province=one.province)
            return one.but(
                state="returned",
                why=reason,
                returned_with=one.came_back,
                decided_by=person.sub,
                decided_at=time.time(),
            )

        was_approved = self.records.get(ident).state == "approved"
        done = self.records.change(ident, _SUBMITTED, how)
        if was_approved:
            self.wake()
        return done

    def publish(self, person: Person, shown: str, without: Collection[str] = (), why: str = "") -> list[Submission]:
        """Leave the order to publish the candidate with the digest `shown`; returns what is approved. Raises Declined.

        `without`: the provinces that are left out on purpose, and why.
        """
        if not person.is_steward:
            raise declined(DENIED, because("submission_rights"))
        approved = self.records.all("approved")
        if not approved:
            raise declined(CONFLICT, because("submission_none"))
        if without:
            person.note("load_without", provinces=",".join(sorted(without)), why=plain(why))
        orders.place(self.root, orders.Order(person.sub, person.groups, time.time(), candidate=shown))
        self.wake()
        return approved

    def undo(self, person: Person, to: str, why: str) -> None:
        """Leave the order to show an earlier publication again, with the reason that clerks read. Raises Declined."""
        if not person.is_steward:
            raise declined(DENIED, because("submission_rights"))
        reason = " ".join(str(why).split())[:_LONGEST_REASON]
        if not reason:
            raise declined(UNUSABLE, because("submission_why"))
        orders.place(self.root, orders.Order(person.sub, person.groups, time.time(), undo_to=to, why=reason))
        self.wake()

    def _refuse_no_steward(self, person: Person, ident: str) -> None:
        self.look(person, ident)
        if not person.is_steward:
            raise declined(DENIED, because("submission_rights"))

    # ------------------------------------------------------------ the order of things

    def publishing_waits(self) -> bool:
        """Whether an order to publish or to undo is waiting or being taken."""
        return bool(orders.waiting(self.root))

    def place_in_queue(self, submission: Submission) -> int:
        """How many are before the check of a submission, itself included; 0 without one."""
        waiting = sorted(self.records.all("checking"), key=lambda one: one.asked_at)
        before = len(orders.waiting(self.root))
        return next((before + at for at, one in enumerate(waiting, 1) if one.id == submission.id), 0)


def plain(text: str) -> str:
    """Words as the audit log takes them."""
    return re.sub(r"[^\w .,:+-]", " ", text)[:300]


def refuse_jumps(submission: Submission, reasons: Mapping[str, str]) -> None:
    """Raises Declined if a measure moved far and no reason is long enough."""
    jumps = [name for name in submission.result.get("jumps", ()) if len(reasons.get(name, "").strip()) < LEAST_REASON]
    if jumps:
        from etl.semantic.catalog import catalogue

        measures, measures_fa = (
            mark.join(catalogue()[name].label[lang] for name in jumps) for lang, mark in (("en", ", "), ("fa", "، "))
        )
        refusal = because("submission_jump", least=LEAST_REASON, measures=measures, measures_fa=measures_fa)
        raise declined(CONFLICT, refusal)


def refuse_unconfirmed(submission: Submission, confirmed: Mapping[str, str]) -> None:
    """Raises Declined if an unusual line is not confirmed."""
    if any(ident(line) not in confirmed for line in submission.result.get("unusual", ())):
        raise declined(CONFLICT, because("submission_unticked"))


def _of_its_lines(submission: Submission, confirmed: Mapping[str, str]) -> dict[str, str]:
    lines = {ident(line) for line in submission.result.get("unusual", ())}
    return {line: said for line, said in confirmed.items() if line in lines}


def ident(line: Mapping[str, Any]) -> str:
    """What names an unusual line among those of a submission."""
    return " ".join(str(line[name]) for name in ("table", "column", "what", "value", "before"))


def passable(result: Mapping[str, Any]) -> list[str]:
    """What stops a submission until a steward lets it pass: tables that hold other keys, and numbers of other provinces."""
    moves = result.get("others")
    return [*_of_others(result), *([_moves_others(moves)] if moves else [])]


def _of_others(result: Mapping[str, Any]) -> list[str]:
    return [
        words(
            "submission_of_others",
            **named_tables([table]),
            rows=f"{result['before'][table]['rows']:,}",
            gone=f"{result['before'][table]['keys_gone']:,}",
        )
        for table in result.get("of_others", ())
    ]


def _moves_others(moves: Sequence[Mapping[str, Any]]) -> str:
    """That headlines of other provinces move: their names, and no number."""
    codes = sorted({move["province"] for move in moves})
    en, fa = ([place_names("province", lang)[code] for code in codes] for lang in ("en", "fa"))
    return words("submission_moves_others", places=", ".join(en), places_fa="، ".join(fa))


def supersede(desk: Desk, newer: Submission, of: tuple[str, ...]) -> None:
    """End the earlier submissions in these states of which all is said again by later ones."""
    same = [one for one in desk.records.all(*of, since=newer.month) if one.province == newer.province]
    for one in same:
        if is_superseded(one, same, desk.rules):
            try:
                desk.records.change(one.id, of, lambda old: replace(old, state="superseded"))
            except Declined:
                continue


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def content(desk: Desk, submission: Submission, lang: str) -> dict[str, Any]:
    """A submission as GET /hand-in/ID and `submissions show` give it; sentences in one language."""
    result = submission.result
    return {
        "id": submission.id,
        "province": submission.province,
        "month": submission.month,
        "state": submission.state,
        "tables": desk.tables(submission),
        "files": list(result.get("files") or [{"file": file.name, "table": file.table} for file in submission.files]),
        "stops": [in_language(text, lang) for text in result.get("stops", ())],
        "returned": result.get("returned", []),
        "warned": result.get("warned", []),
        "changes": result.get("changes", []),
        "jumps": result.get("jumps", []),
        "unusual": result.get("unusual", []),
        "before": result.get("before", {}),
        "gone": result.get("gone"),
        "confirm": [in_language(text, lang) for text in result.get("confirm", ())],
        "queue": desk.place_in_queue(submission) if submission.state == "checking" else 0,
        "reason": submission.why,
    }
