"""What stands around an answer in words: its measure, its place and its period. Independent of Streamlit."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.semantic.open_totals import sees_nation
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from etl.submissions.notes import NATION, Note
from etl.warehouse.dimensions import PLACES
from ui.data import ask as asking
from ui.data.ask import Ask
from ui.i18n import member_names, text

# With more measures than this the subtitle names only the first; the chart's keys name the others.
_MOST_NAMED = 2
# Where so few provinces are left out they are said instead of the chosen ones, and where they are fewer by their names.
_MOST_LEFT_OUT, _MOST_OUT_NAMED = 5, 2


class Words(Protocol):
    """A language, and the names of members in it."""

    @property
    def lang(self) -> str: ...
    def word(self, key: str, **values: object) -> str: ...
    def member(self, dimension: str, code: object) -> str: ...


def place(words: Words, where: Mapping[str, tuple[str, ...]], rights: AccessScope) -> str:
    """A place with its other filters, in words; without a place the nation, or the own provinces where only these are seen."""
    if not set(PLACES) & set(where) and not sees_nation(rights, where):
        where = {"province": tuple(sorted(rights.codes)), **where}
    parts = filters(words, where)
    if not set(PLACES) & set(where):
        parts.insert(0, words.word("scope.nation"))
    return text.listed(parts, words.lang)


def filters(words: Words, where: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The members of each filter in words, places first."""
    return [_members(words, name, where[name]) for name in sorted(where, key=lambda name: name not in PLACES)]


def _members(words: Words, dimension: str, codes: Sequence[str]) -> str:
    """The chosen members of a filter; of nearly all provinces the few that are not."""

    def named(chosen: Iterable[str]) -> list[str]:
        return [text.isolated(_distinct(words, dimension, code), words.lang) for code in chosen]

    others = [code for code in member_names.fixed("province", words.lang) if code not in codes]
    if dimension != "province" or not 0 < len(others) <= _MOST_LEFT_OUT < len(codes):
        return text.shortened(named(codes), words.lang)
    count = f"{text.number(len(others), words.lang)} {member_names.counted('province', words.lang, len(others))}"
    names = text.listed(named(others), words.lang) if len(others) <= _MOST_OUT_NAMED else count
    return words.word("scope.all_but", names=names)


def _distinct(words: Words, dimension: str, code: str) -> str:
    """The name of a member; of a county named as a province with what it is."""
    name = words.member(dimension, code)
    is_county = dimension == "county" and name in member_names.fixed("province", words.lang).values()
    return words.word("scope.county_of", place=name) if is_county else name


def no_effect(words: Words, ignored: Iterable[str]) -> str:
    """The filters that have no meaning for a figure, in a sentence."""
    named = text.listed([words.word(f"scope.{name}") for name in ignored], words.lang)
    return words.word("scope.no_effect", filters=named)


def not_arrived(ask: Ask, places: Iterable[str | None], lang: str) -> str:
    """That the data of a month have not arrived from some of these provinces; empty if they have."""
    late = asking.not_arrived(ask)
    named, said = sorted({*late}.intersection(filter(None, places))), []
    for month in sorted({*late.values()}):
        names = [member_names.of("province", code, lang) for code in named if late[code] == month]
        values = {"month": text.unit_label(month, lang), "places": text.listed(names, lang), "sign": asking.LATE}
        said += [text.word("figure.not_arrived", lang, **values)] if names else []
    return " ".join(said)


def note(words: Words, signed: Note, is_exact: bool = True) -> str:
    """A signed note in a line: what it is about, its text, who signed it and when. What circulates names no account."""
    return words.word(
        "signed.line",
        measure=catalogue()[signed.measure].short[words.lang],
        place=place_of(words, signed),
        months=months_of(words, signed),
        text=text.isolated(signed.text(words.lang), words.lang),
        by=author_of(words, signed, is_exact),
        day=text.day(date.fromisoformat(signed.signed_on), words.lang),
    )


def notes_below(words: Words, signed: Sequence[Note], by: Sequence[str], is_exact: bool = True) -> list[str]:
    """The lines of signed notes below a figure: of a figure of provinces only which have some, and how many."""
    if not signed or "province" not in by:
        return [note(words, one, is_exact) for one in signed]
    counts = Counter(text.isolated(place_of(words, one), words.lang) for one in signed)
    places = [name if count == 1 else f"{name} ({text.number(count, words.lang)})" for name, count in counts.items()]
    return [words.word("signed.of_places", places=text.listed(places, words.lang))]


def place_of(words: Words, signed: Note) -> str:
    """The place of a signed note."""
    return words.word("scope.nation") if signed.place == NATION else words.member("province", signed.place)


def months_of(words: Words, signed: Note) -> str:
    """The month of a signed note, or the first and the last."""
    first, last = (text.unit_label(month, words.lang) for month in (signed.first, signed.last))
    return first if first == last else words.word("signed.from_to", first=first, last=last)


def author_of(words: Words, signed: Note, is_exact: bool = True) -> str:
    """Who wrote a signed note, by the role; the account only where people sign in and nothing circulates."""
    role = words.word(f"signed.by_{signed.role}")
    is_named = is_exact and signed.author != ADMINISTRATOR.sub
    return f"{role} {text.isolated(signed.author, words.lang)}" if is_named else role


def where_and_when(words: Words, answer: Answer, rights: AccessScope, day: date, place_named: str = "") -> str:
    """The place and the period of an answer; `day` is that of one without its own, `place_named` replaces the place."""
    if "country" in answer.by:
        years = words.word("figure.own_years")
        return f"{place(words, answer.where, rights)} · {years}" if answer.where else years
    when = text.period(*answer.over, words.lang) if answer.over else text.day(answer.on or day, words.lang)
    return f"{place_named or place(words, answer.where, rights)} · {when}"


def subtitle(
    words: Words,
    answer: Answer,
    rights: AccessScope,
    day: date,
    place_named: str = "",
    with_parts: bool = False,
    compared: str = "",
) -> str:
    """Measure, place and period of an answer. `place_named` names the places if the filters do not.

    `compared` says by what, which a title need not. `with_parts`: what is shown are the parts of the first measure as shares, in
    the order of the last one. A median has its unit, which its name does not say.
    """
    # An analysis may add auxiliary metrics, in another unit (people at risk) or of some rows (an excess): they are not named.
    first, known, lang = answer.metrics[0], catalogue(), words.lang
    beside = [
        metric
        for metric in answer.metrics[1:]
        if metric.name in known
        or (metric.unit == first.unit and not metric.hidden and None not in answer.column(metric.name))
    ]
    named = [first, *beside]
    labels = [
        text.with_unit(metric.label[lang], metric.unit, lang) if metric.sample_size else metric.label[lang]
        for metric in (named if len(named) <= _MOST_NAMED else named[:1])
    ]
    if with_parts:
        labels = [words.word("figure.with_parts", part=named[-1].label[lang])]
    # "Outstanding, up to 30 days" is a part of "Outstanding": the legend names the parts.
    whole = [label for at, label in enumerate(labels) if not any(map(label.startswith, labels[:at]))]
    whole[1:] = [text.inside(label, lang) for label in whole[1:]]
    when = where_and_when(words, answer, rights, day, place_named)
    return " · ".join(filter(None, (text.listed(whole, lang), compared, when)))
