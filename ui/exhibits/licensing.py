"""Institutes and their licences: what ends, how long files take, how institutes last. Each function is one exhibit."""

from dataclasses import replace
from datetime import date, timedelta

from etl.core.jalali import DAY
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from ui.charts import bars, lines, steps, time_titles, titles
from ui.charts import licensing as charts
from ui.charts.ahead import paces, waiting
from ui.charts.elements import ChartContext
from ui.data.ask import Ask, Question, frozen
from ui.exhibits import ahead
from ui.exhibits.cards import cards
from ui.exhibits.exhibit import Exhibit, Link, sentence
from ui.exhibits.figure import figure, finding, nothing, of_answer, of_result
from ui.exhibits.findings import of_rate
from ui.exhibits.lists import Opened, Within, listed
from ui.exhibits.page import Cards, Columns, Findings, Folded, Heading, Listed, Page, Section, When, Words
from ui.i18n import text
from ui.state.questions import Over, analyse_under
from ui.state.scope import Scope
from ui.summary.claims import Said, value

SMART = "smart_service_share"
AGES = ("outstanding_30", "outstanding_90", "outstanding_180", "outstanding_older")
# Most applications younger than this are still under way.
_UNDER_WAY = timedelta(days=60)


def numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many institutes are licensed, and what is wrong with the others?"""
    ending = Link("licensing", (("open", ("licences_ending",)), ("days", ("30",))))
    return cards(
        scope,
        ask,
        "licensed_institutes",
        "licences_ending_30",
        "lapsed_licence_service",
        "outstanding",
        "renewal_rate",
        lists={"licences_ending_30": ending},
    )


def in_brief(scope: Scope, ask: Ask) -> Exhibit:
    """How many institutes lack a licence, how many licences end soon, and how many files wait for too long?"""
    made = (listed(scope, ask, name) for name in ("lapsed", "licences_ending", "files_overdue"))
    found = [one.title for one in made if one.answer and one.answer.rows]
    first, *others = [title.sentence for title in found] or [""]
    said = text.clauses([first, *(text.inside(words, scope.lang) for words in others)], scope.lang)
    return sentence(
        scope, [Said(f"{said}." if found else "", tuple(claimed for title in found for claimed in title.claims))]
    )


def kinds(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """What kind of institutes are there?"""
    return cards(
        scope,
        ask,
        "suspended_institutes",
        "revoked_institutes",
        "veteran_led_institute_share",
        "institutes_founded",
    )


def times(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How long does a file take?"""
    return cards(scope, ask, *(f"licensing_times.files_{name}" for name in ("median", "p90", "within_25")))


def smart_numbers(scope: Scope, ask: Ask) -> tuple[Exhibit, ...]:
    """How many institutes offer smart services?"""
    return cards(scope, ask, SMART, "smart_institutes", beside={SMART: "smart_unknown"})


def endings(scope: Scope, ask: Ask) -> Exhibit:
    """How many licences end in the coming 24 months?"""
    return ahead.endings(scope, ask, "licences")


def queue(scope: Scope, ask: Ask) -> Exhibit:
    """How many files wait, and how many decisions a month hold the queue?"""
    exact, _ = analyse_under(scope, ask.exactly, "queue")
    row, lang = exact.records()[0], scope.lang
    if row["queue_needed"] is None:
        title = waiting(exact, ChartContext(lang))
        made = finding(scope, ask, exact, title.sentence)
        return of_result(replace(made, title=replace(made.title, claims=title.claims)), scope, "queue")
    paces_of = {name: f"queue_{name}" for name in ("arrivals", "decisions", "needed")}
    said = text.word("queue.paces", lang, **{name: text.number(row[column], lang) for name, column in paces_of.items()})
    exhibit = of_answer(scope, ask, paces, exact, None, [text.word("queue.note", lang)])
    claimed = tuple(value(exact, column) for column in paces_of.values())
    return of_result(replace(exhibit, intro=said, intro_claims=claimed), scope, "queue")


def by_age(scope: Scope, ask: Ask) -> Exhibit:
    """For how long have open files waited?"""
    return figure(scope, ask, charts.aged, "outstanding", *AGES, by="place")


def decided(scope: Scope, ask: Ask) -> Exhibit:
    """What share of files is decided after how many days?"""
    return figure(scope, ask, charts.decided, analysis="licensing_cohort")


def _funnel_period(scope: Scope) -> Over | None:
    """The period of the funnel, without the last 60 days; None if nothing of it is left."""
    end = scope.day - _UNDER_WAY
    first, last = scope.over or scope.on_day(end).months(12)
    return (first, min(last, end)) if first <= min(last, end) else None


def funnel(scope: Scope, ask: Ask) -> Exhibit:
    """What became of applications?"""
    over = _funnel_period(scope)
    if over is None:
        return nothing(scope, "state.empty_title", "cohort.funnel_help")
    stages = ("applications", "cohort_complete", "cohort_decided", "cohort_granted")
    made = figure(replace(scope, period=""), ask, steps.funnel, *stages, over=over)
    return replace(made, own_notes=(text.word("cohort.funnel_help", scope.lang),))


def renewals(scope: Scope, ask: Ask) -> Exhibit:
    """What share of ending licences is renewed?"""
    return figure(scope, ask, lines.trend, "renewal_rate", by="quarter", over=scope.complete_quarters(12))


def over_time(scope: Scope, ask: Ask) -> Exhibit:
    """How has the number of licensed institutes grown?"""
    return figure(scope, ask, lines.trend, "licensed_institutes", by="month", over=scope.months(144))


def founded(scope: Scope, ask: Ask) -> Exhibit:
    """How many institutes were founded each year?"""
    over = scope.years(15)
    return figure(scope, ask, bars.columns, "institutes_founded", by="year", over=over, says=time_titles.latest)


def survival(scope: Scope, ask: Ask) -> Exhibit:
    """What share of the institutes of each founding year remains after five years?"""
    exact, _ = analyse_under(scope, ask.exactly, "institute_survival")
    rows = [row for row in exact.rows if row[1] == charts.YEARS_AFTER]
    if not rows:
        return nothing(scope, "state.empty_title", "state.empty")
    columns = ("founded_year", *exact.columns[2:])
    after = replace(exact, by=("founded_year",), columns=columns, rows=[(row[0], *row[2:]) for row in rows])
    made = of_answer(scope, ask, bars.columns, after, charts.remaining)
    return of_result(made, scope, "institute_survival")


def by_size(scope: Scope, ask: Ask) -> Exhibit:
    """How large are institutes?"""
    return figure(scope, ask, bars.columns, analysis="sizes", says=titles.highest)


def by_activity(scope: Scope, ask: Ask) -> Exhibit:
    """In what do institutes work?"""
    return figure(scope, ask, bars.ranking, "licensed_institutes", by="activity", says=titles.highest)


def veterans_by_smart(scope: Scope, ask: Ask) -> Exhibit:
    """Do veterans lead institutes with smart services more often?"""
    return figure(scope, ask, bars.ranking, "veteran_led_institute_share", by="smart", nation=True)


def veterans_by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Where do veterans lead most institutes?"""
    return figure(scope, ask, bars.ranking, "veteran_led_institute_share", by="place", nation=True, says=titles.highest)


def findings(scope: Scope, ask: Ask) -> Exhibit:
    """Where do clearly fewer institutes offer smart services?"""
    return of_rate(scope, ask, SMART)


def smart_by_place(scope: Scope, ask: Ask) -> Exhibit:
    """Where do fewest institutes offer smart services?"""
    return figure(scope, ask, bars.ranking, SMART, by="place", nation=True)


def smart_by_activity(scope: Scope, ask: Ask) -> Exhibit:
    """Which kind of institute offers smart services?"""
    return figure(scope, ask, bars.ranking, SMART, by="activity", nation=True)


def smart_by_size(scope: Scope, ask: Ask) -> Exhibit:
    """Do larger institutes offer smart services more often?"""
    return figure(scope, ask, bars.columns, analysis="smart_sizes", says=charts.with_staff)


def smart_published(scope: Scope, ask: Ask) -> Exhibit:
    """Which share did each publication show?"""
    exact, _ = analyse_under(scope, ask.exactly, "adoption")
    if len(exact.rows) < 2:
        # One publication has no history.
        return nothing(scope, "state.empty_title", "smart.no_history")
    return of_answer(scope, ask, charts.published, exact)


def since_smart(scope: Scope, ask: Ask) -> Over | None:
    """The days since the first publication with the flag, of which licences can be compared; None if none was decided."""
    first = _first_smart(scope, ask)
    over = (first + DAY, scope.day) if first else None
    if over is None or over[0] > over[1]:
        return None
    return over if any(_granted_since(scope, ask.exactly, over).column("granted")) else None


def _first_smart(scope: Scope, ask: Ask) -> date | None:
    """The day of the first publication that showed institutes with smart services."""
    adoption, _ = analyse_under(scope, ask.exactly, "adoption")
    return next((row["day"] for row in adoption.records() if row["smart_institutes"]), None)


def _granted_since(scope: Scope, ask: Ask, over: Over) -> Answer:
    where, _ = scope.under(catalogue()["granted"].dimensions)
    return ask(Question(("granted",), ("smart",), None, over, frozen(where)))


def smart_compared(scope: Scope, ask: Ask) -> Exhibit:
    """How many licences were decided of institutes with smart services and of others, or why they cannot be compared?"""
    first, lang = _first_smart(scope, ask), scope.lang
    if first is None:
        return sentence(scope, [text.word("smart.never_shown", lang)])
    over, day = since_smart(scope, ask), text.day(first, lang)
    if over is None:
        return sentence(scope, [text.word("smart.no_comparison", lang, day=day)])
    answer = _granted_since(scope, ask, over)
    granted = dict(answer.rows)
    counts = {"adopters": granted.get("yes"), "others": granted.get("no"), "count": sum(filter(None, granted.values()))}
    written = {name: text.number(count or 0, lang) for name, count in counts.items()}
    words = text.word("smart.since", lang, day=day, **written)
    return sentence(scope, [words], answer)


def smart_median(scope: Scope, ask: Ask) -> Exhibit:
    """Do institutes with smart services wait less?"""
    return _by_smart(scope, ask, "time_to_licence_median")


def smart_p90(scope: Scope, ask: Ask) -> Exhibit:
    """Do the slowest tenth of those with smart services wait less?"""
    return _by_smart(scope, ask, "time_to_licence_p90")


def smart_within_25(scope: Scope, ask: Ask) -> Exhibit:
    """Are more of those with smart services decided in time?"""
    return _by_smart(scope, ask, "within_25_days_share")


def _by_smart(scope: Scope, ask: Ask, name: str) -> Exhibit:
    over = since_smart(scope, ask)
    if over is None:
        return nothing(scope, "state.empty_title", "state.empty")
    return figure(replace(scope, period=""), ask, bars.ranking, name, by="smart", over=over)


def licences_ending(scope: Scope, ask: Ask, within: Within) -> Exhibit:
    """Whose licence ends within 90 days, or fewer?"""
    return listed(scope, ask, "licences_ending", within)


def lapsed(scope: Scope, ask: Ask) -> Exhibit:
    """Where do people serve without a valid licence?"""
    return listed(scope, ask, "lapsed")


def files_overdue(scope: Scope, ask: Ask) -> Exhibit:
    """Whose file waits for too long?"""
    return listed(scope, ask, "files_overdue")


def stopped(scope: Scope, ask: Ask) -> Exhibit:
    """Which institutes are suspended or revoked?"""
    return listed(scope, ask, "stopped")


def register(scope: Scope, ask: Ask) -> Exhibit:
    """Which institutes are there?"""
    return listed(scope, ask, "register")


def opens_register(scope: Scope, ask: Ask, opened: Opened) -> bool:
    """Whether the address opens the list of all institutes, which the page has nowhere else."""
    return opened.name == register.__name__


def has_old_years(scope: Scope, ask: Ask) -> bool:
    """Whether institutes were founded long enough ago for their survival to be known."""
    return any(row[1] == charts.YEARS_AFTER for row in analyse_under(scope, ask.exactly, "institute_survival")[0].rows)


def has_publications(scope: Scope, ask: Ask) -> bool:
    """Whether several publications showed the flag of smart services."""
    return len(analyse_under(scope, ask.exactly, "adoption")[0].rows) > 1


def is_compared(scope: Scope, ask: Ask) -> bool:
    """Whether licences were decided since the first publication with the flag."""
    return since_smart(scope, ask) is not None


LISTS = (licences_ending, lapsed, files_overdue, stopped, register)
PAGE = Page(
    "licensing",
    filters=("@place",),
    has_period=True,
    # Licences may be older than the first person.
    of_people=False,
    layout=(
        Section("opened"),
        Findings(in_brief),
        When(opens_register, Listed(register)),
        Listed(licences_ending),
        Cards(numbers),
        Listed(lapsed),
        Listed(files_overdue),
        Listed(stopped),
        Folded("fold.queue", Columns((endings,), (queue,)), by_age),
        Folded("cohort.all", Cards(times), Columns((decided,), (funnel,), (renewals,))),
        Folded(
            "cohort.institutes",
            Cards(kinds),
            Columns((over_time,), (founded,), (When(has_old_years, survival),)),
            Columns((by_size, by_activity, veterans_by_smart), (veterans_by_place,)),
        ),
        Folded(
            "smart.title",
            Cards(smart_numbers),
            Findings(findings),
            Columns((smart_by_place,), (smart_by_activity, smart_by_size), widths=(3, 2)),
            Heading("smart.compared"),
            Words("smart.no_history"),
            When(has_publications, smart_published),
            Findings(smart_compared),
            When(is_compared, Words("smart.no_proof"), Columns((smart_median,), (smart_p90,), (smart_within_25,))),
        ),
    ),
)
