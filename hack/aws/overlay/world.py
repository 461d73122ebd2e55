"""Worlds: all state of ours in one account and region, behind one lock; every account is a world of its own."""

from __future__ import annotations

import hashlib
import math
import random
import threading
from typing import Any

from .clock import Clock
from .cloudwatch.alarms import AlarmStore
from .cloudwatch.metrics import LAMBDA, MetricKey, MetricStore, lambda_dimensions
from .cloudwatch.mute_rules import MuteStore
from .errors import invalid_parameter
from .functions.invoke import Script
from .functions.model import LambdaState
from .functions.states import DEFAULT_DELAYS, settle
from .tasks.stores import TaskCall, TaskStore
from .traffic import Traffic

ANSWER: dict[str, Any] = {"status": 200, "payload": None, "durationMs": 1.0}


class World:
    def __init__(self, account: str, region: str, clock: Clock, delays: dict[str, float]) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.delays = delays
        self.lock = threading.RLock()
        self.lambda_state = LambdaState()
        self.metrics = MetricStore()
        self.alarms = AlarmStore()
        self.mutes = MuteStore()
        self.scripts: dict[tuple[str, str], Script] = {}
        self.images: dict[str, str | None] = {}
        self.traffic: dict[str, Traffic] = {}
        self.tasks = TaskStore()
        self._minute_due = math.inf
        self.rng = random.Random(f"{account}/{region}")

    def catch_up(self) -> float:
        """Settles states and writes the traffic of all whole minutes up to now; returns now."""
        now = self.clock.now()
        self.mutes.settle(self.alarms, now)
        if now >= self._minute_due:
            for function in self.lambda_state.functions.values():
                settle(self.lambda_state, function, now)
            for traffic in self.traffic.values():
                traffic.run(self.lambda_state, self.metrics, now)
            self._plan()
        return now

    def task_call(self) -> TaskCall:
        return TaskCall(self.account, self.region, self.clock.now(), self.tasks, self.rng)

    def _plan(self) -> None:
        self._minute_due = min((traffic.next_minute + 60 for traffic in self.traffic.values()), default=math.inf)

    def start_traffic(self, traffic: Traffic) -> None:
        self.traffic[traffic.id] = traffic
        self._plan()

    def stop_traffic(self, id: str) -> None:
        del self.traffic[id]
        self._plan()

    def invoke_answer(self, function: str, qualifier: str | None, executed: str) -> dict[str, Any]:
        """The next scripted answer: for the version that runs, else the qualifier asked for, else the function."""
        for key in (executed, qualifier or "$LATEST", "*"):
            if script := self.scripts.get((function, key)):
                return script.next()
        return ANSWER

    def record_invocation(
        self, now: float, function: str, qualifier: str | None, executed: str, ms: float, failed: bool
    ) -> None:
        for dims in lambda_dimensions(function, qualifier, executed):
            for name, value, unit in (
                ("Invocations", 1.0, "Count"),
                ("Errors", float(failed), "Count"),
                ("Duration", ms, "Milliseconds"),
            ):
                self.metrics.put(MetricKey(LAMBDA, name, dims), now, {value: 1.0}, unit=unit)

    def image_digest(self, uri: str, digest: str | None) -> str | None:
        """The digest of an image: what the control endpoint says, else the one in the URI, else one made of the tag."""
        if uri in self.images:
            return self.images[uri]
        return digest or hashlib.sha256(uri.encode()).hexdigest()

    def s3_object(self, bucket: str, key: str, version: str | None) -> bytes:
        from moto.s3.models import s3_backends  # moto loads a service when it is first needed

        partition = next(iter(s3_backends[self.account].keys()), "aws")
        backend = s3_backends[self.account][partition]
        code, message = "NoSuchBucket", "The specified bucket does not exist"
        if bucket in backend.buckets:
            found = backend.get_object(bucket, key, version_id=version)
            if found is not None and hasattr(found, "value"):
                return bytes(found.value)
            code, message = "NoSuchKey", "The specified key does not exist."
        raise invalid_parameter(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")


class Worlds:
    def __init__(self, clock: Clock, delays: dict[str, float] | None = None) -> None:
        self.clock = clock
        self.default_delays = DEFAULT_DELAYS | (delays or {})
        self._delays: dict[str, dict[str, float]] = {}
        self._worlds: dict[tuple[str, str], World] = {}
        self._lock = threading.Lock()

    def get(self, account: str, region: str) -> World:
        with self._lock:
            world = self._worlds.get((account, region))
            if world is None:
                world = self._worlds[account, region] = World(account, region, self.clock, self._delays_of(account))
            return world

    def _delays_of(self, account: str) -> dict[str, float]:
        return self._delays.setdefault(account, dict(self.default_delays))

    def set_delays(self, delays: dict[str, float], account: str | None) -> None:
        """Changes how long states take, for one account or for all (also those to come)."""
        unknown = set(delays) - set(DEFAULT_DELAYS)
        if unknown:
            raise ValueError(f"delays are {', '.join(DEFAULT_DELAYS)}, not {', '.join(sorted(unknown))}")
        with self._lock:
            if account is None:
                self.default_delays |= delays
            for target in [self._delays_of(account)] if account else self._delays.values():
                target.update(delays)

    def reset(self, account: str | None) -> None:
        """Forgets one account, or all."""
        with self._lock:
            for key in [key for key in self._worlds if account in (None, key[0])]:
                del self._worlds[key]
            for name in [name for name in self._delays if account in (None, name)]:
                del self._delays[name]
