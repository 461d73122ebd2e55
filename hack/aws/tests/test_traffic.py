"""Traffic: the metrics that Lambda would write, split by the real weights of the alias."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Account

GOOD = {"errorRate": 0.0, "durationMs": {"mean": 100, "p95": 180}}


@pytest.fixture
def live(account: Account) -> Account:
    """fn with versions 1 and 2, and the alias live at version 1, on a whole minute."""
    account.function(versions=2)
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    to_minute(account)
    return account


def to_minute(account: Account) -> float:
    """Goes a moment past the next whole minute."""
    now = account.standin.control("GET", "clock")["now"]
    return account.standin.advance(60.01 - now % 60)


def traffic(account: Account, **settings: Any) -> float:
    body = {
        "function": "fn",
        "alias": "live",
        "perMinute": 200,
        "versions": {"1": GOOD, "2": GOOD},
        "seed": 7,
    } | settings
    return float(account.control("POST", "traffic", **body)["from"])


def series(
    account: Account, start: float, minutes: int, name: str = "Invocations", stat: str = "Sum", **dims: str
) -> list[float]:
    pairs = {"FunctionName": "fn", "Resource": "fn:live"} | dims
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": name,
        "Dimensions": [{"Name": k, "Value": v} for k, v in pairs.items() if v],
    }
    answer = account.cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}],
        StartTime=datetime.fromtimestamp(start, UTC),
        EndTime=datetime.fromtimestamp(start + minutes * 60, UTC),
        ScanBy="TimestampAscending",
    )
    found: list[float] = answer["MetricDataResults"][0]["Values"]
    return found


def weigh(account: Account, weight: float) -> None:
    weights = {"AdditionalVersionWeights": {"2": weight}}
    account.lambda_.update_alias(FunctionName="fn", Name="live", RoutingConfig=weights)


def test_each_whole_minute_has_its_datapoints_once_it_has_passed(live: Account) -> None:
    start = traffic(live)
    assert series(live, start, 3) == []
    live.standin.advance(121)
    assert series(live, start, 3) == [200, 200]
    assert series(live, start, 3, Resource="") == [200, 200]
    assert series(live, start, 3, ExecutedVersion="1") == [200, 200]


def test_requests_are_split_at_random_by_the_weights_of_the_alias(live: Account) -> None:
    weigh(live, 0.1)
    start = traffic(live, perMinute=1000)
    live.standin.advance(180)
    stable, canary = (series(live, start, 3, ExecutedVersion=version) for version in "12")
    assert [a + b for a, b in zip(stable, canary, strict=True)] == [1000] * 3
    assert all(60 <= count <= 140 for count in canary) and len(set(canary)) > 1


def test_a_change_of_weights_in_the_middle_of_a_minute_splits_the_minute(live: Account) -> None:
    start = traffic(live, perMinute=1000)
    live.standin.advance(30)
    weigh(live, 1.0)
    live.standin.advance(30)
    (stable,), (canary,) = (series(live, start, 1, ExecutedVersion=version) for version in "12")
    assert 420 <= stable <= 580 and stable + canary == 1000


def test_the_same_seed_gives_the_same_minute(live: Account, fresh: Any) -> None:
    other = fresh()
    other.function(versions=2)
    other.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    to_minute(other)
    for account in (live, other):
        weigh(account, 0.3)
    to_minute(live)
    starts = [traffic(account) for account in (live, other)]
    live.standin.advance(120)
    assert starts[0] == starts[1]
    assert series(live, starts[0], 2, ExecutedVersion="2") == series(other, starts[1], 2, ExecutedVersion="2")


def test_a_bad_version_has_errors_and_a_good_one_has_datapoints_of_zero(live: Account) -> None:
    weigh(live, 0.5)
    start = traffic(live, versions={"1": GOOD, "2": {"errorRate": 0.2, "durationMs": [500]}})
    live.standin.advance(120)
    assert series(live, start, 2, "Errors", ExecutedVersion="1") == [0, 0]
    invocations, errors = (sum(series(live, start, 2, name, ExecutedVersion="2")) for name in ("Invocations", "Errors"))
    assert 0.08 <= errors / invocations <= 0.35
    assert series(live, start, 2, "Errors", "Average", ExecutedVersion="1") == [0, 0]


def test_durations_have_the_mean_and_the_percentile_that_were_asked_for(live: Account) -> None:
    start = traffic(live, perMinute=5000)
    live.standin.advance(60)
    (mean,), (p95,) = (series(live, start, 1, "Duration", stat) for stat in ("Average", "p95"))
    assert mean == pytest.approx(100, rel=0.05) and p95 == pytest.approx(180, rel=0.08)


def test_without_invocations_there_is_no_datapoint_at_all(live: Account) -> None:
    start = traffic(live, perMinute=0)
    live.standin.advance(180)
    for name in ("Invocations", "Errors", "Duration", "Throttles"):
        assert series(live, start, 3, name) == []
    assert series(live, start, 3, ExecutedVersion="2") == []


def test_throttles_are_neither_invocations_nor_errors(live: Account) -> None:
    start = traffic(live, versions={"1": {"throttleRate": 1.0}})
    live.standin.advance(60)
    assert series(live, start, 1, "Throttles") == [200]
    assert series(live, start, 1) == [] and series(live, start, 1, "Errors") == []


def test_datapoints_can_come_late(live: Account) -> None:
    start = traffic(live, late=120)
    live.standin.advance(61)
    assert series(live, start, 1) == []
    live.standin.advance(119)
    assert series(live, start, 1) == [200]


def test_traffic_follows_the_weights_that_lambda_writes_itself(live: Account) -> None:
    live.lambda_.put_provisioned_concurrency_config(
        FunctionName="fn", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    live.standin.advance(200)
    to_minute(live)
    live.lambda_.update_alias(
        FunctionName="fn", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    start = traffic(live)
    live.standin.advance(180)
    old, new = (series(live, start, 3, ExecutedVersion=version) for version in "12")
    assert old[0] == 200 and 60 <= old[1] <= 140  # ready after 90 seconds
    assert new == [200 - old[1], 200]


def test_settings_can_change_and_traffic_can_stop(live: Account) -> None:
    start = traffic(live)
    live.standin.advance(60)
    traffic(live, perMinute=50)
    live.standin.advance(60)
    assert live.control("DELETE", "traffic", id="fn:live")["stopped"] == ["fn:live"]
    live.standin.advance(120)
    assert series(live, start, 4) == [200, 50]


def test_less_than_one_request_a_minute_is_a_chance(live: Account) -> None:
    start = traffic(live, perMinute=0.5)
    live.standin.advance(60 * 60)
    assert 10 <= len(series(live, start, 60)) <= 50


def test_executed_version_can_be_left_out_while_the_alias_has_no_weights(live: Account) -> None:
    start = traffic(live, executedNeedsWeights=True)
    live.standin.advance(60)
    assert series(live, start, 1) == [200] and series(live, start, 1, ExecutedVersion="1") == []
    weigh(live, 0.5)
    live.standin.advance(60)
    assert len(series(live, start + 60, 1, ExecutedVersion="1")) == 1
