"""Upkeep of the databases that moto has: what waits for a reboot or for maintenance, and how long these take."""

from __future__ import annotations

import re
from typing import Any

from ..errors import AwsError
from .stores import Params, TaskCall, Upkeep, positive

_ACTIONS = ("system-update", "db-upgrade", "hardware-maintenance", "ca-certificate-rotation", "os-upgrade")
_OPT_INS = ("immediate", "next-maintenance", "undo-opt-in")
_INSTANCE = re.compile(rb"<DBInstance>.*?</DBInstance>", re.DOTALL)


def _databases(call: TaskCall) -> dict[str, Any]:
    from moto.rds.models import rds_backends  # moto loads a service when it is first needed

    databases: dict[str, Any] = rds_backends[call.account][call.region].databases
    return databases


def settle(call: TaskCall) -> None:
    """Gives moto's instances the status that they have by now."""
    databases = _databases(call)
    for name, upkeep in call.store.upkeep.items():
        upkeep.settle(call.now)
        if name in databases and databases[name].status in ("available", "rebooting", "maintenance"):
            databases[name].status = upkeep.status


def mend(call: TaskCall, xml: bytes) -> bytes:
    """Moto's answer, with the parameter groups that wait for a reboot."""

    def told(found: re.Match[bytes]) -> bytes:
        for name, upkeep in call.store.upkeep.items():
            if upkeep.pending_reboot and f"<DBInstanceIdentifier>{name}<".encode() in found.group():
                return found.group().replace(b">in-sync</ParameterApplyStatus>", b">pending-reboot</ParameterApplyStatus>")
        return found.group()

    return _INSTANCE.sub(told, xml)


def _instance(call: TaskCall, name: str) -> tuple[Any, Upkeep]:
    found = _databases(call).get(name.lower())
    if found is None:
        raise AwsError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
    return found, call.store.upkeep.setdefault(name.lower(), Upkeep())


def _begin(call: TaskCall, name: str, action: str) -> None:
    database, upkeep = _instance(call, name)
    if database.status != "available":
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is not in available state.")
    upkeep.doing = (action, call.now + upkeep.seconds)
    settle(call)


def _reboot(call: TaskCall, params: Params) -> Params:
    if unknown := set(params) - {"DBInstanceIdentifier", "ForceFailover"}:
        raise AwsError("InvalidParameterCombination", f"Unknown parameters: {sorted(unknown)}")
    name = params["DBInstanceIdentifier"]
    _begin(call, name, "reboot")
    return {"DBInstance": {"DBInstanceIdentifier": name, "DBInstanceStatus": "rebooting"}}


def _by_arn(call: TaskCall, arn: str) -> str:
    prefix = f"arn:aws:rds:{call.region}:{call.account}:db:"
    if not arn.startswith(prefix):
        raise AwsError("InvalidParameterValue", f"The specified resource name does not match an RDS resource in this region: {arn}")
    name = arn.removeprefix(prefix)
    if name not in _databases(call):
        raise AwsError("ResourceNotFoundFault", f"The specified resource {arn} was not found.", 404)
    return name


def _told(call: TaskCall, name: str) -> Params:
    upkeep = call.store.upkeep.get(name, Upkeep())
    doing = upkeep.doing[0] if upkeep.doing else ""
    details = [{"Action": each} | ({"OptInStatus": "immediate"} if each == doing else {}) for each in upkeep.maintenance]
    arn = f"arn:aws:rds:{call.region}:{call.account}:db:{name}"
    return {"ResourceIdentifier": arn, "PendingMaintenanceActionDetails": details}


def _pending(call: TaskCall, params: Params) -> Params:
    if unknown := set(params) - {"ResourceIdentifier", "MaxRecords", "Marker"}:
        raise AwsError("InvalidParameterCombination", f"Unknown parameters: {sorted(unknown)}")
    arn = params.get("ResourceIdentifier")
    names = [_by_arn(call, arn)] if arn else list(call.store.upkeep)
    # what waits for nothing is left out
    told = [_told(call, name) for name in names if call.store.upkeep.get(name, Upkeep()).maintenance]
    return {"PendingMaintenanceActions": told}


def _apply(call: TaskCall, params: Params) -> Params:
    name, action, opt_in = _by_arn(call, params["ResourceIdentifier"]), params["ApplyAction"], params["OptInType"]
    if action not in _ACTIONS or opt_in not in _OPT_INS:
        raise AwsError("InvalidParameterValue", f"{action} with {opt_in} is not valid.")
    if action not in call.store.upkeep.get(name, Upkeep()).maintenance:
        raise AwsError("InvalidParameterValue", f"No {action} is pending for {name}.")
    if opt_in == "immediate":
        _begin(call, name, action)
    return {"ResourcePendingMaintenanceActions": _told(call, name)}


def control(call: TaskCall, body: dict[str, Any]) -> Any:
    """Says what waits for an instance, and how long each takes."""
    if unknown := set(body) - {"account", "region", "instance", "pendingReboot", "maintenance", "seconds"}:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    maintenance = list(body.get("maintenance", []))
    if wrong := set(maintenance) - set(_ACTIONS):
        raise ValueError(f"maintenance is of {', '.join(_ACTIONS)}, not {', '.join(sorted(wrong))}")
    upkeep = call.store.upkeep.setdefault(body["instance"], Upkeep())
    upkeep.pending_reboot, upkeep.maintenance = bool(body.get("pendingReboot", False)), maintenance
    upkeep.seconds = positive(body.get("seconds", 60))
    return {}


OPERATIONS = {
    "ApplyPendingMaintenanceAction": _apply,
    "DescribePendingMaintenanceActions": _pending,
    "RebootDBInstance": _reboot,
}
