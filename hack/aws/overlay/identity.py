"""Who calls: the access key of the signature, and the role session that AssumeRole made it for."""

from __future__ import annotations

import re
import secrets
import string
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from .errors import AwsError
from .http import Request

DEFAULT_ACCOUNT = "123456789012"
ROLE = re.compile(r"arn:(aws[a-zA-Z-]*):iam::(\d{12}):role/([\w+=,.@/-]+)")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_UNSIGNED_REGION = "us-east-1"


@dataclass(frozen=True)
class Caller:
    """An IAM user (`session` is empty) or an assumed role. `arn` is what GetCallerIdentity tells."""

    access_key: str
    account: str
    arn: str
    user_id: str
    session: str = ""
    expires: float = float("inf")
    """Real seconds since 1970: SDKs compare the expiry with their own clock, not with ours."""


@dataclass
class RoleRule:
    """What AssumeRole demands for one role ARN (set by the control endpoint)."""

    deny: bool = False
    external_id: str | None = None


@dataclass(frozen=True)
class Signature:
    access_key: str
    region: str
    service: str


def signature(request: Request) -> Signature | None:
    """The credential scope of a signed request: header, or query string of a presigned URL."""
    if found := _CREDENTIAL.search(request.headers.get("authorization", "")):
        return Signature(*found.groups())
    scope = dict(request.query_items()).get("X-Amz-Credential", "").split("/")
    return Signature(scope[0], scope[2], scope[3]) if len(scope) == 5 else None


@dataclass
class Sessions:
    """All role sessions, and the rules for making new ones."""

    rules: dict[str, RoleRule] = field(default_factory=dict)
    _callers: dict[str, Caller] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def caller(self, access_key: str) -> Caller:
        """The session of that key; a key that nobody issued is a user of the default account."""
        known = self._callers.get(access_key)
        if known is not None:
            return known
        return Caller(access_key, DEFAULT_ACCOUNT, f"arn:aws:iam::{DEFAULT_ACCOUNT}:user/{access_key}", access_key)

    def check(self, caller: Caller, service: str) -> None:
        if time.time() >= caller.expires:
            code = "ExpiredToken" if service in ("sts", "s3", "cloudwatch", "rds", "sns") else "ExpiredTokenException"
            raise AwsError(code, "The security token included in the request is expired", 403)

    def assume(self, by: Caller, role_arn: str, session: str, external_id: str | None, seconds: int) -> dict[str, Any]:
        found = ROLE.fullmatch(role_arn)
        if not found:
            raise AwsError("ValidationError", f"{role_arn} is invalid", 400)
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", session):
            raise AwsError(
                "ValidationError",
                f"1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint",
                400,
            )
        if not 900 <= seconds <= 43200:
            raise AwsError(
                "ValidationError", "1 validation error detected: 'durationSeconds' must be 900 to 43200", 400
            )
        rule = self.rules.get(role_arn, RoleRule())
        if rule.deny or (rule.external_id is not None and rule.external_id != external_id):
            raise AwsError(
                "AccessDenied",
                f"User: {by.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
                403,
            )
        partition, account, path = found.groups()
        name = path.rsplit("/", 1)[-1]
        key = "ASIA" + _letters(16)
        user_id = f"AROA{_role_id(role_arn)}:{session}"
        arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}"
        caller = Caller(key, account, arn, user_id, session, time.time() + seconds)
        with self._lock:
            self._callers[key] = caller
        return {
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": secrets.token_urlsafe(30),
                "SessionToken": secrets.token_urlsafe(120),
                "Expiration": caller.expires,
            },
            "AssumedRoleUser": {"AssumedRoleId": user_id, "Arn": arn},
            "PackedPolicySize": 6,
        }

    def expire(self, account: str) -> int:
        """Ends all sessions of an account at once; returns how many."""
        with self._lock:
            keys = [key for key, caller in self._callers.items() if caller.account == account]
            for key in keys:
                old = self._callers[key]
                self._callers[key] = Caller(key, account, old.arn, old.user_id, old.session, 0.0)
            return len(keys)


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_uppercase + string.digits[2:8]) for _ in range(count))


def _role_id(role_arn: str) -> str:
    """The same for the same role, as AWS does."""
    number = int.from_bytes(role_arn.encode(), "big")
    letters = string.ascii_uppercase + string.digits[2:8]
    return "".join(letters[(number >> (5 * place)) % len(letters)] for place in range(17))


def region_of(signed: Signature | None) -> str:
    return signed.region if signed else _UNSIGNED_REGION
