"""Words, numbers and days in the user's language. For screens only: files hold unformatted values.

Persian digits are real characters and not a font feature, so that copied text, screen readers and tests get what is seen.
"""

import html
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from persiantools.jdatetime import JalaliDate

from etl.core import declarations
from etl.core.jalali import parse_day, unit_of
from etl.core.paths import ROOT
from etl.core.text_folding import latin_digits
from etl.semantic import units

decimals_of, rounded, rounded_half_up = units.decimals_of, units.rounded, units.rounded_half_up
LANGUAGES = ("fa", "en")
_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

# Numbers run left to right in Persian too: a signed number is isolated so that the sign stays on its left.
_RIGHT_TO_LEFT, _LEFT_TO_RIGHT, _END = "\u2067", "\u2066", "\u2069"
# A percent sign belongs on the left of a Persian number, also in cells without a direction. The Arabic letter mark keeps the
# bidi algorithm from joining the sign to the digits.
_ARABIC = "\u061c"
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u2066-\u2069]")
# A Persian he after these is spoken: «ماه», «گروه».
_SPOKEN = ("اه", "وه")

# The space within a day or a month, which stays on one line.
_UNBROKEN = "\u00a0"

# Isolates a name of the other direction inside a sentence; its first letter determines its direction.
_FIRST_STRONG = "\u2068"
_OTHER_WAY = {"fa": re.compile("[A-Za-z]"), "en": re.compile("[\u0590-\u08ff]")}

# A mean or a target may have a fraction of a person; no screen shows one.
PEOPLE = frozenset({"persons", "mean_persons"})


_JALALI_UNIT = re.compile(r"1[2-5][0-9]{2}(-(Q[1-4]|[0-9]{2}))?")
# What `day`, `period` and `unit` write in brackets: it begins with a day, a month or a year and ends with a year.
_GREGORIAN = re.compile(r" \((?:[0-9]{1,2}\u00a0)?(?:[A-Z][a-z]{2}\b[^()]*\u00a0[0-9]{4}|[0-9]{4}–[0-9]{2})\)")

_FILE = ROOT / "pages" / "text.toml"


@cache
def book() -> dict[str, Any]:
    """The content of text.toml; the tests hold that it is complete. Raises Refused where it is no TOML."""
    return declarations.read(_FILE)


def language(written: str | None) -> str:
    """`fa` or `en`; Persian for anything unknown."""
    return "en" if written == "en" else "fa"


def direction(lang: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if lang == "fa" else "ltr"


def words(key: str, lang: str) -> Any:
    """The entry `section.name` of text.toml in `lang`. Raises KeyError for a missing entry, which is a bug."""
    entry: Any = book()
    try:
        for part in key.split("."):
            entry = entry[part]
        return entry[lang]
    except KeyError:
        raise KeyError(f"pages/text.toml has no word `{key}`") from None


def word(key: str, lang: str, **values: object) -> str:
    """The words of `key`, formatted with `values`; for a count of 1 those of its `one`, if this language has any."""
    template: str = words(key, lang)
    if values.get("count") == digits(1, lang):
        with suppress(KeyError):
            template = words(f"{key}.one", lang)
    return template.format(**values) if values else template


def word_or(default: str, key: str, lang: str, **values: object) -> str:
    """The words of `key`, or `default` if text.toml has none."""
    try:
        return word(key, lang, **values)
    except KeyError:
        return default


def digits(written: object, lang: str) -> str:
    return str(written).translate(_PERSIAN) if lang == "fa" else str(written)


def escape(written: object) -> str:
    """Text escaped for HTML: data is never markup."""
    return html.escape(str(written), quote=True)


def escaped(key: str, lang: str, **values: object) -> str:
    return escape(word(key, lang, **values))


def inside(name: str, lang: str) -> str:
    """A name inside a sentence: English lowers the first letter of "Training compliance", but keeps "P90"."""
    return name[0].lower() + name[1:] if lang == "en" and name[1:2].islower() else name


def isolated(name: str, lang: str) -> str:
    """A name for use in a sentence: isolated if it runs the other way, so that it does not reorder the text around it."""
    return f"{_FIRST_STRONG}{name}{_END}" if _OTHER_WAY[lang].search(name) else name


def line(written: str, lang: str) -> str:
    """Text for a context without a direction (Plotly's SVG): every line of it is isolated."""
    mark = _RIGHT_TO_LEFT if lang == "fa" else _LEFT_TO_RIGHT
    return "<br>".join(f"{mark}{part}{_END}" for part in written.split("<br>")) if written else ""


def percentage(share: float | Decimal) -> Decimal:
    """A share times 100, exactly: as a float 0.145 * 100 is less than 14.5."""
    return units.EXACT.multiply(Decimal(str(share)), Decimal(100))


def number(value: float | Decimal | None, lang: str, decimals: int = 0, signed: bool = False) -> str:
    """`value` with thousands separators, rounded half up; an en dash for None."""
    if value is None:
        return "–"
    rounded_value = rounded_half_up(value, decimals)
    body = f"{abs(rounded_value):,f}"
    sign = "−" if rounded_value < 0 else "+" if signed and rounded_value > 0 else ""
    if lang == "fa":
        body = body.replace(",", "٬").replace(".", "٫").translate(_PERSIAN)
        return f"{_LEFT_TO_RIGHT}{sign}{body}{_END}" if sign else body
    return sign + body


def percent(value: float | Decimal | None, lang: str, decimals: int | None = None, signed: bool = False) -> str:
    """A share as a percentage: 0.873 is «۸۷٫۳٪» and "87.3%", to the nearest five per cent «حدود ۸۵٪» and "about 85%"."""
    if value is None:
        return "–"
    decimals = units.shown_decimals(value, decimals_of("share")) if decimals is None else decimals
    written = number(percentage(value), lang, decimals, signed)
    written = f"{_RIGHT_TO_LEFT}{_ARABIC}{written}٪{_END}" if lang == "fa" else f"{written}%"
    return word("figure.about", lang, whole=written) if isinstance(value, units.Nearest) else written


def plain(value: Any, unit: str, lang: str, signed: bool = False) -> str:
    """A number of `unit` without the unit's word, for axes and tables."""
    if value is None:
        return "–"
    if isinstance(value, date):
        return day(value, lang)
    if isinstance(value, str):
        return unit_in_both(value, lang)
    if unit == "share":
        return percent(value, lang, signed=signed)
    # A difference of two shares; what is in points already is `points`.
    if unit == "share_points":
        return number(percentage(value), lang, units.shown_decimals(value, 1), signed)
    return number(value, lang, units.shown_decimals(value, decimals_of(unit)), signed)


def amount(value: Any, unit: str, lang: str, signed: bool = False) -> str:
    """A number with its unit: «۲٫۱۰ در ده‌هزار», "1,234 persons", "87.3%"."""
    written = plain(value, unit, lang, signed)
    if value is None or isinstance(value, (date, str)) or unit in ("share", "ratio", "date"):
        return written
    return f"{written} {unit_word(unit, lang, written)}"


def years_and_months(months: float, lang: str) -> str:
    """A length of time in whole months: 33 is «۲ سال و ۹ ماه» and "2 years and 9 months"."""
    years, left = divmod(int(rounded_half_up(months, 0)), 12)
    parts = [(years, "years"), (left, "whole_months")]
    first, *last = [
        f"{number(count, lang)} {unit_word(unit, lang, str(count))}"
        for count, unit in parts
        if count or (not years and unit == "whole_months")
    ]
    return word("finding.and", lang, first=first, last=last[0]) if last else first


def with_ezafe(noun: str, lang: str) -> str:
    """A noun before an adjective: a Persian one that ends in a silent he is written with hamza («مؤسسهٔ دیگر»)."""
    is_silent = lang == "fa" and noun.endswith("ه") and not noun.endswith(_SPOKEN)
    return f"{noun}ٔ" if is_silent else noun


def unit_word(unit: str, lang: str, written: str = "") -> str:
    """The word of a unit after a formatted number; the unit's own name if text.toml has no word for it."""
    names = book()["units"].get(unit)
    if names is None:
        return unit.replace("_", " ")
    return names.get("one", names[lang]) if lang == "en" and written.lstrip("+−") == "1" else names[lang]


# Units that a label or the format of the number shows already.
NAMED_BY_LABEL = ("share", "ratio", "date", "month", "year", "text", "index", "per_10k", "per_100k", "per_100km2")


def with_unit(label: str, unit: str, lang: str) -> str:
    """The label of a number, with the word of its unit unless it is known without."""
    return label if unit in NAMED_BY_LABEL else f"{label} ({unit_word(unit, lang)})"


def day(value: date, lang: str) -> str:
    """A day, in English in both calendars: «۳۰ مهر ۱۴۰۵», "30 Mehr 1405 (22 Oct 2026)"."""
    return _both(jalali_day(value, lang), lambda: gregorian_day(value), lang)


def jalali_day(value: date, lang: str) -> str:
    """A Jalali day: «۳۰ مهر ۱۴۰۵», "30 Mehr 1405"."""
    jalali = JalaliDate(value)
    month = words("calendar.months", lang)[jalali.month - 1]
    return digits(f"{jalali.day}{_UNBROKEN}{month}{_UNBROKEN}{jalali.year}", lang)


def gregorian_day(value: date) -> str:
    """A Gregorian day in short English: "22 Oct 2026"."""
    return f"{value.day}{_UNBROKEN}{_short_month(value)}{_UNBROKEN}{value.year}"


def period(first: date, last: date, lang: str) -> str:
    """The days from `first` to `last`, in English in both calendars."""
    written = word("figure.period", lang, first=jalali_day(first, lang), last=jalali_day(last, lang))
    ends = {"first": gregorian_day(first), "last": gregorian_day(last)}
    return _both(written, lambda: word("figure.period", "en", **ends), lang)


def one_calendar(written: str) -> str:
    """An English sentence without the Gregorian days beside its Jalali ones."""
    return _GREGORIAN.sub("", written)


def _both(jalali: str, gregorian: Callable[[], str], lang: str) -> str:
    return f"{jalali} ({gregorian()})" if lang == "en" else jalali


def _short_month(value: date) -> str:
    return str(words("calendar.gregorian", "en")[value.month - 1][:3])


def iso_jalali(value: date) -> str:
    """A Jalali day in the form of files: `1405-07-30`."""
    return JalaliDate(value).isoformat()


def day_in_both(value: date, lang: str) -> str:
    """A day in both calendars, with its weekday, also for files: «پنج‌شنبه ۳۰ مهر ۱۴۰۵ (۲۲ اکتبر ۲۰۲۶)»."""
    weekday = words("calendar.weekdays", lang)[value.weekday()]
    month = words("calendar.gregorian", lang)[value.month - 1]
    return spaced(f"{weekday} {jalali_day(value, lang)} ({digits(f'{value.day} {month} {value.year}', lang)})")


def spaced(written: str) -> str:
    """Text for a file, in which a search for a day finds it: with spaces that a screen might break."""
    return written.replace(_UNBROKEN, " ")


def in_cell(written: str) -> str:
    """Text for a cell of a file, without marks of direction, which some programs show as boxes."""
    return spaced(_DIRECTION.sub("", written))


def unit_label(label: str, lang: str, short: bool = False) -> str:
    """A Jalali month, quarter or year label (`1403-06`, `1403-Q2`, `1403`) in words."""
    year, _, part = label.partition("-")
    if not part or not year.isdigit():
        return digits(label, lang)
    names, place = ("quarter", part[1:]) if part.startswith("Q") else ("months", part[:2])
    name = words(f"calendar.{names}", lang)[int(place) - 1]
    return digits(name if short else f"{name}{_UNBROKEN}{year}", lang)


def unit_in_both(label: str, lang: str) -> str:
    """A Jalali month, quarter or year in words, in English in both calendars: "Tir 1406 (Jun–Jul 2027)"."""
    written = unit_label(label, lang)
    return _both(written, lambda: gregorian_unit(label), lang) if _JALALI_UNIT.fullmatch(label) else written


def gregorian_unit(label: str, short: bool = False) -> str:
    """The Gregorian months or years of a Jalali unit: "Jun–Jul 2027", "Dec 2026–Jan 2027"; short "Dec–Jan ’27"."""
    year, _, part = label.partition("-")
    kind = "year" if not part else "quarter" if part.startswith("Q") else "month"
    month = int(part.removeprefix("Q") or 1)
    bounds = unit_of(JalaliDate(int(year), 3 * month - 2 if kind == "quarter" else month, 1).to_gregorian(), kind)
    first, last = bounds.first, bounds.last
    if kind == "year":
        return f"{first.year}–{last.year % 100:02}"
    since = f"{_UNBROKEN}{first.year}" if first.year != last.year and not short else ""
    until = f"’{last.year % 100:02}" if short else str(last.year)
    return f"{_short_month(first)}{since}–{_short_month(last)}{_UNBROKEN}{until}"


def read_day(written: str) -> date:
    """The day in a text, in any digits and either calendar. Raises ValueError if there is none."""
    return parse_day(latin_digits(written.strip()))


def listed(parts: Sequence[str], lang: str) -> str:
    """Parts as a list in a sentence."""
    return ("، " if lang == "fa" else ", ").join(parts)


def clauses(parts: Sequence[str], lang: str) -> str:
    """Parts that may hold lists of their own, on one line."""
    return ("؛ " if lang == "fa" else "; ").join(parts)


def shortened(parts: Sequence[str], lang: str) -> str:
    """A list of at most two parts; of more, the first and the number of the others."""
    if len(parts) <= 2:
        return listed(parts, lang)
    return word("scope.many", lang, first=parts[0], count=number(len(parts) - 1, lang))
