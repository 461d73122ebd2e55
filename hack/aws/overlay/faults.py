"""Faults that the control endpoint plants for the next matching calls."""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from .errors import AwsError, throttled

EFFECTS = ("error", "throttle", "delay", "lost", "hang", "metricStatus")
_MATCH = ("operation", "service", "account", "region", "resource", "caller")


@dataclass
class Fault:
    """`times` calls get the effect after `skip` matching ones passed; `times` 0 means until deleted."""

    id: int
    match: dict[str, str]
    kind: str
    settings: dict[str, Any]
    skip: int = 0
    times: int = 1
    seen: int = 0
    hits: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def matches(self, call: dict[str, str]) -> bool:
        for key, wanted in self.match.items():
            if key in ("resource", "caller"):
                if not re.search(wanted, call[key]):
                    return False
            elif call[key] not in wanted.split(","):
                return False
        return True

    def error(self, service: str) -> AwsError:
        if self.kind == "throttle":
            return throttled(service, int(self.settings.get("retryAfter", 1)))
        return AwsError(
            self.settings["code"],
            self.settings.get("message", "injected by the stand-in"),
            int(self.settings.get("status", 400)),
            body={"Type": "User"} if service == "lambda" else {},
        )

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "match": self.match,
            "effect": {self.kind: self.settings},
            "skip": self.skip,
            "times": self.times,
            "seen": self.seen,
            "hits": self.hits,
        }


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults: dict[int, Fault] = {}

    def add(self, match: dict[str, str], effect: dict[str, Any], skip: int = 0, times: int = 1) -> Fault:
        unknown = set(match) - set(_MATCH)
        if unknown:
            raise ValueError(f"match knows {', '.join(_MATCH)}, not {', '.join(sorted(unknown))}")
        if len(effect) != 1 or next(iter(effect)) not in EFFECTS:
            raise ValueError(f"effect needs exactly one of {', '.join(EFFECTS)}")
        for key in ("resource", "caller"):
            re.compile(match.get(key, ""))
        kind, settings = next(iter(effect.items()))
        if kind == "error" and "code" not in settings:
            raise ValueError("effect error needs a code")
        with self._lock:
            fault = Fault(next(self._ids), dict(match), kind, dict(settings or {}), skip, times)
            self._faults[fault.id] = fault
            return fault

    def take(self, **call: str) -> Fault | None:
        """The first fault that hits this call; it counts as used."""
        with self._lock:
            for fault in self._faults.values():
                if (fault.times and fault.hits >= fault.times) or not fault.matches(call):
                    continue
                fault.seen += 1
                if fault.seen > fault.skip:
                    fault.hits += 1
                    return fault
            return None

    def all(self) -> list[Fault]:
        with self._lock:
            return list(self._faults.values())

    def delete(self, id: int | None = None, account: str | None = None) -> int:
        """Removes one fault, those of one account, or all; calls that hang in them end."""
        with self._lock:
            chosen = [
                fault
                for fault in self._faults.values()
                if (id is None or fault.id == id) and (account is None or fault.match.get("account") == account)
            ]
            for fault in chosen:
                del self._faults[fault.id]
                fault.ended.set()
            return len(chosen)
