"""What is followed and what is told, in words: one line each, the same on screen, in mail and on the command line."""

from collections.abc import Mapping
from datetime import date

from etl.analysis.transitions import Told
from etl.core.jalali import unit_of
from etl.semantic.catalog import catalogue
from ui.access.follows import News
from ui.follow.follow import (
    ABOVE,
    BELOW,
    CHANGED,
    COUNTIES_OF,
    EVERY_PROVINCE,
    HAND_IN,
    HIGHER,
    LOWER,
    NEEDS_ACTION,
    PUBLICATION,
    TARGET_MONTH,
    Follow,
)
from ui.follow.telling import OUTSIDE_NOW, OWED
from ui.i18n import member_names, text
from ui.state.scope import NATION

# The word of a condition in text.toml.
WORDS: Mapping[str, str] = {
    BELOW: "below", ABOVE: "above", LOWER: "lower", HIGHER: "higher", CHANGED: "changed", TARGET_MONTH: "target_month",
    NEEDS_ACTION: "needs_action", PUBLICATION: "publication", HAND_IN: "hand_in",
}  # fmt: skip


def of_condition(follow: Follow, lang: str) -> str:
    """The condition in the words of its form: "falls below 80%"."""
    kind = follow.condition.kind
    if kind in (BELOW, ABOVE):
        return text.word(f"follow.{WORDS[kind]}_number", lang, number=_limit(follow, lang))
    return of_kind(kind, lang)


def of_kind(kind: str, lang: str) -> str:
    """A condition to choose: "falls significantly below the average"."""
    return text.word(f"follow.{WORDS[kind]}", lang)


def place(follow: Follow, lang: str) -> str:
    """The place of a follow: "counties of Fars"."""
    if follow.place == EVERY_PROVINCE:
        return text.word("follow.every_province", lang)
    if follow.place.startswith(COUNTIES_OF):
        return text.word("follow.counties_of", lang, place=member_names.of("province", follow.province, lang))
    return _named(follow.place, lang)


def about(follow: Follow, lang: str) -> str:
    """All of a follow in one line: "Training compliance · Fars: falls below 80%"."""
    if not follow.measure:
        what = of_condition(follow, lang)
        return what[0].upper() + what[1:] if follow.place == NATION else f"{place(follow, lang)}: {what}"
    words = {"measure": catalogue()[follow.measure].label[lang], "what": of_condition(follow, lang)}
    where = [place(follow, lang)]
    where += [
        text.listed([member_names.of(name, code, lang) for code in codes], lang) for name, codes in follow.filters
    ]
    return text.word("follow.line", lang, place="، ".join(where) if lang == "fa" else ", ".join(where), **words)


def line(news: News, follow: Follow, lang: str) -> str:
    """What is told of a member, with its number before and now; none of what lies outside of the rights."""
    if news.member == OWED:
        return text.word("follow.told_owed", lang, day=text.day(date.fromisoformat(news.now_day), lang))
    place_of_news = member(follow, news.member, lang)
    if not follow.measure:
        what = _occasion(news, follow, lang)
        return what if follow.place == NATION else text.word("follow.told_in", lang, place=place_of_news, what=what)
    said = text.word(
        "follow.line",
        lang,
        measure=catalogue()[follow.measure].label[lang],
        place=place_of_news,
        what=_told(news, follow, lang),
    )
    return text.word("follow.revision", lang, line=said) if news.by_revision else said


def _occasion(news: News, follow: Follow, lang: str) -> str:
    """What happened; of the month of the target with both months, where both are known."""
    if follow.condition.kind == TARGET_MONTH and news.before_day and news.now_day:
        before, now = (
            text.unit_label(unit_of(date.fromisoformat(day), "month").label, lang)
            for day in (news.before_day, news.now_day)
        )
        return text.word("follow.told_target_month_to", lang, before=before, now=now)
    return text.word(f"follow.told_{WORDS[follow.condition.kind]}", lang)


def _told(news: News, follow: Follow, lang: str) -> str:
    if news.told == OUTSIDE_NOW:
        return text.word("follow.outside", lang)
    if news.told == Told.DEFINITION_CHANGED:
        return text.word("follow.redefined", lang)
    kind = WORDS[follow.condition.kind]
    limit = {"number": _limit(follow, lang)} if follow.condition.number is not None else {}
    what = text.word(f"follow.{'began' if news.is_beginning else 'ended'}_{kind}", lang, **limit)
    if news.now_value is None:
        return what
    unit = catalogue()[follow.measure].unit
    now, day = text.plain(news.now_value, unit, lang), text.day(date.fromisoformat(news.now_day), lang)
    if news.before_value is None:
        return text.word("follow.to", lang, what=what, now=now, day=day)
    return text.word(
        "follow.from_to", lang, what=what, before=text.plain(news.before_value, unit, lang), now=now, day=day
    )


def member(follow: Follow, code: str, lang: str) -> str:
    """The name of a member of a follow."""
    if code == follow.place:
        return place(follow, lang)
    return member_names.of("county", code, lang) if follow.by == ("county",) else _named(code, lang)


def _named(code: str, lang: str) -> str:
    return text.word("scope.nation", lang) if code in (NATION, "") else member_names.of("province", code, lang)


def _limit(follow: Follow, lang: str) -> str:
    return text.plain(follow.condition.number, catalogue()[follow.measure].unit, lang)
