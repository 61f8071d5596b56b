"""Titles of charts: one sentence of at most twelve words that states the finding. Independent of Streamlit.

Every number in a title comes from the answer; this module only decides which groups a title may name. Of a rate it names
those that etl.analysis.different finds below or above the whole, of a count the highest or the lowest.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, size_of
from etl.semantic.ranking import Ranking, is_narrowest, is_sampled, least, named_sides, rank, worse_side
from ui.charts import elements
from ui.charts.elements import ChartContext
from ui.i18n import member_names, text
from ui.summary import claims, different
from ui.summary.claims import Claim

MOST_WORDS = 12
# Whose shortfall a title names.
_MOST_BELOW = 3
COUNTS = different.COUNTS
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
    claims: tuple[Claim, ...] = ()

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
        if fits(sentence):
            break
    return sentence


def fits(sentence: str) -> bool:
    """Whether a sentence has at most twelve words; a day in two calendars counts as one."""
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
    _, _, rows = rows_with_value(answer, metric.name)
    name_group = name_group or (lambda key: elements.name_of(answer, key, context))
    if not rows:
        return nothing(metric, context)
    if len(rows) == 1:
        return _single(answer, metric, rows[0], name_group, context)
    end = end or {"lower": "lowest"}.get(worse_side(metric), "highest")
    for side in (end, _OTHER[end]) if "side" in answer.columns and is_sampled(metric) else ():
        if title := _on_side(answer, metric, side, name_group, context):
            return title
    ranking = rank(answer, metric.name)
    if not ranking.ranked:
        return _all_small(answer, metric, rows, context)
    large = _ranked(answer, ranking)
    if len(large) == 1 and not (end == "highest" and size_of(metric) == metric.name):
        return _single(answer, metric, large[0], name_group, context)
    if metric.unit in COUNTS and not is_narrowest(answer, ranking.ranked[0].key):
        # A small band has its bar too.
        return spread(answer, metric, rows, context)
    at_end = _end_of(answer, metric, ranking, end, name_group, context) if _is_ordered(metric) else None
    return at_end or spread(answer, metric, large, context, not ranking.small)


def _single(answer: Answer, metric: Metric, row: Sequence[Any], name_group: GroupNames, context: ChartContext) -> Title:
    """The number of the only group. Some counties under the name of their province could be quoted as all of it."""
    at, measure = answer.columns.index(metric.name), metric.short[context.lang]
    is_part = answer.by == ("province",) and "county" in answer.where
    words = {} if is_part else {"place": name_group(tuple(row[: len(answer.by)]))}
    key = "finding.now" if is_part else "finding.single"
    said = claims.claim("value", answer, metric.name, **claims.rows(answer, [row], metric.name))
    return Title(with_amount(key, row[at], metric.unit, context, measure=measure, **words), claims=(said,))


def _on_side(answer: Answer, metric: Metric, end: str, name_group: GroupNames, context: ChartContext) -> Title | None:
    """The groups on one side of the whole: their names, or their number if they are many; None where nobody is named."""
    side, sign = named_sides(metric)[end == "highest"], -1 if end == "highest" else 1
    found = [row for row in answer.rows if different.is_on(_record(answer, row), metric, side)]
    if not any(_record(answer, row)["side"] == side for row in found):
        return None
    first = len(answer.by)
    at = answer.columns.index(metric.name)
    found.sort(key=lambda row: (row[at] is None, sign * (row[at] or 0), row[:first]))
    names = [name_group(row[:first]) for row in found[: different.MOST_IN_TITLE]]
    sentence = first_that_fits(different.titles(answer, metric, side, names, len(found), context.lang))
    shown = [_record(answer, row) for row in found] if names and names[0] in sentence else []
    said = different.on_side(answer, shown, side, len(found))
    return Title(sentence, tuple(row[0] for row in found), claims=(said,))


def _record(answer: Answer, row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(answer.columns, row, strict=True))


def _all_small(answer: Answer, metric: Metric, rows: Sequence[Sequence[Any]], context: ChartContext) -> Title:
    """A title saying that all groups are smaller than the least size of a ranked group."""
    bound = _least_of(answer, metric)
    fewest, counted = different.at_least(metric, context.lang, bound), size_of(metric)
    said = claims.claim("all", answer, counted, side=f"below:{bound}", number=len(rows))
    sentence = context.word("finding.all_small", measure=metric.short[context.lang], fewest=fewest)
    return Title(sentence, claims=(said,))


def _is_ordered(metric: Metric) -> bool:
    """Whether the order of groups is a finding: chance orders rates, and of 20 counties one more or less is none."""
    is_of_counties = metric.unit == "share" and catalogue()[str(metric.denominator)].unit == "counties"
    return not (is_sampled(metric) or is_of_counties or metric.sample_size)


def _ranked(answer: Answer, ranking: Ranking) -> list[Sequence[Any]]:
    """The rows of the groups that are ranked."""
    keys, first = {group.key for group in ranking.ranked}, len(answer.by)
    return [row for row in answer.rows if tuple(row[:first]) in keys]


def _end_of(
    answer: Answer, metric: Metric, ranking: Ranking, end: str, name_group: GroupNames, context: ChartContext
) -> Title | None:
    """The group or groups tied at one end of a ranking; None if all are tied, or measures are, whose tie may be rounding."""
    ranked = ranking.ranked
    value = ranked[0 if end == "highest" else -1].value
    # The bar of a group too small to be ranked may be longer, or shorter.
    is_beyond = any(group.value > value if end == "highest" else group.value < value for group in ranking.small)
    first = [group for group in ranked if group.value == value]
    if len(first) == len(ranked) > 1 or (len(first) > 1 and metric.unit not in COUNTS):
        return None
    key = "finding.superlative" if len(first) == 1 else "finding.superlative_many"
    sentence = with_amount(
        key,
        first[0].value,
        metric.unit,
        context,
        count=text.number(len(first), context.lang),
        superlative=_superlative(answer, metric, end, context, is_beyond),
        place=name_group(first[0].key),
    )
    said = claims.claim(
        "most" if end == "highest" else "least",
        answer,
        metric.name,
        least_size=_least_of(answer, metric) * is_beyond,
        members=tuple(claims.member_of(group.key) for group in first),
        values=tuple(group.value for group in first),
        number=len(first) if len(first) > 1 else None,
    )
    return Title(sentence, tuple(dict.fromkeys(group.key[0] for group in first)), claims=(said,))


def _least_of(answer: Answer, metric: Metric) -> int:
    """The fewest people, or institutes, of a group that this answer ranks."""
    return answer.fewest(metric, least(catalogue().get(size_of(metric), metric).unit))


def _superlative(answer: Answer, metric: Metric, end: str, context: ChartContext, is_of_large: bool) -> str:
    """The superlative of a measure: "Lowest training compliance:", or "Most common post of police assistants:"."""
    name = metric.short[context.lang]
    has_noun = context.lang != "en" or not _NO_NOUN.match(name)
    if is_of_large:
        name = context.word(
            "finding.large", measure=name, fewest=different.at_least(metric, context.lang, _least_of(answer, metric))
        )
    if not has_noun:
        return context.word(f"finding.{end}_in", measure=name)
    counts = metric.unit in COUNTS and size_of(metric) == metric.name
    kind = "people" if "gender" in answer.by else answer.by[0]
    if counts and end == "highest" and not is_of_large and kind in _COMMONEST:
        return context.word(f"commonest.{kind}", measure=text.inside(name, context.lang))
    # The Persian name of seats is already that of a quantity.
    kind = "seats" if metric.unit == "seats" else "count" if counts else "rate"
    return context.word(f"finding.{end}_{kind}", measure=text.inside(name, context.lang))


def spread(
    answer: Answer,
    metric: Metric,
    rows: Sequence[Sequence[Any]],
    context: ChartContext,
    is_whole: bool = True,
    key: str = "spread",
) -> Title:
    """The range of rows, by dimension: a title that is true of every comparison. Without `is_whole` small groups are left out."""
    at, fewest = answer.columns.index(metric.name), 0
    if not is_whole or answer.fewest(metric, 0):
        fewest = _least_of(answer, metric)
        # A place where more would be expected is ranked, and has fewer all the same.
        rows = [row for row in rows if (_record(answer, row).get(size_of(metric)) or fewest) >= fewest] or rows
    values = [row[at] for row in rows]
    low, high = (text.plain(value, metric.unit, context.lang) for value in (min(values), max(values)))
    words = {"measure": metric.short[context.lang], "axes": axes(answer.by, context), "low": low, "high": high}
    keys = [key]
    if fewest:
        keys, words["fewest"] = ["spread_large", "spread_large_short"], different.at_least(metric, context.lang, fewest)
    elif key == "spread" and low == high:
        keys = ["spread_one"]
    said = claims.ends(answer, rows, metric.name, fewest)
    if keys == ["spread_present"]:
        groups = member_names.counted(different.kind_of(answer.by), context.lang, len(rows))
        words |= {"count": text.number(len(rows), context.lang), "groups": groups}
        said = (*said, claims.claim("count", answer, metric.name, side="above:0", number=len(rows)))
    written = values_of(max(values), metric, context)
    ways = (context.word(f"finding.{one}", **words | {"high": high}) for one in keys for high in written)
    return Title(first_that_fits(ways), claims=said)


def axes(by: Iterable[str], context: ChartContext) -> str:
    """Dimensions as they appear inside a sentence."""
    *leading, last = ["", *(context.word(f"dimension.{axis}").lower() for axis in by)]
    first = text.listed(leading[1:], context.lang)
    return context.word("finding.and", first=first, last=last) if first else last


# The group with the highest value, regardless of the metric's direction.
highest = partial(extreme, end="highest")


def whole_range(answer: Answer, context: ChartContext) -> Title:
    """The range of all groups with anybody in them, the smallest too; a group without has no row."""
    _, _, rows = rows_with_value(answer)
    if len(rows) < 2:
        return extreme(answer, context)
    return spread(answer, answer.metrics[0], rows, context, key="spread_present")


def gap(answer: Answer, context: ChartContext) -> Title:
    """The groups furthest below the average, where they lack enough people to be named."""
    metric = answer.metrics[0]
    at, unit, rows = rows_with_value(answer)
    worst = sorted((row for row in rows if row[at] <= -least(unit)), key=lambda row: (row[at], row[0]))[:_MOST_BELOW]
    if len(rows) < 2 or not worst:
        return spread(answer, metric, rows, context) if len(rows) > 1 else extreme(answer, context)

    def naming(count: int) -> Title:
        # "shortfall" says the sign.
        names = [
            f"{context.named(answer.by[0], row[0])} {text.plain(-row[at], unit, context.lang)}" for row in worst[:count]
        ]
        sentence = context.word("finding.gap", names=different.joined(names, context.lang))
        said = claims.claim("least", answer, **claims.rows(answer, worst[:count]))
        return Title(sentence, tuple(row[0] for row in worst[:count]), claims=(said,))

    titles = [naming(count) for count in range(len(worst), 0, -1)]
    return next((title for title in titles if fits(title.sentence)), titles[-1])


def worst_part(answer: Answer, context: ChartContext) -> Title:
    """The range of the last part's share of the whole; a count would only name the largest group."""
    *_, last = parts = [metric for metric in answer.metrics if metric.unit == answer.metrics[-1].unit]
    at = [answer.columns.index(metric.name) for metric in parts]
    shares = [
        (*row[: len(answer.by)], told)
        for row in answer.rows
        if (whole := sum(row[i] or 0 for i in at)) >= least(last.unit)
        and (told := answer.share(row[at[-1]] or 0, whole, last)) is not None
    ]
    if len(shares) < 2:
        return replace(extreme(answer, context, last.name, "highest"), claims=())
    share = replace(last, unit="share")
    part = replace(answer, metrics=(share,), columns=(*answer.by, last.name), rows=shares)
    return replace(spread(part, share, shares, context), claims=())
