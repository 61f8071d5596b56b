"""Known vulnerabilities of the pinned packages, as pip-audit reports them: python -m deploy.known_faults < REPORT.json.

A package that the index does not know is named, and fails nothing; one with a known fault fails, and so does an index that knows
few packages: it has no advisories to give.
"""

import json
import sys
from typing import Any

# Of all packages, the share that may stay unknown.
_MOST_UNKNOWN = 0.1


def judge(report: dict[str, Any]) -> tuple[list[str], int]:
    """The lines to print, and the exit code."""
    packages = report["dependencies"]
    unknown = [f"not looked up: {package['name']}" for package in packages if "skip_reason" in package]
    faults = [
        f"FAULT  {package['name']} {package['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none'}"
        for package in packages
        for fault in package.get("vulns", ())
    ]
    known = f"{len(packages) - len(unknown)} of {len(packages)} packages"
    if len(unknown) > _MOST_UNKNOWN * len(packages):
        return [*unknown, *faults, f"NOT AUDITED: the index knows {known}; run it where PyPI itself answers"], 1
    return [*unknown, *faults, f"{known} looked up, {len(faults)} known faults"], int(bool(faults))


def main() -> int:
    """Print what is known; returns 1 where something has to be done."""
    lines, code = judge(json.load(sys.stdin))
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
