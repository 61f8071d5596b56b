"""What was submitted and what is missing, which rows were rejected and why, whatever the scope. Each function is one exhibit."""

from collections.abc import Sequence
from pathlib import Path

from etl.analysis import data_quality as load
from etl.core.paths import warehouse_pointer
from etl.extract.causes import in_language
from etl.semantic.answers import Answer
from etl.warehouse.version_files import versions
from ui.charts.titles import Title
from ui.data.ask import Ask
from ui.exhibits.exhibit import Exhibit, Table
from ui.exhibits.page import Page, Section
from ui.i18n import member_names, text
from ui.state.scope import Scope

_IGNORED_NAMED = 20


def provinces(scope: Scope, ask: Ask) -> Exhibit:
    """What did each province submit, up to which day, and what does it lack?"""
    lang, missing, silent = scope.lang, ask.look_up(load.missing_sources), silent_provinces(ask, scope.lang)
    title = silent or text.word("load.all_reported", lang)
    notes = []
    if missing:
        title = text.word("load.not_reported", lang, count=text.number(len(missing), lang))
        notes += [f"{silent}."] * bool(silent)
    for code, sources in missing.items():
        names = text.listed([text.word_or(source, f"source.{source}", lang) for source in sources], lang)
        notes.append(text.word("load.lacks", lang, province=member_names.of("province", code, lang), sources=names))
    return _of_load(scope, ask, ask.look_up(load.provinces), "provinces", title, notes)


def silent_provinces(ask: Ask, lang: str) -> str:
    """How many provinces have sent nothing new for long; empty if there is none."""
    most_days = load.MOST_DAYS_SILENT
    count = ask.look_up(load.silent_provinces, most_days)
    numbers = {"count": text.number(count, lang), "days": text.number(most_days, lang)}
    return text.word("trust.silent", lang, **numbers) if count else ""


def reasons(scope: Scope, ask: Ask) -> Exhibit:
    """For which reasons were rows rejected? No field of a person."""
    # A row with two reasons counts under both, and once here.
    rejected = ask.look_up(load.totals).value("rows_quarantined") or 0
    title = text.word("load.reasons", scope.lang, count=text.number(rejected, scope.lang))
    return _of_load(scope, ask, ask.look_up(load.reasons), "reasons", title)


def warned(scope: Scope, ask: Ask) -> Exhibit:
    """Which bad values were loaded as unknown?"""
    return _of_load(scope, ask, ask.look_up(load.warned), "warned", text.word("load.warned", scope.lang))


def files(scope: Scope, ask: Ask) -> Exhibit:
    """From which province is each file, how many rows has it, was it refused?"""
    lang = scope.lang
    notes = [_reference(lang, *reference) for reference in ask.look_up(load.references)]
    # A hidden file is none that a province sent.
    ignored = [in_language(name, lang) for name in ask.look_up(load.ignored) if not name.startswith(".")]
    more = [text.word("load.more", lang, count=text.number(len(ignored) - _IGNORED_NAMED, lang))]
    named = text.listed(ignored[:_IGNORED_NAMED] + (more if len(ignored) > _IGNORED_NAMED else []), lang)
    notes += [text.word("load.ignored", lang, files=named)] if ignored else []
    read = ask.look_up(load.totals).value("files_read")
    title = text.word("load.files", lang, count=text.number(read, lang))
    return _of_load(scope, ask, ask.look_up(load.files), "files", title, notes)


def _reference(lang: str, file: str, replaces: str, rows: int) -> str:
    """What a file that sets up the build stands for."""
    key = "load.replaced" if replaces else f"load.set_up.{file.partition('.')[0].lower()}"
    return text.word(key, lang, file=file, replaces=replaces, rows=text.number(rows, lang))


def kept() -> tuple[Path, ...]:
    """The publications that are kept, whichever is asked."""
    return tuple(versions(warehouse_pointer()))


def publications(scope: Scope, ask: Ask) -> Exhibit:
    """Which publications are kept?"""
    answer = ask.look_up(load.publications, kept())
    title = text.word("load.publications", scope.lang, count=text.number(len(answer.rows), scope.lang))
    return _of_load(scope, ask, answer, "publications", title)


def _of_load(scope: Scope, ask: Ask, answer: Answer, name: str, title: str, notes: Sequence[str] = ()) -> Exhibit:
    none = [] if answer.rows else [text.word("load.nothing", scope.lang)]
    names = {"file": {row[0]: row[0] for row in answer.rows}} if name == "files" else {}
    below = text.word(f"load.{name}_are", scope.lang)
    return Exhibit(scope.lang, Table(), ask.shown(answer), Title(title), below, own_notes=(*notes, *none), names=names)


PAGE = Page(
    "quality",
    filters=(),
    layout=(
        Section("refused"),
        Section("why"),
        Section("totals"),
        Section("provinces", (provinces,)),
        Section("calendar"),
        Section("notes"),
        Section("reasons", (reasons,)),
        Section("warned", (warned,)),
        Section("files", (files,)),
        Section("rules"),
        Section("log"),
    ),
)
APPROVE = Page(
    "approve",
    filters=(),
    layout=(
        Section("approve"),
        Section("notes"),
        Section("publications", (publications,)),
        Section("briefings"),
        Section("audit"),
    ),
)
