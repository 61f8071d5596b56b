"""Words, numbers and days are written as each language writes them, and both languages are complete."""

import re
import string
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from etl.core.errors import Refused
from etl.extract import causes, expected
from etl.semantic.catalog import catalogue, derived, derived_names
from tests.parts import PARTS
from tests.ui import book_checks
from ui.i18n import member_names, text

ROOT = Path(__file__).parents[2]
BOOK = tomllib.loads((ROOT / "pages" / "text.toml").read_text(encoding="utf-8"))
LATIN_DIGIT = re.compile("[0-9]")
LATIN_WORD = re.compile("[A-Za-z]{2,}")
# Latin text in a Persian sentence: a command, a folder, a key, a legal attribution, the name of the other language, one
# line for browsers without scripts; anywhere: file formats, programs, settings, a foreign register.
STAYS_LATIN = {
    "app.language",
    "app.language_help",
    "state.unpublished",
    "figure.osm",
    "browser.words",
    "find_command.language",
}
LATIN_ANYWHERE = re.compile(
    r"\b(CSV|XLSX|PNG|SVG|PDF|Parquet|SIA|Power BI|pandas|DuckDB|curl|Basic|Bearer|Ctrl|[A-Z]+(_[A-Z]+)+)\b"
)


def entries(book: Any = BOOK, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every entry with both languages: its name, its Persian, its English."""
    if isinstance(book, list):
        for place, entry in enumerate(book):
            yield from entries(entry, f"{name}[{place}]")
    elif isinstance(book, dict) and {"fa", "en"} <= book.keys():
        yield name, book["fa"], book["en"]
        if isinstance(one := book.get("one"), dict):
            yield f"{name}.one", one.get("fa", book["fa"]), one.get("en", book["en"])
    elif isinstance(book, dict):
        for key, value in book.items():
            yield from entries(value, f"{name}.{key}".lstrip("."))


def names_of_one_language(book: Any = BOOK, name: str = "") -> Iterator[str]:
    """Every entry that lacks a language; the sentence for a count of one may."""
    for key, value in book.items() if isinstance(book, dict) else ():
        if key != "one":
            yield from names_of_one_language(value, f"{name}.{key}")
    if isinstance(book, dict) and len({"fa", "en"} & book.keys()) == 1:
        yield name


ENTRIES = list(entries())
SENTENCES = [(name, fa, en) for name, fa, en in ENTRIES if isinstance(fa, str)]


def test_the_texts_are_not_empty() -> None:
    assert len(SENTENCES) > 150


def test_every_entry_is_written_in_both_languages() -> None:
    assert list(names_of_one_language()) == []


def fields(sentence: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field}


def has_latin(name: str, fa: str) -> bool:
    prose = LATIN_ANYWHERE.sub("", re.sub(r"\{\w+\}", "", fa))
    return name not in STAYS_LATIN and bool(LATIN_DIGIT.search(fa) or LATIN_WORD.search(prose))


def test_every_word_is_there_in_both_languages() -> None:
    assert [name for name, fa, en in SENTENCES if not (fa.strip() and en.strip())] == []
    assert [name for name, fa, en in SENTENCES if fields(fa) != fields(en)] == [], "both languages have the same fields"
    assert [name for name, fa, _ in SENTENCES if has_latin(name, fa)] == [], "Persian is written in Persian"


def with_word(section: str, key: str) -> dict[str, Any]:
    """The words with one more."""
    return BOOK | {section: BOOK[section] | {key: {"fa": "واژه", "en": "word"}}}


def test_every_text_is_used_and_none_that_is_asked_for_is_missing() -> None:
    book_checks.check(text._FILE, BOOK)
    shown = book_checks._quoted(book_checks._SHOWN)
    assert len([name for name, _, _ in ENTRIES if name in shown]) > 600


@pytest.mark.parametrize("section", sorted(BOOK.keys() - {"menu", "tab", "calendar", "member", "note", "find_member"}))
def test_a_text_that_nothing_asks_for_is_found_in_each_section(section: str) -> None:
    with pytest.raises(Refused, match=rf"\[{section}\] has the key `not-there`, which nothing asks for"):
        book_checks.check(text._FILE, with_word(section, "not-there"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("scope.reset", "ui/components/filter_bar.py"),
        ("different.group", "ui/i18n/member_names.py"),
        ("app.no_script", "ui/shell/middleware.py"),
        ("briefing.method", "ui/briefing/content.py"),
        ("change.page", "ui/components/cards.py"),
    ],
)
def test_a_text_that_is_asked_for_and_missing_is_found(name: str, file: str) -> None:
    section, _, key = name.partition(".")
    without = BOOK | {section: {other: words for other, words in BOOK[section].items() if other != key}}
    with pytest.raises(Refused, match=rf"\[{section}\] lacks the key `{key}`, which {file} asks for"):
        book_checks.check(text._FILE, without)


# What is replaced by what in text.toml, and what the check says.
SLIPS = [
    (
        "\n[units]",
        '\n[units]\nfurlongs = { fa = "آ", en = "A" }',
        "[units] has the key `furlongs`, which nothing asks for",
    ),
    ("\neducation = {", "\neducations = {", "[scope] lacks the key `education`"),
    ("\n[scope]", "\n[scop]", "lacks the key `scope`"),
    ("question = { fa", "qestion = { fa", "[menu.overview] has no key `qestion`; the nearest is `question`"),
    ("\npersons = {", "\npersns = {", "[units] has no word for `persons`, the unit of `"),
    ("\nguard = {", "\ngard = {", "[member.post] has no key `gard`; the nearest is `guard`"),
    ('page = "methods"', 'page = "method"', "[menu.method] has no file pages/method.py"),
    (
        '\nguard = { fa = "نگهبانان',
        '\ngard = { fa = "نگهبانان',
        "[find_member.post] has no key `gard`; the nearest is `guard`",
    ),
    ("\ntabs = [", '\ntabs = ["womn", ', "[tab.womn] has no file pages/womn.py"),
    ("\n[tab.", "\n[tab.spare]\nquestion = {}\n[tab.", "[tab.spare] is among the `tabs` of no page"),
    ("\ntabs = [", "\nquestion = {}\ntabs = [", "has `tabs`, and so no `question`: "),
]


@pytest.mark.parametrize(("before", "after", "said"), SLIPS, ids=[said for *_, said in SLIPS])
def test_a_slip_in_the_words_is_found_and_named(before: str, after: str, said: str) -> None:
    written = text._FILE.read_text(encoding="utf-8")
    assert before in written, f"text.toml no longer has {before!r}: choose another place for this slip"
    with pytest.raises(Refused) as refused:
        book_checks.check(text._FILE, tomllib.loads(written.replace(before, after, 1)))
    assert said in str(refused.value)


def test_no_persian_word_is_written_with_arabic_letters() -> None:
    assert [name for name, fa, _ in SENTENCES if re.search("[يكىة]", fa)] == []


def test_the_briefing_defines_training_compliance_as_the_catalogue_does() -> None:
    briefing = BOOK["briefing"]
    for lang, named, words in (
        ("fa", "پایبندی آموزشی:", "منقضی یا معوق"),
        ("en", "Training compliance:", "expired or overdue"),
    ):
        assert words in catalogue()["training_compliance"].description[lang]
        (method,) = (line for line in briefing["method"][lang] if line.startswith(named))
        for line in (method, briefing["rank_sub_province"][lang], briefing["rank_sub_county"][lang]):
            assert words in line, line


# Words that readers of the pages found archaic or wrong; others have replaced them.
REPLACED = {
    "fa": r"پیوستگان|رفتگان|صافی|سنجه|آهنگ|برگزی[ند]|واپسین|صندلی|دوسویه|پرشمارترین:|نگه‌دارنده|موسس|بنیاد|بیشترین است|کمترین است",
    "en": r"(?i)\b(hand(ed)?\b.*\bin|kept back|keepers?|sureness|falling out|spoilt|by what|so many residents|is highest)\b",
}


@pytest.mark.parametrize("lang", REPLACED)
def test_no_word_that_was_replaced_comes_back(lang: str) -> None:
    texts = {name: fa if lang == "fa" else en for name, fa, en in ENTRIES}
    texts |= {f"cause {name}": words[lang] for name, words in tomllib.loads(causes._FILE.read_text("utf-8")).items()}
    forms = tomllib.loads(expected._FILE.read_text("utf-8"))
    # What a returned file says is Persian alone.
    for name, words in ((f"{kind} {name}", words) for kind in forms for name, words in forms[kind].items()):
        texts[name] = words[lang] if isinstance(words, dict) else words
    for metric in (*catalogue().values(), *map(derived, derived_names())):
        words = (metric.label, metric.short, metric.description, metric.example)
        texts[f"metric {metric.name}"] = " ".join(word.get(lang, "") for word in words)
    assert [name for name, words in texts.items() if re.search(REPLACED[lang], str(words))] == []


def test_the_english_name_of_a_county_is_whole() -> None:
    english, persian = (member_names.fixed("county", lang) for lang in ("en", "fa"))
    assert not [name for name in english.values() if re.search("(?i)county|city|[^A-Za-z' -]", name)]
    # A word for a missing number was once cut out of names.
    lost = [persian[code] for code, name in english.items() if "نان" in persian[code] and "nan" not in name.lower()]
    assert not lost
    assert member_names.of("county", "1204", "en") == "Sanandaj"


def test_a_count_of_one_has_its_sentence() -> None:
    assert text.word("load.files", "en", count="1") == "1 file was read"
    assert text.word("load.files", "en", count="11") == "11 files were read"
    assert text.word("listing.lapsed", "fa", count="۱").endswith("نیروی فعال دارد")
    assert text.word("listing.lapsed", "fa", count="۲").endswith("نیروی فعال دارند")
    assert "held 1 entry;" in text.word("ahead.tried", "en", count="1", share="100%")
    assert text.word("load.rules", "en", count="1") == "1 rules hold in every publication", "no sentence of its own"


def test_the_rate_beside_other_countries_is_not_always_of_the_whole_country() -> None:
    words = dict.fromkeys(("force", "measure", "low", "high", "own"), "")
    assert not any(
        name in text.word("abroad.beside", lang, **words) for lang, name in (("fa", "ایران"), ("en", "Iran"))
    )


def test_a_name_inside_an_english_sentence_has_a_small_letter() -> None:
    names = {"Training compliance": "training compliance", "P90 with open files": "P90 with open files"}
    assert {name: text.inside(name, "en") for name in names} == names
    assert text.inside("پوشش", "fa") == "پوشش"


def test_every_page_of_the_menu_is_a_file_that_only_defines_page() -> None:
    for part in PARTS:
        source = (ROOT / "pages" / f"{part}.py").read_text(encoding="utf-8")
        assert "\ndef page() -> None:\n" in source
        assert not re.search(r"^(page\(|st\.|ui\.)", source, re.MULTILINE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (text.number(1234567, "fa"), "۱٬۲۳۴٬۵۶۷"),
        (text.number(1234567, "en"), "1,234,567"),
        (text.number(-4.25, "en", 1), "−4.3"),
        (text.number(-4.25, "fa", 2), "\u2066−۴٫۲۵\u2069"),
        (text.number(7, "fa", signed=True), "\u2066+۷\u2069"),
        (text.number(-0.001, "en", 1, signed=True), "0.0"),
        (text.number(None, "fa"), "–"),
        (text.percent(0.8734, "fa"), "\u2067\u061c۸۷٫۳٪\u2069"),
        (text.percent(0.8734, "en"), "87.3%"),
        (text.percent(1, "fa", 0), "\u2067\u061c۱۰۰٪\u2069"),
        (text.amount(2.1, "per_10k", "fa"), "۲٫۱۰ به ازای هر ۱۰ هزار نفر"),
        (text.amount(2.1, "per_10k", "en"), "2.10 per 10,000"),
        (text.amount(0.5, "share", "en"), "50.0%"),
        (text.amount(1, "persons", "en"), "1 person"),
        (text.amount(-1, "persons", "en"), "−1 person"),
        (text.amount(11, "persons", "en"), "11 people"),
        (text.amount(1, "persons", "fa"), "۱ نفر"),
        (text.amount(None, "persons", "en"), "–"),
        (text.unit_label("1403-06", "fa"), "شهریور\u00a0۱۴۰۳"),
        (text.unit_label("1403-06", "en"), "Shahrivar\u00a01403"),
        (text.unit_label("1403-Q2", "fa"), "تابستان\u00a0۱۴۰۳"),
        (text.unit_label("1403", "fa"), "۱۴۰۳"),
        (text.day(date(2025, 3, 21), "fa"), "۱\u00a0فروردین\u00a0۱۴۰۴"),
        (text.day(date(2025, 3, 21), "en"), "1\u00a0Farvardin\u00a01404 (21\u00a0Mar\u00a02025)"),
        (
            text.period(date(2025, 3, 21), date(2025, 4, 1), "fa"),
            "۱\u00a0فروردین\u00a0۱۴۰۴ تا ۱۲\u00a0فروردین\u00a0۱۴۰۴",
        ),
        (
            text.period(date(2025, 3, 21), date(2025, 4, 1), "en"),
            "1\u00a0Farvardin\u00a01404 to 12\u00a0Farvardin\u00a01404 (21\u00a0Mar\u00a02025 to 1\u00a0Apr\u00a02025)",
        ),
        (text.unit_in_both("1405-10", "en"), "Dey\u00a01405 (Dec\u00a02026–Jan\u00a02027)"),
        (text.unit_in_both("1405-Q2", "en"), "Summer\u00a01405 (Jun–Sep\u00a02026)"),
        (text.unit_in_both("1405", "en"), "1405 (2026–27)"),
        (text.unit_in_both("1405-10", "fa"), "دی\u00a0۱۴۰۵"),
        (text.unit_in_both("never", "en"), "never"),
        *(
            (text.one_calendar(f"Until {text.unit_in_both(label, 'en')}."), f"Until {text.unit_label(label, 'en')}.")
            for label in ("1405-10", "1405-Q2", "1405")
        ),
        (text.one_calendar(f"{text.day(date(2025, 3, 21), 'en')} (at last)"), "1\u00a0Farvardin\u00a01404 (at last)"),
        (text.day_in_both(date(2024, 9, 21), "fa"), "شنبه ۳۱ شهریور ۱۴۰۳ (۲۱ سپتامبر ۲۰۲۴)"),
        (
            text.day_in_both(date(2024, 9, 21), "en"),
            "Saturday 31 Shahrivar 1403 (21 September 2024)",
        ),
        (text.iso_jalali(date(2025, 3, 20)), "1403-12-30"),
        (member_names.of("province", "IR-23", "fa"), "تهران"),
        (member_names.of("county", "0001", "en"), "Arak"),
        (member_names.of("gender", "female", "fa"), "زن"),
        (member_names.of("course", "X-1", "fa", {"X-1": "کمک‌های اولیه"}), "کمک‌های اولیه"),
        (member_names.of("institute", "007", "fa"), "۰۰۷"),
        (member_names.of("county", None, "fa"), "نامعلوم"),
        (member_names.of("age_band", "25-29", "fa"), "۲۵ تا ۲۹ سال"),
        (member_names.of("age_band", "60+", "en"), "60 years and over"),
        (member_names.of("origin", "IR-23", "en"), "Tehran"),
        (text.shortened(["الف", "ب", "پ"], "fa"), "الف و ۲ مورد دیگر"),
        (text.listed(["a", "b"], "en"), "a, b"),
    ],
)
def test_numbers_days_and_names_are_written_as_the_language_writes_them(value: str, expected: str) -> None:
    assert value == expected


@pytest.mark.parametrize("value", ["۱۴۰۳/۰۶/۳۱", "1403-6-31", " ١٤٠٣/٦/٣١ ", "2024-09-21", "20240921"])
def test_a_day_is_read_in_any_digits_and_either_calendar(value: str) -> None:
    assert text.read_day(value) == date(2024, 9, 21)


@pytest.mark.parametrize("value", ["", "1403/12/31", "31/06/1403", "1403/6/31 or 1=1", "tomorrow"])
def test_what_is_no_day_is_refused(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the parser's own
        text.read_day(value)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12), st.integers(0, 3))
def test_persian_numbers_have_no_latin_digit_and_say_the_same(value: float, decimals: int) -> None:
    fa, en = text.number(value, "fa", decimals), text.number(value, "en", decimals)
    assert not LATIN_DIGIT.search(fa)
    back = fa.strip("\u2066\u2069").replace("٬", ",").replace("٫", ".")
    assert back.translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")) == en


@given(st.integers(0, 20000).map(lambda n: date(1990, 1, 1) + timedelta(days=n)))
def test_a_day_that_is_written_is_the_day_that_is_read(day: date) -> None:
    assert text.read_day(text.iso_jalali(day)) == day
    assert text.digits(str(JalaliDate(day).year), "fa") in text.day(day, "fa")


def test_what_is_data_cannot_be_markup() -> None:
    assert text.escape('<img src="x" onerror=1>') == "&lt;img src=&quot;x&quot; onerror=1&gt;"


def test_every_line_of_a_text_carries_its_own_direction() -> None:
    assert text.line("یک<br>دو", "fa") == "\u2067یک\u2069<br>\u2067دو\u2069"
    assert text.line("one", "en") == "\u2066one\u2069"


def test_a_persian_noun_with_a_silent_he_has_its_ezafe_before_an_adjective() -> None:
    nouns = {"مؤسسه": "مؤسسهٔ", "دوره": "دورهٔ", "استان": "استان", "ماه": "ماه", "گروه": "گروه"}
    assert {noun: text.with_ezafe(noun, "fa") for noun in nouns} == nouns
    assert text.with_ezafe("institutes", "en") == "institutes"


@pytest.mark.parametrize(
    ("months", "fa", "en"),
    [
        (0, "۰ ماه", "0 months"),
        (5, "۵ ماه", "5 months"),
        (12, "۱ سال", "1 year"),
        (33.4, "۲ سال و ۹ ماه", "2 years and 9 months"),
    ],
)
def test_a_length_of_time_is_said_in_years_and_months(months: float, fa: str, en: str) -> None:
    assert (text.years_and_months(months, "fa"), text.years_and_months(months, "en")) == (fa, en)
