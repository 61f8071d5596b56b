"""The ranking with its n, and the tables of a briefing."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from etl.core.errors import TooEarly
from etl.semantic import ranking as groups
from etl.semantic.answers import Metric
from ui.briefing.writer import Writer
from ui.exhibits import training
from ui.exhibits.exhibit import Rows
from ui.exhibits.findings import COMPARED, beside_nation
from ui.exhibits.scenario import Planned
from ui.i18n import text
from ui.state.questions import ask_under, on_day

# The measures of the table of places.
_MEASURES = ("active_assistants", "coverage_per_10k", training.RATE, "expiring_30", "licensed_institutes")
# Further measures in the ranking of counties, if so few counties leave room on one page.
_COUNTY_MEASURES = ("coverage_per_10k", "expiring_30")
_MOST_COUNTIES_IN_FULL = 28


def ranking(write: Writer) -> dict[str, Any] | None:
    """Places by training compliance, those named as worse first, each with its n; those too small are listed separately.

    The other numbers of counties are in the same table if there is room; provinces have a separate table. None of a single place.
    """
    day, lang, exhibit = write.scope.day, write.lang, write.exhibit(training.by_place)
    if exhibit.answer is None or exhibit.answer.by not in (("province",), ("county",)):
        return None
    (dimension,) = exhibit.answer.by
    # Who is in no known place is in no row.
    answer = replace(exhibit.answer, rows=[row for row in exhibit.answer.rows if row[0] is not None])
    whole = on_day(write.scope, write.ask, training.RATE)
    metric = answer.metrics[0]
    # Without counts there is nothing to rank.
    order = groups.rank(answer, training.RATE)
    size = str(metric.denominator)
    without = [row for row in answer.records() if row[training.RATE] is None]
    # The place of a share that may not be shown would show it: these come last.
    untold = [row for row in without if (row[size] or 0) >= groups.LEAST]
    unranked = [row for row in without if row not in untold]
    if not order.ranked and not order.small and not without:
        return None
    more = _columns(write, dimension, _COUNTY_MEASURES) if dimension == "county" else []
    beside = more if len(order.ranked) <= _MOST_COUNTIES_IN_FULL else []
    rows = [
        {
            "name": write.member(dimension, group.key[0]),
            "part": min(max(group.value, 0.0), 1.0),
            "marked": group.side == groups.named_side(metric),
            "ahead": group.side in groups.named_sides(metric),
            "value": text.plain(group.value, metric.unit, lang)
            + text.word("different.mark", lang) * (group.side == "unclear"),
            "count": text.number(group.count, lang),
            "more": [column.of(group.key[0]) for column in beside],
        }
        for group in sorted(
            order.ranked, key=lambda group: (group.side != groups.named_side(metric), group.value, group.key)
        )
    ]
    rows += [
        {
            "name": write.member(dimension, row[dimension]),
            "part": 0.0,
            "marked": row["side"] == groups.named_side(metric),
            "ahead": row["side"] in groups.named_sides(metric),
            "value": text.plain(None, metric.unit, lang),
            "count": text.number(row[size], lang),
            "more": [column.of(row[dimension]) for column in beside],
        }
        for row in untold
    ]
    small = [(group.key[0], group.count) for group in order.small]
    small += [(row[dimension], row[size]) for row in unranked]
    label = text.word(f"dimension.{dimension}", lang)

    total = {
        "name": write.place,
        "value": write.plain(whole),
        "count": text.number(whole.value(str(metric.denominator)), lang),
        "more": [column.total for column in beside],
    }
    return {
        "title": write.title(exhibit),
        "sub": write.word(f"rank_sub_{dimension}", day=text.day(day, lang), whole=write.plain(whole)),
        "columns": 1 if beside or len(rows) <= 6 else 2,
        "heads": [
            *(head.format(dimension=label) for head in write.words("rank_heads")),
            *(column.head for column in beside),
        ],
        "rows": rows,
        "total": total if beside and rows else None,
        "small_title": write.word("rank_small", least=text.number(groups.LEAST, lang)),
        "small": [
            write.word("rank_small_item", name=write.member(dimension, code), count=text.number(count, lang))
            for code, count in sorted(small, key=lambda place: (-(place[1] or 0), place[0]))
        ],
    }


def of_nation(write: Writer) -> dict[str, Any]:
    """The table of the 31 provinces, the largest first, and the nation."""
    day, lang = write.scope.day, write.lang
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
        "rows": [[write.member("province", code), *(column.of(code) for column in columns)] for code in codes],
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
        answer, total = (on_day(write.scope, write.ask, name, by=by) for by in ((dimension,), ()))
        values = zip(answer.column(dimension), answer.column(name), strict=True)
        of_place = {code: value for code, value in values if code}
        columns.append(_Column(answer.metrics[0], write.lang, of_place, write.plain(total)))
    return columns


def order_form(write: Writer) -> list[dict[str, Any]]:
    """The seats to order for the province: months down, courses across; nothing without a year of history, or without any."""
    try:
        answer = write.exhibit(training.seat_order, Planned()).answer
    except TooEarly:
        return []
    if answer is None or answer.by != ("course", "month"):
        return []
    seats = {(course, month): count for course, month, count, *_ in answer.rows}
    totals = {course: sum(seats[key] for key in seats if key[0] == course) for course in answer.column("course")}
    courses = [course for course, count in totals.items() if count]
    if not courses:
        return []

    def row(name: str, counts: Iterable[int]) -> list[str]:
        return [name, *(text.number(count, write.lang) for count in counts)]

    form = {
        "title": text.word("ahead.order", write.lang),
        "sub": write.word("order_sub"),
        "widths": [1.5, *[1] * len(courses)],
        "heads": [
            text.word("dimension.month", write.lang),
            *(write.member("course", code) for code in courses),
        ],
        "rows": [
            row(text.unit_label(month, write.lang), (seats.get((course, month), 0) for course in courses))
            for month in sorted({month for _, month in seats})
        ],
        "total": row(text.word("member.part.total", write.lang), (totals[course] for course in courses)),
    }
    return [form]


def ranks_of_province(write: Writer) -> dict[str, Any]:
    """The province beside the nation."""
    exhibit = beside_nation(write.scope, write.ask, similar=False)
    assert isinstance(exhibit.form, Rows)
    # Its numbers, so that they are in the file of numbers.
    for name, scope in product(COMPARED, (write.scope, write.scope.of({}))):
        with suppress(TooEarly):
            ask_under(scope, write.ask, [name])
    return {
        "title": exhibit.title.sentence,
        "sub": exhibit.subtitle,
        "widths": [2.6, 1, 1, 1],
        "heads": exhibit.form.heads,
        "rows": exhibit.form.rows,
        "total": [],
    }
