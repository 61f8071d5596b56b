"""Who is below or above the whole, in sentences. Pages, profile and briefing say the same, because all take it from here."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from etl.analysis.comparison import median_of_provinces
from etl.analysis.different import MOST_UNKNOWN
from etl.core.errors import QuestionError, TooEarly
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.open_totals import sees_nation
from etl.semantic.ranking import is_full_count
from etl.warehouse.dimensions import PLACES
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask, Question, frozen
from ui.exhibits.exhibit import Exhibit, Rows, sentence, standing_out
from ui.exhibits.figure import nothing
from ui.i18n import text
from ui.state import periods, questions, wording
from ui.state.questions import on_day, who_differs
from ui.state.scope import Scope
from ui.summary import different
from ui.summary.claims import Claim, Said, claim

COMPARED = (
    "coverage_per_10k",
    "training_compliance",
    "leaver_rate_12m",
    "within_25_days_share",
    "judicial_officer_share",
)


def of_rate(scope: Scope, ask: Ask, name: str) -> Exhibit:
    """Which provinces differ from the nation, or on which side is the one province, and which of its counties differ?

    The names of those that are behind stand out.
    """
    with suppress(QuestionError):
        provinces = who_differs(scope, ask, name, "province")
        context = ChartContext(scope.lang, names=asking.names(ask, scope.lang))
        if not scope.province:
            found = _sentence(provinces, context)
            named = [code for one in found.claims for code in one.members]
            return sentence(scope, [found, wording.not_arrived(ask, named, scope.lang)], provinces, "behind")
        place = different.of_place(provinces, scope.province, scope.lang, context.member)
        counties = _sentence(who_differs(scope, ask, name, "county"), context)
        late = Said(wording.not_arrived(ask, [scope.province], scope.lang))
        said = (place, counties, without_county(scope, ask) if is_full_count(name) else Said(), late)
        return sentence(scope, said, provinces, "behind")
    return sentence(scope, ())


def _sentence(answer: Answer, context: ChartContext) -> Said:
    """The sentence of `different`, in which those stand out that it names as worse than the whole."""
    by = answer.by[0]
    behind = {row[by] for row in different.named(answer)}

    def member(dimension: str, code: Any) -> str:
        name = context.member(dimension, code)
        return standing_out(name) if code in behind else name

    return different.sentence(answer, context.lang, member)


def without_county(scope: Scope, ask: Ask) -> Said:
    """How many active assistants are in no known county, where they are so many that no county is compared."""
    places, unknown = of_unknown_county(scope, ask)
    people = ask(Question(("active_assistants",), on=scope.day, filters=frozen(places.where))).value()
    if not unknown or not people or unknown <= MOST_UNKNOWN * people:
        return Said()
    written = text.word("different.no_county", scope.lang, count=text.number(unknown, scope.lang))
    return Said(written, (no_county(places, unknown),))


def no_county(places: Answer, unknown: int) -> Claim:
    """The claim that so many people are in no known county."""
    return claim("value", places, members=(None,), values=(unknown,))


def of_unknown_county(scope: Scope, ask: Ask) -> tuple[Answer, int | None]:
    """The active assistants of each county, and those of no known one."""
    places = on_day(scope, ask, "active_assistants", by=("county",))
    return places, next((row["active_assistants"] for row in places.records() if row["county"] is None), None)


# ---------------------------------------------------------------- one province beside the nation


def beside_nation(scope: Scope, ask: Ask, *, similar: bool = True) -> Exhibit:
    """How does the province stand beside the nation by each measure, and beside the median of the similar ones?"""
    if not (scope.province and sees_nation(ask.rights, scope.where)):
        return nothing(scope, "state.empty_title", "state.empty")
    alike = questions.similar_to(ask, scope.province) if similar else ()
    heads = ("dimension.measure", "profile.here", "figure.nation_line", "profile.side")
    named = (text.word(head, scope.lang) for head in (*heads, *(["compare.similar"] if alike else [])))
    rows = tuple(_cells(scope, answer, alike) for answer in _everywhere(scope, ask))
    places = text.listed([ChartContext(scope.lang).member("province", code) for code in alike], scope.lang)
    note = text.word("profile.similar" if alike else "profile.none_similar", scope.lang, places=places)
    title = Title(text.word("profile.ranks", scope.lang))
    below, notes = text.word("profile.ranks_are", scope.lang), (note,) if similar else ()
    return Exhibit(scope.lang, Rows(tuple(named), rows), title=title, subtitle=below, own_notes=notes)


def _everywhere(scope: Scope, ask: Ask) -> list[Answer]:
    """Each measure by province against the nation, on its latest settled day or over twelve months."""
    answers = []
    for name in COMPARED:
        where, _ = scope.under(catalogue()[name].dimensions - {*PLACES})
        over = scope.complete_months(periods.DEFAULT_MONTHS) if catalogue()[name].kind == "event" else None
        with suppress(TooEarly):
            answers.append(questions.different(scope, ask, name, "province", where, over))
    return answers


def _cells(scope: Scope, answer: Answer, similar: tuple[str, ...]) -> tuple[str, ...]:
    """The measure, the numbers of the province and the nation, and on which side of it the province is, in words.

    With `similar` provinces their median is the last.
    """
    metric, lang = answer.metrics[0], scope.lang
    label = metric.label[lang]
    if answer.on and answer.on != scope.day:
        label = text.word("change.settled", lang, label=label, day=text.day(answer.on, lang))
    row = next((row for row in answer.records() if row["province"] == scope.province), None)
    side = row["side"] if row else "untested"
    said = {"none": "–", "untested": "–", "unclear": text.word("different.mark", lang)}
    numbers = [row[name] if row else None for name in (metric.name, "whole_value")]
    cells = [text.plain(value, metric.unit, lang) for value in numbers]
    cells.append(said.get(side) or different.short(answer, side, lang))
    if similar:
        median = median_of_provinces(replace(answer, rows=[row for row in answer.rows if row[0] in similar]))
        cells.append(text.plain(median.value(metric.name), metric.unit, lang))
    return label, *cells
