"""Whether a load is complete: no table is empty, no file is mostly rejected, and no table, nor a province of it, has lost
most of its rows since the last publication.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from etl.extract.causes import BETWEEN, because, line, spoken, words
from etl.extract.contract import TABLES, contract
from etl.extract.expected import expected
from etl.extract.read_file import Read
from etl.extract.read_folder import Outcome
from etl.extract.source_file import SHEET_BITS
from etl.extract.source_folder import PERSIAN_NAMES
from etl.warehouse import publications

# A table, or a province of it, with less than this share of its last rows is more likely a mistake than a reform.
LEAST_SHARE = 0.5
# Smaller tables can halve by chance.
ROWS_COMPARED = 100
# The reason why a file cannot be read says how to correct it.
CORRECT = ""
CORRECT_OR_ACCEPT = words("correct_rows")
ACCEPT = words("submit_missing")
CLOCK = words("check_clock")
# A build cannot happen before this code was written, nor this many years after its last row.
FIRST_DAY = date(2026, 3, 21)
MOST_YEARS_SILENT = 10


@dataclass(frozen=True)
class Refusal:
    """One reason why nothing is published: the place, the reason, and the remedy, in English and Persian."""

    place: str
    reason: str
    remedy: str

    @property
    def line(self) -> str:
        """The refusal in one line."""
        return line(self.place, self.reason, self.remedy)

    @property
    def loss(self) -> str:
        """The refusal without its remedy."""
        return line(self.place, self.reason)


def build_day(today: date) -> date:
    """The day of a build by the machine's clock. Raises Refused if the clock is behind this code."""
    if today < FIRST_DAY:
        raise because(
            "clock_behind", today=today, first=FIRST_DAY, remedy=spoken(CLOCK, "en"), remedy_fa=spoken(CLOCK, "fa")
        )
    return today


def record(con: duckdb.DuckDBPyConnection) -> None:
    """Create `load_rows`: rows loaded per source table and province (for training, that of the person's first spell)."""
    con.execute(
        """
        create table load_rows as
        with first_served as (
            select person_key, arg_min(province, (hired_on, institute_code)) as province
            from loaded_personnel
            group by person_key
        ),
        loaded as (
            select 'institutes' as source_table, province from loaded_institutes
            union all
            select 'licences', province from loaded_licences inner join loaded_institutes using (institute_code)
            union all
            select 'personnel', province from loaded_personnel
            union all
            select 'training', province from loaded_training inner join first_served using (person_key)
        )
        select source_table, province, count(*) as rows from loaded group by all order by all
        """
    )


def mostly_rejected(
    con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], with_orphans: bool
) -> list[tuple[Outcome, str]]:
    """The files with more than half of their rows rejected, and the reasons.

    Without `with_orphans`, orphans do not count: they may refer to rows of a file that cannot be read.
    """
    orphans = "false" if with_orphans else "reason like 'orphan_%'"
    rejected = dict(
        con.execute(
            f"select file_number, count(distinct line) from faults where not ({orphans}) group by file_number"
        ).fetchall()
    )
    mostly = []
    for outcome in outcomes:
        rows = rejected.get(outcome.job.number, 0)
        if outcome.read and rows * 2 > outcome.read.rows_read:
            reasons = con.execute(
                "select reason, count(distinct line) as rows, min(line), arg_min(column_name, (line, column_name)) "
                f"from faults where file_number = ? and not ({orphans}) "
                "group by reason order by rows desc, reason limit 3",
                [outcome.job.number],
            ).fetchall()
            mostly.append((outcome, _rejected(outcome.job.table, outcome.read, rows, reasons)))
    return mostly


def _rejected(table: str, read: Read, rows: int, reasons: list[tuple[str, int, int, str]]) -> str:
    """How many rows of a file are rejected; for each main reason the first place, and what is expected there.

    Nothing is published, so that the quarantine cannot be asked for them.
    """
    columns = contract(table).by_name
    places = []
    for reason, count, row, name in reasons:
        sheet, number = row >> SHEET_BITS, row & ((1 << SHEET_BITS) - 1)
        place = f"{read.sheets[sheet]}!{number}" if read.sheets else ""
        form = expected(table, name, reason)
        places.append(
            words(
                "first_rejected",
                reason=reason,
                count=f"{count:,}",
                place=place or f"line {number}",
                place_fa=place or f"سطر {number}",
                column=name or "–",
                column_fa=columns[name].headers[0] if name in columns else "–",
                form=spoken(form, "en"),
                form_fa=spoken(form, "fa"),
            )
        )
    return words(
        "mostly_rejected",
        rows=f"{rows:,}",
        total=f"{read.rows_read:,}",
        reasons=", ".join(f"{reason} {count:,}" for reason, count, *_ in reasons),
        places="; ".join(spoken(place, "en") for place in places),
        places_fa="؛ ".join(spoken(place, "fa") for place in places),
    )


def ahead(con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], day: date) -> Refusal | None:
    """The refusal of a load with most rows after the day of the build: the day is wrong, not the files."""
    ((rows,),) = con.execute(
        "select count(distinct (file_number, line)) from faults where reason = 'future_date'"
    ).fetchall()
    read = sum(outcome.read.rows_read for outcome in outcomes if outcome.read)
    if rows * 2 > read:
        return Refusal(words("build_day"), words("day_behind", rows=f"{rows:,}", total=f"{read:,}", day=day), CLOCK)
    return None


def silent(as_of: date, day: date) -> Refusal | None:
    """The refusal of a day so far after the last row that the clock must be wrong."""
    if day.year - as_of.year > MOST_YEARS_SILENT:
        return Refusal(words("build_day"), words("day_ahead", day=day, last=as_of), CLOCK)
    return None


def losses(
    con: duckdb.DuckDBPyConnection,
    pointer: Path,
    explained: Iterable[str] = (),
    excused: Iterable[tuple[str, str]] = (),
) -> list[Refusal]:
    """Tables without rows, and tables and provinces of a table that lost more than half of the last publication's rows.

    `explained` are tables with a refused file: their losses, and those of tables that refer to them, follow from it and are
    not reported. `excused` are the tables and provinces whose files are left out on purpose.
    """
    reported = set(explained)
    left_out = {(table, place) for of, place in excused for table in TABLES if of in _with_references(table)}
    loaded = {(table, province): rows for table, province, rows in con.execute("from load_rows").fetchall()}
    before = {
        (table, province): rows for table, province, rows in publications.rows_of_current(pointer, "from load_rows")
    }
    provinces = con.execute("select iso_3166_2, name_en, name_fa from provinces").fetchall()
    names = {iso: (name, name_fa) for iso, name, name_fa in provinces}
    refusals = []
    for table in TABLES:
        if reported & _with_references(table):
            continue
        rows, rows_before = _of_table(loaded, table), _of_table(before, table)
        place = f"{table}{BETWEEN}{PERSIAN_NAMES[table]}"
        if not rows:
            refusals.append(Refusal(place, _fewer(rows, rows_before), words("hand_in_table")))
        elif _is_lost(rows, rows_before):
            refusals.append(Refusal(place, _fewer(rows, rows_before), ACCEPT))
        else:
            for (of, province), rows_before in sorted(before.items()):
                rows = loaded.get((of, province), 0)
                if of == table and province and (of, province) not in left_out and _is_lost(rows, rows_before):
                    name, name_fa = names[province]
                    place = f"{table}, {province} {name}{BETWEEN}{PERSIAN_NAMES[table]}، {name_fa}"
                    reason = _fewer(rows, rows_before, "fewer_rows")
                    refusals.append(Refusal(place, reason, words("hand_in_province")))
    return refusals


def _with_references(table: str) -> set[str]:
    """A table and the tables it refers to: rows missing there become orphans here."""
    referred = {column.references for column in contract(table).columns if column.references}
    return {table}.union(*map(_with_references, referred))


def _is_lost(rows: int, rows_before: int) -> bool:
    return rows_before >= ROWS_COMPARED and rows < rows_before * LEAST_SHARE


def _fewer(rows: int, rows_before: int, cause: str = "") -> str:
    """How many rows are loaded, and how many the last publication has."""
    before = words("last_publication", rows=f"{rows_before:,}") if rows_before else ""
    return words(
        cause or ("fewer_rows" if rows else "no_rows"),
        rows=f"{rows:,}",
        before=spoken(before, "en"),
        before_fa=spoken(before, "fa"),
    )


def _of_table(rows: dict[tuple[str, str], int], table: str) -> int:
    return sum(count for (of, _), count in rows.items() if of == table)
