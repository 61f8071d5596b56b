"""Every page, part, list, measure and province is found by its own name, in both languages; of the counties one in four, and
all with THOROUGH=1.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from etl.core.places import places
from etl.semantic.catalog import catalogue
from tests.effort import draws
from tests.find.conftest import Find
from tests.find.test_phrases import leads_to
from ui.access.saved_views import Saved
from ui.find.words import COMMANDS, LISTS
from ui.i18n import member_names, navigation, text
from ui.state import saved_views
from ui.state.saved_views import Shelf

Named = tuple[str, str, str]


def of_pages(lang: str) -> Iterator[Named]:
    for entry in navigation.menu():
        yield entry[lang], "page", navigation.parts(entry)[0]
        for part in navigation.parts(entry):
            yield navigation.part_words(part)[lang], "page", part


def of_measures(lang: str) -> Iterator[Named]:
    for name, metric in catalogue().items():
        if not metric.hidden:
            yield metric.label[lang], "answer", name
            yield name, "measure", name
            for word in metric.find:
                yield word, "measure", name


def of_lists(lang: str) -> Iterator[Named]:
    yield from ((text.word(f"find_list.{name}", lang), "list", name) for name in LISTS)
    yield from ((text.word(f"find_command.{name}", lang), "command", name) for name in COMMANDS)


def of_places(lang: str) -> Iterator[Named]:
    for kind, step in (("province", 1), ("county", draws(4, 1))):
        for code, name in [*member_names.fixed(kind, lang).items()][::step]:
            yield name, "place", code
            whole = {"fa": f"{text.word(f'dimension.{kind}', lang)} {name}", "en": f"{name} {kind}"}
            yield whole[lang], "place", code
    # Those created since count in the county that they were separated from.
    yield from ((name, "place", county.code) for (_, name), county in places().counties.items() if not name.isdecimal())


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("of", [of_pages, of_measures, of_lists, of_places])
def test_each_is_found_by_its_own_name(of: Callable[[str], Iterator[Named]], lang: str, find: Find) -> None:
    missing = []
    for written, kind, name in of(lang):
        found = find(written, lang="fa")
        if not any(leads_to(one, (written, kind, name, "")) for one in found.results):
            missing.append((written, kind, name))
    assert missing == []


def test_saved_views_of_one_name_are_each_found_and_a_deleted_one_is_not(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "گزارش شورای تأمین"
    mine, *theirs = (
        Saved(name, page, {}, "2026-06-01", owner)
        for page, owner in (("training", "me"), ("coverage", "first"), ("growth", "second"))
    )
    shelf = Shelf([mine], True, tuple(theirs))

    def pages_found() -> list[str]:
        return [urlsplit(one.address).path for one in find(name).results if one.kind == "view"]

    monkeypatch.setattr(saved_views, "shelf", lambda: shelf)
    assert pages_found() == ["/training", "/coverage", "/growth"]
    assert len({(one.title, one.about) for one in find(name).results if one.kind == "view"}) == 3
    then = iter([shelf])
    monkeypatch.setattr(saved_views, "shelf", lambda: next(then, Shelf([], True)))
    assert pages_found() == []
