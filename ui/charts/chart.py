"""A chart: how to draw it, its title rule, and the options it needs besides the answer; drawn, it is cached with its answer.

A chart declares its needs where it is defined, so that no other module distinguishes charts by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import TIME, size_of
from etl.semantic.ranking import comparable
from ui.charts import elements
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title, TitleRule
from ui.i18n import text

# The rows that the text alternative of a long chart names at each end.
_SPOKEN_ROWS = 3


@dataclass(frozen=True, eq=False)
class Chart:
    """A function that draws an answer, with its declared needs."""

    draw: Callable[..., Figure]
    # The title rule, unless the page passes another one.
    title: TitleRule
    # Takes the groups named in the title (`focus`).
    names_groups: bool = False
    # Always shows all provinces; takes the selected ones (`chosen`).
    whole_country: bool = False
    # Runs over time; takes the events in its range (`events`).
    has_events: bool = False
    # Its areas show by what it compares, so the line below its title does not say it.
    is_map: bool = False
    # Compares groups; a single group is shown as a trend instead.
    compares: bool = False
    # The rows that its text alternative chooses from, in the order in which it shows them.
    order: Callable[[Answer], Sequence[tuple[Any, ...]]] = attrgetter("rows")

    def __call__(self, answer: Answer, context: ChartContext, *positional: Any, **options: Any) -> Figure:
        return self.draw(comparable(answer), context, *positional, **options)

    def titled(self, answer: Answer, context: ChartContext, title: Title, options: Mapping[str, Any]) -> Figure:
        """The figure of an answer under its title; `options` are those of the chart besides it."""
        focus = {"focus": title.focus} if self.names_groups else {}
        return self(answer, context, **{**focus, **options})


def chart(title: TitleRule, **needs: Any) -> Callable[[Callable[..., Figure]], Chart]:
    """Declare a function as a chart."""
    return lambda draw: Chart(draw, title, **needs)


@lru_cache(maxsize=800)
def drawn_chart(
    answer: Answer, chart: Chart, context: ChartContext, title: Title, below: str, options: tuple[tuple[str, Any], ...]
) -> tuple[Figure, str]:
    """The figure of an answer and its text for screen readers; `options` are the items of a mapping."""
    return chart.titled(answer, context, title, dict(options)), spoken(answer, chart, context, title, below)


def spoken(answer: Answer, chart: Chart, context: ChartContext, finding: Title, subtitle: str) -> str:
    """The text alternative of a chart: its finding, its subtitle, and its rows in words.

    Of many rows these are the few that the finding names, and the first and the last ones that are large enough to rank.
    """
    answer = comparable(answer)
    # One bar or area stands for the first metric alone.
    metrics = answer.metrics[:1] if chart.compares else [one for one in answer.metrics if one.unit != "text"]
    rows = list(chart.order(answer))
    if len(rows) > 2 * _SPOKEN_ROWS:
        large = [row for row in rows if _known(answer, metrics, row) and _small(answer, row) is None] or rows
        ends = [*large[:_SPOKEN_ROWS], *large[-_SPOKEN_ROWS:]]
        focus = finding.focus if len(answer.by) == 1 and len(finding.focus) <= 2 * _SPOKEN_ROWS else ()
        rows = [row for row in rows if row in ends or row[0] in focus]
    said = [_in_words(answer, metrics, row, context) for row in rows]
    return ". ".join((finding.sentence, subtitle, *(said if len(metrics) > 1 else [text.clauses(said, context.lang)])))


def _known(answer: Answer, metrics: Sequence[Metric], row: tuple[Any, ...]) -> list[tuple[Metric, Any]]:
    values = [(metric, row[answer.columns.index(metric.name)]) for metric in metrics]
    return [(metric, value) for metric, value in values if value is not None]


def _small(answer: Answer, row: tuple[Any, ...]) -> float | None:
    """The size of a group that is too small to rank; units of time are not ranked."""
    return None if {*TIME} & {*answer.by} else elements.size_below(answer, answer.metrics[0], row)


def _in_words(answer: Answer, metrics: Sequence[Metric], row: tuple[Any, ...], context: ChartContext) -> str:
    """The name of a row; its values, each after its measure where there are several; and whether it is too small to rank."""
    lang, words = context.lang, []
    for metric, value in _known(answer, metrics, row):
        name = f"{text.inside(metric.short[lang], lang)} " if len(metrics) > 1 else ""
        words.append(name + text.plain(value, metric.unit, lang))
    small = _small(answer, row)
    # A count is its own group size.
    if small is not None and size_of(metrics[0]) != metrics[0].name:
        words[0] += f" ({context.word('figure.few', count=text.number(small, lang))})"
    # A number is not the name of a member: "Months since joining 12".
    kinds = [
        f"{context.word(f'dimension.{axis}')} " if isinstance(row[i], int) else "" for i, axis in enumerate(answer.by)
    ]
    names = [kind + context.named(axis, row[i]) for i, (axis, kind) in enumerate(zip(answer.by, kinds, strict=True))]
    return ": ".join(filter(None, (text.listed(names, lang), text.clauses(words, lang) or "–")))
