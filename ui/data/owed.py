"""What readers of official statistics are owed ([publication] of the settings): contact, next update, revisions, citation."""

from datetime import date
from functools import cache

from etl.core import settings
from etl.core.jalali import add_months
from etl.warehouse.publications import Publication
from ui.i18n import text

_WORDS = ("contact", "revision_policy")
_ORDER = ("contact", "next_update", "calendar", "revision_policy", "citation")


@cache
def _about() -> settings.About:
    return settings.read().publication


def source(lang: str, published: Publication) -> str:
    """Where numbers come from: the dashboard, the publication, its day, and whether the data are made up."""
    load = text.word("more.load", lang, id=text.digits(published.id, lang))
    day = text.word("trust.as_of_latest", lang, day=text.day(published.as_of, lang))
    made_up = [text.word("file.made_up", lang)] if published.is_sample else []
    return " · ".join([text.word("app.title", lang), load, day, *made_up])


def lines(lang: str, published: Publication) -> list[tuple[str, str]]:
    """The label and the words of each that is set, in this order."""
    about, place = _about(), text.LANGUAGES.index(lang)
    written = {name: getattr(about, name)[place] for name in _WORDS if getattr(about, name)}
    written["next_update"] = _next_update(lang)
    written["calendar"] = text.listed([text.day(day, lang) for day in calendar()], lang)
    written["citation"] = citation(lang, published)
    return [(text.word(f"owed.{name}", lang), words) for name in _ORDER if (words := written.get(name))]


def has_next_update() -> bool:
    """Whether the pages say when the next publication is due."""
    return any(map(_next_update, text.LANGUAGES))


def _next_update(lang: str) -> str:
    """The day or rule that is set; where there is none, or the day is past, the next day of the calendar, if there is one."""
    written = dict(zip(text.LANGUAGES, _about().next_update, strict=False)).get(lang, "")
    day = _day(written)
    if written and not day:
        return written
    to_come = [day] if day and day >= date.today() else calendar()
    return text.day_in_both(to_come[0], lang) if to_come else ""


def citation(lang: str, published: Publication) -> str:
    """How the publication is cited; empty if that is not set."""
    title = dict(zip(text.LANGUAGES, _about().citation, strict=False)).get(lang, "")
    day, number = text.day(published.as_of, lang), text.digits(published.id, lang)
    return text.word("owed.cited", lang, title=title, day=day, id=number) if title else ""


def calendar() -> list[date]:
    """The days of releases of the next twelve months."""
    today = date.today()
    days = sorted(date.fromisoformat(day) for day in _about().calendar)
    return [day for day in days if today <= day <= add_months(today, 12)]


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
