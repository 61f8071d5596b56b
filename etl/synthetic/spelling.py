"""Turns columns of numbers into the text that one office would write.

A spelling is a look-up in a small table of strings (the days of 116 years, 100,000 groups of
five digits), so no row is touched in Python.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.synthetic.calendar import FIRST_ORDINAL, YEAR_STARTS, spell_day
from etl.synthetic.habits import COLUMNS, DIGITS, FIRST_MEN, FIRST_WOMEN, LAST, WORDS, YES, Habit
from etl.synthetic.places import Places

SLICE = 250_000  # rows in memory as text at a time
_SCRIPT = {script: str.maketrans(DIGITS["latin"], digits) for script, digits in DIGITS.items()}


class Speller:
    """Turns columns of numbers into the strings of one habit."""

    def __init__(self, habit: Habit, places: Places) -> None:
        self.habit = habit
        self.places = places

    def letters(self, text: str) -> str:
        """Text with this office's letters; only what its encoding can hold."""
        if self.habit.arabic:
            text = text.replace("ی", "ي").replace("ک", "ك")
        return text

    def digits(self, text: str) -> str:
        """Text with this office's digits."""
        return in_digits(text, self.habit.digits)

    def day(self, ordinal: int) -> str:
        return self.digits(spell_day(ordinal, self.habit.dates))

    def word(self, kind: str, index: int) -> str:
        return self.letters(WORDS[kind][index][self.habit.words == "fa"])

    def identity(self, number: int) -> str:
        text = str(number) if self.habit.numbers else f"{number:010d}"
        return self.digits(text)

    def code(self, number: int) -> str:
        return self.digits(f"{number:07d}")

    def header(self, table: str, column: str) -> str:
        if self.habit.headers == "en":
            return column
        names = COLUMNS[table][column][1]
        return self.letters(names[min(self.habit.synonym, len(names) - 1)])

    def _numbers(self, form: str) -> pa.Array:
        return _number_table(form, self.habit.digits)

    def _pick(self, choices: Iterable[str], index: np.ndarray) -> pa.Array:
        table = pa.array([self.letters(c) for c in choices], pa.string())
        return _take(table, index)

    def _codes(self, numbers: np.ndarray) -> pa.Array:
        high, low = np.divmod(numbers, 100_000)
        return pc.binary_join_element_wise(_take(self._numbers("02d"), high), _take(self._numbers("05d"), low), "")

    def _numbered(self, numbers: np.ndarray, mark: str) -> pa.Array:
        code, serial = np.divmod(numbers, 100)
        serials = _take(self._numbers("02d"), serial)
        text = pc.binary_join_element_wise(self._codes(np.maximum(code, 0)), serials, mark)
        return pc.if_else(pa.array(numbers >= 0), text, pa.scalar(None, pa.string()))

    def _ids(self, numbers: np.ndarray) -> pa.Array:
        if self.habit.numbers:
            return pa.array(numbers).cast(pa.string())
        high, low = np.divmod(numbers, 100_000)
        return pc.binary_join_element_wise(_take(self._numbers("05d"), high), _take(self._numbers("05d"), low), "")

    def _provinces(self, index: np.ndarray) -> pa.Array:
        habit = self.habit
        if habit.province != "mixed":
            written = self.places.provinces[habit.province]
            return self._pick([self.digits(t) for t in written], index)
        names = [self._typed(p) for p in range(31)]
        flat = [name for ways in names for name in ways]
        start = np.cumsum([0] + [len(ways) for ways in names])
        # most rows as in the list, the others as clerks type the name
        turn = np.arange(len(index)) % 13
        width = np.array([len(ways) for ways in names])[index]
        return _take(pa.array(flat), start[index] + np.where(turn < 8, 0, turn % width))

    def _typed(self, province: int) -> list[str]:
        """The name of a province as this office's clerks type it, the usual one first."""
        ways = [self.places.provinces["name"][province], *self.places.aliases[province]]
        ways = [self.letters(w) for w in ways]
        return [w for w in ways if _fits(w, self.habit.encoding)]

    def _counties(self, index: np.ndarray) -> pa.Array:
        known, unknown = self.places.county_names, self.places.new_counties
        codes = self.habit.county == "code"
        names = [self.digits(c) for c in self.places.county_codes] if codes else known
        return self._pick([*names, *unknown], index)

    def column(self, kind: str, values: np.ndarray) -> pa.Array:
        """The strings of a column; an empty value is a null."""
        if kind in WORDS:
            return self._pick((self.word(kind, i) for i in range(len(WORDS[kind]))), values)
        if kind == "date":
            days = _day_table(self.habit.dates, self.habit.digits)
            return _take(days, np.where(values > 0, values - FIRST_ORDINAL, -1))
        if kind == "yes":
            return self._pick((self.digits(YES[self.habit.yes][i]) for i in (1, 0)), values)
        if kind in ("score", "hours"):
            return _take(self._numbers("half"), np.where(values >= 0, values * 2, -1).astype(int))
        if kind == "first":
            return self._pick([*FIRST_MEN, *FIRST_WOMEN], values)
        if kind == "last":
            return self._pick(LAST, values)
        if kind == "text":
            return pa.array([self.letters(t) for t in values], pa.string())
        if kind == "course":
            return self._pick((self.digits(c) for c in self.places.courses), values)
        if kind in ("application", "licence"):
            return self._numbered(values, "-" if kind == "application" else "/")
        spell = {"id": self._ids, "code": self._codes, "province": self._provinces,
                 "county": self._counties}  # fmt: skip
        return spell[kind](values)

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
    days = range(FIRST_ORDINAL, int(YEAR_STARTS[-1]))
    return pa.array([in_digits(spell_day(d, form), script) for d in days], pa.string())


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


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
