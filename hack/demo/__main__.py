"""The demo: groundcrew between a real Kubernetes control plane and a stand-in for AWS.

    run    plays the whole story and stops everything again (make demo)
    up     starts everything and leaves it running (make demo-up)
    down   stops what `up` started (make demo-down)
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import keeper
import story
from show import Screen
from stage import Failed, Stage

ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hack/demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "up", "down", "keep"])
    parser.add_argument("--operator", type=Path, default=ROOT / "target/debug/groundcrew", help="the groundcrew binary")
    parser.add_argument("--dir", type=Path, default=ROOT / "bin/demo", help="folder of `up` and `down`")
    return parser.parse_args()


def stop_on_signals() -> None:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does: everything is stopped first."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Plays the story in a folder of its own, which stays only if something went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="groundcrew-demo-"))
    stage = Stage(ROOT, folder, options.operator, screen)
    started = time.monotonic()
    try:
        with stage:
            story.play(stage, screen)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        screen.line("\nStopped; nothing is left running.")
        return 130
    except Failed as failure:
        screen.failure(f"The demo failed: {failure}")
        screen.line(f"Logs of all processes: {folder}")
        return 1
    shutil.rmtree(folder)
    screen.success(f"All three releases ended as they should, {time.monotonic() - started:.0f} s after the start. All is stopped again.")
    return 0


def main() -> int:
    options = arguments()
    options.operator = options.operator.resolve()
    screen = Screen(sys.stdout)
    stop_on_signals()
    if options.command == "run":
        return run(options, screen)
    if options.command == "up":
        return keeper.up(options, screen)
    if options.command == "down":
        return keeper.down(options, screen)
    return keeper.keep(Stage(ROOT, options.dir, options.operator, screen))


if __name__ == "__main__":
    sys.exit(main())
