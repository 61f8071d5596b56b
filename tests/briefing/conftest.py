"""A publication of the sample at scale 0.02 with events and a target path, and a second one with more that needs action."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl.semantic.rights import ADMINISTRATOR
from tests.conftest import Sample
from tests.loading import build
from ui.briefing import writing

EVENTS = """date,province,title_fa,title_en,kind,source
1404/03/20,,سامانهٔ ملی ثبت,National register,سامانه,made up
1404/11/05,IR-11,طرح آموزش استان,Provincial training drive,campaign,made up
1405/01/20,IR-23,اعتصاب نگهبانان,Guards on strike,strike,made up
"""
TARGETS = """metric,province,date,value
active_assistants,,1403/01/01,1000
active_assistants,,1407/01/01,1800
"""


@pytest.fixture(scope="session")
def files(publish_sample: Callable[..., Sample], made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """What the provinces submitted."""
    sample = publish_sample(0.02, 5).folder

    def fill(made: Path) -> None:
        folder = shutil.copytree(sample, made / "in")
        (folder / "events.csv").write_text(EVENTS, encoding="utf-8")
        (folder / "targets.csv").write_text(TARGETS, encoding="utf-8")
        built = build(folder, accept_loss=False)
        assert built.code == 0, built.err

    return made_once("briefing", fill) / "in"


@pytest.fixture(scope="session")
def pointer(files: Path) -> Path:
    """Their publication."""
    return files.parent / "warehouse.duckdb"


@pytest.fixture(autouse=True)
def briefings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate list of briefings for each test."""
    monkeypatch.setenv("BRIEFINGS", str(tmp_path / "briefings"))
    return tmp_path / "briefings"


@pytest.fixture(scope="session")
def press(pointer: Path) -> Iterator[writing.Press]:
    with writing.press(pointer, ADMINISTRATOR) as press:
        yield press
