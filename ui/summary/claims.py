"""What a sentence says, as a value that anybody can work out again.

"Coverage is below half of the provincial average in 14 counties" is

    Claim("count", "coverage_per_10k", by=("county",), where=(("province", ("IR-11",)),), side="below:0.5whole", number=14)

Named may be few; counted, ranked and summed is everything: `most` and `least` are the first of all groups that the question
gives, a `count` counts every group on its side, whoever is named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, Protocol

from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, catalogue
from etl.semantic.ranking import is_full_count

Kind = Literal["value", "change", "count", "most", "least", "all", "none", "month", "sum"]
Filters = tuple[tuple[str, tuple[str, ...]], ...]
# The sides of a full count, as bounds; those of a share are what `analyse different` says.
BOUNDS = {
    "far_lower": "below:0.5whole",
    "lower": "below:0.75whole",
    "higher": "above:1.3333whole",
    "far_higher": "above:2whole",
}
_LINE = "python -m etl"


@dataclass(frozen=True)
class Claim:
    """A claim about a measure: what would be asked, who is named, and the number, as it is before it is rounded for the screen.

    `side`: of a count, lower or higher (of `analyse different`), below:0.5whole, below:0.95, above:N, zero or missing.
    `least_size`: groups of fewer are left out, and the sentence says so. `analysis`: what gives the measure, if `ask` does not.
    """

    kind: Kind
    metric: str
    by: tuple[str, ...] = ()
    where: Filters = ()
    on: date | None = None
    over: tuple[date, date] | None = None
    before: date | None = None
    side: str = ""
    members: tuple[Any, ...] = ()
    values: tuple[Any, ...] = ()
    least_size: int = 0
    number: Any = None
    analysis: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def check(self) -> str:
        """The commands that work it out again."""
        days = (self.on, self.before) if self.before else (self.on,)
        commands = [self._command(self.metric, day) for day in days]
        if is_full_count(self.metric) and self.by == ("county",):
            # Who has nobody is in the one and not in the other.
            commands.append(self._command(str(catalogue()[self.metric].denominator), self.on))
        return " && ".join(commands)

    def _command(self, metric: str, on: date | None) -> str:
        words = [_LINE, "analyse", self.analysis] if self.analysis else [_LINE, "ask", metric]
        if self.by and not self.analysis:
            words += ["--by", ",".join(self.by)]
        if on:
            words += ["--on", on.isoformat()]
        if self.over:
            words += ["--over", "..".join(day.isoformat() for day in self.over)]
        for name, codes in self.where:
            words += ["--where", f"{name}={','.join(codes)}"]
        for name, value in self.options:
            words += ["--set", f"{name}={value}"]
        return " ".join(words)

    def record(self) -> dict[str, Any]:
        """Its fields for programs."""
        over = "..".join(day.isoformat() for day in self.over) if self.over else None
        return {
            "kind": self.kind,
            "metric": self.metric,
            "by": list(self.by),
            "where": {name: list(codes) for name, codes in self.where},
            "on": self.on and self.on.isoformat(),
            "before": self.before and self.before.isoformat(),
            "over": over,
            "side": self.side,
            "least_size": self.least_size,
            "members": list(self.members),
            "values": list(self.values),
            "number": self.number,
            "check": self.check,
        }


class Asked(Protocol):
    """A question of an analysis (`ui.data.ask.Question`)."""

    @property
    def analysis(self) -> str: ...
    @property
    def on(self) -> date | None: ...
    @property
    def over(self) -> tuple[date, date] | None: ...
    @property
    def filters(self) -> Filters: ...
    @property
    def options(self) -> tuple[tuple[str, Any], ...]: ...


@dataclass(frozen=True)
class Said:
    """A sentence and what it claims. Empty where there is nothing to say."""

    words: str = ""
    claims: tuple[Claim, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words)


def together(parts: Iterable[Said]) -> Said:
    """Sentences that follow each other."""
    said = [part for part in parts if part]
    return Said(" ".join(part.words for part in said), tuple(claim for part in said for claim in part.claims))


def claim(kind: Kind, answer: Answer, name: str = "", **said: Any) -> Claim:
    """A claim about a measure of an answer, the first unless named."""
    metric = next((one for one in answer.metrics if one.name == name), answer.metrics[0])
    known = catalogue().get(metric.name)
    is_flow = known is not None and known.kind == "event"
    is_timed = is_flow or not answer.on or bool({*TIME} & {*answer.by})
    where = tuple(sorted((axis, tuple(codes)) for axis, codes in answer.where.items()))
    return Claim(
        kind,
        name or metric.name,
        **(
            {
                "by": answer.by,
                "where": where,
                "on": None if is_timed and answer.over else answer.on,
                "over": answer.over if is_timed else None,
            }
            | said
        ),
    )


def rows(answer: Answer, named: Sequence[Sequence[Any]], name: str = "") -> dict[str, Any]:
    """The members and values of rows of an answer, as a claim names them; members of several dimensions are joined."""
    metric = name or answer.metrics[0].name
    at, first = answer.columns.index(metric), len(answer.by)
    return {
        "members": tuple(member_of(row[:first]) for row in named),
        "values": tuple(row[at] for row in named),
    }


def member_of(key: Sequence[Any]) -> Any:
    """The code of a group: of several dimensions all of them."""
    return key[0] if len(key) == 1 else "|".join("" if code is None else str(code) for code in key)


def value(answer: Answer, name: str = "", **said: Any) -> Claim:
    """The number of an answer of one row."""
    made = claim("value", answer, name, **said)
    return made if made.number is not None else replace(made, number=answer.value(made.metric))


def of_analysis(claims: Iterable[Claim], asked: Asked) -> tuple[Claim, ...]:
    """The claims about numbers that an analysis gives under this question."""
    options = tuple((name, str(value)) for name, value in asked.options)
    return tuple(
        one
        if one.analysis
        else replace(one, analysis=asked.analysis, on=asked.on, over=asked.over, where=asked.filters, options=options)
        for one in claims
    )


def ends(answer: Answer, groups: Sequence[Sequence[Any]], name: str = "", least_size: int = 0) -> tuple[Claim, ...]:
    """The lowest and the highest of the groups, as a range says them."""
    metric = name or answer.metrics[0].name
    at = answer.columns.index(metric)
    in_order = sorted(groups, key=lambda row: (row[at], str(row[0])))
    kinds: tuple[Kind, ...] = ("least", "most")
    return tuple(
        claim(kind, answer, name, least_size=least_size, **rows(answer, [row], name))
        for kind, row in zip(kinds, (in_order[0], in_order[-1]), strict=True)
    )
