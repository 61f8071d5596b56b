"""The job of writing one file: a small one in this process, a large one in a worker process."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from etl.core import files
from etl.core.errors import QuestionError
from etl.semantic import exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import DIMENSIONS, TIME, catalogue
from etl.semantic.rights import AccessScope
from ui.charts.elements import ChartContext
from ui.data import page_run, warehouse
from ui.data.ask import Ask, Question, Rounded, frozen
from ui.data.worker_process import Report, WorkerProcess, worker_memory
from ui.exports import workbook, writers
from ui.exports.file_content import Exportable
from ui.exports.page_workbook import PageJob, content_of
from ui.exports.picture import PictureJob, PicturesJob
from ui.exports.status_facts import facts_of
from ui.state import questions

# The formats with their media types.
FORMS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
# Those of the data address.
DATA_FORMS = FORMS | {"json": "application/json"}
# A file with more cells than this is written by a worker process.
MANY_CELLS = {"csv": 1_000_000, "xlsx": 300_000, "parquet": 1_000_000, "json": 300_000}
# How long such a process may take.
FILE_SECONDS = 900.0


@dataclass(frozen=True)
class ExportJob:
    """A file to write: its format, its rows, whether it is for circulation, and the name of its place."""

    form: str
    source: Exportable
    context: ChartContext
    circulation: bool
    place: str
    # In words: what a list is limited to, and the filters that its numbers do not have.
    limit: str = ""
    no_effect: str = ""

    def made_of(self) -> list[Any]:
        """What the file is made of besides what its name says."""
        asked = warehouse.of_page()
        return [content_of(self.source), asked.notes, asked.behind]

    def write(self, out: IO[bytes], tell: Report | None = None) -> None:
        """Write the file, exact or rounded for circulation."""
        page = warehouse.of_page()
        ask: Ask = Rounded(page) if self.circulation else page
        exported = Rounded(page).shown(self.source) if self.circulation else self.source
        answer, given = exportable.of(exported).answer, (out, exported, self.context)
        facts = facts_of(answer)
        if self.form == "csv":
            writers.write_csv(*given, tell, facts, self.no_effect)
        elif self.form == "json":
            writers.write_json(*given, facts, self.no_effect)
        elif self.form == "parquet":
            writers.write_parquet(*given, self.place, tell, facts, self.limit, self.no_effect)
        else:
            nation = _nation(answer, ask)
            workbook.write_xlsx(*given, self.place, tell, nation, facts, self.limit, self.no_effect)


def noted(answer: Answer, form: str, rows: int, circulation: bool = False) -> dict[str, str | int]:
    """The fields of the audit log for a file of an answer."""
    details: dict[str, str | int] = {
        "metric": ",".join(answer.measures),
        "form": form,
        "rows": rows,
        "publication": answer.publication.id,
    }
    return details | ({"circulation": 1} if circulation else {})


# A file of one answer, the workbook of a page, or the picture of a chart.
Job = ExportJob | PageJob | PictureJob | PicturesJob


class Making:
    """A job in a worker process, writing to a temporary file that is deleted with this object."""

    def __init__(self, job: Job, seconds: float = FILE_SECONDS) -> None:
        self.job = job
        self.file = files.temporary("file-")
        self.process = WorkerProcess(
            _write_in_worker,
            page_run.current_file(),
            page_run.access_scope(),
            job,
            self.path,
            seconds=seconds,
            memory=worker_memory(),
        )

    def __del__(self) -> None:
        # The session has ended, or another file replaces this one.
        self.stop()

    def stop(self) -> None:
        """Stop the job and delete its file."""
        if process := getattr(self, "process", None):
            process.stop()
        self.file.close()
        self.path.unlink(missing_ok=True)

    def take(self) -> Path:
        """The finished file under a new name; the caller owns it."""
        # A hard link keeps the file when this object deletes the temporary name.
        offer = self.path.with_name(self.path.name.replace("file-", "offer-", 1))
        os.link(self.path, offer)
        return offer

    @property
    def path(self) -> Path:
        return Path(self.file.name)


def _write_in_worker(tell: Report, file: str, scope: AccessScope, job: Job, out: Path) -> None:
    """Run the job in the worker process, with the rights of its user and the publication shown to them."""
    with page_run.acting_as(scope), page_run.reading(file), out.open("wb") as written:
        job.write(written, tell)


def _nation(answer: Answer, ask: Ask) -> Answer | None:
    """The same measures for the nation, under all filters except places; None if that is not a valid question."""
    names = answer.measures
    is_asked = answer.by and set(answer.by) <= {*DIMENSIONS} - {*TIME} and set(names) <= catalogue().keys()
    if not is_asked:
        return None
    where = frozen(questions.without_places(answer.where))
    try:
        nation = ask(Question(tuple(names), (), answer.on, answer.over, where))
    except QuestionError:
        return None
    return None if nation.left_out else nation
