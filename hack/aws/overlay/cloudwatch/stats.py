"""Statistics of a distribution by their CloudWatch names."""

from __future__ import annotations

import re
from collections.abc import Callable

from .context import validation_error
from .metrics import Distribution

Statistic = Callable[[Distribution], float | None]

_SIMPLE: dict[str, Statistic] = {
    "Sum": lambda d: d.total,
    "SampleCount": lambda d: d.count,
    "Average": lambda d: d.total / d.count if d.count else None,
    "Minimum": lambda d: d.low if d.count else None,
    "Maximum": lambda d: d.high if d.count else None,
}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


def statistic(name: str) -> Statistic:
    """Sum, SampleCount, Average, Minimum, Maximum, or pNN(.N)."""
    if name in _SIMPLE:
        return _SIMPLE[name]
    found = _PERCENTILE.fullmatch(name)
    if not found:
        raise validation_error(
            f"Value '{name}' at 'stat' failed to satisfy constraint: not a statistic that the stand-in knows"
        )
    share = float(found.group(1)) / 100
    return lambda distribution: percentile(distribution, share)


def percentile(distribution: Distribution, share: float) -> float | None:
    """The smallest value that at least this share of the samples does not exceed (nearest rank).

    Statistic sets of more than one value have no percentiles, as in CloudWatch.
    """
    if not distribution.count or not distribution.only_values:
        return None
    rank = share * sum(distribution.values.values())
    below = 0.0
    for value in sorted(distribution.values):
        below += distribution.values[value]
        if below >= rank - 1e-9 and distribution.values[value] > 0:
            return value
    return distribution.high
