"""The command line: python -m etl sample | build | check | quarantine | returns | template | metrics | ask | analyse | why |
notes | publications | rollback.

Exit 0: done. 1: refused, with one line that says why, and the last publication untouched. 2: wrong usage.
3: another build is running.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import duckdb

from etl.analysis import analyses, quick_calculations
from etl.build import load_report, pipeline, template, volume
from etl.cli import arguments, console
from etl.core import frames, paths, settings
from etl.core.errors import Busy, QuestionError, Refused
from etl.core.store import StoreFault
from etl.extract.causes import because, printable_line, words
from etl.operations import commands as operations
from etl.operations import readiness, stores
from etl.revisions import diff
from etl.semantic import access, answers, catalog, rights
from etl.semantic.calculations import CALCULATIONS
from etl.semantic.resolve import newer_counties_in
from etl.submissions import commands as submissions
from etl.submissions import work
from etl.warehouse import publications

# The exit code of a command ended by Ctrl-C, as shells report it.
_INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = _parser().parse_args(words)
    # An interrupt may come while an error is handled, too.
    with suppress(KeyboardInterrupt):
        if (code := _exit_code(options)) is not None:
            return code
    print("stopped", file=sys.stderr)
    return _INTERRUPTED


def _exit_code(options: argparse.Namespace) -> int | None:
    """Run the command; its exit code, None if an interrupt ended it by an error."""
    try:
        console.note_interrupts()
        code: int = options.run(options) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output closed the pipe.
        console.discard_output()
        return 0
    except Exception as error:
        if console.interrupted.is_set():
            return None
        code, lines = _explain(error, options.command)
        for line in lines.splitlines():
            print(printable_line(line), file=sys.stderr)
        console.discard_output()
    return code


def _explain(error: Exception, command: str) -> tuple[int, str]:
    """The exit code of an error, and its one line for the user, which never contains a value of the data."""
    if isinstance(error, QuestionError):
        return 2, f"{command}: {error}"
    if isinstance(error, Refused):
        return 1, str(error)
    if isinstance(error, Busy):
        return 3, "another build is running"
    if os.environ.get("ETL_TRACE"):
        raise error
    if isinstance(error, StoreFault):
        return 1, f"{stores.line(error)}; python -m etl doctor examines every store"
    if isinstance(error, OSError):
        place = error.filename or "the machine"
        return 1, words("machine", place=place, error=error.strerror or type(error).__name__)
    cause = "database" if isinstance(error, duckdb.Error) else "unforeseen"
    return 1, words(cause, error=type(error).__name__)


def _sample(options: argparse.Namespace) -> None:
    from etl import synthetic

    synthetic.make(options.folder, scale=options.scale, seed=options.seed, day=options.day)
    if options.submissions:
        from etl.submissions import sample

        if not sample.make(work.desk_of(settings.read()), options.folder, options.seed):
            print("the folder of submissions holds some already: none was made", file=sys.stderr)


def _build(options: argparse.Namespace) -> None:
    with readiness.outcome_noted(options.to):
        _load(pipeline.build, options)
    with suppress(OSError):
        for line in submissions.behind(settings.read()):
            print(f"warning: {line}")


def _load(command: Callable[..., load_report.Report], options: argparse.Namespace) -> None:
    order = pipeline.BuildOptions(
        options.folder,
        options.to,
        options.day or volume.build_day(date.today()),
        options.skip_refused,
        options.accept_loss,
        options.new_identity,
        by_clock=not options.day,
        announce=_note_load,
        returns=options.to.with_name(f"{options.to.name}.returns") if command is pipeline.build else None,
    )
    if options.report:
        load_report.refuse_unwritable(options.report)
    progress = console.Progress()

    def say(text: str) -> None:
        # DuckDB may have dropped it.
        if console.interrupted.is_set():
            raise KeyboardInterrupt
        progress.say(text)

    try:
        report = command(order, say, progress.files)
    except Busy:
        raise
    except Exception as error:
        report = error.report if isinstance(error, pipeline.BuildRefused) else load_report.Report()
        report.refusals = _explain(error, options.command)[1].splitlines()
        if options.report:
            report.write(options.report)
        if command is pipeline.build:
            operations.note_refusal("load_refused")
        progress.close()
        # A closed pipe does not turn a refusal into a success.
        with suppress(OSError):
            if isinstance(error, pipeline.BuildRefused):
                console.print_report(report)
            sys.stdout.flush()
        raise
    finally:
        progress.close()
    _write_report(report, options.report)


def _note_load(report: load_report.Report) -> None:
    if report.new_files:
        new = {"files": report.new_files, "rows": report.new_rows}
        operations.note("file_submitted", publication=report.publication, **new)
    operations.note("load_approved", publication=report.publication)


def _write_report(report: load_report.Report, to: Path | None) -> None:
    """Write and print the report of a success. An error in that is printed, and the exit code is still 0."""
    try:
        if to:
            report.write(to)
        console.print_report(report)
        sys.stdout.flush()
    except (Refused, OSError) as error:
        success = f"published {report.publication}" if report.published else "checked"
        print(f"{success}, but its report: {error}", file=sys.stderr)
        console.discard_output()


def _quarantine(options: argparse.Namespace) -> None:
    with access.connect(options.source, rights.ADMINISTRATOR) as con:
        rows = con.execute(
            "select file, coalesce(sheet || '!', '') || line, column_name, reason, expected "
            f"from {'warned' if options.warned else 'quarantine'}"
        ).fetchall()
    operations.note("quarantine", rows=len(rows))
    console.write_csv(("file", "line", "column", "reason", "expected"), rows, options.to)


def _returns(options: argparse.Namespace) -> None:
    operations.note("quarantine")
    day = options.day or volume.build_day(date.today())
    order = pipeline.BuildOptions(options.folder, build_day=day, returns=options.to, only_returns=True)
    progress = console.Progress()
    try:
        report = pipeline.check(order, progress.say, progress.files)
    except pipeline.BuildRefused as error:
        # A refused load goes back like any other, once its files are read.
        report = error.report
        if not report.returns:
            raise
    finally:
        progress.close()
    if report.returned is None:
        raise because("report_not_written", path=options.to)
    console.print_returns(report)


def _template(options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        con = None
        if publications.is_published(options.source):
            con = stack.enter_context(access.connect(options.source, rights.ADMINISTRATOR))
        for path in template.write(options.to, options.province, con):
            print(path)
    if con is None:
        print("nothing is published: the templates list no institutes", file=sys.stderr)


def _metrics(_: argparse.Namespace) -> None:
    for metric in catalog.catalogue().values():
        if not metric.hidden:
            kind = {"snapshot": "state", "event": "flow"}[metric.kind]
            print(f"{metric.name}\t{kind}\t{metric.unit}\t{metric.label['en']}\t{metric.label['fa']}")


def _ask(options: argparse.Namespace) -> None:
    where, by = arguments.filters(options.where), tuple(filter(None, (options.by or "").split(",")))
    with access.connect(options.source, rights.ADMINISTRATOR) as con:
        question = {"by": by, "on": options.on, "over": options.over, "where": where}
        if options.calc:
            answer = quick_calculations.ask(con, *options.names, calc=options.calc, **question)
        else:
            answer = answers.ask(con, *options.names, **question)
        console.note_provisional(con, answer, options.names)
        for name, code in newer_counties_in(where).items():
            print(
                f"{name} counts in county {code}: counties have the boundaries of the census of 1395", file=sys.stderr
            )
        # The parts of ratios stand after the metrics asked for.
        console.print_answer(con, answer, options.format, len(answer.by) + len(answer.metrics))


def _analyse(options: argparse.Namespace) -> None:
    if not options.name:
        for name, analysis in analyses.by_name().items():
            more = arguments.options_of(analysis.run)
            takes = ["[--on DAY]", *(["[--over DAY..DAY]"] if analysis.over_period else ())]
            known = sorted(analyses.filters(name)) or (["DIM"] if "metric" in more else [])
            takes += [f"[--where {'|'.join(known)}=VALUE]"] if known else []
            print("\t".join((name, " ".join((*takes, *(option.described(word) for word, option in more.items()))))))
        return
    analysis = analyses.find(options.name)
    more = arguments.settings(options.name, analysis.run, options.set)
    if options.over and not analysis.over_period:
        raise QuestionError(f"{options.name} is computed on a day and takes no period")
    if options.over:
        more["over"] = options.over
    where = arguments.filters(options.where)
    # What filters the analysis of any metric depends on the metric.
    if "metric" not in more and (foreign := set(where) - analyses.filters(options.name)):
        raise QuestionError(f"{options.name} has no meaning by {min(foreign)}")
    _print_analysis(options, options.name, where, **more)


def _why(options: argparse.Namespace) -> None:
    more = {"metric": options.name, "by": options.by, "before": options.before, "against": options.against}
    _print_analysis(options, "why", arguments.filters(options.where), **more)


def _print_analysis(options: argparse.Namespace, name: str, where: dict[str, tuple[str, ...]], **more: Any) -> None:
    with access.connect(options.source, rights.ADMINISTRATOR) as con:
        answer = analyses.analyse(con, name, options.on, where, **more)
        console.note_provisional(con, answer, [more["metric"]] if name == "why" else [])
        console.print_answer(con, answer, options.format)


def _similar(options: argparse.Namespace) -> None:
    analyses.by_name()
    from etl.analysis import similar

    similar.make(options.on or date.today(), options.to)


def _diff(options: argparse.Namespace) -> None:
    console.print_diff(diff.between(options.source, options.old or "", options.new or ""), options.format)


def _backtest(options: argparse.Namespace) -> None:
    if options.planted:
        frames.allow_pandas()
        from etl.analysis import backtesting

        print(backtesting.planted().to_string(index=False, na_rep="", float_format="{:.0%}".format))
        return
    with access.connect(options.source, rights.ADMINISTRATOR) as con:
        console.print_answer(con, analyses.analyse(con, "backtest"), options.format)


def _add_files(command: argparse.ArgumentParser, words: str) -> None:
    """The folder of the files that a command loads, in words, and the day on which it does."""
    command.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=arguments.INCOMING,
        metavar="DIR",
        help=f"{words} (that of the settings)",
    )
    command.add_argument("--day", type=arguments.day, help="the day of the build (today)")


@cache
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m etl", description=(__doc__ or "").split("\n\n")[0], allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    sample = operations.command(commands, "sample", _sample, "write made-up files as 31 provinces would submit them")
    sample.add_argument("folder", type=Path, metavar="DIR", help="where the files go")
    sample.add_argument("--scale", type=arguments.scale, default=1.0, help="1 is about 60,000 people in service")
    sample.add_argument("--seed", type=int, default=7, help="another number, other people (7)")
    sample.add_argument("--day", type=arguments.day, help="the last day of the history (today)")
    sample.add_argument(
        "--submissions", action="store_true", help="also what provinces submitted: two are late, one has its data back"
    )

    build = operations.command(commands, "build", _build, "load, build, check and publish")
    build.add_argument("--to", type=Path, default=arguments.POINTER, metavar="FILE", help="published there")
    check = operations.command(
        commands, "check", partial(_load, pipeline.check), "run every step of a build, but publish nothing"
    )
    check.add_argument("--from", dest="to", type=Path, default=arguments.POINTER, metavar="FILE", help="compared with")
    for load in (build, check):
        _add_files(load, "the files of all provinces")
        load.add_argument(
            "--report", type=Path, metavar="FILE.json", help="write the rows of each file and the reasons"
        )
        load.add_argument("--skip-refused", action="store_true", help="build from the other files if a file is refused")
        load.add_argument(
            "--accept-loss",
            action="store_true",
            help="go on although a table, a province of it, most rows of a file or most people of a province are lost",
        )
        load.add_argument(
            "--new-identity",
            action="store_true",
            help="go on with another identity key than that of the last publication",
        )

    quarantine = operations.command(commands, "quarantine", _quarantine, "the rejected rows, as CSV")
    quarantine.add_argument("--to", type=Path, metavar="FILE.csv", help="instead of the terminal")
    quarantine.add_argument("--warned", action="store_true", help="the values that were loaded as unknown instead")

    returns = operations.command(commands, "returns", _returns, "write the rows to correct for the provinces, as XLSX")
    _add_files(returns, "the files")
    returns.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the workbooks go")

    templates = operations.command(
        commands, "template", _template, "write a workbook to fill in for each table, as XLSX"
    )
    templates.add_argument("--province", metavar="IR-07", help="its lists: own institutes, counties (the nation)")
    templates.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the workbooks go")

    operations.command(commands, "metrics", _metrics, "the catalogue, one metric a line")

    ask = operations.command(commands, "ask", _ask, "one question, one table")
    ask.add_argument("names", nargs="+", metavar="NAME", help="a measure; python -m etl metrics lists them")
    ask.add_argument("--by", metavar="DIM[,DIM]", help="one row for each member: province, post, month, …")
    ask.add_argument(
        "--calc",
        choices=CALCULATIONS,
        help="a column beside each measure: its share of the total, its change on the unit of time or the year before, "
        "its rank, its index (first = 100), or its running total",
    )

    analyse = operations.command(commands, "analyse", _analyse, "the analyses and their options, or the rows of one")
    analyse.add_argument("name", nargs="?", metavar="NAME", help="an analysis; without it, the list with their options")
    analyse.add_argument(
        "--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of the analysis; repeatable"
    )

    why = operations.command(commands, "why", _why, "why a rate or a count differs between two days or two places")
    why.add_argument("name", metavar="NAME", help="a measure; python -m etl metrics lists them")
    why.add_argument("--by", required=True, metavar="DIM", help="the groups that the difference is split into")
    sides = why.add_mutually_exclusive_group(required=True)
    sides.add_argument("--before", type=arguments.day, metavar="DAY", help="compare with this earlier day")
    sides.add_argument(
        "--against", default="", metavar="DIM=VALUE|nation", help="compare with this place or group, or with the nation"
    )
    similar = operations.command(
        commands, "similar", _similar, "write the reference file of similar provinces, once a year"
    )
    similar.add_argument(
        "--to",
        type=Path,
        default=paths.REFERENCE / "similar_provinces.csv",
        metavar="FILE.csv",
        help="the one that is read",
    )
    for asking in (ask, analyse, why, similar):
        asking.add_argument(
            "--on",
            type=arguments.day,
            metavar="DAY",
            help="the day to measure on, as 1405/06/31 or 2026-09-22 (the latest with data)",
        )
    for asking in (ask, analyse):
        asking.add_argument(
            "--over",
            type=arguments.period,
            metavar="DAY..DAY",
            help="the days to count over, as 1404/01/01..1404/12/29 (the last twelve months)",
        )
    for asking in (ask, analyse, why):
        asking.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="DIM=VALUE[,VALUE]",
            help="only these members, by code or name, as province=IR-07; repeatable",
        )

    compared = operations.command(commands, "diff", _diff, "which numbers changed between two publications, and why")
    compared.add_argument("old", nargs="?", help="a publication kept (the one before NEW)")
    compared.add_argument("new", nargs="?", help="a publication kept (the one shown)")

    backtest = operations.command(commands, "backtest", _backtest, "past projections against what happened")
    backtest.add_argument("--planted", action="store_true", help="made-up series with a planted break instead")

    for answering in (ask, analyse, why, compared, backtest):
        answering.add_argument(
            "--format", choices=("csv", "json", "table"), default="table", help="of the output (table)"
        )
    for reading in (quarantine, templates, ask, analyse, why, compared, backtest):
        reading.add_argument(
            "--from",
            dest="source",
            type=arguments.publication,
            default=arguments.POINTER,
            metavar="FILE",
            help="the publication to read (that of the settings)",
        )

    operations.add(commands, arguments.POINTER, (submissions.NEED,))
    submissions.add(commands)
    return parser
