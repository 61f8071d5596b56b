"""A slip in a declaration is one line that names the file, the entry and the key, and nothing starts or builds."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.core import declarations
from etl.core.errors import Refused
from etl.core.paths import ROOT
from etl.semantic import catalog
from etl.warehouse import dimensions
from tests import processes
from tests.effort import thorough
from ui import palette

METRICS, WORKFORCE = "etl/semantic/metrics/training.toml", "etl/semantic/metrics/workforce.toml"
DIMENSIONS, ROLLUPS = "etl/semantic/dimensions.toml", "etl/semantic/rollups.toml"
TABLES, ANALYSES, REPORTS = (f"etl/semantic/{name}.toml" for name in ("tables", "analyses", "reports"))
PALETTE = "ui/palette.toml"
OF_ONE = "[metric.compliant_assistants"
NO_COLUMN = "which is no `is_` column of the model `service` and no dimension with `spell = true`"
# File, what is replaced by what, and what the line says after the file.
Slip = tuple[str, str, str, str]
OF_ETL: list[Slip] = [
    (METRICS, 'direction = "up"', 'directon = "up"', f"{OF_ONE}] has no key `directon`; the nearest is `direction`"),
    (
        WORKFORCE,
        'unit = "persons"',
        'unit = "persons"\nunit = "share"',
        "[metric.women] has the key `unit` twice (line 4)",
    ),
    (
        WORKFORCE,
        "[metric.women]",
        "[metric.x]\nunit = 1\n[metric.x]",
        "[metric.x] is declared twice (line 3)",
    ),
    (WORKFORCE, 'kind = "snapshot"', "kind = snapshot", "[metric.women] `kind`: Invalid value (line 2)"),
    (METRICS, 'en = "With valid', 'eng = "With valid', f"{OF_ONE}.label] has no key `eng`; the nearest is `en`"),
    (
        METRICS,
        "{ course = {",
        "{ cuorse = {",
        f"{OF_ONE}] `alternate_sources` names `cuorse`, which is no dimension; the nearest is `course`",
    ),
    (METRICS, 'unit = "persons"', "", f"{OF_ONE}] lacks the key `unit`"),
    (METRICS, '"up"', '"dwn"', f"{OF_ONE}] `direction` names `dwn`, which is no direction; the nearest is `down`"),
    (
        METRICS,
        '"snapshot"',
        '"snapsht"',
        f"{OF_ONE}] `kind` names `snapsht`, which is no kind; the nearest is `snapshot`",
    ),
    (
        METRICS,
        '"training"',
        '"trainin"',
        f"{OF_ONE}] `group` names `trainin`, which is no group; the nearest is `training`",
    ),
    (
        METRICS,
        '"compliant_assistants"\nsql',
        '"complaint_assistants"\nsql',
        f"{OF_ONE}] `rollup_column` names `complaint_assistants`, which is no rollup column; "
        "the nearest is `compliant_assistants`",
    ),
    (
        DIMENSIONS,
        'source = "personnel.post"',
        'source = "personnel.shift"',
        "[post] `source` names `shift`, which is no column of the contract `personnel`; the nearest is `post`",
    ),
    (
        DIMENSIONS,
        '"personnel.post"',
        '"persons.post"',
        "[post] `source` names `persons`, which is no contract; the nearest is `personnel`",
    ),
    (DIMENSIONS, "spell = true", "spel = true", "[province] has no key `spel`; the nearest is `spell`"),
    (
        TABLES,
        "\nkind = ",
        "\nkinds = ",
        "[table.service] has no key `kinds`; the nearest is `kind`",
    ),
    (
        ANALYSES,
        "\nexample.ask",
        "\nexample.asks",
        ".example] has no key `asks`; the nearest is `ask`",
    ),
    (REPORTS, "\nlabel", "\nlable", "] has no key `lable`; the nearest is `label`"),
    (ROLLUPS, "is_veteran", "is_vetran", f"`veterans` names `is_vetran`, {NO_COLUMN}; the nearest is `is_veteran`"),
    (ROLLUPS, "is_veteran", "hired_on > 5", f"`veterans` names `hired_on`, {NO_COLUMN}; the nearest is `"),
    (ROLLUPS, "veterans = ", 'veterans = "true"\nveterans = ', "has the key `veterans` twice (line 7)"),
]
OF_COLOURS: list[Slip] = [
    (
        PALETTE,
        "\nproblem = ",
        "\nproblm = ",
        "[same] `focus` names `problem`, which is no role; the nearest is `problm`",
    ),
    (PALETTE, "\nbehind = ", "\nbehnd = ", "lacks the role `behind`, which ui/charts/bars.py needs"),
    (PALETTE, "\nwomen = ", "\nwomn = ", "lacks the role `women`, which ui/charts/workforce.py needs"),
    (PALETTE, '"#f5c08e", ', "", "[ground] `behind` is not two colours, of the light and the dark look"),
    (PALETTE, '"#f5c08e"', '"orange"', "[ground] `behind` is not two colours, of the light and the dark look"),
    (PALETTE, '["#6592b8"', '["6592b8"', "[ramp] `counts` is not two lists of colours, of the light and the dark look"),
    (PALETTE, "\ncells = ", "\ncell = ", "[ramp] has no key `cell`; the nearest is `cells`"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code that is declared in files, for slips to be made in."""
    folder = tmp_path_factory.mktemp("code")
    for name in ("etl", "ui", "pages", "static", ".streamlit", "data/reference"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dashboard.py", folder)
    return folder


def said(copy: Path, slip: Slip, *command: str) -> str:
    """The only line that a command says of a slip, after the file."""
    file, before, after, _ = slip
    path = copy / file
    whole = path.read_text(encoding="utf-8")
    assert before in whole, f"{file} no longer has {before!r}: choose another place for this slip"
    path.write_text(whole.replace(before, after, 1), encoding="utf-8")
    try:
        run = processes.run(*command, cwd=copy)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert run.returncode == 1, f"{command} started with {after!r} for {before!r} in {file}"
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    return line.removeprefix(f"{file}: ")


# What reads each file when a program starts.
READERS: dict[str, Callable[[], object]] = {
    DIMENSIONS: dimensions._declared,
    ROLLUPS: dimensions._conditions,
    PALETTE: palette._declared,
}


@pytest.mark.parametrize("slip", [*OF_ETL, *OF_COLOURS], ids=[slip[3] for slip in (*OF_ETL, *OF_COLOURS)])
def test_a_slip_is_named_in_one_line(slip: Slip, monkeypatch: pytest.MonkeyPatch) -> None:
    file, before, after, line = slip
    written, read = (ROOT / file).read_text("utf-8"), Path.read_text
    assert before in written, f"{file} no longer has {before!r}: choose another place for this slip"
    slipped = written.replace(before, after, 1)
    monkeypatch.setattr(declarations, "read", declarations.read.__wrapped__)
    monkeypatch.setattr(
        Path, "read_text", lambda path, *how, **more: slipped if path == ROOT / file else read(path, *how, **more)
    )
    with pytest.raises(Refused) as refusal:
        READERS.get(file, catalog.entries.__wrapped__)()
    (said,) = str(refusal.value).splitlines()
    assert said.startswith(f"{file}: ")
    assert (f"{file}: {line}" if file == PALETTE else line) in said


def first_of(file: str) -> Slip:
    return next(slip for slip in (*OF_ETL, *OF_COLOURS) if slip[0] == file)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("ask", "women"), ("build", ".")], ids=lambda command: command[0])
@pytest.mark.parametrize(
    "file",
    [
        METRICS,
        DIMENSIONS,
        ROLLUPS,
        *(pytest.param(file, marks=thorough) for file in (WORKFORCE, TABLES, ANALYSES, REPORTS)),
    ],
)
def test_a_slip_in_the_catalogue_refuses_every_command(copy: Path, file: str, command: tuple[str, ...]) -> None:
    assert first_of(file)[3] in said(copy, first_of(file), "etl", *command)


@pytest.mark.slow
def test_a_slip_in_colours_lets_nothing_start(copy: Path) -> None:
    assert said(copy, first_of(PALETTE), "dashboard").startswith(first_of(PALETTE)[3])


@pytest.mark.slow
@pytest.mark.parametrize(
    "file", [WORKFORCE, PALETTE, *(pytest.param(file, marks=thorough) for file in (DIMENSIONS, ROLLUPS))]
)
def test_the_server_says_it_and_serves_nothing(copy: Path, file: str) -> None:
    assert first_of(file)[3] in said(copy, first_of(file), "streamlit", "run", "dashboard.py", "--server.port", "0")


@pytest.mark.slow
@pytest.mark.parametrize("file", [DIMENSIONS, PALETTE])
def test_briefings_say_it(copy: Path, file: str) -> None:
    assert first_of(file)[3] in said(copy, first_of(file), "pages", "brief", "--to", "x.pdf")
