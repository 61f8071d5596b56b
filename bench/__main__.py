"""python -m bench: measure, and write bench/results.json and the table bench/RESULTS.md."""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import machine, register, report

_HERE = Path(__file__).parent
# The parts in the order in which they are measured, each with its module.
PARTS = {
    "questions": "race",
    "analyses": "analyses",
    "find": "finding",
    "build": "building",
    "intake": "intake",
    "pages": "pages",
    "briefings": "briefings",
    "crowd": "crowd",
    "stall": "stall",
    "hand_in": "handing_in",
    "telling": "telling",
    "hosts": "hosts",
}


def main() -> int:
    """Measure the chosen parts; other parts and scales keep their results."""
    options = _parser().parse_args()
    # At a hundred times the country, the file of one province has more rows than a file may have by default.
    os.environ.setdefault("SOURCE_ROWS", "100000000")
    options.folder.mkdir(parents=True, exist_ok=True)
    described = machine.describe()
    made_register = register.make(options.folder, options.scale)
    results = report.load(options.to)
    for part in [options.only] if options.only else PARTS:
        measured = _measure(part, made_register, options)
        results.setdefault(f"{options.scale:g}", {})[part] = {"machine": described, **measured}
        # Written after each part, so that a failure of the last one loses nothing.
        options.to.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        options.to.with_name("RESULTS.md").write_text(report.table(results), encoding="utf-8")
    print(report.table(results))
    return 0


def _measure(part: str, made_register: register.Register, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one part. Its imports are local: questions need no browser and no sockets."""
    if part == "questions":
        from bench import exporting, race

        checks = race.scope_checks(made_register, options.questions)
        return {
            "kinds": race.run(made_register, options.questions),
            "export": exporting.run(made_register),
            "by_address": exporting.by_address(made_register),
            "scope_checks": checks,
        }
    module = import_module(f"bench.{PARTS[part]}")
    return module.run(made_register, options.readers) if part == "crowd" else module.run(made_register)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is about 60,000 people in service")
    parser.add_argument("--questions", type=int, default=200, help="of each kind")
    parser.add_argument("--readers", type=int, default=50, help="of the crowd")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--folder", type=Path, default=register.default_folder(), metavar="DIR", help="of samples")
    parser.add_argument("--to", type=Path, default=_HERE / "results.json", metavar="FILE.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
