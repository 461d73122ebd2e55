"""The state of Lambda in one account and region."""

from __future__ import annotations

import hashlib
import json
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

LATEST = "$LATEST"


def new_revision() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Code:
    """What runs. `sha256` is base64 for zip files and hex (the image digest) for images, as AWS shows it."""

    sha256: str
    size: int
    image_uri: str | None = None
    resolved_image_uri: str | None = None


@dataclass
class Change:
    """A change of state that takes time. `kind` is also the name of its delay."""

    kind: str
    due: float
    resource: str


@dataclass
class Version:
    """$LATEST or a published version. `settings` are the members of FunctionConfiguration that users choose."""

    number: str
    code: Code
    settings: dict[str, Any]
    modified: float
    revision: str = field(default_factory=new_revision)
    state: str = "Pending"
    state_reason: tuple[str, str] | None = ("Creating", "The function is being created.")
    update: str = "Successful"
    update_reason: tuple[str, str] | None = None
    optimization: str = "Off"
    change: Change | None = None
    before: tuple[Code, dict[str, Any]] | None = None
    """What runs until an update under way has succeeded, and after it failed."""

    @property
    def snap_start(self) -> bool:
        return bool(self.settings.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions")

    @property
    def config_sha256(self) -> str:
        return b64encode(hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).digest()).decode()

    @property
    def signature(self) -> tuple[str, str]:
        """What PublishVersion compares with the last published version."""
        return self.code.sha256, self.config_sha256


@dataclass
class Weights:
    """The routing of an alias from `since` on; the history that traffic is split by."""

    since: float
    version: str
    additional: dict[str, float]


@dataclass
class Alias:
    name: str
    version: str
    description: str
    additional: dict[str, float]
    history: list[Weights]
    revision: str = field(default_factory=new_revision)

    def route(self, now: float, version: str, additional: dict[str, float]) -> None:
        """Every update passes here: a new RevisionId, and a line of history when the routing differs."""
        self.revision = new_revision()
        if (version, additional) != (self.version, self.additional):
            self.version, self.additional = version, dict(additional)
            self.history.append(Weights(now, version, dict(additional)))

    def names(self, version: str) -> bool:
        return version == self.version or version in self.additional


@dataclass
class Provisioned:
    """Provisioned concurrency of one qualifier (a version number or an alias)."""

    qualifier: str
    requested: int
    version: str
    modified: float
    started: float
    change: Change | None
    allocated: int = 0
    status: str = "IN_PROGRESS"
    reason: str | None = None
    serving: str | None = None
    """The version that holds READY environments; while an alias moves it is the old one."""
    moved_from: str | None = None
    """The version that Lambda keeps all traffic of the alias on, by weights of its own, until READY."""


@dataclass
class Policy:
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    revision: str = field(default_factory=new_revision)


@dataclass
class Function:
    name: str
    arn: str
    latest: Version
    tags: dict[str, str]
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    provisioned: dict[str, Provisioned] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    next_version: int = 1
    published: tuple[str, tuple[str, str]] | None = None
    """The version published last, and the signature of $LATEST then."""
    reserved_concurrency: int | None = None

    def version(self, number: str) -> Version | None:
        return self.latest if number == LATEST else self.versions.get(number)

    def aliases_of(self, version: str) -> list[str]:
        return sorted(alias.name for alias in self.aliases.values() if alias.names(version))


@dataclass
class StateRule:
    """Planted by the control endpoint: holds a change of state, or makes it end in failure.

    `kind` is the kind of change or `*`; `version` is a number, `$LATEST`, an alias (provisioned concurrency) or `*`.
    `mode` is hold or fail; a failure holds for `times` changes, 0 is all.
    """

    kind: str
    function: str
    version: str
    mode: str
    code: str
    reason: str
    times: int = 1

    def matches(self, change: Change, function: str, version: str) -> bool:
        return self.kind in ("*", change.kind) and self.function in ("*", function) and self.version in ("*", version)


@dataclass
class LambdaState:
    functions: dict[str, Function] = field(default_factory=dict)
    mappings: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: list[StateRule] = field(default_factory=list)
