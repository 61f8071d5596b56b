"""Text that a spreadsheet could run as a formula."""

import re
from typing import Any

# Characters that start a formula, including their full-width forms, which some programs normalise.
_FORMULA = tuple("=+@\t\r＝＋－＠-")
_UNWRITABLE = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
# What `safe` changes, as a pattern of RE2.
SUSPECT = f"^[{''.join(_FORMULA)}]|{_UNWRITABLE}"


def safe(value: Any) -> Any:
    """A string that no spreadsheet reads as a formula; other values unchanged."""
    if not isinstance(value, str):
        return value
    # Remove unwritable characters first: a formula may follow them.
    writable = re.sub(_UNWRITABLE, "", value)
    guarded = value.startswith((*_FORMULA, "\x00")) or writable.startswith(_FORMULA)
    return "'" + writable if guarded else writable
