"""The third act: a release that waits for its maintenance window, while alarms call nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aws import served
from show import Changes, Screen
from stage import NAMESPACE, Failed, Stage

WINDOW = "tonight"
FUNCTION = "payments"
ALARMS = ["payments-errors", "payments-latency"]
LEAD = 7  # minutes from the manifest to the opening: its alarms are made quiet in the last five
OPENING_LIMIT = 45.0  # seconds
RELEASE_LIMIT = 60.0
CLOSE_LIMIT = 60.0
MANIFESTS = Path("hack/demo")

Watch = Iterator[dict[str, Any]]
Done = Callable[[dict[str, Any]], bool]


def play(stage: Stage, screen: Screen) -> None:
    screen.part(
        "A release that waits for its maintenance window",
        f"{FUNCTION} may change only while the window `{WINDOW}` is open, and its two alarms call nobody then.",
    )
    for alarm in ALARMS:
        stage.aws.make_alarm(alarm)
    opens = stage.minute(LEAD)
    screen.command(f"sed s/OPENS/{opens}/ {MANIFESTS}/window.yaml | kubectl apply -f -")
    manifest = (stage.root / MANIFESTS / "window.yaml").read_text().replace("OPENS", opens)
    screen.output(stage.kubectl("apply", "-f", "-", text=manifest))
    screen.command(f"kubectl apply -f {MANIFESTS}/payments.yaml")
    screen.output(stage.kubectl("apply", "-f", MANIFESTS / "payments.yaml"))

    screen.line()
    screen.columns()
    rollout = Changes(screen)
    release = stage.watch("canaryrollout", FUNCTION, NAMESPACE, RELEASE_LIMIT)
    follow(stage, release, rollout, waits, f"{FUNCTION} did not wait for its window")
    changes = Openings(screen)
    window = stage.watch("maintenancewindow", WINDOW, NAMESPACE, OPENING_LIMIT)
    follow(stage, window, changes, silenced, f"{WINDOW} did not open with quiet alarms")
    screen.line()
    stage.aws.set_alarm(ALARMS[0], "ALARM")
    screen.text(f"{ALARMS[0]} goes into ALARM: {heard(stage, ALARMS[0])}. Meanwhile the release is on its way:")
    screen.line()
    release = stage.watch("canaryrollout", FUNCTION, NAMESPACE, RELEASE_LIMIT)
    follow(stage, release, rollout, promoted, f"{FUNCTION} was not promoted")
    stage.aws.set_alarm(ALARMS[0], "OK")

    screen.line()
    window = stage.watch("maintenancewindow", WINDOW, NAMESPACE, CLOSE_LIMIT)
    follow(stage, window, changes, closed, f"{WINDOW} did not close")
    judge(stage)
    screen.line()
    stage.aws.set_alarm(ALARMS[0], "ALARM")
    screen.text(f"{ALARMS[0]} goes into ALARM again: {heard(stage, ALARMS[0])}.")
    words = ["window", "log", WINDOW, "-n", NAMESPACE]
    screen.command(f"groundcrew {' '.join(words)}")
    screen.output(stage.groundcrew(*words))


class Openings:
    """Turns the states of a window into lines: what did not change is not said again."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.told: set[str] = set()

    def see(self, time: str, status: dict[str, Any]) -> None:
        phase, message = status.get("phase"), status.get("message", "")
        if phase:
            self.once(time, phase, f"{WINDOW}: {message}")
        for condition in status.get("conditions", []):
            if condition["type"] == "AlarmsSilenced" and condition["status"] == "True":
                self.once(time, "", condition["message"])

    def once(self, time: str, phase: str, what: str) -> None:
        if what not in self.told:
            self.told.add(what)
            self.screen.row(time, phase, "", "", what)


def follow(stage: Stage, watch: Watch, changes: Changes | Openings, done: Done, complaint: str) -> None:
    """Tells what a watched object does until it is `done`."""
    for seen in watch:
        status = seen.get("status", {})
        changes.see(stage.now(), status)
        if done(status):
            return
    raise Failed(f"{complaint} in time")


def waits(status: dict[str, Any]) -> bool:
    return f"window {WINDOW}" in status.get("message", "")


def promoted(status: dict[str, Any]) -> bool:
    return status.get("phase") == "Healthy"


def silenced(status: dict[str, Any]) -> bool:
    quiet = any(one["type"] == "AlarmsSilenced" and one["status"] == "True" for one in status.get("conditions", []))
    return status.get("phase") == "Open" and quiet


def closed(status: dict[str, Any]) -> bool:
    return bool(status.get("history")) and "current" not in status


def heard(stage: Stage, alarm: str) -> str:
    outcome = stage.aws.outcome(alarm)
    return {"muted": "nobody is called", "fired": "its people are called"}.get(outcome, outcome)


def judge(stage: Stage) -> None:
    """Complains unless the release was served, the opening is in the log, and every alarm calls again."""
    serves = served(stage.aws.client(), FUNCTION)
    if serves != "2":
        raise Failed(f"{FUNCTION} serves version {serves}, not 2 alone")
    for alarm in ALARMS:
        outcome = stage.aws.outcome(alarm)
        if outcome != "fired":
            raise Failed(f"{alarm} would be {outcome} although {WINDOW} is closed")
