"""Random questions of the kinds that the pages ask: any day, filters on up to five dimensions."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from etl.core.jalali import add_months
from etl.warehouse.dimensions import CELL, CHOICES

Where = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Question:
    """A question: metrics, grouping, a day or a period by month, filters."""

    kind: str
    names: tuple[str, ...]
    by: tuple[str, ...]
    on: date | None
    over: tuple[date, date] | None
    where: Where


@dataclass(frozen=True)
class Known:
    """The members for filters, and the range of days for questions."""

    members: dict[str, list[str]]
    first: date
    last: date

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection) -> "Known":
        """The members and days of a publication; the first day is when 1 % of all spells have begun."""
        members = {name: sorted(set(CHOICES[name].values())) for name in CELL if name in CHOICES}
        for name, column in (("province", "province"), ("county", "county"), ("institute", "institute_code")):
            rows = con.execute(f"select distinct {column} from spells where {column} is not null order by 1")
            members[name] = [row[0] for row in rows.fetchall()]
        days = con.execute(
            "select quantile_disc(hired_on, 0.01), (select as_of from publication) from spells"
        ).fetchone()
        assert days is not None
        return cls(members, *days)


class Asker:
    """Generates questions of each kind, reproducibly by seed."""

    def __init__(self, known: Known, seed: int = 11) -> None:
        self._known = known
        self._rng = random.Random(seed)
        self._makers: dict[str, Callable[[], Question]] = {
            "compliance": lambda: self._state("compliance", ("training_compliance",)),
            "expiring": lambda: self._state("expiring", ("expiring_30", "expiring_60", "expiring_90")),
            "coverage": lambda: self._state("coverage", ("coverage_per_10k", "coverage_gap")),
            "trend_24": lambda: self._trend("trend_24", "training_compliance", 24),
            "trend_144": lambda: self._trend("trend_144", "training_compliance", 144),
            "growth_144": lambda: self._trend("growth_144", "active_assistants", 144),
            "compliance_county": lambda: self._state("compliance_county", ("training_compliance",), "county"),
            "compliance_institute": lambda: self._state("compliance_institute", ("training_compliance",), "institute"),
            "trend_24_institute": lambda: self._trend("trend_24_institute", "training_compliance", 24, "institute"),
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the kinds."""
        return tuple(self._makers)

    def ask(self, kind: str) -> Question:
        """One question of a kind."""
        return self._makers[kind]()

    def _day(self) -> date:
        return self._known.first + timedelta(days=self._rng.randrange((self._known.last - self._known.first).days + 1))

    def _where(self, place: str = "") -> Where:
        """Filters on up to five dimensions, each with one member or several."""
        chosen = self._rng.sample(CELL, self._rng.randint(0, len(CELL)))
        if place:
            # Users who look at a county or institute use few other filters.
            chosen = [place, *(name for name in chosen[:2] if name != "province")]
        where: Where = {}
        for name in chosen:
            members = self._known.members[name]
            most = 3 if place == name else max(1, len(members) - 1)
            where[name] = tuple(self._rng.sample(members, self._rng.randint(1, min(most, len(members)))))
        return where

    def _state(self, kind: str, names: tuple[str, ...], place: str = "") -> Question:
        return Question(kind, names, ("post",) if place else ("province",), self._day(), None, self._where(place))

    def _trend(self, kind: str, name: str, months: int, place: str = "") -> Question:
        first = add_months(self._known.first, months)
        end = max(self._day(), min(first, self._known.last))
        return Question(kind, (name,), ("month",), None, (add_months(end, -months), end), self._where(place))
