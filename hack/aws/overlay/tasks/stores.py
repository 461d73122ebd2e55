"""What the stand-in keeps of tasks, and what a call to them sees."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

Params = dict[str, Any]


@dataclass
class Deployment:
    id: str
    created: float
    ends: float
    outcome: str
    """COMPLETED, FAILED, or STUCK: it never ends."""

    def rollout(self, now: float) -> str:
        return "IN_PROGRESS" if now < self.ends or self.outcome == "STUCK" else self.outcome


@dataclass
class Service:
    desired: int
    seconds: float
    outcome: str
    deployments: list[Deployment] = field(default_factory=list)
    """The one that is wanted comes last."""


@dataclass
class Behaviour:
    """How what runs of a document ends, and when."""

    seconds: float = 60.0
    outcome: str = "Success"
    nodes: int = 1
    seen_after: float = 0.0
    """ListCommands does not tell a command before it is so old."""


@dataclass
class Run:
    """A command or an automation."""

    id: str
    params: Params
    begun: float
    behaviour: Behaviour
    cancelled: float | None = None

    def status(self, now: float) -> str:
        end = math.inf if self.behaviour.outcome == "STUCK" else self.begun + self.behaviour.seconds
        if self.cancelled is not None and self.cancelled < end:
            return "Cancelled"
        return "InProgress" if now < end else self.behaviour.outcome


@dataclass
class Upkeep:
    """What waits for an instance, and what is done to it."""

    pending_reboot: bool = False
    maintenance: list[str] = field(default_factory=list)
    seconds: float = 60.0
    doing: tuple[str, float] | None = None
    """`reboot` or a maintenance action, and when it ends."""

    def settle(self, now: float) -> None:
        if self.doing is None or now < self.doing[1]:
            return
        if self.doing[0] == "reboot":
            self.pending_reboot = False
        else:
            self.maintenance.remove(self.doing[0])
        self.doing = None

    @property
    def status(self) -> str:
        if self.doing is None:
            return "available"
        return "rebooting" if self.doing[0] == "reboot" else "maintenance"


class TaskStore:
    def __init__(self) -> None:
        self.services: dict[tuple[str, str], Service] = {}
        self.documents: dict[str, Behaviour] = {}
        self.commands: list[Run] = []
        self.automations: list[Run] = []
        self.upkeep: dict[str, Upkeep] = {}


@dataclass
class TaskCall:
    """One call: where, when, and what there is."""

    account: str
    region: str
    now: float
    store: TaskStore
    rng: random.Random

    def uuid(self) -> str:
        digits = f"{self.rng.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def positive(value: Any) -> float:
    seconds = float(value)
    if seconds < 0:
        raise ValueError("seconds must be 0 or more")
    return seconds
