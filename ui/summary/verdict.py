"""The verdict in words: how many are active, how far the target is, and when it is reached."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from etl.core.errors import QuestionError
from etl.core.jalali import year_before
from etl.semantic.answers import Answer
from etl.warehouse.dimensions import PLACES
from ui.i18n import text
from ui.summary import different
from ui.summary.sources import Sources

# The provinces furthest below that a sentence names.
_MOST_NAMED = 3


@dataclass(frozen=True)
class Facts:
    """The facts of a verdict, from the answer `latest`; None for a fact that has no meaning for the place or is not facts.

    At the present pace the target is reached in the month `middle` (`1406-03`), by the range between `first` and `last`.
    `has_range`: whether the projection has a range for five years, so that a target beyond it is not reached in them.
    `broken`: the month of the last year whose change breaks with those before, and the size of the break.
    `census_share`: of a place without a target of its own, its share of the nation's by residents.
    `in_service`, `without_licence`: the people in service and those of them without a valid licence, on the day and a year
    before, where the active fell and all in service did not: the fall is one of licences.
    """

    latest: Answer
    active: int
    before: int | None
    target: float | None
    first: str | None = None
    middle: str | None = None
    last: str | None = None
    has_range: bool = False
    broken: tuple[str, float] | None = None
    census_share: float | None = None
    in_service: tuple[int, int] | None = None
    without_licence: tuple[int, int] | None = None

    @property
    def progress(self) -> float | None:
        of = self.target or self.census_share
        return self.active / of if of else None


def facts(sources: Sources) -> Facts:
    latest = sources.ask("active_assistants", on=sources.on)
    active, earlier = latest.value() or 0, sources.ask("active_assistants", on=year_before(sources.on))
    # A group of the nation is not given to everybody of a year before.
    before = earlier.value() if earlier.where == latest.where else None
    target = own_target(sources)
    has_share = not (target or sources.filters)
    more: dict[str, Any] = {"census_share": sources.ask("target", on=sources.on).value() if has_share else None}
    if target and active < target:
        pace = sources.analyse("pace")
        more |= {name: pace.value(f"projected_{name}") for name in ("first", "middle", "last")}
        # What the number is says how often such ranges held.
        latest = replace(latest, metrics=(*latest.metrics, *pace.metrics[-3:]))
        more["has_range"] = pace.value("has_range")
        if pace.value("break_month"):
            more["broken"] = (pace.value("break_month"), pace.value("break_size"))
    if before and active < before:
        more |= _unlicensed(sources)
    return Facts(latest, active, before, target, **more)


def own_target(sources: Sources) -> float | None:
    """The target set for the place, the only one to reach: a census share of the nation's is none, and a filter has none."""
    return None if sources.filters else sources.ask("own_target", on=sources.on).value()


def without_target(sources: Sources) -> str:
    """That no target is set: for the place, or for a part of the people, who have none anywhere."""
    return sources.word("verdict.no_target_of_part" if sources.filters - {*PLACES} else "verdict.no_target")


def _unlicensed(sources: Sources) -> dict[str, tuple[int, int]]:
    """All in service and those without a valid licence, now and a year before, if all in service did not become fewer."""
    names, days = ("in_service", "lapsed_licence_service"), (sources.on, year_before(sources.on))
    exact, exact_before = ((sources.exactly or sources.ask)(*names, on=day).records()[0] for day in days)
    if exact["in_service"] < exact_before["in_service"]:
        return {}
    now, before = (sources.ask(*names, on=day).records()[0] for day in days)
    numbers = {
        key: (now[name] or 0, before[name] or 0)
        for key, name in zip(("in_service", "without_licence"), names, strict=True)
    }
    return numbers if all(here >= earlier for here, earlier in numbers.values()) else {}


def sentences(facts: Facts, sources: Sources) -> list[str]:
    """The sentences: how many are active, with the change in a year; why a fall is none of people; when the target is reached."""
    values: dict[str, Any] = {"count": sources.number(facts.active), "change": _change(facts, sources)}
    key, target = "verdict.active", facts.target or facts.census_share
    if target:
        key = "verdict.of_census_share"
        values["target"] = sources.number(target)
        values["share"] = text.percent(facts.progress, sources.lang)
    if facts.target:
        key = "verdict.short" if facts.target > facts.active else "verdict.above"
        values["missing"] = sources.number(abs(facts.target - facts.active))
    reached = [_reached(facts, sources)] if facts.target and facts.active < facts.target else []
    return [sources.word(key, **values), *licences_lapsed(facts, sources), *reached]


def licences_lapsed(facts: Facts, sources: Sources) -> list[str]:
    """That the fall of the active is one of licences and not of people, where it is."""
    if not (facts.in_service and facts.without_licence):
        return []
    (serving, serving_before), (without, without_before) = facts.in_service, facts.without_licence
    values = {
        "without": sources.number(without),
        "without_more": sources.number(without - without_before),
        "serving": sources.number(serving),
        "more": sources.number(serving - serving_before),
    }
    return [sources.word("verdict.licences_lapsed", **values)]


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
    month, first, last = (
        text.unit_in_both(label, sources.lang) if label else "" for label in (facts.middle, facts.first, facts.last)
    )
    if not month:
        key = "not_before" if first else "never" if facts.has_range or facts.broken else "untried"
    elif not first:
        key = "in_month"
    else:
        key = "in_range" if last else "in_range_open"
        if first == last:
            key = "in_month"
    what = broken(facts.broken, sources.lang) if facts.broken else ""
    pace = sources.word("verdict.unless", what=what) if what else sources.word("verdict.at_pace")
    sentence = sources.word(f"verdict.{key}", pace=pace, month=month, first=first, last=last)
    return f"{sentence} {sources.word('verdict.broken', what=what)}" if what else sentence


def furthest(sources: Sources) -> str:
    """The provinces furthest below targets of their own; where none has one, those far below the national coverage.

    Of one province without a target its own distance. Empty where nobody is below, and for smaller places.
    """
    if {"county", "institute"} & sources.filters:
        return ""
    key, gaps = "target", {} if sources.filters - {"province"} else _missing(sources)
    if not gaps:
        key, gaps = "average", _below_average(sources)
    if sources.province and key == "target":
        # The sentence before says it.
        return ""
    found = sorted(gaps.items(), key=lambda gap: (-gap[1], gap[0]))[:_MOST_NAMED]
    if sources.province:
        return "".join(sources.word("verdict.below_average", count=sources.number(gap)) for _, gap in found)
    names = [
        f"{text.isolated(sources.member('province', code), sources.lang)}\u00a0{sources.number(gap)}"
        for code, gap in found
    ]
    return sources.word(f"verdict.furthest_{key}", names=different.joined(names, sources.lang)) if names else ""


def _missing(sources: Sources) -> dict[str, float]:
    """The people missing to the target of each province that has one of its own and has not met it; empty without any."""
    own, active = (
        {row["province"]: row[name] for row in sources.ask(name, by=("province",), on=sources.on).records()}
        for name in ("own_target", "active_assistants")
    )
    return {
        code: target - (active.get(code) or 0)
        for code, target in own.items()
        if target and target > active.get(code, 0)
    }


def _below_average(sources: Sources) -> dict[str, float]:
    """The people missing to the national coverage in each province that is named as below it."""
    with suppress(QuestionError):
        below = {row["province"] for row in different.named(sources.different("coverage_per_10k", "province"))}
        gaps = sources.ask("coverage_gap", by=("province",), on=sources.on).records()
        return {row["province"]: -row["coverage_gap"] for row in gaps if row["province"] in below}
    return {}


def broken(found: tuple[str, float], lang: str) -> str:
    """A break in words: «افت مهر ۱۴۰۴»."""
    month, size = found
    return text.word("figure.drop" if size < 0 else "figure.jump", lang, month=text.unit_label(month, lang))
