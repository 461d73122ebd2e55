"""AWS STS: role sessions, one account each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import AwsError
from .identity import Caller, Sessions

Operation = Callable[[Sessions, Caller, dict[str, Any]], dict[str, Any]]


def get_caller_identity(_sessions: Sessions, caller: Caller, _params: dict[str, Any]) -> dict[str, Any]:
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def assume_role(sessions: Sessions, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    seconds = params.get("DurationSeconds", 3600)
    return sessions.assume(caller, params["RoleArn"], params["RoleSessionName"], params.get("ExternalId"), seconds)


def assume_role_with_web_identity(sessions: Sessions, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    if not params.get("WebIdentityToken"):
        raise AwsError("InvalidIdentityToken", "The web identity token is missing", 400)
    result = assume_role(sessions, caller, {key: value for key, value in params.items() if key != "ExternalId"})
    return result | {
        "SubjectFromWebIdentityToken": "system:serviceaccount",
        "Provider": "stand-in",
        "Audience": "sts.amazonaws.com",
    }


OPERATIONS: dict[str, Operation] = {
    "GetCallerIdentity": get_caller_identity,
    "AssumeRole": assume_role,
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
}


def detail(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """What the call log tells of an AssumeRole besides the role."""
    if not operation.startswith("AssumeRole"):
        return {}
    return {
        "externalId": params.get("ExternalId"),
        "sessionName": params.get("RoleSessionName"),
        "tags": {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])},
        "durationSeconds": params.get("DurationSeconds", 3600),
    }
