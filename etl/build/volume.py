"""Whether a load is complete: no table is empty, no file is mostly rejected, and no table, nor a province of it, has lost
most of its rows since the last publication, nor the nation or a province most of its people or licences.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from etl.build import load_report
from etl.build.load_report import Missing
from etl.extract.causes import BETWEEN, FSI, PDI, because, in_language, line, words
from etl.extract.contract import TABLES, contract
from etl.extract.expected import expected, place
from etl.extract.read_file import Read
from etl.extract.read_folder import Outcome
from etl.extract.source_file import SHEET_BITS
from etl.extract.source_folder import PERSIAN_NAMES
from etl.semantic import catalog
from etl.semantic.ranking import LEAST
from etl.warehouse import official_calendar, population, publications

# A table, or a province of it, with less than this share of its last rows is more likely a mistake than a reform.
LEAST_SHARE = 0.5
# Smaller tables can halve by chance.
ROWS_COMPARED = 100
# Counts that may vanish while every row is there.
_STOCKS = ("active_assistants", "in_service", "licensed_institutes")
# Residents of a province change by some hundredths in a year.
MOST_RESIDENTS_MOVE = 0.1
# Closures and corrections of a year are some days.
MOST_WORKING_DAYS_MOVE = 0.05
# More provinces of a table share a line, which names the first.
_MOST_LINES, _MOST_NAMED = 3, 5
# The reason why a file cannot be read says how to correct it.
CORRECT = ""
CORRECT_ROWS = words("correct_rows")
CLOCK = words("check_clock")
# A build cannot happen before this code was written, nor this many years after its last row.
FIRST_DAY = date(2026, 3, 21)
MOST_YEARS_SILENT = 10


@dataclass(frozen=True)
class Refusal:
    """One reason why nothing is published: the place (a file, or words), the reason, and the remedy, in English and Persian.

    `begins`: the file that the reason itself begins with, where there is no place. `provinces`: those it is about, none where
    it is of the whole country. `parts`: the same of one province each, where it names several.
    """

    place: str
    reason: str
    remedy: str = ""
    begins: str = ""
    provinces: frozenset[str] = frozenset()
    parts: tuple["Refusal", ...] = ()

    @property
    def line(self) -> str:
        """The refusal in one line."""
        return line(self.place, self.reason, self.remedy) if self.place else self.reason

    @property
    def sentence(self) -> str:
        """The line, with the name of its file in both languages: a page shows one of them."""
        return self.line.replace(BETWEEN, f"{BETWEEN}{FSI}{self.file}{PDI}: ", 1) if self.file else self.line

    @property
    def file(self) -> str:
        """The file that it is about; empty if it is about none."""
        return self.begins or ("" if BETWEEN in self.place else self.place)

    @property
    def loss(self) -> str:
        """The refusal without its remedy."""
        return line(self.place, self.reason)


def build_day(today: date) -> date:
    """The day of a build by the machine's clock. Raises Refused if the clock is behind this code."""
    if today < FIRST_DAY:
        raise because(
            "clock_behind",
            today=today,
            first=FIRST_DAY,
            remedy=in_language(CLOCK, "en"),
            remedy_fa=in_language(CLOCK, "fa"),
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
    con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], refused: Sequence[Missing]
) -> list[tuple[Outcome, str]]:
    """The files with more than half of their rows rejected by a fault of their own, and the reasons.

    Where a file refers to one of its province that is `refused`, or listed here, its orphans are no fault of its own.
    """
    blamed = list(refused)
    rejected = []
    for table in TABLES:
        of_table = []
        for with_orphans in (True, False):
            some = [one for one in outcomes if one.job.table == table and with_orphans != bool(_referred(one, blamed))]
            of_table += _mostly_rejected(con, some, with_orphans)
        rejected += of_table
        blamed += [load_report.refused(*pair) for pair in of_table]
    return sorted(rejected, key=lambda pair: pair[0].job.number)


def mostly_orphans(
    con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], refused: Sequence[Missing]
) -> list[tuple[Outcome, str]]:
    """The files of which less than half is left once the files are left out that their rows refer to, and the reasons."""
    followers = [one for one in outcomes if _referred(one, refused)]
    return [
        (one, words("mostly_orphans", files=" + ".join(sorted(_referred(one, refused)))))
        for one, _ in _mostly_rejected(con, followers, with_orphans=True)
    ]


def _referred(outcome: Outcome, refused: Sequence[Missing]) -> list[str]:
    """The refused files that rows of a file may refer to: those of its province, and all where one of the two is of none."""
    tables = _with_references(outcome.job.table) - {outcome.job.table}
    province = load_report.refused(outcome, "").province
    return [one.file for one in refused if one.table in tables and (one.province in ("", province) or not province)]


def _mostly_rejected(
    con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], with_orphans: bool
) -> list[tuple[Outcome, str]]:
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
        name_of_sheet = read.sheets[sheet] if read.sheets else None
        form = expected(table, name, reason)
        places.append(
            words(
                "first_rejected",
                reason=reason,
                count=f"{count:,}",
                place=f"{name_of_sheet}!{number}" if name_of_sheet else f"line {number}",
                place_fa=place(name_of_sheet, number),
                column=name or "–",
                column_fa=columns[name].headers[0] if name in columns else "–",
                form=in_language(form, "en"),
                form_fa=in_language(form, "fa"),
            )
        )
    return words(
        "mostly_rejected",
        rows=f"{rows:,}",
        total=f"{read.rows_read:,}",
        reasons=", ".join(f"{reason} {count:,}" for reason, count, *_ in reasons),
        places="; ".join(in_language(place, "en") for place in places),
        places_fa="؛ ".join(in_language(place, "fa") for place in places),
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
    last: Path | None,
    explained: Iterable[str],
    excused: Iterable[tuple[str, str]],
    absent: Collection[str],
) -> list[Refusal]:
    """Tables without rows, and tables and provinces of a table that lost more than half of the rows of the version `last`;
    a province that has none left is lost at any size.

    `explained` are tables with a refused file: their losses, and those of tables that refer to them, follow from it and are
    not reported, unless they are `absent`: tables without a file. `excused` are the tables and provinces whose files are left
    out on purpose.
    """
    left_out = {(table, place) for of, place in excused for table in TABLES if of in _with_references(table)}
    loaded = {(table, province): rows for table, province, rows in con.execute("from load_rows").fetchall()}
    before = {(table, province): rows for table, province, rows in publications.rows_of(last, "from load_rows")}
    names = _names(con)
    refusals = []
    for table in TABLES:
        if table not in absent and not _with_references(table).isdisjoint(explained):
            continue
        rows, rows_before = (
            sum(count for (of, _), count in counts.items() if of == table) for counts in (loaded, before)
        )
        place = f"{table}{BETWEEN}{PERSIAN_NAMES[table]}"
        if not rows or _is_lost(rows, rows_before):
            remedy = words("submit_missing" if rows else "hand_in_table")
            refusals.append(Refusal(place, _fewer(rows, rows_before), remedy))
            continue
        lost: dict[str | None, tuple[int, int]] = {}
        for (of, province), rows_before in sorted(before.items()):
            rows = loaded.get((of, province), 0)
            is_lost = not rows or _is_lost(rows, rows_before)
            if is_lost and of == table and province and (of, province) not in left_out:
                lost[province] = rows, rows_before
        each = []
        for province, (rows, rows_before) in lost.items():
            name, name_fa = names[province]
            of_province = f"{table}, {name}{BETWEEN}{PERSIAN_NAMES[table]}، {name_fa}"
            reason = _fewer(rows, rows_before, "fewer_rows")
            remedy = words("submit_missing" if rows else "hand_in_province")
            each.append(Refusal(of_province, reason, remedy, provinces=frozenset(filter(None, [province]))))
        if len(lost) > _MOST_LINES:
            listed, listed_fa = _listed(lost, names)
            reason = words("provinces_lost", places=listed, places_fa=listed_fa)
            remedy = words("submit_missing" if any(rows for rows, _ in lost.values()) else "hand_in_province")
            of = frozenset(filter(None, lost))
            each = [Refusal(place, reason, remedy, provinces=of, parts=tuple(each))]
        refusals += each
    return refusals


def fallen(
    con: duckdb.DuckDBPyConnection,
    last: Path | None,
    numbers: Mapping[tuple[str, str | None], Any],
    excused: Iterable[str],
) -> list[Refusal]:
    """Active assistants, people in service and licensed institutes of the nation or a province that fell to less than half of
    the version `last`: as many rows may have another content. `excused` are provinces whose files are left out on purpose.
    """
    names = _names(con)
    left_out = set(excused)
    refusals = []
    for metric in _STOCKS:
        sql = f"select province, value from published_numbers where metric = '{metric}' order by province nulls first"
        lost: dict[str | None, tuple[int, int]] = {}
        for province, value in publications.rows_of(last, sql):
            now = numbers.get((metric, province)) or 0
            if value >= LEAST and now < value * LEAST_SHARE and province not in left_out:
                lost[province] = int(now), int(value)
        if lost:
            refusals.append(_fell(metric, lost, names))
    return refusals


def _fell(
    metric: str, lost: Mapping[str | None, tuple[int, int]], names: Mapping[str | None, tuple[str, str]]
) -> Refusal:
    """The refusal for places where a stock fell."""
    label = catalog.catalogue()[metric].label
    listed, listed_fa = _listed(lost, names)
    return Refusal(
        f"{label['en']}{BETWEEN}{label['fa']}",
        words("stock_fell", places=listed, places_fa=listed_fa),
        words("check_content"),
        provinces=frozenset(filter(None, lost)),
        parts=tuple(_fell(metric, {one: lost[one]}, names) for one in lost if one and len(lost) > 1),
    )


def moved_residents(con: duckdb.DuckDBPyConnection, last: Path | None) -> list[Refusal]:
    """Provinces whose residents differ by more than a tenth from those of the version `last` for the same day."""
    before = population.by_province(publications.rows_of(last, population.ROWS))
    known = population.Provinces(population=before)
    arriving = population.Provinces(population=population.by_province(con.execute(population.ROWS).fetchall()))
    ((as_of,),) = publications.rows_of(last, "select as_of from publication") or [(None,)]
    moved: dict[str | None, tuple[int, int]] = {}
    for province, dated in before.items():
        days = [as_of, *(row.date for row in dated if row.date < as_of)]
        both = [
            (round(arriving.residents(province, day) or 0), round(known.residents(province, day) or 0)) for day in days
        ]
        changed = [(now, value) for now, value in both if abs(now - value) > value * MOST_RESIDENTS_MOVE]
        moved |= {province: changed[0]} if changed else {}
    if not moved:
        return []
    listed, listed_fa = _listed(moved, _names(con))
    reason = words("residents_moved", places=listed, places_fa=listed_fa)
    return [Refusal("population.csv", reason, words("check_residents"))]


def moved_working_days(con: duckdb.DuckDBPyConnection, last: Path | None) -> list[Refusal]:
    """The refusal of a calendar of which more than a twentieth of the working days, in the nation or a province, are others
    than in the version `last`, on the days that its numbers count.
    """
    before = publications.rows_of(last, official_calendar.DAYS)
    moved: dict[str | None, tuple[int, int]] = {}
    for first, as_of in publications.rows_of(last, official_calendar.COUNTED):
        days = con.execute(official_calendar.DAYS).fetchall()
        counted = official_calendar.moved(days, before, first, as_of + timedelta(official_calendar.DAYS_AHEAD))
        moved = {place: (now, then) for place, (now, then) in counted.items() if now > then * MOST_WORKING_DAYS_MOVE}
    if not moved:
        return []
    listed, listed_fa = _listed(moved, _names(con))
    reason = words("working_days_moved", places=listed, places_fa=listed_fa)
    return [Refusal("calendar.csv", reason, words("check_residents"))]


def _listed(lost: Mapping[str | None, tuple[int, int]], names: Mapping[str | None, tuple[str, str]]) -> list[str]:
    """The English and the Persian words for places with a number now and in the last publication; the nation is None."""
    more = [words("and_more", count=len(lost) - _MOST_NAMED)] if len(lost) > _MOST_NAMED else []
    listed = []
    for at, (lang, comma) in enumerate((("en", ", "), ("fa", "، "))):
        each = [f"{names[place][at]} {rows:,} ({before:,})" for place, (rows, before) in lost.items()]
        listed.append(comma.join([*each[:_MOST_NAMED], *(in_language(text, lang) for text in more)]))
    return listed


def _names(con: duckdb.DuckDBPyConnection) -> dict[str | None, tuple[str, str]]:
    """The English and the Persian name of each province, and of the nation."""
    provinces = con.execute("select iso_3166_2, name_en, name_fa from provinces").fetchall()
    return {None: ("the nation", "کل کشور")} | {iso: (f"{iso} {name}", name_fa) for iso, name, name_fa in provinces}


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
        before=in_language(before, "en"),
        before_fa=in_language(before, "fa"),
    )
