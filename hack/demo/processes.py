"""Child processes that announce themselves with one line of JSON, and are stopped again in any case."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import IO, Any

START_LIMIT = 60.0
STOP_LIMIT = 30.0


class Failed(Exception):
    """The demo cannot go on; the message is for the person who watches it."""


class Child:
    """A process with its log in a file. It is in a session of its own, so that Ctrl-C reaches only the demo."""

    def __init__(self, name: str, command: list[str | Path], log: Path, env: dict[str, str]) -> None:
        self.name, self.log = name, log
        with log.open("wb") as errors:
            # Standard input stays open as long as this process lives: the children end when it closes.
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                start_new_session=True,
            )

    def announcement(self) -> dict[str, Any]:
        """The first line that it prints."""
        assert self.process.stdout
        until = time.monotonic() + START_LIMIT
        text = b""
        while not text.endswith(b"\n"):
            left = until - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, left))
            read = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not read:
                raise Failed(f"{self.name} did not start; {self.tail()}")
            text += read
        return json.loads(text.splitlines()[0])

    def check(self) -> None:
        """Complains if it has ended by itself."""
        code = self.process.poll()
        if code is not None:
            raise Failed(f"{self.name} ended with code {code}; {self.tail()}")

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"its last words: {lines[-1]}" if lines else "it said nothing"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


def output(command: list[str | Path], env: dict[str, str], folder: Path, what: str, text: str = "") -> str:
    """What a command prints that reads `text`."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=env,
        input=text,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise Failed(f"{what} failed: {said}")
    return done.stdout


def documents(stream: IO[bytes], until: float, check: Any) -> Any:
    """JSON documents that follow each other in a stream, as they come; `check` runs at least once a second."""
    decoder = json.JSONDecoder()
    text = ""
    while time.monotonic() < until:
        check()
        ready, _, _ = select.select([stream], [], [], 1.0)
        if not ready:
            continue
        read = os.read(stream.fileno(), 65536)
        if not read:
            return
        text += read.decode()
        while text := text.lstrip():
            try:
                document, end = decoder.raw_decode(text)
            except json.JSONDecodeError:
                break
            yield document
            text = text[end:]
