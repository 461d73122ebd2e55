"""The metrics of one account and region: per minute (or second) a distribution of values."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

Dimensions = tuple[tuple[str, str], ...]


def dimensions(pairs: dict[str, str] | Iterable[tuple[str, str]]) -> Dimensions:
    items = pairs.items() if isinstance(pairs, dict) else pairs
    return tuple(sorted((str(name), str(value)) for name, value in items))


@dataclass(frozen=True)
class MetricKey:
    namespace: str
    name: str
    dimensions: Dimensions


@dataclass
class Distribution:
    """What a datapoint knows. Statistic sets have no single values, so no percentiles."""

    values: dict[float, float] = field(default_factory=dict)
    count: float = 0.0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    only_values: bool = True

    def add(self, value: float, count: float = 1.0) -> None:
        self.values[value] = self.values.get(value, 0.0) + count
        self._stretch(count, value * count, value, value)

    def add_set(self, count: float, total: float, low: float, high: float) -> None:
        self.only_values = self.only_values and (count == 1 or low == high)
        self._stretch(count, total, low, high)
        if self.only_values:
            self.values[low] = self.values.get(low, 0.0) + count

    def merge(self, other: Distribution) -> None:
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count
        self.only_values = self.only_values and other.only_values
        self._stretch(other.count, other.total, other.low, other.high)

    def _stretch(self, count: float, total: float, low: float, high: float) -> None:
        self.count += count
        self.total += total
        self.low, self.high = min(self.low, low), max(self.high, high)


@dataclass
class Series:
    unit: str | None = None
    times: list[int] = field(default_factory=list)
    points: dict[int, Distribution] = field(default_factory=dict)
    visible: dict[int, float] = field(default_factory=dict)
    """Points that come late: the stand-in time from which on readers see them."""

    def at(self, time: float, resolution: int = 60) -> Distribution:
        moment = int(time // resolution * resolution)
        if moment not in self.points:
            self.points[moment] = Distribution()
            insort(self.times, moment)
        return self.points[moment]

    def between(self, start: float, end: float, now: float) -> list[tuple[int, Distribution]]:
        """Points with start <= time < end that readers see at `now`."""
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        return [(t, self.points[t]) for t in self.times[first:last] if self.visible.get(t, 0.0) <= now]


class MetricStore:
    def __init__(self) -> None:
        self.series: dict[MetricKey, Series] = {}

    def get(self, key: MetricKey, unit: str | None = None) -> Series:
        series = self.series.setdefault(key, Series())
        series.unit = unit or series.unit
        return series

    def put(
        self,
        key: MetricKey,
        time: float,
        values: dict[float, float],
        *,
        unit: str | None = None,
        resolution: int = 60,
        visible: float = 0.0,
    ) -> None:
        """Adds values with their counts to the datapoint of that time; `visible` makes the whole point late."""
        series = self.get(key, unit)
        point = series.at(time, resolution)
        for value, count in values.items():
            point.add(value, count)
        if visible:
            series.visible[int(time // resolution * resolution)] = visible


LAMBDA = "AWS/Lambda"


def lambda_dimensions(function: str, qualifier: str | None, executed: str) -> list[Dimensions]:
    """The dimension sets that Lambda writes for one invocation: the function, the resource that was
    invoked (name, not ARN), and for an alias the version that it went to."""
    resource = f"{function}:{qualifier}" if qualifier else function
    sets = [dimensions({"FunctionName": function}), dimensions({"FunctionName": function, "Resource": resource})]
    if qualifier and not qualifier.isdecimal() and qualifier != "$LATEST":
        sets.append(dimensions({"FunctionName": function, "Resource": resource, "ExecutedVersion": executed}))
    return sets
