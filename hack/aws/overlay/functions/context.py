"""What an operation of ours gets: who calls, which world, what time it is."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from ..errors import AwsError, conflict, not_found
from ..identity import Caller
from . import names
from .model import LATEST, Function, LambdaState, Version
from .states import settle


@dataclass
class LambdaCall:
    """One call of a Lambda operation; made by the gateway under the lock of its world."""

    operation: str
    account: str
    region: str
    caller: Caller
    now: float
    request_id: str
    state: LambdaState
    delays: dict[str, float]
    rng: random.Random
    services: Any
    """The World: metrics of this account and region, scripts of Invoke, access to S3."""
    after: list[Any] = field(default_factory=list)

    def ref(self, params: dict[str, Any]) -> names.FunctionRef:
        return names.parse_function(
            params["FunctionName"], params.get("Qualifier"), self.account, self.region, self.operation, self.caller.arn
        )

    def arn(self, name: str, qualifier: str | None = None) -> str:
        return names.function_arn(self.account, self.region, name, qualifier)

    def find(self, name: str) -> Function | None:
        """The function with its states settled."""
        function = self.state.functions.get(name)
        if function:
            settle(self.state, function, self.now)
        return function

    def function(self, name: str, qualifier: str | None = None) -> Function:
        function = self.find(name)
        if function is None:
            raise not_found(f"Function not found: {self.arn(name, qualifier)}")
        return function

    def version(self, function: Function, qualifier: str | None) -> Version:
        """The version behind a qualifier (none is $LATEST; an alias is its FunctionVersion)."""
        number = qualifier or LATEST
        if number in function.aliases:
            number = function.aliases[number].version
        version = function.version(number)
        if version is None:
            raise not_found(f"Function not found: {self.arn(function.name, qualifier)}")
        return version

    def check_idle(self, function: Function) -> None:
        """Updates and PublishVersion are refused while $LATEST changes."""
        latest = function.latest
        if latest.state in ("Pending", "Failed"):
            raise conflict(
                f"The operation cannot be performed at this time. The function is currently in the following state: {latest.state}"
            )
        if latest.update == "InProgress":
            raise conflict(
                "The operation cannot be performed at this time. "
                f"An update is in progress for resource: {self.arn(function.name)}"
            )


def unknown_operation(operation: str) -> AwsError:
    return AwsError(
        "UnknownOperationException", f"the stand-in has no Lambda {operation}; add it to overlay/functions", 501
    )


def page(items: list[Any], params: dict[str, Any], most: int) -> tuple[list[Any], str | None]:
    """One page of a listing and the marker of the next one."""
    marker = params.get("Marker") or "0"
    if not marker.isdecimal() or int(marker) > len(items):
        raise AwsError("InvalidParameterValueException", "Invalid Marker", 400, body={"Type": "User"})
    limit = params.get("MaxItems") or most
    if limit < 1:
        raise AwsError("InvalidParameterValueException", "MaxItems must be at least 1", 400, body={"Type": "User"})
    start = int(marker)
    end = start + min(limit, most)
    return items[start:end], str(end) if end < len(items) else None
