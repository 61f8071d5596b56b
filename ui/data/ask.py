"""How a number is asked for: a Question says all of it, and an Ask answers it from one publication under one person's rights.

An Ask is passed on as it is, also to other threads: nothing about it is looked up. `warehouse.Cached` is the one of pages, `On`
asks a cursor, `Rounded` gives the numbers for circulation, `Kept` asks each question once and holds what was asked.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from etl.analysis import analyses, data_quality, detail, quick_calculations
from etl.semantic import answers, disclosure
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.exportable import StoredRows, StreamedRows
from etl.semantic.rights import AccessScope
from etl.submissions.notes import Note
from etl.warehouse.publications import Publication
from ui.i18n import member_names

Where = Mapping[str, Iterable[str]]
Filters = tuple[tuple[str, tuple[str, ...]], ...]
# Behind the name of a province whose last month has not arrived.
LATE = "*"
# Their members are known to the publication alone.
OF_PUBLICATION = ("course", "institute")


def frozen(where: Where | None) -> Filters:
    """Filters as a value that can be compared and be a key."""
    return tuple(sorted((name, tuple(codes)) for name, codes in (where or {}).items()))


@dataclass(frozen=True)
class Question:
    """`names` by dimensions, or an analysis with its options; when, and of whom. Equal questions have one answer.

    `calc`: the quick calculation beside each measure.
    """

    names: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    on: date | None = None
    over: tuple[date, date] | None = None
    filters: Filters = ()
    analysis: str = ""
    options: tuple[tuple[str, Hashable], ...] = ()
    calc: str = ""

    @property
    def where(self) -> dict[str, tuple[str, ...]]:
        return dict(self.filters)


def of_analysis(
    name: str,
    /,
    on: date | None = None,
    where: Where | None = None,
    over: tuple[date, date] | None = None,
    **options: Hashable,
) -> Question:
    """The question of an analysis; one without a period has none, so that it is asked once for all periods."""
    period = over if over and analyses.by_name()[name].over_period else None
    return Question(on=on, over=period, filters=frozen(where), analysis=name, options=tuple(sorted(options.items())))


class Ask(Protocol):
    """Answers of one publication under one person's rights. Raises as `answers.ask` and `analyses.analyse`."""

    @property
    def rights(self) -> AccessScope: ...
    @property
    def publication(self) -> Publication: ...
    @property
    def notes(self) -> tuple[Note, ...]:
        """The signed notes that this person is shown."""

    @property
    def behind(self) -> Mapping[str, str]:
        """The provinces that the ledger of submissions has behind the others, each with the month that has not arrived."""

    def __call__(self, question: Question) -> Answer: ...
    def stored(self, question: Question) -> Answer | StoredRows:
        """The answer, as StoredRows if it has too many rows for the memory of this process."""

    def each(self, question: Question) -> Mapping[str, Answer]:
        """Several measures of one place by one query."""

    def look_up(self, work: Callable[..., Any], *args: Any) -> Any:
        """A fact that is no number of a page: a name, the first day, the latest settled day."""

    def shown(self, answer: Answer) -> Answer:
        """An answer that was put together of exact ones, as this Ask shows it."""

    @property
    def exactly(self) -> "Ask":
        """The same in exact numbers: for an order, a test or what is shown at all, never for a number to show."""


def names(ask: Ask, lang: str) -> dict[str, Mapping[str, str]]:
    """The names of members that only the publication knows; of provinces whose last month has not arrived with a sign."""
    known = {dimension: ask.look_up(detail.member_names, dimension)[lang] for dimension in OF_PUBLICATION}
    signed = {code: f"{member_names.of('province', code, lang)}{LATE}" for code in not_arrived(ask)}
    return known | ({"province": signed} if signed else {})


def not_arrived(ask: Ask) -> dict[str, str]:
    """The provinces whose data of a month have not arrived, and the month: by the rows that came, or by the ledger."""
    month, without_rows = ask.look_up(data_quality.not_arrived)
    return dict.fromkeys(without_rows, month) | dict(ask.behind)


@dataclass(frozen=True)
class On:
    """Answers of a cursor, without a cache or a server."""

    con: ScopedCursor
    notes: tuple[Note, ...] = ()
    behind: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def rights(self) -> AccessScope:
        return self.con.scope.rights()

    @property
    def publication(self) -> Publication:
        return self.con.publication

    def __call__(self, question: Question) -> Answer:
        if question.calc:
            return quick_calculations.ask(self.con, *question.names, calc=question.calc, **_when(question))
        if not question.analysis:
            return answers.ask(self.con, *question.names, **_when(question))
        options = dict(question.options) | ({"over": question.over} if question.over else {})
        return analyses.analyse(self.con, question.analysis, question.on, question.where, **options)

    def stored(self, question: Question) -> Answer:
        return self(question)

    def each(self, question: Question) -> Mapping[str, Answer]:
        return answers.ask_each(self.con, *question.names, **_when(question))

    def look_up(self, work: Callable[..., Any], *args: Any) -> Any:
        return work(self.con, *args)

    def shown(self, answer: Answer) -> Answer:
        return answer

    @property
    def exactly(self) -> "On":
        return self


def _when(question: Question) -> dict[str, Any]:
    return {"by": question.by, "on": question.on, "over": question.over, "where": question.where}


@dataclass(frozen=True)
class Kept:
    """Another Ask that is asked each question once; `asked` holds the answers."""

    ask: Ask
    asked: dict[Question, Answer] = field(default_factory=dict, repr=False, compare=False)
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def rights(self) -> AccessScope:
        return self.ask.rights

    @property
    def publication(self) -> Publication:
        return self.ask.publication

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.ask.notes

    @property
    def behind(self) -> Mapping[str, str]:
        return self.ask.behind

    def __call__(self, question: Question) -> Answer:
        if question not in self.asked:
            self.asked[question] = self.ask(question)
        return self.asked[question]

    def stored(self, question: Question) -> Answer | StoredRows:
        return self(question) if question in self.asked else self.ask.stored(question)

    def each(self, question: Question) -> Mapping[str, Answer]:
        return self._once(question, lambda: self.ask.each(question))

    def look_up(self, work: Callable[..., Any], *args: Any) -> Any:
        return self._once((work, *args), lambda: self.ask.look_up(work, *args))

    def shown(self, answer: Answer) -> Answer:
        return self.ask.shown(answer)

    @property
    def exactly(self) -> "Ask":
        return self if self.ask.exactly is self.ask else self.ask.exactly

    def _once(self, key: Any, work: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = work()
        return self._known[key]


@dataclass(frozen=True)
class Rounded:
    """The answers of another Ask as they may circulate. What is made with it is what circulates."""

    exactly: Ask

    @property
    def rights(self) -> AccessScope:
        return self.exactly.rights

    @property
    def publication(self) -> Publication:
        return self.exactly.publication

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.exactly.notes

    @property
    def behind(self) -> Mapping[str, str]:
        return self.exactly.behind

    def __call__(self, question: Question) -> Answer:
        return self.shown(self.exactly(question))

    def stored(self, question: Question) -> Answer:
        return self.shown(self.exactly.stored(question))

    def each(self, question: Question) -> Mapping[str, Answer]:
        return {name: self.shown(answer) for name, answer in self.exactly.each(question).items()}

    def look_up(self, work: Callable[..., Any], *args: Any) -> Any:
        return self.exactly.look_up(work, *args)

    def shown(self, answer: Answer | StreamedRows | StoredRows) -> Answer:
        """Also of rows too many for an exhibit. Raises NotForCirculation for rows about persons."""

        def further(
            *asked: str,
            by: tuple[str, ...] = (),
            on: date | None = None,
            over: tuple[date, date] | None = None,
            where: Where | None = None,
        ) -> Answer:
            return self.exactly(Question(asked, tuple(by), on, over, frozen(where)))

        return disclosure.for_circulation(answer, further)
