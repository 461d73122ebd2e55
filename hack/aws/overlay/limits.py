"""Request rates of AWS, on the real clock: a token bucket per account, region and family of operations."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

# The quota pages of Lambda and CloudWatch; requests a second, per account and region.
LAMBDA_RATES = {"GetFunction": 100.0, "GetPolicy": 15.0, "*": 15.0}
CLOUDWATCH_RATES = {
    "GetMetricData": 50.0,
    "DescribeAlarms": 9.0,
    "SetAlarmState": 3.0,
    "EnableAlarmActions": 3.0,
    "DisableAlarmActions": 3.0,
}
_NOT_CONTROL_PLANE = {"Invoke", "InvokeAsync", "InvokeWithResponseStream"}


@dataclass
class _Bucket:
    tokens: float
    at: float


@dataclass
class Limits:
    """Calls a second by service and operation; `*` is all others of that service together; a rate of 0 is no limit.

    A full bucket holds one second's worth: AWS does not publish its bursts.
    """

    rates: dict[str, dict[str, float]] = field(
        default_factory=lambda: {"lambda": dict(LAMBDA_RATES), "cloudwatch": dict(CLOUDWATCH_RATES)}
    )
    by_account: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    _buckets: dict[tuple[str, str, str, str], _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, service: str, rates: dict[str, float], account: str | None = None) -> None:
        """Changes some rates, for all accounts or for one, and starts with full buckets."""
        with self._lock:
            target = self.by_account.setdefault(account, {}) if account else self.rates
            target.setdefault(service, {}).update(rates)
            for key in [key for key in self._buckets if account in (None, key[0]) and key[2] == service]:
                del self._buckets[key]

    def off(self, account: str | None = None) -> None:
        """No limits, for all accounts or for one."""
        with self._lock:
            for service, rates in self.rates.items():
                target = self.by_account.setdefault(account, {}) if account else self.rates
                target[service] = dict.fromkeys(rates, 0.0)

    def take(self, account: str, region: str, service: str, operation: str) -> bool:
        """Takes one token; false when the call is above the rate."""
        if operation in _NOT_CONTROL_PLANE:
            return True
        with self._lock:
            rates = self.rates.get(service, {}) | self.by_account.get(account, {}).get(service, {})
            family = operation if operation in rates else "*"
            rate = rates.get(family, 0.0)
            if rate <= 0:
                return True
            now = time.monotonic()
            full = max(rate, 1.0)
            bucket = self._buckets.setdefault((account, region, service, family), _Bucket(full, now))
            bucket.tokens = min(full, bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True
