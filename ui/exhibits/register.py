"""The exhibits of each page by name: `/data/training/by_place.csv` is `by_place` of Training.

Names are public: programs of others hold them. A test holds the list; who renames a function leaves its old name in `_RENAMED`.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import cache, partial
from inspect import signature

from ui.exhibits import (
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
from ui.exhibits.exhibit import Exhibit, Make
from ui.state.scope import Scope

_PAGES: Mapping[str, tuple[Make, ...]] = {
    "overview": overview.EXHIBITS,
    "coverage": coverage.EXHIBITS,
    "growth": growth.EXHIBITS,
    "training": training.EXHIBITS,
    "licensing": licensing.EXHIBITS,
    "register": institute.EXHIBITS,
    "workforce": workforce.EXHIBITS,
    "legal": legal.EXHIBITS,
    "explore": explore.EXHIBITS,
    "methods": methods.EXHIBITS,
    "quality": quality.EXHIBITS,
    "approve": (quality.publications,),
}
# What a page shows of another page's exhibits, in sentences.
_SHOWN_TOO: Mapping[str, tuple[str, ...]] = {
    "overview": ("coverage/findings", "training/findings", "coverage/counties_without"),
}
# Their figures have a day, and no period of the reader's.
_WITHOUT_PERIOD = {"coverage", "methods", "quality", "approve"}
# What, besides the publication, decides what an exhibit shows.
_BESIDE: Mapping[str, Callable[[], Hashable]] = {"approve/publications": quality.kept}
# The input of an exhibit that its address holds beside the scope: a value with the parameters of `query`.
_CHOSEN = {"explore/chart": "charted", "licensing/licences_ending": "within"}
# The earlier names of exhibits, as PAGE/NAME.
_RENAMED: dict[str, str] = {}


@cache
def exhibits() -> Mapping[str, Make]:
    """Every exhibit by its address, PAGE/NAME."""
    return {f"{page}/{make.__name__}": make for page, makes in _PAGES.items() for make in makes}


def of_page(page: str) -> tuple[str, ...]:
    """The addresses of what a page shows; none for what is no page."""
    own = tuple(address for address in exhibits() if address.startswith(f"{page}/"))
    return own + _SHOWN_TOO.get(page, ())


def named(address: str) -> Make | None:
    """The exhibit of an address, also of an earlier one; None if there is none."""
    return exhibits().get(_RENAMED.get(address, address))


def address_of(page: str, make: Callable[..., Exhibit]) -> str:
    """The address of an exhibit on a page, which may be that of another page; empty if it has none.

    It has none either where it is made of inputs that no address holds, or where the pages differ in having a period.
    """
    function = make.func if isinstance(make, partial) else make
    inputs = make.keywords if isinstance(make, partial) else {}
    defaults = {name: parameter.default for name, parameter in signature(function).parameters.items()}
    address = next((address for address, known in exhibits().items() if known is function), "")
    is_alike = (page in _WITHOUT_PERIOD) == (address.partition("/")[0] in _WITHOUT_PERIOD)
    is_held = all(defaults.get(name) == value or name == chosen(address) for name, value in inputs.items())
    return address if is_held and is_alike else ""


def chosen(address: str) -> str:
    """The name of the input that the address of an exhibit holds beside the scope; empty if there is none."""
    return _CHOSEN.get(address, "")


def parameters(address: str, make: Callable[..., Exhibit]) -> dict[str, list[str]]:
    """What the address of an exhibit says of its input."""
    inputs = make.keywords if isinstance(make, partial) else {}
    return inputs[chosen(address)].query() if chosen(address) in inputs else {}


def beside(address: str) -> Hashable:
    """What, besides the publication, decides what an exhibit shows: with another one its file is another."""
    return _BESIDE[address]() if address in _BESIDE else None


def scope_of(address: str, scope: Scope) -> Scope:
    """The scope under which an exhibit is asked: without a period where its page has none."""
    return replace(scope, period="") if address.partition("/")[0] in _WITHOUT_PERIOD else scope
