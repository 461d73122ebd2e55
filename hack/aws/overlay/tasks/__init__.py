"""What tasks of windows work on: services of ECS, commands and automations of Systems Manager, upkeep of databases."""

from __future__ import annotations

from typing import Any

from . import ecs, rds, ssm
from .stores import TaskStore

SERVICES = {"ecs": ecs.OPERATIONS, "rds": rds.OPERATIONS, "ssm": ssm.OPERATIONS}
CONTROLS = {"ecs/service": ecs.control, "rds/upkeep": rds.control, "ssm/document": ssm.control}

__all__ = ["CONTROLS", "SERVICES", "TaskStore", "resource"]


def resource(params: dict[str, Any]) -> str:
    """What a call is about, for the log."""
    if services := params.get("services") or [params.get("service")]:
        if services[0]:
            return f"{params.get('cluster', 'default')}/{','.join(services)}"
    names = ("DBInstanceIdentifier", "ResourceIdentifier", "DocumentName", "CommandId", "AutomationExecutionId")
    return next((params[name] for name in names if params.get(name)), "")
