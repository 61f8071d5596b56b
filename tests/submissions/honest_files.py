"""The files of a sample as a province would have sent them month by month, and an office's faults in them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from etl.build import reference_data
from etl.build.load_report import province_in_name
from etl.core.text_folding import fold
from etl.extract import parse_values
from etl.extract.contract import TABLES, Contract, contract
from etl.extract.read_file import Job
from etl.extract.source_folder import source_files
from etl.submissions import comparison
from etl.submissions.comparison import Compared
from tests.loading import WarmPool

# What a province knew on a day: rows that begin by then, without what happened later.
AS_OF = {
    "institutes": "select * replace (if(status_since > $day, null, status_since) as status_since, "
    "if(status_since > $day, 'active', status) as status) from {rows} where founded_on is null or founded_on <= $day",
    "licences": "select * replace ("
    + ", ".join(
        f"if({decided} > $day, null, {name}) as {name}"
        for name, decided in {
            "file_complete_on": "file_complete_on", "decided_on": "decided_on", "outcome": "decided_on",
            "licence_no": "decided_on", "valid_from": "decided_on", "valid_until": "decided_on",
        }.items()
    )
    + ") from {rows} where applied_on <= $day",
    "personnel": "select * replace (if(left_on > $day, null, left_on) as left_on, "
    "if(left_on > $day, null, leave_reason) as leave_reason, "
    "if(judicial_officer_from > $day, null, judicial_officer_from) as judicial_officer_from, "
    "if(judicial_officer_from > $day, null, judicial_officer_until) as judicial_officer_until) "
    "from {rows} where hired_on <= $day",
    "training": "from {rows} where completed_on <= $day",
}  # fmt: skip
# What an office corrects in a month, in one row of three hundred each: more than an office does.
CORRECTED = {
    "institutes": ("county", "founded_on"),
    "licences": ("file_complete_on",),
    "personnel": ("education", "county", "birth_date"),
    "training": ("score", "hours"),
}
_ONE_OF = 300


def read_all(con: duckdb.DuckDBPyConnection, folder: Path, day: date, provinces: Sequence[str] = ()) -> None:
    """Read the files of a sample, of some provinces if any are named, into a table of typed rows each."""
    tables, _, _ = reference_data.read(folder)
    courses = {fold(course["course_code"]): course["course_code"] for course in tables["courses.csv"]}
    setting = parse_values.Setting(day, courses, b"a key of tests")
    files = [
        (path, table, province_in_name(path.name))
        for path, table in source_files(folder)
        if not provinces or province_in_name(path.name) in provinces
    ]
    with tempfile.TemporaryDirectory() as rows:
        jobs = [Job(path, table, at * len(TABLES), Path(rows)) for at, (path, table, _) in enumerate(files)]
        with closing(WarmPool(setting, jobs)) as workers:
            outcomes = workers.read_all(lambda *_: None)
        con.execute("create table files (file_number integer, province varchar)")
        con.executemany(
            "insert into files values (?, ?)", [[at * len(TABLES), place] for at, (*_, place) in enumerate(files)]
        )
        for table in TABLES:
            read = [one for one in outcomes if one.job.table == table and one.read]
            comparison.load(con, table, contract(table), read)


@dataclass
class Months:
    """The files of one table of a province at the end of each of some months, each with its corrections."""

    con: duckdb.DuckDBPyConnection
    of: Contract
    province: str
    ends: Sequence[date]

    def put(self, side: str, at: int, fault: str = "") -> None:
        """Fill the table of a side with the file of a month. `fault`: statements about ROWS, separated by semicolons."""
        own = (
            f"(select rows.* from {self.of.table} as rows "
            f"semi join files on files.file_number = rows.file_number and files.province = '{self.province}')"
        )
        known = AS_OF[self.of.table].format(rows=own)
        # Each month corrects other rows, with the value of another row.
        values = ", ".join(
            f"if(hash(line, {number}, {at}) % {_ONE_OF} = 0, lag({name}) over (order by hash(line, {at})), {name}) as {name}"
            for number, name in enumerate(CORRECTED[self.of.table])
        )
        self.con.execute(
            f"create or replace table {side}_rows as select * replace ({values}) from ({known})", {"day": self.ends[at]}
        )
        for statement in filter(None, fault.split(";")):
            self.con.execute(statement.replace("ROWS", f"{side}_rows"))

    def compared(self, at: int, history: Sequence[comparison.Shares], fault: str = "") -> Compared:
        """The file of a month against the one before, after files that changed so much."""
        self.put("before", at - 1)
        self.put("now", at, fault)
        return comparison.of_tables(self.con, self.of, self.province, comparison.usual(history, history))
