"""One institute: its people, and their training. Each function is one exhibit."""

from dataclasses import dataclass, replace
from typing import ClassVar

from etl.analysis import detail
from etl.warehouse.dimensions import expand_groups
from ui.charts import bars, lines
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask, Question, frozen
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit, Table
from ui.exhibits.figure import figure, nothing, overlaps
from ui.exhibits.page import Cards, Columns, Page, Section, When
from ui.i18n import text
from ui.state import wording
from ui.state.given import Given, one
from ui.state.questions import without_places
from ui.state.scope import Scope


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many serve, and how many are trained?"""
    names = ("active_assistants", "in_service", "training_compliance", "judicial_officer_share", "expiring_30")
    return cards(scope, ask, *names)


# Institutes that have one of these are listed.
_LISTED = ("in_service", "licensed_institutes")
_MEASURES = ("active_assistants", "in_service", "training_compliance", "licensed_until", "licensed_institutes")
# Filters that a count of licences ignores.
_OF_PERSONS = frozenset(expand_groups(["@person"]))


@dataclass(frozen=True)
class Searched:
    """What a reader searches institutes for, by name or code; empty for all of the scope."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("find",)
    words: str = ""

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Searched":
        return cls(one(given, "find", scope.lang))

    def query(self) -> dict[str, list[str]]:
        return {"find": [self.words]} if self.words else {}


def institutes(scope: Scope, ask: Ask, searched: Searched) -> Exhibit:
    """Which institutes are there, and how does each stand? Those of a search are listed without numbers, too."""
    lang, counts_licences = scope.lang, not _OF_PERSONS & {*scope.where}
    names = tuple(name for name in _MEASURES if not name.startswith("licensed") or counts_licences)
    where = without_places(scope.where) if searched.words else scope.where
    answer = ask.exactly(Question(names, ("institute",), scope.day, None, frozen(where)))
    at = [answer.columns.index(name) for name in _LISTED if name in answer.columns]
    known = ask.look_up(detail.institutes)
    rows = {row[0]: row for row in answer.rows if row[0] in known and any(row[i] for i in at)}
    if searched.words:
        none = (None,) * (len(answer.columns) - 1)
        codes = [institute.code for institute in detail.search(known, searched.words)]
        size = answer.columns.index(answer.metrics[0].name)
        # Fit comes before size.
        rows = dict(
            sorted(
                ((code, rows.get(code, (code, *none))) for code in codes),
                key=lambda item: (detail.fit(known[item[0]], searched.words), -(item[1][size] or 0)),
            )
        )
    if not rows:
        return nothing(scope, "state.empty_title", "institute.none_found" if searched.words else "state.empty")
    found = replace(answer, rows=list(rows.values()))
    # The register itself holds more institutes.
    key = "count_found" if searched.words else "count" if counts_licences else "count_staffed"
    shown = ask.shown(found)
    count = text.number(len(found.rows), lang) if shown is found else None
    title = text.word(f"institute.{key}", lang, count=count) if count else found.metrics[0].label[lang]
    words = ChartContext(lang, names=asking.names(ask, lang))
    below = wording.subtitle(words, found, ask.rights, scope.day)
    twice = any(overlaps(shown, metric, ask) for metric in shown.metrics)
    notes = (text.word("figure.overlap", lang),) if twice else ()
    return Exhibit(lang, Table(), shown, Title(title), below, notes=notes, names=words.names)


def licences(scope: Scope, ask: Ask) -> Exhibit:
    """Which licences did the institute apply for?"""
    institute = _chosen(scope, ask)
    if institute is None:
        return nothing(scope, "state.empty_title", "state.empty")
    exact, lang = ask.look_up(detail.licences, institute.code), scope.lang
    if not exact.rows:
        return nothing(scope, "state.empty_title", "institute.no_licences")
    shown = ask.shown(exact)
    title = text.word("institute.licences", lang, count=text.number(len(exact.rows), lang))
    heading = title if shown is exact else exact.metrics[0].label[lang]
    return Exhibit(lang, Table(), shown, Title(heading), institute.name, names=asking.names(ask, lang))


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """How has the number of its people changed?"""
    over = scope.months(60)
    return figure(scope, ask, lines.trend, "in_service", "active_assistants", by="month", over=over)


def by_course(scope: Scope, ask: Ask) -> Exhibit:
    """In which course are most out of date?"""
    return figure(scope, ask, bars.ranking, "training_compliance", by="course")


def is_one(scope: Scope, ask: Ask) -> bool:
    """Whether it is of one institute."""
    return _chosen(scope, ask) is not None


def is_a_list(scope: Scope, ask: Ask) -> bool:
    """Whether no single institute is chosen."""
    return _chosen(scope, ask) is None


def _chosen(scope: Scope, ask: Ask) -> detail.Institute | None:
    codes = scope.where.get("institute", ())
    return ask.look_up(detail.institutes).get(codes[0]) if len(codes) == 1 else None


def alone(scope: Scope) -> Scope:
    """One institute without a place: its staff may serve outside its province of registration."""
    return scope.of(without_places(scope.where) | one_of(scope)) if one_of(scope) else scope


def one_of(scope: Scope) -> dict[str, tuple[str, ...]]:
    codes = scope.where.get("institute", ())
    return {"institute": codes} if len(codes) == 1 else {}


PAGE = Page(
    "register",
    filters=("@place", "@person"),
    has_period=True,
    asked_of=alone,
    layout=(
        Section("find"),
        When(is_a_list, Section("listing", (institutes,))),
        When(
            is_one,
            Section("head"),
            Cards(numbers),
            Section("licences", (licences,)),
            Columns((over_time,), (by_course,)),
        ),
        Section("people"),
    ),
)
