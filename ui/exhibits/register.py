"""The exhibits of each page by name: `/data/training/by_place.csv` is `by_place` of Training.

Names are public: programs of others hold them. A test holds the list; who renames a function leaves its old name in `_RENAMED`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from inspect import signature

from ui.exhibits import coverage, growth, institute, legal, licensing, methods, overview, quality, training, workforce
from ui.exhibits.exhibit import Exhibit, Make
from ui.state.scope import Scope

_PAGES = {
    "overview": overview,
    "coverage": coverage,
    "growth": growth,
    "training": training,
    "licensing": licensing,
    "register": institute,
    "workforce": workforce,
    "legal": legal,
    "methods": methods,
    "quality": quality,
}
# Their figures have a day, and no period of the reader's.
_WITHOUT_PERIOD = {"coverage", "methods", "quality"}
# The earlier names of exhibits, as PAGE/NAME.
_RENAMED: dict[str, str] = {}


@cache
def exhibits() -> Mapping[str, Make]:
    """Every exhibit by its address, PAGE/NAME."""
    return {f"{page}/{make.__name__}": make for page, module in _PAGES.items() for make in module.EXHIBITS}


def named(address: str) -> Make | None:
    """The exhibit of an address, also of an earlier one; None if there is none."""
    return exhibits().get(_RENAMED.get(address, address))


def address_of(page: str, make: Callable[..., Exhibit]) -> str:
    """The address of an exhibit of a page; empty if it has none, or is made of inputs that no address holds."""
    function = make.func if isinstance(make, partial) else make
    inputs = make.keywords if isinstance(make, partial) else {}
    defaults = {name: parameter.default for name, parameter in signature(function).parameters.items()}
    address = f"{page}/{getattr(function, '__name__', '')}"
    is_plain = all(defaults.get(name) == value for name, value in inputs.items())
    return address if is_plain and exhibits().get(address) is function else ""


def scope_of(address: str, scope: Scope) -> Scope:
    """The scope under which an exhibit is asked: without a period where its page has none."""
    return replace(scope, period="") if address.partition("/")[0] in _WITHOUT_PERIOD else scope
