"""A publication of another version of the program: one sentence wherever it is opened, and the remedy."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import duckdb
import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.cli.commands import main
from etl.extract.contract import Contract
from etl.revisions import diff
from etl.semantic import access, rights
from etl.warehouse import code_version, publications
from tests.effort import draws
from tests.loading import build, build_tables, copy_publication, national_id, put, put_good, row
from tests.parts import html, opened
from ui.i18n import text

pytestmark = pytest.mark.slow

SENTENCE = "this publication was built by another version of the program; run python -m etl build again"


@pytest.fixture(scope="module")
def published_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two publications: one person, then two."""
    folder = put_good(tmp_path_factory.mktemp("version") / "incoming")
    to = build(folder).to
    put(folder, "personnel_2.csv", [row("personnel", national_id=national_id(10))])
    assert build(folder).code == 0
    return to


@pytest.fixture
def pointer(published_twice: Path, tmp_path: Path) -> Path:
    return copy_publication(published_twice, tmp_path / "copy")


def change(path: Path, *statements: str) -> None:
    """Mark a publication as built by other code."""
    with duckdb.connect(str(path.resolve())) as con:
        for sql in ("update publication set code_version = 'another'", *statements):
            con.execute(sql)


# Tables and columns that other code may lack: without the check each raises a BinderException somewhere else.
OTHER = {
    "the same tables": (),
    "no version": ("alter table publication drop column code_version",),
    "no publication": ("drop table publication",),
    "no preaggregate": ("drop table preaggregate",),
    "another column": ("alter table spells rename column gender to sex",),
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER.keys())
def test_every_command_reports_another_version_in_one_line(other, pointer, capsys):
    change(pointer, *other)
    for command in (["ask", "in_service"], ["quarantine"], ["diff"], ["backtest"]):
        assert main([*command, "--from", str(pointer)]) == 1, command
        assert capsys.readouterr() == ("", f"{_opened(pointer, command)}: {SENTENCE}\n"), command


def _opened(pointer: Path, command: list[str]) -> Path:
    return pointer.resolve() if command == ["diff"] else pointer


def test_publications_are_listed_whatever_built_them(pointer, capsys):
    first, second = publications.versions(pointer)
    change(first, "drop table publication")
    assert main(["publications", "--from", str(pointer)]) == 0
    assert capsys.readouterr().out == "000001\tof another version of the program\tkept\n000002\tshown\n"
    change(second)
    first.write_bytes(b"no database")
    assert main(["publications", "--from", str(pointer)]) == 0
    assert capsys.readouterr().out == "000001\tdamaged\tkept\n000002\tof another version of the program\tshown\n"


def test_going_back_leaves_another_version_and_never_leads_to_one(pointer, capsys):
    first, second = publications.versions(pointer)
    change(second)
    assert main(["rollback", "--from", str(pointer)]) == 0
    assert pointer.resolve() == first
    capsys.readouterr()
    assert main(["rollback", "000002", "--from", str(pointer)]) == 1
    assert capsys.readouterr().err == f"{second}: {SENTENCE}\n"
    assert pointer.resolve() == first


def test_a_build_replaces_another_version_and_still_checks_for_loss(pointer, tmp_path, capsys):
    change(pointer, "update load_rows set rows = 4000", "drop table preaggregate")
    folder = put_good(tmp_path / "incoming")
    built = build(folder, to=pointer, accept_loss=False)
    assert built.code == 1
    assert "--accept-loss" in built.out
    assert build_tables(folder, to=pointer).code == 0
    assert main(["ask", "in_service", "--format", "csv", "--from", str(pointer)]) == 0
    assert capsys.readouterr().out == "in_service\n1\n"


def test_adoption_is_carried_over_a_change_of_the_program(pointer, tmp_path):
    change(pointer, "update adoption set valid_from = date '2020-01-01'")
    assert build_tables(put_good(tmp_path / "incoming"), to=pointer).code == 0
    with access.connect(pointer, rights.ADMINISTRATOR) as con:
        assert con.execute("select count(*) from adoption where valid_from = date '2020-01-01'").fetchall() != [(0,)]


def test_publications_of_other_versions_are_compared_while_their_tables_answer(pointer, capsys):
    first, _ = publications.versions(pointer)
    change(first)
    moved = {change.metric: change.change for change in diff.between(pointer).moved if not change.province}
    assert moved["in_service"] == 1
    assert [entry["change"] for entry in diff.history(pointer) if entry["metric"] == "in_service"] == [1]
    change(first, "drop table preaggregate")
    assert main(["diff", "--from", str(pointer)]) == 1
    errors = capsys.readouterr().err
    assert errors == (
        f"{first}: this publication was built by another version of the program, whose tables cannot be compared\n"
    )
    assert diff.history(pointer) == []


@pytest.mark.parametrize(
    ("other", "lang"), [*product(OTHER.values(), ["fa"]), *[(other, "en") for other in OTHER.values()][: draws(1, 5)]]
)
def test_a_page_reports_another_version_once_and_draws_nothing(other, lang, pointer, monkeypatch):
    change(pointer, *other)
    monkeypatch.setenv("WAREHOUSE", str(pointer))
    app = opened(lang=lang)
    body = html(app)
    assert body.count("pd-notice") == 1
    assert text.word("state.other_version", lang) in body
    assert [block.value for block in app.code] == ["python -m etl build"]


# ------------------------------------------------------------------ what counts as another version


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code that makes tables."""
    copy = tmp_path / "etl"
    shutil.copytree(code_version._HERE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_version, "_HERE", copy)
    monkeypatch.setattr(code_version.run_models, "_FOLDER", copy / "warehouse" / "models")
    return copy


def digest() -> str:
    kept = code_version.code_version, code_version.run_models.models
    for of in kept:
        of.cache_clear()
    try:
        return code_version.code_version()
    finally:
        for of in kept:
            of.cache_clear()


def test_only_what_makes_tables_makes_another_version(code):
    before = digest()
    spells = code / "warehouse" / "models" / "staging" / "spells.sql"
    load_report = code / "build" / "load_report.py"
    for path, was, becomes in (
        (spells, "select", "-- Why this is so.\nselect"),
        (load_report, '"""The load report', '"""Another docstring'),
        (load_report, "import json\n", "import json  # why\n\n\n"),
        (code / "cli" / "console.py", "import csv\n", "import csv\n\nOTHER = 1\n"),
        (code / "semantic" / "metrics" / "training.toml", "[metric.", "# Why.\n[metric."),
        (code / "extract" / "contracts" / "personnel.toml", "[", "# Why.\n["),
    ):
        content = path.read_text(encoding="utf-8")
        assert was in content, path
        path.write_text(content.replace(was, becomes, 1), encoding="utf-8")
    assert digest() == before
    for path, was, becomes in (
        (spells, "select", "select 1 as one,"),
        (code / "build" / "pipeline.py", "as code_version", "as built_by"),
        (code / "warehouse" / "adoption_history.py", "by valid_from", "by valid_until"),
        (load_report, '"province", "sha256")', '"province", "digest")'),
    ):
        content = path.read_text(encoding="utf-8")
        assert was in content, path
        path.write_text(content.replace(was, becomes, 1), encoding="utf-8")
        assert digest() != before, path
        path.write_text(content, encoding="utf-8")
    assert digest() == before


def test_another_column_of_a_contract_makes_another_version(monkeypatch):
    before = digest()
    real = code_version.contract

    def without_the_last(table: str) -> Contract:
        return replace(real(table), columns=real(table).columns[:-1])

    monkeypatch.setattr(code_version, "contract", without_the_last)
    assert digest() != before
