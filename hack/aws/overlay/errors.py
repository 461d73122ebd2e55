"""Errors as AWS words them: a code, an HTTP status, a message, and for some a body of their own."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """What a service answers instead of a result.

    `code` is what SDKs report; `shape` is the name in the service model where that differs; `body` holds further
    members of the error shape, `headers` further headers.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        shape: str | None = None,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.shape = shape or code
        self.body = body or {}
        self.headers = headers or {}


USER: dict[str, Any] = {"Type": "User"}


def invalid_parameter(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, 400, body=USER)


def validation(message: str) -> AwsError:
    return AwsError("ValidationException", f"1 validation error detected: {message}", 400)


def conflict(message: str) -> AwsError:
    return AwsError("ResourceConflictException", message, 409, body=USER)


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404, body=USER)


def precondition_failed() -> AwsError:
    return AwsError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        412,
        body=USER,
    )


def throttled(service: str, retry_after: int = 1) -> AwsError:
    """The answer to a call above the request rate, in the words of that service."""
    if service == "lambda":
        return AwsError(
            "TooManyRequestsException",
            "Rate exceeded",
            429,
            body={"Type": "User", "Reason": "CallerRateLimitExceeded"},
            headers={"Retry-After": str(retry_after)},
        )
    if service in ("dynamodb", "logs", "ssm"):
        return AwsError("ThrottlingException", "Rate exceeded", 400)
    return AwsError("Throttling", "Rate exceeded", 400)
