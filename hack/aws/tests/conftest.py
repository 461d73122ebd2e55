"""One stand-in for all tests; an AWS account of its own, without rate limits, for each."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

SERVE = Path(__file__).resolve().parents[1] / "serve"
REGION = "eu-central-1"
EPOCH = 1_790_000_040.0  # a whole minute
_SESSION = boto3.session.Session(region_name=REGION)
_CONFIG = Config(retries={"total_max_attempts": 1}, parameter_validation=False, connect_timeout=5, read_timeout=20)


class Standin:
    """A running stand-in and its control endpoint."""

    def __init__(self, *flags: str) -> None:
        self.process = subprocess.Popen(
            [str(SERVE), "--until-stdin-closes", *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.endpoint: str = json.loads(self.process.stdout.readline())["endpoint"]

    def control(self, method: str, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.endpoint}/_control/{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from None

    def advance(self, seconds: float) -> float:
        return float(self.control("POST", "clock", advance=seconds)["now"])

    def client(self, service: str, key: str = "AKIAEXAMPLE", secret: str = "secret", token: str | None = None) -> Any:
        return _SESSION.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=_CONFIG,
        )

    def stop(self) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(10)


class Account:
    """One account as one role session sees it, with shortcuts for Lambda."""

    def __init__(self, standin: Standin, number: str, session: str = "groundcrew-test") -> None:
        self.standin = standin
        self.number = number
        self.role_arn = f"arn:aws:iam::{number}:role/groundcrew"
        sts = standin.client("sts")
        credentials = sts.assume_role(RoleArn=self.role_arn, RoleSessionName=session)["Credentials"]
        self.keys = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])

    def client(self, service: str) -> Any:
        return self.standin.client(service, *self.keys)

    @cached_property
    def lambda_(self) -> Any:
        return self.client("lambda")

    @cached_property
    def cloudwatch(self) -> Any:
        return self.client("cloudwatch")

    def control(self, method: str, path: str, **body: Any) -> Any:
        return self.standin.control(method, path, account=self.number, region=REGION, **body)

    def world(self) -> Any:
        return self.standin.control("GET", f"world?account={self.number}&region={REGION}")

    def calls(self, **filters: Any) -> list[dict[str, Any]]:
        query = "&".join(f"{key}={value}" for key, value in filters.items())
        found: list[dict[str, Any]] = self.standin.control("GET", f"calls?account={self.number}&{query}")["calls"]
        return found

    def create(self, name: str = "fn", **settings: Any) -> dict[str, Any]:
        settings = {
            "Role": f"arn:aws:iam::{self.number}:role/fn",
            "Runtime": "python3.13",
            "Handler": "app.run",
        } | settings
        created: dict[str, Any] = self.lambda_.create_function(
            FunctionName=name, Code={"ZipFile": code(name)}, **settings
        )
        return created

    def function(self, name: str = "fn", versions: int = 0, **settings: Any) -> None:
        """An Active function with that many Active versions."""
        self.create(name, **settings)
        self.standin.advance(10)
        for number in range(versions):
            self.publish(name, f"release {number + 1}")

    def publish(self, name: str = "fn", content: str = "next") -> str:
        """New code, published, everything Active."""
        self.lambda_.update_function_code(FunctionName=name, ZipFile=code(content))
        self.standin.advance(10)
        version: str = self.lambda_.publish_version(FunctionName=name)["Version"]
        self.standin.advance(200)
        return version


def code(content: str) -> bytes:
    """A zip file; equal content gives equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), content)
    return buffer.getvalue()


def error_of(operation: Callable[..., Any], **params: Any) -> tuple[str, int, str]:
    """Code, HTTP status and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        operation(**params)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


@pytest.fixture(scope="session")
def standin() -> Iterator[Standin]:
    running = Standin("--clock-epoch", str(EPOCH))
    yield running
    running.stop()


_NUMBERS = itertools.count(100_000_000_001)


@pytest.fixture
def fresh(standin: Standin) -> Callable[[], Account]:
    """Makes accounts that nobody used before."""

    def make() -> Account:
        account = Account(standin, str(next(_NUMBERS)))
        standin.control("POST", "limits", account=account.number, off=True)
        return account

    return make


@pytest.fixture
def account(fresh: Callable[[], Account]) -> Account:
    return fresh()
