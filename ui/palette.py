"""The colours of palette.toml by role, for charts, style sheet and paper: no other file holds a colour."""

import re
from pathlib import Path
from typing import Any

from etl.core import declarations
from etl.core.paths import ROOT

_FILE = Path(__file__).with_suffix(".toml")
_KNOWN = {"role", "ground", "same", "ramp"}
_HEX = re.compile("#[0-9a-fA-F]{6}")
# The roles, meanings and ramps that code and style sheets name: a chart would fail, or lose its colour, at the first reader.
_NEEDED = (
    "text", "quiet", "link", "actual", "problem", "problem_ink", "total", "pending", "expired", "overdue", "second", "third",
    "outline", "surface", "soft", "edge", "grid", "bar", "problem_tint", "far_behind", "behind", "alike", "ahead", "far_ahead",
    "projection", "joiners", "gain", "in_date", "men", "accent", "leavers", "loss", "focus", "target", "nation", "chosen",
    "fourth", "missing", "women",
)  # fmt: skip
_RAMPS = ("counts", "cells")


def _declared() -> dict[str, Any]:
    """The tables of palette.toml. Raises Refused, with one line, for a role that is needed and for what is no colour."""
    entries = declarations.read(_FILE)
    declarations.check_keys(_FILE, "", entries, _KNOWN, _KNOWN)
    roles = entries["role"] | entries["ground"]
    for meaning, role in entries["same"].items():
        declarations.check_names(_FILE, "same", meaning, [role], roles, "role")
    for role in _NEEDED:
        if role not in roles and role not in entries["same"]:
            raise declarations.fault(_FILE, f"lacks the role `{role}`, which {_user_of(role)} needs")
    declarations.check_keys(_FILE, "ramp", entries["ramp"], _RAMPS, _RAMPS)
    for kind in ("role", "ground", "ramp"):
        for name, looks in entries[kind].items():
            colours = [colour for look in looks for colour in look] if kind == "ramp" else looks
            if len(looks) != 2 or not all(_HEX.fullmatch(str(colour)) for colour in colours):
                wanted = "two lists of colours" if kind == "ramp" else "two colours"
                raise declarations.fault(_FILE, f"[{kind}] `{name}` is not {wanted}, of the light and the dark look")
    return entries


def _user_of(role: str) -> str:
    """The first file that names a role."""
    named = re.compile(rf"[\"']{role}[\"']|var\(--pd-{role.replace('_', '-')}\)")
    files = [
        path for among in ("ui/charts/*.py", "ui/**/*.*", "pages/*.py", "static/*.css") for path in ROOT.glob(among)
    ]
    texts = (path for path in files if path.suffix in (".py", ".css", ".typ"))
    return next(str(path.relative_to(ROOT)) for path in texts if named.search(path.read_text(encoding="utf-8")))


_ENTRIES = _declared()
# (light, dark) of each role and meaning.
COLOURS: dict[str, tuple[str, str]] = {
    role: (light, dark) for kind in ("role", "ground") for role, (light, dark) in _ENTRIES[kind].items()
}
COLOURS |= {meaning: COLOURS[role] for meaning, role in _ENTRIES["same"].items()}
# (light, dark) of each ramp, from few to many.
RAMPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    name: (tuple(light), tuple(dark)) for name, (light, dark) in _ENTRIES["ramp"].items()
}


def colour(role: str, dark: bool = False) -> str:
    """The colour of a role. Raises Refused, naming the nearest role, if there is none."""
    if role not in COLOURS:
        declarations.check_keys(_FILE, "role", [role], COLOURS)
    return COLOURS[role][dark]


def ramp(name: str, count: int, dark: bool) -> list[str]:
    """`count` colours of a ramp, from few to many, evenly spaced."""
    steps = RAMPS[name][dark]
    return [steps[round(i * (len(steps) - 1) / (count - 1))] for i in range(count)]


def variables() -> str:
    """The roles as CSS variables `--pd-ROLE`, which follow the look of the element that uses them."""
    lines = (f"--pd-{role.replace('_', '-')}:light-dark({light},{dark})" for role, (light, dark) in COLOURS.items())
    return f":root{{{';'.join(lines)}}}"
