"""The stand-in clock: every timestamp and every duration of a state follows it, never the wall clock."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

MAX_SCALE = 60.0


class Clock:
    """now = epoch + (real seconds since the anchor) · scale; seconds since 1970 in UTC."""

    def __init__(self, scale: float = 1.0, epoch: float | None = None) -> None:
        self._lock = threading.Lock()
        self._scale = 1.0
        self._epoch = 0.0
        self._anchor = 0.0
        self.set(scale, time.time() if epoch is None else epoch)

    def set(self, scale: float, epoch: float) -> None:
        """Restarts the clock at `epoch`, running `scale` times as fast as real time (0 stops it)."""
        if not 0 <= scale <= MAX_SCALE:
            raise ValueError(f"scale must be 0 to {MAX_SCALE:g}, not {scale:g}")
        with self._lock:
            self._scale, self._epoch, self._anchor = scale, epoch, time.monotonic()

    def advance(self, seconds: float) -> None:
        """Jumps forward; what falls due in between happens at its own due time."""
        if seconds < 0:
            raise ValueError("the clock only goes forward: advance needs seconds >= 0")
        with self._lock:
            self._epoch += seconds

    def now(self) -> float:
        with self._lock:
            return self._epoch + (time.monotonic() - self._anchor) * self._scale

    def utcnow(self) -> datetime:
        """The same without zone, the form that moto uses."""
        return datetime.fromtimestamp(self.now(), UTC).replace(tzinfo=None)

    def describe(self) -> dict[str, float | str]:
        now = self.now()
        with self._lock:
            return {"now": now, "iso": iso(now), "scale": self._scale}


def iso(seconds: float) -> str:
    """2026-11-20T21:30:00.000Z"""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(value: float | int | str) -> float:
    """Seconds since 1970 from a number or an ISO 8601 text; a text without zone is UTC."""
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(value)
    except ValueError:
        parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
