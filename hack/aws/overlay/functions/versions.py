"""Published versions."""

from __future__ import annotations

from typing import Any

from ..errors import invalid_parameter, precondition_failed
from .context import LambdaCall, page
from .functions import PAGE, describe
from .model import LATEST, Change, Function, Version, new_revision
from .names import check_description


def publish_version(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    """Idempotent: with nothing changed since the last published version, that one is the answer."""
    check_description(params)
    function = call.function(call.ref(params).name)
    call.check_idle(function)
    latest = function.latest
    if params.get("PublishTo"):
        raise invalid_parameter("PublishTo is for functions with a capacity provider.")
    if params.get("RevisionId", latest.revision) != latest.revision:
        raise precondition_failed()
    sha256 = params.get("CodeSha256")
    if sha256 and sha256 != latest.code.sha256:
        raise invalid_parameter(
            f"CodeSHA256 ({sha256}) is different from current CodeSHA256 in $LATEST ({latest.code.sha256}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    version = publish(call, function, params.get("Description"))
    return describe(call, function, version, version.number)


def publish(call: LambdaCall, function: Function, description: str | None, after: float = 0.0) -> Version:
    """A version of what $LATEST holds, Pending at first; $LATEST gets a new RevisionId by it."""
    latest = function.latest
    if function.published and function.published[1] == latest.signature:
        same = function.versions.get(function.published[0])
        if same:
            return same
    number = str(function.next_version)
    settings = dict(latest.settings)
    if description:
        settings["Description"] = description
    delay = call.delays["publish"] + (call.delays["snapStart"] if latest.snap_start else 0.0)
    kind = "snapStart" if latest.snap_start else "publish"
    change = Change(kind, call.now + after + delay, call.arn(function.name, number))
    version = Version(number, latest.code, settings, call.now, change=change)
    function.versions[number] = version
    function.next_version += 1
    function.published = (number, latest.signature)
    latest.revision = new_revision()
    return version


def list_versions_by_function(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function = call.function(call.ref(params).name)
    versions = [(LATEST, function.latest), *sorted(function.versions.items(), key=lambda item: int(item[0]))]
    items, marker = page(versions, params, PAGE)
    return {"Versions": [describe(call, function, version, number) for number, version in items], "NextMarker": marker}
