"""What can be found, by every name that it has: places, members, measures, pages, lists, views, commands.

Names are compared folded and without spaces, so that «چهار محال» and «چهارمحال» are one. A name may mean several things:
«کرمان» is a province and a county of it.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from cachetools import LRUCache, cached

from etl.core.paths import REFERENCE
from etl.core.places import county_key, newer_counties, places, reference_rows
from etl.core.text_folding import fold
from etl.semantic.catalog import catalogue
from etl.semantic.rights import AccessScope
from etl.warehouse.dimensions import BANDS, CHOICES, FILTERS
from ui.access.saved_views import Saved
from ui.data import page_run, warehouse
from ui.data.ask import OF_PUBLICATION
from ui.i18n import member_names, navigation, text
from ui.state import saved_views
from ui.state.address import LICENCE_LISTS, OFFICER_LISTS

PLACES = ("province", "county")
# The page of each list of institutes.
LISTS: Mapping[str, str] = dict.fromkeys(LICENCE_LISTS[:-1], "licensing") | dict.fromkeys(OFFICER_LISTS, "legal")
# The parts of pages that have names of their own: the page, and what its address has besides.
PARTS: Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]] = {
    "map": ("coverage", {}),
    "county_map": ("coverage", {"map": ("county",)}),
    "projection": ("growth", {}),
}
# What is asked in words, and answered by a sentence: when the target is reached, and who is behind.
QUESTIONS = ("when", "behind")
COMMANDS = ("language", "look", "print", "workbook")
# Kinds whose results are listed in this order; members of other dimensions are filters.
KINDS = ("page", "part", *PLACES, "institute", "measure", "list", "view", "command")


SEPARATORS = re.compile(r"[\s،٬,.;:؛؟?!«»\"'“”’()\[\]/|·–—-]+")
_ALIKE = str.maketrans("آ", "ا")


@dataclass(frozen=True)
class Meaning:
    """One thing that a name means: its kind (a dimension, page, measure, …), its code, the name it is shown by."""

    kind: str
    code: str
    name: str = field(compare=False)


@dataclass(frozen=True)
class Words:
    """Meanings by name, folded and without spaces.

    `names`: the names that are compared loosely, by their beginnings and with a letter wrong; codes and search words are not.
    """

    meanings: Mapping[str, tuple[Meaning, ...]]
    names: tuple[str, ...]
    institutes: Mapping[str, str]

    def of(self, key: str) -> tuple[Meaning, ...]:
        return self.meanings.get(key, ())


def compact(name: str) -> str:
    """The form in which names are compared: as those of counties, «آ» as «ا», and without what parts words."""
    return county_key(SEPARATORS.sub("", name)).translate(_ALIKE)


def words(lang: str) -> Words:
    """Everything that the user of this thread may find in the publication that it reads."""
    shelf = saved_views.shelf()
    views = tuple((code_of(view), view.name) for view in (*shelf.views, *shelf.shared))
    return _words(lang, page_run.current_file(), page_run.access_scope().rights(), views)


@cached(LRUCache(32), key=lambda *given: given, lock=threading.Lock())
def _words(lang: str, _file: str, _rights: AccessScope, views: tuple[tuple[str, str], ...]) -> Words:
    meanings: dict[str, dict[Meaning, None]] = {}
    loose: dict[str, None] = {}
    counties = warehouse.names("county", lang)
    for meaning, names, is_loose in (*_fixed(lang), *_of_publication(lang), *_views(views)):
        # What is below a province is known within it.
        if meaning.kind == "county" and meaning.code not in counties:
            continue
        for name in names:
            if key := compact(name):
                meanings.setdefault(key, {})[meaning] = None
                if is_loose:
                    loose[key] = None
    institutes = {code: fold(name) for code, name in warehouse.names("institute", "fa").items()}
    return Words({key: tuple(found) for key, found in meanings.items()}, tuple(loose), institutes)


_Named = Iterator[tuple[Meaning, Iterable[str], bool]]


@cache
def _fixed(lang: str) -> tuple[tuple[Meaning, tuple[str, ...], bool], ...]:
    """What is the same in every publication."""
    found = [*_places(lang), *_members(lang), *_measures(lang), *_pages(lang)]
    found += [*_lists(lang), *_parts(lang), *_questions(), *_commands(lang)]
    return tuple((meaning, tuple(names), is_loose) for meaning, names, is_loose in found)


def _places(lang: str) -> _Named:
    for spelling, code in places().provinces.items():
        meaning = Meaning("province", code, member_names.of("province", code, lang))
        # A number alone is no place.
        if not spelling.isdecimal():
            yield meaning, [spelling], not spelling.isascii() or " " not in spelling
            yield meaning, _with_kind(spelling, "province"), False
    english = {row["name"]: row["name_en"] for row in newer_counties()}
    for (_, spelling), county in places().counties.items():
        if not spelling.isdecimal():
            code = county.code
            name = member_names.of("county", code, lang)
            if county.is_newer and county.written:
                # It counts in the county that it was separated from.
                newer = english.get(county.written, county.written) if lang == "en" else county.written
                name = text.word("scope.with_newer", lang, name=name, newer=newer)
            yield Meaning("county", code, name), [spelling], True
            yield Meaning("county", code, name), _with_kind(spelling, "county"), False


def _with_kind(spelling: str, kind: str) -> list[str]:
    """A name of a place after or before its kind: «شهرستان فارسان», "Fars Province"."""
    fa, en = (text.word(f"dimension.{kind}", lang) for lang in text.LANGUAGES)
    return [f"{fa} {spelling}", f"{spelling} {en}", f"{en} {spelling}"]


def _members(lang: str) -> _Named:
    for dimension in FILTERS:
        if dimension in (*PLACES, *OF_PUBLICATION) or dimension in BANDS:
            continue
        for code in member_names.fixed(dimension, lang):
            written = [word for word, meant in CHOICES.get(dimension, {}).items() if meant == code]
            names = [member_names.of(dimension, code, one) for one in text.LANGUAGES]
            more = text.book()["find_member"].get(dimension, {}).get(code)
            found = [*names, *written, *(word for one in text.LANGUAGES if more for word in more[one].split("|"))]
            meaning = Meaning(dimension, code, member_names.of(dimension, code, lang))
            yield meaning, [name for name in found if not compact(name).isdecimal() and len(compact(name)) > 1], False


def _measures(lang: str) -> _Named:
    for name, metric in catalogue().items():
        if not metric.hidden or metric.find:
            meaning = Meaning("measure", name, metric.label[lang])
            yield meaning, [name, *metric.label.values(), *metric.short.values()], True
            yield meaning, metric.find, False


def _pages(lang: str) -> _Named:
    for entry in navigation.menu():
        for part in navigation.parts(entry):
            meaning = Meaning("page", part, navigation.part_words(part)[lang])
            yield meaning, [part, *(navigation.part_words(part)[one] for one in text.LANGUAGES)], True
            if part == navigation.parts(entry)[0]:
                yield meaning, [entry["page"], *(entry[one] for one in text.LANGUAGES)], True


def _lists(lang: str) -> _Named:
    for name in LISTS:
        yield Meaning("list", name, text.word(f"find_list.{name}", lang)), _both(f"find_list.{name}"), True
        yield Meaning("list", name, text.word(f"find_list.{name}", lang)), _both(f"find_list.{name}_find"), False


def _parts(lang: str) -> _Named:
    for name in PARTS:
        yield Meaning("part", name, text.word(f"find_part.{name}", lang)), _both(f"find_part.{name}"), True
        yield Meaning("part", name, text.word(f"find_part.{name}", lang)), _both(f"find_part.{name}_find"), False


def _questions() -> _Named:
    for name in QUESTIONS:
        yield Meaning("question", name, ""), _both(f"find_question.{name}"), False


def _commands(lang: str) -> _Named:
    for name in COMMANDS:
        yield Meaning("command", name, text.word(f"find_command.{name}", lang)), _both(f"find_command.{name}"), True
        yield (
            Meaning("command", name, text.word(f"find_command.{name}", lang)),
            _both(f"find_command.{name}_find"),
            False,
        )


def _both(key: str) -> list[str]:
    """The words of both languages, where `|` stands between several."""
    return [word for lang in text.LANGUAGES for word in text.word(key, lang).split("|")]


def _of_publication(lang: str) -> _Named:
    named = {one: warehouse.names("course", one) for one in text.LANGUAGES}
    for code in named["fa"]:
        yield Meaning("course", code, named[lang].get(code, code)), [code, *(of[code] for of in named.values())], False
    for code, name in warehouse.names("institute", lang).items():
        yield Meaning("institute", code, name), [code, name, *_with_kind(code, "institute")], False


def _views(views: Iterable[tuple[str, str]]) -> _Named:
    for code, name in views:
        yield Meaning("view", code, name), [name], True


def code_of(view: Saved) -> str:
    """Several people may have a view of one name."""
    return f"{view.owner}\n{view.name}"


@cache
def parents(lang: str) -> Mapping[str, str]:
    """The name of the province of each county."""
    rows = reference_rows(REFERENCE / "counties.csv")
    return {row["sci_code"]: member_names.of("province", row["province_iso"], lang) for row in rows}


@cache
def province_of(county: str) -> str:
    rows = reference_rows(REFERENCE / "counties.csv")
    return {row["sci_code"]: row["province_iso"] for row in rows}[county]
