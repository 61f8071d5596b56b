"""The ranking with its n, and the tables of a book."""

from typing import Any

from etl.core.jalali import last_complete_months
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import Group, rank
from pages.ui.briefing.writer import Writer
from pages.ui.i18n import text
from pages.ui.summary import ranks

_COMPLIANCE = "training_compliance"
# What a table shows of each place.
_MEASURES = ("active_assistants", "coverage_per_10k", _COMPLIANCE, "expiring_30", "licensed_institutes")
_COUNTY_MEASURES = ("active_assistants", "coverage_per_10k", _COMPLIANCE, "expiring_30")
_RANKED = ("coverage_per_10k", _COMPLIANCE, "leaver_rate_12m", "within_25_days_share", "judicial_officer_share")
# More counties than these are cut: the file of numbers has them all.
_MOST_COUNTIES = 45
_MOST_LINES_ON_A_SHARED_PAGE = 16


def last_of(answer: Answer, metric: Metric) -> Group | None:
    """The lowest of the ranked groups where it may be named."""
    ranking = rank(answer, metric.name)
    return ranking.ranked[-1] if ranking.ranked and ranking.is_last_apart else None


def ranking(write: Writer, dimension: str) -> dict[str, Any] | None:
    """Places ranked by training compliance, each with its n; those too small for a rank apart."""
    day, lang = write.questions.day, write.lang
    answer = write.questions.ask(_COMPLIANCE, by=(dimension,), on=day)
    whole = write.questions.ask(_COMPLIANCE, on=day)
    metric, level = answer.metrics[0], whole.value()
    # Where even the count is not told there is nothing to rank.
    order = rank(answer, _COMPLIANCE)
    unranked = [row for row in answer.records() if row[dimension] and row[_COMPLIANCE] is None]
    if not order.ranked and not order.small:
        return None
    rows = []
    for group in order.ranked:
        place = 1 + sum(other.value > group.value for other in order.ranked)
        rows.append(
            {
                "rank": text.digits(place, lang),
                "name": write.questions.member(dimension, group.key[0]),
                "part": min(max(group.value, 0.0), 1.0),
                "marked": level is not None and group.interval is not None and group.interval[1] < level,
                "value": text.plain(group.value, metric.unit, lang),
                "count": text.number(group.count, lang),
            }
        )
    small = [(group.key[0], group.count) for group in order.small]
    small += [(row[dimension], row[str(metric.denominator)]) for row in unranked]
    label = text.word(f"dimension.{dimension}", lang)
    sub = "rank_sub" if dimension == "province" else "rank_sub_province"
    return {
        "title": _title(write, dimension, order, label),
        "sub": write.word(sub, day=text.day(day, lang), nation=write.plain(whole)),
        "columns": 2 if len(rows) > 6 else 1,
        "heads": [head.format(dimension=label) for head in write.words("rank_heads")],
        "rows": rows,
        "small_title": write.word("rank_small"),
        "small": [
            write.word("rank_small_item", name=write.questions.member(dimension, code), count=text.number(count, lang))
            for code, count in sorted(small, key=lambda one: (-(one[1] or 0), one[0]))
        ],
    }


def _title(write: Writer, dimension: str, order: Any, label: str) -> str:
    """Highest and lowest are named only where they can be told from the next."""
    named: dict[str, str] = {}
    for key, place, is_apart in (("first", 0, order.is_first_apart), ("last", -1, order.is_last_apart)):
        if order.ranked and is_apart:
            group = order.ranked[place]
            named[key] = write.questions.member(dimension, group.key[0])
            named[f"{key}_value"] = text.plain(group.value, "share", write.lang)
    key = "_".join(["rank", *(part for part in ("first", "last") if part in named)])
    return write.word(key, **named) if named else write.word("rank_none", dimension=label.lower())


def of_nation(write: Writer) -> dict[str, Any]:
    """The 31 provinces, the largest first, and the nation."""
    provinces = _grid(write, "province", _MEASURES, write.word("provinces_title"))
    return {"tables": [provinces | {"page": True}], "tables_after": []}


def of_one_province(write: Writer, above: dict[str, Any] | None) -> dict[str, Any]:
    """Where the province stands among all, and its counties: they have a page of their own where they do not fit below."""
    counties = _grid(write, "county", _COUNTY_MEASURES, write.word("counties_title"))
    lines = len(counties["rows"]) + (len(above["rows"]) / above["columns"] + len(above["small"]) / 3 if above else 0)
    own, has_page = _own_ranks(write), lines > _MOST_LINES_ON_A_SHARED_PAGE
    return {"tables": [own] if has_page else [own, counties], "tables_after": [counties] if has_page else []}


def _grid(write: Writer, dimension: str, names: tuple[str, ...], title: str) -> dict[str, Any]:
    day, lang = write.questions.day, write.lang
    answers = [write.questions.ask(name, by=(dimension,), on=day) for name in names]
    metrics = [answer.metrics[0] for answer in answers]
    cells = [
        dict(zip(answer.column(dimension), answer.column(answer.metrics[0].name), strict=True)) for answer in answers
    ]
    codes = sorted(
        filter(None, {code for column in cells for code in column}), key=lambda code: (-(cells[0].get(code) or 0), code)
    )
    totals = [write.questions.ask(name, on=day) for name in names]
    province = write.questions.province
    return {
        "title": title,
        "sub": write.word("provinces_sub", day=text.day(day, lang)),
        "page": False,
        "widths": [1.7] + [1] * len(names),
        "heads": [text.word(f"dimension.{dimension}", lang), *(metric.short[lang] for metric in metrics)],
        "rows": [
            [
                write.questions.member(dimension, code),
                *(
                    text.plain(column.get(code, _nobody(metric)), metric.unit, lang)
                    for column, metric in zip(cells, metrics, strict=True)
                ),
            ]
            for code in codes[:_MOST_COUNTIES]
        ],
        "total": [
            text.member("province", province, lang) if province else text.word("figure.nation_line", lang),
            *(write.plain(total) for total in totals),
        ],
    }


def _own_ranks(write: Writer) -> dict[str, Any]:
    everywhere = {}
    for name in _RANKED:
        when: dict[str, Any] = {"over": last_complete_months(write.questions.day, 12)}
        if catalogue()[name].kind == "snapshot":
            when = {"on": write.questions.settled_on(name)}
        if None not in when.values():
            # The province's own value is asked for by itself, so that it stands in the file of numbers.
            write.questions.ask(name, **when)
            everywhere[name] = (
                write.questions.ask(name, by=("province",), everywhere=True, **when),
                write.questions.ask(name, everywhere=True, **when),
            )
    rows = []
    for one in ranks.ranks(write.sources, everywhere):
        place = text.word("profile.no_rank", write.lang)
        if one.place is not None and one.count > 1:
            numbers = {"place": text.number(one.place, write.lang), "count": text.number(one.count, write.lang)}
            place = text.word("profile.of", write.lang, **numbers)
        label = one.metric.label[write.lang]
        if one.settled_on != write.questions.day and one.settled_on:
            label = text.word("change.settled", write.lang, label=label, day=text.day(one.settled_on, write.lang))
        values = [text.plain(value, one.metric.unit, write.lang) for value in (one.value, one.nation)]
        rows.append([label, *values, place])
    keys = ("dimension.measure", "profile.here", "figure.nation_line", "profile.rank")
    return {
        "title": write.word("own_title"),
        "sub": write.word("own_sub"),
        "page": False,
        "widths": [2.6, 1, 1, 1],
        "heads": [text.word(key, write.lang) for key in keys],
        "rows": rows,
        "total": [],
    }


def _nobody(metric: Metric) -> int | None:
    """What a place without a row has: a count of nobody, no ratio."""
    return None if metric.numerator else 0
