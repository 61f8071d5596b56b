"""A change of a number in words: its sign, whether it is better or worse, and of which parts it is made (etl.analysis.why).

The parts are arithmetic, never a cause.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from etl.analysis.different import is_sizeable
from etl.analysis.why import OVERLAP, SMALL, TOTAL
from etl.semantic.answers import Answer, Metric
from etl.semantic.units import like
from ui.i18n import text
from ui.summary import different

_MOST_NAMED = 3


def part(change: float | Decimal | None, unit: str, lang: str, with_unit: bool = True, is_signed: bool = True) -> str:
    """A part of a difference; of a share in percentage points."""
    write = text.amount if with_unit else text.plain
    return write(change, "share_points" if unit == "share" else unit, lang, signed=is_signed)


def of_shown(value: float, before: float, unit: str) -> Decimal:
    """The change between two numbers as the screen shows them, so that readers find it when they subtract."""
    decimals = text.decimals_of(unit, is_fraction=True)
    return text.rounded_half_up(value, decimals) - text.rounded_half_up(before, decimals)


def total(answer: Answer, unit: str) -> Decimal | None:
    """The whole difference of an answer of `etl.analysis.why`, from its two numbers as the screen shows them."""
    row = answer.records()[-1]
    before, after = ("rate_before", "rate_after") if "rate_after" in row else ("before", "after")
    return None if None in (row[before], row[after]) else of_shown(row[after], row[before], unit)


def is_split(answer: Answer, metric: Metric) -> bool:
    """Whether a difference is split into its parts: of a count, and of a rate where the difference is large enough.

    The parts of less are chance, and do not add up as shown.
    """
    if not answer.rows:
        return False
    row, change = answer.records()[-1], total(answer, metric.unit)
    return "rate_after" not in row or (
        change is not None and bool(is_sizeable(metric, float(change), row["rate_before"]))
    )


def ranked(answer: Answer, unit: str, effect: str = "effect") -> list[tuple[Any, float]]:
    """The groups with their part, the largest first; none that is shown as zero."""
    at = answer.columns.index(effect)
    groups = [(row[0], row[at]) for row in answer.rows if row[0] not in (SMALL, OVERLAP, TOTAL)]
    visible = [group for group in groups if group[1] is not None and text.rounded(group[1], unit)]
    return sorted(visible, key=lambda group: -abs(group[1]))


def shown(answer: Answer, metric: Metric) -> Answer:
    """The answer with the effect first, and effects on a share in percentage points."""
    unit = "share_points" if metric.unit == "share" else metric.unit
    metrics = [replace(each, unit=unit) if each.name.endswith("effect") else each for each in answer.metrics]
    return replace(answer, metrics=(metrics[-1], *metrics[:-1]))


def sentence(
    answer: Answer, metric: Metric, lang: str, member: Callable[[str, Any], str], kind: str, sides: tuple[str, str]
) -> str:
    """How much a number changed between two `sides` in words, days or places by `kind`, and what that is made of."""
    whole, change = answer.records()[-1], total(answer, metric.unit)
    words: dict[str, Any] = {"measure": metric.short[lang], "there": sides[0], "here": sides[1]}
    if not change:
        return text.word(f"split.{kind}_same", lang, **words)
    words["size"] = part(abs(change), metric.unit, lang, is_signed=False)
    said = text.word(f"split.{kind}_{_way(change)}", lang, **words)
    if "rate_effect" not in answer.columns:
        groups = _names(ranked(answer, metric.unit), metric, answer.by[0], lang, member)
        return text.word("split.of_count", lang, said=said, names=groups) if groups else f"{said}."
    if not is_split(answer, metric):
        return text.word("split.slight", lang, said=said)
    overlap = next((row["effect"] for row in answer.records() if row[answer.by[0]] == OVERLAP), 0)
    rates = whole["rate_effect"]
    effects = {
        f"rate_{kind}_{_way(rates)}": rates,
        f"mix_{kind}": whole["composition_effect"] - overlap,
        "twice": overlap,
    }
    visible = {key: effect for key, effect in effects.items() if text.rounded(effect, metric.unit)}
    # Beside a part that works the other way each has its sign.
    is_mixed = len({effect > 0 for effect in visible.values()}) > 1
    groups = text.word(f"plural.{different.kind_of(answer.by)}", lang)
    parts = []
    for key, effect in visible.items():
        size = part(effect if is_mixed else abs(effect), metric.unit, lang, is_signed=is_mixed)
        parts.append(text.word(f"split.{key}", lang, size=size, groups=groups))
    if not parts:
        return f"{said}."
    because = text.word("split.because", lang, said=said, parts=different.joined(parts, lang))
    # The bars draw both parts of a group together, and so do the names.
    names = _names(ranked(answer, metric.unit), metric, answer.by[0], lang, member)
    return f"{because} {text.word('split.largest', lang, names=names)}" if names else because


def _way(change: float | Decimal) -> str:
    return "up" if change > 0 else "down"


def _names(
    groups: list[tuple[Any, float]], metric: Metric, by: str, lang: str, member: Callable[[str, Any], str]
) -> str:
    """The first groups with their parts."""
    names = [
        f"{text.isolated(member(by, code), lang)}\u00a0{part(effect, metric.unit, lang, with_unit=False)}"
        for code, effect in groups[:_MOST_NAMED]
    ]
    return text.listed([*names, *["…"] * (len(groups) > _MOST_NAMED)], lang)


def signed(metric: Metric, value: float, before: float, lang: str, of: Answer | None = None) -> str:
    """The change: for a count with its percentage, «+۵٬۰۲۵ (+۹٫۹٪)»; for a share in percentage points; else in the unit.

    The percentage has the precision of the answer whose numbers these are, and is absent where that gives none.
    """
    change = like(of_shown(value, before, metric.unit), value)
    if metric.unit == "share":
        return text.amount(change, "share_points", lang, signed=True)
    written = text.plain(change, metric.unit, lang, signed=True)
    if isinstance(value, int) and before and not text.decimals_of(metric.unit):
        share = of.share(value - before, before, metric) if of else (value - before) / before
        return written if share is None else f"{written} ({text.percent(share, lang, signed=True)})"
    return written if metric.unit in text.NAMED_BY_LABEL else text.amount(change, metric.unit, lang, signed=True)


def is_visible(metric: Metric, value: float, before: float) -> bool:
    """Whether a change exceeds rounding."""
    return text.rounded(value, metric.unit) != text.rounded(before, metric.unit)


def verdict(metric: Metric, side: str) -> str:
    """ "better" or "worse" for a rate that is on a side of another by `different`; empty for anything else."""
    end = side.removeprefix("far_")
    if metric.direction not in ("up", "down") or end not in ("lower", "higher"):
        return ""
    return "better" if (end == "higher") == (metric.direction == "up") else "worse"


def broken(month: str, size: float, lang: str) -> str:
    """A break of a month with those before in words: «افت مهر ۱۴۰۴»."""
    return text.word("figure.drop" if size < 0 else "figure.jump", lang, month=text.unit_label(month, lang))
