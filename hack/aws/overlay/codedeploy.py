"""CodeDeploy: what moto keeps of deployments, told as AWS tells it, and deployments that can be stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from .errors import AwsError

_ENDED = ("Succeeded", "Failed", "Stopped")
_PAGE = 100
_BATCH = 25
_FORMS = {"String": "string", "AppSpecContent": "appSpecContent"}  # type of a revision → its member

Params = dict[str, Any]
Operation = Callable[[Any, Params, float], Params]


def backend(account: str, region: str) -> Any:
    from moto.codedeploy.models import codedeploy_backends  # moto loads a service when it is first needed

    return codedeploy_backends[account][region]


def resource(params: Params) -> str:
    ids = params.get("deploymentIds") or [params.get("deploymentId") or params.get("applicationName") or ""]
    return ",".join(ids)


def _seconds(time: datetime | None) -> float | None:
    """moto's times are in UTC and say no zone."""
    return None if time is None else time.replace(tzinfo=time.tzinfo or UTC).timestamp()


def _revision(revision: Params, whole: bool) -> Params:
    """A revision with the hash of its text; AWS tells the text only when it is asked for the revision."""
    told = dict(revision)
    for member in _FORMS.values():
        if content := (revision.get(member) or {}).get("content"):
            told[member] = {"sha256": hashlib.sha256(content.encode()).hexdigest()}
            if whole:
                told[member]["content"] = content
    return told


def _info(deployment: Any) -> Params:
    return {
        "applicationName": deployment.application_name,
        "deploymentGroupName": deployment.deployment_group_name,
        "deploymentConfigName": str(deployment.deployment_config_name),
        "deploymentId": deployment.deployment_id,
        "revision": _revision(deployment.revision or {}, whole=False),
        "status": deployment.status,
        "createTime": _seconds(deployment.create_time),
        "completeTime": _seconds(deployment.complete_time),
        "creator": deployment.creator,
        "computePlatform": deployment.application.compute_platform,
    }


def _list(service: Any, params: Params, now: float) -> Params:
    names = (params.get("applicationName"), params.get("deploymentGroupName"))
    if names[0] and not names[1]:
        raise AwsError("DeploymentGroupNameRequiredException", "Deployment Group name is missing")
    if names[1] and not names[0]:
        raise AwsError("ApplicationNameRequiredException", "Application name is missing")
    statuses = params.get("includeOnlyStatuses") or []
    span = params.get("createTimeRange") or {}
    found: Iterable[Any] = service.deployments.values()
    found = [
        deployment
        for deployment in found
        if (not names[0] or (deployment.application_name, deployment.deployment_group_name) == names)
        and (not statuses or deployment.status in statuses)
        and span.get("start", 0.0) <= (_seconds(deployment.create_time) or now) <= span.get("end", now)
    ]
    begin = int(params.get("nextToken") or 0)
    page = {"deployments": [deployment.deployment_id for deployment in found[begin : begin + _PAGE]]}
    return page | ({"nextToken": str(begin + _PAGE)} if len(found) > begin + _PAGE else {})


def _batch_get(service: Any, params: Params, _now: float) -> Params:
    ids = params["deploymentIds"]
    if len(ids) > _BATCH:
        raise AwsError("BatchLimitExceededException", f"The batch size is greater than {_BATCH}")
    return {"deploymentsInfo": [_info(service.deployments[id]) for id in ids if id in service.deployments]}


def _get(service: Any, params: Params, _now: float) -> Params:
    return {"deploymentInfo": _info(_deployment(service, params))}


def _deployment(service: Any, params: Params) -> Any:
    id = params["deploymentId"]
    if id not in service.deployments:
        raise AwsError("DeploymentDoesNotExistException", f"The deployment {id} could not be found")
    return service.deployments[id]


def _get_revision(service: Any, params: Params, _now: float) -> Params:
    application, wanted = params["applicationName"], params["revision"]
    if application not in service.applications:
        raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {application}")
    member = _FORMS.get(wanted.get("revisionType", ""))
    if member is None or not (sha256 := (wanted.get(member) or {}).get("sha256")):
        raise AwsError("InvalidRevisionException", "The revision is not valid")
    for deployment in service.deployments.values():
        revision = _revision(deployment.revision or {}, whole=True)
        if deployment.application_name == application and revision.get(member, {}).get("sha256") == sha256:
            return {"applicationName": application, "revision": revision}
    raise AwsError("RevisionDoesNotExistException", "The revision could not be found")


def _stop(service: Any, params: Params, now: float) -> Params:
    deployment = _deployment(service, params)
    if deployment.status in _ENDED:
        raise AwsError("DeploymentAlreadyCompletedException", f"{deployment.deployment_id} is already completed")
    deployment.status = "Stopped"
    deployment.complete_time = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    return {"status": "Succeeded", "statusMessage": "Deployment stopped"}


OPERATIONS: dict[str, Operation] = {
    "BatchGetDeployments": _batch_get,
    "GetApplicationRevision": _get_revision,
    "GetDeployment": _get,
    "ListDeployments": _list,
    "StopDeployment": _stop,
}
