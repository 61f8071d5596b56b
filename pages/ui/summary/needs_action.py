"""What needs action: operational exceptions first, then signals, each with who, how many, since when, and a list."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from etl.core.errors import QuestionError
from etl.core.jalali import DAY
from etl.semantic.answers import Answer
from pages.ui.i18n import text
from pages.ui.summary.sources import Sources

MOST = 5
_SOON = 30


@dataclass(frozen=True)
class Action:
    """One item: the sentence with its number, whom it concerns, since or until when, and the page part that lists them."""

    kind: str
    count: float
    sentence: str
    who: str
    when: str
    part: str
    parameters: Mapping[str, list[str]] = field(default_factory=dict)


def actions(sources: Sources, most: int = MOST) -> list[Action]:
    """The first `most` items that need action, without kinds that have no meaning under the scope."""
    items: list[Action] = []
    for look in _KINDS:
        try:
            items += look(sources)
        except QuestionError:
            continue
        if len(items) >= most:
            break
    return items[:most]


def _lapsed(sources: Sources) -> Iterator[Action]:
    """Institutes that operate without a valid licence."""
    rows = sources.analyse("lapsed").records()
    if not rows:
        return
    persons = sources.ask("lapsed_licence_service", on=sources.on).value()
    ended = [
        row["licensed_until"] + DAY for row in rows if row["licensed_until"] and row["licensed_until"] < sources.on
    ]
    yield Action(
        "lapsed",
        len(rows),
        sources.word("action.lapsed", count=sources.number(len(rows)), persons=sources.number(persons)),
        _institutes(sources, rows),
        sources.word("action.oldest", day=sources.day(min(ended))) if ended else "",
        "licensing",
        {"open": ["lapsed"]},
    )


def _licences_ending(sources: Sources) -> Iterator[Action]:
    """Institutes whose licence ends within 30 days."""
    rows = [row for row in sources.analyse("licences_ending").records() if row["span"] == "1-30"]
    if rows:
        first = min(row["licensed_until"] for row in rows)
        yield Action(
            "licences_ending",
            len(rows),
            sources.word("action.licences_ending", count=sources.number(len(rows))),
            _institutes(sources, rows),
            sources.word("action.soonest", day=sources.day(first)),
            "licensing",
            {"open": ["licences_ending"], "days": [str(_SOON)]},
        )


def _training_lapsing(sources: Sources) -> Iterator[Action]:
    """Persons whose training lapses within 30 days."""
    count = sources.ask("expiring_30", on=sources.on).value()
    if count:
        by = "county" if sources.province else "province"
        persons = {
            code: number for code, number, *_ in sources.ask("expiring_30", by=(by,), on=sources.on).rows if code
        }
        most = sorted((code for code in persons if persons[code]), key=lambda code: (-persons[code], code))
        yield Action(
            "training_lapsing",
            count,
            sources.word("action.training_lapsing", count=sources.number(count)),
            sources.named(by, most, persons),
            sources.word("action.until", day=sources.day(sources.on + timedelta(days=_SOON))),
            "explore",
            {"m": ["expiring_30"], "by": ["institute"]},
        )


def _files_overdue(sources: Sources) -> Iterator[Action]:
    """Complete files that have waited for more than 25 working days."""
    rows = sources.analyse("files_overdue").records()
    if rows:
        count = sum(row["overdue_files"] for row in rows)
        yield Action(
            "files_overdue",
            count,
            sources.word("action.files_overdue", count=sources.number(count)),
            _institutes(sources, rows),
            sources.word("action.oldest", day=sources.day(min(row["oldest_overdue_file"] for row in rows))),
            "licensing",
            {"open": ["files_overdue"]},
        )


def _not_submitted(sources: Sources) -> Iterator[Action]:
    """Provinces that have not submitted every source."""
    rows = [
        row
        for row in sources.provinces().records()
        if row["sources_missing"] and sources.province in ("", row["province"])
    ]
    if rows:
        days = [row["latest_day"] for row in rows if row["latest_day"]]
        yield Action(
            "not_submitted",
            len(rows),
            sources.word("action.not_submitted", count=sources.number(len(rows))),
            sources.named("province", [row["province"] for row in rows]),
            sources.word("action.last_heard", day=sources.day(min(days))) if days else "",
            "quality",
        )


def _low_levels(sources: Sources) -> Iterator[Action]:
    """Provinces whose share is beyond the funnel's limits, on the worse side."""
    answer = sources.everywhere("level_signals")
    metric = answer.metrics[0]
    worse = -1 if metric.direction == "up" else 1
    for row in _of_place(answer, sources):
        if row["is_signal"] and row["funnel_z"] * worse > 0:
            place = text.isolated(sources.member("province", row["province"]), sources.lang)
            yield Action(
                "level",
                abs(row["beyond_common"]),
                sources.word(
                    "action.level",
                    measure=metric.label[sources.lang],
                    place=place,
                    value=text.plain(row[metric.name], metric.unit, sources.lang),
                    count=sources.number(abs(row["beyond_common"])),
                ),
                place,
                sources.word("action.on_day", day=sources.day(answer.on or sources.on)),
                "province",
                {"province": [row["province"]]},
            )


def _sudden_falls(sources: Sources) -> Iterator[Action]:
    """Provinces whose share of the nation's joiners fell below its own limits in the latest settled month."""
    answer = sources.everywhere("change_signals")
    latest = max(answer.column("month"), default="")
    for row in _of_place(answer, sources):
        if row["month"] == latest and row["is_signal"] and row["flow_share"] < row["flow_low"]:
            place = text.isolated(sources.member("province", row["province"]), sources.lang)
            yield Action(
                "change",
                row["flow_here"],
                sources.word(
                    "action.change",
                    place=place,
                    count=sources.number(row["flow_here"]),
                    share=text.percent(row["flow_share"], sources.lang),
                    usual=text.percent(row["flow_middle"], sources.lang),
                ),
                place,
                sources.word("action.in_month", month=text.unit_label(latest, sources.lang)),
                "province",
                {"province": [row["province"]]},
            )


def _of_place(answer: Answer, sources: Sources) -> Iterable[dict]:
    return (row for row in answer.records() if sources.province in ("", row["province"]))


def _institutes(sources: Sources, rows: list[dict]) -> str:
    return sources.named("institute", [row["institute"] for row in rows])


_KINDS: tuple[Callable[[Sources], Iterator[Action]], ...] = (
    _lapsed,
    _licences_ending,
    _training_lapsing,
    _files_overdue,
    _not_submitted,
    _low_levels,
    _sudden_falls,
)
