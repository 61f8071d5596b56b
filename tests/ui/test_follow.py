"""A page left open during new publications: it switches to the latest, and reads no deleted file.

tests/browser/test_reader.py leaves a page open in a browser.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.warehouse import publications
from tests.conftest import Sample
from tests.loading import publish
from tests.parts import html, opened
from ui.data import page_run, person_rows, warehouse
from ui.state import page_context, rendering

pytestmark = pytest.mark.slow

MORE = publications.KEPT + 1


@pytest.fixture
def pointer(publish_sample: Callable[..., Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    published = publish_sample().pointer
    shutil.copytree(published.parent, tmp_path, dirs_exist_ok=True, symlinks=True)
    path = tmp_path / published.name
    monkeypatch.setenv("WAREHOUSE", str(path))
    yield path
    page_run.end()


class Rerun(Exception):
    """The whole page has to be drawn again."""


def again_from_the_top() -> None:
    raise Rerun


def test_the_next_run_of_a_page_is_of_the_latest_publication(pointer: Path) -> None:
    app = opened()
    before = publications.current(pointer)
    publish(pointer, pointer, MORE)
    assert not before.exists()
    app.run()
    assert not app.exception
    assert "pd-error" not in html(app)


def test_a_part_that_runs_alone_after_a_new_publication_draws_the_whole_page_again(
    pointer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings: list[str] = []
    stored: list[Any] = []
    # Streamlit keeps the arguments of a fragment, and calls it with the same again.
    monkeypatch.setattr(
        page_context.st,
        "fragment",
        lambda part: lambda *arguments: (stored.append((part, arguments)), part(*arguments)),
    )
    monkeypatch.setattr(page_context.st, "rerun", again_from_the_top)
    page_run.begin()
    part = rendering.fragment(lambda word: drawings.append(f"{word} {Path(page_run.current_file()).stem}"))
    part("one")
    page_context.leave_page()
    rerun_part, arguments = stored[0]
    rerun_part(*arguments)
    assert drawings == ["one 000001"] * 2
    page_run.end()
    publish(pointer, pointer, MORE)
    with pytest.raises(Rerun):
        rerun_part(*arguments)
    assert drawings == ["one 000001"] * 2


def test_a_download_button_reads_rows_of_people_from_its_own_publication(
    pointer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETAIL_ROWS", "1")
    page_run.begin()
    on = page_run.publication().as_of
    rows = person_rows.people(on)
    count = rows.count()
    publish(pointer, pointer, MORE)
    for _ in range(MORE):
        # enough other publications to close the connection of the first
        publish(pointer, pointer)
        page_run.begin()
        warehouse.ask("active_assistants")
    assert count == rows.count() == len(rows.first(count).rows) > 0
