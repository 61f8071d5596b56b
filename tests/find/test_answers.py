"""The number of the first line is that of `ask` under the same filters and rights; what has no effect on it is left out."""

from pathlib import Path

import pytest

from etl.semantic import access
from etl.semantic.answers import ask
from etl.semantic.catalog import catalogue
from etl.semantic.resolve import settled_on
from etl.semantic.rights import ADMINISTRATOR
from tests.access.scopes import ISFAHAN, OF_ISFAHAN, TEHRAN
from tests.conftest import BUILD_DAY
from tests.find.conftest import Find
from ui.i18n import text

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
