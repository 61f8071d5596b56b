"""The value that screen, table, file and paper take, and its forms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from etl.semantic.answers import Answer
from ui.charts.chart import Chart, drawn_chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.data.ask import Ask, Rounded
from ui.state.scope import Scope


@dataclass(frozen=True)
class Drawing:
    """A chart, and the options it takes besides the answer. `value` is that of a single group, above its trend."""

    chart: Chart
    options: tuple[tuple[str, Any], ...] = ()
    value: str = ""


@dataclass(frozen=True)
class Value:
    """A single value in words: of one group, with nothing to compare and no months."""

    value: str


@dataclass(frozen=True)
class Nothing:
    """No chart, and why: the key of a notice's title, and its words. The answer, if there is one, still goes into a file."""

    title: str
    words: str = ""


Form = Drawing | Value | Nothing


@dataclass(frozen=True, eq=False)
class Exhibit:
    """What one part of a page says, with the answer behind it.

    `subtitle` names measure, place and period; `cases` the exact number of cases, which never circulates. `own_notes` are those
    of the page, `notes` those of every figure of such an answer. `names` are members that the publication or the answer alone
    knows.
    """

    lang: str
    form: Form
    answer: Answer | None = None
    title: Title = field(default_factory=lambda: Title(""))
    subtitle: str = ""
    cases: str = ""
    own_notes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # A trend in place of a chart that has nothing to compare here.
    stands_in: bool = False

    @property
    def below(self) -> str:
        """The line below the title."""
        return " · ".join(filter(None, (self.subtitle, self.cases)))

    def context(self, dark: bool = False) -> ChartContext:
        return ChartContext(self.lang, dark, self.names)

    def drawn(self, dark: bool = False) -> tuple[Figure, str]:
        """Its figure, and the text of it for screen readers. The same figure for the same exhibit. Only of a Drawing."""
        assert isinstance(self.form, Drawing)
        assert self.answer is not None
        return drawn_chart(self.answer, self.form.chart, self.context(dark), self.title, self.below, self.form.options)

    def all_notes(self, dark: bool = False) -> tuple[list[str], list[str]]:
        """The notes below the figure on screen, and all of them, as a picture has them."""
        meta = self.drawn(dark)[0]["layout"]["meta"] if isinstance(self.form, Drawing) else {}
        credit, boundaries = ([meta[name]] if name in meta else [] for name in ("credit", "boundaries"))
        on_screen = [*self.own_notes, *credit, *self.notes]
        return on_screen, [*on_screen, *boundaries]


def draws_the_same(one: Exhibit, other: Exhibit) -> bool:
    """Whether two trends are one: of one measure, with the same number in every month that both have."""
    if one.answer is None or other.answer is None or one.answer.measures != other.answer.measures:
        return False
    first, second = ({row[0]: row[1] for row in exhibit.answer.rows} for exhibit in (one, other) if exhibit.answer)
    return all(first[month] == second[month] for month in first.keys() & second.keys())


# Pure: equal scopes and asks give equal exhibits.
Make = Callable[[Scope, Ask], Exhibit]


@dataclass(frozen=True)
class Made:
    """An exhibit, and what it was made of: so it can be made again for circulation."""

    make: Make
    scope: Scope
    ask: Ask

    @cached_property
    def exhibit(self) -> Exhibit:
        return self.make(self.scope, self.ask)

    def ready(self) -> None:
        """Make the exhibit, in a thread of its own."""
        self.exhibit  # noqa: B018

    def for_circulation(self) -> Exhibit:
        """The same exhibit in rounded numbers."""
        return self.make(self.scope, Rounded(self.ask.exactly))
