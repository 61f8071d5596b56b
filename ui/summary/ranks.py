"""One province beside the nation by each measure, and on which side it clearly is."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from etl.analysis.comparison import median_of_provinces
from etl.semantic.answers import Answer
from ui.i18n import text
from ui.summary import different
from ui.summary.sources import Sources

COMPARED = (
    "coverage_per_10k",
    "training_compliance",
    "leaver_rate_12m",
    "within_25_days_share",
    "judicial_officer_share",
)
# The headings of the cells of a row.
HEADS = ("profile.here", "figure.nation_line", "profile.side")


def rows(sources: Sources, everywhere: Mapping[str, Answer], similar: Collection[str] = ()) -> list[list[str]]:
    """In words: the measure, the numbers of the province and the nation, and whether they clearly differ.

    `everywhere` has the provinces of each measure against the nation. With `similar` provinces their median is the last cell.
    """
    lines = []
    for answer in everywhere.values():
        metric = answer.metrics[0]
        label = metric.label[sources.lang]
        if answer.on and answer.on != sources.on:
            label = sources.word("change.settled", label=label, day=sources.day(answer.on))
        row = next((row for row in answer.records() if row["province"] == sources.province), None)
        side = row["side"] if row else "untested"
        numbers = [row[name] if row else None for name in (metric.name, "whole_value")]
        whole = sources.word(f"different.{different.whole_of(answer)}")
        lines.append(
            [
                label,
                *(text.plain(value, metric.unit, sources.lang) for value in numbers),
                sources.word(f"different.{side}", whole=whole),
            ]
        )
        if similar:
            median = median_of_provinces(replace(answer, rows=[row for row in answer.rows if row[0] in similar]))
            value = median.value(metric.name) if median.rows else None
            lines[-1].append(text.plain(value, metric.unit, sources.lang))
    return lines
