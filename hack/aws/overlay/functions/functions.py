"""Operations on functions themselves: create, read, update, delete, list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..errors import conflict, invalid_parameter, not_found, precondition_failed, validation
from .code import read_code
from .context import LambdaCall, page
from .model import LATEST, Change, Function, Version, new_revision
from .names import check_description

PAGE = 50  # AWS answers at most 50 functions or versions a call

_DEFAULTS: dict[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None"},
    "TracingConfig": {"Mode": "PassThrough"},
}
_SETTINGS = (
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "VpcConfig",
    "DeadLetterConfig",
    "Environment",
    "KMSKeyArn",
    "TracingConfig",
    "Layers",
    "FileSystemConfigs",
    "ImageConfig",
    "EphemeralStorage",
    "SnapStart",
    "LoggingConfig",
)
_OF_ARCHIVES = ("Runtime", "Handler", "Layers")
_BOUNDS = {"Timeout": (1, 900), "MemorySize": (128, 10240)}
_SNAP_START_RUNTIMES = (  # developer guide, snapstart
    *("java11", "java17", "java21", "java25"),
    *("python3.12", "python3.13", "python3.14"),
    *("dotnet8", "dotnet10"),
)


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def describe(call: LambdaCall, function: Function, version: Version, qualifier: str | None = None) -> dict[str, Any]:
    """FunctionConfiguration. The ARN carries the qualifier that was asked for."""
    settings = dict(version.settings)
    image = settings.pop("ImageConfig", None)
    layers = settings.pop("Layers", None)
    result: dict[str, Any] = {
        **settings,
        "FunctionName": function.name,
        "FunctionArn": call.arn(function.name, qualifier),
        "Version": version.number,
        "CodeSha256": version.code.sha256,
        "ConfigSha256": version.config_sha256,
        "CodeSize": version.code.size,
        "LastModified": timestamp(version.modified),
        "RevisionId": version.revision,
        "State": version.state,
        "LastUpdateStatus": version.update,
        "SnapStart": {
            "ApplyOn": "PublishedVersions" if version.snap_start else "None",
            "OptimizationStatus": version.optimization,
        },
    }
    if version.state_reason:
        result["StateReasonCode"], result["StateReason"] = version.state_reason
    if version.update_reason:
        result["LastUpdateStatusReasonCode"], result["LastUpdateStatusReason"] = version.update_reason
    if image:
        result["ImageConfigResponse"] = {"ImageConfig": image}
    if layers:
        result["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in layers]
    return result


def create_function(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    check_description(params)
    _check_bounds(params)
    name = call.ref(params).name
    if call.find(name):
        raise conflict(f"Function already exist: {name}")
    package = params.get("PackageType", "Zip")
    if package == "Zip" and not (params.get("Runtime") and params.get("Handler")):
        raise invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    settings = _DEFAULTS | {"PackageType": package, "Architectures": params.get("Architectures", ["x86_64"])}
    settings |= {key: params[key] for key in _SETTINGS if key in params}
    _normalize(settings)
    code = read_code(call, params.get("Code", {}), package)
    if params.get("DryRun"):
        return {}
    arn = call.arn(name)
    latest = Version(LATEST, code, settings, call.now, change=Change("create", call.now + call.delays["create"], arn))
    function = Function(name, arn, latest, dict(params.get("Tags", {})))
    call.state.functions[name] = function
    if params.get("Publish"):
        from .versions import publish  # versions builds on this module

        version = publish(call, function, None, after=call.delays["create"])
        return describe(call, function, version)
    return describe(call, function, latest)


def get_function(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    ref = call.ref(params)
    function = call.function(ref.name, ref.qualifier)
    version = call.version(function, ref.qualifier)
    code: dict[str, Any] = {"RepositoryType": "ECR" if version.code.image_uri else "S3"}
    if version.code.image_uri:
        code |= {"ImageUri": version.code.image_uri, "ResolvedImageUri": version.code.resolved_image_uri}
    else:
        code["Location"] = (
            f"https://awslambda-{call.region}-tasks.s3.{call.region}.amazonaws.com/snapshots/{call.account}/{function.name}"
        )
    result = {"Configuration": describe(call, function, version, ref.qualifier), "Code": code}
    if function.tags:
        result["Tags"] = function.tags
    if function.reserved_concurrency is not None:
        result["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
    return result


def get_function_configuration(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    ref = call.ref(params)
    function = call.function(ref.name, ref.qualifier)
    return describe(call, function, call.version(function, ref.qualifier), ref.qualifier)


def update_function_code(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    function = _for_update(call, params)
    latest = function.latest
    code = read_code(call, params, latest.settings["PackageType"])
    settings = latest.settings | ({"Architectures": params["Architectures"]} if "Architectures" in params else {})
    if params.get("DryRun"):
        return describe(call, function, latest)
    _start_update(call, latest, function, code, settings)
    if params.get("Publish"):
        from .versions import publish  # versions builds on this module

        version = publish(call, function, None, after=call.delays["update"])
        return describe(call, function, version, version.number)
    return describe(call, function, latest)


def update_function_configuration(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    check_description(params)
    _check_bounds(params)
    function = _for_update(call, params)
    if function.latest.settings["PackageType"] == "Image" and any(key in params for key in _OF_ARCHIVES):
        raise invalid_parameter(
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        )
    settings = function.latest.settings | {key: params[key] for key in _SETTINGS if key in params}
    _normalize(settings)
    _start_update(call, function.latest, function, function.latest.code, settings)
    return describe(call, function, function.latest)


def _for_update(call: LambdaCall, params: dict[str, Any]) -> Function:
    function = call.function(call.ref(params).name)
    call.check_idle(function)
    if params.get("RevisionId", function.latest.revision) != function.latest.revision:
        raise precondition_failed()
    return function


def _start_update(call: LambdaCall, latest: Version, function: Function, code: Any, settings: dict[str, Any]) -> None:
    latest.before = (latest.code, latest.settings)
    latest.code, latest.settings = code, settings
    latest.modified, latest.revision = call.now, new_revision()
    latest.update, latest.update_reason = "InProgress", ("Creating", "The function is being created.")
    latest.change = Change("update", call.now + call.delays["update"], function.arn)


def _check_bounds(params: dict[str, Any]) -> None:
    """AWS checks these before it looks at anything."""
    for key, (least, most) in _BOUNDS.items():
        value = params.get(key, least)
        if not least <= value <= most:
            name = key[0].lower() + key[1:]
            raise validation(
                f"Value '{value}' at '{name}' failed to satisfy constraint: Member must be {least} to {most}"
            )


def _normalize(settings: dict[str, Any]) -> None:
    """Refuses what AWS refuses; empty maps that mean «none» are dropped, so that equal settings compare equal."""
    for key, inner in (("DeadLetterConfig", "TargetArn"), ("Environment", "Variables")):
        if key in settings and not settings[key].get(inner):
            del settings[key]
    for key in ("Layers", "FileSystemConfigs", "ImageConfig", "KMSKeyArn"):
        if not settings.get(key, True):
            del settings[key]
    if settings["SnapStart"].get("ApplyOn") == "PublishedVersions":
        runtime = settings.get("Runtime")
        if settings["PackageType"] == "Image" or runtime not in _SNAP_START_RUNTIMES:
            raise invalid_parameter(
                f"{runtime or 'A container image'} is not supported for SnapStart enabled functions."
            )
        if settings.get("FileSystemConfigs") or settings["EphemeralStorage"]["Size"] > 512:
            raise invalid_parameter("SnapStart supports neither file systems nor ephemeral storage above 512 MB.")


def delete_function(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    ref = call.ref(params)
    function = call.function(ref.name, ref.qualifier)
    if ref.qualifier is None:
        del call.state.functions[ref.name]
        return {"StatusCode": 204}
    if ref.qualifier == LATEST:
        raise invalid_parameter("$LATEST version cannot be deleted without deleting the function.")
    if not ref.qualifier.isdecimal():
        raise invalid_parameter("Deletion of aliases is not currently supported.")
    if ref.qualifier not in function.versions:
        return {"StatusCode": 204}
    if names := function.aliases_of(ref.qualifier):
        raise conflict(f"Unable to delete version because the following aliases reference it: [{', '.join(names)}]")
    del function.versions[ref.qualifier]
    function.provisioned.pop(ref.qualifier, None)
    function.policies.pop(ref.qualifier, None)
    return {"StatusCode": 204}


def list_functions(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    functions = [call.function(name) for name in sorted(call.state.functions)]
    found = [describe(call, function, function.latest) for function in functions]
    if params.get("FunctionVersion") == "ALL":
        found = [
            describe(call, function, version, version.number)
            for function in functions
            for version in (function.latest, *function.versions.values())
        ]
    items, marker = page(found, params, PAGE)
    return {"Functions": items, "NextMarker": marker}


def _tagged(call: LambdaCall, arn: str) -> Function:
    name = arn.split(":")[6] if arn.count(":") >= 6 else arn
    function = call.state.functions.get(name)
    if function is None:
        raise not_found(f"Function not found: {arn}")
    return function


def list_tags(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": _tagged(call, params["Resource"]).tags}


def tag_resource(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    _tagged(call, params["Resource"]).tags |= params["Tags"]
    return {}


def untag_resource(call: LambdaCall, params: dict[str, Any]) -> dict[str, Any]:
    tags = _tagged(call, params["Resource"]).tags
    keys = params["TagKeys"]
    for key in [keys] if isinstance(keys, str) else keys:
        tags.pop(key, None)
    return {}
