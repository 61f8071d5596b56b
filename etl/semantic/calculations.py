"""Quick calculations: a column beside a measure of an Answer, worked out from its rows and from answers asked beside it.

Shares are of the total's own question, changes of the same group in another unit of time, never of the row above. A file for
circulation has them of its rounded numbers, for which the answers beside it are rounded too. `etl.analysis.quick_calculations`
says where a calculation has a meaning, and asks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from etl.core import declarations, jalali
from etl.semantic.answers import Answer
from etl.semantic.catalog import TIME, Metric, counts_a_year
from etl.semantic.ranking import comparable
from etl.semantic.units import Nearest, Rounded, rounded_half_up

CALCULATIONS = ("share", "previous", "year", "rank", "index", "running")
PERCENT = "_percent"
_WORDS = Path(__file__).with_suffix(".toml")
_Values = list[Any]
_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Calculation:
    """A calculation, the measures for which it has a meaning, and what it takes besides the rows.

    `total`: the whole, or that of each unit of time. `earlier`: the same groups before; `before`: of each measure the unit before
    each unit, as far as the register tells of it (both are empty where time does not split the rows). `parted`: units of which
    events are counted in part. `tested`: of each measure the groups that may be ranked.
    """

    kind: str
    measures: tuple[str, ...]
    unit: str = ""
    total: Answer | None = None
    earlier: Answer | None = None
    before: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parted: frozenset[str] = frozenset()
    tested: Mapping[str, frozenset[_Key]] = field(default_factory=dict)

    @property
    def beside(self) -> tuple[Answer, ...]:
        """The answers asked beside the rows."""
        return tuple(filter(None, (self.total, self.earlier)))

    def of(self, change: Callable[[Answer], Answer]) -> "Calculation":
        """The calculation with its answers changed."""
        return replace(self, total=self.total and change(self.total), earlier=self.earlier and change(self.earlier))

    def columns(self, metric: Metric) -> tuple[Metric, ...]:
        """The columns beside a measure; they are hidden metrics: nobody asked for them by name."""
        if metric.name not in self.measures:
            return ()
        is_change = self.kind in ("previous", "year")
        has_percent = is_change and metric.unit != "share" and not metric.is_difference
        kinds = (self.kind, *([self.kind + PERCENT] if has_percent else ()))
        return tuple(_column(metric, kind, self.unit) for kind in kinds)


@dataclass(frozen=True, eq=False)
class Calculated(Answer):
    """An Answer with the columns of a calculation, each after its measure."""

    calculation: Calculation = Calculation("", ())

    def without(self) -> Answer:
        """The Answer without those columns."""
        added = {column.name for metric in self.metrics for column in self.calculation.columns(metric)}
        at = [place for place, name in enumerate(self.columns) if name not in added]
        own = {of.name: getattr(self, of.name) for of in fields(Answer)}
        return Answer(
            **own
            | {
                "metrics": tuple(metric for metric in self.metrics if metric.name not in added),
                "columns": tuple(self.columns[place] for place in at),
                "rows": [tuple(row[place] for place in at) for row in self.rows],
            }
        )


def measure_of(column: str) -> str:
    """The measure beside which a column stands; the name itself for any other."""
    for kind in CALCULATIONS:
        for ending in (f"_{kind}", f"_{kind}{PERCENT}"):
            if column.endswith(ending):
                return column.removesuffix(ending)
    return column


def calculated(answer: Answer, calculation: Calculation) -> Calculated:
    """The answer with the columns of a calculation."""
    own = {of.name: getattr(answer, of.name) for of in fields(Answer)}
    return Calculated(**own | extended(answer, calculation), calculation=calculation)


def extended(answer: Answer, calculation: Calculation) -> dict[str, Any]:
    """Metrics, columns and rows of an answer with those of a calculation, each after its measure."""
    metrics: list[Metric] = []
    added: dict[str, _Values] = {}
    for metric in answer.metrics:
        columns = calculation.columns(metric)
        metrics += (metric, *columns)
        values = _VALUES[calculation.kind](answer, calculation, metric) if columns else ()
        added |= {column.name: of for column, of in zip(columns, values, strict=True)}
    names = dict.fromkeys((*answer.by, *(metric.name for metric in metrics), *answer.columns))
    known = {name: [row[place] for row in answer.rows] for place, name in enumerate(answer.columns)}
    rows = [*zip(*({**known, **added}[name] for name in names), strict=True)]
    return {"metrics": tuple(metrics), "columns": tuple(names), "rows": rows}


def _column(metric: Metric, kind: str, unit: str) -> Metric:
    words, is_share = declarations.read(_WORDS), kind == "share" or kind.endswith(PERCENT)
    names = words["unit"].get(unit, {})

    def written(lang: str) -> str:
        label: str = words[kind]["label"][lang].format(measure=metric.label[lang], unit=names.get(lang, ""))
        is_in_points = metric.unit == "share" and kind in ("previous", "year")
        return f"{label} ({words['points'][lang]})" if is_in_points else label

    label = {lang: written(lang) for lang in metric.label}
    return Metric(
        name=f"{metric.name}_{kind}",
        kind=metric.kind,
        unit="share" if is_share else {"rank": "rank", "index": "index"}.get(kind, metric.unit),
        label=label,
        short=label,
        description=words[kind]["description"],
        sql="",
        direction="none",
        group=metric.group,
        hidden=True,
    )


# ---------------------------------------------------------------- values


def _keys(answer: Answer) -> list[_Key]:
    return [tuple(row[: len(answer.by)]) for row in answer.rows]


def _time(answer: Answer) -> int | None:
    """The place of the unit of time in a key."""
    return next((place for place, name in enumerate(answer.by) if name in TIME), None)


def _shares(answer: Answer, calculation: Calculation, metric: Metric) -> Iterator[_Values]:
    total = calculation.total
    assert total
    time = _time(answer) if total.by else None
    whole = dict(zip(_keys(total), total.column(metric.name), strict=True))
    wholes = [whole.get(() if time is None else (key[time],)) for key in _keys(answer)]
    values = zip(answer.column(metric.name), wholes, strict=True)
    yield [None if value is None or not of else answer.share(value, of, metric) for value, of in values]


def _changes(answer: Answer, calculation: Calculation, metric: Metric) -> Iterator[_Values]:
    earlier, time, before = calculation.earlier, _time(answer), calculation.before[metric.name]
    told: dict[_Key, Any] = {}
    if earlier and before:
        told = dict(zip(_keys(earlier), _compared(earlier, metric), strict=True))
    parted = calculation.parted if metric.kind == "event" else frozenset()
    was: list[Any] = []
    for key in _keys(answer):
        unit = "" if time is None else key[time]
        is_known = unit in before and unit not in parted
        at = key if time is None or not is_known else (*key[:time], before[unit], *key[time + 1 :])
        was.append(told.get(at) if is_known else None)
    pairs = [*zip(_compared(answer, metric), was, strict=True)]
    yield [None if None in pair else minus(*pair) for pair in pairs]
    if len(calculation.columns(metric)) > 1:
        yield [None if now is None or not then else answer.share(minus(now, then), then, metric) for now, then in pairs]


def _compared(answer: Answer, metric: Metric) -> _Values:
    """The numbers that can be compared with those of another day."""
    if answer.on and counts_a_year(metric.name) and jalali.is_leap_day(answer.on):
        return [None] * len(answer.rows)
    return comparable(answer).column(metric.name)


def minus(value: Any, was: Any) -> Any:
    """A difference with the decimals of its numbers; None of shares to the nearest five per cent."""
    if isinstance(value, Nearest) or isinstance(was, Nearest):
        return None
    if not isinstance(value, Rounded):
        return value - was
    # Two more decimals keep the points of a share.
    return Rounded(rounded_half_up(value - was, value.decimals + 2) + 0, value.decimals)


def _hundredfold(share: Any) -> Any:
    if share is None or not isinstance(share, Rounded):
        return share and share * 100
    return Rounded(rounded_half_up(share * 100, share.decimals), share.decimals)


def _ranks(answer: Answer, calculation: Calculation, metric: Metric) -> Iterator[_Values]:
    tested = calculation.tested[metric.name]
    values = [
        value if key in tested else None for key, value in zip(_keys(answer), answer.column(metric.name), strict=True)
    ]
    known = sorted((value for value in values if value is not None), reverse=True)
    first: dict[Any, int] = {}
    for place, value in enumerate(known, 1):
        first.setdefault(value, place)
    yield [None if value is None else first[value] for value in values]


def _indices(answer: Answer, calculation: Calculation, metric: Metric) -> Iterator[_Values]:
    time = _time(answer)
    assert time is not None
    parted = calculation.parted if metric.kind == "event" else frozenset()
    values = [
        None if key[time] in parted else value
        for key, value in zip(_keys(answer), _compared(answer, metric), strict=True)
    ]
    first: dict[_Key, Any] = {}
    indices: _Values = [None] * len(values)
    for group, place in _in_time(answer, time):
        value = values[place]
        if value is not None and first.setdefault(group, value):
            indices[place] = _hundredfold(answer.share(value, first[group], metric))
    yield indices


def _running(answer: Answer, calculation: Calculation, metric: Metric) -> Iterator[_Values]:
    time = _time(answer)
    assert time is not None
    values, totals = answer.column(metric.name), dict[_Key, Any]()
    running: _Values = [None] * len(values)
    for group, place in _in_time(answer, time):
        so_far, value = totals.get(group, 0), values[place]
        # Behind a number that is left out, no total is known.
        totals[group] = running[place] = None if None in (so_far, value) else so_far + value
    yield running


def _in_time(answer: Answer, time: int) -> Sequence[tuple[_Key, int]]:
    """The group of each row, without time, and its place, in the order of time."""
    keys = _keys(answer)
    order = sorted(range(len(keys)), key=lambda place: str(keys[place][time]))
    return [((*keys[place][:time], *keys[place][time + 1 :]), place) for place in order]


_VALUES: Mapping[str, Callable[[Answer, Calculation, Metric], Iterator[_Values]]] = {
    "share": _shares,
    "previous": _changes,
    "year": _changes,
    "rank": _ranks,
    "index": _indices,
    "running": _running,
}
