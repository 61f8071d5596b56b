"""The rank of one province by each measure, if etl.semantic.ranking allows one."""

from dataclasses import dataclass
from datetime import date

from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import Ranking, rank
from pages.ui.i18n import text
from pages.ui.summary.sources import Sources

RANKED = (
    "coverage_per_10k",
    "training_compliance",
    "leaver_rate_12m",
    "within_25_days_share",
    "judicial_officer_share",
)
# The headings of the numbers of a row.
HEADS = ("profile.here", "figure.nation_line", "profile.rank")


@dataclass(frozen=True)
class Rank:
    """A measure of a province and the nation. `place` of `count` (1 is the best) is None if ranking is not allowed."""

    metric: Metric
    value: float | None
    nation: float | None
    place: int | None
    count: int
    settled_on: date | None


def ranks(sources: Sources, everywhere: dict[str, tuple[Answer, Answer]]) -> list[Rank]:
    """The ranks of the province by measures with answers by province and for the nation."""
    return [_rank(name, *answers, sources.province) for name, answers in everywhere.items()]


def rows(sources: Sources, everywhere: dict[str, tuple[Answer, Answer]]) -> list[list[str]]:
    """The ranks in words: the measure, the numbers of the province and the nation, and the place among how many."""
    lines = []
    for measure in ranks(sources, everywhere):
        place = sources.word("profile.no_rank")
        if measure.place is not None:
            place = sources.word("profile.of", place=sources.number(measure.place), count=sources.number(measure.count))
        label = measure.metric.label[sources.lang]
        if measure.settled_on and measure.settled_on != sources.on:
            label = sources.word("change.settled", label=label, day=sources.day(measure.settled_on))
        numbers = [text.plain(value, measure.metric.unit, sources.lang) for value in (measure.value, measure.nation)]
        lines.append([label, *numbers, place])
    return lines


def _rank(name: str, places: Answer, nation: Answer, province: str) -> Rank:
    metric = next(metric for metric in places.metrics if metric.name == name)
    value = next((row[name] for row in places.records() if row["province"] == province), None)
    ranking = rank(places, name)
    place = _place(ranking, province, metric)
    return Rank(metric, value, nation.value(name), place, len(ranking.ranked), places.on)


def _place(ranking: Ranking, province: str, metric: Metric) -> int | None:
    """The rank: 1 is the best by the metric's direction, or the highest without one; equal values share a rank.

    None without a comparison: the province, or every other one, is too small.
    """
    value = next((group.value for group in ranking.ranked if group.key == (province,)), None)
    if value is None or len(ranking.ranked) == 1:
        return None
    sign = -1 if metric.direction == "down" else 1
    return 1 + sum(sign * group.value > sign * value for group in ranking.ranked)
