"""Spells of service: who serves where, transfers, gaps, promotions, moves between provinces."""

from dataclasses import dataclass

import numpy as np

from etl.synthetic.courses import training
from etl.synthetic.people import People, joining_days, people
from etl.synthetic.world import NEVER, Columns, Frame, Institutes, Ints, stacked, taken

MOVERS = 0.03  # share of people who go to another province
BREAKS_A_YEAR = 0.034  # contracts a year of service that end before the next is signed
BREAK_DAYS = 88  # the longest such break, too short to count as leaving
RESIGNED, CONTRACT_END, TRANSFERRED, DISMISSED, RETIRED, DIED = range(6)


class Market:
    """The institutes of a province for a person who looks for a post."""

    def __init__(self, inst: Institutes, province: int, rng: np.random.Generator) -> None:
        part = inst.of(province)
        self.anchor = part.start  # the one institute of a province that is there from the start
        order = np.argsort(inst.first[part], kind="stable")
        self.index = np.arange(part.start, part.stop)[order]
        self.first, self.ended = inst.first[self.index], inst.ended[self.index]
        self.total = inst.weight[self.index].cumsum()
        self.rng = rng

    def pick(self, days: Ints, avoid: Ints | None = None) -> Ints:
        """An institute (index into all) licensed before each day and not about to end."""
        chosen = np.full(len(days), self.anchor)
        todo = np.arange(len(days))
        for _ in range(5):
            there = np.searchsorted(self.first, days[todo], side="right")
            limit = self.total[np.maximum(there, 1) - 1]
            position = np.searchsorted(self.total, self.rng.random(len(todo)) * limit, side="right")
            position = np.minimum(position, len(self.index) - 1)
            chosen[todo] = self.index[position]
            wrong = self.ended[position] < days[todo] + 45
            if avoid is not None:
                wrong |= chosen[todo] == avoid[todo]
            todo = todo[wrong]
        chosen[todo] = self.anchor
        return chosen


Spells = dict[str, Ints]  # who, inst, hired, left (NEVER while serving), reason, post


def careers(frame: Frame, who: People, market: Market, rng: np.random.Generator) -> Spells:
    """Spells of service: transfers, gaps, promotions, second places, institutes that end."""
    n = len(who)
    reason = rng.choice(6, n, p=[0.46, 0.33, 0.0, 0.14, 0.05, 0.02])
    open_ = {"who": np.arange(n), "inst": who.first, "hired": who.hired.copy(),
             "left": who.gone.copy(), "reason": reason, "post": who.post.copy()}  # fmt: skip
    done: list[Spells] = []
    for chance in (0.17, 0.08):
        open_ = _transfer(frame, open_, market, rng, chance, done)
    done.append(open_)
    spells = _promote(who, stacked(done))
    done = []
    for last in (False, False, True):
        spells = _follow_endings(frame, spells, market, rng, done, last)
    spells = _breaks(frame, stacked([*done, spells]), rng.spawn(1)[0])
    return stacked([spells, _second_places(frame, spells, market, rng)])


def _breaks(frame: Frame, spells: Spells, rng: np.random.Generator) -> Spells:
    """Contracts that end before the next is signed: back in the same institute within 90 days, or not back yet on the last day.

    Breaks are spread evenly over all days of service, so on the last day as many are away as on any other.
    """
    stop = np.minimum(spells["left"], frame.day + 1)
    length = stop - spells["hired"]
    n = len(length)
    away_from = spells["hired"] + (length * rng.random(n)).astype(int)
    back_on = away_from + rng.integers(10, BREAK_DAYS, n)
    # Only breaks that end before the spell does: on the last day, some people are away who return after it.
    is_back = back_on < spells["left"] - 20
    some = (rng.random(n) < BREAKS_A_YEAR * length / 365) & is_back & (away_from > spells["hired"] + 60)
    some &= away_from < frame.day
    is_known = some & (back_on <= frame.day)
    later = taken(spells, is_known) | {"hired": back_on[is_known]}
    return stacked([_cut(spells, some, away_from), later])


def _cut(spells: Spells, some: np.ndarray, last: Ints) -> Spells:
    """The spells, with the contracts of some of them ended on their day of `last`."""
    left, reason = np.where(some, last, spells["left"]), np.where(some, CONTRACT_END, spells["reason"])
    return spells | {"left": left, "reason": reason}


def _transfer(frame: Frame, open_: Spells, market: Market, rng: np.random.Generator,
              chance: float, done: list[Spells]) -> Spells:  # fmt: skip
    """Cut some spells in two; the first parts go to `done`, the latest spells are returned."""
    stop = np.minimum(open_["left"], frame.day)
    length = stop - open_["hired"]
    draw = rng.random(len(length))
    moved = (draw < chance) & (length > 240)
    idle = (draw > 1 - chance / 3) & (length > 700)
    cut = open_["hired"] + (length * rng.uniform(0.25, 0.85, len(length))).astype(int)
    gap = np.where(rng.random(len(cut)) < 0.7, rng.integers(1, 9, len(cut)), rng.integers(9, 80, len(cut)))
    gap = np.where(idle, rng.integers(100, 520, len(cut)), gap)
    again = cut + gap
    some = (moved | idle) & (again < stop - 30)
    before, idle, again = taken(open_, some), idle[some], again[some]
    done.append(before | {"left": cut[some], "reason": np.where(idle, CONTRACT_END, TRANSFERRED)})
    inst = market.pick(again, avoid=np.where(idle, -1, before["inst"]))
    return stacked([taken(open_, ~some), before | {"hired": again, "inst": inst}])


def _promote(who: People, spells: Spells) -> Spells:
    """A promotion ends the spell that holds its day and opens one as team leader the next day."""
    day = who.promoted[spells["who"]]
    during = (spells["hired"] < day) & (day < spells["left"])
    after_day = spells["hired"] >= day
    spells = spells | {"post": np.where(after_day, 1, spells["post"])}
    risen = taken(spells, during) | {"hired": day[during] + 1, "post": np.ones(int(during.sum()), dtype=int)}
    return stacked([_cut(spells, during, day), risen])


def _follow_endings(frame: Frame, spells: Spells, market: Market, rng: np.random.Generator,
                    done: list[Spells], last: bool) -> Spells:  # fmt: skip
    """People of an institute that ends go elsewhere or leave; returns the spells to check next."""
    ended = market.ended[np.argsort(market.index)][spells["inst"] - market.index.min()]
    recent = frame.day - ended < 421  # mostly suspensions: many stay and wait
    hit = (ended < NEVER) & (spells["left"] > ended) & (spells["hired"] < ended - 5)
    hit &= ~(recent & (rng.random(len(hit)) < 0.75))
    done.append(taken(spells, ~hit))
    cut = taken(spells, hit)
    left = ended[hit] - rng.integers(0, 5, int(hit.sum()))
    again = left + rng.integers(1, 70, int(hit.sum()))
    on = (again < np.minimum(cut["left"], frame.day) - 20) & (not last) & (rng.random(len(again)) < 0.8)
    done.append(cut | {"left": left, "reason": np.where(on, TRANSFERRED, CONTRACT_END)})
    after, again = taken(cut, on), again[on]
    return after | {"hired": again, "inst": market.pick(again, avoid=after["inst"])}


def _second_places(frame: Frame, spells: Spells, market: Market, rng: np.random.Generator) -> Spells:
    """Some people serve in a second institute for a while."""
    stop = np.minimum(spells["left"], frame.day)
    length = stop - spells["hired"]
    some = (rng.random(len(length)) < 0.018) & (length > 120)
    extra = taken(spells, some)
    wait = length[some] * rng.uniform(0.1, 0.6, int(some.sum()))
    extra["hired"] = extra["hired"] + wait.astype(int)
    until = extra["hired"] + rng.integers(60, 900, len(extra["hired"]))
    extra["left"] = np.where(until < stop[some], until, extra["left"])
    extra["reason"] = np.full(len(until), CONTRACT_END)
    extra["inst"] = market.pick(extra["hired"], avoid=extra["inst"])
    return taken(extra, extra["inst"] != spells["inst"][some])


def personnel_columns(frame: Frame, inst: Institutes, who: People, spells: Spells,
                      province: int, rng: np.random.Generator) -> Columns:  # fmt: skip
    """The personnel table of spells served in a province."""
    w, places = spells["who"], frame.places
    n = len(w)
    county = inst.county[spells["inst"]]
    # most serve in the county of the institute, the others elsewhere in the province
    chance = np.where(places.county_province == province, inst.settled, 0) ** 0.6
    elsewhere = rng.choice(len(chance), n, p=chance / chance.sum())
    county = np.where(rng.random(n) < 0.85, county, elsewhere)
    new = np.flatnonzero(places.new_county_province == province)
    if len(new):  # a county created after the census, which counts in its parent
        county = np.where(rng.random(n) < 0.006, len(places.county_names) + new[rng.integers(0, len(new), n)], county)
    county = np.where(rng.random(n) < 0.01, -1, county)
    left = np.where(spells["left"] < NEVER, spells["left"], 0)
    # a few contracts with their last day already fixed
    fixed = (left == 0) & (rng.random(n) < 0.01)
    left = np.where(fixed, frame.day + rng.integers(5, 300, n), left)
    last = np.where(left > 0, left, NEVER)
    accredited = np.where(who.accredited[w] > last, 0, who.accredited[w])
    reason = np.where(left > 0, np.where(fixed, CONTRACT_END, spells["reason"]), -1)
    return {
        "national_id": who.id[w], "first_name": who.first_name[w], "last_name": who.last_name[w],
        "institute_code": inst.code[spells["inst"]], "province": np.full(n, province),
        "county": county, "gender": who.gender[w], "birth_date": who.birth[w],
        "education": np.where(rng.random(n) < 0.015, -1, who.education[w]), "post": spells["post"],
        "hired_on": spells["hired"], "left_on": left, "leave_reason": reason,
        "judicial_officer_from": accredited,
        "judicial_officer_until": np.where(accredited > 0, who.accredited_until[w], 0),
        "veteran": who.veteran[w],
    }  # fmt: skip


@dataclass
class Movers:
    """All people who move from one province to another, with their spells and courses."""

    who: People
    spells: Spells
    served: Ints  # province of each spell
    courses: Columns
    submitted_by: Ints  # province of each completed course


def movers(frame: Frame, inst: Institutes, markets: list[Market]) -> Movers:
    """Three of a hundred people leave for another province, mostly for one with more posts."""
    rng = frame.rng(5)
    homes, days = [], []
    for province in range(31):
        hired = joining_days(frame, province, rng)
        hired = hired[(rng.random(len(hired)) < MOVERS) & (hired < frame.day - 500)]
        homes.append(np.full(len(hired), province))
        days.append(hired)
    home, parts = np.concatenate(homes), []
    start = 0
    for province, hired in enumerate(days):
        parts.append(people(frame, province, hired, start, rng, inst, markets[province].pick(hired)))
        start += len(hired)
    who = People(**{f: np.concatenate([getattr(p, f) for p in parts]) for f in vars(parts[0])})
    n = len(who)
    where = rng.choice(31, n, p=frame.people / frame.people.sum())
    where = np.where(where == home, (home + 1) % 31, where)
    who.gone = np.maximum(who.gone, who.hired + 300)
    who.gone[who.gone > frame.day] = NEVER
    length = np.minimum(who.gone, frame.day) - who.hired
    cut = who.hired + (length * rng.uniform(0.3, 0.8, n)).astype(int)
    again = np.minimum(cut + rng.integers(1, 75, n), np.minimum(who.gone, frame.day) - 1)
    both = rng.random(n) < 0.06  # goes on serving at home as well
    reason = rng.choice([RESIGNED, CONTRACT_END, DISMISSED], n, p=[0.5, 0.35, 0.15])
    first = {"who": np.arange(n), "inst": who.first, "hired": who.hired,
             "left": np.where(both, who.gone, cut),
             "reason": np.where(both, reason, TRANSFERRED), "post": who.post}  # fmt: skip
    later = first | {"inst": np.zeros(n, int), "hired": again, "left": who.gone, "reason": reason}
    for province, market in enumerate(markets):
        here = where == province
        later["inst"][here] = market.pick(again[here])
    who.promoted[:] = NEVER
    courses = training(frame, who, rng)
    moved = courses["completed_on"] >= again[courses["who"]]
    return Movers(who, stacked([first, later]), np.r_[home, where], courses,
                  np.where(moved, where[courses["who"]], home[courses["who"]]))  # fmt: skip
