"""Programs of Debian that the site runs where they are installed."""

import shutil

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str:
    """The browser that draws pictures by address; empty if this host has none."""
    return next(filter(None, map(shutil.which, _BROWSERS)), "")
