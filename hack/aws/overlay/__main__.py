"""Starts the stand-in and prints {"endpoint": "http://127.0.0.1:PORT"} when it accepts calls."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from .calls import CallLog
from .clock import MAX_SCALE, Clock, parse_time
from .control import Control
from .functions.states import DEFAULT_DELAYS
from .gateway import Gateway
from .http import Request, Response
from .server import Server
from .world import Worlds

CONTROL = "/_control/"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="hack/aws/serve", description="AWS stand-in on loopback: moto with a stricter overlay"
    )
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one (default)")
    parser.add_argument("--log", type=Path, help="append every call as one JSON line to this file")
    parser.add_argument(
        "--clock-scale",
        type=float,
        default=1.0,
        metavar="N",
        help=f"stand-in seconds per real second, at most {MAX_SCALE:g}",
    )
    parser.add_argument(
        "--clock-epoch",
        type=parse_time,
        metavar="T",
        help="stand-in time at the start: seconds since 1970 or ISO 8601 (default: now)",
    )
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="exit when standard input closes, so that a dead parent leaves no orphan",
    )
    parser.add_argument(
        "--lambda-rate",
        metavar="R",
        help='"off", or calls a second of the Lambda control plane instead of 15 (GetFunction and GetPolicy keep theirs)',
    )
    parser.add_argument(
        "--state-delays",
        default="",
        metavar="K=S,…",
        help=f"stand-in seconds that states take: {', '.join(DEFAULT_DELAYS)}, or all",
    )
    return parser.parse_args()


def state_delays(text: str) -> dict[str, float]:
    delays: dict[str, float] = {}
    for item in filter(None, text.split(",")):
        name, _, seconds = item.partition("=")
        if name not in (*DEFAULT_DELAYS, "all") or not seconds:
            sys.exit(
                f"--state-delays: {item!r} is not <name>=<seconds> with a name of {', '.join(DEFAULT_DELAYS)}, all"
            )
        delays |= dict.fromkeys(DEFAULT_DELAYS if name == "all" else [name], float(seconds))
    return delays


def main() -> None:
    options = arguments()
    clock = Clock(options.clock_scale, options.clock_epoch)
    gateway = Gateway(clock, Worlds(clock, state_delays(options.state_delays)), CallLog(options.log))
    if options.lambda_rate == "off":
        gateway.limits.off()
    elif options.lambda_rate:
        gateway.limits.set("lambda", {"*": float(options.lambda_rate)})
    control = Control(gateway)

    def handle(request: Request) -> Response:
        return control.handle(request) if request.path.startswith(CONTROL) else gateway.handle(request)

    server = Server(options.port, handle)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    if options.until_stdin_closes:
        threading.Thread(target=_exit_with_stdin, daemon=True).start()
    print(json.dumps({"endpoint": f"http://127.0.0.1:{server.port}"}), flush=True)
    server.serve_forever()


def _exit_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
