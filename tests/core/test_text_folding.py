"""Text as it is compared and as it is shown, and national ids."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.core import text_folding
from etl.core.jalali import parse_day
from etl.extract import parse_values
from etl.extract.contract import Column, contract
from tests.loading import national_id

PERSIAN = "ابتثجحخدذرزسشصضطظعغفقلمنهوپچژگآأؤئءةیيىکكۀ"
MARKS = "ًٌٍَُِّْٰٕٔ"
UNSEEN = "\u200b\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2069\ufeff\u00ad\u061c"
WRITTEN = st.text(
    st.sampled_from(PERSIAN + MARKS + UNSEEN + "\u200c\u0640 \t\u00a0" + "abcXYZ019-/_۰۱۹٠١٩"), max_size=30
)
KEY = b"some key"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("كرمانشاه", "کرمانشاه"),
        ("يزد", "یزد"),
        ("علی", "على"),
        ("گيلان", "گیلان"),
        ("سیستان و بلوچستان", "سيستان  و   بلوچستان"),
        ("کد ملی", " كد‌ملي "),
        ("تهران", "تـــهران"),
        ("مُدیریَّت", "مدیریت"),
        ("آذربایجان", "آذربایجان"),
        ("۱۲۳٤٥٦7", "1234567"),
        ("IR-23", "ir-۲۳"),
        ("Tehran", "TEHRAN"),
        ("تهران", "\u202bتهران\u202c"),
        ("کد\u00a0ملی", "کد ملی"),
        ("نام\nموسسه", "نام موسسه"),
        ("مسؤول", "مسؤول"),
        ("ئ", "ي\u0654"),
        ("مؤسسه", "موسسه"),
        ("تأسیس", "تاسیس"),
        ("إستان", "استان"),
        ("مسئول", "مسیول"),
        ("مؤنث", "مونث"),
    ],
)
def test_two_spellings_of_a_word_are_one(one, other):
    assert text_folding.fold(one) == text_folding.fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("001", "1"), ("کرمان", "کرمانشاه"), ("＝1", "=1"), ("مرد", "زن"), ("A-1", "A1"), ("ا", "آ")],
)
def test_different_words_stay_different(one, other):
    assert text_folding.fold(one) != text_folding.fold(other)


@pytest.mark.slow
@given(WRITTEN)
def test_folding_twice_is_folding_once(text):
    assert text_folding.fold(text_folding.fold(text)) == text_folding.fold(text)


@given(WRITTEN, st.sampled_from(["NFC", "NFD"]))
def test_composed_and_decomposed_letters_compare_as_equal(text, form):
    assert text_folding.fold(unicodedata.normalize(form, text)) == text_folding.fold(text)


@given(WRITTEN)
def test_invisible_characters_are_neither_shown_nor_compared(text):
    for result in (text_folding.display_text(text), text_folding.fold(text)):
        assert not set(result) & set(UNSEEN)
        assert text_folding.count_invisible(result) == 0
        assert result == result.strip()


@pytest.mark.slow
@given(WRITTEN)
def test_display_text_changes_only_spaces_and_invisible_characters(text):
    visible = [char for char in unicodedata.normalize("NFC", text) if char not in UNSEEN and not char.isspace()]
    assert [char for char in text_folding.display_text(text) if not char.isspace()] == visible


def test_the_spelling_of_a_name_is_kept_for_showing():
    assert text_folding.display_text("  شركت\u200cهاي \u202eحفاظتي ") == "شركت\u200cهاي حفاظتي"


@given(WRITTEN)
def test_every_invisible_character_is_counted(text):
    assert text_folding.count_invisible(text) == sum(char in UNSEEN for char in text) + text.count("\x00")


def test_a_code_is_shown_in_latin_digits_with_its_zeros_and_case():
    assert text_folding.display_code(" ۰۰Ab٧ ") == "00Ab7"


@pytest.mark.slow
@given(st.text(max_size=60))
def test_a_printable_text_is_one_line_without_tricks(text):
    result = text_folding.printable(text)
    assert len(result.splitlines()) <= 1
    assert text_folding.count_invisible(result) == 0
    assert "\x1b" not in result


@pytest.mark.parametrize("name", ["institutes_تهران.csv", "شرکت‌ها 1.csv", "a=b@c.csv"])
def test_an_ordinary_file_name_is_printed_as_it_is(name):
    assert text_folding.printable(name) == name


# ------------------------------------------------------------------ national ids


def national_ids(*texts: str, key: bytes = KEY) -> parse_values.ValidationResult:
    parse = parse_values.parser(column("personnel", "national_id"), setting(key=key))
    return parse_values.parse_national_ids(texts, parse, key)


def keys(*texts: str, key: bytes = KEY) -> list[int | None]:
    """The parsed value of each national id."""
    parsed: list[int | None] = national_ids(*texts, key=key).typed.to_pylist()
    return parsed


def judged(*texts: str) -> list[str | None]:
    """The reason why each text is not a national id; None if it is one."""
    faults = national_ids(*texts).faults
    return [faults.get(place) for place in range(len(texts))]


@pytest.mark.slow
@given(st.integers(0, 999_999_999))
def test_one_check_digit_in_eleven_chances_is_right(nine):
    right = national_id(nine)
    for last in "0123456789":
        text = right[:9] + last
        assert (judged(text) == [None]) is (text == right and len(set(text)) > 1)


def test_well_known_ids():
    assert judged("0499370899", "0790419904", "0084575948", "0963695398") == [None] * 4
    assert judged("0499370898", "1111111111", "0000000000", "9999999999") == ["bad_national_id"] * 4


@pytest.mark.slow
@given(
    st.integers(0, 999_999_999),
    st.sampled_from(["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "0123456789"]),
    st.sampled_from(["", " ", "\u200e", "\u202b"]),
)
def test_an_id_is_the_same_person_in_every_script(nine, digits, around):
    plain = national_id(nine)
    id_text = around + "".join(digits[int(digit)] for digit in plain) + around
    assert keys(id_text) == keys(plain)
    assert judged(id_text) == judged(plain)


@pytest.mark.slow
@given(st.integers(0, 99_999_999))
def test_zeros_that_a_spreadsheet_dropped_are_put_back(eight):
    full = national_id(eight)  # nine digits begin with a zero
    short = full.lstrip("0")
    parsed = national_ids(full, short, f" {full} ")
    if len(short) < 8 or len(set(full)) == 1:
        assert parsed.faults[1] == ("bad_national_id" if short else "missing_value")
        assert not parsed.habits
    else:
        assert parsed.typed[0] == parsed.typed[1]
        assert parsed.habits == [("padded", 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing_value"), ("  ", "missing_value"), ("\u200f", "missing_value"),
        ("1.23E+09", "spoilt_number"), ("1.23e+9", "spoilt_number"), ("۱٫۲۳E+09", "spoilt_number"), ("4E+09", "spoilt_number"),
        ("1234567", "bad_national_id"), ("12345678901", "bad_national_id"), ("049937089A", "bad_national_id"),
        ("0499370899\n", None), ("049-937089-9", None), ("０４９９３７０８９９", "bad_national_id"),
        ("0499370899.0", "bad_national_id"), ("०४९९३७०८९९", "bad_national_id"), ("049937\ufffd899", "bad_encoding"),
        ("049937\x00899", "bad_encoding"),
    ],
)  # fmt: skip
def test_an_invalid_national_id_has_a_reason(text, reason):
    assert judged(text) == [reason]
    assert judged("0499370899", text, "0790419904") == [None, reason, None]


def test_the_key_of_a_person_depends_on_the_installation_key_only():
    ids = [national_id(number) for number in range(1000, 1400)]
    person_keys = keys(*ids)
    assert len(set(person_keys)) == len(ids)
    assert person_keys == keys(*ids)
    assert not set(person_keys) & set(keys(*ids, key=b"another key"))
    assert all(str(number) not in str(key) for number, key in zip(ids, person_keys, strict=True))


# ------------------------------------------------------------------ values of the other types


def setting(build_day: date = date(2026, 6, 30), key: bytes = KEY) -> parse_values.Setting:
    return parse_values.Setting(build_day, {"py-101": "PY-101"}, key)


def column(table: str, name: str) -> Column:
    return contract(table).by_name[name]


def parsed(table: str, name: str, text: str) -> parse_values.Parsed:
    return parse_values.parser(column(table, name), setting())(text)


def value(table: str, name: str, text: str) -> object:
    return parsed(table, name, text)[:2]


def parsed_day(text: str, build_day: date, **options: Any) -> parse_values.Parsed:
    return parse_values.parser(Column("day", "date", **options), setting(build_day))(text)


@pytest.mark.parametrize("table", ["institutes", "licences", "personnel", "training"])
def test_every_word_of_a_fixed_list_answers_in_both_languages(table):
    for entry in contract(table).columns:
        for english, persian in entry.values.items():
            for spelling in (
                english,
                english.upper(),
                persian,
                f" {persian} ",
                persian.replace("ی", "ي").replace("ک", "ك"),
            ):
                assert value(table, entry.name, spelling) == (english, None)
            assert value(table, entry.name, persian.replace(" ", "\u200c")) == (english, None)
        if entry.type == "choice":
            assert value(table, entry.name, "چیز دیگر") == (None, "unknown_value")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("بلی", True),
        ("خیر", False),
        ("دارد", True),
        ("ندارد", False),
        ("1", True),
        ("۰", False),
        ("TRUE", True),
        ("no", False),
        ("بله", True),
        ("آری", True),
        ("Y", True),
        ("نه", False),
        ("n", False),
    ],
)
def test_yes_and_no_in_every_spelling(text, meant):
    assert value("institutes", "smart_services", text) == (meant, None)


@pytest.mark.parametrize("text", ["شاید", "2", "yy", "دارم", "--"])
def test_an_unclear_yes_or_no_is_not_guessed(text):
    assert value("institutes", "smart_services", text) == (None, "unknown_value")


def test_a_province_answers_to_its_code_of_today_its_statistical_code_and_its_names():
    for text in ("IR-23", "ir-23", "23", "۲۳", "تهران", "Tehran"):
        assert value("personnel", "province", text) == ("IR-23", None)
    assert value("personnel", "province", "كرمانشاه") == ("IR-05", None)
    for text in ("ایران", "IR-99", "3", "IR23x"):
        assert value("personnel", "province", text) == (None, "unknown_province")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("72", 72.0), ("۷۲٫۵", 72.5), ("85.33333333333333", 85.33333333333333), ("0", 0.0), ("100", 100.0), ("٨٨", 88.0)],
)
def test_a_number_is_read_in_every_script(text, meant):
    assert value("training", "score", text) == (meant, None)


@pytest.mark.parametrize("text", ["100.5", "-1", "۱۰۱", "1,5", "1e2", "nan", "inf", "twelve", "1.2.3", "8 8", "٪80"])
def test_an_invalid_or_out_of_range_number_is_refused(text):
    assert value("training", "score", text) == (None, "bad_number")


@pytest.mark.parametrize("text", ["1.23E+09", "4E+05", "۱٫۲E+05"])
def test_a_code_that_a_spreadsheet_turned_into_a_number_is_refused(text):
    assert value("personnel", "institute_code", text) == (None, "spoilt_number")


@pytest.mark.parametrize("text", ["1E5", "12E3", "E+05", "0012"])
def test_a_code_that_only_looks_odd_is_kept(text):
    assert value("personnel", "institute_code", text) == (text.lower(), None)


@pytest.mark.parametrize(
    ("text", "day", "reason"),
    [
        ("1403/12/30", date(2025, 3, 20), None), ("1403/12/31", None, "bad_date"), ("1404/1/1", None, "future_date"),
        ("14031230", date(2025, 3, 20), None), ("", None, "missing_value"), (" ", None, "missing_value"),
        ("۱۴۰۳/۱۲/۳۰", date(2025, 3, 20), None), ("45123", None, "bad_date"), ("2025-03-20", date(2025, 3, 20), None),
        ("2025-03-21", None, "future_date"), ("1403-12/30", None, "bad_date"), ("\ufffd", None, "bad_encoding"),
    ],
)  # fmt: skip
def test_a_day_is_read_or_has_a_reason(text, day, reason):
    assert parsed_day(text, date(2025, 3, 20), required=True) == (day, reason, ())


def test_a_day_may_be_ahead_or_missing_where_the_column_says_so():
    assert parsed_day("1404/1/1", date(2025, 3, 20), future=True) == (date(2025, 3, 21), None, ())
    assert parsed_day("", date(2025, 3, 20)) == (None, None, ())


@pytest.mark.slow
@given(
    st.integers(1300, 2040),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from(
        ["{:04}/{:02}/{:02}", "{:04}-{:02}-{:02}", "{:04}/{}/{}", "{:04}-{}-{:02}", "{:04}/{:02}/{}", "{:04}{:02}{:02}"]
    ),
    st.sampled_from([str, lambda text: text.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))]),
)
def test_a_day_in_any_usual_form_is_read_correctly(year, month, number, form, write):
    text = form.format(year, month, number)
    try:
        day = parse_day(text)
    except ValueError:
        day = None
    read, reason, _ = parsed_day(write(text), date(2210, 1, 1), future=True, first="0001/01/01")
    assert (read, reason) == (day, None if day else "bad_date")
