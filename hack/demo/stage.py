"""What the story is played on: the control plane, the AWS stand-in, the chart and the operator."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aws import KEYS, REGION, ROLE, StandIn, deploy
from processes import Child, Failed, documents, output
from show import Screen

__all__ = ["Failed", "Stage"]

SCALE = 60
CLUSTER = "demo"
NAMESPACE = "shop"
SYSTEM = "groundcrew-system"
LEASE_LIMIT = 30.0
CALLS_A_MINUTE = 1200
GOOD = {"errorRate": 0.004, "durationMs": {"mean": 90, "p95": 140}}
BAD = {"errorRate": 0.3, "durationMs": {"mean": 450, "p95": 900}}
FUNCTIONS = {"checkout": {"1": GOOD, "2": GOOD}, "search": {"1": GOOD, "2": BAD}, "payments": {"1": GOOD, "2": GOOD}}

Result = TypeVar("Result")


class Stage:
    """A context: entering it starts nothing yet, leaving it stops what was started, newest first."""

    def __init__(self, root: Path, folder: Path, operator: Path, screen: Screen) -> None:
        self.root, self.folder, self.operator, self.screen = root, folder, operator, screen
        self.children: list[Child] = []
        self.epoch = 0.0
        self.env = clean_environment()
        self.kubeconfig = folder / "kubernetes/kubeconfig"
        self.logs = folder / "logs"

    def __enter__(self) -> Stage:
        self.logs.mkdir(parents=True, exist_ok=True)
        if not self.operator.is_file():
            raise Failed(f"there is no {self.operator}: run `make build` first")
        return self

    def __exit__(self, *_: object) -> None:
        while self.children:
            self.children.pop().stop()

    def check(self) -> None:
        for child in self.children:
            child.check()

    def start(self) -> None:
        """Starts everything, and says so."""
        self.timed("Kubernetes", self.start_kubernetes)
        self.timed("AWS stand-in", self.start_aws)
        self.timed("chart", self.install_chart)
        self.timed("operator", self.start_operator)

    def timed(self, what: str, start: Callable[[], str]) -> None:
        began = time.monotonic()
        self.screen.done(what, start(), time.monotonic() - began)

    def start_kubernetes(self) -> str:
        command = [self.tool("control-plane"), "--dir", self.folder / "kubernetes", "--keep", "--until-stdin-closes"]
        child = self.child("control plane", command, self.env)
        ready = child.announcement()
        self.kubeconfig = Path(ready["kubeconfig"])
        self.env["KUBECONFIG"] = str(self.kubeconfig)
        return f"etcd and API server, {ready['server']}"

    def start_aws(self) -> str:
        command = [self.root / "hack/aws/serve", "--log", self.logs / "aws-calls.jsonl", "--until-stdin-closes"]
        endpoint = self.child("AWS stand-in", command, self.env).announcement()["endpoint"]
        self.aws = StandIn(endpoint)
        self.aws.allow_role(f"{CLUSTER}/{NAMESPACE}")
        return f"Lambda, CloudWatch and STS, {endpoint}"

    def install_chart(self) -> str:
        """All but the Pods: the operator runs as a process here, with the rights of the chart's ServiceAccount."""
        command = [self.tool("helm"), "install", "groundcrew", self.root / "charts/groundcrew"]
        command += ["--namespace", SYSTEM, "--create-namespace", "--set", f"clusterName={CLUSTER},replicas=0"]
        output(command, self.env, self.root, "helm install")
        return "CRD, ServiceAccount, its rights and the Lease"

    def operator_kubeconfig(self) -> Path:
        """The kubeconfig of the operator: a token of its ServiceAccount, nothing else."""
        config = json.loads(self.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        token = self.kubectl("create", "token", "groundcrew", "-n", SYSTEM, "--duration=24h").strip()
        for user in config["users"]:
            user["user"] = {"token": token}
        path = self.folder / "operator.kubeconfig"
        path.touch(0o600)
        path.write_text(json.dumps(config))
        return path

    def start_operator(self) -> str:
        self.epoch = time.time()
        self.aws.set_clock(SCALE, self.epoch)
        kubeconfig = self.operator_kubeconfig()
        began = datetime.fromtimestamp(self.epoch, UTC).isoformat(timespec="microseconds")
        keys = {name.upper(): value for name, value in KEYS.items()}
        env = self.env | keys | {"AWS_ENDPOINT_URL": self.aws.endpoint, "KUBECONFIG": str(kubeconfig)}
        command = [self.operator, "run", "--cluster-name", CLUSTER, "--health-address", "127.0.0.1:0"]
        command += ["--clock-scale", str(SCALE), "--clock-epoch", began.replace("+00:00", "Z")]
        self.child("operator", command, env)
        for lease in self.watch("lease", "groundcrew", SYSTEM, LEASE_LIMIT):
            if lease["spec"].get("holderIdentity"):
                return "acts as its ServiceAccount and holds the Lease"
        raise Failed(f"the operator did not take its Lease within {LEASE_LIMIT:.0f} s")

    def make_shop(self) -> None:
        """The functions with their traffic, and the namespace that names the role to work on them with."""
        lambda_ = self.aws.client()
        for name, versions in FUNCTIONS.items():
            deploy(lambda_, name)
            self.aws.traffic(name, CALLS_A_MINUTE, versions)
        self.kubectl("create", "namespace", NAMESPACE)
        self.kubectl(
            "annotate", "namespace", NAMESPACE, f"groundcrew.dev/role-arn={ROLE}", f"groundcrew.dev/region={REGION}"
        )

    def kubectl(self, *arguments: str | Path, text: str = "") -> str:
        """What kubectl prints; `text` is its standard input."""
        words = [str(word) for word in arguments]
        return output([self.tool("kubectl"), *words], self.env, self.root, f"kubectl {' '.join(words)}", text)

    def groundcrew(self, *words: str) -> str:
        """What the command line prints, with the rights of whoever watches."""
        return output([self.operator, *words], self.env, self.root, f"groundcrew {' '.join(words)}")

    def watch(self, kind: str, name: str, namespace: str, limit: float) -> Iterator[dict[str, Any]]:
        """The states of an object as they come, for at most `limit` seconds; fails if a process of ours ends."""
        command = [self.tool("kubectl"), "get", kind, name, "-n", namespace, "--watch", "-o", "json"]
        watch = subprocess.Popen(
            [str(part) for part in command],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield from documents(watch.stdout, time.monotonic() + limit, self.check)
        finally:
            watch.kill()
            watch.wait()
            watch.stdout.close()

    def seen(self) -> datetime:
        """The time that the operator and the stand-in see."""
        return datetime.fromtimestamp(self.epoch + (time.time() - self.epoch) * SCALE, UTC)

    def now(self) -> str:
        return self.seen().strftime("%H:%M:%S")

    def minute(self, ahead: int) -> str:
        """The first whole minute that is at least so many minutes ahead, as manifests have it."""
        return (self.seen() + timedelta(minutes=ahead + 1)).strftime("%Y-%m-%dT%H:%M")

    def tool(self, name: str) -> Path:
        return self.root / "bin/k8s" / name

    def child(self, name: str, command: list[str | Path], env: dict[str, str]) -> Child:
        child = Child(name, command, self.logs / f"{name.lower().replace(' ', '-')}.log", env)
        self.children.append(child)
        return child


def clean_environment() -> dict[str, str]:
    """Nothing of the person's own AWS settings reaches the demo, and it reaches no real account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GROUNDCREW_"))}
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    here = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "AWS_EC2_METADATA_DISABLED": "true"}
    return kept | nothing | here
