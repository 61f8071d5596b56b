"""What the editors of faults need: new keys, random choices, lines of the file."""

from dataclasses import dataclass

import numpy as np

from etl.synthetic.habits import Habit, separator
from etl.synthetic.people import with_check_digit
from etl.synthetic.spelling import Speller

Row = dict[str, str | None]


@dataclass
class Material:
    """The spelling and the random numbers of one file. `fresh` counts the new keys used in it."""

    table: str
    province: int
    day: int
    speller: Speller
    rng: np.random.Generator
    fresh: int = 0

    @property
    def habit(self) -> Habit:
        return self.speller.habit

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def new_id(self) -> int:
        """A valid national id that is not in use: 990 and up, a block for each province and table."""
        table = 0 if self.table == "personnel" else 5_000_000
        nine = 990_000_000 + table + self.province * 150_000 + self.fresh % 150_000
        return int(with_check_digit(np.array([nine]))[0])

    def new_code(self, series: int) -> int:
        return self.province * 100_000 + series + self.fresh % 2_500

    def fresh_key(self, row: Row) -> None:
        """Give a copied row a key of its own."""
        self.fresh += 1
        if self.table == "institutes":
            row["institute_code"] = self.speller.code(self.new_code(92_500))
        elif self.table == "licences":
            number = f"{self.new_code(92_500):07d}-{self.fresh // 2_500:02d}"
            row["application_no"] = self.speller.digits(number)
        elif self.table == "personnel":
            row["national_id"] = self.speller.identity(self.new_id())
        else:
            row["completed_on"] = self.speller.day(self.day - int(self.rng.integers(3, 2000)))

    def line(self, values: list[str | None], encoding: str) -> bytes:
        """Fields as a line of the file without its end, for content that no writer would write."""
        fields = [v or "" for v in values]
        if self.habit.extra:
            fields.insert(0, "0")
        if self.habit.quoted:
            fields = [f'"{f}"' for f in fields]
        return separator(self.habit).join(fields).encode(encoding)
