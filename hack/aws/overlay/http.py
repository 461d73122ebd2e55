"""HTTP requests and responses as plain values, shared by the server, the gateway and the wire formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote


@dataclass
class Request:
    """One HTTP request. Header names are lower case; `path` is as sent, still percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    gone: Callable[[float], bool] = lambda _timeout: False
    """Waits up to that many real seconds; true when the client has closed the connection."""

    @property
    def decoded_path(self) -> str:
        return unquote(self.path)

    def query_items(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass
class Response:
    """One HTTP answer; `reset` closes the connection without any answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: bool = False
