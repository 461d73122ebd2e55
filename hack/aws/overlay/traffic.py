"""Traffic on an alias: minute by minute the datapoints that Lambda would write for it.

Nothing runs in the background: the whole minutes that have passed are written before anyone reads the metrics, from
the history of the alias's weights. So the same seed and the same history give the same datapoints.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from .cloudwatch.metrics import LAMBDA, MetricKey, MetricStore, lambda_dimensions
from .functions.model import Alias, LambdaState, Weights

_P95 = 1.6448536269514722  # standard normal quantile
MAX_PER_MINUTE = 100_000  # one minute of that is a second of work here
MAX_BACKLOG = 7 * 86400.0  # stand-in seconds that traffic may start in the past


@dataclass
class Behaviour:
    """How a version answers: the share of errors and throttles, and durations in milliseconds."""

    error_rate: float = 0.0
    throttle_rate: float = 0.0
    mean: float = 100.0
    p95: float | None = None
    durations: list[float] = field(default_factory=list)

    @classmethod
    def parse(cls, settings: dict[str, Any]) -> Behaviour:
        duration = settings.get("durationMs", {"mean": 100.0})
        rates = {"error_rate": settings.get("errorRate", 0.0), "throttle_rate": settings.get("throttleRate", 0.0)}
        if isinstance(duration, list):
            return cls(**rates, durations=[float(ms) for ms in duration])
        return cls(**rates, mean=float(duration["mean"]), p95=duration.get("p95"))

    def duration(self, rng: random.Random) -> float:
        """A value of the list, or log-normal with this mean and 95th percentile, rounded to 0.1 ms."""
        if self.durations:
            return rng.choice(self.durations)
        if self.p95 is None or self.p95 <= self.mean:
            return self.mean
        # mean = exp(mu + s²/2), p95 = exp(mu + 1.645 s): s is the smaller root of s²/2 − 1.645 s + ln(p95/mean)
        ratio = math.log(self.p95 / self.mean)
        sigma = _P95 - math.sqrt(max(0.0, _P95 * _P95 - 2 * ratio))
        return round(rng.lognormvariate(math.log(self.mean) - sigma * sigma / 2, sigma), 1)


@dataclass
class Traffic:
    """`per_minute` requests a minute (a fraction is a probability), from `next_minute` on, seen `late` seconds later."""

    function: str
    alias: str
    per_minute: float
    versions: dict[str, Behaviour]
    next_minute: float
    late: float = 0.0
    seed: int = 0
    executed_needs_weights: bool = False
    """Whether ExecutedVersion is written only while the alias has weights: AWS does not say."""

    @property
    def id(self) -> str:
        return f"{self.function}:{self.alias}"

    def run(self, state: LambdaState, metrics: MetricStore, now: float) -> None:
        """Writes all minutes that ended before `now`."""
        function = state.functions.get(self.function)
        alias = function.aliases.get(self.alias) if function else None
        while self.next_minute + 60 <= now:
            if alias is not None:
                self._minute(alias, metrics, self.next_minute)
            self.next_minute += 60

    def _minute(self, alias: Alias, metrics: MetricStore, minute: float) -> None:
        rng = random.Random(f"{self.seed}/{self.function}/{self.alias}/{int(minute)}")
        whole = int(self.per_minute)
        requests = whole + (rng.random() < self.per_minute - whole)
        tallies: dict[tuple[str, bool], _Tally] = defaultdict(_Tally)
        for _ in range(requests):
            routing = routing_at(alias, minute + rng.random() * 60)
            if routing is None:
                continue
            version = _route(rng, routing)
            behaviour = self.versions.get(version) or self.versions.get("*") or Behaviour()
            tallies[version, bool(routing.additional)].request(rng, behaviour)
        for (version, weighted), tally in tallies.items():
            self._write(metrics, minute, version, weighted, tally)

    def _write(self, metrics: MetricStore, minute: float, version: str, weighted: bool, tally: _Tally) -> None:
        visible = minute + 60 + self.late if self.late else 0.0
        sets = lambda_dimensions(self.function, self.alias, version)
        for dims in sets if weighted or not self.executed_needs_weights else sets[:2]:
            for name, unit, values in tally.datapoints():
                metrics.put(MetricKey(LAMBDA, name, dims), minute, values, unit=unit, visible=visible)


@dataclass
class _Tally:
    durations: Counter[float] = field(default_factory=Counter)
    errors: int = 0
    throttles: int = 0

    def request(self, rng: random.Random, behaviour: Behaviour) -> None:
        if rng.random() < behaviour.throttle_rate:
            self.throttles += 1  # a throttle is neither an invocation nor an error
            return
        self.errors += rng.random() < behaviour.error_rate
        self.durations[behaviour.duration(rng)] += 1

    def datapoints(self) -> list[tuple[str, str, dict[float, float]]]:
        """Name, unit and values with counts. Each request is a sample, so Sum counts and Average is a rate."""
        points: list[tuple[str, str, dict[float, float]]] = []
        count = sum(self.durations.values())
        if count:
            busy = sum(ms * n for ms, n in self.durations.items()) / 60_000
            errors = {1.0: float(self.errors), 0.0: float(count - self.errors)}
            points += [
                ("Invocations", "Count", {1.0: float(count)}),
                ("Errors", "Count", {value: n for value, n in errors.items() if n}),
                ("Duration", "Milliseconds", {ms: float(n) for ms, n in self.durations.items()}),
                ("ConcurrentExecutions", "Count", {float(max(1, math.ceil(busy))): 1.0}),
            ]
        if self.throttles or count:
            values = {1.0: float(self.throttles), 0.0: float(count)}
            points.append(("Throttles", "Count", {value: n for value, n in values.items() if n}))
        return points


def routing_at(alias: Alias, moment: float) -> Weights | None:
    """The line of the history that held then; None before the alias was there."""
    held = None
    for line in alias.history:
        if line.since > moment:
            break
        held = line
    return held


def _route(rng: random.Random, routing: Weights) -> str:
    for version, weight in routing.additional.items():
        if rng.random() < weight:
            return version
    return routing.version
