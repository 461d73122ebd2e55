"""Reads what a request asks for: service, operation, parameters, resource and caller."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from botocore.model import OperationModel

from . import codedeploy, sts, tasks
from .cloudwatch.context import missing
from .errors import AwsError
from .http import Request
from .identity import Caller, Sessions, region_of, signature
from .wire import rest_json, rpc
from .wire.failures import default_protocol
from .wire.shapes import absent

_SERVICES = {"monitoring": "cloudwatch"}  # signing name → service, where they differ
_CLOUDWATCH_PATH = "/service/GraniteServiceVersion20100801/"
_NAMES = (  # what names the resource in services that moto serves
    "TableName",
    "ResourceArn",
    "BackupArn",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "DBSnapshotIdentifier",
    "DBClusterSnapshotIdentifier",
    "TopicArn",
    "QueueUrl",
    "QueueName",
    "logGroupName",
    "logGroupNamePrefix",
    "RoleName",
    "PolicyArn",
    "SecretId",
    "Name",
)


@dataclass
class Incoming:
    request: Request
    service: str
    operation: str
    caller: Caller
    region: str
    model: OperationModel | None = None
    labels: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    resource: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.caller.account

    def parse(self) -> None:
        """Fills parameters and resource; AwsError when the request is not what the model says."""
        try:
            self._parse()
        except (ValueError, TypeError, OverflowError) as error:
            raise AwsError("SerializationException", f"The request cannot be read: {error}", 400) from error
        if self.model is not None and (name := absent(self.params, self.model.input_shape)):
            raise _missing(self.service, name)

    def _parse(self) -> None:
        if self.model is None:
            self.resource = _moto_resource(self.request)
        elif self.service == "lambda":
            self.params = rest_json.parse(self.request, self.model, self.labels)
            self.resource = _lambda_resource(self.params)
        else:
            self.params = rpc.parse(self.request, self.service, self.model)
            if self.service == "sts":
                self.resource = self.params.get("RoleArn", "")
                self.detail = sts.detail(self.operation, self.params)
            elif self.service == "codedeploy":
                self.resource = codedeploy.resource(self.params)
            elif self.service in tasks.SERVICES:
                self.resource = tasks.resource(self.params)
            else:
                self.resource = _cloudwatch_resource(self.params)
                if queries := self.params.get("MetricDataQueries"):
                    self.detail = {"queries": len(queries)}


def read(request: Request, sessions: Sessions) -> Incoming:
    """Names service and operation; the parameters are read by `parse`."""
    signed = signature(request)
    service = _service(request, signed.service if signed else None)
    caller = sessions.caller(signed.access_key if signed else "")
    incoming = Incoming(request, service, "", caller, region_of(signed))
    if service == "lambda":
        if found := rest_json.match(service, request):
            incoming.model, incoming.labels = found
            incoming.operation = incoming.model.name
    elif service in ("cloudwatch", "sts"):
        incoming.operation = rpc.operation_name(request) or ""
        incoming.model = rpc.operation_model(service, incoming.operation)
    elif service == "codedeploy" and (name := rpc.operation_name(request)) in codedeploy.OPERATIONS:
        incoming.operation = name
        incoming.model = rpc.operation_model(service, name)
    elif (name := rpc.operation_name(request)) in tasks.SERVICES.get(service, {}):
        incoming.operation = name or ""
        incoming.model = rpc.operation_model(service, incoming.operation)
    if not incoming.operation:
        incoming.operation = _moto_operation(request, service)
    return incoming


def _service(request: Request, signing_name: str | None) -> str:
    if request.path.startswith(_CLOUDWATCH_PATH):
        return "cloudwatch"
    if signing_name:
        return _SERVICES.get(signing_name, signing_name)
    return "sts" if (rpc.operation_name(request) or "").startswith("AssumeRole") else "s3"


def _lambda_resource(params: dict[str, Any]) -> str:
    """name or name:qualifier, whatever form the request has."""
    function = params.get("FunctionName") or params.get("Resource") or params.get("UUID") or ""
    if ":function:" in function:
        function = function.split(":function:", 1)[1]
    qualifier = params.get("Qualifier") or params.get("Name")
    return f"{function}:{qualifier}" if qualifier and ":" not in function else function


def _cloudwatch_resource(params: dict[str, Any]) -> str:
    names = params.get("AlarmNames") or [
        params.get("AlarmName")
        or params.get("AlarmNamePrefix")
        or params.get("AlarmMuteRuleName")
        or params.get("Name")
        or params.get("ResourceARN")
        or ""
    ]
    return ",".join(names)


def _moto_operation(request: Request, service: str) -> str:
    if name := rpc.operation_name(request):
        return name
    if default_protocol(service).startswith("rest-"):
        from moto.core.request import Request as MotoRequest
        from moto.core.routing import get_service_router

        url = f"http://{request.headers.get('host', '127.0.0.1')}{request.path}?{request.query}"
        try:
            operation, _ = get_service_router(service).match(
                MotoRequest.from_primitives(request.method, url, request.headers, b"")
            )
            return str(operation.name)
        except Exception:  # no route: werkzeug's own error types; the method and path then say what was asked
            pass
    return f"{request.method} {request.path}"


def _moto_resource(request: Request) -> str:
    fields: dict[str, Any] = dict(rpc.form_of(request))
    if request.headers.get("content-type", "").startswith("application/x-amz-json"):
        try:
            fields |= json.loads(request.body or b"{}")
        except ValueError:
            return ""
    for name in _NAMES:
        if isinstance(fields.get(name), str):
            return str(fields[name])
    return request.decoded_path.strip("/")


def _missing(service: str, name: str) -> AwsError:
    if service == "cloudwatch":
        return missing(name)
    message = (
        f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
    )
    return AwsError("ValidationException" if service == "lambda" else "ValidationError", message, 400)


def missing_operation(incoming: Incoming) -> AwsError:
    return AwsError("UnknownOperationException", f"the stand-in has no {incoming.service} {incoming.operation}", 501)
