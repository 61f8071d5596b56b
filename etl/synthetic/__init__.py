"""A made-up register: the files that 31 provinces would submit over twelve years, none of it real.

`make` writes institutes, licences, personnel and training files for every province into a folder,
each in the habits of its office (`habits`), with the faults that real files have (`faults`), and
`SAMPLE.txt`, by which the build recognises made-up data.

How the numbers are chosen
--------------------------
Where: institutes guard banks, shops, factories, hospitals and events, so the need goes with people in towns. Assistants per
10,000 residents of a province (census 1395) rise with its urban share u: ``2 + 9.5 * ((u - 0.485) / 0.47) ** 1.15``. Qom and
Alborz, which institutes of Tehran serve too, get three quarters. A seeded noise of 8 % covers everything else. Within a
province institutes go to counties by town population to the power 1.15, and the smallest counties have none.

When: steady growth over twelve years, nearly none in 1399 (pandemic), provinces at different paces.
Who leaves: 1.7 % a month in the first year and 0.9 % after it, times a factor of the province. People of one institute are
alike in leaving and in training: intraclass correlation about 0.03.
Training: each province is seeded between weak and good. A careless share is late or never comes; courses were suspended for
some months of the pandemic.
Licensing: 46 working days at the median in 1393, 1.7 fewer each year; institutes with smart services need two thirds of
that. A renewal in seven is late, some never come.
Women: 7 % of those hired in 1393, 15 % today, twice that among operators. Veterans: 9 %, and older.
None of these shares is an observation: no such register is public. They give every measure something plausible to show.

No real person is meant. Names come from short invented lists; names of institutes end in «(نمونه)». National ids pass the
check digit and begin with 800 to 999: public lists of issuing offices (of the persian-tools libraries) name none there, but
the state's own list is not public. One id in 33 begins with 009 or 099 instead, so that spreadsheets have leading zeros to
drop; an id of one of those two series could by chance be somebody's.

Deterministic for (seed, scale, day).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path

import numpy as np

from etl.core.errors import Refused
from etl.core.paths import SAMPLE_MARK
from etl.synthetic.courses import training
from etl.synthetic.editors import Material
from etl.synthetic.faults import Planted, Planter
from etl.synthetic.files import XLSX_CELLS, write
from etl.synthetic.habits import TABLES, habit_of
from etl.synthetic.licensing import Licensing
from etl.synthetic.people import joining_days, people
from etl.synthetic.service import MOVERS, Market, Movers, careers, movers, personnel_columns
from etl.synthetic.spelling import SLICE, Speller
from etl.synthetic.world import (
    Columns,
    Frame,
    Institutes,
    applicants,
    covered_counties,
    frame,
    institute_columns,
    institutes,
    stacked,
    taken,
)

CROWD = 50_000  # people whose spells and courses are in memory at a time


def _write_table(frame: Frame, folder: Path, province: int, table: str, parts: Iterable[Columns]) -> Planted:
    """Spell, spoil and write one table of a province; returns the planted rows."""
    habit = habit_of(province, table)
    blocks = _blocks(parts)
    first = next(blocks)
    if habit.kind == "xlsx" and len(first) * len(next(iter(first.values()))) > XLSX_CELLS:
        habit = habit.texty()
    speller = Speller(habit, frame.places)
    rng = frame.rng(6, province, TABLES.index(table))
    planter = Planter(Material(table, province, frame.day, speller, rng))
    english = frame.places.provinces["english"][province].lower().replace(" ", "-")
    sheets = (
        planter.plant(speller.table(table, block), first=n == 0) for n, block in enumerate(chain([first], blocks))
    )
    write(folder / f"{table}_IR-{province:02d}_{english}.{habit.kind}", table, sheets, speller)
    return planter.planted


def _blocks(parts: Iterable[Columns]) -> Iterator[Columns]:
    """The rows in blocks small enough for memory as text, without empty ones."""
    for part in parts:
        for start in range(0, len(next(iter(part.values()))), SLICE):
            yield taken(part, slice(start, start + SLICE))


def make(folder: Path, scale: float = 1.0, seed: int = 7, day: date | None = None) -> None:
    """Write a made-up register of 31 provinces into `folder`, and `SAMPLE.txt`, which marks it.

    `scale` 1 is about 2,000 institutes, 60,000 people in service and 600,000 courses passed; from
    0.01 to 100 is sensible. `day` is the last day of history (default: today). Files of an earlier
    sample in the folder are replaced; a folder that holds anything else is refused (`Refused`).
    """
    _clear(folder)
    fr = frame(scale, seed, day or date.today())
    # written first, so that the files of an interrupted run are marked as well
    (folder / SAMPLE_MARK).write_text(_marker_text(fr, Counter()), encoding="utf-8")
    planted = _write_all(fr, folder)
    (folder / SAMPLE_MARK).write_text(_marker_text(fr, planted), encoding="utf-8")


def _write_all(fr: Frame, folder: Path) -> Planted:
    counties = covered_counties(fr, fr.rng(7))
    inst, waiting = institutes(fr, counties), applicants(fr, counties)
    licences = Licensing(fr, inst, 0).run()
    applications = Licensing(fr, waiting, 1).run_applicants()
    markets = [Market(inst, p, fr.rng(8, p)) for p in range(31)]
    gone = movers(fr, inst, markets)
    planted: Planted = Counter()
    counter = len(gone.who)
    for province in range(31):
        rng = fr.rng(9, province)
        mine, wait = inst.of(province), waiting.of(province)
        registered = [institute_columns(inst, mine, rng), institute_columns(waiting, wait, rng)]
        applied_for = [_of(licences, mine), _of(applications, wait)]
        hired = joining_days(fr, province, rng)
        hired = hired[rng.random(len(hired)) >= MOVERS]
        # in crowds, so that a province of any size fits into memory
        crowds = []
        for start in range(0, len(hired), CROWD):
            crowd = hired[start : start + CROWD]
            crowds.append(people(fr, province, crowd, counter, rng, inst, markets[province].pick(crowd)))
            counter += len(crowds[-1])
        arrived, doubled = _moved_rows(fr, inst, gone, province)
        served = (
            personnel_columns(fr, inst, who, careers(fr, who, markets[province], rng), province, rng) for who in crowds
        )
        planted["exact_duplicate"] += doubled
        moved = taken(gone.courses, gone.submitted_by == province)
        passed = (training(fr, who, rng) for who in crowds)
        tables: dict[str, Iterable[Columns]] = {
            "institutes": [stacked(registered)],
            "licences": [stacked(applied_for)],
            "personnel": chain(served, arrived),
            "training": chain(passed, [moved]),
        }
        for table, parts in tables.items():
            planted += _write_table(fr, folder, province, table, parts)
    return planted


def _of(licences: Columns, part: slice) -> Columns:
    """The applications of a range of institutes."""
    return taken(licences, (licences["who"] >= part.start) & (licences["who"] < part.stop))


def _moved_rows(fr: Frame, inst: Institutes, gone: Movers, province: int) -> tuple[list[Columns], int]:
    """Spells of movers served here, and some earlier ones that the new province submits as well.

    The rows of a spell come from one generator for the province served in, so that both provinces
    submit the same content. The number is how many rows are submitted a second time.
    """
    here = gone.served == province
    n = len(gone.who)
    again = np.zeros(len(here), dtype=bool)
    again[:n] = (gone.served[n:] == province) & (np.arange(n) % 17 == 3)
    parts = []
    for served in ([province] if here.any() else []) + sorted(set(gone.served[again].tolist())):
        there = gone.served == served
        rows = personnel_columns(fr, inst, gone.who, taken(gone.spells, there), served, fr.rng(10, served))
        parts.append(taken(rows, (here if served == province else again)[there]))
    return parts, int(again.sum())


def _clear(folder: Path) -> None:
    """Create the folder, or remove an earlier sample from it; nothing else is ever removed."""
    folder.mkdir(parents=True, exist_ok=True)
    inside = [p for p in folder.iterdir() if not p.name.startswith(".")]
    if inside and not (folder / SAMPLE_MARK).exists():
        raise Refused(f"{folder}: holds files that are no sample; give an empty folder")
    for path in inside:
        if path.name == SAMPLE_MARK or path.name.split("_")[0] in TABLES:
            path.unlink()


def _marker_text(fr: Frame, planted: Planted) -> str:
    lines = "\n".join(f"{reason}: {count}" for reason, count in sorted(planted.items()) if count)
    return (
        "این داده‌ها ساختگی است. هیچ شخص یا مؤسسهٔ واقعی در آن نیست.\n"
        "This data is made up. No real person or institute is in it.\n\n"
        f"seed: {fr.seed}\nscale: {fr.scale:g}\nlast day: {date.fromordinal(fr.day)}\n\n"
        "ردیف‌هایی که باید در قرنطینه بمانند / rows planted for the quarantine, by reason:\n"
        f"{lines}\n"
    )
