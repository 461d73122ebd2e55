"""Conversion between plain values and the JSON or CBOR form of a modelled shape."""

from __future__ import annotations

import base64
import functools
from typing import Any

from botocore.model import ServiceModel, Shape
from botocore.session import get_session

from ..clock import parse_time
from ..errors import AwsError


@functools.cache
def service_model(service: str) -> ServiceModel:
    return get_session().get_service_model(service)


def from_json(value: Any, shape: Shape | None) -> Any:
    """A value as JSON or CBOR carries it → plain; unknown members are dropped as AWS does."""
    if value is None or shape is None:
        return value
    kind = shape.type_name
    if kind == "structure":
        _expect(value, dict, shape)
        members = shape.members
        return {
            name: from_json(value[wire], member)
            for name, member in members.items()
            if value.get(wire := member.serialization.get("name", name)) is not None
        }
    if kind == "list":
        _expect(value, list, shape)
        return [from_json(item, shape.member) for item in value]
    if kind == "map":
        _expect(value, dict, shape)
        return {key: from_json(item, shape.value) for key, item in value.items()}
    if kind == "timestamp":
        return parse_time(value)
    if kind == "blob":
        return value if isinstance(value, bytes) else base64.b64decode(value, validate=True)
    return _scalar(value, kind, shape)


def _scalar(value: Any, kind: str, shape: Shape) -> Any:
    if kind == "boolean":
        _expect(value, bool, shape)
    elif kind in ("integer", "long"):
        _expect(value, (int, float), shape)
        return int(value)
    elif kind in ("float", "double"):
        _expect(value, (int, float), shape)
        return float(value)
    elif kind == "string":
        _expect(value, str, shape)
    return value


def _expect(value: Any, kind: type | tuple[type, ...], shape: Shape) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise AwsError(
            "SerializationException", f"{shape.name}: {type(value).__name__} is not what the model says", 400
        )


def to_json(value: Any, shape: Shape | None) -> Any:
    """Plain → JSON form; members that the model does not name are left out."""
    if value is None or shape is None:
        return value
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {
            members[name].serialization.get("name", name): to_json(item, members[name])
            for name, item in value.items()
            if item is not None and name in members
        }
    if kind == "list":
        return [to_json(item, shape.member) for item in value]
    if kind == "map":
        return {key: to_json(item, shape.value) for key, item in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode()
    return value


def absent(value: Any, shape: Shape | None, at: str = "") -> str | None:
    """Where a required member is missing, as a path; None when all are there."""
    if shape is None or value is None:
        return None
    inner: list[tuple[str, Any, Shape]] = []
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                return f"{at}{name}"
        inner = [(f"{at}{name}.", value[name], member) for name, member in shape.members.items() if name in value]
    elif shape.type_name == "list":
        inner = [(f"{at}member.{number}.", item, shape.member) for number, item in enumerate(value, 1)]
    return next((found for path, item, member in inner if (found := absent(item, member, path))), None)
