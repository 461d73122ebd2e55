"""Metric and composite alarms. They change state by SetAlarmState only; nothing evaluates them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..errors import AwsError
from .context import CloudWatchCall, invalid_combination, missing, paged, resource_not_found, validation_error

MAX_NAMES = 100
MAX_RECORDS = 100
DEFAULT_RECORDS = 50
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


@dataclass
class AlarmStore:
    """Alarms by name, each in the form that DescribeAlarms tells."""

    metric: dict[str, dict[str, Any]] = field(default_factory=dict)
    composite: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def find(self, name: str) -> dict[str, Any] | None:
        return self.metric.get(name) or self.composite.get(name)

    def remove(self, name: str) -> None:
        for table in (self.metric, self.composite):
            if alarm := table.pop(name, None):
                self.tags.pop(alarm["AlarmArn"], None)


def put_metric_alarm(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    if "Metrics" not in params:
        for name in ("MetricName", "Namespace", "Period"):
            if name not in params:
                raise missing(name)
        if ("Statistic" in params) == ("ExtendedStatistic" in params):
            raise invalid_combination("An alarm needs exactly one of Statistic and ExtendedStatistic")
    elif "MetricName" in params:
        raise invalid_combination("Metrics and MetricName are mutually exclusive")
    _put(
        call,
        call.alarms.metric,
        params,
        {"Threshold": params.get("Threshold", 0.0)} if "ThresholdMetricId" not in params else {},
    )
    return {}


def put_composite_alarm(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    if not params.get("AlarmRule"):
        raise missing("AlarmRule")
    _put(call, call.alarms.composite, params, {})
    return {}


def _put(call: CloudWatchCall, table: dict[str, dict[str, Any]], params: dict[str, Any], more: dict[str, Any]) -> None:
    """A new alarm starts in INSUFFICIENT_DATA; an update keeps the state."""
    name = params["AlarmName"]
    other = call.alarms.composite if table is call.alarms.metric else call.alarms.metric
    if name in other:
        raise AwsError("ValidationError", f"An alarm of another type has the name {name}", 400)
    old = table.get(name)
    settings = {key: value for key, value in params.items() if key != "Tags"}
    arn = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
    state = {
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": call.now,
        "StateTransitionedTimestamp": call.now,
    }
    if old:
        state = {key: old[key] for key in (*state, "StateReasonData") if key in old}
    lists = {key: settings.get(key, []) for key in ("OKActions", "AlarmActions", "InsufficientDataActions")}
    table[name] = (
        settings
        | more
        | lists
        | state
        | {
            "AlarmArn": arn,
            "ActionsEnabled": params.get("ActionsEnabled", True),
            "AlarmConfigurationUpdatedTimestamp": call.now,
        }
    )
    if not old:
        call.alarms.tags[arn] = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}


def describe_alarms(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    """Composite alarms are told only when AlarmTypes asks for them."""
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if names is not None and prefix is not None:
        raise invalid_combination("AlarmNames and AlarmNamePrefix are mutually exclusive")
    _check_names(names or [])
    if "ChildrenOfAlarmName" in params or "ParentsOfAlarmName" in params:
        raise AwsError(
            "UnknownOperationException", "the stand-in has no ChildrenOfAlarmName or ParentsOfAlarmName", 501
        )
    limit = params.get("MaxRecords", DEFAULT_RECORDS)
    if not 1 <= limit <= MAX_RECORDS:
        raise validation_error(
            f"Value '{limit}' at 'maxRecords' failed to satisfy constraint: Member must be 1 to {MAX_RECORDS}"
        )
    types = params.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        (kind, alarm)
        for kind, table in (("MetricAlarm", call.alarms.metric), ("CompositeAlarm", call.alarms.composite))
        if kind in types
        for name, alarm in sorted(table.items())
        if (names is None or name in names) and name.startswith(prefix or "")
        if params.get("StateValue") in (None, alarm["StateValue"])
        if _acts(alarm, params.get("ActionPrefix", ""))
    ]
    page, token = paged(found, params.get("NextToken"), limit)
    return {
        "MetricAlarms": [alarm for kind, alarm in page if kind == "MetricAlarm"],
        "CompositeAlarms": [alarm for kind, alarm in page if kind == "CompositeAlarm"],
        "NextToken": token,
    }


def _acts(alarm: dict[str, Any], prefix: str) -> bool:
    actions = alarm["OKActions"] + alarm["AlarmActions"] + alarm["InsufficientDataActions"]
    return not prefix or any(action.startswith(prefix) for action in actions)


def set_alarm_state(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    alarm = call.alarms.find(params["AlarmName"])
    if alarm is None:
        raise resource_not_found(f"Alarm {params['AlarmName']} does not exist")
    value = params["StateValue"]
    if value not in _STATES:
        raise validation_error(
            f"Value '{value}' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(_STATES)}]"
        )
    data = params.get("StateReasonData")
    if data is not None:
        try:
            json.loads(data)
        except ValueError:
            raise AwsError("InvalidFormat", "StateReasonData must be JSON", 400, shape="InvalidFormatFault") from None
        alarm["StateReasonData"] = data
    changed = alarm["StateValue"] != value
    if changed:
        alarm["StateTransitionedTimestamp"] = call.now
    alarm |= {"StateValue": value, "StateReason": params["StateReason"], "StateUpdatedTimestamp": call.now}
    if changed:
        call.mutes.changed(alarm, call.now)
    return {}


def enable_alarm_actions(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    return _switch(call, params, True)


def disable_alarm_actions(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    return _switch(call, params, False)


def _switch(call: CloudWatchCall, params: dict[str, Any], on: bool) -> dict[str, Any]:
    """Names of alarms that do not exist are passed over, as in AWS."""
    _check_names(params["AlarmNames"])
    for name in params["AlarmNames"]:
        if alarm := call.alarms.find(name):
            alarm["ActionsEnabled"] = on
    return {}


def delete_alarms(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    """All or nothing; at most one composite alarm a call."""
    names = params["AlarmNames"]
    _check_names(names)
    gone = [name for name in names if call.alarms.find(name) is None]
    if gone:
        raise resource_not_found(f"Alarms do not exist: {', '.join(gone)}")
    if sum(name in call.alarms.composite for name in names) > 1:
        raise validation_error("at most one composite alarm can be deleted in one call")
    for name in names:
        call.alarms.remove(name)
    return {}


def _check_names(names: list[str]) -> None:
    if len(names) > MAX_NAMES:
        raise validation_error(
            f"Value at 'alarmNames' failed to satisfy constraint: Member must have length less than or equal to {MAX_NAMES}"
        )


def _tags(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, str]:
    tags = call.alarms.tags.get(params["ResourceARN"])
    if tags is None:
        raise AwsError("ResourceNotFoundException", f"{params['ResourceARN']} does not exist", 404)
    return tags


def list_tags(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(_tags(call, params).items())]}


def tag_resource(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    _tags(call, params).update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
    return {}


def untag_resource(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    tags = _tags(call, params)
    for key in params["TagKeys"]:
        tags.pop(key, None)
    return {}
