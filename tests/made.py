"""Answers made by hand for charts, files and sentences, which only show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from etl.analysis import data_quality, detail
from etl.semantic.answers import Answer
from etl.semantic.catalog import Metric, catalogue, expand
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from etl.submissions.notes import Note
from etl.warehouse.publications import Publication
from ui.charts.elements import ChartContext
from ui.data.ask import Question
from ui.exhibits import register
from ui.exhibits.named import Named
from ui.state.scope import Scope

PUBLICATION = Publication(
    id="000007",
    as_of=date(2026, 10, 22),
    built_on=date(2026, 10, 23),
    published_at=datetime(2026, 10, 23, 7, 30),
    is_sample=True,
    files=4,
    rows_read=100,
    rows_loaded=95,
    rows_quarantined=5,
    missing=(),
)


def answer(
    *names: str,
    by: tuple[str, ...] = (),
    rows: list[tuple[Any, ...]],
    more: tuple[str, ...] = (),
    provisional: frozenset[str] = frozenset(),
    over: tuple[date, date] | None = None,
    where: dict[str, tuple[str, ...]] | None = None,
) -> Answer:
    """An Answer of catalogue metrics with these rows: dimensions, metrics, then the parts named in `more`."""
    return Answer(
        metrics=tuple(catalogue()[name] for name in names),
        by=by,
        columns=(*by, *names, *more),
        rows=rows,
        where=where or {},
        on=None if over else PUBLICATION.as_of,
        over=over,
        provisional=provisional,
        query="select 1",
        publication=PUBLICATION,
        scope=ADMINISTRATOR.rights(),
    )


def counts_people(metric: Metric) -> bool:
    """Whether anything in a number counts people: what circulates of it is published by the law of `etl.semantic.disclosure`."""
    names = (metric.name, metric.numerator, metric.denominator)
    parts = [expand(name, frozenset()) for name in names if name in catalogue()]
    known = [metric, *(catalogue()[part] for found in parts for part in found)]
    return any(one.counts in ("persons", "hours") for one in known)


def by_province() -> Answer:
    """Compliance of four provinces, one of them without a value."""
    metric = catalogue()["training_compliance"]
    return answer(
        metric.name,
        by=("province",),
        more=(str(metric.numerator), str(metric.denominator)),
        rows=[
            ("IR-00", 0.75, 75, 100),
            ("IR-11", 0.5, 100, 200),
            ("IR-23", 0.9, 900, 1000),
            ("IR-30", None, 0, 0),
        ],
    )


def by_month() -> Answer:
    """Fourteen months of stock, the last not over, one in between unknown."""
    labels = [f"1404-{month:02}" for month in range(1, 13)] + ["1405-01", "1405-02"]
    rows: list[tuple[Any, ...]] = [(label, 1000 + 10 * i) for i, label in enumerate(labels)]
    rows[5] = (labels[5], None)
    return answer(
        "active_assistants",
        by=("month",),
        rows=rows,
        provisional=frozenset({"1405-02"}),
        over=(date(2025, 3, 21), date(2026, 5, 1)),
    )


def in_order(answer: Answer, context: ChartContext, sort: str) -> list[tuple[Any, ...]]:
    """The rows of an answer as its table on a page shows them under this order."""
    from ui.components import tables

    view = SimpleNamespace(lang=context.lang, word=lambda key: key)
    return tables.sorted_by(tables.columns_of(view, answer, context), answer.rows, sort)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Told:
    """An Ask whose answers are given; `facts` by the function that looks them up."""

    answer: Callable[[Question], Answer]
    facts: Mapping[Callable[..., Any], Any]
    rights: AccessScope = ADMINISTRATOR
    publication: Publication = PUBLICATION
    notes: tuple[Note, ...] = ()
    behind: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __call__(self, question: Question) -> Answer:
        return self.answer(question)

    def stored(self, question: Question) -> Answer:
        return self.answer(question)

    def each(self, question: Question) -> Mapping[str, Answer]:
        return {name: self.answer(Question((name,), (), question.on, question.over)) for name in question.names}

    def look_up(self, work: Callable[..., Any], *args: Any) -> Any:
        known: dict[Callable[..., Any], Any] = {
            detail.member_names: {"fa": {}, "en": {}},
            data_quality.not_arrived: ("1405-08", frozenset()),
        }
        return (known | dict(self.facts))[work]

    def shown(self, answer: Answer) -> Answer:
        return answer

    @property
    def exactly(self) -> "Told":
        return self


def told(answer: Callable[[Question], Answer], facts: Mapping[Callable[..., Any], Any] | None = None) -> Told:
    return Told(answer, facts or {})


def named(address: str, scope: Scope, **given: list[str]) -> Named:
    """An exhibit by its address under a scope, with the inputs of what the address says, by default those of none."""
    found = register.read(address, given, scope)
    assert found, address
    return found
