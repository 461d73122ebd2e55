"""Metrics: statistics, periods, metric math, paging."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import EPOCH, Account, error_of

START = datetime.fromtimestamp(EPOCH, UTC)


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture
def shop(account: Account) -> Account:
    """Three minutes of Shop/Latency: 1 to 100 in the first, nothing in the second, four times 10 in the third."""
    points = [
        {"time": EPOCH, "values": list(range(1, 101))},
        {"time": EPOCH + 120, "values": [10], "counts": [4]},
    ]
    account.control(
        "POST",
        "metrics",
        namespace="Shop",
        name="Latency",
        dimensions={"Service": "api"},
        unit="Milliseconds",
        points=points,
    )
    return account


def stat(name: str, period: int = 60, id: str = "m", **more: Any) -> dict[str, Any]:
    metric = {
        "Namespace": "Shop",
        "MetricName": "Latency",
        "Dimensions": [{"Name": "Service", "Value": "api"}],
    } | more.pop("metric", {})
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": name} | more.pop("stat", {})} | more


def get(account: Account, *queries: dict[str, Any], start: float = 0, end: float = 3, **params: Any) -> Any:
    params = {"ScanBy": "TimestampAscending"} | params
    return account.cloudwatch.get_metric_data(
        MetricDataQueries=list(queries), StartTime=minute(start), EndTime=minute(end), **params
    )


def values(account: Account, *queries: dict[str, Any], **params: Any) -> list[float]:
    (result,) = get(account, *queries, **params)["MetricDataResults"]
    found: list[float] = result["Values"]
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Sum", [5050, 40]),
        ("SampleCount", [100, 4]),
        ("Average", [50.5, 10]),
        ("Minimum", [1, 10]),
        ("Maximum", [100, 10]),
        ("p50", [50, 10]),
        ("p95", [95, 10]),
        ("p99.5", [100, 10]),
        ("p100", [100, 10]),
    ],
)
def test_statistics(shop: Account, name: str, expected: list[float]) -> None:
    assert values(shop, stat(name)) == expected


def test_an_unknown_statistic_is_refused(shop: Account) -> None:
    with pytest.raises(shop.cloudwatch.exceptions.ClientError, match="ValidationError"):
        get(shop, stat("median"))


def test_minutes_without_data_have_no_datapoint(shop: Account) -> None:
    (result,) = get(shop, stat("Sum"))["MetricDataResults"]
    assert result["Timestamps"] == [minute(0), minute(2)]
    assert result["StatusCode"] == "Complete"
    assert values(shop, stat("Sum", metric={"MetricName": "None"})) == []


def test_the_start_is_inclusive_and_the_end_exclusive(shop: Account) -> None:
    assert values(shop, stat("Sum"), start=0, end=2) == [5050]
    assert values(shop, stat("Sum"), start=1, end=2) == []
    assert values(shop, stat("Sum"), start=2, end=2.5) == [40]


def test_a_longer_period_merges_the_minutes(shop: Account) -> None:
    assert values(shop, stat("Sum", 180)) == [5090]
    assert values(shop, stat("p95", 180)) == [95]
    assert values(shop, stat("SampleCount", 120), end=4) == [100, 4]


def test_a_period_that_is_no_multiple_of_a_minute_is_refused(shop: Account) -> None:
    with pytest.raises(shop.cloudwatch.exceptions.ClientError, match="ValidationError"):
        get(shop, stat("Sum", 90))


def test_the_newest_datapoint_comes_first_by_default(shop: Account) -> None:
    assert values(shop, stat("Sum"), ScanBy="TimestampDescending") == [40, 5050]


def test_queries_that_do_not_return_data_are_not_told(shop: Account) -> None:
    answer = get(shop, stat("Sum", id="a", ReturnData=False), {"Id": "e", "Expression": "a / 10"})
    assert [(result["Id"], result["Values"]) for result in answer["MetricDataResults"]] == [("e", [505, 4])]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("100 * a / b", [5050, 1000]),
        ("(a + b) - 2 * b", [4950, 36]),
        ("-a + 5050", [0, 5010]),
        ("b ^ 2", [10000, 16]),
        ("a % 7", [3, 5]),
        ("FILL(a, 0)", [5050, 0, 40]),
        ("FILL(a, REPEAT)", [5050, 5050, 40]),
        ("FILL(a, LINEAR)", [5050, 2545, 40]),
        ("100 * FILL(none, 0) / a", [0, 0]),
        ("a / (b - 100)", [40 / -96]),
        ("IF(a > 100, 1, 0)", [1, 0]),
        ("IF(a > 100, a)", [5050]),
        ("SUM([a, b])", [5150, 44]),
        ("MAX(METRICS())", [5050, 40]),
        ("AVG([a, b])", [2575, 22]),
        ("a / SUM(a)", [5050 / 5090, 40 / 5090]),
        ("a / PERIOD(a)", [5050 / 60, 40 / 60]),
        ("1.5e1 * b", [1500, 60]),
    ],
)
def test_metric_math(shop: Account, expression: str, expected: list[float]) -> None:
    queries = [
        stat("Sum", id="a", ReturnData=False),
        stat("SampleCount", id="b", ReturnData=False),
        stat("Sum", id="none", ReturnData=False, metric={"MetricName": "None"}),
        {"Id": "e", "Expression": expression},
    ]
    assert values(shop, *queries) == pytest.approx(expected)


@pytest.mark.parametrize("expression", ["a +", "(a", "unknown * 2", "1 + 2", "NOPE(a)", "a $ 2", "e"])
def test_expressions_that_mean_nothing_are_refused(shop: Account, expression: str) -> None:
    with pytest.raises(shop.cloudwatch.exceptions.ClientError, match="ValidationError"):
        get(shop, stat("Sum", id="a"), {"Id": "e", "Expression": expression})


def test_at_most_five_hundred_queries(shop: Account) -> None:
    assert len(get(shop, *[stat("Sum", id=f"m{n}") for n in range(500)])["MetricDataResults"]) == 500
    with pytest.raises(shop.cloudwatch.exceptions.ClientError, match="500"):
        get(shop, *[stat("Sum", id=f"m{n}") for n in range(501)])


def test_an_id_must_be_used_once_and_start_with_a_small_letter(shop: Account) -> None:
    for queries in ([stat("Sum", id="A")], [stat("Sum"), stat("Sum")], [{"Id": "x"}]):
        with pytest.raises(shop.cloudwatch.exceptions.ClientError, match="ValidationError"):
            get(shop, *queries)


def test_more_datapoints_than_asked_for_come_in_pages_and_a_cut_result_is_partial(shop: Account) -> None:
    queries = [stat("Sum", id="a"), stat("Sum", id="b")]
    seen, token, more = [], None, {}
    while True:
        page = get(shop, *queries, MaxDatapoints=3, **more)
        seen.append([(result["Id"], result["Values"], result["StatusCode"]) for result in page["MetricDataResults"]])
        if not (token := page.get("NextToken")):
            break
        more = {"NextToken": token}
    assert seen == [[("a", [5050, 40], "Complete"), ("b", [5050], "PartialData")], [("b", [40], "Complete")]]


def test_a_token_of_another_query_is_refused(shop: Account) -> None:
    token = get(shop, stat("Sum"), MaxDatapoints=1)["NextToken"]
    for queries, broken in (([stat("p50")], token), ([stat("Sum")], "nonsense")):
        with pytest.raises(shop.cloudwatch.exceptions.ClientError, match="InvalidNextToken"):
            get(shop, *queries, NextToken=broken)


def test_a_fault_can_make_results_partial_or_forbidden(shop: Account) -> None:
    match = {"account": shop.number, "operation": "GetMetricData"}
    for status, expected in (("PartialData", [5050, 40]), ("Forbidden", [])):
        shop.standin.control(
            "POST", "faults", match=match, effect={"metricStatus": {"statusCode": status, "ids": "^a$"}}
        )
        first, second = get(shop, stat("Sum", id="a"), stat("Sum", id="b"))["MetricDataResults"]
        assert (first["StatusCode"], first["Values"]) == (status, expected)
        assert second["StatusCode"] == "Complete"


def test_put_metric_data_adds_values_with_counts_and_statistic_sets(account: Account) -> None:
    datum = {"MetricName": "Latency", "Timestamp": minute(0), "Dimensions": [{"Name": "Service", "Value": "api"}]}
    sets = {"SampleCount": 2, "Sum": 30, "Minimum": 10, "Maximum": 20}
    put = account.cloudwatch.put_metric_data
    put(Namespace="Shop", MetricData=[datum | {"Values": [1, 2], "Counts": [1, 3]}, datum | {"Value": 4}])
    assert values(account, stat("p50")) == [2] and values(account, stat("Sum")) == [11]
    put(Namespace="Shop", MetricData=[datum | {"StatisticValues": sets}])
    assert values(account, stat("Sum")) == [41] and values(account, stat("Maximum")) == [20]
    assert values(account, stat("p50")) == []


@pytest.mark.parametrize(
    ("namespace", "datum"),
    [
        ("AWS/Lambda", {"Value": 1}),
        ("Shop", {}),
        ("Shop", {"Value": 1, "Values": [1]}),
        ("Shop", {"Values": [1, 2], "Counts": [1]}),
        ("Shop", {"Values": list(range(151))}),
    ],
)
def test_wrong_data_are_refused(account: Account, namespace: str, datum: dict[str, Any]) -> None:
    put: Callable[..., Any] = account.cloudwatch.put_metric_data
    assert error_of(put, Namespace=namespace, MetricData=[{"MetricName": "m"} | datum])[1] == 400


def test_metrics_are_listed_by_namespace_name_and_dimension(shop: Account) -> None:
    shop.cloudwatch.put_metric_data(Namespace="Other", MetricData=[{"MetricName": "Latency", "Value": 1}])
    listed = shop.cloudwatch.list_metrics
    assert len(listed()["Metrics"]) == 2
    (found,) = listed(Namespace="Shop", MetricName="Latency", Dimensions=[{"Name": "Service"}])["Metrics"]
    assert found["Dimensions"] == [{"Name": "Service", "Value": "api"}]
    assert listed(Dimensions=[{"Name": "Service", "Value": "none"}])["Metrics"] == []


def test_high_resolution_data_have_periods_below_a_minute(account: Account) -> None:
    data = [
        {"MetricName": "Latency", "Timestamp": START + timedelta(seconds=n), "Value": n, "StorageResolution": 1}
        for n in range(20)
    ]
    account.cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    query = stat("Sum", 10, metric={"Dimensions": []})
    assert values(account, query) == [45, 145]


def test_a_datapoint_can_become_visible_late(account: Account) -> None:
    now = account.standin.control("GET", "clock")["now"]
    account.control(
        "POST",
        "metrics",
        namespace="Shop",
        name="Latency",
        dimensions={"Service": "api"},
        points=[{"time": EPOCH, "value": 1, "visibleAt": now + 600}],
    )
    assert values(account, stat("Sum")) == []
    account.standin.advance(600)
    assert values(account, stat("Sum")) == [1]


def test_a_unit_that_the_metric_does_not_have_gives_no_data(shop: Account) -> None:
    assert values(shop, stat("Sum", stat={"Unit": "Milliseconds"})) == [5050, 40]
    assert values(shop, stat("Sum", stat={"Unit": "Seconds"})) == []


def test_get_metric_statistics_tells_the_same(shop: Account) -> None:
    answer = shop.cloudwatch.get_metric_statistics(
        Namespace="Shop",
        MetricName="Latency",
        Dimensions=[{"Name": "Service", "Value": "api"}],
        StartTime=minute(0),
        EndTime=minute(3),
        Period=60,
        Statistics=["Sum"],
        ExtendedStatistics=[],
    )
    assert [point["Sum"] for point in answer["Datapoints"]] == [5050, 40]
