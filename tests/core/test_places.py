"""Provinces and counties are read under each of their names."""

import pytest

from etl.core.paths import REFERENCE
from etl.core.places import county_key, places, reference_rows
from etl.core.text_folding import fold


@pytest.mark.parametrize("name", ["سنندج", "Sanandaj", "Sadaj", "1204"])
def test_a_county_whose_english_name_was_corrected_is_read_under_both(name: str) -> None:
    assert places().counties["IR-12", county_key(name)].code == "1204"


@pytest.mark.parametrize(
    ("file", "province", "name", "count"),
    [
        ("counties.csv", "province_iso", "county_fa", 429),
        ("counties_1402.csv", "province_iso", "county_fa", 482),
        ("counties_1402.csv", "province_iso", "county_en", 471),
        ("counties_1404.csv", "province", "name", 484),
        ("counties_since.csv", "province", "name_en", 55),
    ],
)
def test_every_county_of_a_list_is_recognised(file: str, province: str, name: str, count: int) -> None:
    rows = reference_rows(REFERENCE / file)
    # The list of 1402 lacks the English names of eleven counties.
    named = [places().county(row[province], fold(row[name])) for row in rows if row[name]]
    assert len(named) == count
    assert None not in named
    code = {"counties.csv": "sci_code", "counties_1404.csv": "code_1395", "counties_since.csv": "parent_code"}.get(file)
    if code:
        assert [county.code for county in named if county] == [row[code] for row in rows]


def test_spaces_make_no_other_name() -> None:
    assert places().county("IR-10", fold("نجفآباد")) == places().county("IR-10", fold("نجف  آباد"))
    spellings: dict[tuple[str, str], set[str]] = {}
    for row in reference_rows(REFERENCE / "counties.csv"):
        spellings.setdefault((row["province_iso"], county_key(row["county_fa"])), set()).add(row["sci_code"])
    assert all(len(codes) == 1 for codes in spellings.values())


def test_a_renamed_county_and_a_newer_one_keep_their_name_beside_the_code_of_1395() -> None:
    renamed, newer, same = (places().county("IR-11", fold(name)) for name in ("راسک", "دشتیاری", "سرباز"))
    assert renamed
    assert (renamed.code, renamed.written, renamed.is_newer) == ("1108", "راسک", False)
    assert newer
    assert (newer.code, newer.written, newer.is_newer) == ("1102", "دشتیاری", True)
    # The newer county of that name was separated from it: both are 1108.
    assert same
    assert (same.code, same.written) == ("1108", None)


def test_no_name_is_of_two_counties() -> None:
    codes: dict[str, set[str]] = {}
    for (_, spelling), county in places().counties.items():
        codes.setdefault(spelling, set()).add(county.code)
    assert [spelling for spelling, of in codes.items() if len(of) > 1] == []
