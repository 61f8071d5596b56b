"""The verdict in words: how many are active, how far the target is, and when it is reached. Of pages and briefings alike."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from etl.core.errors import QuestionError
from etl.core.jalali import year_before
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.rights import BELOW_PROVINCE
from etl.warehouse.dimensions import PLACES
from ui.charts.elements import ChartContext
from ui.data import ask as asking
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, Progress, sentence, standing_out
from ui.i18n import text
from ui.state import wording
from ui.state.questions import analyse_under, on_day, who_differs
from ui.state.scope import Scope
from ui.summary import changes, different

ACTIVE = "active_assistants"
# The provinces furthest below that a sentence names.
_MOST_NAMED = 3


@dataclass(frozen=True)
class Facts:
    """The facts of a verdict, from the answer `latest`; None for a fact that has no meaning for the place or is not known.

    At the present pace the target is reached in the month `middle` (`1406-03`), by the range between `first` and `last`.
    `stays`: the month from which it is not left again.
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
    stays: str | None = None
    has_range: bool = False
    broken: tuple[str, float] | None = None
    census_share: float | None = None
    in_service: tuple[int, int] | None = None
    without_licence: tuple[int, int] | None = None

    @property
    def progress(self) -> float | None:
        of = self.target or self.census_share
        return self.latest.share(self.active, of) if of else None


def summed_up(scope: Scope, ask: Ask, reached: bool = True) -> Exhibit:
    """Where does it stand? With the way to the target and, with `reached`, the month of it."""
    found, lang = facts(scope, ask), scope.lang
    said = sentences(found, lang) if reached else [active(found, lang), *licences_lapsed(found, lang)]
    _, ignored = scope.under(catalogue()[ACTIVE].dimensions)
    words = ChartContext(lang, names=asking.names(ask, lang))
    notes = [wording.no_effect(words, ignored)] if ignored else []
    below = wording.where_and_when(words, found.latest, ask.rights, scope.day)
    made = sentence(scope, said, found.latest, progress=_progress(found, lang), notes=notes)
    return replace(made, subtitle=below)


def when_reached(scope: Scope, ask: Ask) -> Exhibit:
    """When is the target reached? That there is none, of a place or of people without."""
    found = facts(scope, ask)
    return sentence(scope, sentences(found, scope.lang)[-1:] if found.target else [without_target(scope)], found.latest)


def to_target(scope: Scope, ask: Ask) -> Exhibit:
    """When is the target reached, and which provinces are furthest below?"""
    found = facts(scope, ask)
    # A met target is said in the first sentence.
    reached = sentences(found, scope.lang)[-1] if found.target else without_target(scope)
    said = " ".join(filter(None, (reached, furthest(scope, ask))))
    return sentence(scope, [said], found.latest)


def facts(scope: Scope, ask: Ask) -> Facts:
    latest, earlier = (on_day(scope, ask, ACTIVE, day=day) for day in (scope.day, year_before(scope.day)))
    now = latest.value() or 0
    before = earlier.value()
    target = own_target(scope, ask)
    has_share = not (target or _parts(scope))
    more: dict[str, Any] = {"census_share": on_day(scope, ask, "target").value() if has_share else None}
    if target and now < target:
        pace, _ = analyse_under(scope, ask, "pace")
        more |= {name: pace.value(f"projected_{name}") for name in ("first", "middle", "last")}
        # What the number is says how often such ranges held.
        latest = replace(latest, metrics=(*latest.metrics, *pace.metrics[-3:]))
        more |= {"has_range": pace.value("has_range"), "stays": pace.value("stays_from")}
        if pace.value("break_month"):
            more["broken"] = (pace.value("break_month"), pace.value("break_size"))
    if before and now < before:
        more |= _unlicensed(scope, ask)
    return Facts(latest, now, before, target, **more)


def nobody(scope: Scope, ask: Ask) -> bool:
    """Whether nobody is active under the filters of persons: what is not of them is then no answer either."""
    return bool(_parts(scope) - {*PLACES}) and not on_day(scope, ask, ACTIVE).value()


def _parts(scope: Scope) -> frozenset[str]:
    """The filters of assistants besides one province: targets and lists of provinces have no meaning under them."""
    is_one = len(scope.where.get("province", ())) == 1
    return catalogue()[ACTIVE].dimensions & scope.where.keys() - ({"province"} if is_one else set())


def own_target(scope: Scope, ask: Ask) -> float | None:
    """The target set for the place, the only one to reach: a census share of the nation's is none, and a filter has none."""
    return None if _parts(scope) else on_day(scope, ask, "own_target").value()


def without_target(scope: Scope) -> str:
    """That no target is set: for the place, or for a part of the people, who have none anywhere."""
    return text.word("verdict.no_target_of_part" if _parts(scope) - {*PLACES} else "verdict.no_target", scope.lang)


def _unlicensed(scope: Scope, ask: Ask) -> dict[str, tuple[int, int]]:
    """All in service and those without a valid licence, now and a year before, if all in service did not become fewer."""
    names, days = ("in_service", "lapsed_licence_service"), (scope.day, year_before(scope.day))
    exact, exact_before = (on_day(scope, ask.exactly, *names, day=day).records()[0] for day in days)
    if exact["in_service"] < exact_before["in_service"]:
        return {}
    now, before = (on_day(scope, ask, *names, day=day).records()[0] for day in days)
    numbers = {
        key: (now[name] or 0, before[name] or 0)
        for key, name in zip(("in_service", "without_licence"), names, strict=True)
    }
    return numbers if all(here >= earlier for here, earlier in numbers.values()) else {}


def _progress(facts: Facts, lang: str) -> Progress | None:
    share, of = facts.progress, facts.target or facts.census_share
    if share is None:
        return None
    here = f"{text.number(facts.active, lang)} · {text.percent(share, lang)}"
    key = "scale" if facts.target else "scale_share"
    return Progress(share, here, text.word(f"verdict.{key}", lang, target=text.number(of, lang)), bool(facts.target))


# ---------------------------------------------------------------- in words


def sentences(facts: Facts, lang: str) -> list[str]:
    """How many are active, with the change in a year; why a fall is none of people; when the target is reached."""
    reached = [_reached(facts, lang)] if facts.target and facts.active < facts.target else []
    return [active(facts, lang), *licences_lapsed(facts, lang), *reached]


def active(facts: Facts, lang: str) -> str:
    """How many are active, with the change in a year, beside the target or the census share of it."""
    values: dict[str, Any] = {"count": text.number(facts.active, lang), "change": _change(facts, lang)}
    key, target = "verdict.active", facts.target or facts.census_share
    if target:
        key = "verdict.of_census_share"
        values["target"] = text.number(target, lang)
        values["share"] = text.percent(facts.progress, lang)
    if facts.target:
        key = "verdict.short" if facts.target > facts.active else "verdict.above"
        values["missing"] = text.number(abs(facts.target - facts.active), lang)
    return text.word(key, lang, **values)


def licences_lapsed(facts: Facts, lang: str) -> list[str]:
    """A sentence if fewer are active because licences lapsed, not because people left."""
    if not (facts.in_service and facts.without_licence):
        return []
    (serving, serving_before), (without, without_before) = facts.in_service, facts.without_licence
    values = {
        "without": text.number(without, lang),
        "without_more": text.number(without - without_before, lang),
        "serving": text.number(serving, lang),
        "more": text.number(serving - serving_before, lang),
    }
    return [text.word("verdict.licences_lapsed", lang, **values)]


def _change(facts: Facts, lang: str) -> str:
    if not facts.before:
        return ""
    change = facts.active - facts.before
    if not change:
        return text.word("verdict.unchanged", lang)
    key, count = "verdict.more" if change > 0 else "verdict.fewer", text.number(abs(change), lang)
    return text.word(key, lang, change=count, share=text.percent(facts.latest.share(abs(change), facts.before), lang))


def _reached(facts: Facts, lang: str) -> str:
    month, first, last = (
        text.unit_in_both(label, lang) if label else "" for label in (facts.middle, facts.first, facts.last)
    )
    if not month:
        key = "not_before" if first else "never" if facts.has_range or facts.broken else "untried"
    elif not first:
        key = "in_month"
    else:
        key = "in_range" if last else "in_range_open"
        if first == last:
            key = "in_month"
    what = changes.broken(*facts.broken, lang) if facts.broken else ""
    pace = text.word("verdict.unless", lang, what=what) if what else text.word("verdict.at_pace", lang)
    said = text.word(f"verdict.{key}", lang, pace=pace, month=month, first=first, last=last)
    if facts.middle and facts.stays and facts.stays != facts.middle:
        said += " " + text.word("verdict.stays", lang, month=text.unit_in_both(facts.stays, lang))
    return f"{said} {text.word('verdict.broken', lang, what=what)}" if what else said


def furthest(scope: Scope, ask: Ask) -> str:
    """The provinces furthest below targets of their own; where none has one, those far below the national coverage.

    Their names stand out. Of one province without a target its own distance. Empty where nobody is below, and for smaller places.
    """
    filters = _parts(scope)
    if BELOW_PROVINCE & filters:
        return ""
    key, gaps = "target", {} if filters - {"province"} else _missing(scope, ask)
    if not gaps:
        key, gaps = "average", _below_average(scope, ask)
    if scope.province and key == "target":
        # The sentence before says it.
        return ""
    found = sorted(gaps.items(), key=lambda gap: (-gap[1], gap[0]))[:_MOST_NAMED]
    if scope.province:
        counts = (text.number(gap, scope.lang) for _, gap in found)
        return "".join(text.word("verdict.below_average", scope.lang, count=count) for count in counts)
    context = ChartContext(scope.lang)
    names = [
        f"{text.isolated(standing_out(context.member('province', code)), scope.lang)}\u00a0{text.number(gap, scope.lang)}"
        for code, gap in found
    ]
    named = different.joined(names, scope.lang)
    return text.word(f"verdict.furthest_{key}", scope.lang, names=named) if names else ""


def _missing(scope: Scope, ask: Ask) -> dict[str, float]:
    """The people missing to the target of each province that has one of its own and has not met it; empty without any."""
    own, now = (
        {row["province"]: row[name] for row in on_day(scope, ask, name, by=("province",)).records()}
        for name in ("own_target", ACTIVE)
    )
    return {code: target - (now.get(code) or 0) for code, target in own.items() if target and target > now.get(code, 0)}


def _below_average(scope: Scope, ask: Ask) -> dict[str, float]:
    """The people missing to the national coverage in each province that is named as below it."""
    with suppress(QuestionError):
        below = {row["province"] for row in different.named(who_differs(scope, ask, "coverage_per_10k", "province"))}
        gaps = on_day(scope, ask, "coverage_gap", by=("province",)).records()
        return {row["province"]: -row["coverage_gap"] for row in gaps if row["province"] in below}
    return {}
