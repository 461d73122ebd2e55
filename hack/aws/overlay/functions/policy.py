"""Resource policies: one per qualifier."""

from __future__ import annotations

import json
from typing import Any

from ..errors import AwsError, conflict, not_found, precondition_failed
from .context import LambdaCall
from .model import LATEST, Function, Policy, new_revision

_GONE = "The resource you requested does not exist."


def _locate(call: LambdaCall, params: dict[str, Any]) -> tuple[Function, str | None]:
    ref = call.ref(params)
    function = call.function(ref.name, ref.qualifier)
    if ref.qualifier == LATEST:
        message = "We currently do not support adding policies for $LATEST."
        raise AwsError("InvalidParameterValueException", message, 400, body={"Type": "User"})
    call.version(function, ref.qualifier)
    return function, ref.qualifier


def add_permission(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function, qualifier = _locate(call, params)
    policy = function.policies.get(qualifier or "")
    if policy and params.get("RevisionId", policy.revision) != policy.revision:
        raise precondition_failed()
    policy = policy or Policy()
    sid = params["StatementId"]
    if sid in policy.statements:
        raise conflict(
            f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the existing statement."
        )
    principal = params["Principal"]
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": principal} if principal.endswith(".amazonaws.com") else {"AWS": principal},
        "Action": params["Action"],
        "Resource": call.arn(function.name, qualifier),
    }
    condition: dict[str, Any] = {}
    if "SourceArn" in params:
        condition["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    if "SourceAccount" in params:
        condition["StringEquals"] = {"AWS:SourceAccount": params["SourceAccount"]}
    if condition:
        statement["Condition"] = condition
    policy.statements[sid] = statement
    policy.revision = new_revision()
    function.policies[qualifier or ""] = policy
    return {"Statement": json.dumps(statement)}


def get_policy(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function, qualifier = _locate(call, params)
    policy = function.policies.get(qualifier or "")
    if policy is None:
        raise not_found(_GONE)
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(policy.statements.values())}
    return {"Policy": json.dumps(document), "RevisionId": policy.revision}


def remove_permission(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function, qualifier = _locate(call, params)
    policy = function.policies.get(qualifier or "")
    if policy is None or params["StatementId"] not in policy.statements:
        raise not_found(_GONE)
    if params.get("RevisionId", policy.revision) != policy.revision:
        raise precondition_failed()
    del policy.statements[params["StatementId"]]
    policy.revision = new_revision()
    if not policy.statements:
        del function.policies[qualifier or ""]
    return {}
