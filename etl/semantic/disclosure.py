"""Disclosure control for files in circulation: person counts are rounded to fives, and no other number reveals more.

A ratio of exact parts discloses them, even to 0.1 percentage point: of 24 persons, only 12 are 50.0 %. So ratios are computed
from the rounded counts. Beside few persons, the number of counties or institutes that have them discloses them too. Sums can
disclose more: four counts published as 5 with a total published as 10 are 3 each. Where a row or column of a table discloses
its cells like that, one of them is rounded the other way. A group without people has no row, so that a 0 would be 1 or 2:
groups whose counts are all rounded to 0 have none either.
Several files of one table as small as two by three can still disclose cells together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from etl.core.errors import QuestionError
from etl.semantic.answers import Answer, cells_left_out
from etl.semantic.catalog import DIMENSIONS, TIME, Metric, catalogue, described, expand
from etl.semantic.combine import formula, ratio
from etl.semantic.exportable import StoredRows, StreamedRows

STEP = 5
# More than five times the hours of the longest course, so that hours disclose no more than person counts do.
HOURS_STEP = 500
# The minimum of persons behind a ratio, and of cases behind a median or a percentile.
FEWEST, FEWEST_CASES = 23, 8
_DECIMALS = {"share": 3, "per_10k": 2, "per_100km2": 2, "ratio": 2}
_RATIOS = ("share", "ratio", "per_10k", "per_100km2", "per_100k")
# Columns of one row whose sum is published too.
_PARTS = ("status_in_date", "status_pending", "status_expired", "status_overdue")

# Answers further metrics by the same dimensions, days and filters.
Ask = Callable[..., Answer]
_Cell = tuple[int, int]


class NotForCirculation(ValueError):
    """Rows about single persons never circulate."""


@dataclass(frozen=True, eq=False)
class Circulated(Answer):
    """An Answer that may circulate."""


def for_circulation(source: Answer | StreamedRows | StoredRows, ask: Ask | None = None) -> Circulated:
    """The Answer with every number rounded, recomputed or suppressed (None), without groups of fewer than 3 people.

    `ask` fetches counts that the rules need and the Answer lacks; without it, numbers that need them are suppressed. Raises
    NotForCirculation for rows about persons.
    """
    if isinstance(source, Circulated):
        return source
    if isinstance(source, StoredRows):
        source = source.in_memory()
    if isinstance(source, StreamedRows):
        raise NotForCirculation("rows about single persons are not for circulation")
    extra_by_group = _extra_numbers(source, ask)
    extras = [extra_by_group.get(row[: len(source.by)], {}) for row in source.rows]
    rows = [list(row) for row in source.rows]
    metrics = {name: described(name, source.metrics) for name in source.columns[len(source.by) :]}
    counts = _counts(metrics)
    _round_counts(source, metrics, rows)
    few: set[tuple[tuple[Any, ...], str]] = set()
    for at, name in enumerate(source.columns):
        if name in metrics and name not in counts:
            for row, extra in zip(rows, extras, strict=True):
                cells = dict(zip(source.columns, row, strict=True))
                row[at] = _recomputed(metrics[name], row[at], cells, metrics, extra)
                if row[at] is None and _is_of_few(metrics[name], cells, metrics, extra):
                    few.add((tuple(row[: len(source.by)]), name))
    _leave_out_places(source.columns, metrics, extras, rows)
    if source.by == ("side",):
        _recompute_differences(source.rows, rows)
    _recompute_gap(source.columns, rows)
    # Also those without a value: beside the others they would tell that there is nobody.
    hidden = source.hidden | cells_left_out(source.by, source.columns, source.rows, rows) | few
    if set(source.by) & set(DIMENSIONS) - set(TIME):
        persons = [source.columns.index(name) for name in counts]
        rows = [row for row in rows if _is_listed(row, persons)]
    own = {field.name: getattr(source, field.name) for field in fields(source)}
    return Circulated(**own | {"rows": [tuple(row) for row in rows], "hidden": hidden})


def _is_listed(row: Sequence[Any], persons: Sequence[int]) -> bool:
    """Whether a group circulates: one of its counts of people is not rounded to 0, or it has none."""
    known = [row[at] for at in persons if _is_number(row[at])]
    return any(known) or not known


def rounded(value: float, step: int = STEP) -> int:
    """The nearest multiple of `step`, halves away from zero."""
    size = int((2 * abs(value) + step) // (2 * step)) * step
    return -size if value < 0 else size


def _counts(metrics: dict[str, Metric | None]) -> set[str]:
    """The columns that are rounded as person counts."""
    return {
        name for name, metric in metrics.items() if metric and metric.counts == "persons" and not _rests_on_more(metric)
    }


def _rests_on_more(metric: Metric) -> bool:
    """Whether a count has parts that are published exactly: rounded by itself, it would disclose more about its other parts."""
    if metric.counts != "persons" or metric.name not in catalogue():
        return False
    parts = expand(metric.name, frozenset())
    return metric.name not in parts and any(catalogue()[part].counts != "persons" for part in parts)


def _round_counts(answer: Answer, metrics: dict[str, Metric | None], rows: list[list[Any]]) -> None:
    """Round person counts, and round the other way where sums would disclose them."""
    columns = [at for at, name in enumerate(answer.columns) if name in _counts(metrics)]
    for row in rows:
        for at in columns:
            if _is_number(row[at]):
                row[at] = rounded(row[at])
        for at, name in enumerate(answer.columns):
            if (metric := metrics.get(name)) and metric.counts == "hours" and _is_number(row[at]):
                row[at] = rounded(row[at], HOURS_STEP)
    signed = {at for at in columns if any(_is_number(row[at]) and row[at] < 0 for row in answer.rows)}
    lines = [line for line in _lines(answer, columns) if all(isinstance(answer.rows[r][c], int) for r, c in line)]
    lines_of: dict[_Cell, list[list[_Cell]]] = {}
    for line in lines:
        for cell in line:
            lines_of.setdefault(cell, []).append(line)
    shares = _shares(answer.columns, columns)

    def change_needed(line: list[_Cell]) -> int:
        return _change_needed(answer.rows, rows, line, line[0][1] in signed)

    def is_sound(cells: list[_Cell], change: int) -> bool:
        """Whether cells can change together: they stay near their counts, and no line discloses its cells then."""
        _add(change, cells, rows)
        is_near = all(abs(rows[r][c] - answer.rows[r][c]) <= STEP // 2 + 1 for r, c in cells)
        is_closed = is_near and not any(change_needed(line) for cell in cells for line in lines_of.get(cell, ()))
        _add(-change, cells, rows)
        return is_closed

    for _ in range(len(answer.by) + 1):
        # A change in one line can disclose cells of another.
        open_lines = [line for line in lines if change_needed(line)]
        for line in open_lines:
            if change := change_needed(line):
                by_size = sorted(line, key=lambda cell: -abs(rows[cell[0]][cell[1]]))
                choices = (_together(rows, cell, change, shares) for cell in by_size)
                largest = _together(rows, by_size[0], change, shares)
                _add(change, next((cells for cells in choices if is_sound(cells, change)), largest), rows)
        if not open_lines:
            break


def _add(change: int, cells: Iterable[_Cell], rows: list[list[Any]]) -> None:
    for r, c in cells:
        rows[r][c] += change


def _shares(names: Sequence[str], columns: Sequence[int]) -> list[tuple[int, int]]:
    """The columns of a part and its whole, for each share whose two counts are here."""
    at = {names[column]: column for column in columns}
    return [
        (at[str(metric.numerator)], at[str(metric.denominator)])
        for metric in catalogue().values()
        if metric.unit == "share" and metric.numerator in at and metric.denominator in at
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _lines(answer: Answer, columns: Sequence[int]) -> Iterable[list[_Cell]]:
    """Cells whose sum may be published: those that differ in one dimension only, and the parts of a row."""
    for axis in range(len(answer.by)):
        groups: dict[tuple[Any, ...], list[int]] = {}
        for number, row in enumerate(answer.rows):
            groups.setdefault((*row[:axis], *row[axis + 1 : len(answer.by)]), []).append(number)
        for numbers in groups.values():
            for at in columns:
                line = [(number, at) for number in numbers if answer.rows[number][at] is not None]
                if len(line) > 1:
                    yield line
    if set(_PARTS) <= set(answer.columns):
        for number, row in enumerate(answer.rows):
            line = [(number, answer.columns.index(name)) for name in _PARTS]
            if all(row[at] is not None for _, at in line):
                yield line


def _change_needed(
    exact: Sequence[tuple[Any, ...]], rows: Sequence[Sequence[Any]], line: Sequence[_Cell], signed: bool
) -> int:
    """What one cell of a line has to change by so that the sum of the line does not disclose its cells; 0 if it does not."""
    total = rounded(sum(exact[r][c] for r, c in line))
    lowest, highest = (sum(bounds) for bounds in zip(*(_bounds(rows[r][c], signed) for r, c in line), strict=True))
    least, most = _bounds(total, signed)
    if least < highest and lowest < most:
        return 0
    return STEP if highest <= least else -STEP


def _together(
    rows: Sequence[Sequence[Any]], cell: _Cell, change: int, shares: Sequence[tuple[int, int]]
) -> list[_Cell]:
    """The cells of a row that change with one of them, so that no part is larger than its whole."""
    r, at = cell
    columns, row = [at], rows[r]
    for column in columns:
        for part, whole in shares:
            cause, effect = (part, whole) if change > 0 else (whole, part)
            is_equal = row[part] is not None and row[whole] is not None and 0 <= row[whole] - row[part] < STEP
            if cause == column and is_equal and effect not in columns:
                columns.append(effect)
    return [(r, column) for column in columns]


def _bounds(count: int, signed: bool) -> tuple[int, int]:
    """The range of counts that round to `count`."""
    half = STEP // 2
    return count - half if signed else max(count - half, 0), count + half


def _recomputed(
    metric: Metric | None, value: Any, cells: dict[str, Any], metrics: dict[str, Metric | None], extra: dict[str, Any]
) -> Any:
    """A number that is no person count, recomputed from the rounded counts of its row; None if it is suppressed.

    A number that nothing describes is suppressed.
    """
    if not _is_number(value):
        return value
    if metric is None:
        return None
    if _is_of_few(metric, cells, metrics, extra):
        return None
    if metric.sample_size:
        return _rounded_off(metric, value)
    if _rests_on_more(metric):
        return _from_rounded(metric, extra)
    if not metric.numerator and metric.unit not in _RATIOS:
        return _rounded_off(metric, value) if isinstance(value, float) else value
    part, whole = str(metric.numerator), str(metric.denominator)
    if part not in cells or whole not in cells:
        # The number of persons behind it is not known here.
        return _rounded_off(metric, value) if metric.counts != metric.unit else None
    result = ratio(metric, cells[part], cells[whole])
    return None if result is None else _rounded_off(metric, result)


def _is_of_few(
    metric: Metric | None, cells: dict[str, Any], metrics: dict[str, Metric | None], extra: dict[str, Any]
) -> bool:
    """Whether too few people or cases are behind a ratio, a median or a percentile."""
    if metric and metric.sample_size:
        return (extra.get(metric.sample_size) or 0) < FEWEST_CASES
    parts = (str(metric.denominator), str(metric.numerator)) if metric else ()
    if not parts or not set(parts) <= cells.keys():
        return False
    persons = [name for name in parts if not (term := metrics.get(name)) or term.counts == "persons"]
    return bool(persons) and (cells[persons[0]] is None or cells[persons[0]] < rounded(FEWEST))


def _rounded_off(metric: Metric, value: float) -> float:
    return round(float(value), _DECIMALS.get(metric.unit, 1))


def _from_rounded(metric: Metric, extra: dict[str, Any]) -> int | None:
    """A count with exactly published parts, recomputed with its person counts rounded."""
    parts: dict[str, Any] = {name: extra.get(name) for name in expand(metric.name, frozenset())}
    if None in parts.values():
        return None
    rounded_parts = {
        name: [rounded(count) if catalogue()[name].counts == "persons" else count] for name, count in parts.items()
    }
    (result,) = formula(metric.name)(rounded_parts)
    return None if result is None else rounded(result)


def _extra_numbers(answer: Answer, ask: Ask | None) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Sample sizes, people in counties, and parts of counts that the Answer lacks, by the members of its rows."""
    numbers: dict[tuple[Any, ...], dict[str, Any]] = {}
    if not ask or not set(answer.by) <= set(DIMENSIONS):
        return numbers
    timed = bool(set(answer.by) & set(TIME))
    for metric in answer.metrics:
        # The parts of a count are asked for together: lookups have no groups of their own.
        behind = metric.sample_size or ("active_assistants" if "counties" in _counted(metric) else None)
        parts = tuple(expand(metric.name, frozenset())) if _rests_on_more(metric) else (behind,)
        names = [name for name in parts if name]
        if not names:
            continue
        is_event = catalogue()[names[0]].kind == "event"
        day, period = None if is_event else answer.on, answer.over if is_event or timed else None
        try:
            answered = ask(*names, by=answer.by, on=day, over=period, where=answer.where)
        except QuestionError:
            continue
        for row in answered.rows:
            of_row = numbers.setdefault(row[: len(answer.by)], {})
            of_row.update((name, row[answered.columns.index(name)]) for name in names)
    return numbers


def _leave_out_places(
    columns: Sequence[str],
    metrics: dict[str, Metric | None],
    extras: Sequence[dict[str, Any]],
    rows: list[list[Any]],
) -> None:
    """Leave out counts of counties and institutes, and their shares, beside few persons: in 2 counties there are at least 2.

    Those of counties are left out also where the persons are not known.
    """
    persons = [at for at, name in enumerate(columns) if name in _counts(metrics)]
    counted = {at: _counted(metric) for at, name in enumerate(columns) if (metric := metrics.get(name))}
    for row, extra in zip(rows, extras, strict=True):
        behind = [count for name, count in extra.items() if catalogue()[name].counts == "persons"]
        known = [*filter(_is_number, (*(row[at] for at in persons), *behind))]
        is_few = any(rounded(count) < rounded(FEWEST) for count in known)
        for at, kinds in counted.items():
            if ("counties" in kinds and (is_few or not known)) or ("institutes" in kinds and is_few):
                row[at] = None


def _counted(metric: Metric) -> set[str]:
    """What a count counts, or a share and its numerator."""
    return {term.counts for term in (metric, catalogue().get(metric.numerator or "")) if term}


def _recompute_differences(exact: Sequence[tuple[Any, ...]], rows: list[list[Any]]) -> None:
    """Recompute the difference of two sides from their rounded numbers."""
    at_side = {row[0]: number for number, row in enumerate(exact)}
    first, second, difference = (rows[at_side[side]] for side in ("first", "second", "difference"))
    for at, value in enumerate(exact[at_side["difference"]]):
        if _is_number(value):
            is_known = first[at] is not None and second[at] is not None
            difference[at] = round(second[at] - first[at], 3) if is_known else None


def _recompute_gap(columns: Sequence[str], rows: list[list[Any]]) -> None:
    """Recompute the gap to the path of the target, which is known exactly: rounded by itself, it would disclose the count."""
    if "planned_gap" in columns:
        gap, count, exact = map(columns.index, ("planned_gap", "active_assistants", "planned"))
        for row in rows:
            row[gap] = None if row[count] is None or row[exact] is None else round(row[count] - row[exact], 1)
