"""States that take time. Nothing runs in the background: whoever looks first settles what has fallen due.

Delays are stand-in seconds. A change that is held stays under way; one that must fail ends in Failed when due.
"""

from __future__ import annotations

from .model import Change, Function, LambdaState, Provisioned, StateRule, Version, new_revision

# Lambda developer guide. create, update, publish, wake: a few seconds without a VPC (functions-states). snapStart: minutes
# (snapstart). provisioned: allocation starts after 1–2 minutes, then 500 a minute.
DEFAULT_DELAYS = {"create": 2.0, "update": 3.0, "publish": 3.0, "wake": 5.0, "snapStart": 120.0, "provisioned": 90.0}
PROVISIONED_PER_MINUTE = 500


def provisioned_delay(delays: dict[str, float], executions: int) -> float:
    return delays["provisioned"] + (60.0 * executions / PROVISIONED_PER_MINUTE if delays["provisioned"] else 0.0)


def settle(state: LambdaState, function: Function, now: float) -> None:
    """Completes every change of this function that is due and not held."""
    for version in (function.latest, *function.versions.values()):
        if outcome := _outcome(state, version.change, function.name, version.number, now):
            _end_version(function, version, outcome)
    for config in function.provisioned.values():
        if outcome := _outcome(state, config.change, function.name, config.qualifier, now):
            _end_provisioned(function, config, outcome, now)


def _outcome(state: LambdaState, change: Change | None, function: str, version: str, now: float) -> StateRule | bool:
    """False: still under way. True: succeeded. A rule: failed as it says."""
    if change is None or now < change.due:
        return False
    rules = [rule for rule in state.rules if rule.matches(change, function, version)]
    if any(rule.mode == "hold" for rule in rules):
        return False
    failure = next((rule for rule in rules if rule.mode == "fail"), None)
    if failure is None:
        return True
    if failure.times == 1:
        state.rules.remove(failure)
    failure.times -= failure.times > 0
    return failure


def _end_version(function: Function, version: Version, outcome: StateRule | bool) -> None:
    change, version.change = version.change, None
    failed = outcome if isinstance(outcome, StateRule) else None
    if change is not None and change.kind == "update":
        version.update = "Failed" if failed else "Successful"
        version.update_reason = (failed.code, failed.reason) if failed else None
        if failed and version.before:
            version.code, version.settings = version.before
        version.before = None
    else:
        version.state = "Failed" if failed else "Active"
        version.state_reason = (failed.code, failed.reason) if failed else None
        if not failed and version.snap_start and version is not function.latest:
            version.optimization = "On"
    if version is function.latest:
        version.revision = new_revision()  # a state change of $LATEST gives a new RevisionId, one of a version does not


def _end_provisioned(function: Function, config: Provisioned, outcome: StateRule | bool, now: float) -> None:
    due = config.change.due if config.change else now
    config.change = None
    alias = function.aliases.get(config.qualifier)
    if isinstance(outcome, StateRule):
        config.status, config.reason = "FAILED", outcome.reason or outcome.code
        return  # weights that Lambda wrote stay: all traffic stays on the old version
    config.status, config.reason = "READY", None
    config.allocated, config.serving = config.requested, config.version
    if alias and config.moved_from and alias.additional == {config.moved_from: 1.0}:
        alias.route(min(due, now), alias.version, {})
    config.moved_from = None


def allocated(config: Provisioned, now: float, delays: dict[str, float]) -> int:
    """Environments up so far: none before the start, then 500 a minute."""
    if config.status != "IN_PROGRESS":
        return config.allocated
    elapsed = now - config.started - delays["provisioned"]
    return max(0, min(config.requested - 1, int(elapsed * PROVISIONED_PER_MINUTE / 60)))
