"""The change of a number with its sign, and whether it is better or worse by the metric's direction."""

from etl.semantic.answers import Metric
from pages.ui.i18n import text


def signed(metric: Metric, now: float, then: float, lang: str) -> str:
    """The change: for a count with its percentage, «+۵٬۰۲۵ (+۹٫۹٪)»; for a share in percentage points; else in the unit."""
    change = now - then
    if metric.unit == "share":
        return text.points(change, lang, signed=True)
    written = text.plain(change, metric.unit, lang, signed=True)
    if isinstance(now, int) and then:
        return f"{written} ({text.percent(change / then, lang, signed=True)})"
    return written


def is_visible(metric: Metric, now: float, then: float) -> bool:
    """Whether a change exceeds rounding."""
    return text.rounded(now, metric.unit) != text.rounded(then, metric.unit)


def verdict(metric: Metric, now: float, then: float, lang: str) -> str:
    """ "Better" or "worse"; empty for a metric without a direction, "unchanged" if the change does not exceed rounding."""
    if not is_visible(metric, now, then):
        return text.word("change.same", lang)
    if metric.direction not in ("up", "down"):
        return ""
    return text.word("compare.better" if (now > then) == (metric.direction == "up") else "compare.worse", lang)
