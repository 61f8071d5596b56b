"""Titles of charts: one sentence of at most twelve words that states the finding. Independent of Streamlit.

Every number in a title comes from the answer; this module only decides which groups a title may name. Of a rate it names
those that etl.analysis.different finds below or above the whole, of a count the highest or the lowest.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, size_of
from etl.semantic.disclosure import Circulated
from etl.semantic.ranking import Group, Ranking, is_narrowest, is_sampled, least, named_sides, rank, worse_side
from ui.charts import elements
from ui.charts.elements import ChartContext
from ui.i18n import member_names, text
from ui.summary import different

MOST_WORDS = 12
COUNTS = ("persons", "institutes", "applications", "licences", "counties", "completions", "seats")
# English puts no superlative in front of a measure that starts with one of these words or contains a comma.
_NO_NOUN = re.compile(r"(Within|Leaders|Ending|Falling|Up|More|Led|On|In|With|Without|Per|All) |.*,")


@dataclass(frozen=True)
class Title:
    """A sentence, and the codes of the groups it names, which the chart highlights.

    Where twelve words are not enough for a day in two calendars, the subtitle or the axis has the second; a list has neither,
    so its title `is_whole`.
    """

    sentence: str
    focus: tuple[Any, ...] = ()
    is_whole: bool = False

    def __post_init__(self) -> None:
        if len(self.sentence.split()) > MOST_WORDS and not self.is_whole:
            object.__setattr__(self, "sentence", text.one_calendar(self.sentence))


TitleRule = Callable[[Answer, ChartContext], Title]
# Dimensions whose largest group has words of its own.
_COMMONEST = ("post", "education", "activity", "people")
_OTHER = {"highest": "lowest", "lowest": "highest"}
# The name of a group by its key.
GroupNames = Callable[[tuple[Any, ...]], str]


def rows_with_value(answer: Answer, name: str | None = None) -> tuple[int, str, list[tuple]]:
    metric = elements.metric_of(answer, name)
    at = answer.columns.index(metric.name)
    return at, metric.unit, [row for row in answer.rows if row[at] is not None and row[0] is not None]


def first_that_fits(sentences: Iterable[str]) -> str:
    """The first sentence of at most twelve words, else the last one; a day in two calendars counts as one."""
    sentence = ""
    for sentence in sentences:
        if _is_short(sentence):
            break
    return sentence


def _is_short(sentence: str) -> bool:
    return len(text.one_calendar(sentence).split()) <= MOST_WORDS


def amounts(value: Any, unit: str, context: ChartContext) -> tuple[str, str]:
    """A number with its unit, and without: the subtitle states the unit too."""
    return text.amount(value, unit, context.lang), text.plain(value, unit, context.lang)


def values_of(value: Any, metric: Metric, context: ChartContext) -> tuple[str, ...]:
    """A number as a title may write it: a median first with its unit, which its name does not say."""
    return amounts(value, metric.unit, context)[0 if metric.sample_size else 1 :]


def with_amount(key: str, value: Any, unit: str, context: ChartContext, **words: object) -> str:
    """The words of `key` with a number and its unit, or without the unit if the sentence is too long."""
    return first_that_fits(context.word(key, value=amount, **words) for amount in amounts(value, unit, context))


def nothing(metric: Metric, context: ChartContext) -> Title:
    return Title(context.word("finding.none", measure=metric.short[context.lang]))


def extreme(
    answer: Answer,
    context: ChartContext,
    name: str | None = None,
    end: str | None = None,
    name_group: GroupNames | None = None,
) -> Title:
    """The groups that need most attention: of a rate those on the worse side, of a count the worst by its direction or highest.

    `name_group` turns the key of a group into its name; the default lists the names of its members.
    """
    metric = elements.metric_of(answer, name)
    at, _, rows = rows_with_value(answer, name)
    name_group = name_group or (lambda key: elements.name_of(answer, key, context))
    if not rows:
        return nothing(metric, context)
    end = end or {"lower": "lowest"}.get(worse_side(metric), "highest")
    # Those of a circulated answer, with the groups whose number does not circulate.
    positions = answer.ranks.get(metric.name, {}) if isinstance(answer, Circulated) else {}
    if len(rows) == 1 and len(positions) < 2:
        if answer.by == ("province",) and "county" in answer.where:
            # Of some counties: under the name of the province it could be quoted as that of the whole province.
            measure = metric.short[context.lang]
            return Title(with_amount("finding.now", rows[0][at], metric.unit, context, measure=measure))
        return Title(_about(metric, name_group(rows[0][: len(answer.by)]), rows[0][at], context))
    ranking = rank(answer, metric.name)
    values = [group.value for group in ranking.ranked] or [row[at] for row in rows]
    # The bars of groups too small to be ranked may be longer.
    are_small_aside = ranking.ranked and (ranking.small or _is_part(answer, metric, rows))
    key = "spread_large" if are_small_aside else "spread"
    range_of = spread(answer, metric, values, context, key)
    if is_sampled(metric):
        groups = [*ranking.ranked, *ranking.small, *_without_number(answer, metric, positions)]
        for side in (end, _OTHER[end]):
            if title := _on_side(answer, metric, groups, side, name_group, context):
                return title
    if not ranking.ranked:
        return _all_small(metric, context) if ranking.small else range_of
    if len(ranking.ranked) == 1:
        only = ranking.ranked[0]
        if end == "highest" and size_of(metric) == metric.name:
            # The counts of the groups too small to be ranked are lower.
            return Title(_at_end(answer, metric, end, name_group(only.key), only.value, context))
        return Title(_about(metric, name_group(only.key), only.value, context))
    # Of 20 counties one more or less is no finding; of medians it is not known how sure the order of two groups is.
    is_of_counties = metric.unit == "share" and catalogue()[str(metric.denominator)].unit == "counties"
    if is_sampled(metric) or is_of_counties or metric.sample_size:
        return Title(first_that_fits([range_of.sentence, _half(answer, metric, ranking, context)]))
    if metric.unit in COUNTS and not is_narrowest(answer, ranking.ranked[0].key):
        return spread(answer, metric, [row[at] for row in rows], context)
    at_end = _end_of(answer, metric, ranking, end, name_group, context)
    # A tie of measures may be rounding; a tie of counts is a fact worth stating.
    return at_end if at_end and (len(at_end.focus) == 1 or metric.unit in COUNTS) else range_of


def _on_side(
    answer: Answer, metric: Metric, groups: Sequence[Group], end: str, name_group: GroupNames, context: ChartContext
) -> Title | None:
    """The groups that are named on one side of the whole: their names, or their number if they are many; None without any."""
    side, sign = named_sides(metric)[end == "highest"], -1 if end == "highest" else 1
    named = sorted(
        (group for group in groups if group.side == side), key=lambda group: (sign * group.orders[0], group.key)
    )
    if not named:
        return None
    names = [name_group(group.key) for group in named]
    sentence = first_that_fits(different.titles(answer, metric, side, names, context.lang))
    return Title(sentence, tuple(group.key[0] for group in named))


def _without_number(answer: Answer, metric: Metric, positions: Mapping[tuple[Any, ...], int]) -> list[Group]:
    """The groups of a side whose number does not circulate; they are named in the order of the exact numbers."""
    at, first = answer.columns.index(metric.name), len(answer.by)
    side = answer.columns.index("side") if "side" in answer.columns else None
    return [
        Group(key, math.nan, 0, row[side], (positions[key], 0))
        for row in answer.rows
        if side is not None and row[at] is None and (key := tuple(row[:first])) in positions
    ]


def _all_small(metric: Metric, context: ChartContext) -> Title:
    """A title saying that all groups are smaller than the least size of a ranked group."""
    counted = size_of(metric)
    unit = catalogue()[counted].unit if counted in catalogue() else metric.unit
    fewest = text.amount(least(unit), unit if unit in COUNTS else "persons", context.lang)
    return Title(context.word("finding.all_small", measure=metric.short[context.lang], fewest=fewest))


def _end_of(
    answer: Answer, metric: Metric, ranking: Ranking, end: str, name_group: GroupNames, context: ChartContext
) -> Title | None:
    """The group or groups tied at one end of a ranking; None if all groups are tied."""
    ranked = ranking.ranked
    last = ranked[0 if end == "highest" else -1]
    value, order = last.value, last.orders[0]
    # The bar of a group too small to be ranked may be longer, or shorter.
    is_of_large = any(
        group.orders[0] > order if end == "highest" else group.orders[0] < order for group in ranking.small
    )
    first = [group for group in ranked if group.orders[0] == order]
    if len(first) == len(ranked):
        return None
    sentence = _at_end(answer, metric, end, name_group(first[0].key), value, context, len(first), is_of_large)
    return Title(sentence, tuple(dict.fromkeys(group.key[0] for group in first)))


def _at_end(
    answer: Answer,
    metric: Metric,
    end: str,
    place: str,
    value: Any,
    context: ChartContext,
    count: int = 1,
    is_of_large: bool = False,
) -> str:
    """The sentence of the group, or the number of groups tied, at one end of a ranking."""
    key = "finding.superlative" if count == 1 else "finding.superlative_many"
    names = {"superlative": _superlative(answer, metric, end, context, is_of_large), "place": place}
    return with_amount(key, value, metric.unit, context, count=text.number(count, context.lang), **names)


def _superlative(answer: Answer, metric: Metric, end: str, context: ChartContext, is_of_large: bool) -> str:
    """The superlative of a measure: "Lowest training compliance:", or "Most common post of police assistants:"."""
    name = metric.short[context.lang]
    has_noun = context.lang != "en" or not _NO_NOUN.match(name)
    if is_of_large:
        name = context.word("finding.large", measure=name)
    if not has_noun:
        return context.word(f"finding.{end}_in", measure=name)
    counts = metric.unit in COUNTS and size_of(metric) == metric.name
    kind = "people" if "gender" in answer.by else answer.by[0]
    if counts and end == "highest" and not is_of_large and kind in _COMMONEST:
        return context.word(f"commonest.{kind}", measure=text.inside(name, context.lang))
    # The Persian name of seats is already that of a quantity.
    kind = "seats" if metric.unit == "seats" else "count" if counts else "rate"
    return context.word(f"finding.{end}_{kind}", measure=text.inside(name, context.lang))


def _about(metric: Metric, place: str, value: Any, context: ChartContext) -> str:
    measure = metric.short[context.lang]
    return with_amount("finding.single", value, metric.unit, context, measure=measure, place=place)


def spread(answer: Answer, metric: Metric, values: Sequence[Any], context: ChartContext, key: str = "spread") -> Title:
    """The range of the values, by dimension, in the words of `key`: a title that is true of every comparison."""
    low, high = (text.plain(value, metric.unit, context.lang) for value in (min(values), max(values)))
    key = "spread_one" if key == "spread" and low == high else key
    words = {"measure": metric.short[context.lang], "axes": axes(answer.by, context), "low": low}
    words |= _counted(answer, len(values), context)
    written = values_of(max(values), metric, context)
    return Title(first_that_fits(context.word(f"finding.{key}", high=high, **words) for high in written))


def _is_part(answer: Answer, metric: Metric, rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether the number of some groups does not circulate: those left are not to be counted as if they were all."""
    return sum(key[0] is not None for key in answer.with_number(metric.name)) > len(rows)


def _counted(answer: Answer, count: int, context: ChartContext) -> dict[str, str]:
    """A number of groups, and the word for them."""
    groups = member_names.counted(different.kind_of(answer.by), context.lang, count)
    return {"count": text.number(count, context.lang), "groups": groups}


def axes(by: Iterable[str], context: ChartContext) -> str:
    """Dimensions as they appear inside a sentence."""
    *leading, last = ["", *(context.word(f"dimension.{axis}").lower() for axis in by)]
    first = text.listed(leading[1:], context.lang)
    return context.word("finding.and", first=first, last=last) if first else last


def _half(answer: Answer, metric: Metric, ranking: Ranking, context: ChartContext) -> str:
    """The median of the groups that are ranked, and how many they are: a sentence that is true of every ranking."""
    median = ranking.ranked[len(ranking.ranked) // 2].value
    name, words = metric.short[context.lang], _counted(answer, len(ranking.ranked), context)
    names = [context.word("finding.large", measure=name), name] if ranking.small else [name]
    ways = ((value, each) for value in values_of(median, metric, context) for each in names)
    return first_that_fits(context.word("finding.half", measure=each, value=value, **words) for value, each in ways)


# The group with the highest value, regardless of the metric's direction.
highest = partial(extreme, end="highest")


def whole_range(answer: Answer, context: ChartContext) -> Title:
    """The range of all groups with anybody in them, the smallest too; a group without has no row."""
    metric, (at, _, rows) = answer.metrics[0], rows_with_value(answer)
    if len(rows) < 2:
        return extreme(answer, context)
    key = "spread_large" if _is_part(answer, metric, rows) else "spread_present"
    return spread(answer, metric, [row[at] for row in rows], context, key)


def covered(answer: Answer, context: ChartContext) -> Title:
    """The share of counties with anybody that half of the provinces reach, in whole per cent that are not rounded up."""
    at, _, rows = rows_with_value(answer)
    if len(rows) < 2:
        return extreme(answer, context)
    if _is_part(answer, answer.metrics[0], rows):
        return spread(answer, answer.metrics[0], [row[at] for row in rows], context, "spread_large")
    reached = sorted((row[at] for row in rows), reverse=True)[(len(rows) - 1) // 2]
    share = text.percent(math.floor(reached * 100 + 1e-9) / 100, context.lang, 0)
    return Title(context.word("finding.covered", share=share))


def gap(answer: Answer, context: ChartContext) -> Title:
    """The group furthest below the average, where it lacks enough people to be named."""
    metric = answer.metrics[0]
    at, unit, rows = rows_with_value(answer)
    if len(rows) < 2:
        return extreme(answer, context)
    if min(row[at] for row in rows) > -least(unit):
        return spread(answer, metric, [row[at] for row in rows], context)
    worst = min(rows, key=lambda row: row[at])
    place = context.named(answer.by[0], worst[0])
    # "shortfall" says the sign.
    names = {"measure": metric.short[context.lang], "place": place}
    sentence = with_amount("finding.gap", -worst[at], unit, context, **names)
    return Title(sentence, (worst[0],))


def worst_part(answer: Answer, context: ChartContext) -> Title:
    """The range of the last part's share of the whole; a count would only name the largest group."""
    *_, last = parts = [metric for metric in answer.metrics if metric.unit == answer.metrics[-1].unit]
    at = [answer.columns.index(metric.name) for metric in parts]
    shares = [
        answer.share(row[at[-1]] or 0, whole)
        for row in answer.rows
        if (whole := sum(row[i] or 0 for i in at)) >= least(last.unit)
    ]
    if len(shares) < 2:
        return extreme(answer, context, last.name, "highest")
    return spread(answer, replace(last, unit="share"), shares, context)
