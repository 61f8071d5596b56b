"""What needs action: operational exceptions first, then signals, each with who, how many, by when, and a list."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from etl.core.errors import QuestionError
from etl.core.jalali import DAY
from etl.semantic.answers import Answer
from etl.semantic.disclosure import FEWEST, rounded
from ui.i18n import text
from ui.summary import different
from ui.summary.sources import Sources

# The items that stand on the first screen and in a briefing; how many more there are is said.
MOST = 6
_SOON = 30


@dataclass(frozen=True)
class Action:
    """One item: what is to be done, whom it concerns, since or until when, and the page part that lists them.

    `why` is the reason, where more than who and when is to be said. `count` is how many the sentence names; `only` are the
    provinces to which it is narrowed for lack of rights.
    """

    kind: str
    count: float
    sentence: str
    who: str
    when: str
    part: str
    parameters: Mapping[str, list[str]]
    only: str = ""
    why: str = ""

    @property
    def whom(self) -> str:
        return " · ".join(filter(None, (self.only, self.who)))

    @property
    def about(self) -> str:
        return " · ".join(filter(None, (self.whom, self.when, self.why)))


def actions(sources: Sources) -> list[Action]:
    """The items that need action, the first ones first, without kinds that have no meaning under the scope."""
    items: list[Action] = []
    exceptions = (_lapsed, _licences_ending, _training_lapsing, _files_overdue, _not_submitted, _owed)
    signals = (_low_coverage, _low_levels, _sudden_falls)
    # What a province itself is asked about comes first there.
    for items_of_kind in (
        (_low_levels, *exceptions, _low_coverage, _sudden_falls) if sources.province else exceptions + signals
    ):
        with suppress(QuestionError):
            items += items_of_kind(sources)
    return items


def _lapsed(sources: Sources) -> Iterator[Action]:
    """Institutes without a valid licence that still have staff."""
    listed = sources.analyse("lapsed")
    if rows := listed.records():
        # The list knows fewer filters than the measure, and holds the provinces of the user's rights alone.
        count = sources.number(sources.ask("lapsed_licence_service", on=sources.on, where=listed.where).value())
        persons = f"{count} {text.unit_word('persons', sources.lang, count)}"
        until = [row["licensed_until"] for row in rows if row["licensed_until"] and row["licensed_until"] < sources.on]
        oldest = sources.word("action.oldest", day=sources.day(min(until) + DAY)) if until else ""
        # With those of few people, which a file for circulation does not list.
        if number := listed.groups:
            who, parameters = _institutes(sources, rows, number), {"open": ["lapsed"]}
            yield _action(sources, listed, "lapsed", number, who, oldest, "licensing", parameters, persons=persons)


def _licences_ending(sources: Sources) -> Iterator[Action]:
    """Institutes whose licence ends within 30 days."""
    listed = sources.analyse("licences_ending")
    if rows := [row for row in listed.records() if row["span"] == "1-30"]:
        first = min(row["licensed_until"] for row in rows)
        key = "soonest_today" if first == sources.on else "soonest"
        soonest = sources.word(f"action.{key}", day=sources.day(first))
        if number := sources.ask("licences_ending_30", on=sources.on, where=listed.where).value():
            who, parameters = _institutes(sources, rows, number), {"open": ["licences_ending"], "days": [str(_SOON)]}
            yield _action(sources, listed, "licences_ending", number, who, soonest, "licensing", parameters)


def _training_lapsing(sources: Sources) -> Iterator[Action]:
    """Persons whose training lapses within 30 days."""
    by = "county" if sources.province else "province"
    places, in_order = (
        ask("expiring_30", by=(by,), on=sources.on) for ask in (sources.ask, sources.exactly or sources.ask)
    )
    if count := sources.ask("expiring_30", on=sources.on, where=places.where).value():
        shown, exact = (
            {row[by]: row["expiring_30"] for row in answer.records() if row[by]} for answer in (places, in_order)
        )
        ordered = sorted((code for code in exact if exact[code]), key=lambda code: (-exact[code], code))
        codes = [code for code in ordered if shown.get(code)]
        # Beside few people a file for circulation does not tell in how many places they are.
        is_told = not sources.exactly or count >= rounded(FEWEST)
        until = sources.word("action.until", day=sources.day(sources.on + timedelta(days=_SOON)))
        parameters = {"m": ["expiring_30"], "by": ["institute"]}
        who = sources.named(by, codes if is_told else codes[:2], shown, len(ordered) if is_told else 0)
        yield _action(sources, places, "training_lapsing", count, who, until, "explore", parameters)


def _files_overdue(sources: Sources) -> Iterator[Action]:
    """Complete files that have waited for more than 25 working days."""
    listed = sources.analyse("files_overdue")
    if rows := listed.records():
        count = sum(row["overdue_files"] for row in rows)
        oldest = sources.word("action.oldest", day=sources.day(min(row["oldest_overdue_file"] for row in rows)))
        who, parameters = _institutes(sources, rows, len(rows)), {"open": ["files_overdue"]}
        item = _action(sources, listed, "files_overdue", count, who, oldest, "licensing", parameters)
        yield replace(item, why=sources.word("action.overdue_why"))


def _not_submitted(sources: Sources) -> Iterator[Action]:
    """Provinces that have not submitted every source."""
    listed = sources.provinces()
    if rows := [row for row in _of_place(listed, sources) if row["sources_missing"]]:
        days = [row["latest_day"] for row in rows if row["latest_day"]]
        last = sources.word("action.last_heard", day=sources.day(min(days))) if days else ""
        who = sources.named("province", [row["province"] for row in rows])
        yield _action(sources, listed, "not_submitted", len(rows), who, last, "quality", {})


def _owed(sources: Sources) -> Iterator[Action]:
    """Provinces that owe data of a month by its deadline, and those whose data went back."""
    if not (found := sources.owed()):
        return
    owed, part = found
    month, due = text.unit_label(owed.month, sources.lang), sources.day(owed.due)
    count, is_one = len(owed.provinces), bool(sources.province)
    key = "returned_here" if is_one and owed.returned else "owed_here" if is_one else "owed"
    words = sources.word(f"action.{key}", count=sources.number(count), month=month)
    back = sources.named("province", list(owed.returned)) if owed.returned and not is_one else ""
    when = [sources.word("action.due", day=due), *([sources.word("action.went_back", places=back)] if back else [])]
    who = "" if is_one else sources.named("province", list(owed.provinces))
    parameters = {
        "quality": {},
        "approve": {"month": [owed.month]},
        "handin": {"of": [sources.province], "month": [owed.month]},
    }
    yield Action("owed", count, words, who, " · ".join(when), part, parameters[part])


def _low_coverage(sources: Sources) -> Iterator[Action]:
    """The provinces with less than half of the nation's coverage, and how many counties have no police assistant, in one item."""
    answer = sources.different("coverage_per_10k", "province")
    rows = [*_of_place(answer, sources)]
    low = [row for row in different.named(answer) if row in rows]
    counties = different.counties_without(sources)
    if not low:
        if counties:
            words = sources.word("action.counties", count=sources.number(counties[0]))
            yield Action("counties", counties[0], words, counties[2], "", "coverage", {})
        return
    counted, unknown = (f"{sources.number(counties[0])} {counties[1]}", counties[2]) if counties else ("", "")
    metric, row = answer.metrics[0], low[0]
    whole, value = sources.word("different.mean_nation"), text.amount(row["whole_value"], metric.unit, sources.lang)
    told = {"beyond": different.beyond(metric, row["side"], whole, sources.lang), "value": value}
    if sources.province:
        here = text.plain(row["coverage_per_10k"], metric.unit, sources.lang)
        words, why = sources.word("action.coverage_here"), sources.word("action.coverage_is", here=here, **told)
        parameters = {"province": [sources.province]}
        yield Action("coverage", 1, words, why, counted, "coverage", parameters, why=unknown)
    else:
        codes = [row["province"] for row in low]
        who, group = sources.named("province", codes), different.group(answer, sources.lang, len(codes))
        item = _action(sources, answer, "coverage", len(codes), who, counted, "coverage", {}, group=group)
        why = text.clauses([sources.word("action.coverage_why", **told), *filter(None, [unknown])], sources.lang)
        yield replace(item, why=why)


def _low_levels(sources: Sources) -> Iterator[Action]:
    """The provinces whose training compliance is significantly below the nation's, in one item."""
    answer = sources.different("training_compliance", "province")
    codes = [row["province"] for row in _of_place(answer, sources) if row["side"] == "lower"]
    if not codes:
        return
    row = next(row for row in answer.records() if row["province"] == codes[0])
    # A share that may not circulate is left out.
    here, nation = (
        "" if row[name] is None else text.percent(row[name], sources.lang)
        for name in (answer.metrics[0].name, "whole_value")
    )
    told = {"beyond": sources.word("different.lower", whole=sources.word("different.mean_nation")), "value": nation}
    if sources.province:
        why = sources.word("action.level_is" if here else "action.level_why", here=here, **told)
        yield Action("level", 1, sources.word("action.level_here"), "", why, "training", {"province": codes})
    else:
        who, group = sources.named("province", codes), different.group(answer, sources.lang, len(codes))
        item = _action(sources, answer, "level", len(codes), who, "", "training", {}, group=group)
        yield replace(item, why=sources.word("action.level_why", **told))


def _sudden_falls(sources: Sources) -> Iterator[Action]:
    """Provinces whose share of the nation's joiners fell below its own limits in the latest settled month."""
    answer = sources.everywhere("change_signals")
    latest = max(answer.column("month"), default="")
    in_month = sources.word("action.in_month", month=text.unit_in_both(latest, sources.lang))
    for row in _of_place(answer, sources):
        if row["month"] == latest and row["is_signal"] and row["flow_share"] < row["flow_low"]:
            place = text.isolated(sources.member("province", row["province"]), sources.lang)
            share, usual = (text.percent(row[name], sources.lang) for name in ("flow_share", "flow_middle"))
            why = sources.word("action.change_why", share=share, usual=usual)
            parameters = {"province": [row["province"]], "m": ["joiners"], "by": ["month"], "chart": ["control"]}
            count = row["flow_here"]
            yield _action(sources, answer, "change", count, why, in_month, "explore", parameters, place=place)


def _of_place(answer: Answer, sources: Sources) -> Iterable[dict]:
    chosen = (sources.province,) if sources.province else sources.chosen
    return (row for row in answer.records() if not chosen or row["province"] in chosen)


def _institutes(sources: Sources, rows: list[dict], among: int) -> str:
    return sources.named("institute", [row["institute"] for row in rows], among=among)


def _action(
    sources: Sources,
    listed: Answer,
    kind: str,
    count: float,
    who: str,
    when: str,
    part: str,
    parameters: Mapping[str, list[str]],
    **words: str,
) -> Action:
    """An item about the rows `listed`, with the sentence `action.kind`, which holds its count and `words`.

    It says to which provinces the rows are narrowed for lack of rights.
    """
    number = sources.number(count)
    said = sources.word(f"action.{kind}", count=number, **words)
    is_cut = listed.left_out and not sources.province
    places = sources.named("province", [*listed.where["province"]]) if is_cut else ""
    only = sources.word("action.only", places=places) if places else ""
    return Action(kind, count, said, who, when, part, parameters, only)
