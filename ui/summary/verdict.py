"""The verdict in words: how many are active, how far the target is, and when it is reached."""

from dataclasses import dataclass
from typing import Any

from etl.core.jalali import unit_of, year_before
from etl.semantic.answers import Answer
from ui.i18n import text
from ui.summary.sources import Sources


@dataclass(frozen=True)
class Facts:
    """The facts of a verdict, from the answer `latest`; None for a fact that has no meaning for the place or is not facts.

    At the present pace the target is reached between the months `first` and `last` (`1406-03`). `range_hits`: the longest
    distance in months up to that for which past ranges were tested, and the share of them that contained the later number.
    `has_range`: whether the projection has a range for five years, so that a target beyond it is not reached in them.
    """

    latest: Answer
    active: int
    before: int | None
    target: float | None
    first: str | None
    last: str | None
    range_hits: tuple[int, float] | None
    has_range: bool

    @property
    def progress(self) -> float | None:
        return self.active / self.target if self.target else None


def facts(sources: Sources) -> Facts:
    """Ask for the facts of the verdict."""
    latest = sources.ask("active_assistants", on=sources.on)
    active, before = latest.value() or 0, sources.ask("active_assistants", on=year_before(sources.on)).value()
    # Only an explicit target counts: a census share of the nation's target would only restate coverage.
    target = None if sources.filters else sources.ask("own_target", on=sources.on).value()
    first = last = range_hits = None
    has_range = False
    if target and active < target:
        pace = sources.analyse("pace")
        first, last = pace.value("projected_first"), pace.value("projected_last")
        has_range = pace.value("has_range")
        if first:
            range_hits = _range_hits(sources.analyse("backtest"), _months_until(sources, last or first))
    return Facts(latest, active, before, target, first, last, range_hits, has_range)


def sentences(facts: Facts, sources: Sources) -> list[str]:
    """The sentences: the distance to the target; then the change in a year and the month of the target at this pace."""
    values: dict[str, Any] = {"active": sources.number(facts.active)}
    key = "verdict.active"
    if facts.target:
        values["target"] = sources.number(facts.target)
        values["share"] = text.percent(facts.progress, sources.lang)
        values["missing"] = sources.number(abs(facts.target - facts.active))
        key = "verdict.short" if facts.target > facts.active else "verdict.above"
    more = [_change(facts, sources)]
    if facts.target and facts.active < facts.target:
        more.append(_reached(facts, sources))
    return [sources.word(key, **values), *([" ".join(filter(None, more))] if any(more) else [])]


def _change(facts: Facts, sources: Sources) -> str:
    if not facts.before:
        return ""
    change = facts.active - facts.before
    if not change:
        return sources.word("verdict.unchanged")
    key, count = "verdict.more" if change > 0 else "verdict.fewer", sources.number(abs(change))
    share = text.percent(abs(change) / facts.before, sources.lang)
    return sources.word(key, change=count, share=share)


def _reached(facts: Facts, sources: Sources) -> str:
    if not facts.first:
        return sources.word("verdict.never" if facts.has_range else "verdict.untried")
    first = text.unit_label(facts.first, sources.lang)
    if not facts.last:
        sentence = sources.word("verdict.not_before", first=first)
    elif facts.first == facts.last:
        sentence = sources.word("verdict.in_month", first=first)
    else:
        is_same_year = facts.first[:4] == facts.last[:4]
        first = text.unit_label(facts.first, sources.lang, short=is_same_year)
        sentence = sources.word("verdict.between", first=first, last=text.unit_label(facts.last, sources.lang))
    if facts.range_hits is None:
        return f"{sentence}."
    ahead, share = facts.range_hits
    return sources.word(
        "verdict.held",
        said=sentence,
        count=sources.number(ahead),
        share=text.percent(share, sources.lang, 0),
    )


def _months_until(sources: Sources, month: str) -> int:
    """The number of months from the day to a Jalali month."""
    current = unit_of(sources.on, "month").label
    return (int(month[:4]) - int(current[:4])) * 12 + int(month[5:7]) - int(current[5:7])


def _range_hits(tried: Answer, months: int) -> tuple[int, float] | None:
    """The longest tested distance up to `months`, and the share of past ranges at it that contained the later number."""
    tested = [row for row in tried.records() if row["backtest_inside"] is not None]
    if not tested:
        return None
    near = [row for row in tested if row["ahead"] <= months] or tested[:1]
    return near[-1]["ahead"], near[-1]["backtest_inside"]
