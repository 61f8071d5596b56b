"""The questions of a briefing, asked directly of a publication, without a server or a page.

Answers are suppressed for circulation unless `exact` is set, and recorded, so that the attached file of numbers holds
exactly what the briefing shows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl.analysis import analyses, data_quality, detail
from etl.analysis.comparison import Side
from etl.analysis.different import is_tested_over_time
from etl.core.errors import QuestionError, Refused
from etl.revisions import diff
from etl.semantic import access, answers, disclosure, resolve
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.rights import AccessScope
from etl.submissions.notes import Note
from etl.warehouse import publications
from etl.warehouse.publications import Publication
from ui.data import signed_notes
from ui.i18n import member_names

LONGEST_NAME = 60


class NoData(Refused):
    """The place has no rows on the day: a briefing would show nothing."""


@dataclass(frozen=True)
class Revision:
    """The previous publication, the changed rows and definitions, and the numbers of both publications on one day.

    A metric that stays provisional is measured on the day that was settled then, and left out where there is none.
    """

    publication: Publication
    day: date
    changes: diff.Changes
    before: Mapping[str, Answer]
    after: Mapping[str, Answer]


@dataclass
class Questions:
    """A publication, a place (empty: the nation) and a day; `exact` turns suppression off."""

    con: ScopedCursor
    pointer: Path
    lang: str
    province: str = ""
    on: date | None = None
    exact: bool = False
    recorded: list[Answer] = field(default_factory=list)
    # Answers that do not depend on the place, shared by the books of one publication, day and language.
    shared: dict[Any, Any] = field(default_factory=dict)

    @property
    def publication(self) -> Publication:
        return self.con.publication

    @property
    def notes(self) -> tuple[Note, ...]:
        """The signed notes that its reader is shown."""
        return signed_notes.shown_to(self.con.scope)

    @property
    def day(self) -> date:
        return self.on or self.publication.as_of

    @property
    def where(self) -> dict[str, tuple[str, ...]]:
        return {"province": (self.province,)} if self.province else {}

    def ask(
        self,
        *names: str,
        by: Sequence[str] = (),
        on: date | None = None,
        over: tuple[date, date] | None = None,
        where: Mapping[str, Sequence[str]] | None = None,
        everywhere: bool = False,
    ) -> Answer:
        """The Answer for the place, or under `where`, or with `everywhere` for the nation; rows of other provinces are not
        recorded.
        """
        if not everywhere:
            return self._record(
                self._ask(*names, by=by, on=on, over=over, where=self.where if where is None else where)
            )
        answer = self._once(
            (names, tuple(by), on, over), lambda: self.circulated(self._ask(*names, by=by, on=on, over=over))
        )
        if "province" not in by:
            self.recorded.append(answer)
        return answer

    def exactly(self, *names: str, on: date, by: Sequence[str] = ()) -> Answer:
        """The Answer for the place on exact counts, which decides an order and is never shown."""
        return self._ask(*names, by=by, on=on, where=self.where)

    def analyse(self, name: str, **more: str) -> Answer:
        """The result of the analysis `name` for the place; `more` holds its further arguments."""
        return self._record(analyses.analyse(self.con, name, self.on, self.where, **more))

    def everywhere(self, name: str) -> Answer:
        """The analysis `name` for all provinces. It is searched and not shown, so it is not recorded."""
        return self._once(name, lambda: self._whole_rows(analyses.analyse(self.con, name, self.on)))

    def different(self, name: str, by: str, over: tuple[date, date] | None = None) -> Answer:
        """Who is below or above the whole, on exact counts, with the numbers that this briefing may show."""
        is_national = by == "province"
        options = {"metric": name, "by": by} | ({"over": over} if over else {})
        exact = self._once(
            (name, by, over, "" if is_national else self.province),
            lambda: analyses.analyse(self.con, "different", self.on, {} if is_national else self.where, **options),
        )
        when: dict[str, Any] = {"on": exact.on, "over": exact.over, "everywhere": is_national and bool(self.province)}
        shown, whole = (self.ask(name, by=axes, **when) for axes in ((by,), ()))
        cells = {row[by]: row for row in shown.records()}
        # A group that does not circulate is not in `cells`: it is named without a number, or not at all.
        none = dict.fromkeys(shown.columns[1:])
        kept = [row for row in exact.records() if row[by] in cells or row["side"] not in ("none", "untested")]
        rows = [row | cells.get(row[by], none) | {"whole_value": whole.value()} for row in kept]
        return replace(self.circulated(exact), rows=[tuple(row[column] for column in exact.columns) for row in rows])

    def seat_plan(self) -> tuple[Answer, Answer]:
        """The seats to order by course and month, and the sums of the courses."""
        exact = analyses.analyse(self.con, "seat_plan", self.on, self.where)
        sums: dict[str, int] = {}
        for _, course, _, count, _ in exact.rows:
            sums[course] = sums.get(course, 0) + count
        metric = exact.metrics[0]
        columns = ("course", metric.name)
        whole = replace(exact, by=columns[:1], columns=columns, metrics=(metric,), rows=[*sums.items()])
        return self._record(exact), self._record(whole)

    def side(self, here: Answer, there: Answer) -> str:
        """On which side of the rate of another day one is beyond chance, on exact counts: lower, higher, or empty."""
        name = here.metrics[0].name
        if not (here.on and there.on and is_tested_over_time(name)):
            return ""
        than = Side(there.on, tuple(there.where.items()))
        answer = analyses.analyse(self.con, "differs", here.on, here.where, metric=name, than=than)
        return str(answer.value("side"))

    def provinces(self) -> Answer:
        """What each province submitted."""
        return self._once("provinces", lambda: data_quality.provinces(self.con))

    def settled_on(self, name: str) -> date | None:
        """The day on which a metric is settled."""
        return resolve.settled_on(self.con, name, self.day)

    def member(self, dimension: str, code: Any) -> str:
        """The name of a member, cut to the length of a line."""
        name = member_names.of(dimension, code, self.lang, self._names.get(dimension))
        return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"

    def circulated(self, answer: Answer) -> Answer:
        """The Answer as this briefing may show it."""
        return answer if self.exact else disclosure.for_circulation(answer, self._ask)

    def _whole_rows(self, answer: Answer) -> Answer:
        """The Answer for circulation without partly suppressed rows: half a signal is meaningless."""
        circulated = self.circulated(answer)
        first = len(answer.by)
        empty = {row[:first]: row.count(None) for row in answer.rows}
        return replace(circulated, rows=[row for row in circulated.rows if row.count(None) == empty[row[:first]]])

    def revision(self, names: Sequence[str]) -> Revision | None:
        """The comparison with the previous publication; None if there is none or its tables cannot be compared."""
        earlier = [path for path in publications.versions(self.pointer) if path.stem < self.publication.id]
        if not earlier:
            return None
        try:
            with publications.connect(earlier[-1], any_code=True) as old:
                changes = self._once("diff", lambda: diff.changes(old, self.con.whole))
                before = publications.describe(old)
                day = min(changes.day, self.day)
                earlier_questions = Questions(
                    ScopedCursor(old, self.con.scope), self.pointer, self.lang, self.province, day, self.exact
                )
                settled = {name: on for name in names if (on := resolve.settled_on(self.con, name, day))}
                numbers_before = {name: earlier_questions.ask(name, on=on) for name, on in settled.items()}
        except (Refused, QuestionError, duckdb.Error):
            return None
        after = {name: self.ask(name, on=on) for name, on in settled.items()}
        return Revision(before, day, changes, numbers_before, after)

    def refuse_empty(self) -> None:
        """Raise NoData for a day outside of the data and for a place without rows."""
        where = self.province or "the nation"
        if self.day > self.publication.as_of:
            raise NoData(f"{where}: {self.day} lies after the latest day of the data, {self.publication.as_of}")
        counts = self._ask("in_service", "registered_institutes", on=self.day, where=self.where)
        if not any(counts.value(name) for name in ("in_service", "registered_institutes")):
            raise NoData(f"{where}: the data holds nothing on {self.day}")
        if not counts.value("in_service"):
            raise NoData(f"{where}: nobody is in service on {self.day}")

    def _ask(self, *names: str, **question: Any) -> Answer:
        return answers.ask(self.con, *names, publication=self.publication, **question)

    def _once(self, key: Any, work: Callable[[], Any]) -> Any:
        if key not in self.shared:
            self.shared[key] = work()
        return self.shared[key]

    def _record(self, answer: Answer) -> Answer:
        circulated = self.circulated(answer)
        self.recorded.append(circulated)
        return circulated

    @property
    def _names(self) -> dict[str, Mapping[str, str]]:
        return self._once(
            "names", lambda: {name: detail.member_names(self.con, name)[self.lang] for name in ("institute", "course")}
        )


@contextmanager
def opened(pointer: Path, scope: AccessScope) -> Iterator[ScopedCursor]:
    """The current publication under a scope. Raises Refused, also for database errors while it is open."""
    try:
        with access.connect(pointer, scope) as con:
            yield con
    except duckdb.Error as error:
        raise Refused(f"{pointer}: the database refused the work ({type(error).__name__})") from None
