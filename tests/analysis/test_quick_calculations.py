"""Quick calculations beside the measures of an answer are those that pandas works out of raw answers, exact and rounded."""

import random
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from persiantools.jdatetime import JalaliDate

from etl.analysis import analyses, quick_calculations
from etl.core.errors import AccessDenied, QuestionError
from etl.semantic import disclosure, units
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.answers import Answer, ask
from etl.semantic.calculations import CALCULATIONS, Calculated, Calculation, calculated
from etl.semantic.catalog import TIME, catalogue, expand, provisional_days
from etl.semantic.resolve import settled_on
from etl.semantic.rights import AccessScope, Grant
from tests import made
from tests.conftest import BUILD_DAY
from tests.effort import draws

TABLES = draws(30, 500)
SHOWN = [name for name, metric in catalogue().items() if not metric.hidden]
SHARES = [name for name in SHOWN if catalogue()[name].unit == "share"]
# They can change for so many days after the day; of the random days none ends a month.
WAITING = [name for name in SHOWN if provisional_days(name) and catalogue()[name].kind == "snapshot"]
MONTHS = {"month": 1, "quarter": 3, "year": 12}
OF_ISFAHAN = AccessScope("isfahan.officer", frozenset({Grant("province", frozenset({"IR-10"}), True, True)}))


# ---------------------------------------------------------------- the second computation


def first_month(label: str) -> int:
    """The number of the first month of a Jalali unit, counted from the year 0."""
    year, _, part = label.partition("-")
    begins = 3 * int(part[1:]) - 3 if part.startswith("Q") else int(part or 1) - 1
    return 12 * int(year) + begins


def labelled(month: int, unit: str) -> str:
    year, at = divmod(month, 12)
    return {"month": f"{year}-{at + 1:02}", "quarter": f"{year}-Q{at // 3 + 1}", "year": f"{year}"}[unit]


def day_of(month: int) -> date:
    """The first day of a month."""
    return JalaliDate(month // 12, month % 12 + 1, 1).to_gregorian()


def earlier_day(day: date) -> date:
    """The Jalali day a year before; the end of a month stays one."""
    jalali = JalaliDate(day)
    month = 12 * jalali.year + jalali.month - 1
    if day_of(month + 1) - timedelta(days=1) == day:
        return day_of(month - 11) - timedelta(days=1)
    return JalaliDate(jalali.year - 1, jalali.month, jalali.day).to_gregorian()


class Second:
    """The columns of a calculation, of raw answers changed by `change`."""

    def __init__(self, con: ScopedCursor, raw: Answer, names: list[str], change: Callable[[Answer], Answer]):
        self.con, self.raw, self.names, self.change = con, raw, names, change
        self.unit = next((name for name in raw.by if name in TIME), "")
        self.keys = [*raw.by]
        self.frame = pd.DataFrame(change(raw).rows, columns=[*raw.columns]).astype(object)
        self.whole_percents = isinstance(change(raw), disclosure.Circulated)

    def column(self, calc: str, name: str) -> pd.Series:
        columns: pd.Series = getattr(self, calc)(name)
        return columns

    def asked(self, by: list[str], **when: Any) -> pd.DataFrame:
        """All measures of the question at once: beside others a group has a row where one of them has a number."""
        kinds = {catalogue()[name].kind for name in self.names}
        when = {"on": self.raw.on, "over": self.raw.over} | when
        if kinds == {"event"} or self.unit in by:
            when["on"] = None
        if kinds == {"snapshot"} and self.unit not in by:
            when["over"] = None
        answer = self.change(ask(self.con, *self.names, by=by, where=self.raw.where, **when))
        return pd.DataFrame(answer.rows, columns=[*answer.columns]).astype(object)

    def divided(self, part: pd.Series, whole: pd.Series, name: str) -> pd.Series:
        """A ratio of two numbers of a measure; of published people with the precision that so many have."""
        ratio = part.astype(float) / whole.astype(float).where(whole.astype(float) != 0)
        metric = catalogue()[name]
        parts = [catalogue()[one] for one in expand(name, frozenset())]
        if not self.whole_percents or (
            not any(one.counts in ("persons", "hours") for one in parts) and not metric.sample_size
        ):
            return ratio

        def to(steps: int) -> pd.Series:
            return np.floor(ratio.abs() * steps + 0.5 + 1e-9) / steps * np.sign(ratio)

        if metric.counts not in ("persons", "hours"):
            return to(100).mask(is_nearest(part) | is_nearest(whole))
        people = whole.astype(float) / metric.most_per_person
        return to(100).where(people >= 400, to(20)).where(people >= 100)

    def share(self, name: str) -> pd.Series:
        by = [self.unit] if self.unit and len(self.keys) > 1 else []
        total = self.asked(by)[[*by, name]].rename(columns={name: "total"})
        merged = self.frame.merge(total, on=by, how="left") if by else self.frame.assign(total=total.total.iloc[0])
        return self.divided(merged[name], merged.total, name)

    def whole_units(self, name: str) -> pd.Series:
        """Whether the unit of a row is counted from its first day to its last; a state is always."""
        if not self.unit or catalogue()[name].kind == "snapshot":
            return pd.Series(True, self.frame.index)
        months = self.frame[self.unit].map(first_month)
        first, last = self.raw.over
        begins, ends = months.map(day_of), (months + MONTHS[self.unit]).map(day_of) - timedelta(days=1)
        return (begins >= first) & (ends <= min(last, self.raw.publication.as_of))

    def without_nowruz(self, name: str, frame: pd.DataFrame) -> pd.Series:
        """Whether a number counts 12 months to 30 Esfand."""
        if not name.endswith("_12m"):
            return pd.Series(False, frame.index)
        if not self.unit:
            return pd.Series(str(JalaliDate(self.raw.on)).endswith("-12-30"), frame.index)
        ends = frame[self.unit].map(first_month) + MONTHS[self.unit]
        days = ends.map(day_of) - timedelta(days=1)
        return days.map(lambda day: str(JalaliDate(day)).endswith("-12-30") and day <= self.raw.publication.as_of)

    def change_since(self, name: str, months: int) -> pd.Series:
        now = self.frame[name].mask(is_nearest(self.frame[name])).astype(float)
        now = now.mask(self.without_nowruz(name, self.frame))
        begins = date.min
        if {"gender", "post", "veteran"} & catalogue()[name].dimensions:
            begins = self.con.execute("select min(hired_on) from spells").fetchone()[0]
        if self.unit:
            then = self.frame[self.unit].map(lambda label: first_month(label) - months)
            over = day_of(then.min()), day_of(then.max() + MONTHS[self.unit]) - timedelta(days=1)
            before = self.asked(self.keys, over=over)
            before[name] = before[name].mask(self.without_nowruz(name, before) | is_nearest(before[name]))
            key = self.frame[self.keys].assign(**{self.unit: then.map(lambda month: labelled(month, self.unit))})
            last = 0 if catalogue()[name].kind == "event" else MONTHS[self.unit]
            told = then.map(lambda month: day_of(month + last) - timedelta(days=bool(last))) >= begins
        else:
            on, over = (self.raw.on and earlier_day_of_state(self.raw.on)), None
            if self.raw.over:
                over = tuple(map(earlier_day, self.raw.over))
            before = self.asked(self.keys, on=on, over=over)
            before[name] = before[name].mask(is_nearest(before[name]))
            key, told = self.frame[self.keys], (over[0] if catalogue()[name].kind == "event" else on) >= begins
        if self.keys:
            was = key.merge(before[[*self.keys, name]], on=self.keys, how="left")[name].astype(float)
        else:
            was = before[name].astype(float)
        self.was = was.where(told & self.whole_units(name))
        return now - self.was

    def previous(self, name: str) -> pd.Series:
        return self.change_since(name, MONTHS[self.unit])

    def year(self, name: str) -> pd.Series:
        return self.change_since(name, 12)

    def rank(self, name: str) -> pd.Series:
        when = {"over": self.raw.over} if catalogue()[name].kind == "event" else {"on": self.raw.on}
        (by,) = self.keys
        sides = analyses.analyse(self.con, "different", where=self.raw.where, metric=name, by=by, **when).frame
        tested = self.frame[by].map(sides.set_index(by).side).fillna("untested") != "untested"
        return self.frame[name].astype(float).where(tested).rank(method="min", ascending=False)

    def grouped(self, values: pd.Series) -> Any:
        others = [name for name in self.keys if name != self.unit]
        ordered = values.loc[self.frame[self.unit].sort_values(kind="stable").index]
        groups = self.frame.loc[ordered.index, others]
        return ordered.groupby([groups[name] for name in others] or [0] * len(ordered), dropna=False)

    def index(self, name: str) -> pd.Series:
        values = self.frame[name].where(self.whole_units(name)).mask(self.without_nowruz(name, self.frame))
        return 100 * self.divided(values, self.grouped(values).transform("first").reindex(values.index), name)

    def running(self, name: str) -> pd.Series:
        values = self.frame[name].astype(float)
        known = self.grouped(values.isna()).cummax().reindex(values.index)
        return self.grouped(values).cumsum().reindex(values.index).mask(known.astype(bool))


def is_nearest(values: pd.Series) -> pd.Series:
    """Whether a share is to the nearest five per cent, beside which no difference is given."""
    return values.map(lambda value: isinstance(value, units.Nearest)).astype(bool)


def earlier_day_of_state(day: date) -> date:
    jalali = JalaliDate(day)
    return JalaliDate(
        jalali.year - 1, jalali.month, min(jalali.day, 29) if jalali.month == 12 else jalali.day
    ).to_gregorian()


def has_meaning(name: str, by: list[str], calc: str) -> bool:
    """What a person would say: shares and running totals of counts, changes of what has a history, ranks of rates."""
    metric, is_timed, groups = catalogue()[name], bool({*TIME} & {*by}), [one for one in by if one not in TIME]
    is_rate = bool(metric.denominator or metric.sample_size or metric.unit == "date")
    can_be_negative = name in ("coverage_gap", "net_change")
    if calc == "share":
        has_parts = bool(groups) or (is_timed and metric.kind == "event")
        return has_parts and not is_rate and not can_be_negative and name != "target"
    if calc == "running":
        return is_timed and metric.kind == "event" and not is_rate
    if calc == "rank":
        rates = metric.unit == "share" or metric.unit.startswith("per_1")
        is_of_institutes = "institute" in metric.dimensions and "covered" not in name and name != "pass_rate"
        return rates and is_of_institutes and groups == by and len(by) == 1 and by[0] not in ("institute", "course")
    if metric.unit == "date" or not metric.has_history or (calc == "index" and can_be_negative):
        return False
    return is_timed or calc == "year"


def question(chance: random.Random, calc: str) -> tuple[list[str], list[str], dict[str, Any]]:
    """Measures, dimensions, and when and of whom; for ranks mostly shares by one dimension."""
    is_rank = calc == "rank" and chance.random() < 0.8
    names = chance.sample(SHARES if is_rank else SHOWN, chance.choice([1, 1, 1, 2]))
    known = sorted(frozenset.intersection(*(catalogue()[name].groups for name in names)) - {*TIME})
    by = chance.sample(known, min(len(known), 1 if is_rank else chance.choice([0, 1, 1, 1, 2])))
    if chance.random() < 0.6 and not is_rank:
        by.insert(chance.randint(0, len(by)), chance.choice(["month", "quarter", "year"]))
    kinds = {catalogue()[name].kind for name in names}
    when: dict[str, Any] = {}
    if "event" in kinds or {*TIME} & {*by}:
        last = BUILD_DAY - timedelta(days=chance.randint(0, 500))
        first = last - timedelta(days=chance.choice([20, 200, 400, 900, 1500]))
        if chance.random() < 0.5:
            month = 12 * JalaliDate(last).year + JalaliDate(last).month - 1
            first, last = day_of(month - chance.choice([3, 12, 24, 36])), day_of(month) - timedelta(days=1)
        when["over"] = first, last
    if "snapshot" in kinds and not {*TIME} & {*by}:
        when["on"] = BUILD_DAY - timedelta(days=chance.choice([0, 100, 400, 800]))
    where = {}
    if all("gender" in catalogue()[name].dimensions for name in names) and chance.random() < 0.2:
        where["gender"] = [chance.choice(["male", "female"])]
    if all("province" in catalogue()[name].dimensions for name in names) and chance.random() < 0.2:
        where["province"] = chance.sample(["IR-07", "IR-10", "IR-14", "IR-23"], 2)
    return names, by, when | {"where": where}


def test_random_tables_are_what_pandas_makes_of_raw_answers(con: ScopedCursor) -> None:
    chance, seen = random.Random(58), dict.fromkeys((*CALCULATIONS, "refused", "rounded", "empty"), 0)
    tables = 0

    def asking(*names: str, **more: Any) -> Answer:
        return ask(con, *names, **more)

    def rounded(answer: Answer) -> Answer:
        return disclosure.for_circulation(answer, asking)

    while tables < TABLES:
        calc = chance.choice(CALCULATIONS)
        names, by, more = question(chance, calc)
        try:
            raw = ask(con, *names, by=by, **more)
        except QuestionError:
            continue
        if not 0 < len(raw.rows) <= 4000:
            continue
        meant = [name for name in names if has_meaning(name, by, calc)]
        if calc == "rank":
            meant = [name for name in meant if name not in WAITING]
        if not meant:
            with pytest.raises(QuestionError):
                quick_calculations.ask(con, *names, by=by, calc=calc, **more)
            seen["refused"] += 1
            continue
        tables += 1
        answer = quick_calculations.ask(con, *names, by=by, calc=calc, **more)
        assert isinstance(answer, Calculated)
        assert answer.without().rows == raw.rows
        assert answer.without().columns == raw.columns
        is_rounded = chance.random() < 0.3
        change = rounded if is_rounded else (lambda answer: answer)
        if not (shown := change(answer)).rows:
            continue
        assert {f"{name}_{calc}" for name in meant} == {*answer.columns} - {*raw.columns} - {
            column for column in answer.columns if column.endswith("_percent")
        }
        second = Second(con, raw, names, change)
        assert shown.column(names[0]) == second.frame[names[0]].where(second.frame[names[0]].notna(), None).tolist()
        for name in meant:
            assert shown.columns[shown.columns.index(name) + 1] == f"{name}_{calc}", "beside its measure"
            wanted = second.column(calc, name).astype(float).to_numpy()
            given = pd.Series(shown.column(f"{name}_{calc}"), dtype=object).astype(float).to_numpy()
            np.testing.assert_allclose(given, wanted, rtol=1e-9, atol=1e-9, err_msg=f"{name} by {by}, {calc}, {more}")
            seen[calc] += 1
            seen["rounded"] += is_rounded
            seen["empty"] += bool(np.isnan(wanted).any())
            if f"{name}_{calc}_percent" in shown.columns:
                wanted = second.divided(pd.Series(wanted), second.was, name).to_numpy()
                given = pd.Series(shown.column(f"{name}_{calc}_percent"), dtype=object).astype(float).to_numpy()
                np.testing.assert_allclose(given, wanted, rtol=1e-9, atol=1e-9, err_msg=f"{name} by {by}, {more}")
    assert min(seen.values()) >= TABLES // 60, seen


# ---------------------------------------------------------------- single rules


def test_who_serves_twice_counts_once_in_the_total_and_the_shares_add_up_to_more_than_all(con: ScopedCursor) -> None:
    answer = quick_calculations.ask(con, "in_service", by=("institute",), calc="share")
    total = ask(con, "in_service").value()
    assert sum(answer.column("in_service")) > total, "somebody serves in two institutes"
    assert answer.column("in_service_share") == [count / total for count in answer.column("in_service")]
    assert sum(answer.column("in_service_share")) > 1


def by_year(*rows: tuple[str, str | None, int | None]) -> Answer:
    return made.answer("joiners", by=("year", "gender"), rows=[*rows], over=(day_of(12 * 1400), day_of(12 * 1404)))


def test_a_gap_of_two_years_stays_a_gap() -> None:
    answer = by_year(
        ("1400", "female", 4), ("1400", "male", 9), ("1401", "male", 7), ("1403", "female", 6), ("1403", "male", 5)
    )
    before = {"joiners": {"1401": "1400", "1402": "1401", "1403": "1402"}}
    made_of = calculated(answer, Calculation("previous", ("joiners",), "year", earlier=answer, before=before))
    assert made_of.column("joiners_previous") == [None, None, -2, None, None]
    assert made_of.column("joiners_previous_percent") == [None, None, -2 / 9, None, None]


def test_an_index_begins_where_a_group_has_its_first_number_and_has_none_behind_a_zero() -> None:
    answer = by_year(("1400", "male", 0), ("1401", "female", 4), ("1401", "male", 8), ("1403", "female", 6))
    index = calculated(answer, Calculation("index", ("joiners",), "year")).column("joiners_index")
    assert index == [None, 100, None, 150]


def test_a_running_total_goes_on_over_a_gap_and_ends_behind_a_number_that_is_left_out() -> None:
    answer = by_year(
        ("1400", "female", 4), ("1400", "male", 9), ("1402", "female", 6), ("1402", "male", None), ("1403", "male", 1)
    )
    running = calculated(answer, Calculation("running", ("joiners",), "year")).column("joiners_running")
    assert running == [4, 9, 10, None, None]


def test_equal_groups_share_a_rank_and_untested_ones_have_none() -> None:
    answer = made.answer(
        "training_compliance",
        by=("province",),
        rows=[("IR-00", 0.8), ("IR-01", 0.9), ("IR-02", 0.8), ("IR-03", 0.7), ("IR-04", 1.0)],
    )
    tested = {"training_compliance": frozenset((f"IR-0{number}",) for number in range(4))}
    ranked = calculated(answer, Calculation("rank", ("training_compliance",), tested=tested))
    assert ranked.column("training_compliance_rank") == [2, 1, 2, 4, None]


@pytest.mark.parametrize(
    ("name", "by", "calc", "reason"),
    [
        ("training_compliance", ("province",), "share", "share_of_rate"),
        ("time_to_licence_median", ("province",), "share", "share_of_rate"),
        ("net_change", ("province",), "share", "share_of_rate"),
        ("target", ("province",), "share", "share_of_rate"),
        ("joiners", (), "share", "no_groups"),
        ("active_assistants", ("month",), "share", "no_groups"),
        ("active_assistants", ("province",), "previous", "no_time"),
        ("active_assistants", ("province",), "index", "no_time"),
        ("joiners", ("province",), "running", "no_time"),
        ("active_assistants", ("month",), "running", "stock"),
        ("training_compliance", ("month",), "running", "stock"),
        ("renewal_rate", ("month",), "running", "rate"),
        ("time_to_licence_median", ("month",), "running", "rate"),
        ("licensed_until", ("province",), "year", "no_number"),
        ("coverage_gap", ("month",), "index", "difference"),
        ("smart_service_share", ("month",), "previous", "no_history"),
        ("active_assistants", ("province",), "rank", "untested"),
        ("training_compliance", ("institute",), "rank", "untested"),
        ("training_compliance", ("month",), "rank", "untested"),
        ("training_compliance", ("province", "gender"), "rank", "untested"),
        ("leaver_rate_12m", ("province",), "rank", "unsettled"),
    ],
)
def test_a_calculation_without_meaning_is_refused_with_its_reason(
    name: str, by: tuple[str, ...], calc: str, reason: str, con: ScopedCursor
) -> None:
    sentence = re.escape(quick_calculations.REASONS[reason].format(measure=name, calc=calc))
    with pytest.raises(QuestionError, match=f"^{sentence}$"):
        quick_calculations.ask(con, name, by=by, calc=calc)


@pytest.mark.parametrize("seen", [0, 120, 375], ids=["now", "a season ago", "at the end of a leap year"])
def test_what_can_still_change_is_ranked_at_the_end_of_a_settled_month_by_the_same_test(
    seen: int, con: ScopedCursor
) -> None:
    asked = con.publication.as_of - timedelta(days=seen)
    day = settled_on(con, "leaver_rate_12m", asked)
    assert day is not None
    answer = quick_calculations.ask(con, "leaver_rate_12m", by=("province",), on=day, calc="rank")
    tested = analyses.analyse(con, "different", on=asked, metric="leaver_rate_12m", by="province")
    assert tested.on == answer.on == day
    frame = tested.frame.set_index("province")
    values = pd.Series(answer.column("leaver_rate_12m"), index=answer.column("province"), dtype=float)
    wanted = values.where(frame.side.reindex(values.index) != "untested").rank(method="min", ascending=False)
    assert answer.column("leaver_rate_12m_rank") == wanted.astype(object).where(wanted.notna(), None).tolist()
    assert wanted.notna().any()


def test_beside_a_measure_with_a_meaning_one_without_is_left_as_it_is(con: ScopedCursor) -> None:
    answer = quick_calculations.ask(con, "training_compliance", "active_assistants", by=("province",), calc="share")
    parts = ("compliant_assistants", "trainable_assistants")
    assert answer.columns == ("province", "training_compliance", "active_assistants", "active_assistants_share", *parts)
    assert answer.measures == ["training_compliance", "active_assistants"]


def test_over_one_month_a_change_is_that_of_the_month_before_which_the_table_does_not_show(con: ScopedCursor) -> None:
    month = day_of(12 * 1404 + 10), day_of(12 * 1404 + 11) - timedelta(days=1)
    earlier = day_of(12 * 1404 + 9), day_of(12 * 1404 + 10) - timedelta(days=1)
    answer = quick_calculations.ask(con, "joiners", by=("month",), over=month, calc="previous")
    now, then = (ask(con, "joiners", over=over).value() for over in (month, earlier))
    assert answer.rows == [("1404-11", now, now - then, (now - then) / then)]


def test_twelve_months_without_a_nowruz_are_compared_with_no_others(con: ScopedCursor) -> None:
    over = day_of(12 * 1403 + 10), day_of(12 * 1404 + 2) - timedelta(days=1)
    for calc, empty in (("previous", [False, True, True, False]), ("index", [False, True, False, False])):
        answer = quick_calculations.ask(con, "leaver_rate_12m", by=("month",), over=over, calc=calc)
        assert answer.column("month") == ["1403-11", "1403-12", "1404-01", "1404-02"]
        assert [value is None for value in answer.column(f"leaver_rate_12m_{calc}")] == empty


def test_what_the_total_holds_is_within_the_rights_of_the_person(con: ScopedCursor) -> None:
    with cursor_for(con.whole, OF_ISFAHAN) as own:
        counties = quick_calculations.ask(own, "active_assistants", by=("county",), calc="share")
        total = ask(con, "active_assistants", where={"province": ["IR-10"]}).value()
        assert counties.column("active_assistants_share") == [n / total for n in counties.column("active_assistants")]
        provinces = quick_calculations.ask(own, "active_assistants", by=("province",), calc="share")
        assert provinces.rows == quick_calculations.ask(con, "active_assistants", by=("province",), calc="share").rows
        women = quick_calculations.ask(
            own, "active_assistants", by=("province",), calc="share", where={"gender": ["female"]}
        )
        assert [row[0] for row in women.rows] == ["IR-10"]
        assert women.column("active_assistants_share") == [1.0], "of the own province alone"
        with pytest.raises(AccessDenied):
            quick_calculations.ask(
                own, "training_compliance", by=("province",), calc="rank", where={"gender": ["female"]}
            )
