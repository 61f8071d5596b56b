"""How many assistants there are for the people of a place. Each function is one exhibit."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.open_totals import is_open, sees_nation
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import bars, county_maps, grouped, lines, maps, titles
from ui.charts.elements import ChartContext
from ui.data.ask import Ask, Question, frozen, of_analysis
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit, said, sentence
from ui.exhibits.figure import figure, of_answer, of_result, single, table
from ui.exhibits.findings import no_county, of_rate
from ui.exhibits.page import Cards, Columns, Findings, Folded, Page, Section, Tabled, When, Words
from ui.i18n import member_names, text
from ui.state import wording
from ui.state.given import Given, one, wrong_value
from ui.state.questions import analyse_under, ask_under, without_places
from ui.state.scope import Scope
from ui.summary.claims import Said, claim, value

RATE = "coverage_per_10k"
# The census that the ranking can be based on.
CENSUS = "1395"


def has_curve(scope: Scope, ask: Ask) -> bool:
    """Whether coverage can be unequal between counties; that of one county is not."""
    return len(scope.where.get("county", ())) != 1


def findings(scope: Scope, ask: Ask) -> Exhibit:
    """Who has far fewer?"""
    return of_rate(scope, ask, RATE)


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How well are places covered, and how unequally?"""
    inequality = ["lorenz.gini"] if has_curve(scope, ask) else []
    return cards(scope, ask, RATE, "coverage_per_100km2", "counties_covered", *inequality)


def without_any(scope: Scope, ask: Ask) -> Exhibit:
    """Which provinces have no active assistant? Every other province has none of one county or institute."""
    if BELOW_PROVINCE & {*scope.where}:
        return sentence(scope, ())
    exact, _ = ask_under(scope, ask.exactly, ["active_assistants"], ("province",))
    if ask is not ask.exactly and not is_open(exact.by, exact.where):
        # Published as 0 are also a few.
        return sentence(scope, (), ask.shown(exact))
    active, words = dict(exact.rows), ChartContext(scope.lang)
    places = exact.where.get("province") or member_names.fixed("province", scope.lang)
    none = [words.member("province", place) for place in places if not active.get(place)]
    if not none:
        return sentence(scope, (), ask.shown(exact))
    said = words.word("population.with_none", places=text.listed(none, scope.lang), whom=_whom(exact, words))
    codes = tuple(place for place in places if not active.get(place))
    counted = claim("count", exact, side="zero", number=len(codes), members=codes, values=(0,) * len(codes))
    return sentence(scope, [Said(said, (counted,))], ask.shown(exact))


def counties_without(scope: Scope, ask: Ask) -> Exhibit:
    """How many counties have no active assistant, and which are they? Not of one county or institute."""
    if BELOW_PROVINCE & {*scope.where}:
        return sentence(scope, ())
    words, exactly = ChartContext(scope.lang), ask.exactly
    counted, by_county = ("uncovered_counties", "census_counties"), ("residents", "active_assistants")
    # All are of the same people and places: those of the rights, by county.
    known = frozenset.intersection(*(catalogue()[name].dimensions for name in (*counted, *by_county)))
    where, _ = scope.under(known)
    residents, active = (exactly(Question((name,), ("county",), scope.day, None, frozen(where))) for name in by_county)
    counts = ask(Question(counted, (), scope.day, None, frozen(active.where)))
    # Which they are, a file for circulation does not tell: published as 0 are also a few.
    active_in = dict(active.rows) if ask is exactly else dict.fromkeys(residents.column("county"), True)
    none = replace(residents, rows=[row for row in residents.rows if row[0] is not None and not active_in.get(row[0])])
    nowhere = dict(ask.shown(active).rows).get(None)
    unknown = text.number(nowhere, scope.lang) if nowhere else ""
    about = [words.word("population.boundaries")]
    is_stated = bool(counts.value("uncovered_counties"))
    about += [words.word("population.no_county", count=unknown)] if unknown and not is_stated else []
    if not is_stated:
        return sentence(scope, (), ask.shown(none), notes=[" ".join(about)])
    count, total = (text.number(counts.value(name), scope.lang) for name in counted)
    said = words.word("population.counties_without", count=count, whole=total, whom=_whom(active, words))
    but_unknown = [words.word("different.but_unknown", count=unknown)] if unknown else []
    names = sorted((words.member("county", county) for county in none.column("county")), key=member_names.collated)
    claims = [value(counts, name) for name in counted]
    claims += [no_county(active, nowhere)] if nowhere else []
    clauses = [Said(text.clauses([said, *but_unknown], scope.lang), tuple(claims))]
    return sentence(scope, clauses, ask.shown(none), notes=[" ".join(about)], names=names)


def _whom(answer: Answer, words: ChartContext) -> str:
    """The people among whom none is active, in brackets, as filters name them; empty for all."""
    names = wording.filters(words, without_places(answer.where))
    return f" ({text.listed(names, words.lang)})" if names else ""


def by_province(scope: Scope, ask: Ask, **options: Any) -> Exhibit:
    """Which provinces have fewest?"""
    return figure(scope, ask, maps.provinces, RATE, by="province", **options)


def by_county(scope: Scope, ask: Ask, **options: Any) -> Exhibit:
    """Which counties have fewest?"""
    return figure(scope, ask, county_maps.counties, RATE, by="county", **options)


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """Has it grown in three years?"""
    # Without a map above it there is room.
    over, height = scope.complete_months(36), 320 if BELOW_PROVINCE & {*scope.where} else 200
    return figure(scope, ask, lines.trend, RATE, by="month", over=over, zero=False, height=height)


def by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Which province or county has fewest?"""
    return figure(scope, ask, bars.ranking, RATE, by="place", nation=True)


def on_census(scope: Scope, ask: Ask) -> Exhibit:
    """Which rank would a province have by the census of 1395?"""
    exact, _ = analyse_under(scope, ask.exactly, "coverage_on_census")
    # By the census first: False sorts before True.
    metrics = sorted(exact.metrics, key=lambda metric: metric.name != "coverage_on_census")
    exact = replace(exact, metrics=tuple(metrics))
    if len(exact.rows) == 1:
        # A single bar shows no rank.
        return of_result(single(scope, ask, bars.ranking, exact), scope, "coverage_on_census")
    notes = [_moved(exact, ChartContext(scope.lang))] if None not in exact.column("coverage_rank") else []
    made = of_answer(scope, ask, bars.ranking, exact, titles.highest, notes)
    return of_result(made, scope, "coverage_on_census")


def _moved(answer: Answer, context: ChartContext) -> str:
    """The provinces whose rank changes by two or more, with both ranks."""
    moved = []
    for row in answer.records():
        if row["is_moved"]:
            place = context.member("province", row["province"])
            now, then = (text.number(row[name], context.lang) for name in ("coverage_rank", "coverage_rank_on_census"))
            moved.append(context.word("population.moved_one", place=place, now=now, then=then))
    if not moved:
        return context.word("population.moved_none")
    return context.word("population.moved", places=text.listed(moved, context.lang))


def gap(scope: Scope, ask: Ask) -> Exhibit:
    """How many assistants are missing to the nation's coverage?"""
    if not sees_nation(ask.rights, scope.where):
        closed = text.word("sign_in.nation_closed", scope.lang)
        return said(scope, catalogue()["coverage_gap"].label[scope.lang], closed)
    return figure(scope, ask, bars.ranking, "coverage_gap", by="place", says=titles.gap)


def covered(scope: Scope, ask: Ask) -> Exhibit:
    """In how many counties of each province does anybody serve?"""
    return figure(scope, ask, bars.ranking, "counties_covered", by="province", nation=True)


def lorenz(scope: Scope, ask: Ask) -> Exhibit:
    """Which share of the assistants serves which share of the people?"""
    return figure(scope, ask, lines.lorenz, analysis="lorenz")


def every_county(scope: Scope, ask: Ask) -> Exhibit:
    """How well is each county covered?"""
    return table(scope, ask, RATE, "county", [text.word("population.of_counties", scope.lang)])


def abroad(scope: Scope, ask: Ask) -> Exhibit:
    """How many help the police in other countries?"""
    return figure(scope, ask, grouped.countries, analysis="countries")


def claimed(scope: Scope, ask: Ask) -> Exhibit:
    """By which kinds of force are four million exceeded, and by which not?"""
    answer, words = ask(of_analysis("claim", scope.day)), ChartContext(scope.lang)
    above = dict.fromkeys(row["force"] for row in answer.records() if row["above_claim"] is not None)
    below = [force for force in dict.fromkeys(answer.column("force")) if force not in above]
    forces = {
        name: text.listed([text.inside(words.member("force", force), scope.lang) for force in members], scope.lang)
        for name, members in (("above", above), ("below", below))
    }
    key = "none_above" if not above else "only" if below else "every"
    return sentence(scope, [words.word(f"abroad.{key}", **forces)], answer)


def millions(scope: Scope, ask: Ask) -> Exhibit:
    """Where do millions help the police?"""
    return figure(scope, ask, grouped.claimed, analysis="claim")


@dataclass(frozen=True)
class Basis:
    """What the map and the ranking show: provinces or counties, and residents of the day or those of the census of 1395."""

    PARAMETERS: ClassVar[tuple[str, ...]] = ("map", "census")
    of_counties: bool = False
    is_census: bool = False

    @classmethod
    def read(cls, given: Given, scope: Scope) -> "Basis":
        chosen = {name: one(given, name, scope.lang) for name in cls.PARAMETERS}
        for name, known in (("map", ("province", "county")), ("census", (CENSUS,))):
            if chosen[name] and chosen[name] not in known:
                raise wrong_value(name, chosen[name], known, scope.lang)
        return cls(chosen["map"] == "county", chosen["census"] == CENSUS)

    def query(self) -> dict[str, list[str]]:
        said = {"map": ["county"]} if self.of_counties else {}
        return said | ({"census": [CENSUS]} if self.is_census else {})


def is_of_provinces(scope: Scope, ask: Ask, basis: Basis) -> bool:
    """Whether the map is of provinces."""
    return scope.has_map and not basis.of_counties


def is_of_counties(scope: Scope, ask: Ask, basis: Basis) -> bool:
    """Whether the map is of the counties of the country, or of several provinces."""
    return scope.has_map and basis.of_counties


def is_of_one_province(scope: Scope, ask: Ask) -> bool:
    """Whether the map is of the counties of one province."""
    return not scope.has_map and not BELOW_PROVINCE & {*scope.where}


def is_on_census(scope: Scope, ask: Ask, basis: Basis) -> bool:
    """Whether the ranking is by the residents of the census of 1395."""
    return basis.is_census


def is_on_residents(scope: Scope, ask: Ask, basis: Basis) -> bool:
    """Whether the ranking is by the residents of the day."""
    return not basis.is_census


PAGE = Page(
    "coverage",
    filters=("@place", "@person"),
    layout=(
        Findings(findings),
        Findings(without_any),
        Findings(counties_without),
        Section("choices"),
        Columns(
            (
                When(is_of_provinces, by_province),
                When(is_of_counties, by_county),
                When(is_of_one_province, by_county),
                over_time,
            ),
            (When(is_on_census, on_census), When(is_on_residents, by_place)),
        ),
        Section("residents"),
        Cards(numbers),
        Folded(
            "fold.inequality",
            Columns((gap,), (covered,)),
            Columns((When(has_curve, lorenz),), (Tabled(every_county),)),
        ),
        Folded(
            "abroad.title",
            Words("abroad.not_alike"),
            Findings(claimed, asks=True),
            Columns((abroad,), (millions,)),
            Section("sources"),
        ),
    ),
)
