"""Signed notes: why a number moved, in Persian and perhaps in English, under a name, until a day.

A note is about one measure of the nation or of one province, in one or more Jalali months. It is shown where that number is,
to who sees the rows of the province; one about the nation to everybody. It is never changed: who errs withdraws it and signs
another one, and it stays listed with the day of that.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from etl.core import jalali
from etl.core.places import places
from etl.core.store import SHORT_PATIENCE_SECONDS, Store, known, opened
from etl.core.text_folding import display_text, fold, latin_digits
from etl.extract.causes import because
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.rights import AccessScope, every_province
from etl.submissions import deadline
from etl.submissions.desk import LEAST_REASON, Person
from etl.submissions.records import Submission
from etl.submissions.refusals import BAD, CONFLICT, DENIED, NOT_THERE, UNUSABLE, Declined, declined

# The place of a note that is not about a province.
NATION = "IR"
# The dimensions of which a member is such a place: a side of a comparison may be one.
PLACE_AXES = ("province", "side")
MOST_LETTERS, MOST_SHOWN = 300, 1000
_MOST_MONTHS, _MONTHS_SHOWN = 36, 12
# A national id or a telephone number however it is cut, as 0 9 1 2 … or 1234.567.890, and an address of mail. A day is neither.
_OF_A_PERSON = re.compile(r"\d{8,}|\d(?:[\s./·_–—-]*\d){9,}|\S@\S")
_DAY = re.compile(r"(?<!\d)1[34]\d\d([/-])(?:0?[1-9]|1[0-2])\1(?:[12]\d|3[01]|0?[1-9])(?!\d)")
_TABLE = """create table if not exists signed_notes (
    number integer not null primary key, body text not null
)"""


@dataclass(frozen=True)
class Note:
    """One note. `first` and `last` are Jalali months, days are ISO; `role` is that of its author, `submission` what it explains.

    `publication` is the one that was shown when it was signed, `until` the last day on which the note is shown.
    """

    measure: str
    place: str
    first: str
    last: str
    fa: str
    en: str
    author: str
    role: str
    signed_by: str
    signed_on: str
    until: str
    publication: str = ""
    submission: str = ""
    withdrawn_by: str = ""
    withdrawn_on: str = ""
    number: int = 0

    def text(self, lang: str) -> str:
        """Its text in a language, in Persian where it has no English one."""
        return self.en if lang == "en" and self.en else self.fa

    @property
    def days(self) -> tuple[date, date]:
        """The first and last day of its months."""
        return jalali.month(self.first).first, jalali.month(self.last).last

    def is_shown(self, today: date) -> bool:
        return not self.withdrawn_on and today.isoformat() <= self.until


@dataclass(frozen=True)
class Owed:
    """A reason that a province gave for a jump, and that is no note yet."""

    submission: Submission
    measure: str

    @property
    def why(self) -> str:
        return self.submission.reasons[self.measure]


class Notes:
    """The notes of an installation: in a SQLite file in the folder of saved views, or in the PostgreSQL that hosts share."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self._file, self._address = folder / "notes.sqlite", address

    def all(self) -> tuple[Note, ...]:
        """Every note, also the withdrawn ones, by number. Raises OSError."""
        # Who only looks creates nothing.
        if not self._address and not self._file.exists():
            return ()
        with self._store(SHORT_PATIENCE_SECONDS).transaction() as execute:
            rows = execute("select number, body from signed_notes order by number")
        return tuple(_of_row(*row) for row in rows)

    def sign(self, person: Person, note: Note) -> Note:
        """Add a checked note of this steward. Raises Declined, OSError, and what the audit log raises: then nothing is added."""
        _refuse_no_steward(person)
        signed = replace(note, signed_by=person.sub, author=note.author or person.sub)
        with self._store().transaction() as execute:
            today = date.fromisoformat(signed.signed_on)
            shown = [
                one
                for row in execute("select number, body from signed_notes order by number")
                if (one := _of_row(*row)).is_shown(today)
            ]
            if any(_is_same(one, signed) for one in shown):
                raise declined(CONFLICT, because("note_same"))
            if len(shown) >= MOST_SHOWN:
                raise declined(CONFLICT, because("note_many", most=MOST_SHOWN))
            number: list[tuple[Any, ...]] = []
            while not number:
                # Another host may take the number first.
                ((number_before,),) = execute("select coalesce(max(number), 0) from signed_notes")
                number = execute(
                    "insert into signed_notes (number, body) values ($1, $2) on conflict (number) do nothing returning number",
                    *(number_before + 1, _body(signed)),
                )
            made = replace(signed, number=int(number[0][0]))
            person.note("note_signed", note=made.number, metric=made.measure, province=made.place)
        return made

    def withdraw(self, person: Person, number: int, today: date) -> Note:
        """Show a note no longer. Raises Declined, OSError, and what the audit log raises."""
        _refuse_no_steward(person)
        with self._store().transaction() as execute:
            # In one statement nobody withdraws it in between.
            rows = execute("update signed_notes set body = body where number = $1 returning number, body", number)
            if not rows:
                raise declined(NOT_THERE, because("note_unknown"))
            note = _of_row(*rows[0])
            if note.withdrawn_on:
                raise declined(CONFLICT, because("note_withdrawn"))
            done = replace(note, withdrawn_by=person.sub, withdrawn_on=today.isoformat())
            execute("update signed_notes set body = $2 where number = $1", number, _body(done))
            person.note("note_withdrawn", note=number, metric=note.measure, province=note.place)
        return done

    def _store(self, *patience: int) -> Store:
        return opened("notes", self._address, self._file, _TABLE, *patience)


def written(
    measure: str,
    place: str,
    over: str,
    fa: str,
    en: str,
    today: date,
    until: date | None = None,
    publication: str = "",
    of: Submission | None = None,
) -> Note:
    """A note as it is signed: checked, its texts on one line without invisible characters. Raises Declined.

    `place` is `nation`, a code or a name of a province; `over` a month as 1405-07, or 1405-05..1405-07. Without `until` it is
    shown for a year. `of`: the submission whose reason for a jump it is, which names its author.
    """
    known = catalogue().get(measure)
    if known is None or known.hidden:
        raise declined(BAD, because("note_measure"))
    first, last = _months(over, today)
    ends = until or jalali.add_months(today, _MONTHS_SHOWN)
    if ends < today:
        raise declined(UNUSABLE, because("note_until"))
    return Note(
        measure,
        _place(place),
        first,
        last,
        _clean(fa),
        _clean(en) if en.strip() else "",
        author=of.submitted_by if of else "",
        role="submitter" if of and not of.for_province else "steward",
        signed_by="",
        signed_on=today.isoformat(),
        until=ends.isoformat(),
        publication=publication,
        submission=of.id if of else "",
    )


def owed(every: Iterable[Submission], signed: Iterable[Note]) -> list[Owed]:
    """The reasons for jumps of what is submitted or approved, of which no note was signed."""
    done = {(note.submission, note.measure) for note in signed}
    return [
        Owed(one, measure)
        for one in every
        if one.state in ("submitted", "approved")
        for measure, why in one.reasons.items()
        if why and measure in catalogue() and (one.id, measure) not in done
    ]


def seen_by(notes: Iterable[Note], scope: AccessScope) -> tuple[Note, ...]:
    """The notes that a person sees: those about the nation, and about the own provinces."""
    return tuple(note for note in notes if scope.grants and (note.place == NATION or note.place in scope.codes))


def about(notes: Iterable[Note], answer: Answer) -> tuple[Note, ...]:
    """The notes on the measures, places and months of an answer, by month.

    A state is explained by what happened in the year up to its day. Filters other than provinces give other people, of whom
    a note says nothing.
    """
    if not {*answer.where} <= {"province"}:
        return ()
    first, last = _explained(answer)
    places = frozenset(answer.where.get("province", ())) or {NATION}
    if axis := next((name for name in PLACE_AXES if name in answer.by), ""):
        # Rows that are not in memory may be of all.
        places = frozenset(answer.column(axis)) or (places - {NATION} or every_province())
    found = [
        note
        for note in notes
        if note.measure in answer.measures and note.place in places and note.days[0] <= last and note.days[1] >= first
    ]
    return tuple(sorted(found, key=lambda note: (note.first, note.number)))


def is_of_row(note: Note, members: dict[str, Any]) -> bool:
    """Whether a note of `about` is about the row with these members: its place, its unit of time."""
    if any(members.get(axis, note.place) != note.place for axis in PLACE_AXES):
        return False
    first, last = note.days
    for kind in TIME:
        if label := members.get(kind):
            # A label sorts as its unit does.
            return jalali.unit_of(first, kind).label <= label <= jalali.unit_of(last, kind).label
    return True


def _explained(answer: Answer) -> tuple[date, date]:
    if answer.over:
        return answer.over
    on = answer.on or answer.publication.as_of
    return jalali.year_before(on), on


def _months(over: str, today: date) -> tuple[str, str]:
    parts = [latin_digits(part.strip()).replace("/", "-") for part in over.split("..")]
    if len(parts) > 2:
        raise declined(BAD, because("note_months", most=_MOST_MONTHS))
    try:
        units = [deadline.month_of(part, today) for part in (parts[0], parts[-1])]
    except Declined:
        raise declined(BAD, because("note_months", most=_MOST_MONTHS)) from None
    months = (
        list(jalali.units_between(units[0].first, units[1].last, "month")) if units[0].first <= units[1].first else []
    )
    if not 0 < len(months) <= _MOST_MONTHS:
        raise declined(BAD, because("note_months", most=_MOST_MONTHS))
    return units[0].label, units[1].label


def _place(place: str) -> str:
    named = place.strip()
    if named in ("nation", NATION):
        return NATION
    code = named if named in every_province() else places().provinces.get(fold(named))
    if not code:
        raise declined(BAD, because("note_place"))
    return code


def _clean(text: str) -> str:
    clean = display_text(text)
    if not LEAST_REASON <= len(clean) <= MOST_LETTERS:
        raise declined(UNUSABLE, because("note_length", least=LEAST_REASON, most=MOST_LETTERS))
    if _OF_A_PERSON.search(_DAY.sub("…", latin_digits(clean))):
        raise declined(UNUSABLE, because("note_person"))
    return clean


def _is_same(one: Note, other: Note) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("measure", "place", "first", "last", "fa", "en"))


def _refuse_no_steward(person: Person) -> None:
    if not person.is_steward:
        raise declined(DENIED, because("submission_rights"))


def _body(note: Note) -> str:
    return json.dumps(asdict(note), ensure_ascii=False)


def _of_row(number: int, body: str) -> Note:
    return Note(**known(Note, json.loads(body)) | {"number": int(number)})
