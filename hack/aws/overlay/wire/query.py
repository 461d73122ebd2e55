"""The AWS Query protocol: form parameters in, XML out (CloudWatch of older SDKs, STS)."""

from __future__ import annotations

import base64
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import OperationModel, Shape

from ..clock import iso, parse_time

_MISSING = object()


def parse(form: dict[str, str], operation: OperationModel) -> dict[str, Any]:
    if operation.input_shape is None:
        return {}
    value = _parse(form, "", operation.input_shape)
    return {} if value is _MISSING else value


def _parse(form: dict[str, str], prefix: str, shape: Shape) -> Any:
    kind = shape.type_name
    if kind == "structure":
        dot = f"{prefix}." if prefix else ""
        if prefix and not any(key.startswith(dot) for key in form):
            return _MISSING
        members = (
            (name, _parse(form, dot + member.serialization.get("name", name), member))
            for name, member in shape.members.items()
        )
        return {name: value for name, value in members if value is not _MISSING}
    if kind == "list":
        return _parse_list(form, prefix, shape)
    if kind == "map":
        return _parse_map(form, prefix, shape)
    text = form.get(prefix)
    return _MISSING if text is None else _scalar(text, kind)


def _parse_list(form: dict[str, str], prefix: str, shape: Shape) -> Any:
    if form.get(prefix) == "":
        return []
    if not shape.serialization.get("flattened"):
        prefix = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
    items: list[Any] = []
    while (item := _parse(form, f"{prefix}.{len(items) + 1}", shape.member)) is not _MISSING:
        items.append(item)
    return items or _MISSING


def _parse_map(form: dict[str, str], prefix: str, shape: Shape) -> Any:
    items: dict[str, Any] = {}
    while (key := form.get(f"{prefix}.entry.{len(items) + 1}.key")) is not None:
        items[key] = _parse(form, f"{prefix}.entry.{len(items) + 1}.value", shape.value)
    return items or _MISSING


def _scalar(text: str, kind: str) -> Any:
    if kind == "boolean":
        return text.lower() == "true"
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "timestamp":
        return parse_time(text)
    if kind == "blob":
        return base64.b64decode(text)
    return text


def render(result: dict[str, Any], operation: OperationModel, request_id: str) -> bytes:
    name = operation.name
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    inner = _render(result, operation.output_shape) if operation.output_shape is not None else ""
    wrapped = f"<{name}Result>{inner}</{name}Result>" if operation.output_shape is not None else ""
    return (
        f'<{name}Response xmlns="{namespace}">{wrapped}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
    ).encode()


def _render(value: Any, shape: Shape) -> str:
    kind = shape.type_name
    if kind == "structure":
        return "".join(
            _element(member.serialization.get("name", name), value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        )
    if kind == "map":
        return "".join(
            f"<entry><key>{escape(k)}</key>{_element('value', v, shape.value)}</entry>" for k, v in value.items()
        )
    if kind == "list":
        return "".join(_element(shape.member.serialization.get("name", "member"), item, shape.member) for item in value)
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return iso(value)
    if kind == "blob":
        return base64.b64encode(value).decode()
    return escape(str(value))


def _element(name: str, value: Any, shape: Shape) -> str:
    return f"<{name}>{_render(value, shape)}</{name}>"
