"""Function names, ARNs and qualifiers as Lambda accepts them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import AwsError, invalid_parameter, not_found, validation

_FUNCTION = re.compile(
    r"(?:(?:arn:(?P<partition>aws[a-zA-Z-]*):lambda:(?P<region>[a-z0-9-]+):)?(?P<account>\d{12}):function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,140})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
_ALIAS = re.compile(r"(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}")
_DESCRIPTION_MAX = 256


@dataclass(frozen=True)
class FunctionRef:
    name: str
    qualifier: str | None


def function_arn(account: str, region: str, name: str, qualifier: str | None = None) -> str:
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def parse_function(
    text: str, qualifier: str | None, account: str, region: str, operation: str, caller: str
) -> FunctionRef:
    """A plain name, a partial ARN or an ARN, each perhaps with a qualifier; other accounts and regions are out of reach."""
    found = _FUNCTION.fullmatch(text)
    if not found:
        raise validation(
            f"Value '{text}' at 'functionName' failed to satisfy constraint: Member must be a function name or function ARN"
        )
    if found["region"] and found["region"] != region:
        raise not_found(f"Functions from '{found['region']}' are not reachable in this region ('{region}')")
    if found["account"] and found["account"] != account:
        message = f"User: {caller} is not authorized to perform: lambda:{operation} on resource: {text}"
        raise AwsError("AccessDeniedException", message, 403)
    derived = found["qualifier"]
    if derived and qualifier and derived != qualifier:
        raise invalid_parameter("The derived qualifier from the function name does not match the specified qualifier.")
    return FunctionRef(found["name"], qualifier or derived)


def check_alias_name(name: str) -> None:
    if not _ALIAS.fullmatch(name):
        raise validation(
            f"Value '{name}' at 'name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
        )


def check_description(params: dict[str, Any]) -> None:
    """Of functions, versions and aliases alike; the API reference says how long it may be."""
    description = params.get("Description") or ""
    if len(description) > _DESCRIPTION_MAX:
        raise validation(
            f"Value '{description}' at 'description' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_DESCRIPTION_MAX}"
        )


def is_version(qualifier: str) -> bool:
    return qualifier.isdecimal()
