"""Two sides, each a place on a day: their numbers, a measure over time, the parts of its difference, and the bridge of each.

The sides and the measure are inputs of the page. Each function is one exhibit.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, ClassVar

from etl.analysis import comparison
from etl.analysis.different import is_tested_over_time
from etl.analysis.why import between_places, dimensions
from etl.core.errors import AccessDenied, QuestionError
from etl.core.jalali import DAY, last_complete_months, unit_of, year_before
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import DIMENSIONS, catalogue, size_of
from etl.semantic.ranking import is_tested
from etl.warehouse.dimensions import PLACES
from ui.charts import comparison as charts
from ui.charts import steps, titles
from ui.charts.comparison import SideDay
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask, Filters, Question, frozen, of_analysis
from ui.exhibits.exhibit import Exhibit, Table, said
from ui.exhibits.figure import nothing, of_answer
from ui.exhibits.figure import shown as as_shown
from ui.exhibits.named import Input, Make
from ui.exhibits.page import Page, Section
from ui.i18n import member_names, text
from ui.state import wording
from ui.state.given import Given, Wrong, one, short, wrong_value
from ui.state.questions import Over, counts_known, settled_on, similar_to, without_places
from ui.state.scope import NATION, SIMILAR, Days, Scope
from ui.summary import changes, claims, different

# The months of the lines. So many rates are named in a title.
_MONTHS, _MOST_NAMED = 36, 2
# The default measure of parts and lines: a rate, because a province and the nation differ too much in counts.
_LINE = "training_compliance"
MEASURES = (
    "active_assistants",
    "in_service",
    "target_progress",
    "coverage_per_10k",
    "licensed_institutes",
    "persons_per_institute",
    _LINE,
    "requirement_rate",
    "expiring_30",
    "judicial_officer_share",
    "leaver_rate_12m",
    "early_attrition",
)
SIDES = ("first", "second")


@dataclass(frozen=True)
class Sides:
    """The two sides of a comparison: places and days. A place may be the provinces `similar` to the other one."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("p", "a", "q", "b")
    places: tuple[str, str]
    days: tuple[date, date]

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Sides":
        """By default the place of the scope and the nation, both on its day; of one place the first side is a year earlier."""
        provinces, lang = scope.where.get("province", ()), scope.lang
        first = one(given, "p", lang) or (provinces[0] if provinces else NATION)
        second = one(given, "q", lang) or (provinces[1] if len(provinces) > 1 else NATION)
        known = (NATION, SIMILAR, *member_names.fixed("province", lang))
        for name, place in (("p", first), ("q", second)):
            if place not in known:
                raise wrong_value(name, place, known, lang)
        days = Days.until(scope.latest)
        before = max(year_before(scope.day), days.first) if first == second else scope.day
        return cls((first, second), (_day(given, "a", days, lang) or before, _day(given, "b", days, lang) or scope.day))

    def query(self) -> dict[str, list[str]]:
        places, days = zip("pq", self.places, strict=True), zip("ab", self.days, strict=True)
        return {name: [place] for name, place in places} | {name: [day.isoformat()] for name, day in days}

    def side(self, ask: Ask, i: int) -> comparison.Side:
        place = self.places[i]
        where = {"province": self.similar(ask, i)} if place == SIMILAR else where_of(place)
        return comparison.Side(self.days[i], frozen(where), place == SIMILAR)

    def similar(self, ask: Ask, i: int) -> tuple[str, ...]:
        """The provinces similar to the place of the other side; empty without any."""
        other = self.places[1 - i]
        return () if other in (NATION, SIMILAR) else similar_to(ask, other)

    @property
    def are_tested(self) -> bool:
        """Whether a difference may be better or worse: of two places on one day, or of two days of one place."""
        return SIMILAR not in self.places and (self.places[0] == self.places[1] or self.days[0] == self.days[1])

    @property
    def have_parts(self) -> bool:
        """Whether a difference has parts: of two places on one day, or of two days of one place, and not of a median."""
        is_two = (self.places[0] == self.places[1]) != (self.days[0] == self.days[1])
        return is_two and SIMILAR not in self.places


def _day(given: Given, name: str, days: Days, lang: str) -> date | None:
    written = one(given, name, lang)
    day = days.read(written) if written else None
    if written and day is None:
        first, last = days.first.isoformat(), days.last.isoformat()
        raise Wrong(text.word("data.day", lang, name=name, value=short(written), first=first, last=last))
    return day


@dataclass(frozen=True)
class Compared:
    """The measure of the lines and of the parts of its difference, and what these are by: empty for what explains most."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("m", "by")
    name: str
    by: str = ""

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Compared":
        offered = offered_of(MEASURES, scope)
        name, by = one(given, "m", scope.lang), one(given, "by", scope.lang)
        visible = [measure for measure, metric in catalogue().items() if not metric.hidden]
        if name and name not in visible:
            raise wrong_value("m", name, visible, scope.lang)
        if by and by not in DIMENSIONS:
            raise wrong_value("by", by, DIMENSIONS, scope.lang)
        return cls(name or (_LINE if _LINE in offered else offered[0]), by)

    def query(self) -> dict[str, list[str]]:
        return {"m": [self.name]} | ({"by": [self.by]} if self.by else {})


def offered_of(names: Sequence[str], scope: Scope) -> list[str]:
    """The measures that have a meaning under the filters that are no places."""
    return [name for name in names if {*without_places(scope.where)} <= catalogue()[name].dimensions]


@dataclass(frozen=True)
class At:
    """The side whose bridge is meant, by its place."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("of",)
    place: str = NATION

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "At":
        place = one(given, "of", scope.lang) or NATION
        known = (NATION, *member_names.fixed("province", scope.lang))
        if place not in known:
            raise wrong_value("of", place, known, scope.lang)
        return cls(place)

    def query(self) -> dict[str, list[str]]:
        return {"of": [self.place]}


def where_of(place: str) -> dict[str, tuple[str, ...]]:
    """The filter of a place; none for the nation."""
    return {} if place == NATION else {"province": (place,)}


def named(place: str, lang: str) -> str:
    if place == SIMILAR:
        return text.word("compare.similar", lang)
    return member_names.fixed("province", lang).get(place, text.word("scope.nation", lang))


def has_target(ask: Ask, place: str, day: date) -> bool:
    """Whether a target of its own is set for a place on a day."""
    question = Question(("own_target",), on=day, filters=frozen(where_of(place)))
    return place != SIMILAR and ask.exactly(question).value() is not None


# ---------------------------------------------------------------- all numbers


def measures(ask: Ask, sides: Sides) -> tuple[str, ...]:
    """The measures of the page: a census share of the nation's target would only restate coverage."""
    is_set = all(has_target(ask, *side) for side in zip(sides.places, sides.days, strict=True))
    return MEASURES if is_set else tuple(name for name in MEASURES if name != "target_progress")


def numbers(scope: Scope, ask: Ask, sides: Sides, compared: Compared) -> Exhibit:
    """What are the numbers of both sides, and how far are they apart?"""
    where, lang = without_places(scope.where), scope.lang
    names = (compared.name, *(name for name in measures(ask, sides) if name != compared.name))
    offered = tuple(offered_of(names, scope))
    pair = (sides.side(ask, 0), sides.side(ask, 1))
    exact = ask.exactly.look_up(comparison.compare, offered, *pair, frozen(where))
    answer = as_shown(exact, ask)
    titled = _titles(scope, ask, sides, exact)
    words = ChartContext(lang, names=asking.names(ask, lang) | {"side": titled})
    verdicts = tuple(_verdict(ask, sides, each, frozen(where)) for each in exact.metrics)
    tested = sum(_is_tested(sides, each) for each in exact.metrics)
    line = [
        text.word("compare.sides", lang, first=titled["first"], second=titled["second"]),
        text.listed(wording.filters(words, where), lang),
        text.word("compare.difference_is", lang),
    ]
    left_out = [catalogue()[name].label[lang] for name in names if name not in offered]
    notes = [text.word("compare.left_out", lang, measures=text.listed(left_out, lang))] if left_out else []
    title = Title(_finding(answer, titled, verdicts, tested, sides, lang))
    below = " · ".join(filter(None, line))
    return Exhibit(lang, Table(verdicts), answer, title, below, own_notes=tuple(notes), names=words.names)


def _titles(scope: Scope, ask: Ask, sides: Sides, answer: Answer) -> dict[str, str]:
    first, second = (
        text.listed([_shown(scope, ask, place, answer), text.day(day, scope.lang)], scope.lang)
        for place, day in zip(sides.places, sides.days, strict=True)
    )
    return {"first": first, "second": second, "difference": text.word("compare.difference", scope.lang)}


def _shown(scope: Scope, ask: Ask, place: str, answer: Answer) -> str:
    """The name of a place, or of the own provinces where the answer is of them in place of the nation."""
    own = answer.where.get("province")
    if own and place == NATION:
        return wording.place(ChartContext(scope.lang), {"province": own}, ask.rights)
    return named(place, scope.lang)


def _apart(sides: Sides, lang: str) -> dict[str, str]:
    """The sides by what differs between them: their days or their places."""
    if sides.places[0] == sides.places[1]:
        apart = [text.day(day, lang) for day in sides.days]
    else:
        apart = [named(place, lang) for place in sides.places]
    return dict(zip(SIDES, apart, strict=True))


def _finding(
    answer: Answer, titled: Mapping[str, str], verdicts: Sequence[str], tested: int, sides: Sides, lang: str
) -> str:
    """The numbers of a single measure; of several, on which or how many of the `tested` the second side is better or worse.

    Nothing is said of rates in which no difference was found.
    """
    if len(verdicts) == 1:
        return _of_one(answer, lang)
    counts = Counter(filter(None, verdicts))
    counted = {verdict: different.written(count, lang) for verdict, count in counts.items()}
    if not counted:
        count = text.number(len(verdicts), lang)
        whole = {name: side for name, side in titled.items() if name in SIDES}
        # The line below the title gives the day, or the place, that both share.
        differ_twice = len({*sides.places}) == len({*sides.days}) == 2
        named_sides = (whole, _apart(sides, lang)) if differ_twice else (_apart(sides, lang),)
        beside = (text.word("compare.beside", lang, count=count, **each) for each in named_sides)
        return titles.first_that_fits([*beside, text.word("compare.finding_beside", lang, count=count)])
    key = "both" if len(counted) == 2 else next(iter(counted))
    count = text.number(counts["better"] or counts["worse"], lang)
    is_all = len(counted) == 1 and sum(counts.values()) == tested
    findings = [text.word(f"compare.finding_{key}{'_all' if is_all else ''}", lang, count=count, **counted)]
    found = [metric.short[lang] for metric, verdict in zip(answer.metrics, verdicts, strict=True) if verdict]
    if len(counted) == 1 and len(found) <= _MOST_NAMED:
        names = different.joined([text.inside(name, lang) for name in found], lang)
        findings.insert(0, text.word(f"compare.finding_{key}_on", lang, names=names))
    # The line below the title says which place and day each letter is.
    letters = {"first": text.word("compare.side_1", lang), "second": text.word("compare.side_2", lang)}
    ways = [("against", _apart(sides, lang)), ("than", _apart(sides, lang)), ("against", letters)]
    return titles.first_that_fits(
        text.word(f"compare.{way}", lang, finding=finding, **between) for finding in findings for way, between in ways
    )


def _of_one(answer: Answer, lang: str) -> str:
    metric = answer.metrics[0]
    first, second, difference = (row[metric.name] for row in answer.records())
    if difference is None:
        return metric.label[lang]
    values = {name: text.plain(value, metric.unit, lang) for name, value in zip(SIDES, (first, second), strict=True)}
    change = signed(second, first, metric.unit, lang)
    return text.word("compare.finding", lang, measure=metric.short[lang], change=change, **values)


def signed(value: Any, before: Any, unit: str, lang: str) -> str:
    """The difference of two shown numbers or days with its sign; for shares in percentage points."""
    if None in (value, before):
        return "–"
    if isinstance(value, date):
        return f"{text.number((value - before).days, lang, signed=True)} {text.unit_word('days', lang)}"
    return changes.part(changes.of_shown(value, before, unit), unit, lang)


def _is_tested(sides: Sides, metric: Metric) -> bool:
    """Whether a difference of a measure between the sides may be better or worse."""
    on_one_day = sides.days[0] == sides.days[1]
    return sides.are_tested and (is_tested if on_one_day else is_tested_over_time)(metric.name)


def _verdict(ask: Ask, sides: Sides, metric: Metric, where: Filters) -> str:
    """Better or worse: of a rate with a direction, where the second side differs from the first beyond chance."""
    if not _is_tested(sides, metric):
        return ""
    first, second = (
        comparison.Side(settled_on(ask, metric.name, day) or day, frozen({**dict(where), **where_of(place)}))
        for place, day in zip(sides.places, sides.days, strict=True)
    )
    with suppress(AccessDenied):
        filters, counts = dict(second.where), counts_known(ask, (), dict(first.where), dict(second.where))
        asked = of_analysis("differs", second.on, filters, metric=metric.name, than=first, **counts)
        answer = ask.exactly(asked)
        return changes.verdict(metric, answer.value("side"))
    return ""


# ---------------------------------------------------------------- one measure


def over_time(scope: Scope, ask: Ask, sides: Sides, of: Compared) -> Exhibit:
    """How did the measure go in both places, and where are the two days?"""
    name = of.name
    where, pair, lang = without_places(scope.where), (sides.side(ask, 0), sides.side(ask, 1)), scope.lang
    of_place = dict(zip(sides.places, pair, strict=True))
    months, exactly = _period(scope, sides.days), ask.exactly
    exact = exactly.look_up(comparison.over_time, name, tuple(of_place.items()), months, frozen(where))
    compared = exactly.look_up(comparison.compare, (name,), *pair, frozen(where))
    # The values of the days are exact.
    values = compared.column(name)[:2] if ask is exactly else (None, None)
    settled = (settled_on(ask, name, day) or day for day in sides.days)
    days = tuple(map(SideDay, sides.places, settled, values))
    labels = {place: _shown(scope, ask, place, exact) for place in of_place}
    words = ChartContext(lang, names=asking.names(ask, lang))
    whose = (text.listed(names, lang) for names in (list(labels.values()), wording.filters(words, where)))
    place = " · ".join(filter(None, whose))
    return of_answer(
        scope,
        ask,
        charts.two_sides,
        exact,
        partial(charts.side_by_side, days=days),
        options={"days": days, "zero": catalogue()[name].unit != "share"},
        subtitle=wording.subtitle(words, exact, ask.rights, scope.day, place),
        cases=_cases(compared, lang),
        names={"side": labels},
    )


def _cases(compared: Answer, lang: str) -> str:
    """The number of cases of a ratio on the day of each side; empty for counts, and where a side has none."""
    metric = compared.metrics[0]
    counted = size_of(metric)
    sizes = compared.column(counted)[:2] if counted in compared.columns and counted != metric.name else []
    if not sizes or None in sizes:
        return ""
    count = text.listed([text.amount(size, catalogue()[counted].unit, lang) for size in sizes], lang)
    return text.word("figure.cases", lang, count=count)


def _period(scope: Scope, days: Sequence[date]) -> Over:
    """The period of the scope, or the last three years and the days of both sides."""
    first, last = scope.months(_MONTHS)
    return scope.over or (min(first, unit_of(min(days), "month").first), max(last, *days))


def has_parts(name: str) -> bool:
    """Whether a difference in the measure splits by anything: a count and a ratio of two counts do."""
    with suppress(QuestionError):
        return bool(dimensions(name))
    return False


def split_by(sides: Sides, name: str) -> tuple[str, ...]:
    """The dimensions by which a difference between the sides splits: two places have no place inside in common."""
    if not (sides.have_parts and has_parts(name)):
        return ()
    without = PLACES if between_places(*map(where_of, sides.places)) else ()
    return tuple(by for by in dimensions(name) if by not in without)


def is_split(scope: Scope, ask: Ask, sides: Sides, name: str, by: str = "") -> bool:
    """Whether the difference has parts that are shown, and not a sentence alone."""
    return changes.is_split(_why(scope, ask.exactly, sides, name, by), catalogue()[name])


def _between(ask: Ask, sides: Sides, name: str) -> tuple[str, str, date, date]:
    """The places and days between which the difference is; the nation is what a province is compared with."""
    before, after = (settled_on(ask, name, day) or day for day in sides.days)
    base, here = sorted(sides.places, key=lambda place: place != NATION) if before == after else sides.places
    return base, here, before, after


def _why(scope: Scope, ask: Ask, sides: Sides, name: str, by: str) -> Answer:
    base, here, before, after = _between(ask, sides, name)
    against = "nation" if base == NATION else f"province={base}"
    between = {"before": before} if before != after else {"against": against}
    offered = split_by(sides, name)
    if by not in offered and base == here == NATION and not ask.rights.sees_whole_country:
        # Of the nation only its provinces are open to everybody.
        by = "province"
    where = {**without_places(scope.where), **where_of(here)}
    return ask(of_analysis("why", after, where, metric=name, by=by if by in offered else "", **between))


def parts(scope: Scope, ask: Ask, sides: Sides, of: Compared) -> Exhibit:
    """Of which groups is the difference made?"""
    name, by = of.name, of.by
    metric, lang, exactly = catalogue()[name], scope.lang, ask.exactly
    base, here, before, after = _between(ask, sides, name)
    if not split_by(sides, name):
        key = "two_sides" if has_parts(name) else "no_parts"
        return nothing(scope, "state.empty_title", f"split.{key}")
    exact = _why(scope, exactly, sides, name, by)
    if not exact.rows:
        return nothing(scope, "state.empty_title", "state.empty")
    words, shown = ChartContext(lang, names=asking.names(ask, lang)), as_shown(exact, ask)
    if not shown.rows:
        return nothing(scope, "state.empty_title", "state.empty")
    there = text.word("different.nation", lang) if base == NATION else named(base, lang)
    kind, apart = "place", (there, named(here, lang))
    if before != after:
        kind, apart = "day", (text.day(before, lang), text.day(after, lang))
    # Its numbers are exact.
    because = changes.sentence(exact, metric, lang, words.member, kind, apart) if ask is exactly else ""
    if not changes.is_split(exact, metric):
        return said(scope, charts.largest(shown, words, metric).sentence, because)
    notes, options = [text.word("split.note", lang)], {"unit": metric.unit}
    says = partial(charts.largest, metric=metric)
    split = changes.shown(exact, metric)
    return replace(of_answer(scope, ask, charts.parts, split, says, notes=notes, options=options), intro=because)


def bridge(scope: Scope, ask: Ask, sides: Sides, at: At) -> Exhibit:
    """By which steps did the number of a place change: between the two days, or over the year before if they are one?"""
    if without_places(scope.where):
        return nothing(scope, "compare.no_bridge_title", "compare.no_bridge")
    first, last = sorted(sides.days)
    over = (first + DAY, last) if first < last else last_complete_months(last, 12)
    asked = of_analysis("bridge", over[1], where_of(at.place), over)
    made = of_answer(scope, ask, steps.bridge, ask.exactly(asked))
    return replace(made, title=replace(made.title, claims=claims.of_analysis(made.title.claims, asked)))


def sides_held(scope: Scope, ask: Ask, given: Given) -> Iterator[tuple[Make, tuple[Input, ...]]]:
    """What stands below the choices of an address: a bridge for each place, if nothing but places is chosen. Raises Wrong."""
    sides, compared = Sides.read(given, scope), Compared.read(given, scope)
    if any(place == SIMILAR and not sides.similar(ask, i) for i, place in enumerate(sides.places)):
        return
    if split_by(sides, compared.name):
        yield parts, (sides, compared)
    yield over_time, (sides, compared)
    yield numbers, (sides, compared)
    if not without_places(scope.where):
        for place in dict.fromkeys(sides.places):
            if place != SIMILAR:
                yield bridge, (sides, At(place))


PAGE = Page(
    "compare", filters=("@person",), layout=(Section("compare", (parts, over_time, numbers, bridge), sides_held),)
)
