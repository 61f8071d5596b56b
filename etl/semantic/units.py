"""How many decimals a number is shown with, by its unit, and the one way of rounding."""

from decimal import MAX_PREC, ROUND_HALF_UP, Context, Decimal
from typing import Any

# Decimals by unit; other units have none.
_DECIMALS = {
    "share": 1, "per_10k": 2, "per_100km2": 2, "per_100k": 1, "ratio": 2, "persons_per_institute": 1, "months": 1,
    "days": 1, "years": 1, "hours": 0, "hours_per_person": 1, "working_days": 1, "km2": 0, "persons_per_month": 0,
    # A mean of months; the bars of a ranking differ by less than a person.
    "persons_gained": 1, "applications_per_month": 1,
    "index": 1,
}  # fmt: skip
EXACT = Context(prec=MAX_PREC)


def rounded_half_up(value: float | Decimal, decimals: int) -> Decimal:
    """`value` rounded to `decimals`, halves away from zero: every number on a screen is rounded here.

    A float counts as the shortest decimal that Python prints: 0.145 becomes 0.15 although its binary value is below it.
    """
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, EXACT)


def decimals_of(unit: str, is_fraction: bool = False) -> int:
    """The decimals of a number of `unit`; for a share those of its percentage, or of the fraction."""
    return _DECIMALS.get(unit, 0) + (2 if is_fraction and unit == "share" else 0)


def rounded(value: float | None, unit: str) -> float | None:
    """A number rounded as the screen shows its unit; a share stays a fraction."""
    if value is None:
        return None
    decimals = decimals_of(unit, is_fraction=True)
    return float(rounded_half_up(value, decimals)) if decimals else int(rounded_half_up(value, 0))


class Rounded(float):
    """A number that is shown with `decimals` (of a share: those of its percentage), whatever its unit has on screen."""

    decimals: int

    def __new__(cls, value: float | Decimal, decimals: int) -> "Rounded":
        number = super().__new__(cls, value)
        number.decimals = decimals
        return number

    def __getnewargs__(self) -> Any:
        # Answers go to worker processes and caches.
        return float(self), self.decimals


class Nearest(Rounded):
    """A share to the nearest five per cent."""


def shown_decimals(value: Any, usual: int) -> int:
    """The decimals with which a number is shown, `usual` unless it carries its own."""
    return getattr(value, "decimals", usual)


def like(value: Any, shown: Any) -> Any:
    """A number derived from `shown`, with no more decimals than that."""
    return Rounded(value, shown.decimals) if value is not None and isinstance(shown, Rounded) else value
