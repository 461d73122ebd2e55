"""Alarms: metric and composite, names, paging, states, actions."""

from __future__ import annotations

import time
from typing import Any

import pytest
from conftest import Account, error_of


def put(account: Account, name: str, **settings: Any) -> None:
    account.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        **settings,
    )


def put_composite(account: Account, name: str) -> None:
    account.cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule='ALARM("a")')


def describe(account: Account, **params: Any) -> tuple[list[str], list[str]]:
    answer = account.cloudwatch.describe_alarms(**params)
    return [a["AlarmName"] for a in answer["MetricAlarms"]], [a["AlarmName"] for a in answer["CompositeAlarms"]]


def state(account: Account, name: str) -> dict[str, Any]:
    (alarm,) = account.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    found: dict[str, Any] = alarm
    return found


def test_a_new_alarm_has_insufficient_data(account: Account) -> None:
    put(account, "a")
    assert (state(account, "a")["StateValue"], state(account, "a")["ActionsEnabled"]) == ("INSUFFICIENT_DATA", True)
    assert state(account, "a")["AlarmArn"] == f"arn:aws:cloudwatch:eu-central-1:{account.number}:alarm:a"


def test_composite_alarms_are_told_only_when_asked_for(account: Account) -> None:
    put(account, "a")
    put_composite(account, "c")
    assert describe(account) == (["a"], [])
    assert describe(account, AlarmNames=["a", "c"]) == (["a"], [])
    assert describe(account, AlarmTypes=["CompositeAlarm"]) == ([], ["c"])
    assert describe(account, AlarmTypes=["MetricAlarm", "CompositeAlarm"]) == (["a"], ["c"])


def test_an_alarm_that_does_not_exist_is_left_out(account: Account) -> None:
    put(account, "a")
    assert describe(account, AlarmNames=["a", "none"]) == (["a"], [])


def test_alarms_are_found_by_prefix_and_state(account: Account) -> None:
    for name in ("app-1", "app-2", "db-1"):
        put(account, name)
    account.cloudwatch.set_alarm_state(AlarmName="app-2", StateValue="ALARM", StateReason="test")
    assert describe(account, AlarmNamePrefix="app-") == (["app-1", "app-2"], [])
    assert describe(account, StateValue="ALARM") == (["app-2"], [])
    with pytest.raises(account.cloudwatch.exceptions.ClientError, match="InvalidParameterCombination"):
        describe(account, AlarmNamePrefix="app-", AlarmNames=["app-1"])


def test_at_most_a_hundred_names_a_call(account: Account) -> None:
    names = [f"a{number}" for number in range(101)]
    for operation in ("describe_alarms", "enable_alarm_actions", "disable_alarm_actions", "delete_alarms"):
        error, status, _ = error_of(getattr(account.cloudwatch, operation), AlarmNames=names)
        assert (error, status) == ("ValidationError", 400)
    assert describe(account, AlarmNames=names[:100]) == ([], [])


def test_alarms_come_in_pages_of_at_most_a_hundred(account: Account) -> None:
    for number in range(55):
        put(account, f"a{number:02}")
    put_composite(account, "c")
    types = ["MetricAlarm", "CompositeAlarm"]
    first = account.cloudwatch.describe_alarms(AlarmTypes=types)
    assert len(first["MetricAlarms"]) == 50
    second = account.cloudwatch.describe_alarms(AlarmTypes=types, NextToken=first["NextToken"])
    assert (len(second["MetricAlarms"]), len(second["CompositeAlarms"])) == (5, 1) and "NextToken" not in second
    assert len(account.cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]) == 55
    for params in ({"MaxRecords": 101}, {"NextToken": "nonsense"}):
        assert error_of(account.cloudwatch.describe_alarms, **params)[1] == 400


def test_set_alarm_state_needs_an_alarm_and_a_state(account: Account) -> None:
    put(account, "a")
    put_composite(account, "c")
    account.cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="it is red")
    assert (state(account, "a")["StateValue"], state(account, "a")["StateReason"]) == ("ALARM", "it is red")
    account.cloudwatch.set_alarm_state(AlarmName="c", StateValue="OK", StateReason="x")
    set_state = account.cloudwatch.set_alarm_state
    assert error_of(set_state, AlarmName="none", StateValue="OK", StateReason="x")[:2] == ("ResourceNotFound", 404)
    assert error_of(set_state, AlarmName="a", StateValue="RED", StateReason="x")[:2] == ("ValidationError", 400)


def test_an_update_of_an_alarm_keeps_its_state_and_stand_in_time_stamps_it(account: Account) -> None:
    put(account, "a")
    account.cloudwatch.set_alarm_state(AlarmName="a", StateValue="OK", StateReason="x")
    before = state(account, "a")["StateUpdatedTimestamp"]
    account.standin.advance(3600)
    put(account, "a", AlarmDescription="new")
    assert (state(account, "a")["StateValue"], state(account, "a")["StateUpdatedTimestamp"]) == ("OK", before)
    assert (state(account, "a")["AlarmConfigurationUpdatedTimestamp"] - before).total_seconds() >= 3600


def test_actions_are_switched_by_name_and_unknown_names_are_passed_over(account: Account) -> None:
    put(account, "a")
    put(account, "b")
    account.cloudwatch.disable_alarm_actions(AlarmNames=["a", "none"])
    assert [state(account, name)["ActionsEnabled"] for name in "ab"] == [False, True]
    account.cloudwatch.enable_alarm_actions(AlarmNames=["a"])
    assert state(account, "a")["ActionsEnabled"] is True


def test_deletion_is_all_or_nothing(account: Account) -> None:
    put(account, "a")
    assert error_of(account.cloudwatch.delete_alarms, AlarmNames=["a", "none"])[:2] == ("ResourceNotFound", 404)
    account.cloudwatch.delete_alarms(AlarmNames=["a"])
    assert describe(account) == ([], [])


def test_an_incomplete_alarm_is_refused(account: Account) -> None:
    operation = account.cloudwatch.put_metric_alarm
    settings = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
    assert error_of(operation, **settings)[0] == "MissingParameter"
    settings |= {"MetricName": "E", "Namespace": "N", "Period": 60}
    assert error_of(operation, **settings)[0] == "InvalidParameterCombination"
    assert error_of(account.cloudwatch.put_composite_alarm, AlarmName="c", AlarmRule="")[0] == "MissingParameter"


def test_alarms_carry_tags(account: Account) -> None:
    put(account, "a", Tags=[{"Key": "team", "Value": "x"}])
    arn = state(account, "a")["AlarmArn"]
    account.cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "tier", "Value": "y"}])
    account.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert account.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "tier", "Value": "y"}]


def test_the_rate_of_state_changes_is_limited(account: Account) -> None:
    put(account, "a")
    account.standin.control("POST", "limits", account=account.number, default=True)
    began = time.monotonic()
    outcomes = []
    for _ in range(20):
        try:
            account.cloudwatch.set_alarm_state(AlarmName="a", StateValue="OK", StateReason="x")
            outcomes.append("ok")
        except account.cloudwatch.exceptions.ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes[:3] == ["ok"] * 3 and set(outcomes) == {"ok", "Throttling"}
    assert outcomes.count("ok") <= 4 + 3 * (time.monotonic() - began)
