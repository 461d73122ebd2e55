"""The story: a release that is good, one that is not, and one that waits for its maintenance window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import night
from aws import ALIAS, served
from show import Changes, Screen
from stage import CALLS_A_MINUTE, NAMESPACE, SCALE, Failed, Stage

ACT_LIMIT = 75.0  # seconds; an act takes about half of that
AT_REST = ("Healthy", "RolledBack", "Aborted", "Held", "Conflict", "Invalid")


@dataclass(frozen=True)
class Act:
    """A release, what is said about it, and how it has to end."""

    name: str
    title: str
    explained: str
    phase: str
    outcome: str
    serves: str


ACTS = [
    Act(
        name="checkout",
        title="A good release: checkout, version 2",
        explained="The alias gives version 2 first 10%, then 50%, then all of the traffic. "
        "Each step ends only when CloudWatch shows few errors and a good 95th percentile of the duration.",
        phase="Healthy",
        outcome="Promoted",
        serves="2",
    ),
    Act(
        name="search",
        title="A bad release: search, version 2",
        explained="The same manifest, but version 2 fails 30% of its calls and is slow.",
        phase="RolledBack",
        outcome="RolledBack",
        serves="1",
    ),
]


def play(stage: Stage, screen: Screen) -> None:
    screen.line(screen.paint("groundcrew moves Lambda aliases to new versions step by step, or back.", "1"))
    screen.line("Kubernetes and the operator are real; AWS is a stand-in on this machine. Ctrl-C stops everything.")
    screen.part("Start")
    stage.start()
    screen.part(
        "Three Lambda functions with traffic",
        f"checkout, search and payments serve version 1 by their alias `{ALIAS}`, with {CALLS_A_MINUTE} calls a minute each. "
        "Version 2 of each is published and gets no traffic yet.",
        f"The clock that groundcrew and the stand-in see runs {SCALE} times as fast as yours.",
    )
    stage.make_shop()
    for act in ACTS:
        release(stage, screen, act)
    night.play(stage, screen)
    screen.part("What is left to see")
    for words in (["get", "canaryrollouts,maintenancewindows"], ["describe", "canaryrollout", ACTS[-1].name]):
        kubectl(stage, screen, *words, "-n", NAMESPACE)


def kubectl(stage: Stage, screen: Screen, *words: str) -> None:
    screen.command(f"kubectl {' '.join(words)}")
    screen.output(stage.kubectl(*words))


def release(stage: Stage, screen: Screen, act: Act) -> None:
    """Applies a manifest and tells what happens until it has ended."""
    screen.part(act.title, act.explained)
    kubectl(stage, screen, "apply", "-f", f"hack/demo/{act.name}.yaml")
    screen.line()
    screen.columns()
    changes = Changes(screen)
    for rollout in stage.watch("canaryrollout", act.name, NAMESPACE, ACT_LIMIT):
        status = rollout.get("status", {})
        changes.see(stage.now(), status)
        if status.get("phase") in AT_REST and status.get("observedGeneration") == rollout["metadata"]["generation"]:
            return judge(stage, act, status)
    raise Failed(f"{act.name} did not end within {ACT_LIMIT:.0f} s")


def judge(stage: Stage, act: Act, status: dict[str, Any]) -> None:
    """Complains unless both the status and the alias in AWS are as they should be."""
    newest = (status.get("history") or [{}])[0]
    ended = (status["phase"], newest.get("version"), newest.get("outcome"))
    if ended != (act.phase, "2", act.outcome):
        raise Failed(f"{act.name} is {status['phase']}, not {act.phase}: {status.get('message')}")
    serves = served(stage.aws.client(), act.name)
    if serves != act.serves:
        raise Failed(f"alias {ALIAS} of {act.name} serves version {serves}, not {act.serves} alone")
