"""Every chart of every page as exported for circulation: drawn from rounded counts, or not at all if nothing is left."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.made import counts_people
from tests.parts import PARTS
from ui.components import downloads
from ui.data import page_run, warehouse
from ui.exhibits import register
from ui.exhibits.exhibit import Drawing
from ui.exhibits.named import Made
from ui.state.page_context import PageContext
from ui.state.scope import Scope

MADE_UP = (0.02, 5)
# The register has pictures of one institute alone.
PAGES = [part for part in PARTS if part not in ("methods", "quality", "register", "handin", "approve")]


def numbers(value: Any) -> Iterator[float]:
    """The numbers that a figure is drawn from, without colours, sizes and texts."""
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_pictures_of_a_page_circulate(name: str, published: Path) -> None:
    scope, ask = Scope(page_run.publication().as_of, lang="en"), warehouse.of_page()
    pictures = [Made(named, ask) for named in register.pages()[name].shown(scope, ask, {})]
    circulating = [
        (made.exhibit.answer, made, made.for_circulation())
        for made in pictures
        if isinstance(made.exhibit.form, Drawing) and made.exhibit.answer
    ]
    drawn = [one for one in circulating if isinstance(one[2].form, Drawing)]
    assert drawn
    for exact, made, exhibit in drawn:
        circulated = downloads.picture_of(PageContext(made.named.scope), exhibit)
        assert "For circulation: the numbers of this edition are rounded" in circulated.source
        assert "n\u00a0=" not in circulated.subtitle, "the exact number of cases"
        # The goal that a plan is made for is no share of people.
        if not any(map(counts_people, exact.metrics)):
            # Licences, applications and counties are open facts.
            continue
        told = re.findall(r"[0-9]\.[0-9]+%", f"{circulated.title} {circulated.source}")
        assert told == [], (circulated.title, circulated.source)
        positions = [
            number
            for trace in circulated.figure["data"]
            for axis in ("x", "y")
            for number in numbers(trace.get(axis, ()))
        ]
        # A chart of several measures may divide the rounded ones.
        if len(exact.metrics) == 1:
            assert all(round(number, 3) == number for number in positions), "no position reveals more than the numbers"
        metric = exact.metrics[0]
        if metric.counts == metric.unit == "persons" and len(exact.metrics) == 1 and not metric.is_difference:
            # The least size that is ranked is not a count.
            counts = re.findall(r"(?<!under )\b([0-9,]+) people", str(circulated.figure) + circulated.title)
            bad = [count for count in counts if int(count.replace(",", "")) % 5]
            assert bad == [], circulated.title
