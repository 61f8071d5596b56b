"""axe-core finds nothing serious on any part of any page, in both languages, light and dark.

tests/axe.min.js is axe-core as Deque Systems publishes it (MPL-2.0). The dark theme changes colours only, so only
contrast is checked again.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pages.ui.i18n import text
from tests.browser import app as front
from tests.parts import PARTS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (Path(__file__).parents[1] / "axe.min.js").read_text(encoding="utf-8")
# Parts that show more once something is chosen.
CHOSEN: dict[str, dict[str, str | list[str]]] = {
    "province": {"province": "IR-23"},
    "licensing": {"open": "licences_ending"},
    "explore": {"by": ["province", "gender"], "show": "pivot"},
}


@pytest.fixture(scope="module")
def address(small_register: Path) -> Iterator[str]:
    with front.served(small_register) as found:
        yield found


def serious(reader: front.Visit, *rules: str) -> list[list[str]]:
    """The serious faults that axe finds on the open page, by these rules or by all."""
    found = reader.page.evaluate(
        """async (rules) => {
            const run = await axe.run(document, {resultTypes: ["violations"], ...(rules.length ? {runOnly: rules} : {})});
            return run.violations.map((one) => [one.impact, one.id, one.nodes[0].html.slice(0, 200)]);
        }""",
        list(rules),
    )
    return [one for one in found if one[0] in ("serious", "critical")]


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("name", PARTS)
def test_axe_finds_nothing_serious(name: str, lang: str, address: str, chromium: Browser) -> None:
    with front.visit(chromium, address) as reader:
        reader.go(name, **CHOSEN.get(name, {}), **({"lang": "en"} if lang == "en" else {}))
        reader.page.evaluate(AXE)
        assert serious(reader) == []
        reader.page.emulate_media(color_scheme="dark")
        reader.page.wait_for_function(
            "getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme == 'dark'",
            timeout=60_000,
        )
        reader.settle()
        assert serious(reader, "color-contrast") == []
