"""The colours of palette.toml by role, for charts, style sheet and paper: no other file holds a colour."""

from pathlib import Path

from etl.core import declarations

_FILE = Path(__file__).with_suffix(".toml")
_KNOWN = {"role", "ground", "same", "ramp"}


def _colours() -> dict[str, tuple[str, str]]:
    """(light, dark) of each role and meaning. Raises Refused for a meaning of a role that is not there."""
    entries = declarations.read(_FILE)
    declarations.check_keys(_FILE, "", entries, _KNOWN, _KNOWN)
    roles = {role: (light, dark) for kind in ("role", "ground") for role, (light, dark) in entries[kind].items()}
    declarations.check_keys(_FILE, "same", entries["same"].values(), roles)
    return roles | {meaning: roles[role] for meaning, role in entries["same"].items()}


COLOURS = _colours()
# (light, dark) of each ramp, from few to many.
RAMPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    name: (tuple(light), tuple(dark)) for name, (light, dark) in declarations.read(_FILE)["ramp"].items()
}


def colour(role: str, dark: bool = False) -> str:
    """The colour of a role. Raises Refused, naming the nearest role, if there is none."""
    if role not in COLOURS:
        declarations.check_keys(_FILE, "role", [role], COLOURS)
    return COLOURS[role][dark]


def variables() -> str:
    """The roles as CSS variables `--pd-ROLE`, which follow the look of the element that uses them."""
    lines = (f"--pd-{role.replace('_', '-')}:light-dark({light},{dark})" for role, (light, dark) in COLOURS.items())
    return f":root{{{';'.join(lines)}}}"
