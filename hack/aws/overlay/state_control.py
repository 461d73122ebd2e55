"""Commands on states: make one last, release it, make it end in failure, or set it."""

from __future__ import annotations

from typing import Any

from .functions.model import LATEST, Change, Function, LambdaState, StateRule
from .functions.states import DEFAULT_DELAYS, settle

_STATES = ("Active", "ActiveNonInvocable", "Deactivated", "Deactivating", "Deleting", "Failed", "Inactive", "Pending")


def change_state(state: LambdaState, body: dict[str, Any], now: float) -> dict[str, Any]:
    """`hold`: changes that match stay under way. `release`: they end when due. `fail`: the next `times` end in Failed
    (or FAILED). `now` makes those under way due at once. `set`: puts a version into a state directly."""
    action, name = body["action"], body["function"]
    kind, version = body.get("kind", "*"), str(body.get("version", "*"))
    if kind not in ("*", *DEFAULT_DELAYS):
        raise ValueError(f"kind must be *, {', '.join(DEFAULT_DELAYS)}, not {kind}")
    if action == "set":
        return _set(state, body)
    rule = StateRule(
        kind,
        name,
        version,
        action,
        body.get("code", "InternalError"),
        body.get("reason", ""),
        int(body.get("times", 1)),
    )
    if action not in ("hold", "release", "fail"):
        raise ValueError(f"action must be hold, release, fail or set, not {action}")
    same = [each for each in state.rules if _overlap(each, rule)]
    if action in ("release", "fail"):
        state.rules = [each for each in state.rules if each not in same]
    if action != "release":
        state.rules.append(rule)
    freed = [each for each in same if each.mode == "hold"] if action != "hold" else []
    for function in state.functions.values():
        for at, change in _changes(function):
            if any(each.matches(change, function.name, at) for each in freed):
                change.due = max(change.due, now)  # what was held ends now, not in the past
            if body.get("now") and rule.matches(change, function.name, at):
                change.due = min(change.due, now)
        settle(state, function, now)
    return {"rules": len(state.rules)}


def _overlap(old: StateRule, new: StateRule) -> bool:
    """Whether the new rule speaks of what the old one does."""
    pairs = ((old.kind, new.kind), (old.function, new.function), (old.version, new.version))
    return all("*" in pair or pair[0] == pair[1] for pair in pairs)


def _changes(function: Function) -> list[tuple[str, Change]]:
    versions = [(version.number, version.change) for version in (function.latest, *function.versions.values())]
    configs = [(config.qualifier, config.change) for config in function.provisioned.values()]
    return [(at, change) for at, change in versions + configs if change is not None]


def _set(state: LambdaState, body: dict[str, Any]) -> dict[str, Any]:
    function = state.functions.get(body["function"])
    version = function.version(str(body.get("version", LATEST))) if function else None
    if version is None:
        raise ValueError(f"there is no version {body.get('version', LATEST)} of {body['function']}")
    if body["state"] not in _STATES:
        raise ValueError(f"state must be one of {', '.join(_STATES)}")
    version.state, version.change = body["state"], None
    version.state_reason = (body["code"], body.get("reason", "")) if "code" in body else None
    return {}
