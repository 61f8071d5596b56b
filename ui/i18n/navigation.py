"""The menu: pages, their tabs, and the words of each."""

from collections.abc import Iterable, Mapping
from typing import Any

from ui.i18n.text import book

# Parts of earlier versions: the part that holds each now, and what else its address says there.
_MOVED: Mapping[str, tuple[str, Mapping[str, list[str]]]] = {
    "institute": ("register", {}),
    "international": ("coverage", {}),
    "smart": ("licensing", {}),
    "province": ("overview", {}),
    "briefings": ("approve", {}),
    "signals": (
        "explore",
        {"m": ["training_compliance", "leaver_rate_12m"], "by": ["province"], "chart": ["funnel"]},
    ),
}


def menu() -> list[dict[str, Any]]:
    """The pages in menu order: `page`, `group`, words, and `tabs` if there are any."""
    return book()["menu"]


def parts(entry: Mapping[str, Any]) -> list[str]:
    """The parts of a page, the default first: its tabs, or the page itself. Each is a file in pages/."""
    return list(entry.get("tabs") or [entry["page"]])


def part_address(part: str) -> tuple[str, str]:
    """The page that contains a part, and its tab unless it is the default one. Raises KeyError for an unknown part."""
    for entry in menu():
        if part in (page_parts := parts(entry)):
            return entry["page"], "" if part == page_parts[0] else part
    raise KeyError(part)


def part_words(part: str) -> Mapping[str, Any]:
    """Name and question of a part: those of its tab, or of its page."""
    tabs = book()["tab"]
    return tabs[part] if part in tabs else next(entry for entry in menu() if entry["page"] == part)


def is_known(part: str) -> bool:
    """Whether a part is one of today or of an earlier version."""
    return part in moved() or any(part in parts(entry) for entry in menu())


def moved() -> list[str]:
    """The parts of earlier versions."""
    return [*_MOVED, "planning"]


def current(part: str, parameters: Mapping[str, Iterable[str]]) -> tuple[str, dict[str, list[str]]]:
    """A part that may be of an earlier version, and the parameters of its address, as they are now."""
    chosen = {name: list(values) for name, values in parameters.items()}
    if part == "planning":
        # Seats and the province that they are of are planned on Training, which knows no goal.
        return ("training" if chosen.keys() & {"seats", "of"} else "growth"), chosen
    if part not in _MOVED:
        return part, chosen
    now, more = _MOVED[part]
    return now, {**more, **chosen}
