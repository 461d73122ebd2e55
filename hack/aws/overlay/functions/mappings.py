"""Event source mappings: as far as a preflight reads them; no event is polled."""

from __future__ import annotations

import uuid
from typing import Any

from ..errors import not_found
from .context import LambdaCall, page

PAGE = 100
_KEPT = ("EventSourceArn", "BatchSize", "StartingPosition", "MaximumBatchingWindowInSeconds", "FilterCriteria")


def create(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    ref = call.ref(params)
    function = call.function(ref.name, ref.qualifier)
    call.version(function, ref.qualifier)
    mapping = {key: params[key] for key in _KEPT if key in params} | {
        "UUID": str(uuid.uuid4()),
        "FunctionArn": call.arn(ref.name, ref.qualifier),
        "State": "Enabled" if params.get("Enabled", True) else "Disabled",
        "StateTransitionReason": "User action",
        "LastModified": call.now,
    }
    call.state.mappings[mapping["UUID"]] = mapping
    return mapping


def list_mappings(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    found = list(call.state.mappings.values())
    if "FunctionName" in params:
        ref = call.ref(params)
        call.function(ref.name, ref.qualifier)
        arn = call.arn(ref.name, ref.qualifier)
        # asked for the bare function, AWS tells the mappings of all its qualifiers
        found = [
            m
            for m in found
            if m["FunctionArn"] == arn or (ref.qualifier is None and m["FunctionArn"].startswith(f"{arn}:"))
        ]
    if "EventSourceArn" in params:
        found = [m for m in found if m.get("EventSourceArn") == params["EventSourceArn"]]
    items, marker = page(found, params, PAGE)
    return {"EventSourceMappings": items, "NextMarker": marker}


def get(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    mapping = call.state.mappings.get(params["UUID"])
    if mapping is None:
        raise not_found("The resource you requested does not exist.")
    return mapping


def delete(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    return get(call, params) | call.state.mappings.pop(params["UUID"]) | {"State": "Deleting"}
