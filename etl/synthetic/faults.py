"""The untidy share of a made-up register: rows for the quarantine, and exact duplicates.

Faults are planted on extra rows with their own keys (a copy of a good row under a fresh id, code,
number or day), never on a row others refer to, so a fault rejects one row only. Each reason of the
contract that concerns a row is planted in two provinces whose files can hold it, however small the
sample, and beyond that in proportion: about one row in a hundred.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa

from etl.synthetic.editors import CONFLICT, EDITORS, Editor, Material, Row
from etl.synthetic.habits import OFFICES, Habit, Sheet, habit_of

Planted = Counter[str]  # reason (or "exact_duplicate", or "warned") -> rows

#: planted rows as a share of a table's rows, beyond the two of each kind
RATE = {"institutes": 0.014, "licences": 0.012, "personnel": 0.012, "training": 0.011}
DUPLICATES = 0.0012


@dataclass
class Planter:
    """Plants faults among the rows of one file, and counts them by reason."""

    material: Material
    planted: Planted = field(default_factory=Counter)

    def plant(self, rows: pa.Table, first: bool) -> Sheet:
        """The rows with faults among them. `first`: this part also gets the file's fixed share."""
        material, rng = self.material, self.material.rng
        counts = self._counts(len(rows), first)
        copies = int(len(rows) * DUPLICATES + rng.random()) if len(rows) > 4 else 0
        pool = self._pool(rows, sum(counts.values()))
        extra: list[Row] = []
        lines: list[tuple[int, bytes]] = []
        for editor, count in counts.items():
            fit = [r for r in pool if editor.needs(r)]
            for _ in range(count if fit else 0):
                row = dict(fit[int(rng.integers(len(fit)))])
                material.fresh_key(row)
                if editor.is_line:
                    after = int(rng.integers(len(rows) + 1))
                    lines.append((after, editor.edit(material, row)))
                else:
                    extra.extend(editor.edit(material, row))
                self.planted.update(editor.reasons * (2 if CONFLICT in editor.reasons else 1))
        self.planted["exact_duplicate"] += copies
        duplicates = rows.take(pa.array(rng.integers(0, max(len(rows), 1), copies)))
        every_row = pa.concat_tables([rows, pa.Table.from_pylist(extra, schema=rows.schema), duplicates])
        positions = np.r_[np.arange(len(rows)), rng.random(len(every_row) - len(rows)) * len(rows)]
        return Sheet(every_row.take(pa.array(np.argsort(positions, kind="stable"))), lines)

    def _counts(self, rows: int, first: bool) -> dict[Editor, int]:
        table, habit = self.material.table, self.material.speller.habit
        editors = [e for e in EDITORS[table] if fits(table, e, habit)]
        weight = np.array([e.weight for e in editors])
        mean = rows * RATE[table] * weight / weight.sum()
        counts = (mean + self.material.rng.random(len(editors))).astype(int)
        if first:
            counts += [self.material.province in fixed_shares(table)[e] for e in editors]
        return {e: int(c) for e, c in zip(editors, counts, strict=True) if c}

    def _pool(self, rows: pa.Table, count: int) -> list[Row]:
        size = min(len(rows), 200 + 3 * count)
        pool = rows.take(pa.array(self.material.rng.choice(len(rows), size, replace=False))).to_pylist()
        # a contract with a future end would have a second fault
        ahead = set(self.material.speller.column("date", self.material.day + np.arange(1, 310)).to_pylist())
        return [row for row in pool if row.get("left_on") not in ahead]


def fits(table: str, editor: Editor, habit: Habit) -> bool:
    """Whether a file of this habit can hold the fault."""
    if not editor.is_line:
        return not (editor.untyped and habit.typed)
    if "bad_encoding" not in editor.reasons:
        return habit.kind in ("csv", "tsv")
    # one word in Windows-1256 makes an otherwise Latin file a valid file of Windows-1256
    persian = habit.words == "fa" or table in ("institutes", "personnel")
    return habit.kind in ("csv", "tsv") and habit.encoding.startswith("utf-8") and persian


@cache
def fixed_shares(table: str) -> dict[Editor, set[int]]:
    """Two provinces for each fault that get one row of it, however small the sample.

    They are those with the fewest bad rows so far: a build refuses a file of mostly bad rows.
    """
    bad_rows: Counter[int] = Counter()
    shares = {}
    able = {e: [p for p in range(len(OFFICES)) if fits(table, e, habit_of(p, table))] for e in EDITORS[table]}
    for editor in sorted(able, key=lambda e: (len(able[e]), EDITORS[table].index(e))):
        chosen = sorted(able[editor], key=lambda p: (bad_rows[p], p))[:2]
        bad_rows.update(chosen * (2 if CONFLICT in editor.reasons else 1))
        shares[editor] = set(chosen)
    return shares
