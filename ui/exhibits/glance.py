"""Places at a glance: one row for each province or, of one province, each county, with its trend and the row of the whole."""

from contextlib import suppress

from etl.analysis.glance import MONTHS
from etl.core.errors import QuestionError
from etl.core.jalali import last_complete_months, unit_of
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.ranking import LEAST
from etl.semantic.rights import BELOW_PROVINCE
from ui.charts import elements
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask, Question, frozen, of_analysis
from ui.exhibits.exhibit import Exhibit, Table
from ui.exhibits.figure import nothing, overlaps
from ui.i18n import member_names, text
from ui.state import wording
from ui.state.questions import counts_known, settled_on, who_differs
from ui.state.scope import Scope
from ui.summary import claims, different

_PEOPLE, _RATE = "active_assistants", "leaver_rate_12m"


def glance(scope: Scope, ask: Ask) -> Exhibit:
    """How does every province stand, or every county of one, beside the whole? Nothing for smaller places."""
    if BELOW_PROVINCE & {*scope.where}:
        return nothing(scope, "state.empty_title", "state.empty")
    lang, exactly = scope.lang, ask.exactly
    provinces = scope.where.get("province", ())
    by = "county" if len(provinces) == 1 else "province"
    where, _ = scope.under(catalogue()[_PEOPLE].dimensions)
    counts = counts_known(ask, (by,), where)
    exact, whole = (exactly(of_analysis("glance", scope.day, where, by=axis, **counts)) for axis in (by, ""))
    if not exact.rows:
        return nothing(scope, "state.empty_title", "state.empty")
    answer, over = ask.shown(exact), last_complete_months(scope.day, MONTHS)
    months = ask(Question((_PEOPLE,), (by, "month"), None, over, frozen(where)))
    place = member_names.of("province", provinces[0], lang) if by == "county" else ""
    title = text.word(f"glance.{by}", lang, count=text.number(len(answer.rows), lang), place=place)
    asked = of_analysis("glance", scope.day, exact.where, by=by, **counts)
    counted = claims.of_analysis([claims.claim("count", answer, number=len(answer.rows))], asked)
    return Exhibit(
        lang,
        Table(total=ask.shown(whole), trends=months, first=_named(scope, ask) if by == "county" else ()),
        answer,
        Title(title, claims=counted),
        _marks(scope, ask, answer),
        own_notes=(
            *filter(None, [wording.not_arrived(ask, provinces or answer.column(by), lang)]),
            *_does_not_add_up(ask(Question((_PEOPLE,), (by,), scope.day, None, frozen(where))), ask, lang),
        ),
        names=asking.names(ask, lang),
        intro=_about_trend(answer, unit_of(over[0], "month").label, lang),
    )


def _named(scope: Scope, ask: Ask) -> tuple[str, ...]:
    """The counties that the sentence on coverage names."""
    with suppress(QuestionError):
        compared = who_differs(scope, ask, "coverage_per_10k", "county")
        return tuple(row["county"] for row in different.named(compared)[: different.MOST_NAMED])
    return ()


def few(places: Answer, name: str, row: tuple) -> float | None:
    """The people of a share of too few of them; None of any other number."""
    metric = elements.metric_of(places, name)
    return elements.size_below(places, metric, row) if metric.unit == "share" else None


def _marks(scope: Scope, ask: Ask, places: Answer) -> str:
    """What colour, signs and pale numbers mean, where the table has them, and the day of the rate that settles later."""
    lang = scope.lang
    said = [text.word("glance.colour", lang)]
    said += [text.word("glance.unclear", lang)] * any(places.column("unclear"))
    if any(few(places, metric.name, row) is not None for row in places.rows for metric in places.metrics):
        said.append(text.word("glance.pale", lang, fewest=text.number(LEAST, lang)))
    settled = settled_on(ask, _RATE, scope.day)
    if settled not in (None, scope.day) and any(value is not None for value in places.column(_RATE)):
        measure = elements.metric_of(places, _RATE).short[lang]
        said.append(text.word("glance.settled", lang, measure=measure, day=text.day(settled, lang)))
    return " ".join(said)


def _about_trend(places: Answer, first: str, lang: str) -> str:
    said = [text.word("glance.trend", lang, month=text.unit_in_both(first, lang))]
    said += [text.word("glance.trend_few", lang, fewest=text.number(LEAST, lang))] * (
        None in places.column("active_growth")
    )
    return " ".join(said)


def _does_not_add_up(people: Answer, ask: Ask, lang: str) -> tuple[str, ...]:
    """Why the people of the places are not those of the whole: some are in no known place, some are counted in two."""
    unknown = next((row[1] for row in people.rows if row[0] is None), 0)
    notes = [text.word("glance.unknown", lang, count=text.number(unknown, lang))] if unknown else []
    notes += [text.word("figure.overlap", lang)] * overlaps(people, people.metrics[0], ask)
    return tuple(notes)
