"""The commands of who runs an installation: doctor, settings."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from etl import settings
from etl.normalize import printable
from etl.operations import doctor


def add(commands: Any, pointer: Path) -> None:
    """Add them to the others. `pointer`: the publication that is meant where none is named."""
    look = commands.add_parser("doctor", help="what is wrong with this installation", allow_abbrev=False)
    look.set_defaults(run=_doctor)

    told = commands.add_parser("settings", help="the settings that hold, with their variables", allow_abbrev=False)
    told.set_defaults(run=_settings)


def _doctor(_: argparse.Namespace) -> int:
    findings = doctor.examine()
    for what, text, is_well in findings:
        print(f"{'ok   ' if is_well else 'FAULT'}  {what}: {printable(text)}")
    return 0 if all(is_well for *_, is_well in findings) else 1


def _settings(_: argparse.Namespace) -> int:
    for section, values in asdict(settings.read()).items():
        for name, value in values.items():
            print(f"{section}.{name}\t{settings.variable(section, name)}\t{_plain(value)}")
    return 0


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
