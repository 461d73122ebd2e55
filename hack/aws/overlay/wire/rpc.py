"""CloudWatch and STS requests: the operation is named in a header, a path or the form, all members sit in the body."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationModel

from ..errors import AwsError
from ..http import Request, Response
from . import cbor, query
from .failures import protocol_of
from .shapes import from_json, service_model, to_json


def body_of(request: Request) -> bytes:
    if request.headers.get("content-encoding") != "gzip":
        return request.body
    try:
        return gzip.decompress(request.body)
    except (OSError, EOFError, zlib.error) as error:
        raise AwsError("SerializationException", f"The request body is not gzip: {error}", 400) from error


def form_of(request: Request) -> dict[str, str]:
    """The parameters of the Query protocol, from the body and the query string."""
    fields = dict(request.query_items())
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        fields |= dict(parse_qsl(body_of(request).decode(errors="replace"), keep_blank_values=True))
    return fields


def operation_name(request: Request) -> str | None:
    """The operation of a JSON, CBOR or Query request; None when it is neither."""
    parts = request.path.split("/")
    if len(parts) == 5 and parts[1] == "service" and parts[3] == "operation":
        return parts[4]
    if target := request.headers.get("x-amz-target"):
        return target.rsplit(".", 1)[-1]
    return form_of(request).get("Action")


def parse(request: Request, service: str, operation: OperationModel) -> dict[str, Any]:
    protocol = protocol_of(service, request)
    shape = operation.input_shape
    if protocol == "smithy-rpc-v2-cbor":
        raw = body_of(request)
        return (from_json(cbor.loads(raw), shape) or {}) if raw else {}
    if protocol == "json":
        return from_json(json.loads(body_of(request) or b"{}"), shape) or {}
    return query.parse(form_of(request), operation)


def respond(
    result: dict[str, Any], request: Request, service: str, operation: OperationModel, request_id: str
) -> Response:
    protocol = protocol_of(service, request)
    shape = operation.output_shape
    if protocol == "smithy-rpc-v2-cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Response(200, headers, cbor.dumps(cbor.typed(result, shape) if shape is not None else {}))
    if protocol == "json":
        body = json.dumps(to_json(result, shape) if shape is not None else {}).encode()
        return Response(200, {"Content-Type": "application/x-amz-json-1.0"}, body)
    return Response(200, {"Content-Type": "text/xml"}, query.render(result, operation, request_id))


def operation_model(service: str, name: str) -> OperationModel | None:
    model = service_model(service)
    return model.operation_model(name) if name in model.operation_names else None
