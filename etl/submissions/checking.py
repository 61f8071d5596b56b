"""The whole check of a submission: its files in place of their predecessors among the accepted files of all provinces.

First the files themselves are read, in worker processes with limits; then every step of a build runs but publishing.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from persiantools.jdatetime import JalaliDate

from etl.build import identity, load_report, pipeline, reference_data, volume
from etl.build.load_report import Report
from etl.core import jalali
from etl.core.errors import Refused
from etl.core.text_folding import fold, printable
from etl.extract import parse_values
from etl.extract.causes import BETWEEN, because, words
from etl.extract.contract import TABLES
from etl.extract.read_file import Job
from etl.extract.read_folder import Outcome, WorkerPool
from etl.extract.source_folder import HANDED_IN, handed_in, named_tables, table_of
from etl.revisions import fingerprints
from etl.semantic import access, catalog
from etl.semantic.answers import ask
from etl.semantic.ranking import LEAST
from etl.semantic.rights import ADMINISTRATOR
from etl.submissions import comparison, originals
from etl.submissions.desk import Desk, as_json
from etl.submissions.ledger import counting, is_superseded, ledger, overtaken
from etl.submissions.records import File, Submission
from etl.warehouse import build_database, publications

# What a province looks at first.
HEADLINES = (
    "active_assistants", "in_service", "licensed_institutes", "training_compliance", "judicial_officer_share",
    "time_to_licence_median",
)  # fmt: skip
_MONTHS = 24
_MOST_LESS = 0.1
_LEAST_MOVE = 0.01
# The processor time in which the files of a submission are read, besides ten seconds for each MiB.
_MOST_SECONDS = 300
_PLACES, _MOST_LISTED = 3, 10_000


@dataclass
class Assembled:
    """A folder to build from: the accepted files with those of submissions in place of their predecessors.

    `names`: the name in the folder of each file of a submission that counts, by (submission, number); `replaced`: the
    accepted files whose place they take, with the submission that does.
    """

    folder: Path
    names: dict[tuple[str, int], str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)


def assemble(desk: Desk, submissions: Sequence[Submission], folder: Path) -> Assembled:
    """Fill a folder with links; of each province and table the last submission counts, be it published already.

    Raises Refused where a file that does not count any more also holds tables that are not submitted.
    """
    incoming = desk.folders.incoming
    made = Assembled(folder)
    owners = handed_in(incoming)
    last = publications.comparable(desk.folders.warehouse)
    loaded = publications.rows_of(last, "select file, source_table, province from load_files")
    entries = ledger(
        [*desk.records.all("published", since=min(one.month for one in submissions)), *submissions], desk.rules
    )
    for one in submissions:
        tables = counting(entries, one)
        made.replaced |= dict.fromkeys(_predecessors(incoming, one.province, tables, owners, loaded), one.id)
    for path in sorted(incoming.iterdir()) if incoming.is_dir() else []:
        if path.name not in made.replaced and path.name != HANDED_IN:
            (folder / path.name).symlink_to(path.absolute())
    # In the order in which they were accepted; what is only checked comes last.
    made.owners |= {name: province for name, province in owners.items() if (folder / name).is_symlink()}
    for one in sorted(submissions, key=lambda one: (one.state != "approved", one.decided_at)):
        for file in one.files:
            tables = {*file.table.split()}
            if later := tables & overtaken(entries, one):
                _refuse_shared(one.province, file.name, tables - later)
                continue
            name = _free_name(folder, one, file)
            (folder / name).symlink_to(originals.original(desk.root, one, file.sha256).absolute())
            made.names[one.id, file.number] = name
            made.owners[name] = one.province
    (folder / HANDED_IN).write_text(as_json(made.owners), encoding="utf-8")
    return made


def _free_name(folder: Path, submission: Submission, file: File) -> str:
    """The own name of a file, unless another file has it."""
    if not (folder / file.name).is_symlink():
        return file.name
    table = file.table.split()[0] if file.table else ""
    stem, dot, ending = file.name.rpartition(".")
    beginning = "" if table_of(file.name) else f"{table}_" if table else ""
    return f"{beginning}{stem}_{submission.id}-{file.number}{dot}{ending}"


def _predecessors(
    incoming: Path, province: str, tables: set[str], owners: dict[str, str], loaded: Sequence[tuple[Any, ...]]
) -> set[str]:
    """The accepted files of a province in whose place these tables come.

    Raises Refused if one holds more tables.
    """
    found = set()
    for name, held in _accepted_files(incoming, province, owners, loaded).items():
        if held & tables:
            _refuse_shared(province, printable(name), held - tables)
            found.add(name)
    return found


def _accepted_files(
    incoming: Path, province: str, owners: dict[str, str], loaded: Sequence[tuple[Any, ...]]
) -> dict[str, set[str]]:
    """The tables of each accepted file of a province; `loaded`: file, table, province of the last load."""
    holds: dict[str, set[str]] = {}
    province_of: dict[str, str | None] = {}
    for file, table, of in loaded:
        holds.setdefault(file, set()).add(table)
        province_of[file] = of or province_of.get(file)
    found = {}
    for path in sorted(incoming.iterdir()) if incoming.is_dir() else ():
        label = printable(path.name)
        named = {table} if (table := table_of(path.name)) else set()
        place = owners.get(path.name) or province_of.get(label) or load_report.province_in_name(path.name)
        if place == province and (held := holds.get(label, named)):
            found[path.name] = held
    return found


def _refuse_shared(province: str, file: str, more: set[str]) -> None:
    """Raises Refused if a file of a province, in whose place a submission comes, holds more tables."""
    if more:
        refusal = because("handed_in_shared", file=file, **named_tables(more))
        refusal.province = province
        raise refusal


def read_alone(desk: Desk, submission: Submission, folder: Path) -> list[Outcome]:
    """Read the files of a submission, each on its own: its table, its rows, or why it is refused."""
    files = [
        (str(file.number), file.name, originals.original(desk.root, submission, file.sha256))
        for file in submission.files
    ]
    return _read(desk, files, folder / "named", folder)


def _read(desk: Desk, files: Sequence[tuple[str, str, Path]], named: Path, folder: Path) -> list[Outcome]:
    """Read files, each under its name in a place of its own: two may have one name."""
    tables, _, _ = reference_data.read(desk.folders.incoming)
    setting = parse_values.Setting(
        volume.build_day(date.today()),
        {fold(course["course_code"]): course["course_code"] for course in tables["courses.csv"]},
        identity.key(store=False),
    )
    jobs = []
    for at, (place, name, original) in enumerate(files):
        (named / place).mkdir(parents=True)
        (named / place / name).symlink_to(original.absolute())
        jobs.append(Job(named / place / name, table_of(name) or "", at * len(TABLES), folder))
    with closing(WorkerPool(setting, jobs, _MOST_SECONDS)) as workers:
        return workers.read_all(lambda *_: None)


def first_result(desk: Desk, submission: Submission, outcomes: Sequence[Outcome]) -> tuple[Submission, dict[str, Any]]:
    """What reading shows: the tables of the files, their rows, and the sentences of those that are refused."""
    files, entries, stops = [], [], []
    for file in submission.files:
        own = [outcome for outcome in outcomes if outcome.job.path.parent.name == str(file.number)]
        read = [outcome for outcome in own if outcome.read]
        tables = list(dict.fromkeys(outcome.job.table for outcome in read)) or [file.table]
        files.append(File(**{**file.__dict__, "table": " ".join(filter(None, tables))}))
        stops += [_stop(file.name, outcome.refusal) for outcome in own if not outcome.read]
        entries += [
            {"file": file.name, "table": one.job.table, "rows_read": one.read.rows_read} for one in read if one.read
        ]
    result = {
        "files": entries,
        "stops": stops,
        "returned": [],
        "changes": [],
        "confirm": _accepted_before(desk, submission),
    }
    return submission.but(files=tuple(files)), result


def compared(desk: Desk, submission: Submission, outcomes: Sequence[Outcome], folder: Path) -> dict[str, Any]:
    """What the files of a submission change against those that count until it is approved: `unusual` lines, of each table
    the rows `before`, new and gone, what later files are held against (`shares`), and the tables `of_others`.
    """
    apart = folder / "before"
    apart.mkdir()
    tables = sorted(submission.tables, key=TABLES.index)
    files = {path for table in tables for path in _files_before(desk, submission, table)}
    names = [(str(at), name, path) for at, (name, path) in enumerate(sorted(files))]
    before = _read(desk, names, apart / "named", apart) if names else []
    states = ("approved", "published", "superseded")
    accepted = [one for one in desk.records.all(*states) if one.state == "approved" or one.publication]
    found: dict[str, Any] = {"unusual": [], "before": {}, "shares": {}, "of_others": []}
    for table in tables:
        was, now = ([one for one in read if one.job.table == table and one.read] for read in (before, outcomes))
        if not was or not now:
            continue
        known = [(one.province, shares) for one in accepted if (shares := one.result.get("shares", {}).get(table))]
        own = [shares for province, shares in known if province == submission.province]
        usual = comparison.usual(own, [shares for _, shares in known])
        here = comparison.of_outcomes(table, was, now, submission.province, usual)
        found["unusual"] += here.unusual
        found["before"][table] = {"rows": here.keys, "keys_gone": here.keys_gone, "new": here.new, "gone": here.gone}
        found["shares"][table] = here.shares
        found["of_others"] += [table] * here.is_of_others
    return found | {"unusual": comparison.most(found["unusual"])}


def _files_before(desk: Desk, submission: Submission, table: str) -> list[tuple[str, Path]]:
    """The files of a table, by name, that count as long as a submission is not approved."""
    approved = {one.id: one for one in desk.records.all("approved") if one.province == submission.province}
    entry = ledger(approved.values(), desk.rules).get((submission.province, table))
    if entry and entry.submission:
        one = approved[entry.submission]
        held = [file for file in one.files if table in file.table.split()]
        return [(file.name, originals.original(desk.root, one, file.sha256)) for file in held]
    incoming = desk.folders.incoming
    last = publications.comparable(desk.folders.warehouse)
    loaded = publications.rows_of(last, "select file, source_table, province from load_files")
    accepted = _accepted_files(incoming, submission.province, handed_in(incoming), loaded)
    return [(name, incoming / name) for name, held in accepted.items() if table in held]


def _stop(name: str, reason: str) -> str:
    """Why a file is refused, with its name in both languages: the page shows one of them."""
    return volume.Refusal(name.replace(BETWEEN, " "), reason).sentence


def _accepted_before(desk: Desk, submission: Submission) -> list[str]:
    """A sentence for each file that was accepted before, as it is."""
    days = {
        file.sha256: datetime.fromtimestamp(one.decided_at).date()
        for one in desk.records.all("approved", "published")
        if one.province == submission.province
        for file in one.files
    }
    last = publications.comparable(desk.folders.warehouse)
    rows = publications.rows_of(last, "select distinct sha256, built_on from load_files cross join publication")
    days = dict(rows) | days
    return [
        words(
            "handed_in_before",
            file=file.name,
            day=days[file.sha256].isoformat(),
            day_fa=JalaliDate(days[file.sha256]).strftime("%Y/%m/%d"),
        )
        for file in submission.files
        if file.sha256 in days
    ]


def whole(
    desk: Desk,
    submission: Submission,
    others: Sequence[Submission],
    folder: Path,
    say: Callable[[str], None],
    candidate: Path | None = None,
) -> dict[str, Any]:
    """The result of the whole check. `others`: approved submissions that are not published yet; `candidate`: a build of them,
    if there is one; `say` may stop the check.
    """
    assembled_at = folder / "all"
    assembled_at.mkdir()
    # Those that are superseded once it is approved.
    others = [one for one in others if not is_superseded(one, [submission], desk.rules)]
    accepted = ledger([*others, *desk.records.all("published", since=submission.month)], desk.rules)
    if outdated := overtaken(accepted, submission):
        return {"stops": [words("handed_in_outdated", **named_tables(outdated))]}
    try:
        made = assemble(desk, [*others, submission], assembled_at)
    except Refused as refusal:
        is_own = refusal.province in ("", submission.province)
        return {"stops": [str(refusal) if is_own else words("submission_elsewhere")]}
    files = {made.names[submission.id, file.number]: file for file in submission.files}
    names = {label: file.name for label, file in files.items()}
    result: dict[str, Any] = {"files": [], "stops": [], "returned": [], "warned": [], "changes": [], "jumps": []}
    chosen = options(
        desk,
        assembled_at,
        staged=lambda con, _: result.update(_returned(con, files)),
        examine=lambda built, _: result.update(
            _changes(built, desk.folders.warehouse, submission, candidate, is_all=candidate is not None or not others)
        ),
    )
    refusals: Sequence[volume.Refusal] = ()
    try:
        report = pipeline.check(chosen, say, lambda *_: say("reading"))
    except pipeline.BuildRefused as refusal:
        report, refusals = refusal.report, refusal.refusals
    except Refused as refusal:
        report, refusals = Report(), [volume.Refusal("", str(refusal))]
    result["files"] = [_entry(file, names) for file in report.files if file.file in names]
    stops = [_stop(names[file.file], file.reason) for file in report.refused if file.file in names]
    of_others = {file.file for file in report.files} | {file.file for file in report.refused}
    # Those of the own files are listed already.
    further = [one for one in refusals if one.file not in names]
    own = {submission.province}
    told = [one for one in further if one.provinces == own or not (one.provinces or one.file in of_others)]
    elsewhere = [one for one in further if one not in told]
    told += [part for one in elsewhere for part in one.parts if part.provinces == own]
    stops += [one.sentence for one in told]
    if elsewhere or (refusals and not stops):
        stops.append(words("submission_elsewhere"))
    result["stops"] = list(dict.fromkeys(stops))
    return result


def options(desk: Desk, folder: Path, **more: Any) -> pipeline.BuildOptions:
    """A build of these files as it would be published today, whose refused files are left out."""
    today = volume.build_day(date.today())
    return pipeline.BuildOptions(folder, desk.folders.warehouse, today, skip_refused=True, by_clock=True, **more)


def refuse_left_out(report: Report, made: Assembled) -> None:
    """Raises Refused if a file of a submission is not loaded."""
    names = set(made.names.values())
    for file in report.refused:
        if file.file in names:
            raise because("submission_left_out", file=file.file)


def _entry(file: load_report.FileReport, names: dict[str, str]) -> dict[str, Any]:
    entry = {**file.__dict__, "file": names[file.file]}
    if not file.example:
        del entry["example"]
    return entry


def _returned(con: duckdb.DuckDBPyConnection, files: dict[str, File]) -> dict[str, Any]:
    """The rows that come back and the values loaded as unknown: by table, column and reason, the most frequent first.

    `files`: the files of the submission by their names in the folder.
    """
    names = {label: file.name for label, file in files.items()}
    found: dict[str, Any] = {}
    rows: list[tuple[Any, ...]] = []
    with build_database.new_cursor(con) as cursor:
        for kind, table in (("returned", "quarantine"), ("warned", "warned")):
            cursor.execute(
                "select source_table, column_name, reason, count(distinct (file, sheet, line)), "
                "min_by([file, sheet, line::varchar], line, $places) "
                f"from {table} where list_contains($files, file) group by all order by 4 desc, 1, 2, 3",
                {"files": list(names), "places": _PLACES},
            )
            found[kind] = [
                {
                    "table": source,
                    "column": column,
                    "reason": reason,
                    "rows": count,
                    "places": [[names[file], sheet, int(line)] for file, sheet, line in places],
                }
                for source, column, reason, count, places in cursor.fetchall()
            ]
            cursor.execute(
                f"select file, source_table, sheet, line, column_name, reason, expected from {table} "
                "where list_contains($files, file) order by file, sheet nulls first, line, column_name limit $most",
                {"files": list(names), "most": _MOST_LISTED},
            )
            rows += [
                (files[file], source, sheet, line, column, reason, form or "", kind)
                for file, source, sheet, line, column, reason, form in cursor.fetchall()
            ]
    listed = [
        {
            "file": file.name,
            "number": file.number,
            "table": source,
            "at": [sheet, line],
            "column": column,
            "reason": reason,
            # Another province's file and row are named to nobody.
            "expected": form if not _names_other(form, names) else words("submission_other_row"),
            "warned": kind == "warned",
        }
        for file, source, sheet, line, column, reason, form, kind in rows
    ]
    return found | {"rows": listed}


def _names_other(form: str, names: dict[str, str]) -> bool:
    """Whether what was expected names a row of another file than these."""
    return "differs in" in form and not any(f" of {name} " in form for name in names)


def _changes(
    built: Path, pointer: Path, submission: Submission, candidate: Path | None, is_all: bool
) -> dict[str, Any]:
    """The headlines of the province before and after, those that moved far, those of others that it moves, and the periods of
    service of the own province that are not there any more.

    Before is the publication with what is approved: the `candidate`. `is_all`: nothing else is approved than what it holds.
    """
    of = submission.province
    with publications.comparable_held_open(candidate or pointer) as last, publications.held_open(built):
        changes = [change for change in moved(built, last) if change.pop("province") == of]
        far = [
            change["metric"]
            for change in changes
            if None not in (change["before"], change["after"])
            and _is_far(str(change["metric"]), change["before"], change["after"], pointer, of)
        ]
        compared = last if is_all and last and _are_comparable(built, last) else None
        gone = _only_in(compared, built, "personnel", "key_fingerprint", of) if compared else None
        stale = [
            table
            for table in sorted(submission.tables)
            if compared and not _only_in(built, compared, table, "key_fingerprint, content_fingerprint", of)
        ]
        others = [move for move in _moved_on_one_day(built, last) if move["province"] != of] if is_all and last else []
    return {"changes": changes, "jumps": far, "gone": gone, "stale": stale, "others": others}


def _moved_on_one_day(built: Path, last: Path) -> list[dict[str, Any]]:
    """The headlines of provinces that differ on the earlier of the two last days: what grows with time alone is no move."""
    try:
        with access.connect(last, ADMINISTRATOR) as before, access.connect(built, ADMINISTRATOR) as after:
            day = min(con.execute("select as_of from publication").fetchall()[0][0] for con in (before, after))
            was, now = (fingerprints.numbers_of(con, day, ("province",), HEADLINES) for con in (before, after))
    except Refused:
        # Other code built the last publication: its numbers cannot be asked again.
        return []
    return [
        {"province": place, "metric": name, "before": was.get((name, place)), "after": now.get((name, place))}
        for place in sorted({place for _, place in (*was, *now) if place})
        for name in HEADLINES
        if _is_other(name, was.get((name, place)), now.get((name, place)))
    ]


def _is_other(name: str, was: float | None, now: float | None) -> bool:
    """Whether two values of a headline differ: counts at all, the others by a hundredth of what they were."""
    if was is None or now is None or catalog.catalogue()[name].unit in ("persons", "institutes"):
        return was != now
    return abs(now - was) > _LEAST_MOVE * abs(was)


def moved(built: Path, last: Path | None) -> list[dict[str, Any]]:
    """The headlines that a build changes against the last publication, those of the nation (province "") first."""
    sql = (
        "select coalesce(province, ''), metric, value from published_numbers "
        f"where list_contains({list(HEADLINES)!r}, metric)"
    )
    before, after = (
        {(place, name): value for place, name, value in publications.rows_of(version, sql)} for version in (last, built)
    )
    return [
        {"province": place, "metric": name, "before": before.get((place, name)), "after": after.get((place, name))}
        for place in sorted({place for place, _ in (*before, *after)})
        for name in HEADLINES
        if before.get((place, name)) != after.get((place, name))
    ]


def _is_far(name: str, was: Any, now: Any, pointer: Path, province: str) -> bool:
    """Whether a headline falls by a tenth, or leaves its own 24 months by more than their largest step and by a hundredth."""
    if abs(now - was) <= _LEAST_MOVE * abs(was):
        return False
    # Below this number a headline moves by chance.
    is_small = catalog.catalogue()[name].unit in ("persons", "institutes") and was < LEAST
    if now < was * (1 - _MOST_LESS) and not is_small:
        return True
    try:
        with access.connect(pointer, ADMINISTRATOR) as con:
            ((as_of,),) = con.execute("select as_of from publication").fetchall()
            over = jalali.last_complete_months(as_of, _MONTHS)
            answer = ask(con, name, by=("month",), over=over, where={"province": (province,)})
    except (Refused, ValueError):
        return False
    values = [value for value in answer.column(name) if value is not None]
    if len(values) < _MONTHS // 2:
        return False
    step = max(abs(second - first) for first, second in itertools.pairwise(values))
    return bool(now < min(values) - step or now > max(values) + step)


def _are_comparable(built: Path, last: Path) -> bool:
    """Whether two publications have fingerprints of one kind."""
    kind = "select engine, key from fingerprint_kind"
    return publications.rows_of(built, kind) == publications.rows_of(last, kind)


def _only_in(one: Path, other: Path, table: str, columns: str, province: str) -> int:
    """The rows of a province in a source table, by these fingerprints, that are in one publication and not in the other."""
    sql = f"select {columns} from row_fingerprints where source_table = '{table}'"
    own = publications.rows_of(one, f"{sql} and province = $province", {"province": province})
    return len({*own} - {*publications.rows_of(other, sql)})


def asked_about(submission: Submission, result: Mapping[str, Any]) -> list[str]:
    """What is to be confirmed of each file: that it was accepted before, or that nothing in it is new."""
    said = list(result.get("confirm", ()))
    told = {file.name for file in submission.files if any(sentence.startswith(f"{file.name}: ") for sentence in said)}
    stale = set(result.get("stale", ()))
    return said + [
        words("handed_in_nothing_new", file=file.name)
        for file in submission.files
        if file.table and {*file.table.split()} <= stale and file.name not in told
    ]
