"""The table of Lambda operations that the stand-in has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import invalid_parameter
from . import aliases, functions, invoke, mappings, policy, provisioned, versions
from .context import LambdaCall

Operation = Callable[[LambdaCall, dict[str, Any]], dict[str, Any]]


def get_function_concurrency(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    reserved = call.function(call.ref(params).name).reserved_concurrency
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


def put_function_concurrency(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function = call.function(call.ref(params).name)
    count = params["ReservedConcurrentExecutions"]
    if sum(config.requested for config in function.provisioned.values()) > count:
        raise invalid_parameter(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
        )
    function.reserved_concurrency = count
    return {"ReservedConcurrentExecutions": count}


def delete_function_concurrency(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    call.function(call.ref(params).name).reserved_concurrency = None
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateFunction": functions.create_function,
    "GetFunction": functions.get_function,
    "GetFunctionConfiguration": functions.get_function_configuration,
    "UpdateFunctionCode": functions.update_function_code,
    "UpdateFunctionConfiguration": functions.update_function_configuration,
    "DeleteFunction": functions.delete_function,
    "ListFunctions": functions.list_functions,
    "ListTags": functions.list_tags,
    "TagResource": functions.tag_resource,
    "UntagResource": functions.untag_resource,
    "PublishVersion": versions.publish_version,
    "ListVersionsByFunction": versions.list_versions_by_function,
    "GetAlias": aliases.get_alias,
    "CreateAlias": aliases.create_alias,
    "UpdateAlias": aliases.update_alias,
    "DeleteAlias": aliases.delete_alias,
    "ListAliases": aliases.list_aliases,
    "PutProvisionedConcurrencyConfig": provisioned.put,
    "GetProvisionedConcurrencyConfig": provisioned.get,
    "DeleteProvisionedConcurrencyConfig": provisioned.delete,
    "ListProvisionedConcurrencyConfigs": provisioned.list_configs,
    "GetFunctionConcurrency": get_function_concurrency,
    "PutFunctionConcurrency": put_function_concurrency,
    "DeleteFunctionConcurrency": delete_function_concurrency,
    "AddPermission": policy.add_permission,
    "GetPolicy": policy.get_policy,
    "RemovePermission": policy.remove_permission,
    "CreateEventSourceMapping": mappings.create,
    "ListEventSourceMappings": mappings.list_mappings,
    "GetEventSourceMapping": mappings.get,
    "DeleteEventSourceMapping": mappings.delete,
    "Invoke": invoke.invoke,
}
