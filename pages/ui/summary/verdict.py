"""The verdict, written from the data: how many are active, how far the target is and when it is reached."""

from dataclasses import dataclass
from typing import Any

from etl.core.jalali import add_months, unit_of
from etl.semantic.answers import Answer, catalogue
from pages.ui.i18n import text
from pages.ui.summary import changes
from pages.ui.summary.sources import Sources


@dataclass(frozen=True)
class Facts:
    """What a verdict says. What has no meaning for the place, or is not known, is None.

    `first` and `last` are the months between which the target is reached at the present pace (`1406-03`), `held` the share of
    past ranges of that distance that held what came.
    """

    active: int
    before: int | None
    target: float | None
    first: str | None
    last: str | None
    held: float | None
    is_projected: bool
    answers: tuple[Answer, ...]

    @property
    def progress(self) -> float | None:
        return self.active / self.target if self.target else None

    @property
    def missing(self) -> float | None:
        return self.target - self.active if self.target else None


def facts(sources: Sources) -> Facts:
    """Ask for what the verdict says."""
    now = sources.ask("active_assistants", on=sources.on)
    then = sources.ask("active_assistants", on=add_months(sources.on, -12))
    active, before = now.value() or 0, then.value()
    # Without a target of its own a province has only its census share of the nation's, which is coverage in other words.
    own = None if sources.filters else sources.ask("own_target", on=sources.on)
    target = own.value() if own else None
    answers = [now, then, *([own] if own else [])]
    first = last = held = None
    is_projected = False
    if target and active < target:
        pace = sources.analyse("pace")
        first, last = pace.value("projected_first"), pace.value("projected_last")
        is_projected = pace.value("actual_pace_12") is not None
        answers.append(pace)
        if first:
            tried = sources.analyse("backtest")
            held = _held(tried, _months_until(sources, last or first))
            answers.append(tried)
    return Facts(active, before, target, first, last, held, is_projected, tuple(answers))


def sentences(found: Facts, sources: Sources) -> list[str]:
    """The verdict: how far the target is; then the change in a year and when the target is reached at the present pace."""
    lang = sources.lang
    values: dict[str, Any] = {"active": sources.number(found.active)}
    key = "verdict.active"
    if found.target and found.progress is not None and found.missing is not None:
        values["target"] = sources.number(found.target)
        values["share"] = text.percent(found.progress, lang)
        values["missing"] = sources.number(abs(found.missing))
        key = "verdict.short" if found.missing > 0 else "verdict.above"
    more = [_change(found, sources)]
    if found.target and found.active < found.target:
        more.append(_reached(found, sources))
    return [sources.word(key, **values), *([" ".join(filter(None, more))] if any(more) else [])]


def _change(found: Facts, sources: Sources) -> str:
    if not found.before:
        return ""
    metric, change = catalogue()["active_assistants"], found.active - found.before
    if not change:
        return sources.word("verdict.unchanged")
    return sources.word(
        "verdict.more" if change > 0 else "verdict.fewer",
        change=sources.number(abs(change)),
        share=text.percent(abs(change) / found.before, sources.lang),
        verdict=changes.verdict(metric, found.active, found.before, sources.lang),
    )


def _reached(found: Facts, sources: Sources) -> str:
    if not found.is_projected:
        return sources.word("verdict.untried")
    if not found.first:
        return sources.word("verdict.never")
    first = text.unit_label(found.first, sources.lang)
    if not found.last:
        said = sources.word("verdict.not_before", first=first)
    elif found.first == found.last:
        said = sources.word("verdict.in_month", first=first)
    else:
        is_same_year = found.first[:4] == found.last[:4]
        first = text.unit_label(found.first, sources.lang, short=is_same_year)
        said = sources.word("verdict.between", first=first, last=text.unit_label(found.last, sources.lang))
    if found.held is None:
        return f"{said}."
    return sources.word("verdict.held", said=said, share=text.percent(found.held, sources.lang, 0))


def _months_until(sources: Sources, month: str) -> int:
    """How many months lie between the day and a Jalali month."""
    now = unit_of(sources.on, "month").label
    return (int(month[:4]) - int(now[:4])) * 12 + int(month[5:7]) - int(now[5:7])


def _held(tried: Answer, months: int) -> float | None:
    """The share of past ranges that held, at the longest distance tried that is not beyond `months`."""
    known = [row for row in tried.records() if row["backtest_inside"] is not None]
    if not known:
        return None
    near = [row for row in known if row["ahead"] <= months] or known[:1]
    return near[-1]["backtest_inside"]
