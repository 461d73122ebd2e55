"""CBOR (RFC 8949) as far as Smithy RPC v2 needs it: definite and indefinite items, tag 1 for timestamps."""

from __future__ import annotations

import struct
from typing import Any

from botocore.model import Shape

_BREAK = object()
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_MAX_DEPTH = 64


class Malformed(ValueError):
    """The bytes are not one well-formed CBOR item."""


class Timestamp(float):
    """Seconds since 1970 that are written with tag 1."""


def loads(data: bytes) -> Any:
    reader = _Reader(data)
    try:
        value = reader.item()
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise Malformed(str(error)) from error
    if value is _BREAK or reader.at != len(data):
        raise Malformed("trailing bytes")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.depth = 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise Malformed("truncated")
        self.at += size
        return self.data[self.at - size : self.at]

    def item(self) -> Any:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Malformed("nested too deeply")
        try:
            first = self.take(1)[0]
            return self._item(first >> 5, first & 31)
        finally:
            self.depth -= 1

    def _item(self, major: int, info: int) -> Any:
        if major == 7:
            return self._simple(info)
        length = self._length(info)
        if major in (0, 1) and length is not None:
            return length if major == 0 else -1 - length
        if major == 2:
            return self.take(length) if length is not None else b"".join(self._until_break())
        if major == 3:
            return self.take(length).decode() if length is not None else "".join(self._until_break())
        if major == 4:
            return self._until_break() if length is None else [self.item() for _ in range(length)]
        if major == 5:
            if length is None:
                flat = self._until_break()
                return dict(zip(flat[::2], flat[1::2], strict=True))
            return {self.item(): self.item() for _ in range(length)}
        if major == 6 and length is not None:
            return self.item()
        raise Malformed(f"major type {major} with {info}")

    def _length(self, info: int) -> int | None:
        if info < 24:
            return info
        if info <= 27:
            return int.from_bytes(self.take(1 << (info - 24)), "big")
        if info == 31:
            return None
        raise Malformed(f"length {info}")

    def _simple(self, info: int) -> Any:
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info in _FLOATS:
            return struct.unpack(_FLOATS[info], self.take(1 << (info - 24)))[0]
        if info == 31:
            return _BREAK
        raise Malformed(f"simple value {info}")

    def _until_break(self) -> list[Any]:
        items: list[Any] = []
        while (value := self.item()) is not _BREAK:
            items.append(value)
        return items


def dumps(value: Any) -> bytes:
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _head(out: bytearray, major: int, number: int) -> None:
    if number < 24:
        out.append(major << 5 | number)
        return
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            out.append(major << 5 | info)
            out += number.to_bytes(size, "big")
            return
    raise OverflowError(f"{number} does not fit into 64 bits")


def _write(out: bytearray, value: Any) -> None:
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, Timestamp):
        out += b"\xc1\xfb" + struct.pack(">d", value)
    elif isinstance(value, int):
        _head(out, 0 if value >= 0 else 1, value if value >= 0 else -1 - value)
    elif isinstance(value, float):
        out += b"\xfb" + struct.pack(">d", value)
    elif isinstance(value, (bytes, str)):
        data = value if isinstance(value, bytes) else value.encode()
        _head(out, 2 if isinstance(value, bytes) else 3, len(data))
        out += data
    elif isinstance(value, (list, tuple)):
        _head(out, 4, len(value))
        for item in value:
            _write(out, item)
    elif isinstance(value, dict):
        _head(out, 5, len(value))
        for key, item in value.items():
            _write(out, key)
            _write(out, item)
    else:
        raise TypeError(f"{type(value).__name__} has no CBOR form")


def typed(value: Any, shape: Shape | None) -> Any:
    """Plain → the types that the model asks for: tagged timestamps, doubles as doubles, known members only."""
    if value is None or shape is None:
        return value
    kind = shape.type_name
    if kind == "structure":
        return {k: typed(v, shape.members[k]) for k, v in value.items() if v is not None and k in shape.members}
    if kind == "list":
        return [typed(item, shape.member) for item in value]
    if kind == "map":
        return {key: typed(item, shape.value) for key, item in value.items()}
    if kind == "timestamp":
        return Timestamp(value)
    if kind in ("float", "double"):
        return float(value)
    if kind in ("integer", "long"):
        return int(value)
    return value
