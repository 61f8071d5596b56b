"""The paths of the project's files."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
REFERENCE = DATA / "reference"
INCOMING = DATA / "incoming"
WAREHOUSE = DATA / "warehouse" / "warehouse.duckdb"
VIEWS = DATA / "views"
BRIEFINGS = DATA / "briefings"
# Personal tokens, in the folder of saved views; no backup brings them back.
TOKENS = "tokens.sqlite"
# Follows and their news, in the same folder.
FOLLOWS = "follows.sqlite"
# The file that marks a folder of made-up data.
SAMPLE_MARK = "SAMPLE.txt"
IDENTITY_KEY = DATA / "identity.key"
CHECKS = ROOT / "etl" / "warehouse" / "checks"


def warehouse_pointer() -> Path:
    """The pointer of the published warehouse; the environment variable WAREHOUSE overrides the default."""
    return Path(os.environ.get("WAREHOUSE") or WAREHOUSE)
