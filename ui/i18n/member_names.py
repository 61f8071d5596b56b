"""The names of the members of dimensions in the user's language: places, posts, months and all others."""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache

from etl.core.places import newer_counties, place_names
from etl.semantic.catalog import TIME
from etl.warehouse.dimensions import CHOICES
from ui.i18n import text

# The letters of a name in a line that has several.
LONGEST = 60
# Persian letters in alphabetical order, which differs from code point order.
_ALPHABET = {letter: f"{place:02}" for place, letter in enumerate("آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی")}


@cache
def fixed(dimension: str, lang: str) -> Mapping[str, str]:
    """Codes and names of a dimension whose members do not depend on the data: places and fixed lists."""
    place = "province" if dimension == "origin" else dimension
    if place in ("province", "county"):
        return place_names(place, lang)
    if dimension.endswith("_band"):
        return {code: band(code, lang) for code in sorted(set(CHOICES.get(dimension, {}).values()))}
    return {code: names[lang] for code, names in text.book()["member"].get(dimension, {}).items()}


def collated(name: str) -> str:
    """A sort key for the Persian alphabetical order."""
    return "".join(_ALPHABET.get(letter, letter) for letter in name)


def band(code: str, lang: str, is_aged: bool = False) -> str:
    """A band of years: `25-29` is «۲۵ تا ۲۹ سال», as an age «۲۵ تا ۲۹ ساله»; `60+` is "60 years and over"."""
    low, _, high = code.rstrip("+").partition("-")
    between, over = ("band.aged_between", "band.aged_over") if is_aged else ("band.between", "band.over")
    low, high = (text.digits(int(years), lang) for years in (low, high or low))
    return text.word(between if "-" in code else over, lang, low=low, high=high)


def of(dimension: str, code: object, lang: str, names: Mapping[str, str] | None = None) -> str:
    """The name of a member; its code if it has no name, and the word for unknown if there is no code."""
    if code is None or code == "":
        return text.word("dimension.unknown", lang)
    if isinstance(code, date):
        return text.day(code, lang)
    code = str(code)
    if dimension in TIME:
        return text.unit_in_both(code, lang)
    if names and code in names:
        return names[code]
    if dimension == "county" and lang == "en" and code in _newer_counties_in_english():
        return _newer_counties_in_english()[code]
    # What is left of a difference has the same rows in every dimension.
    return fixed(dimension, lang).get(code) or fixed("part", lang).get(code, text.digits(code, lang))


def short(province: str, lang: str) -> str:
    """The name of a province on a map, which has little room."""
    return fixed("province_short", lang).get(province) or of("province", province, lang)


def cut(name: str) -> str:
    """A name cut to the length of a line."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1].rstrip() + "…"


@cache
def _newer_counties_in_english() -> Mapping[str, str]:
    return {row["name"]: row["name_en"] for row in newer_counties()}


def left_out(provinces: Collection[str], lang: str) -> str:
    """The sentence that names provinces left out for lack of rights; empty without any."""
    names = [text.isolated(of("province", code, lang), lang) for code in sorted(provinces)]
    return text.word("sign_in.others", lang, places=text.shortened(names, lang)) if names else ""


def counted(kind: str, lang: str, count: int) -> str:
    """The word for members of a dimension (or `group`) after their number, after which Persian keeps the singular."""
    if lang == "en" and count != 1:
        return text.word(f"plural.{kind}", lang)
    return text.word("different.group" if kind == "group" else f"dimension.{kind}", lang).lower()
