"""The exhibits of each page by name: `/data/training/by_place.csv` is `by_place` of Training.

Names are public: programs of others hold them. A test holds the list; who renames a function leaves its old name in `_RENAMED`.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import cache

from ui.exhibits import (
    compare,
    coverage,
    explore,
    growth,
    institute,
    legal,
    licensing,
    methods,
    overview,
    quality,
    training,
    workforce,
)
from ui.exhibits.named import Make, Named
from ui.exhibits.page import Page
from ui.state.given import Given
from ui.state.scope import Scope

_TOPICS = (
    overview,
    coverage,
    growth,
    training,
    licensing,
    institute,
    workforce,
    legal,
    explore,
    compare,
    methods,
    quality,
)
# What, besides the publication, decides what an exhibit shows: with another one its file is another.
_BESIDE: Mapping[str, Callable[[], Hashable]] = {"approve/publications": quality.kept}
# The earlier names of exhibits, as PAGE/NAME.
_RENAMED: dict[str, str] = {}


@cache
def pages() -> Mapping[str, Page]:
    """Every page with exhibits, by name."""
    return {page.name: page for page in (*(topic.PAGE for topic in _TOPICS), quality.APPROVE)}


@cache
def exhibits() -> Mapping[str, Make]:
    """Every exhibit by its address, PAGE/NAME."""
    return {f"{page.name}/{make.__name__}": make for page in pages().values() for make in page.makes()}


def named(address: str) -> tuple[Page, Make] | None:
    """The page and the exhibit of an address, also of an earlier one; None if there is none."""
    address = _RENAMED.get(address, address)
    make = exhibits().get(address)
    return (pages()[address.partition("/")[0]], make) if make else None


def read(address: str, given: Given, scope: Scope) -> Named | None:
    """The named exhibit of an address and what it says; None if there is none. Raises Wrong."""
    found = named(address)
    return found[0].named(found[1], given, scope) if found else None


def beside(address: str) -> Hashable:
    return _BESIDE[address]() if address in _BESIDE else None
