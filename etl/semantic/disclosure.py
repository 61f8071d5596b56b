"""Disclosure control for files in circulation: person counts are rounded to fives, and no other number reveals more.

A ratio of exact parts discloses them: of 24 persons, only 12 are 50 %. So ratios of few people are computed from the rounded
counts. From 100 people on a share is the exact one in whole per cent, as the screen has it. Where only one number of people
gives it beside the rounded counts, it is left out.

Beside few persons, the number of counties or institutes that have them discloses them too: it is exact or left out. Sums can
disclose more: four counts published as 5 with a total published as 10 are 3 each. Where a row or column of a table discloses its
cells like that, one of them is rounded the other way. A group without people has no row, so that a 0 would be 1 or 2: groups
whose counts are all rounded to 0, or that have no number left, have none either. Groups keep the order of their exact numbers.
Several files of one table as small as two by three can still disclose cells together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from itertools import product
from typing import Any

from etl.core.errors import QuestionError
from etl.semantic.answers import Answer, cells_left_out
from etl.semantic.calculations import Calculated, extended
from etl.semantic.catalog import DIMENSIONS, TIME, Metric, catalogue, described, expand, tables
from etl.semantic.combine import formula, ratio
from etl.semantic.exportable import StoredRows, StreamedRows
from etl.semantic.units import Rounded, decimals_of, like, rounded_half_up

STEP = 5
# More than five times the hours of the longest course, so that hours disclose no more than person counts do.
HOURS_STEP = 500
# The minimum of persons behind a ratio, and of cases behind a median or a percentile.
FEWEST, FEWEST_CASES = 23, 8
# From this many people on a share is the exact one.
MANY = 100
# One decimal fewer than on screen; for a share those of its percentage.
_DECIMALS = {unit: decimals_of(unit) - 1 for unit in ("share", "per_10k", "per_100km2", "per_100k")}
# The ratios of many people that are exact.
_EXACT_UNITS = frozenset(_DECIMALS)
_RATIOS = ("share", "ratio", "per_10k", "per_100km2", "per_100k")
# Columns of one row whose sum is published too.
_PARTS = ("status_in_date", "status_pending", "status_expired", "status_overdue")

# What is counted exactly, or not at all beside few people.
_PLACES = frozenset({"counties", "institutes", "licences", "seats"})
_SERVE, _ACTIVE = "in_service", "active_assistants"

# Answers further metrics by the same dimensions, days and filters.
Ask = Callable[..., Answer]
_Cell = tuple[int, int]
# A part and its whole, as counts.
_Pair = tuple[Any, Any]
# The least and the largest count, and the step between them: 0 of one that is known.
_Window = tuple[Any, Any, Any]


class NotForCirculation(ValueError):
    """Rows about single persons never circulate."""


@dataclass(frozen=True, eq=False)
class Circulated(Answer):
    """An Answer that may circulate.

    `ranks` holds the position of each group by each exact number, `groups_in_all` the number of groups before those of few
    people were left out (None where few people are in all of them).
    """

    ranks: Mapping[str, Mapping[tuple[Any, ...], int]] = field(default_factory=dict)
    groups_in_all: int | None = None

    def order(self, row: Sequence[Any], name: str) -> Any:
        """What orders a row by one of its numbers: its position by the exact one; None without a number."""
        key = tuple(row[: len(self.by)])
        return None if super().order(row, name) is None else self.ranks.get(name, {}).get(key, super().order(row, name))

    def share(self, part: float, whole: float) -> float:
        """A share that a chart works out of two rounded counts, in whole per cent."""
        decimals = _DECIMALS["share"]
        # Without the sign of a negative zero.
        return Rounded(rounded_half_up(part / whole, decimals + 2) + 0, decimals)

    @property
    def groups(self) -> int | None:
        """How many groups there are, with those that are not listed; None if that may not be shown."""
        return self.groups_in_all

    def with_number(self, name: str) -> set[tuple[Any, ...]]:
        """The keys of the groups that have a number, circulated or not."""
        return {*self.ranks.get(name, ())}


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
    if isinstance(source, Calculated):
        rounded_rows = for_circulation(source.without(), ask)
        calculation = source.calculation.of(lambda beside: for_circulation(beside, ask))
        return replace(rounded_rows, **extended(rounded_rows, calculation))
    extra_by_group = _extra_numbers(source, ask)
    extras = [extra_by_group.get(row[: len(source.by)], {}) for row in source.rows]
    rows = [list(row) for row in source.rows]
    metrics = {name: described(name, source.metrics) for name in source.columns[len(source.by) :]}
    counts = _counts(metrics)
    _round_counts(source, metrics, rows)
    _quote(source, rows)
    few: set[tuple[tuple[Any, ...], str]] = set()
    for at, name in enumerate(source.columns):
        if name in metrics and name not in counts:
            for row, extra, before in zip(rows, extras, source.rows, strict=True):
                cells, exact = (dict(zip(source.columns, one, strict=True)) for one in (row, before))
                row[at] = _recomputed(metrics[name], row[at], cells, exact, metrics, extra)
                if row[at] is None and _is_of_few(metrics[name], cells, metrics, extra):
                    few.add((tuple(row[: len(source.by)]), name))
    people = _people_behind(source, metrics, ask)
    _leave_out_places(source, metrics, people, rows)
    if source.by == ("side",):
        _recompute_differences(source.rows, rows)
    _recompute_gap(source.columns, rows)
    # Also those without a value: beside the others they would tell that there is nobody.
    hidden = source.hidden | cells_left_out(source.by, source.columns, source.rows, rows) | few
    persons = [source.columns.index(name) for name in counts]
    if set(source.by) & set(DIMENSIONS) - set(TIME):
        rows = [row for row in rows if _is_listed(row, persons, len(source.by))]
    own = {field.name: getattr(source, field.name) for field in fields(source)}
    in_all = _groups_in_all(source, persons)
    ranks = {name: _ranks(source, name) for name in metrics}
    changed = {"rows": [tuple(row) for row in rows], "hidden": hidden, "ranks": ranks, "groups_in_all": in_all}
    return Circulated(**own | changed)


def _is_listed(row: Sequence[Any], persons: Sequence[int], first: int) -> bool:
    """Whether a group circulates: one of its counts of people is not rounded to 0; of what counts no people, a value is left."""
    known = [row[at] for at in persons if _is_number(row[at])]
    return any(known) or (not known and any(value is not None for value in row[first:]))


def _groups_in_all(source: Answer, persons: Sequence[int]) -> int | None:
    """The number of groups; None beside few people, and where institutes or counties have no number of people beside them."""
    if not persons and {"institute", "county"} & {*source.by}:
        return None
    sums = [sum(row[at] for row in source.rows if _is_number(row[at])) for at in persons]
    return None if sums and max(sums) < FEWEST else len(source.rows)


def _ranks(source: Answer, name: str) -> dict[tuple[Any, ...], int]:
    """The position of each group by a number, the smallest first; groups with the same number share one."""
    at, first = source.columns.index(name), len(source.by)
    values = {tuple(row[:first]): row[at] for row in source.rows if _is_number(row[at])}
    position = {value: number for number, value in enumerate(sorted(set(values.values())))}
    return {key: position[value] for key, value in values.items()}


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


def _quote(answer: Answer, rows: list[list[Any]]) -> None:
    """What officials or other countries say stands as they say it.

    The difference to it is that of the rounded count: the exact one rounded would disclose the count. What else was announced, a
    share of unknown people, stands alone.
    """
    names = ("metric", "announced_value", "registered_value", "announced_difference")
    if set(names) <= {*answer.columns}:
        name, said, here, apart = map(answer.columns.index, names)
        for row, exact in zip(rows, answer.rows, strict=True):
            row[said] = exact[said]
            if catalogue()[exact[name]].counts != "persons":
                row[here] = None
            row[apart] = None if row[here] is None else row[here] - row[said]
    if "sureness" in answer.by:
        at = answer.by.index("sureness")
        for row, exact in zip(rows, answer.rows, strict=True):
            if exact[at] != "register":
                row[:] = exact


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
    metric: Metric | None,
    value: Any,
    cells: dict[str, Any],
    exact: dict[str, Any],
    metrics: dict[str, Metric | None],
    extra: dict[str, Any],
) -> Any:
    """A number that is no person count; None if it is suppressed. `cells` is its row with rounded counts, `exact` before.

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
    names = (part, whole)
    persons = _persons_of(metric, metrics) if metric.unit in _EXACT_UNITS else []
    if persons and cells[persons[0]] >= MANY and None not in (exact[part], exact[whole]):
        is_person = [name in persons for name in names]
        told = _told(metric, [exact[name] for name in names], [cells[name] for name in names], is_person)
        if told is not None or metric.unit == "share":
            return told
    result = ratio(metric, cells[part], cells[whole])
    return None if result is None else _rounded_off(metric, result)


def _told(metric: Metric, counts: Sequence[Any], shown: Sequence[Any], is_person: Sequence[bool]) -> float | None:
    """The value of a ratio of many people by its exact counts; None if these are not given. `shown` are its rounded counts."""
    told, told_beside = (_told_of(metric.name, *map(_window, chosen, counts, is_person)) for chosen in (counts, shown))
    if metric.unit != "share":
        # All rates whose counts are rounded alike, or none: which of them it is would tell.
        return None if None in told.values() else _rounded_off(metric, ratio(metric, *counts))
    value = told.get(tuple(counts))
    # Counts that are rounded the other way are beside other shares.
    return value if value in told_beside.values() else None


def _window(count: Any, exact: Any, is_person: bool) -> _Window:
    """The least and the largest count that is rounded like this one, and the step between them: half a person in a mean."""
    if not is_person:
        return exact, exact, 0
    middle, is_whole = rounded(count), isinstance(exact, int)
    return max(middle - (STEP // 2 if is_whole else STEP / 2), 0), middle + STEP // 2, 1 if is_whole else 0.5


@lru_cache(maxsize=20_000)
def _told_of(name: str, part: _Window, whole: _Window) -> dict[_Pair, float | None]:
    """The value of a ratio by each pair of counts in these windows; None where it is left out.

    Of the counts that are shown as 305 of 400 only 303 of 402 are 75 %: left out, for it would tell both. So are 304 of 398 and
    305 of 400, though others are 76 % too: a share that is missing leaves three parts, wholes and rests possible, a value two,
    where these are people.
    """
    metric = described(name)
    assert metric
    alike: dict[float, set[_Pair]] = {}
    for one, other in product(_steps(part), _steps(whole)):
        if other and (metric.unit != "share" or one <= other or not whole[2]):
            alike.setdefault(_rounded_off(metric, ratio(metric, one, other)), set()).add((one, other))

    def people(pair: _Pair) -> list[Any]:
        """The part, the whole and the rest of a pair, as far as they count people."""
        is_person = (part[2], whole[2], part[2] and whole[2])
        return [count for count, asked in zip((*pair, pair[1] - pair[0]), is_person, strict=True) if asked]

    def possible(pairs: Iterable[_Pair]) -> list[set[Any]]:
        return [set(counts) for counts in zip(*map(people, pairs), strict=True)]

    def fewest(pairs: Iterable[_Pair]) -> int:
        return min(map(len, possible(pairs)))

    left_out = {pair for pairs in alike.values() if fewest(pairs) < 2 for pair in pairs}
    told = [pairs for pairs in alike.values() if not pairs & left_out]
    while left_out and told and fewest(left_out) < 3:
        left = possible(left_out)
        candidates = [
            (-sum(count not in counts for count, counts in zip(people(pair), left, strict=True)), pair, pairs)
            for pairs in told
            for pair in pairs
        ]
        # The one that adds the most counts, of a value that has enough without it.
        candidates.sort(key=lambda candidate: candidate[:2])
        more = next(({pair} for _, pair, pairs in candidates if fewest(pairs - {pair}) > 1), min(told, key=len))
        left_out |= more
        told = [kept for pairs in told if (kept := pairs - more)]
    return {pair: None if pair in left_out else value for value, pairs in alike.items() for pair in pairs}


def _steps(window: _Window) -> Iterable[Any]:
    """The counts of a window."""
    first, last, step = window
    return (first + number * step for number in range(int((last - first) / step) + 1)) if step else (first,)


def _is_of_few(
    metric: Metric | None, cells: dict[str, Any], metrics: dict[str, Metric | None], extra: dict[str, Any]
) -> bool:
    """Whether too few people or cases are behind a ratio, a median or a percentile."""
    if metric and metric.sample_size:
        return (extra.get(metric.sample_size) or 0) < FEWEST_CASES
    if not metric or not {metric.numerator, metric.denominator} <= cells.keys():
        return False
    persons = _persons_of(metric, metrics)
    return bool(persons) and (cells[persons[0]] is None or cells[persons[0]] < rounded(FEWEST))


def _persons_of(metric: Metric, metrics: dict[str, Metric | None]) -> list[str]:
    """The parts of a ratio that count people; the first of them sizes its group."""
    parts = (str(metric.denominator), str(metric.numerator))
    return [name for name in parts if not (term := metrics.get(name)) or term.counts == "persons"]


def _rounded_off(metric: Metric, value: Any) -> Any:
    """A number with the digits that circulate."""
    if metric.counts == "seats":
        return int(rounded_half_up(value, 0))
    if metric.unit not in _DECIMALS:
        return float(rounded_half_up(value, decimals_of(metric.unit) or 1))
    decimals = _DECIMALS[metric.unit]
    return Rounded(rounded_half_up(value, decimals + (2 if metric.unit == "share" else 0)), decimals)


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
    """Sample sizes, and parts of counts that the Answer lacks, by the members of its rows."""
    numbers: dict[tuple[Any, ...], dict[str, Any]] = {}
    if not ask or not set(answer.by) <= set(DIMENSIONS):
        return numbers
    timed = bool(set(answer.by) & set(TIME))
    for metric in answer.metrics:
        # The parts of a count are asked for together: lookups have no groups of their own.
        parts = tuple(expand(metric.name, frozenset())) if _rests_on_more(metric) else (metric.sample_size,)
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


def _people_behind(
    answer: Answer, metrics: dict[str, Metric | None], ask: Ask | None
) -> Callable[[str, Sequence[Any]], int | None]:
    """The number of people, active or in service, of the group of a row; None where it is not known.

    Of a dimension that has no people, such as the status of an institute, it is that of all its members.
    """
    asked = sorted({_people_of(metric) for metric in metrics.values() if metric and _counted(metric) & _PLACES})
    # A side of a comparison has places of its own.
    if not ask or "side" in answer.by or not asked:
        return lambda name, row: None
    known = catalogue()[_SERVE].groups
    by = tuple(name for name in answer.by if name in known)
    where = {name: members for name, members in answer.where.items() if name in catalogue()[_SERVE].dimensions}
    last = answer.over[1] if answer.over else answer.on
    timed = bool(set(by) & set(TIME) and answer.over and answer.over[1] <= answer.publication.as_of)
    if not timed:
        # Of months that are planned, nobody is counted yet.
        by, last = tuple(name for name in by if name not in TIME), last and min(last, answer.publication.as_of)
    day = answer.on or last
    try:
        answered = ask(*asked, by=by, on=None if timed else day, over=answer.over if timed else None, where=where)
    except QuestionError:
        return lambda name, row: None
    people = {row[: len(by)]: dict(zip(answered.columns, row, strict=True)) for row in answered.rows}
    at = [answer.by.index(name) for name in by]

    def behind(name: str, row: Sequence[Any]) -> int | None:
        return int(people.get(tuple(row[position] for position in at), {}).get(name) or 0)

    return behind


def _leave_out_places(
    answer: Answer,
    metrics: dict[str, Metric | None],
    people: Callable[[str, Sequence[Any]], int | None],
    rows: list[list[Any]],
) -> None:
    """Leave out counts of counties, institutes, licences and seats, and their shares, beside few persons: in 2 counties there
    are at least 2.

    They are left out also where the persons are not known.
    """
    persons = [at for at, name in enumerate(answer.columns) if name in _counts(metrics)]
    counted = {at: metric for at, name in enumerate(answer.columns) if (metric := metrics.get(name))}
    for row in rows:
        beside = [*filter(_is_number, (row[at] for at in persons))]
        for at, metric in counted.items():
            if _counted(metric) & _PLACES:
                behind = people(_people_of(metric), row)
                known = [*beside, *filter(_is_number, (behind,))]
                if not known or any(rounded(count) < rounded(FEWEST) for count in known):
                    row[at] = None


def _people_of(metric: Metric) -> str:
    """The people of what a metric counts: who is active, or who serves where it counts institutes with and without a licence."""
    names = (metric.name, metric.numerator or "")
    measures = [measure for name in names if name in catalogue() for measure in expand(name, frozenset()).values()]
    return _SERVE if any(tables()[measure.table].model == "institutes" for measure in measures) else _ACTIVE


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
            difference[at] = like(float(rounded_half_up(second[at] - first[at], 3)), second[at]) if is_known else None


def _recompute_gap(columns: Sequence[str], rows: list[list[Any]]) -> None:
    """Recompute the gap to the path of the target, which is known exactly: rounded by itself, it would disclose the count."""
    if "planned_gap" in columns:
        gap, count, exact = map(columns.index, ("planned_gap", "active_assistants", "planned"))
        for row in rows:
            row[gap] = None if row[count] is None or row[exact] is None else round(row[count] - row[exact], 1)
