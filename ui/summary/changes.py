"""The change of a number with its sign, and whether it is better or worse by the metric's direction."""

from etl.semantic.answers import Metric
from ui.i18n import text


def signed(metric: Metric, value: float, before: float, lang: str) -> str:
    """The change: for a count with its percentage, «+۵٬۰۲۵ (+۹٫۹٪)»; for a share in percentage points; else in the unit."""
    change = value - before
    if metric.unit == "share":
        return text.points(change, lang)
    written = text.plain(change, metric.unit, lang, signed=True)
    if isinstance(value, int) and before:
        return f"{written} ({text.percent(change / before, lang, signed=True)})"
    return written


def is_visible(metric: Metric, value: float, before: float) -> bool:
    """Whether a change exceeds rounding."""
    return text.rounded(value, metric.unit) != text.rounded(before, metric.unit)


def verdict(metric: Metric, side: str) -> str:
    """ "better" or "worse" for a rate that is on a side (lower, higher) of another beyond chance; empty for anything else."""
    if metric.direction not in ("up", "down") or side not in ("lower", "higher"):
        return ""
    return "better" if (side == "higher") == (metric.direction == "up") else "worse"
