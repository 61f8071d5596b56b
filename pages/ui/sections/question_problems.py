"""Why a question has no meaning by the catalogue, and the remedies. Independent of Streamlit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from etl.semantic.answers import Metric
from etl.semantic.catalog import TIME


@dataclass(frozen=True)
class Remedy:
    """One remedy: remove a measure, a dimension or a filter."""

    kind: str
    name: str


@dataclass(frozen=True)
class Problem:
    """A reason why a question has no meaning: its key in text.toml under `refused`, what it concerns, and the remedies."""

    reason: str
    measure: str = ""
    dimensions: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()


def problems_of(
    catalogue: Mapping[str, Metric], names: Sequence[str], by: Sequence[str], where: Iterable[str]
) -> list[Problem]:
    """All reasons why a question has no meaning; empty if it has one."""
    problems: list[Problem] = []
    if not names:
        problems.append(Problem("no_measure"))
    units = [name for name in by if name in TIME]
    if len(units) > 1:
        problems.append(
            Problem("two_times", dimensions=tuple(units), remedies=tuple(Remedy("by", name) for name in units))
        )
    kinds = dict.fromkeys(by, "by") | {name: "where" for name in where if name not in by}
    for name in names:
        metric, measure = catalogue[name], Remedy("m", name)
        for dimension, kind in kinds.items():
            if dimension not in metric.dimensions:
                remedies: tuple[Remedy, ...] = (Remedy(kind, dimension), measure)
                problems.append(Problem(f"not_{kind}", name, (dimension,), remedies))
        together = tuple(dimension for dimension in kinds if dimension in metric.mutually_exclusive)
        if len(together) > 1:
            remedies = (*(Remedy(kinds[dimension], dimension) for dimension in together), measure)
            problems.append(Problem("apart", name, together, remedies))
    return problems
