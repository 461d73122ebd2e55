"""The stand-in for AWS as the demo uses it: functions by the AWS SDK, traffic and clock by its control endpoint."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/groundcrew-shop"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/deployer"
ALIAS = "production"
KEYS = {"aws_access_key_id": "AKIADEMO", "aws_secret_access_key": "demo"}


class StandIn:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def control(self, command: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_control/{command}", data)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)

    def set_clock(self, scale: int, epoch: float) -> None:
        self.control("clock", {"scale": scale, "epoch": epoch})

    def allow_role(self, external_id: str) -> None:
        """The trust policy of the namespace's role: only with this external id."""
        self.control("roles", {"arn": ROLE, "externalId": external_id})

    def client(self, service: str = "lambda") -> Any:
        """A service, as the pipeline that deploys the shop."""
        config = Config(retries={"mode": "standard", "max_attempts": 5}, proxies={})
        shared = {"endpoint_url": self.endpoint, "region_name": REGION, "config": config}
        sts = boto3.client("sts", **shared, **KEYS)
        keys = sts.assume_role(RoleArn=DEPLOYER, RoleSessionName="pipeline")["Credentials"]
        return boto3.client(
            service,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            **shared,
        )

    def make_alarm(self, name: str) -> None:
        """An alarm that calls people, and is well."""
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="Shop",
            MetricName="Complaints",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
        self.set_alarm(name, "OK")

    def set_alarm(self, name: str, state: str) -> None:
        self.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="the demo")

    def outcome(self, alarm: str) -> str:
        """What an action of an alarm comes to now: `fired`, `muted` or `disabled`."""
        told = self.control(f"alarms?account={ACCOUNT}&region={REGION}")
        return told["alarms"][alarm]["action"]

    def traffic(self, function: str, per_minute: int, versions: dict[str, Any]) -> None:
        self.control(
            "traffic",
            {
                "account": ACCOUNT,
                "region": REGION,
                "function": function,
                "alias": ALIAS,
                "perMinute": per_minute,
                "versions": versions,
            },
        )


def deploy(lambda_: Any, name: str) -> None:
    """A function with the published versions 1 and 2, and its alias at version 1."""
    lambda_.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        Handler="main.handler",
        Timeout=10,
        Code={"ZipFile": code(name, 1)},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    publish(lambda_, name)
    lambda_.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion="1", Description=f"{name} in production")
    lambda_.update_function_code(FunctionName=name, ZipFile=code(name, 2))
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    publish(lambda_, name)


def publish(lambda_: Any, name: str) -> None:
    version = lambda_.publish_version(FunctionName=name)["Version"]
    waiter = lambda_.get_waiter("published_version_active")
    waiter.wait(FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 1})


def code(name: str, version: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("main.py", (2026, 1, 1, 0, 0, 0))
        archive.writestr(entry, f"def handler(event, context):\n    return '{name} {version}'\n")
    return packed.getvalue()


def served(lambda_: Any, name: str) -> str:
    """What the alias serves: `2`, or `1 with 2 at 10%`."""
    alias = lambda_.get_alias(FunctionName=name, Name=ALIAS)
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return alias["FunctionVersion"] + "".join(f" with {version} at {share:.0%}" for version, share in weights.items())
