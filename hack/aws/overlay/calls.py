"""The call log: every AWS call as one record, in the order of effect, to be read, waited for and written to a file."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MAX_KEPT = 100_000  # about two hours at the Lambda limit of 15 calls a second, 60 MB; older ones are in the file

_READS = re.compile(
    r"(Get|List|Describe|Head|BatchGet|Query$|Scan$|Search|Lookup|Select|Simulate|AssumeRole|Decode|GET |HEAD )"
)


def is_write(operation: str) -> bool:
    return not _READS.match(operation)


@dataclass(slots=True)
class Call:
    """One call. `at` is the stand-in clock, `wall` the real one, both in seconds since 1970."""

    n: int
    at: float
    wall: float
    account: str
    region: str
    service: str
    operation: str
    resource: str
    accessKey: str
    caller: str
    session: str
    write: bool
    result: str
    applied: bool
    ms: float
    requestId: str
    fault: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass
class Filter:
    """Which calls to tell; empty members match all. `operation` may name several, with commas."""

    since: int = 0
    account: str = ""
    region: str = ""
    service: str = ""
    operation: str = ""
    resource: str = ""
    caller: str = ""
    result: str = ""
    write: bool | None = None

    def matches(self, call: Call) -> bool:
        return (
            call.n > self.since
            and self.account in ("", call.account)
            and self.region in ("", call.region)
            and self.service in ("", call.service)
            and (not self.operation or call.operation in self.operation.split(","))
            and (not self.resource or re.search(self.resource, call.resource) is not None)
            and (not self.caller or re.search(self.caller, call.caller) is not None or self.caller == call.accessKey)
            and self.result in ("", call.result)
            and (self.write is None or self.write == call.write)
        )


class CallLog:
    def __init__(self, path: Path | None) -> None:
        self._changed = threading.Condition()
        self._calls: deque[Call] = deque(maxlen=MAX_KEPT)
        self._last = 0
        self._file = path.open("a", encoding="utf-8", buffering=1) if path else None

    def add(self, **members: Any) -> Call:
        with self._changed:
            self._last += 1
            call = Call(n=self._last, wall=time.time(), **members)
            self._calls.append(call)
            if self._file:
                self._file.write(json.dumps(asdict(call)) + "\n")
            self._changed.notify_all()
        return call

    def select(self, wanted: Filter, wait: float = 0.0, count: int = 1) -> tuple[list[Call], int]:
        """Matching calls and the number of the last call; waits until `count` match, at most `wait` real seconds."""
        deadline = time.monotonic() + wait
        with self._changed:
            while True:
                found = self._since(wanted)
                left = deadline - time.monotonic()
                if len(found) >= count or left <= 0:
                    return found, self._last
                self._changed.wait(left)

    def _since(self, wanted: Filter) -> list[Call]:
        found: list[Call] = []
        for call in reversed(self._calls):
            if call.n <= wanted.since:
                break
            if wanted.matches(call):
                found.append(call)
        return found[::-1]
