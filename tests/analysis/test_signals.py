"""Signals: funnels and XmR charts against published examples, planted breaks, false signals."""

from __future__ import annotations

import re
import statistics
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats.mstats import winsorize
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from etl import synthetic
from etl.analysis import signals
from etl.core import jalali
from etl.core.errors import QuestionError
from etl.semantic import answers
from etl.synthetic.people import joining_days, last_days
from etl.synthetic.world import NEVER
from ui.i18n import text

DAY = date(2026, 6, 30)
# Operations on children under one year and deaths within 30 days, by centre, 1991 to 1995: D. J. Spiegelhalter, P. Aylin,
# N. G. Best, S. J. W. Evans, G. D. Murray (2002), Journal of the Royal Statistical Society A 165. Facts, no licence. What was
# published of them: 12 % of all and 29 % in Bristol died (P. Aylin et al. (2004), BMJ 329:825), 24.1 (12 to 34) of Bristol's
# 41 deaths were in excess (P. Aylin et al. (2001), Lancet 358:181).
CENTRES = [
    ("Bristol", 41, 143), ("Leicester", 25, 187), ("Leeds", 24, 323), ("Oxford", 23, 122), ("Guys", 25, 164),
    ("Liverpool", 42, 405), ("Southampton", 24, 239), ("Great Ormond St", 53, 482), ("Newcastle", 26, 195),
    ("Harefield", 25, 177), ("Birmingham", 58, 581), ("Brompton", 31, 301),
]  # fmt: skip
FRAME = pd.DataFrame(CENTRES).set_index(0)
# Chips that fail among the 50 of each of 30 wafers, NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2 (a work of the
# United States government, free of copyright), with its limits of 3 standard errors. The funnel without over-dispersion has
# these limits ("in close analogy to Shewhart control charts", D. J. Spiegelhalter (2005), Statistics in Medicine 24:1185).
WAFERS = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
]  # fmt: skip
# Flow rates of the NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2, and its limits.
FLOW_RATES = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


# ---------------------------------------------------------------- the methods


def test_only_bristol_stands_out_in_the_funnel_of_childrens_heart_centres() -> None:
    funnel = signals.funnel(FRAME)
    assert funnel is not None
    assert f"{funnel.common:.0%}" == "12%"
    bristol = funnel.points.iloc[0]
    assert (bristol.name, f"{bristol.share:.0%}") == ("Bristol", "29%")
    assert bristol.beyond == pytest.approx(24.1, abs=0.3)
    assert _signals(funnel) == ["Bristol"]


def test_the_limits_without_over_dispersion_are_those_of_the_handbook() -> None:
    funnel = signals.funnel(pd.DataFrame({"failed": WAFERS, "chips": 50}, index=range(1, 31)))
    assert funnel is not None
    assert round(funnel.common, 4) == 0.2313
    low, high = signals.Funnel(funnel.common, 1, funnel.points).limits(50)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.4102)
    # Wafers 15 and 23 are beyond them.
    beyond = set(funnel.points.index[~funnel.points["share"].between(low, high)])
    assert beyond == {15, 23} == set(funnel.points.index[funnel.points["z"].abs() > signals.STANDARD_ERRORS])


def test_over_dispersion_is_that_of_two_libraries() -> None:
    """Pearson's statistic divided by the number of groups, without Winsorising, and with SciPy's Winsorised scores."""
    funnel = signals.funnel(FRAME)
    assert funnel is not None
    scores = funnel.points["z"].to_numpy()
    deaths, operations = (np.array([centre[at] for centre in CENTRES]) for at in (1, 2))
    binomial = GLM(np.c_[deaths, operations - deaths], np.ones((len(CENTRES), 1)), family=families.Binomial()).fit()
    assert (scores**2).mean() == pytest.approx(binomial.pearson_chi2 / len(CENTRES))
    assert funnel.phi == pytest.approx(float((winsorize(scores, (0.1, 0.1)) ** 2).mean()))


def test_the_funnel_by_hand() -> None:
    """The formulas of Spiegelhalter (2005) step by step: 12 centres, one Winsorised at each end."""
    common = 397 / 3319
    z = {name: (deaths / n - common) / (common * (1 - common) / n) ** 0.5 for name, deaths, n in CENTRES}
    ordered = sorted(z.values())
    winsorised = [ordered[1], *ordered[1:-1], ordered[-2]]
    phi = statistics.fmean(score**2 for score in winsorised)
    assert phi > 1
    funnel = signals.funnel(FRAME)
    assert funnel is not None
    assert funnel.phi == pytest.approx(phi)
    for name, point in funnel.points.iterrows():
        assert point.z == pytest.approx(z[name])
        low, high = funnel.limits(point["count"])
        wide = 3 * (phi * common * (1 - common) / point["count"]) ** 0.5
        assert (low, high) == (pytest.approx(max(0, common - wide)), pytest.approx(common + wide))
        assert point.is_signal == (not low <= point.share <= high)


def test_winsorising_moves_a_tenth_at_each_end() -> None:
    values = [5.0, -40.0, 1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 90.0]
    assert sorted(signals.winsorised(values)) == [1, 1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert sorted(signals.winsorised(values[:9])) == sorted(values[:9]), (
        "a tenth of nine groups is none: nothing is Winsorised"
    )


def test_groups_that_differ_less_than_by_chance_get_the_limits_of_chance() -> None:
    even = dict.fromkeys("abcdefghij", (100.0, 1000.0))
    funnel = signals.funnel(_frame(even | {"k": (130.0, 1000.0)}))
    assert funnel is not None
    assert funnel.phi == 1
    assert signals.funnel(_frame({"a": (0, 0), "b": (0, 0)})) is None
    none = signals.funnel(_frame({"a": (0, 10), "b": (0, 99)}))
    assert none is not None
    assert not _signals(none)


def test_a_group_that_is_too_small_is_no_signal() -> None:
    groups = _frame(dict.fromkeys("abcdefghij", (500.0, 1000.0)) | {"small": (22.0, 22.0)})
    alone, ruled = signals.funnel(groups), signals.funnel(groups, smallest=23)
    assert alone is not None
    assert ruled is not None
    assert _signals(alone) == ["small"]
    assert not _signals(ruled)


def _frame(groups: dict[str, tuple[float, float]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(groups, orient="index")


def _signals(funnel: signals.Funnel) -> list[str]:
    return list(funnel.points.index[funnel.points["is_signal"]])


def _false_levels(correlation: float, runs: int) -> tuple[float, float]:
    """False signals a day among 31 equal provinces of 50 institutes of 30, with institutes as clusters and without."""
    chance, counts = np.random.default_rng(5), np.zeros(2)
    spread = 1 / correlation - 1
    for _ in range(runs):
        hits = chance.binomial(30, chance.beta(0.85 * spread, 0.15 * spread, (31, 50)))
        frame = pd.DataFrame({"part": hits.ravel(), "count": 30, "province": np.repeat(np.arange(31), 50)})
        groups = frame.groupby("province").sum()
        for at, floor in enumerate((signals.chance(frame, "part", "count"), 1.0)):
            counts[at] += len(_signals(signals.funnel(groups, chance=floor)))
    return tuple(counts / runs)


@pytest.mark.slow
def test_institutes_as_clusters_leave_as_few_false_levels_as_independent_people() -> None:
    with_clusters, without = _false_levels(0.05, 200)
    assert with_clusters < 0.15 < without


def test_limits_follow_the_volume_of_the_month() -> None:
    """Of 31 equal provinces a small month has no more false signals than others; limits of shares alone have three times."""
    chance = np.random.default_rng(7)
    false = np.zeros((2, 2))
    for _ in range(300):
        volumes = np.tile([1.0] * 11 + [0.6], 2)
        for last in (0, 1):
            flows = chance.poisson(50 * np.roll(volumes, last), (31, 24))
            totals = flows.sum(0)
            low, _, high = signals.share_limits(flows, totals)
            plain_low, _, plain_high = signals.process_limits(flows / totals)
            share = flows[:, -1] / totals[-1]
            false[last] += [
                ((share < low[:, -1]) | (share > high[:, -1])).sum(),
                ((share < plain_low) | (share > plain_high)).sum(),
            ]
    (small, small_before), (other, other_before) = false / 300 / 31 * 200
    print(f"per 200 provinces: small month {small:.1f} ({small_before:.1f}), other {other:.1f} ({other_before:.1f})")
    assert small < 1.5 * other
    assert small_before > 2.5 * other_before


def test_the_limits_of_a_series_are_those_of_the_handbook() -> None:
    low, middle, high = signals.process_limits(np.array(FLOW_RATES))
    assert round(middle, 2) == 50.81
    assert (round(low, 4), round(high, 4)) == (45.8159, 55.8041)


@pytest.mark.filterwarnings("error")
def test_a_single_month_has_no_limits() -> None:
    low, common, high = signals.share_limits(np.array([[1.0], [3.0]]), np.array([[4.0]]))
    assert common.tolist() == [[0.25], [0.75]]
    assert np.isnan(low).all()
    assert np.isnan(high).all()


# ---------------------------------------------------------------- on the made-up register


def _flows(name: str) -> np.ndarray:
    """Persons joining or leaving by province and month, 72 months, at the scale of the country."""
    frame = synthetic.frame(1, 7, DAY)
    first, last = jalali.last_complete_months(DAY, 72)
    edges = [unit.first.toordinal() for unit in jalali.units_between(first, last, "month")] + [last.toordinal() + 1]
    days = []
    for place in range(31):
        chance = frame.rng(9, place)
        hired = joining_days(frame, place, chance)
        left = last_days(frame, place, hired, chance)
        days.append(hired if name == "joiners" else left[left < NEVER] + 1)
    return np.array([np.histogram(dates, edges)[0] for dates in days])


@pytest.fixture(scope="module")
def flows() -> dict[str, np.ndarray]:
    return {name: _flows(name) for name in ("joiners", "leavers")}


def _has_signal(flow: np.ndarray, place: int, month: int) -> bool:
    """Whether the last of the 24 months up to `month` is a signal."""
    months = slice(month - signals.MONTHS + 1, month + 1)
    low, _, high = signals.share_limits(flow[place, months], flow.sum(0)[months])
    return not low[-1] <= flow[place, month] / flow.sum(0)[month] <= high[-1]


def _false_signals(flow: np.ndarray) -> int:
    """The share of false signals in 24 months of 31 provinces without a planted break."""
    return sum(_has_signal(flow, place, month) for month in range(48, 72) for place in range(31))


def _detection_rate(flow: np.ndarray, is_loss: bool) -> float:
    """The share of planted breaks found within three months: a third of a province's flow gone, or doubled.

    One break from one month on: each province, three months.
    """
    chance, hits = np.random.default_rng(1), []
    for place in range(31):
        for month in (44, 50, 56):
            broken = flow.copy()
            rest = broken[place, month:]
            broken[place, month:] = chance.binomial(rest, 2 / 3) if is_loss else 2 * rest
            hits.append(any(_has_signal(broken, place, then) for then in range(month, month + 3)))
    return sum(hits) / len(hits)


@pytest.mark.slow
def test_nine_of_ten_planted_breaks_of_joiners_are_found_with_at_most_one_false_signal_a_month(flows) -> None:
    assert 0 < _false_signals(flows["joiners"]) <= 24
    assert _detection_rate(flows["joiners"], is_loss=True) >= 0.9
    assert _detection_rate(flows["joiners"], is_loss=False) >= 0.9


def test_methods_says_how_many_planted_breaks_are_found(flows) -> None:
    """At this size a loss of a third is not detected: leavers are too few, and joiners vary as much by chance."""
    by_chance = np.random.default_rng(3).poisson(flows["joiners"])
    rates = [str(_false_signals(flows["joiners"]))]
    for flow in (flows["joiners"], by_chance, flows["leavers"]):
        rates += [f"{_detection_rate(flow, is_loss):.0%}" for is_loss in (True, False)]
    assert [re.findall(r"\d+%|\b11\b", text.word("how.signals_tried", "en"))] == [rates]
    persian = [text.digits(figure.replace("%", "٪"), "fa") for figure in rates]
    assert re.findall(r"[۰-۹]+٪|\b۱۱\b", text.word("how.signals_tried", "fa")) == persian


def test_a_change_of_the_whole_country_is_no_signal(flows) -> None:
    flow = flows["joiners"]
    halved = flow * 2
    halved[:, 60] //= 2
    assert [_has_signal(halved, place, 60) for place in range(31)] == [
        _has_signal(flow, place, 60) for place in range(31)
    ]


# ---------------------------------------------------------------- as answers


def test_levels_are_those_of_the_metric_by_province(con) -> None:
    answer = signals.level_signals(con)
    levels = {row["province"]: row for row in answer.records()}
    rows = answers.ask(con, "training_compliance", by=("province",)).records()
    nation = answers.ask(con, "training_compliance").value()
    assert len(levels) == sum(bool(row["trainable_assistants"]) for row in rows) > 20
    for row in rows:
        if row["trainable_assistants"]:
            level = levels[row["province"]]
            assert level["training_compliance"] == row["training_compliance"]
            beyond = row["compliant_assistants"] - nation * row["trainable_assistants"]
            assert level["beyond_common"] == pytest.approx(beyond)
            is_outside = not level["funnel_low"] <= level["training_compliance"] <= level["funnel_high"]
            assert level["is_signal"] == (is_outside and row["trainable_assistants"] >= 23)
    sizes = [abs(distance) for distance in answer.column("beyond_common")]
    assert sizes == sorted(sizes, reverse=True)


def test_a_level_that_may_still_change_is_asked_on_the_settled_month(con) -> None:
    answer = signals.level_signals(con, name="early_attrition")
    assert answer.on is not None
    assert (answer.publication.as_of - answer.on).days >= 89
    assert jalali.unit_of(answer.on, "month").last == answer.on


def test_changes_are_shares_of_the_nations_settled_months(con) -> None:
    answer = signals.change_signals(con, name="leavers")
    assert answer.metrics[0].label == {"fa": "سهم از کشور (خروج از خدمت)", "en": "Share of the nation (Leavers)"}
    assert answer.over is not None
    assert (answer.publication.as_of - answer.over[1]).days >= 89
    rows = answer.records()
    by_month: dict[str, float] = {}
    for row in rows:
        by_month[row["month"]] = by_month.get(row["month"], 0) + row["flow_share"]
        assert row["flow_share"] == row["flow_here"] / row["flow_nation"]
        assert row["is_signal"] == (not row["flow_low"] <= row["flow_share"] <= row["flow_high"])
        assert 0 <= row["flow_low"] <= row["flow_middle"] <= row["flow_high"] <= 1
    assert len(by_month) == signals.MONTHS
    assert all(total == pytest.approx(1) for total in by_month.values())


def test_signals_of_other_measures_or_of_a_short_register_are_refused(con) -> None:
    # All counties are counted, and none of them by chance.
    for name in ("active_assistants", "no_such", "coverage_per_10k", "renewal_rate", "counties_covered"):
        with pytest.raises(QuestionError, match="no share"):
            signals.level_signals(con, name=name)
    # Of a median and of a difference no province has a share.
    for name in ("in_service", "no_such", "time_to_licence_median", "net_change"):
        with pytest.raises(QuestionError, match="no count"):
            signals.change_signals(con, name=name)
    with pytest.raises(QuestionError, match="the register has fewer"):
        signals.change_signals(con, on=date(2015, 1, 1))
