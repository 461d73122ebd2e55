"""ECS: services that exist, and deployments that take their time, complete, fail or get stuck."""

from __future__ import annotations

from typing import Any

from ..errors import AwsError
from .stores import Deployment, Params, Service, TaskCall, positive

_OUTCOMES = ("COMPLETED", "FAILED", "STUCK")
_SERVICES_MAX = 10


def _name(call: TaskCall, kind: str, given: str) -> str:
    """A name, or the last part of an ARN of this account and region."""
    if not given.startswith("arn:"):
        return given
    if not given.startswith(f"arn:aws:ecs:{call.region}:{call.account}:{kind}/"):
        raise AwsError("InvalidParameterException", f"Invalid identifier: {given}")
    return given.rsplit("/", 1)[-1]


def _cluster(call: TaskCall, params: Params) -> str:
    cluster = _name(call, "cluster", params.get("cluster", "default"))
    if cluster not in {key[0] for key in call.store.services}:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return cluster


def _deployment(service: Service, deployment: Deployment, now: float) -> Params:
    primary = deployment is service.deployments[-1]
    rollout = deployment.rollout(now)
    running = service.desired if rollout == "COMPLETED" else 0
    reasons = {
        "COMPLETED": f"ECS deployment {deployment.id} completed.",
        "FAILED": "ECS deployment circuit breaker: tasks failed to start.",
        "IN_PROGRESS": f"ECS deployment {deployment.id} in progress.",
    }
    return {
        "id": deployment.id,
        "status": "PRIMARY" if primary else "ACTIVE",
        "desiredCount": service.desired if primary else 0,
        "pendingCount": 0,
        "runningCount": running,
        "failedTasks": 0,
        "createdAt": deployment.created,
        "updatedAt": now,
        "rolloutState": rollout,
        "rolloutStateReason": reasons[rollout],
    }


def _told(call: TaskCall, cluster: str, name: str) -> Params:
    service = call.store.services[cluster, name]
    if service.deployments[-1].rollout(call.now) == "COMPLETED":
        del service.deployments[:-1]  # what it took the place of is gone then
    arn = f"arn:aws:ecs:{call.region}:{call.account}"
    return {
        "serviceArn": f"{arn}:service/{cluster}/{name}",
        "serviceName": name,
        "clusterArn": f"{arn}:cluster/{cluster}",
        "status": "ACTIVE",
        "desiredCount": service.desired,
        "runningCount": service.desired,
        "pendingCount": 0,
        "deployments": [_deployment(service, each, call.now) for each in reversed(service.deployments)],
    }


def _describe(call: TaskCall, params: Params) -> Params:
    if unknown := set(params) - {"cluster", "services", "include"}:
        raise AwsError("InvalidParameterException", f"Unknown parameters: {sorted(unknown)}")
    if not 1 <= len(params["services"]) <= _SERVICES_MAX:
        raise AwsError("InvalidParameterException", f"Services must have 1 to {_SERVICES_MAX} members.")
    cluster = _cluster(call, params)
    answer: Params = {"services": [], "failures": []}
    for given in params["services"]:
        name = _name(call, "service", given)
        if (cluster, name) in call.store.services:
            answer["services"].append(_told(call, cluster, name))
        else:
            arn = f"arn:aws:ecs:{call.region}:{call.account}:service/{cluster}/{name}"
            answer["failures"].append({"arn": arn, "reason": "MISSING"})
    return answer


def _update(call: TaskCall, params: Params) -> Params:
    if unknown := set(params) - {"cluster", "service", "forceNewDeployment"}:
        raise AwsError("InvalidParameterException", f"The stand-in does not change {sorted(unknown)}.")
    cluster, name = _cluster(call, params), _name(call, "service", params["service"])
    service = call.store.services.get((cluster, name))
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if params.get("forceNewDeployment"):
        service.deployments.append(_new(call, service))
    return {"service": _told(call, cluster, name)}


def _new(call: TaskCall, service: Service) -> Deployment:
    id = f"ecs-svc/{call.rng.randrange(10**18, 10**19)}"
    return Deployment(id, call.now, call.now + service.seconds, service.outcome)


def control(call: TaskCall, body: dict[str, Any]) -> Any:
    """Makes a service that runs, or changes how its next deployments end; `deploy`: somebody else deploys it now."""
    if unknown := set(body) - {"account", "region", "cluster", "service", "desired", "seconds", "outcome", "deploy"}:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    outcome = body.get("outcome", "COMPLETED")
    if outcome not in _OUTCOMES:
        raise ValueError(f"outcome must be one of {', '.join(_OUTCOMES)}")
    key = (body["cluster"], body["service"])
    seconds = positive(body.get("seconds", 60))
    service = call.store.services.get(key)
    if service is None:
        service = call.store.services[key] = Service(int(body.get("desired", 2)), 0.0, "COMPLETED")
        service.deployments.append(_new(call, service))
    service.seconds, service.outcome = seconds, outcome
    if body.get("deploy"):
        service.deployments.append(_new(call, service))
    return _told(call, *key)


OPERATIONS = {"DescribeServices": _describe, "UpdateService": _update}
