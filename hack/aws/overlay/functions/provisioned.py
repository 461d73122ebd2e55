"""Provisioned concurrency."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..errors import AwsError, conflict, invalid_parameter, not_found, validation
from .context import LambdaCall, page
from .model import LATEST, Alias, Change, Function, Provisioned
from .names import is_version
from .states import allocated, provisioned_delay

PAGE = 50
UNRESERVED = 1000  # default concurrency of an account
MIN_UNRESERVED = 100  # what must stay unreserved of it

_WEIGHTED = "Alias with weights can not be used with Provisioned Concurrency"
_INVALID_ALIAS = "Invalid alias configuration for Provisioned Concurrency"
_TAKEN = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"


def describe(call: LambdaCall, config: Provisioned) -> dict[str, Any]:
    up = allocated(config, call.now, call.delays)
    result: dict[str, Any] = {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AllocatedProvisionedConcurrentExecutions": up,
        "AvailableProvisionedConcurrentExecutions": up,
        "Status": config.status,
        "LastModified": datetime.fromtimestamp(config.modified, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
    if config.reason:
        result["StatusReason"] = config.reason
    return result


def put(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    count = params["ProvisionedConcurrentExecutions"]
    if count < 1:
        raise validation(
            f"Value '{count}' at 'provisionedConcurrentExecutions' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    function, qualifier = _target(
        call, params, "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )
    alias = function.aliases.get(qualifier)
    number = alias.version if alias else qualifier
    if number == LATEST:
        raise invalid_parameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    if alias and alias.additional:
        raise invalid_parameter(_WEIGHTED)
    version = call.version(function, number)
    if version.snap_start:
        raise invalid_parameter("Provisioned Concurrency is not supported for SnapStart enabled functions.")
    if version.state != "Active":
        raise conflict(
            f"The operation cannot be performed at this time. The function is currently in the following state: {version.state}"
        )
    _check_free(function, qualifier, alias, number)
    _check_account(call, function, qualifier, count)
    old = function.provisioned.get(qualifier)
    change = Change("provisioned", call.now + provisioned_delay(call.delays, count), call.arn(function.name, qualifier))
    config = Provisioned(qualifier, count, number, call.now, call.now, change, serving=old.serving if old else None)
    function.provisioned[qualifier] = config
    return describe(call, config)


def _check_free(function: Function, qualifier: str, alias: Alias | None, number: str) -> None:
    """One configuration per version: on it, or on one alias that names it."""
    holders = [name for name in function.provisioned if name != qualifier]
    if alias is None and any(name in function.aliases and function.aliases[name].names(number) for name in holders):
        raise conflict("Version is pointed by a Provisioned Concurrency alias")
    if alias is not None and any(name == number or _names(function, name, number) for name in holders):
        raise conflict(_TAKEN)


def _names(function: Function, holder: str, number: str) -> bool:
    return holder in function.aliases and function.aliases[holder].version == number


def _check_account(call: LambdaCall, function: Function, qualifier: str, count: int) -> None:
    others = sum(
        config.requested
        for each in call.state.functions.values()
        for config in each.provisioned.values()
        if (each.name, config.qualifier) != (function.name, qualifier)
    )
    if count > UNRESERVED:
        raise invalid_parameter(
            f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{UNRESERVED}]."
        )
    if UNRESERVED - others - count < MIN_UNRESERVED:
        raise invalid_parameter(
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{MIN_UNRESERVED}]."
        )


def get(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function, qualifier = _target(
        call, params, "The function resource provided must be an alias or a published version."
    )
    config = function.provisioned.get(qualifier)
    if config is None:
        message = "No Provisioned Concurrency Config found for this function"
        raise AwsError("ProvisionedConcurrencyConfigNotFoundException", message, 404, body={"Type": "User"})
    return describe(call, config)


def delete(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function, qualifier = _target(
        call, params, "The function resource provided must be an alias or a published version."
    )
    alias = function.aliases.get(qualifier)
    if alias and alias.additional and qualifier in function.provisioned:
        raise invalid_parameter(_WEIGHTED)
    function.provisioned.pop(qualifier, None)
    return {}


def list_configs(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function = call.function(call.ref(params).name)
    items, marker = page([config for _, config in sorted(function.provisioned.items())], params, PAGE)
    configs = [{"FunctionArn": call.arn(function.name, config.qualifier), **describe(call, config)} for config in items]
    return {"ProvisionedConcurrencyConfigs": configs, "NextMarker": marker}


def _target(call: LambdaCall, params: dict[str, Any], latest: str) -> tuple[Function, str]:
    ref = call.ref(params)
    qualifier = ref.qualifier or LATEST
    if qualifier == LATEST:
        raise invalid_parameter(latest)
    function = call.find(ref.name)
    known = function is not None and (qualifier in function.versions or qualifier in function.aliases)
    if function is None or not known:
        what = "Function not found" if is_version(qualifier) else "Cannot find alias arn"
        raise not_found(f"{what}: {call.arn(ref.name, qualifier)}")
    return function, qualifier


def follow_alias(
    call: LambdaCall, function: Function, alias: Alias, version: str, additional: dict[str, float], explicit: bool
) -> dict[str, float]:
    """The weights that an UpdateAlias ends with when the alias has provisioned concurrency.

    A new FunctionVersion may not come with weights. Lambda then keeps all traffic on the version that has READY
    environments, by a weight of 1.0 that it writes itself, until the new version is READY; after FAILED for ever.
    """
    config = function.provisioned[alias.name]
    if any(other in function.provisioned for other in additional):  # one configuration per version, weighted ones too
        raise conflict(_TAKEN)
    if version == alias.version:
        return _same_version(alias, config, additional, explicit)
    if additional or version == LATEST:
        raise invalid_parameter(_INVALID_ALIAS)
    if any(name == version or _names(function, name, version) for name in function.provisioned if name != alias.name):
        raise conflict(_TAKEN)
    config.version, config.modified, config.reason = version, call.now, None
    config.moved_from = None
    if config.serving == version:  # back to what is READY still
        config.status, config.change, config.allocated = "READY", None, config.requested
        return {}
    config.status, config.started, config.allocated = "IN_PROGRESS", call.now, 0
    due = call.now + provisioned_delay(call.delays, config.requested)
    config.change = Change("provisioned", due, call.arn(function.name, alias.name))
    if config.serving is None:  # the first environments never came up: nothing to stay on
        return {}
    config.moved_from = config.serving
    return {config.serving: 1.0}


def _same_version(alias: Alias, config: Provisioned, additional: dict[str, float], explicit: bool) -> dict[str, float]:
    moving = config.status == "IN_PROGRESS" and config.moved_from is not None
    if not moving:
        return additional
    if explicit and additional and additional != alias.additional:
        raise invalid_parameter(_INVALID_ALIAS)
    return alias.additional  # Lambda keeps its own weights until READY
