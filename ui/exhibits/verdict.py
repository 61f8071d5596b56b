"""The verdict in words: how many are active, how far the target is, and when it is reached. Of pages and briefings alike."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from etl.core.jalali import year_before
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.warehouse.dimensions import PLACES
from ui.charts.elements import ChartContext
from ui.data import ask as asking
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, Progress, sentence, standing_out
from ui.i18n import text
from ui.state import wording
from ui.state.questions import analyse_under, on_day
from ui.state.scope import Scope
from ui.summary import changes, different
from ui.summary.claims import Claim, Kind, Said, claim, together

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
        return self.latest.share(self.active, self.target, catalogue()["active_assistants"]) if self.target else None


def summed_up(scope: Scope, ask: Ask, reached: bool = True) -> Exhibit:
    """Where does it stand? With the way to the target and, with `reached`, the month of it."""
    found, lang = facts(scope, ask), scope.lang
    said = sentences(found, lang) if reached else [active(found, lang), *licences_lapsed(found, lang)]
    words = ChartContext(lang, names=asking.names(ask, lang))
    below = wording.where_and_when(words, found.latest, ask.rights, scope.day)
    made = sentence(scope, said, found.latest, progress=_progress(found, lang))
    return replace(made, subtitle=below)


def when_reached(scope: Scope, ask: Ask) -> Exhibit:
    """When is the target reached? That there is none, of a place or of people without."""
    found = facts(scope, ask)
    return sentence(scope, sentences(found, scope.lang)[-1:] if found.target else [without_target(scope)], found.latest)


def to_target(scope: Scope, ask: Ask) -> Exhibit:
    """When is the target reached, and which provinces are furthest below?"""
    found = facts(scope, ask)
    # A met target is said in the first sentence.
    reached = sentences(found, scope.lang)[-1] if found.target else Said(without_target(scope))
    return sentence(scope, [together((reached, furthest(scope, ask)))], found.latest)


def facts(scope: Scope, ask: Ask) -> Facts:
    latest, earlier = (on_day(scope, ask, ACTIVE, day=day) for day in (scope.day, year_before(scope.day)))
    now = latest.value() or 0
    before = earlier.value()
    target = own_target(scope, ask)
    # Several provinces have no share together.
    has_share = bool(scope.province) and not (target or _parts(scope))
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
    if facts.progress is None:
        return None
    here = f"{text.number(facts.active, lang)} · {text.percent(facts.progress, lang)}"
    return Progress(facts.progress, here, text.word("verdict.scale", lang, target=text.number(facts.target, lang)))


# ---------------------------------------------------------------- in words


def sentences(facts: Facts, lang: str) -> list[Said]:
    """How many are active, with the change in a year; why a fall is none of people; when the target is reached."""
    reached = [_reached(facts, lang)] if facts.target and facts.active < facts.target else []
    return [active(facts, lang), *licences_lapsed(facts, lang), *reached]


def active(facts: Facts, lang: str) -> Said:
    """How many are active, with the change in a year, beside the target; of a province without one, its share by residents."""
    values: dict[str, Any] = {"count": text.number(facts.active, lang), "change": _change(facts, lang)}
    claims, key = [_counted(facts, ACTIVE, facts.active)], "verdict.active"
    if facts.before:
        claims += [_counted(facts, ACTIVE, facts.before, day=year_before(_day(facts)))]
        claims += [_counted(facts, ACTIVE, facts.active - facts.before, "change")]
    if target := facts.target or facts.census_share:
        key = "verdict.of_census_share"
        values["target"] = text.number(target, lang)
        claims += [_counted(facts, "target", target)]
    if facts.target:
        key = "verdict.short" if facts.target > facts.active else "verdict.above"
        values["missing"] = text.number(abs(facts.target - facts.active), lang)
        values["share"] = text.percent(facts.progress, lang)
        claims += [_counted(facts, "target_progress", facts.progress)]
    return Said(text.word(key, lang, **values), tuple(claims))


def _day(facts: Facts) -> date:
    assert facts.latest.on is not None
    return facts.latest.on


def _counted(facts: Facts, name: str, number: float | None, kind: Kind = "value", day: date | None = None) -> Claim:
    """The claim of a number of the place on a day, or of its change in the year before it."""
    before = year_before(_day(facts)) if kind == "change" else None
    made = claim(kind, facts.latest, ACTIVE, number=number, before=before)
    return replace(made, metric=name, on=day or _day(facts))


def licences_lapsed(facts: Facts, lang: str) -> list[Said]:
    """A sentence if fewer are active because licences lapsed, not because people left."""
    if not (facts.in_service and facts.without_licence):
        return []
    (serving, serving_before), (without, without_before) = facts.in_service, facts.without_licence
    numbers: dict[str, tuple[str, Kind, int]] = {
        "without": ("lapsed_licence_service", "value", without),
        "without_more": ("lapsed_licence_service", "change", without - without_before),
        "serving": ("in_service", "value", serving),
        "more": ("in_service", "change", serving - serving_before),
    }
    written = {key: text.number(number, lang) for key, (_, _, number) in numbers.items()}
    claims = tuple(_counted(facts, name, number, kind) for name, kind, number in numbers.values())
    return [Said(text.word("verdict.licences_lapsed", lang, **written), claims)]


def _change(facts: Facts, lang: str) -> str:
    if not facts.before:
        return ""
    change = facts.active - facts.before
    if not change:
        return text.word("verdict.unchanged", lang)
    key, count = "verdict.more" if change > 0 else "verdict.fewer", text.number(abs(change), lang)
    metric = catalogue()["active_assistants"]
    share = text.percent(facts.latest.share(abs(change), facts.before, metric), lang)
    return text.word(key, lang, change=count, share=share)


def _reached(facts: Facts, lang: str) -> Said:
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
    written = text.word(f"verdict.{key}", lang, pace=pace, month=month, first=first, last=last)
    named = {f"projected_{name}": getattr(facts, name) for name in ("middle", "first", "last")}
    if facts.middle and facts.stays and facts.stays != facts.middle:
        written += " " + text.word("verdict.stays", lang, month=text.unit_in_both(facts.stays, lang))
        named["stays_from"] = facts.stays
    claims = tuple(
        replace(_counted(facts, name, None, "month"), members=(label,), analysis="pace")
        for name, label in named.items()
        if label
    )
    if what:
        written = f"{written} {text.word('verdict.broken', lang, what=what)}"
    return Said(written, claims)


def furthest(scope: Scope, ask: Ask) -> Said:
    """The provinces furthest below targets of their own; empty where none has one, and of one province, which says it before."""
    if scope.province or _parts(scope) - {"province"}:
        return Said()
    own, missing = _missing(scope, ask)
    found = sorted(missing.items(), key=lambda gap: (-gap[1], gap[0]))[:_MOST_NAMED]
    if not found:
        return Said()
    context = ChartContext(scope.lang)
    names = [
        f"{text.isolated(standing_out(context.member('province', code)), scope.lang)}\u00a0{text.number(gap, scope.lang)}"
        for code, gap in found
    ]
    written = text.word("verdict.furthest_target", scope.lang, names=different.joined(names, scope.lang))
    targets = {row["province"]: row["own_target"] for row in own.records()}
    members = tuple(code for code, _ in found)
    said = (
        claim("value", own, members=members, values=tuple(targets[code] for code in members)),
        replace(
            claim("value", own, members=members, values=tuple(targets[code] - gap for code, gap in found)),
            metric=ACTIVE,
        ),
    )
    return Said(written, said)


def _missing(scope: Scope, ask: Ask) -> tuple[Answer, dict[str, float]]:
    """The targets of their own of provinces, and the people missing to each that has one and has not met it."""
    own, active = (on_day(scope, ask, name, by=("province",)) for name in ("own_target", ACTIVE))
    now = {row["province"]: row[ACTIVE] for row in active.records()}
    targets = {row["province"]: row["own_target"] for row in own.records()}
    return own, {
        code: target - (now.get(code) or 0) for code, target in targets.items() if target and target > now.get(code, 0)
    }
