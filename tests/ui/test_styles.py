"""Style sheets: what makes the browser work for every text that Plotly measures."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "static"
# Elements that hold no chart: a change within a chart is none within them.
WITHOUT_CHART = (
    ".pd-grid",
    "td",
    '[role="group"]',
    '[data-testid="stMultiSelectTagsContainer"]',
    '[class*="st-key-table-"]',
)


def selectors(css: str) -> list[str]:
    """The selectors of a sheet, those of paper left out: nothing is drawn there."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    found, inner, media = [], "", []
    for part in re.split(r"([{}])", css):
        if part == "{":
            media.append(inner.strip())
            if not inner.strip().startswith("@") and not any(one.startswith("@media print") for one in media):
                found.append(inner.strip())
        elif part == "}":
            media.pop()
        inner = part
    return found


def looks_at_descendants(selector: str) -> list[str]:
    """The elements of a selector whose style depends on any descendant."""
    subjects = re.findall(
        r"([^\s>~+,()]*(?:\([^()]*\)[^\s>~+,()]*)*):has\((?!\s*>)", selector.replace(":not(:has(", ":has(")
    )
    return [subject for subject in subjects if not subject.startswith(WITHOUT_CHART)]


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.glob("*.css")))
def test_no_element_around_a_chart_depends_on_its_descendants(name: str) -> None:
    """With one such rule a page with eight charts took eight seconds to fit a narrower window, without it one."""
    found = selectors((STATIC / name).read_text(encoding="utf-8"))
    assert len(found) > 10
    assert [selector for selector in found if looks_at_descendants(selector)] == []


def test_a_rule_about_descendants_is_found() -> None:
    css = "a { } /* b:has(c) */ @media (width < 9px) { html:not(:has(.x)) p, main:has(.y) > b { } } @media print { c:has(d) { } }"
    assert [bool(looks_at_descendants(selector)) for selector in selectors(css)] == [False, True]
    assert looks_at_descendants("html:not(:has(.x)) p, main:has(.y) > b") == ["html", "main"]
    assert looks_at_descendants(".pd-grid:has(td) p, section:has(> b) i") == []
