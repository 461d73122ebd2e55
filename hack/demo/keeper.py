"""`up` and `down`: a process in the background keeps the stage, and holds a lock as long as it does."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from show import Screen
from stage import NAMESPACE, Failed, Stage


def up(options: argparse.Namespace, screen: Screen) -> int:
    """Starts the keeper and returns once all is there."""
    options.dir.mkdir(parents=True, exist_ok=True)
    if running(options.dir):
        screen.line("The demo is up already; `make demo-down` stops it.")
    else:
        screen.line("Starting Kubernetes, the AWS stand-in, the operator and three functions with traffic")
        command = [sys.executable, Path(__file__).parent, "keep", "--dir", options.dir, "--operator", options.operator]
        with (options.dir / "keeper.log").open("wb") as log:
            keeper = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                text=True,
            )
        said = keeper.stdout.read()  # the keeper closes it when all is there, or when it ends
        print(said, end="", flush=True)
        if not running(options.dir):
            keeper.wait()
            screen.failure(f"The demo did not start. Logs: {options.dir}")
            return 1
    explain(options.dir, screen)
    return 0


def explain(folder: Path, screen: Screen) -> None:
    facts = json.loads((folder / "demo.json").read_text())
    screen.line()
    screen.line("Put this into your shell, then try what is below:")
    screen.line()
    screen.line(f"  export KUBECONFIG={facts['kubeconfig']} PATH={facts['tools']}:$PATH")
    screen.line()
    for command, why in [
        ("kubectl apply -f hack/demo/checkout.yaml", "release a good version"),
        ("kubectl apply -f hack/demo/search.yaml", "release a bad one"),
        (f"kubectl get canaryrollouts -n {NAMESPACE} --watch", "see them move (a second is a minute here)"),
        (f"kubectl describe canaryrollout search -n {NAMESPACE}", "all that is known about one"),
        (f"kubectl get events -n {NAMESPACE}", "what happened"),
        ("target/debug/groundcrew forecast -f examples/maintenancewindow.yaml", "when a window would open"),
        (f"curl -s '{facts['aws']}/_control/calls?write=true'", "what was changed in the AWS stand-in"),
        ("make demo-down", "stop everything"),
    ]:
        screen.line(f"  {command:<62} # {why}")


def down(options: argparse.Namespace, screen: Screen) -> int:
    if not running(options.dir):
        screen.line("The demo is not up.")
        return 0
    with (options.dir / "lock").open("r+") as lock:
        os.kill(int(lock.read()), signal.SIGTERM)
        fcntl.flock(lock, fcntl.LOCK_EX)  # returns when the keeper has stopped everything and ended
    shutil.rmtree(options.dir)
    screen.line("Everything is stopped.")
    return 0


def keep(stage: Stage) -> int:
    """The keeper: starts all, says so, and waits for SIGTERM or for something to break."""
    with (stage.folder / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            with stage:
                stage.start()
                stage.make_shop()
                facts = {"kubeconfig": str(stage.kubeconfig), "tools": str(stage.tool("")), "aws": stage.aws.endpoint}
                (stage.folder / "demo.json").write_text(json.dumps(facts))
                # Whoever waits for the end of our output goes on now.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                while True:
                    signal.sigtimedwait([signal.SIGUSR1], 1.0)
                    stage.check()
        except KeyboardInterrupt:
            return 0
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1


def running(folder: Path) -> bool:
    """Whether a keeper holds the lock."""
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
