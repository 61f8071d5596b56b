"""Three hundred phrases, as officials and keyboards write them, lead where they should; nonsense leads to no place.

A word that turns the sense is never dropped, and below a likeness nothing is guessed.
"""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from etl.core import spelling
from etl.core.text_folding import fold
from etl.semantic.catalog import catalogue
from etl.semantic.rights import ADMINISTRATOR
from tests.conftest import BUILD_DAY
from tests.find.conftest import Find, reading_as
from ui.find import reading, words
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
    # A sentence is an answer without a number; of some numbers the page counts.
    shown = {"sentence": "answer", "page_of": "answer"}.get(kind, kind)
    if shown != result.kind or not set(parse_qsl(where)) <= {*given}:
        return False
    values = [value for _, value in given]
    match kind:
        case "sentence" | "page_of" | "page":
            page, tab = navigation.part_address(name)
            is_there = address.path == f"/{page}".replace("/overview", "/") and dict(given).get("tab", "") == tab
            return is_there and (kind == "page" or (result.value == "") == (kind == "sentence"))
        case "answer":
            return result.title.split(" · ")[0] == catalogue()[name].label["fa"]
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
    kinds = {"answer", "sentence", "page_of", "page", "place", "institute", "list", "command", "nothing"}
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


@pytest.mark.parametrize("word", sorted(reading._turning()))
def test_a_word_that_turns_the_sense_is_never_dropped(word: str, small_register: Path) -> None:
    """Before and behind each name of a measure: only what has the word in its name is understood, or places."""
    with reading_as(small_register, ADMINISTRATOR):
        known = words.words("fa")
        for name in (metric.find[0] for metric in catalogue().values() if metric.find):
            for written in (f"{word} {name} فارس", f"فارس {name} {word}"):
                read = reading.read(written, known, BUILD_DAY)
                named = [
                    part for part in read.understood if not {"province", "county"} & {m.kind for m in part.meanings}
                ]
                assert all(fold(word) in part.text.split() for part in named), written
                assert named or not read.by


@pytest.mark.parametrize(
    ("written", "name", "is_like"), [("تهرن", "تهران", True), ("نقشه", "نقده", False), ("رسیم", "رستم", False)]
)
def test_below_a_likeness_nothing_is_guessed(written: str, name: str, is_like: bool) -> None:
    assert spelling.nearly(written, [name], 3) == [name] * is_like
