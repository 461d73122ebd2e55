"""Published versions and their deletion."""

from __future__ import annotations

from conftest import Account, code, error_of


def test_a_version_is_pending_and_becomes_active_without_a_new_revision(account: Account) -> None:
    account.function()
    published = account.lambda_.publish_version(FunctionName="fn", Description="first")
    assert (published["Version"], published["State"], published["Description"]) == ("1", "Pending", "first")
    assert published["FunctionArn"].endswith(":function:fn:1")
    account.standin.advance(10)
    active = account.lambda_.get_function(FunctionName="fn", Qualifier="1")["Configuration"]
    assert (active["State"], active["RevisionId"]) == ("Active", published["RevisionId"])


def test_publishing_again_without_a_change_gives_the_same_version(account: Account) -> None:
    account.function(versions=1)
    again = account.lambda_.publish_version(FunctionName="fn")
    assert (again["Version"], again["State"], again["ResponseMetadata"]["HTTPStatusCode"]) == ("1", "Active", 201)


def test_a_change_of_configuration_alone_makes_a_new_version(account: Account) -> None:
    account.function(versions=1)
    account.lambda_.update_function_configuration(FunctionName="fn", Environment={"Variables": {"A": "1"}})
    account.standin.advance(10)
    assert account.lambda_.publish_version(FunctionName="fn")["Version"] == "2"


def test_going_back_to_older_code_makes_a_new_version(account: Account) -> None:
    account.function()
    assert [account.publish(content=text) for text in ("a", "b", "a")] == ["1", "2", "3"]


def test_publishing_with_the_hash_of_other_code_is_refused(account: Account) -> None:
    account.function()
    error, status, message = error_of(account.lambda_.publish_version, FunctionName="fn", CodeSha256="other")
    assert (error, status) == ("InvalidParameterValueException", 400)
    assert message.startswith("CodeSHA256 (other) is different from current CodeSHA256 in $LATEST (")


def test_publishing_with_an_old_revision_is_refused(account: Account) -> None:
    account.function()
    latest = account.lambda_.get_function(FunctionName="fn")["Configuration"]
    account.lambda_.publish_version(FunctionName="fn", RevisionId=latest["RevisionId"], CodeSha256=latest["CodeSha256"])
    error, status, _ = error_of(account.lambda_.publish_version, FunctionName="fn", RevisionId=latest["RevisionId"])
    assert (error, status) == ("PreconditionFailedException", 412)


def test_a_version_that_fails_says_why(account: Account) -> None:
    account.function()
    account.control(
        "POST",
        "state",
        function="fn",
        version="1",
        kind="publish",
        action="fail",
        code="FunctionError.InitTimeout",
        reason="slow",
    )
    account.lambda_.publish_version(FunctionName="fn")
    account.standin.advance(10)
    failed = account.lambda_.get_function(FunctionName="fn", Qualifier="1")["Configuration"]
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "FunctionError.InitTimeout")


def test_a_version_with_snap_start_is_ready_when_its_snapshot_is(account: Account) -> None:
    account.function(SnapStart={"ApplyOn": "PublishedVersions"})
    account.lambda_.publish_version(FunctionName="fn")
    account.standin.advance(60)
    waiting = account.lambda_.get_function(FunctionName="fn", Qualifier="1")["Configuration"]
    assert (waiting["State"], waiting["SnapStart"]["OptimizationStatus"]) == ("Pending", "Off")
    account.standin.advance(70)
    ready = account.lambda_.get_function(FunctionName="fn", Qualifier="1")["Configuration"]
    assert (ready["State"], ready["SnapStart"]["OptimizationStatus"]) == ("Active", "On")


def test_update_and_publish_in_one_call(account: Account) -> None:
    account.function()
    published = account.lambda_.update_function_code(FunctionName="fn", ZipFile=code("x"), Publish=True)
    assert (published["Version"], published["State"]) == ("1", "Pending")
    assert published["CodeSha256"] == account.lambda_.get_function(FunctionName="fn")["Configuration"]["CodeSha256"]


def test_versions_are_listed_in_pages_with_latest_first(account: Account) -> None:
    account.function(versions=3)
    pages = list(
        account.lambda_.get_paginator("list_versions_by_function").paginate(
            FunctionName="fn", PaginationConfig={"PageSize": 3}
        )
    )
    assert [[v["Version"] for v in page["Versions"]] for page in pages] == [["$LATEST", "1", "2"], ["3"]]


def test_a_version_that_an_alias_names_cannot_be_deleted_and_weights_count(account: Account) -> None:
    account.function(versions=3)
    account.lambda_.create_alias(
        FunctionName="fn", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}}
    )
    for version in ("1", "2"):
        error, status, message = error_of(account.lambda_.delete_function, FunctionName="fn", Qualifier=version)
        assert (error, status) == ("ResourceConflictException", 409)
        assert message == "Unable to delete version because the following aliases reference it: [live]"
    account.lambda_.delete_function(FunctionName="fn", Qualifier="3")
    assert error_of(account.lambda_.get_function, FunctionName="fn", Qualifier="3")[0] == "ResourceNotFoundException"


def test_numbers_of_deleted_versions_are_not_given_again(account: Account) -> None:
    account.function(versions=1)
    account.lambda_.delete_function(FunctionName="fn", Qualifier="1")
    assert account.lambda_.publish_version(FunctionName="fn")["Version"] == "2"


def test_latest_and_aliases_cannot_be_deleted_as_versions(account: Account) -> None:
    account.function(versions=1)
    for qualifier in ("$LATEST", "live"):
        assert (
            error_of(account.lambda_.delete_function, FunctionName="fn", Qualifier=qualifier)[0]
            == "InvalidParameterValueException"
        )


def test_a_description_that_is_too_long_is_refused_before_anything_is_looked_at(account: Account) -> None:
    account.function()
    publish = account.lambda_.publish_version
    error, status, _ = error_of(publish, FunctionName="fn", RevisionId="stale", Description="x" * 257)
    assert (error, status) == ("ValidationException", 400)
    assert publish(FunctionName="fn", Description="x" * 256)["Description"] == "x" * 256
