"""Why a question has no meaning by the catalogue, and the remedies. Independent of Streamlit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from etl.semantic.answers import Metric
from etl.semantic.catalog import TIME


@dataclass(frozen=True)
class Way:
    """One remedy: remove a measure, a dimension or a filter."""

    kind: str
    name: str


@dataclass(frozen=True)
class Trouble:
    """A reason why a question has no meaning: its key in text.toml under `refused`, what it concerns, and the remedies."""

    reason: str
    measure: str = ""
    dimensions: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()


def troubles(
    catalogue: Mapping[str, Metric], names: Sequence[str], by: Sequence[str], where: Iterable[str]
) -> list[Trouble]:
    """All reasons why a question has no meaning; empty if it has one."""
    problems: list[Trouble] = []
    if not names:
        problems.append(Trouble("no_measure"))
    units = [name for name in by if name in TIME]
    if len(units) > 1:
        problems.append(Trouble("two_times", dimensions=tuple(units), ways=tuple(Way("by", name) for name in units)))
    filters = [name for name in where if name not in by]
    for name in names:
        metric, measure = catalogue[name], Way("m", name)
        for dimension in by:
            if dimension not in metric.dimensions:
                problems.append(Trouble("not_by", name, (dimension,), (Way("by", dimension), measure)))
        for dimension in filters:
            if dimension not in metric.dimensions:
                problems.append(Trouble("not_where", name, (dimension,), (Way("where", dimension), measure)))
        together = [dimension for dimension in dict.fromkeys((*by, *filters)) if dimension in metric.mutually_exclusive]
        if len(together) > 1:
            ways = tuple(Way("by" if dimension in by else "where", dimension) for dimension in together)
            problems.append(Trouble("apart", name, tuple(together), (*ways, measure)))
    return problems
