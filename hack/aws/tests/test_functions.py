"""Functions: states that take time, refusals meanwhile, guards."""

from __future__ import annotations

import pytest
from conftest import Account, code, error_of


def state(account: Account, name: str = "fn", **params: str) -> dict[str, str]:
    configuration: dict[str, str] = account.lambda_.get_function(FunctionName=name, **params)["Configuration"]
    return configuration


def test_a_new_function_is_pending_and_becomes_active_in_stand_in_time(account: Account) -> None:
    created = account.create()
    assert (created["State"], created["StateReasonCode"], created["Version"]) == ("Pending", "Creating", "$LATEST")
    assert state(account)["State"] == "Pending"
    account.standin.advance(10)
    assert state(account)["State"] == "Active"
    assert state(account)["RevisionId"] != created["RevisionId"]


def test_a_pending_function_refuses_updates_and_publishing(account: Account) -> None:
    account.create()
    for operation, params in (
        (account.lambda_.update_function_code, {"ZipFile": code("x")}),
        (account.lambda_.update_function_configuration, {"Timeout": 9}),
        (account.lambda_.publish_version, {}),
    ):
        error, status, message = error_of(operation, FunctionName="fn", **params)
        assert (error, status) == ("ResourceConflictException", 409)
        assert message.endswith("The function is currently in the following state: Pending")


def test_an_update_in_progress_refuses_updates_and_publishing_until_it_is_done(account: Account) -> None:
    account.function()
    updated = account.lambda_.update_function_code(FunctionName="fn", ZipFile=code("x"))
    assert updated["LastUpdateStatus"] == "InProgress"
    error, status, message = error_of(account.lambda_.publish_version, FunctionName="fn")
    assert (error, status) == ("ResourceConflictException", 409)
    assert "An update is in progress for resource: arn:aws:lambda:" in message
    account.standin.advance(10)
    assert state(account)["LastUpdateStatus"] == "Successful"
    assert account.lambda_.publish_version(FunctionName="fn")["Version"] == "1"


def test_every_change_of_a_function_and_every_change_of_its_state_gives_a_new_revision(account: Account) -> None:
    account.function()
    seen = [state(account)["RevisionId"]]
    seen.append(account.lambda_.update_function_configuration(FunctionName="fn", Timeout=9)["RevisionId"])
    account.standin.advance(10)
    seen.append(state(account)["RevisionId"])
    account.lambda_.publish_version(FunctionName="fn")
    seen.append(state(account)["RevisionId"])
    assert len(set(seen)) == 4
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    assert state(account)["RevisionId"] == seen[-1]


def test_an_update_with_an_old_revision_is_refused(account: Account) -> None:
    account.function()
    for operation, params in (
        (account.lambda_.update_function_code, {"ZipFile": code("x")}),
        (account.lambda_.update_function_configuration, {"Timeout": 9}),
    ):
        error, status, _ = error_of(operation, FunctionName="fn", RevisionId="old", **params)
        assert (error, status) == ("PreconditionFailedException", 412)


def test_a_failed_update_tells_its_reason_and_keeps_the_old_code(account: Account) -> None:
    account.function()
    before = state(account)["CodeSha256"]
    account.control(
        "POST", "state", function="fn", kind="update", action="fail", code="ImageAccessDenied", reason="denied"
    )
    updated = account.lambda_.update_function_code(FunctionName="fn", ZipFile=code("x"))
    assert updated["CodeSha256"] != before
    account.standin.advance(10)
    failed = state(account)
    assert (failed["LastUpdateStatus"], failed["LastUpdateStatusReasonCode"]) == ("Failed", "ImageAccessDenied")
    assert (failed["State"], failed["CodeSha256"]) == ("Active", before)


def test_a_state_can_be_made_to_last_until_it_is_released(account: Account) -> None:
    account.function()
    account.control("POST", "state", function="fn", kind="update", action="hold")
    account.lambda_.update_function_configuration(FunctionName="fn", Timeout=9)
    account.standin.advance(3600)
    assert state(account)["LastUpdateStatus"] == "InProgress"
    account.control("POST", "state", function="fn", kind="update", action="release")
    assert state(account)["LastUpdateStatus"] == "Successful"


def test_delays_of_states_can_be_set_for_one_account(account: Account) -> None:
    account.standin.control("POST", "delays", account=account.number, create=500)
    account.create()
    account.standin.advance(499)
    assert state(account)["State"] == "Pending"
    account.standin.advance(2)
    assert state(account)["State"] == "Active"


def test_a_function_that_fails_to_be_created_says_why(account: Account) -> None:
    account.control("POST", "state", function="fn", kind="create", action="fail", code="InvalidRuntime", reason="no")
    account.create()
    account.standin.advance(10)
    failed = state(account)
    assert (failed["State"], failed["StateReasonCode"], failed["StateReason"]) == ("Failed", "InvalidRuntime", "no")
    assert error_of(account.lambda_.publish_version, FunctionName="fn")[:2] == ("ResourceConflictException", 409)


def test_an_image_tag_becomes_a_digest_when_the_code_is_updated(account: Account) -> None:
    uri = "123.dkr.ecr.eu-central-1.amazonaws.com/app:stable"
    role = f"arn:aws:iam::{account.number}:role/fn"
    account.lambda_.create_function(FunctionName="img", Role=role, PackageType="Image", Code={"ImageUri": uri})
    account.standin.advance(10)
    first = account.lambda_.get_function(FunctionName="img")
    account.control("POST", "lambda/image", uri=uri, digest="a" * 64)
    assert account.lambda_.get_function(FunctionName="img")["Code"] == first["Code"]
    account.lambda_.update_function_code(FunctionName="img", ImageUri=uri)
    moved = account.lambda_.get_function(FunctionName="img")
    assert moved["Code"]["ResolvedImageUri"].endswith("@sha256:" + "a" * 64)
    assert moved["Configuration"]["CodeSha256"] == "a" * 64


def test_an_image_that_is_gone_is_refused(account: Account) -> None:
    uri = "123.dkr.ecr.eu-central-1.amazonaws.com/app:gone"
    account.control("POST", "lambda/image", uri=uri, digest=None)
    role = f"arn:aws:iam::{account.number}:role/fn"
    error, _, message = error_of(
        account.lambda_.create_function, FunctionName="img", Role=role, PackageType="Image", Code={"ImageUri": uri}
    )
    assert error == "InvalidParameterValueException" and "does not exist" in message


def test_code_comes_from_s3_objects(account: Account) -> None:
    account.function()
    s3 = account.client("s3")
    s3.create_bucket(Bucket=f"code-{account.number}", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=f"code-{account.number}", Key="app.zip", Body=code("from s3"))
    updated = account.lambda_.update_function_code(
        FunctionName="fn", S3Bucket=f"code-{account.number}", S3Key="app.zip"
    )
    account.standin.advance(10)
    assert (
        account.lambda_.update_function_code(FunctionName="fn", ZipFile=code("from s3"))["CodeSha256"]
        == updated["CodeSha256"]
    )
    account.standin.advance(10)
    error, _, message = error_of(
        account.lambda_.update_function_code, FunctionName="fn", S3Bucket=f"code-{account.number}", S3Key="none"
    )
    assert error == "InvalidParameterValueException" and "NoSuchKey" in message


def test_bytes_that_are_no_zip_file_are_refused(account: Account) -> None:
    account.function()
    assert (
        error_of(account.lambda_.update_function_code, FunctionName="fn", ZipFile=b"x")[0]
        == "InvalidParameterValueException"
    )


def test_a_name_may_be_an_arn_but_not_of_another_region_or_account(account: Account) -> None:
    account.function()
    arn = f"arn:aws:lambda:eu-central-1:{account.number}:function:fn"
    assert account.lambda_.get_function(FunctionName=arn)["Configuration"]["FunctionArn"] == arn
    assert (
        error_of(account.lambda_.get_function, FunctionName=arn.replace("eu-central-1", "us-east-1"))[0]
        == "ResourceNotFoundException"
    )
    assert (
        error_of(account.lambda_.get_function, FunctionName=arn.replace(account.number, "999999999999"))[0]
        == "AccessDeniedException"
    )


def test_a_function_that_does_not_exist_is_not_found(account: Account) -> None:
    error, status, message = error_of(account.lambda_.get_function, FunctionName="none")
    assert (error, status) == ("ResourceNotFoundException", 404)
    assert message == f"Function not found: arn:aws:lambda:eu-central-1:{account.number}:function:none"


def test_functions_are_listed_in_pages(account: Account) -> None:
    for number in range(3):
        account.create(f"fn{number}")
    pages = list(account.lambda_.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert [[f["FunctionName"] for f in page["Functions"]] for page in pages] == [["fn0", "fn1"], ["fn2"]]


@pytest.mark.parametrize(
    ("runtime", "ok"), [("python3.13", True), ("java21", True), ("nodejs22.x", False), ("python3.11", False)]
)
def test_snap_start_needs_a_runtime_that_supports_it(account: Account, runtime: str, ok: bool) -> None:
    settings = {"Runtime": runtime, "SnapStart": {"ApplyOn": "PublishedVersions"}}
    if ok:
        assert account.create(**settings)["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    else:
        with pytest.raises(account.lambda_.exceptions.InvalidParameterValueException):
            account.create(**settings)


def test_tags_come_back_with_the_function(account: Account) -> None:
    account.create(Tags={"team": "a"})
    arn = f"arn:aws:lambda:eu-central-1:{account.number}:function:fn"
    account.lambda_.tag_resource(Resource=arn, Tags={"tier": "b"})
    account.lambda_.untag_resource(Resource=arn, TagKeys=["team"])
    assert account.lambda_.get_function(FunctionName="fn")["Tags"] == {"tier": "b"}


def test_an_operation_that_the_stand_in_lacks_says_so(account: Account) -> None:
    error, status, message = error_of(account.lambda_.list_code_signing_configs)
    assert (error, status) == ("UnknownOperationException", 501) and "ListCodeSigningConfigs" in message


@pytest.mark.parametrize("change", [{"MemorySize": 64}, {"Timeout": 0}, {"Description": "x" * 257}])
def test_a_configuration_out_of_bounds_is_refused_before_anything_is_looked_at(
    account: Account, change: dict[str, int | str]
) -> None:
    account.function()
    update = account.lambda_.update_function_configuration
    for name in ("fn", "missing"):
        error, status, _ = error_of(update, FunctionName=name, RevisionId="stale", **change)
        assert (error, status) == ("ValidationException", 400)


def test_an_image_takes_no_runtime(account: Account) -> None:
    uri = f"{account.number}.dkr.ecr.eu-central-1.amazonaws.com/img@sha256:" + "a" * 64
    role = f"arn:aws:iam::{account.number}:role/fn"
    account.lambda_.create_function(FunctionName="img", Role=role, PackageType="Image", Code={"ImageUri": uri})
    account.standin.advance(10)
    update = account.lambda_.update_function_configuration
    error, _, message = error_of(update, FunctionName="img", Runtime="python3.14")
    assert error == "InvalidParameterValueException" and "PackageType is Image" in message
    assert update(FunctionName="img", MemorySize=512)["MemorySize"] == 512
