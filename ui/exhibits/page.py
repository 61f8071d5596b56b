"""A page: its filters, and what stands on it from top to bottom, as a value. `training.PAGE` is the one to read first.

    Page("legal", ("@place", "@person"), (Findings(findings), Columns((by_place,), (lapsed_by_place,)), Cards(numbers)))

What has widgets of its own is a Section: its exhibits are named here, and drawn by a function in `pages/`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from etl.semantic.rights import BELOW_PROVINCE
from ui.data.ask import Ask
from ui.exhibits.named import Input, Make, Named, chosen, inputs_of
from ui.state.given import Given
from ui.state.scope import Scope

# Whether something stands on the page: of the scope, who asks, and inputs. Pure, as an exhibit is.
Condition = Callable[..., bool]


@dataclass(frozen=True)
class Figure:
    """A chart in its box. What the sentence `said` states already has its title in pictures and files alone."""

    make: Make
    said: Make | None = None


@dataclass(frozen=True)
class Findings:
    """Findings in words. With `asks` a reader can ask what the number is; `quiet` ones are a line below something else."""

    make: Make
    asks: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Cards:
    """A row of numbers."""

    make: Make


@dataclass(frozen=True)
class Tabled:
    """A table in its box."""

    make: Make


@dataclass(frozen=True)
class Listed:
    """A list of institutes, whose first rows are shown; not where the address has opened it above."""

    make: Make


@dataclass(frozen=True)
class Heading:
    """The key of the words above what follows."""

    key: str


@dataclass(frozen=True)
class Words:
    """A sentence on method or caution, by its key."""

    key: str


@dataclass(frozen=True)
class Section:
    """What a function of `pages/` draws under this name, with widgets of its own, and the exhibits that are in it.

    `held` says which of them, with which inputs, where one stands there several times or not always.
    """

    name: str
    makes: tuple[Make, ...] = ()
    held: Callable[[Scope, Ask, Given], Iterable[tuple[Make, tuple[Input, ...]]]] | None = None


@dataclass(frozen=True, init=False)
class Columns:
    """Parts side by side, each column from top to bottom; `widths` are their shares, equal ones without any."""

    columns: tuple["tuple[Part, ...]", ...]
    widths: tuple[int, ...] = ()

    def __init__(self, *columns: "tuple[Part, ...]", widths: tuple[int, ...] = ()) -> None:
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "widths", widths)


@dataclass(frozen=True, init=False)
class Folded:
    """Parts behind a line of words, by the key of that."""

    key: str
    parts: "tuple[Part, ...]"

    def __init__(self, key: str, *parts: "Part") -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, init=False)
class When:
    """Parts that stand there where the condition holds."""

    holds: Condition
    parts: "tuple[Part, ...]"

    def __init__(self, holds: Condition, *parts: "Part") -> None:
        object.__setattr__(self, "holds", holds)
        object.__setattr__(self, "parts", parts)


# A function alone is a figure.
Part = Make | Figure | Findings | Cards | Tabled | Listed | Heading | Words | Section | Columns | Folded | When


@dataclass(frozen=True)
class Page:
    """The filters besides the main ones, by name or by group, whether the reader chooses a period, and the layout.

    `of_people`: it shows nothing of a day before the register of people begins. `asked_of` is the scope of its questions.
    """

    name: str
    filters: tuple[str, ...]
    layout: tuple[Part, ...]
    has_period: bool = False
    of_people: bool = True
    asked_of: Callable[[Scope], Scope] = lambda scope: scope

    def makes(self) -> Iterator[Make]:
        """What makes each exhibit that the page may show, in the order of reading."""
        for _, part in _walk(self.layout):
            yield from part.makes if isinstance(part, Section) else (part,)

    def parameters(self) -> tuple[str, ...]:
        """What its address says besides the scope."""
        functions = (*self.makes(), *(holds for conditions, _ in _walk(self.layout) for holds in conditions))
        return tuple(dict.fromkeys(name for one in functions for kind in inputs_of(one) for name in kind.PARAMETERS))

    def query(self, given: Given, scope: Scope) -> dict[str, list[str]]:
        """What its address says: of the inputs that it has, and of its scope."""
        return {name: [*given[name]] for name in self.parameters() if given.get(name)} | self.scoped(scope).query()

    def check(self, given: Given, scope: Scope) -> None:
        """Read each input of its address. Raises Wrong."""
        for conditions, part in _walk(self.layout):
            # What a section holds several times it reads itself.
            makes = (part,) if not isinstance(part, Section) else () if part.held else part.makes
            for function in (*conditions, *makes):
                for kind in inputs_of(function):
                    kind.read(given, scope)

    def named(self, make: Make, given: Given, scope: Scope) -> Named:
        """An exhibit of the page, with the inputs that its address says. Raises Wrong."""
        return Named.given(self.name, make, given, self.scoped(scope))

    def scoped(self, scope: Scope) -> Scope:
        """The scope of its questions: without a period where the reader chooses none."""
        return scope if self.has_period else scope.without_period()

    def shown(self, scope: Scope, ask: Ask, given: Given) -> Iterator[Named]:
        """The exhibits that stand on the page under a scope, and with the inputs of its address, in the order of reading."""
        scope = self.asked_of(self.scoped(scope))
        known: dict[Condition, bool] = {}
        for conditions, part in _walk(self.layout):
            for holds in conditions:
                if holds not in known:
                    known[holds] = holds(scope, ask, *chosen(holds, given, scope))
            if not all(known[holds] for holds in conditions):
                continue
            if isinstance(part, Section) and part.held:
                yield from (Named(self.name, make, scope, inputs) for make, inputs in part.held(scope, ask, given))
            else:
                makes = part.makes if isinstance(part, Section) else (part,)
                yield from (Named(self.name, make, scope, chosen(make, given, scope)) for make in makes)


def _walk(
    parts: Iterable[Part], conditions: tuple[Condition, ...] = ()
) -> Iterator[tuple[tuple[Condition, ...], Make | Section]]:
    """Each exhibit and section of a layout, with the conditions under which it stands there."""
    for part in parts:
        match part:
            case Columns(columns=columns):
                for column in columns:
                    yield from _walk(column, conditions)
            case Folded(parts=inside):
                yield from _walk(inside, conditions)
            case When(holds=holds, parts=inside):
                yield from _walk(inside, (*conditions, holds))
            case Figure(make=make) | Findings(make=make) | Cards(make=make) | Tabled(make=make) | Listed(make=make):
                yield conditions, make
            case Heading() | Words():
                pass
            case _:
                yield conditions, part


def has_map(scope: Scope, ask: Ask) -> bool:
    """Whether a map of provinces has something to compare."""
    return scope.has_map


def is_above_counties(scope: Scope, ask: Ask) -> bool:
    """Whether no county or institute is chosen."""
    return not BELOW_PROVINCE & {*scope.where}
