"""Whether the groups of an answer differ by more than chance."""

import math

from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue

# The 95 % quantile of the normal distribution: chance alone exceeds it in one case of twenty.
_Z = 1.6448536269514722
_FEWEST_GROUPS = 3
_SAMPLED = ("persons", "institutes", "applications", "licences")


def is_noise(answer: Answer) -> bool:
    """Whether the first metric is a rate that may be the same in all groups, their differences being chance.

    Pearson's chi-squared test of homogeneity at 5 %, of a binomial share or a Poisson rate, by the approximation of Wilson
    and Hilferty (1931, Proceedings of the National Academy of Sciences 17). False unless the metric
    is a rate whose parts the answer contains, and for fewer than three groups.
    """
    metric = answer.metrics[0]
    part, whole = metric.numerator, metric.denominator
    if not part or not whole or not {part, whole} <= set(answer.columns):
        return False
    if part not in catalogue() or catalogue()[part].unit not in _SAMPLED:
        return False
    groups = [(row[part], row[whole]) for row in answer.records() if row[whole] and row[part] is not None]
    counted, total = sum(count for count, _ in groups), sum(size for _, size in groups)
    if len(groups) < _FEWEST_GROUPS or not counted:
        return False
    rate = counted / total
    # Cases can exceed the group that they are divided by: then they follow Poisson, not a binomial distribution.
    is_binomial = metric.unit == "share" and all(count <= size for count, size in groups)
    left = 1 - rate if is_binomial else 1.0
    if not left:
        return True
    squares = sum((count - size * rate) ** 2 / (size * rate * left) for count, size in groups)
    freedom = len(groups) - 1
    z = ((squares / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return z < _Z
