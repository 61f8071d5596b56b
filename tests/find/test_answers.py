"""The number of the first line is that of `ask` under the same filters and rights; what has no effect on it is left out."""

from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from etl.semantic import access
from etl.semantic.answers import ask
from etl.semantic.catalog import catalogue
from etl.semantic.resolve import settled_on
from etl.semantic.rights import ADMINISTRATOR
from tests.access.scopes import ISFAHAN, OF_ISFAHAN, TEHRAN
from tests.conftest import BUILD_DAY
from tests.find.conftest import Find
from ui.i18n import member_names, text

NUMBERS = [
    ("آموزش تهران", "training_compliance", {"province": [TEHRAN]}),
    ("ترک خدمت زنان تهران", "leaver_rate_12m", {"province": [TEHRAN], "gender": ["female"]}),
    ("نگهبان اصفهان", "active_assistants", {"province": [ISFAHAN], "post": ["guard"]}),
    ("پوشش کاشان", "coverage_per_10k", {"county": ["1010"]}),
    ("شصت هزار", "target_progress", {}),
]


@pytest.mark.parametrize(("written", "name", "where"), NUMBERS)
def test_the_first_line_has_the_number_of_ask(
    written: str, name: str, where: dict[str, list[str]], find: Find, small_register: Path
) -> None:
    with access.connect(small_register, ADMINISTRATOR) as con:
        on = settled_on(con, name)
        assert on
        value = ask(con, name, on=on, where=where).value()
    first = find(written).results[0]
    assert (text.day(on, "fa") in first.title) == (on != BUILD_DAY), "another day than the latest is said"
    assert first.value == text.amount(value, catalogue()[name].unit, "fa")
    assert first.title.endswith(first.value)


def test_of_another_province_only_its_open_totals_are_known(find: Find) -> None:
    assert find("آموزش تهران", OF_ISFAHAN).results[0].value == find("آموزش تهران").results[0].value != "c"
    for written in ("ترک خدمت زنان تهران", "نگهبان تهران"):
        first = find(written, OF_ISFAHAN).results[0]
        assert (first.kind, first.value) == ("answer", "c")
    county = find("پلیس‌یار ری", OF_ISFAHAN)
    assert county.unknown == ("ری",)
    assert "county" not in str(county.results)


@pytest.mark.parametrize(("written", "name"), [("جمعیت زنان فارس", "residents"), ("هدف زنان فارس", "target")])
def test_a_filter_without_effect_is_left_out_and_said(written: str, name: str, find: Find) -> None:
    first, all_of_them = find(written).results[0], find(written.replace("زنان ", "")).results[0]
    assert (first.title, first.address) == (all_of_them.title, all_of_them.address)
    assert text.word("scope.no_effect", "fa", filters=text.word("scope.gender", "fa")) in first.about


def test_two_places_stand_beside_each_other(find: Find) -> None:
    first = find("فارس اصفهان پایبندی").results[0]
    each = [find(f"پایبندی {name}").results[0].value for name in ("فارس", "اصفهان")]
    assert first.value == " / ".join(each)


def test_two_places_are_named_with_their_filters_and_their_day_and_the_page_has_both(find: Find) -> None:
    first, alone = find("زنان فارس اصفهان").results[0], find("زنان اصفهان").results[0]
    assert alone.value in first.value
    assert text.isolated("زن", "fa") in first.title
    wanted = {"gender": ["female"], "p": ["IR-07"], "q": ["IR-10"], "m": ["active_assistants"]}
    assert parse_qs(urlsplit(first.address).query) == {"tab": ["compare"], **wanted}
    dated = find("پایبندی فارس اصفهان ۱۴۰۳").results[0]
    assert text.day(date(2025, 3, 20), "fa") in dated.title
    assert parse_qs(urlsplit(dated.address).query)["on"] == ["2025-03-20"]
    page = find("مقایسه فارس اصفهان ۱۴۰۳").results[0]
    assert parse_qs(urlsplit(page.address).query).items() >= {"p": ["IR-07"], "on": ["2025-03-20"]}.items()


def test_the_settled_day_of_two_places_is_said_and_a_filter_without_effect_too(find: Find) -> None:
    settled = find("نرخ ترک خدمت فارس اصفهان").results[0]
    assert find("نرخ ترک خدمت فارس").results[0].title.split(" · ")[2] in settled.title.split(" · ")
    residents = find("جمعیت زنان فارس اصفهان").results[0]
    assert "gender" not in residents.address
    assert text.word("scope.no_effect", "fa", filters=text.word("scope.gender", "fa")) in residents.about


def test_a_flow_of_two_places_leads_to_a_page_that_has_it(find: Find) -> None:
    first = find("جذب فارس اصفهان").results[0]
    query = parse_qs(urlsplit(first.address).query)
    assert (query["m"], query["by"], query["province"]) == (["joiners"], ["province"], ["IR-07", "IR-10"])


def test_a_number_of_the_own_province_does_not_stand_for_several(find: Find) -> None:
    first, own = find("زنان تهران فارس اصفهان", OF_ISFAHAN).results[0], find("زنان اصفهان").results[0]
    assert (first.title, first.value) == (own.title, own.value)
    assert member_names.left_out([TEHRAN, "IR-07"], "fa") in first.about


def test_the_period_of_a_flow_is_said(find: Find, small_register: Path) -> None:
    with access.connect(small_register, ADMINISTRATOR) as con:
        answer = ask(con, "joiners", where={"province": ["IR-07"]})
    first = find("جذب فارس").results[0]
    assert answer.over
    assert text.period(*answer.over, "fa") in first.title
    assert first.value == text.amount(answer.value(), "persons", "fa")


def test_what_cannot_be_told_yet_is_undefined_and_not_confidential(find: Find) -> None:
    first = find("نرخ ترک خدمت ۱۳۵۸").results[0]
    assert (first.kind, first.value) == ("answer", text.amount(None, "share", "fa"))
