"""One file holds every colour; the others name roles."""

import re
import tomllib

import pytest

from etl.core.errors import Refused
from etl.core.paths import ROOT
from ui import palette

HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b(?![\w-])")
CODE = [
    path
    for folder in ("ui", "pages", "static", "etl")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".css", ".js", ".typ", ".toml", ".html", ".sql") and path.name != "palette.toml"
]


def test_no_other_file_holds_a_colour() -> None:
    assert HEX.search("color:#fff;")
    assert HEX.search('"#17212b"')
    assert {path.name for path in CODE if HEX.search(path.read_text(encoding="utf-8"))} == set()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_theme_of_streamlit_repeats_the_palette(look: str) -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"][look]
    same = {
        "primaryColor": "actual", "backgroundColor": "surface", "secondaryBackgroundColor": "soft", "textColor": "text",
        "linkColor": "link", "borderColor": "edge",
    }  # fmt: skip
    assert {key: theme[key] for key in same} == {
        key: palette.colour(role, look == "dark") for key, role in same.items()
    }, f"[theme.{look}] of .streamlit/config.toml repeats ui/palette.toml: change it there, too"


def test_an_unknown_role_names_the_nearest() -> None:
    with pytest.raises(Refused, match=r"ui/palette.toml: \[role\] has no key `problm`; the nearest is `problem`"):
        palette.colour("problm")


def test_every_role_that_code_or_style_names_is_in_the_palette() -> None:
    """A style sheet asks by `var(--pd-ROLE)`, which a browser ignores in silence if it is not there."""
    written = {path.name: path.read_text(encoding="utf-8") for path in CODE if path.suffix in (".py", ".css", ".js")}
    defined = set(re.findall(r"(--pd-[a-z-]+)\s*:", " ".join(written.values())))
    asked = [(name, role) for name, code in written.items() for role in re.findall(r"colour\(\"([a-z_]+)\"", code)]
    asked += [
        (name, role.replace("-", "_"))
        for name, code in written.items()
        for role in re.findall(r"var\(--pd-([a-z-]+)\)", code)
        if f"--pd-{role}" not in defined
    ]
    assert len({role for _, role in asked}) > 15
    assert [(name, role) for name, role in asked if role not in palette._NEEDED] == []
    # A meaning is an argument or in a list: every role that a file names in quotes may be one.
    quoted = {role for code in written.values() for role in re.findall(r"[\"']([a-z_]+)[\"']", code)}
    assert quoted & palette.COLOURS.keys() <= set(palette._NEEDED)
    assert palette.COLOURS.keys() - set(palette._NEEDED) == set(), (
        "in ui/palette.toml, and not in _NEEDED of ui/palette.py"
    )
