"""What readers of official statistics are owed ([publication] of the settings): contact, next update, revisions, citation."""

from datetime import date
from functools import cache

from etl.core import settings
from etl.warehouse.publications import Publication
from ui.i18n import text


@cache
def _told() -> settings.About:
    return settings.read().publication


def lines(lang: str, published: Publication) -> list[tuple[str, str]]:
    """The label and the words of each that is set, in this order; a next update that is past is left out."""
    told, place = _told(), text.LANGUAGES.index(lang)
    written = {name: getattr(told, name)[place] for name in told.__dataclass_fields__ if getattr(told, name)}
    update = written.get("next_update", "")
    if day := _day(update):
        written["next_update"] = text.day_in_both(day, lang) if day >= date.today() else ""
    if cited := written.get("citation"):
        day_of = text.day(published.as_of, lang)
        written["citation"] = text.word("owed.cited", lang, title=cited, day=day_of, id=text.digits(published.id, lang))
    return [(text.word(f"owed.{name}", lang), words) for name, words in written.items() if words]


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
