"""An AwsError in the form that the protocol of the service and the request gives it."""

from __future__ import annotations

import functools
import json
from xml.sax.saxutils import escape

from ..errors import AwsError
from ..http import Request, Response
from . import cbor
from .shapes import service_model


@functools.cache
def default_protocol(service: str) -> str:
    try:
        return str(service_model(service).metadata.get("protocol", "json"))
    except Exception:  # botocore raises its own type for a service that it does not know
        return "json"


def protocol_of(service: str, request: Request) -> str:
    """How this client speaks: one service may be spoken to in several ways."""
    content = request.headers.get("content-type", "")
    if "rpc-v2-cbor" in request.headers.get("smithy-protocol", ""):
        return "smithy-rpc-v2-cbor"
    if content.startswith("application/x-amz-json"):
        return "json"
    if content.startswith("application/x-www-form-urlencoded") and default_protocol(service) != "rest-xml":
        return "query"
    return default_protocol(service)


def respond(error: AwsError, service: str, request: Request, request_id: str) -> Response:
    protocol = protocol_of(service, request)
    if protocol in ("query", "ec2"):
        return _query(error, request_id)
    if protocol == "rest-xml":
        text = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message><RequestId>{request_id}</RequestId></Error>"
        return Response(error.status, {"Content-Type": "application/xml", **error.headers}, text.encode())
    if protocol == "rest-json":
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code, **error.headers}
        return Response(error.status, headers, json.dumps({**error.body, "message": error.message}).encode())
    fault = "Sender" if error.status < 500 else "Receiver"
    headers = (
        {"x-amzn-query-error": f"{error.code};{fault}", **error.headers}
        if service == "cloudwatch"
        else dict(error.headers)
    )
    body = {"__type": error.shape, "message": error.message, **error.body}
    if protocol == "smithy-rpc-v2-cbor":
        headers |= {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Response(error.status, headers, cbor.dumps(body))
    return Response(error.status, {"Content-Type": "application/x-amz-json-1.0", **headers}, json.dumps(body).encode())


def _query(error: AwsError, request_id: str) -> Response:
    kind = "Sender" if error.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Response(error.status, {"Content-Type": "text/xml", **error.headers}, body.encode())
