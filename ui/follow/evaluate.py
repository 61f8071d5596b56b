"""How a condition stands in a publication, asked as the page asks it: of each member of its place."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.analysis.comparison import Side
from etl.analysis.transitions import State
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import year_before
from etl.revisions import fingerprints
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import named_sides
from ui.data.ask import Ask, frozen, of_analysis
from ui.exhibits import needs_action
from ui.follow.follow import ABOVE, BELOW, CHANGED, HAND_IN, LOWER, NEEDS_ACTION, TARGET_MONTH, Follow
from ui.state import questions
from ui.state.scope import NATION, Scope

# Why a member is not evaluated: outside of what the person may see, or no number of it is known.
OUTSIDE, NO_NUMBER = "outside", "no number"


@dataclass(frozen=True)
class Found:
    """The state of a member, its number and the day of it; `mark` is what an occasion is known by, `distance` how bad it is."""

    state: State
    value: float | None = None
    on: date | None = None
    why: str = ""
    mark: str = ""
    distance: float = 0.0


def definition_of(follow: Follow, ask: Ask) -> str:
    """The version of the definition behind a condition; empty for one of no measure."""
    return str(ask.look_up(fingerprints.definition, follow.measure)) if follow.measure else ""


def evaluated(follow: Follow, ask: Ask, on: date | None = None) -> dict[str, Found]:
    """What is found of each member of a condition of a state, or of an occasion, on a day (None: the latest)."""
    scope = follow.scope(ask.publication.as_of, on)
    try:
        if follow.is_state:
            return dict(_states(follow, scope, ask))
        return {follow.province or NATION: _occasion(follow, scope, ask)}
    except AccessDenied:
        return {_whole(follow): Found(State.NOT_EVALUATED, why=OUTSIDE)}
    except QuestionError:
        # Also before a month is settled.
        return {_whole(follow): Found(State.NOT_EVALUATED, why=NO_NUMBER)}


def occurs(follow: Follow, before: str, now: str) -> bool:
    """Whether something happened between two marks of an occasion."""
    if follow.condition.kind == HAND_IN:
        return bool(json.loads(now).items() - json.loads(before).items())
    if follow.condition.kind != NEEDS_ACTION:
        return before != now
    earlier, counts = json.loads(before), json.loads(now)
    return any(count > earlier.get(code, 0) for code, count in counts.items())


def _whole(follow: Follow) -> str:
    """The name of all members at once, where none is asked."""
    return follow.place if follow.by else follow.province or NATION


def _occasion(follow: Follow, scope: Scope, ask: Ask) -> Found:
    """What an occasion is known by: the items that need action, the day on which the target is met, or the publication."""
    kind = follow.condition.kind
    if kind == NEEDS_ACTION:
        counts = {action.code: action.count for action in needs_action.actions(scope, ask)}
        return Found(State.HOLDS, mark=json.dumps(counts, sort_keys=True), on=scope.day)
    if kind == TARGET_MONTH:
        answer, _ = questions.analyse_under(scope, ask, "projection")
        met: date | None = next(iter(answer.column("reached_middle")), None)
        return Found(State.HOLDS, mark=str(met or ""), on=met)
    return Found(State.HOLDS, mark=ask.publication.id, on=scope.day)


def _states(follow: Follow, scope: Scope, ask: Ask) -> Iterator[tuple[str, Found]]:
    kind = follow.condition.kind
    if kind in (BELOW, ABOVE):
        yield from _beside_number(follow, scope, ask)
    elif kind == CHANGED:
        yield from _changed(follow, scope, ask)
    else:
        yield from _beside_others(follow, scope, ask)


def _beside_number(follow: Follow, scope: Scope, ask: Ask) -> Iterator[tuple[str, Found]]:
    limit = follow.condition.number
    assert limit is not None
    answer, ignored = questions.ask_under(scope, ask, (follow.measure,), follow.by)
    if ignored:
        raise QuestionError(f"{follow.measure} has no meaning by {ignored[0]}")
    yield from ((code, Found(State.NOT_EVALUATED, why=OUTSIDE)) for code in sorted(answer.left_out) if follow.by)
    on = answer.on or (answer.over[1] if answer.over else None)
    for row in answer.records():
        code = row[follow.by[0]] if follow.by else follow.province or NATION
        value = row[follow.measure]
        if code is None or code in answer.left_out:
            continue
        if value is None:
            yield code, Found(State.NOT_EVALUATED, on=on, why=NO_NUMBER)
            continue
        holds = value < limit if follow.condition.kind == BELOW else value > limit
        yield code, Found(_state(holds), value, on, distance=abs(value - limit) / (abs(limit) or 1))


def _beside_others(follow: Follow, scope: Scope, ask: Ask) -> Iterator[tuple[str, Found]]:
    """Below or above the whole, by the one test."""
    metric, by = catalogue()[follow.measure], follow.by or ("province",)
    wanted = named_sides(metric)[follow.condition.kind != LOWER]
    answer = questions.different(scope, ask, metric.name, by[0], follow.where)
    on = answer.on or (answer.over[1] if answer.over else None)
    for row in answer.records():
        value, whole = row[metric.name], row["whole_value"]
        if row["side"] == "untested":
            yield row[by[0]], Found(State.NOT_EVALUATED, value, on, NO_NUMBER)
            continue
        distance = abs(value - whole) / (whole or 1) if None not in (value, whole) else 0.0
        yield row[by[0]], Found(_state(row["side"] == wanted), value, on, distance=distance)


def _changed(follow: Follow, scope: Scope, ask: Ask) -> Iterator[tuple[str, Found]]:
    """Beyond chance since the same day of the year before, of each member."""
    day = questions.settled_on(ask, follow.measure, scope.day)
    if day is None:
        raise QuestionError(f"no month of {follow.measure} is settled")
    answer, _ = questions.ask_under(scope, ask, (follow.measure,), follow.by)
    for row in answer.records():
        code = row[follow.by[0]] if follow.by else follow.province or NATION
        if code is None:
            continue
        where = follow.where | ({follow.by[0]: (code,)} if follow.by else {})
        try:
            yield code, _since_last_year(follow.measure, ask, day, where)
        except AccessDenied:
            yield code, Found(State.NOT_EVALUATED, why=OUTSIDE)
        except QuestionError:
            yield code, Found(State.NOT_EVALUATED, why=NO_NUMBER)


def _since_last_year(name: str, ask: Ask, day: date, where: Mapping[str, tuple[str, ...]]) -> Found:
    than = Side(year_before(day), frozen(where))
    counts = questions.counts_known(ask, (), where, where)
    answer = ask.exactly(of_analysis("differs", day, where, metric=name, than=than, **counts))
    value, before = (answer.records()[0][one] for one in (name, "whole_value"))
    side = answer.value("side")
    if side == "untested":
        return Found(State.NOT_EVALUATED, on=day, why=NO_NUMBER)
    shown = ask.shown(answer).records()
    told: Any = shown[0][name] if shown else None
    distance = abs(value - before) / (before or 1) if None not in (value, before) else 0.0
    return Found(_state(side in ("lower", "higher")), told, day, distance=distance)


def _state(holds: bool) -> State:
    return State.HOLDS if holds else State.DOES_NOT_HOLD
