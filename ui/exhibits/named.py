"""The name of an exhibit: its page, what makes it, the scope and its inputs. Footer, link, workbook and test hold it.

    /data/licensing/licences_ending.csv?days=30&province=IR-23

is `licences_ending` of Licensing, with the input Within(30), in Isfahan.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from inspect import signature
from typing import Any, ClassVar, Protocol, Self, TypeVar, get_type_hints
from urllib.parse import urlencode

from ui.data.ask import Ask, Rounded
from ui.exhibits.cards import as_one
from ui.exhibits.exhibit import Exhibit
from ui.state import wording
from ui.state.given import Given, Wrong
from ui.state.scope import Scope

# Pure: equal scopes, asks and inputs give equal exhibits. A row of cards is made by one function, for it is one query.
Make = Callable[..., Exhibit | tuple[Exhibit, ...]]


class Input(Protocol):
    """What a reader chose besides the scope, as a frozen value: `read(x.query(), scope) == x`.

    `read` takes the default of what is not said, and raises Wrong for what nobody could have chosen.
    """

    PARAMETERS: ClassVar[tuple[str, ...]]

    @classmethod
    def read(cls, given: Given, scope: Scope) -> Self: ...

    def query(self) -> dict[str, list[str]]:
        """Its parameters in an address."""


_Input = TypeVar("_Input", bound=Input)


@cache
def inputs_of(make: Callable[..., Any]) -> tuple[type[Input], ...]:
    """The inputs that a function takes besides the scope and the Ask, in their order."""
    hints, parameters = get_type_hints(make), signature(make).parameters.values()
    return tuple(hints[one.name] for one in [*parameters][2:] if one.kind is one.POSITIONAL_OR_KEYWORD)


def chosen(function: Callable[..., Any], given: Given, scope: Scope) -> tuple[Input, ...]:
    """The inputs of a function as a page takes them from its address: what nobody could have chosen there is left out."""
    return tuple(as_chosen(kind, given, scope) for kind in inputs_of(function))


def as_chosen(kind: type[_Input], given: Given, scope: Scope) -> _Input:
    """One input as a page takes it from its address."""
    said = {name: given[name] for name in kind.PARAMETERS if name in given}
    for tried in (said, {name: values for name, values in said.items() if _reads(kind, {name: values}, scope)}):
        with suppress(Wrong):
            return kind.read(tried, scope)
    return kind.read({}, scope)


def _reads(kind: type[Input], said: Given, scope: Scope) -> bool:
    with suppress(Wrong):
        kind.read(said, scope)
        return True
    return False


@dataclass(frozen=True)
class Named:
    """An exhibit of a page, or a row of cards, under a scope and its inputs: `register.read(n.name, n.query(), scope) == n`."""

    page: str
    make: Make = field(repr=False)
    scope: Scope
    inputs: tuple[Input, ...] = ()

    @classmethod
    def given(cls, page: str, make: Make, given: Given, scope: Scope) -> "Named":
        """The exhibit with the inputs that an address says. Raises Wrong."""
        return cls(page, make, scope, tuple(kind.read(given, scope) for kind in inputs_of(make)))

    @property
    def name(self) -> str:
        return f"{self.page}/{self.make.__name__}"

    def query(self) -> dict[str, list[str]]:
        """What its address says: of its inputs and of its scope."""
        said: dict[str, list[str]] = {}
        for chosen in self.inputs:
            said |= chosen.query()
        return said | self.scope.query()

    def address(self, form: str, **more: str) -> str:
        """Its address below /data/, as a file of some form."""
        pairs = [(key, value) for key, values in self.query().items() for value in values] + [*more.items()]
        return f"{self.name}.{form}?{urlencode(pairs)}" if pairs else f"{self.name}.{form}"

    def exhibits(self, ask: Ask) -> tuple[Exhibit, ...]:
        """The exhibit alone, or each card of the row."""
        found = self.make(self.scope, ask, *self.inputs)
        return tuple(self._saying(one) for one in (found if isinstance(found, tuple) else (found,)))

    def _saying(self, one: Exhibit) -> Exhibit:
        """The exhibit with the filters that have no effect on it, where it says anything: the one place that says so."""
        if one.answer is None:
            return one
        ignored = [name for name in self.scope.where if name not in one.answer.where and not self._is_taken(name)]
        if not ignored:
            return one
        said = wording.no_effect(one.context(), ignored)
        return replace(one, no_effect=said, notes=(*one.notes, said) if one.says_anything else one.notes)

    def _is_taken(self, name: str) -> bool:
        """Whether an input begins with what a filter says, as the sides of a comparison do with its provinces."""
        without = self.scope.of({other: codes for other, codes in self.scope.filters if other != name})
        return any(as_chosen(kind, {}, self.scope) != as_chosen(kind, {}, without) for kind in inputs_of(self.make))

    def exhibit(self, ask: Ask) -> Exhibit:
        """The exhibit; a row of cards as one table."""
        return _whole(self.scope, self.exhibits(ask))


def _whole(scope: Scope, row: tuple[Exhibit, ...]) -> Exhibit:
    return row[0] if len(row) == 1 else as_one(scope, row)


@dataclass(frozen=True)
class Made:
    """A named exhibit with whom it was asked for: so it can be made again for circulation."""

    named: Named
    ask: Ask

    @cached_property
    def exhibits(self) -> tuple[Exhibit, ...]:
        return self.named.exhibits(self.ask)

    @cached_property
    def exhibit(self) -> Exhibit:
        return _whole(self.named.scope, self.exhibits)

    def for_circulation(self) -> Exhibit:
        """The same exhibit in rounded numbers."""
        return self.named.exhibit(Rounded(self.ask.exactly))
