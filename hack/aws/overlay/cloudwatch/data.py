"""GetMetricData and GetMetricStatistics."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from ..errors import AwsError
from .context import (
    CloudWatchCall,
    invalid_combination,
    invalid_token,
    invalid_value,
    parts_of,
    token_of,
    validation_error,
)
from .expressions import Points, Scope, evaluate, expression_error
from .metrics import Distribution, MetricKey, dimensions
from .stats import statistic

MAX_QUERIES = 500
MAX_POINTS_OF_STATISTICS = 1440
_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")


def check_period(period: int) -> None:
    if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        raise validation_error(
            f"Value '{period}' at 'period' failed to satisfy constraint: 1, 5, 10, 20, 30 or a multiple of 60"
        )


def get_metric_data(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    """Start is inclusive, end exclusive; no data, no datapoint; pages by MaxDatapoints and NextToken."""
    queries = params.get("MetricDataQueries") or []
    if not 1 <= len(queries) <= MAX_QUERIES:
        raise validation_error(f"'metricDataQueries' must have 1 to {MAX_QUERIES} members, not {len(queries)}")
    start, end = params["StartTime"], params["EndTime"]
    if start >= end:
        raise validation_error("The parameter StartTime must be less than the parameter EndTime.")
    run = _Run(call, queries, start // 60 * 60, end)
    results = [run.result(query) for query in queries if query.get("ReturnData", True)]
    if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
        for result in results:
            result["Timestamps"].reverse()
            result["Values"].reverse()
    limit = min(params.get("MaxDatapoints") or call.max_datapoints, call.max_datapoints)
    page, token = _page(results, params, limit)
    for result in page:
        _force(result, call.forced_status)
    return {"MetricDataResults": page, "NextToken": token, "Messages": []}


@dataclass
class _Run:
    """The evaluation of one request; every query is computed once."""

    call: CloudWatchCall
    queries: list[dict[str, Any]]
    start: float
    end: float
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: dict[str, Points] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for query in self.queries:
            identifier = query.get("Id", "")
            if not _ID.fullmatch(identifier):
                raise validation_error(f"Value '{identifier}' at 'id' failed to satisfy constraint: [a-z][a-zA-Z0-9_]*")
            if identifier in self.by_id:
                raise validation_error(f"The id {identifier} is used twice")
            if ("MetricStat" in query) == ("Expression" in query):
                raise validation_error(f"The query {identifier} needs exactly one of MetricStat and Expression")
            self.by_id[identifier] = query

    def result(self, query: dict[str, Any]) -> dict[str, Any]:
        points = self.points(query["Id"])
        times = sorted(points)
        label = query.get("Label") or (
            query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
        )
        return {
            "Id": query["Id"],
            "Label": label,
            "Timestamps": [float(time) for time in times],
            "Values": [points[time] for time in times],
            "StatusCode": "Complete",
        }

    def points(self, identifier: str) -> Points:
        if identifier in self.done:
            return self.done[identifier]
        query = self.by_id.get(identifier)
        if query is None:
            raise expression_error(f"no query has the id {identifier}")
        if identifier in self.running:
            raise expression_error(f"the query {identifier} depends on itself")
        self.running.add(identifier)
        self.done[identifier] = self._metric(query["MetricStat"]) if "MetricStat" in query else self._expression(query)
        return self.done[identifier]

    def _metric(self, stat: dict[str, Any]) -> Points:
        metric = stat["Metric"]
        check_period(stat["Period"])
        buckets = _buckets(self.call, metric, self.start, self.end, stat["Period"], stat.get("Unit"))
        compute = statistic(stat["Stat"])
        return {time: value for time, bucket in buckets.items() if (value := compute(bucket)) is not None}

    def _period(self) -> int:
        periods = [query["MetricStat"]["Period"] for query in self.queries if "MetricStat" in query]
        return min(periods, default=60)

    def _expression(self, query: dict[str, Any]) -> Points:
        period = query.get("Period") or self._period()
        times = [int(self.start) + step for step in range(0, int(self.end - self.start - 1e-9) + 1, period)]
        metrics = [query["Id"] for query in self.queries if "MetricStat" in query]
        scope = Scope(self.points, lambda: [self.points(name) for name in metrics], times, period)
        return evaluate(query["Expression"], scope)


def _buckets(
    call: CloudWatchCall, metric: dict[str, Any], start: float, end: float, period: int, unit: str | None
) -> dict[int, Distribution]:
    pairs = [(dimension["Name"], dimension["Value"]) for dimension in metric.get("Dimensions", [])]
    series = call.metrics.series.get(MetricKey(metric["Namespace"], metric["MetricName"], dimensions(pairs)))
    buckets: dict[int, Distribution] = {}
    if series is None or (unit and unit != (series.unit or "None")):
        return buckets
    for time, point in series.between(start, end, call.now):
        moment = int(start + (time - start) // period * period)
        if moment not in buckets:
            buckets[moment] = Distribution()
        buckets[moment].merge(point)
    return buckets


def _page(results: list[dict[str, Any]], params: dict[str, Any], limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """The next `limit` datapoints; a result that goes on in the next page is PartialData."""
    asked = {key: params[key] for key in ("MetricDataQueries", "StartTime", "EndTime")}
    mark = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    skip = 0
    if token := params.get("NextToken"):
        made_for, offset = parts_of(token, 2)
        if made_for != mark or not offset.isdecimal():
            raise invalid_token()
        skip = int(offset)
    first, total, page = skip == 0, 0, []
    for result in results:
        count = len(result["Values"])
        low, high = max(0, skip - total), min(count, skip + limit - total)
        total += count
        if high > low or (first and count == 0):
            status = "Complete" if high >= count else "PartialData"
            page.append(
                result
                | {
                    "Timestamps": result["Timestamps"][low:high],
                    "Values": result["Values"][low:high],
                    "StatusCode": status,
                }
            )
    return page, token_of(mark, skip + limit) if skip + limit < total else None


def _force(result: dict[str, Any], forced: dict[str, Any] | None) -> None:
    if forced and re.search(forced.get("ids", ""), result["Id"]):
        result["StatusCode"] = forced.get("statusCode", "PartialData")
        if result["StatusCode"] in ("Forbidden", "InternalError"):
            result["Timestamps"], result["Values"] = [], []
            result["Messages"] = [{"Code": result["StatusCode"], "Value": "injected by the stand-in"}]


def get_metric_statistics(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    wanted = params.get("Statistics", []) + params.get("ExtendedStatistics", [])
    if not wanted:
        raise invalid_combination("At least one of Statistics and ExtendedStatistics is needed")
    check_period(params["Period"])
    if params["StartTime"] >= params["EndTime"]:
        raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
    if (params["EndTime"] - params["StartTime"]) / params["Period"] > MAX_POINTS_OF_STATISTICS:
        raise AwsError(
            "InvalidParameterCombination",
            f"more than {MAX_POINTS_OF_STATISTICS} datapoints",
            400,
            shape="InvalidParameterCombinationException",
        )
    buckets = _buckets(
        call, params, params["StartTime"] // 60 * 60, params["EndTime"], params["Period"], params.get("Unit")
    )
    points = []
    for time, bucket in sorted(buckets.items()):
        point: dict[str, Any] = {"Timestamp": float(time), "Unit": params.get("Unit", "None")}
        point |= {name: statistic(name)(bucket) for name in params.get("Statistics", [])}
        if extended := {name: statistic(name)(bucket) for name in params.get("ExtendedStatistics", [])}:
            point["ExtendedStatistics"] = {name: value for name, value in extended.items() if value is not None}
        points.append(point)
    return {"Label": params["MetricName"], "Datapoints": points}
