"""What an operation of CloudWatch gets, and its errors."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import AwsError

if TYPE_CHECKING:
    from .alarms import AlarmStore
    from .metrics import MetricStore
    from .mute_rules import MuteStore


@dataclass
class CloudWatchCall:
    """One call; made by the gateway under the lock of its world, with all traffic up to `now` written."""

    account: str
    region: str
    now: float
    metrics: MetricStore
    alarms: AlarmStore
    mutes: MuteStore
    max_datapoints: int
    max_mute_rules: int
    forced_status: dict[str, Any] | None = None
    """What a planted fault makes GetMetricData tell: {statusCode, ids (a pattern)}."""


def validation_error(message: str) -> AwsError:
    return AwsError("ValidationError", f"1 validation error detected: {message}", 400, shape="ValidationException")


def invalid_value(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message, 400, shape="InvalidParameterValueException")


def invalid_combination(message: str) -> AwsError:
    return AwsError("InvalidParameterCombination", message, 400, shape="InvalidParameterCombinationException")


def missing(name: str) -> AwsError:
    return AwsError(
        "MissingParameter", f"The parameter {name} is required.", 400, shape="MissingRequiredParameterException"
    )


def resource_not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFound", message, 404)


def invalid_token() -> AwsError:
    return AwsError("InvalidNextToken", "The NextToken is not one that this query returned", 400)


def token_of(*parts: str | int) -> str:
    return urlsafe_b64encode(" ".join(str(part) for part in parts).encode()).decode()


def parts_of(token: str, count: int) -> list[str]:
    try:
        parts = urlsafe_b64decode(token.encode()).decode().split(" ")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid_token() from None
    if len(parts) != count:
        raise invalid_token()
    return parts


def paged(items: list[Any], token: str | None, limit: int) -> tuple[list[Any], str | None]:
    start = 0
    if token:
        (text,) = parts_of(token, 1)
        if not text.isdecimal():
            raise invalid_token()
        start = int(text)
    end = start + limit
    return items[start:end], token_of(end) if end < len(items) else None
