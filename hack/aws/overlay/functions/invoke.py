"""Invoke: answers come from a script of the control endpoint; there is no runtime."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from ..errors import conflict
from .context import LambdaCall
from .model import LATEST, Change, Function, Version


@dataclass
class Script:
    """Answers in order; afterwards from the start again (`repeat`), else the last one for ever."""

    answers: list[dict[str, Any]]
    repeat: bool = False
    given: int = 0

    def next(self) -> dict[str, Any]:
        at = self.given % len(self.answers) if self.repeat else min(self.given, len(self.answers) - 1)
        self.given += 1
        return self.answers[at]


def invoke(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    ref = call.ref(params)
    function = call.function(ref.name, ref.qualifier)
    version = _route(call, function, ref.qualifier)
    _check_invocable(call, function, version)
    if params.get("InvocationType") == "DryRun":
        return {"StatusCode": 204, "ExecutedVersion": version.number}
    answer = call.services.invoke_answer(function.name, ref.qualifier, version.number)
    duration = float(answer.get("durationMs", 1.0))
    error = answer.get("functionError")
    call.services.record_invocation(call.now, function.name, ref.qualifier, version.number, duration, bool(error))
    if params.get("InvocationType") == "Event":
        return {"StatusCode": 202, "Payload": b""}
    call.after.append(duration / 1000)
    result: dict[str, Any] = {
        "StatusCode": int(answer.get("status", 200)),
        "Payload": _payload(answer),
        "ExecutedVersion": version.number,
    }
    if error:
        result["FunctionError"] = "Unhandled" if error is True else str(error)
    if params.get("LogType") == "Tail":
        report = f"REPORT RequestId: {call.request_id}\tDuration: {duration:.2f} ms\tBilled Duration: {int(duration) + 1} ms\n"
        result["LogResult"] = b64encode(report.encode()).decode()
    return result


def _payload(answer: dict[str, Any]) -> bytes:
    payload = answer.get("payload")
    return payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()


def _route(call: LambdaCall, function: Function, qualifier: str | None) -> Version:
    """Random per request, by the weights of the alias."""
    alias = function.aliases.get(qualifier or LATEST)
    if alias is None:
        return call.version(function, qualifier)
    for number, weight in alias.additional.items():
        if call.rng.random() < weight:
            return call.version(function, number)
    return call.version(function, alias.version)


def _check_invocable(call: LambdaCall, function: Function, version: Version) -> None:
    """A version that is not Active refuses; an Inactive one starts to wake by it."""
    if version.state == "Active":
        return
    state = version.state
    if state == "Inactive":
        version.state, version.state_reason = "Pending", ("Restoring", "The function is being restored.")
        version.change = Change("wake", call.now + call.delays["wake"], call.arn(function.name, version.number))
    raise conflict(
        f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
    )
