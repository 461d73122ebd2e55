"""The table of CloudWatch operations that the stand-in has, and PutMetricData and ListMetrics."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import alarms, data, mute_rules
from .context import CloudWatchCall, invalid_combination, invalid_value, paged
from .metrics import MetricKey, dimensions

Operation = Callable[[CloudWatchCall, dict[str, Any]], dict[str, Any]]

MAX_METRICS = 1000  # PutMetricData, a call
MAX_VALUES = 150  # of one datum
PAGE = 500  # ListMetrics
_FORWARDED = re.compile(
    r"(Put|Get|List|Delete)(Dashboard|Dashboards)|(Put|Describe|Delete|Enable|Disable)InsightRules?"
)


def forwarded(operation: str) -> bool:
    """What moto keeps: dashboards and insight rules share no state with ours."""
    return _FORWARDED.fullmatch(operation) is not None


def put_metric_data(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    namespace = params["Namespace"]
    if namespace.startswith("AWS/"):
        raise invalid_value("The value AWS/ for parameter Namespace is invalid.")
    metrics = params.get("MetricData") or []
    if not 1 <= len(metrics) <= MAX_METRICS:
        raise invalid_value(f"The collection MetricData must have 1 to {MAX_METRICS} members")
    for datum in metrics:
        _check(datum)
    for datum in metrics:
        _store(call, namespace, datum)
    return {}


def _check(datum: dict[str, Any]) -> None:
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if len(given) != 1:
        raise invalid_combination("A datum needs exactly one of Value, Values and StatisticValues")
    values = datum.get("Values", [])
    if len(values) > MAX_VALUES:
        raise invalid_value(f"The collection Values must not have more than {MAX_VALUES} members")
    if "Counts" in datum and len(datum["Counts"]) != len(values):
        raise invalid_value("The parameters Values and Counts must be of the same size")


def _store(call: CloudWatchCall, namespace: str, datum: dict[str, Any]) -> None:
    dims = dimensions((pair["Name"], pair["Value"]) for pair in datum.get("Dimensions", []))
    series = call.metrics.get(MetricKey(namespace, datum["MetricName"], dims), datum.get("Unit"))
    point = series.at(datum.get("Timestamp", call.now), 1 if datum.get("StorageResolution") == 1 else 60)
    if "StatisticValues" in datum:
        values = datum["StatisticValues"]
        point.add_set(values["SampleCount"], values["Sum"], values["Minimum"], values["Maximum"])
        return
    numbers = datum.get("Values", [datum["Value"]] if "Value" in datum else [])
    for value, count in zip(numbers, datum.get("Counts", [1.0] * len(numbers)), strict=True):
        point.add(value, count)


def list_metrics(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    wanted = [(pair["Name"], pair.get("Value")) for pair in params.get("Dimensions", [])]
    found = [
        key
        for key, series in call.metrics.series.items()
        if params.get("Namespace") in (None, key.namespace)
        if params.get("MetricName") in (None, key.name)
        if all(any(name == n and value in (None, v) for n, v in key.dimensions) for name, value in wanted)
        if series.between(0, float("inf"), call.now)
    ]
    found.sort(key=lambda key: (key.namespace, key.name, key.dimensions))
    page, token = paged(found, params.get("NextToken"), PAGE)
    metrics = [
        {
            "Namespace": key.namespace,
            "MetricName": key.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
        }
        for key in page
    ]
    return {"Metrics": metrics, "NextToken": token}


OPERATIONS: dict[str, Operation] = {
    "GetMetricData": data.get_metric_data,
    "GetMetricStatistics": data.get_metric_statistics,
    "PutMetricData": put_metric_data,
    "ListMetrics": list_metrics,
    "PutMetricAlarm": alarms.put_metric_alarm,
    "PutCompositeAlarm": alarms.put_composite_alarm,
    "DescribeAlarms": alarms.describe_alarms,
    "SetAlarmState": alarms.set_alarm_state,
    "EnableAlarmActions": alarms.enable_alarm_actions,
    "DisableAlarmActions": alarms.disable_alarm_actions,
    "DeleteAlarms": alarms.delete_alarms,
    "ListTagsForResource": alarms.list_tags,
    "TagResource": alarms.tag_resource,
    "UntagResource": alarms.untag_resource,
    **mute_rules.OPERATIONS,
}
