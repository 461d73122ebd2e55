"""Everything that is not ours: moto, called in this process as a WSGI application."""

from __future__ import annotations

import io
from typing import Any

import moto.core.utils

from .clock import Clock
from .http import Request, Response
from .identity import DEFAULT_ACCOUNT

_OURS = ("content-length", "connection", "date", "x-amzn-requestid")  # headers that server and gateway write


class Moto:
    """moto's server with our clock and our accounts. Services load when they are first called."""

    def __init__(self, clock: Clock) -> None:
        # before any service of moto is loaded: each takes this function for its timestamps when it is imported
        moto.core.utils.utcnow = clock.utcnow
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self._app = DomainDispatcherApplication(create_backend_app)

    def call(self, request: Request, account: str) -> Response:
        environ = self._environ(request, account)
        response = Response()

        def start(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> Any:
            response.status = int(status.split(maxsplit=1)[0])
            response.headers = {name: value for name, value in headers if name.lower() not in _OURS}
            return lambda _data: None

        chunks = self._app(environ, start)
        response.body = b"".join(chunks)
        return response

    @staticmethod
    def _environ(request: Request, account: str) -> dict[str, Any]:
        url = f"{request.path}?{request.query}" if request.query else request.path
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            # WSGI wants the decoded path as latin-1
            "PATH_INFO": request.decoded_path.encode().decode("latin-1"),
            "QUERY_STRING": request.query,
            "RAW_URI": url,
            "REQUEST_URI": url,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": request.headers.get("host", ":80").rpartition(":")[2] or "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "HTTP_X_MOTO_ACCOUNT_ID": account or DEFAULT_ACCOUNT,
        }
        skipped = ("content-type", "content-length", "transfer-encoding", "x-moto-account-id")
        environ |= {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in request.headers.items()
            if name not in skipped
        }
        return environ

    def reset(self, account: str | None) -> None:
        """Forgets what moto holds of one account, or of all."""
        from moto.core import base_backend

        instances: list[Any] = getattr(base_backend.BackendDict, "_instances")  # noqa: B009 moto names no other way
        for backends in instances:
            for name, regions in list(backends.items()):
                if account in (None, name):
                    regions.reset()
