"""Who serves, how long they stay, and where they move. Each function is one exhibit."""

from etl.semantic.ranking import LEAST
from ui.charts import bars, lines, titles, workforce
from ui.data.ask import Ask
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit, sentence
from ui.exhibits.figure import figure
from ui.exhibits.page import Cards, Columns, Findings, Page
from ui.i18n import text
from ui.state.questions import on_day
from ui.state.scope import Scope
from ui.summary.claims import Said, value

_SAID = ("women_share", "age_median", "tenure_median")


def people(scope: Scope, ask: Ask) -> Exhibit:
    """Who are they? Nothing of few people."""
    count = on_day(scope, ask, "active_assistants")
    answers = [on_day(scope, ask, name) for name in _SAID]
    people, values = count.value(), [answer.value() for answer in answers]
    if people is None or people < LEAST or None in values:
        return sentence(scope, (), count)
    share, years, months = values
    said = {
        "count": text.number(people, scope.lang),
        "women": text.percent(share, scope.lang),
        "age": text.number(years, scope.lang, decimals=years % 1 > 0),
        "tenure": text.years_and_months(months, scope.lang),
    }
    claims = tuple(value(answer) for answer in (count, *answers))
    return sentence(scope, [Said(text.word("people.are", scope.lang, **said), claims)], count)


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many are they, how old, and how long do they stay?"""
    return cards(
        scope,
        ask,
        "active_assistants",
        "women_share",
        "age_median",
        "tenure_median",
        "leaver_rate_12m",
        "early_attrition",
        "jobs_created",
        "veteran_leader_share",
    )


def by_age(scope: Scope, ask: Ask) -> Exhibit:
    """How old are the women and men?"""
    return figure(scope, ask, workforce.pyramid, "active_assistants", by=("age_band", "gender"))


def by_tenure(scope: Scope, ask: Ask) -> Exhibit:
    """How long have they served?"""
    return figure(scope, ask, workforce.pyramid, "active_assistants", by=("tenure_band", "gender"))


def by_education(scope: Scope, ask: Ask) -> Exhibit:
    """Which education do they have?"""
    return figure(scope, ask, bars.ranking, "active_assistants", by="education", says=titles.highest)


def by_post(scope: Scope, ask: Ask) -> Exhibit:
    """In which posts do they serve?"""
    return figure(scope, ask, bars.ranking, "active_assistants", by="post", says=titles.highest)


def leavers_by_post(scope: Scope, ask: Ask) -> Exhibit:
    """From which posts do they leave most?"""
    return figure(scope, ask, bars.ranking, "leaver_rate_12m", by="post", nation=True)


def survival(scope: Scope, ask: Ask) -> Exhibit:
    """What share still serves after months and years?"""
    return figure(scope, ask, workforce.survival, analysis="survival")


def moves(scope: Scope, ask: Ask) -> Exhibit:
    """Between which provinces do they move?"""
    return figure(scope, ask, workforce.moves, "transfers_between", by=("origin", "province"))


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """How have the shares of women and of veterans who lead changed?"""
    months = scope.months(60)
    return figure(scope, ask, lines.trend, "women_share", "veteran_leader_share", by="month", over=months, height=380)


PAGE = Page(
    "workforce",
    filters=("@place", "@person"),
    has_period=True,
    layout=(
        Findings(people),
        Columns((leavers_by_post,), (survival,)),
        Cards(numbers),
        Columns((by_age,), (by_tenure,), (by_education,)),
        Columns((by_post, over_time), (moves,)),
    ),
)
