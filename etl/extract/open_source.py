"""Open a source file with the reader of its format, and recognise its table by its headers."""

from pathlib import Path

from etl.core.errors import Refused
from etl.extract.causes import because
from etl.extract.contract import TABLES, Contract, contract
from etl.extract.file_kinds import refuse_other_kinds
from etl.extract.limits import DEFAULT, Limits
from etl.extract.source_file import SourceFile
from etl.extract.source_folder import PERSIAN_NAMES, WORKBOOKS, ending_of


def recognised(path: Path, limits: Limits = DEFAULT) -> str:
    """The table that the headers of a file match. Raises Refused if they match none, or several."""
    refuse_other_kinds(path)
    fitting, refusals = [], []
    for table in TABLES:
        try:
            open_source(path, contract(table), limits)
        except Refused as error:
            refusals.append((error.resembles, str(error)))
        else:
            fitting.append(table)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise because("several_tables", tables=", ".join(fitting))
    likely = [message for resembles, message in refusals if resembles]
    if len(likely) == 1:
        raise Refused(likely[0])
    messages = {message for _, message in refusals}
    # A damaged file is refused with the same message for every table.
    raise Refused(messages.pop()) if len(messages) == 1 else _no_table()


def _no_table() -> Refused:
    """The refusal of a file that is like no table: the required headers of each."""
    required = {table: [column for column in contract(table).columns if column.required] for table in TABLES}
    return because(
        "no_table",
        expected="; ".join(f"{table}: {', '.join(column.name for column in of)}" for table, of in required.items()),
        expected_fa="؛ ".join(
            f"{PERSIAN_NAMES[table]}: {'، '.join(column.headers[0] for column in of)}" for table, of in required.items()
        ),
    )


def open_source(path: Path, contract: Contract, limits: Limits = DEFAULT) -> SourceFile:
    """The rows of `path`. Raises Refused, with the place and the reason, if it cannot be read as the table."""
    refuse_other_kinds(path, contract.table)
    ending = ending_of(path.name)
    if ending in WORKBOOKS:
        from etl.extract.workbook import open_workbook

        return open_workbook(path, contract)
    if ending == ".parquet":
        from etl.extract.parquet import open_parquet

        return open_parquet(path, contract, limits)
    from etl.extract.delimited import open_csv

    return open_csv(path, contract)
