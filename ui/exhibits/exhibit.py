"""The value that screen, table, file and paper take, and its forms."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME
from ui.charts.chart import Chart, drawn_chart
from ui.charts.elements import ChartContext, Figure
from ui.charts.titles import Title
from ui.i18n import text
from ui.state.scope import Scope
from ui.summary.claims import Claim, Said


@dataclass(frozen=True)
class Drawing:
    """A chart, and the options it takes besides the answer. `value` is that of a single group, above its trend."""

    chart: Chart
    options: tuple[tuple[str, Any], ...] = ()
    value: str = ""


@dataclass(frozen=True)
class Value:
    """A finding in words, with a single value in words or none: of one group, with nothing to compare and no months."""

    value: str = ""


@dataclass(frozen=True)
class Link:
    """Where more is: a part of the menu, and its parameters besides the scope. Each channel writes its own address."""

    part: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Span:
    """Words of a line; `kind` is better, worse or strong, `about` what a screen reader hears of a link."""

    words: str
    kind: str = ""
    link: Link | None = None
    about: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True)
class Card:
    """One number in words, with its unit and the lines below it. `measure` names its column."""

    value: str
    unit: str = ""
    lines: tuple[Line, ...] = ()
    measure: str = ""


@dataclass(frozen=True)
class Progress:
    """How much of a target of its own is reached: its share, and in words where the bar ends and what the whole of it is."""

    share: float
    here: str
    target: str


@dataclass(frozen=True)
class Table:
    """The rows of the answer.

    `remarks` says of each of its measures that it is better or worse, where a table does; `total` is the row of the whole, and
    `trends` the months of each row. `first` are the members that a sentence above names, which a table opens with.
    """

    remarks: tuple[str, ...] = ()
    total: Answer | None = None
    trends: Answer | None = None
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """Findings in words alone, one a line, with the names that stand out in them. Empty where there is none.

    `names` are those that it counts, for who wants to know.
    """

    lines: tuple[Line, ...] = ()
    progress: Progress | None = None
    names: tuple[str, ...] = ()
    # Of each line.
    claims: tuple[tuple[Claim, ...], ...] = ()


@dataclass(frozen=True)
class Action:
    """What is to be done, whom it concerns, since or until when, and the list of them.

    `why` is the reason, where more than who and when is to be said. `count` is how many the sentence names; `only` are the
    provinces to which it is narrowed for lack of rights.
    """

    kind: str
    count: float
    sentence: str
    who: str
    when: str
    link: Link
    only: str = ""
    why: str = ""
    claims: tuple[Claim, ...] = ()

    @property
    def whom(self) -> str:
        return " · ".join(filter(None, (self.only, self.who)))

    @property
    def code(self) -> str:
        """What tells it from the other ones of a place, also in a later publication."""
        return "|".join([self.kind, *dict(self.link.parameters).get("province", ())])

    @property
    def about(self) -> str:
        return " · ".join(filter(None, (self.whom, self.when, self.why)))


@dataclass(frozen=True)
class Actions:
    """What needs action, the most urgent first; `more` says how many `others` there are, `none` that nothing does."""

    items: tuple[Action, ...]
    others: tuple[Action, ...]
    more: str
    none: str


@dataclass(frozen=True)
class Rows:
    """A small table in words: its heads, and the cells of each row."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Nothing:
    """No number, and why: the key of a notice's title, and its words; or what failed.

    The answer, if there is one, still goes into a file.
    """

    title: str
    words: str = ""
    failed: Exception | None = None


Form = Drawing | Value | Card | Table | Sentence | Actions | Rows | Nothing


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
    # A sentence between title and chart, and what it claims.
    intro: str = ""
    intro_claims: tuple[Claim, ...] = ()
    # Of one card in a row of them, the measure; else empty.
    name: str = ""
    # In words where a list ends; empty for one that has no end.
    limit: str = ""
    # The filters of its scope that its numbers do not have, in a sentence; empty where they have all.
    no_effect: str = ""

    @property
    def below(self) -> str:
        """The line below the title."""
        return " · ".join(filter(None, (self.subtitle, self.cases)))

    @property
    def says_anything(self) -> bool:
        """Whether there is more than a sentence without words."""
        return not isinstance(self.form, Sentence) or bool(self.form.lines or self.own_notes)

    @property
    def sentences(self) -> list[str]:
        """Its findings in words."""
        assert isinstance(self.form, Sentence)
        return ["".join(span.words for span in line) for line in self.form.lines]

    @property
    def stated(self) -> list[Said]:
        """Its title and its sentences, each with what it claims."""
        found = [Said(self.title.sentence, self.title.claims), Said(self.intro, self.intro_claims)]
        if isinstance(self.form, Sentence):
            claims = self.form.claims or ((),) * len(self.form.lines)
            found += [Said(words, claimed) for words, claimed in zip(self.sentences, claims, strict=True)]
        if isinstance(self.form, Actions):
            items = (*self.form.items, *self.form.others)
            found += [Said(" · ".join(filter(None, (item.sentence, item.about))), item.claims) for item in items]
        return [said for said in found if said]

    def said(self, lang: str) -> str:
        """What it says in words where it has no number."""
        if isinstance(self.form, Nothing):
            return self.form.words or text.word(self.form.title, lang)
        found = " ".join(self.sentences) if isinstance(self.form, Sentence) else self.title.sentence
        return found or text.word("state.empty", lang)

    def context(self, dark: bool = False) -> ChartContext:
        return ChartContext(self.lang, dark, self.names)

    def drawn(self, dark: bool = False) -> tuple[Figure, str]:
        """Its figure, and the text of it for screen readers. The same figure for the same exhibit. Only of a Drawing."""
        assert isinstance(self.form, Drawing)
        assert self.answer is not None
        return drawn_chart(self.answer, self.form.chart, self.context(dark), self.title, self.below, self.form.options)

    def in_order(self) -> Sequence[tuple[Any, ...]]:
        """The rows of its table in the order of its chart, and what that leaves out behind them; time has an order of its own."""
        assert self.answer is not None
        rows = self.answer.rows
        if not isinstance(self.form, Drawing) or {*TIME} & {*self.answer.by}:
            return rows
        shown = {row: place for place, row in enumerate(self.form.chart.order(self.answer))}
        return sorted(rows, key=lambda row: shown.get(row, len(shown)))

    def all_notes(self, dark: bool = False) -> tuple[list[str], list[str]]:
        """The notes below the figure on screen, and all of them, as a picture has them."""
        meta = self.drawn(dark)[0]["layout"]["meta"] if isinstance(self.form, Drawing) else {}
        credit, boundaries = ([meta[name]] if name in meta else [] for name in ("credit", "boundaries"))
        on_screen = [*dict.fromkeys((*self.own_notes, *credit, *self.notes))]
        return on_screen, [*on_screen, *boundaries]


# Around a name that stands out in a sentence, until its line is made of spans.
_BEGIN, _END = "\ue000", "\ue001"
_NAME = re.compile(f"{_BEGIN}(.*?){_END}")


def standing_out(name: str) -> str:
    """A name within a sentence of `sentence` that stands out in it."""
    return f"{_BEGIN}{name}{_END}"


def sentence(
    scope: Scope,
    said: Iterable[str | Said],
    answer: Answer | None = None,
    kind: str = "strong",
    progress: Progress | None = None,
    notes: Iterable[str] = (),
    names: Iterable[str] = (),
) -> Exhibit:
    """Findings in words alone, with the answer behind them; `kind` is that of the names that stand out."""
    told = [words if isinstance(words, Said) else Said(words) for words in said if words]
    lines, claims = tuple(_spans(one.words, kind) for one in told), tuple(one.claims for one in told)
    return Exhibit(scope.lang, Sentence(lines, progress, tuple(names), claims), answer, own_notes=tuple(notes))


def _spans(words: str, kind: str) -> Line:
    # Each second part is a name.
    parts = enumerate(_NAME.split(words))
    return tuple(Span(part, kind if at % 2 else "") for at, part in parts if part)


def said(scope: Scope, title: str, below: str = "") -> Exhibit:
    """A heading that says why there is no chart."""
    return Exhibit(scope.lang, Value(), title=Title(title), subtitle=below)
