"""The AWS REST-JSON protocol: method and path name the operation, members sit in path, query, headers and body."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel, Shape

from ..errors import AwsError
from ..http import Request, Response
from .shapes import from_json, service_model, to_json

_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    """Fixed query parameters that tell operations of one path apart."""
    operation: OperationModel


@functools.cache
def _routes(service: str) -> dict[str, list[Route]]:
    model = service_model(service)
    routes: dict[str, list[Route]] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        uri, _, fixed = operation.http["requestUri"].partition("?")
        uri = uri.rstrip("/")
        pattern, labels, at = "", [], 0
        for match in _LABEL.finditer(uri):
            pattern += re.escape(uri[at : match.start()]) + ("(.+)" if match.group(2) else "([^/]+)")
            labels.append(match.group(1))
            at = match.end()
        compiled = re.compile(pattern + re.escape(uri[at:]) + "/?")
        routes.setdefault(operation.http["method"], []).append(
            Route(compiled, tuple(labels), tuple(parse_qsl(fixed)), operation)
        )
    for entries in routes.values():  # the more fixed parts, the earlier
        entries.sort(key=lambda route: (-len(route.query), len(route.labels)))
    return routes


def match(service: str, request: Request) -> tuple[OperationModel, dict[str, str]] | None:
    """The operation and the still encoded labels, or None when the service has no such path."""
    for route in _routes(service).get(request.method, ()):
        if (found := route.pattern.fullmatch(request.path)) and set(route.query) <= set(request.query_items()):
            return route.operation, dict(zip(route.labels, found.groups(), strict=True))
    return None


def parse(request: Request, operation: OperationModel, labels: dict[str, str]) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    query = dict(request.query_items())
    payload = shape.serialization.get("payload")
    body: dict[str, Any] | None = None
    for name, member in shape.members.items():
        place = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if place == "uri":
            params[name] = unquote(labels[wire])
        elif place == "querystring":
            if wire in query:
                params[name] = _from_text(query[wire], member)
        elif place in ("header", "headers"):
            if wire.lower() in request.headers:
                params[name] = _from_text(request.headers[wire.lower()], member)
        elif name == payload and member.type_name in ("blob", "string"):
            params[name] = request.body
        else:
            body = _json_body(request) if body is None else body
            if body.get(wire) is not None:
                params[name] = from_json(body[wire], member)
    return params


def _json_body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body) if request.body.strip() else {}
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}", 400
        ) from error
    if not isinstance(body, dict):
        raise AwsError("InvalidRequestContentException", "The request body is not a JSON object", 400)
    return body


def _from_text(text: str, shape: Shape) -> Any:
    if shape.type_name == "boolean":
        return text.lower() == "true"
    if shape.type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise AwsError("SerializationException", f"{shape.name}: {text!r} is not a number", 400) from None
    return text


def respond(result: dict[str, Any], operation: OperationModel) -> Response:
    """The result as an answer; members with a header or status location go there."""
    shape = operation.output_shape
    response = Response(int(operation.http.get("responseCode", 200)), {"Content-Type": "application/json"})
    if shape is None:
        return response
    payload = shape.serialization.get("payload")
    body: dict[str, Any] = {}
    for name, value in result.items():
        member = shape.members.get(name)
        if member is None or value is None:
            continue
        place = member.serialization.get("location")
        if place == "statusCode":
            response.status = int(value)
        elif place == "header":
            response.headers[member.serialization.get("name", name)] = str(value)
        elif name == payload:
            response.body = value if isinstance(value, bytes) else json.dumps(to_json(value, member)).encode()
        else:
            body[member.serialization.get("name", name)] = to_json(value, member)
    if payload is None and response.status != 204:
        response.body = json.dumps(body).encode()
    return response
