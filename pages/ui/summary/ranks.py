"""The rank of one province by each measure, if etl.semantic.ranking allows one."""

from dataclasses import dataclass
from datetime import date

from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import Ranking, rank
from pages.ui.summary.sources import Sources


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


def _rank(name: str, places: Answer, nation: Answer, province: str) -> Rank:
    metric = next(metric for metric in places.metrics if metric.name == name)
    value = next((row[name] for row in places.records() if row["province"] == province), None)
    ranking = rank(places, name)
    place = _place(ranking, province, metric)
    return Rank(metric, value, nation.value(name), place, len(ranking.ranked), places.on)


def _place(ranking: Ranking, province: str, metric: Metric) -> int | None:
    """The rank: 1 is the best by the metric's direction, or the highest without one; equal values share a rank."""
    value = next((group.value for group in ranking.ranked if group.key == (province,)), None)
    if value is None:
        return None
    sign = -1 if metric.direction == "down" else 1
    return 1 + sum(sign * group.value > sign * value for group in ranking.ranked)
