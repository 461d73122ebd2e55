"""Aliases and their weights."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Account, error_of


@pytest.fixture
def live(account: Account) -> Account:
    """An account with fn, versions 1 to 3, and the alias live at version 1."""
    account.function(versions=3)
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    return account


def get(account: Account) -> dict[str, Any]:
    alias: dict[str, Any] = account.lambda_.get_alias(FunctionName="fn", Name="live")
    return alias


def update(account: Account, weights: dict[str, float] | None = None, **params: Any) -> Any:
    if weights is not None:
        params["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    return account.lambda_.update_alias(FunctionName="fn", Name="live", **params)


def test_every_update_gives_a_new_revision_and_reading_does_not(live: Account) -> None:
    first = get(live)["RevisionId"]
    assert get(live)["RevisionId"] == first
    second = update(live, Description="same routing")["RevisionId"]
    assert second != first
    assert get(live)["RevisionId"] == second


def test_an_update_with_an_old_revision_is_refused_and_changes_nothing(live: Account) -> None:
    old = get(live)["RevisionId"]
    update(live, {"2": 0.1}, RevisionId=old)
    error, status, _ = error_of(update, account=live, weights={"2": 0.5}, RevisionId=old)
    assert (error, status) == ("PreconditionFailedException", 412)
    assert get(live)["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}


def test_omitting_the_routing_keeps_the_weights_and_an_empty_map_removes_them(live: Account) -> None:
    update(live, {"2": 0.1})
    assert update(live, Description="x")["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    assert "RoutingConfig" not in update(live, {})
    assert "RoutingConfig" not in get(live)


def test_promotion_without_an_empty_map_is_refused(live: Account) -> None:
    update(live, {"2": 0.1})
    error, _, message = error_of(update, account=live, FunctionVersion="2")
    assert error == "InvalidParameterValueException"
    assert message == "Invalid function version 2. Function version 2 is already included in routing configuration."
    promoted = update(live, {}, FunctionVersion="2")
    assert promoted["FunctionVersion"] == "2" and "RoutingConfig" not in promoted


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_weights_of_zero_and_one_are_accepted(live: Account, weight: float) -> None:
    assert update(live, {"2": weight})["RoutingConfig"] == {"AdditionalVersionWeights": {"2": weight}}


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        ({"2": 1.5}, "ValidationException"),
        ({"2": -0.1}, "ValidationException"),
        ({"$LATEST": 0.1}, "ValidationException"),
        ({"2": 0.1, "3": 0.1}, "InvalidParameterValueException"),
        ({"1": 0.1}, "InvalidParameterValueException"),
        ({"99": 0.1}, "ResourceNotFoundException"),
    ],
)
def test_wrong_weights_are_refused(live: Account, weights: dict[str, float], error: str) -> None:
    assert error_of(update, account=live, weights=weights)[0] == error
    assert "RoutingConfig" not in get(live)


def test_an_alias_at_latest_cannot_have_weights(live: Account) -> None:
    update(live, FunctionVersion="$LATEST")
    error, _, message = error_of(update, account=live, weights={"2": 0.1})
    assert (error, message) == (
        "InvalidParameterValueException",
        "$LATEST is not supported for an alias pointing to more than 1 version",
    )


def test_a_version_that_does_not_exist_is_refused(live: Account) -> None:
    error, status, message = error_of(update, account=live, FunctionVersion="99")
    assert (error, status) == ("ResourceNotFoundException", 404) and message.endswith(":function:fn:99")


@pytest.mark.parametrize(
    "change",
    [
        {"Role": "arn:aws:iam::123456789012:role/other"},
        {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-central-1:123456789012:dead"}},
    ],
)
def test_versions_with_another_role_or_dead_letter_queue_cannot_share_an_alias(
    live: Account, change: dict[str, Any]
) -> None:
    live.lambda_.update_function_configuration(FunctionName="fn", **change)
    live.standin.advance(10)
    version = live.publish(content="other")
    error, _, message = error_of(update, account=live, weights={version: 0.1})
    assert error == "InvalidParameterValueException" and "have different" in message
    assert update(live, FunctionVersion=version)["FunctionVersion"] == version


def test_an_alias_that_is_there_cannot_be_created_again(live: Account) -> None:
    error, status, _ = error_of(live.lambda_.create_alias, FunctionName="fn", Name="live", FunctionVersion="2")
    assert (error, status) == ("ResourceConflictException", 409)


def test_an_alias_that_is_not_there_is_not_found_but_its_deletion_succeeds(live: Account) -> None:
    error, status, message = error_of(live.lambda_.get_alias, FunctionName="fn", Name="none")
    assert (error, status) == ("ResourceNotFoundException", 404) and message.startswith("Cannot find alias arn: ")
    assert error_of(live.lambda_.update_alias, FunctionName="fn", Name="none")[2].startswith("Alias not found: ")
    assert live.lambda_.delete_alias(FunctionName="fn", Name="none")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_a_number_is_no_name_for_an_alias(live: Account) -> None:
    assert (
        error_of(live.lambda_.create_alias, FunctionName="fn", Name="42", FunctionVersion="1")[0]
        == "ValidationException"
    )


def test_aliases_are_listed_in_pages_and_by_version(live: Account) -> None:
    live.lambda_.create_alias(FunctionName="fn", Name="beta", FunctionVersion="3")
    live.lambda_.create_alias(
        FunctionName="fn", Name="next", FunctionVersion="3", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}
    )
    pages = list(
        live.lambda_.get_paginator("list_aliases").paginate(FunctionName="fn", PaginationConfig={"PageSize": 2})
    )
    assert [[a["Name"] for a in page["Aliases"]] for page in pages] == [["beta", "live"], ["next"]]
    of_one = live.lambda_.list_aliases(FunctionName="fn", FunctionVersion="1")["Aliases"]
    assert [alias["Name"] for alias in of_one] == ["live", "next"]


def test_get_function_with_an_alias_tells_the_version_behind_it(live: Account) -> None:
    configuration = live.lambda_.get_function(FunctionName="fn", Qualifier="live")["Configuration"]
    assert configuration["Version"] == "1" and configuration["FunctionArn"].endswith(":function:fn:live")


def test_the_world_shows_aliases_with_the_history_of_their_weights(live: Account) -> None:
    update(live, {"2": 0.1})
    update(live, {}, FunctionVersion="2")
    alias = live.world()["functions"]["fn"]["aliases"]["live"]
    assert [(line["version"], line["additional"]) for line in alias["history"]] == [
        ("1", {}),
        ("1", {"2": 0.1}),
        ("2", {}),
    ]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"Description": "x" * 257}, "length less than or equal to 256"),
        ({"FunctionVersion": "one"}, "regular expression pattern"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}}}, "less than or equal to 1.0"),
    ],
)
def test_constraints_come_before_everything_else(live: Account, change: dict[str, Any], constraint: str) -> None:
    stale = {"FunctionName": "fn", "Name": "live", "FunctionVersion": "1", "RevisionId": "stale"}
    missing = {"FunctionName": "missing", "Name": "live", "FunctionVersion": "1"}
    for operation, params in [
        (live.lambda_.update_alias, stale),
        (live.lambda_.update_alias, missing),
        (live.lambda_.create_alias, missing),
    ]:
        error, status, message = error_of(operation, **(params | change))
        assert (error, status) == ("ValidationException", 400) and constraint in message


def test_a_description_of_256_characters_is_kept(live: Account) -> None:
    assert update(live, Description="é" * 256)["Description"] == "é" * 256
