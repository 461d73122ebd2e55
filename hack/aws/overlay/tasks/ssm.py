"""Systems Manager: commands and automations that take their time and end as they are told to."""

from __future__ import annotations

import re
from typing import Any

from ..clock import parse_time
from ..errors import AwsError
from .stores import Behaviour, Params, Run, TaskCall, positive

_PAGE = 50
_ENDED = ("Success", "Failed", "TimedOut", "Cancelled")
_OUTCOMES = ("Success", "Failed", "TimedOut", "STUCK")
_CONCURRENCY = re.compile(r"[1-9][0-9]*|[1-9][0-9]?%|100%")
_ERRORS = re.compile(r"[1-9][0-9]*|0|[1-9][0-9]?%|0%|100%")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_TARGET_KEY = re.compile(r"InstanceIds|resource-groups:(Name|ResourceTypeFilters)|tag:.+|tag-key|ParameterValues")


def _refuse(message: str) -> AwsError:
    return AwsError("ValidationException", f"1 validation error detected: {message}")


def _only(params: Params, *names: str) -> None:
    if unknown := set(params) - set(names):
        raise _refuse(f"the stand-in does not know {sorted(unknown)}")


def _behaviour(call: TaskCall, document: str, error: str) -> Behaviour:
    """AWS's own documents exist; others have to be posted."""
    name = document.rsplit("/", 1)[-1]
    if document.startswith("arn:") and not re.match(rf"arn:aws:ssm:{call.region}:\d*:(document|automation-definition)/", document):
        raise AwsError(error, f"Document {document} does not exist.")
    if name in call.store.documents:
        return call.store.documents[name]
    if name.startswith("AWS-"):
        return call.store.documents.get("*", Behaviour())
    raise AwsError(error, f"Document with name {document} does not exist.")


def _check_rates(params: Params) -> None:
    if not _CONCURRENCY.fullmatch(params.get("MaxConcurrency", "50")):
        raise _refuse("MaxConcurrency must satisfy regular expression pattern")
    if not _ERRORS.fullmatch(params.get("MaxErrors", "0")):
        raise _refuse("MaxErrors must satisfy regular expression pattern")
    if len(params.get("Targets", [])) > 5:
        raise _refuse("Targets must have at most 5 members")
    for target in params.get("Targets", []):
        if not _TARGET_KEY.fullmatch(target.get("Key", "")) or not target.get("Values"):
            raise AwsError("InvalidTarget", f"The target is not valid: {target}")


def _send(call: TaskCall, params: Params) -> Params:
    names = ("DocumentName", "Parameters", "Targets", "InstanceIds", "MaxConcurrency", "MaxErrors")
    _only(params, *names, "TimeoutSeconds", "Comment")
    _check_rates(params)
    if len(params.get("Comment", "")) > 100:
        raise _refuse("Comment must have length less than or equal to 100")
    if not 30 <= params.get("TimeoutSeconds", 3600) <= 2_592_000:
        raise _refuse("TimeoutSeconds must be from 30 to 2592000")
    if bool(params.get("Targets")) == bool(params.get("InstanceIds")):
        raise AwsError("InvalidParameters", "Exactly one of InstanceIds and Targets is needed.")
    behaviour = _behaviour(call, params["DocumentName"], "InvalidDocument")
    run = Run(call.uuid(), params, call.now, behaviour)
    call.store.commands.append(run)
    # of what was just sent AWS knows no counts
    return {"Command": _command(run, call.now) | {"TargetCount": 0, "CompletedCount": 0, "Status": "Pending"}}


def _command(run: Run, now: float) -> Params:
    status, nodes = run.status(now), run.behaviour.nodes
    ended = status in _ENDED
    return {
        "CommandId": run.id,
        "DocumentName": run.params["DocumentName"],
        "Comment": run.params.get("Comment", ""),
        "RequestedDateTime": run.begun,
        "Parameters": run.params.get("Parameters", {}),
        "Targets": run.params.get("Targets", []),
        "InstanceIds": run.params.get("InstanceIds", []),
        "Status": status,
        "StatusDetails": "NoInstancesInTag" if nodes == 0 and ended else status,
        "MaxConcurrency": run.params.get("MaxConcurrency", "50"),
        "MaxErrors": run.params.get("MaxErrors", "0"),
        "TargetCount": nodes,
        "CompletedCount": nodes if ended else 0,
        "ErrorCount": nodes if status == "Failed" else 0,
    }


def _list(call: TaskCall, params: Params) -> Params:
    _only(params, "CommandId", "Filters", "MaxResults", "NextToken")
    size = params.get("MaxResults", _PAGE)
    if not 1 <= size <= _PAGE:
        raise _refuse(f"MaxResults must be from 1 to {_PAGE}")
    found = [run for run in call.store.commands if call.now >= run.begun + run.behaviour.seen_after]
    if id := params.get("CommandId"):
        found = [run for run in found if run.id == id]
        if not found:
            raise AwsError("InvalidCommandId", "")
    for each in params.get("Filters", []):
        if each["key"] != "InvokedAfter":
            raise AwsError("InvalidFilterKey", f"The stand-in does not filter by {each['key']}.")
        if not _INSTANT.fullmatch(each["value"]):
            raise _refuse("The filter value is no time such as 2021-07-07T00:00:00Z")
        found = [run for run in found if run.begun >= parse_time(each["value"])]
    found.sort(key=lambda run: run.begun, reverse=True)
    begin = int(params.get("NextToken") or 0)
    page: Params = {"Commands": [_command(run, call.now) for run in found[begin : begin + size]]}
    return page | ({"NextToken": str(begin + size)} if len(found) > begin + size else {})


def _cancel(call: TaskCall, params: Params) -> Params:
    _only(params, "CommandId")
    run = next((run for run in call.store.commands if run.id == params["CommandId"]), None)
    if run is None:
        raise AwsError("InvalidCommandId", "")
    run.cancelled = call.now if run.cancelled is None else run.cancelled
    return {}


def _start(call: TaskCall, params: Params) -> Params:
    names = ("DocumentName", "Parameters", "ClientToken", "Targets", "TargetParameterName")
    _only(params, *names, "MaxConcurrency", "MaxErrors")
    _check_rates(params)
    if bool(params.get("Targets")) != bool(params.get("TargetParameterName")):
        raise AwsError("InvalidAutomationExecutionParametersException", "Targets need TargetParameterName.")
    if not params.get("Targets") and ("MaxConcurrency" in params or "MaxErrors" in params):
        raise AwsError("InvalidAutomationExecutionParametersException", "MaxConcurrency and MaxErrors need Targets.")
    token = params.get("ClientToken")
    if token is not None and not _UUID.fullmatch(token):
        raise _refuse("ClientToken must satisfy regular expression pattern")
    behaviour = _behaviour(call, params["DocumentName"], "AutomationDefinitionNotFoundException")
    for run in call.store.automations:
        if token is not None and run.params.get("ClientToken", "").lower() == token.lower():
            if run.params != params:
                raise AwsError("IdempotentParameterMismatch", "The token was used with other parameters.")
            return {"AutomationExecutionId": run.id}
    run = Run(call.uuid(), params, call.now, behaviour)
    call.store.automations.append(run)
    return {"AutomationExecutionId": run.id}


def _automation(call: TaskCall, params: Params) -> Run:
    id = params["AutomationExecutionId"]
    for run in call.store.automations:
        if run.id == id:
            return run
    raise AwsError("AutomationExecutionNotFoundException", f"Automation execution {id} was not found.")


def _get(call: TaskCall, params: Params) -> Params:
    _only(params, "AutomationExecutionId")
    run = _automation(call, params)
    status = run.status(call.now)
    told: Params = {
        "AutomationExecutionId": run.id,
        "DocumentName": run.params["DocumentName"],
        "ExecutionStartTime": run.begun,
        "AutomationExecutionStatus": status,
        "Parameters": run.params.get("Parameters", {}),
        "Targets": run.params.get("Targets", []),
    }
    return {"AutomationExecution": told | ({"FailureMessage": "Step fails when it is Execute."} if status == "Failed" else {})}


def _stop(call: TaskCall, params: Params) -> Params:
    _only(params, "AutomationExecutionId", "Type")
    if params.get("Type", "Cancel") not in ("Cancel", "Complete"):
        raise _refuse("Type must be Cancel or Complete")
    run = _automation(call, params)
    if run.status(call.now) in _ENDED:
        raise AwsError("InvalidAutomationStatusUpdateException", "The execution has ended.")
    run.cancelled = call.now
    return {}


def control(call: TaskCall, body: dict[str, Any]) -> Any:
    """Says how what runs of a document ends; `*` is for AWS's own that nobody speaks of. What runs already changes too."""
    if unknown := set(body) - {"account", "region", "document", "seconds", "outcome", "nodes", "seenAfter"}:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    outcome = body.get("outcome", "Success")
    if outcome not in _OUTCOMES:
        raise ValueError(f"outcome must be one of {', '.join(_OUTCOMES)}")
    behaviour = call.store.documents.setdefault(body["document"], Behaviour())
    behaviour.seconds = positive(body.get("seconds", 60))
    behaviour.outcome, behaviour.nodes = outcome, int(body.get("nodes", 1))
    behaviour.seen_after = positive(body.get("seenAfter", 0))
    return {}


OPERATIONS = {
    "CancelCommand": _cancel,
    "GetAutomationExecution": _get,
    "ListCommands": _list,
    "SendCommand": _send,
    "StartAutomationExecution": _start,
    "StopAutomationExecution": _stop,
}
