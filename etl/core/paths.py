"""The paths of the project's files."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "data" / "reference"
INCOMING = ROOT / "data" / "incoming"
WAREHOUSE = ROOT / "data" / "warehouse" / "warehouse.duckdb"
# Personal tokens, in the folder of saved views; no backup brings them back.
TOKENS = "tokens.sqlite"
# The file that marks a folder of made-up data.
SAMPLE_MARK = "SAMPLE.txt"
IDENTITY_KEY = ROOT / "data" / "identity.key"
CHECKS = ROOT / "etl" / "warehouse" / "checks"


def warehouse_pointer() -> Path:
    """The pointer of the published warehouse; the environment variable WAREHOUSE overrides the default."""
    return Path(os.environ.get("WAREHOUSE") or WAREHOUSE)
