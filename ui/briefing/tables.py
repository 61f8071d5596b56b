"""The ranking with its n, and the tables of a briefing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etl.core.jalali import last_complete_months
from etl.semantic import ranking as groups
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import Group, Ranking
from ui.briefing.writer import Writer
from ui.i18n import text
from ui.summary import ranks

_COMPLIANCE = "training_compliance"
# The measures of the table of places.
_MEASURES = ("active_assistants", "coverage_per_10k", _COMPLIANCE, "expiring_30", "licensed_institutes")
# Further measures in the ranking of counties, if so few counties leave room on one page.
_COUNTY_MEASURES = ("active_assistants", "coverage_per_10k", "expiring_30")
_MOST_COUNTIES_IN_FULL = 28
_MOST_NAMED = 2


def last_of(answer: Answer, metric: Metric) -> Group | None:
    """The lowest of the ranked groups, if it may be named."""
    order = groups.rank(answer, metric.name)
    return order.ranked[-1] if order.ranked and order.is_last_apart else None


def ranking(write: Writer, dimension: str) -> dict[str, Any] | None:
    """Places ranked by training compliance, each with its n; those too small for a rank are listed separately.

    The other numbers of counties are in the same table if there is room; provinces have a separate table.
    """
    day, lang = write.questions.day, write.lang
    answer = write.questions.ask(_COMPLIANCE, by=(dimension,), on=day)
    whole = write.questions.ask(_COMPLIANCE, on=day)
    metric, level = answer.metrics[0], whole.value()
    # Without counts there is nothing to rank.
    order = groups.rank(answer, _COMPLIANCE)
    unranked = [row for row in answer.records() if row[dimension] and row[_COMPLIANCE] is None]
    if not order.ranked and not order.small:
        return None
    more = _columns(write, dimension, _COUNTY_MEASURES) if dimension == "county" else []
    beside = more if len(order.ranked) <= _MOST_COUNTIES_IN_FULL else []
    below = {
        group.key[0]
        for group in order.ranked
        if level is not None and group.interval is not None and group.interval[1] < level
    }
    rows = [
        {
            "rank": text.digits(1 + sum(other.value > group.value for other in order.ranked), lang),
            "name": write.questions.member(dimension, group.key[0]),
            "part": min(max(group.value, 0.0), 1.0),
            "marked": group.key[0] in below,
            "value": text.plain(group.value, metric.unit, lang),
            "count": text.number(group.count, lang),
            "more": [column.of(group.key[0]) for column in beside],
        }
        for group in order.ranked
    ]
    small = [(group.key[0], group.count) for group in order.small]
    small += [(row[dimension], row[str(metric.denominator)]) for row in unranked]
    label = text.word(f"dimension.{dimension}", lang)
    total = {
        "name": write.place,
        "value": write.plain(whole),
        "count": text.number(whole.value(str(metric.denominator)), lang),
        "more": [column.total for column in beside],
    }
    return {
        "title": _title(write, dimension, order, [group.key[0] for group in order.ranked if group.key[0] in below]),
        "sub": write.word(f"rank_sub_{dimension}", day=text.day(day, lang), whole=write.plain(whole)),
        "columns": 1 if beside or len(rows) <= 6 else 2,
        "heads": [
            *(head.format(dimension=label) for head in write.words("rank_heads")),
            *(column.head for column in beside),
        ],
        "rows": rows,
        "total": total if beside and rows else None,
        "small_title": write.word("rank_small"),
        "small": [
            write.word("rank_small_item", name=write.questions.member(dimension, code), count=text.number(count, lang))
            for code, count in sorted(small, key=lambda place: (-(place[1] or 0), place[0]))
        ],
    }


def _title(write: Writer, dimension: str, order: Ranking, below: Sequence[str]) -> str:
    """The title names the highest and lowest only if they differ from the next; else places clearly below the average."""
    named: dict[str, str] = {}
    for key, place, is_apart in (("first", 0, order.is_first_apart), ("last", -1, order.is_last_apart)):
        if order.ranked and is_apart:
            group = order.ranked[place]
            named[key] = write.questions.member(dimension, group.key[0])
            named[f"{key}_value"] = text.plain(group.value, "share", write.lang)
    if named:
        return write.word("_".join(["rank", *(part for part in ("first", "last") if part in named)]), **named)
    if len(below) > _MOST_NAMED:
        return write.word(f"rank_below_many_{dimension}", count=text.number(len(below), write.lang))
    if below:
        names = text.listed([write.questions.member(dimension, code) for code in below], write.lang)
        return write.word(f"rank_below_{dimension}", names=names)
    return write.word(f"rank_{'none' if len(order.ranked) > 1 else 'plain'}_{dimension}")


def of_nation(write: Writer) -> dict[str, Any]:
    """The table of the 31 provinces, the largest first, and the nation."""
    day, lang = write.questions.day, write.lang
    columns = _columns(write, "province", _MEASURES)
    codes = sorted(
        {code for column in columns for code in column.values},
        key=lambda code: (-(columns[0].values.get(code) or 0), code),
    )
    return {
        "title": write.word("provinces_title"),
        "sub": write.word("provinces_sub", day=text.day(day, lang)),
        "widths": [2.1, *(max(len(column.head) / 18, 1) for column in columns)],
        "heads": [text.word("dimension.province", lang), *(column.head for column in columns)],
        "rows": [
            [write.questions.member("province", code), *(column.of(code) for column in columns)] for code in codes
        ],
        "total": [text.word("figure.nation_line", lang), *(column.total for column in columns)],
    }


@dataclass(frozen=True)
class _Column:
    """One measure of places: the values by place, and the formatted total."""

    metric: Metric
    lang: str
    values: Mapping[str, Any]
    total: str

    @property
    def head(self) -> str:
        return self.metric.short[self.lang]

    def of(self, code: str) -> str:
        # For a place without a row a count is 0, a ratio is unknown.
        nobody = None if self.metric.numerator else 0
        return text.plain(self.values.get(code, nobody), self.metric.unit, self.lang)


def _columns(write: Writer, dimension: str, names: Sequence[str]) -> list[_Column]:
    columns = []
    for name in names:
        answer, total = (write.questions.ask(name, by=by, on=write.questions.day) for by in ((dimension,), ()))
        values = zip(answer.column(dimension), answer.column(name), strict=True)
        of_place = {code: value for code, value in values if code}
        columns.append(_Column(answer.metrics[0], write.lang, of_place, write.plain(total)))
    return columns


def ranks_of_province(write: Writer) -> dict[str, Any]:
    """The ranks of the province."""
    everywhere = {}
    for name in ranks.RANKED:
        when: dict[str, Any] = {"over": last_complete_months(write.questions.day, 12)}
        if catalogue()[name].kind == "snapshot":
            when = {"on": write.questions.settled_on(name)}
        if None not in when.values():
            # The province's own value is asked separately, so that it is in the file of numbers.
            write.questions.ask(name, **when)
            everywhere[name] = (
                write.questions.ask(name, by=("province",), everywhere=True, **when),
                write.questions.ask(name, everywhere=True, **when),
            )
    return {
        "title": write.word("own_title"),
        "sub": write.word("own_sub"),
        "widths": [2.6, 1, 1, 1],
        "heads": [write.words("changes_heads")[0], *(text.word(key, write.lang) for key in ranks.HEADS)],
        "rows": ranks.rows(write.sources, everywhere),
        "total": [],
    }
