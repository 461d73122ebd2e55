"""Invoke with scripted answers, policies, event source mappings."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from conftest import Account, error_of


def invoke(account: Account, **params: Any) -> tuple[Any, Any]:
    answer = account.lambda_.invoke(FunctionName="fn", **params)
    return json.loads(answer["Payload"].read()), answer


def test_without_a_script_the_answer_is_null(account: Account) -> None:
    account.function()
    payload, answer = invoke(account)
    assert (payload, answer["StatusCode"], answer["ExecutedVersion"]) == (None, 200, "$LATEST")


def test_answers_come_in_order_and_the_last_one_stays(account: Account) -> None:
    account.function(versions=1)
    answers = [
        {"payload": {"n": 1}},
        {"payload": '"text"'},
        {"payload": {"errorMessage": "x"}, "functionError": "Unhandled"},
    ]
    account.control("POST", "lambda/invoke-script", function="fn", qualifier="1", answers=answers)
    assert invoke(account, Qualifier="1")[0] == {"n": 1}
    assert invoke(account, Qualifier="1")[0] == "text"
    for _ in range(2):
        payload, answer = invoke(account, Qualifier="1")
        assert (payload, answer["FunctionError"]) == ({"errorMessage": "x"}, "Unhandled")
    assert invoke(account)[0] is None


def test_answers_can_repeat(account: Account) -> None:
    account.function()
    account.control(
        "POST", "lambda/invoke-script", function="fn", answers=[{"payload": 1}, {"payload": 2}], repeat=True
    )
    assert [invoke(account)[0] for _ in range(4)] == [1, 2, 1, 2]


def test_an_answer_takes_as_long_as_its_duration(account: Account) -> None:
    account.function()
    account.control("POST", "lambda/invoke-script", function="fn", answers=[{"durationMs": 250}])
    before = time.monotonic()
    log = base64.b64decode(invoke(account, LogType="Tail")[1]["LogResult"]).decode()
    assert time.monotonic() - before >= 0.25 and "Duration: 250.00 ms" in log


def test_an_alias_sends_each_request_to_a_version_by_its_weights(account: Account) -> None:
    account.function(versions=2)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1", RoutingConfig=weights)
    seen = {invoke(account, Qualifier="live")[1]["ExecutedVersion"] for _ in range(40)}
    assert seen == {"1", "2"}
    account.lambda_.update_alias(FunctionName="fn", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    assert {invoke(account, Qualifier="live")[1]["ExecutedVersion"] for _ in range(10)} == {"2"}


def test_an_inactive_version_wakes_on_its_first_invocation_which_fails(account: Account) -> None:
    account.function(versions=1)
    account.control("POST", "state", function="fn", version="1", action="set", state="Inactive", code="Idle")
    assert error_of(account.lambda_.invoke, FunctionName="fn", Qualifier="1")[0] == "ResourceConflictException"
    waking = account.lambda_.get_function(FunctionName="fn", Qualifier="1")["Configuration"]
    assert (waking["State"], waking["StateReasonCode"]) == ("Pending", "Restoring")
    account.standin.advance(10)
    assert invoke(account, Qualifier="1")[1]["StatusCode"] == 200


def test_an_invocation_counts_in_the_metrics_of_what_was_invoked(account: Account) -> None:
    account.function(versions=1)
    invoke(account, Qualifier="1")
    listed = account.cloudwatch.list_metrics(Namespace="AWS/Lambda", MetricName="Invocations")["Metrics"]
    assert sorted(sorted(d["Value"] for d in metric["Dimensions"]) for metric in listed) == [["fn"], ["fn", "fn:1"]]


def test_policies_are_kept_by_qualifier(account: Account) -> None:
    account.function(versions=1)
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    statement = {"StatementId": "api", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    account.lambda_.add_permission(FunctionName="fn", Qualifier="live", **statement)
    policy = json.loads(account.lambda_.get_policy(FunctionName="fn", Qualifier="live")["Policy"])
    assert policy["Statement"][0]["Resource"].endswith(":function:fn:live")
    for params in ({}, {"Qualifier": "1"}):
        assert error_of(account.lambda_.get_policy, FunctionName="fn", **params)[:2] == (
            "ResourceNotFoundException",
            404,
        )
    assert (
        error_of(account.lambda_.add_permission, FunctionName="fn", Qualifier="live", **statement)[0]
        == "ResourceConflictException"
    )
    account.lambda_.remove_permission(FunctionName="fn", Qualifier="live", StatementId="api")
    assert error_of(account.lambda_.get_policy, FunctionName="fn", Qualifier="live")[1] == 404


def test_event_source_mappings_are_listed_by_function_and_alias(account: Account) -> None:
    account.function(versions=1)
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    source = f"arn:aws:sqs:eu-central-1:{account.number}:q"
    mapping = account.lambda_.create_event_source_mapping(FunctionName="fn:live", EventSourceArn=source)
    account.lambda_.create_event_source_mapping(FunctionName="fn", EventSourceArn=source + "2")

    def sources(name: str) -> list[str]:
        listed = account.lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        return [each["EventSourceArn"].rsplit(":", 1)[1] for each in listed]

    assert sources("fn:live") == ["q"] and sources("fn") == ["q", "q2"]
    account.lambda_.delete_event_source_mapping(UUID=mapping["UUID"])
    assert sources("fn") == ["q2"]
