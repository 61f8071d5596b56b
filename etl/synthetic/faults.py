"""The untidy share of a made-up register: rows for the quarantine, and exact duplicates.

Faults are planted on extra rows with keys of their own (a copy of a good row under a fresh id,
code, number or day), never on a row others refer to: a fault stays one row and drags nobody along.
Each reason of the contract that is a row's fault is planted in two provinces whose files can hold
it, however small the sample, and beyond that in proportion. About one row in a hundred, on purpose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa

from etl.synthetic.calendar import FIRST_ORDINAL
from etl.synthetic.habits import OFFICES, Habit, Sheet, bare_encoding, habit_of, separator
from etl.synthetic.people import with_check_digit
from etl.synthetic.spelling import Speller

Row = dict[str, str | None]
Planted = Counter[str]  # reason (or "exact_duplicate", or "warned") -> rows

#: planted rows as a share of a table's rows, beyond the two of each kind
RATE = {"institutes": 0.014, "licences": 0.012, "personnel": 0.012, "training": 0.011}
DUPLICATES = 0.0012
CONFLICT = "conflicting_key"
_BAD_DAYS = ("1402/12/30", "1403/13/05", "1401/07/31", "98/05/12", "1400/00/10", "2023/02/30")
_NO_PROVINCE = ("فارسستان", "IR-77", "استان مرکز", "Persia", "99")
_NO_VALUE = ("نامعلوم", "سایر", "?", "other")


@dataclass
class Planter:
    """Plants faults among the rows of one file. `fresh` counts keys used up in this file."""

    table: str
    province: int
    day: int
    speller: Speller
    rng: np.random.Generator
    fresh: int = 0
    planted: Planted = field(default_factory=Counter)

    @property
    def habit(self) -> Habit:
        return self.speller.habit

    # ------------------------------------------------------------------ material for editors
    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def new_id(self) -> int:
        """A valid national id nobody else has: 990 and up, a block for each province and table."""
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

    # --------------------------------------------------------------------------- the planting
    def plant(self, rows: pa.Table, first: bool) -> Sheet:
        """The rows with faults among them. `first`: this part also bears the file's fixed share."""
        wanted = self._wanted(len(rows), first)
        copies = int(len(rows) * DUPLICATES + self.rng.random()) if len(rows) > 4 else 0
        pool = self._pool(rows, sum(wanted.values()))
        extra: list[Row] = []
        lines: list[tuple[int, bytes]] = []
        for editor, count in wanted.items():
            fit = [r for r in pool if editor.needs(r)]
            for _ in range(count if fit else 0):
                row = dict(fit[int(self.rng.integers(len(fit)))])
                self.fresh_key(row)
                if editor.raw is not None:
                    place = int(self.rng.integers(len(rows) + 1))
                    lines.append((place, editor.raw(self, row)))
                else:
                    extra.extend(editor.edit(self, row))
                self.planted.update(editor.reasons * (2 if CONFLICT in editor.reasons else 1))
        self.planted["exact_duplicate"] += copies
        duplicates = rows.take(pa.array(self.rng.integers(0, max(len(rows), 1), copies)))
        return self._mix(rows, extra, duplicates, lines)

    def _mix(self, rows: pa.Table, extra: list[Row], duplicates: pa.Table,
             lines: list[tuple[int, bytes]]) -> Sheet:  # fmt: skip
        added = pa.Table.from_pylist(extra, schema=rows.schema)
        both = pa.concat_tables([rows, added, duplicates])
        more = len(extra) + len(duplicates)
        places = np.r_[np.arange(len(rows)), self.rng.random(more) * len(rows)]
        order = np.argsort(places, kind="stable")
        return Sheet(self.table, both.take(pa.array(order)), lines)

    def _wanted(self, rows: int, first: bool) -> dict[Editor, int]:
        editors = [e for e in EDITORS[self.table] if fits(self.table, e, self.habit)]
        weight = np.array([e.weight for e in editors])
        mean = rows * RATE[self.table] * weight / weight.sum()
        counts = (mean + self.rng.random(len(editors))).astype(int)
        if first:
            counts += [self.province in fixed_share(self.table, e) for e in editors]
        return {e: int(c) for e, c in zip(editors, counts, strict=True) if c}

    def _pool(self, rows: pa.Table, count: int) -> list[Row]:
        size = min(len(rows), 200 + 3 * count)
        pool = rows.take(pa.array(self.rng.choice(len(rows), size, replace=False))).to_pylist()
        # a contract whose end is fixed already would, spoiled, have a second fault
        ahead = {self.speller.day(self.day + n) for n in range(1, 310)}
        return [row for row in pool if row.get("left_on") not in ahead]

    def line(self, values: list[str | None], encoding: str) -> bytes:
        """Fields as a line of the file, without its end, to hold what no writer would write."""
        fields = [v or "" for v in values]
        if self.habit.extra:
            fields.insert(0, "0")
        if self.habit.quoted:
            fields = [f'"{f}"' for f in fields]
        return separator(self.habit).join(fields).encode(encoding)


Edit = Callable[[Planter, Row], list[Row]]


@dataclass(frozen=True, eq=False)
class Editor:
    """A way to spoil a row: the reasons it then has, and which rows it can be done to.

    The reason `warned` stands for a value that loads as unknown.
    """

    reasons: tuple[str, ...]
    edit: Edit
    needs: Callable[[Row], bool] = lambda row: True
    weight: float = 1.0
    untyped: bool = False  # needs text where a typed Parquet has a date or a number
    raw: Callable[[Planter, Row], bytes] | None = None


def fits(table: str, editor: Editor, habit: Habit) -> bool:
    """Whether a file of this habit can hold the fault."""
    if editor.raw is None:
        return not (editor.untyped and habit.typed)
    if "bad_encoding" not in editor.reasons:
        return habit.kind in ("csv", "tsv")
    # in a file of Latin letters only, one word of Windows-1256 makes it a file of Windows-1256
    persian = habit.words == "fa" or table in ("institutes", "personnel")
    return habit.kind in ("csv", "tsv") and habit.encoding.startswith("utf-8") and persian


def fixed_share(table: str, editor: Editor) -> set[int]:
    """Two provinces that get one row of this fault however small the sample is."""
    return _fixed_shares(table)[editor]


@cache
def _fixed_shares(table: str) -> dict[Editor, set[int]]:
    """The two provinces of each fault, those with the fewest so far: a file with mostly bad rows refuses the build."""
    bad_rows: Counter[int] = Counter()
    shares = {}
    able = {e: [p for p in range(len(OFFICES)) if fits(table, e, habit_of(p, table))] for e in EDITORS[table]}
    for editor in sorted(able, key=lambda e: (len(able[e]), EDITORS[table].index(e))):
        chosen = sorted(able[editor], key=lambda p: (bad_rows[p], p))[:2]
        bad_rows.update(chosen * (2 if CONFLICT in editor.reasons else 1))
        shares[editor] = set(chosen)
    return shares


# -------------------------------------------------------------------------- ways to spoil a row
def _set(column: str, make: Callable[[Planter], str | None], *clear: str) -> Edit:
    def edit(planter: Planter, row: Row) -> list[Row]:
        row.update(dict.fromkeys(clear), **{column: make(planter)})
        return [row]

    return edit


def _swap(one: str, other: str) -> Edit:
    def edit(planter: Planter, row: Row) -> list[Row]:
        row[one], row[other] = row[other], row[one]
        return [row]

    return edit


def _pair(column: str, make: Callable[[Planter], str | None]) -> Edit:
    """Two rows of one key that differ in a column."""

    def edit(planter: Planter, row: Row) -> list[Row]:
        other = dict(row)
        value = make(planter)
        while value == row[column]:
            value = make(planter)
        other[column] = value
        return [row, other]

    return edit


def _both(first: Edit, second: Edit) -> Edit:
    return lambda planter, row: second(planter, first(planter, row)[0])


def _has(*columns: str) -> Callable[[Row], bool]:
    return lambda row: all(row[c] for c in columns)


def _differ(one: str, other: str) -> Callable[[Row], bool]:
    return lambda row: bool(row[one]) and bool(row[other]) and row[one] != row[other]


def _nothing(planter: Planter) -> None:
    return None


def _bad_day(planter: Planter) -> str:
    options = _BAD_DAYS if planter.habit.kind == "xlsx" else (*_BAD_DAYS, "44561")
    return planter.speller.digits(planter.pick(options))


def _later(planter: Planter) -> str:
    return planter.speller.day(planter.day + int(planter.rng.integers(10, 500)))


def _past(planter: Planter) -> str:
    """A day before the history begins."""
    return planter.speller.day(planter.day - int(planter.rng.integers(4900, 6500)))


def _no_value(planter: Planter) -> str:
    return planter.speller.letters(planter.pick(_NO_VALUE))


def _no_province(planter: Planter) -> str:
    return planter.speller.letters(planter.pick(_NO_PROVINCE))


def _bad_identity(planter: Planter) -> str:
    number = planter.new_id()
    wrong = planter.speller.identity(number // 10 * 10 + (number + 3) % 10)
    same = planter.speller.digits(str(planter.rng.integers(1, 10)) * 10)
    short = planter.speller.digits(str(number)[:7])
    return planter.pick((wrong, wrong, same, short, f"{number}"[:5] + "-A"))


def _spoilt(planter: Planter) -> str:
    return f"{planter.rng.integers(100, 1000) / 100:.2f}E+09"


def _nobody(planter: Planter) -> str:
    return planter.speller.identity(planter.new_id())


def _no_institute(planter: Planter) -> str:
    return planter.speller.code(planter.new_code(95_000))


def _age(planter: Planter, row: Row) -> list[Row]:
    """Too young or too old at hiring, whatever the day of hiring is: born last year, or in 1305."""
    young = planter.rng.random() < 0.6
    born = planter.day - int(planter.rng.integers(400, 5800)) if young else FIRST_ORDINAL + 400
    row["birth_date"] = planter.speller.day(born)
    return [row]


def _ended(planter: Planter, row: Row) -> list[Row]:
    row["status"], row["status_since"] = planter.speller.word("status", 2 + planter.fresh % 3), None
    return [row]


def _number(planter: Planter) -> str:
    return planter.speller.digits(planter.pick(("130", "-5", "20/17", "17 از 20", "140")))


def _ragged(planter: Planter, row: Row) -> bytes:
    values = list(row.values())
    values = values[:-2] if planter.rng.random() < 0.6 else [*values, "", "x"]
    return planter.line(values, bare_encoding(planter.habit))


def _mangled(column: str) -> Callable[[Planter, Row], bytes]:
    """A line of a UTF-8 file in which somebody pasted Windows-1256."""

    def raw(planter: Planter, row: Row) -> bytes:
        row[column] = "\0"
        return planter.line(list(row.values()), "utf-8").replace(b"\0", "پيوست".encode("cp1256"))

    return raw


def _lines(column: str) -> list[Editor]:
    def unused(planter: Planter, row: Row) -> list[Row]:
        return []

    return [Editor(("ragged_row",), unused, raw=_ragged),
            Editor(("bad_encoding",), unused, weight=0.6, raw=_mangled(column))]  # fmt: skip


EDITORS: dict[str, list[Editor]] = {
    "institutes": [
        Editor(("missing_value",), _set("name", _nothing)),
        Editor(("warned",), _set("founded_on", _bad_day), untyped=True),
        Editor(("warned",), _set("founded_on", _later)),
        Editor(("unknown_value",), _set("activity", _no_value)),
        Editor(("unknown_province",), _set("province", _no_province, "county")),
        Editor(("missing_status_since",), _ended),
        Editor((CONFLICT,), _pair("founded_on", _past)),
        *_lines("name"),
    ],
    "licences": [
        Editor(("missing_value",), _set("applied_on", _nothing)),
        Editor(("missing_value",), _set("valid_until", _nothing), _has("valid_until")),
        Editor(("bad_date",), _set("applied_on", _bad_day), untyped=True),
        Editor(("future_date",), _set("applied_on", _later, "file_complete_on", "decided_on",
                                      "outcome", "licence_no", "valid_from", "valid_until")),
        Editor(("unknown_value",), _set("kind", _no_value)),
        Editor(("decided_before_complete",), _swap("file_complete_on", "decided_on"),
               _differ("file_complete_on", "decided_on"), 2),
        Editor(("ends_before_starts",), _swap("valid_from", "valid_until"),
               _has("valid_from", "valid_until"), 2),
        Editor(("orphan_institute",), _set("institute_code", _no_institute), weight=2),
        Editor((CONFLICT,), _pair("applied_on", _past)),
        *_lines("kind"),
    ],
    "personnel": [
        Editor(("missing_value",), _set("gender", _nothing)),
        Editor(("missing_value",), _set("hired_on", _nothing, "left_on")),
        Editor(("missing_value",), _set("national_id", _nothing)),
        Editor(("bad_date",), _set("hired_on", _bad_day), untyped=True),
        Editor(("bad_date",), _set("birth_date", _bad_day), untyped=True, weight=2),
        Editor(("future_date",), _set("hired_on", _later, "left_on", "leave_reason")),
        Editor(("unknown_value",), _set("post", _no_value), weight=2),
        Editor(("warned",), _set("education", _no_value)),
        Editor(("unknown_province",), _set("province", _no_province, "county"), weight=2),
        Editor(("bad_national_id",), _set("national_id", _bad_identity), weight=5),
        Editor(("spoilt_number",), _set("national_id", _spoilt), weight=2),
        Editor(("age_out_of_range",), _age, weight=2),
        Editor(("left_before_hired",), _swap("hired_on", "left_on"),
               _differ("hired_on", "left_on"), 2),
        Editor(("ends_before_starts",), _set("judicial_officer_until", _past),
               _has("judicial_officer_from")),
        Editor(("orphan_institute",), _set("institute_code", _no_institute), weight=2),
        Editor((CONFLICT,), _pair("birth_date", lambda p: p.speller.day(
            p.day - int(p.rng.integers(12_500, 15_000)))), weight=1.5),
        Editor(("bad_date", "unknown_value"),
               _both(_set("birth_date", _bad_day), _set("gender", _no_value)), untyped=True),
        *_lines("last_name"),
    ],
    "training": [
        Editor(("missing_value",), _set("result", _nothing)),
        Editor(("missing_value",), _set("completed_on", _nothing)),
        Editor(("bad_date",), _set("completed_on", _bad_day), untyped=True, weight=3),
        Editor(("future_date",), _set("completed_on", _later), weight=2),
        Editor(("warned",), _set("score", _number), untyped=True, weight=2),
        Editor(("warned",), _set("hours", lambda p: p.speller.letters("دو روز")), untyped=True),
        Editor(("unknown_value",), _set("result", _no_value)),
        Editor(("unknown_course",), _set("course_code", lambda p: p.speller.digits("PY-999")),
               weight=3),
        Editor(("bad_national_id",), _set("national_id", _bad_identity), weight=4),
        Editor(("spoilt_number",), _set("national_id", _spoilt), weight=2),
        Editor(("orphan_person",), _set("national_id", _nobody), weight=6),
        Editor((CONFLICT,), _pair("hours", lambda p: p.speller.digits(str(p.rng.integers(1, 9))))),
        *_lines("result"),
    ],
}  # fmt: skip
