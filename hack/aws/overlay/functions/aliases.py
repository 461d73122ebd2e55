"""Aliases and their routing."""

from __future__ import annotations

from typing import Any

from ..errors import conflict, invalid_parameter, not_found, precondition_failed, validation
from . import provisioned
from .context import LambdaCall, page
from .model import LATEST, Alias, Function, Version, Weights
from .names import check_alias_name, check_description, is_version

PAGE = 50


def describe(call: LambdaCall, function: Function, alias: Alias) -> dict[str, Any]:
    result: dict[str, Any] = {
        "AliasArn": call.arn(function.name, alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.additional:
        result["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.additional)}
    return result


def get_alias(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function = call.function(call.ref(params).name)
    alias = function.aliases.get(params["Name"])
    if alias is None:
        raise not_found(f"Cannot find alias arn: {call.arn(function.name, params['Name'])}")
    return describe(call, function, alias)


def create_alias(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    name, version = params["Name"], params["FunctionVersion"]
    check_alias_name(name)
    _check_form(params)
    function = call.function(call.ref(params).name, version)
    if name in function.aliases:
        raise conflict(f"Alias already exists: {call.arn(function.name, name)}")
    additional = _weights(params)
    _check_routing(call, function, version, additional or {})
    history = [Weights(call.now, version, dict(additional or {}))]
    alias = Alias(name, version, params.get("Description", ""), dict(additional or {}), history)
    function.aliases[name] = alias
    return describe(call, function, alias)


def update_alias(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    """What is omitted stays: only an explicit empty map removes weights."""
    _check_form(params)
    function = call.function(call.ref(params).name)
    alias = function.aliases.get(params["Name"])
    if alias is None:
        raise not_found(f"Alias not found: {call.arn(function.name, params['Name'])}")
    if params.get("RevisionId", alias.revision) != alias.revision:
        raise precondition_failed()
    version = params.get("FunctionVersion", alias.version)
    asked = _weights(params)
    additional = alias.additional if asked is None else asked
    _check_routing(call, function, version, additional)
    if alias.name in function.provisioned:
        additional = provisioned.follow_alias(call, function, alias, version, additional, asked is not None)
    alias.route(call.now, version, additional)
    alias.description = params.get("Description", alias.description)
    return describe(call, function, alias)


def delete_alias(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    """Deleting what does not exist succeeds; provisioned concurrency and policy of the alias go with it."""
    function = call.function(call.ref(params).name)
    for table in (function.aliases, function.provisioned, function.policies):
        table.pop(params["Name"], None)
    return {}


def list_aliases(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function = call.function(call.ref(params).name)
    wanted = params.get("FunctionVersion")
    aliases = [alias for _, alias in sorted(function.aliases.items()) if wanted is None or alias.names(wanted)]
    items, marker = page(aliases, params, PAGE)
    return {"Aliases": [describe(call, function, alias) for alias in items], "NextMarker": marker}


def _weights(params: dict[str, Any]) -> dict[str, float] | None:
    """None when the request says nothing of routing."""
    routing = params.get("RoutingConfig")
    return None if routing is None else dict(routing.get("AdditionalVersionWeights") or {})


def _check_form(params: dict[str, Any]) -> None:
    """The constraints of the service model: AWS checks them before it looks at anything."""
    version = params.get("FunctionVersion", LATEST)
    if version != LATEST and not is_version(version):
        raise validation(
            f"Value '{version}' at 'functionVersion' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: (\\$LATEST(\\.PUBLISHED)?|[0-9]+)"
        )
    check_description(params)
    for other, weight in (_weights(params) or {}).items():
        _check_weight(other, weight)


def _check_routing(call: LambdaCall, function: Function, version: str, additional: dict[str, float]) -> None:
    primary = _existing(call, function, version)
    if len(additional) > 1:
        raise invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other in additional:
        if other == version:
            raise invalid_parameter(
                f"Invalid function version {other}. Function version {other} is already included in routing configuration."
            )
        if version == LATEST:
            raise invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version")
        _check_alike(primary, _existing(call, function, other))


def _check_weight(version: str, weight: float) -> None:
    at = f"Value '{{{version}={weight}}}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: "
    if not is_version(version):
        raise validation(
            at + "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]+]"
        )
    if not 0.0 <= weight <= 1.0:
        raise validation(
            at + "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "
            "Member must have value greater than or equal to 0.0, Member must not be null]"
        )


def _check_alike(primary: Version, other: Version) -> None:
    """Both versions of a weighted alias have the same role and the same dead-letter queue."""
    if primary.settings["Role"] != other.settings["Role"]:
        raise invalid_parameter(
            f"Function versions {primary.number} and {other.number} have different execution roles."
        )
    if primary.settings.get("DeadLetterConfig") != other.settings.get("DeadLetterConfig"):
        raise invalid_parameter(
            f"Function versions {primary.number} and {other.number} have different dead-letter queue configurations."
        )


def _existing(call: LambdaCall, function: Function, number: str) -> Version:
    version = function.version(number)
    if version is None:
        raise not_found(f"Function not found: {call.arn(function.name, number)}")
    return version
