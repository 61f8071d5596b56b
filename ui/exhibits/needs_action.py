"""What needs action: operational exceptions first, then signals, each with who, how many, by when, and a list."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from etl.analysis import analyses, data_quality
from etl.core.errors import QuestionError
from etl.core.jalali import DAY
from etl.semantic.answers import Answer
from etl.semantic.composed_answers import list_without_rows
from etl.semantic.ranking import named_side
from etl.submissions.arrivals import Owed
from etl.warehouse.dimensions import PLACES, expand_groups
from ui.charts.elements import ChartContext
from ui.charts.titles import Title
from ui.data import ask as asking
from ui.data.ask import Ask, Question, Where, frozen, of_analysis
from ui.exhibits.exhibit import Action, Actions, Exhibit, Link
from ui.exhibits.findings import no_county, of_unknown_county
from ui.i18n import member_names, text
from ui.state.questions import analyse_under, on_day, who_differs
from ui.state.scope import Scope
from ui.summary import claims, different
from ui.summary.claims import Claim, claim

# The items that stand on the first screen and in a briefing; how many more there are is said.
MOST = 7
_SOON = 30
# Filters of persons: what is done about institutes and provinces has no part of them.
_OF_PEOPLE = frozenset(expand_groups(["@person"])) - {"activity"}
# So many members are all named; of more the first is, and how many others there are.
_FEW = 3
# What the list says beside each action.
_COLUMNS = ("concerned", "whom", "by_when", "why")
# What provinces owe by the deadline, and the page part that lists it; None where nothing is owed.
Owing = Callable[[], tuple[Owed, str] | None]


def _nothing() -> None:
    """What is owed in a briefing: it is of numbers alone."""


def needs_action(scope: Scope, ask: Ask) -> Exhibit:
    """What needs action, and whom does it concern? Of the numbers of a publication alone."""
    return with_owed(scope, ask, _nothing)


def with_owed(scope: Scope, ask: Ask, owing: Owing) -> Exhibit:
    """The same with what provinces owe today, which no publication knows."""
    lang, of_people = scope.lang, [text.word(f"scope.{name}", scope.lang) for name in scope.where if name in _OF_PEOPLE]
    items = () if of_people else tuple(actions(scope, ask, owing))
    others = items[MOST:]
    more = text.word("listing.more", lang, count=text.number(len(others), lang)) if others else ""
    none = text.word("action.of_people", lang, filters=text.listed(of_people, lang)) if of_people else ""
    form = Actions(items[:MOST], others, more, none or text.word("action.none", lang))
    partly = [text.word(f"scope.{name}", lang) for name in scope.where if name not in ("province", "activity")]
    partly = [] if of_people else partly
    notes = (text.word("action.whole", lang, filters=text.listed(partly, lang)),) if partly else ()
    names = {"action": {item.code: text.in_cell(item.sentence) for item in items}}
    title = Title(text.word("action.title", lang))
    return Exhibit(lang, form, _listed(scope, ask, items), title, own_notes=notes, names=names)


def _listed(scope: Scope, ask: Ask, items: Iterable[Action]) -> Answer:
    """The items as rows, whose sentences are the names of the actions."""
    listed = ask.look_up(list_without_rows, ("action",), _COLUMNS, scope.day, frozen(scope.where))
    rows = [
        (item.code, item.count, *(text.in_cell(words) or None for words in (item.whom, item.when, item.why)))
        for item in items
    ]
    return ask.shown(replace(listed, rows=rows))


def actions(scope: Scope, ask: Ask, owing: Owing = _nothing) -> list[Action]:
    """The items that need action, the first ones first, without kinds that have no meaning under the scope."""
    items: list[Action] = []
    owed = partial(_owed, owing=owing)
    exceptions = (_lapsed, _licences_ending, _training_lapsing, _files_overdue, _not_submitted, owed)
    signals = (_low_coverage, _low_levels, _sudden_falls)
    # What a province itself is asked about comes first there.
    for items_of_kind in (
        (_low_levels, *exceptions, _low_coverage, _sudden_falls) if _province(scope) else exceptions + signals
    ):
        with suppress(QuestionError):
            items += items_of_kind(scope, ask)
    return items


def _lapsed(scope: Scope, ask: Ask) -> Iterator[Action]:
    """Institutes without a valid licence that still have staff."""
    listed, _ = analyse_under(scope, ask, "lapsed")
    if rows := listed.records():
        # The list knows fewer filters than the measure, and holds the provinces of the user's rights alone.
        count = text.number(_value(scope, ask, "lapsed_licence_service", listed.where), scope.lang)
        persons = f"{count} {text.unit_word('persons', scope.lang, count)}"
        until = [row["licensed_until"] for row in rows if row["licensed_until"] and row["licensed_until"] < scope.day]
        oldest = _word(scope, "oldest", day=text.day(min(until) + DAY, scope.lang)) if until else ""
        if number := len(listed.rows):
            who, link = _institutes(scope, ask, rows, number, True), _link("licensing", open="lapsed")
            people = _counted(
                scope, listed, "lapsed_licence_service", _value(scope, ask, "lapsed_licence_service", listed.where)
            )
            said = (_of_list(scope, listed, "lapsed", number, rows[:1]), people)
            item = _action(scope, ask, listed, "lapsed", number, who, oldest, link, persons=persons)
            yield replace(item, claims=said)


def _licences_ending(scope: Scope, ask: Ask) -> Iterator[Action]:
    """Institutes whose licence ends within 30 days."""
    listed, _ = analyse_under(scope, ask, "licences_ending")
    if rows := [row for row in listed.records() if row["span"] == "1-30"]:
        first = min(row["licensed_until"] for row in rows)
        key = "soonest_today" if first == scope.day else "soonest"
        soonest = _word(scope, key, day=text.day(first, scope.lang))
        if number := _value(scope, ask, "licences_ending_30", listed.where):
            who = _institutes(scope, ask, rows, number, True)
            link = _link("licensing", open="licences_ending", days=str(_SOON))
            said = (
                _counted(scope, listed, "licences_ending_30", number),
                _of_list(scope, listed, "licences_ending", None, rows[:1]),
            )
            yield replace(_action(scope, ask, listed, "licences_ending", number, who, soonest, link), claims=said)


def _training_lapsing(scope: Scope, ask: Ask) -> Iterator[Action]:
    """Persons whose training lapses within 30 days."""
    by = "county" if _province(scope) else "province"
    places = on_day(scope, ask, "expiring_30", by=(by,))
    if count := _value(scope, ask, "expiring_30", places.where):
        shown = {row[by]: row["expiring_30"] for row in places.records() if row[by]}
        codes = sorted((code for code in shown if shown[code]), key=lambda code: (-shown[code], code))
        until = _word(scope, "until", day=text.day(scope.day + timedelta(days=_SOON), scope.lang))
        who = _named(scope, ask, by, codes, shown, len(codes))
        link = _link("explore", m="expiring_30", by="institute")
        first = codes[: _shown(codes)]
        members: dict[str, Any] = {"members": tuple(first), "values": tuple(shown[code] for code in first)}
        said = (
            _counted(scope, places, "expiring_30", count),
            claim("most", places, **members),
            claim("count", places, side="above:0", number=len(codes), **members),
        )
        yield replace(_action(scope, ask, places, "training_lapsing", count, who, until, link), claims=said)


def _files_overdue(scope: Scope, ask: Ask) -> Iterator[Action]:
    """Complete files that have waited for more than 25 working days."""
    listed, _ = analyse_under(scope, ask, "files_overdue")
    if rows := listed.records():
        count = sum(row["overdue_files"] for row in rows)
        oldest = _word(scope, "oldest", day=text.day(min(row["oldest_overdue_file"] for row in rows), scope.lang))
        who, link = _institutes(scope, ask, rows, len(rows)), _link("licensing", open="files_overdue")
        item = _action(scope, ask, listed, "files_overdue", count, who, oldest, link)
        overdue = replace(_of_list(scope, listed, "files_overdue", count, ()), kind="sum")
        said = (overdue, _of_list(scope, listed, "files_overdue", len(rows), rows[:1]))
        yield replace(item, why=_word(scope, "overdue_why"), claims=said)


def _not_submitted(scope: Scope, ask: Ask) -> Iterator[Action]:
    """Provinces that have not submitted every source."""
    listed = ask.look_up(data_quality.provinces)
    if rows := [row for row in _of_place(listed, scope) if row["sources_missing"]]:
        days = [row["latest_day"] for row in rows if row["latest_day"]]
        last = _word(scope, "last_heard", day=text.day(min(days), scope.lang)) if days else ""
        who = _named(scope, ask, "province", [row["province"] for row in rows], is_counted=True)
        yield _action(scope, ask, listed, "not_submitted", len(rows), who, last, _link("quality"))


def _owed(scope: Scope, ask: Ask, owing: Owing) -> Iterator[Action]:
    """Provinces that owe data of a month by its deadline, and those whose data went back."""
    if not (found := owing()):
        return
    owed, part = found
    month, due = text.unit_label(owed.month, scope.lang), text.day(owed.due, scope.lang)
    count, is_one = len(owed.provinces), bool(_province(scope)) or (part == "handin" and len(owed.provinces) == 1)
    key = "returned_here" if is_one and owed.returned else "owed_here" if is_one or part == "handin" else "owed"
    words = _word(scope, key, count=text.number(count, scope.lang), month=month)
    back = _named(scope, ask, "province", list(owed.returned)) if owed.returned and not is_one else ""
    when = [_word(scope, "due", day=due), *([_word(scope, "went_back", places=back)] if back else [])]
    who = "" if is_one else _named(scope, ask, "province", list(owed.provinces), is_counted=True)
    of_part = {
        "quality": {},
        "approve": {"month": owed.month},
        "handin": ({"of": owed.provinces[0]} if count == 1 else {}) | {"month": owed.month},
    }
    yield Action("owed", count, words, who, " · ".join(when), _link(part, **of_part[part]))


def _low_coverage(scope: Scope, ask: Ask) -> Iterator[Action]:
    """The provinces with less than half of the nation's coverage, and how many counties have no police assistant, in one item."""
    answer, province = who_differs(scope, ask, "coverage_per_10k", "province"), _province(scope)
    rows, counties = [*_of_place(answer, scope)], _counties(scope, ask)
    low = [row for row in different.counted(answer) if row in rows]
    if not low:
        if counties:
            words = _word(scope, "counties", count=text.number(counties.count, scope.lang))
            yield Action("counties", counties.count, words, counties.but, "", _link("coverage"), claims=counties.claims)
        return
    counted, unknown = "", ""
    if counties:
        counted, unknown = f"{text.number(counties.count, scope.lang)} {counties.words}", counties.but
    metric, row = answer.metrics[0], low[0]
    whole = text.word("different.mean_nation", scope.lang)
    value = text.amount(row["whole_value"], metric.unit, scope.lang)
    side = named_side(metric)
    told = {"beyond": different.beyond(metric, side, whole, scope.lang), "value": value}
    of_all = (different.of_whole(answer, row), *(counties.claims if counties else ()))
    if province:
        here = text.plain(row["coverage_per_10k"], metric.unit, scope.lang)
        missing = -(_value(scope, ask, "coverage_gap", {"province": (province,)}) or 0)
        words = _word(scope, "coverage_here", count=text.number(missing, scope.lang))
        why = _word(scope, "coverage_is", here=here, **told)
        item = Action("coverage", missing, words, why, counted, _link("coverage", province=province), why=unknown)
        here_is = claim("value", answer, members=(province,), values=(row["coverage_per_10k"],))
        gap = replace(_counted(scope, answer, "coverage_gap", -missing), where=(("province", (province,)),))
        yield replace(item, claims=(here_is, gap, *of_all))
    else:
        codes = [row["province"] for row in low]
        who = _named(scope, ask, "province", codes, is_counted=True)
        group = different.group(answer, scope.lang, len(codes))
        item = _action(scope, ask, answer, "coverage", len(codes), who, counted, _link("coverage"), group=group)
        why = text.clauses([_word(scope, "coverage_why", **told), *filter(None, [unknown])], scope.lang)
        on_side = different.on_side(answer, low[: _shown(low)], side, len(low))
        yield replace(item, why=why, claims=(on_side, *of_all))


@dataclass(frozen=True)
class _Counties:
    """How many counties have no active assistant, the words that go on from it, and that people could be in them."""

    count: int
    words: str
    but: str
    claims: tuple[Claim, ...]


def _counties(scope: Scope, ask: Ask) -> _Counties | None:
    """The counties without an active assistant.

    None where there is none, and where too many people are in no known county.
    """
    places, unknown = of_unknown_county(scope, ask)
    count = _value(scope, ask, "uncovered_counties", places.where)
    if not count:
        return None
    words = text.word("different.counties_without", scope.lang, count=text.number(count, scope.lang))
    but = text.word("different.but_unknown", scope.lang, count=text.number(unknown, scope.lang)) if unknown else ""
    said = [_counted(scope, places, "uncovered_counties", count)]
    said += [no_county(places, unknown)] if unknown else []
    return _Counties(int(count), words, but, tuple(said))


def _low_levels(scope: Scope, ask: Ask) -> Iterator[Action]:
    """The provinces whose training compliance is significantly below the nation's, in one item."""
    answer, province = who_differs(scope, ask, "training_compliance", "province"), _province(scope)
    codes = [row["province"] for row in _of_place(answer, scope) if row["side"] == "lower"]
    if not codes:
        return
    row = next(row for row in answer.records() if row["province"] == codes[0])
    # A share that may not circulate is left out.
    here, nation = (
        "" if row[name] is None else text.percent(row[name], scope.lang)
        for name in (answer.metrics[0].name, "whole_value")
    )
    whole = text.word("different.mean_nation", scope.lang)
    told = {"beyond": text.word("different.lower", scope.lang, whole=whole), "value": nation}
    if province:
        why = _word(scope, "level_is" if here else "level_why", here=here, **told)
        here_is = claim("value", answer, members=(province,), values=(row[answer.metrics[0].name],))
        item = Action("level", 1, _word(scope, "level_here"), "", why, _link("training", province=province))
        yield replace(item, claims=(here_is, different.of_whole(answer, row)))
    else:
        who = _named(scope, ask, "province", codes, is_counted=True)
        group = different.group(answer, scope.lang, len(codes))
        item = _action(scope, ask, answer, "level", len(codes), who, "", _link("training"), group=group)
        low = [one for one in answer.records() if one["province"] in codes]
        said = (different.on_side(answer, low[: _shown(low)], "lower", len(low)), different.of_whole(answer, row))
        yield replace(item, why=_word(scope, "level_why", **told), claims=said)


def _sudden_falls(scope: Scope, ask: Ask) -> Iterator[Action]:
    """Provinces whose share of the nation's joiners fell below its own limits in the latest settled month."""
    answer = _signals(scope, ask)
    latest = max(answer.column("month"), default="")
    in_month = _word(scope, "in_month", month=text.unit_in_both(latest, scope.lang))
    for row in _of_place(answer, scope):
        if row["month"] == latest and row["is_signal"] and row["flow_share"] < row["flow_low"]:
            place = text.isolated(member_names.of("province", row["province"], scope.lang), scope.lang)
            share, usual = (text.percent(row[name], scope.lang) for name in ("flow_share", "flow_middle"))
            why = _word(scope, "change_why", share=share, usual=usual)
            link = _link("explore", province=row["province"], m="joiners", by="month", chart="control")
            key: dict[str, Any] = {"members": (f"{latest}|{row['province']}",)}
            names = ("flow_here", "flow_share", "flow_middle")
            said = tuple(claim("value", answer, name, values=(row[name],), **key) for name in names)
            item = _action(scope, ask, answer, "change", row["flow_here"], why, in_month, link, place=place)
            asked = of_analysis("change_signals", scope.day, answer.where)
            yield replace(item, claims=claims.of_analysis(said, asked))


def _signals(scope: Scope, ask: Ask) -> Answer:
    """The signals of all provinces, without rows of which the Ask shows only a part: half a signal is meaningless."""
    where, _ = scope.under(analyses.filters("change_signals") - {*PLACES})
    exact = ask.exactly(of_analysis("change_signals", scope.day, where))
    shown, first = ask.shown(exact), len(exact.by)
    unknown = {row[:first]: row.count(None) for row in exact.rows}
    return replace(shown, rows=[row for row in shown.rows if row.count(None) == unknown[row[:first]]])


# ---------------------------------------------------------------- shared by the kinds


def _counted(scope: Scope, listed: Answer, name: str, number: float) -> Claim:
    """The claim of a measure of the people, or places, of a list."""
    return replace(claim("value", listed, number=number), metric=name, by=(), on=scope.day, over=None)


def _of_list(
    scope: Scope, listed: Answer, analysis: str, number: float | None, named: Sequence[Mapping[str, Any]]
) -> Claim:
    """The claim of how many institutes a list of an analysis has, and of those named."""
    name = listed.metrics[0].name
    is_number = listed.metrics[0].unit != "date"
    values = tuple(row[name] for row in named) if is_number else ()
    members = tuple(row["institute"] for row in named)
    said = claim("count", listed, by=("institute",), number=number, members=members, values=values)
    return claims.of_analysis([said], of_analysis(analysis, scope.day, listed.where))[0]


def _shown(rows: Sequence[Any]) -> int:
    """How many of some members are named: a few all, of more the first."""
    return len(rows) if len(rows) <= _FEW else 1


def _province(scope: Scope) -> str:
    """The one province chosen, also of smaller places in it; else empty."""
    provinces = scope.where.get("province", ())
    return provinces[0] if len(provinces) == 1 else ""


def _of_place(answer: Answer, scope: Scope) -> Iterator[dict[str, Any]]:
    chosen = scope.where.get("province", ())
    return (row for row in answer.records() if not chosen or row["province"] in chosen)


def _value(scope: Scope, ask: Ask, name: str, where: Where) -> Any:
    """A measure of the people of a list, on the day."""
    return ask(Question((name,), on=scope.day, filters=frozen(where))).value()


def _word(scope: Scope, key: str, **values: object) -> str:
    return text.word(f"action.{key}", scope.lang, **values)


def _link(part: str, **parameters: str) -> Link:
    return Link(part, tuple((name, (value,)) for name, value in parameters.items()))


def _institutes(scope: Scope, ask: Ask, rows: list[dict[str, Any]], among: int, is_counted: bool = False) -> str:
    return _named(scope, ask, "institute", [row["institute"] for row in rows], None, among, is_counted)


def _named(
    scope: Scope,
    ask: Ask,
    dimension: str,
    codes: list[Any],
    counts: Mapping[Any, float] | None = None,
    among: int = 0,
    is_counted: bool = False,
) -> str:
    """These members by name, with their counts; of more than three, or `among` more, the first and how many others.

    Where the item itself says how many they are (`is_counted`), the first is enough.
    """
    lang, context = scope.lang, ChartContext(scope.lang, names=asking.names(ask, scope.lang))
    names = [text.isolated(member_names.cut(context.member(dimension, code)), lang) for code in codes]
    if counts:
        names = [
            text.word("scope.counted", lang, name=name, count=text.number(counts[code], lang))
            for name, code in zip(names, codes, strict=True)
        ]
    if not names or (len(names) <= _FEW and among <= len(names)):
        return text.listed(names, lang)
    if is_counted:
        return _word(scope, "among", name=names[0])
    more = max(len(names), among) - 1
    group = text.with_ezafe(member_names.counted(dimension, lang, more), lang)
    return text.word("different.others", lang, names=names[0], count=text.number(more, lang), group=group)


def _action(
    scope: Scope,
    ask: Ask,
    listed: Answer,
    kind: str,
    count: float,
    who: str,
    when: str,
    link: Link,
    **words: str,
) -> Action:
    """An item about the rows `listed`, with the sentence `action.kind`, which holds its count and `words`.

    It says to which provinces the rows are narrowed for lack of rights.
    """
    said = _word(scope, kind, count=text.number(count, scope.lang), **words)
    is_cut = listed.left_out and not _province(scope)
    places = _named(scope, ask, "province", [*listed.where["province"]]) if is_cut else ""
    return Action(kind, count, said, who, when, link, _word(scope, "only", places=places) if places else "")
