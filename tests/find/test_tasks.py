"""Tasks that begin with a place or a measure take one step: the first line, and the page that it opens has the number."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.analysis import detail
from etl.core.jalali import last_complete_months
from etl.semantic import access
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import ask
from etl.semantic.rights import ADMINISTRATOR
from tests.find.conftest import Find
from tests.parts import html, opened
from ui.i18n import navigation, text

pytestmark = pytest.mark.slow

TEHRAN, FARS, ISFAHAN, KHUZESTAN = "IR-23", "IR-07", "IR-10", "IR-06"
LAST_YEAR = {"on": ["2026-03-20"], "period": ["2025-03-21..2026-03-20"]}
# What is typed; the page and the parameters that it leads to; the numbers that the page has.
Task = tuple[str, str, dict[str, list[str]], Callable[[ScopedCursor], list[tuple[float, str]]]]


def women_guards(con: ScopedCursor) -> list[tuple[float, str]]:
    where = {"gender": ["female"], "post": ["guard"], "province": [TEHRAN, FARS, ISFAHAN]}
    day = text.read_day("2026-03-20")
    rows = ask(con, "active_assistants", by=("province",), on=day, where=where).rows
    assert len(rows) == 3
    return [(value, "persons") for _, value in rows]


def of_county(con: ScopedCursor) -> list[tuple[float, str]]:
    return [(ask(con, "active_assistants", where={"county": ["1010"]}).value(), "persons")]


def of_two(con: ScopedCursor) -> list[tuple[float, str]]:
    places = [{"province": [code]} for code in (TEHRAN, ISFAHAN)]
    return [(ask(con, "training_compliance", where=where).value(), "share") for where in places]


def of_khuzestan(con: ScopedCursor) -> list[tuple[float, str]]:
    return [(ask(con, "training_compliance", where={"province": [KHUZESTAN]}).value(), "share")]


def monthly(con: ScopedCursor) -> list[tuple[float, str]]:
    over = last_complete_months(con.publication.as_of, 12)
    rows = ask(con, "training_compliance", by=("month", "province"), over=over).rows
    # The first page of the table has six months of 31 provinces.
    return [(row[2], "share") for row in rows if row[1] == TEHRAN][:6]


def target(con: ScopedCursor) -> list[tuple[float, str]]:
    return [(ask(con, "active_assistants").value(), "persons")]


TASKS: list[Task] = [
    (
        "زنان نگهبان تهران فارس اصفهان پارسال",
        "explore",
        {"province": [TEHRAN, FARS, ISFAHAN], "gender": ["female"], "post": ["guard"], **LAST_YEAR}
        | {"m": ["active_assistants"], "by": ["province"]},
        women_guards,
    ),
    ("پلیس‌یار کاشان", "explore", {"county": ["1010"], "province": [ISFAHAN]}, of_county),
    ("کاشان", "overview", {"county": ["1010"], "province": [ISFAHAN]}, of_county),
    (
        "تهران اصفهان پایبندی",
        "compare",
        {"p": [TEHRAN], "q": [ISFAHAN], "m": ["training_compliance"]},
        of_two,
    ),
    ("چرا پایبندی خوزستان تغییر کرد", "training", {"province": [KHUZESTAN]}, of_khuzestan),
    (
        "پایبندی آموزشی ماهانه به تفکیک استان",
        "explore",
        {"m": ["training_compliance"], "by": ["month", "province"]},
        monthly,
    ),
    ("برنامه تا هدف ۶۰ هزار", "growth", {}, target),
]


@pytest.fixture(autouse=True)
def published(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))


@pytest.mark.parametrize("task", TASKS, ids=[task[1] + str(at) for at, task in enumerate(TASKS)])
def test_a_task_is_one_step_and_the_page_has_its_number(task: Task, find: Find, small_register: Path) -> None:
    written, part, wanted, numbers = task
    address = urlsplit(find(written).results[0].address)
    page, tab = navigation.part_address(part)
    given = parse_qs(address.query)
    assert address.path == ("/" if page == navigation.menu()[0]["page"] else f"/{page}")
    assert given.pop("tab", [""]) == [tab]
    assert {name: given.get(name) for name in wanted} == wanted
    with access.connect(small_register, ADMINISTRATOR) as con:
        expected = numbers(con)
    shown = plain(html(opened(part, **given)))
    for value, unit in expected:
        number = re.escape(plain(text.plain(value, unit, "fa")))
        assert re.search(f"(?<![۰-۹٬٫]){number}(?![۰-۹٬٫])", shown), (value, unit)


def plain(written: str) -> str:
    """Text without tags and marks of direction."""
    return re.sub("[\u200e-\u200f\u061c\u2066-\u2069]", "", re.sub("<[^>]*>", " ", written))


def test_three_places_are_named_and_their_number_is_that_of_all(find: Find, small_register: Path) -> None:
    first = find("زنان نگهبان تهران فارس اصفهان").results[0]
    where = {"gender": ["female"], "post": ["guard"], "province": [TEHRAN, FARS, ISFAHAN]}
    with access.connect(small_register, ADMINISTRATOR) as con:
        value = ask(con, "active_assistants", where=where).value()
    assert first.value == text.amount(value, "persons", "fa")
    assert "تهران، فارس، اصفهان، زن، نگهبان" in plain(first.title)


@pytest.mark.parametrize(
    ("written", "lang", "by"),
    [
        ("جذب ماهانه فارس", "fa", ["month"]),
        ("پوشش استان‌ها", "fa", ["province"]),
        ("پوشش به تفکیک شهرستان فارس", "fa", ["county"]),
        ("joiners by quarter", "en", ["quarter"]),
        ("coverage each province by year", "en", ["province", "year"]),
    ],
)
def test_a_breakdown_is_read(written: str, lang: str, by: list[str], find: Find) -> None:
    found = find(written, lang=lang)
    assert found.unknown == ()
    assert parse_qs(urlsplit(found.results[0].address).query)["by"] == by


def test_an_institute_is_one_step_by_a_part_of_its_name_and_by_its_code(find: Find, small_register: Path) -> None:
    with access.connect(small_register, ADMINISTRATOR) as con:
        known = detail.institutes(con)
    institute = next(iter(known.values()))
    for written in (institute.code, text.digits(institute.code, "fa"), institute.name):
        first = find(written).results[0]
        assert first.kind == "institute"
        assert parse_qs(urlsplit(first.address).query) == {"tab": ["register"], "institute": [institute.code]}
    # «دیدبان هوشیار» of «دیدبان هوشیار شهر (نمونه)»
    alike = [one.name for one in known.values() if institute.name.split()[:2] == one.name.split()[:2]]
    of_part = find(" ".join(institute.name.split()[:2])).results
    assert {one.title for one in of_part if one.kind == "institute"} <= {*alike}
    assert any(one.kind == "institute" for one in of_part)
    page = plain(html(opened("register", institute=institute.code)))
    assert institute.name in page
