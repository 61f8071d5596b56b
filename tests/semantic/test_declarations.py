"""A slip in a declaration is one line that names the file, the entry and the key, and nothing starts or builds."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from etl.core.paths import ROOT

METRICS, DIMENSIONS, TEXT = "etl/semantic/metrics/training.toml", "etl/semantic/dimensions.toml", "pages/text.toml"
OF_ONE = "[metric.compliant_assistants"
SLIPS = [
    (METRICS, 'direction = "up"', 'directon = "up"', f"{OF_ONE}] has no key `directon`; the nearest is `direction`"),
    (
        METRICS,
        'unit = "persons"',
        'unit = "persons"\nunit = "share"',
        "Cannot overwrite a value (at line 4, column 15)",
    ),
    (METRICS, 'en = "With valid', 'eng = "With valid', f"{OF_ONE}.label] has no key `eng`; the nearest is `en`"),
    (
        METRICS,
        "{ course = {",
        "{ cuorse = {",
        f"{OF_ONE}.alternate_sources] has no key `cuorse`; the nearest is `course`",
    ),
    (METRICS, 'unit = "persons"', "", f"{OF_ONE}] lacks the key `unit`"),
    (
        DIMENSIONS,
        'source = "personnel.gender"',
        'source = "personnel.nonesuch"',
        "[gender.source = personnel] has no key `nonesuch`",
    ),
    (DIMENSIONS, "spell = true", "spel = true", "[province] has no key `spel`; the nearest is `spell`"),
    (METRICS, '"compliant_assistants"\nsql', '"complaint_assistants"\nsql', f"{OF_ONE}.rollup_column] has no key"),
    ("etl/semantic/tables.toml", "\nkind = ", "\nkinds = ", "has no key `kinds`; the nearest is `kind`"),
    ("etl/semantic/analyses.toml", "\nexample.ask", "\nexample.asks", "has no key `asks`; the nearest is `ask`"),
    ("etl/semantic/reports.toml", "\nlabel", "\nlable", "has no key `lable`; the nearest is `label`"),
]
TEXT_SLIPS = [
    ("\neducation = {", "\neducations = {", "[scope] lacks the key `education`"),
    ("question = { fa", "qestion = { fa", "[menu] has no key `qestion`; the nearest is `question`"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code that is declared in files, for slips to be made in."""
    folder = tmp_path_factory.mktemp("code")
    for name in ("etl", "ui", "pages", "data/reference"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def said(copy: Path, file: str, before: str, after: str, *code: str) -> subprocess.CompletedProcess[str]:
    path = copy / file
    whole = path.read_text(encoding="utf-8")
    assert before in whole
    path.write_text(whole.replace(before, after, 1), encoding="utf-8")
    try:
        return subprocess.run([sys.executable, *code], cwd=copy, capture_output=True, text=True, check=False)
    finally:
        path.write_text(whole, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("file", "before", "after", "line"), SLIPS, ids=[slip[3] for slip in SLIPS])
def test_a_slip_in_the_catalogue_refuses_every_command(
    copy: Path, file: str, before: str, after: str, line: str
) -> None:
    run = said(copy, file, before, after, "-m", "etl", "metrics")
    assert run.returncode == 1
    assert not run.stdout
    (text,) = run.stderr.splitlines()
    assert text.startswith(f"{file}: ")
    assert line in text


def test_a_meaning_without_its_role_is_named(copy: Path) -> None:
    run = said(copy, "ui/palette.toml", "\nproblem = ", "\nproblm = ", "-c", "import ui.palette")
    line = "ui/palette.toml: [same] has no key `problem`; the nearest is `problm`"
    assert run.stderr.splitlines()[-1].endswith(f"Refused: {line}")


@pytest.mark.parametrize(("before", "after", "line"), TEXT_SLIPS, ids=[slip[2] for slip in TEXT_SLIPS])
def test_a_slip_in_the_words_is_named(copy: Path, before: str, after: str, line: str) -> None:
    run = said(copy, TEXT, before, after, "-c", "from ui.i18n import text\ntext.book()")
    assert run.stderr.splitlines()[-1].endswith(f"Refused: pages/text.toml: {line}")
