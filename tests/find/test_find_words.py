"""Every measure is found by what officials call it, and no two by the same word."""

import pytest

from etl.semantic.catalog import catalogue
from ui.find.words import compact

MEASURES = {name: metric for name, metric in catalogue().items() if not metric.hidden}
# The headline measure of a topic has the topic's word.
HEADLINES = {
    "آموزش": "training_compliance",
    "پوشش": "coverage_per_10k",
    "کمبود": "coverage_gap",
    "ترک خدمت": "leaver_rate_12m",
    "شصت هزار": "target_progress",
    "ضابط": "judicial_officers",
    "training": "training_compliance",
    "turnover": "leaver_rate_12m",
    "60,000": "target_progress",
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_has_words_of_both_languages(name: str) -> None:
    words = MEASURES[name].find
    assert [word for word in words if not word.isascii()], "what Persian officials call it"
    assert [word for word in words if word.isascii()], "what it is called in English"
    assert [word for word in words if len(word) > 40] == [], "a few words, no sentence"


def test_a_word_belongs_to_one_measure() -> None:
    owners: dict[str, set[str]] = {}
    for name, metric in MEASURES.items():
        for word in (*metric.find, *metric.label.values(), *metric.short.values()):
            owners.setdefault(compact(word), set()).add(name)
    searched = {compact(word) for metric in MEASURES.values() for word in metric.find}
    assert {word: owners[word] for word in searched if len(owners[word]) > 1} == {}


@pytest.mark.parametrize(("word", "name"), HEADLINES.items())
def test_the_headline_of_a_topic_has_its_word(word: str, name: str) -> None:
    assert word in MEASURES[name].find
