"""A small threaded HTTP/1.1 server: keep-alive, one write per answer, connections that can be reset."""

from __future__ import annotations

import select
import socket
import socketserver
import struct
import sys
import traceback
from collections.abc import Callable
from email.utils import formatdate
from http.client import responses as REASONS

from .http import Request, Response

Handler = Callable[[Request], Response]

MAX_LINE = 64 * 1024  # request line and each header: far above what an AWS SDK sends
MAX_BODY = 512 * 1024 * 1024  # above the largest upload that a stand-in test needs


class BadRequest(Exception):
    """The bytes are not an HTTP request that this server understands."""


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        try:
            while (request := self._read()) is not None:
                if not self._answer(request):
                    return
        except (ConnectionError, TimeoutError, ValueError, BadRequest):
            return

    def _answer(self, request: Request) -> bool:
        """Sends the answer; false when the connection ends with it."""
        try:
            response = self.server.handler(request)
        except Exception:  # a bug here must show up in the log and as a 500, not as a hanging client
            traceback.print_exc(file=sys.stderr)
            response = Response(500, {"Content-Type": "text/plain"}, b"the stand-in failed; see its standard error")
        if response.reset:
            # linger 0: the peer sees a reset, as when a load balancer loses the connection
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return False
        keep = request.headers.get("connection", "").lower() != "close"
        headers = {
            "Date": formatdate(usegmt=True),
            "Content-Length": str(len(response.body)),
            **response.headers,
            "Connection": "keep-alive" if keep else "close",
        }
        lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.connection.sendall(head if request.method == "HEAD" else head + response.body)
        return keep

    def _read(self) -> Request | None:
        start = self.rfile.readline(MAX_LINE)
        if not start.strip():
            return None
        try:
            method, target, _version = start.decode("latin-1").split()
        except ValueError:
            raise BadRequest(start) from None
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(MAX_LINE)) not in (b"\r\n", b"\n"):
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BadRequest(line)
            key = name.strip().lower()
            headers[key] = f"{headers[key]},{value.strip()}" if key in headers else value.strip()
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, self._read_body(headers), self._gone)

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "100-continue" in headers.get("expect", "").lower():
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            chunks: list[bytes] = []
            while size := int(self.rfile.readline(MAX_LINE).split(b";")[0], 16):
                chunks.append(self._exactly(size))
                self.rfile.readline(MAX_LINE)
            while self.rfile.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(chunks)
        return self._exactly(int(headers.get("content-length", "0")))

    def _exactly(self, size: int) -> bytes:
        if not 0 <= size <= MAX_BODY:
            raise BadRequest(f"body of {size} bytes")
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the client closed in the middle of a body")
        return data

    def _gone(self, timeout: float) -> bool:
        readable, _, _ = select.select([self.connection], [], [], timeout)
        try:
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True


class Server(socketserver.ThreadingTCPServer):
    """Loopback only; `handler` runs on the thread of its connection."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, port: int, handler: Handler) -> None:
        self.handler = handler
        super().__init__(("127.0.0.1", port), Connection)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            traceback.print_exc(file=sys.stderr)
