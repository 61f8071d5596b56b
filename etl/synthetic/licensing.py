"""Applications for licences: their duration and outcome, and which licences lapse."""

import numpy as np

from etl.synthetic.calendar import jalali_year, working_days
from etl.synthetic.world import NEVER, Columns, Frame, Institutes, Ints, stacked, taken


def working_days_later(begin: Ints, days: Ints) -> Ints:
    """The day on which that many working days (all but Fridays, holidays and closures) have passed after `begin`."""
    working = working_days()
    return working[np.searchsorted(working, begin, side="right") - 1 + days]


class Licensing:
    """Applications of institutes, round after round: the first, then renewals."""

    def __init__(self, frame: Frame, inst: Institutes, stage: int) -> None:
        self.frame, self.inst, self.rng = frame, inst, frame.rng(4, stage)
        self.rows: list[dict[str, Ints]] = []
        self.tries = np.zeros(len(inst.code), dtype=int)

    def clock(self, who: Ints, begin: Ints, factor: float) -> Ints:
        """Decision days of files complete on `begin`."""
        year = jalali_year(begin)
        median = np.maximum(46 - 1.7 * (year - 1393), 14) * factor
        median = median * self.frame.slowness[self.inst.province[who]]
        median = np.where(self.inst.smart[who] == 1, median * 0.68, median)
        took = median * self.rng.lognormal(0, 0.42, len(who))
        return working_days_later(begin, np.maximum(took.round(), 1).astype(int))

    def add(self, who: Ints, kind: int, applied: Ints, complete: Ints, decided: Ints,
            outcome: Ints, begin: Ints, until: Ints) -> Ints:  # fmt: skip
        """Record applications as they are on the last day; returns which ones are granted."""
        day = self.frame.day
        known = applied <= day
        open_ = decided > day
        granted = (outcome == 0) & ~open_ & known
        self.tries[who[known]] += 1
        blank = self.rng.random(len(who)) < 0.012  # files without this day
        row = {
            "who": who, "application_no": self.inst.code[who] * 100 + self.tries[who],
            "kind": np.full(len(who), kind), "applied_on": applied,
            "file_complete_on": np.where((complete > day) | blank, 0, complete),
            "decided_on": np.where(open_, 0, decided), "outcome": np.where(open_, -1, outcome),
            "licence_no": np.where(granted, self.inst.code[who] * 100 + self.tries[who], -1),
            "valid_from": np.where(granted, begin, 0), "valid_until": np.where(granted, until, 0),
        }  # fmt: skip
        self.rows.append(taken(row, known))
        return granted

    def term(self, begin: Ints) -> Ints:
        """Last day of licences: three years, two for one in five."""
        years = np.where(self.rng.random(len(begin)) < 0.2, 2, 3)
        return begin + (years * 365.25).astype(int) - 1

    def failed_try(self, who: Ints, kind: int, applied: Ints, withdrawn: float) -> Ints:
        """An application that is refused or withdrawn; returns the day of its decision."""
        complete = applied + self.rng.integers(3, 30, len(who))
        decided = self.clock(who, complete, 0.9)
        outcome = np.where(self.rng.random(len(who)) < withdrawn, 2, 1)
        self.add(who, kind, applied, complete, decided, outcome, applied, applied)
        return decided

    def first_round(self) -> tuple[Ints, Ints]:
        """New licences; returns which institutes got one and until when."""
        rng, inst = self.rng, self.inst
        who = np.arange(len(inst.code))
        applied = inst.applied.copy()
        again = (rng.random(len(who)) < 0.13) & (inst.weight < 2)
        refused = self.failed_try(who[again], 0, applied[again], 0.35)
        applied[again] = refused + rng.integers(5, 90, int(again.sum()))
        complete = applied + rng.lognormal(2.4, 0.6, len(who)).astype(int)
        decided = self.clock(who, complete, 1.0)
        begin = decided + rng.integers(0, 6, len(who))
        until = self.term(begin)
        got = self.add(who, 0, applied, complete, decided, np.zeros(len(who), int), begin, until)
        inst.first[got] = begin[got]
        return who[got], until[got]

    def renew(self, who: Ints, until: Ints) -> tuple[Ints, Ints]:
        """One round of renewals; returns which institutes were renewed and until when."""
        rng, inst, day = self.rng, self.inst, self.frame.day
        stops = (rng.random(len(who)) < 0.018) & (inst.code[who] % 100_000 != 1)
        goes_on = (until < day + 115) & (inst.ended[who] > until) & ~stops
        who, until = who[goes_on], until[goes_on]
        n = len(who)
        late = rng.random(n) < 0.14
        ahead = np.where(late, rng.integers(-75, 25, n), rng.integers(55, 110, n))
        applied = until - ahead
        again = rng.random(n) < 0.04
        refused = self.failed_try(who[again], 1, applied[again], 0.1)
        applied[again] = refused + rng.integers(2, 25, int(again.sum()))
        complete = applied + rng.integers(1, 20, n)
        decided = self.clock(who, complete, 0.75)
        begin = np.where(decided <= until, until + 1, decided + 1)
        fresh = self.term(begin)
        got = self.add(who, 1, applied, complete, decided, np.zeros(n, int), begin, fresh)
        return who[got], fresh[got]

    def run(self) -> Columns:
        """All applications, with `who` (index of the institute) next to the table's columns."""
        who, until = self.first_round()
        while len(who):
            who, until = self.renew(who, until)
        return self.collected()

    def run_applicants(self) -> Columns:
        """Applications of those without a licence: outstanding, some refused or withdrawn."""
        who = np.arange(len(self.inst.code))
        complete = self.inst.applied + self.rng.integers(2, 45, len(who))
        decided = self.clock(who, complete, 1.1)
        outcome = np.where(self.rng.random(len(who)) < 0.7, 1, 2)
        decided = np.where(self.rng.random(len(who)) < 0.45, NEVER, decided)
        self.add(who, 0, self.inst.applied, complete, decided, outcome, complete, complete)
        return self.collected()

    def collected(self) -> Columns:
        out = stacked(self.rows)
        out["institute_code"] = self.inst.code[out["who"]]
        return out
