"""Turns columns of numbers into the text that one office would write.

A spelling is a look-up in a small table of strings (the days of 116 years, 100,000 groups of
five digits), so no row is touched in Python.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.synthetic.calendar import FIRST_ORDINAL, spelled_days
from etl.synthetic.habits import COLUMNS, DIGITS, FIRST_MEN, FIRST_WOMEN, LAST, WORDS, YES, Habit
from etl.synthetic.world import Places

SLICE = 250_000  # rows in memory as text at a time
_SCRIPT = {script: str.maketrans(DIGITS["latin"], digits) for script, digits in DIGITS.items()}


class Speller:
    """Turns columns of numbers into the strings of one habit."""

    def __init__(self, habit: Habit, places: Places) -> None:
        self.habit = habit
        self.places = places

    def letters(self, text: str) -> str:
        """Text with this office's letters."""
        return text.replace("ی", "ي").replace("ک", "ك") if self.habit.arabic else text

    def digits(self, text: str) -> str:
        """Text with this office's digits."""
        return in_digits(text, self.habit.digits)

    def header(self, table: str, column: str) -> str:
        if self.habit.headers == "en":
            return column
        names = COLUMNS[table][column][1]
        return self.letters(names[min(self.habit.synonym, len(names) - 1)])

    def _numbers(self, form: str) -> pa.Array:
        return _number_table(form, self.habit.digits)

    def cell(self, kind: str, value: int) -> str:
        """The string of one value."""
        return self.column(kind, np.array([value]))[0].as_py()

    def column(self, kind: str, values: np.ndarray) -> pa.Array:
        """The strings of a column; an empty value is a null."""
        if kind == "date":
            days = _day_table(self.habit.dates, self.habit.digits)
            return _take(days, np.where(values > 0, values - FIRST_ORDINAL, -1))
        if kind in ("score", "hours"):
            return _take(self._numbers("half"), np.where(values >= 0, values * 2, -1).astype(int))
        if kind == "text":
            return pa.array([self.letters(t) for t in values], pa.string())
        if kind == "code":
            return self._padded(values, "02d")
        if kind == "id":
            return pa.array(values).cast(pa.string()) if self.habit.numbers else self._padded(values, "05d")
        if kind in ("application", "licence"):
            code, serial = np.divmod(values, 100)
            mark = "-" if kind == "application" else "/"
            return pc.binary_join_element_wise(self._padded(code, "02d"), _take(self._numbers("02d"), serial), mark)
        if kind == "province" and self.habit.province == "mixed":
            return self._typed_provinces(values)
        spellings = [self.digits(self.letters(choice)) for choice in self._choices(kind)]
        return _take(pa.array(spellings, pa.string()), values)

    def _padded(self, numbers: np.ndarray, form: str) -> pa.Array:
        """Numbers with leading zeros: five digits after those of `form`; a negative number is a null."""
        high, low = np.divmod(numbers, 100_000)
        return pc.binary_join_element_wise(_take(self._numbers(form), high), _take(self._numbers("05d"), low), "")

    def _choices(self, kind: str) -> Sequence[str]:
        """The values of a kind that has few, by index."""
        if kind in WORDS:
            return [words[self.habit.words == "fa"] for words in WORDS[kind]]
        places = self.places
        counties = places.county_codes if self.habit.county == "code" else places.county_names
        choices: dict[str, Sequence[str]] = {
            "province": places.provinces.get(self.habit.province, ()),
            "county": [*counties, *places.new_counties],
            "course": places.courses,
            "yes": YES[self.habit.yes][::-1],
            "first": [*FIRST_MEN, *FIRST_WOMEN],
            "last": LAST,
        }
        return choices[kind]

    def _typed_provinces(self, index: np.ndarray) -> pa.Array:
        """The names of provinces: most rows as in the list, the others as clerks type the name."""
        names = [self._typed(p) for p in range(31)]
        flat = [name for ways in names for name in ways]
        start = np.cumsum([0] + [len(ways) for ways in names])
        turn = np.arange(len(index)) % 13
        width = np.array([len(ways) for ways in names])[index]
        return _take(pa.array(flat), start[index] + np.where(turn < 8, 0, turn % width))

    def _typed(self, province: int) -> list[str]:
        """The name of a province as this office's clerks type it, the usual one first."""
        ways = map(self.letters, (self.places.provinces["name"][province], *self.places.aliases[province]))
        encoding = self.habit.encoding
        return [way for way in ways if way.encode(encoding, "ignore").decode(encoding) == way]

    def table(self, name: str, columns: dict[str, np.ndarray]) -> pa.Table:
        """The rows under the contract's names, every cell a string or null."""
        kinds = COLUMNS[name]
        return pa.table({c: self.column(kinds[c][0], columns[c]) for c in kinds})


def in_digits(text: str, script: str) -> str:
    """Text with its Latin digits in another script."""
    return text if script == "latin" else text.translate(_SCRIPT[script])


@lru_cache
def _day_table(form: str, script: str) -> pa.Array:
    """Every day from FIRST_ORDINAL on, spelled."""
    return pa.array([in_digits(day, script) for day in spelled_days(form)], pa.string())


@lru_cache
def _number_table(form: str, script: str) -> pa.Array:
    """0 to 99,999 as five digits, 0 to 99 as two, or half points from 0 to 500."""
    texts = (
        [f"{n / 2:g}" for n in range(1001)] if form == "half" else [format(n, form) for n in range(10 ** int(form[1]))]
    )
    return pa.array([in_digits(t, script) for t in texts], pa.string())


def _take(table: pa.Array, index: np.ndarray) -> pa.Array:
    """Entries of a look-up table; a negative index is a null."""
    mask = index < 0
    return table.take(pa.array(np.where(mask, 0, index), mask=mask))
