"""A scope in which something is missing: every page says so in a sentence, and shows no figure, table or box without content."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.core.paths import REFERENCE
from etl.semantic import access, rights
from etl.semantic.answers import ask
from tests.conftest import Sample
from tests.effort import thorough
from tests.loading import build
from tests.parts import PARTS
from tests.ui.test_chart_lint import html_of, opened
from ui.i18n import text

pytestmark = pytest.mark.slow

NO_RESIDENTS = "IR-20"
# Their numbers are those of the publication.
# A province has no target of its own, and the only publication none before it.
SCOPES = {
    "no residents": {"province": NO_RESIDENTS, "on": "2023-03-20"},
    "one province": {"province": "IR-23"},
    "three people": {},
    "before the register": {"on": "2002-03-21"},
    "one publication": {},
}


@pytest.fixture(scope="module")
def published(publish_sample: Callable[..., Sample], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One publication, in which the residents of a province are known from 1404 on."""
    folder = tmp_path_factory.mktemp("no-residents")
    shutil.copytree(publish_sample(0.02, 5).folder, folder / "in")
    lines = (REFERENCE / "population.csv").read_text("utf-8").splitlines(keepends=True)
    known = [line for line in lines if not (line.startswith(NO_RESIDENTS) and line.split(",")[1] < "1404")]
    (folder / "in" / "population.csv").write_text("".join(known), "utf-8")
    built = build(folder / "in", accept_loss=False)
    assert built.code == 0, built.err
    with pytest.MonkeyPatch.context() as setting:
        setting.setenv("WAREHOUSE", str(built.to))
        yield built.to


# Licences may be older than the first person; the others have no day.
_NOT_OF_PEOPLE = ("licensing", "quality", "handin", "approve", "methods")


def has_values(figure: dict[str, Any]) -> bool:
    """Whether any trace holds a value."""
    every = (trace.get(axis) for trace in figure["data"] for axis in ("x", "y", "z", "lon", "values"))
    return any(value is not None for values in every if isinstance(values, list) for value in values)


def is_empty(block: Any) -> bool:
    """Whether a container shows nothing: no words, no chart, no control."""
    for child in block.children.values():
        if not hasattr(child, "children"):
            # A figure whose trend another figure draws has no frame: the style sheet takes it out.
            is_taken_out = child.type == "html" and "pd-left-out" in child.proto.body
            if is_taken_out or child.type != "html" or re.sub(r"<[^>]*>|\s", "", child.proto.body):
                return False
        elif not is_empty(child):
            return False
    return True


def containers(block: Any) -> Iterator[Any]:
    """The boxes of figures and panels."""
    for child in getattr(block, "children", {}).values():
        if getattr(child, "type", "") == "flex_container" and re.search("(figure|panel)-", str(child.proto)):
            yield child
        yield from containers(child)


# Every part in every scope in which much is missing; of the two in which little is, in one.
MILD = ("one province", "one publication")
CASES = [
    pytest.param(part, case, marks=thorough if part != "overview" and case == MILD[at % 2] else ())
    for at, part in enumerate(PARTS)
    for case in SCOPES
]


@pytest.mark.parametrize(("part", "case"), CASES)
def test_a_page_says_what_is_missing_and_shows_no_empty_frame(part: str, case: str, published: Path) -> None:
    scope = dict(SCOPES[case])
    if case == "three people":
        with access.connect(published, rights.ADMINISTRATOR) as con:
            served = ask(con, "active_assistants", by=("province", "county")).rows
        scope["province"], scope["county"], _ = next(row for row in served if row[1] and row[2] == 3)
    app = opened(part, "en", **scope)
    html = html_of(app)
    assert text.word("state.left_out_title", "en") not in html, "the scope is the one that was meant"
    if case == "before the register":
        assert (text.word("state.nothing_yet_title", "en") in html) == (part not in _NOT_OF_PEOPLE)
    charts = [one.proto for one in app.get("bidi_component") if one.proto.component_name == "dashboard.plot"]
    assert [chart for chart in charts if not has_values(json.loads(chart.bytes)["figure"])] == []
    assert [table for table in re.findall(r"<tbody.*?</tbody>", html, re.DOTALL) if "<td" not in table] == []
    assert not re.search(r"<(ul|ol|p|h3|li|bdi)(?: [^>]*)?>\s*</\1>", html), "a box without words"
    assert not re.search(r">\s*(None|nan|NaN)\s*<", html)
    if part == "overview" and re.search("pd-panel", html):
        assert (text.word("verdict.no_target", "en") in html) == (case != "one publication"), "a place without a target"
    assert [one for one in containers(app.main) if is_empty(one)] == []


def test_a_page_with_a_period_before_the_register_says_so(published: Path) -> None:
    """Zeros of years without a register would be read as counts."""
    for part, is_shown in (("growth", True), ("coverage", False)):
        html = html_of(opened(part, "en", period="2010-01-01..2012-01-01"))
        assert (text.word("state.nothing_yet_title", "en") in html) == is_shown


def test_nothing_is_compared_with_a_year_before_the_register(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        begins = con.begins_on
    assert begins
    cards = re.findall(
        '<div class="pd-card">.*?</div></div>', html_of(opened("growth", "en", on=f"{begins + timedelta(200)}"))
    )
    assert cards
    assert not [card for card in cards if "on a year earlier" in card or "unchanged" in card]
