"""The rank of one province by each measure, if etl.semantic.ranking allows one."""

from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import Ranking, is_noise, rank
from ui.i18n import text
from ui.summary.sources import Sources

RANKED = (
    "coverage_per_10k",
    "training_compliance",
    "leaver_rate_12m",
    "within_25_days_share",
    "judicial_officer_share",
)
# The headings of the numbers of a row.
HEADS = ("profile.here", "figure.nation_line", "profile.rank")


def rows(sources: Sources, everywhere: dict[str, tuple[Answer, Answer]]) -> list[list[str]]:
    """The ranks in words: the measure, the numbers of the province and the nation, and the place among how many.

    `everywhere` has the answers of each measure by province and for the nation.
    """
    lines = []
    for name, (places, nation) in everywhere.items():
        metric, ranking = places.metrics[0], rank(places, name)
        label = metric.label[sources.lang]
        if places.on and places.on != sources.on:
            label = sources.word("change.settled", label=label, day=sources.day(places.on))
        here = next((row[name] for row in places.records() if row["province"] == sources.province), None)
        numbers = [text.plain(value, metric.unit, sources.lang) for value in (here, nation.value(name))]
        # Without the other provinces there is nothing to rank.
        at = None if places.left_out else place(ranking, sources.province, metric)
        if at is None:
            rank_in_words = sources.word("profile.no_rank")
        elif is_noise(places):
            rank_in_words = sources.word("profile.alike")
        else:
            count = sources.number(len(ranking.ranked))
            rank_in_words = sources.word("profile.of", place=sources.number(at), count=count)
        lines.append([label, *numbers, rank_in_words])
    return lines


def place(ranking: Ranking, province: str, metric: Metric) -> int | None:
    """The rank: 1 is the best by the metric's direction, or the highest without one; equal values share a rank.

    None without a comparison: the province, or every other one, is too small.
    """
    value = next((group.value for group in ranking.ranked if group.key == (province,)), None)
    if value is None or len(ranking.ranked) == 1:
        return None
    sign = -1 if metric.direction == "down" else 1
    return 1 + sum(sign * group.value > sign * value for group in ranking.ranked)
