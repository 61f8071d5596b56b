"""Three hundred phrases, as officials and keyboards write them, lead where they should; nonsense leads to no place."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from etl.semantic.catalog import catalogue
from tests.find.conftest import Find
from ui.find.results import Found, Result
from ui.find.words import LISTS
from ui.i18n import navigation, text

Phrase = tuple[str, str, str, str]
LEAST_FIRST = 0.95


def phrases() -> list[Phrase]:
    lines = Path(__file__).with_name("phrases.tsv").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines[1:]:
        written, kind, name, where = (*line.split("\t"), "", "")[:4]
        found.append((written, kind, name, where))
    return found


PHRASES = phrases()
NONSENSE = [phrase[0] for phrase in PHRASES if phrase[1] == "nothing"]


def leads_to(result: Result, phrase: Phrase) -> bool:
    _, kind, name, where = phrase
    address = urlsplit(result.address)
    given = parse_qsl(address.query)
    if kind != result.kind or not set(parse_qsl(where)) <= {*given}:
        return False
    values = [value for _, value in given]
    match kind:
        case "answer":
            return result.title.split(" · ")[0] == catalogue()[name].label["fa"]
        case "page":
            page, tab = navigation.part_address(name)
            return address.path in (f"/{page}", "/") and dict(given).get("tab", "") == tab
        case "command":
            return address.fragment == name
        case "list":
            return name in values and LISTS[name] is not None
        case _:
            return name in values


def place_of(found: Found, phrase: Phrase) -> int:
    """The place of the target among the results, from 1; 9 where it is not there."""
    return next((at for at, one in enumerate(found.results, 1) if leads_to(one, phrase)), 9)


def test_there_are_three_hundred_of_every_kind() -> None:
    assert len(PHRASES) >= 300
    assert len({phrase[0] for phrase in PHRASES}) == len(PHRASES)
    kinds = {"answer", "page", "place", "institute", "list", "command", "nothing"}
    assert {phrase[1] for phrase in PHRASES} == kinds


def test_the_target_is_first_for_95_of_100_and_within_three_for_all(find: Find) -> None:
    targets = [phrase for phrase in PHRASES if phrase[1] != "nothing"]
    places = {phrase[0]: place_of(find(phrase[0]), phrase) for phrase in targets}
    assert {written: place for written, place in places.items() if place > 3} == {}
    later = [written for written, place in places.items() if place > 1]
    assert len(later) <= (1 - LEAST_FIRST) * len(targets), later


@pytest.mark.parametrize("written", NONSENSE)
@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_nonsense_leads_to_no_place(written: str, lang: str, find: Find) -> None:
    found = find(written, lang=lang)
    assert found.understood == ()
    assert [one.kind for one in found.results] == ["page", "page"], "Explore and Methods"
