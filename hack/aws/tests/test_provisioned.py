"""Provisioned concurrency."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Account, error_of


@pytest.fixture
def live(account: Account) -> Account:
    """fn with versions 1 to 3 and the alias live at version 1."""
    account.function(versions=3)
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    return account


def put(account: Account, qualifier: str, count: int = 5) -> Any:
    return account.lambda_.put_provisioned_concurrency_config(
        FunctionName="fn", Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def status(account: Account, qualifier: str) -> dict[str, Any]:
    config: dict[str, Any] = account.lambda_.get_provisioned_concurrency_config(FunctionName="fn", Qualifier=qualifier)
    return config


def update(account: Account, **params: Any) -> Any:
    if "weights" in params:
        params["RoutingConfig"] = {"AdditionalVersionWeights": params.pop("weights")}
    return account.lambda_.update_alias(FunctionName="fn", Name="live", **params)


def routing(account: Account) -> tuple[str, dict[str, float]]:
    alias = account.lambda_.get_alias(FunctionName="fn", Name="live")
    return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def ready(account: Account, qualifier: str) -> None:
    put(account, qualifier)
    account.standin.advance(200)
    assert status(account, qualifier)["Status"] == "READY"


def test_allocation_takes_time(live: Account) -> None:
    answer = put(live, "1", 600)
    assert (answer["Status"], answer["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    live.standin.advance(120)
    half = status(live, "1")
    assert half["Status"] == "IN_PROGRESS" and 200 <= half["AllocatedProvisionedConcurrentExecutions"] <= 300
    live.standin.advance(60)
    full = status(live, "1")
    assert (full["Status"], full["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 600)


def test_latest_cannot_have_it(live: Account) -> None:
    error, code, _ = error_of(put, account=live, qualifier="$LATEST")
    assert (error, code) == ("InvalidParameterValueException", 400)
    live.lambda_.create_alias(FunctionName="fn", Name="dev", FunctionVersion="$LATEST")
    assert error_of(put, account=live, qualifier="dev")[0] == "InvalidParameterValueException"


def test_a_qualifier_without_it_says_so(live: Account) -> None:
    error, code, _ = error_of(status, account=live, qualifier="1")
    assert (error, code) == ("ProvisionedConcurrencyConfigNotFoundException", 404)
    assert error_of(status, account=live, qualifier="none")[2].startswith("Cannot find alias arn: ")


def test_a_version_has_it_by_itself_or_by_one_alias(live: Account) -> None:
    put(live, "1")
    error, code, _ = error_of(put, account=live, qualifier="live")
    assert (error, code) == ("ResourceConflictException", 409)
    live.lambda_.delete_provisioned_concurrency_config(FunctionName="fn", Qualifier="1")
    put(live, "live")
    assert error_of(put, account=live, qualifier="1")[2] == "Version is pointed by a Provisioned Concurrency alias"
    live.lambda_.create_alias(FunctionName="fn", Name="other", FunctionVersion="1")
    assert error_of(put, account=live, qualifier="other")[0] == "ResourceConflictException"


def test_settings_cannot_change_while_the_alias_has_weights(live: Account) -> None:
    ready(live, "live")
    update(live, weights={"2": 0.1})
    for operation in (
        put,
        lambda account, qualifier: account.lambda_.delete_provisioned_concurrency_config(
            FunctionName="fn", Qualifier=qualifier
        ),
    ):
        error, _, message = error_of(operation, account=live, qualifier="live")
        assert (error, message) == (
            "InvalidParameterValueException",
            "Alias with weights can not be used with Provisioned Concurrency",
        )


def test_a_new_version_and_weights_in_one_update_are_refused(live: Account) -> None:
    ready(live, "live")
    error, _, message = error_of(update, account=live, FunctionVersion="2", weights={"1": 0.5})
    assert (error, message) == (
        "InvalidParameterValueException",
        "Invalid alias configuration for Provisioned Concurrency",
    )


def test_lambda_keeps_all_traffic_on_the_old_version_until_the_new_one_is_ready(live: Account) -> None:
    ready(live, "live")
    update(live, weights={"2": 0.1})
    revision = update(live, FunctionVersion="2", weights={})["RevisionId"]
    assert routing(live) == ("2", {"1": 1.0})
    assert status(live, "live")["Status"] == "IN_PROGRESS"
    live.standin.advance(200)
    assert routing(live) == ("2", {})
    assert status(live, "live")["Status"] == "READY"
    assert live.lambda_.get_alias(FunctionName="fn", Name="live")["RevisionId"] != revision


def test_after_a_failed_allocation_traffic_stays_on_the_old_version_for_ever(live: Account) -> None:
    ready(live, "live")
    live.control(
        "POST",
        "state",
        function="fn",
        version="live",
        kind="provisioned",
        action="fail",
        reason="FUNCTION_ERROR_INIT_FAILURE",
    )
    update(live, FunctionVersion="2", weights={})
    live.standin.advance(3600)
    failed = status(live, "live")
    assert (failed["Status"], failed["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    assert routing(live) == ("2", {"1": 1.0})
    assert (
        error_of(update, account=live, FunctionVersion="3")[2]
        == "Invalid alias configuration for Provisioned Concurrency"
    )


def test_going_back_to_the_version_that_is_ready_still_ends_the_move_at_once(live: Account) -> None:
    ready(live, "live")
    live.control("POST", "state", function="fn", version="live", kind="provisioned", action="hold")
    update(live, FunctionVersion="2", weights={})
    live.standin.advance(3600)
    assert routing(live) == ("2", {"1": 1.0})
    update(live, FunctionVersion="1", weights={})
    assert routing(live) == ("1", {})
    assert status(live, "live")["Status"] == "READY"


def test_what_was_held_ends_when_it_is_released_and_not_in_the_past(live: Account) -> None:
    ready(live, "live")
    live.control("POST", "state", function="fn", kind="provisioned", action="hold")
    update(live, FunctionVersion="2", weights={})
    released = live.standin.advance(3600)
    live.control("POST", "state", function="fn", kind="provisioned", action="release")
    assert routing(live) == ("2", {})
    assert live.world()["functions"]["fn"]["aliases"]["live"]["history"][-1]["since"] >= released


def test_an_empty_map_during_the_move_does_not_remove_lambdas_own_weights(live: Account) -> None:
    ready(live, "live")
    update(live, FunctionVersion="2", weights={})
    update(live, weights={})
    assert routing(live) == ("2", {"1": 1.0})
    assert (
        error_of(update, account=live, weights={"3": 0.1})[2]
        == "Invalid alias configuration for Provisioned Concurrency"
    )


def test_an_alias_with_it_cannot_move_to_a_version_that_has_its_own(live: Account) -> None:
    ready(live, "live")
    put(live, "2")
    assert error_of(update, account=live, FunctionVersion="2", weights={})[0] == "ResourceConflictException"
    assert error_of(update, account=live, weights={"2": 0.1})[0] == "ResourceConflictException"


def test_an_alias_without_it_moves_to_a_provisioned_version_at_once(live: Account) -> None:
    ready(live, "2")
    update(live, FunctionVersion="2", weights={})
    assert routing(live) == ("2", {})


def test_configurations_are_listed_and_go_with_their_alias(live: Account) -> None:
    put(live, "live")
    put(live, "3")
    listed = live.lambda_.list_provisioned_concurrency_configs(FunctionName="fn")["ProvisionedConcurrencyConfigs"]
    assert [config["FunctionArn"].rsplit(":", 1)[1] for config in listed] == ["3", "live"]
    live.lambda_.delete_alias(FunctionName="fn", Name="live")
    listed = live.lambda_.list_provisioned_concurrency_configs(FunctionName="fn")["ProvisionedConcurrencyConfigs"]
    assert len(listed) == 1


def test_a_pending_version_and_one_with_snap_start_cannot_have_it(account: Account) -> None:
    account.function(SnapStart={"ApplyOn": "PublishedVersions"})
    account.lambda_.publish_version(FunctionName="fn")
    assert error_of(put, account=account, qualifier="1")[0] == "InvalidParameterValueException"
    account.function("plain")
    account.lambda_.publish_version(FunctionName="plain")
    error = error_of(
        account.lambda_.put_provisioned_concurrency_config,
        FunctionName="plain",
        Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    )
    assert error[0] == "ResourceConflictException"


def test_the_account_keeps_a_hundred_executions_unreserved(live: Account) -> None:
    assert error_of(put, account=live, qualifier="1", count=901)[0] == "InvalidParameterValueException"
    assert put(live, "1", 900)["RequestedProvisionedConcurrentExecutions"] == 900
